/* The running sums of intensity, one descriptor with all functionals, behind plain functions: for tests/test_c_sums.py. */
#include "ser_bank.h"

#include <stddef.h>
#include <string.h>

enum { PLACE = SER_FRAME_FULLS + SER_CHANGE_FULLS + SER_DELTA_FULLS };

size_t probe_bank_size(void) { return sizeof(ser_bank); }

void probe_bank_clear(ser_bank *bank) { ser_bank_clear(bank); }

/* values: in the format of the schema, one of each frame. */
void probe_bank_add(ser_bank *bank, const int32_t *values, const uint32_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ser_bank_add(bank, SER_PART_INTENSITY, frames[i], values + i);
    }
}

/* Sums as after a long time, words least first, two's complement. */
void probe_bank_preset(ser_bank *bank, uint32_t frames, const ser_times *times, const ser_full_sums *sums)
{
    bank->frames[SER_PART_INTENSITY] = frames;
    bank->times[SER_TIMES_INTENSITY] = *times;
    bank->full[PLACE] = *sums;
}

uint32_t probe_bank_frames(const ser_bank *bank) { return bank->frames[SER_PART_INTENSITY]; }

/* The same of the first slope, which has a standard deviation alone. sums: that of x, 48 bits, then that of its squares, 64. */
void probe_slope_preset(ser_bank *bank, uint32_t frames, const uint32_t *sums)
{
    const int place = SER_FRAME_VALUES - SER_FRAME_FULLS + SER_CHANGE_VALUES - SER_CHANGE_FULLS;
    bank->frames[SER_PART_DELTA] = frames;
    bank->spread[place].sum = sums[0];
    bank->above[place] = (uint16_t)sums[1];
    bank->spread[place].squares[0] = sums[2];
    bank->spread[place].squares[1] = sums[3];
}

void probe_slope_add(ser_bank *bank, int32_t value, uint32_t times)
{
    const int32_t values[SER_DELTA_VALUES] = {value};
    for (uint32_t frame = 0; frame < times; frame++) {
        ser_bank_add(bank, SER_PART_DELTA, frame, values);
    }
}

/* Of several banks, and of so many frames of the same value besides. */
float probe_slope_std(const ser_bank **banks, int count, int32_t value, uint32_t times)
{
    float features[SER_FEATURES];
    const int32_t values[SER_DELTA_VALUES] = {value};
    const ser_repeated more = {SER_PART_DELTA, times, values};
    ser_bank_columns(banks, count, &more, features);
    return features[SER_COLUMN_MFCC_DELTA_01];
}

size_t probe_series_size(void) { return sizeof(ser_series); }

void probe_series_add(ser_series *series, const int32_t *values, const uint32_t *frames, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ser_series_add(series, frames[i], values[i]);
    }
}

void probe_series_preset(ser_series *series, uint32_t frames, const ser_times *times, const ser_full_sums *sums)
{
    series->frames = frames;
    series->times = *times;
    series->sums = *sums;
}

void probe_series_columns(const ser_series *series, float *columns) { ser_series_columns(series, SER_BITS_INTENSITY_DB, columns); }

/* The seven columns of intensity, of several banks together. */
void probe_bank_columns(const ser_bank **banks, int count, float *columns)
{
    float features[SER_FEATURES];
    ser_bank_columns(banks, count, NULL, features);
    memcpy(columns, features + SER_COLUMN_INTENSITY_DB, 7 * sizeof *columns);
}
