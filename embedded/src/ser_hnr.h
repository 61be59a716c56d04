/*
 * Harmonics-to-noise ratio (Boersma 1993) as Praat's To Harmonicity (cc) with SER_PITCH_FLOOR, silence
 * threshold SER_HNR_SILENCE, one period per window: the highest forward cross-correlation r of a stretch of one
 * longest period with those up to one later; HNR = 10 log10(r / (1 - r)).
 *
 *   ser_hnr hnr;
 *   ser_hnr_reset(&hnr);
 *   after every ser_tail_push:  ser_hnr_hop(&hnr, &tail, spectrum, scratch);
 *   at the end, or any time:    ser_hnr_columns(&hnr, ser_tail_level(&tail), columns);
 *
 * HNR frame k comes with hop k + SER_HNR_LATENCY, centred on sample SER_HNR_CENTRE of the tail. Which frames
 * are voiced depends on the loudest sample, so each of the latest SER_HNR_FRAMES keeps the peak up to which it
 * is; when they are used up, the oldest SER_HNR_COMMIT are settled with the peak so far.
 *
 * Cost: two 512-point real transforms and an inverse one; none for frames too quiet to be voiced.
 *
 * Format, stage by stage; all of it integers, up to the columns.
 *   frame        samples less the local mean, times 2^s, as much as 16 bits and a sign hold: the mean is rounded to that
 *   correlation  ser_fft_cross: error 6e-8 rms of the product of the stretch's and the spectral frame's root of energy
 *   powers       exact, 64 bits; one over their roots to 3e-8
 *   r            Q2.29, at most 1 in size: 1e-7 where the frame is not louder elsewhere, twice that at most in speech
 *   maximum      ser_peak.h, Q4.27: 3e-8, 1e-7 within SER_SINC_DEEP samples of the longest lag
 *   ratio        dB in 1/256, rounded: of a voice of 30 dB an error of 1e-7 in r is 4e-4 dB, of one of 40 dB 4e-3;
 *                above 72 dB it is 72
 *   limit        1/256 sample steps, stored as ser_pack.h
 *   sums         exact for 49 days of voiced frames (ser_bank.h)
 */
#ifndef SER_HNR_H
#define SER_HNR_H

#include "ser_bank.h"
#include "ser_tail.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SER_HNR_FRAMES 800
#define SER_HNR_COMMIT 100
#define SER_HNR_SCRATCH SER_FRAME        /* int32_t */
#define SER_HNR_SPECTRUM (SER_FRAME + 2) /* numbers of a plain transform */

typedef struct {
    uint16_t limit[SER_HNR_FRAMES]; /* voiced while the sound's peak stays below; packed as in ser_pack.h */
    int16_t ratio[SER_HNR_FRAMES];  /* dB, steps of 1/256 */
    uint32_t base;                  /* number of the oldest frame kept */
    uint16_t frames;                /* kept */
    ser_series settled;             /* of the voiced frames before base */
} ser_hnr;

void ser_hnr_reset(ser_hnr *hnr);

/* Analyses the frame that the latest hop completes. Returns 1 if there was one. spectrum[SER_HNR_SPECTRUM], scratch[SER_HNR_SCRATCH]:
 * working memory. */
int ser_hnr_hop(ser_hnr *hnr, const ser_tail *tail, int32_t *spectrum, int32_t *scratch);

/* The same, where the spectrum of samples tail->sample[SER_HNR_BLOCK ... + SER_FRAME) is at hand: bins
 * 0 ... SER_FRAME / 2 of a plain transform, no window, times 2^(6 + up), as ser_fft_frame leaves them. A third cheaper. */
int ser_hnr_hop_shared(ser_hnr *hnr, const ser_tail *tail, const int32_t *spectrum, int up, int32_t *scratch);

/* dB over the voiced frames of a sound of this peak: mean, std, min, max, skewness, kurtosis, slope per second. */
void ser_hnr_columns(const ser_hnr *hnr, uint32_t level, float columns[SER_COUNT_HNR]);

#ifdef __cplusplus
}
#endif

#endif
