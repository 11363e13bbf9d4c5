/* bundle.c - exclusive bundles: finding lanes that can share a byte column, and telling them apart
 *
 * Search    a lane is a candidate where a sample of rows has one code in half of them or more.
 *           Candidates in their order join the first open column that none of their unusual rows
 *           meets and that has codes left, else they open one; at most 100 stay open. Rows
 *           met are none, not few: the trees are those of lanes apart.
 * Cost      a pass over the codes of candidates, in parallel; 3 bytes a row and candidate at
 *           hand. A full column is passed by without a look at its rows.
 * Paper     Ke et al. 2017 (exclusive feature bundling, here without conflicts)
 * Guide     Q10
 */
#include "learners/tree/bundle.h"

#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "simd/simd.h"

#define SAMPLE_ROWS 256 /* of one look; eight of them */
#define OPEN_MOST   100
#define CODES_MOST  256
#define SLOTS_MOST  16
#define TILE        1024

/* A lane before it is placed. */
struct candidate {
    uint8_t is_one, usual; /* usual: a code, 255 missing */
};
/* The lanes that are coded at a time. */
struct slot {
    int32_t lane;
    uint8_t *code; /* [n] */
    uint32_t *row; /* [n / 2 + TILE] unusual rows */
    int64_t n_row; /* more than n / 2: too many */
    int has_missing;
};
struct open {
    uint8_t *plane;
    int64_t n_row;                 /* that are taken */
    int32_t n_code, n_lanes, last; /* last: the lane that opened it */
};
struct bundler {
    const struct bin_cuts *cuts;
    const struct view *x;
    const struct simd_table *simd;
    struct candidate *c; /* [n_lanes] */
    struct slot *slot;
    int64_t n;
    struct open *column; /* [n_lanes] */
    int32_t n_columns;
    struct bundles *b; /* lane[].plane: number of the column, until all are known */
};

static void look_at(void *arg, int64_t lane, int worker)
{
    const struct bundler *t = arg;
    struct candidate *c = &t->c[lane];
    uint32_t count[256] = {0}, seen = 0;
    uint8_t code[SAMPLE_ROWS];
    int most = 0;
    (void)worker;
    for (int64_t k = 0; k < 8; k++) {
        int64_t at = t->n <= 8 * SAMPLE_ROWS ? k * SAMPLE_ROWS : t->n / 8 * k;
        int64_t m = t->n - at < SAMPLE_ROWS ? t->n - at : SAMPLE_ROWS;
        if (m <= 0) break;
        bins_code_lane(t->cuts, t->simd, t->x, (int32_t)lane, at, m, code);
        for (int64_t i = 0; i < m; i++) count[code[i]]++;
        seen += (uint32_t)m;
    }
    for (int k = 1; k < 256; k++) most = count[k] > count[most] ? k : most;
    c->usual = (uint8_t)most;
    c->is_one = 2 * count[most] >= seen && seen > 0;
}

/* Rows of a tile whose code is another than the usual one. */
static int64_t list_tile(const uint8_t *code, int64_t n, uint8_t usual, int64_t i0,
                         uint32_t *row)
{
    const uint64_t same = UINT64_C(0x0101010101010101) * usual;
    int64_t m = 0, i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, code + i, sizeof word);
        if (word == same) continue;
        for (int64_t k = i; k < i + 8; k++) {
            row[m] = (uint32_t)(i0 + k);
            m += code[k] != usual;
        }
    }
    for (; i < n; i++) {
        row[m] = (uint32_t)(i0 + i);
        m += code[i] != usual;
    }
    return m;
}

/* A sparse column whose zeros have the usual code: only its cells are looked at. */
static int code_sparse(const struct bundler *t, struct slot *s, uint8_t usual)
{
    int32_t f = t->cuts->lane_feature[s->lane];
    const struct bin_feature *b = &t->cuts->feature[f];
    const double zero = 0;
    uint8_t code[TILE];
    if (b->codes || t->x->rows) return 0; /* statistics are no column of the view */
    const struct column *c = t->x->cols[f];
    if (!column_is_sparse(c) || c->n_at > t->n / 2) return 0;
    t->simd->quantise_u8(&zero, 1, b->edge, b->n_edge, code);
    if (code[0] != usual) return 0;
    for (int64_t i = 0; i < c->n_at; i += TILE) {
        int64_t m = c->n_at - i < TILE ? c->n_at - i : TILE;
        t->simd->quantise_u8(c->nz + i, m, b->edge, b->n_edge, code);
        for (int64_t r = 0; r < m; r++) {
            uint32_t row = c->at[i + r];
            s->code[row] = code[r];
            s->row[s->n_row] = row;
            s->n_row += code[r] != usual;
            s->has_missing |= code[r] == BIN_MISSING;
        }
    }
    return 1;
}

static void code_slot(void *arg, int64_t k, int worker)
{
    const struct bundler *t = arg;
    struct slot *s = &t->slot[k];
    uint8_t usual = t->c[s->lane].usual;
    int64_t most = t->n / 2;
    (void)worker;
    s->n_row = s->has_missing = 0;
    if (code_sparse(t, s, usual)) return;
    for (int64_t i = 0; i < t->n && s->n_row <= most; i += TILE) {
        int64_t m = t->n - i < TILE ? t->n - i : TILE;
        uint8_t missing = 0;
        bins_code_lane(t->cuts, t->simd, t->x, s->lane, i, m, s->code + i);
        for (int64_t r = 0; r < m; r++) missing |= s->code[i + r] == BIN_MISSING;
        s->has_missing |= missing;
        s->n_row += list_tile(s->code + i, m, usual, i, s->row + s->n_row);
    }
}

/* The codes of a column for those of a lane; 0 for the usual one. */
static void codes_in(const struct bundle_lane *l, uint8_t as[256])
{
    for (int i = 0; i < l->n; i++) {
        int c = i < l->n_code ? i : BIN_MISSING;
        as[c] = (uint8_t)(i == l->usual ? 0 : l->first + i - (i > l->usual));
    }
}

static int is_free(const struct open *o, const struct slot *s, int64_t n, int32_t codes)
{
    if (o->n_row + s->n_row > n || o->n_code + codes > CODES_MOST) return 0;
    for (int64_t i = 0; i < s->n_row; i++)
        if (o->plane[s->row[i]]) return 0;
    return 1;
}

static struct open *find_open(struct bundler *t, const struct slot *s, int32_t codes)
{
    int32_t looked = 0;
    for (int32_t k = t->n_columns - 1; k >= 0 && looked < OPEN_MOST; k--) {
        struct open *o = &t->column[k];
        if (o->n_row >= t->n || o->n_code >= CODES_MOST) continue;
        looked++;
        if (is_free(o, s, t->n, codes)) return o;
    }
    return NULL;
}

/* Puts a lane into a column; 0: it gets one of its own by other means. */
static int place(struct bundler *t, const struct slot *s, struct arena *a)
{
    int32_t f = t->cuts->lane_feature[s->lane];
    int32_t n_code = t->cuts->feature[f].n_code;
    struct bundle_lane *l = &t->b->lane[s->lane];
    int usual = t->c[s->lane].usual == BIN_MISSING ? n_code : t->c[s->lane].usual;
    *l = (struct bundle_lane){.plane = -1,
                              .usual = (int16_t)usual,
                              .n = (int16_t)(n_code + s->has_missing),
                              .n_code = (int16_t)n_code};
    if (s->n_row > t->n / 2 || l->n > CODES_MOST) return 0;
    struct open *o = find_open(t, s, l->n - 1);
    if (!o) {
        o = &t->column[t->n_columns++];
        *o = (struct open){.n_code = 1};
        o->plane = arena_array(a, t->n + 64, 1);
        if (!o->plane) return 0;
        memset(o->plane, 0, (size_t)t->n);
    }
    uint8_t as[256] = {0};
    l->plane = (int32_t)(o - t->column);
    l->first = (int16_t)o->n_code;
    codes_in(l, as);
    for (int64_t i = 0; i < s->n_row; i++) o->plane[s->row[i]] = as[s->code[s->row[i]]];
    o->n_row += s->n_row;
    o->n_code += l->n - 1;
    o->n_lanes++;
    o->last = s->lane;
    return 1;
}

/* Codes and places the candidates, some at a time. */
static tide_status place_all(struct tide_ctx *ctx, struct bundler *t, int32_t n_slots,
                             struct arena *a, tide_error *err)
{
    int32_t n = t->cuts->n_lanes, k = 0;
    tide_status status = TIDE_OK;
    for (int32_t l = 0; l <= n && !status; l++) {
        if (l < n && t->c[l].is_one) t->slot[k++].lane = l;
        if (k < n_slots && l < n) continue;
        status = par_for(ctx, k, code_slot, t, err);
        for (int32_t i = 0; i < k && !status; i++) {
            t->c[t->slot[i].lane].is_one = (uint8_t)place(t, &t->slot[i], a);
            status = arena_status(a, err);
        }
        k = 0;
    }
    return status;
}

/* A column with a single lane: its own codes again. */
static void undo(struct bundler *t, const struct open *o)
{
    const struct bundle_lane *l = &t->b->lane[o->last];
    uint8_t as[256] = {0}, back[256];
    codes_in(l, as);
    back[0] = t->c[o->last].usual;
    for (int i = 0; i < l->n; i++) {
        int c = i < l->n_code ? i : BIN_MISSING;
        if (i != l->usual) back[as[c]] = (uint8_t)c;
    }
    for (int64_t i = 0; i < t->n; i++) o->plane[i] = back[o->plane[i]];
}

/* Numbers of the byte columns in the order of their first lanes, and the lists by column. */
static void number_columns(struct bundler *t, struct bin_codes *out, uint8_t **to,
                           int32_t *number)
{
    struct bundles *b = t->b;
    int32_t n = t->cuts->n_lanes, next = 0;
    memset(number, -1, ((size_t)t->n_columns + 1) * sizeof *number);
    for (int32_t l = 0; l < n; l++) {
        int32_t at = t->c[l].is_one ? b->lane[l].plane : -1;
        if (at >= 0 && number[at] >= 0) {
            b->lane[l].plane = number[at];
            continue;
        }
        b->lane[l].plane = next;
        b->n_code[next] = (int16_t)t->cuts->feature[t->cuts->lane_feature[l]].n_code;
        out->plane[next] = at >= 0 ? t->column[at].plane : to[l];
        if (at >= 0) {
            number[at] = next;
            int32_t codes = t->column[at].n_code;
            if (t->column[at].n_lanes > 1)
                b->n_code[next] = (int16_t)(codes < 255 ? codes : 255);
        }
        next++;
    }
    out->n_planes = next;
    for (int32_t l = 0; l < n; l++) b->start[b->lane[l].plane + 1]++;
    for (int32_t p = 0; p < next; p++) b->start[p + 1] += b->start[p];
    for (int32_t l = 0; l < n; l++) b->lanes[b->start[b->lane[l].plane]++] = l;
    for (int32_t p = next; p > 0; p--) b->start[p] = b->start[p - 1];
    b->start[0] = 0;
}

static tide_status bundler_new(struct tide_ctx *ctx, struct bundler *t,
                               int32_t *n_slots, struct arena *keep, struct arena *work,
                               tide_error *err)
{
    int32_t n = t->cuts->n_lanes;
    size_t lanes = (size_t)n + 1;
    *n_slots = 2 * par_threads(ctx);
    if (*n_slots > SLOTS_MOST) *n_slots = SLOTS_MOST;
    t->slot = arena_array(work, *n_slots, sizeof *t->slot);
    t->column = arena_array(work, n + 1, sizeof *t->column);
    t->b = arena_zero(keep, sizeof *t->b);
    tide_status status = arena_status(keep, err);
    if (!status) status = arena_status(work, err);
    if (status) return status;
    t->b->lane = arena_zero(keep, lanes * sizeof *t->b->lane);
    t->b->lanes = arena_zero(keep, lanes * sizeof *t->b->lanes);
    t->b->start = arena_zero(keep, (lanes + 1) * sizeof *t->b->start);
    t->b->n_code = arena_zero(keep, lanes * sizeof *t->b->n_code);
    for (int32_t k = 0; k < *n_slots; k++) {
        t->slot[k].code = arena_array(work, t->n + 64, 1);
        t->slot[k].row = arena_array(work, t->n / 2 + 2 * TILE, sizeof(uint32_t));
    }
    status = arena_status(keep, err);
    return status ? status : arena_status(work, err);
}

/* Planes of their own for the lanes that `to` names. */
static tide_status planes_apart(const struct bundler *t, struct arena *a, uint8_t **to,
                                tide_error *err)
{
    for (int32_t l = 0; l < t->cuts->n_lanes; l++)
        to[l] = t->c[l].is_one ? NULL : arena_array(a, t->n + 64, 1);
    return arena_status(a, err);
}

tide_status bundle_make(struct tide_ctx *ctx, const struct bin_cuts *cuts,
                        const struct view *x, int apart, struct arena *a,
                        struct bin_codes *out, uint8_t **to, tide_error *err)
{
    struct bundler t = {.cuts = cuts, .x = x, .simd = simd_get(ctx), .n = x->n_rows};
    struct arena work;
    int32_t n_slots = 0, lanes = cuts->n_lanes, many = 0;
    arena_init(&work, ctx);
    t.c = arena_zero(&work, ((size_t)lanes + 1) * sizeof *t.c);
    tide_status status = arena_status(&work, err);
    if (!status && !apart && !ctx->lanes_apart)
        status = par_for(ctx, lanes, look_at, &t, err);
    for (int32_t l = 0; l < lanes && !status; l++) many += t.c[l].is_one;
    if (!status && many > 1) status = bundler_new(ctx, &t, &n_slots, a, &work, err);
    if (!status && many > 1) status = place_all(ctx, &t, n_slots, a, err);
    for (int32_t l = 0; l < lanes && many < 2 && !status; l++) t.c[l].is_one = 0;
    if (!status) status = planes_apart(&t, a, to, err);
    int32_t shared = 0, *number = NULL;
    for (int32_t k = 0; k < t.n_columns; k++) shared += t.column[k].n_lanes > 1;
    if (!status && many > 1) {
        number = arena_array(&work, t.n_columns + 1, sizeof *number);
        status = arena_status(&work, err);
    }
    for (int32_t k = 0; k < t.n_columns && !status; k++)
        if (t.column[k].n_lanes == 1) {
            undo(&t, &t.column[k]);
            t.b->lane[t.column[k].last].first = 0;
        }
    out->n_planes = lanes;
    for (int32_t l = 0; l < lanes && !status; l++) out->plane[l] = to[l];
    if (!status && many > 1) number_columns(&t, out, to, number);
    if (!status && shared) out->bundles = t.b;
    arena_free(&work);
    return status;
}

const uint64_t *bundle_cells(const struct bin_codes *codes, int32_t lane,
                             const uint64_t *hist, int wide, int64_t g, int64_t h,
                             uint64_t room[512])
{
    if (!codes->bundles) return hist + (wide ? 512 : 256) * (size_t)lane;
    const struct bundle_lane *l = &codes->bundles->lane[lane];
    hist += (wide ? 512 : 256) * (size_t)l->plane;
    if (!l->first) return hist;
    int words = wide ? 2 : 1, before = l->usual, n = l->n_code;
    const uint64_t *from = hist + words * l->first;
    uint64_t rest[2] = {(uint64_t)g, (uint64_t)h};
    if (!wide) rest[0] = ((uint64_t)g << 32) + (uint64_t)h;
    /* scans read whole groups of 16 codes */
    int end = (n + 15) / 16 * 16;
    memset(room + words * n, 0, (size_t)(words * (end - n)) * sizeof *room);
    memset(room + words * BIN_MISSING, 0, (size_t)words * sizeof *room);
    for (int i = 0; i < l->n; i++) {
        if (i == before) continue;
        uint64_t *to = room + words * (i < n ? i : BIN_MISSING);
        for (int k = 0; k < words; k++) {
            to[k] = from[k];
            rest[k] -= from[k];
        }
        from += words;
    }
    memcpy(room + words * (before < n ? before : BIN_MISSING), rest,
           (size_t)words * sizeof *room);
    return room;
}

const uint8_t *bundle_table(const struct bin_codes *codes, int32_t lane,
                            uint8_t left[256])
{
    const struct bundle_lane *l = codes->bundles ? &codes->bundles->lane[lane] : NULL;
    if (l && l->first) {
        uint8_t by_lane[256], as[256] = {0};
        memcpy(by_lane, left, sizeof by_lane);
        codes_in(l, as);
        memset(left, by_lane[l->usual < l->n_code ? l->usual : BIN_MISSING], 256);
        for (int i = 0; i < l->n; i++) {
            int c = i < l->n_code ? i : BIN_MISSING;
            if (i != l->usual) left[as[c]] = by_lane[c];
        }
    }
    return bundle_plane(codes, lane);
}

void bundle_counts(const struct bin_codes *codes, int32_t lane, uint32_t n,
                   uint32_t count[256])
{
    const struct bundle_lane *l = codes->bundles ? &codes->bundles->lane[lane] : NULL;
    if (!l || !l->first) return;
    uint32_t of[256];
    uint8_t as[256] = {0};
    memcpy(of, count, sizeof of);
    memset(count, 0, sizeof of);
    codes_in(l, as);
    for (int i = 0; i < l->n; i++) {
        int c = i < l->n_code ? i : BIN_MISSING;
        if (i == l->usual) continue;
        count[c] = of[as[c]];
        n -= of[as[c]];
    }
    count[l->usual < l->n_code ? l->usual : BIN_MISSING] = n;
}
