/*
 * F0 by autocorrelation (Boersma 1993, "Accurate short-term analysis of the fundamental frequency and
 * the harmonics-to-noise ratio of a sampled sound"), as Praat's To Pitch (ac) from SER_PITCH_FLOOR to
 * SER_PITCH_CEILING: candidates per frame while the sound arrives, the cheapest path through them when asked.
 *
 *   ser_pitch pitch;
 *   ser_pitch_reset(&pitch);
 *   after every ser_tail_push:  ser_pitch_hop(&pitch, &tail, scratch);       scratch: 1024 int32_t
 *   at the end, or any time:    ser_pitch_columns(&pitch, ser_tail_level(&tail), &work, columns);
 *
 * Pitch frame k is centred SER_PITCH_CENTRE + SER_HOP k samples after the first and comes with hop
 * k + SER_PITCH_LATENCY.
 *
 * The silence threshold refers to the loudest sample, which is known at the end only. So every candidate
 * that can still win is kept: a candidate that loses to another, or to silence, by more than the path's
 * transition costs could ever make good, whatever the peak, is dropped (exact). Unlimited length: exact
 * while SER_PITCH_FRAMES frames and SER_PITCH_POOL candidates suffice (5.1 s of sound, in hops of 10 ms; the gate
 * ends an utterance after 5); beyond, the oldest SER_PITCH_COMMIT frames are settled with the peak so far and leave
 * only their sums.
 *
 * The path's forward pass keeps up with the sound, so that little is left at the end: it starts again, a few
 * frames per hop, only when a new peak changes the score of a frame that has candidates. And where all paths that can still
 * win run together, the frames before are decided whatever comes: they are counted while the sound goes on, a few per hop.
 *
 * Format, stage by stage; all of it integers, up to the contour at the end of a sound.
 *   frame        samples less the local mean, times 2^s, as much as 16 bits and a sign hold; windowed (Q0.15), to 16
 *                bits and a sign: noise 100 dB below the frame's peak
 *   correlation  ser_fft.h; over its lag 0 and the window's own, Q4.27: error of the transform below 3e-5, in speech
 *                2e-6, and 2^-24 besides
 *   maxima       ser_peak.h
 *   log period   in SER_PITCH_LOG_STEPS to the octave, 16 bits, rounded: a thousandth of a semitone or less
 *   strength     Q.20; stored as 12 bits
 *   score, cost  Q.20, products of 16 bits and 16: costs of the schema to 2^-16 of each, unvoiced to 2^-15
 *   levels       1/256 sample steps; stored as ser_pack.h
 */
#ifndef SER_PITCH_H
#define SER_PITCH_H

#include "ser_contour.h"
#include "ser_tail.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SER_PITCH_FRAMES 510 /* with 512, and this pool, LLVM 22 has no instruction for a place in ser_pitch on an Xtensa */
#define SER_PITCH_POOL 1472
#define SER_PITCH_COMMIT 100
#define SER_PITCH_SCRATCH 1024 /* int32_t */
#define SER_PITCH_PACE 16 /* frames that the forward pass takes per hop, at most */
/* Decided frames that are counted per hop, at most: two fewer for every candidate of the hop's own frame, whose refining takes longer. */
#ifndef SER_PITCH_COUNTS
#define SER_PITCH_COUNTS 12
#endif
#define SER_PITCH_PATIENCE 5 /* hops it waits before it starts again: peaks come in flocks */

/* What silence is in a sound of some peak: of a frame from loud 2^exponent on, nothing. */
typedef struct {
    uint32_t level;   /* of the peak */
    uint32_t loud;    /* 2^15 ... 2^16 - 1 */
    uint32_t rate;    /* 2^31 / loud */
    int32_t exponent;
} ser_silence;

/* How far the forward pass has come. State 0 is unvoiced, the others are a frame's candidates. */
typedef struct {
    int32_t total[SER_PITCH_MAX + 1]; /* best score up to each state of its last frame, less state 0's */
    ser_silence silence;              /* of the sound, that the scores refer to */
    uint32_t quietest;                /* local peak of the quietest frame with candidates */
    uint16_t frames, place;         /* kept frames, and their candidates, behind it */
    uint16_t patience;              /* hops still to wait */
} ser_pitch_front;

/* Of every voiced frame, and of the clear ones alone. */
typedef struct {
    ser_contour voiced, clear;
} ser_contours;

#if SER_PITCH_MAX > 15
#error "a state of a frame is a number of 4 bits"
#endif

/* What is known of the kept frames before anybody asks. */
typedef struct {
    ser_contours contours;      /* the settled frames, and the first kept ones */
    uint16_t frames, place;     /* of these, and their candidates; the sound's peak is such that */
    uint32_t soft, loud;        /* local peaks up to soft are below the level of the clear frames, those from loud on are not */
    uint16_t decided;           /* kept frames whose choice is noted: it can change with the sound's peak alone */
    uint16_t fork, fork_place;  /* the frame that is to be decided next, and where its candidates start */
    uint8_t from[16];           /* its state from which each state of the front's last frame comes */
} ser_pitch_ahead;

typedef struct {
    uint32_t candidate[SER_PITCH_POOL]; /* log period 16 bits | strength 12 | best predecessor 4 */
    uint16_t peak[SER_PITCH_FRAMES];    /* local peak, ser_pack.h */
    uint16_t link[SER_PITCH_FRAMES];    /* candidates 4 | chosen 4 | best predecessor of unvoiced 4 */
    uint32_t base;                      /* number of the oldest frame kept */
    uint16_t frames, pooled;            /* kept */
    uint16_t before;                    /* log period of the frame before base, 0 = unvoiced */
    ser_pitch_front front;
    ser_contours settled;               /* what is left of the frames before base */
    ser_pitch_ahead ahead;
} ser_pitch;

void ser_pitch_reset(ser_pitch *pitch);

/* Analyses the frame that the latest hop completes. Returns 1 if there was one. */
int ser_pitch_hop(ser_pitch *pitch, const ser_tail *tail, int32_t *scratch);

/* Finds the best path through all frames for a sound of this peak (ser_tail_level), and notes it from frame `from`
 * on. */
void ser_pitch_path(ser_pitch *pitch, uint32_t from, uint32_t level);

/* Copies frames from (a number, not before base) to the latest by the latest path: the stored period,
 * 0 = unvoiced. Returns how many, at most room. */
int ser_pitch_track(const ser_pitch *pitch, uint32_t from, uint16_t *track, int room);

/* Cycles per sample of a stored period that is not 0. */
float ser_pitch_frequency(uint16_t stored);

/* Whether the latest path is voiced at a frame; frames no longer kept count as voiced. */
int ser_pitch_is_voiced(const ser_pitch *pitch, uint32_t frame);

/* The columns of the pitch group and of the clear group after it, for a sound of this peak, in the schema's
 * order; those of a group that is left out stay as they are. work: memory for a while. */
void ser_pitch_columns(ser_pitch *pitch, uint32_t level, ser_contours *work,
                       float columns[SER_COUNT_PITCH + SER_COUNT_CLEAR]);

#ifdef __cplusplus
}
#endif

#endif
