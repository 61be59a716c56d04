"""The quick part of the four users: nothing of a maker's recordings is dropped in silence."""

import subprocess
import sys

import pytest
import soundfile
from conftest import REPOSITORY

from speech_emotion.checks import users
from speech_emotion.errors import UserError
from speech_emotion.features import audio


def test_a_maker_gets_from_phone_files_to_a_library_and_every_file_is_accounted_for(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "speech_emotion.checks.users", "maker", "--quick", "--here", "--folder",
         str(tmp_path)],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "s  in all" in done.stdout and "28 files" in done.stdout


def test_what_is_wrong_is_named():
    user = users.Acted("maker")
    user.expect(True, "nothing")
    user.expect(False, "a file was dropped")
    assert user.wrong == ["a file was dropped"]


@pytest.mark.parametrize("kind", users.KINDS)
def test_a_phones_file_holds_what_was_said(kind, tmp_path):
    import signals

    sound = signals.voice(16000, glide=1)
    users.encode(tmp_path / f"a.{kind}", sound, 16000)
    heard = audio.read(tmp_path / f"a.{kind}")
    assert abs(len(heard) - len(sound)) < 1600
    if kind == "wav":
        assert soundfile.info(tmp_path / "a.wav").samplerate == 44100


def test_a_user_that_there_is_not_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["users", "nobody"])
    with pytest.raises(UserError, match="nobody: no such user"):
        users.main()
