/* verdict.c - is the model too simple, too free, or right: one sentence with its numbers
 *
 * Let t, v be the metric on training and validation rows, b that of the baseline on validation
 * rows, all turned so that less is better, and s the standard deviation over folds: about two
 * standard errors of the mean of five, so differences below s are luck. Of what the model
 * learned over the baseline on its own rows, b - t, the share (v - t) / (b - t) does not hold
 * for new ones.
 *
 *   nothing      the baseline is exact, and so is the model
 *   underfits    b - v < s, and b - t < s: not better than the baseline even on rows it has seen
 *   overfits     b - v < s, but t is better than that: learned by heart; so it is when v is no
 *                better than b and t has lost more than half of the distance of b to the best
 *                value (one wild fold makes s useless); or the share exceeds 1/2 and v - t
 *                exceeds s: most of what the model knows holds for its own rows only
 *   fits         the share exceeds 1/10 and v - t exceeds s / 2: its own rows look better than
 *                new ones will. That alone is no disease: a forest has no error on its training
 *                rows and generalises, and boosting stopped by unseen rows always has the gap
 *   fits well    otherwise
 *
 * Without a baseline (NaN) only the gap is judged: it exceeds s and half of |v|. */
#include <math.h>

#include "base/str.h"
#include "eval/charts.h"
#include "eval/eval.h"
#include "spec/spec.h"

#define VERDICT_MOST 0.5
#define VERDICT_SOME 0.1

enum verdict {
    VERDICT_GOOD,
    VERDICT_GAP,
    VERDICT_UNDER,
    VERDICT_OVER,
    VERDICT_HEART,
    VERDICT_NOTHING
};

/* best: the value of a perfect model, NaN when there is none. */
static enum verdict verdict_of(double t, double v, double b, double noise, double best)
{
    double gap = v - t;
    if (isnan(b))
        return gap > noise && gap > VERDICT_MOST * fabs(v) ? VERDICT_OVER
                                                           : VERDICT_GOOD;
    if (b == v && b == t && b == best) return VERDICT_NOTHING;
    if (v >= b && t - best < VERDICT_MOST * (b - best)) return VERDICT_HEART;
    if (b - v < noise || b - v <= 0)
        return b - t > noise && b - t > 0 ? VERDICT_HEART : VERDICT_UNDER;
    double share = gap / (b - t);
    if (gap > noise && share > VERDICT_MOST) return VERDICT_OVER;
    return gap > noise / 2 && share > VERDICT_SOME ? VERDICT_GAP : VERDICT_GOOD;
}

static int has_param(const struct tide_learner *l, const char *name)
{
    for (int i = 0; l && i < l->params.n; i++)
        if (str_same(l->params.rows[i].name, name)) return 1;
    return 0;
}

/* What of this learner makes it tamer, in the names of its parameters. */
static const char *tamer(const struct tide_learner *l)
{
    if (has_param(l, "leaves") && has_param(l, "min_rows"))
        return "fewer leaves (--set leaves=...) or more rows in each (--set "
               "min_rows=...)";
    if (has_param(l, "l2")) return "more penalty (--set l2=...)";
    return "a tamer setting";
}

static void say_over(tide_report *r, const char *name, const struct eval_verdict *q,
                     enum verdict kind, const char *s)
{
    char t[NUM_PRINT_MAX], v[NUM_PRINT_MAX], b[NUM_PRINT_MAX];
    (void)charts_figure(t, q->train);
    (void)charts_figure(v, q->valid);
    (void)charts_figure(b, q->baseline);
    if (kind == VERDICT_HEART)
        report_verdict(r,
                       "Overfits: %s is %s on its own rows but %s on others, no better "
                       "than the baseline (%s); the folds vary by %s.",
                       name, t, v, b, s);
    else if (isnan(q->baseline))
        report_verdict(r,
                       "Overfits: %s is %s on its own rows and %s on others; the folds "
                       "vary by %s.",
                       name, t, v, s);
    else
        report_verdict(r,
                       "Overfits: %s is %s on its own rows and %s on others, so less "
                       "than half of what it learned over the baseline (%s) holds for "
                       "new rows; the folds vary by %s.",
                       name, t, v, b, s);
    report_advice(r, NULL, "try %s, fewer columns, or more rows", tamer(q->learner));
}

static void say_fits(tide_report *r, const char *name, const struct eval_verdict *q,
                     enum verdict kind, const char *s)
{
    char t[NUM_PRINT_MAX], v[NUM_PRINT_MAX], b[NUM_PRINT_MAX];
    int boosts = q->learner && q->learner->traits & TIDE_STOPS_EARLY;
    (void)charts_figure(t, q->train);
    (void)charts_figure(v, q->valid);
    (void)charts_figure(b, q->baseline);
    if (isnan(q->baseline)) {
        report_verdict(r,
                       "Fits well: %s is %s on rows it has not seen and %s on its own.",
                       name, v, t);
    } else if (kind == VERDICT_GOOD) {
        report_verdict(
            r,
            "Fits well: %s is %s on rows it has not seen, %s on its own, and "
            "%s for the baseline; the folds vary by %s.",
            name, v, t, b, s);
    } else {
        report_verdict(
            r,
            "Fits: %s is %s on rows it has not seen and %s for the baseline; "
            "its own rows look better than new ones will (%s)%s; the folds "
            "vary by %s.",
            name, v, b, t, boosts ? ", as boosting does" : "", s);
        report_advice(r, NULL,
                      "more rows would narrow the gap between its own rows and new "
                      "ones; so may %s",
                      tamer(q->learner));
    }
}

void eval_verdict(tide_report *r, const struct tide_metric *metric,
                  const struct eval_verdict *q)
{
    char t[NUM_PRINT_MAX], v[NUM_PRINT_MAX], b[NUM_PRINT_MAX], s[NUM_PRINT_MAX];
    double sign = metric->higher_is_better ? -1 : 1;
    double noise = isnan(q->valid_sd) ? 0 : q->valid_sd;
    if (isnan(q->train) || isnan(q->valid)) {
        report_verdict(r, "No verdict: %s has no value on some fold.", metric->name);
        return;
    }
    (void)charts_figure(t, q->train);
    (void)charts_figure(v, q->valid);
    (void)charts_figure(b, q->baseline);
    (void)num_print_g(s, noise, 2);
    enum verdict kind = verdict_of(sign * q->train, sign * q->valid, sign * q->baseline,
                                   noise, sign * metric->best);
    switch (kind) {
    case VERDICT_NOTHING:
        report_verdict(r, "Nothing to learn: %s is %s for the baseline already.",
                       metric->name, b);
        break;
    case VERDICT_UNDER:
        report_verdict(
            r,
            "Underfits: %s is %s on rows it has not seen (%s on its own) and %s "
            "for the baseline; the folds vary by %s.",
            metric->name, v, t, b, s);
        report_advice(r, NULL,
                      "add columns that tell about the target, or try a learner "
                      "with more capacity");
        break;
    case VERDICT_HEART:
    case VERDICT_OVER:
        say_over(r, metric->name, q, kind, s);
        break;
    case VERDICT_GAP:
    case VERDICT_GOOD:
        say_fits(r, metric->name, q, kind, s);
        break;
    }
}
