#include "ser_window.h"

ser_status ser_window_init(ser_window *window, uint32_t length)
{
    if (window == NULL || length < SER_WINDOWS) {
        return SER_BAD_ARGUMENT;
    }
    for (int i = 0; i < SER_WINDOWS; i++) {
        ser_extractor_init(&window->extractors[i]);
    }
    window->step = length / SER_WINDOWS;
    window->taken = 0;
    window->steps = 0;
    window->oldest = 0;
    window->ready = 0;
    return SER_OK;
}

/* The window just over makes room for the one that starts now. */
static void start_next(ser_window *window)
{
    window->ready = 0;
    window->taken = 0;
    if (window->steps == SER_WINDOWS) {
        ser_extractor_reset(&window->extractors[window->oldest]);
        window->oldest = (uint8_t)((window->oldest + 1) % SER_WINDOWS);
        window->steps--;
    }
}

size_t ser_window_push(ser_window *window, const int16_t *pcm, size_t count)
{
    if (window == NULL || pcm == NULL || count == 0) {
        return 0;
    }
    if (window->taken == window->step) {
        start_next(window);
    }
    const size_t missing = window->step - window->taken;
    const size_t used = count < missing ? count : missing;
    /* Extractors that have started: the oldest and one more for every step since. */
    for (uint32_t i = 0; i <= window->steps && i < SER_WINDOWS; i++) {
        ser_extractor_push(&window->extractors[(window->oldest + i) % SER_WINDOWS], pcm, used);
    }
    window->taken += (uint32_t)used;
    if (window->taken == window->step) {
        window->steps++;
        window->ready = window->steps == SER_WINDOWS;
    }
    return used;
}

int ser_window_finish(ser_window *window, ser_summary *summary, float *features)
{
    if (window == NULL || !window->ready) {
        return 0;
    }
    window->ready = 0;
    return ser_extractor_finish(&window->extractors[window->oldest], summary, features) == SER_OK;
}
