#include "ser_pulses.h"

#include "ser_math.h"
#include "ser_peak_float.h"
#include "ser_vectors.h"

#include <math.h>
#include <string.h>

/* Praat's own numbers, as its manual gives them where it does */
#define SEARCH_FROM 0.8f /* of a period */
#define SEARCH_TO 1.25f
#define ALIKE 0.3f      /* correlation from which a pulse counts */
#define ALIKE_EDGE 0.7f /* from which one more counts beyond the interval */
#define WEAK 0.0233333f /* of the sound's peak */
#define STRONG 1e5f     /* never too weak */
#define LAGS_MAX (45 * SER_PITCH_LONGEST / 100 + 17) /* from SEARCH_FROM to SEARCH_TO, and some */
#define VIEW_HOPS SER_VIEW_HOPS
#define MISSING (SER_HOP - SER_CLIP_REMAINDER) /* samples that hop 0 has less than the others */
#if VIEW_HOPS * SER_HOP > SER_PULSES_SCRATCH
#error "SER_HOP: ser_pulses.c cannot look at so many hops together"
#endif
#define PEAK_STEPS 2.0f  /* per octave */
#define LEVEL_BITS 11
#define LEVEL_MASK ((1u << LEVEL_BITS) - 1u)

/* What marking needs besides the pulses: a few hops of sound and the path. */
typedef struct {
    ser_pulses *pulses;
    float *sound;        /* VIEW_HOPS hops */
    int32_t view;        /* the first of them; counted from the origin */
    int has_view;
    const uint16_t *track; /* stored periods */
    int32_t track_start; /* frame, counted from the origin */
    int32_t track_length;
    float weak; /* peaks up to this do not count */
    /* Pulses from `split` on follow pulse `before`; those in between are out of date. */
    int32_t split, before;
} marker;

typedef struct {
    ser_place place;
    float likeness; /* correlation, -1 if there is no maximum */
    float peak;     /* largest sample around */
} ser_match;

void ser_pulses_reset(ser_pulses *pulses) { memset(pulses, 0, sizeof *pulses); }

static int32_t floor_of(float x)
{
    const int32_t i = (int32_t)x;
    return (float)i > x ? i - 1 : i;
}

static int32_t ceil_of(float x) { return -floor_of(-x); }

static ser_place place_at(int32_t sample, float fraction)
{
    const int32_t whole = floor_of(fraction);
    ser_place place;
    place.sample = sample + whole;
    place.fraction = fraction - (float)whole;
    return place;
}

static float distance(ser_place a, ser_place b)
{
    return (float)(a.sample - b.sample) + (a.fraction - b.fraction);
}

/* Rounds down however far below the origin a sample lies. */
static int32_t hop_of(int32_t sample)
{
    return (sample + MISSING + 64 * SER_HOP) / SER_HOP - 64;
}

/* Samples low ... high, VIEW_HOPS hops apart at most; more of what comes before or after is read along. */
static const float *sound_at(marker *m, int32_t low, int32_t high, int leftwards)
{
    const int32_t first = hop_of(low), last = hop_of(high);
    if (!m->has_view || first < m->view || last >= m->view + VIEW_HOPS) {
        const int32_t view = leftwards ? last - VIEW_HOPS + 1 : first;
        const int32_t shift = m->has_view ? view - m->view : VIEW_HOPS;
        const int32_t kept = (VIEW_HOPS - (shift < 0 ? -shift : shift)) * SER_HOP;
        float *x = m->sound;
        int32_t i;
        /* what is decoded already moves */
        for (i = 0; shift > 0 && i < kept; i++) {
            x[i] = x[i + shift * SER_HOP];
        }
        for (i = kept - 1; shift < 0 && i >= 0; i--) {
            x[i - shift * SER_HOP] = x[i];
        }
        for (i = 0; i < VIEW_HOPS; i++) {
            if (kept <= 0 || (shift > 0 ? i * SER_HOP >= kept : i < -shift)) {
                /* a hop before the sound begins wraps around to one that is not recorded */
                ser_history_read(&m->pulses->history,
                                 m->pulses->origin / SER_HOP + (uint32_t)(view + i), x + SER_HOP * i);
            }
        }
        m->view = view;
        m->has_view = 1;
    }
    return m->sound - (m->view * SER_HOP - MISSING);
}

/* F0 in cycles per sample, linear between voiced frames; 0 where it is unvoiced. */
static float frequency_at(const marker *m, ser_place place)
{
    const float x = ((float)(place.sample - SER_PITCH_CENTRE - m->track_start * SER_HOP) + 0.5f +
                     place.fraction) *
                    (1.0f / (float)SER_HOP);
    const int32_t i = floor_of(x);
    const float way = x - (float)i;
    const uint16_t a = i >= 0 && i < m->track_length ? m->track[i] : 0;
    const uint16_t b = i >= -1 && i + 1 < m->track_length ? m->track[i + 1] : 0;
    if (a > 0 && b > 0) {
        const float f = ser_pitch_frequency(a);
        return f + way * (ser_pitch_frequency(b) - f);
    }
    if (a > 0 && way < 0.5f) {
        return ser_pitch_frequency(a);
    }
    return b > 0 && way >= 0.5f ? ser_pitch_frequency(b) : 0.0f;
}

static float power(const float *x, int32_t count)
{
    float sum = 0.0f;
    int32_t i;
    for (i = 0; i < count; i++) {
        sum += x[i] * x[i];
    }
    return sum;
}

/* Sums of products of x[0..count) with y[0..), y[1..), y[2..) and y[3..). */
static void products(const float *x, const float *y, int32_t count, float sums[4])
{
    float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
    float y0 = y[0], y1 = y[1], y2 = y[2], y3;
    for (; count > 3; count -= 4, x += 4, y += 4) { /* every sample of y is loaded once */
        y3 = y[3];
        a += x[0] * y0;
        b += x[0] * y1;
        c += x[0] * y2;
        d += x[0] * y3;
        y0 = y[4];
        a += x[1] * y1;
        b += x[1] * y2;
        c += x[1] * y3;
        d += x[1] * y0;
        y1 = y[5];
        a += x[2] * y2;
        b += x[2] * y3;
        c += x[2] * y0;
        d += x[2] * y1;
        y2 = y[6];
        a += x[3] * y3;
        b += x[3] * y0;
        c += x[3] * y1;
        d += x[3] * y2;
    }
    for (; count > 0; count--, x++, y++) {
        a += x[0] * y[0];
        b += x[0] * y[1];
        c += x[0] * y[2];
        d += x[0] * y[3];
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

#if SER_VECTORS
/* The same sums, in the same order, for sixteen and for eight lags together, as long as there are; returns of how many lags. */
static int32_t many_products(const float *x, const float *y, int32_t lags, int32_t count, float *sums)
{
    int32_t k = 0;
    for (; k + 16 <= lags; k += 16) {
        __m256 a = _mm256_setzero_ps(), b = a;
        for (int32_t i = 0; i < count; i++) {
            const __m256 all = _mm256_set1_ps(x[i]);
            a = _mm256_add_ps(a, _mm256_mul_ps(all, _mm256_loadu_ps(y + k + i)));
            b = _mm256_add_ps(b, _mm256_mul_ps(all, _mm256_loadu_ps(y + k + i + 8)));
        }
        _mm256_storeu_ps(sums + k, a);
        _mm256_storeu_ps(sums + k + 8, b);
    }
    for (; k + 8 <= lags; k += 8) {
        __m256 a = _mm256_setzero_ps();
        for (int32_t i = 0; i < count; i++) {
            a = _mm256_add_ps(a, _mm256_mul_ps(_mm256_set1_ps(x[i]), _mm256_loadu_ps(y + k + i)));
        }
        _mm256_storeu_ps(sums + k, a);
    }
    return k;
}
#endif

/*
 * The place 0.8 to 1.25 periods before (side -1) or after (side 1) another whose surroundings of one period
 * are most like that one's.
 */
static ser_match find_match(marker *m, ser_place from, float period, int side)
{
    float likeness[LAGS_MAX + 4];
    const float edge = from.fraction - 0.5f * period;
    const int32_t low = from.sample + ser_round(edge);
    const int32_t length = ser_round(from.fraction + 0.5f * period) - ser_round(edge) + 1;
    const int32_t start = from.sample + floor_of(side > 0 ? edge + SEARCH_FROM * period
                                                          : edge - SEARCH_TO * period);
    const int32_t end =
        from.sample + ceil_of(side > 0 ? edge + SEARCH_TO * period : edge - SEARCH_FROM * period);
    const int32_t count = end - start + 1 < LAGS_MAX ? end - start + 1 : LAGS_MAX;
    const float *sound = sound_at(m, side > 0 ? low : start, (side > 0 ? end + 3 : low) + length, side < 0);
    const float own = power(sound + low, length);
    const float per_root = own > 0.5f ? ser_rsqrt(own) : 0.0f;
    float other = power(sound + start, length);
    float highest = -1.0f;
    int32_t best = -1, k;
    ser_match match;

    k = 0;
#if SER_VECTORS
    k = many_products(sound + low, sound + start, count, length, likeness);
#endif
    for (; k < count; k += 4) {
        products(sound + low, sound + start + k, length, likeness + k);
    }
    for (k = 0; k < count; k++) {
        const float out = sound[start + k], in = sound[start + k + length];
        likeness[k] = other > 0.5f ? likeness[k] * per_root * ser_rsqrt_fast(other) : 0.0f;
        other += in * in - out * out;
    }

    match.place = from;
    match.likeness = -1.0f;
    match.peak = 0.0f;
    /* Praat takes the two lags before the first as 0, and then the first of them may be a maximum. */
    if (likeness[0] <= 0.0f) {
        highest = 0.0f;
        match.likeness = -0.125f * likeness[0];
        match.place = place_at(from.sample + start - low, from.fraction - 1.5f);
    }
    for (k = 0; k + 1 < count; k++) {
        if (likeness[k] > highest && likeness[k] >= likeness[k + 1] &&
            likeness[k] >= (k > 0 ? likeness[k - 1] : 0.0f)) {
            highest = likeness[k];
            best = k;
        }
    }
    if (best >= 0) {
        const float before = best > 0 ? likeness[best - 1] : 0.0f;
        const float slope = 0.5f * (likeness[best + 1] - before);
        const float bend = (highest - before) + (highest - likeness[best + 1]);
        const float step = bend > 0.0f ? slope * ser_recip(bend) : 0.0f;
        match.likeness = highest + 0.5f * slope * step;
        match.place = place_at(from.sample + start - low + best, from.fraction + step);
        for (k = 0; k < length; k++) {
            match.peak = ser_maxf(match.peak, ser_absf(sound[start + best + k]));
        }
    }
    return match;
}

/* The largest sample within half a period of the middle, between samples if it is not at the edge. */
static ser_place find_start(marker *m, ser_place middle, float period)
{
    const int32_t low = middle.sample + floor_of(middle.fraction - 0.5f * period);
    const int32_t high = middle.sample + ceil_of(middle.fraction + 0.5f * period);
    const float *sound = sound_at(m, low, high, 1);
    int32_t best = low, i;
    for (i = low + 1; i <= high; i++) {
        best = ser_absf(sound[i]) > ser_absf(sound[best]) ? i : best;
    }
    if (best > low && best < high) {
        const float sign = sound[best] < 0.0f ? -1.0f : 1.0f;
        const float slope = 0.5f * (sound[best + 1] - sound[best - 1]) * sign;
        const float bend = (2.0f * sound[best] - sound[best - 1] - sound[best + 1]) * sign;
        return place_at(best, bend > 0.0f ? slope * ser_recip(bend) : 0.0f);
    }
    return place_at(best, 0.0f);
}

static int32_t previous(const marker *m, int32_t i) { return i == m->split ? m->before : i - 1; }

static unsigned pack_peak(float peak)
{
    const float steps = peak > 1.0f ? ser_log2(peak) * PEAK_STEPS + 0.5f : 0.0f;
    return (steps < 31.0f ? (unsigned)steps : 31u) << LEVEL_BITS;
}

/* Keeps a pulse; those too weak for the peak so far are too weak for any. */
static void append(marker *m, ser_place place, float peak)
{
    ser_pulses *p = m->pulses;
    if (p->count < SER_PULSES_MAX && peak > m->weak) {
        p->time[p->count] = (uint32_t)place.sample * SER_TIME_STEPS +
                            (uint32_t)(place.fraction * (float)SER_TIME_STEPS + 0.5f);
        p->info[p->count] = (uint16_t)pack_peak(peak);
        p->count++;
    }
}

static float periods_since_last(const ser_pulses *p, int32_t last, ser_place place, float frequency)
{
    ser_place before;
    if (last < 0) {
        return 10.0f;
    }
    before.sample = (int32_t)(p->time[last] / SER_TIME_STEPS);
    before.fraction = (float)(p->time[last] % SER_TIME_STEPS) * (1.0f / (float)SER_TIME_STEPS);
    return distance(place, before) * frequency;
}

/* Adds pulses from a place on, to an edge (closed: with Praat's extra one beyond it). Returns where it ended. */
static ser_place run(marker *m, ser_place place, ser_place edge, int side, int closed)
{
    const int32_t last = previous(m, m->pulses->count); /* pulse of an earlier interval */
    for (;;) {
        const float frequency = frequency_at(m, place);
        ser_match match;
        int beyond, far;
        if (frequency <= 0.0f || (!closed && distance(place, edge) > 0.0f)) {
            return place;
        }
        match = find_match(m, place, ser_recip(frequency), side);
        if (match.likeness < 0.0f) { /* nothing found: on by one period */
            match.place = place_at(place.sample, place.fraction + (float)side * ser_recip(frequency));
        }
        place = match.place;
        beyond = distance(place, edge) * (float)side > 0.0f;
        far = side > 0 || periods_since_last(m->pulses, last, place, frequency) > SEARCH_FROM;
        if (far && match.likeness > (beyond && closed ? ALIKE_EDGE : ALIKE)) {
            append(m, place, match.peak);
        }
        if (beyond) {
            return place;
        }
    }
}

static void reverse(ser_pulses *p, int32_t from)
{
    int32_t to = (int32_t)p->count - 1;
    for (; from < to; from++, to--) {
        const uint32_t time = p->time[from];
        const uint16_t info = p->info[from];
        p->time[from] = p->time[to];
        p->info[from] = p->info[to];
        p->time[to] = time;
        p->info[to] = info;
    }
}

/* Root mean square around a pulse under a Hann window of 0.2 of the periods to either side. */
static float amplitude(marker *m, uint32_t time, uint32_t left, uint32_t right)
{
    const float per_step = 1.0f / (float)SER_TIME_STEPS;
    const int32_t sample = (int32_t)(time / SER_TIME_STEPS);
    const float fraction = (float)(time % SER_TIME_STEPS) * per_step;
    const float before = 0.2f * per_step * (float)left, after = 0.2f * per_step * (float)right;
    const float per_before = ser_recip(before), per_after = ser_recip(after);
    const int32_t low = sample + ser_round(fraction - before);
    const int32_t high = sample + ser_round(fraction + after);
    const float *sound = sound_at(m, low, high, 0);
    float sum = 0.0f, weights = 0.0f;
    int32_t i;
    for (i = low; i <= high; i++) {
        const float d = (float)(i - sample) - fraction;
        const float x = d * (d < 0.0f ? per_before : per_after);
        const float w = x >= -1.0f && x <= 1.0f ? 0.5f + 0.5f * ser_cosine(x) : 0.0f;
        const float v = w * sound[i];
        sum += v * v;
        weights += w * w;
    }
    return sqrtf(sum / weights);
}

/* Measures pulses whose neighbours are both there by now. */
static void measure(marker *m, int32_t from)
{
    ser_pulses *p = m->pulses;
    int32_t i;
    m->has_view = 0;
    for (i = from > 0 ? from : 0; i + 1 < (int32_t)p->count; i++) {
        const int32_t last = previous(m, i);
        const uint32_t left = last >= 0 ? p->time[i] - p->time[last] : 0;
        const uint32_t right = p->time[i + 1] - p->time[i];
        if ((p->info[i] & LEVEL_MASK) == 0 && ser_perturbation_is_period(left) &&
            ser_perturbation_is_period(right)) {
            const float a = amplitude(m, p->time[i], left, right);
            const float level = a > 1.0f ? ser_log2(a) * (float)SER_LEVEL_STEPS + 0.5f : 0.0f;
            p->info[i] = (uint16_t)(p->info[i] | (unsigned)ser_minf(level, (float)LEVEL_MASK));
        }
    }
}

/* Where voiced frames begin and end: half a hop outside their centres. Frames count from the origin. */
static ser_place edge_of(int32_t frame, int side)
{
    return place_at(SER_PITCH_CENTRE + frame * SER_HOP + side * (SER_HOP / 2), -0.5f);
}

/* Drops the oldest marked interval. */
static void forget(ser_pulses *p)
{
    p->from = p->marked[0].first + p->marked[0].length + 1;
    p->marked_count--;
    memmove(p->marked, p->marked + 1, sizeof p->marked[0] * p->marked_count);
}

static void remember(ser_pulses *p, uint32_t first, int32_t length)
{
    ser_marked *marked;
    if (p->marked_count == SER_PULSES_MARKED) {
        forget(p);
    }
    marked = &p->marked[p->marked_count++];
    marked->first = first;
    marked->length = (uint16_t)length;
    marked->pulses = p->count;
}

/* The first marked interval that is not one of the path's any more; marked_count if all are. */
static int find_moved(const ser_pulses *p, const ser_pitch *pitch)
{
    uint32_t frame = p->from;
    int i;
    for (i = 0; i < p->marked_count; i++) {
        const ser_marked *marked = &p->marked[i];
        for (; frame < marked->first; frame++) {
            if (ser_pitch_is_voiced(pitch, frame)) {
                return i;
            }
        }
        for (; frame < marked->first + marked->length; frame++) {
            if (!ser_pitch_is_voiced(pitch, frame)) {
                return i;
            }
        }
        if (ser_pitch_is_voiced(pitch, frame)) {
            return i;
        }
    }
    return i;
}

/* Goes back to before marked interval i. */
static void unmark(ser_pulses *p, int i)
{
    p->next = i > 0 ? p->marked[i - 1].first + p->marked[i - 1].length + 1 : p->from;
    p->marked_count = (uint8_t)i;
    p->is_open = 0;
}

/* Marks frames first ... last; goes on later from the right end unless closed. */
static void mark(marker *m, int32_t first, int32_t last, int closed)
{
    ser_pulses *p = m->pulses;
    const ser_place left = edge_of(first, -1), right = edge_of(last, 1);
    const int32_t span = right.sample - left.sample;
    const ser_place middle = place_at(left.sample + span / 2, left.fraction);
    const int32_t count = p->count;
    const float frequency = frequency_at(m, middle);
    ser_place start;
    if (closed) {
        remember(p, p->origin / SER_HOP + (uint32_t)first, last - first + 1);
    }
    if (frequency <= 0.0f) {
        return;
    }
    m->has_view = 0;
    start = find_start(m, middle, ser_recip(frequency));
    run(m, start, left, -1, 1);
    reverse(p, count);
    append(m, start, STRONG);
    m->has_view = 0;
    p->end = run(m, start, right, 1, closed);
    p->is_open = (uint8_t)!closed;
    measure(m, count - 1);
}

/* Frames, counted from the origin, that the latest path has for the pulses to mark. */
static void load_track(marker *m, const ser_pitch *pitch, uint32_t from, uint16_t *track)
{
    m->track = track;
    m->track_start = (int32_t)(from - m->pulses->origin / SER_HOP);
    m->track_length = ser_pitch_track(pitch, from, track, SER_PULSES_TRACK);
}

/* Marks what intervals the path has; lag: frames for which an interval has to be over. */
static void look(ser_pulses *p, const ser_pitch *pitch, uint16_t *track, marker *m, int32_t lag)
{
    const uint32_t latest = pitch->base + pitch->frames; /* behind the last frame */
    for (;;) {
        const uint32_t room = SER_PULSES_TRACK;
        uint32_t from = p->next > pitch->base ? p->next : pitch->base;
        int32_t first, end;
        if (from >= latest) {
            return;
        }
        from = p->is_open && latest - from > room ? latest - room : from;
        load_track(m, pitch, from, track);

        if (p->is_open) {
            first = (p->end.sample - SER_PITCH_CENTRE + SER_HOP / 2) / SER_HOP - m->track_start;
            first = first < 0 ? 0 : first;
        } else {
            for (first = 0; first < m->track_length && track[first] == 0; first++) {
            }
            if (first == m->track_length) {
                if (first > lag) {
                    p->next = from + (uint32_t)(first - lag);
                }
                if (m->track_length < (int32_t)room) {
                    return;
                }
                continue;
            }
            p->next = from + (uint32_t)first;
        }
        for (end = first; end < m->track_length && track[end] > 0; end++) {
        }

        if (from + (uint32_t)end + (uint32_t)lag <= latest || lag == 0) {
            m->track_length = end;
            if (p->is_open) {
                const int32_t count = p->count;
                m->has_view = 0;
                run(m, p->end, edge_of(m->track_start + end - 1, 1), 1, 1);
                p->is_open = 0;
                measure(m, count - 1);
            } else {
                mark(m, m->track_start + first, m->track_start + end - 1, 1);
            }
            p->next = from + (uint32_t)end + 1;
            continue;
        }
        if (p->is_open) {
            const int32_t count = p->count;
            const int32_t last = m->track_length - SER_PULSES_LAG / 2;
            m->has_view = 0;
            if (last > first) {
                p->end = run(m, p->end, edge_of(m->track_start + last, 1), 1, 0);
                measure(m, count - 1);
            }
        } else if (p->next + SER_HISTORY_HOPS <= p->history.hops + 2 * SER_PULSES_PERIOD) {
            mark(m, m->track_start + first, m->track_start + m->track_length - SER_PULSES_LAG / 2, 0);
        }
        return;
    }
}

/* Whether the path is voiced at a pulse. Frames no longer kept count as voiced. */
static int is_voiced(const ser_pulses *p, const ser_pitch *pitch, int32_t i)
{
    const int32_t sample = (int32_t)(p->time[i] / SER_TIME_STEPS) - (SER_PITCH_CENTRE - SER_HOP / 2);
    const uint32_t frame = p->origin / SER_HOP + (uint32_t)(sample > 0 ? sample / SER_HOP : 0);
    return ser_pitch_is_voiced(pitch, frame);
}

/* Feeds pulses from ... to, those that the path and the peak leave, to the sums. */
static void add_pulses(const ser_pulses *p, const ser_pitch *pitch, int32_t from, int32_t to, float peak,
                       ser_perturbation *sums)
{
    const unsigned weak = pack_peak(peak * WEAK);
    int32_t i;
    for (i = from; i < to; i++) {
        /* beyond the edge of an interval Praat may put one more */
        if (p->info[i] >= weak &&
            (is_voiced(p, pitch, i) || (i > from && is_voiced(p, pitch, i - 1)) ||
             (i + 1 < to && is_voiced(p, pitch, i + 1)))) {
            ser_perturbation_add(sums, p->time[i] + p->origin * SER_TIME_STEPS,
                                 p->info[i] & LEVEL_MASK);
        }
    }
}

/* Makes room: the oldest pulses leave their sums, as the path is by now. */
static void commit(ser_pulses *p, ser_pitch *pitch, uint32_t level, float peak)
{
    const int32_t count = SER_PULSES_COMMIT;
    uint32_t shift;
    uint16_t i;
    ser_pitch_path(pitch, pitch->base, level);
    add_pulses(p, pitch, 0, count, peak, &p->settled);
    while (p->marked_count > 0 && p->marked[0].pulses < count) {
        forget(p);
    }
    for (i = 0; i < p->marked_count; i++) {
        p->marked[i].pulses = (uint16_t)(p->marked[i].pulses - count);
    }
    p->count = (uint16_t)(p->count - count);
    memmove(p->time, p->time + count, sizeof p->time[0] * p->count);
    memmove(p->info, p->info + count, sizeof p->info[0] * p->count);
    /* times stay small */
    shift = p->time[0] / SER_TIME_STEPS / SER_HOP * SER_HOP;
    p->origin += shift;
    p->end.sample -= (int32_t)shift;
    for (i = 0; i < p->count; i++) {
        p->time[i] -= shift * SER_TIME_STEPS;
    }
}

static marker marker_of(ser_pulses *p, float *scratch, float peak)
{
    marker m;
    memset(&m, 0, sizeof m);
    m.pulses = p;
    m.sound = scratch;
    m.weak = peak * WEAK;
    m.split = -1;
    return m;
}

void ser_pulses_hop(ser_pulses *p, const ser_tail *tail, ser_pitch *pitch, float *scratch)
{
    uint16_t track[SER_PULSES_TRACK];
    marker m;
    const uint32_t level = ser_tail_level(tail);
    const float peak = ser_tail_peak(tail);
    ser_history_hop(&p->history, tail);
    if (tail->hops % SER_PULSES_PERIOD != 0 || pitch->frames == 0) {
        return;
    }
    if (p->count + SER_PULSES_ROOM > SER_PULSES_MAX) {
        commit(p, pitch, level, peak);
    }
    while (p->marked_count > 0 &&
           p->marked[0].first + SER_HISTORY_HOPS <= p->history.hops + 2) {
        forget(p); /* its sound is not kept any more */
    }
    m = marker_of(p, scratch, peak);
    if (peak > p->loudest && !p->is_open && p->marked_count > 0) {
        int moved;
        ser_pitch_path(pitch, p->from, level);
        moved = find_moved(p, pitch);
        if (moved < p->marked_count) {
            p->count = p->marked[moved].pulses;
            if (p->count > 0) { /* its neighbour will be another */
                p->info[p->count - 1] = (uint16_t)(p->info[p->count - 1] & ~LEVEL_MASK);
            }
            unmark(p, moved);
        }
    } else {
        ser_pitch_path(pitch, p->next, level);
    }
    p->loudest = peak;
    look(p, pitch, track, &m, SER_PULSES_LAG);
}

void ser_pulses_columns(ser_pulses *p, const ser_tail *tail, ser_pitch *pitch, float *scratch,
                        float columns[SER_PERTURBATION_COLUMNS])
{
    uint16_t track[SER_PULSES_TRACK];
    ser_marked marked[SER_PULSES_MARKED];
    ser_perturbation sums = p->settled;
    const uint32_t level = ser_tail_level(tail);
    const float peak = ser_tail_peak(tail);
    /* what is marked provisionally, behind the pulses kept, is taken back below */
    const int32_t count = p->count;
    const uint32_t next = p->next, from = p->from;
    const ser_place end = p->end;
    const uint8_t is_open = p->is_open, marked_count = p->marked_count;
    const uint16_t info = count > 0 ? p->info[count - 1] : 0;
    int32_t good = count;
    marker m = marker_of(p, scratch, peak);
    memcpy(marked, p->marked, sizeof marked);
    ser_pitch_path(pitch, pitch->base, level);
    if (!is_open) {
        const int moved = find_moved(p, pitch);
        if (moved < marked_count) {
            good = p->marked[moved].pulses;
            m.split = count;
            m.before = good - 1;
            unmark(p, moved);
        }
    }
    look(p, pitch, track, &m, 0);
    add_pulses(p, pitch, 0, good, peak, &sums);
    add_pulses(p, pitch, count, (int32_t)p->count, peak, &sums);
    ser_perturbation_columns(&sums, columns);
    p->count = (uint16_t)count;
    p->next = next;
    p->from = from;
    p->end = end;
    p->is_open = is_open;
    p->marked_count = marked_count;
    memcpy(p->marked, marked, sizeof marked);
    if (count > 0) {
        p->info[count - 1] = info;
    }
}
