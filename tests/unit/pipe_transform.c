/* what the learner sees, what it learned and how every fold went, through the public interface */
#include <string.h>

#include <tidemill/model.h>

#include "base/alloc.h"
#include "support/events.h"
#include "support/table.h"

static struct events said;
static tide_ctx *ctx;

static const char table[] = "x,c,y\n1,a,1\n2,b,2\n,a,2.5\n4,b,4.5\n5,a,5\n6,,6.5\n"
                            "7,b,7\n8,a,8\n9,b,9.5\n10,a,9.75\n";
static const char pipeline[] =
    "num: impute:median; num: scale:standard; cat: encode:onehot; ridge(l2=0.5)";

static tide_status fit(const tide_frame *f, int folds, tide_model **m, tide_report **r)
{
    tide_error err = {0};
    struct tide_problem_options p = {.target = "y", .task = 2};
    struct tide_train_options o = {.pipeline = pipeline, .cv = folds, .metric = "mae"};
    tide_status st = tide_train(ctx, f, NULL, &p, &o, m, r, &err);
    CHECK_MSG(!st, "%s", err.message);
    return st;
}

static int keep_text(void *payload, const void *data, size_t n)
{
    char *text = payload;
    size_t len = strlen(text);
    if (len + n < 65536) memcpy(text + len, data, n);
    return 0;
}

static const char *json_of(tide_report *r)
{
    static char text[65536];
    struct tide_report_style style = {.format = TIDE_FORMAT_JSON};
    memset(text, 0, sizeof text);
    CHECK(!tide_report_write(r, &style, keep_text, text, NULL));
    tide_report_free(r);
    return text;
}

TEST(a_table_after_the_steps_is_what_the_learner_sees)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, table), *out = NULL;
    tide_frame *more = table_text(ctx, "c,x\nb,\n,5.5\nnew,5.5\n");
    tide_model *m = NULL;
    tide_report *r = NULL;
    CHECK(!fit(f, 1, &m, &r));
    tide_report_free(r);
    CHECK(!tide_model_transform(ctx, m, more, &out, NULL));
    tide_frame_free(more);
    CHECK_INT(tide_frame_rows(out), 3);
    int x = tide_frame_find(out, "x", NULL, NULL), b = -1;
    CHECK(x >= 0);
    /* the median 6 takes the place of the gap; the mean of the column is then 5.8 */
    double sd = 0, v[] = {1, 2, 6, 4, 5, 6, 7, 8, 9, 10};
    for (int i = 0; i < 10; i++) sd += (v[i] - 5.8) * (v[i] - 5.8) / 10;
    CHECK_NEAR(tide_frame_number(out, 0, x), 0.2 / sqrt(sd), 1e-12);
    CHECK_NEAR(tide_frame_number(out, 1, x), -0.3 / sqrt(sd), 1e-12);
    /* one column a level; a level never seen has none */
    for (int j = 0; j < tide_frame_columns(out); j++)
        if (j != x && tide_frame_number(out, 0, j) == 1) b = j;
    CHECK(b >= 0);
    CHECK(tide_frame_number(out, 2, b) == 0);
    tide_frame_free(out);
    out = NULL;
    CHECK_INT(tide_model_transform(ctx, m, NULL, &out, NULL), TIDE_EINVAL);
    more = table_text(ctx, "x\n1\n");
    CHECK_INT(tide_model_transform(ctx, m, more, &out, NULL), TIDE_EDATA);
    CHECK(!out);
    tide_frame_free(more);
    tide_model_free(m);
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(reports_hold_what_was_learned_and_the_score_of_every_fold)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, table);
    tide_model *m = NULL;
    tide_report *r = NULL;
    CHECK(!fit(f, 5, &m, &r));
    const char *text = json_of(r), *at = strstr(text, "\"fold_scores\"");
    int commas = 0;
    CHECK(at);
    for (; at && *at && *at != ']'; at++) commas += *at == ',';
    CHECK_INT(commas, 4);
    CHECK(!tide_model_show(ctx, m, &r, NULL));
    text = json_of(r);
    CHECK(strstr(text, "\"learned\""));
    CHECK(strstr(text, "\"scale:standard\""));
    CHECK(strstr(text, "\"coef\""));
    tide_model_free(m);
    tide_frame_free(f);
    tide_ctx_free(ctx);
}

TEST(memory_may_end_anywhere_in_a_transform)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, table), *out = NULL;
    tide_model *m = NULL;
    tide_report *r = NULL;
    CHECK(!fit(f, 1, &m, &r));
    tide_report_free(r);
    tide_status st = TIDE_ENOMEM;
    for (int64_t k = 1; st == TIDE_ENOMEM && k < 1000; k++) {
        alloc_fault_set(k, 0);
        st = tide_model_transform(ctx, m, f, &out, NULL);
        alloc_fault_set(0, 0);
        CHECK(!st == (out != NULL));
    }
    CHECK(!st);
    tide_frame_free(out);
    tide_model_free(m);
    tide_frame_free(f);
    tide_ctx_free(ctx);
}
