"""The check of the fusion can fail: bars that are missed are named, and no fold sees itself."""

import argparse

import numpy as np
import pytest
from test_fusion import people

from speech_emotion.checks import fusion as check
from speech_emotion.commands import fusion_check as command
from speech_emotion.errors import UserError
from speech_emotion.fusion import DEFAULT, fuse


def found(voice, face, truth, both=None):
    actors = np.arange(len(truth)) % 24 + 1
    both = fuse(voice, face) if both is None else both
    answers = {"voice": voice, "face": face, "both": both, "equal weights": both}
    return check.Found(truth, actors, answers, [DEFAULT] * 5)


def test_two_good_channels_pass_and_the_text_says_what_they_are_worth():
    voice, face, truth = people(count=2400, sharpness=1.7)
    result = found(voice, face, truth)
    assert result.gain > 0.05 and "gain over the better channel" in result.text()
    low, high = result.intervals()["gain"]
    assert low < result.gain < high
    assert result.error("both") < 0.1


def test_a_useless_face_and_an_overconfident_fusion_are_named():
    voice, _, truth = people(count=1200)
    even = np.full_like(voice, 0.25)
    sure = np.eye(4, dtype=np.float32)[fuse(voice, even).argmax(axis=1)]
    failures = found(voice, even, truth, both=sure).failures()
    assert len(failures) == 3
    assert "UAR" in failures[0] and "lower bound" in failures[1] and "calibration" in failures[2]


class Made(check.Study):
    """A study without a table."""

    def __init__(self, truth, fold):
        self.names = np.arange(4)
        self.rows = np.arange(len(truth))
        self.y, self.fold = truth, fold
        self.actors = np.array([check.FOLDS[k][i % 4] for i, k in enumerate(fold)])


def test_the_weights_of_a_fold_come_from_the_other_folds_only():
    voice, face, truth = people(count=500)
    fold = np.arange(500) % 5
    study = Made(truth, fold)
    inside = [np.where((fold == k)[:, None], np.nan, voice) for k in range(5)]
    seen = [np.where((fold == k)[:, None], np.nan, face) for k in range(5)]
    result = study.fused(check.Nested(voice, inside), check.Nested(face, seen))
    assert np.isfinite(result.answers["both"]).all()  # a NaN of the tested fold would show
    other = truth.copy()
    other[fold == 0] = (
        other[fold == 0] + 1
    ) % 4  # what the tested fold says changes nothing for it
    changed = Made(other, fold).fused(check.Nested(voice, inside), check.Nested(face, seen))
    assert changed.weights[0] == result.weights[0] and changed.weights[1] != result.weights[1]


def test_the_published_folds_hold_every_actor_once():
    assert sorted(actor for fold in check.FOLDS for actor in fold) == list(range(1, 25))
    with pytest.raises(UserError, match="actor 25"):
        check._fold_of(25)


def test_a_table_of_action_units_is_read_and_anything_else_refused(tmp_path):
    (good := tmp_path / "units.csv").write_text("AU01_r;AU02_c;name\n0.5;1;01-01-03-01-02-01-12\n")
    assert check.read_units(good) == {"01-03-01-02-01-12": [0.5, 1.0]}
    for content in ("", "name\n", "AU01_r;name\nx;01-01\n", "AU01_r\n1\n"):
        (wrong := tmp_path / "wrong.csv").write_text(content)
        with pytest.raises(UserError, match=r"wrong\.csv: no table"):
            check.read_units(wrong)


def test_it_says_that_it_skips_where_its_files_are_not_there(tmp_path, monkeypatch, capsys):
    arguments = argparse.Namespace(
        seeds=1, features=tmp_path / "none.csv", faces=tmp_path / "none.csv"
    )
    monkeypatch.setattr(command, "parse_arguments", lambda: arguments)
    monkeypatch.setattr(command, "_FEATURES", arguments.features)
    assert command.main() == 0 and "skipped" in capsys.readouterr().out
