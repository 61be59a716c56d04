/*
 * CoreMark's performance run on 2 KB, on an emulated chip: what its core_main.c does, in place of it, because that
 * prints with variadic functions, which LLVM's Xtensa back end compiles wrongly.
 *
 * The counting plug-in sees a region per iteration. Prints, in hexadecimal, one per line, the checksums of the seeds,
 * the list, the matrix and the state machine, and the last of all.
 */
#include "coremark.h"
#include "marks.h"
#include "platform.h"

MARK(begin_nothing, 1) /* what the marks themselves cost */
MARK(begin_iteration, 2)
MARK(end_region, 0)

enum { ITERATIONS = 10, PART = TOTAL_DATA_SIZE / NUM_ALGORITHMS };

/* what the compiler must not know */
volatile ee_s32 seed1_volatile = 0, seed2_volatile = 0, seed3_volatile = 0x66;
volatile ee_s32 seed4_volatile = ITERATIONS, seed5_volatile = 0;

static void iteration(core_results *run, int first)
{
    begin_iteration();
    run->crc = crcu16(core_bench_list(run, 1), run->crc);
    run->crc = crcu16(core_bench_list(run, -1), run->crc);
    end_region();
    if (first) {
        run->crclist = run->crc;
    }
}

int main(void)
{
    static uint32_t memory[TOTAL_DATA_SIZE / sizeof(uint32_t) + 1];
    static core_results run;
    ee_u8 *const block = (ee_u8 *)memory;
    ee_u16 seeds = 0;

    run.seed1 = (ee_s16)seed1_volatile;
    run.seed2 = (ee_s16)seed2_volatile;
    run.seed3 = (ee_s16)seed3_volatile;
    run.size = PART;
    run.iterations = (ee_u32)seed4_volatile;
    run.execs = ALL_ALGORITHMS_MASK;
    for (int i = 0; i < NUM_ALGORITHMS; i++) {
        run.memblock[i + 1] = block + i * PART;
    }
    seeds = crc16(run.seed1, seeds);
    seeds = crc16(run.seed2, seeds);
    seeds = crc16(run.seed3, seeds);
    seeds = crc16((ee_s16)run.size, seeds);
    run.list = core_list_init(run.size, run.memblock[1], run.seed1);
    core_init_matrix(run.size, run.memblock[2], (ee_s32)run.seed1 | ((ee_s32)run.seed2 << 16), &run.mat);
    core_init_state(run.size, run.seed1, run.memblock[3]);

    begin_nothing();
    end_region();
    for (ee_u32 i = 0; i < run.iterations; i++) {
        iteration(&run, i == 0);
    }
    print_number(seeds);
    print_number(run.crclist);
    print_number(run.crcmatrix);
    print_number(run.crcstate);
    print_number(run.crc);
    return 0;
}
