
/* Weights as int8, plus 128: bytes without a sign are the quicker to read. Eight outputs' weights of an input
   lie side by side, outputs made up to a multiple of eight by zeros; a sum times factor, plus bias. Networks
   side by side have a block each. */
$tables
/* The nearest whole number, halves to even, of |value| < 2^15: adding 3 * 2^22 leaves no bit for fractions, and the
   number itself in the lowest bits. */
static int16_t nearest(float value)
{
    return (int16_t)(uint16_t)ser_bits(value + 12582912.0f);
}

/* Adds up what eight outputs hear of an input, unless it is zero, as a half are after a relu. Each input for itself: with more of
   them at a time, the sums do not stay in registers. */
#define HEAR(i) \
    do { \
        const int32_t x = in[i]; \
        const uint8_t *weight = weights + 8 * (i); \
        if (x != 0) { \
            a += weight[0] * x; \
            b += weight[1] * x; \
            c += weight[2] * x; \
            d += weight[3] * x; \
            e += weight[4] * x; \
            f += weight[5] * x; \
            g += weight[6] * x; \
            h += weight[7] * x; \
        } \
    } while (0)

/* One layer: what it hears are whole steps of its inputs. Integers add up to the same sum in any order; factors hold the
   units of weights and inputs. Outputs of the last layer go to `last`; others, to `next`, as steps of the next layer's inputs,
   `steps` to 1, from `lowest` (0 after a relu, otherwise -$limit) to $limit. */
static void add(const int16_t *first, int inputs, const uint8_t *weights, const float *biases, const float *factors,
                int outputs, float lowest, float steps, int16_t *next, float *last)
{
    int32_t excess = 0; /* what the $offset make of every sum */
    for (int i = 0; i < inputs; i++) {
        excess += first[i];
    }
    excess *= $offset;
    for (int k = 0; k < outputs; k += 8) {
        int32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
        const int16_t *in = first;
        for (; in + 8 <= first + inputs; in += 8, weights += 64) {
            HEAR(0);
            HEAR(1);
            HEAR(2);
            HEAR(3);
            HEAR(4);
            HEAR(5);
            HEAR(6);
            HEAR(7);
        }
        for (; in < first + inputs; in++, weights += 8) {
            HEAR(0);
        }
        const int32_t sums[8] = {a, b, c, d, e, f, g, h};
        for (int i = 0; i < 8 && k + i < outputs; i++) {
            const float value = (float)(sums[i] - excess) * factors[k + i] + biases[k + i];
            if (last) {
                last[k + i] = value;
            } else {
                next[k + i] = nearest(ser_minf(ser_maxf(value * steps, lowest), $limit));
            }
        }
    }
}

