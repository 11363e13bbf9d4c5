/* toy_table.h - small tables by hand for tests of learners: columns, view, fit_data
 *
 * struct toy t = toy_new(100); double *x = toy_number(&t, "x"); ... toy_view(&t); toy_free(&t); */
#ifndef SUPPORT_TOY_TABLE_H
#define SUPPORT_TOY_TABLE_H
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "frame/frame.h"
#include "spec/learner.h"
#include "spec/state.h"

#define TOY_COLS 64
struct toy {
    int64_t n;
    int n_cols;
    struct column col[TOY_COLS];
    const struct column *by_name[TOY_COLS];
    char name[TOY_COLS][16];
    uint32_t offset[TOY_COLS][2];
    struct view view;
    uint32_t n_levels[TOY_COLS];
};

static inline struct toy *toy_new(int64_t n)
{
    struct toy *t = calloc(1, sizeof *t);
    t->n = n;
    return t;
}
static inline struct column *toy_add(struct toy *t, const char *name, uint8_t type)
{
    struct column *c = &t->col[t->n_cols];
    size_t len = strlen(name) < 15 ? strlen(name) : 15;
    memcpy(t->name[t->n_cols], name, len);
    *c = (struct column){.name = t->name[t->n_cols++], .type = type, .n_rows = t->n};
    return c;
}
static inline double *toy_number(struct toy *t, const char *name)
{
    double *v = calloc((size_t)t->n + 1, sizeof *v);
    toy_add(t, name, TIDE_F64)->f64 = v;
    return v;
}
static inline uint32_t *toy_category(struct toy *t, const char *name, uint32_t levels)
{
    uint32_t *v = calloc((size_t)t->n + 1, sizeof *v);
    struct column *c = toy_add(t, name, TIDE_CAT);
    c->code = v;
    c->dict.n = levels;
    return v;
}
/* The view in byte order of names. */
static inline const struct view *toy_view(struct toy *t)
{
    for (int i = 0; i < t->n_cols; i++) {
        int j = i;
        for (; j > 0 && strcmp(t->by_name[j - 1]->name, t->col[i].name) > 0; j--)
            t->by_name[j] = t->by_name[j - 1];
        t->by_name[j] = &t->col[i];
    }
    for (int i = 0; i < t->n_cols; i++)
        t->n_levels[i] = t->by_name[i]->type == TIDE_CAT ? t->by_name[i]->dict.n : 0;
    t->view = (struct view){.n_rows = t->n, .n_cols = t->n_cols, .cols = t->by_name};
    return &t->view;
}
static inline void toy_free(struct toy *t)
{
    for (int i = 0; t && i < t->n_cols; i++) {
        union {
            const void *from;
            void *to;
        } p = {t->col[i].type == TIDE_CAT ? (const void *)t->col[i].code
                                          : (const void *)t->col[i].f64};
        free(p.to);
    }
    free(t);
}
/* FNV-1a over all arrays of a state: equal bytes, equal number. */
static inline uint64_t toy_hash(const struct state *s)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (int i = 0; i < s->n; i++) {
        const struct state_array *a = &s->arrays[i];
        size_t bytes = (size_t)(a->dim[0] * a->dim[1] * a->dim[2]) *
                       state_type_size((enum state_type)a->type);
        const unsigned char *p = a->data;
        for (size_t b = 0; b < bytes; b++) h = (h ^ p[b]) * UINT64_C(1099511628211);
    }
    return h;
}
/* A uniform number that depends on (seed, i, j) alone. */
static inline double toy_u(uint64_t seed, int64_t i, uint32_t j)
{
    return rng_u01(rng_at(rng_key(seed, "toy"), i, j, 0));
}
#endif
