/* hash.h - hashes of bytes: table hash, CRC-32, CRC-32C, SHA-256 */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include <stddef.h>
#include <stdint.h>

/* wyhash-like, own, stable for ever */
uint64_t hash64(const void *data, size_t n, uint64_t seed);
uint32_t hash_name(const char *name); /* low half of hash64, for rng_at */
/* zlib's polynomial, for the reference split */
uint32_t crc32_zlib(const void *data, size_t n);
/* Castagnoli; start with 0 */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);
struct sha256 {
    uint32_t h[8];
    uint64_t n;
    uint8_t buf[64];
};
void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
void sha256_end(struct sha256 *s, uint8_t out[32]);
/* Tests: non-zero = do without the processor's CRC and SHA instructions. Same values. */
void hash_use_plain(int on);
void sha256_hex(const uint8_t digest[32], char out[65]);
#endif
