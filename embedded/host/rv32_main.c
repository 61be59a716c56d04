/*
 * The extractor on an emulated rv32 machine: reads sound.raw (int16) from the host through semihosting,
 * prints the features' bits, instructions per hop and the deepest stack. See embedded/cost.py.
 */
#include "ser_extractor.h"

#include <stdio.h>
#include <string.h>

extern char __stack[], __heap_end[]; /* of picolibc's linker script */

static ser_extractor extractor;
static int16_t samples[16000 * 4];
static float features[SER_FEATURES];

static uint32_t instructions(void)
{
    uint32_t count;
    __asm__ volatile(".option push\n.option arch,+zicsr\ncsrr %0, instret\n.option pop"
                     : "=r"(count)::"memory");
    return count;
}

#define PAINT 0xDEADBEEFu

__attribute__((noinline)) static void paint_stack(void)
{
    uint32_t *top;
    __asm__ volatile("mv %0, sp" : "=r"(top));
    for (uint32_t *p = (uint32_t *)__heap_end; p < top - 16; p++) {
        *p = PAINT;
    }
}

__attribute__((noinline)) static unsigned long deepest_stack(void)
{
    uint32_t *p = (uint32_t *)__heap_end;
    while (p < (uint32_t *)__stack && *p == PAINT) {
        p++;
    }
    uint32_t *top;
    __asm__ volatile("mv %0, sp" : "=r"(top));
    return (unsigned long)((char *)top - (char *)p);
}

int main(void)
{
    FILE *file = fopen("sound.raw", "rb");
    if (file == NULL) {
        return 3;
    }
    const size_t count = fread(samples, sizeof *samples, sizeof samples / sizeof *samples, file);
    fclose(file);

    ser_summary summary;
    uint32_t total = 0;
    uint32_t worst = 0;
    paint_stack();
    ser_extractor_init(&extractor);
    for (size_t done = 0; done < count; done += SER_HOP) {
        const size_t block = count - done < SER_HOP ? count - done : SER_HOP;
        const uint32_t before = instructions();
        ser_extractor_push(&extractor, samples + done, block);
        const uint32_t used = instructions() - before;
        total += used;
        worst = used > worst ? used : worst;
    }
    const uint32_t before = instructions();
    ser_extractor_finish(&extractor, &summary, features);
    const uint32_t finish = instructions() - before;
    printf("stack %lu\n", deepest_stack());
    printf("mean %lu\n", (unsigned long)(total / (count / SER_HOP)));
    printf("worst %lu\n", (unsigned long)worst);
    printf("finish %lu\n", (unsigned long)finish);
    for (int i = 0; i < SER_FEATURES; i++) {
        uint32_t bits;
        memcpy(&bits, &features[i], sizeof bits);
        printf("%08lx\n", (unsigned long)bits);
    }
    return 0;
}
