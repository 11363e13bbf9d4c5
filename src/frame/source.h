/* source.h - what readers share: whose a file is, and which options a format knows */
#ifndef FRAME_SOURCE_H
#define FRAME_SOURCE_H
#include "frame/frame.h"

struct tide_reader;

/* The reader whose ending (less .gz and .zst) the path has, or NULL. */
const struct tide_reader *reader_of_ending(const char *path);

/* Options that a format has a meaning for. columns, inf and the limits every reader takes. */
enum {
    READER_MARKS = 1, /* delim decimal thousands comment quote header */
    READER_NA = 2,
    READER_TYPES = 4,
    READER_ON_BAD = 8
};
/* param-conflict when an option is set that is not among `takes`. */
tide_status reader_refuse(const struct tide_reader *reader,
                          const struct tide_read_options *options, unsigned takes,
                          tide_error *err);
#endif
