"""Readers and discovery: every published layout, every known trap, all the real clips."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import parselmouth
import pytest
import soundfile

from speech_emotion.corpora import EMOTIONS, discover, licences, registry, synthetic
from speech_emotion.corpora.cremad import FIRST_ACTOR, SEX
from speech_emotion.errors import UserError

# VideoDemographics.csv of CREMA-D, the actors with "Female".
CREMAD_WOMEN = {
    *(1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025),
    *(1028, 1029, 1030, 1037, 1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060),
    *(1061, 1063, 1072, 1073, 1074, 1075, 1076, 1078, 1079, 1082, 1084, 1089, 1091),
}
RAVDESS_ORDER = ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"]


def make(root: Path, *names: str) -> Path:
    """Empty files under `root`: discovery reads names, not sound."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def only(root: Path):
    """The one clip under `root`."""
    found = discover(root)
    assert found.ignored == []
    (clip,) = found.clips
    return clip


def facts(clip) -> tuple[str, ...]:
    return clip.corpus, clip.speaker, clip.sex, clip.emotion, clip.sentence, clip.intensity


def reasons(found, root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): why for path, why in found.ignored}


# ---- one name at a time -----------------------------------------------------------------------

# path, corpus, speaker, sex, emotion, sentence, intensity
NAMES = """
Ravdess/audio_speech_actors_01-24/Actor_12/03-01-05-01-02-01-12.wav ravdess 12 f angry 02 normal
Actor_11/03-01-08-02-01-02-11.wav                  ravdess 11 m surprise 01 strong
03-01-02-02-01-01-24.wav                           ravdess 24 f calm 01 strong
renamed/03-01-01-01-01-01-01.flac                  ravdess 01 m neutral 01 normal
RAVDESS/ACTOR_03/03-01-06-01-02-02-03.WAV          ravdess 03 m fear 02 normal
Crema/1001_DFA_ANG_XX.wav                          cremad 1001 m angry DFA -
CREMA-D/AudioWAV/1002_IEO_DIS_LO.wav               cremad 1002 f disgust IEO low
AudioWAV/1091_IEO_FEA_MD.wav                       cremad 1091 f fear IEO medium
1090_IEO_HAP_HI.ogg                                cremad 1090 m happy IEO high
crema/1040_ITH_SAD_X.wav                           cremad 1040 m sad ITH -
AudioMP3/1001_wsi_neu_xx.mp3                       cremad 1001 m neutral WSI -
Savee/DC_a01.wav                                   savee DC m angry a01 -
Savee/JE_sa15.wav                                  savee JE m sad sa15 -
AudioData/KL/su07.wav                              savee KL m surprise su07 -
JK/n30.wav                                         savee JK m neutral n30 -
Tess/OAF_angry/OAF_back_angry.wav                  tess OAF f angry back -
TESS/OAF_neutral/OA_bite_neutral.wav               tess OAF f neutral bite -
YAF_pleasant_surprised/YAF_dog_ps.wav              tess YAF f surprise dog -
TESS Toronto emotional speech set data/OAF_Sad/OAF_back_sad.wav tess OAF f sad back -
YAF_youth_disgust.wav                              tess YAF f disgust youth -
wav/03a01Fa.wav                                    emodb 03 m happy a01 -
EmoDB/16b10Wb.wav                                  emodb 16 f angry b10 -
08a02Ac.wav                                        emodb 08 f fear a02 -
11b09Td.wav                                        emodb 11 m sad b09 -
nEMO/samples/EB0_anger_10.flac                     nemo EB0 - angry 10 -
samples/WR0_surprised_3.wav                        nemo WR0 - surprise 3 -
URDU/Angry/SM1_F10_A010.wav                        urdu M1 m angry - -
Urdu-Dataset-master/Neutral/SF12_F3_N0100.wav      urdu F12 f neutral - -
EMOVO/f1/dis-f1-b1.wav                             emovo f1 f disgust b1 -
emovo/m3/tri-m3-l4.wav                             emovo m3 m sad l4 -
ASED/01Neutral/n1-01-01-01-01.wav                  ased 01 f neutral n1-01 -
Angry/a5-03-01-02-50.wav                           ased 50 m angry a5-03 -
TurEV-DB/Sound Source/Angry/1157_kz_beste.wav      turev 1157 - angry beste -
Sound Source/Happy/1234_mt_algi.wav                turev 1234 - happy algi -
mine/Grumpy/anna_3_x.wav                           folder anna - grumpy - -
angry/take1.wav                                    folder unknown - angry - -
angry/_take1.mp3                                   folder unknown - angry - -
"""


@pytest.mark.parametrize("line", NAMES.strip().splitlines())
def test_a_name_says_everything(tmp_path, line):
    name, *expected = line.rsplit(maxsplit=6)
    clip = only(make(tmp_path, name.strip()))
    assert clip.path == tmp_path / name.strip()
    assert facts(clip) == tuple("" if field == "-" else field for field in expected)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Actor_01/03-02-05-01-02-01-01.wav", "song"),
        ("Actor_01/01-01-05-01-02-01-01.wav", "video"),
        ("Actor_25/03-01-05-01-02-01-25.wav", "01 to 24"),
        ("Crema/1092_DFA_ANG_XX.wav", "1001 to 1091"),
        ("EmoDB/03a01La.wav", "boredom"),
        ("Crema/1001_DFA_ANG_XX.ape", ".ape files are not read"),
        ("Crema/archive.zip", "unpack"),
        ("Crema/1001_XYZ_ANG_XX.wav", "inside the corpus cremad"),
        ("Crema/1001_DFA_BOR_XX.wav", "inside the corpus cremad"),
        ("Actor_01/noise.wav", "inside the corpus ravdess"),
        ("Tess/extra/deep/noise.wav", "inside the corpus tess"),
        ("Savee/XX_a01.wav", "inside the corpus savee"),
        ("beside/noise.wav", "beside a known corpus"),
        ("wav/noise.wav", "not after an emotion"),
        ("noise.wav", "nor in a folder called after its emotion"),
    ],
)
def test_what_is_left_out_is_said(tmp_path, name, why):
    # A real clip elsewhere, so that there is something to find.
    depth = "elsewhere/" if name != "beside/noise.wav" else ""
    make(tmp_path, name, f"{depth}clips/1001_DFA_ANG_XX.wav")
    found = discover(tmp_path)
    assert [clip.path.name for clip in found.clips] == ["1001_DFA_ANG_XX.wav"]
    ((path, reason),) = found.ignored
    assert path == tmp_path / name
    assert why in reason


def test_boredom_when_asked_for(tmp_path):
    found = discover(make(tmp_path, "EmoDB/03a01La.wav"), boredom=True)
    assert [clip.emotion for clip in found.clips] == ["boredom"]
    assert found.ignored == []


def test_documents_and_hidden_files_are_passed_over(tmp_path):
    make(
        tmp_path,
        "Crema/1001_DFA_ANG_XX.wav",
        "Crema/._1001_DFA_ANG_XX.wav",
        "Crema/.DS_Store",
        "Crema/README.md",
        "Crema/Info.txt",
        "__MACOSX/Crema/._1001_DFA_DIS_XX.wav",
        ".downloads/cremad/1001_DFA_FEA_XX.wav",
    )
    assert only(tmp_path).path == tmp_path / "Crema" / "1001_DFA_ANG_XX.wav"


# ---- several corpora in one folder ------------------------------------------------------------

KAGGLE = (
    "Crema/1001_DFA_ANG_XX.wav",
    "EmoDB/03a01Wa.wav",
    "Ravdess/audio_speech_actors_01-24/Actor_01/03-01-05-01-01-01-01.wav",
    "Savee/DC_a01.wav",
    "Tess/OAF_angry/OAF_back_angry.wav",
)


def test_order_is_by_corpus_then_path(tmp_path):
    own = ("own/happy/b_1.wav", "own/angry/b_1.wav", "own/angry/a_1.wav")
    found = discover(make(tmp_path, *reversed(KAGGLE), *own))
    assert [clip.path.relative_to(tmp_path).as_posix() for clip in found.clips] == [
        KAGGLE[0],
        KAGGLE[1],
        "own/angry/a_1.wav",
        "own/angry/b_1.wav",
        "own/happy/b_1.wav",
        *KAGGLE[2:],
    ]
    assert [clip.corpus for clip in found.clips] == sorted(clip.corpus for clip in found.clips)


def test_own_emotion_folder_beside_corpora(tmp_path):
    found = discover(make(tmp_path, *KAGGLE, "angry/anna_1.wav"))
    (own,) = [clip for clip in found.clips if clip.corpus == "folder"]
    assert (own.emotion, own.speaker) == ("angry", "anna")


def test_stray_file_in_a_recognised_corpus_under_another_name(tmp_path):
    make(tmp_path, "x/1001_DFA_ANG_XX.wav", "x/take 2.wav", "x/more/take 3.wav")
    found = discover(tmp_path)
    assert len(found.clips) == 1
    assert reasons(found, tmp_path) == {
        "x/more/take 3.wav": "inside the corpus cremad, but not named like its files",
        "x/take 2.wav": "inside the corpus cremad, but not named like its files",
    }


def test_set_nested_in_itself_is_read_once(tmp_path):
    make(tmp_path, *KAGGLE, *(f"speech-emotion-recognition-en/{name}" for name in KAGGLE))
    found = discover(tmp_path)
    assert [clip.path.relative_to(tmp_path).as_posix() for clip in found.clips] == list(KAGGLE)
    assert reasons(found, tmp_path) == {
        f"speech-emotion-recognition-en/{name}": f"the same clip as {Path(name)}" for name in KAGGLE
    }


@pytest.mark.parametrize(
    ("kept", "copy"),
    [
        ("AudioWAV/1001_DFA_ANG_XX.wav", "AudioMP3/1001_DFA_ANG_XX.mp3"),  # both in CREMA-D
        ("Savee/DC_a01.wav", "Savee/AudioData/DC/a01.wav"),
        ("Tess/OAF_back_ps.wav", "Tess/OAF_ps/OAF_back_ps.wav"),
    ],
)
def test_copies_in_another_format_or_layout(tmp_path, kept, copy):
    found = discover(make(tmp_path, copy, kept))
    assert [clip.path for clip in found.clips] == [tmp_path / kept]
    assert [path for path, _ in found.ignored] == [tmp_path / copy]


def test_repetitions_versions_and_own_takes_are_no_copies(tmp_path):
    make(
        tmp_path,
        *("Ravdess/03-01-05-01-01-01-01.wav", "Ravdess/03-01-05-01-01-02-01.wav"),
        *("EmoDB/03a01Fa.wav", "EmoDB/03a01Fb.wav"),
        *("own/angry/anna_1.wav", "own/happy/anna_1.wav"),
    )
    found = discover(tmp_path)
    assert len(found.clips) == 6
    assert found.ignored == []


def test_link_to_a_corpus_is_followed_and_a_loop_ends(tmp_path):
    make(tmp_path, "disk/speech/1001_DFA_ANG_XX.wav", "root/empty.txt")
    root = tmp_path / "root"
    (root / "Crema").symlink_to(tmp_path / "disk" / "speech", target_is_directory=True)
    (tmp_path / "disk" / "speech" / "again").symlink_to(root, target_is_directory=True)
    (root / "up").symlink_to(tmp_path, target_is_directory=True)  # two loops: 2**40 paths
    (root / "self").symlink_to(root / "self")
    assert only(root).path == root / "Crema" / "1001_DFA_ANG_XX.wav"


def test_folder_given_as_dot_and_as_text(tmp_path, monkeypatch):
    make(tmp_path, "Crema/1001_DFA_ANG_XX.wav", "Crema/x.wav")
    monkeypatch.chdir(tmp_path / "Crema")
    found = discover(".")
    assert [clip.path for clip in found.clips] == [Path("1001_DFA_ANG_XX.wav")]
    ((path, reason),) = found.ignored
    assert path == Path("x.wav")
    assert reason.startswith("inside the corpus cremad")


def test_synthetic_corpus_is_known_by_its_marker(tmp_path):
    speaker, sentence = synthetic.SPEAKERS[0].name, next(iter(synthetic.SENTENCES))
    name = f"{speaker}/{speaker}_{sentence}_angry.wav"
    make(tmp_path, f"made/{name}", f"made/{synthetic.MARKER}", f"own/{name}")
    made, own = sorted(discover(tmp_path).clips, key=lambda clip: clip.path)
    assert (made.corpus, made.emotion, made.speaker) == ("synthetic", "angry", speaker)
    assert (own.corpus, own.emotion) == ("folder", speaker)  # no marker: an own folder like any


# ---- nothing to find --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        (),
        ("README.md",),
        ("one.wav", "two.wav"),
        ("Crema/deeper/one.wav", "Crema/two.wav"),
        ("Actor_01/03-02-05-01-02-01-01.wav",),
    ],
)
def test_nothing_found_names_folder_and_layouts(tmp_path, names):
    make(tmp_path, *names)
    with pytest.raises(UserError) as error:
        discover(tmp_path)
    message = str(error.value)
    assert message.startswith(f"{tmp_path}: no clip")
    assert "\n" not in message
    for hint in ("RAVDESS (03-01-05-01-02-01-12.wav)", "EMO-DB", "DIR/<emotion>/"):
        assert hint in message
    if names and names != ("README.md",):
        assert Path(names[0]).name in message


def test_no_folder(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        discover(tmp_path / "absent")
    with pytest.raises(UserError, match="is a file"):
        discover(make(tmp_path, "file.wav") / "file.wav")


def test_folder_that_cannot_be_listed_is_said(tmp_path, monkeypatch):
    make(tmp_path, "Crema/1001_DFA_ANG_XX.wav", "locked/1001_DFA_DIS_XX.wav")
    scandir = os.scandir

    def refusing(folder):  # permissions would not stop a test that runs as root
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    found = discover(tmp_path)
    assert len(found.clips) == 1
    assert reasons(found, tmp_path) == {"locked": "folder cannot be read: Permission denied"}


# ---- what corpora say about themselves --------------------------------------------------------


def test_licences_once_each_in_a_fixed_order():
    about = licences(["tess", "ravdess", "tess"])
    assert [item.name for item in about] == ["ravdess", "tess"]
    assert about[0].licence == "CC BY-NC-SA 4.0"
    assert about[1].url == "https://doi.org/10.5683/SP2/E8H2MF"


@pytest.mark.parametrize("name", registry.NAMES)
def test_every_corpus_names_title_and_licence(name):
    (about,) = licences([name])
    assert about.title
    assert about.licence
    assert (name in {"folder", "synthetic"}) or about.citation


def test_filtered_copies_of_turev_are_left_out(tmp_path):
    make(
        tmp_path,
        "TurEV-DB/Sound Source/Sad/1157_uz_beste.wav",
        "TurEV-DB/Train 5000 LowPass/Sad/1157_uz_beste.wav",
        "TurEV-DB/Train 5000 LowPass/Sad/1157_uz_kedi.wav",
    )
    found = discover(tmp_path)
    assert [clip.path.parent.parent.name for clip in found.clips] == ["Sound Source"]
    assert set(reasons(found, tmp_path).values()) == {
        "a filtered copy; the recordings are those below 'Sound Source'"
    }


def test_examples_are_names_of_their_own_corpus():
    for corpus in registry.NAMED:
        clip = corpus.parse(Path(corpus.EXAMPLE))
        assert clip.corpus == corpus.NAME
        assert set(corpus.EMOTION.values()) <= {*EMOTIONS, "boredom"}


def test_cremad_sexes_are_the_published_ones():
    women = {FIRST_ACTOR + i for i, sex in enumerate(SEX) if sex == "f"}
    assert women == CREMAD_WOMEN
    assert Counter(SEX) == {"f": 43, "m": 48}


# ---- the real clips ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(corpora_dir):
    return discover(corpora_dir)


def second_parse(path: Path) -> tuple[str, ...]:
    """(corpus, speaker, sex, emotion, sentence, intensity) by splitting names, without the readers.

    Labels come from the spelling: CREMA-D's codes are the labels' first three letters, SAVEE's
    their first one or two, TESS' the label itself but for "ps".
    """
    stem = path.stem
    if "-" in stem:
        _, _, emotion, intensity, sentence, _, actor = stem.split("-")
        return (
            "ravdess", actor, "fm"[int(actor[1]) % 2], RAVDESS_ORDER[int(emotion) - 1], sentence,
            ("normal", "strong")[int(intensity) - 1],
        )  # fmt: skip
    if stem[:4].isdigit():
        actor, sentence, emotion, intensity = stem.split("_")
        (label,) = [label for label in EMOTIONS if label[:3] == emotion.lower()]
        level = [level for level in ("low", "medium", "high") if level[0] == intensity[0].lower()]
        sex = "f" if int(actor) in CREMAD_WOMEN else "m"
        return "cremad", actor, sex, label, sentence, "".join(level)
    fields = stem.split("_")
    if len(fields) == 2:
        letters = fields[1].rstrip("0123456789")
        (label,) = [label for label in EMOTIONS if label.startswith(letters) and label != "calm"]
        return "savee", fields[0], "m", label, fields[1], ""
    speaker, word, emotion = fields
    label = "surprise" if emotion == "ps" else emotion
    return "tess", speaker[:2] + "F", "f", label, word, ""


@pytest.mark.corpora
def test_every_real_file_is_a_clip_with_the_right_facts(real, corpora_dir):
    files = [path for path in corpora_dir.rglob("*") if path.is_file() and path.name != "README.md"]
    assert len(files) == 4020
    assert real.ignored == []
    assert sorted(clip.path for clip in real.clips) == sorted(files)
    assert [clip for clip in real.clips if facts(clip) != second_parse(clip.path)] == []


@pytest.mark.corpora
def test_real_counts_are_the_published_ones(real):
    def counts(corpus, *fields):
        clips = [clip for clip in real.clips if clip.corpus == corpus]
        return Counter(tuple(getattr(clip, field) for field in fields) for clip in clips)

    assert counts("ravdess", "emotion") == {
        (label,): 96 if label == "neutral" else 192 for label in EMOTIONS
    }
    assert set(counts("ravdess", "speaker").values()) == {60}
    assert counts("ravdess", "sex") == {("f",): 720, ("m",): 720}
    assert counts("ravdess", "sentence") == {("01",): 720, ("02",): 720}
    assert counts("ravdess", "intensity") == {("normal",): 768, ("strong",): 672}

    # Per CREMA-D actor: 12 sentences in 6 emotions, IEO in 3 intensities but for neutral: 82.
    per_actor = counts("cremad", "speaker")
    assert len(per_actor) == 20
    assert {n for n in per_actor.values() if n != 82} == {76, 81}  # 1009 and 1076: some missing
    assert counts("cremad", "intensity") == {
        ("low",): 100, ("medium",): 100, ("high",): 100, ("",): 1333
    }  # fmt: skip

    assert counts("savee", "speaker") == {("DC",): 120, ("JE",): 120}
    assert counts("savee", "emotion") == {
        (label,): 60 if label == "neutral" else 30 for label in EMOTIONS if label != "calm"
    }
    assert set(counts("savee", "sentence").values()) == {2}  # each once per speaker

    assert counts("tess", "speaker", "sex") == {("OAF", "f"): 707}
    assert set(counts("tess", "emotion").values()) == {101}
    assert len(counts("tess", "sentence")) == 101


@pytest.mark.corpora
def test_real_voices_fit_the_sexes(real):
    """Median F0 of a speaker's neutral clips; measured: men up to 151 Hz, women from 162 Hz."""
    median_f0 = {}
    for clip in real.clips:
        voices = median_f0.setdefault((clip.corpus, clip.speaker, clip.sex), [])
        if clip.emotion == "neutral" and len(voices) < 8:
            samples, rate = soundfile.read(clip.path, always_2d=True)
            pitch = parselmouth.Sound(samples.mean(axis=1), rate).to_pitch_ac(
                pitch_floor=75, pitch_ceiling=500
            )
            voiced = pitch.selected_array["frequency"]
            voices.append(np.median(voiced[voiced > 0]))
    assert len(median_f0) == 24 + 20 + 2 + 1
    heard = {
        speaker: "f" if np.median(values) > 156 else "m" for speaker, values in median_f0.items()
    }
    assert [speaker for speaker, sex in heard.items() if speaker[2] != sex] == []
