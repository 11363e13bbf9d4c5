/* infer_shap.c - contributions against the definition, sums against margins, set against set */
#include <stdio.h>

#include "infer/engine.h"
#include "infer/shap.h"
#include "support/unit.h"
/* after unit.h: it prints */
#include "support/forest.h"

static const struct simd_table *sets[3];
static int n_sets;

static void find_sets(void)
{
    n_sets = 0;
    sets[n_sets++] = &simd_table_base;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) sets[n_sets++] = &simd_table_avx2;
    if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2"))
        sets[n_sets++] = &simd_table_avx512;
#endif
}

/* Expected value of tree t where the features in `known` are those of row x: by definition. */
static double expected(const struct ensemble *e, int32_t t, uint32_t at,
                       const double *x, uint32_t known, int o)
{
    uint32_t n0 = e->tree_node[t], n = e->tree_node[t + 1] - n0, l0 = e->tree_leaf[t];
    if (at >= n)
        return e->leaf[(size_t)(l0 + at - n) * (size_t)e->leaf_width + (size_t)o];
    uint32_t col = e->node_column[n0 + at], f = e->column_feature[col];
    uint32_t l = e->node_left[n0 + at], r = e->node_right[n0 + at];
    if (known >> f & 1) {
        uint32_t c = engine_code(e, (int32_t)f, x);
        if (e->column_mapped[col] == 1) c = e->map[256 * (size_t)col + (c & 255)];
        if (e->column_mapped[col] == 2 && c == 65535) c = 0;
        return expected(e, t, c <= e->node_thr[n0 + at] ? l : r, x, known, o);
    }
    double cl = l < n ? e->node_cover[n0 + l] : e->leaf_cover[l0 + l - n];
    double cr = r < n ? e->node_cover[n0 + r] : e->leaf_cover[l0 + r - n];
    return (cl * expected(e, t, l, x, known, o) + cr * expected(e, t, r, x, known, o)) /
           e->node_cover[n0 + at];
}

static double value_of(const struct ensemble *e, const double *x, uint32_t known, int o)
{
    double sum = e->base[o];
    for (int32_t t = 0; t < e->n_trees; t++)
        if (e->leaf_width > 1 || e->tree_output[t] == o)
            sum += expected(e, t, 0, x, known, e->leaf_width > 1 ? o : 0);
    return sum;
}

/* Shapley's formula over all coalitions of nf features. */
static void brute(const struct ensemble *e, const double *x, int o, double *phi)
{
    int nf = e->n_features;
    double factorial[16] = {1}, v[1 << 10];
    for (int i = 1; i < 16; i++) factorial[i] = factorial[i - 1] * i;
    for (uint32_t s = 0; s < 1u << nf; s++) v[s] = value_of(e, x, s, o);
    for (int i = 0; i < nf; i++) {
        phi[i] = 0;
        for (uint32_t s = 0; s < 1u << nf; s++) {
            if (s >> i & 1) continue;
            int k = __builtin_popcount(s);
            phi[i] += factorial[k] * factorial[nf - 1 - k] / factorial[nf] *
                      (v[s | 1u << i] - v[s]);
        }
    }
    phi[nf] = v[0];
}

static void compare(const struct forest_shape *shape, int rows)
{
    struct forest *f = forest_new(shape);
    int k = shape->outputs, width = shape->features + 1;
    double *phi = calloc((size_t)(shape->n_rows * k * width), 8), want[32];
    tide_error err = {0};
    find_sets();
    for (int q = 0; q < n_sets; q++) {
        CHECK_INT(
            shap_values_on(sets[q], f->loaded, f->view, 0, shape->n_rows, phi, &err),
            0);
        for (int r = 0; r < rows; r++)
            for (int o = 0; o < k; o++) {
                brute(&f->e, f->rows + (int64_t)r * shape->features, o, want);
                for (int i = 0; i < width; i++)
                    CHECK_NEAR(phi[(r * k + o) * width + i], want[i], 1e-12);
            }
    }
    free(phi);
    forest_free(f);
}

TEST(contributions_are_those_of_the_definition)
{
    for (uint64_t seed = 1; seed < 5; seed++) {
        compare(&(struct forest_shape){.seed = seed,
                                       .features = 7,
                                       .trees = 4,
                                       .leaves = 14,
                                       .outputs = 1,
                                       .width = 1,
                                       .edges = 9,
                                       .categories = 1,
                                       .vary = 1,
                                       .n_rows = 70},
                5);
        compare(&(struct forest_shape){.seed = seed,
                                       .features = 6,
                                       .trees = 4,
                                       .leaves = 25,
                                       .outputs = 3,
                                       .width = 3,
                                       .edges = 9,
                                       .wide_edges = 400,
                                       .n_rows = 9},
                3);
    }
}

/* All sets give the same bits; spoil: a factor of some covers, which then add up no more. */
static void sums(const struct forest_shape *shape, double spoil)
{
    struct forest *f = forest_new(shape);
    int64_t k = shape->outputs, width = shape->features + 1, n = shape->n_rows;
    double *phi = calloc((size_t)(n * k * width), 8),
           *base = calloc((size_t)(n * k * width), 8);
    double *margin = calloc((size_t)(n * k), 8);
    tide_error err = {0};
    find_sets();
    if (spoil != 1) {
        double *cover;
        memcpy(&cover, &f->loaded->leaf_cover, sizeof cover);
        for (uint32_t i = 0; i < f->e.tree_leaf[shape->trees]; i += 3)
            cover[i] *= spoil;
    }
    CHECK_INT(ensemble_margin(f->loaded, f->view, 0, n, 0, margin, &err), 0);
    CHECK_INT(shap_values_on(sets[0], f->loaded, f->view, 0, n, base, &err), 0);
    for (int64_t r = 0; spoil == 1 && r < n * k; r++) {
        double sum = 0;
        for (int64_t i = 0; i < width; i++) sum += base[r * width + i];
        CHECK_NEAR(sum, margin[r], 1e-11);
    }
    for (int q = 1; q < n_sets; q++) {
        CHECK_INT(shap_values_on(sets[q], f->loaded, f->view, 0, n, phi, &err), 0);
        CHECK_MSG(memcmp(phi, base, (size_t)(n * k * width) * 8) == 0, "%s differs",
                  sets[q]->name);
    }
    free(phi);
    free(base);
    free(margin);
    forest_free(f);
}

TEST(contributions_sum_to_the_margin_on_every_set)
{
    sums(&(struct forest_shape){.seed = 3,
                                .features = 28,
                                .trees = 20,
                                .leaves = 31,
                                .outputs = 1,
                                .width = 1,
                                .edges = 60,
                                .n_rows = 600},
         1);
    sums(&(struct forest_shape){.seed = 4,
                                .features = 40,
                                .trees = 3,
                                .leaves = 700,
                                .outputs = 2,
                                .width = 1,
                                .edges = 60,
                                .categories = 1,
                                .n_rows = 130},
         1);
    sums(&(struct forest_shape){.seed = 5,
                                .features = 12,
                                .trees = 5,
                                .leaves = 60,
                                .outputs = 1,
                                .width = 1,
                                .edges = 60,
                                .n_rows = 65},
         0);
}

/* A path of some 40 features takes a rule in two parts; interactions are made leaf by leaf. */
TEST(long_paths_sum_to_margins_and_interactions_to_contributions)
{
    enum { F = 60, L = F + 1, N = 2 };
    struct forest_shape shape = {.seed = 9,
                                 .features = F,
                                 .trees = 2,
                                 .leaves = 80,
                                 .outputs = 1,
                                 .width = 1,
                                 .edges = 20,
                                 .chain = 1,
                                 .n_rows = 40};
    sums(&shape, 1);
    struct forest *f = forest_new(&shape);
    double *pairs = calloc(N * L * L, sizeof *pairs), phi[N * L];
    tide_error err = {0};
    CHECK_INT(shap_interactions(f->loaded, f->view, 0, N, pairs, &err), 0);
    CHECK_INT(shap_values(f->loaded, f->view, 0, N, phi, &err), 0);
    for (int r = 0; r < N * L; r++) {
        double sum = 0;
        for (int j = 0; j < L; j++) sum += pairs[r * L + j];
        CHECK_NEAR(sum, phi[r], 1e-12);
    }
    free(pairs);
    forest_free(f);
}

TEST(without_covers_there_is_an_error)
{
    struct forest *f = forest_new(&(struct forest_shape){.seed = 1,
                                                         .features = 2,
                                                         .trees = 1,
                                                         .leaves = 3,
                                                         .outputs = 1,
                                                         .width = 1,
                                                         .edges = 3,
                                                         .n_rows = 1});
    struct ensemble e = *f->loaded;
    double phi[3];
    tide_error err = {0};
    e.leaf_cover = NULL;
    CHECK_INT(shap_values(&e, f->view, 0, 1, phi, &err), TIDE_EMODEL);
    forest_free(f);
}

/* Interactions sum to contributions, are symmetric, and are Shapley's for pairs. */
TEST(interactions_are_those_of_the_definition)
{
    struct forest_shape shape = {.seed = 6,
                                 .features = 5,
                                 .trees = 3,
                                 .leaves = 12,
                                 .outputs = 2,
                                 .width = 2,
                                 .edges = 9,
                                 .n_rows = 4};
    struct forest *f = forest_new(&shape);
    enum { F = 5, L = 6 };
    static double pairs[4 * 2 * L * L], phi[4 * 2 * L];
    double factorial[8] = {1}, v[1 << F];
    tide_error err = {0};
    for (int i = 1; i < 8; i++) factorial[i] = factorial[i - 1] * i;
    CHECK_INT(shap_interactions(f->loaded, f->view, 0, 4, pairs, &err), 0);
    CHECK_INT(shap_values(f->loaded, f->view, 0, 4, phi, &err), 0);
    for (int r = 0; r < 8; r++) {
        const double *x = f->rows + (r / 2) * F, *q = pairs + r * L * L;
        for (uint32_t s = 0; s < 1u << F; s++) v[s] = value_of(&f->e, x, s, r % 2);
        for (int i = 0; i < L; i++) {
            double sum = 0;
            for (int j = 0; j < L; j++) {
                sum += q[i * L + j];
                CHECK_NEAR(q[i * L + j], q[j * L + i], 0);
            }
            CHECK_NEAR(sum, phi[r * L + i], 1e-12);
        }
        for (int i = 0; i < F; i++)
            for (int j = 0; j < i; j++) {
                uint32_t both = 1u << i | 1u << j;
                double want = 0;
                for (uint32_t s = 0; s < 1u << F; s++) {
                    if (s & both) continue;
                    int k = __builtin_popcount(s);
                    want += factorial[k] * factorial[F - 2 - k] / factorial[F - 1] / 2 *
                            (v[s | both] - v[s | 1u << i] - v[s | 1u << j] + v[s]);
                }
                CHECK_NEAR(q[i * L + j], want, 1e-12);
            }
    }
    forest_free(f);
}

/* The game of one row against a background: absent features are the background row's. */
TEST(interventional_contributions_are_those_of_the_definition)
{
    struct forest_shape shape = {.seed = 8,
                                 .features = 6,
                                 .trees = 4,
                                 .leaves = 14,
                                 .outputs = 1,
                                 .width = 1,
                                 .edges = 9,
                                 .categories = 1,
                                 .n_rows = 9};
    struct forest *f = forest_new(&shape);
    enum { F = 6, N = 9 };
    double factorial[8] = {1}, v[1 << F], phi[N * (F + 1)], margin[N], x[F];
    tide_error err = {0};
    for (int i = 1; i < 8; i++) factorial[i] = factorial[i - 1] * i;
    CHECK_INT(shap_interventional(f->loaded, f->view, 0, N, f->view, 0, phi, &err), 0);
    CHECK_INT(ensemble_margin(f->loaded, f->view, 0, N, 0, margin, &err), 0);
    for (int r = 0; r < N; r++) {
        double sum = 0;
        for (int i = 0; i <= F; i++) sum += phi[r * (F + 1) + i];
        CHECK_NEAR(sum, margin[r], 1e-12);
        for (uint32_t s = 0; s < 1u << F; s++) {
            v[s] = 0;
            for (int b = 0; b < N; b++) {
                double one;
                for (int i = 0; i < F; i++)
                    x[i] = f->rows[(s >> i & 1 ? r : b) * F + i];
                ensemble_row(f->loaded, x, &one);
                v[s] += one / N;
            }
        }
        for (int i = 0; i < F; i++) {
            double want = 0;
            for (uint32_t s = 0; s < 1u << F; s++) {
                if (s >> i & 1) continue;
                int k = __builtin_popcount(s);
                want += factorial[k] * factorial[F - 1 - k] / factorial[F] *
                        (v[s | 1u << i] - v[s]);
            }
            CHECK_NEAR(phi[r * (F + 1) + i], want, 1e-12);
        }
    }
    struct ensemble e = *f->loaded;
    e.link = LINK_LOGIT;
    CHECK_INT(shap_interventional(&e, f->view, 0, N, f->view, 1, phi, &err), 0);
    for (int r = 0; r < N; r++) {
        double sum = 0;
        for (int i = 0; i <= F; i++) sum += phi[r * (F + 1) + i];
        CHECK_NEAR(sum, 1 / (1 + exp(-margin[r])), 1e-12);
    }
    forest_free(f);
}
