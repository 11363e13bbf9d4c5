/* import_xgboost.c - models that XGBoost saved (versions 1 to 3, JSON and UBJSON)
 *
 * Every number is hostile. What changes predictions and is not understood is refused by name.
 *
 * Base score    is stored in output space; its way back to a raw score is taken in float with
 *               the C library's logf, as XGBoost does, since strict sums start there
 * Comparison    (float)x < t as an edge on doubles (import_float_edge)
 * Categories    those listed at a node go right; anything else that is not missing, left
 */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/numparse.h"
#include "base/str.h"
#include "store/import.h"
#include "store/import_doc.h"

struct xgb {
    struct import_source *s;
    const struct doc *learner, *model, *trees, *info;
    int64_t n_trees, n_parallel;
    const struct doc *weight_drop;
    tide_error *err;
};

static tide_status bad_at(const struct xgb *x, tide_code code, const char *where,
                          const char *what)
{
    import_bad(x->s, code, x->err, "%s", what);
    return err_place(x->err, "/learner/%s", where);
}

static tide_status bad_value(const struct xgb *x, const char *where, const char *what)
{
    return bad_at(x, TIDE_CODE_IMPORT_VALUE, where, what);
}

/* A text of the file for a message. */
static const char *quoted(char out[128], const struct doc *d)
{
    if (!d || d->kind != DOC_TEXT) return "";
    return err_quote(out, 128, d->v.s, (size_t)d->n, 60);
}

/* A whole number that stands as text or as itself; absent: `fallback`. */
static tide_status want_int(const struct xgb *x, const struct doc *of, const char *key,
                            const char *where, int64_t fallback, int64_t lo, int64_t hi,
                            int64_t *out)
{
    const struct doc *d = doc_get(of, key);
    char path[128];
    *out = fallback;
    if (!d) return TIDE_OK;
    int is_int = d->kind == DOC_INT;
    if (is_int) *out = d->v.i;
    if (d->kind == DOC_TEXT) is_int = num_parse_i64(d->v.s, (size_t)d->n, out);
    if (is_int && *out >= lo && *out <= hi) return TIDE_OK;
    str_format(path, sizeof path, "%s/%s", where, key);
    return bad_value(x, path, "a whole number in range is expected");
}

/* ---- objective and base score ---- */

enum base_kind { BASE_AS_IS, BASE_LOGIT, BASE_LOG };
struct objective {
    const char *name;
    int8_t link, base;
    uint8_t classes; /* 0 a number, 1 two classes, 2 num_class */
};
static const struct objective objectives[] = {
    {"reg:squarederror", IMPORTED_IDENTITY, BASE_AS_IS, 0},
    {"reg:linear", IMPORTED_IDENTITY, BASE_AS_IS, 0},
    {"reg:squaredlogerror", IMPORTED_IDENTITY, BASE_AS_IS, 0},
    {"reg:pseudohubererror", IMPORTED_IDENTITY, BASE_AS_IS, 0},
    {"reg:absoluteerror", IMPORTED_IDENTITY, BASE_AS_IS, 0},
    {"reg:quantileerror", IMPORTED_IDENTITY, BASE_AS_IS, 0},
    {"reg:logistic", IMPORTED_SIGMOID, BASE_LOGIT, 0},
    {"reg:gamma", IMPORTED_EXP, BASE_LOG, 0},
    {"reg:tweedie", IMPORTED_EXP, BASE_LOG, 0},
    {"count:poisson", IMPORTED_EXP, BASE_LOG, 0},
    {"survival:cox", IMPORTED_EXP, BASE_LOG, 0},
    {"survival:aft", IMPORTED_EXP, BASE_LOG, 0},
    {"rank:pairwise", IMPORTED_IDENTITY, BASE_AS_IS, 0},
    {"rank:ndcg", IMPORTED_IDENTITY, BASE_AS_IS, 0},
    {"rank:map", IMPORTED_IDENTITY, BASE_AS_IS, 0},
    {"binary:logistic", IMPORTED_SIGMOID, BASE_LOGIT, 1},
    {"binary:logitraw", IMPORTED_SIGMOID, BASE_AS_IS, 1},
    {"binary:hinge", IMPORTED_STEP, BASE_AS_IS, 1},
    {"multi:softprob", IMPORTED_SOFTMAX, BASE_AS_IS, 2},
    {"multi:softmax", IMPORTED_SOFTMAX, BASE_AS_IS, 2},
};

static const struct objective *find_objective(const char *name)
{
    for (size_t i = 0; i < sizeof objectives / sizeof *objectives; i++)
        if (strcmp(objectives[i].name, name) == 0) return &objectives[i];
    return NULL;
}

static tide_status base_margin(const struct xgb *x, enum base_kind kind, float v,
                               double *out)
{
    float m = v;
    if (kind == BASE_LOGIT) {
        v = v < 1e-6f ? 1e-6f : v > 1 - 1e-6f ? 1 - 1e-6f : v;
        m = -logf(1.0f / v - 1.0f);
    } else if (kind == BASE_LOG) {
        m = logf(v);
    }
    if (!isfinite(m))
        return bad_value(x, "learner_model_param/base_score",
                         "the base score is not in the range of the objective");
    *out = (double)m;
    return TIDE_OK;
}

/* "5E-1" or "[5E-1,2E-1]"; one value is that of all outputs. */
static tide_status read_base(const struct xgb *x, const struct doc *d,
                             const struct objective *o)
{
    struct import_source *s = x->s;
    const char *where = "learner_model_param/base_score";
    double *base = arena_array(s->a, s->n_outputs, sizeof *base);
    if (!base) return arena_status(s->a, x->err);
    const char *t = d && d->kind == DOC_TEXT ? d->v.s : "5E-1";
    size_t n = strlen(t);
    if (n >= 2 && t[0] == '[' && t[n - 1] == ']') {
        t++;
        n -= 2;
    }
    int32_t got = 0;
    for (size_t i = 0; i <= n; i++) {
        size_t from = i;
        double v = 0;
        while (i < n && t[i] != ',') i++;
        if (got == s->n_outputs || num_parse(t + from, i - from, '.', &v) == NUM_BAD)
            return bad_value(x, where, "a number for each output is expected");
        tide_status st = base_margin(x, (enum base_kind)(o ? o->base : BASE_AS_IS),
                                     (float)v, &base[got++]);
        if (st) return st;
    }
    if (got != 1 && got != s->n_outputs)
        return bad_value(x, where, "a number for each output is expected");
    for (int32_t k = got; k < s->n_outputs; k++) base[k] = base[0];
    s->base = base;
    return TIDE_OK;
}

static tide_status read_learner(struct xgb *x, const struct import_how *how)
{
    struct import_source *s = x->s;
    const struct doc *param = doc_get(x->learner, "learner_model_param");
    const struct doc *name = doc_get(doc_get(x->learner, "objective"), "name");
    int64_t n_features = 0, n_class = 0, n_target = 1;
    char shown[128];
    tide_status st = want_int(x, param, "num_feature", "learner_model_param", 0, 0,
                              INT64_MAX, &n_features);
    if (!st)
        st = want_int(x, param, "num_class", "learner_model_param", 0, 0, 65536,
                      &n_class);
    if (!st)
        st = want_int(x, param, "num_target", "learner_model_param", 1, 0, INT32_MAX,
                      &n_target);
    if (st) return st;
    if (n_features < 1 || n_features > IMPORT_MOST_FEATURES)
        return bad_value(x, "learner_model_param/num_feature",
                         "the number of columns must be in [1, 65536]");
    if (n_target > 1)
        return bad_at(x, TIDE_CODE_IMPORT_UNSUPPORTED, "learner_model_param/num_target",
                      "models of several targets cannot be imported");
    const struct objective *o =
        name && name->kind == DOC_TEXT ? find_objective(name->v.s) : NULL;
    if (!o && !how->raw) {
        import_bad(s, TIDE_CODE_IMPORT_UNSUPPORTED, x->err,
                   "the objective \"%s\" is not known", quoted(shown, name));
        err_place(x->err, "/learner/objective/name");
        return err_hint(x->err, "", "--raw takes its raw scores");
    }
    s->objective = arena_str(s->a, name && name->kind == DOC_TEXT ? name->v.s : "");
    s->n_features = (int32_t)n_features;
    s->n_outputs = n_class > 1 ? (int32_t)n_class : 1;
    s->divide = 1;
    s->scale = 1;
    s->task = o && o->classes && !how->raw ? TIDE_CLASSIFY : TIDE_REGRESS;
    s->n_classes = s->task != TIDE_CLASSIFY ? 0 : o->classes == 2 ? s->n_outputs : 2;
    s->link = how->raw ? IMPORTED_IDENTITY : o->link;
    if (s->task == TIDE_CLASSIFY ? (o->classes == 2) != (s->n_outputs > 1)
                                 : s->n_outputs > 1)
        return bad_value(x, "learner_model_param/num_class",
                         "the number of classes does not fit the objective");
    st = read_base(x, doc_get(param, "base_score"), o);
    return st ? st : arena_status(s->a, x->err);
}

/* ---- features ---- */

static tide_status read_names(struct xgb *x)
{
    struct import_source *s = x->s;
    const struct doc *names = doc_get(x->learner, "feature_names"),
                     *types = doc_get(x->learner, "feature_types");
    int64_t n = doc_count(names), n_types = doc_count(types);
    s->feature = arena_zero(s->a, (size_t)s->n_features * sizeof *s->feature);
    tide_status st = arena_status(s->a, x->err);
    if (st) return st;
    if ((n > 0 && n != s->n_features) || (n_types > 0 && n_types != s->n_features))
        return bad_value(x, "feature_names",
                         "a name and type for each column are expected");
    for (int32_t j = 0; j < s->n_features; j++) {
        char own[32];
        const struct doc *name =
            n > 0 && names->kind == DOC_LIST ? &names->v.item[j] : NULL;
        const struct doc *type =
            n_types > 0 && types->kind == DOC_LIST ? &types->v.item[j] : NULL;
        if ((n > 0 && (!name || name->kind != DOC_TEXT)) ||
            (n_types > 0 && (!type || type->kind != DOC_TEXT)))
            return bad_value(x, "feature_names", "a text is expected");
        str_format(own, sizeof own, "f%d", (int)j);
        s->feature[j].name = name ? name->v.s : arena_str(s->a, own);
        s->feature[j].lo = s->feature[j].hi = (double)NAN;
    }
    return arena_status(s->a, x->err);
}

/* Text of level k of a dictionary of texts or whole numbers; NULL: it has none. */
static const char *level_text(struct xgb *x, const struct doc *enc, int64_t k)
{
    const struct doc *offsets = doc_get(enc, "offsets"),
                     *values = doc_get(enc, "values");
    char out[NUM_PRINT_MAX];
    if (doc_count(offsets) < 0) {
        int64_t v = doc_int_at(values, k);
        const struct doc *type = doc_get(enc, "type");
        int is_unsigned = type && type->kind == DOC_INT && type->v.i == 16;
        if (v < 0 && is_unsigned) /* u64 above i64 in a signed field */
            str_format(out, sizeof out, "%llu", (unsigned long long)v);
        else
            (void)num_print_i64(out, v);
        return arena_str(x->s->a, out);
    }
    int64_t from = doc_int_at(offsets, k), to = doc_int_at(offsets, k + 1);
    if (from < 0 || to < from || to > doc_count(values)) return NULL;
    char *t = arena_push(x->s->a, (size_t)(to - from) + 1);
    for (int64_t i = from; t && i < to; i++) {
        int64_t c = doc_int_at(values, i);
        if (c < -128 || c > 255 || c == 0) return NULL;
        t[i - from] = (char)c;
    }
    if (t) t[to - from] = '\0';
    return t && utf8_check(t, (size_t)(to - from)) ? NULL : t;
}

/* The dictionaries of 3.1 and later. */
static tide_status read_cats(struct xgb *x)
{
    struct import_source *s = x->s;
    const struct doc *enc = doc_get(doc_get(x->model, "cats"), "enc");
    const char *where = "gradient_booster/model/cats/enc";
    int64_t n = doc_count(enc);
    if (n <= 0) return TIDE_OK;
    if (n != s->n_features || enc->kind != DOC_LIST)
        return bad_value(x, where, "a dictionary for each column is expected");
    for (int32_t j = 0; j < s->n_features; j++) {
        const struct doc *one = &enc->v.item[j], *offsets = doc_get(one, "offsets");
        const struct doc *values = doc_get(one, "values"), *type = doc_get(one, "type");
        int64_t n_levels = offsets ? doc_count(offsets) - 1 : doc_count(values);
        if (one->kind != DOC_OBJECT || doc_count(values) < 0 ||
            (offsets && doc_count(offsets) < 0))
            return bad_value(x, where, "offsets and values are expected");
        if (n_levels <= 0) continue;
        if (n_levels > IMPORT_MOST_CATEGORY)
            return bad_value(x, where, "more than 2^24 categories");
        if (!offsets &&
            (!type || type->kind != DOC_INT || type->v.i < 9 || type->v.i > 16))
            return bad_at(x, TIDE_CODE_IMPORT_UNSUPPORTED, where,
                          "categories of this type cannot be imported");
        const char **level = arena_array(s->a, n_levels, sizeof *level);
        for (int64_t k = 0; level && k < n_levels; k++) {
            if (!offsets && doc_int_at(values, k) == INT64_MIN &&
                values->kind != DOC_INTS)
                return bad_value(x, where, "a whole number is expected");
            level[k] = level_text(x, one, k);
            if (!level[k] && !s->a->failed)
                return bad_value(x, where, "a category's text cannot be read");
        }
        s->feature[j].level = level;
        s->feature[j].n_levels = (uint32_t)n_levels;
    }
    return arena_status(s->a, x->err);
}

/* ---- trees ---- */

struct tree_doc {
    const struct doc *left, *right, *feature, *condition, *default_left, *type, *gain,
        *cover;
    const struct doc *categories, *cat_nodes, *cat_segments, *cat_sizes;
    const struct doc *leaf_weights, *base_weights;
    int64_t tree, n_members; /* of the sets so far */
    int32_t n, width;
};

static tide_status bad_node(const struct xgb *x, const struct tree_doc *t,
                            const char *key, int64_t i, const char *what)
{
    char path[128];
    str_format(path, sizeof path, "gradient_booster/model/trees/%lld/%s/%lld",
               (long long)t->tree, key, (long long)i);
    return bad_value(x, path, what);
}

static tide_status want_list(const struct xgb *x, const struct tree_doc *t,
                             const struct doc *of, const char *key, int64_t n,
                             const struct doc **out)
{
    *out = doc_get(of, key);
    if (*out && doc_count(*out) == n &&
        (n == 0 || (*out)->kind == DOC_INTS || (*out)->kind == DOC_REALS))
        return TIDE_OK;
    return bad_node(x, t, key, 0, "a list with a number for each node is expected");
}

static tide_status open_tree(const struct xgb *x, const struct doc *d, int64_t i,
                             struct tree_doc *t)
{
    const struct doc *param = doc_get(d, "tree_param");
    int64_t n = doc_count(doc_get(d, "left_children")), said = n, width = 1;
    *t = (struct tree_doc){.tree = i};
    tide_status st = want_int(x, param, "num_nodes", "gradient_booster/model/trees", n,
                              INT64_MIN, INT64_MAX, &said);
    if (!st)
        st = want_int(x, param, "size_leaf_vector", "gradient_booster/model/trees", 1,
                      0, 65536, &width);
    if (st) return st;
    if (n < 1 || n > INT32_MAX || said != n)
        return bad_node(x, t, "tree_param/num_nodes", 0,
                        "is not the number of nodes that are there");
    t->n = (int32_t)n;
    t->width = width > 1 ? (int32_t)width : 1;
    if (t->width > 1 && t->width != x->s->n_outputs)
        return bad_node(x, t, "tree_param/size_leaf_vector", 0,
                        "a leaf needs a value for each output");
    st = want_list(x, t, d, "left_children", n, &t->left);
    if (!st) st = want_list(x, t, d, "right_children", n, &t->right);
    if (!st) st = want_list(x, t, d, "split_indices", n, &t->feature);
    if (!st) st = want_list(x, t, d, "split_conditions", n, &t->condition);
    if (!st) st = want_list(x, t, d, "default_left", n, &t->default_left);
    if (st) return st;
    t->type = doc_get(d, "split_type");
    if (doc_count(t->type) > 0) {
        st = want_list(x, t, d, "split_type", n, &t->type);
        if (!st && doc_count(doc_get(d, "categories_nodes")) > 0) {
            t->cat_nodes = doc_get(d, "categories_nodes");
            t->categories = doc_get(d, "categories");
            st = want_list(x, t, d, "categories_segments", doc_count(t->cat_nodes),
                           &t->cat_segments);
            if (!st)
                st = want_list(x, t, d, "categories_sizes", doc_count(t->cat_nodes),
                               &t->cat_sizes);
        }
    } else {
        t->type = NULL;
    }
    t->gain = doc_get(d, "loss_changes");
    t->cover = doc_get(d, "sum_hessian");
    if (doc_count(t->gain) != n) t->gain = NULL;
    if (doc_count(t->cover) != n) t->cover = NULL;
    t->leaf_weights = doc_get(d, "leaf_weights");
    t->base_weights = doc_get(d, "base_weights");
    return st;
}

static int ascends(const int32_t *a, int32_t n)
{
    for (int32_t i = 1; i < n; i++)
        if (a[i] <= a[i - 1]) return 0;
    return 1;
}

/* The set of category node number k of its tree. */
static tide_status read_set(struct xgb *x, struct tree_doc *t, int64_t k,
                            int32_t feature, int32_t *set)
{
    int64_t from = doc_int_at(t->cat_segments, k), n = doc_int_at(t->cat_sizes, k);
    int64_t all = doc_count(t->categories);
    if (from < 0 || n < 0 || all < 0 || from > all || n > all - from ||
        (t->n_members += n) > all)
        return bad_node(x, t, "categories_segments", k, "lies beyond the categories");
    int32_t *member = arena_array(x->s->a, n + 1, sizeof *member);
    if (!member) return arena_status(x->s->a, x->err);
    for (int64_t i = 0; i < n; i++) {
        int64_t c = doc_int_at(t->categories, from + i);
        if (c < 0 || c >= IMPORT_MOST_CATEGORY)
            return bad_node(x, t, "categories", from + i,
                            "a category must be in [0, 2^24)");
        member[i] = (int32_t)c;
    }
    if (!ascends(member, (int32_t)n))
        return bad_node(x, t, "categories", from, "the categories do not ascend");
    *set = import_trees_set(x->s->trees, &(struct import_set){.feature = feature,
                                                              .n = (int32_t)n,
                                                              .member = member,
                                                              .member_left = 0});
    return *set < 0 ? err_nomem(x->err, 0) : TIDE_OK;
}

static tide_status read_test(struct xgb *x, struct tree_doc *t, int32_t i,
                             int64_t *next_set, struct import_node *q)
{
    struct import_source *s = x->s;
    int64_t f = doc_int_at(t->feature, i);
    float thr = (float)doc_real_at(t->condition, i);
    int is_set = t->type && doc_int_at(t->type, i) == 1;
    if (f < 0 || f >= s->n_features)
        return bad_node(x, t, "split_indices", i, "the column is out of range");
    q->feature = (int32_t)f;
    q->missing_left = doc_int_at(t->default_left, i) != 0;
    if (is_set) {
        q->test = IMPORT_SET;
        while (*next_set < doc_count(t->cat_nodes) &&
               doc_int_at(t->cat_nodes, *next_set) < i)
            ++*next_set;
        if (*next_set >= doc_count(t->cat_nodes) ||
            doc_int_at(t->cat_nodes, *next_set) != i)
            return bad_node(x, t, "categories_nodes", *next_set,
                            "a test of categories has no list");
        return read_set(x, t, *next_set, q->feature, &q->set);
    }
    if (t->type && doc_int_at(t->type, i) != 0)
        return bad_node(x, t, "split_type", i, "must be 0 or 1");
    if (s->feature[f].n_levels)
        return bad_node(x, t, "split_type", i, "a threshold on a column of categories");
    if (isnan(thr) || thr == -HUGE_VALF)
        return bad_node(x, t, "split_conditions", i, "the threshold is not a number");
    q->test = IMPORT_AT_MOST;
    q->thr = import_float_edge(thr);
    return TIDE_OK;
}

/* Values of leaf node i. */
static tide_status read_leaf(const struct xgb *x, const struct tree_doc *t, int32_t i,
                             float weight, double *value)
{
    const struct doc *from = t->condition;
    const char *key = "split_conditions";
    int64_t at = i;
    if (t->width > 1) { /* a block a leaf since 3.2, else a block a node */
        int is_new = doc_count(t->leaf_weights) > 0;
        from = is_new ? t->leaf_weights : t->base_weights;
        key = is_new ? "leaf_weights" : "base_weights";
        at = is_new ? doc_int_at(t->right, i) : i;
        if (at < 0 || at >= doc_count(from) / t->width)
            return bad_node(x, t, key, i, "a leaf has no values");
        at *= t->width;
    }
    for (int32_t k = 0; k < t->width; k++) {
        float v = (float)doc_real_at(from, at + k) * weight;
        if (!isfinite(v))
            return bad_node(x, t, key, at + k, "the value of a leaf is not finite");
        value[k] = (double)v;
    }
    return TIDE_OK;
}

static tide_status read_tree(struct xgb *x, int64_t i, float weight)
{
    struct import_source *s = x->s;
    struct tree_doc t;
    int64_t output = doc_int_at(x->info, i), next_set = 0;
    int32_t at = 0;
    tide_status st = open_tree(x, &x->trees->v.item[i], i, &t);
    if (st) return st;
    if (output < 0 || output >= s->n_outputs)
        return bad_node(x, &t, "tree_info", 0, "the output is out of range");
    if (s->leaf_width && s->leaf_width != t.width)
        return bad_node(x, &t, "tree_param/size_leaf_vector", 0,
                        "differs from that of the trees before");
    s->leaf_width = t.width;
    struct import_node *node = arena_zero(s->a, (size_t)t.n * sizeof *node);
    double *value = arena_zero(s->a, (size_t)t.n * (size_t)t.width * sizeof *value);
    if (!node || !value) return arena_status(s->a, x->err);
    for (int32_t k = 0; k < t.n && !st; k++) {
        struct import_node *q = &node[k];
        int64_t l = doc_int_at(t.left, k), r = doc_int_at(t.right, k);
        q->cover = t.cover ? doc_real_at(t.cover, k) : 0;
        q->gain = t.gain ? doc_real_at(t.gain, k) : 0;
        q->left = q->right = -1;
        if (l == -1 && t.width == 1 && r != -1)
            return bad_node(x, &t, "right_children", k, "a leaf has a child");
        if (l == -1) {
            st = read_leaf(x, &t, k, weight, value + (int64_t)k * t.width);
            continue;
        }
        if (l < 0 || l >= t.n || r < 0 || r >= t.n)
            return bad_node(x, &t,
                            l < 0 || l >= t.n ? "left_children" : "right_children", k,
                            "a child is out of range");
        q->left = (int32_t)l;
        q->right = (int32_t)r;
        st = read_test(x, &t, k, &next_set, q);
    }
    if (st) return st;
    st = import_trees_add(s->trees, t.width > 1 ? 0 : (int32_t)output, node, t.n, value,
                          t.width, &at, x->err);
    if (!st || !x->err || st == TIDE_ENOMEM) return st;
    err_at(x->err, s->file, 0, 0);
    return err_place(x->err, "/learner/gradient_booster/model/trees/%lld, node %d",
                     (long long)i, (int)at);
}

/* How many trees are kept, from rounds. */
static tide_status cut_trees(struct xgb *x, const struct import_how *how)
{
    const struct doc *indptr = doc_get(x->model, "iteration_indptr");
    const struct doc *best =
        doc_get(doc_get(x->learner, "attributes"), "best_iteration");
    int64_t per_round = x->n_parallel * x->s->n_outputs;
    int64_t rounds = doc_count(indptr) > 0 ? doc_count(indptr) - 1
                                           : (x->n_trees + per_round - 1) / per_round;
    int64_t b = 0;
    if (best && best->kind == DOC_TEXT && num_parse_i64(best->v.s, (size_t)best->n, &b))
        x->s->best_rounds = b >= 0 && b < rounds ? b + 1 : 0;
    x->s->n_rounds = rounds;
    int64_t want = how->rounds < 0 ? x->s->best_rounds : how->rounds;
    if (how->rounds < 0 && want == 0)
        return bad_value(x, "attributes/best_iteration",
                         "the model does not say which round was best");
    if (want == 0 || want >= rounds) return TIDE_OK;
    int64_t cut = doc_count(indptr) > 0 ? doc_int_at(indptr, want) : want * per_round;
    if (cut < 0 || cut > x->n_trees)
        return bad_value(x, "gradient_booster/model/iteration_indptr",
                         "is beyond the number of trees");
    x->n_trees = cut;
    x->s->n_rounds = want;
    return TIDE_OK;
}

static tide_status read_trees(struct xgb *x, const struct import_how *how)
{
    const struct doc *param = doc_get(x->model, "gbtree_model_param");
    int64_t said = 0;
    x->trees = doc_get(x->model, "trees");
    x->info = doc_get(x->model, "tree_info");
    x->n_trees = doc_count(x->trees);
    tide_status st =
        want_int(x, param, "num_trees", "gradient_booster/model/gbtree_model_param",
                 x->n_trees, INT64_MIN, INT64_MAX, &said);
    if (!st)
        st = want_int(x, param, "num_parallel_tree",
                      "gradient_booster/model/gbtree_model_param", 1, 0, INT32_MAX,
                      &x->n_parallel);
    if (st) return st;
    if (x->n_parallel < 1) x->n_parallel = 1;
    if (x->n_trees < 0 || said != x->n_trees || doc_count(x->info) != x->n_trees ||
        (x->n_trees > 0 && x->trees->kind != DOC_LIST))
        return bad_value(x, "gradient_booster/model/trees",
                         "is not as long as num_trees and tree_info say");
    if (x->weight_drop && doc_count(x->weight_drop) != x->n_trees &&
        doc_count(x->weight_drop) > 0)
        return bad_value(x, "gradient_booster/weight_drop",
                         "a weight for each tree is expected");
    st = cut_trees(x, how);
    for (int64_t i = 0; i < x->n_trees && !st; i++) {
        int is_dart = doc_count(x->weight_drop) > 0;
        st = read_tree(x, i, is_dart ? (float)doc_real_at(x->weight_drop, i) : 1);
    }
    if (!x->s->leaf_width) x->s->leaf_width = 1;
    return st;
}

static tide_status read_booster(struct xgb *x)
{
    const struct doc *b = doc_get(x->learner, "gradient_booster");
    const struct doc *name = doc_get(b, "name");
    char shown[128];
    const char *kind = name && name->kind == DOC_TEXT ? name->v.s : "";
    if (strcmp(kind, "gblinear") == 0)
        return bad_at(x, TIDE_CODE_IMPORT_UNSUPPORTED, "gradient_booster/name",
                      "a gblinear model has no trees and cannot be imported");
    if (strcmp(kind, "gbtree") != 0 && strcmp(kind, "dart") != 0) {
        import_bad(x->s, TIDE_CODE_IMPORT_UNSUPPORTED, x->err,
                   "the booster \"%s\" is not known", quoted(shown, name));
        return err_place(x->err, "/learner/gradient_booster/name");
    }
    x->model = doc_get(b, "model");
    if (!x->model) x->model = doc_get(doc_get(b, "gbtree"), "model");
    x->weight_drop = doc_get(b, "weight_drop");
    if (!x->weight_drop) x->weight_drop = doc_get(x->model, "weight_drop");
    return x->model ? TIDE_OK
                    : bad_value(x, "gradient_booster/model", "the trees are absent");
}

static tide_status read_version(struct xgb *x, const struct doc *root)
{
    const struct doc *v = doc_get(root, "version");
    char text[64];
    if (!x->learner || doc_count(v) < 1) {
        import_bad(x->s, TIDE_CODE_IMPORT_SYNTAX, x->err,
                   "is no XGBoost model: 'learner' or 'version' is absent");
        return TIDE_EMODEL;
    }
    int64_t major = doc_int_at(v, 0), minor = doc_count(v) > 1 ? doc_int_at(v, 1) : 0;
    int64_t patch = doc_count(v) > 2 ? doc_int_at(v, 2) : 0;
    if (major < 1 || major > 3 || minor < 0 || patch < 0) {
        import_bad(x->s, TIDE_CODE_IMPORT_UNSUPPORTED, x->err,
                   "XGBoost %lld is not known, versions 1 to 3 are read",
                   (long long)major);
        return err_place(x->err, "/version/0");
    }
    str_format(text, sizeof text, "%lld.%lld.%lld", (long long)major, (long long)minor,
               (long long)patch);
    x->s->version = arena_str(x->s->a, text);
    return arena_status(x->s->a, x->err);
}

tide_status import_xgboost(struct import_source *s, const struct doc *root,
                           const struct import_how *how, tide_error *err)
{
    struct xgb x = {.s = s, .learner = doc_get(root, "learner"), .err = err};
    s->program = IMPORTED_XGBOOST;
    tide_status st = read_version(&x, root);
    if (!st) st = read_booster(&x);
    if (!st) st = read_learner(&x, how);
    if (!st) st = read_names(&x);
    if (!st) st = read_cats(&x);
    if (!st) st = read_trees(&x, how);
    return st;
}
