/* prep_steps.c - median, mode, one-hot, standard scaling against scikit-learn's documentation */
#include "base/alloc.h"
#include "base/arena.h"
#include "frame/frame.h"
#include "spec/spec.h"
#include "spec/state.h"
#include "spec/step.h"
#include "support/unit.h"

/* ---- tables by hand ---- */
struct table {
    tide_ctx *ctx; /* of the frame */
    tide_frame *frame;
    struct view v;
    const struct column *cols[16];
};

static void table(struct table *t, int64_t n, const struct tide_column_in *in,
                  int n_cols)
{
    tide_error err = {0};
    CHECK(tide_ctx_new(&t->ctx, NULL) == TIDE_OK);
    tide_status st = tide_frame_new(t->ctx, n, n_cols, in, &t->frame, &err);
    CHECK_MSG(st == TIDE_OK, "%s", err.message);
    for (int j = 0; j < n_cols; j++) t->cols[j] = &t->frame->cols[j];
    t->v = (struct view){n, n_cols, t->cols, NULL, NULL};
}

struct made {
    struct arena a;
    struct state s;
    void *object;
    struct step_out out;
    uint32_t levels[16];
    const struct tide_step *step;
};

static tide_status apply(struct made *m, const struct view *x, tide_error *err)
{
    return m->step->apply(NULL, m->object, x, &m->a, &m->out, err);
}

static void make(struct made *m, const char *step, const char *sets,
                 const struct view *x, const double *w)
{
    tide_error err = {0};
    tide_values *values = NULL;
    struct fit_data d = {.x = x, .task = TIDE_REGRESS, .w = w};
    memset(m, 0, sizeof *m);
    m->step = step_find(step, &err);
    CHECK_MSG(m->step != NULL, "%s", err.message);
    CHECK(tide_values_new(&m->step->params, step, &values, &err) == TIDE_OK);
    for (char name[32], value[32]; *sets;
         sets += strcspn(sets, " "), sets += *sets == ' ') {
        int eq = (int)strcspn(sets, "="), end = (int)strcspn(sets, " ");
        snprintf(name, sizeof name, "%.*s", eq, sets);
        snprintf(value, sizeof value, "%.*s", end - eq - 1, sets + eq + 1);
        CHECK(tide_values_set(values, name, value, &err) == TIDE_OK);
    }
    arena_init(&m->a, NULL);
    state_init(&m->s, &m->a);
    for (int j = 0; j < x->n_cols; j++)
        m->levels[j] = x->cols[j]->type == TIDE_CAT ? x->cols[j]->dict.n : 0;
    tide_status st = m->step->fit(NULL, tide_values_struct(values), &d, &m->s, &err);
    if (st == TIDE_OK)
        st = m->step->load(&m->s, x->n_cols, m->levels, &m->a, &m->object, &err);
    if (st == TIDE_OK) st = apply(m, x, &err);
    CHECK_MSG(st == TIDE_OK, "%s: %s", step, err.message);
    tide_values_free(values);
}

static double cell(const struct made *m, int j, int64_t i)
{
    struct view v = {m->out.cols[j]->n_rows, 1, &m->out.cols[j], NULL, NULL};
    double x;
    view_numbers(&v, 0, i, 1, &x);
    return x;
}

static void table_free(struct table *t)
{
    tide_frame_free(t->frame);
    tide_ctx_free(t->ctx);
}

static void done(struct made *m, struct table *t)
{
    arena_free(&m->a);
    if (t) table_free(t);
}

/* ---- imputing ---- */
TEST(median_and_mode_are_those_of_the_values_there)
{
    double x[7] = {1, NAN, 2, 2, 10, NAN, 4}, even[7] = {1, 2, 3, 4, NAN, NAN, NAN},
           none[7];
    struct table t;
    struct made m;
    for (int i = 0; i < 7; i++) none[i] = NAN;
    struct tide_column_in in[] = {{.name = "x", .f64 = x},
                                  {.name = "even", .f64 = even},
                                  {.name = "none", .f64 = none}};
    table(&t, 7, in, 3);
    make(&m, "impute:median", "", &t.v, NULL);
    CHECK_INT(m.out.n_cols, 3);
    CHECK(cell(&m, 0, 1) == 2 && cell(&m, 0, 4) == 10 && cell(&m, 1, 5) == 2.5 &&
          cell(&m, 2, 0) == 0);
    CHECK_INT(m.out.cols[0]->n_missing, 0);
    done(&m, NULL);
    double w[7] = {1, 1, 1, 1, 6, 1, 1};
    make(&m, "impute:median", "", &t.v, w);
    CHECK_NEAR(cell(&m, 0, 1), 10, 0);
    done(&m, NULL);
    make(&m, "impute:mode", "", &t.v, NULL);
    CHECK(cell(&m, 0, 1) == 2 && cell(&m, 1, 5) == 1);
    done(&m, &t);
}

TEST(indicators_stand_beside_columns_with_gaps_in_training)
{
    double a[3] = {NAN, 4, 8}, b[3] = {1, 0, 1}, c[3] = {3, NAN, 0};
    double a2[3] = {5, NAN, 2}, b2[3] = {1, 2, 4}, c2[3] = {NAN, 3, 0};
    struct table t, u;
    struct made m;
    struct tide_column_in in[] = {
        {.name = "a", .f64 = a}, {.name = "b", .f64 = b}, {.name = "c", .f64 = c}};
    struct tide_column_in in2[] = {
        {.name = "a", .f64 = a2}, {.name = "b", .f64 = b2}, {.name = "c", .f64 = c2}};
    table(&t, 3, in, 3);
    table(&u, 3, in2, 3);
    make(&m, "impute:median", "indicator=yes", &t.v, NULL);
    CHECK(apply(&m, &u.v, NULL) == TIDE_OK);
    CHECK_INT(m.out.n_cols, 5);
    CHECK_STR(m.out.cols[1]->name, "a_missing");
    CHECK_STR(m.out.cols[4]->name, "c_missing");
    CHECK(cell(&m, 1, 0) == 0 && cell(&m, 1, 1) == 1 && cell(&m, 4, 0) == 1 &&
          cell(&m, 4, 2) == 0);
    CHECK(m.out.cols[1]->type == TIDE_BOOL && m.out.from[4] == 2 && m.out.from[3] == 2);
    table_free(&u);
    done(&m, &t);
}

TEST(mode_of_levels_breaks_ties_by_text)
{
    const char *x[7] = {"b", "a", "b", "a", "c", NULL, NULL};
    struct table t;
    struct made m;
    char buf[8];
    struct tide_column_in in[] = {{.name = "x", .text = x, .type = TIDE_CAT}};
    table(&t, 7, in, 1);
    make(&m, "impute:mode", "", &t.v, NULL);
    CHECK(column_text(m.out.cols[0], 6, buf, sizeof buf) == 1 && buf[0] == 'a');
    CHECK_INT(m.out.cols[0]->n_missing, 0);
    double w[7] = {2, 1, 1, 1, 1, 1, 1};
    done(&m, NULL);
    make(&m, "impute:mode", "", &t.v, w);
    CHECK(column_text(m.out.cols[0], 6, buf, sizeof buf) == 1 && buf[0] == 'b');
    done(&m, &t);
}

/* ---- scaling ---- */
TEST(standard_scaling_has_divisor_n)
{
    double x[4] = {0, 0, 1, 1}, c[4] = {3.1, 3.1, 3.1, 3.1}, g[4] = {1, NAN, 3, NAN},
           far[4] = {1e300, -1e300, 1e300, -1e300};
    double two[1] = {2}, w[4] = {1, 1, 1, 3};
    struct table t, u;
    struct made m;
    struct tide_column_in in[] = {{.name = "x", .f64 = x},
                                  {.name = "c", .f64 = c},
                                  {.name = "g", .f64 = g},
                                  {.name = "far", .f64 = far}};
    struct tide_column_in in2[] = {{.name = "x", .f64 = two},
                                   {.name = "c", .f64 = two},
                                   {.name = "g", .f64 = two},
                                   {.name = "far", .f64 = two}};
    table(&t, 4, in, 4);
    table(&u, 1, in2, 4);
    make(&m, "scale:standard", "", &t.v, NULL);
    CHECK(cell(&m, 1, 0) == 0 && isnan(cell(&m, 2, 1)) && cell(&m, 2, 0) == -1);
    CHECK_INT(m.out.cols[2]->n_missing, 2);
    CHECK_NEAR(cell(&m, 3, 0), 1, 1e-15);
    CHECK(apply(&m, &u.v, NULL) == TIDE_OK);
    CHECK(cell(&m, 0, 0) == 3 && cell(&m, 1, 0) == 0 && cell(&m, 2, 0) == 0);
    done(&m, NULL);
    make(&m, "scale:standard", "", &t.v, w); /* mean 2/3, sd sqrt(2)/3 */
    CHECK_NEAR(cell(&m, 0, 0), -sqrt(2), 1e-15);
    table_free(&u);
    done(&m, &t);
}

TEST(yes_no_columns_stay_unless_asked)
{
    const char *x[4] = {"true", "false", "true", "true"};
    struct table t;
    struct made m;
    struct tide_column_in in[] = {{.name = "x", .text = x, .type = TIDE_CAT}};
    table(&t, 4, in, 1);
    struct column c = {.name = "x",
                       .type = TIDE_BOOL,
                       .n_rows = 4,
                       .b = (const uint8_t[]){1, 0, 1, 1}};
    t.cols[0] = &c;
    make(&m, "scale:standard", "", &t.v, NULL);
    CHECK(m.out.cols[0] == &c);
    done(&m, NULL);
    int64_t rows[2] = {1, 2};
    struct view some = {2, 1, t.cols, rows, NULL};
    make(&m, "scale:standard", "", &some, NULL);
    CHECK(m.out.cols[0] != &c && m.out.cols[0]->n_rows == 2 && cell(&m, 0, 0) == 0 &&
          cell(&m, 0, 1) == 1);
    done(&m, NULL);
    make(&m, "scale:standard", "bools=yes", &t.v, NULL);
    CHECK_NEAR(cell(&m, 0, 0), 0.25 / sqrt(0.1875), 1e-15);
    done(&m, &t);
}

/* ---- one-hot ---- */
TEST(one_hot_levels_come_in_code_order_and_unseen_ones_are_zero)
{
    const char *x[3] = {"Female", "Male", "Female"}, *y[3] = {"1", "2", "3"};
    struct table t;
    struct made m;
    struct tide_column_in in[] = {{.name = "sex", .text = x, .type = TIDE_CAT},
                                  {.name = "id", .text = y, .type = TIDE_CAT}};
    table(&t, 3, in, 2);
    make(&m, "encode:onehot", "", &t.v, NULL);
    CHECK_INT(m.out.n_cols, 5);
    CHECK_STR(m.out.cols[0]->name, "sex=Female");
    CHECK_STR(m.out.cols[1]->name, "sex=Male");
    CHECK_STR(m.out.cols[4]->name, "id=3");
    CHECK(m.out.cols[0]->type == TIDE_BOOL && cell(&m, 0, 0) == 1 &&
          cell(&m, 1, 0) == 0 && m.out.from[4] == 1);
    struct column unseen = *t.cols[1];
    uint32_t codes[3] = {CODE_MISSING, 0, 2};
    unseen.code = codes;
    t.cols[1] = &unseen;
    CHECK(apply(&m, &t.v, NULL) == TIDE_OK);
    CHECK(cell(&m, 2, 0) == 0 && cell(&m, 3, 0) == 0 && cell(&m, 4, 0) == 0 &&
          cell(&m, 4, 2) == 1);
    done(&m, &t);
}

TEST(one_hot_takes_missing_rare_and_dropped_levels)
{
    const char *x[8] = {"a", "b", "b", "c", "c", NULL, "d", "missing"};
    struct table t;
    struct made m;
    struct tide_column_in in[] = {{.name = "x", .text = x, .type = TIDE_CAT}};
    table(&t, 8, in, 1);
    make(&m, "encode:onehot", "max_levels=2", &t.v, NULL);
    CHECK_INT(m.out.n_cols, 4);
    CHECK_STR(m.out.cols[0]->name, "x=b");
    CHECK_STR(m.out.cols[2]->name, "x=other");
    CHECK_STR(m.out.cols[3]->name, "x=missing_");
    CHECK(cell(&m, 2, 0) == 1 && cell(&m, 2, 6) == 1 && cell(&m, 3, 5) == 1 &&
          cell(&m, 1, 4) == 1);
    done(&m, NULL);
    make(&m, "encode:onehot", "missing=zero drop=first", &t.v, NULL);
    CHECK_INT(m.out.n_cols, 4);
    CHECK_STR(m.out.cols[0]->name, "x=b");
    for (int j = 0; j < 4; j++) CHECK(cell(&m, j, 0) == 0 && cell(&m, j, 5) == 0);
    CHECK(cell(&m, 0, 1) == 1);
    for (int64_t i = 0; i < 8; i++) { /* one row alone gives the same */
        struct made one = m;
        struct view v = {1, 1, t.cols, &i, NULL};
        CHECK(apply(&one, &v, NULL) == TIDE_OK);
        for (int j = 0; j < 4; j++) CHECK(cell(&one, j, 0) == cell(&m, j, i));
    }
    done(&m, &t);
}

TEST(step_states_that_cannot_be_are_refused)
{
    const char *x[4] = {"a", "b", "b", NULL};
    struct table t;
    struct made m;
    tide_error err = {0};
    void *object;
    struct tide_column_in in[] = {{.name = "x", .text = x, .type = TIDE_CAT}};
    table(&t, 4, in, 1);
    make(&m, "encode:onehot", "", &t.v, NULL);
    int32_t *slot = (int32_t *)(uintptr_t)state_find(&m.s, "slot")->data;
    int32_t *width = (int32_t *)(uintptr_t)state_find(&m.s, "width")->data;
    for (int k = 0; k < 5; k++) {
        static const int32_t bad[5][3] = {
            {1, 0, -2}, {0, 2, -2}, {0, -2, 1}, {0, -3, 1}, {-2, -2, 0}};
        memcpy(slot, bad[k], sizeof bad[k]);
        CHECK(m.step->load(&m.s, 1, m.levels, &m.a, &object, &err) == TIDE_EMODEL &&
              !object);
    }
    *width = 2;
    CHECK(m.step->load(&m.s, 1, m.levels, &m.a, &object, &err) == TIDE_EMODEL);
    *width = 100;
    CHECK(m.step->load(&m.s, 1, m.levels, &m.a, &object, &err) == TIDE_EMODEL);
    done(&m, NULL);
    make(&m, "impute:mode", "", &t.v, NULL);
    *(uint32_t *)(uintptr_t)state_find(&m.s, "level")->data = 7;
    CHECK(m.step->load(&m.s, 1, m.levels, &m.a, &object, &err) == TIDE_EMODEL);
    done(&m, &t);
}

TEST(steps_survive_every_failing_allocation)
{
    double x[50];
    const char *c[50];
    struct table t;
    for (int i = 0; i < 50; i++) {
        x[i] = i % 4 ? i : (double)NAN;
        c[i] = i % 5 == 0 ? NULL : i % 3 ? "a" : "b";
    }
    struct tide_column_in in[] = {{.name = "x", .f64 = x},
                                  {.name = "c", .text = c, .type = TIDE_CAT}};
    table(&t, 50, in, 2);
    static const char *const names[] = {"impute:median", "impute:mode",
                                        "scale:standard", "encode:onehot"};
    for (int which = 0; which < 4; which++) {
        tide_error err = {0};
        const struct tide_step *step = step_find(names[which], &err);
        tide_values *values = NULL;
        CHECK(tide_values_new(&step->params, names[which], &values, &err) == TIDE_OK);
        struct view v = t.v;
        v.n_cols = 1;
        if (which == 3) v.cols = t.cols + 1;
        struct fit_data d = {.x = &v, .task = TIDE_REGRESS};
        uint32_t levels[1] = {which == 3 ? v.cols[0]->dict.n : 0};
        int64_t live = alloc_live();
        int done = 0;
        for (int64_t at = 1; !done && at < 500; at++) {
            struct made m;
            memset(&m, 0, sizeof m);
            arena_init(&m.a, NULL);
            state_init(&m.s, &m.a);
            alloc_fault_set(at, 1);
            tide_status st =
                step->fit(NULL, tide_values_struct(values), &d, &m.s, &err);
            if (st == TIDE_OK) st = step->load(&m.s, 1, levels, &m.a, &m.object, &err);
            if (st == TIDE_OK) st = step->apply(NULL, m.object, &v, &m.a, &m.out, &err);
            done = !alloc_fault_hit();
            alloc_fault_set(0, 0);
            CHECK_MSG(st == (done ? TIDE_OK : TIDE_ENOMEM), "%s, allocation %d: %s",
                      names[which], (int)at, err.message);
            arena_free(&m.a);
        }
        CHECK(done);
        CHECK_INT(alloc_live(), live);
        tide_values_free(values);
    }
    table_free(&t);
}
