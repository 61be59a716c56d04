"""What the page shows of each place, kept in memory: the last decision, the last hour by minutes."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any

from speech_emotion.central.deciding import Decision
from speech_emotion.central.store import Store

MINUTE_MS = 60_000
MINUTES = 60
_REMEMBERED = 64  # decisions of a place that a late message may still change


@dataclass
class _Place:
    last: Decision | None = None
    minutes: dict[int, Counter[str]] = field(default_factory=dict)
    recent: "OrderedDict[str, tuple[int, str]]" = field(default_factory=OrderedDict)


class Board:
    def __init__(self) -> None:
        self.places: dict[str, _Place] = {}

    def restore(self, store: Store, now: int) -> None:
        """The places of a history, with what it holds of the last hour."""
        for name in store.places():
            self.places[name] = _Place(store.latest(name))
        for name, minute, emotion, count in store.minutes(now - MINUTES * MINUTE_MS):
            self.places[name].minutes.setdefault(minute, Counter())[emotion] += count

    def note(self, decision: Decision) -> None:
        """A decision, new or revised."""
        place = self.places.setdefault(decision.place, _Place())
        known = place.recent.pop(decision.key, None)
        if known is not None:
            place.minutes.get(known[0], Counter())[known[1]] -= 1
        minute = decision.end // MINUTE_MS
        place.minutes.setdefault(minute, Counter())[decision.emotion] += 1
        place.recent[decision.key] = minute, decision.emotion
        while len(place.recent) > _REMEMBERED:
            place.recent.popitem(last=False)
        for old in [m for m in place.minutes if m <= minute - MINUTES]:
            del place.minutes[old]
        if place.last is None or decision.end >= place.last.end or decision.key == place.last.key:
            place.last = decision

    def public(self, name: str, title: str) -> dict[str, Any]:
        """A place as the page gets it. strip: [minute since 1970, emotion heard most, how often of all]."""
        place = self.places.get(name, _Place())
        last = place.last.public() if place.last else None
        strip = self.minutes(name, most=MINUTES)
        return {"name": name, "title": title, "last": last, "strip": strip}

    def minutes(self, name: str, most: int = 2) -> list[list[Any]]:
        """The last of a place's minutes, as in `public`: what a new decision can have changed."""
        place = self.places.get(name, _Place())
        strip = []
        for minute in sorted(place.minutes)[-most:]:
            [(emotion, times)] = place.minutes[minute].most_common(1) or [("", 0)]
            if times > 0:
                strip.append(
                    [minute, emotion, round(times / sum(place.minutes[minute].values()), 2)]
                )
        return strip
