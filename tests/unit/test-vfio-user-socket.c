/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vfio-user/socket.c: what becomes of a connection over which messages come
 * in pieces, in bulk, with too many descriptors, or as nonsense. No test leaves
 * a descriptor behind. Random streams depend on g_test's --seed.
 */
#include "qemu/osdep.h"

#include <sys/socket.h>

#include "hw/vfio-user/socket.h"
#include "qemu/units.h"
#include "testdev-thread.h"
#include "tests/patience.h"

typedef struct Connection {
    VFIOUserSocket *s;
    int peer;
    unsigned broken;
    GArray *commands;                     /* uint16_t */
    unsigned fds_before;
} Connection;

static void on_command(VFIOUserSocket *s, VFIOUserMessage *msg, void *opaque)
{
    Connection *c = opaque;
    uint16_t command = msg->header.command;

    g_array_append_val(c->commands, command);
    vfio_user_socket_reply(s, msg, 0, NULL);
}

static void on_broken(VFIOUserSocket *s, void *opaque)
{
    ((Connection *)opaque)->broken++;
}

static const VFIOUserSocketOps connection_ops = {
    .command = on_command,
    .broken = on_broken,
};

static void set_up(Connection *c, gconstpointer data)
{
    int fds[2];

    c->fds_before = count_fds();
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                    ==, 0);
    c->peer = fds[1];
    c->s = vfio_user_socket_new(fds[0], "test", 100, &connection_ops, c);
    c->commands = g_array_new(false, false, sizeof(uint16_t));
}

static void tear_down(Connection *c, gconstpointer data)
{
    vfio_user_socket_free(c->s);
    close(c->peer);
    g_array_unref(c->commands);
    g_assert_cmpuint(count_fds(), ==, c->fds_before);
}

static void peer_send(Connection *c, const void *data, size_t size,
                      unsigned nr_fds)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(64 * sizeof(int))];
    } control = { 0 };
    struct iovec iov = { (void *)data, size };
    struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (nr_fds) {
        mh.msg_control = &control;
        mh.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
        for (unsigned i = 0; i < nr_fds; i++) {
            memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &c->peer,
                   sizeof(int));
        }
    }
    g_assert_cmpint(sendmsg(c->peer, &mh, MSG_NOSIGNAL), ==, (ssize_t)size);
}

static VFIOUserHeader peer_receive(Connection *c)
{
    VFIOUserHeader h;

    g_assert_cmpint(recv(c->peer, &h, sizeof(h), MSG_DONTWAIT), ==, sizeof(h));
    return h;
}

typedef struct QEMU_PACKED ReadMessage {
    VFIOUserHeader header;
    VFIOUserDMAAccess access;
} ReadMessage;

static const ReadMessage read_message = {
    .header = { .id = 77, .command = VFIO_USER_DMA_READ,
                .size = sizeof(ReadMessage) },
    .access = { .address = 4096, .count = 8 },
};

static void test_byte_by_byte(Connection *c, gconstpointer data)
{
    const uint8_t *bytes = (const void *)&read_message;

    for (size_t i = 0; i < sizeof(read_message); i++) {
        g_assert_cmpuint(c->commands->len, ==, 0);
        peer_send(c, &bytes[i], 1, 0);
        vfio_user_socket_process(c->s);
    }
    g_assert_cmpuint(c->commands->len, ==, 1);
    g_assert_cmpuint(peer_receive(c).id, ==, 77);
    g_assert_null(vfio_user_socket_error(c->s));
}

static void test_many_at_once(Connection *c, gconstpointer data)
{
    ReadMessage three[3] = { read_message, read_message, read_message };

    three[1].header.flags = VFIO_USER_NO_REPLY;
    three[2].header.id = 78;
    peer_send(c, three, sizeof(three), 0);
    vfio_user_socket_process(c->s);
    g_assert_cmpuint(c->commands->len, ==, 3);
    g_assert_cmpuint(peer_receive(c).id, ==, 77);
    g_assert_cmpuint(peer_receive(c).id, ==, 78);
}

/* It is refused, and what comes after it is still understood. */
static void test_bad_command_is_refused(Connection *c, gconstpointer data)
{
    ReadMessage bad = read_message;
    VFIOUserHeader h;

    bad.access.count = UINT64_MAX;
    peer_send(c, &bad, sizeof(bad), 0);
    bad.header.command = 99;
    peer_send(c, &bad, sizeof(bad), 0);
    peer_send(c, &read_message, sizeof(read_message), 0);
    vfio_user_socket_process(c->s);
    h = peer_receive(c);
    g_assert_cmpuint(h.flags, ==, VFIO_USER_TYPE_REPLY | VFIO_USER_ERROR);
    g_assert_cmpuint(h.error, ==, EINVAL);
    g_assert_cmpuint(peer_receive(c).error, ==, ENOTSUP);
    g_assert_cmpuint(peer_receive(c).flags, ==, VFIO_USER_TYPE_REPLY);
    g_assert_cmpuint(c->commands->len, ==, 1);
}

/* Descriptors that do not belong to the message are closed (tear_down). */
static void test_stray_descriptors(Connection *c, gconstpointer data)
{
    peer_send(c, &read_message, sizeof(read_message), 3);
    peer_send(c, &read_message, 5, 2);
    vfio_user_socket_process(c->s);
    g_assert_cmpuint(peer_receive(c).error, ==, EINVAL);
    g_assert_cmpuint(c->commands->len, ==, 0);
    g_assert_null(vfio_user_socket_error(c->s));
}

static void expect_broken(Connection *c, const char *text)
{
    VFIOUserHeader h = { .size = sizeof(h), .command = VFIO_USER_DEVICE_RESET };
    g_auto(VFIOUserMessage) reply = { 0 };

    vfio_user_socket_process(c->s);
    g_assert_nonnull(vfio_user_socket_error(c->s));
    g_assert_nonnull(strstr(error_get_pretty(vfio_user_socket_error(c->s)),
                            text));
    g_assert_cmpuint(c->broken, ==, 1);
    /* Nothing is heard or said any more. */
    g_assert_cmpint(send(c->peer, &h, sizeof(h), MSG_NOSIGNAL), ==, -1);
    g_assert_cmpint(vfio_user_socket_request(c->s, VFIO_USER_DEVICE_RESET, NULL,
                                             &reply), ==, -EIO);
    g_assert_cmpuint(c->broken, ==, 1);
    g_assert_cmpuint(c->commands->len, ==, 0);
}

static void test_too_many_descriptors(Connection *c, gconstpointer data)
{
    peer_send(c, &read_message, sizeof(read_message), VFIO_USER_MAX_FDS + 1);
    expect_broken(c, "more than 32 descriptors");
}

/* ... spread over the pieces of one message. */
static void test_too_many_descriptors_in_pieces(Connection *c,
                                                gconstpointer data)
{
    const uint8_t *bytes = (const void *)&read_message;

    peer_send(c, bytes, 5, 20);
    peer_send(c, bytes + 5, 5, 20);
    expect_broken(c, "more than 32 descriptors");
}

static void test_oversized(Connection *c, gconstpointer data)
{
    const VFIOUserHeader h = { .size = VFIO_USER_MAX_MESSAGE + 1 };

    peer_send(c, &h, sizeof(h), 1);
    expect_broken(c, "nonsense");
}

static void test_undersized(Connection *c, gconstpointer data)
{
    const VFIOUserHeader h = { .size = sizeof(h) - 1 };

    peer_send(c, &h, sizeof(h), 1);
    expect_broken(c, "nonsense");
}

static void test_unasked_reply(Connection *c, gconstpointer data)
{
    const VFIOUserHeader h = { .size = sizeof(h),
                               .command = VFIO_USER_DEVICE_RESET,
                               .flags = VFIO_USER_TYPE_REPLY };

    peer_send(c, &h, sizeof(h), 0);
    expect_broken(c, "DEVICE_RESET");
}

static void test_end(Connection *c, gconstpointer data)
{
    peer_send(c, &read_message, sizeof(read_message) - 1, 1);
    shutdown(c->peer, SHUT_WR);
    expect_broken(c, "lost");
}

/* Nobody reads at the other end: the reply cannot be sent for ever. */
static void test_deaf_peer(Connection *c, gconstpointer data)
{
    g_autofree uint8_t *data_out = g_malloc0(1 * MiB);
    const VFIOUserBody body = { .head = data_out, .head_size = 1 * MiB };
    const VFIOUserMessage to = { .header = read_message.header };
    int64_t before = g_get_monotonic_time();

    vfio_user_socket_reply(c->s, &to, 0, &body);
    g_assert_nonnull(vfio_user_socket_error(c->s));
    g_assert_cmpint(g_get_monotonic_time() - before, <, patience_us());
    g_assert_cmpint(g_get_monotonic_time() - before, >=, 100 * 1000);
}

/* Random bytes: whatever they are, they end or the connection does. */
static void test_random_stream(void)
{
    for (int i = 0; i < 300; i++) {
        Connection c = { 0 };
        uint8_t buf[256];

        set_up(&c, NULL);
        for (size_t n = 0; n < sizeof(buf); n++) {
            buf[n] = g_test_rand_bit() ? g_test_rand_int_range(0, 256) : 0;
        }
        /* Often a plausible header. */
        if (g_test_rand_bit()) {
            const VFIOUserHeader h = {
                .command = g_test_rand_int_range(0, 16),
                .size = g_test_rand_int_range(0, 200),
                .flags = g_test_rand_int_range(0, 2),
            };
            memcpy(buf, &h, sizeof(h));
        }
        peer_send(&c, buf, sizeof(buf), g_test_rand_int_range(0, 4));
        shutdown(c.peer, SHUT_WR);
        for (int turns = 0; turns < 20; turns++) {
            vfio_user_socket_process(c.s);
        }
        g_assert_nonnull(vfio_user_socket_error(c.s));
        tear_down(&c, NULL);
    }
}

#define ADD(name, fn) \
    g_test_add("/vfio-user/socket/" name, Connection, NULL, set_up, fn, \
               tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("takes a message byte by byte", test_byte_by_byte);
    ADD("takes several messages at once", test_many_at_once);
    ADD("refuses a bad command and goes on", test_bad_command_is_refused);
    ADD("closes stray descriptors", test_stray_descriptors);
    ADD("breaks at too many descriptors", test_too_many_descriptors);
    ADD("breaks at too many descriptors in pieces",
        test_too_many_descriptors_in_pieces);
    ADD("breaks at an oversized message", test_oversized);
    ADD("breaks at an undersized message", test_undersized);
    ADD("breaks at a reply that was not asked for", test_unasked_reply);
    ADD("breaks at the end of the stream", test_end);
    ADD("breaks if the peer does not read", test_deaf_peer);
    g_test_add_func("/vfio-user/socket/random bytes", test_random_stream);
    return g_test_run();
}
