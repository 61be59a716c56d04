"""Who is trained on and who is tested on: the splits that a score means something under.

A protocol is a list of folds over row numbers. Clips are tested; augmented copies are only ever trained
on, and only with the clip they were made from and every clip that is heard in them. Speakers are told
apart by corpus and name together.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split

from speech_emotion.dataset.augment import is_voice
from speech_emotion.dataset.table import BETWEEN
from speech_emotion.errors import UserError

FOLDS = 5
TEST_SHARE = 0.3
SEED_STATE = 42  # of the split that others publish


@dataclass(frozen=True)
class Fold:
    train: np.ndarray  # row numbers
    test: np.ndarray


@dataclass(frozen=True)
class Protocol:
    name: str
    about: str
    folds: list[Fold]


class Splitter:
    """Makes folds over a table's rows. clips: the id columns; labels: (n,)."""

    def __init__(self, clips: pd.DataFrame, labels: np.ndarray):
        self.labels = labels
        self.speakers = (clips["corpus"] + "/" + clips["speaker"]).to_numpy(str)
        self.corpora = clips["corpus"].to_numpy(str)
        augmented = clips["augmentation"].to_numpy(str) != ""
        self.originals = np.flatnonzero(~augmented)
        self.copies = np.flatnonzero(augmented)
        self._paths = clips["path"].to_numpy(str)
        # which row's clip each row is of; a copy whose clip is not in the table has itself only
        sources = clips["source"].to_numpy(str)
        place = {path: row for row, path in enumerate(self._paths)}
        self.sources = np.array(
            [place.get(source, row) for row, source in enumerate(sources.tolist())]
        )
        heard = clips["background"].to_numpy(str)
        self._parts = [
            {source, *filter(None, background.split(BETWEEN))}
            for source, background in zip(sources[augmented], heard[augmented], strict=True)
        ]
        # a copy that sounds like somebody else is a voice of its own
        own = np.array([is_voice(kind) for kind in clips["augmentation"]], bool)
        self.voices = np.where(own, np.arange(len(clips)), self.sources)

    def fold(self, train: np.ndarray, test: np.ndarray) -> Fold:
        """train, test: numbers of original rows. A copy joins in training if all clips that it is made of are
        there; copies come after all clips."""
        known = set(self._paths[train].tolist())
        mine = np.array([parts <= known for parts in self._parts], bool)
        return Fold(np.concatenate([np.sort(train), self.copies[mine]]), np.sort(test))

    def random(self) -> Fold:
        """70/30 at random: the split that others publish. It leaks speakers."""
        if len(self.originals) < 4:
            raise UserError(f"{len(self.originals)} clips are too few to split; record some more")
        return self.fold(
            *train_test_split(self.originals, test_size=TEST_SHARE, random_state=SEED_STATE)
        )

    def speaker(self, seed: int) -> Fold:
        """About 30 % of the speakers held out."""
        self._need_speakers("--split speaker")
        split = GroupShuffleSplit(1, test_size=TEST_SHARE, random_state=seed)
        train, test = next(split.split(self.originals, groups=self.speakers[self.originals]))
        return self.fold(self.originals[train], self.originals[test])

    def by_speaker(self, rows: np.ndarray, seed: int, folds: int = FOLDS) -> list[Fold]:
        """Folds over these original rows in which no speaker is on both sides."""
        speakers = self.speakers[rows]
        count = min(folds, len(set(speakers)))
        if count < 2:
            return []
        split = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        return [
            self.fold(rows[train], rows[test])
            for train, test in split.split(rows, self.labels[rows], speakers)
        ]

    def protocols(self, seed: int) -> list[Protocol]:
        """The protocols that the table's speakers and corpora allow."""
        rows, corpora = self.originals, self.corpora[self.originals]
        found = [Protocol("seed", "random 70/30, random_state 42; leaks speakers", [self.random()])]
        found.append(Protocol("speaker", "folds by speaker", self.by_speaker(rows, seed)))
        if "tess" in corpora and len(set(corpora)) > 1:
            without = self.by_speaker(rows[corpora != "tess"], seed)
            found.append(
                Protocol("speaker_without_tess", "folds by speaker, TESS left out", without)
            )
        if len(set(corpora)) > 1:
            leave_one_out = [
                self.fold(rows[corpora != corpus], rows[corpora == corpus])
                for corpus in sorted(set(corpora))
            ]
            found.append(
                Protocol("corpus", "each corpus by a model that never heard it", leave_one_out)
            )
        return [protocol for protocol in found if protocol.folds]

    def _need_speakers(self, what: str) -> None:
        speakers = set(self.speakers[self.originals])
        if len(speakers) < 2:
            raise UserError(
                f"{what}: all clips are of one speaker ({next(iter(speakers))}), so none can be held out; "
                "record another or use --split random"
            )
