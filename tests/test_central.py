"""The central service's mind: numbers, clocks, pairs, refusals, what is kept. No wire, no other clock."""

import json
import random
import re
import sqlite3
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_harness import BOOT, LABELS, MODEL, SCHEMA, about, sentence

from speech_emotion import fusion, message
from speech_emotion.central import deciding, discovery
from speech_emotion.central.board import Board
from speech_emotion.central.clocks import WINDOW, Clock, Uptime
from speech_emotion.central.hub import Hub
from speech_emotion.central.limits import Allowance
from speech_emotion.central.sequences import GAPS_MOST, Sequence
from speech_emotion.central.store import MINUTES, Store
from speech_emotion.errors import UserError

T = 1_800_000_000_000  # a moment, ms


def hub_with(places, **more):
    hub = Hub(places, **more)
    for device in places:
        hub.receive(f"emotion/{device}/about", about(), T)
        hub.receive(f"emotion/{device}/status", b"online", T)
    hub.take_done()
    return hub


# --- numbers -----------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 60), min_size=1, max_size=200))
def test_every_number_is_taken_once_and_the_missing_are_counted(numbers):
    sequence = Sequence.starting(numbers[0], known=True)
    seen = {numbers[0]}
    for number in numbers[1:]:
        assert sequence.seen(number) == (number in seen)
        assert sequence.take(number) == (number not in seen)
        seen.add(number)
        missing = set(range(1, max(seen) + 1)) - seen
        assert sequence.lost == len(missing)
        assert {n for a, b in sequence.gaps for n in range(a, b + 1)} == missing


def test_of_a_device_never_heard_before_nothing_is_lost_until_then():
    sequence = Sequence.starting(500, known=False)
    assert sequence.lost == 0
    assert sequence.take(498) and sequence.lost == 1
    assert sequence.take(499) and sequence.lost == 0


def test_more_gaps_than_are_remembered_are_losses_for_good():
    sequence = Sequence.starting(1, known=True)
    for number in range(3, 2 * (GAPS_MOST + 100), 2):
        sequence.take(number)
    assert len(sequence.gaps) == GAPS_MOST
    assert sequence.lost == GAPS_MOST + 99
    assert not sequence.take(2)  # too old to tell: rather lost than twice


# --- clocks ------------------------------------------------------------------------------------------


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(0, 400), min_size=1, max_size=40),
    st.integers(0, 3000),
)
def test_when_it_was_spoken_whatever_the_uptime_and_the_delays(uptime, delays, length):
    """Wrap included: right to within the least delay, and never after the arrival."""
    clock = Uptime()
    for i, delay in enumerate(delays):
        sent = i * 3000
        now = (uptime + sent) % 2**32
        spoken = message.decode_sentence(
            sentence(i + 1, begin=(now - 50 - length) % 2**32, end=(now - 50) % 2**32, now=now)
        )
        begin, end = clock.interval(spoken, T + sent + delay)
        assert end - begin == length
        least = min(delays[max(0, i + 1 - WINDOW) : i + 1])
        assert end == T + sent + least - 50
        assert end <= T + sent + delay


def test_a_leap_of_a_devices_clock_is_outlived():
    clock = Uptime()
    for i in range(100):
        leap = 3_600_000 if i == 20 else 0
        now = i * 3000 + leap + 10_000
        _, end = clock.interval(
            message.decode_sentence(sentence(1, begin=now - 2000, end=now)), T + i * 3000
        )
        if i < 20 or i > 20 + WINDOW:
            assert end == T + i * 3000


def test_the_services_clock_is_never_before_what_is_stored(monkeypatch):
    before = Clock().now()
    later = Clock(before + 3_600_000)  # the system's clock was set back an hour
    assert later.now() > before + 3_600_000
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert later.now() >= before + 3_600_000


# --- decisions and pairs -----------------------------------------------------------------------------


def test_alone_it_is_decided_at_once():
    hub = hub_with({"mic": "kitchen"})
    hub.receive("emotion/mic/voice", sentence(1), T, "handle")
    [decision] = hub.due(T)
    assert (decision.place, decision.emotion, decision.confidence) == ("kitchen", "happy", 0.7)
    assert decision.sources == [f"mic:{BOOT:08x}:1:voice"] and not decision.uncertain
    assert hub.take_done() == ["handle"]


def test_a_pair_waits_for_its_partner_and_for_no_more_than_half_a_second():
    hub = hub_with({"mic": "kitchen", "cam": "kitchen"})
    hub.receive("emotion/cam/face", sentence(1, begin=0, end=1000), T)
    hub.due(T + 1000)
    hub.take_done()
    hub.receive("emotion/mic/voice", sentence(1), T + 60_000, "voice")
    assert hub.due(T + 60_499) == [] and hub.take_done() == []
    hub.receive("emotion/cam/face", sentence(2, begin=60_000, end=61_000), T + 60_200, "face")
    [pair] = hub.due(T + 60_200)
    assert len(pair.sources) == 2 and hub.take_done() == ["voice", "face"]
    hub.receive("emotion/mic/voice", sentence(2, begin=70_000, end=72_000), T + 120_000, "alone")
    assert hub.due(T + 120_499) == []
    [alone] = hub.due(T + 120_500)
    assert len(alone.sources) == 1


def test_a_late_partner_revises():
    hub = hub_with({"mic": "kitchen", "cam": "kitchen"})
    hub.receive("emotion/mic/voice", sentence(1), T)
    [first] = hub.due(T)
    # seen while it was spoken, told eight seconds later: its clock is known by then
    hub.receive("emotion/cam/face", sentence(1, begin=0, end=0, speech=False, now=20_000), T + 1000)
    hub.due(T + 2000)
    late = sentence(2, begin=17_100, end=18_900, now=27_000, shares=(9000, 500, 400, 100))
    hub.receive("emotion/cam/face", late, T + 8000)
    [second] = hub.due(T + 8000)
    assert (second.key, second.rev, len(second.sources)) == (first.key, 1, 2)
    assert second.probabilities["angry"] > first.probabilities["angry"]


LATE = sentence(2, begin=17_100, end=18_900, now=27_000, shares=(9000, 500, 400, 100))
"""A face seen while sentence(1) was spoken, told eight seconds later, by a device whose clock is known by
then."""


def one_that_decided():
    """A hub that has decided upon a voice, the decision as made public, and the messages until then."""
    hub = hub_with({"mic": "kitchen", "cam": "kitchen"})
    early = sentence(1, begin=0, end=0, speech=False, now=20_000)
    messages = [("emotion/mic/voice", sentence(1), T), ("emotion/cam/face", early, T + 1000)]
    for topic, payload, at in messages:
        hub.receive(topic, payload, at)
    [decision] = hub.due(T + 2000)
    return hub, decision.public(), messages


def successor(decisions, messages):
    hub = hub_with({"mic": "kitchen", "cam": "kitchen"})
    hub.recall(decisions, messages, T + 9000)
    assert hub.due(T + 60_000) == [] and hub.take_done() == []
    return hub


def test_a_late_partner_revises_what_another_hub_decided():
    first, decision, messages = one_that_decided()
    second = successor([decision], messages)
    second.receive(*messages[1], "early")  # judged nothing, so that no decision is from it
    revised = []
    for hub in (first, second):
        hub.receive("emotion/cam/face", LATE, T + 8000, "late")
        revised += hub.due(T + 8000)
    assert [(d.key, d.rev, len(d.sources)) for d in revised] == [(decision["key"], 1, 2)] * 2
    assert revised[0].probabilities == pytest.approx(revised[1].probabilities)
    assert second.take_done() == ["early", "late"]
    # and a third one goes on from there: what comes again is settled, and not decided upon again
    third = successor([revised[0].public()], [*messages, ("emotion/cam/face", LATE, T + 8000)])
    third.receive("emotion/mic/voice", sentence(1), T + 9000, "voice again")
    third.receive("emotion/cam/face", LATE, T + 9000, "face again")
    assert third.take_done() == ["voice again", "face again"] and third.due(T + 20_000) == []


def test_what_was_not_decided_yet_is_not_recalled():
    _, decision, messages = one_that_decided()
    late = ("emotion/cam/face", LATE, T + 8000)
    other = ("emotion/mic/voice", sentence(2, begin=40_000, end=41_000), T + 29_000)
    junk = [("emotion/mic/voice", b"nothing", T), ("emotion/mic/status", b"online", T)]
    hub = successor([decision], [*junk, *messages, late, other])
    hub.receive(*late, "late")
    hub.receive(*other, "other")
    found = hub.due(T + 60_000)
    assert [(d.rev, len(d.sources)) for d in found] == [(1, 2), (0, 1)]
    # a decision whose messages are gone cannot be revised; what is left of them is decided upon by itself
    lost = successor([decision], [])
    lost.receive(*late, "late")
    assert [(d.rev, len(d.sources)) for d in lost.due(T + 60_000)] == [(0, 1)]


def test_other_places_and_other_moments_are_no_pairs():
    hub = hub_with({"mic": "kitchen", "cam": "kitchen", "far": "study"})
    hub.receive("emotion/cam/face", sentence(1), T)
    hub.receive("emotion/far/voice", sentence(1), T)
    hub.receive("emotion/mic/voice", sentence(1, begin=5_000, end=6_000, now=12_000), T)
    decisions = hub.due(T + 500)
    assert sorted(len(decision.sources) for decision in decisions) == [1, 1, 1]


def test_who_is_offline_is_not_waited_for():
    hub = hub_with({"mic": "kitchen", "cam": "kitchen"})
    hub.receive("emotion/cam/face", sentence(1), T)
    hub.receive("emotion/cam/status", b"offline", T + 1000)
    hub.due(T + 2000)
    hub.receive("emotion/mic/voice", sentence(1), T + 60_000)
    assert len(hub.due(T + 60_000)) == 1


rows = st.lists(st.floats(0.001, 1), min_size=4, max_size=4)


def heard(channel, probabilities):
    return deciding.Heard(f"a-{channel}", channel, 1, 1, T, T + 1000, T, probabilities, 0.4)


@given(st.lists(rows, min_size=1, max_size=4))
def test_of_one_channel_the_combined_probabilities_are_the_geometric_mean(found):
    given_rows = [dict(zip(LABELS, np.array(row) / sum(row), strict=True)) for row in found]
    combined = deciding.combined([heard("voice", row) for row in given_rows])
    expected = np.exp(np.mean([np.log(list(row.values())) for row in given_rows], axis=0))
    assert np.allclose(list(combined.values()), expected / expected.sum())


def test_channels_with_other_labels_are_combined_over_those_that_both_know():
    voice = {"angry": 0.5, "calm": 0.2, "sad": 0.3}
    both = [heard("voice", voice), heard("face", {"angry": 0.5, "sad": 0.5})]
    assert set(deciding.combined(both)) == {"angry", "sad"}
    assert deciding.combined([heard("voice", voice), heard("face", {"angry": 1.0})]) == voice


def test_voice_and_face_are_fused_by_their_weights_and_each_is_shown_beside_both():
    voice, face = (dict(zip(LABELS, row, strict=True)) for row in
                   ((0.6, 0.2, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1)))  # fmt: skip
    group = deciding.Group("kitchen", [heard("voice", voice), heard("face", face)], 0)
    decision = group.decision()
    expected = fusion.fuse(np.array(list(voice.values())), np.array(list(face.values())))
    assert np.allclose(list(decision.probabilities.values()), expected, atol=1e-7)
    shown = decision.public()
    assert shown["channels"] == {
        "voice": {"emotion": LABELS[0], "confidence": 0.6},
        "face": {"emotion": LABELS[1], "confidence": 0.7},
    }
    assert shown["apart"] == 0.5
    assert "channels" not in deciding.Group("k", [heard("voice", voice)], 0).decision().public()


def test_the_hub_fuses_with_the_weights_it_was_given():
    hub = hub_with({"mic": "kitchen", "cam": "kitchen"}, weights=fusion.Weights(0, 1))
    hub.receive("emotion/mic/voice", sentence(1, shares=(7000, 1000, 1000, 1000)), T)
    face = (1000, 1000, 1000, 7000)
    hub.receive("emotion/cam/face", sentence(1, shares=face), T)
    (decision,) = hub.due(T + 1000)
    assert np.allclose(list(decision.probabilities.values()), np.array(face) / 10_000, atol=1e-5)


def test_a_second_microphone_does_not_outvote_the_face():
    voice, face = (dict(zip(LABELS, row, strict=True)) for row in
                   ((0.6, 0.2, 0.1, 0.1), (0.1, 0.7, 0.1, 0.1)))  # fmt: skip
    one = deciding.combined([heard("voice", voice), heard("face", face)])
    two = deciding.combined([heard("voice", voice), heard("voice", voice), heard("face", face)])
    assert np.allclose(list(one.values()), list(two.values()), atol=1e-6)


def test_what_nothing_could_be_judged_by_is_settled_without_a_decision():
    hub = hub_with({"mic": "kitchen"})
    hub.receive("emotion/mic/voice", sentence(1, speech=False), T, "handle")
    assert hub.due(T) == [] and hub.take_done() == ["handle"]


def test_repeated_and_reordered_messages_are_decided_once_each():
    hub = hub_with({"mic": "kitchen"})
    order = [1, 2, 4, 4, 3, 1, 7]
    found = []
    for i, seq in enumerate(order):
        end = 10_000 + 3000 * seq
        hub.receive("emotion/mic/voice", sentence(seq, begin=end - 2000, end=end), T + 3000 * i, i)
        found += hub.due(T + 3000 * i)
    assert len({decision.key for decision in found}) == len(found) == 5
    assert hub.take_done() == list(range(7))
    assert hub.devices["mic"].lost == 2 and hub.devices["mic"].counts["repeated"] == 2


# --- what is refused ---------------------------------------------------------------------------------


def hostile(rng):
    """A message of the worst sorts: topic and payload."""
    good = json.loads(sentence(rng.randrange(1, 2**32), boot=rng.randrange(1, 2**32)))
    text = [lambda value=value: json.dumps(good | {rng.choice(list(good)): value}).encode() for value in (
        None, "NaN", float("nan"), float("inf"), -1, 2**64, 1e300, [], {}, "<script>x</script>", True, "",
        [5000, 5001], [-1, 10001], [[[]]], "\u0000",
    )]  # fmt: skip
    payload = rng.choice([
        *text,
        lambda: rng.randbytes(rng.randrange(300)),
        lambda: json.dumps(good)[: rng.randrange(1, 150)].encode(),
        lambda: (json.dumps(good)[:-1] + ',"seq":1}').encode(),
        lambda: b"[" * 200,
        lambda: b"x" * 1_000_000,
        lambda: json.dumps(good | {"v": 2}).encode(),
        lambda: json.dumps(good | {"p": [5000, 5001, 0, 0]}).encode(),
        lambda: json.dumps(good | {"schema": "00000000"}).encode(),
        lambda: json.dumps(good | {"model": "00000000"}).encode(),
        lambda: json.dumps(good | {"t0": good["t1"] + 1}).encode(),
        lambda: json.dumps(good | {"now": good["t1"] - 1}).encode(),
        lambda: json.dumps(good | {"place": "study"}).encode(),
    ])()  # fmt: skip
    topic = rng.choice([
        "emotion/mic/voice", "emotion/mic/voice", "emotion/mic/face", "emotion/mic/about",
        "emotion/mic/status",
        "emotion/<b>x</b>/voice", "emotion/mic/decision", "decision/kitchen", "emotion/mic", "",
        "emotion/../voice",
        "emotion/mic/features", "emotion/" + "x" * 10_000 + "/voice", "emotion/\u202e/voice",
    ])  # fmt: skip
    return topic, payload


def test_ten_thousand_hostile_messages_cost_a_counted_line_each():
    lines = []
    hub = hub_with({"mic": "kitchen", "other": "study"}, complain=lines.append, large=None)
    rng = random.Random(0)
    count, now = 0, T
    while count < 10_000:
        topic, payload = hostile(rng)
        if topic == "emotion/mic/features":
            continue  # without a central model columns are not looked at
        try:
            found = message.decode_sentence(payload)
            if (found.model, found.schema) == (MODEL, SCHEMA) and topic.endswith(("voice", "face")):
                continue  # it happens to mean something
        except message.Refused:
            pass
        except Exception as error:
            pytest.fail(f"{payload[:80]!r}: {error!r}")
        if topic.endswith("about"):
            payload = b"x" + payload
        count += 1
        now += 150
        hub.receive(topic, payload, now, count)
        if count % 1000 == 0:  # the others are served as ever
            hub.receive(
                "emotion/other/voice", sentence(count, begin=now % 10**9, end=now % 10**9), now
            )
            assert [d.place for d in hub.due(now)] == ["study"]
    assert len(lines) == sum(hub.refused.values()) == 10_000
    assert all("\n" not in line and line.isprintable() and len(line) < 300 for line in lines)
    assert set(hub.devices) == {"mic", "other"}
    assert set(hub.refused) >= {
        "topic",
        "name",
        "json",
        "fields",
        "sum",
        "times",
        "model",
        "schema",
        "version",
        "length",
    }
    assert len([handle for handle in hub.take_done() if handle]) == 10_000


@given(st.text(max_size=40), st.binary(max_size=260))
@settings(max_examples=300)
def test_no_topic_and_no_bytes_are_too_much(topic, payload):
    hub = hub_with({"mic": "kitchen"})
    hub.receive(topic, payload, T, 1)
    hub.receive(f"emotion/{topic}/voice", payload, T, 2)
    hub.receive(f"emotion/mic/{topic}", payload, T, 3)
    hub.due(T)
    assert hub.take_done() == [1, 2, 3]


def test_a_flood_is_limited_and_said_once_in_a_while():
    lines = []
    hub = hub_with({"mic": "kitchen", "calm": "study"}, complain=lines.append)
    for i in range(5000):
        hub.receive("emotion/mic/voice", sentence(i + 1), T + i // 10, i)
    assert hub.devices["mic"].counts["flood"] > 4800
    assert len(lines) < 10
    hub.receive("emotion/calm/voice", sentence(1), T + 500)
    assert [d.place for d in hub.due(T + 500)][-1] == "study"


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=300))
def test_an_allowance_lets_no_more_through_than_it_says(steps):
    """In any stretch of time: the burst, and so many per second."""
    allowance, now, taken = Allowance(10, 20), T, []
    for step in steps:
        now += step
        if allowance.take(now):
            taken.append(now)
        elif allowance.take(now - 3_600_000):
            pytest.fail("a clock set back gives nothing")
    for i, first in enumerate(taken):
        for j in range(i, len(taken)):
            assert j - i + 1 <= 20 + 10 * (taken[j] - first) / 1000 + 1e-6


def test_who_floods_is_named_for_being_put_out_and_who_only_says_too_much_is_not():
    hub = hub_with({"mic": "kitchen", "calm": "study"})
    for i in range(2000):  # 50 a second: counted, no more
        hub.receive("emotion/calm/voice", b"x", T + 20 * i)
    assert hub.devices["calm"].counts["flood"] > 1000 and not hub.flooding
    for i in range(2000):  # 1000 a second
        hub.receive("emotion/mic/voice", b"x", T + i)
    assert hub.flooding == {"mic"}


def test_labels_come_from_the_device_and_without_them_nothing_is_decided():
    hub = Hub({"mic": "kitchen"})
    hub.receive("emotion/mic/voice", sentence(1), T)
    assert hub.refused["model"] == 1 and hub.due(T) == []


def test_a_device_without_a_place_is_one_by_itself():
    hub = hub_with({"mic": "kitchen"})
    hub.receive("emotion/new/about", about(), T)
    hub.receive("emotion/new/voice", sentence(1), T)
    assert [decision.place for decision in hub.due(T)] == ["new"]


# --- what is kept ------------------------------------------------------------------------------------


def speak(hub, store, seqs, start=T):
    for i, seq in enumerate(seqs):
        end = 10_000 + 3000 * seq
        hub.receive("emotion/mic/voice", sentence(seq, begin=end - 2000, end=end), start + 3000 * i)
        store.write(hub.due(start + 3000 * i), hub, start + 3000 * i)
        hub.changed.clear()


def test_after_a_restart_nothing_is_decided_twice_and_losses_are_known(tmp_path):
    store = Store(tmp_path / "history.sqlite")
    hub = hub_with({"mic": "kitchen"})
    speak(hub, store, [1, 2, 5])
    store.close()  # as after a kill: everything was committed
    again, hub = Store(tmp_path / "history.sqlite"), Hub({"mic": "kitchen"})
    again.restore(hub)
    assert hub.devices["mic"].lost == 2 and hub.devices["mic"].about.names == LABELS
    speak(hub, again, [5, 2, 4, 6], T + 60_000)
    assert again.count() == 5
    assert hub.devices["mic"].lost == 1
    assert [d.key.split(":")[2] for d in again.export()] == ["1", "2", "5", "4", "6"]


def test_a_revision_replaces_its_decision(tmp_path):
    store, hub = Store(tmp_path / "h.sqlite"), Hub()
    row = dict.fromkeys(LABELS, 0.25)
    first = deciding.Decision("a:1", "kitchen", T, T + 10, 0, "angry", 0.25, True, row, ["a:1"])
    second = deciding.Decision(
        "a:1", "kitchen", T, T + 10, 1, "happy", 0.25, False, row, ["a:1", "b:1"]
    )
    for each in (first, second, first):
        store.write([each], hub, T)
    assert list(store.export()) == [second]


def test_a_full_disk_stops_the_history_and_nothing_else(tmp_path, monkeypatch):
    store = Store(tmp_path / "history.sqlite", pages_most=40)
    hub = hub_with({"mic": "kitchen"})
    monkeypatch.setattr("speech_emotion.central.store.RETRY_SECONDS", 0)
    seq = 0
    while store.trouble is None:
        seq += 1
        assert seq < 3000
        speak(hub, store, [seq], T + seq * 3000)
    kept = store.count()
    assert "full" in store.trouble and store.missed == 1
    speak(hub, store, range(seq + 1, seq + 20), T + seq * 3000)
    assert store.missed == 20 and store.count() == kept
    monkeypatch.setattr("speech_emotion.central.store.WAITING_MOST", 10)
    speak(hub, store, [seq + 20], T + (seq + 20) * 3000)
    store._db.execute("PRAGMA max_page_count=100000")  # somebody made room
    speak(hub, store, [seq + 21], T + (seq + 21) * 3000)
    assert store.trouble is None and store.missed == 11
    assert store.count() == kept + 11  # what had waited, and the newest
    fresh = Hub()
    store.restore(fresh)
    assert fresh.devices["mic"].lost == 0  # the numbers that came meanwhile were not lost


def test_what_is_deleted_is_gone_from_the_file(tmp_path):
    store = Store(tmp_path / "history.sqlite")
    row = dict.fromkeys(LABELS, 0.25)
    for i in range(100):
        place = "kitchen" if i % 2 else "bedroom-of-somebody"
        d = deciding.Decision(
            f"a:{i}", place, T + i, T + i, 0, "angry", 0.25, False, row, [f"a:{i}"]
        )
        store.write([d], Hub(), T)
    assert store.delete(before=T + 50) == 50
    assert store.delete(place="bedroom-of-somebody", batch=7) == 25
    assert store.count() == 25 and store.places() == ["kitchen"]
    store.close()
    assert b"bedroom-of-somebody" not in (tmp_path / "history.sqlite").read_bytes()


def test_what_is_no_history_is_said(tmp_path):
    path = tmp_path / "history.sqlite"
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(UserError, match=r"history\.sqlite: no history"):
        Store(path)
    sqlite3.connect(tmp_path / "new.sqlite").execute("PRAGMA user_version=99").connection.close()
    with pytest.raises(UserError, match="version 99"):
        Store(tmp_path / "new.sqlite")


def test_a_year_of_a_household_opens_in_well_under_a_second(tmp_path):
    """A million decisions: what the page asks of them walks no table. Told by the plan, not by a clock."""
    store = Store(tmp_path / "history.sqlite")
    for query in (
        "SELECT max(ended) FROM decisions",
        "SELECT * FROM decisions WHERE place = 'a' ORDER BY ended DESC, id DESC LIMIT 1",
        MINUTES,
        "SELECT min(place) FROM decisions WHERE place > 'a'",
    ):
        plan = " ".join(
            row[3]
            for row in store._db.execute(f"EXPLAIN QUERY PLAN {query}", (0,) * query.count("?"))
        )
        assert "SEARCH decisions USING" in plan, plan


# --- the board ---------------------------------------------------------------------------------------


def test_the_board_after_a_restart_is_the_board_before(tmp_path):
    store, board, hub = Store(tmp_path / "h.sqlite"), Board(), Hub()
    rng = random.Random(1)
    for i in range(600):
        at = T + 10_000 * i
        emotion, place = rng.choice(LABELS), rng.choice(["kitchen", "study"])
        row = {label: 0.7 if label == emotion else 0.1 for label in LABELS}
        d = deciding.Decision(f"a:{i}", place, at, at, 0, emotion, 0.7, False, row, [f"a:{i}"])
        store.write([d], hub, at)
        board.note(d)
    again = Board()
    again.restore(store, at)
    for place in ("kitchen", "study"):
        before, after = board.public(place, place), again.public(place, place)
        assert before["last"] == after["last"]
        shares = [
            {m: n for m, _, n in each["strip"] if m > at // 60_000 - 59} for each in (before, after)
        ]
        assert shares[0] == shares[1]


def test_a_revision_changes_its_minute():
    board = Board()
    row = dict.fromkeys(LABELS, 0.25)
    for rev, emotion in enumerate(("angry", "happy")):
        board.note(deciding.Decision("k", "p", T, T, rev, emotion, 0.25, False, row, ["k"]))
    assert [cell[1:] for cell in board.public("p", "P")["strip"]] == [["happy", 1.0]]


# --- Home Assistant ----------------------------------------------------------------------------------


def test_every_emotion_and_the_confidence_are_found_by_home_assistant():
    configs = discovery.configs("mic", "kitchen", "Küche", LABELS)
    assert len(configs) == 2 + len(LABELS)
    for topic, config in configs.items():
        assert topic == f"homeassistant/sensor/{config['unique_id']}/config"
        assert config["state_topic"] == "decision/kitchen"
        assert config["availability"] == [{"topic": "emotion/mic/status"}]


def test_home_assistants_templates_read_a_decision():
    jinja2 = pytest.importorskip("jinja2")
    decision = deciding.Decision(
        "k", "p", T, T, 0, "happy", 0.71239, False, {"happy": 0.71239, "sad": 0.28761}, ["k"]
    ).public()
    configs = discovery.configs("mic", "p", "P", ("happy", "sad"))
    shown = {
        topic.split("_")[-1].split("/")[0]: jinja2.Template(config["value_template"]).render(
            value_json=decision
        )
        for topic, config in configs.items()
    }
    assert shown == {"emotion": "happy", "confidence": "71.2", "happy": "71.2", "sad": "28.8"}


@pytest.mark.parametrize(
    "labels",
    [("emotion", "confidence", "Emotion"), ("高兴", "生气"), ("'}}{{ 7*7 }}", "%}\\'", "a/b#+"), ("😀", "a")],
)  # fmt: skip
def test_home_assistant_finds_labels_of_any_spelling(labels):
    """Each under an identifier of its own, and nothing of a label is run in a template."""
    jinja2 = pytest.importorskip("jinja2")
    row = {label: 1 / len(labels) for label in labels}
    decision = deciding.Decision(
        "k", "p", T, T, 0, labels[0], row[labels[0]], False, row, ["k"]
    ).public()
    configs = discovery.configs("mic", "p", "P", labels)
    assert len(configs) == 2 + len(labels)
    for topic, config in configs.items():
        assert re.fullmatch(r"homeassistant/sensor/speech_emotion_mic_[a-z0-9_]+/config", topic)
        shown = jinja2.Template(config["value_template"]).render(value_json=decision)
        percent = str(round(100 / len(labels), 1))
        assert shown == (labels[0] if "json_attributes_topic" in config else percent)


# --- the central model -------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("kind", ["forest", "kernel"])
def test_a_large_model_says_of_int16_columns_what_it_says_of_the_columns(tmp_path, kind):
    import codegen_models

    from speech_emotion.central.large import LargeModel
    from speech_emotion.codegen import pipeline
    from speech_emotion.features import schema
    from speech_emotion.message import compiled
    from speech_emotion.model import persistence
    from speech_emotion.training.candidates import CANDIDATES

    vectors, emotions = codegen_models.voices(120)
    columns = list(schema.COLUMNS[:211])
    facts = {"columns": columns, "engine": "device", "threshold": 0.45}
    kinds = codegen_models.KINDS | {"kernel": lambda: CANDIDATES["kernel"].make(0)}
    paths = {}
    for name, made in (("chip", kinds["int8 network"]()), ("large", kinds[kind]())):
        made.fit(vectors[:, :211], emotions)
        paths[name] = tmp_path / f"{name}.joblib"
        persistence.save(
            made, paths[name], facts | {"name": name, "labels": made.classes_.tolist()}
        )
    large = LargeModel(paths["large"], paths["chip"])
    chip = persistence.load(paths["chip"])
    plan = pipeline.plan(chip.pipeline, chip.info)
    exact = persistence.load(paths["large"]).probabilities(vectors)
    hub = hub_with({"mic": "kitchen"}, large=large)
    near = 0
    for i, vector in enumerate(vectors[:40]):
        data = compiled.write_columns(
            BOOT, i + 1, large.columns, vector[:211], plan.mean, plan.inverse
        )
        end = 10_000 + 5000 * i
        hub.receive("emotion/mic/features", data, T + 5000 * i)
        hub.receive("emotion/mic/voice", sentence(i + 1, begin=end - 2000, end=end), T + 5000 * i)
        [decision] = hub.due(T + 5000 * i)
        near += abs(decision.confidence - exact[i].max()) < 0.05
        assert decision.uncertain == (decision.confidence < 0.45)  # its own threshold
        assert set(decision.probabilities) == set(emotions)
    assert near >= 38  # a tree may go the other way at a threshold that a step straddles
    hub.receive("emotion/mic/features", data[:-2], T)
    other = compiled.write_columns(BOOT, 99, 7, vector[:211], plan.mean, plan.inverse)
    hub.receive("emotion/mic/features", other, T)
    assert hub.refused["length"] == 1 and hub.refused["model"] == 1
