"""What is kept: decisions, the numbers that are missing, devices. One SQLite file; what cannot be written is
said, and decisions go on without it.
"""

import json
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from speech_emotion import message
from speech_emotion.central.deciding import Decision
from speech_emotion.central.hub import Device, Hub
from speech_emotion.central.sequences import Sequence
from speech_emotion.errors import UserError
from speech_emotion.message.definition import WHOLE

RETRY_SECONDS = 5.0
WAITING_MOST = 1000
"""Decisions that wait while nothing can be written; the oldest beyond that are not kept."""
MINUTES = (  # without its index named, SQLite would rather walk all places than sort an hour
    "SELECT place, ended / 60000, emotion, count(*) FROM decisions INDEXED BY decisions_ended"
    " WHERE ended >= ? GROUP BY 1, 2, 3"
)
VERSION = 1
_SCHEMA = """
CREATE TABLE labels (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);
CREATE TABLE decisions (
    id INTEGER PRIMARY KEY, -- the order in which they were made
    key TEXT NOT NULL UNIQUE, -- of its first message: nothing is decided twice
    place TEXT NOT NULL,
    began INTEGER NOT NULL, -- ms since 1970, by the service's clock
    ended INTEGER NOT NULL,
    rev INTEGER NOT NULL,
    emotion TEXT NOT NULL,
    confidence INTEGER NOT NULL, -- ten-thousandths, as all probabilities here
    uncertain INTEGER NOT NULL,
    labels INTEGER NOT NULL REFERENCES labels (id),
    shares TEXT NOT NULL,
    sources TEXT NOT NULL
);
CREATE INDEX decisions_place ON decisions (place, ended);
CREATE INDEX decisions_ended ON decisions (ended);
CREATE TABLE devices (name TEXT PRIMARY KEY, seen INTEGER NOT NULL, past INTEGER NOT NULL, about TEXT,
    counts TEXT NOT NULL);
CREATE TABLE boots (device TEXT NOT NULL, boot INTEGER NOT NULL, first INTEGER NOT NULL,
    highest INTEGER NOT NULL, forgotten INTEGER NOT NULL, noted INTEGER NOT NULL, PRIMARY KEY (device, boot));
CREATE TABLE gaps (device TEXT NOT NULL, boot INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY (device, boot, first));
"""


class Store:
    """The file `path`, made where it is new. trouble: why nothing is written now; None: all is well.
    UserError where the file is no history or cannot be opened."""

    def __init__(self, path: Path, *, pages_most: int | None = None):
        self.path = Path(path)
        self.trouble: str | None = None
        self._tried, self._gone = 0.0, 0
        self._label_ids: dict[str, int] = {}
        self._waiting: deque[Decision] = deque()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
            if pages_most:
                self._db.execute(f"PRAGMA max_page_count={pages_most}")
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if not version:
                self._db.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version={VERSION};COMMIT;")
            elif version != VERSION:
                raise UserError(
                    f"{path}: a history of version {version}, this program's is {VERSION}; move it away"
                )
        except (sqlite3.Error, OSError) as error:
            raise UserError(
                f"{path}: no history can be kept there ({error}); move the file away"
            ) from None

    @property
    def missed(self) -> int:
        """Decisions that are not in the history, so far."""
        return self._gone + len(self._waiting)

    # --- writing -----------------------------------------------------------------------------------

    def write(self, decisions: list[Decision], hub: Hub, now: int) -> None:
        """Decisions, and what changed in the hub, all or nothing. Where that fails, `trouble` says why,
        and it is tried again after a while; so many decisions as WAITING_MOST wait for it."""
        if self.commit(decisions, changes(hub, hub.touched, hub.changed, now)):
            hub.touched.clear()

    def commit(self, decisions: list[Decision], rows: "Changes") -> bool:
        """As `write`, of `changes` made before; also in another thread, one at a time. Returns whether it is
        written; if not, the changes are to be given again."""
        self._waiting.extend(decisions)
        if self.trouble and time.monotonic() - self._tried < RETRY_SECONDS:
            self._forget_the_oldest()
            return False
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for decision in self._waiting:
                self._decision(decision)
            for statement, values in rows:
                self._db.execute(statement, values)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._label_ids.clear()
            self.trouble, self._tried = str(error), time.monotonic()
            self._forget_the_oldest()
            return False
        self._waiting.clear()
        self.trouble = None
        return True

    def _forget_the_oldest(self):
        while len(self._waiting) > WAITING_MOST:
            self._waiting.popleft()
            self._gone += 1

    def _decision(self, decision):
        names = json.dumps(list(decision.probabilities))
        if names not in self._label_ids:
            self._db.execute("INSERT OR IGNORE INTO labels (names) VALUES (?)", (names,))
            row = self._db.execute("SELECT id FROM labels WHERE names = ?", (names,)).fetchone()
            self._label_ids[names] = row[0]
        shares = message.shares(list(decision.probabilities.values()))
        self._db.execute(
            "INSERT INTO decisions (key, place, began, ended, rev, emotion, confidence, uncertain, labels,"
            " shares, sources) VALUES (?,?,?,?,?,?,?,?,?,?,?)"
            " ON CONFLICT (key) DO UPDATE SET began = excluded.began,"
            " ended = excluded.ended, rev = excluded.rev, emotion = excluded.emotion,"
            " confidence = excluded.confidence, uncertain = excluded.uncertain, labels = excluded.labels,"
            " shares = excluded.shares, sources = excluded.sources WHERE excluded.rev > rev",
            (
                decision.key, decision.place, decision.begin, decision.end, decision.rev, decision.emotion,
                round(decision.confidence * WHOLE), decision.uncertain, self._label_ids[names],
                ",".join(map(str, shares)), " ".join(decision.sources),
            ),
        )  # fmt: skip

    # --- reading -----------------------------------------------------------------------------------

    def restore(self, hub: Hub) -> None:
        """What the hub knew when it was last written: the devices, and which numbers have been here."""
        for name, seen, past, about, counts in self._db.execute("SELECT * FROM devices"):
            device: Device = hub.device(name)
            device.seen, device.past, device.counts = seen, past, Counter(json.loads(counts))
            device.about = message.decode_about(about.encode()) if about else None
        for name, boot, first, highest, forgotten, _ in self._db.execute(
            "SELECT * FROM boots ORDER BY noted"
        ):
            gaps = self._db.execute(
                "SELECT first, last FROM gaps WHERE device = ? AND boot = ? ORDER BY first",
                (name, boot),
            )
            sequence = Sequence(first, highest, [list(gap) for gap in gaps], forgotten)
            hub.device(name).sequences[boot] = sequence

    def newest(self) -> int:
        """When the last decision ended, ms; 0 where there is none."""
        return self._db.execute("SELECT max(ended) FROM decisions").fetchone()[0] or 0

    def places(self) -> list[str]:
        """The places that anything was decided for."""
        # a jump from place to place through the index, instead of a walk through a year
        return [row[0] for row in self._db.execute(
            "WITH RECURSIVE each (place) AS (SELECT min(place) FROM decisions UNION ALL"
            " SELECT (SELECT min(place) FROM decisions WHERE place > each.place) FROM each"
            " WHERE each.place IS NOT NULL) SELECT place FROM each WHERE place IS NOT NULL"
        )]  # fmt: skip

    def minutes(self, ended: int) -> list[tuple[str, int, str, int]]:
        """Place, minute since 1970, emotion, how often: of all that ended at or after a moment."""
        return self._db.execute(MINUTES, (ended,)).fetchall()

    def latest(self, place: str) -> Decision | None:
        """A place's last decision."""
        found = self._db.execute(
            "SELECT d.*, l.names FROM decisions d JOIN labels l ON l.id = d.labels"
            " WHERE place = ? ORDER BY ended DESC, d.id DESC LIMIT 1",
            (place,),
        ).fetchone()
        return _as_decision(found) if found else None

    def export(self) -> Iterator[Decision]:
        """All decisions in the order in which they were made."""
        for row in self._db.execute(
            "SELECT d.*, l.names FROM decisions d JOIN labels l ON l.id = d.labels ORDER BY d.id"
        ):
            yield _as_decision(row)

    def count(self) -> int:
        return self._db.execute("SELECT count(*) FROM decisions").fetchone()[0]

    # --- forgetting --------------------------------------------------------------------------------

    def delete(
        self, *, before: int | None = None, place: str | None = None, batch: int = 5000
    ) -> int:
        """Delete decisions that ended before a moment, or a place's, or both; returns how many. In batches,
        so that nothing waits long, and for good: the freed pages are overwritten."""
        where: list[str] = ["1"]
        values: list[int | str] = []
        if before is not None:
            where, values = [*where, "ended < ?"], [*values, before]
        if place is not None:
            where, values = [*where, "place = ?"], [*values, place]
        total = 0
        while True:
            done = self._delete_some(where, values, batch)
            total += done
            if done < batch:
                break
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return total

    def delete_some(self, before: int, most: int = 500) -> int:
        """As `delete`, but at most so many, which takes milliseconds; returns how many."""
        return self._delete_some(["ended < ?"], [before], most)

    def _delete_some(self, where, values, most):
        return self._db.execute(
            "DELETE FROM decisions WHERE id IN"
            f" (SELECT id FROM decisions WHERE {' AND '.join(where)} LIMIT ?)",
            (*values, most),
        ).rowcount

    def forget_device(self, name: str) -> None:
        """Nothing is known of a device any more; the decisions it took part in stay."""
        for table, column in (("gaps", "device"), ("boots", "device"), ("devices", "name")):
            self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", (name,))

    def close(self) -> None:
        self._db.close()


Changes = list[tuple[str, tuple[Any, ...]]]
"""Statements of SQL and their values."""


def changes(
    hub: Hub, touched: Iterable[tuple[str, int]], changed: Iterable[str], now: int
) -> Changes:
    """What the hub knows now of these starts of devices, and of these devices, to be written later."""
    rows: Changes = []
    for name, boot in touched:
        sequence = hub.devices[name].sequences.get(boot)
        rows.append(("DELETE FROM gaps WHERE device = ? AND boot = ?", (name, boot)))
        if sequence is None:
            rows.append(("DELETE FROM boots WHERE device = ? AND boot = ?", (name, boot)))
            continue
        facts = (name, boot, sequence.first, sequence.highest, sequence.forgotten, now)
        rows.append(("INSERT OR REPLACE INTO boots VALUES (?,?,?,?,?,?)", facts))
        rows += [("INSERT INTO gaps VALUES (?,?,?,?)", (name, boot, *gap)) for gap in sequence.gaps]
    for name in changed:
        device = hub.devices[name]
        about = message.encode_about(device.about).decode() if device.about else None
        facts = (name, device.seen, device.past, about, json.dumps(device.counts))
        rows.append(("INSERT OR REPLACE INTO devices VALUES (?,?,?,?,?)", facts))
    return rows


def _as_decision(row: Iterable[Any]) -> Decision:
    _, key, place, began, ended, rev, emotion, confidence, uncertain, _, shares, sources, names = (
        row
    )
    probabilities = {
        label: int(share) / WHOLE
        for label, share in zip(json.loads(names), shares.split(","), strict=True)
    }
    return Decision(
        key, place, began, ended, rev, emotion, confidence / WHOLE, bool(uncertain), probabilities,
        sources.split(" "),
    )  # fmt: skip
