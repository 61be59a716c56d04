"""What codegen may replace: the files that it wrote itself and that nobody changed since.

A generated folder holds a manifest, a file for `sha256sum -c`, that names every file written and its SHA-256.
Whatever else lies in the folder is its owner's: it is kept, and named. A generated file that was changed is
kept as well, or, where nothing may differ from what was verified, the folder is refused; `force` overwrites.
"""

import hashlib
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from speech_emotion import names
from speech_emotion.errors import UserError
from speech_emotion.files import replacing

MANIFEST = "GENERATED.sha256"
_HEAD = (
    "# Written by `python -m codegen`, which replaces these files as long as they are unchanged: "
    f"sha256sum -c {MANIFEST}\n"
)
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")

Hashes = dict[str, set[str]]  # path in the folder -> SHA-256 of what was written there


def manifest(files: dict[str, bytes]) -> bytes:
    """The manifest's content for files: path in the folder -> bytes."""
    return _text({path: {_sha256(content)} for path, content in files.items()})


def _text(hashes: Hashes) -> bytes:
    lines = (f"{each}  {path}\n" for path in sorted(hashes) for each in sorted(hashes[path]))
    return (_HEAD + "".join(lines)).encode()


def _parse(text: bytes) -> Hashes | None:
    """What a manifest says; None where it is none of ours."""
    lines = text.decode("utf-8", "replace").splitlines(keepends=True)
    if not lines or lines[0] != _HEAD:
        return None
    found: Hashes = {}
    for line in lines[1:]:
        if match := _LINE.fullmatch(line.rstrip("\n")):
            found.setdefault(match[2], set()).add(match[1])
    return found


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# --- what is there ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Survey:
    """A folder as it is. written: what its manifest says; None where it has none. files: everything in it but
    folders, links to folders included. folders: all of them."""

    folder: Path
    written: Hashes | None
    files: frozenset[str]
    folders: frozenset[str]

    @property
    def is_empty(self) -> bool:
        return not self.files and not self.folders

    def hash(self, path: str) -> str:
        """SHA-256 of a file; "" of what is none, such as a link."""
        place = self.folder / path
        if place.is_symlink() or not place.is_file():
            return ""
        with place.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def unchanged(self, path: str) -> bool:
        """Whether this is a file of ours as it was written."""
        return path == MANIFEST or self.hash(path) in (self.written or {}).get(path, ())

    def changed(self) -> list[str]:
        """Files of ours that are not as they were written."""
        return sorted(
            path
            for path in (self.written or {})
            if path in self.files and path != MANIFEST and not self.unchanged(path)
        )


def survey(folder: Path) -> Survey:
    """What a folder holds; of none, nothing. UserError where it cannot be read."""
    files: set[str] = set()
    folders: set[str] = set()
    written = None

    def cannot_list(error: OSError) -> None:
        raise error

    try:
        for here, inner, names_here in os.walk(folder, onerror=cannot_list):
            base = Path(here)
            for name in [*inner, *names_here]:
                place = base / name
                path = place.relative_to(folder).as_posix()
                is_folder = name in inner and not place.is_symlink()
                (folders if is_folder else files).add(path)
        if MANIFEST in files and not (folder / MANIFEST).is_symlink():
            written = _parse((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return Survey(folder, None, frozenset(), frozenset())
    except OSError as error:
        raise UserError(
            f"{error.filename or folder}: cannot be read ({error.strerror}); choose another folder"
        ) from None
    return Survey(folder, written, frozenset(files), frozenset(folders))


@dataclass(frozen=True)
class Kept:
    """What stays as it is although new files come. foreign: not of ours; changed: ours, changed since."""

    foreign: list[str]
    changed: list[str]

    def lines(self, files: dict[str, bytes]) -> list[str]:
        """What to say of it. files: the new ones; a folder that has none of them is named as a whole."""
        said = []
        if self.foreign:
            said.append(f"yours: {_some(_folded(self.foreign, files))}")
            stray = [path for path in self.foreign if re.fullmatch(r"src/.*\.(c|cpp|S)", path)]
            if stray:
                said.append(f"{_some(stray)}: compiled along with the library, verified by nobody")
        if self.changed:
            said.append(
                f"changed since generated: {_some(self.changed)}; the new ones are not written "
                "(--force overwrites)"
            )
        return said


def _folded(paths, files):
    """Paths, or the topmost folder of theirs that holds no new file, once each."""
    ours = _parents(files) | {"."}
    found = {}
    for path in sorted(paths):
        parents = [parent.as_posix() for parent in reversed(PurePosixPath(path).parents)]
        whole = next((parent for parent in parents if parent not in ours), None)
        found[path if whole is None else f"{whole}/"] = None
    return list(found)


def _some(paths, most=8):
    shown = names.listed(names.terminal(path) for path in paths[:most])
    return shown + (f" and {len(paths) - most} more" if len(paths) > most else "")


def resolve(
    there: Survey,
    files: dict[str, bytes],
    *,
    option: str,
    verified: Callable[[str], bool],
    force: bool,
) -> Kept:
    """What of a folder stays when `files` are written to it. option: for messages, as "--out build/Voice".

    verified: of a path, whether it must be as it was verified. UserError, one line, where the folder has
    something in the way: a changed file of those, any differing one without a manifest, a folder for a file.
    """
    folders = _parents(files)
    for path in sorted((there.files & folders) | (there.folders & set(files))):
        raise UserError(f"{option}: {names.short(path)} in it is in the way; move it elsewhere")
    hashes = {path: _sha256(content) for path, content in files.items()}
    foreign, changed = [], []
    for path in sorted(there.files - {MANIFEST}):
        if path not in files:
            if not there.unchanged(path):
                foreign.append(path)
        elif not there.unchanged(path) and there.hash(path) != hashes[path]:
            changed.append(path)
    if force:
        changed = []
    refused = [path for path in changed if there.written is None or verified(path)]
    if refused:
        why = (
            "not as codegen wrote it" if there.written is None else "changed since it was generated"
        )
        more = f" and {len(refused) - 1} more" if len(refused) > 1 else ""
        raise UserError(
            f"{option}: {names.short(refused[0])}{more} in it: {why}; keep a copy elsewhere and give "
            "--force to overwrite, or choose another folder"
        )
    return Kept(foreign, changed)


def check_early(
    there: Survey, *, option: str, verified: Callable[[str], bool], force: bool
) -> None:
    """The refusals of `resolve` that are certain before the new files are known."""
    if not force:
        for path in there.changed():
            if verified(path):
                raise UserError(
                    f"{option}: {names.short(path)} in it: changed since it was generated; keep a copy "
                    "elsewhere and give --force to overwrite, or choose another folder"
                )


# --- a folder that is replaced as a whole -----------------------------------------------------


def replace(new: Path, out: Path, kept: Kept, there: Survey, beside: Path) -> None:
    """The folder `new` takes the place of `out`, with what is kept of that.

    beside: a folder on the same disk, for what was there; whoever deletes it deletes nothing of others.
    One rename puts the old folder away, one the new in place: at no moment are old and new files mixed.
    """
    out = out.resolve()  # a link stays one
    entries = [*kept.foreign, *kept.changed]
    wanted = _parents(entries) | (there.folders - _parents(there.files))  # empty ones are kept too
    for path in entries:
        _link(out / path, new / path)
    for path in sorted(wanted & there.folders, reverse=True):
        (new / path).mkdir(parents=True, exist_ok=True)
        shutil.copystat(out / path, new / path)
    old = beside / "old"
    if out.exists():
        out.rename(old)
    try:
        new.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    if old.exists():
        old = old.rename(beside / "replaced")
        _rescue(old, out, there)


def _parents(paths):
    return {parent.as_posix() for path in paths for parent in PurePosixPath(path).parents} - {"."}


def _link(source: Path, target: Path) -> None:
    """The same file under a second name, or where the disk knows no such thing a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _rescue(old: Path, out: Path, there: Survey) -> None:
    """Files that came into the old folder while the new one was made."""
    for path in survey(old).files - there.files:
        if not os.path.lexists(out / path):
            (out / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(old / path, out / path)


def recover(out: Path) -> bool:
    """Puts a folder back that a run left beside, ended between the two renames of `replace`. True: did."""
    for left in [] if os.path.lexists(out) else sorted(out.parent.glob(f".{out.name}.*/old")):
        with suppress(OSError):
            left.rename(out)
            return True
    return False


# --- a folder that is written file by file ----------------------------------------------------


def write(files: dict[str, bytes], out: Path, kept: Kept, there: Survey) -> None:
    """Write files below `out`, each replaced as a whole, but those that are kept; take away those of ours
    that are no longer made. Wherever it is interrupted, the manifest knows all that was written."""
    hashes = {path: {_sha256(content)} for path, content in files.items()}
    before = there.written or {}
    both = {path: before.get(path, set()) | hashes.get(path, set()) for path in before | hashes}
    _write(out / MANIFEST, _text(both))
    for path, content in files.items():
        if path not in kept.changed:
            _write(out / path, content)
    for path in before.keys() - hashes.keys():
        if path in there.files and there.unchanged(path):
            (out / path).unlink(missing_ok=True)
    _write(out / MANIFEST, _text(hashes))


def _write(path, content):
    with replacing(path, "wb") as file:
        file.write(content)


# --- an archive -------------------------------------------------------------------------------

OURS, CHANGED, OLDER, FOREIGN = "ours", "changed", "older", "foreign"


def of_archive(path: Path, folder: str, mark: str) -> str:
    """Whose a .zip is: OURS as its own manifest says; CHANGED since; OLDER, without a manifest but with the
    file `mark` that every library has; FOREIGN. folder: the one folder that must be in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.namelist()
            if f"{folder}/{MANIFEST}" not in inside:
                return OLDER if any(name.endswith(f"/{mark}") for name in inside) else FOREIGN
            written = _parse(archive.read(f"{folder}/{MANIFEST}"))
            if written is None:
                return FOREIGN
            wanted = {f"{folder}/{each}" for each in written} | {f"{folder}/{MANIFEST}"}
            same = sorted(inside) == sorted(wanted) and all(
                _sha256(archive.read(f"{folder}/{each}")) in hashes
                for each, hashes in written.items()
            )
            return OURS if same and not archive.comment else CHANGED
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError):
        return FOREIGN
