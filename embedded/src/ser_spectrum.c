#include "ser_spectrum.h"

#if SER_NEEDS_FFT

#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_slots.h"
#include "ser_vectors.h"

#include "ser_hot.h"

/* What the bins of a frame have come to while their magnitudes were taken. */
typedef struct {
    uint32_t low, high;  /* all bits of the magnitudes below and above SER_LOW_HIGH_SPLIT */
    int32_t exponents;   /* of the logarithms of their magnitudes: whole numbers, each 3 too much; of their squares: */
    int32_t coarse;      /* a table's, Q20, */
    int32_t fine;        /* and what is left, natural, Q25 */
    uint32_t floored;    /* magnitudes below the floor, which count as that: their number times FLOORED, and the sum of their squares */
} ser_magnitudes;

/* One in the number of magnitudes below the floor, whose squares' sum is in the bits below that. */
#define FLOORED (1U << 22)
typedef char ser_squares_below_the_floor_fit[SER_BINS * (SER_MAGNITUDE_FLOOR - 1) * (SER_MAGNITUDE_FLOOR - 1) < FLOORED ? 1 : -1];

/* ser_root_rows as row_of takes it. */
#if defined(__XTENSA__) && defined(__GNUC__)
typedef uintptr_t ser_rows;

SER_INLINE ser_rows root_rows(void)
{
    uintptr_t rows = (uintptr_t)ser_root_rows - 32 * sizeof *ser_root_rows;
    SER_AS_IT_IS(rows); /* one sum, that is known before */
    return rows;
}
#else
typedef const int32_t (*ser_rows)[3];

SER_INLINE ser_rows root_rows(void)
{
    return ser_root_rows;
}
#endif

/* The row for the number whose highest seven bits these are, 32 or more. */
SER_INLINE const int32_t *row_of(ser_rows rows, uint32_t seven)
{
#if defined(__XTENSA__) && defined(__GNUC__)
    uint32_t three_times;
    __asm__("addx2 %0, %1, %1" : "=r"(three_times) : "r"(seven)); /* LLVM would multiply */
    return (const int32_t *)(rows + 4 * three_times);
#else
    return rows[seven - 32];
#endif
}

/* By how much a root is shifted down, less one, if the magnitude is certainly not below the floor: 128 at least. */
enum { AUDIBLE = 22 };
typedef char ser_audible_is_not_below_the_floor[SER_MAGNITUDE_FLOOR <= 128 ? 1 : -1];

/*
 * Twice the magnitude of a bin, its factor of 2^up taken off, and, if it is not below the floor, the logarithm of its square;
 * up_less_3: up - 3. The larger component is shifted to
 * [2^30, 2^31), then p = |z|^2 2^(2 shift - 32) is at least 2^28; two bits more where that takes to put it into the table. With d the
 * distance from the middle of p's range, below 1/32, sqrt(1 + d) = 1 + d/2 - d^2/8 and ln(1 + d) = d - d^2/2, each to a third of d^3.
 */
SER_INLINE uint32_t magnitude_of(ser_magnitudes *sums, ser_rows rows, int up_less_3, int32_t re, int32_t im)
{
    const uint32_t a = ser_size(re) | 1U; /* zero has no highest bit */
    const uint32_t b = ser_size(im);
    const int left = ser_leading_zeros(a | b) - 1;
    uint32_t down = (uint32_t)(left + up_less_3); /* shift - 3 */
    uint32_t p = ser_umulh(a << left, a << left) + ser_umulh(b << left, b << left);
    uint32_t whole = p >> 30;
    SER_AS_IT_IS(whole); /* no number to compare with */
    if (whole == 0) {
        p <<= 2;
        down++;
        SER_AS_IT_IS(p); /* a jump, not two choices */
        SER_AS_IT_IS(down);
    }
    const int32_t *row = row_of(rows, p >> 25);
    const int32_t d = (int32_t)(ser_umulh(p, (uint32_t)row[0]) << 2) >> 1; /* less 2^30, times 2 */
    const int32_t half_square = ser_mulh(d, d);
    int32_t bend = d - (half_square >> 1);
    const int32_t logarithm = (d - half_square) >> 6;
    if (down > AUDIBLE) {
        const uint32_t root = (uint32_t)(ser_add_mulh(row[1], row[1], bend));
        const uint32_t magnitude = down <= 30 ? ((root >> down) + 1) >> 1 : (int32_t)down > 30 ? 0 : root << (-1 - (int)down);
        if (magnitude < SER_MAGNITUDE_FLOOR) {
            sums->floored += FLOORED + magnitude * magnitude;
            return magnitude;
        }
        sums->exponents -= (int32_t)down;
        sums->coarse += row[2];
        sums->fine += logarithm;
        return magnitude;
    }
    sums->exponents -= (int32_t)down;
    sums->fine += logarithm;
    sums->coarse += row[2];
    SER_FIRST_THIS_3(row, bend, sums->fine, sums->coarse);
    const uint32_t root = (uint32_t)(ser_add_mulh(row[1], row[1], bend));
    return ((root >> down) + 1) >> 1;
}

#if SER_VECTORS
/* magnitude_of of so many bins, eight at a time as long as there are; returns how many it took. */
static int take_eights(ser_magnitudes *kept, const int32_t *z, uint32_t *magnitude, int up, int count, uint32_t *all)
{
    const int *table = &ser_root_rows[0][0];
    const ser_vector ups = _mm256_set1_epi32(up - 1), one = _mm256_set1_epi32(1), two = _mm256_set1_epi32(2);
    const ser_vector full = _mm256_set1_epi32(1 << 30), least = _mm256_set1_epi32(SER_MAGNITUDE_FLOOR);
    ser_vector exponents = _mm256_setzero_si256(), coarse = exponents, fine = exponents, floored = exponents;
    ser_vector below = exponents, bits = exponents;
    int i;
    for (i = 0; i + 8 <= count; i += 8) {
        const __m256 x = _mm256_castsi256_ps(ser_load_8(z + 2 * i)), y = _mm256_castsi256_ps(ser_load_8(z + 2 * i + 8));
        /* bins 0 1 4 5 2 3 6 7 */
        const ser_vector re = _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0x88));
        const ser_vector im = _mm256_castps_si256(_mm256_shuffle_ps(x, y, 0xdd));
        const ser_vector a = _mm256_or_si256(_mm256_abs_epi32(re), one), b = _mm256_abs_epi32(im);
        const ser_vector zeros = ser_leading_zeros_8(_mm256_or_si256(a, b)), left = _mm256_sub_epi32(zeros, one);
        const ser_vector as = _mm256_sllv_epi32(a, left), bs = _mm256_sllv_epi32(b, left);
        ser_vector p = _mm256_add_epi32(ser_umulh_8(as, as), ser_umulh_8(bs, bs)); /* below 2^31 */
        const ser_vector small = _mm256_cmpgt_epi32(full, p);
        const ser_vector shift = _mm256_sub_epi32(_mm256_add_epi32(zeros, ups), small);
        p = _mm256_sllv_epi32(p, _mm256_and_si256(small, two));
        const ser_vector part = _mm256_sub_epi32(_mm256_srli_epi32(p, 25), _mm256_set1_epi32(32));
        const ser_vector row = _mm256_add_epi32(part, _mm256_slli_epi32(part, 1));
        const ser_vector inverse = _mm256_i32gather_epi32(table, row, 4);
        const ser_vector middle = _mm256_i32gather_epi32(table + 1, row, 4);
        const ser_vector logarithm = _mm256_i32gather_epi32(table + 2, row, 4);
        const ser_vector d = _mm256_slli_epi32(_mm256_sub_epi32(ser_umulh_8(p, inverse), full), 1);
        const ser_vector half_square = ser_mulh_8(d, d);
        const ser_vector bend = _mm256_sub_epi32(d, _mm256_srai_epi32(half_square, 1));
        const ser_vector root = _mm256_add_epi32(middle, ser_mulh_8(middle, bend));
        /* shifts by less than 0 and more than 31 leave nothing */
        const ser_vector down = _mm256_sub_epi32(shift, two);
        const ser_vector rounded = _mm256_add_epi32(root, _mm256_sllv_epi32(one, _mm256_sub_epi32(down, one)));
        const ser_vector m = _mm256_or_si256(_mm256_srlv_epi32(rounded, down),
                                             _mm256_sllv_epi32(root, _mm256_sub_epi32(two, shift)));
        /* full scale is 2^23: signs do not matter */
        const ser_vector under = _mm256_cmpgt_epi32(least, m);
        bits = _mm256_or_si256(bits, m);
        floored = _mm256_sub_epi32(floored, under);
        below = _mm256_add_epi32(below, _mm256_and_si256(under, _mm256_mullo_epi32(m, m)));
        exponents = _mm256_add_epi32(exponents, _mm256_andnot_si256(under, _mm256_sub_epi32(down, one)));
        coarse = _mm256_add_epi32(coarse, _mm256_andnot_si256(under, logarithm));
        fine = _mm256_add_epi32(fine, _mm256_andnot_si256(under, _mm256_srai_epi32(_mm256_sub_epi32(d, half_square), 6)));
        ser_store_8(magnitude + i, _mm256_permute4x64_epi64(m, 0xd8));
    }
    kept->floored += ser_sum_8(floored) * FLOORED + ser_sum_8(below);
    kept->exponents -= (int32_t)ser_sum_8(exponents);
    kept->coarse += (int32_t)ser_sum_8(coarse);
    kept->fine += (int32_t)ser_sum_8(fine);
    *all |= ser_or_8(bits);
    return i;
}
#endif

#if SER_VECTORS
/* Puts a Hann window on: the same as half of each bin less a quarter of either neighbour, here times 2. Beyond the ends lie the mirrored
   bins. */
static void smooth(int32_t *z)
{
    int32_t before_re = z[2];
    int32_t before_im = -z[3];
    int32_t re = z[0];
    int32_t im = z[1];
    int32_t *end = z + 2 * (SER_BINS - 1);
    ser_vector latest = _mm256_setr_epi32(0, 0, 0, 0, 0, 0, before_re, before_im);
    for (; end - z >= 8; z += 8) {
        const ser_vector x = ser_load_8(z), after = ser_load_8(z + 2);
        const ser_vector before = _mm256_alignr_epi8(x, _mm256_permute2x128_si256(latest, x, 0x21), 8);
        ser_store_8(z, _mm256_sub_epi32(x, _mm256_srai_epi32(_mm256_add_epi32(before, after), 1)));
        latest = x;
    }
    before_re = _mm256_extract_epi32(latest, 6);
    before_im = _mm256_extract_epi32(latest, 7);
    re = z[0];
    im = z[1];
    for (; z < end; z += 2) {
        const int32_t next_re = z[2], next_im = z[3];
        z[0] = re - ((before_re + next_re) >> 1);
        z[1] = im - ((before_im + next_im) >> 1);
        before_re = re;
        before_im = im;
        re = next_re;
        im = next_im;
    }
    z[0] = re - before_re;
    z[1] = im;
}

/* Magnitudes of so many bins; returns all bits that any of them has. They may take the bins' own place. */
static uint32_t take_some(ser_magnitudes *kept, const int32_t *z, uint32_t *magnitude, int up, int count)
{
    ser_magnitudes sums = *kept;
    uint32_t all = 0;
    for (int i = take_eights(&sums, z, magnitude, up, count, &all); i < count; i++) {
        magnitude[i] = magnitude_of(&sums, root_rows(), up - 3, z[2 * i], z[2 * i + 1]);
        all |= magnitude[i];
    }
    *kept = sums;
    return all;
}

/* The magnitude of every bin under a Hann window, in the place of the plain transform. */
static ser_magnitudes take_magnitudes(int32_t *z, int up)
{
    ser_magnitudes sums = {0, 0, 0, 0, 0, 0};
    uint32_t *magnitude = (uint32_t *)z;
    smooth(z);
    const uint32_t low = take_some(&sums, z, magnitude, up, SER_LOW_BINS);
    sums.high = take_some(&sums, z + 2 * SER_LOW_BINS, magnitude + SER_LOW_BINS, up, SER_BINS - SER_LOW_BINS);
    sums.low = low;
    return sums;
}
#else
enum { AT_ONCE = SER_NARROW_PRODUCTS ? 1 : 2 }; /* bins: half the steps, where a product is one instruction */

/* The magnitude of the bin behind the one that z points to, under a Hann window: the same as half of each bin less a quarter of
   either neighbour, here times 2. */
SER_INLINE uint32_t smooth_magnitude_of(ser_magnitudes *sums, ser_rows rows, int up_less_3, const int32_t *z)
{
    const int32_t re = z[2] - ((z[0] + z[4]) >> 1);
    const int32_t im = z[3] - ((z[1] + z[5]) >> 1);
    return magnitude_of(sums, rows, up_less_3, re, im);
}

/* Magnitudes of so many bins, one or more, from the one behind z on; returns all bits that any of them has. They may take the place of
   bins before z. */
SER_IN_RAM static uint32_t take_some(ser_magnitudes *kept, const int32_t *z, uint32_t *magnitude, int up_less_3, int count)
{
    ser_magnitudes sums = *kept;
    uint32_t all = 0;
    const uint32_t *last = magnitude + count - 1;
    const ser_rows rows = root_rows();
    for (; magnitude <= last; magnitude += AT_ONCE, z += 2 * AT_ONCE) {
        SER_AS_IT_IS(z);
        const uint32_t m = smooth_magnitude_of(&sums, rows, up_less_3, z);
        magnitude[0] = m;
        all |= m;
#if !SER_NARROW_PRODUCTS
        if (magnitude == last) {
            break;
        }
        const uint32_t n = smooth_magnitude_of(&sums, rows, up_less_3, z + 2);
        magnitude[1] = n;
        all |= n;
#endif
    }
    *kept = sums;
    return all;
}

/* The magnitude of every bin, in the place of the plain transform: that of a bin is written where a bin was that is not needed any more.
   Beyond the ends lie the mirrored bins. */
SER_IN_RAM static ser_magnitudes take_magnitudes(int32_t *z, int up)
{
    ser_magnitudes sums = {0, 0, 0, 0, 0, 0};
    uint32_t *magnitude = (uint32_t *)z;
    const int32_t *top = z + 2 * (SER_BINS - 1);
    const int32_t first[6] = {z[2], -z[3], z[0], z[1], z[2], z[3]};
    const int32_t last[6] = {top[-2], top[-1], top[0], top[1], top[-2], -top[-1]};
    uint32_t low = take_some(&sums, z, magnitude + 1, up - 3, SER_LOW_BINS - 1);
    uint32_t high = take_some(&sums, z + 2 * (SER_LOW_BINS - 1), magnitude + SER_LOW_BINS, up - 3, SER_BINS - 1 - SER_LOW_BINS);
    low |= take_some(&sums, first, magnitude, up - 3, 1);
    high |= take_some(&sums, last, magnitude + SER_BINS - 1, up - 3, 1);
    sums.low = low;
    sums.high = high;
    return sums;
}
#endif

/* By how much numbers of these bits may be shifted to the left. */
SER_IN_RAM static int room_of(uint32_t bits)
{
    return ser_leading_zeros(bits | 1U);
}

#if SER_NEEDS_MEL || SER_WITH_SPECTRUM || SER_WITH_CONTRAST
/* 10 log10 of two to this power; out and in are of the format of mel levels and Q24. */
SER_IN_RAM static int32_t decibels(int32_t log2)
{
    return ser_mulh(log2, SER_DECIBELS_PER_LOG2);
}
#if SER_BITS_MEL != 14 || SER_BITS_FLUX != 15
#error "ser_spectrum.c: decibels() makes Q14 of Q24, mel_levels() Q15 of that"
#endif
#endif

#if SER_NEEDS_MEL
/* All bits of so many numbers, or of none. */
SER_INLINE uint32_t bits_of(const uint32_t *x, int count)
{
    uint32_t all = 0;
    if (count % 2 != 0) { /* of less than none, too, which are none */
        all = count > 0 ? *x++ : 0;
    }
    for (const uint32_t *end = x + (count & ~1); x < end; x += 2) {
        SER_AS_IT_IS(x);
        all |= x[0] | x[1];
    }
    return all;
}

SER_INLINE uint32_t weighted_square(uint32_t magnitude, uint32_t weight)
{
    return ser_umulh(ser_umulh(magnitude, magnitude), weight);
}

/* all: the bins' bits. */
SER_IN_RAM static int32_t mel_level(const uint32_t *bin, int bins, const uint32_t *weight, uint32_t all)
{
    const uint32_t *end = bin + bins;
    const int shift = room_of(all);
    uint32_t up = 1U << shift;
    SER_AS_IT_IS(up); /* a product, where a shift by a number that is not known is two instructions */
    uint32_t sum = 0;
    if (bins % 2 != 0) {
        sum = weighted_square(*bin++ * up, *weight++);
    }
    if (bins % 4 >= 2) {
        sum += weighted_square(bin[0] * up, weight[0]) + weighted_square(bin[1] * up, weight[1]);
        bin += 2;
        weight += 2;
    }
    for (; bin < end; bin += 4, weight += 4) {
        SER_AS_IT_IS(bin);
        SER_AS_IT_IS(weight);
        sum += weighted_square(bin[0] * up, weight[0]) + weighted_square(bin[1] * up, weight[1]);
        sum += weighted_square(bin[2] * up, weight[2]) + weighted_square(bin[3] * up, weight[3]);
    }
    /* a square is 2^(2 shift - 32) of the magnitude's */
    return decibels(ser_log2_here(ser_log2_rows, SER_LOG2_BITS, sum | 1U) + (32 - 2 * shift) * (1 << 24) - SER_FULL_SQUARE_LOG2);
}

/* Returns the mean rise of the levels since the frame before, in the format of flux. */
SER_IN_RAM static int32_t mel_levels(ser_spectrum *spectrum, const uint32_t *magnitude)
{
    const uint32_t *weight = ser_mel_weights;
    /* most bands begin where the last but one ends: then half their bins' bits are known */
    int from = ser_mel_spans[0][0];
    int seen = from;
    uint32_t more = 0; /* bits of the bins between these */
    int32_t rise = 0;
    for (int band = 0; band < SER_MELS; band++) {
        const int start = ser_mel_spans[band][0];
        const int bins = ser_mel_spans[band][1];
        const uint32_t before = start == from ? more : bits_of(magnitude + start, seen - start);
        from = seen > start ? seen : start;
        seen = start + bins;
        more = bits_of(magnitude + from, seen - from);
        int32_t level = mel_level(magnitude + start, bins, weight, before | more) + ser_mel_gains[band];
        if (level < SER_DECIBEL_FLOOR) {
            level = SER_DECIBEL_FLOOR;
        }
        if (level > spectrum->mel[band]) {
            rise += level - spectrum->mel[band];
        }
        spectrum->mel[band] = level;
        weight += bins;
    }
    return ser_rounded(ser_mulh(rise * 8, SER_PER_MEL), 1); /* rise is below 2^28 */
}
#endif

#if SER_WITH_SPECTRUM
/* A sum of squares, of the magnitudes' units times 2^exponent. */
typedef struct {
    uint64_t sum;
    int exponent;
} ser_power;

SER_IN_RAM static ser_power power_of(const uint32_t *magnitude, int from, int to, uint32_t bits)
{
    const int shift = room_of(bits);
    uint32_t up = 1U << shift;
    SER_AS_IT_IS(up); /* as above */
    const uint32_t *end = magnitude + to;
    uint32_t sum = 0;
    magnitude += from;
    for (int some = (to - from) % 4; some > 0; some--) {
        const uint32_t m = *magnitude++ * up;
        sum += ser_umulh(m, m) >> 9; /* SER_BINS of them stay below 2^32 */
    }
    for (; magnitude < end; magnitude += 4) {
        SER_AS_IT_IS(magnitude);
        const uint32_t a = magnitude[0] * up;
        const uint32_t b = magnitude[1] * up;
        sum += (ser_umulh(a, a) >> 9) + (ser_umulh(b, b) >> 9);
        const uint32_t c = magnitude[2] * up;
        const uint32_t d = magnitude[3] * up;
        sum += (ser_umulh(c, c) >> 9) + (ser_umulh(d, d) >> 9);
    }
    const ser_power power = {(uint64_t)sum << 16, 32 + 9 - 16 - 2 * shift};
    return power;
}

/* Two of them, or one and a number of the magnitudes' units (exponent 0). */
static ser_power plus(ser_power a, ser_power b)
{
    if (a.exponent < b.exponent) {
        const ser_power other = a;
        a = b;
        b = other;
    }
    const int shift = a.exponent - b.exponent;
    a.sum += shift < 64 ? b.sum >> shift : 0;
    return a;
}

static ser_power units(uint32_t count)
{
    const ser_power power = {(uint64_t)count << 16, -16};
    return power;
}

SER_IN_RAM static int32_t log2_of(ser_power power)
{
    return ser_log2_q24_64(power.sum | 1U) + power.exponent * (1 << 24);
}

/* The geometric mean of the squares, none below the floor, over their mean. */
SER_IN_RAM static int32_t flatness_of(const ser_magnitudes *sums, ser_power total)
{
    const uint32_t floored = sums->floored / FLOORED;
    const int32_t counted = SER_BINS - (int32_t)floored;
    /* of the squares' logarithms: p is |z|^2 2^(2 shift - 32), the table begins at 2^30, magnitudes are twice |z| */
    const int64_t fine = (int64_t)sums->fine * SER_LOG2_E;
    const int64_t logarithms = (int64_t)(2 * sums->exponents + counted * (30 + 32 + 2 - 2 * 3)) * (1 << 24) +
                               (int64_t)sums->coarse * 16 + (fine >> 31) +
                               (int64_t)floored * SER_SQUARE_FLOOR_LOG2;
    const uint32_t missing = floored * SER_SQUARE_FLOOR - sums->floored % FLOORED;
    const int32_t mean = 2 * ser_mulh((int32_t)(logarithms >> 8), SER_PER_BIN); /* their sum is below 2^38 */
    const int32_t log2 = mean + SER_PER_BIN_LOG2 - log2_of(plus(total, units(missing)));
    return ser_rounded(ser_exp2_q30(log2 < 0 ? log2 : 0), 30 - SER_BITS_FLATNESS);
}

/* Blocks of bins whose second sums of sums stay within 32 bits, if magnitudes stay within 22. */
enum { BLOCK = 16, BLOCK_BITS = 22 };

/* Sums over all bins of magnitude, magnitude by bin, magnitude by bin squared. */
typedef struct {
    uint32_t magnitude;
    uint64_t moment, square;
} ser_moments_of_bins;

/* A block's sums, sums of sums and their sums, from the last to the first: of 1, 1 + k, (1 + k)(2 + k) / 2. */
typedef struct {
    uint32_t first, second, third;
} ser_block;

SER_INLINE void take_bin(ser_block *sums, uint32_t magnitude)
{
    sums->first += magnitude;
    sums->second += sums->first;
    sums->third += sums->second;
}

SER_IN_RAM static ser_block block_of(const uint32_t *magnitude, int down)
{
    ser_block sums = {0, 0, 0};
    const uint32_t *m = magnitude + BLOCK;
    if (down == 0) { /* of all but the loudest sounds */
        do {
            m -= 8;
            SER_AS_IT_IS(m);
            take_bin(&sums, m[7]);
            take_bin(&sums, m[6]);
            take_bin(&sums, m[5]);
            take_bin(&sums, m[4]);
            take_bin(&sums, m[3]);
            take_bin(&sums, m[2]);
            take_bin(&sums, m[1]);
            take_bin(&sums, m[0]);
        } while (m > magnitude);
        return sums;
    }
    const uint32_t half = (1U << down) >> 1;
    for (; m > magnitude; m--) {
        take_bin(&sums, (m[-1] + half) >> down);
    }
    return sums;
}

enum { BLOCKS = SER_BINS / BLOCK };

/* Of blocks and a bin: with b a block's number, k a place in it, a bin is 16 b + k, its square 256 b^2 + 32 b k + k^2. The sums of the
   blocks' magnitudes are kept. */
SER_IN_RAM static ser_moments_of_bins moments_of(const uint32_t *magnitude, int down, uint32_t *blocks)
{
    uint32_t all = 0;
    ser_sum seconds = SER_SUM_OF_NOTHING, thirds = seconds;          /* over all blocks */
    ser_sum by_block = seconds, by_square = seconds, ones = seconds; /* of b, b^2 and b k */
    for (uint32_t b = 0; b < BLOCKS; b++) {
        const ser_block sums = block_of(magnitude + b * BLOCK, down);
        const uint32_t first = sums.first * b; /* 4 bits of a block, 22 of a bin, 4: below 2^30 */
        const uint32_t more = sums.second - sums.first;
        blocks[b] = sums.first;
        all += sums.first;
        ser_sum_add(&seconds, sums.second, 0);
        ser_sum_add(&thirds, sums.third, 0);
        ser_sum_add(&by_block, first, 0);
        ser_sum_add(&by_square, first * b, ser_umulh(first, b));
        ser_sum_add(&ones, more * b, ser_umulh(more, b));
    }
    const uint32_t last = (magnitude[SER_BINS - 1] + ((1U << down) >> 1)) >> down;
    const ser_moments_of_bins sums = {
        all + last, ser_sum_of(by_block) * BLOCK + ser_sum_of(seconds) - all + (uint64_t)last * (SER_BINS - 1),
        ser_sum_of(by_square) * (BLOCK * BLOCK) + ser_sum_of(ones) * (2 * BLOCK) + 2 * ser_sum_of(thirds) - 3 * ser_sum_of(seconds) +
            all + (uint64_t)last * ((SER_BINS - 1) * (SER_BINS - 1))};
    return sums;
}
#if SER_FRAME % 32 != 0
#error "SER_FRAME: moments_of takes blocks of bins and one more"
#endif

/* The lowest bin up to which the magnitudes add up to SER_ROLLOFF of all; sum: of them as they are, and blocks of the
   blocks', if is_sum. */
SER_IN_RAM static int rolloff_of(const uint32_t *magnitude, int down, uint32_t sum, const uint32_t *blocks, int is_sum)
{
    const uint32_t *last = magnitude + SER_BINS - 1;
    const uint32_t *m = magnitude;
    if (!is_sum) {
        for (sum = 0; m <= last; m++) {
            sum += *m >> down;
        }
        m = magnitude;
    }
    const uint32_t threshold = ser_umulh(sum, SER_ROLLOFF_SHARE);
    if (is_sum) {
        for (sum = 0; m < last && sum + *blocks <= threshold; m += BLOCK) {
            sum += *blocks++;
        }
        for (sum += *m; sum <= threshold && m < last; sum += *m) {
            m++;
        }
        return (int)(m - magnitude);
    }
    for (sum = *m >> down; sum <= threshold && m < last; sum += *m >> down) {
        m++;
    }
    return (int)(m - magnitude);
}

SER_IN_RAM static void shape(const ser_magnitudes *sums, const uint32_t *magnitude, int32_t *values)
{
    const int bits = 32 - room_of(sums->low | sums->high);
    const int coarse = bits > BLOCK_BITS ? bits - BLOCK_BITS : 0;
    const int fine = bits > 23 ? bits - 23 : 0; /* SER_BINS of 23 bits stay below 2^32 */
    uint32_t blocks[BLOCKS];
    ser_moments_of_bins m = moments_of(magnitude, coarse, blocks);
    const int rolloff = rolloff_of(magnitude, fine, m.magnitude, blocks, coarse == 0); /* and fine, too */
    m.magnitude |= m.magnitude == 0;
    const int shift = room_of(m.magnitude);
    /* moments are below 2^8 and 2^16 times the magnitudes' sum: Q24 and Q16, in bins */
    const uint32_t share = ser_reciprocal(m.magnitude << shift);
    const uint32_t centroid = ser_umulh((uint32_t)((m.moment << shift) >> 9), share) << 3;
    const uint32_t second = ser_umulh((uint32_t)((m.square << shift) >> 17), share) << 3;
    const uint32_t square = ser_umulh(centroid, centroid);
    const uint32_t spread = second > square ? second - square : 0;
    const ser_power low = power_of(magnitude, 0, SER_LOW_BINS, sums->low);
    const ser_power high = power_of(magnitude, SER_LOW_BINS, SER_BINS, sums->high);
    const ser_power floor = units(SER_SQUARE_FLOOR);
    const int32_t ratio = log2_of(plus(low, floor)) - log2_of(plus(high, floor));
    ser_put_frame_spectrum(values, (int32_t)ser_umulh(centroid, SER_CENTROID_SCALE),
                           (int32_t)ser_umulh(ser_root_q16(spread), SER_BANDWIDTH_SCALE),
                           rolloff * SER_ROLLOFF_SCALE, flatness_of(sums, plus(low, high)),
                           decibels(ratio) >> (SER_BITS_MEL - SER_BITS_LOW_HIGH_DB));
}
#endif

#if SER_WITH_CONTRAST
/* Puts a value above the last into a falling list; that last drops out. */
SER_INLINE void keep_largest(uint32_t *list, int length, uint32_t value)
{
    int place = length - 1;
    for (; place > 0 && list[place - 1] < value; place--) {
        list[place] = list[place - 1];
    }
    list[place] = value;
}

/* Times 2^8. */
SER_INLINE uint64_t not_below_floor(uint32_t magnitude)
{
    return magnitude >= SER_MAGNITUDE_FLOOR ? (uint64_t)magnitude << 8 : SER_MAGNITUDE_FLOOR_FINE;
}

#if SER_VECTORS
/* The largest and smallest of eight lanes first, then of what is in these; returns of how many. */
static int keep_eights(const uint32_t *magnitude, int bins, int averaged, uint32_t *largest, uint32_t *smallest)
{
    ser_vector high[SER_CONTRAST_MOST], low[SER_CONTRAST_MOST];
    uint32_t lanes[8];
    int i, k;
    for (k = 0; k < SER_CONTRAST_MOST; k++) {
        high[k] = _mm256_setzero_si256();
        low[k] = _mm256_set1_epi32(-1);
    }
    for (i = 0; i + 8 <= bins; i += 8) {
        ser_vector down = ser_load_8(magnitude + i), up = down;
        for (k = 0; k < SER_CONTRAST_MOST; k++) {
            const ser_vector most = _mm256_max_epu32(high[k], down), least = _mm256_min_epu32(low[k], up);
            down = _mm256_min_epu32(high[k], down);
            up = _mm256_max_epu32(low[k], up);
            high[k] = most;
            low[k] = least;
        }
    }
    for (k = 0; k < averaged && i > 0; k++) {
        ser_store_8(lanes, high[k]);
        for (int lane = 0; lane < 8; lane++) {
            if (lanes[lane] > largest[averaged - 1]) {
                keep_largest(largest, averaged, lanes[lane]);
            }
        }
        ser_store_8(lanes, low[k]);
        for (int lane = 0; lane < 8; lane++) {
            if (~lanes[lane] > smallest[averaged - 1]) {
                keep_largest(smallest, averaged, ~lanes[lane]);
            }
        }
    }
    return i;
}
#endif

/* The logarithm of not_below_floor, to the same bits. */
SER_IN_RAM static int32_t log2_not_below_floor(uint32_t magnitude)
{
    return magnitude >= SER_MAGNITUDE_FLOOR ? ser_log2_q24(magnitude) + 8 * (1 << 24) : ser_log2_q24(SER_MAGNITUDE_FLOOR_FINE);
}

/* The largest and the smallest magnitude of a band, in logarithms apart. */
SER_IN_RAM static int32_t range_of(const uint32_t *magnitude, int bins)
{
    const uint32_t *end = magnitude + bins;
    uint32_t most = 0;
    uint32_t least = UINT32_MAX;
    if (bins % 2 != 0) {
        most = least = *magnitude++;
    }
    for (; magnitude < end; magnitude += 2) {
        SER_AS_IT_IS(magnitude);
        const uint32_t m = magnitude[0];
        most = m > most ? m : most;
        least = m < least ? m : least;
        const uint32_t n = magnitude[1];
        most = n > most ? n : most;
        least = n < least ? n : least;
    }
    return log2_not_below_floor(most) - log2_not_below_floor(least);
}

/* The same of the sums of the `averaged` largest and smallest: the number averaged cancels. */
SER_IN_RAM static int32_t range_of_many(const uint32_t *magnitude, int bins, int averaged)
{
    uint32_t largest[SER_CONTRAST_MOST] = {0};
    uint32_t smallest[SER_CONTRAST_MOST] = {0}; /* as what they are below the highest number */
    uint64_t peak = 0;
    uint64_t valley = 0;
    const uint32_t *end = magnitude + bins;
#if SER_VECTORS
    magnitude += keep_eights(magnitude, bins, averaged, largest, smallest);
#endif
    uint32_t above = largest[averaged - 1];
    uint32_t below = ~smallest[averaged - 1];
    for (; magnitude < end; magnitude++) {
        const uint32_t m = *magnitude;
        if (m > above) {
            keep_largest(largest, averaged, m);
            above = largest[averaged - 1];
        }
        if (m < below) {
            keep_largest(smallest, averaged, ~m);
            below = ~smallest[averaged - 1];
        }
    }
    for (int i = 0; i < averaged; i++) {
        peak += not_below_floor(largest[i]);
        valley += not_below_floor(~smallest[i]);
    }
    return ser_log2_q24_64(peak) - ser_log2_q24_64(valley);
}

/* In dB. */
SER_IN_RAM static void contrast(const uint32_t *magnitude, int32_t *out)
{
    for (int band = 0; band <= SER_CONTRAST_BANDS; band++) {
        const uint32_t *first = magnitude + ser_contrast_bands[band][0];
        const int bins = ser_contrast_bands[band][1], averaged = ser_contrast_bands[band][2];
        const int32_t range = averaged == 1 ? range_of(first, bins) : range_of_many(first, bins, averaged);
        out[band] = decibels(range) * (1 << (SER_BITS_CONTRAST - SER_BITS_MEL));
    }
}
#endif

#if SER_WITH_CHROMA
SER_INLINE uint32_t square_of(uint32_t magnitude, int shift)
{
    return ser_umulh(magnitude << shift, magnitude << shift);
}

#if SER_VECTORS
/* What the runs of chromas get, those of a start apart. */
static void add_runs(const uint32_t *magnitude, int shift, uint32_t *sums)
{
    ser_vector starts[SER_CHROMAS];
    uint32_t squares[(SER_BINS + 7) / 8 * 8];
    const ser_vector used = _mm256_cmpgt_epi32(_mm256_set1_epi32(SER_CHROMA_RUN), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    const __m128i up = _mm_cvtsi32_si128(shift);
    const uint32_t (*weight)[SER_CHROMA_RUN] = ser_chroma_weights;
    int i;
    for (i = 0; i + 8 <= SER_BINS; i += 8) {
        const ser_vector m = _mm256_sll_epi32(ser_load_8(magnitude + i), up);
        ser_store_8(squares + i, _mm256_srli_epi32(ser_umulh_8(m, m), SER_CHROMA_DOWN));
    }
    for (; i < SER_BINS; i++) {
        squares[i] = square_of(magnitude[i], shift) >> SER_CHROMA_DOWN;
    }
    for (i = 0; i < SER_CHROMAS; i++) {
        starts[i] = _mm256_setzero_si256();
    }
    for (int run = 0; run < SER_CHROMA_RUNS; run++) {
        const uint32_t *square = squares + ser_chroma_runs[run][1];
        ser_vector sum = starts[ser_chroma_runs[run][0]];
        for (i = ser_chroma_runs[run][2]; i > 0; i--, weight++) {
            const ser_vector weights = _mm256_maskload_epi32((const int *)*weight, used);
            sum = _mm256_add_epi32(sum, ser_umulh_8(_mm256_set1_epi32((int32_t)*square++), weights));
        }
        starts[ser_chroma_runs[run][0]] = sum;
    }
    for (i = 0; i < SER_CHROMAS; i++) {
        ser_store_8(sums + i, _mm256_add_epi32(ser_load_8(sums + i), starts[i]));
    }
}
#endif

static void chroma(const uint32_t *magnitude, int shift, int32_t *out)
{
    uint32_t sums[2 * SER_CHROMAS] = {0}; /* two turns: a run of chromas need not wrap */
#if SER_VECTORS
    add_runs(magnitude, shift, sums);
#else
    const uint32_t (*weight)[SER_CHROMA_RUN] = ser_chroma_weights;
    for (int run = 0; run < SER_CHROMA_RUNS; run++) {
        uint32_t *sum = sums + ser_chroma_runs[run][0];
        const uint32_t *bin = magnitude + ser_chroma_runs[run][1];
        uint32_t s0 = sum[0], s1 = sum[1], s2 = sum[2], s3 = sum[3], s4 = sum[4];
        for (int i = ser_chroma_runs[run][2]; i > 0; i--, weight++) {
            const uint32_t p = square_of(*bin++, shift) >> SER_CHROMA_DOWN;
            s0 += ser_umulh(p, (*weight)[0]);
            s1 += ser_umulh(p, (*weight)[1]);
            s2 += ser_umulh(p, (*weight)[2]);
            s3 += ser_umulh(p, (*weight)[3]);
            s4 += ser_umulh(p, (*weight)[4]);
        }
        sum[0] = s0;
        sum[1] = s1;
        sum[2] = s2;
        sum[3] = s3;
        sum[4] = s4;
    }
#endif
    uint32_t largest = 0;
    for (int i = 0; i < SER_CHROMAS; i++) {
        sums[i] += sums[SER_CHROMAS + i];
        largest = sums[i] > largest ? sums[i] : largest;
    }
    const int up = room_of(largest);
    const uint32_t share = ser_reciprocal(largest << up | 1U << 31);
    for (int i = 0; i < SER_CHROMAS; i++) {
        const uint32_t part = ser_umulh(sums[i] << up, share); /* Q30 */
        out[i] = (int32_t)((part + (1U << (29 - SER_BITS_CHROMA))) >> (30 - SER_BITS_CHROMA));
    }
}
#endif

SER_IN_RAM void ser_spectrum_frame(ser_spectrum *spectrum, int32_t *scratch, int up, int counts, int32_t *values, int32_t *changes)
{
    const ser_magnitudes sums = take_magnitudes(scratch, up);
    const uint32_t *magnitude = (const uint32_t *)scratch;
#if SER_NEEDS_MEL
    const int32_t flux = mel_levels(spectrum, magnitude);
    (void)flux;
#else
    (void)spectrum;
#endif
#if SER_WITH_SPECTRUM
    ser_put_change_spectrum(changes, flux);
#endif
    if (!counts) {
        return;
    }
#if SER_WITH_SPECTRUM
    shape(&sums, magnitude, values);
#endif
#if SER_WITH_MEL || SER_WITH_RELATIVE
    ser_copy_words(ser_at_frame_mel(values), spectrum->mel, SER_MELS);
#endif
#if SER_WITH_CHROMA
    chroma(magnitude, room_of(sums.low | sums.high), ser_at_frame_chroma(values));
#endif
#if SER_WITH_CONTRAST
    contrast(magnitude, ser_at_frame_contrast(values));
#endif
    (void)sums;
    (void)values;
    (void)changes;
}

#endif
