/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drivers of benchmarks use the tests' library, whose errors end a program the
 * way a test ends. These make it end with one line on stderr and status 1.
 */
#ifndef BENCH_ONE_LINE_ERRORS_H
#define BENCH_ONE_LINE_ERRORS_H

/* First thing in main(). What an assertion says stays longer than a line. */
void bench_one_line_errors(void);

#endif
