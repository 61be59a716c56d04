/* Declarations of what the sketches use of Arduino-ESP32's DNSServer library (libraries/DNSServer/src/DNSServer.h of
 * core 3.x, where answering needs no call): see Arduino.h. */
#ifndef DNSSERVER_H
#define DNSSERVER_H

#include "WiFi.h"

class DNSServer {
public:
    bool start(const uint16_t &port, const String &domainName, const IPAddress &resolvedIP);
};

#endif
