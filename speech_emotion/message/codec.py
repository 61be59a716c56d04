"""Messages to bytes and back. What is not exactly a message is refused, with a reason."""

import json
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from speech_emotion import names
from speech_emotion.message import definition as d

_COLUMNS = struct.Struct("<BBHIII")
_HEX = re.compile(r"[0-9a-f]{8}")


class Refused(ValueError):
    """Not a message. `kind` is one of few words, to count by; the text says more, and quotes nothing."""

    def __init__(self, kind: str, text: str):
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True)
class Sentence:
    """What a device says of one sentence. shares: ten-thousandths that add up to 10000; level: tenths of
    a dB below full scale; times: ms of uptime modulo 2^32."""

    boot: int
    seq: int
    begin: int
    end: int
    now: int
    shares: tuple[int, ...]
    level: int
    speech: bool
    model: int
    schema: int
    version: int = d.VERSION


@dataclass(frozen=True)
class About:
    """What a device says of itself. threshold: ten-thousandths."""

    boot: int
    names: tuple[str, ...]
    threshold: int
    dropped: int
    model: int
    schema: int
    columns: int
    version: int = d.VERSION


@dataclass(frozen=True)
class Columns:
    """The columns that a central model takes. steps: 1/1024 standard deviations, int16."""

    boot: int
    seq: int
    columns: int
    steps: tuple[int, ...]


def shares(probabilities: Sequence[float]) -> tuple[int, ...]:
    """Probabilities (n,), summing to about 1, in ten-thousandths that add up to 10000 exactly: cut, and
    what is left over goes to the largest remainders, the first of equals; what adds up to anything else
    becomes certainty of its largest. As ser_message_shares in C."""
    with np.errstate(over="ignore"):
        scaled = np.asarray(probabilities, np.float32) * np.float32(d.WHOLE)
    scaled = np.where(scaled > 0, np.minimum(scaled, np.float32(d.WHOLE)), np.float32(0))
    whole = scaled.astype(np.int64)
    rest = scaled - whole.astype(np.float32)
    left = d.WHOLE - int(whole.sum())
    if left < 0 or left > len(whole):  # these were no probabilities: the largest has it all
        whole, left = np.where(np.arange(len(whole)) == np.argmax(whole), d.WHOLE, 0), 0
    for place in sorted(range(len(whole)), key=lambda i: -rest[i])[:left]:
        whole[place] += 1
    return tuple(int(value) for value in whole)


def encode_sentence(sentence: Sentence) -> bytes:
    """At most 240 bytes. ValueError where a member is out of its range."""
    return _encode(d.SENTENCE, sentence, d.SENTENCE_BYTES)


def encode_about(about: About) -> bytes:
    """At most ABOUT_BYTES bytes. ValueError where a member is out of its range."""
    return _encode(d.ABOUT, about, d.ABOUT_BYTES)


def decode_sentence(data: bytes) -> Sentence:
    """Raises Refused for anything that encode_sentence cannot have written in substance."""
    found = Sentence(**_decode(d.SENTENCE, data, d.SENTENCE_BYTES))
    length = (found.end - found.begin) & d.U32
    if length > d.LONGEST_MS:
        raise Refused("times", f"a sentence of {length} ms")
    if (found.now - found.end) & d.U32 > d.U32 // 2:
        raise Refused("times", "sent before its end")
    return found


def decode_about(data: bytes) -> About:
    """Raises Refused for anything that encode_about cannot have written in substance."""
    return About(**_decode(d.ABOUT, data, d.ABOUT_BYTES))


def encode_columns(message: Columns) -> bytes:
    """At most 1 KB. ValueError where there are more than 504 columns or a step is no int16."""
    if not 1 <= len(message.steps) <= d.COLUMNS_MOST:
        raise ValueError(f"{len(message.steps)} columns; 1 to {d.COLUMNS_MOST} fit")
    head = _COLUMNS.pack(
        d.VERSION, 0, len(message.steps), message.boot, message.seq, message.columns
    )
    return head + struct.pack(f"<{len(message.steps)}h", *message.steps)


def decode_columns(data: bytes) -> Columns:
    """Raises Refused for anything that encode_columns cannot have written."""
    if not d.COLUMNS_HEAD < len(data) <= d.COLUMNS_BYTES:
        raise Refused("length", f"{len(data)} bytes of columns")
    version, reserved, count, boot, seq, columns = _COLUMNS.unpack_from(data)
    if version != d.VERSION or reserved:
        raise Refused("version", f"columns of version {version}.{reserved}")
    if len(data) != d.COLUMNS_HEAD + 2 * count or not seq:
        raise Refused("length", f"{len(data)} bytes for {count} columns")
    return Columns(boot, seq, columns, struct.unpack_from(f"<{count}h", data, d.COLUMNS_HEAD))


def _encode(fields, message, most):
    words = []
    for field in fields:
        value = getattr(message, field.member)
        trouble = _trouble(field, value)
        if trouble:
            raise ValueError(f"{field.key}: {trouble}")
        words.append(f'"{field.key}":{_WRITE[field.kind](value)}')
    data = ("{" + ",".join(words) + "}").encode()
    if len(data) > most:
        raise ValueError(f"{len(data)} bytes; {most} at most")
    return data


_WRITE: dict[str, Callable[[Any], str]] = {
    "whole": str,
    "hex": lambda value: f'"{value:08x}"',
    "truth": lambda value: "true" if value else "false",
    "shares": lambda value: "[" + ",".join(map(str, value)) + "]",
    "names": lambda value: "[" + ",".join(map(names.serial_json, value)) + "]",
}


def _trouble(field, value):
    """What is wrong with a member's value; nothing where it is right."""
    match field.kind:
        case "whole" | "hex":
            if type(value) is not int or not field.least <= value <= field.most:
                return f"not from {field.least} to {field.most}"
        case "truth":
            if type(value) is not bool:
                return "neither true nor false"
        case "shares":
            if not 2 <= len(value) <= d.LABELS_MOST:
                return f"{len(value)} probabilities"
            if any(type(share) is not int or share < 0 for share in value):
                return "not probabilities in ten-thousandths"
            if sum(value) != d.WHOLE:
                return "probabilities do not add up"
        case "names":
            if not 2 <= len(value) <= d.LABELS_MOST:
                return f"{len(value)} labels"
            if any(type(name) is not str or names.label_flaw(name) for name in value):
                return "not a label"
            if names.twice(value) is not None:
                return "a label twice"
    return None


def _decode(fields, data, most):
    if len(data) > most:
        raise Refused("length", f"{len(data)} bytes; {most} at most")
    try:
        found = json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_never)
    except (ValueError, RecursionError):  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Refused("json", "not JSON, or a key twice") from None
    if not isinstance(found, dict) or found.keys() != {field.key for field in fields}:
        raise Refused("fields", "not the fields of this message")
    if found["v"] != d.VERSION:
        raise Refused("version", "another version")
    members: dict[str, Any] = {}
    for field in fields:
        value = found[field.key]
        if field.kind == "hex":
            if type(value) is not str or not _HEX.fullmatch(value):
                raise Refused("fields", f"{field.key}: not 8 hexadecimal digits")
            value = int(value, 16)
        elif field.kind in ("shares", "names"):
            if type(value) is not list:
                raise Refused("fields", f"{field.key}: not a list")
            trouble = _trouble(field, value)
            if trouble:
                raise Refused("sum" if "add up" in trouble else "fields", f"{field.key}: {trouble}")
            members[field.member] = tuple(value)
            continue
        trouble = _trouble(field, value)
        if trouble:
            raise Refused("fields", f"{field.key}: {trouble}")
        members[field.member] = value
    return members


def _object(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _never(word):
    raise ValueError(f"{word} is no JSON")
