/* small_node.h - inside of forest_grow: a worker's memory, split search, subtrees in cache */
#ifndef LEARNERS_TREE_SMALL_NODE_H
#define LEARNERS_TREE_SMALL_NODE_H
#include "learners/tree/forest_grow.h"
#include "simd/simd.h"

#define SMALL_ROWS  4096
#define SMALL_CODES 4096
#define DRAWN_ROWS                                                                     \
    16384 /* the same where thresholds are drawn: images need no tables */
#define TINY_ROWS  256
#define DRAWN_TINY 512 /* the same where thresholds are drawn */
#define COLUMN_PAD                                                                     \
    32 /* codes between columns, lest all begin in one set of the cache */

/* A node on the stack of a depth-first walk. */
struct grow_frame {
    uint32_t beg, n, depth;
    uint32_t parent; /* UINT32_MAX: root */
    int right;       /* side of the parent */
    int64_t s0, s1;  /* TWO: class weights; SUM: target, weight; MANY: 0, weight */
    uint64_t path;
};
/* The best split so far: least num / den. */
struct grow_split {
    double num, den;
    int32_t feature; /* -1: none */
    uint16_t lo, hi; /* cut between these codes */
    float top;       /* random thresholds: the highest image on the left */
    uint8_t missing;
    int64_t l0, l1; /* of the left side */
};
/* Where a node of the tree is cut, until its rank is looked up: between codes of the whole
 * column, or by image. */
struct grow_cut {
    uint16_t lo, hi;
    float top;
};
/* grow_split.missing */
enum { MISSING_LEFT, MISSING_RIGHT, MISSING_NONE, MISSING_ALONE };
/* A node's rows as search sees them. */
struct grow_rows {
    const uint32_t *pay; /* TWO: weight << 1 | class; else weight */
    const int64_t *aux;  /* MANY, SUM */
    uint32_t n;
    int64_t s0, s1;
    const uint32_t *two; /* weights as in simd_cut, or NULL */
};
struct grow_sum {
    int64_t s, w;
};
/* Rows of a subtree under numbers of their own, with ranks among themselves. Images stand by
 * columns in the outer level and by rows in the inner one, whose nodes are small: there several
 * columns of a row are read at once. */
struct grow_level {
    int32_t cap;              /* most rows, and most codes of a column */
    uint32_t n, beg;          /* rows, and where they begin in w->pay */
    uint32_t stamp, *have;    /* [n_on] subtree whose codes are copied */
    uint16_t *code;           /* [n_on][cap + COLUMN_PAD] */
    uint16_t *whole;          /* as code: of the whole column; the outer level alone */
    float *image;             /* in place of both for random thresholds, as below */
    int64_t across, step;     /* row's image: [column * across + row * step] */
    uint16_t *n_code;         /* [n_on]; 0: the codes are those one level out */
    uint8_t *gaps;            /* [n_on] code 0 is missing */
    uint32_t row[DRAWN_ROWS]; /* row one level out */
    uint32_t whole_row[DRAWN_TINY]; /* of the inner level: row of the table */
    uint16_t id[DRAWN_ROWS + SIMD_FEW], aside[DRAWN_ROWS];
    struct grow_frame stack[ENSEMBLE_DEPTH_MAX + 4];
};
/* Cells of the columns that are on. By rows, for trees enough to pay for it: a subtree's copy then
 * asks for one or two lines of memory a row, not for one a row and column. */
struct grow_wide {
    int64_t stride;
    uint16_t *code; /* [n_rows][stride]; NULL where thresholds are random */
    float *image;   /* the same; NULL where they are not */
};
struct grow_work {
    const struct forest_data *data;
    const struct forest_rules *rules;
    int64_t min_units;
    int failed;
    /* the tree being grown */
    struct forest_tree tree;
    int64_t cap_nodes, cap_leaves;
    struct grow_cut *cut;           /* [n_nodes] */
    double *node_gain, *node_value; /* with a limit on leaves */
    int64_t cap_cuts, cap_gain, cap_value;
    uint64_t path;
    double root_weight;
    double *importance; /* [n_cols] of this tree */
    /* columns with something to split on; those of a node are drawn from a deck: the first
     * n_drawn of it, changed for those at swap[], are put back before the next node */
    int32_t n_on, *on;
    uint32_t *hash; /* [n_on] */
    int32_t *deck, *swap, n_drawn;
    uint64_t deck_path;
    /* large nodes */
    uint32_t *id, *id2, *pay, *pay2;
    int64_t *aux, *aux2;
    uint16_t *seq, *code;
    float *x; /* images of a column or of a few; random thresholds alone */
    struct grow_frame stack[ENSEMBLE_DEPTH_MAX + 4];
    /* subtrees in cache, and those of at most TINY_ROWS within them */
    struct grow_level level[2];
    uint64_t seen[2048 + 1];
    const struct grow_wide *wide;
    const struct simd_table *simd;
    /* search */
    union {
        uint64_t cell[SMALL_CODES]; /* TWO: class weights of a code, 32 bits each */
        struct grow_sum sum[SMALL_CODES];
        uint32_t half[SMALL_CODES]; /* as cell, 16 bits each */
    };
    uint32_t two[SMALL_ROWS + SIMD_FEW];
    uint64_t touched[SMALL_CODES / 64];
    uint16_t list_code[SMALL_CODES + 1];
    uint64_t list_sum[SMALL_CODES + 1];
    int64_t list_w[SMALL_CODES + 1];
    uint32_t start[SMALL_CODES + 2];
    /* many classes: rows by code */
    uint16_t *by_code;
    uint32_t *by_pay;
    int64_t *by_aux;
    int64_t *left, *total; /* [n_classes] */
};

/* Tries all cuts of one column: seq[ids ? ids[i] : i] is row i's code below n_codes <=
 * SMALL_CODES. With `missing` code 0 is missing. Returns the number of distinct codes, or where
 * rows->two is set any number. */
int search_column(struct grow_work *w, const uint16_t *seq, const uint16_t *ids,
                  const struct grow_rows *rows, uint32_t n_codes, int missing,
                  int32_t feature, struct grow_split *best);
/* Tries one threshold drawn between the least and the greatest of image[ids[i] * step]; w->x has
 * room for them. */
void search_drawn(struct grow_work *w, const float *image, int64_t step,
                  const uint16_t *ids, const struct grow_rows *rows, uint64_t path,
                  int32_t feature, struct grow_split *best);
/* The same of w->x[rows->n], which are ranks of the whole column, -infinity for missing cells.
 * best->lo is the code that the threshold falls behind. */
void search_ranks(struct grow_work *w, const struct grow_rows *rows, uint64_t path,
                  int32_t feature, struct grow_split *best);
/* The same of a few columns at once, in their order; rows->two must be set, w->x has room for
 * SIMD_DRAWN images a row. 0: a cell is missing, and nothing was tried. */
int search_lanes(struct grow_work *w, const struct simd_cells_of *of,
                 const uint16_t *ids, const struct grow_rows *rows, uint64_t path,
                 const int32_t *feature, struct grow_split *best);
/* Class weights of a node into w->total (MANY); returns whether one class has all. */
int node_is_pure(struct grow_work *w, const struct grow_rows *rows);
double split_gain(const struct grow_work *w, const struct grow_rows *rows,
                  const struct grow_split *s);
/* Columns of a node one by one, as numbers in w->on; -1 at the end. All of them come in the
 * order of names, fewer as drawn. */
void columns_begin(struct grow_work *w, uint64_t path);
int32_t columns_next(struct grow_work *w);
/* left: (uint16_t)(code - sub) <= top */
#define CUT_ALONE UINT16_MAX
void split_test(const struct grow_split *s, uint16_t *sub, uint16_t *top);
/* left: floor <= image <= s->top */
float split_floor(const struct grow_split *s);
/* Frames of both sides of a node that was split into n_left and the rest. */
void child_frames(const struct grow_frame *f, const struct grow_split *s, uint32_t node,
                  uint32_t n_left, struct grow_frame *left, struct grow_frame *right);
static inline uint64_t path_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
/* In (0, 1), for a random threshold. */
static inline double path_draw(uint64_t path, uint32_t column_hash, int *coin)
{
    uint64_t z =
        path_mix(path + ((uint64_t)column_hash << 20) + UINT64_C(0x632be59bd9b4e019));
    *coin = (int)(z & 1);
    return ((double)(z >> 11) + 0.5) * 0x1p-53;
}
/* Adds a leaf or a node at its place in the walk; add_node returns its number. lo, hi: the
 * split's codes in the whole column. A node's cut is known after resolve_cuts. */
void add_leaf(struct grow_work *w, const struct grow_frame *f,
              const struct grow_rows *rows);
uint32_t add_node(struct grow_work *w, const struct grow_frame *f,
                  const struct grow_rows *rows, const struct grow_split *s, uint16_t lo,
                  uint16_t hi, double gain);
void resolve_cuts(struct grow_work *w);
/* May the node be split at all? */
int may_split(struct grow_work *w, const struct grow_frame *f,
              const struct grow_rows *rows);
/* Has the best split so far nothing to lose? Then no other is strictly better. */
static inline int cannot_be_better(const struct grow_work *w,
                                   const struct grow_split *best)
{
    return best->feature >= 0 && best->num == 0 && w->data->mode == FOREST_TWO &&
           w->rules->criterion == FOREST_GINI;
}
/* Memory of the levels. */
void levels_init(struct grow_work *w, struct arena *a);
/* Grows the subtree of rows [f.beg, f.beg + f.n) of w->id, pay, aux, at most level[0].cap. */
void grow_small(struct grow_work *w, const struct grow_frame *f);
#endif
