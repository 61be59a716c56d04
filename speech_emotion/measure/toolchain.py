"""The chips, and for each the compiler and the emulator that stand for it: compile, link, run.

ESP32, and the ESP32-S3 with it: Debian's LLVM compiles for `esp32`, and QEMU's nearest core, de233_fpu,
runs it; division and square root are libgcc's own assembly. Not the compiler of Arduino's core: that one is
not packaged. ESP32-C3 and ESP32-P4: Debian's GCC for RISC-V and QEMU's `virt` machine. nRF52840, RP2040 and
RP2350: Debian's GCC for Arm and QEMU's MPS2 boards; the RP2040's code, of a Cortex-M0+, runs on a
Cortex-M3. This computer is a target too: its answers are those that the chips must give.
"""

import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import joblib
import numpy as np

from speech_emotion import native
from speech_emotion.errors import UserError
from speech_emotion.files import replacing

C = Path(__file__).resolve().parent / "c"
LX6 = C / "lx6"
FLAGS = ("-Os", "-std=c99", *native.EXACT, "-ffunction-sections", "-fdata-sections")
"""-Os, as Arduino's core and PlatformIO compile."""


class MissingTool(UserError):
    """A program is not installed; the message says what to install."""


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """`native.run` of the words."""
    return native.run(command, cwd=cwd)


def _made(key, make) -> dict[str, bytes]:
    """What is made in a folder, by the ending of its name."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        return {path.suffix: path.read_bytes() for path in sorted(Path(folder).iterdir())}


def _names_folder(word):
    return isinstance(word, Path) or word.startswith("-I")


@cache
def _kept(folder):
    """The cache of objects, without what nobody asked for in a month."""
    kept = joblib.Memory(folder, verbose=0)
    kept.reduce_size(bytes_limit="500M", age_limit=timedelta(days=30))
    return kept


_OURS = Path(__file__).read_text(encoding="utf-8")
"""What is done to a compiler's output here, as far as the cache is concerned."""


@dataclass(frozen=True)
class Target:
    """How code for one machine is made. programs: what is needed, compiler first, emulator last; packages:
    where Debian has them; prefix: of binutils."""

    name: str
    programs: tuple[str, ...]
    packages: str
    prefix: str

    def check(self) -> None:
        """MissingTool unless everything is installed."""
        for program in self.programs:
            if not shutil.which(program):
                raise MissingTool(f"{program}: not installed; apt-get install {self.packages}")

    def compile(self, sources: Iterable[Path], folder: Path, *flags: str) -> list[Path]:
        """Objects of C files, in `folder`."""
        return [self.compile_one(path, folder / f"{path.stem}.o", *flags) for path in sources]

    def compile_one(self, source: Path, built: Path, *flags: str) -> Path:
        """One object, and beside it what `frames` reads. What this compiler made of the same text before is
        taken from the cache: of two libraries for a chip most sources are the same."""
        text = run(*self.compiler, *flags, "-E", "-P", source)
        # folders do not matter: what is included is in the text
        words = [str(word) for word in (*self.compiler, *flags) if not _names_folder(word)]

        def make(folder):
            self.compile_anew(source, folder / built.name, *flags)

        key = words, self.versions(), _OURS, source.name, text
        with native.keeping("objects", native.cache_folder()):
            kept = _kept(native.cache_folder() / "objects").cache(_made, ignore=["make"])
            made = kept(key, make)
        for suffix, content in made.items():
            built.with_suffix(suffix).write_bytes(content)
        return built

    @property
    def compiler(self) -> tuple[str | Path, ...]:
        """The command that preprocesses a C file for this machine, and all of its flags."""
        raise NotImplementedError

    def compile_anew(self, source: Path, built: Path, *flags: str) -> None:
        """As `compile_one`, without a cache."""
        raise NotImplementedError

    def link(self, objects: Iterable[Path], program: Path) -> Path:
        """A program that the emulator runs; it begins with main()."""
        raise NotImplementedError

    def join(self, objects: Iterable[Path], joined: Path, roots: list[str]) -> None:
        """What the roots, options of ld, reach in objects that lack the C library."""
        raise NotImplementedError

    def emulate(self, program: Path, *more: str) -> str:
        """What the program printed, run in its folder. more: options of QEMU."""
        raise NotImplementedError

    def platform(self) -> list[Path]:
        """C files that give main.c its machine."""
        raise NotImplementedError

    def slow(self, program: Path) -> list[int]:
        """Addresses whose execution costs far more than an instruction (see chips.Chip)."""
        return []

    def floats(self, program: Path) -> list[int]:
        """Addresses of arithmetic on floats, where its time is known apart (chips.Chip.integers)."""
        return []

    def free(self, program: Path) -> list[int]:
        """Addresses whose execution counts nothing: they help to stand for one instruction of the chip's that
        the emulator's core lacks, which is counted where it begins."""
        return []

    def program_memory(self, symbols: dict[str, int]) -> tuple[int, int]:
        """Where a linked program's code and constants are, which a chip has in its flash: from, and up to."""
        raise NotImplementedError

    def frames(self, folder: Path) -> dict[str, tuple[int, set[str]]]:
        """Of what `compile` made in the folder: function -> (bytes of its stack frame, what it calls).
        A static function's name has its file's before it."""
        return {}

    def versions(self) -> dict[str, str]:
        """Compiler and emulator, and which they are."""
        return {name: native.version(name) for name in (self.programs[0], self.programs[-1])}

    def symbols(self, program: Path) -> dict[str, int]:
        """Address of each function. A static one's name has its file's before it."""
        found, file = {}, ""
        for line in run(f"{self.prefix}readelf", "-sW", program).splitlines():
            fields = line.split()
            if len(fields) == 8 and fields[3] == "FILE":
                file = f"{fields[7]}:"
            elif len(fields) == 8 and fields[6].isdigit() and fields[3] in ("FUNC", "NOTYPE"):
                name = (
                    fields[7] if fields[4] != "LOCAL" or fields[3] == "NOTYPE" else file + fields[7]
                )
                found[name] = int(fields[1], 16)
        return found

    def sections(
        self, objects: Iterable[Path], folder: Path, roots: Iterable[str]
    ) -> dict[str, int]:
        """Bytes of each section that the roots reach in these objects; without the C library."""
        joined = folder / "reached"
        self.join(objects, joined, [word for root in roots for word in ("-u", root)])
        rows = (line.split() for line in run(f"{self.prefix}size", "-A", joined).splitlines())
        return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[1].isdigit()}


_IN_RAM = 2 << 20
"""Where in a chip's memory the code and tables are that its start-up copies there (ser_in_ram.h): QEMU loads
them to that place. Memory before it holds variables and stack, as far as they go."""


@dataclass(frozen=True)
class Gnu(Target):
    """GCC and picolibc. flash, ram: where QEMU's machine has memory, and how much, beyond any chip's: what is
    too large is to be measured and refused, not to fail here."""

    flash: tuple[int, str] = (0, "")
    ram: tuple[int, str] = (0, "")
    emulation: str = ""  # of ld

    @property
    def machine(self) -> tuple[str, ...]:
        """The compiler's flags that say for what."""
        raise NotImplementedError

    @property
    def qemu(self) -> tuple[str, ...]:
        """QEMU's options that say on what."""
        raise NotImplementedError

    @property
    def compiler(self):
        return self.programs[0], *self.machine, *FLAGS

    def compile_anew(self, source, built, *flags):
        run(*self.compiler, "-fcallgraph-info=su", *flags, "-c", source, "-o", built)

    def link(self, objects, program):
        (flash, flash_size), (ram, ram_size) = self.flash, self.ram
        run(
            self.programs[0], *self.machine, "--oslib=semihost", "--crt0=semihost", *objects, "-lm",
            f"-Wl,--gc-sections,--defsym=__flash={flash:#x},--defsym=__flash_size={flash_size}",
            f"-Wl,--defsym=__ram={ram:#x},--defsym=__ram_size={ram_size},--defsym=__stack_size=64K",
            "-T", C / "in_ram.ld", f"-Wl,--defsym=__in_ram={ram + _IN_RAM:#x}",
            "-Wl,--defsym=stack_bottom=__heap_end,--defsym=stack_top=__stack", "-o", program,
        )  # fmt: skip
        return program

    def join(self, objects, joined, roots):
        # a whole link, as only that shortens calls
        flags = (
            "-m",
            self.emulation,
            "--gc-sections",
            "--unresolved-symbols=ignore-all",
            "-e",
            roots[1],
        )
        run(f"{self.prefix}ld", *flags, *roots, *objects, "-o", joined)

    def emulate(self, program, *more):
        return run(
            self.programs[-1], *self.qemu, "-display", "none", "-monitor", "none", "-serial", "none",
            "-chardev", "stdio,id=c0", "-semihosting-config", "enable=on,target=native,chardev=c0",
            "-kernel", program.name, *more, cwd=program.parent,
        )  # fmt: skip

    def platform(self):
        return [C / "semihost.c", C / "stack.c"]

    def program_memory(self, symbols):
        start, size = self.flash
        return start, start + (int(size.removesuffix("M")) << 20)

    def _executing(self, program, instructions):
        """Addresses of the instructions whose names match."""
        listing = run(f"{self.prefix}objdump", "-d", "--no-show-raw-insn", program)
        return [
            int(at, 16)
            for at in re.findall(rf"^\s*([0-9a-f]+):\s+(?:{instructions})", listing, re.M)
        ]

    def frames(self, folder):
        found: dict[str, tuple[int, set[str]]] = {}
        for path in sorted(folder.glob("*.ci")):
            text = path.read_text()
            for title, size in re.findall(r'node: \{ title: "([^"]+)".*?(\d+) bytes \(', text):
                found[_short(title)] = int(size), set()
            for caller, callee in re.findall(r'sourcename: "([^"]+)" targetname: "([^"]+)"', text):
                found[_short(caller)][1].add(_short(callee))
        return found


def _short(title):
    """ser_fft.c:run of a path with folders."""
    return title.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class RiscV(Gnu):
    """For an instruction set and a calling convention."""

    flash: tuple[int, str] = (0x80000000, "64M")
    ram: tuple[int, str] = (0x84000000, "32M")
    emulation: str = "elf32lriscv"
    march: str = ""
    mabi: str = ""

    @property
    def machine(self):
        return (
            "--specs=picolibc.specs", f"-march={self.march}", f"-mabi={self.mabi}", "-mcmodel=medany",
            "-msmall-data-limit=0",  # or small constants would pass for variables
            "-DESP_PLATFORM",
        )  # fmt: skip

    @property
    def qemu(self):
        return "-M", "virt", "-bios", "none", "-cpu", "rv32"

    def slow(self, program):
        """Divisions and remainders of integers."""
        return self._executing(program, "div|rem")


@dataclass(frozen=True)
class Arm(Gnu):
    """For a core of the Cortex-M family, on one of Arm's MPS2 boards."""

    flash: tuple[int, str] = (0, "4M")
    ram: tuple[int, str] = (0x20000000, "4M")
    emulation: str = "armelf"
    core: tuple[str, ...] = ()  # of the compiler
    board: str = ""

    @property
    def machine(self):
        # emlearn asks whether an enum is negative, which on Arm has no sign
        return "--specs=picolibc.specs", "-mthumb", "-Wno-type-limits", *self.core

    @property
    def qemu(self):
        return "-M", self.board

    def symbols(self, program):
        """The lowest bit says that a function is Thumb code, as all of them are."""
        return {name: at & ~1 for name, at in super().symbols(program).items()}

    def slow(self, program):
        """Divisions and roots of floats, and divisions of integers."""
        return self._executing(program, "vdiv|vsqrt|[us]div")


@dataclass(frozen=True)
class Xtensa(Target):
    """LLVM compiles, binutils for another Xtensa core links, libgcc's assembly divides."""

    gcc: Path = Path("/usr/src/gcc-12/gcc-12.2.0-dfsg.tar.xz")

    def check(self):
        super().check()
        if not self.gcc.exists():
            raise MissingTool(f"{self.gcc}: not there; apt-get install {self.packages}")

    @property
    def compiler(self):
        """Without frame pointers, as GCC compiles."""
        return (
            "clang-22", "--target=xtensa", *FLAGS, "-fomit-frame-pointer", "-nostdlibinc", "-isystem",
            LX6 / "include", "-DESP_PLATFORM",
        )  # fmt: skip

    def compile_anew(self, source, built, *flags):
        """clang knows no esp32, and its assembler fails on literals: by way of llc and llvm-mc."""
        middle, expanded = built.with_suffix(".ll"), built.with_suffix(".s")
        run(*self.compiler, *flags, "-S", "-emit-llvm", source, "-o", middle)
        middle.write_text(choose_bits(middle.read_text()))
        run(
            "llc-22", "-mtriple=xtensa", "-mcpu=esp32", "-O2", "-function-sections", "-data-sections",
            "-fp-contract=off", middle, "-o", expanded,
        )  # fmt: skip
        expanded.write_text(high_products(own_literals(expanded.read_text())))
        middle.unlink()
        self._assemble(expanded, built)

    def _assemble(self, source, built):
        run("llvm-mc-22", "-triple=xtensa", "-mcpu=esp32", "-filetype=obj", source, "-o", built)
        return built

    def _preprocess_and_assemble(self, source, built, *flags):
        expanded = built.with_suffix(".s")
        run(
            "clang-22", "--target=xtensa", "-E", "-x", "assembler-with-cpp", f"-I{LX6 / 'include'}", *flags,
            source, "-o", expanded,
        )  # fmt: skip
        expanded.write_text(spell_out(expanded.read_text()))
        while True:
            try:
                return self._assemble(expanded, built)
            except UserError as error:
                found = re.search(r":(\d+):\d+: error: fixup value out of range", str(error))
                if found is None:
                    raise
                lines = expanded.read_text().splitlines()
                lines[int(found[1]) - 1] = lengthen(lines[int(found[1]) - 1])
                expanded.write_text("\n".join(lines) + "\n")

    def link(self, objects, program):
        with tempfile.TemporaryDirectory() as folder:
            folder, libgcc = Path(folder), libgcc_assembly(self.gcc) / "lib1funcs.S"
            more = [
                self._preprocess_and_assemble(LX6 / "start.S", folder / "start.o"),
                self.compile_one(LX6 / "runtime.c", folder / "runtime.o", "-ffreestanding"),
            ]
            for part in _LIBGCC:
                more.append(
                    self._preprocess_and_assemble(libgcc, folder / f"{part}.o", f"-DL{part}")
                )
            run(
                f"{self.prefix}ld", "--no-relax", "--gc-sections", "-T", LX6 / "link.ld", *more, *objects,
                "-o", program,
            )  # fmt: skip
        return program

    def join(self, objects, joined, roots):
        run(f"{self.prefix}ld", "-r", "--gc-sections", *roots, *objects, "-o", joined)

    def emulate(self, program, *more):
        return run(
            self.programs[-1], "-M", "sim", "-cpu", "de233_fpu", "-nographic", "-monitor", "none", "-serial",
            "none", "-semihosting", "-device", f"loader,file={program.name},cpu-num=0", *more,
            cwd=program.parent,
        )  # fmt: skip

    def platform(self):
        return [LX6 / "platform.c", C / "stack.c"]

    def program_memory(self, symbols):
        """As link.ld marks them."""
        return symbols["flash_start"], symbols["flash_end"]

    def symbols(self, program):
        """Without the marks of `high_products`."""
        found = super().symbols(program)
        return {name: at for name, at in found.items() if not _MARK.search(name)}

    def free(self, program):
        return [at for _, begin, end in self._high_products(program) for at in range(begin, end)]

    def sections(self, objects, folder, roots):
        found = super().sections(objects, folder, roots)
        joined = folder / "reached"
        listing = run(f"{self.prefix}readelf", "-SW", joined)
        names = dict(re.findall(r"^\s*\[\s*(\d+)\] (\.\S+)", listing, re.M))
        for section, begin, end in self._high_products(joined):
            found[names[section]] -= end - begin
        return found

    def _high_products(self, program):
        """(number of its section, address, end) of each stretch that stands for an instruction."""
        ends: dict[tuple[str, ...], list[int]] = {}
        file = ""
        for line in run(f"{self.prefix}readelf", "-sW", program).splitlines():
            fields = line.split()
            if len(fields) == 8 and fields[3] == "FILE":
                file = fields[7]
            elif len(fields) == 8 and (mark := _MARK.search(fields[7])):
                key = fields[6], file, mark[2]
                ends.setdefault(key, [0, 0])[mark[1] == "end"] = int(fields[1], 16)
        return [(section, begin, end) for (section, *_), (begin, end) in ends.items()]

    def slow(self, program):
        """Divisions of floats: software in the chip's ROM, a short sequence of instructions here."""
        found = self.symbols(program).get("__divsf3")
        return [] if found is None else [found]

    def floats(self, program):
        """What the floating-point unit computes, converts and compares, and the divisions."""
        listing = run("llvm-objdump-22", "-d", "--no-show-raw-insn", "--mcpu=esp32", program)
        found = re.findall(r"^\s*([0-9a-f]+):\s+[a-z0-9]+\.s\s", listing, re.M)
        return [*(int(at, 16) for at in found), *self.slow(program)]

    def frames(self, folder):
        found = {}
        for path in sorted(folder.glob("*.s")):
            text = path.read_text()
            public = set(re.findall(r"^\t\.globa?l\s+(\w+)", text, re.M))
            own = set(re.findall(r"^([A-Za-z_]\w*):", text, re.M)) - public

            def name(function, path=path, own=own):
                return f"{path.stem}.c:{function}" if function in own else function

            # a function's literals, among them the addresses it calls, stand before it
            callees = set()
            for literal, function, frame in re.findall(
                r"^\t\.literal\s+\S+, ([A-Za-z_]\w*)$|^([A-Za-z_]\w*):|^\tentry\ta1, (\d+)",
                text,
                re.M,
            ):
                if literal:
                    callees.add(name(literal))
                elif function:
                    latest = name(function)
                else:
                    found[latest] = int(frame), callees
                    callees = set()
        return found


_LIBGCC = ("_divsf3", "_sqrtf", "_cmpdf2", "_addsubdf3", "_muldf3", "_extendsfdf2")
"""What programs may need; of doubles for codegen.compare alone."""


# Instruction selection fails ("Cannot select ... TargetConstantPool") where a float is one of two constants.
_CHOICE = re.compile(r"(%\S+) = select (i1 [^,]+), float (\S+), float ([^%\s]\S*)")


def choose_bits(text: str) -> str:
    """LLVM assembly with every choice between two float constants made between their bits."""

    def replace(found):
        name, condition, a, b = found.groups()
        if a.startswith("%"):
            return found[0]
        b, comma, rest = b.partition(",")
        chosen = f"%bits.{name.strip('%')}"
        return (
            f"{chosen} = select {condition}, i32 {_bits(a)}, i32 {_bits(b)}\n"
            f"  {name} = bitcast i32 {chosen} to float{comma}{rest}"
        )

    return _CHOICE.sub(replace, text)


_LITERALS = re.compile(r"((?:^\t\.literal.*\n)+)((?:^\t\.(?:text|section).*\n)+)", re.M)


def own_literals(text: str) -> str:
    """Xtensa assembly in which a function's literals stand within its section. LLVM writes them before, so
    that they would be the function's before it: too far away, where that one is elsewhere in memory."""
    return _LITERALS.sub(r"\2\1", text)


_HIGH = re.compile(r"\tmul([su])h\t(a\d+), (a\d+), (a\d+)")
_MARK = re.compile(r"ser_high_(begin|end)_(\d+)")
_SAVED = ("excsave2", "excsave3", "excsave4", "excsave5", "excsave6", "epc2")


def high_products(text: str) -> str:
    """Xtensa assembly without the high half of a 32-bit product, which the ESP32 has and de233_fpu lacks.

    A jump of the same length stands in its place, to where it is put together from 16-bit products at the end
    of the section, and back. The jump counts as the one instruction that it is on the chip; what lies between
    the marks counts nothing (see Target.free)."""
    lines, bodies, count = [], [], 0
    for line in text.splitlines():
        if found := _HIGH.fullmatch(line):
            count += 1
            lines += [f"\tj\t.Lser_high_{count}", f".Lser_back_{count}:"]
            bodies += [
                f".Lser_high_{count}:", f"ser_high_begin_{count}:", *_high_product(*found.groups()),
                f"\tj\t.Lser_back_{count}", f"ser_high_end_{count}:",
            ]  # fmt: skip
            continue
        if re.match(r"\s*\.(section|text|data|bss)\b", line):
            lines += bodies
            bodies = []
        lines.append(line)
    return "\n".join([*lines, *bodies]) + "\n"


def _high_product(sign: str, to: str, a: str, b: str) -> list[str]:
    """to = the high half of a b, s(igned) or u(nsigned). The registers that it takes are kept in special ones
    that nothing else uses."""
    al, ah, bl, bh, p = [r for r in (f"a{i}" for i in range(2, 16)) if r not in (to, a, b)][:5]
    kept = tuple(zip((al, ah, bl, bh, p), _SAVED, strict=False))
    lines = [f"wsr {r}, {s}" for r, s in kept]
    lines += [
        f"extui {al}, {a}, 0, 16", f"extui {ah}, {a}, 16, 16",
        f"extui {bl}, {b}, 0, 16", f"extui {bh}, {b}, 16, 16",
        f"mull {p}, {al}, {bl}", f"extui {p}, {p}, 16, 16",
        f"mull {bl}, {ah}, {bl}", f"add {bl}, {bl}, {p}",
        f"mull {al}, {al}, {bh}", f"extui {p}, {bl}, 0, 16", f"add {al}, {al}, {p}",
        f"mull {ah}, {ah}, {bh}", f"extui {bl}, {bl}, 16, 16", f"add {ah}, {ah}, {bl}",
        f"extui {al}, {al}, 16, 16", f"add {ah}, {ah}, {al}",
    ]  # fmt: skip
    if sign == "s":
        for x, y in ((a, b), (b, a)):
            lines += [f"srai {al}, {x}, 31", f"and {al}, {al}, {y}", f"sub {ah}, {ah}, {al}"]
    lines += [
        f"wsr {ah}, {_SAVED[5]}",
        *(f"rsr {r}, {s}" for r, s in kept),
        f"rsr {to}, {_SAVED[5]}",
    ]
    return [f"\t{line}" for line in lines]


def spell_out(text: str) -> str:
    """Xtensa assembly without two shorthands that GNU's assembler knows and LLVM's does not."""
    text = re.sub(r"\b(bb[cs]i)\.l\b", r"\1", text)

    def extract(found):
        to, source, shift = found.groups()
        return found[0] if int(shift) < 16 else f"extui {to}, {source}, {shift}, {32 - int(shift)}"

    return re.sub(r"\bsrli\s+(a\d+), (a\d+), (\d+)\b(?!\s*-)", extract, text)


_OPPOSITE = {"bltu": "bgeu", "blt": "bge", "beq": "bne"}


def lengthen(line: str) -> str:
    """A branch whose target is too far away, as GNU's assembler makes it: the opposite one over a jump."""
    branch, rest = line.split(None, 1)
    operands, target = rest.rsplit(",", 1)
    return f"{_OPPOSITE[branch]} {operands}, 9999f; j {target}; 9999:"


def _bits(constant):
    """The bits of a float constant of LLVM's assembly, which writes it as a decimal or as a double's bits."""
    if constant.startswith("0x"):
        value = np.array(int(constant, 16), np.uint64).view(np.float64)
    else:
        value = float(constant)
    return int(np.float32(value).view(np.uint32))


def libgcc_assembly(archive: Path) -> Path:
    """The folder of libgcc's sources for single precision on Xtensa, from GCC's; unpacked once, into the
    cache."""
    folder = native.cache_folder() / f"libgcc-{archive.stat().st_size:x}"
    left = {"lib1funcs.S", "ieee754-sf.S", "ieee754-df.S"}
    if all((folder / name).exists() for name in left):
        return folder
    with tarfile.open(archive) as opened:
        for member in opened:
            name = Path(member.name)
            if name.parent.name == "xtensa" and name.name in left:
                source = opened.extractfile(member)
                if source is None:
                    continue  # a link or a folder of that name
                with replacing(folder / name.name, "wb") as file:
                    file.write(source.read())
                left.remove(name.name)
                if not left:
                    return folder
    raise MissingTool(
        f"{archive}: no Xtensa assembly of libgcc in it; apt-get install gcc-12-source"
    )


@dataclass(frozen=True)
class Host(Target):
    """This computer."""

    def check(self):
        native.compiler()

    @property
    def compiler(self):
        return *native.compiler(), *FLAGS

    def compile_anew(self, source, built, *flags):
        run(*self.compiler, *flags, "-c", source, "-o", built)

    def versions(self):
        return {name: native.version(name) for name in native.compiler()[:1]}

    def link(self, objects, program):
        run(*native.compiler(), *objects, "-lm", "-o", program)
        return program

    def emulate(self, program, *more):
        return run(program, cwd=program.parent)

    def platform(self):
        return [C / "host.c"]


_RISCV = ("riscv64-unknown-elf-gcc", "qemu-system-riscv32")
_RISCV_PACKAGES = "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc"
_RISCV_TOOLS = (_RISCV, _RISCV_PACKAGES, "riscv64-unknown-elf-")
_ARM_TOOLS = (
    ("arm-none-eabi-gcc", "qemu-system-arm"),
    "gcc-arm-none-eabi picolibc-arm-none-eabi qemu-system-arm",
    "arm-none-eabi-",
)
_XTENSA_TOOLS = (
    ("clang-22", "llc-22", "llvm-mc-22", "xtensa-lx106-elf-ld", "qemu-system-xtensa"),
    "clang-22 llvm-22 binutils-xtensa-lx106 gcc-12-source qemu-system-misc",
    "xtensa-lx106-elf-",
)
HOST = Host("host", (), "gcc", "")
ESP32P4 = RiscV("esp32p4", *_RISCV_TOOLS, march="rv32imafc", mabi="ilp32f")
TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Xtensa("esp32", *_XTENSA_TOOLS),
        Xtensa("esp32s3", *_XTENSA_TOOLS),
        RiscV("esp32c3", *_RISCV_TOOLS, march="rv32imc", mabi="ilp32"),
        ESP32P4,
        Arm(
            "nrf52840", *_ARM_TOOLS, board="mps2-an386",
            core=("-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard", "-DARDUINO_ARCH_NRF52840"),
        ),
        # no Cortex-M0+ is emulated, and the M0 that is has 16 KB: a Cortex-M3 runs its instructions, too
        Arm(
            "rp2040", *_ARM_TOOLS, board="mps2-an385",
            core=("-mcpu=cortex-m0plus", "-mfloat-abi=soft", "-DARDUINO_ARCH_RP2040"),
        ),
        Arm(
            "rp2350", *_ARM_TOOLS, board="mps2-an505", flash=(0x10000000, "4M"), ram=(0x38000000, "4M"),
            core=("-mcpu=cortex-m33", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard", "-DARDUINO_ARCH_RP2040"),
        ),
    )
}  # fmt: skip

SAME = {"esp32s3": "esp32"}
"""Targets whose code, and so whose counts, are another's."""
