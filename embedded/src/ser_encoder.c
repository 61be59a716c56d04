#include "ser_encoder.h"

#if SER_WITH_ENCODER

#include "ser_fixed.h"
#include "ser_slots.h"
#include "ser_vectors.h"

#include <string.h>

void ser_encoder_reset(ser_encoder *encoder)
{
    const ser_encoder_layer *first = ser_encoder_layers;
    memset(encoder, 0, sizeof *encoder);
    memset(encoder->history + first->history, SER_ENCODER_OFFSET, (size_t)first->frames * first->inputs);
}

/* Sums of products of four outputs with one tap's inputs, four at a time: weights has four of the first output, four of the second
   ... that go with them. */
static void add_tap(const uint8_t *weights, const uint8_t *x, int inputs, uint32_t *sums)
{
    const uint8_t *const end = x + inputs;
#if SER_VECTORS
    uint32_t halves[8];
    ser_vector all = _mm256_setzero_si256();
    for (; x < end; x += 4, weights += 16) {
        all = _mm256_add_epi32(all, ser_bytes_4x4(weights, x));
    }
    ser_store_8(halves, all);
    for (int i = 0; i < 4; i++) {
        sums[i] += halves[2 * i] + halves[2 * i + 1];
    }
#else
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
#endif
}

/* A sum of products times its multiplier, 0 to SER_ENCODER_MOST. */
static uint8_t output_of(int32_t sum, int32_t multiplier)
{
    if (sum <= 0) {
        return 0;
    }
    const uint64_t half = (uint64_t)1 << (SER_ENCODER_SHIFT - 1);
    const uint64_t scaled = ((uint64_t)(uint32_t)sum * (uint32_t)multiplier + half) >> SER_ENCODER_SHIFT;
    return (uint8_t)(scaled > SER_ENCODER_MOST ? SER_ENCODER_MOST : scaled);
}

static const uint8_t *tap_of(const ser_encoder *encoder, const ser_encoder_layer *layer, int latest, int back)
{
    const int place = latest - back < 0 ? latest - back + layer->frames : latest - back;
    return encoder->history + layer->history + place * layer->inputs;
}

/* One layer's output from its latest inputs. */
static void convolve(const ser_encoder *encoder, const ser_encoder_layer *layer, int latest, uint8_t *out)
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
