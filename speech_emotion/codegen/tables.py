"""The tables inside a compiled library, and what they must be, derived from the scikit-learn model alone.

Rows and clips cannot reach every leaf of a forest; here every stored number is compared. The expectation
does not come from `pipeline`, `source` or emlearn, so a mistake there shows too.
"""

import ctypes
import re
import tempfile
from itertools import groupby
from pathlib import Path

import numpy as np

from speech_emotion import native
from speech_emotion.errors import CheckFailed
from speech_emotion.features import schema
from speech_emotion.model import compiled, profile
from speech_emotion.model.estimators import AppendDiscriminants, Int8Network

_TABLE = re.compile(r"^(?:static )?const (?:SER_WORDS )?\w+ (\w+)\[\w+\] = \{", re.M)
_NODE = np.dtype([("feature", "i2"), ("value", "i2"), ("left", "i2"), ("right", "i2")])


def read(folder: Path) -> dict[str, bytes]:
    """The contents of every constant table of src/ser_model.c, as the compiler laid them out."""
    model_c = folder / "src" / "ser_model.c"
    names = _TABLE.findall(model_c.read_text(encoding="utf-8"))
    probe = ['#include "ser_model.c"']
    for name in names:
        probe.append(f"const void *probe_{name}(size_t *size);")
        probe.append(
            f"const void *probe_{name}(size_t *size) {{ *size = sizeof {name}; return {name}; }}"
        )
    with tempfile.TemporaryDirectory() as build:
        source, library = Path(build) / "probe.c", Path(build) / "probe.so"
        source.write_text("\n".join(probe) + "\n")
        command = [*native.compiler(), *native.FLAGS, "-O0", "-shared"]
        # what the model calls, but not the model itself: it is in the probe
        called = [path for path in compiled.sources(folder) if path != model_c]
        compiled.compile_c(command, folder, [source, *called], ["-o", str(library), "-lm"])
        c = ctypes.CDLL(str(library))
        result = {}
        for name in names:
            size = ctypes.c_size_t()
            probe_it = c[f"probe_{name}"]
            probe_it.restype = ctypes.c_void_p
            address = probe_it(ctypes.byref(size))
            result[name] = ctypes.string_at(address, size.value)
        return result


def expected(pipeline, info: dict, found: dict[str, bytes]) -> dict[str, np.ndarray]:
    """What the tables must hold. `found` tells which columns the library kept; that what it left out has no
    part in the model is checked. Raises CheckFailed."""
    places = np.frombuffer(found.get("columns", b""), np.uint16)
    names = [schema.COLUMNS[place] for place in places if place < len(schema.COLUMNS)]
    kept = np.array([info["columns"].index(name) for name in names if name in info["columns"]], int)
    if not len(kept) or len(kept) != len(places):
        raise CheckFailed(
            "src/ser_model.c: table 'columns' names columns that the model does not take"
        )
    scaler, model = pipeline[0], pipeline[-1]
    result = {
        "columns": places,
        "mean": scaler.mean_[kept].astype(np.float32),
        "inverse": scaler.inverse_[kept].astype(np.float32),
    }
    if profile.knows_voices(pipeline):
        result["ser_model_usual"] = scaler.spread_[kept]
    left_out = np.setdiff1d(np.arange(len(info["columns"])), kept)
    if hasattr(model, "estimators_"):
        return result | _forest(pipeline, kept, left_out, found, len(info["columns"]))
    return result | _network(model, scaler, kept, left_out, found)


def _network(model, scaler, kept, left_out, found):
    result = {}
    int8 = isinstance(model, Int8Network)
    for layer, weights in enumerate(model.weights8_ if int8 else model.coefs_):
        if layer == 0:
            if (weights[left_out][scaler.inverse_[left_out] != 0] != 0).any():
                raise CheckFailed("src/ser_model.c: a column that the network weighs is missing")
            weights = weights[kept]
        if int8:
            table = f"layer_{layer}_weights"
            result[table] = _in_blocks(weights, len(found.get(table, b"")), table)
            result[f"layer_{layer}_factors"] = model.factors_[layer]
        else:
            result[f"layer_{layer}_weights"] = weights.astype(np.float32)
        result[f"layer_{layer}_biases"] = model.intercepts_[layer].astype(np.float32)
    return result


def _in_blocks(weights, size, table):
    """The weights as a table of so many bytes holds them: fewer bytes than weights are those of blocks along
    the diagonal, outside of which the model must weigh nothing."""
    inputs, outputs = weights.shape
    whole = _in_eights(weights)
    if whole.size == size:
        return whole
    left_out = False
    for count in range(1, min(inputs, outputs) + 1):
        if inputs % count or outputs % count:
            continue
        rows, columns = inputs // count, outputs // count
        blocks = [weights[i * rows :, i * columns :][:rows, :columns] for i in range(count)]
        for laid_out in (_in_eights, _heard_in_eights):
            eights = np.concatenate([laid_out(block) for block in blocks])
            if len(eights) == size:
                if sum(map(np.count_nonzero, blocks)) == np.count_nonzero(weights):
                    return eights
                left_out = True
    if left_out:
        raise CheckFailed(f"src/ser_model.c: table '{table}' leaves weights out")
    return whole


def _in_eights(weights):
    """Of outputs 0 to 7, then of 8 to 15 and so on: two inputs after the other, the one's weights for two
    outputs, the other's for the same, then for the next two. Of outputs 0, 2, 4 ... 128 stands for 0."""
    padded = np.pad(
        weights.astype(np.int16), ((0, weights.shape[0] % 2), (0, -weights.shape[1] % 8))
    )
    padded[:, ::2] += 128
    words = [np.zeros(0, np.int16)]
    for first in range(0, padded.shape[1], 8):
        for above, below in zip(padded[::2], padded[1::2], strict=True):
            for place in range(first, first + 8, 2):
                words += [above[place : place + 2], below[place : place + 2]]
    return np.concatenate(words).astype(np.uint8)


def _heard_in_eights(weights):
    """The same, of each eight outputs without the longest run of pairs of inputs that none of them weighs,
    from eight pairs on."""
    parts = []
    for first in range(0, weights.shape[1], 8):
        eight = weights[:, first : first + 8]
        pairs = len(eight) // 2
        silent = ~eight[: 2 * pairs].any(axis=1).reshape(pairs, 2).any(axis=1)
        runs = [
            (len(run), -run[0], run)
            for mute, each in groupby(range(pairs), key=lambda pair: silent[pair])
            if mute and (run := list(each))
        ]
        length, _, run = max(runs, default=(0, 0, []))
        dropped = [2 * pair + i for pair in run for i in (0, 1)] if length >= 8 else []
        parts.append(_in_eights(np.delete(eight, dropped, axis=0)))
    return np.concatenate(parts).astype(np.uint8)


def _forest(pipeline, kept, left_out, found, columns):
    model, quantiser = pipeline[-1], pipeline[-2]
    trees = [estimator.tree_ for estimator in model.estimators_]
    asked = np.unique(np.concatenate([tree.feature[tree.feature >= 0] for tree in trees]))
    scores = asked[asked >= columns]
    result = {}
    if len(scores):
        linear = next(step for _, step in pipeline.steps if isinstance(step, AppendDiscriminants))
        weights = linear.weights_[:, scores - columns]
        if (weights[left_out] != 0).any():
            raise CheckFailed("src/ser_model.c: a column that a discriminant weighs is missing")
        result["weights"], result["bias"] = weights[kept], linear.bias_[scores - columns]
    values = np.concatenate([kept, scores])
    if not np.isin(asked, values).all():
        raise CheckFailed("src/ser_model.c: a column that a tree asks for is missing")
    result["offset"], result["steps"] = quantiser.offset_[values], quantiser.scale_[values]
    _check_trees(trees, values, found)
    # compared above, node by node and leaf by leaf
    return result | {
        name: np.frombuffer(found[name], np.uint8) for name in ("nodes", "roots", "leaves")
    }


def _check_trees(trees, values, found):
    """Walk every tree and its copy in C side by side."""
    nodes = np.frombuffer(found["nodes"], _NODE)
    roots = np.frombuffer(found["roots"], np.int32)
    classes = trees[0].n_classes[0]
    leaves = np.frombuffer(found["leaves"], np.uint8).reshape(-1, classes)
    if len(roots) != len(trees):
        raise CheckFailed(f"src/ser_model.c: {len(roots)} trees, {len(trees)} in the model")
    for number, (tree, root) in enumerate(zip(trees, roots, strict=True)):
        # pairs of (node of the model, place in C), level by level; a leaf's place is -leaf - 1
        mine, theirs = np.array([0]), np.array([root])
        if tree.node_count == 1:  # emlearn puts a question before a lone leaf, both answers alike
            mine, theirs = np.array([0, 0]), np.array([nodes["left"][root], nodes["right"][root]])
        while len(mine):
            is_leaf = tree.children_left[mine] == -1
            if not (is_leaf == (theirs < 0)).all() or (theirs >= len(nodes)).any():
                raise CheckFailed(f"src/ser_model.c: tree {number} has another shape")
            numbers = -theirs[is_leaf] - 1
            if (numbers >= len(leaves)).any():
                raise CheckFailed(f"src/ser_model.c: tree {number} points beyond the leaves")
            wanted = np.rint(tree.value[mine[is_leaf], 0] * 255)
            if not np.array_equal(leaves[numbers], wanted):
                raise CheckFailed(f"src/ser_model.c: a leaf of tree {number} is not the model's")
            mine, theirs = mine[~is_leaf], theirs[~is_leaf]
            copies = nodes[theirs]
            features = values[np.clip(copies["feature"], 0, len(values) - 1)]
            if (copies["feature"] < 0).any() or not np.array_equal(features, tree.feature[mine]):
                raise CheckFailed(f"src/ser_model.c: tree {number} asks for another column")
            # x < value on whole numbers is x <= value - 1, and so is x <= threshold
            if not np.array_equal(copies["value"] - 1.0, np.floor(tree.threshold[mine])):
                raise CheckFailed(
                    f"src/ser_model.c: a threshold of tree {number} is not the model's"
                )
            children = []
            for side, ahead in (("left", copies["left"]), ("right", copies["right"])):
                next_mine = getattr(tree, f"children_{side}")[mine]
                children.append((next_mine, np.where(ahead < 0, ahead, theirs + ahead)))
            mine = np.concatenate([pair[0] for pair in children])
            theirs = np.concatenate([pair[1] for pair in children])
