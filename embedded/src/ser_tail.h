/*
 * The latest samples of the stream, and its peak: what pitch and HNR frames are cut from.
 *
 *   ser_tail tail;
 *   ser_tail_reset(&tail);
 *   ser_tail_push(&tail, samples, count);     SER_CLIP_REMAINDER samples first, then SER_HOP at a time
 *
 * Hop m (m = 0 after the first push) ends at sample SER_HOP m + SER_CLIP_REMAINDER of the stream, and so do the
 * SER_TAIL_SAMPLES kept; they are zero before its start. A pitch frame begins with the oldest of them.
 */
#ifndef SER_TAIL_H
#define SER_TAIL_H

#include "ser_schema.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SER_TAIL_HOPS = (SER_TAIL_SAMPLES + SER_HOP - 1) / SER_HOP };

typedef struct {
    int64_t sum;
    uint32_t hops; /* pushed so far */
    int32_t hop_sum[SER_TAIL_HOPS]; /* of the hops that the samples are of, hop m at m % SER_TAIL_HOPS */
    int16_t low, high;
    int16_t hop_low[SER_TAIL_HOPS], hop_high[SER_TAIL_HOPS]; /* the same */
    int16_t sample[SER_TAIL_SAMPLES];                        /* oldest first */
} ser_tail;

void ser_tail_reset(ser_tail *tail);

/* Appends SER_CLIP_REMAINDER samples the first time, SER_HOP every other time. */
void ser_tail_push(ser_tail *tail, const int16_t *samples, int count);

/* The smallest and the largest of the samples kept, or of some more before them. */
void ser_tail_range(const ser_tail *tail, int16_t *low, int16_t *high);

/* Largest distance of any sample so far from the mean of all, Praat's global peak, in 1/256 sample steps: exact to one
 * of them for eight minutes, and from then on as long as the mean is small, as a DC blocker leaves it. */
uint32_t ser_tail_level(const ser_tail *tail);

/* How stages take a frame's samples x: as x 2^up - mean, at most 65535 in size. */
typedef struct {
    int32_t mean, up;
} ser_scale;

/* By the mean of 2 SER_PITCH_LONGEST samples around this one of the tail, and the range that the tail is in. */
ser_scale ser_tail_scale(const ser_tail *tail, int middle);

#ifdef __cplusplus
}
#endif

#endif
