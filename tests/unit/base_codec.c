/* base_codec.c - gzip and zstd: members, damage, truncation, bombs */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/file.h"
#include "support/unit.h"

/* A descriptor with these bytes, at its begin. */
static int file_with(const void *data, size_t n)
{
    int fd = memfd_create("codec", MFD_CLOEXEC);
    if (write(fd, data, n) != (ssize_t)n) UNIT_FAIL("short write");
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static size_t gzip(void *out, size_t cap, const void *text, size_t n)
{
    z_stream z = {0};
    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t)text;
    z.avail_in = (uInt)n;
    z.next_out = out;
    z.avail_out = (uInt)cap;
    CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t size = cap - z.avail_out;
    deflateEnd(&z);
    return size;
}

static size_t pack(enum codec_kind kind, void *out, size_t cap, const void *text,
                   size_t n)
{
    if (kind == CODEC_GZIP) return gzip(out, cap, text, n);
    return ZSTD_compress(out, cap, text, n, 3);
}

/* Decodes all of packed[0..n) in pieces of `piece`; *out has room for cap bytes. */
static tide_status unpack(const void *packed, size_t n, size_t piece, size_t head,
                          char *out, size_t cap, size_t *n_out, tide_error *err)
{
    char first[64];
    size_t got = 0;
    struct codec *c;
    int fd = file_with(packed, n);
    *n_out = 0;
    if (head > n) head = n;
    if (read(fd, first, head) != (ssize_t)head) UNIT_FAIL("short read");
    tide_status st = codec_open(fd, "x.gz", first, head, 0, &c, err);
    if (st != TIDE_OK) return st;
    do {
        size_t want = cap - *n_out < piece ? cap - *n_out : piece;
        st = codec_read(c, out + *n_out, want, &got, err);
        *n_out += got;
        if (got < want || want == 0) break;
    } while (st == TIDE_OK);
    if (st == TIDE_OK) CHECK_INT(codec_consumed(c), n);
    codec_close(c);
    return st;
}

#define TEXT_BYTES 600000
static char text[TEXT_BYTES], back[4 * TEXT_BYTES], packed[4 * TEXT_BYTES];

static void make_text(void)
{
    uint32_t x = 1;
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        x = x * 1664525u + 1013904223u;
        text[i] = (char)("0123456789,\nab"[(x >> 24) % 14]);
    }
}

TEST(codec_knows_files_by_their_first_bytes)
{
    CHECK_INT(codec_sniff("\x1f\x8b\x08", 3), CODEC_GZIP);
    CHECK_INT(codec_sniff("\x28\xb5\x2f\xfd", 4), CODEC_ZSTD);
    CHECK_INT(codec_sniff("\x53\x2a\x4d\x18", 4), CODEC_ZSTD);
    CHECK_INT(codec_sniff("\x1f\x8b", 2), CODEC_PLAIN);
    CHECK_INT(codec_sniff("a,b\n", 4), CODEC_PLAIN);
    CHECK_INT(codec_sniff("", 0), CODEC_PLAIN);
}

TEST(codec_gives_back_what_was_packed)
{
    size_t n_out;
    make_text();
    for (int kind = CODEC_GZIP; kind <= CODEC_ZSTD; kind++) {
        size_t n = pack((enum codec_kind)kind, packed, sizeof packed, text, TEXT_BYTES);
        for (size_t piece = 1000; piece <= 1000000; piece *= 10) {
            CHECK_INT(unpack(packed, n, piece, 4, back, sizeof back, &n_out, NULL),
                      TIDE_OK);
            CHECK_INT(n_out, TEXT_BYTES);
            CHECK(memcmp(back, text, TEXT_BYTES) == 0);
        }
    }
    CHECK_INT(unpack("a,b\n1,2\n", 8, 3, 4, back, sizeof back, &n_out, NULL), TIDE_OK);
    CHECK_INT(n_out, 8);
    CHECK(memcmp(back, "a,b\n1,2\n", 8) == 0);
    CHECK_INT(unpack("", 0, 3, 0, back, sizeof back, &n_out, NULL), TIDE_OK);
    CHECK_INT(n_out, 0);
}

TEST(codec_reads_several_members_and_empty_ones)
{
    size_t n_out;
    make_text();
    for (int kind = CODEC_GZIP; kind <= CODEC_ZSTD; kind++) {
        size_t n = 0, each[5] = {1000, 0, 250000, 1, 348999}, from = 0;
        for (int i = 0; i < 5; i++) {
            n += pack((enum codec_kind)kind, packed + n, sizeof packed - n, text + from,
                      each[i]);
            from += each[i];
        }
        CHECK_INT(unpack(packed, n, 7777, 4, back, sizeof back, &n_out, NULL), TIDE_OK);
        CHECK_INT(n_out, TEXT_BYTES);
        CHECK(memcmp(back, text, TEXT_BYTES) == 0);
    }
}

TEST(codec_finds_every_truncation)
{
    size_t n_out;
    tide_error err;
    make_text();
    for (int kind = CODEC_GZIP; kind <= CODEC_ZSTD; kind++) {
        size_t n = pack((enum codec_kind)kind, packed, sizeof packed, text, 3000);
        for (size_t cut = 4; cut < n; cut++) {
            CHECK_INT(unpack(packed, cut, 1000, 4, back, sizeof back, &n_out, &err),
                      TIDE_EDATA);
            CHECK_INT(err.code, TIDE_CODE_CSV_COMPRESSED);
            CHECK_INT(err.offset, cut);
            CHECK_STR(err.file, "x.gz");
        }
    }
}

TEST(codec_finds_damage_and_what_follows)
{
    size_t n_out;
    tide_error err;
    make_text();
    for (int kind = CODEC_GZIP; kind <= CODEC_ZSTD; kind++) {
        size_t n = pack((enum codec_kind)kind, packed, sizeof packed, text, 50000);
        memcpy(packed + n, "garbage", 7);
        CHECK_INT(unpack(packed, n + 7, 1000, 4, back, sizeof back, &n_out, &err),
                  TIDE_EDATA);
        CHECK_INT(err.code, TIDE_CODE_CSV_COMPRESSED);
        CHECK(err.offset >= (int64_t)n);
        packed[n / 2] ^= 0x55;
        packed[n / 2 + 1] ^= 0x55;
        tide_status st = unpack(packed, n, 1000, 4, back, sizeof back, &n_out, &err);
        if (kind == CODEC_GZIP)
            CHECK_INT(st, TIDE_EDATA); /* zstd has no checksum here */
        if (st != TIDE_OK) CHECK_INT(err.code, TIDE_CODE_CSV_COMPRESSED);
    }
    size_t n = gzip(packed, sizeof packed, text, 500);
    memset(packed + n, 0, 512);
    CHECK_INT(unpack(packed, n + 512, 1000, 4, back, sizeof back, &n_out, NULL),
              TIDE_OK);
    CHECK_INT(n_out, 500);
}

TEST(codec_stops_at_a_bomb)
{
    size_t big = (size_t)80 << 20, got;
    char *zeros = mem_map(big), *out = mem_alloc(1 << 20);
    size_t cap = (size_t)1 << 20, n = ZSTD_compress(packed, cap, zeros, big, 3);
    mem_unmap(zeros, big);
    struct codec *c;
    tide_error err;
    tide_status st;
    int64_t total = 0;
    CHECK(n < big / 1000);
    CHECK_INT(codec_open(file_with(packed, n), "b.zst", packed, 0, 0, &c, NULL),
              TIDE_OK);
    codec_close(c);
    int fd = file_with(packed, n);
    char head[4];
    CHECK_INT(read(fd, head, 4), 4);
    CHECK_INT(codec_open(fd, "b.zst", head, 4, 1000, &c, NULL), TIDE_OK);
    do {
        st = codec_read(c, out, 1 << 20, &got, &err);
        total += (int64_t)got;
    } while (st == TIDE_OK && got);
    CHECK_INT(st, TIDE_ELIMIT);
    CHECK_INT(err.code, TIDE_CODE_LIMIT_EXPAND);
    CHECK(strstr(err.message, "1000-fold") != NULL);
    CHECK(total >= (int64_t)31 << 20 && total < (int64_t)34 << 20);
    codec_close(c);
    mem_free(out);
}

TEST(codec_survives_every_failing_call)
{
    size_t n_out;
    make_text();
    int64_t live = alloc_live();
    for (int kind = CODEC_GZIP; kind <= CODEC_ZSTD; kind++) {
        size_t n = pack((enum codec_kind)kind, packed, sizeof packed, text, 5000);
        for (int k = 1; k < 30; k++) {
            tide_error err;
            alloc_fault_set(k, 0);
            tide_status st = unpack(packed, n, 999, 4, back, sizeof back, &n_out, &err);
            int hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            CHECK_INT(st, hit ? TIDE_ENOMEM : TIDE_OK);
            CHECK_INT(alloc_live(), live);
            if (!hit) break;
        }
        for (int k = 1; k < 30; k++) {
            tide_error err;
            file_fault_set(k, 0, EIO);
            tide_status st = unpack(packed, n, 999, 4, back, sizeof back, &n_out, &err);
            int hit = file_fault_hit();
            file_fault_set(0, 0, 0);
            if (st != TIDE_OK) CHECK_INT(err.code, TIDE_CODE_FILE_ERROR);
            CHECK(st == TIDE_OK || hit);
            if (!hit) break;
        }
    }
}
