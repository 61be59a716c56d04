"""Honest models damaged in every way, and what became of each in a small process of its own."""

import contextlib
import hashlib
import io
import json
import math
import os
import pickle
import random
import resource
import select
import signal
import struct
import subprocess
import sys
import tempfile
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from speech_emotion import cli
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.features import schema
from speech_emotion.model import archive, persistence

LIMIT_MB = 512
LIMIT_S = 5
_COMMAND = ["-m", "speech_emotion.checks.hostile_models"]
_ENVIRONMENT = {
    "PYTHONPATH": str(Path(__file__).parents[2]),
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
}
_WALL_S = 120  # on a busy machine five seconds of computing may take long
_LONGEST = 600  # characters of a message, the path left out


# --- honest models -----------------------------------------------------------------------------------------


def honest(folder: Path) -> list[tuple[bytes, dict]]:
    """Small models of every kind, saved and read back as (bytes, JSON)."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import ExtraTreeClassifier

    from speech_emotion.model import estimators as own
    from speech_emotion.model.profile import VoiceScaler

    draw = np.random.default_rng(0)
    columns = list(schema.COLUMNS[5:17])
    rows = draw.normal(size=(60, len(columns))).astype(np.float32)
    labels = np.array(["angry", "calm", "sad"] * 20)
    snapped = [own.ClippedScaler(), own.AppendDiscriminants(), own.Int16Quantiser()]
    last = [
        (*snapped, own.SnappedRandomForest(3, random_state=0)),
        (*snapped, own.SnappedExtraTrees(2, max_leaf_nodes=8, random_state=0)),
        (own.ClippedScaler(), own.Float32Network((4, 3), max_iter=3, random_state=0)),
        (own.ClippedScaler(), own.Int8Network((4, 3), max_iter=3, random_state=0)),
        (VoiceScaler(), own.Int8Network((3,), max_iter=3, random_state=0)),
        (own.ClippedScaler(), LogisticRegression()),
        (own.ClippedScaler(), MLPClassifier((4,), max_iter=3, random_state=0)),
        (StandardScaler(), RandomForestClassifier(2, random_state=0)),
        (StandardScaler(), ExtraTreeClassifier(random_state=0)),
        (StandardScaler(), LinearDiscriminantAnalysis()),
    ]
    facts = {
        "labels": sorted(set(labels)), "columns": columns, "engine": "device", "threshold": 0.3,
        "name": "forest_small", "about": "a model", "label_set": "csv", "label_option": "csv",
        "corpora": ["tess"], "split": "speaker", "balance": "none", "seed": 42, "trained_on": 40,
        "scores": {"uar": 0.5, "weighted_f1": 0.4}, "held_out": ["tess/a.wav", "tess/b.wav"],
    }  # fmt: skip
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for steps in last:
            path = folder / "honest.joblib"
            persistence.save(make_pipeline(*steps).fit(rows, labels), path, facts)
            sidecar = persistence.info_path(path)
            found.append((path.read_bytes(), json.loads(sidecar.read_text())))
            path.unlink()
            sidecar.unlink()
    return found


# --- hostile ones ------------------------------------------------------------------------------------------


@dataclass
class Enemy:
    """Makes hostile files; everything it does follows from its random numbers."""

    models: list[tuple[bytes, dict]]
    random: random.Random

    def make(self) -> tuple[str, bytes, bytes]:
        """What was done, the bytes of a model file, and those of its JSON."""
        kind = self.random.choice(list(_KINDS))
        data, facts = self.random.choice(self.models)
        return kind, *_KINDS[kind](self, data, dict(facts))

    def vouched(self, data: bytes, facts: dict) -> tuple[bytes, bytes]:
        """The JSON says that the file is whole: nothing stands between it and what reads its numbers."""
        facts["sha256"] = hashlib.sha256(data).hexdigest()
        return data, json.dumps(facts).encode()

    # --- bytes

    def raw(self, data, facts):
        if self.random.random() < 0.4:
            return self.vouched(self.damaged(data), facts)
        members = self.members(data)  # or of a member, the zip's check sums right
        name = self.random.choice(list(members))
        members[name] = self.damaged(members[name])
        return self.vouched(self.packed(members), facts)

    def damaged(self, data: bytes) -> bytes:
        data = bytearray(data)
        for _ in range(self.random.randint(1, 4)):
            place = self.random.randrange(len(data)) if data else 0
            match self.random.randrange(6):
                case 0:
                    data[place : place + 1] = self.random.randbytes(1)
                case 1:
                    data[place : place + 4] = self.number()
                case 2:
                    del data[place : place + self.random.randint(1, 100)]
                case 3:
                    data[place:place] = self.random.randbytes(self.random.randint(1, 100))
                case 4:
                    del data[place:]
                case 5:
                    start = self.random.randrange(len(data) + 1)
                    data[place:place] = data[start : start + self.random.randint(1, 300)]
        return bytes(data)

    def number(self) -> bytes:
        """Four bytes that an index, a length or a float might be."""
        return self.random.choice([
            b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\0\0", b"\0\0\x80\x7f",
            b"\0\0\xc0\x7f", struct.pack("<f", 3e38), struct.pack("<i", self.random.randrange(-9, 99)),
        ])  # fmt: skip

    # --- the zip

    def zip(self, data, facts):
        members = self.members(data)
        stored = zipfile.ZIP_STORED
        tail, head = b"", b""
        names = list(members)
        match self.random.randrange(10):
            case 0:
                members[self.random.choice(_NAMES)] = self.random.randbytes(20)
            case 1:
                members.pop(self.random.choice(names))
            case 2:
                self.random.shuffle(names)
                members = {name: members[name] for name in names}
            case 3:
                stored = self.random.choice(
                    [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
                )
            case 4:  # a bomb: a kilobyte that becomes megabytes
                stored = zipfile.ZIP_DEFLATED
                members[self.random.choice(names)] = bytes(self.random.choice([10**6, 3 * 10**7]))
            case 5:
                members |= {f"{i}.npy": b"" for i in range(self.random.choice([100, 1000, 5000]))}
            case 6:
                tail = self.random.choice([b"\0" * 22, self.random.randbytes(200), data])
            case 7:
                head = self.random.choice([b"\0", data, self.random.randbytes(60)])
            case 8:
                members = {self.random.choice(_NAMES): each for each in members.values()}
            case 9:
                pass
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of doubled names
            made = head + self.packed(members, stored) + tail
        if self.random.random() < 0.5:  # and a field of a zip's header
            places = [i for i in range(len(made) - 50) if made[i : i + 2] == b"PK"]
            place = self.random.choice(places or [0]) + self.random.randrange(4, 46)
            size = self.random.choice([1, 2, 4])
            made = made[:place] + self.number()[:size] + made[place + size :]
        return self.vouched(made, facts)

    def members(self, data: bytes) -> dict[str, bytes]:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            return {name: opened.read(name) for name in opened.namelist()}

    def packed(self, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as made:
            for name, content in members.items():
                entry = zipfile.ZipInfo(name)
                entry.compress_type = method
                made.writestr(entry, content)
        return file.getvalue()

    # --- arrays

    def header(self, data, facts):
        """Another header before the same numbers."""
        members = self.members(data)
        name = self.random.choice([each for each in members if each.endswith(".npy")])
        content = members[name]
        body = content[10 + struct.unpack("<H", content[8:10])[0] :]
        shape = self.random.choice(_SHAPES)
        dtype = self.random.choice(_DTYPES)
        text = self.random.choice([
            f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}",
            f"{{'descr': '<f4', 'fortran_order': {self.random.choice(['True', '1', 'None'])}, "
            f"'shape': {shape}, }}",
            f"{{'descr': {dtype}, 'fortran_order': False, 'shape': (3,), }}",
            self.random.choice(_EXPRESSIONS),
        ])  # fmt: skip
        if self.random.random() < 0.5:
            text += " " * (-(10 + len(text) + 1) % 16) + "\n"
        version = self.random.choice([b"\x01\x00"] * 3 + [b"\x02\x00", b"\x03\x00", b"\x09\x00"])
        length = self.random.choice([len(text)] * 5 + [0, 65535, len(text) + 1])
        size = struct.pack("<H", length % 65536)
        members[name] = b"\x93NUMPY" + version + size + text.encode() + body
        return self.vouched(self.packed(members), facts)

    def numbers(self, data, facts):
        """Another number, or other arrays, under honest headers."""
        document, arrays = archive.read(data)
        for _ in range(self.random.randint(1, 3)):
            name = self.random.choice(list(arrays))
            array = arrays[name]
            wild = [
                math.nan,
                math.inf,
                -math.inf,
                3e38,
                -3e38,
                1e30,
                1e-44,
                -1,
                0,
                2**31 - 1,
                -(2**31),
            ]
            match self.random.randrange(6):
                case 0 | 1:
                    place = self.random.randrange(max(1, array.size))
                    with np.errstate(all="ignore"), warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        value = np.array(self.random.choice(wild)).astype(array.dtype)
                    if array.size:
                        array.ravel(order="K")[place] = value
                case 2:
                    if array.dtype.kind == "i" and array.size:
                        array[...] = self.random.randrange(-3, 60)
                case 3:
                    arrays[name] = arrays[self.random.choice(list(arrays))]
                case 4:
                    arrays[name] = array[: self.random.randrange(len(array) + 1)]
                case 5:
                    with np.errstate(invalid="ignore"):
                        arrays[name] = array.astype(
                            self.random.choice(["i1", "u1", "<i2", "<i4", "<f4", "<f8"])
                        )
        return self.vouched(archive.write(document, arrays), facts)

    # --- the JSON

    def document(self, data, facts):
        members = self.members(data)
        members[archive.DOCUMENT] = self.told(json.loads(members[archive.DOCUMENT]))
        return self.vouched(self.packed(members), facts)

    def facts(self, data, facts):
        return data, self.told(facts)

    def told(self, value) -> bytes:
        """A JSON with a part of it changed, or its text."""
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            value = self.changed(value, deeper=0.98)
        text = json.dumps(value).encode()
        for mark, part in _RAW.items():
            text = text.replace(json.dumps(mark).encode(), part)
        if self.random.random() < 0.1:
            text = self.damaged(text)
        if self.random.random() < 0.05:
            text = self.random.choice([
                b"", b"[" * 10**6, b'{"a":' * 10**5, b"\xef\xbb\xbf" + text, b"[" + b"0," * 10**6 + b"0]",
                json.dumps(value).encode("utf-16"), b'{"sha256":"' + b"a" * (1 << 20) + b'"}', b"9" * 10**5,
            ])  # fmt: skip
        return text

    def changed(self, value, deeper=0.7):
        if isinstance(value, dict) and value and self.random.random() < deeper:
            key = self.random.choice(list(value))
            match self.random.randrange(12):
                case 0:
                    return {k: v for k, v in value.items() if k != key}
                case 1:
                    return value | {self.random.choice(_NAMES): self.random.choice(_VALUES)}
                case 2:
                    return {
                        self.random.choice(_NAMES) if k == key else k: v for k, v in value.items()
                    }
                case _:
                    return value | {key: self.changed(value[key])}
        if isinstance(value, list) and value and self.random.random() < deeper:
            place = self.random.randrange(len(value))
            match self.random.randrange(4):
                case 0:
                    return value * self.random.choice([0, 2, 300])
                case 1:
                    return value[:place] + value[place + 1 :]
                case _:
                    return [*value[:place], self.changed(value[place]), *value[place + 1 :]]
        return self.random.choice(_VALUES)

    # --- pickles

    def pickle(self, data, facts):
        made = self.random.choice(_PICKLES)
        match self.random.randrange(4):
            case 0:
                made = self.damaged(made)
            case 1:
                made = zlib.compress(made)
            case 2:  # where a member would be
                members = self.members(data)
                members[self.random.choice(list(members))] = made
                made = self.packed(members)
        return self.vouched(made, facts)


_KINDS: dict[str, Callable] = {
    kind.__name__: kind
    for kind in (
        Enemy.raw, Enemy.zip, Enemy.header, Enemy.numbers, Enemy.document, Enemy.facts, Enemy.pickle,
    )
}  # fmt: skip
_NAMES = [
    "../../evil.npy", "/etc/passwd", "model.json", "0.mean_.npy", "0.weights8_.0.npy", "a" * 60000, "",
    "\n", "C:\\x", "evil.npy/", "9999999.npy", "__class__", "\x1b[2J", "é.npy", "sha256", "labels",
]  # fmt: skip
_SHAPES = [
    "(1000000000,)", "(4294967296, 4294967296)", "(-1,)", "()", "(0,)", "(0, 0)", "(3, 4)", "(12,)",
    "(99999999999999999999,)", "(1, 1, 1, 1, 1)", "(True,)", "[3]", "3", "('a',)", "(" * 90 + ")" * 90,
]  # fmt: skip
_DTYPES = [
    "'|O'", "'O'", "'<f4'", "'>f4'", "'<f8'", "'|V100'", "'<U1000000'", "'<M8[ns]'", "'|S0'", "'<c16'",
    "[('a', '|O')]", "'<f4,<f4'", "'|u1'", "'<i8'", "'<f2'", "'\\x3cf4'",
]  # fmt: skip
_EXPRESSIONS = [
    "__import__('os').system('touch evil')", "{" * 200, "-" * 250, "9" * 250, "{'descr': '<f4'}", "",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'extra': 1}", "[" * 100 + "]" * 100,
]  # fmt: skip
_RAW = {
    "\0nan": b"NaN", "\0inf": b"Infinity", "\0huge": b"1e999", "\0long": b"7" * 6000,
    "\0lone": b'"\\ud800"', "\0deep": b"[" * 500 + b"]" * 500, "\0deeper": b"[" * 10**5 + b"]" * 10**5,
    "\0twice": b'{"a": 1, "a": 2}', "\0zero": b"-0.0", "\0small": b"1e-320",
}  # fmt: skip
_VALUES: list = [
    *_RAW, None, True, False, 0, 1, -1, 5, 2**31, 2**63, -(2**70), 0.5, 1.5, -0.1, 1e308, 1e-308, "", "x",
    "a" * 10**5, "sad", "angry\nldflags=-evil", "\x1b]0;evil\x07", "../../evil", "{0.__class__}", "%s%n",
    "os.system", "snapped-random-forest/1", "clipped-scaler/2", "int8-network/1", "logistic-regression/1",
    "speech_emotion.model.estimators.ClippedScaler", "1.9.1", "9.9", "relu", "tanh", "memory", "a__b",
    [], {}, [[]], [None], ["sad"], [1, 2, 3], ["x"] * 5000, {"a": {"b": {"c": []}}}, {"x" * 5000: 1},
    {"step": "x", "part": "tree/1", "settings": {}}, ["高兴", "\u202e", "\0"], {"limit": -1},
]  # fmt: skip


class _Call:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


def _nested(depth):
    """The opcodes of a tuple that holds another twice, `depth` times over, as a dictionary's key: its hash
    takes 2^depth steps."""
    return b"\x80\x04}" + b")" + b"".join(b"2\x86" for _ in range(depth)) + b"K\x01s."


_PICKLES = [
    pickle.dumps(_Call(os.system, "touch evil")),
    pickle.dumps(_Call(eval, "open('evil', 'w')"), protocol=0),
    pickle.dumps(_Call(exec, "open('evil', 'w')"), protocol=2),
    pickle.dumps([np.arange(3), {"a": (1, 2)}]),
    b"\x80\x04cposix\nsystem\n\x8c\ntouch evil\x85R.",
    _nested(40),
    b"\x80\x04\x8e" + struct.pack("<Q", 1_800_000_000) + b".",  # BINBYTES8
    b"\x80\x05\x96" + struct.pack("<Q", 2**62) + b".",  # BYTEARRAY8
    b"\x80\x04r" + struct.pack("<I", 2**31 - 1) + b"N.",  # LONG_BINPUT: memo of 2^31
    b"\x80\x04\x8b" + struct.pack("<I", 2**31 - 1) + b".",  # LONG4
    b"\x80\x04" + b"]" * 10**5 + b"a" * (10**5 - 1) + b".",
    b"\x80\x04\x95" + struct.pack("<Q", 2**60),  # FRAME
    pickle.dumps(
        _Call(np.empty(0).__reduce__()[0], np.ndarray, (10**6,), b"O")  # read past its end
    ),
]


# --- the small process -------------------------------------------------------------------------------------

_FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "os.remove", "os.rename", "os.mkdir",
    "os.chmod", "os.truncate", "os.putenv", "subprocess.", "pickle.", "socket.", "ctypes.", "shutil.",
    "exec", "compile", "import", "marshal.", "code.", "webbrowser.", "tempfile.", "pty.", "signal.",
)  # fmt: skip


def worker() -> None:
    """Opens the files that standard input names, within bounds; says of each, in JSON, what became of it."""
    from speech_emotion.codegen import library, pipeline, source

    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_MB << 20,) * 2)
    warnings.simplefilter("ignore")
    events, listening = [], False

    def heard(event, arguments):
        if not listening:
            return
        writes = (
            event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        )
        if writes or event.startswith(_FORBIDDEN):
            events.append(f"{event} {str(arguments)[:100]}")

    sys.addaudithook(heard)
    "".encode("unicode_escape")  # Python imports a codec when it is first used
    rows = np.random.default_rng(1).normal(size=(20, len(schema.COLUMNS))).astype(np.float32)

    def used(path):
        model = persistence.load(path)
        model.probabilities(rows)
        with contextlib.suppress(UserError):  # not every model can be exported
            plan = pipeline.plan(model.pipeline, model.info)
            written = source.write(plan, name=model.info.get("name", ""), threshold=model.threshold)
            library.contents(plan, written, name="Voice", sizes="", facts=model.info)

    for line in sys.stdin:
        path, kind = json.loads(line)
        events.clear()
        # honest ones, at first, may import and compile what is used for the first time
        listening = kind != "honest"
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)  # of computing; its signal ends the process
        try:
            used(path)
            answer = {"opened": True}
        except UserError as error:
            answer = {"refused": str(error)}
        except BaseException as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            answer = {"trace": f"{type(error).__name__} in {place}: {str(error)[:200]}"}
        signal.setitimer(signal.ITIMER_PROF, 0)
        listening = False
        print(json.dumps(answer | {"events": events}), flush=True)


@dataclass
class Tally:
    """What became of the files, by what was done to them; a failure's seed and number make it anew."""

    refused: Counter = field(default_factory=Counter)
    opened: Counter = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def text(self) -> str:
        kinds = sorted(self.refused | self.opened)
        lines = [
            f"{kind:9} {self.refused[kind]:6} refused {self.opened[kind]:6} opened"
            for kind in kinds
        ]
        return "\n".join([*lines, f"{len(self.failures)} failures"])


class _Process:
    """The worker, started again when it has died."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None

    def ask(self, path: Path, kind: str) -> dict:
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, *_COMMAND], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=os.environ | _ENVIRONMENT, cwd=self.folder,
            )  # fmt: skip
            if kind != "honest":
                for each in sorted(self.folder.glob("honest*.joblib")):
                    self.ask(each, "honest")
        commands, answers = self.process.stdin, self.process.stdout
        assert commands and answers
        commands.write(json.dumps([str(path), kind]) + "\n")
        commands.flush()
        if select.select([answers], [], [], _WALL_S)[0] and (line := answers.readline()):
            return json.loads(line)
        self.process.kill()
        code = self.process.wait()
        self.process = None
        return {
            "died": "hung" if code in (-signal.SIGPROF, -signal.SIGKILL) else f"exit code {code}"
        }

    def close(self):
        if self.process is not None:
            self.process.communicate()


def run_against(count: int, seed: int, folder: Path, bar: Callable = iter) -> Tally:
    """`count` hostile files, made in `folder` and opened by a worker. The same seed makes the same files."""
    models, tally, process = honest(folder), Tally(), _Process(folder)
    try:
        for i, (data, facts) in enumerate(models):
            path = folder / f"honest{i}.joblib"
            path.write_bytes(data)
            persistence.info_path(path).write_text(json.dumps(facts))
            answer = process.ask(path, "honest")
            if "opened" not in answer:
                tally.failures.append(f"honest model {i}: {answer}")
        for number in bar(range(count)):
            enemy = Enemy(models, random.Random(f"{seed} {number}"))
            kind, data, sidecar = enemy.make()
            path = folder / "model.joblib"
            path.write_bytes(data)
            persistence.info_path(path).write_bytes(sidecar)
            answer = process.ask(path, kind)
            problem = _problem(answer, path)
            if problem:
                tally.failures.append(f"{kind}, seed {seed}, number {number}: {problem}")
            elif "opened" in answer:
                tally.opened[kind] += 1
            else:
                tally.refused[kind] += 1
            strange = {each.name for each in folder.iterdir()} - {"model.joblib", "model.json"}
            for name in sorted(name for name in strange if not name.startswith("honest")):
                tally.failures.append(f"{kind}, seed {seed}, number {number}: wrote {name}")
                (folder / name).unlink()
    finally:
        process.close()
    return tally


def _problem(answer, path):
    if answer.get("events"):
        return f"did {answer['events'][0]}"
    if "died" in answer or "trace" in answer:
        return answer.get("died") or answer["trace"]
    message = answer.get("refused")
    if message is None:
        return None
    if not message.isprintable():
        return f"more than one line: {message[:200]!r}"
    if len(message) > _LONGEST + 2 * len(str(path)):
        return f"a message of {len(message)} characters"
    if not message.startswith((str(path), str(persistence.info_path(path)), "the model's answers")):
        return f"names no file: {message[:200]}"
    return None


def measured(count: int, seed: int) -> None:
    """Opens so many files, and prints what came of them.

    Raises CheckFailed where one did harm.
    """
    with tempfile.TemporaryDirectory() as folder:
        bar = lambda numbers: cli.progress(numbers, what="open", unit="file")  # noqa: E731
        tally = run_against(count, seed, Path(folder), bar)
    print(tally.text())
    if tally.failures:
        for failure in tally.failures[:20]:
            print(failure)
        raise CheckFailed(f"{len(tally.failures)} of {count} hostile files")
    print(
        f"{count} hostile files, {LIMIT_MB} MB and {LIMIT_S} s each: no crash, no hang, no stack "
        "trace, nothing run"
    )


if __name__ == "__main__":  # one of the small processes
    worker()
