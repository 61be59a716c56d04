#include "ser_intensity.h"

#include "ser_math.h"
#include "ser_voice_tables.h"

#include <string.h>

#define HOP_STEPS (SER_HOP / SER_INTENSITY_STEP)
#if SER_INTENSITY_STEP != 4 || HOP_STEPS % 4 != 0
#error "SER_HOP: ser_intensity.c takes four steps of four samples at a time"
#endif

void ser_intensity_reset(ser_intensity *intensity) { memset(intensity, 0, sizeof *intensity); }

int ser_intensity_hop(ser_intensity *intensity, const ser_tail *tail, float *decibels)
{
    /* The latest hop is steps HOP_STEPS (age - SER_INTENSITY_OPENS) ... of the window of the frame so much older. */
    const int16_t *x = tail->sample + SER_TAIL_SAMPLES - SER_HOP;
    const uint32_t hop = tail->hops - 1;
    float values[HOP_STEPS], squares[HOP_STEPS];
    int32_t sum = 0, first_sum = 0, last_sum = 0; /* first, last: of the window */
    uint32_t age;
    int i;
    for (i = 0; i < HOP_STEPS; i++, x += SER_INTENSITY_STEP) {
        const float a = (float)x[0], b = (float)x[1], c = (float)x[2], d = (float)x[3];
        const int32_t value = x[0] + x[1] + x[2] + x[3];
        values[i] = (float)value;
        squares[i] = (a * a + b * b) + (c * c + d * d);
        sum += value;
        if (i < SER_INTENSITY_LAST_WHOLE) {
            last_sum += value;
        }
        if (SER_INTENSITY_FIRST > 0 && i >= SER_INTENSITY_FIRST) {
            first_sum += value;
        }
    }
    if (SER_INTENSITY_FIRST == 0) {
        first_sum = sum;
    }
    memset(&intensity->open[hop % SER_INTENSITY_OPEN], 0, sizeof intensity->open[0]);
    for (age = SER_INTENSITY_OPENS; age < SER_INTENSITY_OPEN && age <= hop; age++) {
        ser_intensity_frame *frame = &intensity->open[(hop - age) % SER_INTENSITY_OPEN];
        const float *w = ser_kaiser_steps + (age - SER_INTENSITY_OPENS) * HOP_STEPS;
        const int is_last = age == SER_INTENSITY_LATENCY;
        const int is_first = SER_INTENSITY_FIRST > 0 && age == SER_INTENSITY_OPENS;
        const int steps = is_last ? SER_INTENSITY_LAST : HOP_STEPS;
        float value = 0.0f, square = 0.0f;
        for (i = 0; i < steps; i += 4, w += 4) {
            const float *v = values + i, *q = squares + i;
            value += (w[0] * v[0] + w[1] * v[1]) + (w[2] * v[2] + w[3] * v[3]);
            square += (w[0] * q[0] + w[1] * q[1]) + (w[2] * q[2] + w[3] * q[3]);
        }
        frame->values += value;
        frame->squares += square;
        frame->sum += is_last ? last_sum : is_first ? first_sum : sum;
    }
    if (hop < SER_INTENSITY_LATENCY) {
        return 0;
    }
    {
        const ser_intensity_frame *frame = &intensity->open[(hop - SER_INTENSITY_LATENCY) % SER_INTENSITY_OPEN];
        const float mean = (float)frame->sum * (1.0f / (float)(SER_INTENSITY_WHOLE * SER_INTENSITY_STEP));
        const float power = (frame->squares - mean * (2.0f * frame->values - mean)) * SER_INTENSITY_UNIT;
        *decibels = power > SER_INTENSITY_FLOOR_POWER ? ser_db(power) : SER_INTENSITY_FLOOR_DB;
    }
    return 1;
}
