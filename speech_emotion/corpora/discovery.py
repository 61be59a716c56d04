"""From a folder of any known layout to labelled clips; what is left out is said, with the reason.

Files are recognised by name, corpus by corpus; folders only help where a name says nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from speech_emotion.corpora import folder
from speech_emotion.corpora.clip import EMOTIONS, Clip, Discovery, Unused
from speech_emotion.corpora.registry import NAMED
from speech_emotion.errors import UserError

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

    files, ignored = _sound_files(root)
    made = _synthetic_clips(files)
    named: list[Clip] = []
    unnamed: list[Path] = []
    for path in files:
        try:
            clip = made.get(path) or _named_clip(path, boredom)
        except Unused as reason:
            ignored.append((path, str(reason)))
        else:
            if clip:
                named.append(clip)
            else:
                unnamed.append(path)

    homes = {clip.path.parent: clip.corpus for clip in named}
    clips, copies = _without_copies(named, root)
    ignored += copies
    for path in unnamed:
        try:
            clips.append(_own_recording(path, root, homes))
        except Unused as reason:
            ignored.append((path, str(reason)))

    ignored.sort(key=lambda item: _below(root, item[0]))
    if not clips:
        raise UserError(_nothing_found(root, ignored))
    clips.sort(key=lambda clip: (clip.corpus, _below(root, clip.path)))
    return Discovery(clips, ignored)


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
    for here, folders, names in os.walk(root, followlinks=True, onerror=cannot_list):
        status = os.stat(here)
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith("."):  # also macOS' "._name.wav"
                continue
            path = Path(here, name)
            kind = path.suffix.lower()
            if kind in LOSSLESS or kind in LOSSY:
                readable.append(path)
            elif kind in UNREADABLE:
                problems.append((path, f"libsndfile cannot read {kind}; convert it to wav"))
            elif kind in ARCHIVES:
                problems.append((path, "an archive; unpack it"))
    return readable, problems


def _synthetic_clips(files: Iterable[Path]) -> dict[Path, Clip]:
    """The files that `synthetic.write` made, known by the marker it leaves above their folders."""
    from speech_emotion.corpora import synthetic  # when asked for: it loads Praat

    places = {path.parent.parent for path in files}
    marked = [place for place in places if (place / synthetic.MARKER).is_file()]
    return {clip.path: clip for place in marked for clip in synthetic.read(place)}


def _named_clip(path: Path, boredom: bool) -> Clip | None:
    """The clip as the first corpus that knows the name reads it; None if none does."""
    clip = next(filter(None, (corpus.parse(path) for corpus in NAMED)), None)
    if clip and clip.emotion == "boredom" and not boredom:
        raise Unused("boredom, which no other corpus has; left out")
    return clip


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


def _own_recording(path: Path, root: Path, homes: dict[Path, str]) -> Clip:
    """A file no naming scheme knows, read as `DIR/<emotion>/*.wav`, unless it is inside a corpus.

    Inside means: a folder above it is called after a corpus, or is in `homes`, the folders that
    hold clips of a corpus. And a folder that stands beside one of those counts as an emotion only
    if it is called after one.
    """
    above = [path.parents[i] for i in range(len(path.relative_to(root).parts))]
    inside = [homes[place] for place in above if place in homes]
    inside += [c.NAME for c in NAMED for place in above if c.FOLDERS.fullmatch(_name(place))]
    if inside:
        raise Unused(f"inside the corpus {inside[0]}, but not named like its files")
    if path.parent == root:
        raise Unused("not named like a known corpus, nor in a folder called after its emotion")
    emotion = path.parent.name
    if emotion.lower() not in EMOTIONS and path.parent.parent in {home.parent for home in homes}:
        raise Unused(
            f"not named like a known corpus, in '{emotion}' beside a known corpus; "
            f"put your own recordings in a folder apart, as {folder.EXAMPLE}"
        )
    return folder.parse(path)


def _name(place: Path) -> str:
    return place.name or place.resolve().name  # Path(".") has no name


def _nothing_found(root: Path, ignored: list[tuple[Path, str]]) -> str:
    known = ", ".join(f"{corpus.TITLE} ({corpus.EXAMPLE})" for corpus in NAMED)
    first = f"; {ignored[0][0].relative_to(root)}: {ignored[0][1]}" if ignored else ""
    return (
        f"{root}: no clip of emotional speech ({len(ignored)} files left out{first}). "
        f"Known layouts: {known}, or your own {folder.EXAMPLE}"
    )
