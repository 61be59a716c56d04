#include "ser_pulses.h"

#include "ser_fixed.h"
#include "ser_tables.h"
#include "ser_vectors.h"
#include "ser_voice_tables.h"

#include <string.h>

/* Praat's own numbers, as its manual gives them where it does */
#define SEARCH_FROM 3435973837U /* 0.8 of a period, Q0.32; to 1.25 */
#define ALIKE 20132659          /* 0.3, Q5.26: correlation from which a pulse counts */
#define ALIKE_EDGE 46976205     /* 0.7: from which one more counts beyond the interval */
#define WEAK 100215898U         /* 0.0233333 of the sound's peak, Q0.32 */
#define STRONG 100000           /* sample steps: never too weak */
#define LAGS_MAX (45 * SER_PITCH_LONGEST / 100 + 17) /* from 0.8 to 1.25, and some */
#define VIEW_HOPS SER_VIEW_HOPS
#define MISSING (SER_HOP - SER_CLIP_REMAINDER) /* samples that hop 0 has less than the others */
#if VIEW_HOPS * SER_HOP > SER_PULSES_SCRATCH
#error "SER_HOP: ser_pulses.c cannot look at so many hops together"
#endif
#define ONE (1 << SER_PLACE_BITS) /* a sample */
#define LEVEL_ONE 256             /* a sample step, in a level of ser_tail.h */
#define LEVEL_STEP ((1 << 24) / SER_LEVEL_STEPS) /* of a logarithm in Q24 */
#define LEVEL_BITS 11
#define LEVEL_MASK ((1u << LEVEL_BITS) - 1u)

/* What marking needs besides the pulses: a few hops of sound and the path. */
typedef struct {
    ser_pulses *pulses;
    int32_t *sound;      /* VIEW_HOPS hops */
    int32_t size[VIEW_HOPS]; /* largest sample of each, without its sign */
    int32_t view;        /* the first of them; counted from the origin */
    int has_view;
    const uint16_t *track; /* stored periods */
    int32_t track_start; /* frame, counted from the origin */
    int32_t track_length;
    uint32_t weak; /* a level: peaks up to this do not count */
    /* Pulses from `split` on follow pulse `before`; those in between are out of date. */
    int32_t split, before;
} marker;

/* A stretch of the sound, sample 0 being the origin's, and the largest of its samples or of some more around them. */
typedef struct {
    const int32_t *sample;
    uint32_t size;
} stretch;

typedef struct {
    ser_place place;
    int32_t likeness; /* correlation, Q5.26; negative if there is no maximum */
    int32_t peak;     /* largest sample around */
} ser_match;

void ser_pulses_reset(ser_pulses *pulses) { memset(pulses, 0, sizeof *pulses); }

static ser_place place_at(int32_t sample, int32_t fraction)
{
    const ser_place place = {sample + (fraction >> SER_PLACE_BITS), fraction & (ONE - 1)};
    return place;
}

/* Whether a is behind b. */
static int is_behind(ser_place a, ser_place b)
{
    return a.sample > b.sample || (a.sample == b.sample && a.fraction > b.fraction);
}

/* Rounds down however far below the origin a sample lies. */
static int32_t hop_of(int32_t sample)
{
    return (sample + MISSING + 64 * SER_HOP) / SER_HOP - 64;
}

static uint32_t size_of(int32_t x) { return (uint32_t)(x < 0 ? -x : x); }

/* The largest of so many samples, without its sign. */
static int32_t largest(const int32_t *x, int32_t count)
{
    int32_t low = 0, high = 0;
    for (const int32_t *end = x + count; x < end; x++) {
        low = *x < low ? *x : low;
        high = *x > high ? *x : high;
    }
    return high > -low ? high : -low;
}

/* Samples low ... high, VIEW_HOPS hops apart at most; more of what comes before or after is read along. */
static stretch sound_at(marker *m, int32_t low, int32_t high, int leftwards)
{
    const int32_t first = hop_of(low), last = hop_of(high);
    int32_t i, size = 0;
    stretch found;
    if (!m->has_view || first < m->view || last >= m->view + VIEW_HOPS) {
        const int32_t view = leftwards ? last - VIEW_HOPS + 1 : first;
        const int32_t shift = m->has_view ? view - m->view : VIEW_HOPS;
        const int32_t kept = VIEW_HOPS - (shift < 0 ? -shift : shift);
        /* what is decoded already moves */
        if (kept > 0 && shift > 0) {
            ser_copy_words(m->sound, m->sound + shift * SER_HOP, kept * SER_HOP);
            memmove(m->size, m->size + shift, (size_t)kept * sizeof m->size[0]);
        } else if (kept > 0) {
            int32_t *to = m->sound + VIEW_HOPS * SER_HOP;
            for (const int32_t *from = m->sound + kept * SER_HOP; from > m->sound;) {
                *--to = *--from;
            }
            memmove(m->size - shift, m->size, (size_t)kept * sizeof m->size[0]);
        }
        for (i = 0; i < VIEW_HOPS; i++) {
            if (kept <= 0 || (shift > 0 ? i >= kept : i < -shift)) {
                /* a hop before the sound begins wraps around to one that is not recorded */
                ser_history_read(&m->pulses->history,
                                 m->pulses->origin / SER_HOP + (uint32_t)(view + i), m->sound + SER_HOP * i);
                m->size[i] = largest(m->sound + SER_HOP * i, SER_HOP);
            }
        }
        m->view = view;
        m->has_view = 1;
    }
    for (i = first - m->view; i <= last - m->view; i++) {
        size = m->size[i] > size ? m->size[i] : size;
    }
    found.sample = m->sound - (m->view * SER_HOP - MISSING);
    found.size = (uint32_t)size;
    return found;
}

/* Frequencies are in cycles per 2^PACE samples, Q2.30, and below 1: PACE octaves are the least that a stored period stands for. */
#define PACE (SER_PITCH_LOG_OFFSET_STEPS / (int32_t)SER_PITCH_LOG_STEPS)

static int32_t frequency_of(uint16_t stored)
{
    /* steps are below 2^19; 2^24 over an octave's, times 2^19, fits 32 bits */
    const uint32_t steps = stored + (uint32_t)SER_PITCH_LOG_OFFSET_STEPS - (uint32_t)PACE * (uint32_t)SER_PITCH_LOG_STEPS;
    const uint32_t per_step = (uint32_t)((UINT64_C(1) << 43) / (uint32_t)SER_PITCH_LOG_STEPS);
    return ser_exp2_q30(-(int32_t)ser_umulh(steps << 13, per_step));
}

/* The period in 1 / ONE sample, of the frequency linear between voiced frames; 0 where it is unvoiced. */
static int32_t period_at(const marker *m, ser_place place)
{
    const int32_t half = place.fraction + ONE / 2;
    const int32_t since = place.sample - SER_PITCH_CENTRE - m->track_start * SER_HOP + (half >> SER_PLACE_BITS);
    const int32_t whole = since / SER_HOP;
    const int32_t i = whole * SER_HOP > since ? whole - 1 : whole;
    const uint32_t way = (((uint32_t)(since - i * SER_HOP) << SER_PLACE_BITS) | (uint32_t)(half & (ONE - 1))) / SER_HOP;
    const uint16_t a = i >= 0 && i < m->track_length ? m->track[i] : 0;
    const uint16_t b = i >= -1 && i + 1 < m->track_length ? m->track[i + 1] : 0;
    int32_t frequency;
    if (a > 0 && b > 0) {
        frequency = frequency_of(a);
        frequency += 2 * ser_mulh((int32_t)(way << (31 - SER_PLACE_BITS)), frequency_of(b) - frequency);
    } else if (a > 0 && way < ONE / 2) {
        frequency = frequency_of(a);
    } else if (b > 0 && way >= ONE / 2) {
        frequency = frequency_of(b);
    } else {
        return 0;
    }
    {
        const int zeros = ser_leading_zeros((uint32_t)frequency);
        return (int32_t)(ser_reciprocal((uint32_t)frequency << zeros) >> (32 - SER_PLACE_BITS - PACE - zeros));
    }
}

/* Of how many times four products, and of three more, the sum fits 32 bits, if no sample is larger: at most 16; 0 if of fewer than
   two. */
static int32_t rounds_of(uint32_t size)
{
    const uint32_t square = size * size; /* at most 2^30 */
    uint32_t most = (1U << 31) / 88;     /* of 8 rounds 44, of 4 22, of 2 11 */
    int32_t rounds = 16;
    while (square >= most) {
        most *= 2;
        rounds >>= 1;
    }
    return rounds > 1 ? rounds : 0;
}

static uint64_t power(const int32_t *x, int32_t count)
{
    uint64_t sum = 0;
    for (; count > 1; count -= 2, x += 2) {
        sum += (uint32_t)(x[0] * x[0]) + (uint32_t)(x[1] * x[1]); /* at most 2^31 */
    }
    return count > 0 ? sum + (uint32_t)(x[0] * x[0]) : sum;
}

/* What is done before stays before, where LLVM for Xtensa would load more samples than there are registers for. */
#if defined(__XTENSA__) && defined(__GNUC__)
#define FIRST_THIS(x, a, b, c, d) __asm__("" : "+r"(x), "+r"(a), "+r"(b), "+r"(c), "+r"(d))
#else
#define FIRST_THIS(x, a, b, c, d) (void)0
#endif

/*
 * add_products: sums of products of x[0..4 rounds + rest) with y[0..), y[1..), as many as are TOGETHER, added to sums. Every sample of
 * y is loaded once; there is a round.
 * add_loud: the same of two, of x[0..4 rounds), by pairs of products: of their sums the low 32 bits, and of each all but its low 16
 * bits in high, which says how often the low ones went over.
 */
#if SER_NARROW_PRODUCTS /* a Cortex-M0+ has registers for two sums */
#define TOGETHER 2

SER_NOT_INLINE static void add_products(const int32_t *x, const int32_t *y, int32_t rounds, int32_t rest, int64_t *sums)
{
    const int32_t *end = x + 4 * rounds;
    int32_t a = 0, b = 0, y0 = y[0];
    do {
        int32_t v = x[0], y1 = y[1];
        a += v * y0;
        b += v * y1;
        v = x[1];
        y0 = y[2];
        a += v * y1;
        b += v * y0;
        v = x[2];
        y1 = y[3];
        a += v * y0;
        b += v * y1;
        v = x[3];
        y0 = y[4];
        a += v * y1;
        b += v * y0;
        x += 4;
        y += 4;
    } while (x < end);
    for (; rest > 0; rest--) {
        const int32_t v = *x++;
        a += v * y0;
        y0 = *++y;
        b += v * y0;
    }
    sums[0] += a;
    sums[1] += b;
}

SER_NOT_INLINE static void add_loud(const int32_t *x, const int32_t *y, int32_t rounds, uint32_t low[2], int32_t high[2])
{
    for (int k = 0; k < 2; k++) {
        uint32_t a = 0;
        int32_t above = 0;
        for (int32_t left = rounds; left > 0; left--, x += 4, y += 4) {
            int32_t pair = x[0] * y[0] + x[1] * y[1];
            a += (uint32_t)pair;
            above += pair >> 16;
            pair = x[2] * y[2] + x[3] * y[3];
            a += (uint32_t)pair;
            above += pair >> 16;
        }
        low[k] += a;
        high[k] += above;
        x -= 4 * rounds;
        y -= 4 * rounds - 1;
    }
}
#else
#define TOGETHER 4

SER_NOT_INLINE static void add_products(const int32_t *x, const int32_t *y, int32_t rounds, int32_t rest, int64_t *sums)
{
    const int32_t *end = x + 4 * rounds;
    int32_t a = 0, b = 0, c = 0, d = 0;
    int32_t y0 = y[0], y1 = y[1], y2 = y[2], y3;
    do {
        y3 = y[3];
        a += x[0] * y0;
        b += x[0] * y1;
        c += x[0] * y2;
        d += x[0] * y3;
        FIRST_THIS(x, a, b, c, d);
        y0 = y[4];
        a += x[1] * y1;
        b += x[1] * y2;
        c += x[1] * y3;
        d += x[1] * y0;
        FIRST_THIS(x, a, b, c, d);
        y1 = y[5];
        a += x[2] * y2;
        b += x[2] * y3;
        c += x[2] * y0;
        d += x[2] * y1;
        FIRST_THIS(x, a, b, c, d);
        y2 = y[6];
        a += x[3] * y3;
        b += x[3] * y0;
        c += x[3] * y1;
        d += x[3] * y2;
        FIRST_THIS(x, a, b, c, d);
        x += 4;
        y += 4;
    } while (x < end);
    for (; rest > 0; rest--, x++, y++) {
        y3 = y[3];
        a += x[0] * y0;
        b += x[0] * y1;
        c += x[0] * y2;
        d += x[0] * y3;
        y0 = y1;
        y1 = y2;
        y2 = y3;
    }
    sums[0] += a;
    sums[1] += b;
    sums[2] += c;
    sums[3] += d;
}

SER_NOT_INLINE static void add_loud(const int32_t *x, const int32_t *y, int32_t rounds, uint32_t low[2], int32_t high[2])
{
    const int32_t *end = x + 4 * rounds;
    uint32_t a = 0, b = 0;
    int32_t above_a = 0, above_b = 0, y0 = y[0];
    while (x < end) {
        int32_t y1 = y[1], pair = x[0] * y0 + x[1] * y1;
        a += (uint32_t)pair;
        above_a += pair >> 16;
        y0 = y[2];
        pair = x[0] * y1 + x[1] * y0;
        b += (uint32_t)pair;
        above_b += pair >> 16;
        FIRST_THIS(x, a, b, above_a, above_b);
        y1 = y[3];
        pair = x[2] * y0 + x[3] * y1;
        a += (uint32_t)pair;
        above_a += pair >> 16;
        y0 = y[4];
        pair = x[2] * y1 + x[3] * y0;
        b += (uint32_t)pair;
        above_b += pair >> 16;
        FIRST_THIS(x, a, b, above_a, above_b);
        x += 4;
        y += 4;
    }
    low[0] += a;
    low[1] += b;
    high[0] += above_a;
    high[1] += above_b;
}
#endif

/* Sums of products of x[0..count) with y[0..) and y[1..), of samples of any size. Samples of -2^15 may not meet in pairs. */
static void products_of_loud(const int32_t *x, const int32_t *y, int32_t count, uint32_t size, int64_t *sums)
{
    const int32_t rounds = size < 32768 ? count >> 2 : 0;
    uint32_t low[2] = {0, 0};
    int32_t high[2] = {0, 0};
    add_loud(x, y, rounds, low, high);
    for (int k = 0; k < 2; k++) {
        for (int32_t i = 4 * rounds; i < count; i++) {
            const int32_t product = x[i] * y[k + i];
            low[k] += (uint32_t)product;
            high[k] += product >> 16;
        }
        sums[k] = (int64_t)high[k] * (1 << 16) + (uint32_t)(low[k] - (uint32_t)high[k] * (1U << 16));
    }
}

/* Sums of products of x[0..count) with y[0..), y[1..), as many as are TOGETHER. size, rounds: see rounds_of. */
static void products(const int32_t *x, const int32_t *y, int32_t count, uint32_t size, int32_t rounds, int64_t *sums)
{
    if (rounds == 0 || count < 4) {
        for (int k = 0; k < TOGETHER; k += 2) {
            products_of_loud(x, y + k, count, size, sums + k);
        }
        return;
    }
    for (int k = 0; k < TOGETHER; k++) {
        sums[k] = 0;
    }
    for (int32_t left = count >> 2; left > 0; left -= rounds) {
        add_products(x, y, left < rounds ? left : rounds, left <= rounds ? count & 3 : 0, sums);
        x += 4 * rounds;
        y += 4 * rounds;
    }
}

/* Sums over 2^shift, or times 2^-shift, as 32 bits hold them then. */
SER_INLINE int32_t reduced(int64_t sum, int shift)
{
    const uint32_t low = (uint32_t)(uint64_t)sum;
    const uint32_t high = (uint32_t)((uint64_t)sum >> 32);
    return (int32_t)(shift > 0 ? high << (32 - shift) | low >> shift : low << -shift);
}

#if SER_VECTORS
#define LENGTH_MOST ((SER_PITCH_LONGEST + 48) / 16 * 16)

/* The same sums, lag by lag, sixteen products together. Returns of how many lags. */
static int32_t many_products(const int32_t *x, const int32_t *y, int32_t lags, int32_t count, uint32_t size, int shift,
                             int32_t *sums)
{
    int16_t own[LENGTH_MOST], other[LENGTH_MOST + LAGS_MAX + 16];
    const int32_t all = (count + 15) / 16 * 16;
    int32_t i, k;
    if (size > 32767 || all > LENGTH_MOST) {
        return 0;
    }
    for (i = 0; i < all; i++) {
        own[i] = (int16_t)(i < count ? x[i] : 0);
    }
    for (i = 0; i < all + lags; i++) {
        other[i] = (int16_t)(i < count + lags ? y[i] : 0);
    }
    for (k = 0; k < lags; k++) {
        int64_t sum;
        if (size * size < (1U << 30) / LENGTH_MOST * 8) {
            ser_vector a = _mm256_setzero_si256();
            for (i = 0; i < all; i += 16) {
                a = _mm256_add_epi32(a, _mm256_madd_epi16(ser_load_8(own + i), ser_load_8(other + k + i)));
            }
            a = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(a)),
                                 _mm256_cvtepi32_epi64(_mm256_extracti128_si256(a, 1)));
            sum = ser_sum_4(a);
        } else {
            ser_vector a = _mm256_setzero_si256();
            for (i = 0; i < all; i += 16) {
                const ser_vector b = _mm256_madd_epi16(ser_load_8(own + i), ser_load_8(other + k + i));
                a = _mm256_add_epi64(a, _mm256_cvtepi32_epi64(_mm256_castsi256_si128(b)));
                a = _mm256_add_epi64(a, _mm256_cvtepi32_epi64(_mm256_extracti128_si256(b, 1)));
            }
            sum = ser_sum_4(a);
        }
        sums[k] = reduced(sum, shift);
    }
    return lags;
}
#endif

/*
 * x / sqrt(power) times 2^13, power > 0, |x| < sqrt(power) 2^15: relative error below 6e-7 and a unit. From the middle of a range of
 * ser_root_rows on, by products of 16 bits.
 */
SER_INLINE int32_t over_root(int32_t x, uint32_t power)
{
    const int half = ser_leading_zeros(power) >> 1;
    const uint32_t p = power << (2 * half); /* 2^30 and more */
    const int32_t *row = ser_root_rows[(p >> 25) - 32];
    const uint32_t inverse = (uint32_t)row[0]; /* of the middle, 2^62 / c */
    const int32_t near = (int32_t)ser_umulh(inverse, (uint32_t)row[1]); /* 2^45 / sqrt(c) */
    /* d = p / c - 1 times 2^36, at most 2^30 in size, and its powers: 1 - d / 2 + 3 / 8 d^2 - 5 / 16 d^3 */
    const int32_t d = (((int32_t)(p & 0x1ffffffU) - (1 << 24)) >> 9) * (int32_t)(inverse >> 17);
    const int32_t d15 = d >> 15; /* times 2^21 */
    const int32_t square = (d15 * d15) >> 6;
    const int32_t cube = ((square >> 10) * d15) >> 11;
    const int32_t more = ((3 * square) >> 3) - (d >> 1) - ((5 * cube) >> 4);
    return ser_mulh(x * (1 << half), near + (((near >> 15) * (more >> 14)) >> 7));
}

/* Sums of products, of lag 0 and so on, over the root of the power that the other stretch has there: x[0..length) and on. */
SER_NOT_INLINE static void normalise(int32_t *sums, int32_t count, const int32_t *x, int32_t length, uint64_t power, int shift)
{
    for (const int32_t *end = sums + count; sums < end; sums++, x++) {
        const int32_t out = x[0], in = x[length];
        const uint32_t part = (uint32_t)reduced((int64_t)power, shift);
        *sums = part > 0 ? over_root(*sums, part) : 0;
        power += (uint64_t)(int64_t)(in * in - out * out);
    }
}

/* Where between -1/2 and 1/2 a parabola's top is, which rises by `rise` from the value before the largest to the one after
   it, and falls by `bend` to both together: |rise| <= bend < 2^30. In 2^-29. */
static int32_t top_of(int32_t rise, int32_t bend)
{
    if (bend <= 0) {
        return 0;
    }
    const int zeros = ser_leading_zeros((uint32_t)bend); /* 2 or more */
    const int32_t per_bend = (int32_t)(ser_reciprocal((uint32_t)bend << zeros) >> 1);
    return ser_mulh(rise * (1 << (zeros - 1)), per_bend);
}

static int32_t as_place(int32_t top) { return ser_rounded(top, 29 - SER_PLACE_BITS); }

/*
 * The place 0.8 to 1.25 periods before (side -1) or after (side 1) another whose surroundings of one period
 * are most like that one's.
 */
static ser_match find_match(marker *m, ser_place from, int32_t period, int side)
{
    int32_t likeness[LAGS_MAX + TOGETHER];
    const int32_t edge = from.fraction - (period >> 1);
    const int32_t first = ser_rounded(edge, SER_PLACE_BITS);
    const int32_t low = from.sample + first;
    const int32_t length = ser_rounded(from.fraction + (period >> 1), SER_PLACE_BITS) - first + 1;
    const int32_t near = (int32_t)ser_umulh((uint32_t)period, SEARCH_FROM), far = period + (period >> 2);
    const int32_t start = from.sample + ((side > 0 ? edge + near : edge - far) >> SER_PLACE_BITS);
    const int32_t end = from.sample - (-(side > 0 ? edge + far : edge - near) >> SER_PLACE_BITS); /* rounded up */
    const int32_t count = end - start + 1 < LAGS_MAX ? end - start + 1 : LAGS_MAX;
    const stretch sound = sound_at(m, side > 0 ? low : start, (side > 0 ? end + 3 : low) + length, side < 0);
    const int32_t *x = sound.sample + low, *y = sound.sample + start;
    const uint64_t own = power(x, length);
    const uint64_t other = power(y, length);
    const uint64_t all = other + power(y + length, count - 1);
    int32_t highest = -(1 << 30), best = -1, k = 0;
    ser_match match = {from, -1, 0};
    /* the power of the louder stretch is made 2^28 ... 2^29 */
    const uint64_t most = own > all ? own : all;
    const int over = most >> 32 != 0 ? 32 - ser_leading_zeros((uint32_t)(most >> 32))
                                     : most > 0 ? -ser_leading_zeros((uint32_t)most) : 0;
    const int shift = over + 3;

#if SER_VECTORS
    k = many_products(x, y, count, length, sound.size, shift, likeness);
#endif
    for (const int32_t rounds = rounds_of(sound.size); k < count; k += TOGETHER) {
        int64_t sums[TOGETHER];
        products(x, y + k, length, sound.size, rounds, sums);
        for (int i = 0; i < TOGETHER; i++) {
            likeness[k + i] = reduced(sums[i], shift);
        }
    }
    normalise(likeness, count, y, length, other, shift); /* up to 2^27.5 */

    /* Praat takes the two lags before the first as 0, and then the first of them may be a maximum. */
    if (likeness[0] <= 0) {
        highest = 0;
        match.likeness = -likeness[0] >> 3;
        match.place = place_at(from.sample + start - low, from.fraction - 3 * ONE / 2);
    }
    for (k = 0; k + 1 < count; k++) {
        if (likeness[k] > highest && likeness[k] >= likeness[k + 1] &&
            likeness[k] >= (k > 0 ? likeness[k - 1] : 0)) {
            highest = likeness[k];
            best = k;
        }
    }
    if (best >= 0) {
        const int32_t before = best > 0 ? likeness[best - 1] : 0;
        const int32_t rise = likeness[best + 1] - before;
        const int32_t top = top_of(rise, (highest - before) + (highest - likeness[best + 1]));
        match.likeness = highest + 2 * ser_mulh(rise, top);
        match.place = place_at(from.sample + start - low + best, from.fraction + as_place(top));
        match.peak = largest(y + best, length);
    }
    {
        const uint32_t part = (uint32_t)reduced((int64_t)own, shift);
        match.likeness = part > 0 ? over_root(match.likeness, part) : match.likeness;
    }
    return match;
}

/* The largest sample within half a period of the middle, between samples if it is not at the edge. */
static ser_place find_start(marker *m, ser_place middle, int32_t period)
{
    const int32_t low = middle.sample + ((middle.fraction - (period >> 1)) >> SER_PLACE_BITS);
    const int32_t high = middle.sample - (-(middle.fraction + (period >> 1)) >> SER_PLACE_BITS);
    const int32_t *x = sound_at(m, low, high, 1).sample;
    int32_t best = low, i;
    for (i = low + 1; i <= high; i++) {
        best = size_of(x[i]) > size_of(x[best]) ? i : best;
    }
    if (best > low && best < high) {
        const int32_t rise = x[best + 1] - x[best - 1], bend = 2 * x[best] - x[best - 1] - x[best + 1];
        return place_at(best, as_place(x[best] < 0 ? top_of(-rise, -bend) : top_of(rise, bend)));
    }
    return place_at(best, 0);
}

static int32_t previous(const marker *m, int32_t i) { return i == m->split ? m->before : i - 1; }

/* A level in half octaves, rounded. */
static unsigned pack_peak(uint32_t level)
{
    const int32_t log2 = level > LEVEL_ONE ? ser_log2_q24(level) - 8 * (1 << 24) : 0;
    const unsigned steps = (unsigned)(log2 + (1 << 22)) >> 23;
    return (log2 > 0 ? (steps < 31u ? steps : 31u) : 0u) << LEVEL_BITS;
}

/* Keeps a pulse; those too weak for the peak so far are too weak for any. */
static void append(marker *m, ser_place place, int32_t peak)
{
    ser_pulses *p = m->pulses;
    const uint32_t level = (uint32_t)peak * LEVEL_ONE;
    if (p->count < SER_PULSES_MAX && level > m->weak) {
        p->time[p->count] = (uint32_t)place.sample * SER_TIME_STEPS +
                            (uint32_t)ser_rounded(place.fraction * SER_TIME_STEPS, SER_PLACE_BITS);
        p->info[p->count] = (uint16_t)pack_peak(level);
        p->count++;
    }
}

/* Whether a place is by more than 0.8 of a period behind a pulse, or there is none. */
static int is_far(const ser_pulses *p, int32_t last, ser_place place, int32_t period)
{
    if (last >= 0) {
        const int32_t since = place.sample - (int32_t)(p->time[last] / SER_TIME_STEPS);
        if (since < 2 * SER_PITCH_LONGEST) {
            return since >= 0 && since * ONE + place.fraction - (int32_t)(p->time[last] % SER_TIME_STEPS) * (ONE / SER_TIME_STEPS) >
                                     (int32_t)ser_umulh((uint32_t)period, SEARCH_FROM);
        }
    }
    return 1;
}

/* Adds pulses from a place on, to an edge (closed: with Praat's extra one beyond it). Returns where it ended. */
static ser_place run(marker *m, ser_place place, ser_place edge, int side, int closed)
{
    const int32_t last = previous(m, m->pulses->count); /* pulse of an earlier interval */
    for (;;) {
        const int32_t period = period_at(m, place);
        ser_match match;
        int beyond, far;
        if (period <= 0 || (!closed && is_behind(place, edge))) {
            return place;
        }
        match = find_match(m, place, period, side);
        if (match.likeness < 0) { /* nothing found: on by one period */
            match.place = place_at(place.sample, place.fraction + side * period);
        }
        place = match.place;
        beyond = side > 0 ? is_behind(place, edge) : is_behind(edge, place);
        far = side > 0 || is_far(m->pulses, last, place, period);
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

/* Q16 of cos^2(pi / 2 x), a Hann window from its middle to its edge; x in 2^-21, at most 1. Linear between 256 places, to 2e-5. */
static uint32_t hann(uint32_t x)
{
    const uint32_t i = x >> 13;
    if (i > 255) {
        return 0;
    }
    const int32_t a = ser_quarter_circle_q31[2 * i] >> 1;
    const int32_t b = i < 255 ? ser_quarter_circle_q31[2 * i + 2] >> 1 : 0; /* nearer than 2^23 to a */
    const int32_t between = (((b - a) >> 5) * (int32_t)(x & 0x1fffU)) >> 8;
    const uint32_t cosine = (uint32_t)(a + between + (1 << 13)) >> 14; /* at most 2^16 */
    return cosine > 0xffffU ? 0xffffU : (cosine * cosine + (1U << 15)) >> 16;
}

/* Of a fifth of a period, in 1 / SER_TIME_STEPS sample: rounded down to samples. */
static int32_t fifths(int32_t x)
{
    const int32_t whole = x / (5 * SER_TIME_STEPS);
    return whole * (5 * SER_TIME_STEPS) > x ? whole - 1 : whole;
}

/* Root mean square around a pulse under a Hann window of 0.2 of the periods to either side: its log2 in SER_LEVEL_STEPS, rounded;
   0 if it is not above 1. */
static uint32_t amplitude(marker *m, uint32_t time, uint32_t left, uint32_t right)
{
    const int32_t sample = (int32_t)(time / SER_TIME_STEPS);
    const int32_t fraction = (int32_t)(time % SER_TIME_STEPS);
    const int32_t half = 5 * SER_TIME_STEPS / 2;
    const int32_t low = sample + fifths(5 * fraction - (int32_t)left + half);
    const int32_t high = sample + fifths(5 * fraction + (int32_t)right + half);
    const stretch sound = sound_at(m, low, high, 0);
    /* one over 0.2 of the period, times 2^29 */
    const uint32_t per_left = ((5U << 29) + left / 2) / left, per_right = ((5U << 29) + right / 2) / right;
    uint64_t sum = 0, weights = 0;
    int up, i;
    int32_t octaves;
    if (sound.size == 0) {
        return 0;
    }
    up = ser_leading_zeros(sound.size << 16);
    for (i = low; i <= high; i++) {
        const int32_t d = (i - sample) * SER_TIME_STEPS - fraction;
        const uint32_t size = size_of(d);
        if (5 * size <= (d < 0 ? left : right)) {
            const uint32_t w = hann((size * (d < 0 ? per_left : per_right)) >> 8);
            const uint32_t v = (w * size_of(sound.sample[i])) << up;
            sum += ser_umulh(v, v);
            weights += w * w;
        }
    }
    if (sum == 0) {
        return 0;
    }
    octaves = ser_log2_q24_64(sum) - ser_log2_q24_64(weights) + (32 - 2 * up) * (1 << 24); /* of the square */
    return octaves > 0 ? ((uint32_t)octaves + LEVEL_STEP) / (2 * LEVEL_STEP) : 0;
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
            const uint32_t level = amplitude(m, p->time[i], left, right);
            p->info[i] = (uint16_t)(p->info[i] | (level < LEVEL_MASK ? level : LEVEL_MASK));
        }
    }
}

/* Where voiced frames begin and end: half a hop outside their centres. Frames count from the origin. */
static ser_place edge_of(int32_t frame, int side)
{
    return place_at(SER_PITCH_CENTRE + frame * SER_HOP + side * (SER_HOP / 2), -ONE / 2);
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
    const int32_t period = period_at(m, middle);
    ser_place start;
    if (closed) {
        remember(p, p->origin / SER_HOP + (uint32_t)first, last - first + 1);
    }
    if (period <= 0) {
        return;
    }
    m->has_view = 0;
    start = find_start(m, middle, period);
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
static void add_pulses(const ser_pulses *p, const ser_pitch *pitch, int32_t from, int32_t to, uint32_t peak,
                       ser_perturbation *sums)
{
    const unsigned weak = pack_peak(ser_umulh(peak, WEAK));
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
static void commit(ser_pulses *p, ser_pitch *pitch, uint32_t level)
{
    const int32_t count = SER_PULSES_COMMIT;
    uint32_t shift;
    uint16_t i;
    ser_pitch_path(pitch, pitch->base, level);
    add_pulses(p, pitch, 0, count, level, &p->settled);
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

static marker marker_of(ser_pulses *p, int32_t *scratch, uint32_t level)
{
    marker m;
    memset(&m, 0, sizeof m);
    m.pulses = p;
    m.sound = scratch;
    m.weak = ser_umulh(level, WEAK);
    m.split = -1;
    return m;
}

void ser_pulses_hop(ser_pulses *p, const ser_tail *tail, ser_pitch *pitch, int32_t *scratch)
{
    uint16_t track[SER_PULSES_TRACK];
    marker m;
    const uint32_t level = ser_tail_level(tail);
    ser_history_hop(&p->history, tail);
    if (tail->hops % SER_PULSES_PERIOD != 0 || pitch->frames == 0) {
        return;
    }
    if (p->count + SER_PULSES_ROOM > SER_PULSES_MAX) {
        commit(p, pitch, level);
    }
    while (p->marked_count > 0 &&
           p->marked[0].first + SER_HISTORY_HOPS <= p->history.hops + 2) {
        forget(p); /* its sound is not kept any more */
    }
    m = marker_of(p, scratch, level);
    if (level > p->loudest && !p->is_open && p->marked_count > 0) {
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
    p->loudest = level;
    look(p, pitch, track, &m, SER_PULSES_LAG);
}

void ser_pulses_columns(ser_pulses *p, const ser_tail *tail, ser_pitch *pitch, int32_t *scratch,
                        float columns[SER_PERTURBATION_COLUMNS])
{
    uint16_t track[SER_PULSES_TRACK];
    ser_marked marked[SER_PULSES_MARKED];
    ser_perturbation sums = p->settled;
    const uint32_t level = ser_tail_level(tail);
    /* what is marked provisionally, behind the pulses kept, is taken back below */
    const int32_t count = p->count;
    const uint32_t next = p->next, from = p->from;
    const ser_place end = p->end;
    const uint8_t is_open = p->is_open, marked_count = p->marked_count;
    const uint16_t info = count > 0 ? p->info[count - 1] : 0;
    int32_t good = count;
    marker m = marker_of(p, scratch, level);
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
    add_pulses(p, pitch, 0, good, level, &sums);
    add_pulses(p, pitch, count, (int32_t)p->count, level, &sums);
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
