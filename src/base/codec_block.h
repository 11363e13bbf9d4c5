/* codec_block.h - one compressed block whose size after decompression is known, and making one */
#ifndef BASE_CODEC_BLOCK_H
#define BASE_CODEC_BLOCK_H
#include <stddef.h>

enum block_kind { BLOCK_PLAIN, BLOCK_SNAPPY, BLOCK_GZIP, BLOCK_ZSTD, BLOCK_LZ4 };
enum block_result { BLOCK_OK, BLOCK_DAMAGED, BLOCK_NOMEM };

/* What is worth keeping from one block to the next; zeroed = empty. One thread at a time. */
struct block_coder {
    void *zstd, *zstd_out;
    int level; /* of zstd; 0 = its own default */
};
void block_coder_free(struct block_coder *b);
/* Fills dst[0..n_dst) exactly: a block that gives fewer or more bytes is damaged. */
enum block_result block_decode(struct block_coder *b, enum block_kind kind,
                               const void *src, size_t n_src, void *dst, size_t n_dst);
/* Bytes that a block of n may take at most; 0 when the kind is not written or n is too large. */
size_t block_room(enum block_kind kind, size_t n);
/* Plain, gzip or zstd into dst, which has block_room's bytes. The same bytes every time. */
enum block_result block_encode(struct block_coder *b, enum block_kind kind,
                               const void *src, size_t n_src, void *dst, size_t room,
                               size_t *n_dst);
#endif
