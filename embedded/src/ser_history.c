#include "ser_history.h"

#include <string.h>

#define LARGEST ((1 << (SER_HISTORY_BITS - 1)) - 1)
#define TRIES 2

void ser_history_reset(ser_history *history) { memset(history, 0, sizeof *history); }

static int16_t clip(int32_t x)
{
    return (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
}

/* code * step / 4, rounded towards minus infinity at half a unit. */
static int32_t scaled(int32_t code, int32_t step)
{
    return (int32_t)((uint32_t)(code * step + 2 + (1 << 22)) >> 2) - (1 << 20);
}

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

/*
 * Codes a block with a step; returns whether every residual fitted. The decoded samples before and after the
 * block are in latest.
 */
static int encode(const int16_t *x, int order, int index, int16_t latest[2], uint8_t *codes)
{
    /* 2^16 / step, rounded up; the quotient may be one off at a tie, which the loop makes good */
    static const uint16_t per_mantissa[4] = {16384, 13108, 10923, 9363};
    const int32_t step = quarters(index);
    const uint32_t per_step = per_mantissa[index & 3];
    const int shift = 14 + (index >> 2);
    const uint32_t half = 1u << (shift - 1);
    const int32_t a = order, b = order == 2 ? 1 : 0; /* the prediction is a last - b before */
    int32_t last = latest[0], before = latest[1];
    uint32_t bits = 0;
    int count = 0, fitted = 1, i;
    for (i = 0; i < SER_HISTORY_BLOCK; i++) {
        const int32_t prediction = a * last - b * before;
        const int32_t residual = x[i] - prediction;
        /* without branches, which noise takes at random; sizes up to 2^17 */
        const int32_t sign = residual < 0 ? -1 : 0;
        const int32_t quotient = (int32_t)(((uint32_t)((residual ^ sign) - sign) * per_step + half) >> shift);
        const int32_t most = LARGEST - sign;
        const int32_t size = quotient < most ? quotient : most;
        const int32_t code = (size ^ sign) - sign;
        fitted &= quotient <= most;
        before = last;
        last = clip(prediction + scaled(code, step));
        bits |= ((uint32_t)code & (uint32_t)(2 * LARGEST + 1)) << count;
        for (count += SER_HISTORY_BITS; count >= 8; count -= 8, bits >>= 8) {
            *codes++ = (uint8_t)bits;
        }
    }
    latest[0] = (int16_t)last;
    latest[1] = (int16_t)before;
    return fitted;
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

void ser_history_read(const ser_history *history, uint32_t hop, float *samples)
{
    const ser_history_record *record = &history->hop[hop % SER_HISTORY_HOPS];
    int32_t last, last_but_one;
    int block, i;
    if (hop >= history->hops || history->hops - hop > SER_HISTORY_HOPS) {
        memset(samples, 0, sizeof(float) * SER_HOP);
        return;
    }
    last = record->before[0];
    last_but_one = record->before[1];
    for (block = 0; block < SER_HISTORY_BLOCKS; block++) {
        const uint8_t *codes = record->codes + block * SER_HISTORY_CODES;
        const int order = record->scale[block] >> 6;
        const int32_t a = order, b = order == 2 ? 1 : 0;
        const int32_t step = quarters(record->scale[block] & 63);
        uint32_t bits = 0;
        int count = 0;
        for (i = 0; i < SER_HISTORY_BLOCK; i++) {
            int32_t code, x;
            while (count < SER_HISTORY_BITS) {
                bits |= (uint32_t)*codes++ << count;
                count += 8;
            }
            code = (int32_t)(bits & (uint32_t)(2 * LARGEST + 1));
            code = code > LARGEST ? code - 2 * LARGEST - 2 : code;
            bits >>= SER_HISTORY_BITS;
            count -= SER_HISTORY_BITS;
            x = clip(a * last - b * last_but_one + scaled(code, step));
            last_but_one = last;
            last = x;
            *samples++ = (float)x;
        }
    }
}
