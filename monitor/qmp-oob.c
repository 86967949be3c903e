/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread behind out-of-band execution: see qmp-oob.h. It reads, takes
 * requests apart, and sends what could not be sent at once. It never takes the
 * big lock, and waits for nothing but its client and the main loop's word.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "chardev/char-output.h"
#include "monitor/qmp.h"
#include "qemu/cutils.h"
#include "qemu/event_notifier.h"
#include "qemu/main-loop.h"
#include "qemu/socket-fds.h"
#include "qemu/thread.h"

#include "monitor-internal.h"
#include "qmp-oob.h"

/* Descriptors that came with one read; they are for the requests that it
 * completes. Of g_atomic_rc_box_alloc(). */
typedef struct QmpFds {
    int fd[SOCKET_FDS_MAX];
    unsigned nr;
} QmpFds;

typedef struct QmpRequest {
    JsonNode *value;                      /* NULL: err */
    Error *err;
    QmpFds *fds;                          /* NULL: none */
} QmpRequest;

struct QmpOob {
    Chardev *chr;                         /* for its log */
    bool pretty;
    const QmpOobOps *ops;
    void *opaque;
    int fd;                               /* the client's socket, a copy */
    GThread *thread;
    QEMUBH *bh;                           /* has the main loop handle one */
    EventNotifier wake;                   /* has the thread look again */
    QmpFds *handled_fds;                  /* of what the main loop handles */

    /* the thread's */
    QmpStream *stream;
    uint8_t buf[4 * KiB];                 /* read, of which len bytes from */
    size_t pos, len;                      /* pos on have not been looked at */
    QmpFds *fds;                          /* of that read; NULL: none */
    GQueue parsed;                        /* QmpRequest, not yet queued */

    GMutex lock;                          /* of what follows */
    GQueue requests;                      /* QmpRequest */
    GString *out;                         /* of which sent bytes are sent */
    size_t sent;
    bool begun;
    bool stop;                            /* the thread is to end */
    bool over;                            /* the client sends no more, */
    bool broken;                          /* or takes no more */
};

/* --- descriptors ----------------------------------------------------------- */

static void close_fds(gpointer data)
{
    QmpFds *fds = data;

    for (unsigned i = 0; i < fds->nr; i++) {
        close(fds->fd[i]);
    }
}

static void drop_fds(QmpFds **fds)
{
    if (*fds) {
        g_atomic_rc_box_release_full(*fds, close_fds);
        *fds = NULL;
    }
}

static QmpFds *fds_new(const int *fd, unsigned nr)
{
    QmpFds *fds = g_atomic_rc_box_new0(QmpFds);

    memcpy(fds->fd, fd, nr * sizeof(int));
    fds->nr = nr;
    return fds;
}

int qmp_oob_get_msgfd(QmpOob *o)
{
    QmpFds *fds = o->handled_fds;
    int fd;

    if (!fds || !fds->nr) {
        return -1;
    }
    fd = fds->fd[0];
    fds->nr--;
    memmove(fds->fd, fds->fd + 1, fds->nr * sizeof(int));
    return fd;
}

/* --- output: with the lock held -------------------------------------------- */

static size_t out_pending(const QmpOob *o)
{
    return o->out->len - o->sent;
}

static void out_discard(QmpOob *o)
{
    if (o->out->allocated_len > CHAR_OUTPUT_PAUSE) {
        g_string_free(o->out, TRUE);
        o->out = g_string_new(NULL);
    }
    g_string_truncate(o->out, 0);
    o->sent = 0;
}

/* Nothing can be sent any more; the thread finds that nothing comes, either. */
static void out_break(QmpOob *o)
{
    o->broken = true;
    out_discard(o);
    shutdown(o->fd, SHUT_RDWR);
}

/* Sends what can be sent now. */
static void out_flush(QmpOob *o)
{
    while (out_pending(o) > 0) {
        struct iovec iov = { o->out->str + o->sent, out_pending(o) };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n = sendmsg(o->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno != EAGAIN) {
            out_break(o);
        }
        if (n <= 0) {
            return;
        }
        chardev_log(o->chr, iov.iov_base, n);
        o->sent += n;
    }
    out_discard(o);
}

void qmp_oob_send(QmpOob *o, const char *line, size_t len)
{
    g_mutex_lock(&o->lock);
    if (out_pending(o) + len > CHAR_OUTPUT_MAX) {
        out_break(o);
    } else if (!o->broken) {
        bool idle = out_pending(o) == 0;

        g_string_append_len(o->out, line, len);
        if (idle) {
            out_flush(o);
        }
    }
    g_mutex_unlock(&o->lock);
    event_notifier_set(&o->wake);
}

/* --- requests -------------------------------------------------------------- */

static void request_free(QmpRequest *request)
{
    drop_fds(&request->fds);
    g_clear_pointer(&request->value, json_node_unref);
    error_free(request->err);
    g_free(request);
}

/* QmpStreamFunc, of the thread. */
static void take_request(void *opaque, JsonNode *value, Error *err)
{
    QmpOob *o = opaque;
    QmpRequest *request;

    if (value && qmp_request_is_oob(value)) {
        g_autofree char *line = NULL;

        line = qmp_message_line(qmp_dispatch(value, true, qmp_find_any, NULL),
                                o->pretty);
        qmp_oob_send(o, line, strlen(line));
        return;
    }
    request = g_new0(QmpRequest, 1);
    request->value = value ? json_node_ref(value) : NULL;
    request->err = err;
    request->fds = o->fds ? g_atomic_rc_box_acquire(o->fds) : NULL;
    g_queue_push_tail(&o->parsed, request);
    qmp_stream_pause(o->stream);
}

/* Leaves what the stream has let go of to the main loop. */
static void queue_parsed(QmpOob *o)
{
    QmpRequest *request;

    g_mutex_lock(&o->lock);
    while ((request = g_queue_pop_head(&o->parsed))) {
        g_queue_push_tail(&o->requests, request);
    }
    g_mutex_unlock(&o->lock);
    qemu_bh_schedule(o->bh);
}

/* The next one for the main loop; NULL: none. */
static QmpRequest *next_request(QmpOob *o)
{
    QmpRequest *request;

    g_mutex_lock(&o->lock);
    request = g_queue_pop_head(&o->requests);
    g_mutex_unlock(&o->lock);
    return request;
}

static bool is_over(QmpOob *o)
{
    bool over;

    g_mutex_lock(&o->lock);
    over = o->over;
    g_mutex_unlock(&o->lock);
    return over;
}

/* The main loop's: one request, so that others have their turn. */
static void handle_one(void *opaque)
{
    QmpOob *o = opaque;
    /* Before the queue is looked at: after its end nothing is added. */
    bool over = is_over(o);
    QmpRequest *request = next_request(o);

    if (!request) {
        if (over) {
            o->ops->ended(o->opaque);
        }
        return;
    }
    qemu_bh_schedule(o->bh);
    event_notifier_set(&o->wake);
    o->handled_fds = request->fds;
    o->ops->handle(o->opaque, request->value, g_steal_pointer(&request->err));
    o->handled_fds = NULL;
    request_free(request);
}

/* --- the thread ------------------------------------------------------------ */

static void receive(QmpOob *o)
{
    int fd[SOCKET_FDS_MAX];
    unsigned nr = 0;
    ssize_t n = socket_recv_fds(o->fd, o->buf, sizeof(o->buf), fd, &nr,
                                ARRAY_SIZE(fd));

    if (nr) {
        drop_fds(&o->fds);                /* those were not wanted */
        o->fds = fds_new(fd, nr);
    }
    o->pos = 0;
    o->len = MAX(n, 0);
    if (n > 0 || n == -EAGAIN) {
        return;
    }
    g_mutex_lock(&o->lock);
    o->over = true;
    g_mutex_unlock(&o->lock);
    qemu_bh_schedule(o->bh);
}

static void look_at_input(QmpOob *o)
{
    o->pos += qmp_stream_feed(o->stream, (const char *)o->buf + o->pos,
                              o->len - o->pos);
    if (o->pos == o->len && qmp_stream_is_idle(o->stream)) {
        drop_fds(&o->fds);
    }
    queue_parsed(o);
}

/* What to wait for; -1: nothing more, ever. */
static int wanted(QmpOob *o)
{
    int events = 0;

    g_mutex_lock(&o->lock);
    if (o->begun && !o->over && o->requests.length < QMP_OOB_QUEUE_MAX &&
        out_pending(o) < CHAR_OUTPUT_PAUSE) {
        events |= POLLIN;
    }
    if (o->begun && out_pending(o)) {
        events |= POLLOUT;
    }
    if (o->stop) {
        events = -1;
    }
    g_mutex_unlock(&o->lock);
    return events;
}

static gpointer oob_thread(gpointer opaque)
{
    QmpOob *o = opaque;
    int events;

    while ((events = wanted(o)) >= 0) {
        struct pollfd fds[] = {
            { .fd = event_notifier_get_fd(&o->wake), .events = POLLIN },
            { .fd = events ? o->fd : -1, .events = events },
        };
        bool more = (events & POLLIN) && o->pos < o->len;

        qemu_poll_ms(fds, ARRAY_SIZE(fds), more ? 0 : -1);
        event_notifier_test_and_clear(&o->wake);
        if (fds[1].revents & ~POLLIN) {
            g_mutex_lock(&o->lock);
            out_flush(o);
            g_mutex_unlock(&o->lock);
        }
        if (more) {
            look_at_input(o);
        } else if ((events & POLLIN) && (fds[1].revents & ~POLLOUT)) {
            receive(o);
        }
    }
    return NULL;
}

/* --- beginning and end ----------------------------------------------------- */

QmpOob *qmp_oob_new(Chardev *chr, int socket, bool pretty,
                    const QmpOobOps *ops, void *opaque, Error **errp)
{
    QmpOob *o = g_new0(QmpOob, 1);
    int ret = event_notifier_init(&o->wake, 0);

    o->chr = chr;
    o->pretty = pretty;
    o->ops = ops;
    o->opaque = opaque;
    o->stream = qmp_stream_new(take_request, o);
    o->out = g_string_new(NULL);
    o->bh = qemu_bh_new(handle_one, o);
    g_mutex_init(&o->lock);
    o->fd = ret ? -1 : fcntl(socket, F_DUPFD_CLOEXEC, 0);
    if (o->fd < 0) {
        error_setg_errno(errp, ret ? -ret : errno, "out-of-band execution");
    } else {
        o->thread = qemu_thread_try_new(QEMU_THREAD_WORKER, "mon_iothread",
                                        oob_thread, o, errp);
    }
    if (!o->thread) {
        qmp_oob_free(o, 0);
        return NULL;
    }
    return o;
}

void qmp_oob_begin(QmpOob *o, const uint8_t *rest, size_t len, const int *fds,
                   unsigned nr_fds, GString *unsent)
{
    g_assert(len <= sizeof(o->buf) && !o->begun);
    g_mutex_lock(&o->lock);
    memcpy(o->buf, rest, len);
    o->len = len;
    if (nr_fds) {
        o->fds = fds_new(fds, nr_fds);
    }
    g_string_append_len(o->out, unsent->str, unsent->len);
    o->begun = true;
    g_mutex_unlock(&o->lock);
    event_notifier_set(&o->wake);
}

static void stop_thread(QmpOob *o)
{
    g_mutex_lock(&o->lock);
    o->stop = true;
    g_mutex_unlock(&o->lock);
    event_notifier_set(&o->wake);
    g_thread_join(o->thread);
}

static void drain(QmpOob *o, gint64 deadline)
{
    out_flush(o);
    while (out_pending(o) && g_get_monotonic_time() < deadline) {
        qemu_poll_ms(NULL, 0, 1);
        out_flush(o);
    }
}

void qmp_oob_free(QmpOob *o, gint64 deadline)
{
    QmpRequest *request;

    if (o->thread) {
        stop_thread(o);
        drain(o, deadline);
    }
    while ((request = g_queue_pop_head(&o->requests))) {
        request_free(request);
    }
    drop_fds(&o->fds);
    qmp_stream_free(o->stream);
    g_string_free(o->out, TRUE);
    qemu_bh_delete(o->bh);
    g_mutex_clear(&o->lock);
    if (o->fd >= 0) {
        close(o->fd);
    }
    event_notifier_cleanup(&o->wake);
    g_free(o);
}
