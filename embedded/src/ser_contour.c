#include "ser_contour.h"

#include "ser_math.h"

#include <math.h>
#include <string.h>

#define HOP_SECONDS ((float)SER_HOP / (float)SER_SAMPLE_RATE)
#define HOPS_PER_SECOND ((float)SER_SAMPLE_RATE / (float)SER_HOP)
#define TIME_UNIT (1.0f / 1024.0f) /* fourth powers of times stay finite for a year */

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

static void start_run(ser_contour *contour, uint32_t frame, float semitones)
{
    if (contour->f0.count > 0) {
        spread_add(&contour->pause, (float)(frame - contour->last - 1));
    } else {
        contour->first = frame;
    }
    memset(&contour->run, 0, sizeof contour->run);
    contour->run.start = frame;
    contour->run.origin = semitones;
    contour->open = 1;
}

static void extend_run(ser_run *run, uint32_t frame, float semitones)
{
    const float distance = semitones - run->origin;
    run->sum += distance;
    run->moment += distance * (float)(frame - run->start);
    run->low = ser_minf(run->low, distance);
    run->high = ser_maxf(run->high, distance);
}

static void add_change(ser_contour *contour, float change)
{
    if (ser_absf(change) < SER_F0_STEP_LIMIT) {
        spread_add(&contour->change, change);
        contour->rises += ser_maxf(change, 0.0f);
        contour->falls += ser_minf(change, 0.0f);
        contour->rising += change > 0.0f;
    }
}

/* The sums of higher order of time and F0, before the lower ones in f0 move (Pebay 2008). */
static void add_bend(ser_contour *contour, uint32_t frame, float semitones, float share)
{
    const ser_moments *f0 = &contour->f0;
    const float n = (float)f0->count + 1.0f;
    const float dt = ((float)frame - f0->time_mean) * TIME_UNIT;
    const float step = dt * share;
    const float rise = f0->count > 0 ? (semitones - f0->origin - f0->mean) * share : 0.0f;
    const float squares = f0->time_m2 * (TIME_UNIT * TIME_UNIT);
    const float term = dt * step * (n - 1.0f);
    contour->bend +=
        term * rise * (n - 2.0f) - 2.0f * step * f0->co * TIME_UNIT - rise * squares;
    contour->time_fourths += term * step * step * (n * n - 3.0f * n + 3.0f) +
                             6.0f * step * step * squares - 4.0f * step * contour->time_cubes;
    contour->time_cubes += term * step * (n - 2.0f) - 3.0f * step * squares;
}

void ser_contour_voiced(ser_contour *contour, float semitones)
{
    const uint32_t frame = contour->frames++;
    contour->heard++;
    const uint32_t before = contour->f0.count;
    if (contour->open) {
        add_change(contour, semitones - contour->latest[(before - 1) % SER_F0_EDGE]);
    } else {
        start_run(contour, frame, semitones);
    }
    extend_run(&contour->run, frame, semitones);
    const float share = ser_recip((float)before + 1.0f);
    add_bend(contour, frame, semitones, share);
    ser_moments_add_share(&contour->f0, semitones, frame, share);
    if (before < SER_F0_EDGE) {
        contour->first_sum += semitones;
    }
    contour->latest[before % SER_F0_EDGE] = semitones;
    contour->last = frame;
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
        const float slope = (run->moment - 0.5f * (n - 1.0f) * run->sum) * 12.0f *
                            ser_recip(n * (n * n - 1.0f));
        spread_add(&runs->means, run->origin + run->sum * ser_recip(n));
        spread_add(&runs->slopes, slope);
        spread_add(&runs->ranges, run->high - run->low);
        runs->steepness += ser_absf(slope);
    }
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
    const float count = (float)contour->change.count;
    const float voiced = (float)contour->f0.count;
    float *delta = &COLUMN(F0_DELTA); /* mean and standard deviation */
    delta[0] = contour->change.mean;
    delta[1] = spread_std(&contour->change);
    if (count > 0.0f) {
        COLUMN(F0_DELTA_ABS) = (contour->rises - contour->falls) / count;
        COLUMN(F0_RISING) = (float)contour->rising / count;
    }
    if (voiced > 0.0f) {
        COLUMN(F0_RISE) = contour->rises / voiced;
        COLUMN(F0_FALL) = contour->falls / voiced;
    }
}

/* The least-squares parabola: squared time less its own regression on time is orthogonal to both other
   terms, so that its coefficient comes by itself. */
static void shape_columns(const ser_contour *contour, float *columns)
{
    const ser_moments *f0 = &contour->f0;
    const float n = (float)f0->count;
    const float per_edge = 1.0f / (float)SER_F0_EDGE;
    float last_sum = 0.0f, squares, co, lean, spread, curvature = 0.0f, span;
    int i;
    if (f0->count < SER_F0_EDGE) {
        return;
    }
    squares = f0->time_m2 * (TIME_UNIT * TIME_UNIT);
    co = f0->co * TIME_UNIT;
    lean = contour->time_cubes / squares;
    spread = contour->time_fourths - squares * squares / n - lean * contour->time_cubes;
    if (spread > 0.0f) {
        curvature = (contour->bend - lean * co) / spread;
    }
    span = (float)(contour->last - contour->first) * TIME_UNIT;
    COLUMN(F0_CURVATURE) = curvature * span * span;
    COLUMN(F0_TILT) = (co - curvature * contour->time_cubes) / squares * span;
    for (i = 0; i < SER_F0_EDGE; i++) {
        last_sum += contour->latest[i];
    }
    COLUMN(F0_START) = contour->first_sum * per_edge - ser_moments_mean(f0);
    COLUMN(F0_END) = last_sum * per_edge - ser_moments_mean(f0);
}

static void run_columns(const ser_runs *runs, float *columns)
{
    const float count = (float)runs->means.count;
    if (count > 0.0f) {
        COLUMN(F0_SEGMENT_STD) = spread_std(&runs->means);
        COLUMN(F0_SEGMENT_RANGE_MEAN) = runs->ranges.mean;
        COLUMN(F0_SEGMENT_RANGE_MAX) = runs->ranges.high;
        COLUMN(F0_SEGMENT_SLOPE_MEAN) = runs->slopes.mean * HOPS_PER_SECOND;
        COLUMN(F0_SEGMENT_SLOPE_STD) = spread_std(&runs->slopes) * HOPS_PER_SECOND;
        COLUMN(F0_SEGMENT_SLOPE_ABS) = runs->steepness / count * HOPS_PER_SECOND;
    }
}

static void length_columns(const ser_contour *contour, float *columns)
{
    if (contour->heard > 0) {
        COLUMN(VOICED_FRACTION) = (float)contour->f0.count / (float)contour->heard;
    }
    if (contour->f0.count > 0) {
        const float span = (float)(contour->last - contour->first + 1) * HOP_SECONDS;
        COLUMN(VOICED_SEGMENT_RATE) = (float)contour->segment.count / span;
    }
    COLUMN(VOICED_SEGMENT_MEAN) = contour->segment.mean * HOP_SECONDS;
    COLUMN(VOICED_SEGMENT_STD) = spread_std(&contour->segment) * HOP_SECONDS;
    COLUMN(VOICED_SEGMENT_MAX) = contour->segment.high * HOP_SECONDS;
    COLUMN(PAUSE_MEAN) = contour->pause.mean * HOP_SECONDS;
    COLUMN(PAUSE_STD) = spread_std(&contour->pause) * HOP_SECONDS;
    COLUMN(PAUSE_MAX) = contour->pause.high * HOP_SECONDS;
}

void ser_contour_columns(const ser_contour *contour, float columns[SER_COUNT_PITCH])
{
    int i;
    for (i = 0; i < SER_COUNT_PITCH; i++) {
        columns[i] = SER_UNDEFINED;
    }
    ser_moments_columns(&contour->f0, &COLUMN(F0_SEMITONES));
    change_columns(contour, columns);
    shape_columns(contour, columns);
    run_columns(&contour->runs, columns);
    length_columns(contour, columns);
}
