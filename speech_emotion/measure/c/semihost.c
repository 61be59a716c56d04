/* QEMU's machines for RISC-V and Arm: the computer's files by way of picolibc's semihosting. */
#include "platform.h"

#include <semihost.h>

int platform_open(const char *name)
{
    return sys_semihost_open(name, SH_OPEN_R_B);
}

int platform_read(int file, void *to, int count)
{
    return count - (int)sys_semihost_read(file, to, (uintptr_t)count); /* it answers what is left */
}

void platform_print(const char *text, int count)
{
    for (int i = 0; i < count; i++) {
        sys_semihost_putc(text[i], NULL);
    }
}
