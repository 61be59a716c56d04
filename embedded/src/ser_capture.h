/*
 * ser_capture: from the bytes that a microphone's port delivers to blocks of samples.
 *
 * In go bytes, any number at a time, also parts of a sample; out come blocks of SER_HOP int16 samples. An I2S
 * port's frame has two slots of 32 bits, little endian, left before right; one of them is the microphone's, its
 * sample at the upper end of the slot (an INMP441 sends 24 bits of the 32, and fills only the slot that its L/R pin
 * names). A port that decimates PDM itself delivers int16 samples: these count as the upper half of a slot.
 *
 *     static ser_capture capture;
 *     ser_capture_init(&capture, SER_CAPTURE_LEFT, SER_CAPTURE_SHIFT);
 *     while ((count = read_port(bytes, sizeof bytes)) > 0) {
 *         ser_capture_missed(&capture, frames_the_port_lost());
 *         for (size_t used = 0; used < count;) {
 *             const ser_block *block;
 *             used += ser_capture_push(&capture, bytes + used, count - used, &block);
 *             if (block != NULL && !hand_over(block)) {
 *                 ser_capture_drop(&capture);        // the recogniser was too slow: counted
 *             }
 *         }
 *     }
 *
 * Offset. PDM microphones and the SPH0645 have a constant offset of 10 to 20 % of full scale, which the gain would
 * turn into clipping. The mean of the latest half second is followed before the gain, and what it exceeds 1/32 of the
 * block's full scale by is taken off: nothing at all from a microphone without offset, whose samples stay as they are,
 * to the last bit (at first the mean is followed faster, and within two seconds of the start a sound at full scale may move it); and
 * no step, however the offset wanders. What is left the extractor's DC blocker removes.
 *
 * Watch. Every SER_CAPTURE_WATCH blocks the microphone is judged: block.fault says what is wrong with it, and
 * ser_capture_says says it in words.
 *
 * Time. No counter runs out: those that count for ever stay at their largest value, and nothing else grows.
 */
#ifndef SER_CAPTURE_H
#define SER_CAPTURE_H

#include "ser_extractor.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SER_CAPTURE_SLOTS 2      /* per frame of an I2S port */
#define SER_CAPTURE_SLOT_BYTES 4 /* 32 bits */
#define SER_CAPTURE_PCM_BYTES 2  /* of a PDM port's sample */
#define SER_CAPTURE_LEFT 0       /* L/R pin to GND */
#define SER_CAPTURE_RIGHT 1      /* L/R pin to VDD */

/* How far a slot is shifted right: 16 keeps the scale, each step less is 6 dB of gain. 13 brings speech at
   30 cm from an INMP441 (-26 dBFS at 94 dB SPL) to the level of recorded corpora; most PDM microphones have the same
   sensitivity. */
#define SER_CAPTURE_SHIFT 13

#define SER_CAPTURE_START 50  /* blocks at first that are not judged: a microphone starts up in a quarter of a second */
#define SER_CAPTURE_WATCH 500 /* blocks that are judged together: 5 s */

typedef enum {
    SER_CAPTURE_WELL = 0,
    SER_CAPTURE_SILENT,     /* nothing but zeros, or never two steps apart: no microphone hears so little */
    SER_CAPTURE_STUCK,      /* one and the same value that is not zero */
    SER_CAPTURE_WRONG_SLOT, /* still, while the other slot moves */
    SER_CAPTURE_CLIPPED,    /* a sample of a hundred was limited */
    SER_CAPTURE_OFFSET      /* the mean is more than 5 % of full scale off; it is taken off */
} ser_capture_fault;

typedef struct {
    int16_t sample[SER_HOP];
    uint16_t clipped; /* samples of this block that exceeded int16 and were limited */
    uint16_t lost;    /* blocks missing just before this one */
    uint8_t fault;    /* a ser_capture_fault: how the microphone was when it was judged last */
} ser_block;

/* Read only `overruns` in here. */
typedef struct {
    ser_block block;
    int64_t level;     /* the mean that is followed, times 2^13 */
    uint32_t overruns; /* blocks missing since init: dropped, or lost by the port */
    uint32_t value;    /* of a slot that comes in pieces */
    int32_t low[SER_CAPTURE_SLOTS], high[SER_CAPTURE_SLOTS]; /* while watching */
    uint32_t clipped;                                        /* while watching */
    uint16_t blocks;  /* since the watch began, or the start */
    uint16_t count;   /* samples in the block */
    uint16_t pending; /* blocks missing since the last one handed out */
    uint8_t bytes;    /* read of a slot that comes in pieces */
    uint8_t at;       /* the slot that comes next */
    uint8_t slot;
    uint8_t shift;
    uint8_t slots, slot_bytes; /* of a frame */
    uint8_t watching;          /* 0: it starts up */
} ser_capture;

/* An I2S port. slot: SER_CAPTURE_LEFT or _RIGHT; shift: 1 to 16, see SER_CAPTURE_SHIFT. */
ser_status ser_capture_init(ser_capture *capture, int slot, int shift);

/* A port of int16 samples, mono. shift: as above, 16 keeps the scale. */
ser_status ser_capture_init_pcm(ser_capture *capture, int shift);

/* Takes bytes until a block is complete or none is left; returns how many were taken. *block: the complete
   block, valid until the next call, or NULL. */
size_t ser_capture_push(
    ser_capture *capture, const uint8_t *bytes, size_t count, const ser_block **block
);

/* The block handed out last found no place: it is counted, and the next one will say so. */
void ser_capture_drop(ser_capture *capture);

/* The port itself lost so many frames, just before what is pushed next: counted as blocks, rounded up. */
void ser_capture_missed(ser_capture *capture, uint32_t frames);

/* What is wrong, and what to do, as a sentence; "" for SER_CAPTURE_WELL. */
const char *ser_capture_says(int fault);

/* One 32-bit slot as a sample, its offset left, limited to int16. *clipped counts up when it was. */
int16_t ser_capture_sample(uint32_t slot, int shift, uint16_t *clipped);

#ifdef __cplusplus
}
#endif

#endif
