"""Past one machine: a Dask scheduler and two workers in processes of their own give the bytes of a local run,
and whatever is wrong with them is one line, in bounded time, with what is finished kept."""

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import joblib
import numpy as np
import pytest
import signals
import soundfile
from conftest import REPOSITORY
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from speech_emotion import parallel
from speech_emotion.dataset.extraction import Task, short_of
from speech_emotion.errors import UserError
from speech_emotion.training import fitting
from speech_emotion.training.protocols import Fold

distributed = pytest.importorskip("distributed", reason="pip install 'speech-emotion[scheduler]'")

PATIENCE = 120  # seconds; a loaded machine starts a process in ten
TABLES = ("clips.csv", "features.csv", "features.json")


# --- a cluster -------------------------------------------------------------------------------------


@contextmanager
def process(kind, folder, *arguments, **environment):
    """A scheduler or worker, as `dask scheduler` and `dask worker` start it."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *arguments, "--no-dashboard"]
    path = os.pathsep.join(filter(None, [environment.pop("FIRST", ""), str(REPOSITORY)]))
    with (folder / f"{kind}.log").open("a") as log:
        running = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=folder,
            env=os.environ | {"PYTHONPATH": path} | environment,
        )  # fmt: skip
    try:
        yield running
    finally:
        running.kill()
        running.wait()


@contextmanager
def scheduler(folder, **environment):
    """Its address, and its process."""
    said = folder / f"scheduler-{time.monotonic_ns()}.json"
    arguments = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(said))
    with process("scheduler", folder, *arguments, **environment) as running:
        wait_for(lambda: said.exists() and said.read_text().strip().endswith("}"))
        yield json.loads(said.read_text())["address"], running


@contextmanager
def worker(folder, address, **environment):
    arguments = (address, "--nthreads", "1", "--no-nanny", "--local-directory", str(folder))
    with process("worker", folder, *arguments, **environment) as running:
        yield running


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def wait_for_workers(address, count):
    with distributed.Client(address, timeout=PATIENCE, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=PATIENCE)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a scheduler with two workers."""
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        address, _ = stack.enter_context(scheduler(folder))
        for _ in range(2):
            stack.enter_context(worker(folder, address))
        wait_for_workers(address, 2)
        yield address


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr(parallel, "PATIENCE", PATIENCE / 2)


# --- the same results ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """40 clips of two people."""
    folder = tmp_path_factory.mktemp("speech")
    for i in range(40):
        path = (
            folder / ("angry" if i % 2 else "sad") / f"{'anna' if i % 4 < 2 else 'ben'}_{i:02d}.wav"
        )
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, signals.voice(9000, period=60 + i, wobble=1, seed=i + 3), 16000)
    return folder


def generate(speech, out, *options, **popen):
    command = [sys.executable, str(REPOSITORY / "dataset_generator.py"), "--engine", "device"]
    command += ["--corpora", str(speech), "--out", str(out), *map(str, options)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen
    )


def ended(run):
    """Exit code, stdout and stderr."""
    out, err = run.communicate(timeout=PATIENCE)
    return run.returncode, out, err


def contents(out):
    return {name: (out / name).read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def done(speech, tmp_path_factory):
    """The tables of a run on this computer."""
    out = tmp_path_factory.mktemp("done")
    assert ended(generate(speech, out))[0] == 0
    return contents(out)


def test_the_tables_are_the_bytes_of_a_run_on_this_computer(cluster, speech, done, tmp_path):
    code, _, err = ended(generate(speech, tmp_path, "--scheduler", cluster))
    assert (code, err) == (0, "")
    assert contents(tmp_path) == done


def test_models_fitted_there_are_the_models_fitted_here(cluster, patient):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((3000, 100)).astype(np.float32)  # over a megabyte: sent once
    y = np.array(["angry", "sad"])[(X[:, 0] > 0).astype(int)]
    people = np.arange(3000) % 10
    rows = np.arange(3000)
    examples = fitting.Examples(X, y, people, rows, rows, np.full(3000, ""))
    recipes = {
        str(c): fitting.Recipe(
            Pipeline([("scale", StandardScaler()), ("model", LogisticRegression(C=c))]), "none", 0
        )
        for c in (0.1, 1.0)
    }
    folds = [Fold(np.flatnonzero(people >= 5), np.flatnonzero(people < 5))]
    tasks = [(name, recipe, fold) for name, recipe in recipes.items() for fold in folds]

    def results():
        found = fitting.fit_folds(tasks, examples, inside=lambda _: [], jobs=1, what="fold")
        return [(name, probabilities) for name, _, probabilities in found]

    here = results()
    with parallel.on_cluster(cluster):
        there = results()
    assert [name for name, _ in here] == [name for name, _ in there] == ["0.1", "1.0"]
    for (_, one), (_, other) in zip(here, there, strict=True):
        assert np.array_equal(one, other)


# --- what is wrong ---------------------------------------------------------------------------------


def refusal(address, ready=None):
    with pytest.raises(UserError) as caught, parallel.on_cluster(address, ready):
        pass
    message = str(caught.value)
    assert message.startswith(f"--scheduler {address}: ") and "\n" not in message
    return message


def test_an_address_without_a_cluster(patient, monkeypatch):
    monkeypatch.setattr(parallel, "PATIENCE", 4)
    assert "no Dask cluster answers" in refusal("tcp://127.0.0.1:9")
    assert "no Dask cluster answers" in refusal("nonsense")


def test_a_cluster_without_workers(tmp_path, monkeypatch):
    with scheduler(tmp_path) as (address, _):
        monkeypatch.setattr(parallel, "PATIENCE", 8)
        assert "the cluster has no workers; start some: dask worker ADDRESS" in refusal(address)


def test_a_scheduler_or_worker_without_this_package(cluster, tmp_path, patient):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['speech_emotion'] = None\n")
    with worker(tmp_path, cluster, FIRST=str(tmp_path)):
        wait_for_workers(cluster, 3)
        assert "cannot load this package" in (said := refusal(cluster)) and "the worker tcp" in said
    with (
        scheduler(tmp_path, FIRST=str(tmp_path)) as (address, _),
        worker(tmp_path, address),
    ):
        wait_for_workers(address, 1)
        assert "the scheduler cannot load this package" in refusal(address)


def test_a_worker_of_another_version(cluster, tmp_path, patient):
    shutil.copytree(REPOSITORY / "speech_emotion", tmp_path / "speech_emotion")
    with (tmp_path / "speech_emotion" / "features" / "audio.py").open("a") as source:
        source.write("# another source\n")
    with worker(tmp_path, cluster, FIRST=str(tmp_path)):
        wait_for_workers(cluster, 3)
        said = refusal(cluster)
        assert (
            "has speech-emotion " in said and "this computer" in said and "install the same" in said
        )


def test_a_worker_without_a_compiler(cluster, tmp_path, patient, speech):
    ready = joblib.delayed(short_of)("device", [Task(speech, "sad/anna_00.wav")])
    with parallel.on_cluster(cluster, ready):
        pass
    with worker(tmp_path, cluster, CC="/none/cc", SER_CACHE=str(tmp_path)):
        wait_for_workers(cluster, 3)
        assert "CC=/none/cc: no such program" in refusal(cluster, ready)


def test_a_worker_without_the_clips(cluster, tmp_path, patient):
    ready = joblib.delayed(short_of)("reference", [Task(tmp_path, "none.wav")])
    said = refusal(cluster, ready)
    assert f"does not see {tmp_path / 'none.wav'}; all need the clips under the same path" in said


def lines(out):
    return sum(max(0, each.read_bytes().count(b"\n") - 1) for each in out.glob("*.journal"))


def slow(folder):
    """What makes each clip of a worker take a while, so that there is a middle of a run."""
    (folder / "sitecustomize.py").write_text(
        "import sys, time\n"
        "def wait(event, arguments):\n"
        "    if event == 'open' and str(arguments[0]).endswith('.wav'):\n"
        "        time.sleep(0.05)\n"
        "sys.addaudithook(wait)\n"
    )
    return {"FIRST": str(folder)}


def test_a_scheduler_that_goes_away_in_mid_run(speech, done, tmp_path):
    out = tmp_path / "out"
    with scheduler(tmp_path) as (address, running), worker(tmp_path, address, **slow(tmp_path)):
        wait_for_workers(address, 1)
        run = generate(speech, out, "--scheduler", address)
        wait_for(lambda: lines(out) >= 3 or run.poll() is not None)
        running.kill()
        code, _, err = ended(run)
    assert code == 2 and err.count("\n") == 1
    assert err.startswith(f"error: --scheduler {address}: the scheduler went away")
    assert 3 <= lines(out) < 40
    code, said, _ = ended(generate(speech, out))
    assert code == 0 and "of 40 are there already" in said
    assert contents(out) == done


def test_a_worker_that_is_killed_in_mid_run_costs_nothing(speech, done, tmp_path):
    with (
        scheduler(tmp_path) as (address, _),
        worker(tmp_path, address, **slow(tmp_path)) as first,
        worker(tmp_path, address, **slow(tmp_path)),
    ):
        wait_for_workers(address, 2)
        out = tmp_path / "out"
        run = generate(speech, out, "--scheduler", address)
        wait_for(lambda: lines(out) >= 3 or run.poll() is not None)
        first.kill()
        code, _, err = ended(run)
    assert (code, err) == (0, "")
    assert contents(out) == done


def test_all_workers_killed(speech, tmp_path, monkeypatch):
    with scheduler(tmp_path) as (address, _), worker(tmp_path, address) as only:
        wait_for_workers(address, 1)
        monkeypatch.setattr(parallel, "PATIENCE", 30)
        with parallel.on_cluster(address):
            calls = (joblib.delayed(time.sleep)(0.2) for _ in range(100))
            results = parallel.spread(calls, jobs=1)
            next(results)
            monkeypatch.setattr(parallel, "PATIENCE", 3)
            only.kill()
            with pytest.raises(UserError, match="the cluster has no workers left"):
                list(results)


def test_without_dask_the_option_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError) as caught, parallel.on_cluster("tcp://x:1"):
        pass
    assert "pip install 'speech-emotion[scheduler]'" in str(caught.value)
