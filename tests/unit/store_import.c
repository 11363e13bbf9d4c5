/* store_import.c - foreign models: edges, odd files, and what is refused by name */
#include <math.h>

#include <tidemill/explain.h>

#include "base/alloc.h"
#include "base/str.h"
#include "learners/imported.h"
#include "store/import.h"
#include "store/import_doc.h"
#include "store/store.h"
#include "support/toy_table.h"
#include "support/unit.h"

static tide_ctx *ctx;

static tide_ctx *context(void)
{
    if (!ctx && tide_ctx_new(&ctx, NULL)) return NULL;
    return ctx;
}

/* ---- thresholds ---- */

static void check_edge(float t)
{
    double e = import_float_edge(t);
    CHECK(isfinite(e));
    CHECK((float)e < t);
    CHECK(!((float)nextafter(e, INFINITY) < t));
}

TEST(float_edges_are_the_last_doubles_that_round_below)
{
    static const float odd[] = {0,          -0.0f,  1,         -1,       1e-45f,
                                -1e-45f,    3e-45f, 1e-38f,    -1e-38f,  16777216,
                                0.1f,       -0.1f,  3.4e38f,   -3e38f,   1.5f,
                                1.0000001f, 255,    0x1p-126f, HUGE_VALF};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) check_edge(odd[i]);
    uint32_t bits = 12345;
    for (int i = 0; i < 20000; i++) {
        float t;
        bits = bits * 1664525u + 1013904223u;
        memcpy(&t, &bits, sizeof t);
        if (isfinite(t) && t > -3e38f) check_edge(t);
    }
}

/* ---- nested values ---- */

TEST(json_keeps_numbers_flat_and_names_its_place)
{
    struct arena a;
    struct doc d;
    tide_error err = {0};
    arena_init(&a, NULL);
    const char *good = "{\"a\":[1,2,3],\"b\":[1.5,NaN,-Infinity],\"c\":[true,0],"
                       "\"d\":\"x\\u00e9\\ud83d\\ude00\",\"e\":[]}";
    CHECK_INT(doc_read_json(good, strlen(good), 1, &a, &d, &err), TIDE_OK);
    CHECK_INT(doc_get(&d, "a")->kind, DOC_INTS);
    CHECK_INT(doc_int_at(doc_get(&d, "a"), 2), 3);
    CHECK_INT(doc_get(&d, "b")->kind, DOC_REALS);
    CHECK(doc_real_at(doc_get(&d, "b"), 2) < -1e308);
    CHECK_INT(doc_get(&d, "c")->kind, DOC_INTS);
    CHECK_STR(doc_get(&d, "d")->v.s, "x\xc3\xa9\xf0\x9f\x98\x80");
    CHECK_INT(doc_count(doc_get(&d, "e")), 0);
    CHECK(doc_get(&d, "f") == NULL);
    static const char *const bad[] = {
        "",      "{",     "[1,",          "{\"a\"}",  "{\"a\":1,}",
        "[1 2]", "nul",   "[1]x",         "\"\\q\"",  "{\"a\":1,\"a\":2}",
        "-",     "[01e]", "\"\\ud800x\"", "\"\x01\"", "{1:2}",
        "[1e]",  "\"abc", "[\"\\"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_INT(doc_read_json(bad[i], strlen(bad[i]), 1, &a, &d, &err), TIDE_EMODEL);
        CHECK_INT(err.code, TIDE_CODE_IMPORT_SYNTAX);
    }
    char deep[80];
    memset(deep, '[', sizeof deep);
    CHECK_INT(doc_read_json(deep, sizeof deep, 1, &a, &d, &err), TIDE_ELIMIT);
    CHECK_INT(err.code, TIDE_CODE_LIMIT_DEPTH);
    const char *second = "{\"a\":1,\n \"b\" 2}";
    CHECK_INT(doc_read_json(second, strlen(second), 1, &a, &d, &err), TIDE_EMODEL);
    CHECK_INT(err.line, 2);
    CHECK_INT(err.column, 6);
    arena_free(&a);
}

TEST(ubjson_proves_every_length)
{
    struct arena a;
    struct doc d;
    tide_error err = {0};
    arena_init(&a, NULL);
    static const uint8_t good[] =
        "{i\1a[$d#i\2\x3f\x80\0\0\xc0\0\0\0i\1b[#i\2SU\1xTi\1c"
        "[i\1i\2]}";
    CHECK_INT(doc_read_ubj(good, sizeof good - 1, &a, &d, &err), TIDE_OK);
    CHECK_NEAR(doc_real_at(doc_get(&d, "a"), 1), -2, 0);
    CHECK_INT(doc_count(doc_get(&d, "b")), 2);
    CHECK_INT(doc_int_at(doc_get(&d, "c"), 1), 2);
    for (size_t n = 0; n < sizeof good - 1; n++)
        CHECK_INT(doc_read_ubj(good, n, &a, &d, &err), TIDE_EMODEL);
    static const struct {
        const char *bytes;
        size_t n;
    } bad[] = {{"[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff", 14},
               {"[$d#L\x80\0\0\0\0\0\0\0", 14},
               {"[#L\x7f\xff\xff\xff\xff\xff\xff\xffi\1", 13},
               {"SL\x40\0\0\0\0\0\0\0x", 11},
               {"H", 1},
               {"{$i#i\1i\1a\1", 9},
               {"[$S#i\1i\1a", 8}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tide_status st =
            doc_read_ubj((const uint8_t *)bad[i].bytes, bad[i].n, &a, &d, &err);
        CHECK_INT(st, TIDE_EMODEL);
        CHECK_INT(err.code, TIDE_CODE_IMPORT_SYNTAX);
        CHECK(err.offset >= 0);
    }
    uint8_t deep[80];
    memset(deep, '[', sizeof deep);
    CHECK_INT(doc_read_ubj(deep, sizeof deep, &a, &d, &err), TIDE_ELIMIT);
    arena_free(&a);
}

/* ---- XGBoost ---- */

/* Two columns; "a" is tested at 0.5 (missing right), then "b" as a category {1, 3}. */
static const char xgb[] =
    "{\"learner\":{\"attributes\":{},\"feature_names\":[\"b\",\"a\"],"
    "\"feature_types\":[\"c\",\"float\"],\"gradient_booster\":{\"model\":{"
    "\"gbtree_model_param\":{\"num_parallel_tree\":\"1\",\"num_trees\":\"1\"},"
    "\"tree_info\":[0],\"trees\":[{\"categories\":[1,3],\"categories_nodes\":[1],"
    "\"categories_segments\":[0],\"categories_sizes\":[2],\"default_left\":[0,1,0,0,0],"
    "\"left_children\":[1,3,-1,-1,-1],\"right_children\":[2,4,-1,-1,-1],"
    "\"split_conditions\":[0.5,0,1,2,4],\"split_indices\":[1,0,0,0,0],"
    "\"split_type\":[0,1,0,0,0],\"sum_hessian\":[9,5,4,3,2],"
    "\"tree_param\":{\"num_nodes\":\"5\",\"size_leaf_vector\":\"1\"}}]},"
    "\"name\":\"gbtree\"},\"learner_model_param\":{\"base_score\":\"[2.5E-1]\","
    "\"num_class\":\"0\",\"num_feature\":\"2\",\"num_target\":\"1\"},"
    "\"objective\":{\"name\":\"reg:squarederror\"}},\"version\":[3,2,0]}";

static tide_status take(const char *text, tide_model **m, tide_error *err)
{
    return import_bytes(context(), text, strlen(text), "m.json", NULL, m, err);
}

/* `text` with the first `from` made into `to`. */
static char *changed(const char *text, const char *from, const char *to)
{
    struct str t = {0};
    const char *at = strstr(text, from);
    CHECK(at != NULL);
    if (at) str_addn(&t, text, (size_t)(at - text));
    if (at) str_add(&t, to);
    if (at) str_add(&t, at + strlen(from));
    return t.s;
}

TEST(an_xgboost_model_scores_by_hand)
{
    tide_model *m = NULL;
    tide_error err = {0};
    CHECK_INT(take(xgb, &m, &err), TIDE_OK);
    if (!m) return;
    CHECK_STR(m->schema.cols[0].name, "a");
    CHECK_INT(m->schema.n_cols, 2);
    struct toy *t = toy_new(10);
    double *a = toy_number(t, "a"), *b = toy_number(t, "b");
    const double as[10] = {0.49999999999, 0, 0, 0, 0, 0, 0.5, NAN, 0, 0};
    const double bs[10] = {1, 3, 2, NAN, -1, 1.9, 1, 1, 0.9999999999, 16777216};
    /* 0.49999999999 is 0.5 as a float; 0.9999999999 is category 1 */
    const double want[10] = {1.25, 4.25, 2.25, 2.25, 2.25,
                             4.25, 1.25, 1.25, 4.25, 2.25};
    memcpy(a, as, sizeof as);
    memcpy(b, bs, sizeof bs);
    for (int strict = 0; strict < 2; strict++) {
        double got[10];
        CHECK_INT(
            imported_margin(m->nodes[0].object, toy_view(t), 0, 10, strict, got, &err),
            TIDE_OK);
        for (int i = 0; i < 10; i++) CHECK_NEAR(got[i], want[i], 0);
    }
    toy_free(t);
    tide_model_free(m);
}

TEST(odd_xgboost_models_are_refused_by_name)
{
    static const struct {
        const char *from, *to;
        tide_code code;
        const char *place;
    } cases[] = {
        {"[1,3,-1", "[1,2147483647,-1", TIDE_CODE_IMPORT_VALUE, "left_children/1"},
        {"[1,3,-1", "[0,3,-1", TIDE_CODE_IMPORT_VALUE, "trees/0, node 0"},
        {"[2,4,-1", "[2,3,-1", TIDE_CODE_IMPORT_VALUE, "trees/0, node 3"},
        {"[2,4,-1", "[2,-7,-1", TIDE_CODE_IMPORT_VALUE, "right_children/1"},
        {"\"split_indices\":[1", "\"split_indices\":[2", TIDE_CODE_IMPORT_VALUE,
         "split_indices/0"},
        {"[0.5,0,1", "[NaN,0,1", TIDE_CODE_IMPORT_VALUE, "split_conditions/0"},
        {"[0.5,0,1", "[0.5,0,1e400", TIDE_CODE_IMPORT_VALUE, "split_conditions/2"},
        {"\"categories\":[1,3]", "\"categories\":[1,-3]", TIDE_CODE_IMPORT_VALUE,
         "categories/1"},
        {"sizes\":[2]", "sizes\":[2147483647]", TIDE_CODE_IMPORT_VALUE,
         "categories_segments/0"},
        {"nodes\":[1]", "nodes\":[0]", TIDE_CODE_IMPORT_VALUE, "categories_nodes"},
        {"num_nodes\":\"5", "num_nodes\":\"2147483647", TIDE_CODE_IMPORT_VALUE,
         "num_nodes"},
        {"num_feature\":\"2", "num_feature\":\"2147483647", TIDE_CODE_IMPORT_VALUE,
         "num_feature"},
        {"num_feature\":\"2", "num_feature\":\"-1", TIDE_CODE_IMPORT_VALUE,
         "num_feature"},
        {"tree_info\":[0]", "tree_info\":[1]", TIDE_CODE_IMPORT_VALUE, "tree_info"},
        {"2.5E-1", "1e400", TIDE_CODE_IMPORT_VALUE, "base_score"},
        {"2.5E-1", "", TIDE_CODE_IMPORT_VALUE, "base_score"},
        {"reg:squarederror", "reg:magic", TIDE_CODE_IMPORT_UNSUPPORTED, "objective"},
        {"\"gbtree\"", "\"gblinear\"", TIDE_CODE_IMPORT_UNSUPPORTED, "name"},
        {"num_target\":\"1", "num_target\":\"2", TIDE_CODE_IMPORT_UNSUPPORTED,
         "num_target"},
        {"[3,2,0]", "[4,0,0]", TIDE_CODE_IMPORT_UNSUPPORTED, "version"},
        {"\"b\",\"a\"", "\"a\",\"a\"", TIDE_CODE_IMPORT_VALUE, ""},
        {"\"b\",\"a\"", "\"target\",\"a\"", TIDE_CODE_PARAM_CONFLICT, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_model *m = NULL;
        tide_error err = {0};
        char *text = changed(xgb, cases[i].from, cases[i].to);
        if (!text) continue;
        CHECK(take(text, &m, &err) != TIDE_OK);
        CHECK_INT(err.code, cases[i].code);
        CHECK(strstr(err.place, cases[i].place) != NULL);
        CHECK_STR(err.file, "m.json");
        if (err.code != cases[i].code || !strstr(err.place, cases[i].place))
            printf("%s -> %s: %s, %s\n", cases[i].from, cases[i].to, err.place,
                   err.message);
        tide_model_free(m);
        mem_free(text);
    }
}

/* ---- LightGBM ---- */

/* x at -1e-36 (missing_type zero, default right), then a set {0, 33} of c. */
static const char lgb[] =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
    "max_feature_idx=1\nobjective=regression\nfeature_names=x c\n"
    "feature_infos=[-1:1] 0:33:1\n\n"
    "Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 1\nsplit_gain=2 1\n"
    "threshold=2.5 0\ndecision_type=4 1\nleft_child=1 -1\nright_child=-3 -2\n"
    "leaf_value=1 2 4\ncat_boundaries=0 2\ncat_threshold=1 2\nis_linear=0\n"
    "shrinkage=1\n\n\nend of trees\n\npandas_categorical:null\n";

TEST(a_lightgbm_model_scores_by_hand)
{
    tide_model *m = NULL;
    tide_error err = {0};
    CHECK_INT(take(lgb, &m, &err), TIDE_OK);
    if (!m) return;
    struct toy *t = toy_new(10);
    double *c = toy_number(t, "c"), *x = toy_number(t, "x");
    /* zero is missing: it goes right although it is below the threshold */
    const double xs[10] = {1, 0, -0.0, 1e-36, 2.5, 2.50001, NAN, -1, -1, -1};
    const double cs[10] = {0, 0, 0, 0, 33, 0, 0, -0.5, 1, NAN};
    const double want[10] = {1, 4, 4, 4, 1, 4, 4, 1, 2, 2};
    memcpy(x, xs, sizeof xs);
    memcpy(c, cs, sizeof cs);
    for (int strict = 0; strict < 2; strict++) {
        double got[10];
        CHECK_INT(
            imported_margin(m->nodes[0].object, toy_view(t), 0, 10, strict, got, &err),
            TIDE_OK);
        for (int i = 0; i < 10; i++) CHECK_NEAR(got[i], want[i], 0);
    }
    toy_free(t);
    tide_model_free(m);
}

TEST(odd_lightgbm_models_are_refused_with_their_line)
{
    static const struct {
        const char *from, *to;
        tide_code code;
        int64_t line;
    } cases[] = {
        {"num_leaves=3", "num_leaves=1000000000", TIDE_CODE_IMPORT_VALUE, 20},
        {"num_leaves=3", "num_leaves=0", TIDE_CODE_IMPORT_VALUE, 12},
        {"num_leaves=3\n", "", TIDE_CODE_IMPORT_VALUE, 11},
        {"split_feature=0 1", "split_feature=0 2", TIDE_CODE_IMPORT_VALUE, 14},
        {"left_child=1 -1", "left_child=0 -1", TIDE_CODE_IMPORT_VALUE, 11},
        {"left_child=1 -1", "left_child=1 -9", TIDE_CODE_IMPORT_VALUE, 18},
        {"right_child=-3 -2", "right_child=-3 -1", TIDE_CODE_IMPORT_VALUE, 11},
        {"threshold=2.5 0", "threshold=nan 0", TIDE_CODE_IMPORT_VALUE, 16},
        {"threshold=2.5 0", "threshold=2.5 1", TIDE_CODE_IMPORT_VALUE, 16},
        {"decision_type=4 1", "decision_type=13 1", TIDE_CODE_IMPORT_VALUE, 17},
        {"cat_boundaries=0 2", "cat_boundaries=0 9", TIDE_CODE_IMPORT_VALUE, 21},
        {"cat_threshold=1 2", "cat_threshold=1 -2", TIDE_CODE_IMPORT_VALUE, 22},
        {"leaf_value=1 2 4", "leaf_value=1 2", TIDE_CODE_IMPORT_VALUE, 20},
        {"leaf_value=1 2 4", "leaf_value=1 2 1e400", TIDE_CODE_IMPORT_VALUE, 20},
        {"is_linear=0", "is_linear=1", TIDE_CODE_IMPORT_VALUE, 11},
        {"version=v4", "version=v9", TIDE_CODE_IMPORT_UNSUPPORTED, 2},
        {"objective=regression", "objective=magic", TIDE_CODE_IMPORT_UNSUPPORTED, 7},
        {"objective=regression", "objective=regression huh",
         TIDE_CODE_IMPORT_UNSUPPORTED, 7},
        {"max_feature_idx=1", "max_feature_idx=2147483647", TIDE_CODE_IMPORT_VALUE, 6},
        {"feature_names=x c", "feature_names=x", TIDE_CODE_IMPORT_VALUE, 8},
        {"feature_infos=[-1:1] 0:33:1\n", "feature_infos=[-1:1] 0:33:1\ntree_sizes=7\n",
         TIDE_CODE_IMPORT_VALUE, 10},
        {"end of trees", "", TIDE_CODE_IMPORT_SYNTAX, 0},
        {"categorical:null", "categorical:[[1],[2]]", TIDE_CODE_IMPORT_UNSUPPORTED, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_model *m = NULL;
        tide_error err = {0};
        char *text = changed(lgb, cases[i].from, cases[i].to);
        if (!text) continue;
        CHECK(take(text, &m, &err) != TIDE_OK);
        CHECK_INT(err.code, cases[i].code);
        if (cases[i].line) CHECK_INT(err.line, cases[i].line);
        if (err.code != cases[i].code || (cases[i].line && err.line != cases[i].line))
            printf("%s -> %s: %lld, %s\n", cases[i].from, cases[i].to,
                   (long long)err.line, err.message);
        tide_model_free(m);
        mem_free(text);
    }
}

/* ---- linear leaves ---- */

/* A tree of linear leaves (one without columns), and one of plain leaves behind it. */
static const char linear[] =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
    "max_feature_idx=1\nobjective=regression\nfeature_names=x c\n"
    "feature_infos=[-1:1] [-1:1]\n\n"
    "Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\nsplit_gain=2 1\n"
    "threshold=2.5 0.5\ndecision_type=2 2\nleft_child=1 -1\nright_child=-3 -2\n"
    "leaf_value=1 2 4\nis_linear=1\nleaf_const=0.5 8 -1\nnum_features=2 0 1\n"
    "leaf_features=0 1   0 \nleaf_coeff=2 -4   1e-10 \nshrinkage=1\n\n\n"
    "Tree=1\nnum_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=2\nthreshold=0\n"
    "decision_type=2\nleft_child=-1\nright_child=-2\nleaf_value=16 32\nis_linear=0\n"
    "shrinkage=1\n\n\nend of trees\n\npandas_categorical:null\n";

TEST(linear_leaves_score_by_hand)
{
    tide_model *m = NULL, *first = NULL;
    tide_error err = {0};
    tide_shap *shap = NULL;
    tide_frame *frame = NULL;
    CHECK_MSG(!take(linear, &m, &err), "%s", err.message);
    if (!m) return;
    struct toy *t = toy_new(8);
    double *c = toy_number(t, "c"), *x = toy_number(t, "x");
    const double xs[8] = {1, 1, NAN, 3, 3, -1, 1e-36, 2};
    const double cs[8] = {0, 1, 0, 0, NAN, NAN, 0.25, -1e-36};
    const double want[8] = {2.5 + 32,        8 + 32, 1 + 16,    -1 + 3e-10 + 32,
                            -1 + 3e-10 + 32, 1 + 16, -0.5 + 16, 4.5 + 32};
    memcpy(x, xs, sizeof xs);
    memcpy(c, cs, sizeof cs);
    for (int strict = 0; strict < 2; strict++) {
        double got[8];
        CHECK_INT(
            imported_margin(m->nodes[0].object, toy_view(t), 0, 8, strict, got, &err),
            TIDE_OK);
        for (int i = 0; i < 8; i++) CHECK_NEAR(got[i], want[i], 0);
    }
    CHECK_INT(tide_model_first_trees(context(), m, 1, &first, &err), TIDE_OK);
    if (first) {
        double got[8];
        CHECK_INT(
            imported_margin(first->nodes[0].object, toy_view(t), 0, 8, 0, got, &err),
            TIDE_OK);
        CHECK_NEAR(got[0], 2.5, 0);
        CHECK_NEAR(got[2], 1, 0);
    }
    char *text = NULL;
    CHECK_INT(tide_model_tree(context(), m, 1, &text, &err), TIDE_OK);
    CHECK(text && strstr(text, ": 0.5 + 2 x - 4 c, 1 where one is missing\n"));
    CHECK(text && strstr(text, ": 8\n") && strstr(text, ", 4 where that is missing\n"));
    tide_text_free(text);
    struct tide_column_in in[2] = {{.name = "x", .f64 = xs}, {.name = "c", .f64 = cs}};
    CHECK_INT(tide_frame_new(context(), 8, 2, in, &frame, &err), TIDE_OK);
    CHECK(tide_model_shap(context(), m, frame, NULL, &shap, &err) != TIDE_OK);
    CHECK(!shap);
    CHECK_STR(err.message, "leaves that are linear in columns cannot be shared out");
    tide_frame_free(frame);
    tide_model_free(first);
    toy_free(t);
    tide_model_free(m);
}

TEST(linear_leaves_are_written_for_readers_that_know_them)
{
    tide_model *m = NULL, *back = NULL, *plain = NULL;
    tide_error err = {0};
    struct arena a;
    uint8_t *data = NULL, *again = NULL;
    size_t n = 0, n_again = 0;
    arena_init(&a, NULL);
    CHECK_MSG(!take(linear, &m, &err) && !take(lgb, &plain, &err), "%s", err.message);
    if (!m || !plain) return;
    CHECK_INT(tide_write_model(plain, &a, &data, &n, &err), TIDE_OK);
    CHECK(data[10] == 0 && data[12] == 0);
    CHECK_INT(tide_write_model(m, &a, &data, &n, &err), TIDE_OK);
    CHECK(data[10] == 1 && data[12] == 1);
    back = model_new(context(), &err);
    CHECK_MSG(!tide_read_model(context(), back, data, n, "m", &err), "%s", err.message);
    CHECK_INT(tide_write_model(back, &a, &again, &n_again, &err), TIDE_OK);
    CHECK(n == n_again && memcmp(data, again, n) == 0);
    tide_model_free(back);
    tide_model_free(plain);
    tide_model_free(m);
    arena_free(&a);
}

TEST(odd_linear_leaves_are_refused_with_their_line)
{
    static const struct {
        const char *from, *to;
        tide_code code;
        int64_t line;
    } cases[] = {
        {"leaf_const=0.5 8 -1\n", "", TIDE_CODE_IMPORT_VALUE, 11},
        {"leaf_const=0.5 8 -1", "leaf_const=0.5 8", TIDE_CODE_IMPORT_VALUE, 22},
        {"leaf_const=0.5 8 -1", "leaf_const=0.5 nan 1", TIDE_CODE_IMPORT_VALUE, 22},
        {"leaf_coeff=2", "leaf_coeff=inf", TIDE_CODE_IMPORT_VALUE, 25},
        {"leaf_coeff=2", "leaf_coeff=", TIDE_CODE_IMPORT_VALUE, 25},
        {"num_features=2 0 1", "num_features=3 0 1", TIDE_CODE_IMPORT_VALUE, 23},
        {"num_features=2 0 1", "num_features=2 1 1", TIDE_CODE_IMPORT_VALUE, 24},
        {"num_features=2 0 1", "num_features=2 -1 1", TIDE_CODE_IMPORT_VALUE, 23},
        {"num_features=2 0 1", "num_features=2 .5 1", TIDE_CODE_IMPORT_VALUE, 23},
        {"num_features=2 0 1", "num_features=1e300 0 1", TIDE_CODE_IMPORT_VALUE, 23},
        {"leaf_features=0 1", "leaf_features=0 2", TIDE_CODE_IMPORT_VALUE, 24},
        {"leaf_features=0 1", "leaf_features=0 -1", TIDE_CODE_IMPORT_VALUE, 24},
        {"is_linear=1", "is_linear=2", TIDE_CODE_IMPORT_VALUE, 21},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tide_model *m = NULL;
        tide_error err = {0};
        char *text = changed(linear, cases[i].from, cases[i].to);
        if (!text) continue;
        CHECK(take(text, &m, &err) != TIDE_OK);
        CHECK_MSG(err.code == cases[i].code && err.line == cases[i].line,
                  "%s -> %s: %lld, %s", cases[i].from, cases[i].to, (long long)err.line,
                  err.message);
        tide_model_free(m);
        mem_free(text);
    }
}

/* A column of texts has no numbers to multiply. */
TEST(linear_leaves_of_a_dictionary_are_refused)
{
    char *text = changed(linear, "[-1:1] [-1:1]", "[-1:1] 0:1");
    char *named =
        text ? changed(text, "categorical:null", "categorical:[[\"a\"]]") : NULL;
    tide_model *m = NULL;
    tide_error err = {0};
    CHECK_INT(take(named, &m, &err), TIDE_EMODEL);
    CHECK_INT(err.code, TIDE_CODE_IMPORT_UNSUPPORTED);
    CHECK_STR(err.field, "c");
    mem_free(named);
    mem_free(text);
}

/* ---- contributions ---- */

/* Counts of rows, without which no contribution has a path to weigh. */
#define COUNTED "leaf_value=1 2 4\nleaf_count=3 2 5\ninternal_count=10 5"

/* ---- single rows ---- */

TEST(single_rows_of_imported_trees_have_the_bits_of_the_batch)
{
    char *logit = changed(xgb, "reg:squarederror", "binary:logistic");
    const char *const texts[] = {xgb, lgb, logit, linear};
    for (int k = 0; k < 8; k++) {
        struct tide_import_options how = {.size = sizeof how, .sums = k % 2};
        tide_model *m = NULL;
        tide_error err = {0};
        tide_row_predictor *p = NULL;
        const char *text = texts[k / 2];
        CHECK_MSG(!import_bytes(context(), text, strlen(text), "m", &how, &m, &err),
                  "%s", err.message);
        CHECK_INT(tide_row_predictor_new(m, NULL, 0, &p, &err), 0);
        if (!m || !p) continue;
        const struct fitted_node *last = &m->nodes[m->n_nodes - 1];
        int width = tide_row_predictor_width(p);
        struct toy *t = toy_new(50);
        double *own[2], want[100], got[2];
        for (int j = 0; j < 2; j++) own[j] = toy_number(t, m->schema.cols[j].name);
        for (int i = 0; i < 50; i++) {
            own[0][i] = i % 9 == 0 ? (double)NAN : (i - 25) * 0.04;
            own[1][i] = i % 7 == 0 ? (double)NAN : i % 5 - 0.5 * (i % 2);
        }
        CHECK_INT(last->learner->predict(last->object, toy_view(t), 0, 50, want, &err),
                  0);
        for (int i = 0; i < 50; i++) {
            double x[2] = {own[0][i], own[1][i]};
            alloc_fault_set(0, 0);
            CHECK_INT(tide_predict_row(p, x, got, &err), 0);
            CHECK_INT(alloc_fault_count(), 0);
            CHECK(memcmp(got, want + i * width, (size_t)width * sizeof *got) == 0);
        }
        toy_free(t);
        tide_row_predictor_free(p);
        tide_model_free(m);
    }
    mem_free(logit);
}

TEST(contributions_of_imported_trees_sum_to_their_margin)
{
    char *counted = changed(lgb, "leaf_value=1 2 4", COUNTED);
    const char *const texts[] = {xgb, counted};
    for (int k = 0; k < 2; k++) {
        tide_model *m = NULL;
        tide_error err = {0};
        tide_frame *frame = NULL;
        tide_shap *shap = NULL;
        CHECK_MSG(!take(texts[k], &m, &err), "%s", err.message);
        double a[50], b[50], margin[50];
        struct toy *t = toy_new(50);
        double *own[2];
        for (int j = 0; m && j < 2; j++) own[j] = toy_number(t, m->schema.cols[j].name);
        for (int i = 0; m && i < 50; i++) {
            a[i] = own[0][i] = i % 9 == 0 ? (double)NAN : (i - 25) * 0.04;
            b[i] = own[1][i] = i % 7 == 0 ? (double)NAN : i % 5;
        }
        struct tide_column_in in[2] = {{.name = m->schema.cols[0].name, .f64 = a},
                                       {.name = m->schema.cols[1].name, .f64 = b}};
        CHECK_INT(tide_frame_new(context(), 50, 2, in, &frame, &err), 0);
        CHECK_MSG(!tide_model_shap(context(), m, frame, NULL, &shap, &err), "%s",
                  err.message);
        CHECK_INT(
            imported_margin(m->nodes[0].object, toy_view(t), 0, 50, 0, margin, &err),
            0);
        for (int i = 0; shap && i < 50; i++) {
            const double *phi = tide_shap_values(shap) + i * 3;
            CHECK_NEAR(phi[0] + phi[1] + phi[2], margin[i], 1e-12);
        }
        tide_shap_free(shap);
        toy_free(t);
        tide_frame_free(frame);
        tide_model_free(m);
    }
    mem_free(counted);
}

/* ---- memory ---- */

TEST(every_failed_allocation_is_an_error)
{
    static const char *const all[] = {xgb, lgb, linear};
    for (int f = 0; f < 3; f++)
        for (int64_t k = 1;; k++) {
            tide_model *m = NULL;
            tide_error err = {0};
            int64_t before = alloc_live();
            context();
            alloc_fault_set(k, 0);
            tide_status st = take(all[f], &m, &err);
            int hit = alloc_fault_hit();
            alloc_fault_set(0, 0);
            tide_model_free(m);
            if (!hit) break;
            CHECK_INT(st, TIDE_ENOMEM);
            CHECK(m == NULL || st == TIDE_OK);
            if (k > 1) CHECK(alloc_live() <= before + 4);
            if (st != TIDE_ENOMEM) break;
        }
}
