/*
 * Sums that are exact for as long as anybody listens: little words of 32 bits, least first, two's complement.
 *
 *   ser_add_64(words, x)    words[2] += x         ser_add_96(words, x)   words[3] += x, of 64 bits with sign
 *   ser_add_words(words, other, count)            words += other
 *   ser_wide                128 bits, in which what is left of such sums around a middle is taken, exactly
 */
#ifndef SER_WIDE_H
#define SER_WIDE_H

#include "ser_math.h"

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

/* more: the word above x, 0 or UINT32_MAX. */
SER_INLINE void ser_add_96(uint32_t *words, uint64_t x, uint32_t more)
{
    const uint64_t sum = (((uint64_t)words[1] << 32) | words[0]) + x;
    words[0] = (uint32_t)sum;
    words[1] = (uint32_t)(sum >> 32);
    words[2] += more + (sum < x ? 1U : 0U);
}

static inline void ser_add_words(uint32_t *words, const uint32_t *other, int count)
{
    uint32_t carry = 0;
    for (int i = 0; i < count; i++) {
        const uint64_t sum = (uint64_t)words[i] + other[i] + carry;
        words[i] = (uint32_t)sum;
        carry = (uint32_t)(sum >> 32);
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

static inline void ser_wide_negate(ser_wide *wide)
{
    uint32_t carry = 1;
    for (int i = 0; i < 4; i++) {
        wide->word[i] = ~wide->word[i] + carry;
        carry = carry && wide->word[i] == 0;
    }
}

/* a -= b factor, modulo 2^128. */
static inline void ser_wide_take(ser_wide *a, ser_wide b, int32_t factor)
{
    const uint32_t size = factor < 0 ? 0U - (uint32_t)factor : (uint32_t)factor;
    uint64_t carry = 0;
    if (factor > 0) {
        ser_wide_negate(&b);
    }
    for (int i = 0; i < 4; i++) {
        /* a word by 32 bits, a word and a carry below 2^32: below 2^64 */
        const uint64_t sum = (uint64_t)b.word[i] * size + a->word[i] + carry;
        a->word[i] = (uint32_t)sum;
        carry = sum >> 32;
    }
}

/* Times 2^8. */
static inline ser_wide ser_wide_256(ser_wide wide)
{
    for (int i = 3; i >= 0; i--) {
        wide.word[i] = wide.word[i] << 8 | (i > 0 ? wide.word[i - 1] >> 24 : 0);
    }
    return wide;
}

/* To single precision: its highest 32 bits, rounded once. */
static inline float ser_wide_to_float(ser_wide wide)
{
    const int negative = (int)(wide.word[3] >> 31);
    float scale = 1.0f;
    int top = 3;
    if (negative) {
        ser_wide_negate(&wide);
    }
    while (top > 0 && wide.word[top] == 0) {
        top--;
    }
    uint32_t high = wide.word[top];
    uint32_t low = top > 0 ? wide.word[top - 1] : 0;
    while (high != 0 && high >> 31 == 0 && top > 0) {
        high = high << 1 | low >> 31;
        low <<= 1;
        scale *= 0.5f;
    }
    for (; top > 0; top--) {
        scale *= 4294967296.0f;
    }
    const float size = (float)high * scale;
    return negative ? -size : size;
}

#ifdef __cplusplus
}
#endif

#endif
