/* Generated from features/schema.py by `python -m speech_emotion.generate`; do not edit. */
/* clang-format off */

#ifndef SER_VOICE_TABLES_H
#define SER_VOICE_TABLES_H

#include "ser_schema.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SER_PITCH_LAGS 256
#define SER_SINC_DEPTH 8
#define SER_SINC_DEEP 30
#define SER_SINC_STEPS 32
/* Power of a squared sample step, re (2e-5)^2 of full scale. */
#define SER_INTENSITY_UNIT 2.3283064f

extern const uint8_t ser_digit_reversal[256];
extern const int32_t ser_radix4_twiddles_q31[486];
extern const int32_t ser_quarter_circle_q31[512];
extern const float ser_radix4_twiddles[504];
extern const float ser_quarter_circle[512];
extern const uint16_t ser_hann_half[SER_PITCH_WINDOW / 2];         /* Q0.15 */
extern const int32_t ser_window_correction[SER_PITCH_LAGS];        /* Q3.28 */
extern const int32_t ser_sinc_rows_q30[(SER_SINC_STEPS + 1) * 2 * SER_SINC_DEPTH];
extern const int32_t ser_sinc_deep_rows_q30[(SER_SINC_STEPS + 1) * 2 * SER_SINC_DEEP];
extern const float ser_sinc_rows[(SER_SINC_STEPS + 1) * 2 * SER_SINC_DEPTH];
extern const float ser_sinc_deep_rows[(SER_SINC_STEPS + 1) * 2 * SER_SINC_DEEP];
extern const float ser_kaiser_steps[SER_INTENSITY_STEPS];

#ifdef __cplusplus
}
#endif

#endif
