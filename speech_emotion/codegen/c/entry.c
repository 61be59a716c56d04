void ser_model_predict(const float *features, float *probabilities)
{
$calls
}
