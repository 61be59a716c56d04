/* The voice stages as one object behind plain functions, for the Python tests (ctypes). */
#include "ser_pitch.h"
#include "ser_tail.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    ser_tail tail;
    ser_pitch pitch;
    float scratch[1026];
} probe;

size_t probe_size(void) { return sizeof(probe); }

void probe_reset(probe *p)
{
    ser_tail_reset(&p->tail);
    ser_pitch_reset(&p->pitch);
}

/* count = 80 + 160 m samples of a fresh stream. */
void probe_run(probe *p, const int16_t *x, size_t count)
{
    size_t i = 0, hop = SER_CLIP_REMAINDER;
    for (; i + hop <= count; i += hop, hop = SER_HOP) {
        ser_tail_push(&p->tail, x + i, (int)hop);
        ser_pitch_hop(&p->pitch, &p->tail, p->scratch);
    }
}

void probe_pitch(probe *p, float *columns)
{
    ser_pitch_columns(&p->pitch, ser_tail_peak(&p->tail), columns);
}

int probe_track(probe *p, uint16_t *track) { return ser_pitch_track(&p->pitch, 0, track, 800); }

unsigned probe_pooled(const probe *p) { return p->pitch.pooled; }
