"""The chips, and for each the compiler and the emulator that stand for it: compile, link, run, count.

ESP32: Debian's LLVM compiles for `esp32`, and QEMU's nearest core, de233_fpu, runs it; division and square root
are libgcc's own assembly. Not the compiler of Arduino's core: that one is not packaged. ESP32-C3 and ESP32-P4:
Debian's GCC for RISC-V and QEMU's `virt` machine. This computer is a target too: its answers are those that
the chips must give.
"""

import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from common.errors import UserError
from features import device

C = Path(__file__).resolve().parent / "c"
LX6 = C / "lx6"
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Werror")
LEVEL = "-O2"
_COMMON = (
    "-std=c99", "-ffp-contract=off", "-fno-math-errno", "-ffunction-sections", "-fdata-sections",
)  # fmt: skip


class MissingTool(UserError):
    """A program is not installed; the message says what to install."""


def run(command: Iterable, cwd: Path | None = None) -> str:
    """What a program printed. UserError with its first complaint."""
    command = [str(word) for word in command]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=cwd)
    if done.returncode:
        lines = done.stderr.splitlines() or [f"exit code {done.returncode}"]
        reason = next(
            (line for line in lines if re.search("error|overflowed|undefined", line)), lines[0]
        )
        raise UserError(f"{command[0]}: {reason.strip()}")
    return done.stdout


@dataclass(frozen=True)
class Target:
    """How code for one machine is made. `programs` are what is needed; `packages` where Debian has them."""

    name: str
    programs: tuple[str, ...]
    packages: str
    prefix: str  # of binutils

    def check(self) -> None:
        """MissingTool unless everything is installed."""
        for program in self.programs:
            if not shutil.which(program):
                raise MissingTool(f"{program}: not installed; apt-get install {self.packages}")

    def compile(self, sources: Iterable[Path], folder: Path, *flags: str) -> list[Path]:
        """Objects of C files, in `folder`."""
        raise NotImplementedError

    def link(self, objects: Iterable[Path], program: Path) -> Path:
        """A program that the emulator runs; it begins with main()."""
        raise NotImplementedError

    def emulate(self, program: Path, *more: str) -> str:
        """What the program printed, run in its folder. more: options of QEMU."""
        raise NotImplementedError

    def platform(self) -> list[Path]:
        """C files that give main.c its machine."""
        raise NotImplementedError

    def slow(self, program: Path) -> list[int]:
        """Addresses whose execution costs far more than an instruction."""
        return []

    def symbols(self, program: Path) -> dict[str, tuple[int, str]]:
        """Name -> (address, nm's letter for its kind)."""
        found = {}
        for line in run([f"{self.prefix}nm", program]).splitlines():
            address, letter, name = line.rsplit(maxsplit=2)
            found[name] = int(address, 16), letter
        return found

    def sections(
        self, objects: Iterable[Path], folder: Path, roots: Iterable[str]
    ) -> dict[str, int]:
        """Bytes of each section that the roots reach in these objects; without the C library."""
        joined = folder / "reached.o"
        wanted = [word for root in roots for word in ("-u", root)]
        run(
            [
                f"{self.prefix}ld",
                *self._emulation,
                "-r",
                "--gc-sections",
                *wanted,
                *objects,
                "-o",
                joined,
            ]
        )
        lines = run([f"{self.prefix}size", "-A", joined]).splitlines()
        rows = (line.split() for line in lines)
        return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[1].isdigit()}

    _emulation = ()


@dataclass(frozen=True)
class RiscV(Target):
    """GCC and picolibc; an instruction set and a calling convention."""

    march: str = ""
    mabi: str = ""
    _emulation = ("-m", "elf32lriscv")

    @property
    def machine(self):
        return (
            "--specs=picolibc.specs",
            f"-march={self.march}",
            f"-mabi={self.mabi}",
            "-mcmodel=medany",
        )

    def compile(self, sources, folder, *flags):
        made = []
        for source in sources:
            made.append(folder / f"{source.stem}.o")
            run(
                [
                    self.programs[0],
                    *self.machine,
                    LEVEL,
                    *_COMMON,
                    *flags,
                    "-c",
                    source,
                    "-o",
                    made[-1],
                ]
            )
        return made

    def link(self, objects, program):
        # memory beyond any chip's: what is too large is to be measured and refused, not to fail here
        run([
            self.programs[0], *self.machine, "--oslib=semihost", "--crt0=semihost", *objects, "-lm",
            "-Wl,--gc-sections,--defsym=__flash=0x80000000,--defsym=__flash_size=64M",
            "-Wl,--defsym=__ram=0x84000000,--defsym=__ram_size=32M,--defsym=__stack_size=64K",
            "-Wl,--defsym=stack_bottom=__heap_end,--defsym=stack_top=__stack", "-o", program,
        ])  # fmt: skip
        return program

    def emulate(self, program, *more):
        return run(
            [self.programs[-1], "-M", "virt", "-bios", "none", "-cpu", "rv32", "-display", "none", "-monitor",
             "none", "-serial", "none", "-chardev", "stdio,id=c0", "-semihosting-config",
             "enable=on,target=native,chardev=c0", "-kernel", program.name, *more], cwd=program.parent,
        )  # fmt: skip

    def platform(self):
        return [C / "riscv.c", C / "stack.c"]

    def slow(self, program):
        """Divisions and remainders of integers."""
        listing = run([f"{self.prefix}objdump", "-d", "--no-show-raw-insn", program])
        return [int(at, 16) for at in re.findall(r"^\s*([0-9a-f]+):\s+(?:div|rem)", listing, re.M)]


@dataclass(frozen=True)
class Xtensa(Target):
    """LLVM compiles, binutils for another Xtensa core links, libgcc's assembly divides."""

    gcc: Path = Path("/usr/src/gcc-12/gcc-12.2.0-dfsg.tar.xz")

    def check(self):
        super().check()
        if not self.gcc.exists():
            raise MissingTool(f"{self.gcc}: not there; apt-get install {self.packages}")

    def compile(self, sources, folder, *flags):
        return [self._compile(source, folder / f"{source.stem}.o", flags) for source in sources]

    def _compile(self, source, built, flags):
        """clang knows no esp32, and its assembler fails on literals: by way of llc and llvm-mc."""
        if source.suffix == ".S":
            return self._preprocess_and_assemble(source, built, *flags)
        middle, expanded = built.with_suffix(".ll"), built.with_suffix(".s")
        run([
            "clang-22", "--target=xtensa", LEVEL, *_COMMON, "-nostdlibinc", "-isystem", LX6 / "include", *flags,
            "-S", "-emit-llvm", source, "-o", middle,
        ])  # fmt: skip
        middle.write_text(choose_bits(middle.read_text()))
        # de233_fpu lacks the high half of a 32-bit product, which the ESP32 has
        run([
            "llc-22", "-mtriple=xtensa", "-mcpu=esp32", "-mattr=-mul32high", LEVEL, "-function-sections",
            "-data-sections", "-fp-contract=off", middle, "-o", expanded,
        ])  # fmt: skip
        return self._assemble(expanded, built)

    def _assemble(self, source, built):
        run(["llvm-mc-22", "-triple=xtensa", "-mcpu=esp32", "-filetype=obj", source, "-o", built])
        return built

    def _preprocess_and_assemble(self, source, built, *flags):
        expanded = built.with_suffix(".s")
        run([
            "clang-22", "--target=xtensa", "-E", "-x", "assembler-with-cpp", f"-I{LX6 / 'include'}", *flags,
            source, "-o", expanded,
        ])  # fmt: skip
        return self._assemble(expanded, built)

    def _libgcc(self, folder):
        """Division and square root from GCC's sources, as objects."""
        for name, text in libgcc_assembly(self.gcc).items():
            (folder / name).write_bytes(text)
        return [
            self._preprocess_and_assemble(
                folder / "lib1funcs.S", folder / f"{part}.o", f"-DL{part}"
            )
            for part in ("_divsf3", "_sqrtf")
        ]

    def link(self, objects, program):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            more = self.compile([LX6 / "start.S"], folder)
            more += self.compile([LX6 / "runtime.c"], folder, "-ffreestanding") + self._libgcc(
                folder
            )
            run([
                f"{self.prefix}ld", "--no-relax", "--gc-sections", "-T", LX6 / "link.ld", *more, *objects,
                "-o", program,
            ])  # fmt: skip
        return program

    def emulate(self, program, *more):
        return run(
            [self.programs[-1], "-M", "sim", "-cpu", "de233_fpu", "-nographic", "-monitor", "none", "-serial",
             "none", "-semihosting", "-device", f"loader,file={program.name},cpu-num=0", *more],
            cwd=program.parent,
        )  # fmt: skip

    def platform(self):
        return [LX6 / "platform.c", C / "stack.c"]

    def slow(self, program):
        """Divisions of floats: the chip's ROM does in software what is a short sequence here."""
        found = self.symbols(program).get("__divsf3")
        return [found[0]] if found else []


# Instruction selection fails ("Cannot select ... TargetConstantPool") where a float is one of two constants.
_CHOICE = re.compile(r"(%\S+) = select (i1 [^,]+), float (\S+), float ([^%\s]\S*)")


def choose_bits(text: str) -> str:
    """LLVM assembly with every choice between two float constants made between their bits."""

    def replace(found):
        name, condition, a, b = found.groups()
        if a.startswith("%"):
            return found[0]
        b, rest = re.match(r"([^,]+)(.*)", b).groups()
        chosen = f"%bits.{name.strip('%')}"
        return (
            f"{chosen} = select {condition}, i32 {_bits(a)}, i32 {_bits(b)}\n"
            f"  {name} = bitcast i32 {chosen} to float{rest}"
        )

    return _CHOICE.sub(replace, text)


def _bits(constant):
    """The bits of a float constant of LLVM's assembly, which writes it as a decimal or as a double's bits."""
    if constant.startswith("0x"):
        value = np.array(int(constant, 16), np.uint64).view(np.float64)
    else:
        value = float(constant)
    return int(np.float32(value).view(np.uint32))


@cache
def libgcc_assembly(archive: Path) -> dict[str, bytes]:
    """libgcc's sources for single precision on Xtensa, from GCC's."""
    wanted = {"lib1funcs.S", "ieee754-sf.S", "ieee754-df.S"}
    found = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            name = Path(member.name)
            if name.parent.name == "xtensa" and name.name in wanted:
                found[name.name] = opened.extractfile(member).read()
                if len(found) == len(wanted):
                    return found
    raise MissingTool(
        f"{archive}: no Xtensa assembly of libgcc in it; apt-get install gcc-12-source"
    )


@dataclass(frozen=True)
class Host(Target):
    """This computer."""

    def check(self):
        device.compiler()

    def compile(self, sources, folder, *flags):
        made = []
        for source in sources:
            made.append(folder / f"{source.stem}.o")
            run([*device.compiler(), LEVEL, *_COMMON, *flags, "-c", source, "-o", made[-1]])
        return made

    def link(self, objects, program):
        run([*device.compiler(), *objects, "-lm", "-o", program])
        return program

    def emulate(self, program, *more):
        return run([program], cwd=program.parent)

    def platform(self):
        return [C / "host.c"]


_RISCV = ("riscv64-unknown-elf-gcc", "qemu-system-riscv32")
_RISCV_PACKAGES = "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc"
HOST = Host("host", (), "gcc", "")
TARGETS = {
    target.name: target
    for target in (
        Xtensa(
            "esp32",
            ("clang-22", "llc-22", "llvm-mc-22", "xtensa-lx106-elf-ld", "qemu-system-xtensa"),
            "clang-22 llvm-22 binutils-xtensa-lx106 gcc-12-source qemu-system-misc",
            "xtensa-lx106-elf-",
        ),
        RiscV("esp32c3", _RISCV, _RISCV_PACKAGES, "riscv64-unknown-elf-", "rv32imc", "ilp32"),
        RiscV("esp32p4", _RISCV, _RISCV_PACKAGES, "riscv64-unknown-elf-", "rv32imafc", "ilp32f"),
    )
}
