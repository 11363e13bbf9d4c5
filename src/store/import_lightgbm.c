/* import_lightgbm.c - models that LightGBM saved as text (version=v2 to v4)
 *
 * Lines of key=value: a head, a part for each tree, and at the end the dictionaries of pandas.
 * Counts come from what is there, never from what a number claims.
 *
 * Zero          LightGBM's own table readers drop values within 1e-35 of 0, so such a value
 *               is 0: thresholds inside that interval move to its ends
 * Missing       none: NaN counts as 0. zero: 0 and NaN take the default side. nan: NaN does
 * Categories    members go left; NaN, negative and all other values right
 * Linear leaves a constant and coefficients of columns (linear_tree); the plain value stands in
 *               where a column is missing
 */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "infer/ensemble.h"
#include "store/import.h"
#include "store/import_doc.h"

#define MOST_KEYS 40

struct field {
    const char *key, *value;
    size_t n_key, n;
    int64_t line;
};
/* One part of the file. */
struct part {
    struct field field[MOST_KEYS];
    int n;
    int64_t line;
    size_t at, end; /* bytes */
};
struct lgb {
    struct import_source *s;
    const char *text;
    size_t n, at;
    int64_t line;
    struct part head, tree;
    int64_t n_trees;
    int32_t per_round;
    tide_error *err;
};

static tide_status bad_line(const struct lgb *l, tide_code code, int64_t line,
                            const char *key, const char *what)
{
    if (key)
        import_bad(l->s, code, l->err, "'%s': %s", key, what);
    else
        import_bad(l->s, code, l->err, "%s", what);
    return err_at(l->err, l->s->file, line, 0);
}

/* ---- lines ---- */

/* The next line without its end; 0 when there is none. */
static int next_line(struct lgb *l, const char **line, size_t *n)
{
    if (l->at >= l->n) return 0;
    const char *from = l->text + l->at, *end = memchr(from, '\n', l->n - l->at);
    size_t len = end ? (size_t)(end - from) : l->n - l->at;
    l->at += len + (end != NULL);
    l->line++;
    if (len && from[len - 1] == '\r') len--;
    *line = from;
    *n = len;
    return 1;
}

static int starts(const char *s, size_t n, const char *with)
{
    size_t k = strlen(with);
    return n >= k && memcmp(s, with, k) == 0;
}

static int peeks(const struct lgb *l, const char *with)
{
    return starts(l->text + l->at, l->n - l->at, with);
}

/* Lines up to the next tree, the end of trees or the end of the file. */
static tide_status read_part(struct lgb *l, struct part *p)
{
    const char *s;
    size_t n;
    p->n = 0;
    p->line = l->line + 1;
    p->at = l->at;
    for (int is_first = 1;; is_first = 0) {
        p->end = l->at;
        if (!is_first && (peeks(l, "Tree=") || peeks(l, "end of trees")))
            return TIDE_OK;
        if (!next_line(l, &s, &n)) return TIDE_OK;
        const char *eq = n ? memchr(s, '=', n) : NULL;
        if (!n || (is_first && starts(s, n, "Tree="))) continue;
        if (p->n == MOST_KEYS)
            return bad_line(l, TIDE_CODE_IMPORT_SYNTAX, l->line, NULL,
                            "a part has more lines than LightGBM writes");
        struct field *f = &p->field[p->n++];
        *f = (struct field){
            .key = s, .n_key = eq ? (size_t)(eq - s) : n, .line = l->line};
        f->value = eq ? eq + 1 : s + n;
        f->n = eq ? n - f->n_key - 1 : 0;
    }
}

static const struct field *find(const struct part *p, const char *key)
{
    size_t n = strlen(key);
    for (int i = 0; i < p->n; i++)
        if (p->field[i].n_key == n && memcmp(p->field[i].key, key, n) == 0)
            return &p->field[i];
    return NULL;
}

static tide_status need(const struct lgb *l, const struct part *p, const char *key,
                        const struct field **out)
{
    *out = find(p, key);
    return *out ? TIDE_OK
                : bad_line(l, TIDE_CODE_IMPORT_VALUE, p->line, key, "is absent");
}

/* ---- values ---- */

/* The next word of a value from *at on; 0 when there is none. */
static int word(const struct field *f, size_t *at, const char **s, size_t *n)
{
    while (*at < f->n && f->value[*at] == ' ') ++*at;
    *s = f->value + *at;
    for (*n = 0; *at < f->n && f->value[*at] != ' '; ++*at) ++*n;
    return *n > 0;
}

static int64_t count_words(const struct field *f)
{
    const char *s;
    size_t n, at = 0;
    int64_t count = 0;
    while (word(f, &at, &s, &n)) count++;
    return count;
}

static tide_status read_int(const struct lgb *l, const struct part *p, const char *key,
                            int64_t fallback, int64_t lo, int64_t hi, int64_t *out)
{
    const struct field *f = find(p, key);
    *out = fallback;
    if (!f) return TIDE_OK;
    if (num_parse_i64(f->value, f->n, out) && *out >= lo && *out <= hi) return TIDE_OK;
    return bad_line(l, TIDE_CODE_IMPORT_VALUE, f->line, key,
                    "a whole number in range is expected");
}

/* n numbers of a line; absent and not required: NULL. */
static tide_status read_numbers(const struct lgb *l, const char *key, int64_t n,
                                int is_required, double **out)
{
    const struct field *f = find(&l->tree, key);
    int is_threshold = strcmp(key, "threshold") == 0;
    const char *s;
    size_t len, at = 0;
    *out = NULL;
    if (!f && !is_required) return TIDE_OK;
    if (!f) return need(l, &l->tree, key, &f);
    if (count_words(f) != n) {
        import_bad(l->s, TIDE_CODE_IMPORT_VALUE, l->err,
                   "'%s' has %lld numbers and must have %lld", key,
                   (long long)count_words(f), (long long)n);
        return err_at(l->err, l->s->file, f->line, 0);
    }
    double *x = arena_array(l->s->a, n + 1, sizeof *x);
    if (!x) return arena_status(l->s->a, l->err);
    for (int64_t i = 0; word(f, &at, &s, &len); i++) {
        enum num_result r = num_parse(s, len, '.', &x[i]);
        if (is_threshold && len == 3 && memcmp(s, "inf", 3) == 0) {
            x[i] = HUGE_VAL; /* numbers against missing ones */
            continue;
        }
        if (r == NUM_BAD || r == NUM_OVERFLOW)
            return bad_line(l, TIDE_CODE_IMPORT_VALUE, f->line, key,
                            "a finite number is expected");
    }
    *out = x;
    return TIDE_OK;
}

/* ---- head ---- */

struct objective {
    const char *name;
    int8_t link;
    uint8_t classes; /* 0 a number, 1 two, 2 num_class */
};
static const struct objective objectives[] = {
    {"regression", IMPORTED_IDENTITY, 0},
    {"regression_l1", IMPORTED_IDENTITY, 0},
    {"huber", IMPORTED_IDENTITY, 0},
    {"fair", IMPORTED_IDENTITY, 0},
    {"quantile", IMPORTED_IDENTITY, 0},
    {"mape", IMPORTED_IDENTITY, 0},
    {"poisson", IMPORTED_EXP, 0},
    {"gamma", IMPORTED_EXP, 0},
    {"tweedie", IMPORTED_EXP, 0},
    {"cross_entropy", IMPORTED_SIGMOID, 0},
    {"xentropy", IMPORTED_SIGMOID, 0},
    {"cross_entropy_lambda", IMPORTED_LOG_ONE_EXP, 0},
    {"xentlambda", IMPORTED_LOG_ONE_EXP, 0},
    {"lambdarank", IMPORTED_IDENTITY, 0},
    {"rank_xendcg", IMPORTED_IDENTITY, 0},
    {"binary", IMPORTED_SIGMOID, 1},
    {"multiclass", IMPORTED_SOFTMAX, 2},
    {"multiclassova", IMPORTED_ONE_VS_ALL, 2},
};

static const struct objective *find_objective(const char *s, size_t n)
{
    for (size_t i = 0; i < sizeof objectives / sizeof *objectives; i++)
        if (strlen(objectives[i].name) == n && memcmp(objectives[i].name, s, n) == 0)
            return &objectives[i];
    return NULL;
}

static tide_status read_objective(struct lgb *l, const struct import_how *how)
{
    struct import_source *s = l->s;
    const struct field *f = find(&l->head, "objective");
    const char *t = "";
    size_t n = 0, at = 0;
    char shown[128];
    if (f) word(f, &at, &t, &n);
    const struct objective *o = find_objective(t, n);
    s->objective = f ? arena_strn(s->a, f->value, f->n) : "";
    s->link = IMPORTED_IDENTITY;
    s->scale = 1;
    s->task = TIDE_REGRESS;
    if (how->raw) return TIDE_OK;
    if (!o) {
        import_bad(s, TIDE_CODE_IMPORT_UNSUPPORTED, l->err,
                   f ? "the objective \"%s\" is not known"
                     : "the model has no objective%s",
                   f ? err_quote(shown, sizeof shown, t, n, 60) : "");
        err_at(l->err, s->file, f ? f->line : 0, 0);
        return err_hint(l->err, "", "--raw takes its raw scores");
    }
    s->link = o->link;
    s->task = o->classes ? TIDE_CLASSIFY : TIDE_REGRESS;
    s->n_classes = o->classes == 2 ? l->per_round : 2;
    if (s->task == TIDE_CLASSIFY && (o->classes == 2) != (l->per_round > 1))
        return bad_line(l, TIDE_CODE_IMPORT_VALUE, f->line, "objective",
                        "the number of classes does not fit");
    while (word(f, &at, &t, &n)) {
        int is_sqrt = n == 4 && memcmp(t, "sqrt", 4) == 0;
        if (starts(t, n, "sigmoid:")) {
            if (num_parse(t + 8, n - 8, '.', &s->scale) == NUM_BAD || !(s->scale > 0) ||
                !isfinite(s->scale))
                return bad_line(l, TIDE_CODE_IMPORT_VALUE, f->line, "sigmoid",
                                "a number above 0 is expected");
        } else if (is_sqrt && strcmp(o->name, "regression") == 0) {
            s->link = IMPORTED_SQUARE;
        } else if (!starts(t, n, "num_class:")) {
            import_bad(s, TIDE_CODE_IMPORT_UNSUPPORTED, l->err,
                       "'objective': \"%s\" is not understood",
                       err_quote(shown, sizeof shown, t, n, 60));
            return err_at(l->err, s->file, f->line, 0);
        }
    }
    return TIDE_OK;
}

/* "[-1.5:2]": numbers seen. Lists of codes are categories, "none" is a constant. */
static void read_range(struct import_feature *f, const char *s, size_t n)
{
    const char *colon = n > 2 && s[0] == '[' ? memchr(s, ':', n) : NULL;
    f->lo = f->hi = (double)NAN;
    if (!colon || s[n - 1] != ']') return;
    if (num_parse(s + 1, (size_t)(colon - s) - 1, '.', &f->lo) == NUM_BAD ||
        num_parse(colon + 1, n - (size_t)(colon - s) - 2, '.', &f->hi) == NUM_BAD ||
        !isfinite(f->lo) || !isfinite(f->hi) || f->lo > f->hi)
        f->lo = f->hi = (double)NAN;
}

static tide_status read_features(struct lgb *l, uint8_t **is_category)
{
    struct import_source *s = l->s;
    const struct field *names, *infos = find(&l->head, "feature_infos");
    int64_t most = 0;
    const char *t;
    size_t n, at = 0;
    tide_status st = read_int(l, &l->head, "max_feature_idx", -1, 0,
                              IMPORT_MOST_FEATURES - 1, &most);
    if (!st && most < 0)
        st = bad_line(l, TIDE_CODE_IMPORT_VALUE, 1, "max_feature_idx", "is absent");
    if (!st) st = need(l, &l->head, "feature_names", &names);
    if (st) return st;
    if (count_words(names) != most + 1)
        return bad_line(l, TIDE_CODE_IMPORT_VALUE, names->line, "feature_names",
                        "there are not as many as max_feature_idx says");
    if (infos && count_words(infos) != most + 1)
        return bad_line(l, TIDE_CODE_IMPORT_VALUE, infos->line, "feature_infos",
                        "there are not as many as max_feature_idx says");
    s->n_features = (int32_t)(most + 1);
    s->feature = arena_zero(s->a, (size_t)s->n_features * sizeof *s->feature);
    *is_category = arena_zero(s->a, (size_t)s->n_features);
    for (int32_t j = 0; *is_category && s->feature && word(names, &at, &t, &n); j++) {
        s->feature[j].name = arena_strn(s->a, t, n);
        s->feature[j].lo = s->feature[j].hi = (double)NAN;
    }
    at = 0;
    for (int32_t j = 0; infos && *is_category && word(infos, &at, &t, &n); j++) {
        read_range(&s->feature[j], t, n);
        (*is_category)[j] = t[0] != '[' && !(n == 4 && memcmp(t, "none", 4) == 0);
    }
    return arena_status(s->a, l->err);
}

static tide_status read_head(struct lgb *l, const struct import_how *how,
                             uint8_t **is_category)
{
    struct import_source *s = l->s;
    const struct field *version = find(&l->head, "version");
    char shown[128];
    int64_t k = 1;
    const char *v = version ? version->value : "";
    size_t n = version ? version->n : 0;
    if (n != 2 || v[0] != 'v' || v[1] < '2' || v[1] > '4') {
        import_bad(s, TIDE_CODE_IMPORT_UNSUPPORTED, l->err,
                   "version \"%s\" is not known, v2 to v4 are read",
                   err_quote(shown, sizeof shown, v, n, 60));
        return err_at(l->err, s->file, version ? version->line : 1, 0);
    }
    s->version = arena_strn(s->a, v, n);
    tide_status st = read_int(l, &l->head, "num_tree_per_iteration", 1, 1, 65536, &k);
    if (st) return st;
    l->per_round = s->n_outputs = (int32_t)k;
    s->leaf_width = 1;
    st = read_objective(l, how);
    if (!st && s->task == TIDE_REGRESS && k > 1)
        st = bad_line(l, TIDE_CODE_IMPORT_UNSUPPORTED, 1, NULL,
                      "raw scores of several outputs cannot be imported");
    if (!st) st = read_features(l, is_category);
    double *base = arena_zero(s->a, (size_t)k * sizeof *base);
    s->base = base;
    return st ? st : arena_status(s->a, l->err);
}

/* ---- trees ---- */

static tide_status bad_node(const struct lgb *l, const char *key, int64_t i,
                            const char *what)
{
    const struct field *f = find(&l->tree, key);
    import_bad(l->s, TIDE_CODE_IMPORT_VALUE, l->err, "'%s' number %lld: %s", key,
               (long long)i + 1, what);
    err_at(l->err, l->s->file, f ? f->line : l->tree.line, 0);
    return err_place(l->err, "tree %lld", (long long)l->n_trees);
}

struct tree_lines {
    double *left, *right, *feature, *thr, *decision, *value, *gain, *leaf_cover, *cover,
        *bounds, *words, *constant, *n_of, *leaf_feature, *coef;
    int64_t n_leaves, n_cat, n_words, is_linear;
    uint8_t *is_used; /* [n_cat] sets that a node has */
};

/* A whole number in [lo, hi], else INT64_MIN. */
static int64_t whole(double x, int64_t lo, int64_t hi)
{
    return x >= (double)lo && x <= (double)hi && x == floor(x) ? (int64_t)x : INT64_MIN;
}

/* Coefficients of all leaves one after another, as many as each says. A lone leaf has none. */
static tide_status open_linear(struct lgb *l, struct tree_lines *t)
{
    int64_t n = t->n_leaves, total = 0;
    tide_status st = read_numbers(l, "leaf_const", n, 1, &t->constant);
    if (st || n == 1) return st;
    st = read_numbers(l, "num_features", n, 1, &t->n_of);
    for (int64_t i = 0; !st && i < n; i++) {
        int64_t own = whole(t->n_of[i], 0, l->s->n_features);
        if (own < 0) return bad_node(l, "num_features", i, "is no number of columns");
        total += own;
    }
    if (!st) st = read_numbers(l, "leaf_features", total, 1, &t->leaf_feature);
    if (!st) st = read_numbers(l, "leaf_coeff", total, 1, &t->coef);
    for (int64_t i = 0; !st && i < total; i++)
        if (whole(t->leaf_feature[i], 0, l->s->n_features - 1) < 0)
            st = bad_node(l, "leaf_features", i, "the column is out of range");
    return st;
}

static tide_status open_tree(struct lgb *l, struct tree_lines *t)
{
    int64_t n = 0;
    const struct field *f;
    *t = (struct tree_lines){0};
    tide_status st = need(l, &l->tree, "num_leaves", &f);
    if (!st) st = read_int(l, &l->tree, "num_leaves", 0, 1, INT32_MAX / 2, &n);
    if (!st) st = read_int(l, &l->tree, "is_linear", 0, 0, 1, &t->is_linear);
    if (st) return st;
    t->n_leaves = n;
    st = read_numbers(l, "leaf_value", n, 1, &t->value);
    if (!st && n > 1) {
        st = read_numbers(l, "split_feature", n - 1, 1, &t->feature);
        if (!st) st = read_numbers(l, "threshold", n - 1, 1, &t->thr);
        if (!st) st = read_numbers(l, "decision_type", n - 1, 1, &t->decision);
        if (!st) st = read_numbers(l, "left_child", n - 1, 1, &t->left);
        if (!st) st = read_numbers(l, "right_child", n - 1, 1, &t->right);
        if (!st) st = read_numbers(l, "split_gain", n - 1, 0, &t->gain);
        if (!st) st = read_numbers(l, "internal_count", n - 1, 0, &t->cover);
        if (!st) st = read_numbers(l, "leaf_count", n, 0, &t->leaf_cover);
        if (!st) st = read_int(l, &l->tree, "num_cat", 0, 0, INT32_MAX, &t->n_cat);
    }
    f = find(&l->tree, "cat_threshold");
    t->n_words = f ? count_words(f) : 0;
    if (!st && t->n_cat)
        st = read_numbers(l, "cat_boundaries", t->n_cat + 1, 1, &t->bounds);
    if (!st && t->n_cat)
        st = read_numbers(l, "cat_threshold", t->n_words, 1, &t->words);
    for (int64_t k = 0; !st && t->n_cat && k < t->n_cat; k++)
        if (!(t->bounds[k] <= t->bounds[k + 1]))
            return bad_node(l, "cat_boundaries", k, "they do not ascend");
    if (!st && t->is_linear) st = open_linear(l, t);
    t->is_used = arena_zero(l->s->a, (size_t)t->n_cat + 1);
    return st ? st : arena_status(l->s->a, l->err);
}

static tide_status read_set(struct lgb *l, const struct tree_lines *t, int64_t i,
                            struct import_node *q)
{
    int64_t k = whole(t->thr[i], 0, t->n_cat - 1), n = 0;
    if (k < 0 || t->is_used[k]++)
        return bad_node(l, "threshold", i, "is no number of a set, or that of another");
    int64_t from = whole(t->bounds[k], 0, t->n_words);
    int64_t to = whole(t->bounds[k + 1], 0, t->n_words);
    if (from < 0 || to < from || (to - from) * 32 > IMPORT_MOST_CATEGORY)
        return bad_node(l, "cat_boundaries", k, "lies beyond the sets");
    int32_t *member = arena_array(l->s->a, (to - from) * 32 + 1, sizeof *member);
    if (!member) return arena_status(l->s->a, l->err);
    for (int64_t w = from; w < to; w++) {
        int64_t bits = whole(t->words[w], 0, UINT32_MAX);
        if (bits < 0) return bad_node(l, "cat_threshold", w, "is no word of 32 bits");
        for (int b = 0; b < 32; b++)
            if ((bits >> b) & 1) member[n++] = (int32_t)((w - from) * 32 + b);
    }
    q->test = IMPORT_SET;
    q->missing_left = 0;
    q->set = import_trees_set(l->s->trees, &(struct import_set){.feature = q->feature,
                                                                .n = (int32_t)n,
                                                                .member = member,
                                                                .member_left = 1});
    return q->set < 0 ? err_nomem(l->err, 0) : TIDE_OK;
}

static tide_status read_test(struct lgb *l, const struct tree_lines *t, int64_t i,
                             struct import_node *q)
{
    int64_t f = whole(t->feature[i], 0, l->s->n_features - 1);
    int64_t how = whole(t->decision[i], 0, 255);
    double thr = t->thr[i];
    if (f < 0) return bad_node(l, "split_feature", i, "the column is out of range");
    if (how < 0 || how >> 2 > 2) return bad_node(l, "decision_type", i, "is not known");
    q->feature = (int32_t)f;
    if (how & 1) return read_set(l, t, i, q);
    if (thr >= -IMPORT_ZERO_EDGE && thr < 0)
        thr = nextafter(-IMPORT_ZERO_EDGE, -INFINITY);
    else if (thr >= 0 && thr < IMPORT_ZERO_EDGE)
        thr = IMPORT_ZERO_EDGE;
    q->thr = thr;
    q->test = how >> 2 == 1 ? IMPORT_ZERO : IMPORT_AT_MOST;
    q->missing_left = how >> 2 == 0 ? thr >= 0 : (how & 2) != 0;
    return TIDE_OK;
}

/* Child i >= 0 is a node; ~leaf comes after the nodes. */
static int32_t child(const struct tree_lines *t, double x)
{
    int64_t n = t->n_leaves, c = whole(x, -n, n - 2);
    return c == INT64_MIN ? -1 : (int32_t)(c >= 0 ? c : n - 1 + ~c);
}

/* What leaves 0..n-1 of a tree add up, [n]; they live as long as the model is made. */
static tide_status read_linear(struct lgb *l, const struct tree_lines *t,
                               struct import_linear **out)
{
    int64_t at = 0, n = t->n_leaves;
    *out = NULL;
    if (!t->is_linear) return TIDE_OK;
    struct import_linear *linear = arena_zero(l->s->a, (size_t)n * sizeof *linear);
    if (!linear) return arena_status(l->s->a, l->err);
    for (int64_t i = 0; i < n; i++) {
        linear[i].constant = t->constant[i];
        linear[i].n = t->n_of ? (int32_t)t->n_of[i] : 0;
        int32_t *feature = arena_array(l->s->a, linear[i].n + 1, sizeof *feature);
        if (!feature) return arena_status(l->s->a, l->err);
        for (int32_t k = 0; k < linear[i].n; k++)
            feature[k] = (int32_t)t->leaf_feature[at + k];
        linear[i].feature = feature;
        if (linear[i].n) linear[i].coef = t->coef + at;
        at += linear[i].n;
    }
    *out = linear;
    return TIDE_OK;
}

static tide_status read_tree(struct lgb *l)
{
    struct import_source *s = l->s;
    struct tree_lines t;
    struct import_linear *linear = NULL;
    int32_t at = 0;
    tide_status st = open_tree(l, &t);
    if (!st) st = read_linear(l, &t, &linear);
    if (st) return st;
    int64_t n = t.n_leaves, all = 2 * n - 1;
    struct import_node *node = arena_zero(s->a, (size_t)all * sizeof *node);
    double *value = arena_zero(s->a, (size_t)all * sizeof *value);
    if (!node || !value) return arena_status(s->a, l->err);
    for (int64_t i = 0; i < n - 1 && !st; i++) {
        node[i].left = child(&t, t.left[i]);
        node[i].right = child(&t, t.right[i]);
        if (node[i].left < 0)
            return bad_node(l, "left_child", i, "the child is out of range");
        if (node[i].right < 0)
            return bad_node(l, "right_child", i, "the child is out of range");
        node[i].gain = t.gain ? t.gain[i] : 0;
        node[i].cover = t.cover ? t.cover[i] : 0;
        st = read_test(l, &t, i, &node[i]);
    }
    if (st) return st;
    for (int64_t k = 0; k < n; k++) {
        node[n - 1 + k].left = node[n - 1 + k].right = -1;
        node[n - 1 + k].cover = t.leaf_cover ? t.leaf_cover[k] : 0;
        node[n - 1 + k].linear = linear ? &linear[k] : NULL;
        value[n - 1 + k] = t.value[k];
    }
    st = import_trees_add(s->trees, (int32_t)(l->n_trees % l->per_round), node,
                          (int32_t)all, value, 1, &at, l->err);
    if (!st || st == TIDE_ENOMEM) return st;
    err_at(l->err, s->file, l->tree.line, 0);
    return err_place(l->err, "tree %lld", (long long)l->n_trees);
}

/* Does the tree begin and end where the head says? LightGBM jumps by these sizes. */
static tide_status check_size(const struct lgb *l, const struct field *sizes,
                              size_t *at)
{
    const char *t;
    size_t n;
    int64_t want = 0;
    if (!sizes) return TIDE_OK;
    if (!word(sizes, at, &t, &n))
        return bad_line(l, TIDE_CODE_IMPORT_VALUE, sizes->line, "tree_sizes",
                        "there are more trees than sizes");
    if (num_parse_i64(t, n, &want) && want == (int64_t)(l->tree.end - l->tree.at))
        return TIDE_OK;
    import_bad(l->s, TIDE_CODE_IMPORT_VALUE, l->err,
               "'tree_sizes': tree %lld has %zu bytes and another size is said",
               (long long)l->n_trees, l->tree.end - l->tree.at);
    return err_at(l->err, l->s->file, sizes->line, 0);
}

static tide_status read_trees(struct lgb *l, const struct import_how *how)
{
    const struct field *sizes = find(&l->head, "tree_sizes");
    const char *t;
    size_t n, at = 0;
    int64_t all = 0, most = how->rounds > 0 ? how->rounds * l->per_round : INT64_MAX;
    tide_status st = TIDE_OK;
    while (!st && peeks(l, "Tree=")) {
        struct arena_mark mark = arena_mark(l->s->a);
        st = read_part(l, &l->tree);
        if (!st) st = check_size(l, sizes, &at);
        l->n_trees = all++;
        if (!st && all <= most) st = read_tree(l);
        if (!st && l->s->trees && !find(&l->tree, "cat_threshold") &&
            !find(&l->tree, "leaf_const"))
            arena_reset(l->s->a, mark); /* sets and linear leaves stay */
    }
    if (st) return st;
    if (sizes && word(sizes, &at, &t, &n))
        return bad_line(l, TIDE_CODE_IMPORT_VALUE, sizes->line, "tree_sizes",
                        "there are fewer trees than sizes");
    if (!peeks(l, "end of trees"))
        return bad_line(l, TIDE_CODE_IMPORT_SYNTAX, l->line + 1, NULL,
                        "the file ends before 'end of trees'");
    if (all % l->per_round)
        return bad_line(l, TIDE_CODE_IMPORT_VALUE, l->line, NULL,
                        "the last round of trees is not whole");
    l->s->n_rounds = (all < most ? all : most) / l->per_round;
    l->s->divide = 1;
    if (find(&l->head, "average_output") && l->s->n_rounds > 1 && !how->raw)
        l->s->divide = (int32_t)l->s->n_rounds;
    return TIDE_OK;
}

/* ---- pandas ---- */

static const char *level_text(struct lgb *l, const struct doc *list, int64_t k)
{
    char out[NUM_PRINT_MAX];
    if (list->kind == DOC_LIST) {
        const struct doc *d = &list->v.item[k];
        return d->kind == DOC_TEXT ? d->v.s : NULL;
    }
    if (list->kind == DOC_INTS)
        (void)num_print_i64(out, list->v.ints[k]);
    else
        (void)num_print(out, list->v.reals[k]);
    return arena_str(l->s->a, out);
}

static tide_status read_pandas(struct lgb *l, const uint8_t *is_category)
{
    static const char key[] = "pandas_categorical:";
    struct import_source *s = l->s;
    const char *t = NULL;
    size_t n = 0;
    struct doc root = {0};
    int32_t n_categories = 0;
    int found = 0;
    while (!found && next_line(l, &t, &n)) found = starts(t, n, key);
    if (!found) return TIDE_OK;
    tide_error inner = {0};
    tide_status st =
        doc_read_json(t + strlen(key), n - strlen(key), 0, s->a, &root, &inner);
    if (st == TIDE_ENOMEM) return err_nomem(l->err, 0);
    if (st)
        return bad_line(l, TIDE_CODE_IMPORT_SYNTAX, l->line, "pandas_categorical",
                        inner.message);
    if (root.kind == DOC_NULL || doc_count(&root) == 0) return TIDE_OK;
    for (int32_t j = 0; j < s->n_features; j++) n_categories += is_category[j];
    if (root.kind != DOC_LIST || root.n != n_categories)
        return bad_line(l, TIDE_CODE_IMPORT_UNSUPPORTED, l->line, "pandas_categorical",
                        "the lists cannot be matched with the columns of categories");
    for (int32_t j = 0, i = 0; j < s->n_features && !st; j++) {
        if (!is_category[j]) continue;
        const struct doc *list = &root.v.item[i++];
        int64_t n_levels = doc_count(list);
        if (n_levels < 1 || n_levels > IMPORT_MOST_CATEGORY)
            return bad_line(l, TIDE_CODE_IMPORT_VALUE, l->line, "pandas_categorical",
                            "a list of categories is expected");
        const char **level = arena_array(s->a, n_levels, sizeof *level);
        for (int64_t k = 0; level && k < n_levels; k++) {
            level[k] = level_text(l, list, k);
            if (!level[k] && !s->a->failed)
                return bad_line(l, TIDE_CODE_IMPORT_UNSUPPORTED, l->line,
                                "pandas_categorical",
                                "categories are texts or numbers");
        }
        s->feature[j].level = level;
        s->feature[j].n_levels = (uint32_t)n_levels;
        st = arena_status(s->a, l->err);
    }
    return st;
}

/* A column with a dictionary has no thresholds. */
static tide_status check_kinds(const struct lgb *l)
{
    int32_t j = import_trees_mixed(l->s);
    if (j < 0) return TIDE_OK;
    import_bad(l->s, TIDE_CODE_IMPORT_UNSUPPORTED, l->err,
               "column '%s' has categories of pandas and is split as a number",
               l->s->feature[j].name);
    return err_field(l->err, l->s->feature[j].name);
}

tide_status import_lightgbm(struct import_source *s, const char *text, size_t n,
                            const struct import_how *how, tide_error *err)
{
    struct lgb *l = arena_zero(s->a, sizeof *l);
    uint8_t *is_category = NULL;
    if (!l) return arena_status(s->a, err);
    *l = (struct lgb){.s = s, .text = text, .n = n, .err = err};
    s->program = IMPORTED_LIGHTGBM;
    size_t bad = utf8_check(text, n);
    const char *nul = memchr(text, 0, n);
    if (bad || nul) {
        import_bad(s, TIDE_CODE_IMPORT_SYNTAX, err,
                   nul ? "holds a NUL byte" : "not UTF-8");
        if (err) err->offset = nul ? nul - text : (int64_t)bad - 1;
        return TIDE_EMODEL;
    }
    if (how->rounds < 0) {
        import_bad(
            s, TIDE_CODE_IMPORT_VALUE, err,
            "LightGBM saves the best rounds only and does not say which were best");
        return err_hint(err, "trees", "all");
    }
    tide_status st = read_part(l, &l->head);
    if (!st) st = read_head(l, how, &is_category);
    if (!st) st = read_trees(l, how);
    if (!st) st = read_pandas(l, is_category);
    return st ? st : check_kinds(l);
}
