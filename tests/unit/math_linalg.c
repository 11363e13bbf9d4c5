/* math_linalg.c - Gram matrices, means, Cholesky: right, and equal for threads and sets */
#include <time.h>

#include "base/ctx.h"
#include "math/linalg.h"
#include "support/unit.h"

static uint64_t seed = 5;
static double draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(seed >> 11) * 0x1p-53 - 0.5;
}

#define N 30000
#define P 100
static double data[P][N], y[N], w[N], gram[P * P], gram2[P * P], xty[P], xty2[P];
static const double *x[P];
static double shift[P];

static void fill(void)
{
    for (int j = 0; j < P; j++) {
        for (int i = 0; i < N; i++) data[j][i] = draw() + j;
        x[j] = data[j];
        shift[j] = j + 0.01;
    }
    for (int i = 0; i < N; i++) y[i] = draw() * 3, w[i] = draw() + 1;
}

TEST(gram_sums_are_right)
{
    static const int ns[] = {1, 5, 255, 4096, 4097, 30000}, ps[] = {1, 2, 31, 33, 70};
    tide_error err = {0};
    fill();
    for (int a = 0; a < 6; a++)
        for (int b = 0; b < 5; b++) {
            int n = ns[a], p = ps[b], weighted = (a + b) % 2;
            CHECK(linalg_gram(NULL, x, n, p, weighted ? w : NULL, shift, y, 0.25, gram,
                              xty, &err) == TIDE_OK);
            for (int i = 0; i < p; i += 1 + p / 7)
                for (int j = 0; j <= i; j += 1 + p / 5) {
                    long double s = 0, t = 0, size = 0;
                    for (int r = 0; r < n; r++) {
                        long double v =
                            (long double)(x[i][r] - shift[i]) * (weighted ? w[r] : 1);
                        s += v * (x[j][r] - shift[j]);
                        size += fabsl(v);
                        t += v * (y[r] - 0.25);
                    }
                    CHECK(fabsl(gram[i * p + j] - s) <= 1e-14L * size);
                    CHECK(gram[i * p + j] == gram[j * p + i]);
                    CHECK(fabsl(xty[i] - t) <= 1e-14L * 3 * size);
                }
        }
}

TEST(gram_and_means_are_the_same_for_any_threads_and_set)
{
    double mean[P], mean2[P], sum, sum2;
    fill();
    CHECK(linalg_gram(NULL, x, N, P, w, shift, y, 0, gram, xty, NULL) == TIDE_OK);
    CHECK(linalg_means(NULL, x, N, P, w, mean, &sum, NULL) == TIDE_OK);
    for (int threads = 1; threads <= 3; threads++)
        for (int isa = TIDE_ISA_BASE; isa <= TIDE_ISA_AVX512; isa++) {
            tide_ctx *ctx;
            CHECK(tide_ctx_new(&ctx, NULL) == TIDE_OK);
            CHECK(tide_ctx_set_threads(ctx, threads, NULL) == TIDE_OK);
            if (tide_ctx_set_isa(ctx, (enum tide_isa)isa, NULL) == TIDE_OK) {
                CHECK(linalg_gram(ctx, x, N, P, w, shift, y, 0, gram2, xty2, NULL) ==
                      TIDE_OK);
                CHECK(memcmp(gram, gram2, sizeof gram) == 0 &&
                      memcmp(xty, xty2, sizeof xty) == 0);
                CHECK(linalg_means(ctx, x, N, P, w, mean2, &sum2, NULL) == TIDE_OK);
                CHECK(memcmp(mean, mean2, sizeof mean) == 0 && sum == sum2);
            }
            tide_ctx_free(ctx);
        }
}

TEST(weights_of_one_change_no_bit)
{
    fill();
    for (int i = 0; i < N; i++) w[i] = 1;
    CHECK(linalg_gram(NULL, x, N, 40, w, shift, y, 0.5, gram, xty, NULL) == TIDE_OK);
    CHECK(linalg_gram(NULL, x, N, 40, NULL, shift, y, 0.5, gram2, xty2, NULL) ==
          TIDE_OK);
    CHECK(memcmp(gram, gram2, sizeof(double) * 1600) == 0 &&
          memcmp(xty, xty2, sizeof(double) * 40) == 0);
}

TEST(cholesky_solves_and_refuses_what_is_not_definite)
{
    static double a[200 * 200], l[200 * 200], b[200], c[200];
    static const int ns[] = {1, 2, 39, 40, 41, 97, 200};
    for (int k = 0; k < 7; k++) {
        int n = ns[k];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++)
                a[i * n + j] = a[j * n + i] = draw() + (i == j ? n : 0);
            c[i] = draw();
        }
        for (int i = 0; i < n; i++) {
            b[i] = 0;
            for (int j = 0; j < n; j++) b[i] += a[i * n + j] * c[j];
        }
        memcpy(l, a, sizeof(double) * (size_t)(n * n));
        CHECK_INT(linalg_cholesky(l, n), 0);
        linalg_cholesky_solve(l, n, b);
        for (int i = 0; i < n; i++) CHECK_NEAR(b[i], c[i], 1e-12);
        double rcond = linalg_cholesky_rcond(l, n, n);
        CHECK(rcond > 0.1 && rcond < 2.1);
    }
    double bad[4] = {1, 1, 1, 1};
    CHECK_INT(linalg_cholesky(bad, 2), 2);
    double zero[4] = {0, 0, 0, 1};
    CHECK_INT(linalg_cholesky(zero, 2), 1);
}

TEST(condition_of_hilbert_matrices_is_estimated)
{
    double h[64], norm = 0;
    for (int i = 0; i < 8; i++) norm += 1.0 / (i + 1);
    for (int i = 0; i < 64; i++) h[i] = 1.0 / (i / 8 + i % 8 + 1);
    CHECK_INT(linalg_cholesky(h, 8), 0);
    double cond = 1 / linalg_cholesky_rcond(h, 8, norm); /* truth: 3.3873e10 */
    CHECK(cond > 1e10 && cond < 3.4e10);
}

TEST(gram_is_fast_enough_for_newton)
{
    if (!getenv("UNIT_VERBOSE")) return;
    struct timespec a, b;
    fill();
    for (int k = 0; k < 3; k++) {
        clock_gettime(CLOCK_MONOTONIC, &a);
        CHECK(linalg_gram(NULL, x, N, P, w, NULL, NULL, 0, gram, xty, NULL) == TIDE_OK);
        clock_gettime(CLOCK_MONOTONIC, &b);
        fprintf(
            stderr, "gram 30000 x 100: %.1f ms\n",
            ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) /
                1e6);
    }
    int n = 700;
    double *m = malloc(sizeof *m * (size_t)(n * n));
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            m[i * n + j] = m[j * n + i] = draw() + (i == j ? n : 0);
    clock_gettime(CLOCK_MONOTONIC, &a);
    CHECK_INT(linalg_cholesky(m, n), 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    fprintf(stderr, "cholesky 700: %.1f ms\n",
            ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) /
                1e6);
    free(m);
}
