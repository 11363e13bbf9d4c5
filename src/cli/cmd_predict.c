/* cmd_predict.c - scores of every row of a table, as CSV */
#include <string.h>

#include <tidemill/explain.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"

struct predict_own {
    const char *output, *id, *sha256;
    int32_t proba, explain, spreadsheet_safe;
    int64_t trees;
};
static const struct tide_param rows[] = {
    P_TEXT(predict_own, output, "-", .alias = "-o", .metavar = "OUT",
           .help = "where the predictions go"),
    P_BOOL(predict_own, proba, "no", .help = "also the probability of each class"),
    P_BOOL(predict_own, explain, "no",
           .help = "also what each column adds to the margin (trees, linear models)"),
    P_I64(predict_own, trees, "0", P_RANGE(0, 2147483647), .metavar = "N",
          .help = "only the first N trees of the model, of each class; 0: all"),
    P_TEXT(predict_own, id, NULL, .metavar = "COL",
           .help = "carry this column of the table over"),
    P_BOOL(predict_own, spreadsheet_safe, "no",
           .help = "quote cells that a spreadsheet would run as formulas"),
    P_TEXT(predict_own, sha256, NULL, .metavar = "HEX",
           .help = "the model file must have this SHA-256"),
};

static tide_status check_before(const struct cli *c, tide_error *err)
{
    const struct predict_own *own = cli_own(c);
    if (c->common->json && strcmp(own->output, "-") == 0) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "'--json' needs '--output', since stdout holds the table");
        return err_hint(err, "output", "predictions.csv");
    }
    return cli_check_output("output", own->output, c->args, 2, err);
}

/* Names of the columns of contributions: why_<column>, why_<class>_<column> where there is a
 * margin for each class or quantile, why_bias. NULL when memory is out; freed with free_names. */
static void free_names(char **names, int n)
{
    for (int i = 0; names && i < n; i++) mem_free(names[i]);
    mem_free(names);
}

static char **name_contributions(const tide_shap *shap, const tide_scores *scores,
                                 int n)
{
    char **names = mem_zalloc((size_t)n * sizeof *names);
    int columns = tide_shap_columns(shap);
    for (int i = 0; names && i < n; i++) {
        struct str name = {0};
        int j = i % (columns + 1);
        str_add(&name, "why_");
        if (tide_shap_outputs(shap) > 1)
            str_addf(&name, "%s_", tide_scores_output(scores, i / (columns + 1)));
        str_add(&name, j < columns ? tide_shap_name(shap, j) : "bias");
        names[i] = name.failed ? NULL : mem_strdup(name.s);
        str_free(&name);
        if (names[i]) continue;
        free_names(names, n);
        return NULL;
    }
    return names;
}

static tide_status write_to(struct cli *c, const tide_scores *scores,
                            const struct tide_scores_csv *how, int64_t *bytes,
                            tide_error *err)
{
    const struct predict_own *own = cli_own(c);
    struct cli_sink sink;
    cli_talk_end();
    tide_status s = cli_sink_open(&sink, own->output, err);
    if (s) return s;
    s = tide_scores_write(scores, how, cli_sink_put, &sink, err);
    if (!s) s = cli_strict(err);
    *bytes = sink.bytes;
    return cli_sink_close(c, &sink, s, err);
}

static tide_status write_scores(struct cli *c, const tide_scores *scores,
                                const tide_frame *frame, const tide_shap *shap,
                                int64_t *bytes, tide_error *err)
{
    const struct predict_own *own = cli_own(c);
    struct tide_scores_csv how = {.proba = own->proba,
                                  .spreadsheet_safe = own->spreadsheet_safe,
                                  .frame = frame,
                                  .id = own->id};
    char **names = NULL;
    if (shap) {
        how.n_extra = tide_shap_outputs(shap) * (tide_shap_columns(shap) + 1);
        how.extra = tide_shap_values(shap);
        names = name_contributions(shap, scores, how.n_extra);
        if (!names) return err_nomem(err, 0);
        how.extra_names = (const char *const *)names;
    }
    tide_status s = write_to(c, scores, &how, bytes, err);
    free_names(names, how.n_extra);
    return s;
}

/* Names of several quantiles, the columns of the table. */
static int put_outputs(json_t *object, const tide_scores *scores)
{
    if (tide_scores_classes(scores) || tide_scores_width(scores) < 2) return 0;
    json_t *names = json_array();
    int bad = !names;
    for (int k = 0; !bad && k < tide_scores_width(scores); k++)
        bad |= json_array_append_new(names, json_string(tide_scores_output(scores, k)));
    bad |= json_put(object, "outputs", names);
    return bad;
}

static tide_status say_json(struct cli *c, const tide_model *model,
                            const tide_scores *scores, int64_t bytes, double predict_s,
                            tide_error *err)
{
    const struct predict_own *own = cli_own(c);
    json_t *object = json_object(), *time = json_object(), *out = json_object();
    int bad = json_put_i64(object, "rows", tide_scores_rows(scores));
    bad |= json_put_i64(object, "classes", tide_scores_classes(scores));
    bad |= json_put_str(object, "target", tide_model_target(model));
    bad |= put_outputs(object, scores);
    bad |= json_put_str(out, "path", own->output);
    bad |= json_put_i64(out, "bytes", bytes);
    bad |= json_put(object, "output", out);
    bad |= json_put_f64(time, "predict_s", cli_seconds(predict_s));
    bad |= json_put(object, "time", time);
    bad |= cli_add_facts(c, object, model, c->args[0]);
    tide_status s = bad ? err_nomem(err, 0) : cli_write_json(object, err);
    json_decref(object);
    return s;
}

static void next(const struct cli *c, const tide_model *model, const tide_frame *frame)
{
    const struct predict_own *own = cli_own(c);
    const char *target = tide_model_target(model);
    int has_target = target && tide_frame_find(frame, target, "", NULL) >= 0;
    if (has_target && strcmp(c->args[1], "-") != 0)
        cli_next(
            (const char *const[]){"tidemill", "eval", c->args[0], c->args[1], NULL});
    else if (strcmp(own->output, "-") != 0)
        cli_next((const char *const[]){"tidemill", "look", own->output, NULL});
}

static tide_status predict(struct cli *c, const tide_model *model,
                           const tide_frame *frame, tide_error *err)
{
    const struct predict_own *own = cli_own(c);
    tide_scores *scores = NULL;
    tide_shap *shap = NULL;
    int64_t bytes = 0, t0 = clock_ns();
    tide_status s = tide_model_predict(c->ctx, model, frame, &scores, err);
    double predict_s = clock_since(t0);
    if (!s) s = cli_strict(err);
    if (!s && own->explain) s = tide_model_shap(c->ctx, model, frame, NULL, &shap, err);
    if (!s) s = write_scores(c, scores, frame, shap, &bytes, err);
    if (!s && c->common->json) s = say_json(c, model, scores, bytes, predict_s, err);
    if (!s && strcmp(own->output, "-") != 0)
        cli_line("predicted %lld rows; wrote %s", (long long)tide_scores_rows(scores),
                 own->output);
    if (!s) next(c, model, frame);
    tide_shap_free(shap);
    tide_scores_free(scores);
    return s;
}

/* The model, or its first trees. */
static tide_status open_model(struct cli *c, tide_model **out, tide_error *err)
{
    const struct predict_own *own = cli_own(c);
    tide_model *whole = NULL;
    tide_status s = tide_model_open(c->ctx, c->args[0], own->sha256, &whole, err);
    if (s || own->trees == 0) {
        *out = whole;
        return s;
    }
    s = tide_model_first_trees(c->ctx, whole, own->trees, out, err);
    tide_model_free(whole);
    return s;
}

static tide_status run(struct cli *c, tide_error *err)
{
    const struct predict_own *own = cli_own(c);
    tide_model *model = NULL;
    tide_frame *frame = NULL;
    tide_status s = check_before(c, err);
    if (!s) s = open_model(c, &model, err);
    if (!s) s = cli_read(c, c->args[1], 0, &frame, err);
    if (!s && own->id && tide_frame_find(frame, own->id, "id", err) < 0)
        s = err->status;
    if (!s) s = predict(c, model, frame, err);
    tide_frame_free(frame);
    tide_model_free(model);
    return s;
}

const struct cli_verb cli_verb_predict = {
    .name = "predict",
    .usage = "MODEL FILE [-o OUT] [options]",
    .title = "Predict every row of a table",
    .group = "Use",
    .params = TIDE_TABLE(rows, predict_own),
    .tables = {&cli_table_read},
    .min_args = 2,
    .max_args = 2,
    .args = "a model and a table",
    .run = run,
    .examples = "tidemill predict churn.tide new.csv -o predictions.csv\n"
                "tidemill predict churn.tide new.csv --proba --id customer | head",
};
