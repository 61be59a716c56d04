"""Voice and face together: the formula, its weights, what is paired and what is not, tables, and C."""

import ctypes
import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st

from speech_emotion import fusion, native
from speech_emotion.errors import UserError
from speech_emotion.fusion import loglinear, pairing, tables, weights_file
from speech_emotion.resources import EMBEDDED

LABELS = ("angry", "happy", "neutral", "sad")


def rows(seed, count=200, labels=4, spread=1.5):
    scores = np.random.default_rng(seed).normal(0, spread, (count, labels))
    powers = np.exp(scores)
    return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)


def people(seed=0, count=400, sharpness=1.2):
    """Two channels that err independently, whose probabilities are right about it: (voice, face, truth)."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, count)
    channels = []
    for _ in range(2):
        scores = random.normal(0, 1, (count, 4))
        scores[np.arange(count), truth] += sharpness
        powers = np.exp(sharpness * scores)
        channels.append((powers / powers.sum(axis=1, keepdims=True)).astype(np.float32))
    return *channels, truth


# --- the formula --------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [(0.7, 0.7), (0, 4), (1, 0.2)])
def test_without_the_other_channel_the_answer_is_this_one_to_the_last_bit(weights):
    voice = rows(1)
    weights = fusion.Weights(*weights)
    assert fusion.fuse(voice, None, weights).tobytes() == voice.tobytes()
    assert fusion.fuse(None, voice, weights).tobytes() == voice.tobytes()
    with pytest.raises(ValueError, match="neither"):
        fusion.fuse(None, None)


@given(st.integers(0, 10_000), st.floats(0, 4), st.floats(0, 4), st.integers(2, 16))
def test_fused_answers_are_the_weighted_product(seed, a, b, labels):
    voice, face = rows(seed, 8, labels), rows(seed + 1, 8, labels)
    fused = fusion.fuse(voice, face, fusion.Weights(a, b))
    kept = [np.maximum(each, loglinear.FLOOR).astype(float) for each in (voice, face)]
    expected = kept[0] ** a * kept[1] ** b
    assert np.allclose(fused, expected / expected.sum(axis=1, keepdims=True), atol=2e-6)
    assert np.allclose(fused.sum(axis=1), 1, atol=1e-6)


def test_a_zero_of_one_channel_is_no_veto_and_nonsense_gives_probabilities_still():
    sure = np.array([[1, 0, 0, 0], [np.nan, 2, np.inf, -1]], np.float32)
    other = np.array([[0, 1, 0, 0], [0.25] * 4], np.float32)
    fused = fusion.fuse(sure, other)
    assert fused[0, 0] == fused[0, 1] > 0.4
    assert np.isfinite(fused).all() and np.allclose(fused.sum(axis=1), 1, atol=1e-6)


def test_channels_that_disagree_say_so():
    same = rows(3)
    assert (fusion.disagreement(same, same) == 0).all()
    assert fusion.disagreement(np.array([1, 0]), np.array([0, 1])) == 1


def test_fitted_weights_find_which_channel_knows_more_and_few_pairs_change_little():
    voice, face, truth = people()
    noise = rows(9, len(truth))
    weights = fusion.fitted(voice, noise, truth)
    assert weights.voice > 0.7 > 0.2 > weights.face
    few = fusion.fitted(voice[:3], noise[:3], truth[:3])
    assert few.face > 2 * weights.face and abs(few.voice - 0.7) < abs(weights.voice - 0.7)
    assert fusion.fitted(voice[:0], face[:0], truth[:0]) == fusion.DEFAULT


def test_a_weight_that_is_none_is_refused():
    for wrong in (-0.1, 4.1, float("nan")):
        with pytest.raises(ValueError, match="0 to 4"):
            fusion.Weights(wrong, 0.5)


# --- C ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def c_code(tmp_path_factory):
    target = tmp_path_factory.mktemp("fusion") / f"fusion{native.SHARED}"
    source = EMBEDDED / "src"
    native.run(
        [*native.compiler(), "-std=c99", *native.WARNINGS, "-Werror", "-O2", "-fPIC", "-shared",
         f"-I{source}", source / "ser_fusion.c", REPOSITORY / "tests" / "c" / "fusion_host.c", "-o", target]
    )  # fmt: skip
    library = ctypes.CDLL(str(target))
    library.ser_disagreement.restype = ctypes.c_float
    return library


def in_c(library, voice, face, a, b):
    some = voice if voice is not None else face
    out = np.empty_like(some)
    pointers = [
        None if each is None else ctypes.c_void_p(each.ctypes.data) for each in (voice, face)
    ]
    library.fuse_rows(
        *pointers, len(some), some.shape[1], ctypes.c_float(a), ctypes.c_float(b),
        ctypes.c_void_p(out.ctypes.data),
    )  # fmt: skip
    return out


@pytest.mark.parametrize("labels", [2, 7, 8, 16])
@pytest.mark.parametrize("weights", [(0.7, 0.7), (0.7861, 0.9412), (4, 0), (0, 0)])
def test_c_and_python_fuse_to_the_same_bits(c_code, labels, weights):
    voice, face = rows(5, 2000, labels, 4), rows(6, 2000, labels, 4)
    voice[0], face[1] = 0, [1, *[0] * (labels - 1)]
    voice[2], face[3] = np.nan, np.inf
    expected = fusion.fuse(voice, face, fusion.Weights(*weights))
    assert in_c(c_code, voice, face, *weights).tobytes() == expected.tobytes()


def test_in_c_a_missing_channel_is_left_out_too(c_code):
    voice = rows(7, 100, 7)
    assert in_c(c_code, voice, None, 0.3, 0.9).tobytes() == voice.tobytes()
    assert in_c(c_code, None, voice, 0.3, 0.9).tobytes() == voice.tobytes()
    pointer = ctypes.c_void_p(voice.ctypes.data)
    other = ctypes.c_void_p(voice[1].ctypes.data)
    apart = c_code.ser_disagreement(pointer, other, 7)
    assert apart == pytest.approx(fusion.disagreement(voice[0], voice[1]), abs=1e-6)


# --- pairing ------------------------------------------------------------------------------------


def pairs(voice, face, places=None):
    voice, face = np.array(voice, float).reshape(-1, 2), np.array(face, float).reshape(-1, 2)
    places = places or (np.full(len(voice), "a"), np.full(len(face), "a"))
    return pairing.pairs(tuple(map(np.array, places)), voice, face).tolist()


def test_half_of_the_shorter_must_be_common_and_the_place():
    assert pairs([[0, 2]], [[1, 3]]) == [0]
    assert pairs([[0, 2]], [[1.01, 3]]) == [-1]
    assert pairs([[0, 2]], [[0, 2]], (["kitchen"], ["study"])) == [-1]
    assert pairs([[0, 2]], []) == [-1]


def test_a_face_belongs_to_one_sentence_and_the_longest_common_time_wins():
    assert pairs([[0, 2], [2, 4]], [[1.5, 4]]) == [-1, 0]
    assert pairs([[0, 10]], [[0, 1], [1, 9], [9, 10]]) == [1]


@given(st.integers(0, 1000), st.floats(0.3, 3), st.integers(2, 40))
def test_faces_of_other_sentences_are_never_taken(seed, pause, count):
    random = np.random.default_rng(seed)
    seconds = random.uniform(1, 5, count)
    begins = np.cumsum(seconds + pause) - seconds
    voice = np.stack([begins, begins + seconds], axis=1)
    order = random.permutation(count)
    found = np.array(pairs(voice, (voice + random.uniform(-0.3, 0.3))[order]))
    assert (order[found] == np.arange(count)).all()
    # without its own face a sentence stays alone
    kept = order[order != 0]
    assert pairs(voice, voice[kept])[0] == -1


@given(*[st.tuples(st.integers(-50, 50), st.integers(0, 50)) for _ in range(2)])
def test_overlap_is_a_share_and_the_same_from_both_sides(a, b):
    a, b = (a[0], sum(a)), (b[0], sum(b))
    share = pairing.overlap(a, b)
    assert 0 <= share <= 1 and share == pairing.overlap(b, a)


# --- tables and the command ---------------------------------------------------------------------


def table(path, shares, *, labels=LABELS, places=None, begin=None, facts=None):
    facts = facts or {}
    lines = [",".join(["place", "begin", "end", *facts, *labels])]
    for i, row in enumerate(shares.tolist()):
        start = 10.0 * i if begin is None else begin[i]
        cells = [
            places[i] if places else "a",
            start,
            start + 2,
            *(facts[f][i] for f in facts),
            *row,
        ]
        lines.append(",".join(map(str, cells)))
    path.write_text("\n".join(lines) + "\n")
    return path


def command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "fusion", *map(str, arguments)], cwd=REPOSITORY,
        capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_fit_and_score_on_a_users_own_tables(tmp_path):
    voice, face, truth = people(count=120)
    facts = {"person": [f"p{i % 4}" for i in range(120)], "emotion": [LABELS[t] for t in truth]}
    heard = table(tmp_path / "voice.csv", voice, facts=facts)
    seen = table(tmp_path / "face.csv", face[:100])  # the last sentences have no face
    weights = tmp_path / "fusion.json"
    code, said, wrong = command("fit", heard, seen, "--out", weights)
    assert code == 0, wrong
    assert "100 of 120 sentences have a face; 20 keep the voice's answer" in said
    assert "each of 4 people by weights of the others" in said and "-DSER_FUSION_VOICE=" in said
    assert 0.3 < weights_file.read(weights).voice < 3
    out = tmp_path / "fused.csv"
    code, said, wrong = command("score", heard, seen, "--weights", weights, "--out", out)
    assert code == 0, wrong
    assert "the channels agree on" in said and "UAR" in said
    fused = tables.read(out)
    assert fused.labels == LABELS and len(fused) == 120
    assert np.allclose(fused.probabilities[100:], voice[100:], atol=1e-6)


def test_channels_with_other_labels_share_what_both_know_and_calm_is_neutral(tmp_path):
    heard = table(
        tmp_path / "v.csv",
        np.array([[0.2, 0.3, 0.1, 0.4]]),
        labels=("calm", "happy", "neutral", "sad"),
    )
    seen = table(
        tmp_path / "f.csv", np.array([[0.5, 0.25, 0.25]]), labels=("happy", "neutral", "angry")
    )
    both = tables.paired(tables.read(heard), tables.read(seen))
    assert both.labels == ("happy", "neutral")
    assert np.allclose(both.voice, [[0.5, 0.5]]) and np.allclose(both.face, [[2 / 3, 1 / 3]])


WRONG = {
    "no such column": ("place,begin,angry,sad\na,0,1,0\n", "no column 'end'"),
    "no number": ("place,begin,end,angry,sad\na,0,x,1,0\n", "t.csv:2: end is 'x'"),
    "not a number": ("place,begin,end,angry,sad\na,0,nan,1,0\n", "t.csv:2: end is 'nan'"),
    "backwards": ("place,begin,end,angry,sad\na,2,1,1,0\n", "t.csv:2: ends at 1"),
    "no shares": ("place,begin,end,angry,sad\na,0,1,1,1\n", "add up to 2"),
    "negative": ("place,begin,end,angry,sad\na,0,1,1.5,-0.5\n", "shares of 1"),
    "a cell too few": ("place,begin,end,angry,sad\na,0,1,1\n", "4 cells under 5"),
    "twice": ("place,begin,end,angry,angry\na,0,1,1,0\n", "twice"),
    "one label": ("place,begin,end,angry\na,0,1,1\n", "1 columns of labels"),
    "empty": ("", "no column 'place'"),
    "no rows": ("place,begin,end,angry,sad\n", "no rows"),
    "no text": (b"\xff\xfe\x00\x01", "UTF-8"),
}


@pytest.mark.parametrize("content, message", WRONG.values(), ids=WRONG)
def test_a_table_that_is_none_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as error:
        tables.read(path)
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", '{"format":"speech-emotion-fusion/1","weights":{"voice":1}}', "[" * 5000,
     '{"format":"speech-emotion-fusion/1","weights":{"voice":NaN,"face":1}}',
     '{"format":"speech-emotion-fusion/1","weights":{"voice":true,"face":1}}',
     '{"format":"speech-emotion-fusion/1","weights":{"voice":9,"face":1}}'],
)  # fmt: skip
def test_weights_that_are_none_are_refused_in_one_line(tmp_path, content):
    path = tmp_path / "fusion.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"fusion\.json"):
        weights_file.read(path)


def test_too_few_people_are_told_so_and_nothing_is_written(tmp_path):
    voice, face, truth = people(count=40)
    facts = {"person": ["p1"] * 40, "emotion": [LABELS[t] for t in truth]}
    heard, seen = table(tmp_path / "v.csv", voice, facts=facts), table(tmp_path / "f.csv", face)
    code, _, wrong = command("fit", heard, seen, "--out", tmp_path / "fusion.json")
    assert code == 2 and "1 people" in wrong and len(wrong.splitlines()) == 1
    assert not (tmp_path / "fusion.json").exists()


def test_the_check_skips_where_its_usual_files_are_not_there_and_refuses_where_named_ones_are_not(
    tmp_path,
):
    def said(*arguments):
        command = [sys.executable, "-m", "speech_emotion", "fusion-check", *arguments]
        paths = os.environ | {"PYTHONPATH": str(REPOSITORY)}
        return subprocess.run(command, cwd=tmp_path, env=paths, capture_output=True, text=True)

    usual, named = said(), said("--faces", "none.csv")
    assert usual.returncode == 0 and "skipped: dataset/features.csv is not here" in usual.stdout
    assert named.returncode == 2 and named.stderr.startswith("error: none.csv: no such file")
