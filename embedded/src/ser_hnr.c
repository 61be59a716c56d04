#include "ser_hnr.h"

#include "ser_fft.h"
#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_pack.h"
#include "ser_peak.h"

#include <string.h>

#define LONGEST SER_PITCH_LONGEST
#define SPAN SER_HNR_SPAN
#define LAGS (SPAN + SER_SINC_DEEP) /* those beyond SPAN count as 0 */
#define CENTRE SER_HNR_CENTRE
#define FIRST SER_HNR_FIRST
#define BLOCK SER_HNR_BLOCK
#if FIRST < BLOCK || (FIRST - BLOCK) % 2 != 0 || FIRST - BLOCK + 2 * SPAN > SER_FRAME
#error "SER_PITCH_FLOOR: what ser_hnr.c compares does not lie in the latest spectral frame"
#endif
#if CENTRE - LONGEST < BLOCK || CENTRE + LONGEST > BLOCK + SER_FRAME
#error "SER_PITCH_FLOOR: two of its periods, whose mean ser_hnr.c takes, do not lie in the latest spectral frame"
#endif
#if SER_COUNT_HNR != 7
#error "the schema's hnr group has other columns than are written here"
#endif
#define RATIO_BITS 8
#define ONE (1 << 29) /* of r */
#define HEIGHT_BITS (SER_PEAK_HEIGHT_BITS + 2)
#define SHARE(percent) (((1 << 29) / 100) * (percent))
#define LIMIT_MOST ((1U << 27) - 1) /* louder than any sound */

void ser_hnr_reset(ser_hnr *hnr) { memset(hnr, 0, sizeof *hnr); }

/* A sample less the mean, at most 65535 in size. */
SER_INLINE int32_t scaled(int32_t x, ser_scale scale) { return x * (1 << scale.up) - scale.mean; }

SER_INLINE uint32_t square(int32_t x) { return (uint32_t)x * (uint32_t)x; }

/* The stretch that is compared, samples 2n, 2n + 1 as complex numbers n in digit-reversed order, times factor; 0 around it. */
SER_IN_RAM static void load(int32_t *z, const int16_t *x, ser_scale scale, int32_t factor)
{
    const uint8_t *place = ser_digit_reversal + (FIRST - BLOCK) / 2;
    ser_clear_words(z, SER_FRAME * sizeof *z);
    for (const int16_t *end = x + SPAN; x < end; x += 2) {
        int32_t *p = z + 2 * *place++;
        p[0] = scaled(x[0], scale) * factor;
        p[1] = scaled(x[1], scale) * factor;
    }
}

/* A number as mantissa 2^(2 half), its mantissa 2^30 or more; not 0. */
typedef struct {
    uint32_t mantissa;
    int half;
} ser_even;

SER_INLINE ser_even even_of(uint64_t power)
{
    const uint32_t high = (uint32_t)(power >> 32);
    ser_even even;
    if (high == 0) {
        const int up = ser_leading_zeros((uint32_t)power) & ~1;
        even.mantissa = (uint32_t)power << up;
        even.half = -up / 2;
    } else {
        const int down = (33 - ser_leading_zeros(high)) & ~1;
        even.mantissa = (uint32_t)(power >> down);
        even.half = down / 2;
    }
    return even;
}

/* A lag's product over the roots of both powers. root: one over the first's, as ser_inverse_root has it; up: what its exponent and the
 * formats make of 2^(-half) more. */
SER_INLINE int32_t coefficient(int32_t product, ser_even even, int32_t root, int up)
{
    const int32_t roots = ser_mulh(2 * root, 2 * ser_inverse_root(even.mantissa)); /* below 2^30 */
    const int32_t r = ser_mulh(product * 16, 2 * roots);
    const int shift = up - even.half;
    if (shift < 0) {
        return r >> (shift > -31 ? -shift : 31);
    }
    /* it is not beyond 1 but for rounding: of a product of next to no power */
    const int32_t most = shift < 30 ? ONE >> shift : 0;
    return r >= most ? ONE : r <= -most ? -ONE : r * (1 << shift);
}

/*
 * Cross-correlation coefficients r[0..SPAN] around the mean, and zeros up to LAGS for the interpolation.
 * spectrum: of the SER_FRAME samples from BLOCK on, times 2^(6 + up). work[SER_FRAME].
 */
SER_IN_RAM static void correlate(const int16_t *samples, ser_scale scale, const int32_t *spectrum, int up, int32_t *work, int32_t *r)
{
    const int16_t *x = samples + FIRST;
    uint64_t power = 0;
    for (int i = 0; i < SPAN; i++) {
        power += square(scaled(x[i], scale));
    }
    if (power == 0) {
        ser_clear_words(r, (LAGS + 1) * sizeof *r);
        return;
    }
    ser_clear_words(r + SPAN + 1, (LAGS - SPAN) * sizeof *r);

    /* The stretch times 2^bits, so that its squares add up to less than 2^57. The spectrum is of samples whose mean
     * was left on: off with it, in bin 0. */
    const ser_even even = even_of(power);
    const int bits = (57 - 2 * even.half - (even.mantissa >> 31 ? 32 : 31)) / 2;
    const int more = 15 + up - scale.up;
    const int32_t offset = more < 0 ? scale.mean >> -more : scale.mean * (1 << more);
    load(work, x, scale, (int32_t)1 << bits);
    ser_fft_cross(work, spectrum, offset);

    for (int i = 0; i < SPAN; i += 2) {
        const int32_t *product = work + 2 * ser_digit_reversal[i / 2];
        r[i] = product[0];
        r[i + 1] = -product[1];
    }
    r[SPAN] = work[2 * ser_digit_reversal[SPAN / 2]];

    /* The power under a lag: exactly, whatever goes and comes. Products are those of scaled samples times 2^(bits + up - scale.up - 22). */
    const int32_t root = ser_inverse_root(even.mantissa);
    const int shift = 18 - bits - up + scale.up - even.half;
    const int32_t mean = scale.mean;
    int32_t factor = 1 << scale.up;
    SER_AS_IT_IS(factor); /* a shift takes two instructions */
    for (int32_t *end = r + SPAN + 1; r < end; r++, x++) {
        SER_AS_IT_IS(r);
        SER_AS_IT_IS(x);
        *r = power > 0 ? coefficient(*r, even_of(power), root, shift) : 0;
        power += square(x[SPAN] * factor - mean);
        power -= square(x[0] * factor - mean);
    }
}

/*
 * The maximum near lag i. Near lag 0 the interpolation sees the coefficients mirrored; near SPAN, behind
 * which there are none, it reaches only as far as there are.
 */
SER_IN_RAM static ser_peak refine(const int32_t *r, int i)
{
    const int32_t middle = i * (1 << SER_PEAK_PLACE_BITS);
    const ser_peak rough = ser_peak_parabola(r, i);
    ser_peak peak = rough;
    int room = SPAN - (peak.place >> SER_PEAK_PLACE_BITS);
    int steps = 1;
    if (room <= 1) {
        peak.place = (SPAN - 1) * (1 << SER_PEAK_PLACE_BITS);
        peak.height = r[SPAN - 1] >> 2;
        return peak;
    }
    if (i <= SER_SINC_DEPTH) {
        steps = 4; /* a wave of two or three samples is no parabola */
    } else if (room <= SER_SINC_DEPTH) {
        steps = 2;
    }
    for (int k = 0; k < steps; k++) {
        if (room > SER_SINC_DEPTH) {
            peak = ser_peak_refine(r, peak);
        } else {
            peak = ser_peak_short_refine(r, peak, SPAN, (1 << SER_PEAK_PLACE_BITS) / (k == 0 ? 4 : 10));
        }
        if (peak.place < 1 << SER_PEAK_PLACE_BITS) {
            return rough; /* towards lag 0, which is higher than all */
        }
    }
    {
        const int32_t away = peak.place - middle;
        if (away > 1 << SER_PEAK_PLACE_BITS || away < -(1 << SER_PEAK_PLACE_BITS)) {
            return rough;
        }
    }
    room = SPAN - (peak.place >> SER_PEAK_PLACE_BITS);
    if (room > SER_SINC_DEEP) {
        peak = ser_peak_deep_refine(r, peak);
        peak.height += SER_SINC_DEEP; /* half a unit of each product, rounded down */
    } else {
        peak.height = ser_peak_short_sinc(r, peak.place, SPAN);
    }
    return peak;
}

/* The highest maximum at a lag below SPAN and a frequency below half the sampling rate, HEIGHT_BITS; 0 if there is
 * none. Worth interpolating is what comes near the highest sample: nearer where r varies slowly. */
SER_IN_RAM static int32_t highest(const int32_t *r)
{
    int32_t rough = 0, best = 0;
    for (int i = 2; i < SPAN; i++) {
        if (r[i] > rough && r[i] > r[i - 1] && r[i] >= r[i + 1]) {
            rough = r[i];
        }
    }
    for (int i = 2; i < SPAN; i++) {
        if (r[i] > r[i - 1] && r[i] >= r[i + 1]) {
            const int32_t enough = i < 12 ? rough / 2 : rough - SHARE(5);
            if (i < 6 || (r[i] > enough - SHARE(15) && ser_peak_parabola(r, i).height > enough >> 2)) {
                const ser_peak peak = refine(r, i);
                int32_t height = peak.height;
                if (height > 1 << HEIGHT_BITS) { /* one over it; it is below 3 */
                    const int zeros = ser_leading_zeros((uint32_t)height);
                    height = (int32_t)(ser_reciprocal((uint32_t)height << zeros) >> (8 - zeros));
                }
                if (peak.place >= 2 * (1 << SER_PEAK_PLACE_BITS) && height > best) {
                    best = height;
                }
            }
        }
    }
    return best;
}

/* Settles the oldest frames, or adds the kept ones to the sums. */
static void add_frames(const ser_hnr *hnr, unsigned count, uint32_t level, ser_series *sums)
{
    for (unsigned i = 0; i < count; i++) {
        if (hnr->limit[i] > 0 && ser_unpack(hnr->limit[i]) >= level) {
            ser_series_add(sums, hnr->base + i, hnr->ratio[i]);
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

/* The largest distance from the mean around the middle, in 1/256 sample steps: below 2^24. */
static uint32_t find_local(const int16_t *samples, ser_scale scale)
{
    int32_t low = samples[CENTRE], high = low;
    for (const int16_t *x = samples + CENTRE - SPAN / 2, *end = x + SPAN; x < end; x++) {
        low = *x < low ? *x : low;
        high = *x > high ? *x : high;
    }
    const int32_t above = scaled(high, scale), below = -scaled(low, scale);
    return ((uint32_t)(above > below ? above : below) * 256U + (1U << scale.up >> 1)) >> scale.up;
}

/* The peak of a sound in which a frame of this local peak with this maximum is just voiced: r is to be above
 * 2 - local / (SER_HNR_SILENCE peak). best: HEIGHT_BITS, at most 1. */
static uint32_t find_limit(uint32_t local, int32_t best)
{
    const uint32_t rest = (2U << HEIGHT_BITS) - (uint32_t)best; /* from 1 to 2 */
    const int zeros = ser_leading_zeros(rest);
    const uint32_t per_rest = ser_reciprocal(rest << zeros) >> (4 - zeros); /* Q31 */
    const uint32_t part = ser_umulh(local << 8, per_rest);                  /* local over rest, 7 more bits */
    const uint64_t limit = (uint64_t)part * SER_HNR_SILENCE_FACTOR >> (SER_HNR_SILENCE_SHIFT + 7);
    return limit < LIMIT_MOST ? (uint32_t)limit : LIMIT_MOST;
}

/* ready: the spectrum's numbers, or NULL: it is to be made in own. */
SER_IN_RAM static int hop(ser_hnr *hnr, const ser_tail *tail, const int32_t *ready, int up, int32_t *own, int32_t *scratch)
{
    int32_t r[LAGS + 1];
    if (tail->hops <= SER_HNR_LATENCY) {
        return 0;
    }
    const uint32_t level = ser_tail_level(tail);
    const ser_scale scale = ser_tail_scale(tail, CENTRE);
    const uint32_t local = find_local(tail->sample, scale);
    uint32_t limit = 0;
    int32_t ratio = 0;
    /* in a frame that is quiet not even r = 1 will do; a peak may yet fall a little */
    if (local > 0 && find_limit(local, 1 << HEIGHT_BITS) > level - (level >> 10)) {
        if (ready == NULL) {
            up = ser_fft_frame(tail->sample + BLOCK, energy_of(tail->sample + BLOCK), own);
            ready = own;
        }
        correlate(tail->sample, scale, ready, up, scratch, r);
        const int32_t best = highest(r);
        if (best > 0) {
            const int32_t rest = (1 << HEIGHT_BITS) - best;
            const int32_t octaves = ser_log2_q24((uint32_t)best) - ser_log2_q24(rest > 8 ? (uint32_t)rest : 8U);
            limit = find_limit(local, best);
            ratio = ser_rounded(ser_mulh(octaves, 789132), 2); /* 10 log10(2) times 2^18, for RATIO_BITS and two more */
        }
    }
    if (hnr->frames == SER_HNR_FRAMES) {
        add_frames(hnr, SER_HNR_COMMIT, level, &hnr->settled);
        hnr->frames = SER_HNR_FRAMES - SER_HNR_COMMIT;
        hnr->base += SER_HNR_COMMIT;
        memmove(hnr->limit, hnr->limit + SER_HNR_COMMIT, sizeof(uint16_t) * hnr->frames);
        memmove(hnr->ratio, hnr->ratio + SER_HNR_COMMIT, sizeof(int16_t) * hnr->frames);
    }
    hnr->limit[hnr->frames] = ser_pack(limit);
    hnr->ratio[hnr->frames] = (int16_t)ratio;
    hnr->frames++;
    return 1;
}

int ser_hnr_hop_shared(ser_hnr *hnr, const ser_tail *tail, const int32_t *spectrum, int up, int32_t *scratch)
{
    return hop(hnr, tail, spectrum, up, NULL, scratch);
}

int ser_hnr_hop(ser_hnr *hnr, const ser_tail *tail, int32_t *spectrum, int32_t *scratch)
{
    return hop(hnr, tail, NULL, 0, spectrum, scratch);
}

void ser_hnr_columns(const ser_hnr *hnr, uint32_t level, float columns[SER_COUNT_HNR])
{
    ser_series sums = hnr->settled;
    add_frames(hnr, hnr->frames, level, &sums);
    ser_series_columns(&sums, RATIO_BITS, columns);
}
