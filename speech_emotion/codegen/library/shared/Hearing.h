/*
 * The microphone's path of a sketch on a chip of the ESP32 family: an I2S or a PDM microphone at the I2S port, a task
 * that takes the sound, a task that recognises. Blocks of 10 ms go from one to the other by a queue that holds what
 * arrives while the recogniser is busy; what the queue or the port itself loses is counted.
 *
 * The sketch includes this once, calls start_hearing() and has the four functions that Sentences.h declares.
 */
#ifndef HEARING_H
#define HEARING_H

#include <Arduino.h>
#include <ESP_I2S.h>

#include "Board.h" /* the pins are chosen there */

/* ---- to choose, before this is included or by -D of the build ---- */

#ifndef MICROPHONE_SLOT
#define MICROPHONE_SLOT SER_CAPTURE_LEFT
#endif
#ifndef MICROPHONE_SHIFT
#define MICROPHONE_SHIFT SER_CAPTURE_SHIFT /* one less: 6 dB louder */
#endif

/* What arrives while the recogniser is busy must fit. At worst, upper estimates for an ESP32 at 240 MHz: the
   20 kept blocks at the start of an utterance (50 ms), then the hop that ends a long vowel (60 ms), then the
   answer (15 ms): 13 blocks. 40 hold 400 ms in 13 KB, and the port's own DMA buffers 90 ms more. A chip without
   floating-point unit (S2, C3, C6, H2) is slower than speech: 300 blocks hold an utterance of 3 s, and the answer
   comes late; where there is PSRAM, they are there. */
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

/* Arduino's port, which can be made anew in its place. */
class Port : public I2SClass {
public:
    static void *operator new(size_t, void *place) { return place; }
};

static ser_capture capture;
static Port microphone;

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

#if MICROPHONE_PDM
static const uint32_t FRAME_BYTES = SER_CAPTURE_PCM_BYTES;
#else
static const uint32_t FRAME_BYTES = SER_CAPTURE_SLOTS * SER_CAPTURE_SLOT_BYTES;
#endif

/* Bytes that the port's DMA has overwritten before they were read; modulo 2^32. Written by the interrupt alone. */
static volatile uint32_t port_lost = 0;

static bool IRAM_ATTR on_port_overflow(i2s_chan_handle_t, i2s_event_data_t *event, void *)
{
    port_lost = port_lost + static_cast<uint32_t>(event->size);
    return false; /* no task of higher priority woke */
}

static void rest()
{
    vTaskDelay(2); /* a whole tick at least */
}

static void capture_sound(void *)
{
    static uint8_t bytes[SER_HOP * FRAME_BYTES];
    static Captured captured;
    uint32_t known_lost = port_lost;
    for (;;) {
        const size_t count = microphone.readBytes(reinterpret_cast<char *>(bytes), sizeof bytes);
        const uint32_t lost = port_lost - known_lost;
        known_lost += lost;
        if (lost > 0) {
            ser_capture_missed(&capture, lost / FRAME_BYTES);
        }
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
    for (;;) {
        if (xQueueReceive(queue, &captured, pdMS_TO_TICKS(2000)) == pdTRUE) {
            take_block(&captured);
        } else {
            trouble("no sound from the I2S port; does something else use it?");
        }
    }
}

/* Gives back what a port that did not start has taken. Its own end() gives up at a channel that never ran, and a
   chip with one port would not find another. */
static void give_back_port()
{
    const i2s_chan_handle_t channel = microphone.rxChan();
    if (channel != nullptr && !microphone.end()) {
        i2s_del_channel(channel);
        new (&microphone) Port(); /* it forgets the channel; it owns nothing else */
    }
}

/* Opens the port, and has its overflows counted: that can only be said while it stands still. */
static bool start_port()
{
#if MICROPHONE_PDM
    microphone.setPinsPdmRx(MICROPHONE_CLOCK, MICROPHONE_DATA);
    const bool open = microphone.begin(
        I2S_MODE_PDM_RX, SER_SAMPLE_RATE, I2S_DATA_BIT_WIDTH_16BIT, I2S_SLOT_MODE_MONO
    );
#else
    /* 32-bit slots: the microphone sends 24 bits in each, and 16-bit reads would fold its spectrum. Both slots,
       as which of them "mono" means depends on the chip. */
    microphone.setPins(MICROPHONE_SCK, MICROPHONE_WS, -1, MICROPHONE_SD);
    const bool open = microphone.begin(
        I2S_MODE_STD, SER_SAMPLE_RATE, I2S_DATA_BIT_WIDTH_32BIT, I2S_SLOT_MODE_STEREO
    );
#endif
    i2s_event_callbacks_t events = {};
    events.on_recv_q_ovf = on_port_overflow;
    if (open && i2s_channel_disable(microphone.rxChan()) == ESP_OK) {
        if (i2s_channel_register_event_callback(microphone.rxChan(), &events, nullptr) != ESP_OK) {
            trouble("the I2S port does not tell what it loses; lost sound is not counted");
        }
        if (i2s_channel_enable(microphone.rxChan()) == ESP_OK) {
            return true;
        }
    }
    give_back_port();
    return false;
}

/* Starts both tasks; goes on trying until the port has started. */
static void start_hearing()
{
    start_sentences();
#if MICROPHONE_PDM
    ser_capture_init_pcm(&capture, MICROPHONE_SHIFT);
#else
    ser_capture_init(&capture, MICROPHONE_SLOT, MICROPHONE_SHIFT);
#endif
#if !SOC_CPU_HAS_FPU && defined(BOARD_HAS_PSRAM)
    while ((queue_storage = static_cast<uint8_t *>(ps_malloc(QUEUE_BLOCKS * sizeof(Captured)))) == nullptr) {
        trouble("no PSRAM found: switch it on in the board's menu, or choose a board without");
        delay(2000);
    }
#endif
    queue = xQueueCreateStatic(QUEUE_BLOCKS, sizeof(Captured), queue_storage, &queue_state);

    while (!start_port()) {
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
