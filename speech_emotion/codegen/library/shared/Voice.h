/*
 * Whose voice is known: kept in flash over power cuts, forgotten on request.
 *
 * Over the serial line: "forget", "voice 0" to "voice 3". The boot button, held for two seconds, forgets too. A
 * profile is written seldom, as flash wears out: after 1, 2, 4, 8, 16 sentences and then every 32. What is kept
 * of another model, or was damaged, is forgotten (ser_profile.h).
 */
#ifndef VOICE_H
#define VOICE_H

#include <Arduino.h>
#include <Preferences.h>
#include <ser.h>
#include <ser_listen.h>

#include "Board.h" /* the button is chosen there */

static const int VOICES = 4;
static ser_profile voice;
static int voice_number = 0;
/* Asked for in loop(), done in the recogniser's task, which owns the profile. */
static volatile int voice_wanted = -1;
static volatile bool forget_wanted = false;

static const char *voice_key()
{
    static const char *const keys[VOICES] = {"voice0", "voice1", "voice2", "voice3"};
    return keys[voice_number];
}

static void read_voice()
{
    Preferences flash;
    size_t length = 0;
    if (flash.begin("ser", true)) { /* false before anything was ever written */
        length = flash.getBytes(voice_key(), &voice, sizeof voice);
        flash.end();
    }
    if (length != sizeof voice || !ser_profile_belongs(&voice)) {
        ser_profile_forget(&voice);
    }
}

static void write_voice()
{
    Preferences flash;
    if (flash.begin("ser", false)) {
        flash.putBytes(voice_key(), &voice, sizeof voice); /* whole or not at all */
        flash.end();
    }
}

/* Before each sentence is answered: what was asked for meanwhile. */
static void mind_wishes()
{
    if (voice_wanted >= 0) {
        voice_number = voice_wanted;
        voice_wanted = -1;
        read_voice();
    }
    if (forget_wanted) {
        forget_wanted = false;
        ser_profile_forget(&voice);
        write_voice();
    }
}

/* After it: it is learnt if it was loud, clear and long enough. */
static void learn_voice(const ser_recognizer *recognizer, const ser_result *result, const ser_listen *heard)
{
    if (ser_listen_is_clear(heard, result->seconds) && ser_learn(recognizer, &voice, result)) {
        const unsigned known = voice.known;
        if (known < 32 ? (known & (known - 1)) == 0 : known % 32 == 0) {
            write_voice();
        }
    }
}

/* In loop(): the serial line and the button. */
static void listen_for_wishes()
{
    static char line[16];
    static size_t length = 0;
    static unsigned long held_ms = 0;
    while (Serial.available() > 0) {
        const int character = Serial.read();
        if (character != '\n' && character != '\r') {
            if (length < sizeof line - 1) {
                line[length++] = static_cast<char>(character);
            }
            continue;
        }
        line[length] = '\0';
        if (strcmp(line, "forget") == 0) {
            forget_wanted = true;
        } else if (length == 7 && strncmp(line, "voice ", 6) == 0 && line[6] >= '0' && line[6] < '0' + VOICES) {
            voice_wanted = line[6] - '0';
        } else if (length > 0) {
            Serial.println("{\"error\": \"say forget, or voice 0 to voice 3\"}");
        }
        length = 0;
    }
    if (!button_held()) {
        held_ms = millis();
    } else if (millis() - held_ms > 2000) {
        held_ms = millis();
        forget_wanted = true;
    }
}

static void start_voice()
{
    start_button();
    read_voice();
}

#endif
