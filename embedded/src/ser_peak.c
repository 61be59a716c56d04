#include "ser_peak.h"

#include "ser_math.h"
#include "ser_voice_tables.h"

ser_peak ser_peak_parabola(const float *r, int i)
{
    const float slope = 0.5f * (r[i + 1] - r[i - 1]);
    const float bend = (r[i] - r[i - 1]) + (r[i] - r[i + 1]);
    const float step = slope * ser_recip(bend);
    ser_peak peak;
    peak.place = (float)i + step;
    peak.height = r[i] + 0.5f * slope * step;
    return peak;
}

float ser_peak_sinc(const float *r, float x)
{
    const int taps = 2 * SER_SINC_DEPTH;
    const int i = (int)x;
    const float f = x - (float)i;
    const int mirrored = f > 0.5f;
    const float q = (mirrored ? 1.0f - f : f) * (float)(2 * SER_SINC_STEPS);
    const int row = q < (float)SER_SINC_STEPS ? (int)q : SER_SINC_STEPS - 1;
    const float *a = ser_sinc_rows + taps * row;
    const float *p = mirrored ? r + i + SER_SINC_DEPTH : r + i + 1 - SER_SINC_DEPTH;
    const int step = mirrored ? -1 : 1;
    float low = 0.0f, high = 0.0f;
    int k;
    for (k = 0; k < taps; k++, p += step) {
        low += *p * a[k];
        high += *p * a[k + taps];
    }
    return low + (q - (float)row) * (high - low);
}

ser_peak ser_peak_refine(const float *r, ser_peak rough)
{
    const float h = 0.25f;
    const float left = ser_peak_sinc(r, rough.place - h);
    const float right = ser_peak_sinc(r, rough.place + h);
    const float bend = (rough.height = ser_peak_sinc(r, rough.place)) - 0.5f * (left + right);
    const float slope = 0.25f * (right - left);
    if (bend > 1e-9f && ser_absf(slope) < 4.0f * bend) {
        const float step = slope * ser_recip(bend);
        rough.place += h * step;
        rough.height += 0.5f * slope * step;
    }
    return rough;
}
