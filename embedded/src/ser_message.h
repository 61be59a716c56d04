/*
 * ser_message: what a device says of a sentence, and of itself, as bytes to publish.
 *
 *     static ser_message_sentence sentence;
 *     sentence.boot = boot;                      // drawn at random when the device started
 *     sentence.seq = ++seq;
 *     sentence.labels = SER_LABELS;
 *     ser_message_shares(result.probabilities, SER_LABELS, sentence.shares);
 *     ...
 *     sentence.now = millis();
 *     size = ser_message_write_sentence(&sentence, text, sizeof text);    // at most 240; 0: does not fit
 *
 * The format is fixed in message/definition.py, from which ser_message_format.h and the reader in Python come.
 * A sentence and what is said of a device are JSON; the columns for a central model are binary.
 */
#ifndef SER_MESSAGE_H
#define SER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "ser_message_format.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Probabilities in ten-thousandths that add up to 10000: cut, and what is left over goes to the largest
   remainders, the first of equals. What adds up to anything else becomes certainty of its largest. labels: 1 to
   SER_MESSAGE_LABELS_MOST. */
void ser_message_shares(const float *probabilities, int labels, uint16_t *shares);

/* The message in `bytes`, with a 0 behind it that does not count. Returns its length; 0 where `size` does not
   suffice (SER_MESSAGE_SENTENCE_BYTES + 1 and SER_MESSAGE_ABOUT_SIZE always do for up to
   SER_MESSAGE_LABELS_MOST labels). Labels may be of any script. */
#define SER_MESSAGE_ABOUT_SIZE(labels, bytes) (SER_MESSAGE_ABOUT_HEAD + (labels) + (bytes))
/* labels, bytes: SER_LABELS and SER_NAMES_BYTES, of ser_model.h. */
size_t ser_message_write_sentence(const ser_message_sentence *sentence, char *bytes, size_t size);
size_t ser_message_write_about(const ser_message_about *about, char *bytes, size_t size);

/* A column on its scale: steps of 1/SER_MESSAGE_STEPS of its standard deviation from its mean, int16.
   inverse: 1 / standard deviation. */
int16_t ser_message_step(float value, float mean, float inverse);

/* The head of the columns' message; `count` steps follow, each by ser_message_write_step at `place`.
   Returns the whole message's length; 0 where `size` does not suffice. columns: which, on which scale. */
size_t ser_message_write_columns(
    uint32_t boot, uint32_t seq, uint32_t columns, int count, uint8_t *bytes, size_t size
);
void ser_message_write_step(uint8_t *bytes, int place, int16_t step);

#ifdef __cplusplus
}
#endif

#endif
