/*
 * Sums that are exact for as long as anybody listens: little words of 32 bits, least first, two's complement.
 *
 *   ser_add_64(words, x)    words[2] += x         ser_add_96(words, x)   words[3] += x, of 64 bits with sign
 *   ser_add_128(words, low, high)
 *   ser_add_words_2(words, other)                 words[2] += other, and so on up to 4
 *   ser_add_3(words, a, b, c)                     words[3] += a, b, c; ser_take_3 subtracts; by jumps, for a core without carries
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

/* Returns whether it went over. */
SER_INLINE int ser_add_word(uint32_t *word, uint32_t more)
{
    uint32_t sum = *word + more;
    SER_AS_IT_IS(sum); /* or LLVM makes a number of the carry and compares that */
    *word = sum;
    return sum < more;
}

/* What is to be added next, and a carry: by a jump, not a sum of bits. Returns whether it goes on. */
SER_INLINE int ser_carry_into(uint32_t *more)
{
    uint32_t sum = *more + 1;
    SER_AS_IT_IS(sum);
    *more = sum;
    return sum == 0;
}

/* words[3] += a, b, c, least first. */
SER_INLINE void ser_add_3(uint32_t *words, uint32_t a, uint32_t b, uint32_t c)
{
    if (ser_add_word(words, a) && ser_carry_into(&b)) {
        (void)ser_carry_into(&c);
    }
    if (ser_add_word(words + 1, b)) {
        (void)ser_carry_into(&c);
    }
    words[2] += c;
}

SER_INLINE void ser_take_3(uint32_t *words, uint32_t a, uint32_t b, uint32_t c)
{
    const uint32_t first = words[0], second = words[1];
    uint32_t rest = first - a;
    SER_AS_IT_IS(rest);
    words[0] = rest;
    if (first < a && ser_carry_into(&b)) {
        (void)ser_carry_into(&c);
    }
    rest = second - b;
    SER_AS_IT_IS(rest);
    words[1] = rest;
    if (second < b) {
        (void)ser_carry_into(&c);
    }
    words[2] -= c;
}

/* words[2] += other, and so on. A carry that meets a word of ones, which is rare, goes on to the next; after a compare, an increment is
   cheaper than a sum of bits. */
SER_INLINE void ser_add_words_2(uint32_t *words, const uint32_t *other)
{
    const uint32_t b = other[1];
    words[1] += ser_add_word(words, other[0]) ? b + 1 : b;
}

SER_INLINE void ser_add_words_3(uint32_t *words, const uint32_t *other)
{
    uint32_t b = other[1], c = other[2];
    if (ser_add_word(words, other[0]) && ++b == 0) {
        c++;
    }
    words[2] += ser_add_word(words + 1, b) ? c + 1 : c;
}

SER_INLINE void ser_add_words_4(uint32_t *words, const uint32_t *other)
{
    uint32_t b = other[1], c = other[2], d = other[3];
    if (ser_add_word(words, other[0]) && ++b == 0 && ++c == 0) {
        d++;
    }
    if (ser_add_word(words + 1, b) && ++c == 0) {
        d++;
    }
    words[3] += ser_add_word(words + 2, c) ? d + 1 : d;
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

/* From 64 bits with their sign. */
static inline ser_wide ser_wide_of_64(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    const uint32_t more = 0U - (high >> 31);
    const ser_wide wide = {{(uint32_t)x, high, more, more}};
    return wide;
}

/* a += b, modulo 2^128. */
static inline void ser_wide_add(ser_wide *a, const ser_wide *b)
{
    ser_add_words_4(a->word, b->word);
}

/* a -= b factor, modulo 2^128; in the lowest `count` words, if what comes out fits them with its sign. */
SER_NOT_INLINE static void ser_wide_take(ser_wide *a, const ser_wide *b, int32_t factor, int count)
{
    const uint32_t size = factor < 0 ? 0U - (uint32_t)factor : (uint32_t)factor;
    const uint32_t flip = factor > 0 ? UINT32_MAX : 0; /* a - p is ~(~a + p) */
    uint32_t high = 0;
    for (int i = 0; i < count; i++) {
        const uint32_t low = b->word[i] * size;
        const uint32_t sum = (a->word[i] ^ flip) + low;
        const uint32_t total = sum + high;
        /* a product and two words more fit two words */
        high = ser_umulh(b->word[i], size);
        if (sum < low) {
            high++;
        }
        if (total < sum) {
            high++;
        }
        a->word[i] = total ^ flip;
    }
    const uint32_t more = 0U - (a->word[count - 1] >> 31);
    for (int i = count; i < 4; i++) {
        a->word[i] = more;
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
