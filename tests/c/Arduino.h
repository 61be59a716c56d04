/* Declarations of what the example sketches use of the Arduino core, taken from its documentation: a stand-in
 * to compile against, nothing more. */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>

unsigned long millis();

struct SerialPort {
    void begin(unsigned long baud);
    int available();
    int read();
    size_t print(char character);
    size_t print(const char *text);
    size_t println(const char *text);
    size_t println(double number, int digits);
};
extern SerialPort Serial;

void setup();
void loop();

#endif
