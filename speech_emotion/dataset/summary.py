"""What a dataset holds, what was left out of it and why, and which recordings contradict each other."""

from collections import Counter, defaultdict

import pandas

from speech_emotion import names
from speech_emotion.corpora import Clip, folder
from speech_emotion.corpora.folder import UNKNOWN_SPEAKER
from speech_emotion.dataset.journal import Result
from speech_emotion.dataset.own import Own

MOST_TOLD = 10
"""Clips of one kind that the screen names; the sidecar names all."""


class Summary:
    """Counts rows as they are written; says it all at the end, as data and as text."""

    def __init__(self):
        self.written = 0
        self.left_out: dict[str, str] = {}
        self.seconds = 0.0
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._speakers: dict[str, set[str]] = defaultdict(set)
        self._same_audio: dict[str, dict[str, str]] = defaultdict(dict)
        self.remarks: dict[str, str] = {}  # of each clip of which something was found out
        self.limited: dict[str, int] = {}  # samples of each clip that were beyond full scale
        self.own = Own()
        self.silence: dict[str, str] = {}  # why nobody speaks in a clip, which is kept all the same

    def leave_out(self, name, reason):
        self.left_out[name] = reason

    def first_reason(self) -> str:
        name, reason = next(iter(self.left_out.items()))
        return f"{name}: {reason}"

    def count(self, clip: Clip, name: str, result: Result, *, augmented: bool):
        self.written += 1
        self.seconds += result.seconds
        self._speakers[clip.corpus].add(clip.speaker)  # nobody, where it is unknown who
        self._counts[clip.corpus][clip.emotion] += 1
        if not augmented:
            self._same_audio[result.audio][name] = clip.emotion
            if clip.corpus == folder.NAME:
                self.own.count(clip, name, result)
            if result.remarks:
                self.remarks[name] = result.remarks
            if result.limited:
                self.limited[name] = result.limited
            if result.silence:
                self.silence[name] = result.silence

    def duplicates(self, *, conflicting):
        """Groups of names with identical sound: under more than one label, or under one."""
        groups = [alike for alike in self._same_audio.values() if len(alike) > 1]
        return [alike for alike in groups if (len(set(alike.values())) > 1) == conflicting]

    def as_info(self):
        return {
            "rows": self.written,
            "seconds": round(self.seconds, 3),
            "corpora": {
                name: {
                    "speakers": len(self._speakers[name] - {UNKNOWN_SPEAKER}),
                    "emotions": dict(sorted(counts.items())),
                }
                for name, counts in sorted(self._counts.items())
            },
            "own_recordings": self.own.judged(),
            "left_out": self.left_out,
            "no_speech": self.silence,
            "limited": self.limited,
            "remarks": self.remarks,
            "conflicting_duplicates": self.duplicates(conflicting=True),
            "duplicates": self.duplicates(conflicting=False),
        }

    def text(self):
        counts = pandas.DataFrame(self._counts).fillna(0).astype(int).sort_index()
        table = counts.T.assign(clips=counts.sum()).sort_index()
        table["speakers"] = [
            len(self._speakers[name] - {UNKNOWN_SPEAKER}) or "?" for name in table.index
        ]
        lines = [table.to_string()]
        if self.own:
            lines += ["own recordings, clips by speaker and emotion:", self.own.table().to_string()]
            lines += self.own.judged()
        lines += [f"left out  {name}: {reason}" for name, reason in self.left_out.items()]
        if self.silence:
            lines.append(
                f"nobody seems to speak in {len(self.silence)} clips, which are kept: listen to them, and "
                "take out what is no speech"
            )
            lines += _some(self.silence)
        if self.limited:
            lines.append(
                f"{sum(self.limited.values())} samples of {len(self.limited)} clips were beyond full scale "
                "and are limited to it"
            )
        if self.remarks:
            lines.append(f"{len(self.remarks)} clips of which there is something to say:")
            lines += _some(self.remarks)
        for alike in self.duplicates(conflicting=True):
            pairs = ", ".join(f"{name} ({label})" for name, label in alike.items())
            lines.append(f"the same sound under different labels, kept: {pairs}")
        for alike in self.duplicates(conflicting=False):
            lines.append(f"the same sound twice, kept: {', '.join(alike)}")
        return "\n".join(names.terminal(line) for text in lines for line in text.splitlines())


def _some(notes: dict[str, str]) -> list[str]:
    """The first notes, and how many more the sidecar has."""
    lines = [f"  {name}: {note}" for name, note in list(notes.items())[:MOST_TOLD]]
    more = len(notes) - len(lines)
    return lines + [f"  and {more} more: features.json"] * (more > 0)
