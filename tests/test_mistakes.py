"""Mistakes that people make with every command: exit code 2, one line that gets one on, at once."""

from pathlib import Path

import pytest
import signals
import soundfile
from test_commands import loaded

from speech_emotion.commands import mistakes
from speech_emotion.corpora import discover, places
from speech_emotion.errors import UserError


@pytest.fixture
def here(tmp_path):
    """What people have around: recordings, a table, a model, a library."""
    for name in ("own/happy/anna_1.wav", "own/sad/anna_1.wav"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, signals.voice(8000), 16000, subtype="PCM_16")
    for name in ("dataset/features.csv", "dataset/features.json", "dataset/clips.csv", "own.zip",
                 "models/model.joblib", "models/model.json", "build/Voice/src/ser_model.c",
                 "generated_dataset/extracted_acoustic_features.csv"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x\n")
    return tmp_path


CLIP, MODEL, TABLE = "own/happy/anna_1.wav", "models/model.joblib", "dataset/features.csv"
MISTAKES = {
    "swapped": (("predictor", MODEL, CLIP), f"as in: {CLIP} {MODEL}"),
    "swapped, a library": (("predictor", "build/Voice", CLIP), f"{CLIP} build/Voice"),
    "two models": (("predictor", CLIP, MODEL, MODEL), "stands where a clip belongs"),
    "a model among clips of extractor": (("extractor", MODEL), "a model, and stands where a clip"),
    "a table for a clip": (("predictor", TABLE, MODEL), "a table, and stands where a clip"),
    "a folder without sounds": (("predictor", "dataset", MODEL), "without a sound file"),
    "a clip misspelt": (("predictor", "own/happy/ana_1.wav", MODEL), f"there is {CLIP}"),
    "clips of a folder that is not there": (("extractor", "won/happy/a.wav"), "there is no won"),
    "a model misspelt": (("predictor", CLIP, "models/modell.joblib"), f"there is {MODEL}"),
    "a model that is not there": (("predictor", CLIP, "model.joblib"), "train.py"),
    "the models' folder": (("predictor", CLIP, "models"), f"name the model in it, {MODEL}"),
    "the model's JSON": (("predictor", CLIP, "models/model.json"), f"name {MODEL}"),
    "a table for a model": (("codegen", TABLE), "stands where the model belongs"),
    "a library for a model": (("codegen", "build/Voice"), "name the model.joblib"),
    "a clip for a model": (("robustness", CLIP, "--corpora", "own"), "stands where the model belongs"),
    "clips.csv": (("train", "dataset/clips.csv"), f"name {TABLE}"),
    "another's table": (
        ("train", "generated_dataset/extracted_acoustic_features.csv"),
        f"the table is {TABLE}",
    ),
    "a table that is not there": (("train", "features.csv"), f"the table is {TABLE}"),
    "a folder without a table": (("train", "models"), f"the table is {TABLE}"),
    "a model for a table": (("train", MODEL), f"the table is {TABLE}"),
    "an added table": (("train", TABLE, "--add-corpora", "own"), "without a features.csv"),
    "a table of codegen": (("codegen", MODEL, "--features", "dataset/clips.csv"), f"name {TABLE}"),
    "corpora misspelt": (("dataset-generator", "--corpora", "onw"), "there is own"),
    "an archive": (("dataset-generator", "--corpora", "own.zip"), "unpack it"),
    "a clip for corpora": (("codegen", MODEL, "--corpora", CLIP), "name the folder"),
    "robustness without clips": (("train", TABLE, "--robustness", "onw"), "there is own"),
    "no library": (("measure", "models"), "name a folder that python -m codegen wrote"),
    "a library that is not there": (("measure", "gone"), "name a library"),
    "nothing": (("predictor",), "--help tells more"),
    "an option that there is not": (("train", "--modells", "x"), "--help tells more"),
    "a choice that there is not": (("dataset-generator", "--engine", "fast"), "--help tells more"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_that_gets_one_on(arguments, said, here):
    before = sorted(here.rglob("*"))
    code, out, error, modules = loaded("speech_emotion", arguments, here)
    assert (code, out) == (2, "") and not modules, error
    assert error.startswith("error: ") and error.count("\n") == 1 and said in error
    assert sorted(here.rglob("*")) == before


def test_a_folder_is_taken_for_its_clips(here, monkeypatch):
    monkeypatch.chdir(here)
    (here / "own/.hidden.wav").write_text("")
    found, said = mistakes.clips(["own", CLIP])
    assert found == [CLIP, "own/sad/anna_1.wav", CLIP]
    assert said == ["own: a folder, its 2 sound files are taken"]


def test_the_folder_of_a_table_is_taken_for_the_table(here, monkeypatch):
    monkeypatch.chdir(here)
    assert mistakes.table(Path("dataset")) == Path(TABLE)
    assert mistakes.table(Path(TABLE)) == Path(TABLE)


def test_a_sentence_of_a_file_is_no_missing_file(here, monkeypatch):
    monkeypatch.chdir(here)
    assert mistakes.clips([f"{CLIP}@0.10-0.40"])[0] == [f"{CLIP}@0.10-0.40"]


def test_a_corpora_folder_one_level_off_is_named(here):
    with pytest.raises(UserError, match=rf"the folder of one emotion .* {here / 'own'}$"):
        discover(here / "own/happy")
    assert (
        places.off_by_one(here / "own/happy", "happy/anna_1.wav") == f"; they lie in {here / 'own'}"
    )
    assert places.off_by_one(here, "happy/anna_1.wav") == f"; they lie in {here / 'own'}"
    assert places.off_by_one(here / "own", "happy/gone.wav") == ""
