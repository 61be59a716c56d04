"""`python -m codegen --web` without a browser: which files it writes, that they are the same every time, that
they name nothing outside the page, and what it says where it cannot."""

import json
import re
import shutil
from functools import cache

import codegen_models
import numpy as np
import pytest

from speech_emotion.codegen import library, pipeline, source, web
from speech_emotion.errors import UserError
from speech_emotion.features import schema

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


def emit(kind):
    made = codegen_models.KINDS[kind]().fit(*voices(64))
    facts = FACTS | {"labels": made.classes_.tolist()}
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
    assert {name for name in named if not name.startswith("data:")} == set(page) - {"index.html"}


@needs_compiler
def test_page_names_no_other_host_and_may_reach_none(page):
    for name, content in page.items():
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
    (tmp_path / "model.js").write_text("")
    web.check_replaceable(tmp_path)
