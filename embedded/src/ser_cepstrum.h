/*
 * MFCC and their slopes, in the formats of the schema. In go mel levels in dB, one frame at a time; out come coefficients 1 ...
 * SER_MFCCS_KEPT (fewer where only their correlations are wanted) and, SER_DELTA_LAG frames later, their first and second derivative by Savitzky and Golay
 * (librosa.feature.delta). The clip's edges take the nearest frame's that has all its neighbours.
 */
#ifndef SER_CEPSTRUM_H
#define SER_CEPSTRUM_H

#include "ser_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SER_DELTA_LAG = SER_DELTA_WIDTH / 2 };

#if SER_NEEDS_MFCC
enum { SER_MFCCS_NEEDED = SER_WITH_CEPSTRUM ? SER_MFCCS_KEPT : SER_CORRELATED_MFCCS };

/* mel: SER_MELS levels, dB times 2^SER_BITS_MEL. Writes coefficients 1 ... SER_MFCCS_NEEDED, times 2^SER_BITS_MFCC, into
   values[SER_FRAME_VALUES], and returns where. */
const int32_t *ser_cepstrum_mfcc(const int32_t *mel, int32_t *values);
#endif

#if SER_WITH_CEPSTRUM
typedef struct {
    int32_t history[SER_DELTA_WIDTH][SER_MFCCS_KEPT]; /* frame j at [j % SER_DELTA_WIDTH] */
    uint32_t frames;
} ser_cepstrum;

void ser_cepstrum_reset(ser_cepstrum *cepstrum);

/* mfcc: SER_MFCCS_KEPT coefficients of the next frame. */
void ser_cepstrum_push(ser_cepstrum *cepstrum, const int32_t *mfcc);

/*
 * The derivatives at the frame SER_DELTA_LAG before the latest, per hop and per hop squared, into
 * values[SER_DELTA_VALUES]. To be asked only once SER_DELTA_WIDTH frames are in.
 */
void ser_cepstrum_slopes(const ser_cepstrum *cepstrum, int32_t *values);
#endif

#ifdef __cplusplus
}
#endif

#endif
