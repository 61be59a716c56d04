"""Many calls on all cores, or on the workers of a Dask cluster; a process's death takes along one call.

    for result in spread((joblib.delayed(square)(i) for i in range(10)), jobs=-1): ...

The functions are named ones of this package. Where they run makes no difference to what they return.
"""

import atexit
import faulthandler
import hashlib
import importlib.metadata
import io
import itertools
import pickle
import platform
import queue
import re
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from speech_emotion.errors import UserError

Call = tuple[Callable, tuple, dict]
"""What joblib.delayed makes."""

PATIENCE = 30
"""Seconds that a cluster may take to answer a question, or to be without a worker."""
LARGE = 1 << 20  # bytes of an array that every worker is sent once
AT_ONCE = 4  # calls in flight, for each thread of the cluster
DEATHS = 5
"""So many calls in a row that end their processes are not to blame: what they have in common is."""

_HUSHED = "ignore:resource_tracker:UserWarning"

_cluster: "_Cluster | None" = None


def spread(
    calls: Iterable[Call],
    *,
    jobs: int,
    ordered: bool = True,
    on_death: Callable[[Call, str], Any] | None = None,
) -> Iterator[Any]:
    """The results of calls, which are made while they are asked for.

    jobs: processes, -1 for one per core; within `on_cluster` its workers instead. ordered: in the order of
    the calls, else as they come. on_death: the result of a call that ended its process, by a crash or for
    want of memory, made of the call and the end in words; without it UserError. Such a call is made once
    more, by itself, before it is blamed. UserError where DEATHS of them do so in a row, and then none is.
    """
    numbered = enumerate(calls)
    if _cluster is not None:
        found = _cluster.results(numbered)
    elif jobs == 1 and on_death is None:
        found = ((i, _call(call)) for i, call in numbered)
    else:
        found = _local(numbered, jobs)
    results = (
        (i, _blame(result, on_death)) if isinstance(result, _Dead) else (i, result)
        for i, result in _some_deaths(found)
    )
    return _in_order(results) if ordered else (result for _, result in results)


class _Dead:
    """In a result's place: the call that was made, and the end of it."""

    def __init__(self, call: Call, why: str):
        self.call, self.why = call, why


def _some_deaths(found):
    """The same (number, result), those of deaths once something after them went well, or nothing is left: a
    damaged library ends every process, and would be blamed on each clip."""
    dead: list[tuple[int, _Dead]] = []
    for i, result in found:
        if not isinstance(result, _Dead):
            yield from dead
            dead.clear()
            yield i, result
            continue
        dead.append((i, result))
        if len(dead) == DEATHS:
            raise UserError(
                f"{DEATHS} processes in a row were ended ({result.why}), whatever they worked on: a library "
                "here may be damaged (make the virtual environment anew), or memory short (fewer --jobs); "
                "what is finished is kept"
            )
    yield from dead


def _blame(dead, on_death):
    if on_death is not None:
        return on_death(dead.call, dead.why)
    raise UserError(
        f"a process was ended from outside ({dead.why}), perhaps for want of memory; try fewer --jobs: "
        "what is finished is kept"
    )


def _in_order(results):
    waiting, following = {}, 0
    for i, result in results:
        waiting[i] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def _call(call):
    function, args, kwargs = call
    return function(*args, **kwargs)


def _in_worker(call):
    faulthandler.disable()  # loky's: a crash is told in one line, and not by pages of its stack
    return _call(call)


# --- this computer -------------------------------------------------------------------------------


def _local(numbered, jobs):
    """(number, result) of each, as they come, on processes of this computer."""
    import joblib
    from joblib.externals.loky.process_executor import BrokenProcessPool

    if joblib.effective_n_jobs(jobs) == 1:
        yield from _one_at_a_time(numbered)
        return
    _hush()
    begun: dict[int, Call] = {}

    def taken():
        for i, call in numbered:
            begun[i] = call
            yield joblib.delayed(_numbered)(i, call)

    while True:
        # orphans of a killed run give their memory back soon
        pool = joblib.Parallel(
            n_jobs=jobs, backend="loky", return_as="generator_unordered", idle_worker_timeout=10
        )
        with _uninterrupted():
            results = pool(taken())
        try:
            for i, result in results:
                del begun[i]
                yield i, result
            return
        except BrokenProcessPool:
            # one of those that were under way did it, or somebody from outside
            suspects = sorted(begun.items())
            begun.clear()
        yield from _one_at_a_time(suspects)


def _numbered(i, call):
    return i, _in_worker(call)


def _one_at_a_time(numbered):
    """In one process, begun anew where it ends: then it is plain which call ended it."""
    from joblib.externals.loky.process_executor import BrokenProcessPool

    numbered, blamed = iter(numbered), None
    queued: deque[tuple[int, Call]] = deque()
    futures: deque = deque()
    try:
        while True:
            # a few are handed over while the first is made: they are made one after the other
            queued.extend(itertools.islice(numbered, 4 - len(queued)))
            if not queued:
                return
            with _uninterrupted():
                executor = _one_process()
                for _, call in list(queued)[len(futures) :]:
                    futures.append(executor.submit(_in_worker, call))
            i, call = queued[0]
            try:
                result = futures.popleft().result()
            except BrokenProcessPool as end:
                futures.clear()
                _one_process.cache_clear()
                if blamed != i:  # once more: it may have been ended from outside
                    blamed = i
                    continue
                result = _Dead(call, _signal(end))
            queued.popleft()
            yield i, result
    finally:
        if futures:  # nobody wants them any more
            _one_process().shutdown(kill_workers=True)
            _one_process.cache_clear()


@cache
def _one_process():
    """An executor of one process, which gives its memory back after a while, and is begun again."""
    from joblib.externals.loky import ProcessPoolExecutor

    _hush()
    executor = ProcessPoolExecutor(max_workers=1, timeout=10)
    atexit.register(executor.shutdown, kill_workers=True)
    return executor


def _hush():
    """A process of loky's clears away what the others leave, and warns, after our own last word, of what it
    does not find. It takes over which warnings are shown when it starts."""
    if _HUSHED not in sys.warnoptions:
        sys.warnoptions.append(_HUSHED)


def _signal(end):
    found = re.search(r"SIG[A-Z]+|EXIT\(\d+\)", str(end))
    return found[0] if found else "it is gone"


@contextmanager
def _uninterrupted():
    """Ctrl-C does nothing, for ever in processes started here: to end them is this one's business."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# --- a cluster -----------------------------------------------------------------------------------


@contextmanager
def on_cluster(
    address: str | None, ready: Call | None = None, *, option: str = "--scheduler"
) -> Iterator[None]:
    """Within it `spread` uses the workers of the Dask cluster at `address`; None: this computer.

    ready: a call that says in words what a worker is short of, or nothing; made on each before anything else.
    Raises UserError, in one line and within PATIENCE, for what is no cluster, has no worker, or runs other
    versions of this package, its libraries or Python than this process.
    """
    global _cluster
    if address is None:
        yield
        return
    try:
        import distributed
    except ImportError:
        raise UserError(f"{option} needs Dask: pip install 'speech-emotion[scheduler]'") from None
    name = f"{option} {address}"
    with _quiet():
        try:
            client = distributed.Client(address, timeout=PATIENCE / 2, set_as_default=False)
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            raise UserError(f"{name}: no Dask cluster answers ({_first_line(error)})") from None
        try:
            _cluster = _Cluster(client, name)
            _cluster.check(ready)
            yield
        finally:
            _cluster = None
            client.close(timeout=2)


@contextmanager
def _quiet():
    """Without Dask's own words, which come in pages."""
    import logging

    names = ("distributed", "tornado", "asyncio", *logging.root.manager.loggerDict)
    loggers = [logging.getLogger(each) for each in names if each.split(".")[0] in names[:3]]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="distributed")
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


class _Cluster:
    def __init__(self, client, name):
        self._client, self._name = client, name

    # --- before anything is done

    def check(self, ready: Call | None) -> None:
        from distributed import TimeoutError as NoAnswer

        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except (TimeoutError, NoAnswer):
            raise self._error(
                "the cluster has no workers; start some: dask worker ADDRESS"
            ) from None
        mine = identity()
        # by built-in functions only: what this package is not on, it cannot be asked by its own
        question = "__import__('importlib').import_module('speech_emotion.parallel').identity()"
        answers = {
            "the scheduler": self._ask(self._client.run_on_scheduler, eval, question),
            **self._ask(self._client.run, eval, question, on_error="return"),
        }
        for who, theirs in answers.items():
            if isinstance(theirs, Exception):
                raise self._error(
                    f"{_who(who)} cannot load this package ({_first_line(theirs)}); install it there, and "
                    "start it from there"
                )
            for what, value in mine.items():
                if theirs.get(what) != value:
                    raise self._error(
                        f"{_who(who)} has {what} {theirs.get(what)}, this computer {value}; install the same"
                    )
        if ready is not None:
            function, args, kwargs = ready
            for who, short in self._ask(
                self._client.run, function, *args, **kwargs, on_error="return"
            ).items():
                if short:
                    told = _first_line(short) if isinstance(short, Exception) else short
                    raise self._error(f"{_who(who)}: {told}")

    def _ask(self, ask, *args, **kwargs):
        """A question's answer, or the error that it ended in; UserError where none comes in time."""
        answer: queue.Queue = queue.Queue()

        def run():
            try:
                answer.put(ask(*args, **kwargs))
            except BaseException as error:
                answer.put(error)

        threading.Thread(target=run, daemon=True).start()
        try:
            return answer.get(timeout=PATIENCE)
        except queue.Empty:
            raise self._error(f"no answer within {PATIENCE} s") from None

    def _error(self, what):
        return UserError(f"{self._name}: {what}")

    # --- the calls

    def results(self, numbered):
        """(number, result) of each, as they come."""
        done: queue.Queue = queue.Queue()
        running: dict[Any, tuple[int, Call]] = {}
        self._sent: dict[int, tuple[Any, str, Any]] = {}
        numbered = iter(numbered)
        suspects = []
        try:
            while True:
                room = AT_ONCE * max(1, self._threads()) - len(running)
                for i, call in itertools.islice(numbered, max(0, room)):
                    payload, arrays = self._packed(call)
                    future = self._client.submit(_unpacked_call, payload, arrays, pure=False)
                    running[future] = (i, call)
                    future.add_done_callback(done.put)
                if not running:
                    break
                future = self._next(done)
                i, call = running[future]
                if _was_killed(future):
                    suspects.append((i, call))
                elif future.status == "error":
                    error = self._ask(future.exception, 5)
                    raise error if isinstance(error, UserError) else self._failure(error)
                elif self._client.status != "running" or future.status == "cancelled":
                    raise self._gone()
                else:
                    result = self._ask(future.result, 5)
                    if isinstance(result, BaseException):
                        # the worker that had it died; it is made again elsewhere
                        future.add_done_callback(done.put)
                        continue
                    yield i, pickle.loads(result)
                del running[future]
        finally:
            self._sent.clear()
            if self._client.status == "running":
                self._client.cancel(list(running), force=True)
        # a worker that dies takes along what it had taken on: who did it shows here
        yield from _one_at_a_time(suspects)

    def _next(self, done):
        """The next future that is done; UserError where the cluster is."""
        alone_since = None
        while True:
            try:
                return done.get(timeout=1)
            except queue.Empty:
                pass
            if self._client.status != "running":
                raise self._gone()
            if self._threads():
                alone_since = None
            elif alone_since is None:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > PATIENCE:
                raise self._error("the cluster has no workers left; what is finished is kept")

    def _threads(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except Exception:  # of whatever kind, while it loses the scheduler
            return 0

    def _gone(self):
        return self._error("the scheduler went away; what is finished is kept: run again")

    def _failure(self, error):
        return self._error(f"a worker failed: {_first_line(error)}; what is finished is kept")

    def _packed(self, call):
        """A call as bytes, and its large arrays, which every worker is sent once."""
        content = io.BytesIO()
        arrays: dict[str, Any] = {}
        pickler = _Packer(content, self._send, arrays)
        pickler.dump(call)
        return content.getvalue(), arrays

    def _send(self, array):
        """An array's name and its future."""
        if id(array) not in self._sent:
            future = self._client.scatter(array, broadcast=True, hash=False)
            # the array itself, too: what is still there keeps its id
            self._sent[id(array)] = (array, future.key, future)
        return self._sent[id(array)][1:]


class _Packer(pickle.Pickler):
    """Leaves large arrays out: they have a name instead, and are noted in `arrays`."""

    def __init__(self, file, send, arrays):
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._send, self._arrays = send, arrays

    def persistent_id(self, thing):
        import numpy as np

        if not (isinstance(thing, np.ndarray) and thing.dtype != object and thing.nbytes >= LARGE):
            return None
        name, future = self._send(thing)
        self._arrays[name] = future
        return name


class _Unpacker(pickle.Unpickler):
    def __init__(self, file, arrays):
        super().__init__(file)
        self._arrays = arrays

    def persistent_load(self, name):
        return self._arrays[name]


def _unpacked_call(payload: bytes, arrays: dict) -> bytes:
    """What a worker does. The bytes are nothing to the scheduler, which unpacks whatever else it can."""
    return pickle.dumps(_call(_Unpacker(io.BytesIO(payload), arrays).load()))


def _was_killed(future) -> bool:
    from distributed import KilledWorker

    # the error is at hand: no question to the scheduler
    return future.status == "error" and isinstance(future.exception(timeout=5), KilledWorker)


def _who(address: str) -> str:
    return address if address == "the scheduler" else f"the worker {address}"


def _first_line(error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@cache
def identity() -> dict[str, str]:
    """What must be the same on every computer that takes part, for its results to be the same bytes."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    libraries = (
        "numpy",
        "scipy",
        "librosa",
        "praat-parselmouth",
        "soundfile",
        "soxr",
        "av",
        "scikit-learn",
    )
    return {
        "speech-emotion": f"{_version()} ({digest.hexdigest()[:12]})",
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: importlib.metadata.version(name) for name in libraries},
    }


def _version() -> str:
    from speech_emotion import __version__

    return __version__
