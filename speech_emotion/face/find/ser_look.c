#include "ser_look.h"

#define SIDE SER_FACE_SIDE
#define PIXELS (SIDE * SIDE)
#define COARSE 4 /* pixels of a side of what symmetry looks at */

double ser_look_mean(const uint8_t *grey, int count)
{
    uint32_t sum = 0;
    for (int i = 0; i < count; i++) {
        sum += grey[i];
    }
    return (double)sum / count;
}

static double variance(const uint8_t *grey, int count)
{
    uint64_t sum = 0;
    uint64_t squares = 0;
    for (int i = 0; i < count; i++) {
        sum += grey[i];
        squares += (uint64_t)grey[i] * grey[i];
    }
    return (double)((uint64_t)count * squares - sum * sum) / ((double)count * count);
}

double ser_look_contrast(const uint8_t *grey, int count) { return __builtin_sqrt(variance(grey, count)); }

static double sharpness(const uint8_t *face)
{
    const double spread = variance(face, PIXELS);
    int64_t energy = 0;
    for (int y = 1; y < SIDE - 1; y++) {
        for (int x = 1; x < SIDE - 1; x++) {
            const uint8_t *at = face + y * SIDE + x;
            const int laplacian = at[-SIDE] + at[SIDE] + at[-1] + at[1] - 4 * at[0];
            energy += laplacian * laplacian;
        }
    }
    return (double)energy / ((SIDE - 2) * (SIDE - 2)) / (spread > 1.0 ? spread : 1.0);
}

static double symmetry(const uint8_t *face)
{
    enum { CELLS = SIDE / COARSE };
    const double mean = ser_look_mean(face, PIXELS);
    double cells[CELLS][CELLS] = {{0.0}};
    double product = 0.0;
    double energy = 0.0;
    for (int i = 0; i < PIXELS; i++) {
        cells[i / SIDE / COARSE][i % SIDE / COARSE] += face[i];
    }
    for (int y = 0; y < CELLS; y++) {
        for (int x = 0; x < CELLS; x++) {
            const double one = cells[y][x] / (COARSE * COARSE) - mean;
            product += one * (cells[y][CELLS - 1 - x] / (COARSE * COARSE) - mean);
            energy += one * one;
        }
    }
    return product / (energy > 1.0 ? energy : 1.0);
}

int32_t ser_look_trouble(const uint8_t *face, int side)
{
    return side < SER_LOOK_LEAST_SIDE                                    ? 1
           : ser_look_contrast(face, PIXELS) < SER_LOOK_LEAST_CONTRAST   ? 2
           : sharpness(face) < SER_LOOK_LEAST_SHARPNESS                  ? 3
           : symmetry(face) < SER_LOOK_LEAST_SYMMETRY                    ? 4
                                                                         : 0;
}

int ser_look(const uint8_t *grey, int width, int height, ser_look_face *faces)
{
    static uint8_t room[SER_FIND_LARGEST * SIDE];
    ser_find_face found[SER_FIND_MOST];
    const int count = ser_find(grey, width, height, found);
    for (int i = 0; i < count; i++) {
        uint8_t face[PIXELS];
        const int side = found[i].side;
        faces[i] = (ser_look_face){found[i], 1, {0.0f}};
        if (side < SIDE) {
            continue;
        }
        ser_find_box(grey + found[i].y * width + found[i].x, width, side, side, face, SIDE, SIDE, room);
        faces[i].trouble = ser_look_trouble(face, side);
        if (faces[i].trouble == 0) {
            ser_face_predict(face, faces[i].probabilities);
        }
    }
    return count;
}
