/* look_column.c - one column: moments, quantiles, levels, what stands out
 *
 * Standard deviations divide by n - 1; quantiles are of type 7. A sentinel is a round extreme
 * value (-999, 9999) that occurs at least twice and lies further from the next value than all
 * others lie from each other. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/numparse.h"
#include "base/rng.h"
#include "eval/look.h"
#include "math/sort.h"
#include "math/special.h"

#define CHUNK   4096
#define WHISKER 1.5 /* of the interquartile range, Tukey 1977 */

/* ---- numbers ---- */

static int is_round_guard(double v)
{
    static const double guards[] = {9, 99, 999, 9999, 99999, 999999, 9999999, 99999999};
    double a = fabs(v);
    if (v == -1) return 1;
    for (int i = v < 0 ? 0 : 1; i < 8; i++)
        if (a == guards[i] || a == guards[i] - 0.1) return 1;
    return 0;
}

/* Is the extreme value sorted[end], that of `count` rows, apart from [lo, hi] of the rest? */
static int is_apart(double v, int64_t count, double lo, double hi)
{
    double gap = v < lo ? lo - v : v - hi;
    if (count < 2 || !is_round_guard(v) || !(lo < hi)) return 0;
    if (v == -1) return lo >= 0 && lo == floor(lo) && gap > hi - lo;
    return gap > hi - lo || (v <= -99 && lo >= 0 && gap > (hi - lo) / 20);
}

static void find_sentinel(struct look_column *p, const double *s, int64_t n)
{
    int64_t a = 0, b = n;
    p->sentinel = NAN;
    while (a < n && s[a] == s[0]) a++;
    while (b > 0 && s[b - 1] == s[n - 1]) b--;
    if (a >= b) return;
    if (is_apart(s[0], a, s[a], s[n - 1])) {
        p->sentinel = s[0];
        p->n_sentinel = a;
    } else if (is_apart(s[n - 1], n - b, s[0], s[b - 1])) {
        p->sentinel = s[n - 1];
        p->n_sentinel = n - b;
    }
}

static void summarise(struct look_column *p, const double *s, int64_t n)
{
    double iqr;
    p->min = s[0];
    p->max = s[n - 1];
    p->q05 = quantile_sorted(s, n, 0.05);
    p->q25 = quantile_sorted(s, n, 0.25);
    p->q50 = quantile_sorted(s, n, 0.5);
    p->q75 = quantile_sorted(s, n, 0.75);
    p->q95 = quantile_sorted(s, n, 0.95);
    iqr = p->q75 - p->q25;
    p->is_whole = 1;
    p->n_distinct = 1;
    for (int64_t i = 0; i < n; i++) {
        p->n_distinct += i > 0 && s[i] != s[i - 1];
        p->n_zero += s[i] == 0;
        p->is_whole &= s[i] == floor(s[i]);
        p->n_outliers +=
            iqr > 0 && (s[i] < p->q25 - WHISKER * iqr || s[i] > p->q75 + WHISKER * iqr);
    }
    find_sentinel(p, s, n);
}

static void bin(struct look_column *p, const double *sorted, int64_t n, struct arena *a)
{
    struct chart_bins b;
    struct look_bins *out = p->bins;
    if (!out || chart_histogram(a, sorted, n, &b, NULL)) return;
    out->n = b.n;
    out->is_log = b.is_log;
    out->is_integer = b.is_integer;
    out->below = b.below;
    out->above = b.above;
    memcpy(out->lo, b.lo, (size_t)b.n * sizeof *b.lo);
    memcpy(out->hi, b.hi, (size_t)b.n * sizeof *b.hi);
    memcpy(out->count, b.count, (size_t)b.n * sizeof *b.count);
}

static void scan_numbers(const struct look *l, struct look_column *p, struct arena *a)
{
    const struct column *const cols[1] = {p->c};
    struct view v = {.n_rows = p->c->n_rows, .n_cols = 1, .cols = cols};
    int64_t n = v.n_rows;
    struct moments m = {0};
    double *x = arena_array(a, n + 1, sizeof *x),
           *sorted = arena_array(a, n + 1, sizeof *x);
    uint32_t *order = arena_array(a, n + 1, sizeof *order);
    if (!x || !sorted || !order) return;
    for (int64_t i = 0; i < n; i += CHUNK) {
        int64_t k = n - i < CHUNK ? n - i : CHUNK;
        view_numbers(&v, 0, i, k, x + i);
        p->content = hash64(x + i, (size_t)k * sizeof *x, p->content);
        for (int64_t j = i; j < i + k; j++)
            if (isnan(x[j])) p->gaps = gen_mix(p->gaps ^ (uint64_t)j);
    }
    moments_add(&m, x, n);
    p->n = m.n;
    p->n_missing = m.n_missing;
    if (m.n == 0 || sort_index_f64(a, x, n, order)) return;
    for (int64_t i = 0; i < m.n; i++) sorted[i] = x[order[i]];
    p->mean = m.mean;
    p->sd = m.n > 1 ? moments_sd(&m, 1) : 0;
    p->skew = m.m2 > 0 ? sqrt((double)m.n) * m.m3 / (m.m2 * sqrt(m.m2)) : 0;
    p->kurt = m.m2 > 0 ? (double)m.n * m.m4 / (m.m2 * m.m2) - 3 : 0; /* 0: normal */
    summarise(p, sorted, m.n);
    bin(p, sorted, m.n, a);
    look_column_relate(l, p, order, x, m.n, a);
}

/* ---- categories ---- */

/* The most frequent levels, ties to the lower code. */
static void take_top(struct look_column *p, const int64_t *count, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        int at = p->n_top;
        if (count[k] == 0) continue;
        p->n_distinct++;
        if (at == LOOK_TOP && count[k] <= p->top_n[LOOK_TOP - 1]) continue;
        if (at == LOOK_TOP)
            at--;
        else
            p->n_top++;
        while (at > 0 && p->top_n[at - 1] < count[k]) {
            p->top[at] = p->top[at - 1];
            p->top_n[at] = p->top_n[at - 1];
            at--;
        }
        p->top[at] = k;
        p->top_n[at] = count[k];
    }
}

static int is_number_text(const char *s, size_t n)
{
    double v;
    enum num_result r;
    while (n > 0 && s[0] == ' ') s++, n--;
    while (n > 0 && s[n - 1] == ' ') n--;
    r = num_parse(s, n, '.', &v);
    return n > 0 && r != NUM_BAD;
}

static void scan_levels(const struct look *l, struct look_column *p, struct arena *a)
{
    const struct column *c = p->c;
    uint32_t n = c->type == TIDE_BOOL ? 2 : c->dict.n;
    int64_t *count = arena_zero(a, ((size_t)n + 1) * sizeof *count), odd = 0;
    uint64_t *name = arena_array(a, (int64_t)n + 1, sizeof *name);
    if (!count || !name) return;
    for (uint32_t k = 0; k < n; k++) {
        size_t len = 1;
        const char *text =
            c->type == TIDE_BOOL ? (k ? "1" : "0") : dict_text(&c->dict, k, &len);
        name[k] = hash64(text, len, 1);
    }
    for (int64_t i = 0; i < c->n_rows; i++) {
        uint32_t code = c->type == TIDE_BOOL
                            ? (c->b[i] == BOOL_MISSING ? CODE_MISSING : c->b[i] != 0)
                            : c->code[i];
        if (code == CODE_MISSING) {
            p->n_missing++;
            p->gaps = gen_mix(p->gaps ^ (uint64_t)i);
            p->content = gen_mix(p->content ^ 7);
        } else {
            count[code]++;
            p->content = gen_mix(p->content ^ name[code]);
        }
    }
    p->n = c->n_rows - p->n_missing;
    take_top(p, count, n);
    for (uint32_t k = 0; c->type == TIDE_CAT && k < n; k++) {
        size_t len;
        const char *text = dict_text(&c->dict, k, &len);
        if (is_number_text(text, len)) {
            p->n_like_numbers += count[k];
        } else if (count[k] > odd) {
            odd = count[k];
            p->odd_level = k;
        }
    }
    look_column_relate(l, p, NULL, NULL, 0, a);
}

static void scan_text(struct look_column *p, struct arena *a)
{
    const struct column *c = p->c;
    int64_t n = c->n_rows, m = 0;
    uint64_t *h = arena_array(a, n + 1, sizeof *h);
    uint32_t *order = arena_array(a, n + 1, sizeof *order);
    if (!h || !order) return;
    for (int64_t i = 0; i < n; i++) {
        const char *s = c->text + c->text_at[i];
        size_t len = (size_t)(c->text_at[i + 1] - c->text_at[i]);
        if (c->text_missing && c->text_missing[i]) {
            p->n_missing++;
            p->gaps = gen_mix(p->gaps ^ (uint64_t)i);
            continue;
        }
        h[m] = hash64(s, len, 1);
        p->content = gen_mix(p->content ^ h[m++]);
        p->n_like_numbers += is_number_text(s, len);
    }
    p->n = m;
    if (m == 0 || sort_index_u64(a, h, m, order)) return;
    p->n_distinct = 1;
    for (int64_t i = 1; i < m; i++) p->n_distinct += h[order[i]] != h[order[i - 1]];
}

void look_column_scan(const struct look *l, struct look_column *p, struct arena *a)
{
    p->sentinel = p->mean = p->sd = p->skew = p->kurt = NAN;
    p->min = p->max = p->q05 = p->q25 = p->q50 = p->q75 = p->q95 = NAN;
    p->value = p->strength = NAN;
    p->odd_level = CODE_MISSING;
    p->is_number = column_is_numeric(p->c) && p->c->type != TIDE_BOOL;
    if (p->is_number)
        scan_numbers(l, p, a);
    else if (p->c->type == TIDE_TEXT)
        scan_text(p, a);
    else
        scan_levels(l, p, a);
}

const char *look_level(const struct look_column *p, uint32_t level, struct arena *a)
{
    size_t len;
    const char *s;
    if (p->c->type == TIDE_BOOL) return level ? "yes" : "no";
    if (p->c->type != TIDE_CAT || level >= p->c->dict.n) return NULL;
    s = dict_text(&p->c->dict, level, &len);
    return arena_strn(a, s, len);
}
