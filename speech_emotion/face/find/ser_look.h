/* One look at a picture: its faces, each judged, or why it is not fit to be. As speech_emotion/face/quality.py and
 * camera/watching.py have it, number by number. Nothing is kept of the picture.
 *
 *     ser_look_face faces[SER_FIND_MOST];
 *     int count = ser_look(grey, width, height, faces);   // the largest first
 */
#ifndef SER_LOOK_H
#define SER_LOOK_H

#include "ser_face.h"
#include "ser_find.h"
#include "ser_look_quality.h"

/* trouble: 0, or 1 + its place in quality.TROUBLES; the probabilities are then 0. */
typedef struct {
    ser_find_face where;
    int32_t trouble;
    float probabilities[SER_FACE_LABELS];
} ser_look_face;

/* grey: (height, width), 1 to SER_FIND_LARGEST of each. Returns how many faces, SER_FIND_MOST at most. */
int ser_look(const uint8_t *grey, int width, int height, ser_look_face *faces);

/* Why a face is not fit to be judged, as above. face: (48, 48); side: pixels that it had in the picture. */
int32_t ser_look_trouble(const uint8_t *face, int side);

/* Mean and standard deviation of grey values. count: 1 to 2^22. */
double ser_look_mean(const uint8_t *grey, int count);
double ser_look_contrast(const uint8_t *grey, int count);

#endif
