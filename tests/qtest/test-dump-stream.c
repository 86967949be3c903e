/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump-guest-memory into a descriptor, as libvirt has it: the bytes of a file, and
 * a reader that is slow or leaves holds nobody up.
 */
#include <fcntl.h>

#include "dump-test.h"

static void send_fd(Fixture *f, int fd)
{
    g_autoptr(JsonObject) reply = NULL;

    qmp_client_send_fds(f->qmp, "{'execute': 'getfd', 'arguments': "
                        "{'fdname': 'dump'}}", fd, 1);
    reply = qmp_client_reply(f->qmp);
    g_assert_true(json_object_has_member(reply, "return"));
}

/* The emulator has the end to write to; the other end. */
static int send_pipe(Fixture *f)
{
    int fds[2];

    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    send_fd(f, fds[1]);
    close(fds[1]);
    return fds[0];
}

#define STREAM "{'execute': 'dump-guest-memory', 'arguments': "               \
    "{'paging': false, 'protocol': 'fd:dump', 'detach': true}}"

/* Reads @fd to its end. */
static GByteArray *read_all(int fd)
{
    GByteArray *all = g_byte_array_new();
    uint8_t buf[64 * KiB];
    ssize_t n;

    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        g_byte_array_append(all, buf, n);
    }
    g_assert_cmpint(n, ==, 0);
    close(fd);
    return all;
}

/* What libvirt does: its helper reads the pipe and writes the file. */
static void test_pipe_gets_what_a_file_has(Fixture *f, const void *data)
{
    g_autoptr(GByteArray) stream = NULL;
    g_autoptr(JsonObject) event = NULL;
    g_autofree char *file = NULL;
    size_t len;
    int fd;

    plug(f, 3, 2);
    qtest_memset(f->qts, block_addr(f, 3) + 4096, 0x5a, 300 * KiB);
    dump(f);
    json_object_unref(qmp_client_event(f->qmp, "DUMP_COMPLETED"));
    fd = send_pipe(f);
    json_node_unref(qmp_client_do(f->qmp, STREAM));
    stream = read_all(fd);
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    g_assert_false(json_object_has_member(
        json_object_get_object_member(event, "data"), "error"));
    g_assert_true(g_file_get_contents(f->path, &file, &len, NULL));
    g_assert_cmpuint(stream->len, ==, len);
    g_assert_true(memcmp(stream->data, file, len) == 0);
}

/* The reply comes when all has been read. */
static void test_client_that_waits_may_read(Fixture *f, const void *data)
{
    g_autoptr(GByteArray) stream = NULL;
    g_autoptr(JsonObject) reply = NULL;
    int fd = send_pipe(f);

    qmp_client_send(f->qmp, "{'execute': 'dump-guest-memory', 'arguments': "
                    "{'paging': false, 'protocol': 'fd:dump'}}");
    stream = read_all(fd);
    reply = qmp_client_reply(f->qmp);
    g_assert_true(json_object_has_member(reply, "return"));
    g_assert_cmpuint(stream->len, >, BOOT);
}

/* Nobody reads, and the emulator answers all the same. */
static void test_full_pipe_lets_the_emulator_go_on(Fixture *f, const void *data)
{
    int fd = send_pipe(f);

    json_node_unref(qmp_client_do(f->qmp, STREAM));
    for (unsigned i = 0; i < 10; i++) {
        qmp_client_check_alive(f->qmp);
    }
    g_byte_array_unref(read_all(fd));
    json_object_unref(qmp_client_event(f->qmp, "DUMP_COMPLETED"));
    g_assert_true(is_running(f));
}

static void test_reader_that_leaves_fails_it(Fixture *f, const void *data)
{
    g_autoptr(JsonObject) event = NULL;
    int fd = send_pipe(f);
    char byte;

    json_node_unref(qmp_client_do(f->qmp, STREAM));
    g_assert_cmpint(read(fd, &byte, 1), ==, 1);
    close(fd);
    event = qmp_client_event(f->qmp, "DUMP_COMPLETED");
    g_assert_nonnull(strstr(json_object_get_string_member(
        json_object_get_object_member(event, "data"), "error"),
        "cannot write 'fd:dump': Broken pipe"));
    g_assert_true(is_running(f));
    /* The name is used up. */
    qmp_client_expect_error(f->qmp, "GenericError", "has not been found",
                            STREAM);
}

static void test_descriptor_must_be_writable(Fixture *f, const void *data)
{
    int fds[2];

    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    send_fd(f, fds[0]);
    qmp_client_expect_error(f->qmp, "GenericError",
                            "'fd:dump' cannot be written to", STREAM);
    close(fds[0]);
    close(fds[1]);
    g_assert_true(is_running(f));
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("pipe-gets-what-a-file-has", test_pipe_gets_what_a_file_has);
    ADD("client-that-waits-may-read", test_client_that_waits_may_read);
    ADD("full-pipe-lets-the-emulator-go-on",
        test_full_pipe_lets_the_emulator_go_on);
    ADD("reader-that-leaves-makes-it-fail", test_reader_that_leaves_fails_it);
    ADD("descriptor-must-be-writable", test_descriptor_must_be_writable);
    return g_test_run();
}
