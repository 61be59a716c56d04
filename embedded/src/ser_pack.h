/* A level in sample steps, 0 ... 8e6, as 16 bits: 4 exponent, 12 mantissa, in units of 1/256. */
#ifndef SER_PACK_H
#define SER_PACK_H

#include <stdint.h>

static inline uint16_t ser_pack(float level)
{
    uint32_t value = (uint32_t)(level * 256.0f + 0.5f), exponent = 0;
    while (value >= 4096u) {
        value = (value + 1u) >> 1;
        exponent++;
    }
    return (uint16_t)(exponent << 12 | value);
}

static inline float ser_unpack(uint16_t packed)
{
    return (float)((uint32_t)(packed & 0xfffu) << (packed >> 12)) * (1.0f / 256.0f);
}

#endif
