/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-user connections: see hw/vfio-user/socket.h. Used by the emulator's
 * client and by the tests' server.
 *
 * Whoever waits, to send or for a reply, also receives: the peer may be waiting
 * for us to read. What arrives goes through an inbox, because it can be handled
 * only between two messages of ours. Handling commands while a request waits
 * is needed: a server may answer only after it has done its DMA.
 *
 * It must not wait without a deadline, allocate what a peer asks for before it
 * is checked, or leave a message in the inbox that nobody will look at.
 */
#include "qemu/osdep.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "socket.h"

#define HEADER_SIZE sizeof(VFIOUserHeader)
/* Messages received while we send; more stay in the kernel. */
#define MAX_INBOX 16
/* Messages deferred while a reply is awaited: this is not normal any more. */
#define MAX_DEFERRED 256
/* Messages that one vfio_user_socket_process() takes from the kernel. */
#define MAX_BATCH 16
/* A peer that lets requests wait for a time-out in sum, within this many
 * time-outs, is given up; waits of less than the share of one do not count. */
#define SLOW_WINDOW 10
#define SLOW_SHARE 100

struct VFIOUserSocket {
    int fd;
    char *name;
    uint32_t timeout_ms;
    const VFIOUserSocketOps *ops;
    void *opaque;
    uint16_t next_id;
    bool waiting;                         /* for a reply */
    bool busy;                            /* deadline is that of somebody who
                                             called us */
    unsigned batch_requests;              /* ... for several: so far, plus 1 */
    int64_t deadline;                     /* g_get_monotonic_time() */
    int64_t batch_since;                  /* the same */
    int64_t slow_since;                   /* the same: the window's beginning */
    int64_t slow;                         /* us that have been waited in it */
    Error *error;
    VFIOUserMessage *in;                  /* being received; may be NULL */
    size_t got;                           /* bytes of it, header included */
    GQueue inbox;                         /* VFIOUserMessage * */
};

static void message_free(VFIOUserMessage *msg)
{
    vfio_user_message_clear(msg);
    g_free(msg);
}

/* --- life --- */

int vfio_user_connect(const char *path, uint32_t timeout_ms, Error **errp)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct timeval timeout = { .tv_sec = timeout_ms / 1000,
                               .tv_usec = timeout_ms % 1000 * 1000 };
    int fd, err;

    if (strlen(path) >= sizeof(addr.sun_path)) {
        error_setg(errp, "socket '%s': the path is longer than %zu characters",
                   path, sizeof(addr.sun_path) - 1);
        return -1;
    }
    strcpy(addr.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        error_setg_errno(errp, errno, "cannot make a socket");
        return -1;
    }
    /* Bounds connect() to a server that does not accept. */
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
        err = errno;
        error_setg_errno(errp, err, "cannot connect to socket '%s'%s", path,
                         err == ENOENT || err == ECONNREFUSED
                         ? " (start the vfio-user server first)" : "");
        close(fd);
        return -1;
    }
    return fd;
}

VFIOUserSocket *vfio_user_socket_new(int fd, const char *name,
                                     uint32_t timeout_ms,
                                     const VFIOUserSocketOps *ops,
                                     void *opaque)
{
    VFIOUserSocket *s = g_new0(VFIOUserSocket, 1);

    s->fd = fd;
    s->name = g_strdup(name);
    s->timeout_ms = timeout_ms;
    s->ops = ops;
    s->opaque = opaque;
    g_queue_init(&s->inbox);
    return s;
}

void vfio_user_socket_free(VFIOUserSocket *s)
{
    VFIOUserMessage *msg;

    while ((msg = g_queue_pop_head(&s->inbox))) {
        message_free(msg);
    }
    if (s->in) {
        message_free(s->in);
    }
    if (s->error) {
        error_free(s->error);
    }
    close(s->fd);
    g_free(s->name);
    g_free(s);
}

int vfio_user_socket_fd(const VFIOUserSocket *s)
{
    return s->fd;
}

const Error *vfio_user_socket_error(const VFIOUserSocket *s)
{
    return s->error;
}

int vfio_user_socket_break(VFIOUserSocket *s, int err, const char *fmt, ...)
{
    g_autofree char *why = NULL;
    va_list ap;

    if (s->error) {
        return -err;
    }
    va_start(ap, fmt);
    why = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    error_setg(&s->error, "vfio-user %s: %s", s->name, why);
    /* The peer must not go on believing in us. */
    shutdown(s->fd, SHUT_RDWR);
    if (s->ops->broken) {
        s->ops->broken(s, s->opaque);
    }
    return -err;
}

static int64_t timeout_us(const VFIOUserSocket *s)
{
    return s->timeout_ms * INT64_C(1000);
}

/* Everything from the outermost call on has one deadline. true: this is it. */
static bool socket_begin(VFIOUserSocket *s, int64_t since)
{
    if (s->busy) {
        return false;
    }
    s->busy = true;
    s->deadline = since + timeout_us(s);
    return true;
}

static void socket_end(VFIOUserSocket *s, bool outermost)
{
    if (outermost) {
        s->busy = false;
    }
}

/* A wait that began at @started is over. Each has its time-out; this is about
 * many that are shorter, as a guest has that uses the device. */
static void socket_charge(VFIOUserSocket *s, int64_t started)
{
    int64_t now = g_get_monotonic_time();

    if (now - started < timeout_us(s) / SLOW_SHARE) {
        return;
    }
    if (now - s->slow_since > SLOW_WINDOW * timeout_us(s)) {
        s->slow_since = started;
        s->slow = 0;
    }
    s->slow += now - started;
    if (s->slow > timeout_us(s)) {
        vfio_user_socket_break(s, ETIMEDOUT, "the peer is too slow: it has held "
                               "up the guest for %" PRId64 " ms in %" PRId64
                               " ms", s->slow / 1000,
                               (now - s->slow_since) / 1000);
    }
}

bool vfio_user_socket_begin(VFIOUserSocket *s, int64_t since)
{
    bool outermost = socket_begin(s, since);

    if (outermost) {
        s->batch_requests = 1;
        s->batch_since = since;
    }
    return outermost;
}

void vfio_user_socket_end(VFIOUserSocket *s)
{
    s->batch_requests = 0;
    socket_end(s, true);
    socket_charge(s, s->batch_since);
}

void vfio_user_socket_forgive(VFIOUserSocket *s)
{
    s->slow = 0;
}

/* --- receiving --- */

/* Takes the descriptors that came with @mh. 0 or -errno. */
static int socket_take_fds(VFIOUserSocket *s, struct msghdr *mh)
{
    VFIOUserMessage *in = s->in;
    bool too_many = mh->msg_flags & MSG_CTRUNC;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        size_t nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (size_t i = 0; i < nr; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (in->nr_fds < VFIO_USER_MAX_FDS) {
                in->fds[in->nr_fds++] = fd;
            } else {
                close(fd);
                too_many = true;
            }
        }
    }
    return too_many ? vfio_user_socket_break(s, EPROTO, "more than %d "
                                             "descriptors in a message",
                                             VFIO_USER_MAX_FDS) : 0;
}

/* Bytes received, which is not 0; 0: none for now; -errno: broken. */
static ssize_t socket_recv(VFIOUserSocket *s, void *buf, size_t size)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(VFIO_USER_MAX_FDS * sizeof(int))];
    } control;
    struct iovec iov = { .iov_base = buf, .iov_len = size };
    struct msghdr mh = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    ssize_t n;
    int err;

    do {
        n = recvmsg(s->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        err = errno;
    } while (n < 0 && err == EINTR);
    if (n < 0 && err == EAGAIN) {
        return 0;
    }
    if (n <= 0) {
        return vfio_user_socket_break(s, EPIPE, "the connection has been lost"
                                      "%s%s", n ? ": " : "",
                                      n ? g_strerror(err) : "");
    }
    err = socket_take_fds(s, &mh);
    return err ? err : n;
}

/* The header is complete. 0 or -errno. */
static int socket_header_done(VFIOUserSocket *s)
{
    VFIOUserMessage *in = s->in;
    g_autoptr(GError) err = NULL;

    if (!vfio_user_header_check(&in->header, &err)) {
        return vfio_user_socket_break(s, EPROTO, "the peer sends nonsense: %s",
                                      error_get_pretty(err));
    }
    in->payload_size = in->header.size - HEADER_SIZE;
    in->payload = g_malloc(in->payload_size);
    return 0;
}

/* All of it is there. 0 or -errno. A command that makes no sense is refused
 * when it is handled; there is nobody to refuse a reply to. */
static int socket_message_done(VFIOUserSocket *s)
{
    VFIOUserMessage *in = s->in;
    g_autoptr(GError) err = NULL;

    in->verdict = vfio_user_message_check(in, &err);
    if (in->verdict && vfio_user_is_reply(&in->header)) {
        return vfio_user_socket_break(s, EPROTO, "the peer sends nonsense: %s",
                                      error_get_pretty(err));
    }
    g_queue_push_tail(&s->inbox, in);
    s->in = NULL;
    s->got = 0;
    return 0;
}

/* 1: one more message is in the inbox; 0: not yet; -errno: broken. Reads no
 * byte of the message after it, whose descriptors would be lost. */
static int socket_receive(VFIOUserSocket *s)
{
    ssize_t n;
    int ret;

    if (s->error) {
        return -EIO;
    }
    if (s->inbox.length >= MAX_DEFERRED) {
        return vfio_user_socket_break(s, EPROTO, "the peer sends more than %d "
                                      "commands before it answers",
                                      MAX_DEFERRED);
    }
    if (!s->in) {
        s->in = g_new0(VFIOUserMessage, 1);
    }
    while (s->got < HEADER_SIZE) {
        n = socket_recv(s, (uint8_t *)&s->in->header + s->got,
                        HEADER_SIZE - s->got);
        if (n <= 0) {
            return n;
        }
        s->got += n;
        ret = s->got == HEADER_SIZE ? socket_header_done(s) : 0;
        if (ret) {
            return ret;
        }
    }
    while (s->got < s->in->header.size) {
        n = socket_recv(s, s->in->payload + (s->got - HEADER_SIZE),
                        s->in->header.size - s->got);
        if (n <= 0) {
            return n;
        }
        s->got += n;
    }
    ret = socket_message_done(s);
    return ret ? ret : 1;
}

/* --- sending --- */

/* The deadline has passed. Returns -ETIMEDOUT. */
static int socket_time_out(VFIOUserSocket *s, uint16_t command,
                           const char *what)
{
    char buf[16];

    return s->batch_requests > 2
           ? vfio_user_socket_break(s, ETIMEDOUT, "the peer takes more than "
                                    "%" PRIu32 " ms for a series of requests, "
                                    "the last one being %s", s->timeout_ms,
                                    vfio_user_command_name(command, buf))
           : vfio_user_socket_break(s, ETIMEDOUT, "the peer has not %s %s "
                                    "for %" PRIu32 " ms", what,
                                    vfio_user_command_name(command, buf),
                                    s->timeout_ms);
}

/* Until @events (or 0), or something has been received. 0 or -errno. */
static int socket_wait(VFIOUserSocket *s, short events, uint16_t command,
                       const char *what)
{
    bool room = !events || s->inbox.length < MAX_INBOX;
    struct pollfd pfd = { .fd = s->fd,
                          .events = events | (room ? POLLIN : 0) };
    int64_t left = s->deadline - g_get_monotonic_time();
    int ret;

    if (left <= 0) {
        return socket_time_out(s, command, what);
    }
    if (poll(&pfd, 1, MIN(DIV_ROUND_UP(left, 1000), INT_MAX)) <= 0 || !room ||
        !(pfd.revents & ~POLLOUT)) {
        return 0;
    }
    ret = socket_receive(s);
    return MIN(ret, 0);
}

/* What of @full is left after @done bytes; how many pieces. */
static int iov_rest(const struct iovec *full, int n, size_t done,
                    struct iovec *rest)
{
    int nr = 0;

    for (int i = 0; i < n; i++) {
        size_t skip = MIN(done, full[i].iov_len);

        done -= skip;
        if (full[i].iov_len > skip) {
            rest[nr].iov_base = (uint8_t *)full[i].iov_base + skip;
            rest[nr++].iov_len = full[i].iov_len - skip;
        }
    }
    return nr;
}

/* As sendmsg(); descriptors go with the first byte. */
static ssize_t socket_sendmsg(VFIOUserSocket *s, struct iovec *iov, int n,
                              const int *fds, unsigned nr_fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(VFIO_USER_MAX_FDS * sizeof(int))];
    } control = { 0 };
    struct msghdr mh = { .msg_iov = iov, .msg_iovlen = n };

    if (nr_fds) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.align), fds, nr_fds * sizeof(int));
    }
    return sendmsg(s->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int socket_send(VFIOUserSocket *s, const VFIOUserHeader *header,
                       const VFIOUserBody *body, const char *what)
{
    const struct iovec full[] = {
        { (void *)header, HEADER_SIZE },
        { (void *)body->head, body->head_size },
        { (void *)body->data, body->data_size },
    };
    size_t done = 0;
    int ret = 0;

    g_assert(body->nr_fds <= VFIO_USER_MAX_FDS);
    while (!s->error && done < header->size) {
        struct iovec rest[ARRAY_SIZE(full)];
        int n = iov_rest(full, ARRAY_SIZE(full), done, rest);
        ssize_t sent = socket_sendmsg(s, rest, n, body->fds,
                                      done ? 0 : body->nr_fds);
        int err = errno;

        if (sent > 0) {
            done += sent;
        } else if (sent == 0 || err == EAGAIN) {
            ret = socket_wait(s, POLLOUT, header->command, what);
        } else if (err != EINTR) {
            ret = vfio_user_socket_break(s, err, "the connection has been "
                                         "lost: %s", g_strerror(err));
        }
    }
    return ret ? ret : s->error ? -EIO : 0;
}

static const VFIOUserBody no_body;

void vfio_user_socket_reply(VFIOUserSocket *s, const VFIOUserMessage *to,
                            int error, const VFIOUserBody *body)
{
    VFIOUserHeader header = {
        .id = to->header.id,
        .command = to->header.command,
        .flags = VFIO_USER_TYPE_REPLY | (error ? VFIO_USER_ERROR : 0),
        .error = error,
    };
    bool outermost;

    if (to->header.flags & VFIO_USER_NO_REPLY) {
        return;
    }
    if (error || !body) {
        body = &no_body;
    }
    header.size = HEADER_SIZE + body->head_size + body->data_size;
    outermost = socket_begin(s, g_get_monotonic_time());
    socket_send(s, &header, body, "taken the reply to");
    socket_end(s, outermost);
}

/* --- handling --- */

static void socket_handle(VFIOUserSocket *s, VFIOUserMessage *msg)
{
    char buf[16];

    if (s->error) {
        /* Too late. */
    } else if (vfio_user_is_reply(&msg->header)) {
        vfio_user_socket_break(s, EPROTO, "the peer answers %s, which was not "
                               "asked",
                               vfio_user_command_name(msg->header.command,
                                                      buf));
    } else if (msg->verdict) {
        vfio_user_socket_reply(s, msg, -msg->verdict, NULL);
    } else {
        s->ops->command(s, msg, s->opaque);
    }
    message_free(msg);
}

/* The first reply in the inbox; commands before it are handled if they are not
 * to be deferred. NULL: there is none. */
static VFIOUserMessage *socket_find_reply(VFIOUserSocket *s)
{
    GList *l = s->inbox.head;

    while (l) {
        VFIOUserMessage *msg = l->data;

        if (vfio_user_is_reply(&msg->header)) {
            g_queue_delete_link(&s->inbox, l);
            return msg;
        }
        if (s->ops->defer_commands) {
            l = l->next;
        } else {
            g_queue_delete_link(&s->inbox, l);
            socket_handle(s, msg);
            l = s->inbox.head;
        }
    }
    return NULL;
}

/* Takes @msg apart, which is to answer @header. 0 or -errno. */
static int socket_accept_reply(VFIOUserSocket *s, const VFIOUserHeader *header,
                               VFIOUserMessage *msg, VFIOUserMessage *reply)
{
    int ret = vfio_user_reply_errno(&msg->header);
    char want[16], got[16];

    if (msg->header.id != header->id ||
        msg->header.command != header->command) {
        ret = vfio_user_socket_break(
            s, EPROTO, "the peer was asked %s (id %u) and answers %s (id %u)",
            vfio_user_command_name(header->command, want), header->id,
            vfio_user_command_name(msg->header.command, got), msg->header.id);
    }
    if (!ret) {
        *reply = *msg;
        g_free(msg);
    } else {
        message_free(msg);
    }
    return ret;
}

static int socket_await(VFIOUserSocket *s, const VFIOUserHeader *header,
                        VFIOUserMessage *reply)
{
    for (;;) {
        VFIOUserMessage *msg = socket_find_reply(s);
        int ret;

        if (msg) {
            return socket_accept_reply(s, header, msg, reply);
        }
        if (s->error) {
            return -EIO;
        }
        ret = socket_wait(s, 0, header->command, "answered");
        if (ret) {
            return ret;
        }
    }
}

int vfio_user_socket_request(VFIOUserSocket *s, VFIOUserCommand command,
                             const VFIOUserBody *body, VFIOUserMessage *reply)
{
    VFIOUserHeader header = { .id = s->next_id++, .command = command };
    int64_t started = g_get_monotonic_time();
    bool outermost;
    int ret;

    if (s->error) {
        return -EIO;
    }
    /* From within a command of the peer's: it would wait for itself. */
    if (s->waiting) {
        return -EDEADLK;
    }
    if (!body) {
        body = &no_body;
    }
    header.size = HEADER_SIZE + body->head_size + body->data_size;
    outermost = socket_begin(s, started);
    s->batch_requests += s->batch_requests ? 1 : 0;
    s->waiting = true;
    ret = socket_send(s, &header, body, "answered");
    if (!ret) {
        ret = socket_await(s, &header, reply);
    }
    s->waiting = false;
    /* Nothing that has left the kernel wakes anybody up. */
    while (!s->ops->defer_commands && s->inbox.length) {
        socket_handle(s, g_queue_pop_head(&s->inbox));
    }
    socket_end(s, outermost);
    if (outermost) {
        socket_charge(s, started);
    }
    return ret;
}

void vfio_user_socket_process(VFIOUserSocket *s)
{
    bool outermost = socket_begin(s, g_get_monotonic_time());
    int budget = MAX_BATCH;

    while (!s->error &&
           (s->inbox.length || (budget-- > 0 && socket_receive(s) > 0))) {
        socket_handle(s, g_queue_pop_head(&s->inbox));
    }
    socket_end(s, outermost);
}
