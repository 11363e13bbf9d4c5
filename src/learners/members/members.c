/* members.c - learners inside a learner: parsing, fitting, loading, scoring */
#include "learners/members/members.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

enum { NAME_MOST = 40, VALUE_MOST = 400 };

/* ---- the text ---- */

struct piece {
    const char *s;
    size_t n;
};

static struct piece trimmed(const char *s, size_t n)
{
    while (n && *s == ' ') s++, n--;
    while (n && s[n - 1] == ' ') n--;
    return (struct piece){s, n};
}

/* The part up to `mark` outside parentheses and brackets; *rest is behind it, NULL at the end. */
static struct piece next_piece(const char *s, size_t n, char mark, const char **rest)
{
    int depth = 0;
    for (size_t i = 0; i < n; i++) {
        depth += (s[i] == '(' || s[i] == '[') - (s[i] == ')' || s[i] == ']');
        if (s[i] != mark || depth) continue;
        *rest = s + i + 1;
        return trimmed(s, i);
    }
    *rest = NULL;
    return trimmed(s, n);
}

static tide_status bad_members(const char *text, const char *why, tide_error *err)
{
    char shown[160];
    err_quote(shown, sizeof shown, text, strlen(text), 100);
    err_set(err, TIDE_CODE_PARAM_VALUE,
            "'of' is learners with '+' between them, such as \"logistic + "
            "gbdt(trees=100)\": %s in \"%s\"",
            why, shown);
    return err_field(err, "of");
}

/* Learners that have members say so by the parameter that names them. */
static int holds_members(const struct tide_learner *l)
{
    return tide_params_find(&l->params, "of") != NULL;
}

/* One name=value. */
static tide_status set_value(tide_values *values, struct piece p, const char *text,
                             tide_error *err)
{
    char name[NAME_MOST], value[VALUE_MOST];
    const char *eq = memchr(p.s, '=', p.n);
    if (!eq) return bad_members(text, "a parameter has no '='", err);
    struct piece k = trimmed(p.s, (size_t)(eq - p.s));
    struct piece v = trimmed(eq + 1, p.n - (size_t)(eq + 1 - p.s));
    if (k.n >= sizeof name || v.n >= sizeof value)
        return bad_members(text, "a parameter is too long", err);
    snprintf(name, sizeof name, "%.*s", (int)k.n, k.s);
    snprintf(value, sizeof value, "%.*s", (int)v.n, v.s);
    return tide_values_set(values, name, value, err);
}

/* Members are combined value by value. */
static tide_status check_aims(const struct member_wish *w, tide_error *err)
{
    const struct tide_learner *l = w->learner;
    struct fit_aims aims = {.tasks = l->tasks};
    if (l->aims) l->aims(tide_values_struct(w->values), &aims);
    if (aims.quantiles.n < 2) return TIDE_OK;
    err_set(
        err, TIDE_CODE_PARAM_CONFLICT,
        "the member %s predicts several quantiles, and members predict one value a row",
        l->name);
    return err_field(err, "of");
}

static tide_status parse_one(struct piece p, const char *text, struct member_wish *out,
                             tide_error *err)
{
    char name[NAME_MOST];
    const char *open = memchr(p.s, '(', p.n), *rest = NULL;
    struct piece called = trimmed(p.s, open ? (size_t)(open - p.s) : p.n);
    if (!called.n) return bad_members(text, "a name is missing", err);
    if (called.n >= sizeof name) return bad_members(text, "a name is too long", err);
    if (open && p.s[p.n - 1] != ')')
        return bad_members(text, "a parenthesis is not closed", err);
    snprintf(name, sizeof name, "%.*s", (int)called.n, called.s);
    out->learner = learner_find(name, err);
    if (!out->learner) return err_field(err, "of");
    if (holds_members(out->learner))
        return bad_members(text, "a member must not have members itself", err);
    tide_status st =
        tide_values_new(&out->learner->params, out->learner->name, &out->values, err);
    const char *s = open ? open + 1 : NULL, *end = p.s + p.n - 1;
    for (; !st && s && s < end; s = rest) {
        struct piece one = next_piece(s, (size_t)(end - s), ',', &rest);
        if (one.n || rest) st = set_value(out->values, one, text, err);
    }
    if (!st) st = tide_values_check(out->values, err);
    if (!st && out->learner->check)
        st = out->learner->check(tide_values_struct(out->values), err);
    return st ? st : check_aims(out, err);
}

tide_status members_parse(const char *text, struct member_wishes *out, tide_error *err)
{
    const char *s = text ? text : "", *rest = NULL;
    tide_status st = TIDE_OK;
    memset(out, 0, sizeof *out);
    for (; !st && s; s = rest) {
        struct piece p = next_piece(s, strlen(s), '+', &rest);
        if (out->n == MEMBERS_MOST) return bad_members(text, "more than 32", err);
        st = parse_one(p, text, &out->of[out->n++], err);
    }
    return st;
}

void members_free(struct member_wishes *w)
{
    for (int i = 0; i < w->n; i++) tide_values_free(w->of[i].values);
    w->n = 0;
}

/* ---- fitting ---- */

tide_status members_fit_data(const struct member_wishes *w, const struct fit_data *d,
                             tide_error *err)
{
    for (int i = 0; i < w->n; i++) {
        const struct tide_learner *l = w->of[i].learner;
        if (!(l->tasks & d->task)) {
            err_set(err, TIDE_CODE_PARAM_CONFLICT, "the member %s cannot %s", l->name,
                    task_name(d->task));
            return err_field(err, "of");
        }
        if (d->w && !(l->traits & TIDE_TAKES_WEIGHTS)) {
            err_set(err, TIDE_CODE_PARAM_CONFLICT,
                    "the member %s cannot take row weights", l->name);
            return err_field(err, "of");
        }
        if (d->x->n_rows < l->min_rows) {
            err_set(err, TIDE_CODE_DATA_FEW_ROWS, "%s needs %d rows and has %lld",
                    l->name, (int)l->min_rows, (long long)d->x->n_rows);
            return err_hint(err, "learner", "baseline");
        }
    }
    return TIDE_OK;
}

void members_put_names(const struct member_wishes *w, int times, struct state *out)
{
    struct str t = {0};
    for (int k = 0; k < times; k++)
        for (int i = 0; i < w->n; i++) str_addf(&t, "%s\n", w->of[i].learner->name);
    if (t.failed)
        out->arena->failed = TIDE_ENOMEM;
    else
        state_put(out, "DENSE", "members", STATE_U8, (int64_t)t.len, 1, 1, t.s);
    str_free(&t);
}

tide_status member_fit(struct tide_ctx *ctx, const struct member_wish *w,
                       const struct fit_data *d, int number, struct state *out,
                       tide_error *err)
{
    struct fit_info info = {.converged = -1};
    char name[2 * STATE_NAME_MAX];
    /* Its arrays are made in `out` under their own names, then they get its number. */
    struct state own;
    state_init(&own, out->arena);
    tide_status st = w->learner->fit(ctx, tide_values_struct(w->values), d, NULL, 0,
                                     &own, &info, err);
    if (!st) st = arena_status(out->arena, err);
    for (int i = 0; !st && i < own.n; i++) {
        const struct state_array *x = &own.arrays[i];
        snprintf(name, sizeof name, "%d/%s", number, x->name);
        state_share(out, name, x);
    }
    return st ? st : arena_status(out->arena, err);
}

/* ---- loading ---- */

static tide_status wrong_names(tide_error *err)
{
    err_set(err, TIDE_CODE_TIDE_VALUE, "the members are no learners of this build");
    return err_place(err, "section DENSE, members");
}

tide_status members_load(const struct state *s, uint32_t task, int32_t n_out,
                         int32_t n_cols, struct arena *a, struct members *out,
                         tide_error *err)
{
    const struct state_array *names;
    tide_status st = state_need(s, "members", STATE_U8, -1, 1, &names, err);
    if (st) return st;
    const char *text = names->data, *end = text + names->dim[0];
    int64_t count = 0;
    for (const char *c = text; c < end; c++) count += *c == '\n';
    *out = (struct members){.task = task, .n_out = n_out, .n_cols = n_cols};
    out->of = arena_zero(a, ((size_t)count + 1) * sizeof *out->of);
    if (!out->of) return arena_status(a, err);
    for (const char *c = text; c < end;) {
        const char *stop = memchr(c, '\n', (size_t)(end - c));
        char name[NAME_MOST];
        if (!stop || stop - c >= NAME_MOST || stop == c) return wrong_names(err);
        snprintf(name, sizeof name, "%.*s", (int)(stop - c), c);
        const struct tide_learner *l = learner_find(name, NULL);
        if (!l || holds_members(l) || !(l->tasks & task)) return wrong_names(err);
        out->of[out->n++] = (struct member){.learner = l, .n_cols = n_cols};
        c = stop + 1;
    }
    return out->n ? TIDE_OK : wrong_names(err);
}

/* The arrays under a number, without it. */
static tide_status own_state(const struct state *s, int number, struct arena *a,
                             struct state *out, tide_error *err)
{
    char prefix[16];
    size_t n = (size_t)snprintf(prefix, sizeof prefix, "%d/", number);
    state_init(out, a);
    for (int i = 0; i < s->n; i++)
        if (!strncmp(s->arrays[i].name, prefix, n))
            state_share(out, s->arrays[i].name + n, &s->arrays[i]);
    return arena_status(a, err);
}

tide_status member_load(const struct state *s, int number, uint32_t task, int32_t n_out,
                        const uint32_t *n_levels, struct arena *a, struct member *m,
                        tide_error *err)
{
    struct state own;
    uint32_t *levels = arena_array(a, (int64_t)m->n_cols + 1, sizeof *levels);
    if (!levels) return arena_status(a, err);
    for (int32_t j = 0; j < m->n_cols; j++)
        levels[j] = n_levels[m->cols ? m->cols[j] : j];
    tide_status st = own_state(s, number, a, &own, err);
    if (!st)
        st = m->learner->load(&own, task, n_out, m->n_cols, levels, a, &m->object, err);
    return st;
}

/* ---- scoring ---- */

tide_status member_predict(const struct member *m, const struct view *x, int64_t i0,
                           int64_t n, double *out, tide_error *err)
{
    if (!m->cols) return m->learner->predict(m->object, x, i0, n, out, err);
    const struct column **cols = mem_array((size_t)m->n_cols + 1, sizeof *cols);
    if (!cols) return err_nomem(err, 0);
    for (int32_t j = 0; j < m->n_cols; j++) cols[j] = x->cols[m->cols[j]];
    struct view part = *x;
    part.cols = cols;
    part.n_cols = m->n_cols;
    tide_status st = m->learner->predict(m->object, &part, i0, n, out, err);
    mem_free(cols);
    return st;
}

/* Adds what one member says of n rows. */
static void add_said(const struct members *m, double weight, int is_vote,
                     const double *said, int64_t n, double *out)
{
    int32_t k = m->n_out;
    if (!is_vote) {
        for (int64_t c = 0; c < n * k; c++) out[c] += weight * said[c];
        return;
    }
    for (int64_t i = 0; i < n; i++, said += k, out += k) {
        int32_t best = 0;
        for (int32_t c = 1; c < k; c++)
            if (said[c] > said[best]) best = c;
        out[best] += weight;
    }
}

tide_status members_mean(const struct members *m, const double *weight, double total,
                         int is_vote, const struct view *x, int64_t i0, int64_t n,
                         double *out, tide_error *err)
{
    size_t cells = (size_t)n * (size_t)m->n_out;
    double *said = mem_array(cells + 1, sizeof *said);
    tide_status st = said ? TIDE_OK : err_nomem(err, 0);
    memset(out, 0, cells * sizeof *out);
    for (int i = 0; !st && i < m->n; i++) {
        double share = (weight ? weight[i] : 1) / total;
        st = member_predict(&m->of[i], x, i0, n, said, err);
        if (!st) add_said(m, share, is_vote, said, n, out);
    }
    /* Rounded shares may sum to a little more than 1. */
    for (size_t k = 0; !st && m->task == TIDE_CLASSIFY && k < cells; k++)
        if (out[k] > 1) out[k] = 1;
    mem_free(said);
    return st;
}

void members_importance(const struct members *m, double *out)
{
    double *own = mem_array((size_t)m->n_cols + 1, sizeof *own), sum = 0;
    memset(out, 0, (size_t)m->n_cols * sizeof *out);
    for (int i = 0; own && i < m->n; i++) {
        const struct member *q = &m->of[i];
        if (!q->learner->importance) continue;
        memset(own, 0, (size_t)m->n_cols * sizeof *own);
        q->learner->importance(q->object, own);
        for (int32_t j = 0; j < q->n_cols; j++) out[q->cols ? q->cols[j] : j] += own[j];
    }
    for (int32_t j = 0; j < m->n_cols; j++) sum += out[j];
    for (int32_t j = 0; sum > 0 && j < m->n_cols; j++) out[j] /= sum;
    mem_free(own);
}

void members_describe(const struct members *m, char *out, size_t size)
{
    size_t at = (size_t)snprintf(out, size, "%d member%s:", m->n, m->n == 1 ? "" : "s");
    for (int i = 0, times; i < m->n && at < size; i += times) {
        const struct tide_learner *l = m->of[i].learner;
        for (times = 1; i + times < m->n && m->of[i + times].learner == l;) times++;
        at += (size_t)snprintf(out + at, size - at, "%s %s", i ? "," : "", l->name);
        if (times > 1 && at < size)
            at += (size_t)snprintf(out + at, size - at, " x %d", times);
    }
}
