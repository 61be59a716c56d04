/*
 * Jitter and shimmer of a sequence of pulses, fed one by one, as Praat's manual defines them (Voice 2 and 3:
 * jitter local, rap, ppq5; shimmer local, dB, apq3, apq5; periods SER_PERIOD_SHORTEST ... SER_PERIOD_LONGEST,
 * period factor SER_PERIOD_FACTOR, amplitude factor SER_AMPLITUDE_FACTOR).
 *
 * Format. Times and levels are whole steps; an amplitude is 2^(level / SER_LEVEL_STEPS) in Q16.16, rounded: to 2^-17 of a sample
 * step and 4e-7 of itself. All sums are exact, 64 bits: of 2^32 pulses at full scale. Floats begin with the columns.
 */
#ifndef SER_PERTURBATION_H
#define SER_PERTURBATION_H

#include "ser_schema.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SER_PERTURBATION_COLUMNS 7

typedef struct {
    uint32_t pulses, time; /* fed; time of the latest */
    uint32_t level;        /* of the latest */
    uint32_t period[5];    /* latest first */
    uint8_t regular[5];    /* bit 0: a valid period; bit 1: and of similar length as the one before */
    uint32_t periods;      /* fed */
    uint64_t period_sum, period_count;
    uint64_t local_sum, rap_sum, ppq_sum; /* of |p1 - p2|, 3 |p - mean|, 5 |p - mean| */
    uint32_t local_count, rap_count, ppq_count;

    uint32_t peaks;           /* amplitudes taken */
    uint32_t peak_time;       /* of the latest */
    uint32_t peak_level[5];   /* latest first */
    uint32_t peak[5];         /* linear, Q16.16 */
    uint8_t similar[5];       /* as the one before: in time and within the amplitude factor */
    uint64_t amplitude_sum;   /* without the latest */
    uint64_t shimmer_sum, apq3_sum, apq5_sum; /* of |a1 - a2|, 3 |a - mean|, 5 |a - mean| */
    uint64_t level_sum;       /* of differences of levels */
    uint32_t shimmer_count, apq3_count, apq5_count;
} ser_perturbation;

void ser_perturbation_reset(ser_perturbation *p);

/* Whether a time difference can be a period. */
int ser_perturbation_is_period(uint32_t difference);

/* The next pulse: time in 1 / SER_TIME_STEPS sample (may wrap around), level = SER_LEVEL_STEPS log2 of its
 * amplitude, or 0 if that could not be measured. */
void ser_perturbation_add(ser_perturbation *p, uint32_t time, uint32_t level);

/* Jitter local, rap, ppq5, shimmer local, dB, apq3, apq5; SER_UNDEFINED where there are too few periods. */
void ser_perturbation_columns(const ser_perturbation *p, float columns[SER_PERTURBATION_COLUMNS]);

#ifdef __cplusplus
}
#endif

#endif
