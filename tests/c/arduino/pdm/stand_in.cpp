/* The behaviour of a board with Arduino's library PDM on a computer: int16 samples on standard input, a buffer of 256
 * whenever the sketch waits, as interrupts come. As the library, it stops where a buffer was not read whole by then.
 * Told by the environment:
 *   PDM_REFUSE   begin() fails so many times
 *   PDM_DRY      so many buffers never come, each two seconds by the clock
 *   PDM_BURST    the buffer of that number comes with 47 more, without a wait between them
 *   CLOCK_US     what the clock shows at the start; it is 32 bits wide
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "PDM.h"

HardwareSerial Serial;
PDMClass PDM;

static uint64_t clock_us = 0;
static bool running = false;
static void (*on_receive)(void) = nullptr;
static int16_t buffer[256];
static size_t filled = 0, used = 0;

static long environment(const char *name, long otherwise)
{
    const char *value = std::getenv(name);
    return value == nullptr ? otherwise : std::strtol(value, nullptr, 10);
}

unsigned long micros() { return static_cast<uint32_t>(clock_us); }
unsigned long millis() { return static_cast<uint32_t>(clock_us / 1000); }

static void deliver()
{
    if (used < filled) {
        std::fprintf(stderr, "stopped: a buffer was not read\n");
        running = false;
        return;
    }
    filled = sizeof *buffer * std::fread(buffer, sizeof *buffer, 256, stdin);
    used = 0;
    clock_us += 16000;
    if (filled == 0) {
        std::fflush(stdout);
        std::exit(0);
    }
    on_receive();
}

void delay(uint32_t milliseconds)
{
    static long dry = environment("PDM_DRY", 0), number = 0;
    static const long burst = environment("PDM_BURST", -1);
    clock_us += 1000 * (milliseconds > 1 ? milliseconds : 0);
    if (!running || dry-- > 0) {
        clock_us += 2000000;
        return;
    }
    for (long i = number++ == burst ? 48 : 1; i > 0; i--) {
        deliver();
    }
}

int PDMClass::begin(int channels, int rate)
{
    static long refuse = environment("PDM_REFUSE", 0);
    std::fprintf(stderr, "pdm %d %d\n", channels, rate);
    running = refuse-- <= 0;
    return running;
}

void PDMClass::end() { running = false; }
int PDMClass::available() { return static_cast<int>(filled - used); }

int PDMClass::read(void *to, size_t size)
{
    const size_t count = size < filled - used ? size : filled - used;
    std::memcpy(to, reinterpret_cast<const char *>(buffer) + used, count);
    used += count;
    return static_cast<int>(count);
}

void PDMClass::onReceive(void (*function)(void)) { on_receive = function; }
void PDMClass::setGain(int gain) { std::fprintf(stderr, "gain %d\n", gain); }
void PDMClass::setBufferSize(int) {}

void HardwareSerial::begin(unsigned long) {}
size_t HardwareSerial::print(const char *text) { return static_cast<size_t>(std::printf("%s", text)); }
size_t HardwareSerial::println(const char *text) { return static_cast<size_t>(std::printf("%s\r\n", text)); }

int main()
{
    clock_us = static_cast<uint64_t>(environment("CLOCK_US", 0));
    setup();
    for (;;) {
        loop();
    }
}
