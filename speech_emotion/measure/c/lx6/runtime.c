/* The few C library functions that the extractor calls. Compiled freestanding, or the compiler would turn
 * the loops into calls of themselves. */
#include <math.h>
#include <stdint.h>
#include <string.h>

float __ieee754_sqrtf(float x); /* libgcc's, by sqrt0.s */

float sqrtf(float x)
{
    return __ieee754_sqrtf(x);
}

static float never_called(void)
{
    __asm__ volatile("ill"); /* start.S ends the program */
    return 0.0f;
}

float expf(float x)
{
    (void)x;
    return never_called();
}

float logf(float x)
{
    (void)x;
    return never_called();
}

float tanhf(float x)
{
    (void)x;
    return never_called();
}

/* libgcc's, of 32-bit products; the chip has an instruction for their high halves, which QEMU's core lacks. */
int64_t __muldi3(int64_t a, int64_t b);

int64_t __muldi3(int64_t a, int64_t b)
{
    const uint32_t al = (uint32_t)a, bl = (uint32_t)b;
    const uint32_t low = (al & 0xffffu) * (bl & 0xffffu), high = (al >> 16) * (bl >> 16);
    const uint32_t one = (al >> 16) * (bl & 0xffffu), other = (al & 0xffffu) * (bl >> 16);
    const uint32_t middle = (low >> 16) + (one & 0xffffu) + (other & 0xffffu);
    const uint32_t top = high + (one >> 16) + (other >> 16) + (middle >> 16) +
                         (uint32_t)(a >> 32) * bl + al * (uint32_t)(b >> 32);
    return (int64_t)((uint64_t)top << 32 | (uint64_t)(middle << 16) | (low & 0xffffu));
}

static int whole_words(const void *a, const void *b, size_t count)
{
    return (((uintptr_t)a | (uintptr_t)b | count) & 3u) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    return memmove(to, from, count);
}

void *memmove(void *to, const void *from, size_t count)
{
    if (whole_words(to, from, count)) {
        uint32_t *t = to;
        const uint32_t *f = from;
        size_t n = count / 4;
        if ((uintptr_t)to <= (uintptr_t)from) {
            for (size_t i = 0; i < n; i++) {
                t[i] = f[i];
            }
        } else {
            while (n-- > 0) {
                t[n] = f[n];
            }
        }
        return to;
    }
    unsigned char *t = to;
    const unsigned char *f = from;
    if ((uintptr_t)to <= (uintptr_t)from) {
        for (size_t i = 0; i < count; i++) {
            t[i] = f[i];
        }
    } else {
        while (count-- > 0) {
            t[count] = f[count];
        }
    }
    return to;
}

void *memset(void *to, int value, size_t count)
{
    if (whole_words(to, to, count)) {
        uint32_t *t = to;
        for (size_t i = 0; i < count / 4; i++) {
            t[i] = (unsigned char)value * 0x01010101u;
        }
        return to;
    }
    unsigned char *t = to;
    for (size_t i = 0; i < count; i++) {
        t[i] = (unsigned char)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t count)
{
    const unsigned char *x = a;
    const unsigned char *y = b;
    for (size_t i = 0; i < count; i++) {
        if (x[i] != y[i]) {
            return x[i] - y[i];
        }
    }
    return 0;
}
