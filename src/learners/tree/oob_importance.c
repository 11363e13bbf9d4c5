/* oob_importance.c - permutation importance by the rows that each tree has not seen
 *
 * Method      Breiman 2001, section 10: a tree answers its rows out of bag once as they are, and once
 *             for each of its columns with that column's values moved to other rows of them
 * Moves       a tree's rows stand in the order of a hash of (seed, id, tree); a row gets the value of
 *             the one that many places on that hash (seed, tree, name of the column) says, so
 *             neither the order of rows nor that of columns enters
 * Order       weights and hits are integers, squared errors become integers, trees are added by
 *             number: the same for any threads
 * Cost        a walk a row out of bag, column and tree
 * Guide       Q10
 */
#include "learners/tree/oob_importance.h"

#include <math.h>

#include "base/err.h"
#include "base/par.h"
#include "base/rng.h"
#include "frame/frame.h"
#include "math/sort.h"

struct shuffling {
    const struct forest *f;
    const struct forest_data *data;
    const struct forest_rules *rules;
    double unit;         /* numbers: of squared errors */
    double *worth;       /* [trees][n_cols] */
    tide_status *status; /* [trees] */
    struct arena *room;  /* [workers] */
};

/* Rows of a tree out of bag, in the order of the hash, and how its answers to them are. */
struct left_out {
    int64_t n, weight;
    uint32_t *row;
    double *off; /* [n] 1: a wrong answer; numbers: squared error */
};

static double answer_off(const struct forest_data *data, const double *leaf, int64_t i)
{
    int32_t best = 0;
    if (data->mode == FOREST_SUM)
        return (data->d->y[i] - *leaf) * (data->d->y[i] - *leaf);
    for (int32_t k = 1; k < data->width; k++)
        if (leaf[k] > leaf[best]) best = k;
    return best != data->d->k[i];
}

static tide_status find_left_out(const struct shuffling *s, int32_t tree,
                                 struct arena *a, struct left_out *out)
{
    const struct forest_data *data = s->data;
    const struct forest_tree *t = &s->f->tree[tree];
    struct rng_key key = rng_key(s->rules->seed, "shuffle");
    uint32_t *row = arena_array(a, data->n + 1, sizeof *row);
    if (!row) return TIDE_ENOMEM;
    int64_t n = forest_left_out(s->rules, data, s->f->first + tree, row);
    uint64_t *hash = arena_array(a, n + 1, sizeof *hash);
    uint32_t *order = arena_array(a, n + 1, sizeof *order);
    out->row = arena_array(a, n + 1, sizeof *out->row);
    out->off = arena_array(a, n + 1, sizeof *out->off);
    if (arena_status(a, NULL)) return TIDE_ENOMEM;
    for (int64_t i = 0; i < n; i++)
        hash[i] = rng_u64(rng_at(key, view_id(data->d->x, row[i]),
                                 (uint32_t)(s->f->first + tree), 0));
    if (sort_index_u64(a, hash, n, order)) return TIDE_ENOMEM;
    for (int64_t p = 0; p < n; p++) {
        int64_t i = out->row[p] = row[order[p]];
        out->off[p] = answer_off(
            data, t->leaf + forest_leaf(t, &data->codes, i) * data->width, i);
        out->weight += data->w[i];
    }
    out->n = n;
    return TIDE_OK;
}

/* How much worse the answers are with column q of each row taken from `shift` places on. */
static double column_worth(const struct shuffling *s, const struct forest_tree *t,
                           const struct left_out *o, int32_t q, int64_t shift)
{
    const struct forest_data *data = s->data;
    const uint16_t *code = data->codes.col[q].code;
    int64_t sum = 0;
    for (int64_t p = 0; p < o->n; p++) {
        int64_t i = o->row[p],
                other = o->row[p + shift < o->n ? p + shift : p + shift - o->n];
        if (code[i] == code[other]) continue;
        int64_t leaf = forest_leaf_with(t, &data->codes, i, q, code[other]);
        double worse = answer_off(data, t->leaf + leaf * data->width, i) - o->off[p];
        sum += (int64_t)rint(worse / s->unit) * data->w[i];
    }
    return (double)sum * s->unit / (double)o->weight;
}

static void shuffle_tree(void *arg, int64_t tree, int worker)
{
    const struct shuffling *s = arg;
    const struct forest_tree *t = &s->f->tree[tree];
    const struct rank_codes *codes = &s->data->codes;
    struct rng_key key = rng_key(s->rules->seed, "shift");
    struct arena *a = &s->room[worker];
    struct arena_mark mark = arena_mark(a);
    struct left_out o = {0};
    uint8_t *used = arena_zero(a, (size_t)codes->n_cols + 1);
    s->status[tree] = used ? find_left_out(s, (int32_t)tree, a, &o) : TIDE_ENOMEM;
    for (int64_t i = 0; used && i < t->n_nodes; i++) used[t->node[i].feature] = 1;
    for (int32_t q = 0; !s->status[tree] && q < codes->n_cols; q++) {
        if (!used[q] || o.n < 2 || !o.weight) continue;
        struct rng_word w = rng_at(key, s->f->first + tree, codes->col[q].hash, 0);
        s->worth[tree * codes->n_cols + q] =
            column_worth(s, t, &o, q, 1 + (int64_t)rng_below(w, (uint64_t)o.n - 1));
    }
    arena_reset(a, mark);
}

/* The power of two that keeps sums of weighted squared errors within 62 bits; classes: 1. */
static double unit_of(const struct forest_data *data)
{
    double most = 0, weight = 1;
    int e, w;
    if (data->mode != FOREST_SUM) return 1;
    for (int64_t i = 0; i < data->n; i++) {
        most = fmax(most, fabs(data->d->y[i] - data->y_mid));
        weight += data->w[i];
    }
    (void)frexp(4 * most * most, &e); /* answers lie among the targets */
    (void)frexp(weight, &w);
    int at = e + w - 61;
    return ldexp(1, at < -1000 ? -1000 : at > 1000 ? 1000 : at);
}

tide_status oob_importance(struct tide_ctx *ctx, const struct forest *f,
                           const struct forest_data *data,
                           const struct forest_rules *rules, double *importance,
                           tide_error *err)
{
    int32_t nc = data->codes.n_cols, workers = par_threads(ctx);
    struct shuffling s = {.f = f, .data = data, .rules = rules, .unit = unit_of(data)};
    struct arena a;
    arena_init(&a, ctx);
    s.worth = arena_zero(&a, ((size_t)f->n_trees * (size_t)nc + 1) * sizeof *s.worth);
    s.status = arena_zero(&a, ((size_t)f->n_trees + 1) * sizeof *s.status);
    s.room = arena_zero(&a, (size_t)workers * sizeof *s.room);
    tide_status status = arena_status(&a, err);
    if (!status) {
        for (int k = 0; k < workers; k++) arena_init(&s.room[k], ctx);
        status = par_for_progress(ctx, f->n_trees, shuffle_tree, &s, "importance", err);
        for (int32_t t = 0; t < f->n_trees && !status; t++)
            if (s.status[t]) status = err_nomem(err, 0);
        for (int k = 0; k < workers; k++) {
            if (status == TIDE_ENOMEM && s.room[k].failed)
                status = arena_status(&s.room[k], err);
            arena_free(&s.room[k]);
        }
    }
    for (int32_t q = 0; q < nc && !status; q++) {
        double sum = 0;
        for (int32_t t = 0; t < f->n_trees; t++) sum += s.worth[(int64_t)t * nc + q];
        importance[q] = sum > 0 ? sum / f->n_trees : 0;
    }
    arena_free(&a);
    return status;
}
