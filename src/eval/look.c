/* look.c - `tidemill look`: one pass over the columns, in parallel, then the account
 *
 * Guide: Q1 Q13. Nothing here is sampled but the association map (its note says so). */
#include "eval/look.h"

#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"

struct scan {
    struct look *l;
    atomic_int failed;   /* a column ran out of memory */
    atomic_llong wanted; /* bytes that could not be had */
};

static void scan_column(void *arg, int64_t j, int worker)
{
    struct scan *s = arg;
    struct arena a;
    (void)worker;
    arena_init(&a, s->l->ctx);
    look_column_scan(s->l, &s->l->col[j], &a);
    if (a.failed) {
        atomic_store(&s->wanted, (long long)a.failed_size);
        atomic_store(&s->failed, a.failed);
    }
    arena_free(&a);
}

static tide_status scan_columns(struct look *l, tide_error *err)
{
    struct scan scan = {.l = l};
    struct look_bins *bins;
    int full = l->n_cols < LOOK_FULL ? l->n_cols : LOOK_FULL;
    tide_status s;
    l->col = arena_zero(&l->arena, ((size_t)l->n_cols + 1) * sizeof *l->col);
    bins = arena_zero(&l->arena, ((size_t)full + 1) * sizeof *bins);
    if (!l->col || !bins) return arena_status(&l->arena, err);
    for (int j = 0; j < l->n_cols; j++) l->col[j].c = &l->frame->cols[j];
    for (int j = 0; j < full; j++) l->col[j].bins = &bins[j];
    if (l->target >= full) l->col[l->target].bins = &bins[full];
    s = par_for_progress(l->ctx, l->n_cols, scan_column, &scan, "looking at columns",
                         err);
    int failed = atomic_load(&scan.failed);
    if (!s && failed)
        s = failed == TIDE_ELIMIT
                ? ctx_memory_refused(l->ctx, atomic_load(&scan.wanted), err)
                : err_nomem(err, (size_t)atomic_load(&scan.wanted));
    return s;
}

/* Full-precision numbers of every column for programs. */
static json_t *column_json(struct look *l, int j)
{
    const struct look_column *p = &l->col[j];
    json_t *o = json_object(), *top;
    int bad = json_put_str(o, "name", p->c->name);
    bad |= json_put_str(o, "type", tide_type_name((enum tide_type)p->c->type));
    bad |= json_put_i64(o, "n", p->n) | json_put_i64(o, "missing", p->n_missing);
    bad |= json_put_i64(o, "distinct", p->n_distinct);
    if (p->is_number) {
        const struct {
            const char *key;
            double v;
        } row[] = {{"mean", p->mean},     {"sd", p->sd},        {"min", p->min},
                   {"q05", p->q05},       {"q25", p->q25},      {"median", p->q50},
                   {"q75", p->q75},       {"q95", p->q95},      {"max", p->max},
                   {"skewness", p->skew}, {"kurtosis", p->kurt}};
        for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
            bad |= json_put_f64(o, row[i].key, row[i].v);
        bad |= json_put_i64(o, "zeros", p->n_zero);
        bad |= json_put_i64(o, "outliers", p->n_outliers);
        if (!isnan(p->sentinel)) bad |= json_put_f64(o, "sentinel", p->sentinel);
        if (!isnan(p->sentinel)) bad |= json_put_i64(o, "sentinel_rows", p->n_sentinel);
    } else if (p->n_top) {
        top = json_array();
        for (int k = 0; k < p->n_top; k++) {
            json_t *level = json_object();
            const char *s = look_level(p, p->top[k], &l->arena);
            bad |= json_put_str(level, "level", s ? s : "");
            bad |= json_put_i64(level, "n", p->top_n[k]);
            bad |= json_array_append_new(top, level);
        }
        bad |= json_put(o, "top", top);
    }
    if (p->how) {
        bad |= json_put_str(o, "association", p->how);
        bad |= json_put_f64(o, "value", p->value) |
               json_put_f64(o, "strength", p->strength);
    }
    if (!bad) return o;
    json_decref(o);
    return NULL;
}

static void add_facts(struct look *l)
{
    tide_report *r = l->report;
    json_t *columns = json_array();
    int ids = 0, constants = 0, leaks = 0, copies = 0, bad = !columns;
    for (int j = 0; j < l->n_cols; j++) {
        ids += l->col[j].is_id;
        constants += l->col[j].is_constant;
        leaks += l->col[j].is_leak;
        copies += l->col[j].twin >= 0;
        bad |= json_array_append_new(columns, column_json(l, j));
    }
    report_fact_int(r, "rows", l->frame->n_rows);
    report_fact_int(r, "columns", l->n_cols);
    if (l->frame->dialect && *l->frame->dialect)
        report_fact_str(r, "format", l->frame->dialect);
    if (l->target >= 0) {
        report_fact_str(r, "target", l->frame->cols[l->target].name);
        report_fact_str(r, "task", l->task == TIDE_CLASSIFY ? "classify" : "regress");
        report_fact_str(r, "task_reason", l->why_task);
        if (l->n_classes == 2) report_fact_str(r, "positive", l->labels[l->positive]);
    }
    report_fact_int(r, "missing_cells", l->n_missing);
    report_fact_int(r, "duplicate_rows", l->n_duplicates);
    report_fact_int(r, "constant_columns", constants);
    report_fact_int(r, "duplicate_columns", copies);
    report_fact_int(r, "identifiers", ids);
    if (l->target >= 0) report_fact_int(r, "leak_suspects", leaks);
    if (l->frame->n_bad_rows) report_fact_int(r, "bad_rows", l->frame->n_bad_rows);
    if (bad) {
        json_decref(columns);
        r->failed = TIDE_ENOMEM;
        return;
    }
    report_fact_json(r, "by_column", columns);
}

/* The last part of a path, so that no report names a folder. */
static const char *file_name(const tide_frame *f)
{
    const char *s = f->source ? f->source : "", *slash = strrchr(s, '/');
    if (slash) s = slash + 1;
    if (str_same(s, "-") || str_same(s, "stdin")) return "-";
    if (!*s || str_same(s, "memory")) return "FILE";
    return s;
}

static tide_status fill(struct look *l, tide_error *err)
{
    char title[128];
    tide_status s = TIDE_OK;
    (void)str_format(title, sizeof title, "%s row%s and %d column%s",
                     look_count(&l->arena, l->frame->n_rows),
                     l->frame->n_rows == 1 ? "" : "s", l->n_cols,
                     l->n_cols == 1 ? "" : "s");
    l->report = report_new(l->ctx, "look", title, err);
    if (!l->report) return err ? err->status : TIDE_ENOMEM;
    add_facts(l);
    look_findings(l);
    look_tables(l);
    if (l->frame->n_rows > 0) s = look_charts(l, err);
    look_advice(l);
    if (l->n_cols > LOOK_FULL)
        report_note(l->report, "charts are drawn of the first %d of %d columns",
                    LOOK_FULL, l->n_cols);
    if (!s) s = arena_status(&l->arena, err);
    return s ? s : report_status(l->report, err);
}

tide_status tide_look(tide_ctx *ctx, const tide_frame *frame,
                      const struct tide_look_options *options, tide_report **out,
                      tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct look l = {.ctx = ctx, .frame = frame, .target = -1};
    tide_status s;
    *out = NULL;
    if (frame->n_rows > UINT32_MAX - 1)
        return err_set(err, TIDE_CODE_DATA_RANGE,
                       "look takes at most 4,294,967,294 rows");
    arena_init(&l.arena, ctx);
    l.n_cols = frame->n_cols;
    l.file = file_name(frame);
    s = look_target_read(&l, options, err);
    if (!s) s = scan_columns(&l, err);
    if (!s) s = look_duplicates(&l, err);
    if (!s) {
        look_judge(&l);
        s = look_correlate(&l, err);
    }
    if (!s) s = fill(&l, err);
    if (!s) {
        *out = l.report;
        l.report = NULL;
    }
    tide_report_free(l.report);
    arena_free(&l.arena);
    return s;
}
