/* A level in 1/256 sample steps, below 2^27, as 16 bits: 4 exponent, 12 mantissa. */
#ifndef SER_PACK_H
#define SER_PACK_H

#include <stdint.h>

static inline uint16_t ser_pack(uint32_t value)
{
    uint32_t exponent = 0;
    while (value >= 4096u) {
        value = (value + 1u) >> 1;
        exponent++;
    }
    return (uint16_t)(exponent << 12 | value);
}

static inline uint32_t ser_unpack(uint16_t packed)
{
    return (uint32_t)(packed & 0xfffu) << (packed >> 12);
}

#endif
