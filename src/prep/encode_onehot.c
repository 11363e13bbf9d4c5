/* encode_onehot.c - a yes/no column for every level of a category
 *
 * Problem       numbers for learners that take no categories
 * Method        levels seen in training, in their order; above max_levels the rarer ones share <column>=other;
 *               missing cells are a level of their own where training rows had some
 * Cost          a byte a row and level
 * Order         sums of weights in row order, ties to the earlier level: same bytes for any threads
 * Missing       missing=zero gives missing cells all zeros. An unseen level is all zeros too, or counts as missing
 *               where that is a level
 * Differs from  scikit-learn OneHotEncoder(handle_unknown="ignore"): rare levels by max_levels, names <column>=<level>
 * Guide         Q14
 */
#include <string.h>

#include "base/ctx.h"
#include "base/err.h"
#include "math/sort.h"
#include "prep/column_make.h"
#include "spec/step.h"

#define SLOT_OTHER   (-1)
#define SLOT_MISSING (-2)

enum { DROP_NONE, DROP_FIRST };
enum { MISSING_LEVEL, MISSING_ZERO };
static const char *const onehot_drops[] = {"none", "first", NULL};
static const char *const onehot_gaps[] = {"level", "zero", NULL};
struct encode_onehot_params {
    int32_t max_levels, drop, missing;
};
static const struct tide_param encode_onehot_rows[] = {
    P_INT(encode_onehot_params, max_levels, "200", P_RANGE(1, 65536),
          .help = "levels with a column of their own, the most frequent ones",
          .alias = "max_categories"),
    P_ENUM(encode_onehot_params, drop, "none", onehot_drops,
           .help = "leave out the first level of each column"),
    P_ENUM(encode_onehot_params, missing, "level", onehot_gaps,
           .help = "missing cells: a level of their own, or all zeros"),
};

/* Slots of one column: codes in order, then other, then missing. Returns how many, -1 when the
 * arena failed. */
static int column_slots(const struct encode_onehot_params *p, const struct fit_data *d,
                        int j, struct arena *a, int32_t *slot)
{
    uint32_t n_levels = d->x->cols[j]->dict.n;
    int64_t n = d->x->n_rows;
    uint32_t *code = arena_array(a, n, sizeof *code),
             *idx = arena_array(a, (int64_t)n_levels + 1, sizeof *idx);
    double *sum = arena_zero(a, sizeof *sum * ((size_t)n_levels + 1)), gaps = 0;
    int n_seen = 0, n_slots = 0;
    if (!code || !sum || !idx) return -1;
    view_codes(d->x, j, 0, n, code);
    for (int64_t i = 0; i < n; i++) {
        double w = d->w ? d->w[i] : 1.0;
        if (code[i] < n_levels)
            sum[code[i]] -= w; /* negative: the most frequent sorts first */
        else
            gaps += w;
    }
    for (uint32_t c = 0; c < n_levels; c++) n_seen += sum[c] < 0;
    uint8_t *own = arena_zero(a, (size_t)n_levels + 1);
    if (!own || sort_index_f64(a, sum, n_levels, idx)) return -1;
    for (int r = 0; r < n_seen && r < p->max_levels; r++) own[idx[r]] = 1;
    for (uint32_t c = 0; c < n_levels; c++)
        if (own[c]) slot[n_slots++] = (int32_t)c;
    if (n_seen > p->max_levels) slot[n_slots++] = SLOT_OTHER;
    if (gaps > 0 && p->missing == MISSING_LEVEL) slot[n_slots++] = SLOT_MISSING;
    return n_slots;
}

static tide_status encode_onehot_fit(struct tide_ctx *ctx, const void *params,
                                     const struct fit_data *d, struct state *out,
                                     tide_error *err)
{
    const struct encode_onehot_params *p = params;
    int n_cols = d->x->n_cols;
    int64_t n_all = 0, at = 0;
    struct arena a;
    int32_t *width = state_new(out, "STEP", "width", STATE_I32, n_cols, 1, 1);
    uint8_t *drop = state_new(out, "STEP", "drop", STATE_U8, n_cols, 1, 1);
    if (!width || !drop) return arena_status(out->arena, err);
    arena_init(&a, ctx);
    for (int j = 0; j < n_cols; j++) n_all += (int64_t)d->x->cols[j]->dict.n + 2;
    int32_t *slot = arena_array(&a, n_all, sizeof *slot);
    tide_status st = arena_status(&a, err);
    for (int j = 0; st == TIDE_OK && j < n_cols; j++) {
        struct arena_mark mark = arena_mark(&a);
        int n = column_slots(p, d, j, &a, slot + at);
        st = n < 0                ? arena_status(&a, err)
             : ctx_cancelled(ctx) ? err_cancelled(err)
                                  : TIDE_OK;
        arena_reset(&a, mark);
        width[j] = n < 0 ? 0 : n;
        drop[j] = p->drop == DROP_FIRST && n > 1;
        at += width[j];
    }
    if (st == TIDE_OK) {
        state_put(out, "STEP", "slot", STATE_I32, at, 1, 1, slot);
        st = arena_status(out->arena, err);
    }
    arena_free(&a);
    return st;
}

struct encode_onehot {
    int n_cols, n_out;
    const int32_t *width, *slot;
    const uint8_t *drop;
    int32_t **
        map; /* [n_cols][n_levels + 1]: output of a code within its column, -1: none; last: missing */
};

static tide_status bad_slot(tide_error *err, int j)
{
    return err_set(err, TIDE_CODE_TIDE_VALUE,
                   "the levels of column %d do not fit its dictionary", j + 1);
}

/* Slots of column j must ascend, then other, then missing; the map follows. */
static tide_status load_column(struct encode_onehot *m, int j, const int32_t *slot,
                               uint32_t n_levels, tide_error *err)
{
    int32_t *map = m->map[j], last = -1, other = -1, skip = m->drop[j] != 0;
    for (uint32_t c = 0; c <= n_levels; c++) map[c] = -2;
    for (int32_t s = 0; s < m->width[j]; s++) {
        int32_t c = slot[s];
        if (c == SLOT_OTHER && other < 0 && map[n_levels] == -2) {
            other = s;
        } else if (c == SLOT_MISSING && map[n_levels] == -2) {
            map[n_levels] = s - skip;
        } else if (c > last && c < (int64_t)n_levels && other < 0 &&
                   map[n_levels] == -2) {
            map[c] = s - skip;
            last = c;
        } else {
            return bad_slot(err, j);
        }
    }
    for (uint32_t c = 0; c < n_levels; c++)
        if (map[c] == -2) map[c] = other < 0 ? -1 : other - skip;
    if (map[n_levels] == -2) map[n_levels] = -1;
    return TIDE_OK;
}

static tide_status encode_onehot_load(const struct state *s, int32_t n_cols,
                                      const uint32_t *n_levels, struct arena *a,
                                      void **object, tide_error *err)
{
    const struct state_array *width, *slot, *drop;
    int64_t at = 0;
    *object = NULL;
    tide_status st = state_need(s, "width", STATE_I32, n_cols, 1, &width, err);
    if (st == TIDE_OK) st = state_need(s, "drop", STATE_U8, n_cols, 1, &drop, err);
    if (st == TIDE_OK) st = state_need(s, "slot", STATE_I32, -1, 1, &slot, err);
    if (st != TIDE_OK) return st;
    struct encode_onehot *m = arena_zero(a, sizeof *m);
    int32_t **map = arena_array(a, n_cols, sizeof *map);
    if (!m || !map) return arena_status(a, err);
    *m = (struct encode_onehot){n_cols, 0, width->data, slot->data, drop->data, map};
    for (int j = 0; j < n_cols; j++) {
        if (m->width[j] < 0 || m->width[j] > (int64_t)n_levels[j] + 2 ||
            m->drop[j] > 1 || (m->drop[j] && m->width[j] < 2) ||
            at + m->width[j] > slot->dim[0])
            return bad_slot(err, j);
        map[j] = arena_array(a, (int64_t)n_levels[j] + 1, sizeof **map);
        if (!map[j]) return arena_status(a, err);
        st = load_column(m, j, m->slot + at, n_levels[j], err);
        if (st != TIDE_OK) return st;
        at += m->width[j];
        m->n_out += m->width[j] - m->drop[j];
    }
    if (at != slot->dim[0])
        return err_set(err, TIDE_CODE_TIDE_SIZE, "array 'slot' has numbers left over");
    *object = m;
    return TIDE_OK;
}

/* "other" or "missing", with _ behind it as long as a level has that name. */
static size_t special_text(const struct dict *d, const char *word, char out[32])
{
    size_t n = strlen(word);
    memcpy(out, word, n);
    for (uint32_t c = 0; c < d->n && n < 31; c++) {
        size_t len;
        const char *s = dict_text(d, c, &len);
        if (len != n || memcmp(s, out, n) != 0) continue;
        out[n++] = '_';
        c = UINT32_MAX; /* from the start again */
    }
    return n;
}

static const char *slot_name(struct arena *a, const struct column *from, int32_t slot)
{
    char word[32];
    size_t len;
    const char *text = word, *base = make_name(a, from->name, "=", 1);
    if (slot == SLOT_OTHER)
        len = special_text(&from->dict, "other", word);
    else if (slot == SLOT_MISSING)
        len = special_text(&from->dict, "missing", word);
    else
        text = dict_text(&from->dict, (uint32_t)slot, &len);
    return base ? make_name(a, base, text, len) : NULL;
}

static tide_status onehot_column(const struct encode_onehot *m, const struct view *x,
                                 int j, const int32_t *slot, int first, struct arena *a,
                                 struct step_out *out, tide_error *err)
{
    const struct column *from = x->cols[j];
    int n_made = m->width[j] - m->drop[j];
    int64_t n = x->n_rows;
    uint32_t *code = arena_array(a, n, sizeof *code);
    if (!code) return arena_status(a, err);
    for (int s = 0; s < n_made; s++) {
        out->cols[first + s] =
            make_column(a, slot_name(a, from, slot[s + m->drop[j]]), TIDE_BOOL, n);
        make_from(out, first + s, j);
        if (!out->cols[first + s]) return arena_status(a, err);
    }
    view_codes(x, j, 0, n, code);
    for (int64_t i = 0; i < n; i++) {
        int32_t s = m->map[j][code[i] < from->dict.n ? code[i] : from->dict.n];
        if (s >= 0) make_bool(out->cols[first + s])[i] = 1;
    }
    return TIDE_OK;
}

static tide_status encode_onehot_apply(struct tide_ctx *ctx, const void *object,
                                       const struct view *x, struct arena *a,
                                       struct step_out *out, tide_error *err)
{
    const struct encode_onehot *m = object;
    const int32_t *slot = m->slot;
    int at = 0;
    (void)ctx;
    tide_status st = make_outputs(a, m->n_out, out, err);
    for (int j = 0; st == TIDE_OK && j < m->n_cols; j++) {
        st = onehot_column(m, x, j, slot, at, a, out, err);
        slot += m->width[j];
        at += m->width[j] - m->drop[j];
    }
    return st;
}

const struct tide_step tide_step_encode_onehot = {
    .name = "encode:onehot",
    .title = "A yes/no column for every level",
    .camel = "EncodeOneHot",
    .guide = "Q14",
    .tasks = TIDE_CLASSIFY | TIDE_REGRESS | TIDE_ANOMALY,
    .traits = TIDE_TAKES_MISSING | TIDE_TAKES_CATEGORIES | TIDE_TAKES_WEIGHTS,
    .params = TIDE_TABLE(encode_onehot_rows, encode_onehot_params),
    .takes = STEP_CATEGORY,
    .fit = encode_onehot_fit,
    .load = encode_onehot_load,
    .apply = encode_onehot_apply,
};
