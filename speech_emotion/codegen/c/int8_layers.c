
/* Weights as int8, plus 128: bytes without a sign are the quicker to read. Eight outputs' weights of an input
   lie side by side, outputs made up to a multiple of eight by zeros; a sum times factor, plus bias. Networks
   side by side have a block each. */
$tables
$whole
/* One layer. Integers add up to the same sum in any order; factors hold the units of weights and inputs. */
static void add(const float *in, int inputs, float steps, const uint8_t *weights, const float *biases,
                const float *factors, int relu, float *out, int outputs)
{
    int16_t quantised[WIDEST];
    int32_t excess = 0; /* what the $offset make of every sum */
    for (int i = 0; i < inputs; i++) {
        quantised[i] = whole(in[i] * steps, $limit);
        excess += $offset * quantised[i];
    }
    for (int k = 0; k < outputs; k += 8) {
        int32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
        const int16_t *input = quantised;
        for (; input < quantised + inputs; input++, weights += 8) {
            const int32_t x = *input;
            a += weights[0] * x;
            b += weights[1] * x;
            c += weights[2] * x;
            d += weights[3] * x;
            e += weights[4] * x;
            f += weights[5] * x;
            g += weights[6] * x;
            h += weights[7] * x;
        }
        const int32_t sums[8] = {a, b, c, d, e, f, g, h};
        for (int i = 0; i < 8 && k + i < outputs; i++) {
            const float value = (float)(sums[i] - excess) * factors[k + i] + biases[k + i];
            out[k + i] = relu && value < 0.0f ? 0.0f : value;
        }
    }
}
