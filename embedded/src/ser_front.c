#include "ser_front.h"

#include "ser_fixed.h"

void ser_front_reset(ser_front *front)
{
    front->level = 0;
    front->started = 0;
}

/* One pole, the very integers of features/audio.py's block_dc. */
void ser_front_block_dc(ser_front *front, int16_t *samples, int count)
{
    const int32_t half = 1 << (SER_DC_SHIFT - 1);
    /* The level stays within int16 times 2^SER_DC_SHIFT; here half a unit more, for rounding. */
    int32_t level = half + (front->started ? front->level : samples[0] * (1 << SER_DC_SHIFT));
    for (const int16_t *end = samples + count; samples < end; samples++) {
        SER_AS_IT_IS(samples);
        const int32_t difference = *samples - (level >> SER_DC_SHIFT);
        level += difference;
        *samples = (int16_t)(difference > 32767 ? 32767 : difference < -32768 ? -32768 : difference);
    }
    front->level = level - half;
    front->started = 1;
}
