/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that a client can have cut (QMP's yank) while somebody waits for
 * the peer with the big lock held: the wait then ends as if the peer had gone.
 * Each is an instance, known by a name, with a socket while there is a peer.
 * Any thread, no lock needed.
 */
#ifndef QEMU_YANK_H
#define QEMU_YANK_H

typedef struct YankInstance YankInstance;

/* An instance for the chardev @id, without a socket; for
 * yank_instance_free(). */
YankInstance *yank_instance_new(const char *id);
void yank_instance_free(YankInstance *y);
/* @fd is its socket from now on; -1: it has none, which must be said before
 * the socket is closed. */
void yank_instance_set_socket(YankInstance *y, int fd);

/* Calls @fn, which must use none of these functions, for each instance. */
void yank_foreach(void (*fn)(const char *id, void *opaque), void *opaque);
/* Whether there is an instance @id. */
bool yank_exists(const char *id);
/* Shuts its socket down, if it has one. */
void yank(const char *id);

#endif
