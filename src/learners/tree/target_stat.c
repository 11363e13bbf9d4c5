/* target_stat.c - ordered target statistics of category columns and of pairs of them
 *
 * Statistic  of a row: (sum of the target over earlier rows of its level or pair + a prior) /
 *            (their number + a), a = 1, prior the mean over all. "Earlier" by one permutation of the
 *            fit's rows, Philox(seed, "cat_stat", row), so that no row meets its own target
 *            (Prokhorenkova et al. 2018). Rows that are scored, and those put aside for stopping, get
 *            the statistic of all rows of the fit: a number a level or pair, so a table.
 * Codes      at most 255 of equal counts; trees ask them as those of a number.
 * Choice     of pairs: what levels do by themselves is taken off (three rounds of shrunken steps of
 *            levels, a column at a time, for classes on the logit scale: effects that add up there
 *            are no interaction); in what is left, r, the two halves of the table must agree:
 *            T = sum over pairs of 4 (sum r of one half) (sum r of the other) / n. Its mean is the
 *            signal alone, as no row meets itself, and as tables are often in order of time, what
 *            holds for some days only does not count. Most T first; what that pair explains is
 *            taken off before the next is looked for. At most 2^18 rows, the first of the permutation.
 * One        permutation, not one a tree: codes of another order would need row blocks of their own.
 *            Over seeds AUC moves by a tenth of what the pairs bring (bench/RESULTS.md).
 * Numbers    sums of the statistics are integers; those of the choice are f64 in the order of the
 *            permutation, which neither threads nor the order of rows can change.
 * Guide      Q10
 */
#include "learners/tree/target_stat.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/par.h"
#include "learners/tree/stat_order.h"
#include "math/sort.h"
#include "simd/simd.h"
#include "simd/vmath.h"

#define STAT_A        1        /* rows that the prior counts for */
#define CHOICE_ROWS   262144   /* rows that pairs are chosen by */
#define CHOICE_WORK   16777216 /* and so many rows of all pairs: a second or less */
#define CHOICE_ROUNDS 3        /* of steps of levels */
/* rows that steps of levels are drawn to 0 by: what they leave would look like effects of pairs */
#define CHOICE_SHRINK  1
#define CHOICE_COLUMNS 24    /* with more, those of the largest effects */
#define CHOICE_SIGMAS  5.0   /* T of a pair over what it is by chance */
#define CHOICE_SHARE   0.005 /* auto: T over the variance that is left */
#define CHOICE_CLEAR   0.25 /* auto: T over the noise of the means, a variance a cell */
#define MOST_CELLS     1048576 /* of a table, and for few rows: */
#define FEW_CELLS      4096    /* and four a row */
#define MOST_LEVELS    65534   /* of a column, so that 16 bits hold them and missing */
#define EDGE_ROWS      200000
#define TILE           1024

/* ------------------------------------------------------------------------- choice --- */

/* Sums over the rows of a level or a pair. */
struct cell {
    double n, s[2], q[2]; /* of the halves of the table */
};
struct choice {
    struct tide_ctx *ctx;
    const struct stat_order *o;
    int64_t n;             /* rows looked at */
    int32_t n_columns;     /* columns looked at */
    const int32_t *column; /* [n_columns] */
    double **f, **r; /* [n_outputs][n] scores, and what they leave of the targets */
    double *left;    /* [n_outputs] variance of that */
    int is_logit;    /* targets are classes */
    double clear;    /* least T over the noise of the cells' means */
    int32_t n_pairs;
    int32_t (*pair)[2]; /* columns; those taken are not among them */
    double *gain;       /* [n_pairs] T over the variance left; 0: by chance */
    struct arena *room; /* [AT_A_TIME] */
};

static void cells_sum(const struct choice *c, int32_t a, int32_t b, const double *r,
                      struct cell *cell)
{
    const struct stat_order *o = c->o;
    memset(cell, 0, stat_cells(o, a, b) * sizeof *cell);
    for (int64_t i = 0; i < c->n; i++) {
        struct cell *to = &cell[stat_cell(o, a, b, i)];
        double w = stat_weight(o, i), wr = w * r[i];
        to->n += w;
        to->s[o->late[i]] += wr;
        to->q[o->late[i]] += wr * wr;
    }
}

/* T of one output over the variance left, 0 where chance would do or means are mostly noise. */
static double cells_gain(const struct choice *c, const struct cell *cell, size_t n,
                         double all)
{
    double t = 0, by_chance = 0, noise = 0;
    for (size_t i = 0; i < n; i++) {
        const struct cell *q = &cell[i];
        if (q->n <= 0) continue;
        /* pairs of rows of both halves are half of all pairs */
        t += 2 * q->s[0] * (q->s[1] / q->n) * 2;
        by_chance += 16 * (q->q[0] / q->n) * (q->q[1] / q->n);
        noise += (q->q[0] + q->q[1]) / q->n;
    }
    return all > 0 && t > CHOICE_SIGMAS * sqrt(by_chance) && t > c->clear * noise
               ? t / all
               : 0;
}

static double variance_left(const struct choice *c, int32_t k)
{
    double all = 0;
    for (int64_t i = 0; i < c->n; i++)
        all += stat_weight(c->o, i) * c->r[k][i] * c->r[k][i];
    return all;
}

/* At so many pairs or features at a time: tables of a million cells are 40 MB, and neither memory nor
 * what a memory limit allows may follow from the number of threads. */
#define AT_A_TIME 4

/* Room for the next, of another size. */
static void room_clear(struct arena *room)
{
    if (room->failed) return;
    arena_free(room);
    arena_init(room, room->ctx);
}

static void choice_pair(const struct choice *c, int32_t p, struct arena *room)
{
    int32_t a = c->pair[p][0], b = c->pair[p][1];
    size_t n = stat_cells(c->o, a, b);
    c->gain[p] = 0;
    room_clear(room);
    struct cell *cell = arena_array(room, (int64_t)n, sizeof *cell);
    for (int32_t k = 0; cell && k < c->o->n_outputs; k++) {
        cells_sum(c, a, b, c->r[k], cell);
        c->gain[p] += cells_gain(c, cell, n, c->left[k]) / c->o->n_outputs;
    }
}

static void choice_task(void *arg, int64_t first, int worker)
{
    const struct choice *c = arg;
    (void)worker;
    for (int32_t p = (int32_t)first; p < c->n_pairs; p += AT_A_TIME)
        choice_pair(c, p, &c->room[first]);
}

/* Sums of the rows of a level or a pair: of what is left, and of its slope by the score. */
struct step_cell {
    double h, s;
};
struct step_job {
    const struct choice *c;
    int32_t a, b, k;
    const struct step_cell *by; /* s: the step of a cell */
};

/* Expectations of targets at scores. */
static void means_at(const struct choice *c, const double *f, int64_t n, double *mean)
{
    if (c->is_logit)
        simd_get(c->ctx)->vexpit(f, mean, n);
    else
        memcpy(mean, f, (size_t)n * sizeof *mean);
}

static void step_block(void *arg, int64_t block, int worker)
{
    const struct step_job *job = arg;
    const struct choice *c = job->c;
    const struct stat_order *o = c->o;
    const uint32_t *t = o->t[job->k];
    double unit = stat_unit(o), *f = c->f[job->k], *r = c->r[job->k], mean[TILE];
    int64_t end = (block + 1) * STAT_BLOCK < c->n ? (block + 1) * STAT_BLOCK : c->n;
    (void)worker;
    for (int64_t i0 = block * STAT_BLOCK; i0 < end; i0 += TILE) {
        int64_t m = end - i0 < TILE ? end - i0 : TILE;
        for (int64_t i = i0; i < i0 + m; i++)
            f[i] += job->by[stat_cell(o, job->a, job->b, i)].s;
        means_at(c, f + i0, m, mean);
        for (int64_t i = 0; i < m; i++) r[i0 + i] = t[i0 + i] / unit - mean[i];
    }
}

/* A shrunken Newton step of the score of each cell; so_far: the cells' steps until now. */
static tide_status cells_step(const struct choice *c, int32_t a, int32_t b, int32_t k,
                              struct step_cell *cell, double *so_far, tide_error *err)
{
    const struct stat_order *o = c->o;
    struct step_job job = {.c = c, .a = a, .b = b, .k = k, .by = cell};
    double unit = stat_unit(o), shrink = CHOICE_SHRINK * o->w_mean;
    const double *r = c->r[k];
    const uint32_t *t = o->t[k];
    size_t n = stat_cells(o, a, b);
    shrink *= c->is_logit ? 0.25 : 1;
    memset(cell, 0, n * sizeof *cell);
    for (int64_t i = 0; i < c->n; i++) {
        struct step_cell *to = &cell[stat_cell(o, a, b, i)];
        double w = stat_weight(o, i), p = t[i] / unit - r[i];
        to->h += c->is_logit ? w * p * (1 - p) : w;
        to->s += w * r[i];
    }
    for (size_t i = 0; i < n; i++) {
        cell[i].s = (cell[i].s - shrink * so_far[i]) / (cell[i].h + shrink);
        so_far[i] += cell[i].s;
    }
    return par_for(c->ctx, (c->n + STAT_BLOCK - 1) / STAT_BLOCK, step_block, &job, err);
}

/* What each column's levels do by themselves is taken off. */
static tide_status choice_mains(const struct choice *c, struct arena *a,
                                tide_error *err)
{
    const struct stat_order *o = c->o;
    int64_t most = 1, all = 0, at = 0;
    for (int32_t i = 0; i < c->n_columns; i++) {
        int64_t n = (int64_t)stat_cells(o, c->column[i], -1);
        most = n > most ? n : most;
        all += n;
    }
    struct arena_mark mark = arena_mark(a);
    struct step_cell *cell = arena_array(a, most, sizeof *cell);
    double *so_far = arena_array(a, all + 1, sizeof *so_far);
    tide_status status = arena_status(a, err);
    for (int32_t k = 0; k < o->n_outputs && !status; k++) {
        memset(so_far, 0, (size_t)all * sizeof *so_far);
        for (int32_t step = 0; step < CHOICE_ROUNDS * c->n_columns && !status; step++) {
            int32_t i = step % c->n_columns;
            if (i == 0) at = 0;
            status = cells_step(c, c->column[i], -1, k, cell, so_far + at, err);
            at += (int64_t)stat_cells(o, c->column[i], -1);
        }
    }
    if (!status) arena_reset(a, mark);
    return status;
}

/* Scores that say the mean, and what they leave. */
static tide_status choice_targets(struct choice *c, struct arena *a, tide_error *err)
{
    const struct stat_order *o = c->o;
    double unit = stat_unit(o);
    c->is_logit = !o->d->y;
    c->f = arena_zero(a, (size_t)o->n_outputs * sizeof *c->f);
    c->r = arena_zero(a, (size_t)o->n_outputs * sizeof *c->r);
    c->left = arena_zero(a, (size_t)o->n_outputs * sizeof *c->left);
    if (!c->left) return arena_status(a, err);
    for (int32_t k = 0; c->f && c->r && k < o->n_outputs; k++) {
        double sum = 0, all = 0;
        double *r = c->r[k] = arena_array(a, c->n + 1, sizeof *r);
        double *f = c->f[k] = arena_array(a, c->n + 1, sizeof *f);
        if (!r || !f) break;
        for (int64_t i = 0; i < c->n; i++) {
            r[i] = o->t[k][i] / unit;
            sum += stat_weight(o, i) * r[i];
            all += stat_weight(o, i);
        }
        double mean = all > 0 ? sum / all : 0;
        if (c->is_logit) { /* a share of 0 or 1 has no log-odds */
            mean = mean < 1e-9 ? 1e-9 : mean > 1 - 1e-9 ? 1 - 1e-9 : mean;
            mean = vm_log(mean / (1 - mean));
        }
        double at_mean;
        means_at(c, &mean, 1, &at_mean);
        for (int64_t i = 0; i < c->n; i++) {
            f[i] = mean;
            r[i] -= at_mean;
        }
    }
    return arena_status(a, err);
}

double target_stat_cells(int64_t n_rows)
{
    return n_rows < (MOST_CELLS - FEW_CELLS) / 4 ? FEW_CELLS + 4 * (double)n_rows
                                                 : MOST_CELLS;
}

static int may_meet(const struct target_stat_how *how, const struct bin_cuts *cuts,
                    int32_t a, int32_t b)
{
    return !how->groups ||
           (how->groups[cuts->feature[a].lane] & how->groups[cuts->feature[b].lane]);
}

static tide_status choice_pairs(struct choice *c, const struct target_stat_how *how,
                                const struct bin_cuts *cuts, struct arena *a,
                                tide_error *err)
{
    int32_t most = c->n_columns * (c->n_columns - 1) / 2;
    int32_t(*pair)[2] = arena_array(a, most + 1, sizeof *pair);
    c->gain = arena_zero(a, ((size_t)most + 1) * sizeof *c->gain);
    if (!pair || !c->gain) return arena_status(a, err);
    for (int32_t i = 0; i < c->n_columns; i++)
        for (int32_t j = i + 1; j < c->n_columns; j++) {
            int32_t p = c->column[i], q = c->column[j];
            size_t cells = stat_cells(c->o, p, q);
            if ((double)cells > target_stat_cells(c->n) || !may_meet(how, cuts, p, q))
                continue;
            pair[c->n_pairs][0] = p;
            pair[c->n_pairs++][1] = q;
        }
    c->pair = pair;
    return TIDE_OK;
}

/* Pairs one after another, into pair[]; *n of them. */
static tide_status choose_pairs(struct choice *c, enum cat_stats what, struct arena *a,
                                int32_t (*pair)[2], int32_t *n, tide_error *err)
{
    double least = what == CAT_STATS_AUTO ? CHOICE_SHARE : 0;
    tide_status status = TIDE_OK;
    while (*n < TARGET_STAT_PAIRS && !status) {
        int32_t best = -1;
        for (int32_t k = 0; k < c->o->n_outputs; k++) c->left[k] = variance_left(c, k);
        status = par_for(c->ctx, AT_A_TIME, choice_task, c, err);
        for (int w = 0; w < AT_A_TIME && !status; w++)
            status = arena_status(&c->room[w], err);
        for (int32_t p = 0; p < c->n_pairs; p++)
            if (c->gain[p] > least && (best < 0 || c->gain[p] > c->gain[best]))
                best = p;
        if (status || best < 0) break;
        int32_t p = pair[*n][0] = c->pair[best][0], q = pair[*n][1] = c->pair[best][1];
        ++*n;
        int32_t m = 0; /* nor is looked at again what is chance already */
        for (int32_t k = 0; k < c->n_pairs; k++)
            if (k != best && c->gain[k] > 0) {
                c->pair[m][0] = c->pair[k][0];
                c->pair[m++][1] = c->pair[k][1];
            }
        c->n_pairs = m;
        struct arena_mark mark = arena_mark(a);
        size_t cells = stat_cells(c->o, p, q);
        struct step_cell *cell = arena_array(a, (int64_t)cells, sizeof *cell);
        double *so_far = arena_array(a, (int64_t)cells, sizeof *so_far);
        if (!cell || !so_far) return arena_status(a, err);
        for (int32_t k = 0; k < c->o->n_outputs && !status; k++) {
            memset(so_far, 0, cells * sizeof *so_far);
            status = cells_step(c, p, q, k, cell, so_far, err);
        }
        arena_reset(a, mark);
    }
    return status;
}

/* The columns whose levels do most, at most so many, in their order. */
static tide_status choice_columns(struct choice *c, struct arena *a, int32_t *column,
                                  tide_error *err)
{
    double gain[CHOICE_COLUMNS];
    int32_t n = 0, kept[CHOICE_COLUMNS];
    if (c->n_columns <= CHOICE_COLUMNS) return TIDE_OK;
    for (int32_t i = 0; i < c->n_columns; i++) {
        struct arena_mark mark = arena_mark(a);
        size_t cells = stat_cells(c->o, column[i], -1);
        struct cell *cell = arena_array(a, (int64_t)cells, sizeof *cell);
        double g = 0;
        if (!cell) return arena_status(a, err);
        for (int32_t k = 0; k < c->o->n_outputs; k++) {
            cells_sum(c, column[i], -1, c->r[k], cell);
            g += cells_gain(c, cell, cells, variance_left(c, k));
        }
        arena_reset(a, mark);
        int32_t at = n;
        while (at > 0 && gain[at - 1] < g) at--;
        if (at == CHOICE_COLUMNS) continue;
        n += n < CHOICE_COLUMNS;
        for (int32_t j = n - 1; j > at; j--) {
            gain[j] = gain[j - 1];
            kept[j] = kept[j - 1];
        }
        gain[at] = g;
        kept[at] = column[i];
    }
    int32_t m = 0; /* back in the order of columns, as names have it */
    for (int32_t i = 0; i < c->n_columns; i++)
        for (int32_t j = 0; j < n; j++)
            if (kept[j] == column[i]) {
                column[m++] = column[i];
                break;
            }
    c->n_columns = m;
    return TIDE_OK;
}

/* How many of n rows are looked at: fewer where there are many pairs. */
static int64_t choice_rows(int64_t n, int32_t n_columns)
{
    int64_t m = n_columns < CHOICE_COLUMNS ? n_columns : CHOICE_COLUMNS;
    int64_t most = CHOICE_WORK / (m * (m - 1) / 2);
    if (most > CHOICE_ROWS) most = CHOICE_ROWS;
    return n < most ? n : most;
}

static tide_status choose_features(struct tide_ctx *ctx, struct stat_order *o,
                                   const struct target_stat_how *how,
                                   const struct bin_cuts *cuts, struct arena *a,
                                   int32_t (*pair)[2], int32_t *n, tide_error *err)
{
    struct choice c = {.ctx = ctx, .o = o};
    const struct view *x = o->d->x;
    int32_t *column = arena_array(a, x->n_cols + 1, sizeof *column);
    c.room = arena_array(a, AT_A_TIME, sizeof *c.room);
    if (!column || !c.room) return arena_status(a, err);
    for (int32_t j = 0; j < x->n_cols; j++)
        if (cuts->feature[j].kind && cuts->feature[j].lane >= 0 &&
            cuts->feature[j].n_level <= MOST_LEVELS)
            column[c.n_columns++] = j;
    if (c.n_columns < 2) return TIDE_OK;
    c.column = column;
    c.n = choice_rows(o->n, c.n_columns);
    tide_status status = TIDE_OK;
    for (int32_t i = 0; i < c.n_columns && !status; i++)
        status = stat_order_levels(ctx, o, column[i], c.n, a, err);
    if (!status) status = choice_targets(&c, a, err);
    if (!status) status = choice_columns(&c, a, column, err);
    if (!status) status = choice_pairs(&c, how, cuts, a, err);
    if (status || !c.n_pairs) return status;
    status = choice_mains(&c, a, err);
    c.clear = how->what == CAT_STATS_AUTO ? CHOICE_CLEAR : 0;
    for (int w = 0; w < AT_A_TIME; w++) arena_init(&c.room[w], ctx);
    if (!status) status = choose_pairs(&c, how->what, a, pair, n, err);
    for (int w = 0; w < AT_A_TIME; w++) arena_free(&c.room[w]);
    return status;
}

/* ------------------------------------------------------------------------- codes --- */

/* Integer sums of a level or pair so far. */
struct tally {
    int64_t n, s;
};
struct stat_job {
    const struct stat_order *o;
    const struct simd_table *simd;
    const struct target_stat_how *how; /* NULL: edges and tables are there */
    struct target_stat *of;            /* [n] */
    int32_t n;
    uint8_t **codes;    /* [n][n_rows] */
    struct arena *room; /* [AT_A_TIME] */
};

/* Value of every row in the permutation's order, by the rows before it, as a share of the target's
 * range, as edges are stored; the sums of all stay. */
static void stat_values(const struct stat_order *o, const struct target_stat *f,
                        double prior, struct tally *tally, double *v)
{
    const uint32_t *t = o->t[f->output];
    double a = STAT_A * o->w_mean, unit = stat_unit(o);
    memset(tally, 0, stat_cells(o, f->source[0], f->source[1]) * sizeof *tally);
    for (int64_t i = 0; i < o->n; i++) {
        struct tally *q = &tally[stat_cell(o, f->source[0], f->source[1], i)];
        int64_t w = o->w ? o->w[i] : 1;
        v[i] = ((double)q->s + a * prior) / ((double)q->n + a) / unit;
        q->n += w;
        q->s += w * t[i];
    }
}

static double stat_prior(const struct stat_order *o, int32_t output)
{
    int64_t n = 0, s = 0;
    for (int64_t i = 0; i < o->n; i++) {
        int64_t w = o->w ? o->w[i] : 1;
        n += w;
        s += w * o->t[output][i];
    }
    return n > 0 ? (double)s / (double)n : 0;
}

/* Edges of equal counts over the values of rows at equal steps. */
static int stat_edges(const struct stat_order *o, int32_t n_codes, const double *v,
                      struct arena *room, struct target_stat *f)
{
    int64_t step = (o->n + EDGE_ROWS - 1) / EDGE_ROWS, m = 0;
    double *some = arena_array(room, o->n / (step > 0 ? step : 1) + 1, sizeof *some);
    if (!some) return -1;
    for (int64_t i = 0; i < o->n; i += step) some[m++] = v[i];
    if (sort_f64(room, some, m)) return -1;
    f->n_edge = bins_edges(some, m, n_codes, f->edge);
    return f->n_edge < 0 ? -1 : 0;
}

static void codes_of(const struct stat_job *job, const struct target_stat *f,
                     const struct simd_grid *grid, const double *v, int64_t n,
                     uint8_t *code)
{
    if (grid)
        job->simd->quantise_grid(grid, v, n, f->edge, f->n_edge, code);
    else
        job->simd->quantise_u8(v, n, f->edge, f->n_edge, code);
}

/* Codes of the cells by the rows of all the table. */
static void stat_table(const struct stat_job *job, const struct target_stat *f,
                       const struct simd_grid *grid, const struct tally *tally,
                       double prior)
{
    const struct stat_order *o = job->o;
    int64_t cells = (int64_t)stat_cells(o, f->source[0], f->source[1]);
    double a = STAT_A * o->w_mean, unit = stat_unit(o), v[TILE];
    for (int64_t c0 = 0; c0 < cells; c0 += TILE) {
        int64_t m = cells - c0 < TILE ? cells - c0 : TILE;
        for (int64_t c = 0; c < m; c++) {
            const struct tally *q = &tally[c0 + c];
            v[c] = ((double)q->s + a * prior) / ((double)q->n + a) / unit;
        }
        codes_of(job, f, grid, v, m, f->table + c0);
    }
}

static void stat_feature(const struct stat_job *job, int32_t i, struct arena *room)
{
    const struct stat_order *o = job->o;
    struct target_stat *f = &job->of[i];
    int64_t cells = (int64_t)stat_cells(o, f->source[0], f->source[1]);
    uint8_t code[TILE];
    room_clear(room);
    double *v = arena_array(room, o->n + 1, sizeof *v);
    struct tally *tally = arena_array(room, cells, sizeof *tally);
    struct simd_grid *grid = arena_array(room, 1, sizeof *grid);
    if (!v || !tally || !grid) return;
    double prior = stat_prior(o, f->output);
    stat_values(o, f, prior, tally, v);
    if (job->how && stat_edges(o, job->how->n_codes, v, room, f)) return;
    if (o->n < SIMD_GRID_ROWS || !simd_grid_new(f->edge, f->n_edge, grid)) grid = NULL;
    for (int64_t j = 0; j < o->n; j += TILE) {
        int64_t m = o->n - j < TILE ? o->n - j : TILE;
        codes_of(job, f, grid, v + j, m, code);
        for (int64_t r = 0; r < m; r++) job->codes[i][o->row[j + r]] = code[r];
    }
    if (job->how) stat_table(job, f, grid, tally, prior);
}

static void stat_task(void *arg, int64_t first, int worker)
{
    const struct stat_job *job = arg;
    (void)worker;
    for (int32_t i = (int32_t)first; i < job->n; i += AT_A_TIME)
        stat_feature(job, i, &job->room[first]);
}

/* Codes of rows i0.. by the table; skip: of those alone. */
static void table_codes(const struct target_stat *f, const struct view *x,
                        const uint8_t *skip, uint8_t *to)
{
    uint8_t code[TILE];
    for (int64_t i0 = 0; i0 < x->n_rows; i0 += TILE) {
        int64_t m = x->n_rows - i0 < TILE ? x->n_rows - i0 : TILE;
        ensemble_derived_codes(x, f->source, f->n_level, f->table, i0, m, code);
        for (int64_t i = 0; i < m; i++)
            if (!skip || skip[i0 + i]) to[i0 + i] = code[i];
    }
}

static tide_status stats_code(struct tide_ctx *ctx, const struct stat_order *o,
                              const struct target_stat_how *how, const uint8_t *skip,
                              struct arena *a, struct target_stats *t, tide_error *err)
{
    struct stat_job job = {
        .o = o, .simd = simd_get(ctx), .how = how, .of = t->of, .n = t->n};
    job.codes = arena_array(a, t->n + 1, sizeof *job.codes);
    job.room = arena_array(a, AT_A_TIME, sizeof *job.room);
    if (!job.codes || !job.room) return arena_status(a, err);
    for (int32_t i = 0; i < t->n; i++)
        t->of[i].codes = job.codes[i] = arena_array(a, o->d->x->n_rows + 64, 1);
    tide_status status = arena_status(a, err);
    if (status) return status;
    for (int w = 0; w < AT_A_TIME; w++) arena_init(&job.room[w], ctx);
    status = par_for(ctx, AT_A_TIME, stat_task, &job, err);
    for (int w = 0; w < AT_A_TIME; w++) {
        if (!status) status = arena_status(&job.room[w], err);
        arena_free(&job.room[w]);
    }
    for (int32_t i = 0; i < t->n && !status && skip; i++)
        table_codes(&t->of[i], o->d->x, skip, job.codes[i]);
    return status;
}

/* One feature an output. */
static void stats_add(struct target_stats *t, const struct stat_order *o, int32_t first,
                      int32_t second, struct arena *a)
{
    for (int32_t k = 0; k < o->n_outputs; k++) {
        struct target_stat *f = &t->of[t->n++];
        *f = (struct target_stat){.source = {first, second}, .output = k};
        f->n_level[0] = o->n_level[first];
        f->n_level[1] = second < 0 ? 0 : o->n_level[second];
        f->table = arena_zero(a, stat_cells(o, first, second));
        f->edge = arena_array(a, 256, sizeof *f->edge);
    }
}

static int is_large_column(const struct bin_feature *f, int32_t n_codes)
{
    uint32_t present = 0;
    if (!f->kind || f->lane < 0 || f->n_code < n_codes || f->n_level > MOST_LEVELS)
        return 0;
    for (uint32_t l = 0; l < f->n_level; l++)
        present += f->level_code[l] != BIN_MISSING;
    return present > (uint32_t)f->n_code;
}

tide_status target_stats_new(struct tide_ctx *ctx, const struct fit_data *d,
                             const struct target_stat_how *how,
                             const struct bin_cuts *cuts, struct arena *a,
                             struct target_stats *out, tide_error *err)
{
    struct stat_order o;
    int32_t pair[TARGET_STAT_PAIRS][2], n_pairs = 0, most = TARGET_STAT_PAIRS;
    *out = (struct target_stats){0};
    for (int32_t j = 0; j < d->x->n_cols; j++)
        most += cuts->feature[j].kind && cuts->feature[j].lane >= 0;
    if (how->what == CAT_STATS_NONE || most == TARGET_STAT_PAIRS ||
        d->n_classes > TARGET_STAT_CLASSES)
        return TIDE_OK;
    tide_status status = stat_order_new(ctx, d, how->skip, NULL, a, &o, err);
    if (!status) memcpy(out->range, o.range, sizeof out->range);
    if (!status && how->what != CAT_STATS_SINGLE)
        status = choose_features(ctx, &o, how, cuts, a, pair, &n_pairs, err);
    if (status) return status;
    out->of = arena_zero(a, (size_t)most * (size_t)o.n_outputs * sizeof *out->of);
    if (!out->of) return arena_status(a, err);
    for (int32_t j = 0; j < d->x->n_cols && !status; j++) {
        if (how->what == CAT_STATS_AUTO ||
            !is_large_column(&cuts->feature[j], how->n_codes))
            continue;
        status = stat_order_levels(ctx, &o, j, o.n, a, err);
        if (!status) stats_add(out, &o, j, -1, a);
    }
    for (int32_t p = 0; p < n_pairs && !status; p++) {
        for (int k = 0; k < 2 && !status; k++)
            status = stat_order_levels(ctx, &o, pair[p][k], o.n, a, err);
        if (!status) stats_add(out, &o, pair[p][0], pair[p][1], a);
    }
    if (!status) status = arena_status(a, err);
    return status || !out->n ? status
                             : stats_code(ctx, &o, how, how->skip, a, out, err);
}

/* Are the levels of a column, few enough, those that the model knows? */
static int has_levels_of(const struct column *c, const struct ensemble *e, int32_t j)
{
    return c->type == TIDE_CAT && c->dict.n <= MOST_LEVELS &&
           c->dict.n == e->level_off[j + 1] - e->level_off[j];
}

/* May new trees ask a pair? Both columns have a lane and, with rules, a group in common. */
static int may_go_on(const struct target_stat_how *how, const struct bin_cuts *cuts,
                     const int32_t source[2])
{
    if (!how->groups) return 1;
    return cuts->feature[source[0]].lane >= 0 && cuts->feature[source[1]].lane >= 0 &&
           may_meet(how, cuts, source[0], source[1]);
}

tide_status target_stats_again(struct tide_ctx *ctx, const struct fit_data *d,
                               const struct ensemble *e,
                               const struct target_stat_how *how,
                               const struct bin_cuts *cuts, struct arena *a,
                               struct target_stats *out, tide_error *err)
{
    const struct ensemble_origin *from = e->origin;
    struct stat_order o;
    *out = (struct target_stats){0};
    if (!e->n_derived) return TIDE_OK;
    if (!from)
        return err_set(err, TIDE_CODE_TIDE_SCHEMA,
                       "the model does not say how its statistics were made");
    tide_status status = stat_order_new(ctx, d, how->skip, from->range, a, &o, err);
    if (status) return status;
    memcpy(out->range, o.range, sizeof out->range);
    out->of = arena_zero(a, (size_t)e->n_derived * sizeof *out->of);
    if (!out->of) return arena_status(a, err);
    for (int32_t i = 0; i < e->n_derived && !status; i++) {
        const int32_t *source = e->source + 2 * (size_t)i;
        struct target_stat *f = &out->of[out->n++];
        if (from->output[i] >= o.n_outputs)
            return err_set(err, TIDE_CODE_TIDE_CLASSES,
                           "the statistics are of other outputs than the target");
        for (int k = 0; k < 2 && source[k] >= 0; k++)
            if (!has_levels_of(d->x->cols[source[k]], e, source[k]))
                return err_set(err, TIDE_CODE_TIDE_SCHEMA,
                               "the statistics are of other levels than those of '%s'",
                               d->x->cols[source[k]]->name);
        uint32_t n_edge = from->edge_off[i + 1] - from->edge_off[i];
        *f = (struct target_stat){.source = {source[0], source[1]},
                                  .output = from->output[i],
                                  .n_edge = (int32_t)n_edge};
        f->is_off = cuts && source[1] >= 0 && !may_go_on(how, cuts, source);
        for (int k = 0; k < 2 && source[k] >= 0 && !status; k++) {
            status = stat_order_levels(ctx, &o, source[k], o.n, a, err);
            f->n_level[k] = o.n_level[source[k]];
        }
        size_t cells = stat_cells(&o, source[0], source[1]);
        f->table = arena_array(a, (int64_t)cells, 1);
        f->edge = arena_array(a, 256, sizeof *f->edge);
        if (!f->table || !f->edge) return arena_status(a, err);
        memcpy(f->edge, from->edge + from->edge_off[i], n_edge * sizeof *f->edge);
        memcpy(f->table, e->level_code + e->level_off[e->n_features + i], cells);
    }
    return status ? status : stats_code(ctx, &o, NULL, how->skip, a, out, err);
}

tide_status target_stats_lanes(const struct target_stats *t, struct arena *a,
                               struct bin_cuts *cuts, tide_error *err)
{
    int32_t nf = cuts->n_features, nl = cuts->n_lanes;
    if (!t->n) return TIDE_OK;
    struct bin_feature *f = arena_array(a, (int64_t)nf + t->n + 1, sizeof *f);
    int32_t *lane_feature =
        arena_array(a, (int64_t)nl + t->n + 1, sizeof *lane_feature);
    double *edge = arena_array(a, 256, sizeof *edge);
    if (!f || !lane_feature || !edge) return arena_status(a, err);
    for (int i = 0; i < 256; i++) edge[i] = i; /* the code itself is what nodes ask */
    memcpy(f, cuts->feature, (size_t)nf * sizeof *f);
    for (int32_t i = 0; i < t->n; i++) {
        const struct target_stat *s = &t->of[i];
        uint32_t own = f[s->source[0]].hash;
        if (s->source[1] >= 0) own = own * 31 + f[s->source[1]].hash;
        f[nf + i] = (struct bin_feature){.lane = -1,
                                         .n_code = s->n_edge + 1,
                                         .n_edge = s->n_edge,
                                         .edge = edge,
                                         .hash = own * 31 + (uint32_t)s->output + 1,
                                         .codes = s->codes};
        if (s->n_edge < 1 || s->is_off) continue;
        f[nf + i].lane = 0; /* some, until they are numbered */
    }
    cuts->feature = f;
    cuts->lane_feature = lane_feature;
    cuts->n_features = nf + t->n;
    bins_number_lanes(cuts);
    return TIDE_OK;
}

tide_status target_stats_code(const struct target_stats *t, const struct view *x,
                              struct arena *a, struct bin_cuts *cuts, tide_error *err)
{
    for (int32_t i = 0; i < t->n; i++) {
        uint8_t *codes = arena_array(a, x->n_rows + 64, 1);
        if (!codes) return arena_status(a, err);
        table_codes(&t->of[i], x, NULL, codes);
        cuts->feature[cuts->n_features - t->n + i].codes = codes;
    }
    return TIDE_OK;
}
