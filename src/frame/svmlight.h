/* svmlight.h - SVMlight for tests and fuzzing: a table from memory */
#ifndef FRAME_SVMLIGHT_H
#define FRAME_SVMLIGHT_H
#include "frame/frame.h"

/* data NULL: the file. */
tide_status svmlight_read_table(struct tide_ctx *ctx, const char *path,
                                const char *data, size_t n_data,
                                const struct tide_read_options *options,
                                tide_frame **out, tide_error *err);
#endif
