/* tide_oracle.h - what holds for every model file that loads
 *
 * It predicts 8 rows of its own schema, all at once and one by one, with the plain kernels
 * and those of AVX2, and all scores are the same bits (or within what the learner states).
 * It writes back to bytes that load, predict the same and write back to the same bytes. */
#ifndef FUZZ_TIDE_ORACLE_H
#define FUZZ_TIDE_ORACLE_H
#include <math.h>

#include <tidemill/ctx.h>

#include "base/alloc.h"
#include "base/asan.h"
#include "base/json.h"
#include "fuzz/fuzz.h"
#include "pipe/pipe.h"
#include "store/store.h"

enum { ORACLE_ROWS = 8, ORACLE_MOST_CELLS = 1 << 16 };

static tide_ctx *oracle_ctx[2]; /* base, avx2 where the machine has it */
static int oracle_engines;

/* A header has hundreds of JSON values, and the sanitizer's allocator would take most of the
 * time: they come from a pool that is empty again when the last one is gone. What is given back,
 * and 16 bytes behind each, is poisoned, so that a wrong use is found as ever. */
static struct {
    long live;
    size_t used;
    _Alignas(16) char bytes[1 << 20];
    uint16_t size[(1 << 20) / 16]; /* of the block that begins there */
} oracle_pool;

static void *oracle_take(size_t n)
{
    size_t need = 16 + ((n + 15) & ~(size_t)15);
    if (n > 4096 || need > sizeof oracle_pool.bytes - oracle_pool.used)
        return mem_alloc(n);
    char *p = oracle_pool.bytes + oracle_pool.used;
    oracle_pool.size[oracle_pool.used / 16] = (uint16_t)n;
    ASAN_UNPOISON(p, n);
    oracle_pool.used += need;
    oracle_pool.live++;
    return p;
}

static void oracle_drop(void *block)
{
    char *p = block;
    if (p < oracle_pool.bytes || p >= oracle_pool.bytes + sizeof oracle_pool.bytes) {
        mem_free(p);
        return;
    }
    ASAN_POISON(p, oracle_pool.size[(p - oracle_pool.bytes) / 16]);
    if (--oracle_pool.live == 0) oracle_pool.used = 0;
}

static int oracle_start(void)
{
    if (!oracle_engines) {
        json_init();
        ASAN_POISON(oracle_pool.bytes, sizeof oracle_pool.bytes);
        json_set_alloc_funcs(oracle_take, oracle_drop);
    }
    static const enum tide_isa isa[2] = {TIDE_ISA_BASE, TIDE_ISA_AVX2};
    while (!oracle_engines) {
        for (int k = 0; k < 2; k++) {
            if (tide_ctx_new(&oracle_ctx[k], NULL) ||
                tide_ctx_set_threads(oracle_ctx[k], 1, NULL))
                return 1;
            if (tide_ctx_set_isa(oracle_ctx[k], isa[k], NULL) == TIDE_OK)
                oracle_engines++;
        }
    }
    return 0;
}

static inline uint64_t oracle_mix(uint64_t h)
{
    h ^= h >> 31;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static double oracle_number(const struct schema_column *c, uint64_t r)
{
    double lo = isnan(c->lo) ? -1 : c->lo, hi = isnan(c->hi) ? 1 : c->hi;
    switch (r % 8) {
    case 0:
        return (double)NAN;
    case 1:
        return lo;
    case 2:
        return hi;
    case 3:
        return r & 256 ? 1e300 : -1e300;
    default:
        return lo / 2 + hi / 2 + (double)(r >> 40) * 1e-6 * (hi / 2 - lo / 2);
    }
}

/* 8 rows for a schema: a frame whose columns have the model's types. */
static tide_frame *oracle_frame(const struct schema *s)
{
    tide_frame *f = NULL;
    if (frame_begin(oracle_ctx[0], ORACLE_ROWS, s->n_cols, &f, NULL)) return NULL;
    for (int j = 0; j < s->n_cols; j++) {
        const struct schema_column *c = &s->cols[j];
        struct column *to = &f->cols[j];
        double *x = arena_array(&f->arena, ORACLE_ROWS, sizeof *x);
        int64_t *t = arena_array(&f->arena, ORACLE_ROWS, sizeof *t);
        uint32_t *code = arena_array(&f->arena, ORACLE_ROWS, sizeof *code);
        uint8_t *b = arena_array(&f->arena, ORACLE_ROWS, sizeof *b);
        if (!x || !t || !code || !b) break;
        for (int i = 0; i < ORACLE_ROWS; i++) {
            uint64_t r = oracle_mix((uint64_t)(j * ORACLE_ROWS + i + 1));
            uint32_t level = (uint32_t)(r >> 32) % (c->n_levels + 2u);
            x[i] = oracle_number(c, r);
            t[i] = fabs(x[i]) < 9e12 ? (int64_t)(x[i] * 1e6) : I64_MISSING;
            if (c->type == TIDE_I64)
                t[i] = fabs(x[i]) < 9e18 ? (int64_t)x[i] : I64_MISSING;
            code[i] = level < c->n_levels ? level : CODE_MISSING;
            b[i] = r % 3 == 2 ? BOOL_MISSING : (uint8_t)(r % 3);
        }
        *to = (struct column){.name = c->name, .type = c->type, .n_rows = ORACLE_ROWS};
        if (c->type == TIDE_F64) to->f64 = x;
        if (c->type == TIDE_I64 || c->type == TIDE_TIME) to->i64 = t;
        if (c->type == TIDE_BOOL) to->b = b;
        if (c->type == TIDE_CAT) {
            to->code = code;
            to->dict = c->levels;
        }
    }
    if (frame_seal(f, NULL)) {
        tide_frame_free(f);
        return NULL;
    }
    return f;
}

static double oracle_tolerance(const tide_model *m)
{
    double most = 0;
    for (int k = 0; k < m->n_nodes; k++) {
        const struct fitted_node *node = &m->nodes[k];
        double t = node->step ? node->step->tolerance : node->learner->tolerance;
        most = t > most ? t : most;
    }
    return most;
}

static void oracle_compare(const tide_model *m, const double *want, const double *got,
                           int64_t n, const char *what)
{
    double tolerance = oracle_tolerance(m);
    for (int64_t i = 0; i < n; i++) {
        double scale = fabs(want[i]) > 1 ? fabs(want[i]) : 1;
        int is_same = !memcmp(&want[i], &got[i], sizeof *got) ||
                      (isnan(want[i]) && isnan(got[i])) ||
                      fabs(want[i] - got[i]) <= tolerance * scale;
        FUZZ_CHECK(is_same, "%s: score %lld is %a, not %a", what, (long long)i, got[i],
                   want[i]);
    }
}

/* Scores in every way; the status of the first is that of all. */
static tide_status oracle_predict(const tide_model *m, const tide_frame *f, double *out,
                                  double *other)
{
    int width = schema_width(&m->schema);
    tide_status st = pipe_predict(oracle_ctx[0], m, f, NULL, 0, out, NULL, NULL);
    if (oracle_engines > 1) {
        tide_status again =
            pipe_predict(oracle_ctx[1], m, f, NULL, 0, other, NULL, NULL);
        FUZZ_CHECK(again == st, "status %d with AVX2, not %d", (int)again, (int)st);
        if (!st) oracle_compare(m, out, other, ORACLE_ROWS * width, "AVX2");
    }
    for (int64_t i = 0; !st && i < ORACLE_ROWS; i++) {
        tide_status one = pipe_predict(oracle_ctx[0], m, f, &i, 1, other, NULL, NULL);
        FUZZ_CHECK(one == st, "status %d for a row alone, not %d", (int)one, (int)st);
        oracle_compare(m, out + i * width, other, width, "a row alone");
    }
    return st;
}

static void oracle_check_error(tide_status st, const tide_error *err)
{
    FUZZ_CHECK(st == TIDE_EMODEL || st == TIDE_ELIMIT, "status %d: %s", (int)st,
               err->message);
    FUZZ_CHECK(err->status == st && err->code && *err->message, "%d, code %d, \"%s\"",
               (int)err->status, (int)err->code, err->message);
}

/* Bytes whose header and sections' kinds and flags are as written are written whole again. */
static int oracle_is_canonical(const uint8_t *a, size_t n, const uint8_t *b, size_t m)
{
    uint32_t head, sections;
    memcpy(&head, a + 20, 4);
    memcpy(&sections, a + 24, 4);
    size_t at = TIDE_PREAMBLE + (size_t)sections * TIDE_ENTRY_BYTES;
    if (n < TIDE_PREAMBLE || m < at + head || memcmp(a, b, 32) != 0) return 0;
    for (size_t i = TIDE_PREAMBLE; i < at; i += TIDE_ENTRY_BYTES)
        if (memcmp(a + i, b + i, 16) != 0) return 0;
    return !memcmp(a + at, b + at, head);
}

/* Writes m, reads that, and compares; data is where m came from. */
static void oracle_write_back(const tide_model *m, const uint8_t *data, size_t size,
                              const tide_frame *f, tide_status predicted,
                              const double *scores, double *other)
{
    struct arena a;
    uint8_t *bytes = NULL, *twice = NULL;
    size_t n = 0, n_twice = 0;
    tide_error err = {0};
    tide_model *again = NULL;
    arena_init(&a, NULL);
    tide_status st = tide_write_model(m, &a, &bytes, &n, &err);
    FUZZ_CHECK(st == TIDE_OK, "cannot be written: %s", err.message);
    if (n != size || memcmp(bytes, data, n) != 0) {
        FUZZ_CHECK(!oracle_is_canonical(data, size, bytes, n),
                   "%zu bytes are not written back as they were, %zu", size, n);
        st = tide_model_open_memory(oracle_ctx[0], bytes, n, &again, &err);
        FUZZ_CHECK(st == TIDE_OK, "what was written does not load: %s: %s", err.place,
                   err.message);
        st = tide_write_model(again, &a, &twice, &n_twice, &err);
        FUZZ_CHECK(st == TIDE_OK && n == n_twice && !memcmp(bytes, twice, n),
                   "written twice, %zu and %zu bytes", n, n_twice);
        int width = schema_width(&m->schema);
        st = pipe_predict(oracle_ctx[0], again, f, NULL, 0, other, NULL, NULL);
        FUZZ_CHECK(st == predicted, "status %d, not %d", (int)st, (int)predicted);
        if (!st) oracle_compare(m, scores, other, ORACLE_ROWS * width, "written back");
    }
    tide_model_free(again);
    arena_free(&a);
}

static int oracle_run(const uint8_t *data, size_t size)
{
    tide_model *m = NULL;
    tide_error err = {0};
    if (oracle_start()) return 0;
    long before = oracle_pool.live; /* the caller may hold a model */
    tide_status st = tide_model_open_memory(oracle_ctx[0], data, size, &m, &err);
    if (st) {
        oracle_check_error(st, &err);
        FUZZ_CHECK(oracle_pool.live == before, "%ld JSON values are left",
                   oracle_pool.live - before);
        return 0;
    }
    const struct schema *s = &m->schema;
    int width = schema_width(s);
    if ((int64_t)s->n_cols + width <= ORACLE_MOST_CELLS / ORACLE_ROWS) {
        double *out = mem_array((size_t)(2 * ORACLE_ROWS * width), sizeof *out);
        tide_frame *f = oracle_frame(s);
        if (out && f) {
            st = oracle_predict(m, f, out, out + ORACLE_ROWS * width);
            oracle_write_back(m, data, size, f, st, out, out + ORACLE_ROWS * width);
        }
        tide_frame_free(f);
        mem_free(out);
    }
    tide_model_free(m);
    FUZZ_CHECK(oracle_pool.live == before, "%ld JSON values are left",
               oracle_pool.live - before);
    return 1;
}
#endif
