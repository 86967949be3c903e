/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports of the host that lead to the guest, opened and closed at the monitor. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libqtest.h"

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(port),
                                  .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static uint16_t free_port(void)
{
    struct sockaddr_in addr = loopback(0);
    socklen_t size = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    g_assert_no_errno(bind(fd, (struct sockaddr *)&addr, size));
    g_assert_no_errno(getsockname(fd, (struct sockaddr *)&addr, &size));
    close(fd);
    return ntohs(addr.sin_port);
}

/* Whether somebody listens. */
static bool is_open(uint16_t port)
{
    struct sockaddr_in to = loopback(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool open = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

    close(fd);
    return open;
}

static void check_hmp(QTestState *qts, const char *command, const char *rule,
                      const char *part)
{
    g_autofree char *said = qtest_hmp(qts, "%s %s", command, rule);

    g_assert_true(*part ? strstr(said, part) != NULL : !*said);
}

static void test_ports_by_people(void)
{
    QTestState *qts = qtest_init("-M q35 -netdev user,id=n0");
    uint16_t port = free_port();
    g_autofree char *host = g_strdup_printf("tcp:127.0.0.1:%u", port);
    g_autofree char *rule = g_strdup_printf("%s-:22", host);
    g_autofree char *named = g_strdup_printf("n0 %s", rule);

    check_hmp(qts, "hostfwd_add", rule, "");
    g_assert_true(is_open(port));
    check_hmp(qts, "hostfwd_add", rule, "the host's port cannot be opened");
    check_hmp(qts, "info", "usernet", "HOST_FORWARD");
    check_hmp(qts, "hostfwd_remove", host, "removed");
    g_assert_false(is_open(port));
    check_hmp(qts, "hostfwd_remove", host, "not found");
    check_hmp(qts, "hostfwd_add", named, "");
    g_assert_true(is_open(port));
    check_hmp(qts, "hostfwd_add", "n1 tcp::1-:1", "there is no netdev user 'n1'");
    check_hmp(qts, "hostfwd_add", "tcp::1", "is expected");
    check_hmp(qts, "hostfwd_remove", "tcp:", "is expected");
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    qtest_needs("-netdev help", "user");
    g_test_add_func("/hostfwd/ports-by-people", test_ports_by_people);
    return g_test_run();
}
