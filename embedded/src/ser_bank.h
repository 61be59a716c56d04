/*
 * Running sums of every gated descriptor: mean, standard deviation, minimum, maximum, skewness,
 * kurtosis and slope, and the correlation of MFCCs, in memory that does not grow. In go one part's values per frame, in the order of
 * the enums of ser_schema.h; out come columns of the feature vector. Banks of disjoint frames add up.
 *
 * Central sums are updated one value at a time: Welford (1962) for the second, Pebay (2008), "Formulas
 * for robust, one-pass parallel computation of covariances and arbitrary-order statistical moments",
 * for the third, fourth and the covariance with time, and for adding two banks up.
 */
#ifndef SER_BANK_H
#define SER_BANK_H

#include "ser_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    float frames;  /* how many */
    float mean;    /* of their numbers */
    float squares; /* sum of squared distances from the mean */
} ser_clock;

typedef struct {
    float mean, squares, cubes, fourths; /* sums of powers of distances from the mean */
    float low, high;
    float time; /* sum of products with the distance from the mean frame number */
} ser_full_sums;

typedef struct {
    float mean, squares;
} ser_spread_sums;

/* Arrays of no elements are not C; a build without any such descriptor keeps one unused. */
enum { SER_FULLS_ROOM = SER_FULLS > 0 ? SER_FULLS : 1, SER_SPREADS_ROOM = SER_SPREADS > 0 ? SER_SPREADS : 1 };

/* Each pair of the first MFCCs: 1 and 2, 1 and 3, ... 2 and 3, ... as the schema orders them. */
#define SER_PAIRS (SER_CORRELATED_MFCCS * (SER_CORRELATED_MFCCS - 1) / 2)

typedef struct {
    ser_clock clocks[SER_PARTS];
    ser_full_sums full[SER_FULLS_ROOM];
    ser_spread_sums spread[SER_SPREADS_ROOM];
#if SER_WITH_CORRELATION
    float products[SER_PAIRS]; /* sums of products of the two distances from their means */
#endif
} ser_bank;

/* No frame yet. */
void ser_bank_clear(ser_bank *bank);

/* Counts one part's values at a frame. values: as many as the part has, finite. */
void ser_bank_add(ser_bank *bank, ser_part part, uint32_t frame, const float *values);

/* Adds the frames of another bank. */
void ser_bank_merge(ser_bank *bank, const ser_bank *other);

/* Writes the columns of every part, and those that come from their sums, into features[SER_FEATURES]; times count
   in seconds. */
void ser_bank_columns(const ser_bank *bank, float *features);

#ifdef __cplusplus
}
#endif

#endif
