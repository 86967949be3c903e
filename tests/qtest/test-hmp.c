/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor for people, by QMP's human-monitor-command and on a socket. */
#include <glib/gstdio.h>
#include <string.h>

#include "libqtest.h"
#include "memfd.h"
#include "qemu/units.h"

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

/* What @line says must hold @part; "" stands for nothing at all. */
static void check(Fixture *f, const char *line, const char *part)
{
    g_autofree char *text = qtest_hmp(f->qts, "%s", line);

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

static void test_info_queries(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 64M,maxmem=1G -smp 2 -uuid "
        "12345678-1234-1234-1234-123456789abc -numa node,cpus=0 "
        "-numa node,cpus=1 -object memory-backend-ram,id=mem0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=mem0 "
        "-device virtio-balloon-pci,id=balloon0");
    Fixture f = { qts };

    check(&f, "info balloon", "balloon: actual=64\n");
    check(&f, "balloon 48", "");
    check(&f, "balloon 48M", "");
    check(&f, "balloon 0", "Error: Parameter 'value' expects a size");
    check(&f, "balloon much", "Error: 'much' is no size");
    check(&f, "info cpus", "CPU #1: thread_id=");
    check(&f, "info numa", "2 nodes\nnode 0 cpus: 0\nnode 0 size: 32 MB\n"
          "node 0 plugged: 0 MB\nnode 1 cpus: 1\n");
    check(&f, "info memdev", "memory backend: mem0\n  size:  268435456 "
          "(256 MiB)\n  merge: true\n");
    check(&f, "info chardev", "filename=");
    check(&f, "info uuid", "12345678-1234-1234-1234-123456789abc\n");
    check(&f, "info memory_size_summary", "base memory: 67108864\n"
          "plugged memory: 0\n");
    check(&f, "info qdm", "name \"virtio-mem-pci\", bus PCI");
    check(&f, "device_add help", "name \"virtio-mem-pci\", bus PCI");
    check(&f, "device_add virtio-mem-pci,help", "  requested-size=<size>");
    check(&f, "device_add warp-drive,help", "Error: 'warp-drive' is not");
    qtest_quit(qts);
}

/* The serial port tells that it can take a byte, three times. */
static void test_info_irq(void)
{
    QTestState *qts = qtest_init("-M q35 -serial null");
    Fixture f = { qts };

    check(&f, "info registers", "CPU#0: only KVM knows registers\n");
    check(&f, "info irq", "IRQ statistics for ioapic:\n");
    qtest_outb(qts, 0x3fc, 8);                    /* MCR: interrupts on */
    for (int i = 0; i < 3; i++) {
        qtest_outb(qts, 0x3f9, 2);                /* IER: room in THR */
        qtest_outb(qts, 0x3f9, 0);
    }
    check(&f, "info irq", "IRQ statistics for ioapic:\n 4: 3\n");
    qtest_quit(qts);
}

static void test_xp(Fixture *f, const void *data)
{
    qtest_writeq(f->qts, 0x2000, 0x0123456789abcdef);
    qtest_writeq(f->qts, 0x2008, 0xfffffffffffffffe);
    check(f, "xp 0x2000", "0000000000002000: 0x89abcdef\n");
    check(f, "xp /3xw 0x2000", "0000000000002000: 0x89abcdef 0x01234567 "
          "0xfffffffe\n");
    check(f, "xp /2xg 0x2000", ": 0x0123456789abcdef 0xfffffffffffffffe\n");
    check(f, "xp /3xg 0x2000", "fe\n0000000000002010: 0x0000000000000000\n");
    check(f, "xp /2db 0x2007", ": 1 -2\n");
    check(f, "xp /1uh 8200", ": 65534\n");
    check(f, "xp /ob 0x2000", ": 0357\n");
    check(f, "xp /xg 0xffffffffffffffff", "Error: there is nothing to read");
    check(f, "xp /0x 0", "Error: /0x: expected is /COUNT");
    check(f, "xp /99999999999999999999x 0", "Error: /9999");
    check(f, "xp /65537b 0", "at most 65536 bytes");
    check(f, "xp /z 0", "Error: /z: expected is");
    check(f, "xp", "Error: '' is no address");
    check(f, "xp /x", "Error: '/x' is no address");
    check(f, "xp -1", "Error: '-1' is no address");
}

static void test_xp_does_not_populate(void)
{
    QTestState *qts = qtest_init(
        "-M q35,memory-backend=ram -m 65M "
        "-object memory-backend-memfd,id=ram,size=65M");
    g_autofree char *ram = qtest_find_memfd(qts, 65 * MiB);
    Fixture f = { qts };
    uint64_t before;

    qtest_writeq(qts, 0x2000, 0x0123456789abcdef);
    before = qtest_memfd_allocated(ram);
    g_assert_cmpuint(before, >, 0);
    check(&f, "xp /65536xb 0x1000000", "0000000001000000: 0x00 0x00");
    check(&f, "xp /2xg 0x1ffc", ": 0x89abcdef00000000 0x0000000001234567\n");
    g_assert_cmpuint(qtest_memfd_allocated(ram), ==, before);
    qtest_quit(qts);
}

static void test_dump(Fixture *f, const void *data)
{
    g_autofree char *dir = g_dir_make_tmp("hmp-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "core", NULL);
    g_autofree char *line = g_strdup_printf("dump-guest-memory %s", path);

    check(f, line, "");
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    check(f, "dump-guest-memory", "Error: expected: FILE");
    check(f, "dump-guest-memory -p x", "Error: expected: FILE");
    check(f, "dump-guest-memory /nowhere/x", "Error: ");
    g_unlink(path);
    g_assert_no_errno(g_rmdir(dir));
}

/* --- info on memory and devices ------------------------------------------ */

/* Each line of @text, from the first that is @head to the next empty one, must
 * match @pattern; how many. */
static unsigned check_lines(const char *text, const char *head,
                            const char *pattern)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    unsigned n = 0;
    char **line = lines;

    while (*line && strcmp(*line, head)) {
        line++;
    }
    g_assert_nonnull(*line);
    for (line++; *line && **line; line++, n++) {
        if (!g_regex_match_simple(pattern, *line, 0, 0)) {
            g_error("'%s' does not match %s", *line, pattern);
        }
    }
    return n;
}

#define RANGE "[0-9a-f]{16}-[0-9a-f]{16}"
#define PRIO " \\(prio -?[0-9]+, (ram|rom|ramd|i/o)\\): "

static void test_info_mtree(Fixture *f, const void *data)
{
    g_autofree char *text = qtest_hmp(f->qts, "info mtree");

    g_assert_cmpuint(check_lines(text, "address-space: memory",
                                 "^ +" RANGE PRIO "(alias .* @.* " RANGE
                                 "|.*)$"), >=, 4);
    g_assert_cmpuint(check_lines(text, "address-space: I/O",
                                 "^ +" RANGE PRIO), >=, 3);
    g_assert_cmpuint(check_lines(text, "memory-region: pc.ram",
                                 "^  0{16}-0000000003ffffff" PRIO "pc.ram$"),
                     ==, 1);
    g_assert_nonnull(strstr(text, "\n    0000000000000000-0000000003ffffff "
                            "(prio 0, ram): alias ram-below-4g @pc.ram "
                            "0000000000000000-0000000003ffffff\n"));
    g_assert_nonnull(strstr(text, "\n      0000000100000000-000000010fffffff "
                            "(prio 0, ram): mem0\n"));
}

static void test_info_flat_views(Fixture *f, const void *data)
{
    g_autofree char *text = qtest_hmp(f->qts, "info mtree -f");

    g_assert_true(g_str_has_prefix(text, "FlatView #0\n AS \"memory\", root: "
                                   "system\n"));
    g_assert_cmpuint(check_lines(text, " Root memory region: system",
                                 "^  " RANGE PRIO ".*( @[0-9a-f]{16})?"), >=,
                     4);
    g_assert_nonnull(strstr(text, "\n  0000000000000000-0000000003ffffff "
                            "(prio 0, ram): pc.ram\n"));
    g_assert_nonnull(strstr(text, "\n  0000000100000000-000000010fffffff "
                            "(prio 0, ram): mem0 [managed by virtio-mem]\n"));
    g_assert_nonnull(strstr(text, "\n Root memory region: io\n"));
    g_assert_null(strstr(text, "alias ram-below-4g @"));
    check(f, "info mtree -x", "unknown argument '-x'");
}

static void test_info_ramblock(Fixture *f, const void *data)
{
    g_autofree char *text = qtest_hmp(f->qts, "info ramblock");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    g_assert_true(g_regex_match_simple("^ +Block Name +PSize +Offset +Used "
                                       "+Total", lines[0], 0, 0));
    g_assert_true(g_regex_match_simple(
        "\n +pc.ram +4 KiB  0x0{16} 0x0000000004000000 0x0000000004000000 ",
        text, 0, 0));
    g_assert_true(g_regex_match_simple(
        "\n +mem0 +4 KiB  0x0{16} 0x0000000010000000 0x0000000010000000 ",
        text, 0, 0));
    g_assert_cmpuint(g_strv_length(lines), ==, 4);
}

static void test_info_memory_devices(Fixture *f, const void *data)
{
    check(f, "qom-set " VM0 " requested-size 64M", "");
    check(f, "info memory-devices",
          "Memory device [virtio-mem]: \"vm0\"\n"
          "  memaddr: 0x100000000\n"
          "  node: 0\n"
          "  requested-size: 67108864\n"
          "  size: 0\n"
          "  max-size: 268435456\n"
          "  block-size: 2097152\n"
          "  memdev: /objects/mem0\n");
}

static void test_info_ram_discard(Fixture *f, const void *data)
{
    check(f, "info ram-discard",
          "Region \"mem0\", managed by virtio-mem (" VM0 "/virtio-backend)\n"
          "  size: 268435456 (256 MiB)\n"
          "  granularity: 2097152 (2 MiB)\n"
          "  populated: 0 (0 B)\n"
          "  runs:\n");
    check(f, "info ram-discard mem0", "Region \"mem0\"");
    check(f, "info ram-discard mem1",
          "Error: Region 'mem1' does not exist or has no manager\n");
}

static void test_info_pci(Fixture *f, const void *data)
{
    g_autofree char *text = qtest_hmp(f->qts, "info pci");

    g_assert_true(g_str_has_prefix(
        text, "  Bus  0, device   0, function 0:\n"
        "    Host bridge: PCI device 8086:29c0\n"
        "      PCI subsystem 1af4:1100\n"
        "      id \"\"\n"));
    g_assert_true(g_regex_match_simple(
        "\n  Bus  0, device   [0-9]+, function 0:\n"
        "    Class 00ff: PCI device 1af4:1058\n"
        "      PCI subsystem 1af4:1100\n"
        "      IRQ [0-9]+, pin A\n"
        "(      BAR[0-9]: (32|64) bit( prefetchable)? memory at 0x[0-9a-f]+ "
        "\\[0x[0-9a-f]+\\]\\.\n)+"
        "      id \"vm0\"\n", text, 0, 0));
}

/* A bridge's windows, and what is behind it after it. */
static void test_info_pci_behind_a_port(void)
{
    QTestState *qts = qtest_init(
        "-M q35 -m 64M -device pcie-root-port,id=rp0,slot=1,chassis=1 "
        "-device virtio-balloon-pci,id=b0,bus=rp0");
    Fixture f = { qts };
    g_autofree char *text = qtest_hmp(f.qts, "info pci");
    const char *port = strstr(text, "PCI bridge: PCI device 1b36:000c\n");
    const char *balloon = strstr(text, "id \"b0\"\n");

    g_assert_nonnull(port);
    g_assert_nonnull(balloon);
    g_assert_true(port < balloon);
    g_assert_true(g_regex_match_simple(
        "      BUS 0\\.\n"
        "      secondary bus [0-9]+\\.\n"
        "      subordinate bus [0-9]+\\.\n"
        "      IO range \\[0x[0-9a-f]{4}, 0x[0-9a-f]{4}\\]\n"
        "      memory range \\[0x[0-9a-f]{8}, 0x[0-9a-f]{8}\\]\n"
        "      prefetchable memory range \\[0x[0-9a-f]{8,}, "
        "0x[0-9a-f]{8,}\\]\n"
        "      id \"rp0\"\n", port, 0, 0));
    qtest_quit(qts);
}

/* Buses, their devices, and those's properties, each a level deeper. */
static void test_info_qtree(Fixture *f, const void *data)
{
    g_autofree char *text = qtest_hmp(f->qts, "info qtree");

    g_assert_true(g_str_has_prefix(text, "bus: main-system-bus\n  type "));
    g_assert_true(g_regex_match_simple(
        "\n( +)bus: pcie.0\n\\1  type PCIE\n(\\1  .*\n)*"
        "\\1  dev: virtio-mem-pci, id \"vm0\"\n(\\1    .*\n)+", text, 0, 0));
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
    check(f, "qom-set -j " VM0 " requested-size 4194304", "");
    check(f, "qom-get " VM0 " requested-size", "4194304");
    check(f, "qom-set -j " VM0 " requested-size true", "Error: ");
    check(f, "qom-set -j " VM0 " requested-size }", "Error: '}' is no JSON");
    check(f, "resize vm0 128M", "");
    check(f, "qom-get " VM0 " requested-size", "134217728");
    check(f, "resize vm0 1G", "Error: 'requested-size' (0x40000000)");
    check(f, "resize vm0 9E", "Error: '9E' is no size");
    check(f, "resize vm0", "Error: expected: DEVICE SIZE");
    check(f, "resize vm7 1G", "Error: Device 'vm7' not found");
    check(f, "qom-get " VM0 " requested-size", "134217728");
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
    check(f, "qom-set", "expected: [-j] PATH PROPERTY VALUE");
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

/* Of what has been typed the Tab key makes @line. With a word put before it
 * (Ctrl-a) it is no command, and so just shown. */
static void complete(QmpClient *c, const char *typed, const char *line)
{
    g_autofree char *keys = g_strdup_printf("%s\t\001#\r", typed);
    g_autofree char *shown = g_strdup_printf("#%s", line);

    qmp_client_send(c, keys);
    expect(c, shown);
}

static void test_completion(void)
{
    g_autofree char *dir = g_dir_make_tmp("hmp-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "hmp", NULL);
    QTestState *qts = qtest_init(
        "-M q35 -m 64M,maxmem=1G -object memory-backend-ram,id=mem0,size=256M "
        "-device virtio-mem-pci,id=big,memdev=mem0 "
        "-monitor unix:%s,server=on,wait=off", path);
    QmpClient *c = qmp_client_connect(path);

    complete(c, "resi", "resize ");
    complete(c, "resize b", "resize big ");
    complete(c, "device_del b", "device_del big ");
    complete(c, "device_add virtio-bal", "device_add virtio-balloon-");
    complete(c, "object_del me", "object_del mem0 ");
    complete(c, "object_add memory-backend-f",
             "object_add memory-backend-file ");
    complete(c, "qom-get b", "qom-get big ");
    complete(c, "qom-get big requ", "qom-get big requested-size ");
    complete(c, "qom-set -j big requ", "qom-set -j big requested-size ");
    complete(c, "qom-list /obj", "qom-list /objects");
    complete(c, "qom-list /objects/m", "qom-list /objects/mem0");
    complete(c, "info mem", "info mem");
    complete(c, "info memory_", "info memory_size_summary ");
    complete(c, "help devi", "help device_");
    /* Nothing that could come: nothing is added. */
    complete(c, "qom-get /nowhere/x", "qom-get /nowhere/x");
    complete(c, "resize big 4", "resize big 4");
    complete(c, "nonsense x", "nonsense x");
    qmp_client_free(c);
    qtest_quit(qts);
    g_unlink(path);
    g_assert_no_errno(g_rmdir(dir));
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
    qmp_client_send(c, "info ramb\t\r");
    expect(c, "info ramblock");
    expect(c, "pc.ram");
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
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD("info", test_info);
    ADD("info-qtree", test_info_qtree);
    if (qtest_has_clock()) {              /* QEMU has further regions */
        ADD("info-mtree", test_info_mtree);
        ADD("info-flat-views", test_info_flat_views);
        ADD("info-ramblock", test_info_ramblock);
        ADD("info-memory-devices", test_info_memory_devices);
        ADD("info-ram-discard", test_info_ram_discard);
        ADD("info-pci", test_info_pci);
        g_test_add_func("/hmp/info-irq", test_info_irq);
        g_test_add_func("/hmp/xp-does-not-populate",
                        test_xp_does_not_populate);
        g_test_add_func("/hmp/info-pci-behind-a-port",
                        test_info_pci_behind_a_port);
    }
    ADD("stop-and-cont", test_stop_and_cont);
    ADD("properties", test_properties);
    ADD("objects-and-devices", test_objects_and_devices);
    if (qtest_has_clock()) {              /* QEMU words these differently */
        ADD("lines-that-are-no-commands", test_lines_that_are_no_commands);
        g_test_add_func("/hmp/info-queries", test_info_queries);
        ADD("memory-as-numbers", test_xp);
        ADD("dump", test_dump);
        g_test_add_func("/hmp/completion", test_completion);
    }
    ADD("system-reset", test_system_reset);
    g_test_add_func("/hmp/session-on-a-socket", test_session_on_a_socket);
    return g_test_run();
}
