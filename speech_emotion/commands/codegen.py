"""From model.joblib to a verified C library for Arduino, PlatformIO and ESP-IDF, and its .zip.

emlearn prints the model's tables; scaler and quantiser, labels and the features that the model uses go with
them. What was written is compiled here and compared with the model: every number, every row of the training
table, random rows, and real clips from sound to label. A label that differs is exit code 1 and no library.
"""

import argparse
from pathlib import Path

from speech_emotion import cli
from speech_emotion.commands import mistakes, steps
from speech_emotion.errors import UserError

EXAMPLES = """examples:
  python -m codegen models/mlp_64.joblib
  python -m codegen models/mlp_64.joblib --web build/web
  python -m codegen models/mlp_64.joblib --web build/web --face models/face.joblib
  python -m codegen models/forest_small.joblib --out build/Forest --corpora ~/speech --clips 1000
  python -m codegen models/mlp_64.joblib --hot-in-ram         # an ESP32 that has 42 KB to spare
"""
FEATURES = Path("dataset/features.csv")


def parse_arguments():
    parser = cli.Parser(
        description=__doc__, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("model", type=Path, metavar="model.joblib", help="written by train.py, its .json beside it")
    add("--out", type=Path, default=Path("build/EmotionRecognition"), metavar="DIR",
        help="the library's folder and name (default: build/EmotionRecognition)")  # fmt: skip
    add("--web", type=Path, metavar="DIR",
        help="also write a web page that runs the library's very code (such as build/web)")  # fmt: skip
    add("--face", type=Path, metavar="MODEL",
        help="with --web: a camera beside the microphone; a model of python -m face train")  # fmt: skip
    add("--weights", type=Path, metavar="FILE",
        help="with --face: how voice and face count, of python -m fusion fit (default: alike)")  # fmt: skip
    add("--features", type=Path, metavar="CSV",
        help=f"the table to verify with (default: {FEATURES}, where it exists)")  # fmt: skip
    add("--corpora", type=Path, metavar="DIR",
        help="the folder that the table's clips lie in, to verify from sound to label (default: "
        "$SER_CORPORA, or where dataset_generator.py looks)")  # fmt: skip
    add("--clips", type=int, default=500, metavar="N", help="how many of them (default: 500)")
    add("--hot-in-ram", action="store_true",
        help="on an ESP32 of any kind keep what every 10 ms runs and reads in RAM (about 42 KB), so that "
        "it never waits for the flash; on RP2040, RP2350 and nRF52840 it is there anyway")  # fmt: skip
    add("--url", metavar="URL",
        help="the library's home page, for library.properties (default: https://example.com/)")  # fmt: skip
    add("--force", action="store_true",
        help="overwrite generated files that were changed since, and libraries older than the manifest "
        "GENERATED.sha256; what codegen never wrote is kept all the same")  # fmt: skip
    add("--seed", type=int, default=0, help="of the random rows (default: 0)")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.clips < 0:
        raise UserError(f"--clips {arguments.clips}: must be 0 or more")
    mistakes.model(str(arguments.model), library=False)
    check_face(arguments)
    if arguments.features is not None:
        arguments.features = mistakes.table(arguments.features)
    mistakes.corpora(arguments.corpora)
    # imported when asked for: --help needs no scikit-learn
    from speech_emotion.codegen import library, pipeline, source, verify, web
    from speech_emotion.corpora import places
    from speech_emotion.measure import sizes as budget
    from speech_emotion.message.definition import LABELS_MOST
    from speech_emotion.model import persistence
    from speech_emotion.model.compiled import Library

    name = library.check_name(arguments.out)
    url = library.check_url(arguments.url or library.URL)
    library.check_replaceable(arguments.out, force=arguments.force)
    if arguments.web is not None:
        if arguments.web.resolve() == arguments.out.resolve():
            raise UserError(f"--web {arguments.web}: is also --out; choose another folder")
        web.check_replaceable(arguments.web, force=arguments.force)
        web.check_compiler()
    model = persistence.load(arguments.model)
    more = camera(arguments, model.labels) if arguments.face else web.NOTHING_MORE
    table, root = open_table(arguments), places.existing_folder(arguments.corpora)

    try:
        plan = pipeline.plan(model.pipeline, model.info)
        written = source.write(
            plan, name=model.info.get("name", arguments.model.stem), threshold=model.threshold,
            hot_in_ram=arguments.hot_in_ram,
        )  # fmt: skip
    except UserError as error:
        raise UserError(f"{arguments.model}: {error}") from None
    groups = ", ".join(plan.groups)
    say("model", f"{plan.kind}; {len(plan.labels)} labels; {len(plan.columns)} columns of {groups}")
    if len(plan.labels) > LABELS_MOST:
        say(
            "",
            f"the sketch Networked will not compile: its messages have room for {LABELS_MOST} labels",
        )

    with library.draft(arguments.out) as beside:
        folder = beside / arguments.out.name
        files = library.contents(plan, written, name=name, sizes="", facts=model.info, url=url)
        library.write(files, folder)
        say("compiled", f"without a warning by {verify.compiles(folder)}, C99")
        say("tables", f"{verify.same_tables(folder, model)} tables, every number the model's")
        opened = Library(folder)
        check_rows(opened, model, table, arguments.seed)
        check_clips(opened, model, table, root, arguments.clips)
        sizes = budget.measure(folder)
        say("size", sizes.text())

        files = library.contents(
            plan, written, name=name, sizes=sizes_text(sizes), facts=model.info, url=url
        )
        kept = library.put(files, arguments.out, beside, force=arguments.force)
    say("wrote", f"{arguments.out} and {library.zip_path(arguments.out)}")
    say_kept(kept)
    if arguments.web is not None:
        page = web.contents(plan, files, model.info, more)
        kept = web.write(page, arguments.web, force=arguments.force)
        later = sum(map(len, more.later.values())) / 1024
        size = sum(map(len, page.values())) / 1024 - later
        asked = f", and {later:.0f} KB of the camera's that it loads when asked" if later else ""
        say("wrote", f"{arguments.web}, a page of {size:.0f} KB{asked}: open its index.html")
        say_kept(kept)
    steps.show("export", model=arguments.model, library=arguments.out)


def check_face(arguments):
    if arguments.face and arguments.web is None:
        raise UserError(f"--face {arguments.face}: is for the web page; name its folder with --web")
    if arguments.face and not arguments.face.exists():
        raise UserError(f"{arguments.face}: no such face model; make it with python -m face train")
    if arguments.weights and arguments.face is None:
        raise UserError(
            f"--weights {arguments.weights}: of voice and face; name a model with --face"
        )


def camera(arguments, labels):
    """What the face model adds to the page, its C compared with the model before."""
    from tempfile import TemporaryDirectory

    from speech_emotion import fusion
    from speech_emotion.camera import page
    from speech_emotion.face import export, model_file
    from speech_emotion.fusion import weights_file

    weights = weights_file.read(arguments.weights) if arguments.weights else fusion.DEFAULT
    face = model_file.load(arguments.face)
    more = page.more(list(labels), face, weights)
    with TemporaryDirectory() as draft:
        library = export.compiled(export.contents(face), Path(draft))
        difference = export.compare(library, face, export.trials(export.COMPARED))
    say(
        "face",
        f"{export.COMPARED} made-up faces: features and labels in C are the model's, largest difference of a "
        f"probability {difference:.2g}",
    )
    return more


def say(what, text):
    print(f"{what:9} {text}", flush=True)


def say_kept(lines):
    for line in lines:
        say("kept", line)


def open_table(arguments):
    """The feature table, or None where there is none and none was asked for."""
    from speech_emotion.dataset import table

    if arguments.features is None and not FEATURES.is_file():
        return None
    return table.read(arguments.features or FEATURES)


def check_rows(opened, model, table, seed):
    import numpy as np

    from speech_emotion.codegen import verify

    random = verify.random_rows(model, table, seed)
    found = verify.same_answers(opened, model, random, "random rows")
    say("random", f"{found.count} rows inside and far outside the training range: {found.text()}")
    if table is None:
        say("rows", "NOT CHECKED: no feature table; name it with --features")
        return
    found = verify.same_answers(opened, model, table.vectors, "rows of the table")
    say("rows", f"{found.count}, all of the table: {found.text()}")
    if opened.profile_columns:
        found = verify.same_sequences(opened, model, table, seed)
        say("voices", f"{found.count} sentences of voices that become known: {found.text()}")
    if model.info.get("fit") == "all":
        say(
            "held out",
            "none: the model was trained on every clip, so no score is made of them here",
        )
    held_out = set(model.info.get("held_out", ()))
    rows = np.flatnonzero(np.isin(table.clips["path"].to_numpy(str), list(held_out)))
    if len(rows):
        theirs, ours = (
            each.probabilities(table.vectors[rows]).argmax(axis=1) for each in (model, opened)
        )
        say("held out", held_out_scores(table, model, rows, (theirs, "the model"), (ours, "in C")))
    elif held_out:
        say("held out", f"none of the model's {len(held_out)} clips is in the table: no score")


def held_out_scores(table, model, rows, *answers):
    """Weighted F1 on held-out rows, one for each of `answers`: label numbers, and whose they are."""
    from speech_emotion.codegen import verify

    known = verify.of_known_emotion(table, model.labels, rows)
    if not known.any():
        return f"{len(rows)} rows, none of an emotion that the model knows: no score"
    scores = (
        f"{verify.f1(table, model.labels, rows[known], each[known]):.4f} {whose}"
        for each, whose in answers
    )
    others = len(rows) - known.sum()
    left_out = f" ({others} more are of emotions that it does not know)" if others else ""
    return f"{known.sum()} rows: weighted F1 {', '.join(scores)}{left_out}"


def check_clips(opened, model, table, root, count):
    import numpy as np

    from speech_emotion.codegen import verify
    from speech_emotion.corpora import places

    if table is None or root is None or count == 0:
        say(
            "clips",
            "NOT CHECKED: needs the table and its clips; name them with --features, --corpora",
        )
        return
    held_out = set(model.info.get("held_out", ()))
    rows = verify.choose_clips(table, held_out, root, count)
    if not len(rows):
        say(
            "clips",
            f"NOT CHECKED: none of the table's clips lies in {root}"
            + (
                places.off_by_one(root, table.clips["path"].iloc[0])
                or "; name their folder with --corpora"
            ),
        )
        return
    bar = cli.progress(rows, total=len(rows), what="verify")
    found = verify.same_on_clips(opened, model, table, root, bar)
    say(
        "clips",
        f"{len(rows)} from sound to label, as predictor.py on the device engine: {found.device.text()}",
    )
    if found.reference:
        say("", f"as predictor.py on the reference engine: {found.reference.text()}")
    mine = np.isin(table.clips["path"].to_numpy(str)[rows], list(held_out))
    if mine.any():
        kept = rows[mine]
        theirs = model.probabilities(table.vectors[kept]).argmax(axis=1)
        text = held_out_scores(
            table, model, kept,
            (theirs, "the model on the table's features"),
            (found.answers[mine], "the chip's code on the sound"),
        )  # fmt: skip
        say("", f"of them held out: {text}")


def sizes_text(sizes):
    from tabulate import tabulate

    rows = [
        ("flash: code, tables, model", sizes.flash / 1024),
        ("of which the model", sizes.model / 1024),
        ("static RAM: the recogniser's state", sizes.ram / 1024),
    ]
    table = tabulate(rows, ("", "KB"), "pipe", floatfmt=".1f", colalign=("left", "right"))
    return f"{table}\n\nCompiled and linked by {sizes.measured_with}; without stack and system."


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)
