"""Faces: features, the same in C; model files; folders; pictures that strangers make; training."""

import json
import subprocess
import sys
from itertools import pairwise

import drawn_faces
import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.pipeline import Pipeline

from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.face import (
    export,
    features,
    folders,
    measuring,
    model_file,
    pictures,
    quality,
)
from speech_emotion.measure import toolchain
from speech_emotion.model.estimators import ClippedScaler, Int8Network

LABELS = ["angry", "happy", "sad"]


def made_up(seed=0, layers=(16, 3)):
    """A model with random weights: enough to compare C with Python."""
    random = np.random.default_rng(seed)
    X = features.features(export.trials(200, seed))
    scaler = ClippedScaler().fit(X)
    sizes = (features.COLUMNS, *layers)
    weights = [random.normal(0, 0.1, pair).astype(np.float32) for pair in pairwise(sizes)]
    biases = [random.normal(0, 0.3, size).astype(np.float32) for size in layers]
    network = Int8Network.of(weights, biases, scaler.transform(X), np.array(LABELS))
    return Pipeline([("scale", scaler), ("model", network)])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "face.joblib"
    model_file.save(made_up(), path, labels=LABELS, threshold=0.4, about="made up", scores={})
    return path


# --- features


def naive(face):
    """The definition, pixel by pixel, in Python's own whole numbers."""
    from math import isqrt

    side, cells = features.SIDE, features.CELLS
    sums = np.zeros((cells, cells, features.BINS), dtype=object)
    face = face.astype(int)
    for y in range(side):
        for x in range(side):
            across = face[y, min(x + 1, side - 1)] - face[y, max(x - 1, 0)]
            down = face[min(y + 1, side - 1), x] - face[max(y - 1, 0), x]
            size = isqrt(256 * int(across**2 + down**2))
            if down < 0 or (down == 0 and across < 0):
                across, down = -across, -down
            wide = abs(across)
            arc = (
                2 * 576 - features.ARC[wide * 256 // down] if down > wide
                else features.ARC[down * 256 // max(wide, 1)]
            )  # fmt: skip
            arc = int(4 * 576 - arc if across < 0 else arc) % (9 * 256)
            upper = size * (arc % 256) // 256
            for which, vote in ((arc // 256, size - upper), ((arc // 256 + 1) % 9, upper)):
                for i in range(cells):
                    for j in range(cells):
                        near = [max(0, 16 - abs(2 * p - (16 * c + 7))) for p, c in ((y, i), (x, j))]
                        sums[i, j, which] += vote * near[0] * near[1]
    coarse = sums[::2, ::2] + sums[1::2, ::2] + sums[::2, 1::2] + sums[1::2, 1::2]
    found = []
    for grid in (sums, coarse):
        for i in range(len(grid) - 1):
            for j in range(len(grid) - 1):
                block = [int(v) // 256 for v in grid[i : i + 2, j : j + 2].ravel()]
                length = isqrt(sum(v * v for v in block)) + 16
                found += [min(v * 1024 // length, features.CLIP) for v in block]
    return found


@pytest.mark.parametrize("face", export.trials(40)[[0, 7, 23, 39]], ids=str)
def test_the_features_are_their_definition(face):
    assert features.features(face[None])[0].tolist() == naive(face)


def test_features_are_whole_numbers_in_range_and_know_no_brightness():
    found = features.features(export.trials(60))
    assert found.shape == (60, features.COLUMNS) and found.dtype == np.float32
    assert (found == np.rint(found)).all() and found.min() >= 0 and found.max() <= features.CLIP
    face = drawn_faces.drawn() // 2
    assert (features.features(face[None]) == features.features(face[None] + 100)).all()
    for wrong in (face, face[None].astype(float), face[None, :40]):
        with pytest.raises(ValueError, match="uint8"):
            features.features(wrong)
    assert features.features(np.empty((0, 48, 48), np.uint8)).shape == (0, features.COLUMNS)


# --- C


@pytest.fixture(scope="module")
def c_code(saved, tmp_path_factory):
    return export.compiled(export.contents(model_file.load(saved)), tmp_path_factory.mktemp("c"))


def test_c_and_python_see_the_same(saved, c_code):
    model = model_file.load(saved)
    faces = np.concatenate([export.trials(600, 5), [drawn_faces.drawn(seed=i) for i in range(20)]])
    assert export.compare(c_code, model, faces) < 1e-6


@settings(max_examples=30)
@given(st.binary(min_size=48 * 48, max_size=48 * 48))
def test_c_and_python_make_the_same_features_of_any_bytes(saved, c_code, data):
    face = np.frombuffer(data, np.uint8).reshape(1, 48, 48)
    assert export.in_c(c_code, face, 3)[0].tobytes() == features.features(face).tobytes()


def test_another_models_code_does_not_pass(saved, c_code, tmp_path):
    other = tmp_path / "other.joblib"
    model_file.save(made_up(9), other, labels=LABELS, threshold=0.4, about="", scores={})
    with pytest.raises(CheckFailed, match="differ"):
        export.compare(c_code, model_file.load(other), export.trials(100))


def test_an_exported_face_is_measured_on_a_chip_that_gives_the_same_bits(saved, tmp_path):
    try:
        toolchain.TARGETS["esp32p4"].check()
    except toolchain.MissingTool as error:
        pytest.skip(str(error))
    export.export(model_file.load(saved), tmp_path / "Face")
    found = measuring.measure("esp32p4", tmp_path / "Face")
    assert 200_000 < found.instructions < 5_000_000
    assert found.milliseconds.lower == pytest.approx(found.instructions / 360e3, rel=1e-6)
    assert 4000 < found.stack < 20_000
    # the tables alone, as the export says them, and the code beside
    model = model_file.load(saved).pipeline[-1]
    weights = sum(w.size for w in model.weights8_)
    assert weights < found.flash < weights + 60_000
    assert "ESP32-P4" in measuring.table([found])
    (tmp_path / "Face" / "ser_face_model.c").unlink()
    with pytest.raises(
        UserError, match="no exported face model; make one with python -m face export"
    ):
        measuring.measure("esp32p4", tmp_path / "Face")


def test_a_chip_that_gives_other_bits_than_this_computer_is_told_of(saved, tmp_path, monkeypatch):
    try:
        toolchain.TARGETS["esp32p4"].check()
    except toolchain.MissingTool as error:
        pytest.skip(str(error))
    export.export(model_file.load(saved), tmp_path / "Face")
    here = measuring._run_here
    monkeypatch.setattr(measuring, "_run_here", lambda *found: [*here(*found)[:-1], "0"])
    with pytest.raises(CheckFailed, match="esp32p4: probabilities of a picture differ"):
        measuring.measure("esp32p4", tmp_path / "Face")


def test_the_export_is_what_was_compared_and_the_same_each_time(saved, tmp_path):
    model = model_file.load(saved)
    said = export.export(model, tmp_path / "Face")
    assert "features equal on 2000" in said[0]
    files = {path.name: path.read_bytes() for path in (tmp_path / "Face").iterdir()}
    assert files == export.contents(model)
    text = b"".join(files[name] for name in files if name.startswith("ser_face"))
    assert b"double" not in text.replace(b"no double", b"") and b"malloc" not in text


# --- model files


def test_a_model_comes_back_the_same(saved, tmp_path):
    model = model_file.load(saved)
    faces = export.trials(50, 3)
    assert (model.probabilities(faces) == made_up().predict_proba(features.features(faces))).all()
    again = tmp_path / "again.joblib"
    model_file.save(model.pipeline, again, labels=LABELS, threshold=0.4, about="made up", scores={})
    assert again.read_bytes() == saved.read_bytes()


def changed(saved, tmp_path, *, data=None, **facts):
    path = tmp_path / "face.joblib"
    path.write_bytes(saved.read_bytes() if data is None else data)
    info = json.loads(saved.with_suffix(".json").read_text()) | facts
    path.with_suffix(".json").write_text(json.dumps(info))
    return path


@pytest.mark.parametrize(
    "facts",
    [{"sha256": "0" * 64}, {"features": "0" * 16}, {"format": "speech-emotion-model/1"}, {"labels": ["a"]},
     {"labels": ["a", "b", "c"]}, {"threshold": 2.0}, {"threshold": "x"}],
    ids=str,
)  # fmt: skip
def test_a_json_that_does_not_fit_is_refused_in_one_line(saved, tmp_path, facts):
    with pytest.raises(UserError, match="face") as error:
        model_file.load(changed(saved, tmp_path, **facts))
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_a_damaged_model_is_refused_even_if_its_checksum_fits(saved, tmp_path, cut):
    import hashlib

    data = saved.read_bytes()[:cut] if cut else b""
    path = changed(saved, tmp_path, data=data, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(UserError, match="no face model"):
        model_file.load(path)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(UserError, match="no such face model"):
        model_file.load(tmp_path / "none.joblib")


# --- pictures


def jpeg(path, image=None, **options):
    image = image or Image.fromarray(drawn_faces.drawn(96))
    image.save(path, "JPEG", quality=95, **options)
    return path


def refused(path):
    with pytest.raises(UserError) as error:
        pictures.read(path)
    text = str(error.value)
    assert text.startswith(str(path)) and len(text.splitlines()) == 1
    return text


def test_hostile_pictures_are_one_line_each(tmp_path):
    whole = jpeg(tmp_path / "a.jpg").read_bytes()
    for size in (0, 1, 10, 300, len(whole) // 2):
        (cut := tmp_path / f"cut{size}.jpg").write_bytes(whole[:size])
        refused(cut)
    (text := tmp_path / "text.jpg").write_text("no picture\n" * 100)
    refused(text)
    (code := tmp_path / "x.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    refused(code)
    refused(tmp_path / "gone.jpg")
    refused(tmp_path)
    frames = [Image.fromarray(drawn_faces.drawn(32, seed=i)) for i in range(3)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert "an animation of 3" in refused(tmp_path / "moving.gif")


def test_a_hundred_megapixels_are_refused_before_they_are_decoded(tmp_path):
    import tracemalloc
    import zlib

    def chunk(name, data):
        body = name + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    head = (10_000).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    row = zlib.compress(bytes(10_001 * 10_000), 1)
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", row) + chunk(b"IEND", b"")
    )
    tracemalloc.start()
    assert "100 megapixels" in refused(path)
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_picture_is_the_same_upright_and_in_any_colours(tmp_path):
    face = drawn_faces.drawn(96, smile=1)
    plain = Image.fromarray(face)
    expected = pictures.read(jpeg(tmp_path / "plain.jpg"))
    assert expected.shape == (96, 96)
    straight = pictures.read(jpeg(tmp_path / "straight.jpg", plain)).astype(int)
    turned = {
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }
    for number, turn in turned.items():
        exif = Image.Exif()
        exif[0x0112] = number
        path = jpeg(tmp_path / f"{number}.jpg", plain.transpose(turn), exif=exif)
        assert abs(pictures.read(path).astype(int) - straight).mean() < 3
    for mode in ("RGB", "CMYK"):
        path = jpeg(tmp_path / f"{mode}.jpg", plain.convert(mode))
        assert abs(pictures.read(path).astype(int) - straight).mean() < 6
    for mode in ("P", "LA", "RGBA", "1"):
        plain.convert(mode).save(path := tmp_path / f"{mode}.png")
        assert pictures.read(path).shape == (96, 96)
    Image.fromarray(face.astype(np.uint16) * 257).save(path := tmp_path / "deep.png")
    assert abs(pictures.read(path).astype(int) - face).max() <= 1


def test_quality_names_what_is_wrong():
    sharp = drawn_faces.drawn()
    assert quality.trouble(sharp, 100) == ""
    assert quality.trouble(sharp, 40) == "too small"
    assert quality.trouble(np.zeros((48, 48), np.uint8), 100) == "too dark or too pale"
    small = Image.fromarray(sharp).resize((6, 6), Image.Resampling.BOX)
    blurred = np.asarray(small.resize((48, 48), Image.Resampling.BICUBIC))
    assert quality.trouble(blurred, 100) == "blurred"
    half = np.tile(np.linspace(20, 230, 48), (48, 1)) + np.random.default_rng(0).normal(
        0, 20, (48, 48)
    )
    assert quality.trouble(half.clip(0, 255).astype(np.uint8), 100) == "turned away"


# --- folders


def test_fers_parts_are_kept_apart_and_twins_do_not_train(tmp_path):
    drawn_faces.folder(tmp_path / "train", 12)
    drawn_faces.folder(tmp_path / "validation", 4)  # the first four of each are the same pictures
    (tmp_path / "train" / "contempt").mkdir()
    (tmp_path / "train" / "happy" / "broken.png").write_bytes(b"no")
    faces = folders.read(tmp_path)
    assert faces.kind == "FER-2013's layout" and len(faces.labels) == 32
    assert any("contempt" in line for line in faces.left_out)
    assert any("broken.png" in line for line in faces.left_out)
    train, test, about = folders.split(faces, 1)
    assert len(train) == 16 and len(test) == 8 and "8 pictures do not train" in about
    assert not set(faces.same[train]) & set(faces.same[test])


def test_people_are_held_out_where_they_are_known(tmp_path):
    faces = folders.read(drawn_faces.folder(tmp_path / "own", 24))
    assert set(faces.people) == {f"p{i}" for i in range(6)}
    train, test, about = folders.split(faces, 1)
    assert not set(faces.people[train]) & set(faces.people[test]) and "people" in about


def test_ck_plus_is_recognised(tmp_path):
    for word in ("anger", "contempt", "happy"):
        (tmp_path / word).mkdir()
        for i in range(3):
            Image.fromarray(drawn_faces.drawn(seed=i)).save(
                tmp_path / word / f"S01{i}_004_0000001{i}.png"
            )
    faces = folders.read(tmp_path)
    assert faces.kind == "CK+" and set(faces.labels) == {"angry", "happy"}
    assert set(faces.people) == {"S010", "S011", "S012"}


def test_a_folder_without_faces_is_told_so(tmp_path):
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match=str(path)):
            folders.read(path)


# --- the command


def command(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "face", *map(str, arguments)], cwd=REPOSITORY,
        capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_train_predict_and_export(tmp_path):
    drawn_faces.folder(tmp_path / "own", 24)
    model = tmp_path / "m" / "face.joblib"
    code, said, wrong = command("train", tmp_path / "own", "--out", model)
    assert code == 0, wrong
    assert "nobody on both sides" in said and "UAR 1.000" in said
    assert "not what somebody felt" in model.with_suffix(".md").read_text()
    Image.fromarray(drawn_faces.drawn(48, smile=1, seed=99)).save(tmp_path / "new.png")
    code, said, wrong = command(
        "predict", "--cropped", tmp_path / "new.png", tmp_path / "gone.png", model
    )
    assert code == 0 and "happy" in said.splitlines()[0] and "no such file" in said.splitlines()[1]
    code, said, wrong = command("export", model, "--out", tmp_path / "Face")
    assert code == 0, wrong
    assert (tmp_path / "Face" / "ser_face_model.c").exists()


def test_too_few_pictures_are_told_so(tmp_path):
    drawn_faces.folder(tmp_path / "own", 3)
    code, _, wrong = command("train", tmp_path / "own", "--out", tmp_path / "face.joblib")
    assert code == 2 and "too few" in wrong and not (tmp_path / "face.joblib").exists()
