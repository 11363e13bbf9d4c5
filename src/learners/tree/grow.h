/* grow.h - one boosted tree from quantised gradients: histograms, splits, partition, growth
 *
 * Everything that decides a tree is an integer sum or a function of one, so threads, row order
 * and instruction set cannot change it. For every split sum(children) = parent exactly. */
#ifndef LEARNERS_TREE_GROW_H
#define LEARNERS_TREE_GROW_H
#include "base/par.h"
#include "base/rng.h"
#include "learners/tree/bins.h"
#include "learners/tree/emit.h"
#include "simd/simd.h"

/* How many levels are split: sorted by what they do to the loss, in the order of their codes, or the
 * better of both, once the first has lost what it gains by chance. */
enum cat_split { CAT_AUTO, CAT_SETS, CAT_ORDER };
struct grow_rules {
    int32_t leaves, depth; /* depth 0: none but ENSEMBLE_DEPTH_MAX */
    int64_t min_rows;
    double min_hessian, l1, l2, min_gain;
    double cat_smooth, cat_l2;
    double cat_rows;          /* fewest rows between two prefixes of sorted levels */
    int32_t cat_sides;        /* levels a side of a sorted split */
    int32_t cat_alone;        /* up to so many levels: one against the rest */
    enum cat_split cat_split; /* how more levels than that are split */
    int level_wise; /* the leaf of least depth is split next, not that of largest gain */
    int32_t outputs; /* above 1: leaves hold a value each (grow_vector.c) */
    int symmetric; /* one test a level, `depth` levels; `leaves` has room for them all */
    /* what is forbidden, by lane; NULL: nothing (constraint.h) */
    const int8_t *monotone; /* 1: values may not fall with the column, -1: not rise */
    const uint64_t *groups; /* a bit a group that the column is in */
};

/* Quantised gradients of one tree. Packed: g int16 << 16 | h uint16. Fine (heavy tails, where
 * 16 bits leave too few levels): 32 bits each. value = integer * unit, units powers of two. */
struct grow_grad {
    const uint32_t *packed;
    const int32_t *fine_g; /* not NULL: fine */
    const uint32_t *fine_h;
    double g_unit, h_unit;
    int64_t h_most; /* no row has a larger h */
    int h_is_count; /* h is 1 for every row */
};
/* For leaves of several values gradients are an array, one an output. Of the first, `packed` has
 * all: [passes][n_rows][vector_width], as many passes as hold the outputs, and h_most is of the sum
 * over outputs; packed units are equal, and all outputs are fine or none. */

struct grow_split {
    double gain;
    int32_t lane, thr; /* numbers: code <= thr */
    uint8_t set, missing_left;
    uint64_t bits[4]; /* categories: codes that go left */
    int64_t g, h;     /* of the left side */
};
struct grow_node {
    uint32_t beg, n;
    uint64_t *hist;        /* NULL: none */
    uint8_t wide, at_work; /* a member makes its children */
    uint16_t depth;
    int32_t kids; /* -1, or where its children wait until it is its turn to be split */
    int32_t left, right;     /* -1: leaf */
    int64_t g, h;            /* several outputs: h of all in units of the first */
    int64_t *sums;           /* several outputs: g, h of each */
    struct grow_split split; /* gain <= 0: none */
    double lo, hi;           /* its value must lie within (monotone) */
    uint64_t groups;         /* interaction groups that hold the path's columns */
    int32_t alone;           /* the path's column is in no group: its lane; -1 */
    int32_t first;           /* lane that is scanned first: its parent's; -1 */
    double useful;           /* splits of no larger gain will not be made */
};

/* Best split of each lane, while a node is scanned. */
struct split_room {
    struct grow_split *best; /* [n_lanes] */
    uint8_t *exact;          /* [n_lanes] min_rows holds for certain */
};

/* Chances of a column in each level and each node of the tree that grows. */
struct grow_draw {
    double level, node;
    struct rng_key key;
    int64_t tree;
};

struct hist_pool;
struct par_crew;
struct symmetric;
struct vector;
struct grow {
    struct tide_ctx *ctx;
    const struct bin_cuts *cuts;
    const struct bin_codes *codes;
    const struct simd_table *simd;
    struct grow_rules rules;
    const uint8_t *lane_on;         /* [n_lanes] or NULL: all */
    struct grow_draw draw;          /* chances of 1: none is drawn */
    uint32_t *ids, *aside, *aside2; /* [n_max] */
    struct hist_pool *pool;
    struct grow_node *node; /* [2 leaves] */
    int32_t n_nodes, n_leaves;
    int32_t *heap;
    int32_t n_heap;
    double *gains; /* falling: the splits that come next, as far as known */
    int32_t n_gains;
    int threads;      /* members of a crew, at most */
    int team, n_good; /* members now; trees in a row that used them well */
    int seen_trees; /* by this team, not judged yet; their time by the clock and of the CPU */
    int64_t seen_ns, seen_cpu_ns;
    int n_tried; /* small trees since the last trial of one member and of the team */
    int64_t tried_ns[2];     /* time of a trial's trees: one member, the team */
    struct split_room *room; /* [threads + 2]: members; two children of a large node */
    struct grow_node (*kids)[2];
    int32_t *free_kids, n_free_kids;
    struct symmetric *symmetric; /* of growth by shared tests, or NULL */
    struct vector *vector;       /* of leaves with several values, or NULL */
    /* of the tree that grows */
    struct par_crew *crew;
    int members; /* of the crew */
    const struct grow_grad *grad;
    double noise; /* mean g^2 / h of its rows: what g varies by, in units of h */
    tide_status status;
};
/* Workspace for trees over up to n_max rows. `threads`: workers that one tree may use. */
tide_status grow_new(struct tide_ctx *ctx, const struct bin_cuts *cuts,
                     const struct bin_codes *codes, const struct grow_rules *rules,
                     int64_t n_max, int threads, struct arena *a, struct grow **out,
                     tide_error *err);
/* Grows a tree over the given rows (ascending, copied). The nodes stay in g->node[0..n_nodes), leaf rows in
 * g->ids[beg .. beg + n), until the next call. */
tide_status grow_tree(struct grow *g, const struct grow_grad *grad,
                      const uint32_t *rows, int64_t n, tide_error *err);
/* Mean g^2 / h of rows ids[0..n), in values; exact sums. */
double grow_noise(const struct grow_grad *grad, const uint32_t *ids, int64_t n);
/* Sends other rows (of `codes`) down the tree; they are reordered so that seg[node] gives the
 * rows of each node. scratch has room for n, seg for every node. */
struct grow_seg {
    uint32_t beg, n;
};
void grow_replay(const struct grow *g, const struct bin_codes *codes, uint32_t *rows,
                 int64_t n, uint32_t *scratch, struct grow_seg *seg);
/* Leaf value of a node before the rate: -T(g)/(h + l2), with cat_l2 more below a split on sorted
 * levels: what made the split believable keeps the value so. */
double grow_value(const struct grow *g, const struct grow_grad *grad,
                  const struct grow_node *q, int sorted);
/* The node as emit.h wants it (value and cover apart). */
void grow_describe(const struct grow *g, const struct grow_node *q,
                   struct emit_node *out);

/* Runs fn for tasks 0..n-1 by the crew of the tree. */
void grow_phase(struct grow *g, int64_t n_tasks, par_fn fn, void *arg);

/* grow_symmetric.c: the levels below a root whose histogram and sums are there. */
struct symmetric *symmetric_new(const struct grow *g, struct arena *a);
void grow_symmetric(struct grow *g);

/* grow_vector.c: leaves of several values. Outputs side by side in memory (4 or 8), and cells a
 * code of all passes. */
int32_t vector_width(int32_t n_outputs);
int32_t vector_cells(int32_t n_outputs);
struct vector *vector_new(const struct grow *g, int threads, struct arena *a);
/* Sums of a root without rows. */
void vector_no_sums(struct grow *g);
/* Histogram and sums of the root, which has room for one; then its best split. */
void vector_root_sums(struct grow *g);
void vector_root_split(struct grow *g);
/* Sums of the children of a node that still has its histogram. */
void vector_left(const struct grow *g, const struct grow_node *p,
                 struct grow_node kid[2]);
/* Histograms and best splits of two children, of which kid[small] has room for its histogram and
 * the other one, if needed, its parent's (in place) or room for a packed one. */
void vector_kids(struct grow *g, struct grow_node kid[2], int small, const int need[2],
                 uint64_t *parent, int parent_wide);
int vector_adds_up(const struct grow *g, const struct grow_node *q, int32_t lane);
/* grow_value of output k. */
double vector_value(const struct grow *g, const struct grow_grad *grad,
                    const struct grow_node *q, int32_t k, int sorted);

/* hist.c: width: cells a code */
struct hist_pool *hist_pool_new(struct tide_ctx *ctx, const struct bin_codes *codes,
                                const struct simd_table *simd, int threads,
                                int64_t n_max, int32_t width, struct arena *a);
/* A member's packed histogram; NULL where no node is large and one member is all. */
uint64_t *hist_own(const struct hist_pool *p, int member);
uint64_t *hist_take(struct hist_pool *p, int wide); /* NULL: memory is out */
/* Why hist_take gave NULL. */
tide_status hist_refused(const struct hist_pool *p, tide_error *err);
void hist_give(struct hist_pool *p, uint64_t *hist, int wide);
/* Sums of rows ids[0..n) (NULL: rows 0..n-1), by one member alone. */
void hist_alone(struct hist_pool *p, int member, const struct grow_grad *grad,
                const uint32_t *ids, int64_t n, int wide, uint64_t *out);
int hist_has_ranges(const struct hist_pool *p); /* is every lane a byte of its own? */
/* The same of at most HIST_PACKED_ROWS rows, packed, of lanes [first, first + n_lanes) alone, where
 * each is a byte of its own. */
void hist_range(const struct hist_pool *p, const struct grow_grad *grad,
                const uint32_t *ids, int64_t n, int32_t first, int32_t n_lanes,
                uint64_t *out);
/* The same by the whole crew, into histograms of the members; then hist_meet adds them up, a
 * byte column (lane: its number) at a time. */
void hist_together(struct grow *g, const uint32_t *ids, int64_t n);
void hist_meet(const struct hist_pool *p, int32_t lane, int wide, uint64_t *out);
/* large = parent - small of one byte column, in place of parent (to_packed NULL) or packed into it. */
void hist_subtract(const struct grow *g, int32_t lane, uint64_t *parent,
                   int parent_wide, const uint64_t *small, int small_wide,
                   uint64_t *to_packed);
void hist_total(const uint64_t *hist, int wide, int32_t n_code, int64_t *g, int64_t *h);
#define HIST_PACKED_ROWS 65536

/* split.c */
/* Best split of each lane of n byte columns of a node with a histogram, into room. */
void split_lanes(const struct grow *g, const struct grow_grad *grad,
                 const struct grow_node *node, int32_t first, int32_t n,
                 struct split_room *room);
/* The best of them into node->split (gain 0: none). ids are the node's rows, for counts. */
void split_choose(const struct grow *g, const struct grow_grad *grad,
                  const uint32_t *ids, struct grow_node *node, struct split_room *room);
/* Bounds and groups of the children of a node that is split. */
void split_pass_on(const struct grow *g, const struct grow_grad *grad,
                   const struct grow_node *node, struct grow_node kid[2]);
/* May a split of the column send a set of levels left; may it send all codes up to one? */
int split_by_set(const struct grow *g, const struct bin_feature *f);
int split_by_order(const struct grow *g, const struct bin_feature *f);
/* What the best set of so many levels of a column gains by chance. */
double split_chance(const struct grow *g, const struct bin_feature *f, int levels);
/* The lane of the best split with a gain above `least`, of equals that of the first column; -1:
 * none. */
int32_t split_best_lane(const struct grow *g, const struct split_room *room,
                        double least);
/* May this node be split on this lane? */
int split_lane_is_on(const struct grow *g, const struct grow_node *node, int32_t lane);
/* Rows of each code among ids[0..n). */
void split_count(const struct grow *g, int32_t lane, const uint32_t *ids, uint32_t n,
                 uint32_t count[256]);
/* The power of two that brings n times `most` to at most 1. */
float split_scale_below(double most, uint32_t n);
/* Are there too many levels to try one against the rest? */
int split_has_many_levels(const struct grow *g, int32_t lane);
/* Was this split chosen among prefixes of sorted levels? */
int split_is_sorted(const struct grow *g, const struct grow_split *s);
/* 1 where a code goes left. */
void split_table(const struct grow_split *s, uint8_t left[256]);

/* partition.c: rows of a node to both sides, stable, in place; returns how many went left.
 * By one member alone, or by the whole crew. */
int64_t part_alone(const struct grow *g, const struct grow_node *node);
int64_t part_together(struct grow *g, const struct grow_node *node);
#endif
