/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "libqtest.h"
#include "tests/patience.h"

char *cli_dir;

void cli_run_clear(CliRun *run)
{
    g_free(run->out);
    g_free(run->err);
}

void cli_begin(void)
{
    cli_dir = g_dir_make_tmp("cli-dir-XXXXXX", NULL);
    g_assert_nonnull(cli_dir);
}

void cli_end(void)
{
    g_assert_no_errno(g_rmdir(cli_dir));
    g_clear_pointer(&cli_dir, g_free);
}

CliRun cli_run_by(const char *wrapper, const char *args)
{
    g_autofree char *line = g_strdup_printf(
        "timeout -k 1 %u %s %s %s", (unsigned)(patience_us() / G_USEC_PER_SEC) + 1,
        wrapper, g_getenv("QTEST_QEMU_BINARY"), args);
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) err = NULL;
    CliRun run = { 0 };
    int wait_status;

    g_shell_parse_argv(line, NULL, &argv, &err);
    g_assert_no_error(err);
    g_test_message("%s", line);
    g_spawn_sync(cli_dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &run.out,
                 &run.err, &wait_status, &err);
    g_assert_no_error(err);
    if (!WIFEXITED(wait_status)) {
        g_error("%s: died of signal %d", line, WTERMSIG(wait_status));
    }
    run.status = WEXITSTATUS(wait_status);
    return run;
}

CliRun cli_run(const char *args)
{
    return cli_run_by("", args);
}

int cli_run_with_pipe(const char *args)
{
    g_autofree char *line = g_strdup_printf("%s %s", g_getenv("QTEST_QEMU_BINARY"),
                                            args);
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) err = NULL;
    int out;

    g_shell_parse_argv(line, NULL, &argv, &err);
    g_assert_no_error(err);
    g_test_message("%s", line);
    g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                             NULL, &out, NULL, &err);
    g_assert_no_error(err);
    return out;
}

void cli_expect_end(int fd)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;
    char byte;

    g_assert_no_errno(fcntl(fd, F_SETFL, O_NONBLOCK));
    while (read(fd, &byte, 1)) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
    close(fd);
}

void cli_assert_dir_empty(const char *args)
{
    g_autoptr(GDir) d = g_dir_open(cli_dir, 0, NULL);
    const char *left = g_dir_read_name(d);

    if (left) {
        g_error("%s: left '%s' behind", args, left);
    }
}

void cli_check_refused_by(const char *wrapper, const char *args,
                             const char *parts)
{
    g_auto(CliRun) r = cli_run_by(wrapper, args);
    g_auto(GStrv) part = g_strsplit(parts, "|", -1);

    if (r.status != 1) {
        g_error("%s: exit status %d, '%s'", args, r.status, r.err);
    }
    g_assert_cmpstr(r.out, ==, "");
    if (!g_str_has_prefix(r.err, "sparsevm: ") ||
        strchr(r.err, '\n') != r.err + strlen(r.err) - 1) {
        g_error("%s: this is not one line of the program's: '%s'", args, r.err);
    }
    for (char **p = part; *p; p++) {
        if (!strstr(r.err, *p)) {
            g_error("%s: '%s' does not hold '%s'", args, r.err, *p);
        }
    }
}

void cli_check_refused(const char *args, const char *parts)
{
    cli_check_refused_by("", args, parts);
}

void cli_check_all(const CliBadCase *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        cli_check_refused(cases[i].args, cases[i].parts);
        cli_assert_dir_empty(cases[i].args);
    }
}
