/* Where faces are in a grey picture: a cascade of Haar features (Viola & Jones 2001; Lienhart & Maydt 2002), with
 * the numbers of ser_find_cascade.h. The same squares as speech_emotion/face/detecting.py, which asks OpenCV.
 *
 *     ser_find_face faces[SER_FIND_MOST];
 *     int count = ser_find(grey, width, height, faces);   // the largest first
 *
 * For computers: double precision, about 1 MB of static memory, one picture at a time. Nothing is kept of it.
 */
#ifndef SER_FIND_H
#define SER_FIND_H

#include <stdint.h>

#define SER_FIND_MOST 8
#define SER_FIND_LOOKED_AT 240 /* pixels of the longer side in which faces are looked for */
#define SER_FIND_SMALLEST 30   /* of a face's side, in that picture */
#define SER_FIND_LARGEST 1280  /* pixels of a picture's longer side */

/* A square inside of the picture: left upper corner and side, pixels. */
typedef struct {
    int32_t x, y, side;
} ser_find_face;

/* grey: (height, width), row by row, 1 to SER_FIND_LARGEST of each. Returns how many were found, SER_FIND_MOST at most. */
int ser_find(const uint8_t *grey, int width, int height, ser_find_face *faces);

/* A part of a picture (of `stride` pixels a row) made smaller, each pixel the mean of those whose centres it
 * covers: Pillow's box. No larger than the part; room: (height * to_width). */
void ser_find_box(const uint8_t *grey, int stride, int width, int height, uint8_t *to, int to_width,
                  int to_height, uint8_t *room);

#endif
