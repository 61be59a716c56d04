#include "ser_intensity.h"

#include "ser_math.h"
#include "ser_voice_tables.h"

#include <string.h>

#define CENTRE 760 /* of frame 0 */
#define HALF (SER_INTENSITY_WINDOW / 2)
/* (1 / 32768)^2 / (2e-5)^2 */
#define REFERENCE 2.3283064f

void ser_intensity_reset(ser_intensity *intensity) { memset(intensity, 0, sizeof *intensity); }

/* Adds count samples under a run of window weights, read upwards (step 1) or downwards (-1). */
static void add(ser_intensity_frame *frame, const float *x, const float *w, int step, int count)
{
    float squares = 0.0f, values = 0.0f;
    for (; count > 1; count -= 2, x += 2, w += 2 * step) {
        const float a = w[0] * x[0], b = w[step] * x[1];
        values += a + b;
        squares += a * x[0] + b * x[1];
    }
    if (count > 0) {
        values += w[0] * x[0];
        squares += w[0] * x[0] * x[0];
    }
    frame->squares += squares;
    frame->values += values;
}

int ser_intensity_hop(ser_intensity *intensity, const ser_tail *tail, float *decibels)
{
    /* Hop m brings samples 160 m - 80 ... 160 m + 79. */
    const int16_t *samples = tail->sample + SER_TAIL_SAMPLES - SER_HOP;
    const uint32_t hop = tail->hops - 1;
    float x[SER_HOP];
    int32_t sum = 0;
    uint32_t age;
    int i;
    for (i = 0; i < SER_HOP; i++) {
        x[i] = (float)samples[i];
        sum += samples[i];
    }
    for (age = 0; age < SER_INTENSITY_OPEN && age <= hop; age++) {
        ser_intensity_frame *frame = &intensity->open[(hop - age) % SER_INTENSITY_OPEN];
        const int place = (int)age * SER_HOP - (SER_HOP - SER_CLIP_REMAINDER) - CENTRE; /* of x[0] */
        const int begin = place < -HALF ? -HALF - place : 0;
        const int end = place + SER_HOP > HALF + 1 ? HALF + 1 - place : SER_HOP;
        const int turn = place >= 0 ? begin : place + end > 0 ? -place : end; /* the window's centre */
        if (age == 0) {
            memset(frame, 0, sizeof *frame);
        }
        if (turn > begin) {
            add(frame, x + begin, ser_kaiser_half - (place + begin), -1, turn - begin);
        }
        if (end > turn) {
            add(frame, x + turn, ser_kaiser_half + (place + turn), 1, end - turn);
        }
        frame->sum += sum;
        for (i = 0; i < begin; i++) {
            frame->sum -= samples[i];
        }
        for (i = end; i < SER_HOP; i++) {
            frame->sum -= samples[i];
        }
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
