/* frame_make.c - synthetic tables by the name of their maker */
#include <string.h>

#include <tidemill/frame.h>

#include "base/err.h"
#include "base/par.h"
#include "base/str.h"
#include "frame/source.h"
#include "spec/maker.h"
#include "spec/reader.h"
#include "spec/spec.h"

/* The maker, its rows, and its values: the default ones, in *own, for NULL. */
static const struct tide_maker *begin(const char *kind, int64_t *n_rows,
                                      const tide_values **values, tide_values **own,
                                      tide_error *err)
{
    *own = NULL;
    const struct tide_maker *maker = maker_find(kind, err);
    if (!maker) return NULL;
    if (*n_rows == 0) *n_rows = maker->rows;
    if (*n_rows < 0 || *n_rows > INT64_C(1) << 40) {
        err_set(err, TIDE_CODE_PARAM_RANGE, "'rows' must be in [1, 2^40]");
        return NULL;
    }
    tide_status st = TIDE_OK;
    if (!*values) {
        st = tide_values_new(&maker->params, maker->name, own, err);
        *values = *own;
    }
    if (st == TIDE_OK && values_table(*values) != &maker->params)
        st = err_set(err, TIDE_CODE_HANDLE_INVALID,
                     "the values are of another kind than '%s'", maker->name);
    if (st == TIDE_OK) st = tide_values_check(*values, err);
    if (st == TIDE_OK) return maker;
    tide_values_free(*own);
    *own = NULL;
    return NULL;
}

tide_status tide_frame_make(tide_ctx *ctx, const char *kind, int64_t n_rows,
                            const tide_values *values, tide_frame **out,
                            tide_error *err)
{
    PAR_FLOAT_SCOPE;
    tide_values *own;
    tide_error e = {0};
    if (!out || !kind)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    *out = NULL;
    const struct tide_maker *maker = begin(kind, &n_rows, &values, &own, &e);
    if (!maker) {
        if (err) *err = e;
        return e.status;
    }
    tide_status st;
    if (maker->make) {
        st = maker->make(ctx, tide_values_struct(values), n_rows, out, err);
    } else {
        st = err_set(err, TIDE_CODE_PARAM_CONFLICT,
                     "%s is a text and not made as a table", kind);
        err_hint(err, "", "tidemill make %s -o %s.csv", kind, kind);
    }
    tide_values_free(own);
    return st;
}

/* ---- texts ---- */

struct text_task {
    tide_ctx *ctx;
    struct str head;
    struct row_text rows;
};

static tide_status give_text(const void *task, tide_sink_fn sink, void *payload,
                             tide_error *err)
{
    const struct text_task *t = task;
    tide_status st = write_text(&t->head, sink, payload, err);
    return st == TIDE_OK ? write_row_text(t->ctx, &t->rows, sink, payload, err) : st;
}

/* The text is fixed to the byte: no other format holds it, and no digits are left to choose. */
static tide_status check_text(const struct tide_make_options *o, enum codec_kind *kind,
                              tide_error *err)
{
    const struct tide_reader *r = write_choose(&o->write, kind, err);
    if (!r) return TIDE_EINVAL;
    if (strcmp(r->name, "csv") != 0) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s is a text: it is CSV and not %s",
                o->kind, r->name);
        return err_hint(err, "output", "%s.csv", o->kind);
    }
    if (!o->write.digits) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_CONFLICT, "'digits' has no meaning for %s", o->kind);
    return err_field(err, "digits");
}

static tide_status make_text(tide_ctx *ctx, const struct tide_make_options *o,
                             const struct tide_maker *maker, const void *params,
                             struct tide_made *made, tide_sink_fn sink, void *payload,
                             tide_error *err)
{
    enum codec_kind kind;
    struct text_task t = {.ctx = ctx};
    tide_status st = check_text(o, &kind, err);
    if (st != TIDE_OK) return st;
    maker->text_head(params, &t.head);
    if (t.head.failed) st = err_nomem(err, t.head.len);
    made->n_cols = 1;
    for (size_t i = 0; st == TIDE_OK && i < t.head.len; i++)
        made->n_cols += t.head.s[i] == ',';
    t.rows = (struct row_text){made->n_rows, made->n_cols, maker->text_row, params};
    if (st == TIDE_OK) st = write_compressed(kind, give_text, &t, sink, payload, err);
    str_free(&t.head);
    return st;
}

tide_status tide_make_write(tide_ctx *ctx, const struct tide_make_options *options,
                            tide_sink_fn sink, void *payload, struct tide_made *made,
                            tide_error *err)
{
    PAR_FLOAT_SCOPE;
    struct tide_made here = {0};
    tide_frame *frame = NULL;
    tide_values *own;
    tide_error e = {0};
    if (!ctx || !options || !options->kind || !sink || options->write.digits < 0)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument cannot be");
    const tide_values *values = options->values;
    here.n_rows = options->n_rows;
    const struct tide_maker *maker =
        begin(options->kind, &here.n_rows, &values, &own, &e);
    tide_status st = maker ? TIDE_OK : e.status;
    if (st == TIDE_OK && !maker->make) {
        st = make_text(ctx, options, maker, tide_values_struct(values), &here, sink,
                       payload, &e);
    } else if (st == TIDE_OK) {
        if (!tide_frame_writer(&options->write, &e)) st = e.status;
        if (st == TIDE_OK)
            st = maker->make(ctx, tide_values_struct(values), here.n_rows, &frame, &e);
        if (st == TIDE_OK)
            st = tide_frame_save(ctx, frame, &options->write, sink, payload, &e);
        here.n_cols = frame ? frame->n_cols : 0;
    }
    tide_frame_free(frame);
    tide_values_free(own);
    if (st != TIDE_OK && err) *err = e;
    if (made) *made = here;
    return st;
}
