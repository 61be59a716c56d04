/*
 * What a web page asks of the recogniser: push a hop, read what the stages have just measured, ask for an
 * answer. Compiled to WebAssembly together with a generated library's src/; no C library, no imports.
 *
 * The page writes samples to ser_web_pcm() and calls ser_web_push once per hop. Numbers of frames are those
 * of the stages: spectral frame j starts at sample 160 j, intensity and pitch frames as their headers say.
 * -1: there is none (yet, or the model does without that stage).
 */
#include "ser.h"
#include "ser_listen.h"
#include "ser_math.h"

#include <stddef.h>

#define EXPORT(name) __attribute__((export_name(#name)))

static ser_recognizer recognizer;
static ser_recognizer asked; /* a copy, so that asking cannot change what is being heard */
static ser_result result;
static ser_block block;
static ser_listen listening;
static float what_if[SER_FEATURES];
static float would_be[SER_LABELS];
static ser_profile voice;    /* whose voice is known */
static ser_profile heard_as; /* the voice that the latest answer stands on, before it was learnt from */

EXPORT(pcm) int16_t *ser_web_pcm(void) { return block.sample; }
EXPORT(hop) int ser_web_hop(void) { return SER_HOP; }
EXPORT(reset) void ser_web_reset(void) { (void)ser_init(&recognizer); }
EXPORT(push) void ser_web_push(int count) { (void)ser_push(&recognizer, block.sample, (size_t)count); }

/* --- where somebody speaks ------------------------------------------------------------------ */

EXPORT(listen_reset) void ser_web_listen_reset(void) { (void)ser_listen_init(&listening); }

/* What the hop at ser_web_pcm() is: a ser_listen_event. Samples at full scale count as clipped. */
EXPORT(listen) int ser_web_listen(void)
{
    block.clipped = 0;
    for (int i = 0; i < SER_HOP; i++) {
        block.clipped = (uint16_t)(block.clipped + (block.sample[i] == 32767 || block.sample[i] == -32768));
    }
    return ser_listen_push(&listening, &block);
}

/* dB below a full-scale square wave: the latest hop, smoothed, and the room's floor. */
EXPORT(level) float ser_web_level(void) { return ser_listen_dbfs(listening.power); }
EXPORT(floor) float ser_web_floor(void) { return ser_listen_dbfs(listening.floor); }
EXPORT(clipped) int ser_web_clipped(void) { return (int)listening.clipped; }

/* At a beginning: the hops that belong to it, this one the last. */
EXPORT(listen_kept) int ser_web_listen_kept(void) { return ser_listen_kept(&listening); }
EXPORT(listen_block) const int16_t *ser_web_listen_block(int i) { return ser_listen_block(&listening, i); }

/* --- the latest spectral and intensity frame ---------------------------------------------- */

EXPORT(frame) int32_t ser_web_frame(void) { return (int32_t)recognizer.extractor.gate.frames - 1; }

/* Its level, in steps of SER_LEVEL_STEP_DB: it holds speech if that is not 0 and no more than
   ser_web_gate_steps() below the loudest frame's. */
EXPORT(frame_step) int ser_web_frame_step(void)
{
    const ser_gate *gate = &recognizer.extractor.gate;
    return gate->frames > 0 ? gate->steps[(gate->frames - 1) % SER_GATE_HISTORY] : 0;
}

EXPORT(gate_steps) int ser_web_gate_steps(void) { return SER_GATE_STEPS; }

EXPORT(mels) int ser_web_mels(void) { return SER_NEEDS_MEL ? SER_MELS : 0; }

/* Levels in dB, ser_web_mels() of them. */
#if SER_NEEDS_MEL
static float mel[SER_MELS];
#endif
EXPORT(mel) const float *ser_web_mel(void)
{
#if SER_NEEDS_MEL
    for (int i = 0; i < SER_MELS; i++) {
        mel[i] = (float)recognizer.extractor.spectrum.mel[i] / (float)(1 << SER_BITS_MEL);
    }
    return mel;
#else
    return NULL;
#endif
}

EXPORT(intensity_frame) int32_t ser_web_intensity_frame(void)
{
#if SER_WITH_INTENSITY
    const int32_t frame = (int32_t)recognizer.extractor.tail.hops - 1 - SER_INTENSITY_LATENCY;
    return frame < 0 ? -1 : frame;
#else
    return -1;
#endif
}

/* dB re 2e-5 of full scale. */
EXPORT(intensity) float ser_web_intensity(void)
{
#if SER_WITH_INTENSITY
    return (float)recognizer.extractor.intensity_db / (float)(1 << SER_BITS_INTENSITY_DB);
#else
    return 0.0f;
#endif
}

/* --- the answer for the sound so far -------------------------------------------------------- */

/* known: whether it is given against the voice that is known. Returns 1 if speech was found. */
EXPORT(ask) int ser_web_ask(int known)
{
    asked = recognizer;
    heard_as = voice;
    (void)ser_know(&asked, known ? &heard_as : NULL);
    (void)ser_finish(&asked, &result);
    return result.speech;
}

EXPORT(known) int ser_web_known(void) { return result.known; }
EXPORT(seconds) float ser_web_seconds(void) { return result.seconds; }
EXPORT(label) int ser_web_label(void) { return result.label; }
EXPORT(probabilities) const float *ser_web_probabilities(void) { return result.probabilities; }
EXPORT(features) const float *ser_web_features(void) { return ser_features(&asked); }

/* F0 of all frames kept, as the answer's path runs: calls come after ser_web_ask. */
#if SER_NEEDS_PITCH
static uint16_t track[SER_PITCH_FRAMES];
#endif
static float f0[SER_NEEDS_PITCH ? SER_PITCH_FRAMES : 1];

/* Finds it; returns how many frames. */
EXPORT(f0_frames) int ser_web_f0_frames(void)
{
#if SER_NEEDS_PITCH
    ser_pitch *pitch = &asked.extractor.pitch;
    ser_pitch_path(pitch, pitch->base, ser_tail_level(&asked.extractor.tail));
    const int count = ser_pitch_track(pitch, pitch->base, track, SER_PITCH_FRAMES);
    for (int i = 0; i < count; i++) {
        f0[i] = track[i] > 0 ? ser_pitch_frequency(track[i]) * (float)SER_SAMPLE_RATE : 0.0f;
    }
    return count;
#else
    return -1;
#endif
}

/* Number of the first of them. */
EXPORT(f0_first) int32_t ser_web_f0_first(void)
{
#if SER_NEEDS_PITCH
    return (int32_t)asked.extractor.pitch.base;
#else
    return -1;
#endif
}

/* Hz, 0 where unvoiced. */
EXPORT(f0) const float *ser_web_f0(void) { return f0; }

/* --- whose voice it is (ser_profile.h) -------------------------------------------------------- */

EXPORT(voice_columns) int ser_web_voice_columns(void) { return SER_PROFILE_COLUMNS; }
EXPORT(voice_forget) void ser_web_voice_forget(void) { ser_profile_forget(&voice); }

/* The profile's bytes, to be kept and written back; whether those that lie there are this model's. */
EXPORT(voice) void *ser_web_voice(void) { return &voice; }
EXPORT(voice_bytes) int ser_web_voice_bytes(void) { return (int)sizeof voice; }
EXPORT(voice_belongs) int ser_web_voice_belongs(void) { return ser_profile_belongs(&voice); }
EXPORT(voice_known) int ser_web_voice_known(void) { return ser_profile_known(&voice); }
EXPORT(voice_strange) int ser_web_voice_strange(void) { return ser_profile_is_strange(&voice); }

/* Whether the sentence that the gate has just ended was loud, clear and long enough to learn a voice from. */
EXPORT(clear) int ser_web_clear(void)
{
    return ser_listen_is_clear(&listening, result.seconds);
}

/* The sound of the latest answer is learnt from. Returns whether it was. */
EXPORT(voice_learn) int ser_web_voice_learn(void) { return ser_learn(&asked, &voice, &result); }

/* --- what if features had been others? ------------------------------------------------------- */

/* A model that knows no voices: the page writes features there. */
EXPORT(what_if) float *ser_web_what_if(void) { return what_if; }

/* One that does: the latest answer's columns as the model saw them, in steps about what is usual; the page may
   write others over them. */
#if SER_PROFILE_COLUMNS
static int16_t steps[SER_PROFILE_COLUMNS];
EXPORT(steps) int16_t *ser_web_steps(void)
{
    ser_model_steps(ser_features(&asked), steps);
    ser_profile_adapt(asked.voice, steps);
    return steps;
}
#else
EXPORT(steps) int16_t *ser_web_steps(void) { return NULL; }
#endif

/* The model's probabilities for what the page wrote there. */
EXPORT(would_be) const float *ser_web_would_be(void)
{
#if SER_PROFILE_COLUMNS
    static int16_t room[SER_MODEL_ROOM];
    ser_profile_hear(NULL, steps, room); /* within what the model takes */
    ser_model_answer(room, would_be);
#else
    ser_model_predict(what_if, would_be);
#endif
    return would_be;
}
