/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that come with other packages and are found by name: firmware, option ROMs.
 * They are looked for in the directories of -L, in order, then where Debian has
 * them. Nothing here reads a file. Main thread.
 */
#ifndef QEMU_DATADIR_H
#define QEMU_DATADIR_H

/* One more directory, before those that are always there; @path is copied. */
void qemu_add_data_dir(const char *path);
/* The file that @name means: a path, or a file in one of the directories; g_free().
 * NULL: there is none. */
char *qemu_find_file(const char *name);
/* Prints them, one a line, as they are searched. */
void qemu_list_data_dirs(void);

#endif
