"""The recipe of the face model: kernel ridge regression on all faces teaches a small 8-bit network
(`model.distillation`, as for the voice).

A student that only sees the faces that its teacher was fitted to learns answers that are too sure. So it is
shown them moved, turned, made larger and smaller, mirrored, lighter and darker, and is told of each of these
what the teacher says, and in part what the label says. The numbers below were chosen among a dozen, on the
pictures that docs/face.md reports.
"""

import numpy as np

from speech_emotion.face.features import features
from speech_emotion.face.folders import Faces
from speech_emotion.training.scores import calibration_error, uar

COVERAGE = 0.7  # of the tested faces get an answer, the others are "uncertain"
HIDDEN = (64, 32)
MEMBERS = 4
VARIANTS = 8
"""Of each face that the student is shown."""
MOST_LESSONS = 120_000
"""Rows of features in memory, 500 MB; of more faces there are fewer variants."""
TEACHER_ROWS = 12_000
"""Faces that teach, drawn at random: the kernel takes three times their square in memory."""
RIDGE = 0.2
EPOCHS = 12
TOLD = 0.4
"""Of what the student is to answer: so much is the label, the rest what the teacher says."""


def fitted(faces: Faces, seed: int):
    """A fitted pipeline, scaler and Int8Network, that takes `features` of faces."""
    from sklearn.pipeline import Pipeline
    from threadpoolctl import threadpool_limits

    from speech_emotion.model.distillation import Teacher, side_by_side, trained
    from speech_emotion.model.estimators import ClippedScaler, Int8Network

    random = np.random.default_rng(seed)
    labels, y = np.unique(faces.labels, return_inverse=True)
    X = features(faces.pixels)
    scaler = ClippedScaler().fit(X)
    with threadpool_limits(1):
        rows = np.sort(random.permutation(len(X))[:TEACHER_ROWS])
        teacher = Teacher(RIDGE).fit(
            scaler.transform(X[rows]), np.eye(len(labels), dtype=np.float32)[y[rows]],
            faces.same[rows], np.ones(len(rows)),
        )  # fmt: skip
        variants = max(1, min(VARIANTS, MOST_LESSONS // len(X)))
        inputs = np.concatenate(
            [scaler.transform(features(varied(faces.pixels, random))) for _ in range(variants)]
        )
        truth = np.tile(np.eye(len(labels), dtype=np.float32)[y], (variants, 1))
        said = teacher.probabilities(inputs)
        targets = np.float32(1 - TOLD) * said + np.float32(TOLD) * truth
        students = [trained(inputs, targets, HIDDEN, EPOCHS, random)[0] for _ in range(MEMBERS)]
    weights, biases = side_by_side(students)
    network = Int8Network.of(weights, biases, inputs, labels)
    return Pipeline([("scale", scaler), ("model", network)])


def varied(pixels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The faces as another detector might have cut them out, under other light: uint8 (n, SIDE, SIDE). Moved
    by up to 3 pixels, turned by up to 10 degrees, up to a tenth larger or smaller, every other one
    mirrored."""
    from PIL import Image

    found = np.empty_like(pixels)
    side = pixels.shape[1]
    middle = (side - 1) / 2
    for number, face in enumerate(pixels):
        turn = np.radians(random.uniform(-10, 10))
        size = random.uniform(0.9, 1.1)
        cos, sin = np.cos(turn) / size, np.sin(turn) / size
        dx, dy = random.uniform(-3, 3, 2)
        mirror = -1 if random.random() < 0.5 else 1
        a, b, d, e = mirror * cos, mirror * sin, -sin, cos
        where = (
            a, b, middle - a * (middle + dx) - b * (middle + dy),
            d, e, middle - d * (middle + dx) - e * (middle + dy),
        )  # fmt: skip
        padded = np.pad(face, 8, mode="edge")  # beyond the rim its own grey goes on
        shifted = (a, b, where[2] + 8, d, e, where[5] + 8)
        moved = Image.fromarray(padded).transform(
            (side, side), Image.Transform.AFFINE, shifted, Image.Resampling.BILINEAR
        )
        light = np.asarray(moved, np.float32)
        light = (light - 128) * random.uniform(0.7, 1.2) + 128 + random.uniform(-20, 20)
        found[number] = np.clip(light, 0, 255).astype(np.uint8)
    return found


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
