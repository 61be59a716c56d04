"""The teacher and its student: what each sees, and what of them reaches the chip."""

from itertools import pairwise

import numpy as np
import pytest
from codegen_models import COLUMNS, voices
from sklearn.pipeline import Pipeline
from test_codegen import generated

from speech_emotion.codegen import pipeline as codegen_pipeline
from speech_emotion.errors import UserError
from speech_emotion.model import distillation, persistence
from speech_emotion.model.compiled import Library
from speech_emotion.model.distillation import (
    Apart,
    DistilledNetwork,
    Teacher,
    alike,
    partners,
    side_by_side,
    softmax,
    trained,
    trained_together,
)
from speech_emotion.model.estimators import ClippedScaler, Int8Network
from speech_emotion.training import fitting
from speech_emotion.training.candidates import CANDIDATES, columns
from speech_emotion.training.fitting import Examples, Recipe
from speech_emotion.training.protocols import Fold


def clouds(n=240, columns=12, seed=0):
    """Three classes round their centres, six speakers, standardised: X, y, speakers."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = random.standard_normal((n, columns)) + 1.2 * np.eye(3, columns)[y]
    return (
        (X / X.std(axis=0)).astype(np.float32),
        np.array(["a", "b", "c"])[y],
        np.arange(n) // 3 % 6,
    )


def examples(X, y, speakers):
    """Clips without copies."""
    return Examples(X, y, speakers, np.arange(len(X)), np.arange(len(X)), np.full(len(X), ""))


def test_the_teacher_is_scikit_learns_kernel_ridge_regression():
    from sklearn.kernel_ridge import KernelRidge

    X, y, speakers = clouds()
    Y = np.eye(3, dtype=np.float32)[np.searchsorted(["a", "b", "c"], y)]
    teacher = Teacher(0.15).fit(X, Y, speakers, np.ones(len(X)))
    expected = KernelRidge(alpha=0.15, kernel="rbf", gamma=1 / 12).fit(X, Y - Y.mean(axis=0))
    new = clouds(seed=1)[0]
    scores = expected.predict(new) + Y.mean(axis=0)
    np.testing.assert_allclose(
        teacher.probabilities(new), softmax(teacher.sharpness_ * scores), atol=1e-3
    )


@pytest.mark.parametrize("weight", [1e4, 1e6, 1e30])
def test_a_teacher_of_twins_that_outweigh_all_others_answers_as_they_were_labelled(weight):
    """Their ridge would be less than single precision tells from nothing, and the solution any."""
    random = np.random.default_rng(0)
    X = np.repeat(random.standard_normal((40, 6)).astype(np.float32), 2, axis=0)
    Y = np.eye(2, dtype=np.float32)[(X[:, 0] > 0).astype(int)]
    teacher = Teacher(0.15).fit(X, Y, np.arange(len(X)) // 8, np.full(len(X), weight))
    assert (teacher.probabilities(X).argmax(axis=1) == Y.argmax(axis=1)).all()


def test_the_teachers_sharpness_is_the_best_for_speakers_left_out():
    X, y, speakers = clouds()
    Y = np.eye(3, dtype=np.float32)[np.searchsorted(["a", "b", "c"], y)]
    teacher = Teacher(0.15).fit(X, Y, speakers, np.ones(len(X)))
    scores = np.empty_like(Y)
    for speaker in range(6):  # the long way: a fit without each
        out = speakers == speaker
        one = Teacher(0.15).fit(X[~out], Y[~out], speakers[~out], np.ones((~out).sum()))
        centre = Y[~out].mean(axis=0)
        scores[out] = one._kernel(X[out]) @ one._dual + centre
    losses = [-np.log(softmax(s * scores)[Y.astype(bool)]).mean() for s in distillation._SHARPNESS]
    best = distillation._SHARPNESS[np.argmin(losses)]
    # the closed form centres the labels by all speakers' mean, the long way by the others'
    assert teacher.sharpness_ == pytest.approx(best, rel=0.2)


def test_partners_lend_up_to_half_of_their_columns():
    other, mask = partners(500, 40, np.random.default_rng(0))
    assert sorted(other) == list(range(500))
    assert mask.mean() == pytest.approx(0.25, abs=0.02) and mask.mean(axis=1).max() < 0.8


def test_a_family_is_of_voices_with_as_many_copies_first_rows_first():
    # voices 7, 3, 5 and 1; two rows of 3 and 7, one of 5 and 1, in the order of the table
    found = alike(np.array([7, 3, 5, 3, 7, 1]))
    assert [[rows.tolist() for rows in family] for family in found] == [[[2, 5]], [[0, 1], [4, 3]]]


def test_another_voice_of_a_clip_teaches_the_teacher_and_both_weigh_as_much_as_one(monkeypatch):
    X, y, speakers = clouds()
    random = np.random.default_rng(2)
    higher = X + np.float32(0.1) * random.standard_normal(X.shape, dtype=np.float32)
    seen = {}
    real = Teacher.fit
    monkeypatch.setattr(
        Teacher, "fit",
        lambda self, rows, Y, groups, weights: seen.update(rows=rows, weights=weights)
        or real(self, rows, Y, groups, weights),
    )  # fmt: skip
    n = len(X)
    rows = np.concatenate([X, higher, X + np.float32(100)])
    model = DistilledNetwork((8,), crossings=1, epochs=1, random_state=0)
    model.fit(
        rows, np.tile(y, 3), groups=np.tile(speakers, 3), sources=np.tile(np.arange(n), 3),
        voices=np.concatenate([np.arange(n), n + np.arange(n), np.arange(n)]),
    )  # fmt: skip
    np.testing.assert_array_equal(seen["rows"], rows[: 2 * n])
    np.testing.assert_array_equal(seen["weights"], 0.5)


def test_of_a_copy_the_student_is_told_what_the_teacher_says_of_its_clip(monkeypatch):
    X, y, speakers = clouds()
    copies = X + np.float32(100)  # so far off that a teacher of its own would say nothing of them
    shown = []
    monkeypatch.setattr(
        distillation, "trained", lambda *given: shown.append(given[:2]) or trained(*given)
    )
    model = DistilledNetwork((8,), crossings=1, epochs=1, random_state=0)
    model.fit(
        np.concatenate([X, copies]), np.tile(y, 2), groups=np.tile(speakers, 2),
        sources=np.tile(np.arange(len(X)), 2),
    )  # fmt: skip
    inputs, targets = shown[0]
    clean, noisy, crossed, crossed_noisy = np.split(inputs, 4)
    np.testing.assert_array_equal(noisy, copies)
    np.testing.assert_allclose(crossed_noisy, crossed + 100, atol=1e-4)
    of_clean, of_noisy, of_crossed, of_crossed_noisy = np.split(targets, 4)
    np.testing.assert_array_equal(of_noisy, of_clean)
    np.testing.assert_array_equal(of_crossed_noisy, of_crossed)
    assert not np.array_equal(clean, crossed)


def test_a_network_learns_the_probabilities_it_is_shown():
    random = np.random.default_rng(0)
    X = random.standard_normal((400, 3)).astype(np.float32)
    targets = softmax(X @ np.array([[2, 0], [0, 1], [1, -1]], np.float32))
    (weights, biases), losses = trained(X, targets, (16,), 30, random)
    answers = softmax(np.maximum(X @ weights[0] + biases[0], 0) @ weights[1] + biases[1])
    assert np.abs(answers - targets).mean() < 0.03 and losses[-1] < losses[0]


def test_every_member_learns_from_crossings_of_its_own(monkeypatch):
    X, y, speakers = clouds()
    shown = []
    monkeypatch.setattr(
        distillation, "trained", lambda *given: shown.append(given[0]) or trained(*given)
    )
    DistilledNetwork((8,), members=2, crossings=2, epochs=1, random_state=0).fit(
        X, y, groups=speakers
    )
    first, second = (inputs.reshape(3, *X.shape) for inputs in shown)
    np.testing.assert_array_equal(first[0], second[0])  # the clips themselves
    same = (first[1:] == second[1:]).mean()
    # three quarters of a crossing are of one voice, in both members as in one
    assert 0.4 < same < 0.75


@pytest.mark.parametrize("hidden", [(5,), (5, 4), (6, 5, 4)])
def test_networks_side_by_side_answer_with_the_mean_of_their_scores(hidden):
    random = np.random.default_rng(0)
    sizes = [7, *hidden, 3]
    networks = [
        (
            [random.standard_normal(shape).astype(np.float32) for shape in pairwise(sizes)],
            [random.standard_normal(n).astype(np.float32) for n in sizes[1:]],
        )
        for _ in range(3)
    ]

    def scores(x, weights, biases):
        for w, b in zip(weights[:-1], biases[:-1], strict=True):
            x = np.maximum(x @ w + b, 0)
        return x @ weights[-1] + biases[-1]

    x = random.standard_normal((50, 7)).astype(np.float32)
    one = side_by_side(networks)
    expected = np.mean([scores(x, *network) for network in networks], axis=0)
    np.testing.assert_allclose(scores(x, *one), expected, atol=1e-4)
    assert all(array.dtype == np.float32 for part in one for array in part)


def test_gradients_are_the_slopes_of_the_loss():
    random = np.random.default_rng(1)
    weights = [random.standard_normal(shape) for shape in ((4, 5), (5, 3))]
    biases = [random.standard_normal(n) for n in (5, 3)]
    x, targets = random.standard_normal((6, 4)), softmax(random.standard_normal((6, 3)))
    _, gradients = distillation._gradients(weights, biases, x, targets)
    for array, gradient in zip(weights + biases, gradients, strict=True):
        place = tuple(random.integers(array.shape))
        array[place] += 1e-5
        above, _ = distillation._gradients(weights, biases, x, targets)
        array[place] -= 2e-5
        below, _ = distillation._gradients(weights, biases, x, targets)
        array[place] += 1e-5
        assert gradient[place] == pytest.approx((above - below) / 2e-5, abs=1e-4)


@pytest.mark.parametrize("hidden", [(5,), (5, 4), (6, 5, 4)])
def test_networks_that_learn_together_have_the_gradients_that_each_has_alone(hidden):
    random = np.random.default_rng(2)
    members, sizes = 3, [7, *hidden, 3]
    weights = [random.standard_normal((members, a, b)) for a, b in pairwise(sizes)]
    biases = [random.standard_normal((members, 1, b)) for b in sizes[1:]]
    x, targets = random.standard_normal((9, 7)), softmax(random.standard_normal((9, 3)))
    shared = weights[0].transpose(1, 0, 2).reshape(7, -1)
    loss, gradients = distillation._gradients_together([shared, *weights[1:]], biases, x, targets)
    first = gradients[0].reshape(7, members, -1).transpose(1, 0, 2)
    alone = [
        distillation._gradients([w[m] for w in weights], [b[m, 0] for b in biases], x, targets)
        for m in range(members)
    ]
    assert loss == pytest.approx(np.mean([each for each, _ in alone]))
    for m, (_, wanted) in enumerate(alone):
        found = [first[m], *(g[m] for g in gradients[1 : len(weights)])]
        found += [g[m, 0] for g in gradients[len(weights) :]]
        for mine, its in zip(found, wanted, strict=True):
            np.testing.assert_allclose(mine, its, atol=1e-6)


def test_networks_that_learn_together_learn_the_probabilities_and_differ():
    random = np.random.default_rng(0)
    X = random.standard_normal((400, 3)).astype(np.float32)
    targets = softmax(X @ np.array([[2, 0], [0, 1], [1, -1]], np.float32))
    networks, losses = trained_together(X, targets, (16,), 3, 30, random)
    for weights, biases in networks:
        answers = softmax(np.maximum(X @ weights[0] + biases[0], 0) @ weights[1] + biases[1])
        assert np.abs(answers - targets).mean() < 0.03
    assert losses[-1] < losses[0]
    assert len({weights[0].tobytes() for weights, _ in networks}) == 3


def test_who_hears_less_learns_its_own_targets_beside_others_that_learn_as_without_it():
    drawn = np.random.default_rng(1)
    X = drawn.standard_normal((400, 3)).astype(np.float32)
    slopes = np.array([[2, 0], [0, 3], [1, -1]], np.float32)
    targets = softmax(X @ slopes)
    own = softmax(X[:, [0, 2]] @ slopes[[2, 0]])
    alone, _ = trained_together(X, targets, (16,), 2, 30, np.random.default_rng(0))
    networks, losses = trained_together(
        X, targets, (16,), 3, 30, np.random.default_rng(0), Apart(1, [1], own)
    )
    for found, wanted in zip(networks, alone, strict=False):
        for mine, its in zip(found[0] + found[1], wanted[0] + wanted[1], strict=True):
            np.testing.assert_allclose(mine, its, atol=1e-3)
    weights, biases = networks[-1]
    assert not weights[0][1].any() and weights[0][[0, 2]].all()
    answers = softmax(np.maximum(X @ weights[0] + biases[0], 0) @ weights[1] + biases[1])
    assert np.abs(answers - own).mean() < 0.03 < np.abs(answers - targets).mean()
    assert losses[-1] < losses[0]


def test_the_same_seed_gives_the_same_network_and_another_seed_another():
    X, y, speakers = clouds()

    def weights(seed):
        model = DistilledNetwork((8,), epochs=2, random_state=seed).fit(X, y, groups=speakers)
        return model.network_.weights8_[0]

    np.testing.assert_array_equal(weights(3), weights(3))
    assert (weights(3) != weights(4)).any()


def test_held_out_rows_reach_neither_teacher_nor_student(monkeypatch):
    """Rows that are held out hold a mark; nothing that learns may ever see it."""
    X, y, speakers = clouds()
    test = np.flatnonzero(speakers == 5)
    X[test] = 777
    seen = []
    for name in ("fit", "probabilities"):
        method = getattr(Teacher, name)
        monkeypatch.setattr(
            Teacher, name,
            lambda self, rows, *rest, method=method: seen.append(rows) or method(self, rows, *rest),
        )  # fmt: skip
    monkeypatch.setattr(
        distillation, "trained", lambda rows, *rest: seen.append(rows) or trained(rows, *rest)
    )
    recipe = Recipe(CANDIDATES["student_56"].make(0), "none", 0)
    fold = Fold(np.flatnonzero(speakers != 5), test)
    (found,) = fitting._fit_and_test(recipe, examples(X, y, speakers), fold, [], [X])
    assert len(found) == len(test)
    assert len(seen) == 9  # the fit, answers to the clips and six crossings, the student
    # a mark would pull its column's mean and spread along: standardised training rows have mean 0
    assert all(np.abs(rows).max() <= 2.5 for rows in seen)
    assert all(np.abs(rows[: len(fold.train)].mean(axis=0)).max() < 0.2 for rows in seen)


@pytest.mark.parametrize("labels", [2, 3])
def test_the_teacher_by_itself_answers_as_it_answers_its_student(labels, tmp_path, monkeypatch):
    """Also read back from its file, which the central service opens; and no chip is promised it."""
    X, y, speakers = clouds()
    mine = np.isin(y, np.unique(y)[:labels])
    rows = examples(X[mine], y[mine], speakers[mine])
    taught = []
    fit = Teacher.fit
    monkeypatch.setattr(Teacher, "fit", lambda self, *rest: taught.append(fit(self, *rest)) or self)
    for name in ("student_56", "kernel"):
        made = fitting.fit(Recipe(CANDIDATES[name].make(0), "none", 0), rows)
    student, _ = taught
    expected = student.probabilities(made[0].transform(X))
    np.testing.assert_allclose(made.predict_proba(X), expected, atol=1e-6)
    info = {"labels": made.classes_.tolist(), "columns": columns()[:12], "engine": "device"}
    persistence.save(made, tmp_path / "m.joblib", info)
    again = persistence.load(tmp_path / "m.joblib")
    np.testing.assert_array_equal(again.pipeline.predict_proba(X), made.predict_proba(X))
    with pytest.raises(UserError):
        codegen_pipeline.plan(again.pipeline, again.info)


def test_of_teacher_and_student_only_an_int8_network_is_saved(tmp_path):
    names = columns()[:12]
    X, y, speakers = clouds()
    recipe = Recipe(CANDIDATES["student_56"].make(0), "none", 0)
    pipeline = fitting.fit(recipe, examples(X, y, speakers))
    assert type(pipeline[-1]) is Int8Network
    info = {"labels": ["a", "b", "c"], "columns": names, "engine": "device"}
    persistence.save(pipeline, tmp_path / "m.joblib", info)
    assert (tmp_path / "m.joblib").stat().st_size < 30_000
    again = persistence.load(tmp_path / "m.joblib").pipeline
    np.testing.assert_array_equal(again.predict_proba(X), pipeline.predict_proba(X))


@pytest.mark.parametrize("labels", [2, 8])
def test_the_student_exports_exactly(labels, tmp_path):
    vectors, emotions = voices(160)
    mine = np.isin(emotions, sorted(set(emotions))[:labels])
    made = Pipeline(
        [
            ("scale", ClippedScaler()),
            ("model", DistilledNetwork((24, 12), epochs=5, random_state=0)),
        ]
    )
    speakers = np.arange(mine.sum()) % 5
    recipe = Recipe(made, "none", 0)
    made = fitting.fit(recipe, examples(vectors[mine], emotions[mine], speakers))
    facts = {
        "labels": made.classes_.tolist(),
        "columns": COLUMNS,
        "engine": "device",
        "name": "student",
    }
    chip = Library(generated(persistence.Model(made, facts), tmp_path))
    np.testing.assert_array_equal(chip.probabilities(vectors), made.predict_proba(vectors))


def test_a_first_step_is_adams():
    """Kingma and Ba 2015, section 2: with the bias taken out, the first step is the rate in each direction,
    whatever the size of the slopes; the rate then falls as half a cosine."""
    weights = np.zeros(3, np.float32)
    slopes = np.array([1e-2, -3.0, 50.0], np.float32)
    walked = []

    def gradients(part):
        walked.append(weights.copy())
        return 1.0, [slopes]

    losses = distillation._descended(
        [weights], gradients, 10, distillation.LEAST_STEPS, np.random.default_rng(0), 0.1, 10
    )
    assert len(losses) == len(walked) == distillation.LEAST_STEPS and losses[0] == 1
    np.testing.assert_allclose(walked[1], -0.1 * np.sign(slopes), rtol=1e-4)
    middle = distillation.LEAST_STEPS // 2
    np.testing.assert_allclose(
        walked[middle] - walked[middle + 1], 0.05 * np.sign(slopes), rtol=0.01
    )
