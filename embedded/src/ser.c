#include "ser.h"

ser_status ser_init(ser_recognizer *recognizer)
{
    return recognizer == NULL ? SER_BAD_ARGUMENT : ser_extractor_init(&recognizer->extractor);
}

ser_status ser_reset(ser_recognizer *recognizer)
{
    return ser_init(recognizer);
}

ser_status ser_push(ser_recognizer *recognizer, const int16_t *pcm, size_t count)
{
    return recognizer == NULL ? SER_BAD_ARGUMENT
                              : ser_extractor_push(&recognizer->extractor, pcm, count);
}

ser_status ser_finish(ser_recognizer *recognizer, ser_result *result)
{
    ser_summary summary;
    if (recognizer == NULL || result == NULL) {
        return SER_BAD_ARGUMENT;
    }
    ser_extractor_finish(&recognizer->extractor, &summary, recognizer->features);
    return ser_classify(&summary, recognizer->features, result);
}

ser_status ser_classify(const ser_summary *summary, const float *features, ser_result *result)
{
    if (summary == NULL || features == NULL || result == NULL) {
        return SER_BAD_ARGUMENT;
    }
    ser_model_predict(features, result->probabilities);
    result->label = 0;
    for (int i = 1; i < SER_LABELS; i++) {
        if (result->probabilities[i] > result->probabilities[result->label]) {
            result->label = i;
        }
    }
    result->confidence = result->probabilities[result->label];
    result->seconds = summary->seconds;
    result->speech = summary->speech;
    return SER_OK;
}
