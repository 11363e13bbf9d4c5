/* problems: what becomes target, classes, weights and features, and what is said of it */
#include "pipe/pipe.h"
#include "support/events.h"
#include "support/table.h"

static struct events said;
static tide_ctx *ctx;
static tide_error err;

/* The problem of a table, or NULL with the error in `err`. */
static struct problem *problem_of(tide_frame *f, const struct tide_problem_options *o)
{
    struct problem *p = NULL;
    memset(&err, 0, sizeof err);
    tide_status st = problem_new(ctx, f, o, &p, &err);
    CHECK((st == TIDE_OK) == (p != NULL));
    CHECK_INT(st, err.status);
    return p;
}

static struct problem *begin(const char *csv, struct tide_problem_options o)
{
    ctx = events_ctx(&said);
    tide_frame *f = table_text(ctx, csv);
    struct problem *p = problem_of(f, &o);
    tide_frame_free(f);
    return p;
}

static void end(struct problem *p)
{
    problem_free(p);
    tide_ctx_free(ctx);
}

/* "x0,y\n0,..." rows of a formula, in a buffer that the next call overwrites */
static char big[1 << 20];
static int big_n;
static void big_begin(const char *header)
{
    big_n = snprintf(big, sizeof big, "%s\n", header);
}
#define BIG_ROW(...)                                                                   \
    (big_n += snprintf(big + big_n, sizeof big - (size_t)big_n, __VA_ARGS__))

TEST(text_target_gives_classes_in_byte_order)
{
    struct problem *p = begin("x,y\n1,b\n2,a\n3,c\n4,a\n5,b\n6,c\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p != NULL);
    if (p) {
        CHECK_INT(p->task, TIDE_CLASSIFY);
        CHECK_STR(p->why_task, "category column");
        CHECK_INT(p->n_classes, 3);
        CHECK_STR(p->labels[0], "a");
        CHECK_STR(p->labels[2], "c");
        CHECK_INT(p->k[0], 1);
        CHECK_INT(p->positive, 2);
        CHECK_INT(p->n_features, 1);
        CHECK(p->w == NULL && p->y == NULL);
    }
    end(p);
}

TEST(labels_that_are_numbers_stand_in_numeric_order)
{
    struct problem *p = begin("x,y\n1,10\n2,9\n3,10\n4,9\n5,2\n6,2\n",
                              (struct tide_problem_options){.target = "y", .task = 1});
    CHECK(p != NULL);
    if (p) {
        CHECK_STR(p->labels[0], "2");
        CHECK_STR(p->labels[1], "9");
        CHECK_STR(p->labels[2], "10");
        CHECK_INT(p->k[0], 2);
    }
    end(p);
}

TEST(d31_labels_one_and_two_are_two_classes)
{
    struct problem *p = begin("x,y\n1,1\n5,2\n3,1\n2,2\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p != NULL);
    if (p) {
        CHECK_INT(p->task, TIDE_CLASSIFY);
        CHECK_STR(p->why_task, "2 whole numbers from 1 to 2");
        CHECK_STR(p->labels[1], "2");
        CHECK_INT(p->k[1], 1);
    }
    end(p);
}

TEST(amounts_are_regressed_and_few_ordered_integers_are_doubted)
{
    struct problem *p = begin("x,y\n1,1.5\n5,2.5\n3,1\n2,2\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p && p->task == TIDE_REGRESS);
    if (p) CHECK(p->y[1] == 2.5 && p->k == NULL);
    end(p);
    big_begin("x,rating");
    for (int i = 0; i < 200; i++) BIG_ROW("%d,%d\n", i * 7 % 31, 1 + i % 5);
    p = begin(big, (struct tide_problem_options){.target = "rating"});
    CHECK(p && p->task == TIDE_CLASSIFY);
    CHECK(events_noted(&said, "--task regress"));
    end(p);
}

TEST(d22_text_cannot_be_regressed)
{
    struct problem *p = begin("x,y\n1,b\n2,a\n",
                              (struct tide_problem_options){.target = "y", .task = 2});
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_DATA_TARGET);
    CHECK_STR(err.message, "regression needs numbers and 'y' holds \"b\"");
    CHECK_STR(err.option, "task");
    CHECK_STR(err.value, "classify");
    end(p);
}

TEST(d23_a_hundred_thousand_numbers_are_no_classes)
{
    ctx = events_ctx(&said);
    int64_t n = 100000;
    double *y = malloc((size_t)n * sizeof *y), *x = malloc((size_t)n * sizeof *x);
    for (int64_t i = 0; i < n; i++) y[i] = (double)i * 0.5, x[i] = (double)(i % 7);
    struct tide_column_in in[] = {{.name = "y", .f64 = y}, {.name = "x", .f64 = x}};
    tide_frame *f = NULL;
    CHECK(!tide_frame_new(ctx, n, 2, in, &f, NULL));
    struct tide_problem_options o = {.target = "y", .task = 1};
    CHECK(problem_of(f, &o) == NULL);
    CHECK_INT(err.code, TIDE_CODE_DATA_CLASSES);
    CHECK_STR(err.message, "'y' has more than 65536 classes in 100000 rows");
    CHECK_STR(err.value, "regress");
    tide_frame_free(f);
    free(x);
    free(y);
    end(NULL);
}

TEST(more_classes_than_half_the_rows_are_refused)
{
    struct problem *p = begin("x,y\n1,a\n2,b\n3,c\n4,d\n5,a\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p == NULL);
    CHECK_STR(err.message, "'y' has 4 classes in 5 rows");
    end(p);
}

TEST(d21_rows_without_target_are_left_out_and_said)
{
    struct problem *p = begin("x,y\n1,a\n2,\n3,b\n4,\n5,a\n6,b\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p != NULL);
    if (p) {
        CHECK_INT(p->n_rows, 4);
        CHECK_INT(p->n_target_missing, 2);
        CHECK_INT(p->rows[1], 2);
        CHECK_INT(p->k[1], 1);
    }
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_TARGET_MISSING), 1);
    CHECK_STR(said.text[0], "2 rows without 'y' left out, first row 2");
    end(p);
    p = begin("x,y\n1,a\n2,\n3,\n4,\n5,\n6,b\n",
              (struct tide_problem_options){.target = "y"});
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_DATA_TARGET_MISSING);
    CHECK_INT(err.row, 2);
    end(p);
}

TEST(c45_an_absent_target_names_the_nearest)
{
    struct problem *p = begin("x,price\n1,2.5\n2,1.5\n",
                              (struct tide_problem_options){.target = "prise"});
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_DATA_COLUMN);
    CHECK_STR(err.message, "no column 'prise'");
    CHECK_STR(err.option, "target");
    CHECK_STR(err.value, "price");
    end(p);
}

TEST(c03_no_rows)
{
    struct problem *p = begin("x,y\n", (struct tide_problem_options){.target = "y"});
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_DATA_NO_ROWS);
    CHECK_STR(err.message, "0 data rows");
    end(p);
}

TEST(d03_no_feature_columns)
{
    struct problem *p =
        begin("x,y\n1,2.5\n2,1.5\n",
              (struct tide_problem_options){.target = "y",
                                            .drop = {(const char *const[]){"x"}, 1}});
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_DATA_NO_FEATURES);
    end(p);
}

TEST(d04_d05_constant_and_empty_columns_are_left_out_and_named)
{
    struct problem *p = begin("x,c,e,y\n1,7,,2.5\n2,7,,1.5\n4,7,,0.5\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_features == 1);
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_CONSTANT), 2);
    CHECK_STR(said.text[0], "'c' has one value and is left out");
    CHECK_STR(said.text[1], "'e' is empty and is left out");
    end(p);
}

TEST(d06_all_columns_constant_leaves_none)
{
    struct problem *p = begin("a,b,y\n1,x,2.5\n1,x,1.5\n1,x,0.5\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_features == 0);
    end(p);
}

TEST(a_value_with_gaps_is_not_constant)
{
    struct problem *p = begin("a,y\n1,2.5\n,1.5\n1,0.5\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_features == 1);
    end(p);
}

TEST(n24_a_column_within_rounding_is_constant)
{
    ctx = events_ctx(&said);
    double a[] = {1e8, 1e8 + 1e-8, 1e8 + 2e-8, 1e8}, b[] = {1, 2, 4, 3},
           y[] = {1.5, 2, 3, 4};
    struct tide_column_in in[] = {
        {.name = "a", .f64 = a}, {.name = "b", .f64 = b}, {.name = "y", .f64 = y}};
    tide_frame *f = NULL;
    CHECK(!tide_frame_new(ctx, 4, 3, in, &f, NULL));
    struct tide_problem_options o = {.target = "y"};
    struct problem *p = problem_of(f, &o);
    CHECK(p && p->n_features == 1 && p->features[0] == 1);
    tide_frame_free(f);
    end(p);
}

TEST(d10_d20_one_class_and_one_value_are_warned_of)
{
    struct problem *p =
        begin("x,y\n1,a\n2,a\n3,a\n", (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_classes == 1);
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_ONE_CLASS), 1);
    end(p);
    p = begin("x,y\n1,4\n2,4\n3,4\n", (struct tide_problem_options){.target = "y"});
    CHECK(p && p->task == TIDE_REGRESS);
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_CONSTANT), 1);
    CHECK_STR(said.text[0], "the target 'y' is 4 in every row");
    end(p);
}

TEST(d15_a_copy_of_the_target_is_warned_of)
{
    big_begin("copy,other,y");
    for (int i = 0; i < 60; i++)
        BIG_ROW("%d.5,%d,%d\n", 3 * (i * 17 % 61), i * 7 % 11, i * 17 % 61);
    struct problem *p =
        begin(big, (struct tide_problem_options){.target = "y", .task = 2});
    CHECK(p && p->n_features == 2);
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_LEAK), 1);
    CHECK(strstr(said.text[0], "'copy' gives 'y' away") != NULL);
    end(p);
    big_begin("code,cat,other,y");
    for (int i = 0; i < 60; i++)
        BIG_ROW("%d,%s,%d,%s\n", i % 2 * 10 + i % 3, i % 2 ? "u" : "v", i * 7 % 11,
                i % 2 ? "yes" : "no");
    p = begin(big, (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_features == 3);
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_LEAK), 2);
    end(p);
}

TEST(order_that_tells_the_classes_is_warned_of)
{
    static const char *const class[] = {"a", "b", "c"};
    big_begin("whole,far,mixed,twice,tie,y");
    for (int i = 0; i < 90; i++) /* far: all but one in a small part of the range */
        BIG_ROW("%d,%g,%d,%d,%d,%s\n", 2 * i, i == 89 ? 1e9 : i, i * 7 % 11,
                i / 30 == 2 && i % 2 ? -i : i, i == 30 ? 29 : i, class[i / 30]);
    struct problem *p = begin(big, (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_features == 5);
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_LEAK), 2); /* whole, far */
    end(p);
    big_begin("far,near,half,y");
    for (int i = 0; i < 400; i++) /* near: a row of each class changes sides */
        BIG_ROW("%g,%d,%d,%d\n", i == 399 ? 1e9 : i,
                i == 0     ? 500
                : i == 399 ? -1
                           : i,
                i % 200, i / 200);
    p = begin(big, (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_features == 3);
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_LEAK), 1); /* far */
    end(p);
}

TEST(d16_identifiers_are_left_out)
{
    big_begin("id,key,customer_id,x,y");
    for (int i = 0; i < 40; i++)
        BIG_ROW("%d,k%d,%d,%d,%s\n", i + 1, i, 1000 + 37 * i % 997, i * 7 % 11,
                i % 3 ? "yes" : "no");
    struct problem *p = begin(big, (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_features == 1);
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_ID), 3);
    CHECK_STR(
        said.text[0],
        "'customer_id' has every value once, as an identifier has, and is left out");
    end(p);
}

TEST(an_identifier_alone_stays)
{
    big_begin("t,y");
    for (int i = 0; i < 40; i++) BIG_ROW("%d,%d.5\n", i, i * i % 19);
    struct problem *p = begin(big, (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_features == 1);
    end(p);
}

TEST(d24_weights)
{
    struct tide_problem_options o = {.target = "y", .weight = "w"};
    struct problem *p = begin("x,w,y\n1,0,1.5\n2,0,2\n", o);
    CHECK(p == NULL);
    CHECK_STR(err.message, "every weight in 'w' is 0");
    end(p);
    p = begin("x,w,y\n1,1,1.5\n2,-3,2\n", o);
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_DATA_WEIGHT);
    CHECK_INT(err.row, 2);
    CHECK_STR(err.message,
              "weight 'w' must be in [0, 1000000000000000], got \"-3\" in row 2");
    end(p);
    p = begin("x,w,y\n1,1,1.5\n2,,2\n", o);
    CHECK(p == NULL);
    CHECK_STR(err.message, "weight 'w' is missing in row 2");
    end(p);
    p = begin("x,w,y\n1,1,1.5\n2,1e300,2\n", o);
    CHECK(p == NULL);
    end(p);
    p = begin("x,w,y\n1,0.5,1.5\n2,0,2\n3,2,1\n4,1,3\n", o);
    CHECK(p && p->n_rows == 3 && p->w);
    if (p && p->w) CHECK(p->w[1] == 2 && p->rows[1] == 2);
    if (p) CHECK_INT(p->n_features, 1);
    end(p);
    p = begin("x,w,y\n1,1,1.5\n2,1,2\n", o);
    CHECK(p && p->w == NULL); /* all 1 is none */
    end(p);
}

TEST(groups_have_keys_and_are_no_features)
{
    static const char *const tables[] = {
        "x,g,y\n1,a,1.5\n2,b,2\n3,a,\n4,a,7\n", "x,g,y\n1,7,1.5\n2,9,2\n3,7,\n4,7,7\n",
        "x,g,y\n1,0.5,1.5\n2,9,2\n3,,\n4,0.5,7\n",
        "x,g,y\n1,true,1.5\n2,false,2\n3,true,\n4,true,7\n",
        "x,g,y\n1,2020-01-05,1.5\n2,2021-01-05,2\n3,,\n4,2020-01-05,7\n"};
    struct tide_problem_options o = {.target = "y", .group = "g"};
    for (int v = 0; v < 5; v++) { /* the third row has no target, and needs no group */
        struct problem *p = begin(tables[v], o);
        CHECK_MSG(p && p->group, "%s: %s", tables[v], err.message);
        if (p && p->group) {
            CHECK_INT(p->n_rows, 3);
            CHECK(p->group[0] == p->group[2] && p->group[0] != p->group[1]);
            CHECK_INT(p->n_features, 1);
        }
        end(p);
    }
    struct problem *p = begin("x,g,y\n1,a,1.5\n2,,2\n", o);
    CHECK(p == NULL);
    CHECK_STR(err.message, "group 'g' is missing in row 2");
    CHECK_INT(err.code, TIDE_CODE_DATA_MISSING);
    end(p);
}

TEST(d28_uneven_classes_are_warned_of)
{
    big_begin("x,y");
    for (int i = 0; i < 1000; i++)
        BIG_ROW("%d.25,%s\n", i * 37 % 101, i == 500 || i == 20 ? "fraud" : "fine");
    struct problem *p = begin(big, (struct tide_problem_options){.target = "y"});
    CHECK(p != NULL);
    CHECK_INT(events_count(&said, TIDE_CODE_DATA_IMBALANCE), 1);
    CHECK_STR(said.text[0], "'y' = \"fraud\" in 2 of 1000 rows");
    end(p);
}

TEST(positive_is_a_label_and_a_wrong_one_names_the_nearest)
{
    const char *csv = "x,y\n1,no\n2,yes\n3,no\n";
    struct problem *p =
        begin(csv, (struct tide_problem_options){.target = "y", .positive = "no"});
    CHECK(p && p->positive == 0);
    end(p);
    p = begin(csv, (struct tide_problem_options){.target = "y", .positive = "yess"});
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_VALUE);
    CHECK_STR(err.message, "no row has 'y' = \"yess\"");
    CHECK_STR(err.value, "yes");
    end(p);
    p = begin("x,y\n1,1.5\n2,2\n",
              (struct tide_problem_options){.target = "y", .positive = "2"});
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    end(p);
}

TEST(features_stand_in_byte_order_and_copies_are_noted)
{
    struct problem *p = begin("b,a,B,y\n1,3,1,1.5\n2,1,2,2\n5,2,5,3\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p && p->n_features == 3);
    if (p) {
        CHECK_STR(p->frame->cols[p->features[0]].name, "B");
        CHECK_STR(p->frame->cols[p->features[1]].name, "a");
    }
    CHECK(events_noted(&said, "'B' and 'b' hold the same values"));
    end(p);
}

TEST(one_column_cannot_be_two_things)
{
    struct problem *p = begin("x,y\n1,2.5\n2,1.5\n",
                              (struct tide_problem_options){.target = "y", .id = "y"});
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_CONFLICT);
    end(p);
    p = begin("x,y\n1,2.5\n2,1.5\n", (struct tide_problem_options){0});
    CHECK(p == NULL);
    CHECK_INT(err.code, TIDE_CODE_PARAM_VALUE);
    end(p);
}

TEST(an_identifier_beside_free_text_does_not_become_the_feature)
{
    ctx = events_ctx(&said);
    int64_t id[30], y[30];
    const char *text[30];
    for (int i = 0; i < 30; i++)
        id[i] = i, y[i] = i * i % 23, text[i] = i % 2 ? "ab c" : "d";
    struct tide_column_in in[] = {{.name = "id", .i64 = id},
                                  {.name = "y", .i64 = y},
                                  {.name = "t", .text = text, .type = TIDE_TEXT}};
    tide_frame *f = NULL;
    CHECK(!tide_frame_new(ctx, 30, 3, in, &f, NULL));
    struct tide_problem_options o = {.target = "y", .task = 2};
    CHECK(problem_of(f, &o) == NULL);
    CHECK_INT(err.code, TIDE_CODE_DATA_NO_FEATURES);
    CHECK(events_noted(&said, "free text is left out: 't'"));
    tide_frame_free(f);
    end(NULL);
}

TEST(repeated_rows_are_counted)
{
    struct problem *p = begin("x,c,y\n1,a,1.5\n2,b,2\n1,a,1.5\n1,b,1.5\n1,a,1.5\n",
                              (struct tide_problem_options){.target = "y"});
    CHECK(p != NULL);
    CHECK(
        events_noted(&said, "2 of 5 rows repeat an earlier row in every column used"));
    end(p);
}
