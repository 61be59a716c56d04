/*
 * An exported face model on an emulated chip. The same on every machine.
 *
 * Reads the file `pictures`: 48 x 48 grey values each. Prints, in hexadecimal, one per line, the bits of each one's
 * probabilities; last the deepest stack. The counting plug-in sees a region per picture.
 */
#include "marks.h"
#include "platform.h"
#include "ser_face.h"

MARK(begin_nothing, 1) /* what the marks themselves cost */
MARK(begin_iteration, 2)
MARK(end_region, 0)

int main(void)
{
    static uint8_t picture[SER_FACE_SIDE * SER_FACE_SIDE];
    float probabilities[SER_FACE_LABELS];
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
            print_float(probabilities[i]);
        }
    }
    print_number(platform_deepest_stack());
    return 0;
}
