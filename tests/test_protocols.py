"""Splits that a score means something under: no speaker and no copy of a tested clip in training."""

import numpy as np
import pandas as pd
import pytest

from speech_emotion.dataset.table import CLIP_COLUMNS, FeatureTable
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.training import fitting, labels
from speech_emotion.training.protocols import Splitter

EMOTIONS = ("angry", "calm", "neutral", "sad")


def make_clips(corpora=("a", "tess"), speakers=6, emotions=EMOTIONS, takes=3, copies=True):
    """Id columns of a made-up dataset in which speaker names recur between corpora."""
    rows = []
    for corpus in corpora:
        for speaker in range(speakers):
            for emotion in emotions:
                for take in range(takes):
                    path = f"{corpus}/{speaker}_{emotion}_{take}.wav"
                    row = dict.fromkeys(CLIP_COLUMNS, "") | {
                        "path": path, "corpus": corpus, "speaker": str(speaker), "emotion": emotion,
                    }  # fmt: skip
                    rows.append(row)
                    if copies:
                        copy = {"path": f"{path}#noise", "augmentation": "noise", "source": path}
                        rows.append(row | copy)
    return pd.DataFrame(rows)


def make_table(clips):
    vectors = np.zeros((len(clips), len(schema.COLUMNS)), np.float32)
    return FeatureTable(clips, vectors, list(schema.COLUMNS), {})


@pytest.fixture
def clips():
    return make_clips()


@pytest.fixture
def splitter(clips):
    return Splitter(clips, clips["emotion"].to_numpy(str))


def all_folds(splitter):
    return [(p.name, fold) for p in splitter.protocols(seed=1) for fold in p.folds]


def test_every_protocol_of_the_design_is_there(splitter):
    names = [protocol.name for protocol in splitter.protocols(seed=1)]
    assert names == ["seed", "speaker", "speaker_without_tess", "corpus"]


def test_only_clips_are_tested_never_copies(clips, splitter):
    for _, fold in all_folds(splitter):
        assert (clips["augmentation"].iloc[fold.test] == "").all()


def test_a_copy_trains_exactly_where_its_clip_trains(clips, splitter):
    for _, fold in all_folds(splitter):
        trained = clips.iloc[fold.train]
        originals = set(trained["path"][trained["augmentation"] == ""])
        assert set(trained["source"][trained["augmentation"] != ""]) == originals


def test_a_copy_never_trains_where_a_clip_that_is_heard_in_it_does_not(clips):
    originals = clips["path"][clips["augmentation"] == ""].to_numpy(str)
    random = np.random.default_rng(0)
    first, second = random.permutation(originals), random.permutation(originals)
    noisy = (clips["augmentation"] != "").to_numpy()
    clips.loc[noisy, "background"] = [f"{a}//{b}" for a, b in zip(first, second, strict=True)]
    splitter = Splitter(clips, clips["emotion"].to_numpy(str))
    for _, fold in all_folds(splitter):
        trained = clips.iloc[fold.train]
        known = set(trained["path"])
        parts = [{row.source, *row.background.split("//")} for row in clips[noisy].itertuples()]
        joined = clips["path"][noisy][[each <= known for each in parts]]
        assert set(trained["path"][trained["augmentation"] != ""]) == set(joined)
        assert 0 < len(joined) < (trained["augmentation"] == "").sum()


def test_no_speaker_is_on_both_sides_of_a_fold_by_speaker(splitter):
    for name, fold in all_folds(splitter):
        if name.startswith("speaker"):
            assert not set(splitter.speakers[fold.train]) & set(splitter.speakers[fold.test])


def test_speakers_of_the_same_name_in_two_corpora_are_two(splitter):
    assert len(set(splitter.speakers)) == 12


def test_folds_by_speaker_test_every_clip_once(splitter):
    (protocol,) = [p for p in splitter.protocols(seed=1) if p.name == "speaker"]
    tested = np.concatenate([fold.test for fold in protocol.folds])
    assert sorted(tested) == sorted(splitter.originals)


def test_without_tess_means_neither_trained_nor_tested_on(splitter):
    (protocol,) = [p for p in splitter.protocols(seed=1) if p.name == "speaker_without_tess"]
    for fold in protocol.folds:
        assert "tess" not in set(splitter.corpora[np.concatenate([fold.train, fold.test])])


def test_leaving_a_corpus_out_leaves_all_of_it_out(splitter):
    (protocol,) = [p for p in splitter.protocols(seed=1) if p.name == "corpus"]
    for fold in protocol.folds:
        assert len(set(splitter.corpora[fold.test])) == 1
        assert not set(splitter.corpora[fold.train]) & set(splitter.corpora[fold.test])


def test_the_seed_protocol_is_scikit_learns_split_with_random_state_42(splitter):
    from sklearn.model_selection import train_test_split

    _, expected = train_test_split(splitter.originals, test_size=0.3, random_state=42)
    np.testing.assert_array_equal(splitter.random().test, np.sort(expected))


def test_one_corpus_has_no_corpus_protocol_and_one_speaker_no_speaker_protocol():
    clips = make_clips(corpora=("a",), speakers=1)
    names = [p.name for p in Splitter(clips, clips["emotion"].to_numpy(str)).protocols(seed=1)]
    assert names == ["seed"]


def test_a_speaker_split_of_one_speaker_is_refused_by_name():
    clips = make_clips(corpora=("a",), speakers=1)
    with pytest.raises(UserError, match=r"one speaker \(a/0\)"):
        Splitter(clips, clips["emotion"].to_numpy(str)).speaker(seed=0)


def test_a_speaker_split_holds_out_whole_speakers(splitter):
    fold = splitter.speaker(seed=0)
    assert not set(splitter.speakers[fold.train]) & set(splitter.speakers[fold.test])
    assert 0.2 <= len(fold.test) / len(splitter.originals) <= 0.4


def test_seven_counts_calm_as_neutral_and_eight_keeps_it(clips):
    table = make_table(clips)
    _, seven, _ = labels.relabel(table, "seven")
    _, eight, _ = labels.relabel(table, "eight")
    assert set(seven) == {"angry", "neutral", "sad"}
    assert (seven == "neutral").sum() == np.isin(eight, ["calm", "neutral"]).sum()


def test_other_labels_are_kept_as_they_are_and_left_out_of_the_seven():
    table = make_table(make_clips(emotions=("angry", "sad", "bored")))
    assert set(labels.relabel(table, "auto")[1]) == {"angry", "sad", "bored"}
    kept, seven, sentence = labels.relabel(table, "seven")
    assert set(seven) == {"angry", "sad"} and len(kept) == len(seven) and "bored" in sentence


def test_labels_can_be_named_and_unknown_ones_are_refused(clips):
    table = make_table(clips)
    assert set(labels.relabel(table, "angry,sad")[1]) == {"angry", "sad"}
    with pytest.raises(UserError, match="no clip is labelled joy"):
        labels.relabel(table, "angry,joy")


def test_one_class_only_is_refused_with_the_class():
    with pytest.raises(UserError, match=r"only one class .*sad"):
        labels.relabel(make_table(make_clips(emotions=("sad",))), "auto")


def test_sampling_makes_classes_equal_and_keeps_every_clip():
    y = np.array(["a"] * 10 + ["b"] * 3)
    rows = fitting.oversampled(y, seed=0)
    assert (y[rows] == "a").sum() == (y[rows] == "b").sum() == 10
    assert set(rows) == set(range(13))
