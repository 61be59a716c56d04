#include "ser_moments.h"

#include "ser_math.h"
#include "ser_schema.h"

#include <math.h>
#include <string.h>

void ser_moments_reset(ser_moments *m) { memset(m, 0, sizeof *m); }

void ser_moments_add(ser_moments *m, float value, uint32_t frame)
{
    const float before = (float)m->count;
    const float n = before + 1.0f;
    const float share = ser_recip(n);
    const float x = value - (m->count > 0 ? m->origin : value);
    const float d = x - m->mean;
    const float dn = d * share;
    const float square = d * dn * before;
    const float dt = (float)frame - m->time_mean;
    m->m4 += square * dn * dn * (n * n - 3.0f * n + 3.0f) + 6.0f * dn * dn * m->m2 -
             4.0f * dn * m->m3;
    m->m3 += square * dn * (n - 2.0f) - 3.0f * dn * m->m2;
    m->m2 += square;
    m->mean += dn;
    m->time_mean += dt * share;
    m->time_m2 += dt * ((float)frame - m->time_mean);
    m->co += dt * (x - m->mean);
    m->origin = m->count > 0 ? m->origin : value;
    m->low = m->count == 0 || value < m->low ? value : m->low;
    m->high = m->count == 0 || value > m->high ? value : m->high;
    m->count++;
}

/* Of the population; 0 without values. */
static float deviation(const ser_moments *m)
{
    return m->count > 0 ? sqrtf(m->m2 * ser_recip((float)m->count)) : 0.0f;
}

void ser_moments_columns(const ser_moments *m, float columns[SER_MOMENTS_COLUMNS])
{
    const float hops_per_second = (float)SER_SAMPLE_RATE / (float)SER_HOP;
    const float n = (float)m->count;
    int i;
    for (i = 0; i < SER_MOMENTS_COLUMNS; i++) {
        columns[i] = SER_UNDEFINED;
    }
    if (m->count == 0) {
        return;
    }
    columns[0] = m->origin + m->mean;
    columns[1] = deviation(m);
    columns[2] = m->low;
    columns[3] = m->high;
    if (m->m2 > (SER_FLAT * columns[0] * columns[0] + SER_TINY) * n) {
        const float per_square = ser_recip(m->m2);
        columns[4] = m->m3 * per_square * ser_recip(columns[1]);
        columns[5] = m->m4 * per_square * n * per_square - 3.0f;
    }
    if (m->time_m2 > 0.0f) {
        columns[6] = m->co * ser_recip(m->time_m2) * hops_per_second;
    }
}
