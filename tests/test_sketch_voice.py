"""The Microphone sketch with a model that knows voices: it learns, keeps what it knows over power
cuts, and forgets when it is told to."""

import codegen_models
import numpy as np
import pytest
import sketch_harness as harness
from test_sketches import SHIFT, decisions, room, run

from speech_emotion.codegen import clips

SENTENCES = 5


@pytest.fixture(scope="module")
def microphone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sketch") / "Voice"
    codegen_models.voice_library(folder)
    return harness.build(folder, "Microphone", folder.parent / "microphone")


@pytest.fixture(scope="module")
def talk():
    """Sentences of one voice in a quiet room, as the port delivers them."""
    sentence = clips.samples(clips.CLIPS[2])
    parts = [part for _ in range(SENTENCES) for part in (sentence, room(1.2))]
    return harness.slots(np.concatenate([room(1), *parts]), shift=SHIFT)


def known(lines):
    return [decision["known"] for decision in decisions(lines)]


def test_each_sentence_makes_the_voice_better_known(microphone, talk, tmp_path):
    assert known(run(microphone, talk, NVS_FOLDER=tmp_path)[0]) == list(range(SENTENCES))


def test_what_is_known_survives_a_power_cut_and_is_written_seldom(microphone, talk, tmp_path):
    run(microphone, talk, NVS_FOLDER=tmp_path)
    again = known(run(microphone, talk, NVS_FOLDER=tmp_path)[0])
    assert again[0] == 4  # the fifth sentence is not yet written


@pytest.mark.parametrize("damage", ["cut", "bit", "another model"])
def test_a_damaged_or_foreign_profile_is_forgotten(damage, microphone, talk, tmp_path):
    run(microphone, talk, NVS_FOLDER=tmp_path)
    kept = tmp_path / "voice0"
    content = bytearray(kept.read_bytes())
    if damage == "cut":
        del content[-10:]
    elif damage == "bit":
        content[200] ^= 1
    else:
        content[0] ^= 1  # the model's number comes first
    kept.write_bytes(content)
    assert known(run(microphone, talk, NVS_FOLDER=tmp_path)[0])[0] == 0


def test_without_flash_it_begins_anew_each_time(microphone, talk):
    assert known(run(microphone, talk)[0]) == list(range(SENTENCES))


def test_forget_is_said_over_the_serial_line(microphone, talk, tmp_path):
    run(microphone, talk, NVS_FOLDER=tmp_path)
    assert known(run(microphone, talk, NVS_FOLDER=tmp_path, SERIAL_IN="forget\n")[0])[0] == 0
    assert known(run(microphone, talk, NVS_FOLDER=tmp_path)[0])[0] == 4


def test_profiles_have_numbers(microphone, talk, tmp_path):
    run(microphone, talk, NVS_FOLDER=tmp_path)
    assert known(run(microphone, talk, NVS_FOLDER=tmp_path, SERIAL_IN="voice 2\n")[0])[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"voice0", "voice2"}


def test_what_is_typed_wrongly_is_said(microphone, talk, tmp_path):
    lines, _ = run(microphone, talk, SERIAL_IN="voice 9\nhello there, and much more than fits\n")
    assert sum("say forget, or voice 0" in line for line in lines) == 2
