/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fw_cfg: how firmware, and a program without firmware, learns what machine it
 * is on: items, files, DMA, and DMA to where it must not reach.
 */
#include <glib/gstdio.h>

#include "fw-cfg.h"
#include "qemu/units.h"
#include "virtio-mem.h"

static void test_signature(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    uint8_t data[4];

    qfw_cfg_read(s, FW_CFG_SIGNATURE, data, 4);
    g_assert_cmpmem(data, 4, "QEMU", 4);
    g_assert_cmphex(qfw_cfg_read_le(s, FW_CFG_ID, 4), ==,
                    FW_CFG_VERSION | FW_CFG_VERSION_DMA);
    g_assert_cmphex(qtest_inl(s, QFW_CFG_DMA), ==, 0x554d4551);  /* "QEMU" */
    g_assert_cmphex(qtest_inl(s, QFW_CFG_DMA + 4), ==, 0x47464320); /* " CFG" */
    qtest_quit(s);
}

static void test_ram_size_is_that_of_boot_ram(void)
{
    QTestState *s = qtest_init("-M q35 -m 192M,maxmem=8G");

    g_assert_cmpuint(qfw_cfg_read_le(s, FW_CFG_RAM_SIZE, 8), ==, 192 * MiB);
    qtest_quit(s);
}

static void test_uuid(void)
{
    static const uint8_t zeros[16];
    static const uint8_t uuid[] = {
        0x55, 0x0e, 0x84, 0x00, 0xe2, 0x9b, 0x41, 0xd4,
        0xa7, 0x16, 0x44, 0x66, 0x55, 0x44, 0x00, 0x0f,
    };
    QTestState *s = qtest_init("-M q35 -m 64M "
                               "-uuid 550E8400-e29b-41d4-a716-44665544000f");
    uint8_t data[16];

    qfw_cfg_read(s, FW_CFG_UUID, data, 16);
    g_assert_cmpmem(data, 16, uuid, 16);
    qtest_quit(s);
    s = qtest_init("-M q35 -m 64M");
    qfw_cfg_read(s, FW_CFG_UUID, data, 16);
    g_assert_cmpmem(data, 16, zeros, 16);
    qtest_quit(s);
}

static void test_number_of_cpus(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -smp 3");

    g_assert_cmpuint(qfw_cfg_read_le(s, FW_CFG_NB_CPUS, 2), ==, 3);
    g_assert_cmpuint(qfw_cfg_read_le(s, FW_CFG_MAX_CPUS, 2), ==, 3);
    qtest_quit(s);
}

static void test_max_cpus_is_limit_of_apic_ids(void)
{
    /* Three cores take two bits of the APIC ID. */
    QTestState *s = qtest_init("-M q35 -m 64M "
                               "-smp 1,maxcpus=6,sockets=2,cores=3,threads=1");

    g_assert_cmpuint(qfw_cfg_read_le(s, FW_CFG_MAX_CPUS, 2), ==, 7);
    qtest_quit(s);
}

static void test_numa_nodes(void)
{
    static const uint64_t expected[] = { 2, 1, 0, 24 * MiB, 40 * MiB };
    QTestState *s = qtest_init("-M q35 -m 64M -smp 2 "
                               "-object memory-backend-ram,id=a,size=24M "
                               "-object memory-backend-ram,id=b,size=40M "
                               "-numa node,cpus=1,memdev=a "
                               "-numa node,cpus=0,memdev=b");
    uint64_t words[5];

    qfw_cfg_read(s, FW_CFG_NUMA, words, sizeof(words));
    g_assert_cmpmem(words, sizeof(words), expected, sizeof(expected));
    qtest_quit(s);
}

static void test_boot_options(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -boot menu=on,strict=on "
                               "-boot reboot-timeout=1000,splash-time=12");
    g_autoptr(GByteArray) timeout = qfw_cfg_read_file(s, "etc/boot-fail-wait");
    g_autoptr(GByteArray) wait = qfw_cfg_read_file(s, "etc/boot-menu-wait");

    g_assert_cmpuint(qfw_cfg_read_le(s, FW_CFG_BOOT_MENU, 2), ==, 1);
    g_assert_cmpmem(timeout->data, timeout->len, "\xe8\x03\0\0", 4);
    g_assert_cmpmem(wait->data, wait->len, "\x0c\0", 2);
    qtest_quit(s);
}

static void test_without_boot_options(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    g_autoptr(GByteArray) timeout = qfw_cfg_read_file(s, "etc/boot-fail-wait");

    g_assert_cmpuint(qfw_cfg_read_le(s, FW_CFG_BOOT_MENU, 2), ==, 0);
    g_assert_cmpmem(timeout->data, timeout->len, "\xff\xff\xff\xff", 4);
    g_assert_null(qfw_cfg_read_file(s, "etc/boot-menu-wait"));
    g_assert_null(qfw_cfg_read_file(s, "etc/reserved-memory-end"));
    qtest_quit(s);
}

/* SeaBIOS has the serial port for a screen, then. */
static void test_nographic(void)
{
    static const char *const options[] = { "", "-machine graphics=off",
                                           "-nographic" };

    for (unsigned i = 0; i < G_N_ELEMENTS(options); i++) {
        QTestState *s = qtest_init("-M q35 -m 64M -nodefaults %s", options[i]);

        g_assert_cmpuint(qfw_cfg_read_le(s, FW_CFG_NOGRAPHIC, 2), ==, i > 0);
        qtest_quit(s);
    }
}

static uint8_t read_cmos(QTestState *s, uint8_t index)
{
    qtest_outb(s, 0x70, index);
    return qtest_inb(s, 0x71);
}

/* Hard disk 2, CD 3, network 4, as a PC's firmware has them. */
static void test_boot_order_is_in_cmos(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -boot ndc");

    g_assert_cmphex(read_cmos(s, 0x3d), ==, 0x34);
    g_assert_cmphex(read_cmos(s, 0x38) >> 4, ==, 0x2);
    qtest_quit(s);
    s = qtest_init("-M q35 -m 64M -boot order=c,once=d -no-fd-bootchk");
    g_assert_cmphex(read_cmos(s, 0x3d), ==, 0x03);
    g_assert_cmphex(read_cmos(s, 0x38), ==, 1);
    json_node_unref(qmp_client_do(qtest_qmp(s), "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(s), "RESET"));
    g_assert_cmphex(read_cmos(s, 0x3d), ==, 0x02);
    qtest_quit(s);
    s = qtest_init("-M q35 -m 64M -boot order=d");
    g_assert_cmphex(read_cmos(s, 0x3d), ==, 0x03);
    g_assert_cmphex(read_cmos(s, 0x38) >> 4, ==, 0);
    qtest_quit(s);
}

/* The RAM that etc/e820 tells of; bytes. */
static uint64_t e820_ram(QTestState *s)
{
    g_autoptr(GByteArray) table = qfw_cfg_read_file(s, "etc/e820");
    uint64_t sum = 0;

    g_assert_cmpuint(table->len % 20, ==, 0);
    for (guint i = 0; i < table->len; i += 20) {
        uint64_t size;
        uint32_t type;

        memcpy(&size, table->data + i + 8, sizeof(size));
        memcpy(&type, table->data + i + 16, sizeof(type));
        sum += type == 1 ? size : 0;
    }
    return sum;
}

static void test_memory_files(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M,maxmem=4G,slots=2");
    g_autoptr(GByteArray) end = qfw_cfg_read_file(s, "etc/reserved-memory-end");
    uint64_t value;

    g_assert_cmpuint(end->len, ==, 8);
    memcpy(&value, end->data, 8);
    g_assert_cmphex(value, >=, 4 * GiB + 4 * GiB - 64 * MiB);
    g_assert_cmphex(value % GiB, ==, 0);
    /* All but what the BIOS keeps of the first MiB, if anything. */
    g_assert_cmphex(e820_ram(s), >=, 63 * MiB);
    g_assert_cmphex(e820_ram(s), <=, 64 * MiB);
    qtest_quit(s);
}

/* --- files of users --- */

static void test_user_files(void)
{
    g_autofree char *path = NULL;
    g_autoptr(GByteArray) text = NULL;
    g_autoptr(GByteArray) contents = NULL;
    QTestState *s;
    int fd = g_file_open_tmp("fw-cfg-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, "a\0b\n", 4, NULL));
    s = qtest_init("-M q35 -m 64M -fw_cfg name=opt/org.test/text,string=hello "
                   "-fw_cfg opt/org.test/file,file=%s", path);
    g_unlink(path);
    text = qfw_cfg_read_file(s, "opt/org.test/text");
    g_assert_cmpmem(text->data, text->len, "hello", 5);
    contents = qfw_cfg_read_file(s, "opt/org.test/file");
    g_assert_cmpmem(contents->data, contents->len, "a\0b\n", 4);
    qtest_quit(s);
}

static void test_unknown_file(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");

    g_assert_null(qfw_cfg_read_file(s, "opt/no/such/file"));
    qtest_quit(s);
}

static void test_reads_beyond_an_item_are_zero(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    uint8_t data[16], zero[12] = { 0 };

    qfw_cfg_read(s, FW_CFG_SIGNATURE, data, 16);
    g_assert_cmpmem(data + 4, 12, zero, 12);
    /* Selecting it again starts over. */
    qfw_cfg_read(s, FW_CFG_SIGNATURE, data, 4);
    g_assert_cmpmem(data, 4, "QEMU", 4);
    qtest_quit(s);
}

static void test_unknown_items_are_zero(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");

    g_assert_cmphex(qfw_cfg_read_le(s, 0x7ff, 8), ==, 0);
    g_assert_cmphex(qfw_cfg_read_le(s, 0xffff, 8), ==, 0);
    qtest_quit(s);
}

static void test_file_directory_can_be_walked(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    uint8_t count[4];
    uint32_t n;

    qfw_cfg_read(s, FW_CFG_FILE_DIR, count, 4);
    n = (uint32_t)count[0] << 24 | count[1] << 16 | count[2] << 8 | count[3];
    g_assert_cmpuint(n, <, 256);
    for (uint32_t i = 0; i < n * 64; i++) {
        qtest_inb(s, QFW_CFG_DATA);
    }
    g_assert_cmphex(qtest_inb(s, QFW_CFG_DATA), ==, 0);
    qtest_quit(s);
}

static void test_random_accesses_do_no_harm(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    g_autoptr(GRand) rand = qtest_rand_new();
    uint8_t data[4];

    for (unsigned i = 0; i < 2000; i++) {
        qtest_outw(s, QFW_CFG_SELECTOR, g_rand_int(rand));
        qtest_outb(s, QFW_CFG_DATA, g_rand_int(rand));
        qtest_inb(s, QFW_CFG_DATA);
        qtest_inw(s, QFW_CFG_SELECTOR);
    }
    qfw_cfg_read(s, FW_CFG_SIGNATURE, data, 4);
    g_assert_cmpmem(data, 4, "QEMU", 4);
    qtest_quit(s);
}

/* --- DMA --- */

#define BLOCK (2 * MiB)
#define AT (1 * MiB)                      /* the description of a transfer */
#define TO (2 * MiB)                      /* where it goes */
#define SELECT(key) ((uint32_t)(key) << 16 | FW_CFG_DMA_CTL_SELECT)

static void test_dma_reads_an_item(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -fw_cfg opt/a,string=0123456789");
    uint32_t size;
    uint16_t key = qfw_cfg_find_file(s, "opt/a", &size);
    uint8_t data[16];

    qtest_memset(s, TO, 0xaa, 32);
    g_assert_cmphex(qfw_cfg_dma(s, AT, SELECT(key) | FW_CFG_DMA_CTL_READ, 4,
                                TO), ==, 0);
    g_assert_cmphex(qfw_cfg_dma(s, AT, FW_CFG_DMA_CTL_SKIP, 2, 0), ==, 0);
    /* The rest, and zeros. */
    g_assert_cmphex(qfw_cfg_dma(s, AT, FW_CFG_DMA_CTL_READ, 12, TO + 4), ==, 0);
    qtest_memread(s, TO, data, sizeof(data));
    g_assert_cmpmem(data, 16, "01236789\0\0\0\0\0\0\0\0", 16);
    g_assert_cmphex(qtest_readb(s, TO + 16), ==, 0xaa);
    qtest_quit(s);
}

static void test_dma_selects_for_the_port(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");

    g_assert_cmphex(qfw_cfg_dma(s, AT, SELECT(FW_CFG_SIGNATURE), 0, 0), ==, 0);
    g_assert_cmphex(qfw_cfg_dma(s, AT, FW_CFG_DMA_CTL_SKIP, 2, 0), ==, 0);
    g_assert_cmphex(qtest_inb(s, QFW_CFG_DATA), ==, 'M');
    /* A reset selects the signature again. */
    json_node_unref(qmp_client_do(qtest_qmp(s), "{'execute': 'system_reset'}"));
    json_object_unref(qmp_client_event(qtest_qmp(s), "RESET"));
    g_assert_cmphex(qtest_inb(s, QFW_CFG_DATA), ==, 'Q');
    qtest_quit(s);
}

static void test_dma_does_not_write_what_is_read_only(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -fw_cfg opt/a,string=0123456789");
    uint32_t size;
    uint16_t key = qfw_cfg_find_file(s, "opt/a", &size);
    uint8_t data[4];

    qtest_memset(s, TO, 0xaa, 32);
    g_assert_cmphex(qfw_cfg_dma(s, AT, SELECT(key) | FW_CFG_DMA_CTL_WRITE, 4,
                                TO), ==, FW_CFG_DMA_CTL_ERROR);
    g_assert_cmphex(qfw_cfg_dma(s, AT, SELECT(0x7ff) | FW_CFG_DMA_CTL_WRITE, 4,
                                TO), ==, FW_CFG_DMA_CTL_ERROR);
    qfw_cfg_read(s, key, data, 4);
    g_assert_cmpmem(data, 4, "0123", 4);
    qtest_quit(s);
}

/* --- DMA to where it must not reach; what QEMU allows it in part --- */

/* No boot RAM is touched by what fails; @address is none. */
static void expect_dma_error(QTestState *s, uint64_t address, uint32_t length)
{
    g_assert_cmphex(qfw_cfg_dma(s, AT, SELECT(FW_CFG_SIGNATURE) |
                                FW_CFG_DMA_CTL_READ, length, address), ==,
                    FW_CFG_DMA_CTL_ERROR);
}

static void test_dma_refuses_what_is_no_ram(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");

    expect_dma_error(s, 64 * MiB, 4);              /* nothing is there */
    expect_dma_error(s, 64 * MiB - 2, 4);          /* the end of RAM */
    expect_dma_error(s, 0xfec00000, 4);            /* the IOAPIC */
    expect_dma_error(s, 0xb0000000, 4);            /* configuration space */
    expect_dma_error(s, 0xfee00000, 4);            /* interrupts */
    expect_dma_error(s, UINT64_MAX - 1, 4);        /* round the end to 0 */
    expect_dma_error(s, UINT64_MAX, 1);
    expect_dma_error(s, 0, UINT32_MAX);            /* longer than anything */
    g_assert_cmphex(qfw_cfg_read_le(s, FW_CFG_SIGNATURE, 4), ==, 0x554d4551);
    qtest_quit(s);
}

/* The description itself is where nothing is. */
static void test_dma_description_must_be_in_ram(void)
{
    static const uint64_t places[] = {
        64 * MiB, 64 * MiB - 8, 0xfec00000, UINT64_MAX, UINT64_MAX - 7,
    };
    QTestState *s = qtest_init("-M q35 -m 64M");

    for (unsigned i = 0; i < G_N_ELEMENTS(places); i++) {
        qtest_outl(s, QFW_CFG_DMA,
                   GUINT32_TO_BE((uint32_t)(places[i] >> 32)));
        qtest_outl(s, QFW_CFG_DMA + 4, GUINT32_TO_BE((uint32_t)places[i]));
    }
    /* As far as it is RAM, the guest is told. */
    g_assert_cmphex(GUINT32_FROM_BE(qtest_readl(s, 64 * MiB - 8)), ==,
                    FW_CFG_DMA_CTL_ERROR);
    g_assert_cmphex(qfw_cfg_dma(s, AT, SELECT(FW_CFG_SIGNATURE) |
                                FW_CFG_DMA_CTL_READ, 4, TO), ==, 0);
    g_assert_cmphex(qtest_readl(s, TO), ==, 0x554d4551);
    qtest_quit(s);
}

static void test_dma_and_unplugged_memory(void)
{
    QTestState *s = qtest_init(
        "-M q35 -m 64M,maxmem=2G -object memory-backend-ram,id=m0,size=256M "
        "-device virtio-mem-pci,id=vm0,memdev=m0,block-size=2M,"
        "requested-size=256M");
    struct virtio_mem_config config;
    uint64_t plugged = 0;
    QVirtioMem vmem;
    QGuest guest;

    qguest_init(&guest, s);
    qvirtio_mem_init(&vmem, &guest, 0);
    qvirtio_mem_config(&vmem, &config);
    expect_dma_error(s, config.addr, 4);
    g_assert_cmpuint(qvirtio_mem_plug(&vmem, config.addr, 1), ==,
                     VIRTIO_MEM_RESP_ACK);
    g_assert_cmphex(qfw_cfg_dma(s, AT, SELECT(FW_CFG_SIGNATURE) |
                                FW_CFG_DMA_CTL_READ, 4, config.addr), ==, 0);
    g_assert_cmphex(qtest_readl(s, config.addr), ==, 0x554d4551);
    /* From a plugged block into one that is not; and the description. */
    expect_dma_error(s, config.addr + BLOCK - 2, 4);
    qtest_outl(s, QFW_CFG_DMA,
               GUINT32_TO_BE((uint32_t)((config.addr + BLOCK) >> 32)));
    qtest_outl(s, QFW_CFG_DMA + 4,
               GUINT32_TO_BE((uint32_t)(config.addr + BLOCK)));
    plugged = qtest_qom_get_uint(s, "/machine/peripheral/vm0", "size");
    g_assert_cmphex(plugged, ==, BLOCK);
    qtest_quit(s);
}

static void test_dma_zeros_are_bounded(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");

    g_assert_cmphex(qfw_cfg_dma(s, AT, SELECT(0x7ff) | FW_CFG_DMA_CTL_READ, MiB,
                                TO), ==, 0);
    g_assert_cmphex(qfw_cfg_dma(s, AT, SELECT(0x7ff) | FW_CFG_DMA_CTL_READ,
                                MiB + 1, TO), ==, FW_CFG_DMA_CTL_ERROR);
    qtest_quit(s);
}

static void test_random_dma_does_no_harm(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    g_autoptr(GRand) rand = qtest_rand_new();

    for (unsigned i = 0; i < 1000; i++) {
        uint64_t address = (uint64_t)g_rand_int(rand) << g_rand_int_range(rand, 0, 33);

        qfw_cfg_dma(s, AT, g_rand_int(rand) & 0x4001001e,
                    g_rand_int(rand) >> g_rand_int_range(rand, 0, 32),
                    address);
    }
    g_assert_cmphex(qfw_cfg_read_le(s, FW_CFG_SIGNATURE, 4), ==, 0x554d4551);
    qtest_quit(s);
}

/* What QEMU does in part, or without a limit. */
static void add_limits(void)
{
    g_test_add_func("/fw-cfg/dma/refuses-what-is-no-ram",
                    test_dma_refuses_what_is_no_ram);
    g_test_add_func("/fw-cfg/dma/description-must-be-in-ram",
                    test_dma_description_must_be_in_ram);
    g_test_add_func("/fw-cfg/dma/unplugged-memory",
                    test_dma_and_unplugged_memory);
    g_test_add_func("/fw-cfg/dma/zeros-are-bounded",
                    test_dma_zeros_are_bounded);
    g_test_add_func("/fw-cfg/dma/random-does-no-harm",
                    test_random_dma_does_no_harm);
}

int main(int argc, char **argv)
{
    qtest_main_init(&argc, &argv);
    g_test_add_func("/fw-cfg/signature", test_signature);
    g_test_add_func("/fw-cfg/ram-size-is-that-of-boot-ram",
                    test_ram_size_is_that_of_boot_ram);
    g_test_add_func("/fw-cfg/number-of-cpus", test_number_of_cpus);
    g_test_add_func("/fw-cfg/reads-beyond-an-item-are-zero",
                    test_reads_beyond_an_item_are_zero);
    g_test_add_func("/fw-cfg/unknown-items-are-zero",
                    test_unknown_items_are_zero);
    g_test_add_func("/fw-cfg/file-directory-can-be-walked",
                    test_file_directory_can_be_walked);
    g_test_add_func("/fw-cfg/random-accesses-do-no-harm",
                    test_random_accesses_do_no_harm);
    g_test_add_func("/fw-cfg/uuid", test_uuid);
    g_test_add_func("/fw-cfg/max-cpus-is-limit-of-apic-ids",
                    test_max_cpus_is_limit_of_apic_ids);
    g_test_add_func("/fw-cfg/numa-nodes", test_numa_nodes);
    g_test_add_func("/fw-cfg/boot-options", test_boot_options);
    g_test_add_func("/fw-cfg/nographic", test_nographic);
    g_test_add_func("/fw-cfg/boot-order-is-in-cmos",
                    test_boot_order_is_in_cmos);
    g_test_add_func("/fw-cfg/without-boot-options", test_without_boot_options);
    g_test_add_func("/fw-cfg/memory-files", test_memory_files);
    g_test_add_func("/fw-cfg/user-files", test_user_files);
    g_test_add_func("/fw-cfg/unknown-file", test_unknown_file);
    g_test_add_func("/fw-cfg/dma/reads-an-item", test_dma_reads_an_item);
    g_test_add_func("/fw-cfg/dma/selects-for-the-port",
                    test_dma_selects_for_the_port);
    g_test_add_func("/fw-cfg/dma/does-not-write-what-is-read-only",
                    test_dma_does_not_write_what_is_read_only);
    if (qtest_emulator_has(QTEST_NEEDS_SPARSEVM)) {
        add_limits();
    }
    return g_test_run();
}
