/* What the extractor uses of the C library's math.h; runtime.c has the body. */
#ifndef LX6_MATH_H
#define LX6_MATH_H

float sqrtf(float x);

#endif
