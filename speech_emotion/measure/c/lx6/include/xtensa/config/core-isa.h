/* What the ESP32's own core-isa.h says, as far as this library asks for it. The emulated core has them, too. */
#ifndef LX6_CORE_ISA_H
#define LX6_CORE_ISA_H

#define XCHAL_HAVE_LOOPS 1
#define XCHAL_HAVE_MAC16 1
#define XCHAL_HAVE_CLAMPS 1

#endif
