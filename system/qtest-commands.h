/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of the qtest server (qtest.h lists them). */
#ifndef SYSTEM_QTEST_COMMANDS_H
#define SYSTEM_QTEST_COMMANDS_H

#include "qapi/error.h"
#include "qemu/units.h"

/* What one command may read or write, and fill (memset). Bytes. */
#define QTEST_MAX_TRANSFER (16 * MiB)
#define QTEST_MAX_FILL (1 * GiB)
/* A write of QTEST_MAX_TRANSFER in hexadecimal fits. */
#define QTEST_MAX_LINE (2 * QTEST_MAX_TRANSFER + 256)

/*
 * Carries out @line (without its newline; changed on the way) and appends the
 * answer's text after "OK" to @reply, e.g. " 0x12"; false: *errp is the reason.
 */
bool qtest_command(char *line, GString *reply, Error **errp);

#endif
