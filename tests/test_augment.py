"""Augmentation: the copy has the strength it was asked for, and depends on seed, name and kind only."""

import numpy as np
import parselmouth
import pytest
import signals
from parselmouth.praat import call
from scipy.signal import butter, sosfilt, welch

from speech_emotion.dataset.augment import apply
from speech_emotion.dataset.copies import (
    AGAINST_THE_WORLD,
    RANGES,
    Augmentation,
    Others,
    is_voice,
)
from speech_emotion.errors import UserError

RATE = 16000


def copy(samples, text, *, seed=0, name="a.wav", others=None):
    others = others or [vowel(0.7, 110), vowel(2.3, 210)]
    return apply(samples, Augmentation.parse(text), seed=seed, name=name, others=others)


def vowel(seconds=1.5, f0=150):
    """A steady voice: pulses through three formants, 0.1 of full scale."""
    return (signals.voice(round(seconds * RATE), period=round(RATE / f0)) // 2).astype(np.int16)


def median_f0(samples):
    pitch = parselmouth.Sound(samples / 32768, RATE).to_pitch_ac(pitch_ceiling=600)
    return call(pitch, "Get quantile", 0, 0, 0.5, "Hertz")


# ---- noise --------------------------------------------------------------------------------------


@pytest.mark.parametrize("snr", [-5, 0, 5, 10, 20, 30])
def test_noise_has_the_signal_to_noise_ratio_asked_for(snr):
    clip = vowel()
    noise = copy(clip, f"noise:{snr}").astype(float) - clip
    assert 10 * np.log10(clip.astype(float).var() / noise.var()) == pytest.approx(snr, abs=0.1)


def test_a_dc_offset_is_no_signal():
    clip = (vowel() // 4 + 8000).astype(np.int16)
    noise = copy(clip, "noise:20").astype(float) - clip
    assert 10 * np.log10(clip.astype(float).var() / noise.var()) == pytest.approx(20, abs=0.1)


def test_noise_is_white():
    clip = vowel()
    noise = copy(clip, "noise:10").astype(float) - clip
    _, power = welch(noise, RATE, nperseg=512)
    # 16 bands of 187 periodograms' mean each: 10 log10(1 + 4 / sqrt(180)) = 1.1 dB for all of them
    bands = 10 * np.log10(power[:256].reshape(16, 16).mean(axis=1))
    assert np.abs(bands - bands.mean()).max() < 1.1


def test_loud_clips_are_clipped_by_noise_not_wrapped():
    clip = np.full(RATE, 32000, np.int16)
    clip[::2] = 31000
    assert copy(clip, "noise:0").min() > 20000


@pytest.mark.parametrize("kind", ["babble", "talkers"])
@pytest.mark.parametrize("snr", [0, 10, 20])
def test_babble_has_the_signal_to_noise_ratio_asked_for(kind, snr):
    clip = vowel()
    babble = copy(clip, f"{kind}:{snr}").astype(float) - clip
    assert 10 * np.log10(clip.astype(float).var() / babble.var()) == pytest.approx(snr, abs=0.1)


def test_babble_is_coloured_like_speech():
    babble = copy(vowel(), "babble:0").astype(float) - vowel()
    frequency, power = welch(babble, RATE, nperseg=512)
    # the vowel's power lies below 4 kHz; white noise would have half of its own above
    assert power[frequency > 4000].sum() < 0.1 * power.sum()


def test_talkers_are_the_clips_that_were_named_and_nothing_else():
    low, high = (
        sosfilt(butter(8, edges, "bandpass", fs=RATE, output="sos"), signals.noise(RATE)).astype(
            np.int16
        )
        for edges in ((300, 700), (2700, 3300))
    )
    heard = copy(vowel(), "talkers:0", others=[low, high]).astype(float) - vowel()
    frequency, power = welch(heard, RATE, nperseg=512)
    # each is heard as often as the other, at one level
    for band in ((200, 800), (2600, 3400)):
        share = power[(band[0] < frequency) & (frequency < band[1])].sum() / power.sum()
        assert share == pytest.approx(0.5, abs=0.05)


def test_behind_a_clip_are_clips_of_one_other_speaker_and_in_time_of_every_other():
    clips = [(f"{who}/{i}.wav", who) for who in ("ann", "ben", "cleo") for i in range(5)]
    others, kind = Others(clips), Augmentation.parse("talkers")
    assert others and not Others(clips[:5])
    for name, speaker in clips:
        behind = [others.behind(name, speaker, kind, seed=seed) for seed in range(50)]
        heard = [{path.split("/")[0] for path in paths} for paths in behind]
        assert all(
            len(set(paths)) == 2 and len(who) == 1 for paths, who in zip(behind, heard, strict=True)
        )
        assert set.union(*heard) == {"ann", "ben", "cleo"} - {speaker}
        assert behind[0] == others.behind(name, speaker, kind, seed=0)
    assert len(set(behind)) > 10
    assert others.behind("ann/0.wav", "ann", Augmentation.parse("babble"), seed=0) == ()


def test_who_has_recorded_one_clip_only_is_heard_in_it_alone():
    others = Others([("a.wav", "ann"), ("b.wav", "ben")])
    assert others.behind("a.wav", "ann", Augmentation.parse("talkers"), seed=0) == ("b.wav",)


# ---- level, room, line, microphone --------------------------------------------------------------


def test_gain_changes_the_level_by_so_many_decibels():
    clip = vowel()
    found = copy(clip, "gain:-20").astype(float)
    assert 20 * np.log10(found.std() / clip.std()) == pytest.approx(-20, abs=0.05)


@pytest.mark.parametrize("seconds", [0.2, 0.8])
def test_reverberation_falls_by_60_db_in_its_time(seconds):
    click = np.zeros(2 * RATE, np.int16)
    click[0] = 32767
    tail = copy(click, f"reverb:{seconds}").astype(float)[1:]
    power = np.cumsum(tail[::-1] ** 2)[::-1]  # Schroeder's backward integration
    # from -5 to -25 dB, times three, as ISO 3382 does
    start, end = (np.argmax(power < 10 ** (-x / 10) * power[0]) for x in (5, 25))
    assert 3 * (end - start) / RATE == pytest.approx(seconds, rel=0.2)


def test_reverberation_keeps_the_level():
    clip = vowel()
    assert copy(clip, "reverb:0.4").astype(float).std() == pytest.approx(clip.std(), rel=0.01)


def test_a_telephone_passes_its_band_only():
    noise = signals.noise(4 * RATE, 3000)
    frequency, before = welch(noise.astype(float), RATE, nperseg=512)
    _, after = welch(copy(noise, "telephone:3400").astype(float), RATE, nperseg=512)
    decibels = 10 * np.log10(after / before)
    assert np.abs(decibels[(frequency > 450) & (frequency < 2800)]).max() < 1
    assert decibels[(frequency < 150) | (frequency > 4500)].max() < -15


def test_a_microphones_response_has_the_spread_asked_for():
    noise = signals.noise(2 * RATE, 3000)
    frequency, before = welch(noise.astype(float), RATE, nperseg=1024)
    found = []
    for i in range(60):
        _, after = welch(copy(noise, "microphone:3", name=f"{i}").astype(float), RATE, nperseg=1024)
        at = np.searchsorted(frequency, [250, 1000, 4000])
        found += [10 * np.log10(after[at] / before[at])]
    # 180 draws: their standard deviation is within 11 % (two standard errors), and interpolation between
    # octaves takes none of it at the octaves
    assert np.std(found) == pytest.approx(3, rel=0.15) and abs(np.mean(found)) < 0.7


# ---- stretch, pitch, shift ----------------------------------------------------------------------


@pytest.mark.parametrize("factor", [0.5, 0.8, 0.95, 1.0, 1.2, 2.0])
def test_a_stretched_copy_lasts_so_much_longer_at_the_same_pitch(factor):
    clip = vowel()
    found = copy(clip, f"stretch:{factor}")
    # overlap-add works in whole periods: one at each end
    assert len(found) == pytest.approx(factor * len(clip), abs=2 * RATE / 150)
    assert 12 * np.log2(median_f0(found) / median_f0(clip)) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("semitones", [-3, -1, 0, 1, 3])
def test_a_shifted_pitch_is_so_many_semitones_away_in_the_same_time(semitones):
    clip = vowel()
    found = copy(clip, f"pitch:{semitones}")
    assert len(found) == len(clip)
    assert 12 * np.log2(median_f0(found) / median_f0(clip)) == pytest.approx(semitones, abs=0.2)


@pytest.mark.parametrize("factor", [0.7, 0.86, 1.0, 1.16, 2.0])
def test_a_faster_copy_is_higher_and_shorter_by_the_same_factor(factor):
    clip = vowel()
    found = copy(clip, f"speed:{factor}")
    assert len(found) == pytest.approx(len(clip) / factor, abs=1)
    assert 12 * np.log2(median_f0(found) / median_f0(clip) / factor) == pytest.approx(0, abs=0.2)


def test_a_copy_is_another_voice_or_the_same_one_heard_otherwise():
    voices = {"stretch", "pitch", "speed"}
    assert {kind for kind in RANGES if is_voice(kind)} == voices
    assert is_voice("pitch:-2") and not is_voice("noise:10") and not is_voice("")
    assert all(Augmentation.parse(kind) for kind in AGAINST_THE_WORLD)


def test_a_later_start_puts_silence_in_front_and_an_earlier_one_at_the_end():
    clip = signals.noise(8000)
    later, earlier = copy(clip, "shift:0.05"), copy(clip, "shift:-0.05")
    assert not later[:800].any() and np.array_equal(later[800:], clip[:-800])
    assert not earlier[-800:].any() and np.array_equal(earlier[:-800], clip[800:])


def test_a_shift_beyond_the_clip_leaves_silence():
    for text in ("shift:1", "shift:-1"):
        found = copy(signals.noise(8000), text)
        assert len(found) == 8000 and not found.any()


@pytest.mark.parametrize(
    "text",
    [
        "noise:10",
        "babble:10",
        "talkers:10",
        "gain:-20",
        "reverb:0.4",
        "telephone:3400",
        "microphone:4",
        "stretch:0.9",
        "pitch:2",
        "speed:1.1",
        "shift:0.03",
    ],
)
@pytest.mark.parametrize("name", [n for n, s in signals.hostile().items() if len(s) >= 1600])
def test_any_sound_has_a_copy(text, name):
    found = copy(signals.hostile()[name], text)
    assert found.dtype == np.int16 and found.ndim == 1 and len(found) > 0


def test_silence_stays_silent():
    for text in (
        "noise:0",
        "babble:0",
        "talkers:0",
        "gain:6",
        "reverb",
        "telephone",
        "microphone",
        "stretch:0.8",
        "pitch:3",
        "speed:0.9",
    ):
        assert not copy(np.zeros(RATE, np.int16), text).any()


# ---- the draw -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", RANGES)
def test_a_copy_depends_on_seed_name_and_kind_only(kind):
    clip = vowel()
    first = copy(clip, kind)
    copy(clip, "noise")
    assert np.array_equal(copy(clip, kind), first)
    assert not np.array_equal(copy(clip, kind, seed=1), first)
    assert not np.array_equal(copy(clip, kind, name="b.wav"), first)


@pytest.mark.parametrize("kind", RANGES)
def test_the_clip_itself_is_left_alone(kind):
    clip = vowel()
    before = clip.copy()
    copy(clip, kind)
    assert np.array_equal(clip, before)


def test_without_a_value_the_strength_is_drawn_from_the_whole_range():
    clip = signals.noise(4000, 3000)
    found = []
    for i in range(200):
        noise = copy(clip, "noise", name=f"{i}.wav").astype(float) - clip
        found.append(10 * np.log10(clip.astype(float).var() / noise.var()))
    low, high = RANGES["noise"]
    # of 200 draws the most extreme lie within 5 % of the ends, but for a chance of 1e-4
    edge = 0.05 * (high - low)
    assert low - 0.1 <= min(found) <= low + edge
    assert high - edge <= max(found) <= high + 0.1


# ---- what is asked for --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["noise", "noise:10", "stretch:0.9", "pitch:-2", "pitch:2.25", "shift:0.05"]
)
def test_a_kind_is_written_as_it_is_read(text):
    assert str(Augmentation.parse(text)) == text


def test_equal_strengths_are_one_and_different_ones_have_different_names():
    assert Augmentation.parse("noise:10") == Augmentation.parse("noise:10.0")
    assert str(Augmentation.parse("noise:10.000001")) != str(Augmentation.parse("noise:10.0000012"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo", "no such kind; known are noise, babble, talkers, gain, "),
        ("Noise", "no such kind"),
        ("", "no such kind"),
        ("noise:", "must be a number from -20 to 100"),
        ("noise:loud", "must be a number"),
        ("noise:nan", "must be a number"),
        ("noise:1000", "must be a number"),
        ("stretch:0", "must be a number from 0.5 to 2"),
        ("stretch:-1", "must be a number"),
        ("pitch:inf", "must be a number from -12 to 12"),
        ("shift:2", "must be a number from -1 to 1"),
    ],
)
def test_what_is_no_augmentation_is_refused_with_what_would_be(text, said):
    with pytest.raises(UserError) as caught:
        Augmentation.parse(text)
    assert str(caught.value).startswith(f"--augment {text}: ")
    assert said in str(caught.value)
