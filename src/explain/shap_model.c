/* shap_model.c - Shapley contributions of a fitted pipeline, by the columns of its schema
 *
 * Rows go through the steps as in predict; the trees, or the linear sum, are explained on what the
 * learner sees, and each of its columns is added to the column it was made from. A column of a
 * linear sum adds coef (x - mean), which is its interventional value exactly: the mean is that of
 * the background rows, and without any that of the rows that were learned from. */
#include <float.h>
#include <math.h>
#include <string.h>

#include <tidemill/explain.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/par.h"
#include "base/size.h"
#include "explain/explain.h"
#include "infer/shap.h"
#include "pipe/flow.h"

struct tide_shap {
    struct arena arena; /* of no context: may outlive it */
    int64_t n;
    int32_t n_outputs, n_columns;
    const char **name;
    double *values;
};

struct shap_blocks {
    const struct ensemble *e;  /* NULL: linear */
    struct linear_form linear; /* its mean is the one that is compared with */
    const struct fitted_node *last;
    const struct view *v;
    const struct view *background; /* NULL: path-dependent */
    const struct tide_shap_options *o;
    const int32_t *origin; /* [columns of v + 1], the bias to the bias */
    tide_shap *out;
    int64_t block_rows;
    tide_error *bad; /* [workers] */
};

/* Contributions by the learner's columns, [outputs][width] or [outputs][width][width]. */
static tide_status explain_trees_of(const struct shap_blocks *s, int64_t i0, int64_t n,
                                    double *phi, tide_error *err)
{
    if (s->o->interactions) return shap_interactions(s->e, s->v, i0, n, phi, err);
    if (s->background)
        return shap_interventional(s->e, s->v, i0, n, s->background, s->o->on_scores,
                                   phi, err);
    return shap_values(s->e, s->v, i0, n, phi, err);
}

static int has_offset(const struct fitted_node *last, const struct view *v)
{
    return last->learner->offset && last->learner->offset(last->object, v, 0, 0, NULL);
}

/* A row's offset is where the row starts, so it goes to the bias, as XGBoost has it. phi has
 * lines of `width`, the last cell of the last line being the bias. */
static tide_status explain_offsets(const struct shap_blocks *s, int64_t i0, int64_t n,
                                   int64_t width, int64_t lines, double *phi,
                                   tide_error *err)
{
    if (!has_offset(s->last, s->v)) return TIDE_OK;
    double *start = mem_zalloc((size_t)(n + 1) * sizeof *start);
    if (!start) return err_nomem(err, 0);
    s->last->learner->offset(s->last->object, s->v, i0, n, start);
    for (int64_t i = 0; i < n; i++) phi[(i + 1) * lines * width - 1] += start[i];
    mem_free(start);
    return TIDE_OK;
}

static double finite(double v)
{
    return v > DBL_MAX ? DBL_MAX : v < -DBL_MAX ? -DBL_MAX : v;
}

/* The same for a linear sum. */
static tide_status explain_linear(const struct shap_blocks *s, int64_t i0, int64_t n,
                                  double *phi, tide_error *err)
{
    const struct linear_form *m = &s->linear;
    int64_t width = (int64_t)m->p + 1, lines = s->o->interactions ? width : 1;
    double *x = mem_alloc((size_t)(n + 1) * sizeof *x);
    if (!x) return err_nomem(err, 0);
    memset(phi, 0, (size_t)(n * m->n_out * lines * width) * sizeof *phi);
    for (int j = 0; j < m->p; j++) {
        view_numbers(s->v, j, i0, n, x);
        for (int64_t r = 0; r < n * m->n_out; r++) {
            double c = m->coef[(r % m->n_out) * m->p + j];
            double *own = phi + (r * lines + (lines > 1 ? j : 0)) * width;
            own[j] = finite(c * (x[r / m->n_out] - m->mean[j]));
        }
    }
    for (int k = 0; k < m->n_out; k++) {
        double bias = m->intercept[k];
        for (int j = 0; j < m->p; j++)
            bias += m->coef[(int64_t)k * m->p + j] * m->mean[j];
        for (int64_t i = 0; i < n; i++)
            phi[(i * m->n_out + k + 1) * lines * width - 1] = finite(bias);
    }
    mem_free(x);
    return TIDE_OK;
}

static tide_status explain_rows(const struct shap_blocks *s, int64_t i0, int64_t n,
                                tide_error *err)
{
    int64_t k = s->out->n_outputs, from = (int64_t)s->v->n_cols + 1,
            to = (int64_t)s->out->n_columns + 1;
    int64_t lines = s->o->interactions ? from : 1,
            lines_to = s->o->interactions ? to : 1;
    int64_t cells = 0;
    if (i64_mul(n * k, from * lines * (int64_t)sizeof(double), &cells))
        return err_nomem(err, 0);
    double *phi = mem_alloc((size_t)cells),
           *out = s->out->values + i0 * k * to * lines_to;
    if (!phi) return err_nomem(err, (size_t)cells);
    tide_status status = s->e ? explain_trees_of(s, i0, n, phi, err)
                              : explain_linear(s, i0, n, phi, err);
    /* a forest's score is the mean of its trees, whose sum was shared out */
    if (s->e && s->e->link == LINK_MEAN_PROBA && s->e->n_trees > 1)
        for (int64_t i = 0; i < n * k * lines * from && !status; i++)
            phi[i] /= s->e->n_trees;
    if (!status) status = explain_offsets(s, i0, n, from, lines, phi, err);
    memset(out, 0, (size_t)(n * k * to * lines_to) * sizeof *out);
    for (int64_t r = 0; !status && r < n * k; r++)
        for (int64_t i = 0; i < lines; i++) {
            const double *line = phi + (r * lines + i) * from;
            double *own = out + (r * lines_to + (lines > 1 ? s->origin[i] : 0)) * to;
            for (int64_t j = 0; j < from; j++) own[s->origin[j]] += line[j];
        }
    mem_free(phi);
    return status;
}

static void explain_block(void *arg, int64_t block, int worker)
{
    struct shap_blocks *s = arg;
    int64_t i0 = block * s->block_rows, n = s->out->n - i0;
    tide_error err = {0};
    if (n > s->block_rows) n = s->block_rows;
    if (explain_rows(s, i0, n, &err)) s->bad[worker] = err;
}

static tide_status explain_view(tide_ctx *ctx, struct shap_blocks *s, tide_error *err)
{
    int workers = par_threads(ctx);
    /* pairs of rows and pairs of columns are much more work a row */
    s->block_rows = s->o->interactions || (s->e && s->background) ? 16 : SHAP_ROWS;
    int64_t blocks = (s->out->n + s->block_rows - 1) / s->block_rows;
    s->bad = mem_zalloc((size_t)workers * sizeof *s->bad);
    if (!s->bad) return err_nomem(err, 0);
    tide_status status =
        par_for_progress(ctx, blocks, explain_block, s, "explaining", err);
    for (int k = 0; k < workers && !status; k++)
        if (s->bad[k].code) {
            status = s->bad[k].status;
            if (err) *err = s->bad[k];
        }
    mem_free(s->bad);
    return status;
}

const struct ensemble *explain_trees(const tide_model *model)
{
    const struct fitted_node *last = &model->nodes[model->n_nodes - 1];
    if (last->learner->margin_trees) return last->learner->margin_trees(last->object);
    return last->learner->trees ? last->learner->trees(last->object) : NULL;
}

int explain_has_parts(const tide_model *model)
{
    const struct ensemble *e = explain_trees(model);
    return model->nodes[model->n_nodes - 1].learner->linear || (e && !e->linear);
}

static tide_status shap_new(const tide_model *model, int64_t n, int n_outputs,
                            int interactions, tide_shap **out, tide_error *err)
{
    tide_shap *s = mem_zalloc(sizeof *s);
    if (!s) return err_nomem(err, sizeof *s);
    arena_init(&s->arena, NULL);
    s->n = n;
    s->n_columns = model->schema.n_cols;
    s->n_outputs = n_outputs;
    s->name = arena_array(&s->arena, s->n_columns, sizeof *s->name);
    for (int32_t j = 0; s->name && j < s->n_columns; j++)
        s->name[j] = arena_str(&s->arena, model->schema.cols[j].name);
    int64_t cells = 0, line = (int64_t)s->n_columns + 1;
    if (i64_mul((int64_t)s->n_outputs * (interactions ? line : 1), line, &cells) ||
        i64_mul(n, cells, &cells))
        cells = INT64_MAX;
    s->values = arena_array(&s->arena, cells, sizeof *s->values);
    *out = s;
    return arena_status(&s->arena, err);
}

tide_status explain_see(tide_ctx *ctx, const tide_model *model,
                        const struct view *bound, struct arena *a, struct view *v,
                        tide_error *err)
{
    tide_status status = TIDE_OK;
    *v = *bound;
    for (int k = 0; !status && k + 1 < model->n_nodes; k++) {
        struct view next;
        status = flow_apply(ctx, &model->nodes[k], v, a, &next, NULL, err);
        *v = next;
    }
    return status ? status : flow_match(&model->nodes[model->n_nodes - 1], v, err);
}

/* Bound columns of every row of a frame. */
static tide_status bind_all(tide_ctx *ctx, const tide_model *model,
                            const tide_frame *frame, struct arena *a, struct view *v,
                            tide_error *err)
{
    struct bind_counts counts;
    const struct column **cols = NULL;
    tide_status status =
        bind_frame(ctx, &model->schema, frame, NULL, 0, a, &cols, &counts, err);
    *v = (struct view){
        .n_rows = frame->n_rows, .n_cols = model->schema.n_cols, .cols = cols};
    return status;
}

/* Weighted by nothing: a background row is a row. */
static tide_status background_means(struct shap_blocks *s, struct arena *a,
                                    tide_error *err)
{
    const struct view *b = s->background;
    double *mean = arena_array(a, s->linear.p, sizeof *mean);
    double *x = arena_array(a, b->n_rows, sizeof *x);
    if (b->n_rows < 1)
        return err_set(err, TIDE_CODE_DATA_NO_ROWS, "there is no background row");
    for (int j = 0; mean && x && j < s->linear.p; j++) {
        view_numbers(b, j, 0, b->n_rows, x);
        /* about the first, and in parts: neither digits nor the range are lost */
        double sum = 0;
        for (int64_t i = 0; i < b->n_rows; i++)
            sum += x[i] / (double)b->n_rows - x[0] / (double)b->n_rows;
        mean[j] = finite(x[0] + sum);
    }
    s->linear.mean = mean;
    return arena_status(a, err);
}

static tide_status check_linear(const struct shap_blocks *s, tide_error *err)
{
    if (s->o->on_scores) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "a score of a linear model cannot be shared out, its margin can");
        return err_field(err, "on_scores");
    }
    if (!s->linear.mean && !s->o->background) {
        err_set(err, TIDE_CODE_TIDE_SCHEMA,
                "the model holds no means of its columns to compare with");
        return err_field(err, "background");
    }
    return TIDE_OK;
}

static tide_status check_options(const struct shap_blocks *s, const struct view *v,
                                 tide_error *err)
{
    if (s->o->interactions && s->o->background) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "interactions are path-dependent only");
        return err_field(err, "interactions");
    }
    if (!s->e) return check_linear(s, err);
    if (s->o->on_scores && (!s->o->background || s->e->n_outputs > 1)) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                s->o->background ? "a score behind several margins cannot be shared out"
                                 : "contributions to the score need background rows");
        return err_field(err, "on_scores");
    }
    /* squares, steps, softplus: links that only the import knows */
    if (s->o->on_scores && s->e->link == LINK_IDENTITY &&
        strcmp(s->last->learner->name, "imported") == 0) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "a score of this imported model cannot be shared out, its margin can");
        return err_field(err, "on_scores");
    }
    if (s->o->on_scores && has_offset(s->last, v)) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "a score with an offset cannot be shared out, its margin can");
        return err_field(err, "on_scores");
    }
    return TIDE_OK;
}

tide_status explain_shap(tide_ctx *ctx, const tide_model *model,
                         const struct view *bound,
                         const struct tide_shap_options *options, tide_shap **out,
                         tide_error *err)
{
    static const struct tide_shap_options none = {0};
    struct shap_blocks s = {.e = explain_trees(model),
                            .last = &model->nodes[model->n_nodes - 1],
                            .o = options ? options : &none};
    struct arena a;
    struct view v, other, background;
    int32_t *origin = NULL;
    *out = NULL;
    if (s.e && s.e->linear)
        return err_set(err, TIDE_CODE_PIPELINE_STEP,
                       "leaves that are linear in columns cannot be shared out");
    if (!explain_has_parts(model))
        return err_set(err, TIDE_CODE_PIPELINE_STEP,
                       "the margin of '%s' is no sum over trees or columns, and "
                       "contributions are made from one",
                       s.last->learner->name);
    if (s.last->learner->linear) s.last->learner->linear(s.last->object, &s.linear);
    tide_status status = check_options(&s, bound, err);
    if (status) return status;
    arena_init(&a, ctx);
    status = explain_see(ctx, model, bound, &a, &v, err);
    if (!status && s.o->background) {
        status = bind_all(ctx, model, s.o->background, &a, &other, err);
        if (!status) status = explain_see(ctx, model, &other, &a, &background, err);
        s.background = &background;
        if (!status && !s.e) status = background_means(&s, &a, err);
    }
    if (!status) status = model_origins(model, &a, &origin, err);
    int32_t *to = status ? NULL : arena_array(&a, (int64_t)v.n_cols + 1, sizeof *to);
    for (int j = 0; to && j < v.n_cols; j++) to[j] = origin[j];
    if (to) to[v.n_cols] = model->schema.n_cols;
    if (!status) status = arena_status(&a, err);
    if (!status)
        status = shap_new(model, v.n_rows, s.e ? s.e->n_outputs : s.linear.n_out,
                          s.o->interactions, &s.out, err);
    s.v = &v;
    s.origin = to;
    if (!status) status = explain_view(ctx, &s, err);
    if (status)
        tide_shap_free(s.out);
    else
        *out = s.out;
    arena_free(&a);
    return status;
}

tide_status tide_model_shap(tide_ctx *ctx, const tide_model *model,
                            const tide_frame *frame,
                            const struct tide_shap_options *options, tide_shap **out,
                            tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct arena a;
    struct view v;
    if (!ctx || !model || !frame || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    *out = NULL;
    arena_init(&a, ctx);
    tide_status status = bind_all(ctx, model, frame, &a, &v, err);
    if (!status) status = explain_shap(ctx, model, &v, options, out, err);
    arena_free(&a);
    return status;
}

void tide_shap_free(tide_shap *shap)
{
    if (!shap) return;
    arena_free(&shap->arena);
    mem_free(shap);
}

int64_t tide_shap_rows(const tide_shap *shap)
{
    return shap ? shap->n : 0;
}
int tide_shap_outputs(const tide_shap *shap)
{
    return shap ? shap->n_outputs : 0;
}
int tide_shap_columns(const tide_shap *shap)
{
    return shap ? shap->n_columns : 0;
}
const char *tide_shap_name(const tide_shap *shap, int column)
{
    return shap && column >= 0 && column < shap->n_columns ? shap->name[column] : NULL;
}
const double *tide_shap_values(const tide_shap *shap)
{
    return shap ? shap->values : NULL;
}
