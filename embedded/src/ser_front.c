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
#elif defined(__XTENSA__) && XCHAL_HAVE_CLAMPS
    __asm__("clamps %0, %0, 15" : "+r"(x));
    return (int16_t)x;
#else
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
#endif
}

/* The next level. */
SER_INLINE int32_t taken_off(int32_t level, const int16_t *sample, int16_t *blocked)
{
    const int32_t difference = *sample - (level >> SER_DC_SHIFT);
    *blocked = saturated(difference);
    return level + difference;
}

/* One pole, the very integers of features/audio.py's block_dc. */
SER_IN_RAM void ser_front_block_dc(ser_front *front, const int16_t *samples, int count, int16_t *blocked)
{
    const int32_t half = 1 << (SER_DC_SHIFT - 1);
    /* The level stays within int16 times 2^SER_DC_SHIFT; here half a unit more, for rounding. */
    int32_t level = half + (front->started ? front->level : samples[0] * (1 << SER_DC_SHIFT));
    for (; count >= 4; count -= 4, samples += 4, blocked += 4) { /* four: fewer steps */
        SER_AS_IT_IS(samples);
        SER_AS_IT_IS(blocked);
        level = taken_off(level, samples, blocked);
        level = taken_off(level, samples + 1, blocked + 1);
        level = taken_off(level, samples + 2, blocked + 2);
        level = taken_off(level, samples + 3, blocked + 3);
    }
    for (; count > 0; count--) {
        level = taken_off(level, samples++, blocked++);
    }
    front->level = level - half;
    front->started = 1;
}
