#include "ser_capture.h"

#include <string.h>

ser_status ser_capture_init(ser_capture *capture, int slot, int shift)
{
    if (capture == NULL || slot < 0 || slot >= SER_CAPTURE_SLOTS || shift < 1 || shift > 16) {
        return SER_BAD_ARGUMENT;
    }
    memset(capture, 0, sizeof *capture);
    capture->slot = (uint8_t)slot;
    capture->shift = (uint8_t)shift;
    return SER_OK;
}

int16_t ser_capture_sample(uint32_t slot, int shift, uint16_t *clipped)
{
    /* Made positive first: C99 leaves the right shift of a negative number to the compiler. */
    const int32_t value = (int32_t)((slot ^ 0x80000000u) >> shift) - (int32_t)(0x80000000u >> shift);
    if (value >= -32768 && value <= 32767) {
        return (int16_t)value;
    }
    if (*clipped < UINT16_MAX) {
        (*clipped)++;
    }
    return value < 0 ? -32768 : 32767;
}

size_t ser_capture_push(
    ser_capture *capture, const uint8_t *bytes, size_t count, const ser_block **block
)
{
    ser_block *filling = &capture->block;
    *block = NULL;
    for (size_t i = 0; i < count; i++) {
        const int place = capture->byte % SER_CAPTURE_SLOT_BYTES;
        const int slot = capture->byte / SER_CAPTURE_SLOT_BYTES;
        capture->value = capture->value >> 8 | (uint32_t)bytes[i] << 24; /* the last is the highest */
        capture->byte = (uint8_t)((capture->byte + 1) % (SER_CAPTURE_SLOTS * SER_CAPTURE_SLOT_BYTES));
        if (slot != capture->slot || place != SER_CAPTURE_SLOT_BYTES - 1) {
            continue;
        }
        if (capture->count == 0) {
            filling->clipped = 0;
        }
        filling->sample[capture->count++] =
            ser_capture_sample(capture->value, capture->shift, &filling->clipped);
        if (capture->count == SER_HOP) {
            filling->lost = capture->pending;
            capture->pending = 0;
            capture->count = 0;
            *block = filling;
            return i + 1;
        }
    }
    return count;
}

void ser_capture_drop(ser_capture *capture)
{
    const uint16_t lost = capture->block.lost;
    capture->overruns++;
    capture->pending = lost < UINT16_MAX ? (uint16_t)(lost + 1) : lost;
}
