/*
 * Front end: blocks DC in integers, hands out the frames. In go samples in blocks that end on the
 * 80 (mod 160) grid of a clip, out come DC-free samples and, once per hop, the frame they complete.
 */
#ifndef SER_FRONT_H
#define SER_FRONT_H

#include "ser_schema.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A frame ends up to a hop before the grid's next mark, so a little more than a frame is kept. */
#define SER_FRONT_ROOM                                                                             \
    (SER_FRAME + (SER_CLIP_REMAINDER + 2 * SER_HOP - SER_FRAME % SER_HOP) % SER_HOP)

typedef struct {
    int16_t recent[SER_FRONT_ROOM]; /* the latest samples, DC blocked, oldest first */
    int32_t level;                  /* the DC estimate, times 2^SER_DC_SHIFT */
    uint32_t samples;               /* seen; stops counting at SER_FRONT_ROOM */
} ser_front;

void ser_front_reset(ser_front *front);

/*
 * Takes the next samples: SER_CLIP_REMAINDER at first, SER_HOP every further time. They are replaced
 * by themselves with DC blocked. Returns the frame of SER_FRAME samples that they complete, or NULL.
 */
const int16_t *ser_front_push(ser_front *front, int16_t *samples, int count);

#ifdef __cplusplus
}
#endif

#endif
