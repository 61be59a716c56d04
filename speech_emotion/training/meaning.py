"""A score as a sentence: of how many clips and speakers, how far it may be off, where it means nothing."""

import numpy as np

from speech_emotion import names
from speech_emotion.training.scores import ENOUGH_SPEAKERS, Outcome

ENOUGH_CLIPS, ENOUGH_OF_A_LABEL = 50, 10
"""Of fewer, a score moves by tens of points with the next few clips."""


def cell(outcome: Outcome, score: str, *, by_speaker: bool) -> str:
    """`0.588 (0.546 to 0.632)`."""
    low, high = outcome.interval(score, by_speaker=by_speaker)
    return f"{outcome.summary()[score]:.3f} ({low:.3f} to {high:.3f})"


def tested(outcome: Outcome) -> str:
    """`1206 clips of 47 speakers`."""
    clips = "1 clip" if len(outcome.truth) == 1 else f"{len(outcome.truth)} clips"
    people = "1 speaker" if outcome.people == 1 else f"{outcome.people or 'unknown'} speakers"
    return f"{clips} of {people}"


def said(outcome: Outcome, score: str, *, by_speaker: bool) -> str:
    """`0.588 (95 %: 0.546 to 0.632; 1206 clips of 47 speakers)`."""
    low, high = outcome.interval(score, by_speaker=by_speaker)
    return f"{outcome.summary()[score]:.3f} (95 %: {low:.3f} to {high:.3f}; {tested(outcome)})"


def doubts(outcome: Outcome, *, by_speaker: bool) -> list[str]:
    """Why a score means little or nothing, in sentences; none where nothing speaks against it."""
    found = []
    labels, counts = np.unique(outcome.truth, return_counts=True)
    rarest = names.short(str(labels[counts.argmin()]))
    if len(outcome.truth) < ENOUGH_CLIPS or counts.min() < ENOUGH_OF_A_LABEL:
        found.append(
            f"tested on {len(outcome.truth)} clips, {counts.min()} of {rarest}: too few for the score to "
            f"mean anything; record until {ENOUGH_OF_A_LABEL} or more of each emotion are tested"
        )
    low, _ = outcome.interval("uar", by_speaker=by_speaker)
    chance = 1 / len(labels)
    if low <= chance:
        found.append(
            f"UAR may be as low as {low:.2f}, and guessing has {chance:.2f}: nothing shows yet that it tells "
            "emotions apart"
        )
    if by_speaker and outcome.people < ENOUGH_SPEAKERS:
        found.append(
            f"{outcome.people} speakers say little of the next one: record {ENOUGH_SPEAKERS} or more"
        )
    return found


NO_NEW_VOICE = (
    "no speaker could be left out, so nothing is known of new voices: record more people, and say who "
    "speaks"
)


def sentences(name: str, outcomes: dict[str, Outcome], held_out: Outcome, split: str) -> list[str]:
    """What the scores of one model mean. outcomes: by protocol; held_out: of the saved model's own split."""
    mine = split == "speaker"
    what = "speakers held out" if mine else "clips held out at random, of voices that it has heard"
    lines = [f"{name}, {what}: weighted F1 {said(held_out, 'weighted_f1', by_speaker=mine)}"]
    lines += [f"  {doubt}" for doubt in doubts(held_out, by_speaker=mine)]
    if speaker := outcomes.get("speaker"):
        lines.append(
            f"{name}, speakers that it never heard: UAR {said(speaker, 'uar', by_speaker=True)}"
        )
        lines += [f"  {doubt}" for doubt in doubts(speaker, by_speaker=True)]
    else:
        lines.append(f"{name}: {NO_NEW_VOICE}")
    return lines
