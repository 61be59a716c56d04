/*
 * How fast the recogniser answers on this very board, and what memory is left: measured, not estimated.
 * No microphone needed. For chips of the ESP32 family with Arduino-ESP32 core 3.1 or newer, and boards with an
 * nRF52840, RP2040 or RP2350; any other by -DCHIP='"..."' and -DCPU_MHZ=...
 *
 *     python -m measure build/$name --port /dev/ttyUSB0
 *
 * reads the lines, compares the answers with the library's on the computer, and prints a table. Each line is
 * a JSON object with the format's version first and a check sum last. The whole is repeated every ten seconds.
 *
 * response_us: from the moment the last sample is there to the label: the hop that the sample completes,
 * and ser_finish. The answer is asked for ANSWERS times, as asking changes nothing.
 */
#include <Arduino.h>
#if defined(ARDUINO_ARCH_ESP32)
#include <soc/soc_caps.h>
#endif
#include <ser.h>
#include <ser_line.h>

#include "clips.h"

static const uint32_t FORMAT = $benchmark_version;
static const uint32_t ANSWERS = 20; /* per clip and pass */
#if SOC_CPU_HAS_FPU || defined(__ARM_FP) || defined(__ARM_PCS_VFP)
static const uint32_t PASSES = 3;
#else
static const uint32_t PASSES = 1; /* without floating-point unit: some seconds of work a second of sound */
#endif

/* What board this is, where it cannot be asked. */
#if !defined(ARDUINO_ARCH_ESP32)
#if !defined(CHIP)
#if defined(ARDUINO_ARCH_NRF52840) || defined(NRF52840_XXAA)
#define CHIP "nRF52840"
#elif defined(PICO_RP2350)
#define CHIP "RP2350"
#elif defined(ARDUINO_ARCH_RP2040)
#define CHIP "RP2040"
#else
#error "Say which chip this is, and its clock: -DCHIP='\"...\"' -DCPU_MHZ=..."
#endif
#endif
#if !defined(CPU_MHZ)
#if defined(F_CPU)
#define CPU_MHZ (F_CPU / 1000000)
#elif defined(ARDUINO_ARCH_NRF52840) || defined(NRF52840_XXAA)
#define CPU_MHZ 64 /* it has no other */
#else
#error "Say the chip's clock: -DCPU_MHZ=..."
#endif
#endif
#endif

/* Tens of kilobytes: never on a task's stack. */
static ser_recognizer recognizer;
static ser_result result;
static Synthesis synthesis;
static int16_t block[SER_HOP];
static uint32_t all[CLIPS * PASSES * ANSWERS]; /* response times, all clips' one behind the other */
/* A clip's line has a decision's parts, with more digits, and its times; the first one names model, chip and
   compiler. */
static char text[SER_LINE_SIZE(SER_LABELS, SER_NAMES_BYTES, SER_NAMES_LONGEST) + 1024 + 6 * sizeof SER_MODEL_NAME];
static ser_line line;

/* Before the first function: the Arduino IDE puts declarations of all of them there. */
struct Cost {
    uint64_t busy_us; /* in ser_push */
    uint32_t samples;
    uint32_t worst_hop_us;
};

#if defined(ARDUINO_ARCH_ESP32)
#define STRING(x) #x
#define AS_STRING(x) STRING(x)
static const char CORE[] =
    AS_STRING(ESP_ARDUINO_VERSION_MAJOR) "." AS_STRING(ESP_ARDUINO_VERSION_MINOR) "." AS_STRING(
        ESP_ARDUINO_VERSION_PATCH
    );
#endif

static void pair(const char *name, uint32_t number)
{
    ser_line_text(&line, ", \"");
    ser_line_text(&line, name);
    ser_line_text(&line, "\": ");
    ser_line_whole(&line, number);
}

static void pair(const char *name, const char *words)
{
    ser_line_text(&line, ", \"");
    ser_line_text(&line, name);
    ser_line_text(&line, "\": ");
    ser_line_quoted(&line, words);
}

static void begin(const char *event)
{
    ser_line_begin(&line, text, sizeof text);
    ser_line_text(&line, "{\"ser_benchmark\": ");
    ser_line_whole(&line, FORMAT);
    pair("event", event);
}

/* Fletcher's check sum, mod 65535, of the characters so far goes last. */
static void end()
{
    uint32_t low = 0, high = 0;
    for (size_t i = 0; i < line.length; i++) {
        low = (low + static_cast<uint8_t>(text[i])) % 65535u;
        high = (high + low) % 65535u;
    }
    pair("check", high << 16 | low);
    ser_line_text(&line, "}");
    if (ser_line_end(&line)) {
        Serial.println(text);
    }
}

static void sort(uint32_t *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const uint32_t value = values[i];
        uint32_t j = i;
        for (; j > 0 && values[j - 1] > value; j--) {
            values[j] = values[j - 1];
        }
        values[j] = value;
    }
}

/* min, median, p99 (nearest rank) and max. Sorts the values. */
static void quantiles(uint32_t *values, uint32_t count)
{
    sort(values, count);
    ser_line_text(&line, ", \"response_us\": {\"count\": ");
    ser_line_whole(&line, count);
    pair("min", values[0]);
    pair("median", values[(count - 1) / 2]);
    pair("p99", values[(count * 99 + 99) / 100 - 1]);
    pair("max", values[count - 1]);
    ser_line_text(&line, "}");
}

static uint32_t now()
{
    return static_cast<uint32_t>(micros());
}

static void start_line()
{
    begin("start");
    pair("model", SER_MODEL_NAME);
#if defined(ARDUINO_ARCH_ESP32)
    pair("chip", ESP.getChipModel());
    pair("chip_revision", ESP.getChipRevision());
    pair("cpu_mhz", ESP.getCpuFreqMHz());
    pair("core", CORE);
    pair("idf", ESP.getSdkVersion());
#else
    pair("chip", CHIP);
    pair("cpu_mhz", static_cast<uint32_t>(CPU_MHZ));
#endif
    pair("compiler", __VERSION__);
    pair("state_bytes", static_cast<uint32_t>(sizeof recognizer));
    pair("clips", CLIPS);
    end();
}

/* One clip, all passes; its response times go to `times`. */
static Cost run(const Clip *clip, uint32_t *times)
{
    Cost cost = {0, 0, 0};
    for (uint32_t pass = 0; pass < PASSES; pass++) {
        uint32_t last = 0;
        ser_reset(&recognizer);
        synthesis_begin(&synthesis, clip);
        for (uint32_t done = 0; done < clip->samples;) {
            uint32_t count = 0;
            while (count < SER_HOP && done < clip->samples) {
                block[count++] = synthesis_sample(&synthesis);
                done++;
            }
            const uint32_t before = now();
            ser_push(&recognizer, block, count);
            last = now() - before;
            cost.busy_us += last;
            cost.worst_hop_us = last > cost.worst_hop_us ? last : cost.worst_hop_us;
            if (done / SER_HOP % 50 == 0) {
                delay(1); /* outside the timed part: the idle task must run, or the watchdog bites */
            }
        }
        cost.samples += clip->samples;
        for (uint32_t i = 0; i < ANSWERS; i++) {
            const uint32_t before = now();
            ser_finish(&recognizer, &result);
            times[pass * ANSWERS + i] = last + (now() - before);
        }
        delay(1);
    }
    return cost;
}

static uint32_t per_second(const Cost *cost)
{
    return static_cast<uint32_t>(cost->busy_us * SER_SAMPLE_RATE / cost->samples);
}

static void clip_line(const Clip *clip, uint32_t *times, const Cost *cost)
{
    begin("clip");
    pair("clip", clip->name);
    pair("label", ser_label_names[result.label]);
    ser_line_text(&line, result.speech ? ", \"speech\": true" : ", \"speech\": false");
    ser_line_text(&line, ", \"probabilities\": {");
    for (int i = 0; i < SER_LABELS; i++) {
        ser_line_text(&line, i > 0 ? ", " : "");
        ser_line_quoted(&line, ser_label_names[i]);
        ser_line_text(&line, ": ");
        ser_line_decimal(&line, result.probabilities[i], 6);
    }
    ser_line_text(&line, "}");
    quantiles(times, PASSES * ANSWERS);
    pair("busy_us_per_second", per_second(cost));
    pair("worst_hop_us", cost->worst_hop_us);
    end();
}

static void end_line(const Cost *cost)
{
    begin("end");
    quantiles(all, CLIPS * PASSES * ANSWERS);
    pair("busy_us_per_second", per_second(cost));
    pair("worst_hop_us", cost->worst_hop_us);
#if defined(ARDUINO_ARCH_ESP32)
    pair("heap_free", ESP.getFreeHeap());
    pair("heap_free_min", ESP.getMinFreeHeap());
    pair("heap_largest_block", ESP.getMaxAllocHeap());
    pair("stack_bytes", static_cast<uint32_t>(getArduinoLoopTaskStackSize()));
    pair("stack_free_min", static_cast<uint32_t>(uxTaskGetStackHighWaterMark(nullptr)));
#endif
    end();
}

void setup()
{
    Serial.begin(115200);
    ser_init(&recognizer);
}

void loop()
{
    Cost total = {0, 0, 0};
    start_line();
    for (uint32_t i = 0; i < CLIPS; i++) {
        uint32_t *times = all + i * PASSES * ANSWERS;
        const Cost cost = run(&clips[i], times);
        clip_line(&clips[i], times, &cost);
        total.busy_us += cost.busy_us;
        total.samples += cost.samples;
        total.worst_hop_us = cost.worst_hop_us > total.worst_hop_us ? cost.worst_hop_us : total.worst_hop_us;
    }
    end_line(&total);
    delay(10000);
}
