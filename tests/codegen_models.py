"""Small models of every kind that can be exported, trained on synthetic voices."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from speech_emotion import corpora
from speech_emotion.codegen import library, source
from speech_emotion.codegen.pipeline import plan as plan_of
from speech_emotion.corpora import synthetic
from speech_emotion.features import audio, device, schema
from speech_emotion.model import compiled
from speech_emotion.model.acquaintance import AcquaintedNetwork
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
from speech_emotion.training import candidates

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


def real_clips(root, count):
    """`count` clips of the folder of real ones (the fixture `corpora_dir`), spread over all corpora."""
    silent = "1076_MTI_SAD_XX"
    found = [clip for clip in corpora.discover(root).clips if clip.path.stem != silent]
    return [found[i] for i in np.linspace(0, len(found) - 1, count).astype(int)]


def measured(clips):
    """Feature vectors (n, columns) float32 of the chip's own code, and the clips' emotions (n,)."""
    vectors = [device.extract(audio.load(clip.path)) for clip in clips]
    return np.array(vectors), np.array([clip.emotion for clip in clips])


@cache
def _synthetic():
    with tempfile.TemporaryDirectory() as folder:
        vectors, emotions = measured(synthetic.write(Path(folder), speakers=6, sentences=8))
    neutral = np.flatnonzero(emotions == "neutral")
    emotions = emotions.astype(f"U{max(map(len, corpora.EMOTIONS))}")
    emotions[neutral[::2]] = (
        "calm"  # which the synthesiser does not act; these tests want eight labels
    )
    return vectors, emotions


def voices(count=320):
    """Feature vectors (n, columns) float32 of the chip's own code, and labels (n,): synthetic voices, in an
    order that has nothing to do with their emotions."""
    vectors, emotions = _synthetic()
    chosen = np.resize(np.random.default_rng(1).permutation(len(vectors)), count)
    return vectors[chosen], emotions[chosen]


def voice_pipeline():
    """A small network that learns to know voices, on the default columns; (pipeline, columns)."""
    columns = candidates.columns()
    vectors, emotions = voices()
    X = vectors[:, [schema.COLUMNS.index(name) for name in columns]]
    return acquainted_pipeline(X, emotions, np.arange(len(X)) % 6), columns


def acquainted_pipeline(X, emotions, speakers):
    """The same, of X: float32 (n, columns)."""
    network = AcquaintedNetwork(
        (16, 8),
        members=2,
        crossings=1,
        epochs=2,
        views=1,
        landmarks=min(60, len(X)),
        random_state=0,
    )
    pipeline = Pipeline([("scale", VoiceScaler()), ("model", network)])
    groups = np.unique(speakers, return_inverse=True)[1]
    pipeline.fit(X, emotions, scale__groups=groups, model__groups=groups)
    pipeline.steps[-1] = ("model", network.network_)
    return pipeline


def voice_library(folder: Path):
    """(the C library of it, the pipeline, its columns)."""
    pipeline, columns = voice_pipeline()
    plan = plan_of(pipeline, {"labels": pipeline.classes_.tolist(), "columns": columns})
    files = library.contents(plan, source.write(plan, name="voice"), name="v", sizes="", facts={})
    library.write(files, folder)
    return compiled.Library(folder), pipeline, columns
