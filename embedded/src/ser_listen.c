#include "ser_listen.h"

#include "ser_math.h"

#include <string.h>

/* Per block. A floor falls to a quieter room within a tenth of a second and rises by 3 dB a second, so that
   a word does not raise it, but a fan that was switched on does. */
static const float SMOOTH = 0.5f, FALL = 0.2f, RISE = 1.00693f;
static const float LOWEST_FLOOR = 1.0f; /* one step: digital silence must not make the ratios meaningless */

ser_status ser_listen_init(ser_listen *listen)
{
    if (listen == NULL) {
        return SER_BAD_ARGUMENT;
    }
    memset(listen, 0, sizeof *listen);
    listen->settings.open = 10.0f;
    listen->settings.close = 4.0f;
    listen->settings.minimum = 33.0f * 33.0f;
    listen->settings.settle = 50;
    listen->settings.confirm = 3;
    listen->settings.hang = 50;
    listen->settings.shortest = 20;
    listen->settings.longest = 500;
    return SER_OK;
}

float ser_listen_power(const int16_t *sample)
{
    int64_t squares = 0;
    int32_t sum = 0;
    for (int i = 0; i < SER_HOP; i++) {
        sum += sample[i];
        squares += (int32_t)sample[i] * sample[i];
    }
    /* SER_HOP times the sum of squares about the mean: below 2^46, never negative */
    squares = SER_HOP * squares - (int64_t)sum * sum;
    return ser_from_u64((uint64_t)squares) * (1.0f / ((float)SER_HOP * (float)SER_HOP));
}

float ser_listen_dbfs(float power)
{
    const float full = 32768.0f * 32768.0f;
    return ser_maxf(-100.0f, ser_db(ser_maxf(power, 1e-3f) * (1.0f / full)));
}

int ser_listen_kept(const ser_listen *listen)
{
    return listen->kept;
}

const int16_t *ser_listen_block(const ser_listen *listen, int i)
{
    return listen->ring[(listen->next + SER_LISTEN_KEEP - listen->kept + i) % SER_LISTEN_KEEP];
}

static void keep(ser_listen *listen, const ser_block *block)
{
    memcpy(listen->ring[listen->next], block->sample, sizeof block->sample);
    listen->kept_clipped[listen->next] = block->clipped;
    listen->kept_lost[listen->next] = block->lost;
    listen->next = (uint8_t)((listen->next + 1) % SER_LISTEN_KEEP);
    if (listen->kept < SER_LISTEN_KEEP) {
        listen->kept++;
    }
}

static void follow_the_room(ser_listen *listen, float power)
{
    if (power < listen->floor) {
        listen->floor += FALL * (power - listen->floor);
    } else {
        listen->floor = ser_minf(power, listen->floor * RISE);
    }
    listen->floor = ser_maxf(listen->floor, LOWEST_FLOOR);
}

static void count_in(ser_listen *listen, float power, uint16_t clipped, uint16_t lost)
{
    listen->blocks++;
    listen->clipped += clipped;
    listen->lost += lost;
    listen->lowest = ser_minf(listen->lowest, listen->power);
    if (power > listen->floor * listen->settings.close) {
        listen->active++;
        listen->mean_power += (power - listen->mean_power) / (float)listen->active;
    }
}

static void begin(ser_listen *listen)
{
    listen->speaking = 1;
    listen->silent = 0;
    listen->loud = 0;
    listen->blocks = 0;
    listen->active = 0;
    listen->clipped = 0;
    listen->lost = 0;
    listen->lowest = listen->power;
    for (int i = 0; i < listen->kept; i++) {
        const int place = (listen->next + SER_LISTEN_KEEP - listen->kept + i) % SER_LISTEN_KEEP;
        /* what was lost before the first block is no gap within the utterance */
        count_in(listen, ser_listen_power(listen->ring[place]), listen->kept_clipped[place],
                 (uint16_t)(i == 0 ? 0 : listen->kept_lost[place]));
    }
}

static ser_listen_event end(ser_listen *listen, ser_listen_event event)
{
    listen->speaking = 0;
    listen->kept = 0;
    return event;
}

ser_listen_event ser_listen_push(ser_listen *listen, const ser_block *block)
{
    const ser_listen_settings *settings = &listen->settings;
    const float power = ser_listen_power(block->sample);
    if (listen->settled < settings->settle) {
        /* the microphone starts up: the last blocks say what the room is like */
        listen->settled++;
        listen->power = power;
        listen->floor = ser_maxf(power, LOWEST_FLOOR);
        return SER_LISTEN_QUIET;
    }
    listen->power += SMOOTH * (power - listen->power);

    if (!listen->speaking) {
        const float threshold = ser_maxf(listen->floor * settings->open, settings->minimum);
        keep(listen, block);
        /* of the block itself: smoothed, a click would be loud for long */
        listen->loud = (uint16_t)(power > threshold ? listen->loud + 1 : 0);
        if (listen->loud >= settings->confirm) {
            begin(listen);
            return SER_LISTEN_BEGIN;
        }
        follow_the_room(listen, listen->power);
        return SER_LISTEN_QUIET;
    }

    count_in(listen, power, block->clipped, block->lost);
    listen->silent =
        (uint16_t)(listen->power < listen->floor * settings->close ? listen->silent + 1 : 0);
    if (listen->silent >= settings->hang) {
        return end(listen, listen->active < settings->shortest ? SER_LISTEN_DISCARD : SER_LISTEN_END);
    }
    if (listen->blocks >= settings->longest) {
        /* Speech has gaps near the floor; what has none is the room (minimum statistics, Martin 2001). */
        listen->floor = ser_maxf(listen->floor, listen->lowest);
        return end(listen, SER_LISTEN_END);
    }
    return SER_LISTEN_SPEECH;
}
