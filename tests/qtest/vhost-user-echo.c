/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network that sends back what it is sent. */
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vhost-user-echo.h"

/* Of the specification. */
enum {
    SET_VRING_NUM = 8,
    SET_VRING_ADDR = 9,
    SET_VRING_BASE = 10,
    SET_VRING_KICK = 12,
    SET_VRING_CALL = 13,
    SET_VRING_ENABLE = 18,
};

#define FRAME_MAX 4096

typedef struct Region {
    uint64_t gpa, size, uaddr;
    uint8_t *host;
} Region;

typedef struct Queue {
    uint32_t num;
    uint16_t next;                        /* entry of the avail ring */
    uint64_t desc, avail, used;           /* as the front end names them */
    int kick, call;                       /* -1: none */
    bool enabled;
} Queue;

struct QVhostEcho {
    GArray *regions;
    Queue queues[QVHOST_ECHO_QUEUES];
};

/* --- memory --------------------------------------------------------------- */

void qvhost_echo_map(QVhostEcho *e, uint64_t gpa, uint64_t size, uint64_t uaddr,
                     int fd, uint64_t offset)
{
    Region r = { gpa, size, uaddr, NULL };

    r.host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
    g_assert_true(r.host != MAP_FAILED);
    g_array_append_val(e->regions, r);
}

void qvhost_echo_unmap(QVhostEcho *e, uint64_t gpa)
{
    for (guint i = 0; i < e->regions->len; i++) {
        const Region *r = &g_array_index(e->regions, Region, i);

        if (r->gpa == gpa) {
            munmap(r->host, r->size);
            g_array_remove_index_fast(e->regions, i);
            return;
        }
    }
    g_assert_not_reached();
}

/* Address @addr, of the guest or as the front end names it. */
static void *host_of(const QVhostEcho *e, uint64_t addr, uint64_t size, bool user)
{
    for (guint i = 0; i < e->regions->len; i++) {
        const Region *r = &g_array_index(e->regions, Region, i);
        uint64_t at = addr - (user ? r->uaddr : r->gpa);

        if (at < r->size && size <= r->size - at) {
            return r->host + at;
        }
    }
    g_error("the back end has no memory at 0x%" PRIx64, addr);
}

/* --- queues --------------------------------------------------------------- */

static struct vring_avail *avail_of(const QVhostEcho *e, const Queue *q)
{
    return host_of(e, q->avail, sizeof(struct vring_avail), true);
}

static bool has_entry(const QVhostEcho *e, const Queue *q)
{
    return q->enabled && q->kick >= 0 &&
           __atomic_load_n(&avail_of(e, q)->idx, __ATOMIC_ACQUIRE) != q->next;
}

/* The next chain; each of its buffers is handed to @fn, with the bytes before. */
static uint16_t take(QVhostEcho *e, Queue *q, uint8_t *frame, size_t *size,
                     bool to_guest)
{
    const struct vring_desc *desc = host_of(e, q->desc, q->num * sizeof(*desc),
                                            true);
    uint16_t head = avail_of(e, q)->ring[q->next++ % q->num], i = head;
    size_t done = 0;

    do {
        uint32_t len = MIN(desc[i].len, (to_guest ? *size : FRAME_MAX) - done);
        void *buf = host_of(e, desc[i].addr, desc[i].len, false);

        memcpy(to_guest ? buf : frame + done, to_guest ? frame + done : buf, len);
        done += len;
    } while (desc[i].flags & VRING_DESC_F_NEXT && (i = desc[i].next, true));
    *size = done;
    return head;
}

static void give_back(QVhostEcho *e, Queue *q, uint16_t head, uint32_t len)
{
    struct vring_used *used = host_of(e, q->used, sizeof(*used), true);
    uint64_t one = 1;

    used->ring[used->idx % q->num] = (struct vring_used_elem) { head, len };
    __atomic_store_n(&used->idx, used->idx + 1, __ATOMIC_RELEASE);
    if (q->call >= 0) {
        g_assert_cmpint(write(q->call, &one, sizeof(one)), ==, sizeof(one));
    }
}

/* What was sent, if there is room to receive it. */
static void echo(QVhostEcho *e, Queue *rx, Queue *tx)
{
    uint8_t frame[FRAME_MAX];

    while (has_entry(e, tx) && has_entry(e, rx)) {
        size_t size = 0;
        uint16_t head = take(e, tx, frame, &size, false);

        give_back(e, tx, head, 0);
        frame[10] = 1;                    /* num_buffers, in the header */
        head = take(e, rx, frame, &size, true);
        give_back(e, rx, head, size);
    }
}

void qvhost_echo_work(QVhostEcho *e, int fd)
{
    struct pollfd fds[1 + QVHOST_ECHO_QUEUES];
    uint64_t count;

    for (;;) {
        fds[0] = (struct pollfd) { .fd = fd, .events = POLLIN };
        for (unsigned i = 0; i < QVHOST_ECHO_QUEUES; i++) {
            fds[1 + i] = (struct pollfd) { .fd = e->queues[i].kick,
                                           .events = POLLIN };
        }
        poll(fds, G_N_ELEMENTS(fds), -1);
        if (fds[0].revents) {
            return;
        }
        for (unsigned i = 0; i < QVHOST_ECHO_QUEUES; i++) {
            if (fds[1 + i].revents &&
                read(e->queues[i].kick, &count, sizeof(count)) < 0) {
                g_assert_not_reached();
            }
        }
        for (unsigned i = 0; i < QVHOST_ECHO_QUEUES; i += 2) {
            echo(e, &e->queues[i], &e->queues[i + 1]);
        }
    }
}

/* --- messages ------------------------------------------------------------- */

static void replace_fd(int *where, int fd)
{
    if (*where >= 0) {
        close(*where);
    }
    *where = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void qvhost_echo_message(QVhostEcho *e, uint32_t request, const void *payload,
                         int fd)
{
    const uint32_t *u32 = payload;
    const uint64_t *addr = payload;       /* index and flags; desc, used, avail */
    Queue *q = &e->queues[u32[0] % QVHOST_ECHO_QUEUES];

    switch (request) {
    case SET_VRING_NUM:
        q->num = u32[1];
        break;
    case SET_VRING_BASE:
        q->next = u32[1];
        break;
    case SET_VRING_ADDR:
        q->desc = addr[1];
        q->used = addr[2];
        q->avail = addr[3];
        break;
    case SET_VRING_KICK:
        replace_fd(&q->kick, fd);
        break;
    case SET_VRING_CALL:
        replace_fd(&q->call, fd);
        break;
    case SET_VRING_ENABLE:
        q->enabled = u32[1];
        break;
    default:
        break;
    }
}

uint16_t qvhost_echo_stop(QVhostEcho *e, unsigned n)
{
    Queue *q = &e->queues[n % QVHOST_ECHO_QUEUES];

    replace_fd(&q->kick, -1);
    replace_fd(&q->call, -1);
    return q->next;
}

/* --- life ----------------------------------------------------------------- */

QVhostEcho *qvhost_echo_new(void)
{
    QVhostEcho *e = g_new0(QVhostEcho, 1);

    e->regions = g_array_new(false, false, sizeof(Region));
    for (unsigned i = 0; i < QVHOST_ECHO_QUEUES; i++) {
        e->queues[i].kick = e->queues[i].call = -1;
    }
    return e;
}

void qvhost_echo_free(QVhostEcho *e)
{
    if (!e) {
        return;
    }
    for (unsigned i = 0; i < QVHOST_ECHO_QUEUES; i++) {
        qvhost_echo_stop(e, i);
    }
    while (e->regions->len) {
        qvhost_echo_unmap(e, g_array_index(e->regions, Region, 0).gpa);
    }
    g_array_unref(e->regions);
    g_free(e);
}
