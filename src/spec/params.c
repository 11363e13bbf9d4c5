/* params.c - one table of rows gives parsing, bounds, defaults, nearest names and printing */
#include <math.h>
#include <string.h>

#include <tidemill/params.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/numparse.h"
#include "base/par.h"
#include "spec/spec.h"

/* Invariant: `data` always holds a value of every row (its default until it is set);
 * text[i] is what the user wrote for row i, or NULL while it is defaulted. */
struct tide_values {
    const struct tide_params *table;
    const char *owner;
    struct arena arena;
    unsigned char *data, *defaults; /* [table->size] */
    const char **text;              /* [table->n] */
    int *cap_items;                 /* [table->n] room of lists */
};

static int is_same_name(const char *a, const char *b, size_t b_len)
{
    size_t i = 0;
    for (; i < b_len && a[i]; i++) {
        char x = a[i] == '_' ? '-' : a[i], y = b[i] == '_' ? '-' : b[i];
        if (x != y) return 0;
    }
    return i == b_len && !a[i];
}

/* Is name one of the words? */
static int is_among(const char *words, const char *name)
{
    for (const char *p = words; p && *p;) {
        size_t len = strcspn(p, " ");
        if (len && is_same_name(name, p, len)) return 1;
        p += len + strspn(p + len, " ");
    }
    return 0;
}

const struct tide_param *tide_params_find(const struct tide_params *table,
                                          const char *name)
{
    if (!table || !name) return NULL;
    for (int i = 0; i < table->n; i++)
        if (is_same_name(name, table->rows[i].name, strlen(table->rows[i].name)))
            return &table->rows[i];
    for (int i = 0; i < table->n; i++)
        if (is_among(table->rows[i].alias, name)) return &table->rows[i];
    return NULL;
}

/* The row whose name or alias is nearest; *which is the name that was near. */
static const struct tide_param *nearest_row(const struct tide_params *table,
                                            const char *name, char *which, size_t size)
{
    const char *names[256] = {0};
    const struct tide_param *rows[256];
    static const int most = 256;
    char words[4096];
    size_t used = 0;
    int n = 0;
    for (int i = 0; i < table->n && n < most; i++) {
        names[n] = table->rows[i].name;
        rows[n++] = &table->rows[i];
    }
    for (int i = 0; i < table->n; i++) {
        for (const char *p = table->rows[i].alias; p && *p && n < most;) {
            size_t len = strcspn(p, " ");
            if (used + len + 1 > sizeof words) break;
            memcpy(words + used, p, len);
            words[used + len] = '\0';
            names[n] = words + used;
            rows[n++] = &table->rows[i];
            used += len + 1;
            p += len + strspn(p + len, " ");
        }
    }
    const char *best = err_nearest(name, names, n);
    for (int i = 0; best && i < n; i++)
        if (names[i] == best) {
            str_format(which, size, "%s", best);
            return rows[i];
        }
    return NULL;
}

/* The row whose help speaks of `name`, such as l2: "... 1/C elsewhere". */
static const struct tide_param *row_that_tells(const struct tide_params *table,
                                               const char *name)
{
    size_t len = strlen(name);
    for (int i = 0; i < table->n && len > 0; i++) {
        const char *help = table->rows[i].help, *at = help;
        while (at && (at = strstr(at, name)) != NULL) {
            char before = at == help ? ' ' : at[-1], after = at[len];
            if (strchr(" /(", before) && strchr(" ,;)", after)) return &table->rows[i];
            at++;
        }
    }
    return NULL;
}

static tide_status unknown_name(const tide_values *v, const char *name, tide_error *err)
{
    char shown[128], which[128];
    err_quote(shown, sizeof shown, name, strlen(name), 60);
    err_set(err, TIDE_CODE_PARAM_UNKNOWN, "%s has no parameter '%s'", v->owner, shown);
    err_field(err, name);
    const struct tide_param *near = nearest_row(v->table, name, which, sizeof which);
    if (near && strcmp(which, near->name) != 0)
        err_hint(err, "", "%s, also known as %s", near->name, which);
    else if (near)
        err_hint(err, "", "%s", near->name);
    const struct tide_param *told = near ? NULL : row_that_tells(v->table, name);
    if (told) err_hint(err, "", "%s: %s", told->name, told->help);
    return TIDE_EINVAL;
}

static const char *kind_phrase(int type)
{
    switch ((enum tide_param_type)type) {
    case TIDE_PARAM_INT:
    case TIDE_PARAM_I64:
    case TIDE_PARAM_U64:
        return "a whole number";
    case TIDE_PARAM_REAL:
        return "a number";
    case TIDE_PARAM_BOOL:
        return "yes or no";
    case TIDE_PARAM_ENUM:
        return "one of its choices";
    case TIDE_PARAM_BYTES:
        return "a size such as 512M";
    case TIDE_PARAM_REALS:
        return "numbers with commas between";
    case TIDE_PARAM_TEXT:
    case TIDE_PARAM_LIST:
        break;
    }
    return "a text";
}

static tide_status bad_value(const struct tide_param *row, const char *text,
                             tide_error *err)
{
    char shown[160];
    err_quote(shown, sizeof shown, text, strlen(text), 100);
    err_set(err, TIDE_CODE_PARAM_VALUE, "expected %s for '%s', got \"%s\"",
            kind_phrase(row->type), row->name, shown);
    return err_field(err, row->name);
}

static int is_bounded(const struct tide_param *row)
{
    return row->lo < row->hi || row->lo > row->hi;
}

static tide_status bad_range(const struct tide_param *row, const char *text, double lo,
                             double hi, tide_error *err)
{
    char shown[160];
    err_quote(shown, sizeof shown, text, strlen(text), 100);
    char a = row->flags & TIDE_OPEN_LO ? '(' : '[',
         b = row->flags & TIDE_OPEN_HI ? ')' : ']';
    if (row->type == TIDE_PARAM_BYTES) {
        struct str s = {0};
        str_add_bytes(&s, (int64_t)lo);
        err_set(err, TIDE_CODE_PARAM_RANGE, "'%s' must be at least %s, got \"%s\"",
                row->name, s.s ? s.s : "", shown);
        str_free(&s);
    } else if (hi >= HUGE_VAL) {
        err_set(err, TIDE_CODE_PARAM_RANGE, "'%s' must be in %c%r, inf), got \"%s\"",
                row->name, a, lo, shown);
    } else {
        err_set(err, TIDE_CODE_PARAM_RANGE, "'%s' must be in %c%r, %r%c, got \"%s\"",
                row->name, a, lo, hi, b, shown);
    }
    return err_field(err, row->name);
}

/* x within the row's ends (NaN never is) */
static int in_range(const struct tide_param *row, double x)
{
    if (!is_bounded(row)) return isfinite(x);
    int above = row->flags & TIDE_OPEN_LO ? x > row->lo : x >= row->lo;
    int below = row->flags & TIDE_OPEN_HI ? x < row->hi : x <= row->hi;
    return above && below;
}

static int is_whole_number(const char *s)
{
    s += *s == '-' || *s == '+';
    if (!*s) return 0;
    for (; *s; s++)
        if (*s < '0' || *s > '9') return 0;
    return 1;
}

static tide_status set_whole(const struct tide_param *row, const char *text,
                             void *field, tide_error *err)
{
    size_t len = strlen(text);
    if (!is_whole_number(text)) return bad_value(row, text, err);
    double lo = row->lo, hi = row->hi;
    if (!is_bounded(row)) {
        lo = row->type == TIDE_PARAM_U64   ? 0
             : row->type == TIDE_PARAM_INT ? INT32_MIN
                                           : (double)INT64_MIN;
        hi = row->type == TIDE_PARAM_U64   ? 18446744073709551615.0
             : row->type == TIDE_PARAM_INT ? INT32_MAX
                                           : (double)INT64_MAX;
    }
    if (row->type == TIDE_PARAM_U64) {
        uint64_t u;
        if (text[0] == '-' || !num_parse_u64(text, len, &u) ||
            (is_bounded(row) && !in_range(row, (double)u)))
            return bad_range(row, text, lo, hi, err);
        memcpy(field, &u, sizeof u);
        return TIDE_OK;
    }
    int64_t i;
    if (!num_parse_i64(text, len, &i) || (double)i < lo || (double)i > hi ||
        (is_bounded(row) && !in_range(row, (double)i)))
        return bad_range(row, text, lo, hi, err);
    if (row->type == TIDE_PARAM_INT) {
        int32_t small = (int32_t)i;
        memcpy(field, &small, sizeof small);
    } else {
        memcpy(field, &i, sizeof i);
    }
    return TIDE_OK;
}

static int is_word(const char *text, const char *word)
{
    for (; *text && *word; text++, word++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text + 32) : *text;
        if (c != *word) return 0;
    }
    return !*text && !*word;
}

/* The number in len bytes at `at`, a part of text, within the row's ends. */
static tide_status read_real(const struct tide_param *row, const char *text,
                             const char *at, size_t len, double *out, tide_error *err)
{
    double x;
    enum num_result r = num_parse(at, len, '.', &x);
    const char *bare = at + (*at == '-' || *at == '+');
    if (r == NUM_BAD &&
        (is_word(bare, "nan") || is_word(bare, "inf") || is_word(bare, "infinity")))
        x = NAN;
    else if (r == NUM_BAD)
        return bad_value(row, text, err);
    if (!in_range(row, x))
        return is_bounded(row) ? bad_range(row, text, row->lo, row->hi, err)
                               : bad_range(row, text, -1.7976931348623157e308,
                                           1.7976931348623157e308, err);
    *out = x;
    return TIDE_OK;
}

static tide_status set_real(const struct tide_param *row, const char *text, void *field,
                            tide_error *err)
{
    double x;
    tide_status s = read_real(row, text, text, strlen(text), &x, err);
    if (!s) memcpy(field, &x, sizeof x);
    return s;
}

/* "0.1, 0.5" or "[0.1, 0.5]": at most TIDE_REALS_MOST numbers, each above the one before. */
static tide_status set_reals(tide_values *v, const struct tide_param *row,
                             const char *text, void *field, tide_error *err)
{
    size_t len = strlen(text);
    int has_brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    const char *at = text + has_brackets, *end = text + len - has_brackets;
    double x[TIDE_REALS_MOST];
    int n = 0;
    for (int more = 1; more; n++) {
        const char *stop = memchr(at, ',', (size_t)(end - at)), *last;
        more = stop != NULL;
        last = stop ? stop : end;
        while (at < last && *at == ' ') at++;
        while (last > at && last[-1] == ' ') last--;
        if (n == TIDE_REALS_MOST) {
            err_set(err, TIDE_CODE_PARAM_VALUE, "'%s' takes at most %d numbers",
                    row->name, TIDE_REALS_MOST);
            return err_field(err, row->name);
        }
        if (at == last) return bad_value(row, text, err);
        tide_status s = read_real(row, text, at, (size_t)(last - at), &x[n], err);
        if (s) return s;
        if (n && !(x[n] > x[n - 1])) {
            err_set(err, TIDE_CODE_PARAM_VALUE, "'%s' must rise, got %r behind %r",
                    row->name, x[n], x[n - 1]);
            return err_field(err, row->name);
        }
        if (more) at = stop + 1;
    }
    double *items = arena_array(&v->arena, n, sizeof *items);
    if (!items) return arena_status(&v->arena, err);
    memcpy(items, x, (size_t)n * sizeof *items);
    struct tide_real_list list = {items, n};
    memcpy(field, &list, sizeof list);
    return TIDE_OK;
}

static tide_status set_bool(const struct tide_param *row, const char *text, void *field,
                            tide_error *err)
{
    static const char *const yes[] = {"yes", "true", "1", "on"}, *const no[] = {
                                                                     "no", "false", "0",
                                                                     "off"};
    for (int i = 0; i < 4; i++) {
        int32_t value = is_word(text, yes[i]) ? 1 : is_word(text, no[i]) ? 0 : -1;
        if (value < 0) continue;
        memcpy(field, &value, sizeof value);
        return TIDE_OK;
    }
    return bad_value(row, text, err);
}

static tide_status set_enum(const struct tide_param *row, const char *text, void *field,
                            tide_error *err)
{
    int n = 0;
    for (; row->choices[n]; n++)
        if (is_same_name(text, row->choices[n], strlen(row->choices[n])) ||
            (row->choice_alias && is_among(row->choice_alias[n], text))) {
            int32_t value = n;
            memcpy(field, &value, sizeof value);
            return TIDE_OK;
        }
    char shown[160], all[256];
    err_quote(shown, sizeof shown, text, strlen(text), 100);
    size_t used = 0;
    all[0] = '\0';
    for (int i = 0; i < n && used < sizeof all; i++)
        used += (size_t)str_format(all + used, sizeof all - used, "%s%s", i ? ", " : "",
                                   row->choices[i]);
    err_set(err, TIDE_CODE_PARAM_VALUE, "expected one of %s for '%s', got \"%s\"", all,
            row->name, shown);
    const char *near = err_nearest(text, row->choices, n);
    if (near) err_hint(err, row->name, "%s", near);
    return err_field(err, row->name);
}

static tide_status set_bytes(const struct tide_param *row, const char *text,
                             void *field, tide_error *err)
{
    size_t len = strlen(text);
    int shift = 0;
    if (len && (text[len - 1] == 'B' || text[len - 1] == 'b')) len--;
    if (len && (text[len - 1] == 'i')) len--;
    static const char units[] = "kmgt";
    if (len) {
        char c = text[len - 1] >= 'A' && text[len - 1] <= 'Z'
                     ? (char)(text[len - 1] + 32)
                     : text[len - 1];
        const char *u = strchr(units, c);
        if (u && *u) {
            shift = 10 * (int)(u - units + 1);
            len--;
        }
    }
    double x;
    if (!len || num_parse(text, len, '.', &x) == NUM_BAD)
        return bad_value(row, text, err);
    x *= (double)((int64_t)1 << shift);
    if (!(x >= 0) || x > 9e18 || (is_bounded(row) && !in_range(row, x) && x > 0))
        return bad_range(row, text, row->lo, row->hi, err);
    int64_t bytes = (int64_t)x;
    memcpy(field, &bytes, sizeof bytes);
    return TIDE_OK;
}

static tide_status set_text(tide_values *v, const char *text, void *field,
                            tide_error *err)
{
    const char *copy = arena_str(&v->arena, text);
    if (!copy) return arena_status(&v->arena, err);
    memcpy(field, &copy, sizeof copy);
    return TIDE_OK;
}

static tide_status add_item(tide_values *v, int i, const char *text, void *field,
                            tide_error *err)
{
    struct tide_text_list list;
    memcpy(&list, field, sizeof list);
    if (list.n == v->cap_items[i]) {
        int cap = list.n ? 2 * list.n : 8;
        const char **items = arena_array(&v->arena, cap, sizeof *items);
        if (!items) return arena_status(&v->arena, err);
        if (list.n) memcpy(items, list.items, (size_t)list.n * sizeof *items);
        list.items = items;
        v->cap_items[i] = cap;
    }
    const char *copy = arena_str(&v->arena, text);
    if (!copy) return arena_status(&v->arena, err);
    ((const char **)(uintptr_t)list.items)[list.n++] = copy;
    memcpy(field, &list, sizeof list);
    return TIDE_OK;
}

static tide_status set_field(tide_values *v, int i, const char *text,
                             unsigned char *data, tide_error *err)
{
    const struct tide_param *row = &v->table->rows[i];
    void *field = data + row->offset;
    int is_text = row->type == TIDE_PARAM_TEXT || row->type == TIDE_PARAM_LIST;
    if (!*text && !(is_text && row->flags & TIDE_EMPTY_OK))
        return bad_value(row, text, err);
    switch ((enum tide_param_type)row->type) {
    case TIDE_PARAM_INT:
    case TIDE_PARAM_I64:
    case TIDE_PARAM_U64:
        return set_whole(row, text, field, err);
    case TIDE_PARAM_REAL:
        return set_real(row, text, field, err);
    case TIDE_PARAM_BOOL:
        return set_bool(row, text, field, err);
    case TIDE_PARAM_ENUM:
        return set_enum(row, text, field, err);
    case TIDE_PARAM_TEXT:
        return set_text(v, text, field, err);
    case TIDE_PARAM_BYTES:
        return set_bytes(row, text, field, err);
    case TIDE_PARAM_LIST:
        return add_item(v, i, text, field, err);
    case TIDE_PARAM_REALS:
        return set_reals(v, row, text, field, err);
    }
    return err_set(err, TIDE_CODE_INTERNAL, "parameter '%s' has no type", row->name);
}

static tide_status set_defaults(tide_values *v, tide_error *err)
{
    for (int i = 0; i < v->table->n; i++) {
        const struct tide_param *row = &v->table->rows[i];
        if (!row->fallback || (!*row->fallback && row->type != TIDE_PARAM_TEXT))
            continue;
        tide_status s = row->type == TIDE_PARAM_TEXT
                            ? set_text(v, row->fallback, v->data + row->offset, err)
                            : set_field(v, i, row->fallback, v->data, err);
        if (s) return s;
    }
    memcpy(v->defaults, v->data, v->table->size);
    return TIDE_OK;
}

tide_status tide_values_new(const struct tide_params *table, const char *owner,
                            tide_values **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    *out = NULL;
    tide_values *v = mem_zalloc(sizeof *v);
    if (!v) return err_nomem(err, sizeof *v);
    size_t n = table->n > 0 ? (size_t)table->n : 1;
    arena_init(&v->arena, NULL);
    v->table = table;
    v->owner = arena_str(&v->arena, owner ? owner : "");
    v->data = arena_zero(&v->arena, table->size + 1);
    v->defaults = arena_zero(&v->arena, table->size + 1);
    v->text = arena_zero(&v->arena, n * sizeof *v->text);
    v->cap_items = arena_zero(&v->arena, n * sizeof(int));
    tide_status s = arena_status(&v->arena, err);
    if (!s) s = set_defaults(v, err);
    if (s) {
        tide_values_free(v);
        return s;
    }
    *out = v;
    return TIDE_OK;
}

void tide_values_free(tide_values *values)
{
    if (!values) return;
    arena_free(&values->arena);
    mem_free(values);
}

tide_status tide_values_set(tide_values *v, const char *name, const char *text,
                            tide_error *err)
{
    PAR_FLOAT_SCOPE;
    const struct tide_param *row = tide_params_find(v->table, name);
    if (!row) return unknown_name(v, name, err);
    int i = (int)(row - v->table->rows);
    if (v->text[i] && row->type != TIDE_PARAM_LIST) {
        if (strcmp(v->text[i], text) == 0) return TIDE_OK;
        char a[160], b[160];
        err_quote(a, sizeof a, v->text[i], strlen(v->text[i]), 100);
        err_quote(b, sizeof b, text, strlen(text), 100);
        err_set(err, TIDE_CODE_PARAM_DUPLICATE,
                "'%s' is given twice, \"%s\" and \"%s\"", row->name, a, b);
        return err_field(err, row->name);
    }
    const char *copy = arena_str(&v->arena, text);
    if (!copy) return arena_status(&v->arena, err);
    tide_status s = set_field(v, i, text, v->data, err);
    if (!s) v->text[i] = copy;
    return s;
}

tide_status tide_values_check(const tide_values *v, tide_error *err)
{
    for (int i = 0; i < v->table->n; i++) {
        const struct tide_param *row = &v->table->rows[i];
        if (row->flags & TIDE_REQUIRED && !v->text[i]) {
            err_set(err, TIDE_CODE_PARAM_VALUE, "%s needs '%s'", v->owner, row->name);
            return err_field(err, row->name);
        }
    }
    return TIDE_OK;
}

const struct tide_params *values_table(const tide_values *values)
{
    return values->table;
}

const void *tide_values_struct(const tide_values *v)
{
    return v->data;
}

int tide_values_given(const tide_values *v, const char *name)
{
    const struct tide_param *row = tide_params_find(v->table, name);
    return row && v->text[row - v->table->rows] != NULL;
}

/* A text value as pipeline text holds it: quoted when it has more than plain letters. */
static void add_text_value(struct str *out, const char *text)
{
    if (!text) return;
    int is_plain = *text != '\0';
    for (const char *p = text; *p; p++)
        is_plain &= strchr(" ,;()=\"'\\\t\n:", *p) == NULL && (unsigned char)*p >= 32;
    if (is_plain) {
        str_add(out, text);
        return;
    }
    str_addc(out, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\') str_addc(out, '\\');
        str_addc(out, *p);
    }
    str_addc(out, '"');
}

static void add_value(struct str *out, const struct tide_param *row,
                      const unsigned char *data, int is_json)
{
    const void *field = data + row->offset;
    char text[NUM_PRINT_MAX];
    switch ((enum tide_param_type)row->type) {
    case TIDE_PARAM_INT:
        str_addf(out, "%d", *(const int32_t *)field);
        return;
    case TIDE_PARAM_BYTES:
    case TIDE_PARAM_I64:
        str_addf(out, "%lld", (long long)*(const int64_t *)field);
        return;
    case TIDE_PARAM_U64:
        str_addf(out, "%llu", (unsigned long long)*(const uint64_t *)field);
        return;
    case TIDE_PARAM_REAL:
        num_print(text, *(const double *)field);
        str_add(out, text);
        return;
    case TIDE_PARAM_BOOL: {
        int is_set = *(const int32_t *)field != 0;
        str_add(out, is_json ? (is_set ? "true" : "false") : (is_set ? "yes" : "no"));
        return;
    }
    case TIDE_PARAM_ENUM: {
        const char *choice = row->choices[*(const int32_t *)field];
        if (is_json) str_addc(out, '"');
        str_add(out, choice);
        if (is_json) str_addc(out, '"');
        return;
    }
    case TIDE_PARAM_TEXT: {
        const char *s = *(const char *const *)field;
        if (is_json && s)
            str_add_json(out, s, strlen(s));
        else if (is_json)
            str_add(out, "null");
        else
            add_text_value(out, s);
        return;
    }
    case TIDE_PARAM_LIST: {
        const struct tide_text_list *list = field;
        if (is_json) str_addc(out, '[');
        for (int i = 0; i < list->n; i++) {
            if (i) str_addc(out, is_json ? ',' : ' ');
            if (is_json)
                str_add_json(out, list->items[i], strlen(list->items[i]));
            else
                add_text_value(out, list->items[i]);
        }
        if (is_json) str_addc(out, ']');
        return;
    }
    case TIDE_PARAM_REALS: { /* one is written as a number */
        const struct tide_real_list *list = field;
        if (list->n != 1) str_addc(out, '[');
        for (int i = 0; i < list->n; i++) {
            num_print(text, list->items[i]);
            str_addf(out, "%s%s", i ? "," : "", text);
        }
        if (list->n != 1) str_addc(out, ']');
        return;
    }
    }
}

int tide_values_text(const tide_values *v, const struct tide_param *row, char *out,
                     size_t size)
{
    struct str s = {0};
    add_value(&s, row, v->data, 0);
    int len = str_format(out, size, "%s", s.s && !s.failed ? s.s : "");
    if (s.failed) len = -1;
    str_free(&s);
    return len;
}

/* failed is set when memory ends, and the answer then means nothing. */
static int is_default(const tide_values *v, const struct tide_param *row, int *failed)
{
    struct str a = {0}, b = {0};
    add_value(&a, row, v->data, 0);
    add_value(&b, row, v->defaults, 0);
    int same = str_same(a.s ? a.s : "", b.s ? b.s : "");
    if (a.failed || b.failed) *failed = 1;
    str_free(&a);
    str_free(&b);
    return same;
}

void values_print(struct str *out, const tide_values *v, int only_changed)
{
    int n = 0;
    for (int i = 0; i < v->table->n; i++) {
        const struct tide_param *row = &v->table->rows[i];
        if (only_changed && is_default(v, row, &out->failed)) continue;
        str_addf(out, "%s%s=", n++ ? ", " : "", row->name);
        add_value(out, row, v->data, 0);
    }
}

void values_json(struct str *out, const tide_values *v)
{
    str_addc(out, '{');
    for (int i = 0; i < v->table->n; i++) {
        const struct tide_param *row = &v->table->rows[i];
        str_addf(out, "%s\"%s\":", i ? "," : "", row->name);
        add_value(out, row, v->data, 1);
    }
    str_addc(out, '}');
}
