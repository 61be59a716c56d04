/*
 * Front end: blocks DC in integers. In go samples, out come the samples every other stage sees.
 */
#ifndef SER_FRONT_H
#define SER_FRONT_H

#include "ser_schema.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int32_t level; /* the DC estimate, times 2^SER_DC_SHIFT */
    int started;
} ser_front;

void ser_front_reset(ser_front *front);

/* The next samples with DC blocked, into another place or the same. count > 0. */
void ser_front_block_dc(ser_front *front, const int16_t *samples, int count, int16_t *blocked);

#ifdef __cplusplus
}
#endif

#endif
