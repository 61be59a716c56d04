/* What Python needs besides the public API when a generated library runs on a computer. */
#include "ser.h"

size_t ser_host_recognizer_size(void);
uint64_t ser_host_schema_hash(void);
int ser_host_features(void);
int ser_host_labels(void);
float ser_host_threshold(void);
const char *ser_host_label(int label);
const char *ser_host_name(void);
void ser_host_predict(const float *features, size_t rows, float *probabilities);
int ser_host_answer(ser_recognizer *recognizer, float *probabilities, float *seconds, int *speech);
size_t ser_host_profile_size(void);
int ser_host_profile_columns(void);
int ser_host_profile_known(const ser_profile *voice);
void ser_host_sequence(const float *features, size_t rows, ser_profile *voice, float *probabilities,
                       int32_t *known);
int ser_host_heard(const ser_recognizer *recognizer, ser_profile *voice);

size_t ser_host_recognizer_size(void) { return sizeof(ser_recognizer); }
uint64_t ser_host_schema_hash(void) { return SER_MODEL_SCHEMA_HASH; }
int ser_host_features(void) { return SER_FEATURES; }
int ser_host_labels(void) { return SER_LABELS; }
float ser_host_threshold(void) { return SER_MODEL_THRESHOLD; }
const char *ser_host_label(int label) { return ser_label_names[label]; }
const char *ser_host_name(void) { return SER_MODEL_NAME; }

void ser_host_predict(const float *features, size_t rows, float *probabilities)
{
    for (size_t i = 0; i < rows; i++) {
        ser_model_predict(features + i * SER_FEATURES, probabilities + i * SER_LABELS);
    }
}

size_t ser_host_profile_size(void) { return sizeof(ser_profile); }
int ser_host_profile_columns(void) { return SER_PROFILE_COLUMNS; }
int ser_host_profile_known(const ser_profile *voice) { return ser_profile_known(voice); }

/* Sentences of one voice, one after another: each answered against what was heard before, then learnt. */
void ser_host_sequence(const float *features, size_t rows, ser_profile *voice, float *probabilities,
                       int32_t *known)
{
    for (size_t i = 0; i < rows; i++) {
#if SER_PROFILE_COLUMNS
        int16_t steps[SER_PROFILE_COLUMNS], seen[SER_MODEL_ROOM];
        ser_model_steps(features + i * SER_FEATURES, steps);
        for (int k = 0; k < SER_PROFILE_COLUMNS; k++) {
            seen[k] = steps[k];
        }
        known[i] = ser_profile_known(voice);
        ser_profile_adapt(voice, seen);
        ser_model_answer(seen, probabilities + i * SER_LABELS);
        ser_profile_learn(voice, steps);
#else
        (void)voice;
        known[i] = 0;
        ser_model_predict(features + i * SER_FEATURES, probabilities + i * SER_LABELS);
#endif
    }
}

/* After ser_host_answer with speech: the sentence is learnt. */
int ser_host_heard(const ser_recognizer *recognizer, ser_profile *voice)
{
    ser_result result;
    result.speech = 1;
    return ser_learn(recognizer, voice, &result);
}

int ser_host_answer(ser_recognizer *recognizer, float *probabilities, float *seconds, int *speech)
{
    ser_result result;
    if (ser_finish(recognizer, &result) != SER_OK) {
        return -1;
    }
    for (int k = 0; k < SER_LABELS; k++) {
        probabilities[k] = result.probabilities[k];
    }
    *seconds = result.seconds;
    *speech = result.speech;
    return result.label;
}
