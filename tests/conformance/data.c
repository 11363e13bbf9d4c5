/* Weights, and data that is odd: a model or the documented sentence, and never a NaN */
#include "suite.h"

/* ---- weights ---- */

static int takes_weights(const struct subject *s)
{
    return takes(s, TIDE_TAKES_WEIGHTS);
}
static int refuses_weights(const struct subject *s)
{
    return !s->step && !takes(s, TIDE_TAKES_WEIGHTS);
}

/* Weights that are there and 1 are none, also to the learner itself. */
PROPERTY(weight_one, LEARNERS | STEPS, takes_weights)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    FOR_SIZES(n)
    {
        tide_frame *f = frame_for(ctx, s, j, n);
        double *one = calloc((size_t)n, sizeof *one);
        for (int64_t i = 0; i < n; i++) one[i] = 1;
        struct how how = {.w = one};
        struct made a = make(ctx, f, s, j, NULL), b = make(ctx, f, s, j, &how);
        const char *d = a.st || b.st ? NULL : nodes_differ(b.m, a.m);
        CHECK(a.st == b.st);
        CHECK_MSG(!d, "%lld weights of 1 change %s", (long long)n, d);
        made_free(&a);
        made_free(&b);
        free(one);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

/* A row of weight 0 is a row that is not there. */
PROPERTY(weight_zero, LEARNERS | STEPS, takes_weights)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    {
        int64_t n = 700, kept = 0, row[700];
        struct grid *g = grid_for(s, j, n);
        double *w = grid_number(g, "weight");
        for (int64_t i = 0; i < n; i++) {
            w[i] = 1;
            if (i % 3 == 1) continue;
            row[kept++] = i;
        }
        tide_frame *ones = grid_frame(ctx, g);
        for (int64_t i = 1; i < n; i += 3) w[i] = 0;
        tide_frame *zeros = grid_frame(ctx, g);
        struct how part = {.weight = "weight", .rows = row, .n = kept},
                   all = {.weight = "weight"};
        struct made a = make(ctx, ones, s, j, &part), b = make(ctx, zeros, s, j, &all);
        CHECK_MADE(a);
        CHECK_MADE(b);
        const char *d = a.st || b.st ? NULL : nodes_differ(b.m, a.m);
        CHECK_MSG(!d, "rows of weight 0 change %s", d);
        made_free(&a);
        made_free(&b);
        tide_frame_free(ones);
        tide_frame_free(zeros);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* Weight 2 is the row twice, where nothing is drawn by row. */
PROPERTY(weight_two, LEARNERS | STEPS, takes_weights)
{
    tide_ctx *ctx = ctx_open(2);
    int n_drawn = 0, n_jobs = 0;
    FOR_JOBS(s, j)
    {
        int64_t n = 300, m = 0, row[600];
        double w[300];
        tide_frame *f = frame_for(ctx, s, j, n);
        n_jobs++;
        if (draws(ctx, f, s, j)) {
            n_drawn++;
            tide_frame_free(f);
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            w[i] = 1 + (i % 4 == 2);
            row[m++] = i;
            if (i % 4 == 2) row[m++] = i;
        }
        struct how twice = {.rows = row, .n = m}, two = {.w = w};
        struct made a = make(ctx, f, s, j, &twice), b = make(ctx, f, s, j, &two);
        CHECK_MADE(a);
        CHECK_MADE(b);
        if (!a.st && !b.st) {
            double *za = scores_of(ctx, a.m, f, NULL, 0),
                   *zb = scores_of(ctx, b.m, f, NULL, 0);
            check_near(zb, za, n * width_of(a.m), 1e-9, "weight 2");
            free(za);
            free(zb);
        }
        made_free(&a);
        made_free(&b);
        tide_frame_free(f);
    }
    if (n_drawn == n_jobs) SKIP("another seed gives another model: rows are drawn");
    tide_ctx_free(ctx);
}

PROPERTY(weights_refused, LEARNERS, refuses_weights)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        struct grid *g = grid_for(s, j, 65);
        double *w = grid_number(g, "weight");
        for (int64_t i = 0; i < 65; i++) w[i] = 1 + (double)(i % 2);
        tide_frame *f = grid_frame(ctx, g);
        struct how how = {.weight = "weight"};
        struct made x = make(ctx, f, s, j, &how);
        CHECK(x.st == TIDE_EINVAL && strstr(x.err.message, "cannot take row weights"));
        made_free(&x);
        tide_frame_free(f);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* D24 */
PROPERTY(bad_weights, LEARNERS, always)
{
    static const double bad[] = {0, -1, (double)NAN, 1e300};
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    for (int i = 0; i < 4; i++) {
        struct grid *g = grid_for(s, j, 65);
        double *w = grid_number(g, "weight");
        for (int64_t r = 0; r < 65; r++) w[r] = i == 0 || r == 7 ? bad[i] : 1;
        tide_frame *f = grid_frame(ctx, g);
        struct how how = {.weight = "weight"};
        struct made x = make(ctx, f, s, j, &how);
        CHECK_MSG(x.err.code == TIDE_CODE_DATA_WEIGHT && is_sentence(&x.err),
                  "weight %g: %s", bad[i], x.err.message);
        CHECK(i == 0 || x.err.row == 8);
        made_free(&x);
        tide_frame_free(f);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* ---- odd columns ---- */

typedef void spoil_fn(struct grid *g);

/* Fits on a table that `spoil` changed; its own rows and those of the whole table are scored. */
static struct made spoilt_made(tide_ctx *ctx, const struct subject *s,
                               const struct job *j, int64_t n, spoil_fn *spoil,
                               const char *what)
{
    struct grid *g = grid_for(s, j, n);
    spoil(g);
    tide_frame *f = grid_frame(ctx, g);
    struct made x = make(ctx, f, s, j, NULL);
    CHECK_MSG(x.st == TIDE_OK || is_refusal(&x), "%s: status %d, %s", what, (int)x.st,
              x.err.message);
    check_model(ctx, &x, f, what);
    tide_frame_free(f);
    grid_free(g);
    return x;
}
/* must: a model has to come of it; code: a warning that has to be heard, or 0 */
static void spoilt(const struct subject *s, int64_t n, spoil_fn *spoil, int must,
                   tide_code code, const char *what)
{
    FOR_JOBS(s, j)
    {
        struct heard heard;
        tide_ctx *ctx = ctx_open_heard(2, &heard);
        struct made x = spoilt_made(ctx, s, j, n, spoil, what);
        CHECK_MSG(!must || !x.st, "%s, %d classes: %s", what, j->n_classes,
                  x.err.message);
        CHECK_MSG(!code || heard.code[code & 255], "%s: no %s heard", what,
                  tide_code_name(code));
        made_free(&x);
        tide_ctx_free(ctx);
    }
}

static void nothing(struct grid *g)
{
    (void)g;
}
/* D01, D02 */
PROPERTY(one_row, LEARNERS | STEPS, always)
{
    spoilt(s, 1, nothing, 0, 0, "1 row");
    spoilt(s, 2, nothing, 0, 0, "2 rows");
    spoilt(s, 3, nothing, 0, 0, "3 rows");
}

static void add_constant(struct grid *g)
{
    double *x = grid_number(g, "constant");
    for (int64_t i = 0; i < g->n; i++) x[i] = -3.25;
}
/* D04 */
PROPERTY(constant_column, LEARNERS | STEPS, always)
{
    spoilt(s, 65, add_constant, 1, TIDE_CODE_DATA_CONSTANT, "a constant column");
}

static void all_constant(struct grid *g)
{
    for (int c = 0; c < g->n_cols; c++) {
        if (!strcmp(g->in[c].name, "target")) continue;
        size_t each = 8;
        char *p = g->own[c];
        for (int64_t i = 1; i < g->n; i++) memcpy(p + (size_t)i * each, p, each);
    }
}
/* D06 */
PROPERTY(all_columns_constant, LEARNERS | STEPS, always)
{
    spoilt(s, 65, all_constant, 1, TIDE_CODE_DATA_CONSTANT, "constant columns alone");
}
static void all_same(struct grid *g)
{
    for (int c = 0; c < g->n_cols; c++) {
        char *p = g->own[c];
        for (int64_t i = 1; i < g->n; i++) memcpy(p + (size_t)i * 8, p, 8);
    }
}
/* D14 and D20: all rows the same, so one class or a constant target */
PROPERTY(all_rows_same, LEARNERS | STEPS, always)
{
    spoilt(s, 65, all_same, 0, 0, "one row 65 times");
}

static void add_copy(struct grid *g)
{
    double *from = g->own[grid_find(g, "age")], *x = grid_number(g, "zcopy"),
           *y = grid_number(g, "twice");
    for (int64_t i = 0; i < g->n; i++) {
        x[i] = from[i];
        y[i] = 2 * from[i];
    }
}
/* D07, D08 */
PROPERTY(copied_column, LEARNERS | STEPS, always)
{
    spoilt(s, 300, add_copy, 1, 0, "a column twice, and doubled");
}

static void add_empty(struct grid *g)
{
    double *x = grid_number(g, "empty");
    const char **k = grid_category(g, "empty_words");
    for (int64_t i = 0; i < g->n; i++) {
        x[i] = (double)NAN;
        k[i] = NULL;
    }
}
/* D05 */
PROPERTY(empty_column, LEARNERS | STEPS, always)
{
    spoilt(s, 65, add_empty, 1, TIDE_CODE_DATA_CONSTANT, "an empty column");
}

static int takes_missing(const struct subject *s)
{
    return takes(s, TIDE_TAKES_MISSING);
}
/* A column that is empty among the rows of a fold, though not in the table. */
PROPERTY(empty_in_fold, LEARNERS | STEPS, takes_missing)
{
    tide_ctx *ctx = ctx_open(2);
    FOR_JOBS(s, j)
    {
        int64_t row[130], n = 0;
        struct grid *g = grid_for(s, j, 260);
        double *gap = g->own[grid_find(g, "income")];
        const char **town =
            takes(s, TIDE_TAKES_CATEGORIES) ? g->own[grid_find(g, "town")] : NULL;
        for (int64_t i = 0; i < 260; i++) {
            if (i % 2) continue;
            gap[i] = (double)NAN;
            if (town) town[i] = NULL;
            row[n++] = i;
        }
        tide_frame *f = grid_frame(ctx, g);
        struct how how = {.rows = row, .n = n};
        struct made x = make(ctx, f, s, j, &how);
        CHECK_MADE(x);
        check_model(ctx, &x, f, "rows with values that the fit never saw");
        made_free(&x);
        tide_frame_free(f);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

static int takes_classes(const struct subject *s)
{
    return (s->tasks & TIDE_CLASSIFY) != 0;
}
static void one_class(struct grid *g)
{
    const char **k = g->own[grid_find(g, "target")];
    for (int64_t i = 0; i < g->n; i++) k[i] = "only";
}
/* D10 */
PROPERTY(one_class, LEARNERS | STEPS, takes_classes)
{
    struct heard heard;
    tide_ctx *ctx = ctx_open_heard(1, &heard);
    struct made x = spoilt_made(ctx, s, &suite_jobs[0], 65, one_class, "one class");
    CHECK(heard.code[TIDE_CODE_DATA_ONE_CLASS]);
    if (takes(s, TIDE_TAKES_ONE_CLASS)) {
        CHECK_MADE(x);
        if (!x.st) CHECK(width_of(x.m) == 1);
    } else {
        CHECK(x.err.code == TIDE_CODE_DATA_ONE_CLASS && is_sentence(&x.err));
        CHECK(*x.err.value); /* a hint */
    }
    made_free(&x);
    tide_ctx_free(ctx);
}

static int takes_numbers(const struct subject *s)
{
    return (s->tasks & TIDE_REGRESS) != 0;
}
static void same_target(struct grid *g)
{
    double *y = g->own[grid_find(g, "target")];
    for (int64_t i = 0; i < g->n; i++) y[i] = 0.1;
}
/* D20 */
PROPERTY(constant_target, LEARNERS | STEPS, takes_numbers)
{
    struct heard heard;
    tide_ctx *ctx = ctx_open_heard(1, &heard);
    struct made x = spoilt_made(ctx, s, &suite_jobs[2], 65, same_target, "y = 0.1");
    CHECK_MADE(x);
    CHECK(heard.code[TIDE_CODE_DATA_CONSTANT]);
    if (!x.st) {
        tide_frame *f = frame_for(ctx, s, &suite_jobs[2], 65);
        double *z = scores_of(ctx, x.m, f, NULL, 0);
        for (int i = 1; z && i < 65 && !suite_bad; i++) /* a constant model */
            CHECK_MSG(fabs(z[i] - z[0]) <= 1e-12, "%.17g, then %.17g", z[0], z[i]);
        free(z);
        tide_frame_free(f);
    }
    made_free(&x);
    tide_ctx_free(ctx);
}

/* D28: one row of its class among many, and a batch without it */
static void rare_class(struct grid *g)
{
    const char **k = g->own[grid_find(g, "target")];
    for (int64_t i = 0; i < g->n; i++) k[i] = i == 1234 ? "rare" : "usual";
}
PROPERTY(rare_class, LEARNERS | STEPS, takes_classes)
{
    struct heard heard;
    tide_ctx *ctx = ctx_open_heard(2, &heard);
    struct made x =
        spoilt_made(ctx, s, &suite_jobs[0], MANY_ROWS, rare_class, "1 positive");
    CHECK_MADE(x);
    CHECK(heard.code[TIDE_CODE_DATA_IMBALANCE]);
    made_free(&x);
    tide_ctx_free(ctx);
}

/* D21 */
static void gaps_in_target(struct grid *g)
{
    int j = grid_find(g, "target");
    for (int64_t i = 0; i < g->n; i += 5) {
        if (g->in[j].f64)
            ((double *)g->own[j])[i] = (double)NAN;
        else
            ((const char **)g->own[j])[i] = NULL;
    }
}
static int takes_target(const struct subject *s)
{
    return (s->tasks & (TIDE_CLASSIFY | TIDE_REGRESS)) != 0;
}
PROPERTY(missing_target, LEARNERS | STEPS, takes_target)
{
    spoilt(s, 65, gaps_in_target, 1, TIDE_CODE_DATA_TARGET_MISSING,
           "gaps in the target");
}

/* D17 in small: 10,000 levels */
static void many_levels(struct grid *g)
{
    static char text[10000][8];
    const char **k = grid_category(g, "level");
    for (int64_t i = 0; i < 10000; i++) snprintf(text[i], 8, "L%04d", (int)i);
    for (int64_t i = 0; i < g->n; i++) k[i] = text[i % 10000];
}
static int takes_levels(const struct subject *s)
{
    return takes(s, TIDE_TAKES_CATEGORIES);
}
PROPERTY(many_levels, LEARNERS | STEPS, takes_levels)
{
    spoilt(s, MANY_ROWS, many_levels, 1, 0, "10,000 levels");
}

static void huge_values(struct grid *g)
{
    double *x = g->own[grid_find(g, "age")], *z = g->own[grid_find(g, "size")];
    for (int64_t i = 0; i < g->n; i++) {
        x[i] = i % 3 == 0 ? 1e308 : i % 3 == 1 ? -1e308 : x[i];
        z[i] *= 1e39;
    }
}
static void tiny_values(struct grid *g)
{
    double *x = g->own[grid_find(g, "age")], *z = g->own[grid_find(g, "size")];
    for (int64_t i = 0; i < g->n; i++) {
        x[i] = (double)(i % 5) * 5e-324;
        z[i] *= 1e-300;
    }
}
static void all_huge(struct grid *g)
{
    double *x = g->own[grid_find(g, "age")], *z = g->own[grid_find(g, "size")];
    for (int64_t i = 0; i < g->n; i++) {
        x[i] = DBL_MAX;
        z[i] = i % 2 ? DBL_MAX : -DBL_MAX;
    }
    x[0] = 1e308;
}
/* N03, N04 */
PROPERTY(huge_values, LEARNERS | STEPS, always)
{
    spoilt(s, 300, huge_values, 0, 0, "1e308 and -1e308");
    spoilt(s, 300, all_huge, 0, 0, "the largest doubles");
}
PROPERTY(tiny_values, LEARNERS | STEPS, always)
{
    spoilt(s, 300, tiny_values, 1, 0, "5e-324");
}
static void huge_target(struct grid *g)
{
    double *y = g->own[grid_find(g, "target")];
    for (int64_t i = 0; i < g->n; i++) y[i] = i % 2 ? 1e308 : -1e308 + y[i] * 1e300;
}
static void tiny_target(struct grid *g)
{
    double *y = g->own[grid_find(g, "target")];
    for (int64_t i = 0; i < g->n; i++) y[i] = (double)(i % 7) * 5e-324;
}
PROPERTY(extreme_target, LEARNERS | STEPS, takes_numbers)
{
    tide_ctx *ctx = ctx_open(1);
    struct made x = spoilt_made(ctx, s, &suite_jobs[2], 65, huge_target, "y of 1e308");
    made_free(&x);
    x = spoilt_made(ctx, s, &suite_jobs[2], 65, tiny_target, "y of 5e-324");
    CHECK_MADE(x);
    made_free(&x);
    tide_ctx_free(ctx);
}

/* N21: rows far outside of what was seen keep finite scores and honest probabilities */
PROPERTY(far_rows, LEARNERS | STEPS, always)
{
    static const double far[] = {0,     -0.0,   1e4,    -1e4,    1e15,     -1e15,
                                 1e100, -1e100, 5e-324, DBL_MAX, -DBL_MAX, 1e308};
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        tide_frame *f = frame_for(ctx, s, j, 300);
        struct made x = make(ctx, f, s, j, NULL);
        struct grid *g = grid_for(s, j, 12);
        double *a = g->own[grid_find(g, "age")], *b = g->own[grid_find(g, "size")];
        for (int i = 0; i < 12; i++) {
            a[i] = far[i];
            b[i] = far[(i + 5) % 12];
        }
        tide_frame *out = grid_frame(ctx, g);
        CHECK_MADE(x);
        check_model(ctx, &x, out, "far rows");
        made_free(&x);
        tide_frame_free(f);
        tide_frame_free(out);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* N05: -0.0 is 0.0 */
PROPERTY(minus_zero, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        struct grid *g = grid_for(s, j, 300);
        double *x = g->own[grid_find(g, "age")];
        for (int i = 0; i < 300; i++)
            if (i % 3 == 0) x[i] = 0;
        tide_frame *plus = grid_frame(ctx, g);
        for (int i = 0; i < 300; i++)
            if (i % 6 == 0) x[i] = -0.0;
        tide_frame *minus = grid_frame(ctx, g);
        struct made a = make(ctx, plus, s, j, NULL), b = make(ctx, minus, s, j, NULL);
        CHECK_MADE(a);
        CHECK_MADE(b);
        if (!a.st && !b.st) {
            double *za = scores_of(ctx, a.m, plus, NULL, 0),
                   *zb = scores_of(ctx, a.m, minus, NULL, 0),
                   *zc = scores_of(ctx, b.m, minus, NULL, 0);
            const char *d = nodes_differ(a.m, b.m);
            CHECK_MSG(!d, "-0.0 changes %s", d);
            check_near(zb, za, 300 * width_of(a.m), 0, "-0.0 predicted");
            check_near(zc, za, 300 * width_of(a.m), 0, "-0.0 fitted");
            free(za);
            free(zb);
            free(zc);
        }
        made_free(&a);
        made_free(&b);
        tide_frame_free(plus);
        tide_frame_free(minus);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

static void nearly_constant(struct grid *g)
{
    double *x = grid_number(g, "nearly");
    for (int64_t i = 0; i < g->n; i++) x[i] = 1e8 + (double)(i % 3) * 1e-8;
}
/* N24 */
PROPERTY(nearly_constant, LEARNERS | STEPS, always)
{
    spoilt(s, 65, nearly_constant, 1, TIDE_CODE_DATA_CONSTANT, "1e8 + {0, 1e-8, 2e-8}");
}

static void add_key(struct grid *g)
{
    int64_t *k = grid_int(g, "key", TIDE_I64);
    for (int64_t i = 0; i < g->n; i++) k[i] = 1000003 * i % 777777;
}
/* D16 */
PROPERTY(identifier, LEARNERS | STEPS, always)
{
    spoilt(s, 65, add_key, 1, TIDE_CODE_DATA_ID, "a column of keys");
}

/* D03, D27 */
PROPERTY(nothing_to_learn_from, LEARNERS | STEPS, always)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        tide_frame *f = frame_for(ctx, s, j, 0);
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_MSG(x.err.code == TIDE_CODE_DATA_NO_ROWS, "no rows: %s", x.err.message);
        made_free(&x);
        tide_frame_free(f);
        f = frame_for(ctx, s, j, 65);
        struct how how = {.rows = (const int64_t[]){0}, .n = 0};
        x = make(ctx, f, s, j, &how);
        CHECK_MSG(x.err.code == TIDE_CODE_DATA_NO_ROWS, "no rows: %s", x.err.message);
        made_free(&x);
        tide_frame_free(f);
        if (j->task == TIDE_ANOMALY) continue; /* any column is a feature */
        struct grid *g = grid_for(s, j, 65);
        while (g->n_cols > 1) grid_take_out(g, g->in[0].name);
        f = grid_frame(ctx, g);
        x = make(ctx, f, s, j, NULL);
        CHECK_MSG(x.err.code == TIDE_CODE_DATA_NO_FEATURES, "alone: %s", x.err.message);
        made_free(&x);
        tide_frame_free(f);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* D22, D23 */
PROPERTY(target_of_other_task, LEARNERS, always)
{
    static char text[3000][8];
    tide_ctx *ctx = ctx_open(1);
    struct job classify = {TIDE_CLASSIFY, 2}, regress = {TIDE_REGRESS, 0};
    if (s->tasks & TIDE_REGRESS) {
        tide_frame *f = frame_for(ctx, s, &classify, 65);
        struct made x = make(ctx, f, s, &regress, NULL);
        CHECK_MSG(x.err.code == TIDE_CODE_DATA_TARGET, "text: %s", x.err.message);
        made_free(&x);
        tide_frame_free(f);
    }
    if (s->tasks & TIDE_CLASSIFY) {
        struct grid *g = grid_for(s, &classify, 3000);
        const char **k = g->own[grid_find(g, "target")];
        for (int i = 0; i < 3000; i++) {
            snprintf(text[i], 8, "%d", i);
            k[i] = text[i];
        }
        tide_frame *f = grid_frame(ctx, g);
        struct made x = make(ctx, f, s, &classify, NULL);
        CHECK_MSG(x.err.code == TIDE_CODE_DATA_CLASSES, "3,000: %s", x.err.message);
        made_free(&x);
        tide_frame_free(f);
        grid_free(g);
    }
    tide_ctx_free(ctx);
}

/* N02: gaps and categories, where the traits do not have them */
PROPERTY(other_kinds_refused, LEARNERS, always)
{
    tide_ctx *ctx = ctx_open(1);
    FOR_JOBS(s, j)
    {
        if (!takes(s, TIDE_TAKES_MISSING)) {
            struct grid *g = grid_for(s, j, 65);
            ((double *)g->own[grid_find(g, "age")])[9] = (double)NAN;
            tide_frame *f = grid_frame(ctx, g);
            struct made x = make(ctx, f, s, j, NULL);
            CHECK_MSG(x.err.code == TIDE_CODE_DATA_MISSING && x.err.row == 10 &&
                          !strcmp(x.err.field, "age") && *x.err.value,
                      "a gap: %s", x.err.message);
            made_free(&x);
            tide_frame_free(f);
            grid_free(g);
        }
        if (!takes(s, TIDE_TAKES_CATEGORIES)) {
            tide_frame *f = NULL;
            struct grid *g = grid_for(s, j, 65);
            const char **k = grid_category(g, "word");
            for (int i = 0; i < 65; i++) k[i] = grid_towns[i % 5];
            f = grid_frame(ctx, g);
            struct made x = make(ctx, f, s, j, NULL);
            CHECK_MSG(x.err.code == TIDE_CODE_DATA_TYPE &&
                          !strcmp(x.err.field, "word") && *x.err.value,
                      "a category: %s", x.err.message);
            made_free(&x);
            tide_frame_free(f);
            grid_free(g);
        }
    }
    for (int i = 0; i < N_JOBS; i++) {
        const struct job *j = &suite_jobs[i];
        if (s->tasks & j->task) continue;
        tide_frame *f = frame_for(ctx, s, j, 65);
        struct made x = make(ctx, f, s, j, NULL);
        CHECK_MSG(x.err.code == TIDE_CODE_PARAM_CONFLICT && is_sentence(&x.err),
                  "another task: %s", x.err.message);
        made_free(&x);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
}

/* The default preparation makes any table fit for any learner. */
static struct made prepared(tide_ctx *ctx, const tide_frame *f, const struct subject *s,
                            const struct job *j, char *text, size_t size)
{
    struct tide_problem_options o = problem_of(j);
    struct problem *p = NULL;
    tide_pipeline *pl = NULL;
    struct str canonical = {0};
    tide_error err = {0};
    struct made none = {.st = TIDE_EINTERNAL};
    tide_status st = problem_new(ctx, f, &o, &p, &err);
    if (!st) st = pipeline_default(s->name, NULL, p, &pl, NULL, &err);
    if (!st) pipeline_print(pl, &canonical);
    snprintf(text, size, "%.*s", (int)canonical.len, canonical.s ? canonical.s : "");
    CHECK_MSG(!st, "default preparation: %s", err.message);
    /* the learner's own parameters as in tests */
    if (*s->small && *text)
        snprintf(text + strlen(text), size - strlen(text), "(%s)", s->small);
    pipeline_free(pl);
    problem_free(p);
    str_free(&canonical);
    struct how how = {.text = text};
    return st ? none : make(ctx, f, s, j, &how);
}
PROPERTY(default_preparation, LEARNERS, always)
{
    FOR_JOBS(s, j)
    {
        char text[512];
        tide_ctx *ctx = ctx_open(2);
        struct grid *g = grid_new(TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES, j, 700);
        tide_frame *f = grid_frame(ctx, g);
        struct made a = prepared(ctx, f, s, j, text, sizeof text);
        CHECK_MADE(a);
        check_model(ctx, &a, f, "prepared");
        struct how how = {.text = text};
        struct made b = make(ctx, f, s, j, &how);
        CHECK_SAME_FILE(b, a, "prepared again");
        made_free(&a);
        made_free(&b);
        tide_frame_free(f);
        grid_free(g);
        tide_ctx_free(ctx);
    }
}

/* D30: whole numbers beyond 2^24 keep their last bit. Held to by what tells 0 from 1. */
static double share_right(tide_ctx *ctx, const struct subject *s, const int64_t *values)
{
    char text[512];
    const struct job *j = &suite_jobs[0];
    struct grid *g = calloc(1, sizeof *g);
    g->n = 200;
    int64_t *x = grid_int(g, "n", TIDE_I64);
    double *noise = grid_number(g, "noise");
    const char **k = grid_category(g, "target");
    for (int i = 0; i < 200; i++) {
        int one = gen_u(4, (uint64_t)i, 0) < 0.5;
        x[i] = values[one];
        noise[i] = gen_z(4, (uint64_t)i, 1);
        k[i] = one ? "yes" : "no";
    }
    tide_frame *f = grid_frame(ctx, g);
    struct made m = prepared(ctx, f, s, j, text, sizeof text);
    CHECK_MADE(m);
    double *z = m.st ? NULL : scores_of(ctx, m.m, f, NULL, 0), right = 0;
    for (int i = 0; z && i < 200; i++)
        right += (model_label(m.m, z + 2 * i) == 1) == (x[i] == values[1]);
    free(z);
    made_free(&m);
    tide_frame_free(f);
    grid_free(g);
    return right / 200;
}
PROPERTY(large_integers, LEARNERS, takes_classes)
{
    static const int64_t plain[] = {0, 1}, large[] = {16777216, 16777217},
                         larger[] = {INT64_C(1) << 40, (INT64_C(1) << 40) + 1};
    tide_ctx *ctx = ctx_open(1);
    double bar = share_right(ctx, s, plain);
    CHECK(share_right(ctx, s, large) == bar);
    CHECK(share_right(ctx, s, larger) == bar);
    tide_ctx_free(ctx);
}

/* D31: labels are names: numbers, truth values and text give the same scores */
PROPERTY(labels_are_names, LEARNERS, takes_classes)
{
    static const char *const text[][2] = {
        {"no", "yes"}, {"1", "2"}, {"-1", "1"}, {"9", "10"}};
    tide_ctx *ctx = ctx_open(1);
    struct grid *g = grid_for(s, &suite_jobs[0], 300);
    const char **k = g->own[grid_find(g, "target")];
    uint8_t yes[300];
    double *first = NULL;
    for (int i = 0; i < 300; i++) yes[i] = !strcmp(k[i], "high");
    for (int t = 0; t < 4; t++) {
        for (int i = 0; i < 300; i++) k[i] = text[t][yes[i]];
        tide_frame *f = grid_frame(ctx, g);
        struct made x = make(ctx, f, s, &suite_jobs[0], NULL);
        CHECK_MADE(x);
        if (!x.st) {
            CHECK(!strcmp(x.m->schema.labels[0], text[t][0]));
            CHECK(!strcmp(x.m->schema.labels[1], text[t][1]));
            double *z = scores_of(ctx, x.m, f, NULL, 0);
            if (t == 0)
                first = z;
            else
                check_near(z, first, 600, 0, "labels of another name");
            if (t) free(z);
        }
        made_free(&x);
        tide_frame_free(f);
    }
    free(first);
    grid_free(g);
    tide_ctx_free(ctx);
}

/* N09: classes that a column separates */
static void separable(struct grid *g)
{
    double *x = g->own[grid_find(g, "age")];
    const char **k = g->own[grid_find(g, "target")];
    for (int64_t i = 0; i < g->n; i++) {
        k[i] = i % 2 ? "yes" : "no";
        x[i] = (i % 2 ? 1 : -1) * (1 + fabs(x[i]));
    }
}
PROPERTY(separable_classes, LEARNERS | STEPS, takes_classes)
{
    struct heard heard;
    tide_ctx *ctx = ctx_open_heard(1, &heard);
    struct made x = spoilt_made(ctx, s, &suite_jobs[0], 300, separable, "separable");
    CHECK_MADE(x);
    CHECK(heard.code[TIDE_CODE_DATA_LEAK]); /* D15 */
    made_free(&x);
    tide_ctx_free(ctx);
}

/* D09: far more columns than rows */
PROPERTY(wide_table, LEARNERS | STEPS, always)
{
    enum { ROWS = 10, COLS = SUITE_SLOW ? 500 : 10000 };
    struct tide_column_in *in = calloc(COLS + 1, sizeof *in);
    double *x = calloc((size_t)ROWS * COLS, sizeof *x), y[ROWS];
    char(*name)[8] = calloc(COLS, 8);
    const char *k[ROWS];
    tide_ctx *ctx = ctx_open(2);
    for (int c = 0; c < COLS; c++) {
        snprintf(name[c], 8, "c%05d", c);
        for (int i = 0; i < ROWS; i++)
            x[c * ROWS + i] = gen_z(8, (uint64_t)c, (uint64_t)i);
        in[c] = (struct tide_column_in){.name = name[c], .f64 = x + c * ROWS};
    }
    FOR_JOBS(s, j)
    {
        if (j->n_classes == 3) continue;
        for (int i = 0; i < ROWS; i++) {
            y[i] = x[i] + 0.1 * i;
            k[i] = i % 2 ? "a" : "b";
        }
        in[COLS] = (struct tide_column_in){.name = "target"};
        if (j->task == TIDE_CLASSIFY)
            in[COLS].text = k;
        else
            in[COLS].f64 = y;
        tide_frame *f = NULL;
        CHECK(!tide_frame_new(ctx, ROWS, COLS + 1, in, &f, NULL));
        struct made m = make(ctx, f, s, j, NULL);
        CHECK_MADE(m);
        check_model(ctx, &m, f, "10 rows");
        made_free(&m);
        tide_frame_free(f);
    }
    tide_ctx_free(ctx);
    free(in);
    free(x);
    free(name);
}
