/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user connection: whole messages over a UNIX stream socket, requests
 * that wait for their reply, commands of the peer. Both sides use it.
 *
 * No call waits longer than the connection's time-out. A peer that stalls, that
 * is slow again and again, says nonsense or goes away breaks the connection:
 * that is told once, after which every call fails at once. A peer's refusal of
 * a request breaks nothing.
 *
 * Not thread-safe; the emulator's are used under the big lock.
 */
#ifndef HW_VFIO_USER_SOCKET_H
#define HW_VFIO_USER_SOCKET_H

#include "protocol.h"

typedef struct VFIOUserSocket VFIOUserSocket;

typedef struct VFIOUserSocketOps {
    /*
     * A command of the peer's, checked; answer it with
     * vfio_user_socket_reply(). @msg is freed afterwards.
     */
    void (*command)(VFIOUserSocket *s, VFIOUserMessage *msg, void *opaque);
    /* The connection has broken: vfio_user_socket_error(). May be NULL. */
    void (*broken)(VFIOUserSocket *s, void *opaque);
    /* Commands that arrive while a request waits for its reply: false:
     * handled at once; true: by the next vfio_user_socket_process(). */
    bool defer_commands;
} VFIOUserSocketOps;

/* A connected descriptor, or -1 and *errp, which names @path. Waits for at most
 * @timeout_ms if the server is busy. */
int vfio_user_connect(const char *path, uint32_t timeout_ms, Error **errp);

/* Takes over @fd. @name is for messages; copied. @timeout_ms is not 0. */
VFIOUserSocket *vfio_user_socket_new(int fd, const char *name,
                                     uint32_t timeout_ms,
                                     const VFIOUserSocketOps *ops,
                                     void *opaque);
/* Closes; does not call broken. */
void vfio_user_socket_free(VFIOUserSocket *s);
/* To be polled; stays the connection's. */
int vfio_user_socket_fd(const VFIOUserSocket *s);
/* Why the connection broke ("vfio-user NAME: ..."); NULL: it works. */
const Error *vfio_user_socket_error(const VFIOUserSocket *s);
/*
 * Breaks it, if it is not broken already, because of what the text says; for
 * replies that do not answer the question. Returns -@err.
 */
int vfio_user_socket_break(VFIOUserSocket *s, int err, const char *fmt, ...)
    G_GNUC_PRINTF(3, 4);

/*
 * Sends @command and waits for the reply. 0: @reply, which must be empty, has
 * been checked, is a success, and is the caller's to clear. -errno: the peer's
 * refusal, or the connection is or has been broken; @reply is empty. @body may
 * be NULL.
 */
int vfio_user_socket_request(VFIOUserSocket *s, VFIOUserCommand command,
                             const VFIOUserBody *body, VFIOUserMessage *reply);
/*
 * All calls until vfio_user_socket_end() share one time-out, which has begun at
 * @since (g_get_monotonic_time()). false, and nothing to end: they do so
 * already.
 */
bool vfio_user_socket_begin(VFIOUserSocket *s, int64_t since);
void vfio_user_socket_end(VFIOUserSocket *s);
/* Forgets how long the peer has been waited for in sum. */
void vfio_user_socket_forgive(VFIOUserSocket *s);
/* Answers @to, if it wants an answer: with @error (an errno), or if that is 0
 * with @body (may be NULL). */
void vfio_user_socket_reply(VFIOUserSocket *s, const VFIOUserMessage *to,
                            int error, const VFIOUserBody *body);
/* Handles commands that are there, without waiting for more; not all, if there
 * are very many. */
void vfio_user_socket_process(VFIOUserSocket *s);

#endif
