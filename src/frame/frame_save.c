/* frame_save.c - which format a table is written in, and with which compression
 *
 * The name's ending tells both: t.jsonl.gz is JSON lines in gzip. What the caller says goes
 * before; a name that says something else about compression is refused, since other programs
 * would believe it. */
#include <string.h>

#include "base/codec_out.h"
#include "base/err.h"
#include "base/par.h"
#include "frame/source.h"
#include "spec/reader.h"
#include "spec/spec.h"

static const char *const kind_names[] = {
    [CODEC_PLAIN] = "none", [CODEC_GZIP] = "gzip", [CODEC_ZSTD] = "zstd"};

static int is_said(const char *text)
{
    return text && *text && strcmp(text, "auto") != 0;
}

static int has_ending(const char *path, const char *ending)
{
    size_t n = path ? strlen(path) : 0, len = strlen(ending);
    if (n < len) return 0;
    for (size_t i = 0; i < len; i++) {
        char c = path[n - len + i];
        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != ending[i]) return 0;
    }
    return 1;
}

static enum codec_kind kind_of_ending(const char *path)
{
    return has_ending(path, ".gz")    ? CODEC_GZIP
           : has_ending(path, ".zst") ? CODEC_ZSTD
                                      : CODEC_PLAIN;
}

static const struct tide_reader *reader_wanted(const struct tide_write_options *o,
                                               tide_error *err)
{
    const struct tide_reader *r = is_said(o->format) ? reader_find(o->format, err)
                                  : o->path          ? reader_of_ending(o->path)
                                                     : NULL;
    if (!r && is_said(o->format)) return NULL;
    if (!r && !(r = reader_find("csv", err))) return NULL;
    if (r->write) return r;
    err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s can be read and not written", r->name);
    err_hint(err, "to", "csv");
    return NULL;
}

/* The compression that was asked for; formats that compress their own parts say by what. */
static tide_status kind_wanted(const struct tide_reader *r,
                               const struct tide_write_options *o, enum codec_kind *out,
                               tide_error *err)
{
    enum codec_kind by_name = kind_of_ending(o->path);
    *out = r->write_packed ? r->packs_by : by_name;
    if (r->write_packed && by_name != CODEC_PLAIN) {
        err_set(err, TIDE_CODE_PARAM_CONFLICT, "%s compresses its own parts", r->name);
        err_hint(err, "", "leave the ending %s out",
                 by_name == CODEC_GZIP ? ".gz" : ".zst");
        return err_at(err, o->path, 0, 0);
    }
    if (!is_said(o->compression)) return TIDE_OK;
    int k = 0;
    while (k < 3 && strcmp(o->compression, kind_names[k]) != 0) k++;
    if (k == 3) {
        char shown[64];
        err_set(
            err, TIDE_CODE_PARAM_VALUE,
            "'compression' must be one of auto, none, gzip, zstd, got \"%s\"",
            err_quote(shown, sizeof shown, o->compression, strlen(o->compression), 40));
        return err_field(err, "compression");
    }
    *out = (enum codec_kind)k;
    if (by_name == CODEC_PLAIN || by_name == *out) return TIDE_OK;
    err_set(err, TIDE_CODE_PARAM_CONFLICT, "the ending says %s, 'compression' says %s",
            kind_names[by_name], kind_names[*out]);
    err_field(err, "compression");
    return err_at(err, o->path, 0, 0);
}

/* All that options decide. */
const struct tide_reader *write_choose(const struct tide_write_options *o,
                                       enum codec_kind *kind, tide_error *err)
{
    const struct tide_reader *r = reader_wanted(o, err);
    if (!r || kind_wanted(r, o, kind, err) != TIDE_OK) return NULL;
    if (o->digits == 0 || strcmp(r->name, "csv") == 0) return r;
    err_set(err, TIDE_CODE_PARAM_CONFLICT, "'digits' has no meaning for %s", r->name);
    err_field(err, "digits");
    return NULL;
}

const struct tide_entry *tide_frame_writer(const struct tide_write_options *options,
                                           tide_error *err)
{
    static const struct tide_write_options none;
    enum codec_kind kind;
    const struct tide_reader *r = write_choose(options ? options : &none, &kind, err);
    return r ? &r->entry : NULL;
}

tide_status write_compressed(enum codec_kind kind, text_giver give, const void *task,
                             tide_sink_fn sink, void *payload, tide_error *err)
{
    struct codec_out *c;
    if (kind == CODEC_PLAIN) return give(task, sink, payload, err);
    tide_status st = codec_out_open(kind, sink, payload, &c, err);
    if (st != TIDE_OK) return st;
    st = give(task, codec_out_put, c, err);
    if (st == TIDE_OK)
        st = codec_out_end(c, err);
    else if (codec_out_status(c, NULL) == TIDE_ENOMEM)
        st = codec_out_status(c, err); /* the writer saw a sink that takes nothing */
    codec_out_free(c);
    return st;
}

struct save_task {
    tide_ctx *ctx;
    const tide_frame *f;
    const struct tide_reader *r;
    int digits;
};

/* CSV has digits; every other format is a descriptor's. */
static tide_status give_frame(const void *task, tide_sink_fn sink, void *payload,
                              tide_error *err)
{
    const struct save_task *t = task;
    return t->digits ? tide_frame_write(t->ctx, t->f, t->digits, sink, payload, err)
                     : t->r->write(t->ctx, t->f, sink, payload, err);
}

tide_status tide_frame_save(tide_ctx *ctx, const tide_frame *frame,
                            const struct tide_write_options *options, tide_sink_fn sink,
                            void *payload, tide_error *err)
{
    PAR_FLOAT_SCOPE;
    static const struct tide_write_options none;
    const struct tide_write_options *o = options ? options : &none;
    enum codec_kind kind;
    if (!ctx || !frame || !sink || o->digits < 0)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument cannot be");
    const struct tide_reader *r = write_choose(o, &kind, err);
    if (!r) return TIDE_EINVAL;
    tide_frame *dense;
    tide_status st = frame_dense(ctx, frame, &dense, err);
    if (st != TIDE_OK) return st;
    struct save_task task = {ctx, dense, r, o->digits};
    st = r->write_packed
             ? r->write_packed(ctx, dense, kind, sink, payload, err)
             : write_compressed(kind, give_frame, &task, sink, payload, err);
    tide_frame_free(dense);
    return st;
}
