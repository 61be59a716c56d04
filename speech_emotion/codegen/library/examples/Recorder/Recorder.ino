/*
 * Sends what the microphone hears over USB, so that recordings for training are made with the microphone, the room
 * and the gain that will be listened with: 16 kHz, in checked and numbered blocks of 10 ms. The computer's side:
 *
 *     speech-emotion record --port /dev/ttyUSB0 --labels happy sad neutral --speaker anna
 *
 * which shows what to say, cuts sentences as the board would, and counts every block that was lost. Boards and wiring
 * as for the sketch Microphone.
 */
#include <Arduino.h>

#include "Port.h" /* slot and gain are chosen there, as in the sketch that will listen */
#include "wire.h"

/* ---- to choose; may also be a -D of the build ---- */

#ifndef RECORDER_BAUD
#define RECORDER_BAUD 921600 /* the sound takes 338 kbit/s */
#endif
/* ---- */

static const UBaseType_t QUEUE_BLOCKS = 50; /* half a second, while the line is busy */
static const uint32_t CAPTURE_STACK = 4096; /* bytes */

static QueueHandle_t queue;
static StaticQueue_t queue_state;
static uint8_t queue_storage[QUEUE_BLOCKS * sizeof(ser_block)];
static StackType_t capture_stack[CAPTURE_STACK];
static StaticTask_t capture_task;

static bool captured_block(const ser_block *block)
{
    return xQueueSend(queue, block, 0) == pdTRUE; /* if not, the next block's number will show it */
}

static void capture_sound(void *)
{
    for (;;) {
        read_port();
    }
}

static void trouble(const char *what)
{
    Serial.print("{\"error\": \"");
    Serial.print(what);
    Serial.println("\"}");
}

void setup()
{
#if !ARDUINO_USB_CDC_ON_BOOT || ARDUINO_USB_MODE /* TinyUSB has its own buffer */
    Serial.setTxBufferSize(8 * WIRE_BYTES);
#endif
    Serial.begin(RECORDER_BAUD);
    queue = xQueueCreateStatic(QUEUE_BLOCKS, sizeof(ser_block), queue_storage, &queue_state);
    while (!start_port()) {
        delay(2000);
    }
    xTaskCreateStaticPinnedToCore(
        capture_sound, "capture", CAPTURE_STACK, nullptr, 10, capture_stack, &capture_task, 0
    );
}

void loop()
{
    static ser_block block;
    static uint8_t bytes[WIRE_BYTES];
    static uint32_t run, number;
    if (xQueueReceive(queue, &block, pdMS_TO_TICKS(2000)) != pdTRUE) {
        trouble("no sound from the I2S port; does something else use it?");
        return;
    }
    if (run == 0) {
        run = esp_random() | 1u;
    } else {
        number += 1u + block.lost;
    }
    wire_block(bytes, run, number, &block);
    Serial.write(bytes, sizeof bytes);
}
