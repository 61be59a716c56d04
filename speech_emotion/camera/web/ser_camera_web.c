/*
 * What a web page asks of the face's part: room for a picture's grey values, a look at it, its faces, and voice and
 * face as one answer. Compiled to WebAssembly together with `face/finder.py`'s files; no C library, no imports.
 */
#include "ser_fusion.h"
#include "ser_look.h"

#include <stddef.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define PAGE 65536u

extern uint8_t __heap_base;

static uint8_t picture[SER_FIND_LARGEST * SER_FIND_LARGEST];
static int picture_width, picture_height;
static ser_look_face faces[SER_FIND_MOST];
static float voice[SER_FACE_LABELS], face[SER_FACE_LABELS], both[SER_FACE_LABELS];
static uint32_t given; /* bytes of room */

/* Room for a picture of `height` rows, whatever the browser lays into it; 0: there is not so much memory. */
EXPORT(room) uint8_t *ser_camera_room(uint32_t bytes, uint32_t height)
{
    const uint64_t end = (uint64_t)(uintptr_t)&__heap_base + bytes + (uint64_t)height * SER_FIND_LARGEST;
    const uint64_t pages = (end + PAGE - 1u) / PAGE;
    const uint64_t there = __builtin_wasm_memory_size(0);
    given = bytes;
    if (pages > 65536u || (pages > there && __builtin_wasm_memory_grow(0, (size_t)(pages - there)) == (size_t)-1)) {
        return NULL;
    }
    return &__heap_base;
}

/* From 0 to 255 instead of 16 to 235. */
static void widen(uint8_t *row, int width)
{
    for (int x = 0; x < width; x++) {
        const int value = ((row[x] - 16) * 510 + 219) / 438;
        row[x] = (uint8_t)(row[x] < 16 ? 0 : value > 255 ? 255 : value);
    }
}

/* At least 2: as camera/sources.py has it. */
static int shorter(int side, int longer)
{
    const double exact = (double)side / ((double)longer / SER_FIND_LARGEST);
    const int low = (int)exact;
    const double rest = exact - low;
    const int nearest = rest > 0.5 || (rest == 0.5 && low % 2 != 0) ? low + 1 : low;
    return nearest > 2 ? nearest : 2;
}

/* Looks at the grey values in the room: rows of `stride` bytes from `offset` on. limited: from 16 to 235. Returns how
 * many faces. */
EXPORT(look) int ser_camera_look(int offset, int stride, int width, int height, int limited)
{
    uint8_t *plane = &__heap_base + offset;
    const int longer = width > height ? width : height;
    for (int y = 0; limited && y < height; y++) {
        widen(plane + (size_t)y * (size_t)stride, width);
    }
    picture_width = width;
    picture_height = height;
    if (longer > SER_FIND_LARGEST) {
        picture_width = shorter(width, longer);
        picture_height = shorter(height, longer);
        ser_find_box(plane, stride, width, height, picture, picture_width, picture_height, &__heap_base + given);
    } else {
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                picture[y * width + x] = plane[(size_t)y * (size_t)stride + (size_t)x];
            }
        }
    }
    return ser_look(picture, picture_width, picture_height, faces);
}

/* Of the picture as it was looked at. */
EXPORT(picture) const uint8_t *ser_camera_picture(void) { return picture; }
EXPORT(width) int ser_camera_width(void) { return picture_width; }
EXPORT(height) int ser_camera_height(void) { return picture_height; }
EXPORT(mean) double ser_camera_mean(void) { return ser_look_mean(picture, picture_width * picture_height); }

/* Nothing of it is kept. */
EXPORT(forget) void ser_camera_forget(void)
{
    for (int i = 0; i < picture_width * picture_height; i++) {
        picture[i] = 0;
    }
}

EXPORT(x) int ser_camera_x(int i) { return faces[i].where.x; }
EXPORT(y) int ser_camera_y(int i) { return faces[i].where.y; }
EXPORT(side) int ser_camera_side(int i) { return faces[i].where.side; }
EXPORT(trouble) int ser_camera_trouble(int i) { return faces[i].trouble; }
EXPORT(probabilities) const float *ser_camera_probabilities(int i) { return faces[i].probabilities; }

/* --- voice and face ------------------------------------------------------------------------- */

EXPORT(voice) float *ser_camera_voice(void) { return voice; }
EXPORT(face) float *ser_camera_face(void) { return face; }

/* What the page wrote there as one answer; a channel that is not there is left out. */
EXPORT(fuse) const float *ser_camera_fuse(int labels, int heard, int seen, float voice_weight, float face_weight)
{
    ser_fuse(heard ? voice : NULL, seen ? face : NULL, labels, voice_weight, face_weight, both);
    return both;
}

EXPORT(apart) float ser_camera_apart(int labels) { return ser_disagreement(voice, face, labels); }
