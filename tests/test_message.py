"""The messages: the chip's code and Python write the same bytes, what is no message is refused, and the
queue of sentences keeps, counts and repeats."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_names import labels_of_any_kind

from speech_emotion import message as codec
from speech_emotion import names
from speech_emotion.message import compiled
from speech_emotion.message import definition as d

u32 = st.integers(0, d.U32)
probabilities = st.lists(st.floats(0, 1, width=32), min_size=2, max_size=d.LABELS_MOST)


def random_sentence(rng):
    labels = int(rng.integers(2, d.LABELS_MOST + 1))
    begin, length, wait = (int(rng.integers(0, most)) for most in (2**32, d.LONGEST_MS, 2**31 - 1))
    row = rng.dirichlet(np.full(labels, 10.0 ** rng.uniform(-2, 1)))
    boot, seq, model, schema = (int(rng.integers(1, 2**32)) for _ in range(4))
    return codec.Sentence(
        boot, seq, begin, (begin + length) & d.U32, (begin + length + wait) & d.U32, codec.shares(row),
        int(rng.integers(-1000, 1)), bool(rng.integers(0, 2)), model, schema,
    )  # fmt: skip


def test_ten_thousand_sentences_are_the_same_bytes_in_c_and_python():
    rng = np.random.default_rng(0)
    longest = 0
    for _ in range(10_000):
        sentence = random_sentence(rng)
        data = codec.encode_sentence(sentence)
        assert compiled.write_sentence(sentence) == data
        assert codec.decode_sentence(data) == sentence
        longest = max(longest, len(data))
    assert longest <= d.SENTENCE_BYTES


def widest_sentence(labels):
    """The one that takes most bytes: as many shares as possible have four digits, the others three."""
    four = min(labels, (d.WHOLE - 100 * labels) // 900)
    row = [1000] * four + [100] * (labels - four)
    row[0] += d.WHOLE - sum(row)
    late = (d.U32, d.U32, d.U32)
    return codec.Sentence(d.U32, d.U32, *late, tuple(row), -1000, False, d.U32, d.U32)


def test_the_longest_sentence_of_most_labels_fits_and_no_byte_less_will_do():
    sentence = widest_sentence(d.LABELS_MOST)
    data = codec.encode_sentence(sentence)
    assert (
        d.SENTENCE_BYTES - 4 < len(data) <= d.SENTENCE_BYTES
    )  # of one label more it would not be so
    assert compiled.write_sentence(sentence, len(data) + 1) == data
    assert compiled.write_sentence(sentence, len(data)) == b""


def test_the_example_of_the_documentation():
    sentence = codec.Sentence(
        0x9F3C01AA, 412, 81230, 83740, 83790, (7121, 2879), -312, True, 0xAB12CD34, 0xFC8B3603
    )
    assert codec.encode_sentence(sentence) == (
        b'{"v":1,"boot":"9f3c01aa","seq":412,"t0":81230,"t1":83740,"now":83790,"p":[7121,2879],'
        b'"level":-312,"speech":true,"model":"ab12cd34","schema":"fc8b3603"}'
    )


@given(probabilities)
def test_shares_add_up_and_are_the_chips(row):
    found = codec.shares(row)
    assert found == compiled.shares(np.array(row, np.float32))
    assert sum(found) == d.WHOLE
    if abs(sum(row) - 1) < 1e-5:
        assert np.allclose(np.array(found) / d.WHOLE, row, atol=2 / d.WHOLE)


@given(st.lists(st.floats(width=32), min_size=2, max_size=d.LABELS_MOST))
def test_shares_of_anything_are_the_chips(row):
    assert codec.shares(row) == compiled.shares(np.array(row, np.float32))


label_sets = labels_of_any_kind.map(lambda found: found[: d.LABELS_MOST]).filter(
    lambda found: names.twice(found) is None
)


@given(label_sets, u32, st.integers(0, d.WHOLE), u32, u32)
def test_what_is_said_of_a_device_is_the_same_in_c_and_python(
    labels, boot, threshold, model, columns
):
    about = codec.About(boot, tuple(labels), threshold, boot ^ 1, model, model ^ 2, columns)
    data = codec.encode_about(about)
    assert compiled.write_about(about) == data
    assert codec.decode_about(data) == about
    size = about_size(labels)
    assert compiled.write_about(about, size) == data and size <= d.ABOUT_BYTES + 1


def about_size(labels):
    """SER_MESSAGE_ABOUT_SIZE, with SER_NAMES_BYTES as codegen counts it."""
    both = [max(names.serial_json(x).encode(), names.plotter(x).encode(), key=len) for x in labels]
    return d.ABOUT_HEAD + len(labels) + sum(map(len, both))


def test_the_widest_labels_fit_into_what_is_said_of_a_device():
    labels = tuple(f"{chr(0x4E00 + i)}{97 * chr(34)}" for i in range(d.LABELS_MOST))
    about = codec.About(d.U32, labels, d.WHOLE, d.U32, d.U32, d.U32, d.U32)
    data = codec.encode_about(about)
    assert compiled.write_about(about, about_size(labels)) == data
    assert codec.decode_about(data) == about
    assert len(data) + len("emotion//about") + 32 + 7 <= 4096  # what the broker takes at most


@pytest.mark.parametrize(
    "labels",
    [
        ["one"], ["a", "a"], ["a", ""], ["a", "x" * 101], ["a", "b\u202e"], ["a", "\ud800"], ["a", 1],
        ["a", ["b"]], ["\u00e9", "e\u0301"], [str(i) for i in range(d.LABELS_MOST + 1)],
    ],
)  # fmt: skip
def test_labels_that_no_model_on_a_chip_may_have_are_refused(labels):
    good = json.loads(codec.encode_about(codec.About(1, ("a", "b"), 1, 1, 1, 1, 1)))
    with pytest.raises(codec.Refused):
        codec.decode_about(json.dumps(good | {"labels": labels}).encode())


@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6, width=32)] * 2), min_size=1, max_size=d.COLUMNS_MOST),
    st.floats(2**-10, 2**10, width=32), u32,
)  # fmt: skip
@settings(max_examples=50)
def test_columns_arrive_as_they_were_on_their_scale(pairs, inverse, columns):
    values, mean = np.array(pairs, np.float32).T
    scale = np.full(len(values), inverse, np.float32)
    data = compiled.write_columns(7, 9, columns, values, mean, scale)
    found = codec.decode_columns(data)
    assert codec.encode_columns(found) == data and len(data) <= d.COLUMNS_BYTES
    exact = (values.astype(float) - mean) * inverse * d.STEPS
    near = np.clip(np.round(exact), -32768, 32767)
    # single precision loses what the subtraction of large numbers loses
    slack = (
        1
        + np.abs(exact) * 2e-7 * 4
        + np.maximum(np.abs(values), np.abs(mean)) * inverse * d.STEPS * 2e-7
    )
    assert np.all(np.abs(np.array(found.steps) - near) <= slack)


@given(st.binary(max_size=300))
def test_bytes_are_a_message_or_refused(data):
    for decode in (codec.decode_sentence, codec.decode_about, codec.decode_columns):
        with pytest.raises(codec.Refused):
            decode(data)


VALID = json.loads(codec.encode_sentence(random_sentence(np.random.default_rng(1))))
JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JUNK = JUNK | st.lists(JUNK, max_size=4) | st.dictionaries(st.text(max_size=3), JUNK, max_size=2)


@given(st.sampled_from(sorted(VALID)), JUNK)
def test_a_field_of_any_other_content_is_refused_or_means_the_same(key, value):
    data = json.dumps(VALID | {key: value}).encode()
    try:
        found = codec.decode_sentence(data)
    except codec.Refused as refused:
        assert refused.kind in ("json", "fields", "version", "sum", "times", "length")
    else:
        again = json.loads(codec.encode_sentence(found))
        assert again == VALID | {key: value} and type(again[key]) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("json", "{"),
        ("json", json.dumps(VALID).replace("true", "NaN").replace("false", "NaN")),
        ("json", json.dumps(VALID)[:-1] + ', "seq": 5}'),
        ("json", "[" * 230),
        ("fields", "[]"),
        ("fields", json.dumps({k: v for k, v in VALID.items() if k != "seq"})),
        ("fields", json.dumps(VALID | {"place": 1}, separators=(",", ":"))),
        ("version", json.dumps(VALID | {"v": 2})),
        ("sum", json.dumps(VALID | {"p": [5000, 4999]})),
        ("times", json.dumps(VALID | {"t1": VALID["t0"] - 1})),
        ("length", " " * 241),
    ],
)
def test_why_it_is_refused(kind, text):
    with pytest.raises(codec.Refused) as refused:
        codec.decode_sentence(text.encode())
    assert refused.value.kind == kind


# --- the queue ---------------------------------------------------------------------------------------


class Model:
    """What the queue shall do, in plain Python."""

    def __init__(self, places):
        self.places, self.items, self.dropped = places, [], 0  # items: [seq, message or None]

    def put(self, seq):
        if len(self.items) == self.places:
            self.items.pop(0)
            self.dropped += 1
            self.tidy()
        self.items.append([seq, None])

    def tidy(self):
        while self.items and self.items[0][1] == "done":
            self.items.pop(0)

    def acknowledged(self, message):
        for item in self.items:
            if item[1] == message:
                item[1] = "done"
                break
        self.tidy()


@given(
    st.lists(st.sampled_from(["put", "put", "put", "send", "send", "ack", "again"]), max_size=400),
    st.randoms(),
)
@settings(max_examples=60, deadline=None)
def test_the_queue_keeps_the_newest_counts_the_rest_and_repeats(steps, random):
    outbox, model = compiled.Outbox(), Model(64)
    base = random_sentence(np.random.default_rng(2))
    seq = number = 0
    for step in steps:
        if step == "put":
            seq += 1
            outbox.put(dataclasses.replace(base, seq=seq))
            model.put(seq)
        elif step == "send":
            place = outbox.next()
            expected = next((item for item in model.items if item[1] is None), None)
            assert (place < 0) == (expected is None)
            if expected:
                found = codec.decode_sentence(outbox.write(place, base.end + 5))
                assert (found.seq, found.now) == (expected[0], (base.end + 5) & d.U32)
                number += 1
                expected[1] = number
                outbox.sent(place, number)
        elif step == "ack":
            which = random.randint(0, number + 1)
            outbox.acknowledged(which)
            model.acknowledged(which)
        else:
            outbox.again()
            for item in model.items:
                item[1] = item[1] if item[1] == "done" else None
        assert outbox.dropped == model.dropped
        assert outbox.waiting() == sum(item[1] != "done" for item in model.items)


def test_a_long_time_alone_costs_the_oldest():
    outbox = compiled.Outbox()
    base = random_sentence(np.random.default_rng(3))
    for seq in range(1, 201):
        outbox.put(dataclasses.replace(base, seq=seq))
    assert outbox.dropped == 200 - 64
    assert codec.decode_sentence(outbox.write(outbox.next(), base.end)).seq == 137
