/* fuzz_pipeline.c - pipeline text and a tiny table
 *
 * Text that parses prints to text that parses to the same. Fitted on the table it ends, with
 * a model or with an error that says something; fitted again, by the plain kernels, it is
 * the same bytes, and so are its predictions; probabilities are between 0 and 1 and sum
 * to 1. Parameters that ask for work (trees, iterations) are kept small. */
#include <math.h>

#include <tidemill/ctx.h>

#include "base/alloc.h"
#include "base/str.h"
#include "fuzz/fuzz.h"
#include "learners/members/members.h"
#include "pipe/pipe.h"
#include "spec/spec.h"
#include "store/store.h"

enum { MOST = 2048, MOST_ROWS = 24, FEATURES = 3 };
#define INNER "tree + forest(trees=6) + gbdt(trees=6)"

static tide_ctx *ctx[2]; /* the best kernels, the plain ones */

static int start(void)
{
    static const enum tide_isa isa[2] = {TIDE_ISA_AUTO, TIDE_ISA_BASE};
    for (int k = 0; k < 2 && !ctx[k]; k++)
        if (tide_ctx_new(&ctx[k], NULL) || tide_ctx_set_threads(ctx[k], 1, NULL) ||
            tide_ctx_set_isa(ctx[k], isa[k], NULL))
            return 1;
    return 0;
}

static void check_error(tide_status st, const tide_error *e)
{
    FUZZ_CHECK(st == TIDE_EINVAL || st == TIDE_EDATA || st == TIDE_ELIMIT ||
                   st == TIDE_ENUMERIC,
               "status %d: %s", (int)st, e->message);
    FUZZ_CHECK(e->status == st && e->code && *e->message, "%d, code %d, \"%s\"",
               (int)e->status, (int)e->code, e->message);
}

/* 0 = it parses, and prints to the same again. */
static int check_text(const char *text)
{
    char *once = NULL, *twice = NULL;
    tide_error err = {0};
    tide_status st = tide_pipeline_check(text, &once, &err);
    if (st) {
        check_error(st, &err);
        FUZZ_CHECK(st == TIDE_EINVAL || st == TIDE_ELIMIT, "status %d", (int)st);
        return 1;
    }
    st = tide_pipeline_check(once, &twice, &err);
    FUZZ_CHECK(st == TIDE_OK, "\"%s\" prints as \"%s\": %s", text, once, err.message);
    FUZZ_CHECK(!strcmp(once, twice), "\"%s\" prints as \"%s\"", once, twice);
    tide_text_free(once);
    tide_text_free(twice);
    return 0;
}

/* ---- the table ---- */

static double cell(struct fuzz_bytes *b)
{
    uint8_t v = fuzz_u8(b);
    return v == 0xff ? (double)NAN : v >= 0xf8 ? ldexp(v - 0xf7, 120) : v - 100.0;
}

/* x and y are numbers, c is a category; t is the target, a number or a class. */
static tide_frame *make_table(uint8_t shape, struct fuzz_bytes *b)
{
    static const char *const words[] = {"red", "green", "", "d\xc3\xa9j\xc3\xa0"};
    static const char *const classes[] = {"no", "yes", "maybe"};
    double x[FEATURES][MOST_ROWS];
    const char *c[MOST_ROWS], *label[MOST_ROWS];
    int n = 2 + shape % (MOST_ROWS - 1);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < FEATURES; j++) x[j][i] = cell(b);
        uint8_t v = fuzz_u8(b);
        c[i] = v == 0xff ? NULL : words[v % 4];
        label[i] = classes[(i + (v >> 2)) % (shape & 32 ? 2 : 3)];
        if (!b->n) { /* no bytes left: something to learn */
            x[0][i] = i;
            x[1][i] = (i * 7) % 5;
            x[2][i] = i % 3 - 0.5 * i;
        }
    }
    struct tide_column_in cols[] = {{.name = "x", .f64 = x[0]},
                                    {.name = "y", .f64 = x[1]},
                                    {.name = "c", .text = c},
                                    {.name = "t", .f64 = x[2]}};
    if (shape & 64) cols[3] = (struct tide_column_in){.name = "t", .text = label};
    tide_frame *f = NULL;
    tide_error err = {0};
    tide_status st = tide_frame_new(ctx[0], n, 4, cols, &f, &err);
    FUZZ_CHECK(st == TIDE_OK, "no frame: %s", err.message);
    return f;
}

/* ---- fitting ---- */

/* Sets the parameters that only ask for more of the same; 1 = they cannot be set. */
static int keep_values_small(const struct tide_params *table, tide_values *values)
{
    static const struct {
        const char *name;
        double most;
        const char *small;
    } limits[] = {{"trees", 6, "6"},
                  {"members", 6, "6"},
                  {"max_iter", 40, "40"},
                  {"patience", 6, "6"}};
    int bad = 0;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const struct tide_param *row = tide_params_find(table, limits[i].name);
        char text[64];
        if (!row || strcmp(row->name, limits[i].name)) continue; /* not by an alias */
        if (tide_values_text(values, row, text, sizeof text) < 0) continue;
        if (strtod(text, NULL) > limits[i].most)
            bad |= tide_values_set(values, limits[i].name, limits[i].small, NULL) !=
                   TIDE_OK;
    }
    return bad;
}

/* The same for learners inside a learner, which are large unless it is told. */
static int keep_inner_small(tide_values *values, const struct tide_param *row)
{
    char text[MOST];
    struct member_wishes w;
    struct str s = {0};
    if (tide_values_text(values, row, text, sizeof text) <= 0)
        return strcmp(row->name, "of")
                   ? 0
                   : tide_values_set(values, "of", INNER, NULL) != TIDE_OK;
    int bad = members_parse(text, &w, NULL) != TIDE_OK;
    for (int i = 0; i < w.n && !bad; i++) {
        bad = keep_values_small(&w.of[i].learner->params, w.of[i].values);
        str_addf(&s, "%s%s(", i ? " + " : "", w.of[i].learner->name);
        values_print(&s, w.of[i].values, 1);
        str_addc(&s, ')');
    }
    /* what does not parse is left to the fit, which refuses it in words */
    if (!bad) bad = tide_values_set(values, row->name, s.s, NULL) != TIDE_OK ? 2 : 0;
    members_free(&w);
    str_free(&s);
    return bad == 2;
}

static int keep_small(tide_pipeline *p)
{
    static const char *const inner[] = {"of", "final"};
    int bad = 0;
    for (int k = 0; k < p->n; k++) {
        const struct pipe_node *node = &p->nodes[k];
        const struct tide_entry *e =
            node->step ? &node->step->entry : &node->learner->entry;
        bad |= keep_values_small(&e->params, node->values);
        for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
            const struct tide_param *row = tide_params_find(&e->params, inner[i]);
            if (row) bad |= keep_inner_small(node->values, row);
        }
    }
    return bad;
}

struct outcome {
    tide_status status, predicted;
    tide_error err;
    uint8_t *bytes; /* of the arena */
    size_t n;
    double *scores;
    int width;
};

static void fit(tide_ctx *c, const struct problem *p, const tide_pipeline *pipeline,
                const tide_frame *f, struct arena *a, struct outcome *out)
{
    struct pipe_fit how = {.seed = 7, .phase = "fitting"};
    struct fit_info info = {0};
    tide_model *m = NULL;
    memset(out, 0, sizeof *out);
    how.n = p->n_rows;
    out->status = pipe_fit(c, p, pipeline, &how, &m, &info, &out->err);
    if (!out->status) {
        tide_error err = {0};
        tide_status st = tide_write_model(m, a, &out->bytes, &out->n, &err);
        FUZZ_CHECK(st == TIDE_OK, "cannot be written: %s", err.message);
        out->width = schema_width(&m->schema);
        out->scores = arena_array(a, f->n_rows * out->width, sizeof *out->scores);
        FUZZ_CHECK(out->scores != NULL, "memory");
        out->predicted = pipe_predict(c, m, f, NULL, 0, out->scores, NULL, &out->err);
    }
    FUZZ_CHECK((out->status == TIDE_OK) == (m != NULL), "status %d", (int)out->status);
    if (out->status || out->predicted)
        check_error(out->status ? out->status : out->predicted, &out->err);
    tide_model_free(m);
}

static void check_probabilities(const struct outcome *o, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int k = 0; k < o->width; k++) {
            double p = o->scores[i * o->width + k];
            FUZZ_CHECK(p >= 0 && p <= 1, "row %lld: probability %a", (long long)i, p);
            sum += p;
        }
        FUZZ_CHECK(fabs(sum - 1) < 1e-9, "row %lld: probabilities sum to %.17g",
                   (long long)i, sum);
    }
}

static void fit_twice(const struct problem *p, const tide_pipeline *pipeline,
                      const tide_frame *f)
{
    struct arena a;
    struct outcome one, two;
    arena_init(&a, NULL);
    fit(ctx[0], p, pipeline, f, &a, &one);
    fit(ctx[1], p, pipeline, f, &a, &two);
    FUZZ_CHECK(one.status == two.status && one.predicted == two.predicted &&
                   !strcmp(one.err.message, two.err.message),
               "status %d and %d, \"%s\" and \"%s\"", (int)one.status, (int)two.status,
               one.err.message, two.err.message);
    if (!one.status) {
        FUZZ_CHECK(one.n == two.n && !memcmp(one.bytes, two.bytes, one.n),
                   "two fits give two models of %zu and %zu bytes", one.n, two.n);
        if (!one.predicted) {
            size_t n = (size_t)(f->n_rows * one.width) * sizeof *one.scores;
            FUZZ_CHECK(!memcmp(one.scores, two.scores, n), "two predictions");
            if (p->task == TIDE_CLASSIFY) check_probabilities(&one, f->n_rows);
        }
    }
    arena_free(&a);
}

/* A byte for the shape of the table, text, NUL, bytes of the table. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[MOST + 1];
    tide_pipeline *pipeline = NULL;
    struct problem *p = NULL;
    tide_error err = {0};
    if (size < 1 || size > MOST || start()) return 0;
    const uint8_t *nul = memchr(data + 1, 0, size - 1);
    size_t n = nul ? (size_t)(nul - data) - 1 : size - 1;
    memcpy(text, data + 1, n);
    text[n] = '\0';
    if (check_text(text)) return 0;
    struct fuzz_bytes rest = {nul ? nul + 1 : data, nul ? size - n - 2 : 0};
    tide_frame *f = make_table(data[0], &rest);
    struct tide_problem_options o = {.target = "t"};
    tide_status st = problem_new(ctx[0], f, &o, &p, &err);
    if (st) check_error(st, &err);
    if (!st) st = pipeline_parse(text, &pipeline, &err);
    if (!st && !keep_small(pipeline)) fit_twice(p, pipeline, f);
    pipeline_free(pipeline);
    problem_free(p);
    tide_frame_free(f);
    return 0;
}
