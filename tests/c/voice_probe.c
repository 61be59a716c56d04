/* The voice stages as one object, and their helpers, behind plain functions: for tests/voice_harness.py. */
#include "ser_contour.h"
#include "ser_fft.h"
#include "ser_fixed.h"
#include "ser_hnr.h"
#include "ser_intensity.h"
#include "ser_math.h"
#include "ser_moments.h"
#include "ser_pack.h"
#include "ser_peak.h"
#include "ser_pitch.h"
#include "ser_pulses.h"

#include <stddef.h>
#include <string.h>

#define PROBE_LEVELS 2000
#define PROBE_PITCHES (SER_COUNT_PITCH + SER_COUNT_CLEAR)

typedef struct {
    ser_tail tail;
    ser_pitch pitch;
    ser_pulses pulses;
    ser_hnr hnr;
    ser_intensity intensity;
    union { /* of one stage at a time */
        int32_t pitch[SER_PITCH_SCRATCH];
        int32_t pulses[SER_PULSES_SCRATCH];
        struct {
            int32_t spectrum[SER_HNR_SPECTRUM];
            int32_t scratch[SER_HNR_SCRATCH];
        } hnr;
    } scratch;
    float level[PROBE_LEVELS]; /* the first ones */
    int levels;
    int share; /* HNR gets its spectrum from outside */
} probe;

size_t probe_size(void) { return sizeof(probe); }

/* What the stages keep for themselves, working memory included. */
size_t probe_state_bytes(void) { return offsetof(probe, level); }

void probe_reset(probe *p, int share)
{
    ser_tail_reset(&p->tail);
    ser_pitch_reset(&p->pitch);
    ser_pulses_reset(&p->pulses);
    ser_hnr_reset(&p->hnr);
    ser_intensity_reset(&p->intensity);
    p->levels = 0;
    p->share = share;
}

static void hnr_hop(probe *p)
{
    uint64_t energy = 0;
    int i;
    if (!p->share) {
        ser_hnr_hop(&p->hnr, &p->tail, p->scratch.hnr.spectrum, p->scratch.hnr.scratch);
        return;
    }
    for (i = 0; i < SER_FRAME; i++) {
        const int32_t x = p->tail.sample[SER_HNR_BLOCK + i];
        energy += (uint32_t)(x * x);
    }
    i = ser_fft_frame(p->tail.sample + SER_HNR_BLOCK, energy, p->scratch.hnr.spectrum);
    ser_hnr_hop_shared(&p->hnr, &p->tail, p->scratch.hnr.spectrum, i, p->scratch.hnr.scratch);
}

/* Whole hops only; the first call of a stream brings 80 + 160 m samples, later ones 160 m. */
void probe_push(probe *p, const int16_t *x, size_t count)
{
    size_t i = 0, hop = p->tail.hops > 0 ? SER_HOP : SER_CLIP_REMAINDER;
    for (; i + hop <= count; i += hop, hop = SER_HOP) {
        int32_t level;
        ser_tail_push(&p->tail, x + i, (int)hop);
        hnr_hop(p);
        ser_pitch_hop(&p->pitch, &p->tail, p->scratch.pitch);
        ser_pulses_hop(&p->pulses, &p->tail, &p->pitch, p->scratch.pulses);
        if (ser_intensity_hop(&p->intensity, &p->tail, &level) && p->levels < PROBE_LEVELS) {
            p->level[p->levels++] = (float)level / (float)(1 << SER_BITS_INTENSITY_DB);
        }
    }
}

/* The columns of pitch, clear, voice and HNR. */
void probe_columns(probe *p, float *columns)
{
    ser_contours work;
    ser_pitch_columns(&p->pitch, ser_tail_level(&p->tail), &work, columns);
    ser_pulses_columns(&p->pulses, &p->tail, &p->pitch, p->scratch.pulses, columns + PROBE_PITCHES);
    ser_hnr_columns(&p->hnr, ser_tail_level(&p->tail), columns + PROBE_PITCHES + SER_PERTURBATION_COLUMNS);
}

int probe_levels(const probe *p, float *levels)
{
    memcpy(levels, p->level, sizeof(float) * (size_t)p->levels);
    return p->levels;
}

/* F0 in Hz of the frames kept, by the path for the peak so far; 0 = unvoiced. */
int probe_track(probe *p, float *hz)
{
    uint16_t track[SER_PITCH_FRAMES];
    int count, i;
    ser_pitch_path(&p->pitch, p->pitch.base, ser_tail_level(&p->tail));
    count = ser_pitch_track(&p->pitch, p->pitch.base, track, SER_PITCH_FRAMES);
    for (i = 0; i < count; i++) {
        hz[i] = track[i] > 0 ? ser_pitch_frequency(track[i]) * (float)SER_SAMPLE_RATE : 0.0f;
    }
    return count;
}

/* HNR of the frames kept, in dB, and the peaks of a sound up to which each is voiced, in sample steps. */
int probe_hnr(const probe *p, float *ratio, float *limit)
{
    int i;
    for (i = 0; i < p->hnr.frames; i++) {
        ratio[i] = (float)p->hnr.ratio[i] / 256.0f;
        limit[i] = (float)ser_unpack(p->hnr.limit[i]) / 256.0f;
    }
    return p->hnr.frames;
}

/* Pulses marked so far, in samples. */
int probe_pulses(const probe *p, float *places)
{
    int i;
    for (i = 0; i < p->pulses.count; i++) {
        places[i] = (float)(p->pulses.origin + p->pulses.time[i] / SER_TIME_STEPS) +
                    (float)(p->pulses.time[i] % SER_TIME_STEPS) / (float)SER_TIME_STEPS;
    }
    return p->pulses.count;
}

/* The sound as the pulse marking sees it: returns how many of the latest samples. */
int probe_history(const probe *p, float *samples)
{
    const uint32_t hops = p->pulses.history.hops;
    const uint32_t kept = hops < SER_HISTORY_HOPS ? hops : SER_HISTORY_HOPS;
    uint32_t i;
    for (i = 0; i < kept; i++) {
        int32_t read[SER_HOP];
        int j;
        ser_history_read(&p->pulses.history, hops - kept + i, read);
        for (j = 0; j < SER_HOP; j++) {
            samples[SER_HOP * i + (uint32_t)j] = (float)read[j];
        }
    }
    return (int)kept * SER_HOP;
}

void probe_moments(const float *values, const uint32_t *frames, int count, float *columns)
{
    ser_moments m;
    int i;
    ser_moments_reset(&m);
    for (i = 0; i < count; i++) {
        ser_moments_add(&m, values[i], frames[i]);
    }
    ser_moments_columns(&m, columns);
}

/* log_periods: one per frame, as ser_pitch.h stores them, 0 where unvoiced. */
void probe_contour(const uint16_t *log_periods, int count, float *columns)
{
    ser_contour contour;
    int i;
    ser_contour_reset(&contour);
    for (i = 0; i < count; i++) {
        if (log_periods[i] > 0) {
            ser_contour_voiced(&contour, log_periods[i]);
        } else {
            ser_contour_unvoiced(&contour, 1);
        }
    }
    ser_contour_end(&contour);
    ser_contour_columns(&contour, columns);
}

void probe_perturbation(const uint32_t *times, const uint32_t *levels, int count, float *columns)
{
    ser_perturbation p;
    int i;
    ser_perturbation_reset(&p);
    for (i = 0; i < count; i++) {
        ser_perturbation_add(&p, times[i], levels[i]);
    }
    ser_perturbation_columns(&p, columns);
}

/* which: 0 log2, 1 exp2, 2 1 / sqrt x, 3 1 / x. */
void probe_math(int which, const float *x, int count, float *y)
{
    int i;
    for (i = 0; i < count; i++) {
        y[i] = which == 0   ? ser_log2(x[i])
               : which == 1 ? ser_exp2(x[i])
               : which == 2 ? ser_rsqrt(x[i])
                            : ser_recip(x[i]);
    }
}

/* z: 256 complex numbers in natural order, and so is what comes out, over 8. */
void probe_complex256(int32_t *z, int natural_input)
{
    int32_t other[512];
    int i;
    if (natural_input) {
        ser_fft_complex256_to_reversed(z);
        memcpy(other, z, sizeof other);
    }
    for (i = 0; i < 256; i++) {
        const int j = 2 * ser_digit_reversal[i];
        if (natural_input) {
            z[2 * i] = other[j];
            z[2 * i + 1] = other[j + 1];
        } else {
            other[j] = z[2 * i];
            other[j + 1] = z[2 * i + 1];
        }
    }
    if (!natural_input) {
        memcpy(z, other, sizeof other);
        ser_fft_complex256(z);
    }
}

/* The autocorrelation of samples x[640], each at most 2^23 in size: lags[256]. */
void probe_autocorrelation(const int32_t *x, int32_t *lags)
{
    int32_t work[1024];
    int i;
    for (i = 0; i < 256; i++) {
        int32_t *even = work + 2 * ser_digit_reversal[i], *odd = even + 512;
        const int32_t re = x[2 * i], im = x[2 * i + 1];
        const int32_t behind_re = i < 64 ? x[512 + 2 * i] : 0, behind_im = i < 64 ? x[513 + 2 * i] : 0;
        const int32_t *turn = ser_quarter_circle_q31 + 4 * (i & 127);
        const int32_t c = i < 128 ? turn[0] : -turn[1], s = i < 128 ? turn[1] : turn[0];
        const int32_t dr = 2 * (re - behind_re), di = 2 * (im - behind_im);
        even[0] = re + behind_re;
        even[1] = im + behind_im;
        odd[0] = ser_mulh(dr, c) + ser_mulh(di, s);
        odd[1] = ser_mulh(di, c) - ser_mulh(dr, s);
    }
    ser_fft_fours(work);
    ser_fft_fours(work + 512);
    memcpy(lags, ser_fft_autocorrelation(work), 256 * sizeof *lags);
}

/* The maximum of r near lag i: place and height by a parabola, then by the shallow sinc and by the deep one. */
void probe_peaks(const int32_t *r, int i, int32_t *peaks)
{
    const ser_peak rough = ser_peak_parabola(r, i), near = ser_peak_refine(r, rough);
    const ser_peak deep = ser_peak_deep_refine(r, near);
    memcpy(peaks, &rough, sizeof rough);
    memcpy(peaks + 2, &near, sizeof near);
    memcpy(peaks + 4, &deep, sizeof deep);
}

int32_t probe_short_sinc(const int32_t *r, int32_t place, int end) { return ser_peak_short_sinc(r, place, end); }

/* Cross-correlation of numbers x[512] with samples y[512]: lags[512]; returns how much y's spectrum was amplified. */
int probe_cross(const int32_t *x, const int16_t *y, int32_t *lags)
{
    int32_t work[512], bins[SER_FRAME + 2];
    uint64_t energy = 0;
    int i, up;
    for (i = 0; i < 512; i++) {
        energy += (uint32_t)(y[i] * y[i]);
        work[2 * ser_digit_reversal[i / 2] + i % 2] = x[i];
    }
    up = ser_fft_frame(y, energy, bins);
    ser_fft_cross(work, bins, 0);
    for (i = 0; i < 512; i++) {
        const int32_t lag = work[2 * ser_digit_reversal[i / 2] + i % 2];
        lags[i] = i % 2 ? -lag : lag;
    }
    return up;
}

/* The peak of a whole sound that was pushed, in 1/256 sample steps. */
uint32_t probe_level(const probe *p) { return ser_tail_level(&p->tail); }

/* which: 0 log2, 1 exp2, 2 square root, 3 reciprocal, 4 one over a root, each in its own format. */
void probe_fixed(int which, const uint32_t *x, int count, uint32_t *y)
{
    int i;
    for (i = 0; i < count; i++) {
        y[i] = which == 0   ? (uint32_t)ser_log2_q24(x[i])
               : which == 1 ? (uint32_t)ser_exp2_q30(-(int32_t)x[i])
               : which == 2 ? ser_root_q16(x[i])
               : which == 3 ? ser_reciprocal(x[i])
                            : (uint32_t)ser_inverse_root(x[i]);
    }
}
