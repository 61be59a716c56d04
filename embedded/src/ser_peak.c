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

/* Which rows of a table interpolate at x: the lower one, the way to the next, and where the taps start.
 * Fractions above a half are read from the other side. */
typedef struct {
    int row, start, step;
    float way;
} taps_at;

static taps_at find_taps(float x, int depth)
{
    const int i = (int)x;
    const float f = x - (float)i;
    const int mirrored = f > 0.5f;
    const float q = (mirrored ? 1.0f - f : f) * (float)(2 * SER_SINC_STEPS);
    taps_at at;
    at.row = q < (float)SER_SINC_STEPS ? (int)q : SER_SINC_STEPS - 1;
    at.way = q - (float)at.row;
    at.start = mirrored ? i + depth : i + 1 - depth;
    at.step = mirrored ? -1 : 1;
    return at;
}

float ser_peak_sinc(const float *r, float x)
{
    const int taps = 2 * SER_SINC_DEPTH;
    const taps_at at = find_taps(x, SER_SINC_DEPTH);
    const float *a = ser_sinc_rows + taps * at.row, *p = r + at.start;
    float low = 0.0f, high = 0.0f;
    int k;
    for (k = 0; k < taps; k++, p += at.step) {
        low += *p * a[k];
        high += *p * a[k + taps];
    }
    return low + at.way * (high - low);
}

float ser_peak_deep_sinc(const float *r, float x)
{
    const int taps = 2 * SER_SINC_DEEP;
    const taps_at at = find_taps(x, SER_SINC_DEEP);
    const float *a = ser_sinc_deep_rows + taps * at.row;
    float low = 0.0f, high = 0.0f;
    int k, i = at.start;
    for (k = 0; k < taps; k++, i += at.step) {
        const float v = r[i < 0 ? -i : i];
        low += v * a[k];
        high += v * a[k + taps];
    }
    return low + at.way * (high - low);
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
