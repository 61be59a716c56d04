"""Where nobody speaks nothing is told: hum, noise, clicks and empty rooms are no speech; real clips are."""

import base64
import json
import shutil
import subprocess

import numpy as np
import pytest
import signals
from conftest import REPOSITORY
from hypothesis import example, given, settings
from hypothesis import strategies as st

from speech_emotion.features import audio, speech
from speech_emotion.features.schema import HOP, SAMPLE_RATE

N = 2 * SAMPLE_RATE
TIME = np.arange(N) / SAMPLE_RATE
RANDOM = np.random.default_rng(1)


def coloured(slope):
    """Noise whose power falls with the frequency to the `slope`, at a level of 1."""
    spectrum = np.fft.rfft(RANDOM.standard_normal(N))
    frequency = np.maximum(np.fft.rfftfreq(N, 1 / SAMPLE_RATE), 20)
    noise = np.fft.irfft(spectrum / frequency ** (slope / 2), N)
    return noise / noise.std()


def tone(frequency, amplitude=0.1):
    return amplitude * np.sin(2 * np.pi * frequency * TIME)


def pulses(rate, length=0.02, amplitude=0.3):
    return amplitude * (rate * TIME % 1 < length)


NOBODY = {
    "zeros": 0 * TIME,
    "constant": 0 * TIME + 0.1,
    "dither": RANDOM.integers(-1, 2, N) / 32768,
    "one-bit blip": np.where(np.arange(N) == 9000, 1, 0) / 32768,
    "empty room": 10 ** (-70 / 20) * RANDOM.standard_normal(N),
    "white noise": 0.1 * RANDOM.standard_normal(N),
    "pink noise": 0.05 * coloured(1),
    "rumble": 0.05 * coloured(2),
    "fan": 0.03 * coloured(1) * (1 + 0.15 * np.sin(2 * np.pi * 4 * TIME)),
    "weak hum": tone(50, 0.001),
    "hum": tone(50, 0.1),
    "hum of a transformer": sum(tone(50 * k, 0.05 / k) for k in range(1, 20)),
    "hum in noise": tone(120, 0.03) + 0.015 * RANDOM.standard_normal(N),
    "buzz": 0.1 * (2 * (60 * TIME % 1) - 1),
    "tone": tone(1000),
    "high tone": tone(5500),
    "dial": tone(697) + tone(1209),
    "beeps": tone(1000) * (TIME % 0.5 < 0.2),
    "square": 0.2 * np.sign(tone(200)),
    "chord": tone(262) + tone(330) + tone(392),
    "click": np.where(np.arange(N) == 16000, 0.9, 0),
    "clicks": pulses(7, 0.001, 0.8),
    "engine": pulses(25, 0.1),
    "mains pulses": pulses(50),
    "step": np.where(TIME > 1, 0.3, 0),
    "alternating": 0.5 * np.where(np.arange(N) % 2, 1, -1),
}


@pytest.mark.parametrize("name", NOBODY)
def test_nobody_speaks(name):
    assert speech.absent(audio.from_samples(NOBODY[name], SAMPLE_RATE))


@example("rumble", 0.0, 248, 14616)  # five of its 32 frames seem voiced
@given(
    st.sampled_from(sorted(set(NOBODY) - {"beeps", "clicks", "click", "step"})),
    st.floats(-30, 8), st.integers(0, SAMPLE_RATE), st.integers(SAMPLE_RATE // 2, SAMPLE_RATE),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_nobody_speaks_at_any_level_in_any_part_of_it(name, gain, start, length):
    part = NOBODY[name][start : start + length] * 10 ** (gain / 20)
    assert speech.absent(audio.from_samples(np.clip(part, -1, 1), SAMPLE_RATE))


def syllables(x):
    """x with the ups and downs of speech: four syllables a second, and a pause."""
    level = np.clip(np.sin(2 * np.pi * 2 * np.arange(len(x)) / SAMPLE_RATE), 0, 1)
    return (x * level).astype(np.int16)


SOMEBODY = {
    "voice": syllables(signals.voice(N, wobble=1)),
    "high voice": syllables(signals.voice(N, period=50, wobble=1)),
    "quiet voice": syllables(signals.voice(N, wobble=1) / 30),
    "voice in noise": syllables(signals.voice(N, wobble=1)) + signals.noise(N, 1000),
    "whisper": syllables(signals.noise(N, 3000)),
    "long vowel": signals.voice(N, glide=1, wobble=1),
    "voice with DC": syllables(signals.voice(N, wobble=1)) + np.int16(3000),
}


@pytest.mark.parametrize("name", SOMEBODY)
def test_somebody_speaks(name):
    assert speech.absent(SOMEBODY[name]) == ""


def test_the_reason_is_told_in_words():
    def reason(name):
        return speech.absent(audio.from_samples(NOBODY[name], SAMPLE_RATE))

    assert reason("zeros") == reason("constant") == "digital silence"
    assert "loudest 10 ms are at -91 dBFS, and the board's gate opens at -60" in reason("dither")
    assert reason("click") == "0.00 s of it are loud, and a word takes 0.2 s"
    assert reason("tone") == "a tone or hum, too regular for a voice"
    assert reason("white noise").startswith("a steady sound without a voice, its level within 0.")


@pytest.mark.parametrize("name", [name for name in signals.hostile() if name != "none"])
def test_any_sound_gets_an_answer(name):
    assert isinstance(speech.absent(signals.hostile()[name]), str)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4000))
@settings(max_examples=50, deadline=None)
def test_powers_and_voicing_are_their_definitions(seed, peak):
    x = np.random.default_rng(seed).integers(-peak, peak + 1, 5 * HOP + 77).astype(np.int16)
    powers, high = speech.hop_powers(x)
    hops = x[: 5 * HOP].reshape(5, HOP).astype(float)
    assert powers == pytest.approx(HOP**2 * hops.var(axis=1), rel=1e-9)
    steps = np.diff(x[: 5 * HOP].astype(float), prepend=float(x[0])).reshape(5, HOP)
    assert high == pytest.approx(HOP**2 * steps.var(axis=1), rel=1e-9)
    low = speech.decimated(x)
    assert low.tolist() == x[: len(low) * 4].reshape(-1, 4).sum(axis=1).tolist()
    frame, best = low[3 : 3 + speech.WINDOW], 0.0
    r = [np.corrcoef(frame, low[3 + lag : 3 + lag + speech.WINDOW])[0, 1] for lag in range(1, 38)]
    low = np.concatenate([low, np.zeros(100)])
    for i in range(speech.LAGS[0] - 1, 35):
        if r[i] >= r[i - 1] and r[i] >= r[i + 1]:
            best = max(best, r[i])
    assert speech.periodicity(low, 3)[0] >= best - 1e-9


def test_the_gate_is_the_boards_own():
    """Where the board's gate has its minimum, its confirmation and its shortest utterance."""
    source = (REPOSITORY / "embedded/src/ser_listen.c").read_text()
    minimum = int(speech.MINIMUM**0.5)
    for setting in (
        f"minimum = {minimum}.0f * {minimum}.0f", f"confirm = {speech.CONFIRM};",
        f"shortest = {speech.SHORTEST};", f"close = {speech.VARIES}f;",
    ):  # fmt: skip
        assert setting in source


MOST_REJECTED = 0.005


def test_hardly_a_real_clip_is_taken_for_silence(corpora_dir):
    for corpus in ("Crema", "Ravdess", "Savee", "Tess"):
        paths = sorted(
            p for p in (corpora_dir / corpus).rglob("*") if p.suffix in (".flac", ".wav")
        )
        paths = paths[:: max(1, len(paths) // 200)]
        absent = [path.name for path in paths if speech.absent(audio.load(path))]
        real = [name for name in absent if name != "1076_MTI_SAD_XX.wav"]  # all zeros
        assert len(real) <= MOST_REJECTED * len(paths)


# ---- the page's twin --------------------------------------------------------------------------------


TWIN = """
const fs = require("fs"), vm = require("vm");
const { script, sound, clips } = JSON.parse(fs.readFileSync(0, "utf8"));
const page = vm.createContext({ SOUND: sound });
vm.runInContext(script + "; this.why = whyNobodySpeaks; this.voicing = voicing;", page);
console.log(JSON.stringify(clips.map((clip) => {
  const bytes = Buffer.from(clip, "base64");
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return [page.why(samples), samples.length < 1600 ? null : Object.values(page.voicing(samples))];
})));
"""


@pytest.mark.skipif(not shutil.which("node"), reason="no node; apt-get install nodejs")
def test_the_page_decides_the_same_to_the_last_bit():
    clips = [audio.from_samples(x, SAMPLE_RATE) for x in NOBODY.values()]
    clips += [*SOMEBODY.values(), *signals.hostile().values()]
    script = REPOSITORY / "speech_emotion/codegen/web/speech.js"
    asked = {
        "script": script.read_text(encoding="utf-8"),
        "sound": {"hop": HOP, "speech": speech.SETTINGS},
        "clips": [base64.b64encode(clip.astype("<i2").tobytes()).decode() for clip in clips],
    }
    answered = subprocess.run(
        ["node", "-e", TWIN], input=json.dumps(asked), capture_output=True, text=True, check=True
    )
    for clip, (why, voice) in zip(clips, json.loads(answered.stdout), strict=True):
        assert why == speech.absent(clip)
        assert voice is None or tuple(voice) == tuple(speech.voicing(clip))
