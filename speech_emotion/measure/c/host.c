/* This computer as a machine: what it answers is what the chips must answer. */
#include "platform.h"

#include <stdio.h>

static FILE *opened;

int platform_open(const char *name)
{
    opened = fopen(name, "rb");
    return opened == NULL ? -1 : 0;
}

int platform_read(int file, void *to, int count)
{
    (void)file;
    return (int)fread(to, 1, (size_t)count, opened);
}

void platform_print(const char *text, int count)
{
    fwrite(text, 1, (size_t)count, stdout);
}

void platform_paint_stack(void) {}

uint32_t platform_deepest_stack(void)
{
    return 0;
}
