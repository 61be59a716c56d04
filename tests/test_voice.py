"""`predictor.py --voice FILE`: a profile over clips and calls, for a model and for the library made of it."""

import json
import sys

import codegen_models
import pytest

from speech_emotion import corpora
from speech_emotion.commands import predictor
from speech_emotion.corpora import synthetic
from speech_emotion.features import schema
from speech_emotion.model import persistence


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(model file, library folder, clips of one made-up voice)."""
    root = tmp_path_factory.mktemp("known")
    _, pipeline, columns = codegen_models.voice_library(root / "Library")
    info = {
        "name": "voice", "labels": pipeline.classes_.tolist(), "columns": columns, "engine": "device",
        "label_option": "csv", "label_set": "csv", "split": "random", "held_out": [], "scores": {},
        "corpora": ["synthetic"], "trained_on": 60, "schema": schema.HASH,
    }  # fmt: skip
    persistence.save(pipeline, root / "model.joblib", info)
    synthetic.write(root / "clips", speakers=1, sentences=2)
    clips = [clip.path for clip in corpora.discover(root / "clips").clips][:6]
    return root / "model.joblib", root / "Library", clips


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["predictor.py", *map(str, arguments), "--json"])
    with pytest.raises(SystemExit) as leaving:
        predictor.run()
    out, err = capsys.readouterr()
    return leaving.value.code, [json.loads(line) for line in out.splitlines()], err


@pytest.mark.parametrize("kind", [0, 1], ids=["model", "library"])
def test_each_clip_is_heard_against_those_before_it(kind, made, tmp_path, monkeypatch, capsys):
    model, clips, voice = made[kind], made[2], tmp_path / "anna.json"
    code, found, _ = run(monkeypatch, capsys, *clips[:4], model, "--voice", voice)
    assert code == 0
    assert [answer["known"] for answer in found] == [0, 1, 2, 3]
    _, again, _ = run(monkeypatch, capsys, *clips[4:], model, "--voice", voice)
    assert [answer["known"] for answer in again] == [4, 5]
    _, alone, _ = run(monkeypatch, capsys, *clips[4:], model)
    assert "known" not in alone[0]
    assert alone[0]["probabilities"] != again[0]["probabilities"]


def test_model_and_library_say_the_same(made, tmp_path, monkeypatch, capsys):
    model, library, clips = made
    _, python, _ = run(monkeypatch, capsys, *clips, model, "--voice", tmp_path / "one.json")
    _, in_c, _ = run(monkeypatch, capsys, *clips, library, "--voice", tmp_path / "two.json")
    assert [a["probabilities"] for a in python] == [a["probabilities"] for a in in_c]


@pytest.mark.parametrize("kind", [0, 1], ids=["model", "library"])
def test_a_profile_of_another_model_is_forgotten_and_it_is_said(
    kind, made, tmp_path, monkeypatch, capsys
):
    voice = tmp_path / "voice.json"
    voice.write_text(
        json.dumps({"kind": "speech-emotion voice profile", "model": "x", "state": "AAAA"})
    )
    code, found, said = run(monkeypatch, capsys, made[2][0], made[kind], "--voice", voice)
    assert (code, found[0]["known"]) == (0, 0)
    assert "begins anew" in said


@pytest.mark.parametrize("content", ["", "{", "[]", '{"kind": 5}', "holiday photos", "[" * 100_000])
def test_a_file_that_is_no_profile_stays_as_it_is(content, made, tmp_path, monkeypatch, capsys):
    voice = tmp_path / "mine.txt"
    voice.write_text(content)
    code, found, said = run(monkeypatch, capsys, made[2][0], made[0], "--voice", voice)
    assert (code, found) == (2, [])
    assert said.startswith("error: --voice ") and len(said.splitlines()) == 1
    assert voice.read_text() == content
