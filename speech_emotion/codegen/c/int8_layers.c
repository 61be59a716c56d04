
/* Weights as int8, plus 128: bytes without a sign are the quicker to read. Eight outputs' weights of an input
   lie side by side, outputs made up to a multiple of eight by zeros; a sum times factor, plus bias. Networks
   side by side have a block each. */
$tables
$whole
#if defined(__XTENSA__) && defined(__GNUC__) && !defined(ESP8266)
#define MULTIPLIES_IN_PAIRS 1
/* On an ESP32's core, two instructions to a product: it reads two inputs ahead while it multiplies and adds up, which no
   compiler says by itself. Of an output's weights, eight bytes apart, and so many inputs, a multiple of eight; inputs begin at a
   multiple of four bytes, and four more may be read. */
static int32_t sum_of(const int16_t *input, const uint8_t *weights, int inputs)
{
    const uint8_t *end = weights + 8 * inputs;
    int32_t sum;
    __asm__ volatile("movi %2, 0\n wsr %2, acclo\n wsr %2, acchi\n"
                     "addi %0, %0, -4\n ldinc m0, %0\n"
                     "1:\n"
                     "l8ui %2, %1, 0\n mula.da.ll.ldinc m1, %0, m0, %2\n"
                     "l8ui %2, %1, 8\n mula.da.hl m0, %2\n"
                     "l8ui %2, %1, 16\n mula.da.ll.ldinc m0, %0, m1, %2\n"
                     "l8ui %2, %1, 24\n mula.da.hl m1, %2\n"
                     "l8ui %2, %1, 32\n mula.da.ll.ldinc m1, %0, m0, %2\n"
                     "l8ui %2, %1, 40\n mula.da.hl m0, %2\n"
                     "l8ui %2, %1, 48\n mula.da.ll.ldinc m0, %0, m1, %2\n"
                     "l8ui %2, %1, 56\n mula.da.hl m1, %2\n"
                     "addi %1, %1, 64\n"
                     "bne %1, %3, 1b\n"
                     "rsr %2, acclo\n"
                     : "+r"(input), "+r"(weights), "=&r"(sum)
                     : "r"(end)
                     : "memory"
#if !defined(__clang__)
                     , "acc"
#endif
    );
    return sum;
}
#endif

/* One layer. Integers add up to the same sum in any order; factors hold the units of weights and inputs. */
static void add(const float *in, int inputs, float steps, const uint8_t *weights, const float *biases,
                const float *factors, int relu, float *out, int outputs)
{
    union {
        int16_t values[WIDEST + 2];
        int32_t pairs[1];
    } quantised;
    int32_t excess = 0; /* what the $offset make of every sum */
    for (int i = 0; i < inputs; i++) {
        quantised.values[i] = whole(in[i] * steps, $limit);
        excess += $offset * quantised.values[i];
    }
    for (int k = 0; k < outputs; k += 8) {
        int32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
        const int16_t *input = quantised.values;
#ifdef MULTIPLIES_IN_PAIRS
        const int most = inputs & ~7;
        if (most > 0) {
            a = sum_of(input, weights, most);
            b = sum_of(input, weights + 1, most);
            c = sum_of(input, weights + 2, most);
            d = sum_of(input, weights + 3, most);
            e = sum_of(input, weights + 4, most);
            f = sum_of(input, weights + 5, most);
            g = sum_of(input, weights + 6, most);
            h = sum_of(input, weights + 7, most);
            input += most;
            weights += 8 * most;
        }
#endif
        for (; input < quantised.values + inputs; input++, weights += 8) {
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
