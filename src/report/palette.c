/* palette.c - the colours of both themes; tests/unit/report_palette.c computes that they are
 * told apart (WCAG 2 contrast, CIEDE2000 under full colour deficiencies) */
#include "report/report.h"

const struct palette_slot palette_slots[9] = {
    {"#57606A", "#A3ADB8", ""},        {"#2A8DFD", "#A7D2FE", ""},
    {"#8A2A01", "#9E7B38", "6 3"},     {"#9F9002", "#FDD804", "2 3"},
    {"#6822AC", "#6277F3", "8 3 2 3"}, {"#DD659B", "#D04EA3", "12 3"},
    {"#035B63", "#06C897", "4 2 1 2"}, {"#A26656", "#F89141", "10 2 2 2 2 2"},
    {"#8662BF", "#C692FC", "1 2"},
};
const char *const palette_sequential[9] = {"#EEF4FB", "#CFDAE9", "#B1C0D7",
                                           "#93A7C5", "#768FB3", "#5B76A1",
                                           "#3F5F8F", "#25477D", "#08306B"};
const char *const palette_diverging[9] = {"#0B4F8A", "#4B77A5", "#819FBE",
                                          "#B9C8D7", "#F2F2F0", "#DAC3B6",
                                          "#C1957E", "#A46443", "#8A3A00"};
/* clang-format off */
const char *const palette_roles_light[][2] = {
    {"page", "#FFFFFF"}, {"panel", "#F6F7F9"}, {"ink", "#1B1F23"}, {"muted", "#57606A"},
    {"link", "#0B5CAD"}, {"axis", "#8C959F"}, {"grid", "#D8DEE4"}, {"good", "#0A6640"},
    {"warn", "#7A5200"}, {"bad", "#B3261E"}, {0, 0}};
const char *const palette_roles_dark[][2] = {
    {"page", "#14171A"}, {"panel", "#1D2126"}, {"ink", "#E6E9ED"}, {"muted", "#A3ADB8"},
    {"link", "#7DB7FF"}, {"axis", "#6B7683"}, {"grid", "#2C3238"}, {"good", "#5FD39A"},
    {"warn", "#F2C14E"}, {"bad", "#FF8A80"}, {0, 0}};
/* clang-format on */

int palette_class(double v, double lo, double hi)
{
    double t = hi > lo ? (v - lo) / (hi - lo) : 0.5;
    int k = t > 0 ? (t < 1 ? (int)(t * 9) : 8) : 0;
    return k > 8 ? 8 : k;
}

static void put_theme(struct str *out, int dark)
{
    const char *const(*role)[2] = dark ? palette_roles_dark : palette_roles_light;
    for (int i = 0; role[i][0]; i++) str_addf(out, "--%s:%s;", role[i][0], role[i][1]);
    for (int k = 0; k < 9; k++)
        str_addf(out, "--c%d:%s;", k,
                 dark ? palette_slots[k].dark : palette_slots[k].light);
    for (int k = 0; k < 9; k++) {
        int class = dark ? 8 - k : k; /* more is further from the page */
        str_addf(out, "--q%d:%s;--t%d:%s;", k, palette_sequential[class], k,
                 class > 4 ? "#FFFFFF" : "#1B1F23");
        str_addf(out, "--d%d:%s;", k, palette_diverging[k]);
    }
}

void palette_css(struct str *out)
{
    str_add(out, ":root{color-scheme:light dark;");
    put_theme(out, 0);
    str_add(out,
            "}\n@media (prefers-color-scheme:dark){:root:not([data-theme=light]){");
    put_theme(out, 1);
    str_add(out, "}}\n:root[data-theme=light]{color-scheme:light}\n"
                 ":root[data-theme=dark]{color-scheme:dark;");
    put_theme(out, 1);
    str_add(out, "}\n@media print{:root,:root:not([data-theme=light]),"
                 ":root[data-theme=dark]{color-scheme:light;");
    put_theme(out, 0);
    str_add(out,
            "}}\n@media (forced-colors:active){:root,:root:not([data-theme=light]),"
            ":root[data-theme=dark]{--page:Canvas;--panel:Canvas;--ink:CanvasText;"
            "--muted:CanvasText;--axis:CanvasText;--grid:GrayText;--link:LinkText;");
    for (int k = 0; k < 9; k++) str_addf(out, "--c%d:CanvasText;", k);
    str_add(out, "}}\n");
}
