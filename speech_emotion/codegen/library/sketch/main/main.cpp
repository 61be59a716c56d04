// ESP-IDF compiles the sketch itself.
#include <Arduino.h>

#include "../$sketch.ino"
