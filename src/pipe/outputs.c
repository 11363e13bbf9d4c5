/* outputs.c - what a row's scores are: classes, one number, or the quantiles that the pipeline asks
 * for
 *
 * Quantiles follow from the learner's parameters alone, so a fit, a model that goes on and a file
 * that is read all take them from the pipeline; the header's list is checked against them. */
#include <string.h>

#include "base/numparse.h"
#include "pipe/pipe.h"

tide_status schema_outputs(const tide_pipeline *p, struct schema *s, struct arena *a,
                           tide_error *err)
{
    struct fit_aims aims;
    char name[NUM_PRINT_MAX + 1] = "q";
    pipeline_aims(p, &aims);
    int n = s->task == TIDE_REGRESS ? aims.quantiles.n : 0;
    s->n_outputs = 0;
    s->outputs = NULL;
    s->shares = NULL;
    if (n < 2) return TIDE_OK;
    const char **outputs = arena_array(a, n, sizeof *outputs);
    double *shares = arena_array(a, n, sizeof *shares);
    for (int k = 0; outputs && shares && k < n; k++) {
        shares[k] = aims.quantiles.items[k];
        num_print(name + 1, shares[k]);
        outputs[k] = arena_str(a, name);
    }
    s->n_outputs = n;
    s->outputs = outputs;
    s->shares = shares;
    return arena_status(a, err);
}

int32_t shares_centre(const double *share, int32_t n)
{
    int32_t best = 0;
    for (int32_t k = 1; k < n; k++) {
        double is = share[k] - 0.5, was = share[best] - 0.5;
        if ((is < 0 ? -is : is) < (was < 0 ? -was : was)) best = k;
    }
    return best;
}
