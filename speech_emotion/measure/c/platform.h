/* What main.c asks of a machine. */
#ifndef PLATFORM_H
#define PLATFORM_H

#include <stdint.h>

/* Opens a file of the computer that runs the emulator; negative where there is none. */
int platform_open(const char *name);

/* Fills up to count bytes; how many were read. */
int platform_read(int file, void *to, int count);

void platform_print(const char *text, int count);

/* Fills the free stack with a pattern; later, how many bytes from its top no longer hold it. */
void platform_paint_stack(void);
uint32_t platform_deepest_stack(void);

#endif
