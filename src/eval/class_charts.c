/* class_charts.c - charts of a classifier: ROC, precision-recall, gain, threshold,
 * confusion, calibration, scores
 *
 * Curves walk the rows once in order of their scores (math/roc.h); two classes are judged by
 * the probability of the positive one, more (up to 8) each against the rest. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "eval/charts.h"
#include "math/roc.h"
#include "math/sort.h"

#define CURVES          8   /* classes that get a curve of their own */
#define GRID            200 /* steps of the threshold chart */
#define CALIBRATION     10  /* bins */
#define SCORE_BINS      20
#define CONFUSION_SHOWN 30 /* classes */
#define CLASS_Z         1.9599639845400542

struct class_curve {
    struct roc roc;
    double *tp, *fp, *threshold; /* [roc.n_groups] */
};

static int class_is_drawn(const struct scored *s)
{
    return s->n > 0 && s->n <= UINT32_MAX && s->n_classes >= 2;
}

/* Rows in order of the probability of class k against the rest. */
static tide_status class_curve_of(struct arena *a, const struct scored *s, int32_t k,
                                  struct class_curve *out, tide_error *err)
{
    double *score = arena_array(a, s->n, sizeof *score);
    uint8_t *pos = arena_array(a, s->n, sizeof *pos);
    if (!score || !pos) return arena_status(a, err);
    for (int64_t i = 0; i < s->n; i++) {
        score[i] = s->out[i * s->n_classes + k];
        pos[i] = s->k[i] == k;
    }
    if (roc_sort(a, score, pos, s->w, s->n, &out->roc)) return arena_status(a, err);
    out->tp = arena_array(a, out->roc.n_groups, sizeof *out->tp);
    out->fp = arena_array(a, out->roc.n_groups, sizeof *out->fp);
    out->threshold = arena_array(a, out->roc.n_groups, sizeof *out->threshold);
    if (a->failed) return arena_status(a, err);
    roc_points(&out->roc, out->tp, out->fp, out->threshold);
    return TIDE_OK;
}

/* One thinned line of a chart. */
static tide_status class_line(struct tide_chart *c, struct arena *temp, const double *x,
                              const double *y, int64_t n, const char *name, int slot,
                              tide_error *err)
{
    int64_t keep[CURVE_POINTS], m = charts_thin(x, y, n, keep);
    struct arena_mark mark = arena_mark(temp);
    double *px = arena_array(temp, m > 0 ? m : 1, sizeof *px);
    double *py = arena_array(temp, m > 0 ? m : 1, sizeof *py);
    char x_name[80], y_name[80];
    struct chart_mark *line;
    if (!px || !py) return arena_status(temp, err);
    for (int64_t i = 0; i < m; i++) {
        px[i] = x[keep[i]];
        py[i] = y[keep[i]];
    }
    (void)str_format(x_name, sizeof x_name, "%s: x", name);
    (void)str_format(y_name, sizeof y_name, "%s: y", name);
    line = chart_mark(c, MARK_LINE, name, slot);
    line->x = chart_num(c, x_name, px, m);
    line->y = chart_num(c, y_name, py, m);
    arena_reset(temp, mark);
    return TIDE_OK;
}

static void class_rule(struct tide_chart *c, int kind, double a, double b,
                       const char *label)
{
    struct chart_mark *rule = chart_mark(c, MARK_RULE, label, 0);
    rule->rule = kind;
    rule->a = a;
    rule->b = b;
}

/* ---- ROC ---- */

static tide_status roc_line(struct tide_chart *c, struct arena *temp,
                            const struct scored *s, int32_t k, int slot,
                            tide_error *err)
{
    struct class_curve v;
    double *x, *y;
    char name[CHARTS_NAME];
    tide_status status = class_curve_of(temp, s, k, &v, err);
    int64_t n = v.roc.n_groups + 1;
    if (status) return status;
    if (!(v.roc.w_pos > 0) || !(v.roc.w_neg > 0)) return TIDE_OK;
    x = arena_array(temp, n, sizeof *x);
    y = arena_array(temp, n, sizeof *y);
    if (!x || !y) return arena_status(temp, err);
    x[0] = y[0] = 0;
    for (int64_t g = 1; g < n; g++) {
        x[g] = v.fp[g - 1] / v.roc.w_neg;
        y[g] = v.tp[g - 1] / v.roc.w_pos;
    }
    return class_line(c, temp, x, y, n, charts_name(name, s->labels[k]), slot, err);
}

static tide_status chart_roc(struct tide_ctx *ctx, tide_report *r, struct arena *temp,
                             const struct scored *s, tide_error *err)
{
    struct tide_chart *c;
    char area[96], name[CHARTS_NAME];
    double value;
    int binary = s->n_classes == 2;
    tide_status status = charts_metric(ctx, "auc", s, METRIC_CI_95, area, &value, err);
    if (status || isnan(value)) return status;
    c = chart_new(&r->arena, "roc", "ROC curve", s->n);
    c->is_key = binary;
    chart_axis_x(c, "false positive rate", NULL, SCALE_LINEAR, 0, 1);
    chart_axis_y(c, "true positive rate", NULL, SCALE_LINEAR, 0, 1);
    for (int32_t k = 0; k < s->n_classes && !status; k++) {
        struct arena_mark mark = arena_mark(temp);
        if (binary && k != s->positive) continue;
        status = roc_line(c, temp, s, k, binary ? 1 : k + 1, err);
        arena_reset(temp, mark);
    }
    if (status) return status;
    class_rule(c, 'l', 0, 1, "chance");
    if (binary)
        chart_summary(
            c,
            "The area under the curve is %s: so often does a row of '%s' score "
            "above a row of the other class; chance gives 0.5.",
            area, charts_name(name, s->labels[s->positive]));
    else
        chart_summary(
            c,
            "The area under the curve is %s as the mean over %d classes, each "
            "against the rest; chance gives 0.5.",
            area, (int)s->n_classes);
    return charts_done(
        r, c,
        "Each point is a threshold: how many positives are found (up) for how "
        "many false alarms (right). Further to the top left is better.",
        err);
}

/* ---- precision and recall ---- */

static tide_status chart_pr(struct tide_ctx *ctx, tide_report *r, struct arena *temp,
                            const struct scored *s, const struct class_curve *v,
                            tide_error *err)
{
    int64_t n = v->roc.n_groups, at = -1;
    double *x = arena_array(temp, n, sizeof *x), *y = arena_array(temp, n, sizeof *y);
    double share = v->roc.w_pos / (v->roc.w_pos + v->roc.w_neg), value;
    char ap[96], name[CHARTS_NAME], a[NUM_PRINT_MAX], b[NUM_PRINT_MAX];
    struct tide_chart *c;
    tide_status status;
    if (!x || !y) return arena_status(temp, err);
    for (int64_t g = 0; g < n; g++) {
        x[g] = v->tp[g] / v->roc.w_pos;
        y[g] = v->tp[g] / (v->tp[g] + v->fp[g]);
        if (at < 0 && x[g] >= 0.8) at = g;
    }
    status = charts_metric(ctx, "ap", s, METRIC_CI_NONE, ap, &value, err);
    if (status) return status;
    c = chart_new(&r->arena, "pr", "Precision and recall", s->n);
    chart_axis_x(c, "recall", NULL, SCALE_LINEAR, 0, 1);
    chart_axis_y(c, "precision", NULL, SCALE_LINEAR, 0, 1);
    status =
        class_line(c, temp, x, y, n, charts_name(name, s->labels[s->positive]), 1, err);
    if (status) return status;
    class_rule(c, 'y', share, 0, "prevalence");
    chart_summary(
        c,
        "Average precision is %s where '%s' is %s of %lld rows; when 80 %% of "
        "them are found, the precision is %s.",
        ap, name, charts_figure(a, share), (long long)s->n,
        charts_figure(b, y[at < 0 ? n - 1 : at]));
    return charts_done(
        r, c,
        "Precision is the share of alarms that are right, recall the share of "
        "positives found. Guessing stays on the prevalence line.",
        err);
}

/* ---- gain ---- */

/* Positives found among the highest scores. */
static tide_status chart_gain(tide_report *r, struct arena *temp,
                              const struct scored *s, const struct class_curve *v,
                              tide_error *err)
{
    int64_t n = v->roc.n_groups + 1;
    double *x = arena_array(temp, n, sizeof *x), *y = arena_array(temp, n, sizeof *y);
    double all = v->roc.w_pos + v->roc.w_neg, top = 0.2, found = 1;
    char name[CHARTS_NAME], t[2][NUM_PRINT_MAX];
    struct tide_chart *c;
    tide_status status;
    if (!x || !y) return arena_status(temp, err);
    x[0] = y[0] = 0;
    for (int64_t g = 1; g < n; g++) {
        x[g] = (v->tp[g - 1] + v->fp[g - 1]) / all;
        y[g] = v->tp[g - 1] / v->roc.w_pos;
        if (x[g - 1] < top &&
            x[g] >= top) /* between the two points, as the line is drawn */
            found = y[g - 1] + (y[g] - y[g - 1]) * (top - x[g - 1]) / (x[g] - x[g - 1]);
    }
    c = chart_new(&r->arena, "gain", "Gain and lift", s->n);
    chart_axis_x(c, "share of rows, highest scores first", NULL, SCALE_LINEAR, 0, 1);
    chart_axis_y(c, "share of positives found", NULL, SCALE_LINEAR, 0, 1);
    charts_name(name, s->labels[s->positive]);
    status = class_line(c, temp, x, y, n, name, 1, err);
    if (status) return status;
    class_rule(c, 'l', 0, 1, "chance");
    chart_summary(
        c,
        "The 20 %% of rows with the highest scores hold %s of all rows of '%s', %s "
        "times as many as 20 %% taken blindly.",
        charts_figure(t[0], found), name, charts_figure(t[1], found / top));
    return charts_done(
        r, c,
        "How many positives are reached when only the rows of the highest "
        "scores can be looked at. Lift is the height over the chance line.",
        err);
}

/* ---- metrics against the threshold ---- */

struct threshold_point {
    double precision, recall, f1;
};

static struct threshold_point threshold_at(const struct class_curve *v, int64_t g)
{
    struct threshold_point p = {(double)NAN, 0, 0};
    if (g < 0) return p; /* nothing is called positive */
    p.precision = v->tp[g] / (v->tp[g] + v->fp[g]);
    p.recall = v->tp[g] / v->roc.w_pos;
    p.f1 = 2 * v->tp[g] / (v->tp[g] + v->fp[g] + v->roc.w_pos);
    return p;
}

static tide_status chart_threshold(tide_report *r, const struct scored *s,
                                   const struct class_curve *v, tide_error *err)
{
    double x[GRID + 1], precision[GRID + 1], recall[GRID + 1], f1[GRID + 1];
    int64_t g = -1, best = 0;
    struct threshold_point half = {0, 0, 0}, top;
    char name[CHARTS_NAME], t[5][NUM_PRINT_MAX];
    struct tide_chart *c;
    struct chart_mark *line;
    int sx;
    for (int j = GRID; j >= 0; j--) {
        struct threshold_point p;
        x[j] = (double)j / GRID;
        while (g + 1 < v->roc.n_groups && v->threshold[g + 1] >= x[j]) g++;
        p = threshold_at(v, g);
        precision[j] = p.precision;
        recall[j] = p.recall;
        f1[j] = p.f1;
        if (2 * j == GRID) half = p;
    }
    for (g = 1; g < v->roc.n_groups; g++)
        if (threshold_at(v, g).f1 > threshold_at(v, best).f1) best = g;
    top = threshold_at(v, best);
    c = chart_new(&r->arena, "threshold", "Metrics against the threshold", s->n);
    chart_axis_x(c, "threshold", NULL, SCALE_LINEAR, 0, 1);
    chart_axis_y(c, "value", NULL, SCALE_LINEAR, 0, 1);
    sx = chart_num(c, "threshold", x, GRID + 1);
    line = chart_mark(c, MARK_LINE, "precision", 1);
    line->x = sx;
    line->y = chart_num(c, "precision", precision, GRID + 1);
    line = chart_mark(c, MARK_LINE, "recall", 2);
    line->x = sx;
    line->y = chart_num(c, "recall", recall, GRID + 1);
    line = chart_mark(c, MARK_LINE, "F1", 3);
    line->x = sx;
    line->y = chart_num(c, "F1", f1, GRID + 1);
    if (v->threshold[best] >= 0 && v->threshold[best] <= 1)
        class_rule(c, 'x', v->threshold[best], 0, "best F1");
    chart_summary(c,
                  "F1 of '%s' is highest (%s) at threshold %s; at 0.5 it is %s, with "
                  "precision %s and recall %s.",
                  charts_name(name, s->labels[s->positive]),
                  charts_figure(t[0], top.f1), charts_figure(t[1], v->threshold[best]),
                  charts_figure(t[2], half.f1),
                  isnan(half.precision) ? "-" : charts_figure(t[3], half.precision),
                  charts_figure(t[4], half.recall));
    return charts_done(
        r, c,
        s->is_score
            ? "A row is called positive when its score reaches the threshold. Moving "
              "it "
              "trades precision for recall; the model stays the same."
            : "A row is called positive when its probability reaches the threshold. "
              "Moving it trades precision for recall; the model stays the same.",
        err);
}

/* ---- calibration ---- */

/* What the model claims of row i, and whether it came true. */
static double class_claim(const struct scored *s, int64_t i, int *hit)
{
    const double *p = s->out + i * s->n_classes;
    int32_t best = 0;
    if (s->n_classes == 2) {
        *hit = s->k[i] == s->positive;
        return p[s->positive];
    }
    for (int32_t k = 1; k < s->n_classes; k++)
        if (p[k] > p[best]) best = k;
    *hit = s->k[i] == best;
    return p[best];
}

static void class_wilson(double rate, double n, double *lo, double *hi)
{
    double z = CLASS_Z, d = 1 + z * z / n, c = (rate + z * z / (2 * n)) / d;
    double h = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / d;
    *lo = c - h > 0 ? c - h : 0;
    *hi = c + h < 1 ? c + h : 1;
}

struct calibration_bins {
    int n;
    double p[CALIBRATION], rate[CALIBRATION], lo[CALIBRATION], hi[CALIBRATION];
    double rows[CALIBRATION];
    double error; /* mean distance, by rows */
};

/* Bins of equal count, ties in one bin. */
static tide_status calibration_bin(struct arena *temp, const struct scored *s,
                                   struct calibration_bins *b, tide_error *err)
{
    double *p = arena_array(temp, s->n, sizeof *p), w = 0, wp = 0, wh = 0, w2 = 0,
           all = 0;
    uint32_t *idx = arena_array(temp, s->n, sizeof *idx);
    int64_t bin = 0;
    int hit = 0;
    *b = (struct calibration_bins){0};
    if (!p || !idx) return arena_status(temp, err);
    for (int64_t i = 0; i < s->n; i++) p[i] = class_claim(s, i, &hit);
    if (sort_index_f64(temp, p, s->n, idx)) return arena_status(temp, err);
    for (int64_t i = 0; i < s->n; i++) {
        double wi = s->w ? s->w[idx[i]] : 1, claim = class_claim(s, idx[i], &hit);
        int last = i + 1 == s->n ||
                   ((i + 1) * CALIBRATION / s->n > bin && p[idx[i + 1]] != p[idx[i]]);
        w += wi;
        w2 += wi * wi;
        wp += wi * claim;
        wh += hit ? wi : 0;
        if (!last) continue;
        if (w > 0) {
            b->p[b->n] = wp / w;
            b->rate[b->n] = wh / w;
            b->rows[b->n] = w;
            class_wilson(wh / w, w * w / w2, &b->lo[b->n], &b->hi[b->n]);
            b->error += fabs(wp - wh);
            all += w;
            b->n++;
        }
        bin = (i + 1) * CALIBRATION / s->n;
        w = wp = wh = w2 = 0;
    }
    b->error = all > 0 ? b->error / all : (double)NAN;
    return TIDE_OK;
}

static tide_status chart_calibration(tide_report *r, struct arena *temp,
                                     const struct scored *s, tide_error *err)
{
    struct calibration_bins b;
    char name[CHARTS_NAME], of[CHARTS_NAME + 8], t[4][NUM_PRINT_MAX];
    struct tide_chart *c;
    struct chart_mark *m;
    int worst = 0, x, y;
    tide_status status = calibration_bin(temp, s, &b, err);
    if (status || b.n == 0) return status;
    for (int i = 1; i < b.n; i++)
        if (fabs(b.p[i] - b.rate[i]) > fabs(b.p[worst] - b.rate[worst])) worst = i;
    c = chart_new(&r->arena, "calibration", "Calibration", s->n);
    chart_axis_x(c, "probability given", NULL, SCALE_LINEAR, 0, 1);
    chart_axis_y(c, "share observed", NULL, SCALE_LINEAR, 0, 1);
    class_rule(c, 'l', 0, 1, "calibrated");
    x = chart_num(c, "probability", b.p, b.n);
    y = chart_num(c, "observed", b.rate, b.n);
    m = chart_mark(c, MARK_LINE, NULL, 1);
    m->x = x;
    m->y = y;
    m = chart_mark(c, MARK_INTERVAL, "95 %", 1);
    m->x = x;
    m->y = y;
    m->lo = chart_num(c, "lo", b.lo, b.n);
    m->hi = chart_num(c, "hi", b.hi, b.n);
    (void)chart_num(c, "rows", b.rows, b.n);
    if (s->n_classes == 2)
        (void)str_format(of, sizeof of, "'%s'",
                         charts_name(name, s->labels[s->positive]));
    else
        (void)str_format(of, sizeof of, "the likeliest class");
    chart_summary(c,
                  "Probabilities of %s are off by %s on average over %d bins of rows; "
                  "the furthest says %s where %s was observed.",
                  of, charts_figure(t[0], b.error), b.n,
                  charts_figure(t[1], b.p[worst]), charts_figure(t[2], b.rate[worst]));
    return charts_done(
        r, c,
        "Rows are grouped by the probability they were given. On the diagonal "
        "a given 30 % comes true in 30 of 100 cases.",
        err);
}

/* ---- scores ---- */

static tide_status chart_scores(tide_report *r, const struct scored *s, tide_error *err)
{
    double lo[SCORE_BINS], hi[SCORE_BINS], count[2][SCORE_BINS] = {{0}, {0}},
                                           sum[2] = {0};
    int64_t n[2] = {0};
    char name[2][CHARTS_NAME], t[2][NUM_PRINT_MAX];
    struct tide_chart *c;
    int slo, shi;
    for (int i = 0; i < SCORE_BINS; i++) {
        lo[i] = (double)i / SCORE_BINS;
        hi[i] = (double)(i + 1) / SCORE_BINS;
    }
    for (int64_t i = 0; i < s->n; i++) {
        double p = s->out[i * s->n_classes + s->positive];
        int b = p * SCORE_BINS >= SCORE_BINS ? SCORE_BINS - 1 : (int)(p * SCORE_BINS);
        int side = s->k[i] == s->positive;
        count[side][b < 0 ? 0 : b] += 1;
        sum[side] += p;
        n[side]++;
    }
    if (!n[0] || !n[1]) return TIDE_OK;
    charts_name(name[1], s->labels[s->positive]);
    charts_name(name[0], s->labels[1 - s->positive]);
    c = chart_new(&r->arena, "scores", "Scores of the two classes", s->n);
    chart_axis_x(c, s->is_score ? "score" : "probability of the positive class", NULL,
                 SCALE_LINEAR, 0, 1);
    chart_axis_y(c, "rows", NULL, SCALE_LINEAR, 0, 0);
    slo = chart_num(c, "from", lo, SCORE_BINS);
    shi = chart_num(c, "to", hi, SCORE_BINS);
    for (int side = 0; side < 2; side++) {
        struct chart_mark *m = chart_mark(c, MARK_BAR, name[side], side + 1);
        m->lo = m->bins_lo = slo;
        m->hi = shi;
        m->y = chart_num(c, name[side], count[side], SCORE_BINS);
    }
    chart_summary(c,
                  "The mean score is %s for %lld rows of '%s' and %s for %lld rows of "
                  "'%s'; the less the two overlap, the better they can be told apart.",
                  charts_figure(t[1], sum[1] / (double)n[1]), (long long)n[1], name[1],
                  charts_figure(t[0], sum[0] / (double)n[0]), (long long)n[0], name[0]);
    return charts_done(
        r, c,
        s->is_score
            ? "How often each score was given, by the true class."
            : "How often each probability was given, by the true class. Two heaps "
              "at the ends are a sure model, one heap in the middle an unsure one.",
        err);
}

/* ---- confusion ---- */

/* The classes shown, most frequent first when there are too many. */
static tide_status confusion_shown(struct arena *temp, const struct scored *s,
                                   const double *cell, int32_t *shown, int *n,
                                   tide_error *err)
{
    double *minus = arena_array(temp, s->n_classes, sizeof *minus);
    uint32_t *idx = arena_array(temp, s->n_classes, sizeof *idx);
    if (!minus || !idx) return arena_status(temp, err);
    for (int32_t k = 0; k < s->n_classes; k++) {
        minus[k] = 0;
        for (int32_t j = 0; j < s->n_classes; j++)
            minus[k] -= cell[(int64_t)k * s->n_classes + j];
    }
    *n = s->n_classes > CONFUSION_SHOWN ? CONFUSION_SHOWN : s->n_classes;
    if (sort_index_f64(temp, minus, s->n_classes, idx)) return arena_status(temp, err);
    for (int k = 0; k < *n; k++)
        shown[k] = s->n_classes > CONFUSION_SHOWN ? (int32_t)idx[k] : k;
    return TIDE_OK;
}

/* The pair of classes that is taken for one another most often. */
static void confusion_worst(const struct scored *s, const double *cell, int32_t *truth,
                            int32_t *said, double *rows)
{
    *truth = *said = 0;
    *rows = 0;
    for (int32_t k = 0; k < s->n_classes; k++)
        for (int32_t j = 0; j < s->n_classes; j++) {
            double x = cell[(int64_t)k * s->n_classes + j];
            if (j == k || x <= *rows) continue;
            *truth = k;
            *said = j;
            *rows = x;
        }
}

static tide_status chart_confusion(tide_report *r, struct arena *temp,
                                   const struct scored *s, tide_error *err)
{
    int32_t K = s->n_classes, shown[CONFUSION_SHOWN], truth, said;
    int n = 0;
    double *cell = arena_array(temp, (int64_t)K * K, sizeof *cell), hits = 0, all = 0,
           rows;
    const char **x, **y, **text;
    double *share;
    char name[2][CHARTS_NAME], t[3][NUM_PRINT_MAX];
    struct tide_chart *c;
    struct chart_mark *m;
    tide_status status;
    if (!cell) return arena_status(temp, err);
    memset(cell, 0, (size_t)K * (size_t)K * sizeof *cell);
    for (int64_t i = 0; i < s->n; i++) {
        double w = s->w ? s->w[i] : 1;
        all += w;
        hits += s->k[i] == s->label[i] ? w : 0;
        if (s->k[i] < K) cell[(int64_t)s->k[i] * K + s->label[i]] += w;
    }
    status = confusion_shown(temp, s, cell, shown, &n, err);
    if (status) return status;
    x = arena_array(temp, (int64_t)n * n, sizeof *x);
    y = arena_array(temp, (int64_t)n * n, sizeof *y);
    text = arena_array(temp, (int64_t)n * n, sizeof *text);
    share = arena_array(temp, (int64_t)n * n, sizeof *share);
    if (temp->failed) return arena_status(temp, err);
    for (int i = 0; i < n; i++) {
        const double *row = cell + (int64_t)shown[i] * K;
        double sum = 0;
        for (int32_t j = 0; j < K; j++) sum += row[j];
        for (int j = 0; j < n; j++) {
            int at = i * n + j;
            x[at] = s->labels[shown[j]];
            y[at] = s->labels[shown[i]];
            share[at] = sum > 0 ? row[shown[j]] / sum : 0;
            text[at] = arena_str(temp, charts_figure(t[0], row[shown[j]]));
        }
    }
    if (temp->failed) return arena_status(temp, err);
    c = chart_new(&r->arena, "confusion", "Confusion matrix", s->n);
    c->is_key = K > 2;
    chart_axis_x(c, "predicted", NULL, SCALE_BAND, 0, 0);
    chart_axis_y(c, "true", NULL, SCALE_BAND, 0, 0);
    c->colour = (struct chart_axis){.label = "share of the true class", .hi = 1};
    m = chart_mark(c, MARK_CELL, NULL, 1);
    m->x = chart_text(c, "predicted", x, (int64_t)n * n);
    m->y = chart_text(c, "true", y, (int64_t)n * n);
    m->size = chart_num(c, "share", share, (int64_t)n * n);
    m->text = chart_text(c, "rows", text, (int64_t)n * n);
    if (n < K) chart_note(c, "the %d most frequent of %d classes", n, (int)K);
    confusion_worst(s, cell, &truth, &said, &rows);
    if (rows > 0)
        chart_summary(
            c,
            "%s of %s rows are predicted right; the most frequent mistake is '%s' "
            "taken for '%s', %s times.",
            num_print_g(t[0], hits, 9) ? t[0] : "",
            num_print_g(t[1], all, 9) ? t[1] : "",
            charts_name(name[0], s->labels[truth]),
            charts_name(name[1], s->labels[said]),
            num_print_g(t[2], rows, 9) ? t[2] : "");
    else
        chart_summary(
            c,
            "All %lld rows are predicted right: there is no mistake to be seen "
            "in this table.",
            (long long)s->n);
    return charts_done(
        r, c,
        "Rows are the true classes, columns what was predicted. The diagonal "
        "is right; colour is the share of the true class.",
        err);
}

/* ---- all ---- */

tide_status class_charts(struct tide_ctx *ctx, tide_report *r, const struct scored *s,
                         tide_error *err)
{
    struct arena temp;
    struct class_curve v;
    tide_status status = TIDE_OK;
    if (!class_is_drawn(s)) return TIDE_OK;
    arena_init(&temp, ctx);
    if (s->n_classes <= CURVES) status = chart_roc(ctx, r, &temp, s, err);
    if (!status && s->n_classes == 2) {
        struct arena_mark mark = arena_mark(&temp);
        status = class_curve_of(&temp, s, s->positive, &v, err);
        if (!status && v.roc.w_pos > 0 && v.roc.w_neg > 0) {
            status = chart_pr(ctx, r, &temp, s, &v, err);
            if (!status) status = chart_gain(r, &temp, s, &v, err);
            if (!status) status = chart_threshold(r, s, &v, err);
        }
        arena_reset(&temp, mark);
    }
    if (!status) status = chart_confusion(r, &temp, s, err);
    if (!status && !s->is_score) status = chart_calibration(r, &temp, s, err);
    if (!status && s->n_classes == 2) status = chart_scores(r, s, err);
    arena_free(&temp);
    return status;
}
