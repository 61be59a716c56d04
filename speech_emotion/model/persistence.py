"""Models on disk: models/<name>.joblib, numbers and nothing else, and models/<name>.json, what they are.

The name's ending is a custom among scikit-learn's users; the file is no pickle and cannot hold code
(`archive`). What its numbers are for, and which of them are possible, says `parts`; what a JSON may say,
`facts`. `load` trusts neither file: sizes, checksum, schema and versions first, then the numbers, each
checked before anything is made of it.
"""

import hashlib
import json
import platform
import stat
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from speech_emotion import __version__
from speech_emotion.errors import UserError, shown
from speech_emotion.features import schema
from speech_emotion.files import replacing
from speech_emotion.model import archive, parts
from speech_emotion.model.facts import FORMAT, MAX_FACTS, Description, Facts, Wrong
from speech_emotion.model.facts import read as read_json

_AGAIN = "train it again with train.py"
_PACKAGES = ("scikit-learn", "numpy", "scipy")
_PICKLES = (
    b"\x80", b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"\x1f\x8b", b"BZh", b"\xfd7zXZ",
    b"\x5d\x00\x00", b"\x04\x22\x4d\x18",
)  # fmt: skip
"""How pickles begin, and joblib's compressed ones."""
_TRIALS = (0.0, 1e6, -1e6)  # a row of each must get an answer


@dataclass(frozen=True)
class Model:
    """A fitted pipeline and what it takes and gives. `info` is the JSON that lies beside it, as far as
    `facts.Facts` knows it."""

    pipeline: Pipeline
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
        as exactly as float32, in which some estimators work, can tell. UserError where one does not."""
        return _probabilities(self.pipeline, self.rows(vectors))

    def rows(self, vectors: np.ndarray) -> np.ndarray:
        """The columns that the model takes, (n, columns), of vectors, float32 (n, len(schema.COLUMNS))."""
        if vectors.ndim != 2 or vectors.shape[1] != len(schema.COLUMNS):
            raise ValueError(f"(n, {len(schema.COLUMNS)}) expected, not {vectors.shape}")
        return vectors[:, schema.places_of(self.columns)]


def _probabilities(pipeline, rows):
    """The answers are looked at, so no overflow on the way needs a warning."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        answers = np.asarray(pipeline.predict_proba(rows), np.float64)
    if not (answers >= 0).all() or not (np.abs(answers.sum(axis=1) - 1) < 1e-3).all():
        raise UserError(f"the model's answers are no probabilities; {_AGAIN}")
    return answers


def info_path(path: str | Path) -> Path:
    """models/model.joblib -> models/model.json"""
    return Path(path).with_suffix(".json")


def save(pipeline, path: str | Path, info: dict) -> None:
    """Write the pipeline to `path` and what is known about it beside it.

    info: `labels`, `columns`, `engine`, and whatever else `facts.Facts` has a field for; checksum, schema,
    versions and the steps' settings are added. The same model gives the same bytes. Raises ValueError for
    what `load` would refuse, and for a pipeline that would not come back the same.
    """
    data = _encoded(pipeline)
    if len(data) > archive.MAX_BYTES:
        raise UserError(
            f"{path}: a model of {len(data) / 2**20:.0f} MB, where at most {archive.MAX_BYTES >> 20} can be "
            "read; train fewer trees, or trees of fewer leaves"
        )
    info = info | {
        "schema": schema.HASH,
        "sha256": hashlib.sha256(data).hexdigest(),
        "versions": {
            "speech-emotion": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "settings": _settings(pipeline),
    }
    fields = {field.alias or name for name, field in Facts.model_fields.items()}
    unknown = set(info) - fields - {"settings"}
    if unknown:
        raise ValueError(f"'{min(unknown)}' is no field of model/facts.py")
    text = json.dumps(info, indent=1) + "\n"
    facts = read_json(text.encode(), Facts).model_dump(by_alias=True, exclude_unset=True)
    _check_facts(facts)
    if _encoded(_decoded(data, facts)) != data:
        raise ValueError("the pipeline read back is another one (model/parts.py)")
    with replacing(path, "wb") as file, replacing(info_path(path)) as sidecar:
        file.write(data)
        file.flush()
        sidecar.write(text)


def _encoded(pipeline) -> bytes:
    description, arrays = parts.take_apart(pipeline)
    document = json.dumps({"format": FORMAT} | description, separators=(",", ":"), allow_nan=False)
    return archive.write(document.encode(), arrays)


def _settings(pipeline):
    """By step, the plain ones of its constructor's arguments: for people, no command reads them."""
    plain = bool | int | float | str | None
    result = {}
    for name, step in pipeline.steps:
        given = {key: _plain(value) for key, value in step.get_params(deep=False).items()}
        result[name] = {k: v for k, v in given.items() if isinstance(v, plain | list)}
    return result


def _plain(value):
    if isinstance(value, tuple) and all(type(each) is int for each in value):
        return list(value)
    return value.item() if isinstance(value, np.generic) else value


def load(path: str | Path) -> Model:
    """Read a model that `save` wrote.

    Raises UserError, in one line that names the file, the value and the remedy, for anything else: a file
    that is missing, damaged, no model, a pickle, or of another schema or scikit-learn. Another patch release
    of scikit-learn is a warning.
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
        _check_facts(info)
        pipeline = _decoded(data, info)
    except (Wrong, archive.Damaged, parts.Unfit) as error:
        raise UserError(f"{path}: no model that train.py wrote ({error}); {_AGAIN}") from None
    except MemoryError:
        raise UserError(
            f"{path}: needs more memory than there is here; open it on a larger computer, or train a "
            "smaller model"
        ) from None
    return Model(pipeline, info)


def _decoded(data, info):
    """The pipeline in the bytes of a file, checked, and compared with what its JSON says of it.

    Raises Damaged, Wrong and Unfit.
    """
    document, arrays = archive.read(data)
    description = read_json(document, Description)
    if description.labels != info["labels"]:
        raise parts.Unfit(
            f"it tells {shown(description.labels[0])} and {len(description.labels) - 1} others apart, "
            f"not the {len(info['labels'])} 'labels' of its JSON in their order"
        )
    pipeline = parts.put_together(
        description.steps, description.labels, len(info["columns"]), arrays
    )
    rows = np.repeat(np.array(_TRIALS, np.float32)[:, None], len(info["columns"]), axis=1)
    try:
        answers = _probabilities(pipeline, rows)
    except UserError:
        raise parts.Unfit("its answers are no probabilities") from None
    if answers.shape[1] != len(description.labels):
        raise parts.Unfit(f"it gives {answers.shape[1]} probabilities")
    return pipeline


def _check_facts(info):
    """What the schema of the JSON cannot say: the columns are those of this program, in their order."""
    columns = info["columns"]
    unknown = [column for column in columns if column not in schema.PLACE_OF]
    if unknown:
        raise Wrong(f"column {shown(unknown[0])} is not in the schema")
    if columns != sorted(columns, key=schema.PLACE_OF.__getitem__):
        raise Wrong("columns are not in schema order")


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise UserError(f"{path}: is a directory; name the model.joblib in it")
    try:
        data = _content(path, archive.MAX_BYTES)
    except FileNotFoundError:
        raise UserError(f"{path}: no such model; make it with train.py") from None
    if data.startswith(_PICKLES):
        raise UserError(
            f"{path}: a pickle, as earlier versions wrote them; that can hold code, so it was not opened; "
            f"{_AGAIN}"
        )
    if not data.startswith(archive.MAGIC):
        raise UserError(f"{path}: not a model file; name a model.joblib that train.py wrote")
    return data


def _content(path: Path, limit: int) -> bytes:
    """A file's bytes: of a real one, since a pipe or a device may have no end, and of at most `limit`."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise UserError(f"{path}: is no file; name a model.joblib that train.py wrote")
        if about.st_size > limit:
            raise UserError(
                f"{path}: {about.st_size / 2**20:.0f} MB, where a model has at most {limit >> 20}; "
                "name a model.joblib that train.py wrote"
            )
        with path.open("rb") as file:
            return file.read(about.st_size)
    except FileNotFoundError:
        raise
    except MemoryError:
        raise UserError(f"{path}: needs more memory than there is here") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: cannot be read ({reason})") from None


def _read_info(path: Path) -> dict:
    sidecar = info_path(path)
    try:
        return read_json(_content(sidecar, MAX_FACTS), Facts).model_dump(
            by_alias=True, exclude_unset=True
        )
    except FileNotFoundError:
        raise UserError(
            f"{sidecar}: missing; it says what {path.name} is. Copy it too, or {_AGAIN}"
        ) from None
    except Wrong as problem:
        raise UserError(f"{sidecar}: {problem}; copy it again or {_AGAIN}") from None


def _compare_version(path, trained_with):
    here = version("scikit-learn")
    if trained_with == here:
        return
    if trained_with.split(".")[:2] != here.split(".")[:2]:
        raise UserError(
            f"{path}: trained with scikit-learn {shown(trained_with)}, here is {here}; "
            f"install the former or {_AGAIN}"
        )
    warnings.warn(
        f"{path}: trained with scikit-learn {shown(trained_with)}, here is {here}", stacklevel=3
    )
