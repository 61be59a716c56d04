"""Augmentation: the copy has the strength it was asked for, and depends on seed, name and kind only."""

from functools import cache

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


@cache
def vowel(seconds=1.5, f0=150):
    """A steady voice: pulses through three formants, 0.1 of full scale."""
    made = (signals.voice(round(seconds * RATE), period=round(RATE / f0)) // 2).astype(np.int16)
    made.flags.writeable = False
    return made


def median_f0(samples, floor=75, ceiling=600):
    sound = parselmouth.Sound(samples / 32768, RATE)
    pitch = sound.to_pitch_ac(pitch_floor=floor, pitch_ceiling=ceiling)
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


def octave_gains(before, after):
    """dB at the octaves from 250 Hz to 4 kHz."""
    frequency, was = welch(before.astype(float), RATE, nperseg=1024)
    _, became = welch(after.astype(float), RATE, nperseg=1024)
    at = np.searchsorted(frequency, [250, 500, 1000, 2000, 4000])
    return 10 * np.log10(became[at] / was[at])


def ratio(clip, found):
    """Signal to what was added, dB."""
    return 10 * np.log10(clip.astype(float).var() / (found.astype(float) - clip).var())


def upper_edge(clip, found):
    """Where white noise falls through -3 dB, Hz."""
    frequency, was = welch(clip.astype(float), RATE, nperseg=512)
    gains = 10 * np.log10(welch(found.astype(float), RATE, nperseg=512)[1] / was)
    above = np.flatnonzero((frequency > 2000) & (gains < -3.01))[0]
    return np.interp(3.01, -gains[above - 1 : above + 1], frequency[above - 1 : above + 1])


def decay(_, found):
    """Seconds until a click's tail is down by 60 dB, from its fall by 20."""
    power = np.cumsum(found.astype(float)[:0:-1] ** 2)[::-1]
    start, end = (np.argmax(power < 10 ** (-x / 10) * power[0]) for x in (5, 25))
    return 3 * (end - start) / RATE


def delay(_, found):
    """Seconds of silence: in front, or, negative, at the end."""
    sounds = np.flatnonzero(found)
    return (sounds[0] - (len(found) - 1 - sounds[-1])) / RATE


CLICK = np.r_[np.int16(32767), np.zeros(2 * RATE - 1, np.int16)]
HISS = signals.noise(4000, 3000)
DRAWN = {
    # kind: its range as the documents name it, what is heard, what measures it, how exactly
    "noise": ((5, 30), HISS, ratio, 0.1),
    "babble": ((0, 25), HISS, ratio, 0.1),
    "talkers": ((0, 25), HISS, ratio, 0.1),
    "gain": ((-24, 6), HISS, lambda c, f: 20 * np.log10(f.astype(float).std() / c.std()), 0.05),
    "reverb": ((0.1, 0.8), CLICK, decay, 0.1),
    "telephone": ((3000, 3800), signals.noise(2 * RATE, 3000), upper_edge, 60),
    "stretch": ((0.8, 1.2), vowel(), lambda c, f: len(f) / len(c), 0.02),
    "pitch": ((-3, 3), vowel(), lambda _, f: 12 * np.log2(median_f0(f, 100, 220) / 150), 0.2),
    "speed": ((0.86, 1.16), HISS, lambda c, f: len(c) / len(f), 0.001),
    "shift": ((-0.1, 0.1), HISS, delay, 0.001),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_without_a_value_the_strength_that_is_heard_is_drawn_from_the_whole_range(kind):
    (low, high), clip, measured, exact = DRAWN[kind]
    found = [measured(clip, copy(clip, kind, name=f"{i}.wav")) for i in range(60)]
    # of 60 draws the most extreme lie within 10 % of the ends, but for a chance of 0.9^60 = 0.2 %
    edge = 0.1 * (high - low) + exact
    assert low - exact <= min(found) <= low + edge
    assert high - edge <= max(found) <= high + exact


def test_the_spread_of_a_microphones_response_is_drawn_between_1_and_6_db():
    clip = signals.noise(2 * RATE, 3000)
    found = [octave_gains(clip, copy(clip, "microphone", name=f"{i}.wav")) for i in range(100)]
    # the variance of the octaves' gains is the mean of the squared spread, (6^3 - 1^3) / (3 * 5) = 14.3; of
    # 500 gains of varying spread it is known within about 10 % (one standard error)
    assert np.var(found) == pytest.approx(14.3, rel=0.25)
    spreads = np.std(found, axis=1)
    assert spreads.min() < 1.2 and 5 < spreads.max() < 6 * 2.5


def test_the_direct_sound_of_a_room_is_0_to_10_db_over_its_tail():
    found = []
    for i in range(60):
        room = copy(CLICK, "reverb:0.4", name=f"{i}.wav").astype(float)
        found.append(20 * np.log10(room[0] / np.sqrt(np.sum(room[1:] ** 2))))
    # the tail's first sample adds to the direct sound: a few per cent, 0.5 dB
    assert -0.8 <= min(found) <= 1.5 and 8.5 <= max(found) <= 10.8


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_formants_move_with_a_faster_tape(factor):
    clip = signals.noise(RATE, 3000)
    band = sosfilt(butter(4, (900, 1100), "bandpass", fs=RATE, output="sos"), clip).astype(np.int16)
    frequency, power = welch(copy(band, f"speed:{factor}").astype(float), RATE, nperseg=1024)
    assert frequency[power.argmax()] == pytest.approx(1000 * factor, rel=0.12)


def third_octaves(x):
    """dB in thirds of an octave from 125 Hz to 6.3 kHz, counted from their mean."""
    spectrum = np.abs(np.fft.rfft(x)) ** 2
    bands = np.rint(3 * np.log2(np.maximum(np.fft.rfftfreq(len(x), 1 / RATE), 1) / 1000))
    found = 10 * np.log10([spectrum[bands == band].sum() for band in range(-9, 9)])
    return found - found.mean()


def test_babble_has_the_long_term_spectrum_of_speech():
    # Byrne et al. 1994, 125 Hz to 6.3 kHz; dB
    speech = np.array([57.7, 56.8, 60.2, 60.3, 59.0, 62.1, 62.1, 60.5, 56.8,
                       53.7, 53.0, 52.0, 48.7, 48.1, 46.8, 45.6, 44.5, 44.3])  # fmt: skip
    clip = vowel(1.0)
    found = [
        third_octaves(copy(clip, "babble:-10", name=f"{i}.wav") - clip.astype(float))
        for i in range(40)
    ]
    # tilted by 1.5 dB per octave at random, 3 octaves from the middle: 4.5 dB / sqrt(40) = 0.7 dB of the mean
    error = np.mean(found, axis=0) - (speech - speech.mean())
    assert np.abs(error).max() < 1.5
    tilts = [np.polyfit(np.arange(18) / 3, each, 1)[0] for each in found]
    assert np.std(tilts) == pytest.approx(1.5, rel=0.35)


def test_babble_swells_and_ebbs_less_than_one_voice_and_more_than_noise():
    def swell(x):
        """Standard deviation of the level of 50 ms, dB."""
        return np.std(20 * np.log10(x[: len(x) // 800 * 800].reshape(-1, 800).std(axis=1)))

    quiet = (vowel(4.0) // 300).astype(np.int16)
    added = {
        kind: np.mean(
            [swell(copy(quiet, kind, name=f"{i}.wav") - quiet.astype(float)) for i in range(5)]
        )
        for kind in ("noise:-20", "babble:-20")
    }
    # noise: 20 log10(1 + 1 / sqrt(2 * 800)) = 0.2 dB; one talker: more than 8 dB
    assert added["noise:-20"] < 0.4 and 1.5 < added["babble:-20"] < 6


# length, and every 2000th sample from the 1500th on, of a copy of each kind with seed 0
MADE = {
    "noise": (24000, [541, 163, -557, -1258, -39, 643, -516, 104]),
    "babble": (24000, [1200, 185, -325, -1177, -184, 675, -199, 13]),
    "talkers": (24000, [809, 73, -576, -1015, -253, 446, -436, 47]),
    "gain": (24000, [177, 32, -112, -212, -63, 99, -84, 23]),
    "reverb": (24000, [626, -88, -161, -1417, -460, 361, 506, 258]),
    "telephone": (24000, [-16, -55, -88, -1695, -299, 373, 907, 298]),
    "microphone": (24000, [1038, 221, -538, -799, -284, 468, -528, 74]),
    "stretch": (24539, [-143, 306, -506, 1700, 36, 572, -872, -269]),
    "pitch": (24000, [-124, -82, -491, 28, 157, -250, 85, 107]),
    "speed": (25333, [340, -155, 190, -489, -1267, -260, -36, 1081]),
    "shift": (24000, [240, -259, 1574, 154, -314, -1223, -349, 293]),
}  # fmt: skip


@pytest.mark.parametrize("kind", RANGES)
def test_copies_are_those_that_the_published_models_were_trained_with(kind):
    """Whoever changes a number of augmentation changes every table made with --augment: say so, and train
    the models again. One unit in the last place is left to another computer's arithmetic."""
    length, samples = MADE[kind]
    found = copy(vowel(), kind)
    assert len(found) == length
    np.testing.assert_allclose(found[1500:17500:2000], samples, atol=1)


# ---- what is asked for --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        ("noise", -20, 100), ("babble", -20, 100), ("talkers", -20, 100), ("gain", -60, 40),
        ("reverb", 0.05, 5), ("telephone", 1000, 7900), ("microphone", 0, 20), ("stretch", 0.5, 2),
        ("pitch", -12, 12), ("speed", 0.5, 2), ("shift", -1, 1),
    ],
)  # fmt: skip
def test_strengths_are_taken_up_to_their_bounds_and_refused_beyond(kind, low, high):
    for value in (low, high):
        assert Augmentation.parse(f"{kind}:{value}").value == value
    for value in (np.nextafter(low, -np.inf), np.nextafter(high, np.inf)):
        with pytest.raises(UserError, match=f"a number from {low} to {high}"):
            Augmentation.parse(f"{kind}:{float(value)!r}")


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
