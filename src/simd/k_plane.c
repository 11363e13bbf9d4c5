/* k_plane.c - the leaf of 64 rows in each of many small trees, and their values added up
 *
 * Bottom up: a node's line is, row by row, the line of its left child where code <= thr and of
 * its right child elsewhere; leaves are constant lines. So a node costs one compare and one
 * blend for 64 rows, nothing branches, and the root's line holds the leaf of each row. The sum
 * of a row is f64 in tree order: the bits of a plain walk. */
#include "simd/simd.h"
#include "simd/trees.h"

#ifdef SIMD_IS_avx512
#include <immintrin.h>
#endif

void KERNEL(plane)(const struct simd_plane *p, int32_t t0, int32_t t1,
                   const uint8_t *codes, uint8_t *lines, double *sum);

#define ROWS 64

static void add_wide(const struct simd_plane *p, const struct simd_plane_tree *t,
                     const uint8_t *at, double *sum)
{
    for (int32_t k = 0; k < p->width; k++) {
        const double *leaf = p->leaf + (size_t)t->leaf * (size_t)p->width + k;
        for (int r = 0; r < ROWS; r++)
            sum[k * ROWS + r] += leaf[(size_t)at[r] * (size_t)p->width];
    }
}

#ifdef SIMD_IS_avx512

static inline __m512i line_of(const uint8_t *lines, uint32_t at)
{
    return _mm512_loadu_si512(lines + (size_t)at * ROWS);
}

/* Leaf values of at most 32 leaves: two tables of 16 in registers. */
static inline void add_few(const double *leaf, __m512i at, double *sum)
{
    const __m512d t0 = _mm512_loadu_pd(leaf), t1 = _mm512_loadu_pd(leaf + 8);
    const __m512d t2 = _mm512_loadu_pd(leaf + 16), t3 = _mm512_loadu_pd(leaf + 24);
    uint64_t high = _mm512_movepi8_mask(_mm512_slli_epi16(at, 3)); /* bit 4 */
    uint8_t bytes[ROWS] __attribute__((aligned(64)));
    _mm512_store_si512(bytes, at);
    for (int g = 0; g < 8; g++) {
        __m512i q =
            _mm512_cvtepu8_epi64(_mm_loadl_epi64((const void *)(bytes + 8 * g)));
        __m512d a = _mm512_permutex2var_pd(t0, q, t1);
        __m512d b = _mm512_permutex2var_pd(t2, q, t3);
        a = _mm512_mask_mov_pd(a, (__mmask8)(high >> (8 * g)), b);
        _mm512_storeu_pd(sum + 8 * g, _mm512_add_pd(_mm512_loadu_pd(sum + 8 * g), a));
    }
}

static inline void add_many(const double *leaf, __m512i at, double *sum)
{
    uint8_t bytes[ROWS] __attribute__((aligned(64)));
    _mm512_store_si512(bytes, at);
    for (int r = 0; r < ROWS; r++) sum[r] += leaf[bytes[r]];
}

void KERNEL(plane)(const struct simd_plane *p, int32_t t0, int32_t t1,
                   const uint8_t *codes, uint8_t *lines, double *sum)
{
    for (int32_t t = t0; t < t1; t++) {
        const struct simd_plane_tree *tree = &p->tree[t];
        const struct simd_plane_node *node = p->node + tree->node;
        uint8_t *own = lines + (size_t)p->first_node * ROWS;
        __m512i at = _mm512_setzero_si512();
        for (int32_t i = (int32_t)tree->n_nodes - 1; i >= 0; i--) {
            __m512i thr = _mm512_set1_epi32((int32_t)node[i].thr4);
            __mmask64 go = _mm512_cmple_epu8_mask(line_of(codes, node[i].column), thr);
            at = _mm512_mask_blend_epi8(go, line_of(lines, node[i].right),
                                        line_of(lines, node[i].left));
            _mm512_storeu_si512(own + (size_t)i * ROWS, at);
        }
        if (p->width > 1) {
            uint8_t bytes[ROWS] __attribute__((aligned(64)));
            _mm512_store_si512(bytes, at);
            add_wide(p, tree, bytes, sum);
        } else if (tree->n_leaves <= 32) {
            add_few(p->leaf + tree->leaf, at, sum + (size_t)tree->output * ROWS);
        } else {
            add_many(p->leaf + tree->leaf, at, sum + (size_t)tree->output * ROWS);
        }
    }
}

#else

/* gcc does not find bytes to blend in a plain loop, so the vector is written out. */
#ifdef SIMD_IS_avx2
#define BYTES 32
#else
#define BYTES 16
#endif
typedef uint8_t vec __attribute__((vector_size(BYTES), aligned(1), may_alias));

static inline void choose(const uint8_t *code, uint8_t thr, const uint8_t *left,
                          const uint8_t *right, uint8_t *out)
{
    const vec most = (vec){0} + thr;
    for (int r = 0; r < ROWS; r += BYTES) {
        vec go = (vec)(*(const vec *)(code + r) <= most);
        *(vec *)(out + r) =
            (go & *(const vec *)(left + r)) | (~go & *(const vec *)(right + r));
    }
}

void KERNEL(plane)(const struct simd_plane *p, int32_t t0, int32_t t1,
                   const uint8_t *codes, uint8_t *lines, double *sum)
{
    for (int32_t t = t0; t < t1; t++) {
        const struct simd_plane_tree *tree = &p->tree[t];
        const struct simd_plane_node *node = p->node + tree->node;
        uint8_t *own = lines + (size_t)p->first_node * ROWS;
        for (int32_t i = (int32_t)tree->n_nodes - 1; i >= 0; i--)
            choose(codes + (size_t)node[i].column * ROWS, (uint8_t)node[i].thr4,
                   lines + (size_t)node[i].left * ROWS,
                   lines + (size_t)node[i].right * ROWS, own + (size_t)i * ROWS);
        const uint8_t *at = tree->n_nodes ? own : lines; /* a lone leaf is leaf 0 */
        if (p->width > 1) {
            add_wide(p, tree, at, sum);
            continue;
        }
        const double *leaf = p->leaf + tree->leaf;
        double *to = sum + (size_t)tree->output * ROWS;
        for (int r = 0; r < ROWS; r++) to[r] += leaf[at[r]];
    }
}

#endif
