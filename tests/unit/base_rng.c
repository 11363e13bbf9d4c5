/* random numbers: published vectors, and the digits that data made of them must have */
#include "base/rng.h"
#include "support/unit.h"

static void check_philox(uint32_t key0, uint32_t key1, const uint32_t c[4],
                         const uint32_t want[4])
{
    struct rng_word w =
        rng_philox((struct rng_key){key0, key1}, c[0], c[1], c[2], c[3]);
    for (int i = 0; i < 4; i++) CHECK_INT(w.w[i], want[i]);
}

TEST(philox_gives_the_published_vectors)
{
    check_philox(0, 0, (uint32_t[]){0, 0, 0, 0},
                 (uint32_t[]){0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    check_philox(0xffffffff, 0xffffffff,
                 (uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                 (uint32_t[]){0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    check_philox(0xa4093822, 0x299f31d0,
                 (uint32_t[]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                 (uint32_t[]){0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST(rng_keys_differ_by_seed_and_purpose)
{
    struct rng_key a = rng_key(1, "bag"), b = rng_key(2, "bag"), c = rng_key(1, "fold");
    CHECK(a.k0 != b.k0 && a.k0 != c.k0 && a.k1 != b.k1 && a.k1 != c.k1);
    struct rng_word w = rng_at(a, 0x100000002, 3, 4), v = rng_philox(a, 2, 1, 3, 4);
    CHECK(memcmp(&w, &v, sizeof w) == 0);
}

TEST(rng_u01_lies_strictly_between_0_and_1)
{
    CHECK(rng_u01((struct rng_word){{0, 0, 0, 0}}) == 0x1p-54);
    CHECK(rng_u01((struct rng_word){{UINT32_MAX, UINT32_MAX, 0, 0}}) < 1);
    CHECK(rng_u01((struct rng_word){{0x80000000, 0, 0, 0}}) == 0.5);
    CHECK(rng_u64((struct rng_word){{1, 2, 0, 0}}) == 0x100000002);
    CHECK_INT(rng_below((struct rng_word){{UINT32_MAX, UINT32_MAX, 0, 0}}, 10), 9);
    CHECK_INT(rng_below((struct rng_word){{0, 5, 0, 0}}, 10), 0);
    CHECK_INT(rng_below((struct rng_word){{0x80000000, 0, 0, 0}}, 7), 3);
}

/* The word whose rng_u01 is nearest to u. */
static struct rng_word word_of(double u)
{
    uint64_t k = (uint64_t)ldexp(u, 53);
    return (struct rng_word){{(uint32_t)(k >> 21), (uint32_t)(k << 11), 0, 0}};
}

TEST(rng_normal_inverts_the_distribution)
{
    static const double us[] = {0x1p-54, 1e-15,  1e-12,  1e-9, 1e-6,    1e-3,
                                0.02,    0.0749, 0.0751, 0.1,  0.25,    0.4999,
                                0.5,     0.7,    0.93,   0.99, 0.999999};
    for (size_t i = 0; i < sizeof us / sizeof *us; i++) {
        struct rng_word w = word_of(us[i]);
        double u = rng_u01(w), z = rng_normal(w), p = 0.5 * erfc(-z / sqrt(2));
        CHECK_NEAR(p / u, 1, 2e-14);
    }
    CHECK_NEAR(rng_normal(word_of(0.25)), -0.6744897501960817, 1e-15);
    CHECK_NEAR(rng_normal(word_of(0.001)), -3.0902323061678132, 2e-14);
}

TEST(rng_normal_has_mean_0_and_variance_1)
{
    struct rng_key key = rng_key(7, "test");
    double s1 = 0, s2 = 0, s3 = 0, s4 = 0;
    int n = 200000;
    for (int i = 0; i < n; i++) {
        double z = rng_normal(rng_at(key, i, 0, 0));
        s1 += z, s2 += z * z, s3 += z * z * z, s4 += z * z * z * z;
    }
    CHECK(fabs(s1 / n) < 0.01);
    CHECK(fabs(s2 / n - 1) < 0.015);
    CHECK(fabs(s3 / n) < 0.03);
    CHECK(fabs(s4 / n - 3) < 0.12);
}

/* Row 0 of the made tables: x1 = z1 and x2 = sqrt(3) (2 u2 - 1) need no library function. */
TEST(gen_makes_the_documented_rows)
{
    CHECK_NEAR(gen_z(1, 0, 1), -1.50529, 5e-6);
    CHECK_NEAR(sqrt(3) * (2 * gen_u(1, 0, 2) - 1), -1.126908, 5e-7);
    CHECK_NEAR(exp(0.5 * gen_z(1, 0, 0)), 1.236312, 5e-7);
    CHECK_INT(1 + (int)(12 * gen_u(2, 0, 0)), 4);
    CHECK_INT(1 + (int)(31 * gen_u(2, 0, 1)), 5);
    CHECK_INT(1 + (int)(7 * gen_u(2, 0, 2)), 7);
    long long sum = 0;
    for (uint64_t i = 0; i < 500000; i++) sum += 1 + (int)(12 * gen_u(2, i, 0));
    CHECK_INT(sum, 3245916);
}
