/* The stand-in's behaviour on a computer. Tasks are threads; the I2S port delivers what comes on standard input:
 * 32-bit slots, left and right, or int16 samples. Told by the environment:
 *   I2S_CHUNK     at most so many bytes a read (default: as many as asked for)
 *   STALL         the taker of the queue's item of that number sleeps until three items found no place
 *   I2S_REFUSE    begin() fails so many times, by I2S_STAGE: 0 no channel is free, 1 its mode is refused (the channel
 *                 stays, and never ran), 2 its pins are (it stays, and runs)
 *   I2S_DRY       the first so many reads bring nothing
 *   I2S_OVERFLOW  before the read of that number, the DMA has overwritten three of its buffers, 240 frames each
 *   CLOCK_US      what the clock shows at the start (default 0); it is 32 bits wide, as a chip's
 *   SILENCE_US    each printed line that tells of silence takes so much longer, by the clock
 *   NO_PSRAM      so many times there is none
 *   HOP_US        each ser_push takes so much longer, by the clock (see harness: the program is linked so)
 *   RESTS         1: the longest that the recogniser went without waiting is told at the end
 * Reading waits while the queue is half full, so that the computer's speed does not matter.
 *   LOOPS         how often loop() is called (default: for ever)
 *   BUTTON        1: the BOOT button is held
 *   SERIAL_IN     what is typed into the serial monitor
 *   LINGER        milliseconds between the sound's end and the program's (default 0)
 */
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

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

static std::atomic<uint64_t> worked_us{0}; /* what hops took by the clock */

static uint64_t now_us()
{
    static const uint64_t begun = std::strtoull(std::getenv("CLOCK_US") ? std::getenv("CLOCK_US") : "0", nullptr, 10);
    const auto passed = std::chrono::steady_clock::now() - START;
    return begun + worked_us +
           static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(passed).count());
}

/* unsigned long is 32 bits wide on the chips */
unsigned long micros() { return static_cast<uint32_t>(now_us()); }
unsigned long millis() { return static_cast<uint32_t>(now_us() / 1000); }

/* --- rests: a task that waits lets the idle task run ------------------------------------------ */

/* Of the recogniser's task: the only one that works for long, and whose work moves the clock. */
static thread_local bool recognises = false;
static thread_local uint64_t awake_since = 0;
static std::atomic<uint64_t> longest_awake{0};

static void rest_begins()
{
    if (recognises && now_us() - awake_since > longest_awake) {
        longest_awake = now_us() - awake_since;
    }
}

static void rest_ends() { awake_since = now_us(); }

extern "C" {
int __real_ser_push(void *recognizer, const int16_t *pcm, size_t count);
int __wrap_ser_push(void *recognizer, const int16_t *pcm, size_t count)
{
    static const long hop = environment("HOP_US", 0);
    recognises = true;
    worked_us += static_cast<uint64_t>(hop);
    return __real_ser_push(recognizer, pcm, count);
}
}

static void tell_rests()
{
    if (environment("RESTS", 0)) {
        std::fprintf(stderr, "awake %llu ms\n", static_cast<unsigned long long>(longest_awake / 1000));
    }
}

void delay(uint32_t) {} /* a test has no time */
size_t getArduinoLoopTaskStackSize() { return 8192; }

void rgbLedWrite(uint8_t, uint8_t red, uint8_t green, uint8_t blue)
{
    std::fprintf(stderr, "led %d %d %d\n", red, green, blue);
}

void pinMode(uint8_t, uint8_t) {}
int digitalRead(uint8_t) { return environment("BUTTON", 0) ? LOW : HIGH; }

void *ps_malloc(size_t size)
{
    static long none = environment("NO_PSRAM", 0);
    return none-- > 0 ? nullptr : std::malloc(size);
}

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

size_t HardwareSerial::print(const char *text)
{
    return static_cast<size_t>(std::printf("%s", text));
}

size_t HardwareSerial::println(const char *text)
{
    if (std::strstr(text, "listening") != nullptr) {
        worked_us += std::strtoull(std::getenv("SILENCE_US") ? std::getenv("SILENCE_US") : "0", nullptr, 10);
    }
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
    const bool waits = queue->count == 0;
    if (waits) {
        rest_begins();
    }
    /* twenty times faster: a test has no time */
    const bool there = changed.wait_for(
        hold, std::chrono::microseconds(50L * ticks), [queue] { return queue->count > 0; }
    );
    queue->hungry = false;
    if (waits) {
        rest_ends();
    }
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
    if (ticks > 1) { /* one tick may end at once */
        rest_begins();
        rest_ends();
    }
    while (ticks == portMAX_DELAY) {
        std::this_thread::sleep_for(std::chrono::hours(1));
    }
}

/* --- I2S ------------------------------------------------------------------------------------ */

/* A channel of ESP-IDF's driver, of which a chip with one port has one. */
struct i2s_channel_obj_t {
    enum { REGISTERED, READY, RUNNING } state;
    i2s_event_callbacks_t events;
    void *user;
    size_t frame;
};
static i2s_channel_obj_t *only_channel = nullptr;

static void only_if(bool right, const char *what)
{
    if (!right) {
        std::fprintf(stderr, "wrong use of the driver: %s\n", what);
        std::abort();
    }
}

esp_err_t i2s_del_channel(i2s_chan_handle_t channel)
{
    only_if(channel == only_channel, "a channel that is not there is deleted");
    only_if(channel->state != i2s_channel_obj_t::RUNNING, "a running channel is deleted");
    delete channel;
    only_channel = nullptr;
    return ESP_OK;
}

esp_err_t i2s_channel_enable(i2s_chan_handle_t channel)
{
    only_if(channel == only_channel, "a channel that is not there is enabled");
    if (channel->state != i2s_channel_obj_t::READY) {
        return 0x103;
    }
    channel->state = i2s_channel_obj_t::RUNNING;
    return ESP_OK;
}

esp_err_t i2s_channel_disable(i2s_chan_handle_t channel)
{
    only_if(channel == only_channel, "a channel that is not there is disabled");
    if (channel->state != i2s_channel_obj_t::RUNNING) {
        return 0x103;
    }
    channel->state = i2s_channel_obj_t::READY;
    return ESP_OK;
}

esp_err_t i2s_channel_register_event_callback(
    i2s_chan_handle_t channel, const i2s_event_callbacks_t *events, void *user
)
{
    if (channel->state == i2s_channel_obj_t::RUNNING) {
        return 0x103;
    }
    channel->events = *events;
    channel->user = user;
    return ESP_OK;
}

I2SClass::I2SClass() : rx_chan(nullptr) {}
I2SClass::~I2SClass() {}
i2s_chan_handle_t I2SClass::rxChan() { return rx_chan; }

void I2SClass::setPins(int8_t bclk, int8_t ws, int8_t dout, int8_t din, int8_t)
{
    std::fprintf(stderr, "pins %d %d %d %d\n", bclk, ws, dout, din);
}

#if SOC_I2S_SUPPORTS_PDM_RX
void I2SClass::setPinsPdmRx(int8_t clk, int8_t din0, int8_t, int8_t, int8_t)
{
    std::fprintf(stderr, "pdm pins %d %d\n", clk, din0);
}
#endif

bool I2SClass::begin(i2s_mode_t mode, uint32_t rate, i2s_data_bit_width_t bits, i2s_slot_mode_t slots, int8_t)
{
    static long refuse = environment("I2S_REFUSE", 0);
    static const long stage = environment("I2S_STAGE", 0);
    const bool refused = refuse-- > 0;
    std::fprintf(stderr, "i2s %d %u %d %d\n", mode, static_cast<unsigned>(rate), bits, slots);
    if (only_channel != nullptr || (refused && stage == 0)) {
        return false; /* no free channel */
    }
    const size_t frame = static_cast<size_t>(bits) / 8 * static_cast<size_t>(slots);
    rx_chan = only_channel = new i2s_channel_obj_t{i2s_channel_obj_t::REGISTERED, {}, nullptr, frame};
    if (refused && stage == 1) {
        return false;
    }
    only_channel->state = i2s_channel_obj_t::RUNNING;
    return !refused;
}

bool I2SClass::end()
{
    if (rx_chan != nullptr) {
        if (i2s_channel_disable(rx_chan) != ESP_OK || i2s_del_channel(rx_chan) != ESP_OK) {
            return false;
        }
        rx_chan = nullptr;
    }
    return true;
}

size_t I2SClass::readBytes(char *buffer, size_t size)
{
    static const long chunk = environment("I2S_CHUNK", 0), overflow = environment("I2S_OVERFLOW", -1);
    static long dry = environment("I2S_DRY", 0), reads = 0;
    only_if(rx_chan == only_channel && rx_chan->state == i2s_channel_obj_t::RUNNING, "read of a port that stands");
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
    if (reads++ == overflow) {
        std::vector<char> buffer_of_dma(240 * rx_chan->frame);
        i2s_event_data_t event = {nullptr, buffer_of_dma.data(), buffer_of_dma.size()};
        for (int i = 0; i < 3 && rx_chan->events.on_recv_q_ovf != nullptr; i++) {
            if (std::fread(buffer_of_dma.data(), 1, event.size, stdin) == event.size) {
                rx_chan->events.on_recv_q_ovf(rx_chan, &event, rx_chan->user);
            }
        }
    }
    const size_t most = chunk > 0 && static_cast<size_t>(chunk) < size ? static_cast<size_t>(chunk) : size;
    const size_t count = std::fread(buffer, 1, most, stdin);
    if (count == 0) { /* the recogniser does what is left, and the program ends */
        std::unique_lock<std::mutex> hold(lock);
        changed.wait(hold, [] { return sound().count == 0 && sound().hungry; });
        hold.unlock();
        std::this_thread::sleep_for(std::chrono::milliseconds(environment("LINGER", 0)));
        tell_rests();
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
