"""Hostile names through every format: what the format's own reader gives back is the name, and the document
around it is what it was; or the name is refused, in one line."""

import csv
import ctypes
import html.parser
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote, unquote

import markdown_it
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_emotion import names, native, resources
from speech_emotion.errors import UserError

HOSTILE = [
    "angry", "very happy", "very-happy", "so-so, fine", "sad: crying", "NEUTRAL", "高兴", "радость",
    "يا", "fröhlich", "fro\u0308hlich", "ß", "İ", "ﬁ", "e\u0301" * 30, "\U0001f600",
    "👩\u200d👩\u200d👧", "\U0010fffd", "高" * 33, "x" * 100, '"' * 50, "\\" * 50, "\\", "a\\", '"',
    "'", "''", "\\\"", "\\n", "\\u0041", "\\N{DIGIT ONE}", "*/", "/*", "//", "a */ int x; /*",
    "*/ evil\n#error ??/", "??/", "??/\n", "??=", "??", "?", "#error", "#",
    "a\nprecompiled=true\nldflags=-lm", "a\rb", "a\r\nb", "\n", "\t", "a\tb", "a\0b", "\0", "\x1b[2J",
    "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066x\u2069", "\ufeff", "a\ufeff", "\ufffe",
    "\ufdd0", "\ud800", "%", "%s%n", "%00", "%2F", "%20", "$", "$x", "${x}", "$$", "$(id)", "`id`",
    "{x}", "{{x}}", "[x](y)", "<script>alert(1)</script>", "</script>", "<!--", "-->", "]]>", "<b>",
    "&amp;", "&#10;", "&", "&lt", "=cmd()", "+1", "-1", "@SUM(A1)", "'=x", "''=x", "'", "=", "a=b",
    "a,b", "a;b", "a|b", "|", "||", "a: b", ": ", " #", "a #b", "- a", "? a", "! a",
    "!!python/object:os.system", "&a", "*a", "~", "null", "true", "no", "1", "1.0", "1e3", "2024-05-01",
    "0x10", "[a", "{a", "a]", "---", "...", "%TAG", "_x_", "__x__", "x_y", "*x*", "**", "***", "~~x~~",
    "==x==", ":smile:", "http://x.y", "<http://x.y>", "a@b.c", "1.", "1)", "+", "-", "> a", "../x",
    "..", ".", "/etc/passwd", "C:\\x", "a/b", "a\\b", "con", "NUL", "aux.txt", "COM1", "com¹", "lpt9.x",
    "a.", "a ", " a", "  ", " ", "", "\u00a0", "a\u00a0b", "\u3000a", "a\u2003", ".hidden", "-rf",
    "~root", "a  b", "bytes", "longest", "uncertain", "lost", "emotion", "LABELS", "MODEL_NAME",
    "__proto__", "constructor",
]  # fmt: skip


def unquoted(text):
    """As a reader of the formats without escapes: a JSON string where there is one."""
    return json.loads(text) if text.startswith('"') else text


# --- each format's own reader -----------------------------------------------------------------


def read_properties(text):
    """arduino/go-properties-orderedmap: lines end in CR, LF or both, are trimmed, # begins a comment; the key
    ends at the first =, and both sides are trimmed."""
    found = {}
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = line.strip()
        if line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            found[key.strip()] = value.strip()
    return found


def properties(name):
    found = read_properties(f"name=Voice\nparagraph={names.properties(name)}\nurl=x\n")
    assert list(found) == ["name", "paragraph", "url"] and found["url"] == "x"
    return unquoted(found["paragraph"])


def json_string(name):
    found = json.loads(f'{{"a": {names.json_string(name)}, "b": 1}}')
    assert found.keys() == {"a", "b"}
    return found["a"]


def jinja_string(name):
    jinja2 = pytest.importorskip("jinja2")
    return jinja2.Template("{{ " + names.jinja(name) + " }}{# it goes on #}").render()


def yaml_scalar(name):
    found = yaml.safe_load(f"version: 1\nurl: {names.yaml(name)}\nidf: x\n")
    assert found.keys() == {"version", "url", "idf"} and found["idf"] == "x"
    return found["url"]


def csv_cell(name):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([["a", names.csv_cell(name), "b"], ["c", "d", "e"]])
    assert len(text.getvalue().splitlines()) == 2
    first, second = csv.reader(io.StringIO(text.getvalue(), newline=""))
    assert [first[0], first[2], second] == ["a", "b", ["c", "d", "e"]]
    assert first[1][:1] not in ("=", "+", "-", "@")
    return names.csv_text(first[1])


def text_of(tokens):
    """What a reader of the rendered Markdown sees; nothing but text may be there."""
    seen = ""
    for token in tokens:
        assert token.type in ("text", "text_special"), token.type
        seen += token.content
    return seen


def markdown_line(name):
    parser = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(f"# Title\n\n* Labels: {names.markdown(name)}.\n* Next\n")
    inline = [token for token in tokens if token.type == "inline"]
    assert len(inline) == 3 and inline[2].content == "Next"
    seen = text_of(inline[1].children)
    assert seen.startswith("Labels: ") and seen.endswith(".")
    return seen[8:-1]


def markdown_cell(name):
    parser = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    tokens = parser.parse(f"| a | b |\n|---|---|\n| {names.markdown(name)} | 1 |\n| c | d |\n")
    cells = [token for token in tokens if token.type == "inline"]
    assert len(cells) == 6 and [cell.content for cell in cells[3:]] == ["1", "c", "d"]
    return text_of(cells[2].children)


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(data)


def html_page(name):
    page = Page()
    page.feed(f'<p title="{names.html(name)}">{names.html(name)}</p>')
    page.close()
    assert page.tags == ["p"] and page.attributes == [("title", name)]
    return page.text


def script(name):
    text = names.javascript({"name": name})
    assert text.isascii() and "<" not in text
    return json.loads(text)["name"]


def file_name(name):
    found = names.file_name(name)
    assert found == Path(found).name and found not in (".", "..") and len(os.fsencode(found)) <= 255
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f]', found) and found[-1] not in " ."
    assert found.split(".")[0].strip().lower() not in names._RESERVED
    return unquote(found, errors="strict")


def plotter(name):
    """As the Arduino IDE's plotter: pairs end at blanks, tabs and commas, labels at colons."""
    line = f"{names.plotter(name)}:0.500,uncertain:0,lost:0"
    pairs = [pair.split(":") for pair in re.split(r"[ \t,\n\r]+", line)]
    assert [len(pair) for pair in pairs] == [2, 2, 2] and len({pair[0] for pair in pairs}) == 3
    return unquote(pairs[0][0], errors="strict")


def serial_json(name):
    line = names.serial_json(name)
    assert len(line.encode().splitlines()) <= 1
    return json.loads(line)


def listed(name):
    """Names between commas; those in quotes are JSON strings."""
    text = names.listed(["a", name, "b"])
    items = re.findall(r'("(?:[^"\\]|\\.)*"|[^,"]+)(?:, |\Z)', text)
    assert ", ".join(items) == text
    assert len(items) == 3 and (items[0], items[2]) == ("a", "b")
    return unquoted(items[1])


FORMATS = [
    properties,
    json_string,
    yaml_scalar,
    jinja_string,
    csv_cell,
    markdown_line,
    markdown_cell,
    html_page,
    script,
    file_name,
    plotter,
    serial_json,
    listed,
]


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.__name__)
def test_the_formats_reader_gives_the_name_back_or_it_is_refused(format):
    for name in HOSTILE:
        try:
            assert format(name) == name
        except UserError as error:
            assert str(error).isprintable() and str(error).startswith("'")
            assert names.label_flaw(name) or (format is file_name and len(quote(name)) > 255), name


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_comes_back_or_is_refused(name):
    for format in FORMATS:
        try:
            assert format(name) == name, format
        except UserError as error:
            assert str(error).isprintable()


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_what_the_terminal_gets_is_one_line_that_it_can_print(text):
    assert names.terminal(text).isprintable()


# --- C ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("compiler", ["gcc -std=c99", "clang -std=c99", "g++ -std=c++17 -x c++"])
def test_c_gives_every_name_back(compiler, tmp_path):
    """Strings, comments and identifiers of all names in one program, without a warning, trigraphs on."""
    if shutil.which(compiler.split()[0]) is None:
        pytest.skip(f"no {compiler.split()[0]} here")
    writable = []
    for name in HOSTILE:
        try:
            writable.append((name, names.c_string(name), names.c_comment(name)))
        except UserError as error:
            assert str(error).isprintable()
    assert {"\0", "a\0b"}.isdisjoint(name for name, *_ in writable)
    assert set(HOSTILE) - {name for name, *_ in writable} <= {"\0", "a\0b", "\ud800"}
    identifiers = names.c_identifiers([name for name, *_ in writable])
    source = ["#include <stdio.h>", "#include <string.h>"]
    source += [f"#define SER_LABEL_{each} {i}" for i, each in enumerate(identifiers)]
    source += [f"/* The model {comment}: x. */" for _, _, comment in writable]
    source += ["static const char *const texts[] = {"]
    source += [f"    {string}," for _, string, _ in writable]
    source += [
        "};", "int main(void)", "{",
        "    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {",
        "        fwrite(texts[i], 1, strlen(texts[i]) + 1, stdout);", "    }",
        "    return SER_LABEL_ANGRY;", "}", "",
    ]  # fmt: skip
    (tmp_path / "x.c").write_text("\n".join(source), encoding="utf-8")
    warnings = [*native.WARNINGS, "-trigraphs", "-Wtrigraphs", "-Wno-overlength-strings"]
    program = tmp_path / "x"
    subprocess.run(
        [*compiler.split(), *warnings, tmp_path / "x.c", "-o", program], check=True, timeout=60
    )
    printed = subprocess.run([program], capture_output=True, check=True, timeout=60).stdout
    assert printed.split(b"\0")[:-1] == [name.encode() for name, *_ in writable]
    for name, _, comment in writable:
        assert "\n" not in comment and unquoted(comment) == name


@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), max_size=30, unique=True
    )
)
@settings(max_examples=300, deadline=None)
def test_identifiers_are_identifiers_and_no_two_alike(labels):
    found = names.c_identifiers(labels)
    assert len(set(found)) == len(labels) and names.c_identifiers(labels) == found
    for each in found:
        assert re.fullmatch(r"[A-Z0-9](?:_?[A-Z0-9])*", each) and len(each) <= 50


def test_identifiers_stay_readable():
    assert names.c_identifiers(["very-happy", "very happy", "高兴", "fröhlich", "ANGRY", "angry", "!"]) == [
        "VERY_HAPPY", "VERY_HAPPY_2", "U9AD8_U5174", "FR_U00F6_HLICH", "ANGRY", "ANGRY_2", "U21",
    ]  # fmt: skip


def test_no_constant_of_the_library_is_called_like_a_label():
    text = "".join(p.read_text() for p in (resources.EMBEDDED / "src").glob("*.h"))
    assert not re.findall(r"#define (SER_LABEL_\w+)", text)


# --- the board's lines ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """embedded/src/ser_line.c, compiled here: (labels, plot, size) -> a decision's line."""
    target = tmp_path_factory.mktemp("lines") / "lines.so"
    source = target.with_suffix(".c")
    source.write_text(
        '#include "ser_line.h"\n'
        "unsigned long line(const char *const *names, int labels, const float *p, float all, unsigned whole,"
        " int plot, char *text, unsigned long size)\n{\n"
        "    ser_decision d = {names, p, labels, 0, all, all, all, whole, whole, whole, whole, whole, 1};\n"
        "    return plot ? ser_line_plot(&d, text, size) : ser_line_json(&d, text, size);\n}\n"
        "unsigned long line_size(int labels, int bytes, int longest)\n"
        "{ return SER_LINE_SIZE(labels, bytes, longest); }\n"
    )
    src = resources.EMBEDDED / "src"
    subprocess.run(
        [*native.compiler(), *native.FLAGS, "-shared", f"-I{src}", source, src / "ser_line.c", "-o", target,
         "-lm"], check=True,
    )  # fmt: skip
    library = ctypes.CDLL(str(target))
    library.line.restype = library.line_size.restype = ctypes.c_ulong

    def line(labels, plot, size, value=0.5):
        texts = (ctypes.c_char_p * len(labels))(*(label.encode() for label in labels))
        numbers = np.full(len(labels), value, np.float32)
        room = ctypes.create_string_buffer(size + 8)
        length = library.line(
            texts, len(labels), ctypes.c_void_p(numbers.ctypes.data), ctypes.c_float(value),
            0xFFFFFFFF, plot, room, ctypes.c_ulong(size),
        )  # fmt: skip
        assert room.raw[size:] == bytes(8)
        return room.raw[:length].decode()

    line.size = library.line_size
    return line


def test_c_writes_names_as_python_says(lines):
    for name in HOSTILE:
        if "\0" in name or name == "\ud800":
            continue
        assert lines([name], 0, 2000).startswith(f'{{"emotion": {names.serial_json(name)}, ')
        assert lines([name], 1, 2000).startswith(f"{names.plotter(name)}:0.500,uncertain:")


labels_of_any_kind = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=100),
        st.text(st.sampled_from('"\\,: %'), min_size=1, max_size=100),
        st.sampled_from(HOSTILE),
    ).filter(lambda label: not names.label_flaw(label)),
    min_size=2, max_size=30, unique_by=lambda label: label.casefold(),
)  # fmt: skip


@given(labels_of_any_kind, st.sampled_from([0.5, -3e9, float("nan"), 1.0]))
@settings(max_examples=100, deadline=None)
def test_every_line_fits_and_names_every_label(lines, labels, value):
    sizes = [
        max(len(names.serial_json(x).encode()), len(names.plotter(x).encode())) for x in labels
    ]
    size = lines.size(len(labels), sum(sizes), max(sizes))
    found = json.loads(lines(labels, 0, size, value))
    assert list(found["probabilities"]) == labels and found["emotion"] == labels[0]
    pairs = [pair.split(":") for pair in re.split(r"[ \t,]+", lines(labels, 1, size, value))]
    assert [unquote(name) for name, _ in pairs] == [*labels, "uncertain", "lost"]
    assert len({name for name, _ in pairs}) == len(labels) + 2


# --- which labels may be ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "labels, said",
    [
        (["one"], "1 labels"),
        ([f"l{i}" for i in range(31)], "31 labels"),
        (["a", "x" * 101], "101 bytes"),
        (["a", "高" * 34], "102 bytes"),
        (["a", "b\nprecompiled=true"], "control character U+000A"),
        (["a", "b\x1b[2J"], "control character U+001B"),
        (["a", "\u202eb"], "invisible U+202E"),
        (["a", " b"], "blanks"),
        (["a", "b\u3000c"], "blanks"),
        (["a", ""], "empty"),
        (["a", "\ud800"], "no character"),
        (["é", "e\u0301"], "spelled alike"),
    ],
)
def test_label_sets_that_cannot_be_exported_are_refused_in_a_line(labels, said):
    with pytest.raises(UserError) as error:
        names.check_labels(labels)
    assert said in str(error.value) and str(error.value).isprintable()


def test_labels_of_any_language_and_spelling_may_be():
    names.check_labels(["高兴", "生气", "中性", "悲伤"])
    names.check_labels(["радость", "гнев", "нейтрально", "грусть"])
    names.check_labels(["very happy", "very-happy", "so-so, fine", "sad: crying"])
    names.check_labels(["Angry", "angry", "ANGRY", "😀", "x" * 100])
    names.check_labels([f"label {i}" for i in range(30)])
