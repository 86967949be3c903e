/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data path of a vhost-user network for vhost-user-server.h: what the guest
 * sends in one queue pair it receives in the same pair. It uses what memory it has
 * been given, maps that itself, and nothing else; a queue that is not enabled it
 * leaves alone.
 */
#ifndef QTEST_VHOST_USER_ECHO_H
#define QTEST_VHOST_USER_ECHO_H

#include <stdbool.h>
#include <stdint.h>

#define QVHOST_ECHO_QUEUES 8

typedef struct QVhostEcho QVhostEcho;

QVhostEcho *qvhost_echo_new(void);
/* NULL is fine. */
void qvhost_echo_free(QVhostEcho *e);
/* Memory at @gpa, named @uaddr, is @fd from @offset on; it is duplicated. */
void qvhost_echo_map(QVhostEcho *e, uint64_t gpa, uint64_t size, uint64_t uaddr,
                     int fd, uint64_t offset);
void qvhost_echo_unmap(QVhostEcho *e, uint64_t gpa);
/* A message about queues: its request, payload, and descriptor or -1. */
void qvhost_echo_message(QVhostEcho *e, uint32_t request, const void *payload,
                         int fd);
/* Stops queue @n; the next entry that it would have taken. */
uint16_t qvhost_echo_stop(QVhostEcho *e, unsigned n);
/* Works until @fd is readable. */
void qvhost_echo_work(QVhostEcho *e, int fd);

#endif
