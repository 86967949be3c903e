/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/pci/pci-rom.c and hw/vfio/pci-rom.c: what a guest sees of an expansion ROM, of a
 * file or of a device that is passed through, when it is read, and what becomes of
 * files and devices that have none to give.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <glib/gstdio.h>

#include "fake-vfio-device.h"
#include "pci-fixture.h"
#include "qapi/error.h"
#include "sysemu/reset.h"

#define ROM_ADDR 0xd0000000U
#define CONTENTS 3000                     /* bytes; the register has 4 KiB */
#define PCIR 0x1c

typedef struct Fixture {
    char *dir;
    char *path;                           /* CONTENTS bytes */
    uint8_t bytes[CONTENTS];
    FakeVFIODevice *fake;
} Fixture;

static void fill(uint8_t *rom, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        rom[i] = i * 5 + i / 256;
    }
    pci_set_word(rom, 0xaa55);
    pci_set_word(rom + 0x18, PCIR);
    memcpy(rom + PCIR, "PCIR", 4);
    pci_set_word(rom + PCIR + 4, 0xdead);
    pci_set_word(rom + PCIR + 6, 0xbeef);
    rom[PCIR + 0x14] = 0;
}

static void set_up(Fixture *f, gconstpointer data)
{
    pci_board();
    f->dir = g_dir_make_tmp("rom-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "rom", NULL);
    fill(f->bytes, CONTENTS);
    g_assert_true(g_file_set_contents(f->path, (char *)f->bytes, CONTENTS, NULL));
    f->fake = fake_vfio_device_new();
    fill(f->fake->rom, sizeof(f->fake->rom));
    f->fake->rom_size = CONTENTS;
    fake_vfio_device_offer(f->fake);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    pci_board_clear();
    fake_vfio_device_free(f->fake);
    g_unlink(f->path);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->path);
    g_free(f->dir);
}

static char *romfile_of(Fixture *f)
{
    return g_strconcat("romfile=", f->path, NULL);
}

static void enable(PCIDevice *dev)
{
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    cfg_write(dev, PCI_ROM_ADDRESS, ROM_ADDR | PCI_ROM_ADDRESS_ENABLE, 4);
}

static void assert_none(PCIDevice *dev)
{
    cfg_write(dev, PCI_ROM_ADDRESS, UINT32_MAX, 4);
    g_assert_cmphex(cfg_read(dev, PCI_ROM_ADDRESS, 4), ==, 0);
    enable(dev);
    g_assert_cmpint(mem_result(ROM_ADDR, 4), !=, MEMTX_OK);
}

static void assert_contents(const uint8_t *bytes)
{
    for (unsigned i = 0; i < CONTENTS; i++) {
        g_assert_cmphex(mem_read(ROM_ADDR + i, 1), ==, bytes[i]);
    }
    g_assert_cmphex(mem_read(ROM_ADDR + CONTENTS, 4), ==, UINT32_MAX);
    g_assert_cmphex(mem_read(ROM_ADDR + 4 * KiB - 4, 4), ==, UINT32_MAX);
    g_assert_cmpint(mem_result(ROM_ADDR + 4 * KiB, 4), !=, MEMTX_OK);
}

static uint8_t sum_of_rom(void)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < CONTENTS; i++) {
        sum += mem_read(ROM_ADDR + i, 1);
    }
    return sum;
}

/* --- the register --- */

static void test_is_sized(Fixture *f, gconstpointer data)
{
    g_autofree char *romfile = romfile_of(f);
    PCIDevice *dev = pci_board_plug(TYPE_TEST_PCI, romfile, NULL);

    g_assert_cmphex(cfg_read(dev, PCI_ROM_ADDRESS, 4), ==, 0);
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    cfg_write(dev, PCI_ROM_ADDRESS, PCI_ROM_ADDRESS_MASK, 4);
    g_assert_cmphex(cfg_read(dev, PCI_ROM_ADDRESS, 4), ==, 0xfffff000);
    cfg_write(dev, PCI_ROM_ADDRESS, UINT32_MAX, 4);
    g_assert_cmphex(cfg_read(dev, PCI_ROM_ADDRESS, 4), ==, 0xfffff001);
}

static void test_is_shown_where_it_is_enabled(Fixture *f, gconstpointer data)
{
    g_autofree char *romfile = romfile_of(f);
    PCIDevice *dev = pci_board_plug(TYPE_TEST_PCI, romfile, NULL);

    cfg_write(dev, PCI_ROM_ADDRESS, ROM_ADDR | PCI_ROM_ADDRESS_ENABLE, 4);
    g_assert_cmpint(mem_result(ROM_ADDR, 4), !=, MEMTX_OK);
    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    assert_contents(f->bytes);
    cfg_write(dev, PCI_ROM_ADDRESS, ROM_ADDR, 4);
    g_assert_cmpint(mem_result(ROM_ADDR, 4), !=, MEMTX_OK);
    enable(dev);
    assert_contents(f->bytes);
    qemu_devices_reset();
    g_assert_cmphex(cfg_read(dev, PCI_ROM_ADDRESS, 4), ==, 0);
    g_assert_cmpint(mem_result(ROM_ADDR, 4), !=, MEMTX_OK);
}

static void test_is_read_only(Fixture *f, gconstpointer data)
{
    g_autofree char *romfile = romfile_of(f);

    enable(pci_board_plug(TYPE_TEST_PCI, romfile, NULL));
    mem_write(ROM_ADDR + 100, 0x12345678, 4);
    assert_contents(f->bytes);
}

static void test_tiny_file(Fixture *f, gconstpointer data)
{
    g_autofree char *romfile = romfile_of(f);
    PCIDevice *dev;

    g_assert_true(g_file_set_contents(f->path, "x", 1, NULL));
    dev = pci_board_plug(TYPE_TEST_PCI, romfile, NULL);
    cfg_write(dev, PCI_ROM_ADDRESS, PCI_ROM_ADDRESS_MASK, 4);
    g_assert_cmphex(cfg_read(dev, PCI_ROM_ADDRESS, 4), ==, 0xfffff000);
    enable(dev);
    g_assert_cmphex(mem_read(ROM_ADDR, 4), ==, 0xffffff78);
}

static void test_behind_a_bridge_it_is_elsewhere(Fixture *f, gconstpointer data)
{
    g_autofree char *romfile = romfile_of(f);
    PCIDevice *dev = pci_board_plug("pcie-root-port", romfile, NULL);

    cfg_write(dev, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    cfg_write(dev, PCI_ROM_ADDRESS1, ROM_ADDR | PCI_ROM_ADDRESS_ENABLE, 4);
    assert_contents(f->bytes);
}

/* --- files --- */

static void test_file_is_read_when_it_is_enabled(Fixture *f, gconstpointer data)
{
    g_autofree char *romfile = romfile_of(f);
    PCIDevice *dev = pci_board_plug(TYPE_TEST_PCI, romfile, NULL);
    int fd = open(f->path, O_WRONLY);

    g_assert_cmpint(pwrite(fd, "changed", 7, 0), ==, 7);
    close(fd);
    memcpy(f->bytes, "changed", 7);
    enable(dev);
    assert_contents(f->bytes);
}

static void test_file_that_was_cut(Fixture *f, gconstpointer data)
{
    g_autofree char *romfile = romfile_of(f);
    PCIDevice *dev = pci_board_plug(TYPE_TEST_PCI, romfile, NULL);

    g_assert_cmpint(truncate(f->path, 10), ==, 0);
    enable(dev);
    g_assert_cmphex(mem_read(ROM_ADDR, 4), ==, UINT32_MAX);
    g_assert_cmphex(mem_read(ROM_ADDR + 1000, 4), ==, UINT32_MAX);
}

static void refuse(const char *a, const char *b, const char *part)
{
    PCIDevice *dev = pci_board_new(TYPE_TEST_PCI, a, b, NULL);
    Error *err = NULL;

    g_assert_false(qdev_realize_and_unref(DEVICE(dev), &pci_board()->bus->qbus,
                                          &err));
    if (!strstr(error_get_pretty(err), a) || !strstr(error_get_pretty(err), part)) {
        g_error("%s: %s is missing", error_get_pretty(err), part);
    }
    error_free(err);
}

static void test_files_that_are_none(Fixture *f, gconstpointer data)
{
    g_autofree char *romfile = romfile_of(f);
    g_autofree char *dir = g_strconcat("romfile=", f->dir, NULL);

    refuse("romfile=/no/such", NULL, "no such file");
    refuse("romfile=no-such.rom", NULL, "-L");
    refuse(dir, NULL, "not a regular file");
    refuse("romfile=/dev/null", NULL, "not a regular file");
    refuse(romfile, "rombar=0", "rombar=0");
    g_assert_cmpint(truncate(f->path, 0), ==, 0);
    refuse(romfile, NULL, "0 bytes; 1 to 16777216");
    g_assert_cmpint(truncate(f->path, PCI_ROM_MAX + 1), ==, 0);
    refuse(romfile, NULL, "16777217 bytes; 1 to 16777216");
    g_assert_cmpint(truncate(f->path, PCI_ROM_MAX), ==, 0);
    pci_board_plug(TYPE_TEST_PCI, romfile, NULL);
}

static unsigned open_files(void)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir)) {
        n++;
    }
    g_dir_close(dir);
    return n;
}

static void test_nothing_is_left_open(Fixture *f, gconstpointer data)
{
    g_autofree char *romfile = romfile_of(f);
    unsigned before = open_files();
    PCIDevice *dev = pci_board_new(TYPE_TEST_PCI, romfile, "fail-realize=1", NULL);

    g_assert_false(qdev_realize_and_unref(DEVICE(dev), &pci_board()->bus->qbus,
                                          NULL));
    g_assert_cmpuint(open_files(), ==, before);
    dev = pci_board_plug(TYPE_TEST_PCI, romfile, NULL);
    pci_board_unplug(dev);
    g_assert_cmpuint(open_files(), ==, before);
    enable(pci_board_plug(TYPE_TEST_PCI, romfile, NULL));
    g_assert_cmpuint(open_files(), ==, before);
}

/* --- passed through --- */

static void test_device_is_asked_once(Fixture *f, gconstpointer data)
{
    PCIDevice *dev = pci_board_plug(TYPE_FAKE_VFIO_PCI, NULL);

    cfg_write(dev, PCI_ROM_ADDRESS, UINT32_MAX, 4);
    g_assert_cmphex(cfg_read(dev, PCI_ROM_ADDRESS, 4), ==, 0xfffff001);
    g_assert_cmpuint(f->fake->rom_reads, ==, 0);
    enable(dev);
    g_assert_cmphex(mem_read(ROM_ADDR + 200, 1), ==, f->fake->rom[200]);
    cfg_write(dev, PCI_ROM_ADDRESS, 0, 4);
    enable(dev);
    g_assert_cmpuint(f->fake->rom_reads, ==, 1);
    /* The host's own register stays as it is. */
    g_assert_cmphex(pci_get_long(f->fake->config + PCI_ROM_ADDRESS), ==,
                    0xfc000001);
}

/* Whose function it is: firmware compares. The sum stays what it was. */
static void test_identity_is_the_functions(Fixture *f, gconstpointer data)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < CONTENTS; i++) {
        sum += f->fake->rom[i];
    }
    enable(pci_board_plug(TYPE_FAKE_VFIO_PCI, "x-pci-device-id=0x4321", NULL));
    g_assert_cmphex(mem_read(ROM_ADDR + PCIR + 4, 2), ==, 0x1b36);
    g_assert_cmphex(mem_read(ROM_ADDR + PCIR + 6, 2), ==, 0x4321);
    g_assert_cmphex(sum_of_rom(), ==, sum);
}

/* Its signature is where a PC's ROM has the byte that makes the sum. */
static void test_efi_image_has_no_sum(Fixture *f, gconstpointer data)
{
    f->fake->rom[PCIR + 0x14] = 3;
    enable(pci_board_plug(TYPE_FAKE_VFIO_PCI, NULL));
    g_assert_cmphex(mem_read(ROM_ADDR + PCIR + 4, 2), ==, 0x1b36);
    g_assert_cmphex(mem_read(ROM_ADDR + 6, 1), ==, f->fake->rom[6]);
}

/* Pointers of a hostile server lead nowhere. */
static void test_structure_that_is_none(Fixture *f, gconstpointer data)
{
    static const uint16_t pointers[] = {
        0, 1, PCIR - 1, CONTENTS - 24, CONTENTS - 23, CONTENTS, 0xffff,
    };

    for (size_t i = 0; i < ARRAY_SIZE(pointers); i++) {
        PCIDevice *dev;

        pci_set_word(f->fake->rom + 0x18, pointers[i]);
        dev = pci_board_plug(TYPE_FAKE_VFIO_PCI, NULL);
        enable(dev);
        assert_contents(f->fake->rom);
        pci_board_unplug(dev);
    }
    f->fake->rom_size = 1;
    enable(pci_board_plug(TYPE_FAKE_VFIO_PCI, NULL));
    g_assert_cmphex(mem_read(ROM_ADDR, 2), ==, 0xff55);
}

static void test_read_that_fails(Fixture *f, gconstpointer data)
{
    PCIDevice *dev = pci_board_plug(TYPE_FAKE_VFIO_PCI, NULL);

    f->fake->rom_fails = true;
    enable(dev);
    g_assert_cmphex(mem_read(ROM_ADDR, 4), ==, UINT32_MAX);
    cfg_write(dev, PCI_ROM_ADDRESS, 0, 4);
    enable(dev);
    g_assert_cmphex(mem_read(ROM_ADDR + 2000, 4), ==, UINT32_MAX);
    g_assert_cmpuint(f->fake->rom_reads, ==, 1);
}

static void test_no_rom(Fixture *f, gconstpointer data)
{
    static const uint64_t sizes[] = { 0, PCI_ROM_MAX + 1, UINT64_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        PCIDevice *dev;

        f->fake->rom_size = sizes[i];
        dev = pci_board_plug(TYPE_FAKE_VFIO_PCI, NULL);
        assert_none(dev);
        pci_board_unplug(dev);
    }
    g_assert_cmpuint(f->fake->rom_reads, ==, 0);
}

static void test_user_decides(Fixture *f, gconstpointer data)
{
    static const char *const none[] = { "rombar=0", "romfile=" };
    g_autofree char *romfile = romfile_of(f);

    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        PCIDevice *dev = pci_board_plug(TYPE_FAKE_VFIO_PCI, none[i], NULL);

        assert_none(dev);
        pci_board_unplug(dev);
    }
    enable(pci_board_plug(TYPE_FAKE_VFIO_PCI, romfile, NULL));
    assert_contents(f->bytes);
    g_assert_cmpuint(f->fake->rom_reads, ==, 0);
}

#define ADD(name, fn) \
    g_test_add("/pci/rom/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("is sized", test_is_sized);
    ADD("is shown where it is enabled", test_is_shown_where_it_is_enabled);
    ADD("is read only", test_is_read_only);
    ADD("has a page at least", test_tiny_file);
    ADD("has another register in a bridge", test_behind_a_bridge_it_is_elsewhere);
    ADD("file/is read when it is enabled", test_file_is_read_when_it_is_enabled);
    ADD("file/may be cut", test_file_that_was_cut);
    ADD("file/may be none", test_files_that_are_none);
    ADD("file/is not left open", test_nothing_is_left_open);
    ADD("vfio/is asked once", test_device_is_asked_once);
    ADD("vfio/identity is the function's", test_identity_is_the_functions);
    ADD("vfio/EFI image has no sum", test_efi_image_has_no_sum);
    ADD("vfio/structure may be none", test_structure_that_is_none);
    ADD("vfio/read may fail", test_read_that_fails);
    ADD("vfio/has none", test_no_rom);
    ADD("vfio/user decides", test_user_decides);
    return g_test_run();
}
