"""`python -m measure --port`: the Benchmark sketch at the other end of a pseudo-terminal, with all that a
cable does to it: noise, halves of lines, resets, and being unplugged."""

import json
import os
import random
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import sketch_harness as harness
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_emotion import cli
from speech_emotion.codegen import clips
from speech_emotion.commands import measure as measure_command
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.measure import board, report

pytest.importorskip("serial", reason="pyserial is not installed")
if not hasattr(os, "openpty"):
    pytest.skip("no pseudo-terminals here", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return harness.generated(tmp_path_factory.mktemp("board"))


@pytest.fixture(scope="module")
def program(folder):
    return harness.build(folder, "Benchmark", folder.parent / "benchmark")


@pytest.fixture(scope="module")
def printed(program):
    """What the sketch prints in one run, line by line."""
    done = subprocess.run(
        [program], env=os.environ | {"LOOPS": "1"}, capture_output=True, check=True
    )
    return done.stdout.splitlines(keepends=True)


class Cable:
    """A pseudo-terminal, and a thread that writes to it what a board would send, then hangs up (or not)."""

    def __init__(self, pieces, *, unplug=False):
        self.master, slave = os.openpty()
        self.name = os.ttyname(slave)
        self._slave, self._pieces, self._unplug = slave, pieces, unplug
        self._thread = threading.Thread(target=self._send, daemon=True)

    def _send(self):
        time.sleep(0.3)  # until the port is open and raw: what comes before is echoed
        for piece in self._pieces:
            while piece:
                piece = piece[os.write(self.master, piece[:512]) :]
        if self._unplug:
            time.sleep(0.3)
            os.close(self.master)
            self.master = None

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join(10)
        os.close(self._slave)
        if self.master is not None:
            os.close(self.master)


def read(pieces, *, patience=3.0, unplug=False):
    with Cable(pieces, unplug=unplug) as cable:
        return board.read_board(cable.name, patience=patience)


def objects(printed):
    return [json.loads(line) for line in printed]


def test_a_run_is_read(printed):
    start, *found, end = objects(printed)
    measured = read(printed)
    assert (measured.start, measured.clips, measured.end) == (start, found, end)
    assert len(found) == len(clips.CLIPS)


def test_joining_in_the_middle_waits_for_the_next_start(printed):
    assert read([*printed[4:], *printed]).start == objects(printed)[0]


def test_noise_around_and_within_lines_is_passed_over(printed):
    noise = np.random.default_rng(1).integers(0, 256, 3000).astype(np.uint8).tobytes()
    boot = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13\r\n"
    pieces = [noise, boot]
    for line in printed:
        pieces += [
            b"\x00\xff{",
            line,
            b"\r\n",
            noise[:200].replace(b"\n", b""),
            b"\n",
            b'{"other": 1}\n',
        ]
    assert read(pieces).end == objects(printed)[-1]


def test_a_damaged_line_is_not_believed_and_the_next_run_counts(printed):
    """One digit of a time is another: still JSON, and only the check sum tells."""
    damaged = list(printed)
    damaged[2] = damaged[2].replace(b'"count": 60', b'"count": 66')
    assert damaged[2] != printed[2] and json.loads(damaged[2])
    assert read([*damaged, *printed]).clips == objects(printed)[1:-1]
    with pytest.raises(UserError, match="no line of the benchmark"):
        read(damaged, patience=0.7)


@pytest.mark.parametrize("cut", [0.3, 0.8])
def test_a_reset_in_mid_stream_begins_again(printed, cut):
    whole = b"".join(printed)
    half = whole[: int(cut * len(whole))]
    assert (
        read([half, b"\r\nrst:0x10 (RTCWDT_RTC_RESET)\r\n", whole]).clips == objects(printed)[1:-1]
    )


def test_a_board_that_resets_for_ever_is_given_up(printed):
    with pytest.raises(UserError, match="without a complete run"):
        read(printed[:3] * 10)


def test_unplugging_is_one_line(printed):
    with pytest.raises(UserError, match="the board is gone"):
        read(printed[:4], unplug=True)


def test_silence_is_told_after_a_while():
    with pytest.raises(UserError, match="no line of the benchmark for"):
        read([b"hello\n"], patience=0.5)


def test_noise_without_line_ends_takes_no_memory_and_no_time():
    class Endless:
        def read(self, size):
            return b"x" * size

    with pytest.raises(UserError, match="no line of the benchmark"):
        board.read(Endless(), "COM9", patience=0.2)


def test_another_version_is_refused(printed):
    text = printed[0].rstrip()
    body = text[: text.rfind(b', "check"')].replace(b'"ser_benchmark": 1', b'"ser_benchmark": 2')
    other = body + b', "check": %d}\r\n' % board.checksum(body)
    with pytest.raises(UserError, match="version 2 of the benchmark"):
        read([other])


def test_no_such_port():
    with pytest.raises(UserError, match="cannot be opened"):
        board.read_board("/dev/ttyNone")


# --- what a board, or something that calls itself one, may send --------------------------------

TIMES = {"count": 60, "min": 900, "median": 1000, "p99": 1400, "max": 1500}


def made_up() -> board.Measurement:
    """A run as a board might print it, without one."""
    start = {
        "model": "m", "chip": "ESP32-D0WD", "chip_revision": 301, "cpu_mhz": 240, "core": "3.1.0",
        "idf": "v5.3", "compiler": "13.2.0", "state_bytes": 58000, "clips": len(clips.CLIPS),
    }  # fmt: skip
    found = [
        {
            "clip": clip.name, "label": "sad", "speech": True,
            "probabilities": {"angry": 0.25, "sad": 0.75}, "response_us": dict(TIMES),
            "busy_us_per_second": 90_000, "worst_hop_us": 2000,
        }
        for clip in clips.CLIPS
    ]  # fmt: skip
    end = {
        "response_us": TIMES | {"count": 60 * len(found)}, "busy_us_per_second": 90_000,
        "worst_hop_us": 2000, "heap_free": 200_000, "heap_free_min": 190_000,
        "heap_largest_block": 110_000, "stack_bytes": 8192, "stack_free_min": 5000,
    }  # fmt: skip
    return board.Measurement(start, found, end)


def line(event, content):
    text = json.dumps({"ser_benchmark": 1, "event": event} | content)[:-1].encode()
    return text + b', "check": %d}\r\n' % board.checksum(text)


def sent(measured):
    return [
        line("start", measured.start),
        *(line("clip", each) for each in measured.clips),
        line("end", measured.end),
    ]


class Pieces:
    """A port that gives these bytes in these pieces, and then nothing."""

    def __init__(self, pieces):
        self.pieces = iter(pieces)

    def read(self, size):
        return next(self.pieces, b"")


def of_port(pieces, **bounds):
    return board.read(Pieces(pieces), "COM9", **({"patience": 0.2} | bounds)).checked()


def complaint(call, *arguments, **options):
    with pytest.raises(UserError) as caught:
        call(*arguments, **options)
    message = str(caught.value)
    assert message.isprintable() and len(message) < 400
    return message


def test_a_made_up_run_is_read_whole():
    run = of_port(sent(made_up()))
    assert [each.clip for each in run.clips] == [clip.name for clip in clips.CLIPS]
    assert board.figures(made_up()).response_ms.upper == 1.5
    assert "ESP32-D0WD 240 MHz" in board.figures(made_up()).name


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 200))
def test_however_the_bytes_are_cut_and_whatever_lies_between_the_run_is_whole(seed, longest):
    """Boot messages at another rate, zeros, a start cut off, a flipped byte, another program's lines, and a
    board that starts anew in the middle."""
    draw = random.Random(seed)
    start, first, *rest = sent(made_up())
    damaged = bytearray(first)
    damaged[draw.randrange(20, len(damaged) - 20)] ^= 1
    stream = b"".join([
        draw.randbytes(2000), bytes(50), b"ets Jun  8 2016\r\nrst:0x1 (POWERON_RESET)\r\n", start[10:],
        first, start, bytes(damaged), rest[-1], start, first, draw.randbytes(200), b"\r\n",
        start, b'{"listening": true, "dbfs": -60.0}\r\n', first, *rest,
    ])  # fmt: skip
    pieces = []
    while stream:
        size = draw.randint(1, longest)
        pieces.append(stream[:size])
        stream = stream[size:]
    assert board.read(Pieces(pieces), "COM9").checked() == made_up().checked()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"ser_benchmark": ' + b"[" * 4000 + b', "check": 1}',
        b'{"ser_benchmark": ' + b'{"a":' * 700 + b', "check": 1}',
        b'{"ser_benchmark": -Infinity, "event": "start", "check": 1}',
        b'{"ser_benchmark": 1, "event": ["start"], "check": 1}',
        b'{"ser_benchmark": 1, "event": "stop", "check": 1}',
        b'{"ser_benchmark": NaN, "event": "end", "check": 1}',
        b'{"ser_benchmark": 1, "event": "end", "a": "' + b"x" * 10**6 + b'", "check": 1}',
        b'{"ser_benchmark": 1, "event": "end", "a": "\xff", "check": 1}',
        b'{"ser_benchmark": 1]], "check": 1}', b'{"ser_benchmark": ', b"",
    ],
)  # fmt: skip
def test_lines_that_are_none_are_passed_over(raw):
    begin, check = raw.find(b"{"), raw.rfind(b', "check": ')
    vouched = raw[: check + 11] + b"%d}" % board.checksum(raw[begin:check]) if check > 0 else raw
    assert board.parse(raw) is None and board.parse(vouched) is None
    assert of_port([vouched + b"\n", *sent(made_up())])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_whatever_a_line_is_it_is_an_object_or_none(noise):
    for raw in (noise, b'{"ser_benchmark": ' + noise, line("clip", {})[:-10] + noise):
        found = board.parse(raw)
        assert found is None or type(found) is dict


FIELDS = [
    (part, name)
    for part, kind in (("start", board.Start), ("clips", board.Clip), ("end", board.End))
    for name in kind.model_fields
]


def changed(part, name, *value):
    """The made-up run with another value of a field, or without it."""
    measured = made_up()
    target = measured.clips[2] if part == "clips" else getattr(measured, part)
    if value:
        target[name] = value[0]
    else:
        del target[name]
    return measured


@pytest.mark.parametrize(("part", "name"), FIELDS)
def test_a_field_that_is_missing_is_one_line_that_names_it(part, name):
    measured = changed(part, name)
    assert f"'{name}' is missing" in complaint(measured.checked)
    for use in (board.figures, board.text):
        assert f"'{name}' is missing" in complaint(use, measured)
    if name != "clips":  # without it the run has no end
        assert f"'{name}' is missing" in complaint(of_port, sent(measured))


def test_a_board_that_cannot_be_asked_says_less():
    """Not of the ESP32 family: no versions, heap and stack."""
    measured = made_up()
    for name in ("chip_revision", "core", "idf"):
        del measured.start[name]
    for name in [name for name in measured.end if name.startswith(("heap", "stack"))]:
        del measured.end[name]
    figures = board.figures(measured)
    assert figures.stack_peak is None and list(figures.tools) == ["GCC"]
    assert "revision" not in figures.basis and "cannot be asked" in board.text(measured)


@pytest.mark.parametrize(
    "value", [None, [], {}, [[1]], "\n\x1b[2J", -1, 1e300, float("nan"), 2**200]
)
@pytest.mark.parametrize(("part", "name"), FIELDS)
def test_a_value_that_no_board_has_is_one_line(part, name, value):
    message = complaint(changed(part, name, value).checked)
    assert message.startswith("the board: its line '")


@pytest.mark.parametrize(
    ("part", "name", "value", "words"),
    [
        ("start", "cpu_mhz", 0, "'cpu_mhz' is 0"),
        ("start", "cpu_mhz", True, "'cpu_mhz' is True"),
        ("start", "state_bytes", 2**40, "'state_bytes' is 1099511627776"),
        ("start", "chip", "ESP\x1b]0;evil\x07", "not printable"),
        ("start", "clips", 5, "6 lines of clips where 5"),
        ("clips", "clip", "another sound", "no clip of the benchmark"),
        ("clips", "clip", clips.CLIPS[0].name, "different ones were promised"),
        ("clips", "speech", 1, "'speech' is 1"),
        ("clips", "label", "happy", "the label has no probability"),
        ("clips", "probabilities", {"angry": 0.9, "sad": 0.9}, "do not add up to 1"),
        ("clips", "probabilities", {"angry": -1.0, "sad": 2.0}, "['angry'] is -1.0"),
        ("clips", "response_us", TIMES | {"p99": 1}, "not in this order"),
        ("clips", "response_us", TIMES | {"max": 10**10}, "['max'] is 10000000000"),
        ("clips", "response_us", TIMES | {"max": 9999}, "not those of its clips"),
        ("clips", "worst_hop_us", 5000, "not those of its clips"),
        ("end", "response_us", TIMES, "not those of its clips"),
        ("end", "stack_free_min", 9000, "more of the stack is free than there is"),
    ],
)
def test_figures_that_do_not_hang_together_are_one_line(part, name, value, words):
    assert words in complaint(changed(part, name, value).checked)


@pytest.mark.parametrize(
    "flood",
    [
        lambda: sent(made_up())[1],  # clips without a start
        lambda: sent(changed("start", "clips", -1))[0] + sent(made_up())[1] * 3,
        lambda: sent(made_up())[0] + sent(made_up())[1] * 50,
    ],
)
def test_a_board_that_never_comes_to_an_end_is_not_listened_to_for_ever(flood):
    class Endless:
        reads = 0

        def read(self, size):
            self.reads += 1
            return flood() if self.reads == 1 else sent(made_up())[1]

    told = ("no complete run among them", "without a complete run")
    assert any(words in complaint(board.read, Endless(), "COM9", enough=0.5) for words in told)

    class Fast(Endless):
        def read(self, size):
            return super().read(size) * 100

    # by the number of lines
    assert any(words in complaint(board.read, Fast(), "COM9") for words in told)


@pytest.mark.parametrize(
    ("version", "shown"),
    [(b'"' + b"x" * 3000 + b'"', "'xxxx"), (b"1e999", "inf"), (b"[[1]]", "a list of 1")],
)
def test_a_version_that_is_no_number_is_shown_short(version, shown):
    text = b'{"ser_benchmark": ' + version + b', "event": "end"'
    raw = text + b', "check": %d}\n' % board.checksum(text)
    assert f"version {shown}" in complaint(of_port, [raw])


# --- what is made of it -----------------------------------------------------------------------


def test_figures_are_those_that_were_printed(printed):
    start, *found, end = objects(printed)
    figures = board.figures(read(printed))
    assert figures.response_ms.lower == end["response_us"]["min"] / 1000
    assert figures.response_ms.upper == end["response_us"]["max"] / 1000
    assert figures.response_ms.lower <= figures.response_ms.nominal <= figures.response_ms.upper
    assert end["response_us"]["max"] == max(line["response_us"]["max"] for line in found)
    assert end["response_us"]["count"] == sum(line["response_us"]["count"] for line in found)
    assert figures.worst_hop_ms.upper == max(line["worst_hop_us"] for line in found) / 1000
    assert figures.ram_static == start["state_bytes"]
    assert figures.stack_peak == 8192 - 5000
    assert "measured on that board" in figures.basis
    assert not figures.over(report.Budget())
    detail = board.text(read(printed))
    assert all(clip.name in detail for clip in clips.CLIPS) and "largest block 110,000" in detail


def test_answers_are_compared_with_the_librarys(printed, folder, tmp_path):
    measured = read(printed)
    board.compare(measured, folder)
    wrong = json.loads(json.dumps(measured.clips))
    label = next(iter(wrong[3]["probabilities"]))
    wrong[3]["probabilities"][label] += 2e-5
    with pytest.raises(CheckFailed, match="differ by 2e-05"):
        board.compare(board.Measurement(measured.start, wrong, measured.end), folder)
    strangers = json.loads(json.dumps(measured.clips))
    for each in strangers:
        each["probabilities"] = {f"{k}x": v for k, v in each["probabilities"].items()}
        each["label"] += "x"
    with pytest.raises(UserError, match="name the folder that was flashed"):
        board.compare(board.Measurement(measured.start, strangers, measured.end), folder)
    other = measured.start | {"model": "another"}
    with pytest.raises(UserError, match="another"):
        board.compare(board.Measurement(other, measured.clips, measured.end), folder)


def command(*arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [measure_command.__file__, *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.run(measure_command.main)
    return leaving.value.code


def test_the_command_from_sketch_to_table(program, folder, tmp_path, capsys):
    """The sketch itself runs at the other end."""
    master, slave = os.openpty()
    sketch = subprocess.Popen(
        ["sh", "-c", f"sleep 0.5; LOOPS=2 '{program}'; sleep 1"],
        stdout=master,
        stderr=subprocess.DEVNULL,
    )
    out = tmp_path / "reports"
    try:
        code = command(folder, "--port", os.ttyname(slave), "--out", out)
    finally:
        sketch.kill()
        sketch.wait()
        os.close(master)
        os.close(slave)
    printed = capsys.readouterr()
    assert code == 0, printed.err
    assert "stand-in 240 MHz" in printed.out and "measured on that board" in printed.out
    assert "answers equal this computer's" in printed.out
    written = json.loads((out / "board.json").read_text())
    assert written["start"]["chip"] == "stand-in" and len(written["clips"]) == len(clips.CLIPS)


def test_the_command_judges_by_the_longest_answer(printed, folder, tmp_path, capsys):
    with Cable(printed) as cable:
        assert command(folder, "--port", cable.name, "--out", tmp_path, "--response-ms", 0.001) == 1
    assert "OVER: response" in capsys.readouterr().out


def test_the_commands_errors_are_one_line(folder, tmp_path, capsys):
    assert command(folder, "--port", "/dev/ttyNone") == 2
    assert command(folder, "--port", "/dev/ttyNone", "--profile") == 2
    assert command(tmp_path, "--port", "/dev/ttyNone") == 2
    assert capsys.readouterr().err.count("\n") == 3
