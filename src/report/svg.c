/* svg.c - paths and text; every coordinate is an integer of 0.1 px before it is printed */
#include "report/svg.h"

#include <math.h>
#include <string.h>

void svg_number(struct str *out, int tenths)
{
    if (tenths < 0) {
        str_addc(out, '-');
        tenths = -tenths;
    }
    str_addf(out, "%d", tenths / 10);
    if (tenths % 10) str_addf(out, ".%d", tenths % 10);
}

void svg_text(struct str *out, const char *s)
{
    size_t n = strlen(s), used;
    for (size_t i = 0; i < n; i += used) {
        char c[UTF8_SHOW_MAX];
        int len = utf8_show(s + i, n - i, c, &used);
        unsigned char first = (unsigned char)s[i];
        if (len > 1 && c[0] == '\\' && first != '\\') {
            if (used == 1 && first < 32) { /* U+2400 and on: pictures of controls */
                char symbol[4] = {(char)0xe2, (char)0x90, (char)(0x80 | first), 0};
                str_add(out, symbol);
            } else {
                str_add(out, "\ufffd");
            }
        } else {
            str_add_html(out, c, (size_t)len);
        }
    }
}

void svg_label(struct svg *g, const char *class, int x, int y, const char *anchor,
               const char *s)
{
    str_addf(g->out, "<text class=\"%s\" x=\"", class);
    svg_number(g->out, x);
    str_add(g->out, "\" y=\"");
    svg_number(g->out, y);
    str_addc(g->out, '"');
    if (anchor) str_addf(g->out, " text-anchor=\"%s\"", anchor);
    str_addc(g->out, '>');
    svg_text(g->out, s);
    str_add(g->out, "</text>\n");
}

void svg_path_begin(struct svg *g, const char *class, const char *dash)
{
    str_addf(g->out, "<path class=\"%s\"", class);
    if (dash && *dash) str_addf(g->out, " stroke-dasharray=\"%s\"", dash);
    str_add(g->out, " d=\"");
    g->is_open = 0;
}

void svg_path_end(struct svg *g)
{
    str_add(g->out, "\"/>\n");
}

void svg_move(struct svg *g, int x, int y)
{
    str_addc(g->out, 'M');
    svg_number(g->out, x);
    str_addc(g->out, ' ');
    svg_number(g->out, y);
    g->px = x;
    g->py = y;
    g->is_open = 1;
}

void svg_line(struct svg *g, int x, int y)
{
    if (!g->is_open) {
        svg_move(g, x, y);
        return;
    }
    if (y == g->py) {
        str_addc(g->out, 'h');
        svg_number(g->out, x - g->px);
    } else if (x == g->px) {
        str_addc(g->out, 'v');
        svg_number(g->out, y - g->py);
    } else {
        str_addc(g->out, 'l');
        svg_number(g->out, x - g->px);
        str_addc(g->out, ' ');
        svg_number(g->out, y - g->py);
    }
    g->px = x;
    g->py = y;
}

void svg_close(struct svg *g)
{
    str_addc(g->out, 'z');
    g->is_open = 0;
}

void svg_rect(struct svg *g, int x0, int y0, int x1, int y1)
{
    svg_move(g, x0, y0);
    svg_line(g, x1, y0);
    svg_line(g, x1, y1);
    svg_line(g, x0, y1);
    svg_close(g);
}

static void polygon(struct svg *g, const int8_t *corner, int n, int x, int y, int r)
{
    for (int i = 0; i < n; i++) {
        int cx = x + corner[2 * i] * r / 10, cy = y + corner[2 * i + 1] * r / 10;
        if (i == 0)
            svg_move(g, cx, cy);
        else
            svg_line(g, cx, cy);
    }
    svg_close(g);
}

void svg_marker(struct svg *g, int slot, int x, int y, int r)
{
    static const int8_t circle[] = {10,  0, 7,  7,  0, 10,  -7, 7,
                                    -10, 0, -7, -7, 0, -10, 7,  -7};
    static const int8_t square[] = {-9, -9, 9, -9, 9, 9, -9, 9};
    static const int8_t up[] = {0, -11, 10, 8, -10, 8};
    static const int8_t diamond[] = {0, -12, 12, 0, 0, 12, -12, 0};
    static const int8_t down[] = {0, 11, 10, -8, -10, -8};
    static const int8_t plus[] = {-3, -11, 3,  -11, 3,  -3, 11,  -3, 11,  3,  3,  3,
                                  3,  11,  -3, 11,  -3, 3,  -11, 3,  -11, -3, -3, -3};
    static const int8_t cross[] = {-10, -7, -7, -10, 0, -3, 7,  -10, 10,  -7, 3,  0,
                                   10,  7,  7,  10,  0, 3,  -7, 10,  -10, 7,  -3, 0};
    switch (slot) {
    case 2:
        polygon(g, square, 4, x, y, r);
        break;
    case 3:
        polygon(g, up, 3, x, y, r);
        break;
    case 4:
        polygon(g, diamond, 4, x, y, r);
        break;
    case 5:
        polygon(g, down, 3, x, y, r);
        break;
    case 6:
        polygon(g, plus, 12, x, y, r);
        break;
    case 7:
        polygon(g, cross, 12, x, y, r);
        break;
    case 8: /* ring: the inner one runs the same way, so evenodd leaves it open */
        polygon(g, circle, 8, x, y, r);
        polygon(g, circle, 8, x, y, r / 2);
        break;
    default:
        polygon(g, circle, 8, x, y, r);
    }
}

static double held(double at)
{
    return at < 0 ? 0 : at > 1 ? 1 : at;
}

int svg_x(const struct svg *g, double at)
{
    return g->left + (int)floor(held(at) * g->w + 0.5);
}

int svg_y(const struct svg *g, double at)
{
    return g->top + g->h - (int)floor(held(at) * g->h + 0.5);
}

int svg_is_diverging(const struct plot *p)
{
    return p->colour_lo < 0 && p->colour_hi > 0;
}

int svg_class(const struct plot *p, double v)
{
    if (svg_is_diverging(p)) {
        double most = -p->colour_lo > p->colour_hi ? -p->colour_lo : p->colour_hi;
        return palette_class(v, -most, most);
    }
    return palette_class(v, p->colour_lo, p->colour_hi);
}
