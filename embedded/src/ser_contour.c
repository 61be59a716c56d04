#include "ser_contour.h"

#include "ser_math.h"

#include <math.h>
#include <string.h>

#define HOP_SECONDS ((float)SER_HOP / (float)SER_SAMPLE_RATE)
#define HOPS_PER_SECOND ((float)SER_SAMPLE_RATE / (float)SER_HOP)
#define TIME_UNIT (1.0f / 1024.0f) /* fourth powers of times stay finite for a year */
#define STEP SER_PITCH_LOG_STEP /* of a log period, in semitones */

void ser_contour_reset(ser_contour *contour) { memset(contour, 0, sizeof *contour); }

static void spread_add(ser_spread *spread, float value)
{
    const float distance = value - spread->mean;
    spread->count++;
    spread->mean += distance * ser_recip((float)spread->count);
    spread->squares += distance * (value - spread->mean);
    spread->high = ser_maxf(spread->high, value);
}

static float spread_std(const ser_spread *spread)
{
    return spread->count > 0 ? sqrtf(spread->squares * ser_recip((float)spread->count)) : 0.0f;
}

/* F0 re SER_SEMITONE_REFERENCE, of a log period. */
static float semitones_of(float log_period)
{
    return 12.0f * (SER_PITCH_LOG_ZERO - SER_PITCH_LOG_OFFSET) - log_period * STEP;
}

/* Any: the C library may convert 64 bits by way of doubles. */
static float from_u64(uint64_t x)
{
    return (float)(uint32_t)(x >> 32) * 4294967296.0f + (float)(uint32_t)(x & 0xffffffffu);
}

static float from_i64(int64_t x)
{
    return x < 0 ? -from_u64((uint64_t)-x) : from_u64((uint64_t)x);
}

static void start_run(ser_contour *contour, uint32_t frame, uint16_t log_period)
{
    if (contour->ended == 0) {
        contour->first = frame;
        contour->longest = log_period;
        contour->shortest = log_period;
    } else if (frame > contour->last + 1) {
        spread_add(&contour->pause, (float)(frame - contour->last - 1));
    }
    memset(&contour->run, 0, sizeof contour->run);
    contour->run.start = frame;
    contour->run.origin = log_period;
    contour->open = 1;
}

static void extend_run(ser_run *run, uint32_t frame, uint16_t log_period)
{
    const int32_t f0 = (int32_t)run->origin - log_period;
    const uint32_t size = (uint32_t)(f0 < 0 ? -f0 : f0), square = size * size;
    const uint32_t low = square & 0xffffU, high = square >> 16; /* so that products stay below 2^32 */
    const int32_t time = (int32_t)(frame - run->start);        /* below 2^15 */
    run->sum += f0;
    run->squares += square;
    if (f0 < 0) {
        run->cubes[0] -= low * size;
        run->cubes[1] -= high * size;
    } else {
        run->cubes[0] += low * size;
        run->cubes[1] += high * size;
    }
    run->fourths[0] += low * low;
    run->fourths[1] += low * high;
    run->fourths[2] += high * high;
    run->product += time * f0;
    run->bend[0] += (time * time & 0x7fff) * f0;
    run->bend[1] += (time * time >> 15) * f0;
    run->low = f0 < run->low ? f0 : run->low;
    run->high = f0 > run->high ? f0 : run->high;
}

static void add_change(ser_contour *contour, int32_t change)
{
    const uint32_t size = (uint32_t)(change < 0 ? -change : change);
    if (size < SER_F0_STEP_LIMIT_STEPS) {
        contour->changing++;
        contour->changes += size * size;
        if (change > 0) {
            contour->rises += change;
            contour->rising++;
        } else {
            contour->falls += change;
        }
    }
}

void ser_contour_voiced(ser_contour *contour, uint16_t log_period)
{
    const uint32_t frame = contour->frames++;
    const uint32_t before = contour->count++;
    contour->heard++;
    if (contour->open) {
        const int latest = (contour->place > 0 ? contour->place : SER_F0_EDGE) - 1;
        add_change(contour, (int32_t)contour->latest[latest] - log_period);
        if (frame - contour->run.start >= SER_CONTOUR_RUN) {
            ser_contour_end(contour);
        }
    }
    if (!contour->open) {
        start_run(contour, frame, log_period);
    }
    extend_run(&contour->run, frame, log_period);
    if (before < SER_F0_EDGE) {
        contour->first_sum += log_period;
    }
    contour->latest[contour->place] = log_period;
    contour->place = (uint8_t)(contour->place + 1 < SER_F0_EDGE ? contour->place + 1 : 0);
    contour->last = frame;
}

/* The sums of the first to fourth powers of the times 0 ... n - 1. */
static void sum_times(float sums[4], float n)
{
    const float step = TIME_UNIT, square = step * step;
    const float first = 0.5f * n * (n - 1.0f);
    sums[0] = first * step;
    sums[1] = first * (2.0f * n - 1.0f) * (1.0f / 3.0f) * square;
    sums[2] = first * first * square * step;
    sums[3] = first * (2.0f * n - 1.0f) * (6.0f * first - 1.0f) * (1.0f / 15.0f) * square * square;
}

/* The sums of the first to fourth powers of n distances that all grow by so much. */
static void move(float sums[4], float n, float by)
{
    const float square = by * by;
    sums[3] += by * (4.0f * sums[2] + by * (6.0f * sums[1] + by * (4.0f * sums[0] + n * by)));
    sums[2] += by * (3.0f * sums[1] + by * (3.0f * sums[0] + n * by));
    sums[1] += 2.0f * by * sums[0] + n * square;
    sums[0] += n * by;
}

/* The same for the sums of n frames. */
static void move_both(ser_powers *sums, float n, float time, float f0)
{
    const float total = sums->f0[0];
    sums->bend += time * (2.0f * sums->product + time * total) +
                  f0 * (sums->time[1] + time * (2.0f * sums->time[0] + n * time));
    sums->product += time * total + f0 * (sums->time[0] + n * time);
    move(sums->f0, n, f0);
    move(sums->time, n, time);
}

/* A run's sums as floats, without those of time, which hang on its length. */
static ser_powers powers_of(const ser_run *run)
{
    ser_powers powers;
    memset(&powers, 0, sizeof powers);
    powers.f0[0] = (float)run->sum * STEP;
    powers.f0[1] = from_u64(run->squares) * (STEP * STEP);
    powers.f0[2] = (from_i64(run->cubes[1]) * 65536.0f + from_i64(run->cubes[0])) * (STEP * STEP * STEP);
    powers.f0[3] = ((from_u64(run->fourths[2]) * 65536.0f + from_u64(run->fourths[1]) * 2.0f) * 65536.0f +
                    from_u64(run->fourths[0])) *
                   (STEP * STEP * STEP * STEP);
    powers.product = from_i64(run->product) * (STEP * TIME_UNIT);
    powers.bend = (from_i64(run->bend[1]) * 32768.0f + from_i64(run->bend[0])) * (STEP * TIME_UNIT * TIME_UNIT);
    return powers;
}

/* A run joins those before it: all distances are now from the means of all (Pebay 2008, its equations for the
   union of two sets). */
static void join(ser_contour *contour, float n)
{
    ser_powers *sums = &contour->powers;
    ser_powers run = powers_of(&contour->run);
    ser_powers *more = &run;
    const float before = (float)contour->ended;
    const float part = n * ser_recip(before + n);
    const float time = 0.5f * (n - 1.0f) * TIME_UNIT, f0 = more->f0[0] * ser_recip(n);
    const float later = (float)(contour->run.start - contour->first) * TIME_UNIT + time - contour->time;
    const float higher = semitones_of((float)contour->run.origin) + f0 - contour->f0;
    int i;
    sum_times(more->time, n);
    move_both(sums, before, -part * later, -part * higher);
    move_both(more, n, later - part * later - time, higher - part * higher - f0);
    for (i = 1; i < 4; i++) { /* the first powers' are zero */
        sums->f0[i] += more->f0[i];
        sums->time[i] += more->time[i];
    }
    sums->f0[0] = 0.0f;
    sums->time[0] = 0.0f;
    sums->product += more->product;
    sums->bend += more->bend;
    contour->time += part * later;
    contour->f0 += part * higher;
}

void ser_contour_end(ser_contour *contour)
{
    const ser_run *run = &contour->run;
    ser_runs *runs = &contour->runs;
    const uint32_t length = contour->last - run->start + 1;
    const float n = (float)length;
    if (!contour->open) {
        return;
    }
    contour->open = 0;
    spread_add(&contour->segment, n);
    if (length >= SER_F0_SEGMENT) {
        /* least squares; the times 0 ... n - 1 have n (n^2 - 1) / 12 as their sum of squares */
        const float sum = (float)run->sum * STEP, moment = from_i64(run->product) * STEP;
        const float slope = (moment - 0.5f * (n - 1.0f) * sum) * 12.0f * ser_recip(n * (n * n - 1.0f));
        spread_add(&runs->means, semitones_of((float)run->origin) + sum * ser_recip(n));
        spread_add(&runs->slopes, slope);
        spread_add(&runs->ranges, (float)(run->high - run->low) * STEP);
        runs->steepness += ser_absf(slope);
    }
    join(contour, n);
    if (run->origin - run->low > contour->longest) {
        contour->longest = (uint16_t)(run->origin - run->low);
    }
    if (run->origin - run->high < contour->shortest) {
        contour->shortest = (uint16_t)(run->origin - run->high);
    }
    contour->ended += length;
}

void ser_contour_unvoiced(ser_contour *contour, int heard)
{
    ser_contour_end(contour);
    contour->frames++;
    contour->heard += heard != 0;
}

#define COLUMN(NAME) columns[SER_COLUMN_##NAME - SER_FIRST_PITCH]

static void change_columns(const ser_contour *contour, float *columns)
{
    const float count = (float)contour->changing;
    const float voiced = (float)contour->count;
    const float rises = from_i64(contour->rises) * STEP, falls = from_i64(contour->falls) * STEP;
    float *delta = &COLUMN(F0_DELTA); /* mean and standard deviation */
    delta[0] = delta[1] = COLUMN(F0_DELTA_ABS) = COLUMN(F0_RISING) = SER_UNDEFINED;
    COLUMN(F0_RISE) = COLUMN(F0_FALL) = SER_UNDEFINED;
    if (count > 0.0f) {
        const float mean = from_i64(contour->rises + contour->falls) * STEP / count;
        const float square = from_u64(contour->changes) * (STEP * STEP) / count;
        delta[0] = mean;
        delta[1] = sqrtf(ser_maxf(square - mean * mean, 0.0f));
        COLUMN(F0_DELTA_ABS) = (rises - falls) / count;
        COLUMN(F0_RISING) = (float)contour->rising / count;
    }
    if (voiced > 0.0f) {
        COLUMN(F0_RISE) = rises / voiced;
        COLUMN(F0_FALL) = falls / voiced;
    }
}

static void distribution_columns(const ser_contour *contour, float *columns)
{
    const ser_powers *sums = &contour->powers;
    ser_moments f0;
    ser_moments_reset(&f0);
    f0.count = contour->count;
    f0.mean = contour->f0;
    f0.m2 = ser_maxf(sums->f0[1], 0.0f);
    f0.m3 = sums->f0[2];
    f0.m4 = sums->f0[3];
    f0.low = contour->count > 0 ? semitones_of((float)contour->longest) : 0.0f;
    f0.high = contour->count > 0 ? semitones_of((float)contour->shortest) : 0.0f;
    f0.time_m2 = sums->time[1] * (1.0f / (TIME_UNIT * TIME_UNIT));
    f0.co = sums->product * (1.0f / TIME_UNIT);
    ser_moments_columns(&f0, &COLUMN(F0_SEMITONES));
}

/* The least-squares parabola: squared time less its own regression on time is orthogonal to both other
   terms, so that its coefficient comes by itself. */
static void shape_columns(const ser_contour *contour, float *columns)
{
    const ser_powers *sums = &contour->powers;
    const float n = (float)contour->count, per_edge = 1.0f / (float)SER_F0_EDGE;
    const float *time = sums->time;
    const float lean = time[2] / time[1];
    const float spread = time[3] - time[1] * time[1] / n - lean * time[2];
    const float span = (float)(contour->last - contour->first) * TIME_UNIT;
    float curvature = 0.0f;
    uint32_t last_sum = 0;
    int i;
    if (contour->count < SER_F0_EDGE) {
        COLUMN(F0_CURVATURE) = COLUMN(F0_TILT) = COLUMN(F0_START) = COLUMN(F0_END) = SER_UNDEFINED;
        return;
    }
    if (spread > 0.0f) {
        curvature = (sums->bend - lean * sums->product) / spread;
    }
    COLUMN(F0_CURVATURE) = curvature * span * span;
    COLUMN(F0_TILT) = (sums->product - curvature * time[2]) / time[1] * span;
    for (i = 0; i < SER_F0_EDGE; i++) {
        last_sum += contour->latest[i];
    }
    COLUMN(F0_START) = semitones_of((float)contour->first_sum * per_edge) - contour->f0;
    COLUMN(F0_END) = semitones_of((float)last_sum * per_edge) - contour->f0;
}

static void run_columns(const ser_runs *runs, float *columns)
{
    const float count = (float)runs->means.count;
    COLUMN(F0_SEGMENT_STD) = COLUMN(F0_SEGMENT_RANGE_MEAN) = COLUMN(F0_SEGMENT_RANGE_MAX) = SER_UNDEFINED;
    COLUMN(F0_SEGMENT_SLOPE_MEAN) = COLUMN(F0_SEGMENT_SLOPE_STD) = SER_UNDEFINED;
    COLUMN(F0_SEGMENT_SLOPE_ABS) = SER_UNDEFINED;
    if (count > 0.0f) {
        COLUMN(F0_SEGMENT_STD) = spread_std(&runs->means);
        COLUMN(F0_SEGMENT_RANGE_MEAN) = runs->ranges.mean;
        COLUMN(F0_SEGMENT_RANGE_MAX) = runs->ranges.high;
        COLUMN(F0_SEGMENT_SLOPE_MEAN) = runs->slopes.mean * HOPS_PER_SECOND;
        COLUMN(F0_SEGMENT_SLOPE_STD) = spread_std(&runs->slopes) * HOPS_PER_SECOND;
        COLUMN(F0_SEGMENT_SLOPE_ABS) = runs->steepness / count * HOPS_PER_SECOND;
    }
}

/* Mean, standard deviation and maximum of lengths. */
static void in_seconds(const ser_spread *lengths, float *mean, float *std, float *max)
{
    *mean = *std = *max = SER_UNDEFINED;
    if (lengths->count > 0) {
        *mean = lengths->mean * HOP_SECONDS;
        *std = spread_std(lengths) * HOP_SECONDS;
        *max = lengths->high * HOP_SECONDS;
    }
}

static void length_columns(const ser_contour *contour, float *columns)
{
    COLUMN(VOICED_FRACTION) = COLUMN(VOICED_SEGMENT_RATE) = SER_UNDEFINED;
    if (contour->heard > 0) {
        COLUMN(VOICED_FRACTION) = (float)contour->count / (float)contour->heard;
    }
    if (contour->count > 0) {
        const float span = (float)(contour->last - contour->first + 1) * HOP_SECONDS;
        COLUMN(VOICED_SEGMENT_RATE) = (float)contour->segment.count / span;
    }
    in_seconds(&contour->segment, &COLUMN(VOICED_SEGMENT_MEAN), &COLUMN(VOICED_SEGMENT_STD),
               &COLUMN(VOICED_SEGMENT_MAX));
    in_seconds(&contour->pause, &COLUMN(PAUSE_MEAN), &COLUMN(PAUSE_STD), &COLUMN(PAUSE_MAX));
}

void ser_contour_columns(const ser_contour *contour, float columns[SER_COUNT_PITCH])
{
    distribution_columns(contour, columns);
    change_columns(contour, columns);
    shape_columns(contour, columns);
    run_columns(&contour->runs, columns);
    length_columns(contour, columns);
}
