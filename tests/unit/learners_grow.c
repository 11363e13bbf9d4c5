/* learners_grow.c - one tree: every split's children add up, threads and sets change nothing */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/ctx.h"
#include "base/rng.h"
#include "learners/tree/grow.h"
#include "support/unit.h"

static uint32_t draw(int64_t i, uint32_t j)
{
    return rng_at(rng_key(3, "learners_grow"), i, j, 0).w[0];
}

/* Codes of numbers and one category, and gradients; nothing but memory. */
struct field {
    tide_ctx *ctx;
    struct arena a;
    struct bin_cuts cuts;
    struct bin_codes codes;
    struct grow_rules rules;
    struct grow_grad grad;
    uint32_t *rows, *packed;
    int32_t *fine_g;
    uint32_t *fine_h;
};

static void field_init(struct field *f, int64_t n, int32_t lanes, int threads)
{
    *f = (struct field){.rules = {.leaves = 31,
                                  .min_rows = 1,
                                  .l2 = 1,
                                  .cat_smooth = 10,
                                  .cat_l2 = 10,
                                  .cat_sides = 32,
                                  .cat_alone = 4,
                                  .cat_split = CAT_SETS}};
    CHECK_INT(tide_ctx_new(&f->ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(f->ctx, threads, NULL), TIDE_OK);
    arena_init(&f->a, f->ctx);
    int32_t blocks = (lanes + BIN_BLOCK_LANES - 1) / BIN_BLOCK_LANES;
    f->cuts = (struct bin_cuts){.n_features = lanes, .n_lanes = lanes};
    f->cuts.feature = arena_zero(&f->a, (size_t)lanes * sizeof *f->cuts.feature);
    f->cuts.lane_feature = arena_array(&f->a, lanes, sizeof(int32_t));
    f->codes = (struct bin_codes){
        .n_rows = n, .n_lanes = lanes, .n_planes = lanes, .n_blocks = blocks};
    f->codes.plane = arena_array(&f->a, lanes, sizeof *f->codes.plane);
    f->codes.block = arena_zero(&f->a, (size_t)blocks * sizeof *f->codes.block);
    f->rows = arena_array(&f->a, n + 64, sizeof *f->rows);
    f->packed = arena_array(&f->a, n + 64, sizeof *f->packed);
    f->fine_g = arena_array(&f->a, n + 64, sizeof *f->fine_g);
    f->fine_h = arena_array(&f->a, n + 64, sizeof *f->fine_h);
    for (int32_t b = 0; b < blocks; b++) {
        struct bin_block *k = &f->codes.block[b];
        k->first = b * BIN_BLOCK_LANES;
        k->n_lanes = lanes - k->first < 64 ? lanes - k->first : 64;
        k->stride = k->n_lanes <= 8    ? 8
                    : k->n_lanes <= 16 ? 16
                    : k->n_lanes <= 32 ? 32
                                       : 64;
        k->rows = arena_zero(&f->a, (size_t)n * (size_t)k->stride + 64);
    }
    for (int32_t l = 0; l < lanes; l++) {
        struct bin_feature *q = &f->cuts.feature[l];
        *q = (struct bin_feature){.kind = l == 1, .lane = l};
        q->n_code = l == 0 ? 255 : 2 + (int32_t)(draw(l, 1) % 60);
        f->cuts.lane_feature[l] = l;
        f->codes.plane[l] = arena_array(&f->a, n + 64, 1);
        struct bin_block *k = &f->codes.block[l / BIN_BLOCK_LANES];
        for (int64_t i = 0; i < n; i++) {
            uint32_t u = draw(i, (uint32_t)l + 2);
            uint8_t c =
                (uint8_t)(u % 16 == 0 && l ? 255 : (u >> 8) % (uint32_t)q->n_code);
            f->codes.plane[l][i] = c;
            k->rows[i * k->stride + l - k->first] = c;
        }
    }
    for (int64_t i = 0; i < n; i++) f->rows[i] = (uint32_t)i;
}

/* Gradients of tree `t` that have to do with the first two lanes. */
static void field_draw(struct field *f, int64_t t)
{
    f->grad =
        (struct grow_grad){.packed = f->packed, .g_unit = 0x1p-15, .h_unit = 0x1p-16};
    for (int64_t i = 0; i < f->codes.n_rows; i++) {
        uint32_t u = draw(i, (uint32_t)t + 1000);
        int32_t g = (int32_t)(u % 40001) - 20000 + 40 * (f->codes.plane[0][i] & 31);
        uint32_t h = 1 + (u >> 16) % 60000;
        f->packed[i] = (uint32_t)g << 16 | h;
        f->fine_g[i] = g * 1000;
        f->fine_h[i] = h * 1000;
        f->grad.h_most = h > f->grad.h_most ? h : f->grad.h_most;
    }
}

static void field_free(struct field *f)
{
    arena_free(&f->a);
    tide_ctx_free(f->ctx);
}

static struct grow *grow_of(struct field *f, int threads)
{
    struct grow *g = NULL;
    CHECK_INT(grow_new(f->ctx, &f->cuts, &f->codes, &f->rules, f->codes.n_rows, threads,
                       &f->a, &g, NULL),
              TIDE_OK);
    return g;
}

/* Leaves have the sums of their rows, inner nodes the sums and rows of their children. */
static int64_t wrong_sums(const struct grow *g, const struct field *f)
{
    int64_t wrong = 0, rows = 0;
    for (int32_t i = 0; i < g->n_nodes; i++) {
        const struct grow_node *q = &g->node[i];
        if (q->left >= 0) {
            const struct grow_node *l = &g->node[q->left], *r = &g->node[q->right];
            wrong += l->g + r->g != q->g || l->h + r->h != q->h || l->n + r->n != q->n;
            wrong += l->n == 0 || r->n == 0 || l->beg != q->beg;
            continue;
        }
        int64_t sum_g = 0, sum_h = 0;
        for (uint32_t j = 0; j < q->n; j++) {
            uint32_t id = g->ids[q->beg + j];
            sum_g += f->grad.fine_g ? f->fine_g[id] : (int32_t)f->packed[id] >> 16;
            sum_h += f->grad.fine_g ? f->fine_h[id] : f->packed[id] & 0xffff;
        }
        rows += q->n;
        wrong += sum_g != q->g || sum_h != q->h;
    }
    return wrong + (rows != f->codes.n_rows);
}

/* 10^6 splits each of packed cells and of wide ones, of some 20,000 draws of gradients and many shapes;
 * debug builds check every histogram, too. */
static void add_up_over_a_million(int fine)
{
    int64_t splits = 0, wrong = 0;
    for (int64_t shape = 0; splits < 1000000 && shape < 400; shape++) {
        struct field f;
        int64_t n = 30 + draw(shape, 20) % 1200;
        field_init(&f, n, 1 + (int32_t)(draw(shape, 21) % 6), 1);
        f.rules.leaves = (int32_t)n;
        f.rules.l2 = draw(shape, 22) % 3;
        struct grow *g = grow_of(&f, 1);
        field_draw(&f, shape);
        if (fine) {
            f.grad.fine_g = f.fine_g;
            f.grad.fine_h = f.fine_h;
            f.grad.h_most *= 1000;
        }
        for (int t = 0; t < 50; t++) {
            /* other gradients for the same rows: each row takes those of another one */
            uint32_t last = f.packed[n - 1], last_h = f.fine_h[n - 1];
            int32_t last_g = f.fine_g[n - 1];
            memmove(f.packed + 1, f.packed, (size_t)(n - 1) * sizeof *f.packed);
            memmove(f.fine_g + 1, f.fine_g, (size_t)(n - 1) * sizeof *f.fine_g);
            memmove(f.fine_h + 1, f.fine_h, (size_t)(n - 1) * sizeof *f.fine_h);
            f.packed[0] = last;
            f.fine_g[0] = last_g;
            f.fine_h[0] = last_h;
            CHECK_INT(grow_tree(g, &f.grad, f.rows, n, NULL), TIDE_OK);
            splits += g->n_leaves - 1;
            wrong += wrong_sums(g, &f);
        }
        field_free(&f);
    }
    CHECK_MSG(splits >= 1000000, "%lld splits", (long long)splits);
    CHECK_INT(wrong, 0);
}

TEST(children_add_up_over_a_million_splits)
{
    add_up_over_a_million(0);
}

TEST(children_of_wide_cells_add_up_over_a_million_splits)
{
    add_up_over_a_million(1);
}

static int same_tree(const struct grow *a, const struct grow *b)
{
    if (a->n_nodes != b->n_nodes) return 0;
    for (int32_t i = 0; i < a->n_nodes; i++) {
        const struct grow_node *p = &a->node[i], *q = &b->node[i];
        if (p->n != q->n || p->left != q->left || p->g != q->g || p->h != q->h ||
            p->depth != q->depth)
            return 0;
        if (p->left >= 0 &&
            (p->split.lane != q->split.lane || p->split.thr != q->split.thr ||
             p->split.gain != q->split.gain ||
             p->split.missing_left != q->split.missing_left ||
             memcmp(p->split.bits, q->split.bits, sizeof p->split.bits)))
            return 0;
    }
    return 1;
}

TEST(threads_and_sets_grow_the_same_tree)
{
    static const int64_t rows[5] = {2, 900, 6000, 40000, 150000};
    static const int threads[5] = {2, 3, 7, 16, 1};
    for (int n = 0; n < 5; n++)
        for (int fine = 0; fine < 2; fine++) {
            struct field f;
            field_init(&f, rows[n], n == 2 ? 70 : 6, 16);
            f.rules.leaves = 100;
            f.rules.min_rows = n % 2 ? 3 : 1;
            field_draw(&f, n);
            if (fine) {
                f.grad.fine_g = f.fine_g;
                f.grad.fine_h = f.fine_h;
                f.grad.h_most *= 1000;
            }
            struct grow *one = grow_of(&f, 1);
            CHECK_INT(grow_tree(one, &f.grad, f.rows, rows[n], NULL), TIDE_OK);
            CHECK_INT(wrong_sums(one, &f), 0);
            for (int v = 0; v < 5; v++) {
                struct grow *g = grow_of(&f, threads[v]);
                if (v >= 3) g->simd = &simd_table_base;
                /* small trees: by a team, by one member, by what was quicker */
                for (int again = 0; again < (n == 2 ? 10 : 2); again++) {
                    CHECK_INT(grow_tree(g, &f.grad, f.rows, rows[n], NULL), TIDE_OK);
                    CHECK_MSG(same_tree(one, g), "%lld rows, %d threads: another tree",
                              (long long)rows[n], threads[v]);
                    CHECK_INT(wrong_sums(g, &f), 0);
                }
            }
            field_free(&f);
        }
}

/* Leaves that can never be split are not searched to the end: which they are depends on how many
 * leaves are still to come, but no split that is made does. */
TEST(a_tree_of_fewer_leaves_is_the_beginning_of_one_of_more)
{
    for (int64_t shape = 0; shape < 30; shape++) {
        struct field f;
        int64_t n = 200 + draw(shape, 30) % 8000;
        int32_t leaves = 2 + (int32_t)(draw(shape, 31) % 60);
        field_init(&f, n, 2 + (int32_t)(draw(shape, 32) % 30), 2);
        f.rules.min_rows = 1 + shape % 3 * 4;
        field_draw(&f, shape);
        f.rules.leaves = 5000; /* above the most for which gains are kept */
        struct grow *whole = grow_of(&f, 1);
        whole->simd = &simd_table_base;
        CHECK_INT(grow_tree(whole, &f.grad, f.rows, n, NULL), TIDE_OK);
        for (int threads = 1; threads < 3; threads++) {
            f.rules.leaves = leaves;
            struct grow *g = grow_of(&f, threads);
            CHECK_INT(grow_tree(g, &f.grad, f.rows, n, NULL), TIDE_OK);
            CHECK_INT(g->n_leaves, leaves < whole->n_leaves ? leaves : whole->n_leaves);
            for (int32_t i = 0; i < g->n_nodes;
                 i++) { /* leaves later on are leaves now */
                struct grow_node *q = &whole->node[i];
                if (q->left >= g->n_nodes) q->left = q->right = -1;
            }
            whole->n_nodes = g->n_nodes;
            CHECK(same_tree(whole, g));
        }
        field_free(&f);
    }
}

/* ------------------------------------------------------------- columns that share a byte --- */

/* 70 columns: column 0 says whether column 5 is above its middle; the others of 2 to 300 values and
 * some missing. */
#define SHARED_COLUMNS 70
static void field_table(struct field *f, int64_t n, int32_t lanes, struct view *v)
{
    const struct column **cols = arena_array(&f->a, lanes, sizeof *cols);
    for (int32_t j = 0; j < lanes; j++) {
        static const uint32_t values[8] = {2, 300, 3, 5, 15, 300, 16, 9};
        struct column *c = arena_zero(&f->a, sizeof *c);
        double *x = arena_array(&f->a, n, sizeof *x);
        for (int64_t i = 0; i < n; i++) {
            uint32_t u = draw(i, (uint32_t)(j ? j : 5) + 5000);
            x[i] =
                u % 16 == 0 && j % 3 ? (double)NAN : (double)((u >> 8) % values[j % 8]);
            if (!j) x[i] = (u >> 8) % values[5] > 149 && u % 16 ? 1 : 0;
        }
        *c = (struct column){.name = "x", .type = TIDE_F64, .n_rows = n, .f64 = x};
        cols[j] = c;
    }
    *v = (struct view){.n_rows = n, .n_cols = lanes, .cols = cols};
}

static int same_columns(const struct grow *a, const struct grow *b)
{
    if (a->n_nodes != b->n_nodes) return 0;
    for (int32_t i = 0; i < a->n_nodes; i++) {
        const struct grow_node *p = &a->node[i], *q = &b->node[i];
        if (p->n != q->n || p->left != q->left || p->g != q->g || p->h != q->h)
            return 0;
        if (p->left >= 0 &&
            (a->cuts->lane_feature[p->split.lane] !=
                 b->cuts->lane_feature[q->split.lane] ||
             p->split.thr != q->split.thr || p->split.gain != q->split.gain ||
             p->split.missing_left != q->split.missing_left))
            return 0;
    }
    return 1;
}

/* The tree of columns that share bytes is the tree of columns that do not, equal gains and all. */
TEST(columns_that_share_a_byte_grow_the_same_tree)
{
    static const int64_t rows[4] = {40, 900, 20000, 140000};
    for (int n = 0; n < 4; n++)
        for (int how = 0; how < 6;
             how++) { /* 2, 3: fine; 4, 5: symmetric; odd: 3 threads */
            struct field f;
            struct {
                struct bin_cuts cuts;
                struct bin_codes codes;
            } alone;
            struct view v;
            int32_t lanes = n == 3 ? 9 : SHARED_COLUMNS;
            int threads = how % 2 ? 3 : 1;
            field_init(&f, rows[n], 1, threads);
            f.rules.leaves = 60;
            f.rules.symmetric = how >= 4;
            if (f.rules.symmetric) f.rules.depth = 5;
            field_table(&f, rows[n], lanes, &v);
            struct bin_how cut = {.max_codes = 255, .share = 1};
            CHECK_INT(bins_cut(f.ctx, &v, &cut, &f.a, &f.cuts, NULL), TIDE_OK);
            CHECK_INT(bins_code(f.ctx, &f.cuts, &v, 1, &f.a, &f.codes, NULL), TIDE_OK);
            cut.share = 0;
            CHECK_INT(bins_cut(f.ctx, &v, &cut, &f.a, &alone.cuts, NULL), TIDE_OK);
            CHECK_INT(bins_code(f.ctx, &alone.cuts, &v, 1, &f.a, &alone.codes, NULL),
                      TIDE_OK);
            CHECK(alone.codes.digit == NULL && f.codes.digit != NULL);
            CHECK(bin_block_bytes(f.codes.block) < f.codes.block->n_lanes);
            field_draw(&f, n);
            for (int64_t i = 0; i < rows[n]; i++) { /* column 0 decides */
                int32_t g = (int32_t)(draw(i, 7) % 20001) - 10000;
                g += v.cols[0]->f64[i] > 0 ? 9000 : -9000;
                f.packed[i] = (uint32_t)g << 16 | (f.packed[i] & 65535);
                f.fine_g[i] = g * 1000;
            }
            if (how / 2 == 1) {
                f.grad.fine_g = f.fine_g;
                f.grad.fine_h = f.fine_h;
                f.grad.h_most *= 1000;
            }
            struct grow *a = NULL, *b = grow_of(&f, threads);
            CHECK_INT(grow_new(f.ctx, &alone.cuts, &alone.codes, &f.rules, rows[n], 1,
                               &f.a, &a, NULL),
                      TIDE_OK);
            CHECK_INT(grow_tree(a, &f.grad, f.rows, rows[n], NULL), TIDE_OK);
            for (int again = 0; again < 2; again++) {
                CHECK_INT(grow_tree(b, &f.grad, f.rows, rows[n], NULL), TIDE_OK);
                CHECK_MSG(same_columns(a, b), "%lld rows, way %d: another tree",
                          (long long)rows[n], how);
                CHECK_INT(wrong_sums(b, &f), 0);
            }
            if (n >= 2) CHECK_INT(f.cuts.lane_feature[b->node[0].split.lane], 0);
            field_free(&f);
        }
}

/* ------------------------------------------------------------- growth by shared tests --- */

static int same_test(const struct grow_split *a, const struct grow_split *b)
{
    return a->lane == b->lane && a->thr == b->thr && a->set == b->set &&
           a->missing_left == b->missing_left &&
           memcmp(a->bits, b->bits, sizeof a->bits) == 0;
}

static double slow_score(int64_t sum_g, int64_t sum_h, const struct field *f)
{
    double a = (double)sum_g * f->grad.g_unit, b = (double)sum_h * f->grad.h_unit;
    return a * a / (b + f->rules.l2);
}

/* Gain of sending the rows of a node that code[row] <= thr, or missing ones, to the left, row by
 * row; 0 where a side falls short. */
static double slow_gain(const struct grow *g, const struct field *f,
                        const struct grow_node *q, int32_t lane, int thr, int missing)
{
    int64_t sg[2] = {0}, sh[2] = {0}, n[2] = {0};
    for (uint32_t r = 0; r < q->n; r++) {
        uint32_t id = g->ids[q->beg + r];
        int c = f->codes.plane[lane][id];
        int left = c == BIN_MISSING ? missing : c <= thr;
        sg[left] += (int32_t)f->packed[id] >> 16;
        sh[left] += f->packed[id] & 0xffff;
        n[left]++;
    }
    double least = f->rules.min_hessian;
    if (n[0] < f->rules.min_rows || n[1] < f->rules.min_rows || !sh[0] || !sh[1] ||
        (double)sh[0] * f->grad.h_unit < least ||
        (double)sh[1] * f->grad.h_unit < least)
        return 0;
    return slow_score(sg[0], sh[0], f) + slow_score(sg[1], sh[1], f) -
           slow_score(q->g, q->h, f);
}

/* Was the node there when level `depth` was split, as a leaf? */
static int stood_at(const struct grow *g, int32_t at, int depth)
{
    const struct grow_node *q = &g->node[at];
    int born = 0;
    for (int32_t i = 0; i < g->n_nodes; i++)
        if (g->node[i].left == at || g->node[i].right == at)
            born = g->node[i].depth + 1;
    return born <= depth && (q->left < 0 || q->depth >= depth);
}

/* The largest sum of gains over numeric tests of a level. */
static double slow_best(const struct grow *g, const struct field *f, int depth)
{
    double best = 0;
    for (int32_t lane = 0; lane < f->codes.n_lanes; lane++) {
        if (!split_by_order(g, &f->cuts.feature[lane])) continue;
        for (int thr = 0; thr < f->cuts.feature[lane].n_code; thr++)
            for (int missing = 0; missing < 2; missing++) {
                double sum = 0;
                for (int32_t i = 0; i < g->n_nodes; i++)
                    if (stood_at(g, i, depth))
                        sum += slow_gain(g, f, &g->node[i], lane, thr, missing);
                best = sum > best ? sum : best;
            }
    }
    return best;
}

TEST(nodes_of_a_symmetric_level_share_the_best_test)
{
    for (int c = 0; c < 8; c++) {
        static const int64_t min_rows[8] = {1, 1, 20, 20, 60, 5, 1, 20};
        struct field f;
        field_init(&f, 700, 3, 1);
        f.rules.symmetric = 1;
        f.rules.depth = 4;
        f.rules.leaves = 16;
        f.rules.min_rows = min_rows[c];
        f.rules.min_hessian = c == 5 ? 8 : 0;
        f.rules.cat_alone = c % 2 || c > 5 ? 4 : 300;
        if (c > 5) f.rules.cat_split = c == 6 ? CAT_ORDER : CAT_AUTO;
        field_draw(&f, c);
        struct grow *g = grow_of(&f, 1);
        CHECK_INT(grow_tree(g, &f.grad, f.rows, 700, NULL), TIDE_OK);
        CHECK_INT(wrong_sums(g, &f), 0);
        CHECK(g->n_leaves > 4 && g->n_leaves <= 16);
        for (int depth = 0; depth < 4; depth++) {
            const struct grow_split *test = NULL;
            double sum = 0;
            for (int32_t i = 0; i < g->n_nodes; i++) {
                const struct grow_node *q = &g->node[i];
                CHECK(i == 0 || (int64_t)q->n >= min_rows[c]);
                if (q->left < 0 || q->depth != depth) continue;
                if (!test) test = &q->split;
                CHECK(same_test(test, &q->split));
                sum += q->split.gain;
            }
            double best = slow_best(g, &f, depth);
            if (!test) continue;
            CHECK_MSG(sum >= best * (1 - 1e-9), "level %d: %g below %g", depth, sum,
                      best);
            if (!test->set) CHECK_NEAR(sum, best, 1e-9 * best);
        }
        field_free(&f);
    }
}

/* The same set is the best split either way; gains of it differ by (E|z|)^2 noise a level. */
TEST(a_set_of_levels_loses_what_levels_gain_by_chance)
{
    for (int c = 0; c < 4; c++) { /* by leaves or levels, 16 or 32 bits */
        struct field f;
        double gain[2], squares = 0, h = 0;
        uint64_t bits[2][4];
        field_init(&f, 20000, 3, 1);
        f.rules.leaves = 2;
        f.rules.symmetric = c & 1;
        f.rules.depth = c & 1;
        field_draw(&f, c);
        int32_t levels = f.cuts.feature[1].n_code + 1; /* missing is one */
        for (int64_t i = 0; i < 20000; i++) {
            int32_t g = (f.codes.plane[1][i] & 1 ? 9000 : -9000) +
                        (int32_t)(draw(i, 78) % 8001) - 4000;
            f.packed[i] = (uint32_t)g << 16 | (f.packed[i] & 65535);
            f.fine_g[i] = g * 1000;
            double one = (double)(c & 2 ? f.fine_g[i] : g) * f.grad.g_unit;
            squares += one * one;
            h += (double)(c & 2 ? f.fine_h[i] : f.packed[i] & 65535) * f.grad.h_unit;
        }
        if (c & 2) {
            f.grad.fine_g = f.fine_g;
            f.grad.fine_h = f.fine_h;
            f.grad.h_most *= 1000;
        }
        for (int v = 0; v < 2; v++) {
            f.rules.cat_split = v ? CAT_AUTO : CAT_SETS;
            struct grow *g = grow_of(&f, 1 + v);
            CHECK_INT(grow_tree(g, &f.grad, f.rows, 20000, NULL), TIDE_OK);
            CHECK_INT(g->n_leaves, 2);
            CHECK(g->node[0].split.set && g->node[0].split.lane == 1);
            gain[v] = g->node[0].split.gain;
            memcpy(bits[v], g->node[0].split.bits, sizeof bits[v]);
        }
        CHECK(memcmp(bits[0], bits[1], sizeof bits[0]) == 0);
        CHECK_NEAR(grow_noise(&f.grad, f.rows, 20000), squares / h, 1e-9 * squares / h);
        /* a node of a symmetric level keeps the gain that it has by itself */
        double chance = c & 1 ? 0 : 2 / acos(-1) * squares / h * levels;
        CHECK_NEAR(gain[0] - gain[1], chance, 1e-6);
        field_free(&f);
    }
}

TEST(threads_and_sets_grow_the_same_symmetric_tree)
{
    static const int64_t rows[4] = {2, 900, 40000, 150000};
    static const int threads[4] = {2, 3, 16, 1};
    for (int n = 0; n < 4; n++)
        for (int fine = 0; fine < 2; fine++) {
            struct field f;
            field_init(&f, rows[n], 6, 16);
            f.rules.symmetric = 1;
            f.rules.depth = 7;
            f.rules.leaves = 128;
            f.rules.min_rows = n % 2 ? 3 : 1;
            field_draw(&f, n);
            if (fine) {
                f.grad.fine_g = f.fine_g;
                f.grad.fine_h = f.fine_h;
                f.grad.h_most *= 1000;
            }
            struct grow *one = grow_of(&f, 1);
            CHECK_INT(grow_tree(one, &f.grad, f.rows, rows[n], NULL), TIDE_OK);
            CHECK_INT(wrong_sums(one, &f), 0);
            if (n > 1) CHECK(one->n_leaves > 30 && one->n_leaves <= 128);
            for (int v = 0; v < 4; v++) {
                struct grow *g = grow_of(&f, threads[v]);
                if (v >= 2) g->simd = &simd_table_base;
                for (int again = 0; again < 2; again++) {
                    CHECK_INT(grow_tree(g, &f.grad, f.rows, rows[n], NULL), TIDE_OK);
                    CHECK_MSG(same_tree(one, g), "%lld rows, %d threads: another tree",
                              (long long)rows[n], threads[v]);
                    CHECK_INT(wrong_sums(g, &f), 0);
                }
            }
            field_free(&f);
        }
}
