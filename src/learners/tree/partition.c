/* partition.c - a node's rows to its children, stable, in place (trees.md 5, step 3)
 *
 * Alone: one pass, left side in place, right side aside and copied behind it. Together: each
 * chunk of 16,384 rows is split aside by itself, then its two runs go where the counts before
 * them say: the same ids for any order of the threads. A node uses the part of the room aside
 * that its rows have in ids, so nodes may be split at the same time. */
#include <string.h>

#include "learners/tree/bundle.h"
#include "learners/tree/grow.h"

#define PART_TASK    16384
#define PART_PAR_MIN 32768
#define PART_CHUNKS  1024 /* chunks grow where there would be more */

struct part_job {
    struct grow *g;
    const uint8_t *column;
    uint8_t left[256];
    uint32_t *ids, *aside, *aside2;
    int64_t n, chunk;
    int64_t at[PART_CHUNKS + 1]; /* per chunk: count on the left, then its place */
};

int64_t part_alone(const struct grow *g, const struct grow_node *node)
{
    uint8_t left[256];
    uint32_t *ids = g->ids + node->beg, *aside = g->aside + node->beg;
    split_table(&node->split, left);
    const uint8_t *column = bundle_table(g->codes, node->split.lane, left);
    int64_t n = node->n, l = g->simd->tree_part(column, ids, n, left, ids, aside);
    memcpy(ids + l, aside, (size_t)(n - l) * sizeof *ids);
    return l;
}

static int64_t chunk_n(const struct part_job *job, int64_t c)
{
    int64_t rest = job->n - c * job->chunk;
    return rest < job->chunk ? rest : job->chunk;
}

static void part_split(void *arg, int64_t c, int member)
{
    struct part_job *job = arg;
    int64_t i = c * job->chunk;
    (void)member;
    job->at[c] = job->g->simd->tree_part(job->column, job->ids + i, chunk_n(job, c),
                                         job->left, job->aside + i, job->aside2 + i);
}

static void part_place(void *arg, int64_t c, int member)
{
    struct part_job *job = arg;
    int64_t i = c * job->chunk, total = job->at[(job->n + job->chunk - 1) / job->chunk];
    int64_t l = job->at[c + 1] - job->at[c], r = chunk_n(job, c) - l;
    (void)member;
    memcpy(job->ids + job->at[c], job->aside + i, (size_t)l * sizeof *job->ids);
    memcpy(job->ids + total + i - job->at[c], job->aside2 + i,
           (size_t)r * sizeof *job->ids);
}

int64_t part_together(struct grow *g, const struct grow_node *node)
{
    struct part_job job = {
        .g = g, .ids = g->ids + node->beg, .n = node->n, .chunk = PART_TASK};
    if (job.n < PART_PAR_MIN || g->members == 1 || !g->aside2)
        return part_alone(g, node);
    while (job.n > job.chunk * PART_CHUNKS) job.chunk *= 2;
    job.aside = g->aside + node->beg;
    job.aside2 = g->aside2 + node->beg;
    split_table(&node->split, job.left);
    job.column = bundle_table(g->codes, node->split.lane, job.left);
    int64_t chunks = (job.n + job.chunk - 1) / job.chunk, sum = 0;
    grow_phase(g, chunks, part_split, &job);
    for (int64_t c = 0; c < chunks; c++) {
        int64_t here = job.at[c];
        job.at[c] = sum;
        sum += here;
    }
    job.at[chunks] = sum;
    grow_phase(g, chunks, part_place, &job);
    return sum;
}
