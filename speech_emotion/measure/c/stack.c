#include "platform.h"

#include <stddef.h>

extern uint32_t stack_bottom[], stack_top[]; /* of the linker script */

enum { IN_USE = 512 }; /* bytes below this function's frame that may hold something */

static const uint32_t paint = 0xdeadbeefu;

__attribute__((noinline)) void platform_paint_stack(void)
{
    volatile uint32_t here = 0;
    uint32_t *end = (uint32_t *)(((uintptr_t)&here & ~(uintptr_t)3u) - IN_USE);
    for (volatile uint32_t *p = stack_bottom; p < end; p++) {
        *p = paint;
    }
}

uint32_t platform_deepest_stack(void)
{
    const uint32_t *p = stack_bottom;
    while (p < stack_top && *p == paint) {
        p++;
    }
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)p);
}
