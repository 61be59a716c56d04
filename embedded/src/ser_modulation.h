/*
 * How strongly the level moves, slowly to fast, in a few broad bands. In go mel levels in dB, one frame at a
 * time; out come, per band, the differences of running means whose time constants are an octave apart, as a
 * difference of low-passes shows what changes at the rate between.
 */
#ifndef SER_MODULATION_H
#define SER_MODULATION_H

#include "ser_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

#if SER_WITH_MODULATION
typedef struct {
    int32_t means[SER_MODULATION_BANDS][SER_MODULATION_RATES]; /* over 2, 4 ... hops, dB times 2^20 */
    uint8_t running; /* a frame has been seen: the means began there */
} ser_modulation;

void ser_modulation_reset(ser_modulation *modulation);

/* mel: SER_MELS levels of the next frame, dB times 2^SER_BITS_MEL. Writes SER_MODULATION_RATES values of each band, the fastest
   first, into values[SER_FRAME_VALUES]. */
void ser_modulation_push(ser_modulation *modulation, const int32_t *mel, int32_t *values);
#endif

#ifdef __cplusplus
}
#endif

#endif
