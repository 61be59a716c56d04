/* The nearest whole number, halves to even, within +-limit < 2^15: adding 3 * 2^22 leaves no bit for fractions, and the
   number itself in the lowest bits. */
static int16_t whole(float value, float limit)
{
    return (int16_t)(uint16_t)ser_bits(clip(value, limit) + 12582912.0f);
}
