/* sample_prior.c - the smallest learner: says what is usual, whatever the row
 *
 * Problem       class shares, or the mean of the target, shrunk towards uniform (towards 0)
 * Method        p_k = (W_k + smooth) / (W + K smooth); mean = sum w y / (W + smooth)
 * Cost          one pass over the target
 * Order         rows in view order
 * Guide         Q3
 *
 * tests/registry_add.sh drops this file into src/learners/ of a copy of the tree and finds
 * it in the list, the help, the validation, the schema and the conformance suite. */
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "frame/frame.h"
#include "spec/learner.h"
#include "spec/state.h"

struct sample_prior_params {
    double smooth;
};
static const struct tide_param sample_prior_rows[] = {
    P_REAL(sample_prior_params, smooth, "1", P_RANGE(0, 1000), P_TUNE(0, 10),
           .help = "rows added to every class before shares are taken",
           .alias = "sample_alpha"),
};

struct sample_prior {
    int32_t n_out;
    const double *value; /* [n_out] */
};

static tide_status sample_prior_fit(struct tide_ctx *ctx, const void *params,
                                    const struct fit_data *d,
                                    const struct fit_data *valid, int32_t rounds,
                                    struct state *out, struct fit_info *info,
                                    tide_error *err)
{
    const struct sample_prior_params *p = params;
    int32_t n_out = d->task == TIDE_CLASSIFY ? d->n_classes : 1;
    (void)ctx, (void)valid, (void)rounds;
    double *value = state_new(out, "DENSE", "prior", STATE_F64, n_out, 1, 1);
    if (!value) return err_nomem(err, 0);
    double total = 0;
    for (int64_t i = 0; i < d->x->n_rows; i++) {
        double w = d->w ? d->w[i] : 1;
        total += w;
        if (d->task == TIDE_CLASSIFY) {
            value[d->k[i]] += w;
        } else {
            value[0] += w * d->y[i];
        }
    }
    for (int32_t k = 0; k < n_out; k++) {
        if (d->task == TIDE_CLASSIFY) {
            value[k] = (value[k] + p->smooth) / (total + n_out * p->smooth);
        } else {
            value[k] /= total + p->smooth;
        }
    }
    info->converged = -1;
    return TIDE_OK;
}

static tide_status sample_prior_load(const struct state *s, uint32_t task,
                                     int32_t n_out, int32_t n_cols,
                                     const uint32_t *n_levels, struct arena *a,
                                     void **object, tide_error *err)
{
    const struct state_array *value = NULL;
    (void)task, (void)n_cols, (void)n_levels;
    tide_status status = state_need(s, "prior", STATE_F64, n_out, 1, &value, err);
    if (status != TIDE_OK) return status;
    struct sample_prior *m = arena_zero(a, sizeof *m);
    if (!m) return err_nomem(err, sizeof *m);
    m->n_out = n_out;
    m->value = value->data;
    *object = m;
    return TIDE_OK;
}

static tide_status sample_prior_predict(const void *object, const struct view *x,
                                        int64_t i0, int64_t n, double *out,
                                        tide_error *err)
{
    const struct sample_prior *m = object;
    (void)x, (void)i0, (void)err;
    for (int64_t i = 0; i < n; i++) {
        for (int32_t k = 0; k < m->n_out; k++) {
            out[i * m->n_out + k] = m->value[k];
        }
    }
    return TIDE_OK;
}

const struct tide_learner tide_learner_sample_prior = {
    .name = "sample_prior",
    .title = "Class shares or the mean, smoothed",
    .camel = "SamplePrior",
    .guide = "Q3",
    .paper = "none",
    .small = "smooth=2",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS |
              TIDE_GIVES_PROBA | TIDE_TAKES_ONE_CLASS,
    .params = TIDE_TABLE(sample_prior_rows, sample_prior_params),
    .fit = sample_prior_fit,
    .load = sample_prior_load,
    .predict = sample_prior_predict,
};
