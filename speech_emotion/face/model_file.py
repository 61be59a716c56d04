"""A face model on disk: <name>.joblib, numbers and nothing else, and <name>.json, what they are.

The same container and declarations of numbers as the voice's models (`model.archive`, `model.parts`); a
format of its own, so that neither is ever taken for the other.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from speech_emotion import __version__
from speech_emotion.errors import UserError
from speech_emotion.face import features
from speech_emotion.files import replacing
from speech_emotion.model import archive, facts, parts
from speech_emotion.model.persistence import info_path

FORMAT = "speech-emotion-face/1"
_AGAIN = "train it again with python -m face train"
_CODE = Path(features.__file__)


class FaceFacts(BaseModel):
    """What the JSON says. features: a number for the code that makes them; a model of other features is
    refused. threshold: confidence under which an answer is "uncertain"."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True, extra="ignore")

    format: Literal["speech-emotion-face/1"]
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    features: str = Field(pattern="^[0-9a-f]{16}$")
    labels: list[str] = Field(min_length=2, max_length=16)
    threshold: float = Field(ge=0, le=1)
    about: str = Field(default="", max_length=10_000)
    scores: dict[str, float] = Field(default={}, max_length=100)


class _Description(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True, extra="forbid")

    format: Literal["speech-emotion-face/1"]
    labels: list[str] = Field(min_length=2, max_length=16)
    steps: list[facts.Step] = Field(min_length=1, max_length=8)


@dataclass(frozen=True)
class FaceModel:
    """A fitted pipeline from `features.features` to probabilities."""

    pipeline: Any
    labels: tuple[str, ...]
    threshold: float
    number: int
    """32 bits that name it, for messages."""
    about: str = ""
    """What it learnt from and how well, in words."""

    def probabilities(self, faces: np.ndarray) -> np.ndarray:
        """faces: uint8 (n, SIDE, SIDE). Returns float32 (n, labels)."""
        return np.asarray(self.pipeline.predict_proba(features.features(faces)), np.float32)


def features_number() -> str:
    """16 hexadecimal digits that change with the definition of the features."""
    settings = (
        features.SIDE, features.CELL, features.BINS, features.UNIT, features.CLIP, features.COLUMNS
    )  # fmt: skip
    pattern = np.arange(features.SIDE**2, dtype=np.int64).reshape(1, features.SIDE, -1)
    trial = features.features(((pattern * 7919 // 13) % 256).astype(np.uint8))
    return hashlib.sha256(repr(settings).encode() + trial.tobytes()).hexdigest()[:16]


def save(
    pipeline, path: Path, *, labels: list[str], threshold: float, about: str, scores: dict
) -> None:
    """Write both files. The same model gives the same bytes."""
    description, arrays = parts.take_apart(pipeline)
    document = json.dumps({"format": FORMAT} | description, separators=(",", ":"), allow_nan=False)
    data = archive.write(document.encode(), arrays)
    info = {
        "format": FORMAT, "sha256": hashlib.sha256(data).hexdigest(),
        "features": features_number(), "labels": labels, "threshold": threshold, "about": about,
        "scores": scores, "version": __version__,
    }  # fmt: skip
    FaceFacts.model_validate(info)
    with replacing(path, "wb") as file, replacing(info_path(path)) as sidecar:
        file.write(data)
        sidecar.write(json.dumps(info, indent=1, ensure_ascii=False) + "\n")


def load(path: Path) -> FaceModel:
    """Read what `save` wrote. UserError, one line, for anything else."""
    path = Path(path)
    info = _facts(info_path(path), path)
    data = _bytes(path, archive.MAX_BYTES)
    if hashlib.sha256(data).hexdigest() != info.sha256:
        raise UserError(
            f"{path}: truncated or changed, its checksum is not that of {info_path(path).name}; copy both "
            f"files again or {_AGAIN}"
        )
    if info.features != features_number():
        raise UserError(f"{path}: a model of other features than this program's; {_AGAIN}")
    try:
        document, arrays = archive.read(data)
        description = _Description.model_validate_json(document)
        if description.labels != info.labels:
            raise parts.Unfit("its labels are not those of its JSON")
        pipeline = parts.put_together(
            description.steps, description.labels, features.COLUMNS, arrays
        )
        trial = pipeline.predict_proba(np.zeros((1, features.COLUMNS), np.float32))
        if trial.shape != (1, len(info.labels)) or not abs(float(trial.sum()) - 1) < 1e-3:
            raise parts.Unfit("its answers are no probabilities")
    except (ValueError, archive.Damaged) as error:
        said = str(error).splitlines()[0]
        raise UserError(f"{path}: no face model ({said}); {_AGAIN}") from None
    return FaceModel(
        pipeline, tuple(info.labels), info.threshold, int(info.sha256[:8], 16), info.about
    )


def _facts(sidecar, path):
    try:
        return FaceFacts.model_validate_json(_bytes(sidecar, 2**20))
    except ValueError:
        raise UserError(
            f"{sidecar}: not the JSON of a face model; copy it again or {_AGAIN}"
        ) from None


def _bytes(path, most):
    try:
        if not path.is_file():
            raise UserError(f"{path}: no such face model; make it with python -m face train")
        if path.stat().st_size > most:
            raise UserError(f"{path}: {path.stat().st_size >> 20} MB; no face model")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
