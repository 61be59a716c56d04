void ser_model_predict(const float *features, float *probabilities)
{
    float values[WIDEST];
    float sums[WIDEST];
    scale(features, values);
$calls
}
