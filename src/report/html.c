/* html.c - a report as one page: no request, no script needed, any theme
 *
 * The page's own policy allows our style and script by their SHA-256 and nothing else; hence
 * no style and no on... attribute anywhere. Whatever comes from data is escaped, its control
 * and direction characters are replaced by symbols, and it stands in <bdi>. */
#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "report/svg.h"
#include "report_assets.h"

static void text(struct str *o, const char *s)
{
    svg_text(o, s);
}

static void bdi(struct str *o, const char *s)
{
    str_add(o, "<bdi>");
    text(o, s);
    str_add(o, "</bdi>");
}

void html_id(struct str *out, const char *key)
{
    static const char hex[] = "0123456789abcdef";
    for (; *key; key++) {
        unsigned char c = (unsigned char)*key;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            (c >= '0' && c <= '9') || c == '-') {
            str_addc(out, (char)c);
        } else {
            str_addc(out, '_');
            str_addc(out, hex[c >> 4]);
            str_addc(out, hex[c & 15]);
        }
    }
}

void html_chart_css(struct str *out)
{
    str_add(out, chart_css);
    for (int k = 0; k < 9; k++) {
        str_addf(out,
                 ".c%d{color:var(--c%d)}.q%d{fill:var(--q%d)}.d%d{fill:var(--d%d)}", k,
                 k, k, k, k, k);
        str_addf(out, ".qt%d{fill:var(--t%d)}.dt%d{fill:%s}\n", k, k, k,
                 k < 2 || k > 6 ? "#FFFFFF" : "#1B1F23");
    }
}

/* ---- head ---- */

static void base64(struct str *o, const uint8_t *p, size_t n)
{
    static const char digit[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;
        if (i + 1 < n) v |= (uint32_t)p[i + 1] << 8;
        if (i + 2 < n) v |= p[i + 2];
        str_addc(o, digit[v >> 18]);
        str_addc(o, digit[v >> 12 & 63]);
        str_addc(o, i + 1 < n ? digit[v >> 6 & 63] : '=');
        str_addc(o, i + 2 < n ? digit[v & 63] : '=');
    }
}

static void allow(struct str *o, const char *what, const char *content, size_t n)
{
    uint8_t digest[32];
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, content, n);
    sha256_end(&h, digest);
    str_addf(o, "; %s 'sha256-", what);
    base64(o, digest, sizeof digest);
    str_addc(o, '\'');
}

static void head(struct str *o, const tide_report *r)
{
    struct str style = {0};
    str_addc(&style, '\n');
    palette_css(&style);
    html_chart_css(&style);
    str_add(&style, report_css);
    o->failed |= style.failed;
    str_add(
        o, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
           "img-src data:");
    allow(o, "style-src", style.s ? style.s : "", style.len);
    allow(o, "script-src", report_js, sizeof report_js - 1);
    str_add(o,
            "; base-uri 'none'; form-action 'none'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    text(o, r->title);
    str_add(o, "</title>\n<style>");
    str_add(o, style.s ? style.s : "");
    str_add(o, "</style>\n</head>\n<body>\n"
               "<a class=\"skip\" href=\"#main\">Skip to the content</a>\n");
    str_free(&style);
}

/* ---- facts ---- */

/* Long facts and objects belong to "How it was made"; durations to nothing that is compared. */
static int is_short_fact(const char *key, const json_t *fact)
{
    if (strcmp(key, "chosen_because") == 0 || strcmp(key, "pipeline") == 0) return 0;
    if (json_is_string(fact)) return json_string_length(fact) <= 48;
    return json_is_number(fact) || json_is_boolean(fact);
}

static int is_made_fact(const char *key, const json_t *fact)
{
    const char *name;
    json_t *v;
    if (strcmp(key, "time") == 0 || json_is_array(fact)) return 0;
    if (json_is_string(fact)) return !is_short_fact(key, fact);
    if (!json_is_object(fact) || json_object_size(fact) == 0) return 0;
    /* clang-format off */
    json_object_foreach((json_t *)(uintptr_t)fact, name, v)
        if (json_is_object(v) || json_is_array(v)) return 0;
    /* clang-format on */
    return 1;
}

static void scalar(struct str *o, const json_t *v)
{
    struct figure f;
    if (json_is_string(v))
        bdi(o, json_string_value(v));
    else if (json_is_integer(v))
        str_add(o, figure_count(&f, (int64_t)json_integer_value(v)));
    else if (json_is_real(v))
        str_add(o, figure_number(&f, json_real_value(v), 4));
    else
        str_add(o, json_is_true(v) ? "yes" : json_is_false(v) ? "no" : "-");
}

static void key_words(struct str *o, const char *key)
{
    struct str t = {0};
    figure_words(&t, key);
    text(o, t.s ? t.s : "");
    o->failed |= t.failed;
    str_free(&t);
}

static void facts(struct str *o, const tide_report *r,
                  int (*wanted)(const char *, const json_t *))
{
    const char *key, *name;
    json_t *fact, *v;
    int any = 0;
    /* clang-format off */
    json_object_foreach(r->facts, key, fact) {
        /* clang-format on */
        if (!wanted(key, fact)) continue;
        if (!any)
            str_addf(o, "<dl%s>\n", wanted == is_short_fact ? " class=\"facts\"" : "");
        any = 1;
        str_add(o, "<div><dt>");
        key_words(o, key);
        str_add(o, "</dt><dd>");
        if (json_is_object(fact)) {
            int first = 1;
            /* clang-format off */
            json_object_foreach(fact, name, v) {
                /* clang-format on */
                if (!first) str_add(o, ", ");
                first = 0;
                text(o, name);
                str_addc(o, '=');
                scalar(o, v);
            }
        } else {
            scalar(o, fact);
        }
        str_add(o, "</dd></div>\n");
    }
    if (any) str_add(o, "</dl>\n");
}

/* ---- sections ---- */

static int section_number(const tide_report *r, int item)
{
    int n = 0;
    for (int i = 0; i <= item; i++) n += r->items[i].kind == REPORT_HEADING;
    return n;
}

static int has_items(const tide_report *r, int from)
{
    for (int i = from; i < r->n && r->items[i].kind != REPORT_HEADING; i++)
        if (r->items[i].kind != REPORT_METRIC) return 1;
    return 0;
}

static int has_metrics(const tide_report *r)
{
    for (int i = 0; i < r->n; i++)
        if (r->items[i].kind == REPORT_METRIC) return 1;
    return 0;
}

static int has_made(const tide_report *r)
{
    const char *key;
    json_t *fact;
    int n = 0;
    /* clang-format off */
    json_object_foreach(r->facts, key, fact) n += is_made_fact(key, fact);
    /* clang-format on */
    return n > 0;
}

static void link(struct str *o, const char *id, const char *title)
{
    str_addf(o, "<li><a href=\"#%s\">", id);
    text(o, title);
    str_add(o, "</a></li>\n");
}

static void contents(struct str *o, const tide_report *r)
{
    char id[32];
    str_add(o, "<nav aria-label=\"Contents\">\n<ol>\n");
    if (has_metrics(r)) link(o, "key-numbers", "Key numbers");
    if (has_items(r, 0)) link(o, "results", "Results");
    for (int i = 0; i < r->n; i++)
        if (r->items[i].kind == REPORT_HEADING && has_items(r, i + 1)) {
            (void)str_format(id, sizeof id, "section-%d", section_number(r, i));
            link(o, id, r->items[i].text);
        }
    if (r->n_notes) link(o, "notes", "Notes");
    if (r->n_advice) link(o, "next", "What next");
    if (has_made(r)) link(o, "made", "How it was made");
    str_add(o, "</ol>\n</nav>\n");
}

static void metric_row(struct str *o, const struct report_metric *m)
{
    struct figure f, value, lo, hi;
    figure_estimate(&value, &lo, &hi, m);
    str_addf(o, "<tr%s><th scope=\"row\">", m->main ? " class=\"main\"" : "");
    text(o, m->title ? m->title : m->key);
    str_addf(o, "</th><td class=\"r\">%s</td><td>", value.s);
    if (isnan(m->value) && m->reason) {
        bdi(o, m->reason);
    } else if (!isnan(m->lo) && !isnan(m->hi)) {
        str_addf(o, "%s to %s", lo.s, hi.s);
    }
    str_add(o, "</td><td>");
    if (m->method) text(o, m->method);
    str_add(o, "</td><td class=\"r\">");
    if (!isnan(m->chance)) str_add(o, figure_number(&f, m->chance, 4));
    str_add(o, "</td><td class=\"r\">");
    if (m->n > 0) str_add(o, figure_count(&f, m->n));
    str_add(o, "</td></tr>\n");
}

static void metrics(struct str *o, const tide_report *r)
{
    if (!has_metrics(r)) return;
    str_add(
        o,
        "<section aria-labelledby=\"key-numbers\">\n<h2 id=\"key-numbers\">Key "
        "numbers</h2>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
        "aria-label=\"Key numbers\">\n<table><thead><tr><th scope=\"col\">metric</th>"
        "<th scope=\"col\" class=\"r\">value</th><th scope=\"col\">95 % interval</th>"
        "<th scope=\"col\">method</th><th scope=\"col\" class=\"r\">chance</th>"
        "<th scope=\"col\" class=\"r\">rows</th></tr></thead>\n<tbody>\n");
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < r->n; i++)
            if (r->items[i].kind == REPORT_METRIC &&
                !r->items[i].metric.main == (pass == 1))
                metric_row(o, &r->items[i].metric);
    str_add(o, "</tbody></table>\n</div>\n</section>\n");
}

struct cells {
    int n_cols;
    int64_t n_rows;
    const char *const *head, *const *cell;
    const uint8_t *right;
};

static void table(struct str *o, const char *title, const struct cells *t)
{
    str_add(o, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    text(o, title);
    str_addf(o, "\">\n<table%s>", t->n_rows > 5 ? " class=\"sort\"" : "");
    str_add(o, "<caption>");
    text(o, title);
    str_add(o, "</caption><thead><tr>");
    for (int j = 0; j < t->n_cols; j++) {
        str_addf(o, "<th scope=\"col\"%s>",
                 t->right && t->right[j] ? " class=\"r\"" : "");
        bdi(o, t->head[j] ? t->head[j] : "");
        str_add(o, "</th>");
    }
    str_add(o, "</tr></thead>\n<tbody>\n");
    for (int64_t i = 0; i < t->n_rows; i++) {
        str_add(o, "<tr>");
        for (int j = 0; j < t->n_cols; j++) {
            const char *s = t->cell[i * t->n_cols + j];
            int is_number = t->right && t->right[j];
            str_add(o, j == 0 && !is_number ? "<th scope=\"row\">"
                       : is_number          ? "<td class=\"r\">"
                                            : "<td>");
            if (is_number)
                text(o, s ? s : "-");
            else
                bdi(o, s ? s : "-");
            str_add(o, j == 0 && !is_number ? "</th>" : "</td>");
        }
        str_add(o, "</tr>\n");
    }
    str_add(o, "</tbody></table>\n</div>\n");
}

/* What a reader new to this kind of chart wants to know. */
static const char *how_to_read(const struct tide_chart *c)
{
    static const char *const by_kind[] = {
        "Follow a line from left to right: its height is the value on the upright "
        "axis. A "
        "shaded band around it holds the true line with 95 % certainty.",
        "The value stays as it is until the next step.",
        "The shaded area reaches from the lower to the upper end.",
        "Longer bars stand for larger values; all begin at 0. A thin whisker shows how "
        "far "
        "the value could lie with 95 % certainty.",
        "The box holds the middle half of the rows, the line in it is the median; "
        "whiskers "
        "end where 5 % of the rows lie beyond.",
        "Each mark is one row. Look for a direction, for groups, and for marks far "
        "away "
        "from all others.",
        "Each stroke is one value.",
        "The marker is the estimate, the whisker its 95 % interval: where two whiskers "
        "overlap widely, the data cannot tell them apart.",
        "The line is a reference to compare with.",
        "Darker cells (lighter in the dark theme) hold larger values; the numbers "
        "stand in "
        "the table.",
        "Each hexagon counts the rows that fall into it; darker ones (lighter in the "
        "dark "
        "theme) hold more.",
        "Follow the line from its beginning to its end.",
        "Begin at the root and follow the branches.",
        "The labels stand at their places on both axes."};
    if (c->how_to_read) return c->how_to_read;
    if (c->n_marks > 0) {
        const struct chart_mark *m = &c->marks[0];
        if (plot_is_histogram(m))
            return "Each bar counts the rows whose value falls between its two edges. "
                   "One "
                   "hill is usual; two hills are often two groups.";
        return by_kind[m->kind];
    }
    return NULL;
}

static void figure(struct str *o, const struct tide_chart *c, struct arena *a)
{
    struct chart_grid grid[CHART_GRIDS];
    struct arena_mark mark = arena_mark(a);
    const char *how = how_to_read(c);
    struct figure f;
    int n = chart_table_grids(c, a, 0, grid);
    str_add(o, "<figure id=\"");
    html_id(o, c->key);
    str_add(o,
            c->n_marks && c->marks[0].kind == MARK_NODE ? "\" class=\"wide\">" : "\">");
    str_add(o, "\n<h3>");
    bdi(o, c->title);
    str_add(o, "</h3>\n");
    if (c->subtitle) {
        str_add(o, "<p class=\"sub\">");
        bdi(o, c->subtitle);
        str_add(o, "</p>\n");
    }
    str_add(o, "<p class=\"sum\">");
    bdi(o, c->summary ? c->summary : "");
    str_add(o, "</p>\n");
    chart_svg(o, c, 0, a);
    for (int i = 0; i < c->n_notes; i++) {
        str_add(o, "<p class=\"note\">");
        bdi(o, c->notes[i]);
        str_add(o, "</p>\n");
    }
    if (n > 0) {
        str_addf(
            o,
            "<details><summary>Numbers</summary>\n<p class=\"note\">%s rows behind "
            "this chart</p>\n",
            figure_count(&f, c->n));
        for (int i = 0; i < n; i++) {
            struct cells t = {grid[i].n_cols, grid[i].n_rows, grid[i].head,
                              grid[i].cell, grid[i].right};
            table(o, c->title, &t);
        }
        str_add(o, "</details>\n");
    }
    if (how) {
        str_add(o, "<details><summary>How to read this</summary>\n<p>");
        text(o, how);
        if (c->guide) {
            str_add(o, " Guide: ");
            text(o, c->guide);
            str_addc(o, '.');
        }
        str_add(o, "</p></details>\n");
    }
    str_add(o, "</figure>\n");
    if (!a->failed) arena_reset(a, mark);
}

/* Items from one heading to the next; charts in a row share a grid. */
static void items(struct str *o, const tide_report *r, int from, struct arena *a)
{
    int in_figures = 0;
    for (int i = from; i < r->n && r->items[i].kind != REPORT_HEADING; i++) {
        const struct report_item *item = &r->items[i];
        int is_chart = item->kind == REPORT_CHART;
        if (item->kind == REPORT_METRIC) continue;
        if (is_chart && !in_figures) str_add(o, "<div class=\"figures\">\n");
        if (!is_chart && in_figures) str_add(o, "</div>\n");
        in_figures = is_chart;
        if (is_chart) {
            figure(o, item->chart, a);
        } else if (item->kind == REPORT_TABLE) {
            struct cells t = {item->table.n_cols, item->table.n_rows, item->table.head,
                              item->table.cell, item->table.right};
            table(o, item->table.title ? item->table.title : item->table.key, &t);
        } else {
            str_add(o, "<p>");
            bdi(o, item->text);
            str_add(o, "</p>\n");
        }
    }
    if (in_figures) str_add(o, "</div>\n");
}

static void sections(struct str *o, const tide_report *r, struct arena *a)
{
    if (has_items(r, 0)) {
        str_add(
            o,
            "<section aria-labelledby=\"results\">\n<h2 id=\"results\">Results</h2>\n");
        items(o, r, 0, a);
        str_add(o, "</section>\n");
    }
    for (int i = 0; i < r->n; i++) {
        int k;
        if (r->items[i].kind != REPORT_HEADING || !has_items(r, i + 1)) continue;
        k = section_number(r, i);
        str_addf(o, "<section aria-labelledby=\"section-%d\">\n<h2 id=\"section-%d\">",
                 k, k);
        bdi(o, r->items[i].text);
        str_add(o, "</h2>\n");
        items(o, r, i + 1, a);
        str_add(o, "</section>\n");
    }
}

static void ends(struct str *o, const tide_report *r)
{
    if (r->n_notes) {
        str_add(
            o,
            "<section aria-labelledby=\"notes\">\n<h2 id=\"notes\">Notes</h2>\n<ul>\n");
        for (int i = 0; i < r->n_notes; i++) {
            str_add(o, "<li>");
            bdi(o, r->notes[i]);
            str_add(o, "</li>\n");
        }
        str_add(o, "</ul>\n</section>\n");
    }
    if (r->n_advice)
        str_add(o,
                "<section aria-labelledby=\"next\">\n<h2 id=\"next\">What next</h2>\n");
    for (int i = 0; i < r->n_advice; i++) {
        str_add(o, "<p>");
        bdi(o, r->advice[i].text);
        str_add(o, "</p>\n");
        if (!r->advice[i].command) continue;
        str_add(o, "<pre tabindex=\"0\"><code>");
        text(o, r->advice[i].command);
        str_add(o, "</code></pre>\n");
    }
    if (r->n_advice) str_add(o, "</section>\n");
    if (has_made(r)) {
        str_add(o, "<section aria-labelledby=\"made\">\n<h2 id=\"made\">How it was "
                   "made</h2>\n");
        facts(o, r, is_made_fact);
        str_add(o, "</section>\n");
    }
}

void html_report(struct str *o, const tide_report *r, struct arena *a)
{
    head(o, r);
    str_add(o, "<header>\n<h1>");
    bdi(o, r->title);
    str_add(o, "</h1>\n");
    if (r->subtitle) {
        str_add(o, "<p class=\"sub\">");
        bdi(o, r->subtitle);
        str_add(o, "</p>\n");
    }
    str_add(o, "</header>\n<div class=\"page\">\n");
    contents(o, r);
    str_add(o, "<main id=\"main\">\n");
    if (r->verdict) {
        str_add(o, "<p class=\"verdict\">");
        bdi(o, r->verdict);
        str_add(o, "</p>\n");
    }
    facts(o, r, is_short_fact);
    metrics(o, r);
    sections(o, r, a);
    ends(o, r);
    str_add(o, "</main>\n</div>\n<script>");
    str_add(o, report_js);
    str_add(o, "</script>\n</body>\n</html>\n");
}
