/* Declarations of what the sketches use of Arduino's language, and with ARDUINO_ARCH_ESP32 of Arduino-ESP32 core 3.x
 * and its FreeRTOS; behind them, in stand_in.cpp, as much behaviour as a test on a computer needs. A stand-in: no
 * code of Espressif's or FreeRTOS', and no proof that a board does the same. What the signatures were read from:
 *
 *   ESP_I2S.h                 libraries/ESP_I2S/src/ESP_I2S.h of Arduino-ESP32 3.1 (commit 66424270); its end() and
 *                             begin() behave as those of ESP_I2S.cpp (commit 0ce6c950)
 *   driver/i2s_common.h       ESP-IDF 5.3 (commit 0cb4bdc5): callbacks, states in which a call is allowed
 *   soc/soc_caps.h            ESP-IDF 5.3, components/soc/<chip>/include
 *   PDM.h                     ArduinoCore-mbed 4 (commit 0569965b); the nRF52 core of Adafruit (commit 00d0801c) and
 *                             arduino-pico (commit 064dd479) have the same, but for begin's second type
 *   the rest                  docs.espressif.com/projects/arduino-esp32 (API) and /esp-idf (FreeRTOS (IDF): stack
 *                             sizes in bytes, StackType_t a byte); docs.arduino.cc/language-reference
 */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(ARDUINO_ARCH_ESP32)
#define ESP_ARDUINO_VERSION_MAJOR 3
#define ESP_ARDUINO_VERSION_MINOR 1
#define ESP_ARDUINO_VERSION_PATCH 0
#include "soc/soc_caps.h"
#endif

/* Names that Arduino's language reference takes as macros: whoever uses one for something else breaks. */
#define PI 3.1415926535897932384626433832795
#define EULER 2.718281828459045235360287471352
#define HIGH 1
#define LOW 0
#define INPUT 1
#define OUTPUT 3
#define INPUT_PULLUP 5
#define DEFAULT 1
#define SERIAL 0
#define DISPLAY 1
#define sq(x) ((x) * (x))
#define bit(b) (1UL << (b))
#define lowByte(w) ((w) & 0xff)
#define highByte(w) ((w) >> 8)
#define constrain(x, low, high) ((x) < (low) ? (low) : ((x) > (high) ? (high) : (x)))
#define radians(deg) ((deg) * 0.0174532925)
#define degrees(rad) ((rad) * 57.295779513)
#define word(...) makeWord(__VA_ARGS__)
#define interrupts() (void)0
#define F(text) (text)
typedef bool boolean;
typedef uint8_t byte;
void init();
long map(long x, long from_low, long from_high, long to_low, long to_high);
long random(long most);
void tone(uint8_t pin, unsigned int frequency, unsigned long duration = 0);

unsigned long millis();
unsigned long micros();
void delay(uint32_t milliseconds);
void pinMode(uint8_t pin, uint8_t mode);
int digitalRead(uint8_t pin);
class String {
public:
    String(const char *text = "");
    String(const String &other);
    ~String();
    String &operator=(const String &) = delete;
    const char *c_str() const { return text; }
    unsigned int length() const;

private:
    char *text;
};

class HardwareSerial {
public:
    void begin(unsigned long baud);
#if defined(ARDUINO_ARCH_ESP32)
    size_t setTxBufferSize(size_t size);
#endif
    size_t print(const char *text);
    size_t println(const char *text);
    size_t write(const uint8_t *bytes, size_t count);
    int available();
    int read();
};
extern HardwareSerial Serial;

#if defined(ARDUINO_ARCH_ESP32)

#define IRAM_ATTR
#define ESP_OK 0
typedef int esp_err_t;

size_t getArduinoLoopTaskStackSize();
uint32_t esp_random();
void *ps_malloc(size_t size);
void rgbLedWrite(uint8_t pin, uint8_t red, uint8_t green, uint8_t blue);

class EspClass {
public:
    const char *getChipModel();
    uint16_t getChipRevision();
    uint32_t getCpuFreqMHz();
    const char *getSdkVersion();
    uint32_t getFreeHeap();
    uint32_t getMinFreeHeap();
    uint32_t getMaxAllocHeap();
    void restart();
};
extern EspClass ESP;

/* --- FreeRTOS ------------------------------------------------------------------------------- */

typedef int BaseType_t;
typedef unsigned int UBaseType_t;
typedef uint32_t TickType_t;
typedef uint8_t StackType_t;
typedef void (*TaskFunction_t)(void *);
typedef struct tskTaskControlBlock *TaskHandle_t;
typedef struct QueueDefinition *QueueHandle_t;
typedef struct {
    void *opaque[24];
} StaticTask_t;
typedef struct {
    void *opaque[24];
} StaticQueue_t;

#define pdTRUE (static_cast<BaseType_t>(1))
#define pdFALSE (static_cast<BaseType_t>(0))
#define portMAX_DELAY (static_cast<TickType_t>(0xffffffffu))
#define pdMS_TO_TICKS(milliseconds) (static_cast<TickType_t>(milliseconds))
#define portNUM_PROCESSORS SOC_CPU_CORES_NUM

QueueHandle_t xQueueCreateStatic(
    UBaseType_t length, UBaseType_t item_size, uint8_t *storage, StaticQueue_t *queue
);
BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t ticks);
BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks);
UBaseType_t uxQueueMessagesWaiting(QueueHandle_t queue);
TaskHandle_t xTaskCreateStaticPinnedToCore(
    TaskFunction_t code, const char *name, uint32_t stack_bytes, void *parameter, UBaseType_t priority,
    StackType_t *stack, StaticTask_t *task, BaseType_t core
);
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task);
void vTaskDelay(TickType_t ticks);

#endif

void setup();
void loop();

#endif
