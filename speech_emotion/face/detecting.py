"""Where faces are in a picture: OpenCV's frontal Haar cascade (Viola & Jones 2001), which its wheel carries.

mediapipe's detector is better and was left out: the last version that carries its models, 0.10.21, wants a
numpy before 2.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from speech_emotion.errors import UserError
from speech_emotion.face import pictures
from speech_emotion.face.features import SIDE

LOOKED_AT = 240
"""Pixels of the longer side in which faces are looked for."""
SMALLEST = 30
"""Of a face's side, in that picture."""


@dataclass(frozen=True)
class Face:
    """A square in a picture: left upper corner and side, pixels."""

    x: int
    y: int
    side: int

    def crop(self, grey: np.ndarray) -> np.ndarray:
        """uint8 (SIDE, SIDE), as `features` takes it."""
        x, y = max(0, self.x), max(0, self.y)
        part = grey[y : self.y + self.side, x : self.x + self.side]
        return np.ascontiguousarray(pictures.resized(np.ascontiguousarray(part), SIDE))


def opencv() -> Any:
    """cv2, on one thread. UserError where it is not installed."""
    try:
        import cv2
    except ImportError:
        raise UserError(
            "opencv-python-headless: not installed; pip install 'speech-emotion[face]'"
        ) from None
    cv2.setNumThreads(1)
    return cv2


def cascade_path() -> str:
    """The cascade's XML file. UserError where OpenCV is not installed."""
    return opencv().data.haarcascades + "haarcascade_frontalface_alt2.xml"


class Detector:
    """Finds frontal, upright faces."""

    def __init__(self) -> None:
        cv2, path = opencv(), cascade_path()
        self._cv2, self._cascade = cv2, cv2.CascadeClassifier(path)
        if self._cascade.empty():
            raise UserError(f"{path}: cannot be read; install opencv-python-headless again")

    def find(self, grey: np.ndarray) -> list[Face]:
        """Faces of a picture, uint8 (height, width), the largest first."""
        height, width = grey.shape
        scale = max(1.0, max(height, width) / LOOKED_AT)
        size = (max(1, round(width / scale)), max(1, round(height / scale)))
        small = self._cv2.resize(grey, size, interpolation=self._cv2.INTER_AREA)
        found = self._cascade.detectMultiScale(
            self._cv2.equalizeHist(small),
            scaleFactor=1.2,
            minNeighbors=2,
            minSize=(SMALLEST, SMALLEST),
        )
        faces = []
        for x, y, across, down in np.asarray(found, int).reshape(-1, 4).tolist():
            left, top = round(x * scale), round(y * scale)
            side = round(min(across, down) * scale)  # at the rim OpenCV cuts off what is outside
            faces.append(Face(left, top, min(side, width - left, height - top)))
        return sorted(faces, key=lambda face: (-face.side, face.x, face.y))
