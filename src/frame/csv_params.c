/* csv_params.c - the options of reading as a parameter table: flags of every verb that reads */
#include <tidemill/frame.h>

static const char *const quote_names[] = {"double", "none", "lenient", NULL};
static const char *const header_names[] = {"auto", "yes", "no", "rename", NULL};
static const char *const inf_names[] = {"refuse", "missing", NULL};

#define R tide_read_options
static const struct tide_param rows[] = {
    P_TEXT(R, format, "auto", .alias = "from",
           .help = "what the table is: auto or a name of tidemill list reader",
           .metavar = "NAME"),
    P_TEXT(R, delim, "auto", .alias = "sep delimiter d",
           .help = "character between fields: auto , tab ; | space or another",
           .metavar = "CHAR"),
    P_ENUM(R, header, "auto", header_names,
           .help = "is the first row names; rename makes a, a into a, a_2"),
    P_LIST(R, na, .alias = "na-values", .help = "one more text that means missing",
           .metavar = "TEXT"),
    P_LIST(R, types, .alias = "dtype",
           .help = "COLUMN=bool|int|number|time|category|text",
           .metavar = "COLUMN=TYPE"),
    P_LIST(R, columns, .alias = "usecols",
           .help = "read this column only (repeat for more)", .metavar = "NAME"),
    P_TEXT(R, on_bad, "fail", .alias = "on-bad-lines",
           .help = "rows and cells that do not fit: fail null skip reject=FILE",
           .metavar = "WHAT"),
    P_ENUM(R, inf, "refuse", inf_names, .help = "what infinite numbers become"),
    P_BOOL(R, cache, "no",
           .help = "keep the columns in FILE.tcol and read them from there next time"),
    P_TEXT(R, decimal, "auto", .help = "decimal mark: auto . ,", .metavar = "CHAR",
           .flags = TIDE_EXPERT),
    P_TEXT(R, thousands, "", .help = "mark between groups of three digits",
           .metavar = "CHAR", .flags = TIDE_EXPERT | TIDE_EMPTY_OK),
    P_TEXT(R, comment, "", .help = "lines that begin with this are skipped",
           .metavar = "TEXT", .flags = TIDE_EXPERT | TIDE_EMPTY_OK),
    P_ENUM(R, quote, "double", quote_names, .alias = "quoting",
           .help = "quotes: doubled inside, not special, or as spreadsheets take them",
           .flags = TIDE_EXPERT),
    P_BYTES(R, max_field, "1M", P_RANGE(1, 1073741824), .help = "longest field",
            .flags = TIDE_EXPERT),
    P_BYTES(R, max_line, "64M", P_RANGE(1, 1073741824), .help = "longest row",
            .flags = TIDE_EXPERT),
    P_INT(R, max_columns, "65536", P_RANGE(1, 16777216), .help = "most columns",
          .flags = TIDE_EXPERT),
};
static const struct tide_params table = TIDE_TABLE(rows, tide_read_options);

const struct tide_params *tide_read_params(void)
{
    return &table;
}
