/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel that the emulator loads, for tests in which no guest runs.
 */
#ifndef TESTS_QTEST_BZIMAGE_H
#define TESTS_QTEST_BZIMAGE_H

/* Makes a file that looks like the head of a kernel in the 64-bit boot protocol;
 * its name, g_free(), to be removed by the caller. */
char *make_bzimage(void);

#endif
