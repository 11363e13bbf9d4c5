/* cmd_train.c - fit a pipeline, validate it, save it, say how good it is */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"

#define TASK_ANOMALY 3 /* of tide_problem_options */

struct train_own {
    const char *output, *valid, *base, *refit;
    double refit_decay;
    int32_t snapshot;
};
static const struct tide_param rows[] = {
    P_TEXT(train_own, output, NULL, .alias = "-o", .metavar = "MODEL",
           .help = "model file; by default the table's name with .tide, here"),
    P_TEXT(train_own, valid, NULL, .metavar = "FILE",
           .help = "validate on this table instead of folds"),
    /* by hand: 'continue' is no name of a field */
    {.name = "continue",
     .type = TIDE_PARAM_TEXT,
     .offset = offsetof(struct train_own, base),
     .metavar = "MODEL",
     .alias = "init_model",
     .help = "add rounds behind the trees of this model (--set trees=N)"},
    P_TEXT(train_own, refit, NULL, .metavar = "MODEL",
           .help = "keep the trees of this model and make their leaves anew"),
    P_REAL(train_own, refit_decay, "0.9", P_RANGE(0, 1),
           .help = "refit: share of an old leaf's value that stays",
           .alias = "refit_decay_rate"),
    P_INT(train_own, snapshot, "0", P_RANGE(0, 1000000), .metavar = "ROUNDS",
          .alias = "snapshot_freq save_period",
          .help =
              "every so many rounds the model so far goes to MODEL.partial; 0: never"),
};

/* ---- the learner's parameters are options too ---- */

static tide_status learner_table(int argc, char **argv,
                                 const struct tide_params **table, const char **owner,
                                 tide_error *err)
{
    const char *name = cli_peek(argc, argv, "learner");
    if (!name || !*name || strcmp(name, "auto") == 0) return TIDE_OK;
    const struct tide_entry *entry = tide_registry_find(TIDE_LEARNER, name, err);
    if (!entry) {
        if (err->option[0] == '\0' && err->value[0] && !strchr(err->value, ' ')) {
            char near[160];
            str_format(near, sizeof near, "%s", err->value);
            err_hint(err, "learner", "%s", near);
        }
        return err_field(err, "learner");
    }
    *table = &entry->params;
    *owner = entry->name;
    return TIDE_OK;
}

/* The learner that has a parameter of exactly this name; else the nearest name of any. */
static const char *who_knows(const char *option, int exact)
{
    const char *names[512];
    int n = 0;
    for (int i = 0; i < tide_registry_count(TIDE_LEARNER); i++) {
        const struct tide_entry *e = tide_registry_get(TIDE_LEARNER, i);
        if (exact && tide_params_find(&e->params, option)) return e->name;
        for (int j = 0; j < e->params.n && n < 512; j++)
            names[n++] = e->params.rows[j].name;
    }
    return exact ? NULL : err_nearest(option, names, n);
}

/* Adds --set k=v to the learner's values, then lists all that were given: --set's items and
 * the learner's options as k=v. Memory of *items and of its texts: arena-like, one block. */
static tide_status join_sets(struct cli *c, const struct tide_text_list *set,
                             struct tide_text_list *out, char **block, tide_error *err)
{
    const struct tide_params *table = NULL;
    struct str text = {0};
    int n = 0;
    for (int i = 0; i < c->n_values && c->extra; i++)
        if (c->values[i] == c->extra) table = c->tables[i];
    for (int i = 0; i < set->n && table; i++) {
        const char *item = set->items[i], *eq = strchr(item, '=');
        char key[128];
        if (!eq || eq == item) {
            err_set(err, TIDE_CODE_PARAM_VALUE, "expected k=v for 'set', got \"%s\"",
                    err_quote(key, sizeof key, item, strlen(item), 60));
            return err_field(err, "set");
        }
        str_format(key, sizeof key, "%.*s", (int)(eq - item < 127 ? eq - item : 127),
                   item);
        tide_status s = tide_values_set(c->extra, key, eq + 1, err);
        if (s) return s;
    }
    for (int i = 0; i < set->n; i++, n++)
        str_addn(&text, set->items[i], strlen(set->items[i]) + 1);
    for (int i = 0; table && i < table->n; i++) {
        const struct tide_param *row = &table->rows[i];
        char value[1024];
        if (!tide_values_given(c->extra, row->name)) continue;
        int is_in_set = 0;
        for (int j = 0; j < set->n; j++) {
            char key[128];
            str_format(key, sizeof key, "%.*s", (int)strcspn(set->items[j], "="),
                       set->items[j]);
            is_in_set |= tide_params_find(table, key) == row;
        }
        if (is_in_set) continue;
        (void)tide_values_text(c->extra, row, value, sizeof value);
        str_addf(&text, "%s=%s", row->name, value);
        str_addc(&text, '\0');
        n++;
    }
    const char **items = mem_array((size_t)n + 1, sizeof *items);
    if (text.failed || !items) {
        mem_free(items);
        str_free(&text);
        return err_nomem(err, 0);
    }
    const char *p = text.s;
    for (int i = 0; i < n; i++, p += strlen(p) + 1) items[i] = p;
    out->items = items;
    out->n = n;
    *block = text.s;
    return TIDE_OK;
}

/* ---- what can be known before any work ---- */

static tide_status check_pipeline(const char *text, tide_error *err)
{
    char *canonical = NULL;
    if (!text) return TIDE_OK;
    tide_status s = tide_pipeline_check(text, &canonical, err);
    tide_text_free(canonical);
    return s;
}

static tide_status check_learner(const struct cli *c, int task, tide_error *err)
{
    if (!c->extra_owner || !task) return TIDE_OK;
    const struct tide_entry *e = tide_registry_find(TIDE_LEARNER, c->extra_owner, err);
    const char *name = tide_task_names()[task - 1];
    if (!e || e->tasks >> (task - 1) & 1) return e ? TIDE_OK : TIDE_EINVAL;
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "'--learner %s' does not %s, and '--task' is %s", e->name,
            task == TASK_ANOMALY ? "find anomalies" : name, name);
    return err_field(err, "learner");
}

/* By its task, its learner or, as far as can be known before it is read, its pipeline. */
static int learns_without_target(const struct cli *c)
{
    const struct tide_problem_options *problem = cli_shared(c, &cli_table_problem);
    const struct tide_train_options *options = cli_shared(c, &cli_table_train);
    const struct tide_entry *e =
        c->extra_owner ? tide_registry_find(TIDE_LEARNER, c->extra_owner, NULL) : NULL;
    return problem->task == TASK_ANOMALY || options->pipeline ||
           (e && e->tasks == TIDE_ANOMALY && !problem->task);
}

static tide_status check_before(struct cli *c, const char *out, tide_error *err)
{
    const struct train_own *own = cli_own(c);
    const struct tide_problem_options *problem = cli_shared(c, &cli_table_problem);
    const struct tide_train_options *options = cli_shared(c, &cli_table_train);
    const struct cli_report *report = cli_shared(c, &cli_table_report);
    const char *inputs[] = {c->args[0], own->valid, own->base, own->refit};
    if (own->base && own->refit) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "'continue' and 'refit' exclude each other");
        return err_field(err, "refit");
    }
    if (cli_given(c, "refit_decay") && !own->refit) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "'refit_decay' goes with 'refit' only");
        return err_field(err, "refit_decay");
    }
    if ((!problem->target || !*problem->target) && !learns_without_target(c)) {
        err_set(err, TIDE_CODE_PARAM_VALUE,
                "train needs '--target', the column to predict, or '--task anomaly'");
        err_field(err, "target");
        return err_hint(err, "", "tidemill look %s", c->args[0]);
    }
    if (strcmp(out, "-") == 0 && own->snapshot) {
        err_set(
            err, TIDE_CODE_PARAM_CONFLICT,
            "'snapshot' writes beside the model's file, and the model goes to stdout");
        return err_field(err, "snapshot");
    }
    if (strcmp(out, "-") == 0 && c->common->json)
        return err_set(err, TIDE_CODE_PARAM_CONFLICT,
                       "'--json' and '--output -' both need stdout");
    if (report->html && strcmp(report->html, out) == 0)
        return err_set(err, TIDE_CODE_USAGE_SAME_FILE,
                       "'--html' and '--output' name one file");
    tide_status s = cli_check_require(c, err);
    if (!s) s = check_pipeline(options->pipeline, err);
    if (!s) s = check_learner(c, problem->task, err);
    if (!s) s = cli_check_metric(options->metric, problem->task, err);
    if (!s) s = cli_check_output("output", out, inputs, 4, err);
    if (!s) s = cli_check_output("html", report->html, inputs, 4, err);
    return s;
}

/* ---- after training ---- */

/* Models of a training that is not at its end, beside its output. */
struct partials {
    struct cli *c;
    struct str path; /* OUT.partial; empty where the output is stdout */
    int n;
};

static tide_status save_partial(void *payload, const tide_model *model, tide_error *err)
{
    struct partials *to = payload;
    if (to->path.failed) return err_nomem(err, 0);
    tide_status s = tide_model_save(to->c->ctx, model, to->path.s, err);
    to->n += !s;
    return s;
}

/* What a cancelled training has. */
static tide_status keep_partial(struct partials *to, const tide_model *model,
                                tide_error *err)
{
    if (!model || !tide_model_is_partial(model) || !to->path.len)
        return TIDE_ECANCELLED;
    tide_ctx_uncancel(to->c->ctx);
    tide_error why;
    if (!save_partial(to, model, &why)) {
        err_set(err, TIDE_CODE_CANCELLED, "cancelled; the model so far is in '%s'",
                to->path.s);
        err_hint(err, "", "tidemill show %s, or train again", to->path.s);
    }
    return TIDE_ECANCELLED;
}

static void summary(const struct cli *c, const tide_report *report,
                    const tide_model *model, const char *out)
{
    json_t *facts = NULL;
    struct str t = {0};
    double value;
    const char *reason;
    if (c->common->quiet || cli_report_json(report, &facts, NULL)) return;
    const char *metric = json_get_str(facts, "metric", NULL);
    str_addf(&t, "trained %s in ", json_get_str(facts, "learner", "a model"));
    str_add_seconds(&t, clock_since(c->started_ns));
    if (metric && !tide_report_number(report, metric, &value, &reason) &&
        !isnan(value)) {
        str_addf(&t, ": %s ", metric);
        str_num_g(&t, value, 4);
    }
    if (strcmp(out, "-") != 0) str_addf(&t, "; saved %s", out);
    int64_t bytes = tide_model_bytes(model);
    if (bytes > 0) {
        str_add(&t, " (");
        str_add_bytes(&t, bytes);
        str_addc(&t, ')');
    }
    if (!t.failed && t.s) cli_line("%s", t.s);
    str_free(&t);
    json_decref(facts);
}

static void next(const struct cli *c, const char *out)
{
    const struct train_own *own = cli_own(c);
    if (strcmp(out, "-") == 0) return;
    if (own->valid) {
        cli_next((const char *const[]){"tidemill", "eval", out, own->valid, NULL});
        return;
    }
    char *to = cli_stem(out, "_predictions.csv");
    if (to && strcmp(c->args[0], "-") != 0)
        cli_next((const char *const[]){"tidemill", "predict", out, c->args[0], "-o", to,
                                       NULL});
    else
        cli_next((const char *const[]){"tidemill", "show", out, NULL});
    mem_free(to);
}

static tide_status finish(struct cli *c, tide_model *model, const tide_report *report,
                          const char *out, tide_error *err)
{
    int is_stdout = strcmp(out, "-") == 0;
    tide_status s = cli_strict(err);
    if (!s) s = cli_know_require(c, report, err);
    if (!s) s = tide_model_save(c->ctx, model, out, err);
    if (!s) s = cli_show(c, report, model, out, is_stdout, err);
    if (!s) s = cli_require(c, report, err);
    if (s) return s;
    summary(c, report, model, out);
    next(c, out);
    return TIDE_OK;
}

/* The training that was asked for: anew, or from a model. */
static tide_status train_on(struct cli *c, const tide_frame *frame,
                            const tide_frame *valid,
                            const struct tide_train_options *options,
                            tide_model **model, tide_report **report, tide_error *err)
{
    const struct train_own *own = cli_own(c);
    const struct tide_problem_options *problem = cli_shared(c, &cli_table_problem);
    struct tide_resume_options how = {.size = sizeof how,
                                      .refit = own->refit != NULL,
                                      .refit_decay = own->refit_decay};
    tide_model *from = NULL;
    if (!own->base && !own->refit)
        return tide_train(c->ctx, frame, valid, problem, options, model, report, err);
    tide_status s =
        tide_model_open(c->ctx, own->refit ? own->refit : own->base, NULL, &from, err);
    if (!s)
        s = tide_train_from(c->ctx, from, &how, frame, valid, problem, options, model,
                            report, err);
    tide_model_free(from);
    return s;
}

static tide_status train(struct cli *c, const char *out, tide_error *err)
{
    const struct train_own *own = cli_own(c);
    struct tide_train_options options =
        *(const struct tide_train_options *)cli_shared(c, &cli_table_train);
    struct tide_text_list sets = {0};
    tide_frame *frame = NULL, *valid = NULL;
    tide_model *model = NULL;
    tide_report *report = NULL;
    char *block = NULL;
    struct partials partials = {.c = c};
    struct tide_snapshot snapshot = {sizeof snapshot, own->snapshot, save_partial,
                                     &partials};
    tide_status s = join_sets(c, &options.set, &sets, &block, err);
    if (strcmp(out, "-") != 0) str_addf(&partials.path, "%s.partial", out);
    if (own->snapshot) options.snapshot = &snapshot;
    options.set = sets;
    options.seed = c->common->seed;
    if (!s) s = check_before(c, out, err);
    if (!s) s = cli_read(c, c->args[0], 0, &frame, err);
    if (!s && own->valid) s = cli_read(c, own->valid, 0, &valid, err);
    if (!s) {
        s = train_on(c, frame, valid, &options, &model, &report, err);
        if (s == TIDE_ECANCELLED && !cli_strict(&(tide_error){0}))
            s = keep_partial(&partials, model, err);
    }
    if (!s) s = finish(c, model, report, out, err);
    if (!s && partials.n) (void)remove(partials.path.s); /* the whole model is there */
    str_free(&partials.path);
    tide_report_free(report);
    tide_model_free(model);
    tide_frame_free(valid);
    tide_frame_free(frame);
    mem_free((void *)(uintptr_t)sets.items);
    mem_free(block);
    return s;
}

static tide_status run(struct cli *c, tide_error *err)
{
    const struct train_own *own = cli_own(c);
    char *stem = own->output ? NULL : cli_stem(c->args[0], ".tide");
    const char *out = own->output ? own->output : stem;
    tide_status s = out ? train(c, out, err) : err_nomem(err, 0);
    mem_free(stem);
    return s;
}

const struct cli_verb cli_verb_train = {
    .name = "train",
    .usage = "FILE [--target COL] [options]",
    .title = "Train a model on a table, validate it and save it",
    .group = "Learn",
    .params = TIDE_TABLE(rows, train_own),
    .tables = {&cli_table_problem, &cli_table_train, &cli_table_read,
               &cli_table_report},
    .min_args = 1,
    .max_args = 1,
    .args = "a table",
    .extra = learner_table,
    .knows = who_knows,
    .run = run,
    .examples =
        "tidemill train churn.csv --target churn\n"
        "tidemill train churn.csv --target churn --learner gbdt --trees 300 -o "
        "churn.tide\n"
        "tidemill train houses.csv.gz --target price --holdout 0.2 --html "
        "report.html\n"
        "tidemill train churn.csv --target churn --require 'auc>=0.9' --json\n"
        "tidemill train payments.csv --task anomaly --contamination 0.01 --drop "
        "is_fraud",
};
