/* frame.c - building, sealing, sharing and asking a frame; tables from memory */
#include "frame/frame.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/level_set.h"
#include "spec/maker.h"
#include "spec/spec.h"

tide_status frame_begin(struct tide_ctx *ctx, int64_t n_rows, int n_cols,
                        tide_frame **out, tide_error *err)
{
    tide_frame *f = mem_zalloc(sizeof *f);
    *out = NULL;
    if (!f) return err_nomem(err, sizeof *f);
    atomic_init(&f->refs, 1);
    arena_init(&f->arena, ctx);
    f->n_rows = n_rows;
    f->n_cols = n_cols;
    f->source = "memory";
    f->dialect = "";
    f->cols = arena_zero(&f->arena, ((size_t)n_cols + 1) * sizeof *f->cols);
    for (int j = 0; f->cols && j < n_cols; j++) f->cols[j].n_rows = n_rows;
    tide_status st = arena_status(&f->arena, err);
    if (st != TIDE_OK) {
        tide_frame_free(f);
        return st;
    }
    *out = f;
    return TIDE_OK;
}

tide_frame *frame_ref(const tide_frame *frame)
{
    tide_frame *f = (tide_frame *)frame;
    if (f) atomic_fetch_add(&f->refs, 1);
    return f;
}

void tide_frame_free(tide_frame *frame)
{
    if (!frame || atomic_fetch_sub(&frame->refs, 1) != 1) return;
    if (frame->drop) frame->drop(frame->owner);
    arena_free(&frame->arena);
    mem_free(frame);
}

/* ---- seal ---- */

tide_status frame_check_names(const tide_frame *f, tide_error *err)
{
    struct arena temp;
    struct level_set set;
    tide_status st;
    arena_init(&temp, f->arena.ctx);
    int bad = level_set_init(&set, &temp, &temp, f->n_cols);
    for (int j = 0; !bad && j < f->n_cols; j++) {
        uint32_t code =
            level_set_add(&set, f->cols[j].name, strlen(f->cols[j].name), 0);
        if (code == CODE_MISSING) break;
        if (code == (uint32_t)j) continue;
        char name[128];
        err_quote(name, sizeof name, f->cols[j].name, strlen(f->cols[j].name), 60);
        st = err_set(err, TIDE_CODE_CSV_DUPLICATE_NAME,
                     "column name '%s' stands at columns %lld and %d", name,
                     (long long)code + 1, j + 1);
        err_field(err, f->cols[j].name);
        goto done;
    }
    st = arena_status(&temp, err);
done:
    arena_free(&temp);
    return st;
}

static tide_status refuse_infinite(const tide_frame *f, int j, int64_t row,
                                   tide_error *err)
{
    char name[128];
    err_quote(name, sizeof name, f->cols[j].name, strlen(f->cols[j].name), 60);
    err_set(err, TIDE_CODE_DATA_INFINITE, "row %lld of '%s' is infinite",
            (long long)row + 1, name);
    if (err) err->row = row + 1;
    return err_field(err, f->cols[j].name);
}

/* The first row whose number is infinite, n: none. */
static int64_t first_infinite(const double *v, int64_t n)
{
    int64_t i = 0;
    for (; i < n && !isinf(v[i]); i++) {
    }
    return i;
}

struct seal_job {
    tide_frame *frame;
    int64_t *infinite; /* [n_cols] the first row, -1: none */
};

static void seal_sparse(struct column *c, int64_t *infinite)
{
    int64_t k = first_infinite(c->nz, c->n_at);
    *infinite = k < c->n_at ? (int64_t)c->at[k] : -1;
    c->n_missing = 0;
    for (k = 0; k < c->n_at; k++) c->n_missing += c->nz[k] != c->nz[k];
}

static void seal_column(void *arg, int64_t j, int worker)
{
    const struct seal_job *job = arg;
    struct column *c = &job->frame->cols[j];
    int64_t n = 0, infinite = 0, rows = c->n_rows;
    (void)worker;
    if (column_is_sparse(c)) {
        seal_sparse(c, &job->infinite[j]);
        return;
    }
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        for (int64_t i = 0; i < rows; i++) n += c->b[i] == BOOL_MISSING;
        break;
    case TIDE_I64:
    case TIDE_TIME:
        for (int64_t i = 0; i < rows; i++) n += c->i64[i] == I64_MISSING;
        break;
    case TIDE_F64:
        for (int64_t i = 0; i < rows; i++) {
            n += c->f64[i] != c->f64[i];
            infinite += fabs(c->f64[i]) > DBL_MAX;
        }
        break;
    case TIDE_CAT:
        for (int64_t i = 0; i < rows; i++) n += c->code[i] == CODE_MISSING;
        break;
    case TIDE_TEXT:
        for (int64_t i = 0; i < rows && c->text_missing; i++)
            n += c->text_missing[i] != 0;
        break;
    }
    c->n_missing = n;
    job->infinite[j] = infinite ? first_infinite(c->f64, rows) : -1;
}

#define SEAL_FEW 100000 /* cells that one thread looks at sooner than several wake */

static tide_status seal_columns(tide_frame *f, tide_error *err)
{
    struct seal_job job = {.frame = f};
    struct tide_ctx *ctx = f->arena.ctx;
    tide_status st = TIDE_OK;
    job.infinite = mem_array((size_t)f->n_cols + 1, sizeof *job.infinite);
    if (!job.infinite)
        return err_nomem(err, ((size_t)f->n_cols + 1) * sizeof *job.infinite);
    if (f->n_rows < SEAL_FEW / (f->n_cols + 1))
        for (int j = 0; j < f->n_cols; j++) seal_column(&job, j, 0);
    else
        st = par_for(ctx, f->n_cols, seal_column, &job, err);
    for (int j = 0; st == TIDE_OK && j < f->n_cols; j++)
        if (job.infinite[j] >= 0) st = refuse_infinite(f, j, job.infinite[j], err);
    mem_free(job.infinite);
    return st;
}

tide_status frame_seal(tide_frame *frame, tide_error *err)
{
    tide_status st = arena_status(&frame->arena, err);
    if (st == TIDE_OK) st = frame_check_names(frame, err);
    if (st == TIDE_OK) st = seal_columns(frame, err);
    return st;
}

/* ---- asking ---- */

int64_t tide_frame_rows(const tide_frame *frame)
{
    return frame ? frame->n_rows : 0;
}

int tide_frame_columns(const tide_frame *frame)
{
    return frame ? frame->n_cols : 0;
}

const char *tide_frame_name(const tide_frame *frame, int column)
{
    if (!frame || column < 0 || column >= frame->n_cols) return NULL;
    return frame->cols[column].name;
}

enum tide_type tide_frame_type(const tide_frame *frame, int column)
{
    if (!frame || column < 0 || column >= frame->n_cols) return (enum tide_type)0;
    return (enum tide_type)frame->cols[column].type;
}

int64_t tide_frame_missing(const tide_frame *frame, int column)
{
    if (!frame || column < 0 || column >= frame->n_cols) return 0;
    return frame->cols[column].n_missing;
}

int64_t tide_frame_text(const tide_frame *frame, int64_t row, int column, char *buf,
                        size_t size)
{
    if (!frame || column < 0 || column >= frame->n_cols || row < 0 ||
        row >= frame->n_rows) {
        if (size) buf[0] = '\0';
        return -1;
    }
    return column_text(&frame->cols[column], row, buf, size);
}

int64_t frame_line(const tide_frame *frame, int64_t row)
{
    if (frame->line_of_row) return frame->line_of_row[row];
    return frame->first_line ? frame->first_line + row : 0;
}

int tide_frame_find(const tide_frame *frame, const char *name, const char *option,
                    tide_error *err)
{
    for (int j = 0; j < frame->n_cols; j++)
        if (strcmp(frame->cols[j].name, name) == 0) return j;
    char shown[128];
    err_quote(shown, sizeof shown, name, strlen(name), 60);
    err_set(err, TIDE_CODE_DATA_COLUMN, "no column '%s'", shown);
    err_field(err, name);
    if (frame->first_line || frame->line_of_row) err_at(err, frame->source, 1, 1);
    const char **names = mem_array((size_t)frame->n_cols + 1, sizeof *names);
    if (!names) return -1; /* the error stands, without a nearest name */
    for (int j = 0; j < frame->n_cols; j++) names[j] = frame->cols[j].name;
    const char *near = err_nearest(name, names, frame->n_cols);
    if (near) err_hint(err, option ? option : "", "%s", near);
    mem_free(names);
    return -1;
}

/* ---- tables from memory ---- */

static tide_status bad_column(const struct tide_column_in *in, const char *what,
                              tide_error *err)
{
    err_set(err, TIDE_CODE_DATA_TYPE, "column '%s' %s", in->name, what);
    return err_field(err, in->name);
}

/* The codes follow by code_texts. */
static void take_category(tide_frame *f, struct column *c)
{
    c->code = arena_array(&f->arena, f->n_rows + 1, sizeof *c->code);
}

/* Columns of categories are coded by all threads, one each at a time, as their levels need memory
 * until they are a dictionary. */
#define TEXTS_AT_A_TIME 16
#define SAME_TEXTS      512   /* slots, a power of two */
#define SORTED_LEVELS   65536 /* more of them are not worth the sorting */
struct text_column {
    struct column *to;
    const struct tide_column_in *in;
    struct arena temp;
    struct level_set set;
};

/* Levels into byte order, as models have them: a model is then bound to the codes as they are. */
static void sort_texts(struct text_column *t, uint32_t *code)
{
    uint32_t *place = arena_array(&t->temp, t->set.n, sizeof *place);
    int moved = place ? level_set_sort(&t->set, place) : 0;
    for (int64_t i = 0; i < t->to->n_rows && moved > 0; i++)
        if (code[i] != CODE_MISSING) code[i] = place[code[i]];
}

/* Tables often point to one text from many rows: where it was seen last, no byte of it is read. */
static void code_texts(void *arg, int64_t at, int worker)
{
    struct text_column *t = (struct text_column *)arg + at;
    struct {
        const char *s;
        uint32_t code;
    } same[SAME_TEXTS] = {{0}};
    uint32_t *code = (uint32_t *)(uintptr_t)t->to->code;
    int64_t n = t->to->n_rows;
    (void)worker;
    int bad = level_set_init(&t->set, &t->temp, &t->temp, n);
    for (int64_t i = 0; !bad && i < n; i++) {
        const char *s = t->in->text[i];
        size_t slot =
            (uint32_t)((uintptr_t)s >> 3) * 2654435769u / (UINT32_MAX / SAME_TEXTS + 1);
        if (!s) {
            code[i] = CODE_MISSING;
            continue;
        }
        if (same[slot].s != s) {
            same[slot].code = level_set_add(&t->set, s, strlen(s), 0);
            same[slot].s = s;
        }
        code[i] = same[slot].code;
    }
    if (!t->temp.failed && t->set.n <= SORTED_LEVELS) sort_texts(t, code);
}

static tide_status code_some(tide_frame *f, struct text_column *t, int n,
                             tide_error *err)
{
    tide_status st = TIDE_OK;
    if (f->n_rows < SEAL_FEW / (n + 1))
        for (int i = 0; i < n; i++) code_texts(t, i, 0);
    else
        st = par_for(f->arena.ctx, n, code_texts, t, err);
    for (int i = 0; i < n; i++) {
        if (st == TIDE_OK) st = arena_status(&t[i].temp, err);
        if (st == TIDE_OK &&
            level_set_dict(&t[i].set, &f->arena, &t[i].to->dict) != 0 &&
            !f->arena.failed)
            st = bad_column(t[i].in, "has more than 4 GiB of levels", err);
        arena_free(&t[i].temp);
    }
    return st;
}

static tide_status take_texts(tide_frame *f, struct column *to,
                              const struct tide_column_in *in, int n, tide_error *err)
{
    struct text_column t[TEXTS_AT_A_TIME];
    tide_status st = TIDE_OK;
    int m = 0, at_once = par_threads(f->arena.ctx);
    if (at_once > TEXTS_AT_A_TIME) at_once = TEXTS_AT_A_TIME;
    for (int j = 0; st == TIDE_OK && j < n; j++) {
        if (to[j].type == TIDE_CAT) {
            t[m] = (struct text_column){.to = &to[j], .in = &in[j]};
            arena_init(&t[m++].temp, f->arena.ctx);
        }
        if (m == 0 || (m < at_once && j + 1 < n)) continue;
        st = code_some(f, t, m, err);
        m = 0;
    }
    return st;
}

static void take_text(tide_frame *f, struct column *c, const struct tide_column_in *in)
{
    int64_t *at = arena_array(&f->arena, f->n_rows + 1, sizeof *at), total = 0;
    uint8_t *missing = arena_zero(&f->arena, (size_t)f->n_rows + 1);
    if (!at || !missing) return;
    for (int64_t i = 0; i < f->n_rows; i++) {
        at[i] = total;
        missing[i] = in->text[i] == NULL;
        total += in->text[i] ? (int64_t)strlen(in->text[i]) : 0;
    }
    at[f->n_rows] = total;
    char *text = arena_push(&f->arena, (size_t)total + 1);
    for (int64_t i = 0; text && i < f->n_rows; i++)
        if (at[i + 1] > at[i])
            memcpy(text + at[i], in->text[i], (size_t)(at[i + 1] - at[i]));
    c->text_at = at;
    c->text = text;
    c->text_missing = missing;
}

/* The number of row i: NaN when missing. */
static double in_number(const struct tide_column_in *in, int64_t i)
{
    if (in->f64) return in->f64[i];
    if (in->f32) return (double)in->f32[i * (in->stride ? in->stride : 1)];
    return in->i64[i] == INT64_MIN ? (double)NAN : (double)in->i64[i];
}

static tide_status take_whole(tide_frame *f, struct column *c,
                              const struct tide_column_in *in, tide_error *err)
{
    int64_t *out = arena_array(&f->arena, f->n_rows + 1, sizeof *out);
    c->i64 = out;
    if (!out) return TIDE_OK; /* the arena tells */
    if (in->i64) {
        if (f->n_rows) memcpy(out, in->i64, (size_t)f->n_rows * sizeof *out);
        return TIDE_OK;
    }
    double unit = c->type == TIDE_TIME ? 1e6 : 1;
    for (int64_t i = 0; i < f->n_rows; i++) {
        double v = in_number(in, i) * unit;
        if (v != v) {
            out[i] = I64_MISSING;
            continue;
        }
        if (!(fabs(v) < 9.2e18) || (c->type == TIDE_I64 && v != floor(v)))
            return bad_column(in, "has values that are no whole numbers", err);
        out[i] = (int64_t)(v < 0 ? v - 0.5 : v + 0.5);
    }
    return TIDE_OK;
}

static tide_status take_bool(tide_frame *f, struct column *c,
                             const struct tide_column_in *in, tide_error *err)
{
    uint8_t *out = arena_push(&f->arena, (size_t)f->n_rows + 1);
    c->b = out;
    for (int64_t i = 0; out && i < f->n_rows; i++) {
        double v = in_number(in, i);
        if (v != 0 && v != 1 && v == v)
            return bad_column(in, "has values besides 0 and 1", err);
        out[i] = v != v ? BOOL_MISSING : v == 1;
    }
    return TIDE_OK;
}

/* The values follow by copy_rows. */
static void take_number(tide_frame *f, struct column *c)
{
    c->f64 = arena_array(&f->arena, f->n_rows + 1, sizeof *c->f64);
}

/* Columns of numbers are copied together, some rows at a time: those of one matrix lie side by side,
 * and fresh pages, which cost more than the copy, are asked for by all threads. */
#define COPY_ROWS 2048
struct copy_job {
    int64_t n_rows;
    struct column *to;               /* [n] */
    const struct tide_column_in *in; /* [n] */
    int n;
};

static void copy_rows(void *arg, int64_t block, int worker)
{
    const struct copy_job *job = arg;
    int64_t i0 = block * COPY_ROWS, end = i0 + COPY_ROWS;
    (void)worker;
    if (end > job->n_rows) end = job->n_rows;
    for (int j = 0; j < job->n; j++) {
        const struct column *c = &job->to[j];
        const struct tide_column_in *in = &job->in[j];
        double *out = (double *)c->f64;
        int64_t step = in->stride ? in->stride : 1;
        if (c->type != TIDE_F64) continue;
        if (in->f32)
            for (int64_t i = i0; i < end; i++) out[i] = (double)in->f32[i * step];
        else
            for (int64_t i = i0; i < end; i++) out[i] = in_number(in, i);
    }
}

static tide_status take_column(tide_frame *f, struct column *c,
                               const struct tide_column_in *in, tide_error *err)
{
    int given =
        (in->f64 != NULL) + (in->f32 != NULL) + (in->i64 != NULL) + (in->text != NULL);
    if (!in->name)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "a column has no name");
    if (strlen(in->name) > 4096)
        return err_set(err, TIDE_CODE_LIMIT_NAME,
                       "a column name has %lld bytes, the limit is 4096",
                       (long long)strlen(in->name));
    if (given != 1 && f->n_rows > 0)
        return err_set(err, TIDE_CODE_HANDLE_INVALID,
                       "exactly one of f64, f32, i64 and text is needed for '%s'",
                       in->name);
    c->name = arena_str(&f->arena, in->name);
    c->type = (uint8_t)(in->type             ? in->type
                        : in->f64 || in->f32 ? TIDE_F64
                        : in->i64            ? TIDE_I64
                        : in->text           ? TIDE_CAT
                                             : TIDE_F64);
    int is_text = c->type == TIDE_CAT || c->type == TIDE_TEXT;
    if (in->type < 0 || in->type > TIDE_TEXT ||
        (given && is_text != (in->text != NULL)))
        return bad_column(in, "has data of another type", err);
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        return take_bool(f, c, in, err);
    case TIDE_I64:
    case TIDE_TIME:
        return take_whole(f, c, in, err);
    case TIDE_F64:
        take_number(f, c);
        break;
    case TIDE_CAT:
        take_category(f, c);
        break;
    case TIDE_TEXT:
        take_text(f, c, in);
        break;
    }
    return TIDE_OK;
}

tide_status frame_take(tide_frame *f, struct column *to,
                       const struct tide_column_in *in, int n, tide_error *err)
{
    struct copy_job job = {f->n_rows, to, in, n};
    tide_status st = TIDE_OK;
    for (int j = 0; st == TIDE_OK && j < n; j++)
        st = take_column(f, &to[j], &in[j], err);
    if (st == TIDE_OK) st = arena_status(&f->arena, err);
    if (st == TIDE_OK) st = take_texts(f, to, in, n, err);
    if (st == TIDE_OK) st = arena_status(&f->arena, err);
    if (st != TIDE_OK) return st;
    return par_for(f->arena.ctx, (f->n_rows + COPY_ROWS - 1) / COPY_ROWS, copy_rows,
                   &job, err);
}

tide_status tide_frame_new(tide_ctx *ctx, int64_t n_rows, int n_cols,
                           const struct tide_column_in *cols, tide_frame **out,
                           tide_error *err)
{
    tide_frame *f = NULL;
    if (!out || n_rows < 0 || n_cols < 0 || (n_cols && !cols))
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument cannot be");
    *out = NULL;
    tide_status st = frame_begin(ctx, n_rows, n_cols, &f, err);
    if (st == TIDE_OK) st = frame_take(f, f->cols, cols, n_cols, err);
    if (st == TIDE_OK) st = frame_seal(f, err);
    if (st != TIDE_OK) {
        tide_frame_free(f);
        return st;
    }
    *out = f;
    return TIDE_OK;
}
