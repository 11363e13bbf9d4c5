/* cmd_convert.c - a table from one format to another */
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "cli/cli.h"

struct convert_own {
    const char *to;
    int32_t compression, digits;
};
static const char *const compressions[] = {"auto", "none", "gzip", "zstd", NULL};
static const struct tide_param rows[] = {
    P_TEXT(convert_own, to, "auto", .metavar = "NAME",
           .help = "format to write: auto = by the ending of OUT, else csv"),
    P_ENUM(convert_own, compression, "auto", compressions,
           .help = "auto = by the ending of OUT (.gz, .zst), and zstd in Parquet"),
    P_INT(convert_own, digits, "0", P_RANGE(0, 17), .metavar = "N",
          .help = "significant digits of numbers in CSV; 0 = all that matter"),
};

static struct tide_write_options how_to(const struct cli *c)
{
    const struct convert_own *own = cli_own(c);
    const char *out = c->args[1];
    return (struct tide_write_options){.format = own->to,
                                       .path = strcmp(out, "-") == 0 ? NULL : out,
                                       .compression = compressions[own->compression],
                                       .digits = own->digits};
}

static tide_status write_table(struct cli *c, const tide_frame *frame,
                               const struct tide_write_options *how,
                               struct cli_sink *sink, tide_error *err)
{
    tide_status s = cli_sink_open(sink, c->args[1], err);
    if (s) return s;
    if (!how->path) tide_ctx_set_progress(c->ctx, NULL, NULL); /* not amid the rows */
    s = tide_frame_save(c->ctx, frame, how, cli_sink_put, sink, err);
    cli_talk_end(); /* the progress of writing */
    return cli_sink_close(c, sink, s, err);
}

static tide_status show_json(struct cli *c, const tide_frame *frame,
                             const struct tide_entry *to, int64_t bytes,
                             tide_error *err)
{
    json_t *object = json_object(), *out = json_object();
    int bad = json_put_str(object, "input", c->args[0]);
    bad |= json_put_i64(object, "rows", tide_frame_rows(frame));
    bad |= json_put_i64(object, "columns", tide_frame_columns(frame));
    bad |= json_put_str(out, "path", c->args[1]);
    bad |= json_put_str(out, "format", to->name);
    bad |= json_put_i64(out, "bytes", bytes);
    bad |= json_put(object, "output", out);
    bad |= cli_add_facts(c, object, NULL, NULL);
    tide_status s = bad ? err_nomem(err, 0) : cli_write_json(object, err);
    json_decref(object);
    return s;
}

/* "1,611 rows and 127 columns to a.jsonl (jsonl, 1.2 MB)"; with the rate from a second on. */
static void say(const struct cli *c, const tide_frame *frame,
                const struct tide_entry *to, int64_t bytes)
{
    struct str t = {0};
    double took = clock_since(c->started_ns);
    str_addf(&t, "%lld rows and %d columns to %s (%s, ",
             (long long)tide_frame_rows(frame), tide_frame_columns(frame), c->args[1],
             to->name);
    str_add_bytes(&t, bytes);
    if (took >= 1) {
        str_add(&t, " in ");
        str_add_seconds(&t, took);
        str_add(&t, ", ");
        str_add_bytes(&t, (int64_t)((double)bytes / took));
        str_add(&t, " a second");
    }
    if (!t.failed) cli_line("%s)", t.s);
    str_free(&t);
}

static tide_status run(struct cli *c, tide_error *err)
{
    const char *in = c->args[0], *out = c->args[1];
    struct tide_write_options how = how_to(c);
    int to_stdout = strcmp(out, "-") == 0;
    struct cli_sink sink = {0};
    tide_frame *frame = NULL;
    if (c->common->json && to_stdout)
        return err_set(err, TIDE_CODE_PARAM_CONFLICT,
                       "'--json' needs a file OUT, since stdout holds the table");
    const struct tide_entry *to = tide_frame_writer(&how, err);
    if (!to) return err->status;
    tide_status s = cli_check_output("", out, &in, 1, err);
    if (!s) s = cli_read(c, in, 0, &frame, err);
    if (!s) s = cli_strict(err);
    cli_talk_end();
    if (!s) s = write_table(c, frame, &how, &sink, err);
    if (!s && c->common->json) s = show_json(c, frame, to, sink.bytes, err);
    if (!s && !c->common->json && !to_stdout) say(c, frame, to, sink.bytes);
    if (!s && !to_stdout)
        cli_next((const char *const[]){"tidemill", "look", out, NULL});
    tide_frame_free(frame);
    return s;
}

const struct cli_verb cli_verb_convert = {
    .name = "convert",
    .usage = "IN OUT [--to NAME] [options]",
    .title = "Convert a table to another format",
    .group = "Explore",
    .params = TIDE_TABLE(rows, convert_own),
    .tables = {&cli_table_read},
    .min_args = 2,
    .max_args = 2,
    .args = "a table and where it goes",
    .run = run,
    .examples = "tidemill convert data/penguins.csv penguins.parquet\n"
                "tidemill convert data/penguins.csv penguins.jsonl.zst\n"
                "tidemill convert 'sqlite:shop.db?SELECT * FROM sales' sales.csv\n"
                "tidemill convert ranks.svm - --to npy > ranks.npy",
};
