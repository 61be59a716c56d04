/* What the extractor and emlearn's headers use of the C library's math.h; runtime.c has the bodies. */
#ifndef LX6_MATH_H
#define LX6_MATH_H

#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")

float fabsf(float x); /* an instruction */
float sqrtf(float x);

/* Named by emlearn's functions, never called by a model: they end the program. */
float expf(float x);
float logf(float x);
float tanhf(float x);

#endif
