/* A column, standardised, and clipped: one odd feature must not shout down the others. */
static float scaled(const float *features, int i)
{
    return clip((features[columns[i]] - mean[i]) * inverse[i], $limit);
}

