#include "ser_peak.h"

#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_voice_tables.h"

/* top / bottom with 12 fractional bits, error 2^-12 and 2^-15 of it; |top| < 4 bottom + 4, bottom > 0. */
SER_IN_RAM static int32_t quotient(int32_t top, uint32_t bottom)
{
    const int spare = 16 - ser_leading_zeros(bottom); /* bits beyond 16 */
    if (spare > 0) {
        return (top >> spare) * 4096 / (int32_t)(bottom >> spare);
    }
    return top * 4096 / (int32_t)bottom; /* below 2^18 */
}

SER_IN_RAM ser_peak ser_peak_parabola(const int32_t *r, int i)
{
    const int32_t left = r[i] - r[i - 1], right = r[i] - r[i + 1];
    const int32_t steps = quotient(left - right, (uint32_t)left + (uint32_t)right); /* 2^13 to a sample */
    ser_peak peak;
    peak.place = i * (1 << SER_PEAK_PLACE_BITS) + steps * 8;
    /* height + (left - right) steps / 8, from 27 fractional bits to 25 */
    peak.height = (r[i] >> 2) + ser_mulh(left - right, steps * (1 << 15));
    return peak;
}

/*
 * The sinc of a table at q / GRID: a row as it stands. The three values of a parabola may lie anywhere near the
 * top, so on this grid.
 */
#define GRID (2 * SER_SINC_STEPS)
#define GRID_BITS 6
#if GRID != 1 << GRID_BITS
#error "the sinc's table has another number of fractions"
#endif

SER_IN_RAM static int32_t on_grid(const int32_t *r, int q, const int32_t *rows, int depth)
{
    const int i = q / GRID, f = q % GRID;
    const int mirrored = f > SER_SINC_STEPS;
    const int32_t *a = rows + 2 * depth * (mirrored ? GRID - f : f);
    const int step = mirrored ? -1 : 1;
    const int start = mirrored ? i + depth : i + 1 - depth;
    int32_t sum = 0;
    int k;
    if (i < depth) { /* r is mirrored at 0 */
        for (k = 0; k < 2 * depth; k++) {
            const int at = start + k * step;
            sum += ser_mulh(r[at < 0 ? -at : at], a[k]);
        }
    } else {
        const int32_t *p = r + start;
        for (k = 0; k < 2 * depth; k += 2, a += 2, p += 2 * step) {
            sum += ser_mulh(p[0], a[0]) + ser_mulh(p[step], a[1]);
        }
    }
    return sum;
}

/* The top of the parabola through three values a quarter apart; if it is not near, the higher side. */
SER_IN_RAM static ser_peak refine(const int32_t *r, int32_t rough, const int32_t *rows, int depth)
{
    const int q = (rough + (1 << (SER_PEAK_PLACE_BITS - GRID_BITS - 1))) >> (SER_PEAK_PLACE_BITS - GRID_BITS);
    const int h = GRID / 4;
    const int32_t left = on_grid(r, q - h, rows, depth), right = on_grid(r, q + h, rows, depth);
    const int32_t middle = on_grid(r, q, rows, depth);
    const int32_t bend = (middle - left) / 2 + (middle - right) / 2, slope = (right - left) / 2;
    ser_peak peak;
    peak.place = q * (1 << (SER_PEAK_PLACE_BITS - GRID_BITS));
    if ((slope >> 2) < bend && (slope >> 2) > -bend) {
        const int32_t steps = quotient(slope, (uint32_t)bend); /* 2^15 to a sample */
        peak.place += 2 * steps;
        peak.height = middle + 2 * ser_mulh(slope, steps * (1 << 16)); /* slope steps / 8 */
    } else {
        peak.place += (right > left ? h : -h) * (1 << (SER_PEAK_PLACE_BITS - GRID_BITS));
        peak.height = right > left ? right : left;
    }
    return peak;
}

ser_peak ser_peak_refine(const int32_t *r, ser_peak rough)
{
    return refine(r, rough.place, ser_sinc_rows_q30, SER_SINC_DEPTH);
}

ser_peak ser_peak_deep_refine(const int32_t *r, ser_peak rough)
{
    return refine(r, rough.place, ser_sinc_deep_rows_q30, SER_SINC_DEEP);
}
