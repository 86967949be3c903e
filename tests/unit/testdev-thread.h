/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vfio-user test device (tests/vfio-user-device) in a thread of a unit
 * test, for one client. Between two requests of the client nothing happens in
 * it, so that a test may look at its state then.
 */
#ifndef TESTS_UNIT_TESTDEV_THREAD_H
#define TESTS_UNIT_TESTDEV_THREAD_H

#include "../vfio-user-device/testdev.h"

typedef struct TestDevThread {
    TestDev *dev;
    GThread *thread;
    int fd;                               /* a client, or a listening socket */
    char *path;                           /* NULL: fd is a client */
} TestDevThread;

/* Starts it behind a socket pair; the client's end. */
int testdev_thread_start(TestDevThread *t, const TestDevOptions *options);
/* Starts it behind a socket at t->path, a new name; accepts one client. */
void testdev_thread_listen(TestDevThread *t, const TestDevOptions *options);
/* The client has disconnected (or never connected): waits for it to end. */
void testdev_thread_stop(TestDevThread *t);

/* How many descriptors this process has. */
unsigned count_fds(void);

#endif
