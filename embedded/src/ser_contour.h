/*
 * What is kept of an F0 contour: its distribution, how it changes from frame to frame, its shape over the
 * clip and within voiced runs, and the lengths of runs and pauses; without keeping the contour. In goes one
 * frame after the other, out come the columns of the pitch group.
 *
 *   ser_contour contour;
 *   ser_contour_reset(&contour);
 *   ser_contour_voiced(&contour, log_period);   or ser_contour_unvoiced(&contour, 1), frame by frame
 *   ser_contour_end(&contour);                  nothing follows
 *   ser_contour_columns(&contour, columns);
 *
 * Format. In go log periods as ser_pitch.h stores them, 16 bits, SER_PITCH_LOG_STEPS to the octave. What is summed frame
 * by frame is their distances, in integers and exact; floats begin where a run ends. A run of more than SER_CONTOUR_RUN
 * frames, five minutes of one hum, counts as several: so no sum overflows.
 */
#ifndef SER_CONTOUR_H
#define SER_CONTOUR_H

#include "ser_moments.h"
#include "ser_schema.h"

#ifdef __cplusplus
extern "C" {
#endif

#if SER_COUNT_CLEAR != SER_COUNT_PITCH || SER_FIRST_CLEAR != SER_FIRST_PITCH + SER_COUNT_PITCH
#error "the columns of the clear group must follow those of the pitch group, one for one"
#endif
#if SER_COUNT_PITCH != 31
#error "the schema's pitch group has other columns than ser_contour.c writes: write them, and count them here"
#endif

/* For mean and standard deviation (Welford 1962), and the maximum of what is never negative. */
typedef struct {
    uint32_t count;
    float mean, squares, high; /* squares: sum of squared distances from the mean */
} ser_spread;

#define SER_CONTOUR_RUN 32768

/* Sums over voiced frames; time in 2^10 frames, F0 in semitones, both as distances from some point. */
typedef struct {
    float f0[4], time[4]; /* of their first to fourth powers */
    float product, bend;  /* time by F0, squared time by F0 */
} ser_powers;

/* The voiced run that is open: its frames' log periods, as distances below the first one's, up to 2^16 in size, so that
 * a higher F0 is more. */
typedef struct {
    uint32_t start;    /* frame number */
    uint16_t origin;   /* log period of its first frame */
    int32_t low, high; /* distances */
    int32_t sum;
    uint64_t squares;
    int64_t cubes[2];    /* by the low and the high 16 bits of the squares; */
    uint64_t fourths[3]; /* likewise, with the product of both in between */
    int64_t product;     /* time by distance; time in frames from the first */
    int64_t bend[2];     /* squared time by distance, by the low and the high 15 bits of the square */
} ser_run;

/* Of the runs of SER_F0_SEGMENT frames and more. */
typedef struct {
    ser_spread means, slopes, ranges; /* semitones, semitones per frame, semitones */
    float steepness;                  /* sum of the slopes' sizes */
} ser_runs;

typedef struct {
    uint32_t count;    /* voiced frames */
    uint32_t ended;    /* those of the runs that have ended, of which the next four tell: */
    ser_powers powers; /* distances from the means */
    float time, f0;    /* the means, in 2^10 frames from the first voiced one and in semitones */
    uint16_t longest, shortest; /* log period: of the lowest and the highest F0 */
    int64_t rises, falls; /* sums of the changes of either sign, in steps of a log period */
    uint64_t changes;     /* sum of their squares */
    uint32_t changing, rising; /* how many there are, and how many rise */
    ser_spread segment, pause; /* frames */
    uint32_t first_sum;        /* of the first SER_F0_EDGE voiced frames' log periods */
    uint16_t latest[SER_F0_EDGE]; /* log periods of the latest voiced frames, around the place of the next */
    uint8_t place;
    ser_run run;
    ser_runs runs;
    uint32_t frames, first, last; /* all frames; first and last voiced one */
    uint32_t heard;               /* frames that the voiced fraction is of */
    uint8_t open;                 /* the latest frame is voiced */
} ser_contour;

void ser_contour_reset(ser_contour *contour);

/* The next frame is voiced, with this log period, which is not 0. */
void ser_contour_voiced(ser_contour *contour, uint16_t log_period);

/* The next frame is not; heard: whether the voiced fraction counts it. */
void ser_contour_unvoiced(ser_contour *contour, int heard);

/* Ends a run that is open. */
void ser_contour_end(ser_contour *contour);

/* The columns of the pitch group, or of the clear group, in the schema's order. */
void ser_contour_columns(const ser_contour *contour, float columns[SER_COUNT_PITCH]);

#ifdef __cplusplus
}
#endif

#endif
