/* codec.h - gzip and zstd streams (zlib, libzstd), by magic bytes, with an expansion limit */
#ifndef BASE_CODEC_H
#define BASE_CODEC_H
#include <stddef.h>
#include <stdint.h>

#include <tidemill/status.h>

enum codec_kind { CODEC_PLAIN, CODEC_GZIP, CODEC_ZSTD };
enum codec_kind codec_sniff(const void *head, size_t n);

struct codec; /* one decompressing stream over a file descriptor */
/* Takes over fd. head/n_head: bytes already read from it. max_ratio 1000 once 64 MiB are out. */
tide_status codec_open(int fd, const char *path, const void *head, size_t n_head,
                       double max_ratio, struct codec **out, tide_error *err);
/* Fills buf; *got < n only at the end. Errors: csv-compressed with byte offset, limit-expand. */
tide_status codec_read(struct codec *c, void *buf, size_t n, size_t *got,
                       tide_error *err);
int64_t codec_consumed(const struct codec *c); /* bytes of the file read so far */
void codec_close(struct codec *c);             /* NULL is a no-op; closes fd */
#endif
