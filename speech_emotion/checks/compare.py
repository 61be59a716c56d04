"""A forest exported by ours, emlearn, m2cgen and micromlgen, each measured on emulated chips."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from tabulate import tabulate

from speech_emotion.codegen import emlearn_parts, library, pipeline, source
from speech_emotion.dataset import table
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.files import replacing
from speech_emotion.measure import firmware, toolchain
from speech_emotion.measure.toolchain import Target
from speech_emotion.model import persistence
from speech_emotion.model.estimators import SnappedRandomForest

CHIPS = {name: toolchain.TARGETS[name] for name in ("esp32", "esp32p4")}
_HARNESS = """
#include "marks.h"
#include "platform.h"
MARK(begin_nothing, 1)
MARK(begin_predict, 2)
MARK(end_region, 0)
int predict(const INPUT *x);
static float row[WIDTH];
static INPUT input[WIDTH];
int main(void)
{
    const int file = platform_open("rows");
    begin_nothing();
    end_region();
    while (platform_read(file, row, (int)sizeof row) == (int)sizeof row) {
        for (int i = 0; i < WIDTH; i++) {
            input[i] = (INPUT)row[i];
        }
        begin_predict();
        const int label = predict(input);
        end_region();
        const char letter = (char)('A' + label);
        platform_print(&letter, 1);
    }
    return 0;
}
"""


@dataclass(frozen=True)
class Exporter:
    """Code that defines `predict(const INPUT *)`. input: the C type it takes; language: c or c++;
    whole: it takes features instead of the forest's whole numbers."""

    name: str
    code: Callable[[], str]
    input: str = "int16_t"
    language: str = "c"
    whole: bool = False


@dataclass(frozen=True)
class Result:
    """bytes, instructions, divisions (slow ones, see Target.slow): by chip, per prediction; None where it
    cannot be linked. agreement: share of rows."""

    name: str
    bytes: dict[str, int]
    instructions: dict[str, int | None]
    divisions: dict[str, int | None]
    agreement: float


def exporters(model, folder: Path) -> list[Exporter]:
    """All ways to export the model's forest. folder: where our library's sources lie."""
    forest = model.pipeline[-1]
    kind = (
        RandomForestClassifier if isinstance(forest, SnappedRandomForest) else ExtraTreesClassifier
    )
    plain = kind()
    vars(plain).update(vars(forest))  # the others know scikit-learn's classes only
    labels = len(model.labels)
    ours = (folder / "src" / "ser_model.c").read_text()
    most = """
static int largest(const PROBABILITY *p)
{
    int label = 0;
    for (int k = 1; k < LABELS; k++) {
        label = p[k] > p[label] ? k : label;
    }
    return label;
}
""".replace("LABELS", str(labels))

    def own(call):
        text = most.replace("PROBABILITY", "float")
        return (
            f"{ours}\n{text}int predict(const INPUT *x)\n"
            f"{{ float p[SER_LABELS]; {call}(x, p); return largest(p); }}\n"
        )

    def emlearn(leaf_bits):
        wrapper = emlearn_parts.trees.Wrapper(plain, "inline", dtype="int16_t", leaf_bits=leaf_bits)
        call = "int predict(const INPUT *x) { return (int)forest_predict(x, WIDTH); }\n"
        return wrapper.save(name="forest") + call

    def m2cgen():
        import m2cgen

        sys.setrecursionlimit(20000)
        text = m2cgen.export_to_c(plain) + most.replace("PROBABILITY", "double")
        return (
            f"{text}int predict(const INPUT *x)\n"
            f"{{ double p[{labels}]; score((double *)x, p); return largest(p); }}\n"
        )

    def micromlgen():
        import micromlgen

        text = micromlgen.port(plain).replace("#include <cstdarg>", "#include <stdarg.h>")
        text = text.replace("#pragma once", "")
        instance = "static Eloquent::ML::Port::RandomForest forest;\n"
        call = "int predict(const INPUT *x) { return forest.predict((float *)x); }\n"
        return f"{text}\n{instance}{call}"

    found = [
        Exporter("**ours**, the forest", lambda: own("vote")),
        Exporter("**ours**, with scaler, discriminants and quantiser", lambda: own("ser_model_predict"),
                 "float", whole=True),
        Exporter("emlearn, its defaults", lambda: emlearn(None)),
        Exporter("emlearn, `leaf_bits=8`", lambda: emlearn(8)),
        Exporter("m2cgen", m2cgen, "double"),
    ]  # fmt: skip
    if kind is RandomForestClassifier:
        found.append(Exporter("micromlgen", micromlgen, "float", "c++"))
    return found


def measure(exporter: Exporter, folder: Path, rows: np.ndarray, labels: np.ndarray) -> Result:
    """Compile and run one. rows: float32 (n, width); labels: (n,) numbers that scikit-learn answers.
    CheckFailed: the chips' answers differ."""
    size: dict[str, int] = {}
    executed: dict[str, int | None] = {}
    divisions: dict[str, int | None] = {}
    said = {}
    for name, target in CHIPS.items():
        with tempfile.TemporaryDirectory() as build:
            build = Path(build)
            rows.astype(np.float32).tofile(build / "rows")
            program, size[name] = _build(target, exporter, folder, build, rows.shape[1])
            if program is None:
                executed[name] = divisions[name] = None
                continue
            printed, counts, _ = firmware.counted(
                target, program, ["begin_nothing", "begin_predict"]
            )
        said[name] = printed.strip()
        regions = [line.split()[2:4] for line in counts.splitlines() if line.startswith("region")]
        (marks, _), *calls = ((int(instructions), int(slow)) for instructions, slow in regions)
        executed[name] = round(sum(call[0] for call in calls) / len(calls)) - marks
        divisions[name] = round(sum(call[1] for call in calls) / len(calls))
    if len(set(said.values())) > 1:
        raise CheckFailed(f"{exporter.name}: the chips' answers differ")
    answers = np.frombuffer(next(iter(said.values())).encode("latin-1"), np.uint8) - ord("A")
    return Result(exporter.name, size, executed, divisions, float((answers == labels).mean()))


def _build(target: Target, exporter, folder, build, width):
    """The program, or None where it does not link, and the bytes of what `predict` reaches."""
    head = f"#include <stdint.h>\n#define WIDTH {width}\n#define INPUT {exporter.input}\n"
    main = build / "main.c"
    main.write_text(head + _HARNESS)
    flags = [f"-I{folder / 'src'}", f"-I{toolchain.C}"]
    code = build / ("code.c" if exporter.language == "c" else "code.cpp")
    more = []
    if exporter.language != "c":
        head += 'extern "C" int predict(const INPUT *x);\n'
        more = ["-std=gnu++17", "-fno-exceptions", "-fno-rtti"]
    code.write_text(head + exporter.code(), encoding="utf-8")
    made = target.compile_one(code, build / "code.o", "-w", *flags, *more)
    sections = target.sections([made], build, ("predict",))
    size = sum(
        n
        for name, n in sections.items()
        if name.startswith((".text", ".literal", ".rodata", ".data"))
    )
    rest = target.compile([main, *target.platform()], build, *flags)
    try:
        return target.link([made, *rest], build / "program.elf"), size
    except UserError as error:
        if "relocation" not in str(error):
            raise
        return None, size  # constants out of reach of the code


def markdown(model, results: list[Result], missing: list[str], rows: int) -> str:
    """The table as the docs show it."""
    forest = model.pipeline[-1]
    trees = [tree.tree_ for tree in forest.estimators_]
    leaves = sum(tree.n_leaves for tree in trees)
    lines = [
        "<!-- Generated by `python -m speech_emotion compare`; do not edit. -->",
        "# The same forest from four exporters",
        "",
        f"{len(trees)} trees, {leaves} leaves, {forest.n_features_in_} inputs, {len(model.labels)} labels; "
        f"{rows} rows. `{toolchain.FLAGS[0]}`; instructions per prediction, executed on an LX6-compatible "
        "core (ESP32) and an rv32imafc core (ESP32-P4) in QEMU; bytes of flash without the C library's "
        "functions. Agreement: rows with scikit-learn's own label, the same on both chips.",
        "",
    ]
    rows_of_table = []
    for r in results:
        of_esp32 = (r.bytes["esp32"], r.instructions["esp32"], r.divisions["esp32"])
        of_p4 = (r.bytes["esp32p4"], r.instructions["esp32p4"])
        cells = [_cell(number) for number in (*of_esp32, *of_p4)]
        rows_of_table.append([r.name, *cells, f"{100 * r.agreement:.2f} %"])
    head = (
        "exporter", "ESP32: bytes of flash", "instructions", "float divisions", "ESP32-P4: bytes of flash",
        "instructions", "agreement",
    )  # fmt: skip
    align = ["left", *["right"] * (len(head) - 1)]
    lines.append(tabulate(rows_of_table, head, "pipe", colalign=align, disable_numparse=True))
    packages = [
        "scikit-learn",
        "emlearn",
        *(p for p in ("m2cgen", "micromlgen") if p not in missing),
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    found = {k: v for target in CHIPS.values() for k, v in target.versions().items()}
    tools = ", ".join(f"{name} {number}" for name, number in found.items())
    lines += [
        "",
        "The others export the forest alone and are handed the quantised rows; none exports a scaler. "
        "emlearn's own tables (`method='loadable'`) take 127 columns at most, so it is asked for code "
        "(`method='inline'`). emlearn compares integers with `<`, and cuts thresholds towards zero, where "
        "scikit-learn has `<=`; by default its trees vote with one label each, as micromlgen's do. A "
        "float division, counted here with its 30 instructions, takes the ESP32 about 170 cycles.",
        "",
        f"Measured with {tools}; {versions}.",
    ]
    if any(None in r.instructions.values() for r in results):
        lines[-1:-1] = [
            "Does not link: one function of more than the 256 KB that the core's loads of constants reach. "
            "Espressif's compiler can place them inside functions (`-mauto-litpools`); the one used here "
            "cannot.",
            "",
        ]
    if missing:
        lines.append(f"Not installed, so not measured: {', '.join(missing)}.")
    return "\n".join(lines) + "\n"


def _cell(value):
    return "does not link" if value is None else f"{value:,}"


def write(arguments) -> None:
    """Every exporter that is installed, measured; the table of them."""
    for target in CHIPS.values():
        target.check()
    model = persistence.load(arguments.model)
    if not hasattr(model.pipeline[-1], "estimators_"):
        raise UserError(
            f"{arguments.model}: not a forest; train one with train.py --models forest_small"
        )
    features = table.read(arguments.features).vectors
    plan = pipeline.plan(model.pipeline, model.info)
    written = source.write(plan, name="forest")
    places = table.schema.places_of(model.columns)
    quantised = model.pipeline[:-1].transform(features[:, places])
    labels = model.probabilities(features).argmax(axis=1)
    results, missing = [], []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        library.write(library.contents(plan, written, name="forest", sizes="", facts={}), folder)
        for exporter in exporters(model, folder):
            package = exporter.name.split(",")[0]
            if package in ("m2cgen", "micromlgen") and not _installed(package):
                missing.append(package)
                continue
            rows = quantised
            if exporter.whole:
                rows = features
            elif package == "**ours**":
                rows = quantised[:, _kept(plan, model)]
            results.append(measure(exporter, folder, rows, labels))
            r = results[-1]
            print(f"{r.name}: {r.bytes}, {r.instructions}, {100 * r.agreement:.2f} %", flush=True)
    with replacing(arguments.out) as file:
        file.write(markdown(model, results, missing, len(features)))
    print(f"wrote {arguments.out}")


def _kept(plan, model):
    """Where the values that our forest looks at lie among those of the pipeline's quantiser."""
    columns = len(model.columns)
    kept = [model.columns.index(column) for column in plan.columns]
    asked = np.unique(np.concatenate([t.tree_.feature for t in model.pipeline[-1].estimators_]))
    return [*kept, *asked[asked >= columns]]


def _installed(package):
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False
