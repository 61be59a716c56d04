/*
 * The firmware path on an emulated chip: sound in as it arrives, label out. The same on every machine.
 *
 * Reads the file `clips`: for each clip the number of samples, uint32, and then these, int16. Prints numbers of
 * 32 bits in hexadecimal, one per line: bytes of the recogniser and its result, SER_LABELS, SER_FEATURES; for each
 * clip status, label, speech, and the bits of seconds, probabilities and features; last the deepest stack.
 */
#include "marks.h"
#include "platform.h"
#include "ser.h"

static ser_recognizer recognizer;
static ser_result result;
/* As a microphone's driver fills it, and keeps it: copied by words, and no part of the stack that is measured. */
static __attribute__((aligned(4))) int16_t block[SER_HOP];

MARK(begin_nothing, 1) /* what the marks themselves cost */
MARK(begin_init, 2)
MARK(begin_push, 3)
MARK(begin_finish, 4)
MARK(end_region, 0)

/* One clip, hop by hop. Returns whether there was one. */
static int recognise(int file)
{
    uint32_t left;
    if (platform_read(file, &left, (int)sizeof left) != (int)sizeof left) {
        return 0;
    }
    begin_init();
    ser_status status = ser_init(&recognizer);
    end_region();
    while (left > 0 && status == SER_OK) {
        const uint32_t count = left < SER_HOP ? left : SER_HOP;
        const int bytes = (int)(count * sizeof *block);
        if (platform_read(file, block, bytes) != bytes) {
            return 0;
        }
        begin_push();
        status = ser_push(&recognizer, block, count);
        end_region();
        left -= count;
    }
    begin_finish();
    status = status == SER_OK ? ser_finish(&recognizer, &result) : status;
    end_region();
    print_number((uint32_t)status);
    print_number((uint32_t)result.label);
    print_number((uint32_t)result.speech);
    print_float(result.seconds);
    for (int i = 0; i < SER_LABELS; i++) {
        print_float(result.probabilities[i]);
    }
    for (int i = 0; i < SER_FEATURES; i++) {
        print_float(ser_features(&recognizer)[i]);
    }
    return 1;
}

int main(void)
{
    const int file = platform_open("clips");
    if (file < 0) {
        return 3;
    }
    print_number(sizeof recognizer + sizeof result);
    print_number(SER_LABELS);
    print_number(SER_FEATURES);
    begin_nothing();
    end_region();
    platform_paint_stack();
    while (recognise(file)) {
    }
    print_number(platform_deepest_stack());
    return 0;
}
