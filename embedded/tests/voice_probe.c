/* The voice stages as one object behind plain functions, for the Python tests (ctypes). */
#include "ser_hnr.h"
#include "ser_intensity.h"
#include "ser_pitch.h"
#include "ser_pulses.h"
#include "ser_tail.h"

#include <stddef.h>
#include <string.h>

#define PROBE_LEVELS 2000

typedef struct {
    ser_tail tail;
    ser_pitch pitch;
    ser_pulses pulses;
    ser_hnr hnr;
    ser_intensity intensity;
    float scratch[SER_HNR_SCRATCH];
    float level[PROBE_LEVELS];
    int levels;
} probe;

size_t probe_size(void) { return sizeof(probe); }

void probe_reset(probe *p)
{
    ser_tail_reset(&p->tail);
    ser_pitch_reset(&p->pitch);
    ser_pulses_reset(&p->pulses);
    ser_hnr_reset(&p->hnr);
    ser_intensity_reset(&p->intensity);
    p->levels = 0;
}

/* count = 80 + 160 m samples of a fresh stream. */
void probe_run(probe *p, const int16_t *x, size_t count)
{
    size_t i = 0, hop = SER_CLIP_REMAINDER;
    for (; i + hop <= count; i += hop, hop = SER_HOP) {
        float level;
        ser_tail_push(&p->tail, x + i, (int)hop);
        ser_hnr_hop(&p->hnr, &p->tail, p->scratch);
        ser_pitch_hop(&p->pitch, &p->tail, p->scratch);
        ser_pulses_hop(&p->pulses, &p->tail, &p->pitch, p->scratch);
        if (ser_intensity_hop(&p->intensity, &p->tail, &level) && p->levels < PROBE_LEVELS) {
            p->level[p->levels++] = level;
        }
    }
}

void probe_pitch(probe *p, float *columns)
{
    ser_pitch_columns(&p->pitch, ser_tail_peak(&p->tail), columns);
}

void probe_voice(probe *p, float *columns)
{
    ser_pulses_columns(&p->pulses, &p->tail, &p->pitch, p->scratch, columns);
}

/* Pulses kept (those marked at the end are not). */
int probe_pulses(const probe *p, uint32_t *time)
{
    memcpy(time, p->pulses.time, sizeof p->pulses.time);
    return p->pulses.count;
}

void probe_hnr(const probe *p, float *columns)
{
    ser_hnr_columns(&p->hnr, ser_tail_peak(&p->tail), columns);
}

int probe_levels(const probe *p, float *levels)
{
    memcpy(levels, p->level, sizeof(float) * (size_t)p->levels);
    return p->levels;
}

int probe_track(probe *p, uint16_t *track) { return ser_pitch_track(&p->pitch, 0, track, 800); }

/* HNR frames kept: voiced up to this peak, dB. */
int probe_hnr_track(const probe *p, float *limit, float *ratio)
{
    int i;
    for (i = 0; i < p->hnr.frames; i++) {
        limit[i] = (float)p->hnr.limit[i];
        ratio[i] = (float)p->hnr.ratio[i] / 256.0f;
    }
    return p->hnr.frames;
}

unsigned probe_pooled(const probe *p) { return p->pitch.pooled; }
