/* postgres.h - what the reader asks of libpq, so that tests can answer in its place */
#ifndef FRAME_POSTGRES_H
#define FRAME_POSTGRES_H
#include "frame/frame.h"

/* As libpq's documentation declares them. */
typedef struct pg_conn PGconn;
typedef struct pg_result PGresult;
enum {
    CONNECTION_OK = 0,
    PGRES_COMMAND_OK = 1,
    PGRES_TUPLES_OK = 2,
    PGRES_COPY_OUT = 3
};

struct libpq {
    PGconn *(*connect)(const char *const *words, const char *const *values, int expand);
    int (*status)(const PGconn *);
    char *(*message)(const PGconn *);
    void (*finish)(PGconn *);
    PGresult *(*exec)(PGconn *, const char *);
    PGresult *(*prepare)(PGconn *, const char *, const char *, int, const unsigned *);
    PGresult *(*describe)(PGconn *, const char *);
    int (*result_status)(const PGresult *);
    char *(*field)(const PGresult *, int);
    void (*clear)(PGresult *);
    int (*n_fields)(const PGresult *);
    char *(*name)(const PGresult *, int);
    unsigned (*type)(const PGresult *, int);
    int (*mod)(const PGresult *, int);
    char *(*value)(const PGresult *, int, int);
    PGresult *(*result)(PGconn *);
    int (*copy)(PGconn *, char **, int async);
    void (*give)(void *);
};

/* The answer of the query in `path` (postgres:DSN?QUERY). pq: NULL for libpq itself. */
tide_status postgres_read(struct tide_ctx *ctx, const struct libpq *pq,
                          const char *path, const struct tide_read_options *options,
                          tide_frame **out, tide_error *err);
#endif
