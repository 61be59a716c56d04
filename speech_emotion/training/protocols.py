"""Who is trained on and who is tested on: the splits that a score means something under.

A protocol is a list of folds over row numbers. Clips are tested; augmented copies are only ever trained
on, and only with the clip they were made from and every clip that is heard in them. Speakers are told
apart by corpus and name together. Equal sounds, whatever their names and labels, and sentences of one
recording, are on one side of every fold.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split

from speech_emotion.dataset.copies import is_voice
from speech_emotion.dataset.table import BETWEEN
from speech_emotion.errors import UserError

FOLDS = 5
TEST_SHARE = 0.3
SEED_STATE = 42  # of the split that others publish


@dataclass(frozen=True)
class Fold:
    train: np.ndarray  # row numbers
    test: np.ndarray

    def within(self, rows: np.ndarray) -> "Fold":
        """The same fold in places among `rows`, row numbers that hold all of this fold's."""
        order = np.argsort(rows)
        train, test = (
            order[np.searchsorted(rows, part, sorter=order)] for part in (self.train, self.test)
        )
        return Fold(train, test)


@dataclass(frozen=True)
class Protocol:
    name: str
    about: str
    folds: list[Fold]


class Splitter:
    """Makes folds over a table's rows.

    clips: the id columns; labels: (n,); sounds: (n,), equal where two rows are the same sound (`sounds_of`).
    `speakers`: (n,) as the table names them; `people`: (n,) the same, but speakers of whom one recording is
    the same sound have one name: they are one person, or else one of them is heard on both sides of a fold.
    """

    def __init__(self, clips: pd.DataFrame, labels: np.ndarray, sounds: np.ndarray):
        self.labels = labels
        self.speakers = (clips["corpus"] + "/" + clips["speaker"]).to_numpy(str)
        self.corpora = clips["corpus"].to_numpy(str)
        augmented = clips["augmentation"].to_numpy(str) != ""
        self.originals = np.flatnonzero(~augmented)
        self.copies = np.flatnonzero(augmented)
        self.kinds = clips["augmentation"].to_numpy(str)
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
        self.sounds = np.unique(sounds, return_inverse=True)[1]
        self._recordings = np.where(
            clips["recording"] == "", "", clips["corpus"] + "/" + clips["recording"]
        ).astype(str)
        self._together = self._kept_together()
        self.people = self._people()

    def fold(self, train: np.ndarray, test: np.ndarray) -> Fold:
        """train, test: numbers of original rows. A copy joins in training if all clips that it is made of are
        there; copies come after all clips. No row trains whose sound, or another sentence of whose recording,
        is tested."""
        tested = np.isin(self._together, self._together[test])
        train = np.sort(train[~tested[train]])
        known = set(self._paths[train].tolist())
        mine = np.array([parts <= known for parts in self._parts], bool) & ~tested[self.copies]
        return Fold(np.concatenate([train, self.copies[mine]]), np.sort(test))

    def random(self) -> Fold:
        """70/30 at random: the split that others publish. It leaks speakers.

        Of equal sounds that it drew on both sides, all go to the side of the first in the table. So do the
        sentences of one recording; where that leaves nothing to train or to test, or tests a label that is
        not trained, recordings are drawn instead, with about as much of each label on both sides.
        """
        rows = self.originals
        tested = self._drawn_for_test()[self._first(rows, self._together)]
        if self._recordings.any() and not self._fair(rows[~tested], rows[tested]):
            tested = self._recordings_for_test()
        if tested.all() or not tested.any():
            if self._recordings.any():
                raise UserError(
                    "every label is of one recording, so none can be tested on another than it was trained "
                    "on: record each label at least twice"
                )
            raise UserError(
                f"{len(rows)} clips are of {len(set(self.sounds[rows]))} different sounds, which is too few "
                "to split; record some more"
            )
        return self.fold(rows[~tested], rows[tested])

    def speaker(self, seed: int) -> Fold:
        """About 30 % of the speakers held out."""
        self._need_speakers("--split speaker")
        split = GroupShuffleSplit(1, test_size=TEST_SHARE, random_state=seed)
        train, test = next(split.split(self.originals, groups=self.people[self.originals]))
        return self.fold(self.originals[train], self.originals[test])

    def by_speaker(self, rows: np.ndarray, seed: int, folds: int = FOLDS) -> list[Fold]:
        """Folds over these original rows in which nobody is on both sides; without those that would train on
        one class only."""
        people, labels = self.people[rows], self.labels[rows]
        largest = np.unique(labels, return_counts=True)[1].max(initial=0)
        count = min(folds, len(set(people)), largest)
        if count < 2:
            return []
        split = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
        with warnings.catch_warnings():
            # a class of fewer clips than folds cannot be in all of them; that is no news
            warnings.filterwarnings("ignore", message="The least populated class")
            drawn = list(split.split(rows, labels, people))
        return self._trainable(self.fold(rows[train], rows[test]) for train, test in drawn)

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
            leave_one_out = self._trainable(
                self._without_corpus(rows, corpus) for corpus in sorted(set(corpora))
            )
            found.append(
                Protocol("corpus", "each corpus by a model that never heard it", leave_one_out)
            )
        return [protocol for protocol in found if protocol.folds]

    def _without_corpus(self, rows, corpus):
        """Tests a corpus, and trains on the others but for people who speak in it too."""
        tested = self.corpora[rows] == corpus
        heard = np.isin(self.people[rows], self.people[rows[tested]])
        return self.fold(rows[~tested & ~heard], rows[tested])

    def twins(self) -> str:
        """One sentence on the sounds that the table holds more than once; "" where there are none."""
        rows, places = self.originals, self._first(self.originals, self.sounds)
        clips = pd.DataFrame(
            {"label": self.labels[rows], "corpus": self.corpora[rows], "sound": self.sounds[rows]}
        )
        names = clips.groupby("sound").agg(
            clips=("sound", "size"), labels=("label", "nunique"), corpora=("corpus", "nunique")
        )
        names = names[names["clips"] > 1]
        if names.empty:
            return ""
        drawn = self._drawn_for_test()
        moved = int((drawn[places] != drawn).sum())
        speakers, people = (len(set(who[rows])) for who in (self.speakers, self.people))
        said = f"{len(names)} {_plural('sound', len(names))} under {names['clips'].sum()} names"
        if contradicting := int((names["labels"] > 1).sum()):
            said += f", {contradicting} of them with several labels"
        said += ": equal sounds are kept on one side of every split"
        if moved:
            said += f"; in the random one {moved} {_plural('clip', moved)} changed sides for it"
        if people < speakers:
            said += f"; speakers who share a sound count as one, {people} of {speakers} are left"
        if shared := int((names["corpora"] > 1).sum()):
            said += f"; {shared} {_plural('is', shared, 'are')} in several corpora, and no speaker of them "
            said += "trains where a corpus of theirs is tested"
        return said

    def _drawn_for_test(self):
        """Which of the original rows are tested in the split as others publish it. (originals,) bool"""
        rows = self.originals
        if len(rows) < 4:
            raise UserError(f"{len(rows)} clips are too few to split; record some more")
        _, test = train_test_split(rows, test_size=TEST_SHARE, random_state=SEED_STATE)
        return np.isin(rows, test)

    def _fair(self, train, test):
        return len(train) and len(test) and set(self.labels[test]) <= set(self.labels[train])

    def _recordings_for_test(self):
        """Which of the original rows are tested when whole recordings are drawn. (originals,) bool"""
        rows = self.originals
        folds = round(1 / TEST_SHARE)
        tested = np.zeros(len(rows), bool)
        if len(set(self._together[rows])) < folds:
            return tested
        split = StratifiedGroupKFold(folds, shuffle=True, random_state=SEED_STATE)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class")
            drawn = list(split.split(rows, self.labels[rows], self._together[rows]))
        for train, test in drawn:
            if self._fair(rows[train], rows[test]):
                tested[test] = True
                break
        return tested

    def recordings(self) -> str:
        """One sentence on the recordings that were cut into sentences; "" where there are none."""
        names, counts = np.unique(self._recordings[self.originals], return_counts=True)
        counts = counts[names != ""]
        if not len(counts) or counts.max() < 2:
            return ""
        what = "recording" if len(counts) == 1 else "recordings"
        return (
            f"{counts.sum()} clips are sentences of {len(counts)} {what}: those of one recording are kept on "
            "one side of every split"
        )

    def _trainable(self, folds):
        return [f for f in folds if len(f.test) and len(set(self.labels[f.train])) > 1]

    def _first(self, rows, kinds):
        """For each of `rows` the place among them of the first that is of the same kind."""
        _, first, kind = np.unique(kinds[rows], return_index=True, return_inverse=True)
        return first[kind]

    def _kept_together(self):
        """Numbers, equal where rows are one sound, sentences of one recording, or linked by others. (n,)"""
        cut = np.flatnonzero(self._recordings != "")
        if not len(cut):
            return self.sounds
        recording = np.unique(self._recordings[cut], return_inverse=True)[1]
        count = int(self.sounds.max()) + 1
        shape = (count + recording.max() + 1,) * 2
        links = coo_array((np.ones(len(cut)), (self.sounds[cut], count + recording)), shape)
        return connected_components(links, directed=False)[1][self.sounds]

    def _people(self):
        rows = self.originals
        names, speaker = np.unique(self.speakers, return_inverse=True)
        shape = (len(names), int(self.sounds.max(initial=-1)) + 1)
        heard = coo_array((np.ones(len(rows)), (speaker[rows], self.sounds[rows])), shape).tocsr()
        _, person = connected_components(heard @ heard.T, directed=False)
        _, first = np.unique(person, return_index=True)  # a person's first name in the alphabet
        return names[first[person]][speaker]

    def _need_speakers(self, what: str) -> None:
        speakers = sorted(set(self.speakers[self.originals]))
        if len(set(self.people[self.originals])) < 2:
            who = (
                f"one speaker ({speakers[0]})"
                if len(speakers) == 1
                else f"speakers who share recordings ({', '.join(speakers[:3])} ...)"
            )
            raise UserError(
                f"{what}: all clips are of {who}, so none can be held out; "
                "record another or use --split random"
            )


def _plural(word, count, words=None):
    return word if count == 1 else words or f"{word}s"


def sounds_of(vectors: np.ndarray) -> np.ndarray:
    """Which rows are the same sound: (n,) numbers. vectors: (n, columns), all features of the table.

    Equal samples give equal features to the last bit, and what differs in no feature is the same to every
    model: so this finds what a comparison of the samples would, in any table, however it came about.
    """
    rows = np.ascontiguousarray(vectors, np.float32)
    return np.unique(rows.view(f"V{rows.strides[0]}").ravel(), return_inverse=True)[1]
