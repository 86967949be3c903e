/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running the emulator for the sake of its command line: it ends by itself, and
 * what it said and left behind is looked at. For test-cli*.
 */
#ifndef TESTS_QTEST_CLI_H
#define TESTS_QTEST_CLI_H

#include "libqtest.h"

#define QTEST_ARGS "-accel qtest -display none -nodefaults "
#define MEM "-m 64M,maxmem=2G "
#define BACKEND "-object memory-backend-ram,id=mem0,size=256M "

typedef struct CliRun {
    int status;                           /* exit status; 124: had to be ended */
    char *out;
    char *err;
} CliRun;

void cli_run_clear(CliRun *run);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CliRun, cli_run_clear)

/* A directory of the test's own, in which the emulator runs: from cli_begin() to
 * cli_end(), which must find it empty. */
extern char *cli_dir;
void cli_begin(void);
void cli_end(void);

/* Runs the emulator, by @wrapper, with @args (split as a shell does) until it
 * ends. */
CliRun cli_run_by(const char *wrapper, const char *args);
CliRun cli_run(const char *args);
/* Starts it, and does not wait; its output goes to a pipe, of which this is the
 * other end. */
int cli_run_with_pipe(const char *args);
/* Waits until nobody has the other end of @fd any more, and closes it; what was said
 * does not matter. */
void cli_expect_end(int fd);
/* @args are for the message. */
void cli_assert_dir_empty(const char *args);
/* @args must be refused with one line that holds each of @parts, which are
 * separated by '|'. */
void cli_check_refused_by(const char *wrapper, const char *args,
                          const char *parts);
void cli_check_refused(const char *args, const char *parts);

typedef struct CliBadCase {
    const char *args;
    const char *parts;
} CliBadCase;

/* Each must be refused, and leave nothing behind. */
void cli_check_all(const CliBadCase *cases, size_t n);

#endif
