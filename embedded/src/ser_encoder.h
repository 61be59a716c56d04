/*
 * The frozen encoder: a small causal network of bytes, taught once to see speech as a large recogniser's lower layers see it
 * (docs/encoder.md). In go mel levels, one frame at a time; out come its last layer's units, every SER_ENCODER_HOPS frames. They are
 * the integers of features/encoder.py.
 *
 *   inputs   a level's distance from its running mean, in half dB, -127 to 127: neither loudness nor a microphone's colour is left
 *   layers   sums of products of 8 bits, below 2^28; times a multiplier over 2^31, rounded; 0 to 127
 */
#ifndef SER_ENCODER_H
#define SER_ENCODER_H

#include "ser_encoder_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

#if SER_WITH_ENCODER
typedef struct {
    int32_t means[SER_MELS];              /* of the levels, dB times 2^SER_ENCODER_MEAN_BITS */
    uint16_t heard;                       /* frames, up to SER_ENCODER_MEMORY */
    uint8_t together;                     /* of the first layer's next input, frames that are there */
    uint8_t latest[SER_ENCODER_LAYERS];   /* which of a layer's kept inputs came last */
    uint8_t waiting[SER_ENCODER_LAYERS];  /* inputs since its last output */
    uint8_t history[SER_ENCODER_HISTORY]; /* each layer's latest inputs, in a ring */
} ser_encoder;

void ser_encoder_reset(ser_encoder *encoder);

/* mel: SER_MELS levels of the next frame, dB times 2^SER_BITS_MEL. Returns whether the last layer answers: then its outputs, 0 to
   SER_ENCODER_MOST, are in units[SER_ENCODER_UNITS]. */
int ser_encoder_push(ser_encoder *encoder, const int32_t *mel, uint8_t *units);

/* The units as the values of their descriptors. */
void ser_encoder_values(const uint8_t *units, int32_t *values);
#endif

#ifdef __cplusplus
}
#endif

#endif
