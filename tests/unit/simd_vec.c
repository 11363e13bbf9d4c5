/* simd_vec.c - every set gives the bits of base: sums, dots, Gram blocks, and the other kernels */
#include "simd/simd.h"
#include "support/unit.h"

static uint64_t seed = 1;
static double draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(int64_t)(seed >> 11) * 0x1p-52 - 1.0;
}

static int sets(const struct simd_table *t[3])
{
    int n = 0;
    t[n++] = &simd_table_base;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        t[n++] = &simd_table_avx2;
    if (__builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vl"))
        t[n++] = &simd_table_avx512;
#endif
    return n;
}

static int same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (a != a && b != b);
}

static double x[40][1100], y[1100], w[1100];
static void fill(int with_nan)
{
    for (int j = 0; j < 40; j++)
        for (int i = 0; i < 1100; i++) x[j][i] = draw() * (j % 3 ? 1 : 1e6);
    for (int i = 0; i < 1100; i++) y[i] = draw(), w[i] = draw() + 1.5;
    if (with_nan) x[1][7] = NAN, y[1000] = NAN, x[2][5] = INFINITY;
}

TEST(sums_have_the_bits_of_base_on_all_shapes)
{
    const struct simd_table *t[3];
    int n_sets = sets(t);
    for (int s = 1; s < n_sets; s++)
        for (int nan = 0; nan < 2; nan++) {
            fill(nan);
            for (int64_t n = 0; n < 1090; n += n < 40 ? 1 : 37)
                for (int at = 0; at < 3; at++) {
                    const double *a = x[1] + at, *b = y + 2 * at, *c = w + at;
                    CHECK(same_bits(t[0]->sum(a, n), t[s]->sum(a, n)));
                    CHECK(same_bits(t[0]->dot(a, b, n), t[s]->dot(a, b, n)));
                    CHECK(same_bits(t[0]->dot3(a, b, c, n), t[s]->dot3(a, b, c, n)));
                }
        }
}

TEST(axpy_has_the_bits_of_base)
{
    const struct simd_table *t[3];
    int n_sets = sets(t);
    double p[100], q[100];
    fill(0);
    for (int s = 1; s < n_sets; s++)
        for (int n = 0; n < 100; n++) {
            memcpy(p, y, sizeof p);
            memcpy(q, y, sizeof q);
            t[0]->axpy(0.37, x[3] + 1, p, n);
            t[s]->axpy(0.37, x[3] + 1, q, n);
            CHECK(memcmp(p, q, sizeof p) == 0);
        }
}

TEST(sum_takes_lanes_of_eight_in_order)
{
    double v[10] = {1e16, 1, 1, 1, 1, 1, 1, 1, -1e16, 2};
    /* lane 0: 1e16 - 1e16 = 0, lane 1: 1 + 2 */
    CHECK_NEAR(simd_table_base.sum(v, 10), 9.0, 0);
    CHECK_NEAR(simd_table_base.sum(v, 0), 0.0, 0);
}

TEST(gram_has_the_bits_of_base_and_is_right)
{
    const struct simd_table *t[3];
    int n_sets = sets(t);
    static double g[3][40 * 40], r[3][40 * 40];
    const double *col[40];
    for (int nan = 0; nan < 2; nan++) {
        fill(nan);
        for (int j = 0; j < 40; j++) col[j] = x[j] + j % 2;
        for (int p = 1; p <= 40; p += p < 8 ? 1 : 8)
            for (int64_t n = 0; n <= 1024; n += n < 10 ? 1 : 169) {
                for (int s = 0; s < n_sets; s++) {
                    memset(g[s], 0, sizeof g[s]);
                    memset(r[s], 0, sizeof r[s]);
                    t[s]->gram(col, n % 2 ? w : NULL, n, p, g[s]);
                    t[s]->gram_rect(col, p, col + 1, p - 1, n, r[s], p, 0);
                    for (int i = 0; i < p * p; i++) {
                        CHECK(same_bits(g[0][i], g[s][i]));
                        CHECK(same_bits(r[0][i], r[s][i]));
                    }
                }
                if (nan) continue;
                for (int i = 0; i < p; i++)
                    for (int j = i; j < p; j++) {
                        long double e = 0, size = 0;
                        for (int64_t k = 0; k < n; k++) {
                            long double v =
                                (long double)col[i][k] * col[j][k] * (n % 2 ? w[k] : 1);
                            e += v;
                            size += fabsl(v);
                        }
                        CHECK(fabsl(g[0][i * p + j] - e) <= 1e-14L * size);
                    }
            }
    }
}

TEST(codes_count_the_edges_below)
{
    const struct simd_table *t[3];
    int n_sets = sets(t);
    static double edge[300], v[777];
    static uint8_t a[777], b[777];
    static uint16_t c[777], d[777];
    for (int i = 0; i < 300; i++) edge[i] = i - 100;
    for (int i = 0; i < 777; i++)
        v[i] = i % 50 == 3 ? (double)NAN : (i * 7919) % 640 * 0.5 - 110;
    for (int n_edge = 0; n_edge <= 300; n_edge += n_edge < 20 ? 1 : 13)
        for (int s = 0; s < n_sets; s++) {
            t[s]->quantise_u16(v, 777, edge, n_edge, s ? d : c);
            if (s) CHECK(memcmp(c, d, sizeof c) == 0);
            if (n_edge <= 254) {
                t[s]->quantise_u8(v, 777, edge, n_edge, s ? b : a);
                if (s) CHECK(memcmp(a, b, sizeof a) == 0);
            }
            for (int i = 0; s == 0 && i < 777; i++) {
                int below = 0;
                for (int e = 0; e < n_edge; e++) below += edge[e] < v[i];
                CHECK_INT(c[i], v[i] != v[i] ? 65535 : below);
                if (n_edge <= 254) CHECK_INT(a[i], v[i] != v[i] ? 255 : below);
            }
        }
}
