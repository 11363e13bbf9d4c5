/* isolation_forest.c - how easily a row is set apart from the others by random cuts
 *
 * Problem       no target: a score in (0, 1) for each row, higher where the row is stranger
 * Method        Liu, Ting, Zhou 2008. A tree is grown on `sample` rows to a depth of
 *               ceil(log2 sample): a column that varies in the node, a threshold uniform between
 *               its least and largest value there. score = 2^(-E h / c(sample)), h the depth of a
 *               row's leaf + c(rows in it), c(n) = 2 H(n-1) - 2 (n-1)/n with the exact harmonic sum
 * Draws         rows by hash of (seed, id); columns by hash of (seed, tree, node, name); so neither
 *               row order nor column order enters
 * Thresholds    a column has at most 254 in a model of up to 256 rows a tree (65,534 else), so that
 *               rows are scored on bytes: of more, neighbours take one value, and leaves are then
 *               counted anew. AUC moves by less than 0.001
 * Missing       a gap takes a side drawn for each node; where a column has gaps and one value, a
 *               cut may part them. Categories: a random half of the levels, a gap being one more
 * Threshold     `contamination` is the share of training rows to be called anomalies; 0 calls so
 *               what scores 0.5 or more, as the paper has it
 * Order         integer counts, sums in tree order: same bytes for any threads, instruction set
 * Cost          a pass over the rows, 2 us a tree and column; bytes: about 30 a leaf
 * Differs from  scikit-learn: exact c(n), distinct rows in value of f64, gaps and categories taken,
 *               no weights, no max_features
 * Guide         Q1
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/par.h"
#include "base/rng.h"
#include "base/str.h"
#include "learners/tree/bins.h"
#include "learners/tree/emit.h"
#include "math/sort.h"
#include "simd/vmath.h"
#include "spec/learner.h"

#define LN2            0.693147180559945309417
#define NARROW_ROWS    256 /* trees of so many leaves are scored on bytes */
#define NARROW_EDGES   254
#define WIDE_EDGES     65534
#define BATCH          64 /* trees between two reports of progress */
#define SUBSET_DRAWS   64
#define THRESHOLD_ROWS 4096 /* a block of rows scored for the threshold */

struct isolation_params {
    int32_t trees, sample;
    double contamination;
};
static const struct tide_param isolation_rows[] = {
    P_INT(isolation_params, trees, "100", P_RANGE(1, 100000), P_TUNE(50, 1000),
          .flags = TIDE_LOG, .help = "number of trees",
          .alias = "n_estimators num_trees ntrees"),
    P_INT(isolation_params, sample, "256", P_RANGE(2, 1000000), P_TUNE(64, 4096),
          .flags = TIDE_LOG, .help = "rows that a tree is grown on",
          .alias = "max_samples sample_size subsample_count"),
    P_REAL(isolation_params, contamination, "0", P_RANGE(0, 0.5),
           .help = "share of rows to call anomalies, 0: those of score 0.5 or more",
           .alias = "outliers_fraction"),
};

/* The mean depth of a row in a random search tree of n rows. */
static double mean_depth(double harmonic, int64_t n)
{
    return n > 1 ? 2 * harmonic - 2 * (double)(n - 1) / (double)n : 0;
}

/* One fit. */
struct isolation {
    const struct view *x;
    uint64_t seed;
    int32_t trees, depth, psi, first; /* first: of the batch that is grown */
    const double *rest;               /* [psi + 1] mean_depth */
    const uint64_t *name;             /* [n_cols] hash of the column's name */
    const uint8_t **level;            /* [n_cols] codes of levels, NULL: numbers */
    int64_t *rows;                    /* [trees or 1][psi] rows of each tree */
    int64_t stride;                   /* 0: every tree has all rows */
    struct grown *grown;              /* [trees] */
    struct room *room;                /* [workers] */
    double *leaf;                     /* of the tree that is handed over */
};
struct grown {
    int32_t n;
    struct emit_node *node; /* children stand behind their parent, in pairs */
};
/* Scratch of one worker. */
struct room {
    double *x;              /* [n_cols][psi] values or codes, NaN missing */
    int32_t *row, *side;    /* [psi] */
    int32_t *live;          /* [n_cols] columns that vary, in front */
    struct emit_node *node; /* [2 psi] */
    struct part *part;      /* [2 psi] */
};
/* What a node holds. */
struct part {
    int32_t begin, end, n_live, depth;
    uint32_t path; /* 1, then 2 p and 2 p + 1 */
};

/* ----------------------------------------------------------------------- rows --- */

/* Which trees may see a row: each with probability `share`, by gaps of a geometric law, so that
 * a row costs one draw where it is seen by none. */
struct lottery {
    struct rng_key key;
    double share, log_rest, none; /* log(1 - share); below `none` no tree is hit */
    int32_t trees;
};

/* The next tree behind t, or `trees`; hash: the row's place in its queue. */
static int32_t lottery_next(const struct lottery *l, int64_t id, uint32_t turn,
                            int32_t t, uint64_t *hash)
{
    struct rng_word w = rng_at(l->key, id, 0, turn);
    double u = rng_u01(w), skip = 0;
    *hash = (uint64_t)w.w[2] << 32 | w.w[3];
    if (l->share < 1) {
        if (u < l->none) return l->trees;
        skip = floor(vm_log(u) / l->log_rest);
    }
    return skip < l->trees - t - 1 ? t + 1 + (int32_t)skip : l->trees;
}

static void lottery_count(const struct lottery *l, const struct view *x, int64_t *count)
{
    uint64_t hash;
    for (int64_t i = 0; i < x->n_rows; i++) {
        uint32_t turn = 0;
        for (int32_t t = lottery_next(l, view_id(x, i), turn, -1, &hash); t < l->trees;
             t = lottery_next(l, view_id(x, i), ++turn, t, &hash))
            count[t]++;
    }
}

/* The candidates of every tree, off[t] .. off[t + 1). */
static void lottery_fill(const struct lottery *l, const struct view *x, int64_t *at,
                         uint64_t *key, int64_t *row)
{
    uint64_t hash;
    for (int64_t i = 0; i < x->n_rows; i++) {
        uint32_t turn = 0;
        for (int32_t t = lottery_next(l, view_id(x, i), turn, -1, &hash); t < l->trees;
             t = lottery_next(l, view_id(x, i), ++turn, t, &hash)) {
            key[at[t]] = hash;
            row[at[t]++] = i;
        }
    }
}

/* Of each tree's candidates those first in the queue. */
static tide_status first_of_queue(const struct isolation *f, const int64_t *off,
                                  const uint64_t *key, const int64_t *row,
                                  struct arena *a, tide_error *err)
{
    int64_t most = 0;
    for (int32_t t = 0; t < f->trees; t++)
        most = off[t + 1] - off[t] > most ? off[t + 1] - off[t] : most;
    uint32_t *order = arena_array(a, most + 1, sizeof *order);
    if (!order) return arena_status(a, err);
    for (int32_t t = 0; t < f->trees; t++) {
        struct arena_mark mark = arena_mark(a);
        if (sort_index_u64(a, key + off[t], off[t + 1] - off[t], order))
            return arena_status(a, err);
        arena_reset(a, mark);
        for (int32_t i = 0; i < f->psi; i++)
            f->rows[t * f->stride + i] = row[off[t] + order[i]];
    }
    return TIDE_OK;
}

/* psi distinct rows for every tree. */
static tide_status draw_rows(struct isolation *f, struct arena *a, tide_error *err)
{
    int64_t n = f->x->n_rows, psi = f->psi, least;
    f->stride = n > psi ? psi : 0;
    f->rows = arena_array(a, f->stride ? f->trees * psi : psi, sizeof *f->rows);
    int64_t *off = arena_array(a, f->trees + 2, sizeof *off);
    tide_status status = arena_status(a, err);
    if (status) return status;
    for (int64_t i = 0; i < psi; i++) f->rows[i] = i;
    if (!f->stride) return TIDE_OK;
    struct lottery l = {.key = rng_key(f->seed, "isolation rows"), .trees = f->trees};
    for (double want = (double)psi + 6 * sqrt((double)psi) + 16;; want *= 2) {
        l.share = want < (double)n ? want / (double)n : 1;
        l.log_rest = vm_log1p(-l.share);
        l.none = l.share < 1 ? vm_exp(f->trees * l.log_rest) * (1 - 1e-9) : 0;
        memset(off, 0, ((size_t)f->trees + 2) * sizeof *off);
        lottery_count(&l, f->x, off + 2);
        least = off[2];
        for (int32_t t = 1; t < f->trees; t++)
            least = off[t + 2] < least ? off[t + 2] : least;
        if (least >= psi) break;
    }
    for (int32_t t = 0; t < f->trees; t++) off[t + 2] += off[t + 1];
    uint64_t *key = arena_array(a, off[f->trees + 1] + 1, sizeof *key);
    int64_t *row = arena_array(a, off[f->trees + 1] + 1, sizeof *row);
    status = arena_status(a, err);
    if (status) return status;
    lottery_fill(&l, f->x, off + 1, key, row);
    return first_of_queue(f, off, key, row, a, err);
}

/* The sampled rows of tree t, column by column. */
static void gather(const struct isolation *f, int32_t t, struct room *room)
{
    struct view some = *f->x;
    int64_t at[256];
    uint32_t code[256];
    for (int32_t i0 = 0; i0 < f->psi; i0 += 256) {
        int32_t m = f->psi - i0 < 256 ? f->psi - i0 : 256;
        for (int32_t i = 0; i < m; i++)
            at[i] = view_row(f->x, f->rows[t * f->stride + i0 + i]);
        some.rows = at;
        some.n_rows = m;
        for (int j = 0; j < some.n_cols; j++) {
            double *to = room->x + (int64_t)j * f->psi + i0;
            if (!f->level[j]) {
                view_numbers(&some, j, 0, m, to);
                continue;
            }
            view_codes(&some, j, 0, m, code);
            for (int32_t i = 0; i < m; i++)
                to[i] = code[i] == CODE_MISSING ? (double)NAN : f->level[j][code[i]];
        }
    }
    for (int32_t i = 0; i < f->psi; i++) room->row[i] = i;
    for (int32_t j = 0; j < some.n_cols; j++) room->live[j] = j;
}

/* ----------------------------------------------------------------------- trees --- */

/* What a column has in a node. */
struct spread {
    double lo, hi;
    int32_t missing;
};
static struct spread spread_of(const struct room *room, const struct part *p,
                               const double *x)
{
    struct spread s = {.lo = INFINITY, .hi = -INFINITY};
    for (int32_t i = p->begin; i < p->end; i++) {
        double v = x[room->row[i]];
        s.missing += isnan(v);
        if (v < s.lo) s.lo = v;
        if (v > s.hi) s.hi = v;
    }
    return s;
}

/* Rows of the node by the test, left ones first; how many are left. */
static int32_t divide(struct room *room, const struct part *p, const double *x,
                      const struct emit_node *q)
{
    int32_t n_left = 0, n_right = 0;
    for (int32_t i = p->begin; i < p->end; i++) {
        int32_t r = room->row[i];
        double v = x[r];
        int left;
        if (q->set) {
            unsigned c = isnan(v) ? BIN_MISSING : (unsigned)v;
            left = (int)(q->bits[c >> 6] >> (c & 63) & 1);
        } else {
            left = isnan(v) ? q->missing_left : v <= q->thr;
        }
        if (left)
            room->row[p->begin + n_left++] = r;
        else
            room->side[n_right++] = r;
    }
    memcpy(room->row + p->begin + n_left, room->side,
           (size_t)n_right * sizeof(int32_t));
    return n_left;
}

/* A random half of the levels, drawn until both sides hold one that the node has. */
static void draw_levels(const struct room *room, const struct part *p, const double *x,
                        struct rng_key key, uint32_t tree, struct emit_node *q)
{
    uint64_t has[4] = {0}, first = 0;
    for (int32_t i = p->begin; i < p->end; i++) {
        double v = x[room->row[i]];
        unsigned c = isnan(v) ? BIN_MISSING : (unsigned)v;
        has[c >> 6] |= (uint64_t)1 << (c & 63);
    }
    q->set = 1;
    for (uint32_t turn = 0; turn < SUBSET_DRAWS; turn++) {
        uint64_t left = 0, right = 0;
        for (uint32_t h = 0; h < 4; h += 2) {
            struct rng_word w = rng_philox(key, tree, p->path, 1 + h, turn);
            q->bits[h] = rng_u64(w);
            q->bits[h + 1] = (uint64_t)w.w[2] << 32 | w.w[3];
        }
        for (int k = 0; k < 4; k++) {
            left |= has[k] & q->bits[k];
            right |= has[k] & ~q->bits[k];
        }
        if (left && right) return;
    }
    memset(q->bits, 0, sizeof q->bits); /* the first level against the rest */
    for (int k = 0; k < 4 && !first; k++) {
        first = has[k] & (~has[k] + 1);
        q->bits[k] = first;
    }
}

/* The columns of the node in the order of their hashes until one varies there; those that do not
 * are put behind the living ones. 0: none varies. */
static int draw_test(const struct isolation *f, struct room *room, struct part *p,
                     uint32_t tree, struct emit_node *q)
{
    struct rng_key key = rng_key(f->seed, "isolation split");
    struct rng_word w = rng_philox(key, tree, p->path, 0, 0);
    uint64_t node = rng_u64(w);
    double u = rng_u01((struct rng_word){{w.w[2], w.w[3], 0, 0}});
    while (p->n_live > 0) {
        int32_t at = 0;
        uint64_t best = 0;
        for (int32_t i = 0; i < p->n_live; i++) {
            int32_t j = room->live[i];
            uint64_t h = gen_mix(node ^ f->name[j]);
            if (i > 0 && (h > best || (h == best && j > room->live[at]))) continue;
            best = h;
            at = i;
        }
        int32_t j = room->live[at];
        const double *x = room->x + (int64_t)j * f->psi;
        struct spread s = spread_of(room, p, x);
        q->feature = j;
        if (s.hi > s.lo || (s.missing && s.hi >= s.lo)) {
            q->missing_left = (uint8_t)(w.w[3] & 1);
            if (f->level[j]) {
                draw_levels(room, p, x, key, tree, q);
            } else if (s.hi > s.lo) {
                q->thr = s.lo * (1 - u) + s.hi * u;
                if (!(q->thr >= s.lo && q->thr < s.hi)) q->thr = s.lo;
            } else { /* one value against the gaps */
                q->thr = INFINITY;
                q->missing_left = 0;
            }
            return 1;
        }
        room->live[at] = room->live[--p->n_live];
        room->live[p->n_live] = j;
    }
    return 0;
}

static void grow(const struct isolation *f, int32_t t, struct room *room,
                 struct grown *out)
{
    int32_t stack[64], n_stack = 0, n = 1;
    gather(f, t, room);
    room->part[0] = (struct part){.end = f->psi, .n_live = f->x->n_cols, .path = 1};
    stack[n_stack++] = 0;
    while (n_stack) { /* one waits on each level above: at most 20 */
        int32_t at = stack[--n_stack];
        struct part *p = &room->part[at];
        struct emit_node *q = &room->node[at];
        *q = (struct emit_node){.left = -1, .right = -1};
        /* two rows, parted, are at depth + 1 = depth + c(2) both: the same leaf as one */
        if (p->end - p->begin < 3 || p->depth >= f->depth) continue;
        if (!draw_test(f, room, p, (uint32_t)t, q)) continue;
        int32_t left = divide(room, p, room->x + (int64_t)q->feature * f->psi, q);
        struct part child = {.begin = p->begin,
                             .end = p->begin + left,
                             .n_live = p->n_live,
                             .depth = p->depth + 1,
                             .path = 2 * p->path};
        q->left = n;
        q->right = n + 1;
        room->part[n] = child;
        child.begin = child.end;
        child.end = p->end;
        child.path++;
        room->part[n + 1] = child;
        stack[n_stack++] = n + 1;
        stack[n_stack++] = n;
        n += 2;
    }
    out->n = n;
    out->node = mem_array((size_t)n, sizeof *out->node);
    if (out->node) memcpy(out->node, room->node, (size_t)n * sizeof *out->node);
}

static void grow_one(void *arg, int64_t t, int worker)
{
    const struct isolation *f = arg;
    int32_t tree = f->first + (int32_t)t;
    grow(f, tree, &f->room[worker], &f->grown[tree]);
}

/* Counts the rows of a tree's sample in its nodes, whose thresholds may have moved. */
static void count_one(void *arg, int64_t t, int worker)
{
    const struct isolation *f = arg;
    struct room *room = &f->room[worker];
    struct grown *g = &f->grown[t];
    gather(f, (int32_t)t, room);
    room->part[0] = (struct part){.end = f->psi};
    for (int32_t i = 0; i < g->n; i++) {
        struct emit_node *q = &g->node[i];
        struct part p = room->part[i];
        q->cover = p.end - p.begin;
        if (q->left < 0) { /* the depth, until the leaf's value is made of it */
            q->thr = p.depth;
            continue;
        }
        int32_t left = divide(room, &p, room->x + (int64_t)q->feature * f->psi, q);
        p.depth++;
        room->part[q->left] = p;
        room->part[q->left].end = p.begin + left;
        room->part[q->right] = p;
        room->part[q->right].begin = p.begin + left;
    }
}

/* ------------------------------------------------------------------ thresholds --- */

/* Does node i of a tree cut numbers at a value? */
static int has_threshold(const struct emit_node *q)
{
    return q->left >= 0 && !q->set && isfinite(q->thr);
}

/* The value that stands for thr among n sorted distinct ones: of `most` groups of neighbours of
 * nearly equal size, the middle of its own. */
static double stand_in(const double *sorted, int64_t n, int64_t most, double thr)
{
    int64_t lo = 0, hi = n - 1;
    while (lo < hi) {
        int64_t mid = lo + (hi - lo) / 2;
        if (sorted[mid] < thr)
            lo = mid + 1;
        else
            hi = mid;
    }
    int64_t group = lo * most / n;
    int64_t begin = (group * n + most - 1) / most,
            end = ((group + 1) * n + most - 1) / most;
    return sorted[(begin + end - 1) / 2];
}

/* Moves thresholds so that no column has more than `most`. */
static tide_status thin_thresholds(struct isolation *f, int64_t most, struct arena *a,
                                   tide_error *err)
{
    int32_t nc = f->x->n_cols;
    int64_t *off = arena_zero(a, ((size_t)nc + 2) * sizeof *off), all = 0;
    int64_t *n = arena_zero(a, ((size_t)nc + 1) * sizeof *n);
    for (int32_t t = 0; t < f->trees; t++) all += f->grown[t].n;
    double *value = arena_array(a, all + 1, sizeof *value);
    tide_status status = arena_status(a, err);
    if (status) return status;
    for (int32_t t = 0; t < f->trees; t++)
        for (int32_t i = 0; i < f->grown[t].n; i++)
            if (has_threshold(&f->grown[t].node[i]))
                off[f->grown[t].node[i].feature + 1]++;
    for (int32_t j = 0; j < nc; j++) off[j + 1] += off[j];
    for (int32_t t = 0; t < f->trees; t++)
        for (int32_t i = 0; i < f->grown[t].n; i++) {
            const struct emit_node *q = &f->grown[t].node[i];
            if (has_threshold(q)) value[off[q->feature] + n[q->feature]++] = q->thr;
        }
    for (int32_t j = 0; j < nc; j++) {
        double *v = value + off[j];
        struct arena_mark mark = arena_mark(a);
        if (sort_f64(a, v, n[j])) return arena_status(a, err);
        arena_reset(a, mark);
        int64_t kept = 0;
        for (int64_t i = 0; i < n[j]; i++)
            if (!kept || v[i] != v[kept - 1]) v[kept++] = v[i];
        n[j] = kept;
    }
    for (int32_t t = 0; t < f->trees; t++)
        for (int32_t i = 0; i < f->grown[t].n; i++) {
            struct emit_node *q = &f->grown[t].node[i];
            if (has_threshold(q) && n[q->feature] > most)
                q->thr = stand_in(value + off[q->feature], n[q->feature], most, q->thr);
        }
    return TIDE_OK;
}

/* ------------------------------------------------------------------------- fit --- */

/* Codes of levels as all tree learners have them: the most frequent 254, and the rest as one. */
static tide_status code_levels(struct tide_ctx *ctx, struct isolation *f,
                               struct emit_feature *feature, struct arena *a,
                               tide_error *err)
{
    const struct view *x = f->x;
    int n = 0;
    const struct column **cols = arena_array(a, x->n_cols + 1, sizeof *cols);
    f->level = arena_zero(a, ((size_t)x->n_cols + 1) * sizeof *f->level);
    if (arena_status(a, err)) return err ? err->status : TIDE_ENOMEM;
    for (int j = 0; j < x->n_cols; j++)
        if (x->cols[j]->type == TIDE_CAT) cols[n++] = x->cols[j];
    struct view some = *x;
    struct bin_cuts cuts;
    struct bin_how how = {.max_codes = 255};
    some.cols = cols;
    some.n_cols = n;
    tide_status status = n ? bins_cut(ctx, &some, &how, a, &cuts, err) : TIDE_OK;
    for (int j = 0, k = 0; j < x->n_cols && !status; j++) {
        if (x->cols[j]->type != TIDE_CAT) continue;
        const struct bin_feature *b = &cuts.feature[k++];
        f->level[j] = b->level_code;
        feature[j] = (struct emit_feature){
            .kind = 1, .n_level = b->n_level, .level_code = b->level_code};
    }
    return status;
}

static tide_status make_room(struct tide_ctx *ctx, struct isolation *f, struct arena *a,
                             tide_error *err)
{
    int workers = par_threads(ctx);
    int64_t psi = f->psi, nc = f->x->n_cols;
    double *rest = arena_array(a, psi + 1, sizeof *rest), harmonic = 0;
    uint64_t *name = arena_array(a, nc + 1, sizeof *name);
    f->room = arena_zero(a, (size_t)workers * sizeof *f->room);
    f->grown = arena_zero(a, (size_t)f->trees * sizeof *f->grown);
    f->leaf = arena_array(a, 2 * psi, sizeof *f->leaf);
    tide_status status = arena_status(a, err);
    if (status) return status;
    for (int64_t n = 0; n <= psi; n++) {
        if (n > 1) harmonic += 1 / (double)(n - 1);
        rest[n] = mean_depth(harmonic, n);
    }
    for (int64_t j = 0; j < nc; j++)
        name[j] = hash64(f->x->cols[j]->name, strlen(f->x->cols[j]->name), 0);
    f->rest = rest;
    f->name = name;
    for (int w = 0; w < workers; w++) {
        struct room *r = &f->room[w];
        r->x = arena_array(a, nc * psi + 1, sizeof *r->x);
        r->row = arena_array(a, psi, sizeof *r->row);
        r->side = arena_array(a, psi, sizeof *r->side);
        r->live = arena_array(a, nc + 1, sizeof *r->live);
        r->node = arena_array(a, 2 * psi, sizeof *r->node);
        r->part = arena_array(a, 2 * psi, sizeof *r->part);
    }
    return arena_status(a, err);
}

/* Leaves hold -h / c(sample), so that the mean of a row's leaves is the binary logarithm of
 * its score. */
static tide_status save_trees(const struct isolation *f,
                              const struct emit_feature *feature, struct state *out,
                              struct arena *a, tide_error *err)
{
    struct emit emit;
    struct ensemble *e = NULL;
    const double base = 0;
    emit_init(&emit, 1, 1);
    for (int32_t t = 0; t < f->trees; t++) {
        const struct grown *g = &f->grown[t];
        for (int32_t i = 0; i < g->n; i++)
            if (g->node[i].left < 0)
                f->leaf[i] = -(g->node[i].thr + f->rest[(int32_t)g->node[i].cover]) /
                             f->rest[f->psi];
        emit_add(&emit, 0, g->node, 0, f->leaf);
    }
    tide_status status =
        emit_finish(&emit, feature, f->x->n_cols, LINK_MEAN_PROBA, &base, a, &e, err);
    emit_free(&emit);
    if (status) return status;
    ensemble_save(e, out);
    int64_t *sample = state_new(out, "TREES", "sample", STATE_I64, 1, 1, 1);
    if (sample) *sample = f->psi;
    return arena_status(out->arena, err);
}

static tide_status grow_forest(struct tide_ctx *ctx, struct isolation *f,
                               const char *phase, struct arena *a, tide_error *err)
{
    tide_status status = TIDE_OK;
    for (f->first = 0; f->first < f->trees && !status; f->first += BATCH) {
        int32_t n = f->trees - f->first < BATCH ? f->trees - f->first : BATCH;
        status = ctx_progress(ctx, phase, f->first, f->trees, "trees", err);
        if (!status) status = par_for(ctx, n, grow_one, f, err);
    }
    for (int32_t t = 0; t < f->trees && !status; t++)
        if (!f->grown[t].node) status = err_nomem(err, 0);
    int64_t most = f->psi <= NARROW_ROWS ? NARROW_EDGES : WIDE_EDGES;
    if (!status) status = thin_thresholds(f, most, a, err);
    return status ? status : par_for(ctx, f->trees, count_one, f, err);
}

static tide_status isolation_threshold(struct tide_ctx *ctx,
                                       const struct isolation_params *p,
                                       const struct view *x, const struct state *s,
                                       struct arena *a, double *out, tide_error *err);

static tide_status isolation_fit(struct tide_ctx *ctx, const void *params,
                                 const struct fit_data *d, const struct fit_data *valid,
                                 int32_t rounds, struct state *out,
                                 struct fit_info *info, tide_error *err)
{
    const struct isolation_params *p = params;
    struct isolation f = {.x = d->x, .seed = d->seed, .trees = p->trees};
    struct arena a;
    (void)valid;
    (void)rounds;
    f.psi = d->x->n_rows < p->sample ? (int32_t)d->x->n_rows : p->sample;
    while (((int64_t)1 << f.depth) < f.psi) f.depth++;
    arena_init(&a, ctx);
    struct emit_feature *feature =
        arena_zero(&a, ((size_t)d->x->n_cols + 1) * sizeof *feature);
    tide_status status = arena_status(&a, err);
    if (!status) status = code_levels(ctx, &f, feature, &a, err);
    if (!status) status = make_room(ctx, &f, &a, err);
    if (!status) status = draw_rows(&f, &a, err);
    if (!status) status = grow_forest(ctx, &f, d->phase, &a, err);
    if (!status) status = save_trees(&f, feature, out, &a, err);
    if (!status)
        status = isolation_threshold(ctx, p, d->x, out, &a, &info->threshold, err);
    info->converged = -1;
    for (int32_t t = 0; f.grown && t < f.trees; t++) mem_free(f.grown[t].node);
    arena_free(&a);
    return status;
}

static void isolation_cost(const void *params, const struct fit_data *d,
                           struct fit_cost *out)
{
    const struct isolation_params *p = params;
    double n = (double)d->x->n_rows, f = d->x->n_cols;
    double psi = n < p->sample ? n : p->sample, nodes = 2 * psi * p->trees;
    out->scratch_bytes =
        (int64_t)(psi * f * 16 + nodes * (2 * sizeof(struct emit_node) + 32) +
                  (p->contamination > 0 ? 40 * n : 0));
    out->model_bytes = (int64_t)(nodes * 16);
    out->work = n * p->trees * 8;
}

/* ----------------------------------------------------------------------- model --- */

struct isolation_model {
    struct ensemble *e;
    int64_t sample;
};

static tide_status isolation_load(const struct state *s, uint32_t task, int32_t n_out,
                                  int32_t n_cols, const uint32_t *n_levels,
                                  struct arena *a, void **object, tide_error *err)
{
    const struct state_array *sample;
    struct isolation_model *m = arena_zero(a, sizeof *m);
    (void)task;
    *object = NULL;
    if (!m) return arena_status(a, err);
    tide_status status = ensemble_load(s, n_cols, n_levels, a, &m->e, err);
    if (!status) status = state_need(s, "sample", STATE_I64, 1, 1, &sample, err);
    if (status) return status;
    if (n_out != 1 || m->e->n_outputs != 1 || m->e->leaf_width != 1 ||
        m->e->link != LINK_MEAN_PROBA || m->e->base[0] != 0 || m->e->n_trees < 1) {
        err_set(err, TIDE_CODE_TIDE_CLASSES, "the trees do not give one score");
        return err_place(err, "section TREES");
    }
    int64_t leaves = m->e->tree_leaf[m->e->n_trees];
    for (int64_t i = 0; i < leaves; i++)
        if (m->e->leaf[i] > 0) {
            err_set(err, TIDE_CODE_TIDE_VALUE, "a leaf is above 0");
            return err_place(err, "section LEAVES, leaf %lld", (long long)i);
        }
    m->sample = *(const int64_t *)sample->data;
    *object = m;
    return TIDE_OK;
}

/* Sums of leaves to scores, in place. */
static void scores_of(const struct isolation_model *m, int64_t n, double *z)
{
    ensemble_link(m->e, 1, n, z, z);
    for (int64_t i = 0; i < n; i++) z[i] = vm_exp(LN2 * z[i]);
}

static tide_status isolation_predict(const void *object, const struct view *x,
                                     int64_t i0, int64_t n, double *out,
                                     tide_error *err)
{
    const struct isolation_model *m = object;
    tide_status status = ensemble_margin(m->e, x, i0, n, 0, out, err);
    if (!status) scores_of(m, n, out);
    return status;
}

static void isolation_predict_row(const void *object, const double *x, double *out)
{
    const struct isolation_model *m = object;
    ensemble_row(m->e, x, out);
    scores_of(m, 1, out);
}

static const struct ensemble *isolation_trees(const void *object)
{
    return ((const struct isolation_model *)object)->e;
}

static void isolation_describe(const void *object, char *out, size_t size)
{
    const struct isolation_model *m = object;
    str_format(out, size, "%d trees of %lld rows each, %lld leaves", (int)m->e->n_trees,
               (long long)m->sample, (long long)m->e->tree_leaf[m->e->n_trees]);
}

/* ------------------------------------------------------------------- threshold --- */

struct training_scores {
    const struct isolation_model *m;
    const struct view *x;
    double *out;
    tide_status *status; /* [blocks] */
};

static void score_training(void *arg, int64_t block, int worker)
{
    const struct training_scores *s = arg;
    int64_t i0 = block * THRESHOLD_ROWS, n = s->x->n_rows - i0;
    (void)worker;
    if (n > THRESHOLD_ROWS) n = THRESHOLD_ROWS;
    s->status[block] = isolation_predict(s->m, s->x, i0, n, s->out + i0, NULL);
}

/* The score from which the asked share of the training rows are anomalies; fewer where rows of equal
 * scores would make it more. */
static tide_status isolation_threshold(struct tide_ctx *ctx,
                                       const struct isolation_params *p,
                                       const struct view *x, const struct state *s,
                                       struct arena *a, double *out, tide_error *err)
{
    int64_t n = x->n_rows, blocks = (n + THRESHOLD_ROWS - 1) / THRESHOLD_ROWS;
    void *model = NULL;
    *out = 0.5;
    if (!(p->contamination > 0)) return TIDE_OK;
    uint32_t *levels = arena_zero(a, ((size_t)x->n_cols + 1) * sizeof *levels);
    struct training_scores t = {.x = x,
                                .out = arena_array(a, n, sizeof *t.out),
                                .status =
                                    arena_zero(a, (size_t)blocks * sizeof *t.status)};
    tide_status status = arena_status(a, err);
    for (int j = 0; j < x->n_cols && !status; j++)
        levels[j] = x->cols[j]->type == TIDE_CAT ? x->cols[j]->dict.n : 0;
    if (!status) status = isolation_load(s, 0, 1, x->n_cols, levels, a, &model, err);
    t.m = model;
    if (!status) status = par_for(ctx, blocks, score_training, &t, err);
    for (int64_t b = 0; b < blocks && !status; b++)
        if (t.status[b]) status = err_nomem(err, 0);
    if (!status && sort_f64(a, t.out, n)) status = arena_status(a, err);
    if (status) return status;
    int64_t share = (int64_t)floor(p->contamination * (double)n + 0.5);
    int64_t at = n - (share > 1 ? share : 1);
    *out = t.out[at];
    if (at == 0 || t.out[at - 1] < *out) return TIDE_OK;
    while (at < n && t.out[at] <= *out) at++;
    *out = at < n ? t.out[at] : nextafter(*out, (double)INFINITY);
    return TIDE_OK;
}

const struct tide_learner tide_learner_isolation_forest = {
    .name = "isolation_forest",
    .title = "Isolation forest",
    .camel = "IsolationForest",
    .guide = "Q1",
    .paper = "Liu, Ting, Zhou 2008",
    .small = "trees=20,sample=64",
    .min_rows = 2,
    .tasks = TIDE_ANOMALY,
    .tolerance = 0,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_INTEGER_SUMS,
    .params = TIDE_TABLE(isolation_rows, isolation_params),
    .cost = isolation_cost,
    .fit = isolation_fit,
    .load = isolation_load,
    .predict = isolation_predict,
    .predict_row = isolation_predict_row,
    .trees = isolation_trees,
    .describe = isolation_describe,
};
