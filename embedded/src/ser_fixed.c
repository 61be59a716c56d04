#include "ser_fixed.h"

#include "ser_in_ram.h"
#include "ser_tables.h"

SER_IN_RAM int32_t ser_log2_q24(uint32_t x)
{
    return ser_log2_here(ser_log2_rows, SER_LOG2_BITS, x);
}

SER_IN_RAM int32_t ser_log2_q24_64(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    if (high == 0) {
        return ser_log2_q24((uint32_t)x);
    }
    const int zeros = ser_leading_zeros(high);
    return (63 - zeros) * (1 << 24) + ser_mantissa_log2(ser_log2_rows, SER_LOG2_BITS, (uint32_t)((x << zeros) >> 32));
}

/* The polynomial of 2^f of ser_math.h, in Q31: its coefficients are below 1 but for the first. */
int32_t ser_exp2_q30(int32_t x)
{
    const int32_t whole = x >> 24;               /* rounded down: f in [0, 1) */
    const int32_t f = ((x & 0xffffff) - (1 << 23)) * 128; /* Q1.31, less a half: in [-1/2, 1/2) */
    int32_t p = 329546;
    if (whole < -31) {
        return 0;
    }
    p = 2 * ser_mulh(p, f) + 2877580;
    p = 2 * ser_mulh(p, f) + 20655554;
    p = 2 * ser_mulh(p, f) + 119192408;
    p = 2 * ser_mulh(p, f) + 515884395;
    p = 2 * ser_mulh(p, f) + 1488522236;
    /* 2^f in Q1.30, then the half that was taken away: sqrt 2 */
    p = ser_mulh(p, f) + (1 << 30);
    p = 4 * ser_mulh(p, 1518500250);
    return whole < 0 ? p >> -whole : p;
}

uint32_t ser_root_q16(uint32_t x)
{
    if (x == 0) {
        return 0;
    }
    const int shift = ser_leading_zeros(x) & ~1;
    const uint32_t p = x << shift;
    const int32_t *row = ser_root_rows[(p >> 25) - 32];
    const int32_t distance = (int32_t)(ser_umulh(p, (uint32_t)row[0]) - (1U << 30)) * 2;
    const uint32_t root = (uint32_t)(row[1] + ser_mulh(row[1], distance - (ser_mulh(distance, distance) >> 1)));
    return (root << 1) >> (shift / 2); /* the table's is times 2^15 */
}

uint32_t ser_reciprocal(uint32_t x)
{
    const uint32_t inverse = (uint32_t)ser_root_rows[(x >> 25) - 32][0];
    const int32_t d = (int32_t)(ser_umulh(x, inverse) - (1U << 30)) * 2;
    const int32_t square = 2 * ser_mulh(d, d);
    /* 1 - d + d^2 - d^3 */
    const int32_t more = square - d - 2 * ser_mulh(square, d);
    return inverse + (uint32_t)(2 * ser_mulh((int32_t)(inverse >> 1), more)) * 2U;
}

SER_IN_RAM int32_t ser_inverse_root(uint32_t x)
{
    const int32_t *row = ser_root_rows[(x >> 25) - 32];
    const uint32_t inverse = (uint32_t)row[0];
    const int32_t base = (int32_t)ser_umulh(inverse, (uint32_t)row[1]);
    const int32_t d = (int32_t)(ser_umulh(x, inverse) - (1U << 30)) * 2; /* Q1.31, at most 2^-6 */
    const int32_t square = 2 * ser_mulh(d, d);
    /* (1 + d)^(-1/2) = 1 - d / 2 + 3 d^2 / 8 - 5 d^3 / 16, Q1.31 */
    const int32_t more = ((3 * square) >> 3) - (d >> 1) - ((5 * ser_mulh(square, d)) >> 3);
    const int32_t root = base + 2 * ser_mulh(base, more);
    return root < (1 << 30) ? root : (1 << 30) - 1;
}
