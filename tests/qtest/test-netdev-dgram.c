/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev dgram: frames are datagrams of Unix sockets, of UDP, of a multicast group,
 * and of a descriptor. */
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "net-guest.h"

typedef struct Paths {
    char *dir, *own, *theirs;             /* the emulator's, ours */
} Paths;

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    g_strlcpy(addr.sun_path, path, sizeof(addr.sun_path));
    return addr;
}

static int bind_socket(const char *path)
{
    struct sockaddr_un addr = address(path);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    g_assert_no_errno(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    return fd;
}

static void make_paths(Paths *p)
{
    p->dir = g_dir_make_tmp("dgram-XXXXXX", NULL);
    p->own = g_build_filename(p->dir, "own", NULL);
    p->theirs = g_build_filename(p->dir, "theirs", NULL);
}

static void free_paths(Paths *p)
{
    unlink(p->theirs);
    g_assert_no_errno(rmdir(p->dir));     /* the emulator has left nothing */
    g_free(p->dir);
    g_free(p->own);
    g_free(p->theirs);
}

static char *netdev_by_path(const Paths *p)
{
    return g_strdup_printf("-netdev dgram,id=n0,local.type=unix,local.path=%s,"
                           "remote.type=unix,remote.path=%s", p->own, p->theirs);
}

static void wire_sends(Fixture *f, const char *path, uint8_t n)
{
    struct sockaddr_un addr = address(path ? path : "");
    uint8_t frame[FRAME];

    make_frame(frame, FRAME, own_mac, n);
    g_assert_cmpint(sendto(f->peer, frame, FRAME, 0,
                           path ? (struct sockaddr *)&addr : NULL,
                           path ? sizeof(addr) : 0), ==, FRAME);
}

static void guest_sends(Fixture *f, uint8_t n)
{
    add_frame(f, ROOM, FRAME, n);
    qvirtqueue_kick(&f->tx);
    qvirtqueue_wait(&f->tx, NULL);
}

static void check_both_ways(Fixture *f, const char *path)
{
    guest_sends(f, 1);
    wire_expects(f, 1);
    give_room(f, 0, ROOM);
    wire_sends(f, path, 2);
    expect_frame(f, 0, own_mac, 2);
    /* More than the guest has room for waits in the kernel. */
    for (uint8_t n = 0; n < 5; n++) {
        wire_sends(f, path, n);
    }
    for (uint8_t n = 0; n < 5; n++) {
        give_room(f, 0, ROOM);
        expect_frame(f, 0, own_mac, n);
    }
}

static void test_by_path(void)
{
    g_autofree char *netdev = NULL;
    Paths p;
    Fixture f;

    make_paths(&p);
    netdev = netdev_by_path(&p);
    start_with(&f, 0, netdev);
    guest_sends(&f, 9);                   /* to nobody */
    f.peer = bind_socket(p.theirs);
    check_both_ways(&f, p.own);
    stop(&f);
    free_paths(&p);
}

static void test_by_descriptor(void)
{
    g_autofree char *netdev = NULL;
    int fds[2];
    Fixture f;

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
    netdev = g_strdup_printf("-netdev dgram,id=n0,local.type=fd,local.str=%d",
                             fds[1]);
    start_with(&f, 0, netdev);
    close(fds[1]);
    f.peer = fds[0];
    check_both_ways(&f, NULL);
    stop(&f);
}

/* --- UDP ------------------------------------------------------------------ */

#define GROUP "239.255.77.1"

/* A socket of ours, at a port of the kernel's choice. */
static int bind_udp(const char *host, uint16_t *port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET };
    socklen_t size = sizeof(addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    addr.sin_addr.s_addr = inet_addr(host);
    g_assert_no_errno(bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
    g_assert_no_errno(getsockname(fd, (struct sockaddr *)&addr, &size));
    *port = ntohs(addr.sin_port);
    return fd;
}

/* Connects f->peer to the emulator's socket, whose port `info network` shows. */
static void connect_udp(Fixture *f, const char *host)
{
    g_autofree char *text = qtest_hmp(f->qts, "info network");
    g_autofree char *before = g_strdup_printf("local=%s:", host);
    struct sockaddr_in addr = { .sin_family = AF_INET };
    const char *at = strstr(text, before);

    g_assert_nonnull(at);
    addr.sin_port = htons(atoi(at + strlen(before)));
    addr.sin_addr.s_addr = inet_addr(host);
    g_assert_no_errno(connect(f->peer, (struct sockaddr *)&addr, sizeof(addr)));
}

static void test_by_udp(void)
{
    g_autofree char *netdev = NULL;
    uint16_t port;
    int peer = bind_udp("127.0.0.1", &port);
    Fixture f;

    netdev = g_strdup_printf("-netdev dgram,id=n0,local.type=inet,"
                             "local.host=127.0.0.1,local.port=0,remote.type=inet,"
                             "remote.host=127.0.0.1,remote.port=%u", port);
    start_with(&f, 0, netdev);
    f.peer = peer;
    connect_udp(&f, "127.0.0.1");
    check_both_ways(&f, NULL);
    close(f.peer);
    guest_sends(&f, 9);                   /* to nobody, of which the kernel tells */
    guest_sends(&f, 9);
    qtest_quit(f.qts);
}

/* A member of the group over the loopback; -1: this machine cannot do that. */
static int join_group(uint16_t port)
{
    struct ip_mreq mreq = { { inet_addr(GROUP) }, { inet_addr("127.0.0.1") } };
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port),
        .sin_addr = mreq.imr_multiaddr,
    };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof(mreq)) ||
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq.imr_interface,
                   sizeof(mreq.imr_interface)) ||
        bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Which comes back to who has sent it. */
static void send_to_group(Fixture *f, uint16_t port, uint8_t n)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port),
        .sin_addr.s_addr = inet_addr(GROUP),
    };
    uint8_t frame[FRAME], got[FRAME];

    make_frame(frame, FRAME, own_mac, n);
    g_assert_cmpint(sendto(f->peer, frame, FRAME, 0, (struct sockaddr *)&addr,
                           sizeof(addr)), ==, FRAME);
    g_assert_cmpint(recv(f->peer, got, sizeof(got), MSG_DONTWAIT), ==, FRAME);
}

static void test_multicast(void)
{
    g_autofree char *netdev = NULL;
    uint16_t port;
    int unused = bind_udp("127.0.0.1", &port), peer = join_group(port);
    Fixture f;

    close(unused);
    if (peer < 0) {
        g_test_skip("this machine has no multicast over its loopback");
        return;
    }
    close(peer);
    netdev = g_strdup_printf("-netdev dgram,id=n0,local.type=inet,"
                             "local.host=127.0.0.1,local.port=0,remote.type=inet,"
                             "remote.host=" GROUP ",remote.port=%u", port);
    start_with(&f, 0, netdev);
    f.peer = join_group(port);
    give_room(&f, 0, ROOM);
    send_to_group(&f, port, 2);
    expect_frame(&f, 0, own_mac, 2);
    guest_sends(&f, 1);
    wire_expects(&f, 1);
    stop(&f);
}

/* --- descriptors, and what is left behind --------------------------------- */

/* A path that an emulator has left behind that was killed. */
static void test_stale_path(void)
{
    g_autofree char *netdev = NULL;
    Paths p;
    Fixture f;

    make_paths(&p);
    close(bind_socket(p.own));
    netdev = netdev_by_path(&p);
    start_with(&f, 0, netdev);
    f.peer = bind_socket(p.theirs);
    check_both_ways(&f, p.own);
    stop(&f);
    free_paths(&p);
}

/* All come, in order, when the peer reads again. */
static void test_slow_peer(void)
{
    g_autofree char *netdev = NULL;
    unsigned sent = 0;
    Paths p;
    Fixture f;

    make_paths(&p);
    netdev = netdev_by_path(&p);
    start_with(&f, 0, netdev);
    f.peer = bind_socket(p.theirs);
    do {
        add_frame(&f, ROOM * (1 + sent), FRAME, sent);
        qvirtqueue_kick(&f.tx);
        sent++;
        qmp_client_check_alive(f.qmp);
    } while (qvirtqueue_has_used(&f.tx) && sent < 100 &&
             qvirtqueue_wait(&f.tx, NULL) != UINT16_MAX);
    g_assert_cmpuint(sent, <, 100);
    for (unsigned n = 0; n < sent; n++) {
        wire_expects(&f, n);
    }
    qvirtqueue_wait(&f.tx, NULL);
    stop(&f);
    free_paths(&p);
}

#define INET(local, remote)                                                  \
    "'local': {'type': 'inet', " local "}, 'remote': {'type': 'inet', " remote "}"

static void test_bad_input(void)
{
    static const char *const bad[][2] = {
        { "'local': {'type': 'x'}", "'local.type' expects unix, inet or fd" },
        { "'local': {'type': 'inet'}",
          "'remote.type' expects inet, which goes with local.type=inet" },
        { "'local': {'type': 'inet', 'host': 'a', 'port': '1'}, 'remote': "
          "{'type': 'unix', 'path': '/x'}", "'remote.type' expects inet" },
        { INET("'host': '127.0.0.1'", "'host': '127.0.0.1', 'port': '1'"),
          "'local.port' is missing" },
        { INET("'port': '1'", "'host': '127.0.0.1', 'port': '1'"),
          "'local.host' is missing" },
        { INET("'host': '127.0.0.1', 'port': '1'", "'port': '1'"),
          "'remote.host' is missing" },
        { INET("'host': '127.0.0.1', 'port': '1'", "'host': '127.0.0.1'"),
          "'remote.port' is missing" },
        { INET("'host': '127.0.0.1', 'port': '1', 'path': '/x'",
               "'host': '127.0.0.1', 'port': '1'"),
          "local.path= goes with local.type=unix only" },
        { INET("'host': '127.0.0.1', 'port': '1'",
               "'host': '127.0.0.1', 'port': '1', 'path': '/x'"),
          "remote.path= goes with remote.type=unix only" },
        { INET("'host': '127.0.0.1', 'port': '65536'",
               "'host': '127.0.0.1', 'port': '1'"),
          "local.port=65536: a UDP port is expected, 0 to 65535" },
        { INET("'host': '127.0.0.1', 'port': '1'",
               "'host': '127.0.0.1', 'port': '0'"),
          "remote.port=0: a UDP port is expected, 1 to 65535" },
        { INET("'host': '127.0.0.1', 'port': '1'",
               "'host': '127.0.0.1', 'port': 'http'"), "remote.port=http" },
        { INET("'host': '::1', 'port': '1'", "'host': '127.0.0.1', 'port': '1'"),
          "local.host=::1 is no IPv4 address" },
        { INET("'host': '192.0.2.1', 'port': '1'",
               "'host': '127.0.0.1', 'port': '1'"),
          "local.host= with local.port= cannot be had" },
        { INET("'host': '127.0.0.1', 'port': '1'",
               "'host': 'ff02::1', 'port': '1'"), "remote.host=ff02::1: multicast" },
        { INET("'host': '192.0.2.1', 'port': '1'",
               "'host': '" GROUP "', 'port': '10001'"), "multicast is not possible" },
        { "'remote': {'type': 'inet', 'host': '127.0.0.1', 'port': '1'}",
          "'local.type' is missing" },
        { "'remote': {'type': 'unix', 'path': '/x'}", "local.type" },
        { "'local': {'type': 'unix', 'path': '/x'}", "remote.type" },
        { "'local': {'type': 'unix'}, 'remote': {'type': 'unix', 'path': '/x'}",
          "'local.path' is missing" },
        { "'local': {'type': 'unix', 'path': '/x'}, 'remote': {'type': 'unix'}",
          "'remote.path' is missing" },
        { "'local': {'type': 'unix', 'path': '/no/such'}, 'remote': "
          "{'type': 'unix', 'path': '/x'}", "local.path=/no/such cannot be had" },
        { "'local': {'type': 'fd'}", "'local.str' is missing" },
        { "'local': {'type': 'fd', 'str': 'nosuch'}", "nosuch" },
        { "'local': {'type': 'fd', 'str': '0'}", "local.str=0 is not" },
        { "'local': {'type': 'fd', 'str': '99999999999'}", "99999999999" },
    };
    QTestState *qts = qtest_init("-M q35");
    Paths p;
    int theirs;

    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        qmp_client_expect_error(qtest_qmp(qts), "GenericError", bad[i][1],
                                "{'execute': 'netdev_add', 'arguments': "
                                "{'type': 'dgram', 'id': 'n0', %s}}", bad[i][0]);
    }
    make_paths(&p);
    theirs = bind_socket(p.theirs);
    qmp_client_expect_error(qtest_qmp(qts), "GenericError", "another socket's",
                            "{'execute': 'netdev_add', 'arguments': {'type': "
                            "'dgram', 'id': 'n0', 'local': {'type': 'unix', "
                            "'path': '%s'}, 'remote': {'type': 'unix', 'path': "
                            "'/x'}}}", p.theirs);
    close(theirs);
    free_paths(&p);
    qtest_quit(qts);
}

/* The lowest descriptor that the emulator does not have. */
static unsigned lowest_free_fd(QTestState *qts)
{
    unsigned fd = 0;
    bool used = true;

    while (used) {
        g_autofree char *name = g_strdup_printf("/proc/%d/fd/%u", qtest_pid(qts),
                                                fd);

        used = g_file_test(name, G_FILE_TEST_IS_SYMLINK);
        fd += used;
    }
    return fd;
}

/* An emulator that can have no more descriptors says so, and lives. */
static void test_no_descriptors(void)
{
    static const char *const bad[] = {
        "'local': {'type': 'unix', 'path': '/tmp/x'}, "
        "'remote': {'type': 'unix', 'path': '/x'}",
        INET("'host': '127.0.0.1', 'port': '0'",
             "'host': '127.0.0.1', 'port': '1'"),
        INET("'host': '127.0.0.1', 'port': '0'",
             "'host': '" GROUP "', 'port': '1'"),
    };
    QTestState *qts = qtest_init("-M q35");
    struct rlimit limit;

    g_assert_no_errno(prlimit(qtest_pid(qts), RLIMIT_NOFILE, NULL, &limit));
    limit.rlim_cur = lowest_free_fd(qts);
    g_assert_no_errno(prlimit(qtest_pid(qts), RLIMIT_NOFILE, &limit, NULL));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        qmp_client_expect_error(qtest_qmp(qts), "GenericError",
                                "a socket cannot be had: Too many open files",
                                "{'execute': 'netdev_add', 'arguments': "
                                "{'type': 'dgram', 'id': 'n0', %s}}", bad[i]);
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/netdev-dgram/" name, fn)
    ADD("by-path", test_by_path);
    ADD("by-udp", test_by_udp);
    ADD("multicast", test_multicast);
    ADD("by-descriptor", test_by_descriptor);
    ADD("stale-path", test_stale_path);
    ADD("slow-peer", test_slow_peer);
    ADD("bad-input", test_bad_input);
    ADD("no-descriptors", test_no_descriptors);
    return g_test_run();
}
