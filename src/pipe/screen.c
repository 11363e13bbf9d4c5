/* screen.c - constant columns, identifiers, copies of the target and of each other
 *
 * One pass a column, columns in parallel. The order-based test for a leak runs on at most
 * SAMPLE rows first, and on all only where the sample gives reason to. */
#include "pipe/screen.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/par.h"
#include "base/str.h"
#include "math/range.h"
#include "math/sort.h"

#define SAMPLE     20000
#define LEAK       0.999
#define FEWEST_ID  20 /* rows below which unique values mean nothing */
#define FEWEST_CLS 5  /* rows of a class below which separation means nothing */
#define CHUNK      512

enum verdict { KEEP, CONSTANT, EMPTY, IDENTIFIER, TEXT };
struct facts {
    enum verdict verdict;
    int64_t n_missing;
    double lo, hi, leak; /* leak: |r| or AUC, 0 when not measured */
    uint64_t hash;
    int failed; /* scratch memory was refused: the tide_status */
};
struct screening {
    struct tide_ctx *ctx;
    const struct problem *p;
    const int32_t *candidates;
    struct facts *facts;
    int64_t n_smallest; /* rows of the smallest class */
    double mean_y;
};

/* ---- numbers ---- */

/* Do the values of an integer column, all different, look like row numbers or keys? */
static int name_is_key(const char *name)
{
    static const char *const ends[] = {"id",  "_id", "ID",   "Id",    "key",
                                       "Key", "uid", "uuid", "index", "rownum"};
    size_t n = strlen(name);
    if (str_same(name, "column_1") || str_same(name, "no") || str_same(name, "No"))
        return 1;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t k = strlen(ends[i]);
        if (n < k || strcmp(name + n - k, ends[i]) != 0) continue;
        int is_word = n == k || ends[i][0] == '_' || ends[i][0] <= 'Z' ||
                      name[n - k - 1] == '_' || name[n - k - 1] == ' ';
        if (is_word) return 1;
    }
    return 0;
}

static int is_unique(const struct column *c, const struct view *v, struct arena *a)
{
    uint64_t *x = arena_array(a, v->n_rows, sizeof *x);
    uint32_t *order = arena_array(a, v->n_rows, sizeof *order);
    if (!x || !order) return 0;
    for (int64_t i = 0; i < v->n_rows; i++)
        x[i] = (uint64_t)c->i64[view_row(v, i)] ^ (uint64_t)1 << 63;
    if (sort_index_u64(a, x, v->n_rows, order)) return 0;
    for (int64_t i = 1; i < v->n_rows; i++)
        if (x[order[i]] == x[order[i - 1]]) return 0;
    return 1;
}

static int integers_are_ids(const struct column *c, const struct view *v,
                            const struct facts *f, struct arena *a)
{
    int64_t n = v->n_rows;
    if (c->type != TIDE_I64 || f->n_missing || n < FEWEST_ID) return 0;
    int runs = f->hi - f->lo == (double)(n - 1) && (f->lo == 0 || f->lo == 1);
    return (runs || name_is_key(c->name)) && is_unique(c, v, a);
}

/* Values and classes of rows 0, step, ... for the test whether order tells the classes. */
struct sample {
    double *x;
    int32_t *k;
    int64_t n, m, next, step; /* n rows, m of them with a value */
};

static int sample_new(struct sample *to, const struct problem *p, int64_t step,
                      struct arena *a)
{
    *to = (struct sample){.step = step, .n = (p->n_rows + step - 1) / step};
    to->x = arena_array(a, to->n, sizeof *to->x);
    to->k = arena_array(a, to->n, sizeof *to->k);
    return to->x && to->k ? 0 : -1;
}

static void sample_chunk(struct sample *to, const struct problem *p, const double *x,
                         int64_t i0, int64_t n)
{
    for (; to->next < i0 + n; to->next += to->step) {
        to->x[to->m] = x[to->next - i0];
        to->k[to->m] = p->k[to->next];
        to->m += !isnan(to->x[to->m]);
    }
}

/* Sums about the first value, for the correlation with a numeric target. */
struct sums {
    double x0, x, xx, xy, y, yy, n;
};

static void sums_add(struct sums *s, const double *x, const double *y, double mean_y,
                     int64_t m)
{
    for (int64_t k = 0; k < m; k++) {
        if (isnan(x[k])) continue;
        if (s->n == 0) s->x0 = x[k];
        double dx = x[k] - s->x0, dy = y[k] - mean_y;
        s->n++;
        s->x += dx;
        s->xx += dx * dx;
        s->y += dy;
        s->yy += dy * dy;
        s->xy += dx * dy;
    }
}

static double correlation_of(const struct sums *s)
{
    double vx = s->xx - s->x * s->x / s->n, vy = s->yy - s->y * s->y / s->n;
    double cov = s->xy - s->x * s->y / s->n;
    return s->n >= FEWEST_ID && vx > 0 && vy > 0 ? fabs(cov) / sqrt(vx * vy) : 0;
}

/* Range, gaps, hash and correlation with a numeric target, in one pass; a sample, too. */
static void scan_numbers(const struct screening *s, const struct view *v,
                         struct facts *f, struct sample *some)
{
    double x[CHUNK];
    const double *y = s->p->y;
    const struct column *c = v->cols[0];
    struct sums sums = {0};
    struct range range = range_new();
    int in_cells = !v->rows && column_is_sparse(c) && c->n_at < c->n_rows;
    for (int64_t i = 0; i < v->n_rows; i += CHUNK) {
        int64_t m = v->n_rows - i < CHUNK ? v->n_rows - i : CHUNK;
        view_numbers(v, 0, i, m, x);
        f->hash = hash64(x, (size_t)m * sizeof *x, f->hash);
        if (some) sample_chunk(some, s->p, x, i, m);
        if (!in_cells) range_add(&range, x, m);
        if (y) sums_add(&sums, x, y + i, s->mean_y, m);
    }
    if (in_cells) {
        range_add(&range, c->nz, c->n_at);
        range_add(&range, &(double){0}, 1);
    }
    f->n_missing = range.n_missing;
    f->lo = range_lo(&range);
    f->hi = range_hi(&range);
    if (y) f->leak = correlation_of(&sums);
}

/* Could the AUC be beyond LEAK either way? Counts of a few hundred parts of the range bound
 * it, and mostly spare the sort: pairs in one part are won by all or by none. */
static int may_separate(const struct problem *p, const struct sample *some,
                        const struct facts *f)
{
    enum { PARTS = 256 };
    double pos[PARTS] = {0}, neg[PARTS] = {0}, below = 0, n_pos = 0, least = 0,
           most = 0;
    double scale = PARTS / (f->hi - f->lo);
    if (!(f->hi - f->lo <= DBL_MAX) || !(scale <= DBL_MAX)) return 1;
    for (int64_t i = 0; i < some->m; i++) {
        int c = (int)((some->x[i] - f->lo) * scale);
        c = c < PARTS ? c : PARTS - 1;
        *(some->k[i] == p->positive ? &pos[c] : &neg[c]) += 1;
    }
    for (int c = 0; c < PARTS; c++) {
        least += pos[c] * below;
        below += neg[c];
        most += pos[c] * below;
        n_pos += pos[c];
    }
    double all = n_pos * below;
    return most > LEAK * all || least < (1 - LEAK) * all;
}

/* Does the order of x put each of more than two classes in one piece? */
static int in_pieces(const struct problem *p, const struct sample *some,
                     struct arena *a)
{
    double *lo = arena_array(a, p->n_classes, sizeof *lo);
    double *hi = arena_array(a, p->n_classes, sizeof *hi);
    uint32_t *order = arena_array(a, p->n_classes, sizeof *order);
    if (!lo || !hi || !order) return 0;
    for (int32_t k = 0; k < p->n_classes; k++) lo[k] = INFINITY, hi[k] = -INFINITY;
    for (int64_t i = 0; i < some->m; i++) {
        int32_t k = some->k[i];
        lo[k] = some->x[i] < lo[k] ? some->x[i] : lo[k];
        hi[k] = some->x[i] > hi[k] ? some->x[i] : hi[k];
    }
    if (sort_index_f64(a, lo, p->n_classes, order)) return 0;
    for (int32_t k = 0; k < p->n_classes; k++) {
        if (lo[k] > hi[k]) return 0; /* not in the sample */
        if (k && lo[order[k]] <= hi[order[k - 1]]) return 0;
    }
    return 1;
}

/* AUC of x for the positive class (folded to >= 0.5; 0 where it is surely below LEAK), or
 * for more classes 1 when the order of x puts each class in one piece, else 0. */
static double separation(const struct problem *p, const struct sample *some,
                         const struct facts *f, struct arena *a)
{
    int64_t m = some->m;
    const double *x = some->x;
    double below = 0, won = 0, n_pos = 0;
    if (m < some->n / 2 || m < FEWEST_ID) return 0;
    if (p->n_classes > 2) return in_pieces(p, some, a);
    if (!may_separate(p, some, f)) return 0;
    uint32_t *order = arena_array(a, m, sizeof *order);
    if (!order || sort_index_f64(a, x, m, order)) return 0;
    for (int64_t i = 0, j = 0; i < m; i = j) {
        double pos = 0;
        for (; j < m && x[order[j]] == x[order[i]]; j++)
            pos += some->k[order[j]] == p->positive;
        double neg = (double)(j - i) - pos;
        won += pos * (below + neg / 2);
        below += neg;
        n_pos += pos;
    }
    if (n_pos == 0 || below == 0) return 0;
    double auc = won / (n_pos * below);
    return auc < 0.5 ? 1 - auc : auc;
}

static void screen_numbers(const struct screening *s, const struct column *c,
                           const struct view *v, struct facts *f, struct arena *a)
{
    int64_t step = (v->n_rows + SAMPLE - 1) / SAMPLE;
    int is_split = s->p->k && s->n_smallest >= FEWEST_CLS;
    struct sample some, all;
    if (is_split && sample_new(&some, s->p, step, a)) return;
    scan_numbers(s, v, f, is_split ? &some : NULL);
    double size = fabs(f->lo) > fabs(f->hi) ? fabs(f->lo) : fabs(f->hi);
    double least = c->type == TIDE_F64 ? 4 * DBL_EPSILON * size : 0;
    if (f->n_missing == v->n_rows)
        f->verdict = EMPTY;
    else if (!f->n_missing && f->hi - f->lo <= least)
        f->verdict = CONSTANT;
    else if (integers_are_ids(c, v, f, a))
        f->verdict = IDENTIFIER;
    if (f->verdict != KEEP || !is_split) return;
    f->leak = separation(s->p, &some, f, a);
    if (step == 1 || f->leak <= LEAK || sample_new(&all, s->p, 1, a)) return;
    scan_numbers(s, v, &(struct facts){0}, &all);
    f->leak = separation(s->p, &all, f, a);
}

/* ---- categories ---- */

/* Does every level that occurs belong to one class, several rows each? */
static int levels_are_classes(const struct problem *p, const struct column *c,
                              const struct view *v, int64_t n_used, struct arena *a)
{
    int32_t *of = arena_array(a, c->dict.n, sizeof *of);
    if (!of || n_used * 5 > v->n_rows || n_used < p->n_classes) return 0;
    memset(of, 0xff, c->dict.n * sizeof *of);
    for (int64_t i = 0; i < v->n_rows; i++) {
        uint32_t code = c->code[view_row(v, i)];
        if (code == CODE_MISSING) continue;
        if (of[code] >= 0 && of[code] != p->k[i]) return 0;
        of[code] = p->k[i];
    }
    return 1;
}

static void screen_levels(const struct screening *s, const struct column *c,
                          const struct view *v, struct facts *f, struct arena *a)
{
    uint32_t *count = arena_zero(a, (size_t)c->dict.n * sizeof *count + 1);
    uint64_t *name = arena_array(a, c->dict.n, sizeof *name);
    if (!count || !name) return;
    int64_t n_used = 0, most = 0;
    for (uint32_t k = 0; k < c->dict.n; k++) {
        size_t len;
        const char *text = dict_text(&c->dict, k, &len);
        name[k] = hash64(text, len, 7);
    }
    for (int64_t i = 0; i < v->n_rows; i++) {
        uint32_t code = c->code[view_row(v, i)];
        if (code == CODE_MISSING) {
            f->n_missing++;
            f->hash = (f->hash ^ 1) * 0x9e3779b97f4a7c15u;
            continue;
        }
        f->hash = (f->hash ^ name[code]) * 0x9e3779b97f4a7c15u;
        f->hash ^= f->hash >> 29;
        n_used += count[code]++ == 0;
        if (count[code] > most) most = count[code];
    }
    int64_t present = v->n_rows - f->n_missing;
    if (!present)
        f->verdict = EMPTY;
    else if (n_used == 1 && !f->n_missing)
        f->verdict = CONSTANT;
    else if (most == 1 && present >= FEWEST_ID)
        f->verdict = IDENTIFIER;
    else if (s->p->k && s->n_smallest >= FEWEST_CLS && v->n_rows >= FEWEST_ID &&
             f->n_missing * 2 < v->n_rows)
        f->leak = levels_are_classes(s->p, c, v, n_used, a);
}

static void screen_column(void *arg, int64_t at, int worker)
{
    const struct screening *s = arg;
    const struct problem *p = s->p;
    const struct column *c = &p->frame->cols[s->candidates[at]];
    struct facts *f = &s->facts[at];
    struct view v = {
        .n_rows = p->n_rows, .n_cols = 1, .cols = &c, .rows = problem_view_rows(p)};
    struct arena a;
    (void)worker;
    *f = (struct facts){.verdict = KEEP, .hash = c->type == TIDE_CAT ? 2 : 1};
    if (c->type == TIDE_TEXT) {
        f->verdict = TEXT;
        return;
    }
    arena_init(&a, s->ctx);
    if (c->type == TIDE_CAT)
        screen_levels(s, c, &v, f, &a);
    else
        screen_numbers(s, c, &v, f, &a);
    f->failed = a.failed;
    arena_free(&a);
}

/* ---- saying it ---- */

static void warn(const struct screening *s, tide_code code, const char *name,
                 const char *option, const char *fmt)
{
    tide_error w = {0};
    char shown[160];
    err_quote(shown, sizeof shown, name, strlen(name), 100);
    err_set(&w, code, fmt, shown);
    err_field(&w, name);
    err_at(&w, s->p->frame->source, 0, 0);
    if (option) err_hint(&w, option, "%s", name);
    ctx_warn(s->ctx, &w);
}

static void warn_leak(const struct screening *s, const char *name, double leak)
{
    tide_error w = {0};
    char shown[160];
    err_quote(shown, sizeof shown, name, strlen(name), 100);
    const char *target = s->p->frame->cols[s->p->target].name;
    if (s->p->y)
        err_set(&w, TIDE_CODE_DATA_LEAK,
                "'%s' gives '%s' away: their correlation is above %r", shown, target,
                LEAK);
    else if (s->p->n_classes == 2 && leak < 1)
        err_set(&w, TIDE_CODE_DATA_LEAK,
                "'%s' gives '%s' away: alone it has an AUC above %r", shown, target,
                LEAK);
    else
        err_set(&w, TIDE_CODE_DATA_LEAK,
                "'%s' gives '%s' away: alone it tells every class", shown, target);
    err_field(&w, name);
    err_at(&w, s->p->frame->source, 0, 0);
    err_hint(&w, "drop", "%s", name);
    ctx_warn(s->ctx, &w);
}

static void note_copies(const struct screening *s, int n)
{
    int said = 0;
    for (int i = 0; i < n && said < 5; i++)
        for (int j = i + 1; j < n && n <= 2000; j++) {
            const struct facts *a = &s->facts[i], *b = &s->facts[j];
            if (a->verdict != KEEP || b->verdict != KEEP || a->hash != b->hash)
                continue;
            ctx_note(s->ctx, "'%s' and '%s' hold the same values",
                     s->p->frame->cols[s->candidates[i]].name,
                     s->p->frame->cols[s->candidates[j]].name);
            said++;
            break;
        }
}

static void note_text(const struct screening *s, int n)
{
    struct str list = {0};
    int n_text = 0;
    for (int i = 0; i < n; i++) {
        if (s->facts[i].verdict != TEXT) continue;
        const char *name = s->p->frame->cols[s->candidates[i]].name;
        if (n_text++ < 5) str_addf(&list, "%s'%s'", list.len ? ", " : "", name);
    }
    if (n_text && !list.failed)
        ctx_note(s->ctx, "free text is left out: %s%s", list.s,
                 n_text > 5 ? ", ..." : "");
    str_free(&list);
}

/* Says what was left out; identifiers stay in when nothing else would be left. */
static int settle(struct screening *s, int n)
{
    int n_kept = 0, n_constant = 0, n_text = 0;
    for (int i = 0; i < n; i++) {
        n_text += s->facts[i].verdict == TEXT;
        n_kept += s->facts[i].verdict == KEEP;
        n_constant += s->facts[i].verdict == CONSTANT || s->facts[i].verdict == EMPTY;
    }
    for (int i = 0; i < n; i++) {
        struct facts *f = &s->facts[i];
        const char *name = s->p->frame->cols[s->candidates[i]].name;
        if (f->verdict == CONSTANT)
            warn(s, TIDE_CODE_DATA_CONSTANT, name, NULL,
                 "'%s' has one value and is left out");
        else if (f->verdict == EMPTY)
            warn(s, TIDE_CODE_DATA_CONSTANT, name, NULL,
                 "'%s' is empty and is left out");
        else if (f->verdict == IDENTIFIER && n_kept + n_constant + n_text > 0)
            warn(s, TIDE_CODE_DATA_ID, name, "id",
                 "'%s' has every value once, as an identifier has, and is left out");
        else if (f->verdict == IDENTIFIER)
            f->verdict = KEEP;
        if (f->verdict == KEEP && f->leak > LEAK) warn_leak(s, name, f->leak);
    }
    note_text(s, n);
    note_copies(s, n);
    return n_constant;
}

#define MOST_COPIES 200000 /* rows; more are not looked through for copies */

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

/* Rows that equal an earlier row in every feature and the target: folds may share them. */
struct repeats {
    const struct screening *s;
    int n;
    uint64_t *h; /* [rows] */
};

#define ROW_BLOCK 1024

static void hash_rows(void *arg, int64_t block, int worker)
{
    struct repeats *r = arg;
    const struct problem *p = r->s->p;
    int64_t i0 = block * ROW_BLOCK;
    int64_t m = p->n_rows - i0 < ROW_BLOCK ? p->n_rows - i0 : ROW_BLOCK;
    uint64_t *h = r->h + i0;
    double x[ROW_BLOCK];
    uint32_t code[ROW_BLOCK];
    (void)worker;
    memset(h, 0, (size_t)m * sizeof *h);
    for (int j = 0; j < r->n; j++) {
        const struct column *c = &p->frame->cols[r->s->candidates[j]];
        struct view v = {
            .n_rows = p->n_rows, .n_cols = 1, .cols = &c, .rows = problem_view_rows(p)};
        if (r->s->facts[j].verdict != KEEP) continue;
        if (c->type == TIDE_CAT)
            view_codes(&v, 0, i0, m, code);
        else
            view_numbers(&v, 0, i0, m, x);
        for (int64_t i = 0; i < m; i++) {
            uint64_t bits = code[i];
            if (c->type != TIDE_CAT) memcpy(&bits, &x[i], sizeof bits);
            h[i] = mix(h[i], bits);
        }
    }
    for (int64_t i = 0; i < m; i++) {
        uint64_t bits = p->k ? (uint64_t)p->k[i0 + i] : 0;
        if (p->y) memcpy(&bits, &p->y[i0 + i], sizeof bits);
        h[i] = mix(h[i], bits);
    }
}

/* Hashes that share their high bits with another move to the front; the others differ from
 * all. Their number, or -1. */
static int64_t maybe_repeated(uint64_t *h, int64_t n, struct arena *a)
{
    int bits = 4; /* some sixteen slots a row */
    int64_t m = 0;
    while (bits < 32 && (int64_t)1 << bits < 16 * n) bits++;
    uint8_t *once = arena_zero(a, (size_t)1 << (bits - 3));
    uint8_t *more = arena_zero(a, (size_t)1 << (bits - 3));
    if (!once || !more) return -1;
    for (int64_t i = 0; i < n; i++) {
        uint64_t slot = h[i] >> (64 - bits);
        uint8_t bit = (uint8_t)(1 << (slot & 7));
        more[slot >> 3] |= once[slot >> 3] & bit;
        once[slot >> 3] |= bit;
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t slot = h[i] >> (64 - bits), here = h[i];
        h[m] = here;
        m += more[slot >> 3] >> (slot & 7) & 1;
    }
    return m;
}

static tide_status note_repeated_rows(const struct screening *s, int n, tide_error *err)
{
    const struct problem *p = s->p;
    struct arena a;
    struct repeats r = {.s = s, .n = n};
    int64_t repeated = 0, m = -1;
    if (p->n_rows > MOST_COPIES) return TIDE_OK;
    arena_init(&a, s->ctx);
    r.h = arena_array(&a, p->n_rows, sizeof *r.h);
    tide_status st = TIDE_OK;
    if (r.h)
        st = par_for(s->ctx, (p->n_rows + ROW_BLOCK - 1) / ROW_BLOCK, hash_rows, &r,
                     err);
    if (r.h && !st) m = maybe_repeated(r.h, p->n_rows, &a);
    uint32_t *order = m > 0 ? arena_array(&a, m, sizeof *order) : NULL;
    if (order && !sort_index_u64(&a, r.h, m, order))
        for (int64_t i = 1; i < m; i++) repeated += r.h[order[i]] == r.h[order[i - 1]];
    if (repeated)
        ctx_note(s->ctx, "%lld of %lld rows repeat an earlier row in every column used",
                 (long long)repeated, (long long)p->n_rows);
    arena_free(&a);
    return st;
}

static int name_cmp(const void *a, const void *b, const void *arg)
{
    const struct column *cols = arg;
    return strcmp(cols[*(const int32_t *)a].name, cols[*(const int32_t *)b].name);
}

static void measure_target(struct screening *s)
{
    const struct problem *p = s->p;
    for (int64_t i = 0; p->y && i < p->n_rows; i++)
        s->mean_y += p->y[i] / (double)p->n_rows;
    s->n_smallest = p->k ? p->n_rows : 0;
    for (int32_t k = 0; p->k && k < p->n_classes && p->n_classes <= 1000; k++) {
        int64_t n = 0;
        for (int64_t i = 0; i < p->n_rows; i++) n += p->k[i] == k;
        if (n < s->n_smallest) s->n_smallest = n;
    }
    if (p->n_classes > 1000 || p->n_classes < 2) s->n_smallest = 0;
}

tide_status screen_features(struct tide_ctx *ctx, struct problem *p,
                            const uint8_t *is_candidate, tide_error *err)
{
    const tide_frame *frame = p->frame;
    int n = 0, n_features = 0;
    int32_t *list = arena_array(&p->arena, frame->n_cols, sizeof *list);
    struct facts *facts = arena_array(&p->arena, frame->n_cols, sizeof *facts);
    tide_status st = arena_status(&p->arena, err);
    if (st) return st;
    for (int j = 0; j < frame->n_cols; j++)
        if (is_candidate[j]) list[n++] = j;
    if (n == 0) {
        if (p->target < 0)
            err_set(err, TIDE_CODE_DATA_NO_FEATURES, "no feature columns");
        else
            err_set(err, TIDE_CODE_DATA_NO_FEATURES, "no feature columns beside '%s'",
                    frame->cols[p->target].name);
        return err_at(err, frame->source, 0, 0);
    }
    if (sort_any(&p->arena, list, n, sizeof *list, name_cmp, frame->cols))
        return arena_status(&p->arena, err);
    struct screening s = {.ctx = ctx, .p = p, .candidates = list, .facts = facts};
    measure_target(&s);
    st = par_for(ctx, n, screen_column, &s, err);
    for (int i = 0; !st && i < n; i++)
        if (facts[i].failed)
            st = facts[i].failed == TIDE_ELIMIT
                     ? ctx_memory_refused(ctx, p->n_rows * 8, err)
                     : err_nomem(err, 0);
    if (st) return st;
    int n_constant = settle(&s, n);
    for (int i = 0; i < n; i++) n_features += facts[i].verdict == KEEP;
    if (n_features) st = note_repeated_rows(&s, n, err);
    if (st) return st;
    n_features = 0;
    for (int i = 0; i < n; i++)
        if (facts[i].verdict == KEEP) list[n_features++] = list[i];
    p->features = list;
    p->n_features = n_features;
    if (n_features || n_constant) return TIDE_OK;
    if (p->target < 0)
        err_set(err, TIDE_CODE_DATA_NO_FEATURES,
                "no feature columns: every column holds free text");
    else
        err_set(err, TIDE_CODE_DATA_NO_FEATURES,
                "no feature columns: every column beside '%s' holds free text",
                frame->cols[p->target].name);
    err_at(err, frame->source, 0, 0);
    return err_hint(err, "types", "%s=category", frame->cols[list[0]].name);
}
