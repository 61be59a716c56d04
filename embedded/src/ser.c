#include "ser.h"
#include "ser_math.h"

static void conclude(const ser_summary *summary, ser_result *result);

ser_status ser_init(ser_recognizer *recognizer)
{
    if (recognizer == NULL) {
        return SER_BAD_ARGUMENT;
    }
    recognizer->voice = NULL;
    return ser_extractor_init(&recognizer->extractor);
}

ser_status ser_reset(ser_recognizer *recognizer)
{
    return recognizer == NULL ? SER_BAD_ARGUMENT : ser_extractor_init(&recognizer->extractor);
}

ser_status ser_know(ser_recognizer *recognizer, const ser_profile *voice)
{
    if (recognizer == NULL) {
        return SER_BAD_ARGUMENT;
    }
    recognizer->voice = voice;
    return SER_OK;
}

int ser_learn(const ser_recognizer *recognizer, ser_profile *voice, const ser_result *result)
{
#if SER_PROFILE_COLUMNS
    if (recognizer == NULL || voice == NULL || result == NULL || !result->speech) {
        return 0;
    }
    return ser_profile_learn(voice, recognizer->steps);
#else
    (void)recognizer;
    (void)voice;
    (void)result;
    return 0;
#endif
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
#if SER_FEATURES_APART
    float *features = recognizer->features;
#else
    float *features = recognizer->extractor.scratch.answer.features;
#endif
    ser_extractor_finish(&recognizer->extractor, &summary, features);
    result->known = 0;
#if SER_MODEL_ROOM > SER_ROOM
    SER_WORDS int16_t room[SER_MODEL_ROOM];
#elif SER_MODEL_ROOM
    int16_t *room = recognizer->extractor.scratch.answer.work.room;
#endif
#if SER_PROFILE_COLUMNS
    ser_model_steps(features, recognizer->steps);
    ser_profile_hear(recognizer->voice, recognizer->steps, room);
    ser_model_answer(room, result->probabilities);
    if (recognizer->voice != NULL) {
        result->known = ser_profile_known(recognizer->voice);
    }
#elif SER_MODEL_ROOM
    ser_model_predict_in(features, room, result->probabilities);
#else
    ser_model_predict(features, result->probabilities);
#endif
    conclude(&summary, result);
    return SER_OK;
}

const float *ser_features(const ser_recognizer *recognizer)
{
#if SER_FEATURES_APART
    return recognizer->features;
#else
    return recognizer->extractor.scratch.answer.features;
#endif
}

ser_status ser_classify(const ser_summary *summary, const float *features, ser_result *result)
{
    if (summary == NULL || features == NULL || result == NULL) {
        return SER_BAD_ARGUMENT;
    }
    ser_model_predict(features, result->probabilities);
    result->known = 0;
    conclude(summary, result);
    return SER_OK;
}

/* What follows from the probabilities. */
static void conclude(const ser_summary *summary, ser_result *result)
{
    result->label = 0;
    for (int i = 1; i < SER_LABELS; i++) {
        if (result->probabilities[i] > result->probabilities[result->label]) {
            result->label = i;
        }
    }
    result->confidence = result->probabilities[result->label];
    result->seconds = summary->seconds;
    result->speech = summary->speech;
}
