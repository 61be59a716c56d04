"""The finder in C: OpenCV's very squares, Pillow's very crops, the gate and the probabilities of Python."""

import ctypes

import drawn_faces
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from test_face import LABELS, made_up

from speech_emotion.errors import UserError
from speech_emotion.face import detecting, export, finder, model_file, pictures, quality

pytest.importorskip("cv2", reason="no OpenCV; pip install 'speech-emotion[face]'")
MOST = 8


class Found(ctypes.Structure):
    _fields_ = (
        ("x", ctypes.c_int32), ("y", ctypes.c_int32), ("side", ctypes.c_int32),
        ("trouble", ctypes.c_int32), ("probabilities", ctypes.c_float * len(LABELS)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return model_file.FaceModel(made_up(), tuple(LABELS), 0.0, 1)


@pytest.fixture(scope="module")
def library(model, tmp_path_factory):
    return export.compiled(finder.contents(model), tmp_path_factory.mktemp("finder"))


@pytest.fixture(scope="module")
def detector():
    return detecting.Detector()


def look(library, grey):
    found = (Found * MOST)()
    grey = np.ascontiguousarray(grey)
    height, width = grey.shape
    return found[: library.ser_look(ctypes.c_void_p(grey.ctypes.data), width, height, found)]


def cluttered(seed):
    """A picture of any size with clutter of any grain, faces in any place, also cut off by the rim."""
    random = np.random.default_rng(seed)
    sizes = [(640, 480), (480, 640), (320, 240), (1280, 720), (240, 180), (480, 360), (720, 720)]
    width, height = sizes[seed % 10] if seed % 10 < 7 else random.integers(30, 1280, 2).tolist()
    grain = int(random.choice([1, 2, 4, 8, 16, 64]))
    noise = random.normal(0, 1, (height // grain + 1, width // grain + 1))
    noise = np.kron(noise, np.ones((grain, grain)))[:height, :width]
    grey = np.clip(random.uniform(0, 255) + noise * random.uniform(0, 60), 0, 255).astype(np.uint8)
    for _ in range(random.integers(0, 5)):
        side = int(random.integers(30, max(31, min(width, height))))
        face = drawn_faces.drawn(
            side, smile=random.uniform(-1, 1), seed=int(random.integers(10**6))
        )
        x, y = int(random.integers(0, width)) - side // 4, int(random.integers(0, height))
        y -= side // 4
        rows, columns = slice(max(y, 0), y + side), slice(max(x, 0), x + side)
        part = grey[rows, columns]
        part[:] = face[max(-y, 0) :, max(-x, 0) :][: part.shape[0], : part.shape[1]]
    return grey


def test_the_squares_are_opencvs_and_what_is_said_of_them_is_pythons(library, detector, model):
    count = 0
    for seed in range(250):
        grey = cluttered(seed)
        expected = detector.find(grey)[:MOST]
        found = look(library, grey)
        assert [(f.x, f.y, f.side) for f in found] == [(f.x, f.y, f.side) for f in expected], seed
        for mine, theirs in zip(found, expected, strict=True):
            crop = theirs.crop(grey)
            trouble = quality.trouble(crop, theirs.side)
            assert ["", *quality.TROUBLES][mine.trouble] == trouble, seed
            if not trouble:
                row = model.probabilities(crop[None])[0]
                assert np.abs(np.array(mine.probabilities) - row).max() <= 1e-6
        count += len(found)
    assert count > 100


@settings(max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 255))
def test_pictures_too_small_or_of_one_grey_hold_nobody(library, width, height, grey):
    assert look(library, np.full((height, width), grey, np.uint8)) == []


def test_each_trouble_is_seen_in_c(library):
    face = Image.fromarray(drawn_faces.drawn(48))
    blurred = np.asarray(face.filter(ImageFilter.GaussianBlur(3)))
    half = np.where(np.arange(48) < 24, np.asarray(face), 255 - np.asarray(face)[:, ::-1])
    crops = [np.asarray(face), blurred, half.astype(np.uint8), *export.trials(300)]
    said = set()
    for crop in crops:
        for side in (47, 48):
            crop = np.ascontiguousarray(crop)
            found = library.ser_look_trouble(ctypes.c_void_p(crop.ctypes.data), side)
            assert ["", *quality.TROUBLES][found] == quality.trouble(crop, side)
            said.add(found)
    assert said == set(range(len(quality.TROUBLES) + 1))


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(48, 700), st.integers(48, 700))
def test_crops_are_pillows(library, seed, width, height):
    grey = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    side = min(width, height)
    for part, (to_width, to_height) in (
        (grey[:side, :side], (48, 48)),
        (grey, (max(width // 2, 1), max(2, round(height / 1.7)))),
    ):
        small = np.empty((to_height, to_width), np.uint8)
        room = np.empty(part.shape[0] * to_width, np.uint8)
        library.ser_find_box(
            ctypes.c_void_p(part.ctypes.data), width, part.shape[1], part.shape[0],
            ctypes.c_void_p(small.ctypes.data), to_width, to_height, ctypes.c_void_p(room.ctypes.data),
        )  # fmt: skip
        part = np.ascontiguousarray(part)
        assert (small == pictures.shrunk(part, (to_width, to_height))).all()
        if part.shape == (side, side) and to_width == to_height:
            assert (small == pictures.resized(part, to_width)).all()


def test_the_cascades_licence_goes_with_it(model):
    header = finder.contents(model)["ser_find_cascade.h"].decode()
    assert "Copyright (C) 2000, Intel Corporation" in header
    assert "Redistribution's of source code must retain the above copyright notice" in header


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<width>20", "<width>24"),
        ("0 1 0 4.3", "1 2 0 4.3"),
        ("</stages>", ""),
        ("<rects>", "<tilted>1</tilted><rects>"),
    ],
)
def test_another_cascade_is_refused_with_one_line(monkeypatch, tmp_path, old, new):
    with open(detecting.cascade_path(), encoding="utf-8") as file:
        text = file.read()
    head, tail = text.split("<cascade", 1)
    path = tmp_path / "cascade.xml"
    path.write_text(head + "<cascade" + tail.replace(old, new))
    monkeypatch.setattr(finder, "cascade_path", lambda: str(path))
    with pytest.raises(UserError, match=r"no cascade that can be exported") as error:
        finder.cascade()
    assert str(path) in str(error.value) and len(str(error.value).splitlines()) == 1
