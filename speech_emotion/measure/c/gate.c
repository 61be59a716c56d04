/*
 * What listening costs while nobody speaks, on any machine: an I2S port's bytes become blocks, and the gate looks at
 * them. Prints nothing; the counting plug-in sees a region per block of 10 ms.
 */
#include "marks.h"
#include "ser_capture.h"
#include "ser_listen.h"

MARK(begin_nothing, 1)
MARK(begin_listen, 2)
MARK(end_region, 0)

enum { BLOCKS = 100, BYTES = SER_HOP * SER_CAPTURE_SLOTS * SER_CAPTURE_SLOT_BYTES };

int main(void)
{
    static ser_capture capture;
    static ser_listen listen;
    static uint8_t bytes[BYTES];
    uint32_t noise = 1;
    int quiet = 0;
    ser_capture_init(&capture, SER_CAPTURE_LEFT, SER_CAPTURE_SHIFT);
    ser_listen_init(&listen);
    begin_nothing();
    end_region();
    for (int i = 0; i < BLOCKS; i++) {
        for (int j = 0; j < BYTES; j++) {
            noise = noise * 1664525u + 1013904223u;
            bytes[j] = (uint8_t)(j % 8 < 2 ? noise >> 24 : 0u); /* a quiet room */
        }
        begin_listen();
        const ser_block *block;
        ser_capture_push(&capture, bytes, sizeof bytes, &block);
        quiet += ser_listen_push(&listen, block) == SER_LISTEN_QUIET;
        end_region();
    }
    return quiet == BLOCKS ? 0 : 3;
}
