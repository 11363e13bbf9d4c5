/* out_of_bag.c - accuracy or R2 of rows by the members that have not seen them
 *
 * Rows count by their weight; a row that every member has seen counts nothing.
 * Guide       Q10
 */
#include "learners/tree/out_of_bag.h"

#include "base/str.h"

enum { TEXT_MOST = 120 };

void oob_add(struct oob_sums *to, const struct fit_data *d, int64_t i,
             const double *sum, int32_t said, double mean)
{
    double w = d->w ? d->w[i] : 1;
    if (!said) return;
    to->weight += w;
    if (d->task == TIDE_CLASSIFY) {
        int32_t best = 0;
        for (int32_t k = 1; k < d->n_classes; k++)
            if (sum[k] > sum[best]) best = k;
        to->score += w * (best == d->k[i]);
    } else {
        double e = d->y[i] - sum[0] / said, m = d->y[i] - mean;
        to->score += w * e * e;
        to->spread += w * m * m;
    }
}

void oob_fold(struct oob_sums *to, const struct oob_sums *part)
{
    to->weight += part->weight;
    to->score += part->score;
    to->spread += part->spread;
}

const char *oob_text(const struct oob_sums *s, uint32_t task, const char *what,
                     struct arena *a)
{
    char *text = arena_push(a, TEXT_MOST);
    if (!text) return NULL;
    if (!(s->weight > 0))
        str_format(text, TEXT_MOST,
                   "no row was left out of any %s: no out-of-bag score", what);
    else if (task == TIDE_CLASSIFY)
        str_format(text, TEXT_MOST, "out-of-bag accuracy %.4r", s->score / s->weight);
    else
        str_format(text, TEXT_MOST, "out-of-bag R2 %.4r",
                   s->spread > 0 ? 1 - s->score / s->spread : 0.0);
    return text;
}
