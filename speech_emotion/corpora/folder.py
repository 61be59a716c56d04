"""A user's own recordings: what the folders and the files are called says emotion and speaker.

The label is the name of a folder, in lower case; any set of labels will do. Folders of speakers may lie
above or below it, and in a folder without an emotion's name the label may be a part of the file's. Who speaks
is told, for all recordings together, by the first part of the names that is no emotion, date, number or
recorder's word, or by a folder; and only where that is plausible: else nobody's name is guessed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from speech_emotion import names
from speech_emotion.corpora import sheets, words
from speech_emotion.corpora.clip import Clip, Licence
from speech_emotion.errors import UserError

NAME = "folder"
TITLE = "own recordings"
LICENCE = Licence("the user's own", "")
EXAMPLE = "DIR/<emotion>/<speaker>_<anything>.wav"

UNKNOWN_SPEAKER = "unknown"
"""Of clips of which nobody can tell who speaks: no score for unseen speakers comes from them."""

SPEAKERS_FROM = ("auto", "prefix", "folder", "parent", "none", "regex:PATTERN")

_NO_LABEL = re.compile(
    r"(my |own )?(audio|clips|data|recordings?|samples|sounds|wavs?)|audio ?(data|wav|mp3|files)",
    re.IGNORECASE,
)  # names of folders that cannot be meant as an emotion
_FEW = 8  # clips: of fewer nothing can be said to be implausible
_COVERED = 0.6  # of the clips must have what tells their speakers


@dataclass
class _File:
    """A recording and what its path was found to say."""

    path: Path
    folders: tuple[str, ...]  # below the root
    stem: str
    place: int | None = None  # of the folder that is the emotion
    label: str = ""
    rest: str = ""  # of the name, without the label
    speaker: str = ""
    sex: str = ""
    recording: str = ""

    @property
    def layout(self) -> tuple:
        """Files of one layout are named alike, as far as folders go."""
        return len(self.folders), self.place


@dataclass
class Reading:
    """What was found: clips; files left out, with the reason; sentences for the user."""

    clips: list[Clip] = field(default_factory=list)
    ignored: list[tuple[Path, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_speaker_from(option: str) -> None:
    """UserError where --speaker-from says nothing that there is."""
    if option.startswith("regex:"):
        try:
            pattern = re.compile(option.removeprefix("regex:"))
        except re.error as error:
            raise UserError(
                f"--speaker-from {option}: not a regular expression ({error})"
            ) from None
        if not pattern.groups:
            raise UserError(f"--speaker-from {option}: put the part that is the speaker in ( )")
    elif option not in SPEAKERS_FROM[:-1]:
        raise UserError(f"--speaker-from {option}: give one of {', '.join(SPEAKERS_FROM)}")


def read(paths: Iterable[Path], root: Path, *, speaker_from: str = "auto") -> Reading:
    """Own recordings below `root`, label and speaker inferred from all their names together.

    speaker_from: one of SPEAKERS_FROM. A `speakers.csv` or `labels.csv` above a file goes before everything
    inferred (`sheets`).
    """
    check_speaker_from(speaker_from)
    files = [_File(path, _folders(path, root), path.stem) for path in paths]
    reading = Reading()
    _find_labels(files, speaker_from)
    kept = []
    for file in files:
        why = _flaw(file)
        if why:
            reading.ignored.append((file.path, why))
        else:
            kept.append(file)
    reading.notes += _same_labels(kept)
    said = sheets.Sheets(root, [file.path for file in kept])
    for file in kept:
        file.label = said.label(file.path, file.label)
    _find_speakers(kept, speaker_from, said, root, reading.notes)
    reading.notes += said.notes()
    reading.clips = [
        Clip(f.path, NAME, f.speaker, f.sex, f.label, recording=said.recording(f.path))
        for f in kept
    ]
    return reading


def _folders(path, root):
    return path.relative_to(root).parts[:-1]


# --- labels ----------------------------------------------------------------------------------


def _find_labels(files: list[_File], speaker_from: str) -> None:
    """Sets `place` or `rest`, and `label`, of each file, as far as its path says an emotion."""
    if speaker_from == "parent":
        for file in files:
            file.rest = file.stem
            if len(file.folders) > 1:
                _name(file, len(file.folders) - 2)
        return
    inside = defaultdict(set)  # folder -> names of the folders in it
    for file in files:
        for i, name in enumerate(file.folders):
            inside[file.folders[:i]].add(name)
    share = {
        place: sum(words.meaning_within(name) is not None for name in kids) / len(kids)
        for place, kids in inside.items()
    }
    unplaced = []
    for file in files:
        file.rest = file.stem
        place = _emotion_level(file.folders, inside, share)
        if place is None:
            unplaced.append(file)
        else:
            _name(file, place)
    _labels_in_names(unplaced)
    for file in unplaced:
        if not file.label and file.folders and not _NO_LABEL.fullmatch(file.folders[-1].strip()):
            _name(file, len(file.folders) - 1)


def _name(file, place):
    file.place, file.label = place, label_of(file.folders[place])


def label_of(name: str) -> str:
    """The label that a folder's name is."""
    return words.clean(name).lower()


def _emotion_level(folders, inside, share):
    """Which of a file's folders is called after an emotion, or stands beside such."""
    emotional = [
        i
        for i, name in enumerate(folders)
        if words.meaning_within(name) is not None
        and (i == len(folders) - 1 or (share[folders[:i]] >= 0.5 and len(inside[folders[:i]]) > 1))
    ]
    if emotional:
        return max(emotional, key=lambda i: (share[folders[:i]], i))
    beside = [i for i in range(len(folders)) if share[folders[:i]] >= 0.5]
    return beside[-1] if beside else None


def _labels_in_names(files: list[_File]) -> None:
    """Labels that are a part of the file's name: `happy.anna01.wav`, `anna_happy_01.wav`."""
    groups = defaultdict(list)
    for file in files:
        flat = not file.folders or _NO_LABEL.fullmatch(file.folders[-1].strip())
        groups[(True, file.folders) if flat else (False, file.folders[:-1])].append(file)
    for (flat, _), group in groups.items():
        _labels_before_the_dot(group) if flat and _dotted(group) else _labels_at_a_place(
            group, flat
        )


def _dotted(group):
    """Whether what stands before the first dot is the label, as some tools name: several of several files."""
    first = Counter(label_of(f.stem.partition(".")[0]) for f in group if "." in f.stem)
    known = sum(count for label, count in first.items() if words.meaning(label))
    return len(first) > 1 and sum(first.values()) >= 0.8 * len(group) and known >= 0.5 * len(group)


def _labels_before_the_dot(group):
    for file in group:
        label, dot, rest = file.stem.partition(".")
        if dot:
            file.label, file.rest = label_of(label), rest


def _labels_at_a_place(group, flat):
    parts = {id(file): re.split(r"[\s_.\-]+", file.stem) for file in group}
    for at in (0, 1, 2, 3, -1, -2, -3):
        found = {
            id(file): parts[id(file)][at]
            for file in group
            if -len(parts[id(file)]) <= at < len(parts[id(file)])
        }
        meant = [words.meaning(word) for word in found.values()]
        known = [each for each in meant if each]
        if len(set(known)) > 1 and len(known) >= 0.8 * len(group):
            for file in group:
                word = found.get(id(file), "")
                if words.meaning(word) or (flat and word and not word.isdecimal()):
                    file.label = label_of(re.sub(r"\d+$", "", word))
            return


def _flaw(file: _File) -> str:
    """Why a file is no clip, "" where it is one."""
    if not file.label:
        if not file.folders:
            return "not named like a known corpus, nor in a folder called after its emotion"
        return f"its folder is called '{file.folders[-1]}', not after an emotion"
    if found := names.label_flaw(file.label):
        return f"its label {names.short(file.label)} {found}; rename the folder"
    return ""


def _same_labels(files):
    """Says which folders of differing names are one label."""
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for file in files:
        if file.place is not None:
            spelled[file.label][file.folders[file.place]] += 1
    return [
        f"one label, {names.short(label)}: the folders {_counted(counts)}"
        for label, counts in sorted(spelled.items())
        if len(counts) > 1
    ]


# --- speakers --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """A reading of who speaks: per file a name or None. how: what it was told by, for the user."""

    values: tuple[str | None, ...]
    how: str

    @property
    def people(self) -> list[str | None]:
        return [None if value is None else words.fold(value) for value in self.values]

    @property
    def distinct(self) -> set[str]:
        return {person for person in self.people if person}

    @property
    def covered(self) -> float:
        return sum(bool(value) for value in self.values) / len(self.values)


def implausible(speakers: Sequence[str], labels: Sequence[str]) -> str:
    """Why these cannot be the speakers of clips with these labels, "" where they can.

    Of fewer than eight clips, of one speaker and of one label nothing is said.
    """
    clips, people = len(speakers), set(speakers)
    if clips < _FEW or len(people) < 2:
        return ""
    if len(people) > clips / 2:
        return f"{len(people)} speakers in {clips} clips, hardly two of each"
    if len(set(labels)) < 2:
        return ""
    heard, spoken = defaultdict(set), defaultdict(set)
    for speaker, label in zip(speakers, labels, strict=True):
        heard[speaker].add(label)
        spoken[label].add(speaker)
    if sum(len(heard[speaker]) > 1 for speaker in speakers) < clips / 2:
        return f"most of the {len(people)} speakers would be heard in one emotion only"
    if sum(len(spoken[label]) > 1 for label in labels) < clips / 2:
        return "most emotions would be of one speaker only"
    return ""


def _find_speakers(files, speaker_from, said, root, notes):
    """Sets speaker and sex of each file, and tells how they were found."""
    told = defaultdict(list)  # how -> files
    untold = []  # (files, why)
    listed = [file for file in files if said.has_speakers(file.path)]
    for file in listed:
        file.speaker, file.sex = said.speaker(file.path)
        told[said.whose(file.path)].append(file)
    groups = defaultdict(list)
    for file in files:
        if not said.has_speakers(file.path):
            groups[file.layout].append(file)
    for group in groups.values():
        column, why = _column(group, speaker_from)
        for file, value in zip(
            group, column.values if column else (None,) * len(group), strict=True
        ):
            file.speaker = words.clean(value or "")
        if column:
            told[column.how] += group
        if why:
            untold.append((group, why))
    _same_people(files, notes)
    for file in files:
        file.speaker = file.speaker or UNKNOWN_SPEAKER
    for how, group in told.items():
        notes += _told(how, group)
    for group, why in untold:
        clips = "1 clip" if len(group) == 1 else f"{len(group)} clips"
        notes.append(
            f"cannot tell who speaks in {clips}{why}: no score for unseen speakers comes from them. Say it "
            f"by a speakers.csv (columns file,speaker,sex) in {root}, or by --speaker-from prefix, folder, "
            "parent or regex:..."
        )


def _told(how, group):
    counts = Counter(file.speaker for file in group)
    unknown = counts.pop(UNKNOWN_SPEAKER, 0)
    if counts:
        speakers = "speaker" if len(counts) == 1 else "speakers"
        more = f"; {unknown} clips without one" if unknown else ""
        yield f"{len(counts)} {speakers} of own recordings, told by {how}: {_counted(counts)}{more}"
    pairs = [(file.speaker, file.label) for file in group if file.speaker != UNKNOWN_SPEAKER]
    if why := implausible([s for s, _ in pairs], [label for _, label in pairs]):
        yield f"these speakers are not likely ones: {why}; taken all the same, as you said who speaks"


def _same_people(files, notes):
    """One spelling for each speaker, the most frequent one."""
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for file in files:
        if file.speaker:
            spelled[words.fold(file.speaker)][file.speaker] += 1
    for file in files:
        if file.speaker:
            counts = spelled[words.fold(file.speaker)]
            file.speaker = min(counts, key=lambda name: (-counts[name], name))
    notes += [
        f"one speaker, spelled in several ways: {_counted(counts)}"
        for _, counts in sorted(spelled.items())
        if len(counts) > 1
    ]


def _counted(counts, most=12):
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(
        f"{names.terminal(names.listed([name]))} {count}" for name, count in ordered[:most]
    )
    return shown + (f" and {len(ordered) - most} more" if len(ordered) > most else "")


def _column(group, speaker_from) -> tuple[_Column | None, str]:
    """Who speaks in files of one layout; or None, and why, as the end of a sentence."""
    if speaker_from == "none":
        return None, " (--speaker-from none)"
    if speaker_from != "auto":
        column = _asked(group, speaker_from)
        if not column.distinct:
            return None, f" (nothing in their names is that of --speaker-from {speaker_from})"
        return column, ""
    labels = [
        words.meaning(f.label) or words.emotion_beside_a_name(f.label) or f.label for f in group
    ]
    if len(group) < _FEW:
        prefix = _prefixes(group)
        return (prefix, "") if prefix.distinct else (None, "")
    refused = []

    def likely(column):
        if (
            column.covered < _COVERED
            or len(column.distinct) < 2
            or words.are_sexes(column.distinct)
        ):
            return False
        people = [(p, label) for p, label in zip(column.people, labels, strict=True) if p]
        why = implausible([p for p, _ in people], [label for _, label in people])
        if why:
            refused.append((column, why))
        return not why

    named = next(filter(likely, _in_names(group, labels)), None)
    folder = next(filter(likely, _in_folders(group)), None)
    if named and folder:
        homes = defaultdict(set)
        for person, home in zip(named.people, folder.people, strict=True):
            homes[person].add(home)
        refines = named.covered == 1 and all(len(each) == 1 for each in homes.values())
        return (named if refines else folder), ""
    column = named or folder or _one_person(group) or next(filter(likely, _numbers(group)), None)
    if column is None and refused:
        found, why = refused[0]
        some = names.listed(sorted(found.distinct)[:3])
        return None, f" (by {found.how}, such as {names.terminal(some)}, {why})"
    return column, "" if column else " (their paths name nobody)"


def _asked(group, speaker_from):
    def of_regex(file):
        match = re.search(
            speaker_from.removeprefix("regex:"), "/".join([*file.folders, file.path.name])
        )
        if not match:
            return None
        return match["speaker"] if "speaker" in match.re.groupindex else match[1]

    ways: dict[str, Callable[[_File], str | None]] = {
        "prefix": lambda file: file.stem.partition("_")[0] if "_" in file.stem else None,
        "folder": lambda file: file.folders[file.place - 1] if file.place else None,
        "parent": lambda file: file.folders[-1] if file.folders else None,
    }
    way = ways.get(speaker_from, of_regex)
    values = tuple((way(file) or "").strip() or None for file in group)
    return _Column(values, f"--speaker-from {names.terminal(speaker_from)}")


def _prefixes(group):
    """What stands before the first `_`, where it is nothing but a name."""
    values = []
    for file in group:
        first, underscore, _ = words.without_dates(file.rest).strip().partition("_")
        first = first.strip()
        if (
            not underscore
            or words.is_recorders(first)
            or words.meaning(first) == (words.meaning(file.label) or "")
        ):
            first = ""
        values.append(first if words.fold(first) != words.fold(file.label) else "")
    return _Column(
        tuple(value or None for value in values), "what stands before the first _ of the names"
    )


def _in_names(group, labels):
    """Readings of the names' parts, from the first, without what is surely no person; then the same of parts
    that are written together, such as `AnnaHappy`."""
    emotional = _emotional(group)
    together = [_taken_apart(file) for file in group]
    for rests in ([file.rest for file in group], together):
        pieces = _pieces(rests, emotional)
        for place in range(3):
            values = tuple(each[place] if place < len(each) else None for each in pieces)
            if not any(values):
                break
            firsts = [rest.partition("_") for rest in rests]
            documented = rests is not together and all(
                value is None or (first.strip() == value and underscore)
                for value, (first, underscore, _) in zip(values, firsts, strict=True)
            )
            how = (
                "what stands before the first _ of the names"
                if documented
                else f"the names' {('first', 'second', 'third')[place]} part that can be a person's"
            )
            yield from _spellings(values, labels, how)
        if rests == together:
            return


def _taken_apart(file):
    """A name with blanks where a capital begins a word and around the label."""
    apart = re.sub(r"(?<=[^\W\d_])(?=[A-Z][a-z])", " ", file.rest)
    return re.sub(re.escape(file.label), lambda match: f" {match[0]} ", apart, flags=re.IGNORECASE)


def _emotional(group):
    """The words that stand in names for the emotion of the very files that they are in."""
    seen: Counter[str] = Counter()
    mine: Counter[str] = Counter()
    for file in group:
        label = words.fold(file.label)
        for word in {_numberless(word) for word in re.split(r"[\s_.,;()\[\]+\-]+", file.rest)} - {
            ""
        }:
            seen[word] += 1
            meant = words.meaning(word)
            same = word == label or (meant and meant == words.meaning(label))
            mine[word] += bool(same or (len(word) > 2 and label.startswith(word)))
        if _numberless(file.rest).startswith(label):
            seen[label] += 1
            mine[label] += 1
    return {word for word in seen if mine[word] >= 0.9 * seen[word]}


def _numberless(word):
    return re.sub(r"\d+$", "", words.fold(word)).strip()


def _pieces(rests, emotional):
    """Per name its parts between `_`, of each the words that can be a person's. What stands in every name
    tells nobody from anybody."""
    split = [
        [_words_of(piece, emotional) for piece in words.without_dates(rest).split("_")]
        for rest in rests
    ]
    everywhere = Counter(
        w for parts in split for w in {words.fold(w) for part in parts for w in part}
    )
    found = []
    for parts in split:
        kept = [[w for w in part if everywhere[words.fold(w)] < len(rests)] for part in parts]
        found.append([" ".join(part) for part in kept if part])
    return found


def _words_of(piece, emotional):
    return [
        word
        for word in re.split(r"[\s.,;()\[\]+\-]+", piece)
        if word
        and not word.isdecimal()
        and not (word[0].isdecimal() and len(word) > 3)
        and not words.is_recorders(word)
        and _numberless(word) not in emotional
    ]


def _spellings(values, labels, how):
    """A reading as it stands; without numbers at the ends, which may count takes; by the first word alone."""

    def without_number(value):
        head = value.rstrip("0123456789").strip()
        return head if len(head) > 1 and not words.is_speaker_word(head.split()[-1]) else value

    def counts_takes(column):
        """Whether there is hardly more than one clip of a speaker and an emotion."""
        pairs = Counter((p, label) for p, label in zip(column.people, labels, strict=True) if p)
        return sum(pairs.values()) < 1.5 * len(pairs)

    found = []
    for these in dict.fromkeys((values, tuple(v and v.split()[0] for v in values))):
        whole = _Column(these, how)
        bare = _Column(tuple(v and without_number(v) for v in these), how)
        found += [bare, whole] if len(bare.distinct) > 1 and counts_takes(whole) else [whole, bare]
    yield from sorted(found, key=counts_takes)


def _in_folders(group):
    """Readings of the folders above the emotion's, the nearest first, then of those below, and of the
    emotion's own where it is called after somebody, too; numbered ones, which may be sessions, last."""
    readings = list(_levels(group))
    yield from sorted(
        readings, key=lambda column: words.are_numbered(column.distinct, any_head=True)
    )


def _levels(group):
    place = group[0].place
    depth = len(group[0].folders)
    levels = (
        range(depth) if place is None else (*range(place - 1, -1, -1), *range(place + 1, depth))
    )
    for level in levels:
        values = tuple(file.folders[level] for file in group)
        unlikely = [v for v in set(values) if words.is_no_person(v) or words.meaning(v)]
        if len(unlikely) < len(set(values)) / 2 and not words.are_numbered(set(values)):
            where = "that the clips lie in" if place is None else (
                "above the emotion's" if level < place else "below the emotion's"
            )  # fmt: skip
            yield _Column(values, f"the folder {where}")
    if place is not None and all(words.emotion_beside_a_name(file.label) for file in group):
        yield _Column(
            tuple(
                " ".join(word for word in words.fold(file.label).split() if not words.meaning(word))
                for file in group
            ),
            "the name beside the emotion of the folder",
        )


def _one_person(group):
    """All names begin alike: with a person's name, unless it looks like what a recorder writes."""
    column = _prefixes(group)
    if len(column.distinct) == 1 and column.covered >= _COVERED:
        value = next(value for value in column.values if value)
        if not any(c.isdigit() for c in value) and not (len(value) < 4 and value.isupper()):
            return column
    return None


def _numbers(group):
    """Numbers before the first `_`, where each has several clips of an emotion: a counter has not."""
    values = []
    for file in group:
        first, underscore, _ = words.without_dates(file.rest).strip().partition("_")
        number = first.strip()
        year = re.fullmatch(r"(19|20)\d\d", number)
        fits = underscore and number.isdecimal() and len(number) <= 4 and not year
        values.append(number if fits else None)
    column = _Column(tuple(values), "the number before the first _ of the names")
    labels = [file.label for file in group]
    pairs = Counter((p, label) for p, label in zip(values, labels, strict=True) if p)
    if pairs and sum(pairs.values()) >= 1.5 * len(pairs):
        yield column


# --- labels that may be one ------------------------------------------------------------------


def merge(clips: Sequence[Clip], *, wanted: bool) -> tuple[list[Clip], list[str]]:
    """Labels of own recordings that may be one with others: joined where wanted, and said.

    Returns the clips, and a sentence for each label that there is under several names.
    """
    counts = Counter(clip.emotion for clip in clips)
    own = {clip.emotion for clip in clips if clip.corpus == NAME}
    alike = defaultdict(list)
    for label in sorted(counts):
        meant = words.meaning(label) or words.emotion_beside_a_name(label)
        alike[meant or re.sub(r"\W+", "", words.fold(label)) or label].append(label)
    becomes: dict[str, str] = {}
    said: list[str] = []
    for meant, labels in sorted(alike.items()):
        if len(labels) < 2 or not own & set(labels):
            continue
        target = (
            meant
            if meant in counts or words.meaning(meant)
            else max(labels, key=lambda x: (counts[x], x))
        )
        found = _counted({label: counts[label] for label in labels})
        if wanted:
            becomes |= dict.fromkeys(own & set(labels), target)
            said.append(f"one label now, {names.short(target)}: {found}")
        else:
            said.append(
                f"perhaps one emotion: {found}; kept apart. --merge-labels makes them {names.short(target)}, "
                "or a labels.csv (columns label,means) says what each means"
            )
    return [
        replace(clip, emotion=becomes.get(clip.emotion, clip.emotion))
        if clip.corpus == NAME
        else clip
        for clip in clips
    ], said
