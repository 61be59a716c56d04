"""From a folder of any known layout to labelled clips; what is left out is said, with the reason.

Files are recognised by name, corpus by corpus; folders only help where a name says nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from common.errors import UserError
from corpora import folder
from corpora.clip import EMOTIONS, Clip, Discovery, Unused
from corpora.registry import NAMED

#: Formats libsndfile decodes, by the extensions in use.
LOSSY = {".mp3", ".ogg", ".oga", ".opus"}
# fmt: off
LOSSLESS = {
    ".wav", ".wave", ".flac", ".aif", ".aiff", ".aifc", ".au", ".snd",
    ".caf", ".w64", ".rf64", ".sph", ".nist",
}
UNREADABLE = {
    ".m4a", ".aac", ".wma", ".amr", ".ape", ".mp4", ".m4v", ".mov",
    ".avi", ".flv", ".mkv", ".webm", ".mpg", ".3gp",
}
ARCHIVES = {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"}
# fmt: on


def discover(root: Path, *, boredom: bool = False) -> Discovery:
    """Every clip of a known corpus under `root`.

    Parameters
    ----------
    root
        A corpus, a folder of corpora (nested to any depth), or `DIR/<emotion>/*.wav`.
    boredom
        Keep EMO-DB's boredom, which no other corpus has.

    Returns
    -------
    Discovery
        Clips ordered by corpus, then by path below `root`; and each sound file, archive or
        unreadable folder left out, ordered by path, with the reason. Hidden files and documents
        are passed over in silence.

    Raises
    ------
    UserError
        `root` is no folder, or holds no clip.
    """
    root = Path(root)
    if not root.exists():
        raise UserError(f"{root}: no such folder; give the folder that holds the corpora")
    if not root.is_dir():
        raise UserError(f"{root}: is a file; give the folder that holds the corpora")

    clips: list[Clip] = []
    ignored: list[tuple[Path, str]] = []
    unnamed: list[Path] = []
    homes: dict[Path, ModuleType] = {}  # folders with a corpus' own files directly in them
    for path, problem in _walk(root):
        if problem:
            ignored.append((path, problem))
            continue
        for corpus in NAMED:
            try:
                clip = corpus.parse(path)
            except Unused as reason:
                ignored.append((path, str(reason)))
            else:
                if clip is None:
                    continue
                if clip.emotion == "boredom" and not boredom:
                    ignored.append((path, "boredom, which no other corpus has; left out"))
                else:
                    clips.append(clip)
            homes[path.parent] = corpus
            break
        else:
            unnamed.append(path)

    clips, copies = _without_copies(clips, root)
    ignored += copies
    for path in unnamed:
        try:
            clips.append(_own_recording(path, root, homes))
        except Unused as reason:
            ignored.append((path, str(reason)))

    def below(path: Path) -> str:
        return path.relative_to(root).as_posix()

    ignored.sort(key=lambda item: below(item[0]))
    if not clips:
        raise UserError(_nothing_found(root, ignored))
    clips.sort(key=lambda clip: (clip.corpus, below(clip.path)))
    return Discovery(clips, ignored)


def _walk(root: Path) -> Iterator[tuple[Path, str]]:
    """Sound files under `root` with "", and what should have been one with the reason why not.

    Links to folders are followed, each folder once: a link to an ancestor ends there.
    """
    unreadable: list[OSError] = []
    seen: set[tuple[int, int]] = set()
    for here, folders, files in os.walk(root, followlinks=True, onerror=unreadable.append):
        status = os.stat(here)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(here, name)
            kind = path.suffix.lower()
            if name.startswith("."):  # also macOS' "._name.wav"
                continue
            if kind in LOSSLESS or kind in LOSSY:
                yield path, ""
            elif kind in UNREADABLE:
                yield path, f"libsndfile cannot read {kind}; convert it to wav"
            elif kind in ARCHIVES:
                yield path, "an archive; unpack it"
    for error in unreadable:
        yield Path(error.filename), f"folder cannot be read: {error.strerror}"


def _without_copies(clips: Iterable[Clip], root: Path) -> tuple[list[Clip], list[tuple[Path, str]]]:
    """Each clip once: published sets nest copies of themselves, or hold wav and mp3 of a clip.

    A lossless file goes before a lossy one, then the one nearer to `root`.
    """

    def preference(clip: Clip) -> tuple[bool, int, str]:
        return clip.path.suffix.lower() in LOSSY, len(clip.path.parts), clip.path.as_posix()

    kept: dict[tuple[str, str, str], Clip] = {}
    copies = []
    for clip in sorted(clips, key=preference):
        # SAVEE's two layouts differ in the speaker standing in the name.
        stem = clip.path.stem.lower().removeprefix(f"{clip.speaker.lower()}_")
        first = kept.setdefault((clip.corpus, clip.speaker, stem), clip)
        if first is not clip:
            copies.append((clip.path, f"the same clip as {first.path.relative_to(root)}"))
    return list(kept.values()), copies


def _own_recording(path: Path, root: Path, homes: dict[Path, ModuleType]) -> Clip:
    """A file no naming scheme knows, read as `DIR/<emotion>/*.wav`, unless it is inside a corpus.

    Inside means: a folder above it holds a corpus' files, or is called after a corpus. And a folder
    that stands beside folders of a corpus counts as an emotion only if it is called after one.
    """
    if path.parent == root:
        corpus = homes.get(root)
        raise Unused(
            f"not named as {corpus.TITLE} names its files"
            if corpus
            else "not named as any known corpus, and not in a folder called after its emotion"
        )
    above = [path.parents[i] for i in range(len(path.relative_to(root).parts))]
    inside = [homes[place] for place in above if place in homes]
    inside += [c for c in NAMED for place in above if c.FOLDERS.fullmatch(_name(place))]
    if inside:
        raise Unused(f"not named as {inside[0].TITLE} names its files ({inside[0].EXAMPLE})")
    emotion = path.parent.name
    if emotion.lower() not in EMOTIONS and path.parent.parent in {home.parent for home in homes}:
        raise Unused(
            f"not named as any known corpus, in '{emotion}' beside a known corpus; "
            f"put your own recordings in a folder apart, as {folder.EXAMPLE}"
        )
    return folder.parse(path)


def _name(place: Path) -> str:
    return place.name or place.resolve().name  # Path(".") has no name


def _nothing_found(root: Path, ignored: list[tuple[Path, str]]) -> str:
    known = ", ".join(f"{corpus.TITLE} ({corpus.EXAMPLE})" for corpus in NAMED)
    first = f"; {ignored[0][0].relative_to(root)}: {ignored[0][1]}" if ignored else ""
    return (
        f"{root}: no clip to use among {len(ignored)} sound files{first}. "
        f"Known layouts: {known}, or your own {folder.EXAMPLE}"
    )
