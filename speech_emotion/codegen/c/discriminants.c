#define SCORES $scores

/* Linear discriminants: weights of the scores, column by column. */
$weights
$bias

/* Added in the order of the columns: another order would round differently from training. */
static void discriminate(const float *values, float *scores)
{
    const float *weight = weights;
    for (int k = 0; k < SCORES; k++) {
        scores[k] = bias[k];
    }
    for (int i = 0; i < COLUMNS; i++) {
        for (int k = 0; k < SCORES; k++) {
            scores[k] += values[i] * *weight++;
        }
    }
}

