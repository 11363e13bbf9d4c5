/* k_table.c - the table of one instruction set: every kernel of simd.h under its own name */
#include "simd/simd.h"
#include "simd/trees.h"

double KERNEL(sum)(const double *, int64_t);
double KERNEL(dot)(const double *, const double *, int64_t);
double KERNEL(dot3)(const double *, const double *, const double *, int64_t);
void KERNEL(axpy)(double, const double *, double *, int64_t);
void KERNEL(gram)(const double *const *, const double *, int64_t, int, double *);
void KERNEL(gram_rect)(const double *const *, int, const double *const *, int, int64_t,
                       double *, int64_t, int);
void KERNEL(shift_scale)(const double *, double, const double *, double *, int64_t);
void KERNEL(dd_axpy)(const double[2], const double *, const double *, double *,
                     double *, int64_t);
void KERNEL(dd_dot)(const double *, const double *, const double *, const double *,
                    int64_t, double[2]);
void KERNEL(vexp)(const double *, double *, int64_t);
void KERNEL(vlog)(const double *, double *, int64_t);
void KERNEL(vexpit)(const double *, double *, int64_t);
void KERNEL(vsoftmax)(double *, int64_t, int);
void KERNEL(vlogaddexp0)(const double *, double *, int64_t);
void KERNEL(quantise_u8)(const double *, int64_t, const double *, int, uint8_t *);
void KERNEL(quantise_grid)(const struct simd_grid *, const double *, int64_t,
                           const double *, int, uint8_t *);
void KERNEL(quantise_u16)(const double *, int64_t, const double *, int, uint16_t *);
void KERNEL(tree_hist)(const uint8_t *, int64_t, int, const uint32_t *, int64_t,
                       const uint32_t *, int, uint64_t *);
void KERNEL(tree_hist_vector)(const uint8_t *, int64_t, int, const uint32_t *, int64_t,
                              const uint32_t *, int, uint64_t *);
void KERNEL(tree_scan_vector)(const uint64_t *, int, int64_t,
                              const struct simd_outputs *, const int64_t *, float *,
                              int64_t *);
int64_t KERNEL(tree_part)(const uint8_t *, const uint32_t *, int64_t,
                          const uint8_t[256], uint32_t *, uint32_t *);
uint32_t KERNEL(tree_rank)(const uint16_t *, int64_t, uint32_t, uint64_t *, uint16_t *);
int64_t KERNEL(tree_list)(uint64_t *, int64_t, uint16_t *, uint64_t *);
int64_t KERNEL(tree_gini)(const uint64_t *, int64_t, int64_t, int64_t, int64_t,
                          double[2]);
int KERNEL(tree_cells)(uint32_t *, int64_t, struct simd_cut *);
int KERNEL(tree_few)(const uint16_t *, const uint16_t *, const uint32_t *, int64_t,
                     struct simd_cut *);
int KERNEL(tree_span)(const float *, const uint16_t *, float *, int64_t, float[2]);
int64_t KERNEL(tree_part_few)(const struct simd_part *, uint16_t *, uint32_t *,
                              int64_t);
uint64_t KERNEL(tree_between)(const float *, const uint32_t *, int64_t, float, float);
void KERNEL(tree_ranges)(const struct simd_cells_of *, const uint16_t *, int64_t,
                         float *, float[SIMD_DRAWN], float[SIMD_DRAWN]);
void KERNEL(tree_lefts)(const float *, const uint32_t *, int64_t, int,
                        const float[SIMD_DRAWN], uint32_t[SIMD_DRAWN]);
void KERNEL(tree_cells_sub)(uint64_t *, const uint64_t *, int64_t);
void KERNEL(tree_cells_add)(uint64_t *, const uint64_t *, int64_t);
void KERNEL(tree_cells_widen)(const uint64_t *, int64_t, int, int64_t *);
void KERNEL(tree_logit)(const double *, const int32_t *, int64_t, double *, double *);
void KERNEL(tree_logit_quantise)(const double *, const int32_t *, const uint32_t *,
                                 int64_t, uint32_t *, int64_t[3]);
void KERNEL(rank_places)(const double *, int64_t, uint32_t *);
double KERNEL(rank_pairs)(const struct simd_pairs *, int64_t, double *, double *);
void KERNEL(tree_softmax)(const double *, int64_t, int, double *);
void KERNEL(tree_softmax_grad)(const double *, const int32_t *, int64_t, int, double,
                               double *, double *);
int64_t KERNEL(tree_scan)(const uint64_t *, int, int64_t, const struct simd_scan *,
                          int64_t[2]);
int KERNEL(tree_scan_may)(const uint64_t *, int64_t, const struct simd_scan *,
                          const int64_t[2], float);
void KERNEL(tree_dither)(const struct simd_dither *, int64_t, int64_t, uint32_t *);
void KERNEL(tree_dither_ids)(const struct simd_dither *, const int64_t *, int64_t,
                             uint32_t *);
void KERNEL(tree_quantise)(const double *, const double *, const uint32_t *, int64_t,
                           double, double, uint32_t *, int64_t[3]);
int64_t KERNEL(tree_gain)(const double *, const double *, int64_t,
                          const struct simd_split *, double *);
int64_t KERNEL(csv_index)(const char *, int64_t, char, char, struct simd_csv *,
                          uint32_t *);
uint64_t KERNEL(csv_print)(const char *, int64_t);
int64_t KERNEL(csv_numbers)(const struct simd_cells *, double *, uint32_t *);
int64_t KERNEL(csv_integers)(const struct simd_cells *, int64_t *, uint32_t *);
void KERNEL(codes_u8)(const struct simd_edges *, const double *, int64_t, uint8_t *);
void KERNEL(codes_row)(const struct simd_edges *, const uint32_t *, int32_t,
                       const double *, uint8_t *);
void KERNEL(plane)(const struct simd_plane *, int32_t, int32_t, const uint8_t *,
                   uint8_t *, double *);
void KERNEL(lane)(const struct simd_lane *, const uint8_t *, double *);
void KERNEL(walk_rows)(const struct simd_walk *, const uint16_t *, int32_t, int64_t,
                       double *);
void KERNEL(walk_row)(const struct simd_walk *, const uint16_t *, double *);
void KERNEL(shap_bits)(const uint16_t *, uint16_t, int64_t, uint64_t *);
void KERNEL(shap_tree)(const struct simd_shap *, int64_t, double *);
int64_t KERNEL(count_byte)(const char *, int64_t, char);

#if defined(SIMD_IS_avx512)
#define LANE_POSITIONS 16
#elif defined(SIMD_IS_avx2)
#define LANE_POSITIONS 8
#else
#define LANE_POSITIONS 0
#endif
#define TEXT2(x) #x
#define TEXT(x)  TEXT2(x)

const struct simd_table SIMD_CAT(simd_table, SIMD_SET) = {
    .name = TEXT(SIMD_SET),
    .lane_positions = LANE_POSITIONS,
    .sum = KERNEL(sum),
    .dot = KERNEL(dot),
    .dot3 = KERNEL(dot3),
    .axpy = KERNEL(axpy),
    .gram = KERNEL(gram),
    .gram_rect = KERNEL(gram_rect),
    .shift_scale = KERNEL(shift_scale),
    .dd_axpy = KERNEL(dd_axpy),
    .dd_dot = KERNEL(dd_dot),
    .vexp = KERNEL(vexp),
    .vlog = KERNEL(vlog),
    .vexpit = KERNEL(vexpit),
    .vsoftmax = KERNEL(vsoftmax),
    .vlogaddexp0 = KERNEL(vlogaddexp0),
    .quantise_u8 = KERNEL(quantise_u8),
    .quantise_grid = KERNEL(quantise_grid),
    .quantise_u16 = KERNEL(quantise_u16),
    .tree_hist = KERNEL(tree_hist),
    .tree_hist_vector = KERNEL(tree_hist_vector),
    .tree_scan_vector = KERNEL(tree_scan_vector),
    .tree_part = KERNEL(tree_part),
    .tree_rank = KERNEL(tree_rank),
    .tree_list = KERNEL(tree_list),
    .tree_gini = KERNEL(tree_gini),
    .tree_cells = KERNEL(tree_cells),
    .tree_few = KERNEL(tree_few),
    .tree_span = KERNEL(tree_span),
    .tree_part_few = KERNEL(tree_part_few),
    .tree_between = KERNEL(tree_between),
    .tree_ranges = KERNEL(tree_ranges),
    .tree_lefts = KERNEL(tree_lefts),
    .tree_cells_sub = KERNEL(tree_cells_sub),
    .tree_cells_add = KERNEL(tree_cells_add),
    .tree_cells_widen = KERNEL(tree_cells_widen),
    .tree_logit = KERNEL(tree_logit),
    .tree_logit_quantise = KERNEL(tree_logit_quantise),
    .rank_places = KERNEL(rank_places),
    .rank_pairs = KERNEL(rank_pairs),
    .tree_softmax = KERNEL(tree_softmax),
    .tree_softmax_grad = KERNEL(tree_softmax_grad),
    .tree_scan = KERNEL(tree_scan),
    .tree_scan_may = KERNEL(tree_scan_may),
    .tree_dither = KERNEL(tree_dither),
    .tree_dither_ids = KERNEL(tree_dither_ids),
    .tree_quantise = KERNEL(tree_quantise),
    .tree_gain = KERNEL(tree_gain),
    .codes_u8 = KERNEL(codes_u8),
    .codes_row = KERNEL(codes_row),
    .plane = KERNEL(plane),
    .lane = KERNEL(lane),
    .walk_rows = KERNEL(walk_rows),
    .walk_row = KERNEL(walk_row),
    .shap_bits = KERNEL(shap_bits),
    .shap_tree = KERNEL(shap_tree),
    .csv_index = KERNEL(csv_index),
    .count_byte = KERNEL(count_byte),
    .csv_print = KERNEL(csv_print),
    .csv_numbers = KERNEL(csv_numbers),
    .csv_integers = KERNEL(csv_integers),
};
