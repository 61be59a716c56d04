/*
 * Hears a voice through an INMP441 microphone and says which emotion it expresses: a line per utterance.
 * For ESP32, ESP32-S3 and ESP32-C3 with Arduino-ESP32 core 3.1 or newer; choose the board, nothing else changes.
 *
 *     INMP441     ESP32      S3, C3
 *     VDD         3V3        3V3          never 5 V
 *     GND         GND        GND
 *     L/R         GND        GND          the left slot; to 3V3: set MICROPHONE_SLOT
 *     SCK         GPIO 26    GPIO 4       bit clock
 *     WS          GPIO 25    GPIO 5       word select
 *     SD          GPIO 33    GPIO 6       data
 *
 * One task takes the sound from the I2S port, one recognises; blocks of 10 ms go from one to the other by a
 * queue that holds what arrives while the recogniser is busy. A queue that overflows is counted and said.
 */
#include <ESP_I2S.h>
#include <ser.h>
#include <ser_capture.h>
#include <ser_line.h>
#include <ser_listen.h>

/* ---- to choose; each may also be a -D of the build ---- */

#ifndef PLOTTER
#define PLOTTER 0 /* 1: pairs for Tools > Serial Plotter; 0: JSON */
#endif
#ifndef COLOUR
#define COLOUR 1 /* 1: the board's RGB LED, where it has one, shows the emotion */
#endif
#ifndef CONFIDENCE
#define CONFIDENCE SER_MODEL_THRESHOLD /* below: "uncertain" */
#endif
#ifndef NEWEST
#define NEWEST 0.6f /* weight of the newest utterance against those before; 1: no smoothing */
#endif
#ifndef FORGET_MS
#define FORGET_MS 10000 /* after this much silence earlier utterances count no more */
#endif
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

static char text[1536];

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

#if COLOUR && defined(RGB_BUILTIN)
static void show(const char *emotion)
{
    struct Colour {
        const char *emotion;
        uint8_t red, green, blue;
    };
    static const Colour colours[] = {
        {"angry", 60, 0, 0},    {"disgust", 20, 40, 0}, {"fear", 30, 0, 40},    {"happy", 50, 40, 0},
        {"neutral", 10, 10, 10}, {"calm", 0, 30, 20},   {"sad", 0, 0, 50},      {"surprise", 50, 15, 0},
    };
    for (const Colour &colour : colours) {
        if (strcmp(colour.emotion, emotion) == 0) {
            rgbLedWrite(RGB_BUILTIN, colour.red, colour.green, colour.blue);
            return;
        }
    }
    rgbLedWrite(RGB_BUILTIN, 0, 0, 0);
}
#else
static void show(const char *) {}
#endif

/* The utterance is complete, `last` its last block: recognise and say. */
static void answer(const Captured *last)
{
    static float smoothed[SER_LABELS];
    static ser_result result;
    static unsigned long answered_ms;
    static bool first = true;

    ser_finish(&recognizer, &result);
    if (!result.speech) {
        return;
    }
    const bool fresh = first || millis() - answered_ms > FORGET_MS;
    first = false;
    answered_ms = millis();

    ser_decision decision;
    decision.names = ser_label_names;
    decision.probabilities = smoothed;
    decision.labels = SER_LABELS;
    decision.label = ser_smooth(smoothed, result.probabilities, SER_LABELS, fresh ? 1.0f : NEWEST);
    decision.threshold = CONFIDENCE;
    decision.seconds = result.seconds;
    decision.dbfs = ser_listen_dbfs(listening.mean_power);
    decision.clipped = listening.clipped;
    decision.lost = listening.lost;
    decision.overruns = last->overruns;
    decision.response_us = static_cast<uint32_t>(micros()) - last->at_us;
    if (PLOTTER ? ser_line_plot(&decision, text, sizeof text) : ser_line_json(&decision, text, sizeof text)) {
        Serial.println(text);
    }
    show(ser_uncertain(&decision) ? "uncertain" : ser_label_names[decision.label]);
}

/* While nobody speaks: what the microphone hears, and how the program is. */
static void report_silence(uint32_t overruns)
{
    ser_line line;
    ser_line_begin(&line, text, sizeof text);
    ser_line_text(&line, "{\"listening\": true, \"dbfs\": ");
    ser_line_decimal(&line, ser_listen_dbfs(listening.power), 1);
    ser_line_text(&line, ", \"noise_dbfs\": ");
    ser_line_decimal(&line, ser_listen_dbfs(listening.floor), 1);
    ser_line_text(&line, ", \"overruns\": ");
    ser_line_whole(&line, overruns);
    ser_line_text(&line, ", \"capture_stack_free\": ");
    ser_line_whole(&line, static_cast<uint32_t>(uxTaskGetStackHighWaterMark(capture_handle)));
    ser_line_text(&line, ", \"recognise_stack_free\": ");
    ser_line_whole(&line, static_cast<uint32_t>(uxTaskGetStackHighWaterMark(nullptr)));
    ser_line_text(&line, "}");
    if (!PLOTTER && ser_line_end(&line)) {
        Serial.println(text);
    }
}

static void recognise(void *)
{
    static Captured captured;
    uint32_t quiet = 0, busy = 0;
    for (;;) {
        if (uxQueueMessagesWaiting(queue) > 0 && ++busy >= 100) {
            vTaskDelay(1); /* far behind: the idle task must run now and then, or the watchdog bites */
            busy = 0;
        }
        if (xQueueReceive(queue, &captured, pdMS_TO_TICKS(2000)) != pdTRUE) {
            Serial.println("{\"error\": \"no sound from the I2S port; does something else use it?\"}");
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
            answer(&captured);
            quiet = 0;
            break;
        case SER_LISTEN_DISCARD:
        case SER_LISTEN_QUIET:
            if (quiet == 500) {
                report_silence(captured.overruns);
                quiet = 0;
            }
            break;
        }
    }
}

void setup()
{
#if !ARDUINO_USB_CDC_ON_BOOT || ARDUINO_USB_MODE /* TinyUSB has its own buffer */
    Serial.setTxBufferSize(sizeof text); /* printing must not hold the recogniser up */
#endif
    Serial.begin(115200);
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
        Serial.println("{\"error\": \"the I2S port did not start; are the pins free?\"}");
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

void loop()
{
    vTaskDelay(portMAX_DELAY); /* all is done by the two tasks */
}
