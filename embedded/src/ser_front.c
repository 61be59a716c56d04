#include "ser_front.h"

#include <stddef.h>
#include <string.h>

void ser_front_reset(ser_front *front)
{
    memset(front, 0, sizeof *front);
}

/* A one-pole DC blocker, the very integers of features/audio.py's block_dc. */
static void block_dc(ser_front *front, int16_t *samples, int count)
{
    int32_t level = front->level;
    if (front->samples == 0) {
        level = samples[0] * (1 << SER_DC_SHIFT);
    }
    for (int i = 0; i < count; i++) {
        /* The level stays within int16 times 2^SER_DC_SHIFT and is offset to be positive: the shift of
           a negative number is not defined in C99. */
        const int32_t offset = 32768 * (1 << SER_DC_SHIFT);
        const int32_t rounded =
            ((level + offset + (1 << (SER_DC_SHIFT - 1))) >> SER_DC_SHIFT) - 32768;
        const int32_t difference = samples[i] - rounded;
        level += difference;
        samples[i] = (int16_t)(difference > 32767 ? 32767
                                                  : (difference < -32768 ? -32768 : difference));
    }
    front->level = level;
}

const int16_t *ser_front_push(ser_front *front, int16_t *samples, int count)
{
    block_dc(front, samples, count);
    memmove(front->recent, front->recent + count,
            (size_t)(SER_FRONT_ROOM - count) * sizeof *samples);
    memcpy(front->recent + SER_FRONT_ROOM - count, samples, (size_t)count * sizeof *samples);
    if (front->samples < SER_FRONT_ROOM) {
        front->samples += (uint32_t)count;
    }
    return front->samples < SER_FRONT_ROOM ? NULL : front->recent;
}
