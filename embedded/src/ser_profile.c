#include "ser_profile.h"

#include <stddef.h>

#if SER_PROFILE_COLUMNS

extern const int16_t ser_model_usual[SER_PROFILE_COLUMNS]; /* in ser_model.c */

/* a / b, halves away from zero; b > 0. */
static int32_t divided(int32_t a, int32_t b)
{
    return a < 0 ? -((b / 2 - a) / b) : (a + b / 2) / b;
}

static int32_t within(int32_t value, int32_t limit)
{
    return value > limit ? limit : value < -limit ? -limit : value;
}

static uint32_t sum_of(const ser_profile *profile)
{
    /* FNV-1a (Fowler, Noll, Vo), over values and not bytes: padding and byte order do not matter. */
    uint32_t sum = 2166136261U;
    const uint32_t head[4] = {(uint32_t)profile->model, (uint32_t)(profile->model >> 32),
                              profile->known, profile->strange};
    for (int i = 0; i < 4; i++) {
        sum = (sum ^ head[i]) * 16777619U;
    }
    for (int i = 0; i < SER_PROFILE_COLUMNS; i++) {
        sum = (sum ^ (uint16_t)profile->reference[i]) * 16777619U;
        sum = (sum ^ (uint16_t)profile->spread[i]) * 16777619U;
    }
    return sum;
}

void ser_profile_forget(ser_profile *profile)
{
    profile->model = SER_MODEL_ID;
    profile->known = 0;
    profile->strange = 0;
    for (int i = 0; i < SER_PROFILE_COLUMNS; i++) {
        profile->reference[i] = 0;
        profile->spread[i] = ser_model_usual[i];
    }
    profile->check = sum_of(profile);
}

int ser_profile_belongs(const ser_profile *profile)
{
    if (profile->model != SER_MODEL_ID || profile->check != sum_of(profile)) {
        return 0;
    }
    for (int i = 0; i < SER_PROFILE_COLUMNS; i++) {
        if (within(profile->reference[i], SER_PROFILE_FAR) != profile->reference[i] ||
            profile->spread[i] < SER_PROFILE_LEAST_SPREAD || profile->spread[i] > SER_PROFILE_FAR) {
            return 0;
        }
    }
    return 1;
}

int ser_profile_is_strange(const ser_profile *profile)
{
    return profile->strange >= SER_STRANGE_SENTENCES;
}

int ser_profile_known(const ser_profile *profile)
{
    return ser_profile_is_strange(profile) ? 0 : profile->known;
}

/* One column of a sentence against the profile. */
static int32_t adapted(const ser_profile *profile, int i, int32_t steps)
{
    const int32_t away = (steps - profile->reference[i]) * ser_model_usual[i];
    return within(divided(away, profile->spread[i]), SER_PROFILE_TOP);
}

void ser_profile_hear(const ser_profile *profile, const int16_t *steps, int16_t *heard)
{
    if (profile != NULL && ser_profile_known(profile) > 0) {
        for (int i = 0; i < SER_PROFILE_COLUMNS; i++) {
            heard[i] = (int16_t)adapted(profile, i, steps[i]);
        }
        return;
    }
    for (int i = 0; i < SER_PROFILE_COLUMNS; i++) {
        heard[i] = (int16_t)within(steps[i], SER_PROFILE_TOP);
    }
}

void ser_profile_adapt(const ser_profile *profile, int16_t *steps)
{
    ser_profile_hear(profile, steps, steps);
}

/* Whether a sentence is no nearer to the profile than to the training voices. */
static int is_stranger(const ser_profile *profile, const int16_t *steps)
{
    uint64_t with = 0, without = 0;
    for (int i = 0; i < SER_PROFILE_COLUMNS; i++) {
        const int32_t a = adapted(profile, i, steps[i]), b = within(steps[i], SER_PROFILE_TOP);
        with += (uint32_t)(a * a);
        without += (uint32_t)(b * b);
    }
    return with * SER_STRANGE_PER > without * SER_STRANGE_SHARE;
}

int ser_profile_learn(ser_profile *profile, const int16_t *steps)
{
    int learns = 1;
    if (profile->known >= SER_STRANGE_FROM && is_stranger(profile, steps)) {
        profile->strange = (uint16_t)(profile->strange + (profile->strange < 65535));
        if (profile->strange >= SER_STRANGE_FOR_GOOD) {
            ser_profile_forget(profile);
        }
        learns = !ser_profile_is_strange(profile);
    } else {
        profile->strange = 0;
    }
    if (learns) {
        const int32_t known = profile->known;
        const int32_t share = known < SER_PROFILE_MEMORY ? known + 1 : SER_PROFILE_MEMORY;
        for (int i = 0; i < SER_PROFILE_COLUMNS; i++) {
            const int32_t reference = profile->reference[i], spread = profile->spread[i];
            if (known >= SER_PROFILE_SPREAD_FROM) {
                const int32_t own = reference + divided(reference * SER_PROFILE_PRIOR, known);
                int32_t away = within(steps[i] - own, SER_PROFILE_FAR);
                away = away < 0 ? -away : away;
                away = spread + divided(away - spread, share + SER_PROFILE_SPREAD_PRIOR);
                profile->spread[i] =
                    (int16_t)(away < SER_PROFILE_LEAST_SPREAD ? SER_PROFILE_LEAST_SPREAD : away);
            }
            profile->reference[i] =
                (int16_t)(reference + divided(steps[i] - reference, share + SER_PROFILE_PRIOR));
        }
        profile->known = (uint16_t)(known + (known < 65535));
    }
    profile->check = sum_of(profile);
    return learns;
}

#else /* a model that knows no voices */

void ser_profile_forget(ser_profile *profile)
{
    profile->known = 0;
    profile->strange = 0;
}

int ser_profile_belongs(const ser_profile *profile)
{
    return profile->known == 0;
}

int ser_profile_is_strange(const ser_profile *profile)
{
    (void)profile;
    return 0;
}

int ser_profile_known(const ser_profile *profile)
{
    (void)profile;
    return 0;
}

void ser_profile_hear(const ser_profile *profile, const int16_t *steps, int16_t *heard)
{
    (void)profile;
    (void)steps;
    (void)heard;
}

void ser_profile_adapt(const ser_profile *profile, int16_t *steps)
{
    (void)profile;
    (void)steps;
}

int ser_profile_learn(ser_profile *profile, const int16_t *steps)
{
    (void)profile;
    (void)steps;
    return 0;
}

#endif
