/* screen.h - which columns can be features (private to pipe) */
#ifndef PIPE_SCREEN_H
#define PIPE_SCREEN_H
#include "pipe/pipe.h"

/* Fills p->features from the columns marked in `is_candidate` [frame columns]; p's target,
 * rows and classes must be there. Leaves out constant columns, identifiers and free text,
 * and says so; warns of columns that give the target away. Errors: data-no-features. */
tide_status screen_features(struct tide_ctx *ctx, struct problem *p,
                            const uint8_t *is_candidate, tide_error *err);
#endif
