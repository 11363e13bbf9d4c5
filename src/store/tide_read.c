/* tide_read.c - bytes that are whole to a model that can be trusted (steps 4-8)
 *
 * Checksums prove that the bytes are those that somebody wrote, not that they make sense:
 * from here on every count, index and number is hostile until it was looked at. Arrays are
 * used where they lie; nothing is copied. */
#include <math.h>
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "base/json.h"
#include "base/numparse.h"
#include "base/size.h"
#include "frame/level_set.h"
#include "store/store.h"

#define MOST_NAME    65536
#define MOST_CLASSES 65536
#define MOST_LEVELS  ((int64_t)1 << 24)

struct loading {
    struct tide_ctx *ctx;
    tide_model *m;
    const struct tide_layout *f;
    const json_t *header;
    tide_error *err;
};

/* ---- JSON that must be as it must be ---- */

static tide_status bad_header(const struct loading *l, tide_code code,
                              const char *where, const char *what)
{
    err_set(l->err, code, "%s", what);
    err_place(l->err, "header %s", where);
    return TIDE_EMODEL;
}

static tide_status want_text(const struct loading *l, const json_t *v,
                             const char *where, const char **out)
{
    if (!json_is_string(v) || json_string_length(v) > MOST_NAME ||
        strlen(json_string_value(v)) != json_string_length(v))
        return bad_header(l, TIDE_CODE_TIDE_HEADER, where,
                          "a text of at most 65536 bytes is expected");
    *out = arena_str(&l->m->arena, json_string_value(v));
    return arena_status(&l->m->arena, l->err);
}

static tide_status maybe_text(const struct loading *l, const json_t *v,
                              const char *where, const char **out)
{
    *out = NULL;
    return !v || json_is_null(v) ? TIDE_OK : want_text(l, v, where, out);
}

static tide_status want_int(const struct loading *l, const json_t *v, const char *where,
                            int64_t lo, int64_t hi, int64_t *out)
{
    if (!json_is_integer(v) || json_integer_value(v) < lo || json_integer_value(v) > hi)
        return bad_header(l, TIDE_CODE_TIDE_HEADER, where,
                          "a whole number in range is expected");
    *out = json_integer_value(v);
    return TIDE_OK;
}

/* A number, or null for NaN. */
static tide_status want_number(const struct loading *l, const json_t *v,
                               const char *where, double *out)
{
    *out = json_is_number(v) ? json_number_value(v) : (double)NAN;
    if ((json_is_number(v) && isfinite(*out)) || json_is_null(v)) return TIDE_OK;
    return bad_header(l, TIDE_CODE_TIDE_HEADER, where, "a number is expected");
}

static tide_status want_array(const struct loading *l, const char *key, size_t most,
                              const json_t **out)
{
    *out = json_object_get(l->header, key);
    if (json_is_array(*out) && json_array_size(*out) <= most) return TIDE_OK;
    return bad_header(l, TIDE_CODE_TIDE_HEADER, key,
                      "a list of bounded length is expected");
}

static int type_of(const char *name)
{
    for (int t = TIDE_BOOL; t <= TIDE_TEXT; t++)
        if (name && strcmp(tide_type_name((enum tide_type)t), name) == 0) return t;
    return 0;
}

/* ---- schema ---- */

static tide_status read_required(const struct loading *l)
{
    static const char *const known[] = {
        "tidemill",   "required",  "task",   "seed",  "partial", "target",  "classes",
        "positive",   "threshold", "weight", "id",    "group",   "columns", "pipeline",
        "parameters", "nodes",     "arrays", "about", "outputs"};
    const json_t *list = json_object_get(l->header, "required");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *key = json_string_value(json_array_get(list, i));
        int is_known = 0;
        for (size_t k = 0; key && k < sizeof known / sizeof *known; k++)
            is_known |= strcmp(key, known[k]) == 0;
        if (is_known) continue;
        char shown[128];
        err_quote(shown, sizeof shown, key ? key : "?", key ? strlen(key) : 1, 60);
        err_set(l->err, TIDE_CODE_TIDE_HEADER,
                "the model requires '%s' and this reader does not know it", shown);
        err_place(l->err, "header required");
        err_hint(l->err, "", "upgrade tidemill");
        return TIDE_EMODEL;
    }
    return TIDE_OK;
}

static tide_status read_classes(const struct loading *l)
{
    struct schema *s = &l->m->schema;
    const json_t *list = json_object_get(l->header, "classes");
    size_t n = json_array_size(list);
    int64_t positive = 0;
    if (s->task != TIDE_CLASSIFY) {
        if (n)
            return bad_header(l, TIDE_CODE_TIDE_CLASSES, "classes",
                              "only classification has some");
        return TIDE_OK;
    }
    if (!json_is_array(list) || n < 1 || n > MOST_CLASSES)
        return bad_header(l, TIDE_CODE_TIDE_CLASSES, "classes",
                          "1 to 65536 classes are expected");
    struct level_set seen;
    struct arena temp;
    arena_init(&temp, NULL);
    s->labels = arena_array(&l->m->arena, (int64_t)n, sizeof *s->labels);
    tide_status st = arena_status(&l->m->arena, l->err);
    if (!st && level_set_init(&seen, &temp, &temp, (int64_t)n))
        st = arena_status(&temp, l->err);
    for (size_t k = 0; !st && k < n; k++) {
        st = want_text(l, json_array_get(list, k), "classes", &s->labels[k]);
        if (st) break;
        s->n_classes = (int32_t)k + 1;
        uint32_t code = level_set_add(&seen, s->labels[k], strlen(s->labels[k]), 0);
        if (code == CODE_MISSING)
            st = arena_status(&temp, l->err);
        else if (code != k)
            st = bad_header(l, TIDE_CODE_TIDE_CLASSES, "classes",
                            "a label is there twice");
    }
    arena_free(&temp);
    if (!st)
        st = want_int(l, json_object_get(l->header, "positive"), "positive", 0,
                      (int64_t)n - 1, &positive);
    s->positive = (int32_t)positive;
    return st;
}

static tide_status read_seed(const struct loading *l)
{
    const char *text = json_string_value(json_object_get(l->header, "seed"));
    uint64_t seed = 0;
    if (!text || !num_parse_u64(text, strlen(text), &seed))
        return bad_header(l, TIDE_CODE_TIDE_HEADER, "seed",
                          "a whole number is expected");
    l->m->seed = seed;
    l->m->partial = json_is_true(json_object_get(l->header, "partial"));
    return TIDE_OK;
}

static tide_status read_target(const struct loading *l)
{
    struct schema *s = &l->m->schema;
    const char *task = json_string_value(json_object_get(l->header, "task"));
    const json_t *target = json_object_get(l->header, "target");
    tide_status st = TIDE_OK;
    for (int i = 0; task && tide_task_names()[i]; i++)
        if (strcmp(task, tide_task_names()[i]) == 0) s->task = 1u << i;
    if (!s->task)
        return bad_header(l, TIDE_CODE_TIDE_HEADER, "task",
                          "classify, regress or anomaly is expected");
    if (s->task != TIDE_ANOMALY) {
        s->target_type =
            (uint8_t)type_of(json_string_value(json_object_get(target, "type")));
        if (!s->target_type)
            return bad_header(l, TIDE_CODE_TIDE_HEADER, "target", "a type is expected");
        st = want_text(l, json_object_get(target, "name"), "target", &s->target);
    } else if (target && !json_is_null(target)) {
        return bad_header(l, TIDE_CODE_TIDE_HEADER, "target",
                          "anomalies are learned without");
    }
    if (!st)
        st = maybe_text(l, json_object_get(l->header, "weight"), "weight", &s->weight);
    if (!st) st = maybe_text(l, json_object_get(l->header, "id"), "id", &s->id);
    if (!st)
        st = maybe_text(l, json_object_get(l->header, "group"), "group", &s->group);
    if (!st)
        st = want_number(l, json_object_get(l->header, "threshold"), "threshold",
                         &s->threshold);
    if (!st && !(s->threshold >= 0 && s->threshold <= 1))
        st = bad_header(l, TIDE_CODE_TIDE_VALUE, "threshold", "must be in [0, 1]");
    return st ? st : read_classes(l);
}

static tide_status read_column(const struct loading *l, const json_t *v, int j)
{
    struct schema_column *c = &l->m->schema.cols[j];
    char where[48];
    int64_t n = 0;
    str_format(where, sizeof where, "columns/%d", j);
    tide_status st = want_text(l, json_object_get(v, "name"), where, &c->name);
    if (st) return st;
    if (j && strcmp(c[-1].name, c->name) >= 0)
        return bad_header(l, TIDE_CODE_TIDE_SCHEMA, where,
                          "columns are not in byte order of their names");
    c->type = (uint8_t)type_of(json_string_value(json_object_get(v, "type")));
    if (!c->type || c->type == TIDE_TEXT)
        return bad_header(l, TIDE_CODE_TIDE_HEADER, where, "a type is expected");
    c->lo = c->hi = NAN;
    st = want_int(l, json_object_get(v, "missing"), where, 0, INT64_MAX, &c->n_missing);
    if (!st && c->type == TIDE_CAT) {
        st = want_int(l, json_object_get(v, "levels"), where, 0, UINT32_MAX - 1, &n);
        c->n_levels = (uint32_t)n;
    } else if (!st) {
        st = want_number(l, json_object_get(v, "lo"), where, &c->lo);
        if (!st) st = want_number(l, json_object_get(v, "hi"), where, &c->hi);
    }
    return st;
}

static tide_status read_schema(const struct loading *l)
{
    struct schema *s = &l->m->schema;
    const json_t *list;
    tide_status st = read_required(l);
    if (!st) st = read_seed(l);
    if (!st) st = read_target(l);
    if (!st) st = want_array(l, "columns", 1 << 20, &list);
    if (st) return st;
    s->n_cols = (int)json_array_size(list);
    s->cols = arena_zero(&l->m->arena, (size_t)s->n_cols * sizeof *s->cols + 1);
    st = arena_status(&l->m->arena, l->err);
    for (int j = 0; !st && j < s->n_cols; j++)
        st = read_column(l, json_array_get(list, (size_t)j), j);
    return st;
}

/* ---- pipeline and nodes ---- */

static tide_status read_ints(const struct loading *l, const json_t *list,
                             const char *where, int64_t lo, int64_t hi, uint32_t *out)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        int64_t v = 0;
        tide_status st = want_int(l, json_array_get(list, i), where, lo, hi, &v);
        if (st) return st;
        out[i] = (uint32_t)v;
    }
    return TIDE_OK;
}

static tide_status read_node(const struct loading *l, const json_t *v, int k)
{
    struct fitted_node *node = &l->m->nodes[k];
    const struct pipe_node *from = &l->m->pipeline->nodes[k];
    const char *name = from->step ? from->step->name : from->learner->name;
    const char *said = json_string_value(json_object_get(v, "name"));
    const json_t *in = json_object_get(v, "in"), *levels = json_object_get(v, "levels");
    size_t n = json_array_size(in);
    int64_t width = 0;
    char where[48];
    str_format(where, sizeof where, "nodes/%d", k);
    node->step = from->step;
    node->learner = from->learner;
    state_init(&node->state, &l->m->arena);
    if (!said || strcmp(said, name) != 0)
        return bad_header(l, TIDE_CODE_TIDE_SCHEMA, where,
                          "is not what the pipeline says");
    if (node->learner && !(node->learner->tasks & l->m->schema.task))
        return bad_header(l, TIDE_CODE_TIDE_SCHEMA, where,
                          "is a learner of another task");
    tide_status st =
        want_int(l, json_object_get(v, "width"), where, 0, INT32_MAX, &width);
    if (st) return st;
    if (json_array_size(levels) != n || n > (size_t)width ||
        (node->learner && n != (size_t)width))
        return bad_header(l, TIDE_CODE_TIDE_SCHEMA, where,
                          "lists do not fit each other");
    uint32_t *list = arena_array(&l->m->arena, (int64_t)n, sizeof *list);
    node->in_levels = arena_array(&l->m->arena, (int64_t)n, sizeof *node->in_levels);
    st = arena_status(&l->m->arena, l->err);
    if (!st) st = read_ints(l, in, where, 0, width - 1, list);
    if (!st) st = read_ints(l, levels, where, 0, MOST_LEVELS, node->in_levels);
    for (size_t i = 1; !st && i < n; i++)
        if (list[i] <= list[i - 1])
            st = bad_header(l, TIDE_CODE_TIDE_SCHEMA, where,
                            "columns are not ascending");
    node->width = (int32_t)width;
    node->n_in = (int32_t)n;
    node->in = (const int32_t *)list;
    return st;
}

/* The first node meets the schema's own columns. */
static tide_status check_first(const struct loading *l)
{
    const struct schema *s = &l->m->schema;
    const struct fitted_node *node = &l->m->nodes[0];
    if (node->width != s->n_cols)
        return bad_header(l, TIDE_CODE_TIDE_SCHEMA, "nodes/0",
                          "does not meet the columns of the schema");
    for (int32_t i = 0; i < node->n_in; i++)
        if (node->in_levels[i] != s->cols[node->in[i]].n_levels) {
            err_set(l->err, TIDE_CODE_TIDE_SCHEMA,
                    "'%s' has %u levels and a node needs %u", s->cols[node->in[i]].name,
                    s->cols[node->in[i]].n_levels, node->in_levels[i]);
            err_place(l->err, "header nodes/0");
            return TIDE_EMODEL;
        }
    return TIDE_OK;
}

static tide_status read_nodes(const struct loading *l)
{
    tide_model *m = l->m;
    const json_t *list;
    const char *text = json_string_value(json_object_get(l->header, "pipeline"));
    if (!text)
        return bad_header(l, TIDE_CODE_TIDE_HEADER, "pipeline", "a text is expected");
    tide_error inner = {0};
    tide_status st = pipeline_parse(text, &m->pipeline, &inner);
    if (st == TIDE_ENOMEM) return err_nomem(l->err, 0);
    if (st) return bad_header(l, TIDE_CODE_TIDE_HEADER, "pipeline", inner.message);
    st = want_array(l, "nodes", 4096, &list);
    if (st) return st;
    if (json_array_size(list) != (size_t)m->pipeline->n)
        return bad_header(l, TIDE_CODE_TIDE_SCHEMA, "nodes",
                          "there are not as many as the pipeline has");
    m->n_nodes = m->pipeline->n;
    m->nodes = arena_zero(&m->arena, (size_t)m->n_nodes * sizeof *m->nodes);
    st = arena_status(&m->arena, l->err);
    for (int k = 0; !st && k < m->n_nodes; k++)
        st = read_node(l, json_array_get(list, (size_t)k), k);
    return st ? st : check_first(l);
}

/* ---- arrays ---- */

static tide_status bad_array(const struct loading *l, tide_code code,
                             const struct tide_section *s, const char *what)
{
    err_set(l->err, code, "%s", what);
    err_place(l->err, "section %s %u", s->kind, s->instance);
    return TIDE_EMODEL;
}

static int element_type(const char *name)
{
    static const char *const names[] = {"f64", "f32", "i64", "i32", "u32", "u16", "u8"};
    for (int t = 0; name && t < 7; t++)
        if (strcmp(name, names[t]) == 0) return t + STATE_F64;
    return 0;
}

/* The state that an array belongs to. */
static struct state *owner_of(const struct loading *l, const json_t *v,
                              struct state *dicts)
{
    const json_t *node = json_object_get(v, "node");
    const char *part = json_string_value(json_object_get(v, "part"));
    if (json_is_integer(node)) {
        int64_t k = json_integer_value(node);
        return k >= 0 && k < l->m->n_nodes ? &l->m->nodes[k].state : NULL;
    }
    if (!part) return NULL;
    if (strcmp(part, "schema") == 0) return dicts;
    if (strcmp(part, "profile") == 0) return &l->m->profile;
    return strcmp(part, "golden") == 0 ? &l->m->golden : NULL;
}

static tide_status read_shape(const struct loading *l, const json_t *shape,
                              const struct tide_section *s, struct state_array *it)
{
    int64_t cells = 1;
    size_t n = json_array_size(shape);
    if (n < 1 || n > 3)
        return bad_array(l, TIDE_CODE_TIDE_SIZE, s, "1 to 3 dimensions are expected");
    it->n_dims = (int32_t)n;
    it->dim[0] = it->dim[1] = it->dim[2] = 1;
    for (size_t d = 0; d < n; d++) {
        const json_t *v = json_array_get(shape, d);
        if (!json_is_integer(v) || json_integer_value(v) < 0)
            return bad_array(l, TIDE_CODE_TIDE_SIZE, s, "a dimension is no count");
        it->dim[d] = json_integer_value(v);
    }
    /* a zero must not hide dimensions that overflow without it */
    for (size_t d = 0; d < n; d++)
        if (i64_mul(cells, it->dim[d] ? it->dim[d] : 1, &cells))
            return bad_array(l, TIDE_CODE_TIDE_SIZE, s, "dimensions overflow");
    cells = it->dim[0] * it->dim[1] * it->dim[2];
    size_t bytes = 0;
    if (size_mul((size_t)cells, state_type_size((enum state_type)it->type), &bytes) ||
        (uint64_t)cells != s->count || bytes != s->size)
        return bad_array(l, TIDE_CODE_TIDE_SIZE, s,
                         "type and dimensions do not fit the section's size");
    return TIDE_OK;
}

static int is_plain_name(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    for (size_t i = 0; i < n; i++)
        if (name[i] <= 32 || name[i] >= 127) return 0;
    return n > 0 && n < STATE_NAME_MAX;
}

static tide_status read_array(const struct loading *l, const json_t *v,
                              const struct tide_section *s, struct state *dicts)
{
    const char *kind = json_string_value(json_object_get(v, "section"));
    const char *name = json_string_value(json_object_get(v, "name"));
    const json_t *instance = json_object_get(v, "instance");
    struct state_array it = {0};
    if (!kind || strcmp(kind, s->kind) != 0 || !json_is_integer(instance) ||
        json_integer_value(instance) != (json_int_t)s->instance)
        return bad_array(l, TIDE_CODE_TIDE_SCHEMA, s,
                         "the header lists another section here");
    struct state *to = owner_of(l, v, dicts);
    if (!to || !is_plain_name(name))
        return bad_array(l, TIDE_CODE_TIDE_SCHEMA, s, "belongs to nothing");
    if (state_find(to, name))
        return bad_array(l, TIDE_CODE_TIDE_SCHEMA, s, "an array's name is there twice");
    it.type = element_type(json_string_value(json_object_get(v, "type")));
    if (!it.type)
        return bad_array(l, TIDE_CODE_TIDE_SCHEMA, s, "unknown type of elements");
    tide_status st = read_shape(l, json_object_get(v, "shape"), s, &it);
    if (st) return st;
    memcpy(it.kind, s->kind, sizeof it.kind);
    memcpy(it.name, name, strlen(name));
    it.data = l->f->data + s->offset;
    if (to->n == to->cap) {
        int cap = to->cap ? 2 * to->cap : 8;
        struct state_array *more = arena_array(&l->m->arena, cap, sizeof *more);
        if (!more) return arena_status(&l->m->arena, l->err);
        if (to->n) memcpy(more, to->arrays, (size_t)to->n * sizeof *more);
        to->arrays = more;
        to->cap = cap;
    }
    to->arrays[to->n++] = it;
    return TIDE_OK;
}

static tide_status read_arrays(const struct loading *l, struct state *dicts)
{
    const json_t *list;
    size_t i = 0;
    int n_skipped = 0;
    tide_status st = want_array(l, "arrays", TIDE_MOST_SECTIONS, &list);
    for (int k = 0; !st && k < l->f->n_sections; k++) {
        const struct tide_section *s = &l->f->sections[k];
        if (!s->is_known) {
            n_skipped++;
            continue;
        }
        if (i >= json_array_size(list))
            return bad_array(l, TIDE_CODE_TIDE_SCHEMA, s,
                             "the header does not list it");
        st = read_array(l, json_array_get(list, i++), s, dicts);
    }
    if (!st && i != json_array_size(list))
        st = bad_header(l, TIDE_CODE_TIDE_SECTION, "arrays",
                        "a listed section is absent");
    if (!st && n_skipped && l->ctx)
        ctx_note(l->ctx, "%d optional section%s of a newer format skipped", n_skipped,
                 n_skipped == 1 ? "" : "s");
    return st;
}

/* ---- dictionaries ---- */

static tide_status bad_dict(const struct loading *l, int j, uint32_t level,
                            const char *what)
{
    err_set(l->err, TIDE_CODE_TIDE_VALUE, "%s", what);
    err_place(l->err, "section DICT, column %d, level %u", j, level);
    return TIDE_EMODEL;
}

static tide_status check_levels(const struct loading *l, int j, const struct dict *d)
{
    for (uint32_t c = 0; c < d->n; c++) {
        size_t n = d->offset[c + 1] - d->offset[c];
        const char *s = d->bytes + d->offset[c];
        if (utf8_check(s, n)) return bad_dict(l, j, c, "a level is not UTF-8");
        if (!c) continue;
        size_t before = d->offset[c] - d->offset[c - 1], m = n < before ? n : before;
        int order = memcmp(d->bytes + d->offset[c - 1], s, m);
        if (order > 0 || (order == 0 && before >= n))
            return bad_dict(l, j, c, "levels are not in byte order");
    }
    return TIDE_OK;
}

static tide_status read_dicts(const struct loading *l, const struct state *dicts)
{
    const struct state_array *offsets = NULL, *bytes = NULL;
    struct schema *s = &l->m->schema;
    uint64_t at = 0, base = 0;
    int n_categories = 0;
    for (int j = 0; j < s->n_cols; j++) n_categories += s->cols[j].type == TIDE_CAT;
    if (!n_categories) return TIDE_OK;
    tide_status st = state_need(dicts, "offsets", STATE_U32, -1, 1, &offsets, l->err);
    if (!st) st = state_need(dicts, "bytes", STATE_U8, -1, 1, &bytes, l->err);
    for (int j = 0; !st && j < s->n_cols; j++) {
        struct schema_column *c = &s->cols[j];
        if (c->type != TIDE_CAT) continue;
        const uint32_t *o = (const uint32_t *)offsets->data + at;
        if ((uint64_t)offsets->dim[0] - at < (uint64_t)c->n_levels + 1 || o[0] != 0)
            return bad_dict(l, j, 0, "offsets do not fit the levels");
        for (uint32_t k = 0; k < c->n_levels; k++)
            if (o[k + 1] < o[k]) return bad_dict(l, j, k, "offsets are not ascending");
        if (o[c->n_levels] > (uint64_t)bytes->dim[0] - base)
            return bad_dict(l, j, 0, "offsets lie beyond the text");
        c->levels = (struct dict){c->n_levels, o, (const char *)bytes->data + base};
        at += (uint64_t)c->n_levels + 1;
        base += o[c->n_levels];
        st = check_levels(l, j, &c->levels);
    }
    if (!st && (at != (uint64_t)offsets->dim[0] || base != (uint64_t)bytes->dim[0]))
        st = bad_dict(l, 0, 0, "the dictionaries hold more than the columns' levels");
    return st;
}

/* ---- all of it ---- */

static tide_status read_about(const struct loading *l)
{
    const json_t *about = json_object_get(l->header, "about");
    if (!about) return TIDE_OK;
    if (!json_is_object(about))
        return bad_header(l, TIDE_CODE_TIDE_HEADER, "about", "an object is expected");
    json_t *copy = json_deep_copy(about);
    if (!copy) return err_nomem(l->err, 0);
    json_decref(l->m->about);
    l->m->about = copy;
    return TIDE_OK;
}

/* Errors of learners and golden rows keep their words and get this class: whatever a loaded
 * model cannot do, the file is at fault. */
static tide_status blame_file(tide_status st, tide_error *err)
{
    if (st == TIDE_OK || st == TIDE_ENOMEM || st == TIDE_ECANCELLED ||
        st == TIDE_EMODEL || st == TIDE_ELIMIT)
        return st;
    if (err) {
        err->code = TIDE_CODE_TIDE_VALUE;
        err->status = TIDE_EMODEL;
    }
    return TIDE_EMODEL;
}

/* The outputs are those that the pipeline asks for, name by name. */
static tide_status read_outputs(const struct loading *l)
{
    struct schema *s = &l->m->schema;
    const json_t *list = json_object_get(l->header, "outputs");
    tide_status st = schema_outputs(l->m->pipeline, s, &l->m->arena, l->err);
    if (st) return st;
    int fits = (!list && !s->n_outputs) ||
               (json_is_array(list) && json_array_size(list) == (size_t)s->n_outputs);
    for (int32_t k = 0; fits && k < s->n_outputs; k++) {
        const char *name = json_string_value(json_array_get(list, (size_t)k));
        fits = name && strcmp(name, s->outputs[k]) == 0;
    }
    return fits ? TIDE_OK
                : bad_header(l, TIDE_CODE_TIDE_CLASSES, "outputs",
                             "the pipeline predicts others");
}

static tide_status read_all(struct loading *l)
{
    struct state dicts;
    state_init(&dicts, &l->m->arena);
    tide_status st = read_schema(l);
    if (!st) st = read_nodes(l);
    if (!st) st = read_outputs(l);
    if (!st) st = read_arrays(l, &dicts);
    if (!st) st = read_dicts(l, &dicts);
    if (!st) st = read_about(l);
    if (!st) st = blame_file(model_load_nodes(l->m, l->err), l->err);
    if (!st) st = blame_file(model_check_golden(l->ctx, l->m, l->err), l->err);
    return st;
}

tide_status tide_read_model(struct tide_ctx *ctx, tide_model *m, const uint8_t *data,
                            size_t n, const char *file, tide_error *err)
{
    struct tide_layout f;
    json_t *header = NULL;
    tide_error local = {0};
    struct loading l = {.ctx = ctx, .m = m, .f = &f, .err = err ? err : &local};
    tide_status st = tide_check_bytes(data, n, file, &m->arena, &f, l.err);
    if (st) return st;
    st = json_read((const char *)data + f.header_at, f.header_bytes, TIDE_MOST_HEADER,
                   file, TIDE_CODE_TIDE_HEADER, &header, l.err);
    if (!st && !json_is_object(header))
        st = bad_header(&l, TIDE_CODE_TIDE_HEADER, "/", "an object is expected");
    l.header = header;
    if (!st) st = read_all(&l);
    json_decref(header);
    if (st) {
        err_at(l.err, file, 0, 0);
        return st;
    }
    memcpy(m->sha256, f.sha256, sizeof m->sha256);
    m->file_bytes = (int64_t)n;
    return TIDE_OK;
}
