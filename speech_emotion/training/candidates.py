"""The models that `train.py` knows by name, the columns they take, and what a search may vary in each.

scikit-learn is loaded when a model is made, not when their names are asked for (`--help`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from speech_emotion.errors import UserError
from speech_emotion.features import schema

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline
# Fine cepstral detail and chroma tell voices and tunes apart rather than emotions: without them, models
# score higher on speakers they never heard, and the chip computes less. Jitter, shimmer and HNR earn
# nothing beside the other columns (docs/history/choices.md) and cost the chip most; --groups has them back.
# The mean mel levels say forty times over how loud a studio was: relative to each other they say the same
# without it. RMS does so less, and relative to its mean it gained nothing. The encoder is taken by the models
# that say so.
_FINEST_MFCC = 12
_LEFT_OUT = ("chroma", "voice", "hnr", "encoder")
_LEFT_OUT_FOR_LEVEL = re.compile(r"mel_\d+_mean")
# Networks that learn to know the voice do without these: unseen speakers are answered as well, corpora
# never heard somewhat better, speakers of the training worse by half a point to a point, for which other
# networks keep them (docs/history/choices.md). A chip saves 3.4 KB of RAM.
_LEFT_OUT_BY_LEAN = re.compile(r"contrast_.*|zcr_.*|mfcc_delta2_.*|.*_kurtosis")


def columns(groups: list[str] | None = None) -> list[str]:
    """The columns to train on, in schema order: those of `groups`, or the default choice, in which the
    encoder's are not."""
    if groups is None:
        return [
            c
            for c in schema.COLUMNS
            if schema.GROUP_OF[c] not in _LEFT_OUT
            and not _is_fine(c)
            and not _LEFT_OUT_FOR_LEVEL.fullmatch(c)
        ]
    unknown = [group for group in groups if group not in schema.GROUPS]
    if unknown:
        raise UserError(
            f"--groups {unknown[0]}: no such group; there are {', '.join(schema.GROUPS)}"
        )
    return [column for column in schema.COLUMNS if schema.GROUP_OF[column] in groups]


def _is_fine(column: str) -> bool:
    """Whether this is about an MFCC above _FINEST_MFCC, or its change."""
    return (schema.mfcc_of(column) or 0) > _FINEST_MFCC


BALANCES = ("none", "weights", "sampling")
"""What is done about classes of unequal size (`fitting.fit`)."""


@dataclass(frozen=True)
class Candidate:
    """A model by name. `make(seed)` gives an unfitted pipeline whose last step is called "model". by_default:
    trained where no models are named. encoder: takes the encoder's columns beside the others. lean: does
    without some of them."""

    name: str
    about: str
    make: Callable[[int], Pipeline]
    exportable: bool = True
    by_default: bool = True
    grid: dict[str, list] = field(default_factory=dict)
    encoder: bool = False
    lean: bool = False

    def columns(self, groups: list[str] | None = None) -> list[str]:
        """Those that it takes, in schema order: see `columns`. Groups that are named are taken whole."""
        taken = set(columns(groups))
        if self.lean and groups is None:
            taken = {c for c in taken if not _LEFT_OUT_BY_LEAN.fullmatch(c)}
        return [
            c
            for c in schema.COLUMNS
            if c in taken or (self.encoder and schema.GROUP_OF[c] == "encoder")
        ]

    def pipeline(self, seed: int, groups: list[str] | None = None) -> Pipeline:
        """Unfitted, for these columns."""
        made = self.make(seed)
        if made.get_params().get("model__without"):
            places = [
                place
                for place, column in enumerate(self.columns(groups))
                if schema.GROUP_OF[column] == "encoder"
            ]
            made.set_params(model__apart=tuple(places))
        return made


def _random_forest(seed: int, trees: int, **options) -> Pipeline:
    from speech_emotion.model.estimators import SnappedRandomForest

    return _forest(SnappedRandomForest(trees, random_state=seed, **options))


def _extra_trees(seed: int, trees: int, **options) -> Pipeline:
    from speech_emotion.model.estimators import SnappedExtraTrees

    return _forest(SnappedExtraTrees(trees, random_state=seed, **options))


def _forest(model) -> Pipeline:
    from speech_emotion.model.estimators import AppendDiscriminants, Int16Quantiser

    return _scaled(
        ("discriminants", AppendDiscriminants()), ("quantise", Int16Quantiser()), ("model", model)
    )


def _network(seed: int, *layers: int, alpha: float) -> Pipeline:
    from speech_emotion.model.estimators import Float32Network

    # alpha, an L2 penalty, is large because columns are many and clips are few
    model = Float32Network(layers, alpha=alpha, max_iter=120, tol=0, random_state=seed)
    return _scaled(("model", model))


def _students(seed: int, members: int) -> Pipeline:
    from speech_emotion.model.distillation import DistilledNetwork

    return _scaled(("model", DistilledNetwork(members=members, random_state=seed)))


def _kernel(seed: int) -> Pipeline:
    from speech_emotion.model.kernel import KernelRidge

    return _scaled(("model", KernelRidge(random_state=seed)))


def _acquainted(seed: int, members: int, without: int = 0) -> Pipeline:
    from sklearn.pipeline import Pipeline

    from speech_emotion.model.acquaintance import AcquaintedNetwork
    from speech_emotion.model.profile import VoiceScaler

    model = AcquaintedNetwork(members=members, without=without, random_state=seed)
    return Pipeline([("scale", VoiceScaler()), ("model", model)])


def _linear(_seed: int) -> Pipeline:
    from sklearn.linear_model import LogisticRegression

    return _scaled(("model", LogisticRegression(C=0.003, max_iter=2000)))


def _scaled(*steps: tuple) -> Pipeline:
    from sklearn.pipeline import Pipeline

    from speech_emotion.model.estimators import ClippedScaler

    return Pipeline([("scale", ClippedScaler()), *steps])


_TREES: dict[str, list] = {
    "model__max_features": [0.1, 0.2, 0.4],
    "model__max_leaf_nodes": [64, 256, None],
}
_ALPHAS = {"model__alpha": [0.3, 1.0, 2.0, 4.0]}
_RIDGES = {"model__ridge": [0.1, 0.2, 0.5]}

_MANY = {
    1: "one 8-bit network",
    2: "two 8-bit networks",
    3: "three 8-bit networks",
    4: "four 8-bit networks",
}


def _of_networks(name: str, *, by_default: bool = False) -> Candidate:
    """Members of 56 and 32 units side by side, as `distillation` and `acquaintance` make them. The name says
    it all: voice or student, units of all members, and whether it takes the encoder's columns."""
    kind, units, *encoder = name.split("_")
    members = int(units) // 56
    options = {}
    if kind == "voice" and encoder and members > 2:
        # one of them by the other columns alone: a room never heard costs less, a known one hardly gains less
        options["without"] = 1
    make = partial(_acquainted if kind == "voice" else _students, members=members, **options)
    about = f"{_MANY[members]} of 56 and 32 units" + " as one" * (members > 1)
    about += ", that learn to know the voice" if kind == "voice" else ", taught by kernel ridge"
    if encoder:
        about += ", with the encoder" + " (but for one of them)" * bool(options)
    return Candidate(
        name, about, make,
        by_default=by_default, grid=_RIDGES, encoder=bool(encoder), lean=kind == "voice",
    )  # fmt: skip


SHIPPED = "student_168"
"""What the README's commands train, and what is meant by the default model where bars are judged."""
CANDIDATES: dict[str, Candidate] = {
    candidate.name: candidate
    for candidate in (
        Candidate(
            "forest", "random forest, 300 trees, unlimited depth",
            lambda seed: _random_forest(seed, 300, max_features=0.1),
            grid=_TREES,
        ),
        Candidate(
            "extra_trees", "extremely randomised trees, 300, unlimited depth",
            lambda seed: _extra_trees(seed, 300, max_features=0.2),
            grid=_TREES,
        ),
        Candidate(
            "forest_small", "random forest, 40 trees of at most 128 leaves",
            lambda seed: _random_forest(seed, 40, max_features=0.1, max_leaf_nodes=128),
            grid={"model__max_features": _TREES["model__max_features"]},
        ),
        Candidate(
            "mlp_32", "network, one hidden layer of 32",
            lambda seed: _network(seed, 32, alpha=1.0), grid=_ALPHAS,
        ),
        Candidate(
            "mlp_64", "network, one hidden layer of 64",
            lambda seed: _network(seed, 64, alpha=2.0), grid=_ALPHAS,
        ),
        _of_networks("voice_224", by_default=True),
        _of_networks("voice_224_encoder"),
        _of_networks("voice_112_encoder"),
        _of_networks("student_224"),
        _of_networks("student_224_encoder"),
        _of_networks("student_168", by_default=True),
        _of_networks("student_112"),
        _of_networks("student_56", by_default=True),
        Candidate(
            "kernel", "kernel ridge regression, for `central --model`: the teacher, no chip holds it",
            _kernel, exportable=False, by_default=False, grid=_RIDGES,
        ),
        Candidate(
            "linear", "logistic regression, the baseline", _linear, exportable=False,
            grid={"model__C": [0.0003, 0.001, 0.003, 0.01]},
        ),
    )
}  # fmt: skip


def default_names(*, paced: bool) -> list[str]:
    """What is trained where no models are named. paced: a chip is, on which each is counted: then those with
    the encoder too, which not every chip keeps up with."""
    return [c.name for c in CANDIDATES.values() if c.by_default or (paced and c.encoder)]


def union(named: list[Candidate], groups: list[str] | None = None) -> list[str]:
    """The columns that any of these takes, in schema order."""
    taken = {column for candidate in named for column in candidate.columns(groups)}
    return [column for column in schema.COLUMNS if column in taken]


def places(
    candidate: Candidate, taken: list[str], groups: list[str] | None = None
) -> tuple[int, ...] | None:
    """Which of the columns `taken` are the candidate's; None where all are."""
    mine = set(candidate.columns(groups))
    found = tuple(place for place, column in enumerate(taken) if column in mine)
    return None if len(found) == len(taken) else found
