/* Voice and face as one answer, for a board that hears and gets the face from a neighbour (or the reverse).
 *
 *     float fused[SER_LABELS];
 *     ser_fuse(result.probabilities, neighbour_is_fresh ? face : NULL, SER_LABELS,
 *              SER_FUSION_VOICE, SER_FUSION_FACE, fused);
 *
 * Log-linear: fused[k] ~ voice[k]^voice_weight * face[k]^face_weight. A channel that is missing (NULL) is a term
 * left out: the answer is then the other channel's, to the last bit. Both must be about the same moment and in
 * the same order of labels: a wrong pair is worse than either alone. Weights of your own recordings:
 * `python -m fusion fit`, which prints them as -D options.
 */
#ifndef SER_FUSION_H
#define SER_FUSION_H

#include "ser_fusion_weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/* voice, face: probabilities (labels), or NULL. fused: (labels), may be voice or face itself; zeros where both
 * are missing. Weights from 0 to 4. */
void ser_fuse(const float *voice, const float *face, int labels, float voice_weight, float face_weight,
              float *fused);

/* How far apart the channels are: 0, the same, to 1, no label in common (total variation). */
float ser_disagreement(const float *voice, const float *face, int labels);

#ifdef __cplusplus
}
#endif

#endif
