/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a test waits for what must happen. No test has a limit in plain
 * seconds, because a busy machine, or one with a sanitizer, needs any number of
 * them: a limit is a multiple of what this machine needed for a known step a
 * moment ago. tests/patience.py is the same for programs in Python.
 */
#ifndef TESTS_PATIENCE_H
#define TESTS_PATIENCE_H

#include <glib.h>
#include <stdbool.h>

/* Microseconds after which a wait that begins now has lasted too long. From any
 * thread; takes some ms if it was not called for a second. */
gint64 patience_us(void);
/* g_get_monotonic_time() at which such a wait ends. */
gint64 patience_deadline(void);
/* Whether @deadline is still to come; sleeps a little, longer each time. *round
 * begins with 0. */
bool patience_more(gint64 deadline, unsigned *round);
/* Fails the test if @deadline has passed. */
void patience_check(gint64 deadline);

#endif
