/* tcol_block.c - the cells of a block as bytes, and back
 *
 * A missing cell is all ones in whole numbers, codes and lengths of texts, NaN in numbers, 255
 * in truth values: no bitmap, as in a frame. Whole numbers are kept as what they are above the
 * least of their block, in 1, 2 or 4 bytes where that fits beside all ones, else as they are;
 * numbers in 4 bytes where every one of the block has the same bits after it was a float. What is
 * as wide as the frame has it is not copied. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "frame/level_set.h"
#include "frame/tcol.h"

#define INF_BITS UINT64_C(0x7ff0000000000000)
#define NO_SIGN  UINT64_C(0x7fffffffffffffff)
/* A block that shrinks further than this is left as it is: readers refuse files that expand
 * 1,000-fold, and would not take an honest table of one value back. */
#define SHRINK_MOST 400

int tcol_cell_bytes(enum tide_type type)
{
    switch (type) {
    case TIDE_BOOL:
        return 1;
    case TIDE_CAT:
        return 4;
    case TIDE_I64:
    case TIDE_F64:
    case TIDE_TIME:
        return 8;
    case TIDE_TEXT:
        break;
    }
    return 0;
}

/* What a cell that is missing holds in so many bytes. */
static uint64_t ones(int width)
{
    return width == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * width) - 1;
}

static int narrowest(uint64_t most)
{
    return most < ones(1) ? 1 : most < ones(2) ? 2 : most < ones(4) ? 4 : 8;
}

int tcol_width_fits(enum tide_type type, int64_t n_levels, int width)
{
    switch (type) {
    case TIDE_BOOL:
        return width == 1;
    case TIDE_F64:
        return width == 4 || width == 8;
    case TIDE_CAT:
        return (width == 1 || width == 2 || width == 4) &&
               (uint64_t)n_levels <= ones(width);
    case TIDE_I64:
    case TIDE_TIME:
    case TIDE_TEXT:
        break;
    }
    return width == 1 || width == 2 || width == 4 || width == 8;
}

/* ---- to bytes ---- */

static void put_number(uint8_t *to, int64_t i, int width, uint64_t v)
{
    uint16_t v2 = (uint16_t)v;
    uint32_t v4 = (uint32_t)v;
    if (width == 1)
        to[i] = (uint8_t)v;
    else if (width == 2)
        memcpy(to + 2 * i, &v2, 2);
    else if (width == 4)
        memcpy(to + 4 * i, &v4, 4);
    else
        memcpy(to + 8 * i, &v, 8);
}

static void pack_whole(struct tcol_piece *p, const int64_t *v, int64_t n)
{
    int64_t lo = INT64_MAX, hi = INT64_MIN, missing = 0;
    for (int64_t i = 0; i < n; i++) {
        int gone = v[i] == I64_MISSING;
        int64_t low = gone ? INT64_MAX : v[i];
        lo = low < lo ? low : lo;
        hi = v[i] > hi ? v[i] : hi;
        missing += gone;
    }
    int width = missing == n ? 1 : narrowest((uint64_t)hi - (uint64_t)lo);
    p->told.missing = (uint32_t)missing;
    p->told.width = (uint8_t)width;
    p->part[0] = v;
    if (width == 8) return;
    p->told.base = missing == n ? 0 : lo;
    uint8_t *to = arena_room(&p->arena, &p->cells, (size_t)n * 4);
    if (!to) return;
    for (int64_t i = 0; i < n; i++)
        put_number(to, i, width,
                   v[i] == I64_MISSING ? ones(width)
                                       : (uint64_t)v[i] - (uint64_t)p->told.base);
    p->part[0] = to;
}

static int keeps_bits(double v)
{
    double back = (double)(float)v;
    return memcmp(&back, &v, sizeof v) == 0;
}

static void pack_numbers(struct tcol_piece *p, const double *v, int64_t n)
{
    int64_t missing = 0, i = 0;
    for (int64_t k = 0; k < n; k++) missing += v[k] != v[k];
    p->told.missing = (uint32_t)missing;
    p->told.width = 8;
    p->part[0] = v;
    while (i < n && keeps_bits(v[i])) i++;
    if (i < n) return;
    p->told.width = 4;
    float *to = arena_room(&p->arena, &p->cells, (size_t)n * sizeof *to);
    if (!to) return;
    for (i = 0; i < n; i++) to[i] = (float)v[i];
    p->part[0] = to;
}

static void pack_codes(struct tcol_piece *p, const struct column *c, int64_t row0,
                       int64_t n)
{
    const uint32_t *v = c->code + row0;
    int width = c->dict.n <= ones(1) ? 1 : c->dict.n <= ones(2) ? 2 : 4;
    int64_t missing = 0;
    for (int64_t i = 0; i < n; i++) missing += v[i] == CODE_MISSING;
    p->told.missing = (uint32_t)missing;
    p->told.width = (uint8_t)width;
    p->part[0] = v;
    if (width == 4) return;
    uint8_t *to = arena_room(&p->arena, &p->cells, (size_t)n * 2);
    if (!to) return;
    for (int64_t i = 0; i < n; i++) put_number(to, i, width, v[i]); /* ones stay ones */
    p->part[0] = to;
}

static int text_is_missing(const struct column *c, int64_t row)
{
    return c->text_missing && c->text_missing[row];
}

/* Texts without the bytes that stand under missing cells. */
static void gather_texts(struct tcol_piece *p, const struct column *c, int64_t row0,
                         int64_t n, size_t total)
{
    char *to = arena_room(&p->arena, &p->text, total + 1);
    p->part[1] = to;
    for (int64_t i = row0; to && i < row0 + n; i++) {
        size_t len = (size_t)(c->text_at[i + 1] - c->text_at[i]);
        if (text_is_missing(c, i) || !len) continue;
        memcpy(to, c->text + c->text_at[i], len);
        to += len;
    }
}

static void pack_texts(struct tcol_piece *p, const struct column *c, int64_t row0,
                       int64_t n)
{
    const int64_t *at = c->text_at + row0;
    uint64_t most = 0, total = 0;
    int64_t missing = 0;
    for (int64_t i = 0; i < n; i++) {
        int gone = text_is_missing(c, row0 + i);
        uint64_t len = gone ? 0 : (uint64_t)(at[i + 1] - at[i]);
        missing += gone;
        most = len > most ? len : most;
        total += len;
    }
    int width = narrowest(most);
    p->told.missing = (uint32_t)missing;
    p->told.width = (uint8_t)width;
    uint8_t *to = arena_room(&p->arena, &p->cells, (size_t)n * 8);
    p->part[0] = to;
    for (int64_t i = 0; to && i < n; i++)
        put_number(to, i, width,
                   text_is_missing(c, row0 + i) ? ones(width)
                                                : (uint64_t)(at[i + 1] - at[i]));
    p->part[1] = c->text + at[0];
    p->n_part[1] = (size_t)total;
    if (total != (uint64_t)(at[n] - at[0])) gather_texts(p, c, row0, n, (size_t)total);
}

/* The parts as one compressed block, where that is worth it. */
static void compress_parts(struct tcol_piece *p, int64_t n, enum block_kind codec)
{
    size_t n_raw = p->n_part[0] + p->n_part[1], room = block_room(codec, n_raw), got;
    const uint8_t *raw = p->part[0];
    if (codec == BLOCK_PLAIN || room == 0 || n_raw == 0) return;
    if (p->n_part[1]) {
        uint8_t *whole = arena_room(&p->arena, &p->raw, n_raw);
        if (!whole) return;
        memcpy(whole, p->part[0], p->n_part[0]);
        memcpy(whole + p->n_part[0], p->part[1], p->n_part[1]);
        raw = whole;
    }
    uint8_t *to = arena_room(&p->arena, &p->packed, room);
    if (!to) return;
    enum block_result res = block_encode(&p->coder, codec, raw, n_raw, to, room, &got);
    if (res == BLOCK_NOMEM && !p->arena.failed) p->arena.failed = TIDE_ENOMEM;
    size_t most = (size_t)n * 8 + p->n_part[1]; /* bytes in a frame */
    if (res != BLOCK_OK || got >= n_raw - n_raw / 16 || got < most / SHRINK_MOST)
        return;
    p->told.codec = (uint8_t)codec;
    p->part[0] = to;
    p->n_part[0] = got;
    p->n_part[1] = 0;
}

static void finish_piece(struct tcol_piece *p, int64_t n, enum block_kind codec)
{
    p->told.raw = (int64_t)(p->n_part[0] + p->n_part[1]);
    if (p->arena.failed) return;
    compress_parts(p, n, codec);
    p->told.stored = (int64_t)(p->n_part[0] + p->n_part[1]);
    p->told.crc = crc32c(0, p->part[0], p->n_part[0]);
    if (p->n_part[1]) p->told.crc = crc32c(p->told.crc, p->part[1], p->n_part[1]);
}

static void begin_piece(struct tcol_piece *p)
{
    p->told = (struct tcol_block){0};
    p->part[1] = NULL;
    p->n_part[1] = 0;
}

void tcol_pack_cells(struct tcol_piece *p, const struct column *c, int64_t row0,
                     int64_t n, enum block_kind codec)
{
    begin_piece(p);
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        p->part[0] = c->b + row0;
        p->told.width = 1;
        for (int64_t i = row0; i < row0 + n; i++)
            p->told.missing += c->b[i] == BOOL_MISSING;
        break;
    case TIDE_I64:
    case TIDE_TIME:
        pack_whole(p, c->i64 + row0, n);
        break;
    case TIDE_F64:
        pack_numbers(p, c->f64 + row0, n);
        break;
    case TIDE_CAT:
        pack_codes(p, c, row0, n);
        break;
    case TIDE_TEXT:
        pack_texts(p, c, row0, n);
        break;
    }
    p->n_part[0] = (size_t)n * p->told.width;
    finish_piece(p, n, codec);
}

void tcol_pack_levels(struct tcol_piece *p, const struct dict *d, enum block_kind codec)
{
    static const uint32_t none[1];
    begin_piece(p);
    p->told.width = 4;
    p->part[0] = d->n ? d->offset : none;
    p->n_part[0] = ((size_t)d->n + 1) * sizeof *d->offset;
    p->part[1] = d->bytes;
    p->n_part[1] = d->n ? d->offset[d->n] : 0;
    finish_piece(p, (int64_t)d->n, codec);
}

/* ---- back ---- */

static uint64_t number_at(const uint8_t *p, int64_t i, int width)
{
    uint64_t v8;
    uint32_t v4;
    uint16_t v2;
    if (width == 1) return p[i];
    if (width == 2) return memcpy(&v2, p + 2 * i, 2), v2;
    if (width == 4) return memcpy(&v4, p + 4 * i, 4), v4;
    memcpy(&v8, p + 8 * i, 8);
    return v8;
}

static const char *take_bools(struct tcol_cells *t, const uint8_t *src, uint8_t *to)
{
    int64_t bad = 0, missing = 0;
    if (src) memcpy(to, src, (size_t)t->n);
    for (int64_t i = 0; i < t->n; i++) {
        missing += to[i] == BOOL_MISSING;
        bad += to[i] > 1;
    }
    t->missing = missing;
    return bad > missing ? "holds what is no truth value" : NULL;
}

/* Inlined for each width, so that the loop has one shape. */
static inline __attribute__((always_inline)) uint64_t widen(const uint8_t *src,
                                                            int64_t n, int width,
                                                            int64_t base, int64_t *to,
                                                            int64_t *missing)
{
    uint64_t most = 0, gone = ones(width);
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t v = number_at(src, i, width);
        int is_gone = v == gone;
        to[i] = is_gone ? I64_MISSING : (int64_t)((uint64_t)base + v);
        most = !is_gone && v > most ? v : most;
        count += is_gone;
    }
    *missing = count;
    return most;
}

static const char *take_whole(struct tcol_cells *t, const uint8_t *src, int64_t *to)
{
    uint64_t most = 0;
    if (t->width == 8) {
        if (src) memcpy(to, src, (size_t)t->n * 8);
        t->missing = 0;
        for (int64_t i = 0; i < t->n; i++) t->missing += to[i] == I64_MISSING;
        return t->base ? "has a base and needs none" : NULL;
    }
    if (t->base == I64_MISSING) return "has a base that no number has";
    if (t->width == 1)
        most = widen(src, t->n, 1, t->base, to, &t->missing);
    else if (t->width == 2)
        most = widen(src, t->n, 2, t->base, to, &t->missing);
    else
        most = widen(src, t->n, 4, t->base, to, &t->missing);
    return t->base > 0 && most > (uint64_t)(INT64_MAX - t->base)
               ? "holds a number beyond 64 bits"
               : NULL;
}

/* Infinities are found by their bits; most blocks have none, and none missing. */
static const char *take_numbers(struct tcol_cells *t, const uint8_t *src, double *to)
{
    int64_t missing = 0, infinite = 0;
    float one;
    if (t->width == 4)
        for (int64_t i = 0; i < t->n; i++) {
            memcpy(&one, src + 4 * i, 4);
            to[i] = (double)one;
        }
    else if (src)
        memcpy(to, src, (size_t)t->n * 8);
    for (int64_t i = 0; i < t->n; i++) {
        uint64_t bits;
        memcpy(&bits, &to[i], 8);
        missing += (bits & NO_SIGN) > INF_BITS;
        infinite += (bits & NO_SIGN) == INF_BITS;
    }
    t->missing = missing;
    t->n_infinite = infinite;
    for (int64_t i = 0; infinite && i < t->n; i++) {
        uint64_t bits;
        memcpy(&bits, &to[i], 8);
        if ((bits & NO_SIGN) != INF_BITS) continue;
        if (t->infinite < 0) t->infinite = t->row0 + i;
        if (t->drop_inf) to[i] = (double)NAN;
    }
    return NULL;
}

static const char *take_codes(struct tcol_cells *t, const uint8_t *src, uint32_t *to)
{
    int64_t missing = 0, bad = 0;
    uint32_t gone = (uint32_t)ones(t->width), n = (uint32_t)t->n_levels;
    for (int64_t i = 0; i < t->n; i++) {
        uint32_t v = src ? (uint32_t)number_at(src, i, t->width) : to[i];
        int is_gone = v == gone;
        to[i] = is_gone ? CODE_MISSING : v;
        missing += is_gone;
        bad += !is_gone && v >= n;
    }
    t->missing = missing;
    return bad ? "holds a level that the column does not have" : NULL;
}

const char *tcol_take_cells(struct tcol_cells *t, const void *src, struct column *c)
{
    t->missing = t->n_infinite = 0;
    t->infinite = -1;
    switch (t->type) {
    case TIDE_BOOL:
        return take_bools(t, src, (uint8_t *)c->b + t->row0);
    case TIDE_I64:
    case TIDE_TIME:
        return take_whole(t, src, (int64_t *)c->i64 + t->row0);
    case TIDE_F64:
        return take_numbers(t, src, (double *)c->f64 + t->row0);
    case TIDE_CAT:
        return take_codes(t, src, (uint32_t *)c->code + t->row0);
    case TIDE_TEXT:
        break;
    }
    return "is of no such type";
}

const char *tcol_take_lengths(struct tcol_cells *t, const void *src, int64_t at,
                              int64_t n_text, struct column *c)
{
    int64_t *to = (int64_t *)c->text_at + t->row0;
    uint8_t *gone = c->text_missing ? (uint8_t *)c->text_missing + t->row0 : NULL;
    int64_t end = at + n_text;
    t->missing = t->n_infinite = 0;
    t->infinite = -1;
    for (int64_t i = 0; i < t->n; i++) {
        uint64_t len = number_at(src, i, t->width);
        int is_gone = len == ones(t->width);
        if (is_gone) len = 0;
        if (len > (uint64_t)(end - at)) return "holds texts longer than it";
        to[i] = at;
        at += (int64_t)len;
        t->missing += is_gone;
        if (gone) gone[i] = (uint8_t)is_gone;
    }
    return at < end ? "holds bytes of no text" : NULL;
}

/* Text that is UTF-8 as a whole is so in pieces when no piece begins inside a character. */
const char *tcol_check_texts(const struct tcol_cells *t, int64_t n_text,
                             const struct column *c)
{
    const int64_t *at = c->text_at + t->row0;
    int64_t end = at[0] + n_text, cut = 0;
    if (utf8_check(c->text + at[0], (size_t)n_text))
        return "holds text that is not UTF-8";
    for (int64_t i = 0; i < t->n; i++) {
        int64_t next = i + 1 < t->n ? at[i + 1] : end;
        cut += at[i] < next && ((unsigned char)c->text[at[i]] & 0xc0) == 0x80;
    }
    return cut ? "holds text that begins inside a character" : NULL;
}

const char *tcol_take_levels(const void *raw, int64_t n_raw, uint32_t n,
                             struct arena *work, struct dict *out)
{
    const uint32_t *offset = raw;
    const char *bytes = (const char *)raw + ((size_t)n + 1) * sizeof *offset;
    int64_t n_bytes = n_raw - ((int64_t)n + 1) * (int64_t)sizeof *offset;
    struct level_set set;
    *out = (struct dict){n, offset, bytes};
    if (offset[0] != 0 || offset[n] != n_bytes) return "has levels that do not fill it";
    for (uint32_t k = 0; k < n; k++)
        if (offset[k] > offset[k + 1]) return "has levels out of order";
    if (level_set_init(&set, work, work, n) != 0) return NULL; /* the arena tells */
    for (uint32_t k = 0; k < n; k++) {
        size_t len = offset[k + 1] - offset[k];
        if (utf8_check(bytes + offset[k], len)) return "has a level that is not UTF-8";
        uint32_t code = level_set_add(&set, bytes + offset[k], len, 0);
        if (code != k && code != CODE_MISSING) return "has a level twice";
    }
    return NULL;
}
