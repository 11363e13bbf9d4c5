/* learners_resume.c - models that go on: further rounds are those of one fit, leaves made anew */
#include <stdio.h>

#include "infer/ensemble.h"
#include "support/toy_fit.h"
#include "support/unit.h"

extern const struct tide_learner tide_learner_gbdt, tide_learner_forest,
    tide_learner_extra_trees;
#define GBDT &tide_learner_gbdt

/* Numbers, missing values and a category of 40 levels; classes 0: a number as target. */
struct table {
    struct toy *t;
    struct fit_data d;
    double *y, *w;
    int32_t *k;
};
static struct table table_new(int64_t n, int classes, uint64_t seed)
{
    struct table s = {.t = toy_new(n)};
    double *a = toy_number(s.t, "a"), *b = toy_number(s.t, "b");
    double *c = toy_number(s.t, "c"), *e = toy_number(s.t, "e");
    uint32_t *g = toy_category(s.t, "g", 40), *h = toy_category(s.t, "h", 3);
    s.y = calloc((size_t)n, sizeof *s.y);
    s.w = calloc((size_t)n, sizeof *s.w);
    s.k = calloc((size_t)n, sizeof *s.k);
    for (int64_t i = 0; i < n; i++) {
        a[i] = toy_u(seed, i, 0);
        b[i] = toy_u(seed, i, 1) < 0.2 ? (double)NAN : floor(toy_u(seed, i, 2) * 12);
        g[i] = (uint32_t)(40 * toy_u(seed, i, 3) * toy_u(seed, i, 4));
        h[i] = (uint32_t)(3 * toy_u(seed, i, 6));
        c[i] = toy_u(seed, i, 7);
        e[i] = toy_u(seed, i, 8) - 0.5;
        s.y[i] = 2 * (a[i] > 0.4) + (isnan(b[i]) ? 1.5 : b[i] / 12) * (g[i] % 3) +
                 c[i] * h[i] + toy_u(seed, i, 5);
        s.w[i] = 0.5 + toy_u(seed, i, 9);
        s.k[i] = classes ? (int32_t)(s.y[i] * 1.7) % classes : 0;
    }
    s.d = toy_data(s.t, classes, s.y, s.k, 5);
    return s;
}
static void table_free(struct table *s)
{
    toy_free(s->t);
    free(s->y);
    free(s->w);
    free(s->k);
}

struct on {
    const struct tide_learner *learner; /* NULL: gbdt */
    int refit;
    double decay;
    int threads;
    const struct fit_data *valid;
    enum tide_isa isa;
    tide_ctx *ctx;
};
/* The model goes on over s; `trees` of the options counts all. */
static struct toy_model *go_on(const struct toy_model *from, const char *options,
                               const struct table *s, struct on on)
{
    struct toy_model *m = calloc(1, sizeof *m);
    struct fit_resume how = {from->object, on.refit, on.decay};
    const struct tide_learner *l = on.learner ? on.learner : GBDT;
    tide_ctx *own = NULL;
    tide_values *v = NULL;
    arena_init(&m->arena, NULL);
    state_init(&m->state, &m->arena);
    CHECK_INT(tide_ctx_new(&own, &m->err), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(own, on.threads ? on.threads : 1, NULL), TIDE_OK);
    if (on.isa) CHECK_INT(tide_ctx_set_isa(own, on.isa, NULL), TIDE_OK);
    CHECK_INT(tide_values_new(&l->params, l->name, &v, &m->err), 0);
    toy_set(v, options);
    m->status = l->resume(on.ctx ? on.ctx : own, tide_values_struct(v), &s->d, on.valid,
                          0, &how, &m->state, &m->info, &m->err);
    if (m->status == TIDE_OK || m->info.partial) {
        tide_error err = {0};
        m->hash = toy_hash(&m->state);
        CHECK_MSG(l->load(&m->state, s->d.task, toy_outputs(l, v, &s->d),
                          s->d.x->n_cols, s->t->n_levels, &m->arena, &m->object,
                          &err) == TIDE_OK,
                  "%s at %s", err.message, err.place);
    }
    tide_values_free(v);
    tide_ctx_free(own);
    return m;
}

static const char *with_trees(char out[256], int trees, const char *options)
{
    snprintf(out, 256, "trees=%d%s%s", trees, *options ? "," : "", options);
    return out;
}

static void check_parts(const struct table *s, const char *options, int first, int all,
                        const char *what)
{
    char text[256];
    struct toy_model *whole =
        toy_fit(GBDT, with_trees(text, all, options), &s->d, s->t->n_levels, NULL);
    struct toy_model *part =
        toy_fit(GBDT, with_trees(text, first, options), &s->d, s->t->n_levels, NULL);
    CHECK_MSG(!whole->status && !part->status, "%s: %s", options, whole->err.message);
    CHECK_INT(tide_learner_gbdt.rounds(part->object), first);
    for (int v = 0; v < 3; v++) {
        struct on on = {.threads = 1 + v % 2, .isa = v == 2 ? TIDE_ISA_BASE : 0};
        struct toy_model *m = go_on(part, with_trees(text, all, options), s, on);
        CHECK_MSG(m->status == TIDE_OK, "%s: %s", options, m->err.message);
        CHECK_MSG(m->hash == whole->hash, "%s (%s): other bytes in variant %d", options,
                  what, v);
        toy_model_free(m);
    }
    toy_model_free(part);
    toy_model_free(whole);
}

TEST(rounds_in_two_parts_are_the_bytes_of_one_fit)
{
    static const char *const options[] = {
        "patience=0",
        "patience=0,rows=0.7,columns=0.7",
        "patience=0,rows=0.5,sampling=goss,decay=0.97",
        "patience=0,rows=0.6,sampling=mvs,columns_level=0.7,columns_node=0.8",
        "patience=0,growth=symmetric,depth=4",
        "patience=0,cat_split=sets",
        "patience=0,cat_split=order,growth=symmetric,depth=4",
        "patience=0,growth=level,l1=0.5,path_smooth=3,max_leaf=0.4,bins=40",
        "patience=0,offset=e,monotone=+a",
    };
    for (int classes = 0; classes < 4; classes++) {
        struct table s = table_new(2500, classes == 1 ? 2 : classes, 1);
        if (classes == 1) s.d.w = s.w;
        for (size_t o = 0; o < sizeof options / sizeof options[0]; o++) {
            if (strstr(options[o], "offset") && classes == 3) continue;
            check_parts(&s, options[o], 9, 15, classes == 1 ? "weights" : "");
        }
        table_free(&s);
    }
}

TEST(losses_go_on_from_the_base_of_the_model)
{
    static const char *const losses[] = {
        "absolute",
        "huber",
        "pseudo_huber",
        "quantile,quantile=0.8",
        "quantile,quantile=[0.1,0.5,0.9]",
        "quantile,quantile=[0.2,0.7],multi=vector",
        "mape",
        "poisson",
        "tweedie",
        "gamma",
    };
    struct table s = table_new(2200, 0, 2);
    for (int weighted = 0; weighted < 2; weighted++)
        for (size_t l = 0; l < sizeof losses / sizeof losses[0]; l++) {
            char options[256];
            snprintf(options, sizeof options, "patience=0,loss=%s", losses[l]);
            for (int64_t i = 0; i < 2200; i++) s.y[i] += 0.1; /* gamma: above 0 */
            s.d.w = weighted ? s.w : NULL;
            check_parts(&s, options, 4, 9, "losses");
        }
    table_free(&s);
}

TEST(class_weights_are_those_of_the_rows_at_hand)
{
    struct table s = table_new(2500, 2, 3);
    check_parts(&s, "patience=0,weights=balanced,pos_weight=2", 5, 11, "classes");
    table_free(&s);
}

TEST(many_levels_keep_the_codes_of_the_model)
{
    /* 2,000 levels share 255 codes by their counts in the first rows */
    struct table s = table_new(6000, 0, 4);
    struct toy *t = s.t;
    uint32_t *g = toy_category(t, "many", 2000);
    for (int64_t i = 0; i < 6000; i++) {
        double u = toy_u(7, i, 0);
        g[i] = (uint32_t)(2000 * u * u * u);
        s.y[i] += 0.5 * (g[i] % 5);
    }
    s.d.x = toy_view(t);
    check_parts(&s, "patience=0,cat_rows=5,min_rows=3", 5, 9, "levels");
    struct toy_model *part =
        toy_fit(GBDT, "trees=5,patience=0", &s.d, t->n_levels, NULL);
    for (int64_t i = 0; i < 6000; i++) g[i] = 1999 - g[i]; /* other counts */
    struct toy_model *m = go_on(part, "trees=9,patience=0", &s, (struct on){0});
    int64_t n = 0;
    const uint8_t *a = toy_array(part, "level_code", &n),
                  *b = toy_array(m, "level_code", NULL);
    CHECK(n >= 2000 && memcmp(a, b, (size_t)n) == 0);
    toy_model_free(m);
    toy_model_free(part);
    table_free(&s);
}

TEST(statistics_of_pairs_go_on_as_they_were_made)
{
    for (int classes = 0; classes < 4; classes++) {
        if (classes == 1) continue;
        struct table s = table_new(4000, classes, 12);
        uint32_t *u = toy_category(s.t, "u", 12), *v = toy_category(s.t, "v", 12);
        for (int64_t i = 0; i < 4000; i++) {
            u[i] = (uint32_t)(12 * toy_u(8, i, 0));
            v[i] = (uint32_t)(12 * toy_u(8, i, 1));
            double pair = toy_u(9, u[i], v[i]);
            s.y[i] += 4 * pair;
            if (classes)
                s.k[i] = (int32_t)(classes * (0.8 * pair + 0.2 * toy_u(8, i, 2)));
        }
        s.d.x = toy_view(s.t);
        if (classes == 3) s.d.w = s.w;
        check_parts(&s, "patience=0", 5, 9, "pairs");
        check_parts(&s, "patience=0,cat_stats=pairs,rows=0.7", 5, 9, "pairs");
        struct toy_model *part =
            toy_fit(GBDT, "trees=5,patience=0", &s.d, s.t->n_levels, NULL);
        CHECK(((const int32_t *)toy_array(part, "shape", NULL))[6] >= 1);
        /* other rows: tables and edges are the model's, leaves are not */
        for (int64_t i = 0; i < 4000; i++) s.y[i] = 7 - s.y[i];
        for (int refit = 0; refit < 2; refit++) {
            struct toy_model *m = go_on(part, refit ? "trees=5" : "trees=9,patience=0",
                                        &s, (struct on){.refit = refit});
            int64_t n = 0;
            const uint8_t *a = toy_array(part, "level_code", &n);
            CHECK_MSG(m->status == TIDE_OK, "%s", m->err.message);
            CHECK(memcmp(a, toy_array(m, "level_code", NULL), (size_t)n) == 0);
            CHECK(m->hash != part->hash || classes);
            toy_model_free(m);
        }
        toy_model_free(part);
        table_free(&s);
    }
}

/* Scores of the rows of s. */
static double *scores_of(const struct toy_model *m, const struct table *s)
{
    int64_t n = s->d.x->n_rows, k = s->d.n_classes ? s->d.n_classes : 1;
    double *out = calloc((size_t)(n * k), sizeof *out);
    tide_error err = {0};
    CHECK_INT(tide_learner_gbdt.predict(m->object, s->d.x, 0, n, out, &err), 0);
    return out;
}
static double rmse_of(const struct toy_model *m, const struct table *s)
{
    double *z = scores_of(m, s), sum = 0;
    for (int64_t i = 0; i < s->d.x->n_rows; i++)
        sum += (z[i] - s->y[i]) * (z[i] - s->y[i]);
    free(z);
    return sqrt(sum / (double)s->d.x->n_rows);
}

TEST(other_rows_make_the_model_better_on_their_like)
{
    struct table a = table_new(600, 0, 5), b = table_new(4000, 0, 6),
                 c = table_new(4000, 0, 7);
    for (int64_t i = 0; i < 4000; i++) { /* a shift that only new rows know */
        b.y[i] += 1;
        c.y[i] += 1;
    }
    struct toy_model *part =
        toy_fit(GBDT, "trees=30,patience=0", &a.d, a.t->n_levels, NULL);
    struct toy_model *more = go_on(part, "trees=130,patience=0", &b, (struct on){0});
    struct toy_model *anew =
        go_on(part, "trees=30,patience=0", &b, (struct on){.refit = 1, .decay = 0});
    CHECK(rmse_of(more, &c) < 0.6 * rmse_of(part, &c));
    CHECK(rmse_of(anew, &c) < 0.8 * rmse_of(part, &c));
    toy_model_free(anew);
    toy_model_free(more);
    toy_model_free(part);
    table_free(&a);
    table_free(&b);
    table_free(&c);
}

static void check_stopping(const char *decay)
{
    struct table s = table_new(3000, 0, 8), v = table_new(1000, 0, 9);
    struct toy_how watched = {.valid = &v.d};
    char text[256], stops[256];
    snprintf(stops, sizeof stops, "trees=2000,patience=20,rate=0.3%s", decay);
    struct toy_model *best = toy_fit(GBDT, stops, &s.d, s.t->n_levels, &watched);
    int at = best->info.best_round;
    CHECK(at > 3 && at < 1500 && tide_learner_gbdt.rounds(best->object) == at);
    /* from before the best round to it, as if nothing had been between */
    snprintf(text, sizeof text, "trees=%d,patience=0,rate=0.3%s", at - 3, decay);
    struct toy_model *before = toy_fit(GBDT, text, &s.d, s.t->n_levels, NULL);
    struct toy_model *again = go_on(before, stops, &s, (struct on){.valid = &v.d});
    CHECK_INT(again->info.best_round, at);
    CHECK(again->hash == best->hash);
    /* from the best round no further one is kept */
    struct toy_model *same = go_on(best, stops, &s, (struct on){.valid = &v.d});
    CHECK_INT(same->info.best_round, at);
    CHECK(same->hash == best->hash && same->info.rounds == at + 20);
    /* below 2,000 rows folds count the further rounds */
    struct table few = table_new(700, 0, 8);
    struct toy_model *folds =
        go_on(before, "trees=2000,patience=20", &few, (struct on){0});
    CHECK_INT(folds->status, TIDE_OK);
    CHECK(folds->info.rounds > at - 3 && folds->info.rounds < 1500);
    toy_model_free(folds);
    toy_model_free(same);
    toy_model_free(again);
    toy_model_free(before);
    toy_model_free(best);
    table_free(&few);
    table_free(&s);
    table_free(&v);
}

TEST(stopping_counts_from_the_model)
{
    check_stopping("");
    check_stopping(",decay=0.98"); /* rates of rounds, not of the further ones */
}

TEST(a_refit_on_its_own_rows_changes_nothing)
{
    static const char *const options[] = {
        "trees=12,patience=0",
        "trees=12,patience=0,decay=0.9,l1=0.3,max_leaf=0.3,columns=0.6",
        "trees=12,patience=0,cat_split=sets",
        "trees=12,patience=0,cat_split=order,min_rows=2",
        "trees=12,patience=0,loss=absolute",
        "trees=12,patience=0,loss=quantile,quantile=0.7",
        "trees=12,patience=0,loss=quantile,quantile=[0.1,0.4,0.95]",
        "trees=12,patience=0,loss=quantile,quantile=[0.3,0.8],multi=vector",
        "trees=12,patience=0,loss=tweedie",
        "trees=12,patience=0,offset=e,growth=symmetric",
    };
    for (int classes = 0; classes < 4; classes++) {
        struct table s = table_new(2500, classes == 1 ? 2 : classes, 10);
        if (classes == 1) s.d.w = s.w;
        for (size_t o = 0; o < sizeof options / sizeof options[0]; o++) {
            if (classes && strstr(options[o], "loss")) continue;
            if (classes == 3 && strstr(options[o], "offset")) continue;
            struct toy_model *m = toy_fit(GBDT, options[o], &s.d, s.t->n_levels, NULL);
            for (int v = 0; v < 3; v++) {
                struct on on = {.refit = 1, .decay = 0.5 * v, .threads = 1 + v};
                struct toy_model *r = go_on(m, options[o], &s, on);
                CHECK_MSG(r->status == TIDE_OK, "%s", r->err.message);
                CHECK_MSG(r->hash == m->hash, "%s, %d classes, decay %g", options[o],
                          classes, on.decay);
                toy_model_free(r);
            }
            toy_model_free(m);
        }
        table_free(&s);
    }
}

TEST(a_decay_of_1_keeps_every_leaf_whatever_the_rows)
{
    struct table a = table_new(900, 3, 11), b = table_new(500, 3, 12);
    struct toy_model *m =
        toy_fit(GBDT, "trees=8,patience=0,rows=0.5", &a.d, a.t->n_levels, NULL);
    struct toy_model *r = go_on(m, "trees=8,patience=0,rows=0.5", &b,
                                (struct on){.refit = 1, .decay = 1});
    CHECK(r->hash == m->hash);
    toy_model_free(r);
    toy_model_free(m);
    table_free(&a);
    table_free(&b);
}

TEST(a_leaf_is_made_anew_on_paper)
{
    /* one tree, no penalty, rate 1: leaves are means less the base of the first rows, 1 */
    double y[80], z[80];
    struct table s = {.t = toy_new(80), .y = y};
    double *x = toy_number(s.t, "x");
    for (int i = 0; i < 80; i++) {
        x[i] = i % 2;
        y[i] = i % 2 ? 3 : -1;
    }
    s.d =
        (struct fit_data){.x = toy_view(s.t), .task = TIDE_REGRESS, .y = y, .seed = 1};
    const char *options = "trees=1,rate=1,leaves=2,min_rows=1,l2=0,patience=0";
    struct toy_model *m = toy_fit(GBDT, options, &s.d, s.t->n_levels, NULL);
    for (int i = 0; i < 80; i++) y[i] = i % 2 ? 7 : -5;
    struct toy_model *r = go_on(m, options, &s, (struct on){.refit = 1, .decay = 0.25});
    CHECK_INT(r->status, TIDE_OK);
    double *out = scores_of(r, &s);
    CHECK_NEAR(out[1], 1 + 0.25 * 2 + 0.75 * 6, 2e-3);
    CHECK_NEAR(out[0], 1 - 0.25 * 2 - 0.75 * 6, 2e-3);
    free(out);
    toy_model_free(r);
    for (int i = 0; i < 80; i++) { /* the right leaf has no row any more */
        z[i] = x[i];
        x[i] = 0;
    }
    r = go_on(m, options, &s, (struct on){.refit = 1, .decay = 0});
    for (int i = 0; i < 80; i++) x[i] = z[i];
    out = scores_of(r, &s);
    CHECK_NEAR(out[1], 3, 2e-3);
    CHECK_NEAR(out[0], 1, 2e-3); /* the mean of 7 and -5 */
    free(out);
    toy_model_free(r);
    toy_model_free(m);
    toy_free(s.t);
}

TEST(the_order_of_rows_moves_no_refitted_byte)
{
    struct table s = table_new(3000, 3, 13), other = table_new(2000, 3, 14);
    struct toy_model *m =
        toy_fit(GBDT, "trees=6,patience=0", &s.d, s.t->n_levels, NULL);
    struct toy_model *a = go_on(m, "trees=6,patience=0", &other,
                                (struct on){.refit = 1, .decay = 0.3, .threads = 2});
    int64_t row[2000];
    int32_t k[2000];
    for (int64_t i = 0; i < 2000; i++) {
        row[i] = i * 7 % 2000;
        row[i] = (i * 1231) % 2000;
        k[i] = other.k[row[i]];
    }
    struct view turned = *other.d.x;
    struct table t = other;
    turned.rows = row;
    t.d.x = &turned;
    t.d.k = k;
    struct toy_model *b = go_on(m, "trees=6,patience=0", &t,
                                (struct on){.refit = 1, .decay = 0.3, .threads = 1});
    CHECK_INT(b->status, TIDE_OK);
    CHECK(a->hash == b->hash);
    struct toy_model *c = go_on(m, "trees=10,patience=0", &other, (struct on){0});
    struct toy_model *d = go_on(m, "trees=10,patience=0", &t, (struct on){0});
    CHECK(c->hash == d->hash);
    toy_model_free(d);
    toy_model_free(c);
    toy_model_free(b);
    toy_model_free(a);
    toy_model_free(m);
    table_free(&s);
    table_free(&other);
}

static void check_refused(const struct toy_model *m, const char *options,
                          const struct table *s, int refit, const char *says)
{
    struct toy_model *r = go_on(m, options, s, (struct on){.refit = refit, .decay = 0});
    CHECK_MSG(r->status != TIDE_OK && strstr(r->err.message, says), "%s: %s", says,
              r->err.message);
    toy_model_free(r);
}

TEST(what_cannot_go_on_is_refused)
{
    struct table s = table_new(300, 0, 15);
    struct toy_model *m =
        toy_fit(GBDT, "trees=4,patience=0", &s.d, s.t->n_levels, NULL);
    check_refused(m, "trees=4,patience=0,dart=0.1", &s, 0, "cannot be continued");
    check_refused(m, "trees=4,patience=0,dart=0.1", &s, 1, "cannot be refitted");
    check_refused(m, "trees=4,patience=0,monotone=+a", &s, 1, "'monotone'");
    check_refused(m, "trees=4,patience=0,path_smooth=2", &s, 1, "'path_smooth'");
    check_refused(m, "trees=4,patience=0,loss=poisson", &s, 0, "another loss");
    toy_model_free(m);
    for (int64_t i = 0; i < 300; i++) s.y[i] = 4;
    m = toy_fit(GBDT, "trees=4,patience=0", &s.d, s.t->n_levels, NULL);
    check_refused(m, "trees=4,patience=0", &s, 0, "no trees to be continued");
    toy_model_free(m);
    table_free(&s);
}

TEST(targets_of_one_value_and_columns_without_two_go_on)
{
    struct table s = table_new(300, 2, 16), one = table_new(200, 2, 17);
    struct toy_model *m =
        toy_fit(GBDT, "trees=4,patience=0", &s.d, s.t->n_levels, NULL);
    for (int64_t i = 0; i < 200; i++) one.k[i] = 1;
    struct toy_model *r = go_on(m, "trees=9,patience=0", &one, (struct on){0});
    CHECK_INT(r->status, TIDE_OK);
    double *p = scores_of(m, &one), *q = scores_of(r, &one);
    CHECK(q[1] > p[1] && q[399] > p[399]);
    free(p);
    free(q);
    toy_model_free(r);
    for (int j = 0; j < one.t->n_cols; j++)
        for (int64_t i = 0; i < 200; i++) {
            if (one.t->col[j].type == TIDE_CAT)
                ((uint32_t *)(uintptr_t)one.t->col[j].code)[i] = CODE_MISSING;
            else
                ((double *)(uintptr_t)one.t->col[j].f64)[i] = 1;
        }
    r = go_on(m, "trees=9,patience=0", &one, (struct on){0});
    CHECK_INT(r->status, TIDE_OK);
    CHECK(r->hash == m->hash || tide_learner_gbdt.rounds(r->object) == 9);
    toy_model_free(r);
    toy_model_free(m);
    table_free(&s);
    table_free(&one);
}

TEST(every_failing_allocation_while_going_on_is_an_error)
{
    struct table s = table_new(300, 3, 18);
    struct toy_model *m =
        toy_fit(GBDT, "trees=3,patience=0", &s.d, s.t->n_levels, NULL);
    tide_ctx *ctx = NULL;
    CHECK_INT(tide_ctx_new(&ctx, NULL), TIDE_OK);
    CHECK_INT(tide_ctx_set_threads(ctx, 2, NULL), TIDE_OK);
    for (int refit = 0; refit < 2; refit++) {
        struct fit_resume how = {m->object, refit, 0.5};
        tide_values *v = NULL;
        tide_error err = {0};
        CHECK_INT(tide_values_new(&tide_learner_gbdt.params, "gbdt", &v, &err), 0);
        toy_set(v, refit ? "trees=3,patience=0" : "trees=5,patience=2");
        int64_t live = alloc_live(), k = 1, hit = 1;
        for (; k < 2000 && hit; k++) {
            struct arena a;
            struct state state;
            struct fit_info info = {0};
            arena_init(&a, ctx);
            state_init(&state, &a);
            alloc_fault_set(k, 1);
            tide_status st = tide_learner_gbdt.resume(
                ctx, tide_values_struct(v), &s.d, NULL, 0, &how, &state, &info, &err);
            hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            arena_free(&a);
            CHECK_MSG(hit ? st == TIDE_ENOMEM : st == TIDE_OK,
                      "allocation %lld: status %d", (long long)k, (int)st);
            CHECK_INT(alloc_live(), live);
        }
        CHECK(!hit && k > (refit ? 5 : 20));
        tide_values_free(v);
    }
    tide_ctx_free(ctx);
    toy_model_free(m);
    table_free(&s);
}

/* ---------------------------------------------------------------------- forests --- */

static const struct tide_learner *const forests[] = {&tide_learner_forest,
                                                     &tide_learner_extra_trees};

TEST(trees_of_a_forest_in_two_parts_are_those_of_one_fit)
{
    static const char *const sets[] = {"", ",bootstrap=no,class_weight=balanced",
                                       ",bootstrap=yes,rows=0.5,leaves=20,columns=0.6"};
    for (int l = 0; l < 2; l++)
        for (int classes = 0; classes < 4; classes += classes ? 1 : 2)
            for (int k = 0; k < 3; k++) {
                char part[80], all[80];
                struct table s = table_new(700, classes, 3);
                snprintf(part, sizeof part, "trees=10%s", sets[k]);
                snprintf(all, sizeof all, "trees=23%s", sets[k]);
                struct toy_model *a =
                    toy_fit(forests[l], part, &s.d, s.t->n_levels, NULL);
                struct toy_model *b =
                    toy_fit(forests[l], all, &s.d, s.t->n_levels, NULL);
                for (int threads = 1; threads < 4; threads += 2) {
                    struct toy_model *c =
                        go_on(a, all, &s,
                              (struct on){.learner = forests[l], .threads = threads});
                    CHECK_INT(c->status, 0);
                    CHECK_MSG(c->hash == b->hash, "%s of %d classes, %s",
                              forests[l]->name, classes, all);
                    toy_model_free(c);
                }
                toy_model_free(a);
                toy_model_free(b);
                table_free(&s);
            }
}

/* Other rows: other values, levels that the first trees have not met, and some that are gone. */
TEST(the_first_trees_of_a_forest_say_what_they_said)
{
    enum { MOST = 2000 };
    for (int l = 0; l < 2; l++)
        for (int classes = 0; classes < 4; classes += classes ? 1 : 2)
            for (int turn = 0; turn < 2; turn++) {
                static double had[3 * MOST], has[3 * MOST];
                struct table s = table_new(turn ? MOST : 60, classes, 3);
                struct table z = table_new(turn ? 60 : MOST, classes, 11);
                struct toy_model *a =
                    toy_fit(forests[l], "trees=6", &s.d, s.t->n_levels, NULL);
                struct toy_model *b = go_on(a, "trees=15,oob=yes,bootstrap=yes", &z,
                                            (struct on){.learner = forests[l]});
                const struct table *in = turn ? &s : &z;
                const struct ensemble *x = forests[l]->trees(a->object),
                                      *y = forests[l]->trees(b->object);
                CHECK_INT(b->status, 0);
                CHECK_INT(forests[l]->rounds(b->object), 15);
                CHECK_INT(ensemble_margin(x, in->d.x, 0, MOST, 6, had, NULL), 0);
                CHECK_INT(ensemble_margin(y, in->d.x, 0, MOST, 6, has, NULL), 0);
                CHECK(memcmp(had, has, (size_t)x->n_outputs * MOST * sizeof *had) == 0);
                CHECK(b->info.note && strstr(b->info.note, "is not known"));
                toy_model_free(a);
                toy_model_free(b);
                table_free(&s);
                table_free(&z);
            }
}

struct shown {
    int times;
    int32_t trees;
};
static tide_status count_shown(void *payload, const struct state *state,
                               tide_error *err)
{
    struct shown *shown = payload;
    const struct state_array *trees = state_find(state, "tree_depth");
    (void)err;
    CHECK_INT(trees->dim[0], 8 * ++shown->times);
    shown->trees = (int32_t)trees->dim[0];
    return TIDE_OK;
}

TEST(a_forest_shows_what_it_has_on_its_way)
{
    struct table s = table_new(300, 2, 3);
    struct shown shown = {0};
    struct fit_snapshot to = {8, count_shown, &shown};
    for (int l = 0; l < 2; l++) {
        struct toy_model *a =
            toy_fit(forests[l], "trees=20", &s.d, s.t->n_levels, NULL);
        struct toy_how how = {.snapshot = &to};
        shown.times = 0;
        struct toy_model *b =
            toy_fit(forests[l], "trees=20", &s.d, s.t->n_levels, &how);
        CHECK(shown.times == 2 && shown.trees == 16);
        CHECK(a->hash == b->hash);
        toy_model_free(a);
        toy_model_free(b);
    }
    table_free(&s);
}
