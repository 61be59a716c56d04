#include "ser_cepstrum.h"

#if SER_NEEDS_MFCC

#include "ser_math.h"
#include "ser_slots.h"

#include <string.h>

const float *ser_cepstrum_mfcc(const float *mel, float *values)
{
    float *mfcc = ser_at_frame_mfcc(values);
    enum { HALF = SER_MELS / 2 };
    float sums[HALF];
    float differences[HALF];
    /* Even coefficients see the sum of mirrored levels, odd ones the difference: half the work. */
    for (int i = 0; i < HALF; i++) {
        sums[i] = mel[i] + mel[SER_MELS - 1 - i];
        differences[i] = mel[i] - mel[SER_MELS - 1 - i];
    }
    for (int k = 0; k < SER_MFCCS_NEEDED; k++) {
        const float *half = (k & 1) ? sums : differences; /* row k is coefficient k + 1 */
        float sum = 0.0f;
        for (int i = 0; i < HALF; i++) {
            sum += ser_dct[k][i] * half[i];
        }
        mfcc[k] = sum;
    }
    return mfcc;
}

#if SER_WITH_CEPSTRUM
void ser_cepstrum_reset(ser_cepstrum *cepstrum)
{
    memset(cepstrum, 0, sizeof *cepstrum);
}

void ser_cepstrum_push(ser_cepstrum *cepstrum, const float *mfcc)
{
    memcpy(cepstrum->history[cepstrum->frames % SER_DELTA_WIDTH], mfcc,
           sizeof cepstrum->history[0]);
    cepstrum->frames++;
}

void ser_cepstrum_slopes(const ser_cepstrum *cepstrum, float *values)
{
    float *slopes = ser_at_delta_mfcc_delta(values);
    float *curvatures = ser_at_delta_mfcc_delta2(values);
    const uint32_t middle = cepstrum->frames + SER_DELTA_WIDTH - 1 - SER_DELTA_LAG;
    const float *centre = cepstrum->history[middle % SER_DELTA_WIDTH];
    for (int k = 0; k < SER_MFCCS; k++) {
        slopes[k] = 0.0f;
        curvatures[k] = ser_delta2_weights[0] * centre[k];
    }
    for (uint32_t away = 1; away <= SER_DELTA_LAG; away++) {
        const float *before = cepstrum->history[(middle - away) % SER_DELTA_WIDTH];
        const float *after = cepstrum->history[(middle + away) % SER_DELTA_WIDTH];
        for (int k = 0; k < SER_MFCCS; k++) {
            slopes[k] += ser_delta_weights[away - 1] * (after[k] - before[k]);
            curvatures[k] += ser_delta2_weights[away] * (after[k] + before[k]);
        }
    }
}
#endif

#endif
