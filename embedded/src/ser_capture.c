#include "ser_capture.h"

#include <string.h>

/* Time constants of the mean, in bits: 2^13 samples are half a second, slow enough to leave speech alone; 2^10 at
   first, so that the offset is known before anybody is listened to, and 100 Hz at full scale moves it by less than
   what is let through. */
enum { FOLLOW = 13, AT_FIRST = 10 };

static const int64_t FULL_SCALE = (int64_t)1 << 31; /* of a slot */

static ser_status init(ser_capture *capture, int slot, int shift, int slots, int bytes)
{
    if (capture == NULL || slot < 0 || slot >= slots || shift < 1 || shift > 16) {
        return SER_BAD_ARGUMENT;
    }
    memset(capture, 0, sizeof *capture);
    capture->slot = (uint8_t)slot;
    capture->shift = (uint8_t)shift;
    capture->slots = (uint8_t)slots;
    capture->slot_bytes = (uint8_t)bytes;
    return SER_OK;
}

ser_status ser_capture_init(ser_capture *capture, int slot, int shift)
{
    return init(capture, slot, shift, SER_CAPTURE_SLOTS, SER_CAPTURE_SLOT_BYTES);
}

ser_status ser_capture_init_pcm(ser_capture *capture, int shift)
{
    return init(capture, 0, shift, 1, SER_CAPTURE_PCM_BYTES);
}

/* value / 2^bits, rounded down, for a constant: a 64-bit shift by a variable is a function call on 32-bit chips. Made
   positive first: C99 leaves the right shift of a negative number to the compiler. |value| < 2^46. */
#define SHIFTED(value, bits) \
    ((int64_t)(((uint64_t)(value) + ((uint64_t)1 << 46)) >> (bits)) - ((int64_t)1 << (46 - (bits))))

static int32_t signed_value(uint32_t slot)
{
    return (int32_t)((int64_t)(slot ^ 0x80000000u) - FULL_SCALE);
}

static int16_t limited(int64_t value, int shift, uint16_t *clipped)
{
    if (value >= INT32_MIN && value <= INT32_MAX) {
        const uint32_t positive = (uint32_t)(int32_t)value ^ 0x80000000u;
        const int32_t found = (int32_t)(positive >> shift) - (int32_t)(0x80000000u >> shift);
        if (found >= -32768 && found <= 32767) {
            return (int16_t)found;
        }
    }
    if (*clipped < UINT16_MAX) {
        (*clipped)++;
    }
    return value < 0 ? -32768 : 32767;
}

int16_t ser_capture_sample(uint32_t slot, int shift, uint16_t *clipped)
{
    return limited(signed_value(slot), shift, clipped);
}

static int32_t mean_of(const ser_capture *capture)
{
    return (int32_t)SHIFTED(capture->level, FOLLOW);
}

/* Follows the mean with this value; returns by how much it exceeds what is let through. */
static int32_t offset(ser_capture *capture, int32_t value)
{
    const int64_t further = (int64_t)value * (1 << FOLLOW) - capture->level;
    capture->level += capture->watching ? SHIFTED(further, FOLLOW) : SHIFTED(further, AT_FIRST);
    const int32_t mean = mean_of(capture);
    const int32_t through = (int32_t)1024 << capture->shift; /* 1/32 of the block's full scale */
    return mean > through ? mean - through : (mean < -through ? mean + through : 0);
}

static void watch(ser_capture *capture, int slot, int32_t value)
{
    capture->low[slot] = value < capture->low[slot] ? value : capture->low[slot];
    capture->high[slot] = value > capture->high[slot] ? value : capture->high[slot];
}

static void begin_watch(ser_capture *capture)
{
    capture->blocks = 0;
    capture->clipped = 0;
    for (int slot = 0; slot < SER_CAPTURE_SLOTS; slot++) {
        capture->low[slot] = INT32_MAX;
        capture->high[slot] = INT32_MIN;
    }
}

/* Never two steps apart, after the gain. */
static int is_still(const ser_capture *capture, int slot)
{
    return (int64_t)capture->high[slot] - capture->low[slot] < (int64_t)2 << capture->shift;
}

static ser_capture_fault judge(const ser_capture *capture)
{
    const int slot = capture->slot;
    const int32_t mean = mean_of(capture);
    if (is_still(capture, slot)) {
        if (capture->slots > 1 && !is_still(capture, 1 - slot)) {
            return SER_CAPTURE_WRONG_SLOT;
        }
        return capture->low[slot] == capture->high[slot] && capture->low[slot] != 0 ? SER_CAPTURE_STUCK
                                                                                 : SER_CAPTURE_SILENT;
    }
    if (capture->clipped >= (uint32_t)SER_CAPTURE_WATCH * SER_HOP / 100u) {
        return SER_CAPTURE_CLIPPED;
    }
    return mean > FULL_SCALE / 20 || mean < -FULL_SCALE / 20 ? SER_CAPTURE_OFFSET : SER_CAPTURE_WELL;
}

static void end_block(ser_capture *capture)
{
    ser_block *block = &capture->block;
    block->lost = capture->pending;
    capture->pending = 0;
    capture->count = 0;
    capture->blocks++;
    capture->clipped += block->clipped;
    if (!capture->watching && capture->blocks == SER_CAPTURE_START) {
        capture->watching = 1;
        begin_watch(capture);
    } else if (capture->watching && capture->blocks == SER_CAPTURE_WATCH) {
        block->fault = (uint8_t)judge(capture);
        begin_watch(capture);
    }
}

/* A slot is read; whether it completes the block. */
static int take_slot(ser_capture *capture, uint32_t raw)
{
    ser_block *filling = &capture->block;
    const int32_t value = signed_value(raw);
    const int slot = capture->at;
    capture->at = (uint8_t)(slot + 1 < capture->slots ? slot + 1 : 0);
    watch(capture, slot, value);
    if (slot != capture->slot) {
        return 0;
    }
    if (capture->count == 0) {
        filling->clipped = 0;
    }
    filling->sample[capture->count++] =
        limited((int64_t)value - offset(capture, value), capture->shift, &filling->clipped);
    if (capture->count < SER_HOP) {
        return 0;
    }
    end_block(capture);
    return 1;
}

size_t ser_capture_push(
    ser_capture *capture, const uint8_t *bytes, size_t count, const ser_block **block
)
{
    const size_t size = capture->slot_bytes;
    size_t i = 0;
    *block = NULL;
    while (i < count) {
        uint32_t raw;
        if (capture->bytes == 0 && count - i >= size) {
            raw = (uint32_t)bytes[i + size - 1] << 24 | (uint32_t)bytes[i + size - 2] << 16;
            if (size == SER_CAPTURE_SLOT_BYTES) {
                raw |= (uint32_t)bytes[i + 1] << 8 | bytes[i];
            }
            i += size;
        } else { /* a slot in pieces: the last byte is the highest */
            capture->value = capture->value >> 8 | (uint32_t)bytes[i++] << 24;
            if (++capture->bytes < size) {
                continue;
            }
            raw = size == SER_CAPTURE_SLOT_BYTES ? capture->value : capture->value & 0xffff0000u;
            capture->bytes = 0;
        }
        if (take_slot(capture, raw)) {
            *block = &capture->block;
            return i;
        }
    }
    return count;
}

static void miss(ser_capture *capture, uint32_t blocks)
{
    const uint32_t pending = UINT16_MAX - (uint32_t)capture->pending;
    const uint32_t overruns = UINT32_MAX - capture->overruns;
    capture->pending = (uint16_t)(capture->pending + (blocks < pending ? blocks : pending));
    capture->overruns += blocks < overruns ? blocks : overruns;
}

void ser_capture_drop(ser_capture *capture)
{
    const uint32_t before = capture->block.lost; /* of it nobody has heard */
    miss(capture, 1);
    capture->pending = (uint16_t)(before < UINT16_MAX - (uint32_t)capture->pending ? capture->pending + before
                                                                               : UINT16_MAX);
}

void ser_capture_missed(ser_capture *capture, uint32_t frames)
{
    miss(capture, frames / SER_HOP + (frames % SER_HOP > 0));
}

const char *ser_capture_says(int fault)
{
    switch (fault) {
    case SER_CAPTURE_SILENT:
        return "the microphone is silent: is it powered, and its data pin connected?";
    case SER_CAPTURE_STUCK:
        return "the microphone's data line is stuck at one value: is it connected, and to the right pin?";
    case SER_CAPTURE_WRONG_SLOT:
        return "the microphone is in the other slot: turn its L/R pin, or set MICROPHONE_SLOT";
    case SER_CAPTURE_CLIPPED:
        return "the sound is too loud and is clipped: a larger MICROPHONE_SHIFT, or more distance";
    case SER_CAPTURE_OFFSET:
        return "the microphone has an offset of more than 5 %: it is taken off";
    default:
        return "";
    }
}
