/* fold.c - which fold a row belongs to, and hold-out marks
 *
 * The shuffled kinds depend on (seed, id) only: rows are ranked by a key drawn for their id,
 * classes hand out their rows round robin in that order, so neither the order of the rows
 * nor the number of threads matters. */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/numparse.h"
#include "base/rng.h"
#include "frame/fold_part.h"

struct ranked {
    uint64_t key;
    int64_t row;
};

static int64_t id_of(const int64_t *ids, int64_t i)
{
    return ids ? ids[i] : i;
}

/* LSD radix sort by key, stable. */
static void sort_ranked(struct ranked *a, struct ranked *b, int64_t n)
{
    for (int shift = 0; shift < 64; shift += 8) {
        int64_t count[257] = {0};
        for (int64_t i = 0; i < n; i++) count[((a[i].key >> shift) & 255) + 1]++;
        for (int d = 0; d < 256; d++) count[d + 1] += count[d];
        for (int64_t i = 0; i < n; i++) b[count[(a[i].key >> shift) & 255]++] = a[i];
        struct ranked *swap = a;
        a = b;
        b = swap;
    }
}

/* Rows in the order of their keys; freed by the caller, NULL when memory is out. */
static struct ranked *rank_rows(int64_t n, const int64_t *ids, uint64_t seed,
                                const char *purpose)
{
    struct ranked *a = mem_array((size_t)(n ? n : 1), 2 * sizeof *a);
    if (!a) return NULL;
    struct rng_key key = rng_key(seed, purpose);
    for (int64_t i = 0; i < n; i++)
        a[i] = (struct ranked){rng_u64(rng_at(key, id_of(ids, i), 0, 0)), i};
    sort_ranked(a, a + n, n);
    return a;
}

static void count_classes(int64_t n, const int32_t *cls, int n_classes, int64_t *count)
{
    memset(count, 0, (size_t)n_classes * sizeof *count);
    for (int64_t i = 0; i < n; i++) count[cls[i]]++;
}

/* First sorted position of every class. */
static void begin_of_classes(const int64_t *count, int n_classes, int64_t *begin)
{
    int64_t at = 0;
    for (int c = 0; c < n_classes; c++) {
        begin[c] = at;
        at += count[c];
    }
}

static tide_status check_folds(int64_t n, const int64_t *count, int n_classes, int k,
                               tide_error *err)
{
    if (k < 2) return err_set(err, TIDE_CODE_DATA_FOLDS, "%d folds are too few", k);
    if (n < k) {
        err_set(err, TIDE_CODE_DATA_FOLDS, "%lld rows cannot make %d folds",
                (long long)n, k);
        return n >= 2 ? err_hint(err, "cv", "%lld", (long long)n) : TIDE_EDATA;
    }
    for (int c = 0; count && c < n_classes; c++) {
        if (count[c] >= k || count[c] == 0) continue;
        err_set(err, TIDE_CODE_DATA_FOLDS, "class %d has %lld rows, %d folds need %d",
                c, (long long)count[c], k, k);
        return count[c] >= 2 ? err_hint(err, "cv", "%lld", (long long)count[c])
                             : TIDE_EDATA;
    }
    return TIDE_OK;
}

/* Convention (a) of stratified folds without shuffling: classes are numbered by first
 * appearance and sorted; fold f gets as many rows of class c as stand at sorted positions
 * f, f + k, f + 2k ...; every class hands its rows out in file order, fold 0 first. */
static tide_status stratify_in_order(int64_t n, const int32_t *cls, int n_classes,
                                     int k, const int64_t *count, int32_t *fold,
                                     tide_error *err)
{
    int64_t *quota = mem_array((size_t)n_classes * (size_t)k, sizeof *quota);
    int32_t *rank =
        mem_array((size_t)n_classes, sizeof *rank); /* by first appearance */
    int32_t *order = mem_array((size_t)n_classes, sizeof *order);
    tide_status st = TIDE_OK;
    int seen = 0;
    if (!quota || !rank || !order) {
        st = err_nomem(err, 0);
        goto done;
    }
    for (int c = 0; c < n_classes; c++) rank[c] = -1;
    for (int64_t i = 0; i < n && seen < n_classes; i++)
        if (rank[cls[i]] < 0) {
            order[seen] = cls[i];
            rank[cls[i]] = seen++;
        }
    int64_t begin = 0;
    for (int r = 0; r < seen; r++) {
        int64_t end = begin + count[order[r]];
        for (int f = 0; f < k; f++) /* positions p in [begin, end) with p mod k == f */
            quota[(int64_t)order[r] * k + f] =
                (end + k - 1 - f) / k - (begin + k - 1 - f) / k;
        begin = end;
    }
    for (int64_t i = 0; i < n; i++) {
        int64_t *q = quota + (int64_t)cls[i] * k;
        int f = 0;
        while (f < k - 1 && q[f] == 0) f++;
        fold[i] = f;
        q[f]--;
    }
done:
    mem_free(quota);
    mem_free(rank);
    mem_free(order);
    return st;
}

static void split_in_order(int64_t n, int k, int32_t *fold)
{
    int64_t at = 0;
    for (int f = 0; f < k; f++) {
        int64_t size = n / k + (f < n % k);
        for (int64_t i = 0; i < size; i++) fold[at++] = f;
    }
}

static void split_by_crc(int64_t n, const int64_t *ids, int k, int32_t *fold)
{
    for (int64_t i = 0; i < n; i++) {
        char text[NUM_PRINT_MAX];
        int len = num_print_i64(text, id_of(ids, i));
        fold[i] = (int32_t)(crc32_zlib(text, (size_t)len) % (uint32_t)k);
    }
}

static tide_status split_shuffled(int64_t n, const int64_t *ids, const int32_t *cls,
                                  int k, uint64_t seed, int64_t *begin, int32_t *fold,
                                  tide_error *err)
{
    struct ranked *rows = rank_rows(n, ids, seed, "fold");
    if (!rows) return err_nomem(err, 0);
    for (int64_t p = 0; p < n; p++) {
        int64_t i = rows[p].row, at = cls ? begin[cls[i]]++ : p;
        fold[i] = (int32_t)(at % k);
    }
    mem_free(rows);
    return TIDE_OK;
}

tide_status fold_assign(int64_t n, const int64_t *ids, const int32_t *cls,
                        int n_classes, int k, enum fold_how how, uint64_t seed,
                        int32_t *fold, tide_error *err)
{
    tide_status st;
    int64_t *count = NULL, *begin = NULL;
    if (cls && how != FOLD_CRC32) {
        count = mem_array((size_t)n_classes * 2, sizeof *count);
        if (!count) return err_nomem(err, 0);
        begin = count + n_classes;
        count_classes(n, cls, n_classes, count);
        begin_of_classes(count, n_classes, begin);
    }
    st = check_folds(n, count, n_classes, k, err);
    if (st != TIDE_OK) goto done;
    switch (how) {
    case FOLD_FILE:
        if (count)
            st = stratify_in_order(n, cls, n_classes, k, count, fold, err);
        else
            split_in_order(n, k, fold);
        break;
    case FOLD_CRC32:
        split_by_crc(n, ids, k, fold);
        break;
    case FOLD_PHILOX:
        st = split_shuffled(n, ids, cls, k, seed, begin, fold, err);
        break;
    }
done:
    mem_free(count);
    return st;
}

tide_status fold_holdout(int64_t n, const int64_t *ids, const int32_t *cls,
                         int n_classes, double share, uint64_t seed, uint8_t *mark,
                         tide_error *err)
{
    struct ranked *rows = rank_rows(n, ids, seed, "holdout");
    int64_t one = n, *left = &one;
    if (!rows) return err_nomem(err, 0);
    if (cls) {
        left = mem_array((size_t)(n_classes > 0 ? n_classes : 1), sizeof *left);
        if (!left) {
            mem_free(rows);
            return err_nomem(err, 0);
        }
        count_classes(n, cls, n_classes, left);
    }
    for (int c = 0; c < (cls ? n_classes : 1); c++) {
        int64_t size = left[c], take = (int64_t)(share * (double)size + 0.5);
        if (take < 1 && size >= 2 && share > 0) take = 1;
        if (take >= size && size >= 2 && share < 1) take = size - 1;
        left[c] = take;
    }
    for (int64_t p = 0; p < n; p++) {
        int64_t i = rows[p].row, *l = cls ? &left[cls[i]] : left;
        mark[i] = *l > 0;
        *l -= *l > 0;
    }
    if (cls) mem_free(left);
    mem_free(rows);
    return TIDE_OK;
}

/* ---- groups ---- */

/* Rows by group, and the groups in the order of their draws; NULL rows: memory is out. */
struct grouped {
    struct ranked *rows;  /* [n] by key of the group; and room for sorting */
    struct ranked *group; /* [n_groups] row: where the group begins in `rows` */
    int64_t n, n_groups;
};

/* purpose NULL: groups are not drawn. */
static struct grouped group_rows(int64_t n, const int64_t *group, uint64_t seed,
                                 const char *purpose)
{
    struct grouped g = {.n = n};
    g.rows = mem_array((size_t)(n ? n : 1), 4 * sizeof *g.rows);
    if (!g.rows) return g;
    for (int64_t i = 0; i < n; i++) g.rows[i] = (struct ranked){(uint64_t)group[i], i};
    sort_ranked(g.rows, g.rows + n, n);
    g.group = g.rows + 2 * n;
    struct rng_key key = rng_key(seed, purpose ? purpose : "");
    for (int64_t p = 0; p < n; p++) {
        if (p && g.rows[p].key == g.rows[p - 1].key) continue;
        int64_t of = (int64_t)g.rows[p].key;
        g.group[g.n_groups++] =
            (struct ranked){purpose ? rng_u64(rng_at(key, of, 0, 0)) : 0, p};
    }
    if (purpose) sort_ranked(g.group, g.group + n, g.n_groups);
    return g;
}

/* One past the last of the group that begins at p. */
static int64_t group_end(const struct grouped *g, int64_t p)
{
    int64_t end = p + 1;
    while (end < g->n && g->rows[end].key == g->rows[p].key) end++;
    return end;
}

int64_t fold_groups(const int64_t *group, int64_t n)
{
    if (!group) return 0;
    struct grouped g = group_rows(n, group, 0, NULL);
    int64_t n_groups = g.n_groups;
    mem_free(g.rows);
    return n_groups;
}

static tide_status refuse_groups(int64_t n_groups, int k, tide_error *err)
{
    err_set(err, TIDE_CODE_DATA_FOLDS, "%lld group%s cannot make %d folds",
            (long long)n_groups, n_groups == 1 ? "" : "s", k);
    return n_groups >= 2 ? err_hint(err, "cv", "%lld", (long long)n_groups)
                         : TIDE_EDATA;
}

tide_status fold_assign_groups(int64_t n, const int64_t *group, int k, uint64_t seed,
                               int32_t *fold, tide_error *err)
{
    if (k < 2) return err_set(err, TIDE_CODE_DATA_FOLDS, "%d folds are too few", k);
    int64_t *rows = mem_array((size_t)k, sizeof *rows);
    struct grouped g = group_rows(n, group, seed, "fold");
    tide_status st = rows && g.rows ? TIDE_OK : err_nomem(err, 0);
    if (!st && g.n_groups < k) st = refuse_groups(g.n_groups, k, err);
    if (st) goto done;
    memset(rows, 0, (size_t)k * sizeof *rows);
    for (int64_t j = 0; j < g.n_groups; j++) /* largest first, draws among equals */
        g.group[j].key = ~(uint64_t)(group_end(&g, g.group[j].row) - g.group[j].row);
    sort_ranked(g.group, g.group + n, g.n_groups);
    for (int64_t j = 0; j < g.n_groups; j++) {
        int64_t begin = g.group[j].row, end = group_end(&g, begin);
        int least = 0;
        for (int f = 1; f < k; f++)
            if (rows[f] < rows[least]) least = f;
        for (int64_t p = begin; p < end; p++) fold[g.rows[p].row] = least;
        rows[least] += end - begin;
    }
done:
    mem_free(rows);
    mem_free(g.rows);
    return st;
}

tide_status fold_holdout_groups(int64_t n, const int64_t *group, double share,
                                uint64_t seed, uint8_t *mark, tide_error *err)
{
    struct grouped g = group_rows(n, group, seed, "holdout");
    double want = share * (double)n, have = 0;
    tide_status st = g.rows ? TIDE_OK : err_nomem(err, 0);
    if (!st && g.n_groups < 2) st = refuse_groups(g.n_groups, 2, err);
    if (!st) memset(mark, 0, (size_t)n);
    /* a group is taken when it brings the rows nearer to the share; at least one, never all */
    for (int64_t j = 0; !st && j + 1 < g.n_groups && have < want; j++) {
        int64_t begin = g.group[j].row, end = group_end(&g, begin);
        if (have > 0 && have + 0.5 * (double)(end - begin) > want) continue;
        for (int64_t p = begin; p < end; p++) mark[g.rows[p].row] = 1;
        have += (double)(end - begin);
    }
    mem_free(g.rows);
    return st;
}

tide_status fold_part(const struct fit_data *whole, const int32_t *fold, int32_t which,
                      int inside, struct arena *a, struct fold_part *out,
                      tide_error *err)
{
    const struct view *x = whole->x;
    int64_t most = x->n_rows, n = 0;
    int64_t *at = arena_array(a, most, sizeof *at);
    int64_t *rows = arena_array(a, most, sizeof *rows);
    int64_t *ids = arena_array(a, most, sizeof *ids);
    double *y = whole->y ? arena_array(a, most, sizeof *y) : NULL;
    double *w = whole->w ? arena_array(a, most, sizeof *w) : NULL;
    int32_t *k = whole->k ? arena_array(a, most, sizeof *k) : NULL;
    int64_t *group = whole->group ? arena_array(a, most, sizeof *group) : NULL;
    tide_status st = arena_status(a, err);
    if (st) return st;
    for (int64_t i = 0; i < most; i++) {
        if ((fold[i] == which) != inside) continue;
        at[n] = i;
        rows[n] = view_row(x, i);
        ids[n] = view_id(x, i);
        if (y) y[n] = whole->y[i];
        if (w) w[n] = whole->w[i];
        if (k) k[n] = whole->k[i];
        if (group) group[n] = whole->group[i];
        n++;
    }
    out->x = *x;
    out->x.rows = rows;
    out->x.ids = ids;
    out->x.n_rows = n;
    out->d = *whole;
    out->d.x = &out->x;
    out->d.y = y;
    out->d.w = w;
    out->d.k = k;
    out->d.group = group;
    out->at = at;
    return TIDE_OK;
}
