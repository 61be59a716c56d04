"""`python -m measure`: exact counts, equal answers, honest estimates, a verdict. What a machine lacks of the
chips' tools is skipped, saying so."""

import json
import re
import shutil
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import codegen_models
import numpy as np
import pytest
import soundfile
from codegen_models import COLUMNS

from speech_emotion import cli, native, resources
from speech_emotion.codegen import library, pipeline, source
from speech_emotion.commands import measure as command
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.features import device, schema
from speech_emotion.measure import baseline, chips, clips, emulated, firmware, report, toolchain
from speech_emotion.measure.chips import Range
from speech_emotion.model import compiled
from speech_emotion.model.estimators import Int8Network

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")

TARGETS = [name for name in toolchain.TARGETS if name not in toolchain.SAME]
KINDS = ("int8 network", "float network, 2 layers", "forest", "extra trees")
TRIPLE = {"lower", "nominal", "upper"}


def chip(name):
    """An emulated chip whose tools are here."""
    try:
        device.build()
        toolchain.TARGETS[name].check()
    except UserError as error:
        pytest.skip(str(error))
    return toolchain.TARGETS[name]


@pytest.fixture(scope="module")
def voices():
    return codegen_models.voices(80)


def emit(model, folder, **how):
    """The library of a fitted pipeline, as codegen writes it."""
    info = {"labels": model.classes_.tolist(), "columns": COLUMNS, "engine": "device", "name": "x"}
    plan = pipeline.plan(model, info)
    written = source.write(plan, name="x", **how)
    files = library.contents(plan, written, name="Voice", sizes="", facts=info)
    library.write({k: v for k, v in files.items() if k.startswith("src/")}, folder)
    return folder


@pytest.fixture(scope="module")
def libraries(voices, tmp_path_factory):
    folder = tmp_path_factory.mktemp("libraries")
    return {
        kind: emit(codegen_models.KINDS[kind]().fit(*voices), folder / kind.replace(" ", "_"))
        for kind in KINDS
    }


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Half a second of voice, as a file."""
    path = tmp_path_factory.mktemp("sound") / "voice.wav"
    soundfile.write(path, clips.synthetic_voice()[8000:16080], schema.SAMPLE_RATE)
    return path


def measure(monkeypatch, *arguments):
    """The command in this process: its exit code."""
    monkeypatch.setattr(sys, "argv", ["measure", *map(str, arguments)])
    with pytest.raises(SystemExit) as leaving:
        cli.run(command.main)
    return leaving.value.code


# --- chips and toolchains ----------------------------------------------------------------------


def test_choosing_bits_chooses_the_same_number():
    text = "  %3 = select i1 %2, float 0x3FC1EB8520000000, float 0.000000e+00, !prof !4\n"
    assert toolchain.choose_bits(text) == (
        f"  %bits.3 = select i1 %2, i32 {0x3E0F5C29}, i32 0\n  %3 = bitcast i32 %bits.3 to float, !prof !4\n"
    )
    kept = "  %3 = select i1 %2, float %1, float 0.000000e+00\n"
    assert toolchain.choose_bits(kept) == kept


def test_shorthands_of_gnus_assembler_are_spelt_out():
    text = "\tbbci.l\ta10, 0, 1f; srli a3, a3, 20\n\tsrli a4, a5, 21 - 12"
    assert toolchain.spell_out(text) == (
        "\tbbci\ta10, 0, 1f; extui a3, a3, 20, 12\n\tsrli a4, a5, 21 - 12"
    )
    far = toolchain.lengthen("\tbltu\ta3, a5, .Lfar")
    assert " ".join(far.split()) == "bgeu a3, a5, 9999f; j .Lfar; 9999:"


@pytest.fixture(scope="module")
def firmwares(libraries, tmp_path_factory):
    """Firmware of a chip with one of the libraries; the extractor, the same in all, is compiled once."""
    whole = {}

    def build(name, folder):
        target = toolchain.HOST if name == "host" else chip(name)
        if name not in whole:
            first = tmp_path_factory.mktemp(name)
            whole[name] = firmware.build(target, libraries[KINDS[0]], first)
        kept = whole[name].program.parent
        own = ("ser", "ser_model")  # the model, and who asks it
        objects = [p for p in kept.glob("*.o") if p.stem not in own]
        config = "src/ser_config.h"
        assert (folder / config).read_bytes() == (libraries[KINDS[0]] / config).read_bytes()
        mine = tmp_path_factory.mktemp(f"{name}-{folder.name}")
        flags = [f"-I{folder / 'src'}", *(native.WARNINGS if name != "host" else ())]
        model = target.compile([folder / "src" / f"{name}.c" for name in own], mine, *flags)
        program = target.link([*objects, *model], mine / "program.elf")
        return replace(whole[name], program=program)

    return build


@pytest.fixture(scope="module")
def expected(libraries, firmwares, sound):
    """This computer's answers, by kind of model."""
    samples = clips.choose([sound], None).sounds.values()
    return {
        kind: firmware.execute(firmwares("host", folder), samples, count=False).answers
        for kind, folder in libraries.items()
    }


@pytest.mark.parametrize("name", TARGETS)
def test_every_kind_of_model_compiles_without_a_warning_and_answers_the_same(
    name, libraries, firmwares, expected, sound
):
    chosen = clips.choose([sound], None)
    for kind, folder in libraries.items():
        run = firmware.execute(firmwares(name, folder), chosen.sounds.values(), count=False)
        emulated.check(name, chosen, run.answers, expected[kind])
        assert len(set(run.answers[0].probabilities)) > 1, kind


def test_two_runs_count_the_same(libraries, firmwares, sound):
    built = firmwares("esp32p4", libraries["int8 network"])
    samples = [*clips.choose([sound], None).sounds.values()] * 2
    first, second = (firmware.execute(built, samples) for _ in range(2))
    assert first == second
    assert (
        first.regions[0] == first.regions[1]
    )  # the second clip starts from nothing, as the first did
    for kind, found in first.functions.items():
        regions = [r.instructions for clip in first.regions for r in clip if r.kind == kind]
        # the call itself, in main.c, is in no function's sum
        assert 0 <= sum(regions) - sum(found.values()) <= 8 * len(regions), kind


def test_a_hop_computes_floats_only_where_voiced_stretches_join_and_an_answer_does(
    libraries, firmwares
):
    samples = [clips.synthetic_voice()]
    run = firmware.execute(firmwares("esp32", libraries["int8 network"]), samples)
    pushes = [region for region in run.regions[0] if region.kind == "push"]
    joins = [region for region in pushes if region.floats]
    assert 0 < len(joins) < 0.1 * len(pushes)
    assert all(region.floats < chips.FEW_FLOATS * region.instructions for region in joins)
    assert run.regions[0][-1].kind == "finish" and run.regions[0][-1].floats > 5000


def test_counts_are_those_of_a_known_loop(libraries, firmwares, sound, tmp_path):
    samples = clips.choose([sound], None).sounds.values()
    ends = []
    for turns in (3000, 5000):
        folder = spoilt(libraries["int8 network"], tmp_path / str(turns), turns)
        ends.append(firmware.execute(firmwares("esp32p4", folder), samples).regions[0][-1])
    # load, add, store of the volatile counter; load, compare and branch; one more or less by another compiler
    turn, rest = divmod(ends[1].instructions - ends[0].instructions, 2000)
    assert rest == 0 and 5 <= turn <= 7


def spoilt(original, folder, turns):
    """A library whose model takes its time."""
    shutil.copytree(original, folder)
    path = folder / "src" / "ser_model.c"
    asked = "void ser_model_predict_in(const float *features, int16_t *room, float *probabilities)"
    text = path.read_text()
    assert asked in text
    path.write_text(
        text.replace(
            asked, asked.replace("void ser_model_predict_in", "static void quick")
        ).replace("ser_model_predict_in(features,", "quick(features,")
        + f"\n{asked}\n{{\n"
        f"    for (volatile long i = 0; i < {turns}L; i++) {{\n    }}\n"
        "    quick(features, room, probabilities);\n}\n"
    )
    return folder


@pytest.mark.parametrize("name", ["rp2040", "nrf52840", "esp32", "esp32c3"])
def test_what_a_hop_runs_and_reads_waits_for_no_flash_once_it_is_in_ram(name, voices, tmp_path):
    target, cache = chip(name), chips.CHIPS[name].cache
    by_itself = name in ("rp2040", "nrf52840")
    model = codegen_models.KINDS["int8 network"]().fit(*voices)
    found = {}
    for hot in (0, 1):
        folder = emit(model, tmp_path / f"library_{hot}", hot_in_ram=bool(hot))
        if by_itself and not hot:
            config = folder / "src" / "ser_config.h"
            guard = "#define SER_CONFIG_H"
            config.write_text(
                config.read_text().replace(guard, f"{guard}\n#define SER_HOT_IN_RAM 0")
            )
        built = firmware.build(target, folder, tmp_path / f"built_{hot}")
        run = firmware.execute(built, [clips.synthetic_voice()[8000:16080]], cache=cache)
        pushes = [region for region in run.regions[0] if region.kind == "push"]
        found[hot] = built, run.answers, sum(region.misses for region in pushes) / len(pushes)
    (flash, answer, waits), (ram, same, few) = found[0], found[1]
    assert same == answer
    assert flash.copied == 0 and 15_000 < ram.copied == ram.ram < 110_000
    assert waits > 500
    # what is left: code that no hop needs every time; on an nRF52840 all code
    assert few < (0.5 if name == "nrf52840" else 0.1) * waits


LAYERS = r"""
#include "platform.h"
#include "ser.h"
#include "ser_math.h"

int main(void)
{
    static float features[SER_FEATURES], probabilities[SER_LABELS];
    static SER_WORDS int16_t room[SER_MODEL_ROOM + 1];
    uint32_t drawn = 1;
    for (int row = 0; row < 24; row++) {
        for (int i = 0; i < SER_FEATURES; i++) {
            drawn = drawn * 1664525U + 1013904223U;
            const float any = (float)((int32_t)(drawn >> 8) - 8388608);
            /* at their ends, all alike or not, or anywhere between */
            features[i] = row < 2 ? 3.0f : row < 4 ? -3.0f : any / (row < 14 ? 1e5f : 4e6f);
        }
        ser_model_predict_in(features, room + row % 2, probabilities);
        for (int i = 0; i < SER_LABELS; i++) {
            print_float(probabilities[i]);
        }
    }
    return 0;
}
"""


@pytest.mark.parametrize(
    "target, more",
    [("esp32", ()), ("esp32", ("-DSER_WITHOUT_MAC16",)), ("nrf52840", ()), ("rp2040", ())],
)
@pytest.mark.parametrize("columns, deaf", [(1, None), (37, (16, 34)), (288, (0, 286))])
def test_the_largest_sums_of_an_int8_layer_are_the_same_on_a_chip(
    target, more, columns, deaf, voices, tmp_path
):
    """Those of weights and inputs at their ends, of any number of inputs, in room that begins at a whole word
    or not: an ESP32 adds up in 40 bits, by words, and other chips otherwise."""
    vectors, emotions = voices
    vectors, taken = vectors[:, :columns], COLUMNS[:columns]
    model = codegen_models.network(Int8Network, 20, 12).fit(vectors, emotions)
    random = np.random.default_rng(columns)
    scaler, (first, second, _) = model[0], model[-1].weights8_
    scaler.mean_[:], scaler.inverse_[:] = 0, 1
    first[:] = random.choice([-127, -1, 0, 1, 127], first.shape)
    first[:, :4] = [127, 127, -127, -127]
    second[:] = random.integers(-127, 128, second.shape)
    if deaf:
        first[slice(*deaf), 8:16] = 0
    # so that sums are told apart by what comes of them
    model[-1].factors_[0][:] = 1 / np.abs(first.astype(int)).sum(axis=0).clip(1) / 4095
    model[-1].factors_[1][:] = 1e-5
    info = {"labels": model.classes_.tolist(), "columns": taken, "engine": "device", "name": "x"}
    plan = pipeline.plan(model, info)
    files = library.contents(plan, source.write(plan, name="x"), name="Voice", sizes="", facts=info)
    library.write({k: v for k, v in files.items() if k.startswith("src/")}, tmp_path)
    main = tmp_path / "main.c"
    main.write_text(LAYERS)

    def answers(machine, *more):
        folder = tmp_path / machine.name
        folder.mkdir()
        flags = (f"-I{tmp_path / 'src'}", f"-I{toolchain.C}", *more)
        sources = [main, *machine.platform(), *compiled.sources(tmp_path)]
        objects = machine.compile(sources, folder, *flags)
        return machine.emulate(machine.link(objects, folder / "program.elf")).split()

    here = answers(toolchain.HOST)
    assert len(here) == 24 * len(model.classes_) and len(set(here)) > len(here) / 4
    assert answers(chip(target), *more) == here


def test_a_library_for_an_esp32_keeps_everything_in_flash_unless_asked(voices, tmp_path):
    model = codegen_models.KINDS["int8 network"]().fit(*voices)
    plain, hot = (emit(model, tmp_path / str(hot), hot_in_ram=hot) for hot in (False, True))
    texts = [(folder / "src" / "ser_config.h").read_text() for folder in (plain, hot)]
    assert [text.count("#define SER_HOT_IN_RAM 1") for text in texts] == [0, 1]


def test_stack_is_the_deepest_chain_of_frames():
    frames = {"a": (16, {"b", "c"}), "b": (100, {"unknown"}), "c": (32, {"d"}), "d": (64, {"a"})}
    assert firmware.deepest(frames, "a") == 16 + 100
    frames["d"] = (80, {"a"})  # a cycle ends where it closes
    assert firmware.deepest(frames, "a") == 16 + 32 + 80


@pytest.mark.parametrize("name", TARGETS)
def test_frames_come_from_the_compiler(name, tmp_path):
    path = tmp_path / "nested.c"
    path.write_text(
        "void use(char *p);\n"
        "__attribute__((noinline)) static void inner(void) { char a[1000]; use(a); }\n"
        "void outer(void);\nvoid outer(void) { char b[300]; use(b); inner(); }\n"
    )
    target = chip(name)
    target.compile([path], tmp_path)
    frames = target.frames(tmp_path)
    assert 1300 <= firmware.deepest(frames, "outer") < 1500
    assert 1000 <= frames["nested.c:inner"][0] < 1100


# --- estimates ---------------------------------------------------------------------------------


def test_what_was_compiled_once_is_not_compiled_again(tmp_path, monkeypatch):
    """Of the same text, wherever it lies, by the same command; objects and frames alike."""
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "cache"))
    target, asked = chip("esp32c3"), []
    kind = type(target)
    really = kind.compile_anew
    monkeypatch.setattr(
        kind, "compile_anew", lambda *words: asked.append(words[1]) or really(*words)
    )

    def made(place, value, *flags):
        folder = tmp_path / place
        folder.mkdir()
        (folder / "value.h").write_text(f"#define VALUE {value}\n")
        source = folder / "code.c"
        source.write_text('#include "value.h"\nint code(void);\nint code(void) { return VALUE; }\n')
        built = target.compile_one(source, folder / "code.o", f"-I{folder}", *flags)
        return built.read_bytes(), target.frames(folder)

    first = made("first", 1)
    assert made("second", 1) == first and len(asked) == 1
    other = made("third", 2)  # what it includes is another
    assert other[0] != first[0] and other[1] == first[1] and len(asked) == 2
    made("fourth", 1, "-O3")
    assert len(asked) == 3
    for path in (tmp_path / "cache").rglob("output.pkl"):
        path.write_bytes(path.read_bytes()[:100])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is made anew is said
        assert made("fifth", 1) == first and len(asked) == 4
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(UserError, match=r"below: cannot keep the compiled objects.*SER_CACHE"):
        made("sixth", 1)


def test_times_are_the_documented_ranges():
    esp32, c3, p4, m4, m0 = (
        chips.CHIPS[name].seconds(2.4e6, 100)
        for name in ("esp32", "esp32c3", "esp32p4", "nrf52840", "rp2040")
    )
    assert esp32.lower == pytest.approx(0.010)
    assert esp32.nominal == pytest.approx(0.0185)
    assert esp32.upper == pytest.approx((2.5 * 2.4e6 + 170 * 100) / 240e6)
    assert c3.nominal == pytest.approx(1.3 * 2.4e6 / 160e6)
    assert c3.upper == pytest.approx((1.6 * 2.4e6 + 33 * 100) / 160e6)
    assert p4.upper == pytest.approx(1.6 * 2.4e6 / 360e6)
    assert m4.upper == pytest.approx((1.9 * 2.4e6 + 12 * 100) / 64e6)
    assert m0.upper == pytest.approx(2.3 * 2.4e6 / 133e6)


@pytest.mark.parametrize("name", chips.CHIPS)
def test_what_computes_hardly_any_floats_is_estimated_by_the_factors_of_integers(name):
    chip = chips.CHIPS[name]
    computing, integers = (chip.seconds(1e6, 10, 100, floats=floats) for floats in (10_001, 10_000))
    nominal, upper = chip.integers or (chip.nominal, chip.upper)
    assert integers.lower == computing.lower
    assert integers.nominal == pytest.approx(nominal * 1e6 / chip.hertz)
    # what is slow and what waits is added to either
    more = (chip.upper - upper) * 1e6 / chip.hertz
    assert computing.upper - integers.upper == pytest.approx(more, abs=1e-12)
    assert (chip.integers is not None) == (name in ("esp32", "esp32s3"))


def test_each_call_is_estimated_by_what_it_computes():
    esp32 = chips.CHIPS["esp32"]
    regions = [
        firmware.Region("init", 500, 0),
        firmware.Region("push", 120_000, 0, floats=1200, misses=40),
        firmware.Region("push", 100_000, 0, floats=1001, misses=30),
        firmware.Region("finish", 200_000, 10, floats=9999, misses=20),
    ]
    built = firmware.Built(toolchain.HOST, Path("nothing"))
    run = firmware.Run(1000, [], 100, [regions])
    second = clips.Clips({"a second": np.zeros(schema.SAMPLE_RATE, np.int16)}, "")
    found = emulated.figures("esp32", esp32, built, run, second, gate=0)
    assert found.realtime_share.lower == pytest.approx(220_000 / 240e6)
    assert found.realtime_share.upper == pytest.approx((2.0 * 120_000 + 2.5 * 100_000) / 240e6)
    # the worst hop has the most instructions at one end, and floats at the other
    assert found.instructions_worst_hop == 120_000
    assert found.worst_hop_ms.lower == pytest.approx(120_000 / 240e3)
    assert found.worst_hop_ms.upper == pytest.approx(2.5 * 100_000 / 240e3)
    assert found.response_ms.upper == pytest.approx((2.5 * 200_000 + 170 * 10) / 240e3)
    wait = esp32.cache.cycles / 240e6
    assert found.waiting_share == pytest.approx(found.realtime_share.upper + 70 * wait)
    assert found.waiting_hop_ms == pytest.approx(found.worst_hop_ms.upper + 1e3 * 30 * wait)
    assert found.waiting_response_ms == pytest.approx(found.response_ms.upper + 1e3 * 20 * wait)
    assert "1 / 1.85 / 2.5 cycles per instruction, 1 / 1.85 / 2 in hops, which" in found.basis
    assert "in hops" not in emulated._factors(chips.CHIPS["esp32c3"])
    # and on the screen, too
    line = (
        "ESP32: where hardly any floats are computed, as in a hop, 2 cycles per instruction at most"
    )
    assert line in report.text([found], report.Budget())
    assert not emulated._two_factors(chips.CHIPS["esp32c3"])


def test_every_target_is_a_chip_and_its_range_is_one():
    assert set(chips.CHIPS) == set(toolchain.TARGETS)
    for same, other in toolchain.SAME.items():
        assert replace(toolchain.TARGETS[same], name=other) == toolchain.TARGETS[other]
    for chip in chips.CHIPS.values():
        for nominal, upper in (chip.factors(True), chip.factors(False)):
            assert 1 < nominal < upper < 3 and bool(chip.slow) == bool(chip.slow_cycles)


def test_energy_is_volts_times_milliamperes_times_seconds_of_work():
    esp32 = chips.CHIPS["esp32"]
    found = emulated._energy(esp32, Range(0.1, 0.2, 0.5), Range(0.01, 0.02, 0.03), 2.0)
    # a sentence of 2 s, 3.3 V, 68 mA while it works; in a day 30 mA and 38 more for as long as it works
    for end, share, gate in (("lower", 0.1, 0.01), ("nominal", 0.2, 0.02), ("upper", 0.5, 0.03)):
        closed, opened, decision, slept = (
            getattr(found[f"joules_{name}"], end)
            for name in ("day_closed", "day_open", "decision", "day_slept")
        )
        assert decision == pytest.approx(3.3 * 0.068 * 2 * share)
        assert closed == pytest.approx(86400 * 3.3 * (0.030 + 0.038 * gate))
        assert opened == pytest.approx(86400 * 3.3 * (0.030 + 0.038 * (gate + share)))
        assert slept == pytest.approx(closed - 86400 * 3.3 * 0.0008)
    # nobody works more than all the time
    always = emulated._energy(esp32, Range(1, 2, 3), Range(0, 0, 0), 2.0)["joules_day_open"]
    assert always == Range(*3 * [pytest.approx(86400 * 3.3 * 0.068)])
    assert emulated._energy(chips.CHIPS["rp2040"], Range(1, 2, 3), Range(0, 0, 0), 2.0) == {}


@pytest.mark.parametrize("name", chips.CHIPS)
def test_clock_and_currents_are_those_of_the_source_that_is_named(name):
    chip = chips.CHIPS[name]
    if chip.busy_ma is None:
        assert chip.idle_ma is None and chip.currents == ""
        return
    said = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", chip.currents)}
    currents = {chip.busy_ma, chip.idle_ma, chip.sleep_ma} - {None}
    assert currents | {chip.hertz / 1e6} <= said


def test_a_range_is_scaled_in_all_its_three():
    assert Range(1, 2, 3).times(2) == Range(2, 4, 6)


def figures(**changed):
    made = report.Figures(
        target="esp32", name="ESP32", basis="counted", response_ms=Range(1, 2, 3),
        realtime_share=Range(0.1, 0.2, 0.3), ram_static=60_000, stack_peak=2000, flash_code=50_000,
        flash_tables=30_000, flash_model=20_000, tools={"clang-22": "22.1.8"},
    )  # fmt: skip
    return replace(made, **changed)


@pytest.mark.parametrize(
    "changed, words",
    [
        ({}, None),
        ({"response_ms": Range(30, 49, 51)}, "response 51.0 ms of 50"),
        ({"realtime_share": Range(0.5, 0.9, 1.1)}, "110 % of real time"),
        ({"stack_peak": 256 * 1024 - 60_000}, None),
        ({"stack_peak": 256 * 1024 - 59_999}, "RAM 256.0 KB of 256"),
        ({"flash_model": 256 * 1024}, "flash 334.1 KB of 256"),
        ({"response_ms": Range(50, 50, 50), "realtime_share": Range(1, 1, 1)}, None),
        ({"flash_model": 256 * 1024 - 80_000}, None),
        ({"flash_model": 256 * 1024 - 79_999}, "flash 256.0 KB of 256"),
    ],
)
def test_the_verdict_is_by_the_upper_figures(changed, words):
    budget = report.Budget()
    assert figures(**changed).over(budget) == ([words] if words else [])
    assert report.as_json([figures(**changed)], budget)[0]["within_budget"] is (words is None)
    table = report.text([figures(**changed)], budget)
    assert (f"OVER: {words}" if words else "ESP32: within") in table


def test_what_keeps_up_only_if_it_does_not_wait_is_told():
    table = report.text([figures(waiting_share=1.13)], report.Budget())
    assert "ESP32: within, but 113 % of real time if it waits" in table
    assert "if it waits\n" not in report.text([figures(waiting_share=0.99)], report.Budget())


def everything():
    return figures(
        worst_hop_ms=Range(0.001, 0.5, 12.34), waiting_response_ms=4.0, waiting_share=0.45,
        waiting_hop_ms=13.5, instructions_response=1234567, instructions_hop=2345,
        instructions_per_second=34567, instructions_worst_hop=4567, slow_response=5678,
        slow_per_second=67, slow_name="divisions", joules_decision=Range(0.001, 0.002, 0.003),
        joules_day_closed=Range(1e4, 2e4, 3e4), joules_day_open=Range(2e4, 3e4, 4e4),
        joules_day_slept=Range(1e3, 2e3, 3e3), instructions_gate=891, energy_source="a datasheet",
        ram_copied=25_000,
    )  # fmt: skip


def test_the_table_says_every_figure_in_its_unit():
    rows = dict(
        line.rsplit("  ", 1)
        for line in report.text([everything()], report.Budget()).split("\n")[1:-2]
    )
    assert {key.strip(): value.strip() for key, value in rows.items()} == {
        "response, ms (budget 50)": "1.00 / 2.00 / 3.00",
        "share of real time": "10.0 / 20.0 / 30.0 %",
        "worst hop of 10 ms, ms": "0.00 / 0.50 / 12.3",
        "response, if it waits for the flash, ms": "4.00",
        "share, if it waits, %": "45.0",
        "worst hop, if it waits, ms": "13.5",
        "instructions, response": "1,234,567",
        "instructions, second of sound": "34,567",
        "instructions, mean hop": "2,345",
        "instructions, worst hop": "4,567",
        "slow operations, response": "5,678 divisions",
        "slow operations, second": "67 divisions",
        "static RAM, KB": "58.6",
        "of it a hop's code and tables, KB": "24.4",
        "peak stack, KB": "2.0",
        "RAM, KB (budget 256)": "60.5",
        "flash: code, KB": "48.8",
        "flash: tables, KB": "29.3",
        "flash: model, KB": "19.5",
        "flash, KB (budget 256)": "97.7",
        "energy per decision": "1.00 / 2.00 / 3.00 mJ",
        "instructions, second of silence": "891",
        "energy per day, nobody speaks": "10.0 / 20.0 / 30.0 kJ",
        "energy per day, speech throughout": "20.0 / 30.0 / 40.0 kJ",
        "light sleep instead would save": "1.00 / 2.00 / 3.00 kJ",
    }


def test_the_pages_are_written_whole_and_named(tmp_path):
    written = report.write(tmp_path, [everything()], report.Budget(), ["a note"])
    assert written == [tmp_path / "footprint.md", tmp_path / "footprint.json"]
    assert written[0].read_text() == report.markdown([everything()], report.Budget(), ["a note"])
    assert json.loads(written[1].read_text()) == report.as_json([everything()], report.Budget())


def test_what_is_not_known_is_a_dash_and_breaks_no_budget():
    unknown = figures(ram_static=None, flash_model=None, stack_peak=None)
    assert unknown.ram_total is None and unknown.flash_total is None
    assert unknown.over(report.Budget(ram_kb=0, flash_kb=0)) == []
    table = report.text([unknown], report.Budget())
    for name in (
        "static RAM",
        "RAM, KB",
        "flash, KB",
        "energy per day, nobody speaks",
        "light sleep",
        "slow operations, second",
    ):
        (line,) = [line for line in table.split("\n") if line.startswith(name)]
        assert line.endswith("–")


def test_the_page_names_basis_source_of_energy_notes_and_tools():
    page = report.markdown([everything(), figures(name="X")], report.Budget(), ["a note"])
    lines = page.split("\n")
    assert (
        "* ESP32: counted" in lines and "* a note" in lines and "* ESP32: clang-22 22.1.8." in lines
    )
    assert [line for line in lines if "energy:" in line] == [
        "* ESP32, energy: an estimate from a datasheet."
    ]


def test_json_has_one_object_per_target_with_the_agreed_keys():
    (found,) = report.as_json([figures(instructions_response=7)], report.Budget())
    assert set(found) == {
        "target", "response_ms", "realtime_share", "worst_hop_ms", "if_it_waits_for_flash",
        "instructions_response", "instructions_per_second", "instructions_per_silent_second",
        "ram_static_bytes", "ram_copied_bytes", "stack_peak_bytes", "ram_total_bytes", "flash_code_bytes",
        "flash_model_bytes", "flash_total_bytes", "within_budget", "tools",
    }  # fmt: skip
    assert set(found["response_ms"]) == set(found["realtime_share"]) == TRIPLE
    assert found["ram_total_bytes"] == 62_000
    assert (
        found["flash_total_bytes"]
        == found["flash_code_bytes"] + found["flash_model_bytes"]
        == 100_000
    )


# --- the command -------------------------------------------------------------------------------


def test_the_whole_run(libraries, sound, tmp_path, monkeypatch, capsys):
    names = []
    for name in chips.CHIPS:
        try:
            toolchain.TARGETS[name].check()
            names.append(name)
        except UserError as error:
            print(error)
    if not names:
        pytest.skip("none of the chips' tools is here")
    arguments = ["--clips", sound, "--out", tmp_path, "--profile"]
    code = measure(monkeypatch, libraries["int8 network"], *arguments)
    printed = capsys.readouterr().out
    found = json.loads((tmp_path / "footprint.json").read_text())
    assert [target["target"] for target in found] == names
    assert code == int(not all(target["within_budget"] for target in found))
    for target in found:
        response = target["response_ms"]
        assert 0 < response["lower"] < response["nominal"] < response["upper"]
        assert target["instructions_response"] > 10_000
        assert (
            target["instructions_per_second"] > 1e6 > target["instructions_per_silent_second"] / 10
        )
        assert 20_000 < target["ram_static_bytes"] < target["ram_total_bytes"]
        assert 500 < target["stack_peak_bytes"] < 8192
        assert target["flash_model_bytes"] > 478 * 24
        assert all(target["tools"].values())
    page = (tmp_path / "footprint.md").read_text()
    assert "executed on an LX6-compatible core in QEMU" in page or "esp32" not in names
    assert "estimated" in page and "measured on" not in page
    assert "complex256" in printed and "longest answer" in printed
    for target in found:
        assert f"{target['instructions_response']:,}" in printed


def test_too_large_and_too_slow_are_refused_with_a_table(
    voices, libraries, sound, tmp_path, monkeypatch, capsys
):
    chip("esp32p4")
    model = codegen_models.KINDS["forest, small leaves"]().fit(*voices)
    forest = model[-1]
    forest.estimators_ = (forest.estimators_ * 2000)[:2000]
    forest.n_estimators = 2000
    large = emit(model, tmp_path / "large")
    arguments = ["--target", "esp32p4", "--clips", sound, "--out", tmp_path]
    assert measure(monkeypatch, large, *arguments) == 1
    table = capsys.readouterr()
    assert "OVER: flash" in table.out and "KB of 256" in table.out and not table.err
    slow = spoilt(libraries["int8 network"], tmp_path / "slow", turns=3_000_000)
    assert measure(monkeypatch, slow, *arguments) == 1
    table = capsys.readouterr()
    assert "OVER: response" in table.out and "ms of 50" in table.out and "flash" in table.out


def test_an_answer_that_differs_fails_naming_chip_and_clip(sound):
    chosen = clips.choose([sound], None)
    answer = firmware.Answer(0, 1, 1, 0x3F000000, (5, 6), (7,) * len(COLUMNS))
    emulated.check("esp32", chosen, [answer], [answer])
    spoilt_features = (*answer.features[:3], 8, *answer.features[4:])
    for different, words in (
        (replace(answer, label=0), "label"),
        (replace(answer, probabilities=(5, 7)), "probabilities"),
        (replace(answer, features=spoilt_features), f"feature {schema.COLUMNS[3]}"),
    ):
        with pytest.raises(CheckFailed, match=re.escape(f"esp32: {words} of {sound}")):
            emulated.check("esp32", chosen, [different], [answer])


def test_missing_tools_are_named_and_the_others_measured(
    libraries, sound, tmp_path, monkeypatch, capsys
):
    lacking = replace(toolchain.TARGETS["esp32"], programs=("no-such-clang",))
    monkeypatch.setitem(toolchain.TARGETS, "esp32", lacking)
    real = emulated.measure

    def measured(name, *rest):
        return real(name, *rest) if name == "esp32" else (figures(target=name), None)

    monkeypatch.setattr(emulated, "measure", measured)
    monkeypatch.setattr(emulated, "answers", lambda *_: [])
    arguments = [libraries["int8 network"], "--clips", sound, "--out", tmp_path]
    assert measure(monkeypatch, *arguments, "--target", "esp32", "esp32p4") == 0
    words = "esp32: not measured: no-such-clang: not installed; apt-get install clang-22"
    assert words in capsys.readouterr().out
    assert words in (tmp_path / "footprint.md").read_text()
    assert [t["target"] for t in json.loads((tmp_path / "footprint.json").read_text())] == [
        "esp32p4"
    ]
    (tmp_path / "footprint.json").unlink()
    assert measure(monkeypatch, *arguments, "--target", "esp32") == 2
    assert "no-such-clang" in capsys.readouterr().err
    assert not (tmp_path / "footprint.json").exists()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["nowhere"], "nowhere: no such folder; name a library that python -m codegen wrote"),
        (["--response-ms", "0"], "--response-ms 0: must be more than 0"),
        (["embedded", "--clips", "no.wav"], "no.wav: no such file"),
    ],
)
def test_bad_input_is_one_line(arguments, words, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(resources.EMBEDDED.parent)
    assert measure(monkeypatch, *arguments, "--out", tmp_path) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1


# --- the baseline ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TARGETS)
def test_no_function_has_grown_by_more_than_3_percent(name):
    chip(name)
    kept = json.loads(baseline.FILE.read_text())[name]
    print(f"kept: {kept['tools']}; here: {toolchain.TARGETS[name].versions()}")
    grown = baseline.grown(kept["counts"], baseline.count(name))
    assert not grown, (
        f"{name}: {'; '.join(grown)}. If that is meant, python -m speech_emotion.measure.baseline "
        "writes the counts anew "
        f"(kept with {kept['tools']}, here {toolchain.TARGETS[name].versions()})"
    )


def test_growth_is_named_by_function():
    kept = {"push": {"fft": 10_000, "gate": 100}, "finish": {"path": 5000}}
    assert baseline.grown(kept, kept) == []
    fewer = {"push": {"fft": 5000, "gate": 100}, "finish": {"path": 5000}}
    assert baseline.grown(kept, fewer) == []
    at_the_limit = {"push": {"fft": 10_300, "gate": 100}, "finish": {"path": 5000}}
    assert baseline.grown(kept, at_the_limit) == []
    more = {"push": {"fft": 10_301, "gate": 100}, "finish": {"path": 5000}}
    (line,) = baseline.grown(kept, more)
    assert "fft" in line and "push" in line and "3.0 %" in line
    new = {"push": {"fft": 10_000, "gate": 100, "novel": 400}, "finish": {"path": 5000}}
    (line,) = baseline.grown(kept, new)
    assert "novel" in line
    # trifles do not count, nor does what moves from one function into another
    trifle = {"push": {"fft": 10_000, "gate": 109}, "finish": {"path": 5000}}
    assert baseline.grown(kept, trifle) == []
    inlined = {"push": {"fft": 9000, "gate": 1090}, "finish": {"path": 5000}}
    assert baseline.grown(kept, inlined) == []


def test_made_clips_are_not_called_real(tmp_path, monkeypatch):
    found = [SimpleNamespace(corpus=name, path=tmp_path / name) for name in ("synthetic", "folder")]
    monkeypatch.setattr(clips.audio, "load", lambda path: np.ones(4880, np.int16))
    for clip, said in zip(found, ("SYNTHETIC", "real"), strict=True):
        monkeypatch.setattr(
            clips.corpora, "discover", lambda root, clip=clip: SimpleNamespace(clips=[clip] * 9)
        )
        assert clips.choose([], tmp_path).about.startswith(f"1 {said} clips")


def test_silence_is_no_sound_to_measure_with(tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(16080, np.int16), schema.SAMPLE_RATE)
    with pytest.raises(UserError, match=r"silent\.wav: digital silence"):
        clips.choose([tmp_path / "silent.wav"], None)


# --- where nothing can be measured ------------------------------------------------------------


def test_without_emulators_the_way_to_have_them_is_said_once_and_the_committed_table_shown(capsys):
    missing = [
        "esp32: not measured: qemu-system-xtensa: not installed; apt-get install gcc-xtensa qemu-system-misc",
        "esp32c3: not measured: qemu: not installed; apt-get install qemu-system-misc",
    ]
    code = command.show_reference(Path(__file__).parent.parent / "docs" / "footprint.md", missing)
    out = capsys.readouterr().out
    assert code == 0 and out.count("apt-get install") == 1
    assert "sudo apt-get install gcc-xtensa qemu-system-misc\n" in out
    assert "REFERENCE TABLE" in out and "not on yours" in out and "| response, ms" in out
