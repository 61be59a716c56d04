#include "ser_front.h"

#include "ser_fixed.h"
#include "ser_in_ram.h"

void ser_front_reset(ser_front *front)
{
    front->level = 0;
    front->started = 0;
}

SER_INLINE int16_t saturated(int32_t x)
{
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
    __asm__("ssat %0, #16, %0" : "+r"(x) : : "cc");
    return (int16_t)x;
#else
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
#endif
}

SER_INLINE void put_saturated(int16_t *place, int32_t x)
{
#if defined(__XTENSA__)
    int32_t low = (int16_t)x;
    SER_AS_IT_IS(low);
    *place = (int16_t)x;
    if (low != x) { /* rare: no limits need to be there to compare with */
        *place = saturated(x);
    }
#else
    *place = saturated(x);
#endif
}

/* One pole, the very integers of features/audio.py's block_dc. */
SER_IN_RAM void ser_front_block_dc(ser_front *front, const int16_t *samples, int count, int16_t *blocked)
{
    const int32_t half = 1 << (SER_DC_SHIFT - 1);
    /* The level stays within int16 times 2^SER_DC_SHIFT; here half a unit more, for rounding. */
    int32_t level = half + (front->started ? front->level : samples[0] * (1 << SER_DC_SHIFT));
    for (const int16_t *end = samples + count; samples < end; samples++, blocked++) {
        SER_AS_IT_IS(samples);
        SER_AS_IT_IS(blocked);
        const int32_t difference = *samples - (level >> SER_DC_SHIFT);
        level += difference;
        put_saturated(blocked, difference);
        if (++samples == end) { /* two samples: half the steps */
            break;
        }
        const int32_t next = *samples - (level >> SER_DC_SHIFT);
        level += next;
        put_saturated(++blocked, next);
    }
    front->level = level - half;
    front->started = 1;
}
