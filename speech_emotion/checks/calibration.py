"""Cycles per instruction of the chips: CoreMark, counted here, against its published results.

`python -m speech_emotion.checks.calibration FOLDER` prints a table as Markdown. FOLDER: CoreMark's sources
(https://github.com/eembc/coremark), which are not part of this project. They are compiled at -Os and -O3 with
the chips' tools, run in QEMU and counted as `python -m measure` does with a library; their checksums must be
CoreMark's own. How the table becomes the factors that the estimates use: speech_emotion/measure/chips.py.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tabulate import tabulate

from speech_emotion import cli
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.measure import firmware, toolchain
from speech_emotion.measure.chips import CHIPS, COREMARKS, COUNTED

PORT = Path(__file__).with_name("coremark")
SOURCES = ("core_list_join.c", "core_matrix.c", "core_state.c", "core_util.c")
CHECKSUMS = {
    "seeds": 0xE9F5,
    "list": 0xE714,
    "matrix": 0x1FD7,
    "state machine": 0x8E3A,
    "ten iterations": 0xFCAF,
}
"""Of the performance run on 2 KB, as CoreMark and its reports have them; in coremark/main.c's order."""


def counted(
    target: toolchain.Target, sources: Iterable[Path], folder: Path, *flags: str
) -> tuple[str, float]:
    """What a program printed, and the instructions of its mean region (`firmware.mean_region`). folder: where
    everything made goes."""
    flags = (*flags, f"-I{toolchain.C}")
    objects = target.compile([*sources, *target.platform()], folder, *flags)
    return firmware.mean_region(target, target.link(objects, folder / "program.elf"))


def iteration(target: toolchain.Target, coremark: Path, level: str) -> int:
    """Instructions of an iteration of CoreMark, compiled at a level. UserError: a source is not there;
    CheckFailed: it computed something else than CoreMark does."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name in ("coremark.h", *SOURCES):
            if not (coremark / name).is_file():
                raise UserError(
                    f"{coremark / name}: not there; CoreMark's sources are at https://github.com/eembc/coremark"
                )
            shutil.copy(coremark / name, folder)
        for path in PORT.iterdir():  # after them: some copies of CoreMark bring a port of their own
            shutil.copy(path, folder)
        sources = [folder / name for name in (*SOURCES, "main.c")]
        printed, instructions = counted(target, sources, folder, level)
    check(target.name, printed)
    return round(instructions)


def check(name: str, printed: str) -> None:
    """CheckFailed, naming the target and what was computed, unless every checksum is CoreMark's."""
    found = [int(line, 16) for line in printed.split()]
    if len(found) != len(CHECKSUMS):
        raise CheckFailed(f"{name}: CoreMark broke off: {len(found)} checksums of {len(CHECKSUMS)}")
    for (what, right), mine in zip(CHECKSUMS.items(), found, strict=True):
        if mine != right:
            raise CheckFailed(
                f"{name}: CoreMark's checksum of the {what} is {mine:#06x}, not {right:#06x}"
            )


def table(counts: dict[str, dict[str, int]]) -> str:
    """Every published result beside the counts (by target and level): Markdown."""
    head = (
        "chip", "published", "MHz", "level", "cycles", "instructions here", "cycles per instruction",
        "nominal, upper", "how", "source",
    )  # fmt: skip
    rows = []
    for result in COREMARKS:
        chip = CHIPS[result.chip]
        instructions = counts[toolchain.SAME.get(result.chip, result.chip)][result.level]
        rows.append(
            [
                chip.name, f"{result.score:g}", f"{result.megahertz:g}", result.level,
                f"{result.cycles:,.0f}", f"{instructions:,}", f"{result.cycles / instructions:.2f}",
                f"{chip.nominal:g}, {chip.upper:g}", result.how, result.source,
            ]
        )  # fmt: skip
    return tabulate(rows, head, "pipe", disable_numparse=True)


def main():
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coremark", type=Path, metavar="FOLDER", help="CoreMark's sources")
    coremark = parser.parse_args().coremark
    for name in COUNTED:
        toolchain.TARGETS[name].check()
    cases = [(name, level) for name, levels in COUNTED.items() for level in levels]
    counts: dict[str, dict[str, int]] = {}
    for name, level in cli.progress(cases, what="calibration", unit="run"):
        counts.setdefault(name, {})[level] = iteration(toolchain.TARGETS[name], coremark, level)
    print(table(counts))
    for name, level in cases:
        if counts[name][level] != COUNTED[name][level]:
            print(
                f"{name} {level}: {counts[name][level]:,} instructions, where chips.py keeps "
                f"{COUNTED[name][level]:,}, of other tools or other sources"
            )


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
