"""Looks to sights: faces told apart by their place in the picture, judged over windows of two seconds."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from speech_emotion.camera.sources import Look
from speech_emotion.face import quality
from speech_emotion.face.detecting import Detector, Face
from speech_emotion.face.model_file import FaceModel

WINDOW = 2.0
"""Seconds that a sight is of."""
FORGOTTEN = 1.5
"""Seconds after which a face that was not seen is a new one."""
NEAR = 0.7
"""Of a face's side: so far it may move from one look to the next."""
MOST_FACES = 8
LEAST_GOOD = 0.3
"""Of the looks in which a face was found: so many must be fit to be judged."""


@dataclass
class Followed:
    """A face over time. number: from 1, in the order of appearance."""

    number: int
    face: Face
    seen: float
    rows: list[np.ndarray] = field(default_factory=list)
    troubles: Counter = field(default_factory=Counter)
    sides: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Sight:
    """What was seen of a face in a window. begin, end: seconds; face: its number, 0 where there was none;
    where: left, middle or right of the picture; side: pixels; probabilities: (labels,) float32, or None with
    the `trouble` that kept it from being judged."""

    begin: float
    end: float
    face: int
    where: str
    side: float
    probabilities: np.ndarray | None
    trouble: str

    def emotion(self, model: FaceModel) -> str:
        """The label, "uncertain", or what was the trouble."""
        if self.probabilities is None:
            return self.trouble
        best = int(self.probabilities.argmax())
        return model.labels[best] if self.probabilities[best] >= model.threshold else "uncertain"


class Watcher:
    """Give it looks, it gives sights: one for each face of a finished window, the largest first; or one that
    says "no face"."""

    def __init__(self, model: FaceModel, detector: Detector | None = None, window: float = WINDOW):
        self._model, self._detector, self._window = model, detector or Detector(), window
        self._faces: list[Followed] = []
        self._number = 0
        self._current: int | None = None
        self._width = 1
        self._last = 0.0

    def look(self, look: Look) -> list[Sight]:
        window = int(look.seconds / self._window)
        done = []
        if self._current is not None and window != self._current:
            done = self._close(self._current, (self._current + 1) * self._window)
        self._current, self._width, self._last = window, look.grey.shape[1], look.seconds
        found = self._detector.find(look.grey)[:MOST_FACES]
        self._faces = [f for f in self._faces if look.seconds - f.seen <= FORGOTTEN or f.sides]
        good = []
        for face, followed in zip(found, self._follow(found, look.seconds), strict=True):
            crop = face.crop(look.grey)
            trouble = quality.trouble(crop, face.side)
            followed.sides.append(face.side)
            if trouble:
                followed.troubles[trouble] += 1
            else:
                good.append((followed, crop))
        if good:
            answers = self._model.probabilities(np.stack([crop for _, crop in good]))
            for (followed, _), row in zip(good, answers, strict=True):
                followed.rows.append(row)
        return done

    def finish(self) -> list[Sight]:
        """What is left of the last window."""
        return [] if self._current is None else self._close(self._current, self._last)

    def _follow(self, found, seconds):
        """For each face the one it was, or a new one."""
        free = [f for f in self._faces if seconds - f.seen <= FORGOTTEN]
        result = []
        for face in found:
            near = [(_distance(face, f.face), f.number, f) for f in free]
            near = [each for each in near if each[0] <= NEAR * max(face.side, each[2].face.side)]
            if near:
                followed = min(near)[2]
                free.remove(followed)
            else:
                self._number += 1
                followed = Followed(self._number, face, seconds)
                self._faces.append(followed)
            followed.face, followed.seen = face, seconds
            result.append(followed)
        return result

    def _close(self, window, end):
        begin = window * self._window
        end = max(end, begin + 1e-3)
        seen = sorted((f for f in self._faces if f.sides), key=lambda f: -np.mean(f.sides))
        sights = [self._sight(f, begin, end) for f in seen]
        for followed in self._faces:
            followed.rows, followed.troubles, followed.sides = [], Counter(), []
        return sights or [Sight(begin, end, 0, "", 0.0, None, "no face")]

    def _sight(self, followed, begin, end):
        centre = (followed.face.x + followed.face.side / 2) / self._width
        where = "left" if centre < 1 / 3 else "right" if centre > 2 / 3 else "middle"
        row, trouble = None, ""
        if len(followed.rows) >= LEAST_GOOD * len(followed.sides) and followed.rows:
            row = np.asarray(np.mean(followed.rows, axis=0, dtype=np.float64), np.float32)
        else:
            trouble = followed.troubles.most_common(1)[0][0]
        side = float(np.mean(followed.sides))
        return Sight(begin, end, followed.number, where, side, row, trouble)


def _distance(a: Face, b: Face) -> float:
    across = a.x + a.side / 2 - b.x - b.side / 2
    down = a.y + a.side / 2 - b.y - b.side / 2
    return float(np.hypot(across, down))
