/* pipeline_text.c - pipeline text to steps and back
 *
 *   pipeline = part { (";" | "|") part }          the last part is a learner
 *   part     = [select ":"] name ["(" [key "=" value {"," key "=" value}] ")"]
 *   select   = "num" | "cat" | "all" | column name, in double quotes where need be
 *   name     = word [":" word]
 *
 * "impute:median" is a step and "age: impute:median" a step for one column: a colon ends a
 * selection when a blank follows, when the word is num, cat or all, or when two more words
 * follow. The text is read twice: for its form, then for its meaning, so that a parenthesis
 * left open is said before a step that nobody knows. */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "pipe/flow.h"

#define MOST_TEXT  ((size_t)1 << 20)
#define MOST_DEPTH 32
#define MOST_NODES 1024

struct span {
    size_t at, n;
};
struct reader {
    const char *s;
    size_t n, at;
    int is_second; /* the pass that resolves names */
    tide_pipeline *out;
    tide_error *err;
};

/* ---- places and errors ---- */

static tide_status at_place(struct reader *r, size_t at)
{
    int64_t line = 1, column = 1;
    for (size_t i = 0; i < at && i < r->n; i++) {
        column = r->s[i] == '\n' ? 1 : column + 1;
        line += r->s[i] == '\n';
    }
    return err_at(r->err, "--pipeline", line, column);
}

static tide_status expected(struct reader *r, const char *what)
{
    char got[64];
    if (r->at >= r->n) {
        err_set(r->err, TIDE_CODE_PIPELINE_SYNTAX, "expected %s at the end", what);
    } else {
        size_t n = strcspn(r->s + r->at, " \t\r\n;|,()=");
        err_quote(got, sizeof got, r->s + r->at, n ? n : 1, 24);
        err_set(r->err, TIDE_CODE_PIPELINE_SYNTAX, "expected %s, got \"%s\"", what,
                got);
    }
    at_place(r, r->at);
    return TIDE_EINVAL;
}

static tide_status unclosed(struct reader *r, size_t at, const char *what)
{
    err_set(r->err, TIDE_CODE_PIPELINE_SYNTAX, "the %s opened here is never closed",
            what);
    at_place(r, at);
    return TIDE_EINVAL;
}

/* ---- words ---- */

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->n && is_blank(r->s[r->at])) r->at++;
}

static char peek(const struct reader *r)
{
    return r->at < r->n ? r->s[r->at] : '\0';
}

static struct span take_word(struct reader *r)
{
    struct span w = {r->at, strcspn(r->s + r->at, " \t\r\n:;|,()=\"'\\")};
    r->at += w.n;
    return w;
}

/* Past a quoted text; r->at is at the quote. */
static tide_status skip_quoted(struct reader *r)
{
    size_t from = r->at++;
    while (r->at < r->n && r->s[r->at] != '"')
        r->at += r->s[r->at] == '\\' && r->at + 1 < r->n ? 2 : 1;
    if (r->at >= r->n) return unclosed(r, from, "quote");
    r->at++;
    return TIDE_OK;
}

/* Copies a text, taking quotes off; dst has room for n + 1. */
static void unquote(char *dst, const char *s, size_t n)
{
    size_t k = 0;
    if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
        for (size_t i = 1; i + 1 < n; i++) {
            if (s[i] == '\\' && i + 2 < n) i++;
            dst[k++] = s[i];
        }
    } else {
        memcpy(dst, s, n);
        k = n;
    }
    dst[k] = '\0';
}

static int span_is(const struct reader *r, struct span w, const char *text)
{
    return strlen(text) == w.n && memcmp(r->s + w.at, text, w.n) == 0;
}

/* ---- values ---- */

tide_status pipeline_set_value(tide_values *values, const struct tide_params *table,
                               const char *name, const char *raw, size_t len,
                               tide_error *err)
{
    const struct tide_param *row = tide_params_find(table, name);
    int is_list = row && row->type == TIDE_PARAM_LIST;
    char *text = mem_alloc(len + 1);
    if (!text) return err_nomem(err, len + 1);
    tide_status st = TIDE_OK;
    for (size_t i = 0; !st && (i < len || !is_list);) {
        size_t from = i, n = len;
        if (is_list) {
            int is_open = 0;
            for (; i < len && (is_open || !is_blank(raw[i])); i++) {
                is_open ^= raw[i] == '"';
                if (raw[i] == '\\' && i + 1 < len) i++;
            }
            n = i - from;
            if (!n) {
                i++;
                continue;
            }
        }
        unquote(text, raw + from, n);
        st = tide_values_set(values, name, text, err);
        if (!is_list) break;
    }
    mem_free(text);
    return st;
}

/* Past a value: everything to a comma or parenthesis of this depth. */
static tide_status take_value(struct reader *r, struct span *value)
{
    size_t open[MOST_DEPTH];
    int depth = 0;
    skip_blanks(r);
    value->at = r->at;
    for (; r->at < r->n; r->at++) {
        char c = r->s[r->at];
        if (!depth && (c == ',' || c == ')')) break;
        if (c == '"') {
            tide_status st = skip_quoted(r);
            if (st) return st;
            r->at--;
        } else if (c == '(' || c == '[') {
            if (depth == MOST_DEPTH - 1) { /* the list itself is the first */
                err_set(r->err, TIDE_CODE_LIMIT_DEPTH, "more than %d parentheses deep",
                        MOST_DEPTH);
                at_place(r, r->at);
                return TIDE_ELIMIT;
            }
            open[depth++] = r->at;
        } else if (c == ')' || c == ']') {
            if (depth) depth--;
        }
    }
    if (depth) return unclosed(r, open[depth - 1], "parenthesis");
    size_t end = r->at;
    while (end > value->at && is_blank(r->s[end - 1])) end--;
    value->n = end - value->at;
    return TIDE_OK;
}

/* Numbers behind further commas belong to the value: no name begins as they do. */
static tide_status take_numbers(struct reader *r, struct span *value)
{
    for (;;) {
        size_t at = r->at;
        struct span next = {0};
        if (peek(r) != ',') return TIDE_OK;
        r->at++;
        skip_blanks(r);
        int is_number = strchr("0123456789.", peek(r)) != NULL && peek(r) != '\0';
        tide_status st = is_number ? take_value(r, &next) : TIDE_OK;
        if (st) return st;
        if (!is_number) {
            r->at = at;
            return TIDE_OK;
        }
        value->n = next.at + next.n - value->at;
    }
}

static tide_status set_param(struct reader *r, struct pipe_node *node, struct span key,
                             struct span value)
{
    char name[80];
    const struct tide_entry *e =
        node->step ? &node->step->entry : &node->learner->entry;
    size_t n = key.n < sizeof name - 1 ? key.n : sizeof name - 1;
    memcpy(name, r->s + key.at, n);
    name[n] = '\0';
    tide_error local = {0}, *err = r->err ? r->err : &local;
    tide_status st = pipeline_set_value(node->values, &e->params, name, r->s + value.at,
                                        value.n, err);
    if (st) at_place(r, err->code == TIDE_CODE_PARAM_UNKNOWN ? key.at : value.at);
    return st;
}

static tide_status read_params(struct reader *r, struct pipe_node *node)
{
    size_t opened = r->at++;
    skip_blanks(r);
    while (peek(r) != ')') {
        if (r->at >= r->n) return unclosed(r, opened, "parenthesis");
        struct span key = take_word(r), value = {0};
        if (!key.n) return expected(r, "a parameter's name");
        skip_blanks(r);
        if (r->at >= r->n) return unclosed(r, opened, "parenthesis");
        if (peek(r) != '=') return expected(r, "'='");
        r->at++;
        tide_status st = take_value(r, &value);
        if (!st && value.n) st = take_numbers(r, &value);
        if (st) return st;
        if (r->at >= r->n) return unclosed(r, opened, "parenthesis");
        if (!value.n) return expected(r, "a value");
        if (r->is_second) st = set_param(r, node, key, value);
        if (st) return st;
        if (peek(r) == ',') {
            r->at++;
            skip_blanks(r);
            if (peek(r) == ')') return expected(r, "a parameter's name");
        }
    }
    r->at++;
    return TIDE_OK;
}

/* ---- parts ---- */

/* The optional selection before a name; leaves r->at after its colon, or where it was. */
static tide_status read_select(struct reader *r, struct span *select)
{
    size_t from = r->at;
    *select = (struct span){from, 0};
    if (peek(r) == '"') {
        tide_status st = skip_quoted(r);
        if (st) return st;
        select->n = r->at - from;
        skip_blanks(r);
        if (peek(r) != ':') return expected(r, "':'");
        r->at++;
        return TIDE_OK;
    }
    struct span word = take_word(r);
    int is_select = 0;
    if (word.n && peek(r) == ':') {
        r->at++;
        is_select = span_is(r, word, "num") || span_is(r, word, "cat") ||
                    span_is(r, word, "all") || r->at >= r->n || is_blank(peek(r));
        if (!is_select) {
            struct span second = take_word(r);
            is_select = second.n && peek(r) == ':';
            r->at = second.at;
        }
    }
    if (is_select)
        *select = word;
    else
        r->at = from;
    return TIDE_OK;
}

static tide_status resolve(struct reader *r, struct span select, struct span name,
                           struct pipe_node *node)
{
    char text[128];
    size_t n = name.n < sizeof text - 1 ? name.n : sizeof text - 1;
    memcpy(text, r->s + name.at, n);
    text[n] = '\0';
    tide_status st = TIDE_OK;
    if (strchr(text, ':'))
        node->step = step_find(text, r->err);
    else
        node->learner = learner_find(text, r->err);
    if (!node->step && !node->learner) {
        at_place(r, name.at);
        return TIDE_EINVAL;
    }
    if (select.n >= sizeof node->select) {
        err_set(r->err, TIDE_CODE_PIPELINE_SYNTAX, "a selection has at most %d bytes",
                (int)sizeof node->select - 1);
        at_place(r, select.at);
        return TIDE_EINVAL;
    }
    unquote(node->select, r->s + select.at, select.n);
    if (node->learner && select.n) {
        err_set(r->err, TIDE_CODE_PIPELINE_ORDER,
                "%s takes every column and cannot stand behind '%s'", text,
                node->select);
        at_place(r, select.at);
        return TIDE_EINVAL;
    }
    const struct tide_entry *e =
        node->step ? &node->step->entry : &node->learner->entry;
    st = tide_values_new(&e->params, e->name, &node->values, r->err);
    return st;
}

static tide_status check_node(struct reader *r, const struct pipe_node *node, size_t at)
{
    const void *params = tide_values_struct(node->values);
    tide_status st = tide_values_check(node->values, r->err);
    if (!st && node->step && node->step->check) st = node->step->check(params, r->err);
    if (!st && node->learner && node->learner->check)
        st = node->learner->check(params, r->err);
    if (st) at_place(r, at);
    return st;
}

static tide_status read_part(struct reader *r, struct pipe_node *node)
{
    struct span select, name;
    skip_blanks(r);
    tide_status st = read_select(r, &select);
    if (st) return st;
    skip_blanks(r);
    name = take_word(r);
    if (!name.n) return expected(r, "a step or a learner");
    if (peek(r) == ':') {
        r->at++;
        struct span second = take_word(r);
        if (!second.n) return expected(r, "the step's second name");
        name.n = second.at + second.n - name.at;
    }
    if (r->is_second) st = resolve(r, select, name, node);
    skip_blanks(r);
    if (!st && peek(r) == '(') st = read_params(r, node);
    if (!st && r->is_second) st = check_node(r, node, name.at);
    return st;
}

/* A learner stands last, and only there. */
static tide_status check_order(struct reader *r, const struct pipe_node *node,
                               size_t at, int is_last)
{
    if (node->learner && !is_last)
        err_set(r->err, TIDE_CODE_PIPELINE_ORDER,
                "%s is a learner and nothing can come after it", node->learner->name);
    else if (node->step && is_last)
        err_set(r->err, TIDE_CODE_PIPELINE_ORDER,
                "the last part must be a learner, not %s", node->step->name);
    else
        return TIDE_OK;
    at_place(r, at);
    return TIDE_EINVAL;
}

static tide_status read_all(struct reader *r, int *n_parts)
{
    int n = 0, is_last = 0;
    r->at = 0;
    while (!is_last) {
        if (n == MOST_NODES) {
            err_set(r->err, TIDE_CODE_LIMIT_DEPTH, "more than %d steps", MOST_NODES);
            at_place(r, r->at);
            return TIDE_ELIMIT;
        }
        struct pipe_node *node = r->is_second ? &r->out->nodes[n] : NULL;
        skip_blanks(r);
        size_t from = r->at;
        tide_status st = read_part(r, node);
        if (st) return st;
        n++;
        skip_blanks(r);
        is_last = r->at >= r->n;
        if (!is_last && peek(r) != ';' && peek(r) != '|')
            return expected(r, "';' between parts");
        if (!is_last) r->at++;
        if (r->is_second) {
            r->out->n = n;
            st = check_order(r, node, from, is_last);
            if (st) return st;
        }
    }
    *n_parts = n;
    return TIDE_OK;
}

static tide_status check_text(const char *text, tide_error *err)
{
    size_t n = strlen(text), bad = n <= MOST_TEXT ? utf8_check(text, n) : 0;
    if (strspn(text, " \t\r\n") == n) {
        err_set(err, TIDE_CODE_PARAM_VALUE, "the pipeline is empty");
        err_field(err, "pipeline");
        return err_hint(err, "", "num: impute:median; ridge");
    }
    if (n > MOST_TEXT)
        return err_set(err, TIDE_CODE_LIMIT_FIELD,
                       "pipeline text of %zu bytes, at most %zu", n, MOST_TEXT);
    if (bad) {
        err_set(err, TIDE_CODE_PIPELINE_SYNTAX, "byte 0x%02x is not UTF-8",
                (unsigned)(unsigned char)text[bad - 1]);
        err_at(err, "--pipeline", 1, (int64_t)bad);
        return TIDE_EINVAL;
    }
    return TIDE_OK;
}

tide_status pipeline_parse(const char *text, tide_pipeline **out, tide_error *err)
{
    *out = NULL;
    tide_status st = check_text(text, err);
    if (st) return st;
    struct reader r = {.s = text, .n = strlen(text), .err = err};
    int n = 0;
    st = read_all(&r, &n);
    if (st) return st;
    r.is_second = 1;
    r.out = mem_zalloc(sizeof *r.out);
    if (!r.out) return err_nomem(err, sizeof *r.out);
    r.out->nodes = mem_zalloc((size_t)n * sizeof *r.out->nodes);
    st = r.out->nodes ? read_all(&r, &n)
                      : err_nomem(err, (size_t)n * sizeof(struct pipe_node));
    if (st) {
        if (r.out->nodes) r.out->n = n; /* a part in the making has its values too */
        pipeline_free(r.out);
        return st;
    }
    *out = r.out;
    return TIDE_OK;
}

void pipeline_free(tide_pipeline *p)
{
    if (!p) return;
    for (int k = 0; k < p->n; k++) tide_values_free(p->nodes[k].values);
    mem_free(p->nodes);
    mem_free(p);
}

/* ---- back to text ---- */

static void print_select(struct str *out, const char *select)
{
    if (!select[strcspn(select, " \t\r\n:;|,()=\"'\\")]) {
        str_addf(out, "%s: ", select);
        return;
    }
    str_addc(out, '"');
    for (const char *p = select; *p; p++) {
        if (*p == '"' || *p == '\\') str_addc(out, '\\');
        str_addc(out, *p);
    }
    str_add(out, "\": ");
}

void pipeline_print(const tide_pipeline *p, struct str *out)
{
    for (int k = 0; k < p->n; k++) {
        const struct pipe_node *node = &p->nodes[k];
        struct str values = {0};
        if (k) str_add(out, "; ");
        if (*node->select) print_select(out, node->select);
        str_add(out, node->step ? node->step->name : node->learner->name);
        values_print(&values, node->values, 1);
        if (values.len) str_addf(out, "(%s)", values.s);
        out->failed |= values.failed;
        str_free(&values);
    }
}

static tide_status copy_values(const struct pipe_node *from, struct pipe_node *to,
                               tide_error *err)
{
    const struct tide_entry *e =
        from->step ? &from->step->entry : &from->learner->entry;
    tide_status st = tide_values_new(&e->params, e->name, &to->values, err);
    for (int i = 0; !st && i < e->params.n; i++) {
        const struct tide_param *row = &e->params.rows[i];
        if (!tide_values_given(from->values, row->name)) continue;
        int n = tide_values_text(from->values, row, NULL, 0);
        char *text = n < 0 ? NULL : mem_alloc((size_t)n + 1);
        if (!text || tide_values_text(from->values, row, text, (size_t)n + 1) < 0)
            st = err_nomem(err, 0);
        else
            st = pipeline_set_value(to->values, &e->params, row->name, text, (size_t)n,
                                    err);
        mem_free(text);
    }
    return st;
}

tide_status pipeline_copy(const tide_pipeline *p, tide_pipeline **out, tide_error *err)
{
    tide_pipeline *c = mem_zalloc(sizeof *c);
    struct pipe_node *nodes = mem_zalloc((size_t)p->n * sizeof *nodes);
    tide_status st = c && nodes ? TIDE_OK : err_nomem(err, 0);
    *out = NULL;
    if (st) {
        mem_free(c);
        mem_free(nodes);
        return st;
    }
    c->nodes = nodes;
    c->n = p->n;
    for (int k = 0; !st && k < p->n; k++) {
        nodes[k] = p->nodes[k];
        nodes[k].values = NULL;
        st = copy_values(&p->nodes[k], &nodes[k], err);
    }
    if (st)
        pipeline_free(c);
    else
        *out = c;
    return st;
}

tide_status tide_pipeline_check(const char *text, char **canonical, tide_error *err)
{
    tide_pipeline *p = NULL;
    struct str s = {0};
    if (canonical) *canonical = NULL;
    if (!text) return err_set(err, TIDE_CODE_HANDLE_INVALID, "'text' is NULL");
    tide_status st = pipeline_parse(text, &p, err);
    if (!st && canonical) {
        pipeline_print(p, &s);
        *canonical = s.failed ? NULL : mem_strdup(s.s);
        if (!*canonical) st = err_nomem(err, s.len + 1);
    }
    str_free(&s);
    pipeline_free(p);
    return st;
}

void tide_text_free(char *text)
{
    mem_free(text);
}
