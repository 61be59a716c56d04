#include "ser_extractor.h"

#include "ser_fft.h"
#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_slots.h"

#include <string.h>

ser_status ser_extractor_init(ser_extractor *extractor)
{
    if (extractor == NULL) {
        return SER_BAD_ARGUMENT;
    }
    memset(extractor, 0, sizeof *extractor);
#if SER_NEEDS_PITCH
    ser_pitch_reset(&extractor->pitch);
#endif
#if SER_WITH_VOICE
    ser_pulses_reset(&extractor->pulses);
#endif
#if SER_WITH_INTENSITY
    ser_intensity_reset(&extractor->intensity);
#endif
#if SER_WITH_HNR
    ser_hnr_reset(&extractor->hnr);
#endif
#if SER_WITH_ENCODER
    ser_encoder_reset(&extractor->encoder);
#endif
    return SER_OK;
}

ser_status ser_extractor_reset(ser_extractor *extractor)
{
    return ser_extractor_init(extractor);
}

enum {
    END = (SER_FRAME + SER_HOP - SER_CLIP_REMAINDER) % SER_HOP, /* of a frame, after a mark of the grid */
    LATE = (SER_HOP - END) % SER_HOP, /* from there to the mark that completes the hop */
    FIRST = (SER_FRAME + LATE - SER_CLIP_REMAINDER) / SER_HOP + 1 /* hop that completes a frame */
};

/* Counts so many samples; zero counts as positive (librosa.feature.zero_crossing_rate). */
SER_IN_RAM static void count_samples(ser_running *running, const int16_t *x, int samples)
{
    uint32_t crossings = 0;
#if SER_SAMPLE_PAIRS
    uint64_t energy = 0;
    for (const int16_t *end = x + samples; x < end; x += 2) {
        const uint32_t pair = ser_pair_at(x);
        energy = ser_add_squares(energy, pair);
        crossings += ((pair ^ ser_pair_at(x - 1)) >> 15) & 0x00010001U;
    }
    crossings = (crossings & 0xffffU) + (crossings >> 16);
#else
    ser_sum squares = SER_SUM_OF_NOTHING;
    int32_t before = x[-1];
    for (const int16_t *end = x + samples; x < end; x += 2) {
        SER_AS_IT_IS(x);
        const int32_t first = x[0];
        const int32_t second = x[1];
        /* two squares fit 32 bits without sign, and differing signs make the exclusive or negative */
        ser_sum_add(&squares, (uint32_t)(first * first) + (uint32_t)(second * second), 0);
        crossings += ((uint32_t)(before ^ first) >> 31) + ((uint32_t)(first ^ second) >> 31);
        before = second;
    }
    const uint64_t energy = ser_sum_of(squares);
#endif
    running->energy += energy;
    running->crossings += crossings;
}

/* Goes on to where the latest frame ends, by way of where another starts. A frame's first sample has nothing to
   cross from. */
SER_IN_RAM static void run_on(ser_running *running, const ser_tail *tail)
{
    enum { AFTER = SER_FRAME % SER_HOP }; /* samples from a start to an end */
    const int16_t *start = tail->sample + SER_TAIL_SAMPLES - LATE - AFTER;
    const uint32_t at = tail->hops % SER_STARTS;
    count_samples(running, start - (SER_HOP - AFTER), SER_HOP - AFTER);
    running->start_energy[at] = running->energy;
    running->start_crossings[at] = running->crossings + ((uint32_t)(start[-1] ^ start[0]) >> 31);
    count_samples(running, start, AFTER);
}

#if SER_WITH_CEPSTRUM
/* The slopes that the latest frame makes known, those of the clip's first frames included. */
static void add_slopes(ser_extractor *extractor, uint32_t frame)
{
    int32_t slopes[SER_DELTA_VALUES];
    if (frame + 1 < SER_DELTA_WIDTH) {
        return;
    }
    ser_test_poison(slopes, SER_DELTA_VALUES);
    ser_cepstrum_slopes(&extractor->cepstrum, slopes);
    const uint32_t middle = frame - SER_DELTA_LAG;
    for (uint32_t j = frame + 1 == SER_DELTA_WIDTH ? 0 : middle; j <= middle; j++) {
        ser_gate_add(&extractor->gate, SER_PART_DELTA, j, slopes);
    }
}

/* Those of the clip's last frames, if it ends here; of how many that are speech. */
static uint32_t last_slopes(const ser_extractor *extractor, int32_t *slopes)
{
    uint32_t speech = 0;
    const uint32_t frames = extractor->gate.frames;
    if (frames < SER_DELTA_WIDTH) {
        return 0;
    }
    ser_cepstrum_slopes(&extractor->cepstrum, slopes); /* every slot, as add_slopes has seen */
    for (uint32_t j = frames - SER_DELTA_LAG; j < frames; j++) {
        speech += ser_gate_is_speech(&extractor->gate, j) != 0;
    }
    return speech;
}
#endif

#if SER_WITH_ENERGY
#if SER_FRAME != 512 || SER_BITS_RMS != 23
#error "rms_of: sqrt(energy / SER_FRAME) / 2^15 times 2^SER_BITS_RMS is 4 sqrt(8 energy)"
#endif
/* energy is below 2^40: its root is taken of 32 bits, to half a unit and 2^-21 of it. */
static int32_t rms_of(uint64_t energy)
{
    int half = 0;
    energy *= 8;
    while (energy >> 32 != 0) {
        energy >>= 2;
        half++;
    }
    return (int32_t)(((ser_root_q16((uint32_t)energy) >> (13 - half)) + 1) >> 1);
}
#endif

/* By itself, so that its slots are off the stack again when pitch is looked for. */
SER_NOT_INLINE static void measure_frame(ser_extractor *extractor, const int16_t *frame)
{
    ser_gate *gate = &extractor->gate;
    const uint32_t j = gate->frames;
    (void)frame; /* without spectral groups */
    int32_t values[SER_FRAME_VALUES + 1];
    int32_t changes[SER_CHANGE_VALUES + 1];
    ser_test_poison(values, SER_FRAME_VALUES);
    ser_test_poison(changes, SER_CHANGE_VALUES);
    const ser_running *running = &extractor->running;
    const uint32_t start = (extractor->tail.hops + 1) % SER_STARTS; /* the oldest */
    const int64_t energy = (int64_t)(running->energy - running->start_energy[start]);
    ser_gate_level(gate, energy); /* a frame that is no speech by now never will be: the loudest can only get louder */
#if SER_WITH_ENERGY
    const int32_t rms = rms_of((uint64_t)energy);
    ser_put_frame_energy(values, rms);
    ser_put_change_energy(changes, (rms - extractor->rms) >> (SER_BITS_RMS - SER_BITS_RMS_DELTA));
    extractor->rms = rms;
#endif
#if SER_WITH_ZCR
    const uint32_t crossings = running->crossings - running->start_crossings[start];
    ser_put_frame_zcr(values, (int32_t)crossings * ((1 << SER_BITS_ZCR) / SER_FRAME));
#endif
#if SER_NEEDS_FFT
    int32_t *scratch = extractor->scratch.spectrum;
    const int up = ser_fft_frame(frame, (uint64_t)energy, scratch);
#if SER_WITH_HNR
    ser_hnr_hop_shared(&extractor->hnr, &extractor->tail, scratch, up, extractor->scratch.hnr.work);
#endif
    ser_spectrum_frame(&extractor->spectrum, scratch, up, ser_gate_is_speech(gate, j), values, changes);
#endif
#if SER_WITH_MODULATION
    ser_modulation_push(&extractor->modulation, extractor->spectrum.mel, values);
#endif
#if SER_NEEDS_MFCC
    const int32_t *mfcc = ser_cepstrum_mfcc(extractor->spectrum.mel, values);
    (void)mfcc;
#endif
#if SER_WITH_CEPSTRUM
    ser_cepstrum_push(&extractor->cepstrum, mfcc);
    add_slopes(extractor, j);
#endif
    ser_gate_add(gate, SER_PART_FRAME, j, values);
    if (j > 0) {
        ser_gate_add(gate, SER_PART_CHANGE, j, changes);
    }
}

#if SER_WITH_ENCODER
static void encode_frame(ser_extractor *extractor, uint32_t frame)
{
    uint8_t units[SER_ENCODER_UNITS];
    int32_t values[SER_ENCODER_VALUES];
    if (ser_encoder_push(&extractor->encoder, extractor->spectrum.mel, units)) {
        ser_test_poison(values, SER_ENCODER_VALUES);
        ser_encoder_values(units, values);
        ser_gate_add(&extractor->gate, SER_PART_ENCODER, frame, values);
    }
}
#endif

#if SER_WITH_INTENSITY
/* Counted at the spectral frame nearest to the intensity frame that the latest hop completes, if any. */
static void measure_intensity(ser_extractor *extractor)
{
    int32_t decibels;
    int32_t values[SER_INTENSITY_VALUES];
    int32_t changes[SER_INTENSITY_CHANGE_VALUES];
    if (!ser_intensity_hop(&extractor->intensity, &extractor->tail, &decibels)) {
        return;
    }
    ser_test_poison(values, SER_INTENSITY_VALUES);
    ser_test_poison(changes, SER_INTENSITY_CHANGE_VALUES);
    const uint32_t k = extractor->tail.hops - 1 - SER_INTENSITY_LATENCY;
    const uint32_t j = k + SER_INTENSITY_LAG;
    ser_put_intensity_intensity(values, decibels);
    ser_gate_add(&extractor->gate, SER_PART_INTENSITY, j, values);
    if (k > 0) {
        const int32_t change = decibels - extractor->intensity_db;
        ser_put_intensity_change_intensity(changes, change >> (SER_BITS_INTENSITY_DB - SER_BITS_INTENSITY_DB_DELTA));
        ser_gate_add(&extractor->gate, SER_PART_INTENSITY_CHANGE, j, changes);
    }
    extractor->intensity_db = decibels;
}
#endif

/* All stages' work on the samples up to the grid's next mark. */
SER_IN_RAM static void take_hop(ser_extractor *extractor)
{
    ser_tail *tail = &extractor->tail;
    ser_tail_push(tail, extractor->waiting, extractor->waiting_count);
    run_on(&extractor->running, tail);
    if (tail->hops >= FIRST) {
        measure_frame(extractor, tail->sample + SER_TAIL_SAMPLES - LATE - SER_FRAME);
#if SER_WITH_ENCODER
        encode_frame(extractor, extractor->gate.frames - 1);
#endif
    }
#if SER_WITH_INTENSITY
    measure_intensity(extractor);
#endif
#if SER_WITH_HNR && !SER_NEEDS_FFT
    ser_hnr_hop(&extractor->hnr, tail, extractor->scratch.hnr.spectrum, extractor->scratch.hnr.work);
#endif
#if SER_NEEDS_PITCH
    ser_pitch_hop(&extractor->pitch, tail, extractor->scratch.pitch);
#endif
#if SER_WITH_VOICE
    ser_pulses_hop(&extractor->pulses, tail, &extractor->pitch, extractor->scratch.pulses);
#endif
}

SER_IN_RAM ser_status ser_extractor_push(ser_extractor *extractor, const int16_t *pcm, size_t count)
{
    if (extractor == NULL || (pcm == NULL && count > 0)) {
        return SER_BAD_ARGUMENT;
    }
    while (count > 0) {
        const size_t wanted = extractor->tail.hops == 0 ? SER_CLIP_REMAINDER : SER_HOP;
        const size_t missing = wanted - extractor->waiting_count;
        const size_t taken = count < missing ? count : missing;
        ser_front_block_dc(&extractor->front, pcm, (int)taken, extractor->waiting + extractor->waiting_count);
        extractor->waiting_count = (uint16_t)(extractor->waiting_count + taken);
        pcm += taken;
        count -= taken;
        if (taken == missing) {
            take_hop(extractor);
            extractor->waiting_count = 0;
        }
    }
    return SER_OK;
}

/* Test builds: all columns that are to be written. */
static void poison_columns(float *features)
{
    (void)features;
#ifdef SER_TEST_POISON
    for (size_t i = 0; i < sizeof ser_test_kept / sizeof *ser_test_kept; i++) {
        if (ser_test_kept[i].kept) {
            ser_test_poison(features + ser_test_kept[i].first, ser_test_kept[i].count);
        }
    }
#endif
}

/* The columns that come from the running sums. By itself, so that what it needs is off the stack when the others are made. */
SER_NOT_INLINE static void write_sums(const ser_extractor *extractor, float *features)
{
    const ser_bank *banks[SER_BANKS];
    const int count = ser_gate_banks(&extractor->gate, banks);
#if SER_WITH_CEPSTRUM
    int32_t slopes[SER_DELTA_VALUES];
    const ser_repeated last = {SER_PART_DELTA, last_slopes(extractor, slopes), slopes};
    ser_bank_columns(banks, count, &last, features);
#else
    ser_bank_columns(banks, count, NULL, features);
#endif
}

ser_status ser_extractor_finish(ser_extractor *extractor, ser_summary *summary, float *features)
{
    if (extractor == NULL || summary == NULL || features == NULL) {
        return SER_BAD_ARGUMENT;
    }
    const float hops = (float)extractor->tail.hops;
    summary->seconds = 0.0f;
    if (extractor->tail.hops > 0) {
        summary->seconds =
            ((hops - 1.0f) * (float)SER_HOP + (float)SER_CLIP_REMAINDER) / (float)SER_SAMPLE_RATE;
    }
    const uint32_t shortest = (SER_MIN_CLIP - SER_CLIP_REMAINDER) / SER_HOP + 1;
    summary->speech = extractor->tail.hops >= shortest && extractor->gate.top > 0;
    for (float *column = features; column < features + SER_FEATURES; column++) {
        *column = SER_UNDEFINED;
        SER_AS_IT_IS(column); /* memset of small C libraries is by bytes */
    }
    if (!summary->speech) {
        return SER_OK;
    }
    poison_columns(features);
    write_sums(extractor, features);
#if SER_WITH_PITCH || SER_WITH_CLEAR
    ser_pitch_columns(&extractor->pitch, ser_tail_level(&extractor->tail), &extractor->scratch.answer.work.contours,
                      features + SER_FIRST_PITCH);
#endif
#if SER_WITH_VOICE
    ser_pulses_columns(&extractor->pulses, &extractor->tail, &extractor->pitch,
                       extractor->scratch.pulses, features + SER_FIRST_VOICE);
#endif
#if SER_WITH_HNR
    ser_hnr_columns(&extractor->hnr, ser_tail_level(&extractor->tail), features + SER_FIRST_HNR);
#endif
    ser_test_columns(features);
    return SER_OK;
}
