#include "ser_spectrum.h"

#if SER_NEEDS_FFT

#include "ser_fft_float.h"
#include "ser_math.h"
#include "ser_slots.h"

#include <string.h>

void ser_spectrum_reset(ser_spectrum *spectrum)
{
    memset(spectrum, 0, sizeof *spectrum);
}

void ser_spectrum_transform(const int16_t *frame, float *scratch)
{
    for (int n = 0; n < SER_FRAME / 2; n++) {
        const int at = 2 * ser_digit_reversal[n];
        scratch[at] = (float)frame[2 * n];
        scratch[at + 1] = (float)frame[2 * n + 1];
    }
    ser_fft_float_complex256(scratch);
    ser_fft_float_split512(scratch);
}

/* The power of every bin under a Hann window, in the place of the plain transform: the window is the same as
   half of each bin less a quarter of either neighbour. Beyond the ends lie the mirrored bins. */
static void power_spectrum(float *z)
{
    const float scale = 0.25f / (32768.0f * 32768.0f);
    float before_re = z[2];
    float before_im = -z[3];
    float re = z[0];
    float im = z[1];
    for (int i = 0; i < SER_BINS; i++) {
        const int last = i == SER_BINS - 1;
        const float after_re = last ? before_re : z[2 * i + 2];
        const float after_im = last ? -before_im : z[2 * i + 3];
        const float smooth_re = re - 0.5f * (before_re + after_re);
        const float smooth_im = im - 0.5f * (before_im + after_im);
        before_re = re;
        before_im = im;
        re = after_re;
        im = after_im;
        z[i] = (smooth_re * smooth_re + smooth_im * smooth_im) * scale;
    }
}

#if SER_NEEDS_MEL
static float decibels(float power)
{
    return ser_db(ser_maxf(power, SER_POWER_FLOOR));
}
#endif

#if SER_NEEDS_MAGNITUDE
static float root(float x)
{
    return x * ser_rsqrt_fast(x); /* the reciprocal root of 0 is finite */
}
#endif

#if SER_NEEDS_MEL
/* Returns the mean rise of the levels since the frame before. */
static float mel_levels(ser_spectrum *spectrum, const float *power)
{
    const float *weight = ser_mel_weights;
    float rise = 0.0f;
    for (int band = 0; band < SER_MELS; band++) {
        const float *bin = power + ser_mel_spans[band][0];
        float sum = 0.0f;
        int bins = ser_mel_spans[band][1];
        for (; bins > 1; bins -= 2, weight += 2, bin += 2) {
            sum += weight[0] * bin[0] + weight[1] * bin[1];
        }
        if (bins > 0) {
            sum += *weight++ * *bin;
        }
        const float level = decibels(sum);
        if (level > spectrum->mel[band]) {
            rise += level - spectrum->mel[band];
        }
        spectrum->mel[band] = level;
    }
    return rise * (1.0f / (float)SER_MELS);
}
#endif

#if SER_WITH_SPECTRUM
typedef struct {
    float magnitude, moment; /* sums of magnitude, of magnitude times bin */
    float square;            /* and of magnitude times bin squared */
    float low, high;         /* sums of power below and above SER_LOW_HIGH_SPLIT */
    float floored;           /* sum of power, each at least SER_POWER_FLOOR */
    float log2;              /* sum of their logarithms */
} ser_sums;

/* Magnitudes, and one walk for all sums, so that their additions do not wait for each other. The logarithm of a product of
   SER_LOW_BINS mantissas, below 2^SER_LOW_BINS, stands for those of its factors. */
static ser_sums sum_up(const float *power, float *magnitude)
{
    ser_sums sums = {0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f, 0.0f};
    int32_t exponents = 0;
    for (int start = 0; start < SER_BINS; start += SER_LOW_BINS) {
        const int stop = start + SER_LOW_BINS < SER_BINS ? start + SER_LOW_BINS : SER_BINS;
        float product = 1.0f;
        float part = 0.0f;
        for (int i = start; i < stop; i++) {
            const float p = ser_maxf(power[i], SER_POWER_FLOOR);
            const uint32_t bits = ser_bits(p);
            exponents += (int32_t)(bits >> 23) - 127;
            product *= ser_from_bits((bits & 0x7fffffU) | 0x3f800000U);
            const float m = root(power[i]);
            const float moment = m * (float)i;
            magnitude[i] = m;
            sums.floored += p;
            part += power[i];
            sums.magnitude += m;
            sums.moment += moment;
            sums.square += moment * (float)i;
        }
        sums.log2 += ser_log2(product);
        if (start == 0) {
            sums.low = part;
        } else {
            sums.high += part;
        }
    }
    sums.log2 += (float)exponents;
    return sums;
}

/* Leaves the magnitudes of the bins. */
static void shape(const float *power, float *magnitude, float *values)
{
    const float per_bin = 1.0f / (float)SER_BINS;
    const ser_sums sums = sum_up(power, magnitude);
    const float share = sums.magnitude > 0.0f ? ser_recip(sums.magnitude) : 0.0f;
    const float centroid = sums.moment * share;
    const float spread = sums.square * share - centroid * centroid;
    const float threshold = SER_ROLLOFF * sums.magnitude;
    float sum = magnitude[0];
    int rolloff = 0;
    while (sum < threshold && rolloff < SER_BINS - 1) {
        rolloff++;
        sum += magnitude[rolloff];
    }
    const float bandwidth = root(ser_maxf(spread, 0.0f));
    const float flatness = ser_exp2(sums.log2 * per_bin) * ser_recip(sums.floored * per_bin);
    const float low_high = ser_db(sums.low + SER_POWER_FLOOR) - ser_db(sums.high + SER_POWER_FLOOR);
    ser_put_frame_spectrum(values, centroid * SER_BIN_HZ, bandwidth * SER_BIN_HZ, (float)rolloff * SER_BIN_HZ,
                           flatness, low_high);
}
#endif

#if SER_WITH_CONTRAST
/* Puts a value into a falling list if it belongs there; the list's last drops out. */
static void keep_largest(float *list, int length, float value)
{
    int place = length - 1;
    if (value <= list[place]) {
        return;
    }
    for (; place > 0 && list[place - 1] < value; place--) {
        list[place] = list[place - 1];
    }
    list[place] = value;
}

/* Means of the `averaged` largest and smallest magnitudes of a band, in dB apart. */
static float band_contrast(const float *magnitude, int bins, int averaged)
{
    float largest[SER_CONTRAST_MOST];
    float smallest[SER_CONTRAST_MOST]; /* negated */
    float peak = 0.0f;
    float valley = 0.0f;
    for (int i = 0; i < averaged; i++) {
        largest[i] = -3.0e38f;
        smallest[i] = -3.0e38f;
    }
    if (averaged == 1) { /* all but the last band */
        for (int i = 0; i < bins; i++) {
            largest[0] = ser_maxf(largest[0], magnitude[i]);
            smallest[0] = ser_maxf(smallest[0], -magnitude[i]);
        }
    } else {
        for (int i = 0; i < bins; i++) {
            keep_largest(largest, averaged, magnitude[i]);
            keep_largest(smallest, averaged, -magnitude[i]);
        }
    }
    for (int i = 0; i < averaged; i++) {
        peak += ser_maxf(largest[i], SER_MAGNITUDE_FLOOR);
        valley += ser_maxf(-smallest[i], SER_MAGNITUDE_FLOOR);
    }
    return ser_db(peak) - ser_db(valley); /* the number averaged cancels */
}

static void contrast(const float *magnitude, float *out)
{
    for (int band = 0; band <= SER_CONTRAST_BANDS; band++) {
        out[band] = band_contrast(magnitude + ser_contrast_bands[band][0],
                                  ser_contrast_bands[band][1], ser_contrast_bands[band][2]);
    }
}
#endif

#if SER_WITH_CHROMA
static void chroma(const float *power, float *out)
{
    float sums[2 * SER_CHROMAS] = {0}; /* two turns: a run of chromas need not wrap */
    const float (*weight)[SER_CHROMA_RUN] = ser_chroma_weights;
    for (int run = 0; run < SER_CHROMA_RUNS; run++) {
        float *sum = sums + ser_chroma_runs[run][0];
        const float *bin = power + ser_chroma_runs[run][1];
        float s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3], s4 = sum[4];
        for (int i = ser_chroma_runs[run][2]; i > 0; i--, weight++) {
            const float p = *bin++;
            s0 += p * (*weight)[0];
            s1 += p * (*weight)[1];
            s2 += p * (*weight)[2];
            s3 += p * (*weight)[3];
            s4 += p * (*weight)[4];
        }
        sum[0] = s0;
        sum[1] = s1;
        sum[2] = s2;
        sum[3] = s3;
        sum[4] = s4;
    }
    float largest = 0.0f;
    for (int i = 0; i < SER_CHROMAS; i++) {
        out[i] = sums[i] + sums[SER_CHROMAS + i];
        largest = ser_maxf(largest, out[i]);
    }
    const float scale = largest > 0.0f ? ser_recip(largest) : 0.0f;
    for (int i = 0; i < SER_CHROMAS; i++) {
        out[i] *= scale;
    }
}
#endif

void ser_spectrum_frame(ser_spectrum *spectrum, float *scratch, float *values, float *changes)
{
    float *power = scratch;
    power_spectrum(power);
#if SER_NEEDS_MEL
    const float flux = mel_levels(spectrum, power);
    (void)flux;
#else
    (void)spectrum;
#endif
#if SER_WITH_SPECTRUM
    ser_put_change_spectrum(changes, flux);
#endif
#if SER_WITH_MEL || SER_WITH_RELATIVE
    memcpy(ser_at_frame_mel(values), spectrum->mel, sizeof spectrum->mel);
#endif
#if SER_WITH_CHROMA
    chroma(power, ser_at_frame_chroma(values));
#endif
#if SER_NEEDS_MAGNITUDE
    float *magnitude = scratch + SER_BINS;
#if SER_WITH_SPECTRUM
    shape(power, magnitude, values);
#else
    for (int i = 0; i < SER_BINS; i++) {
        magnitude[i] = root(power[i]);
    }
#endif
#endif
#if SER_WITH_CONTRAST
    contrast(magnitude, ser_at_frame_contrast(values));
#endif
    (void)values;
    (void)changes;
}

#endif
