/* Declarations of what the sketches use of Arduino-ESP32's WebServer library (libraries/WebServer/src/WebServer.h of
 * github.com/espressif/arduino-esp32, commit 09a982e; in core 3.x `on` returns a reference besides): see Arduino.h. */
#ifndef WEBSERVER_H
#define WEBSERVER_H

#include "WiFi.h"

typedef enum { HTTP_DELETE = 0, HTTP_GET = 1, HTTP_HEAD = 2, HTTP_POST = 3 } HTTPMethod;

class WebServer {
public:
    typedef void (*THandlerFunction)(void); /* there a std::function, which takes any of these */
    WebServer(int port = 80);
    void begin();
    void handleClient();
    void on(const char *uri, HTTPMethod method, THandlerFunction handler);
    void onNotFound(THandlerFunction handler);
    String arg(const String &name);
    void send(int code, const char *content_type, const char *content);
};

#endif
