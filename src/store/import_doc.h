/* import_doc.h - nested values of a foreign file, from JSON or UBJSON (private to store)
 *
 * Lists of numbers alone are plain arrays, so a model costs about 8 bytes a number. Objects
 * have few members and no key twice. Nothing recurses; at most 32 levels. */
#ifndef STORE_IMPORT_DOC_H
#define STORE_IMPORT_DOC_H
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define DOC_DEPTH        32
#define DOC_MOST_MEMBERS 1024

enum doc_kind {
    DOC_NULL,
    DOC_BOOL,
    DOC_INT,
    DOC_REAL,
    DOC_TEXT,
    DOC_LIST,
    DOC_INTS,
    DOC_REALS,
    DOC_OBJECT
};
struct doc {
    uint8_t kind;
    int64_t n; /* bytes of text, members */
    union {
        int64_t i; /* DOC_BOOL: 1 or 0 */
        double x;
        const char *s;          /* terminated, without NUL inside */
        const struct doc *item; /* DOC_LIST; DOC_OBJECT: key, value, key, value ... */
        const int64_t *ints;
        const double *reals;
    } v;
};
/* JSON with the further words NaN, Infinity and -Infinity. as_xgboost: numbers with a point or
 * exponent are rounded to float as their writer did, and a list of booleans is one of numbers.
 * Errors: import-syntax with line and column,
 * limit-depth. */
tide_status doc_read_json(const char *text, size_t n, int as_xgboost, struct arena *a,
                          struct doc *out, tide_error *err);
/* Errors: import-syntax with the byte's offset, limit-depth. */
tide_status doc_read_ubj(const uint8_t *data, size_t n, struct arena *a,
                         struct doc *out, tide_error *err);
/* Member of an object, or NULL (also when d is no object). */
const struct doc *doc_get(const struct doc *d, const char *key);
/* Members of a list of any kind; -1: none. */
int64_t doc_count(const struct doc *d);
/* Element i of a list of numbers. */
double doc_real_at(const struct doc *d, int64_t i);
int64_t doc_int_at(const struct doc *d, int64_t i);

/* ---- for the two readers: values and open containers on one stack ---- */
struct doc_builder {
    struct arena *a;
    struct doc *value; /* mem_realloc'ed */
    int64_t n, cap;
    struct {
        int64_t first;
        uint8_t is_object;
    } open[DOC_DEPTH];
    int depth;
    const char *wrong; /* a clause */
    int bools_are_ints, too_deep;
    int failed; /* memory */
};
void doc_begin(struct doc_builder *b, struct arena *a);
void doc_end(struct doc_builder *b);
/* Each: 0, or -1 with `wrong` or `failed` set. */
int doc_push(struct doc_builder *b, struct doc value);
int doc_open(struct doc_builder *b, int is_object);
int doc_close(struct doc_builder *b);
#endif
