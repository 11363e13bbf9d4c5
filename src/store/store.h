/* store.h - .tide files: writing, checking, reading (docs/tide-format.md)
 *
 * A file is checked in a fixed order - preamble, section table, gaps, checksums, digest,
 * header, dictionaries, states, objects, golden rows - and every size is proved against the
 * file's length before anything is allocated for it. Nothing is ever half loaded. */
#ifndef STORE_STORE_H
#define STORE_STORE_H
#include "pipe/pipe.h"

#define TIDE_MAJOR         1
#define TIDE_MINOR         1 /* what is read; a file says the least that reads it */
#define TIDE_PREAMBLE      64
#define TIDE_ENTRY_BYTES   48
#define TIDE_DIGEST        32
#define TIDE_MOST_SECTIONS 4096
#define TIDE_MOST_HEADER   ((uint32_t)16 << 20)
#define TIDE_REQUIRED_BIT  1u
#define TIDE_BYTE_MARK     0x01020304u

struct tide_section {
    char kind[9]; /* terminated */
    uint32_t flags, instance;
    uint64_t offset, size, count;
    uint32_t crc;
    int is_known;
};
/* A file whose bytes are proved to be those that were written. */
struct tide_layout {
    const uint8_t *data;
    uint64_t total;
    uint32_t header_bytes;
    uint64_t header_at;
    int n_sections;
    struct tide_section *sections;
    char sha256[65]; /* of the whole file, as sha256sum prints it */
};
struct tide_preamble {
    uint16_t major, minor, least_minor;
    uint32_t header_bytes, n_sections;
    uint64_t total;
};

extern const uint8_t tide_magic[8];
int tide_kind_is_known(const char *kind);
/* Checks the first bytes (`have` of them) of a file of `size` bytes. */
tide_status tide_check_preamble(const uint8_t *head, size_t have, uint64_t size,
                                const char *file, struct tide_preamble *out,
                                tide_error *err);
/* Checks everything that needs no JSON. `a` holds the table. */
tide_status tide_check_bytes(const uint8_t *data, size_t n, const char *file,
                             struct arena *a, struct tide_layout *out, tide_error *err);
/* Builds m (from model_new) from bytes that live in its arena, and scores its golden rows. */
tide_status tide_read_model(struct tide_ctx *ctx, tide_model *m, const uint8_t *data,
                            size_t n, const char *file, tide_error *err);
/* The bytes of a model, from the arena, 64-byte aligned. */
tide_status tide_write_model(const tide_model *m, struct arena *a, uint8_t **data,
                             size_t *n, tide_error *err);
#endif
