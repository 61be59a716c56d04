"""Own recordings: judged, counted, mixed with public ones, and no score without what it is worth."""

import json

import numpy as np
import pytest
from test_split import VOICE, command, own  # noqa: F401
from test_train import run, write_features
from test_training_scores import outcome

from speech_emotion.codegen import library
from speech_emotion.commands import dataset_generator
from speech_emotion.dataset import table
from speech_emotion.errors import UserError
from speech_emotion.features import schema, speech
from speech_emotion.model import persistence
from speech_emotion.training import fitting, meaning, mixing

# --- what is said of the sound ----------------------------------------------------------------


def test_level_is_that_of_the_speech_whatever_the_pauses():
    room = np.random.default_rng(0).normal(0, 8, 48000).round().astype(np.int16)
    alone = speech.level(VOICE)
    assert speech.level(np.concatenate([room, VOICE, room])) == pytest.approx(alone, abs=1)
    assert speech.level((VOICE / 10).astype(np.int16)) == pytest.approx(alone - 20, abs=0.5)
    assert speech.level(np.zeros(16000, np.int16)) == float("-inf")
    assert speech.clipped(np.array([32767, -32768, -32767, 32766, 0], np.int16)) == 3


def test_quiet_clipped_and_short_clips_and_too_few_are_told_with_the_remedy(tmp_path, command):  # noqa: F811
    loud = np.clip(VOICE.astype(int) * 40, -32768, 32767).astype(np.int16)
    files = {
        f"{emotion}__{who}_{i}": VOICE[: 20000 + 500 * i]
        for emotion in ("happy", "sad")
        for who in ("anna", "ben")
        for i in range(3)
    }
    own(
        tmp_path / "own", **files, happy__anna_quiet=(VOICE / 12).astype(np.int16),
        happy__ben_loud=loud, sad__ben_short=VOICE[:9000],
    )  # fmt: skip
    code, said, error = command(
        dataset_generator, "--corpora", tmp_path / "own", "--engine", "device", "--jobs", 1,
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert code == 0, error
    assert "own recordings, clips by speaker and emotion:" in said
    assert (
        "1 of 15 clips is too quiet (speech below -45 dBFS), 'happy/anna_quiet.wav' the most"
        in said
    )
    assert "1 of 15 clips is clipped (cut off at full scale), 'happy/ben_loud.wav' the most" in said
    assert "1 of 15 clips is shorter than 0.7 s, 'sad/ben_short.wav' the most, 0.6 s" in said
    assert "few clips of 'happy' 8, 'sad' 7: record 30 or more of each emotion" in said
    assert "2 speakers: a model learns how they speak and no more" in said
    info = json.loads((tmp_path / "out" / "features.json").read_text())
    assert len(info["own_recordings"]) == 6 and all(line in said for line in info["own_recordings"])


# --- what a score is worth --------------------------------------------------------------------


def of(truth, of_sad, people):
    speakers = [f"c/{i % people}" for i in range(len(truth))]
    return outcome(truth, of_sad, speakers=speakers)


def test_few_clips_are_said_to_be_few():
    found = of("as" * 4, [0, 1] * 4, 4)
    first, *_ = meaning.doubts(found, by_speaker=False)
    assert first.startswith(
        "tested on 8 clips, 4 of 'angry': too few for the score to mean anything"
    )


def test_a_score_that_guessing_may_reach_is_said_to_show_nothing():
    random = np.random.default_rng(0)
    found = of("as" * 60, random.random(120), 6)
    doubts = meaning.doubts(found, by_speaker=True)
    assert any("nothing shows yet that it tells emotions apart" in each for each in doubts)


def test_many_clips_of_many_speakers_that_are_right_leave_no_doubt():
    assert meaning.doubts(of("as" * 60, [0, 1] * 60, 6), by_speaker=True) == []
    assert (
        "2 speakers say little" in meaning.doubts(of("as" * 60, [0, 1] * 60, 2), by_speaker=True)[0]
    )


def test_an_interval_holds_the_score_and_shrinks_with_clips():
    random = np.random.default_rng(1)
    widths = []
    for n in (20, 200):
        right = random.random(2 * n) < 0.8
        found = of("as" * n, np.where(right, [0, 1] * n, [1, 0] * n), 1)
        for score in ("weighted_f1", "macro_f1", "uar"):
            low, high = found.interval(score, by_speaker=False)
            assert low <= found.summary()[score] <= high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


def test_a_sentence_on_a_score_says_its_interval_clips_and_speakers():
    found = of("as" * 60, [0, 1] * 60, 6)
    assert meaning.said(found, "uar", by_speaker=True) == (
        "1.000 (95 %: 1.000 to 1.000; 120 clips of 6 speakers)"
    )
    nobody = outcome("as", [0, 1], speakers=["folder/unknown"] * 2)
    assert meaning.tested(nobody) == "2 clips of unknown speakers"


# --- train.py ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted_to_all(tmp_path_factory):
    folder = tmp_path_factory.mktemp("all")
    path = write_features(folder / "dataset", speakers=4, takes=3, copies="noise")
    done = {}
    for fit in ("split", "all"):
        done[fit] = run(path, "--models", "linear", "mlp_32", "--fit", fit, "--out", fit, "--reports",
                        f"reports_{fit}", "--jobs", 1, cwd=folder)  # fmt: skip
        assert done[fit].returncode == 0, done[fit].stderr
    return folder, done


def test_fit_all_ships_a_model_of_every_clip_with_the_score_of_one_that_had_not_heard_them(
    fitted_to_all,
):
    folder, done = fitted_to_all
    split, every = (json.loads((folder / f / "mlp_32.json").read_text()) for f in ("split", "all"))
    assert every["fit"] == "all" and every["trained_on"] == 96 and every["held_out"] == []
    assert every["scores"] == split["scores"] and every["scored_on"] == split["scored_on"] == 15
    assert every["unseen"] == split["unseen"] and every["unseen_speakers"] == 4
    assert every["sha256"] != split["sha256"]
    assert "then trained on every clip" in done["all"].stdout
    assert "then trained on every clip" in (folder / "reports_all/model_card.md").read_text()
    features = table.read(folder / "dataset/features.csv")
    model = persistence.load(folder / "all/mlp_32.joblib")
    answers = model.probabilities(features.vectors).argmax(axis=1)
    assert len(answers) == 96


def test_every_printed_score_has_its_clips_and_interval(fitted_to_all):
    _, done = fitted_to_all
    out = done["split"].stdout
    assert "seed: weighted F1, 15 clips of 4 speakers" in out
    assert "clips held out at random, of voices that it has heard: weighted F1 " in out
    assert "speakers that it never heard: UAR " in out and "48 clips of 4 speakers" in out
    assert "too few for the score to mean anything" in out
    assert "4 speakers say little of the next one" in out


def test_the_card_speaks_of_these_recordings(fitted_to_all):
    card = (fitted_to_all[0] / "reports_all/model_card.md").read_text()
    assert "Own recordings: 48 clips of 4 speakers" in card
    assert (
        "Acted emotion" not in card
        and "the microphone and the sentences of these recordings" in card
    )


def test_the_library_says_the_score_of_new_voices_first(fitted_to_all):
    facts = json.loads((fitted_to_all[0] / "all/mlp_32.json").read_text())
    said = library._scores(facts)
    assert said.startswith(
        f"of speakers that it never heard UAR {facts['unseen']['uar']:.2f} (95 %: "
    )
    assert "48 clips of 4 speakers; guessing 0.25" in said and "15 clips held out" in said
    assert "then trained on every clip" in said
    line = json.loads(json.loads(library._first_line(facts)))
    assert line == {"model": "mlp_32", "quality": said}
    alone = {key: value for key, value in facts.items() if key not in ("unseen", "intervals")}
    assert library._scores(alone).startswith("of new voices nothing is known")


# --- own recordings among others --------------------------------------------------------------


def features(folder, corpora, **options):
    return table.read(write_features(folder, corpora=corpora, **options))


def test_mixed_tables_hold_the_own_labels_and_count_own_clips_as_much_as_all_others(tmp_path):
    mine = features(
        tmp_path / "own", ("folder",), emotions=("angry", "neutral"), speakers=2, takes=2
    )
    theirs = features(tmp_path / "public", ("cremad", "tess"), copies="noise")
    both, paths, said = mixing.mix(mine, theirs)
    assert set(both.clips["emotion"]) == {"angry", "neutral"}
    assert "of emotions that yours are not: sad" in said
    assert (both.vectors[: len(mine)] == mine.vectors).all()
    weights = mixing.weights(both.clips["path"].isin(paths).to_numpy())
    assert weights.mean() == pytest.approx(1)
    own_weight = weights[: len(mine)].sum() / weights.sum()
    times = mixing.times(len(mine), len(both) - len(mine))
    assert own_weight == pytest.approx(0.5) or times == mixing.MOST
    # calm counts as neutral where the own recordings have no calm
    assert len(both) == 8 + 2 * 6 * 4 * 2 * 3


def test_clips_of_one_name_in_both_tables_stay_apart(tmp_path):
    mine = features(tmp_path / "own", ("folder",))
    both, paths, _ = mixing.mix(mine, features(tmp_path / "public", ("folder",), copies="noise"))
    assert both.clips["path"].is_unique and len(paths) == len(mine)
    sources = set(both.clips["source"]) - {""}
    assert sources <= set(both.clips["path"]) - paths


def test_tables_that_cannot_be_mixed_are_refused(tmp_path):
    mine = features(tmp_path / "own", ("folder",), emotions=("bored", "joy"))
    with pytest.raises(UserError, match="has none of your labels \\(bored, joy\\)"):
        mixing.mix(mine, features(tmp_path / "public", ("tess",)))
    other = table.FeatureTable(mine.clips, mine.vectors, mine.columns, {"engine": "device"})
    with pytest.raises(UserError, match="measured by engine device, your own by reference"):
        mixing.mix(mine, other)


def test_a_clip_that_counts_twice_is_a_clip_that_is_there_twice():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    random = np.random.default_rng(0)
    X, y = random.standard_normal((40, 5)), np.repeat(["a", "b"], 20)
    X[20:] += 1
    exact = LogisticRegression(solver="newton-cholesky", tol=1e-10)
    recipe = fitting.Recipe(Pipeline([("model", exact)]), "none", 0)

    def fit(rows, weights=None):
        n = len(rows)
        examples = fitting.Examples(
            X[rows],
            y[rows],
            np.array(["s"] * n),
            np.arange(n),
            np.arange(n),
            np.array([""] * n),
            weights,
        )
        return fitting.fit(recipe, examples).predict_proba(X)

    twice = fit(np.concatenate([np.arange(40), np.arange(10)]))
    weighted = fit(np.arange(40), np.where(np.arange(40) < 10, 2.0, 1.0))
    assert weighted == pytest.approx(twice, abs=1e-4)
    assert not np.allclose(weighted, fit(np.arange(40)))


def test_train_mixes(tmp_path):
    mine = write_features(tmp_path / "own", emotions=("angry", "sad"), speakers=3, takes=3)
    public = write_features(tmp_path / "public", corpora=("cremad",), speakers=3, takes=3)
    done = run(
        mine, "--add-corpora", public.parent, "--models", "linear", "--jobs", 1, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "18 own rows and 18 of cremad; an own one counts 1.0 times" in done.stdout
    assert "UAR folder, " in done.stdout and "UAR cremad, " in done.stdout
    assert "18 own rows and 18 of cremad" in (tmp_path / "reports/model_card.md").read_text()
    assert len(schema.COLUMNS) == 606
