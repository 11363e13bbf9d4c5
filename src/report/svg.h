/* svg.h - drawing in integers of 0.1 px, shared by the frame and the marks of a picture */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H
#include "report/report.h"

struct svg {
    struct str *out;
    const struct plot *p;
    int width, height;   /* of the viewBox, 0.1 px */
    int left, top, w, h; /* of the plane */
    int px, py, is_open; /* the path being written */
    struct arena *a;
};
void svg_number(struct str *out, int tenths);
/* Escaped for text and attributes; control and direction characters become symbols. */
void svg_text(struct str *out, const char *s);
void svg_label(struct svg *g, const char *class, int x, int y, const char *anchor,
               const char *s);
void svg_path_begin(struct svg *g, const char *class, const char *dash);
void svg_path_end(struct svg *g);
void svg_move(struct svg *g, int x, int y);
void svg_line(struct svg *g, int x, int y);
void svg_close(struct svg *g);
void svg_rect(struct svg *g, int x0, int y0, int x1, int y1); /* into the open path */
/* A marker of a slot around a place, into the open path. */
void svg_marker(struct svg *g, int slot, int x, int y, int r);
/* Places 0..1 to the picture, held inside the plane. */
int svg_x(const struct svg *g, double at);
int svg_y(const struct svg *g, double at);
void svg_mark(struct svg *g, const struct chart_mark *m, int bar); /* svg_marks.c */
/* Diverging colours when the values have both signs. */
int svg_is_diverging(const struct plot *p);
int svg_class(const struct plot *p, double v);
#endif
