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
#if SER_SINC_DEPTH % 2 != 0 || SER_SINC_DEEP % 2 != 0
#error "SER_SINC_DEPTH, SER_SINC_DEEP: on_grid takes four weights at a time"
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
        const int32_t *p = r + start, *end = a + 2 * depth;
#if SER_NARROW_PRODUCTS /* two at a time, where each product is a dozen instructions */
        for (; a < end; a += 2, p += 2 * step) {
            sum += ser_mulh(p[0], a[0]) + ser_mulh(p[step], a[1]);
        }
#else
        if (mirrored) {
            for (; a < end; a += 4) {
                p -= 4;
                SER_AS_IT_IS(p);
                SER_AS_IT_IS(a);
                sum = ser_add_mulh(ser_add_mulh(sum, p[4], a[0]), p[3], a[1]);
                sum = ser_add_mulh(ser_add_mulh(sum, p[2], a[2]), p[1], a[3]);
            }
        } else {
            for (; a < end; a += 4, p += 4) {
                SER_AS_IT_IS(p);
                SER_AS_IT_IS(a);
                sum = ser_add_mulh(ser_add_mulh(sum, p[0], a[0]), p[1], a[1]);
                sum = ser_add_mulh(ser_add_mulh(sum, p[2], a[2]), p[3], a[3]);
            }
        }
#endif
    }
    return sum;
}

/* The top of the parabola through three values h apart; if it is not near, the higher side. */
SER_IN_RAM static ser_peak top(int32_t place, int32_t left, int32_t middle, int32_t right, int32_t h)
{
    const int32_t bend = (middle - left) / 2 + (middle - right) / 2, slope = (right - left) / 2;
    ser_peak peak;
    if ((slope >> 2) < bend && (slope >> 2) > -bend) {
        const int32_t steps = quotient(slope, (uint32_t)bend); /* 2^13 to h */
        peak.place = place + ((steps * h) >> 13);
        peak.height = middle + 2 * ser_mulh(slope, steps * (1 << 16)); /* slope steps / 8 */
    } else {
        peak.place = right > left ? place + h : place - h;
        peak.height = right > left ? right : left;
    }
    return peak;
}

SER_IN_RAM static ser_peak refine(const int32_t *r, int32_t rough, const int32_t *rows, int depth)
{
    const int32_t unit = 1 << (SER_PEAK_PLACE_BITS - GRID_BITS);
    const int q = (rough + unit / 2) >> (SER_PEAK_PLACE_BITS - GRID_BITS);
    const int h = GRID / 4;
    const int32_t left = on_grid(r, q - h, rows, depth), right = on_grid(r, q + h, rows, depth);
    return top(q * unit, left, on_grid(r, q, rows, depth), right, h * unit);
}

ser_peak ser_peak_refine(const int32_t *r, ser_peak rough)
{
    return refine(r, rough.place, ser_sinc_rows_q30, SER_SINC_DEPTH);
}

ser_peak ser_peak_deep_refine(const int32_t *r, ser_peak rough)
{
    return refine(r, rough.place, ser_sinc_deep_rows_q30, SER_SINC_DEEP);
}

#define ONE (1 << SER_PEAK_PLACE_BITS)

/* sin(pi x) / (pi x), x up to a half and of 16 fractional bits: Q1.30. */
static int32_t plain_sinc(int32_t x)
{
    const int32_t y = x * x; /* its square, Q32 */
    int32_t s = 159374;      /* the series to the twelfth power */
    s = ser_mulh(s, y) - 2519085;
    s = ser_mulh(s, y) + 28076038;
    s = ser_mulh(s, y) - 204818212;
    s = ser_mulh(s, y) + 871601792;
    s = ser_mulh(s, y) - 1766234505;
    return ser_mulh(s, y) + (1 << 30);
}

/* cos^2(pi q / 2), q in [0, 1) of 30 fractional bits: Q1.30. */
static int32_t raised_cosine(uint32_t q)
{
    const int32_t *w = ser_quarter_circle_q31 + 2 * (q >> 22);
    const int32_t rest = ser_mulh((int32_t)((q & 0x3fffffU) << 9), 26353589); /* the angle beyond, Q1.31; 2 pi / 1024 */
    const int32_t cosine = w[0] - 2 * (ser_mulh(w[1], rest) + ser_mulh(w[0], ser_mulh(rest, rest)));
    return ser_mulh(cosine, cosine);
}

/* Samples p, p + step and so on, `depth` of them, the first `from` away from the place, under a window that ends at `reach`.
   sine: sin(pi x) / pi, Q1.31; weight: of the first but for the window, Q1.30. */
static int32_t one_side(const int32_t *p, int step, int depth, int32_t from, int32_t reach, int32_t sine, int32_t weight)
{
    const int zeros = ser_leading_zeros((uint32_t)reach);
    const uint32_t per_reach = ser_reciprocal((uint32_t)reach << zeros);
    int32_t sum = 0;
    for (int k = 0; k < depth; k++, p += step, from += ONE, sine = -sine) {
        if (k > 0) {
            const int up = ser_leading_zeros((uint32_t)from);
            const int32_t inverse = (int32_t)(ser_reciprocal((uint32_t)from << up) >> (17 - up)); /* 1 / from, Q2.29 */
            weight = 4 * ser_mulh(sine, inverse) + 2; /* what is rounded down, on average */
        }
        const int32_t window = raised_cosine(ser_umulh((uint32_t)from << zeros, per_reach));
        sum += ser_mulh(*p, 4 * ser_mulh(weight, window) + 2);
    }
    return sum;
}

int32_t ser_peak_short_sinc(const int32_t *r, int32_t place, int end)
{
    const int i = place >> SER_PEAK_PLACE_BITS, depth = end - i;
    const int32_t left = place & (ONE - 1), right = ONE - left;
    const int32_t *p = r + i;
    if (left <= ONE / 10000 || depth < 1) {
        return p[0] >> 2;
    }
    if (depth <= 2) {
        const int32_t straight = (p[0] >> 2) + ser_mulh(p[1] - p[0], left * (1 << 14));
        if (depth == 1) {
            return straight;
        }
        const int32_t a = ((p[1] >> 2) - (p[-1] >> 2)) >> 1, b = ((p[2] >> 2) - (p[0] >> 2)) >> 1;
        const int32_t turn = a + b - 2 * ((p[1] >> 2) - (p[0] >> 2));
        const int32_t bend = ((b - a) >> 1) + 2 * ser_mulh(turn, (left - ONE / 2) * (1 << 15));
        return straight - ser_mulh(bend, left * right);
    }
    const int32_t near = left < right ? left : right, other = ONE - near;
    const int32_t sinc = plain_sinc(near);
    const int32_t sine = 4 * ser_mulh(near * (1 << 15), sinc);
    const int32_t far = 4 * ser_mulh(sine, (int32_t)(ser_reciprocal((uint32_t)other << 16) >> 1)); /* sine over other */
    /* and half a unit of each product, which are rounded down */
    return depth + one_side(p, -1, depth, left, left + depth * ONE, sine, left < right ? sinc : far) +
           one_side(p + 1, 1, depth, right, right + depth * ONE, sine, left < right ? far : sinc);
}

ser_peak ser_peak_short_refine(const int32_t *r, ser_peak rough, int end, int32_t h)
{
    const int32_t x = rough.place;
    const int32_t left = ser_peak_short_sinc(r, x - h, end), right = ser_peak_short_sinc(r, x + h, end);
    return top(x, left, ser_peak_short_sinc(r, x, end), right, h);
}
