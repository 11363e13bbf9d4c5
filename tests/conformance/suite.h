/* suite.h - the conformance suite: every descriptor of the registry under every property
 *
 *   PROPERTY(refit, LEARNERS | STEPS, always) { ... s ... }   case names: refit/gbdt
 *
 * A program of the suite includes this once; main is here. Subjects come from the registry,
 * what they are given and excused from follows from their traits and `.tolerance`, their
 * parameters from `.small`. A step is tested in front of a learner that takes anything. The
 * words after the program's name pick cases, -t shows what each took; the last line is
 * "N passed, N failed". */
#ifndef CONFORMANCE_SUITE_H
#define CONFORMANCE_SUITE_H
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tidemill/tidemill.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/asan.h"
#include "base/clock.h"
#include "base/ctx.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/rng.h"
#include "pipe/pipe.h"
#include "store/store.h"

#if defined(__SANITIZE_THREAD__)
#define SUITE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SUITE_TSAN 1
#endif
#endif
/* Under a sanitizer the loops take fewer turns. */
#if defined(BASE_ASAN) || defined(SUITE_TSAN)
#define SUITE_SLOW 1
#else
#define SUITE_SLOW 0
#endif

/* 3 blocks and 7 rows of the fixed order of sums; under a sanitizer 1 block and 7 rows */
#define MANY_ROWS ((SUITE_SLOW ? 1 : 3) * PAR_BLOCK + 7)

/* ---- subjects ---- */

enum { LEARNERS = 1, STEPS = 2 };

struct subject {
    const char *name;
    const struct tide_entry *entry;     /* under test */
    const struct tide_learner *learner; /* itself, or the one behind the step */
    const struct tide_step *step;       /* NULL: a learner */
    const char *small;                  /* parameters for tests, "" */
    char text[512];                     /* the pipeline */
    uint32_t traits, tasks;             /* of the whole pipeline */
    double tolerance;
};
static inline int takes(const struct subject *s, uint32_t trait)
{
    return (s->traits & trait) != 0;
}

/* A task and a number of classes. */
struct job {
    uint32_t task;
    int n_classes;
};
static const struct job suite_jobs[] = {
    {TIDE_CLASSIFY, 2}, {TIDE_CLASSIFY, 3}, {TIDE_REGRESS, 0}, {TIDE_ANOMALY, 0}};
#define N_JOBS 4
#define FOR_JOBS(s, j)                                                                 \
    for (const struct job *j = suite_jobs; j < suite_jobs + N_JOBS; j++)               \
        if ((s)->tasks & j->task)

static const int64_t suite_sizes[] = {1, 2, 63, 64, 65, MANY_ROWS};
#define N_SIZES 6
#define FOR_SIZES(n)                                                                   \
    for (int64_t at_##n = 0, n; at_##n < N_SIZES && (n = suite_sizes[at_##n], 1);      \
         at_##n++)

/* ---- properties ---- */

struct property {
    const char *name;
    int kinds;
    int (*when)(const struct subject *s); /* 0: the traits excuse the subject */
    void (*run)(const struct subject *s);
};
static struct property suite_property[128];
static int suite_n, suite_bad, suite_skipped;
static char suite_label[160], suite_why[160];

#define PROPERTY(prop, kinds_, when_)                                                  \
    static void suite_run_##prop(const struct subject *s);                             \
    __attribute__((constructor)) static void suite_add_##prop(void)                    \
    {                                                                                  \
        suite_property[suite_n++] =                                                    \
            (struct property){#prop, kinds_, when_, suite_run_##prop};                 \
    }                                                                                  \
    static void suite_run_##prop(const struct subject *s)

static int always(const struct subject *s)
{
    (void)s;
    return 1;
}

#define FAIL(...)                                                                      \
    do {                                                                               \
        if (suite_bad++ < 40) {                                                        \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, suite_label);           \
            fprintf(stderr, __VA_ARGS__);                                              \
            fputc('\n', stderr);                                                       \
        }                                                                              \
    } while (0)
#define CHECK(cond)                                                                    \
    do {                                                                               \
        if (!(cond)) FAIL("not so: %s", #cond);                                        \
    } while (0)
#define CHECK_MSG(cond, ...)                                                           \
    do {                                                                               \
        if (!(cond)) FAIL(__VA_ARGS__);                                                \
    } while (0)
#define SKIP(why)                                                                      \
    do {                                                                               \
        suite_skipped = 1;                                                             \
        snprintf(suite_why, sizeof suite_why, "%s", why);                              \
    } while (0)

/* ---- contexts ---- */

static inline tide_ctx *ctx_open(int threads)
{
    tide_ctx *ctx = NULL;
    if (tide_ctx_new(&ctx, NULL) || tide_ctx_set_threads(ctx, threads, NULL)) {
        fprintf(stderr, "no context\n");
        exit(1);
    }
    return ctx;
}

/* Warnings seen, by code. */
struct heard {
    int n_notes, n_warnings, code[256];
};
static inline void heard_event(void *payload, enum tide_event_kind kind,
                               const tide_error *event)
{
    struct heard *h = payload;
    if (kind == TIDE_EVENT_NOTE) {
        h->n_notes++;
    } else {
        h->n_warnings++;
        h->code[event->code & 255]++;
    }
}
static inline tide_ctx *ctx_open_heard(int threads, struct heard *h)
{
    tide_ctx *ctx = ctx_open(threads);
    memset(h, 0, sizeof *h);
    tide_ctx_set_events(ctx, heard_event, h);
    return ctx;
}

/* ---- tables ---- */

#define GRID_COLUMNS 32
struct grid {
    int64_t n;
    int n_cols;
    struct tide_column_in in[GRID_COLUMNS];
    void *own[GRID_COLUMNS];
};

static inline void *grid_add(struct grid *g, const char *name)
{
    if (g->n_cols == GRID_COLUMNS) {
        fprintf(stderr, "too many columns\n");
        exit(1);
    }
    void *cells = calloc((size_t)g->n + 1, 8);
    g->own[g->n_cols] = cells;
    g->in[g->n_cols++] = (struct tide_column_in){.name = name};
    return cells;
}
static inline double *grid_number(struct grid *g, const char *name)
{
    double *x = grid_add(g, name);
    g->in[g->n_cols - 1].f64 = x;
    g->in[g->n_cols - 1].type = TIDE_F64;
    return x;
}
static inline int64_t *grid_int(struct grid *g, const char *name, int32_t type)
{
    int64_t *x = grid_add(g, name);
    g->in[g->n_cols - 1].i64 = x;
    g->in[g->n_cols - 1].type = type;
    return x;
}
static inline const char **grid_category(struct grid *g, const char *name)
{
    const char **x = grid_add(g, name);
    g->in[g->n_cols - 1].text = x;
    g->in[g->n_cols - 1].type = TIDE_CAT;
    return x;
}
static inline int grid_find(const struct grid *g, const char *name)
{
    for (int j = 0; j < g->n_cols; j++)
        if (!strcmp(g->in[j].name, name)) return j;
    fprintf(stderr, "no column %s\n", name);
    exit(1);
}
static inline void grid_take_out(struct grid *g, const char *name)
{
    int j = grid_find(g, name);
    free(g->own[j]);
    g->n_cols--;
    for (; j < g->n_cols; j++) {
        g->in[j] = g->in[j + 1];
        g->own[j] = g->own[j + 1];
    }
}
static inline void grid_free(struct grid *g)
{
    for (int j = 0; j < g->n_cols; j++) free(g->own[j]);
    free(g);
}
static inline tide_frame *grid_frame(tide_ctx *ctx, const struct grid *g)
{
    tide_frame *f = NULL;
    tide_error err = {0};
    if (tide_frame_new(ctx, g->n, g->n_cols, g->in, &f, &err)) {
        fprintf(stderr, "table: %s\n", err.message);
        exit(1);
    }
    return f;
}

static const char *const grid_towns[] = {"Rome", "Oslo", "Lima", "Bonn", "Cairo"};
static const char *const grid_plans[] = {"basic", "plus", "pro"};
static const char *const grid_answers[] = {"high", "low", "middle"};

static inline void grid_target(struct grid *g, const struct job *j,
                               const double *signal)
{
    if (j->task == TIDE_ANOMALY) return; /* learned without */
    if (j->task == TIDE_REGRESS) {
        double *y = grid_number(g, "target");
        for (int64_t i = 0; i < g->n; i++) y[i] = 10 * signal[i];
        return;
    }
    const char **k = grid_category(g, "target");
    for (int64_t i = 0; i < g->n; i++)
        k[i] = grid_answers[signal[i] > 0.6                        ? 0
                            : j->n_classes > 2 && signal[i] > -0.4 ? 2
                                                                   : 1];
}

/* n rows of columns of these traits: numbers always, gaps and categories when taken. */
static inline struct grid *grid_new(uint32_t traits, const struct job *j, int64_t n)
{
    struct grid *g = calloc(1, sizeof *g);
    double *signal = calloc((size_t)n + 1, sizeof *signal);
    g->n = n;
    double *x = grid_number(g, "age"), *z = grid_number(g, "size");
    int64_t *c = grid_int(g, "count", TIDE_I64), *b = grid_int(g, "member", TIDE_BOOL);
    double *gap = traits & TIDE_TAKES_MISSING ? grid_number(g, "income") : NULL;
    const char **town = NULL, **plan = NULL;
    if (traits & TIDE_TAKES_CATEGORIES) {
        town = grid_category(g, "town");
        plan = grid_category(g, "plan");
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t r = (uint64_t)i;
        double income = gen_z(5, r, 4);
        int t = (int)(gen_u(5, r, 5) * 5) % 5, p = (int)(gen_u(5, r, 6) * 3) % 3;
        x[i] = gen_z(5, r, 0);
        z[i] = 100 * gen_u(5, r, 1);
        c[i] = (int64_t)(gen_u(5, r, 2) * 9);
        b[i] = gen_u(5, r, 3) < 0.3;
        if (gap) gap[i] = gen_u(5, r, 7) < 0.1 ? (double)NAN : income;
        if (town)
            town[i] = traits & TIDE_TAKES_MISSING && gen_u(5, r, 8) < 0.1
                          ? NULL
                          : grid_towns[t];
        if (plan) plan[i] = grid_plans[p];
        signal[i] = x[i] + 0.02 * (z[i] - 50) + (double)b[i] * (x[i] < 0) +
                    0.2 * (double)(c[i] - 4) + (town ? t == 1 : 0) -
                    (plan ? 0.5 * p : 0) + 0.4 * gen_z(5, r, 9);
    }
    grid_target(g, j, signal);
    free(signal);
    return g;
}
static inline struct grid *grid_for(const struct subject *s, const struct job *j,
                                    int64_t n)
{
    return grid_new(s->traits, j, n);
}
static inline tide_frame *frame_for(tide_ctx *ctx, const struct subject *s,
                                    const struct job *j, int64_t n)
{
    struct grid *g = grid_for(s, j, n);
    tide_frame *f = grid_frame(ctx, g);
    grid_free(g);
    return f;
}

/* ---- fitting ---- */

struct how {
    const char *text;    /* pipeline; NULL: the subject's */
    const int64_t *rows; /* positions, NULL: all */
    int64_t n;
    uint64_t seed; /* 0: 1 */
    int seed_zero;
    const char *weight, *id, *drop;
    const double *w; /* weights of positions, as they are */
    int32_t rounds;
    int bare; /* no profile, no golden rows, no bytes */
};
struct made {
    tide_status st;
    tide_error err;
    struct problem *p;
    tide_model *m; /* whole or, cancelled, perhaps partial */
    struct fit_info info;
    struct arena a;
    uint8_t *bytes; /* of its .tide file */
    size_t size;
};

static inline void made_free(struct made *x)
{
    tide_model_free(x->m);
    problem_free(x->p);
    arena_free(&x->a);
    memset(x, 0, sizeof *x);
}

/* The options of a job's problem. */
static inline struct tide_problem_options problem_of(const struct job *j)
{
    return (struct tide_problem_options){.target =
                                             j->task == TIDE_ANOMALY ? NULL : "target",
                                         .task = j->task == TIDE_CLASSIFY  ? 1
                                                 : j->task == TIDE_REGRESS ? 2
                                                                           : 3};
}

static inline struct made make(tide_ctx *ctx, const tide_frame *f,
                               const struct subject *s, const struct job *j,
                               const struct how *how)
{
    static const struct how plain;
    if (!how) how = &plain;
    struct made x = {0};
    struct tide_problem_options o = problem_of(j);
    o.weight = how->weight;
    o.id = how->id;
    o.drop = (struct tide_text_list){.items = &how->drop, .n = how->drop ? 1 : 0};
    struct pipe_fit fit = {.rows = how->rows,
                           .n = how->n,
                           .rounds = how->rounds,
                           .seed = how->seed || how->seed_zero ? how->seed : 1};
    tide_pipeline *pipe_ = NULL;
    arena_init(&x.a, NULL);
    x.st = pipeline_parse(how->text ? how->text : s->text, &pipe_, &x.err);
    if (!x.st) x.st = problem_new(ctx, f, &o, &x.p, &x.err);
    if (!x.st && how->w) x.p->w = how->w;
    if (!x.st) x.st = pipe_fit(ctx, x.p, pipe_, &fit, &x.m, &x.info, &x.err);
    if (!x.st && !how->bare) x.st = model_add_profile(ctx, x.m, x.p, &x.err);
    if (!x.st && !how->bare) x.st = model_add_golden(ctx, x.m, &x.err);
    if (!x.st && !how->bare)
        x.st = tide_write_model(x.m, &x.a, &x.bytes, &x.size, &x.err);
    pipeline_free(pipe_);
    return x;
}

/* An error that a user is meant to meet: a code of its status and a sentence. */
static inline int is_sentence(const tide_error *e)
{
    size_t n = strlen(e->message);
    return e->status != TIDE_OK && e->status != TIDE_EINTERNAL &&
           tide_code_status(e->code) == e->status && n > 8 &&
           e->message[n - 1] != '.' && !strstr(e->message, "nan") &&
           !strstr(e->message, "(null)");
}
/* ... because of the data, or of numbers */
static inline int is_refusal(const struct made *x)
{
    return is_sentence(&x->err) && (x->st == TIDE_EDATA || x->st == TIDE_ENUMERIC ||
                                    x->err.code == TIDE_CODE_PARAM_CONFLICT);
}
#define CHECK_MADE(x)                                                                  \
    CHECK_MSG((x).st == TIDE_OK, "status %d, %s (%s)", (int)(x).st, (x).err.message,   \
              tide_code_name((x).err.code))
#define CHECK_MADE_OR_REFUSED(x)                                                       \
    CHECK_MSG((x).st == TIDE_OK || is_refusal(&(x)), "status %d, %s (%s)",             \
              (int)(x).st, (x).err.message, tide_code_name((x).err.code))

/* ---- comparing ---- */

static inline size_t array_bytes(const struct state_array *a)
{
    return (size_t)(a->dim[0] * a->dim[1] * a->dim[2]) *
           state_type_size((enum state_type)a->type);
}
/* NULL, or what is first different in two fitted states. */
static inline const char *state_differs(const struct state *a, const struct state *b)
{
    if (a->n != b->n) return "the number of arrays";
    for (int i = 0; i < a->n; i++) {
        const struct state_array *x = &a->arrays[i], *y = &b->arrays[i];
        if (strcmp(x->name, y->name) || x->type != y->type ||
            memcmp(x->dim, y->dim, sizeof x->dim))
            return x->name;
        if (memcmp(x->data, y->data, array_bytes(x))) return x->name;
    }
    return NULL;
}
static inline const char *nodes_differ(const tide_model *a, const tide_model *b)
{
    if (a->n_nodes != b->n_nodes) return "the number of nodes";
    for (int k = 0; k < a->n_nodes; k++) {
        const char *d = state_differs(&a->nodes[k].state, &b->nodes[k].state);
        if (d) return d;
    }
    return NULL;
}
static inline const char *made_differ(const struct made *a, const struct made *b)
{
    if (a->st != b->st) return a->st ? a->err.message : b->err.message;
    if (a->st)
        return a->err.code != b->err.code || strcmp(a->err.message, b->err.message)
                   ? "the message"
                   : NULL;
    if (a->size == b->size && !memcmp(a->bytes, b->bytes, a->size)) return NULL;
    const char *d = nodes_differ(a->m, b->m);
    return d ? d : "a part of the file beside the fitted state";
}
#define CHECK_SAME_FILE(a, b, ...)                                                     \
    do {                                                                               \
        const char *suite_d = made_differ(&(a), &(b));                                 \
        char suite_what[160];                                                          \
        snprintf(suite_what, sizeof suite_what, __VA_ARGS__);                          \
        CHECK_MSG(!suite_d, "%s: not the same bytes: %s", suite_what, suite_d);        \
    } while (0)

static inline int width_of(const tide_model *m)
{
    return schema_width(&m->schema);
}
/* Scores of rows (NULL: all); the caller frees. NULL and a failure when it is refused. */
static inline double *scores_of(tide_ctx *ctx, const tide_model *m, const tide_frame *f,
                                const int64_t *rows, int64_t n)
{
    tide_error err = {0};
    if (!rows) n = tide_frame_rows(f);
    double *out = calloc((size_t)n * (size_t)width_of(m) + 1, sizeof *out);
    tide_status st = pipe_predict(ctx, m, f, rows, n, out, NULL, &err);
    if (!st) return out;
    FAIL("predict: %s (%s)", err.message, tide_code_name(err.code));
    free(out);
    return NULL;
}
/* No NaN, no infinity; probabilities lie in [0, 1] and sum to 1 +- 1e-12. */
static inline void check_scores(const tide_model *m, const double *z, int64_t n,
                                const char *what)
{
    int k = width_of(m);
    for (int64_t i = 0; z && i < n; i++) {
        double sum = 0;
        for (int c = 0; c < k; c++) {
            double v = z[i * k + c];
            sum += v;
            if (!isfinite(v) ||
                (m->schema.task == TIDE_CLASSIFY && !(v >= 0 && v <= 1))) {
                FAIL("%s: score %g of row %lld", what, v, (long long)i);
                return;
            }
        }
        if (m->schema.task == TIDE_CLASSIFY && !(fabs(sum - 1) <= 1e-12)) {
            FAIL("%s: probabilities of row %lld sum to 1%+g", what, (long long)i,
                 sum - 1);
            return;
        }
    }
}
/* |a - b| <= tol max(1, |b|), bits when tol is 0 */
static inline void check_near(const double *a, const double *b, int64_t n, double tol,
                              const char *what)
{
    for (int64_t i = 0; a && b && i < n; i++) {
        double scale = fabs(b[i]) > 1 ? fabs(b[i]) : 1;
        int same = tol > 0 ? fabs(a[i] - b[i]) <= tol * scale
                           : !memcmp(&a[i], &b[i], sizeof a[i]);
        if (same) continue;
        FAIL("%s: score %lld is %.17g, not %.17g", what, (long long)i, a[i], b[i]);
        return;
    }
}
/* The scores of a model on a frame, looked at. */
static inline void check_model(tide_ctx *ctx, const struct made *x, const tide_frame *f,
                               const char *what)
{
    if (x->st) return;
    double *z = scores_of(ctx, x->m, f, NULL, 0);
    check_scores(x->m, z, tide_frame_rows(f), what);
    free(z);
}

/* Does another seed give another model? Then something is drawn. */
static inline int draws(tide_ctx *ctx, const tide_frame *f, const struct subject *s,
                        const struct job *j)
{
    struct how other = {.seed = 77, .bare = 1}, one = {.bare = 1};
    struct made a = make(ctx, f, s, j, &one), b = make(ctx, f, s, j, &other);
    int differ = a.st || b.st || nodes_differ(a.m, b.m) != NULL;
    made_free(&a);
    made_free(&b);
    return differ;
}

/* ---- main ---- */

/* The learner behind steps: takes anything, so that a step alone decides. */
static const struct tide_learner *suite_carrier(void)
{
    uint32_t most = 0;
    const struct tide_learner *best = NULL;
    uint32_t all = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS |
                   TIDE_TAKES_ONE_CLASS | TIDE_INTEGER_SUMS;
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++) {
        const struct tide_learner *l = learner_get(i);
        uint32_t has = (uint32_t)__builtin_popcount(l->traits & all) * 4 +
                       (l->tasks == (TIDE_CLASSIFY | TIDE_REGRESS) ? 2u : 0u) +
                       (l->traits & TIDE_STOPS_EARLY ? 0u : 1u);
        if (best && has <= most) continue;
        most = has;
        best = l;
    }
    return best;
}

static struct subject suite_subject(enum tide_kind kind, int i)
{
    struct subject s = {.entry = tide_registry_get(kind, i), .small = ""};
    s.name = s.entry->name;
    if (kind == TIDE_LEARNER) {
        s.learner = learner_get(i);
        if (s.learner->small) s.small = s.learner->small;
        snprintf(s.text, sizeof s.text, *s.small ? "%s(%s)" : "%s", s.name, s.small);
        s.traits = s.entry->traits;
        s.tasks = s.entry->tasks;
        s.tolerance = s.entry->tolerance;
        return s;
    }
    s.step = step_find(s.name, NULL);
    s.learner = suite_carrier();
    const char *small = s.learner->small ? s.learner->small : "";
    snprintf(s.text, sizeof s.text, *small ? "%s; %s(%s)" : "%s; %s", s.name,
             s.learner->name, small);
    s.traits = s.learner->traits;
    if (!(s.entry->traits & TIDE_INTEGER_SUMS))
        s.traits &= ~(uint32_t)TIDE_INTEGER_SUMS;
    if (!(s.entry->traits & TIDE_TAKES_WEIGHTS))
        s.traits &= ~(uint32_t)TIDE_TAKES_WEIGHTS;
    s.tasks = s.learner->tasks & (s.entry->tasks ? s.entry->tasks : ~0u);
    s.tolerance = s.entry->tolerance > s.learner->tolerance ? s.entry->tolerance
                                                            : s.learner->tolerance;
    return s;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0, skipped = 0, times = argc > 1 && !strcmp(argv[1], "-t");
    int first = 1 + times;
    for (int p = 0; p < suite_n; p++)
        for (int kind = TIDE_LEARNER; kind <= TIDE_STEP; kind++) {
            if (!(suite_property[p].kinds & (kind == TIDE_LEARNER ? LEARNERS : STEPS)))
                continue;
            for (int i = 0; i < tide_registry_count((enum tide_kind)kind); i++) {
                struct subject s = suite_subject((enum tide_kind)kind, i);
                snprintf(suite_label, sizeof suite_label, "%s/%s",
                         suite_property[p].name, s.name);
                int wanted = argc <= first;
                for (int k = first; k < argc; k++)
                    wanted |= strstr(suite_label, argv[k]) != NULL;
                if (!wanted || !suite_property[p].when(&s)) continue;
                int64_t began = clock_ns();
                suite_bad = suite_skipped = 0;
                suite_property[p].run(&s);
                if (times)
                    printf("%8.1f ms %s\n", clock_since(began) * 1e3, suite_label);
                passed += !suite_bad && !suite_skipped;
                failed += suite_bad > 0;
                skipped += !suite_bad && suite_skipped;
                if (suite_bad) fprintf(stderr, "failed: %s\n", suite_label);
                if (!suite_bad && suite_skipped)
                    printf("skipped: %s: %s\n", suite_label, suite_why);
            }
        }
    printf(skipped ? "%d passed, %d failed, %d skipped\n" : "%d passed, %d failed\n",
           passed, failed, skipped);
    return failed != 0 || (passed + skipped == 0 && argc <= first);
}
#endif
