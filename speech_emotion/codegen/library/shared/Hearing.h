/*
 * The microphone's path of a sketch: an INMP441 at the I2S port, a task that takes the sound, a task that
 * recognises. Blocks of 10 ms go from one to the other by a queue that holds what arrives while the recogniser is
 * busy; a queue that overflows is counted.
 *
 * The sketch includes this once, calls start_hearing() and has the three functions that are declared here.
 */
#ifndef HEARING_H
#define HEARING_H

#include <Arduino.h>
#include <ESP_I2S.h>
#include <ser.h>
#include <ser_capture.h>
#include <ser_listen.h>

/* ---- to choose, before this is included or by -D of the build ---- */

#ifndef MICROPHONE_SLOT
#define MICROPHONE_SLOT SER_CAPTURE_LEFT
#endif
#ifndef MICROPHONE_SHIFT
#define MICROPHONE_SHIFT SER_CAPTURE_SHIFT /* one less: 6 dB louder */
#endif

#ifndef MICROPHONE_SCK
#if CONFIG_IDF_TARGET_ESP32
#define MICROPHONE_SCK 26
#define MICROPHONE_WS 25
#define MICROPHONE_SD 33
#elif CONFIG_IDF_TARGET_ESP32S3 || CONFIG_IDF_TARGET_ESP32C3
#define MICROPHONE_SCK 4
#define MICROPHONE_WS 5
#define MICROPHONE_SD 6
#else
#error "Say which pins the microphone is at: MICROPHONE_SCK, MICROPHONE_WS, MICROPHONE_SD"
#endif
#endif

/* What arrives while the recogniser is busy must fit. At worst, upper estimates for an ESP32 at 240 MHz: the
   20 kept blocks at the start of an utterance (50 ms), then the hop that ends a long vowel (60 ms), then the
   answer (15 ms): 13 blocks. 40 hold 400 ms in 13 KB, and the port's own DMA buffers 90 ms more. A chip without
   floating-point unit is slower than speech: 300 blocks hold an utterance of 3 s, and the answer comes late. */
#ifndef QUEUE_BLOCKS
#if CONFIG_IDF_TARGET_ESP32C3
#define QUEUE_BLOCKS 300
#define LONGEST_BLOCKS 300
#else
#define QUEUE_BLOCKS 40
#endif
#endif
#ifndef LONGEST_BLOCKS
#define LONGEST_BLOCKS 500 /* of an utterance: 5 s; what goes on longer is answered piece by piece */
#endif

/* ---- */

struct Captured {
    ser_block block;
    uint32_t at_us;    /* when its last sample was in */
    uint32_t overruns; /* blocks that found no place until then */
};

/* Of the sketch, called in the recogniser's task. A sentence is complete, `last` its last block: */
static void heard(const ser_result *result, const Captured *last);
/* A sentence is about to be answered: whose voice is known? nullptr: nobody's. */
static const ser_profile *whose_voice();
/* Every five seconds while nobody speaks: */
static void silence(uint32_t overruns);
/* Something is wrong with the sound: */
static void trouble(const char *what);

/* Tens of kilobytes: never on a task's stack. */
static ser_recognizer recognizer;
static ser_listen listening;
static ser_capture capture;
static I2SClass microphone;

static QueueHandle_t queue;
static StaticQueue_t queue_state;
static uint8_t queue_storage[QUEUE_BLOCKS * sizeof(Captured)];

static const uint32_t CAPTURE_STACK = 4096, RECOGNISE_STACK = 8192; /* bytes */
static StackType_t capture_stack[CAPTURE_STACK], recognise_stack[RECOGNISE_STACK];
static StaticTask_t capture_task, recognise_task;
static TaskHandle_t capture_handle;

static void capture_sound(void *)
{
    static uint8_t bytes[SER_HOP * SER_CAPTURE_SLOTS * SER_CAPTURE_SLOT_BYTES];
    static Captured captured;
    for (;;) {
        const size_t count = microphone.readBytes(reinterpret_cast<char *>(bytes), sizeof bytes);
        if (count == 0) {
            vTaskDelay(pdMS_TO_TICKS(10)); /* the port has stopped; the other task will say so */
        }
        for (size_t used = 0; used < count;) {
            const ser_block *block;
            used += ser_capture_push(&capture, bytes + used, count - used, &block);
            if (block == nullptr) {
                continue;
            }
            captured.block = *block;
            captured.at_us = static_cast<uint32_t>(micros());
            captured.overruns = capture.overruns;
            if (xQueueSend(queue, &captured, 0) != pdTRUE) {
                ser_capture_drop(&capture);
            }
        }
    }
}

static void recognise(void *)
{
    static Captured captured;
    static ser_result result;
    uint32_t quiet = 0, busy = 0;
    for (;;) {
        if (uxQueueMessagesWaiting(queue) > 0 && ++busy >= 100) {
            vTaskDelay(1); /* far behind: the idle task must run now and then, or the watchdog bites */
            busy = 0;
        }
        if (xQueueReceive(queue, &captured, pdMS_TO_TICKS(2000)) != pdTRUE) {
            trouble("no sound from the I2S port; does something else use it?");
            continue;
        }
        quiet++;
        switch (ser_listen_push(&listening, &captured.block)) {
        case SER_LISTEN_BEGIN:
            ser_reset(&recognizer);
            for (int i = 0; i < ser_listen_kept(&listening); i++) {
                ser_push(&recognizer, ser_listen_block(&listening, i), SER_HOP);
            }
            quiet = 0;
            break;
        case SER_LISTEN_SPEECH:
            ser_push(&recognizer, captured.block.sample, SER_HOP);
            quiet = 0;
            break;
        case SER_LISTEN_END:
            ser_push(&recognizer, captured.block.sample, SER_HOP);
            ser_know(&recognizer, whose_voice());
            ser_finish(&recognizer, &result);
            if (result.speech) {
                heard(&result, &captured);
            }
            quiet = 0;
            break;
        case SER_LISTEN_DISCARD:
        case SER_LISTEN_QUIET:
            if (quiet == 500) {
                silence(captured.overruns);
                quiet = 0;
            }
            break;
        }
    }
}

/* Starts both tasks; goes on trying until the port has started. */
static void start_hearing()
{
    ser_init(&recognizer);
    ser_listen_init(&listening);
    listening.settings.longest = LONGEST_BLOCKS;
    ser_capture_init(&capture, MICROPHONE_SLOT, MICROPHONE_SHIFT);
    queue = xQueueCreateStatic(QUEUE_BLOCKS, sizeof(Captured), queue_storage, &queue_state);

    /* 32-bit slots: the microphone sends 24 bits in each, and 16-bit reads would fold its spectrum. Both slots,
       as which of them "mono" means depends on the chip. */
    microphone.setPins(MICROPHONE_SCK, MICROPHONE_WS, -1, MICROPHONE_SD);
    while (!microphone.begin(
        I2S_MODE_STD, SER_SAMPLE_RATE, I2S_DATA_BIT_WIDTH_32BIT, I2S_SLOT_MODE_STEREO
    )) {
        trouble("the I2S port did not start; are the pins free?");
        delay(2000);
    }

    /* The recogniser on the core that Arduino uses, capture above it on the other; with one core, capture
       interrupts the recogniser whenever sound has come. */
    const BaseType_t cores = portNUM_PROCESSORS;
    capture_handle = xTaskCreateStaticPinnedToCore(
        capture_sound, "capture", CAPTURE_STACK, nullptr, 10, capture_stack, &capture_task, 0
    );
    xTaskCreateStaticPinnedToCore(
        recognise, "recognise", RECOGNISE_STACK, nullptr, 2, recognise_stack, &recognise_task, cores - 1
    );
}

#endif
