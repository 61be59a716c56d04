"""What a model's JSON may say: one schema for the file beside it and for the document inside it.

`Facts` is models/<name>.json, `Description` the document in models/<name>.joblib. Everything that a command
reads of a model is a field here, with its type, its range and its length; what is no field is not read.
"""

from typing import Annotated, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    StringConstraints,
    ValidationError,
)

from speech_emotion.errors import shown
from speech_emotion.features import engines

FORMAT = "speech-emotion-model/1"
MAX_FACTS = 16 * 2**20
"""Bytes of the file beside a model; most of them are the names of held-out clips."""
MAX_DESCRIPTION = 2**18
"""Bytes of the document in a model."""
_MAX_VALUES = 500_000
"""In one JSON: a parser may take a hundred bytes for two characters, so they are counted beforehand."""

Schema = TypeVar("Schema", bound=BaseModel)


class Wrong(ValueError):
    """The JSON is not what it must be; the message says where and why, on one line."""


def read(data: bytes, schema: type[Schema]) -> Schema:
    """The JSON as an object of the schema. Raises Wrong for what is no JSON (one nested deeper than 200
    levels, too), too much of it, or of another schema."""
    limit = MAX_FACTS if schema is Facts else MAX_DESCRIPTION
    if len(data) > limit or sum(map(data.count, (b",", b":", b"[", b"{"))) > _MAX_VALUES:
        raise Wrong("more than a model has to say")
    try:
        return schema.model_validate_json(data)
    except ValidationError as error:
        raise Wrong(complaint(error)) from None


def complaint(error: ValidationError) -> str:
    """What is wrong first, on one short line, whatever the values are."""
    first = error.errors(include_url=False)[0]
    if first["type"] == "json_invalid":
        return "not JSON"
    reason = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:  # of the whole
        return reason if first["type"] == "value_error" else "not a JSON object"
    name, *rest = first["loc"]
    where = shown(name) + "".join(f"[{shown(each)}]" for each in rest[:3])
    if first["type"] == "missing":
        return f"{where} is missing"
    return f"{where} is {shown(first['input'])}: {reason[:1].lower()}{reason[1:]}"


def _differ(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ValueError("one stands there twice")
    return names


def _is_an_engine(name: str) -> str:
    if name not in engines.NAMES:
        raise ValueError(f"not one of {', '.join(engines.NAMES)}")
    return name


def _names_scikit_learn(versions: dict[str, str]) -> dict[str, str]:
    if "scikit-learn" not in versions:
        raise ValueError("scikit-learn is not named")
    return versions


_Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_Text = Annotated[str, StringConstraints(max_length=2**16)]
_Share = Annotated[float, Field(ge=0, le=1)]
_Whole = Annotated[int, Field(ge=-(2**63), lt=2**64)]
_Labels = Annotated[
    list[_Name], Field(min_length=2, max_length=256), FailFast(), AfterValidator(_differ)
]
_Columns = Annotated[
    list[_Name], Field(min_length=1, max_length=10_000), FailFast(), AfterValidator(_differ)
]


class _Strict(BaseModel):
    """No conversion of types, no numbers that are none; nothing changes afterwards."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, frozen=True, extra="ignore")


class Facts(_Strict):
    """models/<name>.json: what the model is, and what is known of its making.

    The first fields every model has, the others those that `train.py` wrote. sha256: of the model's file.
    threshold: confidence under which an answer is "uncertain", 0 for never. held_out: paths of the clips that
    `scores` are of, as the feature table names them. fit: `all` where the model was trained on every clip
    once the scores were known; then none is held out, and scores and unseen are those of the same recipe
    trained without the clips it was tested on. scored_on: how many clips `scores` are of. unseen: of speakers
    that were in no training row, `unseen_clips` of `unseen_speakers`, intervals: 95 % bounds of those.
    """

    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
    schema_hash: Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")] = Field(alias="schema")
    labels: _Labels
    columns: _Columns
    engine: Annotated[_Name, AfterValidator(_is_an_engine)]
    versions: Annotated[
        dict[_Name, _Name], Field(max_length=40), FailFast(), AfterValidator(_names_scikit_learn)
    ]
    threshold: float = Field(default=0.0, ge=0, le=1)
    name: _Name = ""
    about: _Text = ""
    label_set: _Text = ""
    label_option: _Text = "csv"
    corpora: Annotated[list[_Text], Field(max_length=1000), FailFast()] = []
    split: Literal["random", "speaker"] | None = None
    balance: Literal["none", "weights", "sampling"] | None = None
    seed: _Whole = 0
    trained_on: int = Field(default=0, ge=0, lt=2**53)
    scores: Annotated[dict[_Text, Annotated[float, Field(ge=0, le=1)]], FailFast()] = {}
    held_out: Annotated[list[_Text], Field(max_length=400_000), FailFast()] = []
    fit: Literal["split", "all"] = "split"
    scored_on: int = Field(default=0, ge=0, lt=2**53)
    unseen: dict[_Text, _Share] = {}
    unseen_clips: int = Field(default=0, ge=0, lt=2**53)
    unseen_speakers: int = Field(default=0, ge=0, lt=2**53)
    intervals: dict[_Text, Annotated[list[_Share], Field(min_length=2, max_length=2)]] = {}


class Step(_Strict):
    """One step of the pipeline: its name there, its part (`parts.PARTS`), and that part's settings."""

    step: Annotated[
        str, StringConstraints(pattern="^[A-Za-z0-9-]+(_[A-Za-z0-9-]+)*$", max_length=40)
    ]
    part: Annotated[str, StringConstraints(max_length=40)]
    settings: Annotated[dict[_Name, bool | int | float | _Name], Field(max_length=8)]


def _named_apart(steps: list[Step]) -> list[Step]:
    names = [step.step for step in steps]
    if taken := {"steps", "memory", "verbose", "transform_input"}.intersection(_differ(names)):
        raise ValueError(f"'{min(taken)}' is a setting of the pipeline itself")
    return steps


class Description(_Strict):
    """The document in a model's file: what its arrays are the numbers of."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["speech-emotion-model/1"]
    labels: _Labels
    steps: Annotated[list[Step], Field(min_length=1, max_length=8), AfterValidator(_named_apart)]
