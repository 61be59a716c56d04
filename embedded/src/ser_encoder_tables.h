/* Generated from features/schema.py by `python -m speech_emotion.generate`; do not edit. */

#ifndef SER_ENCODER_TABLES_H
#define SER_ENCODER_TABLES_H

#include "ser_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

#if SER_WITH_ENCODER

#define SER_ENCODER_UNITS 44
#define SER_ENCODER_HOPS 4 /* that come for each output of the last layer */
#define SER_ENCODER_TOGETHER 2 /* of them, an input of the first layer */
#define SER_ENCODER_LAYERS 5
#define SER_ENCODER_TAPS 3
#define SER_ENCODER_MOST 127 /* of an output; an input's size */
#define SER_ENCODER_OFFSET 128 /* of weights and of the first layer's inputs */
#define SER_ENCODER_MEMORY 64 /* hops over which the levels' mean forgets */
#define SER_ENCODER_MEMORY_BITS 6 /* two to the power of this, if it is one */
#define SER_ENCODER_HISTORY 1120 /* bytes of all layers' latest inputs */
#define SER_ENCODER_WIDEST 44
#define SER_ENCODER_MOST_INPUTS 80 /* of a layer, at a time */
#define SER_ENCODER_SHIFT 31
#define SER_ENCODER_MEAN_BITS 20 /* of the mean of a level in dB, a power of two */
#define SER_ENCODER_STEP_BITS 19 /* a step of an input, in these */
#define SER_ENCODER_RECIPROCAL_BITS 24
#define SER_ENCODER_UNIT_BITS 7 /* an output of 2^this is a unit of 1 */

/* A causal convolution. weights: [SER_ENCODER_TAPS][inputs / 4][outputs / 4][4], oldest tap first: a word
   has an input's for four outputs, the first in its lowest byte, each SER_ENCODER_OFFSET more than it is; the
   next word has the next input's. */
typedef struct {
    const uint32_t *weights;
    const int32_t *bias, *multipliers; /* of each output */
    uint16_t history;                  /* where its latest inputs are kept, oldest first: frames of them */
    uint8_t frames, inputs, outputs, dilation, stride, residual;
} ser_encoder_layer;

extern const ser_encoder_layer ser_encoder_layers[SER_ENCODER_LAYERS];

/* 2^24 over 1, 2 ... */
extern const uint32_t ser_encoder_shares[SER_ENCODER_MEMORY];

#endif

#ifdef __cplusplus
}
#endif

#endif
