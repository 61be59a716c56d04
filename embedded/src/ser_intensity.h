/*
 * Intensity as Praat's To Intensity (SER_PITCH_FLOOR, subtract mean): the level of 6.4 periods under a Kaiser
 * window, in dB re 2e-5 with full scale 1, not below SER_INTENSITY_FLOOR_DB.
 *
 *   ser_intensity intensity;
 *   ser_intensity_reset(&intensity);
 *   after every ser_tail_push:  if (ser_intensity_hop(&intensity, &tail, &db)) use(db);
 *
 * Intensity frame k is nearest to spectral frame k + SER_INTENSITY_LAG and comes with hop
 * k + SER_INTENSITY_LATENCY. Weights add up to 1 and are Q34; of a hop, squares are shifted to the largest of them before the
 * high half of their products is added up: a hop is right to 2^-29 of its loudest step. No samples are kept: the windows that overlap are summed up side by side, four
 * samples at a time.
 */
#ifndef SER_INTENSITY_H
#define SER_INTENSITY_H

#include "ser_tail.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SER_INTENSITY_OPEN (SER_INTENSITY_LATENCY + 1)

typedef struct {
    uint64_t squares; /* weighted sum of x^2, times 2^18 */
    int32_t values;   /* of x, times 2^15 */
    int32_t sum;      /* of x, not weighted */
} ser_intensity_frame;

typedef struct {
    ser_intensity_frame open[SER_INTENSITY_OPEN]; /* frame k at [k % SER_INTENSITY_OPEN] */
} ser_intensity;

void ser_intensity_reset(ser_intensity *intensity);

/* Takes in the latest hop; writes the level, dB times 2^SER_BITS_INTENSITY_DB, of the frame it completes, if any, and returns 1, else 0. */
int ser_intensity_hop(ser_intensity *intensity, const ser_tail *tail, int32_t *decibels);

#ifdef __cplusplus
}
#endif

#endif
