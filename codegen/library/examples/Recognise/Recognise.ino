/*
 * Recognises a clip that a computer sends over the serial port: 16-bit samples, little endian, mono, 16 kHz.
 *
 *     sox clip.wav -t raw -r 16000 -c 1 -b 16 -e signed clip.raw
 *     stty -F /dev/ttyUSB0 921600 raw; cat clip.raw > /dev/ttyUSB0
 *
 * When nothing has come for half a second, the clip is over and one line answers.
 */
#include <ser.h>

static ser_recognizer recognizer; /* tens of kilobytes: never on a task's stack */

static const unsigned long PAUSE_MS = 500;
static unsigned long last_sample_ms;
static bool listening;

static void answer()
{
    ser_result result;
    ser_finish(&recognizer, &result);
    if (!result.speech) {
        Serial.println("no speech");
    } else if (result.confidence < SER_MODEL_THRESHOLD) {
        Serial.println("uncertain");
    } else {
        Serial.print(ser_label_names[result.label]);
        Serial.print(' ');
        Serial.println(static_cast<double>(result.confidence), 3);
    }
    ser_reset(&recognizer);
}

void setup()
{
    Serial.begin(921600);
    ser_init(&recognizer);
}

void loop()
{
    while (Serial.available() >= 2) {
        const int low = Serial.read();
        const int high = Serial.read();
        const int16_t sample = static_cast<int16_t>(high << 8 | low);
        ser_push(&recognizer, &sample, 1);
        last_sample_ms = millis();
        listening = true;
    }
    if (listening && millis() - last_sample_ms > PAUSE_MS) {
        listening = false;
        answer();
    }
}
