#include "ser_intensity.h"

#include "ser_math.h"
#include "ser_voice_tables.h"

#include <string.h>

#define CENTRE 760 /* of frame 0 */
#define HALF (SER_INTENSITY_WINDOW / 2)
/* (1 / 32768)^2 / (2e-5)^2 */
#define REFERENCE 2.3283064f

void ser_intensity_reset(ser_intensity *intensity) { memset(intensity, 0, sizeof *intensity); }

/* Samples [from, to) of the hop, at window place `place` and on (-HALF ... HALF), added to a frame. */
static void add(ser_intensity_frame *frame, const int16_t *x, int place, int count)
{
    float squares = 0.0f, values = 0.0f;
    int32_t sum = 0;
    int i;
    for (i = 0; i < count; i++, place++) {
        const float wx = ser_kaiser_half[place < 0 ? -place : place] * (float)x[i];
        values += wx;
        squares += wx * (float)x[i];
        sum += x[i];
    }
    frame->squares += squares;
    frame->values += values;
    frame->sum += sum;
}

int ser_intensity_hop(ser_intensity *intensity, const ser_tail *tail, float *decibels)
{
    /* Hop m brings samples 160 m - 80 ... 160 m + 79. */
    const int16_t *x = tail->sample + SER_TAIL_SAMPLES - SER_HOP;
    const uint32_t hop = tail->hops - 1;
    uint32_t age;
    for (age = 0; age < SER_INTENSITY_OPEN && age <= hop; age++) {
        ser_intensity_frame *frame = &intensity->open[(hop - age) % SER_INTENSITY_OPEN];
        const int place = (int)age * SER_HOP - (SER_HOP - SER_CLIP_REMAINDER) - CENTRE; /* of x[0] */
        const int skip = place < -HALF ? -HALF - place : 0;
        const int end = place + SER_HOP > HALF + 1 ? HALF + 1 - place : SER_HOP;
        if (age == 0) {
            memset(frame, 0, sizeof *frame);
        }
        add(frame, x + skip, place + skip, end - skip);
    }
    if (hop < SER_INTENSITY_LATENCY) {
        return 0;
    }
    {
        const ser_intensity_frame *frame = &intensity->open[(hop - SER_INTENSITY_LATENCY) % SER_INTENSITY_OPEN];
        const float mean = (float)frame->sum * (1.0f / (float)SER_INTENSITY_WINDOW);
        const float power = (frame->squares - mean * (2.0f * frame->values - mean)) * REFERENCE;
        *decibels = power > 1.0f ? ser_db(power) : SER_INTENSITY_FLOOR_DB;
    }
    return 1;
}
