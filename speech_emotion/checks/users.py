"""Four users, acted from a clean clone: how long each takes from nothing to what they came for.

The maker has 60 files of three people from seven kinds of phones, three labels (one with a space, one with an
umlaut) and a recording of 20 minutes, and wants a library and a page. The student writes a report, the
researcher scores an estimator of their own, the visitor opens the page. All voices are synthetic: times and
losses mean something here, scores do not. Exit code 1 where something was dropped in silence, or took too
long.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from speech_emotion import cli
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.training.candidates import SHIPPED

PEOPLE = ("anna", "ben", "cleo")
LABELS = {"happy": "happy", "angry": "very angry", "sad": "müde"}
"""Of the synthetic voices, and what the maker calls them."""
KINDS = {
    "wav": ("wav", "pcm_s16le", 44100), "m4a": ("ipod", "aac", 44100), "mp3": ("mp3", "libmp3lame", 44100),
    "webm": ("webm", "libopus", 48000), "3gp": ("3gp", "libopencore_amrnb", 8000),
    "opus": ("ogg", "libopus", 48000), "caf": ("caf", "pcm_s16le", 48000),
}  # fmt: skip
"""Ending: container, codec, Hz."""
MOST_MINUTES = 10
"""From recordings to library and page, on two cores."""


@dataclass
class Acted:
    """A user's steps: what, seconds. wrong: what should not have happened."""

    name: str
    steps: list[tuple[str, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return sum(seconds for _, seconds in self.steps)

    def expect(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)


class Desk:
    """A clone and a folder to work in."""

    def __init__(self, folder: Path, clone: Path, *, quick: bool):
        self.folder, self.clone, self.quick = folder, clone, quick

    def run(self, user: Acted, *command: str | Path) -> str:
        """A command from the clone, its wall time kept; returns what it said. CheckFailed where it fails."""
        words = [str(word) for word in command]
        env = {**os.environ, "PYTHONPATH": str(self.clone)}
        begun, worked = time.monotonic(), _worked()
        done = subprocess.run(
            [sys.executable, *words], cwd=self.clone, env=env, capture_output=True, text=True
        )
        took = time.monotonic() - begun
        shown = " ".join(words[:2]) if words[0] == "-m" else words[0]
        user.steps.append((shown, took))
        print(f"  {took:7.1f} s, {_worked() - worked:7.1f} s of processors  {shown}", flush=True)
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise CheckFailed(
                f"{user.name}: {shown} ended with {done.returncode}: {' '.join(last)}"
            )
        return done.stdout


def _worked() -> float:
    """Seconds of processors that all steps so far took: on a busy machine, wall time says less."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def encode(path: Path, samples: Any, rate: int) -> None:
    """Write a sound as a phone would, by the ending of its name. samples: int16 (n,)."""
    import av
    import numpy as np
    import soxr

    container, codec, wanted = KINDS[path.suffix[1:]]
    sound = soxr.resample(samples.astype(np.float32), rate, wanted)
    whole = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=wanted)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(whole[None], format="s16", layout="mono")
        frame.sample_rate = wanted
        resampler = av.AudioResampler(stream.format.name, "mono", wanted, stream.frame_size or None)
        for each in (*resampler.resample(frame), *resampler.resample(None)):
            file.mux(stream.encode(each))
        file.mux(stream.encode(None))


def phone_files(folder: Path, *, quick: bool) -> int:
    """The maker's recordings below `folder`; returns how many files they are."""
    import numpy as np
    import soundfile

    from speech_emotion.corpora import synthetic

    sentences = 3 if quick else 7
    with tempfile.TemporaryDirectory() as scratch:
        clips = synthetic.write(Path(scratch), speakers=len(PEOPLE), sentences=sentences)
        voices = sorted({clip.speaker for clip in clips})
        by: dict[tuple[str, str], list] = {}
        for clip in clips:
            if clip.emotion in LABELS:
                who = PEOPLE[voices.index(clip.speaker)]
                by.setdefault((LABELS[clip.emotion], who), []).append(
                    soundfile.read(clip.path, dtype="int16")[0]
                )
    kinds = list(KINDS)
    count = 0
    for i in range(sentences):
        for (label, who), sounds in sorted(by.items()):
            if count < 60:
                encode(
                    folder / label / f"{who}_{i + 1:02d}.{kinds[count % len(kinds)]}",
                    sounds[i],
                    16000,
                )
                count += 1
    room = np.random.default_rng(0).normal(0, 8, 16000).round().astype(np.int16)
    parts, seconds, i = [room], 0.0, 0
    while seconds < (60 if quick else 1200):
        sound = by["happy", PEOPLE[1]][i % sentences]
        parts += [sound, room]
        seconds += len(sound) / 16000 + 1
        i += 1
    encode(folder / "happy" / f"{PEOPLE[1]}_long.m4a", np.concatenate(parts), 16000)
    return count + 1


def maker(desk: Desk) -> Acted:
    """Recordings -> library and page."""
    user, work = Acted("maker"), desk.folder / "maker"
    files = phone_files(work / "own", quick=desk.quick)
    more = [] if desk.quick else ["--augment"]
    said = desk.run(
        user, "dataset_generator.py", "--corpora", work / "own", "--split", "--engine", "device",
        "--out", work / "dataset", *more,
    )  # fmt: skip
    model = "mlp_32" if desk.quick else SHIPPED
    told = desk.run(
        user, "train.py", work / "dataset/features.csv", "--models", model, "--fit", "all",
        "--out", work / "models", "--reports", work / "reports",
    )  # fmt: skip
    web: list[str | Path] = (
        [] if desk.quick and not _can_compile_pages() else ["--web", work / "web"]
    )
    desk.run(
        user, "-m", "codegen", work / "models/model.joblib", "--out", work / "Emotion",
        "--features", work / "dataset/features.csv", "--corpora", work / "own", *web,
    )  # fmt: skip
    import csv

    with (work / "dataset/clips.csv").open(encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if not row["augmentation"]]
    info = json.loads((work / "dataset/features.json").read_text(encoding="utf-8"))
    there = {row["recording"] or row["path"] for row in rows}
    gone = set(info["left_out"]) | set(info["ignored"])
    user.expect(len(there | gone) == files, f"{files} files, {len(there | gone)} accounted for")
    for name in gone:
        user.expect(name in said, f"{name} was dropped, and the screen does not say so")
    user.expect({row["speaker"] for row in rows} == set(PEOPLE), "not every speaker was kept")
    user.expect(
        {row["emotion"] for row in rows} == set(LABELS.values()), "not every label was kept"
    )
    sentences = sum(row["recording"] != "" for row in rows)
    user.expect(
        sentences > (5 if desk.quick else 200), f"{sentences} sentences in the long recording"
    )
    user.expect("(95 %: " in told, "a score without its interval")
    user.expect((work / "Emotion.zip").is_file(), "no library")
    user.expect(not web or (work / "web/index.html").is_file(), "no page")
    user.expect(
        desk.quick or user.seconds < 60 * MOST_MINUTES,
        f"{user.seconds / 60:.1f} minutes from recordings to library and page, {MOST_MINUTES} are allowed",
    )
    user.said.append(
        f"{files} files, {len(rows)} rows, {sentences} of them sentences of the long one"
    )
    return user


def _can_compile_pages():
    import shutil

    return shutil.which("clang") is not None and shutil.which("wasm-ld") is not None


def student(desk: Desk) -> Acted:
    """Demo data -> a report with pictures."""
    user, work = Acted("student"), desk.folder / "student"
    _demo(desk, user, work)
    desk.run(
        user, "train.py", work / "dataset/features.csv", "--models", "mlp_32", "linear",
        "--out", work / "models", "--reports", work / "reports",
    )  # fmt: skip
    for name in ("report.md", "model_card.md", "predictions.csv", "confusion_mlp_32.png"):
        user.expect((work / "reports" / name).is_file(), f"no {name}")
    return user


def researcher(desk: Desk) -> Acted:
    """An estimator of one's own in the same folds; features as a DataFrame."""
    user, work = Acted("researcher"), desk.folder / "researcher"
    clips = _demo(desk, user, work)
    desk.run(
        user, "train.py", work / "dataset/features.csv", "--models", "linear", "--estimator",
        "sklearn.naive_bayes:GaussianNB", "--out", work / "models", "--reports", work / "reports",
    )  # fmt: skip
    report = (work / "reports/report.md").read_text(encoding="utf-8")
    user.expect("GaussianNB: UAR" in report, "no paired comparison")
    said = desk.run(
        user, "-c",
        "import sys, speech_emotion as s; f = s.features(sys.argv[2:], engine='device'); "
        "print(s.load_model(sys.argv[1]).predict(f)[0])",
        work / "models/model.joblib", *clips[:2],
    )  # fmt: skip
    user.expect(bool(said.strip()), "no answer")
    return user


def visitor(desk: Desk) -> Acted:
    """The page; how fast a browser answers is measured by tests/test_web_browser.py."""
    user, work = Acted("visitor"), desk.folder / "visitor"
    if not _can_compile_pages():
        user.said.append("not acted: needs clang and wasm-ld")
        return user
    _demo(desk, user, work)
    desk.run(
        user, "train.py", work / "dataset/features.csv", "--models", "mlp_32",
        "--out", work / "models", "--reports", work / "reports",
    )  # fmt: skip
    desk.run(
        user, "-m", "codegen", work / "models/model.joblib", "--out", work / "Emotion",
        "--web", work / "web", "--clips", "0",
    )  # fmt: skip
    user.expect((work / "web/index.html").is_file(), "no page")
    return user


def _demo(desk, user, work):
    """Synthetic clips and their table; returns the clips."""
    from speech_emotion.corpora import synthetic

    speakers, sentences = (3, 2) if desk.quick else (6, 6)
    clips = synthetic.write(work / "synthetic", speakers=speakers, sentences=sentences)
    desk.run(user, "dataset_generator.py", "--corpora", work / "synthetic", "--engine", "device",
             "--out", work / "dataset")  # fmt: skip
    return [str(clip.path) for clip in clips]


USERS: dict[str, Callable[[Desk], Acted]] = {
    "maker": maker, "student": student, "researcher": researcher, "visitor": visitor,
}  # fmt: skip


@contextmanager
def cloned(folder: Path, *, clone: bool) -> Iterator[Path]:
    """A clean clone of this repository below `folder`; or this copy itself."""
    here = Path(__file__).resolve().parents[2]
    if not clone:
        yield here
        return
    if not (here / ".git").exists():
        raise UserError("users: this copy is no clone of the repository; add --here")
    target = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(here), str(target)], check=True)
    yield target


def parse_arguments():
    parser = cli.Parser(description=__doc__)
    add = parser.add_argument
    add("users", nargs="*", metavar="USER", help=f"of {', '.join(USERS)} (default: all)")
    add("--quick", action="store_true", help="few clips, small models, one minute of recording")
    add("--here", action="store_true", help="in this copy, not in a clean clone")
    add(
        "--folder",
        type=Path,
        metavar="DIR",
        help="where to work (default: a folder that is gone afterwards)",
    )
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.users if name not in USERS]:
        raise UserError(f"{unknown[0]}: no such user; there are {', '.join(USERS)}")
    return arguments


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = (arguments.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        wrong = []
        with cloned(folder, clone=not arguments.here) as clone:
            for name in arguments.users or USERS:
                print(f"{name}:", flush=True)
                found = USERS[name](Desk(folder, clone, quick=arguments.quick))
                print(
                    f"  {found.seconds:7.1f} s  in all",
                    *found.said,
                    sep="\n           ",
                    flush=True,
                )
                wrong += [f"{name}: {each}" for each in found.wrong]
    if wrong:
        raise CheckFailed("; ".join(wrong))


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
