void ser_model_predict_in(const float *features, int16_t *room, float *probabilities)
{
$calls
}

void ser_model_predict(const float *features, float *probabilities)
{
    SER_WORDS int16_t room[SER_MODEL_ROOM];
    ser_model_predict_in(features, room, probabilities);
}
