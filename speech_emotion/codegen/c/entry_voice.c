void ser_model_answer(int16_t *room, float *probabilities)
{
$calls
}

void ser_model_predict(const float *features, float *probabilities)
{
    SER_WORDS int16_t room[SER_MODEL_ROOM];
    ser_model_steps(features, room);
    ser_profile_adapt(NULL, room);
    ser_model_answer(room, probabilities);
}
