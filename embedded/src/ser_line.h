/*
 * ser_line: a decision as one line of text, and decisions smoothed over time. No printf.
 *
 *     char line[SER_LINE_SIZE(SER_LABELS, SER_NAMES_BYTES, SER_NAMES_LONGEST)];
 *     float smoothed[SER_LABELS];
 *     ser_decision decision;
 *     decision.label = ser_smooth(smoothed, result.probabilities, SER_LABELS, first ? 1.0f : 0.6f);
 *     decision.probabilities = smoothed;
 *     ...
 *     if (ser_line_json(&decision, line, sizeof line)) {
 *         puts(line);
 *     }
 */
#ifndef SER_LINE_H
#define SER_LINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *const *names;   /* of the labels */
    const float *probabilities; /* of the labels, as decided upon */
    int labels;                 /* how many */
    int label;                  /* of the largest probability */
    float threshold;            /* below this probability the decision is "uncertain" */
    float seconds;              /* length of the utterance */
    float dbfs;                 /* its level */
    uint32_t response_us;       /* last sample in to label out */
    uint32_t clipped;           /* samples that were limited */
    uint32_t lost;              /* blocks missing within the utterance */
    uint32_t overruns;          /* blocks dropped since the start */
    uint32_t known;             /* sentences of this voice that the answer stands on; written if: */
    int knows_voices;           /* 0: the model knows none */
} ser_decision;

/* state += weight * (probabilities - state); returns the place of the largest. weight 1: as at first. */
int ser_smooth(float *state, const float *probabilities, int labels, float weight);

/* Whether the largest probability is below the threshold. */
int ser_uncertain(const ser_decision *decision);

/* Bytes in which every line finds room, of JSON or for the plotter, its end included. labels: how many; bytes,
   longest: of their names as the line has them, which ser_model.h says. The widest number is -2147483520.000. */
#define SER_LINE_SIZE(labels, bytes, longest) (251 + 19 * (labels) + (bytes) + (longest))

/* One JSON object, keys as in predictor.py --json, without a line end. Returns its length; 0 and an empty
   line where `size` bytes do not suffice. */
size_t ser_line_json(const ser_decision *decision, char *line, size_t size);

/* For the Arduino IDE's serial plotter: "angry:0.712,...,uncertain:0,lost:0". Returns as ser_line_json. What
   would separate pairs within a name is written as %20, and the first letter of a label that is called
   "uncertain" or "lost" too. */
size_t ser_line_plot(const ser_decision *decision, char *line, size_t size);

/* For lines of one's own: a line being written, and what may be put into it. */
typedef struct {
    char *text;
    size_t size, length; /* length == size: did not fit */
} ser_line;

void ser_line_begin(ser_line *line, char *text, size_t size);
void ser_line_text(ser_line *line, const char *text);
void ser_line_quoted(ser_line *line, const char *text); /* as a JSON string */
void ser_line_plotted(ser_line *line, const char *text); /* as a name for the plotter */
void ser_line_whole(ser_line *line, uint32_t number);
void ser_line_decimal(ser_line *line, float number, int decimals); /* 0 to 6; beyond 2^31 limited */
size_t ser_line_end(ser_line *line);

#ifdef __cplusplus
}
#endif

#endif
