/* cross_validate.c - a pipeline on folds: every row scored by a model that has not seen it
 *
 * The whole pipeline is fitted anew on the other folds, steps included, so nothing leaks; with
 * early stopping the learner splits its own rows. Rows whose fold is k or more are trained on
 * and never scored (a hold-out is k = 1). Guide: Q2 Q4 Q14. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/str.h"
#include "eval/eval.h"

#define TRAIN_SAMPLE 20000 /* training rows that the train metric looks at */

struct folds {
    struct tide_ctx *ctx;
    const struct problem *p;
    const tide_pipeline *pipeline;
    const struct tide_metric *metric;
    const struct pipe_fit *like;
    int width; /* numbers a row: classes, quantiles or 1 */
    struct fit_aims aims;
    struct cv_result *out;
};

/* Rows of one set with what a model says of them; memory from the fold's arena. */
struct fold_rows {
    int64_t n;
    int64_t *at;  /* [n] positions in the problem */
    int64_t *row; /* [n] rows of the frame */
    double *out;
    int32_t *label;
};

/* Column of the problem's class k in the model's output; -1: the model lacks it. */
static int fold_class(const tide_model *m, const struct problem *p, int32_t k)
{
    for (int32_t j = 0; j < m->schema.n_classes; j++)
        if (str_same(m->schema.labels[j], p->labels[k])) return j;
    return -1;
}

/* Scores rows; the model's classes are put in the problem's order. */
static tide_status fold_score(const struct folds *f, const tide_model *m,
                              struct arena *a, struct fold_rows *r, tide_error *err)
{
    const struct problem *p = f->p;
    int classify = p->task == TIDE_CLASSIFY;
    int64_t width = schema_width(&m->schema);
    double *raw = arena_array(a, r->n * width, sizeof *raw);
    struct bind_counts counts;
    tide_status status;
    r->out = arena_array(a, r->n * f->width, sizeof *r->out);
    r->label = arena_array(a, r->n, sizeof *r->label);
    if (a->failed) return arena_status(a, err);
    status = pipe_predict(f->ctx, m, p->frame, r->row, r->n, raw, &counts, err);
    if (status) return status;
    if (!classify) {
        memcpy(r->out, raw, (size_t)(r->n * width) * sizeof *raw);
        return TIDE_OK;
    }
    for (int32_t k = 0; k < f->width; k++) {
        int j = fold_class(m, p, k);
        for (int64_t i = 0; i < r->n; i++)
            r->out[i * f->width + k] = j >= 0 ? raw[i * width + j] : 0;
    }
    for (int64_t i = 0; i < r->n; i++) {
        int32_t j = model_label(m, raw + i * width), k = 0;
        while (k < f->width - 1 && !str_same(p->labels[k], m->schema.labels[j])) k++;
        r->label[i] = k;
    }
    return TIDE_OK;
}

/* The chosen metric on scored rows; NaN where it is undefined. */
static tide_status fold_metric(const struct folds *f, struct arena *a,
                               const struct fold_rows *r, double *value,
                               tide_error *err)
{
    const struct problem *p = f->p;
    struct scored s = {.task = p->task,
                       .n = r->n,
                       .n_classes = p->n_classes,
                       .positive = p->positive,
                       .out = r->out,
                       .label = r->label,
                       .labels = p->labels,
                       .n_features = p->n_features};
    double *y = p->y ? arena_array(a, r->n, sizeof *y) : NULL;
    double *w = p->w ? arena_array(a, r->n, sizeof *w) : NULL;
    int32_t *k = p->k ? arena_array(a, r->n, sizeof *k) : NULL;
    int64_t *group = p->group ? arena_array(a, r->n, sizeof *group) : NULL;
    struct metric_value v;
    tide_status status;
    if (a->failed) return arena_status(a, err);
    for (int64_t i = 0; i < r->n; i++) {
        if (y) y[i] = p->y[r->at[i]];
        if (w) w[i] = p->w[r->at[i]];
        if (k) k[i] = p->k[r->at[i]];
        if (group) group[i] = p->group[r->at[i]];
    }
    s.group = group;
    s.y = y;
    s.w = w;
    s.k = k;
    status = scored_quantiles(&s, f->aims.quantiles.items,
                              p->task == TIDE_REGRESS ? f->width : 0, a, err);
    if (!status)
        status = eval_value(f->ctx, f->metric, NULL, &s, METRIC_CI_NONE, 0, &v, err);
    *value = status ? (double)NAN : v.value;
    return status;
}

/* Is this one of about `share` of the groups? A list that is cut ranks other than a whole one. */
static int fold_group_is_in(const struct folds *f, int64_t group, double share)
{
    struct rng_key key = rng_key(f->like->seed, "train sample");
    return rng_u01(rng_at(key, group, 0, 0)) < share;
}

/* Rows of fold b (inside) or of all others, at most `most` of them, evenly spread; of groups
 * about as many, whole. */
static tide_status fold_take(const struct folds *f, struct arena *a, int b, int inside,
                             int64_t most, struct fold_rows *r, tide_error *err)
{
    const struct problem *p = f->p;
    int64_t all = 0, seen = 0;
    for (int64_t i = 0; i < p->n_rows; i++) all += (f->out->fold[i] == b) == inside;
    r->n = 0;
    r->at = arena_array(a, all > 0 ? all : 1, sizeof *r->at);
    r->row = arena_array(a, all > 0 ? all : 1, sizeof *r->row);
    if (a->failed) return arena_status(a, err);
    double share = all > most ? (double)most / (double)all : 1;
    for (int64_t i = 0; share < 1 && p->group && i < p->n_rows; i++) {
        if ((f->out->fold[i] == b) != inside) continue;
        if (!fold_group_is_in(f, p->group[i], share)) continue;
        r->at[r->n] = i;
        r->row[r->n++] = p->rows[i];
    }
    if (r->n > 0) return TIDE_OK;
    for (int64_t i = 0; i < p->n_rows; i++) {
        if ((f->out->fold[i] == b) != inside) continue;
        /* row `seen` of `all` is kept when it begins a new one of `most` equal parts */
        if (all <= most || seen * most / all != (seen - 1) * most / all || seen == 0) {
            r->at[r->n] = i;
            r->row[r->n++] = p->rows[i];
        }
        seen++;
    }
    return TIDE_OK;
}

static tide_status fold_check(const struct fold_rows *test,
                              const struct fold_rows *train, int b, int k,
                              tide_error *err)
{
    if (test->n > 0 && train->n > 0) return TIDE_OK;
    return err_set(err, TIDE_CODE_DATA_FOLDS,
                   "fold %d of %d has %lld rows to score and %lld "
                   "to fit on",
                   b + 1, k, (long long)test->n, (long long)train->n);
}

static tide_status fold_run(const struct folds *f, int b, tide_error *err)
{
    struct cv_result *out = f->out;
    struct arena a;
    struct fold_rows test, train, sample;
    struct fit_info info = {0};
    tide_model *model = NULL;
    int64_t t0;
    tide_status status;
    arena_init(&a, f->ctx);
    status = fold_take(f, &a, b, 1, INT64_MAX, &test, err);
    if (!status) status = fold_take(f, &a, b, 0, INT64_MAX, &train, err);
    if (!status) status = fold_take(f, &a, b, 0, TRAIN_SAMPLE, &sample, err);
    if (!status) status = fold_check(&test, &train, b, out->k, err);
    if (!status) {
        struct pipe_fit how = *f->like;
        how.rows = train.at;
        how.n = train.n;
        t0 = clock_ns();
        status = pipe_fit(f->ctx, f->p, f->pipeline, &how, &model, &info, err);
        out->fit_s += clock_since(t0);
    }
    if (status) goto done;
    out->rounds[b] = info.best_round;
    t0 = clock_ns();
    status = fold_score(f, model, &a, &test, err);
    out->predict_s += clock_since(t0);
    if (!status) status = fold_score(f, model, &a, &sample, err);
    if (!status) status = fold_metric(f, &a, &test, &out->fold_metric[b], err);
    if (!status) status = fold_metric(f, &a, &sample, &out->train_metric[b], err);
    for (int64_t i = 0; !status && i < test.n; i++) {
        memcpy(out->out + test.at[i] * f->width, test.out + i * f->width,
               (size_t)f->width * sizeof(double));
        if (f->p->task == TIDE_CLASSIFY) out->label[test.at[i]] = test.label[i];
    }
done:
    tide_model_free(model);
    arena_free(&a);
    return status;
}

/* Arrays of the result; rows that no fold scores hold NaN and -1. */
static tide_status fold_result(struct folds *f, struct arena *a, const int32_t *fold,
                               int k, tide_error *err)
{
    struct cv_result *out = f->out;
    int64_t n = f->p->n_rows;
    *out = (struct cv_result){.k = k, .width = f->width};
    out->out = arena_array(a, n * f->width, sizeof *out->out);
    out->label = arena_array(a, n, sizeof *out->label);
    out->fold = arena_array(a, n, sizeof *out->fold);
    out->fold_metric = arena_array(a, k, sizeof *out->fold_metric);
    out->train_metric = arena_array(a, k, sizeof *out->train_metric);
    out->rounds = arena_array(a, k, sizeof *out->rounds);
    if (a->failed) return arena_status(a, err);
    memcpy(out->fold, fold, (size_t)n * sizeof *fold);
    for (int64_t i = 0; i < n * f->width; i++) out->out[i] = (double)NAN;
    for (int64_t i = 0; i < n; i++) out->label[i] = -1;
    for (int b = 0; b < k; b++) out->rounds[b] = 0;
    return TIDE_OK;
}

tide_status eval_cross_validate(struct tide_ctx *ctx, const struct problem *p,
                                const tide_pipeline *pipeline, const int32_t *fold,
                                int k, const struct tide_metric *metric, uint64_t seed,
                                const char *phase, struct arena *a,
                                struct cv_result *out, tide_error *err)
{
    const struct pipe_fit like = {.seed = seed, .phase = phase};
    return eval_cross_validate_like(ctx, p, pipeline, fold, k, metric, &like, a, out,
                                    err);
}

tide_status eval_cross_validate_like(struct tide_ctx *ctx, const struct problem *p,
                                     const tide_pipeline *pipeline, const int32_t *fold,
                                     int k, const struct tide_metric *metric,
                                     const struct pipe_fit *like, struct arena *a,
                                     struct cv_result *out, tide_error *err)
{
    struct folds f = {.ctx = ctx,
                      .p = p,
                      .pipeline = pipeline,
                      .metric = metric,
                      .like = like,
                      .width = 1,
                      .out = out};
    char before[sizeof ctx->progress_prefix];
    tide_status status;
    pipeline_aims(pipeline, &f.aims);
    if (p->task == TIDE_CLASSIFY) f.width = p->n_classes;
    if (p->task == TIDE_REGRESS && f.aims.quantiles.n > 1) f.width = f.aims.quantiles.n;
    status = fold_result(&f, a, fold, k, err);
    memcpy(before, ctx->progress_prefix, sizeof before);
    for (int b = 0; !status && b < k; b++) {
        if (k > 1) ctx_phase_prefix(ctx, "%sfold %d of %d: ", before, b + 1, k);
        status = fold_run(&f, b, err);
    }
    ctx_phase_prefix(ctx, "%s", before);
    return status;
}
