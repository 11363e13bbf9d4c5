/* main.c - a program of somebody else, built against the installed library in four ways */
#include <stdio.h>
#include <string.h>

#include <tidemill/ctx.h>
#include <tidemill/status.h>
#include <tidemill/version.h>

/* names that the library uses inside: they must not clash */
int arena_push(void);
int arena_push(void)
{
    return 7;
}

int main(void)
{
    tide_ctx *ctx = NULL;
    tide_error err;
    memset(&err, 0, sizeof err);
    err.size = (uint32_t)sizeof err;
    if (tide_ctx_new(&ctx, &err) != TIDE_OK) return 1;
    if (tide_ctx_set_threads(ctx, 2, &err) != TIDE_OK) return 2;
    if (tide_ctx_set_threads(ctx, -1, &err) != TIDE_EINVAL) return 3;
    if (strcmp(tide_code_name(TIDE_CODE_CSV_TYPE), "csv-type") != 0) return 4;
    tide_ctx_free(ctx);
    printf("tidemill %s, %d\n", TIDE_VERSION, arena_push());
    return 0;
}
