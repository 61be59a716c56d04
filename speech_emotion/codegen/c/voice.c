$whole
/* Columns in whole steps, $steps per standard deviation of the training clips. */
void ser_model_steps(const float *features, int16_t *steps)
{
    for (int i = 0; i < COLUMNS; i++) {
        steps[i] = whole((features[columns[i]] - mean[i]) * inverse[i] * $steps, $far);
    }
}
$scaled
