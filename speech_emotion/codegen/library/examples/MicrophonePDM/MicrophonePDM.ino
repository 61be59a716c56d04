/*
 * Hears a voice through a board's own PDM microphone, by Arduino's library PDM, and says which emotion it expresses: a
 * line per utterance. Nothing is wired.
 *
 *     board                             core (Boards Manager)               answers
 *     Nano 33 BLE Sense                 Arduino Mbed OS Nano Boards         while you speak
 *     XIAO nRF52840 Sense               Seeed nRF52 (either)                while you speak
 *     Nicla Vision, Portenta H7 and
 *     its Vision Shield, Giga R1        Arduino Mbed OS boards              while you speak
 *     Nano RP2040 Connect               Arduino Mbed OS Nano Boards, or     while you speak; with jitter, shimmer or
 *                                       Raspberry Pi Pico/RP2040/RP2350     HNR up to a second or two after
 *
 * Clock and data pins are the core's own (PIN_PDM_CLK, PIN_PDM_DIN). Boards of the ESP32 family: the sketch Microphone.
 * What is printed, and what can be chosen of it, is in Telling.h; how sentences are found in Sentences.h.
 */
#include <Arduino.h>

#if defined(ARDUINO_ARCH_ESP32)
#error "This chip has an I2S port that reads PDM microphones too, where it can: take the sketch Microphone."
#endif
#if defined(ARDUINO_ARCH_AVR)
#error "This chip has some KB of memory; the recogniser takes tens. It needs a board with 128 KB of RAM or more."
#endif

#include <PDM.h>
#include <ser_line.h>

/* ---- to choose; each may also be a -D of the build ---- */

#ifndef MICROPHONE_SHIFT
#define MICROPHONE_SHIFT SER_CAPTURE_SHIFT /* one less: 6 dB louder */
#endif
#if !defined(MICROPHONE_GAIN) && (defined(ARDUINO_ARCH_NRF52840) || defined(NRF52840_XXAA))
#define MICROPHONE_GAIN 40 /* of the nRF52840's port, half decibels above -20 dB: none */
#endif

/* What arrives while the recogniser is busy must fit; a power of two. On an RP2040 a model with jitter,
   shimmer or HNR takes up to 1.4 times as long as the sound: two seconds are enough for a sentence of 5. */
#ifndef RING_SAMPLES
#if defined(__ARM_FP) || defined(__ARM_PCS_VFP)
#define RING_SAMPLES 8192
#else
#define RING_SAMPLES 32768
#define LONGEST_BLOCKS 270
#endif
#endif
/* ---- */

#if (RING_SAMPLES & (RING_SAMPLES - 1)) != 0
#error "RING_SAMPLES must be a power of two."
#endif

#include "Sentences.h"
#include "Telling.h"

static ser_capture capture;
static uint32_t heard_ms; /* when there was sound */

/* From the interrupt to loop(). Counters go round at 2^32; each is written by one side alone. */
static int16_t ring[RING_SAMPLES];
static uint32_t written = 0, missed = 0; /* samples, of the interrupt's */
static uint32_t taken = 0;               /* samples, of loop()'s */

/* Everything is read at once, or the library stops the microphone. */
static void on_sound()
{
    static int16_t latest[256];
    uint32_t at = written;
    const uint32_t until = __atomic_load_n(&taken, __ATOMIC_ACQUIRE) + RING_SAMPLES;
    for (int left = PDM.available(); left > 0; left = PDM.available()) {
        const int most = static_cast<int>(sizeof latest);
        const int bytes = PDM.read(latest, static_cast<size_t>(left < most ? left : most));
        if (bytes <= 0) {
            break;
        }
        for (int i = 0; i < bytes / 2; i++) {
            if (at == until) {
                __atomic_store_n(&missed, missed + 1u, __ATOMIC_RELAXED);
            } else {
                ring[at++ % RING_SAMPLES] = latest[i];
            }
        }
    }
    __atomic_store_n(&written, at, __ATOMIC_RELEASE);
}

static bool start_microphone()
{
    PDM.onReceive(on_sound);
#ifdef MICROPHONE_GAIN
    PDM.setGain(MICROPHONE_GAIN);
#endif
    return PDM.begin(1, SER_SAMPLE_RATE) == 1;
}

static void rest()
{
    delay(1);
}

static const ser_profile *whose_voice()
{
    return nullptr; /* there is no flash to keep a voice in that all these boards share */
}

static void heard(const ser_result *result, const Captured *last)
{
    tell(result, last);
}

static void silence(uint32_t overruns)
{
    ser_line line;
    begin_silence(&line, overruns);
    end_silence(&line);
}

static void trouble(const char *what)
{
    tell_trouble(what);
}

/* The next samples in the ring, as far as they lie in one piece. */
static void take_samples(uint32_t waiting)
{
    static Captured captured;
    static uint32_t known_missed = 0;
    const uint32_t lost = __atomic_load_n(&missed, __ATOMIC_RELAXED) - known_missed;
    known_missed += lost;
    if (lost > 0) {
        ser_capture_missed(&capture, lost);
    }
    const uint32_t first = taken % RING_SAMPLES;
    const uint32_t whole = first + waiting > RING_SAMPLES ? RING_SAMPLES - first : waiting;
    const ser_block *block;
    const size_t used = ser_capture_push(
        &capture, reinterpret_cast<const uint8_t *>(ring + first), whole * sizeof *ring, &block
    );
    __atomic_store_n(&taken, taken + static_cast<uint32_t>(used / sizeof *ring), __ATOMIC_RELEASE);
    if (block == nullptr) {
        return;
    }
    const uint32_t behind = __atomic_load_n(&written, __ATOMIC_ACQUIRE) - taken;
    captured.block = *block;
    captured.at_us = static_cast<uint32_t>(micros()) - behind * 125u / 2u; /* 62.5 us each */
    captured.overruns = capture.overruns;
    take_block(&captured);
}

void setup()
{
    Serial.begin(115200);
    start_sentences();
    ser_capture_init_pcm(&capture, MICROPHONE_SHIFT);
    while (!start_microphone()) {
        trouble("the PDM microphone did not start; has this board one?");
        PDM.end();
        delay(2000);
    }
    if (!PLOTTER) {
        Serial.println($first_line);
    }
    heard_ms = static_cast<uint32_t>(millis());
}

void loop()
{
    const uint32_t waiting = __atomic_load_n(&written, __ATOMIC_ACQUIRE) - taken;
    if (waiting > 0) {
        take_samples(waiting);
        heard_ms = static_cast<uint32_t>(millis());
    } else if (static_cast<uint32_t>(millis()) - heard_ms > 2000) {
        trouble("no sound from the PDM microphone; it is started again");
        PDM.end();
        start_microphone();
        heard_ms = static_cast<uint32_t>(millis());
    } else {
        delay(1);
    }
}
