/* table.h - small tables for tests, written as one would write them in a file
 *
 *   tide_frame *f = table_text(ctx, "x,city,y\n1,Rome,2.5\n,Oslo,3\n");
 *
 * A column of whole numbers becomes int, of numbers float, of true and false bool, anything
 * else a category; an empty cell is missing. table_mixed makes a larger one with gaps. */
#ifndef SUPPORT_TABLE_H
#define SUPPORT_TABLE_H
#include <tidemill/frame.h>

#include "base/numparse.h"
#include "base/rng.h"
#include "support/unit.h"

#define TABLE_COLUMNS 64

struct table_cells {
    int n_cols, n_rows;
    char *text;      /* cells end in NUL */
    const char **at; /* [n_rows + 1][n_cols] */
};

static inline struct table_cells table_split(const char *csv)
{
    struct table_cells t = {.n_cols = 1};
    size_t n = strlen(csv);
    for (const char *p = csv; *p && *p != '\n'; p++) t.n_cols += *p == ',';
    for (const char *p = csv; *p; p++) t.n_rows += *p == '\n';
    t.text = malloc(n + 1);
    t.at = malloc(((size_t)t.n_rows + 1) * (size_t)t.n_cols * sizeof *t.at);
    memcpy(t.text, csv, n + 1);
    char *p = t.text;
    for (int i = 0; i < t.n_rows * t.n_cols; i++) {
        t.at[i] = p;
        p += strcspn(p, ",\n");
        if (*p) *p++ = '\0';
    }
    t.n_rows--; /* the header */
    return t;
}

/* 1 int, 2 float, 3 bool, 0 category */
static inline int table_kind(const struct table_cells *t, int j)
{
    int is_int = 1, is_number = 1, is_bool = 1;
    for (int i = 1; i <= t->n_rows; i++) {
        const char *s = t->at[i * t->n_cols + j];
        double x;
        int64_t k;
        if (!*s) continue;
        is_int &= num_parse_i64(s, strlen(s), &k);
        is_number &= num_parse(s, strlen(s), '.', &x) != NUM_BAD;
        is_bool &= !strcmp(s, "true") || !strcmp(s, "false");
    }
    return is_int ? 1 : is_number ? 2 : is_bool ? 3 : 0;
}

static inline tide_frame *table_text(tide_ctx *ctx, const char *csv)
{
    struct table_cells t = table_split(csv);
    struct tide_column_in in[TABLE_COLUMNS] = {0};
    void *own[TABLE_COLUMNS] = {0};
    for (int j = 0; j < t.n_cols; j++) {
        int kind = table_kind(&t, j);
        size_t rows = (size_t)t.n_rows + 1;
        own[j] = malloc(rows * 8);
        in[j].name = t.at[j];
        double *x = own[j];
        int64_t *k = own[j];
        const char **s = own[j];
        for (int i = 0; i < t.n_rows; i++) {
            const char *cell = t.at[(i + 1) * t.n_cols + j];
            size_t n = strlen(cell);
            if (kind == 0)
                s[i] = n ? cell : NULL;
            else if (kind == 2 && !n)
                x[i] = (double)NAN;
            else if (kind == 2)
                num_parse(cell, n, '.', &x[i]);
            else if (!n)
                k[i] = INT64_MIN;
            else if (kind == 3)
                k[i] = *cell == 't';
            else
                num_parse_i64(cell, n, &k[i]);
        }
        if (kind == 0)
            in[j].text = own[j];
        else if (kind == 2)
            in[j].f64 = own[j];
        else
            in[j].i64 = own[j];
        in[j].type = kind == 0   ? TIDE_CAT
                     : kind == 1 ? TIDE_I64
                     : kind == 2 ? TIDE_F64
                                 : TIDE_BOOL;
    }
    tide_frame *f = NULL;
    tide_error err = {0};
    if (tide_frame_new(ctx, t.n_rows, t.n_cols, in, &f, &err))
        UNIT_FAIL("table_text: %s", err.message);
    for (int j = 0; j < t.n_cols; j++) free(own[j]);
    free(t.at);
    free(t.text);
    return f;
}

/* n rows of age (int), income (float), city and plan (categories, 5 and 3 levels), with
 * gaps; targets answer ("yes", "no") and amount (float) that depend on them. */
static inline tide_frame *table_mixed(tide_ctx *ctx, int64_t n, uint64_t seed)
{
    static const char *const cities[] = {"Rome", "Oslo", "Lima", "Bonn", "Cairo"};
    static const char *const plans[] = {"basic", "plus", "pro"};
    size_t bytes = (size_t)n * 8 + 8;
    int64_t *age = malloc(bytes);
    double *income = malloc(bytes), *amount = malloc(bytes);
    const char **city = malloc(bytes), **plan = malloc(bytes), **answer = malloc(bytes);
    for (int64_t i = 0; i < n; i++) {
        uint64_t r = (uint64_t)i;
        double u = gen_u(seed, r, 0), v = gen_u(seed, r, 1), w = gen_u(seed, r, 2);
        int c = (int)(gen_u(seed, r, 3) * 5) % 5, p = (int)(gen_u(seed, r, 4) * 3) % 3;
        double signal = 0.05 * (18 + 60 * u) + v + (c == 1) - 0.7 * p + 0.5 * w;
        age[i] = gen_u(seed, r, 5) < 0.05 ? INT64_MIN : (int64_t)(18 + 60 * u);
        income[i] = gen_u(seed, r, 6) < 0.08 ? (double)NAN : 1000 + 9000 * v;
        city[i] = gen_u(seed, r, 7) < 0.04 ? NULL : cities[c];
        plan[i] = plans[p];
        answer[i] = signal > 2.5 ? "yes" : "no";
        amount[i] = 100 * signal;
    }
    struct tide_column_in in[] = {
        {.name = "age", .i64 = age},        {.name = "income", .f64 = income},
        {.name = "city", .text = city},     {.name = "plan", .text = plan},
        {.name = "answer", .text = answer}, {.name = "amount", .f64 = amount},
    };
    tide_frame *f = NULL;
    tide_error err = {0};
    if (tide_frame_new(ctx, n, 6, in, &f, &err))
        UNIT_FAIL("table_mixed: %s", err.message);
    free(age);
    free(income);
    free(amount);
    free(city);
    free(plan);
    free(answer);
    return f;
}
#endif
