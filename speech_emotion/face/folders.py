"""Labelled faces on disk: FER-2013's folders, CK+ (48 pixels), a user's own.

FER-2013   <part>/<emotion>/*.jpg     parts: train, validation (or test, PublicTest, PrivateTest ...)
CK+48      <emotion>/S010_004_00000017.png     people known: the name's first field
own        <emotion>/<person>_*.jpg   person: the name before the first `_`, where there is one
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speech_emotion import cli
from speech_emotion.errors import UserError, shown
from speech_emotion.face import pictures
from speech_emotion.face.features import SIDE

WORDS = {
    "anger": "angry", "angry": "angry", "disgust": "disgust", "disgusted": "disgust", "fear": "fear",
    "fearful": "fear", "afraid": "fear", "happy": "happy", "happiness": "happy", "joy": "happy",
    "neutral": "neutral", "sad": "sad", "sadness": "sad", "surprise": "surprise",
    "surprised": "surprise", "calm": "calm",
}  # fmt: skip
"""Folder's name in lower case -> label; CK+'s contempt has none."""
TRAIN = ("train", "training")
TESTS = ("validation", "valid", "val", "test", "publictest", "privatetest")
MOST_PICTURES = 200_000


@dataclass(frozen=True)
class Faces:
    """pixels: uint8 (n, SIDE, SIDE); labels, people ("" where unknown), parts ("" where the folder has
    none), sounds: (n,) each; `same`: equal numbers where two pictures are the same."""

    pixels: np.ndarray
    labels: np.ndarray
    people: np.ndarray
    parts: np.ndarray
    same: np.ndarray
    kind: str
    left_out: tuple[str, ...]

    def at(self, rows: np.ndarray) -> "Faces":
        return Faces(
            self.pixels[rows], self.labels[rows], self.people[rows], self.parts[rows],
            self.same[rows], self.kind, self.left_out,
        )  # fmt: skip


def read(folder: Path) -> Faces:
    """All faces below a folder. A picture that cannot be read is left out and named in `left_out`."""
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name one that holds a folder per emotion")
    parts = {p.name.lower(): p for p in sorted(folder.iterdir()) if p.is_dir()}
    in_parts = [name for name in parts if name in (*TRAIN, *TESTS)]
    homes = [(name, parts[name]) for name in in_parts] or [("", folder)]
    found, unknown = [], set()
    for part, home in homes:
        for inner in sorted(path for path in home.iterdir() if path.is_dir()):
            label = WORDS.get(inner.name.lower())
            if label is None:
                unknown.add(inner.name)
                continue
            found += [
                (path, label, part)
                for path in sorted(inner.rglob("*"))
                if path.suffix.lower() in pictures.ENDINGS
            ]
    if not found:
        raise UserError(
            f"{folder}: no pictures in folders named after emotions "
            f"({', '.join(sorted(set(WORDS.values())))})"
        )
    if len(found) > MOST_PICTURES:
        raise UserError(f"{folder}: {len(found)} pictures; at most {MOST_PICTURES} are read")
    is_ck = all(_is_ck(path) for path, _, _ in found)
    return _loaded(found, is_ck, in_parts, sorted(unknown))


def _is_ck(path):
    return path.stem[:1] == "S" and path.stem[1:4].isdigit() and path.stem.count("_") == 2


def _loaded(found, is_ck, in_parts, unknown):
    rows, left_out = [], [f"folder {shown(name)}: no emotion" for name in unknown]
    for path, label, part in cli.progress(found, what="faces", unit="face"):
        try:
            grey = pictures.read(path)
        except UserError as error:
            left_out.append(str(error))
            continue
        person = path.stem.partition("_")[0] if is_ck or ("_" in path.stem and not part) else ""
        rows.append((pictures.resized(grey, SIDE), label, person, part))
    if not rows:
        raise UserError(f"{found[0][0]}: none of the pictures can be read; {left_out[-1]}")
    pixels, labels, people, parts = zip(*rows, strict=True)
    digests = [hashlib.sha256(each.tobytes()).digest() for each in pixels]
    kind = "CK+" if is_ck else "FER-2013's layout" if in_parts else "a folder per emotion"
    return Faces(
        np.stack(pixels), np.array(labels), np.array(people), np.array(parts),
        np.unique(digests, return_inverse=True)[1], kind, tuple(left_out),
    )  # fmt: skip


def split(faces: Faces, seed: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Row numbers to train on and to test on, and one sentence about it: the folder's own parts, else people
    held out, else 30 % of the pictures. No picture trains that is the same as a tested one."""
    random = np.random.default_rng(seed)
    rows = np.arange(len(faces.labels))
    is_train = np.isin(faces.parts, TRAIN)
    if is_train.any() and not is_train.all():
        tested = ~is_train
        about = f"tested on the folder's {' and '.join(sorted(set(faces.parts[tested].tolist())))}"
    elif len(set(faces.people.tolist()) - {""}) >= 4 and (faces.people != "").all():
        who = random.permutation(np.unique(faces.people))
        tested = np.isin(faces.people, who[: max(1, round(0.3 * len(who)))])
        about = "tested on 30 % of the people, nobody on both sides"
    else:
        tested = np.isin(faces.same, random.permutation(np.unique(faces.same))[::3])
        about = "tested on a third of the pictures at random; who is on them is not known, so it flatters"
    again = ~tested & np.isin(faces.same, faces.same[tested])
    if again.any():
        about += f"; {int(again.sum())} pictures do not train, being the same as tested ones"
    return rows[~tested & ~again], rows[tested], about
