/*
 * Spectral descriptors of one frame: mel levels, centroid, bandwidth, roll-off, flatness, flux, low/high
 * ratio, contrast and chroma, each as librosa defines it on a Hann-windowed transform of SER_FRAME points. In go
 * SER_FRAME samples, out come values in the formats of the schema. What no group needs is not computed.
 *
 * Bins are int32, of a sample's step times 2^(6 + up): up, of each frame, is what its energy E leaves free, as no bin is above
 * sqrt(SER_FRAME E) steps. The transform's error is 1.6 units: 2^-6 of a step where the frame is as loud as can be, and 24 dB below SER_POWER_FLOOR
 * even there. Magnitudes are
 * of full scale 2^23, at most 2^31, to a unit or 2^-26; sums of their squares are taken of the highest 32 bits of each, once they are
 * shifted to the largest of the band (or the frame) that is summed: what is lost is 2^-30 of that.
 */
#ifndef SER_SPECTRUM_H
#define SER_SPECTRUM_H

#include "ser_tables.h"

#ifdef __cplusplus
extern "C" {
#endif

#if SER_NEEDS_FFT
/* Numbers of working memory: the transform, then magnitudes in its place. */
enum { SER_SPECTRUM_SCRATCH = 2 * SER_BINS };

typedef struct {
    int32_t mel[SER_MELS]; /* levels of the latest frame, dB times 2^SER_BITS_MEL; not used where no group needs them */
} ser_spectrum;

/*
 * Measures the next frame, whose transform ser_fft_frame has put into scratch and returned up: writes the spectral entries of
 * changes[SER_CHANGE_VALUES] (meaningless at first) and, if the frame is one that counts, of values[SER_FRAME_VALUES]; and the mel
 * levels into the state. The transform is gone then.
 */
void ser_spectrum_frame(ser_spectrum *spectrum, int32_t *scratch, int up, int counts, int32_t *values, int32_t *changes);
#endif

#ifdef __cplusplus
}
#endif

#endif
