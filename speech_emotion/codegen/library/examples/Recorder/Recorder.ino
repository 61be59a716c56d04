/*
 * Sends what the microphone hears over USB, so that recordings for training are made with the microphone, the room
 * and the gain that will be listened with: 16 kHz, in checked and numbered blocks of 10 ms. The computer's side:
 *
 *     speech-emotion record --port /dev/ttyUSB0 --labels happy sad neutral --speaker anna
 *
 * which shows what to say, cuts sentences as the board would, and counts every block that was lost. Wiring as for
 * the sketch Microphone; for ESP32, ESP32-S3 and ESP32-C3 with Arduino-ESP32 core 3.1 or newer.
 */
#include <Arduino.h>
#include <ESP_I2S.h>
#include <ser_capture.h>

#include "wire.h"

/* ---- to choose, as in the sketch that will listen; each may also be a -D of the build ---- */

#ifndef MICROPHONE_SLOT
#define MICROPHONE_SLOT SER_CAPTURE_LEFT
#endif
#ifndef MICROPHONE_SHIFT
#define MICROPHONE_SHIFT SER_CAPTURE_SHIFT /* one less: 6 dB louder */
#endif
#ifndef RECORDER_BAUD
#define RECORDER_BAUD 921600 /* the sound takes 338 kbit/s */
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
/* ---- */

static const UBaseType_t QUEUE_BLOCKS = 50; /* half a second, while the line is busy */
static const uint32_t CAPTURE_STACK = 4096; /* bytes */

static ser_capture capture;
static I2SClass microphone;
static QueueHandle_t queue;
static StaticQueue_t queue_state;
static uint8_t queue_storage[QUEUE_BLOCKS * sizeof(ser_block)];
static StackType_t capture_stack[CAPTURE_STACK];
static StaticTask_t capture_task;

static void capture_sound(void *)
{
    static uint8_t bytes[SER_HOP * SER_CAPTURE_SLOTS * SER_CAPTURE_SLOT_BYTES];
    for (;;) {
        const size_t count = microphone.readBytes(reinterpret_cast<char *>(bytes), sizeof bytes);
        if (count == 0) {
            vTaskDelay(pdMS_TO_TICKS(10));
        }
        for (size_t used = 0; used < count;) {
            const ser_block *block;
            used += ser_capture_push(&capture, bytes + used, count - used, &block);
            if (block != nullptr && xQueueSend(queue, block, 0) != pdTRUE) {
                ser_capture_drop(&capture); /* the next block's number will show it */
            }
        }
    }
}

void setup()
{
#if !ARDUINO_USB_CDC_ON_BOOT || ARDUINO_USB_MODE /* TinyUSB has its own buffer */
    Serial.setTxBufferSize(8 * WIRE_BYTES);
#endif
    Serial.begin(RECORDER_BAUD);
    ser_capture_init(&capture, MICROPHONE_SLOT, MICROPHONE_SHIFT);
    queue = xQueueCreateStatic(QUEUE_BLOCKS, sizeof(ser_block), queue_storage, &queue_state);
    /* 32-bit slots, both of them: see Hearing.h of the sketch Microphone */
    microphone.setPins(MICROPHONE_SCK, MICROPHONE_WS, -1, MICROPHONE_SD);
    while (!microphone.begin(
        I2S_MODE_STD, SER_SAMPLE_RATE, I2S_DATA_BIT_WIDTH_32BIT, I2S_SLOT_MODE_STEREO
    )) {
        Serial.println("{\"error\": \"the I2S port did not start; are the pins free?\"}");
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
        Serial.println("{\"error\": \"no sound from the I2S port; does something else use it?\"}");
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
