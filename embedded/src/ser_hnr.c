#include "ser_hnr.h"

#include "ser_fft.h"
#include "ser_fft_float.h"
#include "ser_math.h"
#include "ser_pack.h"
#include "ser_peak_float.h"

#include <string.h>

#define SILENCE SER_HNR_SILENCE
#define LONGEST SER_PITCH_LONGEST
#define SPAN SER_HNR_SPAN
#define LAGS (SPAN + SER_SINC_DEEP) /* those beyond SPAN count as 0 */
#define CENTRE SER_HNR_CENTRE
#define FIRST SER_HNR_FIRST
#define BLOCK SER_HNR_BLOCK
#if FIRST < BLOCK || (FIRST - BLOCK) % 2 != 0 || FIRST - BLOCK + 2 * SPAN > SER_FRAME
#error "SER_PITCH_FLOOR: what ser_hnr.c compares does not lie in the latest spectral frame"
#endif
#if SER_COUNT_HNR != SER_MOMENTS_COLUMNS
#error "the schema's hnr group has other columns than are written here"
#endif
#define LIMIT_MAX 1e6f

void ser_hnr_reset(ser_hnr *hnr) { memset(hnr, 0, sizeof *hnr); }

/* Samples 2n, 2n + 1, less offset, as complex numbers n in digit-reversed order; 0 outside from ... to. */
static void load(float *z, const int16_t *samples, float offset, int from, int to)
{
    const uint8_t *place = ser_digit_reversal;
    int n;
    for (n = 0; n < from; n++) {
        float *p = z + 2 * *place++;
        p[0] = p[1] = 0.0f;
    }
    for (samples += 2 * n; n < to; n++, samples += 2) {
        float *p = z + 2 * *place++;
        p[0] = (float)samples[0] - offset;
        p[1] = (float)samples[1] - offset;
    }
    for (; n < SER_FRAME / 2; n++) {
        float *p = z + 2 * *place++;
        p[0] = p[1] = 0.0f;
    }
}

/*
 * From packed transform a (of x[2n] + i x[2n+1]) and bins b[0..256], integers in these units: the conjugate of the packed transform
 * of the cross-correlation, conj(A) B, times 2, over a.
 */
static void multiply(float *a, const int32_t *b, float unit)
{
    const float *w = ser_quarter_circle + 4;
    const int32_t *q = b + 510;
    float *p = a + 510;
    float low, high;
    low = 2.0f * (a[0] + a[1]) * ((float)b[0] * unit);
    high = 2.0f * (a[0] - a[1]) * ((float)b[512] * unit);
    a[0] = low + high;
    a[1] = high - low;
    { /* bin 128: A = conj a, product a B */
        const float br = (float)b[256] * unit, bi = (float)b[257] * unit;
        const float re = a[256] * br - a[257] * bi;
        const float im = a[256] * bi + a[257] * br;
        a[256] = 4.0f * re;
        a[257] = 4.0f * im;
    }
    for (a += 2, b += 2; a < p; a += 2, b += 2, p -= 2, q -= 2, w += 4) {
        /* A[k] and A[256-k], each times 2 */
        const float er = a[0] + p[0], ei = a[1] - p[1];
        const float dr = a[1] + p[1], di = p[0] - a[0];
        const float wr = dr * w[0] + di * w[1], wi = di * w[0] - dr * w[1];
        const float kr = er + wr, ki = ei + wi, mr = er - wr, mi = wi - ei;
        /* C = conj(A) B */
        const float br = (float)b[0] * unit, bi = (float)b[1] * unit;
        const float qr = (float)q[0] * unit, qi = (float)q[1] * unit;
        const float cr = kr * br + ki * bi, ci = kr * bi - ki * br;
        const float hr = mr * qr + mi * qi, hi = mr * qi - mi * qr;
        /* Z[k] = C[k] + conj C[256-k] + i e^{i t} (C[k] - conj C[256-k]); conjugates are stored */
        const float sr = cr + hr, si = ci - hi;
        const float tr = cr - hr, ti = ci + hi;
        const float ur = -(tr * w[1] + ti * w[0]), ui = tr * w[0] - ti * w[1];
        a[0] = sr + ur;
        a[1] = -(si + ui);
        p[0] = sr - ur;
        p[1] = si - ui;
    }
}

SER_INLINE float coefficient(float product, float per_root, float power)
{
    return power > 0.5f ? product * per_root * ser_rsqrt(power) : 0.0f;
}

/*
 * Cross-correlation coefficients r[0..SPAN] around mean, and zeros up to LAGS for the interpolation.
 * spectrum: of the SER_FRAME samples from BLOCK on, in these units. work[SER_FRAME].
 */
static void correlate(const int16_t *samples, float mean, const int32_t *spectrum, float unit, float *work, float *r)
{
    const float scale = 1.0f / (float)(2 * SER_FRAME);
    const int16_t *x = samples + FIRST;
    float sum = 0.0f, power = 0.0f, first, shift;
    int i;
    load(work, samples + BLOCK, mean, (FIRST - BLOCK) / 2, (FIRST - BLOCK + SPAN) / 2);
    ser_fft_float_complex256(work);
    multiply(work, spectrum, unit);
    ser_fft_float_complex256_to_reversed(work);

    /* The power under a lag: of what is left of the span, and of what has come in behind it. Only sums of
     * squares: nothing cancels, however the level changes. */
    r[SPAN] = 0.0f;
    for (i = SPAN - 1; i >= 0; i--) {
        const float y = (float)x[i] - mean;
        sum += y;
        power += y * y;
        r[i] = power;
    }
    first = power > 0.5f ? ser_rsqrt(power) : 0.0f;
    shift = mean * sum; /* the spectrum is of samples whose mean was left on */
    power = 0.0f;
    for (i = 0; i < SPAN; i += 2) {
        const float *product = work + 2 * ser_digit_reversal[i / 2];
        const float y = (float)x[SPAN + i] - mean, z = (float)x[SPAN + i + 1] - mean;
        r[i] = coefficient(product[0] * scale - shift, first, r[i] + power);
        power += y * y;
        r[i + 1] = coefficient(-product[1] * scale - shift, first, r[i + 1] + power);
        power += z * z;
    }
    r[SPAN] = coefficient(work[2 * ser_digit_reversal[SPAN / 2]] * scale - shift, first, power);
    for (i = SPAN + 1; i <= LAGS; i++) {
        r[i] = 0.0f;
    }
}

/*
 * The maximum near lag i. Near lag 0 the interpolation sees the coefficients mirrored; near SPAN, behind
 * which there are none, it reaches only as far as there are.
 */
static ser_peak_float refine(const float *r, int i)
{
    const ser_peak_float rough = ser_peak_float_parabola(r, i);
    ser_peak_float peak = rough;
    int room = SPAN - (int)peak.place;
    if (room <= 1) {
        peak.place = (float)(SPAN - 1);
        peak.height = r[SPAN - 1];
        return peak;
    }
    if (i <= SER_SINC_DEPTH) {
        float near[4 * SER_SINC_DEPTH];
        int k;
        for (k = 0; k < 4 * SER_SINC_DEPTH; k++) {
            near[k] = r[k < SER_SINC_DEPTH ? SER_SINC_DEPTH - k : k - SER_SINC_DEPTH];
        }
        peak.place += (float)SER_SINC_DEPTH;
        for (k = 0; k < 4; k++) { /* a wave of two or three samples is no parabola */
            peak = ser_peak_float_refine(near, peak);
        }
        peak.place -= (float)SER_SINC_DEPTH;
    } else if (room > SER_SINC_DEPTH) {
        peak = ser_peak_float_refine(r, peak);
    } else {
        peak = ser_peak_float_short_refine(r, peak, SPAN, 0.25f);
        peak = ser_peak_float_short_refine(r, peak, SPAN, 0.1f);
    }
    if (ser_absf(peak.place - (float)i) > 1.0f) {
        return rough;
    }
    room = SPAN - (int)peak.place;
    peak.height = room > SER_SINC_DEEP ? ser_peak_float_deep_sinc(r, peak.place)
                                       : ser_peak_float_short_sinc(r, peak.place, SPAN);
    return peak;
}

/* The highest maximum at a lag below SPAN and a frequency below half the sampling rate; 0 if there is
 * none. Worth interpolating is what comes near the highest sample: nearer where r varies slowly. */
static float highest(const float *r)
{
    float rough = 0.0f, best = 0.0f;
    int i;
    for (i = 2; i < SPAN; i++) {
        if (r[i] > rough && r[i] > r[i - 1] && r[i] >= r[i + 1]) {
            rough = r[i];
        }
    }
    for (i = 2; i < SPAN; i++) {
        if (r[i] > r[i - 1] && r[i] >= r[i + 1]) {
            const float enough = i < 12 ? 0.5f * rough : rough - 0.05f;
            if (i < 6 || (r[i] > enough - 0.15f && ser_peak_float_parabola(r, i).height > enough)) {
                const ser_peak_float peak = refine(r, i);
                if (peak.place >= 2.0f) {
                    best = ser_maxf(best, peak.height > 1.0f ? ser_recip(peak.height) : peak.height);
                }
            }
        }
    }
    return best;
}

/* Settles the oldest frames, or adds the kept ones to the sums. */
static void add_frames(const ser_hnr *hnr, unsigned count, float peak, ser_moments *sums)
{
    unsigned i;
    for (i = 0; i < count; i++) {
        if ((float)ser_unpack(hnr->limit[i]) * (1.0f / 256.0f) >= peak && hnr->limit[i] > 0) {
            ser_moments_add(sums, (float)hnr->ratio[i] * (1.0f / 256.0f), hnr->base + i);
        }
    }
}

static uint64_t energy_of(const int16_t *frame)
{
    uint64_t energy = 0;
    for (int i = 0; i < SER_FRAME; i++) {
        energy += (uint32_t)(frame[i] * frame[i]);
    }
    return energy;
}

/* ready: the spectrum's numbers, or NULL: it is to be made in own. */
static int hop(ser_hnr *hnr, const ser_tail *tail, const int32_t *ready, int up, int32_t *own, float *scratch)
{
    float r[LAGS + 1];
    const float peak = ser_tail_peak(tail);
    float mean, local, limit = 0.0f, ratio = 0.0f;
    int32_t low, high;
    int i;
    if (tail->hops <= SER_HNR_LATENCY) {
        return 0;
    }
    mean = (float)ser_tail_sum(tail->sample + CENTRE - LONGEST, 2 * LONGEST) * (1.0f / (float)(2 * LONGEST));
    low = high = tail->sample[CENTRE];
    for (i = CENTRE - SPAN / 2; i < CENTRE + SPAN / 2; i++) {
        low = tail->sample[i] < low ? tail->sample[i] : low;
        high = tail->sample[i] > high ? tail->sample[i] : high;
    }
    local = ser_maxf((float)high - mean, mean - (float)low);
    /* Voiced if r > 2 - local / (SILENCE peak): not even r = 1 will do in a quiet frame. */
    if (local > SILENCE * 0.999f * peak && local > 0.0f) {
        float best;
        if (ready == NULL) {
            up = ser_fft_frame(tail->sample + BLOCK, energy_of(tail->sample + BLOCK), own);
            ready = own;
        }
        correlate(tail->sample, mean, ready, ser_from_bits((uint32_t)(127 - 6 - up) << 23), scratch, r);
        best = highest(r);
        if (best > 0.0f) {
            const float rest = ser_maxf(1.0f - best, 6e-8f);
            limit = ser_minf(local * (1.0f / SILENCE) * ser_recip(2.0f - best), LIMIT_MAX);
            ratio = ser_db(best * ser_recip(rest));
        }
    }
    if (hnr->frames == SER_HNR_FRAMES) {
        add_frames(hnr, SER_HNR_COMMIT, peak, &hnr->settled);
        hnr->frames = SER_HNR_FRAMES - SER_HNR_COMMIT;
        hnr->base += SER_HNR_COMMIT;
        memmove(hnr->limit, hnr->limit + SER_HNR_COMMIT, sizeof(uint16_t) * hnr->frames);
        memmove(hnr->ratio, hnr->ratio + SER_HNR_COMMIT, sizeof(int16_t) * hnr->frames);
    }
    hnr->limit[hnr->frames] = ser_pack((uint32_t)(limit * 256.0f + 0.5f));
    hnr->ratio[hnr->frames] = (int16_t)ser_round(ratio * 256.0f);
    hnr->frames++;
    return 1;
}

int ser_hnr_hop_shared(ser_hnr *hnr, const ser_tail *tail, const int32_t *spectrum, int up, float *scratch)
{
    return hop(hnr, tail, spectrum, up, NULL, scratch);
}

int ser_hnr_hop(ser_hnr *hnr, const ser_tail *tail, int32_t *spectrum, float *scratch)
{
    return hop(hnr, tail, NULL, 0, spectrum, scratch);
}

void ser_hnr_columns(const ser_hnr *hnr, float peak, float columns[SER_MOMENTS_COLUMNS])
{
    ser_moments sums = hnr->settled;
    add_frames(hnr, hnr->frames, peak, &sums);
    ser_moments_columns(&sums, columns);
}
