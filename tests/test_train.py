"""train.py from the outside: what it writes, what it refuses, and that the saved model is the scored one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from speech_emotion import corpora
from speech_emotion.dataset import table
from speech_emotion.features import schema
from speech_emotion.model import persistence
from speech_emotion.model.estimators import AppendDiscriminants, ClippedScaler, Int16Quantiser

REPOSITORY = Path(__file__).resolve().parent.parent
EMOTIONS = ("angry", "calm", "neutral", "sad")


def write_features(
    folder, *, emotions=EMOTIONS, speakers=6, takes=4, corpora=("folder",), copies="", twice=False
):
    """A made-up features.csv in which each emotion shifts a few columns of its own. copies: a kind of
    augmented copy of each clip; twice: each clip is there a second time, in a folder inside."""
    random = np.random.default_rng(0)

    def rows():
        for corpus in corpora:
            for speaker in range(speakers):
                for index, emotion in enumerate(emotions):
                    for take in range(takes):
                        vector = random.standard_normal(len(schema.COLUMNS)).astype(np.float32)
                        vector[10 * index : 10 * index + 10] += 1.5
                        path = f"{corpus}/{emotion}/{speaker}_{take}.wav"
                        row = dict.fromkeys(table.CLIP_COLUMNS, "") | {
                            "path": path, "corpus": corpus, "speaker": str(speaker),
                            "emotion": emotion, "seconds": "1.0",
                        }  # fmt: skip
                        yield row, vector
                        if twice:
                            yield row | {"path": f"{corpus}/{emotion}/unpacked/{path}"}, vector
                        if copies:
                            copy = {
                                "path": f"{path}#{copies}",
                                "augmentation": copies,
                                "source": path,
                            }
                            yield row | copy, vector + np.float32(0.1)

    info = {"schema": schema.HASH, "engine": "reference", "versions": {}}
    return table.write(folder, rows(), lambda: info)


def run(*arguments, cwd):
    command = [sys.executable, str(REPOSITORY / "train.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder in which three small models were trained on two corpora with augmented copies."""
    folder = tmp_path_factory.mktemp("trained")
    path = write_features(folder / "dataset", corpora=("savee", "tess"), copies="noise")
    result = run(path, "--models", "mlp_32", "forest_small", "linear", "--jobs", 2, cwd=folder)
    assert result.returncode == 0, result.stderr
    return folder, result


def test_every_model_is_written_with_its_json_and_the_best_as_model_joblib(trained):
    folder, _ = trained
    names = {path.name for path in (folder / "models").iterdir()}
    stems = ("mlp_32", "forest_small", "linear", "model")
    assert names == {f"{stem}.{suffix}" for stem in stems for suffix in ("joblib", "json")}


def test_the_saved_model_is_the_model_that_was_scored(trained):
    folder, _ = trained
    features = table.read(folder / "dataset" / "features.csv")
    for name in ("mlp_32", "forest_small", "linear"):
        model = persistence.load(folder / "models" / f"{name}.joblib")
        held_out = features.clips["path"].isin(model.info["held_out"]).to_numpy()
        probabilities = model.probabilities(features.vectors[held_out])
        predicted = np.array(model.labels)[probabilities.argmax(axis=1)]
        truth = features.clips["emotion"][held_out].replace("calm", "neutral").to_numpy(str)
        recalls = [(predicted[truth == label] == label).mean() for label in np.unique(truth)]
        assert np.mean(recalls) == pytest.approx(model.info["scores"]["uar"], abs=1e-4)


def test_no_augmented_copy_is_held_out(trained):
    folder, _ = trained
    info = json.loads((folder / "models" / "model.json").read_text())
    assert info["held_out"] and not any("#" in path for path in info["held_out"])


def test_the_report_shows_all_models_under_all_protocols(trained):
    folder, _ = trained
    scores = json.loads((folder / "reports" / "scores.json").read_text())
    assert set(scores["models"]) == {"mlp_32", "forest_small", "linear"}
    for by_protocol in scores["models"].values():
        assert {"held_out", "seed", "speaker", "speaker_without_tess", "corpus"} <= set(by_protocol)
        assert {"uar_savee", "uar_tess"} <= set(by_protocol["speaker"])


def test_every_picture_named_in_the_report_is_there(trained):
    folder, _ = trained
    reports = folder / "reports"
    text = (reports / "report.md").read_text()
    named = {line.split("(")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")}
    expected = {
        "calibration.png",
        "epochs.png",
        "importance.png",
        "learning_curve.png",
        "loss_curve.png",
        "models.png",
        "score_against_bytes.png",
    }
    assert expected | {f"confusion_{m}.png" for m in ("mlp_32", "forest_small", "linear")} == named
    for name in named:
        assert (reports / name).read_bytes().startswith(b"\x89PNG")


def test_the_model_card_names_licences_and_limits(trained):
    card = (trained[0] / "reports" / "model_card.md").read_text()
    for about in corpora.licences(["savee", "tess"]):
        assert about.licence in card and about.url in card
    assert "## Limits" in card


def test_that_a_model_knows_only_the_studio_is_said(trained, tmp_path):
    folder, result = trained  # with copies: nothing to say
    assert "--augment" not in result.stdout + (folder / "reports" / "model_card.md").read_text()
    for copies in ("", "pitch"):  # another voice is no noise
        path = write_features(tmp_path / "dataset", corpora=("savee",), copies=copies)
        result = run(path, "--models", "linear", cwd=tmp_path)
        for said in (result.stdout, (tmp_path / "reports" / "model_card.md").read_text()):
            assert "--augment" in said


def test_training_again_on_another_number_of_cores_gives_the_same_models_bit_for_bit(trained):
    folder, _ = trained
    path, again = folder / "dataset/features.csv", folder / "again"
    options = (
        "--models",
        "mlp_32",
        "forest_small",
        "--jobs",
        1,
        "--out",
        again,
        "--reports",
        again,
    )
    result = run(path, *options, cwd=folder)
    assert result.returncode == 0, result.stderr
    vectors = table.read(path).vectors
    for name in ("mlp_32", "forest_small"):
        first, second = (
            persistence.load(where / f"{name}.joblib") for where in (folder / "models", again)
        )
        np.testing.assert_array_equal(first.probabilities(vectors), second.probabilities(vectors))


@pytest.mark.parametrize("split", ["random", "speaker"])
def test_of_recordings_that_are_there_twice_none_is_held_out_and_trained_on(tmp_path, split):
    path = write_features(tmp_path / "dataset", takes=2, twice=True)
    options = ("--models", "linear", "--split", split, "--jobs", 1)
    result = run(path, *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    features = table.read(path)
    held_out = set(json.loads((tmp_path / "models" / "model.json").read_text())["held_out"])
    sounds = {
        clip: v.tobytes() for clip, v in zip(features.clips["path"], features.vectors, strict=True)
    }
    tested = {sounds[clip] for clip in held_out}
    assert held_out and not any(sounds[clip] in tested for clip in set(sounds) - held_out)
    sentence = "48 sounds under 96 names: equal sounds are kept on one side of every split"
    assert sentence in result.stdout
    assert sentence in (tmp_path / "reports" / "report.md").read_text()


@pytest.mark.parametrize("balance", ["weights", "sampling"])
def test_classes_can_be_balanced(tmp_path, balance):
    path = write_features(tmp_path / "dataset", takes=2)
    result = run(path, "--models", "mlp_32", "--balance", balance, "--jobs", 1, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert f"balance: {balance}" in (tmp_path / "reports" / "report.md").read_text()


def test_a_search_keeps_the_best_of_its_grid(tmp_path):
    path = write_features(tmp_path / "dataset", speakers=4, takes=2)
    result = run(path, "--models", "linear", "--search", "--jobs", 1, cwd=tmp_path)
    assert result.returncode == 0, result.stderr


def test_a_search_among_clips_of_one_speaker_keeps_the_settings_and_says_so(tmp_path):
    path = write_features(tmp_path / "dataset", speakers=1)
    result = run(path, "--models", "linear", "--search", "--jobs", 1, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "nothing was searched" in result.stdout


def test_a_model_of_some_groups_takes_only_their_columns(tmp_path):
    path = write_features(tmp_path / "dataset", takes=2)
    result = run(path, "--models", "linear", "--groups", "energy", "zcr", "--jobs", 1, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    info = json.loads((tmp_path / "models" / "model.json").read_text())
    assert {schema.GROUP_OF[column] for column in info["columns"]} == {"energy", "zcr"}


def test_synthetic_speech_is_called_synthetic_wherever_a_score_is_shown(tmp_path):
    path = write_features(tmp_path / "dataset", corpora=("synthetic",), takes=2)
    result = run(path, "--models", "linear", "--jobs", 1, cwd=tmp_path)
    assert "SYNTHETIC" in result.stdout
    for name in ("report.md", "model_card.md"):
        assert "SYNTHETIC" in (tmp_path / "reports" / name).read_text()
    assert json.loads((tmp_path / "reports" / "scores.json").read_text())["synthetic"] is True


def refused(result, *words):
    """Exit code 2 and one line on stderr that holds these words."""
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--models", "svm"], ["svm", "mlp_64"]),
        (["--labels", "joy,angry"], ["joy"]),
        (["--groups", "colour"], ["colour", "cepstrum"]),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(tmp_path, arguments, words):
    path = write_features(tmp_path / "dataset", speakers=2, takes=1)
    refused(run(path, *arguments, cwd=tmp_path), *words)


def test_one_class_only_is_refused(tmp_path):
    path = write_features(tmp_path / "dataset", emotions=("sad",))
    refused(run(path, cwd=tmp_path), "one class", "sad")


def test_a_speaker_split_of_one_speaker_is_refused_with_the_reason(tmp_path):
    path = write_features(tmp_path / "dataset", speakers=1)
    refused(run(path, "--split", "speaker", cwd=tmp_path), "one speaker", "--split random")


def test_a_missing_table_is_refused_with_the_command_that_makes_it(tmp_path):
    refused(run("nowhere.csv", cwd=tmp_path), "nowhere.csv", "dataset_generator.py")


def test_an_unwritable_folder_is_refused_before_any_work(tmp_path):
    path = write_features(tmp_path / "dataset", speakers=2, takes=1)
    (tmp_path / "file").write_text("")
    refused(run(path, "--out", "file/models", cwd=tmp_path), "file/models")
    assert not (tmp_path / "reports").exists()


def test_a_constant_column_is_no_trouble_for_the_scaler():
    X = np.c_[np.full(5, 3.0), np.arange(5)].astype(np.float32)
    scaled = ClippedScaler(limit=1.0).fit_transform(X)
    assert (scaled[:, 0] == 0).all() and scaled[:, 1].min() == -1 and scaled[:, 1].max() == 1


def test_the_quantiser_maps_the_training_range_onto_whole_int16_and_saturates_beyond():
    quantiser = Int16Quantiser().fit(np.array([[-2.0], [6.0]]))
    steps = quantiser.transform(np.array([[-2.0], [2.0], [6.0], [1e9], [-1e9]], np.float32))[:, 0]
    np.testing.assert_array_equal(steps, [-32767, 0, 32767, 32767, -32767])


def test_discriminant_scores_are_summed_in_column_order_in_single_precision():
    random = np.random.default_rng(0)
    X = random.standard_normal((60, 12)).astype(np.float32)
    y = np.repeat(["a", "b", "c"], 20)
    step = AppendDiscriminants().fit(X, y)
    got = step.transform(X)[:, 12:]
    for row in range(3):
        for score in range(3):
            total = step.bias_[score]
            for column in range(12):
                total = np.float32(
                    total + np.float32(X[row, column] * step.weights_[column, score])
                )
            assert got[row, score] == total
