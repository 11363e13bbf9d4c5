/* cmd_show.c - what is in a model file */
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

struct show_own {
    const char *sha256;
    int64_t tree;
};
static const struct tide_param rows[] = {
    P_I64(
        show_own, tree, "0", P_RANGE(0, 2147483647), .metavar = "K",
        .help =
            "print tree number K, from 1, instead of the report; --html: its picture"),
    P_TEXT(show_own, sha256, NULL, .metavar = "HEX",
           .help = "the model file must have this SHA-256"),
};

/* The picture of one tree, where --html asks for it. */
static tide_status draw_tree(struct cli *c, const tide_model *model, tide_error *err)
{
    const struct show_own *own = cli_own(c);
    tide_report *report = NULL;
    tide_status s = tide_model_tree_report(c->ctx, model, own->tree, &report, err);
    if (!s) s = cli_show(c, report, model, c->args[0], 1, err);
    tide_report_free(report);
    return s;
}

/* One tree on stdout: as text, or with --json as an object that holds it. */
static tide_status print_tree(struct cli *c, const tide_model *model, tide_error *err)
{
    const struct show_own *own = cli_own(c);
    char *text = NULL;
    tide_status s = tide_model_tree(c->ctx, model, own->tree, &text, err);
    if (!s && c->common->json) {
        json_t *object = json_object();
        int bad = json_put_i64(object, "tree", own->tree);
        bad |= json_put_str(object, "text", text);
        s = bad ? err_nomem(err, 0) : cli_write_json(object, err);
        json_decref(object);
    } else if (!s) {
        s = cli_write(text, strlen(text), err);
    }
    tide_text_free(text);
    return s;
}

static tide_status run(struct cli *c, tide_error *err)
{
    const struct show_own *own = cli_own(c);
    const struct cli_report *how = cli_shared(c, &cli_table_report);
    tide_model *model = NULL;
    tide_report *report = NULL;
    tide_status s = cli_check_require(c, err);
    if (!s) s = cli_check_output("html", how->html, c->args, 1, err);
    if (!s) s = tide_model_open(c->ctx, c->args[0], own->sha256, &model, err);
    if (!s && own->tree > 0) {
        if (how->html) s = draw_tree(c, model, err);
        if (!s && !(how->html && strcmp(how->html, "-") == 0))
            s = print_tree(c, model, err);
        tide_model_free(model);
        return s;
    }
    if (!s) s = tide_model_show(c->ctx, model, &report, err);
    if (!s) s = cli_strict(err);
    if (!s) s = cli_know_require(c, report, err);
    if (!s) s = cli_show(c, report, model, c->args[0], 0, err);
    if (!s) s = cli_require(c, report, err);
    if (!s)
        cli_next(
            (const char *const[]){"tidemill", "predict", c->args[0], "FILE", NULL});
    tide_report_free(report);
    tide_model_free(model);
    return s;
}

const struct cli_verb cli_verb_show = {
    .name = "show",
    .usage = "MODEL [options]",
    .title = "Show what is in a model",
    .group = "Judge",
    .params = TIDE_TABLE(rows, show_own),
    .tables = {&cli_table_report},
    .min_args = 1,
    .max_args = 1,
    .args = "a model",
    .run = run,
    .examples = "tidemill show churn.tide\n"
                "tidemill show churn.tide --tree 1 --html tree.html\n"
                "tidemill show churn.tide --json",
};
