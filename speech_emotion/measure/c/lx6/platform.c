/* QEMU's Xtensa "sim" machine: the computer's files by way of SIMCALL. */
#include "platform.h"

enum { CALL_READ = 3, CALL_WRITE = 4, CALL_OPEN = 5 };

int simcall(int number, int a, int b, int c); /* start.S */

int platform_open(const char *name)
{
    return simcall(CALL_OPEN, (int)(intptr_t)name, 0, 0);
}

int platform_read(int file, void *to, int count)
{
    return simcall(CALL_READ, file, (int)(intptr_t)to, count);
}

void platform_print(const char *text, int count)
{
    simcall(CALL_WRITE, 1, (int)(intptr_t)text, count);
}
