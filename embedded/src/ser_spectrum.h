/*
 * Spectral descriptors of one frame: mel levels, centroid, bandwidth, roll-off, flatness, flux, low/high
 * ratio, contrast and chroma, each as librosa defines it on a Hann-windowed transform of SER_FRAME points. In go
 * SER_FRAME samples, out come values in the units of the schema. What no group needs is not computed.
 */
#ifndef SER_SPECTRUM_H
#define SER_SPECTRUM_H

#include "ser_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

#if SER_NEEDS_FFT
/* Floats of working memory: the transform, then power and magnitude side by side in its place. */
enum { SER_SPECTRUM_SCRATCH = 2 * SER_BINS };

typedef struct {
    float mel[SER_MELS]; /* levels of the latest frame, dB; not used where no group needs them */
} ser_spectrum;

void ser_spectrum_reset(ser_spectrum *spectrum);

/*
 * The plain transform of a frame, no window: bins 0 ... SER_FRAME / 2 as pairs re, im in scratch, of which it
 * leaves the rest alone. HNR wants it as it is.
 */
void ser_spectrum_transform(const int16_t *frame, float *scratch);

/*
 * Measures the next frame, whose transform is in scratch: writes the spectral entries of
 * values[SER_FRAME_VALUES] and changes[SER_CHANGE_VALUES] (meaningless at first), and the mel levels into the
 * state. The transform is gone then.
 */
void ser_spectrum_frame(ser_spectrum *spectrum, float *scratch, float *values, float *changes);
#endif

#ifdef __cplusplus
}
#endif

#endif
