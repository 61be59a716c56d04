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

void ser_fft_float_reverse256(float *z)
{
    int i;
    for (i = 0; i < 256; i++) {
        const int j = ser_digit_reversal[i];
        if (i < j) {
            const float re = z[2 * i], im = z[2 * i + 1];
            z[2 * i] = z[2 * j];
            z[2 * i + 1] = z[2 * j + 1];
            z[2 * j] = re;
            z[2 * j + 1] = im;
        }
    }
}

void ser_fft_float_split512(float *z)
{
    const float *w = ser_quarter_circle;
    float *a = z, *b = z + 512;
    const float re = z[0], im = z[1];
    z[0] = re + im;
    z[1] = 0.0f;
    z[512] = re - im;
    z[513] = 0.0f;
    z[257] = -z[257]; /* bin 128 */
    for (a += 2, b -= 2, w += 4; a < b; a += 2, b -= 2, w += 4) {
        /* X[k] = E + W^k O, X[256-k] = conj(E - W^k O) */
        const float er = 0.5f * (a[0] + b[0]), ei = 0.5f * (a[1] - b[1]);
        const float or_ = 0.5f * (a[1] + b[1]), oi = 0.5f * (b[0] - a[0]);
        const float wr = or_ * w[0] + oi * w[1], wi = oi * w[0] - or_ * w[1];
        a[0] = er + wr;
        a[1] = ei + wi;
        b[0] = er - wr;
        b[1] = wi - ei;
    }
}

void ser_fft_float_real512(float *x)
{
    ser_fft_float_reverse256(x);
    ser_fft_float_complex256(x);
    ser_fft_float_split512(x);
}

/*
 * The pairs k, 512-k of a real 1024-point spectrum whose two halves are interleaved bins of Z.
 * With E = Z[k] + conj Z[512-k] and Q = -i W^k (Z[k] - conj Z[512-k]) the powers P of both bins have
 * P[k] + P[512-k] = (|E|^2 + |Q|^2) / 2 and P[k] - P[512-k] = Re(E conj Q): what the cosine transform
 * wants, y[k] = sum / 2 - sin(pi k / 512) * difference, times 4. Returned is the pair's share of lag 1.
 */
SER_INLINE float power_pair(const float *a, const float *b, const float *w, float *ya, float *yb)
{
    const float er = a[0] + b[0], ei = a[1] - b[1];
    const float dr = a[0] - b[0], di = a[1] + b[1];
    const float qr = w[0] * di - w[1] * dr, qi = -(w[0] * dr + w[1] * di);
    const float sum = (er * er + ei * ei) + (dr * dr + di * di);
    const float difference = 4.0f * (er * qr + ei * qi);
    const float bend = w[1] * difference;
    *ya = sum - bend;
    *yb = sum + bend;
    return w[0] * difference;
}

float *ser_fft_float_autocorrelation(float *work)
{
    float *even = work, *odd = work + 512; /* bins 2j and 2j+1 */
    float first, lag;
    int j;
    ser_fft_float_complex256(even);
    ser_fft_float_complex256(odd);

    { /* bins 0, 512 and 256 pair with themselves */
        const float p0 = (even[0] + even[1]) * (even[0] + even[1]);
        const float p512 = (even[0] - even[1]) * (even[0] - even[1]);
        first = 2.0f * (p0 - p512);
        even[0] = 2.0f * (p0 + p512);
        even[256] = 4.0f * (even[256] * even[256] + even[257] * even[257]);
    }
    for (j = 1; j < 128; j++) {
        float *a = even + 2 * j, *b = even + 2 * (256 - j);
        first += power_pair(a, b, ser_quarter_circle + 4 * j, a, b);
    }
    for (j = 0; j < 128; j++) {
        /* the imaginary places of the even half are free by now: y[2j+1] goes beside y[2j] */
        first += power_pair(odd + 2 * j, odd + 2 * (255 - j), ser_quarter_circle + 4 * j + 2,
                            even + 2 * j + 1, even + 2 * (255 - j) + 1);
    }

    ser_fft_float_complex256_to_reversed(even);

    /* Cosine transform by a real one of half the size (Press et al., Numerical Recipes, section 12.4):
     * even lags are the real parts of the 512-point spectrum of y, odd lags accumulate its
     * imaginary parts (the forward sign turns the sum into a difference). */
    lag = first;
    odd[0] = even[0] + even[1];
    odd[1] = lag;
    for (j = 1; j < SER_PITCH_LAGS / 2; j++) {
        const float *a = even + 2 * ser_digit_reversal[j];
        const float *b = even + 2 * ser_digit_reversal[256 - j], *w = ser_quarter_circle + 4 * j;
        const float er = a[0] + b[0], ei = a[1] - b[1];
        const float dr = a[1] + b[1], di = b[0] - a[0];
        odd[2 * j] = 0.5f * (er + (dr * w[0] + di * w[1]));
        lag -= 0.5f * (ei + (di * w[0] - dr * w[1]));
        odd[2 * j + 1] = lag;
    }
    return odd;
}
