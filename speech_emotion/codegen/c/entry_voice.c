void ser_model_answer(const int16_t *steps, float *probabilities)
{
$calls
}

void ser_model_predict(const float *features, float *probabilities)
{
    int16_t steps[COLUMNS];
    ser_model_steps(features, steps);
    ser_profile_adapt(NULL, steps);
    ser_model_answer(steps, probabilities);
}
