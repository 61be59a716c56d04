/*
 * The Fourier transform of 256 complex numbers in single precision, in caller's memory: what HNR, in floats still,
 * correlates with. Radix 4 (2 KB of twiddles); a digit-reversed side on either end, so that there is no reordering
 * pass. Forward sign e^{-i}, no scaling. Everything else takes ser_fft.h.
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

#ifdef __cplusplus
}
#endif

#endif
