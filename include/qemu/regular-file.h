/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening the files that a command line or a QMP client names. The directory
 * may be one where others make files, too: so no link leads to somebody else's
 * file, nothing but a regular file is used, and nothing waits.
 */
#ifndef QEMU_REGULAR_FILE_H
#define QEMU_REGULAR_FILE_H

#include "qapi/error.h"

/*
 * A descriptor for writing the file @path, which is made, for the user alone, if
 * it is not there; a link is refused, /dev/null is not: nothing is kept there.
 * @flags: O_APPEND, or O_TRUNC (once it is known to be a regular file), or 0.
 * -1: *errp, which begins with "PATH: ".
 */
int regular_file_open_write(const char *path, int flags, Error **errp);
/*
 * A new file beside @path, for the user alone, which is to be renamed to @path when it
 * is complete: a descriptor for writing, and *name (g_free()). What there is must be
 * a regular file. -1: *errp.
 */
int regular_file_open_new(const char *path, char **name, Error **errp);
/* A descriptor for reading @path, links followed. -1: the same. */
int regular_file_open_read(const char *path, Error **errp);
/* All of a file that is not larger than @max bytes; NULL: the same. */
GBytes *regular_file_read(const char *path, size_t max, Error **errp);

#endif
