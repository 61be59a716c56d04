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
#define SER_INTENSITY_UNIT_LOG2 (-281533748) /* of the unit of power, Q24 */
#define SER_INTENSITY_LEAST INT64_C(112589) /* power at the floor */
#define SER_INTENSITY_FLOOR (0) /* of the level */
#define SER_INTENSITY_PER_LOG2 25252226 /* to the level's format */
#define SER_INTENSITY_SHARE 1612187138 /* one over the window's samples, Q41 */

extern const uint8_t ser_digit_reversal[256];
extern const int32_t ser_radix4_twiddles_q31[486];
extern const int32_t ser_quarter_circle_q31[512];
extern const int16_t ser_turns[256]; /* cos, sin of 2 pi n / 512 for n < 128, Q1.14 */
extern const uint16_t ser_hann_half[SER_PITCH_WINDOW / 2];         /* Q0.15 */
extern const int32_t ser_window_correction[SER_PITCH_LAGS];        /* Q3.28 */
extern const int32_t ser_sinc_rows_q30[(SER_SINC_STEPS + 1) * 2 * SER_SINC_DEPTH];
extern const int32_t ser_sinc_deep_rows_q30[(SER_SINC_STEPS + 1) * 2 * SER_SINC_DEEP];
extern const int32_t ser_kaiser_steps[SER_INTENSITY_STEPS];

#ifdef __cplusplus
}
#endif

#endif
