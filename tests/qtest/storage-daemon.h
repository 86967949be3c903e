/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's storage daemon as a vhost-user-blk back end, with a raw file of random
 * bytes, and a driver of the disk.
 */
#ifndef QTEST_STORAGE_DAEMON_H
#define QTEST_STORAGE_DAEMON_H

#include "virtio-pci.h"

#define QDISK_SECTOR 512

typedef struct QStorageDaemon {
    char *dir;
    char *image;
    char *socket;
    unsigned queues;
    GPid pid;                             /* 0: not running */
} QStorageDaemon;

/* Ends the program, of which all tests are skipped, without the daemon. */
void qstorage_daemon_needs(void);
/* Starts it with an image of @size bytes; it listens. */
QStorageDaemon *qstorage_daemon_new(uint64_t size, unsigned queues);
/* Ends it at once, and starts it with the same image. */
void qstorage_daemon_kill(QStorageDaemon *d);
void qstorage_daemon_start(QStorageDaemon *d);
/* Ends it, and removes everything. */
void qstorage_daemon_free(QStorageDaemon *d);
/* @size bytes at @offset of the image file. */
void qstorage_daemon_read(QStorageDaemon *d, uint64_t offset, void *buf,
                          size_t size);
/*
 * The ends, in files that are named @name (memfd), of what the process @pid has
 * mapped of them, ascending; uint64_t. Its library maps a file from the
 * beginning, whichever part it is given.
 */
GArray *qprocess_mapped_ends(GPid pid, const char *name);

/* A stand-in for the daemon, first in the PATH while it is there. */
typedef struct QStandIn {
    char *dir;                            /* which is for its files */
    char *path;                           /* the PATH of before */
} QStandIn;

/* @what_it_does: the part of its Python program that takes each line of the file
 * "client", the emulator's, and sends it to the daemon, whose socket is "ours", or
 * not. DIR is the directory; what the daemon says, the emulator hears. */
void qstand_in_begin(QStandIn *s, const char *what_it_does);
/* Path of a file in the directory. */
char *qstand_in_file(QStandIn *s, const char *name);
void qstand_in_write(QStandIn *s, const char *name, const char *text, int mode);
/* Removes the directory and what is in it. */
void qstand_in_end(QStandIn *s);

/* The first process that @pid has started; 0: none. */
pid_t qprocess_child(pid_t pid);
/* Waits until @pid is no process any more, or one that nobody has waited for. */
void qprocess_wait_end(pid_t pid);

typedef struct QDisk {
    QVirtioPCI vdev;
    QVirtQueue vq;
    uint64_t features;
    uint64_t request;                     /* guest RAM: header and status */
} QDisk;

/* The @nth disk, started with the features of @wanted. */
void qdisk_init(QDisk *disk, QGuest *guest, unsigned nth, uint64_t wanted);
/* Sectors that it has. */
uint64_t qdisk_capacity(QDisk *disk);
/* Sends a request (VIRTIO_BLK_T_*) with @size bytes of guest memory at @addr,
 * without waiting; the head. */
uint16_t qdisk_send(QDisk *disk, uint32_t type, uint64_t sector, uint64_t addr,
                    uint32_t size);
/* The same, and waits for it; VIRTIO_BLK_S_*. */
uint8_t qdisk_do(QDisk *disk, uint32_t type, uint64_t sector, uint64_t addr,
                 uint32_t size);

#endif
