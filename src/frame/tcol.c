/* tcol.c - a column file: how it is known, where its parts lie, and that they lie where they must
 *
 * The end of the file tells where the table of blocks and the header are; both are proved by
 * their checksums before they are read, and the blocks must follow each other from the head to
 * the table without a hole. Whatever passes is the layout that a writer gives, so that every
 * later read lies in the file. */
#include "frame/tcol.h"

#include <string.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/size.h"
#include "frame/source.h"
#include "spec/reader.h"

#define JSON_COST  24 /* bytes of memory that a byte of JSON may take */
#define MOST_NAME  4096
#define MOST_BYTES ((int64_t)1 << 50) /* of a block; no sum of few passes 64 bits */

const unsigned char tcol_magic[8] = {0x89, 'T', 'C', 'O', 'L', '\r', '\n', 0x1a};

tide_status tcol_damaged(tide_error *err, const char *path, int64_t offset,
                         const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err_setv(err, TIDE_CODE_TCOL_DAMAGED, fmt, ap);
    va_end(ap);
    if (err && offset >= 0) err->offset = offset;
    err_at(err, path, 0, 0);
    return TIDE_EDATA;
}

static int is_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) any |= p[i];
    return any == 0;
}

/* ---- bytes ---- */

/* What cannot be read at any place (a pipe, a compressed file) is read whole. */
static tide_status slurp(struct tcol_file *f, const char *path, tide_error *err)
{
    struct source_text all;
    tide_status st = source_slurp(f->ctx, path, NULL, 0, &f->arena, &all, err);
    if (st != TIDE_OK) return st;
    f->data = (const uint8_t *)all.s;
    f->size = (int64_t)all.n;
    return st;
}

static tide_status open_path(struct tcol_file *f, const char *path, tide_error *err)
{
    char head[16];
    size_t got = 0;
    if (strcmp(path, "-") == 0 || !file_is_regular(path)) return slurp(f, path, err);
    tide_status st = file_open_read(path, &f->fd, &f->size, err);
    if (st == TIDE_OK) st = file_read(f->fd, f->path, head, sizeof head, &got, err);
    if (st != TIDE_OK || codec_sniff(head, got) == CODEC_PLAIN) return st;
    file_close(f->fd);
    f->fd = -1;
    return slurp(f, path, err);
}

tide_status tcol_fetch(const struct tcol_file *f, int64_t offset, size_t n, void *to,
                       tide_error *err)
{
    size_t got = 0;
    if (n == 0) return TIDE_OK;
    if (f->data) {
        memcpy(to, f->data + offset, n);
        return TIDE_OK;
    }
    tide_status st = file_pread(f->fd, f->path, to, n, offset, &got, err);
    if (st != TIDE_OK || got == n) return st;
    err_set(err, TIDE_CODE_FILE_CHANGED, "the file became shorter while it was read");
    return err_at(err, f->path, 0, 0), TIDE_EFILE;
}

/* ---- head and end ---- */

static int head_is_whole(const uint8_t *p)
{
    return memcmp(p, tcol_magic, sizeof tcol_magic) == 0 &&
           get32(p + 60) == crc32c(0, p, 60);
}

static tide_status other_version(const struct tcol_file *f, const char *what, int n,
                                 tide_error *err)
{
    err_set(err, TIDE_CODE_TCOL_VERSION, what, n, TCOL_MAJOR);
    err_at(err, f->path, 0, 0);
    return TIDE_EDATA;
}

static tide_status check_head(struct tcol_file *f, tide_error *err)
{
    uint8_t p[TCOL_HEAD];
    if (f->size < 2 * TCOL_HEAD)
        return tcol_damaged(err, f->path, -1,
                            "%lld bytes are too few for a column file",
                            (long long)f->size);
    tide_status st = tcol_fetch(f, 0, sizeof p, p, err);
    if (st != TIDE_OK) return st;
    if (memcmp(p, tcol_magic, sizeof tcol_magic) != 0)
        return tcol_damaged(err, f->path, 0, "this is no column file");
    if (get32(p + 16) != TCOL_BYTE_MARK && get32(p + 16) != 0x04030201U)
        return tcol_damaged(err, f->path, 16, "the byte-order mark is none");
    if (get32(p + 16) != TCOL_BYTE_MARK)
        return other_version(f, "byte order of another machine", 0, err);
    if (!head_is_whole(p))
        return tcol_damaged(err, f->path, 0, "checksum of the first bytes differs");
    if (get16(p + 8) != TCOL_MAJOR)
        return other_version(f, "version %d of column files; this program reads %d",
                             get16(p + 8), err);
    f->kind = get16(p + 12) == TCOL_CACHE ? TCOL_CACHE : TCOL_TABLE;
    if (get16(p + 12) > TCOL_CACHE || get16(p + 14) || !is_zero(p + 20, 40))
        return tcol_damaged(err, f->path, 12, "flags that no version has");
    return TIDE_OK;
}

struct tcol_end {
    int64_t table, header; /* offsets */
    size_t n_header;
    uint32_t table_crc, header_crc;
};

static tide_status check_end(struct tcol_file *f, struct tcol_end *e, tide_error *err)
{
    uint8_t p[TCOL_HEAD];
    int64_t at = f->size - TCOL_HEAD, bytes;
    tide_status st = tcol_fetch(f, at, sizeof p, p, err);
    if (st != TIDE_OK) return st;
    if (get32(p + 60) != crc32c(0, p, 60) || get64(p) != (uint64_t)f->size)
        return tcol_damaged(err, f->path, at,
                            "the last bytes are not those of a column file: it is cut "
                            "short or goes on behind its end");
    uint64_t table = get64(p + 8), n = get64(p + 16), n_header = get64(p + 24);
    if (n > INT64_MAX || n_header > (uint64_t)TCOL_MOST_HEADER ||
        table > (uint64_t)at || table % TCOL_ALIGN || table < TCOL_HEAD ||
        i64_mul((int64_t)n, TCOL_ENTRY, &bytes) || bytes > at - (int64_t)table ||
        tcol_align((int64_t)table + bytes + (int64_t)n_header) != at ||
        !is_zero(p + 40, 20))
        return tcol_damaged(err, f->path, at, "its parts do not fill the file");
    f->end = (int64_t)table;
    f->n_entries = (int64_t)n;
    e->table = (int64_t)table;
    e->header = e->table + bytes;
    e->n_header = (size_t)n_header;
    e->table_crc = get32(p + 32);
    e->header_crc = get32(p + 36);
    return TIDE_OK;
}

/* ---- header ---- */

static int type_of(const char *name)
{
    for (int t = TIDE_BOOL; name && t <= TIDE_TEXT; t++)
        if (strcmp(tide_type_name((enum tide_type)t), name) == 0) return t;
    return 0;
}

/* A whole number of the header in [0, most]; -1 when it is none. */
static int64_t number_of(const json_t *object, const char *key, int64_t most)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0 ||
        json_integer_value(v) > most)
        return -1;
    return json_integer_value(v);
}

/* NULL, or what is wrong. */
static const char *take_column(struct tcol_file *f, const json_t *v,
                               struct tcol_column *c)
{
    const json_t *name = json_object_get(v, "name");
    int type = type_of(json_get_str(v, "type", NULL));
    if (!json_is_string(name) || json_string_length(name) > MOST_NAME ||
        strlen(json_string_value(name)) != json_string_length(name))
        return "a column has no name of at most 4096 bytes";
    if (!type) return "a column is of no type";
    c->name = arena_str(&f->arena, json_string_value(name));
    c->type = (uint8_t)type;
    c->n_missing = number_of(v, "missing", f->n_rows);
    c->n_levels = type == TIDE_CAT ? number_of(v, "levels", CODE_MISSING - 1) : 0;
    int64_t style = type == TIDE_BOOL ? number_of(v, "style", 3) : 0;
    if (c->n_missing < 0 || c->n_levels < 0 || style < 0)
        return "a column lacks its numbers";
    c->bool_style = (uint8_t)style;
    return NULL;
}

static tide_status refuse_columns(const struct tcol_file *f, int64_t n, int64_t most,
                                  tide_error *err)
{
    err_set(err, TIDE_CODE_LIMIT_COLUMNS, "%lld columns; at most %lld", (long long)n,
            (long long)most);
    err_hint(err, "max-columns", "%lld", (long long)n);
    return err_at(err, f->path, 0, 0), TIDE_ELIMIT;
}

static tide_status take_columns(struct tcol_file *f, int64_t most, tide_error *err)
{
    const json_t *list = json_object_get(f->header, "columns");
    const json_t *lines = json_object_get(f->header, "lines");
    f->n_rows = number_of(f->header, "rows", INT64_MAX / 64);
    if (f->n_rows < 0 || !json_is_array(list) || !json_is_boolean(lines))
        return tcol_damaged(err, f->path, -1, "the header lacks rows or columns");
    int64_t n = (int64_t)json_array_size(list);
    if (n > most) return refuse_columns(f, n, most, err);
    f->has_lines = json_is_true(lines);
    f->n_cols = (int)n + f->has_lines;
    f->n_blocks = tcol_blocks(f->n_rows);
    f->cols = arena_zero(&f->arena, ((size_t)n + 2) * sizeof *f->cols);
    if (!f->cols) return arena_status(&f->arena, err);
    for (int64_t j = 0; j < n; j++) {
        const char *what = take_column(f, json_array_get(list, (size_t)j), &f->cols[j]);
        if (what) return tcol_damaged(err, f->path, -1, "%s", what);
    }
    if (f->has_lines)
        f->cols[n] = (struct tcol_column){.name = "line", .type = TIDE_I64};
    return arena_status(&f->arena, err);
}

/* The tree that jansson makes counts against the limit while it is made. */
static tide_status take_header(struct tcol_file *f, const struct tcol_end *e,
                               int64_t most_columns, tide_error *err)
{
    char *text = arena_push(&f->arena, e->n_header + 1);
    if (!text) return arena_status(&f->arena, err);
    tide_status st = tcol_fetch(f, e->header, e->n_header, text, err);
    if (st != TIDE_OK) return st;
    if (crc32c(0, text, e->n_header) != e->header_crc)
        return tcol_damaged(err, f->path, e->header, "checksum of the header differs");
    int64_t cost = (int64_t)e->n_header * JSON_COST;
    st = ctx_memory_take(f->ctx, cost, err);
    if (st != TIDE_OK) return st;
    st = json_read(text, e->n_header, (size_t)TCOL_MOST_HEADER, f->path,
                   TIDE_CODE_TCOL_DAMAGED, &f->header, err);
    ctx_memory_give(f->ctx, cost);
    return st == TIDE_OK ? take_columns(f, most_columns, err) : st;
}

/* ---- the table of blocks ---- */

static void get_block(const uint8_t *e, struct tcol_block *b)
{
    *b = (struct tcol_block){.offset = (int64_t)get64(e),
                             .stored = (int64_t)get64(e + 8),
                             .raw = (int64_t)get64(e + 16),
                             .base = (int64_t)get64(e + 24),
                             .crc = get32(e + 32),
                             .missing = get32(e + 36),
                             .width = e[40],
                             .codec = e[41]};
}

/* Does block i have the sizes that its place in the table gives it? */
static int sizes_fit(const struct tcol_file *f, int64_t i, const struct tcol_column *c)
{
    const struct tcol_block *b = &f->blocks[i];
    enum tide_type type = (enum tide_type)c->type;
    int64_t cells = f->n_blocks * f->n_cols, n = c->n_levels + 1, least;
    if (i < cells) {
        int64_t left = f->n_rows - i / f->n_cols * TCOL_ROWS;
        n = left < TCOL_ROWS ? left : TCOL_ROWS;
        if (!tcol_width_fits(type, c->n_levels, b->width) || b->missing > n) return 0;
    } else if (b->width != 4 || b->missing || b->base) {
        return 0;
    }
    if (b->base && type != TIDE_I64 && type != TIDE_TIME) return 0;
    least = n * b->width;
    return i >= cells || type == TIDE_TEXT ? b->raw >= least : b->raw == least;
}

static int block_fits(const struct tcol_file *f, int64_t i, int64_t offset,
                      const struct tcol_column *c)
{
    const struct tcol_block *b = &f->blocks[i];
    int known =
        b->codec == BLOCK_PLAIN || b->codec == BLOCK_GZIP || b->codec == BLOCK_ZSTD;
    return known && b->offset == offset && b->stored >= 0 &&
           b->stored <= f->end - offset && b->raw >= 0 && b->raw <= MOST_BYTES &&
           (b->codec != BLOCK_PLAIN || b->raw == b->stored) && sizes_fit(f, i, c);
}

/* The column of the next block: those of cells row by row of blocks, then the dictionaries. */
static const struct tcol_column *column_of(const struct tcol_file *f, int64_t i,
                                           int *dict)
{
    if (i < f->n_blocks * f->n_cols) return &f->cols[i % f->n_cols];
    while (f->cols[*dict].type != TIDE_CAT) (*dict)++;
    return &f->cols[(*dict)++];
}

/* One block follows the other. */
static tide_status check_blocks(const struct tcol_file *f, tide_error *err)
{
    int64_t at = TCOL_HEAD;
    int dict = 0;
    for (int64_t i = 0; i < f->n_entries; i++) {
        if (!block_fits(f, i, at, column_of(f, i, &dict)))
            return tcol_damaged(err, f->path, at,
                                "block %lld is not as the header says", (long long)i);
        at = tcol_align(at + f->blocks[i].stored);
    }
    if (at == f->end) return TIDE_OK;
    return tcol_damaged(err, f->path, at,
                        "the blocks do not fill their part of the file");
}

static tide_status take_blocks(struct tcol_file *f, const struct tcol_end *e,
                               tide_error *err)
{
    int64_t wanted;
    size_t bytes = (size_t)(e->header - e->table);
    uint8_t *table = arena_push(&f->arena, bytes + 1);
    f->blocks = arena_array(&f->arena, f->n_entries + 1, sizeof *f->blocks);
    if (!table || !f->blocks) return arena_status(&f->arena, err);
    tide_status st = tcol_fetch(f, e->table, bytes, table, err);
    if (st != TIDE_OK) return st;
    if (crc32c(0, table, bytes) != e->table_crc)
        return tcol_damaged(err, f->path, e->table,
                            "checksum of the table of blocks differs");
    int bad = i64_mul(f->n_blocks, f->n_cols, &wanted) != 0;
    for (int j = 0; !bad && j < f->n_cols; j++)
        bad = f->cols[j].type == TIDE_CAT && i64_add(wanted, 1, &wanted);
    if (bad || wanted != f->n_entries)
        return tcol_damaged(err, f->path, e->table,
                            "%lld blocks are not those of %lld rows and %d columns",
                            (long long)f->n_entries, (long long)f->n_rows, f->n_cols);
    for (int64_t i = 0; i < f->n_entries; i++) {
        get_block(table + i * TCOL_ENTRY, &f->blocks[i]);
        if (!is_zero(table + i * TCOL_ENTRY + 42, 6))
            return tcol_damaged(err, f->path, e->table + i * TCOL_ENTRY,
                                "flags that no version has");
    }
    return check_blocks(f, err);
}

/* The gap before the end holds zeros. */
static tide_status check_gap(const struct tcol_file *f, const struct tcol_end *e,
                             tide_error *err)
{
    uint8_t gap[TCOL_ALIGN];
    int64_t at = e->header + (int64_t)e->n_header, n = f->size - TCOL_HEAD - at;
    tide_status st = tcol_fetch(f, at, (size_t)n, gap, err);
    if (st != TIDE_OK || is_zero(gap, (size_t)n)) return st;
    return tcol_damaged(err, f->path, at, "bytes where there must be none");
}

tide_status tcol_open(struct tcol_file *f, struct tide_ctx *ctx, const char *path,
                      const void *data, size_t n_data, int64_t most_columns,
                      tide_error *err)
{
    struct tcol_end e = {0};
    tide_status st = TIDE_OK;
    *f = (struct tcol_file){.ctx = ctx, .fd = -1};
    f->path = !path ? "memory" : strcmp(path, "-") == 0 ? "stdin" : path;
    arena_init(&f->arena, ctx);
    if (data) {
        f->data = data;
        f->size = (int64_t)n_data;
    } else {
        st = open_path(f, path, err);
    }
    if (st == TIDE_OK) st = check_head(f, err);
    if (st == TIDE_OK) st = check_end(f, &e, err);
    if (st == TIDE_OK) st = check_gap(f, &e, err);
    if (st == TIDE_OK)
        st = take_header(f, &e, most_columns ? most_columns : 65536, err);
    return st == TIDE_OK ? take_blocks(f, &e, err) : st;
}

void tcol_close(struct tcol_file *f)
{
    json_decref(f->header);
    f->header = NULL;
    arena_free(&f->arena);
    if (f->fd >= 0) file_close(f->fd);
    f->fd = -1;
}

int tcol_is_table(const char *path)
{
    uint8_t p[TCOL_HEAD];
    size_t got = 0;
    int fd = -1;
    if (file_open_read(path, &fd, NULL, NULL) != TIDE_OK) return 0;
    tide_status st = file_read(fd, path, p, sizeof p, &got, NULL);
    file_close(fd);
    return st == TIDE_OK && got == sizeof p && head_is_whole(p) &&
           get16(p + 12) == TCOL_TABLE;
}

/* ---- the descriptor ---- */

static int claims(const char *head, size_t n)
{
    return n >= sizeof tcol_magic && memcmp(head, tcol_magic, sizeof tcol_magic) == 0;
}

static tide_status read_tcol(struct tide_ctx *ctx, const char *path,
                             const struct tide_read_options *options, tide_frame **out,
                             tide_error *err)
{
    return tcol_read_table(ctx, path, NULL, 0, options, out, err);
}

static tide_status write_packed(struct tide_ctx *ctx, const tide_frame *frame,
                                enum codec_kind how, tide_sink_fn sink, void *payload,
                                tide_error *err)
{
    static const enum block_kind kinds[] = {[CODEC_PLAIN] = BLOCK_PLAIN,
                                            [CODEC_GZIP] = BLOCK_GZIP,
                                            [CODEC_ZSTD] = BLOCK_ZSTD};
    return tcol_write_table(ctx, frame, kinds[how], NULL, sink, payload, err);
}

static tide_status write_tcol(struct tide_ctx *ctx, const tide_frame *frame,
                              tide_sink_fn sink, void *payload, tide_error *err)
{
    return write_packed(ctx, frame, CODEC_PLAIN, sink, payload, err);
}

const struct tide_reader tide_reader_tcol = {
    .name = "tcol",
    .title = "columns as they lie in memory, in blocks of rows",
    .camel = "TCol",
    .guide = "Q13",
    .endings = ".tcol",
    .claims = claims,
    .read = read_tcol,
    .write = write_tcol,
    .write_packed = write_packed,
};
