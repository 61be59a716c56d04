/*
 * ser_listen: where in a stream of blocks somebody speaks.
 *
 * A level gate with hysteresis above a noise floor that follows the room. In go blocks of SER_HOP samples
 * (10 ms); out come events. A little of the sound before the gate opened is kept, so that the first
 * consonant is not lost.
 *
 *     static ser_listen listen;
 *     ser_listen_init(&listen);
 *     while (next_block(&block)) {
 *         switch (ser_listen_push(&listen, &block)) {
 *         case SER_LISTEN_BEGIN:
 *             ser_reset(&recognizer);
 *             for (int i = 0; i < ser_listen_kept(&listen); i++) {        // this block is the last of them
 *                 ser_push(&recognizer, ser_listen_block(&listen, i), SER_HOP);
 *             }
 *             break;
 *         case SER_LISTEN_SPEECH:
 *             ser_push(&recognizer, block.sample, SER_HOP);
 *             break;
 *         case SER_LISTEN_END:        // this block is the utterance's last
 *             ser_push(&recognizer, block.sample, SER_HOP);
 *             ser_finish(&recognizer, &result);
 *             break;
 *         case SER_LISTEN_DISCARD:    // it was too short to be speech
 *         case SER_LISTEN_QUIET:
 *             break;
 *         }
 *     }
 *
 * The gate only decides what a clip is; which of its frames hold speech is the extractor's own business.
 */
#ifndef SER_LISTEN_H
#define SER_LISTEN_H

#include "ser_capture.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SER_LISTEN_KEEP = 20 }; /* blocks before the gate opened: 200 ms */

typedef enum {
    SER_LISTEN_QUIET = 0, /* nobody speaks */
    SER_LISTEN_BEGIN,     /* an utterance began: take the kept blocks, this one among them */
    SER_LISTEN_SPEECH,    /* it goes on: take this block */
    SER_LISTEN_END,       /* take this block, and the utterance is complete */
    SER_LISTEN_DISCARD    /* what began was too short: forget it */
} ser_listen_event;

/* Times are counted in blocks of 10 ms, powers in squared int16 steps. Set by ser_listen_init; may be
   changed after it. */
typedef struct {
    float open;          /* opens above this many times the noise floor: 10 (10 dB) */
    float close;         /* falls silent below this many times: 4 (6 dB) */
    float minimum;       /* never opens below this power: 33 squared (-60 dBFS) */
    uint16_t settle;     /* at first, nothing but listening to the room: 50 (a microphone needs 26) */
    uint16_t confirm;    /* loud blocks that open the gate; no more than SER_LISTEN_KEEP: 3 */
    uint16_t hang;       /* silence that ends an utterance: 50 */
    uint16_t shortest;   /* blocks that are not silent in an utterance: 20 */
    uint16_t longest;    /* blocks of an utterance: 500 */
} ser_listen_settings;

typedef struct {
    ser_listen_settings settings;
    /* To read: */
    float power;      /* level, smoothed over some 20 ms */
    float floor;      /* of the noise */
    float mean_power; /* of the utterance's blocks that are not silent */
    uint32_t blocks;  /* of the utterance so far, kept ones included */
    uint32_t clipped; /* samples of it that were limited */
    uint32_t lost;    /* blocks missing within it */
    /* Read nothing from here on. */
    float lowest; /* smoothed level within the utterance */
    uint32_t active;
    uint16_t settled;
    uint16_t loud;
    uint16_t silent;
    uint8_t speaking;
    uint8_t next, kept; /* of the ring below */
    uint16_t kept_clipped[SER_LISTEN_KEEP], kept_lost[SER_LISTEN_KEEP];
    int16_t ring[SER_LISTEN_KEEP][SER_HOP];
} ser_listen;

ser_status ser_listen_init(ser_listen *listen);

/* The next block. */
ser_listen_event ser_listen_push(ser_listen *listen, const ser_block *block);

/* After SER_LISTEN_BEGIN, and until the next push: how many blocks are kept, and the i-th, oldest first. */
int ser_listen_kept(const ser_listen *listen);
const int16_t *ser_listen_block(const ser_listen *listen, int i);

/* Mean of squares about the mean, of SER_HOP samples. */
float ser_listen_power(const int16_t *sample);

/* A power in dB below a full-scale square wave; -100 for silence. */
float ser_listen_dbfs(float power);

/* What is learnt of a voice is to be the voice, not the room: define others before this is included. */
#ifndef SER_LEARN_SECONDS
#define SER_LEARN_SECONDS 0.8f /* shorter speech tells little */
#endif
#ifndef SER_LEARN_ABOVE_NOISE
#define SER_LEARN_ABOVE_NOISE 30.0f /* times the noise's power: 15 dB */
#endif

/* Whether the utterance that has just ended, of so many seconds, is loud, clear and long enough for that: less
   than one sample in a hundred was limited, and no block is missing. */
static inline int ser_listen_is_clear(const ser_listen *listen, float seconds)
{
    return listen->mean_power > SER_LEARN_ABOVE_NOISE * listen->floor && listen->lost == 0 &&
           listen->clipped * 100 < listen->blocks * SER_HOP && seconds >= SER_LEARN_SECONDS;
}

#ifdef __cplusplus
}
#endif

#endif
