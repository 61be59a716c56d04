/*
 * The benchmark's sounds, made on the spot in whole numbers: the same samples on every machine. Pulses through
 * three resonators, and noise. Nobody's voice. Generated from speech_emotion/codegen/clips.py, which makes the same samples.
 */
#ifndef BENCHMARK_CLIPS_H
#define BENCHMARK_CLIPS_H

#include <stdint.h>

struct Clip {
    const char *name;
    uint32_t samples;  /* length */
    uint32_t voiced;   /* samples after which the pulses stop */
    int32_t period;    /* samples between pulses, at first */
    int32_t glide;     /* change of it every 16 pulses */
    int32_t wobble;    /* largest change of one period */
    int32_t noise;     /* peak */
};

static const Clip clips[] = {
$clips
};
static const uint32_t CLIPS = sizeof clips / sizeof clips[0];

/* resonators: 2 r cos(2 pi f / 16000) and r^2 in 1/4096; near 600, 1400 and 2600 Hz */
static const int32_t RESONATORS[3][2] = {$resonators};

struct Synthesis {
    const Clip *clip;
    uint32_t at, next, pulses, random;
    int32_t memory[3][2];
};

static void synthesis_begin(Synthesis *synthesis, const Clip *clip)
{
    *synthesis = Synthesis();
    synthesis->clip = clip;
    synthesis->random = 1;
}

static uint32_t synthesis_random(Synthesis *synthesis) /* Park and Miller 1988 */
{
    synthesis->random = static_cast<uint32_t>(synthesis->random * static_cast<uint64_t>(48271) % 2147483647u);
    return synthesis->random >> 8;
}

static int16_t synthesis_sample(Synthesis *synthesis)
{
    const Clip *clip = synthesis->clip;
    int32_t value = 0;
    if (synthesis->at == synthesis->next) {
        const uint32_t span = static_cast<uint32_t>(2 * clip->wobble + 1);
        const int32_t step = static_cast<int32_t>(synthesis_random(synthesis) % span) - clip->wobble;
        int32_t period = clip->period + clip->glide * static_cast<int32_t>(synthesis->pulses / 16) + step;
        period = period < 30 ? 30 : (period > 210 ? 210 : period);
        value = synthesis->at < clip->voiced ? 6000 : 0;
        synthesis->next += static_cast<uint32_t>(period);
        synthesis->pulses++;
    }
    for (int i = 0; i < 3; i++) {
        int32_t *memory = synthesis->memory[i];
        /* divided towards minus infinity, as Python does; nothing here comes near 2^30 */
        const int64_t sum = static_cast<int64_t>(RESONATORS[i][0]) * memory[0]
                            - static_cast<int64_t>(RESONATORS[i][1]) * memory[1];
        const int32_t now = value + static_cast<int32_t>(((sum + (INT64_C(1) << 42)) >> 12) - (1 << 30));
        memory[1] = memory[0];
        memory[0] = now;
        value = ((now + (1 << 30)) >> 1) - (1 << 29);
    }
    value = ((value + (1 << 30)) >> 2) - (1 << 28);
    if (clip->noise > 0) {
        value += static_cast<int32_t>(synthesis_random(synthesis) % static_cast<uint32_t>(2 * clip->noise + 1))
                 - clip->noise;
    }
    synthesis->at++;
    return static_cast<int16_t>(value < -32768 ? -32768 : (value > 32767 ? 32767 : value));
}

#endif
