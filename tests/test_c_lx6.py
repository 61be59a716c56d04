"""The extractor on the ESP32's own instruction set, Xtensa LX6 with its FPU: the same bits as on the host.

Debian's LLVM compiles for `esp32`, and QEMU's nearest core, de233_fpu, runs it; division and square root are
libgcc's own assembly, which the ESP32's compiler uses too. What a machine lacks of

    apt-get install clang-22 llvm-22 binutils-xtensa-lx106 gcc-12-source qemu-system-misc

is skipped, saying so. Not the compiler of Arduino's core: that one is not packaged.
"""

import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
import signals

from common.errors import UserError
from embedded import cost
from features import device, schema

HARNESS = Path(__file__).parent / "c" / "lx6"
INCLUDE = f"-I{HARNESS / 'include'}"
TOOLS = ("clang-22", "llc-22", "llvm-mc-22", "xtensa-lx106-elf-ld", "qemu-system-xtensa")
GCC = Path("/usr/src/gcc-12/gcc-12.2.0-dfsg.tar.xz")
ASSEMBLY = ("lib1funcs.S", "ieee754-sf.S", "ieee754-df.S")

# Instruction selection fails ("Cannot select ... TargetConstantPool") where a float is one of two constants.
CHOICE = re.compile(r"(%\S+) = select (i1 [^,]+), float (\S+), float ([^%\s]\S*)")


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def bits(constant):
    """The bits of a float constant of LLVM's assembly, which writes it as a decimal or as a double's bits."""
    if constant.startswith("0x"):
        value = np.array(int(constant, 16), np.uint64).view(np.float64)
    else:
        value = float(constant)
    return int(np.float32(value).view(np.uint32))


def choose_bits(text):
    """LLVM assembly with every choice between two float constants made between their bits."""

    def replace(found):
        name, condition, a, b = found.groups()
        if a.startswith("%"):
            return found[0]
        b, rest = re.match(r"([^,]+)(.*)", b).groups()
        chosen = f"%bits.{name.strip('%')}"
        return (
            f"{chosen} = select {condition}, i32 {bits(a)}, i32 {bits(b)}\n"
            f"  {name} = bitcast i32 {chosen} to float{rest}"
        )

    return CHOICE.sub(replace, text)


def assemble(source, built):
    run("llvm-mc-22", "-triple=xtensa", "-mcpu=esp32", "-filetype=obj", source, "-o", built)
    return built


def preprocess_and_assemble(source, built, *flags):
    expanded = built.with_suffix(".s")
    run(
        "clang-22",
        "--target=xtensa",
        "-E",
        "-x",
        "assembler-with-cpp",
        *flags,
        source,
        "-o",
        expanded,
    )
    return assemble(expanded, built)


def compile_c(source, built, *flags):
    """clang knows no esp32, and its assembler fails on literals: by way of llc and llvm-mc."""
    middle, expanded = built.with_suffix(".ll"), built.with_suffix(".s")
    run(
        "clang-22", "--target=xtensa", "-std=c99", "-O2", *cost.FIXED, "-ffunction-sections",
        "-fdata-sections", "-nostdlibinc", INCLUDE, f"-I{cost.SOURCE}", *flags, "-S",
        "-emit-llvm", source, "-o", middle,
    )  # fmt: skip
    middle.write_text(choose_bits(middle.read_text()))
    # de233_fpu lacks the high half of a 32-bit product, which the ESP32 has
    run(
        "llc-22", "-mtriple=xtensa", "-mcpu=esp32", "-mattr=-mul32high", "-O2", "-function-sections",
        "-data-sections", "-fp-contract=off", middle, "-o", expanded,
    )  # fmt: skip
    return assemble(expanded, built)


def libgcc(folder):
    """Division and square root from GCC's sources, as objects."""
    with tarfile.open(GCC) as archive:
        left = set(ASSEMBLY)
        for member in archive:
            name = Path(member.name)
            if name.parent.name == "xtensa" and name.name in left:
                (folder / name.name).write_bytes(archive.extractfile(member).read())
                left.remove(name.name)
                if not left:
                    break
    assert not left
    return [
        preprocess_and_assemble(folder / "lib1funcs.S", folder / f"{part}.o", f"-DL{part}", INCLUDE)
        for part in ("_divsf3", "_sqrtf")
    ]


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    for tool in TOOLS:
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    if not GCC.exists():
        pytest.skip(f"no {GCC} here (gcc-12-source)")
    folder = tmp_path_factory.mktemp("lx6")
    objects = [
        preprocess_and_assemble(HARNESS / "start.S", folder / "start.o"),
        compile_c(HARNESS / "runtime.c", folder / "runtime.o", "-ffreestanding"),
        compile_c(HARNESS / "main.c", folder / "main.o"),
        *libgcc(folder),
    ]
    objects += [compile_c(source, folder / f"{Path(source).stem}.o") for source in cost.sources()]
    run(
        "xtensa-lx106-elf-ld", "--no-relax", "--gc-sections", "-T", HARNESS / "link.ld", *objects,
        "-o", folder / "program.elf",
    )  # fmt: skip
    return folder / "program.elf"


def test_choosing_bits_chooses_the_same_number():
    text = "  %3 = select i1 %2, float 0x3FC1EB8520000000, float 0.000000e+00, !prof !4\n"
    assert choose_bits(text) == (
        f"  %bits.3 = select i1 %2, i32 {0x3E0F5C29}, i32 0\n  %3 = bitcast i32 %bits.3 to float, !prof !4\n"
    )
    kept = "  %3 = select i1 %2, float %1, float 0.000000e+00\n"
    assert choose_bits(kept) == kept


def test_same_bits_on_the_esp32s_instruction_set(program):
    try:
        device.build()
    except UserError as error:
        pytest.skip(str(error))
    samples = np.concatenate([signals.voice(40000, glide=1, wobble=2), signals.noise(9000, 400)])
    samples.tofile(program.parent / "sound.raw")
    printed = run(
        "qemu-system-xtensa", "-M", "sim", "-cpu", "de233_fpu", "-nographic", "-monitor", "none", "-serial",
        "none", "-semihosting", "-icount", "shift=7", "-device", f"loader,file={program},cpu-num=0",
        cwd=program.parent,
    ).splitlines()  # fmt: skip
    numbers = {name: int(value, 16) for name, value in map(str.split, printed[:5])}
    print(
        f"instructions per hop {numbers['total'] // numbers['hops']}, worst {numbers['worst']}, "
        f"finish {numbers['end']}; stack {numbers['stack']}"
    )
    assert numbers["stack"] <= 4096
    there = np.array([int(line, 16) for line in printed[5:]], np.uint32)
    here = device.extract(samples).view(np.uint32)
    assert [schema.COLUMNS[i] for i in np.flatnonzero(here != there)] == []
