/*
 * Height and place of a maximum between samples of a normalised correlation, in integers.
 *
 * Format. Correlations r are Q4.27, as ser_pitch.c leaves them; below 6 in size, because 1 is divided by what is left
 * of the window at half its length. Places are Q15.16, in samples; heights Q6.25. Of the 60 products of the deep sinc, whose
 * weights are below 3 in sum, each is rounded down to 2^-25: a height is wrong by less than 2e-6 for that, a place by
 * less than 2^-12 samples unless the maximum is as flat as that of a low sine.
 * Those of ser_hnr.c are at most 1 in size and so Q2.29; heights are Q4.27 then, and all errors a fourth.
 */
#ifndef SER_PEAK_H
#define SER_PEAK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SER_PEAK_PLACE_BITS 16 /* fractional ones */
#define SER_PEAK_HEIGHT_BITS 25

typedef struct {
    int32_t place, height;
} ser_peak;

/* Parabola through r[i-1], r[i], r[i+1]; r[i] is not smaller than its neighbours and larger than one. */
ser_peak ser_peak_parabola(const int32_t *r, int i);

/* The maximum of the interpolation by a windowed sinc that reaches SER_SINC_DEPTH samples each way, one step
 * nearer than a rough guess. r is mirrored at 0. */
ser_peak ser_peak_refine(const int32_t *r, ser_peak rough);

/* The same where it reaches SER_SINC_DEEP. */
ser_peak ser_peak_deep_refine(const int32_t *r, ser_peak rough);

/* Where nothing is known beyond r[end], r being at most 1 in size, Q2.29: the height at a place below it, Q4.27, by a sinc
 * that reaches as many samples each way as there are up to there, for two by a cubic, for one by a straight line, as
 * Praat's manual describes ("vector value interpolation"). At most SER_SINC_DEEP samples, and as many before the place.
 * Error: 1e-7 for what is rounded. */
int32_t ser_peak_short_sinc(const int32_t *r, int32_t place, int end);

/* The maximum of that, one step nearer than a rough guess, by values h apart. */
ser_peak ser_peak_short_refine(const int32_t *r, ser_peak rough, int end, int32_t h);

#ifdef __cplusplus
}
#endif

#endif
