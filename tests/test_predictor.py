"""predictor.py and extractor.py as a user runs them: any sound works, what is none gets one clear line."""

import csv
import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import signals
import soundfile
import soxr
from conftest import REPOSITORY
from matplotlib import image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from speech_emotion import cli
from speech_emotion.commands import extractor, predictor
from speech_emotion.errors import UserError
from speech_emotion.features import audio, reference, schema
from speech_emotion.features.measuring import measure
from speech_emotion.model import persistence
from speech_emotion.model import picture as plots
from speech_emotion.model.recognition import Prediction, open_model

LABELS = ["angry", "happy", "sad"]
COLUMNS = [column for column in schema.COLUMNS if column.endswith("_mean")]
INFO = {"labels": LABELS, "columns": COLUMNS, "engine": "reference"}


def run(script, *arguments):
    """The script with these arguments in a process of its own: its exit code, stdout, stderr."""
    command = [sys.executable, str(REPOSITORY / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def here(monkeypatch, capsys):
    """The same as `run` in this process: what is imported already need not be imported again."""

    def run_here(module, *arguments):
        monkeypatch.setattr(sys, "argv", [module.__file__, *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            cli.run(module.main)
        return leaving.value.code, *capsys.readouterr()

    return run_here


VOICE = signals.voice(16080, glide=1, wobble=1)  # 1.005 s: already of a clip's length


@pytest.fixture(scope="session")
def pipeline():
    """A model that leans to angry for VOICE, and not by much: it was made to tell slight changes of VOICE's
    features apart, the other emotions' being a little larger."""
    rng = np.random.default_rng(0)
    places = [schema.COLUMNS.index(column) for column in COLUMNS]
    middle = measure(VOICE).vector[places]
    rows = middle * rng.normal(1, 0.1, size=(30, len(COLUMNS))).astype(np.float32)
    emotions = np.array(LABELS * 10)
    rows[emotions != "angry"] *= 1.03
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.05)).fit(rows, emotions)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("predictor")


@pytest.fixture(scope="module")
def model(folder, pipeline):
    path = folder / "model.joblib"
    persistence.save(pipeline, path, INFO)
    return path


@pytest.fixture(scope="module")
def clip(folder):
    path = folder / "voice.wav"
    soundfile.write(path, VOICE, 16000, subtype="PCM_16")
    return path


# --- what must work ------------------------------------------------------------------------------


def _float(rate=16000):
    x = VOICE / 32768
    return x if rate == 16000 else soxr.resample(x, 16000, rate)


FORMATS = {
    "16-bit.wav": (VOICE, 16000, "PCM_16"),
    "8-bit.wav": (_float(), 16000, "PCM_U8"),
    "24-bit.wav": (_float(), 16000, "PCM_24"),
    "32-bit.wav": (_float(), 16000, "PCM_32"),
    "float.wav": (_float(), 16000, "FLOAT"),
    "double.wav": (_float(), 16000, "DOUBLE"),
    "8 kHz.wav": (_float(8000), 8000, "PCM_16"),
    "44.1 kHz.wav": (_float(44100), 44100, "PCM_16"),
    "96 kHz.wav": (_float(96000), 96000, "PCM_16"),
    "stereo.wav": (np.stack([VOICE] * 2, axis=1), 16000, "PCM_16"),
    "6 channels.wav": (np.stack([VOICE] * 6, axis=1), 16000, "PCM_16"),
    "mu-law.wav": (VOICE, 16000, "ULAW"),
    "lossless.flac": (VOICE, 16000, "PCM_16"),
    "24-bit.flac": (_float(), 16000, "PCM_24"),
    "lossy.ogg": (_float(), 16000, "VORBIS"),
    "apple.aiff": (VOICE, 16000, "PCM_16"),
    "$pecial 'näme'.wav": (VOICE, 16000, "PCM_16"),
}
LOSSLESS = {
    name for name in FORMATS if not name.startswith(("8-bit", "8 kHz", "44", "96", "mu", "lossy"))
}


@pytest.fixture(scope="module")
def answers(folder, model):
    """What one call says of every format: by the file's name."""
    paths = []
    for name, (samples, rate, subtype) in FORMATS.items():
        paths.append(folder / name)
        soundfile.write(paths[-1], samples, rate, subtype=subtype)
    code, out, err = run("predictor.py", *paths, model, "--json")
    assert (code, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert [answer["file"] for answer in found] == [str(path) for path in paths]
    return {Path(answer["file"]).name: answer for answer in found}


@pytest.mark.parametrize("name", FORMATS)
def test_any_format_is_recognised(name, answers):
    answer, first = answers[name], answers["16-bit.wav"]
    assert list(answer) == ["file", "emotion", "confidence", "probabilities", "seconds", "speech"]
    assert answer["speech"] is True
    assert list(answer["probabilities"]) == LABELS
    # scikit-learn works in float32 on a float32 vector: a few roundings of 6e-8
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-6)
    assert answer["confidence"] == max(answer["probabilities"].values())
    assert answer["probabilities"][answer["emotion"]] == answer["confidence"]
    assert answer["seconds"] == pytest.approx(1.005, abs=0.021)  # a hop, or resampling's edge
    if name in LOSSLESS:
        assert answer | {"file": ""} == first | {"file": ""}


def test_the_answer_is_the_model_on_the_reference_engine(answers, clip, model):
    with threadpool_limits(1):
        vector = reference.extract(audio.load(clip))
    expected = open_model(model).probabilities(vector[None])[0]
    assert 0.35 < expected.max() < 0.99  # else the test would prove little
    assert list(answers["16-bit.wav"]["probabilities"].values()) == expected.tolist()


def test_the_readable_line(here, clip, model, answers):
    code, out, err = here(predictor, clip, model)
    answer = answers["16-bit.wav"]
    second = sorted(answer["probabilities"].values())[-2]
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert out.startswith(f"{clip}: {answer['emotion']} {100 * answer['confidence']:.1f} %, then ")
    assert f"{100 * second:.1f} %" in out and out.endswith("(1.00 s)\n")


def test_options_may_stand_anywhere_and_processes_change_nothing(here, clip, model):
    one = here(predictor, clip, clip, clip, model, "--json")
    two = here(predictor, clip, "--json", clip, clip, "--jobs", "2", model)
    assert one == two and one[0] == 0 and one[1].count("\n") == 3


def test_a_bad_clip_does_not_stop_the_others(here, clip, model, folder):
    code, out, err = here(predictor, clip, folder / "absent.wav", clip, model)
    assert code == 2
    assert out.count("\n") == 2 and out.count("voice.wav: ") == 2
    assert err == f"error: {folder / 'absent.wav'}: no such file\n"


def test_below_the_threshold_the_answer_is_uncertain(here, clip, model, folder, pipeline):
    high = json.loads(here(predictor, clip, model, "--json", "--threshold", "1")[1])
    assert high["uncertain"] is True and high["emotion"] in LABELS
    low = json.loads(here(predictor, clip, model, "--json", "--threshold", "0.01")[1])
    assert low["uncertain"] is False
    persistence.save(pipeline, folder / "cautious.joblib", INFO | {"threshold": 0.999})
    assert ": uncertain, perhaps " in here(predictor, clip, folder / "cautious.joblib")[1]
    off = here(predictor, clip, folder / "cautious.joblib", "--json", "--threshold", "0")[1]
    assert "uncertain" not in json.loads(off)


def test_real_clips(corpora_dir, model):
    for name in ("Crema/1001_DFA_DIS_XX.flac", "Ravdess", "Savee", "Tess"):
        start = corpora_dir / name
        path = start if start.is_file() else min(p for p in start.rglob("*") if p.is_file())
        assert measure(path).seconds > 0.5


# --- bad sounds ------------------------------------------------------------------------------------


def _write(path, samples, rate=16000, subtype="PCM_16"):
    soundfile.write(path, samples, rate, subtype=subtype)


def _cut(path, samples, keep, **options):
    _write(path, samples, **options)
    path.write_bytes(path.read_bytes()[:keep])


def _with(value):
    samples = _float().copy()
    samples[5000] = value
    return samples


NOT_UTF8 = "caf\udce9.wav"  # the byte E9, as Python spells it


def _promise_too_much(path):
    """A FLAC whose header tells of 2^36 - 1 samples: 128 GiB."""
    _write(path, VOICE)
    content = bytearray(path.read_bytes())
    content[21] |= 0x0F  # STREAMINFO, 36 bits: RFC 9639, section 8.2
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)


BAD_SOUNDS = {
    "missing.wav": (lambda path: None, "no such file"),
    "empty.wav": (lambda path: path.write_bytes(b""), "not a sound file"),
    "text.wav": (lambda path: path.write_text("Dear diary, "), "not a sound file"),
    "header only.wav": (lambda path: _cut(path, VOICE, 20), "not a sound file"),
    "truncated.wav": (lambda path: _cut(path, VOICE, 9000), "truncated"),
    "truncated.flac": (lambda path: _cut(path, VOICE, 9000), ""),
    "zero length.wav": (lambda path: _write(path, VOICE[:0]), "holds no samples"),
    "20 ms.wav": (lambda path: _write(path, VOICE[:320]), "too short, 0.020 s"),
    "NaN.wav": (lambda path: _write(path, _with(np.nan), subtype="FLOAT"), "NaN or Inf"),
    "Inf.wav": (lambda path: _write(path, _with(np.inf), subtype="FLOAT"), "NaN or Inf"),
    "directory.wav": (lambda path: path.mkdir(), "is a directory"),
    "forged length.flac": (_promise_too_much, "truncated"),
    NOT_UTF8: (lambda path: path.write_bytes(b"RIFF"), "not a sound file"),
    "image.wav": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99)), "a PNG picture"),
}


@pytest.fixture(scope="module")
def complaints(model, tmp_path_factory):
    """What one call says of every bad sound: by the file's name. All exit codes together are 2."""
    folder = tmp_path_factory.mktemp("bad")
    for name, (make, _) in BAD_SOUNDS.items():
        make(folder / name)
    code, out, err = run("predictor.py", *(folder / name for name in BAD_SOUNDS), model)
    assert (code, out) == (2, "")
    return dict(zip(BAD_SOUNDS, err.splitlines(), strict=True)), folder


@pytest.mark.parametrize("name", BAD_SOUNDS)
def test_a_bad_sound_is_one_clear_line(name, complaints):
    lines, folder = complaints
    start = f"error: {folder / name}: ".encode(errors="backslashreplace").decode()
    assert lines[name].startswith(start) and BAD_SOUNDS[name][1] in lines[name]


# pytest's own stderr, unlike Python's, takes no name that is not UTF-8
@pytest.mark.parametrize("name", [name for name in BAD_SOUNDS if name != NOT_UTF8])
def test_a_bad_sound_alone_is_exit_2(name, here, model, tmp_path):
    BAD_SOUNDS[name][0](tmp_path / name)
    for script, *arguments in ((predictor, tmp_path / name, model), (extractor, tmp_path / name)):
        code, _, err = here(script, *arguments)
        assert (code, err.count("\n")) == (2, 1)


# --- nobody speaks ---------------------------------------------------------------------------------


def _hum(n=16080):
    return (300 * np.sin(2 * np.pi * 50 * np.arange(n) / 16000)).astype(np.int16)


@pytest.mark.parametrize("samples", [VOICE * 0, VOICE * 0 + 77, _hum(), signals.noise(16080)])
def test_where_nobody_speaks_no_emotion_is_told(samples, here, model, folder):
    path = folder / "nobody.wav"
    _write(path, samples)
    code, out, err = here(predictor, path, model)
    assert (code, err) == (0, "")
    assert out.startswith(f"{path}: no speech: ") and out.endswith("(1.00 s)\n")
    assert not any(label in out for label in LABELS)
    answer = json.loads(here(predictor, path, model, "--json", "--threshold", "0.5")[1])
    assert answer["speech"] is False and answer["no_speech"] in out
    assert (answer["emotion"], answer["confidence"]) == (None, None)
    assert (answer["probabilities"], answer["uncertain"]) == ({}, False)


def test_a_picture_of_silence(here, model, folder):
    for samples in (VOICE * 0, _hum()):
        _write(folder / "nobody.wav", samples)
        code, _, err = here(predictor, folder / "nobody.wav", model, "--plot", folder / "out.png")
        assert (code, err) == (0, "")


def test_what_was_found_out_about_a_file_is_said_by_both(here, clip, model, folder):
    path = folder / "whole numbers.wav"
    _write(path, VOICE.astype(float), subtype="FLOAT")
    said = f"note: {path}: its float samples are whole numbers up to "
    code, out, err = here(predictor, path, model, "--json")
    assert code == 0 and err.startswith(said) and err.count("\n") == 1
    answer, first = json.loads(out), json.loads(here(predictor, clip, model, "--json")[1])
    assert answer.pop("remarks")[0] in err
    assert answer | {"file": ""} == first | {"file": ""}
    code, out, err = here(extractor, path)
    assert code == 0 and err.startswith(said) and out.count("\n") == 2


# --- bad models ------------------------------------------------------------------------------------


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"echo ran > {self.marker}",)


def _vouched_for(path, data):
    """A file whose JSON says that it is a model."""
    path.write_bytes(data)
    info = json.loads(persistence.info_path(path).read_text())
    info["sha256"] = hashlib.sha256(data).hexdigest()
    persistence.info_path(path).write_text(json.dumps(info))


def _of_another_schema(path):
    sidecar = persistence.info_path(path)
    sidecar.write_text(sidecar.read_text().replace(schema.HASH, "0123456789abcdef"))


def _directory(path):
    path.unlink()
    path.mkdir()


BAD_MODELS = {
    "missing": (Path.unlink, "no such model"),
    "directory": (_directory, "is a directory"),
    "empty": (lambda path: path.write_bytes(b""), "not a model file"),
    "a sound": (lambda path: soundfile.write(path, VOICE, 16000, format="WAV"), "not a model file"),
    "text": (lambda path: path.write_text("model"), "not a model file"),
    "truncated": (lambda path: path.write_bytes(path.read_bytes()[:-20]), "truncated or changed"),
    "without its JSON": (lambda path: persistence.info_path(path).unlink(), "missing"),
    "of another schema": (_of_another_schema, "model of schema 0123456789abcdef"),
    "of an earlier version": (
        lambda path: _vouched_for(path, pickle.dumps([1, 2])),
        "a pickle, as",
    ),
    "code": (
        lambda path: _vouched_for(path, pickle.dumps(Evil(path.with_name("marker")))),
        "can hold code, so it was not opened",
    ),
}


@pytest.fixture
def bad_model(request, tmp_path, pipeline):
    """The path of a model that was spoilt as its name in BAD_MODELS says, and what is to be said of it."""
    spoil, complaint = BAD_MODELS[request.param]
    path = tmp_path / "model.joblib"
    persistence.save(pipeline, path, INFO)
    spoil(path)
    return path, complaint


@pytest.mark.parametrize("bad_model", BAD_MODELS, indirect=True)
def test_a_bad_model_is_one_clear_line_and_exit_2(bad_model, here, clip):
    path, complaint = bad_model
    code, out, err = here(predictor, clip, path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"error: {path.with_suffix('')}") and complaint in err
    assert not path.with_name("marker").exists()


@pytest.mark.parametrize("bad_model", ["code"], indirect=True)
def test_a_model_that_would_run_code_runs_none_in_a_process_of_its_own(bad_model, clip):
    path, complaint = bad_model
    code, out, err = run("predictor.py", clip, path)
    assert (code, out, err.count("\n")) == (2, "", 1) and complaint in err
    assert not path.with_name("marker").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--threshold", "40"], "--threshold 40.0: must be from 0 to 1"),
        (["--threshold", "nan"], "--threshold nan: must be from 0 to 1"),
        (["--jobs", "0"], "--jobs 0"),
        (["--plot", "out.bmp"], "--plot out.bmp: the name must end in .png"),
    ],
)
def test_bad_options(options, complaint, here, clip, model):
    code, out, err = here(predictor, clip, model, *options)
    assert (code, out, err.count("\n")) == (2, "", 1) and complaint in err


def test_a_clip_without_a_model_is_a_usage_error(here, clip):
    code, _, err = here(predictor, clip)
    assert code == 2 and "MODEL" in err.splitlines()[-1]


# --- the picture -----------------------------------------------------------------------------------


def test_pictures_of_several_clips_are_numbered(here, clip, model, tmp_path):
    code, _, err = here(predictor, clip, clip, model, "--plot", tmp_path / "out.png")
    assert (code, err) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out-1.png", "out-2.png"]
    height, width, _ = image.imread(tmp_path / "out-1.png").shape
    assert width > 1000 and height > 1000


def test_one_picture_keeps_its_name():
    assert plots.paths(Path("out.png"), 1) == [Path("out.png")]
    assert plots.paths(Path("a/out.svg"), 12)[8] == Path("a/out-09.svg")


SHORTEST = 1680  # samples, n = 80 (mod 160)


@pytest.mark.parametrize(
    "samples",
    [VOICE, signals.noise(8080), VOICE[:SHORTEST], *(
        sound for name, sound in signals.hostile().items() if len(sound) >= 16000 and name != "silence"
    )],
)  # fmt: skip
def test_every_sound_can_be_drawn(samples):
    prediction = Prediction("a $ name.wav", len(samples) / 16000, {"angry": 0.7, "sad": 0.3}, 0.8)
    figure = plots.draw(audio.cut(samples), prediction)
    figure.savefig(io.BytesIO(), format="svg")
    waveform, spectrogram, contours, bars, *_ = figure.axes
    assert waveform.get_xlim() == spectrogram.get_xlim() == contours.get_xlim()
    assert [round(bar.get_width(), 3) for bar in bars.patches] == [0.7, 0.3]
    for ax in (waveform, spectrogram, contours, bars):
        assert ax.get_ylabel() or ax.get_xlabel()
    assert "uncertain, perhaps angry, 70.0 %" in figure.get_suptitle()


def test_the_contours_are_those_of_the_reference_engine():
    figure = plots.draw(VOICE, Prediction("v.wav", 1.0, {"angry": 0.7, "sad": 0.3}))
    frequency = figure.axes[2].lines[0].get_ydata()
    semitones = 12 * np.log2(frequency[np.isfinite(frequency)] / schema.SEMITONE_REFERENCE)
    features = dict(zip(schema.COLUMNS, reference.extract(VOICE), strict=True))
    assert semitones.mean() == pytest.approx(features["f0_semitones_mean"], abs=1e-4)
    assert np.isfinite(frequency).mean() == pytest.approx(features["voiced_fraction"], abs=1e-6)


# --- the prediction as an object ---------------------------------------------------------------------


def test_a_prediction_among_equals():
    prediction = Prediction("a.wav", 1.0, {"angry": 0.25, "calm": 0.375, "sad": 0.375}, 0.375)
    assert (prediction.emotion, prediction.runner_up) == ("calm", "sad")
    assert not prediction.uncertain  # at the threshold is not below it
    assert prediction.text() == "a.wav: calm 37.5 %, then sad 37.5 % (1.00 s)"


# --- extractor.py ------------------------------------------------------------------------------------


def test_the_csv_gives_back_the_very_vector(here, clip):
    code, out, err = here(extractor, clip, clip)
    assert (code, err) == (0, "")
    header, first, second = csv.reader(io.StringIO(out))
    assert tuple(header) == ("file", "seconds", *schema.COLUMNS) and first == second
    assert (first[0], first[1]) == (str(clip), "1.005")
    with threadpool_limits(1):
        expected = reference.extract(audio.load(clip))
    assert np.array_equal(np.array(first[2:], np.float32), expected)


def test_json_and_a_bad_clip(here, clip, folder):
    code, out, err = here(extractor, folder / "absent.wav", clip, "--json")
    assert (code, err.count("\n")) == (2, 1)
    line = json.loads(out)
    assert list(line) == ["file", "seconds", "features"]
    assert tuple(line["features"]) == schema.COLUMNS


def test_the_schema_as_json(here):
    code, out, _ = here(extractor, "--schema")
    about = json.loads(out)
    assert code == 0 and about["hash"] == schema.HASH and about["columns"] == list(schema.COLUMNS)
    assert about["descriptors"][0]["unit"]


def test_without_clips_it_says_what_to_name(here):
    code, _, err = here(extractor)
    assert code == 2 and "name sound files, or --schema" in err


def test_a_file_and_its_samples_give_the_same_vector(clip):
    from_file = extractor.extract(clip)
    assert from_file.dtype == np.float32 and from_file.shape == (len(extractor.schema.COLUMNS),)
    for samples in (VOICE, VOICE / 32768, np.stack([VOICE / 32768] * 2, axis=1)):
        assert np.array_equal(extractor.extract(samples), from_file)
    upsampled = extractor.extract(_float(48000), rate=48000)
    assert upsampled.shape == from_file.shape and np.isfinite(upsampled).all()


@pytest.mark.parametrize(
    "samples", [np.zeros(16000), np.zeros(0), np.zeros(0, np.int16), VOICE[:300]]
)
def test_samples_that_cannot_be_measured(samples):
    with pytest.raises(UserError, match="samples: "):
        extractor.extract(samples)


# --- what is imported, and when ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "arguments", "absent"),
    [
        ("predictor", ["--help"], ["sklearn", "librosa", "matplotlib", "numba"]),
        ("predictor", ["VOICE", "MODEL"], ["matplotlib"]),
        ("extractor", ["--schema"], ["sklearn", "librosa", "matplotlib", "parselmouth"]),
    ],
)
def test_what_is_not_needed_is_not_loaded(script, arguments, absent, clip, model):
    names = {"VOICE": str(clip), "MODEL": str(model)}
    code = f"""
import sys
sys.argv[1:] = {[names.get(argument, argument) for argument in arguments]!r}
from speech_emotion.commands import {script}
try:
    {script}.main()
except SystemExit:
    pass
print([name for name in {absent!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, cwd=REPOSITORY, text=True
    )
    assert done.stderr.splitlines()[-1] == "[]", done.stderr
