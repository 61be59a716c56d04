/*
 * Coverage-guided fuzzing of push, finish and reset (libFuzzer):
 *
 *     clang -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -ffp-contract=off \
 *         -Iembedded/src embedded/fuzz/fuzz_extractor.c embedded/src/ser_*.c -lm -o fuzz_extractor
 *     ./fuzz_extractor -max_len=512 -max_total_time=600
 *
 * The input is a program of four-byte instructions, each a stretch of sound and the blocks to push it in, so
 * that short inputs make long sounds. It aborts when a feature is not finite, or when another way of
 * cutting the same sound into blocks gives other bits. With -DSER_FUZZ_MAIN it is a program that runs the
 * files it is given, for compilers without libFuzzer.
 */
#include "ser_extractor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 16000 * 10, PROGRAM = 8192, COMPARISONS = 3 };

static int16_t sound[LONGEST];
static size_t length;
static ser_extractor pieces, whole;

static void must(int holds)
{
    if (!holds) {
        abort();
    }
}

static void compare(void)
{
    static float features[2][SER_FEATURES];
    ser_summary summary[2];
    must(ser_extractor_init(&whole) == SER_OK);
    must(ser_extractor_push(&whole, sound, length) == SER_OK);
    must(ser_extractor_finish(&whole, &summary[0], features[0]) == SER_OK);
    must(ser_extractor_finish(&pieces, &summary[1], features[1]) == SER_OK);
    must(memcmp(features[0], features[1], sizeof features[0]) == 0);
    must(summary[0].speech == summary[1].speech);
    for (int i = 0; i < SER_FEATURES; i++) {
        must(isfinite(features[0][i]));
    }
}

/* One instruction: kind and block size, length, two parameters. */
static void play(const uint8_t *code)
{
    static uint32_t noise = 1;
    const size_t count = 1 + (size_t)code[1] * 32;
    const int level = (code[2] - 128) * 256 + code[3];
    const int period = 1 + code[3];
    const size_t block = (size_t)1 << (code[0] >> 4);
    const size_t start = length;
    for (size_t i = 0; i < count && length < LONGEST; i++) {
        int value = 0;
        switch (code[0] & 7) {
        case 0: value = level; break;
        case 1: value = (i / (size_t)period) & 1 ? -32768 : 32767; break;
        case 2: value = i % (size_t)period == 0 ? (code[2] - 128) * 255 : 0; break;
        case 3:
            noise = noise * 1664525U + 1013904223U;
            value = (int)(noise >> 16) * code[2] / 256 - 128 * code[2];
            break;
        case 4: value = (int)(i % (size_t)period) * (65535 / period) - 32768; break;
        case 5: value = (code[2] - 128) * 256 * (int)(i % (size_t)period) / period; break;
        case 6: value = length >= (size_t)period ? -sound[length - (size_t)period] : level; break;
        default: value = (int)(count - i) * (code[2] - 128) * 256 / (int)count; break;
        }
        sound[length++] =
            (int16_t)(value > 32767 ? 32767 : (value < -32768 ? -32768 : value));
    }
    for (size_t done = start; done < length; done += block) {
        const size_t left = length - done;
        must(ser_extractor_push(&pieces, sound + done, left < block ? left : block) == SER_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int comparisons = 0;
    length = 0;
    must(ser_extractor_init(&pieces) == SER_OK);
    for (; size >= 4 && length < LONGEST; data += 4, size -= 4) {
        play(data);
        if ((data[0] & 8) && (data[2] & 7) == 0 && comparisons++ < COMPARISONS) {
            compare(); /* midway */
        }
        if ((data[0] & 8) && (data[2] & 7) == 1) {
            must(ser_extractor_reset(&pieces) == SER_OK);
            length = 0;
        }
    }
    compare();
    return 0;
}

#ifdef SER_FUZZ_MAIN
#include <stdio.h>

int main(int count, char **names)
{
    static uint8_t data[PROGRAM];
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(names[i], "rb");
        if (file == NULL) {
            return 2;
        }
        const size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        LLVMFuzzerTestOneInput(data, size);
    }
    return 0;
}
#endif
