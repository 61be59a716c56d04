"""What emotions look like: of each one a clip's waveform, spectrogram and MFCCs, for a report or a lesson."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from speech_emotion import names
from speech_emotion.compiled import librosa
from speech_emotion.features import sentences
from speech_emotion.features.audio import FULL_SCALE
from speech_emotion.features.schema import HOP, SAMPLE_RATE

_FFT, _MELS, _MFCCS = 512, 40, 20  # as the features': features/schema.py


def choose(
    paths: Sequence[str], emotions: Sequence[str], seconds: Sequence[float]
) -> dict[str, str]:
    """Of each emotion the clip of the most usual length: emotion -> path."""
    found = {}
    lengths = np.asarray(seconds, float)
    for emotion in sorted(set(emotions)):
        mine = [i for i, each in enumerate(emotions) if each == emotion]
        usual = np.median(lengths[mine])
        found[emotion] = paths[min(mine, key=lambda i: (abs(lengths[i] - usual), paths[i]))]
    return found


def draw(clips: dict[str, str], root: Path) -> Figure:
    """A row per emotion: waveform; spectrogram in dB, up to 8 kHz; MFCCs 1 to 20. clips: emotion -> path
    below `root`. All rows have one scale of time and level, so that they can be compared. UserError for a
    clip that cannot be read."""
    sounds = {emotion: sentences.load(root / path) / FULL_SCALE for emotion, path in clips.items()}
    longest = max(len(sound) for sound in sounds.values()) / SAMPLE_RATE
    highest = max(float(np.abs(sound).max()) for sound in sounds.values())
    figure, axes = plt.subplots(
        len(sounds), 3, figsize=(11, 1.7 * len(sounds) + 0.6), squeeze=False, sharex=True
    )
    for row, (emotion, sound) in zip(axes, sounds.items(), strict=True):
        wave, spectrum, cepstrum = row
        wave.plot(
            np.arange(len(sound)) / SAMPLE_RATE,
            sound,
            color="#4477aa",
            linewidth=0.3,
            rasterized=True,
        )
        wave.set(ylim=(-highest, highest), ylabel=names.terminal(emotion), xlim=(0, longest))
        power = np.abs(librosa.stft(sound, n_fft=_FFT, hop_length=HOP)) ** 2
        extent = (0, power.shape[1] * HOP / SAMPLE_RATE, 0, SAMPLE_RATE / 2000)
        spectrum.imshow(10 * np.log10(power + 1e-10), origin="lower", aspect="auto", cmap="magma",
                        vmin=-70, vmax=20, extent=extent)  # fmt: skip
        spectrum.set(ylabel="kHz")
        mel = librosa.feature.melspectrogram(
            y=sound, sr=SAMPLE_RATE, n_fft=_FFT, hop_length=HOP, n_mels=_MELS
        )
        mfcc = librosa.feature.mfcc(S=10 * np.log10(mel + 1e-10), n_mfcc=_MFCCS)
        cepstrum.imshow(mfcc[1:], origin="lower", aspect="auto", cmap="coolwarm", vmin=-80, vmax=80,
                        extent=(extent[0], extent[1], 0.5, _MFCCS - 0.5))  # fmt: skip
        cepstrum.set(ylabel="MFCC")
    for ax, title in zip(axes[0], ("waveform", "spectrogram", "MFCC 1 to 19"), strict=True):
        ax.set_title(title)
    for ax in axes[-1]:
        ax.set_xlabel("s")
    figure.tight_layout()
    return figure
