/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option ROMs as firmware finds them: of a file, of iPXE for a network device, of a
 * function that a process serves. They are shown, and nobody has DMA there.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/pci_regs.h>
#include <linux/virtio_ids.h>

#include "cli.h"
#include "fw-cfg.h"
#include "qemu/units.h"
#include "vfio-user.h"

#define ROM_ADDR 0xd0000000U
#define IPXE "/usr/lib/ipxe/qemu/efi-virtio.rom"
#define VIRTIO_VENDOR 0x1af4
#define VIRTIO_DEVICE(id) (0x1040 + (id))
#define PCIR_POINTER 0x18
#define PCIR_VENDOR 4
#define PCIR_DEVICE 6

/* Bytes that the register says; it is left without an address. */
static uint32_t rom_size(QTestState *s, int devfn)
{
    uint32_t mask;

    g_assert_cmpint(devfn, >=, 0);
    qpci_config_writel(s, devfn, PCI_ROM_ADDRESS, PCI_ROM_ADDRESS_MASK);
    mask = qpci_config_readl(s, devfn, PCI_ROM_ADDRESS);
    qpci_config_writel(s, devfn, PCI_ROM_ADDRESS, 0);
    return -mask;
}

static void enable(QTestState *s, int devfn)
{
    qpci_config_writew(s, devfn, PCI_COMMAND, PCI_COMMAND_MEMORY);
    qpci_config_writel(s, devfn, PCI_ROM_ADDRESS,
                       ROM_ADDR | PCI_ROM_ADDRESS_ENABLE);
}

/* --- files --- */

static void test_file_is_shown(void)
{
    g_autofree char *dir = g_dir_make_tmp("option-rom-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "rom", NULL);
    uint8_t bytes[5000], got[8192];
    QTestState *s;
    int devfn;

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = i * 3;
    }
    g_assert_true(g_file_set_contents(path, (char *)bytes, sizeof(bytes), NULL));
    s = qtest_init("-M q35 -m 64M -L %s -device virtio-rng-pci,romfile=rom", dir);
    devfn = qpci_find(s, VIRTIO_VENDOR, VIRTIO_DEVICE(VIRTIO_ID_RNG), 0);
    g_assert_cmpuint(rom_size(s, devfn), ==, sizeof(got));
    enable(s, devfn);
    qtest_memread(s, ROM_ADDR, got, sizeof(got));
    g_assert_cmpmem(got, sizeof(bytes), bytes, sizeof(bytes));
    g_assert_cmphex(got[sizeof(got) - 1], ==, 0xff);
    qtest_quit(s);
    g_unlink(path);
    g_rmdir(dir);
}

/* Two devices may have the same, which is open once. */
static void test_file_that_is_open(void)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("option-rom-XXXXXX", &path, NULL);
    QTestState *s;

    g_assert_cmpint(write(fd, "contents", 8), ==, 8);
    g_assert_cmpint(fcntl(fd, F_SETFD, 0), ==, 0);
    s = qtest_init("-M q35 -m 64M -add-fd fd=%d,set=1 "
                   "-device virtio-rng-pci,romfile=/dev/fdset/1 "
                   "-device virtio-rng-pci,romfile=/dev/fdset/1", fd);
    for (unsigned nth = 0; nth < 2; nth++) {
        int devfn = qpci_find(s, VIRTIO_VENDOR, VIRTIO_DEVICE(VIRTIO_ID_RNG), nth);

        enable(s, devfn);
        g_assert_cmphex(qtest_readq(s, ROM_ADDR), ==, 0x73746e65746e6f63);
        qpci_config_writel(s, devfn, PCI_ROM_ADDRESS, 0);
    }
    qtest_quit(s);
    close(fd);
    g_unlink(path);
}

/* The sandbox lets a running machine look for it, and open it. */
static void test_file_of_a_device_that_is_plugged(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -device pcie-root-port,id=rp0 "
                               "-device pcie-root-port,id=rp1,slot=1");

    json_node_unref(qmp_client_do(
        qtest_qmp(s), "{'execute': 'device_add', 'arguments': {'driver': "
        "'virtio-rng-pci', 'id': 'd0', 'bus': 'rp0', 'romfile': '/etc/passwd'}}"));
    json_node_unref(qmp_client_do(
        qtest_qmp(s), "{'execute': 'device_add', 'arguments': {'driver': "
        "'virtio-net-pci', 'id': 'd1', 'bus': 'rp1'}}"));
    qmp_client_expect_error(
        qtest_qmp(s), "GenericError", "romfile=no-such.rom",
        "{'execute': 'device_add', 'arguments': {'driver': 'virtio-rng-pci', "
        "'bus': 'rp0', 'romfile': 'no-such.rom'}}");
    qtest_quit(s);
}

static void test_without_a_file_there_is_none(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -device virtio-rng-pci");

    g_assert_cmpuint(rom_size(s, qpci_find(s, VIRTIO_VENDOR,
                                           VIRTIO_DEVICE(VIRTIO_ID_RNG), 0)),
                     ==, 0);
    qtest_quit(s);
}

static void test_rom_of_no_device(void)
{
    g_autofree char *dir = g_dir_make_tmp("option-rom-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "my.rom", NULL);
    g_autoptr(GByteArray) got = NULL;
    QTestState *s;

    g_assert_true(g_file_set_contents(path, "contents", 8, NULL));
    s = qtest_init("-M q35 -m 64M -L %s -option-rom my.rom", dir);
    got = qfw_cfg_read_file(s, "genroms/my.rom");
    g_assert_nonnull(got);
    g_assert_cmpmem(got->data, got->len, "contents", 8);
    qtest_quit(s);
    g_unlink(path);
    g_rmdir(dir);
}

static void test_refused(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-device virtio-net-pci,romfile=no-such.rom",
          "romfile=no-such.rom|-L help" },
        { QTEST_ARGS "-device virtio-rng-pci,romfile=/dev", "romfile=/dev|regular" },
        { QTEST_ARGS "-device virtio-rng-pci,romfile=/etc/passwd,rombar=0",
          "romfile=/etc/passwd|rombar=0" },
        { QTEST_ARGS "-device virtio-rng-pci,rombar=x", "rombar" },
        { QTEST_ARGS "-option-rom no-such.rom", "-option-rom|no-such.rom" },
        { QTEST_ARGS "-option-rom /dev/null", "-option-rom|/dev/null" },
        { QTEST_ARGS "-option-rom /etc/passwd -option-rom /etc/passwd",
          "-option-rom: |genroms/passwd' already" },
        { QTEST_ARGS "-option-rom /etc/passwd,bootindex=1", "nothing else" },
        { QTEST_ARGS "-M none -option-rom /etc/passwd", "fw_cfg" },
    };

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

static void test_bad_rom_of_no_device(void)
{
    static const struct { const char *name, *contents, *message; } cases[] = {
        { "empty.rom", "", "-option-rom |the file is empty" },
        { "23456789-123456789-123456789-123456789-12345678.rom", "x",
          "-option-rom: |1 to 55 are possible" },
    };
    g_autofree char *dir = g_dir_make_tmp("option-rom-XXXXXX", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(dir, cases[i].name, NULL);
        g_autofree char *args = g_strdup_printf(QTEST_ARGS "-option-rom %s", path);

        g_assert_true(g_file_set_contents(path, cases[i].contents, -1, NULL));
        cli_check_refused(args, cases[i].message);
        g_unlink(path);
    }
    g_rmdir(dir);
}

/* --- iPXE --- */

#define NET(s) qpci_find(s, VIRTIO_VENDOR, VIRTIO_DEVICE(VIRTIO_ID_NET), 0)

static uint16_t word_at(const uint8_t *p)
{
    return p[0] | p[1] << 8;
}

/* Its image for a PC says whose it is, and its bytes add up to 0 as before. */
static void check_identity(const uint8_t *rom)
{
    const uint8_t *data = rom + word_at(rom + PCIR_POINTER);
    uint8_t sum = 0;

    g_assert_cmphex(word_at(data + PCIR_VENDOR), ==, VIRTIO_VENDOR);
    g_assert_cmphex(word_at(data + PCIR_DEVICE), ==,
                    VIRTIO_DEVICE(VIRTIO_ID_NET));
    for (unsigned i = 0; i < rom[2] * 512U; i++) {
        sum += rom[i];
    }
    g_assert_cmphex(sum, ==, 0);
}

static void test_network_device_has_ipxe(void)
{
    g_autofree char *file = NULL;
    g_autofree uint8_t *got = NULL;
    gsize size;
    QTestState *s;

    if (!g_file_get_contents(IPXE, &file, &size, NULL)) {
        g_test_skip("the package ipxe-qemu is not installed");
        return;
    }
    s = qtest_init("-M q35 -m 64M -device virtio-net-pci");
    g_assert_cmpuint(rom_size(s, NET(s)), ==, 256 * KiB);
    enable(s, NET(s));
    got = g_malloc(size);
    qtest_memread(s, ROM_ADDR, got, size);
    check_identity(got);
    /* All that is behind that is the file's. */
    g_assert_true(!memcmp(got + 1024, file + 1024, size - 1024));
    qtest_quit(s);
}

static void test_network_device_without(void)
{
    static const char *const how[] = { "romfile=", "rombar=0" };

    for (size_t i = 0; i < G_N_ELEMENTS(how); i++) {
        QTestState *s = qtest_init("-M q35 -m 64M -device virtio-net-pci,%s",
                                   how[i]);

        g_assert_cmpuint(rom_size(s, NET(s)), ==, 0);
        qtest_quit(s);
    }
}

/* --- passed through --- */

#define SERVED(s) qpci_find(s, TESTDEV_VENDOR_ID, TESTDEV_DEVICE_ID, 0)

static QTestState *start_served(QVFIOUserServer **server, uint64_t size,
                                const char *options)
{
    *server = qvfio_user_server_new("--rom-size=%" PRIu64, size);
    return qtest_init("-M q35 -m 64M "
                      "-object memory-backend-memfd,id=boot,size=64M "
                      "-machine memory-backend=boot %s "
                      "-device vfio-user-pci,id=dev0,socket=%s%s",
                      qvfio_user_patience(), (*server)->socket, options);
}

static void stop_served(QTestState *s, QVFIOUserServer *server)
{
    qtest_quit(s);
    qvfio_user_server_free(server);
}

static void assert_not_mapped(QVFIOUserServer *server)
{
    g_autoptr(GArray) mappings = NULL;

    qvfio_user_server_update(server);
    mappings = qvfio_user_server_mappings(server);
    g_assert_cmpuint(mappings->len, >, 0);
    for (guint i = 0; i < mappings->len; i++) {
        const QMapping *m = &g_array_index(mappings, QMapping, i);

        g_assert_true(ROM_ADDR < m->iova || ROM_ADDR - m->iova >= m->size);
    }
}

static void test_served_function_has_its_own(void)
{
    g_autofree uint8_t *got = g_malloc(64 * KiB);
    QVFIOUserServer *server;
    QTestState *s = start_served(&server, 40 * KiB, "");

    g_assert_cmpuint(rom_size(s, SERVED(s)), ==, 64 * KiB);
    enable(s, SERVED(s));
    qtest_memread(s, ROM_ADDR, got, 64 * KiB);
    for (unsigned i = 0; i < 64 * KiB; i++) {
        g_assert_cmphex(got[i], ==, i < 40 * KiB ? TESTDEV_ROM_BYTE(i) : 0xff);
    }
    assert_not_mapped(server);
    stop_served(s, server);
}

static void test_served_function_hides_it(void)
{
    QVFIOUserServer *server;
    QTestState *s = start_served(&server, 40 * KiB, ",rombar=0");

    g_assert_cmpuint(rom_size(s, SERVED(s)), ==, 0);
    stop_served(s, server);
}

/* More than it can read: ones, one warning, and the guest goes on. */
static void test_served_function_cannot_read_it(void)
{
    g_autofree char *messages = qtest_begin_messages(), *text = NULL;
    QVFIOUserServer *server;
    QTestState *s = start_served(&server, 8 * MiB, "");

    qtest_end_messages();
    enable(s, SERVED(s));
    qpci_config_writel(s, SERVED(s), PCI_ROM_ADDRESS, 0);
    enable(s, SERVED(s));
    g_assert_cmphex(qtest_readl(s, ROM_ADDR), ==, UINT32_MAX);
    qmp_client_check_alive(qtest_qmp(s));
    stop_served(s, server);
    g_assert_true(g_file_get_contents(messages, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "its option ROM cannot be read"));
    g_assert_null(strstr(strstr(text, "cannot be read") + 1, "cannot be read"));
    g_unlink(messages);
}

static void test_served_function_claims_too_much(void)
{
    g_autofree char *messages = qtest_begin_messages(), *text = NULL;
    QVFIOUserServer *server;
    QTestState *s = start_served(&server, 1ULL << 60, "");

    qtest_end_messages();
    g_assert_cmpuint(rom_size(s, SERVED(s)), ==, 0);
    stop_served(s, server);
    g_assert_true(g_file_get_contents(messages, &text, NULL, NULL));
    g_assert_nonnull(strstr(text, "option ROM of 0x1000000000000000 bytes"));
    g_unlink(messages);
}

int main(int argc, char **argv)
{
    int status;

    qvfio_user_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    cli_begin();
    g_test_add_func("/option-rom/file/is shown", test_file_is_shown);
    g_test_add_func("/option-rom/file/that is open", test_file_that_is_open);
    g_test_add_func("/option-rom/file/of a device that is plugged",
                    test_file_of_a_device_that_is_plugged);
    g_test_add_func("/option-rom/file/none by default",
                    test_without_a_file_there_is_none);
    g_test_add_func("/option-rom/file/of no device", test_rom_of_no_device);
    g_test_add_func("/option-rom/file/refused", test_refused);
    g_test_add_func("/option-rom/of no device/bad", test_bad_rom_of_no_device);
    g_test_add_func("/option-rom/ipxe/is a network device's",
                    test_network_device_has_ipxe);
    g_test_add_func("/option-rom/ipxe/can be left out",
                    test_network_device_without);
    g_test_add_func("/option-rom/vfio-user/is the function's",
                    test_served_function_has_its_own);
    g_test_add_func("/option-rom/vfio-user/is hidden",
                    test_served_function_hides_it);
    g_test_add_func("/option-rom/vfio-user/cannot be read",
                    test_served_function_cannot_read_it);
    g_test_add_func("/option-rom/vfio-user/is too large",
                    test_served_function_claims_too_much);
    status = g_test_run();
    cli_end();
    return status;
}
