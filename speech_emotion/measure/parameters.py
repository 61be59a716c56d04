"""What a model's parameters take when stored: an estimate for the trainer, before anything is compiled."""

import numpy as np
from sklearn.pipeline import Pipeline

_NODE, _FLOAT = 8, 4  # bytes: emlearn's node (feature, threshold, two children); float32


def parameter_bytes(pipeline: Pipeline) -> int:
    """Bytes of all learnt arrays: float32 for networks and scalers, nodes and leaf bytes for forests."""
    return int(sum(_step_bytes(step) for _, step in pipeline.steps))


def _step_bytes(step):
    if hasattr(step, "estimators_"):
        classes = len(step.classes_)
        trees = [tree.tree_ for tree in step.estimators_]
        decisions = sum(tree.node_count - tree.n_leaves for tree in trees)
        return decisions * _NODE + sum(tree.n_leaves for tree in trees) * classes
    if hasattr(step, "weights8_"):
        weights, biases = step.weights8_, step.intercepts_
        return sum(w.size for w in weights) + 2 * _FLOAT * sum(b.size for b in biases)
    arrays: list[np.ndarray] = []
    for name in ("coefs_", "intercepts_"):
        arrays += getattr(step, name, [])
    for name in (
        "coef_",
        "intercept_",
        "mean_",
        "inverse_",
        "weights_",
        "bias_",
        "offset_",
        "scale_",
        "clips_",
        "dual_",
    ):
        if hasattr(step, name):
            arrays.append(getattr(step, name))
    return _FLOAT * sum(array.size for array in arrays)
