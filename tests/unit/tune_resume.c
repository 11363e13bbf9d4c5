/* tune_resume.c - training that goes on from a model: schema, steps, classes, what is refused */
#include <unistd.h>

#include <tidemill/tidemill.h>

#include "pipe/pipe.h"
#include "support/table.h"

static tide_ctx *ctx;

static void begin(void)
{
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), 0);
}

/* Trains, or goes on from a model, without validation. */
static tide_status train(const tide_frame *f, const char *target, const char *pipeline,
                         const tide_model *from, const char *set, int refit,
                         tide_model **out, tide_error *err)
{
    struct tide_problem_options p = {.target = target};
    struct tide_train_options o = {
        .pipeline = pipeline, .cv = 1, .set = {&set, set ? 1 : 0}};
    struct tide_resume_options how = {sizeof how, refit, 0};
    tide_report *r = NULL;
    memset(err, 0, sizeof *err);
    tide_status st =
        from ? tide_train_from(ctx, from, &how, f, NULL, &p, &o, out, &r, err)
             : tide_train(ctx, f, NULL, &p, &o, out, &r, err);
    tide_report_free(r);
    return st;
}

static const char *state_differs(const tide_model *a, const tide_model *b)
{
    if (a->n_nodes != b->n_nodes) return "nodes";
    for (int k = 0; k < a->n_nodes; k++) {
        const struct state *x = &a->nodes[k].state, *y = &b->nodes[k].state;
        if (x->n != y->n) return "arrays";
        for (int i = 0; i < x->n; i++) {
            const struct state_array *p = &x->arrays[i], *q = &y->arrays[i];
            size_t bytes = (size_t)(p->dim[0] * p->dim[1] * p->dim[2]) *
                           state_type_size((enum state_type)p->type);
            if (strcmp(p->name, q->name) || memcmp(p->dim, q->dim, sizeof p->dim) ||
                memcmp(p->data, q->data, bytes))
                return p->name;
        }
    }
    return NULL;
}

TEST(a_model_and_its_steps_go_on_as_if_fitted_at_once)
{
    static const char *const pipes[][3] = {
        {"gbdt(trees=12, patience=0)", "gbdt(trees=20, patience=0)", "trees=8"},
        {"num: impute:median; cat: encode:onehot; gbdt(trees=5, patience=0, rows=0.7)",
         "num: impute:median; cat: encode:onehot; gbdt(trees=9, patience=0, rows=0.7)",
         "trees=4"}};
    begin();
    tide_frame *f = table_mixed(ctx, 900, 4);
    for (int t = 0; t < 4; t++) {
        const char *target = t % 2 ? "answer" : "amount";
        tide_model *part = NULL, *whole = NULL, *on = NULL, *anew = NULL;
        tide_error err;
        CHECK_INT(train(f, target, pipes[t / 2][0], NULL, NULL, 0, &part, &err), 0);
        CHECK_INT(train(f, target, pipes[t / 2][1], NULL, NULL, 0, &whole, &err), 0);
        CHECK_MSG(!train(f, target, NULL, part, pipes[t / 2][2], 0, &on, &err), "%s",
                  err.message);
        CHECK_MSG(!train(f, NULL, NULL, part, NULL, 1, &anew, &err), "%s", err.message);
        const char *d = state_differs(on, whole);
        CHECK_MSG(!d, "%s differs", d);
        struct str a = {0}, b = {0}, c = {0}, had = {0};
        pipeline_print(on->pipeline, &a);
        pipeline_print(whole->pipeline, &b);
        pipeline_print(anew->pipeline, &c);
        pipeline_print(part->pipeline, &had);
        CHECK_STR(a.s, b.s);
        CHECK_STR(c.s, had.s);
        str_free(&a);
        str_free(&b);
        str_free(&c);
        str_free(&had);
        if (t < 2) { /* every row took part, so a refit on them changes nothing */
            d = state_differs(anew, part);
            CHECK_MSG(!d, "%s differs after a refit", d);
        }
        tide_model_free(part); /* the others do not need it */
        tide_scores *z = NULL;
        CHECK_INT(tide_model_predict(ctx, on, f, &z, &err), 0);
        tide_scores_free(z);
        tide_model_free(on);
        tide_model_free(anew);
        tide_model_free(whole);
    }
    tide_frame_free(f);
}

TEST(a_saved_model_goes_on_like_the_fitted_one)
{
    begin();
    tide_frame *f = table_mixed(ctx, 500, 5);
    tide_model *part = NULL, *read = NULL, *a = NULL, *b = NULL;
    tide_error err;
    CHECK_INT(
        train(f, "answer", "gbdt(trees=6, patience=0)", NULL, NULL, 0, &part, &err), 0);
    char path[] = "/tmp/tune_resume.XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    CHECK_MSG(!tide_model_save(ctx, part, path, &err), "%s", err.message);
    CHECK_MSG(!tide_model_open(ctx, path, NULL, &read, &err), "%s", err.message);
    unlink(path);
    CHECK_INT(train(f, NULL, NULL, part, "trees=5", 0, &a, &err), 0);
    CHECK_INT(train(f, NULL, NULL, read, "trees=5", 0, &b, &err), 0);
    CHECK(state_differs(a, b) == NULL);
    tide_model_free(part);
    tide_model_free(read);
    tide_model_free(a);
    tide_model_free(b);
    tide_frame_free(f);
}

static const char first_rows[] = "x,town,y\n"
                                 "1,Rome,no\n2,Oslo,yes\n3,Rome,no\n4,Oslo,yes\n"
                                 "5,Rome,maybe\n6,Oslo,maybe\n7,Rome,no\n8,Lima,yes\n"
                                 "9,Rome,maybe\n10,Lima,no\n";
#define FEW "gbdt(trees=3, patience=0, min_rows=1, leaves=4)"

/* Goes on over a table, or says why not. */
static void check_table(const tide_model *m, const char *csv, const char *says)
{
    tide_frame *f = table_text(ctx, csv);
    tide_model *on = NULL;
    tide_error err;
    tide_status st = train(f, NULL, NULL, m, NULL, 0, &on, &err);
    if (!says)
        CHECK_MSG(!st, "%s", err.message);
    else
        CHECK_MSG(st && strstr(err.message, says), "%s: %s", says, err.message);
    if (on) {
        CHECK_INT(on->schema.n_classes, m->schema.n_classes);
        for (int k = 0; k < on->schema.n_classes; k++)
            CHECK_STR(on->schema.labels[k], m->schema.labels[k]);
        CHECK_INT(on->schema.cols[0].levels.n, m->schema.cols[0].levels.n);
    }
    tide_model_free(on);
    tide_frame_free(f);
}

TEST(tables_must_have_what_the_model_knows)
{
    begin();
    tide_frame *f = table_text(ctx, first_rows);
    tide_model *m = NULL;
    tide_error err;
    CHECK_INT(train(f, "y", FEW, NULL, NULL, 0, &m, &err), 0);
    /* other order, fewer classes, new towns, one column more */
    check_table(m, "more,y,town,x\n1,yes,Bonn,3\n2,no,Rome,4\n3,yes,Bonn,1\n", NULL);
    check_table(m, "town,y,x\nRome,no,3\nOslo,no,4\nRome,no,8\n", NULL);
    check_table(m, "town,y\nRome,no\nOslo,yes\nRome,yes\n",
                "no column 'x', which the model needs");
    check_table(m, "x,y,town\na,no,Rome\nb,yes,Oslo\nc,no,Rome\n",
                "'x' held numbers when the model was fitted, got \"a\"");
    check_table(m, "x,z,town\n1,no,Rome\n2,yes,Oslo\n", "'y'");
    check_table(m, "x,y,town\n1,no,Rome\n2,perhaps,Oslo\n3,no,Rome\n4,perhaps,Rome\n",
                "'y' holds \"perhaps\", a class that the model does not know");
    tide_model_free(m);
    tide_frame_free(f);
}

TEST(constant_and_odd_columns_stay_features)
{
    /* screening would leave them out of a new problem */
    begin();
    tide_frame *f = table_mixed(ctx, 300, 6);
    tide_frame *g = table_text(ctx, "age,income,city,plan,amount\n"
                                    "30,2000,Rome,pro,10\n30,2100,Rome,pro,12.5\n"
                                    "30,2200,Rome,pro,30\n30,2300,Rome,pro,11\n");
    tide_model *m = NULL, *on = NULL;
    tide_error err;
    struct tide_problem_options p = {.target = "amount"};
    const char *drop = "answer";
    p.drop = (struct tide_text_list){&drop, 1};
    struct tide_train_options o = {.pipeline = "gbdt(trees=3, patience=0)", .cv = 1};
    tide_report *r = NULL;
    CHECK_INT(tide_train(ctx, f, NULL, &p, &o, &m, &r, &err), 0);
    tide_report_free(r);
    CHECK_MSG(!train(g, "amount", NULL, m, "trees=2", 0, &on, &err), "%s", err.message);
    CHECK_INT(on->schema.n_cols, 4);
    tide_model_free(on);
    tide_model_free(m);
    tide_frame_free(f);
    tide_frame_free(g);
}

static void check_set(const tide_frame *f, const tide_model *m, const char *set,
                      int refit, tide_code code, const char *says)
{
    tide_model *on = NULL;
    tide_error err;
    tide_status st = train(f, NULL, NULL, m, set, refit, &on, &err);
    CHECK_MSG(st && err.code == code && strstr(err.message, says), "%s: %s (%s)", says,
              err.message, tide_code_name(err.code));
    CHECK(on == NULL);
}

TEST(parameters_that_must_stay_are_refused)
{
    begin();
    tide_frame *f = table_mixed(ctx, 200, 7);
    tide_model *m = NULL, *on = NULL, *other = NULL;
    tide_error err;
    CHECK_INT(train(f, "amount", "gbdt(trees=4, patience=0, loss=huber)", NULL, NULL, 0,
                    &m, &err),
              0);
    check_set(f, m, "bins=16", 0, TIDE_CODE_PARAM_CONFLICT,
              "the model's 'bins' stays 255, got \"16\"");
    check_set(f, m, "loss=squared", 0, TIDE_CODE_PARAM_CONFLICT, "'loss' stays huber");
    check_set(f, m, "offset=age", 1, TIDE_CODE_PARAM_CONFLICT, "without 'offset'");
    check_set(f, m, "dart=0.2", 0, TIDE_CODE_PARAM_CONFLICT, "'dart' stays 0");
    check_set(f, m, "trees=3", 1, TIDE_CODE_PARAM_CONFLICT, "adds no trees");
    check_set(f, m, "tree=3", 0, TIDE_CODE_PARAM_UNKNOWN, "no parameter 'tree'");
    check_set(f, m, "trees=100000", 0, TIDE_CODE_PARAM_RANGE, "'trees' must be in");
    check_set(f, m, "trees", 0, TIDE_CODE_PARAM_VALUE, "expected name=value");
    CHECK_INT(train(f, NULL, NULL, m, "loss=huber", 0, &on, &err), 0); /* the same */
    tide_model_free(on);
    on = NULL;
    CHECK_INT(train(f, NULL, NULL, m, "rate=0.3", 0, &on, &err), 0);
    tide_model_free(on);
    CHECK_INT(train(f, "amount", "ridge", NULL, NULL, 0, &other, &err), TIDE_EDATA);
    CHECK_INT(train(f, "amount", "forest(trees=3)", NULL, NULL, 0, &other, &err), 0);
    check_set(f, other, NULL, 1, TIDE_CODE_PARAM_CONFLICT,
              "a model of forest cannot be refitted; one of these learners can: gbdt");
    CHECK_INT(train(f, NULL, NULL, other, "trees=2", 0, &on, &err), 0);
    tide_model_free(on);
    tide_model_free(other);
    tide_model_free(m);
    tide_frame_free(f);
}

TEST(options_must_not_contradict_the_model)
{
    static const struct {
        struct tide_problem_options p;
        struct tide_train_options o;
        struct tide_resume_options how;
        const char *says;
    } part[] = {
        {{.target = "amount"}, {.cv = 1}, {0}, "the model's 'target' is answer"},
        {{.task = 2}, {.cv = 1}, {0}, "the model's 'task' is classify"},
        {{.positive = "no"}, {.cv = 1}, {0}, "the model's 'positive' is yes"},
        {{0}, {.learner = "forest"}, {0}, "the model's 'learner' is gbdt"},
        {{0}, {.pipeline = "gbdt"}, {0}, "'pipeline' cannot be given"},
        {{0}, {.seed = 9}, {0}, "the model's 'seed' is 0"},
        {{0}, {.cv = 5}, {0}, "'cv' cannot be given"},
        {{0}, {0}, {.refit = 2}, "'refit' must be 0 or 1"},
        {{0}, {0}, {.refit_decay = 1.5}, "'refit_decay' must be in [0, 1]"},
    };
    begin();
    tide_frame *f = table_mixed(ctx, 200, 8);
    tide_model *m = NULL, *on = NULL;
    tide_report *r = NULL;
    tide_error err;
    CHECK_INT(train(f, "answer", "gbdt(trees=4, patience=0)", NULL, NULL, 0, &m, &err),
              0);
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
        CHECK(tide_train_from(ctx, m, &part[i].how, f, NULL, &part[i].p, &part[i].o,
                              &on, &r, &err));
        CHECK_MSG(strstr(err.message, part[i].says), "%s", err.message);
        CHECK(!on && !r);
    }
    tide_model_free(m);
    tide_frame_free(f);
}

TEST(only_rows_of_its_own_validate_it)
{
    begin();
    tide_frame *f = table_mixed(ctx, 400, 9), *v = table_mixed(ctx, 300, 10);
    tide_model *m = NULL, *on = NULL;
    tide_report *r = NULL;
    tide_error err;
    struct tide_problem_options p = {0};
    struct tide_train_options o = {0};
    double value;
    const char *why;
    CHECK_INT(train(f, "amount", "gbdt(trees=9, patience=0)", NULL, NULL, 0, &m, &err),
              0);
    for (int i = 0; i < 3; i++) {
        o.holdout = i == 1 ? 0.25 : 0;
        CHECK_MSG(
            !tide_train_from(ctx, m, NULL, f, i == 2 ? v : NULL, &p, &o, &on, &r, &err),
            "%s", err.message);
        CHECK(!tide_report_number(r, "rmse", &value, &why) == (i > 0));
        tide_report_free(r);
        tide_model_free(on);
    }
    tide_model_free(m);
    tide_frame_free(f);
    tide_frame_free(v);
}

TEST(the_column_of_groups_goes_on_when_the_model_before_is_gone)
{
    enum { N = 60 };
    double x[N], y[N];
    int64_t q[N];
    begin();
    for (int i = 0; i < N; i++) {
        x[i] = (i * 7) % 13;
        y[i] = (i * 7) % 13 / 5;
        q[i] = i / 10;
    }
    struct tide_column_in cols[] = {
        {.name = "x", .f64 = x}, {.name = "query", .i64 = q}, {.name = "y", .f64 = y}};
    struct tide_problem_options p = {.target = "y", .group = "query"}, none = {0};
    struct tide_train_options o = {
        .pipeline = "gbdt(loss=lambdarank, trees=4, patience=0, min_rows=1)", .cv = 1};
    tide_frame *f = NULL;
    tide_model *m = NULL, *on = NULL;
    tide_report *r = NULL;
    tide_error err;
    CHECK_INT(tide_frame_new(ctx, N, 3, cols, &f, &err), 0);
    CHECK_MSG(!tide_train(ctx, f, NULL, &p, &o, &m, &r, &err), "%s", err.message);
    tide_report_free(r);
    o.pipeline = NULL;
    p.group = "x";
    CHECK_INT(tide_train_from(ctx, m, NULL, f, NULL, &p, &o, &on, &r, &err),
              TIDE_EINVAL);
    CHECK_STR(err.message, "the model's 'group' is query, got \"x\"");
    CHECK_MSG(!tide_train_from(ctx, m, NULL, f, NULL, &none, &o, &on, &r, &err), "%s",
              err.message);
    tide_report_free(r);
    tide_model_free(m);
    CHECK_STR(on->schema.group, "query");
    tide_model_free(on);
    tide_frame_free(f);
}

TEST(cleared)
{
    tide_ctx_free(ctx);
    ctx = NULL;
}
