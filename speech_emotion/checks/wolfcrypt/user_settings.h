/* What wolfCrypt's sources ask of a port: the settings of wolfSSL's own benchmarks of microcontrollers, as far as the
 * programs that are counted here go: C alone, tables and unrolled loops as they are by default. */
#ifndef USER_SETTINGS_H
#define USER_SETTINGS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* By words, as the chips' libraries copy: picolibc for RISC-V, compiled for size, copies byte by byte. */
static inline void *copy_words(void *to, const void *from, size_t count)
{
    uint8_t *t = (uint8_t *)to;
    const uint8_t *f = (const uint8_t *)from;
    if ((((uintptr_t)t | (uintptr_t)f) & 3) == 0) {
        for (; count >= 16; count -= 16, t += 16, f += 16) {
            ((uint32_t *)(void *)t)[0] = ((const uint32_t *)(const void *)f)[0];
            ((uint32_t *)(void *)t)[1] = ((const uint32_t *)(const void *)f)[1];
            ((uint32_t *)(void *)t)[2] = ((const uint32_t *)(const void *)f)[2];
            ((uint32_t *)(void *)t)[3] = ((const uint32_t *)(const void *)f)[3];
        }
    }
    for (; count > 0; count--) {
        *t++ = *f++;
    }
    return to;
}

/* what is this short, the compiler copies by itself */
#define XMEMCPY(to, from, count) \
    (__builtin_constant_p(count) && (count) <= 16 ? memcpy(to, from, count) : copy_words(to, from, count))
#define STRING_USER
#define CTYPE_USER
#define XTOUPPER(c) (c)
#define XTOLOWER(c) (c)
#define XMEMSET memset
#define XMEMCMP memcmp
#define XMEMMOVE memmove
#define XSTRLEN strlen

#define WOLFCRYPT_ONLY
#define WOLFSSL_GENERAL_ALIGNMENT 4
#define SINGLE_THREADED
#define SIZEOF_LONG_LONG 8
#define NO_FILESYSTEM
#define NO_MAIN_DRIVER
#define NO_WRITEV
#define NO_ASN
#define NO_CERTS
#define NO_RSA
#define NO_DH
#define NO_DSA
#define NO_BIG_INT
#define NO_SIG_WRAPPER
#define NO_PWDBASED
#define NO_ERROR_STRINGS
#define WC_NO_RNG
#define NO_ASN_TIME
#define HAVE_CHACHA
#define HAVE_POLY1305
#define HAVE_AES_CBC
#define NO_AES_DECRYPT
#define WOLFSSL_RIPEMD
#define WOLFSSL_SHA3
#define WOLFSSL_SHA512

#endif
