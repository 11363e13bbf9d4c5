/* leaf_refit.c - the trees of a boosted model with leaves from other rows
 *
 * Method   trees keep their tests. Round by round, as in fitting: gradients from the scores of the
 *          trees before, each leaf's step from the rows that reach it (Newton's, or the quantile of
 *          residuals), value = decay old + (1 - decay) rate step; the scores grow by that value.
 *          A leaf that no row reaches keeps its value.
 * Same     every row takes part, whatever share the trees were drawn from. Gradients have the
 *          dither of their round, so on the rows of a fit that drew none the leaves come out again.
 * Order    integer sums: any order of rows, any threads
 * Cost     n (trees x depth) steps down and 2 bytes a value
 * Guide    Q10
 */
#include "learners/tree/leaf_refit.h"

#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"

#define CAT_ALONE 4 /* up to so many codes a category is split one against the rest */

/* What the rows of one tree's leaves add up to. */
struct leaf_sums {
    int64_t *g, *h, *n, *at; /* [most leaves + 1] */
    uint8_t *sorted;         /* its parent was split on sorted levels */
    uint32_t *leaf;          /* [rows] */
    uint16_t *codes;
    struct weighted *residual; /* [rows], where the loss refits */
    uint8_t *has_many;         /* [n_all] of codes: splits are on sorted levels */
};

static tide_status sums_new(const struct leaf_refit *r, struct arena *a,
                            struct leaf_sums *s, tide_error *err)
{
    const struct ensemble *e = r->e;
    int64_t most = 0, n = r->x->n_rows;
    for (int32_t t = 0; t < e->n_trees; t++) {
        int64_t leaves = e->tree_leaf[t + 1] - e->tree_leaf[t];
        most = leaves > most ? leaves : most;
    }
    s->g = arena_array(a, most + 1, sizeof *s->g);
    s->h = arena_array(a, most + 1, sizeof *s->h);
    s->n = arena_array(a, most + 1, sizeof *s->n);
    s->at = arena_array(a, most + 2, sizeof *s->at);
    s->sorted = arena_array(a, most + 1, 1);
    s->leaf = arena_array(a, n + 1, sizeof *s->leaf);
    s->has_many = arena_zero(a, (size_t)ensemble_all(e) + 1); /* derived: never */
    if (r->grad->loss.of->refit)
        s->residual = arena_array(a, n + 1, sizeof *s->residual);
    tide_status status = arena_status(a, err);
    for (int32_t f = 0; f < e->n_features && !status; f++) {
        int codes = 1; /* missing has one */
        for (uint32_t l = e->level_off[f]; l < e->level_off[f + 1]; l++)
            if (e->level_code[l] != 255 && e->level_code[l] + 2 > codes)
                codes = e->level_code[l] + 2;
        s->has_many[f] = e->feature_kind[f] && codes > CAT_ALONE;
    }
    return status ? status
                  : ensemble_codes(r->ctx, e, r->x, r->derived, a, &s->codes, err);
}

/* Sums of the leaves of tree t, whose leaf numbers are in s->leaf. */
static void sums_make(const struct leaf_refit *r, const struct grow_grad *grad,
                      int32_t t, struct leaf_sums *s)
{
    const struct ensemble *e = r->e;
    uint32_t l0 = e->tree_leaf[t], leaves = e->tree_leaf[t + 1] - l0;
    uint32_t n0 = e->tree_node[t], ni = e->tree_node[t + 1] - n0;
    for (uint32_t i = 0; i < leaves; i++) s->g[i] = s->h[i] = s->n[i] = 0;
    memset(s->sorted, 0, leaves);
    for (uint32_t i = 0; i < ni; i++) {
        uint32_t column = e->node_column[n0 + i];
        uint8_t many =
            s->has_many[e->column_feature[column]] && ensemble_is_set(e, column);
        uint32_t left = e->node_left[n0 + i], right = e->node_right[n0 + i];
        if (left >= ni) s->sorted[left - ni] = many;
        if (right >= ni) s->sorted[right - ni] = many;
    }
    for (int64_t i = 0; i < r->x->n_rows; i++) {
        uint32_t q = s->leaf[i] - l0, packed = grad->packed[i];
        s->n[q]++;
        s->g[q] += grad->fine_g ? grad->fine_g[i] : (int16_t)(packed >> 16);
        s->h[q] += grad->h_is_count ? 1
                   : grad->fine_g   ? grad->fine_h[i]
                                    : packed & 65535;
    }
}

/* Newton's step of a leaf, as grow_value. */
static double newton_step(const struct leaf_refit *r, const struct grow_grad *grad,
                          const struct leaf_sums *s, uint32_t q)
{
    double sum = (double)s->g[q] * grad->g_unit, h = (double)s->h[q] * grad->h_unit;
    double a = fabs(sum) - r->p->l1;
    h += r->p->l2 + (s->sorted[q] ? r->p->cat_l2 : 0);
    return a <= 0 || h <= 0 ? 0 : (sum > 0 ? -a : a) / h;
}

/* Residuals of output k, leaf by leaf: those of leaf q from s->at[q] on. */
static void residuals_sort(const struct leaf_refit *r, int32_t t, int32_t k,
                           struct leaf_sums *s)
{
    const double *score = r->grad->score + k;
    int64_t outputs = r->grad->n_outputs;
    uint32_t l0 = r->e->tree_leaf[t], leaves = r->e->tree_leaf[t + 1] - l0;
    int64_t next = 0;
    for (uint32_t q = 0; q < leaves; q++) {
        s->at[q] = next;
        next += s->n[q];
    }
    for (int64_t i = 0; i < r->x->n_rows; i++) {
        struct weighted *to = &s->residual[s->at[s->leaf[i] - l0]++];
        to->value = r->grad->rows.y[i] - score[i * outputs];
        to->weight = r->refit_unit ? r->refit_unit[i] : 1;
    }
    for (uint32_t q = 0; q < leaves; q++) s->at[q] -= s->n[q];
}

/* New values of output k in tree t's leaves, and with them its scores. */
static tide_status tree_refit(const struct leaf_refit *r, int32_t t, int32_t k,
                              double rate, struct leaf_sums *s, double *leaf,
                              tide_error *err)
{
    int32_t outputs = r->grad->n_outputs, width = r->e->leaf_width;
    int64_t own = width > 1 ? k : 0;
    const struct grow_grad *grad = &r->grad->out[k];
    uint32_t l0 = r->e->tree_leaf[t], leaves = r->e->tree_leaf[t + 1] - l0;
    double level = objective_level(&r->grad->loss, k);
    int by_quantile = r->grad->loss.of->refit;
    tide_status status =
        ensemble_leaves(r->ctx, r->e, t, s->codes, r->x->n_rows, s->leaf, err);
    if (status) return status;
    sums_make(r, grad, t, s);
    if (by_quantile) residuals_sort(r, t, k, s);
    for (uint32_t q = 0; q < leaves; q++) {
        int64_t at = (int64_t)(l0 + q) * width + own;
        double old = r->e->leaf[at];
        double v = by_quantile
                       ? weighted_quantile(s->residual + s->at[q], s->n[q], level)
                       : newton_step(r, grad, s, q);
        v = v < -r->max_leaf ? -r->max_leaf : v > r->max_leaf ? r->max_leaf : v;
        v *= rate;
        /* an equal value stays to the bit, which the rounding of both shares would not see to */
        leaf[at] = s->n[q] == 0 || v == old ? old : r->decay * old + (1 - r->decay) * v;
    }
    for (int64_t i = 0; i < r->x->n_rows; i++)
        r->grad->score[i * outputs + k] += leaf[(int64_t)s->leaf[i] * width + own];
    return TIDE_OK;
}

tide_status leaf_refit(const struct leaf_refit *r, struct arena *a, const double **leaf,
                       tide_error *err)
{
    const struct ensemble *e = r->e;
    int32_t outputs = r->grad->n_outputs, trees = outputs / e->leaf_width;
    int32_t rounds = e->n_trees / trees;
    struct leaf_sums s = {0};
    double rate = r->p->rate;
    double *made = arena_array(a, (int64_t)e->tree_leaf[e->n_trees] + 1,
                               (size_t)e->leaf_width * sizeof *made);
    *leaf = made;
    tide_status status = sums_new(r, a, &s, err);
    for (int32_t i = 0; i < rounds && !status; i++) {
        int coarse = 0;
        if (i) rate *= r->p->decay;
        if (r->own) status = own_loss_derive(r->own, r->grad->score, i, err);
        if (!status) status = grad_make(r->grad, i, err);
        for (int32_t k = 0; k < outputs && !status; k++)
            coarse |= grad_is_coarse(r->grad, k);
        if (coarse && !status) status = grad_refine(r->grad, a, err);
        for (int32_t k = 0; k < outputs && !status; k++)
            status = tree_refit(r, i * trees + k % trees, k, rate, &s, made, err);
        if (!status) status = ctx_progress(r->ctx, r->phase, i + 1, rounds, "", err);
    }
    return status;
}
