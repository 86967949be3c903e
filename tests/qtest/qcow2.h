/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of format qcow2, for tests of who opens them. */
#ifndef QTEST_QCOW2_H
#define QTEST_QCOW2_H

#include <glib.h>
#include <stdint.h>

#include "qemu/units.h"

/* What the disk has, bytes. */
#define QCOW2_DISK (8 * MiB)
#define QCOW2_CLUSTER (64 * KiB)

/* The path of a new image, which is empty. */
char *qcow2_make(void);
/* Removes it, and frees @path. */
void qcow2_remove(char *path);

#endif
