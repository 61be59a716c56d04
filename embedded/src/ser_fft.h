/*
 * Fast Fourier transforms of the sizes the extractor needs, in integers, in caller's memory.
 *
 *   int32_t z[514];                  256 complex numbers, two more places
 *   ser_fft_complex256(z);           their transform
 *   ser_fft_split512(z);             if they were x[2n] + i x[2n+1]: bins 0 ... 256 of x
 *
 * Why our own: all of it is one 256-point complex radix-4 kernel (2 KB of twiddles) to which a real
 * 512, half of a real 1024 and the inverse of a real even 1024 all reduce; inputs are written straight
 * to their digit-reversed places, so there is no reordering pass; no heap, no plan.
 *
 * Format. Twiddles are Q1.31, of products the high 32 bits are taken (ser_mulh): which halves. So each of the three
 * stages that multiply halves everything, and the transform of 256 is the DFT over 8. Forward sign e^{-i}.
 * Headroom: components of at most 2^25 cannot overflow. Error: the last stage rounds to a unit, the ones before to a half
 * and a quarter of it; 1.3 units rms per component (measured; its mean is within a unit).
 */
#ifndef SER_FFT_H
#define SER_FFT_H

#include "ser_voice_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Complex numbers are re, im pairs. z: 256 of them, components at most 2^25, input in digit-reversed order
 * (element n at ser_digit_reversal[n]), output in natural order, over 8. */
void ser_fft_complex256(int32_t *z);

/* The first of its stages: transforms of four neighbours each. Components at most 2^23. */
void ser_fft_fours(int32_t *z);

/* The same as ser_fft_complex256 with input in natural and output in digit-reversed order. */
void ser_fft_complex256_to_reversed(int32_t *z);

/* From the 256-point transform of x[2n] + i x[2n+1] to bins 0..256 of x, in place, 514 numbers: to the same scale. What
 * was transformed had components of at most 2^24: then no bin is above 2^30. */
void ser_fft_split512(int32_t *z);

/*
 * The plain transform of SER_FRAME samples, no window: bins 0 ... SER_FRAME / 2 as pairs re, im, times 2^6 and two to the power of what
 * is returned: SER_FRAME + 2 numbers. energy: sum of the samples' squares, which no bin's over SER_FRAME is above.
 */
int ser_fft_frame(const int16_t *frame, uint64_t energy, int32_t *bins);

/*
 * Autocorrelation of up to 1024 real samples, or of fewer and zeros, lags 0..255, to one scale of
 * their own: lag 0 is between 2^22 and 2^30, or all are 0. Error: below 3e-5 of lag 0, of speech 2e-6 rms. Components
 * from 2^20 up lose nothing, those from 2^21 sqrt 2 up cost another pass; a sound of a few units counts as none.
 * work[1024]: in, with z[n] = x[2n] + i x[2n+1], the 256 numbers z[n] + z[n+256] and after them the 256
 * numbers (z[n] - z[n+256]) e^{-2 pi i n / 512}, each in digit-reversed order, components at most 2^25, and through
 * ser_fft_fours. Returned is the place in work where the lags are.
 */
int32_t *ser_fft_autocorrelation(int32_t *work);

/*
 * Cross-correlation of numbers x with samples y, sum of x[i] y[i + lag], over 2^28 and times what the bins of y are times.
 * z: 512 of x, zeros among them, as x[2n] + i x[2n+1] in digit-reversed order; squares add up to less than 2^57, of at
 * most 256 that are not 0. bins: of y, as ser_fft_frame leaves them, the first less `offset`, and at most 2^30 then.
 * Out: lag 2n and, with the other sign, lag 2n + 1 in place of those of x; modulo 512. Below 1.1 2^26 in size.
 * Error: 6e-8 rms of the product of both sides' roots of energy, up to lag 8 below 1e-6: there all roundings' means come
 * out. Of a frame of a few units, whose bins are not that large, ten times that.
 */
void ser_fft_cross(int32_t *z, const int32_t *bins, int32_t offset);

#ifdef __cplusplus
}
#endif

#endif
