"""What a report needs: pictures of clips, curves over epochs, models with intervals; a notebook."""

import json
import subprocess
import sys

import numpy as np
import pytest
import signals
import soundfile
from conftest import REPOSITORY
from test_own_data import of
from test_train import run, write_features

from speech_emotion.errors import UserError
from speech_emotion.model import emotions
from speech_emotion.training import plots


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    path = write_features(folder / "dataset", speakers=5, takes=3)
    for emotion in ("angry", "calm", "neutral", "sad"):
        place = folder / "clips/folder" / emotion
        place.mkdir(parents=True)
        for speaker in range(5):
            soundfile.write(
                place / f"{speaker}_0.wav", signals.voice(16000), 16000, subtype="PCM_16"
            )
    done = run(path, "--models", "mlp_32", "linear", "--pictures", "svg", "--show", "clips", "--jobs", 1,
               cwd=folder)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "reports"


def test_the_pictures_are_drawn_in_lines_where_asked_for(trained):
    names = {path.name for path in trained.glob("*.svg")}
    assert {
        "emotions.svg",
        "models.svg",
        "epochs.svg",
        "confusion_mlp_32.svg",
        "learning_curve.svg",
    } <= names
    assert not list(trained.glob("*.png"))
    report = (trained / "report.md").read_text()
    assert all(f"![{name}]({name})" in report for name in names)
    for name in names:
        text = (trained / name).read_text()
        assert text.startswith("<?xml") and "<dc:date>" not in text


def test_the_confusion_has_the_numbers_of_clips(trained):
    figure = plots.confusion({"speaker": of("as" * 30, [0, 1, 1] * 20, 5)}, "m")
    cells = [text.get_text() for text in figure.axes[0].texts]
    assert len(cells) == 4 and sum(int(cell.split("\n")[1]) for cell in cells) == 60
    plots.plt.close(figure)


@pytest.mark.parametrize("form", plots.FORMATS)
def test_the_same_figure_gives_the_same_bytes(form, tmp_path):
    outcomes = {name: {"seed": of("as" * 30, [0, 1] * 30, 5)} for name in ("one", "two")}
    first, second = (
        plots.save(plots.models_compared(outcomes), tmp_path / n / f"x.{form}").read_bytes()
        for n in "ab"
    )
    assert first == second


def test_the_clip_that_is_shown_is_one_of_usual_length():
    chosen = emotions.choose(["a", "b", "c", "d"], ["x", "x", "x", "y"], [1.0, 9.0, 2.0, 3.0])
    assert chosen == {"x": "c", "y": "d"}


def test_a_clip_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        emotions.draw({"sad": "gone.wav"}, tmp_path)


def test_the_notebook_runs_from_nothing(tmp_path):
    notebook = json.loads((REPOSITORY / "docs/report.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell.get("outputs") for cell in notebook["cells"])
    source = "import matplotlib; matplotlib.use('Agg')\n" + "\n\n".join(cells)
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=tmp_path, capture_output=True, text=True, timeout=600,
        env={**__import__("os").environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "clips of 4 speakers)" in done.stdout and "version" in done.stdout
    assert (tmp_path / "emotions.svg").is_file() and (tmp_path / "confusion.svg").is_file()
    assert np.isfinite(float(done.stdout.split("UAR ")[1].split()[0]))
