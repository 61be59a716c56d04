"""`python -m measure --port`: the Benchmark sketch at the other end of a pseudo-terminal, with all that a
cable does to it: noise, halves of lines, resets, and being unplugged."""

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import sketch_harness as harness

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
