/*
 * Intensity as Praat's To Intensity (75 Hz, 10 ms, subtract mean): the level of 85 ms under a Kaiser
 * window, in dB re 2e-5 with full scale 1, not below 0.
 *
 *   ser_intensity intensity;
 *   ser_intensity_reset(&intensity);
 *   after every ser_tail_push:  if (ser_intensity_hop(&intensity, &tail, &db)) use(db);
 *
 * Intensity frame k is centred 47.5 ms + 10 k ms after the first sample and comes with hop k + 9. No
 * samples are kept: the nine windows that overlap are summed up side by side, four samples at a time.
 */
#ifndef SER_INTENSITY_H
#define SER_INTENSITY_H

#include "ser_tail.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SER_INTENSITY_LATENCY 9 /* frame k comes with hop k + 9 */
#define SER_INTENSITY_OPEN (SER_INTENSITY_LATENCY + 1)

typedef struct {
    float squares, values; /* weighted sums of x^2 and of x */
    int32_t sum;           /* of x, not weighted */
} ser_intensity_frame;

typedef struct {
    ser_intensity_frame open[SER_INTENSITY_OPEN]; /* frame k at [k % SER_INTENSITY_OPEN] */
} ser_intensity;

void ser_intensity_reset(ser_intensity *intensity);

/* Takes in the latest hop; writes the level of the frame it completes, if any, and returns 1, else 0. */
int ser_intensity_hop(ser_intensity *intensity, const ser_tail *tail, float *decibels);

#ifdef __cplusplus
}
#endif

#endif
