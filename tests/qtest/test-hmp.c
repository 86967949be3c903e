/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor for people, by QMP's human-monitor-command and on a socket. */
#include <glib/gstdio.h>
#include <string.h>

#include "libqtest.h"

#define VM0 "/machine/peripheral/vm0"

typedef struct Fixture {
    QTestState *qts;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    f->qts = qtest_init(
        "-name hmp-vm -M q35 -m 64M,maxmem=1G "
        "-object memory-backend-ram,id=mem0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0,block-size=2M");
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
}

/* What @line says, g_free(). */
static char *hmp(Fixture *f, const char *line)
{
    g_autoptr(JsonNode) node = qmp_client_do(
        qtest_qmp(f->qts), "{'execute': 'human-monitor-command', "
        "'arguments': {'command-line': '%s'}}", line);

    return g_strdup(json_node_get_string(node));
}

/* What @line says must hold @part; "" stands for nothing at all. */
static void check(Fixture *f, const char *line, const char *part)
{
    g_autofree char *text = hmp(f, line);

    if (*part ? !strstr(text, part) : *text != '\0') {
        g_error("'%s' says '%s', expected '%s'", line, text, part);
    }
}

static void test_info(Fixture *f, const void *data)
{
    check(f, "info version", ".");
    check(f, "info name", "hmp-vm");
    check(f, "info status", "VM status: ");
    check(f, "  info   status  ", "VM status: ");
    check(f, "info qtree", "dev: virtio-mem-pci, id \"vm0\"");
    check(f, "info qom-tree", "virtio-mem-pci");
    check(f, "info weather", "weather");
    check(f, "info", "info status");
}

static void test_stop_and_cont(Fixture *f, const void *data)
{
    if (!qtest_has_clock()) {
        g_test_skip("needs a running machine");
        return;
    }
    check(f, "info status", "VM status: running");
    check(f, "stop", "");
    check(f, "info status", "VM status: paused\n");
    check(f, "c", "");
    check(f, "info status", "VM status: running");
}

static void test_properties(Fixture *f, const void *data)
{
    check(f, "qom-list " VM0, "requested-size");
    check(f, "qom-get " VM0 " requested-size", "0");
    check(f, "qom-set " VM0 " requested-size 64M", "");
    check(f, "qom-get " VM0 " requested-size", "67108864");
    check(f, "qom-set " VM0 " requested-size 3M", "Error: ");
    check(f, "qom-get " VM0 " requested-size", "67108864");
    check(f, "qom-get " VM0 " colour", "Error: ");
    check(f, "qom-get /nowhere type", "Device '/nowhere' not found");
    check(f, "qom-list /nowhere", "Device '/nowhere' not found");
}

static void test_objects_and_devices(Fixture *f, const void *data)
{
    check(f, "object_add memory-backend-ram,id=mem1,size=4M", "");
    check(f, "qom-get /objects/mem1 size", "4194304");
    check(f, "object_add memory-backend-ram,id=mem1,size=4M", "Error: ");
    check(f, "object_add memory-backend-ram,id=mem2,size=huge", "Error: ");
    check(f, "object_del mem1", "");
    check(f, "object_del mem1", "Error: ");
    check(f, "object_del mem0", "Error: ");
    check(f, "device_add warp-drive", "warp-drive");
    check(f, "device_del nobody", "Device 'nobody' not found");
}

static void test_lines_that_are_no_commands(Fixture *f, const void *data)
{
    g_autofree char *blank = g_strnfill(100000, ' ');
    g_autofree char *word = g_strnfill(100000, 'x');

    check(f, "", "");
    check(f, blank, "");
    check(f, word, "unknown command");
    check(f, "qom-set", "expected: PATH PROPERTY VALUE");
    check(f, "device_add", "Error: ");
    check(f, "device_del", "missing");
    check(f, "help no-such-command", "no-such-command");
    check(f, "help quit", "quit");
}

static void test_system_reset(Fixture *f, const void *data)
{
    check(f, "system_reset", "");
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
}

/* Reads from @c, which is no QMP client here, until it has said @part. */
static void expect(QmpClient *c, const char *part)
{
    for (unsigned i = 0; i < 100; i++) {
        g_autofree char *line = qmp_client_receive_line(c);

        g_assert_nonnull(line);
        if (strstr(line, part)) {
            return;
        }
    }
    g_error("'%s' did not come", part);
}

static void test_session_on_a_socket(void)
{
    g_autofree char *dir = g_dir_make_tmp("hmp-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "hmp", NULL);
    QTestState *qts = qtest_init(
        "-M q35 -m 64M -monitor unix:%s,server=on,wait=off", path);
    QmpClient *c = qmp_client_connect(path);

    expect(c, "type 'help' for more information");
    qmp_client_send(c, "info statusxy\b\b\r");
    expect(c, "VM status: ");
    qmp_client_send(c, "nonsense\n");
    expect(c, "unknown command: 'nonsense'");
    qmp_client_free(c);

    c = qmp_client_connect(path);
    expect(c, "type 'help' for more information");
    qmp_client_send(c, "quit\n");
    expect(c, "quit");
    qmp_client_free(c);
    g_assert_cmpint(qtest_wait_exit(qts), ==, 0);
    g_unlink(path);
    g_assert_no_errno(g_rmdir(dir));
}

#define ADD(name, fn) \
    g_test_add("/hmp/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    ADD("info", test_info);
    ADD("stop-and-cont", test_stop_and_cont);
    ADD("properties", test_properties);
    ADD("objects-and-devices", test_objects_and_devices);
    if (qtest_has_clock()) {              /* QEMU words these differently */
        ADD("lines-that-are-no-commands", test_lines_that_are_no_commands);
    }
    ADD("system-reset", test_system_reset);
    g_test_add_func("/hmp/session-on-a-socket", test_session_on_a_socket);
    return g_test_run();
}
