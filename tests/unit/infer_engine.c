/* infer_engine.c - every engine on every kernel set gives the bits of the plain walk */
#include <stdio.h>
#include <time.h>

#include "infer/engine.h"
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

static const char *const kinds[] = {"auto", "plane", "lane", "walk", "plain"};

/* Random coefficients of 0 to 3 columns a leaf. */
static void make_linear(struct forest *f, uint64_t seed)
{
    struct state s;
    tide_error err = {0};
    uint32_t leaves = f->e.tree_leaf[f->e.n_trees], n = 0;
    state_init(&s, &f->arena);
    uint32_t *first = arena_array(&f->arena, leaves + 1, 4);
    uint32_t *feature = arena_array(&f->arena, 3 * (int64_t)leaves, 4);
    double *coef = arena_array(&f->arena, 3 * (int64_t)leaves, 8);
    double *constant = arena_array(&f->arena, leaves, 8);
    for (uint32_t i = 0; i < leaves; i++) {
        first[i] = n;
        constant[i] = toy_u(seed, i, 1);
        for (uint32_t k = 0; k < i % 4; k++) {
            uint32_t j = (uint32_t)(toy_u(seed, i, 10 + k) * (double)f->e.n_features);
            if (f->e.feature_kind[j]) continue;
            feature[n] = j;
            coef[n++] = toy_u(seed, i, 20 + k) - 0.5;
        }
    }
    first[leaves] = n;
    const struct ensemble_linear linear = {
        .first = first, .feature = feature, .coef = coef, .constant = constant};
    struct ensemble whole = f->e;
    whole.linear = &linear;
    ensemble_save(&whole, &s);
    CHECK_INT(ensemble_load_linear(&s, f->loaded, &f->arena, &err), TIDE_OK);
    f->e.linear = f->loaded->linear;
}

static void compare_forest(struct forest *f, const struct forest_shape *s);

/* Batches and single rows of a forest against the oracle. */
static void compare(const struct forest_shape *s)
{
    compare_forest(forest_new(s), s);
}

static void compare_forest(struct forest *f, const struct forest_shape *s)
{
    int64_t n = s->n_rows, k = s->outputs;
    double *want = calloc((size_t)(n * k), 8), *got = calloc((size_t)(n * k), 8);
    tide_error err = {0};
    find_sets();
    CHECK(f->loaded && f->loaded->engine);
    CHECK_INT(ensemble_margin_plain(&f->e, f->view, 0, n, 0, want, &err), 0);
    for (int q = 0; f->loaded && q < n_sets; q++)
        for (enum engine_kind kind = ENGINE_AUTO; kind <= ENGINE_PLAIN; kind++) {
            static const int64_t sizes[] = {1, 7, 64, 333, 100000};
            for (int b = 0; b < 5; b++) {
                memset(got, 0, (size_t)(n * k) * 8);
                for (int64_t i = 0; i < n; i += sizes[b])
                    CHECK_INT(engine_margin(f->loaded, sets[q], kind, f->view, i,
                                            n - i < sizes[b] ? n - i : sizes[b],
                                            got + i * k, &err),
                              0);
                CHECK_MSG(memcmp(want, got, (size_t)(n * k) * 8) == 0,
                          "seed %d: %s on %s differs in batches of %d", (int)s->seed,
                          kinds[kind], sets[q]->name, (int)sizes[b]);
            }
            for (int64_t i = 0; i < n; i++)
                engine_row(f->loaded, sets[q], kind, f->rows + i * s->features,
                           got + i * k);
            CHECK_MSG(memcmp(want, got, (size_t)(n * k) * 8) == 0,
                      "seed %d: %s on %s differs row by row", (int)s->seed, kinds[kind],
                      sets[q]->name);
        }
    free(want);
    free(got);
    forest_free(f);
}

TEST(small_trees_with_sets_and_missing_values)
{
    for (uint64_t seed = 1; seed < 9; seed++)
        compare(&(struct forest_shape){.seed = seed,
                                       .features = 7,
                                       .trees = 37,
                                       .leaves = 32,
                                       .outputs = 1,
                                       .width = 1,
                                       .edges = 20 + 40 * ((int)seed % 6),
                                       .categories = 1,
                                       .vary = 1,
                                       .n_rows = 333});
}

TEST(linear_leaves)
{
    for (uint64_t seed = 1; seed < 5; seed++) {
        const struct forest_shape s = {.seed = seed,
                                       .features = 7,
                                       .trees = 130,
                                       .leaves = seed == 4 ? 400 : 32,
                                       .outputs = seed == 2 ? 3 : 1,
                                       .width = 1,
                                       .edges = 100,
                                       .wide_edges = seed == 3 ? 900 : 0,
                                       .categories = 1,
                                       .vary = 1,
                                       .n_rows = 333};
        struct forest *f = forest_new(&s);
        make_linear(f, seed);
        compare_forest(f, &s);
    }
}

TEST(several_outputs_and_vector_leaves)
{
    for (uint64_t seed = 11; seed < 15; seed++) {
        compare(&(struct forest_shape){.seed = seed,
                                       .features = 40,
                                       .trees = 33,
                                       .leaves = 20,
                                       .outputs = 3,
                                       .width = 1,
                                       .edges = 100,
                                       .vary = 1,
                                       .n_rows = 200});
        compare(&(struct forest_shape){.seed = seed,
                                       .features = 9,
                                       .trees = 20,
                                       .leaves = 90,
                                       .outputs = 4,
                                       .width = 4,
                                       .edges = 200,
                                       .categories = 1,
                                       .vary = 1,
                                       .n_rows = 200});
    }
}

/* Leaves of a row in trees [t, t + 1), as scores without a base. */
static void one_tree(const struct forest *f, int32_t t, int64_t n, double *out)
{
    static const double nothing[8];
    struct ensemble one = f->e;
    tide_error err = {0};
    one.n_trees = 1;
    one.tree_output += t;
    one.tree_node += t;
    one.tree_leaf += t;
    one.tree_depth += t;
    one.base = nothing;
    CHECK_INT(ensemble_margin_plain(&one, f->view, 0, n, 0, out, &err), 0);
}

/* What docs/do/import.md says of the default sums. */
TEST(sums_lie_within_their_bound)
{
    const struct forest_shape s = {.seed = 77,
                                   .features = 9,
                                   .trees = 500,
                                   .leaves = 31,
                                   .outputs = 1,
                                   .width = 1,
                                   .edges = 90,
                                   .n_rows = 200};
    struct forest *f = forest_new(&s);
    double got[200], own[200];
    long double exact[200], size[200];
    tide_error err = {0};
    CHECK_INT(ensemble_margin(f->loaded, f->view, 0, 200, 0, got, &err), 0);
    for (int i = 0; i < 200; i++) {
        exact[i] = (long double)f->e.base[0];
        size[i] = (long double)fabs(f->e.base[0]);
    }
    for (int32_t t = 0; t < f->e.n_trees; t++) {
        one_tree(f, t, 200, own);
        for (int i = 0; i < 200; i++) {
            exact[i] += (long double)own[i];
            size[i] += (long double)fabs(own[i]);
        }
    }
    int beyond = 0;
    for (int i = 0; i < 200; i++) {
        long double far = (long double)got[i] - exact[i];
        far = far < 0 ? -far : far;
        beyond += far > (long double)(f->e.n_trees + 1) * 0x1p-53L * size[i];
    }
    CHECK_INT(beyond, 0);
    forest_free(f);
}

/* Several groups of lanes, with trees of one leaf among them, and an odd group at the end. */
TEST(lanes_of_many_trees)
{
    static const struct {
        int trees, leaves, outputs, features;
    } shapes[] = {{64, 32, 1, 7},   {65, 2, 1, 7},    {129, 33, 1, 40},
                  {128, 64, 3, 20}, {200, 200, 1, 9}, {70, 256, 2, 62}};
    find_sets();
    for (int k = 0; k < (int)(sizeof shapes / sizeof *shapes); k++)
        for (int vary = 0; vary < 2; vary++) {
            struct forest_shape s = {.seed = 40 + (uint64_t)k,
                                     .features = shapes[k].features,
                                     .trees = shapes[k].trees,
                                     .leaves = shapes[k].leaves,
                                     .outputs = shapes[k].outputs,
                                     .width = 1,
                                     .edges = 254,
                                     .categories = k == 1 || k == 3,
                                     .vary = vary,
                                     .n_rows = 66};
            struct forest *f = forest_new(&s);
            CHECK_MSG(f->loaded->engine->lane, "shape %d has no lanes", k);
            forest_free(f);
            compare(&s);
        }
}

TEST(lanes_are_for_trees_that_fill_them)
{
    struct forest *f = forest_new(&(struct forest_shape){.seed = 50,
                                                         .features = 6,
                                                         .trees = 12,
                                                         .leaves = 256,
                                                         .outputs = 1,
                                                         .width = 1,
                                                         .edges = 254,
                                                         .n_rows = 10});
    const char *batch, *row;
    ensemble_engines(f->loaded, &batch, &row);
    CHECK_STR(row, "walk");
    forest_free(f);
}

TEST(larger_trees_and_wide_codes_are_walked)
{
    compare(&(struct forest_shape){.seed = 21,
                                   .features = 6,
                                   .trees = 12,
                                   .leaves = 256,
                                   .outputs = 1,
                                   .width = 1,
                                   .edges = 254,
                                   .n_rows = 300});
    compare(&(struct forest_shape){.seed = 22,
                                   .features = 6,
                                   .trees = 12,
                                   .leaves = 257,
                                   .outputs = 1,
                                   .width = 1,
                                   .edges = 254,
                                   .n_rows = 300});
    compare(&(struct forest_shape){.seed = 23,
                                   .features = 6,
                                   .trees = 7,
                                   .leaves = 2000,
                                   .outputs = 2,
                                   .width = 2,
                                   .edges = 200,
                                   .wide_edges = 3000,
                                   .categories = 1,
                                   .n_rows = 300});
}

TEST(many_columns_are_more_than_lanes_take)
{
    compare(&(struct forest_shape){.seed = 31,
                                   .features = 60,
                                   .trees = 90,
                                   .leaves = 31,
                                   .outputs = 1,
                                   .width = 1,
                                   .edges = 16,
                                   .n_rows = 130});
    compare(&(struct forest_shape){.seed = 32,
                                   .features = 1,
                                   .trees = 5,
                                   .leaves = 1,
                                   .outputs = 1,
                                   .width = 1,
                                   .edges = 1,
                                   .n_rows = 65});
}

/* x as the columns of one row that all have the same edges: neighbours, and with gaps. */
static void check_row(const struct simd_edges *e, const double *x, const uint8_t *want)
{
    struct simd_edges all[200];
    uint32_t near[200], apart[200];
    double wide[500] = {0};
    uint8_t got[201];
    for (uint32_t i = 0; i < 200; i++) {
        all[i] = *e;
        near[i] = i;
        apart[i] = 2 * i + i / 3;
        wide[apart[i]] = x[i];
    }
    for (int q = 0; q < n_sets; q++)
        for (int32_t m = 0; m <= 200; m += m < 70 ? 1 : 65)
            for (int gaps = 0; gaps < 2; gaps++) {
                memset(got, 7, sizeof got);
                sets[q]->codes_row(all, gaps ? apart : near, m, gaps ? wide : x, got);
                CHECK(memcmp(want, got, (size_t)m) == 0);
                CHECK_INT(got[m], 7);
            }
}

TEST(edges_that_round_to_zero_are_exact)
{
    static const double at[] = {0,      -0.0, 1e-60,  -1e-60, 2e-60,
                                -2e-60, -1,   1e-310, -1e-50, -2e-50,
                                1,      2,    1e300,  -1e300, (double)NAN};
    static const double near_zero[] = {-1e-60, -0.0, 1e-60};
    find_sets();
    for (int k = 0; k < 3; k++) {
        double edge[] = {-1, near_zero[k], 1, INFINITY}, x[200];
        float level[SIMD_LEVEL_FLOATS];
        uint8_t want[200];
        for (int i = 0; i < SIMD_LEVEL_FLOATS; i++) level[i] = INFINITY;
        for (int i = 0; i < 3; i++) level[16 + i] = (float)edge[i] + 0.0f;
        for (int i = 0; i < 200; i++) {
            x[i] = at[i % (int)(sizeof at / sizeof *at)];
            want[i] = (uint8_t)((edge[0] < x[i]) + (edge[1] < x[i]) + (edge[2] < x[i]));
            if (isnan(x[i])) want[i] = 255;
        }
        check_row(&(struct simd_edges){.level = level, .edge = edge, .n_edge = 3}, x,
                  want);
    }
}

/* Values that f32 cannot tell apart from an edge, or from each other's edges. */
TEST(codes_are_exact_where_f32_is_not)
{
    double edge[255], x[200];
    float level[SIMD_LEVEL_FLOATS];
    uint8_t want[200], got[200];
    find_sets();
    for (int n = 0; n <= 254; n += 127) {
        for (int i = 0; i < SIMD_LEVEL_FLOATS; i++) level[i] = INFINITY;
        for (int i = 0; i < n; i++) {
            edge[i] = i + 0.1;
            level[16 + i] = (float)edge[i];
            if (i % 16 == 15) level[i / 16] = level[16 + i];
        }
        edge[n] = INFINITY;
        for (int i = 0; i < 200; i++) {
            double at = (i * 7 % 260) + 0.1;
            x[i] = i % 5 == 0   ? nextafter(at, 1e9)
                   : i % 5 == 1 ? nextafter(at, -1e9)
                   : i % 5 == 2 ? at
                   : i % 5 == 3 ? (double)NAN
                                : (i % 2 ? 1e300 : -1e300);
            want[i] = 0;
            for (int k = 0; k < n; k++) want[i] = (uint8_t)(want[i] + (edge[k] < x[i]));
            if (isnan(x[i])) want[i] = 255;
        }
        struct simd_edges e = {.level = level, .edge = edge, .n_edge = n};
        check_row(&e, x, want);
        for (int q = 0; q < n_sets; q++)
            for (int64_t m = 0; m <= 200; m += m < 70 ? 1 : 65) {
                memset(got, 7, sizeof got);
                sets[q]->codes_u8(&e, x, m, got);
                CHECK(memcmp(want, got, (size_t)m) == 0);
                CHECK(m == 200 || got[m] == 7);
            }
    }
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void show_time(const struct forest_shape *s)
{
    struct forest *f = forest_new(s);
    int64_t n = s->n_rows;
    double *got = calloc((size_t)(n * s->outputs), 8);
    tide_error err = {0};
    for (int q = 0; q < n_sets; q++)
        for (enum engine_kind kind = ENGINE_PLANE; kind <= ENGINE_WALK; kind++) {
            double best = 1e9, row = 1e9;
            for (int r = 0; r < 5; r++) {
                double t = cpu_seconds();
                for (int64_t i = 0; i < n; i += 4096)
                    engine_margin(f->loaded, sets[q], kind, f->view, i,
                                  n - i < 4096 ? n - i : 4096, got, &err);
                t = cpu_seconds() - t;
                if (t < best) best = t;
                t = cpu_seconds();
                for (int64_t i = 0; i < n; i++)
                    engine_row(f->loaded, sets[q], kind, f->rows + i * s->features,
                               got);
                t = cpu_seconds() - t;
                if (t < row) row = t;
            }
            fprintf(stderr,
                    "%4d x %5d  %-6s %-6s batch %8.3f ns/row/tree  row %8.1f ns\n",
                    s->trees, s->leaves, sets[q]->name, kinds[kind],
                    best * 1e9 / (double)n / s->trees, row * 1e9 / (double)n);
        }
    free(got);
    forest_free(f);
}

TEST(times_are_shown_where_asked_for)
{
    if (!getenv("UNIT_VERBOSE")) return;
    find_sets();
    show_time(&(struct forest_shape){.seed = 1,
                                     .features = 28,
                                     .trees = 100,
                                     .leaves = 31,
                                     .outputs = 1,
                                     .width = 1,
                                     .edges = 100,
                                     .whole = 1,
                                     .n_rows = 4096});
    show_time(&(struct forest_shape){.seed = 1,
                                     .features = 28,
                                     .trees = 100,
                                     .leaves = 255,
                                     .outputs = 1,
                                     .width = 1,
                                     .edges = 254,
                                     .whole = 1,
                                     .n_rows = 4096});
    show_time(&(struct forest_shape){.seed = 1,
                                     .features = 28,
                                     .trees = 20,
                                     .leaves = 4000,
                                     .outputs = 1,
                                     .width = 1,
                                     .edges = 254,
                                     .whole = 1,
                                     .n_rows = 4096});
}
