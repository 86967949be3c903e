/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What firmware finds: itself, below 4 GiB and below 1 MiB; the registers by which
 * it shows RAM in its place; that there is no SMM; where it is to boot from; and a
 * port for its log. Firmware is a file of the test's; no CPU runs it.
 */
#include "qemu/osdep.h"

#include <glib/gstdio.h>
#include <linux/pci_regs.h>

#include "bzimage.h"
#include "cli.h"
#include "fw-cfg.h"
#include "pci.h"
#include "qemu/units.h"

#define ROM_SIZE (256 * KiB)
#define ROM_BASE (4 * GiB - ROM_SIZE)
#define SHADOW_SIZE (128 * KiB)
#define SHADOW_BASE (MiB - SHADOW_SIZE)
#define HOST_BRIDGE QPCI_DEVFN(0, 0)
#define PAM0 0x90
#define SEGMENTS 13
#define SMI_EN 0x630
#define APMC_EN 0x20

typedef struct Fixture {
    char *dir;
    char *rom;                            /* the file */
    uint8_t bytes[ROM_SIZE];              /* what is in it */
    QTestState *qts;
} Fixture;

static void make_rom(Fixture *f)
{
    f->dir = g_dir_make_tmp("firmware-XXXXXX", NULL);
    f->rom = g_build_filename(f->dir, "rom", NULL);
    for (size_t i = 0; i < ROM_SIZE; i++) {
        f->bytes[i] = i * 7 + i / 251;
    }
    g_assert_true(g_file_set_contents(f->rom, (char *)f->bytes, ROM_SIZE, NULL));
}

static void setup(Fixture *f, const void *data)
{
    make_rom(f);
    f->qts = qtest_init("-M q35 -m 64M -bios %s", f->rom);
}

static void remove_rom(Fixture *f)
{
    g_unlink(f->rom);
    g_rmdir(f->dir);
    g_free(f->rom);
    g_free(f->dir);
}

static void teardown(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
    remove_rom(f);
}

static uint64_t file_size(const char *path)
{
    GStatBuf st;

    g_assert_cmpint(g_stat(path, &st), ==, 0);
    return st.st_size;
}

/* --- where it is found --- */

/* The first directory of -L that has it. */
static void test_is_found_by_name(Fixture *f, const void *data)
{
    qtest_quit(f->qts);
    f->qts = qtest_init("-M q35 -m 64M -L /tmp/firmware-none -L %s -L / -bios rom",
                        f->dir);
    g_assert_cmphex(qtest_readl(f->qts, ROM_BASE), ==,
                    f->bytes[0] | f->bytes[1] << 8 | f->bytes[2] << 16 |
                    (uint32_t)f->bytes[3] << 24);
}

/* --- ROM --- */

static void check_rom(Fixture *f, uint64_t addr, size_t offset, size_t size)
{
    g_autofree uint8_t *seen = g_malloc(size);

    qtest_memread(f->qts, addr, seen, size);
    g_assert_true(memcmp(seen, f->bytes + offset, size) == 0);
}

static void test_rom_is_in_both_places(Fixture *f, const void *data)
{
    check_rom(f, ROM_BASE, 0, ROM_SIZE);
    check_rom(f, SHADOW_BASE, ROM_SIZE - SHADOW_SIZE, SHADOW_SIZE);
}

static void test_rom_cannot_be_written(Fixture *f, const void *data)
{
    qtest_memset(f->qts, ROM_BASE, 0xaa, 4096);
    qtest_memset(f->qts, SHADOW_BASE, 0xaa, 4096);
    test_rom_is_in_both_places(f, data);
}

/* --- RAM in its place --- */

static uint64_t segment_base(unsigned n)
{
    return 0xc0000 + n * 16 * KiB;
}

/* The register of segment @n, 12 being the one at 0xf0000, and its shift there. */
static void set_segment(Fixture *f, unsigned n, uint8_t mode)
{
    uint8_t reg = n == 12 ? PAM0 : PAM0 + 1 + n / 2;
    unsigned shift = n == 12 || n % 2 ? 4 : 0;
    uint8_t value = qpci_config_readb(f->qts, HOST_BRIDGE, reg);

    value = (value & ~(3 << shift)) | mode << shift;
    qpci_config_writeb(f->qts, HOST_BRIDGE, reg, value);
    g_assert_cmphex(qpci_config_readb(f->qts, HOST_BRIDGE, reg), ==, value);
}

/* Whether a byte that is written at @addr is read there, which is undone. */
static bool can_be_written(Fixture *f, uint64_t addr)
{
    uint8_t before = qtest_readb(f->qts, addr), other = before ^ 0xff, after;

    qtest_writeb(f->qts, addr, other);
    after = qtest_readb(f->qts, addr);
    qtest_writeb(f->qts, addr, before);
    return after == other;
}

static void test_each_segment_becomes_ram_by_itself(Fixture *f, const void *data)
{
    for (unsigned n = 0; n < SEGMENTS; n++) {
        set_segment(f, n, 3);
        for (unsigned i = 0; i < SEGMENTS; i++) {
            g_assert_cmpint(can_be_written(f, segment_base(i)), ==, i == n);
        }
        set_segment(f, n, 0);
    }
    g_assert_true(can_be_written(f, segment_base(0) - 1));
    g_assert_true(can_be_written(f, MiB));
}

static void test_ram_keeps_its_bytes_while_it_is_hidden(Fixture *f,
                                                        const void *data)
{
    set_segment(f, 12, 3);
    qtest_writel(f->qts, 0xf1230, 0x12345678);
    set_segment(f, 12, 0);
    check_rom(f, 0xf0000, ROM_SIZE - 64 * KiB, 64 * KiB);
    set_segment(f, 12, 1);
    g_assert_cmphex(qtest_readl(f->qts, 0xf1230), ==, 0x12345678);
    qtest_writel(f->qts, 0xf1230, 0);
    g_assert_cmphex(qtest_readl(f->qts, 0xf1230), ==, 0x12345678);
}

static void test_nothing_is_ram_after_a_reset(Fixture *f, const void *data)
{
    for (unsigned n = 0; n < SEGMENTS; n++) {
        set_segment(f, n, 3);
    }
    json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
    for (unsigned i = 0; i < 7; i++) {
        g_assert_cmphex(qpci_config_readb(f->qts, HOST_BRIDGE, PAM0 + i), ==, 0);
    }
    test_rom_is_in_both_places(f, data);
}

static void test_other_bits_stay_clear(Fixture *f, const void *data)
{
    qpci_config_writel(f->qts, HOST_BRIDGE, PAM0, UINT32_MAX);
    qpci_config_writel(f->qts, HOST_BRIDGE, PAM0 + 4, UINT32_MAX);
    g_assert_cmphex(qpci_config_readl(f->qts, HOST_BRIDGE, PAM0), ==, 0x33333330);
    g_assert_cmphex(qpci_config_readl(f->qts, HOST_BRIDGE, PAM0 + 4) & 0xffffff,
                    ==, 0x333333);
}

static void test_without_firmware_all_is_ram(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    Fixture f = { .qts = s };

    qpci_config_writel(s, HOST_BRIDGE, PAM0, 0);
    for (unsigned n = 0; n < SEGMENTS; n++) {
        g_assert_true(can_be_written(&f, segment_base(n)));
    }
    qtest_quit(s);
}

/* Firmware takes it for a sign that somebody has set SMIs up. */
static void test_there_is_no_smi_to_set_up(Fixture *f, const void *data)
{
    g_assert_cmphex(qtest_inl(f->qts, SMI_EN), ==, APMC_EN);
    qtest_outl(f->qts, SMI_EN, 0);
    g_assert_cmphex(qtest_inl(f->qts, SMI_EN), ==, APMC_EN);
}

#define SMRAM 0x9d
#define SMRAM_OPEN 0x40
#define SMRAM_LOCK 0x10
#define ESMRAMC 0x9e

static uint8_t set_register(Fixture *f, uint8_t reg, uint8_t value)
{
    qpci_config_writeb(f->qts, HOST_BRIDGE, reg, value);
    return qpci_config_readb(f->qts, HOST_BRIDGE, reg);
}

/* Memory that SMM would have stays what it is, whatever the registers say. */
static void test_smram_is_locked_until_a_reset(Fixture *f, const void *data)
{
    g_assert_cmphex(set_register(f, SMRAM, SMRAM_OPEN), ==, SMRAM_OPEN | 2);
    g_assert_cmphex(set_register(f, SMRAM, 0), ==, 2);
    g_assert_cmphex(set_register(f, SMRAM, 0xff & ~SMRAM_LOCK), ==, 0x6a);
    g_assert_cmphex(set_register(f, ESMRAMC, 0xff), ==, 0xbf);
    g_assert_true(can_be_written(f, 64 * MiB - 1));
    g_assert_cmphex(set_register(f, SMRAM, SMRAM_OPEN | SMRAM_LOCK), ==,
                    SMRAM_LOCK | 2);
    g_assert_cmphex(set_register(f, SMRAM, SMRAM_OPEN), ==, SMRAM_LOCK | 2);
    g_assert_cmphex(set_register(f, ESMRAMC, 0), ==, 0xbf);
    json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
    g_assert_cmphex(qpci_config_readb(f->qts, HOST_BRIDGE, ESMRAMC), ==, 0x38);
    g_assert_cmphex(qpci_config_readb(f->qts, HOST_BRIDGE, SMRAM), ==, 2);
    g_assert_cmphex(set_register(f, SMRAM, SMRAM_OPEN), ==, SMRAM_OPEN | 2);
}

/* Whether the emulator has a mapping of 2 MiB that is to be in small pages. */
static bool has_small_pages(QTestState *s)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/smaps", qtest_pid(s));
    g_autofree char *maps = NULL;

    g_assert_true(g_file_get_contents(path, &maps, NULL, NULL));
    return g_regex_match_simple("^Size: +2048 kB\\n([A-Z].*\\n)*VmFlags:.* nh( |$)",
                                maps, G_REGEX_MULTILINE, 0);
}

/* Firmware's little use of the first MiB does not cost a huge page. */
static void test_low_ram_is_in_small_pages(Fixture *f, const void *data)
{
    QTestState *without = qtest_init("-M q35 -m 64M");

    g_assert_true(has_small_pages(f->qts));
    g_assert_false(has_small_pages(without));
    qtest_quit(without);
}

/* --- what it is told --- */

static void test_memory_map_has_all_ram(Fixture *f, const void *data)
{
    g_autoptr(GByteArray) table = qfw_cfg_read_file(f->qts, "etc/e820");
    uint64_t first[2];

    memcpy(first, table->data, sizeof(first));
    g_assert_cmphex(first[0], ==, 0);
    g_assert_cmphex(first[1], ==, 64 * MiB);
}

/* Replaces the fixture's emulator by one with these further options. */
static void restart(Fixture *f, const char *options)
{
    qtest_quit(f->qts);
    f->qts = qtest_init("-M q35 -m 64M -bios %s -blockdev driver=file,"
                        "node-name=a,filename=%s,read-only=on -blockdev "
                        "driver=file,node-name=b,filename=%s,read-only=on %s",
                        f->rom, f->rom, f->rom, options);
}

/* "": none. */
static void check_order(Fixture *f, const char *expected)
{
    g_autoptr(GByteArray) order = qfw_cfg_read_file(f->qts, "bootorder");

    g_assert_cmpuint(order->len, ==, *expected ? strlen(expected) + 1 : 0);
    g_assert_cmpstr(order->len ? (char *)order->data : "", ==, expected);
}

static void test_boot_order_is_that_of_bootindex(Fixture *f, const void *data)
{
    restart(f, "-device pcie-root-port,id=p,addr=3,chassis=1 "
            "-device virtio-blk-pci,drive=a,addr=4,bootindex=9 "
            "-device virtio-blk-pci,drive=b,bus=p,bootindex=2 "
            "-device virtio-net-pci,addr=5.1,bootindex=0");
    check_order(f, "/pci@i0cf8/ethernet@5,1/ethernet-phy@0\n"
                "/pci@i0cf8/pci-bridge@3/scsi@0/disk@0,0\n"
                "/pci@i0cf8/scsi@4/disk@0,0");
}

static void test_strict_boots_from_nothing_else(Fixture *f, const void *data)
{
    restart(f, "-boot strict=on -device virtio-blk-pci,drive=a,addr=4,"
            "bootindex=1 -device virtio-blk-pci,drive=b,addr=5");
    check_order(f, "/pci@i0cf8/scsi@4/disk@0,0\nHALT");
}

static void test_cd_is_first_if_the_order_says_so(Fixture *f, const void *data)
{
    const char *cd = "/pci@i0cf8/scsi@3/disk@0,0";
    const char *disk = "/pci@i0cf8/scsi@4/disk@0,0";
    g_autofree char *both = g_strdup_printf("%s\n%s", disk, cd);
    const struct { const char *order, *disk, *expected; } cases[] = {
        { "order=dc", "addr=4", cd },
        { "order=nd", "addr=4", cd },
        { "order=cd", "addr=4", "" },
        { "once=d", "addr=4", cd },
        { "order=d", "addr=4,bootindex=1", both },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree char *options = g_strdup_printf(
            "-boot %s -device pcie-root-port,addr=1 -device pcie-root-port,"
            "addr=2,chassis=2 -cdrom %s -device virtio-blk-pci,drive=a,%s",
            cases[i].order, f->rom, cases[i].disk);

        restart(f, options);
        check_order(f, cases[i].expected);
    }
}

/* once= is over, and a disk is the first again. */
static void test_cd_is_first_only_once(Fixture *f, const void *data)
{
    g_autofree char *options = g_strdup_printf("-boot once=d -cdrom %s", f->rom);

    restart(f, options);
    check_order(f, "/pci@i0cf8/scsi@1/disk@0,0");
    json_node_unref(qmp_client_do(qtest_qmp(f->qts),
                                  "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(f->qts), "RESET"));
    check_order(f, "");
}

static void test_without_bootindex_there_is_no_order(Fixture *f,
                                                     const void *data)
{
    check_order(f, "");
}

/* --- -kernel by firmware --- */

static void test_kernel_is_given_to_firmware(Fixture *f, const void *data)
{
    g_autofree char *kernel = bzimage_make();
    g_autofree char *options = g_strdup_printf("-kernel %s -append by=firmware",
                                               kernel);
    char line[12];
    uint64_t size;

    if (access("/usr/share/qemu/linuxboot_dma.bin", R_OK) < 0) {
        g_test_skip("needs the package qemu-system-data");
        g_unlink(kernel);
        return;
    }
    restart(f, options);
    check_order(f, "/rom@genroms/linuxboot_dma.bin");
    size = qfw_cfg_read_le(f->qts, FW_CFG_SETUP_SIZE, 4) +
           qfw_cfg_read_le(f->qts, FW_CFG_KERNEL_SIZE, 4);
    g_assert_cmpuint(size, ==, file_size(kernel));
    g_assert_cmphex(qfw_cfg_read_le(f->qts, FW_CFG_KERNEL_ADDR, 4), ==, MiB);
    g_assert_cmpuint(qfw_cfg_read_le(f->qts, FW_CFG_CMDLINE_SIZE, 4), ==, 12);
    qfw_cfg_read(f->qts, FW_CFG_CMDLINE_DATA, line, sizeof(line));
    g_assert_cmpstr(line, ==, "by=firmware");
    g_assert_cmpuint(qfw_cfg_read_le(f->qts, FW_CFG_INITRD_SIZE, 4), ==, 0);
    g_unlink(kernel);
}

/* --- its log --- */

static void test_log_goes_to_a_character_device(Fixture *f, const void *data)
{
    g_autofree char *path = g_build_filename(f->dir, "log", NULL);
    g_autofree char *options = g_strdup_printf(
        "-chardev file,id=log,path=%s "
        "-device isa-debugcon,iobase=0x402,chardev=log", path);
    g_autofree char *log = NULL;

    restart(f, options);
    g_assert_cmphex(qtest_inb(f->qts, 0x402), ==, 0xe9);
    for (const char *c = "hello\n"; *c; c++) {
        qtest_outb(f->qts, 0x402, *c);
    }
    g_assert_true(g_file_get_contents(path, &log, NULL, NULL));
    g_assert_cmpstr(log, ==, "hello\n");
    g_unlink(path);
}

/* --- refused --- */

/* A disk that is always there. */
#define NODE(name) \
    "-blockdev driver=file,filename=/etc/passwd,read-only=on,node-name=" name " "

static void test_refused(void)
{
    static const CliBadCase cases[] = {
        { QTEST_ARGS "-bios /no/such/file", "-bios|/no/such/file" },
        { QTEST_ARGS "-bios no-such-bios.bin", "-bios|no-such-bios.bin" },
        { QTEST_ARGS "-bios /dev/null", "-bios|/dev/null" },
        { QTEST_ARGS "-bios /etc/passwd", "/etc/passwd|a multiple of 65536" },
        { QTEST_ARGS "-device isa-debugcon", "isa-debugcon|chardev= is missing" },
        { QTEST_ARGS "-chardev null,id=c -device isa-debugcon,chardev=c,"
          "iobase=0x10000", "iobase=0x10000|0xffff" },
        { QTEST_ARGS NODE("a") NODE("b")
          "-device virtio-blk-pci,drive=a,bootindex=1 "
          "-device virtio-blk-pci,drive=b,bootindex=1",
          "bootindex=1|already been used" },
        { QTEST_ARGS NODE("a") "-device virtio-blk-pci,drive=a,bootindex=-2",
          "bootindex=-2|0 or more" },
    };

    cli_check_all(cases, G_N_ELEMENTS(cases));
}

#define ADD(name, fn) \
    g_test_add("/firmware/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    int status;

    qtest_main_init(&argc, &argv);
    qtest_needs(QTEST_NEEDS_SPARSEVM);
    cli_begin();
    ADD("is in both places", test_rom_is_in_both_places);
    ADD("cannot be written", test_rom_cannot_be_written);
    ADD("each segment becomes RAM by itself",
        test_each_segment_becomes_ram_by_itself);
    ADD("RAM keeps its bytes while it is hidden",
        test_ram_keeps_its_bytes_while_it_is_hidden);
    ADD("nothing is RAM after a reset", test_nothing_is_ram_after_a_reset);
    ADD("other bits stay clear", test_other_bits_stay_clear);
    g_test_add_func("/firmware/without it all is RAM",
                    test_without_firmware_all_is_ram);
    ADD("there is no SMI to set up", test_there_is_no_smi_to_set_up);
    ADD("SMRAM is locked until a reset", test_smram_is_locked_until_a_reset);
    ADD("low RAM is in small pages", test_low_ram_is_in_small_pages);
    ADD("memory map has all RAM", test_memory_map_has_all_ram);
    ADD("boot order is that of bootindex", test_boot_order_is_that_of_bootindex);
    ADD("strict boots from nothing else", test_strict_boots_from_nothing_else);
    ADD("CD is first if the order says so", test_cd_is_first_if_the_order_says_so);
    ADD("CD is first only once", test_cd_is_first_only_once);
    ADD("without bootindex there is no order",
        test_without_bootindex_there_is_no_order);
    ADD("is found by name", test_is_found_by_name);
    ADD("kernel is given to firmware", test_kernel_is_given_to_firmware);
    ADD("its log goes to a character device",
        test_log_goes_to_a_character_device);
    g_test_add_func("/firmware/refused", test_refused);
    status = g_test_run();
    cli_end();
    return status;
}
