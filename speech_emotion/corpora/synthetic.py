"""Synthetic speech: the corpus made on the spot, for the demo and for tests.

In: a folder, a seed, how many speakers and sentences. Out: 16 kHz 16-bit mono wav files
`<folder>/<speaker>/<speaker>_<sentence>_<emotion>.wav` and their `Clip`s.

Praat's built-in speech synthesiser reads each sentence once per voice; Praat's overlap-add
resynthesis and a little filtering then give it pitch, range, rate, loudness, jitter, shimmer and
breathiness after `STYLES`, with random variation from clip to clip. A model that tells these clips
apart has found the rules below, nothing more: **its scores mean nothing for real speech.**
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import parselmouth
import soundfile
import soxr
from parselmouth.praat import call, run

from speech_emotion.corpora.clip import Clip, Licence
from speech_emotion.errors import UserError
from speech_emotion.files import replacing

NAME = "synthetic"
TITLE = "Synthetic speech (Praat's speech synthesiser); its scores mean nothing for real speech"
LICENCE = Licence(
    text="generated on this machine, free to use; the generator, Praat, is GPL 3 or later",
    url="https://www.fon.hum.uva.nl/praat/manual/SpeechSynthesizer.html",
)

CITATION = (
    "Boersma P, Weenink D. Praat: doing phonetics by computer. https://www.praat.org; "
    "its speech synthesiser is eSpeak NG, https://github.com/espeak-ng/espeak-ng"
)

RATE = 16000  # Hz, of the files
MARKER = "synthetic.json"
VERSION = 1  # raise it with every change that changes a byte of any clip
_ESPEAK_RATE = 44100  # Hz, Praat's default for a SpeechSynthesizer
_F0_LIMITS = (82.0, 480.0)  # Hz: inside the extractor's 75-600 Hz, with room for jitter


@dataclass(frozen=True)
class Speaker:
    """A voice of Praat's synthesiser, and how this speaker departs from it."""

    name: str  # first letter is the sex
    voice: str  # voice variant of Praat's SpeechSynthesizer
    f0: float  # Hz, median of neutral speech
    formants: float  # ratio: all formants times this (vocal tract shorter by the same factor)
    rate: float  # ratio: speaking rate
    jitter: float  # standard deviation of the period, ratio
    shimmer: float  # standard deviation of the pulse amplitude, dB
    breath: float  # dB, aspiration noise relative to the voice
    level: float  # dB, loudness and distance to the microphone


# fmt: off
#: Sexes alternate, so that any first few hold both.
SPEAKERS = (
    Speaker("f1", "Female2", 206, 1.00, 1.16, 0.008, 0.40, -29,  0.0),
    Speaker("m1", "Male2",   118, 1.00, 1.15, 0.009, 0.50, -28,  0.5),
    Speaker("f2", "Linda",   222, 0.96, 1.20, 0.010, 0.50, -28, -1.5),
    Speaker("m2", "Male5",   132, 1.03, 1.08, 0.008, 0.45, -26, -1.0),
    Speaker("f3", "Female4", 184, 0.97, 1.05, 0.011, 0.50, -24,  1.0),
    Speaker("m3", "Male4",   109, 0.95, 1.18, 0.012, 0.60, -29,  1.5),
    Speaker("f4", "Female5", 212, 1.03, 1.16, 0.010, 0.45, -25,  0.5),
    Speaker("m4", "Male1",   124, 0.98, 1.10, 0.010, 0.50, -30, -0.5),
    Speaker("f5", "Female3", 229, 1.00, 1.10, 0.009, 0.40, -28, -0.5),
    Speaker("m5", "Male7",   141, 1.04, 1.22, 0.011, 0.55, -25,  0.0),
    Speaker("f6", "Female1", 196, 1.00, 1.12, 0.009, 0.45, -27,  1.5),
    Speaker("m6", "Gene",    114, 1.01, 1.06, 0.009, 0.50, -27, -1.5),
)
# fmt: on

#: Neutral in content; the key is the sentence's code in the file name.
SENTENCES = {
    "kettle": "The kettle stands on the shelf.",
    "seven": "They will come back after seven.",
    "chairs": "We need two chairs in here.",
    "coat": "He left his coat in the car.",
    "market": "The bus turns at the market.",
    "letter": "Her letter is under the book.",
    "garden": "My brother works in the garden.",
    "money": "All the money was in the bag.",
}


@dataclass(frozen=True)
class Style:
    """What an emotion changes against the same speaker's neutral voice."""

    pitch: float = 0.0  # semitones, median F0
    span: float = 1.0  # ratio: excursions of F0 (in semitones) around its median
    ending: float = 0.0  # semitones, reached over the last third of the clip
    rate: float = 1.0  # ratio: speaking rate
    level: float = 0.0  # dB
    tilt: float = 0.0  # dB per octave above 500 Hz; positive: brighter, as with vocal effort
    jitter: float = 1.0  # ratio
    shimmer: float = 1.0  # ratio
    breath: float = 0.0  # dB


# fmt: off
#: Directions after Banse & Scherer 1996 (J. Pers. Soc. Psychol. 70, 614-636), Juslin & Laukka 2003
#: (Psychol. Bull. 129, 770-814) and Scherer 2003 (Speech Communication 40, 227-256); for disgust
#: (slow, low, grumbling) Murray & Arnott 1993 (J. Acoust. Soc. Am. 93, 1097-1108); for breathy
#: sadness Gobl & Ni Chasaide 2003 (Speech Communication 40, 189-212). The sources disagree in
#: places (the range of fear) and say little of surprise (high, wide, rising). The sizes are this
#: project's own.
STYLES = {
    "angry":    Style( 3.5, 1.7, -1.5, 1.14,  8.0,  2.5, 2.0, 2.5, -2.0),
    "disgust":  Style(-2.0, 1.2, -2.0, 0.84, -1.5, -0.5, 2.4, 3.0,  2.0),
    "fear":     Style( 5.0, 1.5,  0.5, 1.25, -1.5,  0.0, 2.0, 2.5,  8.0),
    "happy":    Style( 3.5, 1.9,  2.0, 1.10,  4.0,  1.2, 0.9, 0.9, -1.0),
    "neutral":  Style(),
    "sad":      Style(-2.0, 0.6, -1.5, 0.82, -6.0, -2.2, 1.3, 1.3, 14.0),
    "surprise": Style( 5.5, 2.2,  7.0, 1.00,  1.0,  0.3, 0.9, 0.9,  3.0),
}
# fmt: on

#: Standard deviations of the variation from clip to clip, in the units of `Style` (ratios: of their
#: natural logarithm), and the range of how much of the emotion a clip shows. Chosen so that the
#: task is neither trivial nor hopeless.
VARIATION = Style(
    pitch=0.8,
    span=0.15,
    ending=1.0,
    rate=0.05,
    level=1.5,
    tilt=0.6,
    jitter=0.2,
    shimmer=0.2,
    breath=2.0,
)
EXPRESSION = (0.65, 1.25)

_FILE_NAME = re.compile(rf"([fm]\d+)_([a-z]+)_({'|'.join(STYLES)})\.wav")


def read(folder: Path) -> list[Clip]:
    """The clips a `write` left in `folder`, in order of their paths; other files are passed over.

    Examples
    --------
    >>> read(Path("no such folder"))
    []
    """
    clips = (_parse(path) for path in sorted(Path(folder).glob("*/*.wav")))
    return [clip for clip in clips if clip is not None]


def _parse(path: Path) -> Clip | None:
    match = _FILE_NAME.fullmatch(path.name)
    if match is None or path.parent.name != match[1]:
        return None
    speaker, sentence, emotion = match.groups()
    return Clip(path, NAME, speaker, speaker[0], emotion, sentence)


def write(
    folder: Path,
    *,
    seed: int = 0,
    speakers: int = 6,
    sentences: int = 6,
    progress: Callable[[list], Iterable] = iter,
) -> list[Clip]:
    """Make the corpus in `folder`, keeping what an earlier run of the same seed has finished.

    Each clip depends on (seed, speaker, sentence, emotion) alone: fewer speakers or sentences give
    a subset of the same bytes. (The same bytes on one machine and set of library versions: another
    processor may round differently.) Clips of a larger earlier run with this seed stay where
    they are but are not returned.

    Parameters
    ----------
    folder : where to write; made when absent.
    seed : from 0.
    speakers : 1 to ``len(SPEAKERS)``, every second one female.
    sentences : 1 to ``len(SENTENCES)``.
    progress : wraps the list that the clips are made from, as `tqdm` does.

    Returns
    -------
    speakers × sentences × ``len(STYLES)`` clips, in order of their paths, as `read` gives them.

    Raises
    ------
    UserError
        A number out of range, or a folder that cannot be written.
    """
    for what, value, low, high in (
        ("seed", seed, 0, 2**63 - 1),
        ("speakers", speakers, 1, len(SPEAKERS)),
        ("sentences", sentences, 1, len(SENTENCES)),
    ):
        if not low <= value <= high:
            raise UserError(f"synthetic corpus: {what} is {value}: give {low} to {high}")
    folder = Path(folder)
    try:
        _claim(folder, seed)
        return _write_missing(folder, seed, speakers, sentences, progress)
    except OSError as error:
        raise UserError(
            f"{error.filename or folder}: the synthetic corpus cannot be kept here "
            f"({error.strerror or error}); choose another folder"
        ) from None


def _claim(folder: Path, seed: int) -> None:
    """Mark the folder as this seed's, removing the clips of any other."""
    marker = {"version": VERSION, "seed": seed, "praat": parselmouth.PRAAT_VERSION}
    path = folder / MARKER
    with suppress(FileNotFoundError, ValueError):
        if json.loads(path.read_text(encoding="utf-8")) == marker:
            return
    # The marker changes last: interrupted here, the next run removes the rest.
    for clip in read(folder):
        clip.path.unlink()
    with replacing(path) as file:
        file.write(json.dumps(marker) + "\n")


def _write_missing(
    folder: Path,
    seed: int,
    speakers: int,
    sentences: int,
    progress: Callable[[list], Iterable],
) -> list[Clip]:
    wanted = [
        (speaker, sentence, emotion)
        for speaker in SPEAKERS[:speakers]
        for sentence in list(SENTENCES)[:sentences]
        for emotion in STYLES
    ]
    spoken: dict[tuple[str, str], np.ndarray] = {}
    utterance: _Utterance | None = None
    clips = []
    for speaker, sentence, emotion in progress(wanted):
        path = folder / speaker.name / f"{speaker.name}_{sentence}_{emotion}.wav"
        if not _complete(path):
            if not spoken:
                spoken = _speak_apart(speakers)
            if utterance is None or utterance.key != (speaker.name, sentence):
                utterance = _Utterance(speaker, sentence, spoken[speaker.name, sentence])
            rng = _generator(seed, speaker.name, sentence, emotion)
            samples = _render(utterance, _draw(STYLES[emotion], rng), rng)
            with replacing(path, "wb") as file:
                file.write(_wav(samples))
        clips.append(Clip(path, NAME, speaker.name, speaker.name[0], emotion, sentence))
    return sorted(clips, key=lambda clip: clip.path)


def _generator(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that depend on the seed and the clip, not on the clips before it."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


# ---- files ------------------------------------------------------------------------------------


def _wav(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _complete(path: Path) -> bool:
    """Whether `path` is a RIFF file as long as its header says (a crash may cut one short)."""
    try:
        with path.open("rb") as file:
            head, size = file.read(8), file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        return False
    return head[:4] == b"RIFF" and int.from_bytes(head[4:], "little") + len(head) == size


# ---- the synthesiser --------------------------------------------------------------------------


def _speak_apart(speakers: int) -> dict[tuple[str, str], np.ndarray]:
    """All sentences of the first `speakers` voices, as the synthesiser speaks them.

    Praat's synthesiser carries state from one sentence to the next, for the life of the process: the
    same words come out a little different each time. A process of its own that always speaks
    the same sentences in the same order makes them the same.
    """
    root = str(Path(__file__).resolve().parents[2])
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "from speech_emotion.corpora.synthetic import _speak; _speak(int(sys.argv[2]), sys.argv[3])"
    )
    with tempfile.TemporaryDirectory() as scratch:
        spoken = str(Path(scratch, "spoken.npz"))
        command = [sys.executable, "-c", code, root, str(speakers), spoken]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
            raise UserError(
                f"{scratch}: the speech synthesiser could not work there ({reason}); "
                "free space or set TMPDIR to another folder"
            ) from None
        with np.load(spoken) as arrays:
            return {tuple(key.split()): arrays[key] for key in arrays.files}


def _speak(speakers: int, out: str) -> None:
    """In the process of its own: write float32 waveforms keyed "<speaker> <sentence>"."""
    spoken = {}
    for speaker in SPEAKERS[:speakers]:
        synthesiser = call("Create SpeechSynthesizer", "English (America)", speaker.voice)
        for code, text in SENTENCES.items():
            _, sound = call(synthesiser, "To Sound", text, "yes")
            spoken[f"{speaker.name} {code}"] = sound.values[0].astype(np.float32)
    np.savez(out, **spoken)


class _Utterance:
    """A sentence as one voice speaks it, analysed once for all emotions."""

    def __init__(self, speaker: Speaker, sentence: str, spoken: np.ndarray) -> None:
        self.speaker = speaker
        self.sentence = sentence
        self.key = (speaker.name, sentence)
        loud = np.flatnonzero(np.abs(spoken) > 0.01 * np.abs(spoken).max())
        # Played faster, formants and F0 rise together; the tiers then set F0 and duration anew.
        self.rate = _ESPEAK_RATE * speaker.formants
        sound = parselmouth.Sound(
            spoken[loud[0] : loud[-1] + 1].astype(np.float64), sampling_frequency=self.rate
        )
        self.seconds = sound.duration
        low, high = (120.0, 400.0) if speaker.name[0] == "f" else (60.0, 250.0)
        pitch = sound.to_pitch_ac(time_step=0.005, pitch_floor=low, pitch_ceiling=high)
        f0 = pitch.selected_array["frequency"]
        self.times = pitch.xs()[f0 > 0]  # s, of voiced frames
        semitones = 12 * np.log2(f0[f0 > 0])
        self.semitones = semitones - np.median(semitones)
        self.manipulation = call(sound, "To Manipulation", 0.01, low, high)


# ---- one clip ---------------------------------------------------------------------------------


def _render(utterance: _Utterance, style: Style, rng: np.random.Generator) -> np.ndarray:
    """One clip in exactly this style: int16 samples at `RATE`."""
    speaker = utterance.speaker
    speech, pulses = _resynthesise(utterance, style, rng)
    shimmer = speaker.shimmer * style.shimmer * rng.standard_normal(len(pulses))
    # One gain per period, held for most of it, then gliding to the next.
    held = np.stack([pulses, pulses + 0.7 * np.diff(pulses, append=pulses[-1] + 0.005)], axis=1)
    gain = np.interp(np.arange(len(speech)) / RATE, held.ravel(), np.repeat(shimmer, 2))
    speech *= 10 ** (gain / 20)
    speech = _tilted(speech, style.tilt)
    speech += _aspiration(speech, speaker.breath + style.breath, rng)
    speech *= 10 ** ((-32 + speaker.level + style.level) / 20) / _active_rms(speech)
    before, after = (int(RATE * rng.uniform(0.1, 0.3)) for _ in range(2))
    clip = np.pad(speech, (before, after))
    clip += _room(len(clip), rng)
    clip *= min(1.0, 0.98 / np.abs(clip).max())
    return np.round(32767 * clip).astype(np.int16)


def _draw(style: Style, rng: np.random.Generator) -> Style:
    """The style of one clip: more or less of the emotion, and chance."""
    share = rng.uniform(*EXPRESSION)
    ratios = ("span", "rate", "jitter", "shimmer")
    values = {}
    for name, spread in vars(VARIATION).items():
        chance = spread * rng.standard_normal()
        if name in ratios:
            values[name] = getattr(style, name) ** share * math.exp(chance)
        else:
            values[name] = getattr(style, name) * share + chance
    return Style(**values)


def _resynthesise(
    utterance: _Utterance, style: Style, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The sentence with new F0, jitter and timing: samples at `RATE`, times of the periods in s."""
    speaker = utterance.speaker
    # Timing: a rate for the clip, and a little unevenness along it.
    knots = np.linspace(0, utterance.seconds, 5)
    stretch = speaker.formants / (speaker.rate * style.rate)
    stretch *= np.exp(0.06 * rng.standard_normal(len(knots)))
    grid = np.linspace(0, utterance.seconds, 401)
    local = np.interp(grid, knots, stretch)
    warped = np.concatenate([[0], np.cumsum((local[1:] + local[:-1]) / 2 * np.diff(grid))])

    # Intonation, in semitones around the speaker's median.
    along = utterance.times / utterance.seconds
    semitones = style.pitch + style.span * utterance.semitones
    semitones += style.ending * np.clip(3 * along - 2, 0, 1)
    semitones += 0.5 * np.interp(along, np.linspace(0, 1, 6), rng.standard_normal(6))
    f0 = np.clip(speaker.f0 * 2 ** (semitones / 12), *_F0_LIMITS)

    # One pitch point for every period, each with its own random departure: jitter.
    pulses = _periods(np.interp(utterance.times, grid, warped), f0)
    points = np.interp(pulses, warped, grid)
    jitter = speaker.jitter * style.jitter * rng.standard_normal(len(pulses))
    jittered = np.interp(points, utterance.times, f0) * (1 + np.clip(jitter, -0.2, 0.2))

    pitch_tier = call("Create PitchTier", "f0", 0, utterance.seconds)
    for time, value in zip(points, jittered, strict=True):
        call(pitch_tier, "Add point", time, value)
    duration_tier = call("Create DurationTier", "timing", 0, utterance.seconds)
    for time, value in zip(knots, stretch, strict=True):
        call(duration_tier, "Add point", time, value)
    call([utterance.manipulation, pitch_tier], "Replace pitch tier")
    call([utterance.manipulation, duration_tier], "Replace duration tier")
    # Praat draws random numbers where it lengthens or shortens voiceless stretches.
    run(f"random_initializeWithSeedUnsafelyButPredictably ({rng.integers(2**31)})")
    sound = call(utterance.manipulation, "Get resynthesis (overlap-add)")
    run("random_initializeSafelyAndUnpredictably ()")
    return soxr.resample(sound.values[0], utterance.rate, RATE), pulses


def _periods(times: np.ndarray, f0: np.ndarray) -> np.ndarray:
    """Times in s that step through the voiced frames one period at a time."""
    pulses = [times[0]]
    while pulses[-1] < times[-1]:
        pulses.append(pulses[-1] + 1 / np.interp(pulses[-1], times, f0))
    return np.array(pulses)


def _aspiration(speech: np.ndarray, level: float, rng: np.random.Generator) -> np.ndarray:
    """White noise with the speech's own short-time envelope, `level` dB relative to the speech."""
    size, hop = 512, 128
    window = np.hanning(size + 1)[:-1]
    padded = np.pad(speech, (size, 2 * size))
    starts = np.arange(0, len(padded) - size, hop)
    frames = starts[:, None] + np.arange(size)
    spectrum = np.abs(np.fft.rfft(padded[frames] * window))
    # Averaged over 500 Hz, harmonics give way to the envelope.
    kernel = np.hanning(35)[1:-1]
    kernel /= kernel.sum()
    envelope = np.apply_along_axis(np.convolve, 1, spectrum, kernel, "same")
    # Turbulence is flatter than the voice: the envelope, raised by 6 dB per octave up to 4 kHz.
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    envelope *= np.minimum(frequency, 4000) / 4000
    noise = rng.standard_normal(len(padded))
    shaped = np.fft.irfft(np.fft.rfft(noise[frames] * window) * envelope) * window
    out = np.zeros(len(padded))
    np.add.at(out, frames, shaped)
    out = out[size : size + len(speech)]
    return out * 10 ** (level / 20) * np.sqrt(np.mean(speech**2) / np.mean(out**2))


def _tilted(speech: np.ndarray, tilt: float) -> np.ndarray:
    """Spectral slope changed by `tilt` dB per octave above 500 Hz."""
    frequency = np.fft.rfftfreq(len(speech), 1 / RATE)
    octaves = np.log2(np.maximum(frequency, 500) / 500)
    return np.fft.irfft(np.fft.rfft(speech) * 10 ** (tilt * octaves / 20), len(speech))


def _active_rms(speech: np.ndarray) -> float:
    """RMS over the 10 ms frames within 30 dB of the loudest."""
    power = np.mean(speech[: len(speech) // 160 * 160].reshape(-1, 160) ** 2, axis=1)
    return math.sqrt(np.mean(power[power > 1e-3 * power.max()]))


def _room(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Background noise falling by 3 dB per octave, -70 to -62 dB full scale."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / RATE)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(frequency, 50)), samples)
    return noise * 10 ** (rng.uniform(-70, -62) / 20) / np.sqrt(np.mean(noise**2))
