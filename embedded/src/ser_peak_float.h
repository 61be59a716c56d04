/*
 * A cosine in floats, for the stage that still is: pulses. Maxima are ser_peak.h's.
 */
#ifndef SER_PEAK_FLOAT_H
#define SER_PEAK_FLOAT_H

#ifdef __cplusplus
extern "C" {
#endif

/* cos(pi x), |x| <= 1; error below 5e-6. */
float ser_cosine(float x);

#ifdef __cplusplus
}
#endif

#endif
