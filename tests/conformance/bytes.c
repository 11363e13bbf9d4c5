/* The same data, parameters and seed give the same model bytes, whatever else differs */
#include <fenv.h>
#include <unistd.h>

#include "suite.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

PROPERTY(refit, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    FOR_SIZES(n)
    {
        tide_frame *f = frame_for(ctx, s, j, n);
        struct made a = make(ctx, f, s, j, NULL), b = make(ctx, f, s, j, NULL);
        if (n > 2)
            CHECK_MADE(a);
        else
            CHECK_MADE_OR_REFUSED(a);
        CHECK_SAME_FILE(a, b, "%lld rows, %d classes", (long long)n, j->n_classes);
        check_model(ctx, &a, f, "on its own rows");
        made_free(&a);
        made_free(&b);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

PROPERTY(threads, LEARNERS | STEPS, always)
{
    enum { TURNS = 4 };
    static const int threads[TURNS] = {1, 2, 3, 7};
    tide_ctx *ctx[TURNS];
    for (int t = 0; t < TURNS; t++) ctx[t] = ctx_open(threads[t]);
    FOR_JOBS(s, j)
    {
        tide_frame *f = frame_for(ctx[0], s, j, MANY_ROWS);
        struct made one = make(ctx[0], f, s, j, NULL);
        double *z = one.st ? NULL : scores_of(ctx[0], one.m, f, NULL, 0);
        CHECK_MADE(one);
        for (int t = 1; t < TURNS; t++) {
            struct made x = make(ctx[t], f, s, j, NULL);
            CHECK_SAME_FILE(x, one, "%d threads", threads[t]);
            double *y = x.st ? NULL : scores_of(ctx[t], x.m, f, NULL, 0);
            if (!x.st)
                check_near(y, z, MANY_ROWS * width_of(x.m), 0, "scores by threads");
            free(y);
            made_free(&x);
        }
        free(z);
        made_free(&one);
        tide_frame_free(f);
    }
    for (int t = 0; t < TURNS; t++) tide_ctx_free(ctx[t]);
}

static int go_on(void *payload, const char *phase, double done, double total,
                 const char *text)
{
    int *calls = payload;
    (void)phase, (void)text;
    ++*calls;
    CHECK(isfinite(done) && isfinite(total) && done >= 0);
    return 0;
}

PROPERTY(context, LEARNERS | STEPS, always)
{
    FOR_JOBS(s, j)
    {
        struct heard heard;
        int calls = 0;
        tide_ctx *plain = ctx_open(1), *busy = ctx_open_heard(2, &heard);
        CHECK(!tide_ctx_set_memory(busy, INT64_C(4) << 30, NULL));
        tide_ctx_set_progress(busy, go_on, &calls);
        tide_frame *f = frame_for(plain, s, j, 700);
        struct made a = make(plain, f, s, j, NULL), b = make(busy, f, s, j, NULL);
        CHECK_MADE(a);
        CHECK_SAME_FILE(b, a, "limit, log and progress");
        made_free(&a);
        made_free(&b);
        tide_frame_free(f);
        tide_ctx_free(plain);
        tide_ctx_free(busy);
    }
}

static void same_on_isa(const struct subject *s, enum tide_isa isa, const char *name)
{
    tide_ctx *base = ctx_open(2), *other = ctx_open(2);
    CHECK(!tide_ctx_set_isa(base, TIDE_ISA_BASE, NULL));
    if (tide_ctx_set_isa(other, isa, NULL)) {
        SKIP("this machine lacks the instructions");
    } else {
        FOR_JOBS(s, j)
        FOR_SIZES(n)
        {
            tide_frame *f = frame_for(base, s, j, n);
            struct made a = make(base, f, s, j, NULL), b = make(other, f, s, j, NULL);
            if (s->tolerance > 0)
                CHECK(a.st == b.st);
            else
                CHECK_SAME_FILE(b, a, "%s, %lld rows", name, (long long)n);
            if (!a.st && !b.st) {
                double *za = scores_of(base, a.m, f, NULL, 0);
                double *zb = scores_of(other, b.m, f, NULL, 0);
                check_near(zb, za, n * width_of(a.m), s->tolerance, name);
                free(za);
                free(zb);
            }
            made_free(&a);
            made_free(&b);
            tide_frame_free(f);
        }
    }
    tide_ctx_free(base);
    tide_ctx_free(other);
}
PROPERTY(avx2, LEARNERS | STEPS, always)
{
    same_on_isa(s, TIDE_ISA_AVX2, "avx2");
}
PROPERTY(avx512, LEARNERS | STEPS, always)
{
    same_on_isa(s, TIDE_ISA_AVX512, "avx512");
}

/* The public way, as the program goes it: trained with folds, saved, opened. */
static tide_model *train(tide_ctx *ctx, const tide_frame *f, const struct subject *s,
                         const struct job *j, int32_t cv, uint64_t seed)
{
    struct tide_problem_options o = problem_of(j);
    struct tide_train_options how = {
        .pipeline = s->text, .cv = j->task == TIDE_ANOMALY ? 0 : cv, .seed = seed};
    tide_model *m = NULL;
    tide_report *report = NULL;
    tide_error err = {0};
    tide_status st = tide_train(ctx, f, NULL, &o, &how, &m, &report, &err);
    CHECK_MSG(!st, "train: %s (%s)", err.message, tide_code_name(err.code));
    tide_report_free(report);
    return m;
}

static uint8_t *bytes_of(const tide_model *m, struct arena *a, size_t *size)
{
    uint8_t *bytes = NULL;
    tide_error err = {0};
    CHECK_MSG(!tide_write_model(m, a, &bytes, size, &err), "write: %s", err.message);
    return bytes;
}

/* N27: the host's rounding mode and its flushing of denormals are its own business. */
PROPERTY(float_mode, LEARNERS | STEPS, always)
{
    FOR_JOBS(s, j)
    {
        tide_ctx *ctx = ctx_open(2);
        tide_frame *f = frame_for(ctx, s, j, 65);
        struct arena a;
        size_t n1 = 0, n2 = 0;
        arena_init(&a, NULL);
        tide_model *m1 = train(ctx, f, s, j, 1, 1);
        tide_scores *z1 = NULL, *z2 = NULL;
        if (m1) CHECK(!tide_model_predict(ctx, m1, f, &z1, NULL));
        fesetround(FE_UPWARD);
#if defined(__x86_64__)
        unsigned before = _mm_getcsr();
        _mm_setcsr(before | 0x8040); /* flush to zero, denormals are zero */
        unsigned host = _mm_getcsr();
#endif
        tide_model *m2 = train(ctx, f, s, j, 1, 1);
        if (m2) CHECK(!tide_model_predict(ctx, m2, f, &z2, NULL));
#if defined(__x86_64__)
        CHECK((_mm_getcsr() & ~0x3fu) == (host & ~0x3fu));
        _mm_setcsr(before);
#endif
        CHECK(fegetround() == FE_UPWARD);
        fesetround(FE_TONEAREST);
        if (m1 && m2) {
            uint8_t *b1 = bytes_of(m1, &a, &n1), *b2 = bytes_of(m2, &a, &n2);
            CHECK_MSG(n1 == n2 && !memcmp(b1, b2, n1), "other bytes: %s",
                      nodes_differ(m1, m2) ? nodes_differ(m1, m2) : "beside the state");
        }
        if (z1 && z2)
            check_near(tide_scores_values(z2), tide_scores_values(z1),
                       65 * width_of(m1), 0, "scores");
        tide_scores_free(z1);
        tide_scores_free(z2);
        tide_model_free(m1);
        tide_model_free(m2);
        arena_free(&a);
        tide_frame_free(f);
        tide_ctx_free(ctx);
    }
}

PROPERTY(reload, LEARNERS | STEPS, always)
{
    char path[] = "/tmp/conformance.XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    if (fd >= 0) close(fd);
    FOR_JOBS(s, j)
    {
        tide_ctx *ctx = ctx_open(2);
        tide_frame *f = frame_for(ctx, s, j, 65);
        tide_error err = {0};
        struct arena a;
        size_t n1 = 0, n2 = 0, n3 = 0;
        arena_init(&a, NULL);
        tide_model *m = train(ctx, f, s, j, 2, 1), *file = NULL, *mem = NULL;
        if (m) {
            CHECK_MSG(!tide_model_save(ctx, m, path, &err), "save: %s", err.message);
            CHECK_MSG(!tide_model_open(ctx, path, tide_model_sha256(m), &file, &err),
                      "open: %s", err.message);
            uint8_t *bytes = bytes_of(m, &a, &n1);
            char *odd = malloc(n1 + 9); /* the block at another address, not aligned */
            memcpy(odd + 9, bytes, n1);
            CHECK_MSG(!tide_model_open_memory(ctx, odd + 9, n1, &mem, &err), "open: %s",
                      err.message);
            memset(odd, 0xa5, n1 + 9);
            free(odd);
        }
        if (m && file && mem) {
            CHECK(!strcmp(tide_model_sha256(m), tide_model_sha256(file)));
            CHECK(tide_model_bytes(file) == (int64_t)n1);
            uint8_t *b1 = bytes_of(m, &a, &n1), *b2 = bytes_of(file, &a, &n2),
                    *b3 = bytes_of(mem, &a, &n3);
            CHECK(n1 == n2 && !memcmp(b1, b2, n1));
            CHECK(n1 == n3 && !memcmp(b1, b3, n1));
            double *z = scores_of(ctx, m, f, NULL, 0),
                   *y = scores_of(ctx, file, f, NULL, 0),
                   *x = scores_of(ctx, mem, f, NULL, 0);
            check_near(y, z, 65 * width_of(m), 0, "from the file");
            check_near(x, z, 65 * width_of(m), 0, "from memory");
            free(x);
            free(y);
            free(z);
        }
        tide_model_free(m);
        tide_model_free(file);
        tide_model_free(mem);
        arena_free(&a);
        tide_frame_free(f);
        tide_ctx_free(ctx);
    }
    unlink(path);
}

static void shuffle(int64_t *row, int64_t n, uint64_t seed)
{
    for (int64_t i = 0; i < n; i++) row[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = (int64_t)(gen_u(seed, (uint64_t)i, 0) * (double)(i + 1)),
                t = row[i];
        if (k > i) k = i;
        row[i] = row[k];
        row[k] = t;
    }
}

PROPERTY(batch_is_rows, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    {
        int64_t n = MANY_ROWS, row[65];
        tide_frame *f = frame_for(ctx, s, j, n);
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_MADE(x);
        if (!x.st) {
            int k = width_of(x.m);
            double *all = scores_of(ctx, x.m, f, NULL, 0), *z;
            for (int64_t i = 0; i < 65; i++) { /* alone */
                row[0] = i < 40 ? i : n - 1 - (i - 40) * 97;
                z = scores_of(ctx, x.m, f, row, 1);
                check_near(z, all ? all + row[0] * k : NULL, k, 0, "a row alone");
                free(z);
            }
            for (int64_t size = 2; size <= 65;
                 size = 2 * size + 1) { /* in any company */
                for (int64_t i = 0; i < size; i++) row[i] = (i * 3571 + size) % n;
                z = scores_of(ctx, x.m, f, row, size);
                for (int64_t i = 0; z && all && i < size; i++)
                    check_near(z + i * k, all + row[i] * k, k, 0, "rows of a batch");
                free(z);
            }
            z = scores_of(ctx, x.m, f, row, 0);
            free(z);
            struct grid *g = grid_for(s, j, 1); /* row 0 as a table of its own */
            tide_frame *one = grid_frame(ctx, g);
            z = scores_of(ctx, x.m, one, NULL, 0);
            check_near(z, all, k, 0, "a table of one row");
            free(z);
            tide_frame_free(one);
            grid_free(g);
            free(all);
        }
        made_free(&x);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

static int has_no_order(const struct subject *s)
{
    return !takes(s, TIDE_IS_ORDERED);
}
PROPERTY(row_order, LEARNERS | STEPS, has_no_order)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    FOR_SIZES(n)
    {
        tide_frame *f = frame_for(ctx, s, j, n);
        int64_t *row = calloc((size_t)n, sizeof *row);
        shuffle(row, n, 3);
        struct how how = {.rows = row, .n = n};
        struct made a = make(ctx, f, s, j, NULL), b = make(ctx, f, s, j, &how);
        if (takes(s, TIDE_INTEGER_SUMS))
            CHECK_SAME_FILE(b, a, "%lld rows", (long long)n);
        CHECK(a.st == b.st);
        if (!a.st && !b.st) {
            double *za = scores_of(ctx, a.m, f, NULL, 0),
                   *zb = scores_of(ctx, b.m, f, NULL, 0);
            char what[96];
            snprintf(what, sizeof what, "%lld rows in another order", (long long)n);
            check_near(zb, za, n * width_of(a.m),
                       takes(s, TIDE_INTEGER_SUMS) ? 0 : 1e-9, what);
            free(za);
            free(zb);
        }
        made_free(&a);
        made_free(&b);
        free(row);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

PROPERTY(column_order, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    FOR_SIZES(n)
    {
        struct grid *g = grid_for(s, j, n);
        tide_frame *f = grid_frame(ctx, g);
        for (int i = 0; i < g->n_cols / 2; i++) {
            int k = g->n_cols - 1 - i;
            struct tide_column_in t = g->in[i];
            g->in[i] = g->in[k];
            g->in[k] = t;
        }
        tide_frame *turned = grid_frame(ctx, g);
        struct made a = make(ctx, f, s, j, NULL), b = make(ctx, turned, s, j, NULL);
        CHECK_SAME_FILE(b, a, "%lld rows", (long long)n);
        if (!a.st) {
            double *za = scores_of(ctx, a.m, f, NULL, 0),
                   *zb = scores_of(ctx, a.m, turned, NULL, 0);
            check_near(zb, za, n * width_of(a.m), 0, "columns in another order");
            free(za);
            free(zb);
        }
        made_free(&a);
        made_free(&b);
        tide_frame_free(f);
        tide_frame_free(turned);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* A constant, an empty, an identifier and a dropped column more. */
PROPERTY(more_columns, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    {
        int64_t n = 300;
        struct grid *g = grid_for(s, j, n);
        tide_frame *f = grid_frame(ctx, g);
        double *constant = grid_number(g, "bb_constant"),
               *gone = grid_number(g, "zz_gone"), *empty = grid_number(g, "dd_empty");
        const char **word = grid_category(g, "cc_word");
        int64_t *key = grid_int(g, "aa_id", TIDE_I64);
        for (int64_t i = 0; i < n; i++) {
            constant[i] = 7.5;
            empty[i] = (double)NAN;
            word[i] = "same";
            key[i] = i + 1;
            gone[i] = gen_z(9, (uint64_t)i, 0);
        }
        tide_frame *wide = grid_frame(ctx, g);
        struct how how = {.drop = "zz_gone"};
        struct made a = make(ctx, f, s, j, &how), b = make(ctx, wide, s, j, &how);
        CHECK_MSG(a.st == TIDE_EDATA && a.err.code == TIDE_CODE_DATA_COLUMN,
                  "a dropped column that is not there: %s", a.err.message);
        made_free(&a);
        a = make(ctx, f, s, j, NULL);
        CHECK_MADE(a);
        CHECK_SAME_FILE(b, a, "more columns");
        made_free(&a);
        made_free(&b);
        tide_frame_free(f);
        tide_frame_free(wide);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* N26 */
PROPERTY(seeds, LEARNERS | STEPS, always)
{
    static const uint64_t seeds[] = {0, 1, UINT64_MAX};
    FOR_JOBS(s, j)
    for (int i = 0; i < 3; i++) {
        tide_ctx *one = ctx_open(1), *three = ctx_open(3);
        tide_frame *f = frame_for(one, s, j, 300);
        struct how how = {.seed = seeds[i], .seed_zero = 1};
        struct made a = make(one, f, s, j, &how), b = make(three, f, s, j, &how);
        CHECK_MADE(a);
        CHECK_SAME_FILE(b, a, "seed %d", i);
        check_model(one, &a, f, "any seed");
        made_free(&a);
        made_free(&b);
        tide_frame_free(f);
        tide_ctx_free(one);
        tide_ctx_free(three);
    }
}

static int goes_on(const struct subject *s)
{
    return !s->step && takes(s, TIDE_CONTINUES);
}

/* A fit that goes on from x over the rows of f, with so many rounds in all. */
static struct made go_further(tide_ctx *ctx, const struct made *x, const tide_frame *f,
                              int refit, int32_t rounds)
{
    struct made y = {0};
    struct tide_problem_options o = {0};
    struct tide_text_list none = {0};
    struct pipe_fit fit = {.rounds = rounds,
                           .seed = 1,
                           .from = x->m,
                           .refit = refit,
                           .decay = refit ? 1 : 0};
    tide_pipeline *pipe_ = NULL;
    arena_init(&y.a, NULL);
    y.st = pipeline_resume(x->m, refit, &none, &pipe_, &y.err);
    if (!y.st) y.st = problem_resume(ctx, f, &o, x->m, &y.p, &y.err);
    if (!y.st) y.st = pipe_fit(ctx, y.p, pipe_, &fit, &y.m, &y.info, &y.err);
    pipeline_free(pipe_);
    return y;
}

/* Rounds in two parts are rounds at once; leaves of which all is kept stay. */
PROPERTY(in_two_parts, LEARNERS, goes_on)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    FOR_SIZES(n)
    {
        if (n < 63) continue;
        tide_frame *f = frame_for(ctx, s, j, n);
        struct how part = {.rounds = 5, .bare = 1}, all = {.rounds = 11, .bare = 1};
        struct made a = make(ctx, f, s, j, &part), b = make(ctx, f, s, j, &all);
        CHECK_MADE(a);
        CHECK_MADE(b);
        struct made c = go_further(ctx, &a, f, 0, 11), d = {.st = TIDE_EINVAL};
        CHECK_MADE(c);
        if (s->learner->refits) {
            d = go_further(ctx, &a, f, 1, 0);
            CHECK_MADE(d);
        }
        const char *x = c.st ? NULL : nodes_differ(c.m, b.m);
        const char *y = d.st ? NULL : nodes_differ(d.m, a.m);
        CHECK_MSG(!x, "%lld rows: %s differs in parts", (long long)n, x);
        CHECK_MSG(!y, "%lld rows: %s differs after a refit", (long long)n, y);
        made_free(&a);
        made_free(&b);
        made_free(&c);
        made_free(&d);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

/* The input is read and never written. */
static uint64_t frame_sum(const tide_frame *f)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (int c = 0; c < f->n_cols; c++) {
        const struct column *col = &f->cols[c];
        size_t each = col->type == TIDE_CAT ? 4 : col->type == TIDE_BOOL ? 1 : 8;
        const unsigned char *p = col->f64   ? (const unsigned char *)col->f64
                                 : col->i64 ? (const unsigned char *)col->i64
                                 : col->b   ? (const unsigned char *)col->b
                                            : (const unsigned char *)col->code;
        for (size_t i = 0; i < (size_t)f->n_rows * each; i++)
            h = (h ^ p[i]) * UINT64_C(1099511628211);
    }
    return h;
}
PROPERTY(input_unchanged, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    {
        tide_frame *f = frame_for(ctx, s, j, 700);
        uint64_t before = frame_sum(f);
        struct made x = make(ctx, f, s, j, NULL);
        check_model(ctx, &x, f, "on its own rows");
        CHECK(frame_sum(f) == before);
        made_free(&x);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}
