
/* Weights as int8, of outputs 0, 2, 4 ... plus $offset: bytes without a sign are the quicker to read. Eight outputs' weights of two inputs lie
   side by side: four times two of the first input's and two of the second's. Outputs are made up to a multiple of eight by zeros, inputs to
   one of two; a sum times factor, plus bias. Networks side by side have a block each; inputs that some outputs do not hear are left out. */
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
            b += (int8_t)weight[1] * x; \
            c += weight[4] * x; \
            d += (int8_t)weight[5] * x; \
            e += weight[8] * x; \
            f += (int8_t)weight[9] * x; \
            g += weight[12] * x; \
            h += (int8_t)weight[13] * x; \
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
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(two) : "r"(four));
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

#if defined(__XTENSA__) && defined(__GNUC__) && XCHAL_HAVE_MAC16 && XCHAL_HAVE_LOOPS && !defined(SER_WITHOUT_MAC16)
#define SUMS_OF_40_BITS 1
#endif
#ifdef SUMS_OF_40_BITS
#define HEAR_EACH static SER_NOT_INLINE
/* An ESP32 multiplies halves of words, adds to a sum of 40 bits and reads the next word, all in one instruction: two inputs to m0 or m1, two
   outputs' weights of two inputs to m2 or m3. In a round none of these is read both before and after a new word comes to it: QEMU 7.2 goes by
   the old one then. Of 2 * pairs inputs, from a word on, what the first output hears, and what the second one does. */
static SER_NOT_INLINE void hear_two_of_many(const int16_t *inputs, const uint8_t *weights, int pairs, int32_t *one, int32_t *other)
{
    const int rounds = (pairs - 1) / 2, last_two = pairs % 2 == 0;
    uintptr_t x = (uintptr_t)inputs - 4, w = (uintptr_t)weights;
    int32_t low = 0, high = 0;
    uint32_t word;
    __asm__ volatile("wsr %[low], acclo\n"
                     "wsr %[low], acchi\n"
                     "ldinc m0, %[x]\n"
                     "loopnez %[rounds], 1f\n"
                     "l32i %[word], %[w], 0\n"
                     "and %[word], %[word], %[even]\n"
                     "mula.da.ll.ldinc m1, %[x], m0, %[word]\n"
                     "mula.da.hh m0, %[word]\n"
                     "l32i %[word], %[w], 16\n"
                     "and %[word], %[word], %[even]\n"
                     "mula.da.ll.ldinc m0, %[x], m1, %[word]\n"
                     "mula.da.hh m1, %[word]\n"
                     "addi %[w], %[w], 32\n"
                     "1:\n"
                     "l32i %[word], %[w], 0\n"
                     "and %[word], %[word], %[even]\n"
                     "mula.da.ll m0, %[word]\n"
                     "mula.da.hh m0, %[word]\n"
                     "loopnez %[more], 2f\n"
                     "ldinc m1, %[x]\n"
                     "l32i %[word], %[w], 16\n"
                     "and %[word], %[word], %[even]\n"
                     "mula.da.ll m1, %[word]\n"
                     "mula.da.hh m1, %[word]\n"
                     "2:\n"
                     "rsr %[low], acclo\n"
                     : [x] "+&r"(x), [w] "+&r"(w), [low] "+&r"(low), [word] "=&r"(word)
                     : [rounds] "r"(rounds), [more] "r"(last_two), [even] "r"(0x00ff00ff)
                     : "memory");
    *one += low;
    /* half a word is the first one's weight and 256 times the second's: so is what it hears, from which the first one's is taken off */
    x = (uintptr_t)inputs - 4;
    w = (uintptr_t)weights - 4;
    high = low > 0 ? -1 : 0;
    low = -low;
    __asm__ volatile("wsr %[low], acclo\n"
                     "wsr %[high], acchi\n"
                     "ldinc m0, %[x]\n"
                     "ldinc m2, %[w]\n"
                     "addi %[w], %[w], 12\n"
                     "loopnez %[rounds], 1f\n"
                     "mula.dd.ll.ldinc m1, %[x], m0, m2\n"
                     "mula.dd.hh.ldinc m3, %[w], m0, m2\n"
                     "addi %[w], %[w], 12\n"
                     "mula.dd.ll.ldinc m0, %[x], m1, m3\n"
                     "mula.dd.hh.ldinc m2, %[w], m1, m3\n"
                     "addi %[w], %[w], 12\n"
                     "1:\n"
                     "mula.dd.ll m0, m2\n"
                     "mula.dd.hh m0, m2\n"
                     "loopnez %[more], 2f\n"
                     "ldinc m1, %[x]\n"
                     "ldinc m3, %[w]\n"
                     "mula.dd.ll m1, m3\n"
                     "mula.dd.hh m1, m3\n"
                     "2:\n"
                     "rsr %[low], acclo\n"
                     "rsr %[high], acchi\n"
                     : [x] "+&r"(x), [w] "+&r"(w), [low] "+&r"(low), [high] "+&r"(high)
                     : [rounds] "r"(rounds), [more] "r"(last_two)
                     : "memory");
    *other += (int32_t)((uint32_t)high << 24 | (uint32_t)low >> 8);
}
#else
#define HEAR_EACH SER_INLINE
#endif

static SER_NOT_INLINE int32_t total(const int16_t *x, const int16_t *end)
{
    int32_t sum = 0;
#ifdef SUMS_OF_40_BITS
    if ((uintptr_t)x % 4 == 0 && end - x >= 4) {
        uintptr_t before = (uintptr_t)x - 4;
        const uint32_t rounds = (uint32_t)(end - x) / 4;
        __asm__ volatile("wsr %[ones], m2\n"
                         "wsr %[sum], acclo\n"
                         "wsr %[sum], acchi\n"
                         "loopnez %[rounds], 1f\n"
                         "ldinc m0, %[x]\n"
                         "mula.dd.ll.ldinc m1, %[x], m0, m2\n"
                         "mula.dd.hh m0, m2\n"
                         "mula.dd.ll m1, m2\n"
                         "mula.dd.hh m1, m2\n"
                         "1:\n"
                         "rsr %[sum], acclo\n"
                         : [x] "+&r"(before), [sum] "+&r"(sum)
                         : [ones] "r"(0x00010001), [rounds] "r"(rounds)
                         : "memory");
        x += 4 * rounds;
    }
#endif
    for (; end - x >= 4; x += 4) {
        sum += x[0] + x[1] + x[2] + x[3];
    }
    for (; x < end; x++) {
        sum += *x;
    }
    return sum;
}

/* Adds to sums what eight outputs hear of the inputs up to `end`. Returns where the weights of what comes next are. */
HEAR_EACH const uint8_t *hear_each(const int16_t *in, const int16_t *end, const uint8_t *weights, int32_t *sums, int sparse)
{
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3], e = sums[4], f = sums[5], g = sums[6], h = sums[7];
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
    const int32_t heard[8] = {a, b, c, d, e, f, g, h};
    memcpy(sums, heard, sizeof heard);
    return weights;
}

SER_INLINE const uint8_t *hear(const int16_t *in, const int16_t *end, const uint8_t *weights, int32_t *sums, int sparse)
{
#ifdef SUMS_OF_40_BITS
    const int pairs = (int)(end - in) / 2;
    if (!sparse && pairs > 0 && ((uintptr_t)in | (uintptr_t)weights) % 4 == 0) {
        for (int i = 0; i < 8; i += 2) {
            hear_two_of_many(in, weights + 2 * i, pairs, &sums[i], &sums[i + 1]);
        }
        in += 2 * pairs;
        weights += 16 * pairs;
    }
    if (in == end) {
        return weights;
    }
    sparse = 1; /* of one that is not, hardly any are left */
#endif
    return hear_each(in, end, weights, sums, sparse);
}

/* One layer, or those of its outputs that do not hear its inputs from deaf_from to deaf_to, both even or the end: what it hears
   are whole steps of its inputs. Integers add up to the same sum in any order; factors hold the
   units of weights and inputs. Outputs of the last layer go to `last`; others, to `next`, as steps of the next layer's inputs,
   `steps` to 1, from `lowest` (0 after a relu, otherwise -$limit) to $limit. */
SER_INLINE void add_up(const int16_t *first, int inputs, int deaf_from, int deaf_to, const uint8_t *weights, const float *biases,
                       const float *factors, int outputs, float lowest, float steps, int16_t *next, float *last, int sparse)
{
    /* what the $offset make of every other sum */
    const int32_t excess = $offset * (total(first, first + deaf_from) + total(first + deaf_to, first + inputs));
    for (int k = 0; k < outputs; k += 8) {
        int32_t sums[8] = {-excess, 0, -excess, 0, -excess, 0, -excess, 0};
        for (const int16_t *in = first, *end = first + deaf_from;; in = first + deaf_to, end = first + inputs) {
            weights = hear(in, end, weights, sums, sparse);
            if (end == first + inputs) {
                break;
            }
        }
        const int32_t *sum = sums;
        for (const float *const done = factors + (outputs - k < 8 ? outputs - k : 8); factors < done; factors++, biases++, sum++) {
            const float value = (float)*sum * *factors + *biases;
            if (last) {
                *last++ = value;
            } else {
                *next++ = nearest(ser_minf(ser_maxf(value * steps, lowest), $limit));
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
