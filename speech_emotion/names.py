"""Names are data: which names may be labels, and how each format writes a name that anybody chose.

Labels, speakers, model names and file names come from folders, tables and models of strangers, and go into C,
properties, JSON, YAML, CSV, Markdown, HTML, file names, serial lines and terminals. Each format has one
function here. It takes the name as it is and returns the text to write, from which the format's own reader
gives the name back; what the format cannot hold is refused with a UserError. Names that need no care are
written as they are.
"""

import html as _html
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence

from speech_emotion.errors import UserError

MIN_LABELS, MAX_LABELS = 2, 30
"""How many labels a model that goes onto a chip may have."""
MAX_LABEL_BYTES = 100
"""Of a label as UTF-8."""

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"]
)  # Windows: devices, with whatever ending


# --- which names may be ----------------------------------------------------------------------


def unwritable(text: str) -> str:
    """What no line of text can hold, "" where there is nothing: control characters, ends of lines, halves."""
    for character in text:
        kind = unicodedata.category(character)
        code = ord(character)
        if kind in ("Cc", "Zl", "Zp"):
            return f"holds the control character U+{code:04X}"
        if kind == "Cs" or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
            return f"holds U+{code:04X}, which is no character"
    return ""


def is_utf8(text: str) -> bool:
    """Whether a file's name, as the system gives it, is text at all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def flaw(name: str) -> str:
    """What keeps a text from being a name, "" where nothing does: what no line can hold, and characters that
    turn the direction of writing around or cannot be seen."""
    if found := unwritable(name):
        return found
    for character in name:
        if character in _BIDI or character == "\ufeff":
            return f"holds the invisible U+{ord(character):04X}"
    return ""


def label_flaw(label: str) -> str:
    """What keeps a text from being a label, "" where nothing does."""
    if not label.strip():
        return "is empty"
    if found := flaw(label):
        return found
    if label != label.strip() or any(c.isspace() and c != " " for c in label):
        return "has blanks at an end, or others than plain ones"
    size = len(label.encode())
    if size > MAX_LABEL_BYTES:
        return f"takes {size} bytes as UTF-8, {MAX_LABEL_BYTES} at most"
    return ""


def check_labels(labels: Iterable[str]) -> None:
    """UserError, in one line, where these labels together cannot be a model's that goes onto a chip."""
    labels = list(labels)
    if not MIN_LABELS <= len(labels) <= MAX_LABELS:
        raise UserError(
            f"{len(labels)} labels: a model for a chip has {MIN_LABELS} to {MAX_LABELS}; choose with --labels"
        )
    for label in labels:
        if found := label_flaw(label):
            raise UserError(f"label {short(label)}: {found}; rename it")
    if (label := twice(labels)) is not None:
        raise UserError(f"label {short(label)}: is there twice, spelled alike; rename one")


def twice(labels: Iterable[str]) -> str | None:
    """The first label that looks like one before it, None where all differ: é may be two characters."""
    seen = set()
    for label in labels:
        normal = unicodedata.normalize("NFC", label)
        if normal in seen:
            return label
        seen.add(normal)
    return None


def short(name: str, most: int = 40) -> str:
    """A name in quotes, for a message: on one line, and cut where it is long."""
    return f"'{terminal(name[:most])}{'...' if len(name) > most else ''}'"


# --- for people ------------------------------------------------------------------------------


def terminal(text: str) -> str:
    """On one line, and without power over the terminal: what cannot be printed as \\x1b, \\u202e ..."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode("ascii")
        for c in text
    )


def listed(names: Iterable[str]) -> str:
    """Names joined by commas; in quotes those that hold a comma or a quote, or have blanks at an end."""
    return ", ".join(
        name if name and name == name.strip() and not set(name) & set(',"') else _quoted(name)
        for name in names
    )


def markdown(text: str) -> str:
    """Within a line or a table's cell of Markdown."""
    _refuse(text, "Markdown", flaw(text))
    escaped = re.sub(r"[\\`*\[\]<>|&~$]|:(?=\S)|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text)
    return re.sub(r"^\s+|\s+$", lambda m: "".join(f"&#{ord(c)};" for c in m[0]), escaped)


def html(text: str) -> str:
    """Within an element or a quoted attribute of HTML."""
    _refuse(text, "HTML", flaw(text))
    return _html.escape(text, quote=True)


# --- C ---------------------------------------------------------------------------------------


def c_string(text: str) -> str:
    """A C string literal, quotes included; bytes beyond printable ASCII in octal, which cannot swallow what
    follows. No trigraph is left in it."""
    _refuse(text, "C", "holds a zero byte, a string's end" if "\0" in text else "")
    characters = []
    for byte in _utf8(text, "C"):
        character = chr(byte)
        if character in '"\\?':
            character = "\\" + character
        characters.append(character if 32 <= byte < 127 else f"\\{byte:03o}")
    return '"' + "".join(characters) + '"'


def c_comment(text: str) -> str:
    """Within a block comment of C: as it is, or as a JSON string that neither ends nor begins a comment."""
    if _plain(text) and not set(text) & set("*?\\"):
        return text
    return _quoted(text).replace("*", "\\u002a").replace("?", "\\u003f")


def c_identifiers(names: Sequence[str]) -> list[str]:
    """The ends of macro names, such as VERY_HAPPY, one for each name and no two alike.

    What is neither an ASCII letter nor a digit becomes `_`, or, beyond ASCII, its code point: U9AD8_U5174.
    Names that would be alike, or too long, are numbered, in their order; a name that is spelled like its
    own identifier keeps it.
    """
    wanted = [_identifier(name) for name in names]
    exact = [identifier == _upper(name) for identifier, name in zip(wanted, names, strict=True)]
    taken: set[str] = set()
    found = [""] * len(names)
    for place in sorted(range(len(names)), key=lambda i: (not exact[i], i)):
        identifier, number = wanted[place], 1
        while identifier in taken:
            number += 1
            identifier = f"{wanted[place]}_{number}"
        taken.add(identifier)
        found[place] = identifier
    return found


def _identifier(name: str, most: int = 40) -> str:
    parts = (
        c if re.fullmatch(r"[A-Z0-9]", c) else "_" if ord(c) < 128 else f"_U{ord(c):04X}_"
        for c in _upper(name)
    )
    identifier = re.sub("_+", "_", "".join(parts)).strip("_")
    if not identifier:
        identifier = "_".join(f"U{ord(c):02X}" for c in name)
    return identifier[:most].rstrip("_")


def _upper(name: str) -> str:
    """Upper case of the ASCII letters only: "ß" must not become "SS", which is another label's."""
    return "".join(c.upper() if ord(c) < 128 else c for c in name)


# --- files and tables ------------------------------------------------------------------------


def json_string(text: str) -> str:
    """A JSON string, quotes included, in ASCII."""
    _utf8(text, "JSON")
    return javascript(text)


def javascript(value: object) -> str:
    """Data as a JavaScript expression in ASCII, in a file or in a page: what JSON can hold, no tag in it."""
    return json.dumps(value).replace("<", "\\u003c")


def properties(text: str) -> str:
    """A value of Arduino's library.properties, which knows no escapes: a line's rest without the blanks at
    its ends. As it is, or as a JSON string."""
    return text if _plain(text) else _quoted(text)


def jinja(text: str) -> str:
    """A string of Jinja's templates, quotes included: ASCII, and nothing in it that ends it or a tag."""
    _utf8(text, "Jinja")
    return (
        "'"
        + re.sub(
            r"[^A-Za-z0-9 _-]",
            lambda m: f"\\u{ord(m[0]):04x}" if ord(m[0]) < 0x10000 else f"\\U{ord(m[0]):08x}",
            text,
        )
        + "'"
    )


def yaml(text: str) -> str:
    """A YAML scalar in double quotes."""
    _utf8(text, "YAML")
    characters = []
    for character in text:
        code = ord(character)
        if character in '"\\':
            character = "\\" + character
        elif not character.isprintable():
            width = 2 if code < 0x100 else 4 if code < 0x10000 else 8
            character = f"\\{ {2: 'x', 4: 'u', 8: 'U'}[width] }{code:0{width}X}"
        characters.append(character)
    return '"' + "".join(characters) + '"'


def csv_cell(text: str) -> str:
    """A cell for csv.writer, with an apostrophe before what a spreadsheet would take for a formula and run;
    and before an apostrophe that stands there, so that `csv_text` can tell. Line ends are refused."""
    _refuse(text, "CSV", unwritable(text))
    return f"'{text}" if _FORMULA.match(text) else text


def csv_text(cell: str) -> str:
    """The text that `csv_cell` made a cell of."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


_FORMULA = re.compile(r"'*[=+\-@]")


def file_name(text: str) -> str:
    """A file's or folder's name on every system: what might be more than a name there as %2F. 255 bytes at
    most."""
    _refuse(text, "a file name", flaw(text) or ("" if text else "is empty"))
    last = len(text) - 1
    reserved = text.split(".")[0].strip().lower() in _RESERVED
    characters = []
    for i, c in enumerate(text):
        inside = 0 < i < last
        kept = c.isalnum() or c == "_" or ord(c) > 127 or (c in " .-" and inside)
        if not kept or (c.isspace() and c != " ") or (reserved and i == 0):
            c = "".join(f"%{byte:02X}" for byte in c.encode())
        characters.append(c)
    name = "".join(characters)
    _refuse(text, "a file name", "takes more than 255 bytes" if len(name.encode()) > 255 else "")
    return name


# --- a board's lines: what embedded/src/ser_line.c writes ------------------------------------


def serial_json(text: str) -> str:
    """As ser_line_quoted writes it: a JSON string, quotes included, in UTF-8."""
    _utf8(text, "JSON")
    escaped = re.sub(r'["\\]', r"\\\g<0>", text)
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\u00{ord(m[0]):02x}", escaped) + '"'


def plotter(text: str) -> str:
    """As ser_line_plotted writes it, before the colon of a pair: what separates pairs as %2C, and the first
    letter of a name that the line has for itself."""
    _utf8(text, "a line for the plotter")
    return re.sub(
        r"[\x00-\x20\x7f%,:]|^(?:l(?=ost\Z)|u(?=ncertain\Z))", lambda m: f"%{ord(m[0]):02X}", text
    )


# --- what they share -------------------------------------------------------------------------


def _plain(text):
    """Whether a text needs no care in a line: printable, no blanks at its ends, unlike a quoted one."""
    return bool(text) and text.isprintable() and text == text.strip() and text[0] not in '"#'


def _quoted(text):
    _utf8(text, "JSON")
    return json.dumps(text)


def _utf8(text, format):
    if not is_utf8(text):
        raise UserError(f"{short(text)}: is not UTF-8, which {format} is; rename it")
    return text.encode()


def _refuse(text, format, why):
    if why:
        raise UserError(f"{short(text)}: {why}, which {format} cannot hold; rename it")
