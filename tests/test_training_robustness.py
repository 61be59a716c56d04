"""Degraded clips are what they are called, and no noise is one that a copy was trained with."""

import numpy as np
import pandas as pd
import pytest
import signals
import soundfile

from speech_emotion.checks import study
from speech_emotion.dataset import augment, copies
from speech_emotion.errors import UserError
from speech_emotion.features import audio, device, schema
from speech_emotion.training import robustness
from speech_emotion.training.scores import Outcome

RATE = schema.SAMPLE_RATE


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Nine voices of one second, of three speakers; the folder they are in."""
    root = tmp_path_factory.mktemp("clips")
    rows = []
    for i in range(9):
        path = f"{i}.wav"
        soundfile.write(root / path, signals.voice(RATE, period=100 + 7 * i), RATE)
        rows.append({"path": path, "corpus": "c", "speaker": str(i % 3)})
    return pd.DataFrame(rows), root


@pytest.fixture(scope="module")
def measured(clips):
    return robustness.measure(*clips, jobs=1)


def column(vectors, name):
    return vectors[:, schema.COLUMNS.index(name)]


def test_every_condition_has_a_row_per_clip_and_undegraded_ones_are_the_clips(clips, measured):
    table, root = clips
    assert tuple(measured) == robustness.CONDITIONS
    plain = np.array([device.extract(audio.load(root / path)) for path in table["path"]])
    np.testing.assert_array_equal(measured["as recorded"], plain)
    assert all(vectors.shape == plain.shape for vectors in measured.values())


def test_a_lower_level_is_20_db_lower(measured):
    before, after = (
        column(measured[c], "intensity_db_mean") for c in ("as recorded", "level -20 dB")
    )
    np.testing.assert_allclose(before - after, 20, atol=0.2)


@pytest.mark.parametrize("kind", ["white noise", "babble"])
def test_more_noise_changes_the_features_more(kind, measured):
    plain = measured["as recorded"]
    spread = plain.std(axis=0) + 1e-3
    change = [
        np.abs((measured[f"{kind}, {snr} dB"] - plain) / spread).mean() for snr in robustness.SNRS
    ]
    assert change == sorted(change) and change[0] > 0


def test_babble_is_made_of_other_speakers_clips_only(clips, monkeypatch):
    table, root = clips
    paths, speakers = [root / path for path in table["path"]], table["speaker"].to_numpy()
    heard = []
    load = audio.load
    monkeypatch.setattr(audio, "load", lambda path: heard.append(path) or load(path))
    robustness._voices(paths, speakers, 0, RATE, np.random.default_rng(0))
    assert len(heard) == robustness.TALKERS
    assert all(speakers[paths.index(path)] != speakers[0] for path in heard)


def test_noise_is_never_that_of_a_copy_that_may_have_been_trained_on(clips):
    samples = audio.load(clips[1] / "0.wav")
    tested = robustness._degraded(
        samples, "white noise, 10 dB", None, np.random.default_rng(0), "0.wav", 0
    )
    trained = augment.apply(samples, copies.Augmentation("noise", 10.0), seed=0, name="0.wav")
    assert (tested != trained).any()


def test_clips_in_another_folder_are_refused_by_name(clips, tmp_path):
    with pytest.raises(UserError, match=r"0\.wav: no such file"):
        robustness.measure(clips[0], tmp_path)


def test_points_lost_are_counted_from_the_clips_as_recorded():
    def outcome(wrong):
        truth = np.array(["a", "b"] * 10)
        of_b = (truth == "b").astype(float)
        of_b[:wrong] = 1 - of_b[:wrong]
        same = np.array(["c"] * 20)
        return Outcome(
            np.arange(20), truth, np.c_[1 - of_b, of_b], np.array(["a", "b"]), same, same, same
        )

    table = robustness.table({"as recorded": outcome(2), "babble, 10 dB": outcome(6)})
    assert table["points lost"].tolist() == ["0.0", "20.0"]


def test_the_study_writes_its_part_of_the_document_and_keeps_the_rest(tmp_path, monkeypatch):
    from test_train import write_features

    path = write_features(tmp_path, corpora=("ravdess", "cremad"), speakers=3, takes=2)
    document = tmp_path / "accuracy.md"
    document.write_text("# By hand\n" + study.MARK + "stale part")
    options = ["--models", "linear", "--seeds", "1", "--jobs", "1", "--out", str(document)]
    monkeypatch.setattr("sys.argv", ["study", str(path), *options])
    study.main()
    text = document.read_text()
    assert text.startswith("# By hand\n" + study.MARK) and "stale part" not in text
    for heading in ("## Variants", "## Nested choice", "## Eight classes", "## Feature groups"):
        assert heading in text
