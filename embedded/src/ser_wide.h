/*
 * Sums that are exact for as long as anybody listens: little words of 32 bits, least first, two's complement.
 *
 *   ser_add_64(words, x)    words[2] += x         ser_add_96(words, x)   words[3] += x, of 64 bits with sign
 *   ser_add_128(words, low, high)
 *   ser_add_words(words, other, count)            words += other
 *   ser_wide                128 bits, in which what is left of such sums around a middle is taken, exactly
 */
#ifndef SER_WIDE_H
#define SER_WIDE_H

#include "ser_fixed.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

SER_INLINE void ser_add_64(uint32_t *words, uint64_t x)
{
    const uint64_t sum = (((uint64_t)words[1] << 32) | words[0]) + x;
    words[0] = (uint32_t)sum;
    words[1] = (uint32_t)(sum >> 32);
}

/* more: the word above x, as it is or of the sign. */
SER_INLINE void ser_add_96(uint32_t *words, uint64_t x, uint32_t more)
{
    const uint64_t sum = (((uint64_t)words[1] << 32) | words[0]) + x;
    words[0] = (uint32_t)sum;
    words[1] = (uint32_t)(sum >> 32);
    words[2] += more + (sum < x ? 1U : 0U);
}

SER_INLINE void ser_add_128(uint32_t *words, uint64_t low, uint64_t high)
{
    const uint64_t sum = (((uint64_t)words[1] << 32) | words[0]) + low;
    const uint64_t above = (((uint64_t)words[3] << 32) | words[2]) + high + (sum < low ? 1U : 0U);
    words[0] = (uint32_t)sum;
    words[1] = (uint32_t)(sum >> 32);
    words[2] = (uint32_t)above;
    words[3] = (uint32_t)(above >> 32);
}

static inline void ser_add_words(uint32_t *words, const uint32_t *other, int count)
{
    uint32_t carry = 0;
    for (int i = 0; i < count; i++) {
        const uint32_t more = other[i] + carry; /* 0 if it overflows: then the carry stays */
        const uint32_t sum = words[i] + more;
        carry = (more < carry || sum < more) ? 1U : 0U;
        words[i] = sum;
    }
}

typedef struct {
    uint32_t word[4];
} ser_wide;

/* From so many words; with_sign: whether the highest bit is one. */
static inline ser_wide ser_wide_of(const uint32_t *words, int count, int with_sign)
{
    ser_wide wide;
    const uint32_t more = with_sign && words[count - 1] >> 31 ? UINT32_MAX : 0;
    for (int i = 0; i < 4; i++) {
        wide.word[i] = i < count ? words[i] : more;
    }
    return wide;
}

/* a -= b factor, modulo 2^128. */
static inline void ser_wide_take(ser_wide *a, const ser_wide *b, int32_t factor)
{
    const uint32_t size = factor < 0 ? 0U - (uint32_t)factor : (uint32_t)factor;
    const uint32_t flip = factor > 0 ? UINT32_MAX : 0; /* of the product, for its negative */
    uint64_t product = 0;
    uint32_t carry = factor > 0;
    for (int i = 0; i < 4; i++) {
        product += (uint64_t)b->word[i] * size;
        const uint64_t sum = (uint64_t)a->word[i] + ((uint32_t)product ^ flip) + carry;
        a->word[i] = (uint32_t)sum;
        carry = (uint32_t)(sum >> 32);
        product >>= 32;
    }
}

/* To single precision: its highest 32 bits, rounded once. */
static inline float ser_wide_to_float(const ser_wide *wide)
{
    const uint32_t flip = 0U - (wide->word[3] >> 31);
    int top = 3;
    while (top > 0 && (wide->word[top] ^ flip) == 0) {
        top--;
    }
    /* sizes: of a negative number a unit less, far below what is kept; in the lowest word the unit counts */
    uint32_t high = wide->word[top] ^ flip;
    int bits = 32 * top;
    if (top > 0) {
        const int zeros = ser_leading_zeros(high);
        if (zeros > 0) {
            high = high << zeros | (wide->word[top - 1] ^ flip) >> (32 - zeros);
        }
        bits -= zeros;
    }
    const float size = (float)(top > 0 ? high : high + (flip & 1U)) * ser_from_bits((uint32_t)(127 + bits) << 23);
    return flip != 0 ? -size : size;
}

#ifdef __cplusplus
}
#endif

#endif
