"""dataset_generator.py: every file accounted for, the same bytes whatever happens, or one line why not."""

import csv
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import signals
import soundfile
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from speech_emotion import cli
from speech_emotion.commands import dataset_generator
from speech_emotion.corpora import discover, synthetic
from speech_emotion.dataset import extraction, table
from speech_emotion.dataset.copies import AGAINST_THE_WORLD
from speech_emotion.dataset.journal import Journal, Result
from speech_emotion.features import audio, reference, schema
from speech_emotion.files import alone

REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPT = REPOSITORY / "dataset_generator.py"
LOCK = ".dataset_generator.lock"
TABLES = ("clips.csv", "features.csv", "features.json")
SPEAKERS, SENTENCES = 2, 3
CLIPS = SPEAKERS * SENTENCES * 7


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """What `--jobs 1` does to this process ends with the module."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """A small synthetic corpus."""
    folder = tmp_path_factory.mktemp("synthetic")
    synthetic.write(folder, speakers=SPEAKERS, sentences=SENTENCES)
    return folder


@pytest.fixture(scope="module")
def done(speech, tmp_path_factory):
    """The output folder of an uninterrupted run over it, in two processes."""
    out = tmp_path_factory.mktemp("done")
    ended = in_a_process("--corpora", speech, "--out", out, "--jobs", 2)
    assert (ended.returncode, ended.stderr) == (0, "")
    return out


def in_a_process(*arguments, **options):
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


@pytest.fixture
def generate(monkeypatch, capsys):
    """The script in this process: exit code, stdout and stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["dataset_generator.py", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.run(dataset_generator.main)
        written = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, out=written.out, err=written.err)

    return lambda *arguments: run(*arguments, "--jobs", 1)


def refusal(run, *named):
    """What a run says that ended with exit code 2: one line that names these."""
    assert run.code == 2
    assert run.err.startswith("error: ") and run.err.count("\n") == 1
    for name in named:
        assert str(name) in run.err
    return run.err


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(out):
    return {name: (out / name).read_bytes() for name in TABLES}


def info(out):
    return json.loads((out / "features.json").read_text(encoding="utf-8"))


def lines(out):
    """Finished clips in the journal of a run, which may be under way."""
    return sum(max(0, each.read_bytes().count(b"\n") - 1) for each in out.glob("*.journal"))


def journal_of(out):
    """The one journal of a run."""
    (found,) = out.glob("*.journal")
    return found


def record(path, samples, rate=16000, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, **options)
    return path


def voice(seed, seconds=0.6):
    return signals.voice(round(16000 * seconds), period=90 + 5 * seed, wobble=2, seed=seed)


@pytest.fixture
def small(tmp_path):
    """Two good recordings of one's own."""
    root = tmp_path / "own"
    record(root / "angry" / "anna_1.wav", voice(1))
    record(root / "sad" / "ben_1.wav", voice(2))
    return root


# ---- what goes in comes out ---------------------------------------------------------------------


def test_the_tables_hold_every_clip_with_all_that_its_name_says(speech, done):
    found = table.read(done / "features.csv")
    expected = discover(speech).clips
    assert len(found) == len(expected) == CLIPS
    for clip, row in zip(expected, found.clips.itertuples(), strict=True):
        assert row.path == clip.path.relative_to(speech).as_posix()
        assert (row.corpus, row.speaker, row.sex) == (clip.corpus, clip.speaker, clip.sex)
        assert (row.emotion, row.sentence) == (clip.emotion, clip.sentence)
        assert (row.augmentation, row.source) == ("", "")
        assert row.seconds == len(audio.load(clip.path)) / 16000
    assert np.isfinite(found.vectors).all()


def test_a_row_is_the_vector_of_its_clip(speech, done):
    found = table.read(done / "features.csv")
    with threadpool_limits(1):
        for i in (0, 17, CLIPS - 1):
            vector = reference.extract(audio.load(speech / found.clips["path"][i]))
            assert found.vectors[i].tobytes() == vector.tobytes()


def test_the_sidecar_says_what_the_table_is(done):
    about = info(done)
    assert about["schema"] == schema.HASH
    assert (about["engine"], about["seed"]) == ("reference", 0)
    assert about["versions"].keys() >= {"numpy", "librosa", "praat-parselmouth"}
    assert about["rows"] == CLIPS
    emotions = dict.fromkeys(sorted(synthetic.STYLES), SPEAKERS * SENTENCES)
    assert about["corpora"] == {"synthetic": {"speakers": SPEAKERS, "emotions": emotions}}
    assert about["seconds"] == pytest.approx(table.read(done / "features.csv").clips.seconds.sum())
    assert about["left_out"] == about["ignored"] == {}
    assert about["duplicates"] == about["conflicting_duplicates"] == []


@pytest.fixture(scope="module")
def messy(tmp_path_factory):
    """A folder as users have them; what becomes of each file that is no good: (root, left_out, ignored)."""
    root = tmp_path_factory.mktemp("meine Aufnahmen, für später")
    sound = voice(1, 1.0)
    for i, name in enumerate(["anna_01", "bea, b", 'say "hi"_2', "zoë_03", " x_1 "]):
        record(root / "fröhlich und laut" / f"{name}.wav", voice(i + 1))
    good = root / "angry"
    record(good / "a_8khz.wav", voice(3)[::2], 8000)
    record(good / "a_96khz.wav", np.repeat(voice(4), 6), 96000)
    record(good / "a_8bit.wav", voice(5), subtype="PCM_U8")
    record(good / "a_24bit.wav", voice(6), subtype="PCM_24")
    record(good / "a_float.wav", voice(7) / 32768, subtype="FLOAT")
    record(good / "a_stereo.wav", np.stack([voice(8), voice(9)], 1))
    record(good / "a_six.wav", np.stack([voice(i) for i in range(10, 16)], 1))
    record(good / "a_flac.flac", voice(16))
    record(good / "a_ogg.ogg", voice(17) / 32768)
    for path in (good / "t_1.wav", root / "sad" / "t_1.wav", good / "u_1.wav", good / "u_2.wav"):
        record(path, voice(18 if path.name == "t_1.wav" else 19))

    bad = root / "neutral"
    record(bad / "silence.wav", np.zeros(16000, np.int16))
    record(bad / "constant.wav", np.full(16000, 500, np.int16))
    record(bad / "short.wav", sound[:320])
    record(bad / "nothing.wav", sound[:0])
    record(bad / "nan.wav", np.full(16000, np.nan), subtype="FLOAT")
    (bad / "text.wav").write_text("this is no sound")
    (bad / "empty.wav").write_bytes(b"")
    whole = record(bad / "cut.wav", sound).read_bytes()
    (bad / "cut.wav").write_bytes(whole[:9000])
    (bad / "gone.wav").symlink_to(root / "nowhere.wav")
    os.mkfifo(bad / "pipe.wav")
    left_out = {
        "silence": "digital silence",
        "constant": "digital silence",
        "short": "too short, 0.020 s",
        "nothing": "holds no samples",
        "nan": "holds NaN or Inf",
        "text": "not a sound file",
        "empty": "not a sound file",
        "cut": "truncated",
        "gone": "no such file",
        "pipe": "not a regular file",
    }
    (bad / "phone.m4a").write_bytes(b"x")  # would be read, if it were one
    (bad / "old.ape").write_bytes(b"x")
    (root / "old.zip").write_bytes(b"x")
    record(root / "stray.wav", sound)
    shutil.copy(root / "stray.wav", os.fsencode(bad) + b"/caf\xe9.wav")  # a name in Latin-1
    ignored = {
        "neutral/old.ape": "convert it to wav",
        "old.zip": "unpack it",
        "stray.wav": "not named like a known corpus",
        "neutral/caf\udce9.wav": "its name is not UTF-8",
    }
    left_out = {f"neutral/{name}.wav": why for name, why in left_out.items()}
    return root, left_out | {"neutral/phone.m4a": "not a sound file"}, ignored


@pytest.fixture(scope="module")
def sorted_out(messy, tmp_path_factory):
    """The run over the messy folder."""
    out = tmp_path_factory.mktemp("out put")
    named = ("--speaker-from", "prefix")
    return out, in_a_process("--corpora", messy[0], "--out", out, "--jobs", 1, *named)


def test_bad_files_are_left_out_with_the_reason_and_the_others_go_through(messy, sorted_out):
    root, left_out, _ignored = messy
    out, ended = sorted_out
    assert ended.returncode == 0
    found = info(out)["left_out"]
    assert found.keys() == left_out.keys()
    for name, why in left_out.items():
        assert why in found[name]
        assert str(root) not in found[name]  # the tables are the same on another machine
        assert f"left out  {name}: {found[name]}" in ended.stdout
    assert "Traceback" not in ended.stderr


def test_every_file_is_a_row_or_left_out_or_ignored(messy, sorted_out):
    root, _left_out, ignored = messy
    out, _ended = sorted_out
    about, rows = info(out), table.read(out / "features.csv").clips["path"]
    assert about["ignored"].keys() == ignored.keys()
    for name, why in ignored.items():
        assert why in about["ignored"][name]
    files = [path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir()]
    assert sorted([*rows, *about["left_out"], *about["ignored"]]) == sorted(files)
    assert about["rows"] == len(rows)


def test_names_with_commas_quotes_spaces_and_umlauts_survive_the_table(sorted_out):
    clips = table.read(sorted_out[0] / "features.csv").clips
    own = clips[clips["emotion"] == "fröhlich und laut"]
    assert dict(zip(own["path"].str.split("/").str[1], own["speaker"], strict=True)) == {
        "anna_01.wav": "anna", "bea, b.wav": "unknown", 'say "hi"_2.wav': 'say "hi"',
        "zoë_03.wav": "zoë", " x_1 .wav": "x",
    }  # fmt: skip


def test_the_same_sound_under_two_labels_is_kept_and_named(sorted_out):
    out, ended = sorted_out
    about = info(out)
    assert about["conflicting_duplicates"] == [{"angry/t_1.wav": "angry", "sad/t_1.wav": "sad"}]
    assert about["duplicates"] == [{"angry/u_1.wav": "angry", "angry/u_2.wav": "angry"}]
    assert "different labels, kept: angry/t_1.wav (angry), sad/t_1.wav (sad)" in ended.stdout


def test_a_terminal_without_unicode_is_no_reason_to_fail(tmp_path):
    record(tmp_path / "own" / "fröhlich" / "zoë_03.wav", voice(1))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    ended = in_a_process(
        *("--corpora", tmp_path / "own", "--out", tmp_path / "out", "--jobs", 1), env=environment
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert r"fr\xf6hlich" in ended.stdout


@pytest.mark.corpora
def test_real_clips_traps_included(corpora_dir, tmp_path, generate):
    """The silent one, contradictory pairs, files as published, and a dozen others."""
    everything = discover(corpora_dir).clips
    trap = (
        "1076_MTI_SAD",
        "1013_WSI_",
        "1017_IWW_",
        "03-01-03-01-02-01-07",
        "03-01-03-01-02-02-07",
    )
    wanted = [c for c in everything if c.path.stem.startswith(trap) or c.path.suffix == ".wav"]
    wanted = {*wanted, *everything[::350]}
    for clip in wanted:
        place = tmp_path / "clips" / clip.path.relative_to(corpora_dir)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(clip.path)
    run = generate("--corpora", tmp_path / "clips", "--out", tmp_path / "out")
    assert run.code == 0
    found, about = table.read(tmp_path / "out" / "features.csv"), info(tmp_path / "out")
    assert about["left_out"] == {"Crema/1076_MTI_SAD_XX.wav": "digital silence"}
    assert about["ignored"] == {}
    assert len(found) == len(wanted) - 1
    assert np.isfinite(found.vectors).all()
    expected = Counter((c.corpus, c.speaker, c.sex, c.emotion, c.sentence) for c in wanted)
    expected.subtract([("cremad", "1076", "f", "sad", "MTI")])
    rows = found.clips[["corpus", "speaker", "sex", "emotion", "sentence"]]
    assert Counter(map(tuple, rows.values.tolist())) == +expected
    stems = [sorted(Path(name).stem for name in group) for group in about["conflicting_duplicates"]]
    assert ["1013_WSI_DIS_XX", "1013_WSI_SAD_XX"] in stems
    assert ["1017_IWW_ANG_XX", "1017_IWW_FEA_XX"] in stems
    stems = [sorted(Path(name).stem for name in group) for group in about["duplicates"]]
    assert ["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"] in stems


# ---- the same bytes -----------------------------------------------------------------------------


def test_another_number_of_processes_gives_the_same_bytes(speech, done, tmp_path, generate):
    assert generate("--corpora", speech, "--out", tmp_path).code == 0
    assert contents(tmp_path) == contents(done)


def test_a_second_run_measures_nothing_and_gives_the_same_bytes(speech, done, generate):
    before, journal = contents(done), journal_of(done).read_bytes()
    run = generate("--corpora", speech, "--out", done)
    assert f"{CLIPS} of {CLIPS} are there already" in run.out
    assert contents(done) == before
    assert journal_of(done).read_bytes() == journal


@pytest.fixture(scope="module")
def interrupted(speech, tmp_path_factory):
    """A run killed five times, interrupted once by Ctrl-C, and then left alone: (folder, endings)."""
    out = tmp_path_factory.mktemp("interrupted")
    draw = random.Random(7)
    marks = sorted(draw.sample(range(1, CLIPS - 15), 6))
    command = [sys.executable, str(SCRIPT), "--corpora", str(speech), "--out", str(out), "--jobs"]
    endings = []
    for i, mark in enumerate(marks):
        running = subprocess.Popen(
            [*command, "2" if i in (0, 3) else "1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            # a shell's background job, these tests perhaps, ignores Ctrl-C and hands that down
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        mark = max(mark, lines(out) + 1)  # this run has begun to measure
        while lines(out) < mark and running.poll() is None:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.1))  # at any point of a line or clip
        if running.poll() is not None:
            pytest.fail(f"run {i} ended by itself, {lines(out)} measured: {running.communicate()}")
        # to the whole group, as a terminal does and as the kernel does when memory runs out
        os.killpg(running.pid, signal.SIGINT if i == 3 else signal.SIGKILL)
        stdout, stderr = running.communicate(timeout=60)
        endings.append(SimpleNamespace(code=running.returncode, out=stdout, err=stderr))
    final = in_a_process("--corpora", speech, "--out", out, "--jobs", 2)
    endings.append(SimpleNamespace(code=final.returncode, out=final.stdout, err=final.stderr))
    return out, endings


def test_killed_five_times_and_resumed_it_gives_the_same_bytes(interrupted, done):
    out, endings = interrupted
    assert [ending.code for ending in endings] == [
        *[-signal.SIGKILL] * 3,
        130,
        *[-signal.SIGKILL] * 2,
        0,
    ]
    assert f"of {CLIPS} are there already from an earlier run" in endings[-1].out
    assert contents(out) == contents(done)
    assert names(out) == sorted([*TABLES, LOCK, journal_of(out).name])


def test_ctrl_c_says_in_one_line_how_to_go_on(interrupted):
    assert interrupted[1][3].err == "interrupted; the same command goes on where it stopped\n"


@pytest.mark.parametrize(
    "damage", [b'{"key": "half a li', b"\0" * 5000, b"[]\n", b"null\n", b"{}\n"]
)
def test_a_damaged_end_of_the_journal_is_measured_again(small, tmp_path, generate, damage):
    out = tmp_path / "out"
    generate("--corpora", small, "--out", out)
    before = contents(out)
    journal = journal_of(out)
    whole = journal.read_bytes()
    first_two = b"".join(whole.splitlines(keepends=True)[:2])
    journal.write_bytes(first_two + damage)
    assert "1 of 2 are there already" in generate("--corpora", small, "--out", out).out
    assert contents(out) == before
    assert (
        journal.read_bytes()
        == first_two + damage * damage.endswith(b"\n") + whole[len(first_two) :]
    )


def test_a_journal_that_is_none_starts_anew(small, tmp_path, generate):
    out = tmp_path / "out"
    generate("--corpora", small, "--out", out)
    before = contents(out)
    journal_of(out).write_bytes(os.urandom(1000))
    assert "already" not in generate("--corpora", small, "--out", out).out
    assert contents(out) == before


def test_a_damaged_line_is_said_and_measured_again_and_the_others_are_not(
    small, tmp_path, generate
):
    out = tmp_path / "out"
    generate("--corpora", small, "--out", out)
    before, journal = contents(out), journal_of(out)
    content = bytearray(journal.read_bytes())
    content[content.index(b"\n") + 900] ^= 1  # within the first result's features
    journal.write_bytes(content)
    run = generate("--corpora", small, "--out", out)
    assert f"{journal}: 1 damaged lines, which are measured again" in run.out
    assert "1 of 2 are there already" in run.out
    assert contents(out) == before


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A journal of three results: its bytes, its name, and the results."""
    folder, rng = tmp_path_factory.mktemp("journal"), np.random.default_rng(0)
    results = [
        Result.of(f"a/{i}.wav||9|{i}", 1.5, "0" * 24, rng.standard_normal(20)) for i in range(3)
    ]
    with Journal(folder, SETTINGS) as journal:
        for result in results:
            journal.add(result)
    return journal.path.read_bytes(), journal.path.name, results


SETTINGS = {"engine": "device", "seed": 0}


@given(data=st.data())
@hypothesis_settings(max_examples=300, deadline=None)
def test_no_change_of_a_journal_ever_changes_a_result(written, data, tmp_path_factory):
    """A result is the one that was written, or is not there: bytes changed, lost, added, lines swapped."""
    content, name, results = written
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(changed) - 1))
        how = data.draw(st.sampled_from(["flip", "set", "drop", "add", "cut", "swap"]))
        if how == "flip":
            changed[at] ^= 1 << data.draw(st.integers(0, 7))
        elif how == "set":
            changed[at] = data.draw(st.integers(0, 255))
        elif how == "drop":
            del changed[at : at + data.draw(st.integers(1, 50))]
        elif how == "add":
            changed[at:at] = data.draw(st.binary(min_size=1, max_size=50))
        elif how == "cut":
            del changed[at:]
        else:
            changed = bytearray(b"".join(sorted(changed.splitlines(keepends=True))))
        if not changed:
            break
    folder = tmp_path_factory.mktemp("changed")
    (folder / name).write_bytes(changed)
    with Journal(folder, SETTINGS) as journal:
        for result in results:
            assert result.key not in journal or journal[result.key] == result
            journal.add(result)
    with Journal(folder, SETTINGS) as journal:
        assert [journal[result.key] for result in results] == results


def test_lines_of_other_settings_do_not_count_wherever_they_are_put(written, tmp_path):
    content, name, results = written
    with Journal(tmp_path, SETTINGS | {"seed": 1}) as journal:
        assert journal.path.name != name
    journal.path.write_bytes(content)
    with Journal(tmp_path, SETTINGS | {"seed": 1}) as journal:
        assert not any(result.key in journal for result in results)


def test_a_clip_that_changed_is_measured_again_and_the_others_are_not(small, tmp_path, generate):
    out = tmp_path / "out"
    generate("--corpora", small, "--out", out)
    before = table.read(out / "features.csv")
    record(small / "sad" / "ben_1.wav", voice(9))
    assert "1 of 2 are there already" in generate("--corpora", small, "--out", out).out
    after = table.read(out / "features.csv")
    assert np.array_equal(after.vectors[0], before.vectors[0])
    assert not np.array_equal(after.vectors[1], before.vectors[1])


def test_results_of_other_settings_do_not_count(small, tmp_path, generate, monkeypatch):
    out = tmp_path / "out"
    generate("--corpora", small, "--out", out)
    assert "already" not in generate("--corpora", small, "--out", out, "--seed", 1).out
    assert "2 of 2 are there" in generate("--corpora", small, "--out", out, "--seed", 1).out
    back = generate("--corpora", small, "--out", out)
    assert "2 of 2 are there" in back.out  # the first one's work was not lost
    assert "Kept from runs with other settings" in back.out
    monkeypatch.setattr(extraction, "code", lambda engine: "another source")
    assert "already" not in generate("--corpora", small, "--out", out, "--seed", 1).out


def test_what_was_left_out_is_tried_again(small, tmp_path, generate):
    """The cause may go without a trace in the file: here the name of a missing file appears."""
    out = tmp_path / "out"
    (small / "sad" / "ben_2.wav").symlink_to(tmp_path / "later.wav")
    generate("--corpora", small, "--out", out)
    assert info(out)["left_out"] == {"sad/ben_2.wav": "no such file"}
    record(tmp_path / "later.wav", voice(3))
    generate("--corpora", small, "--out", out)
    assert info(out)["left_out"] == {} and info(out)["rows"] == 3


def test_a_clip_that_went_away_takes_its_row_along(small, tmp_path, generate):
    out = tmp_path / "out"
    record(small / "sad" / "ben_2.wav", voice(3))
    generate("--corpora", small, "--out", out)
    (small / "sad" / "ben_2.wav").unlink()
    generate("--corpora", small, "--out", out)
    assert table.read(out / "features.csv").clips["path"].tolist() == [
        "angry/anna_1.wav", "sad/ben_1.wav",
    ]  # fmt: skip


def test_a_clip_that_changes_under_the_run_is_no_row_of_either(
    small, tmp_path, generate, monkeypatch
):
    measure = extraction.extract_clip

    def touch_afterwards(task, **options):
        result = measure(task, **options)
        path = task.root / task.name
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
        return result

    monkeypatch.setattr(extraction, "extract_clip", touch_afterwards)
    run = generate("--corpora", small, "--out", tmp_path / "out")
    refusal(run, "anna_1.wav: changed while it was being read; run again")
    assert not (tmp_path / "out" / "features.csv").exists()


def test_the_device_engine_fills_the_same_table(small, tmp_path, generate):
    if not any(map(shutil.which, ("cc", "gcc", "clang"))):
        pytest.skip("no C compiler")
    for engine in ("reference", "device"):
        run = generate("--corpora", small, "--out", tmp_path / engine, "--engine", engine)
        assert run.code == 0
        assert info(tmp_path / engine)["engine"] == engine
    clips = [(tmp_path / engine / "clips.csv").read_bytes() for engine in ("reference", "device")]
    assert clips[0] == clips[1]


# ---- augmentation -------------------------------------------------------------------------------


KINDS = ("noise:10", "stretch:0.9", "pitch", "shift")


@pytest.fixture
def augmented(small, tmp_path, generate):
    out = tmp_path / "augmented"
    run = generate("--corpora", small, "--out", out, "--augment", *KINDS, "noise:10.0")
    assert run.code == 0
    return out


def test_each_clip_has_its_own_row_and_one_per_kind_that_names_its_source(augmented):
    clips = table.read(augmented / "features.csv").clips
    assert clips["path"].tolist() == [
        name + suffix
        for name in ("angry/anna_1.wav", "sad/ben_1.wav")
        for suffix in ("", *(f"#{kind}" for kind in KINDS))
    ]
    copies = clips[clips["augmentation"] != ""]
    assert copies["augmentation"].tolist() == 2 * list(KINDS)
    assert (copies["path"] == copies["source"] + "#" + copies["augmentation"]).all()
    assert (clips["source"][clips["augmentation"] == ""] == "").all()
    originals = clips[clips["augmentation"] == ""].set_index("path")
    for copy in copies.itertuples():
        source = originals.loc[copy.source]
        assert (copy.corpus, copy.speaker, copy.emotion) == (
            source.corpus,
            source.speaker,
            source.emotion,
        )
        longer = copy.seconds / source.seconds
        # cut to whole hops, overlap-add to whole periods: 10 ms of 0.6 s each
        assert longer == pytest.approx(0.9 if copy.augmentation == "stretch:0.9" else 1, abs=0.035)


def test_augment_alone_is_the_kinds_that_models_are_shipped_with(small, tmp_path, generate):
    assert generate("--corpora", small, "--out", tmp_path, "--augment").code == 0
    clips = table.read(tmp_path / "features.csv").clips
    assert clips["augmentation"].tolist() == 2 * ["", *AGAINST_THE_WORLD]


def test_a_copy_with_talkers_names_the_clips_of_the_other_speaker_that_are_heard_in_it(
    small, tmp_path, generate
):
    run = generate("--corpora", small, "--out", tmp_path, "--augment", "talkers:10")
    assert run.code == 0
    found = table.read(tmp_path / "features.csv")
    assert found.clips["background"].tolist() == ["", "sad/ben_1.wav", "", "angry/anna_1.wav"]
    # another sound there, another row here
    samples, rate = soundfile.read(small / "sad" / "ben_1.wav")
    soundfile.write(small / "sad" / "ben_1.wav", samples[::-1], rate)
    generate("--corpora", small, "--out", tmp_path, "--augment", "talkers:10")
    again = table.read(tmp_path / "features.csv")
    assert (found.vectors != again.vectors).any(axis=1).tolist() == [False, True, True, True]


def test_a_copy_is_left_out_with_the_clip_that_was_to_be_heard_in_it(small, tmp_path, generate):
    (small / "sad" / "ben_1.wav").write_bytes(b"")
    run = generate("--corpora", small, "--out", tmp_path, "--augment", "talkers:10")
    assert run.code == 0
    assert table.read(tmp_path / "features.csv").clips["path"].tolist() == ["angry/anna_1.wav"]
    left_out = table.read(tmp_path / "features.csv").info["left_out"]
    assert left_out["angry/anna_1.wav#talkers:10"].startswith("sad/ben_1.wav: ")


def test_where_there_is_one_speaker_only_nobody_else_is_heard(small, tmp_path, generate):
    (small / "sad" / "ben_1.wav").unlink()
    run = generate("--corpora", small, "--out", tmp_path, "--augment", "talkers", "noise")
    assert run.code == 0 and "No talkers copies: all clips are of one speaker" in run.out
    clips = table.read(tmp_path / "features.csv").clips
    assert clips["augmentation"].tolist() == ["", "noise"]


def test_augmentation_leaves_the_clips_own_row_as_it_is(augmented, small, tmp_path, generate):
    generate("--corpora", small, "--out", tmp_path / "plain")
    plain, found = (table.read(out / "features.csv") for out in (tmp_path / "plain", augmented))
    own = found.rows((found.clips["augmentation"] == "").to_numpy())
    assert own.clips.equals(plain.clips)
    assert own.vectors.tobytes() == plain.vectors.tobytes()


def test_copies_are_the_same_bytes_in_any_order_and_others_with_another_seed(
    augmented, small, tmp_path, generate
):
    first = table.read(augmented / "features.csv")
    out = tmp_path / "again"
    generate("--corpora", small, "--out", out, "--augment", *reversed(KINDS))
    again = table.read(out / "features.csv")
    order = [again.clips["path"].tolist().index(path) for path in first.clips["path"]]
    assert again.vectors[order].tobytes() == first.vectors.tobytes()
    generate("--corpora", small, "--out", out, "--augment", *KINDS, "--seed", 1)
    other = table.read(out / "features.csv")
    for i, path in enumerate(first.clips["path"]):
        same = np.array_equal(other.vectors[i], first.vectors[i])
        # a stretch of given strength draws nothing but voiceless stretches, of which a made voice has none
        assert same == ("#" not in path) or path.endswith("#stretch:0.9")


def test_copies_do_not_count_as_duplicates_of_their_source(small, tmp_path, generate):
    out = tmp_path / "out"
    generate("--corpora", small, "--out", out, "--augment", "shift:0")
    assert info(out)["duplicates"] == info(out)["conflicting_duplicates"] == []


def test_a_bad_clip_has_bad_copies_and_ends_no_run(small, tmp_path, generate):
    record(small / "sad" / "ben_2.wav", voice(3)[:320])
    record(small / "sad" / "ben_3.wav", np.zeros(8000, np.int16))
    out = tmp_path / "out"
    assert generate("--corpora", small, "--out", out, "--augment", "pitch", "stretch").code == 0
    bad = info(out)["left_out"]
    assert len(bad) == 6 and info(out)["rows"] == 6
    assert (
        "too short" in bad["sad/ben_2.wav#pitch"]
        and bad["sad/ben_3.wav#stretch"] == "digital silence"
    )


def test_a_copy_that_is_empty_is_left_out(small, tmp_path, generate):
    generate("--corpora", small, "--out", tmp_path / "out", "--augment", "shift:1")
    assert info(tmp_path / "out")["left_out"] == {
        "angry/anna_1.wav#shift:1": "digital silence", "sad/ben_1.wav#shift:1": "digital silence",
    }  # fmt: skip


# ---- where the clips come from ------------------------------------------------------------------


def test_without_arguments_and_corpora_speech_is_made_and_said_to_be_synthetic(
    tmp_path, generate, monkeypatch
):
    make = synthetic.write
    monkeypatch.setattr(
        synthetic, "write", lambda *a, **k: make(*a, **k | {"speakers": 1, "sentences": 1})
    )
    monkeypatch.chdir(tmp_path)
    run = generate()
    assert run.code == 0
    assert "SYNTHETIC" in run.out and "mean nothing for real speech" in run.out
    assert info(tmp_path / "dataset")["corpora"].keys() == {"synthetic"}


def test_without_arguments_the_kaggle_folder_is_used_where_it_exists(
    small, tmp_path, generate, monkeypatch
):
    small.rename(tmp_path / "speech-emotion-recognition-en")
    monkeypatch.chdir(tmp_path)
    run = generate()
    assert run.code == 0 and "SYNTHETIC" not in run.out
    assert info(tmp_path / "dataset")["corpora"].keys() == {"folder"}


# ---- what is refused ----------------------------------------------------------------------------


def test_strict_fails_on_a_bad_clip_by_name(small, tmp_path, generate):
    record(small / "sad" / "ben_2.wav", np.zeros(8000, np.int16))
    run = generate("--corpora", small, "--out", tmp_path / "out", "--strict")
    refusal(run, "sad/ben_2.wav: digital silence (--strict)")
    assert not (tmp_path / "out" / "features.csv").exists()


def test_strict_fails_even_if_an_earlier_run_passed_the_clip_over(small, tmp_path, generate):
    record(small / "sad" / "ben_2.wav", np.zeros(8000, np.int16))
    assert generate("--corpora", small, "--out", tmp_path / "out").code == 0
    refusal(generate("--corpora", small, "--out", tmp_path / "out", "--strict"), "ben_2.wav")


def test_a_missing_folder_is_named(tmp_path, generate):
    refusal(
        generate("--corpora", tmp_path / "none", "--out", tmp_path), tmp_path / "none", "no such"
    )


def test_a_file_instead_of_a_folder_is_named(small, tmp_path, generate):
    clip = small / "sad" / "ben_1.wav"
    refusal(generate("--corpora", clip, "--out", tmp_path / "out"), clip, "a file; name the folder")


def test_a_folder_without_known_names_says_which_are_known(tmp_path, generate):
    record(tmp_path / "x" / "note1.wav", voice(1))
    run = generate("--corpora", tmp_path / "x", "--out", tmp_path / "out")
    refusal(run, tmp_path / "x", "03-01-05-01-02-01-12.wav", "<emotion>")


def test_an_empty_folder_is_named(tmp_path, generate):
    (tmp_path / "x").mkdir()
    refusal(generate("--corpora", tmp_path / "x", "--out", tmp_path / "out"), tmp_path / "x")


def test_a_corpus_without_a_usable_clip_says_why(tmp_path, generate):
    record(tmp_path / "x" / "sad" / "a_1.wav", np.zeros(8000, np.int16))
    run = generate("--corpora", tmp_path / "x", "--out", tmp_path / "out")
    refusal(run, "none of its 1 clips can be used", "sad/a_1.wav: digital silence")
    assert names(tmp_path / "out") == sorted([LOCK, journal_of(tmp_path / "out").name])


@pytest.mark.parametrize("place", ["a file", "below a file", "/proc"])
def test_an_output_folder_that_cannot_be_written_is_named(small, tmp_path, generate, place):
    (tmp_path / "file").write_text("")
    out = {"a file": tmp_path / "file", "below a file": tmp_path / "file" / "out"}.get(
        place, Path("/proc/out")
    )
    refusal(generate("--corpora", small, "--out", out), out, "choose another folder")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--augment", "echo"], "--augment echo: no such kind"),
        (["--augment", "noise:x"], "--augment noise:x: the value must be a number"),
    ],
)
def test_wrong_values_of_options_are_refused_before_any_work(
    small, tmp_path, generate, arguments, said
):
    refusal(generate("--corpora", small, "--out", tmp_path / "out", *arguments), said)
    assert not (tmp_path / "out").exists()


def test_no_processes_at_all_are_refused(small, tmp_path):
    ended = in_a_process("--corpora", small, "--out", tmp_path / "out", "--jobs", 0)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: --jobs 0") and ended.stderr.count("\n") == 1


def test_a_second_run_is_refused_before_it_touches_anything(small, tmp_path, generate):
    generate("--corpora", small, "--out", tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with alone(tmp_path, "dataset_generator"):
        for other in ([], ["--seed", 1], ["--engine", "device"], ["--synthetic"]):
            where = [] if other == ["--synthetic"] else ["--corpora", small]
            run = generate(*where, "--out", tmp_path, *other)
            refusal(run, "another run of dataset_generator is writing here")
            assert {
                path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()
            } == before
    assert generate("--corpora", small, "--out", tmp_path).code == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([], []),
        ([], ["--seed", "1"]),
        (["--augment", "noise:10"], ["--augment", "shift"]),
    ],
    ids=str,
)
def test_of_two_runs_at_once_one_goes_on_as_if_alone(small, tmp_path, first, second):
    for i in range(12):
        record(small / "sad" / f"ben_{i}.wav", voice(i))
    out, alone_ = tmp_path / "out", tmp_path / "alone"
    command = [sys.executable, str(SCRIPT), "--corpora", str(small), "--engine", "device"]
    runs = [
        subprocess.Popen([*command, "--out", str(out), *options], stderr=subprocess.PIPE, text=True)
        for options in (first, second)
    ]
    ends = [(run.communicate()[1], run.returncode) for run in runs]
    assert sorted(code for _, code in ends) == [0, 2]
    (refused,) = [said for said, code in ends if code == 2]
    assert (
        "another run of dataset_generator is writing here" in refused and refused.count("\n") == 1
    )
    options = first if ends[0][1] == 0 else second
    assert (
        in_a_process("--corpora", small, "--engine", "device", "--out", alone_, *options).returncode
        == 0
    )
    assert contents(out) == contents(alone_)


# ---- a clip that takes its process along ---------------------------------------------------------


FATAL = """
import os, signal, sys
a_worker = any("loky" in each for each in sys.orig_argv)
def end(event, arguments):
    if event == "open" and str(arguments[0]).endswith("fatal.wav") and a_worker:
        os.kill(os.getpid(), signal.SIG{signal})
sys.addaudithook(end)
"""


@pytest.mark.parametrize(("jobs", "signal"), [(1, "SEGV"), (2, "KILL")])
def test_a_clip_that_ends_its_process_is_left_out_by_itself_and_remembered(
    small, tmp_path, jobs, signal
):
    for i in range(8):
        record(small / "sad" / f"ben_{i}.wav", voice(i))
    shutil.copy(small / "sad" / "ben_3.wav", small / "sad" / "ben_fatal.wav")
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(FATAL.format(signal=signal))
    out = tmp_path / "out"
    run = ("--corpora", small, "--out", out, "--jobs", jobs, "--engine", "device")
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "hook")}
    ended = in_a_process(*run, env=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    said = f"it ended the process that read it (SIG{signal}); it is left out until the file changes"
    assert info(out)["left_out"] == {"sad/ben_fatal.wav": said} and said in ended.stdout
    before = contents(out)
    again = in_a_process(*run, env=environment)
    assert again.returncode == 0 and "10 of 10 are there already" in again.stdout
    assert contents(out) == before
    strict = in_a_process(*run, "--strict", env=environment)
    assert strict.returncode == 2 and strict.stderr.startswith("error: sad/ben_fatal.wav: it ended")
    record(small / "sad" / "ben_fatal.wav", voice(3, 0.7))
    cured = in_a_process(*run)
    assert cured.returncode == 0 and info(out)["left_out"] == {}


EVERY = FATAL.replace('endswith("fatal.wav")', 'endswith(".wav")')


@pytest.mark.parametrize("jobs", [1, 2])
def test_where_every_process_ends_no_clip_is_blamed_and_the_run_stops_with_the_reason(
    small, tmp_path, jobs
):
    for i in range(8):
        record(small / "sad" / f"ben_{i}.wav", voice(i))
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(EVERY.format(signal="SEGV"))
    run = ("--corpora", small, "--out", tmp_path / "out", "--jobs", jobs, "--engine", "device")
    damaged = in_a_process(*run, env=os.environ | {"PYTHONPATH": str(tmp_path / "hook")})
    assert damaged.returncode == 2 and damaged.stderr.count("\n") == 1
    assert "5 processes in a row were ended (SIGSEGV)" in damaged.stderr
    assert "virtual environment anew" in damaged.stderr
    healthy = in_a_process(*run)
    assert healthy.returncode == 0 and info(tmp_path / "out")["left_out"] == {}


# ---- a full disk --------------------------------------------------------------------------------


def limited(size):
    """For a child process: no file may grow beyond `size` bytes. The signal that says so is not fatal to
    Python, which sees the same error as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def assert_full(ended, *named):
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ") and ended.stderr.count("\n") == 1
    for name in named:
        assert str(name) in ended.stderr


def test_a_disk_that_fills_up_while_clips_are_measured_keeps_the_finished_ones(
    speech, done, tmp_path
):
    run = ("--corpora", speech, "--out", tmp_path, "--jobs", 1)
    assert_full(in_a_process(*run, preexec_fn=limited(40_000)), ".journal", "free space")
    journal = journal_of(tmp_path).read_bytes()
    assert journal.endswith(b"\n") and 35_000 < len(journal) <= 40_000
    assert names(tmp_path) == sorted([LOCK, journal_of(tmp_path).name])
    ended = in_a_process(*run)
    assert ended.returncode == 0 and f"of {CLIPS} are there already" in ended.stdout
    assert contents(tmp_path) == contents(done)


def test_a_disk_that_fills_up_while_tables_are_written_leaves_the_old_ones(speech, done, tmp_path):
    shutil.copytree(done, tmp_path, dirs_exist_ok=True)
    for name in TABLES:
        (tmp_path / name).write_text("the old one\n")
    before = contents(tmp_path)
    run = ("--corpora", speech, "--out", tmp_path, "--jobs", 1)
    size = (done / "features.csv").stat().st_size
    for limit in (1000, size // 2, size - 1):
        assert_full(in_a_process(*run, preexec_fn=limited(limit)), tmp_path, "free space")
        assert contents(tmp_path) == before
        assert len(list(tmp_path.iterdir())) == 5  # nothing half-written beside them
    assert in_a_process(*run).returncode == 0
    assert contents(tmp_path) == contents(done)


def test_a_small_real_disk_runs_full_and_the_run_goes_on_on_a_larger_one(small, tmp_path, generate):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12k", "none", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        refusal(generate("--corpora", small, "--out", disk), disk, "free space")
        assert names(disk) == sorted([LOCK, journal_of(disk).name])
        subprocess.run(["mount", "-o", "remount,size=1m", str(disk)], check=True)
        run = generate("--corpora", small, "--out", disk)
        assert run.code == 0 and "are there already" in run.out
        assert generate("--corpora", small, "--out", tmp_path / "out").code == 0
        assert contents(disk) == contents(tmp_path / "out")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# ---- the labels of a whole table ----------------------------------------------------------------


def test_clips_csv_names_the_columns_that_users_rely_on(done):
    with (done / "clips.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert header[:8] == [
        "path", "corpus", "speaker", "sex", "emotion", "sentence", "intensity", "seconds",
    ]  # fmt: skip


# ---- some corpora only --------------------------------------------------------------------------


def test_only_the_corpora_asked_for_take_part_and_the_rest_is_told(small, tmp_path, generate):
    for name in ("1001_DFA_ANG_XX", "1001_DFA_SAD_XX", "1002_DFA_SAD_XX"):
        record(small / "AudioWAV" / f"{name}.wav", voice(len(name) + int(name[3])))
    options = ("--engine", "device", "--jobs", 1, "--out", tmp_path / "out")
    run = generate("--corpora", small, "--only", "cremad", *options)
    assert run.code == 0, run.err
    assert "2 clips of other corpora left out (--only cremad)" in run.out
    assert set(table.read(tmp_path / "out" / "features.csv").clips["corpus"]) == {"cremad"}
    refusal(generate("--corpora", small, "--only", "tess", *options), small, "no clip of tess")
    run = generate("--corpora", small, "--only", "tesss", *options)
    assert run.code == 2 and run.err.startswith("error: --only tesss: no such corpus")
