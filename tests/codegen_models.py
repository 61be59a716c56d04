"""Small models of every kind that can be exported, trained on real voices where there are some."""

import os
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from speech_emotion import corpora
from speech_emotion.features import audio, device, schema
from speech_emotion.model.estimators import (
    AppendDiscriminants,
    ClippedScaler,
    Float32Network,
    Int8Network,
    Int16Quantiser,
    SnappedExtraTrees,
    SnappedRandomForest,
)

COLUMNS = list(schema.COLUMNS)


def forest(model, discriminants=True):
    middle = [("discriminants", AppendDiscriminants())] if discriminants else []
    return Pipeline(
        [("scale", ClippedScaler()), *middle, ("quantise", Int16Quantiser()), ("model", model)]
    )


def network(kind, *layers, **options):
    model = kind(layers, max_iter=25, alpha=1.0, random_state=0, **options)
    return Pipeline([("scale", ClippedScaler()), ("model", model)])


KINDS = {
    "forest": lambda: forest(SnappedRandomForest(15, max_features=0.1, random_state=0)),
    "forest, small leaves": lambda: forest(
        SnappedRandomForest(12, max_leaf_nodes=24, max_features=0.1, random_state=0), False
    ),
    "extra trees": lambda: forest(SnappedExtraTrees(15, min_samples_leaf=3, random_state=0)),
    "float network": lambda: network(Float32Network, 24),
    "float network, 2 layers": lambda: network(Float32Network, 24, 12),
    "int8 network": lambda: network(Int8Network, 24),
    "int8 network, 2 layers": lambda: network(Int8Network, 24, 12),
    "int8 network, 3 layers": lambda: network(Int8Network, 20, 12, 8),
    "scikit-learn's network": lambda: network(MLPClassifier, 24),
    "scikit-learn's network, 2 layers": lambda: network(MLPClassifier, 24, 12),
}


def clips(count):
    """`count` real clips over all corpora, or none: paths and emotions."""
    root = Path(os.environ.get("SER_CORPORA") or Path(__file__).parents[2] / "shared" / "corpora")
    if not root.is_dir():
        return root, []
    silent = "1076_MTI_SAD_XX"
    found = [clip for clip in corpora.discover(root).clips if clip.path.stem != silent]
    return root, [found[i] for i in np.linspace(0, len(found) - 1, count).astype(int)]


def voices(count=320):
    """Feature vectors (n, columns) float32 of the chip's own code, and labels (n,): real voices where the
    clips are there, else eight Gaussian clouds with the spreads that voices have not."""
    _, found = clips(count)
    samples, labels = [], []
    for clip in found:
        samples.append(device.extract(audio.load(clip.path)))
        labels.append(clip.emotion)
    if samples:
        return np.array(samples), np.array(labels)
    draw = np.random.default_rng(1)
    labels = np.array(corpora.EMOTIONS)[np.arange(count) % 8]
    centres = {label: draw.normal(size=len(COLUMNS)) for label in corpora.EMOTIONS}
    scale = 10 ** draw.uniform(-4, 3, len(COLUMNS))
    vectors = [scale * (draw.normal(size=len(COLUMNS)) + 0.5 * centres[label]) for label in labels]
    return np.array(vectors, np.float32), labels
