#include "ser_peak_float.h"

#include "ser_math.h"
#include "ser_voice_tables.h"

/* Linear between 1024 points of the circle. */
float ser_cosine(float x)
{
    const float half = ser_absf(x);
    const float q = (half > 0.5f ? 1.0f - half : half) * 512.0f;
    const int i = q < 255.0f ? (int)q : 255;
    const float a = ser_quarter_circle[2 * i], b = i < 255 ? ser_quarter_circle[2 * i + 2] : 0.0f;
    const float c = a + (q - (float)i) * (b - a);
    return half > 0.5f ? -c : c;
}
