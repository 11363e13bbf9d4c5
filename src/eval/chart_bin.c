/* chart_bin.c - histogram bins: few, of nice widths, the same on every machine
 *
 * Width by Freedman and Diaconis 1981 (2 IQR / cube root of n), rounded up to 1, 2, 2.5 or 5
 * times a power of ten, so that 8 to 64 bins cover the data; integers get whole-number bins.
 * Values further than 1.5 times the range of the middle 99 % from its ends are counted in the
 * end bins (and in below, above). When all values are positive and the 99 % quantile is more
 * than 20 times the median, edges grow by a factor 10^(1/2^s), found by square roots: no
 * logarithm, whose last bit would depend on the C library. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "eval/chart.h"
#include "math/sort.h"
#include "math/special.h"

#define BINS_MIN 8
#define BINS_MAX 64
#define TAIL     0.005 /* quantile that begins the tail */
#define FAR      1.5   /* times the middle range: beyond is counted in an end bin */
#define LOG_FROM 20.0  /* 99 % / 50 % quotient above which bins grow */
#define EXACT    9007199254740992.0

/* Cube root by Newton's rule; the same bits everywhere. */
static double bin_cbrt(double x)
{
    double r = 1;
    while (r * r * r < x) r *= 2;
    for (int i = 0; i < 60; i++) r = (2 * r + x / (r * r)) / 3;
    return r;
}

/* A step m * 10^e with m of 1, 2, 2.5, 5. */
struct bin_step {
    double m;
    int e;
};

static double bin_pow10(int e)
{
    double p = 1;
    for (; e > 0; e--) p *= 10;
    return p;
}

/* k steps; the product and the quotient round once, so 3 steps of 0.1 print as 0.3 */
static double bin_edge(const struct bin_step *s, double k)
{
    return s->e < 0 ? k * s->m / bin_pow10(-s->e) : k * s->m * bin_pow10(s->e);
}

/* The smallest nice step that is at least `width` > 0. */
static struct bin_step bin_nice(double width)
{
    static const double nice[] = {1, 2, 2.5, 5};
    struct bin_step s = {1, 0};
    while (s.e < 300 && bin_edge(&s, 1) < width) s.e++;
    while (s.e > -300 && bin_edge(&s, 1) >= width) s.e--;
    for (int i = 0; i < 4; i++) {
        s.m = nice[i];
        if (bin_edge(&s, 1) >= width) return s;
    }
    return (struct bin_step){1, s.e + 1};
}

/* Edges of equal width from lo to hi; returns the number of bins. */
static int bin_equal(double lo, double hi, double width, int is_integer, double *edge)
{
    struct bin_step s;
    double first;
    int n;
    if (!(width >= (hi - lo) / BINS_MAX)) width = (hi - lo) / BINS_MAX;
    if (width > (hi - lo) / BINS_MIN) width = (hi - lo) / BINS_MIN;
    if (is_integer && width < 1) width = 1;
    s = bin_nice(width);
    if (is_integer && s.e == 0 && s.m > 2 && s.m < 5) s.m = 5;
    for (;;) {
        first = floor(lo / bin_edge(&s, 1));
        if (bin_edge(&s, first) > lo) first -= 1;
        for (n = 0; n <= BINS_MAX; n++) {
            edge[n] = bin_edge(&s, first + n);
            /* a bin holds lo <= x < hi, the last one its end too; integers keep whole bins */
            if (n > 0 && (is_integer ? edge[n] > hi : edge[n] >= hi)) return n;
        }
        s = bin_nice(bin_edge(&s, 1.0001));
    }
}

/* Edges that grow by a constant factor; returns the number of bins. */
static int bin_growing(double lo, double hi, double *edge)
{
    double start = 1, factor = 10, next = 0;
    int n, decades = 0;
    while (start > lo) start /= 10;
    while (start * 10 <= lo) start *= 10;
    for (double p = start; p < hi; p *= 10) decades++;
    for (n = decades; 2 * n <= BINS_MAX / 2; n *= 2) factor = sqrt(factor);
    /* leave out leading bins that lie wholly below the data */
    for (next = start * factor; next <= lo; next *= factor) start = next;
    edge[0] = start;
    for (n = 1; n <= BINS_MAX; n++) {
        edge[n] = edge[n - 1] * factor;
        if (edge[n] > hi) return n;
    }
    edge[BINS_MAX] = hi; /* more decades than bins: the last one takes the rest */
    return BINS_MAX;
}

/* Counts sorted values; what lies outside goes to the end bins. */
static void bin_count(const double *v, int64_t n, const double *edge,
                      struct chart_bins *out)
{
    int b = 0;
    for (int i = 0; i < out->n; i++) {
        out->lo[i] = edge[i];
        out->hi[i] = edge[i + 1];
        out->count[i] = 0;
    }
    for (int64_t i = 0; i < n; i++) {
        while (b + 1 < out->n && v[i] >= edge[b + 1]) b++;
        out->count[b] += 1;
        if (v[i] < edge[0]) out->below++;
        if (v[i] > edge[out->n]) out->above++;
    }
}

static int bin_all_integers(const double *v, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (v[i] != floor(v[i]) || fabs(v[i]) > EXACT) return 0;
    return 1;
}

/* Chooses the edges for n > 0 sorted values. */
static void bin_choose(const double *v, int64_t n, struct chart_bins *out, double *edge)
{
    double lo = v[0], hi = v[n - 1];
    double q_lo = quantile_sorted(v, n, TAIL), q_hi = quantile_sorted(v, n, 1 - TAIL);
    double range = q_hi - q_lo;
    double iqr = quantile_sorted(v, n, 0.75) - quantile_sorted(v, n, 0.25);
    double half = quantile_sorted(v, n, 0.5);
    out->is_integer = bin_all_integers(v, n);
    out->is_log = lo > 0 && quantile_sorted(v, n, 0.99) > LOG_FROM * half;
    if (out->is_log) {
        out->n = bin_growing(lo, hi, edge);
        return;
    }
    if (range > 0 && isfinite(range)) {
        if (lo < q_lo - FAR * range) lo = q_lo - FAR * range;
        if (hi > q_hi + FAR * range) hi = q_hi + FAR * range;
    }
    if (out->is_integer) {
        lo = floor(lo);
        hi = ceil(hi);
    }
    if (!(hi - lo > fabs(hi) * 1e-12)) { /* constant */
        double pad = fabs(lo) * 0.01 > 0.5 ? fabs(lo) * 0.01 : 0.5;
        out->n = 1;
        edge[0] = out->is_integer && pad == 0.5 ? lo : lo - pad;
        edge[1] = out->is_integer && pad == 0.5 ? lo + 1 : lo + pad;
        return;
    }
    if (!isfinite(hi - lo)) { /* a range beyond double: two halves */
        out->n = 2;
        edge[0] = lo;
        edge[1] = lo / 2 + hi / 2;
        edge[2] = hi;
        return;
    }
    out->n = bin_equal(lo, hi, 2 * iqr / bin_cbrt((double)n), out->is_integer, edge);
}

tide_status chart_histogram(struct arena *a, const double *v, int64_t n,
                            struct chart_bins *out, tide_error *err)
{
    double edge[BINS_MAX + 1];
    struct arena_mark mark;
    double *sorted;
    int64_t m = 0;
    int bad = 0;
    *out = (struct chart_bins){0};
    out->lo = arena_array(a, BINS_MAX, sizeof *out->lo);
    out->hi = arena_array(a, BINS_MAX, sizeof *out->hi);
    out->count = arena_array(a, BINS_MAX, sizeof *out->count);
    mark = arena_mark(a);
    sorted = arena_array(a, n > 0 ? n : 1, sizeof *sorted);
    if (!out->lo || !out->hi || !out->count || !sorted) return arena_status(a, err);
    for (int64_t i = 0; i < n; i++)
        if (!isnan(v[i])) sorted[m++] = v[i];
    out->n_missing = n - m;
    if (m > 0) {
        bad = sort_f64(a, sorted, m);
        if (!bad) {
            bin_choose(sorted, m, out, edge);
            bin_count(sorted, m, edge, out);
        }
    }
    if (bad) return arena_status(a, err);
    arena_reset(a, mark);
    return TIDE_OK;
}
