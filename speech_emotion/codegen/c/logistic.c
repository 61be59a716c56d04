/* Two labels share one output, the second's; the first's is 0. */
static void normalise(const float *sums, float *probabilities)
{
    const float largest = ser_maxf(sums[0], 0.0f);
    const float first = power(0.0f - largest);
    const float second = power(sums[0] - largest);
    probabilities[0] = first / (first + second);
    probabilities[1] = second / (first + second);
}
