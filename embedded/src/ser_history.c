#include "ser_history.h"

#include "ser_fixed.h"

#include <string.h>

#define LARGEST ((1 << (SER_HISTORY_BITS - 1)) - 1)
#define TRIES 2

void ser_history_reset(ser_history *history) { memset(history, 0, sizeof *history); }

static int16_t clip(int32_t x)
{
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
}

/* code * step / 4, rounded towards minus infinity at half a unit. */
static int32_t scaled(int32_t code, int32_t step) { return (code * step + 2) >> 2; }

/* The order whose largest residual is smallest, and that residual. */
static int best_order(const int16_t *x, const int16_t *latest, int32_t *largest)
{
    int32_t peak[3] = {0, 0, 0};
    int32_t last = latest[0], last_but_one = latest[1];
    int i, order;
    for (i = 0; i < SER_HISTORY_BLOCK; i++) {
        const int32_t difference = x[i] - last, bend = difference - (last - last_but_one);
        const int32_t a = x[i] < 0 ? -x[i] : x[i];
        const int32_t b = difference < 0 ? -difference : difference;
        const int32_t c = bend < 0 ? -bend : bend;
        peak[0] = a > peak[0] ? a : peak[0];
        peak[1] = b > peak[1] ? b : peak[1];
        peak[2] = c > peak[2] ? c : peak[2];
        last_but_one = last;
        last = x[i];
    }
    order = peak[1] < peak[0] ? 1 : 0;
    order = peak[2] < peak[order] ? 2 : order;
    *largest = peak[order];
    return order;
}

/* Steps are 4 / 4, 5 / 4, 6 / 4, 7 / 4, 8 / 4, 10 / 4 ...: this is step `index`, times 4. */
static int32_t quarters(int index) { return (4 + (index & 3)) << (index >> 2); }

/* A sample's code, its place taken by the decoded sample; residuals are below 2^17, four times full scale, in size. */
SER_INLINE int32_t code_of(int32_t x, int32_t prediction, int32_t step, int32_t per_step, int shift, int32_t *decoded, int *fitted)
{
    const int32_t residual = x - prediction;
    /* its size over the step, halves away from zero: of a negative residual a unit less, rounded up. The product is below
       2^31 - 2^15 in size: half a unit is added once there is room */
    int32_t code = (((residual * per_step - (residual < 0)) >> (shift - 1)) + 1) >> 1;
    if (code > LARGEST || code < -LARGEST - 1) { /* seldom */
        *fitted = 0;
        code = code > 0 ? LARGEST : -LARGEST - 1;
    }
    const int32_t sum = prediction + scaled(code, step);
    *decoded = sum == (int16_t)sum ? sum : clip(sum);
    return code & (2 * LARGEST + 1);
}

/*
 * Codes a block with a step; returns whether every residual fitted. The decoded samples before and after the
 * block are in latest.
 */
SER_INLINE int encode_order(const int16_t *x, int order, int index, int16_t latest[2], uint8_t *codes)
{
    /* 2^16 / step, rounded up; the quotient may be one off at a tie, which the loop makes good */
    static const uint16_t per_mantissa[4] = {16384, 13108, 10923, 9363};
    const int32_t step = quarters(index);
    const int32_t per_step = per_mantissa[index & 3];
    const int shift = 14 + (index >> 2);
    int32_t last = latest[0], before = latest[1];
    int fitted = 1;
    for (const int16_t *end = x + SER_HISTORY_BLOCK; x < end; x += 4, codes += 3) { /* 4 codes are 3 bytes */
        uint32_t bits = 0;
        for (int i = 0; i < 4; i++) {
            const int32_t prediction = order == 0 ? 0 : order == 1 ? last : 2 * last - before;
            before = last;
            bits |= (uint32_t)code_of(x[i], prediction, step, per_step, shift, &last, &fitted) << (SER_HISTORY_BITS * i);
        }
        codes[0] = (uint8_t)bits;
        codes[1] = (uint8_t)(bits >> 8);
        codes[2] = (uint8_t)(bits >> 16);
    }
    latest[0] = (int16_t)last;
    latest[1] = (int16_t)before;
    return fitted;
}

static int encode(const int16_t *x, int order, int index, int16_t latest[2], uint8_t *codes)
{
    return order == 0   ? encode_order(x, 0, index, latest, codes)
           : order == 1 ? encode_order(x, 1, index, latest, codes)
                        : encode_order(x, 2, index, latest, codes);
}

void ser_history_hop(ser_history *history, const ser_tail *tail)
{
    ser_history_record *record = &history->hop[history->hops % SER_HISTORY_HOPS];
    const int16_t *x = tail->sample + SER_TAIL_SAMPLES - SER_HOP;
    int block;
    memcpy(record->before, history->latest, sizeof record->before);
    for (block = 0; block < SER_HISTORY_BLOCKS; block++, x += SER_HISTORY_BLOCK) {
        uint8_t *codes = record->codes + block * SER_HISTORY_CODES;
        int16_t latest[2] = {history->latest[0], history->latest[1]};
        int32_t largest;
        int index = 0, tries;
        const int order = best_order(x, latest, &largest);
        while (8 * largest > (2 * LARGEST + 1) * quarters(index)) {
            index++;
        }
        for (tries = 0; !encode(x, order, index, latest, codes) && tries < TRIES; tries++) {
            /* rounding errors add to the residual */
            index++;
            memcpy(latest, history->latest, sizeof latest);
        }
        memcpy(history->latest, latest, sizeof latest);
        record->scale[block] = (uint8_t)(order << 6 | index);
    }
    history->hops++;
}

/* The samples that a block's codes stand for; the two before them are in latest. */
SER_INLINE void decode_order(const uint8_t *codes, int order, int32_t step, int32_t latest[2], int32_t *samples)
{
    int32_t last = latest[0], before = latest[1];
    for (const int32_t *end = samples + SER_HISTORY_BLOCK; samples < end; codes += 3) { /* 4 codes are 3 bytes */
        const uint32_t bits = (uint32_t)codes[0] | (uint32_t)codes[1] << 8 | (uint32_t)codes[2] << 16;
        for (int i = 0; i < 4; i++) {
            const int32_t code = (int32_t)(bits << (32 - SER_HISTORY_BITS * (i + 1))) >> (32 - SER_HISTORY_BITS);
            const int32_t prediction = order == 0 ? 0 : order == 1 ? last : 2 * last - before;
            const int32_t sum = prediction + scaled(code, step);
            before = last;
            last = sum == (int16_t)sum ? sum : clip(sum);
            *samples++ = last;
        }
    }
    latest[0] = last;
    latest[1] = before;
}

void ser_history_read(const ser_history *history, uint32_t hop, int32_t *samples)
{
    const ser_history_record *record = &history->hop[hop % SER_HISTORY_HOPS];
    int32_t latest[2];
    int block;
    if (hop >= history->hops || history->hops - hop > SER_HISTORY_HOPS) {
        ser_clear_words(samples, sizeof *samples * SER_HOP);
        return;
    }
    latest[0] = record->before[0];
    latest[1] = record->before[1];
    for (block = 0; block < SER_HISTORY_BLOCKS; block++, samples += SER_HISTORY_BLOCK) {
        const uint8_t *codes = record->codes + block * SER_HISTORY_CODES;
        const int32_t step = quarters(record->scale[block] & 63);
        switch (record->scale[block] >> 6) {
        case 0: decode_order(codes, 0, step, latest, samples); break;
        case 1: decode_order(codes, 1, step, latest, samples); break;
        default: decode_order(codes, 2, step, latest, samples); break;
        }
    }
}
