/*
 * The microphone's path of a sketch on a chip of the ESP32 family: a task that takes the sound from the port (Port.h),
 * a task that recognises (Sentences.h). Blocks of 10 ms go from one to the other by a queue that holds what arrives
 * while the recogniser is busy; what the queue or the port itself loses is counted.
 *
 * The sketch includes this once, calls start_hearing() and has the four functions that Sentences.h declares.
 */
#ifndef HEARING_H
#define HEARING_H

#include <Arduino.h>

#include "Port.h"

/* ---- to choose, before this is included or by -D of the build ---- */

/* What arrives while the recogniser is busy must fit. At worst, upper estimates for an ESP32 at 240 MHz: the
   20 kept blocks at the start of an utterance (50 ms), then the hop that ends a long vowel (60 ms), then the
   answer (15 ms): 13 blocks. 40 hold 400 ms in 13 KB, and the port's own DMA buffers 90 ms more. A chip without
   floating-point unit (S2, C3, C6, H2) has a third of the speed, and no board has shown yet that it keeps up: 300 blocks
   hold an utterance of 3 s; where there is PSRAM, they are there. */
#ifndef QUEUE_BLOCKS
#if SOC_CPU_HAS_FPU
#define QUEUE_BLOCKS 40
#else
#define QUEUE_BLOCKS 300
#ifndef LONGEST_BLOCKS
#define LONGEST_BLOCKS 300
#endif
#endif
#endif

/* ---- */

#include "Sentences.h"

static QueueHandle_t queue;
static StaticQueue_t queue_state;
#if !SOC_CPU_HAS_FPU && defined(BOARD_HAS_PSRAM)
static uint8_t *queue_storage; /* in PSRAM */
#else
static uint8_t queue_storage[QUEUE_BLOCKS * sizeof(Captured)];
#endif

static const uint32_t CAPTURE_STACK = 4096, RECOGNISE_STACK = 8192; /* bytes */
static StackType_t capture_stack[CAPTURE_STACK], recognise_stack[RECOGNISE_STACK];
static StaticTask_t capture_task, recognise_task;
static TaskHandle_t capture_handle;

static void rest()
{
    vTaskDelay(2); /* a whole tick at least */
}

static bool captured_block(const ser_block *block)
{
    static Captured captured;
    captured.block = *block;
    captured.at_us = static_cast<uint32_t>(micros());
    captured.overruns = capture.overruns;
    return xQueueSend(queue, &captured, 0) == pdTRUE;
}

static void capture_sound(void *)
{
    for (;;) {
        read_port();
    }
}

static void recognise(void *)
{
    static Captured captured;
    for (;;) {
        if (xQueueReceive(queue, &captured, pdMS_TO_TICKS(2000)) == pdTRUE) {
            take_block(&captured);
        } else {
            trouble("no sound from the I2S port; does something else use it?");
        }
    }
}

/* Starts both tasks; goes on trying until the port has started. */
static void start_hearing()
{
    start_sentences();
#if !SOC_CPU_HAS_FPU && defined(BOARD_HAS_PSRAM)
    while ((queue_storage = static_cast<uint8_t *>(ps_malloc(QUEUE_BLOCKS * sizeof(Captured)))) == nullptr) {
        trouble("no PSRAM found: switch it on in the board's menu, or choose a board without");
        delay(2000);
    }
#endif
    queue = xQueueCreateStatic(QUEUE_BLOCKS, sizeof(Captured), queue_storage, &queue_state);

    while (!start_port()) {
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
