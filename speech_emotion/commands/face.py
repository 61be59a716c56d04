"""Faces: a small model trained on folders of pictures, tried on pictures, exported as C for a chip, and
measured there.

FOLDER holds a folder of pictures per emotion, or train/ and validation/ (or test/) with such folders, as
FER-2013 has them; CK+ at 48 pixels is recognised. Pictures are looked at, never kept.
"""

import argparse
from pathlib import Path

from speech_emotion import cli
from speech_emotion.errors import UserError
from speech_emotion.measure.chips import CHIPS

EXAMPLES = """examples:
  python -m face train fer2013 --out models/face.joblib
  python -m face predict PICTURE.jpg models/face.joblib
  python -m face export models/face.joblib --out build/Face
  python -m face measure build/Face --target esp32s3
"""


def parse_arguments():
    parser = cli.Parser(
        description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    what = parser.add_subparsers(dest="what", required=True, metavar="train|predict|export|measure")
    train = what.add_parser("train", help="folders of pictures -> a model, a card")
    train.add_argument("folder", type=Path, metavar="FOLDER")
    train.add_argument("--out", type=Path, default=Path("models/face.joblib"), metavar="FILE",
                       help="default: models/face.joblib")  # fmt: skip
    train.add_argument("--seeds", type=int, default=1, metavar="N",
                       help="score so many networks, which differ by their seed; save the first")  # fmt: skip
    train.add_argument("--seed", type=int, default=42, help="of split and network (default: 42)")
    predict = what.add_parser("predict", help="pictures -> emotions")
    predict.add_argument("pictures", type=Path, nargs="+", metavar="PICTURE")
    predict.add_argument("model", type=Path, metavar="MODEL")
    predict.add_argument("--cropped", action="store_true",
                         help="the picture is the face: look for none (needs no OpenCV)")  # fmt: skip
    export = what.add_parser("export", help="a model -> C99, compiled and compared")
    export.add_argument("model", type=Path, metavar="MODEL")
    export.add_argument("--out", type=Path, default=Path("build/Face"), metavar="DIR",
                        help="default: build/Face")  # fmt: skip
    measure = what.add_parser("measure", help="what the C takes on emulated chips")
    measure.add_argument("folder", type=Path, nargs="?", default=Path("build/Face"), metavar="DIR",
                         help="what face export wrote (default: build/Face)")  # fmt: skip
    measure.add_argument("--target", nargs="+", choices=CHIPS, default=list(CHIPS), metavar="CHIP",
                         help=f"of {', '.join(CHIPS)} (default: all)")  # fmt: skip
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    whats = {"train": train, "predict": predict, "export": export, "measure": measure}
    return whats[arguments.what](arguments)


def train(arguments):
    if arguments.seeds < 1:
        raise UserError(f"--seeds {arguments.seeds}: give 1 or more")
    if arguments.out.suffix != ".joblib":
        raise UserError(f"--out {arguments.out}: name a file that ends in .joblib")
    if not arguments.folder.is_dir():
        raise UserError(
            f"{arguments.folder}: no such folder; name one that holds a folder per emotion"
        )
    # imported when asked for: --help and a wrong argument need neither numpy nor scikit-learn
    import numpy as np

    from speech_emotion.face import folders, learning, model_file
    from speech_emotion.files import replacing, writable_folder

    faces = folders.read(arguments.folder)
    writable_folder(arguments.out.parent)
    for line in faces.left_out[:5]:
        print(f"left out: {line}")
    if len(faces.left_out) > 5:
        print(f"left out: {len(faces.left_out) - 5} more")
    train_rows, test_rows, about = folders.split(faces, arguments.seed)
    names, counts = np.unique(faces.labels[train_rows], return_counts=True)
    print(f"{faces.kind}: {len(train_rows)} faces train, {len(test_rows)} are tested; {about}")
    print(", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True)))
    if len(names) < 2 or counts.min() < 5 or not len(test_rows):
        raise UserError(
            f"{arguments.folder}: too few pictures; give five or more to train for each of two emotions"
        )
    unknown = sorted(set(faces.labels[test_rows].tolist()) - set(names.tolist()))
    if unknown:
        raise UserError(
            f"{arguments.folder}: {unknown[0]} is tested and never trained; add pictures"
        )
    results = []
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        pipeline = learning.fitted(faces.at(train_rows), seed)
        found, threshold = learning.scores(pipeline, faces.at(test_rows))
        results.append(found)
        print(
            f"seed {seed}: UAR {found['uar']:.3f}, calibration error {found['ece']:.3f}", flush=True
        )
        if seed == arguments.seed:
            text = f"{faces.kind}, {len(train_rows)} faces; {about}"
            model_file.save(
                pipeline, arguments.out, labels=names.tolist(), threshold=threshold, about=text,
                scores=found,
            )  # fmt: skip
    card = arguments.out.with_suffix(".md")
    with replacing(card) as file:
        file.write(_card(results, names, counts, about, faces))
    uars = [found["uar"] for found in results]
    if len(uars) > 1:
        print(f"UAR {np.mean(uars):.3f}, from {min(uars):.3f} to {max(uars):.3f}")
    print(f"{arguments.out}: written, and {card}")
    return 0


def _card(results, names, counts, about, faces):
    lines = [
        "# Model card: face\n",
        "Histograms of oriented gradients of 48 x 48 grey pixels, an 8-bit network taught by kernel ridge.\n",
        f"Trained on {int(counts.sum())} pictures ({faces.kind}): "
        + ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
        + f". {about[0].upper()}{about[1:]}.\n",
        "| seed | " + " | ".join(results[0]) + " |",
        "|---" * (len(results[0]) + 1) + "|",
        *(
            f"| {number} | " + " | ".join(f"{value:.3f}" for value in each.values()) + " |"
            for number, each in enumerate(results, 1)
        ),
        "\n## Limits\n",
        "- Labels are what onlookers said a picture shows, not what somebody felt. Who is on FER-2013's "
        "pictures is not known: people may be on both sides.",
        "- One frontal face; glasses, masks, beards, darkness and other ages than the pictures' are not "
        "measured.",
        "- Not for decisions about people. In the EU, emotion recognition at work and in education is "
        "prohibited (AI Act, article 5).",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def check_model(path):
    if not path.exists():
        raise UserError(f"{path}: no such face model; make it with python -m face train")


def predict(arguments):
    check_model(arguments.model)
    import numpy as np

    from speech_emotion.face import model_file, pictures
    from speech_emotion.face.features import SIDE

    model = model_file.load(arguments.model)
    if not arguments.cropped:
        from speech_emotion.face.detecting import Detector

        detector = Detector()
    failed = 0
    for path in arguments.pictures:
        try:
            grey = pictures.read(path)
        except UserError as error:
            print(error)
            failed += 1
            continue
        if arguments.cropped:
            crops = [("", pictures.resized(grey, SIDE))]
        else:
            from speech_emotion.face import quality

            found = detector.find(grey)
            crops = []
            for number, face in enumerate(found, 1):
                crop = face.crop(grey)
                trouble = quality.trouble(crop, face.side)
                name = f" face {number}" if len(found) > 1 else ""
                if trouble:
                    print(f"{path}:{name} {trouble}")
                else:
                    crops.append((name, crop))
            if not found:
                print(f"{path}: no face")
        for name, crop in crops:
            row = model.probabilities(np.ascontiguousarray(crop)[None])[0]
            best = int(row.argmax())
            shown = model.labels[best] if row[best] >= model.threshold else "uncertain"
            print(f"{path}:{name} {shown} ({model.labels[best]} {row[best]:.0%})")
    if failed == len(arguments.pictures):
        raise UserError(f"{arguments.pictures[0]}: none of the pictures could be read")
    return 0


def export(arguments):
    check_model(arguments.model)
    from speech_emotion.face import export as exporting
    from speech_emotion.face import model_file

    model = model_file.load(arguments.model)
    for line in exporting.export(model, arguments.out):
        print(line)
    return 0


def measure(arguments):
    from speech_emotion.face import measuring
    from speech_emotion.measure.toolchain import MissingTool

    found, missing = [], []
    for name in cli.progress(arguments.target, what="measure", unit="chip"):
        try:
            found.append(measuring.measure(name, arguments.folder))
        except MissingTool as error:
            missing.append(f"{name}: not measured: {error}")
    if not found:
        raise UserError("; ".join(missing))
    print(measuring.table(found))
    print(
        "Instructions are counted in an emulator, times estimated from them. Every bit was the same as on "
        "this computer. The face model alone: finding a face, the camera and the program around it are not "
        "counted."
    )
    for line in missing:
        print(line)
    return 0


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
