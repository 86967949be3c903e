/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vhost-user back end that can be made to err. */
#include <errno.h>
#include <glib/gstdio.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "libqtest.h"
#include "vhost-user-server.h"

/* Of the specification; what needs no answer by itself is not listed. */
enum {
    GET_FEATURES = 1,
    SET_MEM_TABLE = 5,
    GET_VRING_BASE = 11,
    SET_VRING_KICK = 12,
    GET_PROTOCOL_FEATURES = 15,
    GET_QUEUE_NUM = 17,
    SET_VRING_ENABLE = 18,
    GET_CONFIG = 24,
    GET_INFLIGHT_FD = 31,
    GET_MAX_MEM_SLOTS = 36,
    ADD_MEM_REG = 37,
    REM_MEM_REG = 38,
};

#define F_PROTOCOL_FEATURES 30
#define FLAG_REPLY 0x5                    /* with the version */
#define FLAG_NEED_REPLY 0x8
#define MAX_FDS 8

typedef struct WireRegion {
    uint64_t gpa, size, uaddr, offset;
} WireRegion;

typedef struct Message {
    struct {
        uint32_t request, flags, size;
    } header;
    union {
        uint64_t u64;
        uint32_t u32[2];
        struct {
            uint32_t n, padding;
            WireRegion region[8];
        } table;
        struct {
            uint64_t padding;
            WireRegion region;
        } one;
        uint8_t bytes[512];
    } payload;
    int fds[MAX_FDS];
    unsigned nr_fds;
} Message;

/* --- messages ------------------------------------------------------------- */

static bool read_all(int fd, void *buf, size_t size, Message *m)
{
    union {
        char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;

    for (size_t done = 0; done < size;) {
        struct iovec iov = { (char *)buf + done, size - done };
        struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control) };
        ssize_t n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC);
        struct cmsghdr *c;

        if (n <= 0) {
            return false;
        }
        c = CMSG_FIRSTHDR(&mh);
        if (c && c->cmsg_type == SCM_RIGHTS) {
            m->nr_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(m->fds, CMSG_DATA(c), m->nr_fds * sizeof(int));
        }
        done += n;
    }
    return true;
}

static bool read_message(int fd, Message *m)
{
    m->nr_fds = 0;
    return read_all(fd, &m->header, sizeof(m->header), m) &&
           m->header.size <= sizeof(m->payload) &&
           read_all(fd, &m->payload, m->header.size, m);
}

/* @m, of which @size bytes are payload, with @nr descriptors. */
static void send_with_fds(int fd, const Message *m, size_t size, unsigned nr)
{
    union {
        char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control = { 0 };
    struct iovec iov[] = {
        { (void *)&m->header, sizeof(m->header) },
        { (void *)&m->payload, size },
    };
    struct msghdr mh = { .msg_iov = iov, .msg_iovlen = G_N_ELEMENTS(iov) };
    int event = eventfd(0, EFD_CLOEXEC);

    if (nr) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(nr * sizeof(int));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(nr * sizeof(int));
        for (unsigned i = 0; i < nr; i++) {
            memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &event,
                   sizeof(int));
        }
    }
    sendmsg(fd, &mh, MSG_NOSIGNAL);
    close(event);
}

/* --- memory --------------------------------------------------------------- */

static gint compare_regions(gconstpointer a, gconstpointer b)
{
    const QVhostRegion *x = a, *y = b;

    return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

static void add_region(QVhostServer *s, const WireRegion *r, int fd)
{
    QVhostRegion region = { r->gpa, r->size };

    if (s->echo && fd >= 0) {
        qvhost_echo_map(s->echo, r->gpa, r->size, r->uaddr, fd, r->offset);
    }

    g_array_append_val(s->regions, region);
    g_array_sort(s->regions, compare_regions);
}

/* false: there is no such region. */
static bool remove_region(QVhostServer *s, const WireRegion *r)
{
    for (guint i = 0; i < s->regions->len; i++) {
        const QVhostRegion *have = &g_array_index(s->regions, QVhostRegion, i);

        if (have->gpa == r->gpa && have->size == r->size) {
            if (s->echo) {
                qvhost_echo_unmap(s->echo, r->gpa);
            }
            g_array_remove_index(s->regions, i);
            return true;
        }
    }
    return false;
}

static bool is_refused(const QVhostServer *s, const WireRegion *r)
{
    return s->refused_gpa && s->refused_gpa >= r->gpa &&
           s->refused_gpa - r->gpa < r->size;
}

/* 0, or what is wrong. */
static uint64_t change_memory(QVhostServer *s, const Message *m)
{
    switch (m->header.request) {
    case SET_MEM_TABLE:
        while (s->regions->len) {
            const QVhostRegion *r = &g_array_index(s->regions, QVhostRegion, 0);
            WireRegion gone = { .gpa = r->gpa, .size = r->size };

            remove_region(s, &gone);
        }
        for (uint32_t i = 0; i < m->payload.table.n; i++) {
            add_region(s, &m->payload.table.region[i],
                       i < m->nr_fds ? m->fds[i] : -1);
        }
        return m->nr_fds == m->payload.table.n ? 0 : EINVAL;
    case ADD_MEM_REG:
        if (is_refused(s, &m->payload.one.region)) {
            return EPERM;
        }
        add_region(s, &m->payload.one.region, m->nr_fds ? m->fds[0] : -1);
        return m->nr_fds == 1 && s->regions->len <= s->slots ? 0 : ENOSPC;
    case REM_MEM_REG:
        return remove_region(s, &m->payload.one.region) ? 0 : ENOENT;
    default:
        return 0;
    }
}

/* --- answers -------------------------------------------------------------- */

/* Of a message that has one by itself. */
static bool answer_is_due(QVhostServer *s, Message *m)
{
    uint64_t value;

    switch (m->header.request) {
    case GET_FEATURES:
        value = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << F_PROTOCOL_FEATURES |
                s->features;
        break;
    case GET_PROTOCOL_FEATURES:
        value = s->protocol_features;
        break;
    case GET_QUEUE_NUM:
        value = s->queues;
        break;
    case GET_MAX_MEM_SLOTS:
        value = s->slots;
        break;
    case GET_VRING_BASE:
        m->payload.u32[1] = s->echo ? qvhost_echo_stop(s->echo, m->payload.u32[0])
                                    : s->vring_base;
        return true;
    case GET_CONFIG:
    case GET_INFLIGHT_FD:
        return true;
    default:
        return false;
    }
    m->payload.u64 = value;
    m->header.size = sizeof(value);
    return true;
}

/* The fault that is due with the answer to @request. */
static QVhostFault take_fault(QVhostServer *s, uint32_t request)
{
    QVhostFault fault = s->fault;

    if (fault == QVHOST_FAULT_NONE ||
        (s->fault_request >= 0 && (uint32_t)s->fault_request != request)) {
        return QVHOST_FAULT_NONE;
    }
    if (s->fault_after) {
        s->fault_after--;
        return QVHOST_FAULT_NONE;
    }
    s->fault = QVHOST_FAULT_NONE;
    return fault;
}

/* Until the other side gives up. */
static void hang(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLRDHUP };

    poll(&p, 1, -1);
}

/* false: the connection is over. */
static bool send_answer(int fd, Message *m, QVhostFault fault)
{
    unsigned fds = fault == QVHOST_FAULT_FD ? 1
                   : fault == QVHOST_FAULT_FDS ? MAX_FDS
                   : m->header.request == GET_INFLIGHT_FD ? 1 : 0;
    size_t size = m->header.size;

    m->header.flags = fault == QVHOST_FAULT_FLAGS ? 1 : FLAG_REPLY;
    m->header.request += fault == QVHOST_FAULT_REQUEST;
    m->header.size = fault == QVHOST_FAULT_SHORT ? 1
                     : fault == QVHOST_FAULT_LONG ? UINT32_MAX
                                                  : m->header.size;
    if (fault == QVHOST_FAULT_CLOSE) {
        return false;
    }
    if (fault == QVHOST_FAULT_HANG) {
        hang(fd);
        return false;
    }
    send_with_fds(fd, m, size, fds);
    if (fault == QVHOST_FAULT_CHATTER) {
        send_with_fds(fd, m, size, 1);
    }
    return true;
}

static void set_bit_to(uint64_t *bits, unsigned n, bool on)
{
    *bits = (*bits & ~(1ULL << n % 64)) | (uint64_t)on << n % 64;
}

/* Remembers what a message says of queues. */
static void note_queues(QVhostServer *s, const Message *m)
{
    unsigned n = m->payload.u32[0] & 0xff;

    if (m->header.request == SET_VRING_ENABLE) {
        set_bit_to(&s->enabled, n, m->payload.u32[1]);
    } else if (m->header.request == SET_VRING_KICK) {
        set_bit_to(&s->started, n, true);
    } else if (m->header.request == GET_VRING_BASE) {
        set_bit_to(&s->started, n, false);
    }
    if (s->echo) {
        qvhost_echo_message(s->echo, m->header.request, &m->payload,
                            m->nr_fds ? m->fds[0] : -1);
    }
}

/* What comes of a message; false: the connection is over. */
static bool handle(QVhostServer *s, int fd, Message *m)
{
    bool answer, wanted = m->header.flags & FLAG_NEED_REPLY;
    QVhostFault fault = QVHOST_FAULT_NONE;
    uint64_t verdict = 0;
    unsigned delay_us;

    g_mutex_lock(&s->lock);
    s->counts[m->header.request % G_N_ELEMENTS(s->counts)]++;
    s->last_value[m->header.request % G_N_ELEMENTS(s->counts)] = m->payload.u64;
    note_queues(s, m);
    answer = answer_is_due(s, m);
    if (answer || wanted) {
        s->messages++;
        fault = take_fault(s, m->header.request);
    }
    if (fault == QVHOST_FAULT_REFUSE) {
        verdict = EPERM;
    } else {
        verdict = change_memory(s, m);
    }
    delay_us = m->header.request == ADD_MEM_REG ? s->delay_us : 0;
    g_mutex_unlock(&s->lock);
    g_usleep(delay_us);
    if (!answer && wanted) {
        m->payload.u64 = verdict;
        m->header.size = sizeof(verdict);
    }
    return !(answer || wanted) || send_answer(fd, m, fault);
}

/* --- the thread ----------------------------------------------------------- */

static void serve(QVhostServer *s, int fd)
{
    Message m;
    bool ok;

    do {
        if (s->echo) {
            qvhost_echo_work(s->echo, fd);
        }
        ok = read_message(fd, &m);
        ok = ok && handle(s, fd, &m);
        for (unsigned i = 0; i < m.nr_fds; i++) {
            close(m.fds[i]);
        }
    } while (ok);
}

static gpointer server_thread(gpointer opaque)
{
    QVhostServer *s = opaque;
    int fd;

    while ((fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        g_mutex_lock(&s->lock);
        g_array_set_size(s->regions, 0);
        s->connections++;
        s->connected = true;
        s->started = s->enabled = 0;
        s->echo = s->is_network ? qvhost_echo_new() : NULL;
        g_mutex_unlock(&s->lock);
        serve(s, fd);
        g_mutex_lock(&s->lock);
        s->connected = false;
        g_clear_pointer(&s->echo, qvhost_echo_free);
        g_mutex_unlock(&s->lock);
        close(fd);
    }
    return NULL;
}

QVhostServer *qvhost_server_new(uint64_t slots)
{
    QVhostServer *s = g_new0(QVhostServer, 1);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    s->dir = g_dir_make_tmp("vhost-user-XXXXXX", NULL);
    g_assert_nonnull(s->dir);
    s->socket = g_build_filename(s->dir, "socket", NULL);
    s->protocol_features = QVHOST_BASIC | QVHOST_SLOTS;
    s->slots = slots;
    s->queues = 1;
    s->regions = g_array_new(false, false, sizeof(QVhostRegion));
    g_mutex_init(&s->lock);
    s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_strlcpy(addr.sun_path, s->socket, sizeof(addr.sun_path));
    g_assert_cmpint(bind(s->listen_fd, (struct sockaddr *)&addr, sizeof(addr)),
                    ==, 0);
    g_assert_cmpint(listen(s->listen_fd, 8), ==, 0);
    s->thread = g_thread_new("vhost-user", server_thread, s);
    return s;
}

void qvhost_server_free(QVhostServer *s)
{
    shutdown(s->listen_fd, SHUT_RDWR);
    g_thread_join(s->thread);
    close(s->listen_fd);
    g_unlink(s->socket);
    g_rmdir(s->dir);
    g_array_unref(s->regions);
    g_mutex_clear(&s->lock);
    g_free(s->socket);
    g_free(s->dir);
    g_free(s);
}

/* --- for the test --------------------------------------------------------- */

void qvhost_server_fault(QVhostServer *s, QVhostFault fault, int request,
                         unsigned after)
{
    g_mutex_lock(&s->lock);
    s->fault = fault;
    s->fault_request = request;
    s->fault_after = after;
    g_mutex_unlock(&s->lock);
}

void qvhost_server_refuse(QVhostServer *s, uint64_t gpa)
{
    g_mutex_lock(&s->lock);
    s->refused_gpa = gpa;
    g_mutex_unlock(&s->lock);
}

void qvhost_server_delay(QVhostServer *s, unsigned us)
{
    g_mutex_lock(&s->lock);
    s->delay_us = us;
    g_mutex_unlock(&s->lock);
}

unsigned qvhost_server_count(QVhostServer *s, int request)
{
    unsigned n;

    g_mutex_lock(&s->lock);
    n = request < 0 ? s->messages : s->counts[request];
    g_mutex_unlock(&s->lock);
    return n;
}

uint64_t qvhost_server_value(QVhostServer *s, int request)
{
    uint64_t value;

    g_mutex_lock(&s->lock);
    value = s->last_value[request];
    g_mutex_unlock(&s->lock);
    return value;
}

/* Waits until @done, under the lock, says so. */
static void wait_for(QVhostServer *s, bool (*done)(QVhostServer *, uint64_t),
                     uint64_t n, const char *what)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    for (;;) {
        bool is;

        g_mutex_lock(&s->lock);
        is = done(s, n);
        g_mutex_unlock(&s->lock);
        if (is) {
            return;
        }
        if (!qtest_wait_more(deadline, &round)) {
            g_error("vhost-user back end: %s in time", what);
        }
    }
}

static bool has_started(QVhostServer *s, uint64_t queues)
{
    return s->started == queues;
}

static bool has_enabled(QVhostServer *s, uint64_t queues)
{
    return s->enabled == queues;
}

void qvhost_server_wait_queues(QVhostServer *s, uint64_t started,
                               uint64_t enabled)
{
    wait_for(s, has_started, started, "other queues are started");
    wait_for(s, has_enabled, enabled, "other queues are enabled");
}

static bool has_connections(QVhostServer *s, uint64_t n)
{
    return s->connections >= n;
}

static bool is_disconnected(QVhostServer *s, uint64_t n)
{
    return !s->connected;
}

void qvhost_server_wait_connections(QVhostServer *s, unsigned n)
{
    wait_for(s, has_connections, n, "no connection");
}

void qvhost_server_wait_disconnect(QVhostServer *s)
{
    wait_for(s, is_disconnected, 0, "not left");
}

GArray *qvhost_server_regions(QVhostServer *s, uint64_t gpa, uint64_t size)
{
    GArray *found = g_array_new(false, false, sizeof(QVhostRegion));

    g_mutex_lock(&s->lock);
    for (guint i = 0; i < s->regions->len; i++) {
        QVhostRegion r = g_array_index(s->regions, QVhostRegion, i);
        uint64_t end = MIN(r.gpa + r.size, gpa + size);

        r.gpa = MAX(r.gpa, gpa);
        r.size = end - r.gpa;
        if (r.gpa < end) {
            g_array_append_val(found, r);
        }
    }
    g_mutex_unlock(&s->lock);
    return found;
}
