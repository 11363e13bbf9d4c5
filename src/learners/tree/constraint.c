/* constraint.c - the texts of `monotone` and `interact` (constraint.h)
 *
 * Names are those of the learner's own columns, so after the pipeline's steps; blanks around them
 * do not count. Unknown names are errors with the nearest known one.
 * Guide   Q10
 */
#include "learners/tree/constraint.h"

#include <string.h>

#include "base/err.h"

/* A name within a text. */
struct word {
    const char *at;
    size_t n;
};

/* The next word of *at up to one of `ends`; *end is the byte that ended it. */
static struct word next_word(const char **at, const char *ends, char *end)
{
    struct word w = {*at, strcspn(*at, ends)};
    *at += w.n;
    *end = **at;
    if (**at) ++*at;
    while (w.n && *w.at == ' ') {
        w.at++;
        w.n--;
    }
    while (w.n && w.at[w.n - 1] == ' ') w.n--;
    return w;
}

static tide_status refuse(const char *option, struct word w, const struct view *x,
                          struct arena *a, tide_error *err)
{
    char shown[160], *name = arena_array(a, (int64_t)w.n + 1, 1);
    const char **names = arena_array(a, x->n_cols + 1, sizeof *names);
    if (!name || !names) return arena_status(a, err);
    memcpy(name, w.at, w.n);
    name[w.n] = '\0';
    for (int32_t j = 0; j < x->n_cols; j++) names[j] = x->cols[j]->name;
    err_quote(shown, sizeof shown, name, w.n, 100);
    err_set(err, TIDE_CODE_PARAM_VALUE, "'%s' names no column \"%s\" of the learner",
            option, shown);
    const char *near = err_nearest(name, names, x->n_cols);
    if (near) err_hint(err, option, "%s", near);
    return err_field(err, option);
}

/* Column of the view, or -1. */
static int32_t column_of(const struct view *x, struct word w)
{
    for (int32_t j = 0; j < x->n_cols; j++)
        if (strlen(x->cols[j]->name) == w.n && !memcmp(x->cols[j]->name, w.at, w.n))
            return j;
    return -1;
}

tide_status constraint_column(const char *option, const char *name,
                              const struct view *x, struct arena *a, int32_t *out,
                              tide_error *err)
{
    struct word w = {name, strlen(name)};
    *out = column_of(x, w);
    return *out >= 0 ? TIDE_OK : refuse(option, w, x, a, err);
}

tide_status constraint_monotone(const char *text, const struct view *x,
                                const struct bin_cuts *cuts, struct arena *a,
                                struct grow_rules *rules, tide_error *err)
{
    if (!text || !*text) return TIDE_OK;
    int8_t *way = arena_zero(a, (size_t)cuts->n_lanes + 1);
    if (!way) return arena_status(a, err);
    rules->monotone = way;
    for (char end = ','; end;) {
        struct word w = next_word(&text, ",", &end);
        if (w.n < 2 || (*w.at != '+' && *w.at != '-')) {
            err_set(err, TIDE_CODE_PARAM_VALUE,
                    "'monotone' is written '+age,-price': a sign before each column");
            return err_field(err, "monotone");
        }
        struct word name = {w.at + 1, w.n - 1};
        int32_t j = column_of(x, name);
        if (j < 0) return refuse("monotone", name, x, a, err);
        if (x->cols[j]->type == TIDE_CAT) {
            err_set(err, TIDE_CODE_PARAM_VALUE,
                    "'monotone' is for numbers and '%s' holds categories",
                    x->cols[j]->name);
            return err_field(err, "monotone");
        }
        if (cuts->feature[j].lane >= 0)
            way[cuts->feature[j].lane] = *w.at == '+' ? 1 : -1;
    }
    return TIDE_OK;
}

tide_status constraint_interact(const char *text, const struct view *x,
                                const struct bin_cuts *cuts, struct arena *a,
                                struct grow_rules *rules, tide_error *err)
{
    if (!text || !*text) return TIDE_OK;
    uint64_t *groups = arena_zero(a, ((size_t)cuts->n_lanes + 1) * sizeof *groups);
    int group = 0;
    if (!groups) return arena_status(a, err);
    rules->groups = groups;
    for (char end = ','; end;) {
        struct word w = next_word(&text, ",;", &end);
        int32_t j = column_of(x, w);
        if (j < 0) return refuse("interact", w, x, a, err);
        if (group >= CONSTRAINT_GROUPS) {
            err_set(err, TIDE_CODE_PARAM_VALUE, "'interact' takes at most %d groups",
                    CONSTRAINT_GROUPS);
            return err_field(err, "interact");
        }
        if (cuts->feature[j].lane >= 0)
            groups[cuts->feature[j].lane] |= UINT64_C(1) << group;
        group += end == ';';
    }
    return TIDE_OK;
}
