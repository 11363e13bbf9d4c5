/* impute_mode.c - missing cells become the most frequent value
 *
 * Problem       a value for cells that are missing, numbers or categories
 * Method        largest sum of weights; ties go to the smallest number, to the first level bytewise
 * Cost          a sort of each number column, one pass over categories
 * Order         sums of weights in row order: same bytes for any threads
 * Missing       a column of gaps only stays as it is (categories) or gets 0 (numbers)
 * Differs from  scikit-learn SimpleImputer(strategy="most_frequent"): same values and ties
 * Guide         Q13
 */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "math/sort.h"
#include "prep/column_make.h"
#include "spec/step.h"

struct impute_mode_params {
    int32_t unused;
};

static double mode_number(const struct fit_data *d, int j, struct arena *a)
{
    int64_t n = d->x->n_rows;
    double *v = arena_array(a, n, sizeof *v), best = 0, most = 0;
    uint32_t *idx = arena_array(a, n, sizeof *idx);
    if (!v || !idx) return 0;
    view_numbers(d->x, j, 0, n, v);
    if (sort_index_f64(a, v, n, idx)) return 0;
    for (int64_t i = 0; i < n;) { /* runs of equal values, missing last */
        double value = v[idx[i]], sum = 0;
        if (value != value) break;
        for (; i < n && v[idx[i]] == value; i++) sum += d->w ? d->w[idx[i]] : 1.0;
        if (sum > most) most = sum, best = value;
    }
    return best + 0.0;
}

static int level_before(const struct dict *d, uint32_t a, uint32_t b)
{
    size_t na, nb;
    const char *x = dict_text(d, a, &na), *y = dict_text(d, b, &nb);
    int c = memcmp(x, y, na < nb ? na : nb);
    return c ? c < 0 : na < nb;
}

static uint32_t mode_level(const struct fit_data *d, int j, struct arena *a)
{
    const struct dict *dict = &d->x->cols[j]->dict;
    int64_t n = d->x->n_rows;
    uint32_t best = CODE_MISSING, *code = arena_array(a, n, sizeof *code);
    double *sum = arena_zero(a, sizeof *sum * ((size_t)dict->n + 1));
    if (!code || !sum) return best;
    view_codes(d->x, j, 0, n, code);
    for (int64_t i = 0; i < n; i++)
        if (code[i] < dict->n) sum[code[i]] += d->w ? d->w[i] : 1.0;
    for (uint32_t c = 0; c < dict->n; c++) {
        if (!(sum[c] > 0)) continue;
        if (best == CODE_MISSING || sum[c] > sum[best] ||
            (sum[c] == sum[best] && level_before(dict, c, best)))
            best = c;
    }
    return best;
}

static tide_status impute_mode_fit(struct tide_ctx *ctx, const void *params,
                                   const struct fit_data *d, struct state *out,
                                   tide_error *err)
{
    struct arena a;
    int p = d->x->n_cols;
    double *value = state_new(out, "STEP", "value", STATE_F64, p, 1, 1);
    uint32_t *level = state_new(out, "STEP", "level", STATE_U32, p, 1, 1);
    (void)params;
    if (!value || !level) return arena_status(out->arena, err);
    arena_init(&a, ctx);
    tide_status st = TIDE_OK;
    for (int j = 0; st == TIDE_OK && j < p; j++) {
        struct arena_mark mark = arena_mark(&a);
        level[j] = CODE_MISSING;
        if (d->x->cols[j]->type == TIDE_CAT)
            level[j] = mode_level(d, j, &a);
        else
            value[j] = mode_number(d, j, &a);
        st = ctx_cancelled(ctx) ? err_cancelled(err) : arena_status(&a, err);
        arena_reset(&a, mark);
    }
    arena_free(&a);
    return st;
}

struct impute_mode {
    int n_cols;
    const double *value;
    const uint32_t *level;
};

static tide_status impute_mode_load(const struct state *s, int32_t n_cols,
                                    const uint32_t *n_levels, struct arena *a,
                                    void **object, tide_error *err)
{
    const struct state_array *value, *level;
    *object = NULL;
    tide_status st = state_need(s, "value", STATE_F64, n_cols, 1, &value, err);
    if (st == TIDE_OK) st = state_need(s, "level", STATE_U32, n_cols, 1, &level, err);
    if (st != TIDE_OK) return st;
    for (int32_t j = 0; j < n_cols; j++) {
        uint32_t c = ((const uint32_t *)level->data)[j];
        if (c != CODE_MISSING && c >= n_levels[j])
            return err_set(err, TIDE_CODE_TIDE_VALUE,
                           "level %u of column %d does not exist", c, j + 1);
    }
    struct impute_mode *m = arena_push(a, sizeof *m);
    if (!m) return arena_status(a, err);
    *m = (struct impute_mode){n_cols, value->data, level->data};
    *object = m;
    return TIDE_OK;
}

static tide_status fill_column(const struct impute_mode *m, const struct view *x, int j,
                               struct arena *a, const struct column **out,
                               tide_error *err)
{
    const struct column *from = x->cols[j];
    int64_t n = x->n_rows;
    int is_cat = from->type == TIDE_CAT, is_bool = from->type == TIDE_BOOL;
    if (!x->rows && from->n_missing == 0 &&
        (is_cat || is_bool || from->type == TIDE_F64)) {
        *out = from;
        return TIDE_OK;
    }
    struct column *c = make_column(a, from->name,
                                   is_cat    ? TIDE_CAT
                                   : is_bool ? TIDE_BOOL
                                             : TIDE_F64,
                                   n);
    double *v = is_cat    ? NULL
                : is_bool ? arena_array(a, n, sizeof *v)
                : c       ? make_f64(c)
                          : NULL;
    if (!c || (!is_cat && !v)) return arena_status(a, err);
    *out = c;
    if (is_cat) {
        uint32_t *code = make_codes(c);
        view_codes(x, j, 0, n, code);
        for (int64_t i = 0; i < n; i++) {
            if (code[i] == CODE_MISSING) code[i] = m->level[j];
            c->n_missing += code[i] == CODE_MISSING;
        }
        c->dict = from->dict;
        return TIDE_OK;
    }
    view_numbers(x, j, 0, n, v);
    for (int64_t i = 0; i < n; i++)
        if (v[i] != v[i]) v[i] = m->value[j];
    for (int64_t i = 0; is_bool && i < n; i++) make_bool(c)[i] = v[i] != 0;
    return TIDE_OK;
}

static tide_status impute_mode_apply(struct tide_ctx *ctx, const void *object,
                                     const struct view *x, struct arena *a,
                                     struct step_out *out, tide_error *err)
{
    const struct impute_mode *m = object;
    (void)ctx;
    tide_status st = make_outputs(a, m->n_cols, out, err);
    for (int j = 0; st == TIDE_OK && j < m->n_cols; j++) {
        make_from(out, j, j);
        st = fill_column(m, x, j, a, &out->cols[j], err);
    }
    return st;
}

const struct tide_step tide_step_impute_mode = {
    .name = "impute:mode",
    .title = "Missing cells become the most frequent value",
    .camel = "ImputeMode",
    .guide = "Q13",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS | TIDE_ANOMALY,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS,
    .params = {NULL, 0, (uint32_t)sizeof(struct impute_mode_params)},
    .takes = STEP_NUMERIC | STEP_CATEGORY,
    .fit = impute_mode_fit,
    .load = impute_mode_load,
    .apply = impute_mode_apply,
};
