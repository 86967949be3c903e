/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-user connections: see hw/vfio-user/socket.h. Used by the emulator's
 * client and by the tests' server.
 *
 * What arrives goes through an inbox, because it can be handled only between two
 * messages of ours. Handling commands while a request waits is needed: a server
 * may answer only after it has done its DMA.
 *
 * It must not leave a message in the inbox that nobody will look at.
 */
#include "qemu/osdep.h"

#include "qemu/sandbox-need.h"
#include "qemu/socket-path.h"
#include <sys/socket.h>
#include <sys/un.h>

#include "socket-internal.h"

/* Messages that one vfio_user_socket_process() takes from the kernel. */
#define MAX_BATCH 16

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
        close(fd);
        if (err == ECONNREFUSED && socket_path_is_no_socket(path)) {
            error_setg(errp, "cannot connect to '%s': it is no socket", path);
            return -1;
        }
        error_setg_errno(errp, err, "cannot connect to socket '%s'%s", path,
                         err == ENOENT || err == ECONNREFUSED
                         ? " (start the vfio-user server first)" : "");
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

    sandbox_need(SANDBOX_PEERS);
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

/* --- handling --- */

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
    outermost = vfio_user_socket_begin_call(s, g_get_monotonic_time());
    vfio_user_socket_send(s, &header, body, "taken the reply to");
    vfio_user_socket_end_call(s, outermost);
}

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
        ret = vfio_user_socket_wait(s, 0, header->command, "answered");
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
    outermost = vfio_user_socket_begin_call(s, started);
    s->batch_requests += s->batch_requests ? 1 : 0;
    s->waiting = true;
    ret = vfio_user_socket_send(s, &header, body, "answered");
    if (!ret) {
        ret = socket_await(s, &header, reply);
    }
    s->waiting = false;
    /* Nothing that has left the kernel wakes anybody up. */
    while (!s->ops->defer_commands && s->inbox.length) {
        socket_handle(s, g_queue_pop_head(&s->inbox));
    }
    vfio_user_socket_end_call(s, outermost);
    if (outermost) {
        vfio_user_socket_charge(s, started);
    }
    return ret;
}

void vfio_user_socket_process(VFIOUserSocket *s)
{
    bool outermost = vfio_user_socket_begin_call(s, g_get_monotonic_time());
    int budget = MAX_BATCH;

    while (!s->error &&
           (s->inbox.length ||
            (budget-- > 0 && vfio_user_socket_receive(s) > 0))) {
        socket_handle(s, g_queue_pop_head(&s->inbox));
    }
    vfio_user_socket_end_call(s, outermost);
}
