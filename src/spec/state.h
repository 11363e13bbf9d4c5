/* state.h - fitted state as named arrays: what a learner or step leaves behind, and what a
 * .tide file stores, byte for byte
 *
 * Each array has a section kind of inference.md 6 ("DENSE", "STEP", "TREES", "NODES", ...), a
 * name unique within its state, an element type and up to 3 dimensions. Descriptors write a
 * state in fit, and rebuild their working object from it in load, so that a model just fitted
 * and a model read from a file are the same thing. Load treats every number as hostile. */
#ifndef SPEC_STATE_H
#define SPEC_STATE_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum state_type {
    STATE_F64 = 1,
    STATE_F32,
    STATE_I64,
    STATE_I32,
    STATE_U32,
    STATE_U16,
    STATE_U8
};
#define STATE_NAME_MAX 24
struct state_array {
    char kind[8];              /* zero-padded ASCII */
    char name[STATE_NAME_MAX]; /* zero-terminated */
    int32_t type, n_dims;
    int64_t dim[3];   /* unused: 1 */
    const void *data; /* 64-byte aligned */
};
struct state {
    struct arena *arena; /* memory of a state being built; not owned */
    struct state_array *arrays;
    int n, cap;
};
size_t state_type_size(enum state_type type);
void state_init(struct state *s, struct arena *a);
/* Adds an array and returns its memory to fill (zeroed), or NULL: arena failed (sticky). */
void *state_new(struct state *s, const char *kind, const char *name,
                enum state_type type, int64_t d0, int64_t d1, int64_t d2);
/* Adds a copy. Dimensions as above; d1 = d2 = 1 for a vector. */
void state_put(struct state *s, const char *kind, const char *name,
               enum state_type type, int64_t d0, int64_t d1, int64_t d2,
               const void *data);
/* The same without a copy: data are memory of s->arena or live as long. NULL: no array. */
void state_keep(struct state *s, const char *kind, const char *name,
                enum state_type type, int64_t d0, int64_t d1, int64_t d2,
                const void *data);
/* Adds an array of another state under a name; the data are not copied and must live as long. */
void state_share(struct state *s, const char *name, const struct state_array *from);
const struct state_array *state_find(const struct state *s, const char *name);
/* The data of an array that must have this type and these dimensions (-1: any). Errors:
 * tide-schema when absent or other type, tide-size for dimensions, tide-value when a float is
 * not finite. The error's place names the array. */
tide_status state_need(const struct state *s, const char *name, enum state_type type,
                       int64_t d0, int64_t d1, const struct state_array **out,
                       tide_error *err);
#endif
