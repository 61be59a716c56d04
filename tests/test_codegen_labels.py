"""Labels of any spelling in the generated library: C and C++ that compile without a warning, names as they
are, lines that always find room, properties that stay what they are."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from test_names import HOSTILE, labels_of_any_kind, markdown_it, read_properties, unquoted, yaml

from speech_emotion import __version__, names, native
from speech_emotion.codegen import library, pipeline, source
from speech_emotion.errors import UserError
from speech_emotion.features import schema

PROGRAM = """#include "ser.h"
#include "ser_line.h"
#include <stdio.h>
static char text[SER_LINE_SIZE(SER_LABELS, SER_NAMES_BYTES, SER_NAMES_LONGEST)];
int main(void)
{
    float p[SER_LABELS];
    ser_decision d;
    for (int i = 0; i < SER_LABELS; i++) {
        p[i] = -2e9f;
        puts(ser_label_names[i]);
    }
    d.names = ser_label_names;
    d.probabilities = p;
    d.labels = SER_LABELS;
    d.label = SER_LABELS - 1;
    d.threshold = d.seconds = d.dbfs = -2e9f;
    d.response_us = d.clipped = d.lost = d.overruns = 4294967295u;
    puts(ser_line_json(&d, text, sizeof text) ? text : "");
    puts(ser_line_plot(&d, text, sizeof text) ? text : "");
    return 0;
}
"""
CASES = {
    "Chinese": ["高兴", "生气", "中性", "悲伤"],
    "Russian": ["радость", "гнев", "нейтрально", "грусть"],
    "punctuation": ["very happy", "very-happy", "so-so, fine", "sad: crying"],
    "case and blanks": ["Angry", "ANGRY", "angry", "an gry"],
    "what C and lines have themselves": ["bytes", "names", "uncertain", "lost"],
    "the widest": [chr(0x4E00 + i) + '"' * 97 for i in range(30)],
}


def plan_of(labels):
    """A small network with these labels: what it answers does not matter here."""
    draw = np.random.default_rng(0)
    columns = list(schema.COLUMNS[:3])
    outputs = len(labels) if len(labels) > 2 else 1
    network = pipeline.Network(
        [draw.normal(size=(3, outputs)).astype(np.float32)], [np.zeros(outputs, np.float32)], [],
        np.empty(0, np.float32), True,
    )  # fmt: skip
    ones = np.ones(3, np.float32)
    return pipeline.Plan(list(labels), columns, ones, ones, np.float32(5), None, network)


def write(labels, folder, name="voice"):
    plan = plan_of(labels)
    written = source.write(plan, name=name)
    files = library.contents(plan, written, name="Voice", sizes="", facts={"name": name})
    library.write(files, folder)
    (folder / "main.c").write_text(PROGRAM)
    return files


def compiled(folder, *compiler):
    src = folder / "src"
    target = folder / "program"
    files = [folder / "main.c", *(src / f"ser_{each}.c" for each in ("model", "line", "message"))]
    done = subprocess.run(
        [*compiler, *native.WARNINGS, f"-I{src}", *files, "-o", target, "-lm"],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    return target


def check(labels, folder):
    files = write(labels, folder)
    printed = subprocess.run(
        [compiled(folder, *native.compiler(), "-std=c99")], capture_output=True, timeout=60, check=True
    ).stdout.decode()  # fmt: skip
    *found, line, pairs, _ = printed.split("\n")
    assert found == labels
    assert list(json.loads(line)["probabilities"]) == labels
    assert json.loads(line)["emotion"] == labels[-1]
    series = [unquote(pair.split(":")[0]) for pair in re.split(r"[ \t,]+", pairs)]
    assert series == [*labels, "uncertain", "lost"]
    if shutil.which("g++"):
        compiled(folder, "g++", "-std=c++17", "-x", "c++")
    properties = read_properties(files["library.properties"].decode())
    assert set(properties) == PROPERTIES and names.listed(labels) in unquoted_part(properties)
    assert json.loads(files["library.json"])["version"] == __version__ == properties["version"]


PROPERTIES = {
    "name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url", "architectures",
    "includes",
}  # fmt: skip


def unquoted_part(properties):
    """The labels in the paragraph, as they are or as a JSON string."""
    part = re.search(r"Labels: (.*)\. Model: ", properties["paragraph"])[1]
    if part.startswith('"') and not part.endswith('"'):
        return part
    try:
        return unquoted(part)
    except json.JSONDecodeError:  # several labels, the first of them in quotes
        return part


@pytest.mark.parametrize("labels", CASES.values(), ids=CASES)
def test_labels_of_many_kinds(labels, tmp_path):
    check(labels, tmp_path)


@given(labels=labels_of_any_kind)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_labels_compile_and_come_back(labels, tmp_path_factory):
    check(labels, tmp_path_factory.mktemp("labels"))


def test_a_longer_name_put_into_the_c_by_hand_does_not_compile(tmp_path):
    """The buffers of the sketches are sized by ser_model.h."""
    write(["angry", "calm"], tmp_path)
    model = tmp_path / "src" / "ser_model.c"
    model.write_text(model.read_text().replace("calm", "very calm"))
    with pytest.raises(AssertionError, match="ser_names_fit"):
        compiled(tmp_path, *native.compiler(), "-std=c99")


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name))
def test_no_label_and_no_model_name_writes_a_line_of_its_own(name):
    """Neither into library.properties (`precompiled`, `ldflags`) nor into any other file of the library."""
    plain = contents(["angry", "calm"], "voice")
    facts = {"labels": ["angry", name], "columns": list(schema.COLUMNS), "name": name}
    try:
        names.check_labels(facts["labels"])
        files = contents(facts["labels"], name)
    except UserError as error:
        assert str(error).isprintable()
        return
    assert list(files) == list(plain)
    for path in plain.keys() - {library.ownership.MANIFEST}:
        assert len(files[path].splitlines()) == len(plain[path].splitlines()), path
    properties = read_properties(files["library.properties"].decode())
    assert set(properties) == PROPERTIES
    component = yaml.safe_load(files["idf_component.yml"])
    assert component["version"] == __version__ and set(component) == {
        "version", "description", "license", "url", "dependencies",
    }  # fmt: skip
    tokens = markdown_it.MarkdownIt("commonmark").parse(files["README.md"].decode())
    before = markdown_it.MarkdownIt("commonmark").parse(plain["README.md"].decode())
    assert [t.type for t in tokens] == [t.type for t in before]


def contents(labels, name):
    plan = plan_of(labels)
    written = source.write(plan, name=name)
    return library.contents(plan, written, name="Voice", sizes="", facts={"name": name})


@pytest.mark.parametrize(
    "url", ['https://x.y/"a', "https://x.y/a\\b", "https://x.y/#a:b,c'", "https://x.y/${a}"]
)
def test_an_address_is_one_value_in_every_file(url):
    plan = plan_of(["angry", "calm"])
    written = source.write(plan, name="voice")
    files = library.contents(
        plan, written, name="Voice", sizes="", facts={}, url=library.check_url(url)
    )
    assert json.loads(files["library.json"])["homepage"] == url
    assert yaml.safe_load(files["idf_component.yml"])["url"] == url
    assert unquoted(read_properties(files["library.properties"].decode())["url"]) == url


@pytest.mark.parametrize(
    "name", ["aux", "NUL", "com1", "Voice.", "Voice ", "_x", "", ".x", "a/b\nc", "é", "x" * 64]
)
def test_a_librarys_name_is_one_on_every_system(name):
    with pytest.raises(UserError, match="a library's name"):
        library.check_name(Path("build") / name if name else Path("/"))


def test_version_is_the_projects_everywhere(tmp_path):
    files = write(["angry", "calm"], tmp_path)
    assert read_properties(files["library.properties"].decode())["version"] == __version__
    assert json.loads(files["library.json"])["version"] == __version__
    assert yaml.safe_load(files["idf_component.yml"])["version"] == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)  # what Arduino takes for a version
