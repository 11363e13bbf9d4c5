/* tide_write.c - a model to bytes: the same model gives the same bytes
 *
 * Order: preamble, section table, JSON header, sections (dictionaries, the nodes' states in
 * pipeline order, profile, golden rows), digest. Nothing here knows the time, the host, a
 * path or the number of threads. */
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/size.h"
#include "base/str.h"
#include "store/store.h"

/* The arrays of a file in their order. */
struct listed {
    const struct state_array *array;
    int node; /* of a node, else -1 */
    const char *part;
    uint32_t instance;
    size_t bytes;
};
struct writer {
    const tide_model *m;
    struct arena *a;
    struct state dicts;
    struct listed *list;
    int n;
    int minor; /* the least that has all of it */
    struct str header;
};

static const char *const type_names[] = {"",    "f64", "f32", "i64",
                                         "i32", "u32", "u16", "u8"};

/* ---- header ---- */

static void put_text(struct str *t, const char *key, const char *value)
{
    str_addf(t, "\"%s\":", key);
    if (value)
        str_add_json(t, value, strlen(value));
    else
        str_add(t, "null");
}

static void put_number(struct str *t, const char *key, double v)
{
    str_addf(t, "\"%s\":", key);
    if (isfinite(v))
        str_num(t, v);
    else
        str_add(t, "null");
}

static void put_columns(struct str *t, const struct schema *s)
{
    str_add(t, "\"columns\":[");
    for (int j = 0; j < s->n_cols; j++) {
        const struct schema_column *c = &s->cols[j];
        str_add(t, j ? ",{" : "{");
        put_text(t, "name", c->name);
        str_addc(t, ',');
        put_text(t, "type", tide_type_name((enum tide_type)c->type));
        if (c->type == TIDE_CAT) {
            str_addf(t, ",\"levels\":%u", c->n_levels);
        } else {
            str_addc(t, ',');
            put_number(t, "lo", c->lo);
            str_addc(t, ',');
            put_number(t, "hi", c->hi);
        }
        str_addf(t, ",\"missing\":%lld}", (long long)c->n_missing);
    }
    str_add(t, "],");
}

/* Absent from models of one value a row or of classes: a reader that knows one value only must
 * not take the first for it. */
static void put_outputs(struct str *t, const struct schema *s)
{
    if (!s->n_outputs) return;
    str_add(t, "\"outputs\":[");
    for (int32_t k = 0; k < s->n_outputs; k++) {
        if (k) str_addc(t, ',');
        str_add_json(t, s->outputs[k], strlen(s->outputs[k]));
    }
    str_add(t, "],");
}

static void put_schema(struct str *t, const tide_model *m, int minor)
{
    const struct schema *s = &m->schema;
    str_addf(t, "{\"tidemill\":\"%d.%d\",\"required\":[%s],\"task\":\"%s\",",
             TIDE_MAJOR, minor, s->n_outputs ? "\"outputs\"" : "", task_name(s->task));
    str_addf(t, "\"seed\":\"%llu\",\"partial\":%s,\"target\":",
             (unsigned long long)m->seed, m->partial ? "true" : "false");
    if (s->target) {
        str_addc(t, '{');
        put_text(t, "name", s->target);
        str_addc(t, ',');
        put_text(t, "type", tide_type_name((enum tide_type)s->target_type));
        str_addc(t, '}');
    } else {
        str_add(t, "null");
    }
    str_add(t, ",\"classes\":[");
    for (int32_t k = 0; k < s->n_classes; k++) {
        if (k) str_addc(t, ',');
        str_add_json(t, s->labels[k], strlen(s->labels[k]));
    }
    str_addf(t, "],\"positive\":%d,", s->task == TIDE_CLASSIFY ? s->positive : 0);
    put_number(t, "threshold", s->threshold);
    str_addc(t, ',');
    put_outputs(t, s);
    put_text(t, "weight", s->weight);
    str_addc(t, ',');
    put_text(t, "id", s->id);
    str_addc(t, ',');
    if (s->group) { /* absent from the models that never had one */
        put_text(t, "group", s->group);
        str_addc(t, ',');
    }
    put_columns(t, s);
}

static void put_nodes(struct str *t, const tide_model *m)
{
    struct str text = {0};
    pipeline_print(m->pipeline, &text);
    put_text(t, "pipeline", text.s);
    t->failed |= text.failed;
    str_free(&text);
    str_add(t, ",\"parameters\":");
    values_json(t, m->pipeline->nodes[m->n_nodes - 1].values);
    str_add(t, ",\"nodes\":[");
    for (int k = 0; k < m->n_nodes; k++) {
        const struct fitted_node *node = &m->nodes[k];
        str_add(t, k ? ",{" : "{");
        put_text(t, "name", node->step ? node->step->name : node->learner->name);
        str_addf(t, ",\"width\":%d,\"in\":[", node->width);
        for (int32_t j = 0; j < node->n_in; j++)
            str_addf(t, "%s%d", j ? "," : "", node->in[j]);
        str_add(t, "],\"levels\":[");
        for (int32_t j = 0; j < node->n_in; j++)
            str_addf(t, "%s%u", j ? "," : "", node->in_levels[j]);
        str_add(t, "]}");
    }
    str_add(t, "],");
}

static void put_arrays(struct writer *w)
{
    struct str *t = &w->header;
    str_add(t, "\"arrays\":[");
    for (int i = 0; i < w->n; i++) {
        const struct listed *l = &w->list[i];
        str_addf(t, "%s{\"section\":\"%.8s\",\"instance\":%u,", i ? "," : "",
                 l->array->kind, l->instance);
        if (l->node >= 0)
            str_addf(t, "\"node\":%d,", l->node);
        else
            str_addf(t, "\"part\":\"%s\",", l->part);
        put_text(t, "name", l->array->name);
        str_addf(t, ",\"type\":\"%s\",\"shape\":[", type_names[l->array->type]);
        for (int32_t d = 0; d < l->array->n_dims; d++)
            str_addf(t, "%s%lld", d ? "," : "", (long long)l->array->dim[d]);
        str_add(t, "]}");
    }
    str_add(t, "],\"about\":");
    json_write(t, w->m->about, 0);
    str_addc(t, '}');
}

/* ---- arrays ---- */

/* The dictionaries of all category columns in two arrays. */
static void add_dicts(struct writer *w)
{
    const struct schema *s = &w->m->schema;
    int64_t n_offsets = 0, n_bytes = 0;
    for (int j = 0; j < s->n_cols; j++) {
        if (s->cols[j].type != TIDE_CAT) continue;
        n_offsets += (int64_t)s->cols[j].n_levels + 1;
        n_bytes += s->cols[j].levels.offset[s->cols[j].n_levels];
    }
    state_init(&w->dicts, w->a);
    if (!n_offsets) return;
    uint32_t *offset =
        state_new(&w->dicts, "DICT", "offsets", STATE_U32, n_offsets, 1, 1);
    uint8_t *bytes = state_new(&w->dicts, "DICT", "bytes", STATE_U8, n_bytes, 1, 1);
    if (!offset || !bytes) return;
    for (int j = 0; j < s->n_cols; j++) {
        if (s->cols[j].type != TIDE_CAT) continue;
        const struct dict *d = &s->cols[j].levels;
        memcpy(offset, d->offset, ((size_t)d->n + 1) * sizeof *offset);
        memcpy(bytes, d->bytes, d->offset[d->n]);
        offset += (size_t)d->n + 1;
        bytes += d->offset[d->n];
    }
}

static tide_status list_state(struct writer *w, const struct state *s, int node,
                              const char *part, tide_error *err)
{
    for (int i = 0; i < s->n; i++) {
        struct listed *l = &w->list[w->n];
        const struct state_array *it = &s->arrays[i];
        size_t cells = 0;
        *l = (struct listed){.array = it, .node = node, .part = part};
        for (int k = 0; k < w->n; k++)
            l->instance +=
                memcmp(w->list[k].array->kind, it->kind, sizeof it->kind) == 0;
        if (size_mul((size_t)it->dim[0], (size_t)it->dim[1], &cells) ||
            size_mul(cells, (size_t)it->dim[2], &cells) ||
            size_mul(cells, state_type_size((enum state_type)it->type), &l->bytes))
            return err_set(err, TIDE_CODE_INTERNAL, "array '%s' has no size", it->name);
        w->n++;
    }
    return TIDE_OK;
}

static tide_status list_arrays(struct writer *w, tide_error *err)
{
    const tide_model *m = w->m;
    int most = w->dicts.n + m->profile.n + m->golden.n;
    for (int k = 0; k < m->n_nodes; k++) most += m->nodes[k].state.n;
    if (most > TIDE_MOST_SECTIONS)
        return err_set(err, TIDE_CODE_TIDE_BOUNDS,
                       "the model has %d arrays, at most %d fit", most,
                       TIDE_MOST_SECTIONS);
    w->list = arena_array(w->a, most, sizeof *w->list);
    tide_status st = arena_status(w->a, err);
    if (!st) st = list_state(w, &w->dicts, -1, "schema", err);
    for (int k = 0; !st && k < m->n_nodes; k++)
        st = list_state(w, &m->nodes[k].state, k, NULL, err);
    if (!st) st = list_state(w, &m->profile, -1, "profile", err);
    if (!st) st = list_state(w, &m->golden, -1, "golden", err);
    return st;
}

/* Linear leaves came with 1.1: a reader of 1.0 would take their plain values. */
static int minor_of(const struct writer *w)
{
    for (int i = 0; i < w->n; i++)
        if (memcmp(w->list[i].array->kind, "LINLEAF", 8) == 0) return 1;
    return 0;
}

/* ---- bytes ---- */

static size_t align64(size_t n)
{
    return (n + 63) & ~(size_t)63;
}

static size_t place(const struct writer *w)
{
    size_t at = TIDE_PREAMBLE + (size_t)w->n * TIDE_ENTRY_BYTES + w->header.len;
    for (int i = 0; i < w->n; i++) at = align64(at) + w->list[i].bytes;
    return at + TIDE_DIGEST;
}

static void fill_preamble(const struct writer *w, uint8_t *p, size_t total)
{
    memcpy(p, tide_magic, sizeof tide_magic);
    put16(p + 8, TIDE_MAJOR);
    put16(p + 10, (uint16_t)w->minor);
    put16(p + 12, (uint16_t)w->minor);
    put32(p + 16, TIDE_BYTE_MARK);
    put32(p + 20, (uint32_t)w->header.len);
    put32(p + 24, (uint32_t)w->n);
    put64(p + 32, total);
    put64(p + 40, TIDE_PREAMBLE);
    put64(p + 48, TIDE_PREAMBLE + (uint64_t)w->n * TIDE_ENTRY_BYTES);
    put32(p + 60, crc32c(0, p, 60));
}

static void fill_sections(const struct writer *w, uint8_t *data)
{
    size_t at = TIDE_PREAMBLE + (size_t)w->n * TIDE_ENTRY_BYTES;
    memcpy(data + at, w->header.s, w->header.len);
    at += w->header.len;
    for (int i = 0; i < w->n; i++) {
        const struct listed *l = &w->list[i];
        uint8_t *entry = data + TIDE_PREAMBLE + (size_t)i * TIDE_ENTRY_BYTES;
        size_t each = state_type_size((enum state_type)l->array->type);
        at = align64(at);
        memcpy(entry, l->array->kind, 8);
        put32(entry + 8, l->part && strcmp(l->part, "schema") ? 0 : TIDE_REQUIRED_BIT);
        put32(entry + 12, l->instance);
        put64(entry + 16, at);
        put64(entry + 24, l->bytes);
        put64(entry + 32, l->bytes / each);
        if (l->bytes) memcpy(data + at, l->array->data, l->bytes);
        put32(entry + 40, crc32c(0, data + at, l->bytes));
        at += l->bytes;
    }
}

static void fill_digest(uint8_t *data, size_t total)
{
    struct sha256 s;
    sha256_init(&s);
    sha256_add(&s, data, total - TIDE_DIGEST);
    sha256_end(&s, data + total - TIDE_DIGEST);
}

tide_status tide_write_model(const tide_model *m, struct arena *a, uint8_t **data,
                             size_t *n, tide_error *err)
{
    struct writer w = {.m = m, .a = a};
    *data = NULL;
    add_dicts(&w);
    tide_status st = arena_status(a, err);
    if (!st) st = list_arrays(&w, err);
    if (!st) {
        w.minor = minor_of(&w);
        put_schema(&w.header, m, w.minor);
        put_nodes(&w.header, m);
        put_arrays(&w);
    }
    if (!st && w.header.failed) st = err_nomem(err, w.header.len);
    if (!st && w.header.len > TIDE_MOST_HEADER)
        st = err_set(err, TIDE_CODE_LIMIT_METADATA,
                     "the model's header has %zu bytes, at most %u fit", w.header.len,
                     TIDE_MOST_HEADER);
    if (!st) {
        *n = place(&w);
        *data = arena_zero(a, *n);
        st = arena_status(a, err);
    }
    if (!st) {
        fill_sections(&w, *data);
        fill_preamble(&w, *data, *n);
        fill_digest(*data, *n);
    }
    str_free(&w.header);
    return st;
}
