#include "ser_modulation.h"

#if SER_WITH_MODULATION

#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_slots.h"

#include <string.h>

void ser_modulation_reset(ser_modulation *modulation)
{
    memset(modulation, 0, sizeof *modulation);
}

/* dB times 2^20. Levels are within 2^7 dB: the sum of all bands' is below 2^27. */
static int32_t band_level(const int32_t *mel, int band)
{
    int32_t sum = 0;
    for (int i = ser_modulation_bands[band][0]; i < ser_modulation_bands[band][1]; i++) {
        sum += mel[i];
    }
    return ser_mulh(sum * (1 << 4), ser_modulation_shares[band]) * (1 << (20 - 3 - SER_BITS_MEL));
}

SER_IN_RAM void ser_modulation_push(ser_modulation *modulation, const int32_t *mel, int32_t *values)
{
    int32_t *out = ser_at_frame_modulation(values);
    for (int band = 0; band < SER_MODULATION_BANDS; band++) {
        const int32_t level = band_level(mel, band);
        int32_t *means = modulation->means[band];
        int32_t faster = level;
        for (int rate = 0; rate < SER_MODULATION_RATES; rate++) {
            if (modulation->running) {
                means[rate] += ser_rounded(ser_mulh((level - means[rate]) * (1 << 3), ser_modulation_gains[rate]), 2);
            } else {
                means[rate] = level;
            }
            *out++ = ser_rounded(faster - means[rate], 20 - SER_BITS_MODULATION);
            faster = means[rate];
        }
    }
    modulation->running = 1;
}

#endif
