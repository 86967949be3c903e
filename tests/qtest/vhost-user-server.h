/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vhost-user back end in a thread of the test: answers what it is asked,
 * notes what memory it is given, and on demand lies, hangs, refuses or goes. It
 * processes no queue, unless it is a network (vhost-user-echo.h).
 */
#ifndef QTEST_VHOST_USER_SERVER_H
#define QTEST_VHOST_USER_SERVER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "vhost-user-echo.h"

/* What it does wrong, once. */
typedef enum QVhostFault {
    QVHOST_FAULT_NONE,
    QVHOST_FAULT_REFUSE,                  /* answers that it did not work */
    QVHOST_FAULT_CLOSE,                   /* hangs up instead of answering */
    QVHOST_FAULT_HANG,                    /* does not answer, nor go on */
    QVHOST_FAULT_REQUEST,                 /* answers another message */
    QVHOST_FAULT_FLAGS,                   /* its answer is no answer */
    QVHOST_FAULT_SHORT,                   /* says that it has fewer bytes, ... */
    QVHOST_FAULT_LONG,                    /* ... or very many */
    QVHOST_FAULT_FD,                      /* with a descriptor */
    QVHOST_FAULT_FDS,                     /* with many */
    QVHOST_FAULT_CHATTER,                 /* says something else besides */
    QVHOST_FAULTS,
} QVhostFault;

typedef struct QVhostRegion {
    uint64_t gpa;
    uint64_t size;
} QVhostRegion;

typedef struct QVhostServer {
    char *dir;
    char *socket;
    /* Set before it is connected to: */
    uint64_t protocol_features;
    uint64_t slots;
    uint64_t features;                    /* of virtio, besides VERSION_1 */
    uint64_t queues;                      /* 1 */
    uint32_t vring_base;                  /* where it says a queue stopped */
    bool is_network;
    /* private: */
    int listen_fd;
    GThread *thread;
    GMutex lock;
    GArray *regions;                      /* QVhostRegion, ascending */
    QVhostEcho *echo;                     /* of a network that is connected */
    uint64_t enabled;                     /* queues, as it was told; a bit each */
    uint64_t started;                     /* that have a descriptor for kicks */
    uint64_t last_value[64];              /* of messages, by their number */
    unsigned counts[64];                  /* messages, by their number */
    unsigned messages;
    unsigned connections;
    bool connected;
    QVhostFault fault;
    int fault_request;                    /* -1: any that is answered */
    unsigned fault_after;                 /* after so many of them */
    unsigned delay_us;                    /* before each answer to a plug */
    uint64_t refused_gpa;                 /* no region with that; 0: any */
} QVhostServer;

/* Features of the protocol: REPLY_ACK and CONFIG; CONFIGURE_MEM_SLOTS;
 * INFLIGHT_SHMFD; MQ; and RARP and NET_MTU. */
#define QVHOST_BASIC (1ULL << 3 | 1ULL << 9)
#define QVHOST_SLOTS (1ULL << 15)
#define QVHOST_INFLIGHT (1ULL << 12)
#define QVHOST_MQ (1ULL << 0)
#define QVHOST_NET (1ULL << 2 | 1ULL << 4)

/* Listens, with QVHOST_BASIC | QVHOST_SLOTS and @slots. */
QVhostServer *qvhost_server_new(uint64_t slots);
void qvhost_server_free(QVhostServer *s);
/* The answer to the message @request (-1: any) after the next @after of them is
 * to be wrong. */
void qvhost_server_fault(QVhostServer *s, QVhostFault fault, int request,
                         unsigned after);
/* From now on no region that has @gpa is taken; 0: any is. */
void qvhost_server_refuse(QVhostServer *s, uint64_t gpa);
/* Each answer to ADD_MEM_REG comes @us later from now on. */
void qvhost_server_delay(QVhostServer *s, unsigned us);
/* Messages of the number @request so far; -1: all that are answered. */
unsigned qvhost_server_count(QVhostServer *s, int request);
/* The first 8 bytes of the last message of the number @request; 0: none came. */
uint64_t qvhost_server_value(QVhostServer *s, int request);
/* Waits until the queues that are started, and enabled, are those; a bit each. */
void qvhost_server_wait_queues(QVhostServer *s, uint64_t started,
                               uint64_t enabled);
/* Waits for as many connections to have begun, or for the last one to end. */
void qvhost_server_wait_connections(QVhostServer *s, unsigned n);
void qvhost_server_wait_disconnect(QVhostServer *s);
/* What it has of guest memory from @gpa to @gpa + @size, clipped to that;
 * QVhostRegion. */
GArray *qvhost_server_regions(QVhostServer *s, uint64_t gpa, uint64_t size);

#endif
