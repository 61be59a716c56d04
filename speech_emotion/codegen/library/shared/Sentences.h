/*
 * From blocks of sound to answers: where somebody speaks is listened to, and each sentence is answered. The same for
 * every microphone and every system.
 *
 * What includes this calls start_sentences() once and take_block() for each block, has the four functions that the
 * sketch is to have, and rest().
 */
#ifndef SENTENCES_H
#define SENTENCES_H

#include <Arduino.h>
#include <ser.h>
#include <ser_capture.h>
#include <ser_listen.h>

#ifndef LONGEST_BLOCKS
#define LONGEST_BLOCKS 500 /* of an utterance: 5 s; what goes on longer is answered piece by piece */
#endif

struct Captured {
    ser_block block;
    uint32_t at_us;    /* when its last sample was in */
    uint32_t overruns; /* blocks missing until then */
};

/* Of the sketch. A sentence is complete, `last` its last block: */
static void heard(const ser_result *result, const Captured *last);
/* A sentence is about to be answered: whose voice is known? nullptr: nobody's. */
static const ser_profile *whose_voice();
/* Every five seconds while nobody speaks: */
static void silence(uint32_t overruns);
/* Something is wrong with the sound: */
static void trouble(const char *what);

/* Of the system: lets what waits run, the idle task for one, whose watchdog bites after 5 s. */
static void rest();

/* Tens of kilobytes: never on a task's stack. */
static ser_recognizer recognizer;
static ser_listen listening;

static void start_sentences()
{
    ser_init(&recognizer);
    ser_listen_init(&listening);
    listening.settings.longest = LONGEST_BLOCKS;
}

/* By the clock, not by blocks: a hop may take a chip without floating-point unit 70 ms. Asked after every hop, also
   of the 20 that are taken at once when a sentence begins. */
static void rest_when_due()
{
    static uint32_t rested_ms = 0;
    if (static_cast<uint32_t>(millis()) - rested_ms >= 1000) {
        rest();
        rested_ms = static_cast<uint32_t>(millis());
    }
}

static void take_hop(const int16_t *samples)
{
    ser_push(&recognizer, samples, SER_HOP);
    rest_when_due();
}

static void take_block(const Captured *captured)
{
    static ser_result result;
    static uint32_t quiet = 0;
    static uint8_t told = SER_CAPTURE_WELL;
    const uint8_t fault = captured->block.fault;
    if (fault != told && fault != SER_CAPTURE_WELL) {
        trouble(ser_capture_says(fault));
    }
    told = fault;
    rest_when_due();
    quiet++;
    switch (ser_listen_push(&listening, &captured->block)) {
    case SER_LISTEN_BEGIN:
        ser_reset(&recognizer);
        for (int i = 0; i < ser_listen_kept(&listening); i++) {
            take_hop(ser_listen_block(&listening, i));
        }
        quiet = 0;
        break;
    case SER_LISTEN_SPEECH:
        take_hop(captured->block.sample);
        quiet = 0;
        break;
    case SER_LISTEN_END:
        take_hop(captured->block.sample);
        ser_know(&recognizer, whose_voice());
        ser_finish(&recognizer, &result);
        if (result.speech) {
            heard(&result, captured);
        }
        quiet = 0;
        break;
    case SER_LISTEN_DISCARD:
    case SER_LISTEN_QUIET:
        if (quiet >= 500) {
            silence(captured->overruns);
            if (fault != SER_CAPTURE_WELL) {
                trouble(ser_capture_says(fault)); /* for whoever looks later */
            }
            quiet = 0;
        }
        break;
    }
}

#endif
