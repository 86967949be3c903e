/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the drivers of benchmarks share. They use the tests' library, whose errors
 * end a program the way a test ends; here it is one line on stderr and status 1.
 */
#ifndef BENCH_DRIVER_H
#define BENCH_DRIVER_H

#include <stddef.h>

/* First thing in main(). What an assertion says stays longer than a line. */
void bench_one_line_errors(void);

/* That of @n figures of @size bytes each which is called @name; a figure begins
 * with its name. None is: ends the program. */
const void *bench_find_figure(const char *name, const void *figures,
                              size_t size, size_t n);

/* The same of an array. */
#define BENCH_FIGURE(name, figures)                                          \
    bench_find_figure(name, figures, sizeof((figures)[0]), G_N_ELEMENTS(figures))

#endif
