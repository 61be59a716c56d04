/*
 * Included last by the sources in which a hop's time is spent: what is compiled for size is compiled for speed there. That
 * costs a kilobyte of flash and saves a tenth of the work on a Cortex-M4.
 *
 * Not on a Cortex-M0+, which has too few registers for it. Only where GCC compiles and is what measure/ counts with: not on an ESP32, whose instructions are counted in LLVM code.
 */
#ifndef SER_HOT_H
#define SER_HOT_H

#if defined(__OPTIMIZE_SIZE__) && defined(__GNUC__) && !defined(__clang__) && !defined(__XTENSA__) && !defined(__ARM_ARCH_6M__)
#pragma GCC optimize("O2")
#endif

#endif
