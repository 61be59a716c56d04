#include "ser_tail.h"

#include "ser_math.h"

#include <string.h>

void ser_tail_reset(ser_tail *tail) { memset(tail, 0, sizeof *tail); }

void ser_tail_push(ser_tail *tail, const int16_t *samples, int count)
{
    int i;
    int32_t sum = 0;
    memmove(tail->sample, tail->sample + count, sizeof(int16_t) * (size_t)(SER_TAIL_SAMPLES - count));
    memcpy(tail->sample + SER_TAIL_SAMPLES - count, samples, sizeof(int16_t) * (size_t)count);
    if (tail->hops == 0) {
        tail->low = tail->high = samples[0];
    }
    for (i = 0; i < count; i++) {
        sum += samples[i];
        tail->low = samples[i] < tail->low ? samples[i] : tail->low;
        tail->high = samples[i] > tail->high ? samples[i] : tail->high;
    }
    tail->sum += sum;
    tail->hops++;
}

float ser_tail_peak(const ser_tail *tail)
{
    float mean;
    if (tail->hops == 0) {
        return 0.0f;
    }
    mean = ser_from_u64((uint64_t)(tail->sum < 0 ? -tail->sum : tail->sum));
    mean = (tail->sum < 0 ? -mean : mean) *
           ser_recip((float)tail->hops * (float)SER_HOP - (float)(SER_HOP - SER_CLIP_REMAINDER));
    return ser_maxf((float)tail->high - mean, mean - (float)tail->low);
}
