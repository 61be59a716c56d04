"""What noise, level, line and microphone cost: clips as they would arrive, measured by the chip's own code.

Nothing here is ever trained on.
"""

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from scipy.signal import butter, sosfilt

from speech_emotion import cli
from speech_emotion.dataset import augment
from speech_emotion.dataset.copies import Augmentation
from speech_emotion.errors import UserError
from speech_emotion.features import audio, device
from speech_emotion.features.audio import FULL_SCALE
from speech_emotion.features.schema import SAMPLE_RATE

SNRS = (20, 10, 5, 0)
TALKERS = 6  # other speakers' clips in the babble
# INMP441 (datasheet DS-INMP441-00): -3 dB at 60 Hz, noise floor -87 dBFS, at the 18 dB by which its 24 bits
# are shifted up before 16 of them are kept
_MICROPHONE_EDGE, _MICROPHONE_NOISE = 60, -87 + 18
_COPIES = {
    **{f"white noise, {snr} dB": f"noise:{snr}" for snr in SNRS},
    "level -20 dB": "gain:-20",
    "telephone, 300 to 3400 Hz": "telephone:3400",
}
CONDITIONS = (
    "as recorded", *(name for name in _COPIES if name.startswith("white")),
    *(f"babble, {snr} dB" for snr in SNRS), *(name for name in _COPIES if name[0] != "w"),
    "INMP441 microphone",
)  # fmt: skip


def measure(
    clips: pd.DataFrame, root: Path, *, jobs: int = -1, seed: int = 1
) -> dict[str, np.ndarray]:
    """The features of clips under each of CONDITIONS: float32 (clips, columns of the schema) each.

    clips: `path` below `root`, `corpus` and `speaker`. The seed is another than that of any training copy's
    name, so no noise is heard twice. Raises UserError for a clip that cannot be read.
    """
    paths = [root / path for path in clips["path"]]
    if not paths[0].exists():
        raise UserError(f"{paths[0]}: no such file; name the folder that the table was made from")
    speakers = (clips["corpus"] + "/" + clips["speaker"]).to_numpy(str)
    device.build()  # once, not in every process
    tasks = (joblib.delayed(_measure)(paths, speakers, i, seed) for i in range(len(paths)))
    results = joblib.Parallel(n_jobs=jobs, return_as="generator")(tasks)
    rows = list(cli.progress(results, total=len(paths), what="degrade"))
    return {name: np.array([row[i] for row in rows]) for i, name in enumerate(CONDITIONS)}


def _measure(paths, speakers, i, seed):
    samples = audio.load(paths[i])
    random = np.random.default_rng([seed, i])
    voices = _voices(paths, speakers, i, len(samples), random)
    return [
        device.extract(audio.cut(_degraded(samples, condition, voices, random, str(i), seed)))
        for condition in CONDITIONS
    ]


def _degraded(samples, condition, voices, random, name, seed):
    if condition in _COPIES:
        return augment.apply(
            samples, Augmentation.parse(_COPIES[condition]), seed=seed, name=f"robustness {name}"
        )
    x = samples / FULL_SCALE
    if condition.startswith("babble"):
        x = augment.mixed(x, voices, float(condition.split()[1]))
    elif condition.startswith("INMP441"):
        x = sosfilt(butter(1, _MICROPHONE_EDGE, "highpass", fs=SAMPLE_RATE, output="sos"), x)
        x += 10 ** (_MICROPHONE_NOISE / 20) * random.standard_normal(len(x))
    else:
        return samples
    return np.clip(np.rint(x * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _voices(paths, speakers, i, n, random):
    """Clips of other speakers at one level, together. (n,)"""
    others = np.flatnonzero(speakers != speakers[i])
    drawn = random.permutation(others)[:TALKERS]
    return augment.together((audio.load(paths[i]) / FULL_SCALE for i in drawn), n, random)


def table(outcomes: dict) -> pd.DataFrame:
    """One row per condition, from `scores.Outcome`s: UAR, points lost to it, UAR of each corpus, ECE."""
    rows = {}
    whole = outcomes[CONDITIONS[0]].summary()["uar"]
    for condition, outcome in outcomes.items():
        summary = outcome.summary()
        rows[condition] = {
            "UAR": summary["uar"], "points lost": f"{100 * (whole - summary['uar']):.1f}",
            **{f"UAR {corpus}": summary[f"uar_{corpus}"] for corpus in np.unique(outcome.corpora)},
            "ECE": summary["ece"],
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")
