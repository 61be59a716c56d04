"""Which corpus a file's name is of, decided for a set of files together and not name by name.

Names of one corpus are good names elsewhere too: `JK_a00.wav` may be SAVEE's, or JK's first take. A scheme
counts where the whole bears it out: folders of emotions do not say otherwise, most files beside are named by
it, and speakers and sentences are such as the corpus has.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from speech_emotion import names
from speech_emotion.corpora import words
from speech_emotion.corpora.clip import Clip, Unused
from speech_emotion.corpora.registry import NAMED

_CONTRADICTED = (
    0.2  # of the files, in folders of other emotions: misfiled ones in a real corpus are fewer
)
_NAMED_ALIKE = 0.5  # of the files in the emotions' folders; of corpora whose names are short:
_NAMED_ALIKE_IF_SHORT = 0.9
_KNOWN = 0.8  # of the files have a sentence that the corpus has
_REPEATED = 0.2  # of the names, in folders beside one another with other sound


@dataclass
class _Group:
    """Files of one set that one corpus's scheme fits."""

    corpus: ModuleType
    zone: Path
    files: list[Path] = field(default_factory=list)


class Schemes:
    """The readers' answers to some files, where they are borne out."""

    def __init__(self, paths: Sequence[Path], root: Path):
        self._root = root
        self._read: dict[Path, dict[str, Clip | Unused]] = {}
        for path in paths:
            self._read[path] = _readings(path)
        self._emotion = {path: self._emotion_folder(path) for path in paths}
        self._in_zone: dict[Path, list[Path]] = defaultdict(list)  # files in folders of emotions
        for path, place in self._emotion.items():
            if place is not None:
                self._in_zone[place.parent].append(path)
        groups: dict[tuple[str, Path], _Group] = {}
        for path in paths:
            for corpus in NAMED:
                if corpus.NAME in self._read[path]:
                    zone = self._zone(corpus, path)
                    group = groups.setdefault((corpus.NAME, zone), _Group(corpus, zone))
                    group.files.append(path)
        self._refused: dict[tuple[str, Path], tuple[_Group, str]] = {}
        for key, group in groups.items():
            if why := self._doubt(group):
                self._refused[key] = (group, why)

    def clip(self, path: Path) -> Clip | None:
        """The clip as the first corpus that knows the name, and is borne out, reads it; None if none does.

        Raises Unused where that corpus does not use the file.
        """
        for corpus in NAMED:
            found = self._read[path].get(corpus.NAME)
            if found is None or (corpus.NAME, self._zone(corpus, path)) in self._refused:
                continue
            if isinstance(found, Unused):
                raise found
            return found
        return None

    def notes(self) -> list[str]:
        """A sentence for each set whose names were not taken for a corpus's."""
        said = []
        for group, why in self._refused.values():
            count = len(group.files)
            files = "1 file is" if count == 1 else f"{count} files are"
            where = names.terminal(group.zone.as_posix())
            said.append(
                f"{files} named as in {group.corpus.TITLE}, but read as own recordings: {why} ({where})"
            )
        return sorted(said)

    def _emotion_folder(self, path: Path) -> Path | None:
        """The folder of an emotion that a file lies in, itself or one below."""
        for place in (path.parent, path.parent.parent):
            if place == self._root or self._root not in place.parents:
                return None
            if words.meaning_within(place.name) is not None:
                return place
        return None

    def _own_folder(self, corpus: ModuleType, path: Path) -> Path | None:
        """The highest folder called after the corpus that a file lies in."""
        found = None
        for place in path.parents:
            if corpus.FOLDERS.fullmatch(place.name or place.resolve().name):
                found = place
            if place == self._root:
                break
        return found

    def _zone(self, corpus: ModuleType, path: Path) -> Path:
        """The folder whose files are judged together."""
        own, emotion = self._own_folder(corpus, path), self._emotion[path]
        if own is not None:
            return own
        if emotion is not None:
            return emotion.parent
        return path.parent if path.parent == self._root else path.parent.parent

    def _doubt(self, group: _Group) -> str:
        """Why these files are not the corpus's, "" where nothing speaks against it."""
        corpus, files = group.corpus, group.files
        clips = {
            path: clip for path in files if isinstance(clip := self._read[path][corpus.NAME], Clip)
        }
        filed = [path for path in clips if self._emotion[path] is not None]
        others = [p for p in filed if self._says_otherwise(clips[p], self._emotion[p])]
        if others and len(others) > _CONTRADICTED * len(clips):
            count = "" if len(others) == len(clips) else f"{len(others)} of them "
            return f"{count}lie in folders of other emotions than these names would say".strip()
        if self._own_folder(corpus, files[0]) is not None:
            return ""
        short = getattr(corpus, "SHORT", False)
        if filed:
            beside = self._in_zone[group.zone]
            alike = sum(corpus.NAME in self._read[path] for path in beside) / len(beside)
            if alike < (_NAMED_ALIKE_IF_SHORT if short else _NAMED_ALIKE):
                return "others beside them in the emotions' folders are not named so"
        known = getattr(corpus, "is_known", None)
        if known and sum(map(known, clips.values())) < _KNOWN * len(clips):
            return "the corpus has no such sentences"
        if short and _repeated(clips) > _REPEATED:
            return "the same names are in several folders, of other sound"
        return ""

    @staticmethod
    def _says_otherwise(clip, place):
        meant = words.meaning_within(place.name)
        return clip.emotion != meant


def _readings(path: Path) -> dict[str, Clip | Unused]:
    """What each corpus that knows the name makes of it."""
    found: dict[str, Clip | Unused] = {}
    for corpus in NAMED:
        try:
            clip = corpus.parse(path)
        except Unused as reason:
            found[corpus.NAME] = reason
        else:
            if clip is not None:
                found[corpus.NAME] = clip
    return found


def _repeated(clips: dict[Path, Clip]) -> float:
    """Of the names, the share that folders beside one another have with files of other sizes."""
    sizes: dict[tuple, dict[Path, int]] = defaultdict(dict)
    for path, clip in clips.items():
        key = (path.parent.parent, clip.speaker, clip.sentence, path.suffix.lower())
        try:
            sizes[key][path.parent] = path.stat().st_size
        except OSError:
            continue
    several = [each for each in sizes.values() if len(each) > 1]
    differ = Counter(len(set(each.values())) > 1 for each in several)
    return differ[True] / len(sizes) if sizes else 0.0
