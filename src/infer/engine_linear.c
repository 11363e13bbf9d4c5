/* engine_linear.c - trees whose leaves are linear in columns
 *
 * A tree is walked for the number of its leaf, which the walk kernels give as if it were the
 * leaf's value; then the row's own numbers make the value, in the stored order of columns. A
 * missing column gives the leaf's plain value instead, and a number within 1e-35 of 0 is 0, as
 * LightGBM reads its tables. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "infer/engine.h"

#define ZERO      ((double)1e-35f)
#define MOST_ROWS 1024
#define FEWEST    64
#define CELLS     ((int64_t)1 << 18) /* numbers and codes of a block, each about 2 MiB */
#define TREES     64                 /* of one row at a time */

double ensemble_linear_value(const struct ensemble *e, int64_t leaf, const double *x,
                             int64_t stride, const uint32_t *place)
{
    const struct ensemble_linear *l = e->linear;
    double sum = l->constant[leaf];
    for (uint32_t i = l->first[leaf]; i < l->first[leaf + 1]; i++) {
        double v = x[place[i] * stride];
        if (isnan(v)) return e->leaf[leaf];
        sum += l->coef[i] * (fabs(v) > ZERO ? v : 0);
    }
    return sum;
}

void ensemble_linear_numbers(const struct ensemble *e, const struct view *x, int64_t i0,
                             int64_t n, double *out)
{
    for (int32_t k = 0; k < e->linear->n_used; k++, out += n) {
        int32_t f = (int32_t)e->linear->used[k];
        if (column_is_numeric(x->cols[f]))
            view_numbers(x, f, i0, n, out);
        else /* a column of another kind than the model's: nothing is known */
            for (int64_t r = 0; r < n; r++) out[r] = (double)NAN;
    }
}

/* Trees [t, t + n) of a walk, each with an output of its own, that give numbers of leaves. */
static struct simd_walk numbering(const struct ensemble *e, int32_t t, int32_t n)
{
    struct simd_walk w = *e->engine->walk;
    w.root += t;
    w.depth += t;
    w.output = e->linear->count;
    w.leaf = e->linear->number;
    w.n_trees = w.n_outputs = n;
    return w;
}

/* Rows of a block through all trees: codes as engine_walk_codes, numbers [used][n]. */
static void add_block(const struct ensemble *e, const struct simd_table *simd,
                      const uint16_t *codes, const double *x, int64_t n, double *leaf,
                      double *out)
{
    int32_t k = e->n_outputs;
    for (int64_t r = 0; r < n; r++)
        memcpy(out + r * k, e->base, (size_t)k * sizeof *out);
    for (int32_t t = 0; t < e->n_trees; t++) {
        const struct simd_walk w = numbering(e, t, 1);
        double *to = out + e->tree_output[t];
        memset(leaf, 0, (size_t)n * sizeof *leaf);
        simd->walk_rows(&w, codes, e->engine->n_columns, n, leaf);
        for (int64_t r = 0; r < n; r++)
            to[r * k] +=
                ensemble_linear_value(e, (int64_t)leaf[r], x + r, n, e->linear->place);
    }
}

tide_status engine_linear_margin(const struct ensemble *e,
                                 const struct simd_table *simd, const struct view *x,
                                 int64_t i0, int64_t n, double *out, tide_error *err)
{
    int64_t columns = e->engine->n_columns + e->linear->n_used + 1;
    int64_t most = CELLS / columns / 16 * 16;
    most = most < FEWEST ? FEWEST : most > MOST_ROWS ? MOST_ROWS : most;
    size_t cells = (size_t)columns * (size_t)most;
    uint16_t *codes = mem_alloc(cells * sizeof *codes);
    double *number = mem_alloc(cells * sizeof *number);
    tide_status st = codes && number ? TIDE_OK : err_nomem(err, cells * 10);
    for (int64_t r0 = 0; !st && r0 < n; r0 += most) {
        int64_t m = n - r0 < most ? n - r0 : most;
        double *x0 = number + most; /* behind the leaves of a tree */
        engine_walk_codes(e->engine, simd, x, i0 + r0, m, codes);
        ensemble_linear_numbers(e, x, i0 + r0, m, x0);
        add_block(e, simd, codes, x0, m, number, out + r0 * e->n_outputs);
    }
    mem_free(codes);
    mem_free(number);
    return st;
}

void engine_linear_row(const struct ensemble *e, const struct simd_table *simd,
                       const uint16_t *codes, const double *x, double *out)
{
    memcpy(out, e->base, (size_t)e->n_outputs * sizeof *out);
    for (int32_t t = 0; t < e->n_trees; t += TREES) {
        int32_t n = e->n_trees - t < TREES ? e->n_trees - t : TREES;
        const struct simd_walk w = numbering(e, t, n);
        double leaf[TREES] = {0};
        simd->walk_row(&w, codes, leaf);
        for (int32_t j = 0; j < n; j++)
            out[e->tree_output[t + j]] +=
                ensemble_linear_value(e, (int64_t)leaf[j], x, 1, e->linear->feature);
    }
}

/* ------------------------------------------------------------------------- load --- */

static tide_status bad(tide_error *err, tide_code code, const char *what,
                       const char *array, int64_t i)
{
    err_set(err, code, "%s", what);
    return err_place(err, "section LINLEAF, %s %lld", array, (long long)i);
}

static tide_status check(const struct ensemble *e, const struct ensemble_linear *l,
                         int64_t n, tide_error *err)
{
    int64_t leaves = e->tree_leaf[e->n_trees];
    if (e->leaf_width != 1)
        return bad(err, TIDE_CODE_TIDE_SIZE, "linear leaves have one value", "width",
                   e->leaf_width);
    for (int64_t i = 0; i < leaves; i++)
        if (l->first[i] > l->first[i + 1])
            return bad(err, TIDE_CODE_TIDE_SIZE, "offsets do not ascend from 0", "leaf",
                       i);
    if (l->first[0] != 0 || l->first[leaves] != n)
        return bad(err, TIDE_CODE_TIDE_SIZE, "offsets do not ascend from 0", "leaf",
                   leaves);
    for (int64_t i = 0; i < n; i++)
        if (l->feature[i] >= (uint32_t)e->n_features || e->feature_kind[l->feature[i]])
            return bad(err, TIDE_CODE_TIDE_FEATURE, "the column is no number",
                       "coefficient", i);
    return TIDE_OK;
}

/* Which columns are used, and where each coefficient finds its own among them. */
static void find_used(const struct ensemble *e, int64_t n, uint32_t *at,
                      struct ensemble_linear *l, uint32_t *used, uint32_t *place)
{
    for (int64_t i = 0; i < n; i++) at[l->feature[i]] = 1;
    for (int32_t f = 0; f < e->n_features; f++) {
        if (!at[f]) continue;
        at[f] = (uint32_t)l->n_used;
        used[l->n_used++] = (uint32_t)f;
    }
    for (int64_t i = 0; i < n; i++) place[i] = at[l->feature[i]];
    l->used = used;
    l->place = place;
}

static tide_status make_linear(struct ensemble *e, const struct ensemble_linear *from,
                               int64_t n, struct arena *a, tide_error *err)
{
    int64_t leaves = e->tree_leaf[e->n_trees];
    struct ensemble_linear *l = arena_zero(a, sizeof *l);
    uint32_t *at = arena_zero(a, ((size_t)e->n_features + 1) * sizeof *at);
    uint32_t *used = arena_array(a, e->n_features + 1, sizeof *used);
    uint32_t *place = arena_array(a, n + 1, sizeof *place);
    uint32_t *first = arena_array(a, leaves + 1, sizeof *first);
    uint32_t *feature = arena_array(a, n + 1, sizeof *feature);
    double *coef = arena_array(a, n + 1, sizeof *coef);
    double *constant = arena_array(a, leaves + 1, sizeof *constant);
    double *number = arena_array(a, leaves + 1, sizeof *number);
    int32_t *count = arena_array(a, TREES, sizeof *count);
    tide_status st = arena_status(a, err);
    if (st) return st;
    memcpy(first, from->first, (size_t)(leaves + 1) * sizeof *first);
    memcpy(constant, from->constant, (size_t)leaves * sizeof *constant);
    if (n) {
        memcpy(feature, from->feature, (size_t)n * sizeof *feature);
        memcpy(coef, from->coef, (size_t)n * sizeof *coef);
    }
    for (int64_t i = 0; i < leaves; i++) number[i] = (double)i;
    for (int32_t i = 0; i < TREES; i++) count[i] = i;
    *l = (struct ensemble_linear){.first = first,
                                  .feature = feature,
                                  .coef = coef,
                                  .constant = constant,
                                  .number = number,
                                  .count = count};
    find_used(e, n, at, l, used, place);
    e->linear = l;
    return TIDE_OK;
}

tide_status ensemble_load_linear(const struct state *s, struct ensemble *e,
                                 struct arena *a, tide_error *err)
{
    const struct state_array *first = NULL, *feature = NULL, *coef = NULL,
                             *constant = NULL;
    int64_t leaves = e->tree_leaf[e->n_trees];
    if (!state_find(s, "linear_first")) return TIDE_OK;
    tide_status st =
        state_need(s, "linear_first", STATE_U32, leaves + 1, 1, &first, err);
    if (!st)
        st = state_need(s, "linear_constant", STATE_F64, leaves, 1, &constant, err);
    if (!st) st = state_need(s, "linear_coef", STATE_F64, -1, 1, &coef, err);
    int64_t n = st ? 0 : coef->dim[0];
    if (!st) st = state_need(s, "linear_feature", STATE_U32, n, 1, &feature, err);
    if (st) return st;
    const struct ensemble_linear l = {.first = first->data,
                                      .feature = feature->data,
                                      .coef = coef->data,
                                      .constant = constant->data};
    st = check(e, &l, n, err);
    return st ? st : make_linear(e, &l, n, a, err);
}

void ensemble_save_linear(const struct ensemble *e, struct state *s)
{
    const struct ensemble_linear *l = e->linear;
    int64_t leaves = e->tree_leaf[e->n_trees];
    if (!l) return;
    int64_t n = l->first[leaves];
    state_put(s, "LINLEAF", "linear_first", STATE_U32, leaves + 1, 1, 1, l->first);
    state_put(s, "LINLEAF", "linear_constant", STATE_F64, leaves, 1, 1, l->constant);
    state_put(s, "LINLEAF", "linear_feature", STATE_U32, n, 1, 1, l->feature);
    state_put(s, "LINLEAF", "linear_coef", STATE_F64, n, 1, 1, l->coef);
}
