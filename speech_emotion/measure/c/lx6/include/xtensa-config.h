/* The ESP32's core as libgcc's assembly asks for it: little-endian, windows, an FPU with the sequences for
 * division and square root (ESP32's own core-isa.h: XCHAL_HAVE_FP_DIV and XCHAL_HAVE_FP_SQRT are 1). */
#ifndef LX6_XTENSA_CONFIG_H
#define LX6_XTENSA_CONFIG_H

#define XCHAL_HAVE_BE 0
#define XCHAL_HAVE_WINDOWED 1
#define XCHAL_HAVE_LOOPS 1
#define XCHAL_HAVE_NSA 1
#define XCHAL_HAVE_MUL32 1
#define XCHAL_HAVE_MUL32_HIGH 0 /* the ESP32 has it, the emulated core has not */
#define XCHAL_HAVE_FP 1
#define XCHAL_HAVE_FP_DIV 1
#define XCHAL_HAVE_FP_SQRT 1

#endif
