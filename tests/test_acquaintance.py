"""Getting to know a voice: histories, the teacher on landmarks, how known voices are tested; the page."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.kernel_ridge import KernelRidge

from speech_emotion.checks import accuracy
from speech_emotion.commands import accuracy as command
from speech_emotion.dataset import table
from speech_emotion.features import schema
from speech_emotion.model import acquaintance, distillation, histories, profile
from speech_emotion.model.acquaintance import AcquaintedNetwork, LandmarkTeacher
from speech_emotion.model.profile import VoiceScaler
from speech_emotion.training import acquaintance as tested
from speech_emotion.training.candidates import CANDIDATES

LABELS = ("angry", "neutral", "sad")


@given(st.integers(0, 10**6), st.sampled_from(["", *LABELS]), st.integers(1, 50))
@settings(max_examples=50, deadline=None)
def test_a_history_is_of_other_sentences_of_the_same_voice_each_once(seed, mood, length):
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 40))
    speakers, labels = random.choice(["a", "b"], count), random.choice(LABELS, count)
    found = histories.drawn(speakers, labels, np.full(count, length), np.full(count, mood), random)
    for row, before in enumerate(found):
        others = np.flatnonzero(speakers == speakers[row])
        assert row not in before and set(before) <= set(others)
        assert len(set(before)) == len(before) == min(length, len(others) - 1)


@pytest.mark.parametrize("mood", LABELS)
def test_four_fifths_of_a_history_in_one_mood_are_of_that_mood(mood):
    labels = np.tile(LABELS, 20)
    found = histories.drawn(
        np.full(60, "a"), labels, np.full(60, 10), np.full(60, mood), np.random.default_rng(0)
    )
    assert [int((labels[before] == mood).sum()) for before in found] == [8] * 60


def test_in_recording_order_a_history_is_what_came_just_before():
    paths = np.array([f"{i:02d}" for i in range(12)])
    speakers = np.tile(["a", "b"], 6)
    found = tested.heard("10 in recording order", speakers, np.full(12, "sad"), paths, seed=0)
    assert found[10].tolist() == [0, 2, 4, 6, 8]
    assert found[0].tolist() == [2, 4, 6, 8, 10]


def cloud(rooms=1, speakers=6, each=20, seed=0):
    """Rows of `rooms` rooms with voices of their own: (X, Y one-hot, speakers, rooms)."""
    random = np.random.default_rng(seed)
    count = rooms * speakers * each
    y = random.integers(0, 3, count)
    who = np.repeat(np.arange(rooms * speakers), each)
    X = random.standard_normal((count, 8)).astype(np.float32)
    X[:, 0] += 1.5 * y
    return X, np.eye(3, dtype=np.float32)[y], who, who // speakers


def test_where_every_row_is_a_landmark_the_teacher_is_kernel_ridge_regression():
    X, Y, who, rooms = cloud()
    teacher = LandmarkTeacher(0.5, len(X)).fit(
        [X], Y, who, rooms, [np.ones(len(X))], np.random.default_rng(0)
    )
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    ridge = KernelRidge(alpha=0.5, kernel="rbf", gamma=1 / 8).fit(Z, Y - Y.mean(axis=0))
    scores = ridge.predict(Z) + Y.mean(axis=0)
    wanted = acquaintance.softmax(teacher.sharpness_ * scores)
    np.testing.assert_allclose(teacher.probabilities(X), wanted, atol=0.01)


@pytest.mark.parametrize("error", [0.1, 3, 30])
def test_a_teacher_of_landmarks_that_are_alike_has_a_solution_whatever_rounding_does(error):
    """Sums of many thousand rows in single precision may be off by more than the diagonal is raised."""
    X, Y, who, rooms = cloud(each=10)
    twice = np.concatenate([X, X])
    weights = [np.ones(len(X))] * 2
    teacher = LandmarkTeacher(0.2, len(twice)).fit(
        [X, X], Y, who, rooms, weights, np.random.default_rng(0)
    )
    among = teacher._kernel_of(teacher._marks)
    targets = among @ np.eye(3, dtype=np.float32)[np.arange(len(among)) % 3]
    exact = among @ among
    off = error * 1e-5 * np.trace(exact) / len(exact) * np.eye(len(exact), dtype=np.float32)
    solved = [
        among @ teacher._solved(products, targets, among) for products in (exact, exact - off)
    ]
    np.testing.assert_allclose(*solved, atol=0.1)


def test_who_shares_a_room_moves_the_teachers_confidence_only():
    X, Y, who, rooms = cloud(rooms=3)

    def fitted(rooms):
        given = [X], Y, who, rooms, [np.ones(len(X))]
        return LandmarkTeacher(0.5, 100).fit(*given, np.random.default_rng(0))

    one, three = fitted(np.zeros(len(X), int)), fitted(rooms)
    one.sharpness_ = three.sharpness_ = 5
    np.testing.assert_allclose(one.probabilities(X), three.probabilities(X), atol=0.01)


def test_a_teacher_whose_rooms_mislead_each_other_is_less_sure_of_itself():
    X, Y, who, rooms = cloud(rooms=3)
    X[:, 0] *= np.array([1, -1, 1])[rooms]  # what means one thing here means another there
    X[:, 1] += 4 * rooms
    weights = [np.ones(len(X))]
    told = LandmarkTeacher(0.5, 200).fit([X], Y, who, rooms, weights, np.random.default_rng(0))
    one = np.zeros(len(X), int)
    untold = LandmarkTeacher(0.5, 200).fit([X], Y, who, one, weights, np.random.default_rng(0))
    assert told.sharpness_ < untold.sharpness_


def small(**options):
    """A network that learns in no time."""
    quick = {"members": 1, "crossings": 1, "epochs": 1, "views": 1, "landmarks": 30}
    return AcquaintedNetwork((6, 4), **(quick | options))


def test_the_same_seed_gives_the_same_network_that_knows_voices():
    X, Y, who, rooms = cloud(rooms=2, each=8)
    y = np.array(LABELS)[Y.argmax(axis=1)]

    def fitted(seed):
        scaler = VoiceScaler()
        shown = scaler.fit_transform(X, groups=who)
        network = small(members=2, random_state=seed)
        return network.fit(shown, y, groups=who, rooms=rooms).network_.weights8_[0]

    np.testing.assert_array_equal(fitted(3), fitted(3))
    assert (fitted(3) != fitted(4)).any()


def test_lessons_are_kept_once_and_small_so_that_twelve_thousand_clips_fit_into_8_gb(monkeypatch):
    """With their copies, on each of two cores; in float32, and twice while they were joined, they did not."""
    monkeypatch.setattr(distillation, "LEAST_STEPS", 1)
    random = np.random.default_rng(0)
    kinds = np.tile(
        ["", "noise", "babble", "gain:-20", "microphone", "telephone", "speed", "pitch"], 400
    )
    clip = np.arange(len(kinds)) // 8
    voices = np.where(np.isin(kinds, ["speed", "pitch"]), np.arange(len(kinds)), 8 * clip)
    X = random.standard_normal((len(kinds), 150)).astype(np.float32)
    network = small(members=2, crossings=6, apart=(0, 1, 2), without=1)
    shown = VoiceScaler().fit_transform(X, groups=clip % 20)
    numbers = 2 * (1 + network.crossings) * X.size
    tracemalloc.start()
    network.fit(
        shown, np.array(LABELS)[clip % 3], groups=clip % 20, sources=8 * clip, voices=voices, kinds=kinds
    )  # fmt: skip
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 2 * numbers < most < 7 * numbers


@pytest.mark.parametrize("many, epochs", [(4000, 4), (480, 4), (120, 2), (30, 1)])
def test_beyond_many_clips_steps_grow_as_the_root_of_their_number(monkeypatch, many, epochs):
    monkeypatch.setattr(distillation, "LEAST_STEPS", 1)
    monkeypatch.setattr(acquaintance, "_MANY", many)
    shown = []

    def counted(inputs, targets, hidden, members, epochs, *more):
        shown.append(epochs)
        return distillation.trained_together(inputs, targets, hidden, members, epochs, *more)

    monkeypatch.setattr(acquaintance, "trained_together", counted)
    X, Y, who, rooms = cloud(rooms=4)
    network = small(epochs=4)
    network.fit(
        VoiceScaler().fit_transform(X, groups=who), Y.argmax(axis=1), groups=who, rooms=rooms
    )
    assert len(X) == 480 and shown == [epochs]


def test_a_member_that_goes_without_columns_weighs_none_of_them_and_the_others_do():
    X, Y, who, rooms = cloud(rooms=2, each=8)
    y = np.array(LABELS)[Y.argmax(axis=1)]

    def weights(apart):
        network = small(members=3, apart=apart, without=1)
        shown = VoiceScaler().fit_transform(X, groups=who)
        network.fit(shown, y, groups=who, rooms=rooms)
        return network.network_.weights8_[0]

    some = weights((2, 5))
    assert not some[[2, 5], 12:].any() and some[[0, 1, 3, 4, 6, 7], 12:].any(axis=1).all()
    assert some[:, :12].any(axis=1).all()
    # nothing to go without, or nothing else: all hear all
    assert weights(()).any(axis=1).all() and weights(tuple(range(8)))[:, 12:].any(axis=1).all()


@pytest.mark.parametrize("groups", [None, ["encoder", "pitch"]])
def test_what_one_member_of_a_voice_with_the_encoder_goes_without_is_the_encoder(groups):
    candidate = CANDIDATES["voice_224_encoder"]
    model = candidate.pipeline(1, groups)[-1]
    columns = candidate.columns(groups)
    assert model.without == 1 and model.members == 4
    assert {columns[place] for place in model.apart} == {
        column for column in columns if schema.GROUP_OF[column] == "encoder"
    }
    assert CANDIDATES["voice_224"].pipeline(1)[-1].without == 0


def test_a_voice_is_tested_as_it_is_answered_sentence_by_sentence():
    X, Y, who, rooms = cloud(each=12)
    scaler = VoiceScaler()
    network = small()
    y = np.array(LABELS)[Y.argmax(axis=1)]
    network.fit(scaler.fit_transform(X, groups=who), y, groups=who, rooms=rooms)
    pipeline = [scaler, network.network_]
    before = [np.arange(3), np.arange(1, 1), np.arange(5)]
    rows = np.array([5, 6, 7])
    answers = tested.probabilities(pipeline, X, rows, before)
    for answer, row, heard in zip(answers, rows, before, strict=True):
        last = profile.sequence(pipeline, X[[*heard, row]], scaler.profile())[0][-1]
        np.testing.assert_array_equal(answer, last)


# ---- the page of accuracies ----


def written(folder, corpora, seed):
    """A small table of made-up numbers."""
    random = np.random.default_rng(seed)
    rows = []
    for corpus in corpora:
        for i in range(48):
            clip = dict.fromkeys(table.CLIP_COLUMNS, "")
            path = f"{corpus}/{i}.wav"
            clip |= {"path": path, "source": path, "corpus": corpus, "seconds": "1.0"}
            clip |= {"speaker": f"s{i % 4}", "emotion": LABELS[i % 3]}
            rows.append((clip, random.standard_normal(len(schema.COLUMNS)).astype(np.float32)))
    folder.mkdir()
    info = {"schema": schema.HASH, "engine": "device"}
    return table.write(folder, rows, lambda: info)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    return written(folder / "a", ["cremad", "ravdess"], 0), written(folder / "b", ["nemo"], 1)


def run(tables, tmp_path, monkeypatch, *options):
    main, other = tables
    monkeypatch.setattr(
        "sys.argv",
        ["accuracy", str(main), "--unheard", str(other), "--models", "linear", "--jobs", "1",
         "--kept", str(tmp_path / "kept"), "--out", str(tmp_path / "page.md"), *options],
    )  # fmt: skip
    command.main()
    return (tmp_path / "page.md").read_text()


def test_a_page_of_what_is_there_so_far_says_what_was_not_run(tables, tmp_path, monkeypatch):
    text = run(tables, tmp_path, monkeypatch, "--protocols", "speaker", "--seeds", "1")
    assert "## speaker" in text and "## unheard" in text and "UAR nemo" in text
    text = run(tables, tmp_path, monkeypatch, "--seeds", "2", "--so-far")
    assert "1 of 2 seeds" in text and "0 of 2 seeds" in text and "## corpus" not in text


def test_folds_that_are_kept_are_not_fitted_again(tables, tmp_path, monkeypatch):
    options = ("--protocols", "speaker", "--seeds", "1")
    text = run(tables, tmp_path, monkeypatch, *options)
    monkeypatch.setattr(
        accuracy.Experiment, "fitted", lambda *_: pytest.fail("a fold was fitted again")
    )
    assert run(tables, tmp_path, monkeypatch, *options) == text


def test_a_nested_choice_is_made_by_speakers_who_are_not_tested(tables, tmp_path, monkeypatch):
    options = ("--protocols", "speaker", "nested", "--models", "linear", "mlp_32", "--seeds", "1")
    text = run(tables, tmp_path, monkeypatch, *options)
    _, _, section = text.partition("## nested")
    assert "of 5 times" in section and accuracy.CHOSEN in section
    clips = accuracy.Clips.read(tables[0], [tables[1]])
    speaker, people = clips.protocols(42)["speaker"], clips.all.people
    inside = clips.inside(speaker, 42)
    assert len(inside) == len(speaker.folds)
    for outer, folds in zip(speaker.folds, inside, strict=True):
        for fold in folds:
            assert not set(people[fold.test]) & set(people[fold.train])
            assert not set(people[np.append(fold.test, fold.train)]) & set(people[outer.test])
            assert fold.test.max() < clips.trainable


def test_what_is_unheard_is_in_no_training_row(tables):
    clips = accuracy.Clips.read(tables[0], [tables[1]])
    for protocol in clips.protocols(42).values():
        for fold in protocol.folds:
            assert fold.train.max() < clips.trainable
    tested = [fold.test for fold in clips.protocols(42)["speaker"].folds]
    assert all((rows >= clips.trainable).sum() == 48 for rows in tested)


def test_a_corpus_that_is_trained_on_is_not_unheard(tables):
    with pytest.raises(accuracy.UserError, match="cremad"):
        accuracy.Clips.read(tables[0], [tables[0]])


def folds_file(folder, rows):
    path = folder / "folds.csv"
    path.write_text("corpus,clip,test_fold\n" + "".join(f"{','.join(row)}\n" for row in rows))
    return path


def test_folds_that_others_publish_train_and_test_each_corpus_by_itself(
    tables, tmp_path, monkeypatch
):
    # fold by speaker of ravdess: clip i is of speaker i % 4; a clip that is not here, and one left out
    rows = [("ravdess", str(i), str(i % 4 + 1)) for i in range(1, 48)] + [("ravdess", "gone", "1")]
    path = folds_file(tmp_path, rows)
    text = run(
        tables, tmp_path, monkeypatch, "--protocols", "seed", "--seeds", "1", "--folds", str(path)
    )
    _, _, section = text.partition("## published")
    assert "47 of the 48 clips named are here; nobody is on both sides of a fold" in section
    assert "UAR ravdess" in section and "UAR cremad" not in section and "1 of 1 seeds" in text
    clips = accuracy.Clips.read(tables[0], [], "eight").in_folds_of(path)
    protocol = clips.protocols(42)[accuracy.PUBLISHED]
    assert len(protocol.folds) == 4
    for fold in protocol.folds:
        assert set(clips.all.corpora[np.append(fold.train, fold.test)]) == {"ravdess"}
        assert not set(clips.all.people[fold.train]) & set(clips.all.people[fold.test])
    assert sum(len(fold.test) for fold in protocol.folds) == 47


def test_published_folds_that_share_people_are_said_to_flatter(tables, tmp_path):
    path = folds_file(tmp_path, [("ravdess", str(i), str(i % 3)) for i in range(48)])
    clips = accuracy.Clips.read(tables[0], [], "eight").in_folds_of(path)
    about = clips.protocols(42)[accuracy.PUBLISHED].about
    assert "in 3 of 3 folds people are on both sides, which flatters" in about


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("iemocap", "a", "1"), ("iemocap", "b", "2")], "iemocap"),
        ([("ravdess", "1", "1"), ("ravdess", "2", "1")], "no two folds"),
        ([("ravdess", "1", "1"), ("ravdess", "1", "2")], "twice"),
        ([("ravdess", "1", "")], "no test_fold"),
    ],
)
def test_a_file_of_folds_that_cannot_be_used_is_told_of(tables, tmp_path, rows, said):
    path = folds_file(tmp_path, rows)
    with pytest.raises(accuracy.UserError, match=said):
        accuracy.Clips.read(tables[0], [], "eight").in_folds_of(path)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(accuracy.UserError, match="no column 'corpus'"):
        accuracy.Clips.read(tables[0], [], "eight").in_folds_of(tmp_path / "other.csv")
