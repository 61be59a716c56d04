"""The scores that a review asks for, each from true and predicted labels."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import f1_score, recall_score


def uar(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Unweighted average recall over the labels that occur in `truth`."""
    labels = np.unique(truth)
    return recall_score(truth, predicted, labels=labels, average="macro", zero_division=0)


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    return f1_score(truth, predicted, average="macro", zero_division=0)


def weighted_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    return f1_score(truth, predicted, average="weighted", zero_division=0)


@dataclass(frozen=True)
class Outcome:
    """What one model answered under one protocol: every tested row once."""

    rows: np.ndarray  # row numbers
    truth: np.ndarray
    predicted: np.ndarray
    corpora: np.ndarray

    def summary(self) -> dict[str, float]:
        """weighted F1, macro F1, UAR, and UAR of each corpus (`uar_<corpus>`)."""
        result = {
            "weighted_f1": weighted_f1(self.truth, self.predicted),
            "macro_f1": macro_f1(self.truth, self.predicted),
            "uar": uar(self.truth, self.predicted),
        }
        for corpus in np.unique(self.corpora):
            mine = self.corpora == corpus
            result[f"uar_{corpus}"] = uar(self.truth[mine], self.predicted[mine])
        return {name: round(float(value), 4) for name, value in result.items()}


def pareto_front(points: dict[str, tuple[float, float]]) -> list[str]:
    """The models that no other beats in both bytes and score, smallest first."""
    front, best = [], -np.inf
    for name in sorted(points, key=lambda n: (points[n][0], -points[n][1])):
        if points[name][1] > best:
            front.append(name)
            best = points[name][1]
    return front
