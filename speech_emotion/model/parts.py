"""What a model is made of: for each class its name in files, and a declaration of every number it learnt.

One declaration (`Part`) writes an estimator's numbers and reads them: names, dtypes, ranges, and how their
shapes hang together. Read, they are checked before an estimator is made of them; nothing of a file says which
class or function is called. Names in files are ours, so that classes may move and be renamed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelBinarizer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier
from sklearn.tree._tree import NODE_DTYPE, Tree

from speech_emotion.errors import shown
from speech_emotion.model.estimators import (
    AppendDiscriminants,
    ClippedScaler,
    Float32Network,
    Int8Network,
    Int16Quantiser,
    SnappedExtraTrees,
    SnappedRandomForest,
)
from speech_emotion.model.kernel import KernelRidge
from speech_emotion.model.profile import FAR, LEAST_USUAL, VoiceScaler

MAX_LAYERS = 16
MAX_UNITS = 8192
"""Of a layer: each is a step of Python for every prediction."""
MAX_TREES = 4096
"""Of a forest: each is an object, of some kilobytes, however small it is."""
MAX_DEPTH = 4096
"""Of a tree: each level is a step of its own when a tree is checked. Voices give 20 to 60 levels."""
_LARGE = (
    1e30  # far beyond what anything learns; sums and products of a few such stay float64 numbers
)
_LEAF = -1  # scikit-learn's mark for a child that there is not
_UNDEFINED = -2  # and for the column and threshold of a leaf


class Unfit(ValueError):
    """These numbers are no model; the message says which, in a few words."""


class Sizes(dict):
    """Sizes by name ("columns", "labels", "scores" ...): wherever a name stands, it is the same size."""

    def agree(self, what: str, name: str, size: int) -> None:
        if self.setdefault(name, size) != size:
            raise Unfit(f"{what} is for {size} {name}, not {self[name]}")


# --- fields: how a learnt attribute is written, checked and read -------------------------------------------


@dataclass(frozen=True)
class Array:
    """A learnt array: finite, from `low` to `high`, its dtype one of `kinds`. shape: names of sizes."""

    name: str
    shape: tuple[str, ...]
    kinds: tuple[str, ...] = ("f4",)
    low: float = -_LARGE
    high: float = _LARGE

    def write(self, estimator) -> dict[str, np.ndarray]:
        return {self.name: getattr(estimator, self.name)}

    def read(self, arrays: dict[str, np.ndarray], sizes: Sizes, estimator) -> None:
        setattr(estimator, self.name, self.taken(arrays, self.name, self.shape, sizes))

    def taken(self, arrays, name, shape, sizes):
        """The array of this name, taken out of `arrays` and checked."""
        if name not in arrays:
            raise Unfit(f"{name} is missing")
        array = arrays.pop(name)
        if array.dtype.str[1:] not in self.kinds:
            raise Unfit(f"{name} is of {array.dtype}, not {' or '.join(self.kinds)}")
        if array.ndim != len(shape) or not array.size:
            raise Unfit(f"{name} has {array.ndim} dimensions and {array.size} numbers")
        for size, side in zip(shape, array.shape, strict=True):
            sizes.agree(name, size, side)
        # NaN is neither
        if not (array.min() >= self.low and array.max() <= self.high):
            raise Unfit(f"{name} holds numbers that are not from {self.low:g} to {self.high:g}")
        return array


@dataclass(frozen=True)
class Layers(Array):
    """A list with one array per layer of a network. shape: "inputs" and "outputs" of that layer; the first
    one's inputs are the columns, the last one's outputs the scores."""

    def write(self, estimator):
        layers = getattr(estimator, self.name)
        return {f"{self.name}.{place}": layer for place, layer in enumerate(layers)}

    def read(self, arrays, sizes, estimator):
        count, layers = 0, []
        while f"{self.name}.{count}" in arrays:
            count += 1
        sizes.agree(self.name, "layers", count)
        if not 1 <= count <= MAX_LAYERS:
            raise Unfit(f"{self.name} of {count} layers, from 1 to {MAX_LAYERS} expected")
        for place in range(count):
            names = {
                "inputs": f"outputs of layer {place - 1}" if place else "columns",
                "outputs": f"outputs of layer {place}" if place < count - 1 else "scores",
            }
            shape = tuple(names[side] for side in self.shape)
            layers.append(self.taken(arrays, f"{self.name}.{place}", shape, sizes))
            if len(layers[-1]) > MAX_UNITS:
                raise Unfit(
                    f"{self.name}.{place} of {len(layers[-1])} units, at most {MAX_UNITS} expected"
                )
        setattr(estimator, self.name, layers)


@dataclass(frozen=True)
class Trees:
    """scikit-learn's trees, one behind the other: left and right child of each node, the column it asks for,
    its threshold, where a missing value goes, and the shares of the labels. snapped: these are whole 255ths.

    What no prediction reads is left out: impurities and counts of training rows are 0 in a tree that was
    read.
    """

    kind: type
    snapped: bool = False
    alone: bool = False
    """The estimator is itself a tree, and no forest."""

    name = "trees"

    def write(self, estimator):
        trees = [each.tree_ for each in ([estimator] if self.alone else estimator.estimators_)]
        if any(tree.n_outputs != 1 for tree in trees):
            raise Unfit("a tree of more than one output cannot be saved")

        def joined(attribute, dtype):
            values = np.concatenate([getattr(tree, attribute) for tree in trees])
            kept = values.astype(dtype)
            if not np.array_equal(kept, values):
                raise Unfit(f"a tree's {attribute} cannot be saved as {dtype}")
            return kept

        shares = np.concatenate([tree.value[:, 0, :] for tree in trees])
        if self.snapped:
            steps = np.rint(shares * 255).astype("u1")
            if not np.array_equal(steps / 255, shares):
                raise Unfit("a tree's leaves are not snapped to 255ths")
            shares = steps
        return {
            "nodes": np.array([tree.node_count for tree in trees], "i4"),
            "left": joined("children_left", "i4"),
            "right": joined("children_right", "i4"),
            "feature": joined("feature", "i4"),
            "threshold": joined("threshold", "f8"),
            "missing": joined("missing_go_to_left", "u1"),
            "shares": shares,
        }

    def read(self, arrays, sizes, estimator):
        def taken(name, shape, kind, low, high):
            return Array(name, shape, (kind,), low, high).taken(arrays, name, shape, sizes)

        each, total = ("nodes",), 2**31 - 1
        counts = taken("nodes", ("trees",), "i4", 1, total).astype(np.int64)
        if len(counts) > (1 if self.alone else MAX_TREES):
            raise Unfit(f"{len(counts)} trees, at most {1 if self.alone else MAX_TREES} expected")
        sizes.agree("left", "nodes", int(counts.sum()))
        left, right = (taken(name, each, "i4", _LEAF, total) for name in ("left", "right"))
        feature = taken("feature", each, "i4", _UNDEFINED, sizes["columns"] - 1)
        threshold = taken("threshold", each, "f8", -_LARGE, _LARGE)
        missing = taken("missing", each, "u1", 0, 1)
        kind, high = ("u1", 255) if self.snapped else ("f8", 1)
        shares = taken("shares", ("nodes", "labels"), kind, 0, high)
        if not shares.any(axis=1).all():
            raise Unfit("a node has no share of any label")
        starts = np.cumsum(counts) - counts
        depths = _depths(left, right, feature, counts, starts)

        trees = []
        for start, count, depth in zip(starts, counts, depths, strict=True):
            here = slice(start, start + count)
            nodes = np.zeros(count, NODE_DTYPE)
            nodes["left_child"], nodes["right_child"] = left[here], right[here]
            nodes["feature"], nodes["threshold"] = feature[here], threshold[here]
            nodes["missing_go_to_left"] = missing[here]
            values = shares[here] / 255 if self.snapped else shares[here]
            trees.append(self._tree(nodes, values, int(depth), sizes))
        if not self.alone:
            estimator.estimators_ = [self._estimator(tree, sizes) for tree in trees]
        else:
            vars(estimator).update(vars(self._estimator(trees[0], sizes)))

    def _tree(self, nodes, values, depth, sizes):
        # the only state that is set: arrays made here, of checked numbers
        tree = Tree(sizes["columns"], np.array([sizes["labels"]], np.intp), 1)
        values = np.ascontiguousarray(values[:, None, :], np.float64)
        tree.__setstate__(
            {"max_depth": depth, "node_count": len(nodes), "nodes": nodes, "values": values}
        )
        return tree

    def _estimator(self, tree, sizes):
        estimator = self.kind()
        estimator.tree_ = tree
        estimator.n_features_in_, estimator.n_outputs_ = sizes["columns"], 1
        estimator.classes_ = np.arange(sizes["labels"], dtype=np.float64)
        estimator.n_classes_ = np.int64(sizes["labels"])
        return estimator


def _depths(left, right, feature, counts, starts) -> np.ndarray:
    """The depth of each tree. C code walks the nodes without looking: every path must end in a leaf.

    Children come after their parent, and each node but the first of a tree has exactly one parent.
    """
    own = np.arange(len(left)) - np.repeat(starts, counts)
    inner = left != _LEAF
    if not np.array_equal(inner, right != _LEAF) or not np.array_equal(inner, feature >= 0):
        raise Unfit("a tree's node is neither leaf nor decision")
    if (feature[~inner] != _UNDEFINED).any():
        raise Unfit("a tree's leaf asks for a column")
    first, behind = np.repeat(starts, counts)[inner], np.repeat(counts, counts)[inner]
    children = []
    for side in (left[inner].astype(np.int64), right[inner].astype(np.int64)):
        if (side <= own[inner]).any() or (side >= behind).any():
            raise Unfit("a tree's nodes lead astray")
        children.append(side + first)
    parents = np.bincount(np.concatenate(children), minlength=len(left))
    if not np.array_equal(parents, own > 0):
        raise Unfit("a tree's nodes lead astray")
    child = np.zeros((2, len(left)), np.int64)
    child[:, inner] = children
    depth, level, front = np.zeros(len(left), np.int64), 0, starts
    while len(front := child[:, front[inner[front]]].ravel()):
        level += 1
        if level > MAX_DEPTH:
            raise Unfit(f"a tree of more than {MAX_DEPTH} levels")
        depth[front] = level
    return np.maximum.reduceat(depth, starts)


# --- settings: constructor arguments that predictions depend on --------------------------------------------


@dataclass(frozen=True)
class Number:
    """A constructor's argument: a finite number above 0, up to `high`."""

    name: str
    high: float

    def check(self, value):
        if type(value) not in (int, float) or not 0 < value <= self.high:
            raise Unfit(f"'{self.name}' is {shown(value)}, not a number up to {self.high:g}")
        return value


@dataclass(frozen=True)
class Choice:
    """A constructor's argument: one of a few."""

    name: str
    choices: tuple

    def check(self, value):
        if not any(type(value) is type(each) and value == each for each in self.choices):
            choices = ", ".join(map(str, self.choices))
            raise Unfit(f"'{self.name}' is {shown(value)}, not {choices}")
        return value


# --- parts ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A class that a model may consist of.

    name: in files, for ever; another layout of numbers is another number behind the stroke. fields, settings:
    all that is stored. finish(estimator, sizes, labels): sets what follows from that, and raises Unfit where
    numbers do not fit that each by itself are fine. gives: from sizes the number of columns that a
    transformer gives; None for a classifier, which gives probabilities. derived: learnt attributes that
    `finish` sets; left_out: those that no prediction reads. An attribute that is in neither cannot be saved.
    """

    name: str
    kind: type
    fields: tuple
    settings: tuple = ()
    finish: Callable = lambda estimator, sizes, labels: None
    gives: Callable[[Sizes], int] | None = None
    derived: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def _columns(sizes):
    return sizes["columns"]


def _scores(estimator, sizes, labels):
    """A linear classifier of two labels has one score."""
    sizes.agree("coef_", "scores", 1 if len(labels) == 2 else len(labels))
    estimator.classes_ = labels


def _discriminants(estimator, sizes, labels):
    if sizes["scores"] > len(labels):
        raise Unfit(f"{sizes['scores']} scores of {len(labels)} labels")


def _forest(estimator, sizes, labels):
    estimator.classes_, estimator.n_classes_, estimator.n_outputs_ = labels, len(labels), 1
    estimator.n_estimators = len(estimator.estimators_)


def _tree(estimator, sizes, labels):
    estimator.classes_ = labels


def _network(estimator, sizes, labels):
    """What MLPClassifier keeps beside its weights."""
    if sizes["scores"] != len(labels) and (sizes["scores"], len(labels)) != (1, 2):
        raise Unfit(f"{sizes['scores']} scores for {len(labels)} labels")
    estimator.hidden_layer_sizes = tuple(len(biases) for biases in estimator.intercepts_[:-1])
    estimator.classes_ = labels
    estimator.n_layers_ = len(estimator.intercepts_) + 1
    estimator.n_outputs_ = sizes["scores"]
    estimator.out_activation_ = "logistic" if sizes["scores"] == 1 else "softmax"
    estimator._label_binarizer = LabelBinarizer().fit(labels)
    # inputs of a thousand standard deviations must not leave float32 on the way
    reach = 1e3
    for weights, biases in zip(estimator.coefs_, estimator.intercepts_, strict=True):
        sums = np.abs(weights).sum(axis=0, dtype=np.float64) * reach + np.abs(biases)
        reach = float(sums.max())
        if reach > _LARGE:
            raise Unfit("a network whose sums leave the numbers")


def _plain_network(estimator, sizes, labels):
    sizes.agree("coefs_", "scores", 1 if len(labels) == 2 else len(labels))
    _network(estimator, sizes, labels)


def _int8_network(estimator, sizes, labels):
    inputs = max(len(weights) for weights in estimator.weights8_)
    if 255 * Int8Network.INPUT_STEPS * inputs >= 2**31:
        raise Unfit("so many inputs that a sum leaves 32 bits")
    layers = zip(estimator.weights8_, estimator.factors_, estimator.steps_, strict=True)
    estimator.coefs_ = [weights * (factors * steps) for weights, factors, steps in layers]
    _network(estimator, sizes, labels)


def _kernel_ridge(estimator, sizes, labels):
    sizes.agree("sharpness_", "sharpness", 1)
    estimator.classes_, estimator.teacher_ = labels, estimator.teacher()


_REAL = ("f4", "f8")
_STEEP = 1e7
"""Of standardised columns; squares of a few thousand such are still float32 numbers."""
_LINEAR = (Array("coef_", ("scores", "columns"), _REAL), Array("intercept_", ("scores",), _REAL))
_ACTIVATION = Choice("activation", ("relu", "identity"))
_BY_A_NETWORK = ("classes_", "n_layers_", "n_outputs_", "out_activation_", "_label_binarizer")
_OF_ITS_TRAINING = (
    "loss_", "loss_curve_", "best_loss_", "n_iter_", "t_", "validation_scores_", "best_validation_score_",
    "_optimizer", "_no_improvement_count", "_random_state", "_best_coefs", "_best_intercepts",
    "_coef_indptr", "_intercept_indptr",
)  # fmt: skip


def _forest_of(name, kind, trees):
    return Part(
        name, kind, (trees,), finish=_forest,
        derived=("classes_", "n_classes_", "n_outputs_", "estimators_"),
        left_out=("estimator_", "_n_samples", "_n_samples_bootstrap", "_sample_weight", "oob_score_",
                  "oob_decision_function_"),
    )  # fmt: skip


def _tree_of(name, kind):
    return Part(
        name, kind, (Trees(kind, alone=True),), finish=_tree,
        derived=("classes_", "n_classes_", "n_outputs_", "tree_"), left_out=("max_features_",),
    )  # fmt: skip


PARTS = (
    Part(
        "clipped-scaler/1", ClippedScaler,
        (Array("mean_", ("columns",)), Array("inverse_", ("columns",), low=0)),
        (Number("limit", 1e6),), gives=_columns,
    ),
    Part(
        "voice-scaler/1", VoiceScaler,
        (
            Array("mean_", ("columns",)), Array("inverse_", ("columns",), low=0),
            Array("spread_", ("columns",), ("i2",), LEAST_USUAL, FAR),
        ),
        gives=_columns,
    ),
    Part(
        "append-discriminants/1", AppendDiscriminants,
        (Array("weights_", ("columns", "scores")), Array("bias_", ("scores",))),
        finish=_discriminants, gives=lambda sizes: sizes["columns"] + sizes["scores"],
    ),
    Part(
        "int16-quantiser/1", Int16Quantiser,
        (Array("offset_", ("columns",)), Array("scale_", ("columns",), low=0)), gives=_columns,
    ),
    _forest_of(
        "snapped-random-forest/1", SnappedRandomForest, Trees(DecisionTreeClassifier, snapped=True)
    ),
    _forest_of("snapped-extra-trees/1", SnappedExtraTrees, Trees(ExtraTreeClassifier, snapped=True)),
    Part(
        "float32-network/1", Float32Network,
        (Layers("coefs_", ("inputs", "outputs")), Layers("intercepts_", ("outputs",))),
        (_ACTIVATION,), _network, derived=_BY_A_NETWORK, left_out=_OF_ITS_TRAINING,
    ),
    Part(
        "int8-network/1", Int8Network,
        (
            Layers("weights8_", ("inputs", "outputs"), ("i1",), -127, 127),
            Layers("factors_", ("outputs",), low=0), Layers("intercepts_", ("outputs",)),
            Array("steps_", ("layers",), low=1e-30),
        ),
        (_ACTIVATION,), _int8_network,
        derived=(*_BY_A_NETWORK, "coefs_"), left_out=_OF_ITS_TRAINING,
    ),
    Part(
        "kernel-ridge/1", KernelRidge,
        (
            Array("clips_", ("clips", "columns"), low=-_STEEP, high=_STEEP),
            Array("dual_", ("clips", "labels"), low=-_STEEP, high=_STEEP),
            Array("usual_", ("labels",), low=0, high=1),
            Array("centre_", ("columns",), low=-_STEEP, high=_STEEP),
            Array("spread_", ("columns",), low=1e-6, high=_STEEP),
            Array("sharpness_", ("sharpness",), low=1e-3, high=1e3),
        ),
        finish=_kernel_ridge, derived=("classes_", "teacher_"),
    ),
    # scikit-learn's own
    Part(
        "standard-scaler/1", StandardScaler,
        (Array("mean_", ("columns",), _REAL), Array("scale_", ("columns",), _REAL, low=1e-30)),
        (Choice("with_mean", (True,)), Choice("with_std", (True,))), gives=_columns,
        left_out=("var_", "n_samples_seen_"),
    ),
    Part(
        "logistic-regression/1", LogisticRegression, _LINEAR, (), _scores,
        derived=("classes_",), left_out=("n_iter_",),
    ),
    Part(
        "linear-discriminants/1", LinearDiscriminantAnalysis, _LINEAR, (), _scores,
        derived=("classes_",),
        left_out=("priors_", "means_", "xbar_", "scalings_", "covariance_",
                  "explained_variance_ratio_", "_max_components", "_n_features_out"),
    ),
    Part(
        "mlp-classifier/1", MLPClassifier,
        (Layers("coefs_", ("inputs", "outputs"), _REAL), Layers("intercepts_", ("outputs",), _REAL)),
        (Choice("activation", ("relu", "identity", "logistic", "tanh")),), _plain_network,
        derived=_BY_A_NETWORK, left_out=_OF_ITS_TRAINING,
    ),
    _forest_of("random-forest/1", RandomForestClassifier, Trees(DecisionTreeClassifier)),
    _forest_of("extra-trees/1", ExtraTreesClassifier, Trees(ExtraTreeClassifier)),
    _tree_of("tree/1", DecisionTreeClassifier),
    _tree_of("extra-tree/1", ExtraTreeClassifier),
)  # fmt: skip
_BY_KIND = {part.kind: part for part in PARTS}
_BY_NAME = {part.name: part for part in PARTS}


def take_apart(pipeline) -> tuple[dict, dict[str, np.ndarray]]:
    """A fitted pipeline as plain data: what `facts.Description` says, and its arrays by name.

    Raises Unfit for what has no declaration here.
    """
    if type(pipeline) is not Pipeline:
        raise Unfit(f"{_called(pipeline)} is no Pipeline, which a model is")
    labels = getattr(pipeline, "classes_", ())
    steps, arrays = [], {}
    for place, (step, estimator) in enumerate(pipeline.steps):
        part = _BY_KIND.get(type(estimator))
        if part is None:
            raise Unfit(f"{_called(estimator)} is none of the parts of a model (model/parts.py)")
        _check_complete(part, estimator)
        settings = {s.name: s.check(_plain(getattr(estimator, s.name))) for s in part.settings}
        steps.append({"step": step, "part": part.name, "settings": settings})
        for field in part.fields:
            for name, array in field.write(estimator).items():
                arrays[f"{place}.{name}"] = np.asarray(array)
    return {"labels": [_plain(label) for label in labels], "steps": steps}, arrays


def _called(thing):
    return f"{type(thing).__module__}.{type(thing).__qualname__}"


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


def _check_complete(part, estimator):
    """An attribute that nobody declared would be missing from the file, and nobody would know."""
    known = {field.name for field in part.fields} | set(part.derived) | set(part.left_out)
    unknown = set(vars(estimator)) - set(vars(part.kind())) - known - {"n_features_in_"}
    if unknown:
        raise Unfit(
            f"{_called(estimator)} has learnt '{min(unknown)}', which is in no declaration (model/parts.py)"
        )


def put_together(steps, labels: list[str], columns: int, arrays: dict[str, np.ndarray]) -> Pipeline:
    """The pipeline that `take_apart` took apart; its predictions are the same to the last bit.

    steps: of a `facts.Description`; labels: in the order of the probabilities; columns: that the first step
    takes. Raises Unfit where the numbers are none of a model's.
    """
    made = []
    for place, step in enumerate(steps):
        part = _BY_NAME.get(step.part)
        if part is None:
            raise Unfit(f"a part {shown(step.part)}, which this program does not know")
        if (part.gives is None) != (place == len(steps) - 1):
            raise Unfit(f"a part {part.name} in place {place + 1} of {len(steps)}")
        if set(step.settings) != {setting.name for setting in part.settings}:
            raise Unfit(f"settings of a {part.name} that are not its own")
        estimator = part.kind(**{s.name: s.check(step.settings[s.name]) for s in part.settings})
        estimator.n_features_in_ = columns
        prefix = f"{place}."
        names = [name for name in arrays if name.startswith(prefix)]
        mine = {name.removeprefix(prefix): arrays[name] for name in names}
        sizes = Sizes(columns=columns, labels=len(labels))
        for field in part.fields:
            field.read(mine, sizes, estimator)
        part.finish(estimator, sizes, np.array(labels))
        if mine:
            raise Unfit(f"an array {shown(min(mine))}, which is none of a {part.name}")
        arrays = {name: array for name, array in arrays.items() if name not in names}
        columns = part.gives(sizes) if part.gives else columns
        made.append((step.step, estimator))
    if arrays:
        raise Unfit(f"an array {shown(min(arrays))}, which is none of a step")
    return Pipeline(made)
