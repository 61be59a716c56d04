#include "ser_peak_float.h"

#include "ser_math.h"
#include "ser_voice_tables.h"

ser_peak_float ser_peak_float_parabola(const float *r, int i)
{
    const float slope = 0.5f * (r[i + 1] - r[i - 1]);
    const float bend = (r[i] - r[i - 1]) + (r[i] - r[i + 1]);
    const float step = slope * ser_recip(bend);
    ser_peak_float peak;
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

float ser_peak_float_deep_sinc(const float *r, float x)
{
    const int taps = 2 * SER_SINC_DEEP;
    const taps_at at = find_taps(x, SER_SINC_DEEP);
    const float *a = ser_sinc_deep_rows + taps * at.row;
    float low = 0.0f, high = 0.0f;
    int k, i = at.start;
    if (x < (float)SER_SINC_DEEP) {
        for (k = 0; k < taps; k++, i += at.step) {
            const float v = r[i < 0 ? -i : i];
            low += v * a[k];
            high += v * a[k + taps];
        }
    } else {
        const float *p = r + i;
        for (k = 0; k < taps; k += 2, p += 2 * at.step) {
            const float v = p[0], w = p[at.step];
            low += v * a[k] + w * a[k + 1];
            high += v * a[k + taps] + w * a[k + taps + 1];
        }
    }
    return low + at.way * (high - low);
}

/* Linear between 1024 points of the circle. */
float ser_cosine(float x)
{
    const float half = ser_absf(x);
    const float q = (half > 0.5f ? 1.0f - half : half) * 512.0f;
    const int i = q < 255.0f ? (int)q : 255;
    const float a = ser_quarter_circle[2 * i], b = i < 255 ? ser_quarter_circle[2 * i + 2] : 0.0f;
    const float c = a + (q - (float)i) * (b - a);
    return half > 0.5f ? -c : c;
}

float ser_peak_float_short_sinc(const float *r, float x, int end)
{
    const int i = (int)x, depth = end - i;
    const float left = x - (float)i, right = 1.0f - left;
    const float *p = r + i;
    float sum = 0.0f, sine, per_left, per_right;
    int k;
    if (left <= 1e-4f || depth < 1) {
        return p[0];
    }
    if (depth == 1) {
        return right * p[0] + left * p[1];
    }
    if (depth == 2) {
        const float a = 0.5f * (p[1] - p[-1]), b = 0.5f * (p[2] - p[0]);
        return right * p[0] + left * p[1] -
               left * right * (0.5f * (b - a) + (left - 0.5f) * (a + b - 2.0f * (p[1] - p[0])));
    }
    per_left = ser_recip(left + (float)depth);
    per_right = ser_recip(right + (float)depth);
    sine = 0.31830989f * ser_cosine(left - 0.5f);
    for (k = 0; k < depth; k++) {
        const float a = left + (float)k, b = right + (float)k;
        sum += sine * p[-k] * ser_recip(a) * (0.5f + 0.5f * ser_cosine(a * per_left));
        sum += sine * p[1 + k] * ser_recip(b) * (0.5f + 0.5f * ser_cosine(b * per_right));
        sine = -sine;
    }
    return sum;
}

/* The top of the parabola through three values h apart; if it is not near, the higher side. */
static ser_peak_float top(float place, float left, float middle, float right, float h)
{
    const float bend = middle - 0.5f * (left + right), slope = 0.25f * (right - left);
    ser_peak_float peak;
    if (bend > 0.0f && ser_absf(slope) < 2.0f * bend) {
        const float step = slope * ser_recip(bend);
        peak.place = place + h * step;
        peak.height = middle + 0.5f * slope * step;
    } else {
        peak.place = right > left ? place + h : place - h;
        peak.height = ser_maxf(left, right);
    }
    return peak;
}

/*
 * The sinc of a table at q / GRID: a row as it stands. The three values of a parabola may lie anywhere near the
 * top, so on this grid.
 */
#define GRID (2 * SER_SINC_STEPS)

static float on_grid(const float *r, int q)
{
    const int depth = SER_SINC_DEPTH;
    const int i = q / GRID, f = q % GRID;
    const int mirrored = f > SER_SINC_STEPS;
    const float *a = ser_sinc_rows + 2 * depth * (mirrored ? GRID - f : f);
    const int step = mirrored ? -1 : 1;
    const int start = mirrored ? i + depth : i + 1 - depth;
    float sum = 0.0f;
    int k;
    if (i < depth) { /* r is mirrored at 0 */
        for (k = 0; k < 2 * depth; k++) {
            const int at = start + k * step;
            sum += r[at < 0 ? -at : at] * a[k];
        }
    } else {
        const float *p = r + start;
        for (k = 0; k < 2 * depth; k += 4, a += 4) {
            const float u = *p, v = *(p += step), w = *(p += step), x = *(p += step);
            p += step;
            sum += (u * a[0] + v * a[1]) + (w * a[2] + x * a[3]);
        }
    }
    return sum;
}

ser_peak_float ser_peak_float_refine(const float *r, ser_peak_float rough)
{
    const int q = (int)(rough.place * (float)GRID + 0.5f), h = GRID / 4;
    return top((float)q * (1.0f / (float)GRID), on_grid(r, q - h), on_grid(r, q), on_grid(r, q + h), 0.25f);
}

ser_peak_float ser_peak_float_short_refine(const float *r, ser_peak_float rough, int end, float h)
{
    const float x = rough.place;
    return top(x, ser_peak_float_short_sinc(r, x - h, end), ser_peak_float_short_sinc(r, x, end),
               ser_peak_float_short_sinc(r, x + h, end), h);
}
