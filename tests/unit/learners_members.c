/* voting, bagging and stacking: what their members say, and how it is put together */
#include <math.h>

#include "learners/members/members.h"
#include "support/toy_fit.h"

enum { N = 240 };

/* Three numbers; y follows two of them and a step, the class is y above 0; or y is noise. */
static struct toy *table(struct fit_data *d, uint32_t task, int is_noise)
{
    static double y[N];
    static int32_t k[N];
    struct toy *t = toy_new(N);
    double *x[3] = {toy_number(t, "a"), toy_number(t, "b"), toy_number(t, "c")};
    for (int64_t i = 0; i < N; i++) {
        for (uint32_t j = 0; j < 3; j++) x[j][i] = toy_u(1, i, j) - 0.5;
        y[i] = is_noise ? toy_u(2, i, 9) - 0.5
                        : x[0][i] - 2 * x[1][i] + (x[2][i] > 0.2) + toy_u(2, i, 9) / 5;
        k[i] = y[i] > 0;
    }
    *d = (struct fit_data){.x = toy_view(t), .task = task, .n_classes = 2, .seed = 3};
    if (task == TIDE_CLASSIFY)
        d->k = k;
    else
        d->y = y;
    return t;
}

static const struct tide_learner *of(const char *name)
{
    const struct tide_learner *l = learner_find(name, NULL);
    CHECK(l != NULL);
    return l;
}

/* Fits and scores all rows into out. */
static void score(const char *name, const char *options, const struct toy *t,
                  const struct fit_data *d, double *out)
{
    tide_error err = {0};
    struct toy_model *m = toy_fit(of(name), options, d, t->n_levels, NULL);
    CHECK_MSG(!m->status, "%s(%s): %s", name, options, m->err.message);
    if (!m->status)
        CHECK_INT(of(name)->predict(m->object, d->x, 0, N, out, &err), TIDE_OK);
    toy_model_free(m);
}

TEST(a_soft_vote_is_the_mean_of_the_members)
{
    struct fit_data d;
    struct toy *t = table(&d, TIDE_REGRESS, 0);
    double both[N], ridge[N], tree[N];
    score("voting", "of=ridge + tree(leaves=4)", t, &d, both);
    score("ridge", "", t, &d, ridge);
    score("tree", "leaves=4", t, &d, tree);
    for (int i = 0; i < N; i++) CHECK_NEAR(both[i], 0.5 * ridge[i] + 0.5 * tree[i], 0);
    toy_free(t);
}

TEST(a_hard_vote_counts_classes)
{
    struct fit_data d;
    struct toy *t = table(&d, TIDE_CLASSIFY, 0);
    double hard[2 * N], one[3][2 * N];
    score("voting", "of=logistic + tree(leaves=4) + tree(leaves=9),vote=hard", t, &d,
          hard);
    score("logistic", "", t, &d, one[0]);
    score("tree", "leaves=4", t, &d, one[1]);
    score("tree", "leaves=9", t, &d, one[2]);
    for (int i = 0; i < N; i++) {
        int yes = 0;
        for (int m = 0; m < 3; m++) yes += one[m][2 * i + 1] > one[m][2 * i];
        CHECK_NEAR(hard[2 * i + 1], yes / 3.0, 1e-15);
        CHECK_NEAR(hard[2 * i] + hard[2 * i + 1], 1, 1e-15);
    }
    toy_free(t);
}

TEST(every_learner_is_the_same_as_a_member)
{
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++) {
        const struct tide_learner *l = learner_get(i);
        struct fit_data d;
        struct member_wishes w;
        int holds = members_parse(l->name, &w, NULL) != TIDE_OK;
        members_free(&w);
        CHECK_INT(holds, !strcmp(l->name, "voting") || !strcmp(l->name, "bagging") ||
                             !strcmp(l->name, "stacking"));
        for (uint32_t task = 1; !holds && task <= 2; task++) {
            if (!(l->tasks & task)) continue;
            struct toy *t = table(&d, task, 0);
            double alone[2 * N] = {0}, member[2 * N] = {0};
            char options[64];
            snprintf(options, sizeof options, "of=%s", l->name);
            score(l->name, "", t, &d, alone);
            score("voting", options, t, &d, member);
            CHECK_MSG(!memcmp(alone, member, sizeof alone), "%s, task %u", l->name,
                      task);
            toy_free(t);
        }
    }
}

TEST(what_is_no_list_of_members_is_refused)
{
    static const char *const bad[] = {"",         "tree +",       "tree + nosuch",
                                      "tree(",    "tree(leaves)", "tree(leaves=x)",
                                      "(leaves)", "voting",       "tree(nosuch=1)"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct member_wishes w;
        tide_error err = {0};
        CHECK_MSG(members_parse(bad[i], &w, &err) == TIDE_EINVAL && *err.message,
                  "\"%s\"", bad[i]);
        members_free(&w);
    }
    struct member_wishes w;
    CHECK_INT(members_parse(" tree ( leaves = 4 , min_rows=2 )+baseline", &w, NULL),
              TIDE_OK);
    CHECK_INT(w.n, 2);
    members_free(&w);
}

TEST(a_bag_of_all_rows_is_the_learner)
{
    struct fit_data d;
    struct toy *t = table(&d, TIDE_REGRESS, 0);
    double bag[N], tree[N];
    score("bagging", "of=tree(leaves=9),members=3,bootstrap=no", t, &d, bag);
    score("tree", "leaves=9", t, &d, tree);
    for (int i = 0; i < N; i++) CHECK_NEAR(bag[i], tree[i], 1e-14);
    toy_free(t);
}

TEST(members_of_a_bag_differ_and_take_their_columns)
{
    struct fit_data d;
    struct toy *t = table(&d, TIDE_REGRESS, 0);
    struct toy_model *m =
        toy_fit(of("bagging"), "members=8,columns=0.6", &d, t->n_levels, NULL);
    int64_t n = 0;
    const int32_t *cols = toy_array(m, "columns", &n);
    CHECK(cols && n == 8);
    int differ = 0;
    for (int i = 0; cols && i < 8; i++) {
        CHECK(cols[2 * i] >= 0 && cols[2 * i] < cols[2 * i + 1] && cols[2 * i + 1] < 3);
        differ += memcmp(cols, cols + 2 * i, 2 * sizeof *cols) != 0;
    }
    CHECK(differ > 0);
    toy_model_free(m);
    toy_free(t);
}

static double out_of_bag(const char *learner, const char *options, const char *form,
                         struct toy *t, const struct fit_data *d)
{
    double said = NAN;
    struct toy_model *m = toy_fit(of(learner), options, d, t->n_levels, NULL);
    CHECK_INT(m->status, TIDE_OK);
    CHECK_MSG(m->info.note && sscanf(m->info.note, form, &said) == 1, "%s",
              m->info.note ? m->info.note : "no note");
    toy_model_free(m);
    return said;
}

/* The draws are those of a forest, and so are the trees but for equal splits. */
TEST(a_bag_is_scored_by_members_that_have_not_seen_the_row)
{
    static const char *const form[] = {"out-of-bag R2 %lf", "out-of-bag accuracy %lf"};
    for (int classes = 0; classes < 2; classes++) {
        struct fit_data d;
        struct toy *t = table(&d, classes ? TIDE_CLASSIFY : TIDE_REGRESS, 0);
        double bag = out_of_bag("bagging", "of=tree(min_rows=1),members=30,oob=yes",
                                form[classes], t, &d);
        double forest = out_of_bag("forest", "trees=30,columns=1,min_rows=1,oob=yes",
                                   form[classes], t, &d);
        double linear = out_of_bag("bagging",
                                   classes ? "of=logistic,members=9,columns=0.6,oob=yes"
                                           : "of=ridge,members=9,columns=0.6,oob=yes",
                                   form[classes], t, &d);
        CHECK_NEAR(bag, forest, 0.03);
        CHECK(bag > 0.5 && bag < 1 && linear < 1);
        struct toy_model *m = toy_fit(of("bagging"), "members=3,bootstrap=no,oob=yes",
                                      &d, t->n_levels, NULL);
        CHECK(m->info.note &&
              strstr(m->info.note, "no row was left out of any member"));
        toy_model_free(m);
        toy_free(t);
    }
}

/* With levelled classes the rarer one is said more often. */
TEST(a_bag_may_level_the_classes)
{
    struct fit_data d;
    struct toy *t = table(&d, TIDE_CLASSIFY, 1);
    double said[2] = {0, 0};
    int64_t ones = 0;
    int32_t k[N];
    for (int64_t i = 0; i < N; i++) ones += k[i] = i % 9 == 0;
    d.k = k;
    for (int level = 0; level < 2; level++) {
        struct toy_model *m =
            toy_fit(of("bagging"),
                    level ? "of=baseline,members=4,class_weight=balanced"
                          : "of=baseline,members=4",
                    &d, t->n_levels, NULL);
        double p[2 * N];
        CHECK_INT(of("bagging")->predict(m->object, d.x, 0, N, p, NULL), TIDE_OK);
        said[level] = p[1];
        toy_model_free(m);
    }
    CHECK_NEAR(said[0], (double)ones / N, 0.05);
    CHECK_NEAR(said[1], 0.5, 0.1);
    toy_free(t);
}

/* Full trees know the noise of their rows by heart; out of fold they know nothing. */
TEST(a_stack_does_not_believe_what_members_learned_by_heart)
{
    struct fit_data d;
    struct toy *t = table(&d, TIDE_REGRESS, 1);
    double stack[N], tree[N], all = 0, by_tree = 0, by_stack = 0;
    score("stacking", "of=tree(min_rows=1)", t, &d, stack);
    score("tree", "min_rows=1", t, &d, tree);
    for (int i = 0; i < N; i++) {
        all += d.y[i] * d.y[i];
        by_tree += (d.y[i] - tree[i]) * (d.y[i] - tree[i]);
        by_stack += (d.y[i] - stack[i]) * (d.y[i] - stack[i]);
    }
    CHECK(by_tree < 0.01 * all);
    CHECK_MSG(by_stack > 0.7 * all, "%g of %g", by_stack, all);
    toy_free(t);
}

TEST(a_stack_is_at_least_its_best_member)
{
    struct fit_data d;
    struct toy *t = table(&d, TIDE_REGRESS, 0);
    double stack[N], baseline[N], ridge[N], of_stack = 0, of_ridge = 0;
    score("stacking", "of=ridge + baseline", t, &d, stack);
    score("ridge", "", t, &d, ridge);
    score("baseline", "", t, &d, baseline);
    for (int i = 0; i < N; i++) {
        of_stack += (d.y[i] - stack[i]) * (d.y[i] - stack[i]);
        of_ridge += (d.y[i] - ridge[i]) * (d.y[i] - ridge[i]);
    }
    CHECK_MSG(of_stack < 1.02 * of_ridge, "%g, ridge alone %g", of_stack, of_ridge);
    toy_free(t);
}
