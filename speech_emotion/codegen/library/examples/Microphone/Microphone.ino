/*
 * Hears a voice through a microphone and says which emotion it expresses: a line per utterance. For chips of the
 * ESP32 family with Arduino-ESP32 core 3.1 or newer; choose the board, nothing else changes.
 *
 * An INMP441, or another I2S microphone:
 *
 *     INMP441     ESP32      S3, C3
 *     VDD         3V3        3V3          never 5 V
 *     GND         GND        GND
 *     L/R         GND        GND          the left slot; to 3V3: set MICROPHONE_SLOT
 *     SCK         GPIO 26    GPIO 4       bit clock
 *     WS          GPIO 25    GPIO 5       word select
 *     SD          GPIO 33    GPIO 6       data
 *
 * Other chips' pins, and those of boards that have a PDM microphone on them (XIAO ESP32S3 Sense, M5), are in Board.h.
 * How the sound is taken and recognised is in Hearing.h; how a voice becomes known, and is forgotten, in Voice.h; what
 * is printed, and what can be chosen of it, in Telling.h.
 */
#include <ser_line.h>

#include "Board.h" /* the pins are chosen there */
#include "Hearing.h"
#include "Telling.h"
#include "Voice.h" /* and what forgets a voice */

/* ---- to choose; may also be a -D of the build ---- */

#ifndef COLOUR
#define COLOUR 1 /* 1: the board's RGB LED, where it has one, shows the emotion */
#endif
/* ---- */

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
    show(tell(result, last));
    learn_voice(&recognizer, result, &listening);
}

/* While nobody speaks: what the microphone hears, and how the program is. */
static void silence(uint32_t overruns)
{
    ser_line line;
    begin_silence(&line, overruns);
    ser_line_text(&line, ", \"capture_stack_free\": ");
    ser_line_whole(&line, static_cast<uint32_t>(uxTaskGetStackHighWaterMark(capture_handle)));
    ser_line_text(&line, ", \"recognise_stack_free\": ");
    ser_line_whole(&line, static_cast<uint32_t>(uxTaskGetStackHighWaterMark(nullptr)));
    end_silence(&line);
}

static void trouble(const char *what)
{
    tell_trouble(what);
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
