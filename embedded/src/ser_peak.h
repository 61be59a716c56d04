/*
 * Height and place of a maximum between samples of a correlation function.
 */
#ifndef SER_PEAK_H
#define SER_PEAK_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    float place, height;
} ser_peak;

/* Parabola through r[i-1], r[i], r[i+1]; r[i] is not smaller than its neighbours and larger than one. */
ser_peak ser_peak_parabola(const float *r, int i);

/* r at x by a windowed sinc over r[floor(x)-7 .. floor(x)+8]. */
float ser_peak_sinc(const float *r, float x);

/* r at x by a sinc that reaches SER_SINC_DEEP samples each way; r is mirrored at 0. */
float ser_peak_deep_sinc(const float *r, float x);

/* The maximum of the sinc interpolation near a peak found by parabola. */
ser_peak ser_peak_refine(const float *r, ser_peak rough);

#ifdef __cplusplus
}
#endif

#endif
