"""A voice profile in a file: what `predictor.py --voice FILE` keeps from one call to the next.

The file is JSON. It names the model that it was learnt with, and what is of another model is forgotten, not
used. Sentences are learnt from in the order in which they come, those that hold speech.
"""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np

from speech_emotion.errors import UserError
from speech_emotion.files import replacing
from speech_emotion.model import profile as profiles
from speech_emotion.model.compiled import Answer, Library
from speech_emotion.model.persistence import Model

_KIND = "speech-emotion voice profile"
_MOST_BYTES = 1 << 20
"""A profile takes some kilobytes; whatever is larger is none."""


class Voice(ABC):
    """Whose voice is known, for one model. `remark`: what was found out when it was opened, or empty."""

    def __init__(self, path: Path):
        self.path = path
        self.remark = ""
        kept = _read(path)
        if kept is not None and not self._restore(kept):
            self.remark = f"{path}: learnt with another model, or damaged; it begins anew"

    @property
    @abstractmethod
    def known(self) -> int:
        """Sentences that the next answer stands on."""

    @abstractmethod
    def _restore(self, kept: dict) -> bool:
        """Take up what was kept; False if it is not this model's."""

    @abstractmethod
    def _kept(self) -> dict:
        """What is to be kept."""

    def save(self) -> None:
        """Keep what is known."""
        with replacing(self.path) as file:
            json.dump({"kind": _KIND, **self._kept()}, file)
            file.write("\n")


class VoiceOfModel(Voice):
    """For a model.joblib."""

    def __init__(self, path: Path, model: Model):
        self._model, self._scaler = model, model.pipeline[0]
        self._profile = self._scaler.profile()
        super().__init__(path)

    @property
    def known(self) -> int:
        return self._profile.stands_on

    def answer(self, vector: np.ndarray) -> np.ndarray:
        """A sentence's probabilities, (labels,), given against what is known; then it is learnt from. vector:
        float32 (columns,) in schema order."""
        rows = self._model.rows(vector[None])
        return profiles.sequence(self._model.pipeline, rows, self._profile)[0][0]

    def _kept(self):
        return self._profile.to_json(self._identity())

    def _restore(self, kept):
        found = profiles.Profile.from_json(kept, self._scaler.spread_, self._identity())
        self._profile = found or self._profile
        return found is not None

    def _identity(self):
        scaler = self._scaler
        return profiles.identity(self._model.columns, scaler.mean_, scaler.inverse_, scaler.spread_)


class VoiceOfLibrary(Voice):
    """For a generated library: the profile is the C code's own, as the chip keeps it."""

    def __init__(self, path: Path, library: Library):
        self._library = library
        self._state = library.nobody()
        super().__init__(path)

    @property
    def known(self) -> int:
        return self._library.known(self._state)

    def hear(self, samples: np.ndarray) -> Answer:
        """The library's answer to a clip, int16 (n,), which is then learnt from."""
        return self._library.answer(samples, self._state)

    def _kept(self):
        return {"state": base64.b64encode(self._state.tobytes()).decode()}

    def _restore(self, kept):
        try:
            state = np.frombuffer(base64.b64decode(kept.get("state", ""), validate=True), np.uint8)
        except (ValueError, TypeError):
            return False
        if not self._library.belongs(state):
            return False
        self._state = state.copy()
        return True


def open_voice(path: str | Path, model: Model | Library) -> VoiceOfModel | VoiceOfLibrary:
    """The voice that a file keeps, or nobody's where there is no such file.

    Raises UserError for a model that knows no voices, and for a file that is no profile: it stays as it is.
    """
    if isinstance(model, Library) and model.profile_columns:
        return VoiceOfLibrary(Path(path), model)
    if isinstance(model, Model) and profiles.knows_voices(model.pipeline):
        return VoiceOfModel(Path(path), model)
    raise UserError(
        f"--voice {path}: this model learns no voices; train one that does, such as voice_224"
    )


def _read(path):
    if not path.exists():
        return None
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError
        kept = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(kept, dict) or kept.get("kind") != _KIND:
            raise ValueError
    except (ValueError, RecursionError):
        raise UserError(f"--voice {path}: no voice profile; name another file") from None
    except OSError as error:
        raise UserError(f"--voice {path}: cannot be read ({error.strerror})") from None
    return kept
