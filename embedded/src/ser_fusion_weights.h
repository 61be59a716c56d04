/* Generated from fusion/loglinear.py by `python -m speech_emotion.generate`; do not edit. */
#ifndef SER_FUSION_WEIGHTS_H
#define SER_FUSION_WEIGHTS_H

#ifndef SER_FUSION_VOICE
#define SER_FUSION_VOICE 0.7f
#endif
#ifndef SER_FUSION_FACE
#define SER_FUSION_FACE 0.7f
#endif
#define SER_FUSION_FLOOR 5e-05f

#endif
