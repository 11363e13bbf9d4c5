/* partition.c - a node's rows to its children, stable, in place (trees.md 5, step 3)
 *
 * Small: one pass, left side in place, right side aside and copied behind it. Large: each chunk
 * of 16,384 rows is split aside by itself, then its two runs go where the counts before them
 * say: the same ids for any order of the threads. */
#include <string.h>

#include "base/par.h"
#include "learners/tree/grow.h"

#define PART_TASK    16384
#define PART_PAR_MIN 65536
#define PART_CHUNKS  4096

struct part_job {
    struct grow *g;
    const uint8_t *column;
    uint8_t left[256];
    uint32_t *ids;
    int64_t n;
    int64_t *at_left, *at_right; /* per chunk: count, then place */
};

static int64_t chunk_n(const struct part_job *job, int64_t c)
{
    int64_t rest = job->n - c * PART_TASK;
    return rest < PART_TASK ? rest : PART_TASK;
}

static void part_split(void *arg, int64_t c, int worker)
{
    struct part_job *job = arg;
    int64_t i = c * PART_TASK;
    (void)worker;
    job->at_left[c] =
        job->g->simd->tree_part(job->column, job->ids + i, chunk_n(job, c), job->left,
                                job->g->aside + i, job->g->aside2 + i);
}

static void part_place(void *arg, int64_t c, int worker)
{
    struct part_job *job = arg;
    int64_t i = c * PART_TASK, m = chunk_n(job, c);
    int64_t l = job->at_left[c + 1] - job->at_left[c], r = m - l;
    int64_t total = job->at_right[0];
    int64_t right = total + i - job->at_left[c];
    (void)worker;
    memcpy(job->ids + job->at_left[c], job->g->aside + i, (size_t)l * sizeof *job->ids);
    memcpy(job->ids + right, job->g->aside2 + i, (size_t)r * sizeof *job->ids);
}

tide_status part_rows(struct grow *g, const struct bin_codes *codes,
                      const struct grow_split *s, uint32_t *ids, int64_t n,
                      int64_t *n_left, tide_error *err)
{
    struct part_job job = {.g = g, .column = codes->plane[s->lane], .ids = ids, .n = n};
    int64_t chunks = (n + PART_TASK - 1) / PART_TASK, at[PART_CHUNKS / 4 + 1];
    split_table(s, job.left);
    if (n < PART_PAR_MIN || chunks > PART_CHUNKS / 4 || !g->aside2) {
        int64_t l = g->simd->tree_part(job.column, ids, n, job.left, ids, g->aside);
        memcpy(ids + l, g->aside, (size_t)(n - l) * sizeof *ids);
        *n_left = l;
        return TIDE_OK;
    }
    job.at_left = at;
    tide_status status = par_for(g->ctx, chunks, part_split, &job, err);
    if (status) return status;
    int64_t sum = 0;
    for (int64_t c = 0; c < chunks; c++) {
        int64_t here = at[c];
        at[c] = sum;
        sum += here;
    }
    at[chunks] = sum;
    job.at_right = &sum;
    *n_left = sum;
    return par_for(g->ctx, chunks, part_place, &job, err);
}
