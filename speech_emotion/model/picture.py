"""The picture of one prediction: the sound, its mel spectrogram, F0 and intensity, the probabilities.

Colours are Okabe and Ito's (2008) and matplotlib's magma, told apart with any colour vision and in grey.
"""

from pathlib import Path

import numpy as np
import parselmouth
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from speech_emotion.compiled import librosa
from speech_emotion.errors import UserError
from speech_emotion.features import reference, schema
from speech_emotion.features.audio import FULL_SCALE, block_dc
from speech_emotion.features.schema import FRAME, HOP, SAMPLE_RATE
from speech_emotion.files import replacing
from speech_emotion.model.recognition import Prediction

FORMATS = ("png", "pdf", "svg")
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#8C8C8C"
_DECIBELS = 70  # below the loudest band, the darkest colour


def paths(out: Path, count: int) -> list[Path]:
    """Where the pictures go: `out`, or out-1, out-2, ... for several clips. UserError: no such format."""
    if out.suffix.lower().removeprefix(".") not in FORMATS:
        raise UserError(f"--plot {out}: the name must end in .{', .'.join(FORMATS)}")
    if count == 1:
        return [out]
    digits = len(str(count))
    return [out.with_stem(f"{out.stem}-{i:0{digits}d}") for i in range(1, count + 1)]


def save(figure: Figure, path: Path) -> None:
    """Write the picture, whole or not at all."""
    with replacing(path, "wb") as file:
        figure.savefig(file, format=path.suffix.lower().removeprefix("."), dpi=130)


def draw(samples: np.ndarray, prediction: Prediction) -> Figure:
    """Four panels, the first three over the same time. samples: int16 (n,) from `audio.load`."""
    figure = Figure(figsize=(9, 10.5), layout="constrained")
    waveform, spectrogram, contours, bars = figure.subplots(
        4, 1, height_ratios=(1, 1.6, 1.5, 0.25 * len(prediction.probabilities) + 0.2)
    )
    verdict = "no speech"
    if prediction.emotion is not None:
        verdict = "uncertain, perhaps " * prediction.uncertain + prediction.emotion
        verdict += f", {_percent(prediction.confidence)}"
    figure.suptitle(f"{_short(Path(prediction.file).name)}: {verdict}", size=14)
    samples = block_dc(samples)
    seconds = len(samples) / SAMPLE_RATE
    _draw_waveform(waveform, samples)
    _draw_mel(spectrogram, samples)
    _draw_contours(contours, samples)
    _draw_probabilities(bars, prediction)
    for ax in (waveform, spectrogram, contours):
        ax.set_xlim(0, seconds)
    for ax in (waveform, spectrogram):
        ax.tick_params(labelbottom=False)
    contours.set_xlabel("time (s)")
    return figure


def _short(name, longest=60):
    # a $ would start mathematics
    name = name.encode(errors="replace").decode().replace("$", r"\$")
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _percent(fraction):
    return f"{100 * fraction:.1f} %"


def _draw_waveform(ax, samples):
    time = np.arange(len(samples)) / SAMPLE_RATE
    ax.plot(time, samples / FULL_SCALE, color=BLUE, linewidth=0.5)
    peak = max(np.abs(samples / FULL_SCALE).max(), 0.001)
    ax.set_ylim(-1.05 * peak, 1.05 * peak)
    ax.set_ylabel("amplitude\n(1 = full scale)")
    _plain(ax)


def _draw_mel(ax, samples):
    """The mel levels of the feature vector, on its own frames."""
    level = librosa.power_to_db(
        librosa.feature.melspectrogram(
            y=(samples / FULL_SCALE).astype(np.float32), sr=SAMPLE_RATE, n_fft=FRAME, hop_length=HOP,
            n_mels=schema.MELS, center=False,
        ),
        amin=schema.POWER_FLOOR, top_db=None,
    )  # fmt: skip
    # a frame is drawn as one hop around its centre
    start, end = ((FRAME - HOP) / 2 + HOP * np.array([0, level.shape[1]])) / SAMPLE_RATE
    image = ax.imshow(
        level, origin="lower", aspect="auto", cmap="magma", interpolation="nearest",
        extent=(start, end, -0.5, schema.MELS - 0.5), vmin=level.max() - _DECIBELS,
    )  # fmt: skip
    centres = librosa.mel_frequencies(schema.MELS + 2, fmax=SAMPLE_RATE / 2)[1:-1]
    ticks = [250, 500, 1000, 2000, 4000]
    ax.set_yticks(
        np.interp(ticks, centres, np.arange(schema.MELS)), [str(hertz) for hertz in ticks]
    )
    ax.set_ylabel("mel bands\n(centre, Hz)")
    ax.set_facecolor("black")
    beside = ax.inset_axes((1.012, 0, 0.014, 1))
    ax.figure.colorbar(image, cax=beside, label="level (dB)")


def _draw_contours(ax, samples):
    """F0 where voiced, and intensity, both by Praat as the reference engine asks it."""
    sound = parselmouth.Sound(samples / FULL_SCALE, SAMPLE_RATE)
    pitch = reference.to_pitch(sound)
    frequency = pitch.selected_array["frequency"]
    frequency[frequency == 0] = np.nan  # unvoiced: a gap
    ax.plot(pitch.xs(), frequency, color=BLUE, marker="o", markersize=2.5, linewidth=1)
    ax.set_yscale("log")
    ax.set_ylim(schema.PITCH_FLOOR, schema.PITCH_CEILING)
    between = [hertz for hertz in (100, 150, 200, 300, 400) if hertz > schema.PITCH_FLOOR]
    ticks = [schema.PITCH_FLOOR, *between, schema.PITCH_CEILING]
    ax.set_yticks([hertz for hertz in ticks if hertz <= schema.PITCH_CEILING])
    ax.yaxis.set_major_formatter(FuncFormatter(lambda hertz, _: f"{hertz:.0f}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_ylabel("F0 (Hz), dots", color=BLUE)
    ax.grid(axis="y", alpha=0.3)
    if np.isnan(frequency).all():
        ax.text(0.5, 0.5, "no voiced frame", transform=ax.transAxes, ha="center", color=BLUE)

    intensity = sound.to_intensity(schema.PITCH_FLOOR, HOP / SAMPLE_RATE, subtract_mean=True)
    right = ax.twinx()
    level = np.maximum(intensity.values[0], schema.INTENSITY_FLOOR_DB)
    right.plot(intensity.xs(), level, color=VERMILION, linewidth=1.3, linestyle="--")
    right.set_ylabel("intensity (dB), dashed", color=VERMILION)
    for each in (ax, right):
        each.spines["top"].set_visible(False)


def _draw_probabilities(ax, prediction):
    if not prediction.speech:
        ax.set_axis_off()
        ax.text(0, 0.5, f"no speech: {prediction.silence}")
        return
    labels, values = list(prediction.probabilities), list(prediction.probabilities.values())
    colours = [BLUE if label == prediction.emotion else GREY for label in labels]
    places = np.arange(len(labels))
    ax.barh(places, values, color=colours, height=0.7)
    for place, label, value in zip(places, labels, values, strict=True):
        weight = "bold" if label == prediction.emotion else "normal"
        ax.text(value + 0.008, place, _percent(value), va="center", weight=weight)
    ax.set_yticks(places, labels)
    ax.invert_yaxis()
    ax.set_xlim(0, 1.1)
    ax.set_xticks(np.linspace(0, 1, 6), [f"{percent} %" for percent in range(0, 101, 20)])
    ax.set_xlabel("probability")
    if prediction.threshold > 0:
        ax.axvline(prediction.threshold, color="black", linestyle=":", linewidth=1.2)
        above = ax.get_xaxis_transform()
        ax.text(prediction.threshold, 1.01, "threshold", transform=above, ha="center", size=8)
    _plain(ax)


def _plain(ax):
    ax.spines[["top", "right"]].set_visible(False)
