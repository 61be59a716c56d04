/*
 * An exported face model on an emulated chip. The same on every machine.
 *
 * Reads the file `pictures`: 48 x 48 grey values each. Prints, in hexadecimal, one per line, the bits of each one's
 * probabilities; last the deepest stack. The counting plug-in sees a region per picture.
 */
#include "marks.h"
#include "platform.h"
#include "ser_face.h"

#include <string.h>

MARK(begin_nothing, 1) /* what the marks themselves cost */
MARK(begin_iteration, 2)
MARK(end_region, 0)

static void print_number(uint32_t value)
{
    char line[9];
    for (int i = 0; i < 8; i++) {
        line[i] = "0123456789abcdef"[(value >> (28 - 4 * i)) & 15u];
    }
    line[8] = '\n';
    platform_print(line, 9);
}

int main(void)
{
    static uint8_t picture[SER_FACE_SIDE * SER_FACE_SIDE];
    float probabilities[SER_FACE_LABELS];
    uint32_t bits;
    const int file = platform_open("pictures");
    if (file < 0) {
        return 3;
    }
    begin_nothing();
    end_region();
    platform_paint_stack();
    while (platform_read(file, picture, (int)sizeof picture) == (int)sizeof picture) {
        begin_iteration();
        ser_face_predict(picture, probabilities);
        end_region();
        for (int i = 0; i < SER_FACE_LABELS; i++) {
            memcpy(&bits, &probabilities[i], sizeof bits);
            print_number(bits);
        }
    }
    print_number(platform_deepest_stack());
    return 0;
}
