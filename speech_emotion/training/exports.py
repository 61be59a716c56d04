"""What others need to test for themselves: who was in which fold, and what every model said of every clip."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from speech_emotion import names
from speech_emotion.files import replacing
from speech_emotion.training.protocols import Protocol
from speech_emotion.training.scores import Outcome

FOLDS, PREDICTIONS = "folds.csv", "predictions.csv"


def write(
    folder: Path,
    clips: pd.DataFrame,
    protocols: list[Protocol],
    outcomes: dict[str, dict[str, Outcome]],
) -> None:
    """folds.csv: protocol, fold, part (train, test), path; of clips, whose copies go with them where they
    train. predictions.csv: protocol, fold, model, path, corpus, speaker, emotion, predicted, confidence, and
    the probability of each label (`p <label>`); every model answers the same clips in the same folds."""
    paths, original = clips["path"].to_numpy(str), (clips["augmentation"] == "").to_numpy()
    fold_of: dict[tuple[str, int], int] = {}
    with replacing(folder / FOLDS) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("protocol", "fold", "part", "path"))
        for protocol in protocols:
            for number, fold in enumerate(protocol.folds):
                for part, members in (("train", fold.train), ("test", fold.test)):
                    for row in members[original[members]]:
                        rows.writerow((protocol.name, number, part, names.csv_cell(paths[row])))
                fold_of |= {(protocol.name, int(row)): number for row in fold.test}
    labels = next(iter(next(iter(outcomes.values())).values())).labels
    with replacing(folder / PREDICTIONS) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow((
            "protocol", "fold", "model", "path", "corpus", "speaker", "emotion", "predicted", "confidence",
            *(names.csv_cell(f"p {label}") for label in labels),
        ))  # fmt: skip
        for model, by_protocol in outcomes.items():
            for key, outcome in by_protocol.items():
                for i in np.argsort(outcome.rows, kind="stable"):
                    row, protocol = int(outcome.rows[i]), key.partition(", ")[0]
                    told = (
                        key, fold_of[protocol, row], model, paths[row], outcome.corpora[i],
                        outcome.speakers[i].partition("/")[2], outcome.truth[i], outcome.predicted[i],
                    )  # fmt: skip
                    numbers = (outcome.confidence[i], *outcome.probabilities[i])
                    rows.writerow(
                        [names.csv_cell(str(t)) for t in told] + [f"{n:.5f}" for n in numbers]
                    )
