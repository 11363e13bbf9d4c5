/* frame_make.c - synthetic tables by the name of their maker */
#include <tidemill/frame.h>

#include "base/err.h"
#include "base/par.h"
#include "frame/frame.h"
#include "spec/maker.h"
#include "spec/spec.h"

tide_status tide_frame_make(tide_ctx *ctx, const char *kind, int64_t n_rows,
                            const tide_values *values, tide_frame **out,
                            tide_error *err)
{
    PAR_FLOAT_SCOPE;
    tide_values *defaults = NULL;
    if (!out || !kind)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    *out = NULL;
    const struct tide_maker *maker = maker_find(kind, err);
    if (!maker) return TIDE_EINVAL;
    if (n_rows == 0) n_rows = maker->rows;
    if (n_rows < 0 || n_rows > INT64_C(1) << 40)
        return err_set(err, TIDE_CODE_PARAM_RANGE, "'rows' must be in [1, 2^40]");
    tide_status st = TIDE_OK;
    if (!values) {
        st = tide_values_new(&maker->params, maker->name, &defaults, err);
        values = defaults;
    }
    if (st == TIDE_OK) st = tide_values_check(values, err);
    if (st == TIDE_OK)
        st = maker->make(ctx, tide_values_struct(values), n_rows, out, err);
    tide_values_free(defaults);
    return st;
}
