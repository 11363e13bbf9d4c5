/* roc.c - sorting two classes by score, the area under their curve and its error */
#include "math/roc.h"

#include <math.h>

#include "math/sort.h"

int roc_sort(struct arena *a, const double *score, const uint8_t *pos, const double *w,
             int64_t n, struct roc *out)
{
    int64_t m = n > 0 ? n : 1;
    double *s = arena_array(a, m, sizeof *s);
    uint8_t *p = arena_array(a, m, 1), *last = arena_array(a, m, 1);
    double *sw = w ? arena_array(a, m, sizeof *sw) : NULL;
    uint32_t *idx = arena_array(a, m, sizeof *idx);
    struct arena_mark mark = arena_mark(a);
    *out =
        (struct roc){.n = n, .score = s, .pos = p, .last = last, .w = sw, .row = idx};
    if (!s || !p || !last || !idx || (w && !sw)) return -1;
    if (sort_index_f64(a, score, n, idx)) return -1;
    arena_reset(a, mark);
    for (int64_t i = 0; i < n / 2; i++) { /* highest first */
        uint32_t row = idx[i];
        idx[i] = idx[n - 1 - i];
        idx[n - 1 - i] = row;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t row = idx[i];
        double wi = w ? w[row] : 1;
        s[i] = score[row];
        p[i] = pos[row];
        if (sw) sw[i] = wi;
        if (pos[row])
            out->w_pos += wi;
        else
            out->w_neg += wi;
    }
    for (int64_t i = 0; i < n; i++) {
        last[i] = i + 1 == n || s[i + 1] != s[i];
        out->n_groups += last[i];
    }
    return 0;
}

void roc_points(const struct roc *r, double *tp, double *fp, double *threshold)
{
    double p = 0, f = 0;
    int64_t g = 0;
    for (int64_t i = 0; i < r->n; i++) {
        double w = r->w ? r->w[i] : 1;
        if (r->pos[i])
            p += w;
        else
            f += w;
        if (!r->last[i]) continue;
        tp[g] = p;
        fp[g] = f;
        if (threshold) threshold[g] = r->score[i];
        g++;
    }
}

/* Twice the number of pairs in order, in integers: ties count once. */
static double roc_area_exact(const struct roc *r)
{
    uint64_t twice = 0, above = 0, pos = 0, neg = 0, group_pos = 0;
    for (int64_t i = 0; i < r->n; i++) {
        if (r->pos[i])
            group_pos++;
        else
            neg++;
        if (!r->last[i]) continue;
        /* negatives of this group stand below the positives above it, and tie with its own */
        twice += neg * (2 * above + group_pos);
        above += group_pos;
        pos += group_pos;
        group_pos = neg = 0;
    }
    neg = (uint64_t)r->n - pos;
    if (!pos || !neg) return NAN;
    return (double)twice / (2.0 * (double)pos * (double)neg);
}

double roc_area(const struct roc *r)
{
    double area = 0, above = 0, neg = 0, group = 0;
    if (!r->w) return roc_area_exact(r);
    if (!(r->w_pos > 0) || !(r->w_neg > 0)) return NAN;
    for (int64_t i = 0; i < r->n; i++) {
        if (r->pos[i])
            group += r->w[i];
        else
            neg += r->w[i];
        if (!r->last[i]) continue;
        area += neg * (above + 0.5 * group);
        above += group;
        group = neg = 0;
    }
    area /= r->w_pos * r->w_neg;
    return area < 1 ? area : 1;
}

double roc_area_counts(const struct roc *r, const uint8_t *count)
{
    double area = 0, above = 0, neg = 0, group = 0, all_neg = 0;
    for (int64_t i = 0; i < r->n; i++) {
        double w = r->w ? r->w[i] * count[i] : count[i];
        double p = r->pos[i] ? w : 0;
        group += p;
        neg += w - p;
        if (!r->last[i]) continue;
        area += neg * (above + 0.5 * group);
        above += group;
        all_neg += neg;
        group = neg = 0;
    }
    return above > 0 && all_neg > 0 ? area / (above * all_neg) : (double)NAN;
}

/* One class: sums for the variance of its placements. */
struct roc_side {
    double w, w2, sum;
};

static double roc_side_variance(const struct roc_side *s)
{
    double n = s->w * s->w / s->w2; /* effective rows */
    return n > 1 ? s->sum / s->w / (n - 1) : (double)NAN;
}

int roc_places(struct arena *a, const struct roc *r, double *place)
{
    struct arena_mark mark = arena_mark(a);
    double *tp = arena_array(a, r->n_groups > 0 ? r->n_groups : 1, sizeof *tp);
    double *fp = arena_array(a, r->n_groups > 0 ? r->n_groups : 1, sizeof *fp);
    int64_t g = 0;
    if (!tp || !fp) return -1;
    roc_points(r, tp, fp, NULL);
    for (int64_t i = 0; i < r->n; i++) {
        double p0 = g ? tp[g - 1] : 0, f0 = g ? fp[g - 1] : 0;
        place[i] = r->pos[i] ? 1 - (f0 + fp[g]) / (2 * r->w_neg)
                             : (p0 + tp[g]) / (2 * r->w_pos);
        g += r->last[i];
    }
    arena_reset(a, mark);
    return 0;
}

double roc_area_error(struct arena *a, const struct roc *r)
{
    struct arena_mark mark = arena_mark(a);
    double *place = arena_array(a, r->n > 0 ? r->n : 1, sizeof *place);
    double area = roc_area(r), v;
    struct roc_side pos = {0}, neg = {0};
    if (!place || isnan(area) || roc_places(a, r, place)) return NAN;
    for (int64_t i = 0; i < r->n; i++) {
        double w = r->w ? r->w[i] : 1, d = place[i] - area;
        struct roc_side *s = r->pos[i] ? &pos : &neg;
        s->w += w;
        s->w2 += w * w;
        s->sum += w * d * d;
    }
    v = roc_side_variance(&pos) + roc_side_variance(&neg);
    arena_reset(a, mark);
    return sqrt(v);
}
