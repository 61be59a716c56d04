#include "ser_fusion.h"

#include <stddef.h>

#include "ser_math.h"

/* Between the floor and 1, whatever it is. */
static float kept(float share)
{
    const float least = share > SER_FUSION_FLOOR ? share : SER_FUSION_FLOOR;
    return least < 1.0f ? least : 1.0f;
}

void ser_fuse(const float *voice, const float *face, int labels, float voice_weight, float face_weight,
              float *fused)
{
    float largest = 0.0f;
    float total = 0.0f;
    if (voice == NULL || face == NULL) {
        const float *only = voice != NULL ? voice : face;
        for (int k = 0; k < labels; k++) {
            fused[k] = only != NULL ? only[k] : 0.0f;
        }
        return;
    }
    for (int k = 0; k < labels; k++) {
        const float heard = voice_weight * ser_log2(kept(voice[k]));
        fused[k] = heard + face_weight * ser_log2(kept(face[k]));
        largest = k == 0 ? fused[k] : ser_maxf(largest, fused[k]);
    }
    for (int k = 0; k < labels; k++) {
        fused[k] = ser_exp2(fused[k] - largest);
        total += fused[k];
    }
    for (int k = 0; k < labels; k++) {
        fused[k] = fused[k] / total;
    }
}

float ser_disagreement(const float *voice, const float *face, int labels)
{
    float apart = 0.0f;
    for (int k = 0; k < labels; k++) {
        apart += ser_absf(voice[k] - face[k]);
    }
    return 0.5f * apart;
}
