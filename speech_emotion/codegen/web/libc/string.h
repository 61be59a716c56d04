/* The C library's functions that the recogniser calls; the compiler has a WebAssembly instruction for each. */
#ifndef SER_WEB_STRING_H
#define SER_WEB_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);

#endif
