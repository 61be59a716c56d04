"""What of a fitted pipeline reaches the chip: the columns that matter, and the numbers of each step.

In goes a pipeline of `model.estimators`, out comes a `Plan`, plain arrays from which the C code is
written. Columns that no weight and no tree looks at are left out, and with them the feature groups that
only they need.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from sklearn.neural_network import MLPClassifier

from speech_emotion import names
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.model.estimators import (
    AppendDiscriminants,
    ClippedScaler,
    Float32Network,
    Int8Network,
    Int16Quantiser,
    SnappedExtraTrees,
    SnappedRandomForest,
)
from speech_emotion.model.profile import VoiceScaler

MAX_TREES = 16000
"""255 per tree and class: sums of leaf bytes stay below 2^22, exact and told apart as float."""

_FORESTS = (SnappedRandomForest, SnappedExtraTrees)
_NETWORKS = (Float32Network, Int8Network, MLPClassifier)
EXPORTABLE = (
    "ClippedScaler, then AppendDiscriminants (or not), Int16Quantiser and SnappedRandomForest or "
    "SnappedExtraTrees; or ClippedScaler, then Float32Network, Int8Network or MLPClassifier; or VoiceScaler, "
    "then Int8Network"
)


@dataclass(frozen=True)
class Discriminants:
    """weights: (columns, scores) float32; bias: (scores,) float32."""

    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Forest:
    """offset, scale: (values,) float32, of columns and scores; trees: what emlearn's flatten_tree reads."""

    offset: np.ndarray
    scale: np.ndarray
    trees: list[SimpleNamespace]
    kind: str


@dataclass(frozen=True)
class Network:
    """Per layer: weights (inputs, outputs) float32 or int8, biases (outputs,) float32; for int8 also
    factors (outputs,) float32 and steps, a float32. `relu`: of the hidden layers."""

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    factors: list[np.ndarray]
    steps: np.ndarray
    relu: bool

    @property
    def int8(self) -> bool:
        return bool(self.factors)


@dataclass(frozen=True)
class Plan:
    """All that C needs. columns: the schema's names, in order; mean, inverse: (columns,) float32."""

    labels: list[str]
    columns: list[str]
    mean: np.ndarray
    inverse: np.ndarray
    limit: np.float32
    discriminants: Discriminants | None
    model: Forest | Network
    usual: np.ndarray = field(default_factory=lambda: np.empty(0, np.int16))
    """(columns,) int16, the training voices' spread, of a model that learns to know voices; else empty."""

    @property
    def knows_voices(self) -> bool:
        return len(self.usual) > 0

    @property
    def groups(self) -> tuple[str, ...]:
        """The feature groups that the chip must compute."""
        return schema.groups_of(self.columns)

    @property
    def kind(self) -> str:
        """One line on the model, for people."""
        if isinstance(self.model, Forest):
            return f"{self.model.kind}, {len(self.model.trees)} trees"
        sizes = [len(self.columns), *(len(biases) for biases in self.model.biases)]
        return f"{'int8' if self.model.int8 else 'float'} network {'-'.join(map(str, sizes))}"


def plan(pipeline, info: dict) -> Plan:
    """The plan of a fitted pipeline. info: `labels` and `columns`, as in the model's JSON.

    Raises UserError, saying what and why, for a pipeline that has no exact counterpart in C.
    """
    labels, columns = list(info["labels"]), list(info["columns"])
    steps = [step for _, step in getattr(pipeline, "steps", [("model", pipeline)])]
    kinds = [type(step) for step in steps]
    called = ", ".join(kind.__name__ for kind in kinds)
    if kinds[0] not in (ClippedScaler, VoiceScaler):
        raise UserError(f"model of {called}: cannot be exported exactly; what can be: {EXPORTABLE}")
    names.check_labels(labels)
    scaler, *middle, model = steps
    if type(model) in _FORESTS and [*map(type, middle)] in (
        [Int16Quantiser],
        [AppendDiscriminants, Int16Quantiser],
    ):
        discriminants, forest, used = _forest(middle, model, len(columns))
    elif type(model) in _NETWORKS and not middle:
        discriminants, (forest, used) = None, _network(model, scaler)
    else:
        raise UserError(f"model of {called}: cannot be exported exactly; what can be: {EXPORTABLE}")
    usual = np.empty(0, np.int16)
    if isinstance(scaler, VoiceScaler):
        if not isinstance(model, Int8Network):
            raise UserError(f"model of {called}: only an Int8Network can know voices on a chip")
        usual = scaler.spread_[used]
    return Plan(
        labels, [columns[i] for i in used], scaler.mean_[used], scaler.inverse_[used],
        np.float32(getattr(scaler, "limit", 0)), discriminants, forest, usual,
    )  # fmt: skip


def _forest(middle, model, columns):
    quantiser = middle[-1]
    trees = [estimator.tree_ for estimator in model.estimators_]
    if len(trees) > MAX_TREES:
        raise UserError(f"forest of {len(trees)} trees: at most {MAX_TREES} can be exported")
    looked_at = np.zeros(model.n_features_in_, bool)
    for tree in trees:
        looked_at[tree.feature[tree.feature >= 0]] = True
    discriminants = None
    used = looked_at[:columns].copy()
    if len(middle) == 2 and looked_at[columns:].any():
        linear, scores = middle[0], looked_at[columns:]
        used |= (linear.weights_[:, scores] != 0).any(axis=1)
        discriminants = Discriminants(linear.weights_[used][:, scores], linear.bias_[scores])
        values = np.concatenate([np.flatnonzero(used), columns + np.flatnonzero(scores)])
    else:
        values = np.flatnonzero(used)
    if not len(values):
        raise UserError("forest whose trees ask nothing: train it on columns that vary")
    place = np.full(model.n_features_in_, -2)
    place[values] = np.arange(len(values))
    forest = Forest(
        quantiser.offset_[values], quantiser.scale_[values], [_tree(t, place) for t in trees],
        "random forest" if type(model) is SnappedRandomForest else "extremely randomised trees",
    )  # fmt: skip
    return discriminants, forest, np.flatnonzero(used)


def _tree(tree, place):
    """As emlearn wants it: `x <= t` on whole numbers is `x < floor(t) + 1`, and leaves in its 254ths."""
    inner = tree.children_left != -1
    thresholds = np.where(inner, np.floor(tree.threshold) + 1, 0).astype(int)
    if thresholds.max() > 32767 or thresholds.min() < -32767:
        raise UserError(
            "forest with thresholds beyond 16 bits: it was not trained on Int16Quantiser"
        )
    steps = np.minimum(np.rint(tree.value * 255), 254)
    return SimpleNamespace(
        node_count=tree.node_count,
        children_left=tree.children_left,
        children_right=tree.children_right,
        feature=np.where(inner, place[tree.feature], -2),
        threshold=thresholds,
        value=steps / 254,
    )


def _network(model, scaler):
    if model.activation not in ("relu", "identity"):
        raise UserError(f"network with activation {model.activation}: relu can be exported")
    if isinstance(model, Int8Network):
        weights, factors, steps = model.weights8_, model.factors_, model.steps_
    else:
        weights = [np.asarray(layer, np.float32) for layer in model.coefs_]
        factors, steps = [], np.empty(0, np.float32)
    used = np.flatnonzero((weights[0] != 0).any(axis=1) & (scaler.inverse_ != 0))
    if not len(used):
        raise UserError("network that weighs no column: train it on columns that vary")
    biases = [np.asarray(layer, np.float32) for layer in model.intercepts_]
    network = Network(
        [weights[0][used], *weights[1:]], biases, factors, steps, model.activation == "relu"
    )
    return network, used
