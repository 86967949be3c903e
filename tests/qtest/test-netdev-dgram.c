/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev dgram: frames are datagrams of Unix sockets, by paths and by descriptor. */
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

static void test_bad_input(void)
{
    static const char *const bad[][2] = {
        { "'local': {'type': 'inet'}", "local.type" },
        { "'remote': {'type': 'unix', 'path': '/x'}", "local.type" },
        { "'local': {'type': 'unix', 'path': '/x'}", "remote.type" },
        { "'local': {'type': 'unix'}, 'remote': {'type': 'unix', 'path': '/x'}",
          "'local.path' is missing" },
        { "'local': {'type': 'unix', 'path': '/x'}, 'remote': {'type': 'unix'}",
          "'remote.path' is missing" },
        { "'local': {'type': 'unix', 'path': '/no/such'}, 'remote': "
          "{'type': 'unix', 'path': '/x'}", "local.path=/no/such cannot be had" },
        { "'local': {'type': 'fd'}", "local.str=" },
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

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/netdev-dgram/" name, fn)
    ADD("by-path", test_by_path);
    ADD("by-descriptor", test_by_descriptor);
    ADD("stale-path", test_stale_path);
    ADD("slow-peer", test_slow_peer);
    ADD("bad-input", test_bad_input);
    return g_test_run();
}
