/*
 * ser_capture: from the bytes that an I2S microphone's port delivers to blocks of samples.
 *
 * In go bytes, any number at a time, also parts of a slot; out come blocks of SER_HOP int16 samples.
 * A frame has SER_CAPTURE_SLOTS slots of 32 bits, little endian, left before right; one of them is the
 * microphone's, its sample at the upper end of the slot (an INMP441 sends 24 bits of the 32, and fills
 * only the slot that its L/R pin names).
 *
 *     static ser_capture capture;
 *     ser_capture_init(&capture, SER_CAPTURE_LEFT, SER_CAPTURE_SHIFT);
 *     while ((count = read_port(bytes, sizeof bytes)) > 0) {
 *         for (size_t used = 0; used < count;) {
 *             const ser_block *block;
 *             used += ser_capture_push(&capture, bytes + used, count - used, &block);
 *             if (block != NULL && !hand_over(block)) {
 *                 ser_capture_drop(&capture);        // the recogniser was too slow: counted
 *             }
 *         }
 *     }
 */
#ifndef SER_CAPTURE_H
#define SER_CAPTURE_H

#include "ser_extractor.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SER_CAPTURE_SLOTS 2      /* per frame */
#define SER_CAPTURE_SLOT_BYTES 4 /* 32 bits */
#define SER_CAPTURE_LEFT 0       /* L/R pin to GND */
#define SER_CAPTURE_RIGHT 1      /* L/R pin to VDD */

/* How far a slot is shifted right: 16 keeps the scale, each step less is 6 dB of gain. 13 brings speech at
   30 cm from an INMP441 (-26 dBFS at 94 dB SPL) to the level of recorded corpora. */
#define SER_CAPTURE_SHIFT 13

typedef struct {
    int16_t sample[SER_HOP];
    uint16_t clipped; /* samples of this block that exceeded int16 and were limited */
    uint16_t lost;    /* blocks dropped just before this one */
} ser_block;

/* Read only `overruns` in here. */
typedef struct {
    ser_block block;
    uint32_t overruns; /* blocks dropped since init */
    uint32_t value;    /* of the slot being read */
    uint16_t count;    /* samples in the block */
    uint16_t pending;  /* blocks dropped since the last one handed out */
    uint8_t byte;      /* place in the frame */
    uint8_t slot;
    uint8_t shift;
} ser_capture;

/* slot: SER_CAPTURE_LEFT or _RIGHT; shift: 1 to 16, see SER_CAPTURE_SHIFT. */
ser_status ser_capture_init(ser_capture *capture, int slot, int shift);

/* Takes bytes until a block is complete or none is left; returns how many were taken. *block: the complete
   block, valid until the next call, or NULL. */
size_t ser_capture_push(
    ser_capture *capture, const uint8_t *bytes, size_t count, const ser_block **block
);

/* The block handed out last found no place: it is counted, and the next one will say so. */
void ser_capture_drop(ser_capture *capture);

/* One 32-bit slot as a sample, limited to int16. *clipped counts up when it was. */
int16_t ser_capture_sample(uint32_t slot, int shift, uint16_t *clipped);

#ifdef __cplusplus
}
#endif

#endif
