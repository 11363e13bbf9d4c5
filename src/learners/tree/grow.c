/* grow.c - best-first growth of one tree (trees.md 5)
 *
 * The leaf of largest gain (level_wise: of least depth, then of largest gain) is split next (ties: the lower node) until leaves, depth or min_gain
 * stop it. The smaller child's histogram is built from its rows, the larger child's is the
 * parent's less that. No histogram where a child cannot be split any more.
 *
 * Threads  one crew a tree. A large leaf, and one that is alone in the queue, is split by all
 *          members in phases: partition by chunks, histogram by chunks or by lanes, then meet,
 *          subtract and scan by lanes. Smaller leaves are split side by side: a member takes the
 *          next one of the queue that nobody has begun with, before it is its turn: the children
 *          wait (`kids`) until the leaf is the best of all, or are dropped with the tree. So the
 *          tree is the one of strict order, for any number of threads.
 * Guide  Q10
 */
#include "learners/tree/grow.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/par.h"
#include "learners/tree/bundle.h"

tide_status grow_new(struct tide_ctx *ctx, const struct bin_cuts *cuts,
                     const struct bin_codes *codes, const struct grow_rules *rules,
                     int64_t n_max, int threads, struct arena *a, struct grow **out,
                     tide_error *err)
{
    struct grow *g = arena_zero(a, sizeof *g);
    *out = NULL;
    if (!g) return arena_status(a, err);
    *g = (struct grow){.ctx = ctx,
                       .cuts = cuts,
                       .codes = codes,
                       .simd = simd_get(ctx),
                       .draw = {.level = 1, .node = 1},
                       .rules = *rules};
    if (g->rules.depth <= 0 || g->rules.depth > ENSEMBLE_DEPTH_MAX)
        g->rules.depth = ENSEMBLE_DEPTH_MAX;
    if (g->rules.leaves > n_max) g->rules.leaves = n_max > 1 ? (int32_t)n_max : 1;
    g->ids = arena_array(a, n_max + 64, sizeof *g->ids);
    g->aside = arena_array(a, n_max + 64, sizeof *g->aside);
    g->threads = g->team = threads;
    if (threads > 1) g->aside2 = arena_array(a, n_max + 64, sizeof *g->aside2);
    if (g->rules.outputs > 1) g->vector = vector_new(g, threads, a);
    g->pool = hist_pool_new(ctx, codes, g->simd, threads, n_max,
                            g->vector ? vector_cells(g->rules.outputs) : 1, a);
    g->node = arena_array(a, 2 * (int64_t)g->rules.leaves + 2, sizeof *g->node);
    g->heap = arena_array(a, (int64_t)g->rules.leaves + 2, sizeof *g->heap);
    g->gains = arena_array(a, (int64_t)g->rules.leaves + 2, sizeof *g->gains);
    int32_t waiting = threads > 1 ? g->rules.leaves : 1;
    g->kids = arena_array(a, waiting + 1, sizeof *g->kids);
    g->free_kids = arena_array(a, waiting + 1, sizeof *g->free_kids);
    g->room = arena_zero(a, (size_t)(threads + 2) * sizeof *g->room);
    for (int i = 0; g->room && i < threads + 2; i++) {
        g->room[i].best = arena_array(a, codes->n_lanes + 1, sizeof *g->room[i].best);
        g->room[i].exact = arena_array(a, codes->n_lanes + 1, 1);
    }
    if (g->rules.symmetric) g->symmetric = symmetric_new(g, a);
    tide_status status = arena_status(a, err);
    if (!status) *out = g;
    return status;
}

/* Does node a come out of the queue before node b? */
static int goes_first(const struct grow *g, int32_t a, int32_t b)
{
    double ga = g->node[a].split.gain, gb = g->node[b].split.gain;
    if (g->rules.level_wise && g->node[a].depth != g->node[b].depth)
        return g->node[a].depth < g->node[b].depth;
    return ga > gb || (ga == gb && a < b);
}

static void heap_push(struct grow *g, int32_t v)
{
    int32_t i = g->n_heap++;
    for (; i > 0 && goes_first(g, v, g->heap[(i - 1) / 2]); i = (i - 1) / 2)
        g->heap[i] = g->heap[(i - 1) / 2];
    g->heap[i] = v;
}

static int32_t heap_pop(struct grow *g)
{
    int32_t top = g->heap[0], v = g->heap[--g->n_heap], i = 0;
    for (;;) {
        int32_t k = 2 * i + 1;
        if (k >= g->n_heap) break;
        if (k + 1 < g->n_heap && goes_first(g, g->heap[k + 1], g->heap[k])) k++;
        if (goes_first(g, v, g->heap[k])) break;
        g->heap[i] = g->heap[k];
        i = k;
    }
    g->heap[i] = v;
    return top;
}

#define GAINS_MOST 4096 /* leaves from which keeping them in order may take long */

/* A leaf that can be split joins the queue. g->gains are the best of the queue, at most as many as
 * there are leaves to come: any other split is made after all of them, so never. */
static void queue(struct grow *g, int32_t v)
{
    double gain = g->node[v].split.gain;
    int32_t i = g->n_gains, most = g->rules.leaves - g->n_leaves;
    heap_push(g, v);
    if (g->rules.level_wise || g->rules.leaves > GAINS_MOST) return;
    if (i >= most) {
        i = most - 1;
        if (i < 0 || gain <= g->gains[i]) return;
    }
    for (; i > 0 && g->gains[i - 1] < gain; i--) g->gains[i] = g->gains[i - 1];
    g->gains[i] = gain;
    if (g->n_gains < most) g->n_gains++;
}

/* What a split must gain to be made. */
static double useful_gain(const struct grow *g)
{
    int32_t most = g->rules.leaves - g->n_leaves;
    return most > 0 && g->n_gains >= most ? g->gains[most - 1] : 0;
}

/* The best leaf is split. */
static int32_t dequeue(struct grow *g)
{
    if (g->n_gains > 0)
        memmove(g->gains, g->gains + 1, (size_t)--g->n_gains * sizeof *g->gains);
    return heap_pop(g);
}

/* May this node be split at all, by what is known before its histogram? */
static int can_split(const struct grow *g, const struct grow_grad *grad,
                     const struct grow_node *q)
{
    return q->depth < g->rules.depth && q->n >= 2 &&
           (int64_t)q->n >= 2 * g->rules.min_rows &&
           (double)q->h * grad->h_unit >= 2 * g->rules.min_hessian;
}

static int is_wide(const struct grow_grad *grad, const struct grow_node *q)
{
    return grad->fine_g != NULL || q->n > HIST_PACKED_ROWS;
}

void grow_phase(struct grow *g, int64_t n_tasks, par_fn fn, void *arg)
{
    crew_phase(g->crew, n_tasks, fn, arg);
}

/* Is no leaf split after the next one? */
static int is_last(const struct grow *g)
{
    return g->n_leaves + 1 >= g->rules.leaves;
}

/* What the queue says of a leaf's children when it is begun with; the queue moves on meanwhile. */
struct prospect {
    int is_last;
    double useful; /* what a split must gain to be made */
};
static struct prospect prospect_of(const struct grow *g)
{
    return (struct prospect){is_last(g), useful_gain(g)};
}

/* The rows of both children are known: makes them, and says which can be split and which is
 * the smaller one. */
struct plan {
    struct grow_node *kid; /* [2] */
    int small;
    int need[2];
};
static struct plan kids_plan(const struct grow *g, const struct grow_node *p,
                             int64_t n_left, struct prospect when,
                             struct grow_node kid[2])
{
    struct plan plan = {.kid = kid};
    uint16_t depth = (uint16_t)(p->depth + 1);
    assert(n_left > 0 && n_left < (int64_t)p->n);
    kid[0] = (struct grow_node){.beg = p->beg,
                                .n = (uint32_t)n_left,
                                .depth = depth,
                                .kids = -1,
                                .left = -1,
                                .right = -1,
                                .g = p->split.g,
                                .h = p->split.h};
    kid[1] = (struct grow_node){.beg = p->beg + (uint32_t)n_left,
                                .n = p->n - (uint32_t)n_left,
                                .depth = depth,
                                .kids = -1,
                                .left = -1,
                                .right = -1,
                                .g = p->g - p->split.g,
                                .h = p->h - p->split.h};
    split_pass_on(g, g->grad, p, kid);
    plan.small = kid[0].n > kid[1].n;
    for (int i = 0; i < 2; i++) {
        kid[i].wide = (uint8_t)is_wide(g->grad, &kid[i]);
        kid[i].first = p->split.lane;
        kid[i].useful = when.useful;
        plan.need[i] = !when.is_last && can_split(g, g->grad, &kid[i]);
    }
    return plan;
}

/* Are the cells of a node and of its children alike, so that nothing but one histogram for the
 * smaller child is needed? */
static int is_small(const struct grow_node *p)
{
    return p->n <= HIST_PACKED_ROWS;
}

/* One member splits one small node; kids[..][0].hist holds the histogram to be filled. */
static void prepare_alone(struct grow *g, int32_t at, struct prospect when, int member)
{
    struct grow_node *p = &g->node[at], *kid = g->kids[p->kids];
    uint64_t *fresh = kid[0].hist;
    struct split_room *room = &g->room[member];
    int32_t planes = g->codes->n_planes;
    struct plan plan = kids_plan(g, p, part_alone(g, p), when, kid);
    struct grow_node *s = &kid[plan.small], *l = &kid[!plan.small];
    s->hist = fresh;
    if (plan.need[0] || plan.need[1])
        hist_alone(g->pool, member, g->grad, g->ids + s->beg, s->n, s->wide, s->hist);
    if (plan.need[!plan.small]) {
        for (int32_t i = 0; i < planes; i++)
            hist_subtract(g, i, p->hist, p->wide, s->hist, s->wide, NULL);
        l->hist = p->hist;
        p->hist = NULL;
    }
    for (int i = 0; i < 2; i++) {
        if (!plan.need[i]) continue;
        split_lanes(g, g->grad, &kid[i], 0, planes, room);
        split_choose(g, g->grad, g->ids + kid[i].beg, &kid[i], room);
    }
}

/* Byte columns of two children at once: histograms and splits. */
#define LANE_TASK 4
static int32_t lanes_a_task(const struct grow *g)
{
    return g->codes->bundles ? 1 : LANE_TASK;
}

/* How the members share a histogram: the rows, into one each, which then meet, or lanes of all rows.
 * These find the rows' lines twice, but nothing is added up. */
#define BY_ROWS_LEAST 8192

static int is_by_lanes(const struct grow *g, const struct grow_node *q)
{
    return g->members > 1 && !q->wide && q->n < BY_ROWS_LEAST &&
           hist_has_ranges(g->pool);
}

/* As many lanes for each member. */
static int32_t lanes_a_member(const struct grow *g)
{
    int32_t n = (g->codes->n_planes + g->members - 1) / g->members;
    return n > LANE_TASK ? n : LANE_TASK;
}

#define TOGETHER_LEAST 4096 /* rows from which all members fill one histogram */

struct lane_job {
    struct grow *g;
    struct plan plan;
    uint64_t *parent;
    int parent_wide, is_together, is_by_lanes;
    int32_t a_task; /* lanes */
};

static void lane_task(void *arg, int64_t task, int member)
{
    struct lane_job *job = arg;
    struct grow *g = job->g;
    struct grow_node *s = &job->plan.kid[job->plan.small],
                     *l = &job->plan.kid[!job->plan.small];
    int32_t first = (int32_t)task * job->a_task, n = g->codes->n_planes - first;
    (void)member;
    if (n > job->a_task) n = job->a_task;
    if (job->is_by_lanes)
        hist_range(g->pool, g->grad, g->ids + s->beg, s->n, first, n, s->hist);
    for (int32_t i = first; i < first + n; i++) {
        if (job->is_together) hist_meet(g->pool, i, s->wide, s->hist);
        if (job->plan.need[!job->plan.small])
            hist_subtract(g, i, job->parent, job->parent_wide, s->hist, s->wide,
                          l->hist == job->parent ? NULL : l->hist);
    }
    for (int i = 0; i < 2; i++)
        if (job->plan.need[i])
            split_lanes(g, g->grad, &job->plan.kid[i], first, n,
                        &g->room[g->threads + i]);
}

/* The whole crew splits one node. */
static void prepare_together(struct grow *g, int32_t at)
{
    struct grow_node *p = &g->node[at], *kid = g->kids[p->kids];
    struct lane_job job = {.g = g, .parent = p->hist, .parent_wide = p->wide};
    uint64_t *fresh = kid[0].hist;
    struct plan plan = job.plan =
        kids_plan(g, p, part_together(g, p), prospect_of(g), kid);
    struct grow_node *s = &kid[plan.small], *l = &kid[!plan.small];
    s->hist = fresh;
    if (g->vector) vector_left(g, p, kid);
    if (!plan.need[0] && !plan.need[1]) return;
    if (!s->hist) s->hist = hist_take(g->pool, s->wide);
    if (plan.need[!plan.small]) {
        l->hist = p->wide == l->wide ? p->hist : hist_take(g->pool, l->wide);
        if (l->hist == p->hist) p->hist = NULL;
    }
    if (!s->hist || (plan.need[!plan.small] && !l->hist)) {
        g->status = hist_refused(g->pool, NULL);
        return;
    }
    if (g->vector) {
        vector_kids(g, kid, plan.small, plan.need, job.parent, job.parent_wide);
        return;
    }
    job.is_by_lanes = is_by_lanes(g, s);
    job.is_together = !job.is_by_lanes && g->members > 1 && s->n >= TOGETHER_LEAST;
    job.a_task = job.is_by_lanes ? lanes_a_member(g) : lanes_a_task(g);
    if (job.is_together)
        hist_together(g, g->ids + s->beg, s->n);
    else if (!job.is_by_lanes)
        hist_alone(g->pool, 0, g->grad, g->ids + s->beg, s->n, s->wide, s->hist);
    grow_phase(g, (g->codes->n_planes + job.a_task - 1) / job.a_task, lane_task, &job);
    for (int i = 0; i < 2; i++)
        if (plan.need[i])
            split_choose(g, g->grad, g->ids + kid[i].beg, &kid[i],
                         &g->room[g->threads + i]);
}

/* A place for the children of a node, and for a small one the histogram it needs. */
static void kids_open(struct grow *g, int32_t at)
{
    struct grow_node *p = &g->node[at];
    p->kids = g->free_kids[--g->n_free_kids];
    g->kids[p->kids][0] = g->kids[p->kids][1] = (struct grow_node){.kids = -1};
    if (!is_small(p) || is_last(g)) return;
    g->kids[p->kids][0].hist = hist_take(g->pool, p->wide);
    if (!g->kids[p->kids][0].hist) g->status = hist_refused(g->pool, NULL);
}

/* Gives back what the children do not need. */
static void kids_settle(struct grow *g, int32_t at)
{
    struct grow_node *p = &g->node[at];
    hist_give(g->pool, p->hist, p->wide);
    p->hist = NULL;
    for (int i = 0; i < 2; i++) {
        struct grow_node *q = &g->kids[p->kids][i];
        if (q->split.gain > q->useful) continue;
        q->split.gain = 0; /* it will not be made */
        hist_give(g->pool, q->hist, q->wide);
        q->hist = NULL;
    }
}

#define FRONTIER      64
#define TOGETHER_ROWS 32768 /* from here a leaf is the work of all */
#define LANES_LEAST   128 /* and from here its scans, when there is no other to split */

/* Splits the first leaf of the queue. */
static void prepare(struct grow *g)
{
    int32_t top = g->heap[0];
    const struct grow_node *p = &g->node[top];
    kids_open(g, top);
    if (g->status) return;
    if (!g->vector && (g->members == 1 ? is_small(p) : p->n < LANES_LEAST))
        prepare_alone(g, top, prospect_of(g), 0);
    else
        prepare_together(g, top);
    if (!g->status) kids_settle(g, top);
}

/* The children of a leaf become nodes. */
static void accept(struct grow *g, int32_t at)
{
    struct grow_node *p = &g->node[at];
    const struct grow_node *kid = g->kids[p->kids];
    p->left = g->n_nodes;
    p->right = g->n_nodes + 1;
    g->n_leaves++;
    for (int i = 0; i < 2; i++) {
        g->node[g->n_nodes] = kid[i];
        if (kid[i].split.gain > 0) queue(g, g->n_nodes);
        g->n_nodes++;
    }
    g->free_kids[g->n_free_kids++] = p->kids;
    p->kids = -1;
}

/* And those of the next ones, as long as they are there. */
static void accept_ready(struct grow *g)
{
    while (g->n_heap && g->n_leaves < g->rules.leaves) {
        const struct grow_node *top = &g->node[g->heap[0]];
        if (top->kids < 0 || top->at_work) return;
        accept(g, dequeue(g));
    }
}

#ifndef NDEBUG
/* A node's histogram adds up to the node: in every byte column of the root, in one of the others,
 * another one each time. All columns of all nodes took a quarter of the time on small data. */
static int adds_up(const struct grow *g, int32_t at)
{
    const struct grow_node *q = &g->node[at];
    int32_t first = at ? at % g->codes->n_planes : 0;
    int32_t end = at ? first + 1 : g->codes->n_planes;
    for (int32_t l = first; q->hist && l < end; l++) {
        if (g->vector && !vector_adds_up(g, q, l)) return 0;
        if (g->vector) continue;
        int64_t sum_g = 0, sum_h = 0;
        hist_total(q->hist + (q->wide ? 512 : 256) * (size_t)l, q->wide,
                   bundle_codes(g->codes, g->cuts, l), &sum_g, &sum_h);
        if (sum_g != q->g || sum_h != q->h) return 0;
    }
    return 1;
}
#endif

/* ---- leaves side by side ---- */

struct race {
    struct grow *g;
    struct par_gate gate; /* at all but the rows and cells of leaves at work */
    int n_at_work;
};

/* Is there nothing that one member can do beside another? */
static int race_is_over(const struct race *r)
{
    const struct grow *g = r->g;
    if (g->status || crew_cancelled(g->crew) || !g->n_heap || is_last(g)) return 1;
    if (g->n_heap == 1 && !r->n_at_work) return 1;
    const struct grow_node *top = &g->node[g->heap[0]];
    return top->kids < 0 && top->n >= TOGETHER_ROWS;
}

/* The next leaf of the queue that nobody has begun with, as long as it is likely to be split: its
 * rank is at most half of what may still be, or it is next. -1: none. */
static int32_t race_pick(const struct grow *g)
{
    int32_t best = -1, before = 0, rank = (g->rules.leaves - g->n_leaves) / 2;
    if (rank < 2) rank = 2;
    if (rank > FRONTIER) rank = FRONTIER;
    for (int32_t i = 0; i < g->n_heap; i++) {
        int32_t at = g->heap[i];
        if (g->node[at].kids < 0 && is_small(&g->node[at]) &&
            (best < 0 || goes_first(g, at, best)))
            best = at;
    }
    for (int32_t i = 0; i < g->n_heap && best >= 0; i++)
        before += goes_first(g, g->heap[i], best);
    return before < rank ? best : -1;
}

/* Splits leaves until the race is over. */
static void race_task(void *arg, int64_t task, int member)
{
    struct race *r = arg;
    struct grow *g = r->g;
    (void)task;
    par_gate_enter(&r->gate);
    while (!race_is_over(r)) {
        int32_t at = race_pick(g);
        if (at < 0) { /* the first one at least is at work */
            par_gate_wait(&r->gate);
            continue;
        }
        assert(adds_up(g, at));
        kids_open(g, at);
        if (g->status) break;
        struct prospect when = prospect_of(g);
        g->node[at].at_work = 1;
        r->n_at_work++;
        par_gate_leave(&r->gate);
        prepare_alone(g, at, when, member);
        par_gate_enter(&r->gate);
        g->node[at].at_work = 0;
        r->n_at_work--;
        kids_settle(g, at);
        accept_ready(g);
        par_gate_tell(&r->gate);
    }
    par_gate_tell(&r->gate);
    par_gate_leave(&r->gate);
}

struct root_job {
    struct grow *g;
    const uint32_t *ids;
    int is_together, is_by_lanes;
    int32_t a_task; /* lanes */
};

static void node_total(const struct grow *g, struct grow_node *q, int32_t plane)
{
    size_t at = (q->wide ? 512 : 256) * (size_t)plane;
    hist_total(q->hist + at, q->wide, bundle_codes(g->codes, g->cuts, plane), &q->g,
               &q->h);
}

/* Some byte columns of the root: cells, then splits; the root's totals are those of any column. */
static void root_task(void *arg, int64_t task, int member)
{
    struct root_job *job = arg;
    struct grow *g = job->g;
    struct grow_node q = g->node[0];
    int32_t first = (int32_t)task * job->a_task, n = g->codes->n_planes - first;
    (void)member;
    if (n > job->a_task) n = job->a_task;
    if (job->is_by_lanes) hist_range(g->pool, g->grad, job->ids, q.n, first, n, q.hist);
    for (int32_t i = first; job->is_together && i < first + n; i++)
        hist_meet(g->pool, i, q.wide, q.hist);
    if (g->rules.symmetric) return;
    node_total(g, &q, first);
    split_lanes(g, g->grad, &q, first, n, &g->room[g->threads]);
}

/* Histogram, totals and split of the root. All rows of the codes: read in order, without ids. */
static void grow_root(struct grow *g)
{
    struct grow_node *q = &g->node[0];
    struct root_job job = {.g = g};
    job.ids = (int64_t)q->n == g->codes->n_rows ? NULL : g->ids;
    q->wide = (uint8_t)is_wide(g->grad, q);
    q->hist = hist_take(g->pool, q->wide);
    if (!q->hist) {
        g->status = hist_refused(g->pool, NULL);
        return;
    }
    if (g->vector) {
        vector_root_sums(g);
    } else {
        job.is_by_lanes = is_by_lanes(g, q);
        job.is_together = !job.is_by_lanes && g->members > 1 && q->n >= TOGETHER_LEAST;
        job.a_task = job.is_by_lanes ? lanes_a_member(g) : lanes_a_task(g);
        if (job.is_together)
            hist_together(g, job.ids, q->n);
        else if (!job.is_by_lanes)
            hist_alone(g->pool, 0, g->grad, job.ids, q->n, q->wide, q->hist);
        grow_phase(g, (g->codes->n_planes + job.a_task - 1) / job.a_task, root_task,
                   &job);
        node_total(g, q, 0);
    }
    if (g->rules.symmetric) return;
    if (g->rules.leaves < 2 || !can_split(g, g->grad, q)) return;
    if (g->vector)
        vector_root_split(g);
    else
        split_choose(g, g->grad, g->ids, q, &g->room[g->threads]);
    if (q->split.gain > 0) queue(g, 0);
}

static void grow_lead(struct par_crew *crew, void *arg)
{
    struct grow *g = arg;
    g->crew = crew;
    grow_root(g);
    if (g->rules.symmetric && !g->status) grow_symmetric(g);
    while (g->n_heap && g->n_leaves < g->rules.leaves && !g->status) {
        struct race race = {.g = g};
        if (crew_cancelled(crew)) break;
        if (g->members > 1 && !g->vector && !race_is_over(&race)) {
            grow_phase(g, g->members, race_task, &race);
        } else {
            assert(adds_up(g, g->heap[0]));
            prepare(g);
        }
        if (!g->status && !crew_cancelled(crew)) accept_ready(g);
    }
    g->crew = NULL;
}

/* Histograms of leaves and of children that waited in vain. */
static void grow_clear(struct grow *g)
{
    for (int32_t i = 0; i < g->n_nodes; i++) {
        struct grow_node *q = &g->node[i];
        for (int k = 0; k < 2 && q->kids >= 0; k++)
            hist_give(g->pool, g->kids[q->kids][k].hist, g->kids[q->kids][k].wide);
        hist_give(g->pool, q->hist, q->wide);
        q->hist = NULL;
        q->kids = -1;
    }
}

#define TEAM_USED 0.7      /* share of the members' time below which one leaves */
#define TEAM_GOOD 8        /* trees after which one comes back */
#define TEAM_LOOK 40000000 /* ns that are judged at least */

/* The next tree's team, by how much processor time the members of the last ones got: beside busy
 * neighbours a second member waits more than it helps. The kernel counts the time of threads that
 * run at the moment by its ticks, of 4 or 10 ms each: one small tree says nothing. No result
 * depends on it. */
static void team_learn(struct grow *g, int64_t wall_ns, int64_t cpu_ns)
{
    if (g->threads == 1) return;
    g->seen_trees++;
    g->seen_ns += wall_ns;
    g->seen_cpu_ns += cpu_ns;
    if (g->seen_ns < TEAM_LOOK) return;
    if ((double)g->seen_cpu_ns < TEAM_USED * (double)g->seen_ns * g->members) {
        g->n_good = 0;
        if (g->team > 1) g->team--;
    } else if ((g->n_good += g->seen_trees) >= TEAM_GOOD) {
        g->n_good = 0;
        if (g->team < g->threads) g->team++;
    }
    g->seen_trees = 0;
    g->seen_ns = g->seen_cpu_ns = 0;
}

#define TRIAL_ROWS  65536 /* below, waking a team may take longer than it saves */
#define TRIAL_TREES 4     /* grown by the team, then as many by one member */
#define TRIAL_AGAIN 128   /* trees from one trial to the next */

/* Members for a tree of n rows. Of small trees the first ones are timed with the team and without:
 * what a thread's waking costs is the machine's business. No result depends on it. */
static int team_for(const struct grow *g, int64_t n)
{
    if (n < TOGETHER_LEAST) return 1;
    if (n >= TRIAL_ROWS || g->n_tried < TRIAL_TREES) return g->team;
    if (g->n_tried < 2 * TRIAL_TREES) return 1;
    return g->tried_ns[0] < g->tried_ns[1] ? 1 : g->team;
}

static void team_time(struct grow *g, int64_t wall_ns)
{
    int team = g->n_tried < TRIAL_TREES;
    if (g->n_tried < 2 * TRIAL_TREES) {
        int64_t before = g->n_tried % TRIAL_TREES ? g->tried_ns[team] : 0;
        g->tried_ns[team] = before + wall_ns;
    }
    if (++g->n_tried == TRIAL_AGAIN) g->n_tried = 0;
}

double grow_noise(const struct grow_grad *grad, const uint32_t *ids, int64_t n)
{
    uint64_t low = 0, high = 0, h = 0; /* squares of 62 bits, in halves */
    for (int64_t j = 0; j < n; j++) {
        uint32_t i = ids[j], packed = grad->packed[i];
        int64_t g = grad->fine_g ? grad->fine_g[i] : (int16_t)(packed >> 16);
        uint64_t square = (uint64_t)(g * g);
        low += square & UINT32_MAX;
        high += square >> 32;
        h += grad->h_is_count ? 1 : grad->fine_g ? grad->fine_h[i] : packed & 65535;
    }
    double sum = ((double)high * 0x1p32 + (double)low) * grad->g_unit * grad->g_unit;
    return h > 0 ? sum / ((double)h * grad->h_unit) : 0;
}

/* Does some column have a use for the noise? */
static int has_sorted_sets(const struct grow *g)
{
    for (int32_t l = 0; l < g->codes->n_lanes; l++) {
        const struct bin_feature *f = &g->cuts->feature[g->cuts->lane_feature[l]];
        if (split_by_set(g, f) && split_by_order(g, f)) return 1;
    }
    return 0;
}

tide_status grow_tree(struct grow *g, const struct grow_grad *grad,
                      const uint32_t *rows, int64_t n, tide_error *err)
{
    int32_t waiting = g->threads > 1 ? g->rules.leaves : 1;
    memcpy(g->ids, rows, (size_t)n * sizeof *rows);
    g->n_nodes = g->n_leaves = 1;
    g->n_heap = g->n_gains = 0;
    g->grad = grad;
    g->status = TIDE_OK;
    for (g->n_free_kids = 0; g->n_free_kids < waiting; g->n_free_kids++)
        g->free_kids[g->n_free_kids] = g->n_free_kids;
    g->node[0] = (struct grow_node){.n = (uint32_t)n,
                                    .kids = -1,
                                    .left = -1,
                                    .right = -1,
                                    .first = -1,
                                    .lo = -(double)INFINITY,
                                    .hi = (double)INFINITY,
                                    .groups = UINT64_MAX,
                                    .alone = -1};
    if (g->vector) vector_no_sums(g);
    if (g->codes->n_lanes == 0 || n == 0) return TIDE_OK;
    g->noise = !g->vector && has_sorted_sets(g) ? grow_noise(grad, g->ids, n) : 0;
    g->members = team_for(g, n);
    int64_t wall = clock_ns(), cpu = clock_cpu_ns();
    tide_status status = par_crew(g->ctx, g->members, grow_lead, g, err);
    wall = clock_ns() - wall;
    if (n >= TOGETHER_LEAST && n < TRIAL_ROWS) team_time(g, wall);
    if (n >= TRIAL_ROWS) team_learn(g, wall, clock_cpu_ns() - cpu);
    if (!status && g->status) status = hist_refused(g->pool, err);
    grow_clear(g);
    return status;
}

void grow_replay(const struct grow *g, const struct bin_codes *codes, uint32_t *rows,
                 int64_t n, uint32_t *scratch, struct grow_seg *seg)
{
    seg[0] = (struct grow_seg){.n = (uint32_t)n};
    for (int32_t at = 0; at < g->n_nodes; at++) { /* children come after their parent */
        const struct grow_node *q = &g->node[at];
        uint8_t left[256];
        if (q->left < 0) continue;
        uint32_t *ids = rows + seg[at].beg;
        int64_t m = seg[at].n, l = 0;
        if (m) {
            split_table(&q->split, left);
            const uint8_t *column = bundle_table(codes, q->split.lane, left);
            l = g->simd->tree_part(column, ids, m, left, ids, scratch);
            memcpy(ids + l, scratch, (size_t)(m - l) * sizeof *ids);
        }
        seg[q->left] = (struct grow_seg){seg[at].beg, (uint32_t)l};
        seg[q->right] = (struct grow_seg){seg[at].beg + (uint32_t)l, (uint32_t)(m - l)};
    }
}

double grow_value(const struct grow *g, const struct grow_grad *grad,
                  const struct grow_node *q, int sorted)
{
    double sum = (double)q->g * grad->g_unit, h = (double)q->h * grad->h_unit;
    double a = fabs(sum) - g->rules.l1;
    h += g->rules.l2 + (sorted ? g->rules.cat_l2 : 0);
    double v = a <= 0 || h <= 0 ? 0 : (sum > 0 ? -a : a) / h;
    return v < q->lo ? q->lo : v > q->hi ? q->hi : v;
}

void grow_describe(const struct grow *g, const struct grow_node *q,
                   struct emit_node *out)
{
    *out = (struct emit_node){.left = q->left, .right = q->right};
    if (q->left < 0) return;
    out->feature = g->cuts->lane_feature[q->split.lane];
    out->gain = q->split.gain;
    out->set = q->split.set;
    out->missing_left = q->split.missing_left;
    memcpy(out->bits, q->split.bits, sizeof out->bits);
    const struct bin_feature *f = &g->cuts->feature[out->feature];
    if (f->kind)
        out->thr = q->split.set ? 0 : q->split.thr;
    else
        out->thr = q->split.thr < f->n_edge ? f->edge[q->split.thr] : (double)INFINITY;
}
