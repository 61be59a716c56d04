"""Labels of any spelling in what a training run writes for people: tables in Markdown, and pictures."""

import re
import warnings

import markdown_it
import numpy as np
import pandas as pd
import pytest
from test_names import HOSTILE

from speech_emotion import names
from speech_emotion.training import plots, report
from speech_emotion.training.scores import Outcome

LABELS = [name for name in dict.fromkeys(HOSTILE) if not names.label_flaw(name)]


def right(truth):
    """The outcome of a model that is always right."""
    truth = np.array(truth)
    labels = np.unique(truth)
    certain = (truth[:, None] == labels).astype(float)
    n = len(truth)
    return Outcome(
        np.arange(n), truth, certain, labels, *(np.array([each] * n) for each in ("x", "x/1", ""))
    )


def test_every_label_is_one_cell_of_the_table():
    table = report.markdown(pd.DataFrame({label: [1, 2] for label in LABELS}, ["a|b", "c"]), "")
    parser = markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"])
    cells = [token for token in parser.parse(table) if token.type == "inline"]
    assert len(cells) == 3 * (len(LABELS) + 1)
    shown = ["".join(child.content for child in cell.children) for cell in cells]
    assert shown[1 : len(LABELS) + 1] == LABELS and shown[len(LABELS) + 1] == "a|b"


@pytest.mark.parametrize("label", ["accuracy", "macro avg", "$x$", "高兴"])
def test_scores_per_class_have_a_row_for_each_label_whatever_it_is_called(label):
    rows = report._per_class(right([label, label, "sad", "sad"]))
    assert list(rows.index)[-2:] == ["macro avg", "weighted avg"] and len(rows) == 4
    assert {label, "sad"} <= set(rows.index) and set(rows["support"].iloc[:2]) == {2}


def test_pictures_hold_every_label_without_a_warning(tmp_path):
    labels = ["高兴", "$x^$", "angry", "_sad", "радость", "\\frac"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.save(plots.confusion({"speaker": right(labels)}, "mlp_64"), tmp_path / "x.png")
    shown = plots.drawable(labels)
    assert shown[2] == "angry" and re.fullmatch(r"高兴|U\+9AD8 U\+5174", shown[0])
