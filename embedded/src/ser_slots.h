/* Generated from features/schema.py by `python -m speech_emotion.generate`; do not edit. */

#ifndef SER_SLOTS_H
#define SER_SLOTS_H

#include "ser_schema.h"

#include <stdint.h>

/* Test builds fill slots and columns with a value that is none, and stop where one was not written. */
#ifdef SER_TEST_POISON
void ser_test_poison(void *slots, int count);
void ser_test_part(ser_part part, const int32_t *values);
void ser_test_columns(const float *features);
#else
#define ser_test_poison(slots, count) ((void)0)
#define ser_test_part(part, values) ((void)0)
#define ser_test_columns(features) ((void)0)
#endif

/* extractor: no value at the first frame */
#if SER_WITH_ENERGY
static inline void ser_put_change_energy(int32_t *values, int32_t rms_delta)
{
    values[SER_CHANGE_RMS_DELTA] = rms_delta;
}
#endif

/* spectrum: no value at the first frame */
#if SER_WITH_SPECTRUM
static inline void ser_put_change_spectrum(int32_t *values, int32_t flux)
{
    values[SER_CHANGE_FLUX] = flux;
}
#endif

/* cepstrum: known DELTA_WIDTH / 2 frames late */
#if SER_WITH_CEPSTRUM
static inline int32_t *ser_at_delta_mfcc_delta(int32_t *values)
{
    return values + SER_DELTA_MFCC_DELTA_01;
}
#endif

/* cepstrum: known DELTA_WIDTH / 2 frames late */
#if SER_WITH_CEPSTRUM && SER_WITH_DELTA2
static inline int32_t *ser_at_delta_mfcc_delta2(int32_t *values)
{
    return values + SER_DELTA_MFCC_DELTA2_01;
}
#endif

/* encoder: known at every fourth frame or so, as often as the encoder's last layer answers */
#if SER_WITH_ENCODER
static inline int32_t *ser_at_encoder_encoder(int32_t *values)
{
    return values + SER_ENCODER_ENCODER_00;
}
#endif

/* cepstrum: known at every frame */
#if SER_WITH_CEPSTRUM || SER_WITH_CORRELATION
static inline int32_t *ser_at_frame_mfcc(int32_t *values)
{
    return values + SER_FRAME_MFCC_01;
}
#endif

/* spectrum: known at every frame */
#if SER_WITH_CHROMA
static inline int32_t *ser_at_frame_chroma(int32_t *values)
{
    return values + SER_FRAME_CHROMA_00;
}
#endif

/* spectrum: known at every frame */
#if SER_WITH_CONTRAST
static inline int32_t *ser_at_frame_contrast(int32_t *values)
{
    return values + SER_FRAME_CONTRAST_00;
}
#endif

/* extractor: known at every frame */
#if SER_WITH_ENERGY
static inline void ser_put_frame_energy(int32_t *values, int32_t rms)
{
    values[SER_FRAME_RMS] = rms;
}
#endif

/* spectrum: known at every frame */
#if SER_WITH_MEL || SER_WITH_RELATIVE
static inline int32_t *ser_at_frame_mel(int32_t *values)
{
    return values + SER_FRAME_MEL_00;
}
#endif

/* modulation: known at every frame */
#if SER_WITH_MODULATION
static inline int32_t *ser_at_frame_modulation(int32_t *values)
{
    return values + SER_FRAME_MODULATION_0_0;
}
#endif

/* spectrum: known at every frame */
#if SER_WITH_SPECTRUM
static inline void ser_put_frame_spectrum(int32_t *values, int32_t centroid, int32_t bandwidth, int32_t rolloff, int32_t flatness, int32_t low_high_db)
{
    values[SER_FRAME_CENTROID] = centroid;
    values[SER_FRAME_BANDWIDTH] = bandwidth;
    values[SER_FRAME_ROLLOFF] = rolloff;
    values[SER_FRAME_FLATNESS] = flatness;
    values[SER_FRAME_LOW_HIGH_DB] = low_high_db;
}
#endif

/* extractor: known at every frame */
#if SER_WITH_ZCR
static inline void ser_put_frame_zcr(int32_t *values, int32_t zcr)
{
    values[SER_FRAME_ZCR] = zcr;
}
#endif

/* extractor: no value where its longer window sticks out of the clip */
#if SER_WITH_INTENSITY
static inline void ser_put_intensity_intensity(int32_t *values, int32_t intensity_db)
{
    values[SER_INTENSITY_INTENSITY_DB] = intensity_db;
}
#endif

/* extractor: nor at the first frame that has one */
#if SER_WITH_INTENSITY
static inline void ser_put_intensity_change_intensity(int32_t *values, int32_t intensity_db_delta)
{
    values[SER_INTENSITY_CHANGE_INTENSITY_DB_DELTA] = intensity_db_delta;
}
#endif


/* For test builds: columns that are written together, and whether they are. */
#ifdef SER_TEST_POISON
static const struct {
    unsigned short first, count, kept;
} ser_test_kept[] = {
    {0, 12, SER_WITH_ENERGY},
    {12, 12, SER_WITH_INTENSITY},
    {24, 7, SER_WITH_ZCR},
    {31, 42, SER_WITH_CEPSTRUM},
    {73, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 7},
    {80, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 8},
    {87, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 9},
    {94, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 10},
    {101, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 11},
    {108, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 12},
    {115, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 13},
    {122, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 14},
    {129, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 15},
    {136, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 16},
    {143, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 17},
    {150, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 18},
    {157, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 19},
    {164, 7, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 20},
    {171, 6, SER_WITH_CEPSTRUM},
    {177, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 7},
    {178, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 8},
    {179, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 9},
    {180, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 10},
    {181, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 11},
    {182, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 12},
    {183, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 13},
    {184, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 14},
    {185, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 15},
    {186, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 16},
    {187, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 17},
    {188, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 18},
    {189, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 19},
    {190, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 20},
    {191, 6, SER_WITH_CEPSTRUM && SER_WITH_DELTA2},
    {197, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 7 && SER_WITH_DELTA2},
    {198, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 8 && SER_WITH_DELTA2},
    {199, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 9 && SER_WITH_DELTA2},
    {200, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 10 && SER_WITH_DELTA2},
    {201, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 11 && SER_WITH_DELTA2},
    {202, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 12 && SER_WITH_DELTA2},
    {203, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 13 && SER_WITH_DELTA2},
    {204, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 14 && SER_WITH_DELTA2},
    {205, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 15 && SER_WITH_DELTA2},
    {206, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 16 && SER_WITH_DELTA2},
    {207, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 17 && SER_WITH_DELTA2},
    {208, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 18 && SER_WITH_DELTA2},
    {209, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 19 && SER_WITH_DELTA2},
    {210, 1, SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 20 && SER_WITH_DELTA2},
    {211, 42, SER_WITH_SPECTRUM},
    {253, 14, SER_WITH_CONTRAST},
    {267, 80, SER_WITH_MEL},
    {347, 24, SER_WITH_CHROMA},
    {371, 15, SER_WITH_CORRELATION},
    {386, 16, SER_WITH_MODULATION},
    {402, 88, SER_WITH_ENCODER},
    {490, 40, SER_WITH_RELATIVE},
    {530, 31, SER_WITH_PITCH},
    {561, 31, SER_WITH_CLEAR},
    {592, 7, SER_WITH_VOICE},
    {599, 7, SER_WITH_HNR},
};
#endif

/* For test builds: what slots and columns are called. */
#ifdef SER_SLOT_NAMES

static const char *const ser_frame_names[SER_FRAME_VALUES + 1] = {
#if SER_WITH_ENERGY
    [SER_FRAME_RMS] = "rms",
#endif
#if SER_WITH_ZCR
    [SER_FRAME_ZCR] = "zcr",
#endif
#if SER_WITH_CEPSTRUM || SER_WITH_CORRELATION
    [SER_FRAME_MFCC_01] = "mfcc_01",
    [SER_FRAME_MFCC_02] = "mfcc_02",
    [SER_FRAME_MFCC_03] = "mfcc_03",
    [SER_FRAME_MFCC_04] = "mfcc_04",
    [SER_FRAME_MFCC_05] = "mfcc_05",
    [SER_FRAME_MFCC_06] = "mfcc_06",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 7
    [SER_FRAME_MFCC_07] = "mfcc_07",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 8
    [SER_FRAME_MFCC_08] = "mfcc_08",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 9
    [SER_FRAME_MFCC_09] = "mfcc_09",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 10
    [SER_FRAME_MFCC_10] = "mfcc_10",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 11
    [SER_FRAME_MFCC_11] = "mfcc_11",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 12
    [SER_FRAME_MFCC_12] = "mfcc_12",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 13
    [SER_FRAME_MFCC_13] = "mfcc_13",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 14
    [SER_FRAME_MFCC_14] = "mfcc_14",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 15
    [SER_FRAME_MFCC_15] = "mfcc_15",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 16
    [SER_FRAME_MFCC_16] = "mfcc_16",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 17
    [SER_FRAME_MFCC_17] = "mfcc_17",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 18
    [SER_FRAME_MFCC_18] = "mfcc_18",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 19
    [SER_FRAME_MFCC_19] = "mfcc_19",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 20
    [SER_FRAME_MFCC_20] = "mfcc_20",
#endif
#if SER_WITH_SPECTRUM
    [SER_FRAME_CENTROID] = "centroid",
    [SER_FRAME_BANDWIDTH] = "bandwidth",
    [SER_FRAME_ROLLOFF] = "rolloff",
    [SER_FRAME_FLATNESS] = "flatness",
    [SER_FRAME_LOW_HIGH_DB] = "low_high_db",
#endif
#if SER_WITH_CONTRAST
    [SER_FRAME_CONTRAST_00] = "contrast_00",
    [SER_FRAME_CONTRAST_01] = "contrast_01",
    [SER_FRAME_CONTRAST_02] = "contrast_02",
    [SER_FRAME_CONTRAST_03] = "contrast_03",
    [SER_FRAME_CONTRAST_04] = "contrast_04",
    [SER_FRAME_CONTRAST_05] = "contrast_05",
    [SER_FRAME_CONTRAST_06] = "contrast_06",
#endif
#if SER_WITH_MEL || SER_WITH_RELATIVE
    [SER_FRAME_MEL_00] = "mel_00",
    [SER_FRAME_MEL_01] = "mel_01",
    [SER_FRAME_MEL_02] = "mel_02",
    [SER_FRAME_MEL_03] = "mel_03",
    [SER_FRAME_MEL_04] = "mel_04",
    [SER_FRAME_MEL_05] = "mel_05",
    [SER_FRAME_MEL_06] = "mel_06",
    [SER_FRAME_MEL_07] = "mel_07",
    [SER_FRAME_MEL_08] = "mel_08",
    [SER_FRAME_MEL_09] = "mel_09",
    [SER_FRAME_MEL_10] = "mel_10",
    [SER_FRAME_MEL_11] = "mel_11",
    [SER_FRAME_MEL_12] = "mel_12",
    [SER_FRAME_MEL_13] = "mel_13",
    [SER_FRAME_MEL_14] = "mel_14",
    [SER_FRAME_MEL_15] = "mel_15",
    [SER_FRAME_MEL_16] = "mel_16",
    [SER_FRAME_MEL_17] = "mel_17",
    [SER_FRAME_MEL_18] = "mel_18",
    [SER_FRAME_MEL_19] = "mel_19",
    [SER_FRAME_MEL_20] = "mel_20",
    [SER_FRAME_MEL_21] = "mel_21",
    [SER_FRAME_MEL_22] = "mel_22",
    [SER_FRAME_MEL_23] = "mel_23",
    [SER_FRAME_MEL_24] = "mel_24",
    [SER_FRAME_MEL_25] = "mel_25",
    [SER_FRAME_MEL_26] = "mel_26",
    [SER_FRAME_MEL_27] = "mel_27",
    [SER_FRAME_MEL_28] = "mel_28",
    [SER_FRAME_MEL_29] = "mel_29",
    [SER_FRAME_MEL_30] = "mel_30",
    [SER_FRAME_MEL_31] = "mel_31",
    [SER_FRAME_MEL_32] = "mel_32",
    [SER_FRAME_MEL_33] = "mel_33",
    [SER_FRAME_MEL_34] = "mel_34",
    [SER_FRAME_MEL_35] = "mel_35",
    [SER_FRAME_MEL_36] = "mel_36",
    [SER_FRAME_MEL_37] = "mel_37",
    [SER_FRAME_MEL_38] = "mel_38",
    [SER_FRAME_MEL_39] = "mel_39",
#endif
#if SER_WITH_CHROMA
    [SER_FRAME_CHROMA_00] = "chroma_00",
    [SER_FRAME_CHROMA_01] = "chroma_01",
    [SER_FRAME_CHROMA_02] = "chroma_02",
    [SER_FRAME_CHROMA_03] = "chroma_03",
    [SER_FRAME_CHROMA_04] = "chroma_04",
    [SER_FRAME_CHROMA_05] = "chroma_05",
    [SER_FRAME_CHROMA_06] = "chroma_06",
    [SER_FRAME_CHROMA_07] = "chroma_07",
    [SER_FRAME_CHROMA_08] = "chroma_08",
    [SER_FRAME_CHROMA_09] = "chroma_09",
    [SER_FRAME_CHROMA_10] = "chroma_10",
    [SER_FRAME_CHROMA_11] = "chroma_11",
#endif
#if SER_WITH_MODULATION
    [SER_FRAME_MODULATION_0_0] = "modulation_0_0",
    [SER_FRAME_MODULATION_0_1] = "modulation_0_1",
    [SER_FRAME_MODULATION_0_2] = "modulation_0_2",
    [SER_FRAME_MODULATION_0_3] = "modulation_0_3",
    [SER_FRAME_MODULATION_1_0] = "modulation_1_0",
    [SER_FRAME_MODULATION_1_1] = "modulation_1_1",
    [SER_FRAME_MODULATION_1_2] = "modulation_1_2",
    [SER_FRAME_MODULATION_1_3] = "modulation_1_3",
    [SER_FRAME_MODULATION_2_0] = "modulation_2_0",
    [SER_FRAME_MODULATION_2_1] = "modulation_2_1",
    [SER_FRAME_MODULATION_2_2] = "modulation_2_2",
    [SER_FRAME_MODULATION_2_3] = "modulation_2_3",
    [SER_FRAME_MODULATION_3_0] = "modulation_3_0",
    [SER_FRAME_MODULATION_3_1] = "modulation_3_1",
    [SER_FRAME_MODULATION_3_2] = "modulation_3_2",
    [SER_FRAME_MODULATION_3_3] = "modulation_3_3",
#endif
    [SER_FRAME_VALUES] = NULL,
};
static const char *const ser_change_names[SER_CHANGE_VALUES + 1] = {
#if SER_WITH_ENERGY
    [SER_CHANGE_RMS_DELTA] = "rms_delta",
#endif
#if SER_WITH_SPECTRUM
    [SER_CHANGE_FLUX] = "flux",
#endif
    [SER_CHANGE_VALUES] = NULL,
};
static const char *const ser_delta_names[SER_DELTA_VALUES + 1] = {
#if SER_WITH_CEPSTRUM
    [SER_DELTA_MFCC_DELTA_01] = "mfcc_delta_01",
    [SER_DELTA_MFCC_DELTA_02] = "mfcc_delta_02",
    [SER_DELTA_MFCC_DELTA_03] = "mfcc_delta_03",
    [SER_DELTA_MFCC_DELTA_04] = "mfcc_delta_04",
    [SER_DELTA_MFCC_DELTA_05] = "mfcc_delta_05",
    [SER_DELTA_MFCC_DELTA_06] = "mfcc_delta_06",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 7
    [SER_DELTA_MFCC_DELTA_07] = "mfcc_delta_07",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 8
    [SER_DELTA_MFCC_DELTA_08] = "mfcc_delta_08",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 9
    [SER_DELTA_MFCC_DELTA_09] = "mfcc_delta_09",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 10
    [SER_DELTA_MFCC_DELTA_10] = "mfcc_delta_10",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 11
    [SER_DELTA_MFCC_DELTA_11] = "mfcc_delta_11",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 12
    [SER_DELTA_MFCC_DELTA_12] = "mfcc_delta_12",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 13
    [SER_DELTA_MFCC_DELTA_13] = "mfcc_delta_13",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 14
    [SER_DELTA_MFCC_DELTA_14] = "mfcc_delta_14",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 15
    [SER_DELTA_MFCC_DELTA_15] = "mfcc_delta_15",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 16
    [SER_DELTA_MFCC_DELTA_16] = "mfcc_delta_16",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 17
    [SER_DELTA_MFCC_DELTA_17] = "mfcc_delta_17",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 18
    [SER_DELTA_MFCC_DELTA_18] = "mfcc_delta_18",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 19
    [SER_DELTA_MFCC_DELTA_19] = "mfcc_delta_19",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 20
    [SER_DELTA_MFCC_DELTA_20] = "mfcc_delta_20",
#endif
#if SER_WITH_CEPSTRUM && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_01] = "mfcc_delta2_01",
    [SER_DELTA_MFCC_DELTA2_02] = "mfcc_delta2_02",
    [SER_DELTA_MFCC_DELTA2_03] = "mfcc_delta2_03",
    [SER_DELTA_MFCC_DELTA2_04] = "mfcc_delta2_04",
    [SER_DELTA_MFCC_DELTA2_05] = "mfcc_delta2_05",
    [SER_DELTA_MFCC_DELTA2_06] = "mfcc_delta2_06",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 7 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_07] = "mfcc_delta2_07",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 8 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_08] = "mfcc_delta2_08",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 9 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_09] = "mfcc_delta2_09",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 10 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_10] = "mfcc_delta2_10",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 11 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_11] = "mfcc_delta2_11",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 12 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_12] = "mfcc_delta2_12",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 13 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_13] = "mfcc_delta2_13",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 14 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_14] = "mfcc_delta2_14",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 15 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_15] = "mfcc_delta2_15",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 16 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_16] = "mfcc_delta2_16",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 17 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_17] = "mfcc_delta2_17",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 18 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_18] = "mfcc_delta2_18",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 19 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_19] = "mfcc_delta2_19",
#endif
#if SER_WITH_CEPSTRUM && SER_MFCCS_KEPT >= 20 && SER_WITH_DELTA2
    [SER_DELTA_MFCC_DELTA2_20] = "mfcc_delta2_20",
#endif
    [SER_DELTA_VALUES] = NULL,
};
static const char *const ser_intensity_names[SER_INTENSITY_VALUES + 1] = {
#if SER_WITH_INTENSITY
    [SER_INTENSITY_INTENSITY_DB] = "intensity_db",
#endif
    [SER_INTENSITY_VALUES] = NULL,
};
static const char *const ser_intensity_change_names[SER_INTENSITY_CHANGE_VALUES + 1] = {
#if SER_WITH_INTENSITY
    [SER_INTENSITY_CHANGE_INTENSITY_DB_DELTA] = "intensity_db_delta",
#endif
    [SER_INTENSITY_CHANGE_VALUES] = NULL,
};
static const char *const ser_encoder_names[SER_ENCODER_VALUES + 1] = {
#if SER_WITH_ENCODER
    [SER_ENCODER_ENCODER_00] = "encoder_00",
    [SER_ENCODER_ENCODER_01] = "encoder_01",
    [SER_ENCODER_ENCODER_02] = "encoder_02",
    [SER_ENCODER_ENCODER_03] = "encoder_03",
    [SER_ENCODER_ENCODER_04] = "encoder_04",
    [SER_ENCODER_ENCODER_05] = "encoder_05",
    [SER_ENCODER_ENCODER_06] = "encoder_06",
    [SER_ENCODER_ENCODER_07] = "encoder_07",
    [SER_ENCODER_ENCODER_08] = "encoder_08",
    [SER_ENCODER_ENCODER_09] = "encoder_09",
    [SER_ENCODER_ENCODER_10] = "encoder_10",
    [SER_ENCODER_ENCODER_11] = "encoder_11",
    [SER_ENCODER_ENCODER_12] = "encoder_12",
    [SER_ENCODER_ENCODER_13] = "encoder_13",
    [SER_ENCODER_ENCODER_14] = "encoder_14",
    [SER_ENCODER_ENCODER_15] = "encoder_15",
    [SER_ENCODER_ENCODER_16] = "encoder_16",
    [SER_ENCODER_ENCODER_17] = "encoder_17",
    [SER_ENCODER_ENCODER_18] = "encoder_18",
    [SER_ENCODER_ENCODER_19] = "encoder_19",
    [SER_ENCODER_ENCODER_20] = "encoder_20",
    [SER_ENCODER_ENCODER_21] = "encoder_21",
    [SER_ENCODER_ENCODER_22] = "encoder_22",
    [SER_ENCODER_ENCODER_23] = "encoder_23",
    [SER_ENCODER_ENCODER_24] = "encoder_24",
    [SER_ENCODER_ENCODER_25] = "encoder_25",
    [SER_ENCODER_ENCODER_26] = "encoder_26",
    [SER_ENCODER_ENCODER_27] = "encoder_27",
    [SER_ENCODER_ENCODER_28] = "encoder_28",
    [SER_ENCODER_ENCODER_29] = "encoder_29",
    [SER_ENCODER_ENCODER_30] = "encoder_30",
    [SER_ENCODER_ENCODER_31] = "encoder_31",
    [SER_ENCODER_ENCODER_32] = "encoder_32",
    [SER_ENCODER_ENCODER_33] = "encoder_33",
    [SER_ENCODER_ENCODER_34] = "encoder_34",
    [SER_ENCODER_ENCODER_35] = "encoder_35",
    [SER_ENCODER_ENCODER_36] = "encoder_36",
    [SER_ENCODER_ENCODER_37] = "encoder_37",
    [SER_ENCODER_ENCODER_38] = "encoder_38",
    [SER_ENCODER_ENCODER_39] = "encoder_39",
    [SER_ENCODER_ENCODER_40] = "encoder_40",
    [SER_ENCODER_ENCODER_41] = "encoder_41",
    [SER_ENCODER_ENCODER_42] = "encoder_42",
    [SER_ENCODER_ENCODER_43] = "encoder_43",
#endif
    [SER_ENCODER_VALUES] = NULL,
};
static const char *const ser_column_names[SER_FEATURES] = {
    "rms_mean",
    "rms_std",
    "rms_min",
    "rms_max",
    "rms_skewness",
    "rms_kurtosis",
    "rms_slope",
    "rms_delta_std",
    "rms_delta_min",
    "rms_delta_max",
    "rms_delta_skewness",
    "rms_delta_kurtosis",
    "intensity_db_mean",
    "intensity_db_std",
    "intensity_db_min",
    "intensity_db_max",
    "intensity_db_skewness",
    "intensity_db_kurtosis",
    "intensity_db_slope",
    "intensity_db_delta_std",
    "intensity_db_delta_min",
    "intensity_db_delta_max",
    "intensity_db_delta_skewness",
    "intensity_db_delta_kurtosis",
    "zcr_mean",
    "zcr_std",
    "zcr_min",
    "zcr_max",
    "zcr_skewness",
    "zcr_kurtosis",
    "zcr_slope",
    "mfcc_01_mean",
    "mfcc_01_std",
    "mfcc_01_min",
    "mfcc_01_max",
    "mfcc_01_skewness",
    "mfcc_01_kurtosis",
    "mfcc_01_slope",
    "mfcc_02_mean",
    "mfcc_02_std",
    "mfcc_02_min",
    "mfcc_02_max",
    "mfcc_02_skewness",
    "mfcc_02_kurtosis",
    "mfcc_02_slope",
    "mfcc_03_mean",
    "mfcc_03_std",
    "mfcc_03_min",
    "mfcc_03_max",
    "mfcc_03_skewness",
    "mfcc_03_kurtosis",
    "mfcc_03_slope",
    "mfcc_04_mean",
    "mfcc_04_std",
    "mfcc_04_min",
    "mfcc_04_max",
    "mfcc_04_skewness",
    "mfcc_04_kurtosis",
    "mfcc_04_slope",
    "mfcc_05_mean",
    "mfcc_05_std",
    "mfcc_05_min",
    "mfcc_05_max",
    "mfcc_05_skewness",
    "mfcc_05_kurtosis",
    "mfcc_05_slope",
    "mfcc_06_mean",
    "mfcc_06_std",
    "mfcc_06_min",
    "mfcc_06_max",
    "mfcc_06_skewness",
    "mfcc_06_kurtosis",
    "mfcc_06_slope",
    "mfcc_07_mean",
    "mfcc_07_std",
    "mfcc_07_min",
    "mfcc_07_max",
    "mfcc_07_skewness",
    "mfcc_07_kurtosis",
    "mfcc_07_slope",
    "mfcc_08_mean",
    "mfcc_08_std",
    "mfcc_08_min",
    "mfcc_08_max",
    "mfcc_08_skewness",
    "mfcc_08_kurtosis",
    "mfcc_08_slope",
    "mfcc_09_mean",
    "mfcc_09_std",
    "mfcc_09_min",
    "mfcc_09_max",
    "mfcc_09_skewness",
    "mfcc_09_kurtosis",
    "mfcc_09_slope",
    "mfcc_10_mean",
    "mfcc_10_std",
    "mfcc_10_min",
    "mfcc_10_max",
    "mfcc_10_skewness",
    "mfcc_10_kurtosis",
    "mfcc_10_slope",
    "mfcc_11_mean",
    "mfcc_11_std",
    "mfcc_11_min",
    "mfcc_11_max",
    "mfcc_11_skewness",
    "mfcc_11_kurtosis",
    "mfcc_11_slope",
    "mfcc_12_mean",
    "mfcc_12_std",
    "mfcc_12_min",
    "mfcc_12_max",
    "mfcc_12_skewness",
    "mfcc_12_kurtosis",
    "mfcc_12_slope",
    "mfcc_13_mean",
    "mfcc_13_std",
    "mfcc_13_min",
    "mfcc_13_max",
    "mfcc_13_skewness",
    "mfcc_13_kurtosis",
    "mfcc_13_slope",
    "mfcc_14_mean",
    "mfcc_14_std",
    "mfcc_14_min",
    "mfcc_14_max",
    "mfcc_14_skewness",
    "mfcc_14_kurtosis",
    "mfcc_14_slope",
    "mfcc_15_mean",
    "mfcc_15_std",
    "mfcc_15_min",
    "mfcc_15_max",
    "mfcc_15_skewness",
    "mfcc_15_kurtosis",
    "mfcc_15_slope",
    "mfcc_16_mean",
    "mfcc_16_std",
    "mfcc_16_min",
    "mfcc_16_max",
    "mfcc_16_skewness",
    "mfcc_16_kurtosis",
    "mfcc_16_slope",
    "mfcc_17_mean",
    "mfcc_17_std",
    "mfcc_17_min",
    "mfcc_17_max",
    "mfcc_17_skewness",
    "mfcc_17_kurtosis",
    "mfcc_17_slope",
    "mfcc_18_mean",
    "mfcc_18_std",
    "mfcc_18_min",
    "mfcc_18_max",
    "mfcc_18_skewness",
    "mfcc_18_kurtosis",
    "mfcc_18_slope",
    "mfcc_19_mean",
    "mfcc_19_std",
    "mfcc_19_min",
    "mfcc_19_max",
    "mfcc_19_skewness",
    "mfcc_19_kurtosis",
    "mfcc_19_slope",
    "mfcc_20_mean",
    "mfcc_20_std",
    "mfcc_20_min",
    "mfcc_20_max",
    "mfcc_20_skewness",
    "mfcc_20_kurtosis",
    "mfcc_20_slope",
    "mfcc_delta_01_std",
    "mfcc_delta_02_std",
    "mfcc_delta_03_std",
    "mfcc_delta_04_std",
    "mfcc_delta_05_std",
    "mfcc_delta_06_std",
    "mfcc_delta_07_std",
    "mfcc_delta_08_std",
    "mfcc_delta_09_std",
    "mfcc_delta_10_std",
    "mfcc_delta_11_std",
    "mfcc_delta_12_std",
    "mfcc_delta_13_std",
    "mfcc_delta_14_std",
    "mfcc_delta_15_std",
    "mfcc_delta_16_std",
    "mfcc_delta_17_std",
    "mfcc_delta_18_std",
    "mfcc_delta_19_std",
    "mfcc_delta_20_std",
    "mfcc_delta2_01_std",
    "mfcc_delta2_02_std",
    "mfcc_delta2_03_std",
    "mfcc_delta2_04_std",
    "mfcc_delta2_05_std",
    "mfcc_delta2_06_std",
    "mfcc_delta2_07_std",
    "mfcc_delta2_08_std",
    "mfcc_delta2_09_std",
    "mfcc_delta2_10_std",
    "mfcc_delta2_11_std",
    "mfcc_delta2_12_std",
    "mfcc_delta2_13_std",
    "mfcc_delta2_14_std",
    "mfcc_delta2_15_std",
    "mfcc_delta2_16_std",
    "mfcc_delta2_17_std",
    "mfcc_delta2_18_std",
    "mfcc_delta2_19_std",
    "mfcc_delta2_20_std",
    "centroid_mean",
    "centroid_std",
    "centroid_min",
    "centroid_max",
    "centroid_skewness",
    "centroid_kurtosis",
    "centroid_slope",
    "bandwidth_mean",
    "bandwidth_std",
    "bandwidth_min",
    "bandwidth_max",
    "bandwidth_skewness",
    "bandwidth_kurtosis",
    "bandwidth_slope",
    "rolloff_mean",
    "rolloff_std",
    "rolloff_min",
    "rolloff_max",
    "rolloff_skewness",
    "rolloff_kurtosis",
    "rolloff_slope",
    "flatness_mean",
    "flatness_std",
    "flatness_min",
    "flatness_max",
    "flatness_skewness",
    "flatness_kurtosis",
    "flatness_slope",
    "flux_mean",
    "flux_std",
    "flux_min",
    "flux_max",
    "flux_skewness",
    "flux_kurtosis",
    "flux_slope",
    "low_high_db_mean",
    "low_high_db_std",
    "low_high_db_min",
    "low_high_db_max",
    "low_high_db_skewness",
    "low_high_db_kurtosis",
    "low_high_db_slope",
    "contrast_00_mean",
    "contrast_00_std",
    "contrast_01_mean",
    "contrast_01_std",
    "contrast_02_mean",
    "contrast_02_std",
    "contrast_03_mean",
    "contrast_03_std",
    "contrast_04_mean",
    "contrast_04_std",
    "contrast_05_mean",
    "contrast_05_std",
    "contrast_06_mean",
    "contrast_06_std",
    "mel_00_mean",
    "mel_00_std",
    "mel_01_mean",
    "mel_01_std",
    "mel_02_mean",
    "mel_02_std",
    "mel_03_mean",
    "mel_03_std",
    "mel_04_mean",
    "mel_04_std",
    "mel_05_mean",
    "mel_05_std",
    "mel_06_mean",
    "mel_06_std",
    "mel_07_mean",
    "mel_07_std",
    "mel_08_mean",
    "mel_08_std",
    "mel_09_mean",
    "mel_09_std",
    "mel_10_mean",
    "mel_10_std",
    "mel_11_mean",
    "mel_11_std",
    "mel_12_mean",
    "mel_12_std",
    "mel_13_mean",
    "mel_13_std",
    "mel_14_mean",
    "mel_14_std",
    "mel_15_mean",
    "mel_15_std",
    "mel_16_mean",
    "mel_16_std",
    "mel_17_mean",
    "mel_17_std",
    "mel_18_mean",
    "mel_18_std",
    "mel_19_mean",
    "mel_19_std",
    "mel_20_mean",
    "mel_20_std",
    "mel_21_mean",
    "mel_21_std",
    "mel_22_mean",
    "mel_22_std",
    "mel_23_mean",
    "mel_23_std",
    "mel_24_mean",
    "mel_24_std",
    "mel_25_mean",
    "mel_25_std",
    "mel_26_mean",
    "mel_26_std",
    "mel_27_mean",
    "mel_27_std",
    "mel_28_mean",
    "mel_28_std",
    "mel_29_mean",
    "mel_29_std",
    "mel_30_mean",
    "mel_30_std",
    "mel_31_mean",
    "mel_31_std",
    "mel_32_mean",
    "mel_32_std",
    "mel_33_mean",
    "mel_33_std",
    "mel_34_mean",
    "mel_34_std",
    "mel_35_mean",
    "mel_35_std",
    "mel_36_mean",
    "mel_36_std",
    "mel_37_mean",
    "mel_37_std",
    "mel_38_mean",
    "mel_38_std",
    "mel_39_mean",
    "mel_39_std",
    "chroma_00_mean",
    "chroma_00_std",
    "chroma_01_mean",
    "chroma_01_std",
    "chroma_02_mean",
    "chroma_02_std",
    "chroma_03_mean",
    "chroma_03_std",
    "chroma_04_mean",
    "chroma_04_std",
    "chroma_05_mean",
    "chroma_05_std",
    "chroma_06_mean",
    "chroma_06_std",
    "chroma_07_mean",
    "chroma_07_std",
    "chroma_08_mean",
    "chroma_08_std",
    "chroma_09_mean",
    "chroma_09_std",
    "chroma_10_mean",
    "chroma_10_std",
    "chroma_11_mean",
    "chroma_11_std",
    "mfcc_corr_01_02",
    "mfcc_corr_01_03",
    "mfcc_corr_01_04",
    "mfcc_corr_01_05",
    "mfcc_corr_01_06",
    "mfcc_corr_02_03",
    "mfcc_corr_02_04",
    "mfcc_corr_02_05",
    "mfcc_corr_02_06",
    "mfcc_corr_03_04",
    "mfcc_corr_03_05",
    "mfcc_corr_03_06",
    "mfcc_corr_04_05",
    "mfcc_corr_04_06",
    "mfcc_corr_05_06",
    "modulation_0_0_std",
    "modulation_0_1_std",
    "modulation_0_2_std",
    "modulation_0_3_std",
    "modulation_1_0_std",
    "modulation_1_1_std",
    "modulation_1_2_std",
    "modulation_1_3_std",
    "modulation_2_0_std",
    "modulation_2_1_std",
    "modulation_2_2_std",
    "modulation_2_3_std",
    "modulation_3_0_std",
    "modulation_3_1_std",
    "modulation_3_2_std",
    "modulation_3_3_std",
    "encoder_00_mean",
    "encoder_00_std",
    "encoder_01_mean",
    "encoder_01_std",
    "encoder_02_mean",
    "encoder_02_std",
    "encoder_03_mean",
    "encoder_03_std",
    "encoder_04_mean",
    "encoder_04_std",
    "encoder_05_mean",
    "encoder_05_std",
    "encoder_06_mean",
    "encoder_06_std",
    "encoder_07_mean",
    "encoder_07_std",
    "encoder_08_mean",
    "encoder_08_std",
    "encoder_09_mean",
    "encoder_09_std",
    "encoder_10_mean",
    "encoder_10_std",
    "encoder_11_mean",
    "encoder_11_std",
    "encoder_12_mean",
    "encoder_12_std",
    "encoder_13_mean",
    "encoder_13_std",
    "encoder_14_mean",
    "encoder_14_std",
    "encoder_15_mean",
    "encoder_15_std",
    "encoder_16_mean",
    "encoder_16_std",
    "encoder_17_mean",
    "encoder_17_std",
    "encoder_18_mean",
    "encoder_18_std",
    "encoder_19_mean",
    "encoder_19_std",
    "encoder_20_mean",
    "encoder_20_std",
    "encoder_21_mean",
    "encoder_21_std",
    "encoder_22_mean",
    "encoder_22_std",
    "encoder_23_mean",
    "encoder_23_std",
    "encoder_24_mean",
    "encoder_24_std",
    "encoder_25_mean",
    "encoder_25_std",
    "encoder_26_mean",
    "encoder_26_std",
    "encoder_27_mean",
    "encoder_27_std",
    "encoder_28_mean",
    "encoder_28_std",
    "encoder_29_mean",
    "encoder_29_std",
    "encoder_30_mean",
    "encoder_30_std",
    "encoder_31_mean",
    "encoder_31_std",
    "encoder_32_mean",
    "encoder_32_std",
    "encoder_33_mean",
    "encoder_33_std",
    "encoder_34_mean",
    "encoder_34_std",
    "encoder_35_mean",
    "encoder_35_std",
    "encoder_36_mean",
    "encoder_36_std",
    "encoder_37_mean",
    "encoder_37_std",
    "encoder_38_mean",
    "encoder_38_std",
    "encoder_39_mean",
    "encoder_39_std",
    "encoder_40_mean",
    "encoder_40_std",
    "encoder_41_mean",
    "encoder_41_std",
    "encoder_42_mean",
    "encoder_42_std",
    "encoder_43_mean",
    "encoder_43_std",
    "relative_mel_00_mean",
    "relative_mel_01_mean",
    "relative_mel_02_mean",
    "relative_mel_03_mean",
    "relative_mel_04_mean",
    "relative_mel_05_mean",
    "relative_mel_06_mean",
    "relative_mel_07_mean",
    "relative_mel_08_mean",
    "relative_mel_09_mean",
    "relative_mel_10_mean",
    "relative_mel_11_mean",
    "relative_mel_12_mean",
    "relative_mel_13_mean",
    "relative_mel_14_mean",
    "relative_mel_15_mean",
    "relative_mel_16_mean",
    "relative_mel_17_mean",
    "relative_mel_18_mean",
    "relative_mel_19_mean",
    "relative_mel_20_mean",
    "relative_mel_21_mean",
    "relative_mel_22_mean",
    "relative_mel_23_mean",
    "relative_mel_24_mean",
    "relative_mel_25_mean",
    "relative_mel_26_mean",
    "relative_mel_27_mean",
    "relative_mel_28_mean",
    "relative_mel_29_mean",
    "relative_mel_30_mean",
    "relative_mel_31_mean",
    "relative_mel_32_mean",
    "relative_mel_33_mean",
    "relative_mel_34_mean",
    "relative_mel_35_mean",
    "relative_mel_36_mean",
    "relative_mel_37_mean",
    "relative_mel_38_mean",
    "relative_mel_39_mean",
    "f0_semitones_mean",
    "f0_semitones_std",
    "f0_semitones_min",
    "f0_semitones_max",
    "f0_semitones_skewness",
    "f0_semitones_kurtosis",
    "f0_semitones_slope",
    "f0_delta_mean",
    "f0_delta_std",
    "f0_delta_abs",
    "f0_rising",
    "f0_rise",
    "f0_fall",
    "f0_curvature",
    "f0_tilt",
    "f0_start",
    "f0_end",
    "f0_segment_std",
    "f0_segment_range_mean",
    "f0_segment_range_max",
    "f0_segment_slope_mean",
    "f0_segment_slope_std",
    "f0_segment_slope_abs",
    "voiced_fraction",
    "voiced_segment_rate",
    "voiced_segment_mean",
    "voiced_segment_std",
    "voiced_segment_max",
    "pause_mean",
    "pause_std",
    "pause_max",
    "clear_f0_semitones_mean",
    "clear_f0_semitones_std",
    "clear_f0_semitones_min",
    "clear_f0_semitones_max",
    "clear_f0_semitones_skewness",
    "clear_f0_semitones_kurtosis",
    "clear_f0_semitones_slope",
    "clear_f0_delta_mean",
    "clear_f0_delta_std",
    "clear_f0_delta_abs",
    "clear_f0_rising",
    "clear_f0_rise",
    "clear_f0_fall",
    "clear_f0_curvature",
    "clear_f0_tilt",
    "clear_f0_start",
    "clear_f0_end",
    "clear_f0_segment_std",
    "clear_f0_segment_range_mean",
    "clear_f0_segment_range_max",
    "clear_f0_segment_slope_mean",
    "clear_f0_segment_slope_std",
    "clear_f0_segment_slope_abs",
    "clear_voiced_fraction",
    "clear_voiced_segment_rate",
    "clear_voiced_segment_mean",
    "clear_voiced_segment_std",
    "clear_voiced_segment_max",
    "clear_pause_mean",
    "clear_pause_std",
    "clear_pause_max",
    "jitter_local",
    "jitter_rap",
    "jitter_ppq5",
    "shimmer_local",
    "shimmer_db",
    "shimmer_apq3",
    "shimmer_apq5",
    "hnr_mean",
    "hnr_std",
    "hnr_min",
    "hnr_max",
    "hnr_skewness",
    "hnr_kurtosis",
    "hnr_slope",
};
#endif

#endif
