"""The factors of the chips are those of published results, and CoreMark is counted as a library is."""

import math
import statistics

import pytest

from speech_emotion.checks import calibration
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.measure import firmware, published, toolchain
from speech_emotion.measure.chips import CHIPS, COREMARKS, COUNTED, Cache

NAMES = [name for name in toolchain.TARGETS if name not in toolchain.SAME]


def chip(name):
    """An emulated chip whose tools are here."""
    try:
        toolchain.TARGETS[name].check()
    except UserError as error:
        pytest.skip(str(error))
    return toolchain.TARGETS[name]


def coremarks(name, level=None):
    """Cycles per instruction of every published result of CoreMark on a chip, of a level or all."""
    counts = COUNTED[calibration.code(name)]
    return [
        result.cycles / counts[result.level]
        for result in COREMARKS
        if result.chip == name and result.level == (level or result.level)
        and "level and clock not said" not in result.how and result.how != "nothing said"
    ]  # fmt: skip


def count(result):
    return published.COUNTED[calibration.code(result.chip)][result.program][result.level]


@pytest.mark.parametrize("name", CHIPS)
def test_no_published_result_is_above_a_chips_range(name):
    chip, cores = CHIPS[name], COUNTED[calibration.code(name)]
    results = [r.cycles / cores[r.level] for r in COREMARKS if r.chip == name]
    assert results and all(1 < ratio <= chip.upper for ratio in results)
    for result in (result for result in published.RESULTS if result.chip == name):
        instructions, misses = count(result)
        upper = chip.seconds(instructions, 0, misses).upper * chip.hertz
        assert result.cycles <= upper, result
        # below 0.6 something else would have been executed than what is counted
        assert result.cycles > 0.6 * instructions, result


@pytest.mark.parametrize("name", CHIPS)
def test_the_nominal_factor_is_what_the_rule_makes_of_the_results(name):
    small = coremarks(name, "-Os") if name != "rp2040" else coremarks(name)
    core = statistics.median(small or coremarks(name))
    others = [
        r.cycles / count(r)[0] for r in published.RESULTS if (r.chip, r.level) == (name, "-Os")
    ]
    found = max(core, statistics.median([*others, *coremarks(name, "-Os")] or [0]))
    assert CHIPS[name].nominal == pytest.approx(round(20 * found) / 20)


@pytest.mark.parametrize("name", ["esp32", "esp32s3"])
def test_the_factors_of_integers_are_what_the_same_rule_makes_of_programs_in_integers(name):
    results = [r for r in published.RESULTS if r.chip == name and not r.floats]
    small = [r.cycles / count(r)[0] for r in results if r.level == "-Os"]
    found = max(
        statistics.median(coremarks(name, "-Os") or coremarks(name)),
        statistics.median([*small, *coremarks(name, "-Os")]),
    )
    most = max([*coremarks(name), *(r.cycles / count(r)[0] for r in results)])
    nominal, upper = CHIPS[name].integers
    assert nominal == pytest.approx(round(20 * found) / 20)
    assert upper == pytest.approx(math.ceil(10 * (most + 0.05)) / 10)
    assert {r.program for r in published.RESULTS if r.floats} == {
        "dotprod_f32", "fir_f32", "biquad_f32", "fft2r_fc32",
    }  # fmt: skip


# what was counted for an earlier version of chips.py, and that a Cortex-M4 stands for the RP2350's M33
EARLIER = {"esp32c3": 1.49, "esp32p4": 1.51}


@pytest.mark.parametrize("name", CHIPS)
def test_the_upper_factor_is_what_the_rule_makes_of_the_results(name):
    results = [
        r.cycles / COUNTED[calibration.code(name)][r.level] for r in COREMARKS if r.chip == name
    ]
    for result in published.RESULTS:
        if result.chip == ("nrf52840" if name == "rp2350" else name) and result.program != "AES":
            results.append(result.cycles / count(result)[0])
    found = max([*results, EARLIER.get(name, 0)])
    assert CHIPS[name].upper == pytest.approx(math.ceil(10 * (found + 0.05)) / 10)


def test_every_chip_that_runs_from_flash_says_where_its_waits_are_from():
    for chip in CHIPS.values():
        if chip.cache is not None:
            assert "https://" in chip.cache.source or "published.py" in chip.cache.source
            sets = chip.cache.size / chip.cache.ways / chip.cache.line
            assert sets == int(sets) and chip.cache.cycles > 1


def test_every_result_says_where_it_is_published():
    for result in (*COREMARKS, *published.RESULTS):
        assert result.source.startswith("https://") or "out of reach" in result.source


def test_the_table_divides_published_cycles_by_the_counts_given():
    counts = {name: dict.fromkeys(levels, 100_000) for name, levels in COUNTED.items()}
    _, _, *rows = calibration.table(counts).splitlines()
    assert len(rows) == len(COREMARKS)
    cells = [cell.strip() for cell in rows[0].split("|")[1:-1]]
    # 240 MHz at 504.85 iterations a second
    assert cells[:7] == ["ESP32", "504.85", "240", "-O3", "475,389", "100,000", "4.75"]


PROGRAM = """
#include "marks.h"
#include "platform.h"
MARK(begin_nothing, 1)
MARK(begin_iteration, 2)
MARK(end_region, 0)
static void iteration(int turns)
{
    begin_iteration();
    for (; turns > 0; turns--) {
        __asm__ volatile("nop\\nnop\\nnop\\nnop\\nnop\\nnop\\nnop\\nnop\\nnop\\nnop");
    }
    end_region();
}
int main(void)
{
    begin_nothing();
    end_region();
    iteration(TURNS);
    iteration(TURNS + 200); /* so the mean is of TURNS + 100 */
    platform_print("e9f5\\n", 5);
    return 0;
}
"""


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", ["-Os", "-O3"])
def test_a_mean_iteration_of_a_known_program_is_counted_exactly(name, level, tmp_path):
    counts = []
    for turns in (100, 300):
        folder = tmp_path / str(turns)
        folder.mkdir()
        (folder / "main.c").write_text(PROGRAM.replace("TURNS", str(turns)))
        printed, instructions, _ = calibration.counted(
            chip(name), [folder / "main.c"], folder, level, "-fno-unroll-loops"
        )
        assert printed.split() == ["e9f5"]
        counts.append(instructions)
    # ten nops, and one to three instructions that count the turns
    turn, rest = divmod(counts[1] - counts[0], 200)
    assert rest == 0 and 11 <= turn <= 13


@pytest.fixture
def imitation(tmp_path):
    """Sources that link where CoreMark's do, and compute something else."""
    folder = tmp_path / "imitation"
    folder.mkdir()
    (folder / "coremark.h").write_text(
        "#define TOTAL_DATA_SIZE 2000\n#define NUM_ALGORITHMS 3\n#define ALL_ALGORITHMS_MASK 7\n"
        "#define MEM_STATIC 0\n#define SEED_VOLATILE 2\n"
        '#include "core_portme.h"\n'
        "typedef struct { int N; } mat_params;\n"
        "typedef struct { ee_s16 seed1, seed2, seed3; void *memblock[4]; ee_u32 size, iterations, execs;\n"
        "  void *list; mat_params mat; ee_u16 crc, crclist, crcmatrix, crcstate; } core_results;\n"
        "ee_u16 crc16(ee_s16, ee_u16); ee_u16 crcu16(ee_u16, ee_u16);\n"
        "void *core_list_init(ee_u32, void *, ee_s16); ee_u16 core_bench_list(core_results *, ee_s16);\n"
        "void core_init_state(ee_u32, ee_s16, ee_u8 *);\n"
        "ee_u32 core_init_matrix(ee_u32, void *, ee_s32, mat_params *);\n"
    )
    include = '#include "coremark.h"\n'
    (folder / "core_util.c").write_text(
        include + "ee_u16 crc16(ee_s16 v, ee_u16 c) { (void)v; (void)c; return 0xe9f5; }\n"
        "ee_u16 crcu16(ee_u16 v, ee_u16 c) { return (ee_u16)(v + c); }\n"
    )
    (folder / "core_list_join.c").write_text(
        include
        + "void *core_list_init(ee_u32 n, void *m, ee_s16 s) { (void)n; (void)s; return m; }\n"
        "ee_u16 core_bench_list(core_results *r, ee_s16 i) { (void)r; (void)i; return 1; }\n"
    )
    (folder / "core_matrix.c").write_text(
        include + "ee_u32 core_init_matrix(ee_u32 n, void *m, ee_s32 s, mat_params *p)\n"
        "{ (void)n; (void)m; (void)s; (void)p; return 0; }\n"
    )
    (folder / "core_state.c").write_text(
        include
        + "void core_init_state(ee_u32 n, ee_s16 s, ee_u8 *p) { (void)n; (void)s; (void)p; }\n"
    )
    return folder


def test_what_computes_something_else_than_coremark_is_refused(imitation):
    with pytest.raises(CheckFailed, match=r"esp32p4: .*checksum of the list is 0x0002, not 0xe714"):
        calibration.iteration(chip("esp32p4"), imitation, "-Os")


def test_a_source_that_is_not_there_is_named(imitation):
    (imitation / "core_state.c").unlink()
    with pytest.raises(UserError, match=r"core_state\.c: not there; .*github\.com/eembc/coremark"):
        calibration.iteration(toolchain.TARGETS["esp32p4"], imitation, "-Os")


def test_each_checksum_is_compared_and_a_broken_run_is_said():
    right = [f"{value:x}" for value in calibration.CHECKSUMS.values()]
    calibration.check("x", "\n".join(right))
    for i, what in enumerate(calibration.CHECKSUMS):
        with pytest.raises(CheckFailed, match=f"x: CoreMark's checksum of the {what} is 0x0001"):
            calibration.check("x", "\n".join([*right[:i], "1", *right[i + 1 :]]))
    with pytest.raises(CheckFailed, match="broke off: 2 checksums of 5"):
        calibration.check("x", "\n".join(right[:2]))


# --- waits for the flash -----------------------------------------------------------------------

READS = """
#include "marks.h"
#include "platform.h"
MARK(begin_nothing, 1)
MARK(begin_iteration, 2)
MARK(end_region, 0)
static const uint32_t table[LINES][4] = {{1}};
static volatile uint32_t sum;
static void iteration(void)
{
    begin_iteration();
    for (int pass = 0; pass < 50; pass++) {
        for (int i = 0; i < LINES; i++) {
            sum += *(const volatile uint32_t *)table[i]; /* a volatile table would be in RAM */
        }
    }
    end_region();
}
int main(void)
{
    begin_nothing();
    end_region();
    iteration();
    platform_print("e9f5\\n", 5);
    return 0;
}
"""


def waits(name, lines, cache, folder):
    """Of reading so many lines of 16 bytes of a table in flash, over and over, 50 times."""
    folder.mkdir()
    (folder / "main.c").write_text(READS.replace("LINES", str(lines)))
    _, _, misses = calibration.counted(chip(name), [folder / "main.c"], folder, cache=cache)
    return misses


@pytest.mark.parametrize("name", NAMES)
def test_a_table_that_the_cache_holds_is_waited_for_once_and_a_larger_one_always(name, tmp_path):
    cache = Cache(4096, 4, 16, True, 10, "")
    code = waits(name, 1, cache, tmp_path / "code")
    fits = waits(name, 128, cache, tmp_path / "fits") - code
    assert 120 <= fits <= 140  # half of the cache; its code may share a set or two
    larger = waits(name, 512, cache, tmp_path / "larger") - code
    assert 50 * 512 <= larger <= 50 * (512 + 4)  # at each pass a line or so of the code, too


@pytest.mark.parametrize("name", NAMES)
def test_a_table_that_is_not_cached_is_waited_for_at_each_reading(name, tmp_path):
    cache = Cache(4096, 4, 16, False, 10, "")
    once, more = (waits(name, lines, cache, tmp_path / str(lines)) for lines in (8, 16))
    assert more - once == pytest.approx(50 * 8, abs=4)


def test_a_program_from_ram_waits_for_nothing_and_waits_are_in_the_upper_alone():
    rp2350 = CHIPS["rp2350"]
    without, with_waits = rp2350.seconds(1e6, 0), rp2350.seconds(1e6, 0, 1000)
    assert (with_waits.lower, with_waits.nominal) == (without.lower, without.nominal)
    assert with_waits.upper - without.upper == pytest.approx(1000 * rp2350.cache.cycles / 150e6)
    assert CHIPS["esp32p4"].seconds(1e6, 0, 1000) == CHIPS["esp32p4"].seconds(1e6, 0)


def test_a_region_carries_its_waits():
    regions, _, _ = firmware._counts(
        "region 0 5 0 0 0\nregion 1 105 0 0 0\nregion 2 1005 7 9 30\n", {"main": 0}
    )
    push = firmware.Region("push", 1000, slow=7, floats=9, misses=30)
    assert regions == [[firmware.Region("init", 100, 0), push]]


# --- wolfCrypt and esp-dsp ---------------------------------------------------------------------


def test_a_program_that_computes_something_else_is_refused(tmp_path):
    kernel = tmp_path / "modules/fir/float"
    kernel.mkdir(parents=True)
    (kernel / "dsps_fir_f32_ansi.c").write_text(
        '#include "dsps_fir.h"\n'
        "esp_err_t dsps_fir_f32_ansi(fir_f32_t *f, const float *from, float *to, int count)\n"
        "{ for (int i = 0; i < count; i++) to[i] = from[i] * f->coeffs[0]; return ESP_OK; }\n"
    )
    with pytest.raises(CheckFailed, match=r"esp32p4: fir_f32 computed [0-9a-f]{8}, not a4700000"):
        calibration.call(chip("esp32p4"), "fir_f32", tmp_path, "-Os")
    with pytest.raises(UserError, match=r"wolfcrypt/src/md5\.c: not there"):
        calibration.call(chip("esp32p4"), "MD5", tmp_path, "-Os")


def test_every_program_has_a_result_and_every_published_one_a_count():
    assert set(calibration.RESULTS) == {*published.WOLFCRYPT, *published.ESP_DSP}
    used = {(calibration.code(r.chip), r.program, r.level) for r in published.RESULTS}
    assert used == {
        (name, program, level)
        for name, programs in published.COUNTED.items()
        for program, levels in programs.items()
        for level in levels
    }


def test_the_table_of_calls_divides_published_cycles_by_the_counts_given():
    counts = {
        name: {p: dict.fromkeys(levels, (100_000, 12)) for p, levels in programs.items()}
        for name, programs in published.COUNTED.items()
    }
    _, _, first, *_ = calibration.calls(counts, published.ESP_DSP).splitlines()
    cells = [cell.strip() for cell in first.split("|")[1:-1]]
    assert cells[:7] == ["ESP32", "dotprod_f32", "-Os", "4,129", "100,000", "0.04", "12"]
