/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev stream with passt at the other end, which gives the guest the host's
 * network: it answers ARP and DHCP, and has datagrams of the guest reach a socket of
 * the host's loopback. Skipped where there is no passt, or where it does not run.
 */
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "inet-guest.h"

#define GUEST "10.0.2.15"
#define HOST "10.0.2.2"

typedef struct Passt {
    char *dir;
    char *socket;
    GPid pid;                             /* 0: it does not run */
} Passt;

static void die_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* With addresses of its own: this machine may have none but the loopback's. */
static void spawn(Passt *p)
{
    char *argv[] = { "passt", "--foreground", "--quiet", "-4", "--interface", "lo",
                     "--address", GUEST, "--netmask", "24", "--gateway", HOST,
                     "--mac-addr", "52:54:00:aa:bb:cc", "--dns", "none",
                     "--search", "none", "--socket", p->socket, NULL };

    g_spawn_async(NULL, argv, NULL,
                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
                  G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL,
                  die_with_parent, NULL, &p->pid, NULL);
}

static void stop_passt(Passt *p)
{
    if (p->pid) {
        kill(p->pid, SIGKILL);
        waitpid(p->pid, NULL, 0);
    }
    g_unlink(p->socket);
    g_rmdir(p->dir);
    g_free(p->socket);
    g_free(p->dir);
}

/* false: the test is skipped. */
static bool start_passt(Passt *p)
{
    g_autofree char *program = g_find_program_in_path("passt");
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    if (!program) {
        g_test_skip("passt is missing (Debian: package passt)");
        return false;
    }
    *p = (Passt) { .dir = g_dir_make_tmp("passt-XXXXXX", NULL) };
    /* As root it becomes "nobody" before it makes the socket. */
    g_assert_no_errno(chmod(p->dir, 0777));
    p->socket = g_build_filename(p->dir, "socket", NULL);
    spawn(p);
    while (p->pid && !qtest_is_listening(p->socket)) {
        g_assert_true(qtest_wait_more(deadline, &round));
        if (waitpid(p->pid, NULL, WNOHANG) == p->pid) {
            p->pid = 0;
        }
    }
    if (!p->pid) {
        stop_passt(p);
        g_test_skip("passt does not run here");
        return false;
    }
    return true;
}

/* All that a guest does first, and then a question and an answer. */
static void use_network(const char *iothread)
{
    g_autofree char *args = NULL;
    uint16_t port, from;
    int fd;
    Fixture f;
    Passt p;

    if (!start_passt(&p)) {
        return;
    }
    fd = host_socket(SOCK_DGRAM, &port);
    args = g_strdup_printf("-object iothread,id=io0 -netdev stream,id=n0,"
                           "addr.type=unix,addr.path=%s "
                           "-device virtio-net-pci,netdev=n0%s", p.socket,
                           iothread);
    start(&f, args);
    give_buffers(&f);
    g_assert_cmphex(ask_for_address(&f), ==, inet_addr(GUEST));
    f.guest_addr = inet_addr(GUEST);
    find_host(&f);
    send_udp(&f, port, "question");
    from = expect_from(fd, "question");
    send_to(fd, from, "answer");
    g_assert_cmpuint(expect_udp(&f, "answer"), ==, port);

    kill(p.pid, SIGTERM);
    json_object_unref(qmp_client_event(qtest_qmp(f.qts),
                                       "NETDEV_STREAM_DISCONNECTED"));
    send_udp(&f, port, "to nobody");
    close(fd);
    qtest_quit(f.qts);
    stop_passt(&p);
}

static void test_in_the_main_loop(void)
{
    use_network("");
}

static void test_in_an_io_thread(void)
{
    use_network(",iothread=io0");
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
#define ADD(name, fn) g_test_add_func("/netdev-passt/" name, fn)
    ADD("in-the-main-loop", test_in_the_main_loop);
    ADD("in-an-io-thread", test_in_an_io_thread);
    return g_test_run();
}
