/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes together with descriptors over a UNIX stream socket (SCM_RIGHTS), for
 * protocols that pass memory and eventfds along. Nothing here waits, raises
 * SIGPIPE or leaks what a peer sends: a descriptor that there is no room for is
 * closed. Any thread.
 */
#ifndef QEMU_SOCKET_FDS_H
#define QEMU_SOCKET_FDS_H

#include <sys/uio.h>

/* The kernel's limit for one message (SCM_MAX_FD). */
#define SOCKET_FDS_MAX 253

/*
 * At most @size bytes into @buf, as recv() returns them: 0 is the end. The
 * descriptors that come with them, close-on-exec and the caller's, go to
 * @fds[*@nr_fds] on; *@nr_fds, at most @max_fds, counts them. -errno; -EAGAIN:
 * nothing is there; -EMSGSIZE: there were more than @max_fds, and the bytes are
 * lost.
 */
ssize_t socket_recv_fds(int fd, void *buf, size_t size, int *fds,
                        unsigned *nr_fds, unsigned max_fds);
/* As much of @iov as the socket takes now, with @nr_fds descriptors, which stay
 * the caller's, at the first byte. How many bytes, or -errno. */
ssize_t socket_send_fds(int fd, const struct iovec *iov, int iov_cnt,
                        const int *fds, unsigned nr_fds);

#endif
