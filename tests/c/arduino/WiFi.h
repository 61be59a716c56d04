/* Declarations of what the sketches use of Arduino-ESP32's WiFi library (libraries/WiFi/src/WiFiAP.h, WiFiSTA.h of
 * github.com/espressif/arduino-esp32, commits 0982989, 0eb6f2b): see Arduino.h. */
#ifndef WIFI_H
#define WIFI_H

#include "Arduino.h"

typedef enum { WIFI_OFF = 0, WIFI_STA = 1, WIFI_AP = 2, WIFI_AP_STA = 3 } wifi_mode_t;
typedef enum { WL_IDLE_STATUS = 0, WL_CONNECTED = 3, WL_DISCONNECTED = 6 } wl_status_t;

class IPAddress {
public:
    IPAddress(uint32_t address = 0) : address(address) {}
    uint32_t address;
};

class WiFiClass {
public:
    bool mode(wifi_mode_t mode);
    wl_status_t begin(
        const char *ssid, const char *passphrase = nullptr, int32_t channel = 0, const uint8_t *bssid = nullptr,
        bool connect = true
    );
    bool softAP(
        const char *ssid, const char *passphrase = nullptr, int channel = 1, int ssid_hidden = 0,
        int max_connection = 4, bool ftm_responder = false
    );
    IPAddress softAPIP();
};
extern WiFiClass WiFi;

#endif
