"""`import speech_emotion`: features as a DataFrame, a transformer, saved models; own estimators, folds,
answers and a paired test."""

import csv
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import signals
import soundfile
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from test_train import run, write_features
from test_training_scores import outcome

import speech_emotion
from speech_emotion.errors import UserError
from speech_emotion.features import device, schema
from speech_emotion.features.measuring import measure
from speech_emotion.training import guests, paired

VOICE = signals.voice(24000, glide=1, wobble=1)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    for i in range(4):
        soundfile.write(folder / f"{i}.wav", VOICE[1000 * i :], 16000, subtype="PCM_16")
    return [folder / f"{i}.wav" for i in range(4)]


def test_importing_it_loads_nothing_slow():
    code = "import sys, speech_emotion; dir(speech_emotion); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "pandas", "sklearn", "librosa", "parselmouth"} & set(done.stdout.split())
    with pytest.raises(AttributeError):
        speech_emotion.nothing  # noqa: B018


def test_features_of_files_are_a_table_of_what_measure_gives(files):
    frame = speech_emotion.features(files, engine="device")
    assert list(frame.columns) == list(schema.COLUMNS) and list(frame.index) == [
        str(f) for f in files
    ]
    for file in files:
        assert (frame.loc[str(file)].to_numpy() == measure(file, engine="device").vector).all()
    assert frame.attrs["schema"] == schema.HASH and (frame.dtypes == np.float32).all()
    one = speech_emotion.features(
        files[0], engine="device", columns=["rms_mean", "f0_semitones_mean"]
    )
    assert (
        one.shape == (1, 2)
        and (one == frame.iloc[:1][["rms_mean", "f0_semitones_mean"]]).all().all()
    )


def test_a_file_that_cannot_be_measured_is_raised_or_a_row_of_nothing(files, tmp_path):
    names = [files[0], tmp_path / "gone.wav"]
    with pytest.raises(UserError, match=r"gone\.wav: no such file"):
        speech_emotion.features(names, engine="device")
    frame = speech_emotion.features(names, engine="device", errors="nan")
    assert frame.iloc[0].notna().all() and frame.iloc[1].isna().all()
    assert list(frame.attrs["errors"]) == [str(names[1])]
    with pytest.raises(UserError, match="not in the schema"):
        speech_emotion.features(files, columns=["pitchiness"])


def test_the_transformer_works_in_a_pipeline_on_files_and_on_samples(files):
    step = speech_emotion.FeatureExtractor(engine="device", columns=["rms_mean", "zcr_mean"])
    assert clone(step).get_params() == step.get_params()
    of_files, of_samples = (
        step.fit_transform(files),
        step.transform([VOICE[1000 * i :] for i in range(4)]),
    )
    assert (of_files.to_numpy() == of_samples.to_numpy()).all()
    assert list(step.get_feature_names_out()) == ["rms_mean", "zcr_mean"]
    model = make_pipeline(speech_emotion.FeatureExtractor(engine="device"), LogisticRegression())
    assert set(model.fit(files, ["a", "a", "b", "b"]).predict(files)) <= {"a", "b"}


def test_what_to_cite_is_said():
    text = speech_emotion.citation("cremad", "tess")
    assert speech_emotion.__version__ in text and "Cao" in text and text.count("\n") == 2


# --- own estimators, folds, answers -----------------------------------------------------------

MODULE = """
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
def seeded(seed):
    return LogisticRegression(max_iter=300, C=0.01)
margin = LinearSVC()
whole = make_pipeline(GaussianNB())
nothing = 5
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guests")
    (folder / "my_models.py").write_text(MODULE)
    path = write_features(folder / "dataset", corpora=("savee", "tess"), copies="noise", takes=2)
    done = run(path, "--models", "linear", "mlp_32", "--estimator", "my_models:seeded",
               "my_models:margin", "my_models:whole", "--jobs", 2, cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done


def test_own_estimators_are_scored_as_the_others_and_not_saved(trained):
    folder, done = trained
    for name in ("seeded", "margin", "whole"):
        assert name in done.stdout
    assert {path.stem for path in (folder / "models").iterdir()} == {"linear", "mlp_32", "model"}
    report = (folder / "reports/report.md").read_text()
    assert "## Compared, clip by clip" in report and "mlp_32 less seeded: UAR" in report
    assert "## Cite" in report


def test_every_answer_is_exported_with_the_fold_that_it_was_given_in(trained):
    reports = trained[0] / "reports"
    answers, folds = (pd.read_csv(reports / name) for name in ("predictions.csv", "folds.csv"))
    tested = folds[folds["part"] == "test"].set_index(["protocol", "path"])["fold"]
    assert tested.index.is_unique
    assert set(answers["model"]) == {"linear", "mlp_32", "seeded", "margin", "whole"}
    for (protocol, model), mine in answers.groupby(["protocol", "model"]):
        assert (
            tested.loc[protocol].loc[mine["path"]].to_numpy() == mine["fold"].to_numpy()
        ).all(), model
    labels = [c for c in answers if c.startswith("p ")]
    assert labels == ["p angry", "p neutral", "p sad"]
    assert answers[labels].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
    best = answers[labels].to_numpy().argmax(axis=1)
    assert (np.array([c[2:] for c in labels])[best] == answers["predicted"]).mean() > 0.99
    for protocol, fold in folds.groupby(["protocol", "fold"]):
        train, test = (set(fold[fold["part"] == part]["path"]) for part in ("train", "test"))
        assert train and test and not train & test, protocol
    with (reports / "folds.csv").open() as file:
        assert not [row for row in csv.reader(file) if "#" in row[3]]  # copies go with their clips


def test_a_saved_model_answers_like_a_classifier_of_scikit_learn(trained):
    folder, _ = trained
    model = speech_emotion.load_model(folder / "models/linear.joblib")
    names = list(model.feature_names_in_)
    assert names == [c for c in schema.COLUMNS if c in set(names)] and model.n_features_in_ == len(
        names
    )
    table = pd.read_csv(folder / "dataset/features.csv")
    X = table[names[::-1]]  # columns are found by name
    proba = model.predict_proba(X)
    assert (model.predict_proba(table[names].to_numpy(np.float32)) == proba).all()
    assert (model.classes_[proba.argmax(axis=1)] == model.predict(X)).all()
    y = table["emotion"].replace("calm", "neutral")
    assert model.score(X, y) == (model.predict(X) == y).mean() > 0.5
    with pytest.raises(ValueError, match="lacks 1 columns of the model"):
        model.predict(X.iloc[:, 1:])
    with pytest.raises(ValueError, match="not finite"):
        model.predict(X * np.nan)


def test_a_saved_model_answers_files(trained, files):
    folder, _ = trained
    model = speech_emotion.load_model(folder / "models/linear.joblib")
    model.engine = "device"
    found = model.predict_files(files)
    frame = speech_emotion.features(files, engine="device")
    assert (found["emotion"].to_numpy() == model.predict(frame)).all()
    assert found[list(model.classes_)].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-4)
    assert device.extract(VOICE[: 23920 - 23920 % 160 + 80]).shape == (606,)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("my_models", "give MODULE:OBJECT"),
        ("no_such_module:x", "cannot be imported"),
        ("sklearn.svm:NoSuch", "cannot be imported"),
        ("sklearn.svm:SVC.__init__", "cannot be made"),
        ("math:pi", "no classifier"),
        ("sklearn.preprocessing:StandardScaler", "no classifier"),
    ],
)
def test_what_is_no_estimator_is_refused_in_one_line(spec, said):
    with pytest.raises(UserError, match=said):
        guests.candidate(spec)


# --- the paired test --------------------------------------------------------------------------


def answers(right, people):
    """Clips of two labels in turn, right or wrong as told. (n,) bool"""
    truth = "as" * (len(right) // 2)
    of_sad = [(letter == "s") == ok for letter, ok in zip(truth, right, strict=True)]
    return outcome(
        truth, np.array(of_sad, float), speakers=[f"c/{i // 10}" for i in range(people * 10)]
    )


def test_a_model_is_no_better_than_itself():
    found = answers(np.random.default_rng(0).random(100) < 0.6, 10)
    same = paired.compare(found, found)
    assert (same.uar, same.p, same.p_clips, same.only_first) == (0, 1, 1, 0)
    assert "no difference shown" in paired.sentence("a", "b", same)


def test_a_model_that_is_better_for_every_speaker_is_found_to_be():
    random = np.random.default_rng(1)
    good, poor = random.random(200) < 0.9, random.random(200) < 0.5
    found = paired.compare(answers(good, 20), answers(poor, 20))
    assert found.uar > 0.2 and found.low > 0 and found.p < 0.01 and found.p_clips < 0.001
    turned = paired.compare(answers(poor, 20), answers(good, 20))
    assert turned.uar == pytest.approx(-found.uar) and turned.only_first == found.only_second


def test_chance_finds_a_difference_as_rarely_as_it_should():
    random = np.random.default_rng(2)
    found = [
        paired.compare(*(answers(random.random(80) < 0.6, 8) for _ in range(2))).p
        for _ in range(40)
    ]
    assert sum(p < 0.05 for p in found) <= 6


def test_few_speakers_are_too_few_and_other_clips_are_refused():
    found = answers([True] * 20, 2)
    assert "2 speakers are too few to tell" in paired.sentence(
        "a", "b", paired.compare(found, found)
    )
    with pytest.raises(ValueError, match="different clips"):
        paired.compare(found, answers([True] * 10, 1))


def test_mcnemar_is_the_binomial_test():
    assert paired.mcnemar(0, 0) == 1
    assert paired.mcnemar(10, 0) == pytest.approx(2 * 0.5**10)
