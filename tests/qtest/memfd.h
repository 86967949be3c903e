/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file behind a guest's memory (memory-backend-memfd), seen from outside:
 * what of it costs the host something.
 */
#ifndef QTEST_MEMFD_H
#define QTEST_MEMFD_H

#include "libqtest.h"

/* The emulator's memfd of @size bytes, as a path; g_free(). */
char *qtest_find_memfd(QTestState *s, uint64_t size);
/* Bytes that the host has allocated for it. */
uint64_t qtest_memfd_allocated(const char *path);
/* The same, in a part of it. */
uint64_t qtest_memfd_allocated_in(const char *path, uint64_t offset,
                                  uint64_t size);

#endif
