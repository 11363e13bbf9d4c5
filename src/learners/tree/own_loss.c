/* own_loss.c - the caller's own loss: derivatives and value by callback
 *
 * Rows      the callback sees the rows of the fit only, those put aside for stopping by `value`
 *           alone, so that what it computes across rows knows nothing of them.
 * Checks    a derivative that is no number, or beyond 1e150 (its product with a weight could
 *           overflow), ends the fit; second derivatives below 0 become 0 and are counted.
 * Threads   called on the thread of the fit, once a round; order and threads are the caller's only
 *           if its own sums depend on them.
 * Guide     Q10
 */
#include "learners/tree/own_loss.h"

#include <math.h>

#include "base/err.h"

#define OWN_MOST 1e150

/* Rows handed over: copies, or the arrays of the fit where they are all of it. */
struct own_rows {
    int64_t n;
    double *score;
    double *y, *w;
};

struct own_loss {
    const struct tide_loss *of;
    struct arena *a;
    const struct grad_rows *rows;
    const double *w; /* those of the fit: rows->w may change from round to round */
    const uint32_t *list;
    int64_t m, raised;
    struct own_rows fit, watched;
    double *g, *h;           /* [rows->n] */
    double *some_g, *some_h; /* [m], or g and h themselves */
};

static tide_status rows_new(struct arena *a, int64_t m, const struct grad_rows *rows,
                            const double *w, const uint32_t *list, struct own_rows *to,
                            tide_error *err)
{
    to->n = m;
    to->score = arena_array(a, m + 1, sizeof *to->score);
    to->y = arena_array(a, m + 1, sizeof *to->y);
    to->w = w ? arena_array(a, m + 1, sizeof *to->w) : NULL;
    tide_status status = arena_status(a, err);
    for (int64_t j = 0; j < m && !status; j++) {
        to->y[j] = rows->y[list[j]];
        if (w) to->w[j] = w[list[j]];
    }
    return status;
}

tide_status own_loss_new(const struct tide_loss *of, const struct grad_rows *rows,
                         const uint32_t *list, int64_t m, struct arena *a,
                         struct own_loss **out, tide_error *err)
{
    struct own_loss *l = arena_zero(a, sizeof *l);
    *out = l;
    if (!l) return arena_status(a, err);
    *l = (struct own_loss){
        .of = of, .a = a, .rows = rows, .w = rows->w, .list = list, .m = m};
    l->g = arena_zero(a, (size_t)(rows->n + 1) * sizeof *l->g);
    l->h = arena_zero(a, (size_t)(rows->n + 1) * sizeof *l->h);
    l->some_g = l->g;
    l->some_h = l->h;
    if (m < rows->n) {
        l->some_g = arena_array(a, m + 1, sizeof *l->some_g);
        l->some_h = arena_array(a, m + 1, sizeof *l->some_h);
        return rows_new(a, m, rows, l->w, list, &l->fit, err);
    }
    return arena_status(a, err);
}

const double *own_loss_g(const struct own_loss *l)
{
    return l->g;
}

const double *own_loss_h(const struct own_loss *l)
{
    return l->h;
}

int64_t own_loss_raised(const struct own_loss *l)
{
    return l->raised;
}

static tide_status refuse_derivative(const struct own_loss *l, int64_t j, int32_t round,
                                     tide_error *err)
{
    int is_g = !(fabs(l->some_g[j]) <= OWN_MOST);
    int64_t row = l->rows->ids[l->list[j]] + 1;
    err_set(
        err, TIDE_CODE_NUMERIC_DIVERGED,
        "the %s derivative of the loss must be a number within 1e150, got \"%r\" for "
        "row %lld in round %d",
        is_g ? "first" : "second", is_g ? l->some_g[j] : l->some_h[j], (long long)row,
        (int)round + 1);
    if (err) err->row = row;
    return TIDE_ENUMERIC;
}

tide_status own_loss_derive(struct own_loss *l, const double *score, int32_t round,
                            tide_error *err)
{
    int is_all = l->m == l->rows->n;
    const double *y = is_all ? l->rows->y : l->fit.y, *w = is_all ? l->w : l->fit.w;
    for (int64_t j = 0; j < l->m && !is_all; j++) l->fit.score[j] = score[l->list[j]];
    int given = l->of->gradient(is_all ? score : l->fit.score, y, w, l->m, l->some_g,
                                l->some_h, l->of->payload);
    if (given)
        return err_set(err, TIDE_CODE_NUMERIC_DIVERGED,
                       "the function for the derivatives of the loss gave up in round "
                       "%d with %d",
                       (int)round + 1, given);
    for (int64_t j = 0; j < l->m; j++) {
        if (!(fabs(l->some_g[j]) <= OWN_MOST) || !(fabs(l->some_h[j]) <= OWN_MOST))
            return refuse_derivative(l, j, round, err);
        if (l->some_h[j] < 0) {
            l->some_h[j] = 0;
            l->raised++;
        }
        if (is_all) continue;
        l->g[l->list[j]] = l->some_g[j];
        l->h[l->list[j]] = l->some_h[j];
    }
    return TIDE_OK;
}

tide_status own_loss_value(struct own_loss *l, const struct grad_rows *rows,
                           const double *score, const uint32_t *list, int64_t m,
                           double *value, tide_error *err)
{
    struct own_rows *to = &l->watched;
    if (!to->score) {
        tide_status status = rows_new(l->a, m, rows, rows->w, list, to, err);
        if (status) return status;
    }
    for (int64_t j = 0; j < m; j++) to->score[j] = score[list[j]];
    *value = l->of->value(to->score, to->y, to->w, m, l->of->payload);
    if (fabs(*value) < (double)INFINITY) return TIDE_OK;
    return err_set(err, TIDE_CODE_NUMERIC_DIVERGED,
                   "the value of the loss must be a number, got \"%r\"", *value);
}
