#include "ser_fixed.h"

#include "ser_tables.h"

/* Of the 32-bit mantissa whose highest bit is set, a parabola over each of the ranges of SER_LOG2_BITS bits below it: Q24 of its
   log2, in [0, 1]. */
static int32_t mantissa_log2(uint32_t mantissa)
{
    const int32_t *row = ser_log2_rows[(mantissa >> (31 - SER_LOG2_BITS)) - (1U << SER_LOG2_BITS)];
    const int32_t place = (int32_t)((mantissa << SER_LOG2_BITS) & 0x7fffffffU); /* Q1.31 */
    return (row[0] + ser_mulh(place, row[1] + ser_mulh(place, row[2])) + 32) >> 6;
}

int32_t ser_log2_q24(uint32_t x)
{
    const int zeros = ser_leading_zeros(x);
    return (31 - zeros) * (1 << 24) + mantissa_log2(x << zeros);
}

int32_t ser_log2_q24_64(uint64_t x)
{
    const uint32_t high = (uint32_t)(x >> 32);
    if (high == 0) {
        return ser_log2_q24((uint32_t)x);
    }
    const int zeros = ser_leading_zeros(high);
    return (63 - zeros) * (1 << 24) + mantissa_log2((uint32_t)((x << zeros) >> 32));
}
