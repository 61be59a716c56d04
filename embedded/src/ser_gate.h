/*
 * The speech gate: which frames count. Levels are counted in whole steps in exact integers; running
 * sums are kept per step for as long as the step can still be within SER_GATE_STEPS of the loudest
 * frame, and added up when asked. Same frames as if the loudest had been known beforehand.
 */
#ifndef SER_GATE_H
#define SER_GATE_H

#include "ser_bank.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    ser_bank banks[SER_BANKS];  /* step s is kept in banks[s % SER_BANKS] */
    uint8_t steps[SER_GATE_HISTORY]; /* of the latest frames: frame j at [j % SER_GATE_HISTORY] */
    uint8_t top;                     /* the loudest frame's step */
    uint32_t frames;                 /* levels known */
} ser_gate;

void ser_gate_reset(ser_gate *gate);

/* The next frame's level. energy: its sum of squared samples. */
void ser_gate_level(ser_gate *gate, int64_t energy);

/* Counts one part's values at a frame whose level is known: one of the latest SER_GATE_HISTORY. */
void ser_gate_add(ser_gate *gate, ser_part part, uint32_t frame, const int32_t *values);

/* Whether that frame would count as speech if the stream ended now. */
int ser_gate_is_speech(const ser_gate *gate, uint32_t frame);

/* Which banks have all the frames that hold speech as far as is known, up to SER_BANKS; returns how many. */
int ser_gate_banks(const ser_gate *gate, const ser_bank **banks);

#ifdef __cplusplus
}
#endif

#endif
