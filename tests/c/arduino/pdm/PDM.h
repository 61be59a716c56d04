/* Declarations of what the sketches use of Arduino's library PDM: see ../Arduino.h. */
#ifndef PDM_H
#define PDM_H

#include "Arduino.h"

class PDMClass {
public:
    int begin(int channels, int sampleRate);
    void end();
    int available();
    int read(void *buffer, size_t size);
    void onReceive(void (*)(void));
    void setGain(int gain);
    void setBufferSize(int bufferSize);
};

extern PDMClass PDM;

#endif
