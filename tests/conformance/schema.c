/* What a model says of its input and of itself: columns bound by name, unseen levels, exact
 * refusals, labels, importance; for steps: names, rows, gaps */
#include "suite.h"

static tide_status bound(tide_ctx *ctx, const tide_model *m, const tide_frame *f,
                         double **out, struct bind_counts *counts, tide_error *err)
{
    *out = calloc((size_t)tide_frame_rows(f) * (size_t)width_of(m) + 1, sizeof **out);
    return pipe_predict(ctx, m, f, NULL, 0, *out, counts, err);
}

PROPERTY(missing_columns, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        tide_frame *f = frame_for(ctx, s, j, 65);
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_MADE(x);
        struct grid *g = grid_for(s, j, 65);
        for (int gone = 1; gone <= 2; gone++) {
            tide_error err = {0};
            double *z = NULL;
            grid_take_out(g, gone == 1 ? "size" : "count");
            tide_frame *less = grid_frame(ctx, g);
            tide_status st = x.st ? TIDE_EDATA : bound(ctx, x.m, less, &z, NULL, &err);
            CHECK(st == TIDE_EDATA && err.code == TIDE_CODE_DATA_COLUMN);
            CHECK_MSG(strstr(err.message, "'size'") &&
                          (gone == 1 || strstr(err.message, "'count'")),
                      "%d columns gone: \"%s\"", gone, err.message);
            free(z);
            tide_frame_free(less);
        }
        made_free(&x);
        tide_frame_free(f);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

PROPERTY(extra_columns, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        tide_frame *f = frame_for(ctx, s, j, 65);
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_MADE(x);
        struct grid *g = grid_for(s, j, 65);
        if (j->task != TIDE_ANOMALY)
            grid_take_out(g, "target"); /* no truth is needed */
        double *more = grid_number(g, "another");
        for (int i = 0; i < 65; i++) more[i] = i;
        grid_category(g, "words")[3] = "x";
        tide_frame *wide = grid_frame(ctx, g);
        if (!x.st) {
            struct bind_counts counts = {0};
            tide_error err = {0};
            double *z = NULL, *z0 = scores_of(ctx, x.m, f, NULL, 0);
            tide_status st = bound(ctx, x.m, wide, &z, &counts, &err);
            CHECK_MSG(!st, "%s", err.message);
            CHECK(counts.n_extra == 2 && counts.unseen == 0);
            check_near(z, z0, 65 * width_of(x.m), 0, "extra columns");
            free(z);
            free(z0);
        }
        made_free(&x);
        tide_frame_free(f);
        tide_frame_free(wide);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* D19 and its harmless relatives */
PROPERTY(retyped_columns, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        tide_frame *f = frame_for(ctx, s, j, 65);
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_MADE(x);
        struct grid *g = grid_for(s, j, 65);
        char digits[65][24];
        int at = grid_find(g, "count");
        int64_t *count = g->own[at];
        double *as_float = calloc(66, sizeof *as_float);
        const char **as_text = calloc(66, sizeof *as_text);
        for (int i = 0; i < 65; i++) {
            as_float[i] = (double)count[i];
            snprintf(digits[i], sizeof digits[i], "%lld", (long long)count[i]);
            as_text[i] = digits[i];
        }
        g->in[at] =
            (struct tide_column_in){.name = "count", .f64 = as_float, .type = TIDE_F64};
        tide_frame *floats = grid_frame(ctx, g);
        g->in[at] = (struct tide_column_in){.name = "count", .text = as_text};
        tide_frame *spelt = grid_frame(ctx, g);
        as_text[11] = "many";
        tide_frame *words = grid_frame(ctx, g);
        if (!x.st) {
            tide_error err = {0};
            double *z = scores_of(ctx, x.m, f, NULL, 0), *y = NULL,
                   *a = scores_of(ctx, x.m, floats, NULL, 0),
                   *b = scores_of(ctx, x.m, spelt, NULL, 0);
            check_near(a, z, 65 * width_of(x.m), 0, "integers as floats");
            check_near(b, z, 65 * width_of(x.m), 0, "integers as text");
            tide_status st = bound(ctx, x.m, words, &y, NULL, &err);
            CHECK(st == TIDE_EDATA && err.code == TIDE_CODE_DATA_TYPE && err.row == 12);
            CHECK(!strcmp(err.field, "count") && strstr(err.message, "\"many\""));
            free(a);
            free(b);
            free(y);
            free(z);
        }
        made_free(&x);
        tide_frame_free(f);
        tide_frame_free(floats);
        tide_frame_free(spelt);
        tide_frame_free(words);
        free(as_float);
        free(as_text);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* D18: an unseen level scores as a missing one, is counted, and costs its column nothing else.
 * Levels are matched by text, so another dictionary changes nothing. */
static int takes_levels(const struct subject *s)
{
    return takes(s, TIDE_TAKES_CATEGORIES) && takes(s, TIDE_TAKES_MISSING);
}
PROPERTY(unseen_levels, LEARNERS | STEPS, takes_levels)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        struct grid *g = grid_for(s, j, 300);
        tide_frame *f = grid_frame(ctx, g);
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_MADE(x);
        const char **town = g->own[grid_find(g, "town")];
        const char *was[3] = {town[5], town[6], town[250]};
        (void)was;
        town[5] = town[6] = town[250] = NULL;
        tide_frame *gaps = grid_frame(ctx, g);
        town[5] =
            "Atlantis"; /* first in byte order: every code of the dictionary moves */
        town[6] = "";
        town[250] = "rome";
        tide_frame *unseen = grid_frame(ctx, g);
        if (!x.st) {
            struct bind_counts counts = {0};
            tide_error err = {0};
            double *z = scores_of(ctx, x.m, gaps, NULL, 0), *y = NULL;
            tide_status st = bound(ctx, x.m, unseen, &y, &counts, &err);
            CHECK_MSG(!st, "%s", err.message);
            CHECK_MSG(counts.unseen == 3, "%lld unseen", (long long)counts.unseen);
            check_near(y, z, 300 * width_of(x.m), 0, "unseen levels");
            free(y);
            free(z);
        }
        made_free(&x);
        tide_frame_free(f);
        tide_frame_free(gaps);
        tide_frame_free(unseen);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* ---- scores and what a model tells ---- */

PROPERTY(public_scores, LEARNERS, always)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    {
        tide_frame *f = frame_for(ctx, s, j, 300);
        struct made x = make(ctx, f, s, j, NULL);
        tide_scores *z = NULL;
        tide_error err = {0};
        CHECK_MADE(x);
        if (!x.st) {
            CHECK_MSG(!tide_model_predict(ctx, x.m, f, &z, &err), "%s", err.message);
            CHECK(tide_scores_rows(z) == 300);
            CHECK(tide_scores_classes(z) == j->n_classes);
            check_scores(x.m, tide_scores_values(z), 300, "public scores");
            for (int k = 1; k < j->n_classes; k++)
                CHECK(strcmp(tide_scores_label(z, k - 1), tide_scores_label(z, k)) < 0);
            for (int64_t i = 0; i < 300 && j->n_classes && !suite_bad; i++) {
                const double *p = tide_scores_values(z) + i * j->n_classes;
                int got = tide_scores_predicted(z, i);
                CHECK(got >= 0 && got < j->n_classes);
                for (int k = 0; k < j->n_classes; k++) CHECK(p[k] <= p[got]);
            }
            const char *target = tide_model_target(x.m);
            CHECK(j->task == TIDE_ANOMALY ? !target
                                          : target && !strcmp(target, "target"));
        }
        tide_scores_free(z);
        made_free(&x);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

/* D11: labels that training lacked count as errors and are listed */
static int classifies(const struct subject *s)
{
    return (s->tasks & TIDE_CLASSIFY) != 0;
}
PROPERTY(unseen_class, LEARNERS, classifies)
{
    tide_ctx *ctx = ctx_open(1);
    const struct job *j = &suite_jobs[0];
    struct grid *g = grid_for(s, j, 300);
    tide_frame *f = grid_frame(ctx, g);
    struct made x = make(ctx, f, s, j, NULL);
    const char **k = g->own[grid_find(g, "target")];
    for (int i = 0; i < 300; i += 10) k[i] = "new";
    tide_frame *other = grid_frame(ctx, g);
    tide_report *r = NULL, *r0 = NULL;
    tide_error err = {0};
    double before = 0, after = 0;
    CHECK_MADE(x);
    if (!x.st) {
        CHECK_MSG(!tide_model_eval(ctx, x.m, f, NULL, &r0, &err), "%s", err.message);
        CHECK_MSG(!tide_model_eval(ctx, x.m, other, NULL, &r, &err), "%s", err.message);
    }
    if (r && r0) {
        CHECK(!tide_report_number(r0, "accuracy", &before, NULL));
        CHECK(!tide_report_number(r, "accuracy", &after, NULL));
        CHECK_MSG(after <= 0.9 && after < before + 1e-12, "accuracy %g, then %g",
                  before, after);
    }
    tide_report_free(r);
    tide_report_free(r0);
    made_free(&x);
    tide_frame_free(f);
    tide_frame_free(other);
    grid_free(g);
    tide_ctx_free(ctx);
}

PROPERTY(tells_of_itself, LEARNERS, always)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        tide_frame *f = frame_for(ctx, s, j, 300);
        struct made x = make(ctx, f, s, j, NULL);
        tide_error err = {0};
        CHECK_MADE(x);
        if (!x.st) {
            double w[GRID_COLUMNS], sum = 0;
            char text[256];
            tide_report *r = NULL;
            CHECK_MSG(!model_importance(x.m, w, &err), "importance: %s", err.message);
            for (int c = 0; c < x.m->schema.n_cols; c++) {
                CHECK(isfinite(w[c]) && w[c] >= 0);
                sum += w[c];
            }
            CHECK_MSG(sum == 0 || fabs(sum - 1) <= 1e-9, "importance adds up to %g",
                      sum);
            memset(text, 'x', sizeof text);
            if (s->learner->describe) {
                s->learner->describe(x.m->nodes[x.m->n_nodes - 1].object, text, 200);
                CHECK(memchr(text, 0, 200) && *text);
            }
            CHECK(x.info.converged >= -1 && x.info.converged <= 1);
            CHECK(x.info.rounds >= 0 && x.info.best_round <= x.info.rounds);
            if (takes(s, TIDE_STOPS_EARLY)) CHECK(x.info.rounds >= 1);
            CHECK_MSG(!tide_model_show(ctx, x.m, &r, &err), "show: %s", err.message);
            tide_report_free(r);
        }
        made_free(&x);
        if (takes(s, TIDE_STOPS_EARLY)) { /* rounds as asked for, no stopping */
            struct how how = {.rounds = 3};
            x = make(ctx, f, s, j, &how);
            CHECK_MADE(x);
            CHECK_MSG(x.info.rounds == 3, "%d rounds, not 3", x.info.rounds);
            made_free(&x);
        }
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

/* ---- steps alone ---- */

/* A step fitted and applied without a pipeline around it. */
struct alone {
    struct arena a;
    struct problem *p;
    const struct column *cols[GRID_COLUMNS];
    uint32_t levels[GRID_COLUMNS];
    struct view x; /* what the step takes of the table */
    struct fit_data d;
    struct state state;
    tide_values *values;
    void *object;
    struct step_out out;
};
static tide_status alone_fit(struct alone *w, tide_ctx *ctx, const struct subject *s,
                             const struct job *j, const tide_frame *f, tide_error *err)
{
    struct tide_problem_options o = problem_of(j);
    memset(w, 0, sizeof *w);
    arena_init(&w->a, NULL);
    state_init(&w->state, &w->a);
    tide_status st = problem_new(ctx, f, &o, &w->p, err);
    if (st) return st;
    for (int c = 0; c < w->p->n_features; c++) {
        const struct column *col = &f->cols[w->p->features[c]];
        uint32_t kind = col->type == TIDE_CAT ? STEP_CATEGORY : STEP_NUMERIC;
        if (!(s->step->takes & kind)) continue;
        w->levels[w->x.n_cols] = col->type == TIDE_CAT ? col->dict.n : 0;
        w->cols[w->x.n_cols++] = col;
    }
    w->x.cols = w->cols;
    w->x.n_rows = f->n_rows;
    w->d = (struct fit_data){.x = &w->x,
                             .task = w->p->task,
                             .n_classes = w->p->n_classes,
                             .y = w->p->y,
                             .k = w->p->k,
                             .seed = 1,
                             .phase = "fitting"};
    st = tide_values_new(&s->step->params, s->name, &w->values, err);
    if (!st)
        st = s->step->fit(ctx, tide_values_struct(w->values), &w->d, &w->state, err);
    if (!st)
        st = s->step->load(&w->state, w->x.n_cols, w->levels, &w->a, &w->object, err);
    if (!st) st = s->step->apply(ctx, w->object, &w->x, &w->a, &w->out, err);
    return st;
}
static void alone_free(struct alone *w)
{
    tide_values_free(w->values);
    problem_free(w->p);
    arena_free(&w->a);
}

/* The cell of an output column as a number; code or NaN for categories. */
static double cell(const struct column *c, int64_t row)
{
    struct view v = {.n_rows = c->n_rows, .n_cols = 1, .cols = &c};
    double x;
    uint32_t code;
    if (c->type != TIDE_CAT) {
        view_numbers(&v, 0, row, 1, &x);
        return x;
    }
    view_codes(&v, 0, row, 1, &code);
    return code == CODE_MISSING ? (double)NAN : (double)code;
}
static int same_cell(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

PROPERTY(step_columns, STEPS, always)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    FOR_SIZES(n)
    {
        struct alone w;
        tide_error err = {0};
        tide_frame *f = frame_for(ctx, s, j, n);
        tide_status st = alone_fit(&w, ctx, s, j, f, &err);
        CHECK_MSG(!st || (n <= 2 && st == TIDE_EDATA), "%lld rows: %s", (long long)n,
                  err.message);
        for (int c = 0; !st && c < w.out.n_cols; c++) {
            const struct column *out = w.out.cols[c];
            CHECK(out->name && *out->name && strlen(out->name) <= 4096);
            CHECK(out->n_rows == n);
            CHECK(out->type >= TIDE_BOOL && out->type <= TIDE_CAT);
            CHECK(w.out.from[c] >= 0 && w.out.from[c] < w.x.n_cols);
            for (int k = 0; k < c; k++)
                CHECK_MSG(strcmp(out->name, w.out.cols[k]->name), "%s twice",
                          out->name);
            int64_t missing = 0;
            for (int64_t i = 0; i < n; i++) {
                double v = cell(out, i);
                missing += isnan(v);
                CHECK(!isinf(v));
                if (out->type == TIDE_CAT && !isnan(v)) CHECK(v < out->dict.n);
                if (suite_bad) break;
            }
            CHECK_MSG(out->n_missing == missing, "%s: %lld missing, says %lld",
                      out->name, (long long)missing, (long long)out->n_missing);
        }
        alone_free(&w);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

/* Applied to other rows: the same names, and what a row becomes depends on that row alone. */
PROPERTY(step_rows, STEPS, always)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    {
        int64_t n = 300, row[7] = {299, 0, 17, 17, 250, 3, 64};
        struct alone w;
        tide_error err = {0};
        tide_frame *f = frame_for(ctx, s, j, n);
        tide_status st = alone_fit(&w, ctx, s, j, f, &err);
        CHECK_MSG(!st, "%s", err.message);
        struct step_out again = {0}, part = {0};
        struct view few = w.x;
        few.rows = row;
        few.n_rows = 7;
        if (!st) st = s->step->apply(ctx, w.object, &w.x, &w.a, &again, &err);
        if (!st) st = s->step->apply(ctx, w.object, &few, &w.a, &part, &err);
        CHECK_MSG(!st, "%s", err.message);
        CHECK(st || (again.n_cols == w.out.n_cols && part.n_cols == w.out.n_cols));
        for (int c = 0; !st && !suite_bad && c < w.out.n_cols; c++) {
            const struct column *a = w.out.cols[c], *b = again.cols[c],
                                *p = part.cols[c];
            CHECK(!strcmp(a->name, b->name) && !strcmp(a->name, p->name));
            CHECK(a->type == b->type && a->type == p->type);
            CHECK(p->n_rows == 7 && w.out.from[c] == part.from[c]);
            for (int64_t i = 0; i < n && !suite_bad; i++)
                CHECK(same_cell(cell(a, i), cell(b, i)));
            for (int64_t i = 0; i < 7 && !suite_bad; i++)
                CHECK_MSG(same_cell(cell(p, i), cell(a, row[i])),
                          "%s of row %lld is %g in other company, not %g", a->name,
                          (long long)row[i], cell(p, i), cell(a, row[i]));
        }
        alone_free(&w);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

/* Sums by rows in another order differ by rounding at most. */
PROPERTY(step_row_order, STEPS, always)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    FOR_SIZES(n)
    {
        struct alone w, v;
        tide_error err = {0};
        struct grid *g = grid_for(s, j, n);
        tide_frame *f = grid_frame(ctx, g);
        for (int c = 0; c < g->n_cols; c++) {
            uint64_t *cells = g->own[c];
            for (int64_t i = 0; i < n / 2; i++) {
                uint64_t t = cells[i];
                cells[i] = cells[n - 1 - i];
                cells[n - 1 - i] = t;
            }
        }
        tide_frame *turned = grid_frame(ctx, g);
        tide_status a = alone_fit(&w, ctx, s, j, f, &err),
                    b = alone_fit(&v, ctx, s, j, turned, &err);
        CHECK(a == b);
        CHECK(a || w.out.n_cols == v.out.n_cols);
        for (int c = 0; !a && !b && c < w.out.n_cols && !suite_bad; c++) {
            /* codes follow the dictionary of the frame, and so does the order of columns */
            if (w.out.cols[c]->type == TIDE_CAT) continue;
            int at = 0;
            while (at < v.out.n_cols &&
                   strcmp(v.out.cols[at]->name, w.out.cols[c]->name) != 0)
                at++;
            CHECK_MSG(at < v.out.n_cols, "no column %s", w.out.cols[c]->name);
            if (at == v.out.n_cols) break;
            for (int64_t i = 0; i < n && !suite_bad; i++) {
                double x = cell(w.out.cols[c], i), y = cell(v.out.cols[at], n - 1 - i);
                CHECK_MSG(same_cell(x, y) || fabs(x - y) <= 1e-9 * fmax(1, fabs(x)),
                          "%s of row %lld: %.17g, %.17g", w.out.cols[c]->name,
                          (long long)i, x, y);
            }
        }
        alone_free(&w);
        alone_free(&v);
        tide_frame_free(f);
        tide_frame_free(turned);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* A step that reads the target shows the learner rows it has not seen. */
static int uses_target(const struct subject *s)
{
    return s->entry->traits & TIDE_USES_TARGET ? 1 : 0;
}
PROPERTY(out_of_fold, STEPS, uses_target)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        struct alone w;
        tide_error err = {0};
        tide_frame *f = frame_for(ctx, s, j, 300);
        struct how how = {.bare = 1};
        struct made x = make(ctx, f, s, j, &how);
        CHECK_MADE(x);
        /* the learner met other cells than the step gives its own rows: fitted on those, the
         * same learner is another one */
        tide_status st = alone_fit(&w, ctx, s, j, f, &err);
        CHECK_MSG(!st, "%s", err.message);
        if (!st && !x.st && w.x.n_cols == x.p->n_features) {
            struct state seen;
            struct fit_info info = {0};
            struct view v = {.n_rows = 300, .n_cols = w.out.n_cols, .cols = w.out.cols};
            struct fit_data d = w.d;
            d.x = &v;
            state_init(&seen, &w.a);
            tide_values *values = x.m->pipeline->nodes[1].values;
            st = s->learner->fit(ctx, tide_values_struct(values), &d, NULL, 0, &seen,
                                 &info, &err);
            CHECK(st || state_differs(&seen, &x.m->nodes[1].state));
        }
        alone_free(&w);
        made_free(&x);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}
