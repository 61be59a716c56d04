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
 * How the sound is taken and recognised is in Hearing.h; how a voice becomes known, and is forgotten, in Voice.h.
 */
#include <ser_line.h>

#include "Hearing.h" /* the pins are chosen there */
#include "Voice.h"   /* and there what forgets a voice */

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
/* ---- */

static char text[SER_LINE_SIZE(SER_LABELS, SER_NAMES_BYTES, SER_NAMES_LONGEST)];

#if COLOUR && defined(RGB_BUILTIN)
static void show(const char *emotion)
{
    struct Colour {
        const char *emotion;
        uint8_t red, green, blue;
    };
    static const Colour colours[] = {
        $colours
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

static const ser_profile *whose_voice()
{
    mind_wishes();
    return &voice;
}

static void heard(const ser_result *result, const Captured *last)
{
    static float smoothed[SER_LABELS];
    static unsigned long answered_ms;
    static bool first = true;

    const bool fresh = first || millis() - answered_ms > FORGET_MS;
    first = false;
    answered_ms = millis();

    ser_decision decision;
    decision.names = ser_label_names;
    decision.probabilities = smoothed;
    decision.labels = SER_LABELS;
    decision.label = ser_smooth(smoothed, result->probabilities, SER_LABELS, fresh ? 1.0f : NEWEST);
    decision.threshold = CONFIDENCE;
    decision.seconds = result->seconds;
    decision.dbfs = ser_listen_dbfs(listening.mean_power);
    decision.clipped = listening.clipped;
    decision.lost = listening.lost;
    decision.overruns = last->overruns;
    decision.knows_voices = SER_PROFILE_COLUMNS > 0;
    decision.known = static_cast<uint32_t>(result->known);
    decision.response_us = static_cast<uint32_t>(micros()) - last->at_us;
    if (PLOTTER ? ser_line_plot(&decision, text, sizeof text) : ser_line_json(&decision, text, sizeof text)) {
        Serial.println(text);
    }
    show(ser_uncertain(&decision) ? "uncertain" : ser_label_names[decision.label]);
    learn_voice(&recognizer, result, &listening);
}

/* While nobody speaks: what the microphone hears, and how the program is. */
static void silence(uint32_t overruns)
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

static void trouble(const char *what)
{
    ser_line line;
    ser_line_begin(&line, text, sizeof text);
    ser_line_text(&line, "{\"error\": ");
    ser_line_quoted(&line, what);
    ser_line_text(&line, "}");
    if (ser_line_end(&line)) {
        Serial.println(text);
    }
}

void setup()
{
#if !ARDUINO_USB_CDC_ON_BOOT || ARDUINO_USB_MODE /* TinyUSB has its own buffer */
    Serial.setTxBufferSize(sizeof text + 2); /* printing must not hold the recogniser up */
#endif
    Serial.begin(115200);
    if (!PLOTTER) {
        Serial.println($first_line);
    }
    start_voice();
    start_hearing();
}

void loop()
{
    listen_for_wishes(); /* all else is done by the two tasks */
    vTaskDelay(pdMS_TO_TICKS(50));
}
