"""Reading a pickle that may come from an enemy: it can build the parts of a model, and nothing else.

A pickle is a small program; what it may call decides what it can do. Here it may call only the exact
(module, name) pairs below. Estimators are made empty and given their state; everything of numpy's goes
through functions of this file that accept plain arrays only, because numpy's own reconstruction trusts
its input (a forged dtype makes it read memory that is not its own).

Plain pickles only: joblib's array wrapper reads arrays through further pickles, so files written by
`joblib.dump` are refused, also when compressed.
"""

import io
import pickle
import re
import warnings
from functools import cache
from importlib import import_module

import numpy as np

_ESTIMATORS = {
    "sklearn.pipeline": ("Pipeline",),
    "sklearn.preprocessing._data": ("StandardScaler",),
    "sklearn.preprocessing._label": ("LabelBinarizer",),
    "sklearn.neural_network._multilayer_perceptron": ("MLPClassifier",),
    "sklearn.linear_model._logistic": ("LogisticRegression",),
    "sklearn.discriminant_analysis": ("LinearDiscriminantAnalysis",),
    "sklearn.ensemble._forest": ("RandomForestClassifier", "ExtraTreesClassifier"),
    "sklearn.tree._classes": ("DecisionTreeClassifier", "ExtraTreeClassifier"),
}
"""scikit-learn's classes that a model may hold; ours are `speech_emotion.model.estimators.SAVED_CLASSES`."""

_PLAIN = re.compile(r"[iu][1248]|f[48]|b1|U\d{1,4}|O8?")


class Refused(pickle.UnpicklingError):
    """The pickle asks for something that is no part of a model; the message names it."""


def loads(data: bytes) -> object:
    """The object that a plain pickle describes.

    Raises Refused for everything that is not on the list, before anything of it runs, and whatever
    `pickle` and numpy raise for bytes that are damaged.
    """
    with warnings.catch_warnings():
        # persistence has compared scikit-learn's version already
        warnings.filterwarnings("ignore", module="sklearn.base")
        unpickler = _Unpickler(io.BytesIO(data))
        result = unpickler.load()
    for estimator in unpickler.estimators:
        if "tree_" in vars(estimator):
            _check_tree(estimator, unpickler.trees)
    return result


# The pure Python unpickler, as joblib does: unlike C's, it lets us see every state before it is set
class _Unpickler(pickle._Unpickler):
    dispatch = pickle._Unpickler.dispatch.copy()

    def __init__(self, file):
        super().__init__(file)
        self.estimators, self.trees = [], []

    def find_class(self, module, name):
        if (module, name) == ("sklearn.tree._tree", "Tree"):
            return self._tree
        found = _NUMPY.get((module, name)) or _estimators().get((module, name))
        if found is None:
            raise Refused(f"{module}.{name}")
        return found

    def _tree(self, features, classes, outputs):
        from sklearn.tree._tree import Tree

        if outputs != 1 or classes.shape != (1,) or not 0 < classes[0] < 1000:
            raise Refused("a tree of other than one output")
        tree = Tree(features, classes, outputs)
        self.trees.append(tree)
        return tree

    def load_build(self):
        instance, state = self.stack[-2:]
        if isinstance(instance, np.dtype):
            # no dtype is ever changed: the pickle must describe the one that is there
            if instance.__reduce__()[2] != self.stack.pop():
                raise Refused(f"an array of a forged {instance}")
            return
        if type(instance) is np.ndarray:
            _check_array_state(state)
        elif type(instance) in _estimators().values() and type(state) is dict:
            self.estimators.append(instance)
        elif any(instance is tree for tree in self.trees):
            _check_tree_state(state)
        else:
            raise Refused(f"a state for {type(instance).__name__}")
        super().load_build()

    dispatch[pickle.BUILD[0]] = load_build


@cache
def _estimators() -> dict[tuple[str, str], type]:
    found = {
        (module, name): getattr(import_module(module), name)
        for module, names in _ESTIMATORS.items()
        for name in names
    }
    own = import_module("speech_emotion.model.estimators").SAVED_CLASSES
    return found | {(each.__module__, each.__qualname__): each for each in own}


# --- numpy -----------------------------------------------------------------------------------


class _NdarrayName:
    """Stands for `numpy.ndarray`, which a pickle names but must not call."""


def _dtype(code, align=False, copy=True):
    if code == _node_dtype().str[1:]:
        return _node_dtype()
    if not isinstance(code, str) or not _PLAIN.fullmatch(code):
        raise Refused(f"an array of {code!r}")
    return np.dtype(code)


@cache
def _node_dtype():
    from sklearn.tree._tree import NODE_DTYPE

    return NODE_DTYPE


def _empty_array(kind, shape, code):
    if kind is not _NdarrayName or shape != (0,) or code != b"b":
        raise Refused("a subclass of numpy.ndarray")
    return np.empty(0, np.int8)


def _check_array_state(state):
    _, shape, dtype, _, content = state
    if dtype.hasobject:
        # labels and column names, as numpy keeps them when they came from pandas
        if type(content) is not list or any(type(item) is not str for item in content):
            raise Refused("an array of objects")
    elif type(content) is not bytes:
        raise Refused("an array without bytes")
    if any(type(side) is not int or side < 0 for side in shape):
        raise Refused(f"an array of shape {shape!r}")


def _array_from_bytes(content, dtype, shape, order, axes=None):
    if dtype.hasobject or type(content) not in (bytes, bytearray):
        raise Refused("an array of objects")
    array = np.frombuffer(content, dtype)
    if order == "K" and axes is not None:
        return array.reshape(shape).transpose(axes)
    return array.reshape(shape, order=order)


def _scalar(dtype, content):
    if dtype.hasobject or type(content) is not bytes or len(content) != dtype.itemsize:
        raise Refused("a scalar object")
    return np.frombuffer(content, dtype)[0]


_NUMPY = {
    ("numpy", "dtype"): _dtype,
    ("numpy", "ndarray"): _NdarrayName,
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("_core", "core")  # numpy 2 and 1
        for module, name, function in (
            ("multiarray", "_reconstruct", _empty_array),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _array_from_bytes),
        )
    },
}


# --- trees: C code walks their nodes without looking ------------------------------------------


def _check_tree_state(state):
    nodes = state["nodes"]
    if type(nodes) is not np.ndarray or nodes.dtype != _node_dtype() or nodes.ndim != 1:
        raise Refused("a tree without nodes")
    if state["node_count"] != len(nodes):
        raise Refused("a tree whose nodes are miscounted")


def _check_tree(estimator, trees):
    """Every path of its tree ends in a leaf and looks only at columns that there are."""
    tree = vars(estimator)["tree_"]
    if not any(tree is known for known in trees) or tree.node_count == 0:
        raise Refused("a tree without nodes")
    if tree.n_features != vars(estimator).get("n_features_in_"):
        raise Refused("a tree for another number of columns")
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    inner = np.flatnonzero(left != -1)  # -1 is scikit-learn's mark of a leaf
    for child in (left[inner], right[inner]):
        # children come after their parent, so there is no way round in a circle
        if (child <= inner).any() or (child >= tree.node_count).any():
            raise Refused("a tree whose nodes lead astray")
    if (feature[inner] < 0).any() or (feature[inner] >= tree.n_features).any():
        raise Refused("a tree that looks at columns there are not")
