/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses to an address space: RAM, ROM, devices' memory, MMIO, and gaps. */
#include "qemu/osdep.h"
#include <sys/mman.h>
#include "exec/address-spaces.h"
#include "exec/ramblock.h"
#include "memory-test.h"
#include "qapi/error.h"

#define ATTRS MEMTXATTRS_UNSPECIFIED

/* RAM of two pages at 0, a device of 16 bytes after it, then a gap. */
typedef struct Fixture {
    TestSpace t;
    MemoryRegion ram, dev;
    uint8_t *host;
} Fixture;

static uint8_t dev_bytes[16];
static GString *dev_calls;
static bool dev_fails;

static MemTxResult dev_read(void *opaque, hwaddr addr, uint64_t *data,
                            unsigned size, MemTxAttrs attrs)
{
    g_string_append_printf(dev_calls, "r%" PRIx64 "/%u ", addr, size);
    memcpy(data, dev_bytes + addr, size);
    return dev_fails ? MEMTX_ERROR : MEMTX_OK;
}

static MemTxResult dev_write(void *opaque, hwaddr addr, uint64_t data,
                             unsigned size, MemTxAttrs attrs)
{
    g_string_append_printf(dev_calls, "w%" PRIx64 "/%u ", addr, size);
    memcpy(dev_bytes + addr, &data, size);
    return dev_fails ? MEMTX_ERROR : MEMTX_OK;
}

static const MemoryRegionOps dev_ops = {
    .read_with_attrs = dev_read,
    .write_with_attrs = dev_write,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
};

static void setup(Fixture *f, const void *unused)
{
    test_space_init(&f->t);
    g_assert_true(memory_region_init_ram(&f->ram, NULL, "ram", 2 * PAGE,
                                         &error_abort));
    memory_region_init_io(&f->dev, NULL, &dev_ops, NULL, "dev",
                          sizeof(dev_bytes));
    memory_region_add_subregion(&f->t.root, 0, &f->ram);
    memory_region_add_subregion(&f->t.root, 2 * PAGE, &f->dev);
    f->host = memory_region_get_ram_ptr(&f->ram);
    dev_calls = g_string_new("");
    dev_fails = false;
    for (unsigned i = 0; i < sizeof(dev_bytes); i++) {
        dev_bytes[i] = i;
    }
}

static void teardown(Fixture *f, const void *unused)
{
    memory_region_del_subregion(&f->t.root, &f->ram);
    memory_region_del_subregion(&f->t.root, &f->dev);
    object_unref(&f->ram);
    object_unref(&f->dev);
    test_space_cleanup(&f->t);
    g_string_free(dev_calls, true);
}

static void ram_keeps_what_is_written(Fixture *f, const void *unused)
{
    char in[6] = "";

    g_assert_cmpint(address_space_write(&f->t.as, PAGE - 3, ATTRS, "hello", 6),
                    ==, MEMTX_OK);
    g_assert_cmpint(address_space_read(&f->t.as, PAGE - 3, ATTRS, in, 6), ==,
                    MEMTX_OK);
    g_assert_cmpstr(in, ==, "hello");
    g_assert_cmpstr((char *)f->host + PAGE - 3, ==, "hello");
    g_assert_cmpint(address_space_rw(&f->t.as, 0, ATTRS, in, 6, true), ==,
                    MEMTX_OK);
    g_assert_cmpstr((char *)f->host, ==, "hello");
}

static void set_fills(Fixture *f, const void *unused)
{
    g_assert_cmpint(address_space_set(&f->t.as, 2 * PAGE - 2, 0x5a, 2 + 7,
                                      ATTRS), ==, MEMTX_OK);
    g_assert_cmphex(f->host[2 * PAGE - 3], ==, 0);
    g_assert_cmphex(f->host[2 * PAGE - 2], ==, 0x5a);
    g_assert_cmphex(f->host[2 * PAGE - 1], ==, 0x5a);
    g_assert_cmpstr(dev_calls->str, ==, "w0/4 w4/2 w6/1 ");
    g_assert_cmphex(dev_bytes[6], ==, 0x5a);
    g_assert_cmphex(dev_bytes[7], ==, 7);
}

static void access_is_cut_between_ranges(Fixture *f, const void *unused)
{
    uint8_t in[8];
    static const uint8_t expected[8] = { 0xaa, 0xbb, 0, 1, 2, 3, 4, 5 };

    f->host[2 * PAGE - 2] = 0xaa;
    f->host[2 * PAGE - 1] = 0xbb;
    g_assert_cmpint(address_space_read(&f->t.as, 2 * PAGE - 2, ATTRS, in, 8),
                    ==, MEMTX_OK);
    g_assert_cmpmem(in, 8, expected, 8);
    g_assert_cmpstr(dev_calls->str, ==, "r0/4 r4/2 ");
}

static void mmio_gets_the_widest_aligned_accesses(Fixture *f,
                                                  const void *unused)
{
    uint8_t in[12];

    g_assert_cmpint(address_space_read(&f->t.as, 2 * PAGE + 1, ATTRS, in, 12),
                    ==, MEMTX_OK);
    g_assert_cmpstr(dev_calls->str, ==, "r1/1 r2/2 r4/4 r8/4 rc/1 ");
    for (int i = 0; i < 12; i++) {
        g_assert_cmphex(in[i], ==, i + 1);
    }
}

static void nobody_answers_in_a_gap(Fixture *f, const void *unused)
{
    uint8_t in[4] = { 1, 2, 3, 4 };
    static const uint8_t zeros[4];

    g_assert_cmpint(address_space_read(&f->t.as, 0x100000, ATTRS, in, 4), ==,
                    MEMTX_DECODE_ERROR);
    g_assert_cmpmem(in, 4, zeros, 4);
    g_assert_cmpint(address_space_write(&f->t.as, 0x100000, ATTRS, in, 4), ==,
                    MEMTX_DECODE_ERROR);
    g_assert_cmpint(address_space_read(&f->t.as, 0x100000, ATTRS, in, 0), ==,
                    MEMTX_OK);
}

static void read_is_zero_from_the_piece_that_fails(Fixture *f,
                                                   const void *unused)
{
    uint8_t in[24];

    memset(in, 0xff, sizeof(in));
    memset(f->host + 2 * PAGE - 4, 0x77, 4);
    dev_fails = true;
    g_assert_cmpint(address_space_read(&f->t.as, 2 * PAGE - 4, ATTRS, in, 24),
                    ==, MEMTX_ERROR);
    for (int i = 0; i < 24; i++) {
        g_assert_cmphex(in[i], ==, i < 4 ? 0x77 : 0);
    }
    g_assert_cmpstr(dev_calls->str, ==, "r0/4 ");
}

static void access_past_64_bits_is_refused(Fixture *f, const void *unused)
{
    MemoryRegion top;
    uint8_t in[8] = { 0 };

    g_assert_true(memory_region_init_ram(&top, NULL, "top", PAGE,
                                         &error_abort));
    memory_region_add_subregion(&f->t.root, -PAGE, &top);
    g_assert_cmpint(address_space_read(&f->t.as, -4ULL, ATTRS, in, 4), ==,
                    MEMTX_OK);
    g_assert_cmpint(address_space_read(&f->t.as, -4ULL, ATTRS, in, 8), ==,
                    MEMTX_DECODE_ERROR);
    memory_region_del_subregion(&f->t.root, &top);
    object_unref(&top);
}

static void loads_and_stores_have_their_own_width(Fixture *f,
                                                  const void *unused)
{
    AddressSpace *as = &f->t.as;
    MemTxResult r = 99;

    address_space_stq_le(as, 8, 0x1122334455667788, ATTRS, &r);
    g_assert_cmpint(r, ==, MEMTX_OK);
    g_assert_cmphex(f->host[8], ==, 0x88);
    g_assert_cmphex(address_space_ldub(as, 9, ATTRS, NULL), ==, 0x77);
    g_assert_cmphex(address_space_lduw_le(as, 9, ATTRS, NULL), ==, 0x6677);
    g_assert_cmphex(address_space_ldl_le(as, 9, ATTRS, NULL), ==, 0x44556677);
    g_assert_cmphex(address_space_ldq_le(as, 8, ATTRS, NULL), ==,
                    0x1122334455667788);
    address_space_stb(as, 8, 1, ATTRS, NULL);
    address_space_stw_le(as, 10, 2, ATTRS, NULL);
    address_space_stl_le(as, 12, 3, ATTRS, NULL);
    g_assert_cmphex(address_space_ldq_le(as, 8, ATTRS, &r), ==,
                    0x0000000300027701);
    g_assert_cmpint(r, ==, MEMTX_OK);

    address_space_stl_le(as, 2 * PAGE + 4, 0x01020304, ATTRS, &r);
    g_assert_cmpint(r, ==, MEMTX_OK);
    g_assert_cmphex(address_space_ldl_le(as, 2 * PAGE + 4, ATTRS, NULL), ==,
                    0x01020304);
    g_assert_cmpstr(dev_calls->str, ==, "w4/4 r4/4 ");
    g_assert_cmphex(address_space_ldq_le(as, 2 * PAGE, ATTRS, &r), ==, 0);
    g_assert_cmpint(r, ==, MEMTX_DECODE_ERROR);
    g_assert_cmphex(address_space_ldl_le(as, 0x100000, ATTRS, &r), ==, 0);
    g_assert_cmpint(r, ==, MEMTX_DECODE_ERROR);
}

static void load_across_ranges_is_put_together(Fixture *f, const void *unused)
{
    MemTxResult r;

    f->host[2 * PAGE - 1] = 0xee;
    g_assert_cmphex(address_space_ldl_le(&f->t.as, 2 * PAGE - 1, ATTRS, &r),
                    ==, 0x020100ee);
    address_space_stl_le(&f->t.as, 2 * PAGE - 1, 0x44332211, ATTRS, &r);
    g_assert_cmpint(r, ==, MEMTX_OK);
    g_assert_cmphex(f->host[2 * PAGE - 1], ==, 0x11);
    g_assert_cmphex(dev_bytes[0], ==, 0x22);
    g_assert_cmphex(dev_bytes[2], ==, 0x44);
    g_assert_cmphex(dev_bytes[3], ==, 3);
}

static void stores_to_readonly_ram_are_dropped(Fixture *f, const void *unused)
{
    MemTxResult r;
    hwaddr len = 8;

    f->host[0] = 0x42;
    memory_region_set_readonly(&f->ram, true);
    g_assert_cmpint(address_space_write(&f->t.as, 0, ATTRS, "x", 1), ==,
                    MEMTX_OK);
    address_space_stl_le(&f->t.as, 0, 0, ATTRS, &r);
    g_assert_cmpint(r, ==, MEMTX_OK);
    g_assert_cmphex(address_space_ldub(&f->t.as, 0, ATTRS, NULL), ==, 0x42);
    g_assert_null(address_space_map(&f->t.as, 0, &len, true, ATTRS));
    len = 8;
    g_assert_true(address_space_map(&f->t.as, 0, &len, false, ATTRS) ==
                  f->host);
    address_space_unmap(&f->t.as, f->host, len, false, len);
}

/* --- memory of a device --- */

static void device_memory_is_ram_that_is_not_mapped(Fixture *f,
                                                    const void *unused)
{
    uint8_t *host = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MemoryRegion bar;
    uint8_t in[7];
    hwaddr len = 8;

    for (int i = 0; i < 16; i++) {
        host[i] = i;
    }
    memory_region_init_ram_device_ptr(&bar, NULL, "bar", PAGE, host);
    memory_region_add_subregion(&f->t.root, 0x100000, &bar);
    g_assert_true(memory_region_is_ram(&bar));
    g_assert_true(memory_region_is_ram_device(&bar));
    g_assert_true(memory_region_get_ram_ptr(&bar) == host);
    g_assert_null(address_space_map(&f->t.as, 0x100000, &len, false, ATTRS));

    g_assert_cmpint(address_space_read(&f->t.as, 0x100001, ATTRS, in, 7), ==,
                    MEMTX_OK);
    g_assert_cmpmem(in, 7, host + 1, 7);
    g_assert_cmphex(address_space_ldq_le(&f->t.as, 0x100003, ATTRS, NULL), ==,
                    0x0a09080706050403);
    address_space_stl_le(&f->t.as, 0x100002, 0x44332211, ATTRS, NULL);
    g_assert_cmphex(host[2], ==, 0x11);
    g_assert_cmphex(host[5], ==, 0x44);
    memory_region_set_readonly(&bar, true);
    g_assert_cmpint(address_space_set(&f->t.as, 0x100000, 0xff, 16, ATTRS), ==,
                    MEMTX_OK);
    g_assert_cmphex(host[0], ==, 0);

    memory_region_del_subregion(&f->t.root, &bar);
    object_unref(&bar);
    munmap(host, PAGE);
}

/* --- map --- */

static void map_gives_ram_as_far_as_it_reaches(Fixture *f, const void *unused)
{
    hwaddr len = 0x10000;

    g_assert_true(address_space_map(&f->t.as, PAGE + 8, &len, true, ATTRS) ==
                  f->host + PAGE + 8);
    g_assert_cmphex(len, ==, PAGE - 8);
    address_space_unmap(&f->t.as, f->host + PAGE + 8, len, true, len);

    len = 4;
    g_assert_null(address_space_map(&f->t.as, 2 * PAGE, &len, false, ATTRS));
    g_assert_cmphex(len, ==, 0);
    len = 4;
    g_assert_null(address_space_map(&f->t.as, 0x100000, &len, false, ATTRS));
    len = 0;
    g_assert_null(address_space_map(&f->t.as, 0, &len, false, ATTRS));
}

static void run_is_all_that_is_ram_around_an_address(Fixture *f,
                                                     const void *unused)
{
    MemoryRun run;

    g_assert_true(address_space_find_run(&f->t.as, PAGE + 8, &run));
    g_assert_cmphex(run.first, ==, 0);
    g_assert_cmphex(run.last, ==, 2 * PAGE - 1);
    g_assert_cmphex(run.offset, ==, 0);
    g_assert_true(run.host == f->host && run.mr == &f->ram);
    g_assert_false(run.readonly);
    g_assert_false(address_space_find_run(&f->t.as, 2 * PAGE, &run));
    g_assert_false(address_space_find_run(&f->t.as, 0x100000, &run));
    memory_region_set_readonly(&f->ram, true);
    g_assert_true(address_space_find_run(&f->t.as, 2 * PAGE - 1, &run));
    g_assert_true(run.readonly);
}

static void map_through_an_alias_gives_the_owner_s_memory(Fixture *f,
                                                          const void *unused)
{
    MemoryRegion alias;
    hwaddr len = 0x10000;

    memory_region_init_alias(&alias, NULL, "alias", &f->ram, 0x800, 0x400);
    memory_region_add_subregion(&f->t.root, 0x100000, &alias);
    g_assert_true(memory_region_get_ram_ptr(&alias) == f->host + 0x800);
    g_assert_true(address_space_map(&f->t.as, 0x100010, &len, true, ATTRS) ==
                  f->host + 0x810);
    g_assert_cmphex(len, ==, 0x3f0);
    address_space_unmap(&f->t.as, f->host + 0x810, len, true, len);
    memory_region_del_subregion(&f->t.root, &alias);
    object_unref(&alias);
}

/* --- a device that takes itself out while it is accessed --- */

static MemoryRegion vanishing;

static uint64_t vanish(void *opaque, hwaddr addr, unsigned size)
{
    MemoryRegion *container = opaque;

    if (vanishing.container) {
        memory_region_del_subregion(container, &vanishing);
        object_unref(&vanishing);
    }
    return 0x66;
}

static void region_may_go_during_its_own_callback(Fixture *f,
                                                  const void *unused)
{
    static const MemoryRegionOps ops = { .read = vanish };
    uint8_t in[16];
    MemTxResult r;

    for (int i = 0; i < 2; i++) {
        memory_region_init_io(&vanishing, NULL, &ops, &f->t.root, "v", 16);
        memory_region_add_subregion(&f->t.root, 0x100000, &vanishing);
        if (i) {
            g_assert_cmpint(address_space_read(&f->t.as, 0x100000, ATTRS, in,
                                               16), ==, MEMTX_OK);
        } else {
            g_assert_cmphex(address_space_ldl_le(&f->t.as, 0x100000, ATTRS,
                                                 &r), ==, 0x66);
        }
        g_assert_cmphex(address_space_ldl_le(&f->t.as, 0x100000, ATTRS, &r),
                        ==, 0);
        g_assert_cmpint(r, ==, MEMTX_DECODE_ERROR);
    }
}

static void ports_that_nobody_answers_read_as_ones(void)
{
    uint32_t in = 0;

    memory_map_init();
    g_assert_cmpint(address_space_read(&address_space_io, 0x81, ATTRS, &in, 4),
                    ==, MEMTX_OK);
    g_assert_cmphex(in, ==, 0xffffffff);
    g_assert_cmpint(address_space_write(&address_space_io, 0x80, ATTRS, &in, 1),
                    ==, MEMTX_OK);
    g_assert_cmpint(address_space_read(&address_space_memory, 0, ATTRS, &in, 4),
                    ==, MEMTX_DECODE_ERROR);
    g_assert_true(address_space_memory.root == get_system_memory());
    g_assert_true(address_space_io.root == get_system_io());
}

/* An access of RAM alone never reaches a device, nor a ROM to write to it. */
static void access_of_ram_alone(Fixture *f, const void *unused)
{
    const MemTxAttrs attrs = { .memory = 1 };
    AddressSpace *as = &f->t.as;
    uint8_t buf[4] = { 1, 2, 3, 4 };
    MemTxResult r;

    g_assert_cmpuint(address_space_write(as, 0, attrs, buf, 4), ==, MEMTX_OK);
    g_assert_cmpuint(address_space_write(as, 2 * PAGE - 2, attrs, buf, 4), ==,
                     MEMTX_ACCESS_ERROR);
    g_assert_cmpuint(address_space_read(as, 2 * PAGE, attrs, buf, 4), ==,
                     MEMTX_ACCESS_ERROR);
    g_assert_cmpuint(address_space_set(as, 2 * PAGE, 0, 4, attrs), ==,
                     MEMTX_ACCESS_ERROR);
    address_space_ldl_le(as, 2 * PAGE, attrs, &r);
    g_assert_cmpuint(r, ==, MEMTX_ACCESS_ERROR);
    address_space_stl_le(as, 2 * PAGE, 0, attrs, &r);
    g_assert_cmpuint(r, ==, MEMTX_ACCESS_ERROR);
    g_assert_cmpstr(dev_calls->str, ==, "");
    memory_region_set_readonly(&f->ram, true);
    g_assert_cmpuint(address_space_read(as, 0, attrs, buf, 4), ==, MEMTX_OK);
    g_assert_cmpuint(address_space_write(as, 0, attrs, buf, 4), ==,
                     MEMTX_ACCESS_ERROR);
}

#define ADD(name)                                                            \
    g_test_add("/memory/access/" #name, Fixture, NULL, setup, name, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(ram_keeps_what_is_written);
    ADD(set_fills);
    ADD(access_is_cut_between_ranges);
    ADD(mmio_gets_the_widest_aligned_accesses);
    ADD(nobody_answers_in_a_gap);
    ADD(read_is_zero_from_the_piece_that_fails);
    ADD(access_past_64_bits_is_refused);
    ADD(loads_and_stores_have_their_own_width);
    ADD(load_across_ranges_is_put_together);
    ADD(stores_to_readonly_ram_are_dropped);
    ADD(access_of_ram_alone);
    ADD(device_memory_is_ram_that_is_not_mapped);
    ADD(map_gives_ram_as_far_as_it_reaches);
    ADD(run_is_all_that_is_ram_around_an_address);
    ADD(map_through_an_alias_gives_the_owner_s_memory);
    ADD(region_may_go_during_its_own_callback);
    g_test_add_func("/memory/access/ports_that_nobody_answers_read_as_ones",
                    ports_that_nobody_answers_read_as_ones);
    return g_test_run();
}
