"""Sound files by their first bytes: what a file is, and whether its header tells the truth about its length.

Decoders believe a header. What sox, arecord or a recorder on a chip wrote before they knew how long the
sound would be, and what a copy lost, they do not tell apart. This module does. It reads headers; of MP3 and
Ogg, which are headers all through, every one.
"""

import math
import mmap
import os
import re
import zlib
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

ByteOrder = Literal["little", "big"]

HEAD = 4096  # bytes that tell what a file is

PLACEHOLDER = 0x7FFF0000
"""Lengths from here on say that the writer did not know: sox 0x7ffff000, arecord 0x80000000 or 0x7fffffff,
ffmpeg 0xffffffff, and multiples of the frame below them. So many bytes are a day of telephone speech."""

MOST_CHUNKS = 1000

# --- what it is ------------------------------------------------------------------------------


class Kind(NamedTuple):
    """name: in words. is_sound: of a kind that holds sound. remedy: for what is none. may_be_sound: it has no
    mark of its own that this module knows, and libsndfile knows many more."""

    name: str
    is_sound: bool
    remedy: str = ""
    may_be_sound: bool = False


_GIT_LFS = b"version https://git-lfs.github.com/spec/"
_AGAIN = "fetch or record it again"
_SIGNATURES: tuple[tuple[bytes, Kind], ...] = (
    (_GIT_LFS, Kind("a git-lfs pointer, a note in the sound's place", False,
                    "fetch the sound itself with: git lfs pull")),
    (b"PK\3\4", Kind("a zip archive", False, "unpack it")),
    (b"\x1f\x8b", Kind("a gzip archive", False, "unpack it")),
    (b"7z\xbc\xaf", Kind("a 7z archive", False, "unpack it")),
    (b"Rar!", Kind("a RAR archive", False, "unpack it")),
    (b"%PDF", Kind("a PDF document", False, "name a sound file")),
    (b"\x89PNG", Kind("a PNG picture", False, "name a sound file")),
    (b"\xff\xd8\xff", Kind("a JPEG picture", False, "name a sound file")),
    (b"GIF8", Kind("a GIF picture", False, "name a sound file")),
    (b"\0\5\x16\7", Kind("the shadow file that macOS keeps beside another", False, "leave it out")),
    (b"MThd", Kind("a MIDI file: notes, no sound", False, "name a sound file")),
    (b"\x80\4\x95", Kind("a Python pickle", False, "name a sound file; MODEL comes last")),
    (b"fLaC", Kind("FLAC", True)),
    (b"OggS", Kind("Ogg", True)),
    (b"#!AMR", Kind("AMR", True)),
    (b"\x1aE\xdf\xa3", Kind("WebM", True)),
    (b"0&\xb2u\x8ef\xcf\x11", Kind("WMA", True)),
    (b"MAC ", Kind("Monkey's Audio", True)),
    (b"caff", Kind("CAF", True)),
    (b".snd", Kind("AU", True)),
    (b"NIST_1A", Kind("NIST SPHERE", True)),
    (b"riff", Kind("W64", True)),
    (b"RF64", Kind("RF64", True)),
    (b"BW64", Kind("RF64", True)),
)  # fmt: skip


def kind(head: bytes) -> Kind:
    """What a file is that begins with `head` (HEAD bytes, or all there are)."""
    for signature, found in _SIGNATURES:
        if head.startswith(signature):
            return found
    if head[:4] in (b"RIFF", b"RIFX"):
        return Kind("WAV", True)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return Kind("AIFF", True)
    if head[4:8] == b"ftyp":
        return Kind("MP4", True)
    if head[:3] == b"ID3":
        return Kind("MP3", True)  # or another one behind the same tag: its reader looks
    if not head:
        return Kind("empty, 0 bytes", False, _AGAIN)
    if not head.strip(b"\0"):
        return Kind("nothing but zeros", False, _AGAIN)
    if text := _text(head):
        return text
    if _is_adts(head):
        return Kind("AAC", True)
    if _frame(head, 0):
        return Kind("MP3", True)
    return Kind(
        "of no known kind", False,
        "if it holds bare samples, give it a header: sox -t raw -r 16000 -e signed -b 16 -c 1 FILE OUT.wav",
        may_be_sound=True,
    )  # fmt: skip


def _text(head: bytes) -> Kind | None:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        words = head.decode("utf-16", "ignore")
    else:
        # the last letter may be cut
        try:
            words = head.decode() if len(head) < HEAD else head[:-4].decode("utf-8", "strict")
        except UnicodeDecodeError:
            return None
    if sum(not (each.isprintable() or each in "\r\n\t\ufeff") for each in words) > len(words) // 50:
        return None
    start = words.lstrip("\ufeff \r\n\t").lower()
    if start.startswith(("<!doctype html", "<html", "<?xml")):
        return Kind("a web page", False, "the download was answered by a page; fetch it again")
    if start.startswith(("{", "[")):
        return Kind("JSON", False, "name a sound file")
    return Kind("text", False, "name a sound file", may_be_sound=True)


# --- WAV -------------------------------------------------------------------------------------


class Riff(NamedTuple):
    """A WAV file's `data` chunk. size_at: where its length stands; start: where the sound begins;
    promised: its length as it stands there; left: bytes from `start` to the file's end; goes_on: whether
    sound stands behind what was promised; frame: bytes of a sample of all channels; order: of the bytes in
    numbers."""

    size_at: int
    start: int
    promised: int
    left: int
    goes_on: bool
    frame: int
    order: ByteOrder

    @property
    def length(self) -> int | None:
        """Bytes of sound; None where the file was cut short: it promises more, and knew how much."""
        if self.promised >= PLACEHOLDER or self.goes_on:
            return self.left
        if self.promised <= self.left:
            return self.promised
        # the header counted in, or a part of it: all of the sound is there
        return self.left if self.promised - self.left <= self.start else None


def riff(path: Path) -> Riff | None:
    """Where a WAV file's sound is; None where no `data` chunk is found.

    A length that is too small is put right, too: a recorder that lost its power wrote 0, or the length at
    its last backup, and sound goes on behind it, where only chunks belong.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in (b"RIFF", b"RIFX") or head[8:] != b"WAVE":
            return None
        order: ByteOrder = "little" if head[:4] == b"RIFF" else "big"
        size = path.stat().st_size
        frame = 1
        for _ in range(MOST_CHUNKS):
            chunk = file.read(8)
            if len(chunk) < 8 or not _is_name(chunk[:4]):
                return None
            length, start = int.from_bytes(chunk[4:], order), file.tell()
            if chunk[:4] == b"data":
                left = size - start
                goes_on = length < left and not _is_tail(file, start + length, size, order)
                return Riff(start - 4, start, length, left, goes_on, frame, order)
            if chunk[:4] == b"fmt ":
                frame = max(1, int.from_bytes(file.read(14)[12:14], order))
            file.seek(start + length + length % 2)
    return None


def _is_name(name: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in name)


def _is_tail(file, at, size, order) -> bool:
    """Whether what stands behind a `data` chunk is what may stand there: chunks, tags, zeros, a few bytes."""
    at += at % 2
    for _ in range(MOST_CHUNKS):
        file.seek(at)
        head = file.read(HEAD)
        if len(head) < 8 or head[:3] in (b"ID3", b"TAG") or head[:8] == b"APETAGEX":
            return True
        if not head.strip(b"\0"):
            # a card's block filled up; zeros and then something else are sound that began quietly
            return not any(block.strip(b"\0") for block in iter(lambda: file.read(1 << 20), b""))
        length = int.from_bytes(head[4:8], order)
        if not _is_name(head[:4]) or at + 8 + length > size + 1:
            return False
        at += 8 + length + length % 2
    return True


class Mended:
    """A file whose bytes at some places are others. Read only, for libsndfile."""

    def __init__(self, path: Path, patches: dict[int, bytes]):
        self._file = path.open("rb")
        self._patches = patches

    def read(self, count: int = -1) -> bytes:
        at = self._file.tell()
        content = bytearray(self._file.read(count))
        for place, patch in self._patches.items():
            for i, byte in enumerate(patch):
                if at <= place + i < at + len(content):
                    content[place + i - at] = byte
        return bytes(content)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


def mended(path: Path, found: Riff) -> Mended:
    """The file with the true lengths in its header."""
    length = found.left if found.length is None else found.length
    whole = found.start + length - 8
    return Mended(
        path,
        {4: whole.to_bytes(4, found.order), found.size_at: length.to_bytes(4, found.order)},
    )


# --- what libsndfile noticed -----------------------------------------------------------------


def noticed_truncation(log: str) -> bool:
    """Whether libsndfile's log of a header (`SoundFile.extra_info`) says that the file is shorter than
    promised, which it puts up with otherwise."""
    for promised, found in re.findall(r": (\d+) \(should be (\d+)\)", log):
        if int(found) < int(promised) < PLACEHOLDER and int(promised) - int(found) > 64:
            return True
    count = re.search(r"COMM' chunk \((\d+)\) not equal[^(]*\((\d+)\)", log)
    if count and int(count[2]) < int(count[1]):
        return True
    return bool(re.search(r"truncated|Data length \d+ should be", log))


def nist_count(head: bytes) -> int | None:
    """The number of samples that a NIST SPHERE header promises."""
    found = re.search(rb"sample_count -i (\d{1,18})\b", head[:1024])
    return int(found[1]) if found else None


def flac_md5(head: bytes) -> bytes | None:
    """The MD5 that a FLAC file has of its samples (RFC 9639, section 8.2), each in the fewest whole bytes,
    little-endian; None where its encoder did not know."""
    at = head.find(b"fLaC")  # behind an ID3 tag it may be far away: not looked for there
    found = head[at + 26 : at + 42]
    return found if at >= 0 and len(found) == 16 and found.strip(b"\0") else None


def flac_ends(file: BinaryIO, head: bytes) -> float:
    """The number of the sample behind the last frame of a FLAC file, or more. No proof that there is more:
    bytes of sound can look like the head of a frame (RFC 9639, section 9.1). What each frame holds is checked
    by its own checksum; how many there are, only by the MD5 of all."""
    info = head[head.find(b"fLaC") + 8 :]
    usual, longest = int.from_bytes(info[:2]), int.from_bytes(info[7:10])
    if longest == 0 or len(info) < 34:
        return math.inf  # not known to the encoder
    file.seek(max(0, file.seek(0, os.SEEK_END) - longest - 16))
    end = file.read() + bytes(16)
    ends = (_flac_frame_end(end[at.start() :][:16], usual) for at in _FLAC_FRAME.finditer(end))
    return max(ends, default=0)


_FLAC_FRAME = re.compile(rb"\xff[\xf8\xf9]")


def _flac_frame_end(head: bytes, usual: int) -> int:
    """The number of the sample behind a frame, by its head; 0 where that is none. usual: samples of the
    frames that are counted by frames."""
    ones = 8 - (head[4] ^ 0xFF).bit_length()  # a number is written as UTF-8 writes characters
    size = max(1, ones)
    if ones in (1, 8) or head[3] & 1 or any(byte >> 6 != 2 for byte in head[5 : 4 + size]):
        return 0
    number = head[4] & (0xFF >> (ones + 1))
    for byte in head[5 : 4 + size]:
        number = number << 6 | byte & 63
    code, rest = head[2] >> 4, head[4 + size :]
    if code < 6:
        block = 192 if code == 1 else 144 << code
    else:
        block = (
            rest[0] + 1 if code == 6 else int.from_bytes(rest[:2]) + 1 if code == 7 else 1 << code
        )
    return (number if head[1] == 0xF9 else number * usual) + block


# --- MP3 and AAC -----------------------------------------------------------------------------

_RATES = (44100, 48000, 32000)
_BITRATES = {  # kbit/s by (MPEG 1 or not, layer); ISO 11172-3, table in 2.4.2.3, and ISO 13818-3
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


class _Frame(NamedTuple):
    length: int  # bytes
    samples: int
    rate: int
    same: bytes  # what does not change from frame to frame: version, layer, rate
    side: int  # bytes of the header and side information, behind which a Xing header stands


def _frame(data, at: int) -> _Frame | None:
    """The MPEG audio frame whose header stands there."""
    head = bytes(data[at : at + 4])
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bitrate, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    first = version == 3
    bits = 1000 * _BITRATES[first, layer][bitrate - 1]
    hertz = _RATES[rate] // (1 if first else 2 if version == 2 else 4)
    samples = 384 if layer == 1 else 1152 if layer == 2 or first else 576
    slot = 4 if layer == 1 else 1  # bytes
    length = slot * (samples // 8 // slot * bits // hertz + padding)
    mono = head[3] >> 6 == 3
    side = 4 + ((17 if mono else 32) if first else (9 if mono else 17))
    return _Frame(length, samples, hertz, bytes([head[1] & 0xFE, head[2] & 0x0C]), side)


class Mp3(NamedTuple):
    """What walking over the frames of an MP3 file finds. start: where the first stands; samples: of all whole
    frames, at `rate`; promised: of the frames that a Xing or VBRI header counts, None without one; cut: the
    file ends within a frame; skipped: bytes between frames that are none."""

    start: int
    rate: int
    samples: int
    promised: int | None
    cut: bool
    skipped: int


def mp3(path: Path) -> Mp3 | None:
    """The frames of an MP3 file, whatever tags, pictures and padding stand before them; None: no MP3."""
    with path.open("rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # empty
            return None
        with data:
            return _walk(data)


def _walk(data) -> Mp3 | None:
    at = start = _first_frame(data, _after_tags(data))
    if at < 0:
        return None
    first = _frame(data, at)
    if first is None:
        return None
    promised = None
    index = data[at + first.side : at + first.side + 12]
    if index[:4] in (b"Xing", b"Info"):
        if index[7] & 1:
            promised = int.from_bytes(index[8:12], "big") * first.samples
        at += first.length
    elif data[at + 36 : at + 40] == b"VBRI":
        promised = int.from_bytes(data[at + 50 : at + 54], "big") * first.samples
        at += first.length
    samples = skipped = 0
    while at < len(data):
        found = _frame(data, at)
        if found is None or found.same != first.same:
            if data[at : at + 3] == b"TAG" or data[at : at + 8] in (b"APETAGEX", b"LYRICSBE"):
                break
            if len(data) - at < 4:
                return Mp3(start, first.rate, samples, promised, True, skipped)
            resumed = _first_frame(data, at, first.same)
            if resumed < 0:
                skipped += len(data[at:].strip(b"\0")) if len(data) - at < 1 << 24 else 0
                break
            skipped += resumed - at
            at = resumed
            continue
        if at + found.length > len(data):
            return Mp3(start, first.rate, samples, promised, True, skipped)
        samples += found.samples
        at += found.length
    return Mp3(start, first.rate, samples, promised, False, skipped)


def _after_tags(data) -> int:
    """Behind all ID3v2 tags."""
    at = 0
    while data[at : at + 3] == b"ID3" and len(data) >= at + 10:
        length = 0
        for byte in data[at + 6 : at + 10]:
            length = length << 7 | byte & 0x7F
        at += 10 + length
    return at


def _first_frame(data, at: int, same: bytes | None = None) -> int:
    """Where, from `at` on, a frame stands that a second of the same kind follows, or the file's end; -1."""
    while (at := data.find(b"\xff", at)) >= 0:
        found = _frame(data, at)
        if found and (same is None or found.same == same):
            following = _frame(data, at + found.length)
            if following and following.same == found.same:
                return at
            if same is not None and at + found.length >= len(data):
                return at
        at += 1
    return -1


def _is_adts(head: bytes) -> bool:
    """AAC in ADTS frames: MPEG audio's sync word with layer 0, which no MP3 has."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return False
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length >= 7 and (len(head) < length + 2 or head[length : length + 1] == b"\xff")


# --- Ogg and MP4 -----------------------------------------------------------------------------


class Ogg(NamedTuple):
    """trouble: what is wrong with the pages, in words, or nothing. ended: the last one says that it is."""

    trouble: str
    ended: bool


def ogg(path: Path) -> Ogg:
    """Whether an Ogg file's pages (RFC 3533, section 6) are whole and all there: a decoder passes over those
    that are not without a word."""
    number: dict[bytes, int] = {}
    ended = False
    with path.open("rb") as file:
        while page := file.read(27):
            if page[:4] != b"OggS"[: len(page)]:
                return Ogg("" if ended else "damaged", ended)  # behind the end anything may stand
            table = file.read(page[26]) if len(page) == 27 else b""
            if len(page) < 27 or len(table) < page[26]:
                return Ogg("cut short", False)
            body = file.read(sum(table))
            if len(body) < sum(table):
                return Ogg("cut short", False)
            stream, count = page[14:18], int.from_bytes(page[18:22], "little")
            checksum = _ogg_crc(page[:22] + bytes(4) + page[26:] + table + body)
            if checksum != int.from_bytes(page[22:26], "little") or (
                count != number.get(stream, count)
            ):
                return Ogg("damaged", False)
            number[stream] = count + 1
            ended = bool(page[5] & 4)
    return Ogg("", ended)


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _ogg_crc(content: bytes) -> int:
    """The CRC of RFC 3533: zlib's polynomial, taken from the other end of each byte, from 0."""
    reflected = zlib.crc32(content.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)


def mp4_trouble(path: Path) -> str:
    """What is wrong with an MP4 file's boxes (ISO 14496-12, 4.2), in words; or nothing."""
    size, at, names = path.stat().st_size, 0, set()
    with path.open("rb") as file:
        for _ in range(MOST_CHUNKS):
            file.seek(at)
            box = file.read(16)
            if len(box) < 8:
                break
            length, header = int.from_bytes(box[:4], "big"), 8
            if length == 1:
                length, header = int.from_bytes(box[8:], "big"), 16
            names.add(box[4:8])
            if length == 0:
                break
            if length < header or not _is_name(box[4:8].replace(b"\xa9", b"c")):
                return "damaged"
            at += length
            if at > size:
                return "cut short"
    return "" if b"moov" in names else "cut short: it has no index (moov), which is written last"


# What may have no length of its own and ends where its like begins, and what is walked into
_SEGMENT, _CLUSTER, _INFO, _TRACKS = 0x18538067, 0x1F43B675, 0x1549A966, 0x1654AE6B
_WALKED = {_SEGMENT, _CLUSTER}


def webm_trouble(path: Path) -> str:
    """What is wrong with a WebM file's elements (EBML, RFC 8794), in words; or nothing. A decoder goes on
    behind what it cannot make sense of, and leaves out what it was."""
    size, at, found = path.stat().st_size, 0, set()
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(12)
            name, width = _vint(head, 0, keep_marker=True)
            length, more = _vint(head, width)
            if width > 4 or more == 0:
                return "cut short" if at + 12 > size else "damaged"
            found.add(name)
            at += width + more
            if length is None and name not in _WALKED:
                return "damaged"
            if length is None:
                continue
            if at + length > size:
                return "cut short"
            if name not in _WALKED:
                at += length
    return "" if {_SEGMENT, _CLUSTER, _INFO, _TRACKS} <= found else "damaged"


def _vint(data: bytes, at: int, *, keep_marker: bool = False) -> tuple[int | None, int]:
    """An EBML number and its width in bytes (0: none there); None for the one that says "unknown"."""
    if at >= len(data) or data[at] == 0:
        return 0, 0
    width = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + width], "big")
    if len(data) < at + width:
        return 0, 0
    if keep_marker:
        return value, width
    value &= (1 << 7 * width) - 1
    return (None if value == (1 << 7 * width) - 1 else value), width
