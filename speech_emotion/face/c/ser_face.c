/* speech_emotion/face/features.py, number by number: histograms of oriented gradients in integers. */
#include "ser_face.h"

#define SIDE SER_FACE_SIDE
#define CELLS 6
#define BINS 9
#define STEPS 256               /* from one orientation to the next */
#define OCTANT (BINS * STEPS / 4) /* 45 degrees */
#define UNIT 1024u
#define CLIP 307u

#include "ser_face_arc.h"

/* The whole part of the root. */
static uint32_t root(uint64_t square)
{
    uint64_t found = 0;
    uint64_t bit = (uint64_t)1 << 46;
    while (bit > square) {
        bit >>= 2;
    }
    while (bit != 0) {
        if (square >= found + bit) {
            square -= found + bit;
            found = (found >> 1) + bit;
        } else {
            found >>= 1;
        }
        bit >>= 2;
    }
    return (uint32_t)found;
}

/* From 0 to below BINS * STEPS, which is 180 degrees: opposite directions are one. */
static int32_t angle(int32_t x, int32_t y)
{
    int32_t wide, arc;
    if (y < 0 || (y == 0 && x < 0)) {
        x = -x;
        y = -y;
    }
    wide = x < 0 ? -x : x;
    if (y > wide) {
        arc = 2 * OCTANT - ser_face_arc[wide * STEPS / y];
    } else {
        arc = ser_face_arc[y * STEPS / (wide > 0 ? wide : 1)];
    }
    if (x < 0) {
        arc = 4 * OCTANT - arc;
    }
    return arc % (BINS * STEPS);
}

/* A vote goes to the two nearest cells along each axis, in 16ths; at the rim some is lost. */
static void vote(uint32_t cells[CELLS][CELLS][BINS], int x, int y, int bin, uint32_t size)
{
    for (int i = 0; i < 2; i++) {
        const int row = (2 * y + 9) / 16 - 1 + i;
        const uint32_t down = (uint32_t)((2 * y + 9) % 16);
        if (row < 0 || row >= CELLS) {
            continue;
        }
        for (int j = 0; j < 2; j++) {
            const int column = (2 * x + 9) / 16 - 1 + j;
            const uint32_t across = (uint32_t)((2 * x + 9) % 16);
            if (column >= 0 && column < CELLS) {
                cells[row][column][bin] += size * (i ? down : 16u - down) * (j ? across : 16u - across);
            }
        }
    }
}

/* The block whose first cell this is, made as long as any other and clipped. stride: from row to row. */
static float *block(const uint32_t *first, int stride, float *features)
{
    uint64_t squares = 0;
    uint32_t length;
    for (int i = 0; i < 4 * BINS; i++) {
        const uint64_t value = first[(i / (2 * BINS)) * stride + i % (2 * BINS)] / 256u;
        squares += value * value;
    }
    length = root(squares) + 16u;
    for (int i = 0; i < 4 * BINS; i++) {
        const uint32_t value = first[(i / (2 * BINS)) * stride + i % (2 * BINS)] / 256u * UNIT / length;
        *features++ = (float)(value < CLIP ? value : CLIP);
    }
    return features;
}

void ser_face_features(const uint8_t *pixels, float *features)
{
    uint32_t cells[CELLS][CELLS][BINS] = {{{0}}};
    uint32_t coarse[CELLS / 2][CELLS / 2][BINS] = {{{0}}};
    for (int y = 0; y < SIDE; y++) {
        const uint8_t *above = pixels + (y > 0 ? y - 1 : 0) * SIDE;
        const uint8_t *below = pixels + (y < SIDE - 1 ? y + 1 : y) * SIDE;
        const uint8_t *here = pixels + y * SIDE;
        for (int x = 0; x < SIDE; x++) {
            const int32_t across = here[x < SIDE - 1 ? x + 1 : x] - here[x > 0 ? x - 1 : 0];
            const int32_t down = below[x] - above[x];
            const uint32_t size = root(256u * (uint32_t)(across * across + down * down));
            const int32_t direction = angle(across, down);
            const int bin = (int)(direction / STEPS);
            const uint32_t upper = size * (uint32_t)(direction % STEPS) / STEPS;
            vote(cells, x, y, bin, size - upper);
            vote(cells, x, y, (bin + 1) % BINS, upper);
        }
    }
    for (int i = 0; i < CELLS; i++) {
        for (int j = 0; j < CELLS; j++) {
            for (int k = 0; k < BINS; k++) {
                coarse[i / 2][j / 2][k] += cells[i][j][k];
            }
        }
    }
    for (int i = 0; i < CELLS - 1; i++) {
        for (int j = 0; j < CELLS - 1; j++) {
            features = block(cells[i][j], CELLS * BINS, features);
        }
    }
    for (int i = 0; i < CELLS / 2 - 1; i++) {
        for (int j = 0; j < CELLS / 2 - 1; j++) {
            features = block(coarse[i][j], CELLS / 2 * BINS, features);
        }
    }
}

void ser_face_predict(const uint8_t *pixels, float *probabilities)
{
    float features[SER_FACE_FEATURES];
    ser_face_features(pixels, features);
    ser_face_classify(features, probabilities);
}
