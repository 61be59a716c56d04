"""Degraded clips are what they are called, and no noise is one that a copy was trained with."""

import numpy as np
import pandas as pd
import pytest
import signals
import soundfile
from scipy.signal import welch

from speech_emotion.checks import study
from speech_emotion.commands import study as command
from speech_emotion.dataset import augment, copies
from speech_emotion.errors import UserError
from speech_emotion.features import audio, device, schema, sentences
from speech_emotion.training import robustness
from speech_emotion.training.scores import Outcome

RATE = schema.SAMPLE_RATE


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Nine voices of one second, of three speakers; the folder they are in."""
    root = tmp_path_factory.mktemp("clips")
    rows = []
    for i in range(9):
        path = f"{i}.wav"
        soundfile.write(root / path, signals.voice(RATE, period=100 + 7 * i), RATE)
        rows.append({"path": path, "corpus": "c", "speaker": str(i % 3)})
    return pd.DataFrame(rows), root


@pytest.fixture(scope="module")
def measured(clips):
    return robustness.measure(*clips, jobs=1)


def column(vectors, name):
    return vectors[:, schema.COLUMNS.index(name)]


def test_every_condition_has_a_row_per_clip_and_undegraded_ones_are_the_clips(clips, measured):
    table, root = clips
    assert tuple(measured) == robustness.CONDITIONS
    plain = np.array([device.extract(audio.load(root / path)) for path in table["path"]])
    np.testing.assert_array_equal(measured["as recorded"], plain)
    assert all(vectors.shape == plain.shape for vectors in measured.values())


def test_a_lower_level_is_20_db_lower(measured):
    before, after = (
        column(measured[c], "intensity_db_mean") for c in ("as recorded", "level -20 dB")
    )
    np.testing.assert_allclose(before - after, 20, atol=0.2)


@pytest.mark.parametrize("kind", ["white noise", "babble"])
def test_more_noise_changes_the_features_more(kind, measured):
    plain = measured["as recorded"]
    spread = plain.std(axis=0) + 1e-3
    change = [
        np.abs((measured[f"{kind}, {snr} dB"] - plain) / spread).mean() for snr in robustness.SNRS
    ]
    assert change == sorted(change) and change[0] > 0


def test_babble_is_made_of_other_speakers_clips_only(clips, monkeypatch):
    table, root = clips
    paths, speakers = [root / path for path in table["path"]], table["speaker"].to_numpy()
    heard = []
    load = sentences.load
    monkeypatch.setattr(sentences, "load", lambda path: heard.append(path) or load(path))
    robustness._voices(paths, speakers, 0, RATE, np.random.default_rng(0))
    assert len(heard) == robustness.TALKERS
    assert all(speakers[paths.index(path)] != speakers[0] for path in heard)


# ---- levels, by measuring what the chip's code is given -------------------------------------------

TONES = (30, 60, 600, 1500)  # Hz, each of 0.15 of full scale


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """What `measure` hands to the chip's code, before features: heard[clip][condition], float, full scale 1.
    Clips: a voice, white noise, tones and silence, each of another speaker, four seconds."""
    root = tmp_path_factory.mktemp("heard")
    n = 4 * RATE + 80  # nothing is cut off
    time = np.arange(n) / RATE
    tones = sum(np.sin(2 * np.pi * f * time) for f in TONES)
    sounds = {
        "voice": signals.voice(n, period=107),
        "noise": signals.noise(n, 3000),
        "tones": np.rint(0.15 * 32768 * tones).astype(np.int16),
        "silence": np.zeros(n, np.int16),
        **{f"other {i}": signals.voice(n, period=80 + 13 * i) for i in range(6)},
    }
    for name, sound in sounds.items():
        soundfile.write(root / f"{name}.wav", sound, RATE)
    table = pd.DataFrame(
        {"path": [f"{name}.wav" for name in sounds], "corpus": "c", "speaker": list(sounds)}
    )
    given = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            device, "extract", lambda samples: given.append(samples / 32768) or np.zeros(3)
        )
        robustness.measure(table, root, jobs=1)
    given = np.array(given).reshape(len(sounds), len(robustness.CONDITIONS), n)
    return {
        name: dict(zip(robustness.CONDITIONS, each, strict=True))
        for name, each in zip(sounds, given, strict=True)
    }


def decibels(power):
    return 10 * np.log10(power)


def level(sound):
    """dBFS: of the RMS, against full scale."""
    return decibels(np.mean(sound**2))


def tone(sound, frequency):
    """The amplitude of a tone in the last three seconds, when filters have settled; whole periods."""
    part = sound[-3 * RATE :]
    return 2 * np.abs(np.mean(part * np.exp(-2j * np.pi * frequency * np.arange(len(part)) / RATE)))


def gain(sound, condition, frequency):
    """What a condition does to a tone, dB. The noise of the INMP441 is 50 dB below it: 0.03 dB."""
    return 20 * np.log10(tone(sound[condition], frequency) / tone(sound["as recorded"], frequency))


def test_the_table_has_the_conditions_that_its_readers_know():
    assert robustness.CONDITIONS == (
        "as recorded",
        "white noise, 20 dB", "white noise, 10 dB", "white noise, 5 dB", "white noise, 0 dB",
        "babble, 20 dB", "babble, 10 dB", "babble, 5 dB", "babble, 0 dB",
        "level -20 dB", "telephone, 300 to 3400 Hz", "INMP441 microphone",
    )  # fmt: skip


@pytest.mark.parametrize("snr", [20, 10, 5, 0])
@pytest.mark.parametrize("kind", ["white noise", "babble"])
@pytest.mark.parametrize("clip", ["voice", "noise"])
def test_noise_and_babble_have_the_signal_to_noise_ratio_of_their_name(heard, clip, kind, snr):
    clean = heard[clip]["as recorded"]
    noise = heard[clip][f"{kind}, {snr} dB"] - clean
    # rounding to 16 bits adds -101 dBFS, 30 dB below the weakest of these: 0.005 dB
    assert decibels(clean.var() / noise.var()) == pytest.approx(snr, abs=0.02)


def test_white_noise_is_white_and_babble_is_made_of_the_others_voices(heard):
    clip = heard["voice"]
    found = {}
    for kind in ("white noise", "babble"):
        noise = clip[f"{kind}, 0 dB"] - clip["as recorded"]
        found[kind] = welch(noise, RATE, nperseg=512)[1][1:]
    # 16 bands, each the mean of 16 lines of 249 windows: 10 log10(1 + 4 / sqrt(4000)) = 0.3 dB
    bands = decibels(found["white noise"].reshape(16, 16).mean(axis=1))
    assert np.abs(bands - bands.mean()).max() < 0.3
    # a single clip's spectrum is a comb of its own pitch; of six at one level, none is heard alone
    assert decibels(found["babble"][:128].sum() / found["babble"][128:].sum()) > 6


def test_the_babble_is_of_six_at_one_level(heard, monkeypatch):
    voices = [
        np.sin(2 * np.pi * f * np.arange(RATE) / RATE) for f in (200, 300, 500, 700, 1100, 1300)
    ]
    loud = [voice * 10**i for i, voice in enumerate(voices)]
    together = augment.together(iter(loud), RATE, np.random.default_rng(0))
    amplitudes = [2 * np.abs(np.mean(together * np.exp(-2j * np.pi * f * np.arange(RATE) / RATE)))
                  for f in (200, 300, 500, 700, 1100, 1300)]  # fmt: skip
    np.testing.assert_allclose(amplitudes, np.sqrt(2), rtol=1e-3)
    assert robustness.TALKERS == 6


def test_the_lower_level_is_20_db_lower(heard):
    for clip in ("voice", "noise", "tones"):
        sounds = heard[clip]
        lower = level(sounds["level -20 dB"]) - level(sounds["as recorded"])
        assert lower == pytest.approx(-20, abs=0.02)


def test_the_telephones_edges_are_3_db_down_at_300_and_3400_hz_and_fall_by_24_db_per_octave(heard):
    clip = heard["noise"]
    frequency, before = welch(clip["as recorded"], RATE, nperseg=2048)
    _, after = welch(clip["telephone, 300 to 3400 Hz"], RATE, nperseg=2048)
    found = decibels(after / before)

    def at(hertz):
        return np.interp(hertz, frequency, found)

    # a Butterworth band-pass of order 4: -10 log10(1 + ((f^2 - 300 * 3400) / (3100 f))^8). Lines of 7.8 Hz
    # see the slope through a Hann window: 0.3 dB
    assert at(300) == pytest.approx(-3.0, abs=0.3) and at(3400) == pytest.approx(-3.0, abs=0.3)
    assert at(150) == pytest.approx(-26.5, abs=1)
    assert np.abs(found[(frequency > 450) & (frequency < 2600)]).max() < 0.3
    assert found[frequency > 6800].max() < -40


def test_the_inmp441_hears_less_below_60_hz_at_6_db_per_octave(heard):
    clip = heard["tones"]
    # first order: -10 log10(1 + (60 / f)^2)
    for frequency in TONES:
        expected = -decibels(1 + (60 / frequency) ** 2)
        assert gain(clip, "INMP441 microphone", frequency) == pytest.approx(expected, abs=0.1)


def test_the_inmp441_has_a_noise_floor_of_its_87_dbfs_shifted_up_by_18_db(heard):
    floor = heard["silence"]["INMP441 microphone"]
    # 64,000 draws: their level is known to 20 log10(1 + 1 / sqrt(2 n)) = 0.025 dB; 0.1 is four of these
    assert level(floor) == pytest.approx(-87 + 18, abs=0.1)
    bands = decibels(welch(floor, RATE, nperseg=512)[1][1:].reshape(16, 16).mean(axis=1))
    assert np.abs(bands - bands.mean()).max() < 0.3  # white, as above


def test_what_is_too_loud_is_limited_to_16_bits_and_not_wrapped():
    loud = np.full(RATE, 32767, np.int16)
    loud[::2] = -32768
    random = np.random.default_rng(0)
    voices = np.sign(loud).astype(float)  # in step with the clip: each sample gets larger
    found = robustness._degraded(loud, "babble, 0 dB", voices, random, "loud", 1)
    np.testing.assert_array_equal(found, loud)


def test_no_condition_but_the_first_is_the_clip_and_no_two_are_alike(heard):
    sounds = [each.tobytes() for each in heard["voice"].values()]
    assert len(set(sounds)) == len(robustness.CONDITIONS)


def test_two_clips_never_have_the_same_noise(heard):
    first, second = heard["other 0"], heard["other 1"]
    for condition in ("white noise, 0 dB", "babble, 0 dB", "INMP441 microphone"):
        noises = [each[condition] - each["as recorded"] for each in (first, second)]
        assert abs(np.corrcoef(noises)[0, 1]) < 0.3


def test_noise_is_never_that_of_a_copy_that_may_have_been_trained_on(clips):
    samples = audio.load(clips[1] / "0.wav")
    tested = robustness._degraded(
        samples, "white noise, 10 dB", None, np.random.default_rng(0), "0.wav", 0
    )
    trained = augment.apply(samples, copies.Augmentation("noise", 10.0), seed=0, name="0.wav")
    assert (tested != trained).any()


def test_clips_in_another_folder_are_refused_by_name(clips, tmp_path):
    with pytest.raises(UserError, match=r"0\.wav: no such file"):
        robustness.measure(clips[0], tmp_path)


def test_points_lost_are_counted_from_the_clips_as_recorded():
    def outcome(wrong):
        truth = np.array(["a", "b"] * 10)
        of_b = (truth == "b").astype(float)
        of_b[:wrong] = 1 - of_b[:wrong]
        same = np.array(["c"] * 20)
        return Outcome(
            np.arange(20), truth, np.c_[1 - of_b, of_b], np.array(["a", "b"]), same, same, same
        )

    table = robustness.table({"as recorded": outcome(2), "babble, 10 dB": outcome(6)})
    assert table["points lost"].tolist() == ["0.0", "20.0"]


def test_the_study_writes_its_part_of_the_document_and_keeps_the_rest(tmp_path, monkeypatch):
    from test_train import write_features

    path = write_features(tmp_path, corpora=("ravdess", "cremad"), speakers=3, takes=2)
    document = tmp_path / "accuracy.md"
    document.write_text("# By hand\n" + study.MARK + "stale part")
    options = ["--models", "linear", "--seeds", "1", "--jobs", "1", "--out", str(document)]
    monkeypatch.setattr("sys.argv", ["study", str(path), *options])
    command.main()
    text = document.read_text()
    assert text.startswith("# By hand\n" + study.MARK) and "stale part" not in text
    for heading in ("## Variants", "## Nested choice", "## Eight classes", "## Feature groups"):
        assert heading in text
