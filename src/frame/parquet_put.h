/* parquet_put.h - bytes of a Parquet file: Thrift's compact protocol and runs of small numbers
 *
 * Everything is added to a str, whose sticky failure says in the end whether memory sufficed. */
#ifndef FRAME_PARQUET_PUT_H
#define FRAME_PARQUET_PUT_H
#include "base/str.h"
#include "frame/parquet.h"

enum pq_put_type {
    PQ_PUT_TRUE = 1,
    PQ_PUT_FALSE,
    PQ_PUT_I16 = 4,
    PQ_PUT_I32,
    PQ_PUT_I64,
    PQ_PUT_BYTES = 8,
    PQ_PUT_LIST,
    PQ_PUT_STRUCT = 12
};
/* Structs begun and not yet ended, outermost first: a field's number is told as the step from
 * the last one. Begin with the struct that is the whole: {.to = t}. */
struct pq_put {
    struct str *to;
    int depth;
    int last[8];
};
void pq_put_int(struct pq_put *p, int id, enum pq_put_type type, int64_t v);
void pq_put_bool(struct pq_put *p, int id, int v);
void pq_put_bytes(struct pq_put *p, int id, const char *s, size_t n);
void pq_put_struct(struct pq_put *p, int id);
void pq_put_list(struct pq_put *p, int id, enum pq_put_type type, int64_t n);
/* Elements of the list that was put last. */
void pq_item_int(struct pq_put *p, int64_t v);
void pq_item_bytes(struct pq_put *p, const char *s, size_t n);
void pq_item_struct(struct pq_put *p);
void pq_put_end(struct pq_put *p); /* of the innermost struct */

/* n numbers of `width` bits (0 to 32) as runs and packed groups mixed: what pq_rle reads. */
void pq_put_runs(struct str *t, const uint32_t *v, int64_t n, int width);
/* v's low 8 * width bits, little end first. */
void pq_put_little(struct str *t, uint64_t v, int width);
#endif
