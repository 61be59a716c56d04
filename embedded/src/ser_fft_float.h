/*
 * Fast Fourier transforms of the sizes the extractor needs, single precision, in caller's memory.
 *
 *   float x[514];                    512 samples, two more places
 *   ser_fft_float_real512(x);              x = re[0], im[0], re[1], im[1] ... re[256], im[256]
 *
 * Why our own: all of it is one 256-point complex radix-4 kernel (2 KB of twiddles) to which a real
 * 512, half of a real 1024 and the inverse of a real even 1024 all reduce; inputs are written straight
 * to their digit-reversed places, so there is no reordering pass; no heap and no double, which rules
 * out kissfft's plans and emlearn's table set-up.
 *
 * Forward sign e^{-i}, no scaling.
 */
#ifndef SER_FFT_FLOAT_H
#define SER_FFT_FLOAT_H

#include "ser_voice_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Complex numbers are re, im pairs. z: 256 of them, input in digit-reversed order
 * (element n at ser_digit_reversal[n]), output in natural order. */
void ser_fft_float_complex256(float *z);

/* The same with input in natural and output in digit-reversed order. */
void ser_fft_float_complex256_to_reversed(float *z);

/* Puts 256 complex numbers into digit-reversed order, in place. */
void ser_fft_float_reverse256(float *z);

/* From the 256-point transform of x[2n] + i x[2n+1] to bins 0..256 of x: 514 floats, in place. */
void ser_fft_float_split512(float *z);

/* Spectrum of 512 real samples x[0..511]: 257 complex bins in x[0..513]. */
void ser_fft_float_real512(float *x);

/*
 * Autocorrelation of up to 512 real samples zero-padded to 1024, lags 0..255, times 2048.
 * work[1024]: in, with z[n] = x[2n] + i x[2n+1], the 256 numbers z[n] + z[n+256] and after them the 256
 * numbers (z[n] - z[n+256]) e^{-2 pi i n / 512}, each in digit-reversed order. Returned is the
 * place in work where the lags are.
 */
float *ser_fft_float_autocorrelation(float *work);

#ifdef __cplusplus
}
#endif

#endif
