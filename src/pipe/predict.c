/* predict.c - scoring rows: bind by name, then blocks of rows through steps and learner
 *
 * A block is scored alone, its columns gathered and transformed in an arena of its own, so
 * memory does not grow with the table and the blocks run in parallel. No step and no learner
 * looks across rows when it applies, so the block size changes no bit. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "pipe/flow.h"

#define MOST_ROWS  4096
#define MOST_CELLS (1 << 20)

struct scoring {
    struct tide_ctx *ctx;
    const tide_model *m;
    const struct view *v;
    double *out;
    int64_t block_rows;
    int width;       /* scores of a row */
    tide_error *bad; /* [workers] the error of the lowest block that failed there */
    int64_t *bad_block;
};

/* Refuses gaps in rows [i0, i0 + n) for a learner that cannot take them. */
static tide_status check_gaps(const struct tide_learner *l, const struct view *v,
                              int64_t i0, int64_t n, tide_error *err)
{
    double x[256];
    uint32_t code[256];
    for (int j = 0; j < v->n_cols; j++) {
        int is_category = v->cols[j]->type == TIDE_CAT;
        for (int64_t i = 0; i < n; i += 256) {
            int64_t m = n - i < 256 ? n - i : 256;
            if (is_category)
                view_codes(v, j, i0 + i, m, code);
            else
                view_numbers(v, j, i0 + i, m, x);
            for (int64_t k = 0; k < m; k++) {
                if (is_category ? code[k] != CODE_MISSING : !isnan(x[k])) continue;
                int64_t row = view_id(v, i0 + i + k);
                err_set(err, TIDE_CODE_DATA_MISSING,
                        "%s cannot take missing values and '%s' has one in row %lld",
                        l->name, v->cols[j]->name, (long long)row + 1);
                err->row = row + 1;
                err_field(err, v->cols[j]->name);
                return err_hint(err, "", "train with %s",
                                is_category ? "impute:mode" : "impute:median");
            }
        }
    }
    return TIDE_OK;
}

static tide_status score_learner(const struct tide_model *m, const struct view *v,
                                 int64_t i0, int64_t n, double *out, tide_error *err)
{
    const struct fitted_node *last = &m->nodes[m->n_nodes - 1];
    tide_status st = flow_match(last, v, err);
    if (!st && !(last->learner->traits & TIDE_TAKES_MISSING))
        st = check_gaps(last->learner, v, i0, n, err);
    return st ? st : last->learner->predict(last->object, v, i0, n, out, err);
}

static int has_active_steps(const tide_model *m)
{
    int active = 0;
    for (int k = 0; k + 1 < m->n_nodes; k++) active |= m->nodes[k].n_in > 0;
    return active;
}

tide_status predict_rows(struct tide_ctx *ctx, const tide_model *m,
                         const struct view *x, int64_t i0, int64_t n, double *out,
                         tide_error *err)
{
    if (!has_active_steps(m)) return score_learner(m, x, i0, n, out, err);
    struct arena a;
    arena_init(&a, ctx);
    struct view v = *x;
    tide_status st = TIDE_OK;
    int64_t *rows = arena_array(&a, n, sizeof *rows),
            *ids = arena_array(&a, n, sizeof *ids);
    for (int64_t i = 0; rows && ids && i < n; i++) {
        rows[i] = view_row(x, i0 + i);
        ids[i] = view_id(x, i0 + i);
    }
    v.rows = rows;
    v.ids = ids;
    v.n_rows = n;
    st = arena_status(&a, err);
    if (!st) st = flow_gather(ctx, &v, &a, &v, err);
    for (int k = 0; !st && k + 1 < m->n_nodes; k++) {
        struct view next;
        st = flow_apply(ctx, &m->nodes[k], &v, &a, &next, NULL, err);
        v = next;
    }
    if (!st) st = score_learner(m, &v, 0, n, out, err);
    arena_free(&a);
    return st;
}

static void score_block(void *arg, int64_t block, int worker)
{
    struct scoring *s = arg;
    int64_t i0 = block * s->block_rows, n = s->v->n_rows - i0;
    tide_error err = {0};
    if (n > s->block_rows) n = s->block_rows;
    if (predict_rows(s->ctx, s->m, s->v, i0, n, s->out + i0 * s->width, &err) ==
        TIDE_OK)
        return;
    if (s->bad_block[worker] >= 0 && s->bad_block[worker] < block) return;
    s->bad_block[worker] = block;
    s->bad[worker] = err;
}

tide_status predict_view(struct tide_ctx *ctx, const tide_model *m,
                         const struct view *v, double *out, tide_error *err)
{
    int workers = par_threads(ctx);
    struct scoring s = {.ctx = ctx, .m = m, .v = v, .out = out};
    if (v->n_rows == 0) return TIDE_OK;
    s.width = schema_width(&m->schema);
    s.block_rows = MOST_CELLS / (v->n_cols + 1);
    if (s.block_rows > MOST_ROWS) s.block_rows = MOST_ROWS;
    if (s.block_rows < 64) s.block_rows = 64;
    s.bad = mem_array((size_t)workers, sizeof *s.bad);
    s.bad_block = mem_array((size_t)workers, sizeof *s.bad_block);
    tide_status st = s.bad && s.bad_block ? TIDE_OK : err_nomem(err, 0);
    for (int k = 0; !st && k < workers; k++) s.bad_block[k] = -1;
    int64_t n_blocks = (v->n_rows + s.block_rows - 1) / s.block_rows, first = n_blocks;
    if (!st) st = par_for_progress(ctx, n_blocks, score_block, &s, "predicting", err);
    for (int k = 0; s.bad_block && s.bad && k < workers; k++) {
        if (st || s.bad_block[k] < 0 || s.bad_block[k] >= first) continue;
        first = s.bad_block[k];
    }
    for (int k = 0; !st && first < n_blocks && k < workers; k++)
        if (s.bad_block[k] == first) {
            st = s.bad[k].status;
            if (err) *err = s.bad[k];
        }
    mem_free(s.bad);
    mem_free(s.bad_block);
    return st;
}

tide_status pipe_predict(struct tide_ctx *ctx, const tide_model *m,
                         const tide_frame *frame, const int64_t *rows, int64_t n,
                         double *out, struct bind_counts *counts, tide_error *err)
{
    struct arena a;
    const struct column **cols = NULL;
    arena_init(&a, ctx);
    tide_status st =
        bind_frame(ctx, &m->schema, frame, rows, n, &a, &cols, counts, err);
    struct view v = {.n_rows = rows ? n : frame->n_rows,
                     .n_cols = m->schema.n_cols,
                     .cols = cols,
                     .rows = rows};
    if (!st) st = predict_view(ctx, m, &v, out, err);
    arena_free(&a);
    return st;
}

int32_t model_label(const tide_model *m, const double *proba)
{
    const struct schema *s = &m->schema;
    if (s->n_classes == 2 && s->positive >= 0 && s->positive < 2)
        return proba[s->positive] >= s->threshold ? s->positive : 1 - s->positive;
    int32_t best = 0;
    for (int32_t k = 1; k < s->n_classes; k++)
        if (proba[k] > proba[best]) best = k;
    return best;
}

/* ---- truth ---- */

static const char *label_text(const struct column *c, int64_t row, char *buf,
                              size_t size, size_t *len)
{
    int64_t n = column_text(c, row, buf, size);
    if (n < 0) return NULL;
    *len = n < (int64_t)size ? (size_t)n : size - 1;
    return buf;
}

/* TRUE is True and true, whatever a table writes. */
static int is_same_word(const char *label, const char *text, size_t len)
{
    size_t i = 0;
    for (; i < len && label[i]; i++)
        if ((label[i] | 32) != (text[i] | 32)) return 0;
    return i == len && !label[i];
}

/* Class of a label; labels stand in numeric or byte order, so this is a plain search. */
int32_t schema_class(const struct schema *s, const char *text, size_t len)
{
    for (int32_t k = 0; k < s->n_classes; k++)
        if (strlen(s->labels[k]) == len && memcmp(s->labels[k], text, len) == 0)
            return k;
    for (int32_t k = 0; k < s->n_classes && s->target_type == TIDE_BOOL; k++)
        if (is_same_word(s->labels[k], text, len)) return k;
    double x, y;
    if (num_parse(text, len, '.', &x) == NUM_BAD) return s->n_classes;
    for (int32_t k = 0; k < s->n_classes; k++)
        if (num_parse(s->labels[k], strlen(s->labels[k]), '.', &y) != NUM_BAD && x == y)
            return k;
    return s->n_classes;
}

static void note_unknown(struct truth *t, struct arena *a, const char *text, size_t len)
{
    int known = t->n_unknown < 8 ? t->n_unknown : 8;
    for (int i = 0; i < known; i++)
        if (t->unknown[i] && strlen(t->unknown[i]) == len &&
            memcmp(t->unknown[i], text, len) == 0)
            return;
    if (t->n_unknown < 8) t->unknown[t->n_unknown] = arena_strn(a, text, len);
    t->n_unknown++;
}

static tide_status truth_classes(struct tide_ctx *ctx, const tide_model *m,
                                 const struct column *c, struct arena *a,
                                 struct truth *t, int64_t *rows, tide_error *err)
{
    int32_t *k = arena_array(a, c->n_rows, sizeof *k);
    uint32_t n_levels = c->type == TIDE_CAT ? c->dict.n : 0;
    int32_t *of_level = arena_array(a, n_levels, sizeof *of_level);
    tide_status st = arena_status(a, err);
    if (st) return st;
    memset(of_level, 0xff, n_levels * sizeof *of_level);
    char text[4096];
    size_t len = 0;
    for (int64_t i = 0; i < c->n_rows; i++) {
        if (i % 65536 == 0 && ctx_cancelled(ctx)) return err_cancelled(err);
        uint32_t code = n_levels ? c->code[i] : CODE_MISSING;
        if (code != CODE_MISSING && of_level[code] >= 0) {
            k[t->n] = of_level[code];
            rows[t->n++] = i;
            continue;
        }
        if (!label_text(c, i, text, sizeof text, &len)) {
            t->n_missing++;
            continue;
        }
        k[t->n] = schema_class(&m->schema, text, len);
        if (k[t->n] == m->schema.n_classes) note_unknown(t, a, text, len);
        if (code != CODE_MISSING) of_level[code] = k[t->n];
        rows[t->n++] = i;
    }
    t->k = k;
    return arena_status(a, err);
}

static tide_status truth_numbers(const tide_frame *frame, const struct column *c,
                                 struct arena *a, struct truth *t, int64_t *rows,
                                 tide_error *err)
{
    double *y = arena_array(a, c->n_rows, sizeof *y);
    if (!y) return arena_status(a, err);
    if (!column_is_numeric(c) && c->n_missing < c->n_rows) {
        err_set(err, TIDE_CODE_DATA_TARGET,
                "'%s' holds %s and the model predicts numbers", c->name,
                c->type == TIDE_CAT ? "categories" : "text");
        err_field(err, c->name);
        return err_at(err, frame->source, 0, 0);
    }
    struct view v = {.n_rows = c->n_rows, .n_cols = 1, .cols = &c};
    if (column_is_numeric(c)) view_numbers(&v, 0, 0, c->n_rows, y);
    for (int64_t i = 0; i < c->n_rows; i++) {
        if (!column_is_numeric(c) || isnan(y[i])) continue;
        y[t->n] = y[i];
        rows[t->n++] = i;
    }
    t->n_missing = c->n_rows - t->n;
    t->y = y;
    return TIDE_OK;
}

/* Weights of the truth's rows; rows of weight 0 stay in and weigh nothing. */
static tide_status truth_weights(const tide_model *m, const tide_frame *frame,
                                 struct arena *a, struct truth *t, tide_error *err)
{
    if (!m->schema.weight) return TIDE_OK;
    int j = tide_frame_find(frame, m->schema.weight, "weight", NULL);
    if (j < 0 || !column_is_numeric(&frame->cols[j])) return TIDE_OK;
    const struct column *c = &frame->cols[j];
    double *w = arena_array(a, t->n, sizeof *w);
    if (!w) return arena_status(a, err);
    struct view v = {.n_rows = t->n, .n_cols = 1, .cols = &c, .rows = t->rows};
    view_numbers(&v, 0, 0, t->n, w);
    for (int64_t i = 0; i < t->n; i++) {
        if (w[i] >= 0) continue;
        char text[NUM_PRINT_MAX];
        num_print(text, w[i]);
        err_set(err, TIDE_CODE_DATA_WEIGHT,
                "weight '%s' must be at least 0, got \"%s\"", c->name, text);
        if (err) err->row = t->rows[i] + 1;
        err_field(err, c->name);
        return err_at(err, frame->source, frame_line(frame, t->rows[i]), 0);
    }
    t->w = w;
    return TIDE_OK;
}

/* Groups of the truth's rows, where the frame has their column. */
static tide_status truth_groups(const tide_model *m, const tide_frame *frame,
                                struct arena *a, struct truth *t, tide_error *err)
{
    int j =
        m->schema.group ? tide_frame_find(frame, m->schema.group, "group", NULL) : -1;
    return j < 0 ? TIDE_OK : pipe_groups(frame, j, t->rows, t->n, a, &t->group, err);
}

tide_status pipe_truth(struct tide_ctx *ctx, const tide_model *m,
                       const tide_frame *frame, struct arena *a, struct truth *out,
                       tide_error *err)
{
    *out = (struct truth){0};
    int j = tide_frame_find(frame, m->schema.target, "", err);
    if (j < 0) return err_at(err, frame->source, frame->first_line > 0, 0), TIDE_EDATA;
    int64_t *rows = arena_array(a, frame->n_rows, sizeof *rows);
    if (!rows) return arena_status(a, err);
    out->rows = rows;
    tide_status st = m->schema.task == TIDE_CLASSIFY
                         ? truth_classes(ctx, m, &frame->cols[j], a, out, rows, err)
                         : truth_numbers(frame, &frame->cols[j], a, out, rows, err);
    if (!st) st = truth_weights(m, frame, a, out, err);
    return st ? st : truth_groups(m, frame, a, out, err);
}
