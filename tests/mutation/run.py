"""A mutation run: small faults are put into a copy of the code, one by one, and the tests must notice each.

    python tests/mutation/run.py                 # SAMPLE faults of every file of PLACES, and NAMED
    python tests/mutation/run.py training/protocols.py --sample 40 --seed 1

The faults are the usual ones (DeMillo, Lipton & Sayward 1978): another number, another comparison or
operator, a condition turned round, the smallest for the largest. They are drawn at random, the same ones for
the same seed; NAMED holds those that once survived. mutmut and cosmic-ray start Python anew for every fault,
which takes longer here than the tests do; this one loads the libraries once and forks. Exit code 1: a fault
survived that is not in ACCEPTED.
"""

import argparse
import ast
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from faults import ACCEPTED, NAMED, PLACES

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = 6
SECONDS = 900  # after which a fault counts as noticed: the tests hang
LOADED = (
    "hypothesis", "joblib", "librosa", "matplotlib.pyplot", "pandas", "parselmouth", "pytest", "scipy.signal",
    "sklearn.ensemble", "sklearn.inspection", "sklearn.linear_model", "sklearn.neural_network", "soundfile",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One change of one line. start, end: places in the file's text."""

    file: str
    line: int
    start: int
    end: int
    new: str
    text: str  # the line as it becomes

    def __str__(self):
        return f"{self.file}:{self.line}: {self.text.strip()}"


COMPARED = {
    "Lt": "<=", "LtE": "<", "Gt": ">=", "GtE": ">", "Eq": "!=", "NotEq": "==", "In": "not in", "NotIn": "in",
    "Is": "is not", "IsNot": "is",
}  # fmt: skip
COMPUTED = {"Add": "-", "Sub": "+", "Mult": "/", "Div": "*", "FloorDiv": "*", "Pow": "*", "BitAnd": "|",
            "BitOr": "&"}  # fmt: skip
OPPOSITE = {"argmax": "argmin", "max": "min", "maximum": "minimum", "floor": "ceil", "any": "all",
            "intersect1d": "union1d", "mean": "sum", "sorted": "list"}  # fmt: skip
OPPOSITE |= {new: old for old, new in OPPOSITE.items() if old not in ("mean", "sorted")}


UNTESTED = ("strict", "zero_division", "jobs", "n_jobs", "total")  # keywords that change no result


def faults(source: str, file: str) -> list[Fault]:
    """All that can be made of a file, in the order of its text."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = source.splitlines()
    found = []

    def place(node, last=False):
        """Where a node begins or ends in the text; ast counts bytes."""
        line, column = (
            (node.end_lineno, node.end_col_offset) if last else (node.lineno, node.col_offset)
        )
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def add(node, new, start=None, end=None):
        start = place(node) if start is None else start
        end = place(node, last=True) if end is None else end
        line = source.count("\n", 0, start) + 1
        after = source[:start] + new + source[end:]
        try:
            ast.parse(after)
        except SyntaxError:  # an operand stands in brackets
            return
        if "\n" not in source[start:end]:
            found.append(Fault(file, line, start, end, new, after.splitlines()[line - 1]))

    def between(left, right, new):
        """The operator between two operands becomes another."""
        start, end = place(left, last=True), place(right)
        text = source[start:end]
        operator = text.strip(" ()\n")
        if operator and text.count(operator) == 1:
            at = start + text.index(operator)
            add(left, new, at, at + len(operator))

    def visit(node):
        if isinstance(node, ast.JoinedStr):
            return
        if isinstance(node, ast.keyword) and node.arg in UNTESTED:
            return
        match node:
            case ast.Constant(value=bool() as value):
                add(node, str(not value))
            case ast.Constant(value=int() | float() as value):
                add(node, repr(value + 1 if isinstance(value, int) else 2 * value or 1.0))
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                between(left, right, COMPARED[type(operator).__name__])
            case ast.BinOp(left=left, op=operator, right=right) if (
                type(operator).__name__ in COMPUTED
            ):
                if not any(isinstance(each, ast.JoinedStr) for each in (left, right)):
                    between(left, right, COMPUTED[type(operator).__name__])
            case ast.BoolOp(op=operator, values=[left, right]):
                between(left, right, "or" if isinstance(operator, ast.And) else "and")
            case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert(), operand=operand):
                add(node, "", end=place(operand))
            case ast.IfExp(test=test) | ast.If(test=test) if not isinstance(
                test, ast.Compare | ast.UnaryOp
            ):
                start, end = place(test), place(test, last=True)
                add(test, f"(not ({source[start:end]}))")
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in OPPOSITE:
                end = place(node, last=True)
                add(node, OPPOSITE[name], end - len(name), end)
        untouched = [getattr(node, name, None) for name in ("annotation", "returns")]
        untouched += getattr(node, "decorator_list", [])
        for each in ast.iter_child_nodes(node):
            if each not in untouched:
                visit(each)

    visit(ast.parse(source))
    return sorted(set(found), key=lambda fault: (fault.start, fault.new))


def named(tree: Path) -> list[Fault]:
    """The faults of NAMED; what the code no longer holds is an error, not a fault that is noticed."""
    found = []
    for name, file, old, new in NAMED:
        source = (tree / file).read_text(encoding="utf-8")
        if source.count(old) != 1:
            print(
                f"{file}: holds {source.count(old)} times {old!r} ({name}): mend tests/mutation/faults.py"
            )
            continue
        start = source.index(old)
        line = source.count("\n", 0, start) + 1
        found.append(Fault(file, line, start, start + len(old), new, f"{name}: {old} -> {new}"))
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("files", nargs="*", help="below speech_emotion/ (default: all)")
    add("--sample", type=int, default=SAMPLE, help=f"faults of each file (default: {SAMPLE})")
    add("--seed", type=int, default=0, help="of the draw (default: 0)")
    add("--tree", type=Path, default=REPOSITORY, help="another copy of the code, with its tests")
    arguments = parser.parse_args()
    drawn = []
    for file, tests in PLACES.items():
        if arguments.files and not any(file.endswith(each) for each in arguments.files):
            continue
        source = (arguments.tree / file).read_text(encoding="utf-8")
        possible = faults(source, file)
        rng = random.Random(f"{arguments.seed} {file}")
        few = sorted(
            rng.sample(possible, min(arguments.sample, len(possible))), key=lambda f: f.start
        )
        few += [fault for fault in named(arguments.tree) if fault.file == file]
        drawn += [(fault, tests) for fault in few]
        print(f"{file}: {len(few)} of {len(possible)} faults", flush=True)
    for name in LOADED:
        __import__(name)
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        leave = shutil.ignore_patterns(".git", "__pycache__", ".venv", ".hypothesis", "*.pyc")
        shutil.copytree(arguments.tree, copy, ignore=leave)
        for each in dict.fromkeys(each for _, tests in drawn for each in tests):
            if not passes(copy, each):
                sys.exit(f"without any fault: {each}: fail")
        for number, (fault, tests) in enumerate(drawn, 1):
            began = time.time()
            path = copy / fault.file
            source = path.read_text(encoding="utf-8")
            path.write_text(
                source[: fault.start] + fault.new + source[fault.end :], encoding="utf-8"
            )
            survived = all(passes(copy, each) for each in tests)
            path.write_text(source, encoding="utf-8")
            accepted = next((why for line, why in ACCEPTED.items() if line in str(fault)), None)
            if survived:
                survivors.append((fault, accepted))
            word = ("SURVIVED" if accepted is None else "accepted") if survived else "noticed"
            print(
                f"{number}/{len(drawn)} {word:8} {time.time() - began:4.0f} s  {fault}", flush=True
            )
    open_ones = [fault for fault, accepted in survivors if accepted is None]
    print(
        f"\n{len(drawn) - len(survivors)} of {len(drawn)} noticed, {len(survivors) - len(open_ones)} accepted"
    )
    for fault, accepted in survivors:
        print(f"survived  {fault}" + (f"  [{accepted}]" if accepted else ""))
    sys.exit(bool(open_ones))


def passes(copy: Path, tests: str) -> bool:
    """Whether these tests pass in the copy, in a process that has the libraries loaded already."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os.chdir(copy)
        sys.path[:] = [
            str(copy),
            str(copy / "tests"),
            *(p for p in sys.path if "mutation" not in p),
        ]
        sys.dont_write_bytecode = True
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        import pytest

        words = re.findall(r"'[^']*'|\S+", tests)
        words = [word.strip("'") for word in words]
        words = [
            w for w in words if not w.startswith("tests/") or (copy / w.partition("::")[0]).exists()
        ]
        code = 0
        if any(word.startswith("tests/") for word in words):
            quiet = ["-x", "-q", "-p", "no:cacheprovider", "-W", "ignore"]
            code = pytest.main([*quiet, *words])
        os._exit(int(code))
    deadline = time.time() + SECONDS
    while time.time() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.1)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


if __name__ == "__main__":
    main()
