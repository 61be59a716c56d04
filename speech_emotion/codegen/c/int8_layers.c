
/* Weights as int8, plus 128: bytes without a sign are the quicker to read. Eight outputs' weights of two inputs lie side by side:
   four times two of the first input's and two of the second's. Outputs are made up to a multiple of eight by zeros, inputs to one of two;
   a sum times factor, plus bias. Networks side by side have a block each; inputs that some outputs do not hear are left out. */
$tables
/* The nearest whole number, halves to even, of |value| < 2^15: adding 3 * 2^22 leaves no bit for fractions, and the
   number itself in the lowest bits. */
static int16_t nearest(float value)
{
    return (int16_t)(uint16_t)ser_bits(value + 12582912.0f);
}

#if defined(__XTENSA__) && defined(__GNUC__) /* or LLVM keeps eight inputs in registers and the sums in memory */
#define IN_TURN() __asm__("" : "+r"(in), "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g), "+r"(h))
#else
#define IN_TURN() (void)0
#endif

/* Adds up what eight outputs hear of an input; of sparse ones, unless it is zero, as a half are after a relu. Each input for itself: with
   more of them at a time, the sums do not stay in registers. */
#define HEAR(i) \
    do { \
        IN_TURN(); \
        const int32_t x = in[i]; \
        const uint8_t *weight = weights + 16 * ((i) / 2) + 2 * ((i) % 2); \
        if (!sparse || x != 0) { \
            a += weight[0] * x; \
            b += weight[1] * x; \
            c += weight[4] * x; \
            d += weight[5] * x; \
            e += weight[8] * x; \
            f += weight[9] * x; \
            g += weight[12] * x; \
            h += weight[13] * x; \
        } \
    } while (0)

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
/* Two inputs at a time, in the halves of a word, where a Cortex multiplies and adds two at once; the sums are the same. */
SER_INLINE int32_t add_two(int32_t sum, uint32_t weights, uint32_t inputs)
{
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(weights), "r"(inputs));
    return sum;
}

/* What two outputs, of four weights, hear of two inputs. */
SER_INLINE void hear_two(const uint8_t *weight, uint32_t inputs, int32_t *one, int32_t *other)
{
    uint32_t four, two;
    memcpy(&four, weight, sizeof four);
    __asm__("uxtb16 %0, %1" : "=r"(two) : "r"(four));
    *one = add_two(*one, two, inputs);
    __asm__("uxtb16 %0, %1, ror #8" : "=r"(two) : "r"(four));
    *other = add_two(*other, two, inputs);
}

#define HEAR_TWO(i) \
    do { \
        uint32_t x; \
        memcpy(&x, in + (i), sizeof x); \
        if (!sparse || x != 0) { \
            hear_two(weights + 8 * (i), x, &a, &b); \
            hear_two(weights + 8 * (i) + 4, x, &c, &d); \
            hear_two(weights + 8 * (i) + 8, x, &e, &f); \
            hear_two(weights + 8 * (i) + 12, x, &g, &h); \
        } \
    } while (0)
#else
#define HEAR_TWO(i) \
    HEAR(i); \
    HEAR((i) + 1)
#endif

static int32_t total(const int16_t *x, const int16_t *end)
{
    int32_t sum = 0;
    for (; end - x >= 4; x += 4) {
        sum += x[0] + x[1] + x[2] + x[3];
    }
    for (; x < end; x++) {
        sum += *x;
    }
    return sum;
}

/* One layer, or those of its outputs that do not hear its inputs from deaf_from to deaf_to, both even or the end: what it hears
   are whole steps of its inputs. Integers add up to the same sum in any order; factors hold the
   units of weights and inputs. Outputs of the last layer go to `last`; others, to `next`, as steps of the next layer's inputs,
   `steps` to 1, from `lowest` (0 after a relu, otherwise -$limit) to $limit. */
SER_INLINE void add_up(const int16_t *first, int inputs, int deaf_from, int deaf_to, const uint8_t *weights, const float *biases,
                       const float *factors, int outputs, float lowest, float steps, int16_t *next, float *last, int sparse)
{
    /* what the $offset make of every sum */
    const int32_t excess = $offset * (total(first, first + deaf_from) + total(first + deaf_to, first + inputs));
    for (int k = 0; k < outputs; k += 8) {
        int32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
        const int16_t *in = first, *end = first + deaf_from;
        for (;;) {
            for (const int16_t *const eights = in + ((end - in) / 8) * 8; in < eights; in += 8, weights += 64) {
                HEAR_TWO(0);
                HEAR_TWO(2);
                HEAR_TWO(4);
                HEAR_TWO(6);
            }
            for (const int16_t *const pairs = in + ((end - in) / 2) * 2; in < pairs; in += 2, weights += 16) {
                HEAR_TWO(0);
            }
            if (in < end) {
                HEAR(0);
                weights += 16;
            }
            if (end == first + inputs) {
                break;
            }
            in = first + deaf_to;
            end = first + inputs;
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

/* Of columns, which are hardly ever zero. */
static void add_first(const int16_t *first, int inputs, int deaf_from, int deaf_to, const uint8_t *weights, const float *biases,
                      const float *factors, int outputs, float lowest, float steps, int16_t *next, float *last)
{
    add_up(first, inputs, deaf_from, deaf_to, weights, biases, factors, outputs, lowest, steps, next, last, 0);
}
$further
