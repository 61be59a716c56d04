/*
 * Height and place of a maximum between samples of a correlation function, in floats: for the stages that still are,
 * pulses and HNR. In integers: ser_peak.h.
 */
#ifndef SER_PEAK_FLOAT_H
#define SER_PEAK_FLOAT_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    float place, height;
} ser_peak_float;

/* Parabola through r[i-1], r[i], r[i+1]; r[i] is not smaller than its neighbours and larger than one. */
ser_peak_float ser_peak_float_parabola(const float *r, int i);

/* r at x by a sinc that reaches SER_SINC_DEEP samples each way; r is mirrored at 0. */
float ser_peak_float_deep_sinc(const float *r, float x);

/* r at x where nothing is known beyond r[end]: by a sinc that reaches as many samples each way as there are
 * up to there, or for two a cubic, for one a straight line, as Praat's manual describes ("vector value
 * interpolation"). */
float ser_peak_float_short_sinc(const float *r, float x, int end);

/* cos(pi x), |x| <= 1; error below 5e-6. */
float ser_cosine(float x);

/* The maximum of the interpolation by a windowed sinc that reaches SER_SINC_DEPTH samples each way, one step
 * nearer than a rough guess. */
ser_peak_float ser_peak_float_refine(const float *r, ser_peak_float rough);

/* The same of the short one, by values h apart. */
ser_peak_float ser_peak_float_short_refine(const float *r, ser_peak_float rough, int end, float h);

#ifdef __cplusplus
}
#endif

#endif
