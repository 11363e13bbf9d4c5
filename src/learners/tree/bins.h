/* bins.h - columns as byte codes: cuts, and the two layouts that training reads
 *
 * code = #{i: edge[i] < x} for numbers (0..254), the level's code for categories, 255 missing.
 * A lane is one feature with something to split on. Lanes that exclude each other share a byte
 * column, the others have one each (bundle.h). Features keep the view's order, which is
 * the byte order of names, so column order never enters a model; where row bytes are shared, the
 * columns of few codes come last among the lanes. Cuts come from the fit's own
 * rows; they and the codes are immutable. */
#ifndef LEARNERS_TREE_BINS_H
#define LEARNERS_TREE_BINS_H
#include "base/arena.h"
#include "frame/frame.h"

#define BIN_MISSING     255
#define BIN_BLOCK_LANES 64

struct simd_table;

struct bin_feature {
    uint8_t kind;   /* 0 number, 1 category */
    int32_t lane;   /* -1: one code for all rows of the fit */
    int32_t n_code; /* codes 0..n_code-1 without missing */
    int32_t n_edge;
    const double *edge;
    const struct simd_grid *grid; /* of the edges, or NULL */
    uint32_t n_level;
    const uint8_t *level_code; /* [n_level], 255: not among the fit's rows */
    uint32_t hash;             /* of the name, for draws */
    const uint8_t
        *codes; /* [n_rows], made elsewhere (target_stat.c); NULL: from values */
};
struct bin_cuts {
    int32_t n_features, n_lanes;
    int32_t n_few; /* lanes at the end, of few codes, that share bytes of row blocks */
    int share;     /* bin_how */
    struct bin_feature *feature;
    int32_t *lane_feature; /* [n_lanes] */
};
/* Which rows make the cuts. */
struct bin_how {
    int32_t max_codes; /* at most 255 */
    int64_t
        sample; /* above so many rows, about so many of them by Philox(seed, "bin", id) */
    uint64_t seed;
    int share;           /* columns of few codes share bytes of row blocks */
    const uint8_t *skip; /* [n_rows] 1: not a row of the fit; or NULL */
    /* [n_features] level codes to keep, of categories; NULL: codes are made from the rows */
    const uint8_t *const *level_code;
};
tide_status bins_cut(struct tide_ctx *ctx, const struct view *x,
                     const struct bin_how *how, struct arena *a, struct bin_cuts *out,
                     tide_error *err);
/* Upper bounds of equal-count bins over sorted values, midway between neighbours; returns the
 * number of edges (< max_codes). edge has room for max_codes. */
int32_t bins_edges(const double *sorted, int64_t n, int32_t max_codes, double *edge);

/* Numbers the features whose lane is not negative: in their order, with `share` first those of many
 * codes. lane_feature has room for them. */
void bins_number_lanes(struct bin_cuts *cuts);
/* A row of a block: one byte a lane, but the last n_joined lanes are digits of n_shared bytes. */
struct bin_block {
    uint8_t *rows; /* [n_rows][stride] */
    int32_t stride, first, n_lanes, n_joined, n_shared;
};
static inline int32_t bin_block_bytes(const struct bin_block *k)
{
    return k->n_lanes - k->n_joined + k->n_shared;
}
/* Of a lane that shares a byte: byte / unit % radix is its code, the last digit missing. */
struct bin_digit {
    uint16_t byte, unit,
        radix; /* byte of the block's row; radix 0: a byte of its own */
};
struct bundles;
struct bin_codes {
    int64_t n_rows;
    int32_t n_lanes, n_planes, n_blocks;
    struct bin_block *block; /* NULL where only columns were asked for */
    struct bin_digit *digit; /* [n_lanes], NULL: no block has joined lanes */
    uint8_t **plane;         /* [n_planes][n_rows] byte columns */
    /* which lanes share a byte column (bundle.h); NULL: none, plane l is that of lane l */
    const struct bundles *bundles;
};
/* Codes of a lane for rows [i0, i0 + n), at most 1,024. */
void bins_code_lane(const struct bin_cuts *cuts, const struct simd_table *simd,
                    const struct view *x, int32_t lane, int64_t i0, int64_t n,
                    uint8_t *to);
/* how: BIN_BLOCKS, row blocks too; BIN_APART, no lanes share a byte column. */
#define BIN_BLOCKS 1
#define BIN_APART  2
tide_status bins_code(struct tide_ctx *ctx, const struct bin_cuts *cuts,
                      const struct view *x, int how, struct arena *a,
                      struct bin_codes *out, tide_error *err);
#endif
