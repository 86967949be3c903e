/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of open files that somebody else has opened: -add-fd, QMP's add-fd.
 * Where a path is expected, "/dev/fdset/N" stands for the first file of set N that
 * is open in the way that is needed: so whoever starts the program can open for
 * it what it must not, or cannot, open itself. Main thread.
 */
#ifndef QEMU_FDSET_H
#define QEMU_FDSET_H

#include "qapi/error.h"

/* Of one set, and of sets; beyond it, adding fails. */
#define FDSET_MAX_FDS 64
#define FDSET_MAX 1024

typedef struct FdsetFd {
    int fd;
    char *opaque;                         /* the client's words; or NULL */
} FdsetFd;

typedef struct Fdset {
    int64_t id;
    GArray *fds;                          /* FdsetFd, in order */
} Fdset;

/* Puts @fd, which is the set's from now on, into set @id, which may be new; -1:
 * into a new one with the lowest free number. The set's number; -1 and *errp:
 * @fd stays the caller's. @opaque is copied, or NULL. */
int64_t fdset_add(int fd, int64_t id, const char *opaque, Error **errp);
/* Closes @fd of set @id, or, if it is -1, all of them; a set without any is
 * gone. Who has opened one keeps it. */
bool fdset_remove(int64_t id, int fd, Error **errp);
/* Calls @fn for each set by ascending number. */
void fdset_foreach(void (*fn)(const Fdset *set, void *opaque), void *opaque);

/* Whether @path is /dev/fdset/N, whatever N is. */
bool fdset_is_path(const char *path);
/* A duplicate of the file that such a @path means; @access, O_RDONLY, O_WRONLY or
 * O_RDWR, is what it has to allow at least. -errno and *errp. */
int fdset_open(const char *path, int access, Error **errp);
/* As open() with O_CLOEXEC, or, of such a path, as fdset_open(). -errno and
 * *errp. */
int fdset_or_open(const char *path, int flags, Error **errp);
/* As regular_file_open_write() and its like; of such a path whatever it is, as it
 * is. */
int fdset_open_read(const char *path, Error **errp);
int fdset_open_write(const char *path, int flags, Error **errp);

#endif
