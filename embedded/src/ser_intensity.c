#include "ser_intensity.h"

#include "ser_math.h"
#include "ser_voice_tables.h"

#include <string.h>

#define HOP_STEPS (SER_HOP / SER_INTENSITY_STEP)
/* (1 / 32768)^2 / (2e-5)^2 */
#define REFERENCE 2.3283064f

void ser_intensity_reset(ser_intensity *intensity) { memset(intensity, 0, sizeof *intensity); }

int ser_intensity_hop(ser_intensity *intensity, const ser_tail *tail, float *decibels)
{
    /* Hop m brings samples 160 m - 80 ... 160 m + 79: it is steps 40 (age - 1) ... of the window of frame m - age. */
    const int16_t *x = tail->sample + SER_TAIL_SAMPLES - SER_HOP;
    const uint32_t hop = tail->hops - 1;
    float values[HOP_STEPS], squares[HOP_STEPS];
    int32_t sum = 0, last_sum = 0; /* last: of the window */
    uint32_t age;
    int i;
    for (i = 0; i < HOP_STEPS; i++, x += SER_INTENSITY_STEP) {
        const float a = (float)x[0], b = (float)x[1], c = (float)x[2], d = (float)x[3];
        const int32_t value = x[0] + x[1] + x[2] + x[3];
        values[i] = (float)value;
        squares[i] = (a * a + b * b) + (c * c + d * d);
        sum += value;
        if (i < SER_INTENSITY_WHOLE % HOP_STEPS) {
            last_sum += value;
        }
    }
    memset(&intensity->open[hop % SER_INTENSITY_OPEN], 0, sizeof intensity->open[0]);
    for (age = 1; age < SER_INTENSITY_OPEN && age <= hop; age++) {
        ser_intensity_frame *frame = &intensity->open[(hop - age) % SER_INTENSITY_OPEN];
        const float *w = ser_kaiser_steps + (age - 1) * HOP_STEPS;
        const int is_last = age == SER_INTENSITY_LATENCY;
        const int steps = is_last ? SER_INTENSITY_STEPS % HOP_STEPS : HOP_STEPS;
        float value = 0.0f, square = 0.0f;
        for (i = 0; i < steps; i += 4, w += 4) {
            const float *v = values + i, *q = squares + i;
            value += (w[0] * v[0] + w[1] * v[1]) + (w[2] * v[2] + w[3] * v[3]);
            square += (w[0] * q[0] + w[1] * q[1]) + (w[2] * q[2] + w[3] * q[3]);
        }
        frame->values += value;
        frame->squares += square;
        frame->sum += is_last ? last_sum : sum;
    }
    if (hop < SER_INTENSITY_LATENCY) {
        return 0;
    }
    {
        const ser_intensity_frame *frame = &intensity->open[(hop - SER_INTENSITY_LATENCY) % SER_INTENSITY_OPEN];
        const float mean = (float)frame->sum * (1.0f / (float)(SER_INTENSITY_WHOLE * SER_INTENSITY_STEP));
        const float power = (frame->squares - mean * (2.0f * frame->values - mean)) * REFERENCE;
        *decibels = power > 1.0f ? ser_db(power) : SER_INTENSITY_FLOOR_DB;
    }
    return 1;
}
