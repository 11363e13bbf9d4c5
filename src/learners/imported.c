/* imported.c - a tree ensemble that XGBoost or LightGBM trained
 *
 * Nobody fits one: `tidemill import` writes its state (src/store/import.c). It is in no list of
 * learners, but a model file names it like any other.
 *
 * Decisions     exact: thresholds became edges that divide the doubles as the source's own
 *               comparison does, so no row ever takes another path
 * Order         default: the sums of ensemble_margin, f64 (bound: docs/do/import.md)
 *               strict: leaves in tree order, XGBoost in f32 from the base score, LightGBM in
 *               f64 from 0, which gives the source's raw scores bit for bit
 * Linear leaves of LightGBM: its products and sums in its order, so both modes give its bits
 * Links         in f64, where XGBoost's are f32: probabilities agree to about 1e-7
 */
#include "learners/imported.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/size.h"
#include "base/str.h"
#include "infer/ensemble.h"
#include "simd/vmath.h"

#define BLOCK 128

struct imported_model {
    struct ensemble *e;
    int32_t n_out; /* columns of scores */
    int32_t source, strict, link, divide;
    double scale;
};

static tide_status imported_fit(struct tide_ctx *ctx, const void *params,
                                const struct fit_data *d, const struct fit_data *valid,
                                int32_t rounds, struct state *out,
                                struct fit_info *info, tide_error *err)
{
    (void)ctx, (void)params, (void)d, (void)valid, (void)rounds, (void)out, (void)info;
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "'imported' is a model of another program and cannot be trained");
    return err_hint(err, "", "tidemill list learner");
}

/* ------------------------------------------------------------------------ load --- */

static tide_status refuse(tide_error *err, tide_code code, const char *what)
{
    err_set(err, code, "%s", what);
    return err_place(err, "section TREES, array import_how");
}

/* Do the outputs fit the task and the link? */
static int outputs_fit(const struct imported_model *m, uint32_t task, int32_t n_out)
{
    int32_t k = m->e->n_outputs;
    if (task != TIDE_CLASSIFY)
        return k == 1 && m->link != IMPORTED_SOFTMAX && m->link != IMPORTED_ONE_VS_ALL;
    if (m->link == IMPORTED_SOFTMAX || m->link == IMPORTED_ONE_VS_ALL)
        return k == n_out;
    return k == 1 && n_out == 2 &&
           (m->link == IMPORTED_SIGMOID || m->link == IMPORTED_STEP);
}

static tide_status imported_load(const struct state *s, uint32_t task, int32_t n_out,
                                 int32_t n_cols, const uint32_t *n_levels,
                                 struct arena *a, void **object, tide_error *err)
{
    struct imported_model *m = arena_zero(a, sizeof *m);
    const struct state_array *how = NULL, *scale = NULL;
    *object = NULL;
    if (!m) return arena_status(a, err);
    tide_status st = state_need(s, "import_how", STATE_I32, IMPORTED_HOW, 1, &how, err);
    if (!st) st = state_need(s, "import_scale", STATE_F64, 1, 1, &scale, err);
    if (!st) st = ensemble_load(s, n_cols, n_levels, a, &m->e, err);
    if (!st) st = ensemble_load_linear(s, m->e, a, err);
    if (st) return st;
    if (m->e->n_derived)
        return refuse(err, TIDE_CODE_TIDE_FEATURE,
                      "imported trees ask columns, not what is made of them");
    const int32_t *h = how->data;
    m->source = h[IMPORTED_AT_SOURCE];
    m->strict = h[IMPORTED_AT_STRICT];
    m->link = h[IMPORTED_AT_LINK];
    /* a mean is over the trees that are here, which may be the first of those imported */
    m->divide =
        h[IMPORTED_AT_DIVIDE] > 1 ? ensemble_rounds(m->e) : h[IMPORTED_AT_DIVIDE];
    m->scale = *(const double *)scale->data;
    m->n_out = n_out;
    if ((m->source != IMPORTED_XGBOOST && m->source != IMPORTED_LIGHTGBM) ||
        m->strict < 0 || m->strict > 1 || m->link < 0 || m->link >= IMPORTED_LINKS ||
        m->divide < 1)
        return refuse(err, TIDE_CODE_TIDE_VALUE, "a number is out of range");
    if (!outputs_fit(m, task, n_out))
        return refuse(err, TIDE_CODE_TIDE_CLASSES,
                      "the trees give other outputs than the model says");
    *object = m;
    return TIDE_OK;
}

/* ---------------------------------------------------------------------- strict --- */

/* Base code of a number: #{edges < x}; missing is 65535. */
static uint16_t code_of(const double *edge, uint32_t n, double x)
{
    uint32_t lo = 0, hi = n;
    if (isnan(x)) return UINT16_MAX;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (edge[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (uint16_t)lo;
}

static void code_column(const struct ensemble *e, const struct view *x, int32_t f,
                        int64_t i0, int64_t n, uint16_t *out)
{
    const struct column *col = x->cols[f];
    memset(out, 255, (size_t)n * sizeof *out);
    if (e->feature_kind[f] == 1 && col->type == TIDE_CAT) {
        uint32_t raw[BLOCK], l0 = e->level_off[f], n_level = e->level_off[f + 1] - l0;
        view_codes(x, f, i0, n, raw);
        for (int64_t r = 0; r < n; r++)
            if (raw[r] < n_level && e->level_code[l0 + raw[r]] != 255)
                out[r] = e->level_code[l0 + raw[r]];
    } else if (e->feature_kind[f] == 0 && column_is_numeric(col)) {
        double v[BLOCK];
        uint32_t e0 = e->edge_off[f];
        view_numbers(x, f, i0, n, v);
        for (int64_t r = 0; r < n; r++)
            out[r] = code_of(e->edge + e0, e->edge_off[f + 1] - e0, v[r]);
    }
}

/* Base code of a feature of one row, whose values are x as predict_row has them. */
static uint16_t code_of_value(const struct ensemble *e, uint32_t f, double x)
{
    if (e->feature_kind[f] == 0)
        return code_of(e->edge + e->edge_off[f], e->edge_off[f + 1] - e->edge_off[f],
                       x);
    uint32_t l0 = e->level_off[f], n_level = e->level_off[f + 1] - l0;
    uint8_t c = x >= 0 && x < n_level ? e->level_code[l0 + (uint32_t)x] : 255;
    return c == 255 ? UINT16_MAX : c;
}

/* A row: column r of codes [features][BLOCK], or values x. */
struct row {
    const uint16_t *codes;
    int64_t r;
    const double *x; /* NULL: codes */
};

/* Leaf of a row, counted over the whole ensemble. */
static int64_t leaf_of(const struct ensemble *e, int32_t t, const struct row *row)
{
    uint32_t n0 = e->tree_node[t], n = e->tree_node[t + 1] - n0, at = 0;
    while (at < n) {
        uint32_t c = e->node_column[n0 + at], f = e->column_feature[c];
        uint16_t code = row->x ? code_of_value(e, f, row->x[f])
                               : row->codes[(size_t)f * BLOCK + (size_t)row->r];
        if (e->column_mapped[c] == 1) code = e->map[256 * (size_t)c + (code & 255u)];
        if (e->column_mapped[c] == 2 && code == UINT16_MAX) code = 0;
        at = code <= e->node_thr[n0 + at] ? e->node_left[n0 + at]
                                          : e->node_right[n0 + at];
    }
    return (int64_t)e->tree_leaf[t] + (at - n);
}

/* One row in the source's own type and order. */
static void sum_row(const struct imported_model *m, const struct row *row, double *out)
{
    const struct ensemble *e = m->e;
    int32_t width = e->leaf_width;
    for (int32_t k = 0; k < e->n_outputs; k++) out[k] = e->base[k];
    for (int32_t t = 0; t < e->n_trees; t++) {
        int64_t leaf = leaf_of(e, t, row);
        const double *v = e->leaf + leaf * width;
        double *to = out + (width > 1 ? 0 : e->tree_output[t]);
        double own = 0;
        if (e->linear) {
            own = ensemble_linear_value(e, leaf, row->x, 1, e->linear->feature);
            v = &own;
        }
        for (int32_t q = 0; q < width; q++)
            to[q] = m->source == IMPORTED_XGBOOST ? (double)((float)to[q] + (float)v[q])
                                                  : to[q] + v[q];
    }
}

/* A column of rows [n][features] as single rows have it. */
static void value_column(const struct ensemble *e, const struct view *x, int32_t f,
                         int64_t i0, int64_t n, double *out)
{
    const struct column *col = x->cols[f];
    uint32_t code[BLOCK];
    double v[BLOCK];
    int is_category = e->feature_kind[f] == 1 && col->type == TIDE_CAT;
    int is_number = e->feature_kind[f] == 0 && column_is_numeric(col);
    if (is_category) view_codes(x, f, i0, n, code);
    if (is_number) view_numbers(x, f, i0, n, v);
    for (int64_t r = 0; r < n; r++)
        out[r * e->n_features + f] = is_category && code[r] != CODE_MISSING ? code[r]
                                     : is_number                            ? v[r]
                                                 : (double)NAN;
}

/* Linear leaves want numbers, not codes: row by row, as single rows come. */
static tide_status strict_linear(const struct imported_model *m, const struct view *x,
                                 int64_t i0, int64_t n, double *out, tide_error *err)
{
    const struct ensemble *e = m->e;
    size_t bytes = 0;
    if (size_mul((size_t)e->n_features + 1, BLOCK * sizeof(double), &bytes))
        return err_nomem(err, 0);
    double *value = mem_alloc(bytes);
    if (!value) return err_nomem(err, bytes);
    for (int64_t r0 = 0; r0 < n; r0 += BLOCK) {
        int64_t rows = n - r0 < BLOCK ? n - r0 : BLOCK;
        for (int32_t f = 0; f < e->n_features; f++)
            value_column(e, x, f, i0 + r0, rows, value);
        for (int64_t r = 0; r < rows; r++)
            sum_row(m, &(struct row){.x = value + r * e->n_features},
                    out + (r0 + r) * e->n_outputs);
    }
    mem_free(value);
    return TIDE_OK;
}

static tide_status strict_margin(const struct imported_model *m, const struct view *x,
                                 int64_t i0, int64_t n, double *out, tide_error *err)
{
    const struct ensemble *e = m->e;
    size_t bytes = 0;
    if (size_mul((size_t)e->n_features + 1, BLOCK * sizeof(uint16_t), &bytes))
        return err_nomem(err, 0);
    uint16_t *codes = mem_alloc(bytes);
    if (!codes) return err_nomem(err, bytes);
    for (int64_t r0 = 0; r0 < n; r0 += BLOCK) {
        int64_t rows = n - r0 < BLOCK ? n - r0 : BLOCK;
        for (int32_t f = 0; f < e->n_features; f++)
            code_column(e, x, f, i0 + r0, rows, codes + (size_t)f * BLOCK);
        for (int64_t r = 0; r < rows; r++)
            sum_row(m, &(struct row){.codes = codes, .r = r},
                    out + (r0 + r) * e->n_outputs);
    }
    mem_free(codes);
    return TIDE_OK;
}

tide_status imported_margin(const void *object, const struct view *x, int64_t i0,
                            int64_t n, int strict, double *out, tide_error *err)
{
    const struct imported_model *m = object;
    if (strict < 0) strict = m->strict;
    if (!strict) return ensemble_margin(m->e, x, i0, n, 0, out, err);
    return m->e->linear ? strict_linear(m, x, i0, n, out, err)
                        : strict_margin(m, x, i0, n, out, err);
}

/* ----------------------------------------------------------------------- links --- */

static void softmax(const double *z, int32_t k, double *out)
{
    double top = z[0], sum = 0;
    for (int32_t q = 1; q < k; q++) top = z[q] > top ? z[q] : top;
    for (int32_t q = 0; q < k; q++) sum += out[q] = vm_exp(z[q] - top);
    for (int32_t q = 0; q < k; q++) out[q] /= sum;
}

static double link_one(const struct imported_model *m, double z)
{
    switch ((enum imported_link)m->link) {
    case IMPORTED_SIGMOID:
    case IMPORTED_ONE_VS_ALL:
        return vm_expit(m->scale * z);
    case IMPORTED_EXP:
        return vm_exp(z);
    case IMPORTED_STEP:
        return z > 0 ? 1 : 0;
    case IMPORTED_SQUARE:
        return z < 0 ? -(z * z) : z * z;
    case IMPORTED_LOG_ONE_EXP:
        return vm_softplus(z);
    case IMPORTED_IDENTITY:
    case IMPORTED_SOFTMAX:
    case IMPORTED_LINKS:
        break;
    }
    return z;
}

/* Margins z of a row to its scores, which may begin where they do. */
static void link_row(const struct imported_model *m, double *z, double *out)
{
    int32_t k = m->e->n_outputs;
    for (int32_t q = 0; m->divide > 1 && q < k; q++) z[q] /= m->divide;
    if (m->link == IMPORTED_SOFTMAX) {
        softmax(z, k, out);
    } else if (k == 1 && m->n_out == 2) {
        double z0 = z[0];
        out[1] = link_one(m, z0);
        out[0] = m->link == IMPORTED_STEP ? 1 - out[1] : vm_expit(-(m->scale * z0));
    } else {
        for (int32_t q = 0; q < k; q++) out[q] = link_one(m, z[q]);
    }
}

static tide_status imported_predict(const void *object, const struct view *x,
                                    int64_t i0, int64_t n, double *out, tide_error *err)
{
    const struct imported_model *m = object;
    /* margins fill the front; rows are spread from the back */
    tide_status st = imported_margin(object, x, i0, n, -1, out, err);
    if (st) return st;
    for (int64_t r = n - 1; r >= 0; r--)
        link_row(m, out + r * m->e->n_outputs, out + r * m->n_out);
    return TIDE_OK;
}

static void imported_predict_row(const void *object, const double *x, double *out)
{
    const struct imported_model *m = object;
    if (m->strict)
        sum_row(m, &(struct row){.x = x}, out);
    else
        ensemble_row(m->e, x, out);
    link_row(m, out, out);
}

static const struct ensemble *imported_trees(const void *object)
{
    return ((const struct imported_model *)object)->e;
}

static void imported_importance(const void *object, double *out)
{
    ensemble_importance(((const struct imported_model *)object)->e, out);
}

static void imported_describe(const void *object, char *out, size_t size)
{
    const struct imported_model *m = object;
    char count[64];
    (void)ensemble_count_text(m->e, count, sizeof count);
    str_format(out, size, "%s, from %s%s", count,
               m->source == IMPORTED_XGBOOST ? "XGBoost" : "LightGBM",
               m->strict ? ", summed in its own order" : "");
}

struct imported_params {
    int32_t none;
};

const struct tide_learner tide_unlisted_imported = {
    .name = "imported",
    .title = "A tree ensemble of another program",
    .camel = "Imported",
    .guide = "Q10",
    .paper = "",
    .small = "",
    .min_rows = 1,
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .tolerance = 0,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_GIVES_PROBA,
    .params = {NULL, 0, (uint32_t)sizeof(struct imported_params)},
    .fit = imported_fit,
    .load = imported_load,
    .predict = imported_predict,
    .predict_row = imported_predict_row,
    .trees = imported_trees,
    .importance = imported_importance,
    .describe = imported_describe,
};
