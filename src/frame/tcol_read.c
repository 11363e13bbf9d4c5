/* tcol_read.c - columns from the blocks of a column file, in parallel
 *
 * A task is one block of one wanted column, or a dictionary. Cells as wide as the frame holds
 * them are read where they belong and looked at while they are in cache; others go through a
 * buffer of the thread's. Blocks of columns that are not wanted are not read. What a block finds
 * wrong is told by the first block that found something. */
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/par.h"
#include "base/size.h"
#include "base/str.h"
#include "frame/source.h"
#include "frame/tcol.h"
#include "frame/values.h"
#include "spec/reader.h"

extern const struct tide_reader tide_reader_tcol;

/* A thread's own. */
struct tcol_work {
    struct arena arena;
    struct arena_buffer stored, raw;
    struct block_coder coder;
    int64_t failed; /* lowest task that failed, or INT64_MAX */
    tide_error err;
};
struct tcol_reader {
    struct tcol_file *file;
    const struct tide_read_options *o;
    tide_frame *f;
    int n_out;                 /* columns read: the frame's, then that of lines */
    int *from;                 /* [n_out] column of the file */
    struct column **to, lines; /* [n_out] */
    int64_t *text_at;          /* [n_out][n_blocks] where a block's texts begin */
    int n_dicts, *dict_out;    /* category columns among those read */
    int64_t *dict_block;       /* [n_dicts] */
    atomic_llong *n_infinite;  /* [n_out] infinities that became missing */
    atomic_llong failed;
    struct tcol_work *work; /* [n_work] */
    int n_work;
};

/* ---- one block ---- */

struct taking {
    struct tcol_reader *r;
    struct tcol_work *w;
    const struct tcol_block *b;
    const struct tcol_column *from;
    struct column *to;
    int out;
    int64_t row0, n; /* n = 0: levels */
    tide_error *err;
};

static tide_status block_fault(const struct taking *t, const char *what)
{
    char name[128];
    const char *path = t->r->file->path;
    err_quote(name, sizeof name, t->from->name, strlen(t->from->name), 60);
    if (t->n)
        tcol_damaged(t->err, path, t->b->offset,
                     "the block of rows %lld to %lld of '%s' %s",
                     (long long)t->row0 + 1, (long long)(t->row0 + t->n), name, what);
    else
        tcol_damaged(t->err, path, t->b->offset, "the block of levels of '%s' %s", name,
                     what);
    err_field(t->err, t->from->name);
    return TIDE_EDATA;
}

static tide_status check_crc(const struct taking *t, const void *data, size_t n,
                             const void *more, size_t n_more)
{
    uint32_t crc = crc32c(0, data, n);
    if (n_more) crc = crc32c(crc, more, n_more);
    return crc == t->b->crc ? TIDE_OK : block_fault(t, "has another checksum");
}

/* What follows the block up to the next. */
static tide_status check_pad(const struct taking *t)
{
    uint8_t pad[TCOL_ALIGN], any = 0;
    int64_t at = t->b->offset + t->b->stored, n = tcol_align(at) - at;
    tide_status st = tcol_fetch(t->r->file, at, (size_t)n, pad, t->err);
    for (int64_t i = 0; st == TIDE_OK && i < n; i++) any |= pad[i];
    return st == TIDE_OK && any ? block_fault(t, "is followed by bytes of nothing")
                                : st;
}

/* What is stored, in the thread's buffer. */
static tide_status fetch_stored(const struct taking *t, const uint8_t **out)
{
    size_t n = (size_t)t->b->stored;
    uint8_t *p = arena_room(&t->w->arena, &t->w->stored, n + 1);
    if (!p) return arena_status(&t->w->arena, t->err);
    *out = p;
    tide_status st = tcol_fetch(t->r->file, t->b->offset, n, p, t->err);
    return st == TIDE_OK ? check_crc(t, p, n, NULL, 0) : st;
}

/* The raw bytes, into `to`. */
static tide_status fetch_raw(const struct taking *t, void *to)
{
    const uint8_t *stored = NULL;
    size_t n = (size_t)t->b->raw;
    if (t->b->codec == BLOCK_PLAIN) {
        tide_status st = tcol_fetch(t->r->file, t->b->offset, n, to, t->err);
        return st == TIDE_OK ? check_crc(t, to, n, NULL, 0) : st;
    }
    tide_status st = fetch_stored(t, &stored);
    if (st != TIDE_OK) return st;
    enum block_result res = block_decode(&t->w->coder, (enum block_kind)t->b->codec,
                                         stored, (size_t)t->b->stored, to, n);
    if (res == BLOCK_NOMEM) return err_nomem(t->err, n);
    return res == BLOCK_OK ? TIDE_OK : block_fault(t, "cannot be unpacked");
}

/* The same in a buffer of the thread's. */
static tide_status fetch_buffer(const struct taking *t, const uint8_t **out)
{
    uint8_t *p = arena_room(&t->w->arena, &t->w->raw, (size_t)t->b->raw + 1);
    *out = p;
    return p ? fetch_raw(t, p) : arena_status(&t->w->arena, t->err);
}

static tide_status refuse_infinite(const struct taking *t, int64_t row)
{
    char name[128];
    err_quote(name, sizeof name, t->from->name, strlen(t->from->name), 60);
    err_set(t->err, TIDE_CODE_DATA_INFINITE, "row %lld of '%s' is infinite",
            (long long)row + 1, name);
    err_hint(t->err, "inf", "missing");
    err_field(t->err, t->from->name);
    t->err->row = row + 1;
    err_at(t->err, t->r->file->path, 0, 0);
    return TIDE_EDATA;
}

static tide_status end_cells(const struct taking *t, const struct tcol_cells *cells,
                             const char *what)
{
    if (what) return block_fault(t, what);
    if (cells->missing != (int64_t)t->b->missing)
        return block_fault(t, "has another number of missing cells than it says");
    if (cells->infinite >= 0 && !cells->drop_inf)
        return refuse_infinite(t, cells->infinite);
    if (cells->n_infinite)
        atomic_fetch_add(&t->r->n_infinite[t->out], cells->n_infinite);
    return TIDE_OK;
}

static struct tcol_cells cells_of(const struct taking *t)
{
    return (struct tcol_cells){.type = (enum tide_type)t->from->type,
                               .n_levels = t->from->n_levels,
                               .row0 = t->row0,
                               .n = t->n,
                               .width = t->b->width,
                               .base = t->b->base,
                               .drop_inf = t->r->o && t->r->o->inf == 1};
}

static char *cells_begin(const struct column *c)
{
    const void *p = c->type == TIDE_BOOL  ? (const void *)c->b
                    : c->type == TIDE_F64 ? (const void *)c->f64
                    : c->type == TIDE_CAT ? (const void *)c->code
                                          : (const void *)c->i64;
    return (char *)(uintptr_t)p;
}

static tide_status take_cells(const struct taking *t)
{
    struct tcol_cells cells = cells_of(t);
    const uint8_t *src = NULL;
    int each = tcol_cell_bytes(cells.type);
    tide_status st = each == cells.width
                         ? fetch_raw(t, cells_begin(t->to) + t->row0 * each)
                         : fetch_buffer(t, &src);
    if (st != TIDE_OK) return st;
    return end_cells(t, &cells, tcol_take_cells(&cells, src, t->to));
}

static tide_status take_texts(const struct taking *t, int64_t at)
{
    struct tcol_cells cells = cells_of(t);
    size_t n_head = (size_t)t->n * t->b->width, n_text = (size_t)t->b->raw - n_head;
    char *text = (char *)(uintptr_t)t->to->text + at;
    const uint8_t *src = NULL;
    tide_status st;
    if (t->b->codec == BLOCK_PLAIN) {
        uint8_t *head = arena_room(&t->w->arena, &t->w->stored, n_head + 1);
        if (!head) return arena_status(&t->w->arena, t->err);
        src = head;
        st = tcol_fetch(t->r->file, t->b->offset, n_head, head, t->err);
        if (st == TIDE_OK)
            st = tcol_fetch(t->r->file, t->b->offset + (int64_t)n_head, n_text, text,
                            t->err);
        if (st == TIDE_OK) st = check_crc(t, head, n_head, text, n_text);
    } else {
        st = fetch_buffer(t, &src);
        if (st == TIDE_OK && n_text) memcpy(text, src + n_head, n_text);
    }
    if (st != TIDE_OK) return st;
    const char *what = tcol_take_lengths(&cells, src, at, (int64_t)n_text, t->to);
    if (!what) what = tcol_check_texts(&cells, (int64_t)n_text, t->to);
    return end_cells(t, &cells, what);
}

static tide_status take_levels(const struct taking *t)
{
    struct arena temp;
    struct dict *d = &t->to->dict;
    void *raw = (void *)(uintptr_t)d->offset;
    tide_status st = fetch_raw(t, raw);
    if (st != TIDE_OK) return st;
    arena_init(&temp, t->r->file->ctx);
    const char *what =
        tcol_take_levels(raw, t->b->raw, (uint32_t)t->from->n_levels, &temp, d);
    st = what ? block_fault(t, what) : arena_status(&temp, t->err);
    arena_free(&temp);
    return st;
}

static tide_status take_block(struct tcol_reader *r, struct tcol_work *w, int64_t task,
                              tide_error *err)
{
    const struct tcol_file *file = r->file;
    int64_t cells = file->n_blocks * r->n_out, block = task / (r->n_out ? r->n_out : 1);
    int is_dict = task >= cells;
    int out = is_dict ? r->dict_out[task - cells] : (int)(task % r->n_out);
    int64_t at =
        is_dict ? r->dict_block[task - cells] : block * file->n_cols + r->from[out];
    int64_t row0 = is_dict ? 0 : block * TCOL_ROWS, left = file->n_rows - row0;
    struct taking t = {.r = r,
                       .w = w,
                       .b = &file->blocks[at],
                       .from = &file->cols[r->from[out]],
                       .to = r->to[out],
                       .out = out,
                       .row0 = row0,
                       .n = is_dict            ? 0
                            : left < TCOL_ROWS ? left
                                               : TCOL_ROWS,
                       .err = err};
    tide_status st = is_dict ? take_levels(&t)
                     : t.from->type == TIDE_TEXT
                         ? take_texts(&t, r->text_at[out * file->n_blocks + block])
                         : take_cells(&t);
    return st == TIDE_OK ? check_pad(&t) : st;
}

static void run_task(void *arg, int64_t task, int worker)
{
    struct tcol_reader *r = arg;
    struct tcol_work *w = &r->work[worker];
    tide_error err = {0};
    if (task > atomic_load(&r->failed)) return; /* an earlier one tells */
    if (take_block(r, w, task, &err) == TIDE_OK) return;
    long long now = atomic_load(&r->failed);
    while (task < now && !atomic_compare_exchange_weak(&r->failed, &now, task)) {
    }
    if (task < w->failed) {
        w->failed = task;
        w->err = err;
    }
}

/* ---- the plan ---- */

static tide_status choose(struct tcol_reader *r, int lines, tide_error *err)
{
    struct tcol_file *file = r->file;
    int n = file->n_cols - file->has_lines;
    const char **names = arena_array(&file->arena, n + 1, sizeof *names);
    uint8_t *take = arena_push(&file->arena, (size_t)n + 1);
    uint8_t *type = arena_push(&file->arena, (size_t)n + 1);
    r->from = arena_array(&file->arena, n + 2, sizeof *r->from);
    if (!names || !take || !type || !r->from) return arena_status(&file->arena, err);
    for (int j = 0; j < n; j++) names[j] = file->cols[j].name;
    tide_status st = wanted_columns(names, n, r->o, file->path, take, type, err);
    for (int j = 0; st == TIDE_OK && j < n; j++) {
        file->cols[j].declared = type[j];
        if (take[j]) r->from[r->n_out++] = j;
    }
    if (st == TIDE_OK && lines && file->has_lines) r->from[r->n_out++] = n;
    return st;
}

/* The memory that columns will take, and that missing cells are as many as the header says. */
static tide_status tcol_check_size(const struct tcol_reader *r, tide_error *err)
{
    const struct tcol_file *file = r->file;
    double need = 8.0 * (double)file->n_rows, most = (double)EXPAND_FREE;
    for (int k = 0; k < r->n_out; k++) {
        const struct tcol_column *c = &file->cols[r->from[k]];
        int64_t missing = 0;
        for (int64_t b = 0; b < file->n_blocks; b++) {
            const struct tcol_block *at = &file->blocks[b * file->n_cols + r->from[k]];
            missing += at->missing;
            if (c->type == TIDE_TEXT) need += (double)at->raw;
        }
        need += 9.0 * (double)file->n_rows;
        if (missing != c->n_missing)
            return tcol_damaged(err, file->path, -1,
                                "the blocks of '%s' miss %lld cells and the header "
                                "says %lld",
                                c->name, (long long)missing, (long long)c->n_missing);
    }
    for (int k = 0; k < r->n_dicts; k++)
        need += (double)file->blocks[r->dict_block[k]].raw;
    if ((double)file->size * EXPAND_RATIO > most)
        most = (double)file->size * EXPAND_RATIO;
    if (need <= most) return TIDE_OK;
    err_set(err, TIDE_CODE_LIMIT_EXPAND,
            "%lld rows of %d columns expand a file of %lld bytes more than %d-fold",
            (long long)file->n_rows, r->n_out, (long long)file->size, EXPAND_RATIO);
    err_at(err, file->path, 0, 0);
    return TIDE_ELIMIT;
}

static tide_status find_dicts(struct tcol_reader *r, tide_error *err)
{
    const struct tcol_file *file = r->file;
    struct arena *a = &r->file->arena;
    int64_t at = file->n_blocks * file->n_cols;
    r->dict_out = arena_array(a, (int64_t)r->n_out + 1, sizeof *r->dict_out);
    r->dict_block = arena_array(a, (int64_t)r->n_out + 1, sizeof *r->dict_block);
    if (!r->dict_out || !r->dict_block) return arena_status(a, err);
    for (int j = 0, k = 0; j < file->n_cols; j++) {
        while (k < r->n_out && r->from[k] < j) k++;
        if (file->cols[j].type != TIDE_CAT) continue;
        if (k < r->n_out && r->from[k] == j) {
            r->dict_out[r->n_dicts] = k;
            r->dict_block[r->n_dicts++] = at;
        }
        at++;
    }
    return TIDE_OK;
}

/* Memory of a column; texts of block b begin at at[b]. */
static void begin_column(struct tcol_reader *r, int k, struct arena *a)
{
    const struct tcol_file *file = r->file;
    const struct tcol_column *from = &file->cols[r->from[k]];
    struct column *c = r->to[k];
    int each = tcol_cell_bytes((enum tide_type)from->type);
    int64_t *at = r->text_at + (int64_t)k * file->n_blocks, total = 0;
    c->type = from->type;
    c->bool_style = from->bool_style;
    c->n_rows = file->n_rows;
    c->n_missing = from->n_missing;
    void *cells = arena_array(a, file->n_rows + 1, each ? (size_t)each : 8);
    if (c->type == TIDE_BOOL)
        c->b = cells;
    else if (c->type == TIDE_F64)
        c->f64 = cells;
    else if (c->type == TIDE_CAT)
        c->code = cells;
    else if (c->type != TIDE_TEXT)
        c->i64 = cells;
    if (c->type != TIDE_TEXT) return;
    for (int64_t b = 0; b < file->n_blocks; b++) {
        const struct tcol_block *block = &file->blocks[b * file->n_cols + r->from[k]];
        int64_t left = file->n_rows - b * TCOL_ROWS;
        at[b] = total;
        total += block->raw - (left < TCOL_ROWS ? left : TCOL_ROWS) * block->width;
    }
    c->text = arena_push(a, (size_t)total + 1);
    if (from->n_missing) c->text_missing = arena_push(a, (size_t)file->n_rows + 1);
    c->text_at = cells;
    if (cells) ((int64_t *)cells)[file->n_rows] = total;
}

static tide_status begin_columns(struct tcol_reader *r, tide_error *err)
{
    struct tcol_file *file = r->file;
    struct arena *a = &file->arena;
    int64_t n_at;
    int n_frame = r->n_out - (r->n_out && file->has_lines &&
                              r->from[r->n_out - 1] == file->n_cols - 1);
    tide_status st = frame_begin(file->ctx, file->n_rows, n_frame, &r->f, err);
    if (st != TIDE_OK) return st;
    if (i64_mul(file->n_blocks, (int64_t)r->n_out, &n_at)) return err_nomem(err, 0);
    r->to = arena_array(a, (int64_t)r->n_out + 1, sizeof *r->to);
    r->text_at = arena_array(a, n_at + 1, sizeof *r->text_at);
    r->n_infinite = arena_zero(a, ((size_t)r->n_out + 1) * sizeof *r->n_infinite);
    if (!r->to || !r->text_at || !r->n_infinite) return arena_status(a, err);
    for (int k = 0; k < r->n_out; k++) {
        r->to[k] = k < n_frame ? &r->f->cols[k] : &r->lines;
        r->to[k]->name = arena_str(&r->f->arena, file->cols[r->from[k]].name);
        begin_column(r, k, &r->f->arena);
    }
    for (int k = 0; k < r->n_dicts; k++) {
        int64_t raw = file->blocks[r->dict_block[k]].raw;
        r->to[r->dict_out[k]]->dict.offset = arena_push(&r->f->arena, (size_t)raw + 1);
    }
    return arena_status(&r->f->arena, err);
}

static tide_status begin_work(struct tcol_reader *r, tide_error *err)
{
    struct arena *a = &r->file->arena;
    int n = par_threads(r->file->ctx);
    r->work = arena_zero(a, (size_t)n * sizeof *r->work);
    if (!r->work) return arena_status(a, err);
    r->n_work = n;
    for (int k = 0; k < n; k++) {
        arena_init(&r->work[k].arena, r->file->ctx);
        r->work[k].failed = INT64_MAX;
    }
    atomic_init(&r->failed, INT64_MAX);
    return TIDE_OK;
}

/* ---- the frame ---- */

static tide_status run_tasks(struct tcol_reader *r, tide_error *err)
{
    const struct tcol_work *first = NULL;
    int64_t n = r->file->n_blocks * r->n_out + r->n_dicts;
    tide_status st = par_for_progress(r->file->ctx, n, run_task, r, "reading", err);
    if (st != TIDE_OK) return st;
    for (int k = 0; k < r->n_work; k++)
        if (r->work[k].failed < INT64_MAX &&
            (!first || r->work[k].failed < first->failed))
            first = &r->work[k];
    if (!first) return TIDE_OK;
    if (err) *err = first->err;
    return first->err.status;
}

static const char *packed_how(const struct tcol_file *file)
{
    for (int64_t i = 0; i < file->n_entries; i++)
        if (file->blocks[i].codec)
            return file->blocks[i].codec == BLOCK_ZSTD ? "tcol, zstd" : "tcol, gzip";
    return "tcol";
}

static tide_status finish(struct tcol_reader *r, tide_error *err)
{
    tide_frame *f = r->f;
    tide_status st = TIDE_OK;
    for (int j = 0; st == TIDE_OK && j < f->n_cols; j++) {
        f->cols[j].n_missing += atomic_load(&r->n_infinite[j]);
        if (!r->o) continue;
        st = column_drop_tokens(f, &f->cols[j], &r->o->na, err);
        if (st == TIDE_OK)
            st = column_retype(f, &f->cols[j],
                               (enum tide_type)r->file->cols[r->from[j]].declared, err);
    }
    if (st != TIDE_OK) return st;
    f->dialect = arena_str(&f->arena, packed_how(r->file));
    f->source = arena_str(&f->arena, r->file->path);
    f->line_of_row = r->lines.i64;
    st = arena_status(&f->arena, err);
    if (st != TIDE_OK) return st;
    int recount = r->o && (r->o->na.n || r->o->types.n);
    return recount ? frame_seal(f, err) : frame_check_names(f, err);
}

tide_status tcol_read_frame(struct tcol_file *file, const struct tide_read_options *o,
                            int lines, tide_frame **out, tide_error *err)
{
    struct tcol_reader r = {.file = file, .o = o};
    *out = NULL;
    tide_status st = choose(&r, lines, err);
    if (st == TIDE_OK) st = find_dicts(&r, err);
    if (st == TIDE_OK) st = tcol_check_size(&r, err);
    if (st == TIDE_OK) st = begin_columns(&r, err);
    if (st == TIDE_OK) st = begin_work(&r, err);
    if (st == TIDE_OK) st = run_tasks(&r, err);
    if (st == TIDE_OK) st = finish(&r, err);
    for (int k = 0; k < r.n_work; k++) {
        arena_free(&r.work[k].arena);
        block_coder_free(&r.work[k].coder);
    }
    if (st != TIDE_OK) {
        tide_frame_free(r.f);
        return st;
    }
    *out = r.f;
    return TIDE_OK;
}

tide_status tcol_read_table(struct tide_ctx *ctx, const char *path, const char *data,
                            size_t n_data, const struct tide_read_options *options,
                            tide_frame **out, tide_error *err)
{
    struct tcol_file file;
    *out = NULL;
    tide_status st =
        reader_refuse(&tide_reader_tcol, options, READER_NA | READER_TYPES, err);
    if (st != TIDE_OK) return st;
    st = tcol_open(&file, ctx, path, data, n_data, options ? options->max_columns : 0,
                   err);
    if (st == TIDE_OK) st = tcol_read_frame(&file, options, 0, out, err);
    tcol_close(&file);
    return st;
}
