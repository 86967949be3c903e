/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks whose queues an I/O thread processes: what they read and write, and what
 * they do not while memory goes, the disk is resized, unplugged or reset, or the
 * VM stops. Requests are in flight all the while, as many as the ring takes.
 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memfd.h"
#include "qemu/units.h"
#include "virtio-blk.h"
#include "virtio-mem.h"

#define DISK (8 * MiB)
#define DEPTH 32                          /* requests in flight */
#define ROUNDS 6
#define PORT_VENDOR 0x1b36
#define PORT_DEVICE 0x000c

typedef struct Fixture {
    QTestState *qts;
    QGuest guest;
    QVirtioBlk blk;
    char *path;
    uint64_t data;                        /* guest RAM for all requests */
} Fixture;

static char *make_image(void)
{
    char *path = g_build_filename(g_get_tmp_dir(), "disk-XXXXXX", NULL);
    int fd = g_mkstemp(path);
    g_autofree char *bytes = g_malloc(DISK);

    memset(bytes, 0x5a, DISK);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, bytes, DISK), ==, DISK);
    close(fd);
    return path;
}

/* @way: options of the drive; @device: of the device. */
static void start(Fixture *f, const char *way, const char *device,
                  const char *more)
{
    f->path = make_image();
    f->qts = qtest_init("-M q35 -m 256M,maxmem=1G -object iothread,id=io0 "
                        "-drive file=%s,format=raw,if=none,id=disk0,%s "
                        "-device virtio-blk-pci,drive=disk0,id=d0,"
                        "iothread=io0,%s %s", f->path, way, device, more);
    qguest_init(&f->guest, f->qts);
    qvirtio_blk_init(&f->blk, &f->guest, 0);
    f->data = qguest_alloc(&f->guest, DEPTH * 4096, 4096);
}

static void stop(Fixture *f)
{
    qtest_quit(f->qts);
    g_unlink(f->path);
    g_free(f->path);
}

static void qmp(Fixture *f, const char *command)
{
    json_node_unref(qmp_client_do(qtest_qmp(f->qts), "%s", command));
}

static uint8_t read_disk(Fixture *f, uint64_t addr)
{
    return qvirtio_blk_request(&f->blk, VIRTIO_BLK_T_IN, 0, addr, 4096, true,
                               NULL);
}

/* Reads of 4 KiB each to @addr and behind, which nobody waits for. */
static void begin_reads(Fixture *f, uint64_t addr, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        qvirtio_blk_add(&f->blk, VIRTIO_BLK_T_IN, 8 * i, addr + i * 4096,
                        4096, true);
    }
    qvirtqueue_kick(&f->blk.vq);
}

/* Reads of @len bytes each to @addr, all of them. */
static void begin_large_reads(Fixture *f, uint64_t addr, uint32_t len, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        qvirtio_blk_add(&f->blk, VIRTIO_BLK_T_IN, 0, addr, len, true);
    }
    qvirtqueue_kick(&f->blk.vq);
}

/* Of all that are in flight; they have one status byte. */
static void end_reads(Fixture *f, unsigned n)
{
    uint8_t status = 0xff;

    while (n--) {
        status = qvirtio_blk_wait(&f->blk, NULL);
    }
    g_assert_cmphex(status, ==, VIRTIO_BLK_S_OK);
}

static const char *const ways[] = {
    "aio=io_uring", "aio=threads", "aio=io_uring,cache=none",
};

/* --- requests --- */

static void test_what_is_written_is_read(gconstpointer way)
{
    Fixture f;

    start(&f, way, "num-queues=1", "");
    g_assert_cmphex(read_disk(&f, f.data), ==, VIRTIO_BLK_S_OK);
    qvirtio_wait_interrupt(&f.blk.vdev, QVIRTIO_QUEUE_USED);
    g_assert_cmphex(qtest_readb(f.qts, f.data + 4095), ==, 0x5a);
    qtest_memset(f.qts, f.data, 0x33, 4096);
    g_assert_cmphex(qvirtio_blk_request(&f.blk, VIRTIO_BLK_T_OUT, 0, f.data,
                                        4096, false, NULL), ==,
                    VIRTIO_BLK_S_OK);
    qvirtio_wait_interrupt(&f.blk.vdev, QVIRTIO_QUEUE_USED);
    qtest_memset(f.qts, f.data, 0, 4096);
    g_assert_cmphex(read_disk(&f, f.data), ==, VIRTIO_BLK_S_OK);
    g_assert_cmphex(qtest_readb(f.qts, f.data), ==, 0x33);
    for (unsigned i = 0; i < ROUNDS; i++) {
        begin_reads(&f, f.data, DEPTH);
        end_reads(&f, DEPTH);
    }
    stop(&f);
}

/* Without MSI-X the main loop has to raise the line. */
static void test_interrupt_lines(void)
{
    Fixture f;

    start(&f, ways[0], "vectors=0", "");
    for (unsigned i = 0; i < 20; i++) {
        g_assert_cmphex(read_disk(&f, f.data), ==, VIRTIO_BLK_S_OK);
        qvirtio_wait_interrupt(&f.blk.vdev, QVIRTIO_QUEUE_USED);
    }
    stop(&f);
}

/* An interrupt that is masked is pending, and sent when it may be. */
static void test_masked_interrupts(void)
{
    Fixture f;
    uint64_t control;

    start(&f, ways[0], "vectors=2", "");
    control = f.blk.vdev.pci.msix_table + PCI_MSIX_ENTRY_SIZE +
              PCI_MSIX_ENTRY_VECTOR_CTRL;
    qtest_writel(f.qts, control, PCI_MSIX_ENTRY_CTRL_MASKBIT);
    g_assert_cmphex(read_disk(&f, f.data), ==, VIRTIO_BLK_S_OK);
    g_assert_false(qvirtio_take_interrupt(&f.blk.vdev, QVIRTIO_QUEUE_USED));
    qtest_writel(f.qts, control, 0);
    qvirtio_wait_interrupt(&f.blk.vdev, QVIRTIO_QUEUE_USED);
    stop(&f);
}

static void test_broken_ring_is_told_of(void)
{
    g_autofree char *messages = qtest_begin_messages();
    Fixture f;

    start(&f, ways[0], "num-queues=1", "");
    qtest_end_messages();
    for (unsigned i = 0; i < 3; i++) {
        const QVirtioBuffer buffer = { f.blk.header, 7, false };
        gint64 deadline = qtest_deadline();
        unsigned round = 0;

        qvirtqueue_add(&f.blk.vq, &buffer, 1);
        qvirtqueue_kick(&f.blk.vq);
        while (!(qvirtio_status(&f.blk.vdev) & 0x40)) {
            g_assert_true(qtest_wait_more(deadline, &round));
        }
        qvirtio_blk_init(&f.blk, &f.guest, 0);
        g_assert_cmphex(read_disk(&f, f.data), ==, VIRTIO_BLK_S_OK);
    }
    g_assert_cmpuint(qtest_count_messages(messages, "a request without a "
                                          "header"), ==, 3);
    stop(&f);
    g_unlink(messages);
}

/* --- what others do meanwhile --- */

static void test_stopped_vm_does_no_io(gconstpointer way)
{
    Fixture f;

    start(&f, way, "num-queues=1", "");
    for (unsigned i = 0; i < ROUNDS; i++) {
        begin_reads(&f, f.data, DEPTH / 2);
        qmp(&f, "{'execute': 'stop'}");
        /* Whatever was begun has ended, and nothing begins. */
        qtest_memset(f.qts, f.data, 0, 4096);
        begin_reads(&f, f.data, DEPTH / 2);
        qmp(&f, "{'execute': 'query-blockstats'}");
        g_assert_cmphex(qtest_readb(f.qts, f.data), ==, 0);
        qmp(&f, "{'execute': 'cont'}");
        end_reads(&f, DEPTH);
        g_assert_cmphex(qtest_readb(f.qts, f.data), ==, 0x5a);
    }
    stop(&f);
}

/* The driver's, and the machine's. */
static void test_resets(gconstpointer way)
{
    Fixture f;

    start(&f, way, "num-queues=1", "");
    for (unsigned i = 0; i < ROUNDS; i++) {
        begin_reads(&f, f.data, DEPTH);
        if (i % 2) {
            qmp(&f, "{'execute': 'system_reset'}");
            json_object_unref(qmp_client_event(qtest_qmp(f.qts), "RESET"));
        } else {
            qvirtio_reset(&f.blk.vdev);
        }
        qtest_memset(f.qts, f.data, 0, 4096);
        g_assert_cmphex(qtest_readb(f.qts, f.data), ==, 0);
        qguest_init(&f.guest, f.qts);
        qvirtio_blk_init(&f.blk, &f.guest, 0);
        f.data = qguest_alloc(&f.guest, DEPTH * 4096, 4096);
        g_assert_cmphex(read_disk(&f, f.data), ==, VIRTIO_BLK_S_OK);
    }
    stop(&f);
}

static void test_resize(gconstpointer way)
{
    Fixture f;

    start(&f, way, "num-queues=1", "");
    for (unsigned i = 1; i <= ROUNDS; i++) {
        uint64_t size = DISK + i * 64 * KiB;

        begin_reads(&f, f.data, DEPTH);
        json_node_unref(qmp_client_do(
            qtest_qmp(f.qts), "{'execute': 'block_resize', 'arguments': "
            "{'device': 'disk0', 'size': %" PRIu64 "}}", size));
        qvirtio_wait_interrupt(&f.blk.vdev, QVIRTIO_CONFIG_CHANGED);
        g_assert_cmpuint(qvirtio_blk_capacity(&f.blk), ==, size / 512);
        end_reads(&f, DEPTH);
    }
    stop(&f);
}

/* Reads into what is not there break the disk, if they come after. */
static void end_reads_or_break(Fixture *f, unsigned n)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    while (n && !(qvirtio_status(&f->blk.vdev) & 0x40)) {
        if (qvirtqueue_has_used(&f->blk.vq)) {
            qvirtqueue_wait(&f->blk.vq, NULL);
            n--;
        } else {
            g_assert_true(qtest_wait_more(deadline, &round));
        }
    }
    qvirtio_blk_init(&f->blk, &f->guest, 0);
}

#define LARGE_READS 4

/*
 * Memory is unplugged while the disk reads into it, all of it, which takes longer
 * than a request as a rule. Either the guest is told that it is in use, and all
 * reads are done; or it has gone, and whatever the disk did before, the host has it
 * back, and what is plugged there next is empty.
 */
static void test_unplug_of_memory_under_io(gconstpointer way)
{
    struct virtio_mem_config config;
    g_autofree char *memfd = NULL;
    unsigned busy = 0, gone = 0;
    QVirtioMem vmem;
    Fixture f;

    start(&f, way, "num-queues=1",
          "-object memory-backend-memfd,id=m,size=512M "
          "-device virtio-mem-pci,memdev=m,block-size=2M,requested-size=64M");
    memfd = qtest_find_memfd(f.qts, 512 * MiB);
    qvirtio_mem_init(&vmem, &f.guest, 0);
    qvirtio_mem_config(&vmem, &config);
    for (unsigned i = 0; i < 4 * ROUNDS; i++) {
        uint64_t addr = config.addr + i % 8 * config.block_size;
        uint16_t response;

        g_assert_cmpuint(qvirtio_mem_plug(&vmem, addr, 1), ==,
                         VIRTIO_MEM_RESP_ACK);
        g_assert_cmphex(qtest_readb(f.qts, addr), ==, 0);
        begin_large_reads(&f, addr, config.block_size, LARGE_READS);
        response = qvirtio_mem_unplug(&vmem, addr, 1);
        busy += response == VIRTIO_MEM_RESP_BUSY;
        gone += response == VIRTIO_MEM_RESP_ACK;
        if (response == VIRTIO_MEM_RESP_BUSY) {
            end_reads(&f, LARGE_READS);
            g_assert_cmphex(qtest_readb(f.qts, addr), ==, 0x5a);
            g_assert_cmpuint(qvirtio_mem_unplug(&vmem, addr, 1), ==,
                             VIRTIO_MEM_RESP_ACK);
        } else {
            end_reads_or_break(&f, LARGE_READS);
            g_assert_cmpuint(qtest_memfd_allocated_in(memfd, addr - config.addr,
                                                      config.block_size), ==, 0);
        }
    }
    g_test_message("busy %u, gone %u", busy, gone);
    g_assert_cmpuint(busy + gone, ==, 4 * ROUNDS);
    stop(&f);
}

/* --- what fails --- */

static void wait_for_io_error(Fixture *f, const char *action)
{
    g_autoptr(JsonObject) event = qmp_client_event(qtest_qmp(f->qts),
                                                   "BLOCK_IO_ERROR");

    g_assert_cmpstr(json_object_get_string_member(
        json_object_get_object_member(event, "data"), "action"), ==, action);
}

/* An image that from now on cannot be written to: what werror= says is done. */
static void test_errors(gconstpointer way)
{
    int fd = memfd_create("disk", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    Fixture f;

    g_assert_cmpint(ftruncate(fd, DISK), ==, 0);
    f.qts = qtest_init("-M q35 -m 256M -object iothread,id=io0 "
                       "-drive file=/proc/%d/fd/%d,format=raw,if=none,id=x,%s "
                       "-device virtio-blk-pci,drive=x,iothread=io0,"
                       "werror=stop", getpid(), fd, (const char *)way);
    qguest_init(&f.guest, f.qts);
    qvirtio_blk_init(&f.blk, &f.guest, 0);
    f.data = qguest_alloc(&f.guest, 4096, 4096);
    g_assert_cmpint(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), ==, 0);
    close(fd);
    for (unsigned i = 0; i < 3; i++) {
        if (!i) {
            qvirtio_blk_add(&f.blk, VIRTIO_BLK_T_OUT, 0, f.data, 4096, false);
            qvirtqueue_kick(&f.blk.vq);
        } else {
            qmp(&f, "{'execute': 'cont'}");
        }
        wait_for_io_error(&f, "stop");
        json_object_unref(qmp_client_event(qtest_qmp(f.qts), "STOP"));
        g_assert_false(qvirtqueue_has_used(&f.blk.vq));
    }
    qvirtio_blk_init(&f.blk, &f.guest, 0);
    qmp(&f, "{'execute': 'cont'}");
    g_assert_cmphex(read_disk(&f, f.data), ==, VIRTIO_BLK_S_OK);
    qtest_quit(f.qts);
}

static void expect_refusal(Fixture *f, const char *class, const char *part,
                           const char *args)
{
    qmp_client_expect_error(
        qtest_qmp(f->qts), class, part,
        "{'execute': 'device_add', 'arguments': {'driver': 'virtio-blk-pci', "
        "'drive': 'disk1', 'bus': 'rp0', %s}}", args);
}

static void test_refusals(void)
{
    g_autofree char *path = make_image();
    Fixture f;

    start(&f, ways[0], "num-queues=1",
          "-device pcie-root-port,id=rp0,chassis=1");
    json_node_unref(qmp_client_do(
        qtest_qmp(f.qts), "{'execute': 'blockdev-add', 'arguments': {'driver':"
        " 'file', 'node-name': 'disk1', 'filename': '%s'}}", path));
    expect_refusal(&f, "GenericError", "ioeventfd=on is required",
                   "'iothread': 'io0', 'ioeventfd': false");
    expect_refusal(&f, "DeviceNotFound", "io7", "'iothread': 'io7'");
    /* Nothing of it is left. */
    qmp(&f, "{'execute': 'blockdev-del', 'arguments': {'node-name': "
            "'disk1'}}");
    stop(&f);
    g_unlink(path);
}

/* --- several devices --- */

static JsonArray *query_iothreads(Fixture *f, JsonNode **node)
{
    *node = qmp_client_do(qtest_qmp(f->qts), "{'execute': 'query-iothreads'}");
    return json_node_get_array(*node);
}

static void release_slot(Fixture *f)
{
    QPCIDevice port;
    uint8_t exp;

    qpci_device_init(&port, &f->guest, PORT_VENDOR, PORT_DEVICE, 0);
    exp = qpci_find_capability(&port, PCI_CAP_ID_EXP, 0);
    qpci_config_writew(f->qts, port.devfn, exp + PCI_EXP_SLTCTL,
                       PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF |
                       PCI_EXP_SLTCTL_PWR_IND_BLINK);
    qpci_config_writew(f->qts, port.devfn, exp + PCI_EXP_SLTCTL,
                       PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF |
                       PCI_EXP_SLTCTL_PWR_IND_OFF);
}

static void turn_slot_on(Fixture *f)
{
    QPCIDevice port;
    uint8_t exp;

    qpci_device_init(&port, &f->guest, PORT_VENDOR, PORT_DEVICE, 0);
    exp = qpci_find_capability(&port, PCI_CAP_ID_EXP, 0);
    qpci_config_writeb(f->qts, port.devfn, PCI_SECONDARY_BUS, 1);
    qpci_config_writeb(f->qts, port.devfn, PCI_SUBORDINATE_BUS, 1);
    qpci_enable(&port);
    qpci_config_writew(f->qts, port.devfn, exp + PCI_EXP_SLTCTL,
                       PCI_EXP_SLTCTL_ATTN_IND_OFF | PCI_EXP_SLTCTL_PWR_IND_ON);
}

static void add_second_disk(Fixture *f, const char *path)
{
    json_node_unref(qmp_client_do(
        qtest_qmp(f->qts), "{'execute': 'blockdev-add', 'arguments': {'driver':"
        " 'file', 'node-name': 'disk1', 'filename': '%s'}}", path));
    qmp(f, "{'execute': 'device_add', 'arguments': {'driver': 'virtio-blk-pci',"
           " 'drive': 'disk1', 'id': 'd1', 'iothread': 'io0', 'bus': 'rp0'}}");
}

static void wait_until_gone(Fixture *f, const char *id)
{
    for (;;) {
        g_autoptr(JsonObject) event = qmp_client_event(qtest_qmp(f->qts),
                                                       "DEVICE_DELETED");
        JsonObject *data = json_object_get_object_member(event, "data");

        if (json_object_has_member(data, "device")) {
            g_assert_cmpstr(json_object_get_string_member(data, "device"), ==,
                            id);
            return;
        }
    }
}

/* Two disks in a thread, one of which comes and goes under I/O. */
static void test_hot_unplug(gconstpointer way)
{
    g_autofree char *path = make_image();
    Fixture f;

    start(&f, way, "num-queues=1", "-device pcie-root-port,id=rp0,chassis=1");
    for (unsigned i = 0; i < ROUNDS / 2; i++) {
        Fixture g = f;

        add_second_disk(&f, path);
        turn_slot_on(&f);
        qvirtio_blk_init(&g.blk, &f.guest, 1);
        g.data = qguest_alloc(&f.guest, DEPTH * 4096, 4096);
        begin_reads(&g, g.data, DEPTH);
        end_reads(&g, DEPTH);
        qmp(&f, "{'execute': 'device_del', 'arguments': {'id': 'd1'}}");
        begin_reads(&f, f.data, DEPTH);
        begin_reads(&g, g.data, DEPTH);
        release_slot(&f);
        wait_until_gone(&f, "d1");
        qmp(&f, "{'execute': 'blockdev-del', 'arguments': "
                "{'node-name': 'disk1'}}");
        end_reads(&f, DEPTH);
    }
    stop(&f);
    g_unlink(path);
}

static void test_thread_in_use_stays(void)
{
    g_autofree char *path = make_image();
    JsonNode *node;
    JsonArray *list;
    Fixture f;

    start(&f, ways[0], "num-queues=1",
          "-device pcie-root-port,id=rp0,chassis=1");
    qmp(&f, "{'execute': 'object-add', 'arguments': {'qom-type': 'iothread',"
            " 'id': 'io1', 'poll-max-ns': 1000}}");
    list = query_iothreads(&f, &node);
    g_assert_cmpuint(json_array_get_length(list), ==, 2);
    g_assert_cmpint(json_object_get_int_member(
        json_array_get_object_element(list, 0), "thread-id"), >, 0);
    json_node_unref(node);
    qmp_client_expect_error(qtest_qmp(f.qts), "GenericError",
                            "object 'io0' is in use, can not be deleted",
                            "{'execute': 'object-del', 'arguments': "
                            "{'id': 'io0'}}");
    qmp(&f, "{'execute': 'object-del', 'arguments': {'id': 'io1'}}");
    add_second_disk(&f, path);
    turn_slot_on(&f);
    qmp(&f, "{'execute': 'device_del', 'arguments': {'id': 'd1'}}");
    release_slot(&f);
    wait_until_gone(&f, "d1");
    qmp_client_expect_error(qtest_qmp(f.qts), "GenericError", "is in use",
                            "{'execute': 'object-del', 'arguments': "
                            "{'id': 'io0'}}");
    g_assert_cmphex(read_disk(&f, f.data), ==, VIRTIO_BLK_S_OK);
    stop(&f);
    g_unlink(path);
}

/* A thread that looks for a while before it sleeps does the same. */
static void test_polling(void)
{
    Fixture f;

    start(&f, ways[0], "num-queues=1", "");
    for (unsigned i = 0; i < 10; i++) {
        qtest_qom_set_uint(f.qts, "/objects/io0", "poll-max-ns", i * 10000);
        qtest_qom_set_uint(f.qts, "/objects/io0", "poll-shrink", i % 3);
        for (unsigned n = 0; n < 20; n++) {
            g_assert_cmphex(read_disk(&f, f.data), ==, VIRTIO_BLK_S_OK);
        }
    }
    qmp_client_expect_error(qtest_qmp(f.qts), "GenericError",
                            "poll-max-ns=-1: expected is 0 to",
                            "{'execute': 'qom-set', 'arguments': {'path': "
                            "'/objects/io0', 'property': 'poll-max-ns', "
                            "'value': -1}}");
    stop(&f);
}

#define ADD_WAYS(name, fn)                                                   \
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {                      \
        g_autofree char *path_ = g_strconcat("/iothread/" name "/", ways[i], \
                                             NULL);                          \
        g_test_add_data_func(path_, ways[i], fn);                            \
    }

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    ADD_WAYS("data", test_what_is_written_is_read);
    g_test_add_func("/iothread/interrupt-lines", test_interrupt_lines);
    g_test_add_func("/iothread/masked-interrupts", test_masked_interrupts);
    g_test_add_func("/iothread/broken", test_broken_ring_is_told_of);
    ADD_WAYS("stop", test_stopped_vm_does_no_io);
    ADD_WAYS("reset", test_resets);
    ADD_WAYS("resize", test_resize);
    ADD_WAYS("unplug-memory", test_unplug_of_memory_under_io);
    g_test_add_data_func("/iothread/errors/io_uring", ways[0], test_errors);
    g_test_add_data_func("/iothread/errors/threads", ways[1], test_errors);
    ADD_WAYS("hot-unplug", test_hot_unplug);
    g_test_add_func("/iothread/refusals", test_refusals);
    g_test_add_func("/iothread/in-use", test_thread_in_use_stays);
    g_test_add_func("/iothread/polling", test_polling);
    return g_test_run();
}
