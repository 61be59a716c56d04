"""Grey pictures of a video or a camera, so many a second, none kept: whatever its size, memory is bounded."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speech_emotion.camera import CAMERAS
from speech_emotion.errors import UserError
from speech_emotion.face import pictures

LONGEST_SIDE = 1280
"""Pixels: larger pictures are made smaller before they are looked at."""
MOST_PIXELS = 50_000_000


@dataclass(frozen=True)
class Look:
    """One picture. seconds: since the first; grey: uint8 (height, width)."""

    seconds: float
    grey: np.ndarray


def is_camera(source: str) -> bool:
    return source.startswith(CAMERAS)


def looks(source: str, rate: float) -> Iterator[Look]:
    """Pictures of a file or of a camera (/dev/video0), `rate` a second. UserError, one line, where it cannot
    be opened or is no video; what is wrong in the middle of a file ends it with such a line too."""
    import av

    if not is_camera(source) and not Path(source).is_file():
        raise UserError(f"{source}: no such file; name a video, or a camera such as /dev/video0")
    if is_camera(source) and not os.path.exists(source):
        raise UserError(f"{source}: no such camera; plug it in, or name another")
    try:
        container = (
            av.open(source, format="v4l2") if is_camera(source) else av.open(source, timeout=20)
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UserError(f"{source}: cannot be opened ({_reason(error)})") from None
    with container:
        if not container.streams.video:
            raise UserError(f"{source}: holds no pictures")
        stream = container.streams.video[0]
        stream.thread_count = 1
        codec = stream.codec_context
        if codec.width * codec.height > MOST_PIXELS:
            raise UserError(
                f"{source}: pictures of {codec.width * codec.height / 1e6:.0f} megapixels; at most "
                f"{MOST_PIXELS // 10**6} are read"
            )
        yield from _taken(source, container, stream, rate)


def _taken(source, container, stream, rate):
    import av

    first, due, count = None, 0.0, 0
    usual = float(stream.average_rate or 25)
    try:
        for frame in container.decode(stream):
            at = frame.time if frame.time is not None else count / usual
            count += 1
            first = at if first is None else first
            seconds = at - first
            if seconds + 1e-6 < due:
                continue
            due = (int(seconds * rate + 1e-6) + 1) / rate
            yield Look(seconds, _grey(frame))
    except (av.FFmpegError, OSError, ValueError) as error:
        what = "the camera was lost" if is_camera(source) else "ends in the middle"
        raise UserError(f"{source}: {what} ({_reason(error)})") from None
    if not count:
        raise UserError(f"{source}: holds no picture that can be decoded")


def _grey(frame):
    grey = frame.reformat(format="gray").to_ndarray()
    scale = max(frame.width, frame.height) / LONGEST_SIDE
    if scale > 1:
        size = max(2, round(frame.width / scale)), max(2, round(frame.height / scale))
        grey = pictures.shrunk(grey, size)
    turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(grey, turns)) if turns else grey


def _reason(error):
    return getattr(error, "strerror", None) or type(error).__name__
