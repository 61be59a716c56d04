
/* The nearest whole number, halves to even, within +-limit < 2^22: adding 3 * 2^22 leaves no bit
   for fractions. */
static int16_t whole(float value, float limit)
{
    return (int16_t)((clip(value, limit) + 12582912.0f) - 12582912.0f);
}
