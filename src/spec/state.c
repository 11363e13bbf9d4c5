/* state.c - named arrays: building, finding, and reading them as hostile
 *
 * A state never owns memory: its arena does. When the arena failed, state_new answers NULL and
 * state_put does nothing; the caller asks arena_status once after a group. */
#include "spec/state.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/size.h"

size_t state_type_size(enum state_type type)
{
    switch (type) {
    case STATE_F64:
    case STATE_I64:
        return 8;
    case STATE_F32:
    case STATE_I32:
    case STATE_U32:
        return 4;
    case STATE_U16:
        return 2;
    case STATE_U8:
        return 1;
    }
    return 0; /* a number that came from a file */
}

void state_init(struct state *s, struct arena *a)
{
    *s = (struct state){.arena = a};
}

/* Room for one more entry; 0 when there is. */
static int grow(struct state *s)
{
    if (s->n < s->cap) return 0;
    int cap = s->cap ? 2 * s->cap : 8;
    struct state_array *more = arena_array(s->arena, cap, sizeof *more);
    if (!more) return -1;
    if (s->n) memcpy(more, s->arrays, (size_t)s->n * sizeof *more);
    s->arrays = more;
    s->cap = cap;
    return 0;
}

static void copy_padded(char *dst, size_t size, const char *src)
{
    size_t n = strlen(src);
    if (n > size) n = size;
    memset(dst, 0, size);
    memcpy(dst, src, n);
}

static size_t bytes_of(enum state_type type, int64_t d0, int64_t d1, int64_t d2)
{
    int64_t cells = 0;
    size_t bytes = 0;
    if (d0 < 0 || d1 < 0 || d2 < 0 || i64_mul(d0, d1, &cells) ||
        i64_mul(cells, d2, &cells) ||
        size_mul((size_t)cells, state_type_size(type), &bytes))
        return SIZE_MAX / 2; /* no arena has that: the failure becomes sticky */
    return bytes ? bytes : 1;
}

void state_keep(struct state *s, const char *kind, const char *name,
                enum state_type type, int64_t d0, int64_t d1, int64_t d2,
                const void *data)
{
    if (!data || grow(s)) return;
    struct state_array *it = &s->arrays[s->n++];
    memset(it, 0, sizeof *it);
    copy_padded(it->kind, sizeof it->kind, kind);
    copy_padded(it->name, sizeof it->name - 1, name);
    it->type = (int32_t)type;
    it->n_dims = d2 != 1 ? 3 : d1 != 1 ? 2 : 1;
    it->dim[0] = d0;
    it->dim[1] = d1;
    it->dim[2] = d2;
    it->data = data;
}

void *state_new(struct state *s, const char *kind, const char *name,
                enum state_type type, int64_t d0, int64_t d1, int64_t d2)
{
    void *data = arena_zero(s->arena, bytes_of(type, d0, d1, d2));
    state_keep(s, kind, name, type, d0, d1, d2, data);
    return s->arena->failed ? NULL : data;
}

void state_share(struct state *s, const char *name, const struct state_array *from)
{
    if (grow(s)) return;
    struct state_array *it = &s->arrays[s->n++];
    *it = *from;
    copy_padded(it->name, sizeof it->name - 1, name);
    it->name[sizeof it->name - 1] = '\0';
}

void state_put(struct state *s, const char *kind, const char *name,
               enum state_type type, int64_t d0, int64_t d1, int64_t d2,
               const void *data)
{
    size_t bytes = bytes_of(type, d0, d1, d2);
    void *to = data ? arena_push(s->arena, bytes) : arena_zero(s->arena, bytes);
    if (to && data) memcpy(to, data, (size_t)(d0 * d1 * d2) * state_type_size(type));
    state_keep(s, kind, name, type, d0, d1, d2, to);
}

const struct state_array *state_find(const struct state *s, const char *name)
{
    for (int i = 0; i < s->n; i++) {
        const char *own = s->arrays[i].name;
        if (*own == *name && strcmp(own, name) == 0) return &s->arrays[i];
    }
    return NULL;
}

static const char *type_text(int32_t type)
{
    static const char *const text[] = {"",    "f64", "f32", "i64",
                                       "i32", "u32", "u16", "u8"};
    return type >= STATE_F64 && type <= STATE_U8 ? text[type] : "unknown";
}

/* Index of the first number that is not finite, or -1. */
static int64_t first_not_finite(const struct state_array *it)
{
    int64_t cells = it->dim[0] * it->dim[1] * it->dim[2];
    if (it->type == STATE_F64) {
        const double *x = it->data;
        for (int64_t i = 0; i < cells; i++)
            if (!isfinite(x[i])) return i;
    } else if (it->type == STATE_F32) {
        const float *x = it->data;
        for (int64_t i = 0; i < cells; i++)
            if (!isfinite(x[i])) return i;
    }
    return -1;
}

tide_status state_need(const struct state *s, const char *name, enum state_type type,
                       int64_t d0, int64_t d1, const struct state_array **out,
                       tide_error *err)
{
    const struct state_array *it = state_find(s, name);
    *out = NULL;
    if (!it) {
        err_set(err, TIDE_CODE_TIDE_SCHEMA, "array '%s' is absent", name);
        return err_place(err, "array %s", name), TIDE_EMODEL;
    }
    int kind_n = 0; /* the kind may fill its field */
    while (kind_n < (int)sizeof it->kind && it->kind[kind_n]) kind_n++;
    if (it->type != (int32_t)type)
        err_set(err, TIDE_CODE_TIDE_SCHEMA, "array '%s' has type %s, not %s", name,
                type_text(it->type), type_text((int32_t)type));
    else if ((d0 >= 0 && it->dim[0] != d0) || (d1 >= 0 && it->dim[1] != d1))
        err_set(err, TIDE_CODE_TIDE_SIZE,
                "array '%s' is %lld by %lld, not %lld by %lld", name,
                (long long)it->dim[0], (long long)it->dim[1],
                (long long)(d0 >= 0 ? d0 : it->dim[0]),
                (long long)(d1 >= 0 ? d1 : it->dim[1]));
    else {
        int64_t bad = first_not_finite(it);
        if (bad < 0) {
            *out = it;
            return TIDE_OK;
        }
        err_set(err, TIDE_CODE_TIDE_VALUE,
                "array '%s' holds a number that is not finite at %lld", name,
                (long long)bad);
    }
    err_place(err, "section %.*s, array %s", kind_n, it->kind, name);
    return TIDE_EMODEL;
}
