/*
 * What a sketch prints: a line per sentence, one of the silence, one of what is wrong. JSON, or pairs for the serial
 * plotter.
 */
#ifndef TELLING_H
#define TELLING_H

#include <ser_line.h>

#include "Sentences.h"

/* ---- to choose, before this is included or by -D of the build ---- */

#ifndef PLOTTER
#define PLOTTER 0 /* 1: pairs for Tools > Serial Plotter; 0: JSON */
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
static bool fresh = true; /* no earlier utterance counts */
static uint32_t answered_ms = 0;

/* Asked at least every five seconds (silence), so that a clock that starts again after 49 days deceives nobody. */
static void forget_when_old()
{
    fresh = fresh || static_cast<uint32_t>(millis()) - answered_ms > FORGET_MS;
}

/* Prints the line of a sentence; returns the emotion, or "uncertain". */
static const char *tell(const ser_result *result, const Captured *last)
{
    static float smoothed[SER_LABELS];
    forget_when_old();
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
    fresh = false;
    answered_ms = static_cast<uint32_t>(millis());
    if (PLOTTER ? ser_line_plot(&decision, text, sizeof text) : ser_line_json(&decision, text, sizeof text)) {
        Serial.println(text);
    }
    return ser_uncertain(&decision) ? "uncertain" : ser_label_names[decision.label];
}

/* Begins the line of the silence: what the microphone hears. */
static void begin_silence(ser_line *line, uint32_t overruns)
{
    forget_when_old();
    ser_line_begin(line, text, sizeof text);
    ser_line_text(line, "{\"listening\": true, \"dbfs\": ");
    ser_line_decimal(line, ser_listen_dbfs(listening.power), 1);
    ser_line_text(line, ", \"noise_dbfs\": ");
    ser_line_decimal(line, ser_listen_dbfs(listening.floor), 1);
    ser_line_text(line, ", \"overruns\": ");
    ser_line_whole(line, overruns);
}

static void end_silence(ser_line *line)
{
    ser_line_text(line, "}");
    if (!PLOTTER && ser_line_end(line)) {
        Serial.println(text);
    }
}

static void tell_trouble(const char *what)
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

#endif
