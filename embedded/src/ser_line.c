#include "ser_line.h"

#include "ser_math.h"

void ser_line_begin(ser_line *line, char *text, size_t size)
{
    line->text = text;
    line->size = size;
    line->length = 0;
}

static void put(ser_line *line, char character)
{
    if (line->length < line->size) {
        line->text[line->length++] = character;
    }
}

void ser_line_text(ser_line *line, const char *text)
{
    while (*text != '\0') {
        put(line, *text++);
    }
}

static void hexadecimal(ser_line *line, unsigned char byte, const char *digits)
{
    put(line, digits[byte >> 4]);
    put(line, digits[byte & 15]);
}

static int is_control(char character)
{
    return (unsigned char)character < 0x20 || character == 0x7f;
}

void ser_line_quoted(ser_line *line, const char *text)
{
    put(line, '"');
    for (; *text != '\0'; text++) {
        if (is_control(*text)) {
            ser_line_text(line, "\\u00");
            hexadecimal(line, (unsigned char)*text, "0123456789abcdef");
            continue;
        }
        if (*text == '"' || *text == '\\') {
            put(line, '\\');
        }
        put(line, *text);
    }
    put(line, '"');
}

static int same(const char *one, const char *other)
{
    while (*one != '\0' && *one == *other) {
        one++;
        other++;
    }
    return *one == *other;
}

void ser_line_plotted(ser_line *line, const char *text)
{
    int encoded = same(text, "uncertain") || same(text, "lost"); /* the plotter's line has pairs of these names */
    for (; *text != '\0'; text++) {
        if (encoded || is_control(*text) || *text == ' ' || *text == ',' || *text == ':' || *text == '%') {
            put(line, '%');
            hexadecimal(line, (unsigned char)*text, "0123456789ABCDEF");
        } else {
            put(line, *text);
        }
        encoded = 0;
    }
}

void ser_line_whole(ser_line *line, uint32_t number)
{
    char digits[10];
    int count = 0;
    do {
        digits[count++] = (char)('0' + (char)(number % 10u));
        number /= 10u;
    } while (number > 0u);
    while (count > 0) {
        put(line, digits[--count]);
    }
}

void ser_line_decimal(ser_line *line, float number, int decimals)
{
    uint32_t scale = 1, whole;
    float fraction;
    for (int i = 0; i < decimals; i++) {
        scale *= 10u;
    }
    if (number < 0.0f) {
        put(line, '-');
        number = -number;
    }
    number = number < 2147483520.0f ? number : 2147483520.0f; /* NaN too */
    whole = (uint32_t)number;
    fraction = (number - (float)whole) * (float)scale + 0.5f;
    if ((uint32_t)fraction >= scale) { /* 0.9996 is 1.000 */
        whole++;
        fraction = 0.0f;
    }
    ser_line_whole(line, whole);
    if (decimals > 0) {
        put(line, '.');
        for (uint32_t rest = (uint32_t)fraction, place = scale / 10u; place > 0u; place /= 10u) {
            put(line, (char)('0' + (char)(rest / place % 10u)));
        }
    }
}

size_t ser_line_end(ser_line *line)
{
    if (line->length >= line->size) { /* no room for the end */
        if (line->size > 0) {
            line->text[0] = '\0';
        }
        return 0;
    }
    line->text[line->length] = '\0';
    return line->length;
}

int ser_smooth(float *state, const float *probabilities, int labels, float weight)
{
    int largest = 0;
    for (int i = 0; i < labels; i++) {
        state[i] = weight < 1.0f ? state[i] + weight * (probabilities[i] - state[i]) : probabilities[i];
        if (state[i] > state[largest]) {
            largest = i;
        }
    }
    return largest;
}

int ser_uncertain(const ser_decision *decision)
{
    return decision->probabilities[decision->label] < decision->threshold;
}

static void pair(ser_line *line, const char *name, uint32_t number)
{
    ser_line_text(line, name);
    ser_line_whole(line, number);
}

size_t ser_line_json(const ser_decision *decision, char *line, size_t size)
{
    ser_line out;
    ser_line_begin(&out, line, size);
    ser_line_text(&out, "{\"emotion\": ");
    ser_line_quoted(&out, decision->names[decision->label]);
    ser_line_text(&out, ", \"confidence\": ");
    ser_line_decimal(&out, decision->probabilities[decision->label], 3);
    ser_line_text(&out, ", \"uncertain\": ");
    ser_line_text(&out, ser_uncertain(decision) ? "true" : "false");
    ser_line_text(&out, ", \"probabilities\": {");
    for (int i = 0; i < decision->labels; i++) {
        ser_line_text(&out, i > 0 ? ", " : "");
        ser_line_quoted(&out, decision->names[i]);
        ser_line_text(&out, ": ");
        ser_line_decimal(&out, decision->probabilities[i], 3);
    }
    ser_line_text(&out, "}, \"seconds\": ");
    ser_line_decimal(&out, decision->seconds, 2);
    ser_line_text(&out, ", \"dbfs\": ");
    ser_line_decimal(&out, decision->dbfs, 1);
    if (decision->knows_voices) {
        pair(&out, ", \"known\": ", decision->known);
    }
    pair(&out, ", \"clipped\": ", decision->clipped);
    pair(&out, ", \"lost\": ", decision->lost);
    pair(&out, ", \"overruns\": ", decision->overruns);
    pair(&out, ", \"response_us\": ", decision->response_us);
    ser_line_text(&out, "}");
    return ser_line_end(&out);
}

size_t ser_line_plot(const ser_decision *decision, char *line, size_t size)
{
    ser_line out;
    ser_line_begin(&out, line, size);
    for (int i = 0; i < decision->labels; i++) {
        ser_line_plotted(&out, decision->names[i]);
        ser_line_text(&out, ":");
        ser_line_decimal(&out, decision->probabilities[i], 3);
        ser_line_text(&out, ",");
    }
    pair(&out, "uncertain:", ser_uncertain(decision) ? 1u : 0u);
    pair(&out, ",lost:", decision->lost);
    return ser_line_end(&out);
}
