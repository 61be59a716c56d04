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

#if !SER_VECTORS
/* Sums of products of four outputs with one tap's inputs, four at a time: weights has four of the first output, four of the second
   ... that go with them. */
SER_IN_RAM static void add_tap(const uint8_t *weights, const uint8_t *x, int inputs, uint32_t *sums)
{
    const uint8_t *const end = x + inputs;
    uint32_t sum0 = sums[0];
    uint32_t sum1 = sums[1];
    uint32_t sum2 = sums[2];
    uint32_t sum3 = sums[3];
    for (; x < end; x += 4, weights += 16) {
        const uint32_t a = x[0];
        const uint32_t b = x[1];
        const uint32_t c = x[2];
        const uint32_t d = x[3];
        sum0 += weights[0] * a + weights[1] * b + weights[2] * c + weights[3] * d;
        sum1 += weights[4] * a + weights[5] * b + weights[6] * c + weights[7] * d;
        sum2 += weights[8] * a + weights[9] * b + weights[10] * c + weights[11] * d;
        sum3 += weights[12] * a + weights[13] * b + weights[14] * c + weights[15] * d;
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
    sums[3] = sum3;
}
#endif

#if !SER_VECTORS
/* A sum of products times its multiplier, 0 to SER_ENCODER_MOST. */
SER_IN_RAM static uint8_t output_of(int32_t sum, int32_t multiplier)
{
    if (sum <= 0) {
        return 0;
    }
    const uint64_t half = (uint64_t)1 << (SER_ENCODER_SHIFT - 1);
    const uint64_t scaled = ((uint64_t)(uint32_t)sum * (uint32_t)multiplier + half) >> SER_ENCODER_SHIFT;
    return (uint8_t)(scaled > SER_ENCODER_MOST ? SER_ENCODER_MOST : scaled);
}
#endif

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

/* A layer's latest inputs, four at a time as often as a vector of weights has them; the weights of four outputs follow each other. */
typedef struct {
    uint8_t bytes[4 * SER_ENCODER_HISTORY];
    int groups;
    uint32_t sum;
} ser_encoder_inputs;

/* The first layer's inputs have 8 bits: products and their sums of two take 16 and more. */
SER_INLINE __m128i first_sums(const uint8_t *weights, const ser_encoder_inputs *inputs)
{
    ser_vector all = _mm256_setzero_si256();
    for (int i = 0; i < inputs->groups; i++) {
        all = _mm256_add_epi32(all, ser_bytes_4x4(weights + 16 * i, inputs->bytes + 16 * i));
    }
    return _mm_sub_epi32(ser_add_neighbours_8(all), _mm_set1_epi32((int32_t)(inputs->sum * SER_ENCODER_OFFSET)));
}

/* The other layers' inputs have 7 bits: two products with a weight, which has 8 and a sign once the offset is off, are at most
   2 127 128 in size, and fit 16. */
SER_INLINE __m128i later_sums(const uint8_t *weights, const ser_encoder_inputs *inputs)
{
    ser_vector all = _mm256_setzero_si256();
    int i;
    for (i = 0; i + 2 <= inputs->groups; i += 2) {
        all = _mm256_add_epi32(all, ser_signed_bytes_4x8(ser_load_8(weights + 16 * i), ser_load_8(inputs->bytes + 16 * i)));
    }
    if (i < inputs->groups) {
        all = _mm256_add_epi32(all, ser_signed_bytes_4x8(ser_load_4(weights + 16 * i), ser_load_4(inputs->bytes + 16 * i)));
    }
    return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

/* One layer's output from its latest inputs. */
SER_IN_RAM static void convolve(const ser_encoder *encoder, const ser_encoder_layer *layer, int latest, uint8_t *out)
{
    ser_encoder_inputs inputs;
    const uint8_t *x = NULL;
    uint8_t *to = inputs.bytes;
    uint32_t sum = 0;
    for (int tap = 0; tap < SER_ENCODER_TAPS; tap++) {
        x = tap_of(encoder, layer, latest, (SER_ENCODER_TAPS - 1 - tap) * layer->dilation);
        for (const uint8_t *next = x, *end = x + layer->inputs; next < end; next += 4, to += 16) {
            ser_repeat_4(to, next);
            sum += (uint32_t)next[0] + next[1] + next[2] + next[3];
        }
    }
    inputs.groups = (int)(to - inputs.bytes) / 16;
    inputs.sum = sum;
    const int is_first = layer == ser_encoder_layers;
    for (int o = 0; o < layer->outputs; o += 4) {
        const uint8_t *weights = layer->weights + 4 * o * inputs.groups;
        __m128i made = outputs_of(is_first ? first_sums(weights, &inputs) : later_sums(weights, &inputs), layer, o);
        if (layer->residual) {
            made = _mm_min_epi32(_mm_add_epi32(made, ser_bytes_4(x + o)), _mm_set1_epi32(SER_ENCODER_MOST));
        }
        ser_store_bytes_4(out + o, made);
    }
}
#else
/* One layer's output from its latest inputs. */
SER_IN_RAM static void convolve(const ser_encoder *encoder, const ser_encoder_layer *layer, int latest, uint8_t *out)
{
    const uint8_t *taps[SER_ENCODER_TAPS];
    const uint8_t *weights = layer->weights;
    uint32_t sum = 0;
    for (int tap = 0; tap < SER_ENCODER_TAPS; tap++) {
        const uint8_t *x = tap_of(encoder, layer, latest, (SER_ENCODER_TAPS - 1 - tap) * layer->dilation);
        for (int i = 0; i < layer->inputs; i++) {
            sum += x[i];
        }
        taps[tap] = x;
    }
    const uint8_t *newest = taps[SER_ENCODER_TAPS - 1];
    for (int o = 0; o < layer->outputs; o += 4) {
        uint32_t sums[4] = {0, 0, 0, 0};
        for (int tap = 0; tap < SER_ENCODER_TAPS; tap++) {
            add_tap(weights, taps[tap], layer->inputs, sums);
            weights += 4 * layer->inputs;
        }
        for (int i = 0; i < 4; i++) {
            const int32_t products = (int32_t)sums[i] - (int32_t)sum * SER_ENCODER_OFFSET + layer->bias[o + i];
            const int made = output_of(products, layer->multipliers[o + i]) + (layer->residual ? newest[o + i] : 0);
            out[o + i] = (uint8_t)(made > SER_ENCODER_MOST ? SER_ENCODER_MOST : made);
        }
    }
}
#endif

/* The levels' distances from their means, the latter moved first, as bytes. */
static void distances(ser_encoder *encoder, const int32_t *mel, uint8_t *out)
{
    if (encoder->heard < SER_ENCODER_MEMORY) {
        encoder->heard++;
    }
    const int64_t share = ser_encoder_shares[encoder->heard - 1];
    for (int band = 0; band < SER_MELS; band++) {
        const int32_t level = mel[band] * (1 << (SER_ENCODER_MEAN_BITS - SER_BITS_MEL));
        const int64_t step = (level - encoder->means[band]) * share + (1 << (SER_ENCODER_RECIPROCAL_BITS - 1));
        const int32_t mean = encoder->means[band] + (int32_t)(step >> SER_ENCODER_RECIPROCAL_BITS);
        const int32_t distance = ser_rounded(level - mean, SER_ENCODER_STEP_BITS);
        encoder->means[band] = mean;
        out[band] = (uint8_t)(SER_ENCODER_OFFSET + (distance > SER_ENCODER_MOST    ? SER_ENCODER_MOST
                                                    : distance < -SER_ENCODER_MOST ? -SER_ENCODER_MOST
                                                                                   : distance));
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
