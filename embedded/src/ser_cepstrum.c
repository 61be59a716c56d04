#include "ser_cepstrum.h"

#if SER_NEEDS_MFCC

#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_slots.h"

#include <string.h>

/* Mel levels are within 2^7 dB: a sum of two, times 2^6, is below 2^30; by a weight of Q33 it comes to 2^7 of the levels' format, and
   a coefficient, at most 450 dB, to 2^30. */
#if SER_NARROW_PRODUCTS || SER_MELS % 20 != 0
#define AT_ONCE 4 /* pairs of levels; fewer where each product is a dozen instructions */
#else
#define AT_ONCE 10
#endif
#if SER_MELS % (2 * AT_ONCE) != 0
#error "SER_MELS: ser_cepstrum.c takes four pairs of levels at a time"
#endif
#define MFCC_DOWN (SER_BITS_MEL + 7 - SER_BITS_MFCC)

SER_IN_RAM const int32_t *ser_cepstrum_mfcc(const int32_t *mel, int32_t *values)
{
    int32_t *mfcc = ser_at_frame_mfcc(values);
    enum { HALF = SER_MELS / 2 };
    int32_t sums[HALF];
    int32_t differences[HALF];
    /* Even coefficients see the sum of mirrored levels, odd ones the difference: half the work. */
    for (int i = 0; i < HALF; i++) {
        sums[i] = (mel[i] + mel[SER_MELS - 1 - i]) * (1 << 6);
        differences[i] = (mel[i] - mel[SER_MELS - 1 - i]) * (1 << 6);
    }
    for (int k = 0; k < SER_MFCCS_NEEDED; k++) {
        const int32_t *half = (k & 1) ? sums : differences; /* row k is coefficient k + 1 */
        int32_t sum = HALF / 2;                             /* what the products lose by rounding down */
        const int32_t *w = ser_dct[k];
        for (const int32_t *end = half + HALF; half < end; half += AT_ONCE, w += AT_ONCE) {
            SER_AS_IT_IS(half);
            SER_AS_IT_IS(w);
            sum = ser_add_mulh(ser_add_mulh(sum, w[0], half[0]), w[1], half[1]);
            sum = ser_add_mulh(ser_add_mulh(sum, w[2], half[2]), w[3], half[3]);
#if AT_ONCE == 10
            sum = ser_add_mulh(ser_add_mulh(sum, w[4], half[4]), w[5], half[5]);
            sum = ser_add_mulh(ser_add_mulh(sum, w[6], half[6]), w[7], half[7]);
            sum = ser_add_mulh(ser_add_mulh(sum, w[8], half[8]), w[9], half[9]);
#endif
        }
        mfcc[k] = ser_rounded(sum, MFCC_DOWN);
    }
    return mfcc;
}

#if SER_WITH_CEPSTRUM
void ser_cepstrum_reset(ser_cepstrum *cepstrum)
{
    memset(cepstrum, 0, sizeof *cepstrum);
}

SER_IN_RAM void ser_cepstrum_push(ser_cepstrum *cepstrum, const int32_t *mfcc)
{
    ser_copy_words(cepstrum->history[cepstrum->frames % SER_DELTA_WIDTH], mfcc, SER_MFCCS_KEPT);
    cepstrum->frames++;
}

/* Differences of coefficients, at most 900 dB, are taken times 2^9: below 2^31; halved by the product with a weight of Q31. */
#define UP (21 - SER_BITS_MFCC)
#define SLOPE_DOWN (20 - SER_BITS_MFCC_DELTA)
#define CURVATURE_DOWN (20 - SER_BITS_MFCC_DELTA2)

#if SER_DELTA_LAG % 2 != 0
#error "SER_DELTA_LAG: ser_cepstrum.c takes two frames to either side at a time"
#endif

/* Adds up differences (sign -1) or sums (sign 1) of the frames to either side of the middle, times their weights. */
SER_INLINE void add_sides(const ser_cepstrum *cepstrum, uint32_t middle, const int32_t *weights, int32_t sign, int down, int32_t *values)
{
    for (uint32_t away = 1; away <= SER_DELTA_LAG; away += 2, weights += 2) {
        const int32_t *before = cepstrum->history[(middle - away) % SER_DELTA_WIDTH];
        const int32_t *after = cepstrum->history[(middle + away) % SER_DELTA_WIDTH];
        const int32_t *far_before = cepstrum->history[(middle - away - 1) % SER_DELTA_WIDTH];
        const int32_t *far_after = cepstrum->history[(middle + away + 1) % SER_DELTA_WIDTH];
        const int32_t weight = weights[0], far_weight = weights[1];
        int32_t *value = values;
        for (const int32_t *end = values + SER_MFCCS_KEPT / 2 * 2; value < end; value += 2) {
            SER_AS_IT_IS(before);
            SER_AS_IT_IS(after);
            SER_AS_IT_IS(far_before);
            SER_AS_IT_IS(far_after);
            const int32_t sum = ser_add_mulh(value[0], weight, (after[0] + sign * before[0]) * (1 << UP));
            value[0] = ser_add_mulh(sum, far_weight, (far_after[0] + sign * far_before[0]) * (1 << UP));
            const int32_t other = ser_add_mulh(value[1], weight, (after[1] + sign * before[1]) * (1 << UP));
            value[1] = ser_add_mulh(other, far_weight, (far_after[1] + sign * far_before[1]) * (1 << UP));
            before += 2;
            after += 2;
            far_before += 2;
            far_after += 2;
        }
        if (SER_MFCCS_KEPT % 2 != 0) {
            const int32_t sum = ser_add_mulh(*value, weight, (*after + sign * *before) * (1 << UP));
            *value = ser_add_mulh(sum, far_weight, (*far_after + sign * *far_before) * (1 << UP));
        }
    }
    for (int k = 0; k < SER_MFCCS_KEPT; k++) {
        values[k] = ser_rounded(values[k], down);
    }
}

SER_IN_RAM void ser_cepstrum_slopes(const ser_cepstrum *cepstrum, int32_t *values)
{
    int32_t *slopes = ser_at_delta_mfcc_delta(values);
    const uint32_t middle = cepstrum->frames + SER_DELTA_WIDTH - 1 - SER_DELTA_LAG;
    for (int k = 0; k < SER_MFCCS_KEPT; k++) {
        slopes[k] = 0;
    }
    add_sides(cepstrum, middle, ser_delta_weights, -1, SLOPE_DOWN, slopes);
#if SER_WITH_DELTA2
    int32_t *curvatures = ser_at_delta_mfcc_delta2(values);
    const int32_t *centre = cepstrum->history[middle % SER_DELTA_WIDTH];
    for (int k = 0; k < SER_MFCCS_KEPT; k++) {
        curvatures[k] = ser_mulh(ser_delta2_weights[0], centre[k] * (1 << UP));
    }
    add_sides(cepstrum, middle, ser_delta2_weights + 1, 1, CURVATURE_DOWN, curvatures);
#endif
}
#endif

#endif
