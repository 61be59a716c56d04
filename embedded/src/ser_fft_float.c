#include "ser_fft_float.h"

#include "ser_math.h"

#if SER_FRAME != 512 || SER_PITCH_LAGS != 256
#error "SER_FRAME: the transforms here are of 512 real samples and of twice as many"
#endif

/* The stages are compiled once per size: with their distances constant, one pointer addresses all. */

/* One radix-4 stage: combines four transforms of q points into one of 4q, all over the array. */
SER_INLINE void radix4_stage(float *z, int q, const float *twiddles)
{
    const int leg = 2 * q;
    int block, j;
    for (block = 0; block < 512; block += 4 * leg) {
        float *p = z + block;
        const float *w = twiddles;
        for (j = 0; j < q; j++, p += 2, w += 6) {
            const float br = p[leg] * w[0] + p[leg + 1] * w[1];
            const float bi = p[leg + 1] * w[0] - p[leg] * w[1];
            const float cr = p[2 * leg] * w[2] + p[2 * leg + 1] * w[3];
            const float ci = p[2 * leg + 1] * w[2] - p[2 * leg] * w[3];
            const float dr = p[3 * leg] * w[4] + p[3 * leg + 1] * w[5];
            const float di = p[3 * leg + 1] * w[4] - p[3 * leg] * w[5];
            const float sr = p[0] + cr, si = p[1] + ci;
            const float tr = p[0] - cr, ti = p[1] - ci;
            const float ur = br + dr, ui = bi + di;
            const float vr = br - dr, vi = bi - di;
            p[0] = sr + ur;
            p[1] = si + ui;
            p[leg] = tr + vi;
            p[leg + 1] = ti - vr;
            p[2 * leg] = sr - ur;
            p[2 * leg + 1] = si - ui;
            p[3 * leg] = tr - vi;
            p[3 * leg + 1] = ti + vr;
        }
    }
}

/* Transforms of four neighbours each: needs no multiplication. */
static void four_points(float *z)
{
    float *p;
    for (p = z; p < z + 512; p += 8) {
        const float sr = p[0] + p[4], si = p[1] + p[5];
        const float tr = p[0] - p[4], ti = p[1] - p[5];
        const float ur = p[2] + p[6], ui = p[3] + p[7];
        const float vr = p[2] - p[6], vi = p[3] - p[7];
        p[0] = sr + ur;
        p[1] = si + ui;
        p[2] = tr + vi;
        p[3] = ti - vr;
        p[4] = sr - ur;
        p[5] = si - ui;
        p[6] = tr - vi;
        p[7] = ti + vr;
    }
}

void ser_fft_float_complex256(float *z)
{
    four_points(z);
    radix4_stage(z, 4, ser_radix4_twiddles);
    radix4_stage(z, 16, ser_radix4_twiddles + 24);
    radix4_stage(z, 64, ser_radix4_twiddles + 120);
}

/* The transpose: splits every transform of 4q points into four of q, their inputs turned. */
SER_INLINE void split_stage(float *z, int q, const float *twiddles)
{
    const int leg = 2 * q;
    int block, j;
    for (block = 0; block < 512; block += 4 * leg) {
        float *p = z + block;
        const float *w = twiddles;
        for (j = 0; j < q; j++, p += 2, w += 6) {
            const float sr = p[0] + p[2 * leg], si = p[1] + p[2 * leg + 1];
            const float tr = p[0] - p[2 * leg], ti = p[1] - p[2 * leg + 1];
            const float ur = p[leg] + p[3 * leg], ui = p[leg + 1] + p[3 * leg + 1];
            const float vr = p[leg] - p[3 * leg], vi = p[leg + 1] - p[3 * leg + 1];
            const float br = tr + vi, bi = ti - vr;
            const float cr = sr - ur, ci = si - ui;
            const float dr = tr - vi, di = ti + vr;
            p[0] = sr + ur;
            p[1] = si + ui;
            p[leg] = br * w[0] + bi * w[1];
            p[leg + 1] = bi * w[0] - br * w[1];
            p[2 * leg] = cr * w[2] + ci * w[3];
            p[2 * leg + 1] = ci * w[2] - cr * w[3];
            p[3 * leg] = dr * w[4] + di * w[5];
            p[3 * leg + 1] = di * w[4] - dr * w[5];
        }
    }
}

void ser_fft_float_complex256_to_reversed(float *z)
{
    split_stage(z, 64, ser_radix4_twiddles + 120);
    split_stage(z, 16, ser_radix4_twiddles + 24);
    split_stage(z, 4, ser_radix4_twiddles);
    four_points(z);
}
