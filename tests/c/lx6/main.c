/*
 * The extractor on QEMU's Xtensa "sim" machine: reads sound.raw (int16) from the host by SIMCALL, prints the
 * deepest stack, instructions per hop and of finish, and the features' bits. No variadic functions: LLVM's
 * Xtensa back end compiles them wrongly. See tests/test_c_lx6.py.
 */
#include "ser_extractor.h"

#include <string.h>

enum { CALL_EXIT = 1, CALL_READ = 3, CALL_WRITE = 4, CALL_OPEN = 5 };

int simcall(int number, int a, int b, int c); /* start.S */
extern uint32_t stack_bottom[], stack_top[];  /* link.ld */

static ser_extractor extractor;
static int16_t samples[16000 * 4];
static float features[SER_FEATURES];

/* CCOUNT counts 25 ns of QEMU's time; with -icount shift=7 an instruction takes 128 ns. */
static uint32_t ticks(void)
{
    uint32_t count;
    __asm__ volatile("rsr %0, ccount" : "=r"(count)::"memory");
    return count;
}

static uint32_t instructions(uint32_t elapsed)
{
    return (elapsed >> 7) * 25u + (((elapsed & 127u) * 25u + 64u) >> 7);
}

static void write_text(const char *text, int length)
{
    simcall(CALL_WRITE, 1, (int)(intptr_t)text, length);
}

/* A name of five letters and a number in hexadecimal. */
static void write_line(const char *name, uint32_t value)
{
    char line[15];
    int at = 0;
    while (name[at] != '\0') {
        line[at] = name[at];
        at++;
    }
    for (int shift = 28; shift >= 0; shift -= 4) {
        line[at++] = "0123456789abcdef"[(value >> shift) & 15u];
    }
    line[at++] = '\n';
    write_text(line, at);
}

#define PAINT 0xdeadbeefu

__attribute__((noinline)) static void paint_stack(void)
{
    volatile uint32_t here = 0;
    uint32_t *end = (uint32_t *)(((uintptr_t)&here & ~(uintptr_t)3u) - 512);
    for (uint32_t *p = stack_bottom; p < end; p++) {
        *p = PAINT;
    }
}

static uint32_t deepest_stack(void)
{
    const uint32_t *p = stack_bottom;
    while (p < stack_top && *p == PAINT) {
        p++;
    }
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)p);
}

int main(void)
{
    const int file = simcall(CALL_OPEN, (int)(intptr_t) "sound.raw", 0, 0);
    if (file < 0) {
        return 3;
    }
    size_t bytes = 0;
    for (;;) {
        const int got = simcall(CALL_READ, file, (int)((intptr_t)samples + (intptr_t)bytes),
                                (int)(sizeof samples - bytes));
        if (got <= 0) {
            break;
        }
        bytes += (size_t)got;
    }
    const size_t count = bytes / sizeof *samples;

    ser_summary summary;
    uint32_t hops = 0;
    uint32_t total = 0;
    uint32_t worst = 0;
    paint_stack();
    ser_extractor_init(&extractor);
    for (size_t done = 0; done < count; done += SER_HOP) {
        const size_t block = count - done < SER_HOP ? count - done : SER_HOP;
        const uint32_t before = ticks();
        ser_extractor_push(&extractor, samples + done, block);
        const uint32_t used = instructions(ticks() - before);
        total += used;
        worst = used > worst ? used : worst;
        hops += block == SER_HOP;
    }
    const uint32_t before = ticks();
    ser_extractor_finish(&extractor, &summary, features);
    const uint32_t finish = instructions(ticks() - before);
    write_line("stack ", deepest_stack());
    write_line("total ", total);
    write_line("hops ", hops);
    write_line("worst ", worst);
    write_line("end ", finish);
    for (int i = 0; i < SER_FEATURES; i++) {
        uint32_t bits;
        memcpy(&bits, &features[i], sizeof bits);
        write_line("", bits);
    }
    return 0;
}
