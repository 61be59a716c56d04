"""A user's own recordings as a model will need them: how many of whom, how loud, clipped or not, how long."""

from collections import Counter

import pandas as pd

from speech_emotion import names
from speech_emotion.corpora import Clip
from speech_emotion.corpora.folder import UNKNOWN_SPEAKER
from speech_emotion.dataset.journal import Result

QUIETEST, LOUDEST = -45.0, -12.0
"""dB re full scale, of the speech: the corpora lie between -45 and -25 (docs/getting_started.md); beyond
LOUDEST a shout is cut off."""
MOST_CLIPPED = 1e-3
"""Of the samples at full scale: a few are a peak, more are a shout that was cut off."""
SHORTEST = 0.7
"""Seconds: a word, which holds little of an emotion."""
ENOUGH_CLIPS, ENOUGH_SPEAKERS = 30, 5
"""Of each emotion, and people: of fewer neither model nor score is worth much."""


class Own:
    """Takes in own recordings one by one; says at the end what is to be said of all."""

    def __init__(self):
        self._counts: Counter[tuple[str, str]] = Counter()
        self._quiet: dict[str, float] = {}
        self._loud: dict[str, float] = {}
        self._clipped: dict[str, float] = {}
        self._short: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._counts)

    def count(self, clip: Clip, name: str, result: Result) -> None:
        """The next clip, as it was measured."""
        self._counts[clip.speaker, clip.emotion] += 1
        share = result.clipped / max(result.seconds * 16000, 1)
        if result.level < QUIETEST:
            self._quiet[name] = result.level
        elif result.level > LOUDEST:
            self._loud[name] = result.level
        if share > MOST_CLIPPED:
            self._clipped[name] = 100 * share
        if result.seconds < SHORTEST:
            self._short[name] = result.seconds

    def table(self) -> pd.DataFrame:
        """Clips, a row per speaker and a column per emotion."""
        frame = pd.Series(self._counts).unstack(fill_value=0)
        frame.index = [names.terminal(str(each)) for each in frame.index]
        frame.columns = [names.terminal(str(each)) for each in frame.columns]
        return frame.assign(all=frame.sum(axis=1))

    def judged(self) -> list[str]:
        """What is to be said of them, a sentence each; nothing where nothing is wrong."""
        if not self:
            return []
        total = sum(self._counts.values())
        found = [
            self._some(self._quiet, total, "too quiet", f"speech below {QUIETEST:g} dBFS", "dBFS",
                       "come nearer to the microphone, or raise its gain", worst=min),
            self._some(self._loud, total, "very loud", f"speech above {LOUDEST:g} dBFS", "dBFS",
                       "go back from the microphone, or lower its gain", worst=max),
            self._some(self._clipped, total, "clipped", "cut off at full scale", "% of the samples",
                       "lower the gain and record these again", worst=max),
            self._some(self._short, total, f"shorter than {SHORTEST:g} s", "", "s",
                       "say a whole sentence", worst=min),
        ]  # fmt: skip
        return [each for each in (*found, *self._too_few()) if each]

    def _some(self, which, total, what, why, unit, remedy, *, worst):
        if not which:
            return ""
        name = worst(which, key=lambda key: which[key])
        because = f" ({why})" if why else ""
        return (
            f"{len(which)} of {total} clips {'is' if len(which) == 1 else 'are'} {what}{because}, "
            f"{names.short(name, 200)} the most, {which[name]:.1f} {unit}: {remedy}"
        )

    def _too_few(self):
        emotions, people = Counter[str](), set[str]()
        for (speaker, emotion), count in self._counts.items():
            emotions[emotion] += count
            people.add(speaker)
        few = [
            f"{names.short(e)} {count}"
            for e, count in sorted(emotions.items())
            if count < ENOUGH_CLIPS
        ]
        if few:
            yield f"few clips of {', '.join(few)}: record {ENOUGH_CLIPS} or more of each emotion"
        known = people - {UNKNOWN_SPEAKER}
        if 0 < len(known) < ENOUGH_SPEAKERS:
            who = "1 speaker" if len(known) == 1 else f"{len(known)} speakers"
            yield (
                f"{who}: a model learns how they speak and no more; for other people's voices record "
                f"{ENOUGH_SPEAKERS} or more"
            )
