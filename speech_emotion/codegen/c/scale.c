/* Standardised, and clipped: one odd feature must not shout down the others. */
static void scale(const float *features, float *values)
{
    for (int i = 0; i < COLUMNS; i++) {
        values[i] = clip((features[columns[i]] - mean[i]) * inverse[i], $limit);
    }
}
