"""From a picture to judged faces in C (`find/`): the finder, the gate of quality, the exported model.

OpenCV's frontal cascade goes with it as tables: the numbers of the XML file that its wheel carries, with the
licence that stands in it. The evaluation is our own, and finds the very squares that OpenCV finds.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from speech_emotion.codegen import source
from speech_emotion.errors import UserError
from speech_emotion.face import export, quality
from speech_emotion.face.detecting import cascade_path
from speech_emotion.face.model_file import FaceModel

_C = Path(__file__).resolve().parent / "find"
_STAGES_LESS = 1e-5  # OpenCV takes it from each threshold, in single precision


def contents(model: FaceModel) -> dict[str, bytes]:
    """The files of `export.contents` and those of the finder: name -> bytes. UserError where the model or
    the cascade cannot be exported."""
    files = export.contents(model) | {
        path.name: path.read_bytes() for path in sorted(_C.iterdir()) if path.suffix in (".c", ".h")
    }
    files["ser_find_cascade.h"] = cascade().encode()
    files["ser_look_quality.h"] = _quality().encode()
    return dict(sorted(files.items()))


def _quality():
    values = {
        name: getattr(quality, name)
        for name in ("LEAST_SIDE", "LEAST_CONTRAST", "LEAST_SHARPNESS", "LEAST_SYMMETRY")
    }
    lines = [f"#define SER_LOOK_{name} ({value})" for name, value in values.items()]
    return "\n".join(["/* Generated from face/quality.py; do not edit. */", *lines, ""])


def licence() -> list[str]:
    """The lines at the head of the cascade's file: who made it, and on which terms it may be passed on."""
    text = Path(cascade_path()).read_text(encoding="utf-8")
    comment = re.search(r"<!--(.*?)-->", text, re.DOTALL)
    return [line.strip() for line in comment[1].strip().splitlines()] if comment else []


def cascade() -> str:
    """ser_find_cascade.h. UserError where the file is not such a cascade as ser_find.c evaluates: trees of
    two nodes in a row, upright features."""
    path = cascade_path()
    try:
        text = Path(path).read_text(encoding="utf-8")
        root = ElementTree.fromstring(text)[0]
        stages, trees = _stages(root)
        features = [_feature(each) for each in root.iterfind("features/_")]
        side = int(_text(root, "width"))
        if int(_text(root, "height")) != side or len(features) != 2 * len(trees):
            raise ValueError("other features than nodes")
    except (OSError, ValueError, IndexError, ElementTree.ParseError) as error:
        raise UserError(
            f"{path}: no cascade that can be exported ({error}); install opencv-python-headless again"
        ) from None
    return "\n".join(
        [
            f"/* Generated from OpenCV's {Path(path).name}; do not edit. What stands in that file:",
            *(f" * {line}".rstrip().replace("*/", "* /") for line in licence()),
            " */",
            f"#define SER_FIND_WINDOW {side}",
            f"#define SER_FIND_STAGES {len(stages)}",
            "typedef struct { int trees; float threshold; } ser_find_stage;",
            "typedef struct { float threshold[2], leaf[3]; int next; } ser_find_tree;",
            "typedef struct { unsigned char x, y, width, height; signed char weight; } ser_find_rectangle;",
            "/* What is below (1) or not below (0) the first threshold goes on to the second feature. */",
            f"static const ser_find_stage ser_find_stages[] = {{{', '.join(stages)}}};",
            f"static const ser_find_tree ser_find_trees[] = {{{', '.join(trees)}}};",
            f"static const ser_find_rectangle ser_find_features[][3] = {{{', '.join(features)}}};",
            "",
        ]
    )


def _text(element, name):
    return (element.findtext(name) or "").strip()


def _stages(cascade):
    stages: list[str] = []
    trees: list[str] = []
    for stage in cascade.iterfind("stages/_"):
        weak = stage.findall("weakClassifiers/_")
        threshold = np.float32(_text(stage, "stageThreshold")) - np.float32(_STAGES_LESS)
        stages.append(f"{{{len(weak)}, {source.literal(threshold)}}}")
        trees += [_tree(each, len(trees) + i) for i, each in enumerate(weak)]
    return stages, trees


def _tree(weak, number):
    nodes = _text(weak, "internalNodes").split()
    leaves = [source.literal(np.float32(each)) for each in _text(weak, "leafValues").split()]
    below, not_below, first, _, *rest = nodes
    shape = (
        sorted((below, not_below)),
        rest[:2],
        [int(first), int(rest[2])],
        len(nodes),
        len(leaves),
    )
    if shape != (["0", "1"], ["-1", "-2"], [2 * number, 2 * number + 1], 8, 3):
        raise ValueError(f"tree {number} is of another shape")
    thresholds = ", ".join(source.literal(np.float32(nodes[i])) for i in (3, 7))
    return f"{{{{{thresholds}}}, {{{', '.join(leaves)}}}, {int(below == '1')}}}"


def _feature(feature):
    if _text(feature, "tilted") not in ("", "0"):
        raise ValueError("a feature is tilted")
    rows = [each.text.split() for each in feature.iterfind("rects/_")]
    if len(rows) not in (2, 3):
        raise ValueError(f"a feature of {len(rows)} rectangles")
    parts = [", ".join(str(int(float(each))) for each in row) for row in rows]
    return f"{{{', '.join(f'{{{part}}}' for part in parts)}}}"
