/* Single-precision elementary functions that give the same bits on every target: built only from
 * IEEE add and multiply, no libm, no division. Every source that computes includes it.
 *
 *   ser_log2(x)    x > 0 normal      error < 1.5 ulp of max(|result|, 0.5)
 *   ser_exp2(x)    any finite x      relative error < 2e-7; 0 below -126, clamped above 127.99
 *   ser_rsqrt(x)   x > 0 normal      relative error < 3e-7
 *   ser_recip(x)   |x| normal        relative error < 4e-7
 *   ser_db(x)      10 log10(x)
 */
#ifndef SER_MATH_H
#define SER_MATH_H

#include <stdint.h>
#include <string.h>

#if defined(__XTENSA__) && defined(__has_include)
#if __has_include(<xtensa/config/core-isa.h>)
#include <xtensa/config/core-isa.h> /* which instructions the core has: XCHAL_HAVE_... */
#endif
#endif

/* No fused multiply-add in any source that includes this, whatever the command line says: it rounds once where
 * two operations round twice, and results would depend on the processor. Nor sums in another order, which -Ofast and
 * -ffast-math allow; some cores for nRF52840 boards compile so. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#if defined(__FAST_MATH__)
#error "The answers must be the same on every machine: compile without -ffast-math and -Ofast."
#endif
#elif defined(__GNUC__)
#if defined(__FAST_MATH__)
#pragma GCC optimize("fp-contract=off", "no-fast-math")
#else
#pragma GCC optimize("fp-contract=off")
#endif
#endif

/* For what is to be compiled into each place that uses it, or into none. */
#if defined(__GNUC__)
#define SER_INLINE static inline __attribute__((always_inline))
#define SER_NOT_INLINE __attribute__((noinline, unused))
#else
#define SER_INLINE static inline
#define SER_NOT_INLINE
#endif

/* For an array that some chips also read by words. */
#if defined(__GNUC__)
#define SER_WORDS __attribute__((aligned(4)))
#else
#define SER_WORDS
#endif

#ifdef __cplusplus
extern "C" {
#endif

static inline uint32_t ser_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float ser_from_bits(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* In two halves: the C library may convert 64 bits by way of doubles. */
static inline float ser_from_u64(uint64_t x)
{
    return (float)(uint32_t)(x >> 32) * 4294967296.0f + (float)(uint32_t)x;
}

static inline float ser_absf(float x) { return x < 0.0f ? -x : x; }
static inline float ser_minf(float a, float b) { return a < b ? a : b; }
static inline float ser_maxf(float a, float b) { return a > b ? a : b; }

/* Nearest integer, halves towards +infinity (Praat's rounding of sample positions). */
static inline int32_t ser_round(float x)
{
    const float y = x + 0.5f;
    const int32_t i = (int32_t)y;
    return (float)i > y ? i - 1 : i;
}

/* Minimax polynomial of log2(1 + t) / t, degree 8, on mantissas in [sqrt 1/2, sqrt 2). */
static inline float ser_log2(float x)
{
    const uint32_t u = ser_bits(x);
    const uint32_t offset = u - 0x3f3504f3u; /* sqrt(1/2) */
    const int32_t exponent = (int32_t)(offset >> 23) - (int32_t)((offset >> 31) << 9);
    const float t = ser_from_bits(u - ((uint32_t)exponent << 23)) - 1.0f;
    float p = 0.12583663f;
    p = p * t - 0.20726973f;
    p = p * t + 0.21571575f;
    p = p * t - 0.23894483f;
    p = p * t + 0.28791624f;
    p = p * t - 0.36070368f;
    p = p * t + 0.48091063f;
    p = p * t - 0.72134733f;
    /* The leading coefficient is split so that results near 0 keep their relative precision. */
    p = p * t + 0.44269502f;
    return (p * t + t) + (float)exponent;
}

/* Minimax polynomial of 2^f, degree 6, on f in [-1/2, 1/2]. */
static inline float ser_exp2(float x)
{
    int32_t whole;
    float f, p;
    if (!(x > -126.0f)) {
        return 0.0f;
    }
    if (x > 127.49f) {
        x = 127.49f;
    }
    whole = ser_round(x);
    f = x - (float)whole;
    p = 0.00015345811f;
    p = p * f + 0.0013399931f;
    p = p * f + 0.0096184891f;
    p = p * f + 0.055503286f;
    p = p * f + 0.24022646f;
    p = p * f + 0.69314718f;
    p = p * f + 1.0f;
    return ser_from_bits(ser_bits(p) + ((uint32_t)whole << 23));
}

/* An estimate by halving the exponent, one step tuned to it (Kadlec 2010), two Newton steps. */
static inline float ser_rsqrt(float x)
{
    float y = ser_from_bits(0x5f1ffff9u - (ser_bits(x) >> 1));
    y = y * (0.703952253f * (2.38924456f - x * y * y));
    y = y * (1.5f - 0.5f * x * y * y);
    return y * (1.5f - 0.5f * x * y * y);
}

static inline float ser_recip(float x)
{
    const float a = ser_absf(x);
    const float y = ser_rsqrt(a);
    return x < 0.0f ? -(y * y) : y * y;
}

/* 10 log10(x); log10(2) * 10 in two parts keeps the product within an ulp or two. */
static inline float ser_db(float x)
{
    const float l = ser_log2(x);
    return 3.0f * l + 0.010299957f * l;
}

#ifdef __cplusplus
}
#endif

#endif
