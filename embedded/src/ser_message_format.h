/* Generated from message/definition.py by `python -m speech_emotion.generate`; do not edit. */

#ifndef SER_MESSAGE_FORMAT_H
#define SER_MESSAGE_FORMAT_H

#include <stdint.h>

#define SER_MESSAGE_VERSION 1
#define SER_MESSAGE_WHOLE 10000
#define SER_MESSAGE_LABELS_MOST 16
#define SER_MESSAGE_SENTENCE_BYTES 240
#define SER_MESSAGE_ABOUT_HEAD 160
#define SER_MESSAGE_COLUMNS_BYTES 1024
#define SER_MESSAGE_COLUMNS_HEAD 16
#define SER_MESSAGE_COLUMNS_MOST 504
#define SER_MESSAGE_STEPS 1024

typedef struct {
    uint32_t boot; /* a random number, drawn when the device starts */
    uint32_t seq; /* 1, 2, 3 ... since then: a missing one is a loss */
    uint32_t begin; /* ms of the device's uptime, modulo 2^32: the sentence begins, */
    uint32_t end; /* ends, */
    uint32_t now; /* and the message is sent */
    uint16_t shares[SER_MESSAGE_LABELS_MOST]; /* probabilities in ten-thousandths; their sum is 10000 */
    int32_t level; /* tenths of a dB below full scale */
    uint8_t speech; /* whether there was anything to judge */
    uint32_t model; /* which model */
    uint32_t schema; /* which features: the schema's first 8 digits */
    uint8_t labels; /* how many of them there are */
} ser_message_sentence;

#define SER_MESSAGE_SENTENCE(FIELD) \
    FIELD(HEX, "boot", boot) \
    FIELD(WHOLE, "seq", seq) \
    FIELD(WHOLE, "t0", begin) \
    FIELD(WHOLE, "t1", end) \
    FIELD(WHOLE, "now", now) \
    FIELD(SHARES, "p", shares) \
    FIELD(WHOLE, "level", level) \
    FIELD(TRUTH, "speech", speech) \
    FIELD(HEX, "model", model) \
    FIELD(HEX, "schema", schema)

typedef struct {
    uint32_t boot; /* as in the sentences */
    const char *const *names; /* in the order of the probabilities */
    uint32_t threshold; /* below it, "uncertain"; ten-thousandths */
    uint32_t dropped; /* sentences that found no room while nobody could be reached */
    uint32_t model; /* which model */
    uint32_t schema; /* which features */
    uint32_t columns; /* which columns, on which scale, it sends; 0: none */
    uint8_t labels; /* how many of them there are */
} ser_message_about;

#define SER_MESSAGE_ABOUT(FIELD) \
    FIELD(HEX, "boot", boot) \
    FIELD(NAMES, "labels", names) \
    FIELD(WHOLE, "threshold", threshold) \
    FIELD(WHOLE, "dropped", dropped) \
    FIELD(HEX, "model", model) \
    FIELD(HEX, "schema", schema) \
    FIELD(HEX, "columns", columns)

#endif
