/* cmd_make.c - synthetic tables: the same kind, rows and seed give the same bytes */
#include <string.h>

#include "base/err.h"
#include "cli/cli.h"

struct make_own {
    const char *output;
    int64_t rows;
    int32_t digits;
    struct tide_text_list set;
};
static const struct tide_param rows_[] = {
    P_TEXT(make_own, output, "-", .alias = "-o", .metavar = "FILE",
           .help = "where the table goes; its ending names format and compression"),
    P_I64(make_own, rows, "0", P_RANGE(0, 1e12), .metavar = "N",
          .alias = "-n n_samples",
          .help = "how many rows; 0 = as many as the kind likes"),
    P_INT(make_own, digits, "0", P_RANGE(0, 17), .metavar = "N",
          .help = "significant digits of numbers; 0 = all that matter"),
    P_LIST(make_own, set, .metavar = "K=V",
           .help = "parameter of the kind (tidemill list generator KIND)"),
};

/* The kind is the first word that names one. */
static tide_status maker_table(int argc, char **argv, const struct tide_params **table,
                               const char **owner, tide_error *err)
{
    (void)err;
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        for (int k = 0; k < tide_registry_count(TIDE_MAKER); k++) {
            const struct tide_entry *e = tide_registry_get(TIDE_MAKER, k);
            if (strcmp(e->name, argv[i]) != 0) continue;
            *table = &e->params;
            *owner = e->name;
            return TIDE_OK;
        }
    return TIDE_OK;
}

static tide_status take_sets(struct cli *c, tide_error *err)
{
    const struct make_own *own = cli_own(c);
    for (int i = 0; i < own->set.n; i++) {
        const char *item = own->set.items[i], *eq = strchr(item, '=');
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
    return tide_values_check(c->extra, err);
}

/* --seed is the kind's own seed, when it has one and it was not set. */
static tide_status take_seed(struct cli *c, tide_error *err)
{
    char text[32];
    if (!cli_given(c, "seed") || tide_values_given(c->extra, "seed") ||
        !tide_params_find(c->tables[c->n_values - 1], "seed"))
        return TIDE_OK;
    str_format(text, sizeof text, "%llu", (unsigned long long)c->common->seed);
    return tide_values_set(c->extra, "seed", text, err);
}

static tide_status write_table(struct cli *c, const struct tide_make_options *how,
                               tide_error *err)
{
    const struct make_own *own = cli_own(c);
    struct tide_made made = {0};
    struct cli_sink sink;
    tide_status s = cli_sink_open(&sink, own->output, err);
    if (s) return s;
    if (!sink.is_file)
        tide_ctx_set_progress(c->ctx, NULL, NULL); /* not amid the rows */
    s = tide_make_write(c->ctx, how, cli_sink_put, &sink, &made, err);
    cli_talk_end();
    if (!s) s = cli_strict(err);
    s = cli_sink_close(c, &sink, s, err);
    if (s || !c->common->json) return s;
    json_t *object = json_object(), *out = json_object();
    int bad = json_put_str(object, "kind", how->kind);
    bad |= json_put_i64(object, "rows", made.n_rows);
    bad |= json_put_i64(object, "columns", made.n_cols);
    bad |= json_put_str(out, "path", own->output);
    bad |= json_put_i64(out, "bytes", sink.bytes);
    bad |= json_put(object, "output", out);
    bad |= cli_add_facts(c, object, NULL, NULL);
    s = bad ? err_nomem(err, 0) : cli_write_json(object, err);
    json_decref(object);
    return s;
}

static tide_status run(struct cli *c, tide_error *err)
{
    const struct make_own *own = cli_own(c);
    int to_stdout = strcmp(own->output, "-") == 0;
    struct tide_make_options how = {
        .kind = c->args[0],
        .n_rows = own->rows,
        .values = c->extra,
        .write = {.path = to_stdout ? NULL : own->output, .digits = own->digits}};
    if (!tide_registry_find(TIDE_MAKER, c->args[0], err)) return err->status;
    if (strcmp(c->extra_owner, c->args[0]) != 0)
        return err_set(err, TIDE_CODE_PARAM_CONFLICT,
                       "'%s' before '%s' is the name of a kind as well: write the kind "
                       "first",
                       c->extra_owner, c->args[0]);
    if (c->common->json && to_stdout) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "'--json' needs '--output', since stdout holds the table");
        return err_hint(err, "output", "%s.csv", c->args[0]);
    }
    if (!tide_frame_writer(&how.write, err)) return err->status;
    tide_status s = cli_check_output("output", own->output, NULL, 0, err);
    if (!s) s = take_sets(c, err);
    if (!s) s = take_seed(c, err);
    if (!s) s = write_table(c, &how, err);
    if (!s && !to_stdout)
        cli_next((const char *const[]){"tidemill", "look", own->output, NULL});
    return s;
}

const struct cli_verb cli_verb_make = {
    .name = "make",
    .usage = "KIND [--rows N] [-o FILE] [options]",
    .title = "Make a synthetic table",
    .group = "Explore",
    .params = TIDE_TABLE(rows_, make_own),
    .min_args = 1,
    .max_args = 1,
    .args = "a kind of table (tidemill list generator)",
    .extra = maker_table,
    .run = run,
    .examples = "tidemill list generator\n"
                "tidemill make moons --rows 500 -o moons.csv\n"
                "tidemill make csv-mixed --rows 1000000 -o mixed.csv.gz",
};
