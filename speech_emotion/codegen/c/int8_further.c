
/* Of what a layer gave. */
static void add(const int16_t *first, int inputs, int deaf_from, int deaf_to, const uint8_t *weights, const float *biases,
                const float *factors, int outputs, float lowest, float steps, int16_t *next, float *last)
{
    add_up(first, inputs, deaf_from, deaf_to, weights, biases, factors, outputs, lowest, steps, next, last, 1);
}
