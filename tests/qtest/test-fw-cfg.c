/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fw_cfg: how a program without firmware learns what machine it is on. */
#include "libqtest.h"
#include "qemu/units.h"

#define FW_CFG_SELECTOR 0x510
#define FW_CFG_DATA 0x511

#define FW_CFG_SIGNATURE 0x00
#define FW_CFG_ID 0x01
#define FW_CFG_UUID 0x02
#define FW_CFG_RAM_SIZE 0x03
#define FW_CFG_NB_CPUS 0x05
#define FW_CFG_FILE_DIR 0x19

static void fw_cfg_read(QTestState *s, uint16_t key, uint8_t *data, size_t n)
{
    qtest_outw(s, FW_CFG_SELECTOR, key);
    for (size_t i = 0; i < n; i++) {
        data[i] = qtest_inb(s, FW_CFG_DATA);
    }
}

static uint64_t fw_cfg_read_le(QTestState *s, uint16_t key, unsigned n)
{
    uint8_t data[8];
    uint64_t value = 0;

    fw_cfg_read(s, key, data, n);
    for (unsigned i = 0; i < n; i++) {
        value |= (uint64_t)data[i] << 8 * i;
    }
    return value;
}

static void test_signature(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    uint8_t data[4];

    fw_cfg_read(s, FW_CFG_SIGNATURE, data, 4);
    g_assert_cmpmem(data, 4, "QEMU", 4);
    g_assert_cmphex(fw_cfg_read_le(s, FW_CFG_ID, 4) & 1, ==, 1);
    qtest_quit(s);
}

static void test_ram_size_is_that_of_boot_ram(void)
{
    QTestState *s = qtest_init("-M q35 -m 192M,maxmem=8G");

    g_assert_cmpuint(fw_cfg_read_le(s, FW_CFG_RAM_SIZE, 8), ==, 192 * MiB);
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

    fw_cfg_read(s, FW_CFG_UUID, data, 16);
    g_assert_cmpmem(data, 16, uuid, 16);
    qtest_quit(s);
    s = qtest_init("-M q35 -m 64M");
    fw_cfg_read(s, FW_CFG_UUID, data, 16);
    g_assert_cmpmem(data, 16, zeros, 16);
    qtest_quit(s);
}

static void test_number_of_cpus(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M -smp 3");

    g_assert_cmpuint(fw_cfg_read_le(s, FW_CFG_NB_CPUS, 2), ==, 3);
    qtest_quit(s);
}

static void test_reads_beyond_an_item_are_zero(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    uint8_t data[16], zero[12] = { 0 };

    fw_cfg_read(s, FW_CFG_SIGNATURE, data, 16);
    g_assert_cmpmem(data + 4, 12, zero, 12);
    /* Selecting it again starts over. */
    fw_cfg_read(s, FW_CFG_SIGNATURE, data, 4);
    g_assert_cmpmem(data, 4, "QEMU", 4);
    qtest_quit(s);
}

static void test_unknown_items_are_zero(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");

    g_assert_cmphex(fw_cfg_read_le(s, 0x7ff, 8), ==, 0);
    g_assert_cmphex(fw_cfg_read_le(s, 0xffff, 8), ==, 0);
    qtest_quit(s);
}

static void test_file_directory_can_be_walked(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    uint8_t count[4];
    uint32_t n;

    fw_cfg_read(s, FW_CFG_FILE_DIR, count, 4);
    n = (uint32_t)count[0] << 24 | count[1] << 16 | count[2] << 8 | count[3];
    g_assert_cmpuint(n, <, 256);
    for (uint32_t i = 0; i < n * 64; i++) {
        qtest_inb(s, FW_CFG_DATA);
    }
    g_assert_cmphex(qtest_inb(s, FW_CFG_DATA), ==, 0);
    qtest_quit(s);
}

static void test_random_accesses_do_no_harm(void)
{
    QTestState *s = qtest_init("-M q35 -m 64M");
    g_autoptr(GRand) rand = qtest_rand_new();
    uint8_t data[4];

    for (unsigned i = 0; i < 2000; i++) {
        qtest_outw(s, FW_CFG_SELECTOR, g_rand_int(rand));
        qtest_outb(s, FW_CFG_DATA, g_rand_int(rand));
        qtest_inb(s, FW_CFG_DATA);
        qtest_inw(s, FW_CFG_SELECTOR);
    }
    fw_cfg_read(s, FW_CFG_SIGNATURE, data, 4);
    g_assert_cmpmem(data, 4, "QEMU", 4);
    qtest_quit(s);
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
    return g_test_run();
}
