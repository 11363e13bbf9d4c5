/* simd.h - kernels compiled once per instruction set, behind one table of function pointers
 *
 * A kernel source src/simd/k_<name>.c is compiled for base, avx2 and avx512 with SIMD_SET
 * defined; its functions are named KERNEL(name). Plain C with fixed lanes (16 f32 / 8 f64,
 * folded pairwise) that the compiler vectorises gives equal bits on every set, so base is both
 * the oracle and the portable path. Intrinsics stand in #ifdef SIMD_IS_avx2 / SIMD_IS_avx512. */
#ifndef SIMD_SIMD_H
#define SIMD_SIMD_H
#include <stddef.h>
#include <stdint.h>

#define SIMD_CAT2(a, b) a##_##b
#define SIMD_CAT(a, b)  SIMD_CAT2(a, b)
#ifdef SIMD_SET
#define KERNEL(name) SIMD_CAT(name, SIMD_SET)
#endif

/* A node's sums and the rules of its split (k_tree_scan.c). */
struct simd_split {
    double g, h, l1, l2, min_h;
};

/* What the index of a slab saw besides. */
struct simd_csv {
    int64_t quotes, lines, rows; /* quote bytes, newlines, newlines outside quotes */
    int in_quote, high, nul;     /* at the end; a byte >= 0x80; a byte 0 */
    int irregular;               /* a quote where regular text has none */
};

/* A column of cells: cell i is text[end[i stride - 1] + 1 .. end[i stride]), a CR at the end left
 * out in the last column. The 64 bytes behind the text can be read. */
struct simd_cells {
    const char *text;
    const uint32_t *end;
    int64_t stride, n;
    char decimal;
    int last;
};
/* A node for tree_scan: its h and the least h of a side (at least 1) as integers; powers of two
 * that bring g and h + l2 to at most 1; l2 and g / (h + 2 l2) so scaled. */
struct simd_scan {
    int64_t h, min_h;
    float g_scale, h_scale, l2, mean;
};
/* Outputs of a node for tree_scan_vector: powers of two that bring g and h + l2 to at most 1; l2,
 * and of each output H + 2 l2 and g / (H + 2 l2) so scaled. total: packed cells' sum, or H of wide
 * ones. Outputs that do not exist have 0 everywhere. */
#define SIMD_WIDTH 8
struct simd_outputs {
    int width; /* 4 or SIMD_WIDTH */
    float g_scale, h_scale, l2;
    float mean[SIMD_WIDTH], sum[SIMD_WIDTH];
    uint64_t total[SIMD_WIDTH];
};
/* Key and fixed counters of the dither of one tree (k_tree_grad.c). */
struct simd_dither {
    uint32_t k0, k1, tree, output;
};
/* Scales of tree_quantise that tree_logit_quantise has: g within 2^14, h within 2^15. */
#define SIMD_LOGIT_G 0x1p14
#define SIMD_LOGIT_H 0x1p17
/* At most 254 edges of a column and where to look for them (simd_grid_new): cells of equal width
 * between the first edge and the last, of which none has more than SIMD_GRID_MOST edges. A value's
 * cell grows with it whatever rounding does, so edges of earlier cells are below it, those of
 * later cells are not, and those of its own are compared. */
#define SIMD_GRID      1024
#define SIMD_GRID_MOST 4
#define SIMD_GRID_ROWS 4096 /* from which a grid is worth its making */
struct simd_grid {
    double lo, scale;
    int32_t most;             /* edges in one cell */
    uint8_t first[SIMD_GRID]; /* edges in earlier cells */
    double edge[254 + SIMD_GRID_MOST];
};
/* Fills grid; 0: the edges lie too unevenly, or are too few, for one. */
int simd_grid_new(const double *edge, int n_edge, struct simd_grid *grid);
struct simd_edges;
struct simd_plane;
struct simd_lane;
struct simd_walk;
struct simd_shap;

#define SIMD_FEW       32
#define SIMD_FEW_UNITS 1024
#define SIMD_PART      16
/* A cut of a node's column by two classes: the least gini impurity so far as a fraction
 * num / den, and what is on the left of it; weights are 16 bits a class, the second above. */
struct simd_cut {
    double num, den;
    int64_t s0, s1,
        least;     /* weights of the node, below 32768 together, and least of a side */
    uint32_t left; /* weights */
    uint16_t lo, hi; /* codes that the cut is between */
};
/* A row's cells in `lanes` columns: image[id * step + at[lane]]. */
#define SIMD_DRAWN 8
struct simd_cells_of {
    const float *image;
    int64_t step, at[SIMD_DRAWN];
    int lanes; /* 1 to SIMD_DRAWN */
};
/* Images of a row in tree_ranges' x. */
static inline int simd_drawn_step(int lanes)
{
    return lanes <= 4 ? 4 : SIMD_DRAWN;
}
/* The left side of a split: by image, or by code where image is NULL. */
struct simd_part {
    const float *image; /* [id * step] */
    int64_t step;
    const uint16_t *code;
    float floor, top;
    uint16_t sub, most;
};

/* A query's m rows by place; arrays have 7 more, finite, whose discounts are above all others. */
struct simd_pairs {
    int64_t m;
    const double *s, *e; /* scores; exp(score - the largest), above 1e-305 */
    const double *gain, *discount;
    double inverse; /* 1 / the best DCG */
    double near,
        slope; /* a pair's weight is divided by near + slope |difference of scores| */
};

struct simd_table {
    const char *name; /* "base", "avx2", "avx512" */
    /* lane (below) beats a walk with so many positions a tree; 0: never */
    int lane_positions;
    /* k_vec.c: sums in 8 f64 lanes, lane i takes elements i, i+8, ...; lanes folded pairwise */
    double (*sum)(const double *x, int64_t n);
    double (*dot)(const double *x, const double *y, int64_t n);
    /* sum x y w */
    double (*dot3)(const double *x, const double *y, const double *w, int64_t n);
    /* y += a x */
    void (*axpy)(double a, const double *x, double *y, int64_t n);
    /* Gram blocks of columns x_i of n rows, weights w (NULL = 1), upper triangle of p x p:
     * g[i*p + j] += sum_r w[r] x_i[r] x_j[r] for i <= j */
    void (*gram)(const double *const *x, const double *w, int64_t n, int p, double *g);
    /* g[i*ldg + j] += sum_r x_i[r] y_j[r]; upper != 0: what lies below the diagonal is not meant */
    void (*gram_rect)(const double *const *x, int p, const double *const *y, int q,
                      int64_t n, double *g, int64_t ldg, int upper);
    /* out = (x - shift) w; w NULL = 1 */
    void (*shift_scale)(const double *x, double shift, const double *w, double *out,
                        int64_t n);
    /* k_dd.c: double-double. r += a x, and sum x r; x_lo (NULL = 0) is the error term of x */
    void (*dd_axpy)(const double a[2], const double *x, const double *x_lo,
                    double *r_hi, double *r_lo, int64_t n);
    void (*dd_dot)(const double *x, const double *x_lo, const double *r_hi,
                   const double *r_lo, int64_t n, double out[2]);
    /* k_vmath.c: own functions, equal bits on every set; exp and log within 2 ulp */
    void (*vexp)(const double *x, double *out, int64_t n);
    void (*vlog)(const double *x, double *out, int64_t n);
    /* 1/(1+exp(-x)) */
    void (*vexpit)(const double *x, double *out, int64_t n);
    /* rows of k, in place */
    void (*vsoftmax)(double *z, int64_t n, int k);
    /* log(1 + exp(x)) */
    void (*vlogaddexp0)(const double *x, double *out, int64_t n);
    /* k_quantise.c: code = #{i: edge[i] < x} for sorted edges, NaN -> missing code.
     * u8: n_edge <= 254, missing 255. u16: n_edge <= 65534, missing 65535. */
    void (*quantise_u8)(const double *x, int64_t n, const double *edge, int n_edge,
                        uint8_t *out);
    /* quantise_u8 by the grid of the same edges. */
    void (*quantise_grid)(const struct simd_grid *grid, const double *x, int64_t n,
                          const double *edge, int n_edge, uint8_t *out);
    void (*quantise_u16)(const double *x, int64_t n, const double *edge, int n_edge,
                         uint16_t *out);
    /* k_tree_hist.c: the histogram kernel of trees.md 4. codes is row-major [n_rows][stride]
     * bytes, of which whole words of 8 are read; 1 <= n_lane <= TREE_HIST_LANES; ids NULL = rows
     * 0..n-1; gq[row] = g int16 << 16 | h uint16; hist is [n_lane][256] u64 cells
     * (g int32 << 32) + h uint32, at most 65,536 rows a call. is_far: the rows are not likely to
     * be in the L2 cache. */
#define TREE_HIST_LANES 16
    void (*tree_hist)(const uint8_t *codes, int64_t stride, int n_lane,
                      const uint32_t *ids, int64_t n, const uint32_t *gq, int is_far,
                      uint64_t *hist);
    /* Cells of histograms: difference and sum of n words (packed cells, or wide ones as two
     * words each); packed cells to wide ones, added (sign 1) or taken off (-1). */
    void (*tree_cells_sub)(uint64_t *to, const uint64_t *from, int64_t n);
    void (*tree_cells_add)(uint64_t *to, const uint64_t *from, int64_t n);
    void (*tree_cells_widen)(const uint64_t *packed, int64_t n, int sign,
                             int64_t *wide);
    /* k_tree_vector.c: as tree_hist with `width` (4 or 8) outputs, gq [n_rows][width], hist
     * [n_lane][256][width]. tree_scan_vector: cells [codes][width] (packed, or wide as pairs with
     * |g| < 2^51, h < 2^52); of the splits after code 0..n-1, with start (g [width], h [width]) on
     * the left from the start, gain[] gets c d^2 / (p r) of all outputs added, h_left[] the h of
     * the left side. */
    void (*tree_hist_vector)(const uint8_t *codes, int64_t stride, int n_lane,
                             const uint32_t *ids, int64_t n, const uint32_t *gq,
                             int width, uint64_t *hist);
    void (*tree_scan_vector)(const uint64_t *cells, int wide, int64_t n,
                             const struct simd_outputs *o, const int64_t *start,
                             float *gain, int64_t *h_left);
    /* k_tree_part.c: stable branch-free partition: rows with left[code[id]] (0 or 1) go to
     * out_left in order, the others to out_right; returns the number on the left. column: a
     * byte a row, and three bytes behind them that may be read. */
    int64_t (*tree_part)(const uint8_t *column, const uint32_t *ids, int64_t n,
                         const uint8_t left[256], uint32_t *out_left,
                         uint32_t *out_right);
    /* k_tree_rank.c: ranks of codes below n_from among themselves, in place if asked; returns
     * their number. seen [n_from / 32 + 1] all 0, and left so. tree_list: numbers of the cells
     * that are not 0, and the sums of all up to each, room for n both; returns how many, and
     * cells are 0 then. tree_gini: best[] is a fraction num / den; returns the cut behind
     * sum[0..n-1] that is least and below it, the first of equals, or -1. sum: weights of two
     * classes up to the cut, 32 bits each; s0, s1: those of the node; least: weight of a side. */
    uint32_t (*tree_rank)(const uint16_t *code, int64_t n, uint32_t n_from,
                          uint64_t *seen, uint16_t *rank);
    int64_t (*tree_list)(uint64_t *cell, int64_t n, uint16_t *code, uint64_t *sum);
    int64_t (*tree_gini)(const uint64_t *sum, int64_t n, int64_t s0, int64_t s1,
                         int64_t least, double best[2]);
    /* The same from a column at once; 1: found a better one, the first of equals. tree_cells:
     * from weights of codes 0..n-1, which are 0 then. tree_few: from at most SIMD_FEW rows of
     * at most SIMD_FEW_UNITS weight, or -1 where a set has no quick way for so many; two bytes
     * behind code[] may be read, ids[] and two[] up to SIMD_FEW entries. */
    int (*tree_cells)(uint32_t *cell, int64_t n, struct simd_cut *cut);
    int (*tree_few)(const uint16_t *code, const uint16_t *ids, const uint32_t *two,
                    int64_t n, struct simd_cut *cut);
    /* tree_span: x[i] = image[ids[i]] without NaN (ids NULL: x is there), the least of those
     * not -infinity (infinity without), the greatest, and whether one is -infinity.
     * tree_between: weights of two classes of the rows with floor <= x <= top, 32 bits each;
     * pay: weight << 1 | class. tree_part_few: at most SIMD_PART rows to both sides of a
     * split, left first; returns the number on the left: with floor <= image[id * step] <= top, or
     * without images with (uint16_t)(code[id] - sub) <= most. ids, pay: up to SIMD_PART may
     * be read, two bytes behind code[] too. */
    int (*tree_span)(const float *image, const uint16_t *ids, float *x, int64_t n,
                     float range[2]);
    uint64_t (*tree_between)(const float *x, const uint32_t *pay, int64_t n,
                             float floor, float top);
    int64_t (*tree_part_few)(const struct simd_part *side, uint16_t *ids, uint32_t *pay,
                             int64_t n);
    /* tree_ranges: a row's cells to x[simd_drawn_step(lanes) i + lane], least and greatest of
     * each column. tree_lefts: the sum of two[i] over rows with x <= top, a lane. Lanes
     * without a column hold anything. */
    void (*tree_ranges)(const struct simd_cells_of *of, const uint16_t *ids, int64_t n,
                        float *x, float low[SIMD_DRAWN], float high[SIMD_DRAWN]);
    void (*tree_lefts)(const float *x, const uint32_t *two, int64_t n, int lanes,
                       const float top[SIMD_DRAWN], uint32_t left[SIMD_DRAWN]);
    /* k_tree_scan.c: cells of a column (packed u64 or wide i64 pairs). The best of the splits
     * after code 0..n-1 by rank, with sum[] (g, h) on the left from the start; -1: none has
     * min_h on both sides. sum[] gets the winner's left side. Cells up to 256 may be read. */
    int64_t (*tree_scan)(const uint64_t *cells, int wide, int64_t n,
                         const struct simd_scan *node, int64_t sum[2]);
    /* Same arguments, packed cells. 0: no split has a rank d^2 / (p q) above `floor` (see there),
     * by sums that err by less than one part in 2^20 of those of the node. 1: one may have; where
     * looking takes as long as tree_scan, that is said of all. sum[] stays. */
    int (*tree_scan_may)(const uint64_t *cells, int64_t n, const struct simd_scan *node,
                         const int64_t sum[2], float floor);
    /* k_tree_grad.c: dither of rows id0 .. id0 + n - 1 */
    void (*tree_dither)(const struct simd_dither *d, int64_t id0, int64_t n,
                        uint32_t *out);
    /* The same of rows ids[0..n), in any order. */
    void (*tree_dither_ids)(const struct simd_dither *d, const int64_t *ids, int64_t n,
                            uint32_t *out);
    /* g = p - (k == 1) in units of 2^-30, h = p (1 - p) in units of 2^-32, p = expit(score) within
     * 1.2e-7; both 0 where k < 0. */
    void (*tree_logit)(const double *score, const int32_t *k, int64_t n, double *g,
                       double *h);
    /* tree_quantise of them with scales SIMD_LOGIT_G and SIMD_LOGIT_H, and u = 0 where k < 0 */
    void (*tree_logit_quantise)(const double *score, const int32_t *k,
                                const uint32_t *u, int64_t n, uint32_t *out,
                                int64_t sum[3]);
    /* k_pairs.c: place[i] = rows with a larger score, or as large a one and a smaller number */
    void (*rank_places)(const double *s, int64_t m, uint32_t *place);
    /* Pairs of the first `tops` places with those below: adds derivatives to g, h (as long as q's
     * arrays); returns the sum of the pairs' weights times the chance of their wrong order. */
    double (*rank_pairs)(const struct simd_pairs *q, int64_t tops, double *g,
                         double *h);
    /* z [k][n]: vsoftmax of score [n][k] */
    void (*tree_softmax)(const double *score, int64_t n, int k, double *z);
    /* g = p - (k == at), h = p (1 - p) up */
    void (*tree_softmax_grad)(const double *p, const int32_t *k, int64_t n, int at,
                              double up, double *g, double *h);
    /* out[i] = g int16 << 16 | h uint16, each floor(value * scale + dither); sum gains the sums
     * of |g| and h and the largest h. |g| g_scale <= 32,766, 0 <= h h_scale <= 65,534. */
    void (*tree_quantise)(const double *g, const double *h, const uint32_t *u,
                          int64_t n, double g_scale, double h_scale, uint32_t *out,
                          int64_t sum[3]);
    /* k_tree_scan.c: out[i] = gl^2/(hl + l2) + gr^2/(hr + l2) of the split with gl[i], hl[i] on
     * the left and the rest of (g, h) on the right, g after the soft threshold l1; -1 where a
     * side has less than min_h. Returns the first index of the largest (n >= 1). */
    int64_t (*tree_gain)(const double *gl, const double *hl, int64_t n,
                         const struct simd_split *split, double *out);
    /* Scoring of tree ensembles, simd/trees.h. k_code.c: codes of one feature; of one row, out[j]
     * from x[feature[j]] by e[j]. */
    void (*codes_u8)(const struct simd_edges *e, const double *x, int64_t n,
                     uint8_t *out);
    void (*codes_row)(const struct simd_edges *e, const uint32_t *feature, int32_t n,
                      const double *x, uint8_t *out);
    /* k_plane.c: adds the leaves of trees [t0, t1) for 64 rows, codes [columns][64], to sum
     * [outputs][64]; lines are room for one tree. */
    void (*plane)(const struct simd_plane *p, int32_t t0, int32_t t1,
                  const uint8_t *codes, uint8_t *lines, double *sum);
    /* k_lane.c: one row, codes [SIMD_LANE_COLUMNS]; adds to out [outputs] */
    void (*lane)(const struct simd_lane *p, const uint8_t *codes, double *out);
    /* k_walk.c: rows of codes [groups of 16][columns][16]; adds to out [n][outputs]. One
     * row: codes [columns]. */
    void (*walk_rows)(const struct simd_walk *w, const uint16_t *codes,
                      int32_t n_columns, int64_t n, double *out);
    void (*walk_row)(const struct simd_walk *w, const uint16_t *codes, double *out);
    /* k_shap.c: bit r of out: codes[r] <= thr; and a tree's part of contributions, added to
     * sum [groups][features][SIMD_SHAP_GROUP]. */
    void (*shap_bits)(const uint16_t *codes, uint16_t thr, int64_t words,
                      uint64_t *out);
    void (*shap_tree)(const struct simd_shap *s, int64_t groups, double *sum);
    /* k_csv.c: positions of structural bytes in a slab of n <= 2^31 bytes (padded by 64):
     * delimiters and newlines outside quotes, in order; room for n + 64. Returns the count.
     * seen->in_quote is the state before; text[0] begins a row when that is 0. */
    int64_t (*csv_index)(const char *text, int64_t n, char delim, char quote,
                         struct simd_csv *seen, uint32_t *pos);
    int64_t (*count_byte)(const char *text, int64_t n, char byte);
    /* A number that is another when the text is (not against intent). */
    uint64_t (*csv_print)(const char *text, int64_t n);
    /* k_csv_number.c: the cells that are plain numbers (integers), exactly; the rows of all
     * others go to `left` [n], whose number is returned. */
    int64_t (*csv_numbers)(const struct simd_cells *c, double *out, uint32_t *left);
    int64_t (*csv_integers)(const struct simd_cells *c, int64_t *out, uint32_t *left);
};
extern const struct simd_table simd_table_base;
extern const struct simd_table simd_table_avx2, simd_table_avx512;
struct tide_ctx;
/* The table in force for a context (NULL: the best this machine has). */
const struct simd_table *simd_get(const struct tide_ctx *ctx);
#endif
