/*
 * Running sums of every gated descriptor: mean, standard deviation, minimum, maximum, skewness,
 * kurtosis and slope, and the correlation of MFCCs, in memory that does not grow. In go one part's values per frame, in the order of
 * the enums of ser_schema.h and in the formats of the schema; out come columns of the feature vector, of several banks of disjoint frames
 * together, in any order to the same bits.
 *
 * The sums are exact, of x, a value's distance from its descriptor's middle: below 2^22 where all functionals are asked; less its last 3 bits and at
 * most 208,700 where mean and standard deviation are (what is farther counts as that far). 49 days of speech are 4.2 10^8 frames, 29 bits, wherever they
 * lie in the 497 days that a frame number counts: of x 52 bits with its sign, of x^2 73, of x^3 96, of x^4 117, of x by the frame's number 84; of the
 * coarse ones 47 and 64. What comes after is not
 * counted. Columns are made when they are asked for: the sums are moved to the rounded mean in 128 bits, exactly, and only what is left becomes a float.
 */
#ifndef SER_BANK_H
#define SER_BANK_H

#include "ser_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of the frame numbers. */
typedef struct {
    uint32_t sum[2], squares[3];
} ser_times;

typedef struct {
    uint32_t sum[2], squares[3], cubes[3];
#if SER_WITH_KURTOSIS
    uint32_t fourths[4]; /* for kurtosis alone */
#endif
    uint32_t time[3]; /* of products with the frame number */
    int32_t low, high; /* of the values themselves */
} ser_full_sums;

typedef struct {
    uint32_t sum, squares[2];
} ser_spread_sums; /* the sum's lowest bits; the others are in `above` */

/* Arrays of no elements are not C; a build without any such descriptor keeps one unused. */
enum { SER_FULLS_ROOM = SER_FULLS > 0 ? SER_FULLS : 1, SER_SPREADS_ROOM = SER_SPREADS > 0 ? SER_SPREADS : 1 };

enum { SER_BANKS = SER_GATE_STEPS + 1 };

/* Each pair of the first MFCCs: 1 and 2, 1 and 3, ... 2 and 3, ... as the schema orders them. */
#define SER_PAIRS (SER_CORRELATED_MFCCS * (SER_CORRELATED_MFCCS - 1) / 2)

typedef struct {
    uint32_t frames[SER_PARTS]; /* how many */
    ser_times times[SER_TIMED_PARTS];
    ser_full_sums full[SER_FULLS_ROOM];
    ser_spread_sums spread[SER_SPREADS_ROOM];
#if SER_WITH_CORRELATION
    uint32_t products[SER_PAIRS][3]; /* sums of products of the two x */
#endif
    uint16_t above[SER_SPREADS_ROOM]; /* bits 32 to 47 of spread's sums: 2^29 x of 2^18 have 47 and a sign */
} ser_bank;

/* No frame yet. */
void ser_bank_clear(ser_bank *bank);

/* Counts one part's values at a frame. values: as many as the part has. */
void ser_bank_add(ser_bank *bank, ser_part part, uint32_t frame, const int32_t *values);

/* Frames of a part without ends and shapes, such as SER_PART_DELTA, that all have the same values. */
typedef struct {
    ser_part part;
    uint32_t frames;
    const int32_t *values;
} ser_repeated;

/* Of the frames of up to SER_BANKS banks, and of `more` if it is not NULL: writes the columns of every part, and those that come
   from their sums, into features[SER_FEATURES]; times count in seconds. */
void ser_bank_columns(const ser_bank **banks, int count, const ser_repeated *more, float *features);

/* The same sums of one quantity alone, whose frames are known later than those of the banks; all zero without a frame. The
   middle is 0. */
typedef struct {
    uint32_t frames;
    ser_times times;
    ser_full_sums sums;
} ser_series;

void ser_series_add(ser_series *series, uint32_t frame, int32_t value);

/* Mean, std, min, max, skewness, kurtosis, slope per second, of values with so many fractional bits. What is undefined is
   SER_UNDEFINED. */
void ser_series_columns(const ser_series *series, int bits, float columns[7]);

#ifdef __cplusplus
}
#endif

#endif
