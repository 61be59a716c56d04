/*
 * The last SER_HISTORY_HOPS hops of sound in 6.7 bits per sample: what the pulse marking looks back on.
 *
 *   ser_history history;
 *   ser_history_reset(&history);
 *   after every ser_tail_push:  ser_history_hop(&history, &tail);
 *   ser_history_read(&history, hop, samples);           the SER_HOP samples that came with this hop
 *
 * Blocks of 16 samples are coded as differences from the prediction of a fixed polynomial of order 0, 1 or 2
 * (as in Shorten and FLAC), rounded to SER_HISTORY_BITS bits of the block's step. Quiet or smooth sound is
 * exact, speech keeps about 50 dB: jitter and shimmer measured on it are those of the sound itself within half
 * a percent (median).
 */
#ifndef SER_HISTORY_H
#define SER_HISTORY_H

#include "ser_tail.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What it spans decides how long a voiced interval is still marked from its middle; fewer hops save 134 bytes
 * each, at the price of jitter and shimmer further from Praat's. */
#ifndef SER_HISTORY_HOPS
#define SER_HISTORY_HOPS 144
#endif
#define SER_HISTORY_BITS 6
#define SER_HISTORY_BLOCK 16
#if SER_HOP % SER_HISTORY_BLOCK != 0
#error "SER_HOP: ser_history.c codes whole blocks of samples"
#endif
#if SER_HISTORY_BITS != 6 || SER_HISTORY_BLOCK % 4 != 0
#error "SER_HISTORY_BITS: ser_history.c codes four samples in three bytes"
#endif
#define SER_HISTORY_BLOCKS (SER_HOP / SER_HISTORY_BLOCK)
#define SER_HISTORY_CODES (SER_HISTORY_BITS * SER_HISTORY_BLOCK / 8) /* bytes of a block */

typedef struct {
    int16_t before[2]; /* decoded samples before the hop, latest first */
    uint8_t scale[SER_HISTORY_BLOCKS]; /* order 2 bits | step 6 bits */
    uint8_t codes[SER_HISTORY_BLOCKS * SER_HISTORY_CODES];
} ser_history_record;

typedef struct {
    ser_history_record hop[SER_HISTORY_HOPS]; /* hop m at [m % SER_HISTORY_HOPS] */
    int16_t latest[2];                        /* decoded, latest first */
    uint32_t hops;                            /* recorded so far */
} ser_history;

void ser_history_reset(ser_history *history);

/* Records the latest hop. */
void ser_history_hop(ser_history *history, const ser_tail *tail);

/* The SER_HOP samples that came with a hop; zeros if they are not kept any more. As words, because a Cortex-M0+ loads those with one
 * instruction, and what multiplies them loads each often. */
void ser_history_read(const ser_history *history, uint32_t hop, int32_t *samples);

#ifdef __cplusplus
}
#endif

#endif
