/*
 * Running functionals of one quantity: mean, standard deviation, minimum, maximum, skewness, excess
 * kurtosis and slope over time, in 44 bytes.
 *
 *   ser_moments m;
 *   ser_moments_reset(&m);
 *   ser_moments_add(&m, value, frame);        frame number: the time axis, in hops
 *   ser_moments_columns(&m, out);             7 columns in the schema's order
 *
 * One-pass updates after Welford (1962) and Pebay (2008), SAND2008-6212.
 */
#ifndef SER_MOMENTS_H
#define SER_MOMENTS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SER_MOMENTS_COLUMNS 7

typedef struct {
    uint32_t count;
    float origin;           /* the first value: the mean is kept as the distance from it */
    float mean, m2, m3, m4; /* sums of powers of the distance from the mean */
    float low, high;
    float time_mean, time_m2; /* of the frame numbers */
    float co;                 /* sum of products of both distances */
} ser_moments;

void ser_moments_reset(ser_moments *m);

void ser_moments_add(ser_moments *m, float value, uint32_t frame);

/* Mean, std, min, max, skewness, kurtosis, slope per second. What is undefined is 0. */
void ser_moments_columns(const ser_moments *m, float columns[SER_MOMENTS_COLUMNS]);

#ifdef __cplusplus
}
#endif

#endif
