/* scored_quantiles.c - several quantiles of a row: which stands for all, and how each comes true */
#include <math.h>

#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "eval/eval.h"

void scored_centre(struct scored *s, double *centre)
{
    int32_t k = s->n_shares, c = shares_centre(s->shares, k);
    for (int64_t i = 0; i < s->n; i++) centre[i] = s->quantiles[i * k + c];
    s->out = centre;
}

tide_status scored_quantiles(struct scored *s, const double *shares, int32_t n,
                             struct arena *a, tide_error *err)
{
    if (n < 2) return TIDE_OK;
    double *centre = arena_array(a, s->n, sizeof *centre);
    if (!centre) return arena_status(a, err);
    s->quantiles = s->out;
    s->shares = shares;
    s->n_shares = n;
    scored_centre(s, centre);
    return TIDE_OK;
}

int scored_has_value(const struct scored *s)
{
    return s->n_shares < 2 || s->shares[shares_centre(s->shares, s->n_shares)] == 0.5;
}

/* The share of the weight at or below output k, and its mean pinball loss. */
static void measure(const struct scored *s, int32_t k, double *below, double *loss)
{
    double all = 0, share = s->shares[k];
    *below = *loss = 0;
    for (int64_t i = 0; i < s->n; i++) {
        double w = s->w ? s->w[i] : 1, e = s->y[i] - s->quantiles[i * s->n_shares + k];
        all += w;
        *below += e <= 0 ? w : 0;
        *loss += w * (e >= 0 ? share * e : (share - 1) * e);
    }
    *below = all > 0 ? *below / all : (double)NAN;
    *loss = all > 0 ? *loss / all : (double)NAN;
}

tide_status eval_report_quantiles(tide_report *r, const struct scored *s,
                                  tide_error *err)
{
    enum { COLS = 3 };
    static const char *const head[COLS] = {"quantile", "rows at or below",
                                           "pinball loss"};
    static const uint8_t right[COLS] = {0, 1, 1};
    struct arena *a = &r->arena;
    int n = s->n_shares;
    if (n < 2) return TIDE_OK;
    const char **cell = arena_array(a, (int64_t)n * COLS, sizeof *cell);
    if (!cell) return arena_status(a, err);
    for (int32_t k = 0; k < n; k++) {
        char name[NUM_PRINT_MAX + 1] = "q", below[NUM_PRINT_MAX], loss[NUM_PRINT_MAX];
        double x, y;
        measure(s, k, &x, &y);
        num_print(name + 1, s->shares[k]);
        num_print_g(below, x, 4);
        num_print_g(loss, y, 4);
        cell[k * COLS] = arena_str(a, name);
        cell[k * COLS + 1] = arena_str(a, below);
        cell[k * COLS + 2] = arena_str(a, loss);
    }
    if (a->failed) return arena_status(a, err);
    report_table(r, "quantiles", "Quantiles", COLS, head, right, n, cell);
    report_note(
        r,
        "the outer interval should hold %r %% of the rows; metrics and charts of one "
        "value a row are of %s",
        round((s->shares[n - 1] - s->shares[0]) * 1e6) / 1e4,
        cell[shares_centre(s->shares, n) * COLS]);
    return TIDE_OK;
}
