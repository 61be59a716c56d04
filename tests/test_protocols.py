"""Splits that a score means something under: no speaker and no copy of a tested clip in training."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_emotion.dataset.table import CLIP_COLUMNS, FeatureTable
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.training import fitting, labels
from speech_emotion.training.protocols import Fold, Splitter, sounds_of

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


def split(clips, sounds=None):
    """A splitter of these clips; without `sounds` every row sounds unlike any other."""
    sounds = np.arange(len(clips)) if sounds is None else np.asarray(sounds)
    return Splitter(clips, clips["emotion"].to_numpy(str), sounds)


@pytest.fixture
def splitter(clips):
    return split(clips)


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
    splitter = split(clips)
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
    names = [p.name for p in split(clips).protocols(seed=1)]
    assert names == ["seed"]


def test_a_speaker_split_of_one_speaker_is_refused_by_name():
    clips = make_clips(corpora=("a",), speakers=1)
    with pytest.raises(UserError, match=r"one speaker \(a/0\)"):
        split(clips).speaker(seed=0)


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


def test_a_label_with_a_comma_is_named_in_quotes():
    table = make_table(make_clips(emotions=("so-so, fine", "sad", "angry")))
    assert set(labels.relabel(table, '"so-so, fine",sad')[1]) == {"so-so, fine", "sad"}
    with pytest.raises(UserError, match='there are angry, sad, "so-so, fine"'):
        labels.relabel(table, "so-so, fine")


def test_calm_of_own_recordings_stays_calm_unless_seven_are_asked_for():
    clips = make_clips(emotions=("calm", "sad", "neutral"))
    assert "calm" not in labels.relabel(make_table(clips), "auto")[1]
    own = make_table(clips.assign(corpus="folder"))
    assert set(labels.relabel(own, "auto")[1]) == {"calm", "sad", "neutral"}
    assert "calm" not in labels.relabel(own, "seven")[1]


@pytest.mark.parametrize(
    "emotions, said",
    [
        (("sad", "x" * 101), "101 bytes"),
        (("sad", "b\nprecompiled=true"), "control character"),
        (tuple(f"l{i:02}" for i in range(31)), "31 labels"),
        (("sad", " sad"), "blanks"),
    ],
)
def test_labels_that_no_chip_can_have_are_refused_before_training(emotions, said):
    with pytest.raises(UserError, match=said) as error:
        labels.relabel(make_table(make_clips(emotions=emotions)), "auto")
    assert "\n" not in str(error.value)


def test_one_class_only_is_refused_with_the_class():
    with pytest.raises(UserError, match=r"only one class .*sad"):
        labels.relabel(make_table(make_clips(emotions=("sad",))), "auto")


def test_sampling_makes_classes_equal_and_keeps_every_clip():
    y = np.array(["a"] * 10 + ["b"] * 3)
    rows = fitting.oversampled(y, seed=0)
    assert (y[rows] == "a").sum() == (y[rows] == "b").sum() == 10
    assert set(rows) == set(range(13))


# ---- twins: one sound under several names ---------------------------------------------------------


@st.composite
def tables(draw):
    """Any table: rows of few corpora, speakers, labels and sounds; copies of them, made of each other."""
    count = draw(st.integers(4, 24))
    few = st.integers(0, draw(st.integers(1, 4)))
    rows, sounds = [], []
    for row in range(count):
        corpus = draw(st.sampled_from(["a", "b", "tess"]))
        rows.append(
            dict.fromkeys(CLIP_COLUMNS, "")
            | {"path": f"{row}.wav", "corpus": corpus, "speaker": str(draw(few)),
               "emotion": draw(st.sampled_from(EMOTIONS))}
        )  # fmt: skip
        sounds.append(draw(st.integers(0, count)))
    for copy in range(draw(st.integers(0, 12))):
        source, *heard = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3))
        background = "//".join(f"{row}.wav" for row in heard)
        rows.append(
            rows[source]
            | {"path": f"{source}.wav#{copy}", "augmentation": draw(st.sampled_from(["noise", "pitch"])),
               "source": f"{source}.wav", "background": background}
        )  # fmt: skip
        sounds.append(draw(st.integers(0, 2 * count)))
    return pd.DataFrame(rows), np.array(sounds)


def of(splitter, *protocols):
    return [f for p in splitter.protocols(1) if p.name in protocols for f in p.folds]


def folds_of(splitter):
    """Every fold that a training run may make of a table, by name; what is refused is left out."""
    found = []
    for name, make in (
        ("random", lambda: [splitter.random()]),
        ("speaker", lambda: [splitter.speaker(0)]),
        ("inside", lambda: splitter.by_speaker(splitter.originals, 3, folds=3)),
        ("seed", lambda: splitter.protocols(1)[0].folds),
        ("by speaker", lambda: of(splitter, "speaker", "speaker_without_tess")),
        ("by corpus", lambda: of(splitter, "corpus")),
    ):
        try:
            found += [(name, fold) for fold in make()]
        except UserError:
            continue
    return found


@settings(max_examples=100, deadline=None)
@given(tables())
def test_no_sound_is_on_both_sides_of_any_fold_of_any_table(table):
    clips, sounds = table
    splitter = split(clips, sounds)
    by_path = dict(zip(clips["path"], sounds, strict=True))
    for _, fold in folds_of(splitter):
        assert len(fold.test) and len(fold.train)
        trained, tested = clips.iloc[fold.train], set(sounds[fold.test])
        assert not tested & set(sounds[fold.train])
        copies = trained[trained["augmentation"] != ""]
        parts = [*copies["source"], *(p for b in copies["background"] for p in b.split("//") if p)]
        assert not tested & {by_path[part] for part in parts}


@settings(max_examples=100, deadline=None)
@given(tables())
def test_speakers_who_share_a_sound_are_on_one_side_of_every_fold_by_speaker(table):
    clips, sounds = table
    splitter = split(clips, sounds)
    speakers = splitter.speakers
    for name, fold in folds_of(splitter):
        if name in ("speaker", "inside", "by speaker", "by corpus"):
            assert not set(speakers[fold.train]) & set(speakers[fold.test])
            assert not set(splitter.people[fold.train]) & set(splitter.people[fold.test])
    # one person exactly where a chain of shared sounds leads from one to the other
    originals = np.flatnonzero(clips["augmentation"] == "")
    reach = {name: {name} for name in speakers}
    for _ in speakers:
        for sound in set(sounds[originals]):
            heard = set(speakers[originals][sounds[originals] == sound])
            whole = set().union(*(reach[name] for name in heard))
            reach |= dict.fromkeys(whole, whole)
    for row in range(len(clips)):
        assert set(speakers[splitter.people == splitter.people[row]]) == reach[speakers[row]]


@settings(max_examples=30, deadline=None)
@given(tables())
def test_without_twins_nothing_changes(table):
    clips, _ = table
    splitter = split(clips)
    assert splitter.twins() == "" and (splitter.people == splitter.speakers).all()


def test_of_equal_sounds_drawn_on_both_sides_all_go_where_the_first_of_them_is(clips, splitter):
    plain = splitter.random()
    tested, trained = plain.test[::3], np.intersect1d(plain.train, splitter.originals)[::5]
    pairs = list(zip(tested.tolist(), trained.tolist(), strict=False))
    sounds = np.arange(len(clips))
    for one, other in pairs:
        sounds[other] = sounds[one]
    found = set(split(clips, sounds).random().test.tolist())
    expected = set(plain.test.tolist())
    for one, other in pairs:
        (expected.add if one < other else expected.discard)(other if one < other else one)
    assert found == expected


def test_whoever_speaks_in_two_corpora_does_not_train_in_one_where_the_other_is_tested(clips):
    corpora = clips["corpus"].to_numpy(str)
    first, second = (np.flatnonzero(corpora == corpus)[0] for corpus in ("a", "tess"))
    sounds = np.arange(len(clips))
    sounds[second] = sounds[first]  # the first speaker of both, who must be one person
    (protocol,) = [p for p in split(clips, sounds).protocols(seed=1) if p.name == "corpus"]
    for fold in protocol.folds:
        (tested,) = set(corpora[fold.test])
        missing = set(np.flatnonzero(corpora != tested)) - set(fold.train.tolist())
        assert missing == set(np.flatnonzero((corpora != tested) & (clips["speaker"] == "0")))


def test_what_twins_there_are_is_said_with_counts(clips):
    sounds = np.arange(len(clips))
    # a/0: angry 0 and 1 (rows 0, 2), angry and sad (rows 4, 18); tess/1 shares one with a/1
    rows = clips.index[(clips["speaker"] == "1") & (clips["augmentation"] == "")]
    ours, theirs = (rows[clips["corpus"][rows] == corpus][0] for corpus in ("a", "tess"))
    for one, other in ((0, 2), (4, 18), (ours, theirs)):
        sounds[other] = sounds[one]
    said = split(clips, sounds).twins()
    assert said.startswith("3 sounds under 6 names, 1 of them with several labels: ")
    assert "11 of 12 are left" in said and "1 is in several corpora" in said
    assert "changed sides" in said and "\n" not in said


@pytest.mark.parametrize("different", [1, 2, 3])
def test_too_few_different_sounds_are_refused_or_split(different, clips):
    splitter = split(clips, np.arange(len(clips)) // 2 % different)
    try:
        fold = splitter.random()
    except UserError as error:
        assert f"{len(splitter.originals)} clips are of {different} different sound" in str(error)
    else:
        assert different > 1 and len(fold.test) and len(fold.train)


def test_speakers_who_all_share_sounds_cannot_be_held_out(clips):
    splitter = split(clips, np.where(clips["emotion"] == "sad", 0, 1 + np.arange(len(clips))))
    with pytest.raises(UserError, match="speakers who share recordings"):
        splitter.speaker(seed=0)


def test_a_fold_that_would_train_on_one_class_only_is_none():
    clips = make_clips(corpora=("a", "b"), speakers=2, emotions=("sad", "angry"))
    clips = clips[(clips["corpus"] == "a") == (clips["emotion"] == "sad")].reset_index(drop=True)
    names = [protocol.name for protocol in split(clips).protocols(seed=1)]
    assert "corpus" not in names and "speaker" in names


def test_equal_features_are_one_sound_and_others_are_not():
    vectors = np.random.default_rng(0).standard_normal((20, 7)).astype(np.float32)
    vectors[[3, 11]] = vectors[5]
    vectors[12] = vectors[13]
    vectors[12, 6] = np.nextafter(vectors[12, 6], np.float32(9))
    sounds = sounds_of(vectors)
    assert sounds[3] == sounds[5] == sounds[11] and len(set(sounds)) == 18


@settings(max_examples=50, deadline=None)
@given(st.permutations(range(30)), st.integers(1, 10), st.integers(1, 10))
def test_a_fold_within_rows_names_the_same_rows_by_their_places(rows, trained, tested):
    rows = np.array(rows[:25])
    fold = Fold(rows[::-1][:trained], rows[:tested])
    inside = fold.within(rows)
    np.testing.assert_array_equal(rows[inside.train], fold.train)
    np.testing.assert_array_equal(rows[inside.test], fold.test)


@pytest.mark.parametrize(("speakers", "folds"), [(12, 5), (6, 5), (5, 5), (4, 4), (2, 2), (1, 0)])
def test_there_are_five_folds_by_speaker_or_as_many_as_speakers(speakers, folds):
    splitter = split(make_clips(corpora=("a",), speakers=speakers))
    assert len(splitter.by_speaker(splitter.originals, 1)) == folds
    assert len(splitter.by_speaker(splitter.originals, 1, folds=3)) == min(3, folds)


def test_corpora_are_left_out_in_the_order_of_their_names():
    splitter = split(make_clips(corpora=("tess", "b", "a", "c"), speakers=2))
    (protocol,) = [p for p in splitter.protocols(seed=1) if p.name == "corpus"]
    tested = [splitter.corpora[fold.test][0] for fold in protocol.folds]
    assert tested == ["a", "b", "c", "tess"]


def test_tess_alone_is_not_left_out():
    names = [p.name for p in split(make_clips(corpora=("tess",))).protocols(seed=1)]
    assert names == ["seed", "speaker"]


def test_a_speaker_split_holds_out_three_in_ten_speakers():
    splitter = split(make_clips(corpora=("a",), speakers=20, takes=1))
    assert len(set(splitter.speakers[splitter.speaker(seed=0).test])) == 6


def test_four_clips_can_be_split_and_three_cannot():
    clips = make_clips(corpora=("a",), speakers=2, emotions=("sad",), takes=2, copies=False)
    fold = split(clips).random()
    assert (len(fold.train), len(fold.test)) == (2, 2)
    with pytest.raises(UserError, match="3 clips are too few to split"):
        split(clips[:3]).random()


def test_twins_that_stay_where_they_were_move_nobody(clips):
    plain = split(clips).random()
    sounds = np.arange(len(clips))
    sounds[plain.test[1]] = sounds[plain.test[0]]
    said = split(clips, sounds).twins()
    assert said.startswith("1 sound under 2 names") and "changed sides" not in said
