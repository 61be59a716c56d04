"""The scores that a review asks for: of labels, of confidences, how far other speakers would move them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.metrics import f1_score, recall_score

from speech_emotion.corpora.folder import UNKNOWN_SPEAKER

BINS = 10  # of confidence
COVERAGE = 0.7  # of the clips get an answer, the others are "uncertain"
ENOUGH_SPEAKERS = 5
"""Of fewer, how they differ says next to nothing of how others would."""
_RESAMPLES = 1000


def uar(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Unweighted average recall over the labels that occur in `truth`."""
    labels = np.unique(truth)
    return recall_score(truth, predicted, labels=labels, average="macro", zero_division=0)


def macro_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    return f1_score(truth, predicted, average="macro", zero_division=0)


def weighted_f1(truth: np.ndarray, predicted: np.ndarray) -> float:
    return f1_score(truth, predicted, average="weighted", zero_division=0)


def reliability(
    confidence: np.ndarray, correct: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean confidence, accuracy and share of the clips in each of BINS equal bins that holds any."""
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    held = [places == b for b in np.unique(places)]
    return (
        np.array([confidence[mine].mean() for mine in held]),
        np.array([correct[mine].mean() for mine in held]),
        np.array([mine.mean() for mine in held]),
    )


def calibration_error(confidence: np.ndarray, correct: np.ndarray) -> float:
    """Expected calibration error (Guo et al. 2017): mean distance of accuracy from confidence, by bin."""
    confidences, accuracies, shares = reliability(confidence, correct)
    return float(shares @ np.abs(accuracies - confidences))


@dataclass(frozen=True)
class Outcome:
    """What one model answered under one protocol: every tested row once.

    rows: (n,) row numbers; truth: (n,) labels; probabilities: (n, labels); labels: (labels,), sorted;
    corpora, speakers, sexes: (n,).
    """

    rows: np.ndarray
    truth: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray
    corpora: np.ndarray
    speakers: np.ndarray
    sexes: np.ndarray

    @cached_property
    def predicted(self) -> np.ndarray:
        return self.labels[self.probabilities.argmax(axis=1)]

    @cached_property
    def confidence(self) -> np.ndarray:
        return self.probabilities.max(axis=1)

    def summary(self) -> dict[str, float]:
        """weighted F1, macro F1, accuracy, UAR, and UAR of each corpus (`uar_<corpus>`); expected
        calibration error; UAR of the COVERAGE most confident answers."""
        correct = self.predicted == self.truth
        result = {
            "weighted_f1": weighted_f1(self.truth, self.predicted),
            "macro_f1": macro_f1(self.truth, self.predicted),
            "accuracy": correct.mean(),
            "uar": uar(self.truth, self.predicted),
        }
        for corpus in np.unique(self.corpora):
            mine = self.corpora == corpus
            result[f"uar_{corpus}"] = uar(self.truth[mine], self.predicted[mine])
        result["ece"] = calibration_error(self.confidence, correct)
        result["confident_uar"] = self.covered(COVERAGE)
        return {name: round(float(value), 4) for name, value in result.items()}

    def threshold(self, coverage: float = COVERAGE) -> float:
        """The confidence that this share of the answers reaches."""
        return float(np.quantile(self.confidence, 1 - coverage))

    def covered(self, coverage: float) -> float:
        """UAR when only the most confident share of the clips gets an answer."""
        kept = self.confidence >= self.threshold(coverage)
        return uar(self.truth[kept], self.predicted[kept])

    def recalls(self) -> dict[str, dict[str, float]]:
        """Recall of each label: of all clips, and by the speaker's sex where it is known."""
        parts = {"all": np.ones(len(self.truth), bool)}
        parts |= {sex: self.sexes == sex for sex in np.unique(self.sexes) if sex}
        result = {}
        for part, mine in parts.items():
            truth, predicted = self.truth[mine], self.predicted[mine]
            scores = {
                label: (predicted[truth == label] == label).mean() for label in np.unique(truth)
            }
            result[part] = {"UAR": np.mean(list(scores.values()))} | scores
        return {part: {k: float(v) for k, v in scores.items()} for part, scores in result.items()}

    def intervals(self, seed: int = 0) -> dict[str, tuple[float, float]]:
        """95 % bootstrap intervals of macro F1, UAR and each corpus's UAR.

        Speakers are drawn, not clips: clips of one speaker are right and wrong together, and the question
        is what other speakers would have scored. As many from each corpus as it has; a corpus of one
        speaker has no interval, and adds none to those of all.
        """
        random = np.random.default_rng(seed)
        confusions, draws, homes = [], [], []
        for corpus in np.unique(self.corpora):
            tables = [
                self._confusion((self.corpora == corpus) & (self.speakers == speaker))
                for speaker in np.unique(self.speakers[self.corpora == corpus])
            ]
            count = len(tables)
            confusions += tables
            homes += [corpus] * count
            draws.append(random.multinomial(count, np.full(count, 1 / count), _RESAMPLES))
        confusions, homes, draws = np.array(confusions), np.array(homes), np.hstack(draws)
        resampled = np.tensordot(draws, confusions, 1)
        found = {"macro_f1": _interval(resampled, _macro_f1), "uar": _interval(resampled, _uar)}
        for corpus in np.unique(homes):
            mine = homes == corpus
            if mine.sum() > 1:
                part = np.tensordot(draws[:, mine], confusions[mine], 1)
                found[f"uar_{corpus}"] = _interval(part, _uar)
        return found

    @property
    def people(self) -> int:
        """How many speakers were tested, as far as it is known who speaks."""
        known = {who for who in self.speakers.tolist() if not who.endswith(f"/{UNKNOWN_SPEAKER}")}
        return len(known)

    def of(self, corpus: str) -> "Outcome":
        """The answers to one corpus's clips."""
        mine = self.corpora == corpus
        return Outcome(
            self.rows[mine], self.truth[mine], self.probabilities[mine], self.labels,
            self.corpora[mine], self.speakers[mine], self.sexes[mine],
        )  # fmt: skip

    def interval(self, score: str, *, by_speaker: bool, seed: int = 0) -> tuple[float, float]:
        """95 % bootstrap interval of `weighted_f1`, `macro_f1` or `uar`.

        by_speaker: of speakers, as `intervals`, where there are ENOUGH_SPEAKERS; of fewer, speakers and clips
        are both drawn and the wider bounds taken, because so few speakers say little of how speakers differ.
        Else clips are drawn: what other clips of the same voices would have scored.
        """
        random = np.random.default_rng(seed)
        whole = self._confusion(np.ones(len(self.truth), bool))
        of = {"weighted_f1": _weighted_f1, "macro_f1": _macro_f1, "uar": _uar}[score]
        if by_speaker and self.people >= ENOUGH_SPEAKERS and score != "weighted_f1":
            return self.intervals(seed)[score]
        draws = random.multinomial(whole.sum(), whole.ravel() / whole.sum(), _RESAMPLES)
        low, high = _interval(draws.reshape(-1, *whole.shape), of)
        if by_speaker and self.people > 1 and score != "weighted_f1":
            least, most = self.intervals(seed)[score]
            low, high = min(low, least), max(high, most)
        return low, high

    def _confusion(self, mine):
        """(labels, labels): rows are true labels."""
        truth = np.searchsorted(self.labels, self.truth[mine])
        predicted = self.probabilities[mine].argmax(axis=1)
        count = len(self.labels)
        return np.bincount(truth * count + predicted, minlength=count**2).reshape(count, count)


def _interval(confusions, score):
    low, high = np.quantile([score(c) for c in confusions], [0.025, 0.975])
    return round(float(low), 4), round(float(high), 4)


def _uar(confusion):
    clips = confusion.sum(axis=1)
    return np.mean(np.diag(confusion)[clips > 0] / clips[clips > 0])


def _macro_f1(confusion):
    clips = confusion.sum(axis=1) + confusion.sum(axis=0)
    return np.mean(2 * np.diag(confusion)[clips > 0] / clips[clips > 0])


def _weighted_f1(confusion):
    truth, clips = confusion.sum(axis=1), confusion.sum(axis=1) + confusion.sum(axis=0)
    return (2 * np.diag(confusion) / np.maximum(clips, 1)) @ truth / truth.sum()


def pareto_front(points: dict[str, tuple[float, float]]) -> list[str]:
    """The models that no other beats in both bytes and score, smallest first."""
    front, best = [], -np.inf
    for name in sorted(points, key=lambda n: (points[n][0], -points[n][1])):
        if points[name][1] > best:
            front.append(name)
            best = points[name][1]
    return front
