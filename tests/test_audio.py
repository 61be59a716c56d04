"""The clip: any sound file becomes the same int16 samples for both engines, or one line says why not."""

import os
import struct

import numpy as np
import pytest
import signals
import soundfile

from speech_emotion.errors import UserError
from speech_emotion.features import audio
from speech_emotion.features.schema import CLIP_REMAINDER, DC_SHIFT, HOP, MIN_SAMPLES, SAMPLE_RATE


def tone(rate, seconds=1.0, frequency=440, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)


def refusal(path):
    """What `load` says: one line, beginning with the path."""
    with pytest.raises(UserError) as caught:
        audio.load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message


# ---- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("container", ["wav", "flac", "aiff", "au", "caf", "w64"])
def test_16_bit_at_16_khz_is_read_to_the_very_sample(tmp_path, container):
    samples = signals.noise(8000, 32767)
    soundfile.write(tmp_path / f"a.{container}", samples, SAMPLE_RATE, subtype="PCM_16")
    assert np.array_equal(audio.read(tmp_path / f"a.{container}"), samples)


@pytest.mark.parametrize(
    ("subtype", "step"),  # the largest step between two of the format's values near the tone's peak
    [
        ("PCM_U8", 2**-7),
        ("PCM_24", 2**-23),
        ("PCM_32", 2**-31),
        ("FLOAT", 2**-24),
        ("DOUBLE", 2**-53),
        ("ULAW", 2**-5),
        ("ALAW", 2**-5),
    ],
)
def test_other_sample_formats_are_rounded_to_16_bits(tmp_path, subtype, step):
    x = tone(SAMPLE_RATE)
    soundfile.write(tmp_path / "a.wav", x, SAMPLE_RATE, subtype=subtype)
    found = audio.read(tmp_path / "a.wav")
    # a whole step of the format, which may truncate, and half a step of the 16 bits
    assert np.abs(found / 32768 - x).max() <= step + 0.5 / 32768 + 1e-12


@pytest.mark.parametrize("container", ["ogg", "mp3"])
def test_lossy_files_sound_the_same(tmp_path, container):
    x = tone(SAMPLE_RATE)
    soundfile.write(tmp_path / f"a.{container}", x, SAMPLE_RATE)
    found = audio.read(tmp_path / f"a.{container}")[2000:-2000] / 32768
    spectrum = np.abs(np.fft.rfft(found * np.hanning(len(found))))
    peak = spectrum.argmax() * SAMPLE_RATE / len(found)
    assert peak == pytest.approx(440, abs=SAMPLE_RATE / len(found))  # a bin of this transform
    # a codec's error at its default quality: well below -40 dB on a tone
    assert np.sqrt(np.mean(found**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 24414, 44100, 48000, 96000])
def test_other_rates_are_resampled(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", tone(rate), rate, subtype="FLOAT")
    found = audio.read(tmp_path / "a.wav")
    assert abs(len(found) - SAMPLE_RATE) <= 1
    inner = slice(500, -500)  # away from the ends, where the filter meets the file's edge
    expected = tone(SAMPLE_RATE)[: len(found)]
    # half a step of rounding, and the HQ filter's ripple (soxr: 20 bits, about 1e-6)
    assert np.abs(found[: len(expected)] / 32768 - expected)[inner].max() < 0.6 / 32768 + 2e-6


def test_what_16_khz_cannot_hold_is_filtered_out_not_folded(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(48000, frequency=12000), 48000, subtype="FLOAT")
    assert np.abs(audio.read(tmp_path / "a.wav")[500:-500]).max() <= 1


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_channels_are_averaged(tmp_path, channels, subtype):
    x = np.stack([signals.noise(4000, 20000, seed=c + 1) for c in range(channels)], axis=1)
    soundfile.write(tmp_path / "a.wav", x, SAMPLE_RATE, subtype=subtype)
    assert np.array_equal(audio.read(tmp_path / "a.wav"), np.rint(x.mean(axis=1)))


def test_loudness_is_left_as_it_is(tmp_path):
    for peak in (3, 300, 30000):
        soundfile.write(tmp_path / "a.wav", signals.noise(4000, peak), SAMPLE_RATE)
        assert np.array_equal(audio.load(tmp_path / "a.wav"), signals.noise(4000, peak)[:3920])


def test_beyond_full_scale_is_clipped_not_wrapped(tmp_path):
    soundfile.write(tmp_path / "a.wav", 3 * tone(SAMPLE_RATE), SAMPLE_RATE, subtype="FLOAT")
    found = audio.read(tmp_path / "a.wav")
    assert found.max() == 32767 and found.min() == -32768
    assert (np.sign(found) == np.sign(np.rint(3 * tone(SAMPLE_RATE) * 32768))).all()


def test_a_file_and_its_array_give_the_same_samples(tmp_path):
    x = np.stack([tone(44100), tone(44100, frequency=300)], axis=1)
    soundfile.write(tmp_path / "a.wav", x, 44100, subtype="DOUBLE")
    assert np.array_equal(audio.read(tmp_path / "a.wav"), audio.from_samples(x, 44100))


def test_a_stream_that_did_not_know_its_length_is_read_to_its_end(tmp_path):
    """`arecord | ...` writes 2^32-1 or 0 where the length of the data belongs."""
    path = tmp_path / "a.wav"
    soundfile.write(path, signals.noise(4000), SAMPLE_RATE)
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(content)
    assert np.array_equal(audio.read(path), signals.noise(4000))


def test_names_may_hold_spaces_and_any_letter(tmp_path):
    path = tmp_path / "fröhlich und laut" / "日本 #1,2.wav"
    path.parent.mkdir()
    soundfile.write(path, signals.noise(4000), SAMPLE_RATE)
    assert np.array_equal(audio.read(path), signals.noise(4000))


# ---- the cut ------------------------------------------------------------------------------------


def test_a_clip_is_cut_at_its_end_to_80_mod_160_samples_losing_less_than_a_hop():
    for n in range(MIN_SAMPLES, MIN_SAMPLES + 2 * HOP):
        samples = np.arange(n, dtype=np.int16)
        cut = audio.cut(samples)
        assert len(cut) % HOP == CLIP_REMAINDER
        assert 0 <= n - len(cut) < HOP
        assert np.array_equal(cut, samples[: len(cut)])


def test_a_clip_that_was_cut_stays_as_it_is():
    cut = audio.cut(signals.noise(5000))
    assert np.array_equal(audio.cut(cut), cut)


def test_less_than_a_tenth_of_a_second_is_too_short():
    with pytest.raises(UserError, match=r"a\.wav: too short, 0\.100 s; at least 0\.1 s"):
        audio.cut(np.zeros(MIN_SAMPLES - 1, np.int16), name="a.wav")


# ---- the DC blocker -----------------------------------------------------------------------------


def blocked(samples):
    """The definition in Python's unlimited integers: level in 1/2^DC_SHIFT, rounded half up."""
    out, level = [], None
    for sample in samples.tolist():
        if level is None:
            level = sample * 2**DC_SHIFT
        difference = sample - (2 * level + 2**DC_SHIFT) // 2 ** (DC_SHIFT + 1)
        level += difference
        out.append(max(-32768, min(32767, difference)))
    return out


@pytest.mark.parametrize("name", signals.hostile())
def test_the_dc_blocker_is_its_integer_definition_on_any_sound(name):
    samples = signals.hostile()[name]
    found = audio.block_dc(samples)
    assert found.dtype == np.int16
    assert found.tolist() == blocked(samples)


def test_the_dc_blocker_saturates_where_the_difference_leaves_16_bits():
    samples = np.concatenate([np.full(50, -32768), np.full(50, 32767)]).astype(np.int16)
    found = audio.block_dc(samples)
    assert found[:50].tolist() == [0] * 50
    assert found[50] == 32767  # the true difference is 65535


def test_a_constant_offset_is_gone_from_the_first_sample_on():
    """As long as no sample is clipped: the level starts at the first sample, whatever it is."""
    samples = signals.noise(8000, 8000)
    for offset in (-20000, -1, 1, 12345, 24000):
        assert np.array_equal(
            audio.block_dc((samples + np.int16(offset)).astype(np.int16)), audio.block_dc(samples)
        )


def test_the_dc_blocker_has_the_response_of_one_pole_and_lets_speech_pass():
    """H = (1 - 1/z) / (1 - (1 - 2^-DC_SHIFT)/z): -3 dB near 10 Hz, -0.08 dB at 75 Hz, the lowest F0."""
    for frequency in (2, 10, 75, 300, 5000):
        z = np.exp(2j * np.pi * frequency / SAMPLE_RATE)
        gain = abs((1 - 1 / z) / (1 - (1 - 2**-DC_SHIFT) / z))
        x = audio.from_samples(tone(SAMPLE_RATE, 5, frequency), SAMPLE_RATE)
        y = audio.block_dc(x)[SAMPLE_RATE:] / 1.0  # the first second: the pole has settled
        # whole samples come out: half a step on a standard deviation of 11585 steps at most
        assert y.std() / x[SAMPLE_RATE:].std() == pytest.approx(gain, abs=0.5 / 11585)


def test_silence_is_any_constant_and_nothing_else():
    assert audio.is_silent(np.zeros(2000, np.int16))
    assert audio.is_silent(np.full(2000, -777, np.int16))
    almost = np.zeros(2000, np.int16)
    almost[1000] = 1
    assert not audio.is_silent(almost)


# ---- what is refused ----------------------------------------------------------------------------


def test_a_missing_file_a_directory_and_a_pipe_are_told_apart(tmp_path):
    assert refusal(tmp_path / "none.wav").endswith("no such file")
    assert "is a directory" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.wav")
    assert "not a regular file" in refusal(tmp_path / "pipe.wav")


@pytest.mark.parametrize("content", [b"", b"hello\nworld\n", bytes(range(256)) * 8, b"RIFF"])
def test_what_is_no_sound_is_refused(tmp_path, content):
    path = tmp_path / "text.wav"
    path.write_bytes(content)
    message = refusal(path)
    assert "not a sound file" in message
    assert message.count(str(tmp_path)) == 1  # libsndfile's own message repeats the path


def test_a_header_without_samples_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(0, np.int16), SAMPLE_RATE)
    assert "holds no samples" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize("container", ["wav", "flac", "mp3"])
@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_a_truncated_file_is_refused(tmp_path, container, kept):
    path = tmp_path / f"a.{container}"
    soundfile.write(path, signals.noise(32000), SAMPLE_RATE)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    refusal(path)


def test_a_truncated_wav_says_how_much_is_left(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, signals.noise(8000), SAMPLE_RATE)
    path.write_bytes(path.read_bytes()[: 44 + 2 * 5000])
    assert "truncated, 5000 samples left" in refusal(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_a_single_sample_that_is_no_number_is_refused(tmp_path, value, subtype):
    x = tone(48000)
    x[7] = value
    soundfile.write(tmp_path / "a.wav", x, 48000, subtype=subtype)
    assert "holds NaN or Inf samples" in refusal(tmp_path / "a.wav")


def test_twenty_milliseconds_are_too_short_at_any_rate(tmp_path):
    for rate in (8000, SAMPLE_RATE, 96000):
        soundfile.write(tmp_path / "a.wav", tone(rate, 0.02), rate)
        assert "too short, 0.020 s" in refusal(tmp_path / "a.wav")


def test_one_sample_is_too_short(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.ones(1, np.int16), 96000)
    assert "too short" in refusal(tmp_path / "a.wav")


def test_a_rate_that_no_speech_is_recorded_at_is_refused(tmp_path):
    """A damaged header that says 1 Hz would make a second of sound into hours."""
    soundfile.write(tmp_path / "a.wav", signals.noise(4000), 1)
    assert "sampled at 1 Hz" in refusal(tmp_path / "a.wav")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs POSIX users")
def test_a_file_without_permission_is_refused(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir()
    soundfile.write(folder / "a.wav", signals.noise(4000), SAMPLE_RATE)
    (folder / "a.wav").chmod(0)
    folder.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # root reads everything
            os.seteuid(65534)
        assert "cannot be read (Permission denied)" in refusal(folder / "a.wav")
    finally:
        os.seteuid(user)
        folder.chmod(0o700)


@pytest.mark.corpora
@pytest.mark.parametrize("pattern", ["Ravdess/**/*.wav", "Savee/*.wav", "Tess/**/*.wav"])
def test_the_files_kept_as_published_become_16_khz_mono(corpora_dir, pattern):
    """48 kHz stereo, 44.1 kHz, 24.414 kHz and 96 kHz."""
    paths = sorted(corpora_dir.glob(pattern))
    assert paths
    for path in paths:
        about = soundfile.info(path)
        assert (about.samplerate, about.channels) != (SAMPLE_RATE, 1)
        samples = audio.load(path)
        assert samples.dtype == np.int16 and samples.ndim == 1
        assert about.duration - len(samples) / SAMPLE_RATE < (HOP + 1) / SAMPLE_RATE
