/* What main.c asks of a machine. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdint.h>
#include <string.h>

/* Opens a file of the computer that runs the emulator; negative where there is none. */
int platform_open(const char *name);

/* Fills up to count bytes; how many were read. */
int platform_read(int file, void *to, int count);

void platform_print(const char *text, int count);

/* A line of eight hexadecimal digits. No variadic functions: LLVM's Xtensa back end compiles them wrongly. */
static inline void print_number(uint32_t value)
{
    char line[9];
    for (int i = 0; i < 8; i++) {
        line[i] = "0123456789abcdef"[(value >> (28 - 4 * i)) & 15u];
    }
    line[8] = '\n';
    platform_print(line, 9);
}

/* Its bits, likewise. */
static inline void print_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    print_number(bits);
}

/* Fills the free stack with a pattern; later, how many bytes from its top no longer hold it. */
void platform_paint_stack(void);
uint32_t platform_deepest_stack(void);

#endif
