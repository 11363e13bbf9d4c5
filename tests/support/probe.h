/* probe.h - a learner and two steps simple enough to compute by hand, for tests of pipe
 *
 * probe    score of a row = mean target + sum over columns of (x - mean x) or (code + 1) / 8;
 *          missing adds nothing. Classes get exp-free shares of that score.
 * fill     replaces missing numbers by the training mean
 * tmean    replaces a category by the mean target of its level (reads the target) */
#ifndef SUPPORT_PROBE_H
#define SUPPORT_PROBE_H
#include "base/arena.h"
#include "pipe/pipe.h"
#include "support/unit.h"

struct probe_params {
    double shift;
};
static const struct tide_param probe_rows[] = {
    P_REAL(probe_params, shift, "0", P_RANGE(-10, 10), .help = "added to every score"),
};

struct probe {
    int32_t n_cols, n_out;
    const double *mean; /* [n_cols + 1], the last is the target's */
};

static double probe_mean(const struct view *x, int j)
{
    double s = 0, n = 0, v;
    for (int64_t i = 0; i < x->n_rows; i++) {
        if (x->cols[j]->type == TIDE_CAT) continue;
        view_numbers(x, j, i, 1, &v);
        if (isnan(v)) continue;
        s += v;
        n++;
    }
    return n > 0 ? s / n : 0;
}

static tide_status probe_fit(struct tide_ctx *ctx, const void *params,
                             const struct fit_data *d, const struct fit_data *valid,
                             int32_t rounds, struct state *out, struct fit_info *info,
                             tide_error *err)
{
    (void)ctx, (void)valid, (void)rounds, (void)info;
    int p = d->x->n_cols;
    double *mean = state_new(out, "DENSE", "mean", STATE_F64, p + 1, 1, 1);
    if (!mean) return arena_status(out->arena, err);
    for (int j = 0; j < p; j++) mean[j] = probe_mean(d->x, j);
    for (int64_t i = 0; i < d->x->n_rows; i++)
        mean[p] += (d->y ? d->y[i] : d->k[i]) / (double)d->x->n_rows;
    mean[p] += ((const struct probe_params *)params)->shift;
    return TIDE_OK;
}

static tide_status probe_load(const struct state *s, uint32_t task, int32_t n_out,
                              int32_t n_cols, const uint32_t *n_levels, struct arena *a,
                              void **object, tide_error *err)
{
    const struct state_array *it;
    (void)task, (void)n_levels;
    tide_status st = state_need(s, "mean", STATE_F64, n_cols + 1, 1, &it, err);
    if (st) return st;
    struct probe *p = arena_push(a, sizeof *p);
    if (!p) return arena_status(a, err);
    *p = (struct probe){n_cols, n_out, it->data};
    *object = p;
    return TIDE_OK;
}

static tide_status probe_predict(const void *object, const struct view *x, int64_t i0,
                                 int64_t n, double *out, tide_error *err)
{
    const struct probe *p = object;
    (void)err;
    for (int64_t i = 0; i < n; i++) {
        double score = p->mean[p->n_cols];
        for (int j = 0; j < x->n_cols; j++) {
            double v;
            uint32_t code;
            if (x->cols[j]->type == TIDE_CAT) {
                view_codes(x, j, i0 + i, 1, &code);
                score += code == CODE_MISSING ? 0 : (code + 1) / 8.0;
            } else {
                view_numbers(x, j, i0 + i, 1, &v);
                score += isnan(v) ? 0 : v - p->mean[j];
            }
        }
        if (p->n_out == 1) {
            out[i] = score;
            continue;
        }
        double share = 0.5 + score / (2 * (1 + fabs(score)));
        for (int k = 0; k < p->n_out; k++)
            out[i * p->n_out + k] =
                k == p->n_out - 1 ? share : (1 - share) / (p->n_out - 1);
    }
    return TIDE_OK;
}

static void probe_importance(const void *object, double *out)
{
    const struct probe *p = object;
    for (int j = 0; j < p->n_cols; j++) out[j] = 1.0 / p->n_cols;
}

static const struct tide_learner probe_learner = {
    .name = "probe",
    .title = "Probe",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS |
              TIDE_GIVES_PROBA | TIDE_TAKES_ONE_CLASS,
    .params = TIDE_TABLE(probe_rows, probe_params),
    .fit = probe_fit,
    .load = probe_load,
    .predict = probe_predict,
    .importance = probe_importance,
};
/* The same, but particular about what it takes. */
static const struct tide_learner probe_strict = {
    .name = "strict",
    .title = "Strict probe",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .params = TIDE_TABLE(probe_rows, probe_params),
    .fit = probe_fit,
    .load = probe_load,
    .predict = probe_predict,
};

/* ---- steps ---- */

struct means {
    int32_t n_cols;
    const double *mean;
    const uint32_t *off; /* tmean */
};

static tide_status fill_fit(struct tide_ctx *ctx, const void *params,
                            const struct fit_data *d, struct state *out,
                            tide_error *err)
{
    (void)ctx, (void)params;
    double *mean = state_new(out, "STEP", "mean", STATE_F64, d->x->n_cols, 1, 1);
    for (int j = 0; mean && j < d->x->n_cols; j++) mean[j] = probe_mean(d->x, j);
    return arena_status(out->arena, err);
}

static tide_status fill_load(const struct state *s, int32_t n_cols,
                             const uint32_t *n_levels, struct arena *a, void **object,
                             tide_error *err)
{
    const struct state_array *it;
    (void)n_levels;
    tide_status st = state_need(s, "mean", STATE_F64, n_cols, 1, &it, err);
    struct means *m = st ? NULL : arena_push(a, sizeof *m);
    if (!st && !m) return arena_status(a, err);
    if (m) *m = (struct means){n_cols, it->data, NULL};
    *object = m;
    return st;
}

static struct column *probe_column(struct arena *a, const char *name, int64_t n)
{
    struct column *c = arena_zero(a, sizeof *c);
    double *x = arena_array(a, n, sizeof *x);
    if (!c || !x) return NULL;
    c->name = name;
    c->type = TIDE_F64;
    c->n_rows = n;
    c->f64 = x;
    return c;
}

static tide_status fill_apply(struct tide_ctx *ctx, const void *object,
                              const struct view *x, struct arena *a,
                              struct step_out *out, tide_error *err)
{
    const struct means *m = object;
    const struct column **cols = arena_array(a, x->n_cols, sizeof *cols);
    int32_t *from = arena_array(a, x->n_cols, sizeof *from);
    (void)ctx;
    for (int j = 0; cols && from && j < x->n_cols; j++) {
        struct column *c = probe_column(a, x->cols[j]->name, x->n_rows);
        if (!c) break;
        double *v = (double *)(uintptr_t)c->f64;
        view_numbers(x, j, 0, x->n_rows, v);
        for (int64_t i = 0; i < x->n_rows; i++)
            if (isnan(v[i])) v[i] = m->mean[j];
        cols[j] = c;
        from[j] = j;
    }
    *out = (struct step_out){x->n_cols, cols, from};
    return arena_status(a, err);
}

static tide_status tmean_fit(struct tide_ctx *ctx, const void *params,
                             const struct fit_data *d, struct state *out,
                             tide_error *err)
{
    (void)ctx, (void)params;
    int p = d->x->n_cols;
    uint32_t *off = state_new(out, "STEP", "off", STATE_U32, p + 1, 1, 1);
    for (int j = 0; off && j < p; j++) off[j + 1] = off[j] + d->x->cols[j]->dict.n;
    double *mean = off ? state_new(out, "STEP", "mean", STATE_F64, off[p], 1, 1) : NULL;
    for (int j = 0; mean && j < p; j++)
        for (uint32_t c = 0; c < d->x->cols[j]->dict.n; c++) {
            double s = 0, n = 0;
            for (int64_t i = 0; i < d->x->n_rows; i++) {
                uint32_t code;
                view_codes(d->x, j, i, 1, &code);
                if (code != c) continue;
                s += d->y ? d->y[i] : d->k[i];
                n++;
            }
            mean[off[j] + c] = n > 0 ? s / n : -1;
        }
    return arena_status(out->arena, err);
}

static tide_status tmean_load(const struct state *s, int32_t n_cols,
                              const uint32_t *n_levels, struct arena *a, void **object,
                              tide_error *err)
{
    const struct state_array *off, *mean;
    (void)n_levels;
    tide_status st = state_need(s, "off", STATE_U32, n_cols + 1, 1, &off, err);
    if (!st) st = state_need(s, "mean", STATE_F64, -1, 1, &mean, err);
    struct means *m = st ? NULL : arena_push(a, sizeof *m);
    if (!st && !m) return arena_status(a, err);
    if (m) *m = (struct means){n_cols, mean->data, off->data};
    *object = m;
    return st;
}

static tide_status tmean_apply(struct tide_ctx *ctx, const void *object,
                               const struct view *x, struct arena *a,
                               struct step_out *out, tide_error *err)
{
    const struct means *m = object;
    const struct column **cols = arena_array(a, x->n_cols, sizeof *cols);
    int32_t *from = arena_array(a, x->n_cols, sizeof *from);
    (void)ctx;
    for (int j = 0; cols && from && j < x->n_cols; j++) {
        struct column *c = probe_column(a, x->cols[j]->name, x->n_rows);
        if (!c) break;
        double *v = (double *)(uintptr_t)c->f64;
        for (int64_t i = 0; i < x->n_rows; i++) {
            uint32_t code;
            view_codes(x, j, i, 1, &code);
            v[i] = code == CODE_MISSING ? -2 : m->mean[m->off[j] + code];
        }
        cols[j] = c;
        from[j] = j;
    }
    *out = (struct step_out){x->n_cols, cols, from};
    return arena_status(a, err);
}

static const struct tide_step probe_fill = {
    .name = "fill:mean",
    .takes = STEP_NUMERIC,
    .params = TIDE_TABLE(probe_rows, probe_params),
    .fit = fill_fit,
    .load = fill_load,
    .apply = fill_apply,
};
static const struct tide_step probe_tmean = {
    .name = "encode:tmean",
    .takes = STEP_CATEGORY,
    .traits = TIDE_USES_TARGET,
    .params = TIDE_TABLE(probe_rows, probe_params),
    .fit = tmean_fit,
    .load = tmean_load,
    .apply = tmean_apply,
};

/* A pipeline of such steps (NULL-ended) and a learner, not through text. */
static inline tide_pipeline probe_pipeline(struct pipe_node *nodes,
                                           const struct tide_step *const *steps,
                                           const struct tide_learner *learner)
{
    tide_pipeline p = {.nodes = nodes};
    for (; steps && steps[p.n]; p.n++) {
        nodes[p.n] = (struct pipe_node){.step = steps[p.n]};
        CHECK(!tide_values_new(&steps[p.n]->params, "step", &nodes[p.n].values, NULL));
    }
    nodes[p.n] = (struct pipe_node){.learner = learner};
    CHECK(!tide_values_new(&learner->params, learner->name, &nodes[p.n].values, NULL));
    p.n++;
    return p;
}

static inline void probe_done(tide_pipeline *p)
{
    for (int k = 0; k < p->n; k++) tide_values_free(p->nodes[k].values);
}
#endif
