/* offset.c - offset and exposure columns (offset.h)
 *
 * A fit refuses a row whose offset is not known. A prediction takes it as 0 (an exposure as 1), the
 * only value that is neutral for every row, since a learner's predict never fails for a gap.
 * Guide   Q3
 */
#include "learners/tree/offset.h"

#include <math.h>

#include "base/err.h"
#include "simd/vmath.h"

#define OFFSET_TILE 256

static int is_known(const struct offset *o, double v)
{
    return o->is_log ? v > 0 : !isnan(v);
}

tide_status offset_read(const struct offset *o, const struct view *x, double *out,
                        tide_error *err)
{
    view_numbers(x, o->column, 0, x->n_rows, out);
    for (int64_t i = 0; i < x->n_rows; i++) {
        const char *name = x->cols[o->column]->name;
        if (is_known(o, out[i])) {
            out[i] = o->is_log ? vm_log(out[i]) : out[i];
            continue;
        }
        int64_t row = view_id(x, i) + 1;
        if (isnan(out[i]))
            err_set(err, TIDE_CODE_DATA_MISSING, "%s '%s' is missing in row %lld",
                    o->is_log ? "exposure" : "offset", name, (long long)row);
        else
            err_set(err, TIDE_CODE_DATA_WEIGHT,
                    "exposure '%s' must be above 0, got \"%r\" in row %lld", name,
                    out[i], (long long)row);
        if (err) err->row = row;
        return err_field(err, name);
    }
    return TIDE_OK;
}

double offset_of(const struct offset *o, double value)
{
    if (!is_known(o, value)) return 0;
    return o->is_log ? vm_log(value) : value;
}

void offset_add(const struct offset *o, const struct view *x, int64_t i0, int64_t n,
                double *score)
{
    double v[OFFSET_TILE];
    for (int64_t r0 = 0; o->column >= 0 && r0 < n; r0 += OFFSET_TILE) {
        int64_t m = n - r0 < OFFSET_TILE ? n - r0 : OFFSET_TILE;
        view_numbers(x, o->column, i0 + r0, m, v);
        for (int64_t i = 0; i < m; i++) score[r0 + i] += offset_of(o, v[i]);
    }
}

void offset_save(const struct offset *o, struct state *s)
{
    int32_t both[2] = {o->column, o->is_log};
    if (o->column >= 0) state_put(s, "TREES", "offset", STATE_I32, 2, 1, 1, both);
}

tide_status offset_load(const struct state *s, int32_t n_cols, const uint32_t *n_levels,
                        struct offset *out, tide_error *err)
{
    const struct state_array *a = NULL;
    *out = (struct offset){.column = -1};
    if (!state_find(s, "offset")) return TIDE_OK;
    tide_status status = state_need(s, "offset", STATE_I32, 2, 1, &a, err);
    if (status) return status;
    const int32_t *both = a->data;
    if (both[0] < 0 || both[0] >= n_cols || n_levels[both[0]] || both[1] < 0 ||
        both[1] > 1) {
        err_set(err, TIDE_CODE_TIDE_VALUE, "the offset is no column of numbers");
        return err_place(err, "section TREES");
    }
    *out = (struct offset){both[0], both[1]};
    return TIDE_OK;
}
