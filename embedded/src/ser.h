/*
 * ser: which emotion a voice expresses, recognised while it speaks, in fixed memory.
 *
 * In go 16-bit mono samples, SER_SAMPLE_RATE a second, in blocks of any size; out comes a label with all probabilities.
 * C99, no heap, no globals, single precision.
 *
 *     #include "ser.h"
 *
 *     static ser_recognizer recognizer;        // sizeof(ser_recognizer) bytes, known at compile time
 *
 *     void listen(void)
 *     {
 *         int16_t block[SER_HOP];
 *         ser_result result;
 *         ser_init(&recognizer);
 *         while (read_microphone(block, SER_HOP)) {
 *             ser_push(&recognizer, block, SER_HOP);
 *         }
 *         ser_finish(&recognizer, &result);
 *         if (result.speech) {
 *             puts(ser_label_names[result.label]);
 *         }
 *         ser_reset(&recognizer);              // ready for the next utterance
 *     }
 *
 * ser_finish may be asked at any moment and answers for the sound so far, which may go on. What the clip
 * is, build options and sliding windows: see ser_extractor.h and ser_window.h; ser_classify turns the
 * features of a window into a result.
 *
 * The model is in ser_model.h and ser_model.c, which `python -m codegen` writes. ser_model.h defines
 *     SER_MODEL_SCHEMA_HASH   the schema that the model was trained on
 *     SER_LABELS              how many labels there are
 * and ser_model.c
 *     const char *const ser_label_names[SER_LABELS];
 *     void ser_model_predict(const float *features, float *probabilities);
 * where features are all SER_FEATURES columns and the SER_LABELS probabilities add up to 1. A model that needs room to work in,
 * SER_MODEL_ROOM of int16_t as ser_model.h says, takes them from who calls ser_model_predict_in, and otherwise from the stack; an
 * ESP32 is the quicker where they begin at a whole word. One that knows voices has SER_PROFILE_COLUMNS, ser_model_usual,
 * ser_model_steps, and ser_model_answer, which finds steps in the first SER_PROFILE_COLUMNS of its room, and leaves none.
 */
#ifndef SER_H
#define SER_H

#include "ser_extractor.h"
#include "ser_model.h"
#include "ser_profile.h"

#if SER_MODEL_SCHEMA_HASH != SER_SCHEMA_HASH
#error "The model was trained on another feature schema than this library computes: generate it anew."
#endif

#ifdef __cplusplus
extern "C" {
#endif

extern const char *const ser_label_names[SER_LABELS];
void ser_model_predict(const float *features, float *probabilities);
#if SER_PROFILE_COLUMNS
extern const int16_t ser_model_usual[SER_PROFILE_COLUMNS];
void ser_model_steps(const float *features, int16_t *steps);
void ser_model_answer(int16_t *room, float *probabilities);
#elif SER_MODEL_ROOM
void ser_model_predict_in(const float *features, int16_t *room, float *probabilities);
#endif

typedef struct {
    int label;        /* of the largest probability; the first of equals */
    float confidence; /* that probability */
    float probabilities[SER_LABELS];
    float seconds; /* length of the clip */
    int speech;    /* 0: no speech was found, and the rest says nothing about a voice */
    int known;     /* sentences of this voice that the answer stands on; see ser_profile.h */
} ser_result;

/* Whether features have memory of their own; otherwise they lie where the extractor works while it is pushed. */
#define SER_FEATURES_APART SER_WITH_VOICE

/* Read nothing in here. */
typedef struct {
    ser_extractor extractor;
#if SER_FEATURES_APART
    float features[SER_FEATURES];
#endif
#if SER_PROFILE_COLUMNS
    int16_t steps[SER_PROFILE_COLUMNS]; /* of the latest sentence that was asked for */
#endif
    const ser_profile *voice;
} ser_recognizer;

/* Makes a state ready for an utterance. */
ser_status ser_init(ser_recognizer *recognizer);

/* The next samples: int16, mono, SER_SAMPLE_RATE; count may be 0. */
ser_status ser_push(ser_recognizer *recognizer, const int16_t *pcm, size_t count);

/* The result for the sound so far, which may go on. */
ser_status ser_finish(ser_recognizer *recognizer, ser_result *result);

/* The SER_FEATURES features that the latest ser_finish answered for, until the next ser_push or ser_reset. */
const float *ser_features(const ser_recognizer *recognizer);

/* Forgets the sound: ready for the next utterance. */
ser_status ser_reset(ser_recognizer *recognizer);

/* Whose voice it is: answers are given against this profile from now on, until NULL is said. It stays the
   caller's; ser_init forgets it, ser_reset does not. */
ser_status ser_know(ser_recognizer *recognizer, const ser_profile *voice);

/* The latest sentence that ser_finish was asked for, learnt from if this, its result, says speech. Returns whether it was. */
int ser_learn(const ser_recognizer *recognizer, ser_profile *voice, const ser_result *result);

/* The result for features that came another way, such as from a sliding window. */
ser_status ser_classify(const ser_summary *summary, const float *features, ser_result *result);

#ifdef __cplusplus
}
#endif

#endif
