/*
 * The board: what its chip can do decides, not what it is called; names only choose pins.
 *
 * Capabilities are the chip's own (ESP-IDF's soc_caps.h): SOC_CPU_HAS_FPU, SOC_I2S_SUPPORTED, SOC_I2S_SUPPORTS_PDM_RX,
 * SOC_WIFI_SUPPORTED. Everything that is defined here may also be a -D of the build.
 */
#ifndef BOARD_H
#define BOARD_H

#include <Arduino.h>

#if !defined(ARDUINO_ARCH_ESP32)
#error "This sketch is for chips of the ESP32 family; for other boards' PDM microphones there is MicrophonePDM."
#endif

#include <soc/soc_caps.h>

#if !SOC_I2S_SUPPORTED
#error "This chip has no I2S port, and so no way to hear a microphone."
#endif

/* MICROPHONE_PDM: 1 for a PDM microphone (clock and data), 0 for an I2S one (SCK, WS, SD). BOOT_BUTTON: a pin that
   is low while its button is held; -1: there is none. */

/* Boards with a PDM microphone on them. */
#if !defined(MICROPHONE_PDM) && !defined(MICROPHONE_SCK)
#if defined(ARDUINO_XIAO_ESP32S3) /* the Sense; a plain XIAO has no microphone: -DMICROPHONE_PDM=0 and an INMP441 */
#define MICROPHONE_PDM 1
#define MICROPHONE_CLOCK 42
#define MICROPHONE_DATA 41
#elif defined(ARDUINO_M5STACK_STICKC) || defined(ARDUINO_M5STACK_STICKC_PLUS) || \
    defined(ARDUINO_M5STACK_STICKC_PLUS2) || defined(ARDUINO_M5Stick_C) || defined(ARDUINO_M5Stick_C_Plus)
#define MICROPHONE_PDM 1
#define MICROPHONE_CLOCK 0 /* where other boards have their button */
#define MICROPHONE_DATA 34
#ifndef BOOT_BUTTON
#define BOOT_BUTTON 37
#endif
#elif defined(ARDUINO_M5STACK_CORE2) || defined(ARDUINO_M5STACK_Core2)
#define MICROPHONE_PDM 1
#define MICROPHONE_CLOCK 0
#define MICROPHONE_DATA 34
#ifndef BOOT_BUTTON
#define BOOT_BUTTON -1
#endif
#elif defined(ARDUINO_M5STACK_ATOM) || defined(ARDUINO_M5Stack_ATOM) /* the Echo */
#define MICROPHONE_PDM 1
#define MICROPHONE_CLOCK 33
#define MICROPHONE_DATA 23
#ifndef BOOT_BUTTON
#define BOOT_BUTTON 39
#endif
#elif defined(ARDUINO_M5STACK_CARDPUTER)
#define MICROPHONE_PDM 1
#define MICROPHONE_CLOCK 43
#define MICROPHONE_DATA 46
#endif
#endif
#ifndef MICROPHONE_PDM
#define MICROPHONE_PDM 0
#endif

#if MICROPHONE_PDM
#if !SOC_I2S_SUPPORTS_PDM_RX
#error "This chip cannot read a PDM microphone (an ESP32, S3 or P4 can): take an I2S one, and -DMICROPHONE_PDM=0."
#endif
#if !defined(MICROPHONE_CLOCK) || !defined(MICROPHONE_DATA)
#error "Say which pins the PDM microphone is at: MICROPHONE_CLOCK, MICROPHONE_DATA"
#endif
#else
/* Three free pins of each family's development boards. */
#if !defined(MICROPHONE_SCK)
#if CONFIG_IDF_TARGET_ESP32
#define MICROPHONE_SCK 26
#define MICROPHONE_WS 25
#define MICROPHONE_SD 33
#elif CONFIG_IDF_TARGET_ESP32S3 || CONFIG_IDF_TARGET_ESP32C3 || CONFIG_IDF_TARGET_ESP32S2
#define MICROPHONE_SCK 4
#define MICROPHONE_WS 5
#define MICROPHONE_SD 6
#elif CONFIG_IDF_TARGET_ESP32C6
#define MICROPHONE_SCK 18
#define MICROPHONE_WS 19
#define MICROPHONE_SD 20
#elif CONFIG_IDF_TARGET_ESP32H2
#define MICROPHONE_SCK 10
#define MICROPHONE_WS 11
#define MICROPHONE_SD 12
#elif CONFIG_IDF_TARGET_ESP32P4
#define MICROPHONE_SCK 20
#define MICROPHONE_WS 21
#define MICROPHONE_SD 22
#endif
#endif
#if !defined(MICROPHONE_SCK) || !defined(MICROPHONE_WS) || !defined(MICROPHONE_SD)
#error "Say which pins the microphone is at: MICROPHONE_SCK, MICROPHONE_WS, MICROPHONE_SD"
#endif
#endif

#ifndef BOOT_BUTTON
#if CONFIG_IDF_TARGET_ESP32C3 || CONFIG_IDF_TARGET_ESP32C6 || CONFIG_IDF_TARGET_ESP32H2
#define BOOT_BUTTON 9
#elif CONFIG_IDF_TARGET_ESP32P4
#define BOOT_BUTTON 35
#else
#define BOOT_BUTTON 0
#endif
#endif

static inline bool button_held()
{
#if BOOT_BUTTON < 0
    return false;
#else
    return digitalRead(BOOT_BUTTON) == LOW;
#endif
}

static inline void start_button()
{
#if BOOT_BUTTON >= 0
    pinMode(BOOT_BUTTON, INPUT_PULLUP);
#endif
}

#endif
