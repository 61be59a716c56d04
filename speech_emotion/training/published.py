"""Folds that others publish, so that scores stand beside theirs: which clip is tested when.

EmoBox (Ma et al. 2024, "EmoBox: Multilingual Multi-corpus Speech Emotion Recognition Toolkit and Benchmark")
gives such folds for many corpora, each trained and tested by itself.
"""

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from speech_emotion.errors import UserError
from speech_emotion.training.protocols import Fold, Splitter

COLUMNS = ("corpus", "clip", "test_fold")


def folds(path: Path, splitter: Splitter, paths: np.ndarray) -> tuple[list[Fold], str]:
    """The folds of a file over a table's rows, and a sentence on what of it took part.

    path: a CSV of COLUMNS, `clip` a file's name without folder and ending. paths: (n,), the rows' clips. A
    fold tests its clips of one corpus and trains on the corpus's clips of the other folds, and on their
    copies. UserError where the file is none, or names no clip that is here.
    """
    told = _read(path)
    fold_of = {
        (corpus, clip): fold for corpus, clip, fold in told.itertuples(index=False, name=None)
    }
    rows = splitter.originals
    stems = [PurePosixPath(name).stem for name in paths[rows].tolist()]
    names = list(zip(splitter.corpora[rows].tolist(), stems, strict=True))
    mine = np.array([fold_of.get(name, "") for name in names])
    found, shared = [], []
    for corpus in sorted(set(told["corpus"])):
        here = (splitter.corpora[rows] == corpus) & (mine != "")
        for name in sorted(set(mine[here])):
            test, train = rows[here & (mine == name)], rows[here & (mine != name)]
            if len(set(splitter.labels[train])) < 2:
                continue
            found.append(splitter.fold(train, test))
            shared.append(set(splitter.people[test]) & set(splitter.people[train]))
    if not found:
        raise UserError(
            f"{path}: no two folds of it are of clips of this table; its corpora are "
            f"{', '.join(sorted(set(told['corpus'])))}, the table's "
            f"{', '.join(sorted(set(splitter.corpora[rows])))}"
        )
    apart = (
        "nobody is on both sides of a fold"
        if not any(shared)
        else f"in {sum(map(bool, shared))} of {len(found)} folds people are on both sides, which flatters"
    )
    return found, f"{(mine != '').sum()} of the {len(told)} clips named are here; {apart}"


def _read(path):
    try:
        told = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as a table of folds ({error})") from None
    missing = [name for name in COLUMNS if name not in told.columns]
    if missing:
        raise UserError(
            f"{path}: has no column {missing[0]!r}; folds are a CSV of {', '.join(COLUMNS)}"
        )
    told = told[list(COLUMNS)]
    twice = told[told.duplicated(["corpus", "clip"])]
    if len(twice):
        raise UserError(
            f"{path}: names {twice['clip'].iloc[0]!r} of {twice['corpus'].iloc[0]} twice"
        )
    if (blank := told["test_fold"] == "").any():
        raise UserError(f"{path}: {told['clip'][blank].iloc[0]!r} has no test_fold")
    return told
