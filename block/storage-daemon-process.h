/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The storage daemon's process. Used by storage-daemon.c. */
#ifndef BLOCK_STORAGE_DAEMON_PROCESS_H
#define BLOCK_STORAGE_DAEMON_PROCESS_H

#include "qapi/error.h"

#define STORAGE_DAEMON_PROGRAM "qemu-storage-daemon"

/* Starts @path as a child; our end of its QMP, the caller's. -1: *errp. */
int storage_daemon_spawn(const char *path, Error **errp);

#endif
