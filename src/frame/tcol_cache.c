/* tcol_cache.c - a table read once: its columns are kept in FILE.tcol and read from there
 *
 * What is kept stands for the file while name, size and time of the file, the options of reading
 * and the version of the program are those it was made with; all of them lie in its header. So do
 * the notes and warnings of the reading, the lines of rows, and what the reader said of the file:
 * a run that reads the columns says what the first one said, and refers to the same lines.
 *
 * The file beside is ours to throw away and make anew, whatever is in it, but a whole column
 * file that somebody made as a table. Where it cannot be written, the run goes on. */
#include <string.h>

#include <tidemill/version.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "frame/source.h"
#include "frame/tcol.h"
#include "spec/reader.h"
#include "spec/spec.h"

extern const struct tide_reader tide_reader_tcol;

struct cached {
    struct tide_ctx *ctx;
    const char *path, *base; /* of the source; less its folder */
    char kept[4096];         /* FILE.tcol */
    const struct tide_read_options *o;
    struct file_facts was; /* the source when this run began */
    json_t *name, *options;
    struct str events; /* of the reading, as elements of a JSON array */
    tide_event_fn fn;  /* who listens */
    void *payload;
    struct file_out out;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- what cannot be kept ---- */

static tide_status refuse_source(const char *path, tide_error *err)
{
    char shown[128];
    err_quote(shown, sizeof shown, path, strlen(path), 60);
    err_set(err, TIDE_CODE_PARAM_CONFLICT,
            "'cache' keeps the columns of a file, and %s is none",
            strcmp(path, "-") == 0 ? "standard input" : shown);
    return err_field(err, "cache");
}

static tide_status check_source(struct cached *k, tide_error *err)
{
    const char *on_bad = k->o->on_bad;
    if (strcmp(k->path, "-") == 0) return refuse_source(k->path, err);
    if (source_has_scheme(k->path)) {
        char scheme[32]; /* what follows may hold a password */
        str_format(scheme, sizeof scheme, "%.*s", (int)strcspn(k->path, ":") + 1,
                   k->path);
        return refuse_source(scheme, err);
    }
    if (on_bad && strncmp(on_bad, "reject=", 7) == 0) {
        err_set(
            err, TIDE_CODE_PARAM_CONFLICT,
            "'cache' and 'on-bad reject' exclude each other: rows are rejected when "
            "the text is read");
        return err_field(err, "cache");
    }
    if (file_facts(k->path, &k->was) != 0 && file_exists(k->path))
        return refuse_source(k->path, err);
    return TIDE_OK;
}

/* ---- options as JSON, from the table of their rows ---- */

/* Names and values need not be UTF-8, which JSON must be. */
static json_t *text_json(const char *s)
{
    struct str hex = {0};
    json_t *v = utf8_check(s, strlen(s)) ? NULL : json_string(s);
    if (v) return v;
    str_add(&hex, "bytes");
    for (const char *p = s; *p; p++)
        str_addf(&hex, " %02x", (unsigned)(unsigned char)*p);
    if (!hex.failed) v = json_string(hex.s);
    str_free(&hex);
    return v;
}

static json_t *list_json(const struct tide_text_list *list)
{
    json_t *a = json_array();
    int bad = !a;
    for (int i = 0; i < list->n; i++)
        bad |= json_array_append_new(a, text_json(list->items[i]));
    if (!bad) return a;
    json_decref(a);
    return NULL;
}

/* The value of a row; a value that means "the default" is told as the default. */
static json_t *value_json(const struct tide_param *row, const void *given,
                          const void *defaults)
{
    const char *at = (const char *)given + row->offset;
    const char *base = (const char *)defaults + row->offset;
    const char *text, *fallback;
    int64_t i64 = 0;
    int32_t i32 = 0;
    struct tide_text_list list;
    switch ((enum tide_param_type)row->type) {
    case TIDE_PARAM_TEXT:
        memcpy(&text, at, sizeof text);
        memcpy(&fallback, base, sizeof fallback);
        return text_json(text && *text ? text : fallback ? fallback : "");
    case TIDE_PARAM_LIST:
        memcpy(&list, at, sizeof list);
        return list_json(&list);
    case TIDE_PARAM_I64:
    case TIDE_PARAM_U64:
    case TIDE_PARAM_BYTES:
        memcpy(&i64, at, sizeof i64);
        if (!i64) memcpy(&i64, base, sizeof i64);
        return json_integer(i64);
    case TIDE_PARAM_INT:
    case TIDE_PARAM_BOOL:
    case TIDE_PARAM_ENUM:
        memcpy(&i32, at, sizeof i32);
        if (!i32) memcpy(&i32, base, sizeof i32);
        return json_integer(i32);
    case TIDE_PARAM_REAL:
    case TIDE_PARAM_REALS:
        break;
    }
    return NULL;
}

static tide_status identity_json(struct cached *k, tide_error *err)
{
    const struct tide_params *table = tide_read_params();
    tide_values *defaults = NULL;
    tide_status st = tide_values_new(table, "", &defaults, err);
    if (st != TIDE_OK) return st;
    json_init();
    k->options = json_object();
    k->name = text_json(k->base);
    int bad = !k->options || !k->name;
    for (int i = 0; i < table->n && !bad; i++) {
        const struct tide_param *row = &table->rows[i];
        if (strcmp(row->name, "cache") != 0)
            bad = json_put(k->options, row->name,
                           value_json(row, k->o, tide_values_struct(defaults)));
    }
    tide_values_free(defaults);
    return bad ? err_nomem(err, 0) : TIDE_OK;
}

/* ---- is what is kept still the file? ---- */

/* NULL, or which option differs. */
static const char *option_differs(const struct cached *k, const json_t *source)
{
    const json_t *options = json_object_get(source, "options");
    const char *key;
    json_t *now;
    json_object_foreach(k->options, key, now)
    {
        if (!json_equal(now, json_object_get(options, key))) return key;
    }
    int64_t mixed = json_get_i64(source, "mixed", 0);
    return json_get_i64(source, "mixed_columns", 0) && mixed != k->o->mixed ? "mixed"
                                                                            : NULL;
}

/* NULL when it is; else what differs, in buf. */
static const char *what_differs(const struct cached *k, const json_t *source, char *buf,
                                size_t size)
{
    char shown[128];
    err_quote(shown, sizeof shown, k->base, strlen(k->base), 60);
    const char *option = option_differs(k, source);
    if (!json_equal(json_object_get(source, "file"), k->name))
        str_format(buf, size, "the name of the file");
    else if (json_get_i64(source, "bytes", -1) != k->was.size)
        str_format(buf, size, "the size of %s", shown);
    else if (json_get_i64(source, "mtime_ns", -1) != k->was.mtime_ns)
        str_format(buf, size, "the time of %s", shown);
    else if (strcmp(json_get_str(source, "program", ""), TIDE_VERSION) != 0)
        str_format(buf, size, "the version of tidemill");
    else if (option)
        str_format(buf, size, "option '%s'", option);
    else
        return NULL;
    for (char *p = buf; option && *p; p++)
        if (*p == '_' && p[-1] != '\'') *p = '-';
    return buf;
}

/* ---- notes and warnings: kept, and said again ---- */

static void add_member(struct str *t, const char *key, const char *text)
{
    if (!*text) return;
    str_addf(t, ",\"%s\":", key);
    str_add_json(t, text, strlen(text));
}

static void hear(void *payload, enum tide_event_kind kind, const tide_error *e)
{
    struct cached *k = payload;
    struct str *t = &k->events;
    str_addf(t, "%s{\"code\":%d,\"line\":%lld,\"column\":%lld,\"row\":%lld",
             t->len ? "," : "", kind == TIDE_EVENT_WARNING ? (int)e->code : 0,
             (long long)e->line, (long long)e->column, (long long)e->row);
    add_member(t, "file", e->file);
    add_member(t, "field", e->field);
    add_member(t, "place", e->place);
    add_member(t, "message", e->message);
    add_member(t, "option", e->option);
    add_member(t, "value", e->value);
    str_addc(t, '}');
    if (k->fn) k->fn(k->payload, kind, e);
}

/* The message of a note, which may begin with the file as it was named then. */
static void say_note(const struct cached *k, const json_t *source, const char *message)
{
    const char *path = json_get_str(source, "path", "");
    size_t n = strlen(path);
    if (n && strncmp(message, path, n) == 0 && message[n] == ':')
        ctx_note(k->ctx, "%s%s", k->path, message + n);
    else
        ctx_note(k->ctx, "%s", message);
}

static void say_again(const struct cached *k, const json_t *source)
{
    const json_t *list = json_object_get(source, "events");
    for (size_t i = 0; i < json_array_size(list) && !ctx_cancelled(k->ctx); i++) {
        const json_t *v = json_array_get(list, i);
        const char *message = json_get_str(v, "message", "");
        int64_t code = json_get_i64(v, "code", 0);
        tide_error w = {0};
        if (code <= 0 || code > TIDE_CODE_INTERNAL) {
            say_note(k, source, message);
            continue;
        }
        err_set(&w, (tide_code)code, "%s", message);
        err_field(&w, json_get_str(v, "field", ""));
        err_place(&w, "%s", json_get_str(v, "place", ""));
        err_hint(&w, json_get_str(v, "option", ""), "%s", json_get_str(v, "value", ""));
        err_at(&w, json_get_str(v, "file", NULL) ? k->path : "",
               json_get_i64(v, "line", 0), json_get_i64(v, "column", 0));
        w.row = json_get_i64(v, "row", 0);
        ctx_warn(k->ctx, &w);
    }
}

/* ---- using what is kept ---- */

static tide_status dress(const struct cached *k, const json_t *source, tide_frame *f,
                         tide_error *err)
{
    f->source = arena_str(&f->arena, k->path);
    f->dialect = arena_str(&f->arena, json_get_str(source, "dialect", ""));
    f->n_bad_rows = json_get_i64(source, "bad_rows", 0);
    f->first_line = json_get_i64(source, "first_line", 0);
    f->n_mixed = json_get_i64(source, "mixed_columns", 0) != 0;
    return arena_status(&f->arena, err);
}

/* *out stays NULL when what is kept is another file's. */
static tide_status read_kept(struct cached *k, struct tcol_file *f, tide_frame **out,
                             tide_error *err)
{
    char why[200];
    tide_status st = tcol_open(f, k->ctx, k->kept, NULL, 0, k->o->max_columns, err);
    if (st != TIDE_OK) return st;
    const json_t *source = json_object_get(f->header, "source");
    if (!json_is_object(source))
        return tcol_damaged(err, k->kept, -1, "the header names no source");
    if (what_differs(k, source, why, sizeof why)) {
        ctx_note(k->ctx, "%s is made anew: %s differs", k->kept, why);
        return TIDE_OK;
    }
    st = tcol_read_frame(f, NULL, 1, out, err);
    if (st == TIDE_OK) st = dress(k, source, *out, err);
    if (st == TIDE_OK) say_again(k, source);
    if (st == TIDE_OK && ctx_cancelled(k->ctx)) st = err_cancelled(err);
    if (st == TIDE_OK) return st;
    tide_frame_free(*out);
    *out = NULL;
    return st;
}

static void warn_made_anew(const struct cached *k, const tide_error *e)
{
    tide_error w = {0};
    if (e->code == TIDE_CODE_TCOL_VERSION) {
        ctx_note(k->ctx, "%s is made anew: %s", k->kept, e->message);
        return;
    }
    err_set(&w, e->code, "%s; it is made anew", e->message);
    err_at(&w, k->kept, 0, 0);
    ctx_warn(k->ctx, &w);
}

/* Errors that are not the kept file's. */
static int is_ours(tide_status st, const tide_error *e)
{
    return st == TIDE_ECANCELLED || st == TIDE_ENOMEM ||
           e->code == TIDE_CODE_MEMORY_BUDGET;
}

static tide_status use_kept(struct cached *k, tide_frame **out, tide_error *err)
{
    struct tcol_file f;
    tide_error e = {0};
    tide_status st = read_kept(k, &f, out, &e);
    tcol_close(&f);
    if (st == TIDE_OK) return st;
    if (is_ours(st, &e)) {
        if (err) *err = e;
        return st;
    }
    warn_made_anew(k, &e);
    return TIDE_OK;
}

/* ---- keeping ---- */

static void about_json(const struct cached *k, const tide_frame *f, struct str *t)
{
    str_add(t, "{\"file\":");
    json_write(t, k->name, 0);
    add_member(t, "path", k->path);
    str_addf(t, ",\"bytes\":%lld,\"mtime_ns\":%lld", (long long)k->was.size,
             (long long)k->was.mtime_ns);
    add_member(t, "program", TIDE_VERSION);
    str_add(t, ",\"options\":");
    json_write(t, k->options, 0);
    str_addf(t, ",\"mixed\":%d,\"mixed_columns\":%d", k->o->mixed, f->n_mixed);
    add_member(t, "dialect", f->dialect);
    str_addf(t, ",\"bad_rows\":%lld,\"first_line\":%lld,\"events\":[",
             (long long)f->n_bad_rows, (long long)f->first_line);
    if (k->events.len) str_addn(t, k->events.s, k->events.len);
    str_add(t, "]}");
    t->failed |= k->events.failed;
}

struct to_file {
    struct file_out *out;
    tide_error *err;
};

static int tcol_to_file(void *payload, const void *data, size_t n)
{
    const struct to_file *s = payload;
    return file_out_write(s->out, data, n, s->err) != TIDE_OK;
}

static tide_status write_kept(struct cached *k, const tide_frame *f, tide_error *err)
{
    struct str about = {0};
    tide_error e = {0};
    struct to_file sink = {&k->out, &e};
    tide_status st = file_replace_begin(&k->out, k->kept, err);
    if (st != TIDE_OK) return st;
    k->out.mode &= k->was.mode; /* whoever may not read the file may not read this */
    about_json(k, f, &about);
    st = about.failed ? err_nomem(err, about.len)
                      : tcol_write_table(k->ctx, f, BLOCK_PLAIN, &about, tcol_to_file,
                                         &sink, err);
    if (e.status != TIDE_OK) {
        if (err) *err = e;
        st = e.status;
    }
    if (st == TIDE_OK) st = file_replace_commit(&k->out, k->ctx, err);
    if (st != TIDE_OK) file_replace_abort(&k->out);
    str_free(&about);
    return st;
}

static void warn_not_kept(const struct cached *k, tide_code code, const char *why)
{
    tide_error w = {0};
    err_set(&w, code, "the columns are not kept: %s", why);
    err_at(&w, k->kept, 0, 0);
    ctx_warn(k->ctx, &w);
}

/* May what stands at FILE.tcol be replaced? */
static int may_replace(const struct cached *k)
{
    if (!file_exists(k->kept)) return 1;
    if (!file_is_regular(k->kept))
        warn_not_kept(k, TIDE_CODE_FILE_NAME, "this is no file");
    else if (tcol_is_table(k->kept))
        warn_not_kept(k, TIDE_CODE_FILE_NAME, "this is a table of its own");
    else
        return 1;
    return 0;
}

static tide_status keep(struct cached *k, const tide_frame *f, int anew,
                        tide_error *err)
{
    struct file_facts now;
    tide_error e = {0};
    file_settle(&k->was);
    if (file_facts(k->path, &now) != 0 || now.size != k->was.size ||
        now.mtime_ns != k->was.mtime_ns) {
        ctx_note(k->ctx, "%s changed while it was read: its columns are not kept",
                 k->path);
        return TIDE_OK;
    }
    tide_status st = write_kept(k, f, &e);
    if (st == TIDE_ECANCELLED) {
        if (err) *err = e;
        return st;
    }
    if (st != TIDE_OK)
        warn_not_kept(k, e.code, e.message);
    else if (!anew)
        ctx_note(k->ctx, "the columns of %s are kept in %s", k->path, k->kept);
    return TIDE_OK;
}

static tide_status read_and_keep(struct cached *k, int anew, int may_keep,
                                 tide_frame **out, tide_error *err)
{
    const struct tide_reader *reader = NULL;
    k->fn = k->ctx->event;
    k->payload = k->ctx->event_payload;
    tide_ctx_set_events(k->ctx, hear, k);
    tide_status st = frame_read_fresh(k->ctx, k->path, k->o, &reader, out, err);
    tide_ctx_set_events(k->ctx, k->fn, k->payload);
    if (st != TIDE_OK || !may_keep || reader == &tide_reader_tcol) return st;
    st = keep(k, *out, anew, err);
    if (st == TIDE_OK) return st;
    tide_frame_free(*out);
    *out = NULL;
    return st;
}

tide_status tcol_cached_read(struct tide_ctx *ctx, const char *path,
                             const struct tide_read_options *options, tide_frame **out,
                             tide_error *err)
{
    struct cached k = {.ctx = ctx, .path = path, .base = base_name(path), .o = options};
    *out = NULL;
    int n = str_format(k.kept, sizeof k.kept, "%s.tcol", path);
    tide_status st = check_source(&k, err);
    if (st == TIDE_OK) st = identity_json(&k, err);
    int fits = n > 0 && (size_t)n < sizeof k.kept, may_keep = 0, anew = 0;
    if (st == TIDE_OK && fits) {
        may_keep = may_replace(&k);
        anew = may_keep && file_exists(k.kept);
        if (anew) st = use_kept(&k, out, err);
    }
    if (st == TIDE_OK && !*out) st = read_and_keep(&k, anew, may_keep, out, err);
    json_decref(k.name);
    json_decref(k.options);
    str_free(&k.events);
    return st;
}
