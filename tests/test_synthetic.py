"""The synthetic corpus: the same bytes from the same seed, and emotions that can be measured."""

import json

import numpy as np
import parselmouth
import pytest
import soundfile
from parselmouth.praat import call

from speech_emotion import corpora
from speech_emotion.corpora import synthetic
from speech_emotion.corpora.synthetic import SPEAKERS, STYLES, Style
from speech_emotion.errors import UserError


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*.wav"))}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Three speakers, two sentences: 42 clips, about two seconds to make."""
    folder = tmp_path_factory.mktemp("small")
    return folder, synthetic.write(folder, speakers=3, sentences=2)


# ---- files


def test_every_clip_is_there_and_is_16_khz_16_bit_mono(small):
    folder, clips = small
    assert len(clips) == 3 * 2 * len(STYLES)
    assert len({(clip.speaker, clip.sentence, clip.emotion) for clip in clips}) == len(clips)
    for clip in clips:
        info = soundfile.info(clip.path)
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        assert 1.0 < info.duration < 3.0
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".wav", ".json"}


def test_read_gives_what_write_made(small):
    folder, clips = small
    assert synthetic.read(folder) == clips
    first = clips[0]
    assert first == corpora.Clip(
        folder / "f1" / "f1_kettle_angry.wav", "synthetic", "f1", "f", "angry", "kettle"
    )


def test_read_passes_over_other_files(small, tmp_path):
    _, clips = small
    content = clips[0].path.read_bytes()
    for name in ("f1/f1_kettle_bored.wav", "m1/f1_kettle_angry.wav", "f1/angry.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert synthetic.read(tmp_path) == []


def test_a_corpus_folder_of_it_is_recognised(small):
    folder, clips = small
    assert corpora.discover(folder).clips == clips
    assert corpora.licences(["synthetic"])[0].title == synthetic.TITLE


# ---- the same bytes


def test_a_second_run_gives_the_same_bytes_and_a_smaller_one_a_subset(small, tmp_path):
    folder, _ = small
    whole = contents(folder)
    # Praat's synthesiser and random numbers, used in between, must not matter.
    voice = call("Create SpeechSynthesizer", "English (America)", "Female1")
    call(voice, "To Sound", "Something else.", "no")
    synthetic.write(tmp_path / "again", speakers=3, sentences=2)
    assert contents(tmp_path / "again") == whole
    synthetic.write(tmp_path / "less", speakers=2, sentences=1)
    less = contents(tmp_path / "less")
    assert len(less) == 2 * 1 * len(STYLES)
    assert less.items() <= whole.items()


def test_an_interrupted_run_goes_on_and_keeps_what_was_finished(small, tmp_path):
    folder, _ = small

    def interrupted(items):
        for count, item in enumerate(items):
            if count == 5:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        synthetic.write(tmp_path, speakers=1, sentences=1, progress=interrupted)
    finished = synthetic.read(tmp_path)
    assert len(finished) == 5
    cut = finished[0].path
    cut.write_bytes(cut.read_bytes()[:-100])  # as a crash of the machine may leave it
    kept = finished[1].path.stat().st_mtime_ns
    clips = synthetic.write(tmp_path, speakers=1, sentences=1)
    assert finished[1].path.stat().st_mtime_ns == kept
    assert len(clips) == len(STYLES)
    assert contents(tmp_path).items() <= contents(folder).items()


def test_a_complete_corpus_is_not_synthesised_again(small, monkeypatch):
    folder, clips = small
    monkeypatch.setattr(synthetic, "_speak_apart", lambda *_: pytest.fail("synthesised again"))
    assert synthetic.write(folder, speakers=3, sentences=2) == clips


def test_another_seed_replaces_the_clips_and_nothing_else(small, tmp_path):
    folder, _ = small
    synthetic.write(tmp_path, seed=1, speakers=1, sentences=1)
    of_one = contents(tmp_path)
    notes = tmp_path / "f1" / "notes.txt"
    notes.write_text("mine")
    synthetic.write(tmp_path, speakers=1, sentences=1)
    of_zero = contents(tmp_path)
    assert of_zero.keys() == of_one.keys()
    assert all(of_zero[name] != of_one[name] for name in of_zero)
    assert of_zero.items() <= contents(folder).items()
    assert notes.read_text() == "mine"


def test_clips_of_another_version_are_replaced(small, tmp_path):
    folder, _ = small
    clips = synthetic.write(tmp_path, speakers=1, sentences=1)
    clips[0].path.write_bytes(clips[1].path.read_bytes())
    marker = tmp_path / synthetic.MARKER
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "version": -1}))
    synthetic.write(tmp_path, speakers=1, sentences=1)
    assert contents(tmp_path).items() <= contents(folder).items()


def test_styles_are_spelt_as_every_corpus_spells_them():
    assert set(STYLES) <= set(corpora.EMOTIONS)


# ---- bad input


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"speakers": 0}, "speakers is 0: give 1 to 12"),
        ({"speakers": 13}, "speakers is 13"),
        ({"sentences": 9}, "sentences is 9: give 1 to 8"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path, wrong, said):
    with pytest.raises(UserError, match=said):
        synthetic.write(tmp_path / "new", **wrong)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file") as raised:
        synthetic.write(tmp_path / "file" / "below", speakers=1, sentences=1)
    assert "\n" not in str(raised.value)


def test_a_synthesiser_that_fails_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic.sys, "executable", "/bin/false")
    with pytest.raises(UserError, match="synthesiser") as raised:
        synthetic.write(tmp_path, speakers=1, sentences=1)
    assert "\n" not in str(raised.value)


# ---- what is in the sound


def measured(sound):
    """Median F0 (Hz), its spread (semitones), level, jitter, shimmer, HNR; Praat's defaults."""
    pitch = sound.to_pitch_ac(pitch_floor=75, pitch_ceiling=600)
    f0 = pitch.selected_array["frequency"]
    semitones = 12 * np.log2(f0[f0 > 0])
    pulses = call([sound, pitch], "To PointProcess (cc)")
    periods = (0, 0, 1e-4, 0.02, 1.3)
    harmonicity = sound.to_harmonicity_cc(0.01, 75).values
    spectrum = np.abs(np.fft.rfft(sound.values[0])) ** 2
    split = int(1000 * sound.duration)
    return {
        "f0": np.median(f0[f0 > 0]),
        "range": np.subtract(*np.percentile(semitones, [90, 10])),
        "level": np.percentile(sound.to_intensity(75).values, 90),
        "jitter": call(pulses, "Get jitter (local)", *periods),
        "shimmer": call([sound, pulses], "Get shimmer (local_dB)", *periods, 1.6),
        "hnr": harmonicity[harmonicity > -200].mean(),
        "bright": 10 * np.log10(spectrum[split:].sum() / spectrum[:split].sum()),
        "seconds": sound.duration,
    }


@pytest.fixture(scope="module")
def by_emotion(small):
    """Measures averaged over the six clips of each emotion."""
    _, clips = small
    values = {emotion: [] for emotion in STYLES}
    for clip in clips:
        values[clip.emotion].append(measured(parselmouth.Sound(str(clip.path))))
    return {
        emotion: {name: np.mean([row[name] for row in rows]) for name in rows[0]}
        for emotion, rows in values.items()
    }


@pytest.mark.parametrize(
    ("measure", "more", "less"),
    [
        ("level", "angry", "sad"),
        ("f0", "angry", "sad"),
        ("bright", "angry", "sad"),
        ("range", "fear", "sad"),
        ("range", "happy", "sad"),
        ("seconds", "sad", "fear"),
        ("jitter", "disgust", "neutral"),
        ("shimmer", "disgust", "neutral"),
        ("hnr", "neutral", "fear"),
    ],
)
def test_emotions_differ_as_the_literature_has_it(by_emotion, measure, more, less):
    assert by_emotion[more][measure] > by_emotion[less][measure]


def test_the_sexes_are_apart_in_f0(tmp_path):
    synthetic.write(tmp_path, speakers=len(SPEAKERS), sentences=1, progress=neutral_only)
    f0 = {"f": [], "m": []}
    for clip in synthetic.read(tmp_path):
        f0[clip.sex].append(measured(parselmouth.Sound(str(clip.path)))["f0"])
    assert len(f0["f"]) == len(f0["m"]) == len(SPEAKERS) / 2
    assert min(f0["f"]) > max(f0["m"])


def neutral_only(items):
    return [item for item in items if item[2] == "neutral"]


@pytest.fixture(scope="module")
def utterances():
    spoken = synthetic._speak_apart(2)
    return [
        synthetic._Utterance(speaker, "kettle", spoken[speaker.name, "kettle"])
        for speaker in SPEAKERS[:2]
    ]


@pytest.mark.parametrize(
    ("style", "measure", "sign"),
    [
        (Style(pitch=4), "f0", +1),
        (Style(span=2), "range", +1),
        (Style(rate=1.25), "seconds", -1),
        (Style(level=6), "level", +1),
        (Style(tilt=2), "bright", +1),
        (Style(jitter=2), "jitter", +1),
        (Style(shimmer=2.4), "shimmer", +1),
        (Style(breath=10), "hnr", -1),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_each_setting_alone_moves_its_measure(utterances, style, measure, sign):
    """The mean over two voices and two draws: one clip's shimmer is mostly its consonants'."""
    plain, changed = (
        np.mean(
            [
                measured(rendered(utterance, each, draw))[measure]
                for utterance in utterances
                for draw in ("first", "second")
            ]
        )
        for each in (Style(), style)
    )
    assert sign * changed > sign * plain


def rendered(utterance, style, draw):
    """The same draw is the same chance, whatever the style."""
    samples = synthetic._render(utterance, style, synthetic._generator(0, draw))
    return parselmouth.Sound(samples / 32768, 16000)


def test_pitch_and_level_are_as_asked(utterances):
    """The median to twice the contour's random part (0.5 semitones); a shift, which shares that part,
    to Praat's choice of voiced frames; the level to the room noise, 30 dB and more below."""
    for utterance in utterances:
        plain, higher, louder = (
            measured(rendered(utterance, style, "first"))
            for style in (Style(), Style(pitch=4), Style(level=6))
        )
        assert 12 * np.log2(plain["f0"] / utterance.speaker.f0) == pytest.approx(0, abs=1)
        assert 12 * np.log2(higher["f0"] / plain["f0"]) == pytest.approx(4, abs=0.2)
        assert louder["level"] - plain["level"] == pytest.approx(6, abs=0.01)
