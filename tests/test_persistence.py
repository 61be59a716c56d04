"""Model files: what is saved comes back the same; what is no model is refused before anything of it runs."""

import hashlib
import io
import json
import os
import pickle
import struct
import warnings
from contextlib import suppress

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.model import persistence, unpickling
from speech_emotion.model.estimators import Float32Network, Int8Network
from speech_emotion.training.candidates import CANDIDATES
from speech_emotion.training.fitting import for_the_chip

LABELS = ["angry", "calm", "sad"]
COLUMNS = list(schema.COLUMNS[5:25])
RNG = np.random.default_rng(7)
VECTORS = RNG.normal(size=(60, len(schema.COLUMNS))).astype(np.float32)
ROWS = VECTORS[:, 5:25]
EMOTIONS = np.array(LABELS * 20)
INFO = {"labels": LABELS, "columns": COLUMNS, "engine": "reference"}


def fitted(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = estimator.fit(ROWS, EMOTIONS)
    return for_the_chip(fitted) if isinstance(fitted, Pipeline) else fitted


def small(pipeline):
    """The candidate with few trees and epochs."""
    sizes = {"model__n_estimators": 3, "model__max_iter": 5, "model__hidden_layer_sizes": (4, 3)}
    known = pipeline.get_params()
    return pipeline.set_params(**{name: size for name, size in sizes.items() if name in known})


@pytest.fixture(scope="module")
def forest():
    return fitted(make_pipeline(StandardScaler(), RandomForestClassifier(3, random_state=0)))


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
@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_kind_of_model_gives_the_same_bits_after_a_round_trip(name, tmp_path):
    estimator = ESTIMATORS[name]
    pipeline = fitted(
        estimator if name in CANDIDATES else make_pipeline(StandardScaler(), estimator)
    )
    path = tmp_path / "model.joblib"
    persistence.save(pipeline, path, INFO | {"threshold": 0.4, "rows": 60})
    model = persistence.load(path)
    assert np.array_equal(model.probabilities(VECTORS), pipeline.predict_proba(ROWS))
    assert model.probabilities(VECTORS).dtype == np.float64
    assert (model.labels, model.columns, model.engine) == (LABELS, COLUMNS, "reference")
    assert (model.threshold, model.info["rows"]) == (0.4, 60)
    assert list(model.pipeline.predict(ROWS)) == list(pipeline.predict(ROWS))


def test_joblib_reads_the_file_too(model_file, forest):
    assert np.array_equal(joblib.load(model_file).predict_proba(ROWS), forest.predict_proba(ROWS))


def test_labels_from_pandas_are_arrays_of_str_objects(tmp_path):
    pipeline = make_pipeline(LogisticRegression()).fit(ROWS, EMOTIONS.astype(object))
    persistence.save(pipeline, tmp_path / "model.joblib", INFO)
    model = persistence.load(tmp_path / "model.joblib")
    assert np.array_equal(model.probabilities(VECTORS), pipeline.predict_proba(ROWS))


def test_the_optimiser_stays_out_of_the_file(tmp_path):
    network = fitted(MLPClassifier((500,), max_iter=2))
    persistence.save(make_pipeline(network), tmp_path / "model.joblib", INFO)
    weights = sum(array.nbytes for array in network.coefs_)
    assert (tmp_path / "model.joblib").stat().st_size < 1.3 * weights
    assert network._optimizer is not None  # the one in memory is left as it was


def test_the_json_says_what_the_model_is(model_file):
    info = json.loads(persistence.info_path(model_file).read_text())
    assert info["sha256"] == hashlib.sha256(model_file.read_bytes()).hexdigest()
    assert info["schema"] == schema.HASH
    assert info["versions"]["scikit-learn"] == sklearn.__version__


@pytest.mark.parametrize(
    ("pipeline", "info", "complaint"),
    [
        (fitted(SVC()), INFO, "sklearn.svm._classes.SVC"),
        (make_pipeline(FunctionTransformer(np.abs), LogisticRegression()), INFO, "FunctionTransf"),
        (LogisticRegression(), INFO | {"labels": ["angry", "sad", "calm"]}, "apart"),
        (LogisticRegression(), INFO | {"columns": COLUMNS[1:]}, "takes 20 columns, 19"),
        (LogisticRegression(), INFO | {"columns": COLUMNS[::-1]}, "schema order"),
        (LogisticRegression(), INFO | {"columns": ["loudness", *COLUMNS[1:]]}, "'loudness'"),
        (LogisticRegression(), INFO | {"engine": "praat"}, "'praat'"),
        (LogisticRegression(), INFO | {"threshold": 40}, "'threshold' is 40"),
        (LogisticRegression(), {"labels": LABELS, "columns": COLUMNS}, "'engine' is missing"),
    ],
)
def test_nothing_is_saved_that_load_would_refuse(pipeline, info, complaint, tmp_path):
    with pytest.raises(ValueError, match=complaint):
        persistence.save(fitted(pipeline), tmp_path / "model.joblib", info)
    assert list(tmp_path.iterdir()) == []


def test_vectors_of_another_width_are_refused(model_file):
    with pytest.raises(ValueError, match="expected"):
        persistence.load(model_file).probabilities(ROWS)


# --- what is no model ----------------------------------------------------------------------------


def refused(path) -> str:
    """The one line with which `load` refuses the file."""
    with pytest.raises(UserError) as caught:
        persistence.load(path)
    message = str(caught.value)
    assert str(path.with_suffix("")) in message and "\n" not in message
    return message


def changed(model_file, **facts):
    """The model with other facts beside it; None takes one out."""
    sidecar = persistence.info_path(model_file)
    info = json.loads(sidecar.read_text()) | facts
    sidecar.write_text(json.dumps({k: v for k, v in info.items() if v is not None}))
    return model_file


def test_files_that_are_no_models(model_file, tmp_path):
    assert "no such model" in refused(tmp_path / "absent.joblib")
    assert "is a directory" in refused(tmp_path)
    for content in (b"", b"RIFF....WAVEfmt ", b"some text"):
        (tmp_path / "other.joblib").write_bytes(content)
        assert "not a model file" in refused(tmp_path / "other.joblib")
    for compress in ("zlib", "gzip", "bz2", "lzma", "xz"):
        joblib.dump(persistence.load(model_file).pipeline, tmp_path / "c.joblib", (compress, 3))
        assert "not a model file" in refused(tmp_path / "c.joblib")


def test_a_truncated_or_changed_model(model_file):
    whole = model_file.read_bytes()
    for content in (whole[:-1], whole[:1000], whole + b".", whole[:-9] + b"x" + whole[-8:]):
        model_file.write_bytes(content)
        assert "truncated or changed" in refused(model_file)


def test_a_truncated_model_with_a_matching_checksum(model_file):
    whole = model_file.read_bytes()
    for length in range(2, len(whole) - 1, 97):
        assert "not a model" in refused(forge(model_file, whole[:length]))


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '"text"', "null", "[" * 100_000])
def test_a_json_that_is_none(content, model_file):
    persistence.info_path(model_file).write_text(content)
    assert "model.json: not " in refused(model_file)


def test_the_json_is_missing(model_file):
    persistence.info_path(model_file).unlink()
    assert "model.json: missing" in refused(model_file)


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        *(({key: None}, f"'{key}' is missing") for key in
          ("sha256", "schema", "labels", "columns", "engine", "versions")),
        ({"versions": {}}, "does not name scikit-learn"),
        ({"versions": "1.9"}, "'versions' is '1.9'"),
        ({"labels": "angry"}, "'labels' is 'angry'"),
        ({"labels": [1, 2, 3]}, "'labels' is not a list of names"),
        ({"labels": ["sad", "sad", "calm"]}, "names one twice"),
        ({"labels": LABELS[:2]}, "apart, not angry, calm"),
        ({"columns": COLUMNS[:-1]}, "takes 20 columns, 19 are named"),
        ({"columns": [*COLUMNS[:-1], "unheard_of"]}, "'unheard_of' is not in the schema"),
        ({"engine": "praat"}, "'engine' is 'praat'"),
        ({"threshold": "high"}, "'threshold' is 'high'"),
        ({"threshold": 1.5}, "not from 0 to 1"),
        ({"sha256": "0" * 64}, "truncated or changed"),
        ({"schema": "0123456789abcdef"}, "model of schema 0123456789abcdef"),
        ({"versions": {"scikit-learn": "0.24.2"}}, "install scikit-learn 0.24.2"),
    ],
)  # fmt: skip
def test_facts_that_do_not_fit(facts, complaint, model_file):
    assert complaint in refused(changed(model_file, **facts))


def test_another_patch_release_is_a_warning(model_file):
    major, minor, *_ = sklearn.__version__.split(".")
    changed(model_file, versions={"scikit-learn": f"{major}.{minor}.99"})
    with pytest.warns(UserWarning, match=r"model.joblib: trained with scikit-learn .*\.99"):
        persistence.load(model_file)


# --- what would run code -------------------------------------------------------------------------


class Call:
    """Pickles as the call of a function."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced

    def __call__(self):
        """Only so that pickle takes it for a function."""


def forge(path, data):
    """A file whose JSON vouches for it: all that stands between it and its reader is the unpickler."""
    path.write_bytes(data)
    facts = INFO | {
        "schema": schema.HASH,
        "sha256": hashlib.sha256(data).hexdigest(),
        "versions": {"scikit-learn": sklearn.__version__},
    }
    persistence.info_path(path).write_text(json.dumps(facts))
    return path


def joblib_bytes(thing):
    file = io.BytesIO()
    joblib.dump(thing, file)
    return file.getvalue()


def with_payload_in_state(payload):
    network = MLPClassifier()
    network.coefs_ = payload
    return make_pipeline(StandardScaler(), network)


def objects(payload):
    array = np.empty(2, object)
    array[:] = "sad", payload
    return array


def system_call(marker):
    return Call(os.system, f"echo ran > {marker}")


def evaluation(marker):
    return Call(eval, f"open({str(marker)!r}, 'w').close()")


ATTACKS = {
    "os.system": lambda m: pickle.dumps(system_call(m)),
    "builtins.eval": lambda m: pickle.dumps(evaluation(m)),
    "builtins.exec": lambda m: pickle.dumps(Call(exec, f"open({str(m)!r}, 'w')")),
    "builtins.open": lambda m: pickle.dumps(Call(open, str(m), "w")),
    "getattr of a module": lambda m: pickle.dumps(
        Call(Call(getattr, Call(__import__, "os"), "system"), f"echo ran > {m}")
    ),
    "old protocol": lambda m: pickle.dumps(system_call(m), protocol=2),
    "in an estimator's state": lambda m: pickle.dumps(with_payload_in_state(system_call(m))),
    "in a pipeline's steps": lambda m: pickle.dumps(make_pipeline(system_call(m))),
    "in an array of objects": lambda m: pickle.dumps(with_payload_in_state(objects(system_call(m)))),
    "by joblib": lambda m: joblib_bytes(evaluation(m)),
    "by joblib, in an estimator's state": lambda m: joblib_bytes(
        with_payload_in_state(evaluation(m))
    ),
    "by joblib, in an array of objects": lambda m: joblib_bytes(objects(system_call(m))),
    "numpy's own exec": lambda m: pickle.dumps(
        Call(np.testing.runstring, f"open({str(m)!r}, 'w')", {})
    ),
    "through an allowed class": lambda m: (
        b"\x80\x04" + _text("sklearn.pipeline")
        + _text("Pipeline.__init__.__builtins__.__getitem__") + b"\x93" + _text("eval") + b"\x85R"
        + _text(f"open({str(m)!r}, 'w')") + b"\x85R."
    ),
    "the INST opcode": lambda m: b"\x80\x02(" + _text(f"echo ran > {m}") + b"ios\nsystem\n.",
    "the OBJ opcode": lambda m: b"\x80\x02(cos\nsystem\n" + _text(f"echo ran > {m}") + b"o.",
    "a call whose result is dropped": lambda m: (
        b"\x80\x02cos\nsystem\n" + _text(f"echo ran > {m}") + b"\x85R0N."
    ),
}  # fmt: skip


def _text(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_file_that_would_run_code_is_refused_and_runs_none(attack, tmp_path):
    marker = tmp_path / "marker"
    path = forge(tmp_path / "evil.joblib", ATTACKS[attack](marker))
    message = refused(path)
    assert not marker.exists()
    assert "no part of a model; refused, nothing of it was run" in message


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_attacks_are_real(attack, tmp_path):
    marker = tmp_path / "marker"
    data = ATTACKS[attack](marker)
    with suppress(Exception):  # some fail after their deed
        joblib.load(io.BytesIO(data))
    assert marker.exists()


@pytest.mark.parametrize("compress", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_compressed_attacks(compress, tmp_path):
    marker, path = tmp_path / "marker", tmp_path / "evil.joblib"
    joblib.dump(system_call(marker), path, (compress, 3))
    assert "not a model file" in refused(forge(path, path.read_bytes()))
    assert not marker.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("posix", "system"), ("subprocess", "Popen"), ("builtins", "getattr"), ("runpy", "run_path"),
        ("operator", "attrgetter"), ("functools", "partial"), ("importlib", "import_module"),
        ("sklearn.pipeline", "clone"), ("sklearn.pipeline", "Pipeline.fit"), ("sklearn", "base"),
        ("sklearn.preprocessing._function_transformer", "FunctionTransformer"),
        ("numpy", "load"), ("numpy", "memmap"), ("numpy", "ndarray.tofile"), ("numpy", "matrix"),
        ("numpy", "rec.recarray"), ("numpy.lib._npyio_impl", "fromregex"),
        ("joblib.numpy_pickle", "NumpyArrayWrapper"),
        ("joblib.numpy_pickle", "NDArrayWrapper"), ("joblib.numpy_pickle_compat", "ZNDArrayWrapper"),
        ("joblib.memory", "Memory"), ("speech_emotion.model.estimators", "np"),
        ("speech_emotion.model.estimators", "_dtype"),
        ("speech_emotion.model.unpickling", "loads"), ("copyreg", "_reconstructor"), ("builtins", "type"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("opcode", ["c", "\x93"])
def test_names_that_are_not_on_the_list(module, name, opcode):
    if opcode == "c":
        data = f"\x80\x02c{module}\n{name}\n.".encode("latin-1")
    else:
        data = b"\x80\x04" + _text(module) + _text(name) + b"\x93."
    with pytest.raises(unpickling.Refused, match=f"{module}.{name}"):
        unpickling.loads(data)


def test_registered_extensions_and_persistent_names_are_refused():
    import copyreg

    copyreg.add_extension("os", "system", 0x51)
    try:
        with pytest.raises(unpickling.Refused, match=r"os\.system"):
            unpickling.loads(b"\x80\x02\x82\x51.")
    finally:
        copyreg.remove_extension("os", "system", 0x51)
    with pytest.raises(pickle.UnpicklingError, match="persistent"):
        unpickling.loads(b"\x80\x02Pname\n.")


def test_a_class_is_not_given_a_state():
    data = b"\x80\x02csklearn.pipeline\nPipeline\nN}" + _text("predict") + b"Ns\x86b."
    with pytest.raises(unpickling.Refused, match="a state for ABCMeta"):
        unpickling.loads(data)


# --- what would make numpy or a tree read memory that is not its own -----------------------------


class Forged:
    """Pickles as `function(*arguments)` with a state, as numpy's objects do."""

    def __init__(self, function, arguments, state):
        self.reduced = function, arguments, state

    def __reduce__(self):
        return self.reduced


HIDDEN = (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0)
BEYOND = (3, "|", None, ("a",), {"a": (np.dtype("f8"), 10**6)}, 8, 1, 0)


@pytest.mark.parametrize(
    "state",
    [
        HIDDEN,
        BEYOND,
        (3, "<", None, None, None, 10**6, -1, 0),
        (3, ">", None, None, None, -1, -1, 0),
    ],
)
@pytest.mark.parametrize("code", ["f8", "V64"])
def test_forged_dtypes(code, state):
    data = pickle.dumps(Forged(np.dtype, (code, False, True), state))
    with pytest.raises(unpickling.Refused, match="forged"):
        unpickling.loads(data)


@pytest.mark.parametrize("code", ["V8", "f8,O", "M8", "S8", "O,O", "(2,2)f8", [("a", "O")]])
def test_dtypes_that_no_model_has(code):
    with pytest.raises(unpickling.Refused, match="an array of"):
        unpickling.loads(pickle.dumps(Call(np.dtype, code)))


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array(["sad", "angry"]), np.array(["sad", "angry"], object), np.zeros((0, 3), np.float32),
        np.arange(24, dtype=np.int16).reshape(2, 3, 4).transpose(1, 2, 0), np.array(3), np.array([True]),
    ],
)  # fmt: skip
def test_plain_arrays_come_back(array, protocol):
    found = unpickling.loads(pickle.dumps(array, protocol))
    assert np.array_equal(found, array)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)


def test_an_array_with_too_few_bytes():
    short = Forged(
        np._core.multiarray._reconstruct,
        (np.ndarray, (0,), b"b"),
        (1, (1000,), np.dtype("f8"), False, b"8 bytes."),
    )
    with pytest.raises(ValueError):
        unpickling.loads(pickle.dumps(short))


@pytest.mark.parametrize(
    "damage",
    [
        {"left_child": 0},  # a circle
        {"right_child": 10**9},
        {"left_child": -7},
        {"feature": 20},
        {"feature": -3},
    ],
)
def test_trees_whose_nodes_lead_astray(damage, tmp_path):
    pipeline = fitted(make_pipeline(DecisionTreeClassifier()))
    tree = pipeline[-1].tree_
    class_, arguments, state = tree.__reduce__()
    state["nodes"] = state["nodes"].copy()
    for field, value in damage.items():
        state["nodes"][field][0] = value
    pipeline[-1].tree_ = Forged(class_, arguments, state)
    assert "a tree" in refused(forge(tmp_path / "evil.joblib", pickle.dumps(pipeline)))


@pytest.mark.parametrize(
    "change",
    [
        lambda tree, state: (tree, state | {"node_count": 10**6}),
        lambda tree, state: (tree, None),
        lambda tree, state: ((10**6, *tree[1:]), state),
        lambda tree, state: ((tree[0], np.array([10**9]), 1), state),
        lambda tree, state: ((*tree[:2], 10**6), state),
        lambda tree, state: (tree, state | {"nodes": state["nodes"][:0], "node_count": 0}),
    ],
)
def test_trees_that_are_miscounted(change, tmp_path):
    pipeline = fitted(make_pipeline(DecisionTreeClassifier()))
    class_, arguments, state = pipeline[-1].tree_.__reduce__()
    pipeline[-1].tree_ = Forged(class_, *change(arguments, state))
    assert "evil.joblib" in refused(forge(tmp_path / "evil.joblib", pickle.dumps(pipeline)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a damaged mean may be huge
def test_random_damage_is_refused_or_harmless(tmp_path):
    """Any byte may be wrong while the checksum agrees: a UserError, or a model that still predicts."""
    path = tmp_path / "model.joblib"
    persistence.save(fitted(make_pipeline(StandardScaler(), DecisionTreeClassifier())), path, INFO)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(500):
        data = bytearray(whole)
        data[rng.integers(len(data))] = rng.integers(256)
        try:
            model = persistence.load(forge(path, bytes(data)))
        except UserError as error:
            assert "\n" not in str(error)
        else:
            assert model.probabilities(VECTORS).shape == (60, 3)
