"""A video with its sound: voice, face and both of each file, as one sentence each."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from speech_emotion import fusion
from speech_emotion.corpora import ravdess
from speech_emotion.errors import UserError
from speech_emotion.files import replacing, writable_folder
from speech_emotion.fusion import tables, weights_file


def report(clips, model, arguments: SimpleNamespace) -> None:
    """clips: (file, sights) each. Prints a line per file; --tables writes what `python -m fusion` reads."""
    from speech_emotion.model import recognition

    weights = weights_file.read(arguments.weights) if arguments.weights else fusion.DEFAULT
    voice_model = recognition.open_model(arguments.voice)
    answers = recognition.predict_all([Path(source) for source, _ in clips], voice_model, jobs=1)
    heard, seen = [], []
    for (source, sights), answer in zip(clips, answers, strict=True):
        voice = None
        if isinstance(answer, UserError):
            print(f"{source}: no voice ({answer})")
        elif answer.speech:
            voice = answer.probabilities
        face = of_all(sights)
        row = None if face is None else dict(zip(model.labels, face.tolist(), strict=True))
        print(line(source, voice, row, weights))
        length = max((sight.end for sight in sights), default=1.0)
        about = facts_of(source)
        if voice is not None:
            heard.append((source, length, about, voice))
        if row is not None:
            seen.append((source, length, about, row))
    if arguments.tables:
        folder = writable_folder(arguments.tables)
        for name, rows in (("voice.csv", heard), ("face.csv", seen)):
            if rows:
                _write(folder / name, rows)
                print(f"{folder / name}: {len(rows)} rows")


def of_all(sights) -> np.ndarray | None:
    """The mean over the windows of the face that was seen in most of them; None where none was judged."""
    judged = [sight for sight in sights if sight.probabilities is not None]
    if not judged:
        return None
    number = Counter(sight.face for sight in judged).most_common(1)[0][0]
    rows = [sight.probabilities for sight in judged if sight.face == number]
    return np.asarray(np.mean(rows, axis=0, dtype=np.float64), np.float32)


def line(source: str, voice, face, weights: fusion.Weights) -> str:
    """What each says, and both. voice, face: label -> probability, or None."""
    parts = []
    for name, row in (("voice", voice), ("face", face)):
        parts.append(f"{name}: {_best(row)}" if row else f"no {name}")
    if voice and face:
        mine, theirs = tuple(voice), tuple(face)
        labels = tables.shared_labels(mine, theirs)
        if len(labels) < 2:
            raise UserError(f"{source}: voice and face share {len(labels)} labels; two are needed")
        rows = [
            tables.aligned(np.array([list(row.values())], np.float32), own, labels)[0]
            for row, own in ((voice, mine), (face, theirs))
        ]
        both = fusion.fuse(rows[0], rows[1], weights)
        apart = float(fusion.disagreement(rows[0], rows[1]))
        parts.append(
            f"both: {_best(dict(zip(labels, both.tolist(), strict=True)))} (apart {apart:.2f})"
        )
    return f"{source}: {', '.join(parts)}"


def _best(row):
    label = max(row, key=row.__getitem__)
    return f"{label} {row[label]:.0%}"


def facts_of(source: str) -> dict[str, str]:
    """Person and emotion that RAVDESS's names of videos tell (01-01-...); else nothing."""
    stem = Path(source).stem
    parsed = None
    if stem[:2] in ("01", "02"):
        try:
            parsed = ravdess.parse(Path(f"03{stem[2:]}.wav"))
        except ravdess.Unused:
            parsed = None
    return {"person": parsed.speaker, "emotion": parsed.emotion} if parsed else {}


def _write(path, rows):
    import csv

    known = [
        name for name in ("person", "emotion") if all(about.get(name) for _, _, about, _ in rows)
    ]
    with replacing(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["place", "begin", "end", "clip", *known, *rows[0][3]])
        for source, length, about, row in rows:
            shares = [f"{share:.6f}" for share in row.values()]
            place = str(Path(source).with_suffix(""))
            writer.writerow([place, 0, length, source, *(about[n] for n in known), *shares])
