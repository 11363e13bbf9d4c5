/* base_codec_block.c - blocks of four codecs: what was packed comes back, damage is seen */
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/codec_block.h"
#include "support/unit.h"

static struct block_coder coder;

static int decode(enum block_kind kind, const void *src, size_t n, void *dst,
                  size_t n_dst)
{
    /* blocks of their exact size, so that AddressSanitizer sees one byte too many */
    void *in = mem_alloc(n), *out = mem_alloc(n_dst);
    if (n) memcpy(in, src, n);
    int r = (int)block_decode(&coder, kind, in, n, out, n_dst);
    if (n_dst) memcpy(dst, out, n_dst);
    mem_free(in);
    mem_free(out);
    return r;
}

TEST(blocks_of_snappy_are_literals_and_copies)
{
    /* 20 bytes: "abcd", 8 from 4 before, 4 from 2 before by a tag of 1, "wxyz" */
    static const char packed[] = "\x14\x0c"
                                 "abcd"
                                 "\x1e\x04\x00"
                                 "\x01\x02"
                                 "\x0c"
                                 "wxyz";
    char out[20];
    CHECK_INT(decode(BLOCK_SNAPPY, packed, sizeof packed - 1, out, 20), BLOCK_OK);
    CHECK(memcmp(out, "abcdabcdabcdcdcdwxyz", 20) == 0);
    for (size_t cut = 0; cut + 1 < sizeof packed; cut++)
        CHECK_INT(decode(BLOCK_SNAPPY, packed, cut, out, 20), BLOCK_DAMAGED);
    CHECK_INT(decode(BLOCK_SNAPPY, packed, sizeof packed - 1, out, 19), BLOCK_DAMAGED);
    CHECK_INT(decode(BLOCK_SNAPPY, "\x04\x01\x01", 3, out, 4), BLOCK_DAMAGED);
    CHECK_INT(decode(BLOCK_SNAPPY, "\x00", 1, out, 0), BLOCK_OK);
}

TEST(blocks_of_lz4_are_literals_and_copies)
{
    /* one literal, 19 + 1 copies of it, then five literals */
    static const char packed[] = "\x1f"
                                 "a"
                                 "\x01\x00\x01"
                                 "\x50"
                                 "vwxyz";
    char out[26];
    CHECK_INT(decode(BLOCK_LZ4, packed, sizeof packed - 1, out, 26), BLOCK_OK);
    CHECK(memcmp(out, "aaaaaaaaaaaaaaaaaaaaavwxyz", 26) == 0);
    for (size_t cut = 0; cut + 1 < sizeof packed; cut++)
        CHECK_INT(decode(BLOCK_LZ4, packed, cut, out, 26), BLOCK_DAMAGED);
    CHECK_INT(decode(BLOCK_LZ4, packed, sizeof packed - 1, out, 25), BLOCK_DAMAGED);
    CHECK_INT(decode(BLOCK_LZ4,
                     "\x10"
                     "a"
                     "\x02\x00",
                     4, out, 5),
              BLOCK_DAMAGED);
    CHECK_INT(decode(BLOCK_LZ4,
                     "\x10"
                     "a"
                     "\x00\x00",
                     4, out, 5),
              BLOCK_DAMAGED);
}

TEST(blocks_of_gzip_and_zstd_give_their_exact_size)
{
    char text[5000], packed[2][6000], back[5001];
    uLongf n_zlib = sizeof packed[0];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)("abcdef"[i * i % 6]);
    CHECK_INT(compress((Bytef *)packed[0], &n_zlib, (const Bytef *)text, sizeof text),
              Z_OK);
    size_t n[2] = {n_zlib,
                   ZSTD_compress(packed[1], sizeof packed[1], text, sizeof text, 3)};
    static const enum block_kind kinds[] = {BLOCK_GZIP, BLOCK_ZSTD};
    for (int k = 0; k < 2; k++) {
        CHECK_INT(decode(kinds[k], packed[k], n[k], back, 5000), BLOCK_OK);
        CHECK(memcmp(back, text, 5000) == 0);
        CHECK_INT(decode(kinds[k], packed[k], n[k], back, 4999), BLOCK_DAMAGED);
        CHECK_INT(decode(kinds[k], packed[k], n[k], back, 5001), BLOCK_DAMAGED);
        for (size_t cut = 0; cut < n[k]; cut += 3)
            CHECK_INT(decode(kinds[k], packed[k], cut, back, 5000), BLOCK_DAMAGED);
    }
    CHECK_INT(decode(BLOCK_PLAIN, "abc", 3, back, 3), BLOCK_OK);
    CHECK_INT(decode(BLOCK_PLAIN, "abc", 3, back, 2), BLOCK_DAMAGED);
    block_coder_free(&coder);
}

TEST(blocks_that_are_noise_write_nothing_outside)
{
    uint32_t x = 99;
    for (int round = 0; round < 20000; round++) {
        char noise[64], out[300];
        for (int i = 0; i < 64; i++) {
            x = x * 1664525u + 1013904223u;
            noise[i] = (char)(x >> 24);
        }
        size_t n = x >> 8 & 63, n_out = x >> 16 & 255;
        noise[0] = (char)(n_out & 127);
        (void)decode(round & 1 ? BLOCK_SNAPPY : BLOCK_LZ4, noise, n, out, n_out);
    }
}
