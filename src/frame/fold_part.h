/* fold_part.h - a problem cut by its folds */
#ifndef FRAME_FOLD_PART_H
#define FRAME_FOLD_PART_H
#include "frame/frame.h"
#include "spec/entry.h"

/* The rows of fold `which`, or of all others (inside = 0), as a problem of their own. Columns are
 * shared; the rest is from the arena. */
struct fold_part {
    struct view x;
    struct fit_data d;
    const int64_t *at; /* [x.n_rows] number of each row in the whole view */
};
tide_status fold_part(const struct fit_data *whole, const int32_t *fold, int32_t which,
                      int inside, struct arena *a, struct fold_part *out,
                      tide_error *err);
#endif
