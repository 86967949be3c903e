/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptors that a QMP client has sent and given a name (getfd), for commands
 * that take "fd:NAME". Main loop.
 */
#ifndef MONITOR_FDS_H
#define MONITOR_FDS_H

#include "qapi/error.h"

/* Takes the descriptor @name, which is then the caller's and has no name any
 * more; -1 and *errp: there is none. */
int monitor_fd_take(const char *name, Error **errp);
/*
 * What option @option says: @text is the number of a descriptor that is open, or
 * the name of one as above; NULL: @path is opened. It must pass @check, which
 * leaves in errno why it does not; a number is the caller's only then. -1 and
 * *errp.
 */
int monitor_fd_open(const char *option, const char *text, const char *path,
                    bool (*check)(int fd), Error **errp);

#endif
