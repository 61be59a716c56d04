/*
 * ser_profile: what one voice usually sounds like, so that its next sentence is heard against it.
 *
 * A running reference of the model's columns, learnt from sentences as they come, whatever their emotion. All
 * integers: the same profile to the last bit in Python, on every chip and in the page. What the numbers mean,
 * and why: speech_emotion/model/profile.py.
 *
 *     static ser_profile voice;
 *     if (!read_from_flash(&voice) || !ser_profile_belongs(&voice)) {
 *         ser_profile_forget(&voice);              // nobody is known yet
 *     }
 *     ser_know(&recognizer, &voice);               // answers are given against it from now on
 *     ...
 *     ser_finish(&recognizer, &result);
 *     if (ser_learn(&recognizer, &voice, &result) && worth_writing(voice.known)) {
 *         write_to_flash(&voice);                  // sizeof(ser_profile) bytes
 *     }
 *
 * A profile belongs to one model: SER_MODEL_ID names it, and what is not its own or was damaged is forgotten.
 * A voice that suddenly fits badly is noticed: when SER_STRANGE_SENTENCES in a row are no nearer to the profile
 * than to the training voices, it is somebody else's turn. Answers are then given as to a voice not known, and
 * nothing is learnt, until a sentence fits again; after SER_STRANGE_FOR_GOOD in a row the profile begins anew.
 */
#ifndef SER_PROFILE_H
#define SER_PROFILE_H

#include "ser_config.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Columns that the model adapts; 0: this model knows no voices. */
#ifndef SER_PROFILE_COLUMNS
#define SER_PROFILE_COLUMNS 0
#endif
#define SER_PROFILE_ROOM (SER_PROFILE_COLUMNS ? SER_PROFILE_COLUMNS : 1)

/* Kept as it is in memory: little-endian on all chips that this library runs on. */
typedef struct {
    uint64_t model;   /* SER_MODEL_ID of the model it was learnt with */
    uint16_t known;   /* sentences it has learnt from, 65535 at most */
    uint16_t strange; /* sentences in a row that did not fit */
    int16_t reference[SER_PROFILE_ROOM];
    int16_t spread[SER_PROFILE_ROOM];
    uint32_t check; /* of all before: a half-written profile is found out */
} ser_profile;

/* Nobody is known. */
void ser_profile_forget(ser_profile *profile);

/* Whether it is whole and of this model: if not, forget it. */
int ser_profile_belongs(const ser_profile *profile);

/* Whether it is somebody else's turn: the last SER_STRANGE_SENTENCES sentences did not fit. */
int ser_profile_is_strange(const ser_profile *profile);

/* Sentences that answers stand on: 0 while nobody is known, or somebody else speaks. */
int ser_profile_known(const ser_profile *profile);

/* A sentence as the model sees it, in steps. steps: SER_PROFILE_COLUMNS values, replaced. profile may be NULL. */
void ser_profile_adapt(const ser_profile *profile, int16_t *steps);

/* The same into `heard`, and steps are left as they are. */
void ser_profile_hear(const ser_profile *profile, const int16_t *steps, int16_t *heard);

/* Takes in a sentence's steps; or, if it does not fit, counts it. Returns whether it was learnt from. */
int ser_profile_learn(ser_profile *profile, const int16_t *steps);

#ifdef __cplusplus
}
#endif

#endif
