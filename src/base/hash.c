/* hash.c - hashes of bytes; all read little-endian, so a value is the same on every machine
 *
 * hash64 folds 64x64 products (high half xor low half), 16 bytes a fold, four lanes for long
 * data; constants are digits of pi made odd. Its values are part of models (rng keys, hashed
 * features): the tests pin them. CRC-32C and SHA-256 use the processor's instructions where it
 * has them and give the same values without. */
#include "base/hash.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <zlib.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

__extension__ typedef unsigned __int128 hash_u128;

static uint64_t load64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    hash_u128 p = (hash_u128)a * b;
    return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static atomic_int plain;
void hash_use_plain(int on)
{
    atomic_store_explicit(&plain, on, memory_order_relaxed);
}
static int is_plain(void)
{
    return atomic_load_explicit(&plain, memory_order_relaxed);
}

static const uint64_t pi[5] = {0x243f6a8885a308d3u, 0x13198a2e03707345u,
                               0xa4093822299f31d1u, 0x082efa98ec4e6c89u,
                               0x452821e638d01377u};

uint64_t hash64(const void *data, size_t n, uint64_t seed)
{
    const uint8_t *p = data;
    uint64_t a = 0, b = 0, h = seed ^ fold(seed ^ pi[0], pi[1]);
    size_t left = n;
    if (left > 64) {
        uint64_t h1 = h ^ pi[2], h2 = h ^ pi[3], h3 = h ^ pi[4];
        for (; left > 64; left -= 64, p += 64) {
            h = fold(load64(p) ^ pi[1], load64(p + 8) ^ h);
            h1 = fold(load64(p + 16) ^ pi[2], load64(p + 24) ^ h1);
            h2 = fold(load64(p + 32) ^ pi[3], load64(p + 40) ^ h2);
            h3 = fold(load64(p + 48) ^ pi[4], load64(p + 56) ^ h3);
        }
        h ^= fold(h1 ^ pi[2], h2 ^ pi[0]) + h3;
    }
    for (; left > 16; left -= 16, p += 16)
        h = fold(load64(p) ^ pi[1], load64(p + 8) ^ h);
    if (left >= 8) {
        a = load64(p), b = load64(p + left - 8);
    } else if (left >= 4) {
        a = load32(p), b = load32(p + left - 4);
    } else if (left > 0) {
        a = (uint64_t)p[0] | (uint64_t)p[left / 2] << 8 | (uint64_t)p[left - 1] << 16;
    }
    h = fold(a ^ pi[2], b ^ h ^ pi[3]);
    return fold(h ^ pi[0], (uint64_t)n ^ pi[4]);
}

uint32_t hash_name(const char *name)
{
    return (uint32_t)hash64(name, strlen(name), 0);
}

uint32_t crc32_zlib(const void *data, size_t n)
{
    uLong crc = crc32(0, NULL, 0);
    for (const uint8_t *p = data; n > 0;) {
        uInt part = n < (1u << 30) ? (uInt)n : 1u << 30;
        crc = crc32(crc, p, part);
        p += part;
        n -= part;
    }
    return (uint32_t)crc;
}

static uint32_t crc_table[8][256]; /* [k][b]: byte b followed by k zero bytes */
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_fill(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t c = b;
        for (int bit = 0; bit < 8; bit++) c = c >> 1 ^ (0x82f63b78u & (0 - (c & 1)));
        crc_table[0][b] = c;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++)
            crc_table[k][b] =
                crc_table[k - 1][b] >> 8 ^ crc_table[0][crc_table[k - 1][b] & 0xff];
}

static uint32_t crc_bytes(uint32_t c, const uint8_t *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v = load64(p) ^ c;
        c = 0;
        for (int k = 0; k < 8; k++) c ^= crc_table[7 - k][v >> 8 * k & 0xff];
    }
    for (; n > 0; n--, p++) c = c >> 8 ^ crc_table[0][(c ^ *p) & 0xff];
    return c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t crc,
                                                            const uint8_t *p, size_t n)
{
    uint64_t c = crc;
    for (; n >= 8; n -= 8, p += 8) c = _mm_crc32_u64(c, load64(p));
    uint32_t last = (uint32_t)c;
    for (; n > 0; n--, p++) last = _mm_crc32_u8(last, *p);
    return last;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t n)
{
#if defined(__x86_64__)
    if (!is_plain() && __builtin_cpu_supports("sse4.2"))
        return ~crc_sse42(~crc, data, n);
#endif
    pthread_once(&crc_once, crc_fill);
    return ~crc_bytes(~crc, data, n);
}

/* FIPS 180-4 */
static const uint32_t sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
    0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
    0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
    0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
    0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
    0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
    0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
    0xc67178f2};

static uint32_t load_big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t turn(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void sha_block(uint32_t h[8], const uint8_t *p)
{
    uint32_t w[64], s[8];
    for (int t = 0; t < 16; t++) w[t] = load_big(p + 4 * t);
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    memcpy(s, h, sizeof s);
    for (int t = 0; t < 64; t++) {
        uint32_t e = s[4], a = s[0];
        uint32_t t1 = s[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
                      ((e & s[5]) ^ (~e & s[6])) + sha_k[t] + w[t];
        uint32_t t2 = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
                      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += s[i];
}

#if defined(__x86_64__)
/* The SHA extension keeps the state as (a b e f) and (c d g h), high lane first. */
__attribute__((target("sha,sse4.1"))) static void
sha_blocks_ni(uint32_t h[8], const uint8_t *p, size_t n)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i s0 = _mm_set_epi32((int)h[0], (int)h[1], (int)h[4], (int)h[5]);
    __m128i s1 = _mm_set_epi32((int)h[2], (int)h[3], (int)h[6], (int)h[7]);
    for (; n > 0; n--, p += 64) {
        __m128i w[4], old0 = s0, old1 = s1;
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(
                _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i)), swap);
        for (int t = 0; t < 16; t++) {
            __m128i now = w[t & 3];
            __m128i k = _mm_add_epi32(
                now, _mm_loadu_si128((const __m128i *)(const void *)(sha_k + 4 * t)));
            s1 = _mm_sha256rnds2_epu32(s1, s0, k);
            s0 = _mm_sha256rnds2_epu32(s0, s1, _mm_shuffle_epi32(k, 0x0e));
            if (t < 12) { /* w[t+4] from w[t], w[t+1], w[t+2] and w[t+3] */
                __m128i later = w[(t + 3) & 3];
                __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(now, w[(t + 1) & 3]),
                                            _mm_alignr_epi8(later, w[(t + 2) & 3], 4));
                w[t & 3] = _mm_sha256msg2_epu32(sum, later);
            }
        }
        s0 = _mm_add_epi32(s0, old0);
        s1 = _mm_add_epi32(s1, old1);
    }
    uint32_t v[8];
    _mm_storeu_si128((__m128i *)(void *)v, s0);
    _mm_storeu_si128((__m128i *)(void *)(v + 4), s1);
    h[0] = v[3], h[1] = v[2], h[4] = v[1], h[5] = v[0];
    h[2] = v[7], h[3] = v[6], h[6] = v[5], h[7] = v[4];
}

/* CPUID leaf 7, EBX bit 29; __builtin_cpu_supports knows "sha" from later compilers only. */
static int has_sha(void)
{
    uint32_t a = 7, b, c = 0, d;
    if (!__builtin_cpu_supports("sse4.1") || !__builtin_cpu_supports("ssse3")) return 0;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (int)(b >> 29 & 1);
}
static int sha_ni;
static pthread_once_t sha_once = PTHREAD_ONCE_INIT;
static void sha_look(void)
{
    sha_ni = has_sha();
}
#endif

static void sha_blocks(uint32_t h[8], const uint8_t *p, size_t n)
{
#if defined(__x86_64__)
    pthread_once(&sha_once, sha_look);
    if (sha_ni && !is_plain()) {
        sha_blocks_ni(h, p, n);
        return;
    }
#endif
    for (; n > 0; n--, p += 64) sha_block(h, p);
}

void sha256_init(struct sha256 *s)
{
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(s->h, start, sizeof start);
    s->n = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t n)
{
    const uint8_t *p = data;
    size_t held = s->n % 64;
    s->n += n;
    if (held) {
        size_t take = 64 - held < n ? 64 - held : n;
        memcpy(s->buf + held, p, take);
        p += take, n -= take;
        if (held + take < 64) return;
        sha_blocks(s->h, s->buf, 1);
    }
    sha_blocks(s->h, p, n / 64);
    if (n % 64) memcpy(s->buf, p + n / 64 * 64, n % 64);
}

void sha256_end(struct sha256 *s, uint8_t out[32])
{
    uint64_t bits = s->n * 8;
    size_t held = s->n % 64;
    uint8_t pad[72] = {0x80};
    size_t n = (held < 56 ? 56 : 120) - held;
    for (int i = 0; i < 8; i++) pad[n + (size_t)i] = (uint8_t)(bits >> (56 - 8 * i));
    sha256_add(s, pad, n + 8);
    for (int i = 0; i < 32; i++) out[i] = (uint8_t)(s->h[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_hex(const uint8_t digest[32], char out[65])
{
    for (int i = 0; i < 32; i++) {
        out[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    out[64] = 0;
}
