/* As string.h. What stands after sqrtf is named by emlearn's headers and called by nobody: were it, linking
 * would fail. */
#ifndef SER_WEB_MATH_H
#define SER_WEB_MATH_H

float sqrtf(float x);

#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")

float expf(float x);
float logf(float x);
float tanhf(float x);

#endif
