"""Label sets: which emotions a model tells apart, and which of a corpus's labels count as which."""

import csv

import numpy as np

from speech_emotion import names
from speech_emotion.corpora import EMOTIONS, folder
from speech_emotion.dataset.table import FeatureTable
from speech_emotion.errors import UserError

SEVEN = tuple(label for label in EMOTIONS if label != "calm")


def relabel(table: FeatureTable, name: str) -> tuple[FeatureTable, np.ndarray, str]:
    """The rows and labels of a label set.

    name: `seven` (calm counts as neutral), `eight`, `csv` (whatever the table holds), `auto` (seven when
    the table holds nothing but the eight emotions, and no calm of a user's own recordings, else csv), or
    labels joined by commas, in quotes what holds one. Returns the table's rows that take part, their labels
    (n,) and one sentence that says what was done. UserError where no model for a chip can have these labels.
    """
    labels = table.clips["emotion"].to_numpy(str)
    if name == "auto":
        own = table.clips["corpus"].to_numpy(str) == folder.NAME
        eight = set(labels) <= set(EMOTIONS) and "calm" not in labels[own]
        name = "seven" if eight else "csv"
    if name == "seven":
        labels = np.where(labels == "calm", "neutral", labels)
        wanted, sentence = set(SEVEN), "seven labels, calm counted as neutral"
    elif name == "eight":
        wanted, sentence = set(EMOTIONS), "eight labels, calm kept"
    elif name == "csv":
        wanted, sentence = set(labels), "the labels of the table"
    else:
        wanted = {label.strip() for label in next(csv.reader([name], skipinitialspace=True))}
        absent = wanted - set(labels)
        if absent:
            raise UserError(
                f"--labels {name}: no clip is labelled {names.listed(sorted(absent))}; "
                f"there are {names.listed(sorted(set(labels)))}"
            )
        sentence = f"the labels {name}"
    keep = np.isin(labels, list(wanted))
    if len(set(labels[keep])) < 2:
        found = names.listed(sorted(set(labels))) or "none"
        raise UserError(f"only one class is left (labels found: {found}); two or more are needed")
    names.check_labels(sorted(set(labels[keep].tolist())))
    if not keep.all():
        dropped = names.listed(sorted(set(labels[~keep])))
        sentence += f"; {int((~keep).sum())} clips left out ({dropped})"
    return table.rows(keep), labels[keep], sentence
