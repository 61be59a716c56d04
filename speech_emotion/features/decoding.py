"""A sound file, decoded block by block: nothing of it is held in memory but the block.

libsndfile decodes what it knows. MP3, whose length it guesses, and what phones and browsers make (MP4 and
3GP, AAC, AMR, WebM, WMA) are decoded by FFmpeg, which PyAV brings along. Whole numbers stay as they are.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile

from speech_emotion.errors import UserError
from speech_emotion.features import containers

BLOCK = 1 << 18  # samples of all channels together
MOST_CHANNELS = 64
FFMPEG_FORMATS = "aac,amr,ape,asf,caf,matroska,mov,mp3,ogg,wav"
"""The demuxers that may be used: none that opens another file or address that this one names."""
MISSING_SECONDS = 0.1
"""By how much a file may be shorter than its container says: what an encoder puts before the sound counts."""


class Decoder(Protocol):
    """rate: Hz. channels. whole: samples are int16, of a file that holds no finer ones. scaled: floats are
    -1 to 1 by the format, no matter what the file holds (a codec's)."""

    rate: int
    channels: int
    whole: bool
    scaled: bool

    def blocks(self) -> Iterator[np.ndarray]:
        """The samples from the first on, (n, channels) int16 or float64. May be asked for again. Raises
        UserError where the file does not hold what it promises."""


@dataclass
class Opened:
    """A file ready to be decoded. remarks: what was found out about it, and is on the way."""

    decoder: Decoder
    remarks: list[str] = field(default_factory=list)


def open_sound(path: Path) -> Opened:
    """A sound file of any kind. Raises UserError, which says what the file is where it is no sound, and why
    it cannot be decoded where it is one."""
    with path.open("rb") as file:
        head = file.read(containers.HEAD)
        kind = containers.kind(head)
        flac_ends = containers.flac_ends(file, head) if kind.name == "FLAC" else 0
    if not kind.is_sound and not (kind.may_be_sound and _is_known_to_libsndfile(path)):
        raise UserError(f"{path}: not a sound file but {kind.name}; {kind.remedy}")
    if kind.name == "MP3":
        found = containers.mp3(path)
        if found:
            return _mp3(path, found)
    if kind.name in ("MP4", "AAC", "AMR", "WebM", "WMA", "Monkey's Audio"):
        return _by_ffmpeg(path, kind.name)
    return _by_libsndfile(path, kind.name, head, flac_ends)


def _is_known_to_libsndfile(path: Path) -> bool:
    """Whether it is one of the many kinds that only libsndfile knows."""
    try:
        with _SoundFile(path).open():
            return True
    except (soundfile.LibsndfileError, TypeError, ValueError, OSError):
        return False


# --- libsndfile ------------------------------------------------------------------------------


class _SoundFile:
    """A Decoder by libsndfile. riff: of a WAV file whose header is to be mended."""

    md5: bytes | None = None  # of a FLAC file's samples, where they are to be held against it

    def __init__(self, path: Path, riff: containers.Riff | None = None):
        self._path, self._riff = path, riff
        self._looked: tuple[ExitStack, soundfile.SoundFile] | None = None

    @contextmanager
    def open(self) -> Iterator[soundfile.SoundFile]:
        if self._riff:
            with (
                closing(containers.mended(self._path, self._riff)) as file,
                soundfile.SoundFile(file) as sound,
            ):
                yield sound
            return
        # by its descriptor: libsndfile judges a name's ending before the file, and wants names in UTF-8
        descriptor = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            with soundfile.SoundFile(descriptor, closefd=False) as sound:
                yield sound
        finally:
            os.close(descriptor)

    def look(self) -> str:
        """Note what the header says. Returns libsndfile's log of it. The file stays open for `blocks`:
        opening a short clip takes a tenth of the time of reading it."""
        with ExitStack() as stack:
            file = stack.enter_context(self.open())
            self.rate, self.channels, self.promised = file.samplerate, file.channels, file.frames
            self.format, self.subtype = file.format, file.subtype
            self.whole = self.subtype == "PCM_16"
            self.scaled = self.subtype not in ("FLOAT", "DOUBLE")
            log = file.extra_info
            self._looked = (stack.pop_all(), file)
        return log

    def blocks(self) -> Iterator[np.ndarray]:
        size = max(1, BLOCK // self.channels)
        dtype = "int16" if self.whole else "float64"
        done, digest = 0, hashlib.md5(usedforsecurity=False)
        with ExitStack() as stack:
            if self._looked:
                kept, file = self._looked
                self._looked = None
                stack.enter_context(kept)
            else:
                file = stack.enter_context(self.open())
            while done < self.promised:
                try:
                    block = file.read(min(size, self.promised - done), dtype=dtype, always_2d=True)
                except (RuntimeError, ValueError, OSError) as error:
                    raise UserError(
                        f"{self._path}: truncated or damaged, not all of its {self.promised} samples can be "
                        "decoded; fetch or record it again"
                    ) from error
                if len(block) == 0:
                    break
                done += len(block)
                if self.md5:
                    digest.update(self._packed(block))
                yield block
        if done < self.promised:
            raise UserError(
                f"{self._path}: truncated, {done} samples left of {self.promised}; "
                "fetch or record it again"
            )
        if self.md5 and digest.digest() != self.md5:
            raise UserError(
                f"{self._path}: damaged, its samples are not those of its checksum; "
                "fetch or record it again"
            )

    def _packed(self, block):
        """Samples as FLAC's checksum takes them."""
        bits = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}[self.subtype]
        if bits == 16:
            return block.astype("<i2", copy=False).tobytes()
        numbers = np.rint(block * 2 ** (bits - 1)).astype("<i4")
        return numbers.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()


def _by_libsndfile(path, kind, head, flac_ends) -> Opened:
    riff = containers.riff(path) if kind == "WAV" else None
    remarks, wrong = [], None
    if riff:
        if riff.length is None:
            raise UserError(
                f"{path}: truncated, {riff.left // riff.frame} samples left of "
                f"{riff.promised // riff.frame}; fetch or record it again, or if that is all of it: "
                "sox --ignore-length FILE OUT.wav"
            )
        if riff.length != riff.promised:
            wrong = riff
        if riff.goes_on and riff.promised:  # 0 says no more than that it was not known
            remarks.append(
                f"its header counts {riff.promised // riff.frame} samples, there are "
                f"{riff.length // riff.frame}: all are heard"
            )
    decoder = _SoundFile(path, wrong)
    try:
        log = decoder.look()
    except soundfile.LibsndfileError as error:
        return _without_libsndfile(path, kind, error)
    except (TypeError, ValueError, RuntimeError, OSError) as error:
        raise _unreadable(path, kind) from error
    if decoder.format == "NIST":
        decoder.promised = containers.nist_count(head) or decoder.promised
    if kind != "WAV" and containers.noticed_truncation(log):
        raise UserError(
            f"{path}: truncated, {decoder.promised} samples left; fetch or record it again"
        )
    if kind == "Ogg":
        remarks += _ogg_remarks(path)
    if flac_ends > decoder.promised:
        decoder.md5 = containers.flac_md5(head)
    return Opened(decoder, remarks)


def _ogg_remarks(path) -> list[str]:
    found = containers.ogg(path)
    if found.trouble:
        raise _troubled(path, "Ogg", found.trouble)
    return [] if found.ended else ["its last page does not say that it is the last: perhaps cut"]


def _without_libsndfile(path, kind, error) -> Opened:
    """What libsndfile cannot open: damaged, or by a codec that it does not have."""
    if kind == "Ogg" and (trouble := containers.ogg(path).trouble):
        raise _troubled(path, kind, trouble) from error
    # 1: unrecognised format, 4: unsupported encoding; others say that it knows the format
    if kind in ("WAV", "Ogg", "CAF", "MP3") and error.code in (1, 4, 11):
        return _by_ffmpeg(path, kind)
    if "unimplemented" in error.error_string:
        return _by_ffmpeg(path, kind)
    raise _unreadable(path, kind) from error


def _unreadable(path, kind) -> UserError:
    return UserError(
        f"{path}: not a sound file that can be read: begins as {kind} does, but is damaged or cut short; "
        "fetch or record it again"
    )


def _troubled(path, kind, trouble) -> UserError:
    return UserError(f"{path}: {kind} file that is {trouble}; fetch or record it again")


# --- FFmpeg ----------------------------------------------------------------------------------


class _Tail:
    """A file from some byte on, as PyAV reads it."""

    def __init__(self, path: Path, start: int):
        self._file, self._start = path.open("rb"), start
        self._file.seek(start)

    def read(self, count: int = -1) -> bytes:
        return self._file.read(count)

    def seek(self, offset: int, whence: int = 0) -> int:
        # an exception would be printed, not raised; and a damaged file asks for the oddest places
        if whence == 0 and not 0 <= offset < 1 << 62:
            return -1
        try:
            place = self._file.seek(offset + (self._start if whence == 0 else 0), whence)
        except (OSError, ValueError, OverflowError):
            return -1
        return place - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def close(self) -> None:
        self._file.close()


class _Ffmpeg:
    """A Decoder by FFmpeg. start: byte where what it reads begins."""

    scaled = True

    def __init__(self, path: Path, kind: str, *, start: int = 0):
        self._path, self._kind, self._start = path, kind, start
        self.format: str | None = None  # the demuxer's name, where it is known
        self.promised: float | None = None  # seconds
        self.remarks: list[str] = []

    def look(self) -> None:
        """Note the rate, channels and the kind of samples, as the first of them has them."""
        for frame in self._frames():
            self.rate, self.channels = frame.sample_rate, frame.layout.nb_channels
            self.whole = frame.format.name in ("s16", "s16p")
            return
        raise _unreadable(self._path, self._kind)

    def blocks(self) -> Iterator[np.ndarray]:
        done, start = 0, None
        for frame in self._frames():
            if (frame.sample_rate, frame.layout.nb_channels) != (self.rate, self.channels):
                raise UserError(
                    f"{self._path}: its sample rate or channels change after {done / self.rate:.3f} s; "
                    "convert it to WAV"
                )
            if done == 0:
                start = frame.time
            elif start is not None and frame.time is not None:
                gap = frame.time - start - done / self.rate
                if gap > MISSING_SECONDS and not self.remarks:
                    self.remarks.append(
                        f"{gap:.2f} s of sound are missing at {done / self.rate:.2f} s"
                    )
            block = _samples(frame, self.channels)
            done += len(block)
            yield block
        if self.promised and done / self.rate < self.promised - MISSING_SECONDS:
            raise UserError(
                f"{self._path}: truncated or damaged, {done / self.rate:.2f} s left of "
                f"{self.promised:.2f} s; fetch or record it again"
            )

    def _frames(self):
        import av  # tens of megabytes that few files need

        done = 0
        with closing(_Tail(self._path, self._start)) as file:
            try:
                options = {"format_whitelist": FFMPEG_FORMATS, "protocol_whitelist": ""}
                with av.open(
                    file, "r", format=self.format, options=options, metadata_errors="ignore"
                ) as container:
                    if not container.streams.audio:
                        raise UserError(f"{self._path}: holds no sound, only other tracks")
                    stream = container.streams.audio[0]
                    self._note_length(container, stream)
                    for frame in container.decode(stream):
                        if frame.samples:
                            done += frame.samples
                            yield frame
            except (av.FFmpegError, ValueError, NotImplementedError, MemoryError) as error:
                if done == 0:
                    raise _unreadable(self._path, self._kind) from error
                raise UserError(
                    f"{self._path}: damaged, {done} samples left; fetch or record it again"
                ) from error

    def _note_length(self, container, stream) -> None:
        # elsewhere the length is FFmpeg's guess from the bit rate
        if container.format.name.startswith(("mov", "matroska", "asf")):
            if stream.duration and stream.time_base:
                self.promised = float(stream.duration * stream.time_base)
            elif container.duration:
                self.promised = container.duration / 1e6


def _samples(frame, channels: int) -> np.ndarray:
    """A frame's samples: (n, channels), int16 or float64 in -1 to 1."""
    samples = frame.to_ndarray()
    samples = samples.T if frame.format.is_planar else samples.reshape(-1, channels)
    if samples.dtype == np.uint8:
        return (samples.astype(np.float64) - 128) / 128
    if samples.dtype == np.int32:
        return samples / 2.0**31
    return samples if samples.dtype == np.int16 else samples.astype(np.float64)


def _by_ffmpeg(path, kind) -> Opened:
    look = {"MP4": containers.mp4_trouble, "WebM": containers.webm_trouble}.get(kind)
    if look and (trouble := look(path)):
        raise _troubled(path, kind, trouble)
    decoder = _Ffmpeg(path, kind)
    decoder.look()
    return Opened(decoder, decoder.remarks)


def _mp3(path, found: containers.Mp3) -> Opened:
    if found.promised is not None and found.samples < found.promised:
        raise UserError(
            f"{path}: truncated, {found.samples} samples left of {found.promised}; "
            "fetch or record it again"
        )
    remarks = []
    if found.cut:
        remarks.append("it ends within a frame: perhaps cut short")
    if found.skipped:
        remarks.append(f"{found.skipped} bytes between its frames are no MP3: passed over")
    decoder = _Ffmpeg(path, "MP3", start=found.start)
    decoder.format = "mp3"
    decoder.look()
    # a decoder's delay, and what is cut at both ends of what was encoded, is less than four frames
    decoder.promised = max(0.0, found.samples / found.rate - 4 * 1152 / found.rate)
    return Opened(decoder, remarks)
