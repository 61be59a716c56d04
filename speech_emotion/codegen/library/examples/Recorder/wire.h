/*
 * A block of sound on the serial line: 10 ms, numbered, with a check sum. What `speech-emotion record --port` reads
 * (speech_emotion/recording/wire.py has the same numbers).
 *
 *     4 bytes    "SER1"
 *     4          which run of the board this is, drawn at its start
 *     4          the block's number in it: blocks that were lost on the board are counted, too
 *     2          samples of it that were limited to int16
 *     2 * 160    int16 samples, 16 kHz
 *     4          CRC-32 (IEEE 802.3) of all before
 *
 * Numbers are little endian. Text between blocks, such as a boot message, is passed over by the reader.
 */
#ifndef WIRE_H
#define WIRE_H

#include <ser_capture.h>

static const size_t WIRE_HEAD = 14;
static const size_t WIRE_BYTES = WIRE_HEAD + 2 * SER_HOP + 4;

static uint8_t *wire_put(uint8_t *at, uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        *at++ = static_cast<uint8_t>(value >> (8 * i));
    }
    return at;
}

static uint32_t wire_crc(const uint8_t *bytes, size_t count)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++) {
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

/* Writes a block to `out`, WIRE_BYTES. */
static void wire_block(uint8_t *out, uint32_t run, uint32_t number, const ser_block *block)
{
    uint8_t *at = out;
    memcpy(at, "SER1", 4);
    at = wire_put(at + 4, run, 4);
    at = wire_put(at, number, 4);
    at = wire_put(at, block->clipped, 2);
    for (int i = 0; i < SER_HOP; i++) {
        at = wire_put(at, static_cast<uint16_t>(block->sample[i]), 2);
    }
    wire_put(at, wire_crc(out, WIRE_HEAD + 2 * SER_HOP), 4);
}

#endif
