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
void probe_bank_preset(ser_bank *bank, const ser_clock *clock, const ser_full_sums *sums)
{
    bank->clocks[SER_PART_INTENSITY] = *clock;
    bank->full[PLACE] = *sums;
}

uint32_t probe_bank_frames(const ser_bank *bank) { return bank->clocks[SER_PART_INTENSITY].frames; }

/* The seven columns of intensity, of several banks together. */
void probe_bank_columns(const ser_bank **banks, int count, float *columns)
{
    float features[SER_FEATURES];
    ser_bank_columns(banks, count, NULL, features);
    memcpy(columns, features + SER_COLUMN_INTENSITY_DB, 7 * sizeof *columns);
}
