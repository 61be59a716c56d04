"""The chip's own message code, compiled for this computer: what simulated devices speak with."""

import ctypes
import hashlib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from speech_emotion import native
from speech_emotion.message import definition as d
from speech_emotion.message.codec import About, Sentence
from speech_emotion.resources import EMBEDDED

_SOURCES = ("ser_message.c", "ser_outbox.c", "ser_line.c")
_HEADERS = (
    "ser_message.h", "ser_message_format.h", "ser_outbox.h", "ser_line.h", "ser_math.h", "ser_config.h",
)  # fmt: skip
_TYPES = {"hex": ctypes.c_uint32, "truth": ctypes.c_uint8, "shares": ctypes.c_uint16 * d.LABELS_MOST,
          "names": ctypes.POINTER(ctypes.c_char_p)}  # fmt: skip


def _structure(name, fields):
    """A message's struct, as generate/message_tables.py writes it in C."""
    members = []
    for field in fields[1:]:
        whole = ctypes.c_int32 if field.least < 0 else ctypes.c_uint32
        members.append((field.member, _TYPES.get(field.kind, whole)))
    return type(name, (ctypes.Structure,), {"_fields_": [*members, ("labels", ctypes.c_uint8)]})


_SENTENCE = _structure("ser_message_sentence", d.SENTENCE)
_ABOUT = _structure("ser_message_about", d.ABOUT)


@cache
def library() -> ctypes.CDLL:
    """The compiled code, kept in the cache of compiled libraries. UserError where there is no compiler."""
    source = EMBEDDED / "src"
    host = Path(__file__).resolve().parent / "host.c"
    command = [*native.compiler(), *native.FLAGS]
    digest = hashlib.sha256("\0".join(command).encode())
    for path in [host, *(source / name for name in (*_SOURCES, *_HEADERS))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    target = native.cache_folder() / f"message-{digest.hexdigest()[:20]}{native.SHARED}"
    if not target.exists():
        with (
            native.keeping("code", target.parent),
            TemporaryDirectory(dir=target.parent) as draft,
        ):
            made = Path(draft) / target.name
            files = [host, *(source / name for name in _SOURCES)]
            native.run([*command, "-shared", f"-I{source}", *files, "-o", made])
            made.replace(target)
    code = ctypes.CDLL(str(target))
    code.ser_message_write_sentence.restype = ctypes.c_size_t
    code.ser_message_write_about.restype = ctypes.c_size_t
    code.ser_message_write_columns.restype = ctypes.c_size_t
    code.ser_message_step.restype = ctypes.c_int16
    code.ser_message_step.argtypes = [ctypes.c_float] * 3
    code.ser_host_outbox_size.restype = ctypes.c_size_t
    code.ser_outbox_sentence.restype = ctypes.POINTER(_SENTENCE)
    return code


def shares(probabilities: np.ndarray) -> tuple[int, ...]:
    """As `codec.shares`, by the chip's code."""
    row = np.ascontiguousarray(probabilities, np.float32)
    result = (ctypes.c_uint16 * len(row))()
    library().ser_message_shares(ctypes.c_void_p(row.ctypes.data), len(row), result)
    return tuple(result)


def write_sentence(sentence: Sentence, size: int = d.SENTENCE_BYTES + 1) -> bytes:
    """As `codec.encode_sentence`, by the chip's code; empty where `size` bytes do not suffice."""
    buffer = ctypes.create_string_buffer(size)
    length = library().ser_message_write_sentence(ctypes.byref(_filled(sentence)), buffer, size)
    return buffer.raw[:length]


def write_about(about: About, size: int = d.ABOUT_BYTES + 1) -> bytes:
    """As `codec.encode_about`, by the chip's code."""
    names = (ctypes.c_char_p * len(about.names))(*(name.encode() for name in about.names))
    message = _ABOUT(labels=len(about.names))
    for field in d.ABOUT[1:]:
        if field.kind != "names":
            setattr(message, field.member, getattr(about, field.member))
    message.names = ctypes.cast(names, ctypes.POINTER(ctypes.c_char_p))
    buffer = ctypes.create_string_buffer(size)
    length = library().ser_message_write_about(ctypes.byref(message), buffer, size)
    return buffer.raw[:length]


def write_columns(
    boot: int, seq: int, columns: int, values: np.ndarray, mean: np.ndarray, inverse: np.ndarray
) -> bytes:
    """The columns' message of float32 values (n,), each on its scale, by the chip's code."""
    buffer = (ctypes.c_uint8 * d.COLUMNS_BYTES)()
    code = library()
    length = code.ser_message_write_columns(
        ctypes.c_uint32(boot), ctypes.c_uint32(seq), ctypes.c_uint32(columns), len(values), buffer,
        ctypes.c_size_t(len(buffer)),
    )  # fmt: skip
    for place in range(len(values) if length else 0):
        step = code.ser_message_step(
            float(values[place]), float(mean[place]), float(inverse[place])
        )
        code.ser_message_write_step(buffer, place, ctypes.c_int16(step))
    return bytes(buffer)[:length]


def _filled(sentence):
    message = _SENTENCE(labels=len(sentence.shares))
    for field in d.SENTENCE[1:]:
        if field.kind != "shares":
            setattr(message, field.member, getattr(sentence, field.member))
    message.shares[: len(sentence.shares)] = sentence.shares
    return message


class Outbox:
    """The chip's queue of sentences that wait for their acknowledgement: ser_outbox.h."""

    def __init__(self):
        self._c = library()
        self._state = ctypes.create_string_buffer(self._c.ser_host_outbox_size())
        self._c.ser_outbox_init(self._state)

    @property
    def dropped(self) -> int:
        """Sentences that went because there was no room."""
        return ctypes.c_uint32.from_buffer(self._state).value

    def put(self, sentence: Sentence) -> None:
        self._c.ser_outbox_put(self._state, ctypes.byref(_filled(sentence)))

    def next(self) -> int:
        """The place of the oldest that is not sent; -1: none."""
        return self._c.ser_outbox_next(self._state)

    def write(self, place: int, now: int) -> bytes:
        """The sentence at a place, stamped with the device's uptime in ms."""
        sentence = self._c.ser_outbox_sentence(self._state, place)
        sentence.contents.now = now & d.U32
        buffer = ctypes.create_string_buffer(d.SENTENCE_BYTES + 1)
        length = self._c.ser_message_write_sentence(sentence, buffer, ctypes.c_size_t(len(buffer)))
        return buffer.raw[:length]

    def sent(self, place: int, message: int) -> None:
        self._c.ser_outbox_sent(self._state, place, message)

    def acknowledged(self, message: int) -> None:
        self._c.ser_outbox_acknowledged(self._state, message)

    def again(self) -> None:
        self._c.ser_outbox_again(self._state)

    def waiting(self) -> int:
        return self._c.ser_outbox_waiting(self._state)
