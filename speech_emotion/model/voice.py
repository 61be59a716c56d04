"""A voice profile in a file: what `predictor.py --voice FILE` keeps from one call to the next.

The file is JSON. It names the model that it was learnt with, and what is of another model is forgotten, not
used. Sentences are learnt from in the order in which they come, those that hold speech.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

from speech_emotion.errors import UserError
from speech_emotion.files import replacing
from speech_emotion.model import profile as profiles
from speech_emotion.model.compiled import Library
from speech_emotion.model.persistence import Model

_KIND = "speech-emotion voice profile"
_MOST_BYTES = 1 << 20
"""A profile takes some kilobytes; whatever is larger is none."""


class Voice:
    """Whose voice is known, for one model. `remark` says what was found out when it was opened, or is empty.

    Raises UserError for a model that knows no voices, and for a file that is no profile: it stays as it is.
    """

    def __init__(self, path: str | Path, model: Model | Library):
        self.path, self._model = Path(path), model
        if isinstance(model, Library):
            knows = model.profile_columns > 0
        else:
            knows = profiles.knows_voices(model.pipeline)
        if not knows:
            raise UserError(
                f"--voice {path}: this model learns no voices; train one that does, such as voice_224"
            )
        kept = self._read()
        self._state = model.nobody() if isinstance(model, Library) else model.pipeline[0].profile()
        self.remark = ""
        if kept is not None and not self._restore(kept):
            self.remark = f"{path}: learnt with another model, or damaged; it begins anew"

    @property
    def known(self) -> int:
        """Sentences that the next answer stands on."""
        if isinstance(self._model, Library):
            return self._model.known(self._state)
        return self._state.stands_on

    def answer(self, vector: np.ndarray) -> np.ndarray:
        """A sentence's probabilities, (labels,), given against what is known; then it is learnt from. vector:
        float32 (columns,) in schema order."""
        if isinstance(self._model, Library):
            return self._model.sequence(vector[None], self._state)[0][0]
        rows = self._model.rows(vector[None])
        return profiles.sequence(self._model.pipeline, rows, self._state)[0][0]

    def hear(self, samples: np.ndarray):
        """A library's own answer to a clip: int16 (n,). See `Library.answer`."""
        return self._model.answer(samples, self._state)

    def save(self) -> None:
        """Keep what is known."""
        if isinstance(self._model, Library):
            state = base64.b64encode(self._state.tobytes()).decode()
            kept = {"kind": _KIND, "library": self._model.name, "state": state}
        else:
            kept = {"kind": _KIND, **self._state.to_json(self._identity())}
        with replacing(self.path) as file:
            json.dump(kept, file)
            file.write("\n")

    def _identity(self):
        scaler = self._model.pipeline[0]
        return profiles.identity(self._model.columns, scaler.mean_, scaler.inverse_, scaler.spread_)

    def _read(self):
        if not self.path.exists():
            return None
        try:
            if self.path.stat().st_size > _MOST_BYTES:
                raise ValueError
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(kept, dict) or kept.get("kind") != _KIND:
                raise ValueError
        except (ValueError, RecursionError):
            raise UserError(f"--voice {self.path}: no voice profile; name another file") from None
        except OSError as error:
            raise UserError(f"--voice {self.path}: cannot be read ({error.strerror})") from None
        return kept

    def _restore(self, kept):
        if not isinstance(self._model, Library):
            usual = self._model.pipeline[0].spread_
            found = profiles.Profile.from_json(kept, usual, self._identity())
        else:
            try:
                content = base64.b64decode(kept.get("state", ""), validate=True)
            except (ValueError, TypeError):
                return False
            found = np.frombuffer(content, np.uint8).copy()
            found = found if self._model.belongs(found) else None
        if found is None:
            return False
        self._state = found
        return True
