#include "ser_bank.h"

#include "ser_math.h"

#include <math.h>
#include <string.h>

#if SER_COUNT_CORRELATION != SER_PAIRS
#error "the schema's correlation group has other columns than are written here"
#endif
#if SER_COUNT_RELATIVE != SER_MELS
#error "the schema's relative group has other columns than are written here"
#endif

typedef struct {
    uint16_t full, fulls, spread, spreads; /* first and how many of each kind */
    const ser_descriptor *descriptors;
} ser_layout;

#define FULLS(NAME, name) SER_##NAME##_FULLS,
#define VALUES(NAME, name) SER_##NAME##_VALUES,
#define DESCRIPTORS(NAME, name) ser_##name##_descriptors,

static ser_layout layout_of(ser_part part)
{
    static const uint16_t fulls[SER_PARTS] = {SER_EACH_PART(FULLS)};
    static const uint16_t values[SER_PARTS] = {SER_EACH_PART(VALUES)};
    static const ser_descriptor *const descriptors[SER_PARTS] = {SER_EACH_PART(DESCRIPTORS)};
    ser_layout layout = {0, fulls[part], 0, (uint16_t)(values[part] - fulls[part]),
                         descriptors[part]};
    for (int before = 0; before < (int)part; before++) {
        layout.full = (uint16_t)(layout.full + fulls[before]);
        layout.spread = (uint16_t)(layout.spread + values[before] - fulls[before]);
    }
    return layout;
}

void ser_bank_clear(ser_bank *bank)
{
    memset(bank, 0, sizeof *bank);
}

#if SER_WITH_CORRELATION
/* Adds weight times the product of each pair of distances. */
static void add_products(float *products, const float *distances, float weight)
{
    for (int a = 0; a < SER_CORRELATED_MFCCS; a++) {
        const float weighted = distances[a] * weight;
        for (int b = a + 1; b < SER_CORRELATED_MFCCS; b++) {
            *products++ += weighted * distances[b];
        }
    }
}

/* Counts the MFCCs of one part's values: asked before their means move. n: frames with this one. */
static void add_pairs(ser_bank *bank, const float *values, float n, float share)
{
    const ser_full_sums *full = bank->full + SER_FRAME_MFCC_01;
    float distances[SER_CORRELATED_MFCCS];
    for (int i = 0; i < SER_CORRELATED_MFCCS; i++) {
        distances[i] = values[SER_FRAME_MFCC_01 + i] - full[i].mean;
    }
    add_products(bank->products, distances, (n - 1.0f) * share);
}

/* The same for another bank. weight: na nb / n. */
static void merge_pairs(ser_bank *bank, const ser_bank *other, float weight)
{
    float distances[SER_CORRELATED_MFCCS];
    for (int i = 0; i < SER_CORRELATED_MFCCS; i++) {
        const int at = SER_FRAME_MFCC_01 + i;
        distances[i] = other->full[at].mean - bank->full[at].mean;
    }
    for (int i = 0; i < SER_PAIRS; i++) {
        bank->products[i] += other->products[i];
    }
    add_products(bank->products, distances, weight);
}
#endif

void ser_bank_add(ser_bank *bank, ser_part part, uint32_t frame, const float *values)
{
    const ser_layout layout = layout_of(part);
    ser_clock *clock = &bank->clocks[part];
    const int first = clock->frames < 0.5f;
    clock->frames += 1.0f;
    const float n = clock->frames;
    const float share = ser_recip(n);
    const float late = (float)frame - clock->mean;
    clock->mean += late * share;
    const float time = (float)frame - clock->mean;
    clock->squares += late * time;

#if SER_WITH_CORRELATION
    if (part == SER_PART_FRAME) {
        add_pairs(bank, values, n, share);
    }
#endif
    ser_full_sums *full = bank->full + layout.full;
    for (int i = 0; i < layout.fulls; i++, full++) {
        const float value = values[i];
        const float distance = value - full->mean;
        const float step = distance * share;
        const float step2 = step * step;
        const float term = distance * step * (n - 1.0f);
        full->mean += step;
        full->fourths += term * step2 * (n * n - 3.0f * n + 3.0f) + 6.0f * step2 * full->squares -
                         4.0f * step * full->cubes;
        full->cubes += term * step * (n - 2.0f) - 3.0f * step * full->squares;
        full->squares += term;
        full->time += distance * time;
        if (first || value < full->low) {
            full->low = value;
        }
        if (first || value > full->high) {
            full->high = value;
        }
    }
    const float *rest = values + layout.fulls;
    ser_spread_sums *spread = bank->spread + layout.spread;
    for (int i = 0; i < layout.spreads; i++, spread++) {
        const float distance = rest[i] - spread->mean;
        spread->mean += distance * share;
        spread->squares += distance * (rest[i] - spread->mean);
    }
}

static void merge_part(ser_bank *bank, const ser_bank *other, ser_part part)
{
    const ser_layout layout = layout_of(part);
    ser_clock *clock = &bank->clocks[part];
    const ser_clock *clock_b = &other->clocks[part];
    ser_full_sums *full = bank->full + layout.full;
    const ser_full_sums *full_b = other->full + layout.full;
    ser_spread_sums *spread = bank->spread + layout.spread;
    const ser_spread_sums *spread_b = other->spread + layout.spread;
    if (clock_b->frames < 0.5f) {
        return;
    }
    if (clock->frames < 0.5f) {
        *clock = *clock_b;
        memcpy(full, full_b, layout.fulls * sizeof *full);
        memcpy(spread, spread_b, layout.spreads * sizeof *spread);
#if SER_WITH_CORRELATION
        if (part == SER_PART_FRAME) {
            memcpy(bank->products, other->products, sizeof bank->products);
        }
#endif
        return;
    }
    const float n = clock->frames + clock_b->frames;
    const float per_n = ser_recip(n);
    const float share_a = clock->frames * per_n;
    const float share_b = clock_b->frames * per_n;
    const float weight = clock->frames * share_b; /* na nb / n */
    const float late = clock_b->mean - clock->mean;
    clock->frames = n;
    clock->mean += late * share_b;
    clock->squares += clock_b->squares + late * late * weight;
#if SER_WITH_CORRELATION
    if (part == SER_PART_FRAME) {
        merge_pairs(bank, other, weight);
    }
#endif

    for (int i = 0; i < layout.fulls; i++, full++, full_b++) {
        const float d = full_b->mean - full->mean;
        const float d2 = d * d;
        full->fourths +=
            full_b->fourths +
            d2 * d2 * weight * (share_a * share_a - share_a * share_b + share_b * share_b) +
            6.0f * d2 * (share_a * share_a * full_b->squares + share_b * share_b * full->squares) +
            4.0f * d * (share_a * full_b->cubes - share_b * full->cubes);
        full->cubes += full_b->cubes + d2 * d * weight * (share_a - share_b) +
                       3.0f * d * (share_a * full_b->squares - share_b * full->squares);
        full->squares += full_b->squares + d2 * weight;
        full->time += full_b->time + d * late * weight;
        full->mean += d * share_b;
        if (full_b->low < full->low) {
            full->low = full_b->low;
        }
        if (full_b->high > full->high) {
            full->high = full_b->high;
        }
    }
    for (int i = 0; i < layout.spreads; i++, spread++, spread_b++) {
        const float d = spread_b->mean - spread->mean;
        spread->squares += spread_b->squares + d * d * weight;
        spread->mean += d * share_b;
    }
}

void ser_bank_merge(ser_bank *bank, const ser_bank *other)
{
    for (int part = 0; part < (int)SER_PARTS; part++) {
        merge_part(bank, other, (ser_part)part);
    }
}

/* Whether values spread enough for their shape to be more than rounding; see features/functionals.py. */
static int has_shape(float mean, float variance)
{
    return variance > SER_FLAT * mean * mean + SER_TINY;
}

/* What all descriptors of a part share: one over the number of frames, and seconds' worth of frames over the
   sum of squared times, 0 if there is no slope. */
typedef struct {
    float per_frame, per_time;
} ser_shares;

static ser_shares shares_of(const ser_clock *clock)
{
    const float frames_per_second = (float)SER_SAMPLE_RATE / (float)SER_HOP;
    const ser_shares shares = {
        ser_recip(clock->frames),
        clock->squares > 0.0f ? frames_per_second * ser_recip(clock->squares) : 0.0f};
    return shares;
}

/* The functionals of one descriptor, in the order of their bits; see features/functionals.py. */
static void functionals(const ser_full_sums *sums, ser_shares shares, float *out)
{
    const float variance = sums->squares * shares.per_frame;
    out[0] = sums->mean;
    out[1] = sqrtf(variance);
    out[2] = sums->low;
    out[3] = sums->high;
    out[4] = out[5] = SER_UNDEFINED;
    out[6] = shares.per_time > 0.0f ? sums->time * shares.per_time : SER_UNDEFINED;
    if (has_shape(sums->mean, variance)) {
        /* one factor at a time: a power of the variance might underflow */
        const float per_deviation = ser_rsqrt(variance);
        const float per_square = ser_recip(sums->squares);
        out[4] = sums->cubes * per_square * per_deviation;
        out[5] = sums->fourths * per_square * per_deviation * per_deviation - 3.0f;
    }
}

#if SER_WITH_CORRELATION
/* Pearson's r of each pair. */
static void correlations(const ser_bank *bank, float *out)
{
    const float frames = bank->clocks[SER_PART_FRAME].frames;
    const float per_frame = frames > 0.5f ? ser_recip(frames) : 0.0f;
    const float *product = bank->products;
    float scales[SER_CORRELATED_MFCCS]; /* one over the root of the sum of squares; 0 where flat */
    for (int i = 0; i < SER_CORRELATED_MFCCS; i++) {
        const ser_full_sums *sums = bank->full + SER_FRAME_MFCC_01 + i;
        scales[i] = 0.0f;
        if (has_shape(sums->mean, sums->squares * per_frame)) {
            scales[i] = ser_rsqrt(sums->squares);
        }
    }
    for (int a = 0; a < SER_CORRELATED_MFCCS; a++) {
        for (int b = a + 1; b < SER_CORRELATED_MFCCS; b++) {
            const float r = *product++ * scales[a] * scales[b];
            *out++ = scales[a] > 0.0f && scales[b] > 0.0f ? r : SER_UNDEFINED;
        }
    }
}
#endif

static const float undefined[7] = {SER_UNDEFINED, SER_UNDEFINED, SER_UNDEFINED, SER_UNDEFINED,
                                   SER_UNDEFINED, SER_UNDEFINED, SER_UNDEFINED};

static void write_columns(const ser_descriptor *descriptor, const float *all, float *features)
{
    float *column = features + descriptor->column;
    for (unsigned i = 0; i < 7U; i++) {
        if (((unsigned)descriptor->functionals >> i) & 1U) {
            *column++ = all[i];
        }
    }
}

#if SER_WITH_RELATIVE
/* Each mel band's mean level less the mean of all of them. */
static void relative_levels(const ser_bank *bank, float *out)
{
    const ser_spread_sums *mel = bank->spread + (SER_FRAME_MEL_00 - SER_FRAME_FULLS);
    float sum = 0.0f;
    for (int i = 0; i < SER_MELS; i++) {
        sum += mel[i].mean;
    }
    const float mean = sum * (1.0f / (float)SER_MELS);
    for (int i = 0; i < SER_MELS; i++) {
        out[i] = mel[i].mean - mean;
    }
}
#endif

void ser_bank_columns(const ser_bank *bank, float *features)
{
    float all[7] = {0};
    for (int part = 0; part < (int)SER_PARTS; part++) {
        const ser_layout layout = layout_of((ser_part)part);
        const ser_clock *clock = &bank->clocks[part];
        const ser_descriptor *descriptor = layout.descriptors;
        if (clock->frames < 0.5f) {
            for (int i = 0; i < layout.fulls + layout.spreads; i++) {
                write_columns(descriptor + i, undefined, features);
            }
            continue;
        }
        const ser_shares shares = shares_of(clock);
        for (int i = 0; i < layout.fulls; i++) {
            functionals(bank->full + layout.full + i, shares, all);
            write_columns(descriptor + i, all, features);
        }
        descriptor += layout.fulls;
        for (int i = 0; i < layout.spreads; i++) {
            const ser_spread_sums *sums = bank->spread + layout.spread + i;
            all[0] = sums->mean;
            all[1] = sqrtf(sums->squares * shares.per_frame);
            write_columns(descriptor + i, all, features);
        }
    }
#if SER_WITH_CORRELATION
    correlations(bank, features + SER_FIRST_CORRELATION);
#endif
#if SER_WITH_RELATIVE
    relative_levels(bank, features + SER_FIRST_RELATIVE);
#endif
}
