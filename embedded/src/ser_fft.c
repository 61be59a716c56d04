#include "ser_fft.h"

#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_vectors.h"

#include <string.h>

#include "ser_hot.h"

#if SER_FRAME != 512 || SER_PITCH_LAGS != 256
#error "SER_FRAME: the transforms here are of 512 real samples and of twice as many"
#endif

enum { Q4 = 0, Q16 = 6 * 3, Q64 = 6 * (3 + 15) }; /* where a stage's twiddles begin */

/* Half of p, turned by -w. The one added makes good what the two products lose by rounding down. */
SER_INLINE int32_t turned_re(const int32_t *p, const int32_t *w)
{
    return ser_add_mulh(ser_add_mulh(1, p[0], w[0]), p[1], w[1]);
}

/* The same less OWED, where two are added up before their ones are. */
#if defined(__ARM_FEATURE_DSP)
#define OWED 0 /* a sum of three numbers is one instruction, whatever the third */
#else
#define OWED 1
#endif

#if !SER_VECTORS
SER_INLINE int32_t owing_turned_re(const int32_t *p, const int32_t *w)
{
    return ser_add_mulh(ser_add_mulh(1 - OWED, p[0], w[0]), p[1], w[1]);
}
#endif

SER_INLINE int32_t turned_im(const int32_t *p, const int32_t *w)
{
    return ser_mulh(p[1], w[0]) - ser_mulh(p[0], w[1]);
}

#if SER_VECTORS

/* The stages below, with four neighbouring butterflies in a vector. */

/* A quarter turn back: im, -re. */
SER_INLINE ser_vector turned_back(ser_vector z)
{
    return ser_conjugate_4(ser_swap_4(z));
}

/* Needs no multiplication. */
SER_IN_RAM void ser_fft_fours(int32_t *z)
{
    for (int32_t *p = z; p < z + 512; p += 16) {
        const ser_vector x = ser_load_8(p), y = ser_load_8(p + 8);
        const ser_vector ab = _mm256_permute2x128_si256(x, y, 0x20), cd = _mm256_permute2x128_si256(x, y, 0x31);
        const ser_vector su = _mm256_add_epi32(ab, cd), tv = _mm256_sub_epi32(ab, cd);
        const ser_vector st = _mm256_unpacklo_epi64(su, tv), uv = _mm256_unpackhi_epi64(su, tv);
        const ser_vector turned = _mm256_blend_epi32(uv, turned_back(uv), 0xcc);
        const ser_vector low = _mm256_add_epi32(st, turned), high = _mm256_sub_epi32(st, turned);
        ser_store_8(p, _mm256_permute2x128_si256(low, high, 0x20));
        ser_store_8(p + 8, _mm256_permute2x128_si256(low, high, 0x31));
    }
}

/* Of four butterflies: from b0 c0 d0 b1 | c1 d1 b2 c2 | d2 b3 c3 d3. */
SER_INLINE void load_turns(const int32_t *w, ser_turns_4 *turns)
{
    const ser_vector x = ser_load_8(w), y = ser_load_8(w + 8), z = ser_load_8(w + 16);
    const ser_vector b = _mm256_blend_epi32(_mm256_blend_epi32(x, y, 0x30), z, 0x0c); /* b0 b3 b2 b1 */
    const ser_vector c = _mm256_blend_epi32(_mm256_blend_epi32(y, x, 0x0c), z, 0x30); /* c1 c0 c3 c2 */
    const ser_vector d = _mm256_blend_epi32(_mm256_blend_epi32(z, x, 0x30), y, 0x0c); /* d2 d1 d0 d3 */
    turns[0] = ser_turns_of(_mm256_permute4x64_epi64(b, 0x6c));
    turns[1] = ser_turns_of(_mm256_permute4x64_epi64(c, 0xb1));
    turns[2] = ser_turns_of(_mm256_permute4x64_epi64(d, 0xc6));
}

/* The first four of a stage, of which the very first is not turned: nothing stands for it in the table. */
SER_INLINE void load_first_turns(const int32_t *twiddles, ser_turns_4 *turns)
{
    int32_t w[24] = {0};
    memcpy(w + 6, twiddles, 18 * sizeof *w);
    load_turns(w, turns);
}

/* ser_turn_4; plain: the first of the four is halved alone. */
SER_INLINE ser_vector turn(ser_vector z, ser_turns_4 w, int plain)
{
    const ser_vector turned = ser_turn_4(z, w);
    return plain ? _mm256_blend_epi32(turned, _mm256_srai_epi32(z, 1), 0x03) : turned;
}

SER_INLINE void combine(int32_t *p, int leg, const ser_turns_4 *w, int plain)
{
    const ser_vector a = _mm256_srai_epi32(ser_load_8(p), 1), b = turn(ser_load_8(p + leg), w[0], plain);
    const ser_vector c = turn(ser_load_8(p + 2 * leg), w[1], plain), d = turn(ser_load_8(p + 3 * leg), w[2], plain);
    const ser_vector s = _mm256_add_epi32(a, c), t = _mm256_sub_epi32(a, c);
    const ser_vector u = _mm256_add_epi32(b, d), v = turned_back(_mm256_sub_epi32(b, d));
    ser_store_8(p, _mm256_add_epi32(s, u));
    ser_store_8(p + leg, _mm256_add_epi32(t, v));
    ser_store_8(p + 2 * leg, _mm256_sub_epi32(s, u));
    ser_store_8(p + 3 * leg, _mm256_sub_epi32(t, v));
}

SER_INLINE void split(int32_t *p, int leg, const ser_turns_4 *w, int plain)
{
    const ser_vector a = ser_load_8(p), b = ser_load_8(p + leg);
    const ser_vector c = ser_load_8(p + 2 * leg), d = ser_load_8(p + 3 * leg);
    const ser_vector s = _mm256_add_epi32(a, c), t = _mm256_sub_epi32(a, c);
    const ser_vector u = _mm256_add_epi32(b, d), v = turned_back(_mm256_sub_epi32(b, d));
    ser_store_8(p, _mm256_srai_epi32(_mm256_add_epi32(s, u), 1));
    ser_store_8(p + leg, turn(_mm256_add_epi32(t, v), w[0], plain));
    ser_store_8(p + 2 * leg, turn(_mm256_sub_epi32(s, u), w[1], plain));
    ser_store_8(p + 3 * leg, turn(_mm256_sub_epi32(t, v), w[2], plain));
}

typedef void butterflies(int32_t *p, int leg, const ser_turns_4 *w, int plain);

SER_INLINE void stage(int32_t *z, int q, const int32_t *twiddles, butterflies *four)
{
    const int leg = 2 * q;
    ser_turns_4 w[3];
    load_first_turns(twiddles, w);
    for (int32_t *p = z; p < z + 512; p += 4 * leg) {
        four(p, leg, w, 1);
    }
    for (int j = 4; j < q; j += 4) {
        load_turns(twiddles + 6 * (j - 1), w);
        for (int32_t *p = z + 2 * j; p < z + 512; p += 4 * leg) {
            four(p, leg, w, 0);
        }
    }
}

SER_INLINE void radix4_stage(int32_t *z, int q, const int32_t *twiddles)
{
    stage(z, q, twiddles, combine);
}

SER_INLINE void split_stage(int32_t *z, int q, const int32_t *twiddles)
{
    stage(z, q, twiddles, split);
}

#else

/* The stages are compiled once per size: with their distances constant, one pointer addresses all. */

/* Whether all four legs are within what an instruction can add to an address; where they are not, the last two go by an address of
   their own. */
#define IS_NEAR(leg) ((leg) <= 32)

/* A butterfly whose legs are not turned, their numbers shifted down by so much; returns p. */
SER_INLINE int32_t *combine(int32_t *p, int leg, int down)
{
    int32_t *far = p + 2 * leg;
    const int32_t br = p[leg] >> down, bi = p[leg + 1] >> down;
    const int32_t dr = far[leg] >> down, di = far[leg + 1] >> down;
    int32_t ur = br + dr, ui = bi + di;
    int32_t vr = br - dr, vi = bi - di;
    SER_FIRST_THIS_4(p, ur, ui, vr, vi);
    far = IS_NEAR(leg) ? p + 2 * leg : far;
    const int32_t ar = p[0] >> down, ai = p[1] >> down, cr = far[0] >> down, ci = far[1] >> down;
    const int32_t sr = ar + cr, si = ai + ci;
    const int32_t tr = ar - cr, ti = ai - ci;
    p[0] = sr + ur;
    p[1] = si + ui;
    p[leg] = tr + vi;
    p[leg + 1] = ti - vr;
    far[0] = sr - ur;
    far[1] = si - ui;
    far[leg] = tr - vi;
    far[leg + 1] = ti + vr;
    return p;
}

/* The same, three legs turned and halved on the way. */
SER_INLINE void turn_and_combine(int32_t **near_legs, int32_t **far_legs, int leg, const int32_t *w)
{
    int32_t *p = *near_legs, *far = IS_NEAR(leg) ? p + 2 * leg : *far_legs;
    int32_t br = owing_turned_re(p + leg, w), bi = turned_im(p + leg, w);
    if (IS_NEAR(leg)) {
        SER_FIRST_THIS_2(*near_legs, br, bi);
        p = *near_legs;
        far = p + 2 * leg;
    } else {
        SER_FIRST_THIS_2(*far_legs, br, bi);
        far = *far_legs;
    }
    const int32_t dr = owing_turned_re(far + leg, w + 4), di = turned_im(far + leg, w + 4);
    int32_t ur = br + dr + 2 * OWED, ui = bi + di;
    int32_t vr = br - dr, vi = bi - di;
    if (IS_NEAR(leg)) {
        SER_FIRST_THIS_4(*near_legs, ur, ui, vr, vi);
        p = *near_legs;
        far = p + 2 * leg;
    } else {
        SER_FIRST_THIS_4(*far_legs, ur, ui, vr, vi);
        far = *far_legs;
    }
    int32_t cr = turned_re(far, w + 2), ci = turned_im(far, w + 2);
    SER_FIRST_THIS_2(*near_legs, cr, ci);
    p = *near_legs;
    far = IS_NEAR(leg) ? p + 2 * leg : far;
    const int32_t ar = p[0] >> 1, ai = p[1] >> 1;
    const int32_t sr = ar + cr, si = ai + ci;
    const int32_t tr = ar - cr, ti = ai - ci;
    p[0] = sr + ur;
    p[1] = si + ui;
    p[leg] = tr + vi;
    p[leg + 1] = ti - vr;
    far[0] = sr - ur;
    far[1] = si - ui;
    far[leg] = tr - vi;
    far[leg + 1] = ti + vr;
}

/* One radix-4 stage: combines four transforms of q points into one of 4q, halved, all over the array. */
SER_INLINE void radix4_stage(int32_t *z, int q, const int32_t *twiddles)
{
    const int leg = 2 * q;
    for (int block = 0; block < 512; block += 4 * leg) {
        int32_t *p = z + block;
        const int32_t *w = twiddles;
        p = combine(p, leg, 1) + 2;
        const int32_t *end = p + leg - 2;
        do {
            int32_t *far = p + 2 * leg;
            SER_AS_IT_IS(w);
            SER_AS_IT_IS(p);
            turn_and_combine(&p, &far, leg, w);
            p += 2;
            w += 6;
        } while (p != end);
    }
}

/* Needs no multiplication. */
SER_IN_RAM void ser_fft_fours(int32_t *z)
{
    for (int32_t *p = z, *end = z + 512; p < end;) {
        p = combine(p, 2, 0) + 8;
    }
}

/* The transpose of a butterfly whose legs are not turned but halved alone; returns p. */
SER_INLINE int32_t *halve_and_split(int32_t *p, int leg)
{
    int32_t *far = p + 2 * leg;
    int32_t ur = p[leg] + far[leg], ui = p[leg + 1] + far[leg + 1];
    int32_t vr = p[leg] - far[leg], vi = p[leg + 1] - far[leg + 1];
    SER_FIRST_THIS_4(p, ur, ui, vr, vi);
    far = IS_NEAR(leg) ? p + 2 * leg : far;
    const int32_t sr = p[0] + far[0], si = p[1] + far[1];
    const int32_t tr = p[0] - far[0], ti = p[1] - far[1];
    p[0] = (sr + ur) >> 1;
    p[1] = (si + ui) >> 1;
    far[0] = (sr - ur) >> 1;
    far[1] = (si - ui) >> 1;
    p[leg] = (tr + vi) >> 1;
    p[leg + 1] = (ti - vr) >> 1;
    far[leg] = (tr - vi) >> 1;
    far[leg + 1] = (ti + vr) >> 1;
    return p;
}

/* Puts half of a complex number, turned, in its place. */
SER_INLINE void put_turned(int32_t *place, int32_t re, int32_t im, const int32_t *w)
{
    const int32_t c[2] = {re, im};
#if defined(__XTENSA__) /* known before any is written: w need not be read again */
    const int32_t turned[2] = {turned_re(c, w), turned_im(c, w)};
    place[0] = turned[0];
    place[1] = turned[1];
#else
    place[0] = turned_re(c, w);
    place[1] = turned_im(c, w);
#endif
}

/* The same, three legs turned. */
SER_INLINE void turn_and_split(int32_t **near_legs, int32_t **far_legs, int leg, const int32_t *w)
{
    int32_t *p = *near_legs, *far = IS_NEAR(leg) ? p + 2 * leg : *far_legs;
    int32_t ur = p[leg] + far[leg], ui = p[leg + 1] + far[leg + 1];
    int32_t vr = p[leg] - far[leg], vi = p[leg + 1] - far[leg + 1];
    SER_FIRST_THIS_4(*near_legs, ur, ui, vr, vi);
    p = *near_legs;
    far = IS_NEAR(leg) ? p + 2 * leg : far;
    int32_t sr = p[0] + far[0], si = p[1] + far[1];
    int32_t tr = p[0] - far[0], ti = p[1] - far[1];
    SER_FIRST_THIS_4(*near_legs, sr, si, tr, ti);
    p = *near_legs;
    far = IS_NEAR(leg) ? p + 2 * leg : far;
    p[0] = (sr + ur) >> 1;
    p[1] = (si + ui) >> 1;
    put_turned(far, sr - ur, si - ui, w + 2);
    put_turned(p + leg, tr + vi, ti - vr, w);
    put_turned(far + leg, tr - vi, ti + vr, w + 4);
}

/* Splits every transform of 4q points into four of q, their inputs turned, halved. */
SER_INLINE void split_stage(int32_t *z, int q, const int32_t *twiddles)
{
    const int leg = 2 * q;
    for (int block = 0; block < 512; block += 4 * leg) {
        int32_t *p = z + block;
        const int32_t *w = twiddles;
        p = halve_and_split(p, leg) + 2;
        const int32_t *end = p + leg - 2;
        do {
            int32_t *far = p + 2 * leg;
            if (!IS_NEAR(leg)) {
                SER_AS_IT_IS(far);
            }
            SER_AS_IT_IS(w);
            turn_and_split(&p, &far, leg, w);
            p += 2;
            w += 6;
        } while (p != end);
    }
}

#endif

/* ser_fft_complex256, the transforms of four neighbours being done. */
SER_IN_RAM static void rest_of_complex256(int32_t *z)
{
    radix4_stage(z, 4, ser_radix4_twiddles_q31 + Q4);
    radix4_stage(z, 16, ser_radix4_twiddles_q31 + Q16);
    radix4_stage(z, 64, ser_radix4_twiddles_q31 + Q64);
}

SER_IN_RAM void ser_fft_complex256(int32_t *z)
{
    ser_fft_fours(z);
    rest_of_complex256(z);
}

SER_IN_RAM void ser_fft_complex256_to_reversed(int32_t *z)
{
    split_stage(z, 64, ser_radix4_twiddles_q31 + Q64);
    split_stage(z, 16, ser_radix4_twiddles_q31 + Q16);
    split_stage(z, 4, ser_radix4_twiddles_q31 + Q4);
    ser_fft_fours(z);
}

/* X[k] = E + W^k O in place of a, X[256-k] = conj(E - W^k O) in that of b, with E and O of twice the size until they are turned. */
SER_INLINE void split_pair(int32_t *a, int32_t *b, const int32_t *w)
{
    const int32_t er = (a[0] + b[0]) >> 1, ei = (a[1] - b[1]) >> 1;
    const int32_t o[2] = {a[1] + b[1], b[0] - a[0]};
    const int32_t wr = turned_re(o, w), wi = turned_im(o, w);
    a[0] = er + wr;
    a[1] = ei + wi;
    b[0] = er - wr;
    b[1] = wi - ei;
}

SER_IN_RAM void ser_fft_split512(int32_t *z)
{
    const int32_t *w = ser_quarter_circle_q31 + 4;
    int32_t *a = z + 2, *b = z + 510;
    const int32_t re = z[0], im = z[1];
    z[0] = re + im;
    z[1] = 0;
    z[512] = re - im;
    z[513] = 0;
    z[257] = -z[257]; /* bin 128 */
#if SER_VECTORS
    for (; b - a >= 14; a += 8, b -= 8, w += 16) { /* four from either side */
        const ser_vector x = ser_load_8(a), y = ser_conjugate_4(ser_reverse_4(ser_load_8(b - 6)));
        const ser_vector e = _mm256_srai_epi32(_mm256_add_epi32(x, y), 1);
        const ser_vector o = turned_back(_mm256_sub_epi32(x, y));
        const ser_vector turned = ser_turn_4(o, ser_turns_of(ser_every_second_4(w)));
        ser_store_8(a, _mm256_add_epi32(e, turned));
        ser_store_8(b - 6, ser_reverse_4(ser_conjugate_4(_mm256_sub_epi32(e, turned))));
    }
#endif
    for (; a < b; a += 2, b -= 2, w += 4) {
        split_pair(a, b, w);
    }
}

SER_IN_RAM int ser_fft_frame(const int16_t *frame, uint64_t energy, int32_t *bins)
{
    /* sqrt(2^9 E) 2^(6 + up) is to be at most 2^30; E is at most 2^39 */
    const uint32_t high = (uint32_t)(energy >> 8);
    const int up = (ser_leading_zeros(high | 1U) - 1) / 2; /* E is below 2^(40 - zeros) */
    int32_t factor = (int32_t)1 << (9 + up);
    SER_AS_IT_IS(factor); /* a product, where a shift by a number that is not known is two instructions */
    /* four pairs of samples that become neighbours, and their transform */
    const uint8_t *place = ser_digit_reversal;
    for (const int16_t *x = frame, *end = x + SER_FRAME / 4; x < end; x += 2) {
        SER_AS_IT_IS(x);
        const int16_t *y = x + SER_FRAME / 2;
        SER_AS_IT_IS(y); /* distances stay within what an instruction can add to an address */
        int32_t sr = x[0] + y[0], si = x[1] + y[1], tr = x[0] - y[0], ti = x[1] - y[1];
        SER_FIRST_THIS_4(y, sr, si, tr, ti);
        const int16_t *u = x + SER_FRAME / 4, *v = y + SER_FRAME / 4;
        int32_t ur = u[0] + v[0], ui = u[1] + v[1], vr = u[0] - v[0], vi = u[1] - v[1];
        SER_FIRST_THIS_4(x, ur, ui, vr, vi);
        int32_t *z = bins + 2 * *place++;
        z[0] = (sr + ur) * factor;
        z[1] = (si + ui) * factor;
        z[2] = (tr + vi) * factor;
        z[3] = (ti - vr) * factor;
        z[4] = (sr - ur) * factor;
        z[5] = (si - ui) * factor;
        z[6] = (tr - vi) * factor;
        z[7] = (ti + vr) * factor;
    }
    rest_of_complex256(bins);
    ser_fft_split512(bins);
    return up;
}

#if defined(__XTENSA__) || defined(SER_TEST_NARROW_PRODUCTS) /* where a choice is an instruction, and one that shifts on the way is none */
#define BITS_BY_RANGE 1
SER_INLINE void widen(int32_t *most, int32_t *least, int32_t x)
{
    *most = x > *most ? x : *most;
    *least = x < *least ? x : *least;
}
#else
#define BITS_BY_RANGE 0
#endif

/* Bits up to the highest that any of the numbers has besides its sign; of the others any. */
SER_IN_RAM static uint32_t bits_of(const int32_t *z, int count)
{
#if BITS_BY_RANGE
    int32_t most = 0, least = 0;
    for (const int32_t *end = z + count; z < end; z += 8) {
        SER_AS_IT_IS(z);
        widen(&most, &least, z[0]);
        widen(&most, &least, z[1]);
        widen(&most, &least, z[2]);
        widen(&most, &least, z[3]);
        widen(&most, &least, z[4]);
        widen(&most, &least, z[5]);
        widen(&most, &least, z[6]);
        widen(&most, &least, z[7]);
    }
    return (uint32_t)(most | ~least);
#else
    uint32_t all = 0;
    for (int i = 0; i < count; i += 4) {
        const uint32_t a = (uint32_t)z[i], b = (uint32_t)z[i + 1], c = (uint32_t)z[i + 2], d = (uint32_t)z[i + 3];
        all |= ((a ^ a << 1) | (b ^ b << 1)) | ((c ^ c << 1) | (d ^ d << 1)); /* where bits differ from the next */
    }
    return all >> 1;
#endif
}

enum { SPARE = 3 }; /* bits that are not worth a pass over the numbers */

/* What the pairs of bins have come to: their share of lag 1, and the sum of their powers, over 2^9. */
typedef struct {
    int64_t first;
    uint32_t total;
} ser_pair_sums;

/* Where y goes: in the place of a number of the even half; of the odd half, beside what is in the same place of the even one. */
SER_INLINE int32_t *place_of(int32_t *a, int odd)
{
#if defined(__XTENSA__) && defined(__GNUC__) /* for which LLVM would take the number from memory */
    if (odd) {
        int32_t *even;
        __asm__("addmi %0, %1, -2048" : "=r"(even) : "r"(a));
        return even + 1;
    }
    return a;
#else
    return odd ? a - 511 : a;
#endif
}

/*
 * The pairs k, 512-k of a real 1024-point spectrum whose two halves are interleaved bins of Z.
 * With E = Z[k] + conj Z[512-k] and Q = -i W^k (Z[k] - conj Z[512-k]) the powers P of both bins have
 * P[k] + P[512-k] = (|E|^2 + |Q|^2) / 2 and P[k] - P[512-k] = Re(E conj Q): what the cosine transform
 * wants, y[k] = sum / 2 - sin(pi k / 512) * difference, times 4. With a = Z[k] and b = Z[512-k] that sum is
 * |a|^2 + |b|^2, and that difference 2 cos(pi k / 512) Im(a b) - sin(pi k / 512) (|a|^2 - |b|^2). Components times scale
 * are below 2^28: powers are below 2^25, sum is below 2^27, y below 3 2^27, of which four add up. What is added makes
 * good the products' rounding down. Returned is the pair's share of lag 1, over 4 and less what its rounding down makes good: twice the
 * difference is not above the sum, and so it is below 2^25.
 */
SER_INLINE int32_t power_pair(uint32_t *total, int32_t *as, int at_a, int32_t *bs, int at_b, const int32_t *w, int32_t scale, int odd)
{
    const int32_t *a = as + at_a, *b = bs + at_b;
    const int32_t ar = a[0] * scale, ai = a[1] * scale, br = b[0] * scale, bi = b[1] * scale;
    int32_t cross = ser_add_mulh(ser_mulh(ar, bi), ai, br) + 1;
    SER_AS_IT_IS(cross); /* and so is the one, where it would be eight that take a register */
    const int32_t pa = ser_add_mulh(ser_mulh(ar, ar), ai, ai), pb = ser_add_mulh(ser_mulh(br, br), bi, bi);
    const int32_t half = pa + pb; /* of the sum; of small bins, of which there are many, nothing is lost */
    const int32_t difference = ser_mulh(w[0], 8 * cross) - ser_mulh(w[1], 4 * (pa - pb)); /* twice P[k] - P[512-k] */
    int32_t bend = 4 * ser_mulh(w[1], difference);
    SER_AS_IT_IS(bend);
    bend += 2;
    const int32_t share = ser_mulh(w[0], difference); /* before anything is written: w need not be read again */
    *total += (uint32_t)half >> 8;
    place_of(as, odd)[at_a] = 2 * half - bend;
    place_of(bs, odd)[at_b] = 2 * half + bend;
    return share;
}

/* How many of them there are to a sum of 32 bits, at most: of 64 it would still hold. */
enum { PAIRS_TO_A_SUM = 32 };

/* So many of them, a upwards, b downwards. */
#if SER_NARROW_PRODUCTS
SER_IN_RAM static
#else /* once for each distance that it is used with */
SER_INLINE
#endif
    void power_pairs_of(ser_pair_sums *sums, int32_t *a, int32_t *b, const int32_t *w, int pairs, int32_t scale, int odd)
{
    uint32_t total = 0;
    int64_t first = 0;
    while (pairs > 0) {
        const int some = ((pairs - 1) & (PAIRS_TO_A_SUM - 1)) + 1;
        const int32_t *end = a + 2 * some;
        int32_t share = 0;
        pairs -= some;
        first += 2 * some;
#if !SER_NARROW_PRODUCTS /* two at a time, where a product is one instruction */
        if (!odd && (some & 1)) { /* those of the odd half are a multiple of what makes a sum */
            share = power_pair(&total, a, 0, b, 0, w, scale, odd);
            a += 2;
            b -= 2;
            w += 4;
        }
        for (; a != end; a += 4, w += 8) {
            b -= 2;
            SER_AS_IT_IS(a);
            SER_AS_IT_IS(b);
            SER_AS_IT_IS(w);
            share += power_pair(&total, a, 0, b, 2, w, scale, odd);
            SER_FIRST_THIS_2(a, share, total);
            share += power_pair(&total, a, 2, b, 0, w + 4, scale, odd);
            b -= 2;
        }
#else
        for (; a != end; a += 2, b -= 2, w += 4) {
            share += power_pair(&total, a, 0, b, 0, w, scale, odd);
        }
#endif
        first += 4 * (int64_t)share;
    }
    sums->first += first;
    sums->total += total;
}

#if SER_VECTORS
/* Four pairs, a upwards and b downwards; results are in the real places, with no matter what beside them. */
SER_INLINE void power_pairs(ser_vector *first, ser_vector *total, const int32_t *a, const int32_t *b, const int32_t *w,
                            __m128i shift, ser_vector *ya, ser_vector *yb)
{
    const ser_vector x = _mm256_sll_epi32(ser_load_8(a), shift), xi = _mm256_srli_epi64(x, 32);
    const ser_vector y = _mm256_sll_epi32(ser_reverse_4(ser_load_8(b - 6)), shift), yi = _mm256_srli_epi64(y, 32);
    const ser_turns_4 turns = ser_turns_of(ser_every_second_4(w));
    const ser_vector low = _mm256_set1_epi64x(UINT32_MAX), two = _mm256_set1_epi32(2);
    /* high halves, down to where the real parts are */
    const ser_vector pa =
        _mm256_srli_epi64(_mm256_add_epi32(_mm256_mul_epi32(x, x), _mm256_mul_epi32(xi, xi)), 32);
    const ser_vector pb =
        _mm256_srli_epi64(_mm256_add_epi32(_mm256_mul_epi32(y, y), _mm256_mul_epi32(yi, yi)), 32);
    const ser_vector product =
        _mm256_srli_epi64(_mm256_add_epi32(_mm256_mul_epi32(x, yi), _mm256_mul_epi32(xi, y)), 32);
    const ser_vector cross = _mm256_add_epi32(product, _mm256_set1_epi32(1));
    const ser_vector sum = _mm256_slli_epi32(_mm256_add_epi32(pa, pb), 1);
    const ser_vector apart = _mm256_slli_epi32(_mm256_sub_epi32(pa, pb), 2);
    const ser_vector difference =
        _mm256_srli_epi64(_mm256_sub_epi32(_mm256_mul_epi32(turns.w, _mm256_slli_epi32(cross, 3)),
                                           _mm256_mul_epi32(turns.im, apart)), 32);
    const ser_vector sine = _mm256_srli_epi64(_mm256_mul_epi32(turns.im, difference), 32);
    const ser_vector bend = _mm256_add_epi32(_mm256_slli_epi32(sine, 2), two);
    const ser_vector cosine = _mm256_srli_epi64(_mm256_mul_epi32(turns.w, difference), 32);
    const ser_vector lag = _mm256_add_epi32(_mm256_slli_epi32(cosine, 2), two);
    /* 2^31 more than each, without signs */
    *first = _mm256_add_epi64(*first, _mm256_and_si256(_mm256_xor_si256(lag, _mm256_set1_epi32(INT32_MIN)), low));
    *total = _mm256_add_epi32(*total, _mm256_srli_epi32(_mm256_and_si256(sum, low), 9));
    *ya = _mm256_sub_epi32(sum, bend);
    *yb = ser_reverse_4(_mm256_add_epi32(sum, bend));
}

/* So many pairs, four at a time as long as there are; returns how many it took. odd: whether y goes beside what is there. */
SER_INLINE int take_pairs(ser_pair_sums *sums, const int32_t *a, const int32_t *b, const int32_t *w, int pairs, int shift,
                          int32_t *ya, int32_t *yb, int odd)
{
    const __m128i by = _mm_cvtsi32_si128(shift);
    ser_vector first = _mm256_setzero_si256(), total = first, up, down;
    uint64_t lanes[4];
    int j;
    for (j = 0; j + 4 <= pairs; j += 4, a += 8, b -= 8, w += 16, ya += 8, yb -= 8) {
        power_pairs(&first, &total, a, b, w, by, &up, &down);
        if (odd) {
            up = _mm256_blend_epi32(ser_load_8(ya), _mm256_slli_epi64(up, 32), 0xaa);
            down = _mm256_blend_epi32(ser_load_8(yb - 6), _mm256_slli_epi64(down, 32), 0xaa);
        }
        ser_store_8(ya, up);
        ser_store_8(yb - 6, down);
    }
    ser_store_8(lanes, first);
    sums->first += (int64_t)(lanes[0] + lanes[1] + lanes[2] + lanes[3]) - j * ((int64_t)1 << 31);
    sums->total += ser_sum_8(total);
    return j;
}
#endif

/* An even lag, and the odd one after it, from the one before that, which is returned; up: whether a half is rounded up. */
SER_INLINE int32_t two_lags(int32_t *out, const int32_t *a, const int32_t *b, const int32_t *w, int32_t lag, int up)
{
    const int32_t er = a[0] + b[0], ei = a[1] - b[1];
    const int32_t dr = a[1] + b[1], di = b[0] - a[0];
    const int32_t even = ser_add_mulh(ser_add_mulh((er >> 1) + 1, dr, w[0]), di, w[1]);
    lag -= ((ei + up) >> 1) + ser_mulh(di, w[0]) - ser_mulh(dr, w[1]);
    out[0] = even;
    out[1] = lag;
    return lag;
}

SER_IN_RAM int32_t *ser_fft_autocorrelation(int32_t *work)
{
    int32_t *even = work, *odd = work + 512; /* bins 2j and 2j+1 */
    ser_pair_sums sums;
    rest_of_complex256(even);
    rest_of_complex256(odd);
    const uint32_t bits = bits_of(work, 1024);
    if (bits < 64) { /* nothing went in: this is rounding */
        memset(odd, 0, 512 * sizeof *odd);
        return odd;
    }
    const int spare = ser_leading_zeros(bits) - 4;
    for (int i = 0; spare < 0 && i < 1024; i++) { /* of the loudest input alone */
        work[i] >>= -spare;
    }
    int32_t scale = spare > 0 ? (int32_t)1 << spare : 1;
    SER_AS_IT_IS(scale); /* a product, where a shift by a number that is not known is two instructions */

    { /* bins 0, 512 and 256 pair with themselves */
        const int32_t re = even[0] * scale, im = even[1] * scale;
        const int32_t p0 = ser_mulh(re + im, re + im);
        const int32_t p512 = ser_mulh(re - im, re - im);
        const int32_t mr = even[256] * scale, mi = even[257] * scale;
        even[0] = 2 * (p0 + p512);
        even[256] = 4 * (ser_mulh(mr, mr) + ser_mulh(mi, mi));
        sums.first = 2 * (p0 - p512);
        /* and what the others may lose, counted in whole steps */
        sums.total = (uint32_t)(even[0] >> 9) + (uint32_t)(even[256] >> 9) + 256;
    }
    int j = 1;
#if SER_VECTORS
    const int shift = spare > 0 ? spare : 0;
    j += take_pairs(&sums, even + 2, even + 510, ser_quarter_circle_q31 + 4, 127, shift, even + 2, even + 510, 0);
#endif
    power_pairs_of(&sums, even + 2 * j, even + 2 * (256 - j), ser_quarter_circle_q31 + 4 * j, 128 - j, scale, 0);
#if SER_VECTORS
    (void)take_pairs(&sums, odd, odd + 510, ser_quarter_circle_q31 + 2, 128, shift, even, even + 510, 1);
#else
    /* the imaginary places of the even half are free by now: y[2j+1] goes beside y[2j] */
    power_pairs_of(&sums, odd, odd + 510, ser_quarter_circle_q31 + 2, 128, scale, 1);
#endif

    /* Their sizes, below three times the total, must not add up to more than 2^32, nor four of them to more than
     * 2^31. */
    int room = ser_leading_zeros(sums.total) - 11;
    room = room < 0 ? room : room > 3 + SPARE ? room - 3 : 0;
    if (room != 0) {
        int32_t factor = room > 0 ? (int32_t)1 << room : 1;
        const int down = room < 0 ? -room : 0;
        SER_AS_IT_IS(factor);
        for (int32_t *z = even; down == 0 && z < odd; z += 4) {
            SER_AS_IT_IS(z);
            z[0] *= factor;
            z[1] *= factor;
            z[2] *= factor;
            z[3] *= factor;
        }
        for (int32_t *z = even; down > 0 && z < odd; z++) {
            *z >>= down;
        }
    }
    ser_fft_complex256_to_reversed(even);

    /* Cosine transform by a real one of half the size (Press et al., Numerical Recipes, section 12.4):
     * even lags are the real parts of the 512-point spectrum of y, odd lags accumulate its
     * imaginary parts (the forward sign turns the sum into a difference). Halves are rounded up and down in turn. */
    int32_t lag = (int32_t)((sums.first * ((int64_t)1 << (29 + room))) >> 32);
    odd[0] = even[0] + even[1];
    odd[1] = lag;
    const int32_t *w = ser_quarter_circle_q31, *a = even;
    int32_t *out = odd;
    /* Four at a time: of neighbours that begin at a multiple of four the reversed places are a quarter of all apart, and those of the ones
       they pair with, 256 less each, begin as much before the first quarter's end as theirs behind its start. Of the last
       four, the fourth is beyond what is asked for. */
    for (const uint8_t *place = ser_digit_reversal + 4;; place += 4) {
        const int32_t *b = even + 126 - (a - even);
#if SER_NARROW_PRODUCTS /* one after the other, where each product is a dozen instructions */
        const int32_t *far = b + 384;
        for (j = 1; j < 4; j++, far -= 128) {
            a += 128;
            lag = two_lags(out + 2 * j, a, far, w + 4 * j, lag, j & 1);
        }
#else
        const int32_t *far = b + 256;
        SER_AS_IT_IS(w);
        SER_AS_IT_IS(out);
        SER_AS_IT_IS(far);
        lag = two_lags(out + 2, a + 128, far + 128, w + 4, lag, 1);
        a += 256;
        SER_AS_IT_IS(a);
        lag = two_lags(out + 4, a, far, w + 8, lag, 0);
        lag = two_lags(out + 6, a + 128, b + 128, w + 12, lag, 1);
#endif
        if (place == ser_digit_reversal + SER_PITCH_LAGS / 2) {
            break;
        }
        a = even + 2 * *place;
        lag = two_lags(out + 8, a, b, w + 16, lag, 0);
        out += 8;
        w += 16;
    }
    return odd;
}

/*
 * Bins k and 256-k. With A the transform of x, and B that of y, C = conj(A) B; what is transformed back is
 * Z[k] = (C[k] + conj C[256-k] + i e^{i t} (C[k] - conj C[256-k])) / 2, of which conjugates are stored.
 *
 * Sizes: squares of x add up to less than 2^57, so those of the 512 bins A, over 8, to less than 2^60; of B they add up to less
 * than 1.1 2^60, and either bin of two that are each other's conjugates is below 2^29.6. Twice A times twice B over 2^32, as they
 * are multiplied, add up to less than 1.1 2^30 in size over all of C, and so over all of Z: nothing can overflow on the way
 * back, whatever adds up. What is added makes good the products' rounding down, which would come out around lag 0.
 */
SER_INLINE void cross_pair(int32_t *a, int32_t *p, const int32_t *b, const int32_t *q, const int32_t *w)
{
    /* 2 A[k] and 2 A[256-k] */
    const int32_t er = a[0] + p[0], ei = a[1] - p[1];
    const int32_t o[2] = {a[1] + p[1], p[0] - a[0]};
    const int32_t wr = 2 * turned_re(o, w), wi = 2 * turned_im(o, w);
    const int32_t kr = er + wr, ki = ei + wi, mr = er - wr, mi = wi - ei;
    const int32_t br = 2 * b[0], bi = 2 * b[1], qr = 2 * q[0], qi = 2 * q[1];
    const int32_t cr = ser_add_mulh(ser_add_mulh(1, kr, br), ki, bi), ci = ser_mulh(kr, bi) - ser_mulh(ki, br);
    const int32_t hr = ser_add_mulh(ser_add_mulh(1, mr, qr), mi, qi), hi = ser_mulh(mr, qi) - ser_mulh(mi, qr);
    const int32_t sr = (cr + hr) >> 1, si = (ci - hi) >> 1;
    const int32_t tr = cr - hr, ti = ci + hi;
    const int32_t ur = -ser_add_mulh(ser_add_mulh(1, tr, w[1]), ti, w[0]), ui = ser_mulh(tr, w[0]) - ser_mulh(ti, w[1]);
    a[0] = sr + ur;
    a[1] = -(si + ui);
    p[0] = sr - ur;
    p[1] = si - ui;
}

#if SER_VECTORS
/* Four such pairs, a and b upwards, p and q downwards. */
SER_INLINE void cross_pairs(int32_t *a, int32_t *p, const int32_t *b, const int32_t *q, const int32_t *w)
{
    const ser_turns_4 turns = ser_turns_of(ser_every_second_4(w));
    const ser_vector x = ser_load_8(a), y = ser_conjugate_4(ser_reverse_4(ser_load_8(p - 6)));
    const ser_vector e = _mm256_add_epi32(x, y);
    const ser_vector o = _mm256_slli_epi32(ser_turn_4(turned_back(_mm256_sub_epi32(x, y)), turns), 1);
    const ser_turns_4 up = ser_turns_of(_mm256_add_epi32(e, o)), down = ser_turns_of(ser_conjugate_4(_mm256_sub_epi32(e, o)));
    const ser_vector c = ser_turn_4(_mm256_slli_epi32(ser_load_8(b), 1), up);
    const ser_vector h = ser_conjugate_4(ser_turn_4(_mm256_slli_epi32(ser_reverse_4(ser_load_8(q - 6)), 1), down));
    const ser_vector s = _mm256_srai_epi32(_mm256_add_epi32(c, h), 1);
    /* what is turned the other way, and negative */
    const ser_vector u = ser_conjugate_4(ser_turn_4(ser_swap_4(_mm256_sub_epi32(c, h)), turns));
    ser_store_8(a, ser_conjugate_4(_mm256_sub_epi32(s, u)));
    ser_store_8(p - 6, ser_reverse_4(_mm256_add_epi32(s, u)));
}
#endif

SER_IN_RAM void ser_fft_cross(int32_t *z, const int32_t *bins, int32_t offset)
{
    const int32_t *b = bins + 2, *q = bins + 510, *w = ser_quarter_circle_q31 + 4;
    int32_t *a = z + 2, *p = z + 510;
    ser_fft_complex256(z);
    { /* bins 0 and 256, which are real, and 128 */
        const int32_t low = 2 * ser_mulh(2 * (z[0] + z[1]), bins[0] - offset), high = 2 * ser_mulh(2 * (z[0] - z[1]), bins[512]);
        const int32_t re = 2 * z[256], im = -2 * z[257]; /* of A; what is packed is its conjugate */
        const int32_t br = 2 * bins[256], bi = 2 * bins[257];
        z[0] = (low + high) >> 1;
        z[1] = -((low - high) >> 1);
        /* C[128] and the conjugate of itself: Z is the conjugate of C, and its conjugate is stored */
        z[256] = ser_add_mulh(ser_mulh(re, br), im, bi);
        z[257] = ser_mulh(re, bi) - ser_mulh(im, br);
    }
#if SER_VECTORS
    for (; p - a >= 14; a += 8, b += 8, p -= 8, q -= 8, w += 16) {
        cross_pairs(a, p, b, q, w);
    }
#endif
    for (; a < p; a += 2, b += 2, p -= 2, q -= 2, w += 4) {
        SER_AS_IT_IS(a);
        SER_AS_IT_IS(b);
        SER_AS_IT_IS(w);
        cross_pair(a, p, b, q, w);
    }
    ser_fft_complex256_to_reversed(z);
}
