"""A camera: looks at a steady rate, faces told apart, a clear state each, messages, no pictures kept."""

import json
import subprocess
import sys

import drawn_faces
import numpy as np
import pytest
from conftest import REPOSITORY
from network_harness import MODEL, SCHEMA, about, sentence
from test_face import LABELS, made_up

from speech_emotion import message
from speech_emotion.camera import publishing, sources, talking, watching
from speech_emotion.central.hub import Hub
from speech_emotion.errors import UserError
from speech_emotion.face import model_file
from speech_emotion.face.detecting import Face
from speech_emotion.fusion import DEFAULT, fuse, tables

T = 1_700_000_000_000


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "face.joblib"
    model_file.save(made_up(), path, labels=LABELS, threshold=0.0, about="", scores={})
    return path


class Told:
    """A detector that is told where the faces are."""

    def __init__(self, *faces):
        self.faces = faces

    def find(self, grey):
        return sorted(self.faces, key=lambda face: -face.side)


def watched(model, pictures, detector, rate=5.0):
    watcher = watching.Watcher(model_file.load(model), detector)
    sights = []
    for i, grey in enumerate(pictures):
        where = detector(i) if callable(detector) else detector
        watcher._detector = where
        sights += watcher.look(sources.Look(i / rate, grey))
    return sights + watcher.finish()


# --- looks


def test_looks_come_at_a_steady_rate_whatever_the_videos(tmp_path):
    video = drawn_faces.video(
        tmp_path / "v.mp4", [drawn_faces.scene(width=160, height=120)] * 30, rate=15
    )
    at = [look.seconds for look in sources.looks(str(video), 5)]
    assert np.allclose(at, np.arange(10) / 5, atol=0.01)
    assert len(list(sources.looks(str(video), 60))) == 30


def test_large_pictures_are_made_smaller_as_they_come(tmp_path):
    video = drawn_faces.video(tmp_path / "4k.mp4", [drawn_faces.scene(width=3840, height=2160)] * 2)
    for look in sources.looks(str(video), 10):
        assert look.grey.shape == (720, 1280) and look.grey.dtype == np.uint8


def test_what_is_no_video_is_one_line(tmp_path):
    (text := tmp_path / "text.mp4").write_text("no video " * 100)
    (empty := tmp_path / "empty.mp4").write_bytes(b"")
    whole = drawn_faces.video(tmp_path / "v.mp4", [drawn_faces.scene(width=160, height=120)] * 9)
    (cut := tmp_path / "cut.mp4").write_bytes(whole.read_bytes()[:300])
    import soundfile

    soundfile.write(sound := tmp_path / "sound.wav", np.zeros(16000), 16000)
    for path in (text, empty, cut, sound, tmp_path / "gone.mp4", tmp_path, "/dev/video99"):
        with pytest.raises(UserError) as error:
            list(sources.looks(str(path), 5))
        assert str(path) in str(error.value) and len(str(error.value).splitlines()) == 1


# --- sights


def test_a_face_is_judged_over_two_seconds(model):
    face = drawn_faces.drawn(160)
    grey = drawn_faces.scene((240, 160, face))
    sights = watched(model, [grey] * 20, Told(Face(240, 160, 160)))
    assert [(s.begin, s.face, s.where, s.trouble) for s in sights] == [
        (0.0, 1, "middle", ""), (2.0, 1, "middle", ""),
    ]  # fmt: skip
    expected = model_file.load(model).probabilities(Face(240, 160, 160).crop(grey)[None])[0]
    assert np.allclose(sights[0].probabilities, expected, atol=1e-6)
    assert sights[0].emotion(model_file.load(model)) == LABELS[int(expected.argmax())]


def test_two_faces_are_told_apart_by_their_place_also_when_they_move_and_one_is_gone(model):
    small, large = drawn_faces.drawn(100, smile=1), drawn_faces.drawn(140, smile=-1)
    grey = drawn_faces.scene((20, 100, small), (450, 100, large))

    def at(i):
        left, right = Face(20 + 6 * i, 100, 100), Face(450 - 3 * i, 100, 140)
        return Told(left, right) if i < 10 else Told(left)

    sights = watched(model, [grey] * 20, at)
    first = [(s.face, s.where) for s in sights if s.begin == 0]
    assert first == [(1, "right"), (2, "left")]  # the largest first
    assert [s.face for s in sights if s.begin == 2] == [2]


def test_every_state_is_told(model):
    face = drawn_faces.drawn(160)
    seen = drawn_faces.scene((240, 160, face))
    black = np.zeros((480, 640), np.uint8)
    cases = {
        "no face": (seen, Told()),
        "too small": (seen, Told(Face(240, 160, 40))),
        "too dark or too pale": (black, Told(Face(240, 160, 160))),
    }
    for trouble, (grey, detector) in cases.items():
        sights = watched(model, [grey] * 5, detector)
        assert [s.emotion(model_file.load(model)) for s in sights] == [trouble]
        assert sights[0].probabilities is None
    unsure = model_file.FaceModel(model_file.load(model).pipeline, tuple(LABELS), 1.0, 1)
    assert watched(model, [seen] * 5, Told(Face(240, 160, 160)))[0].emotion(unsure) == "uncertain"


# --- messages


def test_a_sight_is_a_message_that_the_service_pairs_with_a_voice_of_the_place(model):
    face_model = model_file.load(model)
    clock = iter([0.0, *[5.0] * 9])
    messages = publishing.Messages(face_model, lambda: next(clock))
    row = np.array([0.1, 0.8, 0.1], np.float32)
    sent = messages.sentence(watching.Sight(2.0, 4.0, 1, "middle", 100.0, row, ""))
    assert (sent.begin, sent.end, sent.speech, sent.shares) == (
        3000,
        5000,
        True,
        (1000, 8000, 1000),
    )
    hub = Hub({"mic": "kitchen", "cam": "kitchen"})
    hub.receive("emotion/cam/about", messages.about(0), T)
    hub.receive("emotion/mic/about", about(labels=tuple(LABELS)), T)
    hub.receive("emotion/cam/face", message.encode_sentence(sent), T)
    voice = sentence(
        1, begin=10_000, end=12_000, shares=(2000, 5000, 3000), model=MODEL, schema=SCHEMA
    )
    hub.receive("emotion/mic/voice", voice, T + 100)
    (decision,) = hub.due(T + 1000)
    assert decision.emotion == "happy" and set(decision.channels) == {"voice", "face"}
    expected = fuse(np.array([0.2, 0.5, 0.3]), row)[1]
    assert decision.confidence == pytest.approx(float(expected), abs=1e-4)


def test_a_sight_without_a_face_says_that_there_is_nothing_to_decide(model):
    messages = publishing.Messages(model_file.load(model))
    sent = messages.sentence(watching.Sight(0.0, 2.0, 0, "", 0.0, None, "no face"))
    assert not sent.speech and sum(sent.shares) == 10_000
    assert message.decode_sentence(message.encode_sentence(sent)) == sent


# --- with its sound


def test_voice_and_face_of_a_video_are_fused_over_the_labels_of_both():
    voice = {"angry": 0.5, "calm": 0.2, "neutral": 0.1, "happy": 0.2}
    face = {"angry": 0.3, "happy": 0.6, "neutral": 0.1}
    said = talking.line("v.mp4", voice, face, DEFAULT)
    assert "voice: angry 50%" in said and "face: happy 60%" in said and "both: angry" in said
    assert "no face" in talking.line("v.mp4", voice, None, DEFAULT)
    with pytest.raises(UserError, match="share 1 labels"):
        talking.line("v.mp4", {"angry": 0.5, "x": 0.5}, {"angry": 0.5, "y": 0.5}, DEFAULT)


def test_ravdess_videos_tell_who_and_what():
    assert talking.facts_of("Actor_12/01-01-05-01-02-01-12.mp4") == {
        "person": "12",
        "emotion": "angry",
    }
    assert talking.facts_of("02-01-02-01-02-01-03.mp4")["emotion"] == "calm"
    for other in ("holiday.mp4", "01-02-05-01-02-01-12.mp4", "01-01-09-01-02-01-12.mp4"):
        assert talking.facts_of(other) == {}


def command(folder, *arguments):
    code = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); sys.argv[0] = 'camera'; " + (
        "import runpy; runpy.run_module('camera', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_made_video_is_watched_and_leaves_no_picture(model, tmp_path):
    pytest.importorskip("cv2", reason="no OpenCV; pip install 'speech-emotion[face]'")
    face = drawn_faces.drawn(200, smile=1)
    looks = [drawn_faces.scene((60 + i, 120, face)) for i in range(20)]
    looks += [drawn_faces.scene()] * 20
    drawn_faces.video(tmp_path / "v.mp4", looks)
    before = sorted(path.name for path in tmp_path.iterdir())
    code, said, wrong = command(tmp_path, "v.mp4", "gone.mp4", model, "--json")
    assert code == 2 and "gone.mp4: no such file" in said, wrong
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [row["begin"] for row in rows] == [0.0, 2.0]
    assert rows[0]["face"] == 1 and rows[0]["where"] == "left" and rows[0]["emotion"] in LABELS
    assert rows[1]["emotion"] == "no face"
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_made_video_with_a_voice_is_fused_and_its_tables_are_read_by_fusion(model, tmp_path):
    pytest.importorskip("cv2", reason="no OpenCV; pip install 'speech-emotion[face]'")
    import codegen_models

    from speech_emotion.corpora import synthetic
    from speech_emotion.features import audio, schema
    from speech_emotion.model import persistence

    made = codegen_models.KINDS["forest, small leaves"]().fit(*codegen_models.voices(160))
    facts = {"labels": made.classes_.tolist(), "columns": list(schema.COLUMNS), "engine": "device"}
    persistence.save(made, tmp_path / "voice.joblib", facts)
    clip = synthetic.write(tmp_path / "clips", speakers=1, sentences=1)[0]
    sound = audio.load(clip.path)
    face = drawn_faces.drawn(200, smile=1)
    count = max(4, len(sound) // 1600)
    name = "01-01-03-01-02-01-12.mp4"
    drawn_faces.video(tmp_path / name, [drawn_faces.scene((200, 120, face))] * count, sound=sound)
    code, said, wrong = command(
        tmp_path, name, model, "--voice", "voice.joblib", "--tables", "tables"
    )
    assert code == 0, wrong
    last = [line for line in said.splitlines() if "both: " in line]
    assert len(last) == 1 and "voice: " in last[0] and "face: " in last[0]
    heard, seen = (tables.read(tmp_path / "tables" / f"{each}.csv") for each in ("voice", "face"))
    assert heard.facts["person"].tolist() == ["12"] and heard.facts["emotion"].tolist() == ["happy"]
    assert tables.paired(heard, seen).paired.tolist() == [True]
