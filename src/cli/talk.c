/* talk.c - stderr: errors, warnings, notes, progress, the next command
 *
 * One line each, of the form that docs/bad-inputs.md states. The state is of the process:
 * a program has one stderr. */
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/numparse.h"
#include "cli/cli.h"

#define KINDS_COUNTED 32
static struct cli_talk talk = {.width = 80};
static struct {
    tide_code code;
    int64_t n;
} counted[KINDS_COUNTED];
static tide_error first_warning;
static int has_warning, is_line_shown;
static tide_ctx *talk_ctx;
static struct {
    char phase[96];
    int64_t since_ns, drawn_ns;
    double first;
} progress;

static void put(const struct str *t)
{
    const char *p = t->s;
    size_t n = t->len;
    while (n) {
        ssize_t done = write(STDERR_FILENO, p, n);
        if (done <= 0) return;
        p += done;
        n -= (size_t)done;
    }
}

static void clear_line(void)
{
    struct str t = {0};
    if (!is_line_shown) return;
    str_add(&t, "\r\033[K");
    put(&t);
    str_free(&t);
    is_line_shown = 0;
}

void cli_talk_begin(const struct cli_talk *how)
{
    talk = *how;
}

/* ---- the form of an error ---- */

static void add_text(struct str *t, const char *s)
{
    str_add_visible(t, s, strlen(s));
}

static void add_hint(struct str *t, const tide_error *e)
{
    if (!e->option[0] && !e->value[0]) return;
    str_add(t, " (hint: ");
    if (e->option[0]) cli_add_option(t, e->option);
    if (e->option[0] && e->value[0]) str_addc(t, ' ');
    add_text(t, e->value);
    str_addc(t, ')');
}

static void add_line(struct str *t, const tide_error *e, int is_warning)
{
    str_add(t, "tidemill: ");
    if (is_warning) str_add(t, "warning: ");
    if (e->file[0]) {
        if (strcmp(e->file, "-") == 0)
            str_add(t, "stdin");
        else
            add_text(t, e->file);
        if (e->line > 0) str_addf(t, ":%lld", (long long)e->line);
        if (e->line > 0 && e->column > 0) str_addf(t, ":%lld", (long long)e->column);
        str_add(t, ": ");
    }
    if (e->place[0]) {
        add_text(t, e->place);
        str_add(t, ": ");
    }
    add_text(t, e->message);
    add_hint(t, e);
    str_addf(t, " [%s]\n", tide_code_name(e->code));
}

static void add_member(struct str *t, const char *key, const char *text)
{
    if (!text[0]) return;
    str_addf(t, ",\"%s\":", key);
    str_add_json(t, text, strlen(text));
}

static void add_number(struct str *t, const char *key, int64_t n, int64_t least)
{
    if (n >= least) str_addf(t, ",\"%s\":%lld", key, (long long)n);
}

static void add_object(struct str *t, const tide_error *e, int is_warning)
{
    int is_pointer = e->place[0] == '/';
    str_addf(t, "{\"code\":\"%s\"", tide_code_name(e->code));
    if (is_warning)
        str_add(t, ",\"warning\":true");
    else
        str_addf(t, ",\"exit\":%d", tide_status_exit(e->status));
    add_member(t, "message", e->message);
    add_member(t, "file", strcmp(e->file, "-") == 0 ? "stdin" : e->file);
    add_number(t, "line", e->line, 1);
    add_number(t, "column", e->column, 1);
    add_number(t, "row", e->row, 1);
    add_member(t, "field", e->field);
    add_number(t, "offset", e->offset, 0);
    add_member(t, is_pointer ? "pointer" : "place", e->place);
    if (e->option[0] || e->value[0]) {
        struct str option = {0};
        if (e->option[0]) cli_add_option(&option, e->option);
        str_add(t, ",\"hint\":{");
        if (option.s) {
            str_add(t, "\"option\":");
            str_add_json(t, option.s, option.len);
        }
        if (e->value[0]) {
            str_add(t, option.s ? ",\"value\":" : "\"value\":");
            str_add_json(t, e->value, strlen(e->value));
        }
        str_addc(t, '}');
        str_free(&option);
    }
    str_add(t, "}\n");
}

static void say(const tide_error *e, int is_warning)
{
    struct str t = {0};
    clear_line();
    if (talk.json)
        add_object(&t, e, is_warning);
    else
        add_line(&t, e, is_warning);
    if (t.failed) {
        str_free(&t);
        str_addf(&t, "tidemill: out of memory [memory]\n");
    }
    put(&t);
    str_free(&t);
}

void cli_error(const tide_error *err)
{
    say(err, 0);
}

/* ---- warnings and notes ---- */

/* How often this code has come, this time included. */
static int64_t count(tide_code code)
{
    for (int i = 0; i < KINDS_COUNTED; i++) {
        if (counted[i].n && counted[i].code != code) continue;
        counted[i].code = code;
        return ++counted[i].n;
    }
    return 1;
}

static void warn(const tide_error *e)
{
    if (talk.strict) {
        if (!has_warning) first_warning = *e;
        has_warning = 1;
        tide_ctx_cancel(talk_ctx);
        return;
    }
    if (count(e->code) <= 3) say(e, 1);
}

tide_status cli_strict(tide_error *err)
{
    if (!has_warning) return TIDE_OK;
    *err = first_warning;
    err->status = tide_code_status(err->code) == TIDE_EINVAL ? TIDE_EINVAL : TIDE_EDATA;
    return err->status;
}

void cli_talk_end(void)
{
    clear_line();
    for (int i = 0; i < KINDS_COUNTED && counted[i].n; i++) {
        if (counted[i].n <= 3) continue;
        tide_error e = {.code = counted[i].code, .offset = -1};
        str_format(e.message, sizeof e.message, "%lld more of these",
                   (long long)counted[i].n - 3);
        say(&e, 1);
        counted[i].n = 3;
    }
}

static void say_line(const char *before, const char *fmt, va_list ap)
{
    struct str t = {0}, safe = {0};
    if (talk.quiet) return;
    clear_line();
    str_addv(&t, fmt, ap);
    str_add(&safe, before);
    if (t.s) str_add_visible(&safe, t.s, t.len);
    str_addc(&safe, '\n');
    put(&safe);
    str_free(&t);
    str_free(&safe);
}

void cli_note(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say_line("note: ", fmt, ap);
    va_end(ap);
}

void cli_line(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say_line("", fmt, ap);
    va_end(ap);
}

void cli_on_event(void *payload, enum tide_event_kind kind, const tide_error *event)
{
    talk_ctx = payload;
    if (kind == TIDE_EVENT_WARNING)
        warn(event);
    else
        cli_note("%s", event->message);
}

/* ---- the next command ---- */

static int is_plain_word(const char *w)
{
    if (!*w) return 0;
    for (const char *p = w; *p; p++)
        if (strchr(" \t\n\"'\\$&;|<>()*?[]#~`!{}", *p) || (unsigned char)*p < 32)
            return 0;
    return 1;
}

/* Quoted for a shell; a name that cannot be shown as it is stays shown, not runnable. */
static void add_word(struct str *t, const char *w)
{
    if (is_plain_word(w)) {
        str_add(t, w);
        return;
    }
    str_addc(t, '\'');
    for (const char *p = w; *p; p++) {
        if (*p == '\'')
            str_add(t, "'\\''");
        else
            str_addc(t, *p);
    }
    str_addc(t, '\'');
}

void cli_next(const char *const *words)
{
    struct str t = {0};
    for (int i = 0; words[i]; i++) {
        str_addc(&t, ' ');
        add_word(&t, words[i]);
    }
    cli_line("next:%s", t.s ? t.s : "");
    str_free(&t);
}

/* ---- progress ---- */

static void add_bar(struct str *t, double share)
{
    enum { CELLS = 20 };
    int full = (int)(share * CELLS);
    str_addc(t, '[');
    for (int i = 0; i < CELLS; i++) str_addc(t, i < full ? '#' : '.');
    str_add(t, "] ");
}

static void add_count(struct str *t, double x)
{
    static const char units[] = {'k', 'M', 'G'};
    int u = -1;
    for (; x >= 1e4 && u < 2; u++) x /= 1000;
    char text[NUM_PRINT_MAX];
    num_print_f(text, x, u < 0 || x >= 100 ? 0 : 1);
    str_add(t, text);
    if (u >= 0) str_addc(t, units[u]);
}

static void draw(const char *phase, double done, double total, const char *text)
{
    struct str t = {0}, line = {0};
    double spent = clock_since(progress.since_ns), work = done - progress.first;
    double rate = spent > 0.2 ? work / spent : 0;
    size_t len = strlen(phase);
    while (len && (phase[len - 1] == ' ' || phase[len - 1] == ':')) len--;
    str_add_visible(&t, phase, len);
    str_addc(&t, ' ');
    if (total > 0) add_bar(&t, done > total ? 1 : done / total);
    if (done > 0) add_count(&t, done);
    if (total > 0) {
        str_addc(&t, '/');
        add_count(&t, total);
    }
    if (rate > 0) {
        str_add(&t, ", ");
        add_count(&t, rate);
        str_add(&t, "/s");
    }
    if (rate > 0 && total > done) {
        str_add(&t, ", ");
        str_add_seconds(&t, (total - done) / rate);
        str_add(&t, " left");
    }
    if (text && *text) {
        str_add(&t, ", ");
        str_add_visible(&t, text, strlen(text));
    }
    str_add(&line, "\r\033[K");
    if (t.s) str_addn(&line, t.s, utf8_cut(t.s, t.len, (size_t)talk.width - 1));
    put(&line);
    is_line_shown = 1;
    str_free(&t);
    str_free(&line);
}

int cli_on_progress(void *payload, const char *phase, double done, double total,
                    const char *text)
{
    (void)payload;
    if (!talk.live) return 0;
    int64_t now = clock_ns();
    if (strcmp(progress.phase, phase) != 0) {
        str_format(progress.phase, sizeof progress.phase, "%s", phase);
        progress.since_ns = now;
        progress.first = done;
        progress.drawn_ns = 0;
    }
    if (now - progress.drawn_ns < 80000000) return 0;
    progress.drawn_ns = now;
    draw(phase, done, total, text);
    return 0;
}
