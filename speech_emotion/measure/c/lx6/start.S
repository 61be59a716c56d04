/* Start of a program on QEMU's Xtensa "sim" machine, and its exception vectors, whose code is fixed by the
 * windowed ABI (Xtensa ISA Reference Manual, sections on window overflow, underflow and MOVSP). */

/* Registers of a window pane go to the stack and come back as the Xtensa ISA lays down: a0..a3 in the
 * 16 bytes under the next frame, the others under the save area that the caller's stack pointer names. */
#define SPILL4(op, base) op a0, base, -16; op a1, base, -12; op a2, base, -8; op a3, base, -4

    .section .vector.overflow4, "ax"
    SPILL4(s32e, a5)
    rfwo

    .section .vector.underflow4, "ax"
underflow4:
    SPILL4(l32e, a5)
    rfwu

    .section .vector.overflow8, "ax"
    s32e a0, a9, -16
    l32e a0, a1, -12
    s32e a1, a9, -12
    s32e a2, a9, -8
    s32e a3, a9, -4
    .irp r, 4, 5, 6, 7
    s32e a\r, a0, 4 * \r - 48
    .endr
    rfwo

    .section .vector.underflow8, "ax"
underflow8:
    l32e a0, a9, -16
    l32e a1, a9, -12
    l32e a2, a9, -8
    l32e a7, a1, -12
    l32e a3, a9, -4
    .irp r, 4, 5, 6
    l32e a\r, a7, 4 * \r - 48
    .endr
    l32e a7, a7, -20
    rfwu

    .section .vector.overflow12, "ax"
    s32e a0, a13, -16
    l32e a0, a1, -12
    s32e a1, a13, -12
    s32e a2, a13, -8
    s32e a3, a13, -4
    .irp r, 4, 5, 6, 7, 8, 9, 10, 11
    s32e a\r, a0, 4 * \r - 64
    .endr
    rfwo

    .section .vector.underflow12, "ax"
underflow12:
    l32e a0, a13, -16
    l32e a1, a13, -12
    l32e a2, a13, -8
    l32e a11, a1, -12
    l32e a3, a13, -4
    .irp r, 4, 5, 6, 7, 8, 9, 10
    l32e a\r, a11, 4 * \r - 64
    .endr
    l32e a11, a11, -20
    rfwu

/* llvm-mc has no name for the simcall instruction. */
#define SIMCALL .byte 0x00, 0x51, 0x00

/* MOVSP traps (cause 5) while the caller's registers are on the stack, where they are found by the stack
 * pointer about to change: fetch them as an underflow would, then try again. Ends with 100 + its cause for
 * any other exception. */
    .section .vector.kernel, "ax"
    j exception
    .section .vector.user, "ax"
    j exception
    .section .vector.double, "ax"
    j exception

    .section .vector.common, "ax"
    .p2align 2
exception:
    wsr a0, excsave1
    rsr a0, exccause
    beqi a0, 5, movsp
    or a3, a0, a0
    movi a2, 100
    add a3, a3, a2
    movi a2, 1 /* exit */
    SIMCALL
movsp:
    rsr a0, windowbase
    rotw -1 /* a0 is now a4, and a0..a3 are free */
    rsr a2, ps
    extui a3, a2, 8, 4 /* PS.OWB, which rfwu returns to */
    xor a3, a3, a4
    rsr a4, excsave1
    slli a3, a3, 8
    xor a2, a2, a3
    wsr a2, ps
    rsync
    bbsi a4, 31, not4 /* the two highest bits of a return address: panes rotated */
    j underflow4
not4:
    rotw -1
    bbsi a8, 30, not8
    j underflow8
not8:
    rotw -1
    j underflow12

    .section .literal.start, "ax"
    .p2align 2
l_ps:
    .long 0x00040020 /* windows on, user vectors, no interrupt */
l_stack:
    .long stack_top
l_bss:
    .long bss_start
l_bss_end:
    .long bss_end
l_main:
    .long main

    .section .text.start, "ax"
    .p2align 2
    .global start
start:
    movi a0, 0
    wsr a0, windowbase
    rsync
    movi a0, 1
    wsr a0, windowstart
    rsync
    l32r a0, l_ps
    wsr a0, ps
    rsync
    movi a0, 255
    wsr a0, cpenable /* the FPU */
    rsync
    l32r a2, l_bss
    l32r a3, l_bss_end
    movi a4, 0
clear:
    bgeu a2, a3, cleared
    s32i a4, a2, 0
    addi a2, a2, 4
    j clear
cleared:
    /* The first frame's caller: its stack pointer in the save area, where spilling looks for it. */
    l32r a2, l_stack
    addi a1, a2, -64
    addi a3, a1, -16
    s32i a2, a3, 4
    movi a0, 0
    l32r a8, l_main
    callx8 a8
    or a3, a10, a10
    movi a2, 1 /* exit */
    SIMCALL
forever:
    j forever

    .text
    .p2align 2
    .global simcall
simcall:
    entry a1, 32
    SIMCALL
    retw
