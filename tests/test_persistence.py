"""Model files: what is saved comes back the same; what is no model is refused, and nothing of it is run."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import pickle
import random
import sys
import tracemalloc
import warnings
import zipfile
import zlib
from contextlib import suppress

import joblib
import numpy as np
import pytest
import sklearn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from speech_emotion.checks import hostile_models
from speech_emotion.commands import robustness
from speech_emotion.errors import UserError, shown
from speech_emotion.features import schema
from speech_emotion.model import archive, facts, parts, persistence
from speech_emotion.model.estimators import (
    AppendDiscriminants,
    ClippedScaler,
    Float32Network,
    Int8Network,
    Int16Quantiser,
    SnappedRandomForest,
)
from speech_emotion.names import terminal as one_line
from speech_emotion.training.candidates import CANDIDATES
from speech_emotion.training.fitting import for_the_chip

LABELS = ["angry", "calm", "sad"]
COLUMNS = list(schema.COLUMNS[5:25])
RNG = np.random.default_rng(7)
VECTORS = RNG.normal(size=(60, len(schema.COLUMNS))).astype(np.float32)
ROWS = VECTORS[:, 5:25]
EMOTIONS = np.array(LABELS * 20)
INFO = {"labels": LABELS, "columns": COLUMNS, "engine": "reference"}
MODERATE = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def fitted(estimator, rows=ROWS, emotions=EMOTIONS):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = estimator.fit(rows, emotions)
    return for_the_chip(fitted) if isinstance(fitted, Pipeline) else fitted


def small(pipeline):
    """The candidate with few trees and epochs."""
    sizes = {"model__n_estimators": 3, "model__max_iter": 5, "model__hidden_layer_sizes": (4, 3)}
    known = pipeline.get_params()
    return pipeline.set_params(**{name: size for name, size in sizes.items() if name in known})


@pytest.fixture(scope="module")
def forest():
    return fitted(
        make_pipeline(
            ClippedScaler(),
            AppendDiscriminants(),
            Int16Quantiser(),
            SnappedRandomForest(3, random_state=0),
        )
    )


@pytest.fixture
def model_file(tmp_path, forest):
    path = tmp_path / "model.joblib"
    persistence.save(forest, path, INFO)
    return path


# --- what is saved comes back ------------------------------------------------------------------

ESTIMATORS = {name: small(candidate.make(0)) for name, candidate in CANDIDATES.items()} | {
    "MLP, early stopping": MLPClassifier((4,), max_iter=5, early_stopping=True),
    "MLP, sgd": MLPClassifier((4, 3), max_iter=5, solver="sgd"),
    "MLP, lbfgs": MLPClassifier((4,), max_iter=5, solver="lbfgs"),
    "MLP, tanh": MLPClassifier((4,), max_iter=5, activation="tanh"),
    "network in float32": Float32Network((4,), max_iter=5),
    "network in int8": Int8Network((4, 3), max_iter=5),
    "random forest, out of bag": RandomForestClassifier(9, oob_score=True),
    "extra trees": ExtraTreesClassifier(3),
    "decision tree": DecisionTreeClassifier(class_weight="balanced"),
    "extra tree": ExtraTreeClassifier(),
    "logistic regression": LogisticRegression(),
    "discriminants": LinearDiscriminantAnalysis(),
}


@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")
@pytest.mark.parametrize("count", [2, 3], ids=["two labels", "three labels"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_kind_of_model_gives_the_same_bits_after_a_round_trip(name, count, tmp_path):
    estimator, mine = ESTIMATORS[name], np.isin(EMOTIONS, LABELS[-count:])
    pipeline = fitted(
        clone(estimator if name in CANDIDATES else make_pipeline(StandardScaler(), estimator)),
        ROWS[mine],
        EMOTIONS[mine],
    )
    path = tmp_path / "model.joblib"
    info = INFO | {"labels": LABELS[-count:], "threshold": 0.4, "trained_on": 60}
    persistence.save(pipeline, path, info)
    model = persistence.load(path)
    far = np.concatenate([ROWS, 1e3 * ROWS, np.full_like(ROWS[:1], 1e30)])
    assert np.array_equal(model.pipeline.predict_proba(far), pipeline.predict_proba(far))
    # laid out as Model lays them out: of another layout, a matrix library's sums are split otherwise
    rows = VECTORS[:, list(range(5, 25))]
    assert np.array_equal(model.probabilities(VECTORS), pipeline.predict_proba(rows))
    assert model.probabilities(VECTORS).dtype == np.float64
    assert (model.labels, model.columns, model.engine) == (LABELS[-count:], COLUMNS, "reference")
    assert (model.threshold, model.info["trained_on"]) == (0.4, 60)
    assert list(model.pipeline.predict(ROWS)) == list(pipeline.predict(ROWS))


def test_the_same_model_is_the_same_bytes_and_a_model_read_is_saved_as_it_was(model_file, forest):
    again = model_file.with_name("again.joblib")
    persistence.save(persistence.load(model_file).pipeline, again, INFO)
    assert again.read_bytes() == model_file.read_bytes()
    persistence.save(forest, again, INFO | {"about": "other facts"})
    assert again.read_bytes() == model_file.read_bytes()


@pytest.mark.parametrize("name", ["forest_small", "mlp_32", "linear", "student_56"])
def test_a_file_is_no_larger_than_the_pickle_that_it_replaces(name, tmp_path):
    columns = list(schema.COLUMNS[:351])
    rows = np.random.default_rng(1).normal(size=(140, 351)).astype(np.float32)
    emotions = np.array([*LABELS, "disgust", "fear", "happy", "neutral"] * 20)
    pipeline = CANDIDATES[name].make(0)
    pipeline = fitted(small(pipeline) if "student" in name else pipeline, rows, emotions)
    info = INFO | {"labels": sorted(set(emotions)), "columns": columns}
    persistence.save(pipeline, tmp_path / "m.joblib", info)
    assert (tmp_path / "m.joblib").stat().st_size <= len(pickle.dumps(pipeline, protocol=5))


def test_numpy_opens_the_file_without_pickle(model_file, forest):
    with np.load(model_file, allow_pickle=False) as opened:
        assert np.array_equal(opened["0.mean_"], forest[0].mean_)
        assert json.loads(opened["model.json"])["labels"] == LABELS


def test_labels_from_pandas_are_arrays_of_str_objects(tmp_path):
    pipeline = make_pipeline(LogisticRegression()).fit(ROWS, EMOTIONS.astype(object))
    persistence.save(pipeline, tmp_path / "model.joblib", INFO)
    model = persistence.load(tmp_path / "model.joblib")
    assert np.array_equal(model.probabilities(VECTORS), pipeline.predict_proba(ROWS))


HOSTILE_NAMES = [
    "高兴", "Гнев", "angry\nldflags=-evil", 'a"b', "\u202eevil", "a,b;c", "%s", "../x", "é" * 50, " ",
    "\x1b[2J", "__class__",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_label_is_data_whatever_it_is(name, tmp_path):
    labels = sorted(["angry", "calm", name])
    pipeline = make_pipeline(LogisticRegression()).fit(ROWS, np.array(labels * 20))
    path = tmp_path / "model.joblib"
    persistence.save(pipeline, path, INFO | {"labels": labels, "name": name})
    assert persistence.load(path).labels == labels
    message = refused(changed(path, labels=labels[::-1]))
    assert message.isprintable()


def test_the_json_says_what_the_model_is(model_file):
    info = json.loads(persistence.info_path(model_file).read_text())
    assert info["sha256"] == hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert info["schema"] == schema.HASH
    assert info["versions"]["scikit-learn"] == sklearn.__version__
    assert info["settings"]["clippedscaler"] == {"limit": 2.5}
    assert info["settings"]["snappedrandomforest"]["n_estimators"] == 3


def with_learnt(pipeline, name):
    setattr(pipeline[0], name, 1)
    return pipeline


def with_numbers(name, value):
    pipeline = fitted(make_pipeline(ClippedScaler(), LogisticRegression()))
    getattr(pipeline[0], name)[3] = value
    return pipeline


@pytest.mark.parametrize(
    ("pipeline", "info", "complaint"),
    [
        (make_pipeline(SVC()), INFO, "sklearn.svm._classes.SVC is none of the parts"),
        (LogisticRegression(), INFO, "LogisticRegression is no Pipeline"),
        (make_pipeline(FunctionTransformer(np.abs), LogisticRegression()), INFO, "FunctionTransf"),
        (make_pipeline(StandardScaler(with_mean=False), LogisticRegression()), INFO, "with_mean"),
        (make_pipeline(LogisticRegression()), INFO | {"labels": ["angry", "sad", "calm"]}, "apart"),
        (make_pipeline(LogisticRegression()), INFO | {"columns": COLUMNS[1:]}, "for 20 columns"),
        (make_pipeline(LogisticRegression()), INFO | {"columns": COLUMNS[::-1]}, "schema order"),
        (
            make_pipeline(LogisticRegression()),
            INFO | {"columns": ["x", *COLUMNS[1:]]},
            "'x' is not",
        ),
        (make_pipeline(LogisticRegression()), INFO | {"engine": "praat"}, "'engine' is 'praat'"),
        (make_pipeline(LogisticRegression()), INFO | {"threshold": 40}, "'threshold' is 40"),
        (make_pipeline(LogisticRegression()), INFO | {"scores": {"uar": np.nan}}, "'uar'"),
        (make_pipeline(LogisticRegression()), INFO | {"rows": 60}, "'rows' is no field"),
        (
            make_pipeline(LogisticRegression()),
            {"labels": LABELS, "columns": COLUMNS},
            "'engine' is missing",
        ),
    ],
)
def test_nothing_is_saved_that_load_would_refuse(pipeline, info, complaint, tmp_path):
    with pytest.raises(ValueError, match=complaint):
        persistence.save(fitted(pipeline), tmp_path / "model.joblib", info)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pipeline", "complaint"),
    [
        (with_numbers("inverse_", np.inf), "inverse_ holds numbers"),
        (with_numbers("mean_", np.nan), "mean_ holds numbers"),
        (
            with_learnt(fitted(make_pipeline(ClippedScaler(), LogisticRegression())), "median_"),
            "ClippedScaler has learnt 'median_', which is in no declaration",
        ),
    ],
)
def test_what_was_learnt_is_declared_and_possible_or_not_saved(pipeline, complaint, tmp_path):
    with pytest.raises(ValueError, match=complaint):
        persistence.save(pipeline, tmp_path / "model.joblib", INFO)
    assert list(tmp_path.iterdir()) == []


def test_names_in_files_are_for_ever():
    """Classes may move and be renamed; a file of yesterday must still find its part."""
    assert {part.name for part in parts.PARTS} >= {
        "clipped-scaler/1", "append-discriminants/1", "int16-quantiser/1", "snapped-random-forest/1",
        "snapped-extra-trees/1", "float32-network/1", "int8-network/1", "standard-scaler/1",
        "logistic-regression/1", "linear-discriminants/1", "mlp-classifier/1", "random-forest/1",
        "extra-trees/1", "tree/1", "extra-tree/1", "voice-scaler/1", "kernel-ridge/1",
    }  # fmt: skip
    assert facts.FORMAT == "speech-emotion-model/1"


def test_vectors_of_another_width_are_refused(model_file):
    with pytest.raises(ValueError, match="expected"):
        persistence.load(model_file).probabilities(ROWS)


# --- what is no model ----------------------------------------------------------------------------


def refused(path) -> str:
    """The one line with which `load` refuses the file."""
    with pytest.raises(UserError) as caught:
        persistence.load(path)
    message = str(caught.value)
    assert str(path.with_suffix("")) in message and message.isprintable()
    assert len(message) < 600 + 2 * len(str(path))
    return message


def changed(model_file, **told):
    """The model with other facts beside it; None takes one out."""
    sidecar = persistence.info_path(model_file)
    info = json.loads(sidecar.read_text()) | told
    sidecar.write_text(json.dumps({k: v for k, v in info.items() if v is not None}))
    return model_file


def forge(path, data, info=INFO):
    """A file whose JSON vouches for it: nothing stands between it and what reads its numbers."""
    path.write_bytes(data)
    told = info | {
        "schema": schema.HASH,
        "sha256": hashlib.sha256(data).hexdigest(),
        "versions": {"scikit-learn": sklearn.__version__},
    }
    persistence.info_path(path).write_text(json.dumps(told))
    return path


def test_files_that_are_no_models(model_file, tmp_path):
    assert "no such model" in refused(tmp_path / "absent.joblib")
    assert "is a directory" in refused(tmp_path)
    for content in (b"", b"RIFF....WAVEfmt ", b"some text", b"PK"):
        (tmp_path / "other.joblib").write_bytes(content)
        assert "not a model file" in refused(tmp_path / "other.joblib")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(model_file, tmp_path):
    os.mkfifo(tmp_path / "pipe.joblib")
    assert "is no file" in refused(tmp_path / "pipe.joblib")
    persistence.info_path(model_file).unlink()
    os.mkfifo(persistence.info_path(model_file))
    assert "model.json: is no file" in refused(model_file)
    (tmp_path / "endless.joblib").symlink_to("/dev/zero")
    assert "is no file" in refused(tmp_path / "endless.joblib")


def test_files_too_large_are_not_read(model_file, tmp_path):
    with open(tmp_path / "large.joblib", "wb") as file:
        file.truncate(archive.MAX_BYTES + 2**20)  # a hole, which takes no room
    assert "513 MB, where a model has at most 512" in refused(tmp_path / "large.joblib")
    with open(persistence.info_path(model_file), "wb") as file:
        file.truncate(facts.MAX_FACTS + 2**20)
    assert "17 MB" in refused(model_file)


def test_a_truncated_or_changed_model(model_file):
    whole = model_file.read_bytes()
    for content in (whole[:-1], whole[:1000], whole + b".", whole[:-9] + b"x" + whole[-8:]):
        model_file.write_bytes(content)
        assert "truncated or changed" in refused(model_file)


def test_a_truncated_model_with_a_matching_checksum(model_file):
    whole = model_file.read_bytes()
    for length in range(4, len(whole) - 1, 97):
        assert "no model that train.py wrote" in refused(forge(model_file, whole[:length]))


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "3", '"text"', "null", "[" * 100_000, '{"a":' * 10_000, "\ufeff{}"]
)
def test_a_json_that_is_none(content, model_file):
    persistence.info_path(model_file).write_text(content)
    assert "model.json: not " in refused(model_file)


def test_a_json_of_too_many_values_is_not_parsed(model_file):
    persistence.info_path(model_file).write_text("[" + "0," * 600_000 + "0]")
    assert "model.json: more than a model has to say" in refused(model_file)


def test_the_json_is_missing(model_file):
    persistence.info_path(model_file).unlink()
    assert "model.json: missing" in refused(model_file)


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        *(({key: None}, f"'{key}' is missing") for key in
          ("sha256", "schema", "labels", "columns", "engine", "versions")),
        ({"versions": {}}, "scikit-learn is not named"),
        ({"versions": "1.9"}, "'versions' is '1.9'"),
        ({"labels": "angry"}, "'labels' is 'angry'"),
        ({"labels": [1, 2, 3]}, "'labels'[0] is 1"),
        ({"labels": ["sad", "sad", "calm"]}, "one stands there twice"),
        ({"labels": ["sad"]}, "at least 2"),
        ({"labels": ["a" * 101, "calm"]}, "at most 100 characters"),
        ({"labels": LABELS[:2]}, "not the 2 'labels' of its JSON"),
        ({"labels": LABELS[::-1]}, "in their order"),
        ({"columns": COLUMNS[:-1]}, "for 20 columns, not 19"),
        ({"columns": [*COLUMNS[:-1], "unheard_of"]}, "'unheard_of' is not in the schema"),
        ({"columns": COLUMNS[::-1]}, "not in schema order"),
        ({"engine": "praat"}, "'engine' is 'praat'"),
        ({"engine": ["device"]}, "'engine' is a list of 1"),
        ({"threshold": "high"}, "'threshold' is 'high'"),
        ({"threshold": True}, "'threshold' is True"),
        ({"threshold": 1.5}, "less than or equal to 1"),
        ({"threshold": float("nan")}, "'threshold' is nan"),
        ({"name": ["x"]}, "'name' is a list of 1"),
        ({"name": "x" * 101}, "'name' is 'xxxxxxxxxx"),
        ({"scores": 5}, "'scores' is 5"),
        ({"scores": {"weighted_f1": "good"}}, "'scores'['weighted_f1'] is 'good'"),
        ({"scores": {"weighted_f1": 7}}, "'scores'['weighted_f1'] is 7"),
        ({"scores": {"a\nb": float("inf")}}, "'scores'['a\\nb'] is inf"),
        ({"held_out": 5}, "'held_out' is 5"),
        ({"held_out": [["x"]]}, "'held_out'[0] is a list of 1"),
        ({"corpora": "tess"}, "'corpora' is 'tess'"),
        ({"split": "by hand"}, "'split' is 'by hand'"),
        ({"label_option": 7}, "'label_option' is 7"),
        ({"seed": 2**70}, "a whole number of 71 bits"),
        ({"sha256": "0" * 64}, "truncated or changed"),
        ({"sha256": "\n" * 64}, "'sha256' is '\\n\\n"),
        ({"schema": "0123456789abcdef"}, "model of schema 0123456789abcdef"),
        ({"versions": {"scikit-learn": "0.24.2"}}, "scikit-learn '0.24.2'"),
        ({"versions": {"scikit-learn": "0\x1b[2J\n"}}, "'0\\x1b[2J\\n'"),
    ],
)  # fmt: skip
def test_facts_that_do_not_fit(told, complaint, model_file):
    assert complaint in refused(changed(model_file, **told))


def test_what_is_no_field_of_the_json_is_not_read(model_file):
    """A later version may say more; nothing of it reaches a command."""
    model = persistence.load(changed(model_file, colour={"deep": [1]}))
    assert "colour" not in model.info


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=60), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@MODERATE
@given(
    st.sampled_from(
        [*INFO, "sha256", "schema", "versions", "settings", "name", "held_out", "scores", "split"]
    ),
    ANYTHING,
)
def test_whatever_a_fact_is_it_is_refused_or_of_its_type(model_file, key, value):
    whole = persistence.info_path(model_file).read_text()
    changed(model_file, **{key: value})
    try:
        info = persistence.load(model_file).info
    except UserError as error:
        assert str(error).isprintable() and len(str(error)) < 600 + 2 * len(str(model_file))
    else:
        assert type(info.get("scores", {})) is dict and type(info.get("held_out", [])) is list
    finally:
        persistence.info_path(model_file).write_text(whole)


@MODERATE
@given(ANYTHING)
def test_whatever_the_document_is_it_is_read_or_wrong(value):
    with suppress(facts.Wrong):
        found = facts.read(json.dumps(value).encode(errors="surrogatepass"), facts.Description)
        assert found.format == facts.FORMAT


def test_another_patch_release_is_a_warning(model_file):
    major, minor, *_ = sklearn.__version__.split(".")
    changed(model_file, versions={"scikit-learn": f"{major}.{minor}.99"})
    with pytest.warns(UserWarning, match=r"model.joblib: trained with scikit-learn .*\.99"):
        persistence.load(model_file)


def test_a_command_that_needs_more_facts_says_so(model_file, monkeypatch):
    """robustness reads which clips were held out; a model need not say."""
    features = model_file.with_name("features.csv")
    features.touch()
    arguments = ["robustness", str(model_file), "--corpora", str(model_file.parent)]
    arguments += ["--features", str(features)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(UserError, match="does not say which clips were held out"):
        robustness.main()


# --- the container --------------------------------------------------------------------------------


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def packed(members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", method) as made:
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, content in members:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            made.writestr(entry, content)
    return file.getvalue()


PLAIN = archive.write(b"{}", {"a": np.arange(6.0, dtype=np.float32), "b": np.ones(1, np.int8)})
MEMBERS = list(members_of(PLAIN).items())


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6, dtype=">f4"), np.arange(6, dtype=np.float32)[::2], np.arange(3, dtype=np.int8),
        np.arange(5, dtype=np.uint8), np.arange(5, dtype=np.int32), np.zeros((0, 3), np.float32),
    ],
)  # fmt: skip
def test_plain_arrays_come_back_and_numpy_reads_them_too(array):
    document, found = archive.read(data := archive.write(b"{}", {"a": array}))
    assert document == b"{}" and np.array_equal(found["a"], array)
    assert found["a"].dtype == array.dtype.newbyteorder("=") and found["a"].flags.writeable
    assert found["a"].flags.f_contiguous == array.flags.f_contiguous or array.ndim == 1
    with np.load(io.BytesIO(data), allow_pickle=False) as opened:
        assert np.array_equal(opened["a"], array)


@pytest.mark.parametrize(
    "data",
    [
        packed(MEMBERS, zipfile.ZIP_DEFLATED),  # nothing may grow when it is read
        packed([*MEMBERS, ("c.npy", bytes(10**6))], zipfile.ZIP_DEFLATED),
        packed(MEMBERS[1:]),  # no document
        packed(MEMBERS[::-1]),
        packed([*MEMBERS, MEMBERS[1]]),  # one twice
        packed([*MEMBERS, ("../../evil.npy", b"")]),
        packed([*MEMBERS, ("/etc/passwd", b"")]),
        packed([*MEMBERS, ("c.txt", b"")]),
        packed([*MEMBERS, *((f"{i}.npy", MEMBERS[1][1]) for i in range(200))]),
        packed([MEMBERS[0]] * 60_000),
        b"\0" + PLAIN, PLAIN + b"\0", PLAIN + PLAIN, PLAIN[:-22], PLAIN[:4], b"",
        PLAIN[:-2] + b"\5\0hello",  # a comment
        PLAIN[:-12] + b"\xff" * 10 + PLAIN[-2:],
        PLAIN.replace(b"b.npy", b"a.npy"),
        PLAIN[:6] + b"\1\0" + PLAIN[8:],  # encrypted, says one of its two headers
        PLAIN[:28] + b"\1\0" + PLAIN[30:],  # more to come, says one of them
        b"PK\3\4" + bytes(10**6),
    ],
)  # fmt: skip
def test_other_zips_are_no_models(data):
    with pytest.raises(archive.Damaged):
        archive.read(data)


def test_members_that_lie_over_each_other():
    """One of a megabyte that a directory names a hundred times would be a hundred of them."""
    content = archive._header("|u1", "C", (10**5,)) + bytes(10**5)
    data = packed([MEMBERS[0], *((f"{i}.npy", content) for i in range(3))])
    start = data.index(b"PK\1\2", data.index(b"1.npy") + 10**5)
    places = [i for i in range(start, len(data)) if data[i : i + 4] == b"PK\1\2"]
    data = bytearray(data)
    data[places[2] + 42 : places[2] + 46] = data[places[1] + 42 : places[1] + 46]
    with pytest.raises(archive.Damaged, match="follow each other"):
        archive.read(bytes(data))


def with_header(text, version=b"\x01\x00", length=None):
    length = len(text) if length is None else length
    content = b"\x93NUMPY" + version + length.to_bytes(2, "little") + text.encode() + bytes(24)
    return packed([MEMBERS[0], ("a.npy", content)])


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }",  # another size
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 1), }",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (6,), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (6,), }",
        "{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }",
        "{'descr': '<f2', 'fortran_order': False, 'shape': (12,), }",
        "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (6,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'x': __import__('os')}",
        "{" * 100, "-" * 250, "x" * 60000, "",
    ],
)  # fmt: skip
def test_headers_of_arrays_that_no_model_has(text):
    padded = text + " " * (-(10 + len(text) + 1) % 16) + "\n"
    for data in (with_header(text), with_header(padded), with_header(padded, b"\x02\x00")):
        with pytest.raises(archive.Damaged):
            archive.read(data)


def test_the_honest_header_is_read():
    text = "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }"
    padded = text + " " * (-(10 + len(text) + 1) % 16) + "\n"
    assert archive.read(with_header(padded))[1]["a"].tolist() == [0] * 6
    with pytest.raises(archive.Damaged):
        archive.read(with_header(padded, length=len(padded) + 16))


@MODERATE
@given(st.binary(max_size=300), st.integers(0, len(PLAIN)), st.integers(0, 300))
def test_bytes_that_are_wrong_are_damaged_or_arrays(noise, place, length):
    with suppress(archive.Damaged):
        document, arrays = archive.read(PLAIN[:place] + noise + PLAIN[place + length :])
        assert type(document) is bytes
        assert all(type(array) is np.ndarray for array in arrays.values())


# --- the numbers ----------------------------------------------------------------------------------


def rewritten(model_file, **arrays):
    """The model with other arrays, whole in all else; None takes one out."""
    document, found = archive.read(model_file.read_bytes())
    found |= {name.replace("__", "."): array for name, array in arrays.items()}
    return archive.write(document, {k: v for k, v in found.items() if v is not None})


def retold(model_file, change):
    document, arrays = archive.read(model_file.read_bytes())
    return archive.write(json.dumps(change(json.loads(document))).encode(), arrays)


def test_a_rewritten_model_is_still_one(model_file):
    assert persistence.load(forge(model_file, rewritten(model_file)))


WIDE = np.int32(10**6)
WRONG_NUMBERS = {
    "inverse_ infinite": (lambda a: {"0.inverse_": a["0.inverse_"] * np.inf}, "inverse_ holds"),
    "inverse_ negative": (lambda a: {"0.inverse_": -1 - a["0.inverse_"]}, "inverse_ holds"),
    "mean_ not a number": (lambda a: {"0.mean_": a["0.mean_"] * np.nan}, "mean_ holds"),
    "mean_ too short": (lambda a: {"0.mean_": a["0.mean_"][:-1]}, "mean_ is for 19 columns"),
    "mean_ of two dimensions": (lambda a: {"0.mean_": a["0.mean_"][None]}, "2 dimensions"),
    "mean_ in float64": (lambda a: {"0.mean_": a["0.mean_"].astype("f8")}, "of float64"),
    "mean_ absent": (lambda a: {"0.mean_": None}, "mean_ is missing"),
    "an array too many": (lambda a: {"0.median_": a["0.mean_"]}, "'median_', which is none"),
    "an array of no step": (lambda a: {"7.mean_": a["0.mean_"]}, "'7.mean_', which is none"),
    "scores that differ": (lambda a: {"1.bias_": a["1.bias_"][:2]}, "bias_ is for 2 scores"),
    "a step that takes others": (lambda a: {"2.offset_": a["2.offset_"][:9]}, "for 9 columns"),
    "a circle": (lambda a: {"3.left": np.where(a["3.left"] > 0, 0, a["3.left"])}, "lead astray"),
    "children beyond": (lambda a: {"3.right": np.where(a["3.right"] > 0, WIDE, -1)}, "lead astray"),
    "one child for two": (lambda a: {"3.left": a["3.right"]}, "lead astray"),
    "children below -1": (lambda a: {"3.left": a["3.left"] - 1}, "left holds numbers"),
    "half a leaf": (lambda a: {"3.left": np.full_like(a["3.left"], -1)}, "neither leaf nor"),
    "columns beyond": (
        lambda a: {"3.feature": np.where(a["3.left"] > 0, WIDE, -2)}, "feature holds numbers",
    ),
    "leaves that ask": (lambda a: {"3.feature": np.zeros_like(a["3.feature"])}, "neither leaf nor"),
    "no leaf at all": (lambda a: {"3.feature": np.full_like(a["3.feature"], -1)}, "neither leaf"),
    "thresholds infinite": (lambda a: {"3.threshold": a["3.threshold"] + np.inf}, "threshold holds"),
    "nodes miscounted": (lambda a: {"3.nodes": a["3.nodes"] + 1}, "for"),
    "no nodes": (lambda a: {"3.nodes": a["3.nodes"] * 0}, "nodes holds"),
    "nodes beyond all bounds": (lambda a: {"3.nodes": np.full_like(a["3.nodes"], 2**31 - 1)}, "for"),
    "leaves of nothing": (lambda a: {"3.shares": a["3.shares"] * 0}, "no share of any label"),
    "trees without number": (
        lambda a: {"3.nodes": np.ones(5000, "i4")}, "5000 trees, at most 4096 expected",
    ),
    "scores without number": (
        lambda a: {"1.weights_": np.zeros((20, 4), "f4"), "1.bias_": np.zeros(4, "f4")},
        "4 scores of 3 labels",
    ),
    "leaves of other labels": (lambda a: {"3.shares": a["3.shares"][:, :2]}, "for 2 labels"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("case", WRONG_NUMBERS)
def test_numbers_that_no_model_can_have(case, model_file):
    change, complaint = WRONG_NUMBERS[case]
    document, arrays = archive.read(model_file.read_bytes())
    arrays |= change(arrays)
    data = archive.write(document, {k: v for k, v in arrays.items() if v is not None})
    assert complaint in refused(forge(model_file, data))


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("1.weights8_.0", lambda w: np.full_like(w, -128), "weights8_.0 holds"),
        ("1.steps_", lambda s: s * 0, "steps_ holds"),
        ("1.steps_", lambda s: s[:-1], "steps_ is for 2 layers"),
        ("1.factors_.1", lambda f: -f - 1, "factors_.1 holds"),
        ("1.factors_.0", lambda f: f * 0 + np.float32(1e29), "sums leave the numbers"),
        ("1.intercepts_.0", lambda b: b[:-1], "for 3 outputs of layer 0, not 4"),
        ("1.weights8_.2", lambda w: None, "layers"),
        ("1.weights8_.0", lambda w: np.zeros((9000, 4), "i1"), "for 9000 columns"),
    ],
)
def test_networks_whose_layers_do_not_fit(name, change, complaint, tmp_path):
    path = tmp_path / "m.joblib"
    network = Int8Network((4, 3), max_iter=3)
    persistence.save(fitted(make_pipeline(ClippedScaler(), network)), path, INFO)
    document, arrays = archive.read(path.read_bytes())
    arrays[name] = change(arrays[name])
    data = archive.write(document, {k: v for k, v in arrays.items() if v is not None})
    assert complaint in refused(forge(path, data))


@pytest.mark.parametrize(("bound", "name"), [("MAX_UNITS", "mlp_32"), ("MAX_TREES", "forest")])
def test_more_units_or_trees_than_anything_needs_are_no_model(bound, name, tmp_path, monkeypatch):
    """Each costs time or memory of its own, however few its bytes are."""
    path = tmp_path / "m.joblib"
    persistence.save(fitted(small(CANDIDATES[name].make(0))), path, INFO)
    monkeypatch.setattr(parts, bound, 2)
    assert "at most 2 expected" in refused(path)


def test_a_tree_as_deep_as_it_has_nodes_is_no_model(model_file):
    """A chain of decisions: honest to look at, and a loop of its own for each level."""
    depth = parts.MAX_DEPTH + 1
    nodes = 2 * depth + 1
    own = np.arange(nodes)
    inner = (own % 2 == 0) & (own < nodes - 1)
    tree = {
        "3.nodes": np.array([nodes], "i4"),
        "3.left": np.where(inner, own + 1, -1).astype("i4"),
        "3.right": np.where(inner, own + 2, -1).astype("i4"),
        "3.feature": np.where(inner, 0, -2).astype("i4"),
        "3.threshold": np.zeros(nodes),
        "3.missing": np.zeros(nodes, "u1"),
        "3.shares": np.full((nodes, 3), 85, "u1"),
    }
    document, arrays = archive.read(model_file.read_bytes())
    assert "levels" in refused(forge(model_file, archive.write(document, arrays | tree)))
    tree = {name: array[2:] if len(array) > 1 else array - 2 for name, array in tree.items()}
    for name in ("3.left", "3.right"):
        tree[name] = np.where(tree[name] > 0, tree[name] - 2, -1).astype("i4")
    assert persistence.load(forge(model_file, archive.write(document, arrays | tree)))


def step(place, **changes):
    def change(document):
        document["steps"][place] |= changes
        return document

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d | {"format": "speech-emotion-model/2"}, "'format' is 'speech-emotion-model/2'"),
        (lambda d: d | {"class": "os.system"}, "'class'"),
        (lambda d: d | {"steps": []}, "'steps'"),
        (lambda d: d | {"steps": d["steps"] * 3}, "'steps'"),
        (lambda d: d | {"steps": d["steps"][:-1]}, "a part int16-quantiser/1 in place 3 of 3"),
        (lambda d: d | {"steps": d["steps"][::-1]}, "a part snapped-random-forest/1 in place 1 of 4"),
        (step(0, part="os.system"), "a part 'os.system', which this program does not know"),
        (step(0, part="clipped-scaler/2"), "'clipped-scaler/2'"),
        (step(3, part="int8-network/1", settings={"activation": "relu"}), "0 layers"),
        (step(0, part="int16-quantiser/1", settings={}), "offset_ is missing"),
        (step(0, settings={}), "settings of a clipped-scaler/1"),
        (step(0, settings={"limit": 2.5, "copy": True}), "settings of a clipped-scaler/1"),
        (step(0, settings={"limit": -1}), "'limit' is -1"),
        (step(0, settings={"limit": "x" * 90}), "'limit' is 'xxxxx"),
        (step(0, settings={"limit": float("inf")}), "is inf"),
        (step(0, step="a__b"), "'a__b'"),
        (step(0, step="memory"), "'memory' is a setting"),
        (step(1, step="clippedscaler"), "twice"),
    ],
)  # fmt: skip
def test_documents_that_describe_no_model(change, complaint, model_file):
    assert complaint in refused(forge(model_file, retold(model_file, change)))


def test_answers_that_are_no_probabilities_are_an_error_and_no_answer(tmp_path):
    """Numbers that each are possible may still overflow for a voice that nobody tried."""
    path = tmp_path / "m.joblib"
    persistence.save(fitted(make_pipeline(LogisticRegression())), path, INFO)
    model = persistence.load(path)
    with pytest.raises(UserError, match="no probabilities"):
        model.probabilities(np.full_like(VECTORS, 3e38) * np.sign(VECTORS))


# --- pickles: what earlier versions wrote, and what would run code --------------------------------


class Call:
    """Pickles as the call of a function."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


ATTACKS = {
    "os.system": lambda m: pickle.dumps(Call(os.system, f"echo ran > {m}")),
    "eval": lambda m: pickle.dumps(Call(eval, f"open({str(m)!r}, 'w').close()"), protocol=2),
    "in an estimator": lambda m: pickle.dumps(
        make_pipeline(StandardScaler(copy=Call(os.system, f"echo ran > {m}")))
    ),
}


COMPRESSIONS = {
    "none": bytes,
    "zlib": zlib.compress,
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
}
"""What joblib knows."""


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("compress", COMPRESSIONS)
def test_a_pickle_is_not_opened_and_the_line_says_to_train_again(attack, compress, tmp_path):
    marker, path = tmp_path / "marker", tmp_path / "evil.joblib"
    data = COMPRESSIONS[compress](ATTACKS[attack](marker))
    message = refused(forge(path, data))
    assert not marker.exists()
    assert "a pickle, as earlier versions wrote them" in message and "train it again" in message


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attacks_are_real(attack, tmp_path):
    marker = tmp_path / "marker"
    with suppress(Exception):  # some fail after their deed
        joblib.load(io.BytesIO(ATTACKS[attack](marker)))
    assert marker.exists()


@pytest.mark.parametrize("place", range(3))
def test_a_pickle_in_the_place_of_a_member_is_not_opened(place, tmp_path):
    marker = tmp_path / "marker"
    members = [list(each) for each in MEMBERS]
    members[place][1] = ATTACKS["os.system"](marker)
    assert "no model" in refused(forge(tmp_path / "evil.joblib", packed(members)))
    assert not marker.exists()


def test_a_model_too_large_to_be_read_is_not_written(forest, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    with pytest.raises(UserError, match="train fewer trees, or trees of fewer leaves"):
        persistence.save(forest, tmp_path / "model.joblib", INFO)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("told", ["scores", "versions", "held_out", "corpora", "labels", "columns"])
def test_a_hundred_thousand_mistakes_are_as_short_as_one(told, model_file):
    """Each mistake a validator notes takes a kilobyte."""
    many = {str(i): [] for i in range(90_000)}
    wrong = many if told in ("scores", "versions") else list(many.values())
    changed(model_file, **{told: wrong})
    tracemalloc.start()
    refused(model_file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * 2**20


def test_nothing_in_the_package_opens_pickles():
    words = (
        "pickle.load",
        "Unpickler",
        "joblib.load",
        "read_pickle",
        "allow_pickle=True",
        "shelve",
    )
    package = persistence.Path(persistence.__file__).parents[1]
    found = [
        f"{path.name}: {word}"
        for path in package.rglob("*.py")
        if path.name != "parallel.py"  # a cluster, as Dask itself does; no files
        for word in words
        if word in path.read_text(encoding="utf-8")
    ]
    assert found == []


# --- thousands of them ----------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="bounds on memory and time are POSIX's")
def test_generated_hostile_files_are_refused_or_harmless(tmp_path):
    """A short run of `python -m speech_emotion hostile-models`: 512 MB, 5 s each."""
    tally = hostile_models.run_against(250, 42, tmp_path)
    assert tally.failures == []
    assert sum(tally.refused.values()) > 150 and sum(tally.opened.values()) > 5


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"died": "hung"}, "hung"),
        ({"died": "exit code -11"}, "-11"),
        ({"trace": "KeyError in x.py:3: 'a'"}, "KeyError"),
        ({"opened": True, "events": ["os.system x"]}, "did os.system"),
        ({"refused": "m.joblib: two\nlines", "events": []}, "more than one line"),
        ({"refused": "m.joblib: " + "x" * 10**5, "events": []}, "100010 characters"),
        ({"refused": "list index out of range", "events": []}, "names no file"),
        ({"refused": "m.joblib: damaged; train it again", "events": []}, None),
        ({"opened": True, "events": []}, None),
    ],
)
def test_a_failure_of_the_hostile_run_is_noticed(answer, problem):
    found = hostile_models._problem(answer, persistence.Path("m.joblib"))
    assert found is problem or problem in found


def test_the_small_process_tells_of_crashes_traces_hangs_and_deeds(tmp_path, monkeypatch):
    """The files are harmless, the reader is not: what it does must be told of it."""
    path = tmp_path / "model.joblib"
    path.write_bytes(b"")
    worker = (
        "import os, sys\n"
        "from speech_emotion.checks import hostile_models as h\n"
        "from speech_emotion.model import persistence\n"
        "def load(path):\n"
        "    case = open(path).read()\n"
        "    if case == 'crash': os.abort()\n"
        "    if case == 'trace': return {}['missing']\n"
        "    if case == 'memory': return bytearray(10**9)\n"
        "    if case == 'deed': os.system('true')\n"
        "    if case == 'hang':\n"
        "        while True: pass\n"
        "h.LIMIT_S = 0.2\n"
        "persistence.load = load\n"
        "h.worker()\n"
    )
    monkeypatch.setattr(hostile_models, "_COMMAND", ["-c", worker])
    process = hostile_models._Process(tmp_path)
    try:
        found = {}
        for case in ("crash", "trace", "memory", "deed", "hang"):
            path.write_text(case)
            answer = process.ask(path, "raw")
            found[case] = hostile_models._problem(answer, path)
    finally:
        process.close()
    assert found["crash"] == "exit code -6" and found["hang"] == "hung"
    assert found["trace"].startswith("KeyError") and found["memory"].startswith("MemoryError")
    assert "os.system" in (found["deed"] or "")


def test_the_same_seed_makes_the_same_files(tmp_path):
    models = hostile_models.honest(tmp_path)
    made = [
        [hostile_models.Enemy(models, random.Random(f"3 {i}")).make() for i in range(30)]
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len({kind for kind, _, _ in made[0]}) >= 5


# --- what messages show ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("sad", "'sad'"), ("a\nb\x1b", "'a\\nb\\x1b'"), ("\u202e", "'\\u202e'"), (3, "3"), (0.5, "0.5"),
        (None, "None"), (10**4000, "a whole number of 13288 bits"), ([1] * 9, "a list of 9"),
        ({}, "a dict of 0"), (object(), "a object"),
    ],
)  # fmt: skip
def test_a_strangers_value_is_shown_short_and_escaped(value, text):
    assert shown(value) == text


@MODERATE
@given(ANYTHING)
def test_whatever_is_shown_is_short_and_one_line(value):
    assert len(shown(value)) < 100 and shown(value).isprintable()


@given(st.text())
def test_an_errors_message_is_one_line(text):
    assert one_line(text).isprintable()


def test_a_message_shows_letters_as_they_are():
    assert one_line("高兴.wav: no\nsound") == "高兴.wav: no\\nsound"
