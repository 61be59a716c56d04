"""What noise, level, line and microphone cost: clips as they would arrive, measured by the chip's own code.
Of a model that knows voices also what they cost it once it knows the voice: what it heard before came through
the same noise, line and microphone.

Nothing here is ever trained on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from scipy.signal import butter, sosfilt

from speech_emotion import cli, parallel
from speech_emotion.corpora import places
from speech_emotion.dataset import augment
from speech_emotion.dataset.copies import Augmentation
from speech_emotion.errors import UserError
from speech_emotion.features import audio, device, sentences
from speech_emotion.features.audio import FULL_SCALE
from speech_emotion.features.schema import SAMPLE_RATE
from speech_emotion.training import acquaintance

SNRS = (20, 10, 5, 0)
TALKERS = 6  # other speakers' clips in the babble
# INMP441 (datasheet DS-INMP441-00): -3 dB at 60 Hz, noise floor -87 dBFS, at the 18 dB by which its 24 bits
# are shifted up before 16 of them are kept
_MICROPHONE_EDGE, _MICROPHONE_NOISE = 60, -87 + 18


@dataclass(frozen=True)
class _Heard:
    """What a condition is made of: int16 samples (n,) and the clip's name; other speakers' voices together,
    float (n,); a generator that all conditions of the clip draw from in turn, and the seed of copies."""

    samples: np.ndarray
    name: str
    voices: np.ndarray
    random: np.random.Generator
    seed: int


def _copy(kind: str) -> Callable[[_Heard], np.ndarray]:
    """The condition that an augmented copy of this kind would be."""
    augmentation = Augmentation.parse(kind)
    return lambda heard: augment.apply(
        heard.samples, augmentation, seed=heard.seed, name=f"robustness {heard.name}"
    )


def _babble(snr: float) -> Callable[[_Heard], np.ndarray]:
    return lambda heard: _as_samples(augment.mixed(heard.samples / FULL_SCALE, heard.voices, snr))


def _inmp441(heard: _Heard) -> np.ndarray:
    edge = butter(1, _MICROPHONE_EDGE, "highpass", fs=SAMPLE_RATE, output="sos")
    x = sosfilt(edge, heard.samples / FULL_SCALE)
    x += 10 ** (_MICROPHONE_NOISE / 20) * heard.random.standard_normal(len(x))
    return _as_samples(x)


def _as_samples(x: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(x * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


_CONDITIONS: dict[str, Callable[[_Heard], np.ndarray]] = {
    "as recorded": lambda heard: heard.samples,
    **{f"white noise, {snr} dB": _copy(f"noise:{snr}") for snr in SNRS},
    **{f"babble, {snr} dB": _babble(snr) for snr in SNRS},
    "level -20 dB": _copy("gain:-20"),
    "telephone, 300 to 3400 Hz": _copy("telephone:3400"),
    "INMP441 microphone": _inmp441,
}
CONDITIONS = tuple(_CONDITIONS)
"""Their names, the undegraded clip first."""
KNOWN = f"10 {acquaintance.NEUTRAL}"
"""How well a voice is known besides not at all: one of acquaintance.CONDITIONS."""


def known(condition: str) -> str:
    """The name of a condition where the voice is known."""
    return f"{condition}, {KNOWN} known"


def measure(
    clips: pd.DataFrame, root: Path, *, jobs: int = -1, seed: int = 1
) -> dict[str, np.ndarray]:
    """The features of clips under each of CONDITIONS: float32 (clips, columns of the schema) each.

    clips: `path` below `root`, `corpus` and `speaker`. The seed is another than that of any training copy's
    name, so no noise is heard twice. Raises UserError for a clip that cannot be read.
    """
    paths = [root / path for path in clips["path"]]
    if not Path(sentences.parse(str(paths[0]))[0]).exists():
        where = places.off_by_one(root, sentences.parse(clips["path"].iloc[0])[0])
        raise UserError(
            f"{paths[0]}: no such file{where or '; name the folder that the table was made from'}"
        )
    speakers = (clips["corpus"] + "/" + clips["speaker"]).to_numpy(str)
    device.build()  # once, not in every process
    tasks = (joblib.delayed(_measure)(paths, speakers, i, seed) for i in range(len(paths)))
    results = parallel.spread(tasks, jobs=jobs)
    rows = list(cli.progress(results, total=len(paths), what="degrade"))
    return {name: np.array([row[i] for row in rows]) for i, name in enumerate(CONDITIONS)}


def _measure(paths, speakers, i, seed):
    samples = sentences.load(paths[i])
    random = np.random.default_rng([seed, i])
    voices = _voices(paths, speakers, i, len(samples), random)
    return [
        device.extract(audio.cut(_degraded(samples, condition, voices, random, str(i), seed)))
        for condition in CONDITIONS
    ]


def _degraded(samples, condition, voices, random, name, seed):
    return _CONDITIONS[condition](_Heard(samples, name, voices, random, seed))


def _voices(paths, speakers, i, n, random):
    """Clips of other speakers at one level, together. (n,)"""
    others = np.flatnonzero(speakers != speakers[i])
    drawn = random.permutation(others)[:TALKERS]
    return augment.together((sentences.load(paths[i]) / FULL_SCALE for i in drawn), n, random)


def table(outcomes: dict) -> pd.DataFrame:
    """One row per condition, from `scores.Outcome`s: UAR, points lost to it, the same two where the voice is
    known (of a model that knows voices), UAR of each corpus, ECE."""
    found = {name: outcome.summary() for name, outcome in outcomes.items()}
    whole = CONDITIONS[0]

    def cost(first, degraded, about):
        lost = 100 * (found[first]["uar"] - found[degraded]["uar"])
        return {f"UAR{about}": found[degraded]["uar"], f"points lost{about}": f"{lost:.1f}"}

    rows = {}
    for condition in found:
        if condition.endswith(known("")):
            continue
        rows[condition] = cost(whole, condition, "")
        if known(condition) in found:
            rows[condition] |= cost(known(whole), known(condition), ", ten known")
        of_corpora = [f"uar_{corpus}" for corpus in np.unique(outcomes[condition].corpora)]
        rows[condition] |= {
            f"UAR {name.removeprefix('uar_')}": found[condition][name] for name in of_corpora
        }
        rows[condition]["ECE"] = found[condition]["ece"]
    return pd.DataFrame.from_dict(rows, orient="index")
