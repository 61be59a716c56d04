/*
 * Glottal pulses as Praat's To PointProcess (cc) marks them, and from them jitter and shimmer.
 *
 *   ser_pulses pulses;
 *   ser_pulses_reset(&pulses);
 *   after every ser_pitch_hop:  ser_pulses_hop(&pulses, &tail, &pitch, scratch);    scratch: 1024 int32_t
 *   at the end, or any time:    ser_pulses_columns(&pulses, &tail, &pitch, scratch, columns);
 *
 * From the largest sample near the middle of a voiced interval, pulses are searched to both sides, each where
 * the sound is most like that around the one before (Praat manual, "Sound & Pitch: To PointProcess (cc)").
 * So an interval is marked once the path (with the peak so far) has it closed for SER_PULSES_LAG frames, on
 * the sound kept in ser_history. One too long for that is marked from the middle of what there is
 * when the history is about to lose its beginning, and to the right as it goes on.
 * When the sound gets louder than ever, intervals whose edges move by that are marked again, as far back as
 * the history goes. At the end pulses too weak for the true peak, or where the final path is unvoiced, are dropped.
 * When SER_PULSES_MAX pulses are kept, the oldest leave only their sums.
 *
 * Format, stage by stage; all of it integers.
 *   place        samples and 2^-16 of one, from the pulses' origin
 *   period       of F0 linear between frames, in 2^-16 sample; relative error below 6e-7
 *   products, powers  of a period's samples: exact, 64 bits, in whatever order they are added up
 *   likeness     those to the highest 29 bits of the louder stretch's power; over the root of the other's power to 6e-7, and of its own
 *                at the end. A correlation, Q5.26: error below 1.5e-6 while both stretches are within 30 dB of each other
 *   maximum      by a parabola, to 2^-17 sample for that
 *   peaks        whole samples; those of the sound levels as ser_tail.h has them. Stored in half octaves
 *   amplitude    squares' high 32 bits under weights of Q16, which are exact to 2e-5; its log2 in Q24, rounded to 1/SER_LEVEL_STEPS: of
 *                8,219 amplitudes 5 were rounded to the other side, none farther than 0.0004 steps from the middle
 */
#ifndef SER_PULSES_H
#define SER_PULSES_H

#include "ser_history.h"
#include "ser_perturbation.h"
#include "ser_pitch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SER_PULSES_MAX 800
#define SER_PULSES_COMMIT 100
#define SER_PULSES_ROOM 400 /* kept free for the next interval */
#define SER_PULSES_LAG 10   /* frames */
#define SER_PULSES_PERIOD 8 /* hops between looks at the path */
#define SER_PULSES_MARKED 16 /* intervals remembered to be marked again */
#define SER_PULSES_SCRATCH 1024 /* int32_t */
#define SER_PLACE_BITS 16
#define SER_PULSES_TRACK (SER_HISTORY_HOPS + 8)

/* A place in the sound: sample and fraction, Praat's time x sampling rate - 1/2. */
typedef struct {
    int32_t sample; /* relative to the pulses' origin */
    int32_t fraction; /* [0, 1), SER_PLACE_BITS bits */
} ser_place;

/* A voiced interval that has been marked. */
typedef struct {
    uint32_t first; /* frame */
    uint16_t length;
    uint16_t pulses; /* kept before it */
} ser_marked;

typedef struct {
    uint32_t time[SER_PULSES_MAX];  /* 1 / SER_TIME_STEPS sample above origin; ascending */
    uint16_t info[SER_PULSES_MAX];  /* largest sample around 5 bits | amplitude 11: log2 */
    uint16_t count;
    uint32_t next;    /* first pitch frame not looked at yet */
    uint32_t hops;    /* seen */
    uint32_t origin;  /* sample */
    ser_place end;    /* last place the open chain reached */
    uint32_t loudest; /* peak of the sound (ser_tail_level) when the marked intervals were last compared with the path */
    uint32_t from;    /* frame before which they are not compared any more; that one is unvoiced */
    ser_marked marked[SER_PULSES_MARKED]; /* whose sound is still kept, oldest first */
    uint8_t marked_count;
    uint8_t is_open;  /* a chain goes on to the right, in the interval that next lies in */
    ser_history history;
    ser_perturbation settled; /* of pulses no longer kept */
} ser_pulses;

void ser_pulses_reset(ser_pulses *pulses);

void ser_pulses_hop(ser_pulses *pulses, const ser_tail *tail, ser_pitch *pitch, int32_t *scratch);

/* Jitter local, rap, ppq5, shimmer local, dB, apq3, apq5. The stream can go on afterwards. */
void ser_pulses_columns(ser_pulses *pulses, const ser_tail *tail, ser_pitch *pitch, int32_t *scratch,
                        float columns[SER_PERTURBATION_COLUMNS]);

#ifdef __cplusplus
}
#endif

#endif
