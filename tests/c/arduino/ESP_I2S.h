/* Declarations of what the sketches use of Arduino-ESP32's ESP_I2S library, and of ESP-IDF's driver below it: see
   Arduino.h. */
#ifndef ESP_I2S_H
#define ESP_I2S_H

#include "Arduino.h"

typedef struct i2s_channel_obj_t *i2s_chan_handle_t;
typedef struct {
    void *data;
    void *dma_buf;
    size_t size;
} i2s_event_data_t;
typedef bool (*i2s_isr_callback_t)(i2s_chan_handle_t handle, i2s_event_data_t *event, void *user_ctx);
typedef struct {
    i2s_isr_callback_t on_recv;
    i2s_isr_callback_t on_recv_q_ovf;
    i2s_isr_callback_t on_sent;
    i2s_isr_callback_t on_send_q_ovf;
} i2s_event_callbacks_t;

extern "C" {
esp_err_t i2s_del_channel(i2s_chan_handle_t handle);
esp_err_t i2s_channel_enable(i2s_chan_handle_t handle);
esp_err_t i2s_channel_disable(i2s_chan_handle_t handle);
esp_err_t i2s_channel_register_event_callback(
    i2s_chan_handle_t handle, const i2s_event_callbacks_t *callbacks, void *user_data
);
}

typedef enum {
    I2S_MODE_STD,
#if SOC_I2S_SUPPORTS_TDM
    I2S_MODE_TDM,
#endif
#if SOC_I2S_SUPPORTS_PDM_TX
    I2S_MODE_PDM_TX,
#endif
#if SOC_I2S_SUPPORTS_PDM_RX
    I2S_MODE_PDM_RX,
#endif
    I2S_MODE_MAX
} i2s_mode_t;
typedef enum {
    I2S_DATA_BIT_WIDTH_8BIT = 8,
    I2S_DATA_BIT_WIDTH_16BIT = 16,
    I2S_DATA_BIT_WIDTH_24BIT = 24,
    I2S_DATA_BIT_WIDTH_32BIT = 32
} i2s_data_bit_width_t;
typedef enum { I2S_SLOT_MODE_MONO = 1, I2S_SLOT_MODE_STEREO = 2 } i2s_slot_mode_t;

class I2SClass {
public:
    I2SClass();
    ~I2SClass();
    void setPins(int8_t bclk, int8_t ws, int8_t dout, int8_t din = -1, int8_t mclk = -1);
#if SOC_I2S_SUPPORTS_PDM_RX
    void setPinsPdmRx(int8_t clk, int8_t din0, int8_t din1 = -1, int8_t din2 = -1, int8_t din3 = -1);
#endif
    bool begin(
        i2s_mode_t mode, uint32_t rate, i2s_data_bit_width_t bits_cfg, i2s_slot_mode_t ch,
        int8_t slot_mask = -1
    );
    bool end();
    i2s_chan_handle_t rxChan();
    size_t readBytes(char *buffer, size_t size);

private:
    i2s_chan_handle_t rx_chan;
};

#endif
