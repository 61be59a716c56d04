#include "ser_intensity.h"

#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_voice_tables.h"

#include <string.h>

#define HOP_STEPS (SER_HOP / SER_INTENSITY_STEP)
#if SER_INTENSITY_STEP != 4 || SER_HOP % 16 != 0 || SER_INTENSITY_LAST % 4 != 0
#error "SER_HOP: ser_intensity.c takes steps of four samples, four at a time"
#endif
#if SER_NARROW_PRODUCTS || SER_HOP % 32 != 0 || SER_INTENSITY_LAST % 8 != 0
#define AT_ONCE 4 /* fewer where each product is a dozen instructions */
#else
#define AT_ONCE 8
#endif

void ser_intensity_reset(ser_intensity *intensity) { memset(intensity, 0, sizeof *intensity); }

/* Sums of the hop's steps of samples, times 2^13, and of their squares, times 2^up. */
typedef struct {
    int32_t values[HOP_STEPS];
    uint32_t squares[HOP_STEPS];
    int up;
    int32_t sum, first_sum, last_sum; /* of the samples; first, last: of those within the window */
} ser_intensity_steps;

SER_IN_RAM static void take_steps(const int16_t *x, ser_intensity_steps *steps)
{
    uint32_t all = 0;
    int32_t sum = 0, first = 0, last = 0;
    int i = 0;
    for (int end = SER_INTENSITY_LAST_WHOLE; i < HOP_STEPS; end = HOP_STEPS) { /* in two parts */
        for (; i < end; i++, x += SER_INTENSITY_STEP) {
            SER_AS_IT_IS(x);
#if SER_SAMPLE_PAIRS
            const uint32_t one = ser_pair_at(x), other = ser_pair_at(x + 2);
            const int32_t value = ser_add_pair(ser_add_pair(0, one), other);
            uint32_t square = ser_squares(one) + ser_squares(other);
#else
            const int32_t value = x[0] + x[1] + x[2] + x[3];
            uint32_t square = (uint32_t)(x[0] * x[0]) + (uint32_t)(x[1] * x[1]) + (uint32_t)(x[2] * x[2]) + (uint32_t)(x[3] * x[3]);
#endif
            if (value == 4 * INT16_MIN) { /* four times 2^30 */
                square = UINT32_MAX;
                SER_AS_IT_IS(square); /* a jump, not a choice */
            }
            if (SER_INTENSITY_FIRST > 0 && i == SER_INTENSITY_FIRST) {
                first = sum;
            }
            steps->values[i] = value * (1 << 13);
            steps->squares[i] = square;
            all |= square;
            sum += value;
        }
        if (i == SER_INTENSITY_LAST_WHOLE) {
            last = sum;
        }
    }
    steps->sum = sum;
    steps->first_sum = sum - first;
    steps->last_sum = last;
    steps->up = ser_leading_zeros(all | 1U);
    uint32_t factor = 1U << steps->up;
    SER_AS_IT_IS(factor); /* a product, where a shift by a number that is not known is two instructions */
    for (uint32_t *square = steps->squares, *end = square + HOP_STEPS; square < end; square += 4) {
        SER_AS_IT_IS(square);
        square[0] *= factor;
        square[1] *= factor;
        square[2] *= factor;
        square[3] *= factor;
    }
}
typedef char ser_two_parts_of_a_hop[SER_INTENSITY_LAST_WHOLE <= HOP_STEPS ? 1 : -1];

/* The power of a frame times 2^18, its mean taken off. */
static int64_t power_of(const ser_intensity_frame *frame)
{
    /* times 2^15; the sum is below 2^26 */
    const int32_t mean = 2 * ser_mulh(frame->sum * (1 << 5), SER_INTENSITY_SHARE);
    return (int64_t)frame->squares - ((int64_t)mean * (2 * (int64_t)frame->values - mean) >> 12);
}

SER_IN_RAM int ser_intensity_hop(ser_intensity *intensity, const ser_tail *tail, int32_t *decibels)
{
    /* The latest hop is steps HOP_STEPS (age - SER_INTENSITY_OPENS) ... of the window of the frame so much older. */
    const uint32_t hop = tail->hops - 1;
    ser_intensity_steps steps;
    take_steps(tail->sample + SER_TAIL_SAMPLES - SER_HOP, &steps);
    ser_intensity_frame *opened = &intensity->open[hop % SER_INTENSITY_OPEN];
    opened->squares = 0;
    opened->values = 0;
    opened->sum = 0;
    const int32_t *w = ser_kaiser_steps;
    ser_intensity_frame *frame = &intensity->open[(hop + SER_INTENSITY_OPEN + 1 - SER_INTENSITY_OPENS) % SER_INTENSITY_OPEN];
    for (uint32_t age = SER_INTENSITY_OPENS; age < SER_INTENSITY_OPEN && age <= hop; age++) {
        frame = frame == intensity->open ? frame + SER_INTENSITY_OPEN - 1 : frame - 1; /* of hop - age */
        const int is_last = age == SER_INTENSITY_LATENCY;
        const int is_first = SER_INTENSITY_FIRST > 0 && age == SER_INTENSITY_OPENS;
        const int count = is_last ? SER_INTENSITY_LAST : HOP_STEPS;
        int32_t value = 0;
        uint32_t square = 0;
        const int32_t *v = steps.values;
        const uint32_t *q = steps.squares;
        for (const int32_t *end = v + count; v < end; v += AT_ONCE, q += AT_ONCE, w += AT_ONCE) {
            SER_AS_IT_IS(v);
            SER_AS_IT_IS(w);
            SER_AS_IT_IS(q);
            value = ser_add_mulh(ser_add_mulh(value, w[0], v[0]), w[1], v[1]);
            value = ser_add_mulh(ser_add_mulh(value, w[2], v[2]), w[3], v[3]);
            square += ser_umulh((uint32_t)w[0], q[0]) + ser_umulh((uint32_t)w[1], q[1]);
            square += ser_umulh((uint32_t)w[2], q[2]) + ser_umulh((uint32_t)w[3], q[3]);
#if AT_ONCE == 8
            value = ser_add_mulh(ser_add_mulh(value, w[4], v[4]), w[5], v[5]);
            value = ser_add_mulh(ser_add_mulh(value, w[6], v[6]), w[7], v[7]);
            square += ser_umulh((uint32_t)w[4], q[4]) + ser_umulh((uint32_t)w[5], q[5]);
            square += ser_umulh((uint32_t)w[6], q[6]) + ser_umulh((uint32_t)w[7], q[7]);
#endif
        }
        frame->values += value;
        if (steps.up < 16) { /* of 64 bits, 16 to the left and `up` to the right */
            frame->squares += (uint64_t)(square >> (16 + steps.up)) << 32 | square << (16 - steps.up);
        } else {
            frame->squares += square >> (steps.up - 16);
        }
        frame->sum += is_last ? steps.last_sum : is_first ? steps.first_sum : steps.sum;
    }
    if (hop < SER_INTENSITY_LATENCY) {
        return 0;
    }
    const int64_t power = power_of(&intensity->open[(hop - SER_INTENSITY_LATENCY) % SER_INTENSITY_OPEN]);
    *decibels = SER_INTENSITY_FLOOR;
    if (power > SER_INTENSITY_LEAST) {
        *decibels = ser_mulh(ser_log2_q24_64((uint64_t)power) + SER_INTENSITY_UNIT_LOG2, SER_INTENSITY_PER_LOG2);
    }
    return 1;
}
