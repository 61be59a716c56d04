/* An emotion from a face of 48 x 48 grey pixels, such as a detector cuts out: features in integers, then a small
 * network. No heap, no double, no libm.
 *
 *     float p[SER_FACE_LABELS];
 *     ser_face_predict(pixels, p);            // row by row, 0 black to 255 white
 *     ser_fuse(voice, p, ...);                // ser_fusion.h
 *
 * A picture is looked at and forgotten: nothing here keeps one.
 */
#ifndef SER_FACE_H
#define SER_FACE_H

#include <stdint.h>

#include "ser_face_model.h"

#define SER_FACE_SIDE 48
#define SER_FACE_FEATURES 1044

#ifdef __cplusplus
extern "C" {
#endif

extern const char *const ser_face_label_names[SER_FACE_LABELS];

/* pixels: (48 * 48). probabilities: (SER_FACE_LABELS). About 7 KB of stack. */
void ser_face_predict(const uint8_t *pixels, float *probabilities);

/* The two halves of it. features: (SER_FACE_FEATURES), whole numbers. */
void ser_face_features(const uint8_t *pixels, float *features);
void ser_face_classify(const float *features, float *probabilities);

#ifdef __cplusplus
}
#endif

#endif
