"""Scores of confidences and over speakers, against answers worked out by hand."""

import numpy as np
import pytest

from speech_emotion.training import scores
from speech_emotion.training.experiment import choose
from speech_emotion.training.scores import (
    Outcome,
    calibration_error,
    macro_f1,
    pareto_front,
    reliability,
    uar,
    weighted_f1,
)

LABELS = np.array(["angry", "sad"])


def outcome(truth, of_sad, *, corpora=None, speakers=None, sexes=None):
    """truth: string of a (angry) and s (sad); of_sad: the probabilities of sad."""
    of_sad = np.asarray(of_sad, float)
    n = len(of_sad)
    return Outcome(
        np.arange(n), np.array([{"a": "angry", "s": "sad"}[letter] for letter in truth]),
        np.c_[1 - of_sad, of_sad], LABELS, np.array(corpora or ["c"] * n),
        np.array(speakers or ["c/1"] * n), np.array(sexes or [""] * n),
    )  # fmt: skip


def test_confidence_that_equals_accuracy_has_no_calibration_error():
    correct = np.array([True] * 3 + [False])
    assert calibration_error(np.full(4, 0.75), correct) == pytest.approx(0)


def test_calibration_error_is_the_mean_distance_weighted_by_the_bins_clips():
    # 3 clips at 0.95, of which 2 right; 1 clip at 0.55, wrong: (3 |2/3 - 0.95| + 0.55) / 4
    confidence = np.array([0.95, 0.95, 0.95, 0.55])
    correct = np.array([True, True, False, False])
    assert calibration_error(confidence, correct) == pytest.approx(
        (3 * 0.28333 + 0.55) / 4, abs=1e-4
    )


def test_certainty_belongs_to_the_last_bin():
    confidences, accuracies, shares = reliability(np.array([1.0, 0.91]), np.array([True, False]))
    assert confidences == pytest.approx([0.955]) and accuracies == [0.5] and shares == [1]


def test_the_threshold_lets_the_asked_for_share_of_answers_through():
    confidence = np.linspace(0.5, 1, 101)
    found = outcome("s" * 101, confidence)
    assert (found.confidence >= found.threshold(0.7)).mean() == pytest.approx(0.7, abs=0.01)


def test_uar_at_a_coverage_counts_the_surest_answers_only():
    # the two least sure answers are wrong
    found = outcome("aassas", [0.1, 0.2, 0.9, 0.8, 0.6, 0.4])
    assert found.covered(1.0) == pytest.approx(2 / 3)
    assert found.covered(0.6) == 1


def test_recalls_are_told_by_sex_where_it_is_known():
    found = outcome("aass", [0.1, 0.9, 0.9, 0.9], sexes=["female", "male", "male", ""])
    assert found.recalls() == {
        "all": {"UAR": 0.75, "angry": 0.5, "sad": 1.0},
        "female": {"UAR": 1.0, "angry": 1.0},
        "male": {"UAR": 0.5, "angry": 0.0, "sad": 1.0},
    }


def test_an_interval_comes_from_speakers_not_from_clips():
    # a hundred clips of each of two speakers, one always right, one always wrong: any resample of
    # speakers scores 0, 0.5 or 1, however many clips there are
    right = [0.0] * 50 + [1.0] * 50
    found = outcome(
        ("a" * 50 + "s" * 50) * 2, right + right[::-1], speakers=["c/1"] * 100 + ["c/2"] * 100
    )
    assert found.intervals()["uar_c"] == (0, 1)


def test_speakers_that_all_score_alike_have_an_interval_of_no_width():
    found = outcome("as" * 8, [0.0, 1.0, 0.0, 0.0] * 4, speakers=list(np.repeat(list("wxyz"), 4)))
    assert found.intervals()["uar"] == (0.75, 0.75)


def test_a_corpus_of_one_speaker_has_no_interval():
    found = outcome(
        "asas", [0, 1, 0, 1], corpora=list("ccdd"), speakers=["c/1", "c/1", "d/1", "d/2"]
    )
    assert set(found.intervals()) == {"macro_f1", "uar", "uar_d"}


def test_scores_of_a_resample_are_those_of_its_clips():
    """The bootstrap counts in tables of confusion; a score of a table is that of the answers in it."""
    random = np.random.default_rng(0)
    for _ in range(20):
        truth, answers = random.integers(0, 4, (2, 30))
        table = np.bincount(truth * 4 + answers, minlength=16).reshape(4, 4)
        assert scores._uar(table) == pytest.approx(uar(truth, answers))
        assert scores._macro_f1(table) == pytest.approx(macro_f1(truth, answers))
        assert scores._weighted_f1(table) == pytest.approx(weighted_f1(truth, answers))


def test_an_interval_holds_the_score_and_narrows_with_more_speakers():
    random = np.random.default_rng(0)

    def width(speakers):
        truth = random.integers(0, 2, 20 * speakers)
        wrong = random.random(len(truth)) < 0.3
        found = outcome(
            "".join("as"[t] for t in truth), truth ^ wrong,
            speakers=[f"c/{i // 20}" for i in range(len(truth))],
        )  # fmt: skip
        low, high = found.intervals()["macro_f1"]
        assert low <= found.summary()["macro_f1"] <= high
        return high - low

    assert width(80) < width(5)


def test_the_smaller_of_two_equally_good_models_is_chosen():
    answers = {"large": [0, 0, 1, 1], "small": [0, 0, 1, 0.9], "tiny": [1, 1, 1, 1]}
    inside = {name: outcome("aass", of_sad) for name, of_sad in answers.items()}
    assert choose(inside, {"large": 300, "small": 200, "tiny": 100}) == "small"


def test_without_speakers_to_choose_by_the_smallest_model_is_chosen():
    assert choose({}, {"large": 300, "small": 200}) == "small"


def test_a_summary_holds_what_scikit_learn_says_of_the_answers():
    # angry: 2 of 3 right; sad: 1 of 2; predicted angry 3, sad 2
    found = outcome("aaass", [0.1, 0.2, 0.9, 0.7, 0.4], corpora=list("ccddd"))
    summary = found.summary()
    f1_angry, f1_sad = 2 * 2 / (3 + 3), 2 * 1 / (2 + 2)
    assert summary["weighted_f1"] == pytest.approx((3 * f1_angry + 2 * f1_sad) / 5, abs=1e-4)
    assert summary["macro_f1"] == pytest.approx((f1_angry + f1_sad) / 2, abs=1e-4)
    assert summary["accuracy"] == 0.6 and summary["uar"] == pytest.approx(
        (2 / 3 + 1 / 2) / 2, abs=1e-4
    )
    assert summary["uar_c"] == 1 and summary["uar_d"] == pytest.approx(0.25)
    # by bin: 0.9 twice, of which one right; 0.8 right; 0.7 right; 0.6 wrong
    bins = 2 * abs(0.9 - 0.5) + abs(0.8 - 1) + abs(0.7 - 1) + abs(0.6 - 0)
    assert summary["ece"] == pytest.approx(bins / 5, abs=1e-4)


def test_a_label_that_nobody_spoke_lowers_no_recall_and_one_that_is_never_said_counts():
    assert uar(np.array(["a", "a"]), np.array(["a", "b"])) == 0.5
    assert uar(np.array(["a", "b"]), np.array(["a", "a"])) == 0.5
    assert macro_f1(np.array(["a", "b"]), np.array(["a", "a"])) == pytest.approx((2 / 3 + 0) / 2)


def test_answers_at_the_threshold_count_as_confident():
    found = outcome("aaas", [0.4, 0.4, 0.4, 0.4])
    assert found.threshold() == pytest.approx(0.6) and found.covered(0.5) == 0.5


def test_the_threshold_lets_seven_in_ten_through_unless_another_share_is_asked_for():
    found = outcome("s" * 101, np.linspace(0.5, 1, 101))
    assert found.threshold() == pytest.approx(0.65) and found.summary()["confident_uar"] == 1


def test_intervals_are_the_middle_95_of_a_hundred_speakers():
    random = np.random.default_rng(3)
    right = random.random(100) < 0.5
    found = outcome("s" * 100, right.astype(float), speakers=[f"c/{i}" for i in range(100)])
    low, high = found.intervals()["uar"]
    # recall of one clip each: a binomial share, 1.96 standard errors of sqrt(p (1 - p) / 100) either way
    p = right.mean()
    reach = 1.96 * np.sqrt(p * (1 - p) / 100)
    assert (p - low, high - p) == pytest.approx((reach, reach), abs=0.015)


def test_intervals_agree_with_the_scores_when_nothing_is_left_to_chance():
    answers = [0.1, 0.2, 0.9, 0.7, 0.4]
    found = outcome("aaass" * 4, answers * 4, speakers=list(np.repeat(list("wxyz"), 5)))
    summary = found.summary()
    for score in ("macro_f1", "uar", "uar_c"):
        assert found.intervals()[score] == (summary[score], summary[score])


def test_speakers_are_drawn_within_their_corpus():
    # one corpus always right, one always wrong, five speakers each: whoever is drawn, half is right
    found = outcome(
        "as" * 10, [0.0, 1.0] * 5 + [1.0, 0.0] * 5, corpora=["c"] * 10 + ["d"] * 10,
        speakers=[f"{'cd'[i // 10]}/{i // 2}" for i in range(20)],
    )  # fmt: skip
    intervals = found.intervals()
    assert (
        intervals["uar"] == (0.5, 0.5)
        and intervals["uar_c"] == (1, 1)
        and intervals["uar_d"] == (0, 0)
    )


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ({"a": (1, 0.5), "b": (2, 0.6), "c": (3, 0.55)}, ["a", "b"]),
        # of equal size the better, whatever its name; of equal score the smaller
        ({"a": (1, 0.5), "b": (1, 0.6)}, ["b"]),
        ({"b": (1, 0.6), "a": (1, 0.5)}, ["b"]),
        ({"a": (2, 0.6), "b": (1, 0.6)}, ["b"]),
        ({"a": (2, 0.0), "b": (1, 0.0)}, ["b"]),
        ({}, []),
    ],
)
def test_the_front_holds_what_nothing_beats_smallest_first(points, front):
    assert pareto_front(points) == front
