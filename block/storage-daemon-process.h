/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The storage daemon's process. Used by storage-daemon.c. */
#ifndef BLOCK_STORAGE_DAEMON_PROCESS_H
#define BLOCK_STORAGE_DAEMON_PROCESS_H

#include "qapi/error.h"

#define STORAGE_DAEMON_PROGRAM "qemu-storage-daemon"

typedef struct StorageDaemonProcess {
    int qmp;                              /* our end of its QMP */
    int pidfd;                            /* -1: the kernel has none */
} StorageDaemonProcess;

/* Starts @path as a child; both descriptors are the caller's. false: *errp. */
bool storage_daemon_spawn(const char *path, StorageDaemonProcess *p,
                          Error **errp);
/* Sends it @signal, if it lives; in a sandbox, too. */
void storage_daemon_process_kill(int pidfd, int signal);
/* Whether it ends in @timeout_ms. If that cannot be known, it has. */
bool storage_daemon_process_ends(int pidfd, int timeout_ms);

#endif
