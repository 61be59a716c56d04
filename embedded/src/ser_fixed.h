/* Integer arithmetic that gives the same bits on every target: what C leaves open is settled here, once.
 *
 *   ser_mulh(a, b)       floor(a b / 2^32), exact; with b in Q1.31 half of the product
 *   ser_umulh(a, b)      the same without signs
 *   ser_add_mulh(s, a, b)  s + ser_mulh(a, b)
 *   ser_leading_zeros(x) of 32 bits, x > 0; ser_size(x)  |x|
 *   ser_log2_q24(x)      log2(x) in Q7.24, x > 0, error below 1.2e-7; ser_log2_q24_64(x) of 64 bits
 *   ser_exp2_q30(x)      2^x in Q2.30, x in Q7.24 and at most 0, error below 4e-7
 *   ser_root_q16(x)      square root of an integer in Q16.16, error below 3e-7 of it and 2^-16
 *   ser_reciprocal(x)    2^62 / x, x at least 2^31, relative error below 1e-8
 *   ser_inverse_root(x)  2^45 / sqrt(x), x at least 2^30, relative error below 3e-8
 *
 * On a Cortex-M0+ only the low half of a 32-bit product is an instruction: high halves are put together from
 * four of 16 bits there, to the same bits.
 */
#ifndef SER_FIXED_H
#define SER_FIXED_H

#include "ser_math.h"

#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Right shifts of negative numbers keep the sign, as with every compiler there is; C99 leaves it to them. */
typedef char ser_shifts_keep_the_sign[((-3) >> 1) == -2 ? 1 : -1];

#if defined(__ARM_ARCH_6M__) || defined(SER_TEST_NARROW_PRODUCTS)
#define SER_NARROW_PRODUCTS 1
#else
#define SER_NARROW_PRODUCTS 0
#endif

SER_INLINE uint32_t ser_umulh(uint32_t a, uint32_t b)
{
#if SER_NARROW_PRODUCTS
    const uint32_t al = a & 0xffffU;
    const uint32_t ah = a >> 16;
    const uint32_t bl = b & 0xffffU;
    const uint32_t bh = b >> 16;
    const uint32_t middle = ah * bl + ((al * bl) >> 16); /* below 2^32 */
    const uint32_t other = al * bh + (middle & 0xffffU);
    return ah * bh + (middle >> 16) + (other >> 16);
#else
    return (uint32_t)(((uint64_t)a * b) >> 32);
#endif
}

SER_INLINE int32_t ser_mulh(int32_t a, int32_t b)
{
#if SER_NARROW_PRODUCTS
    const int32_t al = (int32_t)((uint32_t)a & 0xffffU);
    const int32_t ah = a >> 16;
    const int32_t bl = (int32_t)((uint32_t)b & 0xffffU);
    const int32_t bh = b >> 16;
    /* al bl fits 32 bits without a sign; ah bl + 2^16 fits with one */
    const int32_t middle = ah * bl + (int32_t)(((uint32_t)al * (uint32_t)bl) >> 16);
    const int32_t other = al * bh + (middle & 0xffff);
    return ah * bh + (middle >> 16) + (other >> 16);
#elif defined(__ARM_FEATURE_DSP) && defined(__GNUC__) /* GCC takes both halves of the product, in two registers */
    int32_t high;
    __asm__("smmul %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
#else
    return (int32_t)(((int64_t)a * b) >> 32);
#endif
}

SER_INLINE int32_t ser_add_mulh(int32_t sum, int32_t a, int32_t b)
{
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !SER_NARROW_PRODUCTS
    int32_t more;
    __asm__("smmla %0, %1, %2, %3" : "=r"(more) : "r"(a), "r"(b), "r"(sum));
    return more;
#else
    return sum + ser_mulh(a, b);
#endif
}

/* An address that the compiler shall keep, where LLVM for Xtensa would compute it again for each number that it reads. */
#if defined(__XTENSA__) && defined(__GNUC__)
#define SER_AS_IT_IS(p) __asm__("" : "+r"(p))
#else
#define SER_AS_IT_IS(p) (void)0
#endif

/* What is done before stays before, and p is an address that what comes after goes by: an ESP32's core has registers for no more. */
#if defined(__XTENSA__) && defined(__GNUC__)
#define SER_FIRST_THIS_2(p, a, b) __asm__("" : "+r"(p), "+r"(a), "+r"(b))
#define SER_FIRST_THIS_3(p, a, b, c) __asm__("" : "+r"(p), "+r"(a), "+r"(b), "+r"(c))
#define SER_FIRST_THIS_4(p, a, b, c, d) __asm__("" : "+r"(p), "+r"(a), "+r"(b), "+r"(c), "+r"(d))
#else
#define SER_FIRST_THIS_2(p, a, b) (void)0
#define SER_FIRST_THIS_3(p, a, b, c) (void)0
#define SER_FIRST_THIS_4(p, a, b, c, d) (void)0
#endif

/* A sum of 64 bits. Without carries in the processor a jump over an increment, which is rarely needed, is cheaper than a sum of bits. */
#if defined(__XTENSA__)
typedef struct {
    uint32_t low, high;
} ser_sum;

SER_INLINE void ser_sum_add(ser_sum *sum, uint32_t low, uint32_t high)
{
    uint32_t total = sum->high + high;
    sum->low += low;
    SER_AS_IT_IS(sum->low); /* or LLVM makes a number of the carry */
    if (sum->low < low) {
        total++;
        SER_AS_IT_IS(total);
    }
    sum->high = total;
}

SER_INLINE uint64_t ser_sum_of(ser_sum sum)
{
    return (uint64_t)sum.high << 32 | sum.low;
}

#define SER_SUM_OF_NOTHING {0, 0}
#else
typedef uint64_t ser_sum;

SER_INLINE void ser_sum_add(ser_sum *sum, uint32_t low, uint32_t high)
{
    *sum += (uint64_t)high << 32 | low;
}

SER_INLINE uint64_t ser_sum_of(ser_sum sum)
{
    return sum;
}

#define SER_SUM_OF_NOTHING 0
#endif

/* Two samples in the halves of a word, where a Cortex works on both at once; what comes out is the same. */
#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_UNALIGNED) && defined(__GNUC__)
#define SER_SAMPLE_PAIRS 1

SER_INLINE uint32_t ser_pair_at(const int16_t *samples)
{
    uint32_t pair;
    memcpy(&pair, samples, sizeof pair);
    return pair;
}

/* sum and both samples of the pair */
SER_INLINE int32_t ser_add_pair(int32_t sum, uint32_t pair)
{
    const uint32_t once = 0x00010001U;
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(pair), "r"(once));
    return sum;
}

/* The squares of both samples of the pair, added. */
SER_INLINE uint32_t ser_squares(uint32_t pair)
{
    uint32_t squares;
    __asm__("smuad %0, %1, %1" : "=r"(squares) : "r"(pair));
    return squares;
}

/* sum and the squares of both samples of the pair */
SER_INLINE uint64_t ser_add_squares(uint64_t sum, uint32_t pair)
{
    __asm__("smlald %Q0, %R0, %1, %1" : "+r"(sum) : "r"(pair));
    return sum;
}

/* The larger, and the smaller, of the samples at the same place of two pairs. */
SER_INLINE uint32_t ser_larger_pair(uint32_t a, uint32_t b)
{
    uint32_t larger;
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(larger) : "r"(a), "r"(b) : "cc");
    return larger;
}

SER_INLINE uint32_t ser_smaller_pair(uint32_t a, uint32_t b)
{
    uint32_t smaller;
    __asm__("ssub16 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(smaller) : "r"(a), "r"(b) : "cc");
    return smaller;
}
#else
#define SER_SAMPLE_PAIRS 0
#endif

#if defined(__GNUC__) && !defined(__wasm__)
/* One word, from a place of words to another. */
SER_INLINE void ser_copy_word(void *to, const void *from)
{
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(from, 4), sizeof word);
    memcpy(__builtin_assume_aligned(to, 4), &word, sizeof word);
}
#endif

/* Copies so many words, from a place of words to another: memcpy and memmove of small C libraries go by bytes. Places
 * may overlap where `to` is before `from`. */
SER_INLINE void ser_copy_words(void *to, const void *from, int words)
{
#if defined(__GNUC__) && !defined(__wasm__)
    char *t = (char *)to;
    const char *f = (const char *)from;
    for (const char *end = f + (words & ~3) * 4; f < end; t += 16, f += 16) {
        SER_AS_IT_IS(t);
        SER_AS_IT_IS(f);
        ser_copy_word(t, f);
        ser_copy_word(t + 4, f + 4);
        ser_copy_word(t + 8, f + 8);
        ser_copy_word(t + 12, f + 12);
    }
    for (words &= 3; words > 0; words--, t += 4, f += 4) {
        SER_AS_IT_IS(t);
        ser_copy_word(t, f);
    }
#else
    memmove(to, from, 4 * (size_t)words);
#endif
}

/* Zeroes so many bytes, a multiple of four, from a place of words on: as above of memset. */
SER_INLINE void ser_clear_words(void *place, size_t bytes)
{
#if defined(__GNUC__) && !defined(__wasm__)
    const uint32_t zero = 0;
    for (char *p = (char *)place, *end = p + bytes; p < end; p += sizeof zero) {
        SER_AS_IT_IS(p);
        ser_copy_word(p, &zero);
    }
#else
    memset(place, 0, bytes);
#endif
}

/* Halves up. */
SER_INLINE int32_t ser_rounded(int32_t x, int bits)
{
    return (x + (1 << (bits - 1))) >> bits;
}

/* Of 32 bits; x > 0. */
SER_INLINE int ser_leading_zeros(uint32_t x)
{
#if defined(__XTENSA__) && defined(__GNUC__) /* an instruction that LLVM does not choose by itself */
    int zeros;
    __asm__("nsau %0, %1" : "=r"(zeros) : "r"(x));
    return zeros;
#elif defined(__GNUC__) && !defined(__ARM_ARCH_6M__) && (!defined(__riscv) || defined(__riscv_zbb))
    return __builtin_clz(x);
#else
    int zeros = 0;
    if (x < 0x10000U) {
        zeros = 16;
        x <<= 16;
    }
    if (x < 0x1000000U) {
        zeros += 8;
        x <<= 8;
    }
    if (x < 0x10000000U) {
        zeros += 4;
        x <<= 4;
    }
    return zeros + (x >> 31 ? 0 : x >> 30 ? 1 : x >> 29 ? 2 : 3);
#endif
}

/* |x|; of the lowest number that. */
SER_INLINE uint32_t ser_size(int32_t x)
{
#if defined(__XTENSA__) && defined(__GNUC__) /* as above */
    uint32_t size;
    __asm__("abs %0, %1" : "=r"(size) : "r"(x));
    return size;
#else
    return x < 0 ? 0U - (uint32_t)x : (uint32_t)x;
#endif
}

/* Of the 32-bit mantissa whose highest bit is set, a parabola over each of the ranges of so many bits below it: Q24 of its log2, in
   [0, 1]. */
SER_INLINE int32_t ser_mantissa_log2(const int32_t (*rows)[3], int range_bits, uint32_t mantissa)
{
    const int32_t *row = rows[(mantissa >> (31 - range_bits)) - (1U << range_bits)];
    SER_AS_IT_IS(row);
    uint32_t below = mantissa << (range_bits + 1); /* what is below the range's bits */
    SER_AS_IT_IS(below);
    const int32_t place = (int32_t)(below >> 1); /* Q1.31 */
    return (row[0] + ser_mulh(place, row[1] + ser_mulh(place, row[2])) + 32) >> 6;
}

/* ser_log2_q24, compiled into the place that uses it, by ser_log2_rows and SER_LOG2_BITS. */
SER_INLINE int32_t ser_log2_here(const int32_t (*rows)[3], int range_bits, uint32_t x)
{
    const int zeros = ser_leading_zeros(x);
    return (31 - zeros) * (1 << 24) + ser_mantissa_log2(rows, range_bits, x << zeros);
}

/* log2(x) times 2^24, x > 0. */
int32_t ser_log2_q24(uint32_t x);
int32_t ser_log2_q24_64(uint64_t x);

/* 2^(x / 2^24) times 2^30, x <= 0. */
int32_t ser_exp2_q30(int32_t x);

/* sqrt(x) times 2^16. */
uint32_t ser_root_q16(uint32_t x);

/* 2^62 / x for x >= 2^31, in [2^30, 2^31]. */
uint32_t ser_reciprocal(uint32_t x);

/* 2^45 / sqrt(x) for x >= 2^30, in [2^29 - 1, 2^30). */
int32_t ser_inverse_root(uint32_t x);

#ifdef __cplusplus
}
#endif

#endif
