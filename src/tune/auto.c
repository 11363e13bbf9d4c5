/* auto.c - the sensible candidates, and which of them to keep
 *
 * Method     every candidate is cross-validated on the same folds; the best mean of the metric sets
 *            the mark; the simplest candidate within one standard error of it is kept. The error
 *            is that of the *paired* differences to the best, since folds that are hard for one
 *            are hard for all (the rule: Breiman et al. 1984).
 * Guide      Q2 Q6
 */
#include <math.h>

#include "base/err.h"
#include "base/numparse.h"
#include "tune/tune.h"

const char *const *auto_candidates(uint32_t task)
{
    static const char *const classify[] = {"baseline", "logistic", "gbdt", NULL};
    static const char *const regress[] = {"baseline", "ridge", "gbdt", NULL};
    static const char *const anomaly[] = {"isolation_forest", NULL};
    return task == TIDE_ANOMALY ? anomaly : task == TIDE_CLASSIFY ? classify : regress;
}

static void mean_se(const double *x, int64_t n, double *mean, double *se)
{
    double m = 0, q = 0;
    for (int64_t i = 0; i < n; i++) m += x[i];
    m /= (double)n;
    for (int64_t i = 0; i < n; i++) q += (x[i] - m) * (x[i] - m);
    *mean = m;
    *se = n > 1 ? sqrt(q / (double)(n - 1) / (double)n) : 0;
}

static tide_status paired_folds(const struct plan *plan, double sign,
                                const struct candidate *best, struct candidate *c,
                                struct arena *a, tide_error *err)
{
    double *d = arena_array(a, plan->k, sizeof *d);
    if (!d) return arena_status(a, err);
    for (int f = 0; f < plan->k; f++)
        d[f] = sign * (best->cv.fold_metric[f] - c->cv.fold_metric[f]);
    mean_se(d, plan->k, &c->diff, &c->diff_se);
    return TIDE_OK;
}

/* A single hold-out: over its rows, where the metric is a mean over rows. */
static tide_status paired_rows(const struct problem *p, const struct plan *plan,
                               const struct tide_metric *m, double sign,
                               const struct candidate *best, struct candidate *c,
                               struct arena *a, tide_error *err)
{
    c->diff = sign * (best->mean - c->mean);
    c->diff_se = 0;
    if (!m->per_row) return TIDE_OK;
    struct metric_data x = {.task = p->task,
                            .n = p->n_rows,
                            .y = p->y,
                            .k = p->k,
                            .w = p->w,
                            .n_classes = p->n_classes,
                            .positive = p->positive};
    double *u = arena_array(a, 2 * p->n_rows, sizeof *u);
    if (!u) return arena_status(a, err);
    double *v = u + p->n_rows, mean;
    x.proba = x.pred = best->cv.out;
    x.label = best->cv.label;
    m->per_row(&x, u);
    x.proba = x.pred = c->cv.out;
    x.label = c->cv.label;
    m->per_row(&x, v);
    int64_t held = 0;
    for (int64_t i = 0; i < p->n_rows; i++)
        if (plan->fold[i] < plan->k) u[held++] = sign * (u[i] - v[i]);
    mean_se(u, held, &mean, &c->diff_se);
    return TIDE_OK;
}

static int is_better(const struct tide_metric *m, double a, double b)
{
    if (isnan(b)) return !isnan(a);
    return m->higher_is_better ? a > b : a < b;
}

static void explain(const struct tide_metric *m, const struct candidate *c, int chosen,
                    int best, char why[320])
{
    const struct candidate *x = &c[chosen], *b = &c[best];
    if (chosen != best) {
        char d[NUM_PRINT_MAX], s[NUM_PRINT_MAX];
        num_print_g(d, x->diff, 3);
        num_print_g(s, x->diff_se, 3);
        str_format(why, 320,
                   "%s is simpler than %s and only %s behind it, within one standard "
                   "error (%s)",
                   x->name, b->name, d, s);
    } else if (best == 0) {
        str_format(why, 320, "no candidate beats %s", x->name);
    } else {
        str_format(
            why, 320,
            "%s has the best %s and no simpler candidate comes within one standard "
            "error of it",
            x->name, m->name);
    }
}

tide_status auto_choose(struct tide_ctx *ctx, const struct problem *p,
                        const struct plan *plan, const struct tide_metric *metric,
                        uint64_t seed, struct arena *a, struct candidate *c, int n,
                        int *chosen, char why[320], tide_error *err)
{
    int best = 0;
    for (int i = 0; i < n; i++) {
        tide_status s = eval_cross_validate(ctx, p, c[i].pipeline, plan->fold, plan->k,
                                            metric, seed, c[i].name, a, &c[i].cv, err);
        if (s) return s;
        mean_se(c[i].cv.fold_metric, plan->k, &c[i].mean, &c[i].se);
        if (i && is_better(metric, c[i].mean, c[best].mean)) best = i;
    }
    double sign = metric->higher_is_better ? 1 : -1;
    *chosen = best;
    for (int i = n - 1; i >= 0; i--) {
        struct arena_mark mark = arena_mark(a);
        tide_status s =
            plan->k > 1 ? paired_folds(plan, sign, &c[best], &c[i], a, err)
                        : paired_rows(p, plan, metric, sign, &c[best], &c[i], a, err);
        arena_reset(a, mark);
        if (s) return s;
        if (i < best && c[i].diff <= c[i].diff_se) *chosen = i;
    }
    explain(metric, c, *chosen, best, why);
    return TIDE_OK;
}
