/* train.c - from a table to a validated model: candidates, folds, verdict, final fit
 *
 * The scores a user is told are always those of rows that the scoring model has not seen;
 * the model that is kept is then fitted on all rows (boosting with the median best number of
 * rounds of the folds). Guide: Q2 Q4 Q6 Q14.
 */
#include <math.h>
#include <string.h>

#include <tidemill/version.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "tune/tune.h"

#define MAX_CANDIDATES 8
#define CV_ROWS        50000 /* folds up to here, a hold-out above */

struct trainer {
    struct tide_ctx *ctx;
    const struct tide_train_options *o;
    const tide_model *from; /* to go on from, or NULL */
    tide_pipeline *resumed; /* its pipeline, until it is a candidate */
    struct tide_resume_options how;
    uint64_t seed;
    const tide_frame *valid;
    struct problem *p;
    struct arena arena;
    struct plan plan;
    const struct tide_metric *metric;
    struct candidate c[MAX_CANDIDATES]; /* c[0] is the baseline to compare with */
    int n, chosen, is_auto, is_ranked;
    struct fit_aims aims; /* of the learner asked for */
    struct str note;
    char why[320];
    tide_report *report;
    tide_model *model;
    struct fit_info info;
    int32_t rounds; /* > 0: of the final fit, from the folds */
    double fit_s, predict_s;
};

static const char *const fold_names[] = {"shuffled", "file", "crc32", NULL};
static const struct tide_param train_rows[] = {
    P_TEXT(tide_train_options, learner, "auto", .metavar = "NAME",
           .help = "learner, or auto: the best of the sensible ones"),
    P_LIST(tide_train_options, set, .metavar = "K=V",
           .help = "parameter of the learner (tidemill list learner NAME)"),
    P_TEXT(tide_train_options, pipeline, NULL, .metavar = "TEXT",
           .help = "steps and learner, e.g. 'num: impute:median; gbdt(trees=800)'"),
    P_INT(tide_train_options, cv, "0", P_RANGE(0, 1000), .metavar = "K",
          .alias = "folds-k n_folds",
          .help = "folds; 0 chooses (5, above 50,000 rows a hold-out), 1 none"),
    P_REAL(tide_train_options, holdout, "0", P_RANGE(0, 1), .flags = TIDE_OPEN_HI,
           .metavar = "SHARE",
           .help = "validate on this share of the rows instead of folds"),
    P_ENUM(tide_train_options, folds, "shuffled", fold_names,
           .help = "how rows fall into folds", .flags = TIDE_EXPERT),
    P_TEXT(tide_train_options, metric, NULL, .metavar = "M",
           .help = "metric that chooses and is shown first"),
};

const struct tide_params *tide_train_params(void)
{
    static const struct tide_params table = TIDE_TABLE(train_rows, tide_train_options);
    return &table;
}

static int is_set(const char *s)
{
    return s && *s;
}

/* What the model has settled is not asked for again. */
static tide_status check_resume(const struct trainer *t, tide_error *err)
{
    const struct tide_train_options *o = t->o;
    const char *own = t->from->nodes[t->from->n_nodes - 1].learner->name, *what = NULL;
    char shown[128];
    if (is_set(o->learner) && strcmp(o->learner, "auto") != 0 &&
        strcmp(o->learner, own) != 0) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "the model's 'learner' is %s, got \"%s\"", own,
                err_quote(shown, sizeof shown, o->learner, strlen(o->learner), 60));
        what = "learner";
    } else if (is_set(o->pipeline)) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "the model's own pipeline goes on, so 'pipeline' cannot be given");
        what = "pipeline";
    } else if (t->seed != t->from->seed) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "the model's 'seed' is %llu, got \"%llu\"",
                (unsigned long long)t->from->seed, (unsigned long long)t->seed);
        what = "seed";
    } else if (o->cv > 1) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "the model may know the rows of every fold, so 'cv' cannot be given");
        err_field(err, "cv");
        return err_hint(err, "holdout", "0.2");
    }
    return what ? err_field(err, what) : TIDE_OK;
}

static const char *group_name(const struct problem *p)
{
    return p->group_column >= 0 ? p->frame->cols[p->group_column].name : NULL;
}

/* Without a target nothing can be held against the truth. */
static tide_status check_no_target(const struct trainer *t, tide_error *err)
{
    const struct tide_train_options *o = t->o;
    const char *what = o->cv > 1           ? "cv"
                       : o->holdout > 0    ? "holdout"
                       : o->folds          ? "folds"
                       : t->p->group       ? "group"
                       : is_set(o->metric) ? "metric"
                       : t->valid          ? "valid"
                                           : NULL;
    if (!what) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "without a target there is nothing to validate on, so '%s' cannot be given",
            what);
    return err_field(err, what);
}

static tide_status check_options(struct trainer *t, tide_error *err)
{
    const struct tide_train_options *o = t->o;
    int names_learner = is_set(o->learner) && strcmp(o->learner, "auto") != 0;
    t->is_auto = !t->from && !names_learner && !is_set(o->pipeline);
    if (is_set(o->pipeline) && (names_learner || o->set.n))
        return err_set(
            err, TIDE_CODE_PARAM_CONFLICT,
            "'pipeline' already holds the learner, so '%s' cannot be given too",
            names_learner ? "learner" : "set");
    if (t->is_auto && o->set.n) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "'set' needs a learner to belong to, and 'learner' is auto");
        return err_hint(err, "learner", "%s",
                        t->p->task == TIDE_ANOMALY ? "isolation_forest" : "gbdt");
    }
    if (o->own_loss && !t->aims.own_loss) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "'own_loss' is for a learner whose loss is custom");
        err_field(err, "own_loss");
        return err_hint(err, "set", "loss=custom");
    }
    if (t->p->task == TIDE_ANOMALY) return check_no_target(t, err);
    if (o->cv > 1 && o->holdout > 0)
        return err_set(err, TIDE_CODE_PARAM_CONFLICT,
                       "'cv' and 'holdout' exclude each other");
    if (t->valid && (o->cv > 1 || o->holdout > 0))
        return err_set(err, TIDE_CODE_PARAM_CONFLICT,
                       "'valid' and '%s' exclude each other",
                       o->cv > 1 ? "cv" : "holdout");
    if (t->p->group && o->folds)
        return err_set(err, TIDE_CODE_PARAM_CONFLICT,
                       "'group' and 'folds' exclude each other");
    if (!(t->aims.tasks & t->p->task)) t->aims.metric = NULL; /* the learner will say */
    t->is_ranked = eval_is_ranked(&t->aims);
    if (t->is_ranked && t->valid && t->p->group &&
        tide_frame_find(t->valid, group_name(t->p), "group", err) < 0)
        return err_at(err, t->valid->source, t->valid->first_line > 0, 0), TIDE_EDATA;
    tide_status s = eval_metric_default(
        t->p->task, is_set(o->metric) ? o->metric : t->aims.metric, &t->metric, err);
    if (s || !(t->metric->needs & METRIC_QUANTILES) || t->aims.quantiles.n > 1)
        return s;
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "metric '%s' is for several quantiles, as gbdt(loss=quantile, "
            "quantile=0.1,0.9) predicts",
            t->metric->name);
    return err_field(err, "metric");
}

/* ---- validation plan ---- */

/* Class numbers for stratifying, with classes of fewer than k rows counted as the largest one:
 * they cannot be spread over k folds, and the user did not ask for k. */
static const int32_t *pooled_classes(struct trainer *t, int k)
{
    const struct problem *p = t->p;
    if (p->task != TIDE_CLASSIFY) return NULL;
    int64_t *count = arena_zero(&t->arena, (size_t)p->n_classes * sizeof *count);
    int32_t *cls = arena_array(&t->arena, p->n_rows, sizeof *cls), most = 0;
    if (!count || !cls) return NULL;
    for (int64_t i = 0; i < p->n_rows; i++) count[p->k[i]]++;
    for (int32_t c = 1; c < p->n_classes; c++)
        if (count[c] > count[most]) most = c;
    int n_rare = 0;
    for (int32_t c = 0; c < p->n_classes; c++) n_rare += count[c] < k;
    if (n_rare)
        ctx_note(t->ctx,
                 "%d of %d classes have fewer rows than folds (%d), so not every fold "
                 "has all classes",
                 n_rare, (int)p->n_classes, k);
    for (int64_t i = 0; i < p->n_rows; i++)
        cls[i] = count[p->k[i]] < k ? most : p->k[i];
    return cls;
}

/* Whole groups are held out; classes are not evened out then. */
static tide_status plan_group_holdout(struct trainer *t, double share, uint8_t *mark,
                                      tide_error *err)
{
    const struct problem *p = t->p;
    int64_t held = 0;
    tide_status s = fold_holdout_groups(p->n_rows, p->group, share, t->seed, mark, err);
    if (s) return s;
    for (int64_t i = 0; i < p->n_rows; i++) {
        t->plan.fold[i] = !mark[i];
        held += mark[i];
    }
    t->plan.k = 1;
    str_format(t->plan.how, sizeof t->plan.how,
               "hold-out of %r%% of the rows, whole groups",
               round((double)held * 1000 / (double)p->n_rows) / 10);
    return TIDE_OK;
}

static tide_status plan_holdout(struct trainer *t, double share, tide_error *err)
{
    const struct problem *p = t->p;
    uint8_t *mark = arena_zero(&t->arena, (size_t)p->n_rows);
    if (!mark) return arena_status(&t->arena, err);
    if (p->group) return plan_group_holdout(t, share, mark, err);
    const int32_t *cls = p->task == TIDE_CLASSIFY ? p->k : NULL;
    tide_status s =
        fold_holdout(p->n_rows, p->rows, cls, p->n_classes, share, t->seed, mark, err);
    if (s) return s;
    for (int64_t i = 0; i < p->n_rows; i++) t->plan.fold[i] = !mark[i];
    t->plan.k = 1;
    str_format(t->plan.how, sizeof t->plan.how, "hold-out of %r%% of the rows%s",
               share * 100, cls ? ", stratified" : "");
    return TIDE_OK;
}

/* Folds know class numbers; a person knows the label of the class that is too small. */
static tide_status name_small_class(const struct problem *p, int k, tide_error *err)
{
    int32_t least = 0;
    int64_t rows = INT64_MAX;
    for (int32_t c = 0; c < p->n_classes; c++) {
        int64_t n = 0;
        for (int64_t i = 0; i < p->n_rows; i++) n += p->k[i] == c;
        if (n >= rows) continue;
        rows = n;
        least = c;
    }
    char shown[128];
    err_quote(shown, sizeof shown, p->labels[least], strlen(p->labels[least]), 100);
    err_set(err, TIDE_CODE_DATA_FOLDS, "'%s' has %lld rows, and %d folds need %d",
            shown, (long long)rows, k, k);
    return rows > 1 ? err_hint(err, "cv", "%lld", (long long)rows)
                    : err_hint(err, "holdout", "0.2");
}

static tide_status plan_folds(struct trainer *t, int k, tide_error *err)
{
    const struct problem *p = t->p;
    enum fold_how how = (enum fold_how)t->o->folds;
    if (p->group) {
        t->plan.k = k;
        str_format(t->plan.how, sizeof t->plan.how, "%d folds of whole groups", k);
        return fold_assign_groups(p->n_rows, p->group, k, t->seed, t->plan.fold, err);
    }
    int is_asked = t->o->cv > 1;
    const int32_t *cls = p->task != TIDE_CLASSIFY ? NULL
                         : is_asked               ? p->k
                                                  : pooled_classes(t, k);
    if (how == FOLD_CRC32) cls = NULL;
    tide_status s = arena_status(&t->arena, err);
    if (!s)
        s = fold_assign(p->n_rows, p->rows, cls, p->n_classes, k, how, t->seed,
                        t->plan.fold, err);
    if (s == TIDE_EDATA && cls && is_asked && p->n_classes <= 1000)
        s = name_small_class(p, k, err);
    t->plan.k = k;
    str_format(t->plan.how, sizeof t->plan.how, "%d %sfolds%s", k,
               cls ? "stratified " : "",
               how == FOLD_FILE    ? " in file order"
               : how == FOLD_CRC32 ? " by row number"
                                   : "");
    return s;
}

static tide_status make_plan(struct trainer *t, tide_error *err)
{
    const struct problem *p = t->p;
    t->plan.fold = arena_zero(&t->arena, (size_t)p->n_rows * sizeof(int32_t));
    if (!t->plan.fold) return arena_status(&t->arena, err);
    if (t->p->task == TIDE_ANOMALY || t->o->cv == 1 || (t->valid && !t->is_auto) ||
        (t->from && !(t->o->holdout > 0))) {
        t->plan.k = 0;
        return TIDE_OK;
    }
    if (t->o->holdout > 0) return plan_holdout(t, t->o->holdout, err);
    int64_t groups = fold_groups(p->group, p->n_rows);
    if (t->o->cv == 0 && p->n_rows > CV_ROWS && groups != 1)
        return plan_holdout(t, 0.2, err);
    int k = t->o->cv > 1 ? t->o->cv : p->n_rows >= 10 ? 5 : (int)p->n_rows / 2;
    if (t->o->cv == 0 && p->group && k > groups) k = (int)groups;
    if (k < 2 || k > p->n_rows) {
        if (t->o->cv > 1)
            return err_set(err, TIDE_CODE_DATA_FOLDS, "%d folds need %d rows, got %lld",
                           k, k, (long long)p->n_rows);
        ctx_note(t->ctx, "too few %s to validate on; the model is fitted without",
                 p->group ? "groups" : "rows");
        t->plan.k = 0;
        return TIDE_OK;
    }
    return plan_folds(t, k, err);
}

/* ---- candidates ---- */

static tide_status add_candidate(struct trainer *t, const char *learner,
                                 const struct tide_text_list *sets, struct str *note,
                                 tide_error *err)
{
    struct candidate *c = &t->c[t->n];
    tide_status s = pipeline_default(learner, sets, t->p, &c->pipeline, note, err);
    if (s) return s;
    t->n++;
    c->name = c->pipeline->nodes[c->pipeline->n - 1].learner->name;
    return TIDE_OK;
}

/* What the chosen one is compared with: where it learns several quantiles, those of all rows. */
static tide_status add_baseline(struct trainer *t, tide_error *err)
{
    struct candidate *c = &t->c[0];
    struct fit_aims aims;
    struct str shares = {0};
    pipeline_aims(t->c[t->chosen].pipeline, &aims);
    str_add(&shares, "quantile=");
    for (int k = 0; k < aims.quantiles.n; k++) {
        str_add(&shares, k ? "," : "");
        str_num(&shares, aims.quantiles.items[k]);
    }
    const char *sets[] = {"value=quantile", shares.s};
    struct tide_text_list list = {sets, aims.quantiles.n > 1 ? 2 : 0};
    tide_status s = shares.failed ? err_nomem(err, 0)
                                  : pipeline_default("baseline", &list, t->p,
                                                     &c->pipeline, NULL, err);
    str_free(&shares);
    if (!s) c->name = "baseline";
    return s;
}

static tide_status make_candidates(struct trainer *t, tide_error *err)
{
    static const struct tide_text_list no_sets = {0};
    const struct tide_train_options *o = t->o;
    tide_status s = TIDE_OK;
    if (t->is_auto) {
        const char *const *names = auto_candidates(t->p->task);
        for (int i = 0; names[i] && !s; i++)
            s = add_candidate(t, names[i], &no_sets, NULL, err);
        t->chosen = t->n - 1;
        return s;
    }
    int is_compared = t->plan.k > 0 && !t->from;
    t->chosen = t->n = is_compared;
    if (!t->from && !is_set(o->pipeline)) {
        s = add_candidate(t, o->learner, &o->set, &t->note, err);
        return !s && is_compared ? add_baseline(t, err) : s;
    }
    struct candidate *c = &t->c[t->n];
    if (t->from) {
        c->pipeline = t->resumed;
        t->resumed = NULL;
    } else {
        s = pipeline_parse(o->pipeline, &c->pipeline, err);
        if (s) return s;
    }
    t->n++;
    c->name = c->pipeline->nodes[c->pipeline->n - 1].learner->name;
    return is_compared ? add_baseline(t, err) : TIDE_OK;
}

/* A fit of what was asked for: from the model, by the loss of the caller, if there is one. */
static void go_on(const struct trainer *t, struct pipe_fit *how)
{
    how->from = t->from;
    how->refit = t->how.refit;
    how->decay = t->how.refit_decay;
    how->own_loss = t->o->own_loss;
}

/* Can the learner show what it has after some rounds? */
static tide_status check_snapshot(const struct trainer *t, tide_error *err)
{
    const struct candidate *c = &t->c[t->chosen];
    const struct tide_learner *l = c->pipeline->nodes[c->pipeline->n - 1].learner;
    if (!t->o->snapshot) return TIDE_OK;
    if (t->o->snapshot->every < 1) {
        err_set(err, TIDE_CODE_PARAM_RANGE, "'snapshot' must be at least 1, got \"%d\"",
                (int)t->o->snapshot->every);
    } else if (!t->o->snapshot->take) {
        err_set(err, TIDE_CODE_PARAM_VALUE,
                "'snapshot' needs a function that takes it");
    } else if (t->how.refit) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "a refit adds no rounds, so 'snapshot' has nothing to take");
    } else if (t->is_auto || !(l->traits & TIDE_CONTINUES)) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "'snapshot' is for a learner whose models can be continued, and "
                "'learner' is %s",
                t->is_auto ? "auto" : l->name);
        err_field(err, "snapshot");
        return err_hint(err, "learner", "gbdt");
    } else {
        return TIDE_OK;
    }
    return err_field(err, "snapshot");
}

static tide_status validate(struct trainer *t, tide_error *err)
{
    if (t->plan.k == 0) return TIDE_OK;
    if (t->is_auto)
        return auto_choose(t->ctx, t->p, &t->plan, t->metric, t->seed, &t->arena, t->c,
                           t->n, &t->chosen, t->why, err);
    for (int i = 0; i < t->n; i++) {
        struct pipe_fit like = {.seed = t->seed, .phase = ""};
        if (i == t->chosen) go_on(t, &like);
        tide_status s = eval_cross_validate_like(t->ctx, t->p, t->c[i].pipeline,
                                                 t->plan.fold, t->plan.k, t->metric,
                                                 &like, &t->arena, &t->c[i].cv, err);
        if (s) return s;
        for (int f = 0; f < t->plan.k; f++)
            t->c[i].mean += t->c[i].cv.fold_metric[f] / t->plan.k;
    }
    return TIDE_OK;
}

/* Median of the best rounds of the folds; 0 when the learner has no rounds. */
static int32_t median_rounds(const struct cv_result *cv)
{
    int32_t r[1000];
    int n = 0;
    for (int f = 0; f < cv->k && n < 1000; f++) {
        if (cv->rounds[f] <= 0) continue;
        int j = n++;
        for (; j > 0 && r[j - 1] > cv->rounds[f]; j--) r[j] = r[j - 1];
        r[j] = cv->rounds[f];
    }
    return n ? r[n / 2] : 0;
}

static tide_status final_fit(struct trainer *t, tide_error *err)
{
    const struct candidate *c = &t->c[t->chosen];
    int stops = (c->pipeline->nodes[c->pipeline->n - 1].learner->traits &
                 TIDE_STOPS_EARLY) != 0;
    t->rounds = t->plan.k > 0 && stops && !t->how.refit ? median_rounds(&c->cv) : 0;
    struct pipe_fit how = {.rounds = t->rounds,
                           .seed = t->seed,
                           .phase = "fitting on all rows",
                           .snapshot = t->o->snapshot};
    go_on(t, &how);
    ctx_phase_prefix(t->ctx, "");
    int64_t t0 = clock_ns();
    tide_status s = pipe_fit(t->ctx, t->p, c->pipeline, &how, &t->model, &t->info, err);
    t->fit_s += clock_since(t0);
    if (!s && t->info.warning.code) ctx_warn(t->ctx, &t->info.warning);
    return s;
}

/* ---- the account ---- */

/* Are groups lists to be ranked, or only what folds keep together? */
static int shows_lists(const struct trainer *t)
{
    return t->p->group && (t->is_ranked || (t->metric->needs & METRIC_LIST));
}

/* Out-of-fold rows as scored, compacted to those that were scored. */
static tide_status scored_rows(struct trainer *t, struct scored *out, tide_error *err)
{
    const struct problem *p = t->p;
    const struct cv_result *cv = &t->c[t->chosen].cv;
    struct fit_aims aims;
    int64_t n = 0, K = cv->width;
    double *y = arena_array(&t->arena, p->n_rows, sizeof *y);
    double *w = arena_array(&t->arena, p->n_rows, sizeof *w);
    double *z = arena_array(&t->arena, p->n_rows * K, sizeof *z);
    int32_t *k = arena_array(&t->arena, p->n_rows, sizeof *k);
    int32_t *label = arena_array(&t->arena, p->n_rows, sizeof *label);
    int64_t *group =
        shows_lists(t) ? arena_array(&t->arena, p->n_rows, sizeof *group) : NULL;
    tide_status s = arena_status(&t->arena, err);
    if (s) return s;
    for (int64_t i = 0; i < p->n_rows; i++) {
        if (t->plan.fold[i] >= t->plan.k) continue;
        y[n] = p->y ? p->y[i] : 0;
        w[n] = p->w ? p->w[i] : 1;
        k[n] = p->k ? p->k[i] : 0;
        label[n] = p->task == TIDE_CLASSIFY ? cv->label[i] : 0;
        if (group) group[n] = p->group[i];
        memcpy(z + n * K, cv->out + i * K, (size_t)K * sizeof *z);
        n++;
    }
    *out = (struct scored){.task = p->task,
                           .n = n,
                           .n_classes = p->n_classes,
                           .positive = p->positive,
                           .y = y,
                           .k = k,
                           .w = p->w ? w : NULL,
                           .out = z,
                           .label = label,
                           .labels = p->labels,
                           .n_features = p->n_features,
                           .group = group,
                           .group_name = group_name(p),
                           .is_ranked = t->is_ranked};
    pipeline_aims(t->c[t->chosen].pipeline, &aims);
    return scored_quantiles(out, aims.quantiles.items,
                            p->task == TIDE_REGRESS ? (int32_t)K : 0, &t->arena, err);
}

static double mean_of(const double *x, int n)
{
    double m = 0;
    for (int i = 0; i < n; i++) m += x[i] / n;
    return m;
}

static double sd_of(const double *x, int n)
{
    double m = mean_of(x, n), q = 0;
    for (int i = 0; i < n; i++) q += (x[i] - m) * (x[i] - m);
    return n > 1 ? sqrt(q / (n - 1)) : 0;
}

static void add_leaderboard(struct trainer *t)
{
    enum { COLS = 4 };
    const char *head[COLS] = {"learner", t->metric->name, "behind the best",
                              "standard error"};
    static const uint8_t right[COLS] = {0, 1, 1, 1};
    char text[MAX_CANDIDATES][3][NUM_PRINT_MAX];
    const char *cells[MAX_CANDIDATES * COLS];
    for (int i = 0; i < t->n; i++) {
        num_print_g(text[i][0], t->c[i].mean, 4);
        num_print_g(text[i][1], t->c[i].diff, 3);
        num_print_g(text[i][2], t->c[i].diff_se, 3);
        cells[i * COLS] = t->c[i].name;
        for (int j = 0; j < 3; j++) cells[i * COLS + 1 + j] = text[i][j];
    }
    report_table(t->report, "candidates", "Candidates", COLS, head, right, t->n, cells);
    report_text(t->report, "Kept: %s.", t->why);
    report_fact_str(t->report, "chosen_because", t->why);
}

static void add_time(struct trainer *t)
{
    double fit = t->fit_s, predict = t->predict_s;
    for (int i = 0; i < t->n; i++) {
        fit += t->c[i].cv.fit_s;
        predict += t->c[i].cv.predict_s;
    }
    json_t *time = json_object();
    json_put_f64(time, "fit_s", fit);
    json_put_f64(time, "predict_s", predict);
    report_fact_json(t->report, "time", time);
}

static void add_facts(struct trainer *t)
{
    const struct problem *p = t->p;
    const tide_pipeline *pl = t->c[t->chosen].pipeline;
    tide_report *r = t->report;
    struct str text = {0}, values = {0};
    json_t *parameters = NULL;
    pipeline_print(pl, &text);
    values_json(&values, pl->nodes[pl->n - 1].values);
    if (!values.failed && values.s)
        (void)!json_read(values.s, values.len, 1 << 20, "parameters",
                         TIDE_CODE_INTERNAL, &parameters, NULL);
    report_fact_str(r, "learner", t->c[t->chosen].name);
    report_fact_str(r, "pipeline", text.s ? text.s : "");
    report_fact_json(r, "parameters", parameters);
    report_fact_str(r, "task", task_name(p->task));
    report_fact_str(r, "task_reason", p->why_task);
    if (p->target >= 0) report_fact_str(r, "target", p->frame->cols[p->target].name);
    if (p->task == TIDE_ANOMALY)
        report_fact_num(r, "threshold", t->model->schema.threshold);
    if (p->group) report_fact_str(r, "group", group_name(p));
    if (p->task == TIDE_CLASSIFY && p->n_classes == 2)
        report_fact_str(r, "positive", p->labels[p->positive]);
    report_fact_int(r, "rows", p->n_rows);
    report_fact_int(r, "columns", p->n_features);
    report_fact_str(r, "validation",
                    t->plan.k  ? t->plan.how
                    : t->valid ? "a table of its own"
                               : "none");
    if (t->metric) report_fact_str(r, "metric", t->metric->name);
    if (t->info.rounds)
        report_fact_int(r, "rounds", t->rounds ? t->rounds : t->info.best_round);
    if (text.failed || values.failed || !parameters) r->failed = TIDE_ENOMEM;
    str_free(&text);
    str_free(&values);
}

/* Rounds of a model that goes on. */
static int32_t rounds_of(const tide_model *m)
{
    const struct fitted_node *last = &m->nodes[m->n_nodes - 1];
    return last->learner->rounds(last->object);
}

static void add_resume_note(struct trainer *t)
{
    int had = rounds_of(t->from), has = rounds_of(t->model);
    if (t->how.refit)
        report_note(
            t->report,
            "the leaves of %d round%s are made anew, %r of their old values kept", had,
            had == 1 ? "" : "s", t->how.refit_decay);
    else
        report_note(t->report, "%d round%s of the model and %d further one%s", had,
                    had == 1 ? "" : "s", has - had, has - had == 1 ? "" : "s");
    if (t->plan.k)
        report_note(t->report, "the model may know the rows held out, if it was fitted "
                               "on this table before");
}

static void add_fit_notes(struct trainer *t)
{
    if (t->note.s && *t->note.s) report_note(t->report, "%s", t->note.s);
    if (t->info.note) report_note(t->report, "%s", t->info.note);
    if (t->from) add_resume_note(t);
    if (t->rounds)
        report_note(t->report,
                    "fitted on all rows with %d round%s, the median of the folds' best",
                    (int)t->rounds, t->rounds == 1 ? "" : "s");
    if (t->info.converged == 0)
        report_note(t->report, "the solver stopped before it converged");
}

/* The chosen metric of every fold, in order of the folds. */
static void add_fold_scores(struct trainer *t)
{
    const struct cv_result *cv = &t->c[t->chosen].cv;
    json_t *scores = json_array();
    int bad = !scores;
    for (int f = 0; f < t->plan.k; f++)
        bad |= json_array_append_new(scores, json_f64(cv->fold_metric[f]));
    if (bad) {
        json_decref(scores);
        t->report->failed = TIDE_ENOMEM;
        return;
    }
    report_fact_json(t->report, "fold_scores", scores);
}

/* Metrics, charts and verdict from the folds. */
static tide_status account_folds(struct trainer *t, tide_error *err)
{
    struct scored sc;
    const struct cv_result *cv = &t->c[t->chosen].cv;
    tide_status s = scored_rows(t, &sc, err);
    if (!s)
        s = eval_report_metrics(t->ctx, t->report, &sc, t->metric->name, 0, 0, t->seed,
                                err);
    if (s) return s;
    add_fold_scores(t);
    if (t->is_auto) add_leaderboard(t);
    const tide_pipeline *pipe = t->c[t->chosen].pipeline;
    struct eval_verdict q = {.train = mean_of(cv->train_metric, t->plan.k),
                             .valid = mean_of(cv->fold_metric, t->plan.k),
                             .valid_sd = sd_of(cv->fold_metric, t->plan.k),
                             .baseline = t->c[0].mean,
                             .learner = pipe->nodes[pipe->n - 1].learner};
    if (t->chosen > 0) eval_verdict(t->report, t->metric, &q);
    return eval_report_charts(t->ctx, t->report, &sc, err);
}

/* The rows of the validation table as a model scores them. */
static tide_status score_valid(struct trainer *t, const tide_model *m,
                               const struct truth *truth, struct scored *out,
                               tide_error *err)
{
    int64_t K = schema_width(&m->schema);
    double *z = arena_array(&t->arena, truth->n * K, sizeof *z);
    int32_t *label = arena_array(&t->arena, truth->n, sizeof *label);
    if (!z || !label) return arena_status(&t->arena, err);
    struct bind_counts counts;
    tide_status s =
        pipe_predict(t->ctx, m, t->valid, truth->rows, truth->n, z, &counts, err);
    if (s) return s;
    if (m->schema.task == TIDE_CLASSIFY)
        for (int64_t i = 0; i < truth->n; i++) label[i] = model_label(m, z + i * K);
    *out = (struct scored){.task = m->schema.task,
                           .n = truth->n,
                           .n_classes = m->schema.n_classes,
                           .positive = m->schema.positive,
                           .y = truth->y,
                           .k = truth->k,
                           .w = truth->w,
                           .out = z,
                           .label = label,
                           .labels = m->schema.labels,
                           .n_features = m->schema.n_cols,
                           .group = shows_lists(t) ? truth->group : NULL,
                           .group_name = m->schema.group,
                           .is_ranked = t->is_ranked};
    return scored_quantiles(out, m->schema.shares, m->schema.n_outputs, &t->arena, err);
}

/* What the model that was gone on from gets on the same rows. */
static tide_status note_before(struct trainer *t, const struct truth *truth,
                               tide_error *err)
{
    struct scored sc;
    struct metric_value v;
    char text[NUM_PRINT_MAX];
    tide_status s = score_valid(t, t->from, truth, &sc, err);
    if (!s) s = eval_value(t->ctx, t->metric, NULL, &sc, METRIC_CI_NONE, 0, &v, err);
    if (s || isnan(v.value)) return s;
    num_print_g(text, v.value, 4);
    report_note(t->report, "%s of the model before: %s", t->metric->name, text);
    return TIDE_OK;
}

/* Metrics and charts from a validation table of its own. */
static tide_status account_valid(struct trainer *t, tide_error *err)
{
    struct truth truth;
    struct scored sc;
    tide_status s = pipe_truth(t->ctx, t->model, t->valid, &t->arena, &truth, err);
    if (s) return s;
    int64_t t0 = clock_ns();
    s = score_valid(t, t->model, &truth, &sc, err);
    t->predict_s += clock_since(t0);
    if (!s && t->from) s = note_before(t, &truth, err);
    if (!s)
        s = eval_report_metrics(t->ctx, t->report, &sc, t->metric->name, 0, 0, t->seed,
                                err);
    if (s) return s;
    if (t->is_auto) add_leaderboard(t);
    return eval_report_charts(t->ctx, t->report, &sc, err);
}

/* What the model file keeps of the account. No time, no path, no thread count. */
static tide_status add_about(struct trainer *t, tide_error *err)
{
    json_t *about = t->model->about ? t->model->about : json_object();
    t->model->about = about;
    json_t *metrics = json_object();
    int bad = !about || !metrics;
    for (int i = 0; i < t->report->n && !bad; i++) {
        const struct report_item *item = &t->report->items[i];
        if (item->kind != REPORT_METRIC) continue;
        json_t *m = json_object();
        bad |= json_put_f64(m, "value", item->metric.value);
        if (!isnan(item->metric.lo)) {
            bad |= json_put_f64(m, "lo", item->metric.lo);
            bad |= json_put_f64(m, "hi", item->metric.hi);
        }
        bad |= json_put(metrics, item->metric.key, m);
    }
    bad |= json_put(about, "metrics", metrics);
    bad |= json_put_str(about, "tidemill", TIDE_VERSION);
    bad |= json_put_str(about, "validation",
                        t->plan.k  ? t->plan.how
                        : t->valid ? "a table of its own"
                                   : "none");
    if (t->metric) bad |= json_put_str(about, "metric", t->metric->name);
    bad |= json_put_i64(about, "rows", t->p->n_rows);
    if (t->rounds) bad |= json_put_i64(about, "rounds", t->rounds);
    if (t->from)
        bad |= json_put_str(about, t->how.refit ? "refitted" : "continued",
                            t->from->sha256);
    if (t->report->verdict) bad |= json_put_str(about, "verdict", t->report->verdict);
    if (t->is_auto && t->p->task != TIDE_ANOMALY)
        bad |= json_put_str(about, "chosen_because", t->why);
    return bad ? err_nomem(err, 0) : TIDE_OK;
}

/* A learner that knows one task only, or whose parameters do, settles it when nobody else did. */
static tide_status settle_task(const struct tide_train_options *o,
                               struct tide_problem_options *problem,
                               struct fit_aims *aims, tide_error *err)
{
    tide_status s = TIDE_OK;
    if (is_set(o->pipeline)) {
        tide_pipeline *p = NULL;
        s = pipeline_parse(o->pipeline, &p, err);
        if (s) return s;
        pipeline_aims(p, aims);
        aims->quantiles.items = NULL; /* they were the pipeline's */
        pipeline_free(p);
    } else if (is_set(o->learner) && strcmp(o->learner, "auto") != 0) {
        s = pipeline_default_aims(o->learner, &o->set, aims, err);
    }
    if (problem->task) return s;
    if (aims->tasks == TIDE_CLASSIFY) problem->task = 1;
    if (aims->tasks == TIDE_REGRESS) problem->task = 2;
    if (aims->tasks == TIDE_ANOMALY) problem->task = 3;
    return s;
}

static tide_status run(struct trainer *t, const tide_frame *frame,
                       const struct tide_problem_options *given, tide_error *err)
{
    struct tide_problem_options problem = *given;
    tide_status s =
        t->from ? check_resume(t, err) : settle_task(t->o, &problem, &t->aims, err);
    if (!s && t->from)
        s = pipeline_resume(t->from, t->how.refit, &t->o->set, &t->resumed, err);
    if (!s && t->from) pipeline_aims(t->resumed, &t->aims);
    if (!s)
        s = t->from ? problem_resume(t->ctx, frame, &problem, t->from, &t->p, err)
                    : problem_new(t->ctx, frame, &problem, &t->p, err);
    if (!s) s = check_options(t, err);
    if (!s) s = make_plan(t, err);
    if (!s) s = make_candidates(t, err);
    if (!s) s = check_snapshot(t, err);
    if (!s) s = validate(t, err);
    if (!s) s = final_fit(t, err);
    if (s) return s;
    t->report = report_new(t->ctx, "train", "Training", err);
    if (!t->report) return TIDE_ENOMEM;
    add_facts(t);
    if (t->valid)
        s = account_valid(t, err);
    else if (t->plan.k)
        s = account_folds(t, err);
    else if (t->p->task == TIDE_ANOMALY)
        report_note(t->report,
                    "learned without a target, so nothing is known about how "
                    "good it is; eval with a column of labels says so");
    else if (t->from)
        report_note(t->report, "not validated, since the model may know these rows; a "
                               "table of others ('valid') says how good it is");
    else
        report_note(t->report,
                    "not validated, so nothing is known about how good it is");
    if (!s) s = eval_report_importance(t->report, t->model, err);
    if (!s) s = model_add_profile(t->ctx, t->model, t->p, err);
    if (!s) s = model_add_golden(t->ctx, t->model, err);
    if (!s) s = add_about(t, err);
    if (s) return s;
    add_fit_notes(t);
    add_time(t);
    return report_status(t->report, err);
}

/* Frees t, but for what goes to the caller. */
static tide_status train(struct trainer *t, const tide_frame *frame,
                         const struct tide_problem_options *problem, tide_model **model,
                         tide_report **report, tide_error *err)
{
    arena_init(&t->arena, t->ctx);
    tide_status s = run(t, frame, problem, err);
    if (!s || (s == TIDE_ECANCELLED && t->model && t->model->partial)) {
        *model = t->model;
        t->model = NULL;
    }
    if (!s) {
        *report = t->report;
        t->report = NULL;
    }
    tide_model_free(t->model);
    tide_report_free(t->report);
    for (int i = 0; i < t->n; i++) pipeline_free(t->c[i].pipeline);
    pipeline_free(t->resumed);
    problem_free(t->p);
    str_free(&t->note);
    arena_free(&t->arena);
    mem_free(t);
    return s;
}

tide_status tide_train(tide_ctx *ctx, const tide_frame *frame, const tide_frame *valid,
                       const struct tide_problem_options *problem,
                       const struct tide_train_options *options, tide_model **model,
                       tide_report **report, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    *model = NULL;
    *report = NULL;
    struct trainer *t = mem_zalloc(sizeof *t);
    if (!t) return err_nomem(err, sizeof *t);
    t->ctx = ctx;
    t->o = options;
    t->seed = options->seed;
    t->valid = valid;
    return train(t, frame, problem, model, report, err);
}

static tide_status check_how(const struct tide_resume_options *how, tide_error *err)
{
    if (how->refit != 0 && how->refit != 1) {
        err_set(err, TIDE_CODE_PARAM_RANGE, "'refit' must be 0 or 1, got \"%d\"",
                (int)how->refit);
        return err_field(err, "refit");
    }
    if (how->refit_decay >= 0 && how->refit_decay <= 1) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_RANGE, "'refit_decay' must be in [0, 1], got \"%r\"",
            how->refit_decay);
    return err_field(err, "refit_decay");
}

tide_status tide_train_from(tide_ctx *ctx, const tide_model *from,
                            const struct tide_resume_options *how,
                            const tide_frame *frame, const tide_frame *valid,
                            const struct tide_problem_options *problem,
                            const struct tide_train_options *options,
                            tide_model **model, tide_report **report, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    *model = NULL;
    *report = NULL;
    if (!from) return err_set(err, TIDE_CODE_HANDLE_INVALID, "'from' is NULL");
    tide_status s = how ? check_how(how, err) : TIDE_OK;
    if (s) return s;
    struct trainer *t = mem_zalloc(sizeof *t);
    if (!t) return err_nomem(err, sizeof *t);
    t->ctx = ctx;
    t->o = options;
    t->from = from;
    if (how) t->how = *how;
    t->seed = options->seed ? options->seed : from->seed;
    t->valid = valid;
    return train(t, frame, problem, model, report, err);
}
