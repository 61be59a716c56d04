#include "ser_front.h"

void ser_front_reset(ser_front *front)
{
    front->level = 0;
    front->started = 0;
}

/* One pole, the very integers of features/audio.py's block_dc. */
void ser_front_block_dc(ser_front *front, int16_t *samples, int count)
{
    int32_t level = front->started ? front->level : samples[0] * (1 << SER_DC_SHIFT);
    for (int i = 0; i < count; i++) {
        /* The level stays within int16 times 2^SER_DC_SHIFT. Made positive first: C99 leaves the right
           shift of a negative number to the compiler. */
        const int32_t positive = level + 32768 * (1 << SER_DC_SHIFT) + (1 << (SER_DC_SHIFT - 1));
        const int32_t difference = samples[i] - ((positive >> SER_DC_SHIFT) - 32768);
        level += difference;
        samples[i] = (int16_t)(difference > 32767 ? 32767
                                                  : (difference < -32768 ? -32768 : difference));
    }
    front->level = level;
    front->started = 1;
}
