/* import.c - a model of another program as a .tide model: which format it is, and the model
 * around its trees
 *
 * Formats are told by content. The columns are those of the source under their names; a
 * dictionary of the source becomes the column's levels. There is no profile of the training
 * data and no validation, since the file holds neither; golden rows are made from the trees'
 * own thresholds. */
#include "store/import.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/file.h"
#include "base/numparse.h"
#include "base/par.h"
#include "base/str.h"
#include "math/sort.h"
#include "store/import_doc.h"
#include "store/store.h"

#define MOST_BYTES ((int64_t)2 << 30)
#define MOST_NAME  4096

tide_status import_bad(const struct import_source *s, tide_code code, tide_error *err,
                       const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    tide_status st = err_setv(err, code, fmt, ap);
    va_end(ap);
    err_at(err, s->file, 0, 0);
    return st;
}

/* ---- options ---- */

static const char *const import_sums[] = {"f64", "source", NULL};

static const struct tide_param import_rows[] = {
    P_TEXT(tide_import_options, target, "target", .metavar = "NAME",
           .help = "column that the model predicts, for eval"),
    P_LIST(tide_import_options, names, .alias = "feature_names", .metavar = "COL",
           .help = "name of the next column, once for each, instead of the file's"),
    P_LIST(tide_import_options, classes, .alias = "class_names", .metavar = "LABEL",
           .help = "label of class 0, 1 ..., once for each"),
    P_TEXT(tide_import_options, trees, "all", .metavar = "all|best|N",
           .help = "rounds of trees to keep"),
    P_ENUM(tide_import_options, sums, "f64", import_sums,
           .help = "of leaves; source = the bits of the source's raw scores"),
    P_BOOL(tide_import_options, raw, "no",
           .help = "predict raw scores, whatever the objective"),
};

const struct tide_params *tide_import_params(void)
{
    static const struct tide_params table =
        TIDE_TABLE(import_rows, tide_import_options);
    return &table;
}

static tide_status read_how(const struct tide_import_options *o, struct import_how *how,
                            tide_error *err)
{
    const char *t = o->trees ? o->trees : "all";
    *how = (struct import_how){.raw = o->raw != 0};
    if (strcmp(t, "all") == 0) return TIDE_OK;
    if (strcmp(t, "best") == 0) {
        how->rounds = -1;
        return TIDE_OK;
    }
    if (num_parse_i64(t, strlen(t), &how->rounds) && how->rounds >= 1 &&
        how->rounds <= INT32_MAX)
        return TIDE_OK;
    char shown[128];
    err_set(err, TIDE_CODE_PARAM_VALUE,
            "expected all, best or a number of rounds for 'trees', got \"%s\"",
            err_quote(shown, sizeof shown, t, strlen(t), 60));
    return err_field(err, "trees");
}

/* ---- which format ---- */

enum format { FORMAT_OTHER, FORMAT_JSON, FORMAT_UBJ, FORMAT_LIGHTGBM };

static int starts(const uint8_t *p, size_t n, const char *with)
{
    size_t k = strlen(with);
    return n >= k && memcmp(p, with, k) == 0;
}

static enum format sniff(const uint8_t *p, size_t n)
{
    if (n >= 2 && p[0] == '{' && strchr("LlIUi#$", p[1]) && p[1]) return FORMAT_UBJ;
    for (size_t i = 0; i < n && i < 4096; i++)
        if (p[i] != ' ' && p[i] != '\t' && p[i] != '\n' && p[i] != '\r')
            return p[i] == '{' ? FORMAT_JSON
                   : starts(p + i, n - i, "tree\n") || starts(p + i, n - i, "tree\r\n")
                       ? FORMAT_LIGHTGBM
                       : FORMAT_OTHER;
    return FORMAT_OTHER;
}

static tide_status refuse(const struct import_source *s, const uint8_t *p, size_t n,
                          tide_error *err)
{
    const char *to_json = "save it from Python as JSON: booster.save_model('m.json')";
    if (n == 0)
        return import_bad(s, TIDE_CODE_TIDE_TRUNCATED, err, "file is empty (0 bytes)");
    if (n >= 2 && p[0] == 0x80 && p[1] >= 2 && p[1] <= 5) {
        import_bad(s, TIDE_CODE_IMPORT_PICKLE, err,
                   "is a Python pickle, which may run code and is not read");
        return err_hint(
            err, "",
            "in Python: model.save_model('m.json'), or booster_.save_model('m.txt')");
    }
    if (n >= 2 && p[0] == 0x78 && (p[1] == 0x9c || p[1] == 0xda || p[1] == 0x01)) {
        import_bad(s, TIDE_CODE_IMPORT_PICKLE, err,
                   "looks like a compressed joblib pickle, which may run code and is "
                   "not read");
        return err_hint(
            err, "",
            "in Python: model.save_model('m.json'), or booster_.save_model('m.txt')");
    }
    if (n >= 9 && p[8] == '{' && p[7] == 0)
        return import_bad(s, TIDE_CODE_TIDE_MAGIC, err,
                          "looks like a safetensors file, which says nothing of trees");
    if (n >= sizeof tide_magic && memcmp(p, tide_magic, sizeof tide_magic) == 0)
        return import_bad(s, TIDE_CODE_IMPORT_UNSUPPORTED, err,
                          "is a model of tidemill already");
    if (starts(p, n, "binf") || starts(p, n, "bs64")) {
        import_bad(s, TIDE_CODE_IMPORT_UNSUPPORTED, err,
                   "is an XGBoost model in the old binary format");
        return err_hint(err, "", "%s", to_json);
    }
    if (n >= 2 && p[0] == 0x08 && p[1] < 0x20)
        return import_bad(s, TIDE_CODE_IMPORT_UNSUPPORTED, err,
                          "looks like an ONNX model, which cannot be imported");
    import_bad(s, TIDE_CODE_IMPORT_UNSUPPORTED, err,
               "is neither an XGBoost (JSON, UBJSON) nor a LightGBM (text) model");
    return err_hint(err, "", "%s", to_json);
}

static tide_status read_source(struct import_source *s, const uint8_t *p, size_t n,
                               const struct import_how *how, tide_error *err)
{
    struct doc root = {0};
    enum format format = sniff(p, n);
    tide_status st = TIDE_OK;
    if (format == FORMAT_OTHER) return refuse(s, p, n, err);
    if (format == FORMAT_LIGHTGBM)
        return import_lightgbm(s, (const char *)p, n, how, err);
    st = format == FORMAT_JSON ? doc_read_json((const char *)p, n, 1, s->a, &root, err)
                               : doc_read_ubj(p, n, s->a, &root, err);
    if (st) {
        if (err) err_at(err, s->file, err->line, err->column);
        return st;
    }
    return import_xgboost(s, &root, how, err);
}

/* ---- schema ---- */

struct making {
    const struct import_source *s;
    const struct tide_import_options *o;
    tide_model *m;
    int32_t *place;                 /* column of a feature */
    const uint32_t **code_of_level; /* [column] the source's code of a sorted level */
    tide_error *err;
};

static tide_status take_names(struct import_source *s,
                              const struct tide_import_options *o, tide_error *err)
{
    if (o->names.n == 0) return TIDE_OK;
    if (o->names.n != s->n_features) {
        import_bad(s, TIDE_CODE_PARAM_VALUE, err,
                   "the model has %d columns and 'names' %d", (int)s->n_features,
                   o->names.n);
        return err_field(err, "names");
    }
    for (int32_t j = 0; j < s->n_features; j++) s->feature[j].name = o->names.items[j];
    return TIDE_OK;
}

static tide_status check_name(const struct making *k, const char *name)
{
    char shown[128];
    size_t n = strlen(name);
    err_quote(shown, sizeof shown, name, n, 60);
    if (n == 0 || n > MOST_NAME || utf8_check(name, n))
        return import_bad(k->s, TIDE_CODE_IMPORT_VALUE, k->err,
                          "\"%s\" cannot be the name of a column", shown);
    if (strcmp(name, k->m->schema.target) != 0) return TIDE_OK;
    import_bad(k->s, TIDE_CODE_PARAM_CONFLICT, k->err,
               "the model has a column '%s', so the target needs another name", shown);
    return err_hint(k->err, "target", "NAME");
}

struct named {
    const char *text;
    uint32_t at;
};

static int named_cmp(const void *a, const void *b, const void *arg)
{
    (void)arg;
    return strcmp(((const struct named *)a)->text, ((const struct named *)b)->text);
}

static tide_status fill_levels(struct making *k, const struct import_feature *f, int j)
{
    struct schema_column *c = &k->m->schema.cols[j];
    struct arena *a = &k->m->arena;
    uint64_t bytes = 0;
    uint32_t n = f->n_levels;
    struct named *sorted = arena_array(k->s->a, n, sizeof *sorted);
    uint32_t *code = arena_array(k->s->a, n, sizeof *code);
    uint32_t *offset = arena_array(a, (int64_t)n + 1, sizeof *offset);
    for (uint32_t l = 0; sorted && l < n; l++) {
        sorted[l] = (struct named){f->level[l], l};
        bytes += strlen(f->level[l]);
    }
    char *text = bytes < UINT32_MAX ? arena_push(a, (size_t)bytes + 1) : NULL;
    if (!sorted || !code ||
        sort_any(k->s->a, sorted, n, sizeof *sorted, named_cmp, NULL))
        return arena_status(k->s->a, k->err);
    if (!offset || !text) return err_nomem(k->err, (size_t)bytes);
    offset[0] = 0;
    for (uint32_t l = 0; l < n; l++) {
        size_t len = strlen(sorted[l].text);
        if (l && strcmp(sorted[l - 1].text, sorted[l].text) == 0) {
            char shown[128];
            import_bad(k->s, TIDE_CODE_IMPORT_VALUE, k->err,
                       "'%s' has the category \"%s\" twice", f->name,
                       err_quote(shown, sizeof shown, sorted[l].text, len, 60));
            return err_field(k->err, f->name);
        }
        memcpy(text + offset[l], sorted[l].text, len);
        offset[l + 1] = offset[l] + (uint32_t)len;
        code[l] = sorted[l].at;
    }
    c->n_levels = n;
    c->levels = (struct dict){n, offset, text};
    k->code_of_level[j] = code;
    return TIDE_OK;
}

static tide_status fill_columns(struct making *k)
{
    struct schema *to = &k->m->schema;
    struct arena *a = &k->m->arena;
    int32_t n = k->s->n_features;
    struct named *sorted = arena_array(k->s->a, n, sizeof *sorted);
    k->place = arena_array(k->s->a, n, sizeof *k->place);
    k->code_of_level = arena_zero(k->s->a, (size_t)n * sizeof *k->code_of_level);
    to->cols = arena_zero(a, (size_t)n * sizeof *to->cols);
    for (int32_t f = 0; sorted && f < n; f++)
        sorted[f] = (struct named){k->s->feature[f].name, (uint32_t)f};
    if (!sorted || !k->place || !k->code_of_level ||
        sort_any(k->s->a, sorted, n, sizeof *sorted, named_cmp, NULL))
        return arena_status(k->s->a, k->err);
    if (!to->cols) return arena_status(a, k->err);
    to->n_cols = n;
    tide_status st = TIDE_OK;
    for (int j = 0; j < n && !st; j++) {
        const struct import_feature *f = &k->s->feature[sorted[j].at];
        st = check_name(k, f->name);
        if (!st && j && strcmp(sorted[j - 1].text, f->name) == 0) {
            import_bad(k->s, TIDE_CODE_IMPORT_VALUE, k->err,
                       "two columns have the name '%s'", f->name);
            st = err_field(k->err, f->name);
            if (!st) st = TIDE_EMODEL;
        }
        if (st) break;
        k->place[sorted[j].at] = j;
        to->cols[j].name = arena_str(a, f->name);
        to->cols[j].type = f->n_levels ? TIDE_CAT : TIDE_F64;
        to->cols[j].lo = f->n_levels ? (double)NAN : f->lo;
        to->cols[j].hi = f->n_levels ? (double)NAN : f->hi;
        if (f->n_levels) st = fill_levels(k, f, j);
    }
    return st ? st : arena_status(a, k->err);
}

static tide_status fill_classes(struct making *k)
{
    struct schema *to = &k->m->schema;
    int32_t n = k->s->n_classes;
    const struct tide_text_list *given = &k->o->classes;
    if (given->n && given->n != n) {
        import_bad(k->s, TIDE_CODE_PARAM_VALUE, k->err,
                   "the model has %d classes and 'classes' %d", (int)n, given->n);
        return err_field(k->err, "classes");
    }
    to->n_classes = n;
    to->positive = n - 1;
    to->labels = arena_array(&k->m->arena, n, sizeof *to->labels);
    for (int32_t c = 0; to->labels && c < n; c++) {
        char own[NUM_PRINT_MAX];
        (void)num_print_i64(own, c);
        to->labels[c] = arena_str(&k->m->arena, given->n ? given->items[c] : own);
        for (int32_t b = 0; given->n && b < c; b++)
            if (str_same(given->items[b], given->items[c])) {
                char shown[128];
                import_bad(k->s, TIDE_CODE_PARAM_VALUE, k->err,
                           "class \"%s\" is there twice",
                           err_quote(shown, sizeof shown, given->items[c],
                                     strlen(given->items[c]), 60));
                return err_field(k->err, "classes");
            }
    }
    return arena_status(&k->m->arena, k->err);
}

static tide_status fill_schema(struct making *k)
{
    struct schema *to = &k->m->schema;
    to->task = k->s->task;
    to->target = arena_str(&k->m->arena, k->o->target ? k->o->target : "target");
    to->target_type = k->s->task != TIDE_CLASSIFY ? TIDE_F64
                      : k->o->classes.n           ? TIDE_CAT
                                                  : TIDE_I64;
    tide_status st = arena_status(&k->m->arena, k->err);
    if (!st && k->s->task == TIDE_CLASSIFY) st = fill_classes(k);
    return st ? st : fill_columns(k);
}

/* ---- the model ---- */

static tide_status fill_node(struct making *k)
{
    tide_model *m = k->m;
    int32_t n = m->schema.n_cols;
    tide_status st = pipeline_parse("imported", &m->pipeline, k->err);
    if (st) return st;
    struct fitted_node *node = arena_zero(&m->arena, sizeof *node);
    int32_t *in = arena_array(&m->arena, n, sizeof *in);
    uint32_t *levels = arena_array(&m->arena, n, sizeof *levels);
    if (!node || !in || !levels) return arena_status(&m->arena, k->err);
    for (int32_t j = 0; j < n; j++) {
        in[j] = j;
        levels[j] = m->schema.cols[j].n_levels;
    }
    node->learner = m->pipeline->nodes[0].learner;
    node->width = node->n_in = n;
    node->in = in;
    node->in_levels = levels;
    m->nodes = node;
    m->n_nodes = 1;
    state_init(&node->state, &m->arena);
    const int32_t how[IMPORTED_HOW] = {[IMPORTED_AT_SOURCE] = (int32_t)k->s->program,
                                       [IMPORTED_AT_STRICT] = k->o->sums != 0,
                                       [IMPORTED_AT_LINK] = k->s->link,
                                       [IMPORTED_AT_DIVIDE] = k->s->divide};
    state_put(&node->state, "TREES", "import_how", STATE_I32, IMPORTED_HOW, 1, 1, how);
    state_put(&node->state, "TREES", "import_scale", STATE_F64, 1, 1, 1, &k->s->scale);
    st = import_trees_save(k->s, k->place, k->code_of_level, &node->state, k->err);
    return st ? st : model_load_nodes(m, k->err);
}

/* Golden rows take edges from the profile; the trees have the same arrays. */
static tide_status add_golden(tide_ctx *ctx, tide_model *m, tide_error *err)
{
    static const char *const names[] = {"edge_off", "edge"};
    const struct state *from = &m->nodes[0].state;
    for (int i = 0; i < 2; i++) {
        const struct state_array *it = state_find(from, names[i]);
        if (it)
            state_put(&m->profile, "PROFILE", names[i], (enum state_type)it->type,
                      it->dim[0], 1, 1, it->data);
    }
    tide_status st = arena_status(&m->arena, err);
    if (!st) st = model_add_golden(ctx, m, err);
    state_init(&m->profile, &m->arena);
    return st;
}

static tide_status add_about(const struct making *k)
{
    json_t *of = json_object();
    int bad = json_put_str(of, "program",
                           k->s->program == IMPORTED_XGBOOST ? "XGBoost" : "LightGBM");
    bad |= json_put_str(of, "version", k->s->version);
    bad |= json_put_str(of, "objective", k->s->objective);
    bad |= json_put_i64(of, "rounds", k->s->n_rounds);
    bad |= json_put(k->m->about, "imported", of);
    return bad ? err_nomem(k->err, 0) : TIDE_OK;
}

static void note_best(tide_ctx *ctx, const struct import_source *s)
{
    if (!s->best_rounds || s->best_rounds >= s->n_rounds) return;
    ctx_note(ctx,
             "early stopping chose round %lld of %lld and all are kept; --trees best "
             "keeps what XGBoost's scikit-learn classes predict with",
             (long long)s->best_rounds, (long long)s->n_rounds);
}

static tide_status make_model(tide_ctx *ctx, struct import_source *s,
                              const struct tide_import_options *o, tide_model **out,
                              tide_error *err)
{
    tide_model *m = model_new(ctx, err);
    if (!m) return TIDE_ENOMEM;
    struct making k = {.s = s, .o = o, .m = m, .err = err};
    tide_status st = take_names(s, o, err);
    if (!st) st = fill_schema(&k);
    if (!st) st = fill_node(&k);
    if (!st) st = add_golden(ctx, m, err);
    if (!st) st = add_about(&k);
    if (st) {
        tide_model_free(m);
        return st;
    }
    note_best(ctx, s);
    *out = m;
    return TIDE_OK;
}

tide_status import_bytes(tide_ctx *ctx, const void *data, size_t n, const char *file,
                         const struct tide_import_options *options, tide_model **out,
                         tide_error *err)
{
    static const struct tide_import_options defaults = {.size = sizeof defaults};
    const struct tide_import_options *o = options ? options : &defaults;
    struct arena a;
    struct import_how how;
    tide_error local = {0};
    if (!err) err = &local;
    *out = NULL;
    tide_status st = read_how(o, &how, err);
    if (st) return st;
    arena_init(&a, ctx);
    struct import_source s = {.a = &a, .file = file, .trees = import_trees_new(&a)};
    st = arena_status(&a, err);
    if (!st) st = read_source(&s, data, n, &how, err);
    if (!st) st = make_model(ctx, &s, o, out, err);
    import_trees_free(s.trees);
    arena_free(&a);
    return st;
}

tide_status tide_model_import(tide_ctx *ctx, const char *path,
                              const struct tide_import_options *options,
                              tide_model **out, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    void *data = NULL;
    size_t n = 0;
    if (out) *out = NULL;
    if (!ctx || !path || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "'%s' is NULL",
                       !ctx    ? "ctx"
                       : !path ? "path"
                               : "out");
    tide_status st = file_slurp(path, MOST_BYTES, &data, &n, err);
    if (!st) st = import_bytes(ctx, data, n, path, options, out, err);
    mem_free(data);
    return st;
}
