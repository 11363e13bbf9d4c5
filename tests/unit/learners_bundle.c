/* learners_bundle.c - lanes that share a byte column: the codes of each, and the trees of all apart */
#include "base/ctx.h"
#include "learners/tree/bundle.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt;
#define GBDT &tide_learner_gbdt

#define SHARED 26 /* columns that can share */

/* Two one-hot groups of 11 (o), four sparse columns that exclude each other (s0 to s3: numbers
 * without and with missing values, a category, one that is missing but for some rows), and three
 * dense ones. */
struct sparse {
    struct toy *t;
    struct fit_data d;
    double *y;
    int32_t *k;
};
static struct sparse sparse_new(int64_t n, int classes)
{
    struct sparse s = {.t = toy_new(n)};
    double *o[22], *v[3], *dense[2];
    char name[16];
    for (int j = 0; j < 22; j++) {
        snprintf(name, sizeof name, "o%02d", j);
        o[j] = toy_number(s.t, name);
    }
    for (int j = 0; j < 3; j++) {
        snprintf(name, sizeof name, "s%d", j);
        v[j] = toy_number(s.t, name);
    }
    uint32_t *level = toy_category(s.t, "s3", 7), *many = toy_category(s.t, "m", 40);
    for (int j = 0; j < 2; j++) dense[j] = toy_number(s.t, j ? "e" : "a");
    s.y = calloc((size_t)n + 1, sizeof *s.y);
    s.k = calloc((size_t)n + 1, sizeof *s.k);
    for (int64_t i = 0; i < n; i++) {
        int p = (int)(11 * toy_u(2, i, 0) * toy_u(2, i, 1)),
            q = (int)(11 * toy_u(2, i, 2));
        int r = (int)(4 * toy_u(2, i, 3)), on = toy_u(2, i, 4) < 0.4;
        double at = floor(20 * toy_u(2, i, 5)) - 10;
        o[p][i] = 1;
        o[11 + q][i] = 1;
        v[2][i] = (double)NAN;
        if (on && r == 0) v[0][i] = at;
        if (on && r == 1) v[1][i] = at < -5 ? (double)NAN : at;
        if (on && r == 2) v[2][i] = at;
        level[i] = on && r == 3 ? 1 + (uint32_t)(6 * toy_u(2, i, 6)) : 0;
        many[i] = (uint32_t)(40 * toy_u(2, i, 7));
        dense[0][i] = toy_u(2, i, 8);
        dense[1][i] = toy_u(2, i, 9) < 0.1 ? (double)NAN : floor(300 * toy_u(2, i, 10));
        double z = 0.2 * p - (q == 3) + 2 * (q == 5) + 0.1 * v[0][i] + (level[i] == 4) +
                   dense[0][i] + (many[i] % 5 == 0) + 0.5 * toy_u(2, i, 11) +
                   (on && r == 2 ? 1 : 0);
        s.y[i] = z;
        s.k[i] = classes ? (int32_t)(z + 3) % classes : 0;
    }
    s.d = toy_data(s.t, classes, s.y, s.k, 5);
    return s;
}
static void sparse_free(struct sparse *s)
{
    toy_free(s->t);
    free(s->y);
    free(s->k);
}

static tide_ctx *ctx_of(int threads, int apart)
{
    tide_ctx *ctx = toy_ctx(threads);
    ctx->lanes_apart = apart;
    return ctx;
}

static struct bin_codes codes_of(tide_ctx *ctx, const struct view *x, int how,
                                 struct arena *a, struct bin_cuts *cuts)
{
    struct bin_codes codes = {0};
    struct bin_how cut = {.max_codes = 255};
    CHECK_INT(bins_cut(ctx, x, &cut, a, cuts, NULL), TIDE_OK);
    CHECK_INT(bins_code(ctx, cuts, x, how, a, &codes, NULL), TIDE_OK);
    return codes;
}

/* Of every code of a lane: its rows by the shared column are those by one of its own, and so are
 * counts and sums. Sums of a row: g = row - 40, h = 1 + row mod 3. */
static int64_t wrong_codes(const struct bin_codes *codes, int32_t lane,
                           const uint8_t *own)
{
    int64_t wrong = 0, all_g = 0, all_h = 0;
    uint32_t count[256] = {0}, want[256] = {0};
    static uint64_t hist[2][512 * 64], room[512];
    const uint8_t *column = bundle_plane(codes, lane);
    size_t at = (size_t)(codes->bundles ? codes->bundles->lane[lane].plane : lane);
    int64_t g[256] = {0}, h[256] = {0};
    memset(hist, 0, sizeof hist);
    for (int64_t i = 0; i < codes->n_rows; i++) {
        int64_t gi = i - 40, hi = 1 + i % 3;
        count[column[i]]++;
        want[own[i]]++;
        g[own[i]] += gi;
        h[own[i]] += hi;
        all_g += gi;
        all_h += hi;
        hist[0][256 * at + column[i]] += ((uint64_t)gi << 32) + (uint64_t)hi;
        hist[1][512 * at + 2 * (size_t)column[i]] += (uint64_t)gi;
        hist[1][512 * at + 2 * (size_t)column[i] + 1] += (uint64_t)hi;
    }
    bundle_counts(codes, lane, (uint32_t)codes->n_rows, count);
    for (int c = 0; c < 256; c++) {
        if (!want[c]) continue;
        uint8_t left[256] = {0};
        left[c] = 1;
        const uint8_t *by = bundle_table(codes, lane, left);
        for (int64_t i = 0; i < codes->n_rows; i++)
            wrong += left[by[i]] != (own[i] == c);
        wrong += count[c] != want[c];
        const uint64_t *cells =
            bundle_cells(codes, lane, hist[0], 0, all_g, all_h, room);
        wrong += cells[c] != ((uint64_t)g[c] << 32) + (uint64_t)h[c];
        cells = bundle_cells(codes, lane, hist[1], 1, all_g, all_h, room);
        wrong += (int64_t)cells[2 * c] != g[c] || (int64_t)cells[2 * c + 1] != h[c];
    }
    return wrong;
}

TEST(a_shared_column_holds_the_codes_of_all_its_lanes)
{
    static const int64_t rows[6] = {2, 40, 255, 1023, 1025, 9001};
    for (int k = 0; k < 6; k++) {
        struct sparse s = sparse_new(rows[k], 0);
        tide_ctx *ctx = ctx_of(1 + k % 3, 0);
        struct arena a;
        struct bin_cuts cuts;
        arena_init(&a, ctx);
        struct bin_codes apart =
            codes_of(ctx, s.d.x, BIN_BLOCKS | BIN_APART, &a, &cuts);
        struct bin_codes codes = codes_of(ctx, s.d.x, BIN_BLOCKS, &a, &cuts);
        CHECK(!apart.bundles);
        CHECK_INT(apart.n_planes, cuts.n_lanes);
        CHECK_INT(codes.n_lanes, cuts.n_lanes);
        for (int32_t l = 0; l < cuts.n_lanes; l++)
            CHECK_INT(wrong_codes(&codes, l, apart.plane[l]), 0);
        for (int32_t p = 0; p < codes.n_planes; p++) {
            int64_t wrong = 0;
            for (int64_t i = 0; i < rows[k]; i++)
                wrong +=
                    codes.block->rows[i * codes.block->stride + p] != codes.plane[p][i];
            CHECK_INT(wrong, 0);
        }
        /* two groups, and the four sparse columns */
        if (rows[k] > 1000) CHECK_INT(codes.n_planes, cuts.n_lanes - SHARED + 3);
        arena_free(&a);
        tide_ctx_free(ctx);
        sparse_free(&s);
    }
}

TEST(rows_that_meet_keep_their_columns_apart)
{
    struct toy *t = toy_new(3000);
    double *a = toy_number(t, "a"), *b = toy_number(t, "b"), *c = toy_number(t, "c");
    for (int64_t i = 0; i < 3000; i++) {
        a[i] = i % 10 == 0;
        b[i] = i % 10 == 1 || i == 2990; /* meets a in one row */
        c[i] = i % 10 == 2;
    }
    tide_ctx *ctx = ctx_of(2, 0);
    struct arena arena;
    struct bin_cuts cuts;
    arena_init(&arena, ctx);
    struct bin_codes codes = codes_of(ctx, toy_view(t), 0, &arena, &cuts);
    CHECK_INT(codes.n_planes, 2);
    CHECK(codes.bundles->lane[0].plane != codes.bundles->lane[1].plane);
    arena_free(&arena);
    tide_ctx_free(ctx);
    toy_free(t);
}

/* The model by shared columns, for several threads, is that of columns apart. */
static void same_model(const char *options, struct sparse *s, struct fit_data *valid)
{
    struct toy_how how = {.ctx = ctx_of(1, 1), .valid = valid};
    struct toy_model *m = toy_fit(GBDT, options, &s->d, s->t->n_levels, &how);
    CHECK_MSG(m->status == TIDE_OK, "%s: %s", options, m->err.message);
    tide_ctx_free(how.ctx);
    for (int v = 0; v < 4; v++) {
        static const int threads[4] = {1, 2, 3, 7};
        how.ctx = ctx_of(threads[v], 0);
        if (v == 2) CHECK_INT(tide_ctx_set_isa(how.ctx, TIDE_ISA_BASE, NULL), TIDE_OK);
        struct toy_model *q = toy_fit(GBDT, options, &s->d, s->t->n_levels, &how);
        CHECK_INT(q->status, TIDE_OK);
        CHECK_MSG(q->hash == m->hash, "%s: other bytes with %d threads", options,
                  threads[v]);
        toy_model_free(q);
        tide_ctx_free(how.ctx);
    }
    toy_model_free(m);
}

TEST(models_have_the_bytes_of_columns_apart)
{
    static const char *const options[] = {
        "trees=6,patience=0",
        "trees=6,patience=0,min_rows=40,bins=16",
        "trees=6,rows=0.6,columns=0.5,columns_node=0.7",
        "trees=6,patience=0,growth=level,depth=5,l1=1",
        "trees=6,patience=0,growth=symmetric,depth=5,min_rows=30",
        "trees=6,patience=0,monotone=+s0",
        "trees=6,patience=0,cat_split=sets,min_gain=1",
        "trees=30,dart=0.3,patience=0",
    };
    for (int classes = 0; classes < 4; classes++) {
        if (classes == 1) continue;
        struct sparse s = sparse_new(classes ? 3000 : 12000, classes);
        for (size_t k = 0; k < sizeof options / sizeof *options; k++)
            same_model(options[k], &s, NULL);
        sparse_free(&s);
    }
}

TEST(many_rows_and_heavy_tails_change_nothing)
{
    struct sparse s = sparse_new(140000, 2), few = sparse_new(1500, 0);
    same_model("trees=3,patience=0", &s, NULL);
    same_model("trees=3,patience=0,growth=symmetric,depth=4", &s, NULL);
    few.y[17] = 1e9;
    same_model("trees=20,patience=0,min_rows=1", &few, NULL);
    same_model("trees=20", &few, NULL); /* folds */
    sparse_free(&s);
    sparse_free(&few);
}

/* Rows to watch may meet where those of the fit do not. */
TEST(rows_to_watch_have_columns_of_their_own)
{
    struct sparse s = sparse_new(4000, 0), other = sparse_new(1500, 0);
    for (int j = 0; j < other.t->n_cols; j++) {
        union {
            const double *from;
            double *to;
        } p = {other.t->col[j].f64};
        if (other.t->col[j].name[0] == 'o')
            for (int64_t i = 0; i < 1500; i++) p.to[i] = toy_u(4, i, (uint32_t)j) < 0.3;
    }
    other.d.x = toy_view(other.t);
    same_model("trees=40,patience=5", &s, &other.d);
    sparse_free(&s);
    sparse_free(&other);
}

TEST(weights_and_vector_leaves_change_nothing)
{
    struct sparse s = sparse_new(3000, 3);
    double *w = calloc(3000, sizeof *w);
    for (int i = 0; i < 3000; i++) w[i] = floor(4 * toy_u(3, i, 0));
    s.d.w = w;
    same_model("trees=6,patience=0", &s, NULL);
    same_model("trees=6,patience=0,multi=vector", &s, NULL);
    free(w);
    sparse_free(&s);
}

/* Columns with the cells besides 0 only: the model of the same cells as arrays. */
TEST(sparse_columns_give_the_same_model)
{
    struct sparse s = sparse_new(6000, 0);
    static struct column narrow[TOY_COLS];
    static const struct column *by_name[TOY_COLS];
    static uint32_t at[TOY_COLS][6000];
    static double nz[TOY_COLS][6000];
    static const char *const options[2] = {"trees=8,patience=0",
                                           "trees=8,rows=0.7,bin_sample=2000"};
    struct view x = *s.d.x;
    for (int j = 0; j < x.n_cols; j++) {
        const struct column *c = x.cols[j];
        by_name[j] = &narrow[j];
        narrow[j] = *c;
        if (c->type != TIDE_F64) continue;
        narrow[j].f64 = NULL;
        narrow[j].at = at[j];
        narrow[j].nz = nz[j];
        for (int64_t i = 0; i < s.t->n; i++) {
            if (c->f64[i] == 0) continue;
            at[j][narrow[j].n_at] = (uint32_t)i;
            nz[j][narrow[j].n_at++] = c->f64[i];
        }
    }
    int64_t *rows = calloc(4000, sizeof *rows);
    for (int64_t i = 0; i < 4000; i++) rows[i] = i < 2000 ? 3 * i : (7 * i) % 6000;
    for (int k = 0; k < 4; k++) {
        struct view dense = x, thin = x;
        thin.cols = by_name;
        if (k & 1) {
            dense.rows = thin.rows = rows;
            dense.n_rows = thin.n_rows = 4000;
        }
        struct fit_data d = s.d;
        struct toy_how how = {.threads = 1 + k};
        d.x = &dense;
        struct toy_model *m = toy_fit(GBDT, options[k / 2], &d, s.t->n_levels, &how);
        d.x = &thin;
        struct toy_model *q = toy_fit(GBDT, options[k / 2], &d, s.t->n_levels, &how);
        CHECK_INT(m->status, TIDE_OK);
        CHECK(m->hash == q->hash);
        double want[300], got[300];
        CHECK_INT(tide_learner_gbdt.predict(m->object, &dense, 100, 300, want, NULL),
                  0);
        CHECK_INT(tide_learner_gbdt.predict(q->object, &thin, 100, 300, got, NULL), 0);
        CHECK(memcmp(want, got, sizeof want) == 0);
        toy_model_free(m);
        toy_model_free(q);
    }
    free(rows);
    sparse_free(&s);
}

TEST(every_failing_allocation_is_an_error)
{
    struct sparse s = sparse_new(600, 2);
    toy_fail_each(GBDT, "trees=2,leaves=4,patience=0", &s.d, s.t->n_levels, 1);
    sparse_free(&s);
}
