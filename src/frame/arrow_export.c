/* arrow_export.c - a frame as an Arrow stream of one batch
 *
 * Buffers are the frame's own wherever Arrow has the same layout; what is made here (bits of
 * truth values, bitmaps of what is there, wide offsets) belongs to the array that shows it.
 * Every array holds a reference on the frame, so children may be moved out and outlive it. */
#include <errno.h>
#include <string.h>

#include <tidemill/arrow.h>

#include "base/alloc.h"
#include "base/err.h"
#include "frame/frame.h"

/* ---- schemas ---- */

static void schema_release(struct ArrowSchema *s)
{
    for (int64_t j = 0; j < s->n_children; j++) {
        if (s->children[j] && s->children[j]->release)
            s->children[j]->release(s->children[j]);
        mem_free(s->children[j]);
    }
    if (s->dictionary && s->dictionary->release) s->dictionary->release(s->dictionary);
    mem_free(s->dictionary);
    mem_free(s->children);
    mem_free(s->private_data); /* the name */
    s->release = NULL;
}

static int has_wide_levels(const struct column *c)
{
    return c->dict.n > 0 && c->dict.offset[c->dict.n] > INT32_MAX;
}

static const char *format_of(const struct column *c)
{
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        return "b";
    case TIDE_I64:
        return "l";
    case TIDE_F64:
        return "g";
    case TIDE_TIME:
        return "tsu:";
    case TIDE_CAT:
        return c->dict.n > INT32_MAX ? "I" : "i";
    case TIDE_TEXT:
        break;
    }
    return "U";
}

static int column_schema(const struct column *c, struct ArrowSchema *s)
{
    *s = (struct ArrowSchema){.format = format_of(c),
                              .flags = ARROW_FLAG_NULLABLE,
                              .release = schema_release};
    char *name = mem_strdup(c->name);
    s->private_data = name;
    s->name = name;
    if (c->type == TIDE_CAT) {
        s->dictionary = mem_zalloc(sizeof *s->dictionary);
        if (s->dictionary)
            *s->dictionary =
                (struct ArrowSchema){.format = has_wide_levels(c) ? "U" : "u",
                                     .name = "",
                                     .flags = ARROW_FLAG_NULLABLE,
                                     .release = schema_release};
    }
    return name && (s->dictionary || c->type != TIDE_CAT) ? 0 : -1;
}

static int table_schema(const tide_frame *f, struct ArrowSchema *s)
{
    *s = (struct ArrowSchema){.format = "+s", .name = "", .release = schema_release};
    s->children = mem_zalloc(((size_t)f->n_cols + 1) * sizeof(void *));
    int bad = s->children == NULL;
    for (int j = 0; !bad && j < f->n_cols; j++) {
        s->children[j] = mem_zalloc(sizeof *s->children[j]);
        s->n_children = j + 1;
        bad = !s->children[j] || column_schema(&f->cols[j], s->children[j]) != 0;
    }
    if (bad) s->release(s);
    return bad ? -1 : 0;
}

/* ---- arrays ---- */

struct shown { /* private data of an array */
    tide_frame *frame;
    const void *buffer[3];
    void *own[3]; /* those of the buffers that were made here */
};

static void array_release(struct ArrowArray *a)
{
    struct shown *p = a->private_data;
    for (int64_t j = 0; j < a->n_children; j++) {
        if (a->children[j] && a->children[j]->release)
            a->children[j]->release(a->children[j]);
        mem_free(a->children[j]);
    }
    if (a->dictionary && a->dictionary->release) a->dictionary->release(a->dictionary);
    mem_free(a->dictionary);
    mem_free(a->children);
    for (int k = 0; k < 3; k++) mem_free(p->own[k]);
    tide_frame_free(p->frame);
    mem_free(p);
    a->release = NULL;
}

static struct shown *array_begin(const tide_frame *f, int64_t length, int n_buffers,
                                 struct ArrowArray *a)
{
    struct shown *p = mem_zalloc(sizeof *p);
    *a = (struct ArrowArray){.length = length, .n_buffers = n_buffers};
    if (!p) return NULL;
    p->frame = frame_ref(f);
    a->buffers = p->buffer;
    a->private_data = p;
    a->release = array_release;
    return p;
}

static int cell_there(const struct column *c, int64_t i)
{
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL:
        return c->b[i] != BOOL_MISSING;
    case TIDE_I64:
    case TIDE_TIME:
        return c->i64[i] != I64_MISSING;
    case TIDE_F64:
        return c->f64[i] == c->f64[i];
    case TIDE_CAT:
        return c->code[i] != CODE_MISSING;
    case TIDE_TEXT:
        break;
    }
    return !c->text_missing || !c->text_missing[i];
}

/* Room for a bit a row, NULL when memory is out. */
static uint8_t *bits_new(struct shown *p, int at, int64_t n)
{
    uint8_t *bits = mem_zalloc((size_t)n / 8 + 64);
    p->own[at] = bits;
    p->buffer[at] = bits;
    return bits;
}

/* Offsets of levels in 64 bits, for dictionaries of 2 GiB and more. */
static int wide_offsets(const struct column *c, struct shown *p)
{
    int64_t *at = mem_array((size_t)c->dict.n + 1, sizeof *at);
    p->own[1] = at;
    p->buffer[1] = at;
    for (uint32_t k = 0; at && k <= c->dict.n; k++) at[k] = c->dict.offset[k];
    return at ? 0 : -1;
}

static int dictionary_array(const tide_frame *f, const struct column *c,
                            struct ArrowArray *a)
{
    static const int32_t zero[2];
    struct shown *p = array_begin(f, c->dict.n, 3, a);
    if (!p) return -1;
    p->buffer[1] = c->dict.offset ? (const void *)c->dict.offset : zero;
    p->buffer[2] = c->dict.bytes ? c->dict.bytes : "";
    return has_wide_levels(c) ? wide_offsets(c, p) : 0;
}

static int column_array(const tide_frame *f, const struct column *c,
                        struct ArrowArray *a)
{
    static const int64_t zero[2];
    struct shown *p = array_begin(f, f->n_rows, c->type == TIDE_TEXT ? 3 : 2, a);
    if (!p) return -1;
    a->null_count = c->n_missing;
    if (c->n_missing > 0) {
        uint8_t *bits = bits_new(p, 0, f->n_rows);
        if (!bits) return -1;
        for (int64_t i = 0; i < f->n_rows; i++)
            bits[i >> 3] |= (uint8_t)(cell_there(c, i) << (i & 7));
    }
    switch ((enum tide_type)c->type) {
    case TIDE_BOOL: {
        uint8_t *bits = bits_new(p, 1, f->n_rows);
        for (int64_t i = 0; bits && i < f->n_rows; i++)
            bits[i >> 3] |= (uint8_t)((c->b[i] == 1) << (i & 7));
        return bits ? 0 : -1;
    }
    case TIDE_I64:
    case TIDE_TIME:
        p->buffer[1] = c->i64;
        break;
    case TIDE_F64:
        p->buffer[1] = c->f64;
        break;
    case TIDE_CAT:
        p->buffer[1] = c->code;
        a->dictionary = mem_zalloc(sizeof *a->dictionary);
        return a->dictionary ? dictionary_array(f, c, a->dictionary) : -1;
    case TIDE_TEXT:
        p->buffer[1] = f->n_rows ? c->text_at : zero;
        p->buffer[2] = c->text ? c->text : "";
        break;
    }
    return 0;
}

static int table_array(const tide_frame *f, struct ArrowArray *a)
{
    if (!array_begin(f, f->n_rows, 1, a)) return -1;
    a->children = mem_zalloc(((size_t)f->n_cols + 1) * sizeof(void *));
    int bad = a->children == NULL;
    for (int j = 0; !bad && j < f->n_cols; j++) {
        a->children[j] = mem_zalloc(sizeof *a->children[j]);
        a->n_children = j + 1;
        bad = !a->children[j] || column_array(f, &f->cols[j], a->children[j]) != 0;
    }
    if (bad) a->release(a);
    return bad ? -1 : 0;
}

/* ---- the stream ---- */

struct stream {
    tide_frame *frame;
    int done;
    const char *problem;
};

static int stream_fails(struct stream *s)
{
    s->problem = "out of memory";
    return ENOMEM;
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct stream *s = stream->private_data;
    return table_schema(s->frame, out) == 0 ? 0 : stream_fails(s);
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct stream *s = stream->private_data;
    *out = (struct ArrowArray){0};
    if (s->done) return 0;
    if (table_array(s->frame, out) != 0) {
        *out = (struct ArrowArray){0};
        return stream_fails(s);
    }
    s->done = 1;
    return 0;
}

static const char *stream_error(struct ArrowArrayStream *stream)
{
    const struct stream *s = stream->private_data;
    return s->problem;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    struct stream *s = stream->private_data;
    tide_frame_free(s->frame);
    mem_free(s);
    stream->release = NULL;
}

tide_status tide_frame_to_arrow_stream(const tide_frame *frame,
                                       struct ArrowArrayStream *out, tide_error *err)
{
    if (!frame || !out)
        return err_set(err, TIDE_CODE_HANDLE_INVALID, "an argument is NULL");
    *out = (struct ArrowArrayStream){0};
    tide_frame *dense;
    tide_status st = frame_dense(frame->arena.ctx, frame, &dense, err);
    if (st != TIDE_OK) return st;
    struct stream *s = mem_zalloc(sizeof *s);
    if (!s) {
        tide_frame_free(dense);
        return err_nomem(err, sizeof *s);
    }
    s->frame = dense;
    *out = (struct ArrowArrayStream){stream_schema, stream_next, stream_error,
                                     stream_release, s};
    return TIDE_OK;
}
