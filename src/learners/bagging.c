/* bagging.c - one learner fitted on many draws of the rows, and the mean of what it says
 *
 * Problem       a model that changes much with its rows (a deep tree) has variance; a mean of B models
 *               of variance s2 and correlation r keeps r s2 + (1 - r) s2 / B of it
 * Method        Breiman 1996: each member sees every row as often as a Poisson draw says (or a share of
 *               the rows without drawing again), and a share of the columns (Ho 1998)
 * Missing       filled before: members get what every learner takes
 * Order         draws are keyed by seed, member and row: not by row order or threads
 * Cost          members x the learner on about 63 % of the rows
 * Differs from  scikit-learn: counts are Poisson, not multinomial, and reach the member as weights, so
 *               no row is copied
 * Guide         Q10
 */
#include <math.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/rng.h"
#include "learners/members/members.h"
#include "learners/tree/forest_fit.h"
#include "learners/tree/forest_grow.h"
#include "learners/tree/out_of_bag.h"

struct bagging_params {
    const char *of;
    int32_t members, bootstrap, class_weight, oob;
    double rows, columns;
};
static const struct tide_param bagging_rows[] = {
    P_TEXT(bagging_params, of, "tree", .metavar = "LEARNER",
           .help = "the learner, as in 'tree(leaves=100)'",
           .alias = "estimator base_estimator"),
    P_INT(bagging_params, members, "20", P_RANGE(1, 1000), P_TUNE(10, 200),
          .flags = TIDE_LOG, .help = "how many are fitted", .alias = "n_estimators"),
    P_REAL(bagging_params, rows, "1", P_RANGE(0, 1), P_TUNE(0.3, 1),
           .flags = TIDE_OPEN_LO, .help = "share of the rows that a member draws",
           .alias = "max_samples subsample"),
    P_BOOL(bagging_params, bootstrap, "yes",
           .help = "rows may be drawn several times; no: each at most once"),
    P_REAL(bagging_params, columns, "1", P_RANGE(0, 1), P_TUNE(0.3, 1),
           .flags = TIDE_OPEN_LO, .help = "share of the columns that a member gets",
           .alias = "max_features"),
    P_ENUM(bagging_params, class_weight, "none", forest_class_weights,
           .help = "balanced: every class counts the same"),
    P_BOOL(bagging_params, oob, "no",
           .help = "score each row by the members that have not seen it",
           .alias = "oob_score"),
};

static tide_status parse_of(const char *of, struct member_wishes *w, tide_error *err)
{
    tide_status st = members_parse(of, w, err);
    if (!st && w->n != 1) {
        err_set(err, TIDE_CODE_PARAM_VALUE, "bagging has one learner in 'of', not %d",
                w->n);
        st = err_field(err, "of");
    }
    return st;
}

static tide_status bagging_check(const void *params, tide_error *err)
{
    struct member_wishes w;
    tide_status st = parse_of(((const struct bagging_params *)params)->of, &w, err);
    members_free(&w);
    return st;
}

/* How often a member sees a row: as the trees of a forest do, or 0 and 1. */
static uint32_t draws(const struct bagging_params *p, uint64_t seed, int64_t id,
                      int32_t member)
{
    if (p->bootstrap) {
        const struct forest_rules rules = {.rows = p->rows, .seed = seed};
        return forest_multiplicity(&rules, member, id);
    }
    struct rng_word r = rng_at(rng_key(seed, "bagging"), id, (uint32_t)member, 0);
    return p->rows >= 1 || rng_u01(r) < p->rows;
}

/* What one member is fitted on. */
struct bag {
    struct view x;
    struct fit_data d;
    int64_t *rows, *ids, *group;
    double *y, *w;
    int32_t *k, *cols;
    const struct column **col;
    const double *row_w; /* of all rows, classes levelled if asked for; NULL: 1 */
    uint8_t *seen;       /* [n_rows] by the member at hand */
};

static tide_status bag_init(struct bag *b, const struct bagging_params *p,
                            const struct fit_data *d, struct arena *a, tide_error *err)
{
    int64_t n = d->x->n_rows;
    b->rows = arena_array(a, n, sizeof *b->rows);
    b->ids = arena_array(a, n, sizeof *b->ids);
    b->w = arena_array(a, n, sizeof *b->w);
    b->y = d->y ? arena_array(a, n, sizeof *b->y) : NULL;
    b->k = d->k ? arena_array(a, n, sizeof *b->k) : NULL;
    b->group = d->group ? arena_array(a, n, sizeof *b->group) : NULL;
    b->col = arena_array(a, (int64_t)d->x->n_cols + 1, sizeof *b->col);
    b->seen = arena_array(a, n + 1, 1);
    b->row_w = d->w;
    tide_status st = arena_status(a, err);
    if (st || !p->class_weight || d->task != TIDE_CLASSIFY) return st;
    double *level = arena_array(a, n + 1, sizeof *level);
    if (!level) return arena_status(a, err);
    b->row_w = level;
    return forest_level_classes(d, level, a, err);
}

/* Rows of a member; all of them where the draw left too few. */
static void draw_rows(struct bag *b, const struct bagging_params *p,
                      const struct fit_data *d, int32_t member, int64_t least)
{
    int64_t m = 0;
    for (int all = 0; all == 0 || (all == 1 && m < least); all++) {
        m = 0;
        for (int64_t i = 0; i < d->x->n_rows; i++) {
            int64_t id = view_id(d->x, i);
            uint32_t times = all ? 1 : draws(p, d->seed, id, member);
            b->seen[i] = times > 0;
            if (!times) continue;
            b->rows[m] = view_row(d->x, i);
            b->ids[m] = id;
            b->w[m] = times * (b->row_w ? b->row_w[i] : 1.0);
            if (d->y) b->y[m] = d->y[i];
            if (d->k) b->k[m] = d->k[i];
            if (d->group) b->group[m] = d->group[i];
            m++;
        }
    }
    b->x.n_rows = m;
    b->x.rows = b->rows;
    b->x.ids = b->ids;
}

/* The columns with the least keys, in the view's order; at least one where there is any. */
static void draw_columns(struct bag *b, const struct bagging_params *p,
                         const struct fit_data *d, int32_t member, int32_t *cols)
{
    struct rng_key key = rng_key(d->seed, "bagging columns");
    int32_t n = d->x->n_cols, want = (int32_t)ceil(p->columns * n), m = 0;
    for (int32_t j = 0; j < n; j++) {
        uint64_t mine = rng_u64(rng_at(key, member, hash_name(d->x->cols[j]->name), 0));
        int32_t before = 0; /* few columns, once a member: no sort */
        for (int32_t q = 0; q < n && before < want; q++) {
            uint64_t other =
                rng_u64(rng_at(key, member, hash_name(d->x->cols[q]->name), 0));
            before += other < mine || (other == mine && q < j);
        }
        if (before < want) cols[m++] = j;
    }
    for (int32_t j = 0; j < m; j++) b->col[j] = d->x->cols[cols[j]];
    b->x.cols = b->col;
    b->x.n_cols = m;
}

/* ---- out of bag ---- */

enum { OOB_ROWS = 1024 };

struct bag_score {
    double *sum;   /* [n_rows][width] of what members said that have not seen the row */
    int32_t *said; /* [n_rows] how many */
    double *answer;           /* [OOB_ROWS][width] */
    int64_t *rows, *ids, *at; /* [n_rows] left out: of the table, and in the fit */
    uint32_t *n_levels;
    int32_t width;
};

static tide_status score_init(struct bag_score *s, const struct fit_data *d,
                              struct arena *a, tide_error *err)
{
    int64_t n = d->x->n_rows;
    s->width = d->task == TIDE_CLASSIFY ? d->n_classes : 1;
    s->sum = arena_zero(a, ((size_t)n * (size_t)s->width + 1) * sizeof *s->sum);
    s->said = arena_zero(a, ((size_t)n + 1) * sizeof *s->said);
    s->answer = arena_array(a, OOB_ROWS, (size_t)s->width * sizeof *s->answer);
    s->rows = arena_array(a, n + 1, sizeof *s->rows);
    s->ids = arena_array(a, n + 1, sizeof *s->ids);
    s->at = arena_array(a, n + 1, sizeof *s->at);
    s->n_levels = arena_array(a, (int64_t)d->x->n_cols + 1, sizeof *s->n_levels);
    for (int32_t j = 0; s->n_levels && j < d->x->n_cols; j++)
        s->n_levels[j] = d->x->cols[j]->type == TIDE_CAT ? d->x->cols[j]->dict.n : 0;
    return arena_status(a, err);
}

/* Asks member i, whose state is in `out`, about the rows that it has not seen. */
static tide_status score_member(struct bag_score *s, const struct bag *b,
                                const struct member_wish *w, const struct fit_data *d,
                                int32_t i, const int32_t *cols, int32_t n_cols,
                                const struct state *out, struct tide_ctx *ctx,
                                tide_error *err)
{
    struct member m = {.learner = w->learner, .n_cols = n_cols, .cols = cols};
    struct view x = *d->x;
    struct arena a;
    int64_t n = 0;
    for (int64_t r = 0; r < d->x->n_rows; r++) {
        if (b->seen[r]) continue;
        s->rows[n] = view_row(d->x, r);
        s->ids[n] = view_id(d->x, r);
        s->at[n++] = r;
    }
    x.n_rows = n;
    x.rows = s->rows;
    x.ids = s->ids;
    if (!n) return TIDE_OK;
    arena_init(&a, ctx);
    tide_status st = member_load(out, i, d->task, s->width, s->n_levels, &a, &m, err);
    for (int64_t r0 = 0; !st && r0 < n; r0 += OOB_ROWS) {
        int64_t m_rows = n - r0 < OOB_ROWS ? n - r0 : OOB_ROWS;
        st = member_predict(&m, &x, r0, m_rows, s->answer, err);
        for (int64_t r = 0; !st && r < m_rows; r++) {
            double *to = s->sum + s->at[r0 + r] * s->width;
            for (int32_t k = 0; k < s->width; k++) to[k] += s->answer[r * s->width + k];
            s->said[s->at[r0 + r]]++;
        }
    }
    arena_free(&a);
    return st;
}

static const char *score_text(const struct bag_score *s, const struct fit_data *d,
                              struct arena *a)
{
    struct oob_sums all = {0};
    double mean = 0, weight = 0;
    for (int64_t i = 0; d->task == TIDE_REGRESS && i < d->x->n_rows; i++) {
        double w = d->w ? d->w[i] : 1;
        weight += w;
        if (weight > 0) mean += (d->y[i] - mean) * (w / weight);
    }
    for (int64_t i = 0; i < d->x->n_rows; i++)
        oob_add(&all, d, i, s->sum + i * s->width, s->said[i], mean);
    return oob_text(&all, d->task, "member", a);
}

static tide_status fit_members(struct tide_ctx *ctx, const struct bagging_params *p,
                               const struct member_wish *w, const struct fit_data *d,
                               struct state *out, struct fit_info *info,
                               tide_error *err)
{
    struct arena a;
    struct bag b = {.x = *d->x};
    struct bag_score score = {0};
    int32_t n = d->x->n_cols;
    int32_t want = (int32_t)ceil(p->columns * n);
    int32_t *cols =
        want < n ? state_new(out, "DENSE", "columns", STATE_I32, p->members, want, 1)
                 : NULL;
    arena_init(&a, ctx);
    tide_status st = arena_status(out->arena, err);
    if (!st) st = bag_init(&b, p, d, &a, err);
    if (!st && p->oob) st = score_init(&score, d, &a, err);
    int64_t least = w->learner->min_rows > 2 ? w->learner->min_rows : 2;
    for (int32_t i = 0; !st && i < p->members; i++) {
        st = ctx_progress(ctx, d->phase, i, p->members, "members", err);
        if (st) break;
        draw_rows(&b, p, d, i, least);
        if (cols) draw_columns(&b, p, d, i, cols + (int64_t)i * want);
        b.d = *d;
        b.d.x = &b.x;
        b.d.y = b.y;
        b.d.k = b.k;
        b.d.w = b.w;
        b.d.group = b.group;
        b.d.seed = rng_u64(rng_at(rng_key(d->seed, "member"), i, 0, 0));
        st = member_fit(ctx, w, &b.d, i, out, err);
        if (!st && p->oob)
            st = score_member(&score, &b, w, d, i,
                              cols ? cols + (int64_t)i * want : NULL, cols ? want : n,
                              out, ctx, err);
    }
    if (!st && p->oob) {
        info->note = score_text(&score, d, out->arena);
        st = arena_status(out->arena, err);
    }
    arena_free(&a);
    return st;
}

static tide_status bagging_fit(struct tide_ctx *ctx, const void *params,
                               const struct fit_data *d, const struct fit_data *valid,
                               int32_t rounds, struct state *out, struct fit_info *info,
                               tide_error *err)
{
    const struct bagging_params *p = params;
    struct member_wishes w;
    (void)valid;
    (void)rounds;
    tide_status st = parse_of(p->of, &w, err);
    if (!st) st = members_fit_data(&w, d, err);
    if (!st && !(w.of[0].learner->traits & TIDE_TAKES_WEIGHTS)) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "%s takes no row weights, which bagging draws by",
                w.of[0].learner->name);
        st = err_field(err, "of");
    }
    if (!st) {
        members_put_names(&w, p->members, out);
        st = fit_members(ctx, p, &w.of[0], d, out, info, err);
    }
    members_free(&w);
    return st;
}

/* Column numbers of the members, each row rising. */
static tide_status take_columns(const struct state *s, struct members *m,
                                tide_error *err)
{
    const struct state_array *cols;
    if (!state_find(s, "columns")) return TIDE_OK;
    tide_status st = state_need(s, "columns", STATE_I32, m->n, -1, &cols, err);
    if (st) return st;
    int64_t each = cols->dim[1];
    int fine = each > 0 && each <= m->n_cols;
    for (int i = 0; fine && i < m->n; i++) {
        const int32_t *c = (const int32_t *)cols->data + i * each;
        for (int64_t j = 0; j < each; j++)
            fine &= c[j] >= 0 && c[j] < m->n_cols && (j == 0 || c[j] > c[j - 1]);
        m->of[i].cols = c;
        m->of[i].n_cols = (int32_t)each;
    }
    if (fine) return TIDE_OK;
    err_set(err, TIDE_CODE_TIDE_VALUE, "a member's columns are not those of the model");
    return err_place(err, "section DENSE, columns");
}

static tide_status bagging_load(const struct state *s, uint32_t task, int32_t n_out,
                                int32_t n_cols, const uint32_t *n_levels,
                                struct arena *a, void **object, tide_error *err)
{
    struct members *m = arena_zero(a, sizeof *m);
    *object = NULL;
    if (!m) return arena_status(a, err);
    tide_status st = members_load(s, task, n_out, n_cols, a, m, err);
    if (!st) st = take_columns(s, m, err);
    for (int i = 0; !st && i < m->n; i++)
        st = member_load(s, i, task, n_out, n_levels, a, &m->of[i], err);
    if (!st) *object = m;
    return st;
}

static tide_status bagging_predict(const void *object, const struct view *x, int64_t i0,
                                   int64_t n, double *out, tide_error *err)
{
    const struct members *m = object;
    return members_mean(m, NULL, m->n, 0, x, i0, n, out, err);
}

static void bagging_importance(const void *object, double *out)
{
    members_importance(object, out);
}

static void bagging_describe(const void *object, char *out, size_t size)
{
    members_describe(object, out, size);
}

const struct tide_learner tide_learner_bagging = {
    .name = "bagging",
    .title = "One learner on many draws of the rows",
    .camel = "Bagging",
    .guide = "Q5 Q10",
    .paper = "Breiman 1996",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS,
    .traits = TIDE_TAKES_WEIGHTS | TIDE_GIVES_PROBA | TIDE_WANTS_SCALED,
    .tolerance = 0,
    .params = TIDE_TABLE(bagging_rows, bagging_params),
    .small = "members=3",
    .min_rows = 2,
    .check = bagging_check,
    .fit = bagging_fit,
    .load = bagging_load,
    .predict = bagging_predict,
    .importance = bagging_importance,
    .describe = bagging_describe,
};
