"""The encoder is the same integers in C and in numpy, and its columns are what they say."""

import base64
import json
import shutil

import numpy as np
import pytest
import signals
from hypothesis import given, settings
from hypothesis import strategies as st

from speech_emotion.errors import UserError
from speech_emotion.features import audio, device, encoder, encoder_weights, reference, schema
from speech_emotion.generate import encoder_tables

SHIPPED = encoder_weights.shipped()
needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
SOUNDS = {
    "voice": signals.voice(48080, glide=2, wobble=3),
    "high": signals.voice(24080, period=60, glide=-1),
    "noise": signals.noise(16080),
    "loud and soft": np.concatenate([signals.voice(16080), signals.voice(16000) // 64]),
    **{name: x for name, x in signals.hostile().items() if len(x) > 8000 and np.abs(x).max() > 9},
}


@needs_compiler
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    frames=st.integers(0, 700),
    spread=st.sampled_from([0, 1, 12, 90]),
)
def test_the_chip_s_units_are_the_reference_s_to_the_last_bit_whatever_the_levels(
    seed, frames, spread
):
    random = np.random.default_rng(seed)
    levels = random.normal(-45, spread, (frames, schema.MELS)).clip(-100, 30)
    levels = np.rint(levels * 2**encoder.LEVEL_BITS).astype(np.int32)
    assert np.array_equal(device.encoder_units(levels), encoder.units(levels))


@needs_compiler
@pytest.mark.parametrize("sound", SOUNDS)
def test_the_columns_are_mean_and_deviation_of_the_units_where_there_is_speech(sound):
    samples = audio.cut(SOUNDS[sound])
    vector = device.extract(samples)
    units = encoder.units(device.mel_levels(samples)) / 128
    speech = reference.speech_frames(audio.block_dc(samples))[SHIPPED.hops - 1 :: SHIPPED.hops]
    kept = units[speech[: len(units)]]
    if not len(kept):
        kept = np.zeros((1, SHIPPED.units))
    for name, values in (("mean", kept.mean(axis=0)), ("std", kept.std(axis=0))):
        places = schema.places_of(f"encoder_{i:02d}_{name}" for i in range(SHIPPED.units))
        np.testing.assert_allclose(vector[places], values, atol=1e-6)


@needs_compiler
def test_loudness_does_not_matter_to_it():
    """16 times softer, which moves samples by half a step, and levels by what that is of them."""
    loud = signals.voice(32080, glide=2, wobble=3) // 2
    units = [
        encoder.units(device.mel_levels(audio.cut(x.astype(np.int16)))) for x in (loud, loud // 16)
    ]
    assert np.abs(units[0] - units[1]).mean() < 4


def test_the_reference_engine_s_units_are_near_the_chip_s():
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    samples = audio.cut(SOUNDS["voice"])
    tracks = reference.descriptors(audio.block_dc(samples))
    own = np.array([tracks[f"encoder_{i:02d}"] for i in range(SHIPPED.units)])
    at = slice(SHIPPED.hops - 1, None, SHIPPED.hops)
    assert np.isnan(own[:, 0]).all() and np.isfinite(own[:, at]).all()
    chip = encoder.units(device.mel_levels(samples)).T / 128
    assert np.abs(own[:, at] - chip).mean() < 0.01


def test_the_weights_are_part_of_the_schema_s_hash():
    content = json.loads(encoder_weights.FILE.read_text("utf-8"))
    content["layers"][-1]["bias"][0] += 1
    assert encoder_weights.parse(json.dumps(content)).digest != SHIPPED.digest
    content["layers"][-1]["bias"][0] -= 1
    content["card"] = {"sound": "told otherwise"}
    assert encoder_weights.parse(json.dumps(content)).digest == SHIPPED.digest
    assert schema.describe()["encoder"] == SHIPPED.digest


def damaged(change):
    content = json.loads(encoder_weights.FILE.read_text("utf-8"))
    change(content)
    return json.dumps(content)


def weight(value):
    def change(content):
        layer = content["layers"][0]
        weights = bytearray(base64.b64decode(layer["weights"]))
        weights[0] = value
        layer["weights"] = base64.b64encode(bytes(weights)).decode()

    return change


@pytest.mark.parametrize(
    "change",
    [
        weight(128),  # -128
        lambda content: content["layers"][1]["bias"].__setitem__(0, 2**27),
        lambda content: content["layers"][1]["bias"].pop(),
        lambda content: content["layers"][2]["multipliers"].__setitem__(3, 2**31),
        lambda content: content["layers"][2].update(stride=2),
        lambda content: content["layers"][3].update(dilation=0),
        lambda content: content.update(memory=0),
        lambda content: content.update(layers=[]),
    ],
)
def test_weights_that_the_chip_cannot_run_are_refused(change):
    with pytest.raises(ValueError):
        encoder_weights.parse(damaged(change))


def test_mel_levels_that_it_was_not_taught_on_are_refused(monkeypatch):
    monkeypatch.setattr(schema, "MELS", 42)
    with pytest.raises(UserError, match="MELS = 42"):
        encoder_tables.check()
