/* out.c - stdout, files and reports: what a verb gives, in the form that was asked for */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/numparse.h"
#include "cli/cli.h"

static int is_pipe_closed;

int cli_pipe_closed(void)
{
    return is_pipe_closed;
}

tide_status cli_write(const char *text, size_t n, tide_error *err)
{
    while (n) {
        ssize_t put = write(STDOUT_FILENO, text, n < 1u << 20 ? n : 1u << 20);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) {
            int number = errno;
            is_pipe_closed |= number == EPIPE;
            return file_errno(err, "stdout", number);
        }
        text += put;
        n -= (size_t)put;
    }
    return TIDE_OK;
}

tide_status cli_write_str(const struct str *t, tide_error *err)
{
    if (t->failed) return err_nomem(err, t->len);
    return t->s ? cli_write(t->s, t->len, err) : TIDE_OK;
}

/* ---- sinks ---- */

tide_status cli_sink_open(struct cli_sink *s, const char *path, tide_error *err)
{
    memset(s, 0, sizeof *s);
    s->is_file = path && strcmp(path, "-") != 0;
    return s->is_file ? file_replace_begin(&s->file, path, err) : TIDE_OK;
}

int cli_sink_put(void *sink, const void *data, size_t n)
{
    struct cli_sink *s = sink;
    tide_status st = s->is_file ? file_out_write(&s->file, data, n, &s->err)
                                : cli_write(data, n, &s->err);
    s->failed |= st != TIDE_OK;
    s->bytes += (int64_t)n;
    return st != TIDE_OK;
}

tide_status cli_sink_close(struct cli *c, struct cli_sink *s, tide_status status,
                           tide_error *err)
{
    if (s->failed) {
        *err = s->err;
        status = s->err.status;
    }
    if (!s->is_file) return status;
    if (!status) status = file_replace_commit(&s->file, c->ctx, err);
    if (status) file_replace_abort(&s->file);
    return status;
}

/* ---- the terminal ---- */

int cli_width(int fd)
{
    struct winsize size;
    int64_t n = 0;
    const char *columns = getenv("COLUMNS");
    if (columns && num_parse_i64(columns, strlen(columns), &n) && n >= 20 && n <= 1000)
        return (int)n;
    if (isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 80;
}

int cli_colours(const struct cli *c)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM"),
               *depth = getenv("COLORTERM");
    if (c->common->no_color || (no && *no) || !isatty(STDOUT_FILENO)) return 0;
    if (!term || !*term || strcmp(term, "dumb") == 0) return 0;
    return (depth && *depth) || strstr(term, "256color") ? 256 : 16;
}

/* Only a locale that names another encoding asks for it: containers often name none. */
int cli_is_ascii(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (int i = 0; i < 3; i++) {
        const char *v = getenv(names[i]);
        if (!v || !*v) continue;
        return !strstr(v, "UTF-8") && !strstr(v, "utf8") && !strstr(v, "UTF8") &&
               !strstr(v, "utf-8");
    }
    return 0;
}

/* ---- paths ---- */

tide_status cli_check_output(const char *option, const char *path,
                             const char *const *inputs, int n_inputs, tide_error *err)
{
    if (!path || strcmp(path, "-") == 0) return TIDE_OK;
    for (int i = 0; i < n_inputs; i++) {
        if (!inputs[i] || strcmp(inputs[i], "-") == 0 || !file_same(inputs[i], path))
            continue;
        char shown[256];
        err_quote(shown, sizeof shown, path, strlen(path), 200);
        err_set(err, TIDE_CODE_USAGE_SAME_FILE, "the output '%s' is the input", shown);
        return err_hint(err, option, "another file");
    }
    return file_check_writable(path, err);
}

/* ---- --require ---- */

struct requirement {
    char key[64], op[3];
    double bound;
};

static tide_status bad_requirement(const char *text, tide_error *err)
{
    char shown[128];
    err_quote(shown, sizeof shown, text, strlen(text), 60);
    err_set(err, TIDE_CODE_PARAM_VALUE,
            "expected a number of the report, one of >= > <= < == and a number, got "
            "\"%s\"",
            shown);
    err_field(err, "require");
    return err_hint(err, "require", "'auc>=0.9'");
}

static tide_status parse_requirement(const char *text, struct requirement *r,
                                     tide_error *err)
{
    const char *p = text + strspn(text, " ");
    size_t len = strcspn(p, " <>=");
    if (!len || len >= sizeof r->key) return bad_requirement(text, err);
    memcpy(r->key, p, len);
    r->key[len] = '\0';
    p += len + strspn(p + len, " ");
    size_t op = strspn(p, "<>=");
    if (!op || op > 2) return bad_requirement(text, err);
    memcpy(r->op, p, op);
    r->op[op] = '\0';
    static const char *const ops[] = {">=", ">", "<=", "<", "=="};
    int is_op = 0;
    for (int i = 0; i < 5; i++) is_op |= strcmp(r->op, ops[i]) == 0;
    p += op + strspn(p + op, " ");
    len = strcspn(p, " ");
    if (!is_op || p[len + strspn(p + len, " ")] ||
        num_parse(p, len, '.', &r->bound) == NUM_BAD)
        return bad_requirement(text, err);
    return TIDE_OK;
}

static int is_met(const struct requirement *r, double value)
{
    if (r->op[0] == '=') return value >= r->bound && value <= r->bound;
    if (r->op[0] == '>') return r->op[1] ? value >= r->bound : value > r->bound;
    return r->op[1] ? value <= r->bound : value < r->bound;
}

static const struct tide_text_list *requirements(const struct cli *c)
{
    static const struct tide_text_list none = {0};
    const struct cli_report *how = cli_shared(c, &cli_table_report);
    return how ? &how->require : &none;
}

tide_status cli_check_require(const struct cli *c, tide_error *err)
{
    const struct tide_text_list *list = requirements(c);
    struct requirement r;
    tide_status s = TIDE_OK;
    for (int i = 0; i < list->n && !s; i++)
        s = parse_requirement(list->items[i], &r, err);
    return s;
}

tide_status cli_know_require(const struct cli *c, const tide_report *report,
                             tide_error *err)
{
    const struct tide_text_list *list = requirements(c);
    for (int i = 0; i < list->n; i++) {
        struct requirement r;
        double value;
        const char *reason;
        tide_status s = parse_requirement(list->items[i], &r, err);
        if (s) return s;
        if (tide_report_number(report, r.key, &value, &reason) == 0) continue;
        char shown[128];
        err_quote(shown, sizeof shown, r.key, strlen(r.key), 60);
        err_set(err, TIDE_CODE_PARAM_UNKNOWN, "the report has no number '%s'", shown);
        err_field(err, "require");
        const char *near = tide_report_nearest(report, r.key);
        if (near) err_hint(err, "", "%s", near);
        return TIDE_EINVAL;
    }
    return TIDE_OK;
}

tide_status cli_require(const struct cli *c, const tide_report *report, tide_error *err)
{
    const struct tide_text_list *list = requirements(c);
    struct str said = {0};
    for (int i = 0; i < list->n; i++) {
        struct requirement r;
        double value = NAN;
        const char *reason = NULL;
        tide_status s = parse_requirement(list->items[i], &r, err);
        if (s) return s;
        (void)tide_report_number(report, r.key, &value, &reason);
        if (!isnan(value) && is_met(&r, value)) continue;
        if (said.len) str_add(&said, "; ");
        str_addf(&said, "'%s' is ", r.key);
        if (isnan(value))
            str_addf(&said, "undefined (%s)", reason ? reason : "no reason is known");
        else
            str_num_g(&said, value, 6);
        str_addf(&said, ", and %s%s", r.key, r.op);
        str_num(&said, r.bound);
        str_add(&said, " is required");
    }
    if (!said.len) return TIDE_OK;
    err_set(err, TIDE_CODE_REQUIRE, "%s", said.s);
    str_free(&said);
    return TIDE_ENO;
}

/* ---- reports ---- */

double cli_seconds(double s)
{
    return floor(s * 1e6 + 0.5) / 1e6;
}

int cli_add_facts(struct cli *c, json_t *object, const tide_model *model,
                  const char *model_path)
{
    json_t *time = json_object_get(object, "time");
    int bad = 0;
    if (!json_is_object(time)) {
        time = json_object();
        bad |= json_put(object, "time", time);
    }
    if (c->read_s > 0) bad |= json_put_f64(time, "read_s", cli_seconds(c->read_s));
    bad |= json_put_f64(time, "total_s", cli_seconds(clock_since(c->started_ns)));
    bad |= json_put_i64(object, "peak_memory_bytes", tide_ctx_peak_memory(c->ctx));
    if (!model_path) return bad;
    json_t *m = json_object();
    bad |= json_put_str(m, "path", model_path);
    if (model) {
        bad |= json_put_i64(m, "bytes", tide_model_bytes(model));
        bad |= json_put_str(m, "sha256", tide_model_sha256(model));
    }
    return bad | json_put(object, "model", m);
}

tide_status cli_write_json(const json_t *object, tide_error *err)
{
    struct str t = {0};
    json_write(&t, object, 2);
    str_addc(&t, '\n');
    tide_status s = cli_write_str(&t, err);
    str_free(&t);
    return s;
}

static int put_str(void *payload, const void *data, size_t n)
{
    str_addn(payload, data, n);
    return ((struct str *)payload)->failed;
}

tide_status cli_report_json(const tide_report *report, json_t **object, tide_error *err)
{
    struct tide_report_style style = {.size = sizeof style, .format = TIDE_FORMAT_JSON};
    struct str t = {0};
    *object = NULL;
    tide_status s = tide_report_write(report, &style, put_str, &t, err);
    if (t.failed) s = err_nomem(err, t.len);
    if (!s)
        s = json_read(t.s ? t.s : "", t.len, (size_t)1 << 30, "report",
                      TIDE_CODE_INTERNAL, object, err);
    str_free(&t);
    return s;
}

static tide_status show_json(struct cli *c, const tide_report *report,
                             const tide_model *model, const char *model_path,
                             tide_error *err)
{
    json_t *object = NULL;
    tide_status s = cli_report_json(report, &object, err);
    if (!s && cli_add_facts(c, object, model, model_path)) s = err_nomem(err, 0);
    if (!s) s = cli_write_json(object, err);
    json_decref(object);
    return s;
}

static tide_status show_html(struct cli *c, const tide_report *report, const char *path,
                             tide_error *err)
{
    struct tide_report_style style = {.size = sizeof style, .format = TIDE_FORMAT_HTML};
    struct cli_sink sink;
    tide_status s = cli_sink_open(&sink, path, err);
    if (s) return s;
    s = tide_report_write(report, &style, cli_sink_put, &sink, err);
    return cli_sink_close(c, &sink, s, err);
}

static tide_status show_text(struct cli *c, const tide_report *report, int charts,
                             tide_error *err)
{
    struct tide_report_style style = {.size = sizeof style,
                                      .format = TIDE_FORMAT_TERM,
                                      .colours = cli_colours(c),
                                      .ascii = cli_is_ascii(),
                                      .width = cli_width(STDOUT_FILENO),
                                      .charts = charts == 2 ? -1 : charts};
    struct str t = {0};
    tide_status s = tide_report_write(report, &style, put_str, &t, err);
    if (!s || t.failed) s = cli_write_str(&t, err);
    str_free(&t);
    return s;
}

tide_status cli_show(struct cli *c, const tide_report *report, const tide_model *model,
                     const char *model_path, int stdout_taken, tide_error *err)
{
    const struct cli_report *how = cli_shared(c, &cli_table_report);
    tide_status s = TIDE_OK;
    cli_talk_end();
    if (how && how->html) {
        s = show_html(c, report, how->html, err);
        stdout_taken |= strcmp(how->html, "-") == 0;
    }
    if (s || stdout_taken) return s;
    if (c->common->json) return show_json(c, report, model, model_path, err);
    return show_text(c, report, how ? how->charts : 0, err);
}
