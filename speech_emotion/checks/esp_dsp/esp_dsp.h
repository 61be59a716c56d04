/* What esp-dsp's kernels in ANSI C ask of their headers, for an emulated chip: every header that they include is this one. */
#ifndef ESP_DSP_H
#define ESP_DSP_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int esp_err_t;
enum { ESP_OK, ESP_ERR_DSP_INVALID_LENGTH, ESP_ERR_DSP_INVALID_PARAM, ESP_ERR_DSP_PARAM_OUTOFRANGE,
       ESP_ERR_DSP_UNINITIALIZED, ESP_ERR_DSP_REINITIALIZED };
#define CONFIG_DSP_MAX_FFT_SIZE 4096

typedef union {
    struct {
        int16_t re, im;
    };
    uint32_t data;
} sc16_t;

typedef struct {
    float *coeffs, *delay;
    int N, pos, decim;
    int16_t use_delay;
} fir_f32_t;

static inline int dsp_is_power_of_two(int x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

extern uint8_t dsps_fft2r_initialized, dsps_fft2r_sc16_initialized;
esp_err_t dsps_dotprod_f32_ansi(const float *a, const float *b, float *sum, int count);
esp_err_t dsps_dotprod_s16_ansi(const int16_t *a, const int16_t *b, int16_t *sum, int count, int8_t shift);
esp_err_t dsps_fir_f32_ansi(fir_f32_t *filter, const float *from, float *to, int count);
esp_err_t dsps_biquad_f32_ansi(const float *from, float *to, int count, float *coefficients, float *state);
esp_err_t dsps_fft2r_fc32_ansi_(float *data, int count, float *table);
esp_err_t dsps_fft2r_sc16_ansi_(int16_t *data, int count, int16_t *table);

#endif
