#include "ser_message.h"

#include "ser_line.h"

void ser_message_shares(const float *probabilities, int labels, uint16_t *shares)
{
    float rest[SER_MESSAGE_LABELS_MOST];
    int32_t left = SER_MESSAGE_WHOLE;
    int largest = 0;
    for (int i = 0; i < labels; i++) {
        float scaled = probabilities[i] * (float)SER_MESSAGE_WHOLE;
        scaled = scaled > 0.0f ? scaled : 0.0f; /* NaN too */
        scaled = scaled < (float)SER_MESSAGE_WHOLE ? scaled : (float)SER_MESSAGE_WHOLE;
        shares[i] = (uint16_t)scaled;
        rest[i] = scaled - (float)shares[i];
        left -= shares[i];
        largest = shares[i] > shares[largest] ? i : largest;
    }
    if (left < 0 || left > labels) { /* these were no probabilities */
        for (int i = 0; i < labels; i++) {
            shares[i] = i == largest ? SER_MESSAGE_WHOLE : 0;
        }
        return;
    }
    for (; left > 0; left--) {
        int place = 0;
        for (int i = 1; i < labels; i++) {
            place = rest[i] > rest[place] ? i : place;
        }
        shares[place]++;
        rest[place] = -1.0f;
    }
}

static void key(ser_line *line, const char *name)
{
    ser_line_text(line, line->length > 1 ? "," : "");
    ser_line_quoted(line, name);
    ser_line_text(line, ":");
}

static void put_whole(ser_line *line, int64_t number)
{
    if (number < 0) {
        ser_line_text(line, "-");
        number = -number;
    }
    ser_line_whole(line, (uint32_t)number);
}

static void put_hex(ser_line *line, uint32_t number)
{
    char digits[9];
    for (int i = 0; i < 8; i++) {
        digits[i] = "0123456789abcdef"[number >> (28 - 4 * i) & 15u];
    }
    digits[8] = '\0';
    ser_line_quoted(line, digits);
}

static void put_shares(ser_line *line, const uint16_t *shares, int labels)
{
    for (int i = 0; i < labels; i++) {
        ser_line_text(line, i > 0 ? "," : "[");
        ser_line_whole(line, shares[i]);
    }
    ser_line_text(line, "]");
}

static void put_names(ser_line *line, const char *const *names, int labels)
{
    for (int i = 0; i < labels; i++) {
        ser_line_text(line, i > 0 ? "," : "[");
        ser_line_quoted(line, names[i]);
    }
    ser_line_text(line, "]");
}

#define WRITE_WHOLE(value) put_whole(&line, value)
#define WRITE_HEX(value) put_hex(&line, value)
#define WRITE_TRUTH(value) ser_line_text(&line, (value) ? "true" : "false")
#define WRITE_SHARES(value) put_shares(&line, value, message->labels)
#define WRITE_NAMES(value) put_names(&line, value, message->labels)
#define FIELD(kind, name, member) \
    key(&line, name);             \
    WRITE_##kind(message->member);

static void begin(ser_line *line, char *bytes, size_t size)
{
    ser_line_begin(line, bytes, size);
    ser_line_text(line, "{");
    key(line, "v");
    ser_line_whole(line, SER_MESSAGE_VERSION);
}

static size_t finish(ser_line *line)
{
    ser_line_text(line, "}");
    return ser_line_end(line);
}

size_t ser_message_write_sentence(const ser_message_sentence *message, char *bytes, size_t size)
{
    ser_line line;
    begin(&line, bytes, size);
    SER_MESSAGE_SENTENCE(FIELD)
    return finish(&line);
}

size_t ser_message_write_about(const ser_message_about *message, char *bytes, size_t size)
{
    ser_line line;
    begin(&line, bytes, size);
    SER_MESSAGE_ABOUT(FIELD)
    return finish(&line);
}

int16_t ser_message_step(float value, float mean, float inverse)
{
    const float steps = (value - mean) * inverse * (float)SER_MESSAGE_STEPS;
    int32_t whole;
    if (!(steps > -32768.0f)) { /* NaN too */
        return INT16_MIN;
    }
    if (steps >= 32767.0f) {
        return INT16_MAX;
    }
    whole = (int32_t)(steps + 32768.5f) - 32768; /* to the nearest */
    return (int16_t)(whole < INT16_MAX ? whole : INT16_MAX);
}

static void little_endian(uint8_t *bytes, uint32_t number, int count)
{
    for (int i = 0; i < count; i++) {
        bytes[i] = (uint8_t)(number >> (8 * i) & 0xffu);
    }
}

size_t ser_message_write_columns(
    uint32_t boot, uint32_t seq, uint32_t columns, int count, uint8_t *bytes, size_t size
)
{
    const size_t length = SER_MESSAGE_COLUMNS_HEAD + 2u * (size_t)count;
    if (count < 1 || count > SER_MESSAGE_COLUMNS_MOST || length > size) {
        return 0;
    }
    bytes[0] = SER_MESSAGE_VERSION;
    bytes[1] = 0;
    little_endian(bytes + 2, (uint32_t)count, 2);
    little_endian(bytes + 4, boot, 4);
    little_endian(bytes + 8, seq, 4);
    little_endian(bytes + 12, columns, 4);
    return length;
}

void ser_message_write_step(uint8_t *bytes, int place, int16_t step)
{
    little_endian(bytes + SER_MESSAGE_COLUMNS_HEAD + 2 * place, (uint16_t)step, 2);
}
