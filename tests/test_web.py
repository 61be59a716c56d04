"""`python -m codegen --web` without a browser: which files it writes, that they are the same every time, that
they name nothing outside the page, and what it says where it cannot."""

import base64
import io
import json
import re
import shutil
from functools import cache

import codegen_models
import numpy as np
import pytest
import soundfile

from speech_emotion import __version__, colours
from speech_emotion.codegen import aspects, library, ownership, pipeline, source, web
from speech_emotion.codegen import voices as voices_
from speech_emotion.errors import UserError
from speech_emotion.features import schema, speech

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
needs_compiler = pytest.mark.skipif(
    not (shutil.which("clang") and shutil.which("wasm-ld")),
    reason=f"no compiler for WebAssembly; {web.INSTALL}",
)
FACTS = {
    "name": "voice", "columns": codegen_models.COLUMNS, "threshold": 0.3, "corpora": ["synthetic"],
    "scores": {"weighted_f1": 0.5},
}  # fmt: skip


voices = cache(codegen_models.voices)


def emit(kind, **more):
    made = codegen_models.KINDS[kind]().fit(*voices(64))
    facts = FACTS | {"labels": made.classes_.tolist()} | more
    plan = pipeline.plan(made, facts)
    written = source.write(plan, name="voice", threshold=facts["threshold"])
    files = library.contents(plan, written, name="Voice", sizes="", facts=facts)
    return plan, web.contents(plan, files, facts)


@pytest.fixture(scope="module")
def emitted():
    return emit("int8 network")


@pytest.fixture
def page(emitted):
    return emitted[1]


def model_of(page):
    """The object that model.js defines."""
    return json.loads(re.search(r"const MODEL = (.*);\n", page["model.js"].decode())[1])


@needs_compiler
def test_what_the_page_knows_of_sound_is_the_schemas(page):
    """And every script's SOUND.x is there; a hop is 10 ms, the first frames' centres lie 256, 760, 360
    samples in."""
    sound = json.loads(re.search(r"const SOUND = (.*);\n", page["model.js"].decode())[1])
    assert sound == {
        "rate": schema.SAMPLE_RATE, "leastRate": 4000, "leastSeconds": 0.1, "hopsPerSecond": 100.0,
        "pitchFloor": schema.PITCH_FLOOR, "pitchCeiling": schema.PITCH_CEILING,
        "frameAt": 1, "intensityAt": 4, "pitchAt": 2, "hop": schema.HOP,
        "speech": json.loads(json.dumps(speech.SETTINGS)),
        "takes": {
            "quietest": -45, "loudest": -12, "mostClipped": 0.001, "shortest": 0.7, "enough": 30,
        },
    }  # fmt: skip
    scripts = "".join(page[name].decode() for name in page if name.endswith(".js"))
    asked = set(re.findall(r"SOUND\.(\w+)", scripts))
    asked |= set(re.findall(r"(\w+): \w+_AT\b", scripts))
    assert asked == set(sound)


@needs_compiler
def test_same_model_same_bytes(page):
    assert emit("int8 network")[1] == page


@needs_compiler
@pytest.mark.parametrize("kind", ["forest", "float network, 2 layers", "scikit-learn's network"])
def test_every_kind_of_model_compiles(kind):
    _, page = emit(kind)
    assert model_of(page)["wasm"]


@needs_compiler
def test_page_is_small_and_complete(page):
    assert sum(map(len, page.values())) <= 500 * 1000
    index = page["index.html"].decode()
    named = re.findall(r'(?:src|href)="([^"#]+)"', index)
    named = [name for name in named if not name.startswith("data:")]
    assert set(named) == set(page) - {"index.html", "worker.js"}
    assert b'register("worker.js")' in page["page.js"]


@needs_compiler
def test_a_page_without_a_face_model_knows_no_camera(page):
    assert [name for name, content in page.items() if b"camera" in content.lower()] == []


@needs_compiler
def test_what_works_offline_is_the_whole_page_and_another_page_is_kept_anew(page):
    worker = page["worker.js"].decode()
    kept = json.loads(re.search(r"const FILES = (.*);\n", worker)[1])
    assert set(kept) == set(page) - {"worker.js"}
    _, other = emit("int8 network", name="another")
    assert other["worker.js"] != page["worker.js"]


def test_every_column_is_in_words():
    """Each belongs to one aspect, and each aspect has a column."""
    found = {aspects.aspect_of(column) for column in schema.COLUMNS}
    assert found == set(aspects.ASPECTS)
    told = aspects.of_columns(schema.COLUMNS)
    assert sorted(i for each in told for i in each["columns"]) == list(range(len(schema.COLUMNS)))
    louder = next(each for each in told if each["more"] == "louder")
    assert [schema.COLUMNS.index("intensity_db_mean"), 1] in louder["signs"]


@needs_compiler
def test_the_honest_number_stands_beside_the_models_name():
    found = {
        "unseen": {"uar": 0.58}, "intervals": {"uar": [0.5, 0.66]}, "unseen_clips": 90, "unseen_speakers": 7,
    }  # fmt: skip
    about = model_of(emit("int8 network", **found)[1])["about"]
    assert about.startswith("Model voice, right in 58 % for speakers that it never heard")
    assert "50 to 66 %, 90 clips of 7 speakers" in about
    assert "not tried on speakers" in model_of(emit("int8 network")[1])["about"]


@needs_compiler
def test_an_emotion_has_the_boards_colour(page):
    colours_ = model_of(page)["colours"]
    assert colours_ == {label: colours.COLOURS[label].page for label in model_of(page)["labels"]}


def test_the_made_up_voices_are_the_synthetic_corpus_own_and_small():
    found = voices_.made_up()
    assert [each["emotion"] for each in found] == [emotion for _, emotion in voices_.CHOSEN]
    assert sum(len(each["mp3"]) for each in found) < 80_000
    sound, rate = soundfile.read(io.BytesIO(base64.b64decode(found[0]["mp3"])))
    assert rate == 16000 and 1 < len(sound) / rate < 4 and np.abs(sound).max() > 0.01


@needs_compiler
def test_page_names_no_other_host_and_may_reach_none(page):
    for name, content in page.items():
        if (
            name == "worker.js"
        ):  # which asks the server for the page's own files, where it has lost them
            content = content.replace(b'fetch(event.request.url, { cache: "no-cache" })', b"")
        assert not re.search(
            rb"https?://|//cdn|\bfetch\(|XMLHttpRequest|sendBeacon|WebSocket", content
        ), name
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page["index.html"].decode())[
        1
    ]
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy


@needs_compiler
def test_model_facts_are_the_models(emitted):
    plan, page = emitted
    model = model_of(page)
    assert model["labels"] == plan.labels
    assert model["threshold"] == pytest.approx(0.3)
    assert "synthetic" in model["caution"]
    assert [schema.COLUMNS[each["place"]] for each in model["columns"]] == plan.columns
    assert np.array_equal(np.float32([each["mean"] for each in model["columns"]]), plan.mean)
    spread = np.array([each["sd"] for each in model["columns"]])
    varies = plan.inverse > 0
    assert np.allclose(spread[varies] * plan.inverse[varies], 1, rtol=1e-6)
    assert not spread[~varies].any()


def test_missing_compiler_is_named_with_its_remedy(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"clang and wasm-ld not found.*apt-get install clang lld"):
        web.check_compiler()


def test_only_a_page_of_ours_is_replaced(tmp_path):
    web.check_replaceable(tmp_path / "new")
    web.check_replaceable(tmp_path)
    (tmp_path / "diary.txt").write_text("dear diary")
    with pytest.raises(UserError, match="no generated page"):
        web.check_replaceable(tmp_path)
    with pytest.raises(UserError, match="is a file"):
        web.check_replaceable(tmp_path / "diary.txt")
    (tmp_path / "model.js").write_text("export const dear = 'diary';")
    with pytest.raises(UserError, match="no generated page"):
        web.check_replaceable(tmp_path, force=True)


def test_a_page_is_written_over_one_of_ours_and_nothing_else_is_touched(tmp_path):
    first = {"index.html": b"1", "model.js": b"1", "gone.js": b"1", "style.css": b"1"}
    second = {"index.html": b"2", "model.js": b"2", "style.css": b"2"}
    assert web.write(first, tmp_path) == []
    (tmp_path / "diary.txt").write_text("dear diary")
    (tmp_path / "style.css").write_text("mine")
    web.check_replaceable(tmp_path)
    said = web.write(second, tmp_path)
    assert said[0] == "yours: diary.txt" and "style.css" in said[1]
    left = {p.name: p.read_text() for p in tmp_path.iterdir()}
    assert left.pop(ownership.MANIFEST)
    assert left == {
        "index.html": "2", "model.js": "2", "style.css": "mine", "diary.txt": "dear diary",
    }  # fmt: skip
    web.write(second, tmp_path, force=True)
    assert (tmp_path / "style.css").read_text() == "2"
    (tmp_path / "model.js").write_text("mine")
    for write in (web.check_replaceable, lambda out: web.write(second, out)):
        with pytest.raises(UserError, match=r"'model\.js' in it: changed since it was generated"):
            write(tmp_path)
    assert (tmp_path / "model.js").read_text() == "mine"


def test_a_page_cut_off_in_the_middle_is_still_ours(tmp_path, monkeypatch):
    first, second = (dict.fromkeys(("a.js", "b.js", "index.html"), each) for each in (b"1", b"2"))
    web.write(first, tmp_path)
    write = ownership._write

    def dying(path, content):
        if path.name == "index.html":
            raise KeyboardInterrupt
        write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(ownership, "_write", dying)
        with pytest.raises(KeyboardInterrupt):
            web.write(second, tmp_path)
    web.check_replaceable(tmp_path)
    assert web.write(second, tmp_path) == []


@needs_compiler
def test_page_says_its_version(page):
    assert model_of(page)["version"] == __version__
    assert f'content="speech-emotion {__version__}"' in page["index.html"].decode()


@needs_compiler
def test_hostile_names_stay_words_in_the_page():
    hostile = '"><script src=x></script> $ {} é'
    _, page = emit("int8 network", name=hostile)
    assert f"Model {hostile}" in model_of(page)["about"]
    assert page["index.html"].count(b"<script") == len(web.SCRIPTS)
    assert b"<script src=x" not in page["model.js"]
