/* golden.c - rows that nobody wrote, with the scores they must get
 *
 * Column by column, keyed by seed, row and column name: an edge of the profile, a midpoint,
 * an extreme, a missing cell; a level, a missing or an unseen one. A reader scores them after
 * loading, all at once and one by one, and compares with the stored bits. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/rng.h"
#include "pipe/flow.h"

#define MOST_ROWS  64
#define FEWEST     32
#define MOST_CELLS (1 << 17)

/* ---- making rows ---- */

/* The profile's edges of column j; 0 when there is no profile that fits. */
static int edges_of(const tide_model *m, int j, const double **edge)
{
    const struct state_array *off = state_find(&m->profile, "edge_off");
    const struct state_array *all = state_find(&m->profile, "edge");
    if (!off || !all || off->type != STATE_U32 || all->type != STATE_F64 ||
        off->dim[0] != m->schema.n_cols + 1)
        return 0;
    const uint32_t *at = off->data;
    if (at[j] > at[j + 1] || at[j + 1] > (uint64_t)all->dim[0]) return 0;
    *edge = (const double *)all->data + at[j];
    return at[j + 1] - at[j] > 1000 ? 1000 : (int)(at[j + 1] - at[j]);
}

static double draw_level(const struct schema_column *c, struct rng_word w, int gaps)
{
    uint64_t k = rng_below(w, c->n_levels + (gaps ? 2u : 1u));
    if (k > c->n_levels || (!gaps && k == c->n_levels)) return gaps ? (double)NAN : 0;
    return (double)k; /* n_levels: a level that the model has not seen */
}

static double draw_number(const tide_model *m, int j, struct rng_word w, int gaps)
{
    const struct schema_column *c = &m->schema.cols[j];
    const double *edge = NULL;
    uint64_t n = (uint64_t)edges_of(m, j, &edge);
    uint64_t k = rng_below(w, 2 * n + (gaps ? 3u : 2u));
    double x = c->lo;
    if (k < n)
        x = edge[k];
    else if (k + 1 < 2 * n)
        x = edge[k - n] / 2 + edge[k - n + 1] / 2;
    else if (k == 2 * n)
        x = c->hi;
    else if (k == 2 * n + 2)
        x = NAN;
    if (isnan(x)) return gaps ? (double)NAN : 0;
    return c->type == TIDE_F64 ? x : floor(x);
}

/* value: [n_cols][n] */
static void draw_rows(const tide_model *m, int64_t n, int gaps, double *value)
{
    struct rng_key key = rng_key(m->seed, "golden");
    for (int j = 0; j < m->schema.n_cols; j++) {
        const struct schema_column *c = &m->schema.cols[j];
        uint32_t name = hash_name(c->name);
        for (int64_t i = 0; i < n; i++) {
            struct rng_word w = rng_at(key, i, name, 0);
            value[j * n + i] = c->type == TIDE_CAT ? draw_level(c, w, gaps)
                                                   : draw_number(m, j, w, gaps);
        }
    }
}

/* ---- scoring them ---- */

static tide_status column_of(const struct schema_column *c, const double *value,
                             int64_t n, struct column *out, struct arena *a,
                             tide_error *err)
{
    *out =
        (struct column){.name = c->name, .type = TIDE_F64, .n_rows = n, .f64 = value};
    if (c->type == TIDE_CAT) {
        uint32_t *code = arena_array(a, n, sizeof *code);
        for (int64_t i = 0; code && i < n; i++)
            code[i] = value[i] >= 0 && value[i] < c->n_levels ? (uint32_t)value[i]
                                                              : CODE_MISSING;
        out->type = TIDE_CAT;
        out->dict = c->levels;
        out->code = code;
    } else if (c->type == TIDE_TIME) {
        int64_t *us = arena_array(a, n, sizeof *us);
        for (int64_t i = 0; us && i < n; i++)
            us[i] = fabs(value[i]) < 9e12 ? (int64_t)(value[i] * 1e6) : I64_MISSING;
        out->type = TIDE_TIME;
        out->i64 = us;
    }
    for (int64_t i = 0; i < n; i++) {
        out->n_missing +=
            isnan(value[i]) || (c->type == TIDE_CAT && value[i] >= c->n_levels);
        if (isinf(value[i]))
            return err_set(err, TIDE_CODE_TIDE_VALUE,
                           "golden row %lld holds an infinity", (long long)i);
    }
    return arena_status(a, err);
}

static tide_status score_golden(struct tide_ctx *ctx, const tide_model *m, int64_t n,
                                const double *value, int one_by_one, double *out,
                                tide_error *err)
{
    int p = m->schema.n_cols;
    int n_out = schema_width(&m->schema);
    struct arena a;
    arena_init(&a, ctx);
    struct column *own = arena_array(&a, p, sizeof *own);
    const struct column **cols = arena_array(&a, p, sizeof *cols);
    tide_status st = arena_status(&a, err);
    for (int j = 0; !st && j < p; j++) {
        st = column_of(&m->schema.cols[j], value + j * n, n, &own[j], &a, err);
        cols[j] = &own[j];
    }
    struct view v = {.n_rows = n, .n_cols = p, .cols = cols};
    if (!st && !one_by_one) st = predict_view(ctx, m, &v, out, err);
    for (int64_t i = 0; !st && one_by_one && i < n; i++) {
        struct view one = v;
        one.n_rows = 1;
        one.rows = &i;
        st = predict_view(ctx, m, &one, out + i * n_out, err);
    }
    arena_free(&a);
    return st;
}

tide_status model_add_golden(struct tide_ctx *ctx, tide_model *m, tide_error *err)
{
    int p = m->schema.n_cols;
    int64_t n = MOST_CELLS / (p + 1);
    int n_out = schema_width(&m->schema);
    n = n > MOST_ROWS ? MOST_ROWS : n < FEWEST ? FEWEST : n;
    state_init(&m->golden, &m->arena);
    double *value = state_new(&m->golden, "GOLDEN", "value", STATE_F64, p, n, 1);
    double *score = state_new(&m->golden, "GOLDEN", "score", STATE_F64, n, n_out, 1);
    tide_status st = arena_status(&m->arena, err);
    if (st) return st;
    draw_rows(m, n, 1, value);
    st = score_golden(ctx, m, n, value, 0, score, err);
    if (st == TIDE_OK || st == TIDE_ENOMEM || st == TIDE_ECANCELLED) return st;
    draw_rows(m, n, 0, value); /* a learner that cannot take missing values */
    return score_golden(ctx, m, n, value, 0, score, err);
}

/* ---- comparing ---- */

static double tolerance_of(const tide_model *m)
{
    double most = 0;
    for (int k = 0; k < m->n_nodes; k++) {
        const struct fitted_node *node = &m->nodes[k];
        double t = node->step ? node->step->tolerance : node->learner->tolerance;
        most = t > most ? t : most;
    }
    return most;
}

static tide_status compare(const tide_model *m, int64_t n, const double *want,
                           const double *got, tide_error *err)
{
    double tolerance = tolerance_of(m);
    int n_out = schema_width(&m->schema);
    for (int64_t i = 0; i < n * n_out; i++) {
        double scale = fabs(want[i]) > 1 ? fabs(want[i]) : 1;
        if (memcmp(&want[i], &got[i], sizeof *got) == 0) continue;
        if (tolerance > 0 && fabs(want[i] - got[i]) <= tolerance * scale) continue;
        err_set(err, TIDE_CODE_TIDE_GOLDEN,
                "golden row %lld scores %r and must score %r", (long long)(i / n_out),
                got[i], want[i]);
        return err_place(err, "section GOLDEN, row %lld", (long long)(i / n_out));
    }
    return TIDE_OK;
}

tide_status model_check_golden(struct tide_ctx *ctx, const tide_model *m,
                               tide_error *err)
{
    const struct state_array *value = state_find(&m->golden, "value"), *score = NULL;
    int n_out = schema_width(&m->schema);
    if (m->golden.n == 0) return TIDE_OK;
    if (!value || value->type != STATE_F64 || value->dim[0] != m->schema.n_cols ||
        value->dim[2] != 1)
        return err_set(err, TIDE_CODE_TIDE_SCHEMA,
                       "golden rows do not fit the columns");
    int64_t n = value->dim[1];
    score = state_find(&m->golden, "score");
    if (!score || score->type != STATE_F64 || score->dim[0] != n ||
        score->dim[1] != n_out || score->dim[2] != 1)
        return err_set(err, TIDE_CODE_TIDE_SCHEMA, "golden scores do not fit the rows");
    struct arena a;
    arena_init(&a, ctx);
    double *got = arena_array(&a, n, (size_t)n_out * sizeof *got);
    tide_status st = arena_status(&a, err);
    for (int one = 0; !st && one < 2; one++) {
        st = score_golden(ctx, m, n, value->data, one, got, err);
        if (!st) st = compare(m, n, score->data, got, err);
    }
    arena_free(&a);
    return st;
}
