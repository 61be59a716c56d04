"""A voice profile: what is learnt of a voice; kept to the last bit in Python and in C; and forgotten."""

import json

import codegen_models
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline

from speech_emotion.features import schema
from speech_emotion.model import profile as profiles
from speech_emotion.model.estimators import Int8Network, Int16Quantiser
from speech_emotion.model.profile import FAR, STEPS, TOP, Profile, VoiceScaler

COLUMNS = 12


def usual():
    return np.full(COLUMNS, 900, np.int16)


def sentences(seed, count, centre=0):
    random = np.random.default_rng(seed)
    return np.clip(np.rint(random.normal(centre, 900, (count, COLUMNS))), -FAR, FAR).astype(
        np.int32
    )


# --- what it learns ----------------------------------------------------------------------------------


def test_who_is_not_known_is_heard_as_he_is():
    steps = sentences(0, 3)
    assert np.array_equal(Profile(usual()).adapted(steps), np.clip(steps, -TOP, TOP))


def test_after_forty_sentences_a_voice_is_heard_against_its_own_mean():
    voice = Profile(usual())
    for sentence in sentences(1, 40, centre=2000):
        voice.learn(sentence)
    assert voice.known == 40
    # 40 sentences and PRIOR of the training voices' mean, which is 0
    assert voice.reference == pytest.approx(2000 * 40 / (40 + profiles.PRIOR), abs=500)
    assert abs(voice.adapted(sentences(2, 200, centre=2000)).mean()) < 400


def test_one_sentence_moves_the_reference_by_a_seventh():
    voice = Profile(usual())
    voice.learn(np.full(COLUMNS, 7000, np.int32))
    assert voice.reference.tolist() == [1000] * COLUMNS
    assert voice.spread.tolist() == [900] * COLUMNS  # deviations are of at least two sentences


def test_a_lively_voice_is_heard_as_calmer():
    voice = Profile(usual())
    for sentence in sentences(3, 64) * 3:
        voice.learn(np.clip(sentence, -FAR, FAR))
    assert (voice.spread > 1300).all()
    assert (np.abs(voice.adapted(np.full(COLUMNS, 2000))) < 1600).all()


def test_what_was_long_ago_is_forgotten():
    voice = Profile(usual())
    for centre in (1500, 1200, 900, 600, 300, 0):  # a voice, or a room, that changes slowly
        for sentence in sentences(centre, 80, centre=centre):
            assert voice.learn(sentence) or voice.strange
    assert abs(voice.reference.mean()) < 300


def test_after_ten_sentences_in_a_row_that_do_not_fit_it_begins_anew():
    voice = known_voice()
    learnt = [voice.learn(each) for each in sentences(8, 40, centre=-2500)]
    assert learnt == [True] * 2 + [False] * 7 + [True] * 31
    assert voice.known == voice.stands_on == 31
    assert (voice.reference < -1500).all()


@given(st.lists(st.integers(-FAR, FAR), min_size=1, max_size=200), st.integers(50, FAR))
@settings(max_examples=200)
def test_every_number_stays_within_sixteen_bits(values, deviation):
    voice = Profile(np.array([deviation], np.int16))
    for value in values:
        assert np.abs(voice.adapted(np.array([value]))).max() <= TOP
        voice.learn(np.array([value], np.int32))
        assert np.abs(voice.reference).max() <= FAR
        assert profiles.LEAST_SPREAD <= voice.spread.min() <= voice.spread.max() <= FAR


@given(st.integers(-(2**30), 2**30), st.integers(1, 2**15))
def test_divisions_round_halves_away_from_zero(a, b):
    nearest = abs(a) // b + (2 * (abs(a) % b) >= b if b % 2 == 0 else 2 * (abs(a) % b) > b - 1)
    assert profiles.divided(np.array(a), b) == (nearest if a >= 0 else -nearest)


def test_many_profiles_at_once_are_the_same_as_one_after_another():
    steps, heard = sentences(6, 50), [np.arange(7), np.arange(0), np.array([3, 30, 2])]
    reference, spread = profiles.after(usual(), steps, heard)
    for i, rows in enumerate(heard):
        one = Profile(usual())
        for row in rows:
            one.learn(steps[row])
        assert np.array_equal(one.reference, reference[i])
        assert np.array_equal(one.spread, spread[i])


# --- somebody else -----------------------------------------------------------------------------------


def known_voice():
    voice = Profile(usual())
    for sentence in sentences(7, 30, centre=2500):
        voice.learn(sentence)
    return voice


def test_a_second_speaker_is_noticed_after_three_sentences_and_not_learnt():
    voice = known_voice()
    stranger = sentences(8, 6, centre=-2500)
    assert [voice.learn(each) for each in stranger] == [True, True, False, False, False, False]
    assert voice.stands_on == 0
    assert np.array_equal(voice.adapted(stranger), np.clip(stranger, -TOP, TOP))


def test_when_the_first_speaker_is_back_he_is_known_again():
    voice = known_voice()
    for each in sentences(8, 6, centre=-2500):
        voice.learn(each)
    assert voice.learn(sentences(9, 1, centre=2500)[0])
    assert voice.stands_on > 30


def test_in_the_first_sentences_nobody_is_a_stranger():
    voice = Profile(usual())
    for each in [*sentences(10, 2, centre=2500), *sentences(11, 3, centre=-2500)]:
        assert voice.learn(each)


# --- the scaler --------------------------------------------------------------------------------------


def test_columns_are_counted_in_steps_of_a_deviation():
    X = np.random.default_rng(12).normal(5, 2, (400, 3)).astype(np.float32)
    X[:, 2] = 7
    scaler = VoiceScaler().fit(X, groups=np.arange(400) % 8)
    steps = scaler.steps(X)
    assert steps[:, :2].std(axis=0) == pytest.approx(STEPS, rel=0.01)
    assert (steps[:, 2] == 0).all()
    assert scaler.transform(X).dtype == np.float32
    assert np.abs(scaler.transform(X * 1000)).max() == np.float32(TOP) * profiles.UNIT


def test_the_usual_spread_is_within_voices_and_not_between_them():
    random = np.random.default_rng(13)
    voices = np.repeat(np.arange(20), 50)
    X = random.normal(0, 0.3, (1000, 4)) + random.normal(0, 1, (20, 4))[voices]
    within = VoiceScaler().fit(X, groups=voices).spread_
    assert (within < VoiceScaler().fit(X).spread_ / 2).all()


# --- kept --------------------------------------------------------------------------------------------


def test_a_profile_comes_back_from_its_file_as_it_was():
    voice = known_voice()
    kept = json.loads(json.dumps(voice.to_json("abc")))
    back = Profile.from_json(kept, usual(), "abc")
    assert vars(back).keys() == vars(voice).keys()
    assert all(np.array_equal(value, vars(back)[name]) for name, value in vars(voice).items())


@given(
    st.dictionaries(
        st.sampled_from(["model", "known", "strange", "reference", "spread"]),
        st.one_of(
            st.none(), st.integers(), st.floats(), st.text(max_size=5), st.booleans(),
            st.lists(st.integers(-(2**40), 2**40), min_size=COLUMNS, max_size=COLUMNS),
        ),
    )
)  # fmt: skip
def test_what_is_no_profile_is_nobodys(changed):
    kept = known_voice().to_json("abc") | changed
    back = Profile.from_json(kept, usual(), "abc")
    assert back is None or all(
        np.abs(numbers).max() <= FAR for numbers in (back.reference, back.spread)
    )
    assert Profile.from_json(changed.get("reference"), usual(), "abc") is None
    assert Profile.from_json(known_voice().to_json("another"), usual(), "abc") is None


# --- the same in C -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(the C library, the pipeline, its columns) of a small network that knows voices."""
    return codegen_models.voice_library(tmp_path_factory.mktemp("voice"))


def test_sequences_of_voices_are_answered_alike_to_the_last_bit(built):
    library, pipeline, columns = built
    places = [schema.COLUMNS.index(name) for name in columns]
    random = np.random.default_rng(14)
    vectors = np.zeros((90, len(schema.COLUMNS)), np.float32)
    scaler = pipeline[0]
    for part, centre in ((slice(0, 50), 1.5), (slice(50, 60), -3), (slice(60, 90), 1.5)):
        drawn = random.normal(centre, 1, (part.stop - part.start, len(columns)))
        spread = np.where(scaler.inverse_ > 0, 1 / np.maximum(scaler.inverse_, 1e-9), 0)
        vectors[part, places] = scaler.mean_ + drawn * spread
    vectors[::17] *= 1e6  # far outside everything
    voice, profile = library.nobody(), scaler.profile()
    in_c, known = library.sequence(vectors, voice)
    in_python, expected = profiles.sequence(pipeline, vectors[:, places], profile)
    assert known.tolist() == expected.tolist()
    assert (
        0 in known[55:] and known.max() > 40
    )  # the second speaker was noticed, the first came back
    assert in_c.tobytes() == in_python.astype(np.float32).tobytes()


def test_a_profile_with_one_wrong_bit_is_not_this_models(built):
    library = built[0]
    voice = library.nobody()
    library.sequence(np.ones((3, len(schema.COLUMNS)), np.float32), voice)
    assert library.belongs(voice)
    for place in (0, 9, 100, len(voice) - 1):
        damaged = voice.copy()
        damaged[place] ^= 4
        assert not library.belongs(damaged)
    assert not library.belongs(np.zeros_like(voice))


def test_a_profile_of_the_default_columns_takes_less_than_two_kilobytes(built):
    library, _, columns = built
    assert library.profile_columns > 0.9 * len(columns)
    assert len(library.nobody()) <= 2048


def test_a_model_with_a_step_between_scaler_and_classifier_knows_no_voices():
    """A file may say so; what the scaler gives would reach a classifier of another width."""
    between = make_pipeline(VoiceScaler(), Int16Quantiser(), Int8Network())
    assert not profiles.knows_voices(between)
    assert profiles.knows_voices(make_pipeline(VoiceScaler(), Int8Network()))
