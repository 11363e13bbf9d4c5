/* json.c - jansson's values behind our limits, parser and writer */
#include "base/json.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/json_parse.h"

enum { JSON_MAX_DEPTH = 32, JSON_MAX_NUMBER = 400, JSON_WRITE_DEPTH = 64 };

static void json_install(void)
{
    json_set_alloc_funcs(mem_alloc, mem_free);
}

void json_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, json_install);
}

struct source {
    const char *text;
    size_t n;
    const char *file;
    tide_code bad;
};

/* Line and column (in characters) of a byte, 1-based. */
static tide_status json_at(const struct source *src, size_t offset, tide_error *err)
{
    int64_t line = 1, column = 1;
    for (size_t i = 0; i < offset && i < src->n; i++) {
        unsigned char c = (unsigned char)src->text[i];
        if (c == '\n')
            line++, column = 1;
        else
            column += (c & 0xc0) != 0x80;
    }
    if (err) err->offset = (int64_t)offset;
    return err_at(err, src->file, line, column);
}

static int is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' ||
           c == 'E';
}

/* Depth, number length and NUL, one pass without a stack. */
static tide_status json_scan(const struct source *src, tide_error *err)
{
    int depth = 0, quoted = 0, number = 0;
    for (size_t i = 0; i < src->n; i++) {
        char c = src->text[i];
        if (c == 0) {
            err_set(err, src->bad, "NUL byte in JSON text");
            return json_at(src, i, err);
        }
        if (quoted) {
            if (c == '\\' && i + 1 < src->n && src->text[i + 1] != 0)
                i++;
            else
                quoted = c != '"';
            continue;
        }
        number = is_number_byte(c) ? number + 1 : 0;
        if (number > JSON_MAX_NUMBER) {
            err_set(err, TIDE_CODE_LIMIT_NUMBER, "a number has more than %d characters",
                    JSON_MAX_NUMBER);
            return json_at(src, i, err);
        }
        quoted = c == '"';
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (depth > JSON_MAX_DEPTH) {
            err_set(err, TIDE_CODE_LIMIT_DEPTH, "JSON nested deeper than %d",
                    JSON_MAX_DEPTH);
            return json_at(src, i, err);
        }
    }
    return TIDE_OK;
}

tide_status json_read(const char *text, size_t n, size_t max_bytes, const char *file,
                      tide_code code_bad, json_t **out, tide_error *err)
{
    struct source src = {text, n, file, code_bad};
    const char *clause = NULL;
    size_t at = 0;
    *out = NULL;
    json_init();
    if (n > max_bytes) {
        err_set(err, TIDE_CODE_LIMIT_METADATA,
                "JSON text of %zu bytes, at most %zu are taken", n, max_bytes);
        return err_at(err, file, 0, 0);
    }
    size_t bad = utf8_check(text, n);
    if (bad) {
        err_set(err, code_bad, "not UTF-8");
        return json_at(&src, bad - 1, err);
    }
    tide_status status = json_scan(&src, err);
    if (status) return status;
    *out = json_parse(text, n, &at, &clause);
    if (*out) return TIDE_OK;
    if (!clause) return err_nomem(err, 0);
    err_set(err, code_bad, "%s", clause);
    return json_at(&src, at, err);
}

static void write_scalar(struct str *t, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        str_add_json(t, json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
        str_addf(t, "%lld", (long long)json_integer_value(v));
        break;
    case JSON_REAL: {
        double d = json_real_value(v);
        if (!isfinite(d))
            str_add(t, "null");
        else if (d == 0 && signbit(d))
            str_add(t, "-0.0"); /* "-0" would be read as an integer without a sign */
        else
            str_num(t, d);
        break;
    }
    case JSON_TRUE:
        str_add(t, "true");
        break;
    case JSON_FALSE:
        str_add(t, "false");
        break;
    case JSON_NULL:
        str_add(t, "null");
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
}

static void write_break(struct str *t, int indent, int depth)
{
    if (indent <= 0) return;
    str_addc(t, '\n');
    for (int i = indent * depth; i > 0; i--) str_addc(t, ' ');
}

struct level {
    json_t *value;
    void *member;
    size_t at;
};

/* The next child of a level, its separator and key written; NULL at the end. */
static json_t *next_child(struct str *t, struct level *top, int indent, int depth)
{
    int is_object = json_is_object(top->value);
    json_t *child = is_object ? json_object_iter_value(top->member)
                              : json_array_get(top->value, top->at);
    if (!child) return NULL;
    if (top->at++) str_addc(t, ',');
    write_break(t, indent, depth);
    if (is_object) {
        const char *key = json_object_iter_key(top->member);
        str_add_json(t, key, json_object_iter_key_len(top->member));
        str_add(t, indent > 0 ? ": " : ":");
        top->member = json_object_iter_next(top->value, top->member);
    }
    return child;
}

void json_write(struct str *t, const json_t *value, int indent)
{
    struct level levels[JSON_WRITE_DEPTH];
    int depth = 0;
    json_t *next = (json_t *)(uintptr_t)
        value; /* jansson's iterators ask for a pointer to non-const */
    while (!t->failed) {
        if (next && !json_is_object(next) && !json_is_array(next)) {
            write_scalar(t, next);
        } else if (next) {
            if (depth == JSON_WRITE_DEPTH) {
                t->failed = 1;
                return;
            }
            levels[depth++] = (struct level){
                next, json_is_object(next) ? json_object_iter(next) : NULL, 0};
            str_addc(t, json_is_object(next) ? '{' : '[');
        } else if (depth > 0) {
            const struct level *done = &levels[--depth];
            if (done->at) write_break(t, indent, depth);
            str_addc(t, json_is_object(done->value) ? '}' : ']');
        }
        if (depth == 0) return;
        next = next_child(t, &levels[depth - 1], indent, depth);
    }
}

json_t *json_f64(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

int json_put(json_t *object, const char *key, json_t *value)
{
    if (!object) {
        json_decref(value);
        return -1;
    }
    return json_object_set_new(object, key, value);
}

int json_put_str(json_t *object, const char *key, const char *s)
{
    return json_put(object, key, s ? json_string(s) : json_null());
}

int json_put_f64(json_t *object, const char *key, double v)
{
    return json_put(object, key, json_f64(v));
}

int json_put_i64(json_t *object, const char *key, int64_t v)
{
    return json_put(object, key, json_integer((json_int_t)v));
}

double json_get_f64(const json_t *object, const char *key, double fallback)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : fallback;
}

int64_t json_get_i64(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_integer(v)) return (int64_t)json_integer_value(v);
    if (!json_is_real(v)) return fallback;
    double d = json_real_value(
        v); /* "1e6": fine when it is whole and small enough to be exact */
    return d >= -0x1p53 && d <= 0x1p53 && d == (double)(int64_t)d ? (int64_t)d
                                                                  : fallback;
}

const char *json_get_str(const json_t *object, const char *key, const char *fallback)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : fallback;
}
