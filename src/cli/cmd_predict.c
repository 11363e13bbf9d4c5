/* cmd_predict.c - scores of every row of a table, as CSV */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"

struct predict_own {
    const char *output, *id, *sha256;
    int32_t proba, spreadsheet_safe;
};
static const struct tide_param rows[] = {
    P_TEXT(predict_own, output, "-", .alias = "-o", .metavar = "OUT",
           .help = "where the predictions go"),
    P_BOOL(predict_own, proba, "no", .help = "also the probability of each class"),
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

static tide_status write_scores(struct cli *c, const tide_scores *scores,
                                const tide_frame *frame, int64_t *bytes,
                                tide_error *err)
{
    const struct predict_own *own = cli_own(c);
    const struct tide_scores_csv how = {.proba = own->proba,
                                        .spreadsheet_safe = own->spreadsheet_safe,
                                        .frame = frame,
                                        .id = own->id};
    struct cli_sink sink;
    cli_talk_end();
    tide_status s = cli_sink_open(&sink, own->output, err);
    if (s) return s;
    s = tide_scores_write(scores, &how, cli_sink_put, &sink, err);
    if (!s) s = cli_strict(err);
    *bytes = sink.bytes;
    return cli_sink_close(c, &sink, s, err);
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
    int has_target = tide_frame_find(frame, tide_model_target(model), "", NULL) >= 0;
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
    int64_t bytes = 0, t0 = clock_ns();
    tide_status s = tide_model_predict(c->ctx, model, frame, &scores, err);
    double predict_s = clock_since(t0);
    if (!s) s = cli_strict(err);
    if (!s) s = write_scores(c, scores, frame, &bytes, err);
    if (!s && c->common->json) s = say_json(c, model, scores, bytes, predict_s, err);
    if (!s && strcmp(own->output, "-") != 0)
        cli_line("predicted %lld rows; wrote %s", (long long)tide_scores_rows(scores),
                 own->output);
    if (!s) next(c, model, frame);
    tide_scores_free(scores);
    return s;
}

static tide_status run(struct cli *c, tide_error *err)
{
    const struct predict_own *own = cli_own(c);
    tide_model *model = NULL;
    tide_frame *frame = NULL;
    tide_status s = check_before(c, err);
    if (!s) s = tide_model_open(c->ctx, c->args[0], own->sha256, &model, err);
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
