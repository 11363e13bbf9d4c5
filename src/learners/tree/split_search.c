/* split_search.c - the best cut of one column in one node of a forest's tree (trees.md 7)
 *
 * Rows become a list of distinct codes with their sums: a table of cells and a bitmap of those
 * touched, so nothing is sorted and nothing cleared; a handful of rows are sorted by insertion.
 * Cuts are compared as fractions, without a division. Many classes: rows stand by code and sums
 * of squares are carried along, so the cost does not depend on the number of classes.
 * Scores        gini  l0 l1 / nl + r0 r1 / nr; squared -(S^2/W); entropy n log n - sum n_k log n_k
 * Missing       code 0: tried on the left, then on the right, and against all numbers
 */
#include <float.h>
#include <math.h>

#include "learners/tree/small_node.h"
#include "simd/vmath.h"

#define FEW    12
#define DENSE  6 /* codes a row */
#define DENSER 12
#define SPREAD 4 /* tables */

/* ------------------------------------------------------------------------ lists --- */

#define AT(i) (ids ? seq[ids[i]] : seq[i])

static inline uint64_t two_of(uint32_t pay)
{
    return (uint64_t)(pay >> 1) << ((pay & 1) * 32);
}

/* The codes that were met, ascending, into list_code; their number. */
static inline int take_codes(struct grow_work *w, uint32_t n_codes)
{
    int m = 0;
    for (uint32_t word = 0; word <= (n_codes - 1) >> 6; word++) {
        uint64_t bits = w->touched[word];
        w->touched[word] = 0;
        for (; bits; bits &= bits - 1)
            w->list_code[m++] = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(bits));
    }
    return m;
}

/* List of two classes: list_sum has the weights of each code and all below it. */
static inline int list_few(struct grow_work *w, const uint16_t *seq,
                           const uint16_t *ids, const uint32_t *pay, uint32_t n)
{
    uint64_t key[FEW];
    int m = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t k = (uint64_t)AT(i) << 32 | pay[i];
        uint32_t j = i;
        for (; j > 0 && key[j - 1] > k; j--) key[j] = key[j - 1];
        key[j] = k;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint16_t c = (uint16_t)(key[i] >> 32);
        uint64_t add = two_of((uint32_t)key[i]);
        if (m && w->list_code[m - 1] == c) {
            w->list_sum[m - 1] += add;
        } else {
            w->list_code[m] = c;
            w->list_sum[m] = (m ? w->list_sum[m - 1] : 0) + add;
            m++;
        }
    }
    return m;
}

/* Few codes, many rows: neighbours add to tables of their own, lest each waits for the last. */
static inline void spread_two(uint64_t *cell, const uint16_t *seq, const uint16_t *ids,
                              const uint32_t *pay, uint32_t n, uint32_t n_codes)
{
    uint64_t *cell1 = cell + n_codes, *cell2 = cell1 + n_codes,
             *cell3 = cell2 + n_codes;
    uint32_t i = 0;
    for (; i + SPREAD <= n; i += SPREAD) {
        cell[AT(i)] += two_of(pay[i]);
        cell1[AT(i + 1)] += two_of(pay[i + 1]);
        cell2[AT(i + 2)] += two_of(pay[i + 2]);
        cell3[AT(i + 3)] += two_of(pay[i + 3]);
    }
    for (; i < n; i++) cell[AT(i)] += two_of(pay[i]);
    for (uint32_t c = 0; c < n_codes; c++) {
        cell[c] += cell1[c] + cell2[c] + cell3[c];
        cell1[c] = cell2[c] = cell3[c] = 0;
    }
}

static inline int list_two(struct grow_work *w, const uint16_t *seq,
                           const uint16_t *ids, const struct grow_rows *rows,
                           uint32_t n_codes)
{
    const uint32_t *pay = rows->pay;
    uint32_t n = rows->n;
    uint64_t *cell = w->cell;
    if (n <= FEW) return list_few(w, seq, ids, pay, n);
    if (n >= 4 * SPREAD * n_codes && SPREAD * n_codes <= SMALL_CODES) {
        spread_two(cell, seq, ids, pay, n, n_codes);
        return (int)w->simd->tree_list(cell, n_codes, w->list_code, w->list_sum);
    }
    if (DENSE * n >= n_codes) { /* most cells are met: no bitmap */
        for (uint32_t i = 0; i < n; i++) cell[AT(i)] += two_of(pay[i]);
        return (int)w->simd->tree_list(cell, n_codes, w->list_code, w->list_sum);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c = AT(i);
        cell[c] += two_of(pay[i]);
        w->touched[c >> 6] |= UINT64_C(1) << (c & 63);
    }
    int m = take_codes(w, n_codes);
    uint64_t sum = 0;
    for (int k = 0; k < m; k++) {
        uint64_t *c = &cell[w->list_code[k]];
        w->list_sum[k] = sum += *c;
        *c = 0;
    }
    return m;
}

static inline int list_sums(struct grow_work *w, const uint16_t *seq,
                            const uint16_t *ids, const struct grow_rows *rows,
                            uint32_t n_codes)
{
    for (uint32_t i = 0; i < rows->n; i++) {
        uint32_t c = AT(i);
        w->sum[c].s += rows->aux[i] * (int64_t)rows->pay[i];
        w->sum[c].w += rows->pay[i];
        w->touched[c >> 6] |= UINT64_C(1) << (c & 63);
    }
    int m = take_codes(w, n_codes);
    for (int k = 0; k < m; k++) {
        struct grow_sum *c = &w->sum[w->list_code[k]];
        w->list_sum[k] = (uint64_t)c->s;
        w->list_w[k] = c->w;
        *c = (struct grow_sum){0};
    }
    return m;
}

/* Rows by code, ties in any order: what is made of them is a sum. */
static inline int list_rows(struct grow_work *w, const uint16_t *seq,
                            const uint16_t *ids, const struct grow_rows *rows,
                            uint32_t n_codes)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < rows->n; i++) {
        uint32_t c = AT(i);
        w->start[c]++;
        w->touched[c >> 6] |= UINT64_C(1) << (c & 63);
    }
    int m = take_codes(w, n_codes);
    for (int k = 0; k < m; k++) {
        uint32_t count = w->start[w->list_code[k]];
        w->start[w->list_code[k]] = at;
        at += count;
    }
    for (uint32_t i = 0; i < rows->n; i++) {
        uint16_t c = AT(i);
        uint32_t to = w->start[c]++;
        w->by_code[to] = c;
        w->by_pay[to] = rows->pay[i];
        w->by_aux[to] = rows->aux[i];
    }
    for (int k = 0; k < m; k++) w->start[w->list_code[k]] = 0;
    return m;
}

/* ----------------------------------------------------------------------- scores --- */

static inline void offer(struct grow_split *best, int32_t feature, double num,
                         double den, uint16_t lo, uint16_t hi, int missing, int64_t l0,
                         int64_t l1)
{
    if (!(num * best->den < best->num * den)) return;
    *best = (struct grow_split){.num = num,
                                .den = den,
                                .feature = feature,
                                .lo = lo,
                                .hi = hi,
                                .missing = (uint8_t)missing,
                                .l0 = l0,
                                .l1 = l1};
}

static double nlogn(int64_t n)
{
    return n > 0 ? (double)n * vm_log2((double)n) : 0;
}

/* x log2 x in units of 2^-16: sums of them do not depend on their order. */
static int64_t nlogn_units(int64_t n)
{
    double x = nlogn(n) * 65536;
    return (int64_t)(x + 0.5);
}

static inline void gini_fraction(int64_t l0, int64_t l1, int64_t r0, int64_t r1,
                                 double *num, double *den)
{
    double nl = (double)(l0 + l1), nr = (double)(r0 + r1);
    *num = (double)l0 * (double)l1 * nr + (double)r0 * (double)r1 * nl;
    *den = nl * nr;
}

static void two_fraction(const struct grow_work *w, int64_t l0, int64_t l1, int64_t r0,
                         int64_t r1, double *num, double *den)
{
    if (w->rules->criterion == FOREST_GINI) {
        gini_fraction(l0, l1, r0, r1, num, den);
    } else {
        *num = (nlogn(l0 + l1) - nlogn(l0) - nlogn(l1)) +
               (nlogn(r0 + r1) - nlogn(r0) - nlogn(r1));
        *den = 1;
    }
}

static void sum_fraction(int64_t sl, int64_t wl, int64_t sr, int64_t wr, double *num,
                         double *den)
{
    double a = (double)sl, b = (double)sr;
    *num = -(a * a * (double)wr + b * b * (double)wl);
    *den = (double)wl * (double)wr;
}

static void many_fraction(const struct grow_work *w, int64_t sl, int64_t wl, int64_t sr,
                          int64_t wr, double *num, double *den)
{
    if (w->rules->criterion == FOREST_GINI) {
        *num = -((double)sl * (double)wr + (double)sr * (double)wl);
        *den = (double)wl * (double)wr;
    } else {
        *num = (nlogn(wl) - (double)sl / 65536) + (nlogn(wr) - (double)sr / 65536);
        *den = 1;
    }
}

/* How a class's part of a score grows from weight a to b. */
static inline int64_t class_step(const struct grow_work *w, int64_t a, int64_t b)
{
    return w->rules->criterion == FOREST_GINI ? b * b - a * a
                                              : nlogn_units(b) - nlogn_units(a);
}

/* Cuts behind list entries from..m-2; list_sum has what is on the left of each. */
static void score_two(struct grow_work *w, const struct grow_rows *rows, int from,
                      int m, int mark, int32_t feature, struct grow_split *best)
{
    int64_t at = -1;
    double frac[2] = {best->num, best->den};
    from += mark == MISSING_LEFT; /* see missing_alone */
    if (w->rules->criterion == FOREST_GINI) {
        at = w->simd->tree_gini(w->list_sum + from, m - 1 - from, rows->s0, rows->s1,
                                w->min_units, frac);
        if (at >= 0) at += from;
    } else {
        for (int i = from; i + 1 < m; i++) {
            double num, den;
            int64_t l0 = (int64_t)(w->list_sum[i] & UINT32_MAX);
            int64_t l1 = (int64_t)(w->list_sum[i] >> 32);
            int64_t r0 = rows->s0 - l0, r1 = rows->s1 - l1;
            if (l0 + l1 < w->min_units || r0 + r1 < w->min_units) continue;
            two_fraction(w, l0, l1, r0, r1, &num, &den);
            if (!(num * frac[1] < frac[0] * den)) continue;
            frac[0] = num;
            frac[1] = den;
            at = i;
        }
    }
    if (at < 0) return;
    best->num = frac[0];
    best->den = frac[1];
    best->feature = feature;
    best->lo = w->list_code[at];
    best->hi = w->list_code[at + 1];
    best->missing = (uint8_t)mark;
    best->l0 = (int64_t)(w->list_sum[at] & UINT32_MAX);
    best->l1 = (int64_t)(w->list_sum[at] >> 32);
}

static void score_sums(struct grow_work *w, const struct grow_rows *rows, int from,
                       int m, int mark, int32_t feature, struct grow_split *best)
{
    int64_t sl = 0, wl = 0, least = w->min_units;
    for (int i = from; i + 1 < m; i++) {
        double num, den;
        sl += (int64_t)w->list_sum[i];
        wl += w->list_w[i];
        if (wl < least || rows->s1 - wl < least || (mark == MISSING_LEFT && i == 0))
            continue;
        sum_fraction(sl, wl, rows->s0 - sl, rows->s1 - wl, &num, &den);
        offer(best, feature, num, den, w->list_code[i], w->list_code[i + 1], mark, sl,
              wl);
    }
}

/* Rows `skip`.. of those by code go left one by one. */
static void score_rows(struct grow_work *w, const struct grow_rows *rows, uint32_t skip,
                       int mark, int32_t feature, struct grow_split *best)
{
    int64_t sl = 0, sr = 0, wl = 0, least = w->min_units;
    int32_t k_all = w->data->d->n_classes;
    for (int32_t k = 0; k < k_all; k++) sr += class_step(w, 0, w->total[k]);
    uint32_t i = skip;
    for (; i + 1 < rows->n; i++) {
        int64_t k = w->by_aux[i], add = w->by_pay[i];
        int64_t l = w->left[k], r = w->total[k] - l;
        sl += class_step(w, l, l + add);
        sr += class_step(w, r, r - add);
        w->left[k] = l + add;
        wl += add;
        if (w->by_code[i] == w->by_code[i + 1]) continue;
        if (wl < least || rows->s1 - wl < least) continue;
        if (mark == MISSING_LEFT && w->by_code[i] == 0)
            continue; /* see missing_alone */
        double num, den;
        many_fraction(w, sl, wl, sr, rows->s1 - wl, &num, &den);
        offer(best, feature, num, den, w->by_code[i], w->by_code[i + 1], mark, 0, wl);
    }
    while (i-- > skip) w->left[w->by_aux[i]] = 0;
}

/* Every number on the left, missing alone on the right: the rows of code 0, which stand first. */
static void missing_alone(struct grow_work *w, const struct grow_rows *rows, int m,
                          int32_t feature, struct grow_split *best)
{
    double num = 0, den = 1;
    int64_t a = 0, b = 0;
    uint16_t last = w->list_code[m - 1];
    switch (w->data->mode) {
    case FOREST_TWO:
        a = rows->s0 - (int64_t)(w->list_sum[0] & UINT32_MAX);
        b = rows->s1 - (int64_t)(w->list_sum[0] >> 32);
        if (a + b < w->min_units || rows->s0 + rows->s1 - a - b < w->min_units) return;
        two_fraction(w, a, b, rows->s0 - a, rows->s1 - b, &num, &den);
        break;
    case FOREST_SUM:
        a = rows->s0 - (int64_t)w->list_sum[0];
        b = rows->s1 - w->list_w[0];
        if (b < w->min_units || rows->s1 - b < w->min_units) return;
        sum_fraction(a, b, rows->s0 - a, rows->s1 - b, &num, &den);
        break;
    case FOREST_MANY: {
        int64_t sr = 0, sl = 0, wr = 0;
        uint32_t i = 0;
        for (; i < rows->n && w->by_code[i] == 0; i++) {
            int64_t k = w->by_aux[i], add = w->by_pay[i];
            sr += class_step(w, w->left[k], w->left[k] + add);
            w->left[k] += add;
            wr += add;
        }
        for (int32_t k = 0; k < w->data->d->n_classes; k++)
            sl += class_step(w, 0, w->total[k] - w->left[k]);
        while (i-- > 0) w->left[w->by_aux[i]] = 0;
        b = rows->s1 - wr;
        if (b < w->min_units || wr < w->min_units) return;
        many_fraction(w, sl, b, sr, wr, &num, &den);
        break;
    }
    }
    offer(best, feature, num, den, last, last, MISSING_ALONE, a, b);
}

/* Two classes in 16 bits each, no row missing: 0 if the codes are too many for it. */
static int search_halves(struct grow_work *w, const uint16_t *seq, const uint16_t *ids,
                         const struct grow_rows *rows, uint32_t n_codes,
                         int32_t feature, struct grow_split *best)
{
    const uint32_t *two = rows->two;
    uint32_t n = rows->n;
    int better = -1;
    struct simd_cut cut = {.num = best->num,
                           .den = best->den,
                           .s0 = rows->s0,
                           .s1 = rows->s1,
                           .least = w->min_units};
    if (n <= SIMD_FEW && rows->s0 + rows->s1 <= SIMD_FEW_UNITS)
        better = w->simd->tree_few(seq, ids, two, n, &cut);
    if (better < 0 && DENSER * n >= n_codes && n > FEW) {
        for (uint32_t i = 0; i < n; i++) w->half[seq[ids[i]]] += two[i];
        better = w->simd->tree_cells(w->half, n_codes, &cut);
    }
    if (better < 0) return 0;
    if (better)
        *best = (struct grow_split){.num = cut.num,
                                    .den = cut.den,
                                    .feature = feature,
                                    .lo = cut.lo,
                                    .hi = cut.hi,
                                    .missing = MISSING_NONE,
                                    .l0 = cut.left & UINT16_MAX,
                                    .l1 = cut.left >> 16};
    return 1;
}

int search_column(struct grow_work *w, const uint16_t *seq, const uint16_t *ids,
                  const struct grow_rows *rows, uint32_t n_codes, int missing,
                  int32_t feature, struct grow_split *best)
{
    enum forest_mode mode = w->data->mode;
    int m;
    if (rows->two && !missing &&
        search_halves(w, seq, ids, rows, n_codes, feature, best))
        return 2;
    if (ids)
        m = mode == FOREST_TWO   ? list_two(w, seq, ids, rows, n_codes)
            : mode == FOREST_SUM ? list_sums(w, seq, ids, rows, n_codes)
                                 : list_rows(w, seq, ids, rows, n_codes);
    else
        m = mode == FOREST_TWO   ? list_two(w, seq, NULL, rows, n_codes)
            : mode == FOREST_SUM ? list_sums(w, seq, NULL, rows, n_codes)
                                 : list_rows(w, seq, NULL, rows, n_codes);
    if (m < 2) return m;
    int gaps = missing && w->list_code[0] == 0;
    int mark = gaps ? MISSING_LEFT : MISSING_NONE;
    for (int right = 0; right <= gaps; right++) {
        uint32_t skip = 0;
        if (right) mark = MISSING_RIGHT;
        if (mode == FOREST_TWO) {
            for (int i = 1; right && i < m; i++) w->list_sum[i] -= w->list_sum[0];
            score_two(w, rows, right, m, mark, feature, best);
        } else if (mode == FOREST_SUM) {
            score_sums(w, rows, right, m, mark, feature, best);
        } else {
            while (right && w->by_code[skip] == 0) skip++;
            score_rows(w, rows, skip, mark, feature, best);
        }
    }
    if (gaps) missing_alone(w, rows, m, feature, best);
    return m;
}

/* In [lo, hi): rounding may lead out of it. */
static float draw_between(float lo, float hi, double u)
{
    float t = (float)((double)lo * (1 - u) + (double)hi * u);
    if (!(t < hi)) t = nextafterf(hi, lo);
    return t > lo ? t : lo;
}

/* Is a row with this image on the left of a split at `top`? */
static inline int64_t is_left(float x, float floor, float top)
{
    return x >= floor && x <= top;
}

/* The score of a split whose left side is floor <= x <= s->top, and that side's sums; 0: a side is
 * too small. */
static int score_drawn(struct grow_work *w, const float *x,
                       const struct grow_rows *rows, struct grow_split *s)
{
    const float floor = split_floor(s), top = s->top;
    int64_t a = 0, b = 0, all = rows->s1, sl = 0, sr = 0;
    switch (w->data->mode) {
    case FOREST_TWO: {
        uint64_t sum = w->simd->tree_between(x, rows->pay, rows->n, floor, top);
        s->l0 = (int64_t)(sum & UINT32_MAX);
        s->l1 = (int64_t)(sum >> 32);
        b = s->l0 + s->l1;
        all += rows->s0;
        if (b < w->min_units || all - b < w->min_units) return 0;
        two_fraction(w, s->l0, s->l1, rows->s0 - s->l0, rows->s1 - s->l1, &s->num,
                     &s->den);
        return 1;
    }
    case FOREST_SUM:
        for (uint32_t i = 0; i < rows->n; i++) {
            int64_t add = (int64_t)rows->pay[i] * is_left(x[i], floor, top);
            a += rows->aux[i] * add;
            b += add;
        }
        if (b < w->min_units || all - b < w->min_units) return 0;
        sum_fraction(a, b, rows->s0 - a, all - b, &s->num, &s->den);
        break;
    case FOREST_MANY:
        for (uint32_t i = 0; i < rows->n; i++) {
            int64_t add = (int64_t)rows->pay[i] * is_left(x[i], floor, top);
            w->left[rows->aux[i]] += add;
            b += add;
        }
        for (int32_t k = 0; k < w->data->d->n_classes; k++) {
            sl += class_step(w, 0, w->left[k]);
            sr += class_step(w, 0, w->total[k] - w->left[k]);
            w->left[k] = 0;
        }
        if (b < w->min_units || all - b < w->min_units) return 0;
        many_fraction(w, sl, b, sr, all - b, &s->num, &s->den);
        break;
    }
    s->l0 = a;
    s->l1 = b;
    return 1;
}

/* Draws a threshold between the least and the greatest image; 0 where they are the same. */
static int draw_threshold(const struct grow_work *w, uint64_t path, int32_t feature,
                          const float range[2], int gaps, struct grow_split *s)
{
    int coin;
    *s = (struct grow_split){.feature = feature};
    if (range[0] < range[1]) {
        double u = path_draw(path, w->hash[feature], &coin);
        s->top = draw_between(range[0], range[1], u);
        s->missing = (uint8_t)(!gaps  ? MISSING_NONE
                               : coin ? MISSING_LEFT
                                      : MISSING_RIGHT);
        return 1;
    }
    s->top = FLT_MAX;
    s->missing = MISSING_ALONE;
    return range[0] == range[1] && gaps;
}

void search_drawn(struct grow_work *w, const float *image, int64_t step,
                  const uint16_t *ids, const struct grow_rows *rows, uint64_t path,
                  int32_t feature, struct grow_split *best)
{
    struct grow_split s;
    float range[2];
    int by_rows = step != 1;
    for (uint32_t i = 0; by_rows && i < rows->n; i++) w->x[i] = image[ids[i] * step];
    int gaps = w->simd->tree_span(image, by_rows ? NULL : ids, w->x, rows->n, range);
    if (!draw_threshold(w, path, feature, range, gaps, &s)) return;
    if (score_drawn(w, w->x, rows, &s) && s.num * best->den < best->num * s.den)
        *best = s;
}

void search_ranks(struct grow_work *w, const struct grow_rows *rows, uint64_t path,
                  int32_t feature, struct grow_split *best)
{
    const struct rank_col *c = &w->data->codes.col[w->on[feature]];
    struct grow_split s;
    float range[2];
    int32_t at = 0;
    int gaps = w->simd->tree_span(NULL, NULL, w->x, rows->n, range);
    if (!(range[0] <= range[1])) return; /* all are missing */
    range[0] = c->image[(int32_t)range[0]];
    range[1] = c->image[(int32_t)range[1]];
    if (!draw_threshold(w, path, feature, range, gaps, &s)) return;
    float top = s.top;
    if (s.missing != MISSING_ALONE) {
        at = rank_from(c, rank_near(c, top), top);
        s.top = (float)at;
    }
    if (!score_drawn(w, w->x, rows, &s) || !(s.num * best->den < best->num * s.den))
        return;
    *best = s;
    best->top = top;
    best->lo = (uint16_t)(at + c->missing);
}

int search_lanes(struct grow_work *w, const struct simd_cells_of *of,
                 const uint16_t *ids, const struct grow_rows *rows, uint64_t path,
                 const int32_t *feature, struct grow_split *best)
{
    float low[SIMD_DRAWN], high[SIMD_DRAWN], top[SIMD_DRAWN] = {0};
    uint32_t left[SIMD_DRAWN];
    int coin, at = -1;
    double num = best->num, den = best->den;
    w->simd->tree_ranges(of, ids, rows->n, w->x, low, high);
    for (int k = 0; k < of->lanes; k++)
        if (low[k] == -(float)INFINITY) return 0;
    for (int k = 0; k < of->lanes; k++)
        top[k] =
            draw_between(low[k], high[k], path_draw(path, w->hash[feature[k]], &coin));
    w->simd->tree_lefts(w->x, rows->two, rows->n, of->lanes, top, left);
    for (int k = 0; k < of->lanes; k++) {
        int64_t a = left[k] & UINT16_MAX, b = left[k] >> 16;
        int64_t c = rows->s0 - a, d = rows->s1 - b;
        double own, weight;
        if (!(low[k] < high[k]) || a + b < w->min_units || c + d < w->min_units)
            continue;
        gini_fraction(a, b, c, d, &own, &weight);
        if (!(own * den < num * weight)) continue;
        num = own;
        den = weight;
        at = k;
    }
    if (at >= 0)
        *best = (struct grow_split){.num = num,
                                    .den = den,
                                    .feature = feature[at],
                                    .top = top[at],
                                    .missing = MISSING_NONE,
                                    .l0 = left[at] & UINT16_MAX,
                                    .l1 = left[at] >> 16};
    return 1;
}

int node_is_pure(struct grow_work *w, const struct grow_rows *rows)
{
    if (w->data->mode == FOREST_TWO) return !rows->s0 || !rows->s1;
    if (w->data->mode == FOREST_SUM) {
        for (uint32_t i = 1; i < rows->n; i++)
            if (rows->aux[i] != rows->aux[0]) return 0;
        return 1;
    }
    for (int32_t k = 0; k < w->data->d->n_classes; k++) w->total[k] = 0;
    for (uint32_t i = 0; i < rows->n; i++) w->total[rows->aux[i]] += rows->pay[i];
    return w->total[rows->aux[0]] == rows->s1;
}

double split_gain(const struct grow_work *w, const struct grow_rows *rows,
                  const struct grow_split *s)
{
    double cost = s->num / s->den, own = 0, gain;
    if (w->data->mode == FOREST_TWO) {
        if (w->rules->criterion == FOREST_GINI) {
            own = (double)rows->s0 * (double)rows->s1 / (double)(rows->s0 + rows->s1);
            cost *= 2;
            own *= 2;
        } else {
            own = nlogn(rows->s0 + rows->s1) - nlogn(rows->s0) - nlogn(rows->s1);
        }
    } else if (w->data->mode == FOREST_SUM) {
        own = -((double)rows->s0 * (double)rows->s0 / (double)rows->s1);
    } else {
        double all = (double)rows->s1;
        int64_t part = 0;
        for (int32_t k = 0; k < w->data->d->n_classes; k++)
            part += class_step(w, 0, w->total[k]);
        own = w->rules->criterion == FOREST_GINI
                  ? -((double)part / all)
                  : nlogn(rows->s1) - (double)part / 65536;
    }
    gain = own - cost;
    return gain > 0 ? gain : 0;
}
