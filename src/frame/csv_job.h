/* csv_job.h - a conversion of blocks to columns, as csv_convert.c and csv_early.c share it
 *
 * Blocks that are converted as they are read have lanes of their own, so that in each lane rows
 * stay in order. */
#ifndef FRAME_CSV_JOB_H
#define FRAME_CSV_JOB_H
#include "frame/csv.h"
#include "frame/level_set.h"

struct csv_cat; /* the levels of one column that one lane has seen */
struct csv_lane {
    struct csv_window window;
    struct arena keep, temp;
    struct csv_cat *cats; /* [n_cat] */
    uint32_t *left;       /* [most rows of a block] scratch */
    tide_status st;
    tide_error err;
};

struct csv_job {
    struct csv_lanes lanes;
    struct csv_reader *r;
    tide_frame *f;
    struct csv_lane *lane;
    int n_lanes;
    int lane0;                     /* the first lane of the pass at hand */
    int64_t cap_rows;              /* of the columns */
    const struct csv_block *views; /* blocks converted early, with text and index */
    int64_t view0;                 /* the first of them in r->blocks */
    int64_t n_placed;              /* blocks whose texts have a place */
    int n_texts;                   /* columns of texts that have places */
    struct arena_buffer sums;      /* bytes of texts, [blocks][n_texts] */
    struct level_set *joined;      /* [n_cat] */
    uint8_t *same;                 /* [n_cat] codes of lanes are those of the column */
    int n_cat;
    int *cat_col;  /* [n_cat] */
    int numbering; /* this pass numbers the lines of rows */
};

/* A conversion into columns of up to cap_rows rows; the frame is its own. */
tide_status csv_job_new(struct csv_reader *r, int n_out, int n_lanes, int64_t cap_rows,
                        struct csv_job **out, tide_error *err);
void csv_job_free(struct csv_job *t);
/* Room for a column of its type, kept when the old one fits. */
void csv_begin_column(struct csv_job *t, struct csv_column *c);
/* Empty sets of levels for the categories of a pass, in every lane. */
tide_status csv_begin_categories(struct csv_job *t, tide_error *err);
/* Runs t->lanes; the first trouble in their order. */
tide_status csv_run_lanes(struct csv_job *t, par_fn fn, tide_error *err);
/* All columns marked `todo` of a block with text and index. */
void csv_convert_block(struct csv_job *t, struct csv_lane *l,
                       const struct csv_block *b);
/* r->line_of_row of its rows. */
void csv_number_lines(const struct csv_reader *r, const struct csv_block *b);
/* Blocks of the column that were converted early have the type that it has. */
static inline int csv_is_early(const struct csv_column *c)
{
    int type = c->type == TIDE_CAT && c->long_text ? TIDE_TEXT : c->type;
    return c->early && c->early == type;
}
/* Nothing more comes early: what is left of its texts gets a place. r->early may be gone, when it
 * was too small. */
tide_status csv_early_end(struct csv_reader *r, tide_error *err);
#endif
