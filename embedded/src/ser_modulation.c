#include "ser_modulation.h"

#if SER_WITH_MODULATION

#include "ser_math.h"
#include "ser_slots.h"

#include <string.h>

void ser_modulation_reset(ser_modulation *modulation)
{
    memset(modulation, 0, sizeof *modulation);
}

static float band_level(const float *mel, int band)
{
    float sum = 0.0f;
    for (int i = ser_modulation_bands[band][0]; i < ser_modulation_bands[band][1]; i++) {
        sum += mel[i];
    }
    return sum * ser_modulation_shares[band];
}

void ser_modulation_push(ser_modulation *modulation, const float *mel, float *values)
{
    float *out = ser_at_frame_modulation(values);
    for (int band = 0; band < SER_MODULATION_BANDS; band++) {
        const float level = band_level(mel, band);
        float *means = modulation->means[band];
        float faster = level;
        for (int rate = 0; rate < SER_MODULATION_RATES; rate++) {
            if (modulation->running) {
                means[rate] += ser_modulation_gains[rate] * (level - means[rate]);
            } else {
                means[rate] = level;
            }
            *out++ = faster - means[rate];
            faster = means[rate];
        }
    }
    modulation->running = 1;
}

#endif
