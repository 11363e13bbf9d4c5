/* pipeline_default.c - the preparation a learner needs when the user names only the learner
 *
 * From its traits: numbers with gaps are filled unless it takes missing values, categories
 * are one-hot encoded unless it takes them (their gaps become a row of zeros), numbers are
 * standardised when it wants that. Nothing is added that these features do not call for. */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "pipe/flow.h"

struct needs {
    int n_numbers, n_categories, gaps;
};

static struct needs look_at(const struct problem *p)
{
    struct needs n = {0};
    for (int j = 0; j < p->n_features; j++) {
        const struct column *c = &p->frame->cols[p->features[j]];
        if (c->type == TIDE_CAT) {
            n.n_categories++;
            continue;
        }
        n.n_numbers++;
        struct view v = {.n_rows = p->n_rows, .n_cols = 1, .cols = &c, .rows = p->rows};
        if (!n.gaps && c->n_missing) n.gaps = view_missing(&v, 0, NULL) > 0;
    }
    return n;
}

tide_status pipeline_read_sets(const struct tide_learner *l,
                               const struct tide_text_list *sets, tide_values *to,
                               tide_error *err)
{
    tide_status st = TIDE_OK;
    for (int i = 0; !st && sets && i < sets->n; i++) {
        const char *item = sets->items[i], *eq = strchr(item, '=');
        char shown[128];
        if (!eq) {
            err_set(err, TIDE_CODE_PARAM_VALUE, "expected name=value, got \"%s\"",
                    err_quote(shown, sizeof shown, item, strlen(item), 60));
            return err_field(err, "set");
        }
        char *name = mem_strndup(item, (size_t)(eq - item));
        st = name
                 ? pipeline_set_value(to, &l->params, name, eq + 1, strlen(eq + 1), err)
                 : err_nomem(err, 0);
        mem_free(name);
    }
    return st;
}

/* A learner's parameters with those that are set. */
static tide_status values_of(const struct tide_learner *l,
                             const struct tide_text_list *sets, tide_values **out,
                             tide_error *err)
{
    tide_status st = tide_values_new(&l->params, l->name, out, err);
    if (!st) st = pipeline_read_sets(l, sets, *out, err);
    if (!st) st = tide_values_check(*out, err);
    if (!st && l->check) st = l->check(tide_values_struct(*out), err);
    return st;
}

static void aims_of(const struct tide_learner *l, const tide_values *values,
                    struct fit_aims *out)
{
    *out = (struct fit_aims){.tasks = l->tasks};
    if (l->aims && values) l->aims(tide_values_struct(values), out);
}

void pipeline_aims(const tide_pipeline *p, struct fit_aims *out)
{
    const struct pipe_node *last = &p->nodes[p->n - 1];
    aims_of(last->learner, last->values, out);
}

tide_status pipeline_default_aims(const char *learner,
                                  const struct tide_text_list *sets,
                                  struct fit_aims *out, tide_error *err)
{
    tide_values *values = NULL;
    const struct tide_learner *l = learner_find(learner, err);
    if (!l) return TIDE_EINVAL;
    tide_status st = values_of(l, sets, &values, err);
    if (!st) aims_of(l, values, out);
    if (!st) out->quantiles.items = NULL; /* they were the values' */
    tide_values_free(values);
    return st;
}

static tide_status append_sets(struct str *text, const struct tide_learner *l,
                               const struct tide_text_list *sets, tide_error *err)
{
    tide_values *values = NULL;
    tide_status st = values_of(l, sets, &values, err);
    struct str changed = {0};
    if (!st) values_print(&changed, values, 1);
    if (!st && changed.len) str_addf(text, "(%s)", changed.s);
    text->failed |= changed.failed;
    str_free(&changed);
    tide_values_free(values);
    return st;
}

tide_status pipeline_default(const char *learner, const struct tide_text_list *sets,
                             const struct problem *p, tide_pipeline **out,
                             struct str *note, tide_error *err)
{
    struct str text = {0};
    *out = NULL;
    const struct tide_learner *l = learner_find(learner, err);
    if (!l) return TIDE_EINVAL;
    struct needs n = look_at(p);
    if (n.n_numbers && n.gaps && !(l->traits & TIDE_TAKES_MISSING))
        str_add(&text, "num: impute:median; ");
    if (n.n_numbers && l->traits & TIDE_WANTS_SCALED)
        str_add(&text, "num: scale:standard; ");
    if (n.n_categories && !(l->traits & TIDE_TAKES_CATEGORIES))
        str_add(&text, "cat: encode:onehot; ");
    if (note && text.len)
        str_addf(note, "prepared for %s: %.*s", l->name, (int)text.len - 2, text.s);
    str_add(&text, l->name);
    tide_status st = append_sets(&text, l, sets, err);
    if (!st && text.failed) st = err_nomem(err, text.len);
    if (!st) st = pipeline_parse(text.s, out, err);
    str_free(&text);
    return st;
}
