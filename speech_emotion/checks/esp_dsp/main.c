/*
 * A kernel of esp-dsp in ANSI C, on an emulated chip, called as its benchmark calls it.
 *
 * The counting plug-in sees a region per call. -DPROGRAM_x says which. Prints a sum over the result, in hexadecimal. The
 * data are small whole numbers, so that floats come out the same in any order; the transforms' tables are of ones.
 */
#include "esp_dsp.h"
#include "marks.h"
#include "platform.h"

MARK(begin_nothing, 1) /* what the marks themselves cost */
MARK(begin_iteration, 2)
MARK(end_region, 0)

enum { POINTS = 1024, TAPS = 256 };

#if defined PROGRAM_dotprod_s16 || defined PROGRAM_fft2r_sc16
typedef int16_t number;
#else
typedef float number;
#endif
static __attribute__((aligned(16))) number a[2 * POINTS], b[2 * POINTS], c[2 * POINTS];

static void iteration(void)
{
#if defined PROGRAM_dotprod_f32
    begin_iteration();
    dsps_dotprod_f32_ansi(a, b, c, 256);
#elif defined PROGRAM_dotprod_s16
    begin_iteration();
    dsps_dotprod_s16_ansi(a, b, c, 256, 0);
#elif defined PROGRAM_fir_f32
    static float delay[TAPS];
    fir_f32_t filter = {.coeffs = b, .delay = delay, .N = TAPS, .pos = 0};
    begin_iteration();
    dsps_fir_f32_ansi(&filter, a, c, POINTS);
#elif defined PROGRAM_biquad_f32
    begin_iteration();
    dsps_biquad_f32_ansi(a, c, POINTS, b, b + 5);
#elif defined PROGRAM_fft2r_fc32
    begin_iteration();
    dsps_fft2r_fc32_ansi_(a, POINTS, b);
#elif defined PROGRAM_fft2r_sc16
    begin_iteration();
    dsps_fft2r_sc16_ansi_(a, POINTS, b);
#endif
    end_region();
}

int main(void)
{
    for (int i = 0; i < 2 * POINTS; i++) {
        a[i] = (number)(i % 7 - 3);
        b[i] = (number)(i % 5 - 2);
    }
#if defined PROGRAM_dotprod_s16
    for (int i = 0; i < 2 * POINTS; i++) { /* or little is left of the sum when it is shifted */
        a[i] = (int16_t)(i % 7 * 100);
        b[i] = (int16_t)(i % 5 * 100);
    }
#elif defined PROGRAM_biquad_f32
    b[5] = b[6] = 0; /* its state; and coefficients that let nothing grow: -2, -1, 0, 0, 0 */
    b[3] = b[4] = 0;
#elif defined PROGRAM_fft2r_fc32
    dsps_fft2r_initialized = 1;
#elif defined PROGRAM_fft2r_sc16
    dsps_fft2r_sc16_initialized = 1;
    for (int i = 0; i < 2 * POINTS; i++) {
        a[i] = (int16_t)(a[i] * 5000);
        b[i] = (int16_t)(b[i] * 8000);
    }
#endif
    begin_nothing();
    end_region();
    iteration();
#if defined PROGRAM_fft2r_fc32 || defined PROGRAM_fft2r_sc16
    number *const result = a;
#else
    number *const result = c;
#endif
    uint32_t sum = 0;
    for (int i = 0; i < 2 * POINTS; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &result[i], sizeof result[i]);
        sum = sum * 31 + bits;
    }
    print_number(sum);
    return 0;
}
