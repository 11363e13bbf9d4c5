/* status.c - names and classes of codes, from the one list in <tidemill/status.h> */
#include <tidemill/status.h>

const char *tide_code_name(tide_code code)
{
    switch (code) {
#define STATUS_NAME(value, NAME, text, status, clause)                                 \
    case TIDE_CODE_##NAME:                                                             \
        return text;
        TIDE_CODE_LIST(STATUS_NAME)
#undef STATUS_NAME
    }
    return "internal";
}

tide_status tide_code_status(tide_code code)
{
    switch (code) {
#define STATUS_CLASS(value, NAME, text, status, clause)                                \
    case TIDE_CODE_##NAME:                                                             \
        return status;
        TIDE_CODE_LIST(STATUS_CLASS)
#undef STATUS_CLASS
    }
    return TIDE_EINTERNAL;
}

int tide_status_exit(tide_status status)
{
    return status == TIDE_ENOMEM ? (int)TIDE_ELIMIT : (int)status;
}
