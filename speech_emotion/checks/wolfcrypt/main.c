/*
 * A program of wolfCrypt, on an emulated chip: what its benchmark times, a block of 1024 bytes after another.
 *
 * The counting plug-in sees a region per block. -DPROGRAM_x says which. Prints the first eight bytes of the result, in
 * hexadecimal, on two lines.
 */
#include "marks.h"
#include "platform.h"

#include <wolfssl/wolfcrypt/settings.h>

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha.h>
#include <wolfssl/wolfcrypt/md5.h>
#include <wolfssl/wolfcrypt/poly1305.h>
#include <wolfssl/wolfcrypt/ripemd.h>
#include <wolfssl/wolfcrypt/sha.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include <wolfssl/wolfcrypt/sha3.h>
#include <wolfssl/wolfcrypt/sha512.h>

MARK(begin_nothing, 1) /* what the marks themselves cost */
MARK(begin_iteration, 2)
MARK(end_region, 0)

enum { BLOCK = 1024, BLOCKS = 17 }; /* a whole number of blocks of each program, SHA3-256's of 136 bytes too */

#if defined PROGRAM_MD5
typedef wc_Md5 state;
#define BEGIN(s) wc_InitMd5(s)
#define UPDATE(s) wc_Md5Update(s, in, BLOCK)
#define FINISH(s) wc_Md5Final(s, out)
#elif defined PROGRAM_RIPEMD
typedef RipeMd state;
#define BEGIN(s) wc_InitRipeMd(s)
#define UPDATE(s) wc_RipeMdUpdate(s, in, BLOCK)
#define FINISH(s) wc_RipeMdFinal(s, out)
#elif defined PROGRAM_SHA
typedef wc_Sha state;
#define BEGIN(s) wc_InitSha(s)
#define UPDATE(s) wc_ShaUpdate(s, in, BLOCK)
#define FINISH(s) wc_ShaFinal(s, out)
#elif defined PROGRAM_SHA256
typedef wc_Sha256 state;
#define BEGIN(s) wc_InitSha256(s)
#define UPDATE(s) wc_Sha256Update(s, in, BLOCK)
#define FINISH(s) wc_Sha256Final(s, out)
#elif defined PROGRAM_SHA512
typedef wc_Sha512 state;
#define BEGIN(s) wc_InitSha512(s)
#define UPDATE(s) wc_Sha512Update(s, in, BLOCK)
#define FINISH(s) wc_Sha512Final(s, out)
#elif defined PROGRAM_SHA3
typedef wc_Sha3 state;
#define BEGIN(s) wc_InitSha3_256(s, NULL, INVALID_DEVID)
#define UPDATE(s) wc_Sha3_256_Update(s, in, BLOCK)
#define FINISH(s) wc_Sha3_256_Final(s, out)
#elif defined PROGRAM_CHACHA
typedef ChaCha state;
#define BEGIN(s) (wc_Chacha_SetKey(s, in, 32), wc_Chacha_SetIV(s, in, 0))
#define UPDATE(s) wc_Chacha_Process(s, out, in, BLOCK)
#define FINISH(s) ((void)0)
#elif defined PROGRAM_POLY1305
typedef Poly1305 state;
#define BEGIN(s) wc_Poly1305SetKey(s, in, 32)
#define UPDATE(s) wc_Poly1305Update(s, in, BLOCK)
#define FINISH(s) wc_Poly1305Final(s, out)
#elif defined PROGRAM_AES
typedef Aes state;
#define BEGIN(s) wc_AesSetKey(s, in, 16, in, AES_ENCRYPTION)
#define UPDATE(s) wc_AesCbcEncrypt(s, out, in, BLOCK)
#define FINISH(s) ((void)0)
#endif

static __attribute__((aligned(8))) byte in[BLOCK], out[BLOCK];
static state running;

static void iteration(void)
{
    begin_iteration();
    UPDATE(&running);
    end_region();
}

int main(void)
{
    for (int i = 0; i < BLOCK; i++) {
        in[i] = (byte)i;
    }
    BEGIN(&running);
    begin_nothing();
    end_region();
    for (int i = 0; i < BLOCKS; i++) {
        iteration();
    }
    FINISH(&running);
    for (int i = 0; i < 8; i += 4) {
        print_number((uint32_t)out[i] << 24 | (uint32_t)out[i + 1] << 16 | (uint32_t)out[i + 2] << 8 | out[i + 3]);
    }
    return 0;
}
