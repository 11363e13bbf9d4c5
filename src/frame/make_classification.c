/* make_classification.c - classes at corners of a cube, linear mixtures, and noise columns
 *
 * Class c = floor(k u(s,i,0)). Informative column j: separation * (+1 or -1 by the lowest bit
 * of h(s+1,c,j)) + z(s,i,1+j). Redundant columns are mixtures of the informative ones with
 * weights z(s+2,r,j) / sqrt(informative). The others are noise. A share of labels is drawn
 * anew. */
#include <math.h>
#include <stddef.h>

#include "base/err.h"
#include "frame/make.h"

struct classification_params {
    uint64_t seed;
    int32_t columns, informative, redundant, classes;
    double separation, flip;
};

static void fill(const struct make_task *t, int64_t i0, int64_t i1)
{
    const struct classification_params *p = t->params;
    for (int64_t row = i0; row < i1; row++) {
        uint64_t i = (uint64_t)row, s = p->seed;
        uint64_t c = (uint64_t)(p->classes * gen_u(s, i, 0));
        for (int j = 0; j < p->columns; j++) {
            uint64_t slot = (uint64_t)j;
            double v = gen_z(s, i, 1 + slot);
            if (j < p->informative) {
                v += gen_h(s + 1, c, slot) & 1 ? p->separation : -p->separation;
            } else if (j < p->informative + p->redundant) {
                v = 0;
                for (int q = 0; q < p->informative; q++)
                    v += t->f64[q][row] * gen_z(s + 2, slot, (uint64_t)q);
                v /= sqrt((double)p->informative);
            }
            t->f64[j][row] = v;
        }
        uint64_t last = (uint64_t)p->columns;
        if (gen_u(s, i, last + 1) < p->flip)
            c = (uint64_t)(p->classes * gen_u(s, i, last + 2));
        t->i64[p->columns][row] = (int64_t)c;
    }
}

static tide_status make(struct tide_ctx *ctx, const void *params, int64_t n_rows,
                        tide_frame **out, tide_error *err)
{
    const struct classification_params *p = params;
    const struct make_column cols[] = {{"x%d", TIDE_F64, p->columns},
                                       {"y", TIDE_I64, 1}};
    *out = NULL;
    if (p->informative + p->redundant > p->columns) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT,
                "%d informative and %d redundant columns are more than %d",
                p->informative, p->redundant, p->columns);
        return err_hint(err, "columns", "%d", p->informative + p->redundant);
    }
    return make_table(ctx, cols, 2, fill, params, n_rows, out, err);
}

static const struct tide_param rows[] = {
    P_U64(classification_params, seed, "1", .help = "seed of the rows"),
    P_INT(classification_params, columns, "20", P_RANGE(1, 10000),
          .alias = "n-features", .help = "number of columns"),
    P_INT(classification_params, informative, "5", P_RANGE(1, 10000),
          .alias = "n-informative", .help = "columns that tell classes apart"),
    P_INT(classification_params, redundant, "2", P_RANGE(0, 10000),
          .alias = "n-redundant", .help = "columns that are mixtures of those"),
    P_INT(classification_params, classes, "2", P_RANGE(1, 65536), .alias = "n-classes",
          .help = "number of classes"),
    P_REAL(classification_params, separation, "1", P_RANGE(0, 1e6),
           .alias = "class-sep", .help = "distance of the classes from the middle"),
    P_REAL(classification_params, flip, "0.01", P_RANGE(0, 1), .alias = "flip-y",
           .help = "share of labels drawn anew"),
};
const struct tide_maker tide_maker_classification = {
    .name = "classification",
    .title = "classes at corners of a cube, with redundant and noise columns",
    .camel = "Classification",
    .guide = "Q3",
    .paper = "after Guyon 2003",
    .tasks = TIDE_CLASSIFY,
    .params = TIDE_TABLE(rows, classification_params),
    .rows = 1000,
    .target = "y",
    .make = make,
};
