/* Generated from features/schema.py by `python -m speech_emotion.generate`; do not edit. */

#ifndef SER_TABLES_H
#define SER_TABLES_H

#include "ser_schema.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the groups asked for need computed. */
#define SER_NEEDS_MFCC (SER_WITH_CEPSTRUM || SER_WITH_CORRELATION)
#define SER_NEEDS_MEL \
    (SER_NEEDS_MFCC || SER_WITH_MEL || SER_WITH_RELATIVE || SER_WITH_SPECTRUM || SER_WITH_MODULATION || \
     SER_WITH_ENCODER)
#define SER_NEEDS_MAGNITUDE (SER_WITH_SPECTRUM || SER_WITH_CONTRAST)
#define SER_NEEDS_FFT (SER_NEEDS_MEL || SER_NEEDS_MAGNITUDE || SER_WITH_CHROMA)

#define SER_BINS 257
#define SER_BIN_HZ 31.25f
#define SER_LOW_BINS 32 /* bins below SER_LOW_HIGH_SPLIT */
#define SER_MAGNITUDE_FLOOR 84U /* a full scale of 2^23 */
#define SER_MAGNITUDE_FLOOR_FINE 21475U /* times 2^8 */
#define SER_SQUARE_FLOOR 7037U /* of its square */
#define SER_SQUARE_FLOOR_LOG2 214424884 /* Q24 */
#define SER_FULL_SQUARE_LOG2 771751936 /* Q24 */
#define SER_DECIBEL_FLOOR (-1638400) /* of a mel level */
#define SER_DECIBELS_PER_LOG2 12626113 /* times 2^22 */
#define SER_ROLLOFF_SHARE 3650722202U /* Q0.32 */
#define SER_PER_BIN_LOG2 134312092 /* of SER_BINS, Q24 */
#define SER_PER_BIN 2139127680 /* 256 over SER_BINS, Q1.31 */
#define SER_LOG2_E 1549082005 /* Q30 */
#define SER_CENTROID_SCALE 2048000U /* from bins in Q24 */
#define SER_BANDWIDTH_SCALE 4096000U /* from bins in Q24 */
#define SER_ROLLOFF_SCALE 8000 /* from bins */
#define SER_CHROMA_DOWN 5 /* so that no sum of chroma weights overflows */
#define SER_PER_MEL 53687091 /* 1 over SER_MELS, Q1.31 */
#define SER_CONTRAST_MOST 3 /* bins averaged at a band's end, at most */
#define SER_CHROMA_RUN 5
#define SER_CHROMA_RUNS 87
#define SER_MODULATION_BANDS 4
#define SER_LOG2_BITS 6
#define SER_STEPS 12 /* level steps above step 0 */

/* smallest sum of squares of a frame of each level step above step 0 */
extern const int64_t ser_step_energies[12];

/* parabolas of the logarithm: see ser_fixed.c */
extern const int32_t ser_log2_rows[64][3];

/* one over, root and logarithm of ranges: see ser_fixed.c */
extern const int32_t ser_root_rows[96][3];

#if SER_NEEDS_MEL
/* first bin and bins of each mel band */
extern const uint8_t ser_mel_spans[40][2];
#endif

#if SER_NEEDS_MEL
/* their weights in a row, Q0.32, each band's over their sum */
extern const uint32_t ser_mel_weights[490];
#endif

#if SER_NEEDS_MEL
/* what that sum adds to a band's level, dB in the format of mel levels */
extern const int32_t ser_mel_gains[40];
#endif

#if SER_NEEDS_MFCC
/* DCT-II of the mel levels, half of each row, Q33 */
extern const int32_t ser_dct[20][20];
#endif

#if SER_WITH_CEPSTRUM
/* slope over DELTA_WIDTH hops: the weight of the hops 1, 2 ... away from the middle, odd, Q1.31 */
extern const int32_t ser_delta_weights[4];
#endif

#if SER_WITH_CEPSTRUM
/* curvature: the weight of the middle hop and those 1, 2 ... away, even, Q1.31 */
extern const int32_t ser_delta2_weights[5];
#endif

#if SER_WITH_CONTRAST
/* first bin, bins, and bins averaged at either end of each contrast band */
extern const uint8_t ser_contrast_bands[7][3];
#endif

#if SER_WITH_CHROMA
/* first chroma, first bin and bins that begin there */
extern const uint8_t ser_chroma_runs[87][3];
#endif

#if SER_WITH_CHROMA
/* weights of each bin for SER_CHROMA_RUN chromas (modulo 12) from there, Q0.32 */
extern const uint32_t ser_chroma_weights[279][5];
#endif

#if SER_WITH_MODULATION
/* first and last mel band, plus 1, of each modulation band */
extern const uint8_t ser_modulation_bands[4][2];
#endif

#if SER_WITH_MODULATION
/* one over how many that are, Q1.31 */
extern const int32_t ser_modulation_shares[4];
#endif

#if SER_WITH_MODULATION
/* gain of the running means over 2, 4 ... hops, Q1.31 */
extern const int32_t ser_modulation_gains[4];
#endif


/* Where a part's value goes: its first column, and which functionals (bits) stand there; and its format: what
   it is times 2^format, and what of these counts as the middle. */
typedef struct {
    uint16_t column;
    uint8_t functionals;
    uint8_t format;
    int32_t middle;
} ser_descriptor;

extern const ser_descriptor ser_frame_descriptors[SER_FRAME_VALUES + 1];
extern const ser_descriptor ser_change_descriptors[SER_CHANGE_VALUES + 1];
extern const ser_descriptor ser_delta_descriptors[SER_DELTA_VALUES + 1];
extern const ser_descriptor ser_intensity_descriptors[SER_INTENSITY_VALUES + 1];
extern const ser_descriptor ser_intensity_change_descriptors[SER_INTENSITY_CHANGE_VALUES + 1];
extern const ser_descriptor ser_encoder_descriptors[SER_ENCODER_VALUES + 1];

#ifdef __cplusplus
}
#endif

#endif
