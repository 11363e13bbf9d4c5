/* engine.h - inside of infer/: what a loaded ensemble is scored with
 *
 * All engines read derived code columns and know only code <= thr. plane takes batches through
 * small trees, lane one row through small trees, walk both through any tree; each gives the
 * bits of the plain walk over the unpacked arrays: base, then leaves in tree order, in f64. */
#ifndef INFER_ENGINE_H
#define INFER_ENGINE_H
#include "infer/ensemble.h"
#include "simd/simd.h"
#include "simd/trees.h"

enum column_kind { COLUMN_PLAIN, COLUMN_MAP, COLUMN_LEFT, COLUMN_SET, COLUMN_KINDS };
/* How a map row can be stored. */
int ensemble_map_kind(const uint8_t *map);

/* One derived column that some node tests. */
struct engine_column {
    uint32_t feature;
    uint8_t kind;       /* COLUMN_PLAIN, COLUMN_LEFT: missing counts as 0, COLUMN_MAP */
    const uint8_t *map; /* [256] */
};
struct ensemble_engine {
    const struct ensemble *e;
    int32_t n_columns; /* derived columns in use, in groups of one feature */
    const struct engine_column *column;
    const uint32_t *of_node; /* [nodes] number of the node's column */
    int32_t n_used;          /* features in use */
    const uint32_t *used;
    const uint32_t *first; /* [n_used + 1] first column of used[i] */
    /* used numbers of at most 254 edges come first in `used` */
    int32_t n_narrow;
    const struct simd_edges *edges; /* [n_narrow] */
    int is_narrow;                  /* every code fits a byte */
    int has_maps;                   /* some column is COLUMN_MAP */
    const struct simd_plane *plane; /* NULL: not offered */
    const struct simd_lane *lane;
    const struct simd_walk *walk;
};
/* NULL with the arena failed. What the ensemble's shape does not allow is not offered. */
const struct ensemble_engine *engine_new(const struct ensemble *e, struct arena *a);
/* Each leaves *out NULL where the shape does not fit, and fails only with the arena. */
void engine_plane_new(const struct ensemble_engine *g, struct arena *a,
                      const struct simd_plane **out);
void engine_lane_new(const struct ensemble_engine *g, struct arena *a,
                     const struct simd_lane **out);
/* Is a row faster by lanes than by a walk, where so many positions a tree take as long? */
int engine_lane_pays(const struct ensemble_engine *g, int positions);
void engine_walk_new(const struct ensemble_engine *g, struct arena *a,
                     const struct simd_walk **out);

enum engine_kind { ENGINE_AUTO, ENGINE_PLANE, ENGINE_LANE, ENGINE_WALK, ENGINE_PLAIN };
/* ensemble_margin with a kernel set and an engine (tests; AUTO chooses by shape and n). One
 * that is not offered is ENGINE_PLAIN. */
tide_status engine_margin(const struct ensemble *e, const struct simd_table *simd,
                          enum engine_kind kind, const struct view *x, int64_t i0,
                          int64_t n, double *out, tide_error *err);
/* ensemble_row with a kernel set and an engine. */
void engine_row(const struct ensemble *e, const struct simd_table *simd,
                enum engine_kind kind, const double *x, double *out);
/* The engine that takes a batch of n rows (1: a single row by ensemble_row). */
enum engine_kind engine_choice(const struct ensemble *e, const struct simd_table *simd,
                               int64_t n);
/* Codes of view rows as simd->walk_rows takes them, at most 4096: groups of 16. */
void engine_walk_codes(const struct ensemble_engine *g, const struct simd_table *simd,
                       const struct view *x, int64_t i0, int64_t n, uint16_t *codes);
/* The same for linear leaves, by walks that number the leaves; the engine offers a walk. codes:
 * those of the row's columns. */
tide_status engine_linear_margin(const struct ensemble *e,
                                 const struct simd_table *simd, const struct view *x,
                                 int64_t i0, int64_t n, double *out, tide_error *err);
void engine_linear_row(const struct ensemble *e, const struct simd_table *simd,
                       const uint16_t *codes, const double *x, double *out);
void ensemble_save_linear(const struct ensemble *e, struct state *s);
/* Base codes of view rows: u8 (255 missing; narrow features only) or u16 (65535). */
void engine_codes_u8(const struct ensemble *e, const struct simd_table *simd,
                     const struct simd_edges *edges, const struct view *x, int32_t f,
                     int64_t i0, int64_t n, uint8_t *out);
void engine_codes_u16(const struct ensemble *e, const struct simd_table *simd,
                      const struct view *x, int32_t f, int64_t i0, int64_t n,
                      uint16_t *out);
/* The base code of feature f in a row x of the columns, 65535 missing; a category's value is its
 * level. */
uint16_t engine_code(const struct ensemble *e, int32_t f, const double *x);
/* Derived codes of a block: from base codes of a column's feature. */
void engine_derive_u8(const struct engine_column *c, const uint8_t *base, int64_t n,
                      uint8_t *out);
void engine_derive_u16(const struct engine_column *c, const uint16_t *base, int64_t n,
                       uint16_t *out);
#define ENGINE_BLOCK 1024 /* rows that engine_codes_* take at most */
#endif
