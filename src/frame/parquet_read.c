/* parquet_read.c - a table from a Parquet file: flat columns of every type, in parallel
 *
 * Chunks (one column of one row group) are decoded in any order straight into the frame; what
 * a chunk finds wrong is told by the lowest chunk that found something. Dictionaries are
 * joined by row groups in their order, without making a text for any row. A column whose
 * texts turn out to be no category is read a second time, as text. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/codec.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/file.h"
#include "base/par.h"
#include "base/size.h"
#include "base/str.h"
#include "frame/parquet.h"
#include "frame/source.h"
#include "frame/values.h"

/* ---- the file ---- */

/* What cannot be read at any place (a pipe, a compressed file) is read whole. */
static tide_status read_whole(struct pq_reader *r, const char *path, tide_error *err)
{
    struct source_text all;
    tide_status st = source_slurp(r->ctx, path, NULL, 0, &r->arena, &all, err);
    if (st != TIDE_OK) return st;
    r->data = (const uint8_t *)all.s;
    r->size = (int64_t)all.n;
    return st;
}

static tide_status open_file(struct pq_reader *r, const char *path, tide_error *err)
{
    char head[16];
    size_t got = 0;
    if (strcmp(path, "-") == 0 || !file_is_regular(path))
        return read_whole(r, path, err);
    tide_status st = file_open_read(path, &r->fd, &r->size, err);
    if (st == TIDE_OK) st = file_read(r->fd, r->path, head, sizeof head, &got, err);
    if (st != TIDE_OK || codec_sniff(head, got) == CODEC_PLAIN) return st;
    file_close(r->fd);
    r->fd = -1;
    return read_whole(r, path, err);
}

static tide_status bytes_at(struct pq_reader *r, int64_t offset, size_t n,
                            const uint8_t **out, tide_error *err)
{
    size_t got = 0;
    if (r->data) {
        *out = r->data + offset;
        return TIDE_OK;
    }
    uint8_t *p = arena_push(&r->arena, n + 1);
    if (!p) return arena_status(&r->arena, err);
    *out = p;
    tide_status st = file_pread(r->fd, r->path, p, n, offset, &got, err);
    if (st == TIDE_OK && got < n)
        st = pq_damaged(err, r->path, "the file ends at byte %lld",
                        (long long)offset + (long long)got);
    return st;
}

static tide_status read_footer(struct pq_reader *r, tide_error *err)
{
    const uint8_t *tail, *foot;
    int64_t most = r->o && r->o->max_columns ? r->o->max_columns : 65536;
    if (r->size < 12)
        return pq_damaged(err, r->path, "%lld bytes are too few for a Parquet file",
                          (long long)r->size);
    tide_status st = bytes_at(r, r->size - 8, 8, &tail, err);
    if (st != TIDE_OK) return st;
    if (memcmp(tail + 4, "PARE", 4) == 0) {
        err_set(err, TIDE_CODE_PARQUET_FEATURE, "the footer is encrypted");
        return err_at(err, r->path, 0, 0);
    }
    if (memcmp(tail + 4, "PAR1", 4) != 0)
        return pq_damaged(err, r->path,
                          "the file does not end with PAR1: it is cut short");
    int64_t n = pq_u32(tail);
    if (n > r->size - 12)
        return pq_damaged(err, r->path, "the footer is longer than the file");
    st = bytes_at(r, r->size - 8 - n, (size_t)n, &foot, err);
    return st == TIDE_OK
               ? pq_meta_read(&r->meta, &r->arena, foot, (size_t)n, r->path, most, err)
               : st;
}

/* ---- the plan ---- */

static tide_status refuse_column(const struct pq_reader *r, const struct pq_column *c,
                                 tide_error *err)
{
    const char *flat = NULL;
    for (int j = 0; j < r->meta.n_cols && !flat; j++)
        if (r->meta.cols[j].as != PQ_AS_NOTHING) flat = r->meta.cols[j].name;
    err_set(err, TIDE_CODE_DATA_TYPE, "column '%s' is %s, which is not read", c->name,
            c->what);
    err_field(err, c->name);
    if (flat) err_hint(err, "columns", "%s", flat);
    return err_at(err, r->path, 0, 0);
}

static tide_status choose(struct pq_reader *r, tide_error *err)
{
    struct pq_meta *m = &r->meta;
    int n = m->n_cols;
    const char **names = arena_array(&r->arena, n + 1, sizeof *names);
    uint8_t *take = arena_push(&r->arena, (size_t)n + 1);
    uint8_t *type = arena_push(&r->arena, (size_t)n + 1);
    if (!names || !take || !type) return arena_status(&r->arena, err);
    for (int j = 0; j < n; j++) names[j] = m->cols[j].name;
    tide_status st = wanted_columns(names, n, r->o, r->path, take, type, err);
    for (int j = 0; st == TIDE_OK && j < n; j++) {
        struct pq_column *c = &m->cols[j];
        c->taken = take[j];
        c->type = type[j];
        if (!c->taken) continue;
        if (c->as == PQ_AS_NOTHING) st = refuse_column(r, c, err);
        c->out = r->n_out++;
    }
    return st;
}

/* Rows cost memory that the file's size must justify. */
static tide_status check_size(const struct pq_reader *r, tide_error *err)
{
    int64_t each = 0, all;
    for (int j = 0; j < r->meta.n_cols; j++) each += r->meta.cols[j].taken ? 8 : 0;
    if (i64_mul(each, r->meta.n_rows, &all) == 0 && all <= r->most) return TIDE_OK;
    err_set(err, TIDE_CODE_LIMIT_EXPAND,
            "%lld rows of %d columns expand a file of %lld bytes more than %d-fold",
            (long long)r->meta.n_rows, r->n_out, (long long)r->size, EXPAND_RATIO);
    return err_at(err, r->path, 0, 0);
}

static tide_status plan(struct pq_reader *r, tide_error *err)
{
    struct pq_meta *m = &r->meta;
    struct arena *a = &r->arena;
    tide_status st = choose(r, err);
    if (st == TIDE_OK) st = check_size(r, err);
    if (st == TIDE_OK) st = frame_begin(r->ctx, m->n_rows, r->n_out, &r->f, err);
    if (st != TIDE_OK) return st;
    size_t n = (size_t)r->n_out + 1;
    r->col_of = arena_zero(a, n * sizeof *r->col_of);
    r->to = arena_zero(a, n * sizeof *r->to);
    r->missing = arena_zero(a, n * sizeof *r->missing);
    r->too_many = arena_zero(a, n * sizeof *r->too_many);
    r->cut = arena_zero(a, n * sizeof *r->cut);
    size_t parts;
    if (size_mul(n, (size_t)m->n_groups + 1, &parts) ||
        size_mul(parts, sizeof *r->part, &parts))
        return err_nomem(err, 0);
    r->part = arena_zero(a, parts);
    r->n_work = par_threads(r->ctx);
    r->work = arena_zero(a, (size_t)r->n_work * sizeof *r->work);
    if (a->failed) {
        r->n_work = 0;
        return arena_status(a, err);
    }
    for (int k = 0; k < r->n_work; k++) {
        arena_init(&r->work[k].scratch, r->ctx);
        arena_init(&r->work[k].temp, r->ctx);
        arena_init(&r->work[k].keep, r->ctx);
        r->work[k].failed = INT64_MAX;
    }
    for (int j = 0; j < m->n_cols; j++) {
        struct pq_column *from = &m->cols[j];
        if (!from->taken) continue;
        struct column *c = &r->f->cols[from->out];
        r->col_of[from->out] = j;
        c->name = arena_str(&r->f->arena, from->name);
        c->type = (uint8_t)pq_type(from);
        if (c->type == TIDE_CAT && from->type == TIDE_TEXT) c->type = TIDE_TEXT;
    }
    return arena_status(&r->f->arena, err);
}

/* Memory of a column; a text's comes when its length is known. */
static tide_status begin_column(struct pq_reader *r, int out, tide_error *err)
{
    struct column *c = &r->f->cols[out];
    static const uint8_t each[] = {[TIDE_BOOL] = 1, [TIDE_I64] = 8, [TIDE_F64] = 8,
                                   [TIDE_TIME] = 8, [TIDE_CAT] = 4, [TIDE_TEXT] = 0};
    if (c->type == TIDE_TEXT) return TIDE_OK;
    void *p = arena_array(&r->f->arena, c->n_rows + 1, each[c->type]);
    r->to[out] = p;
    if (c->type == TIDE_BOOL)
        c->b = p;
    else if (c->type == TIDE_F64)
        c->f64 = p;
    else if (c->type == TIDE_CAT)
        c->code = p;
    else
        c->i64 = p;
    return arena_status(&r->f->arena, err);
}

/* ---- chunks ---- */

struct pass {
    struct pq_reader *r;
    int n;
    const int *out; /* [n] columns of this pass */
    atomic_llong failed;
};

static void run_chunk(void *arg, int64_t task, int worker)
{
    struct pass *t = arg;
    struct pq_work *w = &t->r->work[worker];
    if (task > atomic_load(&t->failed)) return; /* an earlier one tells */
    tide_error err;
    tide_status st =
        pq_chunk_read(t->r, w, (int)(task / t->n), t->out[(int)(task % t->n)], &err);
    if (st == TIDE_OK) return;
    long long now = atomic_load(&t->failed);
    while (task < now && !atomic_compare_exchange_weak(&t->failed, &now, task)) {
    }
    if (task < w->failed) {
        w->failed = task;
        w->err = err;
    }
}

static tide_status run_pass(struct pq_reader *r, const int *out, int n, tide_error *err)
{
    struct pass t = {.r = r, .n = n, .out = out};
    atomic_init(&t.failed, INT64_MAX);
    if (n == 0) return TIDE_OK;
    tide_status st = par_for_progress(r->ctx, (int64_t)r->meta.n_groups * n, run_chunk,
                                      &t, "reading", err);
    if (st != TIDE_OK) return st;
    const struct pq_work *first = NULL;
    for (int k = 0; k < r->n_work; k++)
        if (r->work[k].failed < INT64_MAX &&
            (!first || r->work[k].failed < first->failed))
            first = &r->work[k];
    if (!first) return TIDE_OK;
    if (err) *err = first->err;
    return first->err.status;
}

/* ---- categories ---- */

struct join {
    struct pq_reader *r;
    struct arena *keep, *temp; /* [n_out] */
    struct level_set *set;
};

/* The levels of a column's row groups, in their order. */
static void join_column(void *arg, int64_t out, int worker)
{
    struct join *t = arg;
    struct pq_reader *r = t->r;
    const struct pq_column *from = &r->meta.cols[r->col_of[out]];
    struct arena *temp = &t->temp[out];
    struct level_set *set = &t->set[out];
    int64_t bytes = 0;
    (void)worker;
    if (r->f->cols[out].type != TIDE_CAT || atomic_load(&r->too_many[out])) return;
    if (level_set_init(set, temp, temp, r->meta.n_rows) != 0) return;
    for (int g = 0; g < r->meta.n_groups; g++) {
        struct pq_part *part = &r->part[(int64_t)g * r->n_out + out];
        part->map = arena_array(temp, (int64_t)part->n_levels + 1, sizeof *part->map);
        int same = part->map != NULL;
        for (uint32_t k = 0; part->map && k < part->n_levels; k++) {
            const struct level *l = &part->level[k];
            part->map[k] = level_set_add_hashed(set, l->s, l->len, l->hash, 0);
            same &= part->map[k] == k;
        }
        if (same) part->map = NULL;
        bytes += part->bytes;
    }
    int64_t cells = r->meta.n_rows - atomic_load(&r->missing[out]);
    if (from->type != TIDE_CAT &&
        !texts_are_category(set->n, r->meta.n_rows, cells, bytes))
        atomic_store(&r->too_many[out], 1);
}

static void recode_chunk(void *arg, int64_t task, int worker)
{
    struct pq_reader *r = arg;
    int out = (int)(task % r->n_out);
    int64_t g = task / r->n_out;
    const struct pq_part *part = &r->part[task];
    (void)worker;
    if (r->f->cols[out].type != TIDE_CAT || !part->map ||
        atomic_load(&r->too_many[out]))
        return;
    uint32_t *code = r->to[out];
    for (int64_t i = r->meta.row0[g]; i < r->meta.row0[g + 1]; i++)
        if (code[i] != CODE_MISSING) code[i] = part->map[code[i]];
}

static tide_status join_levels(struct pq_reader *r, tide_error *err)
{
    struct join t = {.r = r};
    size_t n = (size_t)r->n_out + 1;
    t.temp = arena_zero(&r->arena, n * sizeof *t.temp);
    t.set = arena_zero(&r->arena, n * sizeof *t.set);
    if (!t.temp || !t.set) return arena_status(&r->arena, err);
    for (int j = 0; j < r->n_out; j++) arena_init(&t.temp[j], r->ctx);
    tide_status st = par_for(r->ctx, r->n_out, join_column, &t, err);
    for (int j = 0; st == TIDE_OK && j < r->n_out; j++) {
        struct column *c = &r->f->cols[j];
        st = arena_status(&t.temp[j], err);
        if (st != TIDE_OK || c->type != TIDE_CAT || atomic_load(&r->too_many[j]))
            continue;
        if (level_set_dict(&t.set[j], &r->f->arena, &c->dict) != 0 &&
            !r->f->arena.failed)
            st = err_set(err, TIDE_CODE_DATA_TYPE,
                         "the levels of '%s' take more than 4 GiB", c->name);
    }
    if (st == TIDE_OK) st = arena_status(&r->f->arena, err);
    if (st == TIDE_OK && r->n_out)
        st =
            par_for(r->ctx, (int64_t)r->meta.n_groups * r->n_out, recode_chunk, r, err);
    for (int j = 0; j < r->n_out; j++) arena_free(&t.temp[j]);
    return st;
}

/* ---- texts ---- */

struct lay {
    struct pq_reader *r;
    int out;
    int64_t *at;
    char *text;
    uint8_t *missing;
};

static void lay_chunk(void *arg, int64_t g, int worker)
{
    const struct lay *t = arg;
    const struct pq_reader *r = t->r;
    const struct pq_part *part = &r->part[g * r->n_out + t->out];
    int64_t row0 = r->meta.row0[g], n = r->meta.row0[g + 1] - row0, at = t->at[row0];
    (void)worker;
    for (int64_t i = 0; i < n; i++) {
        const struct pq_text *s = &part->row[i];
        t->at[row0 + i] = at;
        t->missing[row0 + i] = s->s == NULL;
        if (s->n) memcpy(t->text + at, s->s, s->n);
        at += s->n;
    }
}

static tide_status lay_texts(struct pq_reader *r, int out, tide_error *err)
{
    struct column *c = &r->f->cols[out];
    struct arena *a = &r->f->arena;
    struct lay t = {.r = r, .out = out};
    int64_t total = 0;
    t.at = arena_array(a, c->n_rows + 1, sizeof *t.at);
    t.missing = arena_push(a, (size_t)c->n_rows + 1);
    if (!t.at || !t.missing) return arena_status(a, err);
    for (int g = 0; g < r->meta.n_groups; g++) {
        t.at[r->meta.row0[g]] = total;
        total += r->part[(int64_t)g * r->n_out + out].bytes;
    }
    if (total > r->most) {
        err_set(err, TIDE_CODE_LIMIT_EXPAND,
                "texts of '%s' expand to more than %lld bytes", c->name,
                (long long)r->most);
        return err_at(err, r->path, 0, 0);
    }
    t.text = arena_push(a, (size_t)total + 1);
    if (!t.text) return arena_status(a, err);
    tide_status st = par_for(r->ctx, r->meta.n_groups, lay_chunk, &t, err);
    t.at[c->n_rows] = total;
    c->text_at = t.at;
    c->text = t.text;
    c->text_missing = t.missing;
    return st;
}

/* Columns declared text, and those whose levels are no category's. */
static tide_status read_texts(struct pq_reader *r, tide_error *err)
{
    int n = 0, *out = arena_array(&r->arena, r->n_out + 1, sizeof *out);
    if (!out) return arena_status(&r->arena, err);
    for (int j = 0; j < r->n_out; j++) {
        struct column *c = &r->f->cols[j];
        if (atomic_load(&r->too_many[j])) {
            c->type = TIDE_TEXT;
            c->code = NULL;
            atomic_store(&r->too_many[j], 0);
            atomic_store(&r->missing[j], 0);
        }
        if (c->type == TIDE_TEXT) out[n++] = j;
    }
    atomic_store(&r->expanded, 0);
    tide_status st = run_pass(r, out, n, err);
    for (int k = 0; st == TIDE_OK && k < n; k++) st = lay_texts(r, out[k], err);
    return st;
}

/* ---- the frame ---- */

static tide_status read_columns(struct pq_reader *r, tide_error *err)
{
    int n = 0, *out = arena_array(&r->arena, r->n_out + 1, sizeof *out);
    tide_status st = arena_status(&r->arena, err);
    for (int j = 0; st == TIDE_OK && j < r->n_out; j++) {
        st = begin_column(r, j, err);
        if (r->f->cols[j].type != TIDE_TEXT) out[n++] = j;
    }
    if (st == TIDE_OK) st = run_pass(r, out, n, err);
    if (st == TIDE_OK) st = join_levels(r, err);
    return st == TIDE_OK ? read_texts(r, err) : st;
}

static void warn_of_cuts(const struct pq_reader *r)
{
    for (int j = 0; j < r->n_out; j++) {
        if (!atomic_load(&r->cut[j])) continue;
        tide_error w = {0};
        err_set(&w, TIDE_CODE_DATA_PRECISION,
                "nanoseconds of '%s' are cut to microseconds", r->f->cols[j].name);
        err_field(&w, r->f->cols[j].name);
        err_at(&w, r->path, 0, 0);
        ctx_warn(r->ctx, &w);
    }
}

static tide_status finish(struct pq_reader *r, tide_error *err)
{
    tide_frame *f = r->f;
    char text[160];
    tide_status st = TIDE_OK;
    for (int j = 0; st == TIDE_OK && j < f->n_cols; j++) {
        const struct pq_column *from = &r->meta.cols[r->col_of[j]];
        f->cols[j].n_missing = atomic_load(&r->missing[j]);
        if (r->o) st = column_drop_tokens(f, &f->cols[j], &r->o->na, err);
        if (st == TIDE_OK)
            st = column_retype(f, &f->cols[j], (enum tide_type)from->type, err);
    }
    if (st != TIDE_OK) return st;
    str_format(text, sizeof text, "parquet, %d row group%s%s%s", r->meta.n_groups,
               r->meta.n_groups == 1 ? "" : "s", *r->meta.writer ? ", by " : "",
               r->meta.writer);
    f->dialect = arena_str(&f->arena, text);
    f->source = arena_str(&f->arena, r->path);
    /* infinities were found, missing values counted by the chunks; tokens alter the count */
    st = arena_status(&f->arena, err);
    if (st != TIDE_OK) return st;
    int recount = r->o && (r->o->na.n || r->o->types.n);
    return recount ? frame_seal(f, err) : frame_check_names(f, err);
}

tide_status parquet_read_table(struct tide_ctx *ctx, const char *path, const void *data,
                               size_t n_data, const struct tide_read_options *options,
                               int64_t expand_free, tide_frame **out, tide_error *err)
{
    struct pq_reader r = {.ctx = ctx, .o = options, .fd = -1};
    tide_status st = TIDE_OK;
    *out = NULL;
    r.path = !path ? "memory" : strcmp(path, "-") == 0 ? "stdin" : path;
    arena_init(&r.arena, ctx);
    if (path) {
        st = open_file(&r, path, err);
    } else {
        r.data = data;
        r.size = (int64_t)n_data;
    }
    r.most = expand_free ? expand_free : EXPAND_FREE;
    if (r.size > r.most / EXPAND_RATIO) r.most = r.size * EXPAND_RATIO;
    if (st == TIDE_OK) st = read_footer(&r, err);
    if (st == TIDE_OK) st = plan(&r, err);
    if (st == TIDE_OK) st = read_columns(&r, err);
    if (st == TIDE_OK) st = finish(&r, err);
    if (st == TIDE_OK) {
        warn_of_cuts(&r);
        *out = r.f;
    } else {
        tide_frame_free(r.f);
    }
    for (int k = 0; k < r.n_work; k++) {
        arena_free(&r.work[k].scratch);
        arena_free(&r.work[k].temp);
        arena_free(&r.work[k].keep);
        block_coder_free(&r.work[k].coder);
    }
    arena_free(&r.arena);
    if (r.fd >= 0) file_close(r.fd);
    return st;
}
