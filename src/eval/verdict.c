/* verdict.c - is the model too simple, too free, or right: one sentence with its numbers
 *
 * Let t, v be the metric on training and validation rows, b that of the baseline on validation
 * rows, all turned so that less is better, and s the standard deviation over folds. Differences
 * below NOISE * s are luck.
 *
 *   underfits    b - v < NOISE s, and b - t < NOISE s: not better than the baseline even on
 *                rows it has seen
 *   overfits     b - v < NOISE s, but t is better than that: learned by heart; so it is when
 *                v is no better than b and t has lost more than half of the distance of b to
 *                the best value (one wild fold makes s useless); or the gap v - t exceeds
 *                NOISE s and all that was learned (b - v), so that most of what the model
 *                knows holds for its training rows only
 *   fits well    otherwise. A gap alone is no disease: a forest has no error on its training
 *                rows and generalises
 *
 * Without a baseline (NaN) only the gap is judged: it exceeds NOISE s and half of |v|. */
#include <math.h>

#include "eval/charts.h"

#define VERDICT_NOISE 2.0
#define VERDICT_HALF  0.5

enum verdict { VERDICT_GOOD, VERDICT_UNDER, VERDICT_OVER, VERDICT_HEART };

/* best: the value of a perfect model, NaN when there is none. */
static enum verdict verdict_of(double t, double v, double b, double noise, double best)
{
    double gap = v - t;
    if (isnan(b))
        return gap > noise && gap > VERDICT_HALF * fabs(v) ? VERDICT_OVER
                                                           : VERDICT_GOOD;
    if (v >= b && t - best < VERDICT_HALF * (b - best)) return VERDICT_HEART;
    if (b - v < noise || b - v <= 0)
        return b - t > noise && b - t > 0 ? VERDICT_HEART : VERDICT_UNDER;
    return gap > noise && gap > b - v ? VERDICT_OVER : VERDICT_GOOD;
}

void eval_verdict(tide_report *r, const struct tide_metric *metric, double train,
                  double valid, double valid_sd, double baseline)
{
    char t[NUM_PRINT_MAX], v[NUM_PRINT_MAX], b[NUM_PRINT_MAX], s[NUM_PRINT_MAX];
    double sign = metric->higher_is_better ? -1 : 1;
    double noise = VERDICT_NOISE * (isnan(valid_sd) ? 0 : valid_sd);
    if (isnan(train) || isnan(valid)) {
        report_verdict(r, "No verdict: %s has no value on some fold.", metric->name);
        return;
    }
    (void)charts_figure(t, train);
    (void)charts_figure(v, valid);
    (void)charts_figure(b, baseline);
    (void)num_print_g(s, isnan(valid_sd) ? 0 : valid_sd, 2);
    switch (verdict_of(sign * train, sign * valid, sign * baseline, noise,
                       sign * metric->best)) {
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
        report_verdict(
            r,
            "Overfits: %s is %s on its training rows but %s on others, no better "
            "than the baseline (%s); the folds vary by %s.",
            metric->name, t, v, b, s);
        report_advice(r, NULL,
                      "use a tamer setting (fewer leaves, more penalty), more rows, "
                      "or fewer columns");
        break;
    case VERDICT_OVER:
        report_verdict(
            r,
            "Overfits: %s is %s on its training rows and %s on others, a gap wider "
            "than what it learned over the baseline; the folds vary by %s.",
            metric->name, t, v, s);
        report_advice(r, NULL,
                      "a tamer setting (fewer leaves, more penalty) may do as well "
                      "on new rows");
        break;
    case VERDICT_GOOD:
        if (isnan(baseline))
            report_verdict(
                r, "Fits well: %s is %s on rows it has not seen and %s on its own.",
                metric->name, v, t);
        else
            report_verdict(
                r,
                "Fits well: %s is %s on rows it has not seen, %s on its own, and "
                "%s for the baseline; the folds vary by %s.",
                metric->name, v, t, b, s);
        break;
    }
}
