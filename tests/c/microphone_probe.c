/* The microphone's path as tests/test_sketch_parts.py calls it: arrays in, arrays out. */
#include "ser_capture.h"
#include "ser_line.h"
#include "ser_listen.h"

#include <string.h>

int probe_sample(uint32_t slot, int shift, uint16_t *clipped)
{
    return ser_capture_sample(slot, shift, clipped);
}

static ser_capture capture;

/* slot -1: a port of int16 samples. */
int probe_capture_init(int slot, int shift)
{
    return (int)(slot == -1 ? ser_capture_init_pcm(&capture, shift) : ser_capture_init(&capture, slot, shift));
}

/* As after years of sound. */
void probe_capture_preset(uint32_t overruns, uint16_t pending)
{
    capture.overruns = overruns;
    capture.pending = pending;
}

void probe_capture_missed(uint32_t frames) { ser_capture_missed(&capture, frames); }

const char *probe_capture_says(int fault) { return ser_capture_says(fault); }

/* Bytes in pieces of `chunk`, after probe_capture_init; every block whose number is in [drop, undrop) finds no
   place. Returns how many blocks were delivered; samples, clipped, lost, fault: of those. */
int probe_capture(
    const uint8_t *bytes, size_t count, size_t chunk, int drop, int undrop, int16_t *samples,
    uint16_t *clipped, uint16_t *lost, uint8_t *fault, uint32_t *overruns
)
{
    int delivered = 0, number = 0;
    for (size_t start = 0; start < count; start += chunk) {
        const size_t size = count - start < chunk ? count - start : chunk;
        for (size_t used = 0; used < size;) {
            const ser_block *block;
            used += ser_capture_push(&capture, bytes + start + used, size - used, &block);
            if (block == NULL) {
                continue;
            }
            if (number >= drop && number < undrop) {
                ser_capture_drop(&capture);
            } else {
                memcpy(samples + delivered * SER_HOP, block->sample, sizeof block->sample);
                clipped[delivered] = block->clipped;
                fault[delivered] = block->fault;
                lost[delivered++] = block->lost;
            }
            number++;
        }
    }
    *overruns = capture.overruns;
    return delivered;
}

/* The events of `count` blocks. first[i]: for BEGIN, the number of the first block kept, checked against the
   samples (-1: they are not the stream's); for END, blocks, clipped and lost go to utterance[i]. floor,
   mean: powers after each block. */
int probe_listen(
    const int16_t *samples, const uint16_t *clipped, const uint16_t *lost, int count, int32_t *events,
    int32_t *first, uint32_t (*utterance)[3], float *floor, float *mean
)
{
    static ser_listen listen;
    if (ser_listen_init(&listen) != SER_OK || ser_listen_init(NULL) != SER_BAD_ARGUMENT) {
        return -1;
    }
    for (int i = 0; i < count; i++) {
        ser_block block;
        memcpy(block.sample, samples + i * SER_HOP, sizeof block.sample);
        block.clipped = clipped[i];
        block.lost = lost[i];
        events[i] = (int32_t)ser_listen_push(&listen, &block);
        floor[i] = listen.floor;
        mean[i] = listen.mean_power;
        if (events[i] == SER_LISTEN_BEGIN) {
            const int kept = ser_listen_kept(&listen);
            first[i] = i + 1 - kept;
            for (int k = 0; k < kept; k++) {
                if (memcmp(ser_listen_block(&listen, k), samples + (first[i] + k) * SER_HOP,
                           sizeof block.sample) != 0) {
                    first[i] = -1;
                    break;
                }
            }
        }
        utterance[i][0] = listen.blocks;
        utterance[i][1] = listen.clipped;
        utterance[i][2] = listen.lost;
    }
    return 0;
}

float probe_dbfs(const int16_t *samples) { return ser_listen_dbfs(ser_listen_power(samples)); }

static const char *const NAMES[] = {"angry", "happy", "a \"quoted\" \\ name"};

/* state: NaN at first is fine with weight 1. plot: 1 for the plotter. */
size_t probe_line(
    const float *probabilities, float *state, float weight, float threshold, float seconds, float dbfs,
    const uint32_t *counts, int plot, char *line, size_t size
)
{
    ser_decision decision;
    decision.names = NAMES;
    decision.labels = 3;
    decision.label = ser_smooth(state, probabilities, 3, weight);
    decision.probabilities = state;
    decision.threshold = threshold;
    decision.seconds = seconds;
    decision.dbfs = dbfs;
    decision.response_us = counts[0];
    decision.clipped = counts[1];
    decision.lost = counts[2];
    decision.overruns = counts[3];
    decision.known = 0;
    decision.knows_voices = 0;
    return plot ? ser_line_plot(&decision, line, size) : ser_line_json(&decision, line, size);
}

size_t probe_decimal(float number, int decimals, char *text, size_t size)
{
    ser_line line;
    ser_line_begin(&line, text, size);
    ser_line_decimal(&line, number, decimals);
    return ser_line_end(&line);
}
