"""ser_message_format.h, from message/definition.py."""

from pathlib import Path

from speech_emotion.message import definition as d
from speech_emotion.resources import EMBEDDED

_NOTE = "/* Generated from message/definition.py by `python -m speech_emotion.generate`; do not edit. */\n"
_TYPES = {
    "hex": "uint32_t",
    "truth": "uint8_t",
    "shares": "uint16_t",
    "names": "const char *const *",
}


def outputs() -> dict[Path, str]:
    """Path and text of the generated file."""
    return {EMBEDDED / "src" / "ser_message_format.h": header()}


def header() -> str:
    """The constants, a struct for each message, and its fields as an X-macro: FIELD(kind, key, member)."""
    lines = [_NOTE, "#ifndef SER_MESSAGE_FORMAT_H", "#define SER_MESSAGE_FORMAT_H", ""]
    lines += ["#include <stdint.h>", ""]
    lines += [f"#define SER_MESSAGE_{name} {getattr(d, name)}" for name in (
        "VERSION", "WHOLE", "LABELS_MOST", "SENTENCE_BYTES", "ABOUT_HEAD", "COLUMNS_BYTES",
        "COLUMNS_HEAD", "COLUMNS_MOST", "STEPS",
    )]  # fmt: skip
    lines += _message("sentence", d.SENTENCE) + _message("about", d.ABOUT)
    return "\n".join([*lines, "", "#endif"]) + "\n"


def _message(name, fields):
    lines = ["", "typedef struct {"]
    for field in fields:
        if field.key == "v":
            continue
        many = "[SER_MESSAGE_LABELS_MOST]" if field.kind == "shares" else ""
        kind = _TYPES.get(field.kind) or ("int32_t" if field.least < 0 else "uint32_t")
        space = "" if kind.endswith("*") else " "
        lines.append(f"    {kind}{space}{field.member}{many}; /* {field.about} */")
    lines += ["    uint8_t labels; /* how many of them there are */", f"}} ser_message_{name};", ""]
    lines += [f"#define SER_MESSAGE_{name.upper()}(FIELD) \\"]
    lines += [
        f'    FIELD({field.kind.upper()}, "{field.key}", {field.member}) \\' for field in fields[1:]
    ]
    lines[-1] = lines[-1].removesuffix(" \\")
    return lines
