
static float scaled(const int16_t *steps, int i)
{
    return (float)steps[i] * $unit;
}
