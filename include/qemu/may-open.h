/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether files and sockets may still be opened, and programs started. Whoever
 * would, because a client asks for it or a peer has gone, asks here first: in a
 * sandbox the attempt would end the process. Main thread.
 */
#ifndef QEMU_MAY_OPEN_H
#define QEMU_MAY_OPEN_H

#include "qapi/error.h"

/* false: *errp says which option forbids it. */
bool qemu_may_open(Error **errp);

/* The same, asked by who will open something while the machine runs, before it
 * does: @why, and what to use instead, goes into the message. */
bool qemu_may_open_later(const char *why, Error **errp);

/* Once the machine runs qemu_forbid_opening() will be called. */
void qemu_announce_no_opening(void);
/* From now on qemu_may_open() is false. */
void qemu_forbid_opening(void);

/* The same for other programs, that are started. */
bool qemu_may_spawn(Error **errp);
void qemu_forbid_spawning(void);

#endif
