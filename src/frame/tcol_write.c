/* tcol_write.c - a frame as a column file: blocks in waves, then the table of blocks, the header
 * and the end
 *
 * What describes the blocks stands behind them, so that a table is written in one pass and to a
 * pipe. Blocks of the same rows lie beside each other. The same frame gives the same bytes. */
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/par.h"
#include "base/size.h"
#include "base/str.h"
#include "frame/tcol.h"

#define WAVE   32                 /* blocks made at a time */
#define GATHER ((size_t)64 << 10) /* smaller puts are given together */

struct tcol_writer {
    struct tide_ctx *ctx;
    const tide_frame *f;
    enum block_kind codec;
    const struct str *about;
    tide_sink_fn sink;
    void *payload;
    int64_t at;                 /* bytes put */
    struct str gathered, table; /* not given yet; entries of the blocks so far */
    struct column lines;        /* the line of each row, as a column */
    int n_cols;                 /* with it */
    int64_t n_blocks, first;    /* of the wave */
    int64_t n_entries;
    const int *dicts; /* category columns */
    struct tcol_piece *piece;
};

/* ---- bytes out ---- */

static tide_status give(struct tcol_writer *w, const void *data, size_t n,
                        tide_error *err)
{
    if (n && w->sink(w->payload, data, n) != 0)
        return err_set(err, TIDE_CODE_FILE_ERROR, "the output was not taken");
    return TIDE_OK;
}

static tide_status give_gathered(struct tcol_writer *w, tide_error *err)
{
    if (w->gathered.failed) return err_nomem(err, GATHER);
    tide_status st = give(w, w->gathered.s, w->gathered.len, err);
    str_clear(&w->gathered);
    return st;
}

static tide_status tcol_put(struct tcol_writer *w, const void *data, size_t n,
                            tide_error *err)
{
    tide_status st = TIDE_OK;
    if (n == 0) return TIDE_OK;
    w->at += (int64_t)n;
    if (n < GATHER / 2) {
        str_addn(&w->gathered, data, n);
        return w->gathered.len < GATHER && !w->gathered.failed ? TIDE_OK
                                                               : give_gathered(w, err);
    }
    if (w->gathered.len) st = give_gathered(w, err);
    return st == TIDE_OK ? give(w, data, n, err) : st;
}

static tide_status put_gap(struct tcol_writer *w, tide_error *err)
{
    static const char zeros[TCOL_ALIGN];
    return tcol_put(w, zeros, (size_t)(tcol_align(w->at) - w->at), err);
}

/* ---- blocks ---- */

static const struct column *column_at(const struct tcol_writer *w, int64_t j)
{
    return j < w->f->n_cols ? &w->f->cols[j] : &w->lines;
}

static void make_piece(void *arg, int64_t k, int worker)
{
    struct tcol_writer *w = arg;
    int64_t entry = w->first + k, cells = w->n_blocks * w->n_cols;
    (void)worker;
    if (entry >= cells) {
        const struct column *c = &w->f->cols[w->dicts[entry - cells]];
        tcol_pack_levels(&w->piece[k], &c->dict, w->codec);
        return;
    }
    int64_t row0 = entry / w->n_cols * TCOL_ROWS, left = w->f->n_rows - row0;
    tcol_pack_cells(&w->piece[k], column_at(w, entry % w->n_cols), row0,
                    left < TCOL_ROWS ? left : TCOL_ROWS, w->codec);
}

static void add_entry(struct tcol_writer *w, const struct tcol_block *b)
{
    uint8_t e[TCOL_ENTRY] = {0};
    put64(e, (uint64_t)w->at);
    put64(e + 8, (uint64_t)b->stored);
    put64(e + 16, (uint64_t)b->raw);
    put64(e + 24, (uint64_t)b->base);
    put32(e + 32, b->crc);
    put32(e + 36, b->missing);
    e[40] = b->width;
    e[41] = b->codec;
    str_addn(&w->table, (const char *)e, sizeof e);
}

static tide_status put_piece(struct tcol_writer *w, const struct tcol_piece *p,
                             tide_error *err)
{
    tide_status st = arena_status(&p->arena, err);
    if (st != TIDE_OK) return st;
    add_entry(w, &p->told);
    st = tcol_put(w, p->part[0], p->n_part[0], err);
    if (st == TIDE_OK && p->n_part[1]) st = tcol_put(w, p->part[1], p->n_part[1], err);
    return st == TIDE_OK ? put_gap(w, err) : st;
}

static tide_status put_blocks(struct tcol_writer *w, tide_error *err)
{
    tide_status st = TIDE_OK;
    for (w->first = 0; st == TIDE_OK && w->first < w->n_entries; w->first += WAVE) {
        int64_t n = w->n_entries - w->first < WAVE ? w->n_entries - w->first : WAVE;
        st = par_for(w->ctx, n, make_piece, w, err);
        for (int64_t k = 0; st == TIDE_OK && k < n; k++)
            st = put_piece(w, &w->piece[k], err);
        if (st == TIDE_OK)
            st = ctx_progress(w->ctx, "writing", (double)(w->first + n),
                              (double)w->n_entries, NULL, err);
    }
    return st;
}

/* ---- what describes them ---- */

static void put_column_json(struct str *t, const struct column *c)
{
    str_add(t, "{\"name\":");
    str_add_json(t, c->name, strlen(c->name));
    str_addf(t, ",\"type\":\"%s\",\"missing\":%lld",
             tide_type_name((enum tide_type)c->type), (long long)c->n_missing);
    if (c->type == TIDE_CAT) str_addf(t, ",\"levels\":%u", c->dict.n);
    if (c->type == TIDE_BOOL) str_addf(t, ",\"style\":%d", c->bool_style & 3);
    str_addc(t, '}');
}

static tide_status put_header(struct tcol_writer *w, struct str *t, tide_error *err)
{
    str_addf(t, "{\"tcol\":\"%d.%d\",\"rows\":%lld,\"columns\":[", TCOL_MAJOR,
             TCOL_MINOR, (long long)w->f->n_rows);
    for (int j = 0; j < w->f->n_cols; j++) {
        if (j) str_addc(t, ',');
        put_column_json(t, &w->f->cols[j]);
    }
    str_addf(t, "],\"lines\":%s", w->n_cols > w->f->n_cols ? "true" : "false");
    if (w->about) {
        str_add(t, ",\"source\":");
        str_addn(t, w->about->s, w->about->len);
    }
    str_addc(t, '}');
    if (t->failed) return err_nomem(err, t->len);
    if ((int64_t)t->len > TCOL_MOST_HEADER)
        return err_set(err, TIDE_CODE_LIMIT_METADATA,
                       "the header of %d columns has %zu bytes, at most %lld fit",
                       w->f->n_cols, t->len, (long long)TCOL_MOST_HEADER);
    return TIDE_OK;
}

static tide_status put_head(struct tcol_writer *w, tide_error *err)
{
    uint8_t p[TCOL_HEAD] = {0};
    memcpy(p, tcol_magic, sizeof tcol_magic);
    put16(p + 8, TCOL_MAJOR);
    put16(p + 10, TCOL_MINOR);
    put16(p + 12, w->about ? TCOL_CACHE : TCOL_TABLE);
    put32(p + 16, TCOL_BYTE_MARK);
    put32(p + 60, crc32c(0, p, 60));
    return tcol_put(w, p, sizeof p, err);
}

static tide_status put_end(struct tcol_writer *w, const struct str *header,
                           tide_error *err)
{
    uint8_t p[TCOL_HEAD] = {0};
    int64_t table = w->at;
    if (w->table.failed) return err_nomem(err, w->table.len);
    tide_status st = tcol_put(w, w->table.s, w->table.len, err);
    if (st == TIDE_OK) st = tcol_put(w, header->s, header->len, err);
    if (st == TIDE_OK) st = put_gap(w, err);
    put64(p, (uint64_t)w->at + TCOL_HEAD);
    put64(p + 8, (uint64_t)table);
    put64(p + 16, (uint64_t)w->n_entries);
    put64(p + 24, header->len);
    put32(p + 32, crc32c(0, w->table.s, w->table.len));
    put32(p + 36, crc32c(0, header->s, header->len));
    put32(p + 60, crc32c(0, p, 60));
    if (st == TIDE_OK) st = tcol_put(w, p, sizeof p, err);
    return st == TIDE_OK ? give_gathered(w, err) : st;
}

/* ---- the whole ---- */

static tide_status tcol_plan(struct tcol_writer *w, struct arena *a, tide_error *err)
{
    const tide_frame *f = w->f;
    int *dicts = arena_array(a, (int64_t)f->n_cols + 1, sizeof *dicts), n = 0;
    int64_t bytes;
    w->piece = arena_zero(a, WAVE * sizeof *w->piece);
    if (!dicts || !w->piece) return arena_status(a, err);
    for (int k = 0; k < WAVE; k++) {
        arena_init(&w->piece[k].arena, w->ctx);
        w->piece[k].coder.level = 1;
    }
    for (int j = 0; j < f->n_cols; j++)
        if (f->cols[j].type == TIDE_CAT) dicts[n++] = j;
    w->dicts = dicts;
    w->n_cols = f->n_cols + (w->about && f->line_of_row);
    w->lines = (struct column){.type = TIDE_I64, .i64 = f->line_of_row};
    w->n_blocks = tcol_blocks(f->n_rows);
    if (i64_mul(w->n_blocks, w->n_cols, &w->n_entries) ||
        i64_add(w->n_entries, n, &w->n_entries) ||
        i64_mul(w->n_entries, TCOL_ENTRY, &bytes))
        return err_nomem(err, 0);
    return TIDE_OK;
}

tide_status tcol_write_table(struct tide_ctx *ctx, const tide_frame *frame,
                             enum block_kind codec, const struct str *about,
                             tide_sink_fn sink, void *payload, tide_error *err)
{
    tide_frame *dense;
    tide_status st = frame_dense(ctx, frame, &dense, err);
    if (st != TIDE_OK) return st;
    struct tcol_writer w = {.ctx = ctx,
                            .f = dense,
                            .codec = codec,
                            .about = about,
                            .sink = sink,
                            .payload = payload};
    struct str header = {0};
    struct arena a;
    arena_init(&a, ctx);
    st = tcol_plan(&w, &a, err);
    if (st == TIDE_OK) st = put_header(&w, &header, err);
    if (st == TIDE_OK) st = put_head(&w, err);
    if (st == TIDE_OK) st = put_blocks(&w, err);
    if (st == TIDE_OK) st = put_end(&w, &header, err);
    for (int k = 0; w.piece && k < WAVE; k++) {
        arena_free(&w.piece[k].arena);
        block_coder_free(&w.piece[k].coder);
    }
    str_free(&header);
    str_free(&w.gathered);
    str_free(&w.table);
    arena_free(&a);
    tide_frame_free(dense);
    return st;
}
