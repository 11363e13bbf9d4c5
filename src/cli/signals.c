/* signals.c - Ctrl-C asks the work to stop, a second one ends the program at once */
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "cli/cli.h"

static tide_ctx *volatile target;
static volatile sig_atomic_t n_signals, is_reading;

/* No result is kept, nor what was written of one. */
static void end_now(void)
{
    file_abandon();
    _exit(tide_status_exit(TIDE_ECANCELLED));
}

/* Only async-signal-safe calls: tide_ctx_cancel is one store. */
static void on_stop(int number)
{
    (void)number;
    n_signals = n_signals + 1;
    if (n_signals > 1 || !target) end_now();
    tide_ctx_cancel(target);
    if (is_reading) {
        struct itimerval in_80_ms = {.it_value = {.tv_usec = 80000}};
        (void)setitimer(ITIMER_REAL, &in_80_ms, NULL);
    }
}

/* A read that blocks does not see the cancel, nor does the sync of columns that are kept: nothing
 * that was asked for has been written yet, so end. */
static void on_alarm(int number)
{
    (void)number;
    static const char line[] = "tidemill: cancelled [cancelled]\n";
    if (!is_reading) return;
    ssize_t put = write(STDERR_FILENO, line, sizeof line - 1);
    (void)put;
    end_now();
}

static void handle(int number, void (*how)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = how;
    sigemptyset(&action.sa_mask);
    (void)sigaction(number, &action, NULL);
}

void cli_signals(void)
{
    handle(SIGINT, on_stop);
    handle(SIGTERM, on_stop);
    handle(SIGALRM, on_alarm);
    handle(SIGPIPE, SIG_IGN);
#ifdef SIGXFSZ
    handle(SIGXFSZ, SIG_IGN);
#endif
}

void cli_signals_ctx(tide_ctx *ctx)
{
    target = ctx;
}

void cli_signals_reading(int reading)
{
    is_reading = reading;
}
