#include "ser_tail.h"

#include "ser_fixed.h"
#include "ser_in_ram.h"

#include <stddef.h>
#include <string.h>

void ser_tail_reset(ser_tail *tail) { memset(tail, 0, sizeof *tail); }

SER_IN_RAM static int32_t sum_of(const int16_t *samples, int count)
{
    int32_t sum = 0;
#if SER_SAMPLE_PAIRS
    for (; count > 7; count -= 8, samples += 8) {
        sum = ser_add_pair(ser_add_pair(sum, ser_pair_at(samples)), ser_pair_at(samples + 2));
        sum = ser_add_pair(ser_add_pair(sum, ser_pair_at(samples + 4)), ser_pair_at(samples + 6));
    }
#else
    for (; count > 7; count -= 8, samples += 8) {
        SER_AS_IT_IS(samples);
        sum += ((samples[0] + samples[1]) + (samples[2] + samples[3])) + ((samples[4] + samples[5]) + (samples[6] + samples[7]));
    }
#endif
    for (; count > 3; count -= 4, samples += 4) {
        sum += (samples[0] + samples[1]) + (samples[2] + samples[3]);
    }
    for (; count > 0; count--) {
        sum += *samples++;
    }
    return sum;
}

typedef char ser_tail_begins_with_a_word[offsetof(ser_tail, sample) % 4 == 0 && SER_HOP % 2 == 0 && SER_CLIP_REMAINDER % 2 == 0 ? 1 : -1];

SER_IN_RAM void ser_tail_push(ser_tail *tail, const int16_t *samples, int count)
{
    int16_t *sample = tail->sample;
    int32_t sum = 0, low = samples[0], high = low;
    ser_copy_words(sample, sample + count, (SER_TAIL_SAMPLES - count) / 2);
    sample = tail->sample + SER_TAIL_SAMPLES - count;
#if SER_SAMPLE_PAIRS
    uint32_t lows = ser_pair_at(samples), highs = lows;
    for (const int16_t *end = samples + count; samples < end; samples += 2, sample += 2) {
        const uint32_t pair = ser_pair_at(samples);
        memcpy(sample, &pair, sizeof pair);
        sum = ser_add_pair(sum, pair);
        lows = ser_smaller_pair(lows, pair);
        highs = ser_larger_pair(highs, pair);
    }
    low = (int16_t)lows < (int16_t)(lows >> 16) ? (int16_t)lows : (int16_t)(lows >> 16);
    high = (int16_t)highs > (int16_t)(highs >> 16) ? (int16_t)highs : (int16_t)(highs >> 16);
#else
    for (const int16_t *end = samples + count; samples < end; samples += 2, sample += 2) {
        SER_AS_IT_IS(samples);
        SER_AS_IT_IS(sample);
        const int32_t x = samples[0], y = samples[1];
        sample[0] = (int16_t)x;
        sample[1] = (int16_t)y;
        sum += x + y;
        low = x < low ? x : low;
        low = y < low ? y : low;
        high = x > high ? x : high;
        high = y > high ? y : high;
    }
#endif
    tail->hop_low[tail->hops % SER_TAIL_HOPS] = (int16_t)low;
    tail->hop_high[tail->hops % SER_TAIL_HOPS] = (int16_t)high;
    tail->low = tail->hops == 0 || low < tail->low ? (int16_t)low : tail->low;
    tail->high = tail->hops == 0 || high > tail->high ? (int16_t)high : tail->high;
    tail->hop_sum[tail->hops % SER_TAIL_HOPS] = sum;
    tail->sum += sum;
    tail->hops++;
}

void ser_tail_range(const ser_tail *tail, int16_t *low, int16_t *high)
{
    int i;
    *low = tail->hop_low[0];
    *high = tail->hop_high[0];
    for (i = 1; i < SER_TAIL_HOPS; i++) {
        *low = tail->hop_low[i] < *low ? tail->hop_low[i] : *low;
        *high = tail->hop_high[i] > *high ? tail->hop_high[i] : *high;
    }
}

uint32_t ser_tail_level(const ser_tail *tail)
{
    uint64_t count, sum;
    int32_t mean, above, below;
    if (tail->hops == 0) {
        return 0;
    }
    count = (uint64_t)tail->hops * SER_HOP - (SER_HOP - SER_CLIP_REMAINDER);
    sum = (uint64_t)(tail->sum < 0 ? -tail->sum : tail->sum);
    /* into 32 bits, for dividing: which is exact unless the sound is long */
    while (count >> 23 != 0 || sum >> 31 != 0) {
        count >>= 1;
        sum >>= 1;
    }
    {
        const uint32_t n = (uint32_t)count, s = (uint32_t)sum;
        mean = (int32_t)(s / n * 256U + s % n * 256U / n);
        mean = tail->sum < 0 ? -mean : mean;
    }
    above = tail->high * 256 - mean;
    below = mean - tail->low * 256;
    return (uint32_t)(above > below ? above : below);
}

/* Of the samples kept, from one to before another, more than a hop apart: of whole hops it is known. */
SER_INLINE int32_t sum_between(const ser_tail *tail, int from, int to)
{
    enum { BEFORE = SER_TAIL_SAMPLES % SER_HOP }; /* samples before the first whole hop */
    int hop = (from + SER_HOP - 1 - BEFORE) / SER_HOP;
    const int end = (to - BEFORE) / SER_HOP;
    int32_t sum = sum_of(tail->sample + from, BEFORE + hop * SER_HOP - from);
    for (; hop < end; hop++) { /* the latest is hop number SER_TAIL_HOPS - 2 of these */
        sum += tail->hop_sum[(tail->hops + (uint32_t)hop + 1) % SER_TAIL_HOPS];
    }
    return sum + sum_of(tail->sample + BEFORE + end * SER_HOP, to - BEFORE - end * SER_HOP);
}
typedef char ser_tail_has_part_of_a_hop_first[SER_TAIL_SAMPLES % SER_HOP != 0 ? 1 : -1];

SER_IN_RAM ser_scale ser_tail_scale(const ser_tail *tail, int middle)
{
    const int32_t sum = sum_between(tail, middle - SER_PITCH_LONGEST, middle + SER_PITCH_LONGEST);
    const int32_t whole = sum / (2 * SER_PITCH_LONGEST), rest = sum % (2 * SER_PITCH_LONGEST);
    int16_t low, high;
    int32_t span;
    ser_scale scale;
    ser_tail_range(tail, &low, &high);
    span = (high - whole > whole - low ? high - whole : whole - low) + 1;
    for (scale.up = 0; scale.up < 15 && span << (scale.up + 1) <= 65535; scale.up++) {
    }
    scale.mean = whole * (1 << scale.up) + rest * (1 << scale.up) / (2 * SER_PITCH_LONGEST);
    return scale;
}
