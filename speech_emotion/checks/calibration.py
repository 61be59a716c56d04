"""Cycles per instruction of the chips: programs counted here against their published results.

`python -m speech_emotion.checks.calibration FOLDER` prints a table as Markdown. FOLDER: CoreMark's sources
(https://github.com/eembc/coremark), which are not part of this project. They are compiled at -Os and -O3 with
the chips' tools, run in QEMU and counted as `python -m measure` does with a library; their checksums must be
CoreMark's own. With --wolfssl and --esp-dsp, the sources of these two (https://github.com/wolfSSL/wolfssl,
https://github.com/espressif/esp-dsp), their programs are counted, too; they must compute what they should.
How the tables become the factors that the estimates use: speech_emotion/measure/chips.py.
"""

import argparse
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tabulate import tabulate

from speech_emotion import cli
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.measure import firmware, published, toolchain
from speech_emotion.measure.chips import CHIPS, COREMARKS, COUNTED, Cache

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


WOLFCRYPT = Path(__file__).with_name("wolfcrypt")
ESP_DSP = Path(__file__).with_name("esp_dsp")
KERNELS = {
    "dotprod_f32": "modules/dotprod/float",
    "dotprod_s16": "modules/dotprod/fixed",
    "fir_f32": "modules/fir/float",
    "biquad_f32": "modules/iir/biquad",
    "fft2r_fc32": "modules/fft/float",
    "fft2r_sc16": "modules/fft/fixed",
}
"""Where esp-dsp has them."""
HEADERS = (
    "dsps_dotprod.h",
    "dsps_fir.h",
    "dsps_biquad.h",
    "dsps_fft2r.h",
    "dsp_common.h",
    "dsp_types.h",
    "esp_attr.h",
    "esp_log.h",
)
"""What esp-dsp's kernels include, in place of which is esp_dsp/esp_dsp.h."""
RESULTS = {
    "MD5": "511965c1 d8470180", "RIPEMD": "b58ce1ca debb6511", "SHA": "1b7828c5 bfe2ea7f",
    "SHA256": "17c12123 341a97fb", "SHA512": "be4d236e 91b0fce7", "SHA3": "1cf6db8d 2bb66d56",
    "CHACHA": "4ad611a4 a039793c", "POLY1305": "e981982d 5a7402b9", "AES": "41519324 79d3bf96",
    "dotprod_f32": "50800000", "dotprod_s16": "eac00851", "fir_f32": "a4700000",
    "biquad_f32": "e0200000", "fft2r_fc32": "860db800", "fft2r_sc16": "19d71d44",
}  # fmt: skip
"""What the programs of wolfcrypt/main.c and esp_dsp/main.c must print."""


def counted(
    target: toolchain.Target,
    sources: Iterable[Path],
    folder: Path,
    *flags: str,
    cache: Cache | None = None,
) -> tuple[str, float, float]:
    """What a program printed, and the instructions and misses of its mean region (`firmware.mean_region`).
    folder: where everything made goes."""
    flags = (*flags, f"-I{toolchain.C}")
    objects = target.compile([*sources, *target.platform()], folder, *flags)
    return firmware.mean_region(target, target.link(objects, folder / "program.elf"), cache)


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
        printed, instructions, _ = counted(target, sources, folder, level)
    check(target.name, printed)
    return round(instructions)


def call(target: toolchain.Target, program: str, sources: Path, level: str) -> tuple[int, int]:
    """Instructions and misses of a call of a program of `published`, compiled at a level from the sources of
    wolfSSL or esp-dsp. UserError: one is not there; CheckFailed: it computed something else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if program in KERNELS:
            port, where = ESP_DSP, f"{KERNELS[program]}/dsps_{program}_ansi.c"
            more = ("-std=gnu11", f"-I{folder}")  # with unions that have no name
            for header in HEADERS:
                (folder / header).write_text('#include "esp_dsp.h"\n')
        else:
            port, where = WOLFCRYPT, f"wolfcrypt/src/{program.lower()}.c"
            more = ("-DWOLFSSL_USER_SETTINGS", f"-I{folder}", f"-I{sources}")
        if not (sources / where).is_file():
            raise UserError(f"{sources / where}: not there; name the folder of the whole sources")
        for path in port.iterdir():
            shutil.copy(path, folder)
        printed, instructions, misses = counted(
            target, [sources / where, folder / "main.c"], folder, level, "-w", *more, f"-DPROGRAM_{program}",
            cache=CHIPS[target.name].cache,
        )  # fmt: skip
    if printed.split() != RESULTS[program].split():
        raise CheckFailed(
            f"{target.name}: {program} computed {' '.join(printed.split())}, not {RESULTS[program]}"
        )
    return round(instructions), round(misses)


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


def calls(counts: dict[str, dict[str, dict[str, tuple[int, int]]]], programs: Iterable[str]) -> str:
    """The published results of these programs beside the counts (as published.COUNTED): Markdown."""
    head = (
        "chip", "program", "level", "cycles", "instructions here", "cycles per instruction",
        "waits for the flash here", "nominal, upper", "how", "source",
    )  # fmt: skip
    rows = []
    for result in (result for result in published.RESULTS if result.program in programs):
        chip = CHIPS[result.chip]
        instructions, misses = counts[code(result.chip)][result.program][result.level]
        rows.append(
            [
                chip.name, result.program, result.level, f"{result.cycles:,.0f}", f"{instructions:,}",
                f"{result.cycles / instructions:.2f}", f"{misses:,}", f"{chip.nominal:g}, {chip.upper:g}",
                result.how, result.source,
            ]
        )  # fmt: skip
    return tabulate(rows, head, "pipe", disable_numparse=True)


def code(chip: str) -> str:
    """The target whose code a chip's is."""
    return toolchain.SAME.get(chip, chip)


def count_calls(sources: Path, programs: Iterable[str]) -> None:
    """Count them as published, print the table, and what differs from the counts that are kept."""
    cases = sorted(
        {(code(r.chip), r.program, r.level) for r in published.RESULTS if r.program in programs}
    )
    for name in {case[0] for case in cases}:
        toolchain.TARGETS[name].check()
    counts: dict[str, dict[str, dict[str, tuple[int, int]]]] = {}
    for name, program, level in cli.progress(cases, what="calibration", unit="run"):
        found = call(toolchain.TARGETS[name], program, sources, level)
        counts.setdefault(name, {}).setdefault(program, {})[level] = found
    print(calls(counts, programs))
    for name, program, level in cases:
        kept, found = published.COUNTED[name][program][level], counts[name][program][level]
        if found != kept:
            print(
                f"{name} {program} {level}: {found[0]:,} instructions and {found[1]:,} waits, where "
                f"published.py keeps {kept[0]:,} and {kept[1]:,}, of other tools or other sources"
            )


def main():
    parser = cli.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coremark", type=Path, metavar="FOLDER", help="CoreMark's sources")
    parser.add_argument("--wolfssl", type=Path, metavar="FOLDER", help="wolfSSL's sources")
    parser.add_argument("--esp-dsp", type=Path, metavar="FOLDER", help="esp-dsp's sources")
    arguments = parser.parse_args()
    for folder in filter(None, (arguments.coremark, arguments.wolfssl, arguments.esp_dsp)):
        if not folder.is_dir():  # said now, not after minutes of counting
            raise UserError(f"{folder}: no such folder; name the folder of the whole sources")
    for name in COUNTED:
        toolchain.TARGETS[name].check()
    cases = [(name, level) for name, levels in COUNTED.items() for level in levels]
    counts: dict[str, dict[str, int]] = {}
    for name, level in cli.progress(cases, what="calibration", unit="run"):
        counts.setdefault(name, {})[level] = iteration(
            toolchain.TARGETS[name], arguments.coremark, level
        )
    print(table(counts))
    for name, level in cases:
        if counts[name][level] != COUNTED[name][level]:
            print(
                f"{name} {level}: {counts[name][level]:,} instructions, where chips.py keeps "
                f"{COUNTED[name][level]:,}, of other tools or other sources"
            )
    if arguments.wolfssl is not None:
        count_calls(arguments.wolfssl, published.WOLFCRYPT)
    if arguments.esp_dsp is not None:
        count_calls(arguments.esp_dsp, published.ESP_DSP)


def run() -> None:
    """The command: `main`, with its exit codes."""
    cli.run(main)


if __name__ == "__main__":
    run()
