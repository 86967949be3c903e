/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev user,tftp=,bootfile=: what a guest that boots over the network is told, the
 * files that it may read, and those that it may not.
 */
#include "cli.h"
#include "inet-guest.h"

#include <glib/gstdio.h>

#define TFTP_PORT 69
#define RRQ 1
#define DATA 3
#define ACK 4
#define ERROR 5
#define BLOCK 512
#define FILE_SIZE (BLOCK + 100)

typedef struct Server {
    char *dir;
    char *path;
    uint8_t bytes[FILE_SIZE];
    Fixture guest;
} Server;

static void set_up(Server *s, const void *data)
{
    g_autofree char *args = NULL;

    s->dir = g_dir_make_tmp("tftp-XXXXXX", NULL);
    s->path = g_build_filename(s->dir, "file", NULL);
    for (size_t i = 0; i < FILE_SIZE; i++) {
        s->bytes[i] = i * 11;
    }
    g_assert_true(g_file_set_contents(s->path, (char *)s->bytes, FILE_SIZE, NULL));
    args = g_strdup_printf("-nic user,tftp=%s,bootfile=file", s->dir);
    start(&s->guest, args);
    give_buffers(&s->guest);
}

static void tear_down(Server *s, const void *data)
{
    qtest_quit(s->guest.qts);
    g_unlink(s->path);
    g_rmdir(s->dir);
    g_free(s->path);
    g_free(s->dir);
}

static void send_data(Server *s, uint16_t port, const void *data, size_t size)
{
    uint8_t frame[ROOM] = { 0 };
    Udp *udp = (Udp *)(frame + ETH_HLEN + 20);

    *udp = (Udp) { .source = htons(GUEST_PORT), .dest = htons(port),
                   .len = htons(sizeof(*udp) + size) };
    memcpy(udp + 1, data, size);
    send_packet(&s->guest, frame, IPPROTO_UDP, s->guest.host_addr,
                sizeof(*udp) + size);
}

static void ask_for(Server *s, const char *name)
{
    uint8_t request[ROOM] = { 0, RRQ };
    size_t size = 2 + strlen(name) + 1;

    memcpy(request + 2, name, strlen(name));
    memcpy(request + size, "octet", 6);
    send_data(s, TFTP_PORT, request, size + 6);
}

/* The operation of the answer, of which *size bytes are behind that in @data. */
static unsigned take(Server *s, uint8_t *data, size_t *size, uint16_t *port)
{
    uint8_t frame[ROOM];
    Ip *ip;
    Udp *udp = take_packet(&s->guest, frame, IPPROTO_UDP, &ip);
    const uint8_t *answer = (const uint8_t *)(udp + 1);

    *size = ntohs(udp->len) - sizeof(*udp) - 2;
    *port = ntohs(udp->source);
    memcpy(data, answer + 2, *size);
    return answer[0] << 8 | answer[1];
}

static void test_dhcp_tells_what_to_boot(Server *s, const void *data)
{
    uint8_t frame[ROOM];
    const uint8_t *bootp = ask_dhcp(&s->guest, frame);

    g_assert_cmpmem(bootp + 20, 4, ((uint8_t []) { 10, 0, 2, 2 }), 4);
    g_assert_cmpstr((const char *)bootp + 108, ==, "file");
}

static void test_file_is_read(Server *s, const void *unused)
{
    uint8_t data[ROOM];
    uint16_t port;
    size_t size;

    find_host(&s->guest);
    ask_for(s, "/file");
    for (unsigned block = 1; block <= 2; block++) {
        size_t at = (block - 1) * BLOCK;

        g_assert_cmpuint(take(s, data, &size, &port), ==, DATA);
        g_assert_cmpuint(data[1], ==, block);
        g_assert_cmpmem(data + 2, size - 2, s->bytes + at,
                        MIN(BLOCK, FILE_SIZE - at));
        send_data(s, port, ((uint8_t []) { 0, ACK, 0, block }), 4);
    }
}

static void test_others_are_not(Server *s, const void *unused)
{
    static const char *const names[] = {
        "/no-such", "/../../../../etc/passwd", "/a/../file/../../x", "/..", "/",
    };

    find_host(&s->guest);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        uint8_t data[ROOM];
        uint16_t port;
        size_t size;

        ask_for(s, names[i]);
        g_assert_cmpuint(take(s, data, &size, &port), ==, ERROR);
    }
}

/* By a running machine, whose sandbox has no call for where it is. */
static void test_directory_may_be_relative(Server *s, const void *unused)
{
    json_node_unref(qmp_client_do(
        qtest_qmp(s->guest.qts), "{'execute': 'netdev_add', 'arguments': "
        "{'type': 'user', 'id': 'n1', 'tftp': '.'}}"));
}

static void test_refused(void)
{
    g_autofree char *name = g_strnfill(128, 'x');
    g_autofree char *args = g_strdup_printf(QTEST_ARGS "-netdev user,id=n0,"
                                            "bootfile=%s", name);

    cli_begin();
    cli_check_refused(args, "bootfile=|127");
    cli_end();
}

#define ADD(name, fn) \
    g_test_add("/netdev-tftp/" name, Server, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    qtest_needs("-netdev help", "user");
    ADD("DHCP tells what to boot", test_dhcp_tells_what_to_boot);
    ADD("file is read", test_file_is_read);
    ADD("others are not", test_others_are_not);
    ADD("directory may be relative", test_directory_may_be_relative);
    g_test_add_func("/netdev-tftp/refused", test_refused);
    return g_test_run();
}
