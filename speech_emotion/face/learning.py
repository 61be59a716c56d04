"""The recipe of the face model: kernel ridge on all faces and their mirror images teaches a small 8-bit
network (`model.distillation`, as for the voice).
"""

import numpy as np

from speech_emotion.face.features import features
from speech_emotion.face.folders import Faces
from speech_emotion.training.fitting import for_the_chip
from speech_emotion.training.scores import calibration_error, uar

COVERAGE = 0.7  # of the tested faces get an answer, the others are "uncertain"


def fitted(faces: Faces, seed: int):
    """A fitted pipeline, scaler and Int8Network, that takes `features` of faces."""
    from sklearn.pipeline import Pipeline

    from speech_emotion.model.distillation import DistilledNetwork
    from speech_emotion.model.estimators import ClippedScaler

    X, y, sources = lessons(faces)
    model = DistilledNetwork(
        (56, 32),
        members=2,
        ridge=0.2,
        crossings=1,
        epochs=100,
        teacher_rows=12_000,
        random_state=seed,
    )
    pipeline = Pipeline([("scale", ClippedScaler()), ("model", model)])
    # of a face and its mirror image the student is told what the teacher says of the face
    pipeline.fit(X, y, model__sources=sources)
    return for_the_chip(pipeline)


def lessons(faces: Faces) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of the faces and of their mirror images, their labels, and which face each is of."""
    mirrored = np.ascontiguousarray(faces.pixels[:, :, ::-1])
    X = np.concatenate([features(faces.pixels), features(mirrored)])
    return X, np.tile(faces.labels, 2), np.tile(np.arange(len(faces.labels)), 2)


def scores(pipeline, faces: Faces) -> tuple[dict[str, float], float]:
    """UAR, accuracy, calibration error and recall of each label on tested faces; and the confidence that
    COVERAGE of them reach."""
    answers = pipeline.predict_proba(features(faces.pixels))
    guess = pipeline.classes_[answers.argmax(axis=1)]
    right = guess == faces.labels
    found = {
        "uar": uar(faces.labels, guess),
        "accuracy": float(right.mean()),
        "ece": calibration_error(answers.max(axis=1), right),
    }
    for label in np.unique(faces.labels):
        found[f"recall of {label}"] = float(right[faces.labels == label].mean())
    threshold = float(np.quantile(answers.max(axis=1), 1 - COVERAGE))
    return {name: round(float(value), 4) for name, value in found.items()}, round(threshold, 4)
