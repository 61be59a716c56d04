"""Long recordings are cut by the chip's own gate into sentences, which stay on one side of every split."""

import csv
import json
import sys

import numpy as np
import pytest
import signals
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from test_protocols import all_folds, make_clips, split

from speech_emotion import cli
from speech_emotion.commands import dataset_generator, predictor
from speech_emotion.dataset import table
from speech_emotion.errors import UserError
from speech_emotion.features import audio, device, schema, sentences
from speech_emotion.features.measuring import measure

S = schema.SAMPLE_RATE
VOICE = signals.voice(3 * S, glide=1, wobble=1)
ROOM = signals.noise(2 * S, 20)


def recording(*lengths, room=1.0, lead=1.0):
    """A voice for so many seconds each, with a quiet room between."""
    parts = [ROOM[: int(lead * S)]]
    for seconds in lengths:
        parts += [VOICE[: int(seconds * S)], ROOM[: int(room * S)]]
    return np.concatenate(parts)


@pytest.fixture
def command(monkeypatch, capsys):
    """A command in this process: exit code, stdout and stderr."""

    def run(module, *arguments):
        monkeypatch.setattr(sys, "argv", [module.__file__, *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.run(module.main)
        return ended.value.code, *capsys.readouterr()

    return run


def own(root, **files):
    for name, samples in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path.with_suffix(".wav"), samples, S, subtype="PCM_16")
    return root


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """Two labels of two people: short clips, and one long recording of each label."""
    root = tmp_path_factory.mktemp("own")
    long = recording(*[1.2, 1.6, 2.0] * 3)
    files = {
        f"{emotion}__{who}_{i}": VOICE[: S + 1000 * i]
        for emotion in ("happy", "sad")
        for who in ("anna", "ben")
        for i in range(3)
    }
    return own(root, **files, happy__anna_long=long, sad__ben_long=recording(*[1.5, 2.5] * 4))


def test_every_sentence_is_cut_as_a_pause_ends_it():
    found = sentences.cut(recording(1.5, 2.0, 2.5))
    assert len(found.sentences) == 3 and not found.too_short and not found.early
    at = S
    for (begin, end), seconds in zip(found.sentences, (1.5, 2.0, 2.5), strict=True):
        assert at - 0.2 * S <= begin * schema.HOP <= at + 0.05 * S  # 200 ms before the gate opened
        assert (
            abs(end * schema.HOP - (at + seconds * S) - 0.5 * S) < 0.15 * S
        )  # and half a second of silence
        at += int(seconds * S) + S


def test_what_ends_with_the_file_is_a_sentence_and_a_click_is_none():
    found = sentences.cut(recording(1.5, 2.0)[: -2 * S])
    assert len(found.sentences) == 2
    found = sentences.cut(recording(0.1, 1.5))
    assert len(found.sentences) == 1 and found.too_short == 1


def test_who_speaks_before_the_room_is_known_is_told():
    assert sentences.cut(recording(1.5, 1.5, lead=0.0)).early


@given(
    st.lists(st.floats(0.3, 3.0), min_size=1, max_size=4), st.floats(0.7, 1.5), st.integers(0, 159)
)
@settings(max_examples=20)
def test_sentences_are_in_order_apart_and_in_the_file(lengths, room, odd):
    samples = recording(*lengths, room=room)[: -odd or None]
    found = sentences.cut(samples).sentences
    ends = [0]
    for begin, end in found:
        assert ends[-1] <= begin < end <= len(samples) // schema.HOP
        assert 20 <= end - begin <= 500
        ends.append(end)


def test_a_sentence_has_the_features_of_the_same_samples_alone(tmp_path):
    samples = recording(1.5, 2.0)
    soundfile.write(tmp_path / "long.wav", samples, S, subtype="PCM_16")
    for each in sentences.cut(samples).sentences:
        name = each.of(str(tmp_path / "long.wav"))
        assert sentences.parse(name) == (str(tmp_path / "long.wav"), each)
        alone = audio.cut(samples[each.begin * 160 : each.end * 160])
        assert (measure(name, engine="device").vector == device.extract(alone)).all()
    with pytest.raises(UserError, match="has no such sentence"):
        sentences.load(tmp_path / "long.wav@1.00-900.00")


@given(st.text(min_size=1), st.integers(0, 359_000), st.integers(1, 500))
def test_a_sentences_name_says_its_place(file, begin, length):
    place = sentences.Sentence(begin, begin + length)
    assert sentences.parse(place.of(file)) == (file, place)


def test_split_makes_a_row_of_each_sentence_and_says_so(people, tmp_path, command):
    code, said, error = command(
        dataset_generator, "--corpora", people, "--split", "--engine", "device", "--jobs", 1,
        "--out", tmp_path, "--augment", "gain:-20",
    )  # fmt: skip
    assert code == 0, error
    assert "happy/anna_long.wav'" in said and "9 sentences" in said and "8 sentences" in said
    rows = table.read(tmp_path / "features.csv").clips
    cut = rows[rows["recording"] != ""]
    assert cut.groupby("recording").size().to_dict() == {
        "happy/anna_long.wav": 18, "sad/ben_long.wav": 16,
    }  # fmt: skip
    assert set(cut["speaker"]) == {"anna", "ben"}
    for row in cut[cut["augmentation"] == ""].itertuples():
        assert row.path == f"{row.recording}@{row.start}-{row.end}"
        assert abs(float(row.end) - float(row.start) - row.seconds) <= 0.01
    again = command(
        dataset_generator, "--corpora", people, "--split", "--engine", "device", "--jobs", 1,
        "--out", tmp_path, "--augment", "gain:-20",
    )  # fmt: skip
    assert "58 of 58 are there already" in again[1]


def test_a_long_file_without_split_is_told_with_the_remedy(people, tmp_path, command):
    options = ("--engine", "device", "--jobs", 1, "--out", tmp_path)
    code, said, _ = command(dataset_generator, "--corpora", people, *options)
    assert code == 0
    assert "2 recordings are longer than 15 s and counted as one clip each" in said
    assert "--split cuts them into sentences" in said
    with (tmp_path / "clips.csv").open() as rows:
        assert sum(1 for _ in csv.reader(rows)) == 15


def test_a_recording_without_a_sentence_is_left_out_by_name(tmp_path, command):
    own(
        tmp_path / "own",
        happy__anna_1=VOICE,
        sad__anna_1=VOICE[::-1],
        sad__anna_room=np.tile(ROOM, 10),
    )
    code, said, _ = command(
        dataset_generator, "--corpora", tmp_path / "own", "--split", "--engine", "device",
        "--jobs", 1, "--out", tmp_path / "out",
    )  # fmt: skip
    assert (
        code == 0
        and "left out: sad/anna_room.wav: the board's gate hears no sentence in it" in said
    )
    ignored = json.loads((tmp_path / "out" / "features.json").read_text())["ignored"]
    assert ignored == {"sad/anna_room.wav": "the board's gate hears no sentence in it"}


def test_split_needs_a_length(tmp_path, command):
    code, _, error = command(dataset_generator, "--corpora", tmp_path, "--split", "0")
    assert code == 2 and error == "error: --split 0: give a length in seconds, 1 or more\n"


# --- splits -----------------------------------------------------------------------------------


def cut_into(clips, of):
    """The same clips as sentences of longer recordings: of(row) names each one's."""
    clips["recording"] = [of(row) for row in clips.itertuples()]
    return clips


def test_sentences_of_one_recording_are_on_one_side_of_every_fold():
    clips = cut_into(
        make_clips(takes=6), lambda row: f"{row.speaker}_{row.emotion}_{row.path[-5:-4] > '2'}"
    )
    splitter = split(clips)
    recordings = (clips["corpus"] + "/" + clips["recording"]).to_numpy(str)
    folds = [fold for _, fold in all_folds(splitter)]
    assert len(folds) > 5
    for fold in folds:
        assert not set(recordings[fold.train]) & set(recordings[fold.test])
    assert "are sentences of" in splitter.recordings()


def test_one_long_recording_of_each_label_and_speaker_can_be_scored():
    clips = cut_into(
        make_clips(corpora=("folder",), speakers=3, takes=8, copies=False),
        lambda row: f"{row.speaker}_{row.emotion}.wav",
    )
    fold = split(clips).random()
    labels = clips["emotion"].to_numpy(str)
    assert set(labels[fold.test]) <= set(labels[fold.train])
    assert 0.1 < len(fold.test) / len(clips) < 0.6


def test_where_every_label_is_one_recording_nothing_is_scored_and_the_remedy_told():
    clips = cut_into(
        make_clips(corpora=("folder",), speakers=1, takes=8, copies=False), lambda row: row.emotion
    )
    with pytest.raises(UserError, match="record each label at least twice"):
        split(clips).random()


def test_without_recordings_the_splits_are_those_they_were():
    clips = make_clips()
    old = split(clips.assign(recording=""))
    for name, fold in all_folds(old):
        assert len(fold.train) + len(fold.test) <= len(clips), name
    assert old.recordings() == "" and (old._together == old.sounds).all()


# --- predictor --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from speech_emotion.model import persistence

    columns = [column for column in schema.COLUMNS if column.endswith("_mean")]
    random = np.random.default_rng(0)
    X = random.standard_normal((30, len(columns)))
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(
        X, np.repeat(["happy", "sad"], 15)
    )
    path = tmp_path_factory.mktemp("model") / "m.joblib"
    persistence.save(
        pipeline, path, {"labels": ["happy", "sad"], "columns": columns, "engine": "device"}
    )
    return path


def test_a_long_file_is_answered_sentence_by_sentence(people, model, command):
    long, short = people / "happy/anna_long.wav", people / "happy/ben_0.wav"
    code, said, error = command(predictor, long, short, model, "--json")
    assert code == 0 and "9 sentences by the board's gate" in error
    answers = [json.loads(line) for line in said.splitlines()]
    assert len(answers) == 10 and [a["file"] for a in answers] == [str(long)] * 9 + [str(short)]
    assert all(a["start"] < a["end"] for a in answers[:9]) and "start" not in answers[9]
    starts = [a["start"] for a in answers[:9]]
    assert starts == sorted(starts)
    place = f"{long}@{answers[2]['start']:.2f}-{answers[2]['end']:.2f}"
    assert json.loads(command(predictor, place, model, "--json")[1]) == answers[2]
    assert len(command(predictor, long, model, "--whole")[1].splitlines()) == 1
