"""Own recordings among public corpora: what of those takes part, and what each clip counts."""

import numpy as np
import pandas as pd

from speech_emotion import names
from speech_emotion.dataset.table import BETWEEN, FeatureTable
from speech_emotion.errors import UserError

MOST = 30.0
"""Times that an own clip counts, at most: beyond, a model learns these few by heart."""


def mix(own: FeatureTable, public: FeatureTable) -> tuple[FeatureTable, set[str], str]:
    """Both tables as one, own rows first, of the public one only labels that the own one has.

    Returns the table, the paths of its own rows, and a sentence for the user. UserError: other engines, no
    common label. Where a path is in both, the public ones begin with `public/`.
    """
    engines = own.info.get("engine"), public.info.get("engine")
    if engines[0] != engines[1]:
        raise UserError(
            f"--add-corpora: measured by engine {engines[1]}, your own by {engines[0]}; make one of the "
            f"tables again with dataset_generator.py --engine {engines[0]}"
        )
    wanted = set(own.clips["emotion"])
    labels = public.clips["emotion"]
    if "calm" not in wanted and "neutral" in wanted:
        labels = labels.replace("calm", "neutral")
    keep = labels.isin(wanted).to_numpy()
    if not keep.any():
        raise UserError(
            f"--add-corpora: has none of your labels ({names.listed(sorted(wanted))}); it has "
            f"{names.listed(sorted(set(labels)))}"
        )
    added = public.rows(keep)
    clips = added.clips.assign(emotion=labels[keep].to_numpy())
    if set(clips["path"]) & set(own.clips["path"]):
        for column in ("path", "source", "recording"):
            clips[column] = clips[column].where(clips[column] == "", "public/" + clips[column])
        clips["background"] = [
            BETWEEN.join(f"public/{each}" for each in cell.split(BETWEEN) if each)
            for cell in clips["background"]
        ]
    both = pd.concat([own.clips, clips], ignore_index=True)
    vectors = np.concatenate([own.vectors, added.vectors])
    left = sorted(set(labels[~keep]))
    said = (
        f"{len(own)} own rows and {len(added)} of {', '.join(sorted(set(clips['corpus'])))}; an own one "
        f"counts {times(len(own), len(added)):.1f} times"
    )
    if left:
        said += f"; {int((~keep).sum())} rows left out, of emotions that yours are not: {names.listed(left)}"
    table = FeatureTable(both, vectors, own.columns, own.info)
    return table, set(own.clips["path"]), said


def times(own: int, others: int) -> float:
    """What an own row counts, so that all of them together count as much as all others; 1 to MOST."""
    return float(np.clip(others / max(own, 1), 1.0, MOST))


def weights(own: np.ndarray) -> np.ndarray:
    """What each row counts in training, float64 (n,), 1 on average. own: bool (n,)."""
    found = np.where(own, times(int(own.sum()), int((~own).sum())), 1.0)
    return found / found.mean()
