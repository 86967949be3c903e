/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels of a few instructions, for tests that have to boot something, or just
 * to load it.
 */
#ifndef TESTS_QTEST_BZIMAGE_H
#define TESTS_QTEST_BZIMAGE_H

#include <stddef.h>
#include <stdint.h>

/* Writes to the file @path a kernel that is entered by the 64-bit boot protocol,
 * at 16 MiB and up, and then is the @size bytes of @code. */
void bzimage_write(const char *path, const uint8_t *code, size_t size);
/* Makes a file with one that halts; its name, g_free(), to be removed by the
 * caller. */
char *bzimage_make(void);

#endif
