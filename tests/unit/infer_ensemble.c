/* infer_ensemble.c - ensembles from hostile states, and scores against a slow reference */
#include "base/arena.h"
#include "infer/ensemble.h"
#include "support/toy_table.h"
#include "support/unit.h"

/* Two trees over x (2 edges, missing left at the root of the first) and a category. */
static const uint8_t kind[2] = {1, 0};
static const uint32_t edge_off[3] = {0, 0, 2}, level_off[3] = {0, 3, 3};
static const double edge[2] = {0.5, 1.5};
static const uint8_t level_code[3] = {0, 1, 255};
static const uint32_t column_feature[3] = {0, 1, 1};
static const uint8_t column_mapped[3] = {1, 0, 1};
static const int32_t tree_output[2] = {0, 0};
static const uint32_t tree_node[3] = {0, 2, 3}, tree_leaf[3] = {0, 3, 5},
                      tree_depth[2] = {2, 1};
static const uint32_t node_column[3] = {2, 0, 1};
static const uint16_t node_thr[3] = {0, 0, 1};
static const uint32_t node_left[3] = {1, 2, 1}, node_right[3] = {4, 3, 2};
static const double leaf[5] = {1, 2, 4, 10, 20}, base[1] = {0.25};
static const double gain[3] = {3, 1, 0};
static uint8_t map[3][256];

static struct ensemble sample(void)
{
    for (int c = 0; c < 256; c++) {
        map[0][c] = c == 1 ? 0 : 255; /* level 1 goes left */
        map[1][c] = map[2][c] = (uint8_t)c;
    }
    map[2][255] = 0;
    return (struct ensemble){.n_features = 2,
                             .n_columns = 3,
                             .n_trees = 2,
                             .n_outputs = 1,
                             .link = LINK_IDENTITY,
                             .feature_kind = kind,
                             .edge_off = edge_off,
                             .edge = edge,
                             .level_off = level_off,
                             .level_code = level_code,
                             .column_feature = column_feature,
                             .column_mapped = column_mapped,
                             .map = &map[0][0],
                             .tree_output = tree_output,
                             .tree_node = tree_node,
                             .tree_leaf = tree_leaf,
                             .tree_depth = tree_depth,
                             .node_column = node_column,
                             .node_thr = node_thr,
                             .node_left = node_left,
                             .node_right = node_right,
                             .leaf = leaf,
                             .leaf_width = 1,
                             .base = base,
                             .node_gain = gain};
}

static const uint32_t levels[2] = {3, 0};

TEST(a_saved_ensemble_loads_and_scores_by_hand)
{
    struct arena a;
    struct state s;
    struct ensemble e = sample(), *out = NULL;
    tide_error err = {0};
    arena_init(&a, NULL);
    state_init(&s, &a);
    ensemble_save(&e, &s);
    CHECK_INT(ensemble_load(&s, 2, levels, &a, &out, &err), TIDE_OK);
    struct toy *t = toy_new(5);
    uint32_t *c = toy_category(t, "c", 3);
    double *x = toy_number(t, "x");
    const struct view *v = toy_view(t);
    /* x <= 0.5 or missing goes left in tree 1; level 1 left below; tree 2: x <= 1.5, missing right */
    const double xs[5] = {0.5, 0.50001, (double)NAN, 1.5, 2};
    const uint32_t cs[5] = {1, 1, 0, CODE_MISSING, 2};
    const double want[5] = {11.25, 14.25, 22.25, 14.25, 24.25};
    memcpy(x, xs, sizeof xs);
    memcpy(c, cs, sizeof cs);
    double got[5], plain[5], one[5];
    for (int i = 0; out && i < 5; i++)
        CHECK_INT(ensemble_margin(out, v, i, 1, 0, &got[i], &err), 0);
    CHECK_INT(ensemble_margin(&e, v, 0, 5, 0, plain, &err), 0);
    CHECK_INT(ensemble_margin(&e, v, 0, 5, 1, one, &err), 0);
    for (int i = 0; i < 5; i++) {
        CHECK_NEAR(got[i], want[i], 0);
        CHECK_NEAR(plain[i], want[i], 0);
        CHECK_NEAR(one[i], want[i] - (xs[i] <= 1.5 ? 10 : 20), 0);
    }
    double importance[2];
    ensemble_importance(&e, importance);
    CHECK_NEAR(importance[0], 0.25, 1e-15);
    CHECK_NEAR(importance[1], 0.75, 1e-15);
    toy_free(t);
    arena_free(&a);
}

/* Saves the sample, lets `spoil` change arrays of the state, and expects a code and place. */
struct spoil {
    const char *array;
    int64_t at;
    double to;
    tide_code code;
    const char *place;
};

static void put_number(struct state_array *it, int64_t at, double to)
{
    union {
        const void *from;
        void *to;
    } p = {it->data};
    switch (it->type) {
    case STATE_F64:
        ((double *)p.to)[at] = to;
        break;
    case STATE_I32:
        ((int32_t *)p.to)[at] = (int32_t)to;
        break;
    case STATE_U32:
        ((uint32_t *)p.to)[at] = (uint32_t)to;
        break;
    case STATE_U16:
        ((uint16_t *)p.to)[at] = (uint16_t)to;
        break;
    default:
        ((uint8_t *)p.to)[at] = (uint8_t)to;
    }
}

static void expect(const struct spoil *what)
{
    struct arena a;
    struct state s;
    struct ensemble e = sample(), *out = NULL;
    tide_error err = {0};
    arena_init(&a, NULL);
    state_init(&s, &a);
    ensemble_save(&e, &s);
    for (int i = 0; i < s.n; i++)
        if (strcmp(s.arrays[i].name, what->array) == 0)
            put_number(&s.arrays[i], what->at, what->to);
    tide_status status = ensemble_load(&s, 2, levels, &a, &out, &err);
    CHECK_MSG(status != TIDE_OK && !out, "%s[%lld] = %g was taken", what->array,
              (long long)what->at, what->to);
    CHECK_MSG(err.code == what->code, "%s[%lld] = %g gives %s (%s)", what->array,
              (long long)what->at, what->to, tide_code_name(err.code), err.message);
    if (what->place) CHECK_STR(err.place, what->place);
    arena_free(&a);
}

TEST(hostile_states_are_named_with_their_place)
{
    static const struct spoil list[] = {
        {"node_left", 0, 0, TIDE_CODE_TIDE_TREE, "section NODES, tree 0, node 0"},
        {"node_left", 1, 0, TIDE_CODE_TIDE_TREE, "section NODES, tree 0, node 1"},
        {"node_right", 1, 1, TIDE_CODE_TIDE_TREE, "section NODES, tree 0, node 1"},
        {"node_left", 2, 4294967294.0, TIDE_CODE_TIDE_TREE,
         "section NODES, tree 1, node 0"},
        {"node_right", 0, 5, TIDE_CODE_TIDE_TREE, "section NODES, tree 0, node 0"},
        {"node_right", 0, 2, TIDE_CODE_TIDE_TREE, "section NODES, tree 0, leaf 0"},
        {"node_left", 0, 2, TIDE_CODE_TIDE_TREE, NULL},
        {"tree_depth", 0, 3, TIDE_CODE_TIDE_TREE, "section TREES, tree 0, depth 3"},
        {"node_column", 1, 3, TIDE_CODE_TIDE_FEATURE, "section NODES, tree 0, node 1"},
        {"node_thr", 2, 3, TIDE_CODE_TIDE_FEATURE, "section NODES, tree 1, node 0"},
        {"column_feature", 1, 2, TIDE_CODE_TIDE_FEATURE, "section MAPS, column 1"},
        {"column_kind", 1, 9, TIDE_CODE_TIDE_FEATURE, "section MAPS, column 1"},
        {"column_kind", 1, 3, TIDE_CODE_TIDE_SIZE, NULL},
        {"leaf", 4, NAN, TIDE_CODE_TIDE_VALUE, "section LEAVES, tree 1, leaf 1"},
        {"leaf", 1, INFINITY, TIDE_CODE_TIDE_VALUE, "section LEAVES, tree 0, leaf 1"},
        {"base", 0, NAN, TIDE_CODE_TIDE_VALUE, "section TREES, output 0"},
        {"edge", 1, 0.5, TIDE_CODE_TIDE_VALUE, "section EDGES, edge 1"},
        {"edge", 0, NAN, TIDE_CODE_TIDE_VALUE, "section EDGES, edge 0"},
        {"node_gain", 0, -1, TIDE_CODE_TIDE_VALUE, "section COVER, tree 0, node 0"},
        {"edge_off", 1, 3, TIDE_CODE_TIDE_SIZE, NULL},
        {"edge_off", 2, 4294967295.0, TIDE_CODE_TIDE_SIZE, NULL},
        {"level_off", 1, 2, TIDE_CODE_TIDE_FEATURE, NULL},
        {"feature_kind", 1, 1, TIDE_CODE_TIDE_FEATURE, NULL},
        {"tree_output", 1, 1, TIDE_CODE_TIDE_FEATURE, NULL},
        {"tree_node", 1, 3, TIDE_CODE_TIDE_TREE, NULL},
        {"tree_leaf", 1, 2, TIDE_CODE_TIDE_TREE, NULL},
        {"shape", 2, 2147483647, TIDE_CODE_TIDE_SIZE, NULL},
        {"shape", 1, -2, TIDE_CODE_TIDE_SIZE, NULL},
        {"shape", 3, 0, TIDE_CODE_TIDE_CLASSES, NULL},
        {"shape", 4, 7, TIDE_CODE_TIDE_VALUE, NULL},
        {"shape", 5, 2, TIDE_CODE_TIDE_SIZE, NULL},
        {"shape", 0, 3, TIDE_CODE_TIDE_SCHEMA, NULL},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) expect(&list[i]);
}

/* Coefficients of the sample's five leaves: two of x, none, one, none, one. */
static const uint32_t linear_first[6] = {0, 2, 2, 3, 3, 4},
                      linear_feature[4] = {1, 1, 1, 1};
static const double linear_coef[4] = {2, 0.5, -1, 8},
                    linear_constant[5] = {0, 1, 2, 3, 4};

TEST(hostile_linear_leaves_are_named_with_their_place)
{
    static const struct spoil list[] = {
        {"linear_first", 0, 1, TIDE_CODE_TIDE_SIZE, "section LINLEAF, leaf 5"},
        {"linear_first", 1, 3, TIDE_CODE_TIDE_SIZE, "section LINLEAF, leaf 1"},
        {"linear_first", 5, 3, TIDE_CODE_TIDE_SIZE, "section LINLEAF, leaf 5"},
        {"linear_first", 3, 4294967295.0, TIDE_CODE_TIDE_SIZE, NULL},
        {"linear_feature", 2, 0, TIDE_CODE_TIDE_FEATURE,
         "section LINLEAF, coefficient 2"},
        {"linear_feature", 3, 2, TIDE_CODE_TIDE_FEATURE,
         "section LINLEAF, coefficient 3"},
        {"linear_coef", 1, NAN, TIDE_CODE_TIDE_VALUE, NULL},
        {"linear_constant", 0, INFINITY, TIDE_CODE_TIDE_VALUE, NULL},
        {NULL, 0, 0, 0, NULL},
    };
    const struct ensemble_linear linear = {.first = linear_first,
                                           .feature = linear_feature,
                                           .coef = linear_coef,
                                           .constant = linear_constant};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        struct arena a;
        struct state s;
        struct ensemble e = sample(), *out = NULL;
        tide_error err = {0};
        arena_init(&a, NULL);
        state_init(&s, &a);
        e.linear = &linear;
        ensemble_save(&e, &s);
        for (int k = 0; list[i].array && k < s.n; k++)
            if (strcmp(s.arrays[k].name, list[i].array) == 0)
                put_number(&s.arrays[k], list[i].at, list[i].to);
        CHECK_INT(ensemble_load(&s, 2, levels, &a, &out, &err), TIDE_OK);
        tide_status st = ensemble_load_linear(&s, out, &a, &err);
        CHECK_INT(st, list[i].array ? TIDE_EMODEL : TIDE_OK);
        CHECK_INT(err.code, list[i].code);
        CHECK((out->linear != NULL) == !list[i].array);
        if (list[i].place) CHECK_STR(err.place, list[i].place);
        arena_free(&a);
    }
}

/* A chain of n nodes, leaves to the left: depth n. */
static tide_status load_chain(uint32_t n, tide_error *err)
{
    struct arena a;
    struct state s;
    struct ensemble e = sample(), *out = NULL;
    arena_init(&a, NULL);
    state_init(&s, &a);
    uint32_t *column = arena_array(&a, n, 4), *left = arena_array(&a, n, 4);
    uint32_t *right = arena_array(&a, n, 4), off[2] = {0, n}, leaf_off[2] = {0, n + 1};
    uint16_t *thr = arena_zero(&a, 2 * (size_t)n);
    double *value = arena_zero(&a, 8 * ((size_t)n + 1));
    for (uint32_t i = 0; i < n; i++) {
        column[i] = 1;
        left[i] = n + i;
        right[i] = i + 1 < n ? i + 1 : 2 * n;
    }
    e.n_trees = 1;
    e.tree_node = off;
    e.tree_leaf = leaf_off;
    e.tree_depth = &n;
    e.node_column = column;
    e.node_thr = thr;
    e.node_left = left;
    e.node_right = right;
    e.leaf = value;
    e.node_gain = NULL;
    ensemble_save(&e, &s);
    tide_status status = ensemble_load(&s, 2, levels, &a, &out, err);
    arena_free(&a);
    return status;
}

TEST(trees_deeper_than_the_limit_are_refused)
{
    tide_error err = {0};
    CHECK_INT(load_chain(512, &err), TIDE_OK);
    CHECK_INT(load_chain(513, &err), TIDE_ELIMIT);
    CHECK_INT(err.code, TIDE_CODE_LIMIT_DEPTH);
    CHECK_INT(load_chain(1 << 20, &err), TIDE_ELIMIT);
}

/* ------------------------------------------------------------- random ensembles --- */

/* Packed and plain walks of a random ensemble agree, at once and row by row. */
static void try_random(uint64_t seed)
{
    enum { F = 6, T = 9, N = 333 };
    struct arena a;
    struct state s;
    arena_init(&a, NULL);
    state_init(&s, &a);
    struct toy *t = toy_new(N);
    uint8_t fkind[F], *lcode = arena_array(&a, F * 40, 1);
    uint32_t *eoff = arena_zero(&a, (F + 1) * 4), *loff = arena_zero(&a, (F + 1) * 4),
             n_lv[F];
    double *edges = arena_array(&a, F * 400, 8);
    char name[2] = "a";
    for (int f = 0; f < F; f++, name[0]++) {
        fkind[f] = f % 3 == 2;
        uint32_t ne = fkind[f] ? 0
                      : f == 1 ? 400
                               : 1 + (uint32_t)f * 5,
                 nl = fkind[f] ? 40 : 0;
        eoff[f + 1] = eoff[f] + ne;
        loff[f + 1] = loff[f] + nl;
        n_lv[f] = nl;
        for (uint32_t i = 0; i < ne; i++) edges[eoff[f] + i] = i * 0.5;
        for (uint32_t i = 0; i < nl; i++)
            lcode[loff[f] + i] = (uint8_t)(i == 7 ? 255 : i);
        double *x = fkind[f] ? NULL : toy_number(t, name);
        uint32_t *c = fkind[f] ? toy_category(t, name, nl) : NULL;
        for (int i = 0; i < N; i++) {
            double u = toy_u(seed, i, (uint32_t)f);
            if (x) x[i] = u < 0.1 ? (double)NAN : floor(u * (double)ne * 1.2) * 0.5;
            if (c) c[i] = u < 0.1 ? CODE_MISSING : (uint32_t)(u * 44);
        }
    }
    /* three columns a feature: plain, missing left, and for small ones a set */
    uint32_t *cf = arena_array(&a, 3 * F, 4);
    uint8_t *mapped = arena_zero(&a, 3 * F), *maps = arena_array(&a, 3 * F, 256);
    for (int c = 0; c < 3 * F; c++) {
        cf[c] = (uint32_t)(c / 3);
        for (int i = 0; i < 256; i++) maps[c * 256 + i] = (uint8_t)i;
        if (c % 3 == 0) continue;
        mapped[c] = cf[c] == 1 ? 2 : 1;
        if (c % 3 == 1 || cf[c] == 1)
            maps[c * 256 + 255] = 0;
        else
            for (int i = 0; i < 256; i++)
                maps[c * 256 + i] = toy_u(seed, i, 99) < 0.5 ? 0 : 255;
    }
    /* random trees: split a random leaf until 20 nodes, then number them depth first */
    uint32_t *tn = arena_zero(&a, (T + 1) * 4), *tl = arena_zero(&a, (T + 1) * 4);
    uint32_t *td = arena_zero(&a, T * 4), *nc = arena_array(&a, T * 32, 4);
    uint32_t *nleft = arena_array(&a, T * 32, 4), *nright = arena_array(&a, T * 32, 4);
    uint16_t *thr = arena_array(&a, T * 32, 2);
    double *value = arena_array(&a, T * 66, 8), bases[2] = {0.5, -1};
    int32_t *output = arena_array(&a, T, 4);
    for (int k = 0; k < T; k++) {
        uint32_t ni = (uint32_t)(toy_u(seed, k, 50) * 20), at = tn[k];
        tn[k + 1] = at + ni;
        tl[k + 1] = tl[k] + ni + 1;
        output[k] = k & 1;
        /* a left comb with short right sides: node i, left i + 1, right a leaf; leaves from the left */
        for (uint32_t i = 0; i < ni; i++) {
            nc[at + i] = (uint32_t)(toy_u(seed, k, 60 + i) * 3 * F);
            uint32_t f = cf[nc[at + i]], ne = eoff[f + 1] - eoff[f];
            thr[at + i] = (uint16_t)(ne ? toy_u(seed, k, 90 + i) * (ne + 1)
                                        : toy_u(seed, k, 90 + i) * 40);
            if (nc[at + i] % 3 == 2 && f != 1) thr[at + i] = 0;
            nleft[at + i] = i + 1 < ni ? i + 1 : ni;
            nright[at + i] = ni + ni - i;
        }
        td[k] = ni;
        for (uint32_t i = 0; i <= ni; i++)
            value[tl[k] + i] = toy_u(seed, k, 200 + i) - 0.5;
    }
    struct ensemble e = {.n_features = F,
                         .n_columns = 3 * F,
                         .n_trees = T,
                         .n_outputs = 2,
                         .link = LINK_SOFTMAX,
                         .feature_kind = fkind,
                         .edge_off = eoff,
                         .edge = edges,
                         .level_off = loff,
                         .level_code = lcode,
                         .column_feature = cf,
                         .column_mapped = mapped,
                         .map = maps,
                         .tree_output = output,
                         .tree_node = tn,
                         .tree_leaf = tl,
                         .tree_depth = td,
                         .node_column = nc,
                         .node_thr = thr,
                         .node_left = nleft,
                         .node_right = nright,
                         .leaf = value,
                         .leaf_width = 1,
                         .base = bases};
    struct ensemble *out = NULL;
    tide_error err = {0};
    ensemble_save(&e, &s);
    CHECK_MSG(ensemble_load(&s, F, n_lv, &a, &out, &err) == TIDE_OK, "%s at %s",
              err.message, err.place);
    const struct view *v = toy_view(t);
    static double all[2 * N], plain[2 * N], one[2 * N];
    for (int rounds = 0; rounds < 4 && out; rounds += 3) {
        CHECK_INT(ensemble_margin(out, v, 0, N, rounds, all, &err), 0);
        CHECK_INT(ensemble_margin(&e, v, 0, N, rounds, plain, &err), 0);
        for (int i = 0; i < N; i++)
            CHECK_INT(ensemble_margin(out, v, i, 1, rounds, one + 2 * i, &err), 0);
        CHECK(memcmp(all, plain, sizeof all) == 0);
        CHECK(memcmp(all, one, sizeof all) == 0);
    }
    toy_free(t);
    arena_free(&a);
}

TEST(packed_scores_are_the_plain_scores_row_by_row_or_at_once)
{
    for (uint64_t seed = 0; seed < 30; seed++) try_random(seed);
}

TEST(links_turn_margins_into_probabilities_in_place)
{
    struct ensemble e = {.n_outputs = 1, .link = LINK_LOGIT, .n_trees = 1};
    double z[6] = {0, -800, 3};
    ensemble_link(&e, 2, 3, z, z);
    CHECK_NEAR(z[0], 0.5, 0);
    CHECK_NEAR(z[3], 0, 1e-300);
    CHECK_NEAR(z[2], 1, 0);
    CHECK_NEAR(z[5], 1 / (1 + exp(-3)), 1e-15);
    CHECK_NEAR(z[4], 1 / (1 + exp(3)), 1e-15);
    struct ensemble m = {.n_outputs = 3, .link = LINK_SOFTMAX, .n_trees = 3};
    double q[3] = {1000, 1000, -1000};
    ensemble_link(&m, 3, 1, q, q);
    CHECK_NEAR(q[0], 0.5, 1e-15);
    CHECK_NEAR(q[2], 0, 0);
    struct ensemble f = {.n_outputs = 2, .link = LINK_MEAN_PROBA, .n_trees = 4};
    double p[2] = {3, 1};
    ensemble_link(&f, 2, 1, p, p);
    CHECK_NEAR(p[0], 0.75, 0);
}
