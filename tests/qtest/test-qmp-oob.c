/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out-of-band execution: what allows it is carried out while the main loop
 * waits for a vhost-user back end that says nothing; everything else stays in
 * order, descriptors are with their commands, and nothing piles up.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libqtest.h"
#include "tests/patience.h"
#include "vhost-user-server.h"

#define ENABLE                                                               \
    "{'execute': 'qmp_capabilities', 'arguments': {'enable': ['oob']}}"
#define SLOW                                                                 \
    "{'execute': 'device_add', 'id': 'slow', 'arguments': "                  \
    "{'driver': 'vhost-user-blk-pci', 'bus': 'rp0', 'chardev': 'c0'}}"
#define YANK                                                                 \
    "{'exec-oob': 'yank', 'id': 'yank', 'arguments': "                       \
    "{'instances': [{'type': 'chardev', 'id': 'c0'}]}}"

typedef struct Fixture {
    QVhostServer *server;
    QTestState *qts;
    char *path[2];                        /* of further QMP servers */
    QmpClient *c;                         /* of the first of them */
} Fixture;

static QmpClient *connect_to(const char *path, const char *enable)
{
    QmpClient *c = qmp_client_connect(path);

    json_object_unref(qmp_client_receive(c));
    qmp_client_send(c, enable);
    json_object_unref(qmp_client_reply(c));
    return c;
}

static void setup(Fixture *f, const void *data)
{
    f->server = qvhost_server_new(8);
    for (int i = 0; i < 2; i++) {
        f->path[i] = g_strdup_printf("%s.qmp%d", f->server->socket, i);
    }
    f->qts = qtest_init(
        "-M q35 -m 64M -object memory-backend-memfd,id=boot,size=64M "
        "-machine memory-backend=boot -device pcie-root-port,id=rp0 "
        "-global vhost-user-blk.x-msg-timeout=%" PRIu64 " "
        "-chardev socket,id=c0,path=%s "
        "-qmp unix:%s,server=on,wait=off -qmp unix:%s,server=on,wait=off",
        patience_us() / 1000, f->server->socket, f->path[0], f->path[1]);
    f->c = connect_to(f->path[0], ENABLE);
}

static void teardown(Fixture *f, const void *data)
{
    qmp_client_free(f->c);
    qtest_quit(f->qts);
    for (int i = 0; i < 2; i++) {
        g_unlink(f->path[i]);
        g_free(f->path[i]);
    }
    qvhost_server_free(f->server);
}

/* Has the main loop wait, until somebody cuts the connection. */
static void begin_waiting(Fixture *f)
{
    gint64 deadline = qtest_deadline();
    unsigned before = qvhost_server_count(f->server, -1), round = 0;

    qvhost_server_fault(f->server, QVHOST_FAULT_HANG, -1, 0);
    qmp_client_send(f->c, SLOW);
    while (qvhost_server_count(f->server, -1) == before) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

/* The next message is a reply whose id is @id. */
static JsonObject *expect_id(QmpClient *c, const char *id)
{
    JsonObject *reply = qmp_client_receive(c);

    g_assert_cmpstr(json_object_get_string_member(reply, "id"), ==, id);
    return reply;
}

static void expect_reply(QmpClient *c, const char *id)
{
    g_autoptr(JsonObject) reply = expect_id(c, id);

    g_assert_true(json_object_has_member(reply, "return"));
}

/* The command that waited has failed, not for want of an answer in time. */
static void expect_slow(QmpClient *c)
{
    g_autoptr(JsonObject) reply = expect_id(c, "slow");

    qmp_assert_error(reply, "GenericError", "connection has been lost");
}

/* By a client that asks for nothing else: the main loop may be faster with its
 * replies than the thread that has let it go on. */
static void yank(QmpClient *c)
{
    qmp_client_send(c, YANK);
    expect_reply(c, "yank");
}

static void expect_error(QmpClient *c, const char *request, const char *class,
                         const char *part)
{
    g_autoptr(JsonObject) reply = NULL;

    qmp_client_send(c, request);
    reply = qmp_client_reply(c);
    qmp_assert_error(reply, class, part);
}

/* --- negotiation --------------------------------------------------------- */

static void test_is_offered_and_has_to_be_enabled(Fixture *f, const void *data)
{
    QmpClient *c = qmp_client_connect(f->path[1]);
    g_autoptr(JsonObject) greeting = qmp_client_receive(c);
    JsonArray *offered = json_object_get_array_member(
        json_object_get_object_member(greeting, "QMP"), "capabilities");

    g_assert_cmpuint(json_array_get_length(offered), ==, 1);
    g_assert_cmpstr(json_array_get_string_element(offered, 0), ==, "oob");
    expect_error(c, "{'execute': 'qmp_capabilities', "
                 "'arguments': {'enable': ['no']}}", "GenericError", "enable");
    qmp_client_send(c, "{'execute': 'qmp_capabilities'}");
    json_object_unref(qmp_client_reply(c));
    expect_error(c, "{'exec-oob': 'query-yank'}", "GenericError",
                 "'exec-oob' is unexpected");
    qmp_client_free(c);
}

static void test_only_what_allows_it(Fixture *f, const void *data)
{
    expect_error(f->c, "{'exec-oob': 'query-name'}", "GenericError",
                 "query-name does not support OOB");
    expect_error(f->c, "{'exec-oob': 'no-such'}", "CommandNotFound",
                 "no-such");
    expect_error(f->c, "{'exec-oob': 'yank', 'execute': 'yank'}",
                 "GenericError", "clashes");
    expect_error(f->c, "{'exec-oob': 1}", "GenericError", "must be a string");
    expect_error(f->c, "{'exec-oob': 'yank', 'arguments': {'instances': "
                 "[{'type': 'chardev', 'id': 'no'}]}}", "DeviceNotFound",
                 "Instance not found");
    qmp_client_send(f->c, "{'exec-oob': 'query-yank', 'id': 'a'}");
    expect_reply(f->c, "a");
}

static void test_what_follows_the_negotiation_at_once(Fixture *f,
                                                      const void *data)
{
    QmpClient *c = qmp_client_connect(f->path[1]);

    json_object_unref(qmp_client_receive(c));
    qmp_client_send(c, ENABLE "{'execute': 'query-name', 'id': '1'}"
                    "{'exec-oob': 'query-yank', 'id': '2'}\n");
    for (int i = 0; i < 3; i++) {
        json_object_unref(qmp_client_receive(c));
    }
    qmp_client_send(c, "{'execute': 'query-name', 'id': '3'}");
    expect_reply(c, "3");
    qmp_client_free(c);
}

/* --- order --------------------------------------------------------------- */

static void test_overtakes_what_waits(Fixture *f, const void *data)
{
    QmpClient *other = connect_to(f->path[1], ENABLE);

    begin_waiting(f);
    qmp_client_send(f->c, "{'execute': 'query-name', 'id': 'next'}"
                    "{'id': 'wrong'}{'exec-oob': 'query-yank', 'id': 'first'}");
    expect_reply(f->c, "first");
    yank(other);
    expect_slow(f->c);
    expect_reply(f->c, "next");
    json_object_unref(expect_id(f->c, "wrong"));
    qmp_client_check_alive(qtest_qmp(f->qts));
    qmp_client_free(other);
}

/* While a queue of eight is full nothing is read; another client can help. */
static void test_queue_is_bounded(Fixture *f, const void *data)
{
    QmpClient *other = connect_to(f->path[1], ENABLE);

    begin_waiting(f);
    for (int i = 0; i < 8; i++) {
        qmp_client_send(f->c, "{'execute': 'query-name', 'id': 'q'}");
    }
    qmp_client_send(f->c, "{'exec-oob': 'query-yank', 'id': 'late'}");
    qmp_client_send(other, "{'exec-oob': 'query-yank', 'id': 'still'}");
    expect_reply(other, "still");
    yank(other);
    expect_slow(f->c);
    for (int i = 0, late = 0; i < 9; i++) {
        g_autoptr(JsonObject) reply = qmp_client_receive(f->c);

        late += !strcmp(json_object_get_string_member(reply, "id"), "late");
        g_assert_true(i < 8 || late);
    }
    qmp_client_free(other);
}

static void test_events_come_while_a_thread_reads(Fixture *f, const void *data)
{
    qmp_client_send(f->c, "{'execute': 'stop', 'id': 'stop'}");
    json_object_unref(qmp_client_event(f->c, "STOP"));
    expect_reply(f->c, "stop");
}

/* --- descriptors --------------------------------------------------------- */

static unsigned count_fds(Fixture *f)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/fd", qtest_pid(f->qts));
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    return n;
}

static void wait_for_fds(Fixture *f, unsigned n)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (count_fds(f) != n) {
        g_assert_true(qtest_wait_more(deadline, &round));
    }
}

static void test_descriptors_are_with_their_commands(Fixture *f,
                                                     const void *data)
{
    unsigned before = count_fds(f);
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    qmp_client_send_fds(f->c, "{'execute': 'getfd', 'id': '1', "
                        "'arguments': {'fdname': 'a'}}", fd, 1);
    qmp_client_send_fds(f->c, "{'execute': 'query-name', 'id': '2'}", fd, 253);
    qmp_client_send_fds(f->c, "{'execute': 'getfd', 'id': '3', ", fd, 1);
    /* Nobody has asked for the first of these two. */
    qmp_client_send_fds(f->c, "'arguments': {'fdname': 'b'}}", fd, 1);
    expect_reply(f->c, "1");
    expect_reply(f->c, "2");
    expect_reply(f->c, "3");
    wait_for_fds(f, before + 2);
    expect_error(f->c, "{'execute': 'getfd', 'arguments': {'fdname': 'c'}}",
                 "GenericError", "No file descriptor");
    close(fd);
}

/* --- clients that go, or do not read -------------------------------------- */

static void test_all_is_answered_before_the_end(Fixture *f, const void *data)
{
    char *line;

    for (int i = 0; i < 20; i++) {
        qmp_client_send(f->c, "{'execute': 'query-name', 'id': 'q'}");
    }
    qmp_client_end_input(f->c);
    for (int i = 0; i < 20; i++) {
        expect_reply(f->c, "q");
    }
    line = qmp_client_receive_line(f->c);
    g_assert_null(line);
}

static void test_next_client_begins_anew(Fixture *f, const void *data)
{
    unsigned before = count_fds(f);

    qmp_client_send(f->c, "{'execute': 'query-name'}{'execute': ");
    qmp_client_free(f->c);
    f->c = connect_to(f->path[0], "{'execute': 'qmp_capabilities'}");
    expect_error(f->c, "{'exec-oob': 'query-yank'}", "GenericError",
                 "'exec-oob' is unexpected");
    qmp_client_free(f->c);
    f->c = connect_to(f->path[0], ENABLE);
    wait_for_fds(f, before);
}

static void test_client_goes_while_its_command_waits(Fixture *f,
                                                     const void *data)
{
    QmpClient *other = connect_to(f->path[1], ENABLE);

    begin_waiting(f);
    qmp_client_free(f->c);
    yank(other);
    qmp_client_check_alive(qtest_qmp(f->qts));
    f->c = connect_to(f->path[0], ENABLE);
    qmp_client_free(other);
}

static void test_client_that_reads_nothing_is_not_read_from(Fixture *f,
                                                            const void *data)
{
    const char *rest;
    unsigned n = qmp_client_flood(
        f->c, "{'exec-oob': 'query-yank', 'id': 'f'}", &rest);

    g_assert_cmpuint(n, >, 0);
    qmp_client_check_alive(qtest_qmp(f->qts));
    qmp_client_send(f->c, rest);
    for (unsigned i = 0; i < n; i++) {
        expect_reply(f->c, "f");
    }
}

int main(int argc, char **argv)
{
#define CASE(name, test)                                                     \
    g_test_add("/qmp-oob/" name, Fixture, NULL, setup, test, teardown)

    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    CASE("is-offered-and-has-to-be-enabled",
         test_is_offered_and_has_to_be_enabled);
    CASE("only-what-allows-it", test_only_what_allows_it);
    CASE("what-follows-the-negotiation-at-once",
         test_what_follows_the_negotiation_at_once);
    CASE("overtakes-what-waits", test_overtakes_what_waits);
    CASE("queue-is-bounded", test_queue_is_bounded);
    CASE("events-come-while-a-thread-reads",
         test_events_come_while_a_thread_reads);
    CASE("descriptors-are-with-their-commands",
         test_descriptors_are_with_their_commands);
    CASE("all-is-answered-before-the-end", test_all_is_answered_before_the_end);
    CASE("next-client-begins-anew", test_next_client_begins_anew);
    CASE("client-goes-while-its-command-waits",
         test_client_goes_while_its_command_waits);
    CASE("client-that-reads-nothing-is-not-read-from",
         test_client_that_reads_nothing_is_not_read_from);
    return g_test_run();
}
