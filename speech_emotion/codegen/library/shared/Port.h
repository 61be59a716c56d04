/*
 * The microphone's port on a chip of the ESP32 family: an I2S or a PDM microphone at the I2S port. It is opened, its
 * bytes become blocks, and what it loses is counted.
 *
 * What includes this calls start_port() until it says that the port is open, and read_port() in a task of its own; it
 * has the two functions that are declared here.
 */
#ifndef PORT_H
#define PORT_H

#include <Arduino.h>
#include <ESP_I2S.h>
#include <ser_capture.h>

#include "Board.h" /* the pins are chosen there */

/* ---- to choose, before this is included or by -D of the build ---- */

#ifndef MICROPHONE_SLOT
#define MICROPHONE_SLOT SER_CAPTURE_LEFT
#endif
#ifndef MICROPHONE_SHIFT
#define MICROPHONE_SHIFT SER_CAPTURE_SHIFT /* one less: 6 dB louder */
#endif

/* ---- */

/* A block is complete; whether it found a place. In the task of read_port(): */
static bool captured_block(const ser_block *block);
/* Something is wrong with the sound: */
static void trouble(const char *what);

/* Arduino's port, which can be made anew in its place. */
class Port : public I2SClass {
public:
    static void *operator new(size_t, void *place) { return place; }
};

static ser_capture capture;
static Port microphone;

#if MICROPHONE_PDM
static const uint32_t FRAME_BYTES = SER_CAPTURE_PCM_BYTES;
#else
static const uint32_t FRAME_BYTES = SER_CAPTURE_SLOTS * SER_CAPTURE_SLOT_BYTES;
#endif

/* Bytes that the port's DMA has overwritten before they were read; modulo 2^32. Written by the interrupt alone. */
static volatile uint32_t port_lost = 0;

static bool IRAM_ATTR on_port_overflow(i2s_chan_handle_t, i2s_event_data_t *event, void *)
{
    port_lost = port_lost + static_cast<uint32_t>(event->size);
    return false; /* no task of higher priority woke */
}

/* Waits for ten milliseconds of sound, and hands them over. */
static void read_port()
{
    static uint8_t bytes[SER_HOP * FRAME_BYTES];
    static uint32_t known_lost = 0;
    const size_t count = microphone.readBytes(reinterpret_cast<char *>(bytes), sizeof bytes);
    const uint32_t lost = port_lost - known_lost;
    known_lost += lost;
    if (lost > 0) {
        ser_capture_missed(&capture, lost / FRAME_BYTES);
    }
    if (count == 0) {
        vTaskDelay(pdMS_TO_TICKS(10)); /* the port has stopped; who waits for blocks will say so */
    }
    for (size_t used = 0; used < count;) {
        const ser_block *block;
        used += ser_capture_push(&capture, bytes + used, count - used, &block);
        if (block != nullptr && !captured_block(block)) {
            ser_capture_drop(&capture);
        }
    }
}

/* Gives back what a port that did not start has taken. Its own end() gives up at a channel that never ran, and a
   chip with one port would not find another. */
static void give_back_port()
{
    const i2s_chan_handle_t channel = microphone.rxChan();
    if (channel != nullptr && !microphone.end()) {
        i2s_del_channel(channel);
        new (&microphone) Port(); /* it forgets the channel; it owns nothing else */
    }
}

/* Opens the port, and has its overflows counted: that can only be said while it stands still. */
static bool start_port()
{
#if MICROPHONE_PDM
    ser_capture_init_pcm(&capture, MICROPHONE_SHIFT);
    microphone.setPinsPdmRx(MICROPHONE_CLOCK, MICROPHONE_DATA);
    const bool open = microphone.begin(
        I2S_MODE_PDM_RX, SER_SAMPLE_RATE, I2S_DATA_BIT_WIDTH_16BIT, I2S_SLOT_MODE_MONO
    );
#else
    ser_capture_init(&capture, MICROPHONE_SLOT, MICROPHONE_SHIFT);
    /* 32-bit slots: the microphone sends 24 bits in each, and 16-bit reads would fold its spectrum. Both slots,
       as which of them "mono" means depends on the chip. */
    microphone.setPins(MICROPHONE_SCK, MICROPHONE_WS, -1, MICROPHONE_SD);
    const bool open = microphone.begin(
        I2S_MODE_STD, SER_SAMPLE_RATE, I2S_DATA_BIT_WIDTH_32BIT, I2S_SLOT_MODE_STEREO
    );
#endif
    i2s_event_callbacks_t events = {};
    events.on_recv_q_ovf = on_port_overflow;
    if (open && i2s_channel_disable(microphone.rxChan()) == ESP_OK) {
        if (i2s_channel_register_event_callback(microphone.rxChan(), &events, nullptr) != ESP_OK) {
            trouble("the I2S port does not tell what it loses; lost sound is not counted");
        }
        if (i2s_channel_enable(microphone.rxChan()) == ESP_OK) {
            return true;
        }
    }
    give_back_port();
    trouble("the I2S port did not start; are the pins free?");
    return false;
}

#endif
