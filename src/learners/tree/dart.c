/* dart.c - dropped trees in boosting
 *
 * Method   a round drops each earlier round with chance `rate`, by Philox(seed, "dart", round, earlier).
 *          Of k dropped rounds the trees are taken off the scores, the new ones grow on the rest and
 *          weigh rate/(k + 1), and the dropped come back with k/(k + 1) of their weight, so that
 *          both together reach as far as the dropped ones did before.
 * Order    a row's sum over dropped trees runs in the order of rounds, whatever the threads.
 * Cost     every dropped tree sends all rows down again
 * Paper    Vinayak and Gilad-Bachrach 2015, algorithm 1, with LightGBM's rate
 */
#include "learners/tree/dart.h"

#include <string.h>

#include "base/err.h"
#include "base/par.h"

#define DART_ROWS 8192 /* rows of one task */

/* One kept tree: nodes as grow_replay reads them. */
struct dart_tree {
    struct grow_node *node;
    double *value; /* [n_nodes], of now */
    int32_t n_nodes;
};
struct dart_room { /* a worker's */
    uint32_t *list, *scratch;
    struct grow_seg *seg;
};
struct dart {
    struct tide_ctx *ctx;
    struct dart_rules rules;
    const struct bin_codes *codes;
    const struct simd_table *simd;
    int32_t n_outputs, round, n_dropped;
    struct dart_tree *tree; /* [rounds][n_outputs] */
    int32_t *dropped;       /* [rounds] the rounds dropped now */
    double *sum;            /* [n][n_outputs] what they add */
    struct dart_room *room; /* [threads] */
};

tide_status dart_new(struct tide_ctx *ctx, const struct dart_rules *rules,
                     const struct bin_codes *codes, const struct simd_table *simd,
                     int32_t n_outputs, int32_t rounds, int64_t n_slots,
                     struct arena *a, struct dart **out, tide_error *err)
{
    struct dart *d = arena_zero(a, sizeof *d);
    int threads = par_threads(ctx);
    *out = NULL;
    if (!d) return arena_status(a, err);
    *d = (struct dart){.ctx = ctx,
                       .rules = *rules,
                       .codes = codes,
                       .simd = simd,
                       .n_outputs = n_outputs};
    d->tree = arena_array(a, (int64_t)rounds * n_outputs + 1, sizeof *d->tree);
    d->dropped = arena_array(a, (int64_t)rounds + 1, sizeof *d->dropped);
    d->sum = arena_array(a, codes->n_rows * n_outputs + 1, sizeof *d->sum);
    d->room = arena_zero(a, (size_t)threads * sizeof *d->room);
    for (int i = 0; i < threads && d->room; i++) {
        d->room[i].list = arena_array(a, DART_ROWS + 64, sizeof(uint32_t));
        d->room[i].scratch = arena_array(a, DART_ROWS + 64, sizeof(uint32_t));
        d->room[i].seg = arena_array(a, n_slots, sizeof(struct grow_seg));
    }
    tide_status status = arena_status(a, err);
    if (!status) *out = d;
    return status;
}

/* The sums of the dropped trees over a few rows. */
static void drop_task(void *arg, int64_t task, int worker)
{
    struct dart *d = arg;
    struct dart_room *room = &d->room[worker];
    int64_t first = task * DART_ROWS, n = d->codes->n_rows - first;
    int32_t k_all = d->n_outputs;
    if (n > DART_ROWS) n = DART_ROWS;
    memset(d->sum + first * k_all, 0, (size_t)(n * k_all) * sizeof *d->sum);
    for (int64_t i = 0; i < n; i++) room->list[i] = (uint32_t)(first + i);
    for (int32_t t = 0; t < d->n_dropped * k_all; t++) {
        int32_t k = t % k_all;
        const struct dart_tree *tree = &d->tree[d->dropped[t / k_all] * k_all + k];
        const struct grow shape = {
            .simd = d->simd, .node = tree->node, .n_nodes = tree->n_nodes};
        grow_replay(&shape, d->codes, room->list, n, room->scratch, room->seg);
        for (int32_t i = 0; i < tree->n_nodes; i++)
            for (uint32_t r = 0; tree->node[i].left < 0 && r < room->seg[i].n; r++)
                d->sum[(int64_t)room->list[room->seg[i].beg + r] * k_all + k] +=
                    tree->value[i];
    }
}

/* The rounds to drop into d->dropped. */
static void drop_choose(struct dart *d)
{
    struct rng_key key = rng_key(d->rules.seed, "dart");
    double rate = d->rules.rate;
    if (d->rules.most > 0 && rate * d->round > d->rules.most)
        rate = (double)d->rules.most / d->round;
    d->n_dropped = 0;
    if (rng_u01(rng_at(key, d->round, 0, 1)) < d->rules.skip) return;
    for (int32_t t = 0; t < d->round; t++)
        if (rng_u01(rng_at(key, d->round, (uint32_t)t, 0)) < rate)
            d->dropped[d->n_dropped++] = t;
}

tide_status dart_drop(struct dart *d, int32_t round, double *score, tide_error *err)
{
    int64_t n = d->codes->n_rows;
    d->round = round;
    drop_choose(d);
    if (d->n_dropped == 0) return TIDE_OK;
    tide_status status =
        par_for(d->ctx, (n + DART_ROWS - 1) / DART_ROWS, drop_task, d, err);
    for (int64_t i = 0; i < n * d->n_outputs && !status; i++) score[i] -= d->sum[i];
    return status;
}

double dart_share(const struct dart *d)
{
    return 1.0 / (d->n_dropped + 1);
}

tide_status dart_keep(struct dart *d, int32_t k, const struct grow *g,
                      const double *value, struct arena *a)
{
    struct dart_tree *tree = &d->tree[d->round * d->n_outputs + k];
    size_t n = (size_t)g->n_nodes;
    *tree = (struct dart_tree){.n_nodes = g->n_nodes};
    tree->node = arena_array(a, g->n_nodes, sizeof *tree->node);
    tree->value = arena_array(a, g->n_nodes, sizeof *tree->value);
    if (!tree->node || !tree->value) return arena_status(a, NULL);
    memcpy(tree->node, g->node, n * sizeof *tree->node);
    memcpy(tree->value, value, n * sizeof *tree->value);
    return TIDE_OK;
}

void dart_return(struct dart *d, double *score, struct emit *t)
{
    int64_t n = d->codes->n_rows * d->n_outputs;
    double keep = 1 - dart_share(d);
    if (d->n_dropped == 0) return;
    for (int64_t i = 0; i < n; i++) score[i] += keep * d->sum[i];
    for (int32_t i = 0; i < d->n_dropped * d->n_outputs; i++) {
        int32_t at = d->dropped[i / d->n_outputs] * d->n_outputs + i % d->n_outputs;
        struct dart_tree *tree = &d->tree[at];
        for (int32_t q = 0; q < tree->n_nodes; q++) tree->value[q] *= keep;
        emit_scale(t, at, keep);
    }
}
