"""The library folder: a model's C files, the extractor's, emlearn's headers, an example, and what Arduino,
PlatformIO and ESP-IDF want to find. Everything is a function of the model: the same model, the same bytes.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import files as package_files
from importlib.metadata import version
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from speech_emotion import __version__, names
from speech_emotion.codegen import clips, emlearn_parts, ownership, quality
from speech_emotion.codegen.pipeline import Plan
from speech_emotion.codegen.source import Source
from speech_emotion.colours import COLOURS
from speech_emotion.errors import UserError
from speech_emotion.resources import EMBEDDED, licence

URL = "https://example.com/"
"""Arduino wants an address. This one, reserved by RFC 2606 and nobody's, stands where none was given."""
_SKELETON = Path(__file__).resolve().parent / "library"
_SHARED = _SKELETON / "shared"  # headers that more than one sketch includes
_SKETCH = _SKELETON / "sketch"  # what makes a sketch's folder a PlatformIO and an ESP-IDF project
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}")  # Arduino's library specification
_WRITTEN = {
    ".properties": names.properties,
    ".json": names.json_string,
    ".yml": names.yaml,
    ".md": names.markdown,
}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest moment a zip file knows


def check_name(out: Path) -> str:
    """The library's name, which is its folder's. UserError where Arduino would refuse it."""
    if not _NAME.fullmatch(out.name) or names.file_name(out.name) != out.name:
        raise UserError(
            f"--out {out}: a library's name is letters, digits, spaces, _ . and -, 63 at most, starts with a "
            "letter or digit, ends with no space or dot, and is no device of Windows; choose another"
        )
    return out.name


def check_url(url: str) -> str:
    """The library's address, as library.properties can hold it. UserError where it cannot."""
    if not re.fullmatch(r"https?://[!-~]+", url):
        raise UserError(f"--url {url}: no web address; it starts with https:// and has no spaces")
    return url


def contents(
    plan: Plan, source: Source, *, name: str, sizes: str, facts: dict, url: str = URL
) -> dict[str, bytes]:
    """All files of the library but the zip: path in the folder -> bytes.

    sizes: what the README says of flash and RAM. facts: the model's JSON. url: where the library is at home.
    """
    from_device = sorted((EMBEDDED / "src").glob("ser*.[ch]"))
    result = {f"src/{path.name}": path.read_bytes() for path in from_device}
    package = emlearn_parts.FOLDER
    headers = _with_includes(package, source.emlearn_headers)
    result |= {f"src/{header}": (package / header).read_bytes() for header in headers}
    result |= {
        "src/ser_config.h": source.config_h.encode(),
        "src/ser_model.h": source.model_h.encode(),
        "src/ser_model.c": source.model_c.encode(),
        "LICENSE": licence(),
        "LICENSE-emlearn.md": _emlearn_licence(),
    }
    chosen = {  # by people: written as each format can hold it
        "name": name,
        "labels": names.listed(plan.labels),
        "model": names.terminal(str(facts.get("name", name))),
        "scores": names.terminal(_scores(facts)),
        "url": url,
    }
    words = {
        "version": __version__,
        "kind": plan.kind,
        "literals": "\n".join(f"{word}\tLITERAL1" for word in _literals(source)),
        "groups": ", ".join(plan.groups),
        "columns": str(len(plan.columns)),
        "sizes": sizes,
        "emlearn": version("emlearn"),
        "benchmark_version": str(clips.VERSION),
        "clips": clips.c_rows(),
        "resonators": clips.c_resonators(),
        "colours": _colours(),
        "first_line": _first_line(facts),
    }

    def fill(path, **more):
        write = _WRITTEN.get(path.suffix, str)
        written = {word: write(text) for word, text in chosen.items()}
        text = Template(path.read_text(encoding="utf-8")).substitute(words | written | more)
        return text.encode()

    for path in _files_below(_SKELETON):
        if not path.is_relative_to(_SKETCH) and not path.is_relative_to(_SHARED):
            result[path.relative_to(_SKELETON).as_posix()] = fill(path)
    for sketch in sorted(path.stem for path in _SKELETON.glob("examples/*/*.ino")):
        # a sketch for other chips than Espressif's brings its own project, and is none of ESP-IDF
        own = f"examples/{sketch}/platformio.ini" in result
        for path in [] if own else _files_below(_SKETCH):
            place = f"examples/{sketch}/{path.relative_to(_SKETCH).as_posix()}"
            result[place] = fill(path, sketch=sketch)
        for path in _shared_by(result[f"examples/{sketch}/{sketch}.ino"].decode()):
            result[f"examples/{sketch}/{path.name}"] = fill(path)
    result[ownership.MANIFEST] = ownership.manifest(result)
    return dict(sorted(result.items()))


def _files_below(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _shared_by(text, found=()):
    """The shared headers that a text includes, and those that these include."""
    for path in _files_below(_SHARED):
        if path not in found and f'#include "{path.name}"' in text:
            found = _shared_by(path.read_text(encoding="utf-8"), (*found, path))
    return found


def _with_includes(package, wanted):
    """The headers and those they include, among emlearn's own."""
    found = []
    for header in wanted:
        if header in found:
            continue
        text = (package / header).read_text(encoding="utf-8")
        included = re.findall(r'#include\s+["<](eml_\w+\.h)[">]', text)
        found += [header, *(h for h in _with_includes(package, included) if h not in found)]
    return sorted(set(found))


def _emlearn_licence():
    for path in package_files("emlearn") or []:
        if path.name.startswith("LICENSE"):
            return Path(path.locate()).read_bytes()
    raise UserError("emlearn: installed without its licence; install it again: pip install emlearn")


def _colours():
    """The LED's colours as rows of C."""
    rows = (f'{{"{name}", {", ".join(map(str, each.led))}}},' for name, each in COLOURS.items())
    return "\n        ".join(rows)


def _literals(source):
    return re.findall(r"#define (SER_\w+) ", source.model_h)


def _scores(facts):
    """What the training said of the model, as a sentence, that of new voices first; nothing where it said
    nothing."""
    score = facts.get("scores", {}).get("weighted_f1")
    if score is None:
        return "not recorded"
    split = {"random": "random split: voices that it has heard", "speaker": "speakers held out"}
    on = f"{facts['scored_on']} clips" if facts.get("scored_on") else "the clips"
    parts = [
        _unseen(facts),
        f"weighted F1 {score:.3f} on {on} held out from its training "
        f"({split.get(facts.get('split'), 'held out')})",
    ]
    if facts.get("fit") == "all":
        parts.append("then trained on every clip, so that these are the scores of its recipe")
    if "synthetic" in facts.get("corpora", []):
        parts.append("SYNTHETIC speech took part: this number means nothing for real speech")
    return "; ".join(parts)


def _unseen(facts):
    """The score of speakers that no model of the folds had heard: what a new voice may get."""
    found = quality.of_new_voices(facts)
    if found is None:
        return "of new voices nothing is known: no speaker could be left out"
    return (
        f"of speakers that it never heard UAR {found.uar:.2f} (95 %: {found.low:.2f} to {found.high:.2f}; "
        f"{found.clips} clips of {found.speakers} speakers; guessing {found.chance:.2f})"
    )


def _first_line(facts):
    """What a board prints when it starts, as a literal of C: a line of JSON."""
    about = {"model": names.terminal(str(facts.get("name", "")))[:100], "quality": _scores(facts)}
    return json.dumps(json.dumps(about))


def write(files: dict[str, bytes], folder: Path) -> None:
    """Write the files below a folder."""
    try:
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        raise UserError(
            f"{target}: cannot be written ({error.strerror}); free space or choose another --out"
        ) from None


def write_zip(files: dict[str, bytes], path: Path, name: str) -> None:
    """The archive for Sketch > Include Library > Add .ZIP Library: one folder, fixed order and dates."""
    with zipfile.ZipFile(path, "w") as archive:
        for inner, content in files.items():
            entry = zipfile.ZipInfo(f"{name}/{inner}", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever the system: or the bytes would differ
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, compresslevel=9)


@contextmanager
def draft(out: Path) -> Iterator[Path]:
    """A folder beside `out` to build in; it is gone afterwards."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = TemporaryDirectory(prefix=f".{out.name}.", dir=out.resolve().parent)
    except OSError as error:
        raise UserError(
            f"{out.parent}: cannot be written to ({error.strerror}); choose another --out"
        ) from None
    with beside as folder:
        yield Path(folder)


def put(files: dict[str, bytes], out: Path, beside: Path, *, force: bool = False) -> list[str]:
    """Library and zip take the place of `out` and `out`.zip; returns what to say of what was kept.

    beside: the `draft`, for what comes and what goes. UserError, and nothing changed, where something there
    is not codegen's own and would be lost.
    """
    new, archive = beside / "new", beside / "new.zip"
    write(files, new)
    there = ownership.survey(out)
    kept = ownership.resolve(there, files, option=f"--out {out}", verified=_verified, force=force)
    zipped = zip_path(out)
    try:
        write_zip(files, archive, out.name)
    except OSError as error:
        raise UserError(
            f"{zipped}: cannot be written ({error.strerror}); free space or choose another --out"
        ) from None
    if zipped.exists() and zipped.read_bytes() != archive.read_bytes():
        _check_zip(out, force)
    try:
        ownership.replace(new, out, kept, there, beside)
        archive.replace(zipped)
    except OSError as error:
        raise UserError(
            f"{out}: cannot be replaced ({error.strerror}); choose another --out"
        ) from None
    return kept.lines(files)


def _verified(path):
    """Whether a file of the library must be the one that was compared with the model."""
    return path.startswith("src/")


def zip_path(out: Path) -> Path:
    """build/EmotionRecognition -> build/EmotionRecognition.zip"""
    return out.parent / f"{out.name}.zip"


def check_replaceable(out: Path, *, force: bool = False) -> None:
    """UserError before any work where `out` or its zip is something that codegen did not write."""
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}: is a file; choose a folder")
    if ownership.recover(out):
        print(f"{out}: put back; a run was ended while it replaced this folder")
    there = ownership.survey(out)
    if not there.is_empty and there.written is None and _MARK not in there.files:
        raise UserError(
            f"--out {out}: is there and no generated library; choose another folder or remove it"
        )
    ownership.check_early(there, option=f"--out {out}", verified=_verified, force=force)
    if (
        zip_path(out).exists() and _whose_zip(out) != ownership.OLDER
    ):  # older: may turn out to be the same
        _check_zip(out, force)


_MARK = "src/ser_model.c"  # every library has it


def _whose_zip(out):
    return ownership.of_archive(zip_path(out), out.name, _MARK)


def _check_zip(out, force):
    zipped, whose = zip_path(out), _whose_zip(out)
    if zipped.is_dir() or whose == ownership.FOREIGN:
        raise UserError(
            f"{zipped}: is there and no generated library; choose another --out or move it"
        )
    if whose != ownership.OURS and not force:
        raise UserError(
            f"{zipped}: not as codegen wrote it; keep a copy elsewhere and give --force to overwrite it"
        )
