"""A user's own recordings under the names that people give them: labels, speakers, merges, what is said."""

import random
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
import signals
import soundfile
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_corpora import make, reasons
from threadpoolctl import threadpool_limits

from speech_emotion import cli
from speech_emotion.commands import dataset_generator
from speech_emotion.corpora import discover, folder, words
from speech_emotion.dataset import table
from speech_emotion.errors import UserError

WORDS = ("kids", "dogs", "cats", "birds")
OF = dict(zip(("happy", "angry", "neutral", "sad"), ("anna", "ben", "cleo", "dan"), strict=True))
PEOPLE = ("anna", "ben", "cleo", "dan")
EMOTIONS = ("happy", "angry", "neutral", "sad")
CANNOT_TELL = "cannot tell who speaks"


def own(root, name_of, *, people=PEOPLE, emotions=EMOTIONS, clips=4):
    """Empty files: name_of(emotion, speaker, i) -> path."""
    return make(root, *(name_of(e, s, i) for e in emotions for s in people for i in range(clips)))


def found(root, **options):
    result = discover(root, **options)
    assert all(clip.corpus == "folder" for clip in result.clips)
    return result


def speakers(result):
    return dict(Counter(clip.speaker for clip in result.clips))


def labels(result):
    return dict(Counter(clip.emotion for clip in result.clips))


# --- who speaks -------------------------------------------------------------------------------

SAID = {
    "documented": lambda e, s, i: f"{e}/{s}_{i:02d}.wav",
    "the emotion first": lambda e, s, i: f"{e}/{e}_{s}_{i:02d}.wav",
    "the emotion's code first": lambda e, s, i: f"{e}/{e[:3].upper()}_{s}_{i:02d}.wav",
    "the emotion last": lambda e, s, i: f"{e}/{s}_{i:02d}_{e}.wav",
    "the emotion as another word": lambda e, s, i: f"{e}/{ {'sad': 'sadness'}.get(e, e)}-{s}-{i}.wav",
    "folders of speakers": lambda e, s, i: f"{s}/{e}/{i:02d}.wav",
    "folders of speakers, the emotion's word in names": lambda e, s, i: f"{s}/{e}/{e}_{i:02d}.wav",
    "folders of speakers, sentences in names": lambda e, s, i: f"{s}/{e}/sentence{i}_take1.wav",
    "folders of speakers, words in names": lambda e, s, i: f"{s}/{e}/{WORDS[i]}_1.wav",
    "folders of speakers below": lambda e, s, i: f"{e}/{s}/{i:02d}.wav",
    "folders of speakers, numbered": lambda e, s, i: f"0{len(s)} {s}/{len(e)}_{e}/{i}.wav",
    "folders of speakers, files of emotions": lambda e, s, i: f"{s}/{e}_{i:02d}.wav",
    "folders of emotions, in data": lambda e, s, i: f"data/{e}/{s}_{i:02d}.wav",
    "folders of splits": lambda e, s, i: f"{('train', 'test')[i % 2]}/{e}/{s}_{i:02d}.wav",
    "folders of sessions": lambda e, s, i: f"session{i}/{e}/{s}_{i:02d}.wav",
    "folders of days": lambda e, s, i: f"2024-05-0{i + 1}/{e}/{s}.wav",
    "a date in front": lambda e, s, i: f"{e}/2024-05-{1 + i:02d}_{s}.wav",
    "a date and a time in front": lambda e, s, i: f"{e}/20240501_12{i}000_{s}.wav",
    "a day behind": lambda e, s, i: f"{e}/{s} 01.05.2024 {i}.wav",
    "a recorder's word in front": lambda e, s, i: f"{e}/Recording_{s}_{i}.wav",
    "a recorder's words in front": lambda e, s, i: f"{e}/New Recording {i} ({s}).wav",
    "flat, the label before a dot": lambda e, s, i: f"{e}.{s}{i}.wav",
    "flat, the label in the middle": lambda e, s, i: f"{s}_{e}_{i}.wav",
    "flat in a folder of recordings": lambda e, s, i: f"recordings/{s}-{e}-{i}.wav",
    "numbers at the names": lambda e, s, i: f"{e}/{s}{i}.wav",
    "capitals": lambda e, s, i: f"{e.upper()}/{s.capitalize() if i % 2 else s}_{i:02d}.wav",
    "numbered speakers": lambda e, s, i: f"{e}/s0{PEOPLE.index(s)}_{i}.wav",
    "numbers of speakers": lambda e, s, i: f"{e}/{PEOPLE.index(s) + 1:02d}_{i:02d}.wav",
    "folders of numbers": lambda e, s, i: f"{PEOPLE.index(s) + 1:02d}/{e}/{i}.wav",
    "a project's name in front": lambda e, s, i: f"{e}/kitchen_{s}_{i}.wav",
    "written together": lambda e, s, i: f"{e}/{s.capitalize()}{e.capitalize()}{i}.wav",
    "written together, in small letters": lambda e, s, i: f"{e}/{e}{s}{i}.wav",
    "folders of projects": lambda e, s, i: f"project{'AB'[i % 2]}/{e}/{s}_{i}.wav",
    "days by the week": lambda e, s, i: f"{e}/{('Monday', 'Tuesday')[i % 2]}_{s}_{i}.wav",
    "days in words": lambda e, s, i: f"{e}/{i + 1} May 2024_{s}.wav",
    "times": lambda e, s, i: f"{e}/1{i}h30_{s}.wav",
    "a sex in front": lambda e, s, i: f"{e}/{'fm'[len(s) % 2]}_{s}_{i}.wav",
    "an age in front": lambda e, s, i: f"{e}/2{len(s)}_{s}_{i}.wav",
    "identifiers": lambda e, s, i: f"{e}/P00{PEOPLE.index(s)}-T{i:02d}-{e[:1].upper()}.wav",
    "sessions above speakers": lambda e, s, i: f"S{i}/{s}/{e}/x.wav",
    "sessions below speakers": lambda e, s, i: f"{s}/S{i}/{e}/x.wav",
    "sessions below speakers below": lambda e, s, i: f"{e}/{s}/S{i}/x.wav",
    "a tool's number behind": lambda e, s, i: f"{('training', 'testing')[i % 2]}/{e}.{s}{i}.wav.{i}a{i}.wav",
    "AudioData above": lambda e, s, i: f"AudioData/{e}/{s}_{i}.wav",
    "AudioWAV above": lambda e, s, i: f"AudioWAV/{e}/{s}_{i}.wav",
}  # fmt: skip


@pytest.mark.parametrize("name_of", SAID.values(), ids=SAID)
def test_speakers_where_the_path_says_who_speaks(name_of, tmp_path):
    result = found(own(tmp_path, name_of))
    assert labels(result) == dict.fromkeys(map(label_of(result), EMOTIONS), 16)
    assert sorted(speakers(result).values()) == [16] * 4
    assert not {words.fold(speaker) for speaker in speakers(result)} & set(EMOTIONS)
    (said,) = [
        note for note in result.notes if note.startswith("4 speakers of own recordings, told by ")
    ]
    assert all(f"{speaker} 16" in said for speaker in speakers(result))


def label_of(result):
    """Folders may be numbered: 0_happy."""
    there = {clip.emotion for clip in result.clips}
    return lambda emotion: next((label for label in there if label.endswith(emotion)), emotion)


NOT_SAID = {
    "numbers alone": lambda e, s, i: f"{e}/{PEOPLE.index(s) * 4 + i:03d}.wav",
    "a recorder's number": lambda e, s, i: f"{e}/rec_{e[:1]}{s}{i}.wav",
    "a recorder's name": lambda e, s, i: f"{e}/DW_A{EMOTIONS.index(e)}{PEOPLE.index(s)}{i:02d}.wav",
    "days and times": lambda e, s, i: f"{e}/2024-05-0{i + 1} 12-{EMOTIONS.index(e)}{PEOPLE.index(s)}-00.wav",
    "days": lambda e, s, i: f"{e}/2024050{i + 1}_{PEOPLE.index(s)}.wav",
    "days as folders": lambda e, s, i: f"2024-05-0{i + 1}/{e}/{PEOPLE.index(s)}.wav",
    "the emotion's word and a number": lambda e, s, i: f"{e}/{e}_{PEOPLE.index(s) * 4 + i:02d}.wav",
    "the emotion's word in another form": lambda e, s, i: f"{e}/{e[:3]}{PEOPLE.index(s) * 4 + i:02d}_x.wav",
    "one clip of each": lambda e, s, i: f"{e}/{s}{e[0]}{i}_a.wav",
    "a class per person": lambda e, s, i: f"{e}/{OF[e]}_{PEOPLE.index(s)}{i}.wav",
    "random names": lambda e, s, i: f"{e}/{random.Random(e + s + str(i)).randbytes(8).hex()}.wav",
    "a phone's names": lambda e, s, i: f"{e}/AUD-2024050{i + 1}-WA00{PEOPLE.index(s)}{EMOTIONS.index(e)}.wav",
    "days in words": lambda e, s, i: f"{e}/{i + 1}May2024_{PEOPLE.index(s)}.wav",
    "a sex alone": lambda e, s, i: f"{e}/{'fm'[len(s) % 2]}_{PEOPLE.index(s)}{i}.wav",
    "TASCAM's names": lambda e, s, i: f"{e}/TASCAM_{PEOPLE.index(s) * 4 + i:04d}S{i}.wav",
    "ZOOM's names": lambda e, s, i: f"{e}/ZOOM{PEOPLE.index(s) * 4 + i:04d}_LR.wav",
    "a German recorder's names": lambda e, s, i: f"{e}/Neue Aufnahme {PEOPLE.index(s) * 4 + i}.wav",
    "prompts": lambda e, s, i: f"{e}/prompt{i}_{PEOPLE.index(s)}.wav",
    "a counter in front": lambda e, s, i: f"{e}/{PEOPLE.index(s) * 4 + i:02d}_hello.wav",
}  # fmt: skip


@pytest.mark.parametrize("name_of", NOT_SAID.values(), ids=NOT_SAID)
def test_nobodys_name_is_guessed_where_the_path_does_not_say(name_of, tmp_path):
    result = found(own(tmp_path, name_of))
    assert labels(result) == dict.fromkeys(EMOTIONS, 16)
    assert set(speakers(result)) == {folder.UNKNOWN_SPEAKER}
    (said,) = [note for note in result.notes if note.startswith(CANNOT_TELL)]
    assert "no score for unseen speakers" in said
    assert "speakers.csv" in said and "--speaker-from" in said and str(tmp_path) in said


def test_one_person_is_one_speaker(tmp_path):
    result = found(own(tmp_path, SAID["documented"], people=["anna"]))
    assert speakers(result) == {"anna": 16}
    assert "1 speaker of own recordings" in result.notes[0]


def test_a_person_called_like_an_emotion_is_a_person(tmp_path):
    result = found(own(tmp_path, SAID["documented"], people=["joy", "ben"]))
    assert speakers(result) == {"joy": 16, "ben": 16}
    result = found(
        own(tmp_path / "below", SAID["folders of speakers below"], people=["joy", "ben", "cleo"])
    )
    assert speakers(result) == {"joy": 16, "ben": 16, "cleo": 16}


def test_some_names_without_a_speaker_are_said(tmp_path):
    own(tmp_path, SAID["documented"])
    make(tmp_path, "happy/01.wav", "sad/02.wav")
    result = found(tmp_path)
    assert speakers(result) == dict.fromkeys(PEOPLE, 16) | {"unknown": 2}
    assert any("2 clips without one" in note for note in result.notes)


def test_spellings_of_one_name_are_one_speaker_and_said(tmp_path):
    names = {"anna": ["anna", "Anna", "ANNA", "an\u0303na"], "ben": ["ben"] * 4}
    names["anna"][3] = "anna"
    result = found(
        own(tmp_path, lambda e, s, i: f"{e}/{names[s][i]}_{i}.wav", people=["anna", "ben"])
    )
    assert speakers(result) == {"anna": 16, "ben": 16}
    assert "one speaker, spelled in several ways: anna 8, ANNA 4, Anna 4" in result.notes
    zoe = ("zo\u00eb", "zoe\u0308")
    composed = found(own(tmp_path / "b", lambda e, s, i: f"{e}/{zoe[i % 2]}_{i}.wav", people=["x"]))
    assert speakers(composed) == {"zoë": 16}


def test_two_ways_of_naming_side_by_side(tmp_path):
    own(tmp_path / "one", SAID["documented"])
    own(tmp_path / "two" / "deeper", SAID["folders of speakers"], people=["Eve", "Anna"])
    result = found(tmp_path)
    assert speakers(result) == {"Anna": 32, "ben": 16, "cleo": 16, "dan": 16, "Eve": 16}


names = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), min_size=3, max_size=8).filter(
    lambda name: not (words.meaning(name) or words.is_recorders(name) or words.is_no_person(name))
)


of_anybody = sorted(
    style
    for style in SAID
    if not re.search(
        "number|sex|age|identifiers|another word|code|capitals|sessions|days|together|times", style
    )
)
emotion_words = st.sampled_from(["happy", "angry", "Trauer", "高兴", "joie", "calm", "Fear"])


@given(
    people=st.lists(names, min_size=2, max_size=8, unique=True),
    emotions=st.lists(emotion_words, min_size=2, max_size=5, unique_by=words.meaning),
    style=st.sampled_from(of_anybody),
)
@settings(max_examples=60, deadline=None)
def test_whoever_speaks_whatever_the_emotions(people, emotions, style, tmp_path_factory):
    assume(
        not {p[:3] for p in people} & {words.fold(e)[:3] for e in emotions}
        | {"kitchen"} & set(people)
    )
    root = own(tmp_path_factory.mktemp("own"), SAID[style], people=people, emotions=emotions)
    result = found(root)
    assert speakers(result) == dict.fromkeys(people, 4 * len(emotions)), (style, result.notes)
    assert labels(result) == dict.fromkeys(map(folder.label_of, emotions), 4 * len(people))


# --- the user says it -------------------------------------------------------------------------


def test_speakers_csv_goes_before_everything(tmp_path):
    own(tmp_path, NOT_SAID["numbers alone"])
    paths = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.wav"))
    lines = [
        f"{path},{'Eve' if i % 2 else 'Finn'},{'f' if i % 2 else 'Male'}"
        for i, path in enumerate(paths)
    ]
    (tmp_path / "speakers.csv").write_text(
        "\ufefffile,speaker,sex\n" + "\n".join(lines[1:]) + "\ngone.wav,x,\n"
    )
    result = found(tmp_path)
    assert speakers(result) == {"Eve": 32, "Finn": 31, "unknown": 1}
    assert {(clip.speaker, clip.sex) for clip in result.clips} == {
        ("Eve", "f"),
        ("Finn", "m"),
        ("unknown", ""),
    }
    said = "\n".join(result.notes)
    assert "told by speakers.csv: Eve 32, Finn 31; 1 clips without one" in said
    assert f"does not name 1 clips, '{paths[0]}' first" in said and "'gone.wav' first" in said


def test_a_speakers_csv_speaks_for_its_folder_only_and_a_spreadsheet_may_write_it(tmp_path):
    own(tmp_path / "a", SAID["documented"])
    own(tmp_path / "b", NOT_SAID["numbers alone"])
    rows = [
        f"{p.relative_to(tmp_path / 'b')}".replace("/", "\\")
        for p in (tmp_path / "b").rglob("*.wav")
    ]
    table = "File;Speaker\r\n" + "".join(f"{row};Eve\r\n" for row in rows)
    (tmp_path / "b" / "speakers.csv").write_bytes(table.encode())
    assert speakers(found(tmp_path)) == dict.fromkeys(PEOPLE, 16) | {"Eve": 64}


@pytest.mark.parametrize(
    "table, said",
    [
        ("path,who\na,b\n", "no column 'file'"),
        ("", "no column 'file'"),
        ("file,speaker,sex\na.wav,x,blue\n", "line 2: sex 'blue'"),
        ("file,speaker\na.wav,x\na.wav,y\n", "line 3: 'a.wav' is there twice"),
        ("file,speaker\na.wav\n", "line 2: 1 cells"),
        ("file,speaker\n,x\n", "line 2: names no file"),
        (b"file,speaker\na.wav,\xff\n", "cannot be read as UTF-8"),
    ],
)
def test_a_wrong_speakers_csv_is_one_line(table, said, tmp_path):
    own(tmp_path, SAID["documented"])
    (tmp_path / "speakers.csv").write_bytes(table if isinstance(table, bytes) else table.encode())
    with pytest.raises(UserError) as error:
        discover(tmp_path)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "option, name_of",
    [
        ("prefix", lambda e, s, i: f"{e}/{s}_{i}.wav"),
        ("folder", lambda e, s, i: f"{s}/{e}/hello_{i}.wav"),
        ("folder", lambda e, s, i: f"session {s}/{e}/hello_{i}.wav"),
        ("parent", lambda e, s, i: f"{EMOTIONS.index(e)}x/{s}/hello_{i}.wav"),
        (r"regex:rec_.([a-z]+)\d", lambda e, s, i: f"{e}/rec_{e[:1]}{s}{i}.wav"),
        (r"regex:(?:x)?/(?P<speaker>[a-z]+)[^/]*$", lambda e, s, i: f"{e}/{s}{i}{e}.wav"),
    ],
)  # fmt: skip
def test_speaker_from(option, name_of, tmp_path):
    result = found(own(tmp_path, name_of), speaker_from=option)
    assert {s.removeprefix("session ") for s in speakers(result)} <= {
        *PEOPLE,
        *(f"{p}" for p in PEOPLE),
    }
    assert (
        sorted(speakers(result).values()) == [16] * 4
        and sorted(labels(result).values()) == [16] * 4
    )
    assert "--speaker-from" in result.notes[0]


def test_speaker_from_none_and_what_is_not_likely_is_said(tmp_path):
    own(tmp_path, SAID["the emotion first"])
    assert set(speakers(found(tmp_path, speaker_from="none"))) == {"unknown"}
    result = found(tmp_path, speaker_from="prefix")
    assert set(speakers(result)) == set(EMOTIONS)
    assert any("not likely ones" in note and "one emotion only" in note for note in result.notes)


@pytest.mark.parametrize("option", ["", "perfix", "regex:(", "regex:abc", "auto "])
def test_a_wrong_speaker_from_is_one_line(option, tmp_path):
    with pytest.raises(UserError, match="--speaker-from"):
        discover(own(tmp_path, SAID["documented"]), speaker_from=option)


# --- labels -----------------------------------------------------------------------------------


def test_merges_are_proposed_and_done_when_asked_for(tmp_path):
    other = {"sad": "Sadness", "happy": "Happiness", "angry": "Anger"}
    own(tmp_path, lambda e, s, i: f"{other.get(e, e) if s in 'anna ben' else e}/{s}_{i}.wav")
    result = found(tmp_path)
    assert len(labels(result)) == 7 and labels(result)["anger"] == 8
    proposals = [note for note in result.notes if note.startswith("perhaps one emotion")]
    assert len(proposals) == 3 and "anger 8, angry 8" in proposals[0]
    assert all("--merge-labels" in each and "labels.csv" in each for each in proposals)
    merged = found(tmp_path, merge_labels=True)
    assert labels(merged) == dict.fromkeys(EMOTIONS, 16)
    assert "one label now, 'angry': anger 8, angry 8" in merged.notes


def test_folders_of_an_emotion_and_a_name_are_proposed_to_be_the_emotion(tmp_path):
    own(
        tmp_path,
        lambda e, s, i: f"{s}_{e}/{i}.wav",
        people=["anna", "ben"],
        emotions=["happy", "sad"],
    )
    result = found(tmp_path)
    assert set(labels(result)) == {"anna_happy", "ben_happy", "anna_sad", "ben_sad"}
    assert any("anna_happy 4, ben_happy 4; kept apart" in note for note in result.notes)
    assert labels(found(tmp_path, merge_labels=True)) == {"happy": 8, "sad": 8}
    assert speakers(result) == {"anna": 8, "ben": 8}


def test_feelings_that_no_corpus_has_are_labels_too(tmp_path):
    others = ["excited", "stressed", "lonely"]
    result = found(own(tmp_path, SAID["folders of speakers below"], emotions=others))
    assert labels(result) == dict.fromkeys(others, 16) and speakers(result) == dict.fromkeys(
        PEOPLE, 12
    )


def test_labels_csv_says_what_a_label_means(tmp_path):
    own(tmp_path, SAID["documented"], emotions=["very happy", "very-happy", "calm", "neutral"])
    result = found(tmp_path)
    assert len(labels(result)) == 4 and "calm" in labels(result)
    assert any("very happy 16, very-happy 16; kept apart" in note for note in result.notes)
    (tmp_path / "labels.csv").write_text("label,means\nVery Happy,happy\nvery-happy,Happy\n")
    assert labels(found(tmp_path)) == {"happy": 32, "calm": 16, "neutral": 16}
    (tmp_path / "labels.csv").write_text("label,means\ncalm,\n")
    with pytest.raises(UserError, match="line 2: label '' is empty"):
        discover(tmp_path)


def test_own_labels_beside_a_corpus(tmp_path):
    make(tmp_path, "Crema/1001_DFA_ANG_XX.wav", "Crema/1001_DFA_HAP_XX.wav")
    own(tmp_path / "mine", SAID["documented"], emotions=["anger", "calm"])
    result = discover(tmp_path)
    assert labels(result) == {"angry": 1, "happy": 1, "anger": 16, "calm": 16}
    assert any("anger 16, angry 1" in note for note in result.notes)
    merged = discover(tmp_path, merge_labels=True)
    assert labels(merged) == {"angry": 17, "happy": 1, "calm": 16}
    assert {clip.emotion for clip in merged.clips if clip.corpus == "cremad"} == {"angry", "happy"}


def test_folders_of_one_label_are_said(tmp_path):
    folders = ("Angry", "angry", " sad", "sad ", "fr\u00f6h", "fro\u0308h")
    make(tmp_path, *(f"{name}/a_{i}.wav" for i, name in enumerate(folders)))
    result = found(tmp_path)
    assert labels(result) == {"angry": 2, "sad": 2, "fröh": 2}
    assert "one label, 'angry': the folders Angry 1, angry 1" in result.notes


@pytest.mark.parametrize("name", ["x" * 101, "高" * 34, "\x1b[2Jred"])
def test_a_folder_that_can_be_no_label_is_said(name, tmp_path):
    make(tmp_path, f"{name}/anna_1.wav", "happy/anna_1.wav")
    result = found(tmp_path)
    assert labels(result) == {"happy": 1}
    (why,) = reasons(result, tmp_path).values()
    assert why.startswith("its ") and why.isprintable()


# --- whose scheme it is -----------------------------------------------------------------------


def scheme(names, tmp_path, **expected):
    result = discover(make(tmp_path, *names))
    return Counter(clip.corpus for clip in result.clips), result


def test_names_like_savees_in_folders_of_other_emotions_are_own(tmp_path):
    names = [f"{e}/{s}_a{i:02d}.wav" for e in EMOTIONS for s in ("JK", "KL") for i in range(1, 3)]
    corpora, result = scheme(names, tmp_path)
    assert corpora == {"folder": 16} and labels(result) == dict.fromkeys(EMOTIONS, 4)
    assert speakers(result) == {"JK": 8, "KL": 8}
    assert any("SAVEE" in note and "read as own recordings" in note for note in result.notes)


@pytest.mark.parametrize(
    "names, corpora",
    [
        # sentences that SAVEE has not
        ([f"angry/{s}_a{i:02d}.wav" for s in ("JK", "KL") for i in (0, 16, 17, 18)], {"folder": 8}),
        # only some of the files are named so
        ([f"angry/{s}_{i:02d}.wav" for s in ("anna", "ben") for i in range(8)] + ["angry/DC_a01.wav"],
         {"folder": 17}),
        (["happy/JK_h01.wav", "happy/JK_h02.wav", "angry/JK_a01.wav", "sad/JK_s01.wav", "sad/JK_s02.wav"],
         {"folder": 5}),
        # sorted into folders of their own emotions
        ([f"{e}/{s}_{e[0]}{i:02d}.wav" for e in ("angry", "happy") for s in ("DC", "JE") for i in (1, 2)],
         {"savee": 8}),
        ([f"{e}/{a}_{s}_{e[:3].upper()}_XX.wav" for e in ("angry", "happy") for a in (1001, 1002)
          for s in ("DFA", "IWW")], {"cremad": 8}),
        (["AudioData/DC/a01.wav", "AudioData/KL/su01.wav"], {"savee": 2}),
        # a RAVDESS whose calm somebody counts as neutral
        ([f"{f}/03-01-{e}-01-01-01-{a:02d}.wav" for f, e in (("neutral", "01"), ("neutral", "02"),
          ("happy", "03"), ("sad", "04"), ("angry", "05"), ("fear", "06")) for a in range(1, 5)],
         {"ravdess": 24}),
    ],
)  # fmt: skip
def test_a_scheme_counts_where_the_whole_bears_it_out(names, corpora, tmp_path):
    assert scheme(names, tmp_path)[0] == corpora


def test_own_recordings_in_folders_called_like_a_corpus(tmp_path):
    own(tmp_path / "AudioData", SAID["documented"])
    own(tmp_path, SAID["folders of speakers"], people=["Tess", "Anna"])
    result = found(tmp_path)
    assert len(result.clips) == 64 + 32 and not result.ignored


def test_a_corpus_is_not_disturbed_by_own_recordings_beside_it(tmp_path):
    crema = [f"Crema/{a}_{s}_ANG_XX.wav" for a in (1001, 1002) for s in ("DFA", "IWW")]
    make(tmp_path, *crema, "Crema/happy/strange.wav")
    own(tmp_path, SAID["documented"])
    result = discover(tmp_path)
    assert Counter(clip.corpus for clip in result.clips) == {"cremad": 4, "folder": 64}
    assert reasons(result, tmp_path) == {
        "Crema/happy/strange.wav": "inside the corpus cremad, but not named like its files"
    }


# --- what is no sound -------------------------------------------------------------------------


def test_stubs_are_called_what_they_are(tmp_path):
    make(tmp_path, "Crema/1001_DFA_ANG_XX.wav")
    stub = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 75000\n"
    (tmp_path / "Crema" / "1002_DFA_HAP_XX.wav").write_text(stub)
    (tmp_path / "Crema" / "1002_DFA_SAD_XX.wav").write_text(
        "/annex/objects/SHA256E-s75000--00.wav\n"
    )
    result = discover(tmp_path)
    assert len(result.clips) == 1
    said = reasons(result, tmp_path)
    assert (
        "git-lfs" in said["Crema/1002_DFA_HAP_XX.wav"]
        and "git lfs pull" in said["Crema/1002_DFA_HAP_XX.wav"]
    )
    assert "git annex get" in said["Crema/1002_DFA_SAD_XX.wav"]
    (tmp_path / "Crema" / "1001_DFA_ANG_XX.wav").write_text(stub)
    with pytest.raises(UserError, match="git-lfs"):
        discover(tmp_path)


# --- words ------------------------------------------------------------------------------------


def test_words_mean_one_emotion_and_whatever_people_write():
    forms = Counter(words.fold(w) for text in words._EMOTIONS.values() for w in text.split())
    assert [form for form, count in forms.items() if count > 1] == []
    for word, emotion in {
        "Happiness": "happy", "01_Anger": "angry", "3 sad": "sad", "SURPRISED": "surprise", "Wut": "angry",
        "froehlich": None, "fröhlich": "happy", "fro\u0308hlich": "happy", "colere": "angry", "悲伤": "sad",
        "грусть": "sad", "anna": None, "may": None, "ps": "surprise", "Pleasant_surprise": "surprise",
    }.items():  # fmt: skip
        assert words.meaning(word) == emotion, word
    assert (
        words.meaning_within("OAF_Fear") == "fear" and words.meaning_within("very happy") == "happy"
    )
    assert words.meaning_within("not happy") is None and words.meaning_within("happy sad") is None


@pytest.mark.parametrize(
    "name",
    [
        "2024-05-01",
        "20240501_123456",
        "5 May 2024",
        "train",
        "Session 3",
        "mic2",
        "May 3",
        "01.05.24",
        "day1",
    ],
)
def test_folders_of_nobody(name):
    assert words.is_no_person(name)


@pytest.mark.parametrize("name", ["anna", "01", "S01", "speaker 3", "May", "p03", "高", "Actor_01"])
def test_folders_of_somebody(name):
    assert not words.is_no_person(name)


def test_paths_are_not_touched(tmp_path):
    own(tmp_path, SAID["capitals"])
    assert {clip.path for clip in found(tmp_path).clips} == set(Path(tmp_path).rglob("*.wav"))


# --- the table, and what the screen says ------------------------------------------------------


@pytest.fixture
def generate(tmp_path, monkeypatch, capsys):
    """dataset_generator.py in this process on tmp_path/own: exit code, what it printed, the table's clips."""

    def run(*arguments):
        out = tmp_path / "out"
        monkeypatch.setattr(
            sys, "argv",
            ["dataset_generator.py", "--corpora", str(tmp_path / "own"), "--out", str(out), "--engine",
             "device", "--jobs", "1", *arguments],
        )  # fmt: skip
        with pytest.raises(SystemExit) as ended, threadpool_limits(1):
            cli.run(dataset_generator.main)
        said = capsys.readouterr()
        clips = table.read(out / "features.csv").clips if ended.value.code == 0 else None
        return ended.value.code, said.out + said.err, clips

    return run


def record(root, name_of, **options):
    own(root, name_of, **options)
    for seed, path in enumerate(sorted(root.rglob("*.wav"))):
        soundfile.write(path, signals.voice(8080, period=90 + 3 * seed, seed=seed), 16000)


def test_what_was_inferred_is_shown_and_stands_in_the_table(generate, tmp_path):
    root = tmp_path / "own"
    other = {"happy": "Happiness"}
    record(root, lambda e, s, i: f"{other.get(e, e) if s == 'ben' else e}/{e}_{s}_{i}.wav",
           people=["anna", "ben"], emotions=["happy", "sad"], clips=2)  # fmt: skip
    shutil.copy(root / "sad" / "sad_anna_0.wav", root / "sad" / "sad\rnew\x1b[2J_1.wav")
    (root / "sad" / "stub.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    (root / "sad" / "film.mp4").touch()
    code, said, clips = generate()
    assert code == 0 and "\x1b" not in said and "\r" not in said
    assert "2 speakers of own recordings" in said and "anna 4, ben 4" in said
    assert "perhaps one emotion: happiness 2, happy 2; kept apart. --merge-labels" in said
    assert "passed over: sad/stub.wav: a pointer of git-lfs" in said
    assert "its name holds the control character U+000D; rename it" in said
    assert re.search(r"speakers\nfolder .* 2\n", said)
    assert Counter(clips["emotion"]) == {"happy": 2, "happiness": 2, "sad": 4}
    assert Counter(clips["speaker"]) == {"anna": 4, "ben": 4}
    code, said, clips = generate("--merge-labels")
    assert "one label now, 'happy'" in said and Counter(clips["emotion"]) == {"happy": 4, "sad": 4}
    code, said, clips = generate("--speaker-from", "none")
    assert set(clips["speaker"]) == {"unknown"} and CANNOT_TELL in said and " ?\n" in said
    code, said, _ = generate("--speaker-from", "nobody")
    assert code == 2 and said.startswith(
        "error: --speaker-from nobody: give one of auto, prefix, folder"
    )
