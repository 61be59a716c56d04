"""From a folder of any known layout to labelled clips; what is left out is said, with the reason.

Files are recognised by name, corpus by corpus, where the corpus as a whole bears it out (`schemes`); what is
left are the user's own recordings (`folder`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from speech_emotion import names
from speech_emotion.corpora import folder, words
from speech_emotion.corpora.clip import Clip, Discovery, Unused
from speech_emotion.corpora.registry import NAMED
from speech_emotion.corpora.schemes import Schemes
from speech_emotion.errors import UserError

#: Formats that `features.decoding` decodes, by the extensions in use.
# fmt: off
LOSSY = {
    ".mp3", ".ogg", ".oga", ".opus", ".m4a", ".aac", ".wma", ".amr", ".3gp", ".webm",
}
LOSSLESS = {
    ".wav", ".wave", ".flac", ".aif", ".aiff", ".aifc", ".au", ".snd",
    ".caf", ".w64", ".rf64", ".sph", ".nist",
}
UNREADABLE = {
    ".ape", ".mp4", ".m4v", ".mov", ".avi", ".flv", ".mkv", ".mpg",
}
ARCHIVES = {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz"}
# fmt: on


def discover(
    root: Path, *, boredom: bool = False, speaker_from: str = "auto", merge_labels: bool = False
) -> Discovery:
    """Every clip of a known corpus under `root`, and a user's own recordings.

    Parameters
    ----------
    root
        A corpus, a folder of corpora (nested to any depth), or `DIR/<emotion>/*.wav`.
    boredom
        Keep EMO-DB's boredom, which no other corpus has.
    speaker_from
        What tells the speakers of own recordings, one of `folder.SPEAKERS_FROM`.
    merge_labels
        Join labels of own recordings that may be one with others, such as anger and angry.

    Returns
    -------
    Discovery
        Clips ordered by corpus, then by path below `root`; each sound file, archive or unreadable folder
        left out, ordered by path, with the reason; and what was inferred, in sentences. Hidden files and
        documents are passed over in silence.

    Raises
    ------
    UserError
        `root` is no folder, or holds no clip; `speaker_from`, or a speakers.csv, is wrong.
    """
    root = Path(root)
    if not root.exists():
        raise UserError(f"{root}: no such folder; give the folder that holds the corpora")
    if not root.is_dir():
        raise UserError(f"{root}: is a file; give the folder that holds the corpora")

    files, ignored = _sound_files(root)
    made = _synthetic_clips(files)
    schemes = Schemes([path for path in files if path not in made], root)
    named = list(made.values())
    unnamed: list[Path] = []
    for path in files:
        if path in made:
            continue
        try:
            clip = schemes.clip(path)
            if clip and clip.emotion == "boredom" and not boredom:
                raise Unused("boredom, which no other corpus has; left out")
        except Unused as reason:
            ignored.append((path, str(reason)))
        else:
            if clip:
                named.append(clip)
            else:
                unnamed.append(path)

    inside = _Inside(named, root)
    clips, copies = _without_copies(named, root)
    ignored += copies
    own = []
    for path in unnamed:
        try:
            inside.check(path)
            own.append(path)
        except Unused as reason:
            ignored.append((path, str(reason)))
    reading = folder.read(own, root, speaker_from=speaker_from)
    ignored += reading.ignored

    ignored.sort(key=lambda item: _below(root, item[0]))
    if not clips and not reading.clips:
        raise UserError(_nothing_found(root, ignored))
    clips, merges = folder.merge([*clips, *reading.clips], wanted=merge_labels)
    clips.sort(key=lambda clip: (clip.corpus, _below(root, clip.path)))
    return Discovery(clips, ignored, (*schemes.notes(), *reading.notes, *merges))


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _sound_files(root: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Sound files under `root`; and what cannot be read, with the reason.

    Links to folders are followed, each folder once: a link to an ancestor ends there.
    """
    readable: list[Path] = []
    problems: list[tuple[Path, str]] = []

    def cannot_list(error: OSError) -> None:
        problems.append((Path(error.filename), f"folder cannot be read: {error.strerror}"))

    seen: set[tuple[int, int]] = set()
    for here, folders, entries in os.walk(root, followlinks=True, onerror=cannot_list):
        status = os.stat(here)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(entries):
            if name.startswith("."):  # also macOS' "._name.wav"
                continue
            path = Path(here, name)
            kind = path.suffix.lower()
            if kind in LOSSLESS or kind in LOSSY:
                if flaw := _unwritable(_below(root, path)):
                    problems.append((path, f"its name {flaw}; rename it"))
                elif stub := _stub(path):
                    problems.append((path, stub))
                else:
                    readable.append(path)
            elif kind in UNREADABLE:
                problems.append((path, f"{kind} files are not read; convert it to wav"))
            elif kind in ARCHIVES:
                problems.append((path, "an archive; unpack it"))
    return readable, problems


def _synthetic_clips(files: Iterable[Path]) -> dict[Path, Clip]:
    """The files that `synthetic.write` made, known by the marker it leaves above their folders."""
    from speech_emotion.corpora import synthetic  # when asked for: it loads Praat

    places = {path.parent.parent for path in files}
    marked = [place for place in places if (place / synthetic.MARKER).is_file()]
    return {clip.path: clip for place in marked for clip in synthetic.read(place)}


def _unwritable(name: str) -> str:
    """What of a file's name no table can hold, "" where it can."""
    return names.unwritable(name) if names.is_utf8(name) else "is not UTF-8"


def _stub(path: Path) -> str:
    """What stands in a sound file's place where a repository was fetched without it, "" for sound."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _STUB_BYTES:
            return ""  # what waits for a writer, such as a pipe, is not opened
        with path.open("rb") as file:
            head = file.read(_STUB_BYTES)
    except OSError:
        return ""  # said when it is read
    for mark, tool, remedy in _STUBS:
        if mark in head:
            return f"a pointer of {tool}, not the sound itself; fetch it: {remedy}"
    return ""


_STUB_BYTES = 1024
_STUBS = (
    (b"version https://git-lfs.github.com/spec/", "git-lfs", "git lfs pull"),
    (b"/annex/objects/", "git-annex", "git annex get"),
)


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


class _Inside:
    """Which files are inside a corpus, though not named like it: they are nobody's own recordings."""

    def __init__(self, named: Iterable[Clip], root: Path):
        self._root = root
        self._homes = {clip.path.parent: clip.corpus for clip in named}
        self._beside = {home.parent for home in self._homes}
        self._trees: set[tuple[str, Path]] = (
            set()
        )  # (corpus, folder that holds clips of it at any depth)
        for home, corpus in self._homes.items():
            self._trees |= {(corpus, place) for place in (home, *home.parents)}

    def check(self, path: Path) -> None:
        """Raises Unused for a file inside a corpus, or beside one in a folder called after no emotion.

        Inside means: a folder above it holds clips of a corpus, or is called after one. But files in a folder
        of an emotion are the user's own where the folder that holds clips is farther up, or the one that is
        called after a corpus holds none of it: Tess is a person, too.
        """
        above = [path.parents[i] for i in range(len(path.relative_to(self._root).parts))]
        emotional = [
            i
            for i, place in enumerate(above)
            if place != self._root and words.meaning(place.name) is not None
        ]
        own = bool(emotional)
        for i, place in enumerate(above):
            if place in self._homes and not (own and emotional[0] < i):
                raise Unused(
                    f"inside the corpus {self._homes[place]}, but not named like its files"
                )
            for corpus in NAMED:
                if corpus.FOLDERS.fullmatch(_name(place)):
                    empty = (corpus.NAME, place) not in self._trees
                    if not (own and empty):
                        raise Unused(
                            f"inside the corpus {corpus.NAME}, but not named like its files"
                        )
        emotion = path.parent.name
        if path.parent != self._root and path.parent.parent in self._beside and not own:
            raise Unused(
                f"not named like a known corpus, in '{emotion}' beside a known corpus; "
                f"put your own recordings in a folder apart, as {folder.EXAMPLE}"
            )


def _name(place: Path) -> str:
    return place.name or place.resolve().name  # Path(".") has no name


def _nothing_found(root: Path, ignored: list[tuple[Path, str]]) -> str:
    known = ", ".join(f"{corpus.TITLE} ({corpus.EXAMPLE})" for corpus in NAMED)
    first = f"; {ignored[0][0].relative_to(root)}: {ignored[0][1]}" if ignored else ""
    if ignored and words.meaning_within(root.resolve().name) is not None:
        return (
            f"{root}: the folder of one emotion ({len(ignored)} files); name the one above it, "
            f"{root.resolve().parent}"
        )
    return (
        f"{root}: no clip of emotional speech ({len(ignored)} files left out{first}). "
        f"Known layouts: {known}, or your own {folder.EXAMPLE}"
    )
