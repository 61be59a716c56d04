#include "ser_perturbation.h"

#include "ser_fixed.h"

#include <string.h>

#if SER_COUNT_VOICE != SER_PERTURBATION_COLUMNS
#error "the schema's voice group has other columns than are written here"
#endif

#define DECIBELS_PER_STEP (6.0205999f / (float)SER_LEVEL_STEPS)

void ser_perturbation_reset(ser_perturbation *p) { memset(p, 0, sizeof *p); }

/* Longer by at most SER_PERIOD_FACTOR. */
static int is_similar(uint32_t a, uint32_t b)
{
    return a > b ? SER_PERIOD_RATIO_BELOW * a <= SER_PERIOD_RATIO_ABOVE * b
                 : SER_PERIOD_RATIO_BELOW * b <= SER_PERIOD_RATIO_ABOVE * a;
}

static uint32_t distance(uint32_t a, uint32_t b) { return a > b ? a - b : b - a; }

/* The same of sums of amplitudes. */
static uint64_t distance_64(uint64_t a, uint64_t b) { return a > b ? a - b : b - a; }

/* 2^(level / SER_LEVEL_STEPS), Q16.16; levels are below 16 octaves. */
static uint32_t amplitude_of(uint32_t level)
{
    const uint32_t octave = level / SER_LEVEL_STEPS;
    const int32_t below = (int32_t)(level % SER_LEVEL_STEPS) - SER_LEVEL_STEPS; /* the next octave */
    const uint32_t mantissa = (uint32_t)ser_exp2_q30(below * ((1 << 24) / SER_LEVEL_STEPS)); /* of 2^(level - octave + 29) */
    return octave > 13 ? mantissa << (octave - 13) : octave == 13 ? mantissa : (mantissa + (1U << (12 - octave))) >> (13 - octave);
}

int ser_perturbation_is_period(uint32_t difference)
{
    return difference >= SER_PERIOD_STEPS_MIN && difference <= SER_PERIOD_STEPS_MAX;
}

static void count_period(ser_perturbation *p, uint32_t period)
{
    p->period_sum += period;
    p->period_count++;
}

/* The period before last is due for the mean: valid, and like a neighbour or without one. */
static void settle_period(ser_perturbation *p)
{
    const int first = p->periods == 2;
    if ((p->regular[1] & 1) && (first || (p->regular[1] & 2) || (p->regular[0] & 2))) {
        count_period(p, p->period[1]);
    }
}

static void add_period(ser_perturbation *p, uint32_t period)
{
    const int valid = ser_perturbation_is_period(period);
    const int alike = p->periods > 0 && valid && (p->regular[0] & 1) && is_similar(period, p->period[0]);
    const uint32_t *t = p->period;
    memmove(p->period + 1, p->period, 4 * sizeof p->period[0]);
    memmove(p->regular + 1, p->regular, 4);
    p->period[0] = period;
    p->regular[0] = (uint8_t)(valid | alike << 1);
    p->periods++;
    if (p->periods > 1) {
        settle_period(p);
    }
    if (alike) {
        p->local_sum += distance(t[0], t[1]);
        p->local_count++;
        if (p->regular[1] & 2) {
            p->rap_sum += distance(2 * t[1], t[0] + t[2]);
            p->rap_count++;
            if ((p->regular[2] & 2) && (p->regular[3] & 2)) {
                p->ppq_sum += distance(4 * t[2], t[0] + t[1] + t[3] + t[4]);
                p->ppq_count++;
            }
        }
    }
}

/* The pulse between the two latest periods has this amplitude. */
static void add_amplitude(ser_perturbation *p, uint32_t time, uint32_t level)
{
    const uint32_t *a = p->peak;
    const uint32_t step = time - p->peak_time;
    const int alike = p->peaks > 0 && ser_perturbation_is_period(step) &&
                      distance(level, p->peak_level[0]) <= SER_AMPLITUDE_STEPS;
    if (p->peaks > 0) {
        p->amplitude_sum += p->peak[0];
    }
    memmove(p->peak_level + 1, p->peak_level, 4 * sizeof p->peak_level[0]);
    memmove(p->peak + 1, p->peak, 4 * sizeof p->peak[0]);
    memmove(p->similar + 1, p->similar, 4);
    p->peak_level[0] = level;
    p->peak[0] = amplitude_of(level);
    p->similar[0] = (uint8_t)alike;
    p->peak_time = time;
    p->peaks++;
    if (alike) {
        p->shimmer_sum += distance(a[0], a[1]);
        p->level_sum += distance(level, p->peak_level[1]);
        p->shimmer_count++;
        if (p->similar[1]) {
            p->apq3_sum += distance_64(2 * (uint64_t)a[1], (uint64_t)a[0] + a[2]);
            p->apq3_count++;
            if (p->similar[2] && p->similar[3]) {
                p->apq5_sum += distance_64(4 * (uint64_t)a[2], (uint64_t)a[0] + a[1] + a[3] + a[4]);
                p->apq5_count++;
            }
        }
    }
}

void ser_perturbation_add(ser_perturbation *p, uint32_t time, uint32_t level)
{
    if (p->pulses > 0) {
        add_period(p, time - p->time);
        if (p->periods > 1 && (p->regular[0] & 2) && p->level > 0) {
            add_amplitude(p, p->time, p->level);
        }
    }
    p->time = time;
    p->level = level;
    p->pulses++;
}

static float ratio(float sum, float count, float mean)
{
    return count > 0.0f && mean > 0.0f ? sum / (count * mean) : SER_UNDEFINED;
}

#define COLUMN(NAME) columns[SER_COLUMN_##NAME - SER_FIRST_VOICE]

void ser_perturbation_columns(const ser_perturbation *p, float columns[SER_PERTURBATION_COLUMNS])
{
    uint64_t sum = p->period_sum, count = p->period_count;
    float period, amplitude;
    if (p->periods > 0 && (p->regular[0] & 1)) { /* the last one has no neighbour to differ from */
        sum += p->period[0];
        count++;
    }
    period = count > 0 ? ser_from_u64(sum) / ser_from_u64(count) : 0.0f;
    amplitude = p->peaks > 1 ? ser_from_u64(p->amplitude_sum) / (float)(p->peaks - 1) : 0.0f;
    COLUMN(JITTER_LOCAL) = ratio(ser_from_u64(p->local_sum), (float)p->local_count, period);
    COLUMN(JITTER_RAP) = ratio(ser_from_u64(p->rap_sum), 3.0f * (float)p->rap_count, period);
    COLUMN(JITTER_PPQ5) = ratio(ser_from_u64(p->ppq_sum), 5.0f * (float)p->ppq_count, period);
    COLUMN(SHIMMER_LOCAL) = ratio(ser_from_u64(p->shimmer_sum), (float)p->shimmer_count, amplitude);
    COLUMN(SHIMMER_DB) = ratio(ser_from_u64(p->level_sum) * DECIBELS_PER_STEP, (float)p->shimmer_count, 1.0f);
    COLUMN(SHIMMER_APQ3) = ratio(ser_from_u64(p->apq3_sum), 3.0f * (float)p->apq3_count, amplitude);
    COLUMN(SHIMMER_APQ5) = ratio(ser_from_u64(p->apq5_sum), 5.0f * (float)p->apq5_count, amplitude);
}
