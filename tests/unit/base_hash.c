/* hashes: published vectors, pinned values of our own, and both code paths of each */
#include <zlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/rng.h"
#include "support/unit.h"

static uint8_t data[100000];

static void fill(void)
{
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)gen_mix(i);
}

static const char *sha_of(const void *p, size_t n, size_t step)
{
    static char hex[65];
    struct sha256 s;
    uint8_t digest[32];
    sha256_init(&s);
    for (size_t i = 0; i < n; i += step)
        sha256_add(&s, (const uint8_t *)p + i, n - i < step ? n - i : step);
    sha256_end(&s, digest);
    sha256_hex(digest, hex);
    return hex;
}

static void sha_vectors(void)
{
    CHECK_STR(sha_of("", 0, 1),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_STR(sha_of("abc", 3, 3),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_STR(
        sha_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, 56),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    memset(data, 'a', sizeof data);
    struct sha256 s;
    uint8_t digest[32];
    char hex[65];
    sha256_init(&s);
    for (int i = 0; i < 10; i++) sha256_add(&s, data, sizeof data);
    sha256_end(&s, digest);
    sha256_hex(digest, hex);
    CHECK_STR(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256_gives_the_published_digests)
{
    sha_vectors();
    hash_use_plain(1);
    sha_vectors();
    hash_use_plain(0);
}

TEST(sha256_does_not_mind_how_it_is_fed)
{
    fill();
    for (size_t n = 0; n < 300; n++) {
        char whole[65];
        memcpy(whole, sha_of(data, n, n + 1), sizeof whole);
        CHECK_STR(sha_of(data, n, 1), whole);
        CHECK_STR(sha_of(data, n, 63), whole);
        CHECK_STR(sha_of(data, n, 65), whole);
    }
}

static uint32_t crc_by_bit(const uint8_t *p, size_t n)
{
    uint32_t c = UINT32_MAX;
    for (; n > 0; n--, p++) {
        c ^= *p;
        for (int k = 0; k < 8; k++) c = c >> 1 ^ (c & 1 ? 0x82f63b78u : 0);
    }
    return ~c;
}

static void crc_vectors(void)
{
    CHECK_INT(crc32c(0, "123456789", 9), 0xe3069283);
    CHECK_INT(crc32c(0, "", 0), 0);
    uint8_t zeros[32] = {0};
    CHECK_INT(crc32c(0, zeros, 32), 0x8a9136aa);
    fill();
    for (size_t n = 0; n < 200; n++) {
        CHECK_INT(crc32c(0, data + n % 9, n), crc_by_bit(data + n % 9, n));
        CHECK_INT(crc32c(crc32c(0, data, n / 3), data + n / 3, n - n / 3),
                  crc32c(0, data, n));
    }
}

TEST(crc32c_is_castagnolis)
{
    crc_vectors();
    hash_use_plain(1);
    crc_vectors();
    hash_use_plain(0);
    CHECK_INT(crc32_zlib("123456789", 9), 0xcbf43926);
}

/* These values stand in models: a change here is a change of results. */
TEST(hash64_keeps_its_values)
{
    fill();
    CHECK(hash64("", 0, 0) == 0x25219994300b78b8u);
    CHECK(hash64("a", 1, 0) == 0xb8b60493828b3749u);
    CHECK(hash64("age", 3, 1) == 0xd5cd136b35d98c2bu);
    CHECK(hash64("income", 6, 2) == 0xaa2b91e9110cfec6u);
    CHECK(hash64("hours_per_week", 14, 3) == 0x0ec4763ad557b956u);
    CHECK(hash64(data, 40, 4) == 0x90d53cd05710ed24u);
    CHECK(hash64(data, 1000, 5) == 0x0a82912c53d67febu);
    CHECK_INT(hash_name("age"), (uint32_t)hash64("age", 3, 0));
}

TEST(hash64_flips_half_the_bits_for_any_bit)
{
    fill();
    for (size_t n = 1; n <= 200; n += n < 20 ? 1 : 13) {
        int flips = 0, trials = 0, least = 64;
        for (size_t bit = 0; bit < 8 * n; bit++)
            for (uint64_t seed = 0; seed < 8; seed++) {
                uint64_t before = hash64(data, n, seed);
                data[bit / 8] ^= (uint8_t)(1 << bit % 8);
                int f = __builtin_popcountll(before ^ hash64(data, n, seed));
                data[bit / 8] ^= (uint8_t)(1 << bit % 8);
                flips += f, trials++;
                least = f < least ? f : least;
            }
        double mean = (double)flips / trials;
        CHECK_MSG(mean > 31 && mean < 33 && least >= 8, "length %zu: mean %g, least %d",
                  n, mean, least);
    }
}

TEST(hash64_has_no_early_collisions)
{
    enum { BITS = 22, N = 200000 };
    static uint8_t seen[1 << (BITS - 3)];
    int hits = 0;
    for (int i = 0; i < N; i++) {
        char key[16];
        int n = snprintf(key, sizeof key, "%d", i);
        uint64_t h = hash64(key, (size_t)n, 0) >> (64 - BITS);
        hits += seen[h / 8] >> h % 8 & 1;
        seen[h / 8] |= (uint8_t)(1 << h % 8);
    }
    /* by chance: N - M (1 - exp(-N/M)) = 4,693, s.d. about 66 */
    CHECK_MSG(hits > 4360 && hits < 5030, "%d", hits);
    for (size_t n = 0; n < 100; n++)
        CHECK(hash64(data, n, 0) != hash64(data, n + 1, 0));
}

TEST(hash_speed)
{
    if (!getenv("UNIT_SPEED")) return;
    fill();
    uint64_t sum = 0;
    int64_t t0 = clock_ns();
    for (int i = 0; i < 2000; i++) sum += hash64(data, sizeof data, sum);
    double h = 2000.0 * sizeof data / clock_since(t0) * 1e-9;
    t0 = clock_ns();
    for (int i = 0; i < 2000; i++) sum += crc32c((uint32_t)sum, data, sizeof data);
    double c = 2000.0 * sizeof data / clock_since(t0) * 1e-9;
    t0 = clock_ns();
    struct sha256 s;
    sha256_init(&s);
    for (int i = 0; i < 500; i++) sha256_add(&s, data, sizeof data);
    double a = 500.0 * sizeof data / clock_since(t0) * 1e-9;
    t0 = clock_ns();
    for (int i = 0; i < 10000000; i++) sum += hash64(data + (sum & 63), 9, 1);
    printf("hash64 %.1f GB/s, crc32c %.1f GB/s, sha256 %.2f GB/s, 9 bytes %.1f ns "
           "(%llu)\n",
           h, c, a, clock_since(t0) * 100, (unsigned long long)sum);
}
