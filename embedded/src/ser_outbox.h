/*
 * ser_outbox: sentences that wait until somebody has acknowledged them. Bounded; when it is full, the oldest
 * goes, and is counted.
 *
 *     ser_outbox_put(&outbox, &sentence);                     // when a sentence is complete
 *     while (connected && (place = ser_outbox_next(&outbox)) >= 0) {
 *         ... ser_outbox_sentence(&outbox, place)->now = millis(); write it, publish it ...
 *         ser_outbox_sent(&outbox, place, message_id);
 *     }
 *     ser_outbox_acknowledged(&outbox, message_id);           // the broker has it
 *     ser_outbox_again(&outbox);                              // reconnected: what was not acknowledged anew
 *
 * Sentences are kept as numbers and written when they are sent, so that `now` is the moment of sending: the
 * service learns from it when they were spoken. An acknowledgement means that the broker has the sentence, not
 * that anybody read it; the service counts what it misses by the sequence numbers.
 */
#ifndef SER_OUTBOX_H
#define SER_OUTBOX_H

#include "ser_message.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef SER_OUTBOX_PLACES
#define SER_OUTBOX_PLACES 64 /* about 76 bytes each */
#endif

typedef struct {
    /* To read: */
    uint32_t dropped; /* sentences that went because there was no room */
    /* Read nothing from here on. */
    int first, count;
    int32_t message[SER_OUTBOX_PLACES]; /* its number at the broker; -1: not sent yet; -2: acknowledged */
    ser_message_sentence sentence[SER_OUTBOX_PLACES];
} ser_outbox;

void ser_outbox_init(ser_outbox *outbox);

/* A copy of a sentence, as the newest. */
void ser_outbox_put(ser_outbox *outbox, const ser_message_sentence *sentence);

/* The place of the oldest that is not sent yet; -1: none. It is good until the next put. */
int ser_outbox_next(const ser_outbox *outbox);

/* The sentence at a place. */
ser_message_sentence *ser_outbox_sentence(ser_outbox *outbox, int place);

/* It is on its way, under this number, 0 or more. */
void ser_outbox_sent(ser_outbox *outbox, int place, int32_t message);

/* The broker has the message of this number; other numbers change nothing. */
void ser_outbox_acknowledged(ser_outbox *outbox, int32_t message);

/* All that is not acknowledged counts as not sent. */
void ser_outbox_again(ser_outbox *outbox);

/* How many wait for their acknowledgement. */
int ser_outbox_waiting(const ser_outbox *outbox);

#ifdef __cplusplus
}
#endif

#endif
