/* tune_snapshot.c - models of a training on its way: whole, and gone on from to the same end */
#include <stdio.h>
#include <unistd.h>

#include <tidemill/tidemill.h>

#include "pipe/pipe.h"
#include "support/table.h"

static tide_ctx *ctx;
static char path[64];

/* The last model taken is in the file `path`. */
struct taken {
    const tide_frame *frame;
    int n, fail_at;
};
static tide_status take(void *payload, const tide_model *model, tide_error *err)
{
    struct taken *t = payload;
    tide_scores *z = NULL;
    CHECK(tide_model_is_partial(model));
    CHECK_INT(tide_model_predict(ctx, model, t->frame, &z, err), 0);
    tide_scores_free(z);
    if (++t->n == t->fail_at) {
        err->code = TIDE_CODE_FILE_NO_SPACE;
        return TIDE_EFILE;
    }
    return tide_model_save(ctx, model, path, err);
}

static tide_status train(const tide_frame *f, struct tide_train_options o,
                         const tide_model *from, int refit, tide_model **out,
                         tide_error *err)
{
    struct tide_problem_options p = {.target = "answer"};
    struct tide_resume_options how = {sizeof how, refit, 0.5};
    tide_report *r = NULL;
    memset(err, 0, sizeof *err);
    tide_status st =
        from ? tide_train_from(ctx, from, &how, f, NULL, &p, &o, out, &r, err)
             : tide_train(ctx, f, NULL, &p, &o, out, &r, err);
    tide_report_free(r);
    return st;
}

static void begin(void)
{
    if (!ctx) CHECK_INT(tide_ctx_new(&ctx, NULL), 0);
    snprintf(path, sizeof path, "/tmp/tune_snapshot.%ld", (long)getpid());
}

static void check_same(const tide_model *a, const tide_model *b, const char *what)
{
    const struct state *x = &a->nodes[a->n_nodes - 1].state,
                       *y = &b->nodes[b->n_nodes - 1].state;
    CHECK_INT(x->n, y->n);
    for (int i = 0; i < x->n && i < y->n; i++) {
        const struct state_array *p = &x->arrays[i], *q = &y->arrays[i];
        size_t bytes = (size_t)(p->dim[0] * p->dim[1] * p->dim[2]) *
                       state_type_size((enum state_type)p->type);
        CHECK_MSG(!memcmp(p->dim, q->dim, sizeof p->dim) &&
                      !memcmp(p->data, q->data, bytes),
                  "%s: '%s' differs", what, p->name);
    }
}

TEST(a_snapshot_goes_on_to_the_bytes_of_the_uninterrupted_training)
{
    static const char *const pipes[] = {
        "gbdt(trees=25, patience=0)",
        "gbdt(trees=25, patience=0, rows=0.6, sampling=goss, decay=0.9)",
        "num: impute:median; cat: encode:onehot; gbdt(trees=25,patience=0,columns=0.6)",
        /* a tenth of the rows stops the rounds, before and after going on */
        "gbdt(trees=300, rate=0.3, patience=9)"};
    begin();
    tide_frame *f = table_mixed(ctx, 2600, 4);
    for (int v = 0; v < 4; v++) {
        struct taken t = {f, 0, 0};
        struct tide_snapshot snapshot = {sizeof snapshot, 7, take, &t};
        struct tide_train_options o = {.pipeline = pipes[v], .cv = 1}, on = {0};
        tide_model *plain = NULL, *whole = NULL, *part = NULL, *end = NULL;
        tide_error err;
        CHECK_MSG(!train(f, o, NULL, 0, &plain, &err), "%s", err.message);
        o.snapshot = &snapshot;
        CHECK_MSG(!train(f, o, NULL, 0, &whole, &err), "%s", err.message);
        CHECK_MSG(v == 3 ? t.n > 0 : t.n == 3, "%d snapshots", t.n);
        CHECK(!tide_model_is_partial(whole) && !*tide_model_sha256(whole));
        check_same(plain, whole, "with snapshots");
        CHECK_MSG(!tide_model_open(ctx, path, NULL, &part, &err), "%s", err.message);
        CHECK(tide_model_is_partial(part));
        CHECK_MSG(!train(f, on, part, 0, &end, &err), "%s", err.message);
        CHECK(!tide_model_is_partial(end));
        check_same(whole, end, pipes[v]);
        tide_model_free(plain);
        tide_model_free(whole);
        tide_model_free(part);
        tide_model_free(end);
    }
    unlink(path);
    tide_frame_free(f);
}

TEST(snapshots_are_of_the_final_fit_and_an_error_ends_it)
{
    begin();
    tide_frame *f = table_mixed(ctx, 300, 5);
    struct taken t = {f, 0, 0};
    struct tide_snapshot snapshot = {sizeof snapshot, 4, take, &t};
    struct tide_train_options o = {
        .pipeline = "gbdt(trees=10, patience=0)", .cv = 3, .snapshot = &snapshot};
    tide_model *m = NULL;
    tide_error err;
    CHECK_MSG(!train(f, o, NULL, 0, &m, &err), "%s", err.message);
    CHECK_INT(t.n, 2);
    tide_model_free(m);
    m = NULL;
    t.n = 0;
    t.fail_at = 2;
    CHECK_INT(train(f, o, NULL, 0, &m, &err), TIDE_EFILE);
    CHECK_INT(err.code, TIDE_CODE_FILE_NO_SPACE);
    CHECK(m == NULL);
    unlink(path);
    tide_frame_free(f);
}

TEST(what_cannot_be_gone_on_from_takes_no_snapshot)
{
    static const struct tide_train_options asked[] = {
        {.learner = "auto"},
        {.learner = "logistic"},
        {.pipeline = "bagging(members=3)"}};
    begin();
    tide_frame *f = table_mixed(ctx, 100, 6);
    struct taken t = {f, 0, 0};
    struct tide_snapshot snapshot = {sizeof snapshot, 1, take, &t};
    tide_model *m = NULL, *part = NULL;
    tide_error err;
    for (int v = 0; v < 3; v++) {
        struct tide_train_options o = asked[v];
        o.snapshot = &snapshot;
        CHECK_INT(train(f, o, NULL, 0, &m, &err), TIDE_EINVAL);
        CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
        CHECK_STR(err.option, "learner");
    }
    struct tide_train_options o = {.pipeline = "gbdt(trees=3, patience=0)", .cv = 1};
    CHECK_INT(train(f, o, NULL, 0, &part, &err), 0);
    o.snapshot = &snapshot;
    snapshot.every = 0;
    CHECK_INT(train(f, o, NULL, 0, &m, &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_RANGE);
    snapshot = (struct tide_snapshot){sizeof snapshot, 1, NULL, NULL};
    CHECK_INT(train(f, o, NULL, 0, &m, &err), TIDE_EINVAL);
    CHECK_STR(err.message, "'snapshot' needs a function that takes it");
    snapshot.take = take;
    o.pipeline = NULL;
    CHECK_INT(train(f, o, part, 1, &m, &err), TIDE_EINVAL);
    CHECK_STR(err.message, "a refit adds no rounds, so 'snapshot' has nothing to take");
    CHECK(m == NULL && t.n == 0);
    tide_model_free(part);
    tide_frame_free(f);
}
