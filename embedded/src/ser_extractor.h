/*
 * ser_extractor: the features of speech emotion, computed while the sound arrives.
 *
 * In go 16-bit mono samples, SER_SAMPLE_RATE a second, in blocks of any size; out comes, whenever asked, the vector of
 * SER_FEATURES columns that speech_emotion/features/schema.py defines and ser_schema.h numbers. C99, no heap, no
 * globals, single precision. Any block size gives the same bits.
 *
 *     #include "ser_extractor.h"
 *
 *     static ser_extractor extractor;          // sizeof(ser_extractor) bytes, known at compile time
 *     static float features[SER_FEATURES];
 *
 *     void listen(void)
 *     {
 *         int16_t block[SER_HOP];
 *         ser_summary summary;
 *         ser_extractor_init(&extractor);
 *         while (read_microphone(block, SER_HOP)) {
 *             ser_extractor_push(&extractor, block, SER_HOP);
 *         }
 *         ser_extractor_finish(&extractor, &summary, features);
 *         if (summary.speech) {
 *             // features[SER_COLUMN_RMS] is the mean RMS, and so on
 *         }
 *         ser_extractor_reset(&extractor);     // ready for the next utterance
 *     }
 *
 * The clip. It begins with the first sample after init or reset. Its end is cut to
 * SER_CLIP_REMAINDER (mod SER_HOP) samples: up to a hop of the latest samples waits until the hop is
 * complete. A clip of fewer than SER_MIN_CLIP samples, and one without speech, has every column
 * SER_UNDEFINED; so have columns whose quantity does not exist in the clip. No column is ever NaN or
 * infinite, whatever the samples.
 *
 * Asking midway. ser_extractor_finish changes nothing: asked at any moment, it answers for the clip up
 * to here, and pushing may go on. For decisions on a sliding window see ser_window.h.
 *
 * Length. The state does not grow, and any length is answered. The sums of the frame descriptors are exact for 49 days of
 * speech (ser_bank.h); what pitch, HNR and pulses keep beyond eight seconds, see their headers.
 *
 * Results are the same to the last bit on every machine and compiler with IEEE single precision; sources forbid
 * fused multiply-add themselves.
 *
 * Build options (the same for every source file):
 *     SER_WITH_<GROUP> 0     in ser_config.h, or as -DSER_WITH_<GROUP>=0, leaves a group's columns out
 *                            (they read SER_UNDEFINED), with its state, tables and work. Groups: see
 *                            ser_schema.h.
 *     -fno-math-errno        lets the compiler use the square-root instruction as it is.
 */
#ifndef SER_EXTRACTOR_H
#define SER_EXTRACTOR_H

#include "ser_cepstrum.h"
#include "ser_encoder.h"
#include "ser_front.h"
#include "ser_gate.h"
#include "ser_hnr.h"
#include "ser_intensity.h"
#include "ser_modulation.h"
#include "ser_pitch.h"
#include "ser_pulses.h"
#include "ser_spectrum.h"
#include "ser_tail.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SER_NEEDS_PITCH (SER_WITH_PITCH || SER_WITH_CLEAR || SER_WITH_VOICE) /* pulses are found along the pitch */

/* What the features leave of the working memory, in int16_t. */
#define SER_ROOM (SER_NEEDS_PITCH && SER_PITCH_SCRATCH > SER_FEATURES ? 2 * (SER_PITCH_SCRATCH - SER_FEATURES) : 1)

typedef enum {
    SER_OK = 0,
    SER_BAD_ARGUMENT /* a pointer is NULL where one is needed */
} ser_status;

typedef struct {
    float seconds; /* length of the clip */
    int speech;    /* 1 if any frame holds speech, else 0: features are all SER_UNDEFINED */
} ser_summary;

/* Energy and zero crossings of all samples so far, as they were where frames start: a frame's are differences,
 * without a sign, so that the sums may wrap. */
enum { SER_STARTS = SER_FRAME / SER_HOP + 1 }; /* frames that have started, when one ends */

typedef struct {
    uint64_t energy, start_energy[SER_STARTS];
    uint32_t crossings, start_crossings[SER_STARTS];
} ser_running;

/* Read nothing in here: the members are the stages' own. */
typedef struct {
    int16_t waiting[SER_HOP]; /* samples of a hop not yet complete */
    uint16_t waiting_count;
    ser_front front;
    ser_tail tail;
    ser_running running;
    ser_gate gate;
#if SER_NEEDS_FFT
    ser_spectrum spectrum;
#endif
#if SER_WITH_CEPSTRUM
    ser_cepstrum cepstrum;
#endif
#if SER_WITH_MODULATION
    ser_modulation modulation;
#endif
#if SER_WITH_ENERGY
    int32_t rms; /* of the latest frame */
#endif
#if SER_NEEDS_PITCH
    ser_pitch pitch;
#endif
#if SER_WITH_VOICE
    ser_pulses pulses;
#endif
#if SER_WITH_INTENSITY
    ser_intensity intensity;
    int32_t intensity_db; /* of the latest intensity frame */
#endif
#if SER_WITH_HNR
    ser_hnr hnr;
#endif
#if SER_WITH_ENCODER
    ser_encoder encoder;
#endif
    union { /* working memory of one stage at a time */
#if SER_NEEDS_PITCH
        int32_t pitch[SER_PITCH_SCRATCH];
#endif
#if SER_WITH_VOICE
        int32_t pulses[SER_PULSES_SCRATCH];
#endif
#if SER_NEEDS_FFT
        int32_t spectrum[SER_SPECTRUM_SCRATCH];
#endif
#if SER_WITH_HNR
        struct {
            int32_t spectrum[SER_HNR_SPECTRUM]; /* that of the spectral stage, where there is one */
            int32_t work[SER_HNR_SCRATCH];
        } hnr;
#endif
        struct { /* the recogniser's, in an answer and after it */
            float features[SER_FEATURES];
            union {
#if SER_NEEDS_PITCH
                ser_contours contours;
#endif
                int16_t room[SER_ROOM]; /* for the model, see ser.h */
            } work;
        } answer;
    } scratch;
} ser_extractor;

/* Makes a state ready for a clip. */
ser_status ser_extractor_init(ser_extractor *extractor);

/* The next samples of the clip: int16, mono, SER_SAMPLE_RATE; count may be 0. */
ser_status ser_extractor_push(ser_extractor *extractor, const int16_t *pcm, size_t count);

/* The clip's summary and features[SER_FEATURES], as if it ended here. The clip may go on. */
ser_status ser_extractor_finish(ser_extractor *extractor, ser_summary *summary, float *features);

/* Forgets the clip: ready for the next one. */
ser_status ser_extractor_reset(ser_extractor *extractor);

#ifdef __cplusplus
}
#endif

#endif
