/* bundle.h - lanes that share a byte column (trees.md 3, exclusive bundles)
 *
 * Lanes of which no two have an unusual code in the same row lie in one byte column: code 0 where
 * all of them have their usual one, else `first` of the lane plus the number of its code among
 * the unusual ones. Histograms and partitions work on byte columns; before a scan a lane's cells
 * are taken out of its column's, those of the usual code as the rest of the node. No sum, and so
 * no tree, depends on what shares a column. */
#ifndef LEARNERS_TREE_BUNDLE_H
#define LEARNERS_TREE_BUNDLE_H
#include "learners/tree/bins.h"

struct bundle_lane {
    int32_t plane;
    int16_t first;  /* of its codes in the byte column; 0: the column is its own */
    int16_t usual;  /* number of the code without one there */
    int16_t n;      /* codes, missing as the last if some row has it */
    int16_t n_code; /* without missing */
};
struct bundles {
    struct bundle_lane *lane; /* [n_lanes] */
    int32_t *lanes;           /* [n_lanes] in the order of their byte columns */
    int32_t *start;           /* [n_planes + 1] where a column's lanes begin in it */
    int16_t *n_code;          /* [n_planes] codes below 255 */
};

/* Looks for lanes to share a byte column, unless apart, and codes them; to[lane] is NULL for those.
 * Sets n_planes, plane and bundles of out; other columns are allocated, not filled: to[lane]. */
tide_status bundle_make(struct tide_ctx *ctx, const struct bin_cuts *cuts,
                        const struct view *x, int apart, struct arena *a,
                        struct bin_codes *out, uint8_t **to, tide_error *err);

/* Codes below 255 of a byte column. */
static inline int32_t bundle_codes(const struct bin_codes *codes,
                                   const struct bin_cuts *cuts, int32_t plane)
{
    return codes->bundles ? codes->bundles->n_code[plane]
                          : cuts->feature[cuts->lane_feature[plane]].n_code;
}
/* Lanes of byte columns [p0, p1) are bundle_nth(i) for i from bundle_from(p0) to bundle_from(p1). */
static inline int32_t bundle_from(const struct bin_codes *codes, int32_t plane)
{
    return codes->bundles ? codes->bundles->start[plane] : plane;
}
static inline int32_t bundle_nth(const struct bin_codes *codes, int32_t i)
{
    return codes->bundles ? codes->bundles->lanes[i] : i;
}
/* A lane's cells of a histogram, as if the lane had a column of its own. g, h: sums of the node.
 * room: used where the column is shared. */
const uint64_t *bundle_cells(const struct bin_codes *codes, int32_t lane,
                             const uint64_t *hist, int wide, int64_t g, int64_t h,
                             uint64_t room[512]);
/* The byte column of a lane; left, by the lane's codes, becomes one by the column's. */
const uint8_t *bundle_table(const struct bin_codes *codes, int32_t lane,
                            uint8_t left[256]);
/* Rows a code of a lane, from those of its column among n rows; in place. */
void bundle_counts(const struct bin_codes *codes, int32_t lane, uint32_t n,
                   uint32_t count[256]);
static inline const uint8_t *bundle_plane(const struct bin_codes *codes, int32_t lane)
{
    return codes->plane[codes->bundles ? codes->bundles->lane[lane].plane : lane];
}
#endif
