/* codec_block.h - one compressed block whose size after decompression is known */
#ifndef BASE_CODEC_BLOCK_H
#define BASE_CODEC_BLOCK_H
#include <stddef.h>

enum block_kind { BLOCK_PLAIN, BLOCK_SNAPPY, BLOCK_GZIP, BLOCK_ZSTD, BLOCK_LZ4 };
enum block_result { BLOCK_OK, BLOCK_DAMAGED, BLOCK_NOMEM };

/* What is worth keeping from one block to the next; zeroed = empty. One thread at a time. */
struct block_coder {
    void *zstd;
};
void block_coder_free(struct block_coder *b);
/* Fills dst[0..n_dst) exactly: a block that gives fewer or more bytes is damaged. */
enum block_result block_decode(struct block_coder *b, enum block_kind kind,
                               const void *src, size_t n_src, void *dst, size_t n_dst);
#endif
