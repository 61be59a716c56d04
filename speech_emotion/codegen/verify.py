"""Whether a generated library is the model: compiled, table by table, row by row, clip by clip.

Every check raises CheckFailed at the first difference that matters, and otherwise returns what it found.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score
from sklearn.neural_network import MLPClassifier

from speech_emotion import native
from speech_emotion.codegen import tables
from speech_emotion.dataset.table import FeatureTable
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.features import device, schema, sentences
from speech_emotion.model import compiled
from speech_emotion.model import profile as profiles
from speech_emotion.model.compiled import Library
from speech_emotion.model.persistence import Model

RANDOM_ROWS = 10_000
EXACT, BLAS = 1e-6, 1e-5
"""Largest difference of a probability. BLAS: of networks that scikit-learn itself computes, whose sums are
split as the library sees fit."""


@dataclass(frozen=True)
class Agreement:
    """Of `count` rows or clips: how many got the same label, and the largest difference of a probability."""

    count: int
    equal: int
    difference: float

    def text(self) -> str:
        share = 100 * self.equal / self.count
        return (
            f"labels equal {share:.4g} %, largest difference of a probability {self.difference:.2g}"
        )


def compiles(folder: Path) -> str:
    """The C code gives no warning. Returns the compiler's name."""
    command = native.compiler()
    for path in compiled.sources(folder):
        flags = ("-std=c99", *native.WARNINGS, "-fsyntax-only", f"-I{folder / 'src'}")
        try:
            native.run([*command, *flags, path])
        except native.Complaint as complaint:
            raise CheckFailed(f"{path.name}: {command[0]} complains: {complaint.reason}") from None
    return command[0]


def same_tables(folder: Path, model: Model) -> int:
    """Every number in the compiled tables is the model's. Returns how many tables there are."""
    found = tables.read(folder)
    expected = tables.expected(model.pipeline, model.info, found)
    if set(found) != set(expected):
        raise CheckFailed(f"tables {sorted(set(found) ^ set(expected))}: on one side only")
    for name, values in expected.items():
        values = np.ascontiguousarray(values)
        if values.tobytes() != found[name]:
            raise CheckFailed(f"src/ser_model.c: table '{name}' is not the model's")
    return len(found)


def same_answers(library: Library, model: Model, vectors: np.ndarray, what: str) -> Agreement:
    """Equal feature vectors get equal labels, and probabilities within rounding. vectors: (n, columns)."""
    if library.labels != model.labels:
        raise CheckFailed(f"labels {library.labels} in C, {model.labels} in the model")
    if library.threshold != round(float(np.float32(model.threshold)), 6):
        raise CheckFailed(f"threshold {library.threshold} in C, {model.threshold} in the model")
    return _compare(library.probabilities(vectors), model.probabilities(vectors), model, what)


def _compare(ours, theirs, model, what):
    if not np.isfinite(ours).all():
        raise CheckFailed(f"{what}: a probability in C is not a number")
    different = np.flatnonzero(ours.argmax(axis=1) != theirs.argmax(axis=1))
    difference = float(np.abs(ours - theirs).max())
    if len(different):
        row = different[0]
        raise CheckFailed(
            f"{what}: {len(different)} of {len(ours)} labels differ; row {row} is "
            f"{model.labels[ours[row].argmax()]} in C, {model.labels[theirs[row].argmax()]} in the model"
        )
    limit = BLAS if type(model.pipeline[-1]) is MLPClassifier else EXACT
    if difference > limit:
        raise CheckFailed(f"{what}: probabilities differ by {difference:.2g}, {limit} is allowed")
    return Agreement(len(ours), len(ours), difference)


SENTENCES = 60
"""Of a sequence of one voice."""


def same_sequences(library: Library, model: Model, table: FeatureTable, seed: int) -> Agreement:
    """Voices that become known: the clips of each speaker one after another, and after them a few of the next
    one's, get equal answers, and the profiles end with equal numbers."""
    places = [schema.COLUMNS.index(name) for name in model.columns]
    random = np.random.default_rng(seed)
    clips = table.clips[table.clips["augmentation"].to_numpy(str) == ""]
    speakers = (clips["corpus"] + "/" + clips["speaker"]).to_numpy(str)
    rows = clips.index.to_numpy()
    ours, theirs = [], []
    people = np.unique(speakers)
    for speaker, other in zip(people, np.roll(people, 1), strict=True):
        own = random.permutation(rows[speakers == speaker])[:SENTENCES]
        heard = np.concatenate([own, random.permutation(rows[speakers == other])[: SENTENCES // 6]])
        voice, profile = library.nobody(), model.pipeline[0].profile()
        in_c, stood_on = library.sequence(table.vectors[heard], voice)
        in_python, expected = profiles.sequence(
            model.pipeline, table.vectors[heard][:, places], profile
        )
        if stood_on.tolist() != expected.tolist():
            raise CheckFailed(f"sequence of {speaker}: C knows {stood_on}, the model {expected}")
        ours.append(in_c)
        theirs.append(in_python)
    return _compare(np.concatenate(ours), np.concatenate(theirs), model, "sequences")


def random_rows(model: Model, table: FeatureTable | None, seed: int) -> np.ndarray:
    """Float32 (RANDOM_ROWS, columns): half inside the training range, half far outside, to 10^6 standard
    deviations; the first row is all zeros, what a chip that hears no speech computes."""
    draw = np.random.default_rng(seed)
    columns = len(schema.COLUMNS)
    if table is not None:
        low, high = table.vectors.min(axis=0), table.vectors.max(axis=0)
    else:  # the training's mean and spread are in the scaler
        places = schema.places_of(model.columns)
        scaler = model.pipeline[0]
        spread = np.where(scaler.inverse_ > 0, 3 / np.maximum(scaler.inverse_, 1e-30), 0)
        low, high = np.zeros(columns, np.float32), np.zeros(columns, np.float32)
        low[places], high[places] = scaler.mean_ - spread, scaler.mean_ + spread
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-6)
    count = RANDOM_ROWS // 2
    inside = middle + half * draw.uniform(-1, 1, (count, columns))
    far = 10 ** draw.uniform(-2, 6, (RANDOM_ROWS - count, columns))
    outside = middle + half * far * draw.choice([-1, 1], far.shape)
    rows = np.concatenate([inside, outside]).astype(np.float32)
    rows[0] = 0
    return rows


# --- clips -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Clips:
    """What whole clips said. device: library against the model on the device engine's features.
    reference: the same against the model on the table's reference features, or None. rows: of the table,
    in order; answers: the library's label numbers for them."""

    device: Agreement
    reference: Agreement | None
    rows: np.ndarray
    answers: np.ndarray


def choose_clips(table: FeatureTable, held_out: set[str], root: Path, count: int) -> np.ndarray:
    """Row numbers of clips that lie below `root`: held-out ones first, evenly spread over the table."""
    paths = table.clips["path"].to_numpy(str)
    originals = table.clips["augmentation"].to_numpy(str) == ""
    there = np.array(
        [
            ok and (root / sentences.parse(path)[0]).is_file()
            for path, ok in zip(paths, originals, strict=True)
        ]
    )
    mine = np.array([path in held_out for path in paths])
    chosen: list[np.ndarray] = []
    for rows in (np.flatnonzero(there & mine), np.flatnonzero(there & ~mine)):
        wanted = min(count - sum(len(each) for each in chosen), len(rows))
        chosen.append(rows[np.linspace(0, len(rows) - 1, wanted).astype(int)])
    return np.concatenate(chosen)


def same_on_clips(
    library: Library, model: Model, table: FeatureTable, root: Path, rows: Iterable[int]
) -> Clips:
    """Sound to label: the library's own extractor and model, against the Python model on the features of
    the device engine. Labels must be equal on every clip."""
    rows = np.fromiter(rows, int)
    paths = table.clips["path"].to_numpy(str)
    ours, vectors = [], []
    for row in rows:
        try:
            samples = sentences.load(root / paths[row])
        except UserError as error:
            raise UserError(
                f"{error}; the table knows it: is {root} the folder it was made from?"
            ) from None
        ours.append(library.answer(samples).probabilities)
        vectors.append(device.extract(samples))
    ours, vectors = np.array(ours), np.array(vectors)
    on_device = _compare(ours, model.probabilities(vectors), model, "clips")
    reference = None
    if table.info.get("engine") == "reference":
        theirs = model.probabilities(table.vectors[rows])
        equal = int((ours.argmax(axis=1) == theirs.argmax(axis=1)).sum())
        reference = Agreement(len(rows), equal, float(np.abs(ours - theirs).max()))
    return Clips(on_device, reference, rows, ours.argmax(axis=1))


# --- scores ----------------------------------------------------------------------------------


def truth(table: FeatureTable, labels: list[str]) -> np.ndarray:
    """The emotions of a table's clips as a model with these labels counts them."""
    emotions = table.clips["emotion"].to_numpy(str)
    if "calm" not in labels:
        emotions = np.where(emotions == "calm", "neutral", emotions)
    return emotions


def of_known_emotion(table: FeatureTable, labels: list[str], rows: np.ndarray) -> np.ndarray:
    """Boolean (rows,): whether the model has a label for the row's emotion."""
    return np.isin(truth(table, labels)[rows], labels)


def f1(table: FeatureTable, labels: list[str], rows: np.ndarray, answers: np.ndarray) -> float:
    """Weighted F1 over rows whose emotions the model knows (`of_known_emotion`)."""
    return f1_score(
        truth(table, labels)[rows], np.array(labels)[answers], average="weighted", zero_division=0
    )
