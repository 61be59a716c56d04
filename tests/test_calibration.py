"""The factors of the chips are those of published results, and CoreMark is counted as a library is."""

import pytest

from speech_emotion.checks import calibration
from speech_emotion.errors import CheckFailed, UserError
from speech_emotion.measure import toolchain
from speech_emotion.measure.chips import CHIPS, COREMARKS, COUNTED

NAMES = [name for name in toolchain.TARGETS if name not in toolchain.SAME]


def chip(name):
    """An emulated chip whose tools are here."""
    try:
        toolchain.TARGETS[name].check()
    except UserError as error:
        pytest.skip(str(error))
    return toolchain.TARGETS[name]


def ratios(name):
    """Cycles per instruction of every published result of a chip."""
    counts = COUNTED[toolchain.SAME.get(name, name)]
    return [result.cycles / counts[result.level] for result in COREMARKS if result.chip == name]


@pytest.mark.parametrize("name", CHIPS)
def test_no_published_result_is_outside_of_a_chips_range(name):
    assert ratios(name)
    assert all(1 < ratio <= CHIPS[name].upper for ratio in ratios(name))


@pytest.mark.parametrize("name", CHIPS)
def test_the_nominal_factor_is_not_below_the_middle_of_what_is_published(name):
    found = sorted(ratios(name))
    if name == "rp2040":  # two of an unknown level and clock, which make the upper factor
        found = [ratio for ratio in found if ratio < 1.5]
    assert CHIPS[name].nominal >= found[(len(found) - 1) // 2] - 0.05


def test_every_result_says_where_it_is_published():
    for result in COREMARKS:
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
        printed, instructions = calibration.counted(
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
