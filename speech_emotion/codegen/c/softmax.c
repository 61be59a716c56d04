/* Softmax. */
static void normalise(const float *sums, float *probabilities)
{
    float largest = sums[0];
    float total = 0.0f;
    for (int k = 1; k < SER_LABELS; k++) {
        largest = ser_maxf(largest, sums[k]);
    }
    for (int k = 0; k < SER_LABELS; k++) {
        probabilities[k] = power(sums[k] - largest);
        total += probabilities[k];
    }
    for (int k = 0; k < SER_LABELS; k++) {
        probabilities[k] = probabilities[k] / total;
    }
}
