/*
 * Decisions on a sliding window, without stopping the stream.
 *
 * SER_WINDOWS extractors take the same sound, each started one step after the other, each reset when its
 * window is over. A window's features are therefore those of the very clip it spans, to the last bit; the
 * price is SER_WINDOWS times the memory and the work of one extractor. Window length is any, the step is
 * the window's length over SER_WINDOWS (default 2: windows that overlap by half).
 *
 *     static ser_window window;
 *     ser_window_init(&window, 3 * SER_SAMPLE_RATE);            // 3 s, a result every 1.5 s
 *     while (read_microphone(block, SER_HOP)) {
 *         for (size_t done = 0; done < SER_HOP;) {
 *             done += ser_window_push(&window, block + done, SER_HOP - done);
 *             if (ser_window_finish(&window, &summary, features)) {
 *                 // features of the latest 3 s
 *             }
 *         }
 *     }
 *
 * Where memory for two is not there, take decisions on utterances instead (finish and reset at a pause),
 * or ask ser_extractor_finish midway: it answers for all sound since the last reset.
 */
#ifndef SER_WINDOW_H
#define SER_WINDOW_H

#include "ser_extractor.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef SER_WINDOWS
#define SER_WINDOWS 2
#endif

typedef struct {
    ser_extractor extractors[SER_WINDOWS];
    uint32_t step;  /* samples from one window's start to the next's */
    uint32_t taken; /* since the latest start */
    uint32_t steps; /* complete, counted up to SER_WINDOWS: by then the oldest window is full */
    uint8_t oldest; /* its extractor */
    uint8_t ready;  /* a window is over and has not been asked for */
} ser_window;

/* Starts the first window. length: samples per window, at least SER_WINDOWS. */
ser_status ser_window_init(ser_window *window, uint32_t length);

/* Takes samples until they are used up or a window is over; returns how many. A result not asked for by
   then is lost. 0 for NULL. */
size_t ser_window_push(ser_window *window, const int16_t *pcm, size_t count);

/* Once after the push that ended a window: writes its result and returns 1. Else writes nothing and
   returns 0. */
int ser_window_finish(ser_window *window, ser_summary *summary, float *features);

#ifdef __cplusplus
}
#endif

#endif
