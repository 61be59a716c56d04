/* e^x for x <= 0, the same bits on every machine. */
static float power(float x)
{
    return ser_exp2(x * 1.442695f);
}
