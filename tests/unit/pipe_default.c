/* default preparation: what traits and columns call for, and nothing else */
#include "pipe/pipe.h"
#include "support/events.h"
#include "support/table.h"

static struct events said;
static tide_error err;

/* The canonical default pipeline of a learner for columns of a table. */
static void default_is(tide_frame *f, tide_ctx *ctx, const char *learner,
                       struct tide_problem_options o, const char *set, const char *want,
                       const char *note_want)
{
    struct problem *p = NULL;
    tide_pipeline *pipe_ = NULL;
    struct str note = {0}, text = {0};
    struct tide_text_list sets = {&set, set != NULL};
    memset(&err, 0, sizeof err);
    CHECK(!problem_new(ctx, f, &o, &p, &err));
    CHECK_MSG(!pipeline_default(learner, &sets, p, &pipe_, &note, &err), "%s",
              err.message);
    if (pipe_) pipeline_print(pipe_, &text);
    CHECK_STR(text.s, want);
    if (note_want)
        CHECK_STR(note.s, note_want);
    else
        CHECK_INT(note.len, 0);
    str_free(&note);
    str_free(&text);
    pipeline_free(pipe_);
    problem_free(p);
}

TEST(what_is_added_follows_traits_and_columns)
{
    tide_ctx *ctx = events_ctx(&said);
    tide_frame *f = table_mixed(ctx, 200, 7);
    struct tide_problem_options all = {.target = "answer"};
    default_is(f, ctx, "logistic", all, NULL,
               "num: impute:median; num: scale:standard; cat: encode:onehot; logistic",
               "prepared for logistic: num: impute:median; num: scale:standard; "
               "cat: encode:onehot");
    default_is(f, ctx, "gbdt", all, "trees=20", "gbdt(trees=20)", NULL);
    struct tide_problem_options some = {
        .target = "answer",
        .drop = {(const char *const[]){"age", "income", "city"}, 3}};
    default_is(f, ctx, "ridge",
               (struct tide_problem_options){.target = "amount", .drop = some.drop},
               NULL, "cat: encode:onehot; ridge",
               "prepared for ridge: cat: encode:onehot");
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(what_cannot_be_set_is_refused)
{
    tide_ctx *ctx = events_ctx(&said);
    tide_frame *f = table_mixed(ctx, 100, 7);
    struct tide_problem_options o = {.target = "answer"};
    struct problem *p = NULL;
    tide_pipeline *pipe_ = NULL;
    CHECK(!problem_new(ctx, f, &o, &p, &err));
    static const struct {
        const char *set, *code;
    } bad[] = {
        {"max_dept=3", "param-unknown"},
        {"trees", "param-value"},
        {"trees=0", "param-range"},
        {"trees=1e3", "param-value"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tide_text_list sets = {&bad[i].set, 1};
        CHECK_INT(pipeline_default("gbdt", &sets, p, &pipe_, NULL, &err), TIDE_EINVAL);
        CHECK_STR(tide_code_name(err.code), bad[i].code);
        CHECK(pipe_ == NULL);
    }
    struct tide_text_list twice = {(const char *const[]){"trees=3", "trees=4"}, 2};
    CHECK_INT(pipeline_default("gbdt", &twice, p, &pipe_, NULL, &err), TIDE_EINVAL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_DUPLICATE);
    CHECK_INT(pipeline_default("gbddt", NULL, p, &pipe_, NULL, &err), TIDE_EINVAL);
    CHECK_STR(err.value, "gbdt");
    problem_free(p);
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

/* Row order of the columns in the file is nobody's business. */
TEST(column_order_changes_no_score)
{
    static const char *const texts[] = {
        "a,b,c,y\n1,5,u,no\n2,3,v,yes\n3,8,u,no\n4,1,v,yes\n5,9,w,no\n6,2,w,yes\n",
        "c,y,b,a\nu,no,5,1\nv,yes,3,2\nu,no,8,3\nv,yes,1,4\nw,no,9,5\nw,yes,2,6\n"};
    tide_ctx *ctx = events_ctx(&said);
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++) {
        double out[2][12];
        if (!(learner_get(i)->tasks & TIDE_CLASSIFY)) continue;
        for (int k = 0; k < 2; k++) {
            tide_frame *f = table_text(ctx, texts[k]);
            struct tide_problem_options o = {.target = "y"};
            struct pipe_fit how = {.seed = 3};
            struct problem *p = NULL;
            tide_pipeline *pipe_ = NULL;
            tide_model *m = NULL;
            struct fit_info info = {0};
            memset(out[k], 0, sizeof out[k]);
            memset(&err, 0, sizeof err);
            tide_status st = problem_new(ctx, f, &o, &p, &err);
            if (!st)
                st =
                    pipeline_default(learner_get(i)->name, NULL, p, &pipe_, NULL, &err);
            if (!st) st = pipe_fit(ctx, p, pipe_, &how, &m, &info, &err);
            if (!st) st = pipe_predict(ctx, m, f, NULL, 6, out[k], NULL, &err);
            CHECK_MSG(!st || st == TIDE_EDATA, "%s: %s", learner_get(i)->name,
                      err.message);
            tide_model_free(m);
            pipeline_free(pipe_);
            problem_free(p);
            tide_frame_free(f);
        }
        CHECK_MSG(memcmp(out[0], out[1], sizeof out[0]) == 0, "%s",
                  learner_get(i)->name);
    }
    tide_ctx_free(ctx);
}
