/* make.c - frames of synthetic tables: columns, parallel filling, categories */
#include "frame/make.h"

#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "simd/vmath.h"

#define MAKE_ROWS 4096

double make_sig(double x)
{
    return 1 / (1 + vm_exp(-x));
}

double make_pow(double x, double p)
{
    return x > 0 ? vm_pow(x, p) : 0;
}

struct run {
    struct make_task t;
    make_fn fill;
};

static void make_block(void *arg, int64_t block, int worker)
{
    const struct run *r = arg;
    int64_t i0 = block * MAKE_ROWS, i1 = i0 + MAKE_ROWS;
    (void)worker;
    r->fill(&r->t, i0, i1 < r->t.n_rows ? i1 : r->t.n_rows);
}

/* Names and arrays of the columns; pointers for the filler in work. */
static void lay_out(struct run *r, const struct make_column *cols, int n,
                    struct arena *work)
{
    tide_frame *f = r->t.f;
    r->t.f64 = arena_zero(work, ((size_t)f->n_cols + 1) * sizeof *r->t.f64);
    r->t.i64 = arena_zero(work, ((size_t)f->n_cols + 1) * sizeof *r->t.i64);
    if (!r->t.f64 || !r->t.i64) return;
    for (int c = 0, j = 0; c < n; c++)
        for (int k = 0; k < cols[c].k; k++, j++) {
            char name[64];
            if (strchr(cols[c].name, '%'))
                str_format(name, sizeof name, "%.*s%d", (int)strcspn(cols[c].name, "%"),
                           cols[c].name, k);
            else
                str_format(name, sizeof name, "%s", cols[c].name);
            f->cols[j].name = arena_str(&f->arena, name);
            f->cols[j].type = cols[c].type;
            void *data = arena_array(&f->arena, f->n_rows + 1, sizeof(double));
            if (cols[c].type == TIDE_F64)
                f->cols[j].f64 = r->t.f64[j] = data;
            else
                f->cols[j].i64 = r->t.i64[j] = data;
        }
}

tide_status make_table(struct tide_ctx *ctx, const struct make_column *cols, int n,
                       make_fn fill, const void *params, int64_t n_rows,
                       tide_frame **out, tide_error *err)
{
    struct run r = {.t = {.ctx = ctx, .params = params, .n_rows = n_rows},
                    .fill = fill};
    struct arena work;
    int n_cols = 0;
    *out = NULL;
    for (int c = 0; c < n; c++) n_cols += cols[c].k;
    arena_init(&work, ctx);
    tide_status st = frame_begin(ctx, n_rows, n_cols, &r.t.f, err);
    if (st == TIDE_OK) {
        lay_out(&r, cols, n, &work);
        st = arena_status(&work, err);
    }
    if (st == TIDE_OK) st = arena_status(&r.t.f->arena, err);
    if (st == TIDE_OK)
        st = par_for_progress(ctx, (n_rows + MAKE_ROWS - 1) / MAKE_ROWS, make_block, &r,
                              "making", err);
    if (st == TIDE_OK) st = frame_seal(r.t.f, err);
    arena_free(&work);
    if (st != TIDE_OK) {
        tide_frame_free(r.t.f);
        return st;
    }
    *out = r.t.f;
    return TIDE_OK;
}

/* The dictionary of `n` levels whose numbers are number[c]. */
static int number_levels(tide_frame *f, const int64_t *number, uint32_t n,
                         const char *prefix, struct dict *out)
{
    struct str t = {0};
    uint32_t *offset = arena_array(&f->arena, (int64_t)n + 1, sizeof *offset);
    for (uint32_t c = 0; offset && c < n; c++) {
        offset[c] = (uint32_t)t.len;
        str_addf(&t, "%s%lld", prefix, (long long)number[c]);
    }
    if (offset) offset[n] = (uint32_t)t.len;
    char *bytes = t.failed ? NULL : arena_strn(&f->arena, t.s ? t.s : "", t.len);
    *out = (struct dict){n, offset, bytes};
    int bad = t.failed || !bytes || !offset;
    str_free(&t);
    return bad ? -1 : 0;
}

tide_status make_category(tide_frame *f, int j, int64_t card, const char *prefix,
                          tide_error *err)
{
    struct column *c = &f->cols[j];
    uint32_t n = 0, *code = arena_array(&f->arena, f->n_rows + 1, sizeof *code);
    uint32_t *map = mem_array((size_t)card, sizeof *map);
    int64_t *number = mem_array((size_t)card, sizeof *number);
    int bad = !code || !map || !number;
    if (!bad) memset(map, 0xff, (size_t)card * sizeof *map);
    for (int64_t i = 0; !bad && i < f->n_rows; i++) {
        int64_t v = c->i64[i];
        if (v != I64_MISSING && map[v] == CODE_MISSING) {
            number[n] = v;
            map[v] = n++;
        }
        code[i] = v == I64_MISSING ? CODE_MISSING : map[v];
    }
    if (!bad) bad = number_levels(f, number, n, prefix, &c->dict);
    mem_free(map);
    mem_free(number);
    if (bad) return err_nomem(err, 0);
    c->type = TIDE_CAT;
    c->code = code;
    c->i64 = NULL;
    return TIDE_OK;
}
