#include "ser_pitch.h"

#include "ser_fft_float.h"
#include "ser_math.h"
#include "ser_pack.h"
#include "ser_peak.h"

#include <string.h>

/* Short for the schema's. */
#define VOICING SER_PITCH_VOICING
#define JUMP_COST SER_PITCH_JUMP
#define TURN_COST SER_PITCH_TURN /* voiced / unvoiced */
#define LONGEST SER_PITCH_LONGEST
#define SHORTEST SER_PITCH_SHORTEST

/* How the windowed frame is laid into the transform, in pairs of samples. */
enum {
    PAIRS = SER_PITCH_WINDOW / 2,
    POINTS = SER_FRAME / 2, /* that go into one of the two halves of the transform */
    FOLDED = PAIRS - POINTS, /* pairs at the frame's end that meet its first ones */
    QUARTER = POINTS / 2     /* of a turn */
};
#if SER_PITCH_WINDOW % 4 != 0 || SER_PITCH_WINDOW < SER_FRAME || \
    SER_PITCH_WINDOW + SER_PITCH_LAGS > 2 * SER_FRAME
#error "SER_PITCH_FLOOR: three of its periods are a window that the transform here cannot take"
#endif

/* A period of p samples is stored as (log2 p - LOG_OFFSET) LOG_STEPS: a thousandth of a semitone apart or less. */
#define LOG_OFFSET SER_PITCH_LOG_OFFSET
#define LOG_STEPS SER_PITCH_LOG_STEPS
#define STRENGTH_STEPS 4095.0f
#define SILENCE_FREE 65536.0f /* louder than any local peak */
#define NO_FRAME 0xffffu /* before the start of the sound */

#define SAME_PEAK (1.0f / 256.0f) /* of it */

/* What storing in 16 and 12 bits may change about a difference of scores. */
#define ROUNDING 5e-4f

static uint32_t pack_candidate(float log_period, float strength)
{
    const uint32_t period = (uint32_t)((log_period - LOG_OFFSET) * LOG_STEPS + 0.5f);
    return period << 16 | (uint32_t)(strength * STRENGTH_STEPS + 0.5f) << 4;
}

static float stored_strength(uint32_t candidate)
{
    return (float)(candidate >> 4 & 0xfffu) * (1.0f / STRENGTH_STEPS);
}

static float log_period_of(uint32_t period)
{
    return (float)period * (1.0f / LOG_STEPS) + LOG_OFFSET;
}

/* Strengths as the path adds them up. */
static float voiced_score(float strength, float log_period)
{
    return strength - SER_PITCH_OCTAVE_COST * (log_period - SER_PITCH_LOG_SHORTEST);
}

static float unvoiced_score(float local_peak, float per_peak)
{
    const float loudness = ser_minf(local_peak * per_peak, 1.0f);
    return VOICING + ser_maxf(0.0f, 2.0f - loudness * ((1.0f + VOICING) / SER_PITCH_SILENCE));
}

static void start_again(ser_pitch_front *front)
{
    front->total[0] = 0.0f;
    front->quietest = SILENCE_FREE;
    front->frames = 0;
    front->place = 0;
}

void ser_pitch_reset(ser_pitch *pitch)
{
    memset(pitch, 0, sizeof *pitch);
    pitch->before = NO_FRAME;
    start_again(&pitch->front);
}

/* Mean of the middle of the frame, and the largest distance from it under the window. */
static float find_peak(const int16_t *frame, float *mean)
{
    const int half = SER_PITCH_WINDOW / 2;
    float peak = 0.0f;
    int i;
    *mean = (float)ser_tail_sum(frame + half - LONGEST, 2 * LONGEST) * (1.0f / (float)(2 * LONGEST));
    for (i = half - LONGEST / 2 - 1; i < half; i++) {
        const int mirror = SER_PITCH_WINDOW - 1 - i;
        const float left = ser_absf((float)frame[i] - *mean);
        const float right = ser_absf((float)frame[mirror] - *mean);
        peak = ser_maxf(peak, ser_hann_half[i] * ser_maxf(left, right));
    }
    return peak;
}

/* Writes z + tail and (z - tail) (c - i s) to the digit-reversed places of two 256-point transforms. */
static void spread(float *even, float *odd, float re, float im, float tail_re, float tail_im, float c, float s)
{
    even[0] = re + tail_re;
    even[1] = im + tail_im;
    re -= tail_re;
    im -= tail_im;
    odd[0] = re * c + im * s;
    odd[1] = im * c - re * s;
}

/* The windowed frame as complex numbers, through the first radix-2 step. */
static void load(const int16_t *x, float mean, float *scratch)
{
    const uint8_t *place = ser_digit_reversal;
    const float *turn = ser_quarter_circle, *w = ser_hann_half;
    float *odd = scratch + 2 * POINTS;
    int n;
    for (n = 0; n < FOLDED; n++, x += 2, w += 2, turn += 4) {
        const float *v = ser_hann_half + 2 * FOLDED - 1 - 2 * n;
        const int p = 2 * *place++;
        spread(scratch + p, odd + p, w[0] * ((float)x[0] - mean), w[1] * ((float)x[1] - mean),
               v[0] * ((float)x[2 * POINTS] - mean), v[-1] * ((float)x[2 * POINTS + 1] - mean), turn[0], turn[1]);
    }
    for (; n < QUARTER; n++, x += 2, w += 2, turn += 4) {
        const int p = 2 * *place++;
        spread(scratch + p, odd + p, w[0] * ((float)x[0] - mean), w[1] * ((float)x[1] - mean), 0.0f,
               0.0f, turn[0], turn[1]);
    }
    turn -= 4 * QUARTER; /* a quarter turn on: cos, sin become -sin, cos */
    for (; n < PAIRS / 2; n++, x += 2, w += 2, turn += 4) {
        const int p = 2 * *place++;
        spread(scratch + p, odd + p, w[0] * ((float)x[0] - mean), w[1] * ((float)x[1] - mean), 0.0f,
               0.0f, -turn[1], turn[0]);
    }
    for (w--; n < POINTS; n++, x += 2, w -= 2, turn += 4) {
        const int p = 2 * *place++;
        spread(scratch + p, odd + p, w[0] * ((float)x[0] - mean), w[-1] * ((float)x[1] - mean), 0.0f,
               0.0f, -turn[1], turn[0]);
    }
}

/* The frame's normalised autocorrelation r[0 ... SER_PITCH_LAGS), Boersma's equation 9, somewhere in scratch. */
static const float *correlate(const int16_t *frame, float mean, float *scratch)
{
    float *r, scale;
    int i;
    load(frame, mean, scratch);
    r = ser_fft_float_autocorrelation(scratch);
    scale = r[0] > 0.0f ? ser_recip(r[0]) : 0.0f;
    for (i = 0; i < SER_PITCH_LAGS; i++) {
        r[i] *= scale * ser_window_correction[i];
    }
    return r;
}

typedef struct {
    ser_peak peak;
    float log_period, score;
} found_maximum;

static float strength_of(ser_peak peak)
{
    return peak.height > 1.0f ? ser_recip(peak.height) : ser_maxf(peak.height, 0.0f);
}

static int weakest_of(const found_maximum *found, int count)
{
    int weakest = 0, i;
    for (i = 1; i < count; i++) {
        weakest = found[i].score < found[weakest].score ? i : weakest;
    }
    return weakest;
}

/* Maxima of r that can win against silence; of more than SER_PITCH_MAX the strongest. */
static int find_maxima(const float *r, float unvoiced, found_maximum *found)
{
    float enough = unvoiced - 2.0f * TURN_COST - ROUNDING;
    int count = 0, i;
    for (i = SHORTEST; i <= LONGEST; i++) {
        if (r[i] > 0.5f * VOICING && r[i] > r[i - 1] && r[i] >= r[i + 1]) {
            ser_peak peak = ser_peak_parabola(r, i);
            found_maximum f;
            if (peak.height < enough - 0.05f) {
                continue;
            }
            peak = ser_peak_refine(r, peak);
            if (peak.place * (float)SER_PITCH_CEILING < (float)SER_SAMPLE_RATE) {
                continue;
            }
            f.peak = peak;
            f.log_period = ser_log2(peak.place);
            f.score = voiced_score(strength_of(peak), f.log_period);
            if (f.score > enough) {
                if (count < SER_PITCH_MAX) {
                    found[count++] = f;
                } else {
                    found[weakest_of(found, count)] = f;
                }
                if (count == SER_PITCH_MAX) {
                    enough = found[weakest_of(found, count)].score;
                }
            }
        }
    }
    return count;
}

/* Whether another maximum of the same frame wins over f in every path. */
static int is_beaten(const found_maximum *f, const found_maximum *found, int count)
{
    int i;
    for (i = 0; i < count; i++) {
        const float distance = ser_absf(found[i].log_period - f->log_period);
        if (found[i].score - f->score > 2.0f * JUMP_COST * distance + ROUNDING) {
            return 1;
        }
    }
    return 0;
}

/* Leaves the maxima that can win. */
static int prune(found_maximum *found, int count)
{
    uint8_t beaten[SER_PITCH_MAX];
    int kept = 0, i;
    for (i = 0; i < count; i++) {
        beaten[i] = (uint8_t)is_beaten(found + i, found, count);
    }
    for (i = 0; i < count; i++) {
        if (!beaten[i]) {
            found[kept++] = found[i];
        }
    }
    return kept;
}

static void commit(ser_pitch *pitch, float peak);
static void keep_up(ser_pitch *pitch, float peak);

int ser_pitch_hop(ser_pitch *pitch, const ser_tail *tail, float *scratch)
{
    found_maximum found[SER_PITCH_MAX];
    const float peak = ser_tail_peak(tail);
    const float *r = scratch;
    float mean, local, unvoiced;
    int count = 0, kept, i;
    if (tail->hops <= SER_PITCH_LATENCY) {
        return 0;
    }
    local = find_peak(tail->sample, &mean);
    unvoiced = unvoiced_score(local, peak > 0.0f ? ser_recip(peak) : 0.0f);
    if (unvoiced < 1.0f + 2.0f * TURN_COST) { /* else nothing can win against silence */
        r = correlate(tail->sample, mean, scratch);
        count = find_maxima(r, unvoiced, found);
    }

    while (pitch->frames == SER_PITCH_FRAMES || pitch->pooled + SER_PITCH_MAX > SER_PITCH_POOL) {
        commit(pitch, peak);
    }
    kept = prune(found, count);
    for (i = 0; i < kept; i++) {
        /* the edges of the pulse marking's windows hang on hundredths of a sample */
        const ser_peak peak = ser_peak_deep_refine(r, found[i].peak);
        pitch->candidate[pitch->pooled++] =
            pack_candidate(ser_log2(ser_maxf(peak.place, (float)SHORTEST)), strength_of(peak));
    }
    pitch->peak[pitch->frames] = ser_pack(local);
    pitch->link[pitch->frames] = (uint16_t)(kept << 8);
    pitch->frames++;
    keep_up(pitch, peak);
    return 1;
}

static unsigned kept_of(const ser_pitch *pitch, unsigned i) { return pitch->link[i] >> 8; }

static unsigned chosen_of(const ser_pitch *pitch, unsigned i) { return pitch->link[i] >> 4 & 15u; }

/* Where the candidates of kept frame i start. */
static unsigned pool_of(const ser_pitch *pitch, unsigned i)
{
    unsigned place = pitch->pooled, j;
    for (j = pitch->frames; j > i; j--) {
        place -= kept_of(pitch, j - 1);
    }
    return place;
}

/* The log periods of the states of the frame before the front's next; returns how many. */
static unsigned states_before(const ser_pitch *pitch, float *period)
{
    const ser_pitch_front *front = &pitch->front;
    unsigned kept, s;
    period[0] = 0.0f;
    if (front->frames == 0) {
        if (pitch->before != 0 && pitch->before != NO_FRAME) {
            period[0] = log_period_of(pitch->before); /* settled: the only one */
        }
        return 1;
    }
    kept = kept_of(pitch, front->frames - 1u);
    for (s = 1; s <= kept; s++) {
        period[s] = log_period_of(pitch->candidate[front->place - kept + s - 1] >> 16);
    }
    return kept + 1;
}

/* The best way to unvoiced from the states before, and its score. */
SER_INLINE unsigned best_to_unvoiced(const float *total, const float *period, unsigned states, float *highest)
{
    unsigned best = 0, t;
    *highest = total[0] - (period[0] > 0.0f ? TURN_COST : 0.0f);
    for (t = 1; t < states; t++) {
        const float sum = total[t] - TURN_COST;
        if (sum > *highest) {
            *highest = sum;
            best = t;
        }
    }
    return best;
}

/* The same to a log period. */
SER_INLINE unsigned best_to_voiced(const float *total, const float *period, unsigned states, float to,
                                   float *highest)
{
    unsigned best = 0, t;
    *highest = total[0] - (period[0] > 0.0f ? JUMP_COST * ser_absf(period[0] - to) : TURN_COST);
    for (t = 1; t < states; t++) {
        const float sum = total[t] - JUMP_COST * ser_absf(period[t] - to);
        if (sum > *highest) {
            *highest = sum;
            best = t;
        }
    }
    return best;
}

/* Takes the forward pass on by one frame. */
static void take_frame(ser_pitch *pitch)
{
    ser_pitch_front *front = &pitch->front;
    float period[SER_PITCH_MAX + 1], total[SER_PITCH_MAX + 1];
    const unsigned states = states_before(pitch, period);
    const unsigned i = front->frames, kept = kept_of(pitch, i);
    uint32_t *c = pitch->candidate + front->place;
    unsigned best = 0, s;
    float unvoiced = 0.0f;
    if (i > 0 || pitch->before != NO_FRAME) {
        best = best_to_unvoiced(front->total, period, states, &unvoiced);
    }
    pitch->link[i] = (uint16_t)((pitch->link[i] & 0xfff0u) | best);
    if (kept > 0) {
        const float local = ser_unpack(pitch->peak[i]);
        unvoiced += unvoiced_score(local, front->per_peak);
        front->quietest = ser_minf(front->quietest, local);
    }
    for (s = 0; s < kept; s++) {
        const float log_period = log_period_of(c[s] >> 16);
        float voiced = 0.0f;
        best = 0;
        if (i > 0 || pitch->before != NO_FRAME) {
            best = best_to_voiced(front->total, period, states, log_period, &voiced);
        }
        /* totals stay small however long the sound is */
        total[s] = voiced + voiced_score(stored_strength(c[s]), log_period) -
                   unvoiced;
        c[s] = (c[s] & ~15u) | best;
    }
    front->total[0] = 0.0f;
    memcpy(front->total + 1, total, kept * sizeof *total);
    front->frames++;
    front->place = (uint16_t)(front->place + kept);
}

/* Refers the forward pass to a peak. The sound's mean drifts, and its peak with it, in either direction: a peak
 * nearer than SAME_PEAK to the last one is the same, which leaves scores exact to 0.008, and those only of frames
 * almost silent. */
static void refer(ser_pitch_front *front, float peak)
{
    const float before = front->per_peak;
    if (ser_absf(peak - front->peak) <= SAME_PEAK * front->peak) {
        return;
    }
    front->peak = peak;
    front->per_peak = ser_recip(peak);
    if (unvoiced_score(front->quietest, ser_minf(before, front->per_peak)) > VOICING) {
        start_again(front);
        front->patience = SER_PITCH_PATIENCE;
    }
}

/* Takes the forward pass on by a few frames. */
static void keep_up(ser_pitch *pitch, float peak)
{
    ser_pitch_front *front = &pitch->front;
    int most = SER_PITCH_PACE;
    refer(front, peak);
    if (front->patience > 0) {
        front->patience--;
        return;
    }
    for (; most > 0 && front->frames < pitch->frames; most--) {
        take_frame(pitch);
    }
}

void ser_pitch_path(ser_pitch *pitch, uint32_t from, float peak)
{
    const unsigned start = from > pitch->base ? from - pitch->base : 0;
    const float *total = pitch->front.total;
    unsigned i = pitch->frames, place = pitch->pooled, best = 0, s;
    if (start >= i) {
        return;
    }
    refer(&pitch->front, peak);
    while (pitch->front.frames < i) {
        take_frame(pitch);
    }
    for (s = 1; s <= kept_of(pitch, i - 1); s++) {
        best = total[s] > total[best] ? s : best;
    }
    while (i-- > start) {
        place -= kept_of(pitch, i);
        pitch->link[i] = (uint16_t)((pitch->link[i] & 0xff0fu) | best << 4);
        best = (best > 0 ? pitch->candidate[place + best - 1] : pitch->link[i]) & 15u;
    }
}

/* Candidate of kept frame i on the latest path, 0 = unvoiced; place: of its candidates. */
static uint32_t chosen_candidate(const ser_pitch *pitch, unsigned i, unsigned place)
{
    const unsigned chosen = chosen_of(pitch, i);
    return chosen > 0 ? pitch->candidate[place + chosen - 1] : 0;
}

/* Its stored period, 0 = unvoiced. */
static uint16_t chosen_period(const ser_pitch *pitch, unsigned i, unsigned place)
{
    return (uint16_t)(chosen_candidate(pitch, i, place) >> 16);
}

int ser_pitch_track(const ser_pitch *pitch, uint32_t from, uint16_t *track, int room)
{
    unsigned i = from > pitch->base ? from - pitch->base : 0, place;
    int count = 0;
    if (i >= pitch->frames) {
        return 0;
    }
    for (place = pool_of(pitch, i); i < pitch->frames && count < room; i++) {
        track[count++] = chosen_period(pitch, i, place);
        place += kept_of(pitch, i);
    }
    return count;
}

float ser_pitch_frequency(uint16_t stored) { return ser_exp2(-log_period_of(stored)); }

int ser_pitch_is_voiced(const ser_pitch *pitch, uint32_t frame)
{
    return frame < pitch->base ||
           (frame - pitch->base < pitch->frames && chosen_of(pitch, frame - pitch->base) > 0);
}

/* The next frame, kept frame i; place: of its candidates. */
static void add_to(ser_contours *contours, const ser_pitch *pitch, unsigned i, unsigned place, float peak)
{
    const uint32_t candidate = chosen_candidate(pitch, i, place);
    const float semitones = 12.0f * (SER_PITCH_LOG_ZERO - log_period_of(candidate >> 16));
    const int loud = ser_unpack(pitch->peak[i]) >= SER_CLEAR_PEAK * peak;
    if (SER_WITH_PITCH && candidate > 0) {
        ser_contour_voiced(&contours->voiced, semitones);
    } else if (SER_WITH_PITCH) {
        ser_contour_unvoiced(&contours->voiced, 1);
    }
    if (SER_WITH_CLEAR && candidate > 0 && loud && stored_strength(candidate) >= SER_CLEAR_STRENGTH) {
        ser_contour_voiced(&contours->clear, semitones);
    } else if (SER_WITH_CLEAR) {
        ser_contour_unvoiced(&contours->clear, loud);
    }
}

static void commit(ser_pitch *pitch, float peak)
{
    const unsigned count = pitch->frames < SER_PITCH_COMMIT ? pitch->frames : SER_PITCH_COMMIT;
    unsigned i, place = 0;
    ser_pitch_path(pitch, pitch->base, peak);
    for (i = 0; i < count; i++) {
        pitch->before = chosen_period(pitch, i, place);
        add_to(&pitch->settled, pitch, i, place, peak);
        place += kept_of(pitch, i);
    }
    pitch->frames = (uint16_t)(pitch->frames - count);
    pitch->pooled = (uint16_t)(pitch->pooled - place);
    pitch->base += count;
    pitch->front.frames = (uint16_t)(pitch->front.frames - count);
    pitch->front.place = (uint16_t)(pitch->front.place - place);
    memmove(pitch->candidate, pitch->candidate + place, sizeof(uint32_t) * pitch->pooled);
    memmove(pitch->peak, pitch->peak + count, sizeof(uint16_t) * pitch->frames);
    memmove(pitch->link, pitch->link + count, sizeof(uint16_t) * pitch->frames);
}

void ser_pitch_columns(ser_pitch *pitch, float peak, float columns[SER_COUNT_PITCH + SER_COUNT_CLEAR])
{
    ser_contours contours = pitch->settled;
    unsigned i, place = 0;
    ser_pitch_path(pitch, pitch->base, peak);
    for (i = 0; i < pitch->frames; i++) {
        add_to(&contours, pitch, i, place, peak);
        place += kept_of(pitch, i);
    }
    if (SER_WITH_PITCH) {
        ser_contour_end(&contours.voiced);
        ser_contour_columns(&contours.voiced, columns);
    }
    if (SER_WITH_CLEAR) {
        ser_contour_end(&contours.clear);
        ser_contour_columns(&contours.clear, columns + SER_COUNT_PITCH);
    }
}
