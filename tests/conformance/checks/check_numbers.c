/* check_numbers.c - numbers of internal functions for tools/checks.py --ours
 *
 * Reads lines "name number number ..." and answers each with one line of numbers at 17 digits,
 * or "? reason". What can be asked through the library's interface is asked there; this is
 * for the parts of the rooms math, metrics and frame that have no door of their own. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/numparse.h"
#include "base/str.h"
#include "frame/frame.h"
#include "math/roc.h"
#include "math/special.h"
#include "metrics/confusion.h"
#include "metrics/interval.h"
#include "metrics/paired.h"
#include "simd/vmath.h"
#include "spec/learner.h"
#include "spec/spec.h"
#include "spec/state.h"

#define LINE    (1 << 20)
#define NUMBERS (1 << 16)

struct asked {
    struct arena *a;
    double x[NUMBERS];
    int n, at;
    int bad; /* too few numbers, or an answer that cannot be given */
};

static void say(double v)
{
    printf("%.17g ", v);
}

static double take(struct asked *q)
{
    if (q->at < q->n) return q->x[q->at++];
    q->bad = 1;
    return NAN;
}

static int64_t take_count(struct asked *q)
{
    double v = take(q);
    if (v >= 0 && v <= NUMBERS) return (int64_t)v;
    q->bad = 1;
    return 0;
}

/* The next n numbers in place. */
static const double *take_list(struct asked *q, int64_t n)
{
    const double *list = q->x + q->at;
    if (q->bad || n > q->n - q->at) {
        q->bad = 1;
        return NULL;
    }
    q->at += (int)n;
    return list;
}

static uint8_t *take_flags(struct asked *q, int64_t n)
{
    const double *x = take_list(q, n);
    uint8_t *f = arena_array(q->a, n, 1);
    for (int64_t i = 0; x && f && i < n; i++) f[i] = x[i] != 0;
    return x ? f : NULL;
}

static int32_t *take_numbers(struct asked *q, int64_t n)
{
    const double *x = take_list(q, n);
    int32_t *k = arena_array(q->a, n, sizeof *k);
    for (int64_t i = 0; x && k && i < n; i++) k[i] = (int32_t)x[i];
    return x ? k : NULL;
}

/* ---- intervals and paired tests ---- */

static void ask_wilson(struct asked *q)
{
    double hits = take(q), n = take(q), lo, hi;
    interval_wilson(hits, n, &lo, &hi);
    say(lo), say(hi);
}

static void ask_clopper_pearson(struct asked *q)
{
    int64_t hits = take_count(q), n = take_count(q);
    double lo, hi;
    interval_clopper_pearson(hits, n, &lo, &hi);
    say(lo), say(hi);
}

static void ask_hanley_mcneil(struct asked *q)
{
    double auc = take(q), pos = take(q), neg = take(q);
    say(interval_hanley_mcneil(auc, pos, neg));
}

static void ask_delong(struct asked *q)
{
    int64_t n = take_count(q);
    const uint8_t *pos = take_flags(q, n);
    const double *x = take_list(q, n), *y = take_list(q, n);
    struct paired_delong d;
    if (q->bad || paired_delong(q->a, pos, x, y, n, &d, NULL)) {
        q->bad = 1;
        return;
    }
    say(d.auc_a), say(d.auc_b), say(d.se_a), say(d.se_b), say(d.z), say(d.p);
}

static void say_test(struct paired_test t)
{
    say(t.statistic), say(t.p);
}

static void ask_mcnemar_exact(struct asked *q)
{
    int64_t b = take_count(q), c = take_count(q);
    say_test(paired_mcnemar_exact(b, c));
}

static void ask_mcnemar_corrected(struct asked *q)
{
    int64_t b = take_count(q), c = take_count(q);
    say_test(paired_mcnemar_corrected(b, c));
}

static void ask_corrected_t(struct asked *q)
{
    double share = take(q);
    int64_t n = take_count(q);
    const double *d = take_list(q, n);
    if (d) say_test(paired_corrected_t(d, n, share));
}

static void ask_wilcoxon(struct asked *q)
{
    int64_t n = take_count(q);
    const double *d = take_list(q, n);
    struct paired_test t;
    if (d && !paired_wilcoxon(q->a, d, n, &t, NULL))
        say_test(t);
    else
        q->bad = 1;
}

static void ask_friedman(struct asked *q)
{
    int64_t n = take_count(q), k = take_count(q);
    const double *m = take_list(q, n * k);
    struct paired_test t;
    if (m && !paired_friedman(q->a, m, n, k, &t, NULL))
        say_test(t);
    else
        q->bad = 1;
}

/* ---- curves and counts ---- */

/* area, area by placements, then true positives, false positives and score of every group */
static void ask_roc(struct asked *q)
{
    int64_t n = take_count(q);
    const uint8_t *pos = take_flags(q, n);
    const double *s = take_list(q, n);
    struct roc r;
    double *tp = arena_array(q->a, 3 * n + 3, sizeof *tp), *fp = tp + n + 1,
           *at = fp + n + 1, *place = arena_array(q->a, n + 1, sizeof *place), sum = 0;
    if (q->bad || !tp || !place || roc_sort(q->a, s, pos, NULL, n, &r) ||
        roc_places(q->a, &r, place)) {
        q->bad = 1;
        return;
    }
    for (int64_t i = 0; i < n; i++)
        if (r.pos[i]) sum += place[i];
    roc_points(&r, tp, fp, at);
    say(roc_area(&r)), say(sum / r.w_pos);
    for (int64_t g = 0; g < r.n_groups; g++) say(tp[g]), say(fp[g]), say(at[g]);
}

static void ask_confusion(struct asked *q)
{
    int64_t n = take_count(q);
    int32_t k = (int32_t)take_count(q);
    struct metric_data d = {.task = TIDE_CLASSIFY, .n = n, .n_classes = k};
    struct confusion c;
    d.k = take_numbers(q, n);
    d.label = take_numbers(q, n);
    if (q->bad || confusion_build(q->a, &d, &c, NULL)) {
        q->bad = 1;
        return;
    }
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) say(c.cell[i * (k + 1) + j]);
}

static void ask_cost_threshold(struct asked *q)
{
    double fp = take(q), fn = take(q);
    say(confusion_cost_threshold(fp, fn));
}

/* folds K CLASSES CLASS...: 0 classes means plain folds */
static void ask_folds(struct asked *q)
{
    int k = (int)take_count(q), n_classes = (int)take_count(q);
    int64_t n = q->n - q->at;
    const int32_t *cls = take_numbers(q, n);
    int32_t *fold = arena_array(q->a, n, sizeof *fold);
    if (q->bad || !fold ||
        fold_assign(n, NULL, n_classes ? cls : NULL, n_classes, k, FOLD_FILE, 0, fold,
                    NULL)) {
        q->bad = 1;
        return;
    }
    for (int64_t i = 0; i < n; i++) say(fold[i]);
}

/* group_folds K SEED KEY...: a key a row */
static void ask_group_folds(struct asked *q)
{
    int k = (int)take_count(q);
    uint64_t seed = (uint64_t)take_count(q);
    int64_t n = q->n - q->at;
    const int32_t *key = take_numbers(q, n);
    int32_t *fold = arena_array(q->a, n, sizeof *fold);
    int64_t *group = arena_array(q->a, n, sizeof *group);
    for (int64_t i = 0; !q->bad && group && i < n; i++) group[i] = key[i];
    if (q->bad || !fold || !group ||
        fold_assign_groups(n, group, k, seed, fold, NULL)) {
        q->bad = 1;
        return;
    }
    for (int64_t i = 0; i < n; i++) say(fold[i]);
}

/* ---- summaries ---- */

static void say_moments(const struct moments *m)
{
    say((double)m->n), say(m->mean), say(m->m2);
    say(moments_sd(m, 0)), say(moments_sd(m, 1));
}

static void ask_moments(struct asked *q)
{
    struct moments m = {0};
    moments_add(&m, q->x, q->n);
    say_moments(&m);
}

static void ask_merge(struct asked *q)
{
    struct moments to = {0}, from = {0};
    int64_t n = take_count(q);
    const double *x = take_list(q, n);
    if (!x) return;
    moments_add(&to, x, n);
    moments_add(&from, q->x + q->at, q->n - q->at);
    moments_merge(&to, &from);
    say_moments(&to);
}

static void ask_quantile(struct asked *q)
{
    double p = take(q);
    say(quantile_sorted(q->x + q->at, q->n - q->at, p));
}

/* ---- functions ---- */

static void ask_lgamma(struct asked *q)
{
    say(special_lgamma(take(q)));
}
static void ask_digamma(struct asked *q)
{
    say(special_digamma(take(q)));
}
static void ask_erf(struct asked *q)
{
    say(vm_erf(take(q)));
}
static void ask_norm_quantile(struct asked *q)
{
    say(vm_norm_quantile(take(q)));
}
static void ask_beta_inc(struct asked *q)
{
    double a = take(q), b = take(q), x = take(q);
    say(special_beta_inc(a, b, x));
}
static void ask_gamma_inc(struct asked *q)
{
    double a = take(q), x = take(q);
    say(special_gamma_inc(a, x));
}
static void ask_beta_quantile(struct asked *q)
{
    double a = take(q), b = take(q), p = take(q);
    say(special_beta_quantile(a, b, p));
}
static void ask_t_quantile(struct asked *q)
{
    double p = take(q), df = take(q);
    say(special_t_quantile(p, df));
}

/* A vote of members that say the same of every row: how (0 soft, 1 hard), members, classes, weight of
 * each, shares of the classes of each. */
static void ask_voting(struct asked *q)
{
    int32_t how = take(q) != 0, n = (int32_t)take_count(q), k = (int32_t)take_count(q);
    const double *weight = take_list(q, n), *share = take_list(q, (int64_t)n * k);
    const struct tide_learner *voting = learner_find("voting", NULL);
    struct state s;
    struct str names = {0};
    struct view x = {.n_rows = 1};
    double out[64];
    void *object;
    if (q->bad || k > 64 || !voting) return;
    state_init(&s, q->a);
    for (int32_t i = 0; i < n; i++) {
        char name[STATE_NAME_MAX];
        snprintf(name, sizeof name, "%d/value", (int)i);
        state_put(&s, "DENSE", name, STATE_F64, k, 1, 1, share + i * k);
        str_add(&names, "baseline\n");
    }
    state_put(&s, "DENSE", "members", STATE_U8, (int64_t)names.len, 1, 1, names.s);
    state_put(&s, "DENSE", "weights", STATE_F64, n, 1, 1, weight);
    state_put(&s, "DENSE", "vote", STATE_I32, 1, 1, 1, &how);
    str_free(&names);
    q->bad = voting->load(&s, TIDE_CLASSIFY, k, 0, NULL, q->a, &object, NULL) ||
             voting->predict(object, &x, 0, 1, out, NULL);
    for (int32_t c = 0; !q->bad && c < k; c++) say(out[c]);
}

static const struct {
    const char *name;
    void (*answer)(struct asked *q);
} known[] = {
    {"voting", ask_voting},
    {"wilson", ask_wilson},
    {"clopper_pearson", ask_clopper_pearson},
    {"hanley_mcneil", ask_hanley_mcneil},
    {"delong", ask_delong},
    {"mcnemar_exact", ask_mcnemar_exact},
    {"mcnemar_corrected", ask_mcnemar_corrected},
    {"corrected_t", ask_corrected_t},
    {"wilcoxon", ask_wilcoxon},
    {"friedman", ask_friedman},
    {"roc", ask_roc},
    {"confusion", ask_confusion},
    {"cost_threshold", ask_cost_threshold},
    {"folds", ask_folds},
    {"group_folds", ask_group_folds},
    {"moments", ask_moments},
    {"merge", ask_merge},
    {"quantile", ask_quantile},
    {"lgamma", ask_lgamma},
    {"digamma", ask_digamma},
    {"erf", ask_erf},
    {"norm_quantile", ask_norm_quantile},
    {"beta_inc", ask_beta_inc},
    {"gamma_inc", ask_gamma_inc},
    {"beta_quantile", ask_beta_quantile},
    {"t_quantile", ask_t_quantile},
};

/* Splits the line; its first word goes to name. */
static void read_line(char *line, struct asked *q, const char **name)
{
    char *at = line + strspn(line, " \n"), *end = at + strcspn(at, " \n");
    *name = at;
    for (char *word = end + strspn(end, " \n"); *word; word = at + strspn(at, " \n")) {
        at = word + strcspn(word, " \n");
        if (q->n == NUMBERS ||
            num_parse(word, (size_t)(at - word), '.', &q->x[q->n]) == NUM_BAD) {
            q->bad = 1;
            break;
        }
        q->n++;
    }
    *end = 0;
}

int main(void)
{
    static char line[LINE];
    static struct asked q;
    while (fgets(line, sizeof line, stdin)) {
        struct arena a;
        const char *name;
        size_t i = 0;
        q.n = q.at = q.bad = 0;
        q.a = &a;
        arena_init(&a, NULL);
        read_line(line, &q, &name);
        while (i < sizeof known / sizeof known[0] && strcmp(known[i].name, name)) i++;
        if (i == sizeof known / sizeof known[0])
            printf("? nothing is called %s", name);
        else if (!q.bad)
            known[i].answer(&q);
        if (q.bad || a.failed) printf("? %s cannot be answered", name);
        printf("\n");
        fflush(stdout);
        arena_free(&a);
    }
    return 0;
}
