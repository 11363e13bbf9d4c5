/* frame_sparse.c - sparse columns: every cell, view and written byte is that of the same table dense */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "frame/frame.h"
#include "support/unit.h"

#define ROWS 700
#define COLS 9

/* Columns of density 0, 1/100, 1/10 and 1, with missing values, zeros given as such and -0. */
struct pair {
    tide_ctx *ctx;
    tide_frame *dense, *thin;
    int64_t indptr[ROWS + 1];
    int32_t indices[ROWS * COLS];
    double value[ROWS * COLS];
    double cell[COLS][ROWS];
    int64_t weight[ROWS];
};

static struct tide_csr_in rows_of(const struct pair *p)
{
    return (struct tide_csr_in){.n_rows = ROWS,
                                .n_cols = COLS,
                                .indptr = p->indptr,
                                .indices = p->indices,
                                .f64 = p->value};
}

static struct pair *pair_new(int threads)
{
    static const double density[4] = {0, 0.01, 0.1, 1};
    struct pair *p = calloc(1, sizeof *p);
    char name[COLS][8];
    struct tide_column_in in[COLS + 1] = {0};
    int64_t k = 0;
    CHECK_INT(tide_ctx_new(&p->ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(p->ctx, threads, NULL), TIDE_OK);
    for (int64_t i = 0; i < ROWS; i++) {
        p->weight[i] = i % 5;
        for (int j = 0; j < COLS; j++) {
            struct rng_key key = rng_key(4, "frame_sparse");
            double u = rng_u01(rng_at(key, i, (uint32_t)j, 0)), v = floor(u * 1e6);
            if (!(u < density[j % 4])) continue;
            v = fmod(v, 7) == 0    ? (double)NAN
                : fmod(v, 5) == 0  ? 0
                : fmod(v, 11) == 0 ? -0.0
                                   : fmod(v, 100) - 50;
            p->indices[k] = j;
            p->value[k++] = p->cell[j][i] = v;
        }
        p->indptr[i + 1] = k;
    }
    for (int j = 0; j < COLS; j++) {
        snprintf(name[j], sizeof name[j], "f%d", j);
        in[j] = (struct tide_column_in){.name = name[j], .f64 = p->cell[j]};
    }
    in[COLS] = (struct tide_column_in){.name = "w", .i64 = p->weight};
    struct tide_csr_in rows = rows_of(p);
    CHECK_INT(tide_frame_new(p->ctx, ROWS, COLS + 1, in, &p->dense, NULL), TIDE_OK);
    CHECK_INT(tide_frame_new_csr(p->ctx, &rows, 1, in + COLS, &p->thin, NULL), TIDE_OK);
    return p;
}

static void pair_free(struct pair *p)
{
    tide_frame_free(p->dense);
    tide_frame_free(p->thin);
    tide_ctx_free(p->ctx);
    free(p);
}

static int64_t other_bits(const double *a, const double *b, int64_t n)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; i++)
        wrong += isnan(a[i]) ? !isnan(b[i]) : memcmp(&a[i], &b[i], sizeof *a) != 0;
    return wrong;
}

TEST(every_cell_is_the_same)
{
    struct pair *p = pair_new(2);
    int sparse = 0;
    CHECK_INT(tide_frame_columns(p->thin), COLS + 1);
    for (int j = 0; j <= COLS; j++) {
        sparse += column_is_sparse(&p->thin->cols[j]);
        CHECK_STR(tide_frame_name(p->thin, j), tide_frame_name(p->dense, j));
        CHECK_INT(tide_frame_type(p->thin, j), tide_frame_type(p->dense, j));
        CHECK_INT(tide_frame_missing(p->thin, j), tide_frame_missing(p->dense, j));
        for (int64_t i = 0; i < ROWS; i++) {
            char a[32], b[32];
            double x = tide_frame_number(p->thin, i, j),
                   y = tide_frame_number(p->dense, i, j);
            CHECK_INT(other_bits(&x, &y, 1), 0);
            CHECK_INT(tide_frame_text(p->thin, i, j, a, sizeof a),
                      tide_frame_text(p->dense, i, j, b, sizeof b));
            CHECK_STR(a, b);
            CHECK_INT(column_is_missing(&p->thin->cols[j], i),
                      column_is_missing(&p->dense->cols[j], i));
        }
    }
    CHECK_INT(sparse, 7); /* of density below a half */
    pair_free(p);
}

TEST(views_read_the_same_numbers)
{
    struct pair *p = pair_new(1);
    int64_t rows[4][ROWS];
    for (int64_t i = 0; i < ROWS; i++) {
        rows[1][i] = i / 2;            /* twice each */
        rows[2][i] = ROWS - 1 - i;     /* falling */
        rows[3][i] = (i * 331) % ROWS; /* here and there */
    }
    for (int how = 0; how < 4; how++) {
        const struct column *thin[COLS], *dense[COLS];
        for (int j = 0; j < COLS; j++) {
            thin[j] = &p->thin->cols[j];
            dense[j] = &p->dense->cols[j];
        }
        struct view a = {ROWS, COLS, thin, how ? rows[how] : NULL, NULL};
        struct view b = {ROWS, COLS, dense, how ? rows[how] : NULL, NULL};
        for (int j = 0; j < COLS; j++) {
            double x[ROWS], y[ROWS];
            static const int64_t part[5] = {0, 1, 63, 500, ROWS};
            for (int k = 0; k < 4; k++) {
                int64_t n = part[k + 1] - part[k];
                view_numbers(&a, j, part[k], n, x);
                view_numbers(&b, j, part[k], n, y);
                CHECK_INT(other_bits(x, y, n), 0);
            }
            int64_t first_a, first_b;
            CHECK_INT(view_missing(&a, j, &first_a), view_missing(&b, j, &first_b));
            CHECK_INT(first_a, first_b);
            uint32_t at[ROWS];
            int64_t m = view_nonzero(&a, j, at, x);
            CHECK_INT(m, view_nonzero(&a, j, NULL, NULL));
            view_numbers(&b, j, 0, ROWS, y);
            for (int64_t k = 0; k < m; k++) {
                CHECK_INT(other_bits(&x[k], &y[at[k]], 1), 0);
                y[at[k]] = 0;
            }
            for (int64_t i = 0; i < ROWS; i++) CHECK(y[i] == 0 && !signbit(y[i]));
        }
    }
    pair_free(p);
}

struct text {
    char *s;
    size_t n;
};
static int text_put(void *payload, const void *data, size_t n)
{
    struct text *t = payload;
    t->s = realloc(t->s, t->n + n + 1);
    memcpy(t->s + t->n, data, n);
    t->n += n;
    return 0;
}

TEST(files_have_the_same_bytes)
{
    static const char *const format[] = {"csv",  "svmlight", "jsonl",
                                         "arff", "tcol",     "parquet"};
    struct pair *p = pair_new(3);
    for (size_t k = 0; k < sizeof format / sizeof *format; k++) {
        struct text a = {0}, b = {0};
        struct tide_write_options o = {.format = format[k]};
        tide_error err = {0};
        tide_status st = tide_frame_save(p->ctx, p->thin, &o, text_put, &a, &err);
        CHECK_INT(st, tide_frame_save(p->ctx, p->dense, &o, text_put, &b, &err));
        CHECK_MSG(a.n == b.n && (!a.n || memcmp(a.s, b.s, a.n) == 0), "%s differs",
                  format[k]);
        free(a.s);
        free(b.s);
    }
    struct text a = {0}, b = {0};
    CHECK_INT(tide_frame_write(p->ctx, p->thin, 6, text_put, &a, NULL), TIDE_OK);
    CHECK_INT(tide_frame_write(p->ctx, p->dense, 6, text_put, &b, NULL), TIDE_OK);
    CHECK(a.n == b.n && memcmp(a.s, b.s, a.n) == 0);
    free(a.s);
    free(b.s);
    pair_free(p);
}

static void refused(struct pair *p, struct tide_csr_in rows, const char *what)
{
    tide_frame *f = NULL;
    tide_error err = {0};
    CHECK(tide_frame_new_csr(p->ctx, &rows, 0, NULL, &f, &err) != TIDE_OK);
    CHECK(!f);
    CHECK_MSG(strstr(err.message, what) != NULL, "%s", err.message);
}

TEST(rows_that_cannot_be_are_refused)
{
    struct pair *p = pair_new(1);
    struct tide_csr_in rows = rows_of(p), r;
    int64_t ptr[4] = {0, 4, 2, 3};
    int32_t at[3] = {1, 1, 0};
    double v[3] = {1, 2, 3};
    r = (struct tide_csr_in){
        .n_rows = 3, .n_cols = 2, .indptr = ptr, .indices = at, .f64 = v};
    refused(p, r, "row 2 ends before it begins");
    ptr[1] = 2;
    refused(p, r, "row 1 has columns that do not rise");
    at[0] = 2;
    refused(p, r, "row 1 has a column that is none");
    at[0] = -1;
    refused(p, r, "row 1 has a column that is none");
    at[0] = 0;
    v[1] = (double)INFINITY;
    refused(p, r, "row 1 of 'f1' is infinite");
    rows.f64 = NULL;
    refused(p, rows, "exactly one of f32 and f64");
    rows.indptr = NULL;
    refused(p, rows, "an argument cannot be");
    const char *names[2] = {"a", "a"};
    v[1] = 2;
    r.names = names;
    refused(p, r, "stands at columns 1 and 2");
    r.n_rows = 0;
    names[1] = "b";
    tide_frame *f = NULL;
    CHECK_INT(tide_frame_new_csr(p->ctx, &r, 0, NULL, &f, NULL), TIDE_OK);
    CHECK_STR(tide_frame_name(f, 1), "b");
    tide_frame_free(f);
    pair_free(p);
}
