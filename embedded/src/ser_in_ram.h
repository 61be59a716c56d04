/*
 * What a hop executes and reads, kept in RAM on chips whose flash makes it wait: a hop's code and tables, 50 KB with
 * the model's own left where they are, are more than their caches hold, and so are fetched anew a hundred times a second.
 *
 *   SER_IN_RAM static uint32_t take_some(...)                   a function that every hop runs
 *   const int32_t SER_TABLE_IN_RAM(ser_turns)[256] = {...};     a table that it reads; the name becomes its section's
 *
 * Where they go is the core's own place for such things, which its start-up code fills from the flash:
 *
 *   RP2040, RP2350   both, unless SER_HOT_IN_RAM is 0: .time_critical
 *   nRF52840         the tables, unless SER_HOT_IN_RAM is 0: .data. Its cache holds code alone; code in RAM may be forbidden (Mbed OS)
 *   ESP32 family     both, if SER_HOT_IN_RAM is 1 (python -m codegen --hot-in-ram): .iram1, .dram1. Not by itself: a program
 *                    with Wi-Fi and Bluetooth may leave too little room
 *
 * Bits of no answer depend on it.
 */
#ifndef SER_IN_RAM_H
#define SER_IN_RAM_H

#include "ser_config.h"

#if defined(ARDUINO_ARCH_RP2040)
#ifndef SER_HOT_IN_RAM
#define SER_HOT_IN_RAM 1
#endif
#define SER_CODE_PLACE ".time_critical.ser"
#define SER_TABLE_PLACE ".time_critical.rodata." /* apart from code, or GCC complains */
#elif defined(ARDUINO_ARCH_NRF52840) || defined(NRF52840_XXAA)
#ifndef SER_HOT_IN_RAM
#define SER_HOT_IN_RAM 1
#endif
#define SER_TABLE_PLACE ".data."
#elif defined(ESP_PLATFORM)
#define SER_CODE_PLACE ".iram1.ser"
#define SER_TABLE_PLACE ".dram1."
#endif

#ifndef SER_HOT_IN_RAM
#define SER_HOT_IN_RAM 0
#endif

#if SER_HOT_IN_RAM && defined(SER_CODE_PLACE)
#define SER_IN_RAM __attribute__((section(SER_CODE_PLACE)))
#else
#define SER_IN_RAM
#endif
#if SER_HOT_IN_RAM && defined(SER_TABLE_PLACE)
#define SER_TABLE_IN_RAM(name) __attribute__((section(SER_TABLE_PLACE #name))) name
#else
#define SER_TABLE_IN_RAM(name) name
#endif

#endif
