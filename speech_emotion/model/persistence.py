"""Models on disk: models/<name>.joblib, a pickle that only `load` here should read, and <name>.json.

`save` strips what prediction does not need and writes nothing that `load` would refuse. `load` trusts
neither file: checksum, schema and versions first, then a pickle that may build the parts of a model and
nothing else (`unpickling`).
"""

import copyreg
import hashlib
import io
import json
import pickle
import platform
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from speech_emotion.errors import UserError
from speech_emotion.features import engines, schema
from speech_emotion.files import replacing
from speech_emotion.model import unpickling

_AGAIN = "train it again with train.py"
_PACKAGES = ("scikit-learn", "numpy", "scipy", "joblib")
_TRAINING_ONLY = {
    "MLPClassifier": ("_optimizer", "_random_state", "_best_coefs", "_best_intercepts"),
}
"""Attributes that no prediction reads; a network's are three times the size of its weights."""


@dataclass(frozen=True)
class Model:
    """A fitted pipeline and what it takes and gives. `info` is the JSON that lies beside it."""

    pipeline: object
    info: dict

    @property
    def labels(self) -> list[str]:
        """The emotions, in the order of the probabilities."""
        return self.info["labels"]

    @property
    def columns(self) -> list[str]:
        """The columns that the model uses, in schema order."""
        return self.info["columns"]

    @property
    def engine(self) -> str:
        """The engine that measured its training clips: "reference" or "device"."""
        return self.info["engine"]

    @property
    def threshold(self) -> float:
        """Confidence under which its answer is "uncertain"; 0 for never."""
        return self.info.get("threshold", 0.0)

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """vectors: float32 (n, len(schema.COLUMNS)). Returns float64 (n, labels); a row sums to 1
        as exactly as float32, in which some estimators work, can tell."""
        if vectors.ndim != 2 or vectors.shape[1] != len(schema.COLUMNS):
            raise ValueError(f"(n, {len(schema.COLUMNS)}) expected, not {vectors.shape}")
        places = [_PLACES[column] for column in self.columns]
        return np.asarray(self.pipeline.predict_proba(vectors[:, places]), np.float64)


_PLACES = {column: place for place, column in enumerate(schema.COLUMNS)}


def info_path(path: str | Path) -> Path:
    """models/model.joblib -> models/model.json"""
    return Path(path).with_suffix(".json")


def save(pipeline, path: str | Path, info: dict) -> None:
    """Write the pipeline to `path` and what is known about it beside it.

    info: `labels`, `columns`, `engine`, optionally `threshold`, and any facts worth keeping (plain
    data); checksum, schema and versions are added. Raises ValueError for what `load` would refuse.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=5).dump(pipeline)
    data = buffer.getvalue()
    versions = {name: version(name) for name in _PACKAGES}
    info = info | {
        "schema": schema.HASH,
        "sha256": hashlib.sha256(data).hexdigest(),
        "versions": {"python": platform.python_version(), **versions},
    }
    try:
        problem = _problem_of(unpickling.loads(data), info)
    except unpickling.Refused as refused:
        raise ValueError(f"a model file may not hold {refused}; see unpickling.py") from None
    if problem:
        raise ValueError(problem)
    with replacing(path, "wb") as file, replacing(info_path(path)) as sidecar:
        file.write(data)
        file.flush()
        json.dump(info, sidecar, indent=1)
        sidecar.write("\n")


class _Pickler(pickle.Pickler):
    def reducer_override(self, instance):
        dropped = _TRAINING_ONLY.get(type(instance).__name__)
        if dropped is None:
            return NotImplemented
        state = {k: v for k, v in instance.__getstate__().items() if k not in dropped}
        return copyreg.__newobj__, (type(instance),), state


def load(path: str | Path) -> Model:
    """Read a model that `save` wrote.

    Raises UserError, in one line that names the file, the value and the remedy, for anything else: a file
    that is missing, damaged, no model, of another schema or scikit-learn, or that would run code. Another
    patch release of scikit-learn is a warning.
    """
    path = Path(path)
    data = _read(path)
    info = _read_info(path)
    found = hashlib.sha256(data).hexdigest()
    if found != info["sha256"]:
        raise UserError(
            f"{path}: truncated or changed, sha256 {found[:12]}... is not {info['sha256'][:12]}... of "
            f"{info_path(path).name}; copy both files again or {_AGAIN}"
        )
    if info["schema"] != schema.HASH:
        raise UserError(
            f"{path}: model of schema {info['schema']}, this program's is {schema.HASH}; {_AGAIN}"
        )
    _compare_version(path, info["versions"]["scikit-learn"])
    try:
        pipeline = unpickling.loads(data)
        problem = _problem_of(pipeline, info)
    except unpickling.Refused as refused:
        raise UserError(
            f"{path}: holds {refused}, which is no part of a model; refused, nothing of it was run. "
            "Use only models that train.py wrote"
        ) from None
    except Exception as error:  # damaged bytes may raise anything at all
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise UserError(f"{path}: not a model that train.py wrote ({reason}); {_AGAIN}") from None
    if problem:
        raise UserError(f"{path}: {problem}; {_AGAIN}")
    return Model(pipeline, info)


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise UserError(f"{path}: is a directory; name the model.joblib in it")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such model; make it with train.py") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    # every pickle since protocol 2 starts so; joblib's compressed files do not
    if not data.startswith(b"\x80"):
        raise UserError(f"{path}: not a model file; name a model.joblib that train.py wrote")
    return data


def _read_info(path: Path) -> dict:
    sidecar = info_path(path)
    try:
        info = json.loads(sidecar.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"{sidecar}: missing; it says what {path.name} is. Copy it too, or {_AGAIN}"
        ) from None
    except OSError as error:
        raise UserError(f"{sidecar}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise UserError(f"{sidecar}: not JSON; copy it again or {_AGAIN}") from None
    if problem := _problem_of_info(info):
        raise UserError(f"{sidecar}: {problem}; copy it again or {_AGAIN}")
    return info


def _problem_of_info(info) -> str | None:
    """What is wrong with the facts beside a model, or None."""
    if not isinstance(info, dict):
        return "not the facts of a model"
    for key, kind in _KEYS.items():
        if key not in info:
            return f"'{key}' is missing"
        if not isinstance(info[key], kind):
            return f"'{key}' is {str(info[key])[:40]!r}"
    if not isinstance(info["versions"].get("scikit-learn"), str):
        return "'versions' does not name scikit-learn"
    for key in ("labels", "columns"):
        values = info[key]
        if not values or any(not isinstance(value, str) for value in values):
            return f"'{key}' is not a list of names"
        if len(set(values)) < len(values):
            return f"'{key}' names one twice"
    if info["engine"] not in engines.NAMES:
        return f"'engine' is {info['engine']!r}, not one of {', '.join(engines.NAMES)}"
    threshold = info.get("threshold", 0)
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        return f"'threshold' is {threshold!r}, not a number"
    if not 0 <= threshold <= 1:
        return f"'threshold' is {threshold}, not from 0 to 1"
    return None


_KEYS = {
    "sha256": str, "schema": str, "labels": list, "columns": list, "engine": str, "versions": dict,
}  # fmt: skip


def _compare_version(path, trained_with):
    here = version("scikit-learn")
    if trained_with == here:
        return
    if trained_with.split(".")[:2] != here.split(".")[:2]:
        raise UserError(
            f"{path}: trained with scikit-learn {trained_with}, here is {here}; "
            f"install scikit-learn {trained_with} or {_AGAIN}"
        )
    warnings.warn(f"{path}: trained with scikit-learn {trained_with}, here is {here}", stacklevel=3)


def _problem_of(pipeline, info) -> str | None:
    """Why the pipeline does not fit the facts beside it, or None."""
    if problem := _problem_of_info(info):
        return problem
    unknown = [column for column in info["columns"] if column not in _PLACES]
    if unknown:
        return f"column '{unknown[0]}' is not in the schema"
    if info["columns"] != sorted(info["columns"], key=_PLACES.get):
        return "columns are not in schema order"
    if not hasattr(pipeline, "predict_proba"):
        return f"a {type(pipeline).__name__} gives no probabilities"
    takes, gives = getattr(pipeline, "n_features_in_", None), getattr(pipeline, "classes_", ())
    if takes != len(info["columns"]):
        return f"the pipeline takes {takes} columns, {len(info['columns'])} are named"
    if list(gives) != info["labels"]:
        return f"the pipeline tells {', '.join(map(str, gives))} apart, not {', '.join(info['labels'])}"
    trial = pipeline.predict_proba(np.zeros((1, takes), np.float32))
    if trial.shape != (1, len(gives)) or not np.isfinite(trial).all():
        return "its probabilities are no probabilities"
    return None
