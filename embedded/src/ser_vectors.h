/*
 * For computers alone, where compilers would not find it by themselves: integers in vectors of eight (AVX2), to the same
 * bits as the loops they stand for. No chip compiles any of this; what is built without AVX2 takes the loops.
 *
 *   SER_VECTORS             1 where they are to be had
 *   ser_mulh_8(a, b)        ser_mulh of each; ser_umulh_8 without signs
 *   ser_leading_zeros_8(x)  of numbers from 1 to 2^31 - 1
 *   ser_sum_8(x)            of all eight, modulo 2^32; ser_or_8; ser_sum_4 of four of 64 bits
 *   ser_repeat_4(to, x)     four bytes, four times
 *   ser_columns_4x4(words)  four words, each a column of four bytes, as rows; ser_join_4 puts two such together
 *   ser_bytes_4x4(w, x)     sums of products of bytes, of four rows of four with four that were repeated and from which 128 is
 *                           taken off: two halves of each row's, which ser_add_neighbours_8 adds up
 *   ser_signed_bytes_4x8(w, x)  of twice as many with x below 128, from each w 128 taken off: whole sums, which are to be
 *                           added to those of the other four
 *   ser_bytes_4(from)       bytes as numbers; ser_store_bytes_4 back
 *   complex numbers are pairs re, im, four to a vector:
 *   ser_conjugate_4(z), ser_swap_4(z)  re, -im; im, re
 *   ser_load_turns_4(w)     twiddles, as ser_turn_4 takes them
 *   ser_turn_4(z, w)        half of each, turned by -w, rounded as ser_fft.c does
 */
#ifndef SER_VECTORS_H
#define SER_VECTORS_H

#include "ser_fixed.h"

#if defined(__AVX2__) && defined(__GNUC__) && !SER_NARROW_PRODUCTS
#define SER_VECTORS 1
#else
#define SER_VECTORS 0
#endif

#if SER_VECTORS

#include <immintrin.h>

typedef __m256i ser_vector;

SER_INLINE ser_vector ser_load_8(const void *from)
{
    return _mm256_loadu_si256((const __m256i_u *)from);
}

SER_INLINE void ser_store_8(void *to, ser_vector x)
{
    _mm256_storeu_si256((__m256i_u *)to, x);
}

SER_INLINE ser_vector ser_mulh_8(ser_vector a, ser_vector b)
{
    const ser_vector even = _mm256_mul_epi32(a, b);
    const ser_vector odd = _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}

SER_INLINE ser_vector ser_umulh_8(ser_vector a, ser_vector b)
{
    const ser_vector even = _mm256_mul_epu32(a, b);
    const ser_vector odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}

/* By the exponent as a float, into which no number is rounded up whose second bit is none. */
SER_INLINE ser_vector ser_leading_zeros_8(ser_vector x)
{
    const ser_vector top = _mm256_andnot_si256(_mm256_srli_epi32(x, 1), x);
    const ser_vector exponent = _mm256_srli_epi32(_mm256_castps_si256(_mm256_cvtepi32_ps(top)), 23);
    return _mm256_sub_epi32(_mm256_set1_epi32(127 + 31), exponent);
}

SER_INLINE uint32_t ser_sum_8(ser_vector x)
{
    __m128i y = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    y = _mm_add_epi32(y, _mm_shuffle_epi32(y, 0x4e));
    y = _mm_add_epi32(y, _mm_shuffle_epi32(y, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(y);
}

SER_INLINE int64_t ser_sum_4(ser_vector x)
{
    const __m128i y = _mm_add_epi64(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    return _mm_cvtsi128_si64(_mm_add_epi64(y, _mm_unpackhi_epi64(y, y)));
}

SER_INLINE uint32_t ser_or_8(ser_vector x)
{
    __m128i y = _mm_or_si128(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    y = _mm_or_si128(y, _mm_shuffle_epi32(y, 0x4e));
    y = _mm_or_si128(y, _mm_shuffle_epi32(y, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(y);
}

/* Half a vector, and zeros. */
SER_INLINE ser_vector ser_load_4(const void *from)
{
    return _mm256_zextsi128_si256(_mm_loadu_si128((const __m128i_u *)from));
}

SER_INLINE void ser_repeat_4(uint8_t *to, const uint8_t *x)
{
    int32_t four;
    __builtin_memcpy(&four, x, sizeof four);
    _mm_storeu_si128((__m128i_u *)to, _mm_set1_epi32(four));
}

SER_INLINE __m128i ser_columns_4x4(const uint32_t *words)
{
    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i_u *)words), _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
}

SER_INLINE ser_vector ser_join_4(__m128i low, __m128i high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

SER_INLINE ser_vector ser_bytes_4x4(__m128i rows, const uint8_t *x)
{
    const __m128i sizes = _mm_xor_si128(_mm_loadu_si128((const __m128i_u *)x), _mm_set1_epi8(-128));
    return _mm256_madd_epi16(_mm256_cvtepu8_epi16(rows), _mm256_cvtepi8_epi16(sizes));
}

SER_INLINE ser_vector ser_signed_bytes_4x8(ser_vector rows, ser_vector x)
{
    const ser_vector pairs = _mm256_maddubs_epi16(x, _mm256_xor_si256(rows, _mm256_set1_epi8(-128)));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

SER_INLINE __m128i ser_add_neighbours_8(ser_vector x)
{
    return _mm_hadd_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}

SER_INLINE __m128i ser_bytes_4(const uint8_t *from)
{
    int32_t four;
    __builtin_memcpy(&four, from, sizeof four);
    return _mm_cvtepu8_epi32(_mm_cvtsi32_si128(four));
}

SER_INLINE void ser_store_bytes_4(uint8_t *to, __m128i x)
{
    const int32_t four = _mm_cvtsi128_si32(_mm_shuffle_epi8(x, _mm_set1_epi32(0x0c080400)));
    __builtin_memcpy(to, &four, sizeof four);
}

SER_INLINE ser_vector ser_swap_4(ser_vector z)
{
    return _mm256_shuffle_epi32(z, 0xb1);
}

SER_INLINE ser_vector ser_conjugate_4(ser_vector z)
{
    return _mm256_sign_epi32(z, _mm256_setr_epi32(1, -1, 1, -1, 1, -1, 1, -1));
}

SER_INLINE ser_vector ser_reverse_4(ser_vector z)
{
    return _mm256_permute4x64_epi64(z, 0x1b);
}

/* The first, third, fifth and seventh complex number from here. */
SER_INLINE ser_vector ser_every_second_4(const int32_t *z)
{
    return _mm256_permute4x64_epi64(_mm256_blend_epi32(ser_load_8(z), ser_load_8(z + 6), 0xcc), 0xd8);
}

typedef struct {
    ser_vector w, im; /* the latter where the real parts are in the former */
} ser_turns_4;

SER_INLINE ser_turns_4 ser_turns_of(ser_vector w)
{
    const ser_turns_4 turns = {w, _mm256_srli_epi64(w, 32)};
    return turns;
}

SER_INLINE ser_vector ser_turn_4(ser_vector z, ser_turns_4 w)
{
    const ser_vector im = _mm256_srli_epi64(z, 32);
    /* only high halves are used: they add up by themselves */
    const ser_vector re_high = _mm256_add_epi32(_mm256_mul_epi32(z, w.w), _mm256_mul_epi32(im, w.im));
    const ser_vector im_high = _mm256_sub_epi32(_mm256_mul_epi32(im, w.w), _mm256_mul_epi32(z, w.im));
    return _mm256_add_epi32(_mm256_blend_epi32(_mm256_srli_epi64(re_high, 32), im_high, 0xaa),
                            _mm256_set1_epi64x(1));
}

#endif

#endif
