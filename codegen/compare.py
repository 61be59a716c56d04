"""Our export of a forest beside plain emlearn, m2cgen and micromlgen: size, speed, agreement, in one run.

The same forest and the same rows for all, on an emulated rv32imafc; the table goes into the docs. Needs
riscv64-unknown-elf-gcc, qemu-system-riscv32, and for the others codegen/compare-requirements.txt: what is not
installed is left out, saying so.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from codegen import budget, emlearn_parts, library, pipeline, source
from common import cli
from common.errors import UserError
from common.files import replacing
from features import table
from training import persistence
from training.estimators import SnappedRandomForest

EMULATOR = "qemu-system-riscv32"
_MEMORY = (
    "-Wl,--defsym=__flash=0x80000000,--defsym=__flash_size=32M,--defsym=__ram=0x82000000,"
    "--defsym=__ram_size=16M,--defsym=__stack_size=64K"
)
_HARNESS = """
#include <stdio.h>
static uint32_t instructions(void)
{
    uint32_t count;
    __asm__ volatile(".option push\\n.option arch,+zicsr\\ncsrr %0, instret\\n.option pop"
                     : "=r"(count)::"memory");
    return count;
}
static float row[WIDTH];
static INPUT input[WIDTH];
int main(void)
{
    FILE *file = fopen("rows", "rb");
    uint64_t used = 0;
    uint32_t rows = 0;
    while (fread(row, sizeof row, 1, file) == 1) {
        for (int i = 0; i < WIDTH; i++) {
            input[i] = (INPUT)row[i];
        }
        const uint32_t before = instructions();
        const int label = predict(input);
        used += instructions() - before;
        rows++;
        putchar('A' + label);
    }
    printf("\\n%lu\\n", (unsigned long)(used / rows));
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
    name: str
    bytes: int
    instructions: int
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
            f"{ours}\n{text}static int predict(const INPUT *x)\n"
            f"{{ float p[SER_LABELS]; {call}(x, p); return largest(p); }}\n"
        )

    def emlearn(leaf_bits):
        wrapper = emlearn_parts.trees.Wrapper(plain, "inline", dtype="int16_t", leaf_bits=leaf_bits)
        call = "static int predict(const INPUT *x) { return (int)forest_predict(x, WIDTH); }\n"
        return wrapper.save(name="forest") + call

    def m2cgen():
        import m2cgen

        sys.setrecursionlimit(20000)
        text = m2cgen.export_to_c(plain) + most.replace("PROBABILITY", "double")
        return (
            f"{text}static int predict(const INPUT *x)\n"
            f"{{ double p[{labels}]; score((double *)x, p); return largest(p); }}\n"
        )

    def micromlgen():
        import micromlgen

        text = micromlgen.port(plain).replace("#include <cstdarg>", "#include <stdarg.h>")
        text = text.replace("#pragma once", "")
        instance = "static Eloquent::ML::Port::RandomForest forest;\n"
        call = "static int predict(const INPUT *x) { return forest.predict((float *)x); }\n"
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
    """Compile and run one. rows: float32 (n, width); labels: (n,) numbers that scikit-learn answers."""
    with tempfile.TemporaryDirectory() as build:
        build = Path(build)
        rows.astype(np.float32).tofile(build / "rows")
        head = (
            f"#include <stdint.h>\n#define WIDTH {rows.shape[1]}\n#define INPUT {exporter.input}\n"
        )
        stub = "static int predict(const INPUT *x) { return (int)x[0] & 1; }\n"
        with_it = _build(build, folder, exporter.language, head + exporter.code() + _HARNESS)
        without = _build(build, folder, exporter.language, head + stub + _HARNESS, "stub")
        printed = _run(
            [EMULATOR, "-M", "virt", "-bios", "none", "-cpu", "rv32", "-display", "none", "-monitor", "none",
             "-serial", "none", "-chardev", "stdio,id=c0", "-semihosting-config",
             "enable=on,target=native,chardev=c0", "-icount", "shift=0", "-kernel", str(with_it)], build,
        ).splitlines()  # fmt: skip
        answers = np.frombuffer(printed[0].encode("latin-1"), np.uint8) - ord("A")
        return Result(
            exporter.name,
            _size(with_it) - _size(without),
            int(printed[1]),
            float((answers == labels).mean()),
        )


def _build(build, folder, language, text, name="program"):
    suffix = ".c" if language == "c" else ".cpp"
    (build / name).with_suffix(suffix).write_text(text, encoding="utf-8")
    standard = "-std=gnu99" if language == "c" else "-std=gnu++17"
    _run(
        # gcc for C++ too, by the file's name: g++ would ask for a C++ library, which Debian has not
        [budget.CROSS, "--specs=picolibc.specs", "--oslib=semihost", "--crt0=semihost", "-march=rv32imafc",
         "-mabi=ilp32f", "-mcmodel=medany", "-Os", standard, "-w", "-fno-exceptions", "-fno-rtti",
         "-DPICOLIBC_INTEGER_PRINTF_SCANF", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections",
         _MEMORY, f"-I{folder / 'src'}", f"{name}{suffix}", "-lm", "-o", f"{name}.elf"], build,
    )  # fmt: skip
    return build / f"{name}.elf"


def _run(command, cwd):
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        reason = re.search(r"^.*(?:error|Error).*$", done.stderr, re.M)
        raise UserError(f"{command[0]}: {reason[0] if reason else done.stderr[-200:]}")
    return done.stdout


def _size(program):
    lines = _run(["riscv64-unknown-elf-size", str(program)], program.parent).splitlines()
    return sum(int(field) for field in lines[1].split()[:2])


def markdown(model, results: list[Result], missing: list[str], rows: int) -> str:
    """The table as the docs show it."""
    forest = model.pipeline[-1]
    trees = [tree.tree_ for tree in forest.estimators_]
    leaves = sum(tree.n_leaves for tree in trees)
    lines = [
        "<!-- Generated by `python -m codegen.compare`; do not edit. -->",
        "# The same forest from four exporters",
        "",
        f"{len(trees)} trees, {leaves} leaves, {forest.n_features_in_} columns, {len(model.labels)} labels; "
        f"{rows} rows. Emulated rv32imafc, `-Os`, instructions per prediction as QEMU counts them; "
        "bytes of flash are what the program grows by when the prediction is linked in. Agreement: rows with "
        "scikit-learn's own label.",
        "",
        "| exporter | bytes of flash | instructions | agreement |",
        "|---|--:|--:|--:|",
    ]
    for r in results:
        lines.append(f"| {r.name} | {r.bytes:,} | {r.instructions:,} | {100 * r.agreement:.2f} % |")
    packages = [
        "scikit-learn",
        "emlearn",
        *(p for p in ("m2cgen", "micromlgen") if p not in missing),
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    lines += [
        "",
        "The others export the forest alone and are handed the quantised rows; none exports a scaler. "
        "emlearn's own tables (`method='loadable'`) take 127 columns at most, so it is asked for code "
        "(`method='inline'`). emlearn compares integers with `<`, and cuts thresholds towards zero, where "
        "scikit-learn has `<=`; by default its trees vote with one label each, as micromlgen's do.",
        "",
        f"Measured with {budget.CROSS} {_version(budget.CROSS)}, QEMU {_version(EMULATOR)}; {versions}.",
    ]
    if missing:
        lines.append(f"Not installed, so not measured: {', '.join(missing)}.")
    return "\n".join(lines) + "\n"


def _version(program):
    return re.search(r"\d+\.\d+[\d.]*", _run([program, "--version"], None))[0]


def parse_arguments():
    parser = argparse.ArgumentParser(prog="python -m codegen.compare", description=__doc__)
    add = parser.add_argument
    add("model", type=Path, metavar="forest.joblib", help="a forest that train.py wrote")
    add("--features", type=Path, default=Path("dataset/features.csv"), metavar="CSV")
    add("--out", type=Path, default=Path("docs/export_comparison.md"), metavar="FILE")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    for program in (budget.CROSS, EMULATOR):
        if not shutil.which(program):
            raise UserError(
                f"{program}: not installed; apt-get install gcc-riscv64-unknown-elf "
                "picolibc-riscv64-unknown-elf qemu-system-misc"
            )
    model = persistence.load(arguments.model)
    if not hasattr(model.pipeline[-1], "estimators_"):
        raise UserError(
            f"{arguments.model}: not a forest; train one with train.py --models forest_small"
        )
    features = table.read(arguments.features).vectors
    plan = pipeline.plan(model.pipeline, model.info)
    written = source.write(plan, name="forest")
    places = [table.schema.COLUMNS.index(column) for column in model.columns]
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
            print(
                f"{r.name}: {r.bytes} bytes, {r.instructions} instructions, {100 * r.agreement:.2f} %",
                flush=True,
            )
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


if __name__ == "__main__":
    cli.run(main)
