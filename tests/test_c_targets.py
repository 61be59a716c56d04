"""The C code as C: clean under every compiler here, no heap, no double, small, sane under sanitizers, and
the same bits on the emulated chips. What a machine has no tool for is skipped, saying so."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import signals

from speech_emotion import native, resources
from speech_emotion.checks import cost
from speech_emotion.errors import UserError
from speech_emotion.features import device, schema
from speech_emotion.measure import firmware, toolchain

EMBEDDED = resources.EMBEDDED
SOURCES = sorted((EMBEDDED / "src").glob("ser_*.c"))
INCLUDE = f"-I{EMBEDDED / 'src'}"
WARNINGS = (
    "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wdouble-promotion", "-Wvla", "-Werror",
)  # fmt: skip
FIXED = native.EXACT
TARGETS = ("esp32p4", "esp32c3")


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here")


def chip(name):
    """An emulated chip whose tools are here."""
    try:
        toolchain.TARGETS[name].check()
    except UserError as error:
        pytest.skip(str(error))
    return toolchain.TARGETS[name]


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    "compiler",
    ["gcc -std=c99", "clang -std=c99", "g++ -std=c++17 -x c++", "clang++ -std=c++17 -x c++"],
)
def test_compiles_without_a_warning(compiler):
    command = compiler.split()
    need(command[0])
    run(*command, *WARNINGS, *FIXED, "-O1", "-fsyntax-only", INCLUDE, *SOURCES)


@pytest.mark.parametrize("group", schema.GROUPS)
def test_compiles_without_a_group_and_with_it_alone(group):
    need("gcc")
    others = [f"-DSER_WITH_{name.upper()}=0" for name in schema.GROUPS if name != group]
    for switches in ([f"-DSER_WITH_{group.upper()}=0"], others):
        run("gcc", "-std=c99", *WARNINGS, *switches, "-fsyntax-only", INCLUDE, *SOURCES)


def test_recogniser_refuses_a_model_of_another_schema(tmp_path):
    need("gcc")
    header = tmp_path / "ser_model.h"
    compile_it = ["gcc", "-std=c99", *WARNINGS, "-fsyntax-only", f"-I{tmp_path}", INCLUDE]
    header.write_text(f"#define SER_MODEL_SCHEMA_HASH 0x{schema.HASH}ULL\n#define SER_LABELS 7\n")
    run(*compile_it, EMBEDDED / "src" / "ser.c")
    header.write_text("#define SER_MODEL_SCHEMA_HASH 0x1234ULL\n#define SER_LABELS 7\n")
    refused = subprocess.run(
        [*compile_it, str(EMBEDDED / "src" / "ser.c")], capture_output=True, text=True
    )
    assert refused.returncode != 0
    assert "another feature schema" in refused.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_needs_no_heap_no_double_and_no_printing(target, tmp_path):
    """Everything the code asks of the C library, and nothing it keeps between calls."""
    made = chip(target).compile(SOURCES, tmp_path, INCLUDE)
    listing = run("riscv64-unknown-elf-nm", *made)
    defined = set(re.findall(r"^\S+ [A-Z] (\S+)$", listing, re.M))
    undefined = set(re.findall(r"^ +U (\S+)$", listing, re.M)) - defined
    allowed = {"memcpy", "memmove", "memset", "memcmp", "sqrtf"}
    allowed |= {"__ashldi3", "__ashrdi3", "__lshrdi3"}  # shifts of 64-bit integers
    if target == "esp32c3":  # single precision in software, 32 bits only
        allowed |= {f"__{name}sf{n}" for name in ("add", "sub", "mul", "div") for n in (2, 3)}
        allowed |= {f"__{name}sf2" for name in ("eq", "ne", "lt", "le", "gt", "ge", "unord")}
        allowed |= {"__fixsfsi", "__fixunssfsi", "__floatsisf", "__floatunsisf", "__negsf2"}
    assert undefined <= allowed, f"not allowed: {sorted(undefined - allowed)}"
    writable = re.findall(r"^\S+ [bBdDcCsS] (\S+)$", listing, re.M)
    assert writable == [], f"globals that can change: {writable}"


def test_a_core_that_compiles_with_ofast_gets_the_same_bits(tmp_path, monkeypatch):
    """-Ofast would let the compiler reorder sums; 419 columns then differ."""
    target, sound = chip("nrf52840"), signals.voice(8080)
    library = firmware.extractor_alone(tmp_path / "library")
    host = firmware.build(toolchain.HOST, library, tmp_path / "host")
    monkeypatch.setattr(toolchain, "FLAGS", ("-Ofast", "-std=c99", *toolchain.FLAGS[-2:]))
    built = firmware.build(target, library, tmp_path / "built")
    found, expected = (firmware.execute(each, [sound], count=False) for each in (built, host))
    assert found.answers == expected.answers


def test_nothing_is_fused_even_if_the_flag_is_forgotten(tmp_path):
    """An Arduino library cannot set compiler flags, and GCC fuses multiplication and addition by default."""
    target = chip("esp32p4")
    run(
        target.programs[0],
        *target.machine,
        "-O2",
        "-std=gnu99",
        INCLUDE,
        "-c",
        *SOURCES,
        cwd=tmp_path,
    )
    for built in sorted(tmp_path.glob("*.o")):
        code = run("riscv64-unknown-elf-objdump", "-d", built)
        assert not re.search(r"\sfn?m(add|sub)\.s", code), built.name


@pytest.mark.parametrize(
    ("without", "limit"),
    [
        ((), 73 * 1024),
        (("encoder",), 69 * 1024),  # the vector has room for all columns
        (cost.VOICE, 30 * 1024),
        ((*cost.VOICE, "encoder"), 26 * 1024),
    ],
)
def test_state_and_stack_fit(without, limit):
    chip("esp32p4")
    state, flash, stack, *_ = cost.row(without)
    print(f"state {state}, flash {flash}, stack {stack}")
    assert state <= limit
    assert stack <= 2560


def sound():
    return np.concatenate([signals.voice(40000, glide=1, wobble=2), signals.noise(9000, 400)])


@pytest.mark.parametrize("target", toolchain.TARGETS)
def test_same_bits_on_the_emulated_chip(target, tmp_path):
    library = firmware.extractor_alone(tmp_path / "library")
    built = firmware.build(chip(target), library, tmp_path / "built")
    there = firmware.execute(built, [sound()], count=False)
    assert there.stack <= 4096
    bits = np.array(there.answers[0].features, np.uint32)
    here = device.extract(sound()).view(np.uint32)
    assert [schema.COLUMNS[i] for i in np.flatnonzero(here != bits)] == []


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_same_bits_from_every_host_compiler(compiler, tmp_path, monkeypatch):
    need(compiler)
    samples = sound()
    here = device.extract(samples).view(np.uint32).tolist()
    code = (
        "import sys, numpy as np; sys.path[:0] = sys.argv[1:2]; from speech_emotion.features import device\n"
        "print(device.extract(np.fromfile(sys.argv[2], np.int16)).view(np.uint32).tolist())"
    )
    samples.tofile(tmp_path / "sound.raw")
    monkeypatch.setenv("CC", compiler)
    monkeypatch.setenv("SER_CACHE", str(tmp_path))
    there = run(sys.executable, "-c", code, EMBEDDED.parent, tmp_path / "sound.raw")
    assert there.strip() == str(here)


def test_vectors_and_loops_give_the_same_bits(tmp_path):
    """The device engine takes eight numbers at a time where the processor can (ser_vectors.h); built without
    that, loops stand in their place."""
    library = firmware.extractor_alone(tmp_path / "library")
    loops = firmware.build(toolchain.HOST, library, tmp_path / "loops")
    sounds = [each for each in signals.hostile().values() if len(each) > schema.FRAME]
    there = firmware.execute(loops, sounds, count=False)
    for samples, answer in zip(sounds, there.answers, strict=True):
        here = device.extract(samples).view(np.uint32)
        assert here.tolist() == list(answer.features)


def programs(count):
    """Sound programs for the fuzzer's harness, drawn from a fixed seed."""
    draw = np.random.default_rng(5)
    for _ in range(count):
        yield draw.integers(0, 256, 4 * draw.integers(1, 30), dtype=np.uint8).tobytes()


def test_sanitizers_find_nothing(tmp_path):
    need("gcc")
    program = tmp_path / "harness"
    built = subprocess.run(
        ["gcc", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DSER_FUZZ_MAIN",
         *FIXED, INCLUDE, str(EMBEDDED / "fuzz" / "fuzz_extractor.c"), *SOURCES, "-lm", "-o", str(program)],
        capture_output=True, text=True,
    )  # fmt: skip
    if "cannot find" in built.stderr and "san" in built.stderr:
        pytest.skip("this gcc has no sanitizer libraries")
    assert built.returncode == 0, built.stderr
    files = []
    for i, content in enumerate(programs(40)):
        files.append(tmp_path / f"{i}.sound")
        files[-1].write_bytes(content)
    run(program, *files)


def test_short_fuzzing_finds_nothing(tmp_path):
    """The first few hundred inputs of what embedded/fuzz runs for ten minutes."""
    need("clang")
    program, corpus = tmp_path / "fuzz", tmp_path / "corpus"
    corpus.mkdir()
    built = subprocess.run(
        ["clang", "-g", "-O1", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all",
         *FIXED, INCLUDE, str(EMBEDDED / "fuzz" / "fuzz_extractor.c"), *SOURCES, "-lm", "-o", str(program)],
        capture_output=True, text=True,
    )  # fmt: skip
    if built.returncode and "libclang_rt.fuzzer" in built.stderr:
        pytest.skip("this clang has no libFuzzer")
    assert built.returncode == 0, built.stderr
    for i, content in enumerate(programs(10)):
        (corpus / str(i)).write_bytes(content)
    run(program, "-runs=150", "-max_len=48", "-seed=1", corpus, cwd=tmp_path)


@pytest.fixture(scope="module", autouse=True)
def _compiler():
    try:
        device.build()
    except UserError as error:
        pytest.skip(str(error))
