/* cmd_look.c - explore a table before anything is learned from it */
#include <string.h>

#include "cli/cli.h"

struct look_own {
    const char *target;
    int32_t task;
};
static const char *const tasks[] = {"auto", "classify", "regress", NULL};
static const struct tide_param rows[] = {
    P_TEXT(look_own, target, NULL, .metavar = "COL",
           .help = "the column to be predicted: associations, leaks, balance"),
    P_ENUM(look_own, task, "auto", tasks, .help = "how to take the target"),
};

static void next(const struct cli *c, const tide_frame *frame)
{
    const struct look_own *own = cli_own(c);
    int last = tide_frame_columns(frame) - 1;
    const char *target = own->target ? own->target
                         : last >= 0 ? tide_frame_name(frame, last)
                                     : NULL;
    if (!target || tide_frame_rows(frame) == 0) return;
    cli_next((const char *const[]){"tidemill", "train", c->args[0], "--target", target,
                                   NULL});
}

static tide_status run(struct cli *c, tide_error *err)
{
    const struct look_own *own = cli_own(c);
    const struct cli_report *how = cli_shared(c, &cli_table_report);
    struct tide_look_options options = {
        .target = own->target, .task = own->task, .seed = c->common->seed};
    tide_frame *frame = NULL;
    tide_report *report = NULL;
    tide_status s = cli_check_require(c, err);
    if (!s) s = cli_check_output("html", how->html, c->args, 1, err);
    if (!s) s = cli_read(c, c->args[0], 1, &frame, err);
    if (!s) s = tide_look(c->ctx, frame, &options, &report, err);
    if (!s) s = cli_strict(err);
    if (!s) s = cli_know_require(c, report, err);
    if (!s) s = cli_show(c, report, NULL, NULL, 0, err);
    if (!s) s = cli_require(c, report, err);
    if (!s) next(c, frame);
    tide_report_free(report);
    tide_frame_free(frame);
    return s;
}

const struct cli_verb cli_verb_look = {
    .name = "look",
    .usage = "FILE [--target COL] [options]",
    .title = "Explore a table: types, gaps, distributions, leaks, advice",
    .group = "Explore",
    .params = TIDE_TABLE(rows, look_own),
    .tables = {&cli_table_read, &cli_table_report},
    .min_args = 1,
    .max_args = 1,
    .args = "a table",
    .run = run,
    .examples = "tidemill look churn.csv\n"
                "tidemill look churn.csv --target churn --html churn.html\n"
                "zcat churn.csv.gz | tidemill look - --json",
};
