/* learners_constraint.c - monotone columns, interaction groups, growth by levels */
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt;
#define GBDT &tide_learner_gbdt
enum { N = 3000 };

/* Three numbers and a category with a target that breaks every rule now and then. */
static struct toy *three(double *y, struct fit_data *d)
{
    struct toy *t = toy_new(N);
    double *a = toy_number(t, "a"), *b = toy_number(t, "b"), *c = toy_number(t, "c");
    uint32_t *g = toy_category(t, "g", 12);
    for (int i = 0; i < N; i++) {
        a[i] = toy_u(1, i, 0);
        b[i] = toy_u(1, i, 1) < 0.1 ? (double)NAN : toy_u(1, i, 2);
        c[i] = toy_u(1, i, 3);
        g[i] = (uint32_t)(12 * toy_u(1, i, 4));
        y[i] = 3 * a[i] - 2 * (isnan(b[i]) ? 1 : b[i]) + 4 * a[i] * c[i] + (g[i] % 3) +
               4 * (toy_u(1, i, 5) - 0.5) - 2 * (a[i] > 0.4 && a[i] < 0.5);
    }
    *d = (struct fit_data){.x = toy_view(t), .task = TIDE_REGRESS, .y = y, .seed = 9};
    return t;
}

/* How often a prediction goes the wrong way when column `name` grows in steps. */
static int wrong_steps(const struct toy_model *m, struct toy *t, const char *name,
                       int way)
{
    int wrong = 0;
    for (int j = 0; j < t->n_cols; j++) {
        double *x = (double *)(uintptr_t)t->col[j].f64;
        if (strcmp(t->col[j].name, name)) continue;
        for (int i = 0; i < 60; i++) {
            double was = x[i], last = 0, out = 0;
            tide_error err = {0};
            for (int s = 0; s <= 50; s++) {
                x[i] = s / 50.0;
                CHECK_INT(
                    tide_learner_gbdt.predict(m->object, &t->view, i, 1, &out, &err),
                    0);
                wrong += s && way * (out - last) < 0;
                last = out;
            }
            x[i] = was;
        }
    }
    return wrong;
}

TEST(monotone_columns_are_followed_for_every_row)
{
    static double y[N];
    struct fit_data d;
    struct toy *t = three(y, &d);
    const char *base = "trees=60,rate=0.3,min_rows=3,patience=0,max_leaf=5";
    char options[256];
    struct toy_model *m = toy_fit(GBDT, base, &d, t->n_levels, NULL);
    CHECK(wrong_steps(m, t, "a", 1) > 0);
    toy_model_free(m);
    static const char *const more[] = {"", ",path_smooth=5", ",l1=0.5", ",loss=huber",
                                       ",growth=depthwise"};
    for (int v = 0; v < 5; v++) {
        uint64_t want = 0;
        snprintf(options, sizeof options, "%s,monotone_constraints=+a%s", base,
                 more[v]);
        for (int threads = 1; threads <= 3; threads += 2) {
            struct toy_how how = {.threads = threads};
            m = toy_fit(GBDT, options, &d, t->n_levels, &how);
            CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
            CHECK_MSG(wrong_steps(m, t, "a", 1) == 0, "%s", options);
            if (threads == 1) want = m->hash;
            CHECK(m->hash == want);
            toy_model_free(m);
        }
    }
    m = toy_fit(GBDT, "trees=60,rate=0.3,min_rows=3,patience=0,monotone=-b", &d,
                t->n_levels, NULL);
    CHECK_INT(wrong_steps(m, t, "b", -1), 0);
    toy_model_free(m);
    toy_free(t);
}

TEST(bad_constraints_are_sentences)
{
    static double y[N];
    struct fit_data d;
    struct toy *t = three(y, &d);
    static const struct {
        const char *options, *says;
        tide_code code;
    } part[] = {{"monotone=+aa", "no column \"aa\"", TIDE_CODE_PARAM_VALUE},
                {"monotone=a", "a sign before", TIDE_CODE_PARAM_VALUE},
                {"monotone=+", "a sign before", TIDE_CODE_PARAM_VALUE},
                {"monotone=+g", "categories", TIDE_CODE_PARAM_VALUE},
                {"monotone=+a,loss=absolute", "quantiles", TIDE_CODE_PARAM_CONFLICT},
                {"interact=a;q", "no column \"q\"", TIDE_CODE_PARAM_VALUE},
                {"interact=;", "no column \"\"", TIDE_CODE_PARAM_VALUE}};
    for (size_t p = 0; p < sizeof part / sizeof part[0]; p++) {
        struct toy_model *m = toy_fit(GBDT, part[p].options, &d, t->n_levels, NULL);
        CHECK_MSG(m->err.code == part[p].code, "%s: %s", part[p].options,
                  m->err.message);
        CHECK_MSG(strstr(m->err.message, part[p].says) != NULL, "%s", m->err.message);
        CHECK(m->err.field[0] != '\0');
        toy_model_free(m);
    }
    toy_free(t);
}

/* Columns that the paths of a tree ask together, as pairs [4][4]. */
static void pairs_of(const struct toy_model *m, int pair[4][4])
{
    int64_t trees = 0;
    toy_array(m, "tree_output", &trees);
    const uint32_t *first = toy_array(m, "tree_node", NULL),
                   *left = toy_array(m, "node_left", NULL),
                   *right = toy_array(m, "node_right", NULL),
                   *column = toy_array(m, "node_column", NULL),
                   *feature = toy_array(m, "column_feature", NULL);
    memset(pair, 0, 16 * sizeof(int));
    for (int64_t t = 0; t < trees; t++) {
        uint32_t n = first[t + 1] - first[t];
        int *seen = calloc(n + 1, sizeof *seen); /* columns up to a node, as bits */
        for (uint32_t i = 0; i < n; i++) {
            uint32_t at = first[t] + i;
            seen[i] |= 1 << feature[column[at]];
            for (int a = 0; a < 4; a++)
                for (int b = 0; b < 4; b++)
                    pair[a][b] |= (seen[i] >> a & 1) && (seen[i] >> b & 1);
            if (left[at] < n) seen[left[at]] = seen[i];
            if (right[at] < n) seen[right[at]] = seen[i];
        }
        free(seen);
    }
}

TEST(columns_of_a_path_share_a_group)
{
    static double y[N];
    struct fit_data d;
    struct toy *t = three(y, &d);
    int pair[4][4];
    struct toy_model *m = toy_fit(GBDT, "trees=30,patience=0", &d, t->n_levels, NULL);
    pairs_of(m, pair);
    CHECK(pair[0][1] && pair[0][2] && pair[1][2] && pair[0][3]);
    toy_model_free(m);
    tide_values *v = NULL;
    tide_error err = {0};
    tide_ctx *ctx = NULL;
    struct arena arena;
    struct fit_info info = {0};
    /* a comma separates options in toy_set: this text is set by hand */
    CHECK_INT(tide_values_new(&tide_learner_gbdt.params, "gbdt", &v, &err), 0);
    CHECK_INT(tide_values_set(v, "trees", "30", &err), 0);
    CHECK_INT(tide_values_set(v, "patience", "0", &err), 0);
    CHECK_INT(tide_values_set(v, "interact", "a, c; b,c", &err), 0);
    CHECK_INT(tide_ctx_new(&ctx, &err), 0);
    struct toy_model k = {0};
    arena_init(&arena, NULL);
    state_init(&k.state, &arena);
    CHECK_INT(tide_learner_gbdt.fit(ctx, tide_values_struct(v), &d, NULL, 0, &k.state,
                                    &info, &err),
              TIDE_OK);
    pairs_of(&k, pair);
    CHECK(pair[0][2] && pair[1][2]);
    CHECK(!pair[0][1]);                               /* a and b share no group */
    CHECK(!pair[0][3] && !pair[1][3] && !pair[2][3]); /* g is in none */
    CHECK(pair[3][3]);                                /* and still used, alone */
    arena_free(&arena);
    tide_values_free(v);
    tide_ctx_free(ctx);
    toy_free(t);
}

TEST(level_growth_fills_a_level_before_the_next)
{
    static double y[N];
    struct fit_data d;
    struct toy *t = three(y, &d);
    for (int i = 0; i < N; i++)
        y[i] = i < 10 ? 1e4 : y[i]; /* would pull leaf-wise deep */
    for (int level = 0; level < 2; level++) {
        char options[128];
        snprintf(options, sizeof options,
                 "trees=1,rate=1,leaves=8,min_rows=1,patience=0,growth=%s",
                 level ? "level" : "leaf");
        struct toy_model *m = toy_fit(GBDT, options, &d, t->n_levels, NULL);
        const uint32_t *depth = toy_array(m, "tree_depth", NULL);
        CHECK_MSG(level ? depth[0] <= 4 : depth[0] > 4, "%s: %u levels", options,
                  depth[0]);
        toy_model_free(m);
    }
    toy_free(t);
}
