/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layout of guest-physical memory, and the e820 map that follows from it. */
#include "qemu/osdep.h"

#include <asm/bootparam.h>

#include "hw/i386/memory-map.h"
#include "qemu/units.h"

static X86MemoryMap make(uint64_t ram, uint64_t max, uint64_t slots)
{
    X86MemoryMap map;

    g_assert_true(x86_memory_map_init(&map, ram, max, slots, 46,
                                      &error_abort));
    return map;
}

static void test_small_ram_is_in_one_piece(void)
{
    X86MemoryMap map = make(256 * MiB, 256 * MiB, 0);

    g_assert_cmphex(map.below_4g, ==, 256 * MiB);
    g_assert_cmphex(map.above_4g, ==, 0);
    g_assert_cmphex(map.device_size, ==, 0);
    g_assert_cmphex(map.pci64_base, ==, 4 * GiB);
}

static void test_ram_may_reach_up_to_mmconfig(void)
{
    X86MemoryMap map = make(0xb0000000, 0xb0000000, 0);

    g_assert_cmphex(map.below_4g, ==, 0xb0000000);
    g_assert_cmphex(map.above_4g, ==, 0);
}

static void test_large_ram_is_split_at_2g(void)
{
    X86MemoryMap map = make(0xb0001000, 0xb0001000, 0);

    g_assert_cmphex(map.below_4g, ==, 2 * GiB);
    g_assert_cmphex(map.above_4g, ==, 0x30001000);
    g_assert_cmphex(map.device_base, ==, 5 * GiB);
}

static void test_device_memory_has_room_to_align_each_slot(void)
{
    X86MemoryMap map = make(3 * GiB, 8 * GiB, 2);

    g_assert_cmphex(map.above_4g, ==, GiB);
    g_assert_cmphex(map.device_base, ==, 5 * GiB);
    g_assert_cmphex(map.device_size, ==, 5 * GiB + 2 * GiB);
    g_assert_cmphex(map.pci64_base, ==, 12 * GiB);
    g_assert_cmphex(map.pci64_end, >, map.pci64_base);
}

static void check_too_large(uint64_t ram, uint64_t max, uint64_t slots,
                            unsigned bits)
{
    Error *err = NULL;
    X86MemoryMap map;

    g_assert_false(x86_memory_map_init(&map, ram, max, slots, bits, &err));
    error_free_or_abort(&err);
}

static void test_what_the_cpu_cannot_reach_is_refused(void)
{
    check_too_large(GiB, 64 * GiB, 0, 36);
    check_too_large(GiB, UINT64_MAX, 0, 52);
    check_too_large(GiB, UINT64_MAX - 4 * GiB, 256, 64);
    check_too_large(UINT64_MAX / 2, UINT64_MAX / 2, 0, 52);
}

static void check_e820(uint64_t ram_size)
{
    struct boot_e820_entry table[X86_E820_MAX];
    X86MemoryMap map = make(ram_size, ram_size, 0);
    unsigned n = x86_e820_build(&map, table);
    uint64_t end = 0, usable = 0;

    g_assert_cmpuint(n, <=, X86_E820_MAX);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(table[i].addr, >=, end);
        g_assert_cmphex(table[i].size, >, 0);
        end = table[i].addr + table[i].size;
        if (table[i].type == 1) {
            usable += table[i].size;
        }
    }
    g_assert_cmphex(usable, ==, ram_size - (MiB - X86_LOW_RAM_END));
}

static void test_e820_is_sorted_and_has_all_ram(void)
{
    check_e820(2 * MiB);
    check_e820(256 * MiB);
    check_e820(0xb0000000);
    check_e820(0xb0000000 + 4096);
    check_e820(64 * GiB);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory-map/small-ram-is-in-one-piece",
                    test_small_ram_is_in_one_piece);
    g_test_add_func("/memory-map/ram-may-reach-up-to-mmconfig",
                    test_ram_may_reach_up_to_mmconfig);
    g_test_add_func("/memory-map/large-ram-is-split-at-2g",
                    test_large_ram_is_split_at_2g);
    g_test_add_func("/memory-map/device-memory-has-room-to-align-each-slot",
                    test_device_memory_has_room_to_align_each_slot);
    g_test_add_func("/memory-map/what-the-cpu-cannot-reach-is-refused",
                    test_what_the_cpu_cannot_reach_is_refused);
    g_test_add_func("/memory-map/e820-is-sorted-and-has-all-ram",
                    test_e820_is_sorted_and_has_all_ram);
    return g_test_run();
}
