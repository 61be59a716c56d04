#include "ser_pitch.h"

#include "ser_fft.h"
#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_pack.h"
#include "ser_peak.h"
#include "ser_vectors.h"

#include <string.h>

/* Short for the schema's. */
#define VOICING SER_PITCH_VOICING_SCORE
#define TURN_COST SER_PITCH_TURN_SCORE /* voiced / unvoiced */
#define LONGEST SER_PITCH_LONGEST
#define SHORTEST SER_PITCH_SHORTEST
#define ONE (1 << SER_PITCH_SCORE_BITS)

/* How the windowed frame is laid into the transform, in pairs of samples. */
enum {
    PAIRS = SER_PITCH_WINDOW / 2,
    POINTS = SER_FRAME / 2, /* that go into one of the two halves of the transform */
    FOLDED = PAIRS - POINTS, /* pairs at the frame's end that meet its first ones */
    QUARTER = POINTS / 2,    /* of a turn */
    FOURTH = POINTS / 4      /* pairs that far apart become neighbours, four of them */
};
#define AS_MANY_ARE_FOLDED (4 * SER_PITCH_WINDOW == 5 * SER_FRAME) /* as FOURTH: so it is at 75 Hz */
#if SER_PITCH_WINDOW % 4 != 0 || SER_PITCH_WINDOW < SER_FRAME || \
    SER_PITCH_WINDOW + SER_PITCH_LAGS > 2 * SER_FRAME
#error "SER_PITCH_FLOOR: three of its periods are a window that the transform here cannot take"
#endif
/* Lags that are looked at, those that interpolation needs beyond the longest period included. */
#define LAGS (LONGEST + SER_SINC_DEEP + 2)
enum { LAGS_AT_ONCE = SER_NARROW_PRODUCTS ? 1 : 4 }; /* fewer where each product is a dozen instructions */
#if (LAGS + 3) / 4 * 4 > SER_PITCH_LAGS
#error "SER_PITCH_FLOOR: its period takes more lags than the transform gives"
#endif

#define STRENGTH_MOST 4095
#define SILENCE_FREE UINT32_MAX /* louder than any local peak */
#define NO_FRAME 0xffffu /* before the start of the sound */

#define SAME_PEAK 256U /* part of it */

/* What storing in 16 and 12 bits may change about a difference of scores. */
#define ROUNDING (ONE / 2000)

/* Height of a maximum with the bits of a score. */
static int32_t height_score(int32_t height)
{
    return height >> (SER_PEAK_HEIGHT_BITS - SER_PITCH_SCORE_BITS);
}

/* Of a period that is not shorter than SHORTEST: the way it is stored. */
static uint32_t log_period_of_place(int32_t place)
{
    const uint32_t octaves = (uint32_t)ser_log2_q24((uint32_t)place) - ((uint32_t)SER_PEAK_PLACE_BITS << 24);
    /* in two products of 32 bits: 24 fractional bits are 8 and 16 */
    const uint32_t steps = (octaves >> 16) * (uint32_t)SER_PITCH_LOG_STEPS * 2U +
                           (((octaves & 0xffffU) * (uint32_t)SER_PITCH_LOG_STEPS) >> 15);
    return ((steps + 256U) >> 9) - SER_PITCH_LOG_OFFSET_STEPS;
}

static uint32_t pack_candidate(uint32_t period, int32_t strength)
{
    const uint32_t packed = ((uint32_t)strength * STRENGTH_MOST + ONE / 2) >> SER_PITCH_SCORE_BITS;
    return (period < 0xffffU ? period : 0xffffU) << 16 | packed << 4;
}

/* To 2^-20: 4097 / 16 are 2^20 / 4095. */
static int32_t stored_strength(uint32_t candidate)
{
    return (int32_t)((candidate >> 4 & 0xfffu) * 4097U >> 4);
}

/* Octaves, for the end of a sound. */
static float log_period_of(uint32_t period)
{
    return (float)period * (1.0f / SER_PITCH_LOG_STEPS) + SER_PITCH_LOG_OFFSET;
}

/* Strengths as the path adds them up; log periods as they are stored, from here on. */
static int32_t voiced_score(int32_t strength, uint32_t log_period)
{
    const uint32_t cost = log_period * SER_PITCH_OCTAVE_FACTOR >> SER_PITCH_OCTAVE_SHIFT;
    return strength + SER_PITCH_OCTAVE_SCORE - (int32_t)cost;
}

SER_IN_RAM static int32_t jump_cost(uint32_t a, uint32_t b)
{
    return (int32_t)(ser_size((int32_t)a - (int32_t)b) * SER_PITCH_JUMP_FACTOR >> SER_PITCH_JUMP_SHIFT);
}

static ser_silence silence_of(uint32_t level)
{
    ser_silence silence = {level, 0x8000U, 0xffffU, 0};
    if (level > 0) {
        const int zeros = ser_leading_zeros(level);
        const uint32_t product = (level << zeros >> 16) * SER_PITCH_LOUD_FACTOR; /* 2^30 or more */
        const int more = ser_leading_zeros(product);
        silence.loud = product << more >> 16;
        silence.rate = 0x7fffffffU / silence.loud;
        silence.exponent = 32 - zeros - more - SER_PITCH_LOUD_SHIFT;
    }
    return silence;
}

static int32_t unvoiced_score(uint32_t local, const ser_silence *silence)
{
    const int up = -silence->exponent;
    uint32_t part;
    if (up >= 0) {
        if (up > 16 || local >> (16 - up) != 0) {
            return local > 0 ? VOICING : VOICING + 2 * ONE;
        }
        part = local << up;
    } else {
        part = local >> silence->exponent;
    }
    return part >= silence->loud
               ? VOICING
               : VOICING + (int32_t)((silence->loud - part) * silence->rate >> (30 - SER_PITCH_SCORE_BITS));
}

/* Nothing is counted ahead. */
static void count_again(ser_pitch *pitch)
{
    ser_pitch_ahead *ahead = &pitch->ahead;
    ahead->contours = pitch->settled;
    ahead->frames = 0;
    ahead->place = 0;
    ahead->soft = 0;
    ahead->loud = UINT32_MAX;
}

static void start_again(ser_pitch *pitch)
{
    ser_pitch_front *front = &pitch->front;
    front->total[0] = 0;
    front->quietest = SILENCE_FREE;
    front->frames = 0;
    front->place = 0;
    pitch->ahead.decided = 0;
    pitch->ahead.fork = 0;
    count_again(pitch);
}

void ser_pitch_reset(ser_pitch *pitch)
{
    memset(pitch, 0, sizeof *pitch);
    pitch->before = NO_FRAME;
    pitch->front.silence = silence_of(0);
    start_again(pitch);
}

/* The largest distance from the mean under the window, in 1/256 sample steps. From the middle outwards, where the window only falls, no
   sample counts that is not farther from the mean than the ones before: which leaves a few. */
SER_IN_RAM static uint32_t find_peak(const int16_t *frame, ser_scale level)
{
    const int16_t *left = frame + SER_PITCH_WINDOW / 2, *right = left;
    const uint16_t *w = ser_hann_half + SER_PITCH_WINDOW / 2;
    int32_t highest = level.mean >> level.up, lowest = -(-level.mean >> level.up);
    uint32_t peak = 0;
    for (const int16_t *end = right + LONGEST / 2 + 1; right < end; right++) {
        left--;
        w--;
        SER_AS_IT_IS(left);
        SER_AS_IT_IS(right);
        SER_AS_IT_IS(w);
        const int32_t a = *left, b = *right;
        if (a > highest || b > highest || a < lowest || b < lowest) {
            const int32_t up = 1 << level.up;
            const int32_t above = (a > b ? a : b) * up - level.mean, below = level.mean - (a < b ? a : b) * up;
            const int32_t most = above > below ? above : below;
            const uint32_t here = *w * (uint32_t)most;
            peak = here > peak ? here : peak;
            highest = (level.mean + most) >> level.up; /* what is beyond is farther: a whole number times 2^up is */
            lowest = -((most - level.mean) >> level.up);
        }
    }
    /* the window's one is 2^15 - 1 */
    peak = (peak >> 7) + (peak >> 22);
    return (peak + (1U << level.up >> 1)) >> level.up;
}

#if SER_VECTORS && SER_PITCH_WINDOW % 16 == 0
/* Eight samples under the window, weights as they are or from the last to the first. */
SER_INLINE ser_vector windowed_8(const int16_t *x, const uint16_t *w, int backwards, __m128i up, ser_vector mean)
{
    const __m128i last_first = _mm_setr_epi8(14, 15, 12, 13, 10, 11, 8, 9, 6, 7, 4, 5, 2, 3, 0, 1);
    const __m128i weights = _mm_loadu_si128((const __m128i_u *)(backwards ? w - 7 : w));
    const ser_vector samples = _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i_u *)x));
    return _mm256_srai_epi32(_mm256_mullo_epi32(_mm256_sub_epi32(_mm256_sll_epi32(samples, up), mean),
                                                _mm256_cvtepu16_epi32(backwards ? _mm_shuffle_epi8(weights, last_first) : weights)), 15);
}

/* Four complex numbers to their places. */
SER_INLINE void scatter_4(int32_t *to, const uint8_t *place, ser_vector z)
{
    const __m128i low = _mm256_castsi256_si128(z), high = _mm256_extracti128_si256(z, 1);
    _mm_storel_epi64((__m128i_u *)(to + 2 * place[0]), low);
    _mm_storel_epi64((__m128i_u *)(to + 2 * place[1]), _mm_unpackhi_epi64(low, low));
    _mm_storel_epi64((__m128i_u *)(to + 2 * place[2]), high);
    _mm_storel_epi64((__m128i_u *)(to + 2 * place[3]), _mm_unpackhi_epi64(high, high));
}

/* The windowed frame as complex numbers, through the first radix-2 step, four at a time, and transforms of four. */
static void load(const int16_t *x, ser_scale level, int32_t *scratch)
{
    const ser_vector mean = _mm256_set1_epi32(level.mean);
    const __m128i up = _mm_cvtsi32_si128(level.up);
    for (int n = 0; n < POINTS; n += 4) {
        const uint16_t *w = n < PAIRS / 2 ? ser_hann_half + 2 * n : ser_hann_half + 2 * (PAIRS - n) - 1;
        const ser_vector head = windowed_8(x + 2 * n, w, n >= PAIRS / 2, up, mean);
        ser_vector sum = head, z = head;
        ser_vector turns = _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i_u *)(ser_turns + 2 * (n % QUARTER))));
        if (n < FOLDED) {
            const ser_vector tail = windowed_8(x + 2 * (POINTS + n), ser_hann_half + 2 * (FOLDED - n) - 1, 1, up, mean);
            sum = _mm256_add_epi32(head, tail);
            z = _mm256_sub_epi32(head, tail);
        }
        if (n >= QUARTER) { /* a quarter turn on: cos, sin become -sin, cos */
            turns = _mm256_sign_epi32(ser_swap_4(turns), _mm256_setr_epi32(-1, 1, -1, 1, -1, 1, -1, 1));
        }
        const ser_vector re = _mm256_mullo_epi32(z, turns), im = _mm256_mullo_epi32(ser_swap_4(z), ser_conjugate_4(turns));
        const ser_vector turned = _mm256_shuffle_epi32(_mm256_hadd_epi32(re, im), 0xd8);
        scatter_4(scratch, ser_digit_reversal + n, _mm256_slli_epi32(sum, 4));
        scatter_4(scratch + 2 * POINTS, ser_digit_reversal + n, _mm256_srai_epi32(turned, 10));
    }
    ser_fft_fours(scratch);
    ser_fft_fours(scratch + 2 * POINTS);
}
#else
/* Samples under the window, times 2^AT_ONCE; weights are below 2^15. */
#if SER_SAMPLE_PAIRS
enum { AT_ONCE = 1 }; /* whose product is shifted by 16 in the same instruction */
SER_INLINE int32_t windowed(int32_t x, uint16_t weight)
{
    int32_t product;
    __asm__("smulwb %0, %1, %2" : "=r"(product) : "r"(x), "r"((int32_t)weight));
    return product;
}
#else
enum { AT_ONCE = 0 };
SER_INLINE int32_t windowed(int32_t x, uint16_t weight) { return (x * weight) >> 15; }
#endif

#if AS_MANY_ARE_FOLDED
/* The transform of four neighbours: from the sum and the difference of the first and third, which are in place, and the other two times a
   factor. */
SER_INLINE void take_others(int32_t *z, int32_t *b, int32_t *d, int32_t factor)
{
    SER_FIRST_THIS_4(z, b[0], b[1], d[0], d[1]);
    const int32_t ur = (b[0] + d[0]) * factor, vi = (b[1] - d[1]) * factor, sr = z[0], tr = z[4];
    z[0] = sr + ur;
    z[4] = sr - ur;
    z[2] = tr + vi;
    z[6] = tr - vi;
    SER_FIRST_THIS_4(z, b[0], b[1], d[0], d[1]);
    const int32_t ui = (b[1] + d[1]) * factor, vr = (b[0] - d[0]) * factor, si = z[1], ti = z[5];
    z[1] = si + ui;
    z[5] = si - ui;
    z[3] = ti - vr;
    z[7] = ti + vr;
}

/*
 * Four neighbours in the transforms are the pairs of samples n, n + FOURTH and so on, the first with what it meets at the frame's end:
 * z + tail and (z - tail) (c - i s). In are 16 bits and a sign, of which windows that meet leave no more; out, four times 2^20 sqrt 2 at
 * most. Of the turns 14 bits do: what is left out of them makes an error below that of rounding. The third and fourth turn is a quarter
 * further: -s, c. up, down: weights at x and at what it meets, from the last one; rising: whether the third one's still are.
 *
 * Of the first and third it leaves what does not hang on the others.
 */
SER_INLINE void load_first_and_third(const int16_t *x, const uint16_t *up, const uint16_t *down, int rising, const int16_t *turn,
                                     int32_t factor, int32_t mean, int32_t *z)
{
    const int16_t *far = x + 4 * FOURTH, *end = x + 8 * FOURTH;
    const uint16_t *middle = rising ? up + 4 * FOURTH : down + 4 * FOURTH;
    SER_AS_IT_IS(far);
    SER_AS_IT_IS(middle);
    SER_AS_IT_IS(factor); /* if they went to memory they come back at once */
    SER_AS_IT_IS(mean);
    int32_t cr = windowed(far[0] * factor - mean, middle[rising ? 0 : 1]);
    int32_t ci = windowed(far[1] * factor - mean, middle[rising ? 1 : 0]);
    SER_FIRST_THIS_2(end, cr, ci);
    int32_t er = windowed(end[0] * factor - mean, down[1]), ei = windowed(end[1] * factor - mean, down[0]);
    SER_FIRST_THIS_4(x, cr, ci, er, ei);
    int32_t ar = windowed(x[0] * factor - mean, up[0]), ai = windowed(x[1] * factor - mean, up[1]);
    SER_FIRST_THIS_4(z, er, ei, ar, ai);
    z[0] = (ar + er + cr) * 16;
    z[4] = (ar + er - cr) * 16;
    z[1] = (ai + ei + ci) * 16;
    z[5] = (ai + ei - ci) * 16;
    ar -= er;
    ai -= ei;
    SER_FIRST_THIS_4(z, cr, ci, ar, ai);
    int32_t *odd = z + 2 * POINTS;
    SER_AS_IT_IS(odd);
    const int32_t c = turn[0], s = turn[1];
    const int32_t zr = (ar * c + ai * s) >> 10, zi = (ai * c - ar * s) >> 10;
    const int32_t vr = (ci * c - cr * s) >> 10, vi = -(ci * s + cr * c) >> 10;
    odd[0] = zr + vr;
    odd[4] = zr - vr;
    odd[1] = zi + vi;
    odd[5] = zi - vi;
}

/* Of the others, from x, up, down and turn of the second on; with that the transforms of the four are done. */
SER_INLINE void load_others(const int16_t *x, const uint16_t *up, const uint16_t *down, const int16_t *turn, int32_t factor, int32_t mean,
                            int32_t *z)
{
    const int16_t *far = x + 4 * FOURTH;
    SER_AS_IT_IS(factor); /* as above */
    SER_AS_IT_IS(mean);
    int32_t b[2] = {windowed(x[0] * factor - mean, up[0]), windowed(x[1] * factor - mean, up[1])};
    SER_FIRST_THIS_2(far, b[0], b[1]);
    int32_t d[2] = {windowed(far[0] * factor - mean, down[1]), windowed(far[1] * factor - mean, down[0])};
    take_others(z, b, d, 16);
    SER_FIRST_THIS_4(z, b[0], b[1], d[0], d[1]);
    const int32_t c = turn[0], s = turn[1];
    int32_t turned_b[2] = {(b[0] * c + b[1] * s) >> 10, (b[1] * c - b[0] * s) >> 10};
    int32_t turned_d[2] = {(d[1] * c - d[0] * s) >> 10, -(d[1] * s + d[0] * c) >> 10};
    int32_t *odd = z + 2 * POINTS;
    take_others(odd, turned_b, turned_d, 1);
}

/* The windowed frame as complex numbers, through the first radix-2 step and transforms of four. */
SER_IN_RAM static void load(const int16_t *x, ser_scale level, int32_t *scratch)
{
    const uint8_t *place = ser_digit_reversal;
    const int16_t *turn = ser_turns;
    const uint16_t *up = ser_hann_half, *down = up + 2 * FOURTH;
    const int32_t mean = level.mean * (1 << AT_ONCE);
    int32_t factor = 1 << (level.up + AT_ONCE);
    SER_AS_IT_IS(factor);
    for (const int16_t *end = x + FOURTH; x < end; x += 2, up += 2, turn += 2) {
        down -= 2;
        SER_AS_IT_IS(x);
        SER_AS_IT_IS(up);
        SER_AS_IT_IS(down);
        SER_AS_IT_IS(turn);
        load_first_and_third(x, up, down, 1, turn, factor, mean, scratch + 2 * *place++);
    }
    for (const int16_t *end = x + FOURTH; x < end; x += 2, up += 2, turn += 2) {
        down -= 2;
        SER_AS_IT_IS(x);
        SER_AS_IT_IS(up);
        SER_AS_IT_IS(down);
        SER_AS_IT_IS(turn);
        load_first_and_third(x, up, down, 0, turn, factor, mean, scratch + 2 * *place++);
    }
    place -= FOURTH;
    down += 4 * FOURTH;
    for (const int16_t *end = x + 2 * FOURTH; x < end; x += 2, up += 2, turn += 2) {
        down -= 2;
        SER_AS_IT_IS(x);
        SER_AS_IT_IS(up);
        SER_AS_IT_IS(down);
        SER_AS_IT_IS(turn);
        load_others(x, up, down, turn, factor, mean, scratch + 2 * *place++);
    }
}
#else
/* Of any other window, pair after pair, as above. */
SER_IN_RAM static void load(const int16_t *x, ser_scale level, int32_t *scratch)
{
    const int32_t mean = level.mean * (1 << AT_ONCE), factor = 1 << (level.up + AT_ONCE);
    for (int n = 0; n < POINTS; n++, x += 2) {
        const int left = n < PAIRS / 2;
        const uint16_t *w = ser_hann_half + (left ? 2 * n : 2 * (PAIRS - n) - 1);
        const int16_t *turn = ser_turns + 2 * (n % QUARTER);
        const int32_t c = n < QUARTER ? turn[0] : -turn[1], s = n < QUARTER ? turn[1] : turn[0];
        int32_t re = windowed(x[0] * factor - mean, w[0]), im = windowed(x[1] * factor - mean, left ? w[1] : w[-1]);
        int32_t tail_re = 0, tail_im = 0;
        if (n < FOLDED) {
            const uint16_t *v = ser_hann_half + 2 * (FOLDED - n) - 1;
            tail_re = windowed(x[2 * POINTS] * factor - mean, v[0]);
            tail_im = windowed(x[2 * POINTS + 1] * factor - mean, v[-1]);
        }
        int32_t *even = scratch + 2 * ser_digit_reversal[n], *odd = even + 2 * POINTS;
        even[0] = (re + tail_re) * 16;
        even[1] = (im + tail_im) * 16;
        re -= tail_re;
        im -= tail_im;
        odd[0] = (re * c + im * s) >> 10;
        odd[1] = (im * c - re * s) >> 10;
    }
    ser_fft_fours(scratch);
    ser_fft_fours(scratch + 2 * POINTS);
}
#endif
#endif

/* 2^60 / x, for x from 2^29 to 2^30; error 2^-27 of it. */
static int32_t reciprocal(int32_t x)
{
    const int32_t rough = 0x7fffffff / (x >> 14); /* 15 good bits */
    const int32_t y = (rough < 0xffff ? rough : 0xffff) * (1 << 15);
    const int32_t rest = (1 << 28) - ser_mulh(x, y); /* Newton */
    const int32_t step = ser_mulh(y, rest * 16);
    return step > INT32_MAX - y ? INT32_MAX : y + step;
}

/* The frame's normalised autocorrelation r[0 ... LAGS), Boersma's equation 9, Q4.27, somewhere in scratch. */
SER_IN_RAM static const int32_t *correlate(const int16_t *frame, ser_scale level, int32_t *scratch)
{
    int32_t *r, per_power, up;
    load(frame, level, scratch);
    r = ser_fft_autocorrelation(scratch);
    if (r[0] > 0) {
        up = (int32_t)1 << (ser_leading_zeros((uint32_t)r[0]) - 2 > 0 ? ser_leading_zeros((uint32_t)r[0]) - 2 : 0);
        per_power = reciprocal(r[0] * up);
        const int32_t *w = ser_window_correction;
        int32_t *lag = r;
        SER_AS_IT_IS(up);
        for (const int32_t *end = r + (LAGS + 3) / 4 * 4; lag < end; lag += LAGS_AT_ONCE, w += LAGS_AT_ONCE) {
            SER_AS_IT_IS(lag);
            SER_AS_IT_IS(w);
            lag[0] = ser_mulh(ser_mulh(lag[0] * up, per_power), w[0]) * 8;
#if !SER_NARROW_PRODUCTS
            lag[1] = ser_mulh(ser_mulh(lag[1] * up, per_power), w[1]) * 8;
            lag[2] = ser_mulh(ser_mulh(lag[2] * up, per_power), w[2]) * 8;
            lag[3] = ser_mulh(ser_mulh(lag[3] * up, per_power), w[3]) * 8;
#endif
        }
    }
    return r;
}

typedef struct {
    ser_peak peak;
    uint32_t log_period;
    int32_t score;
} found_maximum;

static int32_t strength_of(ser_peak peak)
{
    if (height_score(peak.height) > ONE) { /* one over it */
        return 16 * (int32_t)(UINT32_MAX / (uint32_t)(peak.height >> (SER_PEAK_HEIGHT_BITS - 16)));
    }
    return peak.height > 0 ? height_score(peak.height) : 0;
}

static int weakest_of(const found_maximum *found, int count)
{
    int weakest = 0, i;
    for (i = 1; i < count; i++) {
        weakest = found[i].score < found[weakest].score ? i : weakest;
    }
    return weakest;
}

typedef struct {
    found_maximum *found;
    int count;
    int32_t enough; /* the score that one needs to win */
} found_maxima;

/* Lag i of r is a maximum: it is kept if it can win; of more than SER_PITCH_MAX the strongest are. */
SER_IN_RAM static void take_maximum(found_maxima *all, const int32_t *r, int i)
{
    /* the place of SER_PITCH_CEILING */
    const int32_t shortest = (int32_t)((((int64_t)SER_SAMPLE_RATE << SER_PEAK_PLACE_BITS) + SER_PITCH_CEILING - 1) /
                                       SER_PITCH_CEILING);
    ser_peak peak = ser_peak_parabola(r, i);
    found_maximum f;
    if (height_score(peak.height) < all->enough - ONE / 20) {
        return;
    }
    peak = ser_peak_refine(r, peak);
    if (peak.place < shortest) {
        return;
    }
    f.peak = peak;
    f.log_period = log_period_of_place(peak.place);
    f.score = voiced_score(strength_of(peak), f.log_period);
    if (f.score > all->enough) {
        all->found[all->count < SER_PITCH_MAX ? all->count++ : weakest_of(all->found, all->count)] = f;
        if (all->count == SER_PITCH_MAX) {
            all->enough = all->found[weakest_of(all->found, all->count)].score;
        }
    }
}

/* Maxima of r that can win against silence. */
SER_IN_RAM static int find_maxima(const int32_t *r, int32_t unvoiced, found_maximum *found)
{
    found_maxima all = {found, 0, unvoiced - 2 * TURN_COST - ROUNDING};
    int32_t low = VOICING * (1 << (26 - SER_PITCH_SCORE_BITS)); /* a lag is, where no maximum of any use can be */
    const int32_t *last = r + LONGEST;
    SER_AS_IT_IS(low);
    for (const int32_t *four = r + SHORTEST; four <= last; four += 4) {
        SER_AS_IT_IS(four);
        if (four[0] <= low && four[1] <= low && four[2] <= low && four[3] <= low) {
            continue;
        }
        for (const int32_t *lag = four, *end = last - four < 4 ? last + 1 : four + 4; lag < end; lag++) {
            SER_AS_IT_IS(lag);
            if (lag[0] > low && lag[0] > lag[-1] && lag[0] >= lag[1]) {
                take_maximum(&all, r, (int)(lag - r));
            }
        }
    }
    return all.count;
}

/* Whether another maximum of the same frame wins over f in every path. */
static int is_beaten(const found_maximum *f, const found_maximum *found, int count)
{
    int i;
    for (i = 0; i < count; i++) {
        if (found[i].score - f->score > 2 * jump_cost(found[i].log_period, f->log_period) + ROUNDING) {
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

static void commit(ser_pitch *pitch, uint32_t level);
static void keep_up(ser_pitch *pitch, uint32_t level);

SER_IN_RAM int ser_pitch_hop(ser_pitch *pitch, const ser_tail *tail, int32_t *scratch)
{
    found_maximum found[SER_PITCH_MAX];
    const uint32_t peak = ser_tail_level(tail);
    const ser_silence silence = silence_of(peak);
    const int32_t *r = scratch;
    ser_scale level;
    uint32_t local;
    int32_t unvoiced;
    int count = 0, kept, i;
    if (tail->hops <= SER_PITCH_LATENCY) {
        return 0;
    }
    level = ser_tail_scale(tail, SER_PITCH_WINDOW / 2);
    local = find_peak(tail->sample, level);
    unvoiced = unvoiced_score(local, &silence);
    if (unvoiced < ONE + 2 * TURN_COST) { /* else nothing can win against silence */
        r = correlate(tail->sample, level, scratch);
        count = find_maxima(r, unvoiced, found);
    }

    while (pitch->frames == SER_PITCH_FRAMES || pitch->pooled + SER_PITCH_MAX > SER_PITCH_POOL) {
        commit(pitch, peak);
    }
    kept = prune(found, count);
    for (i = 0; i < kept; i++) {
        /* the edges of the pulse marking's windows hang on hundredths of a sample */
        const int32_t shortest = SHORTEST * (1 << SER_PEAK_PLACE_BITS);
        ser_peak near = ser_peak_deep_refine(r, found[i].peak);
        near.place = near.place > shortest ? near.place : shortest;
        pitch->candidate[pitch->pooled++] = pack_candidate(log_period_of_place(near.place), strength_of(near));
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

/* Of the frame before the front's next, what its paths add up to and its log period, 0 where it is unvoiced. */
typedef struct {
    int32_t total;
    uint32_t period;
} path_state;

/* These states; returns the end of them. */
static path_state *states_before(const ser_pitch *pitch, path_state *state)
{
    const ser_pitch_front *front = &pitch->front;
    const int32_t *total = front->total;
    state->period = 0;
    state->total = *total++;
    if (front->frames == 0) {
        if (pitch->before != NO_FRAME) {
            state->period = pitch->before; /* settled: the only one */
        }
        return state + 1;
    }
    const unsigned kept = kept_of(pitch, front->frames - 1u);
    const uint32_t *end = pitch->candidate + front->place;
    state++;
    for (const uint32_t *c = end - kept; c < end; c++, state++) {
        state->total = *total++;
        state->period = *c >> 16;
    }
    return state;
}

/* The best way to unvoiced from the states before, and its score. */
SER_INLINE unsigned best_to_unvoiced(const path_state *state, const path_state *end, int32_t *highest)
{
    const path_state *best = state;
    int32_t most = state->total - (state->period > 0 ? TURN_COST : 0);
    for (const path_state *s = state + 1; s < end; s++) {
        const int32_t sum = s->total - TURN_COST;
        if (sum > most) {
            most = sum;
            best = s;
        }
    }
    *highest = most;
    return (unsigned)(best - state);
}

/* The same to a log period. */
SER_INLINE unsigned best_to_voiced(const path_state *state, const path_state *end, uint32_t to, int32_t *highest)
{
    const path_state *best = state;
    int32_t most = state->total - (state->period > 0 ? jump_cost(state->period, to) : TURN_COST);
    for (const path_state *s = state + 1; s < end; s++) {
        SER_AS_IT_IS(s);
        int32_t sum = s->total - jump_cost(s->period, to);
        SER_AS_IT_IS(sum);
        if (sum > most) {
            most = sum;
            best = s;
            SER_AS_IT_IS(best); /* a jump over it, not a choice */
        }
    }
    *highest = most;
    return (unsigned)(best - state);
}

/* Notes the path from kept frame `end` - 1, whose candidates end at `place` and whose best state this is, back to frame `start`. */
static void note_path(ser_pitch *pitch, unsigned start, unsigned end, unsigned place, unsigned best)
{
    while (end-- > start) {
        place -= kept_of(pitch, end);
        pitch->link[end] = (uint16_t)((pitch->link[end] & 0xff0fu) | best << 4);
        best = (best > 0 ? pitch->candidate[place + best - 1] : pitch->link[end]) & 15u;
    }
}

/* Frame i has been taken, whose candidates start at this place: if all of its states come from one of frame `fork`, every path will go
   through that one, and what leads there is decided; frame i is the next fork then. */
static void decide(ser_pitch *pitch, unsigned i, unsigned place)
{
    ser_pitch_ahead *ahead = &pitch->ahead;
    const uint32_t *c = pitch->candidate + place;
    const unsigned kept = kept_of(pitch, i) & 15u; /* compilers do not know that it is so few */
    uint8_t from[16];
    unsigned same = 1, s;
    if (SER_PITCH_COUNTS == 0) {
        return; /* a test's build, which finds everything when asked */
    }
    if (i > ahead->fork) {
        from[0] = ahead->from[pitch->link[i] & 15u];
        for (s = 1; s <= kept; s++) {
            from[s] = ahead->from[c[s - 1] & 15u];
            same &= from[s] == from[0];
        }
        memcpy(ahead->from, from, kept + 1);
        if (!same) {
            return;
        }
        note_path(pitch, ahead->decided, ahead->fork + 1u, ahead->fork_place + kept_of(pitch, ahead->fork), from[0]);
        ahead->decided = (uint16_t)(ahead->fork + 1u);
    }
    ahead->fork = (uint16_t)i;
    ahead->fork_place = (uint16_t)place;
    for (s = 0; s <= kept; s++) {
        ahead->from[s] = (uint8_t)s;
    }
}

/* Takes the forward pass on by one frame. */
SER_IN_RAM static void take_frame(ser_pitch *pitch)
{
    ser_pitch_front *front = &pitch->front;
    path_state before[SER_PITCH_MAX + 1];
    const path_state *end = states_before(pitch, before);
    int32_t *total = front->total + 1;
    const unsigned i = front->frames, kept = kept_of(pitch, i);
    uint32_t *c = pitch->candidate + front->place;
    unsigned best = 0, s;
    int32_t unvoiced = 0;
    if (i > 0 || pitch->before != NO_FRAME) {
        best = best_to_unvoiced(before, end, &unvoiced);
    }
    pitch->link[i] = (uint16_t)((pitch->link[i] & 0xfff0u) | best);
    if (kept > 0) {
        const uint32_t local = ser_unpack(pitch->peak[i]);
        unvoiced += unvoiced_score(local, &front->silence);
        front->quietest = local < front->quietest ? local : front->quietest;
    }
    for (s = 0; s < kept; s++) {
        const uint32_t log_period = c[s] >> 16;
        int32_t voiced = 0;
        best = 0;
        if (i > 0 || pitch->before != NO_FRAME) {
            best = best_to_voiced(before, end, log_period, &voiced);
        }
        /* totals stay small however long the sound is */
        total[s] = voiced + voiced_score(stored_strength(c[s]), log_period) - unvoiced;
        c[s] = (c[s] & ~15u) | best;
    }
    front->total[0] = 0;
    decide(pitch, i, front->place);
    front->frames++;
    front->place = (uint16_t)(front->place + kept);
}

/* Refers the forward pass to a peak. The sound's mean drifts, and its peak with it, in either direction: a peak
 * nearer than a part in SAME_PEAK to the last one is the same, which leaves scores exact to 0.008, and those only of
 * frames almost silent. */
static void refer(ser_pitch *pitch, uint32_t level)
{
    ser_pitch_front *front = &pitch->front;
    const ser_silence before = front->silence;
    const uint32_t moved = level > before.level ? level - before.level : before.level - level;
    if (moved <= before.level / SAME_PEAK) {
        return;
    }
    front->silence = silence_of(level);
    if (unvoiced_score(front->quietest, level > before.level ? &front->silence : &before) > VOICING) {
        start_again(pitch);
        front->patience = SER_PITCH_PATIENCE;
    }
}

static void count_ahead(ser_pitch *pitch, uint32_t level, int most);

/* Takes the forward pass on by a few frames; or counts some, if that is one of them or none. */
static void keep_up(ser_pitch *pitch, uint32_t level)
{
    ser_pitch_front *front = &pitch->front;
    int most = SER_PITCH_PACE;
    refer(pitch, level);
    if (front->patience > 0) {
        front->patience--;
        return;
    }
    for (; most > 0 && front->frames < pitch->frames; most--) {
        take_frame(pitch);
    }
    if (most >= SER_PITCH_PACE - 1) {
        count_ahead(pitch, level, SER_PITCH_COUNTS - 2 * (int)kept_of(pitch, pitch->frames - 1u));
    }
}

void ser_pitch_path(ser_pitch *pitch, uint32_t from, uint32_t level)
{
    const unsigned start = from > pitch->base ? from - pitch->base : 0;
    const unsigned frames = pitch->frames;
    const int32_t *total = pitch->front.total;
    unsigned best = 0, s;
    if (start >= frames) {
        return;
    }
    refer(pitch, level);
    while (pitch->front.frames < frames) {
        take_frame(pitch);
    }
    for (s = 1; s <= kept_of(pitch, frames - 1); s++) {
        best = total[s] > total[best] ? s : best;
    }
    note_path(pitch, start > pitch->ahead.decided ? start : pitch->ahead.decided, frames, pitch->pooled, best);
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

/* Of a frame, from which on it is clear, in a sound of this peak. */
static uint32_t clear_level(uint32_t level)
{
    return (ser_umulh(level << 7, SER_CLEAR_SHARE) + 32) >> 6; /* a level is at most 2^24 */
}

/* The next frame, kept frame i; place: of its candidates; clear: the level from which on it is clear. */
static void add_to(ser_contours *contours, const ser_pitch *pitch, unsigned i, unsigned place, uint32_t clear)
{
    const uint32_t candidate = chosen_candidate(pitch, i, place);
    const int loud = ser_unpack(pitch->peak[i]) >= clear;
    if (SER_WITH_PITCH && candidate > 0) {
        ser_contour_voiced(&contours->voiced, (uint16_t)(candidate >> 16));
    } else if (SER_WITH_PITCH) {
        ser_contour_unvoiced(&contours->voiced, 1);
    }
    if (SER_WITH_CLEAR && candidate > 0 && loud && stored_strength(candidate) >= SER_CLEAR_STRENGTH_SCORE) {
        ser_contour_voiced(&contours->clear, (uint16_t)(candidate >> 16));
    } else if (SER_WITH_CLEAR) {
        ser_contour_unvoiced(&contours->clear, loud);
    }
}

/* Whether what is counted ahead holds for this level of the clear frames. */
static int is_counted(const ser_pitch_ahead *ahead, uint32_t clear)
{
    return ahead->soft < clear && clear <= ahead->loud;
}

/* Counts up to so many of the frames that are decided, for a sound of this peak. */
static void count_ahead(ser_pitch *pitch, uint32_t level, int most)
{
    ser_pitch_ahead *ahead = &pitch->ahead;
    const uint32_t clear = clear_level(level);
    if (!is_counted(ahead, clear)) {
        count_again(pitch);
    }
    for (; most > 0 && ahead->frames < ahead->decided; most--) {
        const uint32_t local = ser_unpack(pitch->peak[ahead->frames]);
        if (local >= clear) {
            ahead->loud = local < ahead->loud ? local : ahead->loud;
        } else {
            ahead->soft = local > ahead->soft ? local : ahead->soft;
        }
        add_to(&ahead->contours, pitch, ahead->frames, ahead->place, clear);
        ahead->place = (uint16_t)(ahead->place + kept_of(pitch, ahead->frames));
        ahead->frames++;
    }
}

static void commit(ser_pitch *pitch, uint32_t level)
{
    const unsigned count = pitch->frames < SER_PITCH_COMMIT ? pitch->frames : SER_PITCH_COMMIT;
    const uint32_t clear = clear_level(level);
    ser_pitch_ahead *ahead = &pitch->ahead;
    unsigned i, place = 0;
    ser_pitch_path(pitch, pitch->base, level);
    for (i = 0; i < count; i++) {
        pitch->before = chosen_period(pitch, i, place);
        add_to(&pitch->settled, pitch, i, place, clear);
        place += kept_of(pitch, i);
    }
    pitch->frames = (uint16_t)(pitch->frames - count);
    pitch->pooled = (uint16_t)(pitch->pooled - place);
    pitch->base += count;
    pitch->front.frames = (uint16_t)(pitch->front.frames - count);
    pitch->front.place = (uint16_t)(pitch->front.place - place);
    if (ahead->frames >= count && is_counted(ahead, clear)) {
        ahead->frames = (uint16_t)(ahead->frames - count);
        ahead->place = (uint16_t)(ahead->place - place);
    } else {
        count_again(pitch);
    }
    ahead->decided = (uint16_t)(ahead->decided > count ? ahead->decided - count : 0);
    if (ahead->fork >= count) {
        ahead->fork = (uint16_t)(ahead->fork - count);
        ahead->fork_place = (uint16_t)(ahead->fork_place - place);
    } else {
        ahead->fork = pitch->front.frames; /* the next to be taken */
    }
    memmove(pitch->candidate, pitch->candidate + place, sizeof(uint32_t) * pitch->pooled);
    memmove(pitch->peak, pitch->peak + count, sizeof(uint16_t) * pitch->frames);
    memmove(pitch->link, pitch->link + count, sizeof(uint16_t) * pitch->frames);
}

void ser_pitch_columns(ser_pitch *pitch, uint32_t level, ser_contours *work,
                       float columns[SER_COUNT_PITCH + SER_COUNT_CLEAR])
{
    const uint32_t clear = clear_level(level);
    unsigned i, place;
    ser_pitch_path(pitch, pitch->base, level);
    if (!is_counted(&pitch->ahead, clear)) {
        count_again(pitch);
    }
    *work = pitch->ahead.contours;
    place = pitch->ahead.place;
    for (i = pitch->ahead.frames; i < pitch->frames; i++) {
        add_to(work, pitch, i, place, clear);
        place += kept_of(pitch, i);
    }
    if (SER_WITH_PITCH) {
        ser_contour_end(&work->voiced);
        ser_contour_columns(&work->voiced, columns);
    }
    if (SER_WITH_CLEAR) {
        ser_contour_end(&work->clear);
        ser_contour_columns(&work->clear, columns + SER_COUNT_PITCH);
    }
}
