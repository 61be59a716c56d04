/* Declarations of what the sketches use of Arduino-ESP32 core 3.x and its FreeRTOS, taken from their
 * documentation; behind them, in stand_in.cpp, as much behaviour as a test on a computer needs. A stand-in: no
 * code of Espressif's or FreeRTOS', and no proof that a board does the same.
 *
 *   docs.espressif.com/projects/arduino-esp32  (API; ESP_I2S: "I2S")
 *   docs.espressif.com/projects/esp-idf        (FreeRTOS (IDF): stack sizes in bytes, StackType_t a byte)
 */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ESP_ARDUINO_VERSION_VAL(major, minor, patch) ((major) << 16 | (minor) << 8 | (patch))
#define ESP_ARDUINO_VERSION ESP_ARDUINO_VERSION_VAL(3, 1, 0)

unsigned long millis();
unsigned long micros();
void delay(uint32_t milliseconds);
size_t getArduinoLoopTaskStackSize();
void rgbLedWrite(uint8_t pin, uint8_t red, uint8_t green, uint8_t blue);

class HardwareSerial {
public:
    void begin(unsigned long baud);
    size_t setTxBufferSize(size_t size);
    size_t println(const char *text);
};
extern HardwareSerial Serial;

class EspClass {
public:
    const char *getChipModel();
    uint16_t getChipRevision();
    uint32_t getCpuFreqMHz();
    const char *getCoreVersion();
    const char *getSdkVersion();
    uint32_t getFreeHeap();
    uint32_t getMinFreeHeap();
    uint32_t getMaxAllocHeap();
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
#if CONFIG_IDF_TARGET_ESP32C3
#define portNUM_PROCESSORS 1
#else
#define portNUM_PROCESSORS 2
#endif

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

void setup();
void loop();

#endif
