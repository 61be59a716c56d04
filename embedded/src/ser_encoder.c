#include "ser_encoder.h"

#if SER_WITH_ENCODER

#include "ser_fixed.h"
#include "ser_in_ram.h"
#include "ser_slots.h"
#include "ser_vectors.h"

#include <string.h>

void ser_encoder_reset(ser_encoder *encoder)
{
    const ser_encoder_layer *first = ser_encoder_layers;
    memset(encoder, 0, sizeof *encoder);
    memset(encoder->history + first->history, SER_ENCODER_OFFSET, (size_t)first->frames * first->inputs);
}

static const uint8_t *tap_of(const ser_encoder *encoder, const ser_encoder_layer *layer, int latest, int back)
{
    const int place = latest - back < 0 ? latest - back + layer->frames : latest - back;
    return encoder->history + layer->history + place * layer->inputs;
}

#if SER_VECTORS
/* The sums of products of four outputs become outputs, as output_of says. */
SER_INLINE __m128i outputs_of(__m128i sums, const ser_encoder_layer *layer, int o)
{
    const ser_vector half = _mm256_set1_epi64x((int64_t)1 << (SER_ENCODER_SHIFT - 1));
    const __m128i biased = _mm_add_epi32(sums, _mm_loadu_si128((const __m128i_u *)(layer->bias + o)));
    const ser_vector positive = _mm256_cvtepu32_epi64(_mm_max_epi32(biased, _mm_setzero_si128()));
    const ser_vector multipliers = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i_u *)(layer->multipliers + o)));
    const ser_vector scaled = _mm256_srli_epi64(_mm256_add_epi64(_mm256_mul_epu32(positive, multipliers), half), SER_ENCODER_SHIFT);
    /* below 2^28: high halves are zero */
    const ser_vector packed = _mm256_permutevar8x32_epi32(scaled, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
    return _mm_min_epu32(_mm256_castsi256_si128(packed), _mm_set1_epi32(SER_ENCODER_MOST));
}

/* A layer's latest inputs, four at a time as often as a vector of weights has them; and how many words on the next four's weights
   are. */
typedef struct {
    uint8_t bytes[4 * SER_ENCODER_HISTORY];
    int groups, step;
    int32_t sum;
} ser_encoder_inputs;

/* The first layer's inputs have 8 bits: products and their sums of two take 16 and more. */
SER_INLINE __m128i first_sums(const uint32_t *weights, const ser_encoder_inputs *inputs)
{
    ser_vector all = _mm256_setzero_si256();
    for (int i = 0; i < inputs->groups; i++) {
        all = _mm256_add_epi32(all, ser_bytes_4x4(ser_columns_4x4(weights + i * inputs->step), inputs->bytes + 16 * i));
    }
    return _mm_sub_epi32(ser_add_neighbours_8(all), _mm_set1_epi32(inputs->sum * SER_ENCODER_OFFSET));
}

/* The other layers' inputs have 7 bits: two products with a weight, which has 8 and a sign once the offset is off, are at most
   2 127 128 in size, and fit 16. */
SER_INLINE __m128i later_sums(const uint32_t *weights, const ser_encoder_inputs *inputs)
{
    ser_vector all = _mm256_setzero_si256();
    int i;
    for (i = 0; i + 2 <= inputs->groups; i += 2, weights += 2 * inputs->step) {
        const ser_vector rows = ser_join_4(ser_columns_4x4(weights), ser_columns_4x4(weights + inputs->step));
        all = _mm256_add_epi32(all, ser_signed_bytes_4x8(rows, ser_load_8(inputs->bytes + 16 * i)));
    }
    if (i < inputs->groups) {
        const ser_vector rows = _mm256_zextsi128_si256(ser_columns_4x4(weights));
        all = _mm256_add_epi32(all, ser_signed_bytes_4x8(rows, ser_load_4(inputs->bytes + 16 * i)));
    }
    return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

/* One layer's output from its latest inputs. */
SER_IN_RAM static void convolve(const ser_encoder *encoder, const ser_encoder_layer *layer, int latest, uint8_t *out)
{
    const int is_first = layer == ser_encoder_layers;
    ser_encoder_inputs inputs;
    const uint8_t *x = NULL;
    uint8_t *to = inputs.bytes;
    int32_t sum = 0;
    for (int tap = 0; tap < SER_ENCODER_TAPS; tap++) {
        x = tap_of(encoder, layer, latest, (SER_ENCODER_TAPS - 1 - tap) * layer->dilation);
        for (const uint8_t *next = x, *end = x + layer->inputs; next < end; next += 4, to += 16) {
            ser_repeat_4(to, next);
            sum += next[0] + next[1] + next[2] + next[3];
        }
    }
    inputs.groups = (int)(to - inputs.bytes) / 16;
    inputs.step = layer->outputs;
    inputs.sum = is_first ? sum - 4 * inputs.groups * SER_ENCODER_OFFSET : sum;
    for (int o = 0; o < layer->outputs; o += 4) {
        const uint32_t *weights = layer->weights + o;
        __m128i made = outputs_of(is_first ? first_sums(weights, &inputs) : later_sums(weights, &inputs), layer, o);
        if (layer->residual) {
            made = _mm_min_epi32(_mm_add_epi32(made, ser_bytes_4(x + o)), _mm_set1_epi32(SER_ENCODER_MOST));
        }
        ser_store_bytes_4(out + o, made);
    }
}
#else
/* Weights and sums of two outputs lie in the halves of a word: one product serves both. A half has room for the products of inputs that
   are this together, as a weight is 255 at most. */
#define TOGETHER 257U

/* An input that is not zero, or what ends those that are added up in halves of words. */
typedef struct {
    uint16_t size; /* without its sign; 0: the end, twice: of all */
    uint16_t step; /* words from the one's weights before it to its own */
} ser_encoder_heard;

/* One input of a tap, and no two of up to 127 each are more than TOGETHER. */
typedef struct {
    ser_encoder_heard heard[SER_ENCODER_MOST_INPUTS + SER_ENCODER_MOST_INPUTS / 2 + 2];
} ser_encoder_tap;

/* What is listed so far. */
typedef struct {
    ser_encoder_heard *heard; /* the next */
    uint32_t sum, limit;      /* of sizes; from where on they are no longer together */
    int step;                 /* from the latest one's weights to those of the input that is looked at, or a few before it */
} ser_encoder_list;

/* further: how many inputs behind that. */
SER_INLINE void append(ser_encoder_list *list, int size, int further)
{
    if (size > 0) {
        list->sum += (uint32_t)size;
        SER_AS_IT_IS(list->sum);
        if (list->sum > list->limit) {
            list->heard++->size = 0;
            list->limit = list->sum - (uint32_t)size + TOGETHER;
        }
        list->heard->size = (uint16_t)size;
        list->heard->step = (uint16_t)(list->step + further);
        list->heard++;
        list->step = -further;
    }
}

/* Lists a tap's inputs above the middle, or those below it, of whose next four the weights are `step` words on. Returns their sum,
   without signs. */
SER_INLINE uint32_t gather(ser_encoder_tap *tap, const uint8_t *x, int inputs, int step, int middle, int below)
{
    ser_encoder_list list = {tap->heard, 0, TOGETHER, 0};
    for (const uint8_t *const end = x + inputs; x < end; x += 4, list.step += step) {
        append(&list, below ? middle - x[0] : x[0] - middle, 0);
        append(&list, below ? middle - x[1] : x[1] - middle, 1);
        append(&list, below ? middle - x[2] : x[2] - middle, 2);
        append(&list, below ? middle - x[3] : x[3] - middle, 3);
    }
    list.heard[0].size = 0;
    list.heard[1].size = 0;
    return list.sum;
}

SER_IN_RAM SER_NOT_INLINE static uint32_t gather_above(ser_encoder_tap *tap, const uint8_t *x, int inputs, int step, int middle)
{
    return gather(tap, x, inputs, step, middle, 0);
}

SER_IN_RAM SER_NOT_INLINE static uint32_t gather_below(ser_encoder_tap *tap, const uint8_t *x, int inputs, int step, int middle)
{
    return gather(tap, x, inputs, step, middle, 1);
}

/* The sums of four outputs in words: of the first and the third as one number, of the second and the fourth, each 2^16 times the latter
   more; and of the third and the fourth. */
typedef struct {
    uint32_t even, odd, third, fourth;
} ser_encoder_sums;

SER_INLINE void add_sums(ser_encoder_sums *sums, uint32_t even, uint32_t odd)
{
    const uint32_t third = even >> 16;
    odd -= third << 8; /* what the third output's weight has done there */
    sums->even += even;
    sums->odd += odd;
    sums->third += third;
    sums->fourth += odd >> 16;
}

#define HEAR(n) \
    do { \
        const uint32_t word = weights[4 * (n)]; \
        even_##n += (word & halves) * x; \
        odd_##n += (word >> 8) * x; \
    } while (0)

/* Adds what a tap's inputs are to 4 outputs a few times over. A word over 2^8 is the second output's weight and 2^16 times the fourth's, and
   2^8 times the third's, whose part is known when the inputs' products are added up. */
SER_INLINE void hear(const ser_encoder_tap *tap, const uint32_t *weights, ser_encoder_sums *sums, int quads)
{
    uint32_t halves = 0x00ff00ffU;
    const ser_encoder_heard *heard = tap->heard;
    uint32_t x = heard->size;
    SER_AS_IT_IS(x); /* or it is thought to have halves, and the higher is cleared again */
    while (x != 0) {
        uint32_t even_0 = 0, even_1 = 0, even_2 = 0, even_3 = 0, odd_0 = 0, odd_1 = 0, odd_2 = 0, odd_3 = 0;
        SER_AS_IT_IS(halves);
        do {
            weights += heard->step;
            HEAR(0);
            if (quads > 1) {
                HEAR(1);
            }
            if (quads > 2) {
                HEAR(2);
            }
            if (quads > 3) {
                HEAR(3);
            }
            heard++;
            SER_AS_IT_IS(heard);
            x = heard->size;
            SER_AS_IT_IS(x);
        } while (x != 0);
        heard++;
        x = heard->size;
        SER_AS_IT_IS(x);
        SER_AS_IT_IS(sums); /* they stay in memory */
        add_sums(sums, even_0, odd_0);
        if (quads > 1) {
            add_sums(sums + 1, even_1, odd_1);
        }
        if (quads > 2) {
            add_sums(sums + 2, even_2, odd_2);
        }
        if (quads > 3) {
            add_sums(sums + 3, even_3, odd_3);
        }
    }
}

SER_IN_RAM SER_NOT_INLINE static void hear_16(const ser_encoder_tap *tap, const uint32_t *weights, ser_encoder_sums *sums)
{
    hear(tap, weights, sums, 4);
}

SER_IN_RAM SER_NOT_INLINE static void hear_12(const ser_encoder_tap *tap, const uint32_t *weights, ser_encoder_sums *sums)
{
    hear(tap, weights, sums, 3);
}

SER_IN_RAM SER_NOT_INLINE static void hear_4(const ser_encoder_tap *tap, const uint32_t *weights, ser_encoder_sums *sums)
{
    hear(tap, weights, sums, 1);
}

SER_INLINE void hear_all(const ser_encoder_tap *tap, const uint32_t *weights, ser_encoder_sums *sums, int quads)
{
    for (; quads > 3; quads -= 4, weights += 16, sums += 4) {
        hear_16(tap, weights, sums);
    }
    for (; quads > 2; quads -= 3, weights += 12, sums += 3) {
        hear_12(tap, weights, sums);
    }
    for (; quads > 0; quads--, weights += 4, sums++) {
        hear_4(tap, weights, sums);
    }
}

/* A sum of products times its multiplier, 0 to SER_ENCODER_MOST. */
SER_INLINE uint32_t output_of(int32_t sum, int32_t multiplier)
{
    const uint32_t size = sum > 0 ? (uint32_t)sum : 0;
    const uint32_t rest = (size * (uint32_t)multiplier >> (SER_ENCODER_SHIFT - 1)) + 1; /* two bits, and what rounds them */
    const uint32_t scaled = 2 * ser_umulh(size, (uint32_t)multiplier) + (rest >> 1);
    return scaled > SER_ENCODER_MOST ? SER_ENCODER_MOST : scaled;
}
typedef char ser_encoder_shift_is_31[SER_ENCODER_SHIFT == 31 ? 1 : -1];

/* A layer's outputs from the sums, from each of which the excess is to be taken; more: what is added to them, or NULL. */
SER_IN_RAM static void finish(const ser_encoder_layer *layer, const ser_encoder_sums *sums, uint32_t excess, const uint8_t *more, uint8_t *out)
{
    const int32_t *bias = layer->bias;
    const int32_t *multipliers = layer->multipliers;
    for (const uint8_t *const end = out + layer->outputs; out < end; out += 4, bias += 4, multipliers += 4, sums++) {
        const uint32_t third = sums->third - excess, fourth = sums->fourth - excess;
        const uint32_t first = sums->even - (sums->third << 16) - excess;
        const uint32_t second = sums->odd - (sums->fourth << 16) - excess;
        uint32_t a = output_of((int32_t)first + bias[0], multipliers[0]);
        uint32_t b = output_of((int32_t)second + bias[1], multipliers[1]);
        uint32_t c = output_of((int32_t)third + bias[2], multipliers[2]);
        uint32_t d = output_of((int32_t)fourth + bias[3], multipliers[3]);
        if (more != NULL) {
            a += more[0];
            b += more[1];
            c += more[2];
            d += more[3];
            more += 4;
        }
        out[0] = (uint8_t)(a > SER_ENCODER_MOST ? SER_ENCODER_MOST : a);
        out[1] = (uint8_t)(b > SER_ENCODER_MOST ? SER_ENCODER_MOST : b);
        out[2] = (uint8_t)(c > SER_ENCODER_MOST ? SER_ENCODER_MOST : c);
        out[3] = (uint8_t)(d > SER_ENCODER_MOST ? SER_ENCODER_MOST : d);
    }
}

/* One layer's output from its latest inputs. */
SER_IN_RAM static void convolve(const ser_encoder *encoder, const ser_encoder_layer *layer, int latest, uint8_t *out)
{
    const int outputs = layer->outputs;
    const int middle = layer == ser_encoder_layers ? SER_ENCODER_OFFSET : 0;
    ser_encoder_tap tap;
    ser_encoder_sums sums[SER_ENCODER_WIDEST / 4];
    uint32_t sum = 0; /* of the inputs */
    const uint8_t *x = NULL;
    memset(sums, 0, sizeof sums);
    /* inputs below zero first, whose sums are then turned round */
    for (int below = middle > 0; below >= 0; below--) {
        const uint32_t *weights = layer->weights;
        for (int i = 0; i < SER_ENCODER_TAPS; i++, weights += layer->inputs * (outputs / 4)) {
            x = tap_of(encoder, layer, latest, (SER_ENCODER_TAPS - 1 - i) * layer->dilation);
            sum += (below ? gather_below : gather_above)(&tap, x, layer->inputs, outputs, middle);
            hear_all(&tap, weights, sums, outputs / 4);
        }
        if (below) {
            sum = 0U - sum;
            for (int i = 0; i < outputs / 4; i++) {
                sums[i].even = 0U - sums[i].even;
                sums[i].odd = 0U - sums[i].odd;
                sums[i].third = 0U - sums[i].third;
                sums[i].fourth = 0U - sums[i].fourth;
            }
        }
    }
    finish(layer, sums, sum * SER_ENCODER_OFFSET, layer->residual ? x : NULL, out);
}
#endif

/* The levels' distances from their means, the latter moved first, as bytes. settled: as many frames are heard as the mean remembers, a
   power of two. */
SER_INLINE void move_means(int32_t *means, const int32_t *mel, int32_t share, int settled, uint8_t *out)
{
    for (const uint8_t *const end = out + SER_MELS; out < end; out++, means++, mel++) {
        const int32_t level = *mel * (1 << (SER_ENCODER_MEAN_BITS - SER_BITS_MEL));
        const int32_t away = level - *means;
        const int64_t step = (int64_t)away * share + (1 << (SER_ENCODER_RECIPROCAL_BITS - 1));
        const int32_t mean = *means + (settled ? ser_rounded(away, SER_ENCODER_MEMORY_BITS) : (int32_t)(step >> SER_ENCODER_RECIPROCAL_BITS));
        const int32_t distance = ser_rounded(level - mean, SER_ENCODER_STEP_BITS);
        *means = mean;
        *out = (uint8_t)(SER_ENCODER_OFFSET + (distance > SER_ENCODER_MOST    ? SER_ENCODER_MOST
                                               : distance < -SER_ENCODER_MOST ? -SER_ENCODER_MOST
                                                                              : distance));
    }
}

static void distances(ser_encoder *encoder, const int32_t *mel, uint8_t *out)
{
    if (encoder->heard < SER_ENCODER_MEMORY) {
        encoder->heard++;
    }
    if (encoder->heard == SER_ENCODER_MEMORY && SER_ENCODER_MEMORY == 1 << SER_ENCODER_MEMORY_BITS) {
        move_means(encoder->means, mel, 0, 1, out);
    } else {
        move_means(encoder->means, mel, (int32_t)ser_encoder_shares[encoder->heard - 1], 0, out);
    }
}

/* Where a layer's next input goes. */
static uint8_t *place_of(ser_encoder *encoder, int i)
{
    const ser_encoder_layer *layer = ser_encoder_layers + i;
    const int place = encoder->latest[i] + 1 == layer->frames ? 0 : encoder->latest[i] + 1;
    return encoder->history + layer->history + place * layer->inputs;
}

int ser_encoder_push(ser_encoder *encoder, const int32_t *mel, uint8_t *units)
{
    distances(encoder, mel, place_of(encoder, 0) + encoder->together * SER_MELS);
    if (++encoder->together < SER_ENCODER_TOGETHER) {
        return 0;
    }
    encoder->together = 0;
    for (int i = 0; i < SER_ENCODER_LAYERS; i++) {
        const ser_encoder_layer *layer = ser_encoder_layers + i;
        encoder->latest[i] = (uint8_t)(encoder->latest[i] + 1 == layer->frames ? 0 : encoder->latest[i] + 1);
        if (++encoder->waiting[i] < layer->stride) {
            return 0;
        }
        encoder->waiting[i] = 0;
        convolve(encoder, layer, encoder->latest[i], i + 1 < SER_ENCODER_LAYERS ? place_of(encoder, i + 1) : units);
    }
    return 1;
}

void ser_encoder_values(const uint8_t *units, int32_t *values)
{
    int32_t *out = ser_at_encoder_encoder(values);
    for (int i = 0; i < SER_ENCODER_UNITS; i++) {
        out[i] = units[i] * (1 << (SER_BITS_ENCODER - SER_ENCODER_UNIT_BITS));
    }
}

#endif
