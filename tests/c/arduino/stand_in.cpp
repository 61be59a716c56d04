/* The stand-in's behaviour on a computer. Tasks are threads; the I2S port delivers what comes on standard input:
 * 32-bit slots, left and right. Told by the environment:
 *   I2S_CHUNK     at most so many bytes a read (default: as many as asked for)
 *   STALL         the taker of the queue's item of that number sleeps until three items found no place
 *   I2S_REFUSE    begin() fails so many times
 *   I2S_DRY       the first so many reads bring nothing
 * Reading waits while the queue is half full, so that the computer's speed does not matter.
 *   LOOPS         how often loop() is called (default: for ever)
 *   BUTTON        1: the BOOT button is held
 *   SERIAL_IN     what is typed into the serial monitor
 *   LINGER        milliseconds between the sound's end and the program's (default 0)
 */
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "ESP_I2S.h" /* last: it brings Arduino's macros */

HardwareSerial Serial;
EspClass ESP;

static std::mutex lock;
static std::condition_variable changed;
static const auto START = std::chrono::steady_clock::now();

static long environment(const char *name, long otherwise)
{
    const char *value = std::getenv(name);
    return value == nullptr ? otherwise : std::strtol(value, nullptr, 10);
}

unsigned long micros()
{
    const auto passed = std::chrono::steady_clock::now() - START;
    return static_cast<unsigned long>(
        std::chrono::duration_cast<std::chrono::microseconds>(passed).count()
    );
}

unsigned long millis() { return micros() / 1000; }
void delay(uint32_t) {} /* a test has no time */
size_t getArduinoLoopTaskStackSize() { return 8192; }

void rgbLedWrite(uint8_t, uint8_t red, uint8_t green, uint8_t blue)
{
    std::fprintf(stderr, "led %d %d %d\n", red, green, blue);
}

void pinMode(uint8_t, uint8_t) {}
int digitalRead(uint8_t) { return environment("BUTTON", 0) ? LOW : HIGH; }

uint32_t esp_random()
{
    static uint32_t state = 12345;
    state = state * 1664525u + 1013904223u;
    return state;
}

String::String(const char *from) : text(strdup(from)) {}
String::String(const String &other) : text(strdup(other.text)) {}
String::~String() { std::free(text); }
unsigned int String::length() const { return static_cast<unsigned int>(std::strlen(text)); }

void HardwareSerial::begin(unsigned long) {}
size_t HardwareSerial::setTxBufferSize(size_t size) { return size; }

size_t HardwareSerial::println(const char *text)
{
    const int count = std::printf("%s\r\n", text);
    std::fflush(stdout);
    return static_cast<size_t>(count);
}

size_t HardwareSerial::write(const uint8_t *bytes, size_t count)
{
    const size_t written = std::fwrite(bytes, 1, count, stdout);
    std::fflush(stdout);
    return written;
}

static const char *typed()
{
    static const char *rest = std::getenv("SERIAL_IN");
    return rest == nullptr ? rest = "" : rest;
}

static size_t typed_so_far = 0;

int HardwareSerial::available() { return static_cast<int>(std::strlen(typed() + typed_so_far)); }
int HardwareSerial::read() { return available() > 0 ? typed()[typed_so_far++] : -1; }

const char *EspClass::getChipModel() { return "stand-in"; }
uint16_t EspClass::getChipRevision() { return 301; }
uint32_t EspClass::getCpuFreqMHz() { return 240; }
const char *EspClass::getSdkVersion() { return "v5.3"; }
uint32_t EspClass::getFreeHeap() { return 200000; }
uint32_t EspClass::getMinFreeHeap() { return 190000; }
uint32_t EspClass::getMaxAllocHeap() { return 110000; }

void EspClass::restart()
{
    std::fprintf(stderr, "restart\n");
    std::fflush(stdout);
    std::_Exit(0);
}

/* --- FreeRTOS ------------------------------------------------------------------------------- */

struct QueueDefinition {
    uint8_t *storage;
    size_t length, item_size, first, count;
    bool hungry;  /* somebody waits for an item */
    bool stalled; /* see STALL */
    long taken, refused;
};
static QueueDefinition queues[3];
static size_t made = 0;

/* The sound's queue is a sketch's largest, that of sentences its shortest. */
static QueueDefinition &sound()
{
    QueueDefinition *found = queues;
    for (size_t i = 1; i < made; i++) {
        found = queues[i].length * queues[i].item_size > found->length * found->item_size ? &queues[i] : found;
    }
    return *found;
}

unsigned long sentences_taken()
{
    const std::lock_guard<std::mutex> hold(lock);
    const QueueDefinition *found = queues;
    for (size_t i = 1; i < made; i++) {
        found = queues[i].length < found->length ? &queues[i] : found;
    }
    return static_cast<unsigned long>(found->taken);
}

QueueHandle_t xQueueCreateStatic(
    UBaseType_t length, UBaseType_t item_size, uint8_t *storage, StaticQueue_t *
)
{
    const std::lock_guard<std::mutex> hold(lock);
    queues[made] = QueueDefinition{storage, length, item_size, 0, 0, false, false, 0, 0};
    return &queues[made++];
}

BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t)
{
    const std::lock_guard<std::mutex> hold(lock);
    if (queue->count == queue->length) {
        queue->refused++;
        changed.notify_all();
        return pdFALSE;
    }
    const size_t place = (queue->first + queue->count) % queue->length;
    memcpy(queue->storage + place * queue->item_size, item, queue->item_size);
    queue->count++;
    changed.notify_all();
    return pdTRUE;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks)
{
    static const long stall = environment("STALL", -1);
    std::unique_lock<std::mutex> hold(lock);
    if (queue == &sound() && queue->taken++ == stall) {
        queue->stalled = true;
        changed.notify_all();
        changed.wait(hold, [queue] { return queue->refused >= 3; });
        queue->stalled = false;
    }
    queue->hungry = true;
    changed.notify_all();
    /* a hundred times faster: a test has no time */
    const bool there = changed.wait_for(
        hold, std::chrono::microseconds(10L * ticks), [queue] { return queue->count > 0; }
    );
    queue->hungry = false;
    if (!there) {
        return pdFALSE;
    }
    memcpy(item, queue->storage + queue->first * queue->item_size, queue->item_size);
    queue->first = (queue->first + 1) % queue->length;
    queue->count--;
    queue->taken += queue == &sound() ? 0 : 1;
    changed.notify_all();
    return pdTRUE;
}

UBaseType_t uxQueueMessagesWaiting(QueueHandle_t queue)
{
    const std::lock_guard<std::mutex> hold(lock);
    return static_cast<UBaseType_t>(queue->count);
}

TaskHandle_t xTaskCreateStaticPinnedToCore(
    TaskFunction_t code, const char *, uint32_t, void *parameter, UBaseType_t, StackType_t *,
    StaticTask_t *task, BaseType_t core
)
{
    if (core < 0 || core >= portNUM_PROCESSORS) {
        std::fprintf(stderr, "no core %d\n", core);
        std::abort();
    }
    std::thread(code, parameter).detach();
    return reinterpret_cast<TaskHandle_t>(task);
}

UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t) { return 5000; }

void vTaskDelay(TickType_t ticks)
{
    while (ticks == portMAX_DELAY) {
        std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

/* --- I2S ------------------------------------------------------------------------------------ */

void I2SClass::setPins(int8_t bclk, int8_t ws, int8_t dout, int8_t din, int8_t)
{
    std::fprintf(stderr, "pins %d %d %d %d\n", bclk, ws, dout, din);
}

bool I2SClass::begin(i2s_mode_t mode, uint32_t rate, i2s_data_bit_width_t bits, i2s_slot_mode_t slots, int8_t)
{
    static long refuse = environment("I2S_REFUSE", 0);
    std::fprintf(stderr, "i2s %d %u %d %d\n", mode, static_cast<unsigned>(rate), bits, slots);
    return refuse-- <= 0;
}

size_t I2SClass::readBytes(char *buffer, size_t size)
{
    static const long chunk = environment("I2S_CHUNK", 0);
    static long dry = environment("I2S_DRY", 0);
    if (dry-- > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return 0;
    }
    {
        std::unique_lock<std::mutex> hold(lock);
        changed.wait(hold, [] {
            return sound().count <= sound().length / 2 || (sound().stalled && sound().refused < 3);
        });
    }
    const size_t most = chunk > 0 && static_cast<size_t>(chunk) < size ? static_cast<size_t>(chunk) : size;
    const size_t count = std::fread(buffer, 1, most, stdin);
    if (count == 0) { /* the recogniser does what is left, and the program ends */
        std::unique_lock<std::mutex> hold(lock);
        changed.wait(hold, [] { return sound().count == 0 && sound().hungry; });
        hold.unlock();
        std::this_thread::sleep_for(std::chrono::milliseconds(environment("LINGER", 0)));
        std::fflush(stdout);
        std::_Exit(0);
    }
    return count;
}

int main()
{
    setup();
    for (long left = environment("LOOPS", -1); left != 0; left--) {
        loop();
    }
    return 0;
}
