/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One access to one MMIO region: which accesses are valid, and which calls
 * they become for callbacks of limited widths and either endianness.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/event_notifier.h"
#include "memory-test.h"

/* A device of 16 bytes that notes the calls that it gets. */
static uint8_t bytes[16];
static GString *calls;
static bool big_endian;

static uint64_t dev_read(void *opaque, hwaddr addr, unsigned size)
{
    uint64_t value = 0;

    g_string_append_printf(calls, "r%" PRIx64 "/%u ", addr, size);
    for (unsigned i = 0; i < size; i++) {
        unsigned shift = big_endian ? size - 1 - i : i;

        value |= (uint64_t)bytes[(addr + i) % 16] << (8 * shift);
    }
    return value;
}

static void dev_write(void *opaque, hwaddr addr, uint64_t data, unsigned size)
{
    g_string_append_printf(calls, "w%" PRIx64 "/%u ", addr, size);
    for (unsigned i = 0; i < size; i++) {
        unsigned shift = big_endian ? size - 1 - i : i;

        bytes[(addr + i) % 16] = data >> (8 * shift);
    }
}

static void dev_init(MemoryRegion *mr, MemoryRegionOps *ops)
{
    ops->read = dev_read;
    ops->write = dev_write;
    big_endian = ops->endianness == DEVICE_BIG_ENDIAN;
    memory_region_init_io(mr, NULL, ops, NULL, "dev", sizeof(bytes));
    calls = g_string_new("");
    for (int i = 0; i < 16; i++) {
        bytes[i] = 0x10 + i;
    }
}

static void dev_cleanup(MemoryRegion *mr)
{
    g_string_free(calls, true);
    object_unref(mr);
}

/* The number whose bytes are @first, @first + 1, ... as a guest reads it. */
static uint64_t ascending(uint8_t first, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)(uint8_t)(first + i) << (8 * i);
    }
    return value;
}

/* impl.min, impl.max, impl.unaligned; an access; the calls it becomes. */
static const struct {
    unsigned min, max;
    bool unaligned;
    hwaddr addr;
    unsigned size;
    const char *reads, *writes;
} cases[] = {
    /* as it is */
    { 0, 0, false, 3, 1, "r3/1 ", "w3/1 " },
    { 0, 0, false, 4, 4, "r4/4 ", "w4/4 " },
    { 1, 8, false, 8, 8, "r8/8 ", "w8/8 " },
    /* split */
    { 0, 0, false, 8, 8, "r8/4 rc/4 ", "w8/4 wc/4 " },
    { 1, 1, false, 2, 4, "r2/1 r3/1 r4/1 r5/1 ", "w2/1 w3/1 w4/1 w5/1 " },
    { 1, 2, false, 0, 8, "r0/2 r2/2 r4/2 r6/2 ", "w0/2 w2/2 w4/2 w6/2 " },
    /* unaligned */
    { 1, 4, true, 3, 4, "r3/4 ", "w3/4 " },
    { 1, 4, false, 2, 4, "r2/2 r4/2 ", "w2/2 w4/2 " },
    { 1, 4, false, 3, 2, "r3/1 r4/1 ", "w3/1 w4/1 " },
    { 1, 8, false, 4, 8, "r4/4 r8/4 ", "w4/4 w8/4 " },
    { 4, 4, false, 2, 4, "r0/4 r4/4 ", "r0/4 w0/4 r4/4 w4/4 " },
    { 4, 4, false, 2, 8, "r0/4 r4/4 r8/4 ", "r0/4 w0/4 w4/4 r8/4 w8/4 " },
    /* widened */
    { 4, 4, false, 5, 1, "r4/4 ", "r4/4 w4/4 " },
    { 4, 4, false, 6, 2, "r4/4 ", "r4/4 w4/4 " },
    { 8, 8, false, 12, 4, "r8/8 ", "r8/8 w8/8 " },
    { 2, 4, false, 3, 1, "r2/2 ", "r2/2 w2/2 " },
    { 4, 4, true, 5, 1, "r5/4 ", "r5/4 w5/4 " },
};

static void check_case(unsigned i, enum device_endian endianness)
{
    MemoryRegionOps ops = {
        .endianness = endianness,
        .valid = { 1, 8, true, NULL },
        .impl = { cases[i].min, cases[i].max, cases[i].unaligned },
    };
    MemoryRegion mr;
    uint64_t value;

    g_test_message("case %u, endianness %d", i, endianness);
    dev_init(&mr, &ops);
    g_assert_cmpint(memory_region_dispatch_read(&mr, cases[i].addr, &value,
                                                cases[i].size,
                                                MEMTXATTRS_UNSPECIFIED),
                    ==, MEMTX_OK);
    g_assert_cmphex(value, ==, ascending(0x10 + cases[i].addr, cases[i].size));
    g_assert_cmpstr(calls->str, ==, cases[i].reads);

    g_string_truncate(calls, 0);
    g_assert_cmpint(memory_region_dispatch_write(&mr, cases[i].addr,
                                                 ascending(0xa0, cases[i].size),
                                                 cases[i].size,
                                                 MEMTXATTRS_UNSPECIFIED),
                    ==, MEMTX_OK);
    g_assert_cmpstr(calls->str, ==, cases[i].writes);
    for (unsigned b = 0; b < 16; b++) {
        bool written = b >= cases[i].addr && b < cases[i].addr + cases[i].size;

        g_assert_cmphex(bytes[b], ==, written ? 0xa0 + b - cases[i].addr
                                              : 0x10 + b);
    }
    dev_cleanup(&mr);
}

static void access_becomes_calls_of_possible_widths(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        check_case(i, DEVICE_LITTLE_ENDIAN);
        check_case(i, DEVICE_NATIVE_ENDIAN);
        check_case(i, DEVICE_BIG_ENDIAN);
    }
}

/* valid.min, valid.max, valid.unaligned; an access; whether it is valid. */
static const struct {
    unsigned min, max;
    bool unaligned;
    hwaddr addr;
    unsigned size;
    bool ok;
} valid_cases[] = {
    { 0, 0, false, 0, 1, true },
    { 0, 0, false, 8, 8, true },
    { 0, 0, false, 1, 2, false },
    { 0, 0, true, 1, 2, true },
    { 2, 4, false, 0, 1, false },
    { 2, 4, false, 0, 2, true },
    { 2, 4, false, 0, 4, true },
    { 2, 4, false, 0, 8, false },
    { 0, 0, true, 13, 4, false },         /* beyond the end */
    { 0, 0, true, 16, 1, false },
    { 0, 0, true, UINT64_MAX, 2, false },
};

static void invalid_access_reaches_no_callback(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(valid_cases); i++) {
        MemoryRegionOps ops = {
            .valid = { valid_cases[i].min, valid_cases[i].max,
                       valid_cases[i].unaligned, NULL },
            .impl.unaligned = true,
        };
        MemTxResult expected = valid_cases[i].ok ? MEMTX_OK
                                                 : MEMTX_DECODE_ERROR;
        MemoryRegion mr;
        uint64_t value = 1;

        g_test_message("case %u", i);
        dev_init(&mr, &ops);
        g_assert_cmpint(memory_region_dispatch_read(&mr, valid_cases[i].addr,
                                                    &value, valid_cases[i].size,
                                                    MEMTXATTRS_UNSPECIFIED),
                        ==, expected);
        g_assert_cmpint(memory_region_dispatch_write(&mr, valid_cases[i].addr,
                                                     0, valid_cases[i].size,
                                                     MEMTXATTRS_UNSPECIFIED),
                        ==, expected);
        g_assert_cmpint(calls->len > 0, ==, valid_cases[i].ok);
        g_assert_true(valid_cases[i].ok || value == 0);
        dev_cleanup(&mr);
    }
}

static bool accept_reads_of_requester_7(void *opaque, hwaddr addr,
                                        unsigned size, bool is_write,
                                        MemTxAttrs attrs)
{
    return !is_write && attrs.requester_id == 7;
}

static void device_may_refuse_by_accepts(void)
{
    MemoryRegionOps ops = { .valid.accepts = accept_reads_of_requester_7 };
    MemTxAttrs attrs = { .requester_id = 7 };
    MemoryRegion mr;
    uint64_t value;

    dev_init(&mr, &ops);
    g_assert_cmpint(memory_region_dispatch_read(&mr, 0, &value, 4, attrs),
                    ==, MEMTX_OK);
    g_assert_cmpint(memory_region_dispatch_write(&mr, 0, 0, 4, attrs),
                    ==, MEMTX_DECODE_ERROR);
    attrs.requester_id = 8;
    g_assert_cmpint(memory_region_dispatch_read(&mr, 0, &value, 4, attrs),
                    ==, MEMTX_DECODE_ERROR);
    dev_cleanup(&mr);
}

static MemTxResult fail_second_word(void *opaque, hwaddr addr, uint64_t *data,
                                    unsigned size, MemTxAttrs attrs)
{
    *data = 0x55;
    return addr ? MEMTX_ERROR : MEMTX_OK;
}

static void error_of_one_word_is_an_error_of_the_access(void)
{
    MemoryRegionOps ops = {
        .read_with_attrs = fail_second_word,
        .impl.max_access_size = 4,
    };
    MemoryRegion mr;
    uint64_t value;

    memory_region_init_io(&mr, NULL, &ops, NULL, "dev", 16);
    g_assert_cmpint(memory_region_dispatch_read(&mr, 0, &value, 4,
                                                MEMTXATTRS_UNSPECIFIED),
                    ==, MEMTX_OK);
    g_assert_cmpint(memory_region_dispatch_read(&mr, 0, &value, 8,
                                                MEMTXATTRS_UNSPECIFIED),
                    ==, MEMTX_ERROR);
    g_assert_cmpint(memory_region_dispatch_write(&mr, 0, 0, 4,
                                                 MEMTXATTRS_UNSPECIFIED),
                    ==, MEMTX_DECODE_ERROR);
    object_unref(&mr);
}

static void part_of_a_word_that_cannot_be_read_is_not_written(void)
{
    MemoryRegionOps ops = {
        .read_with_attrs = fail_second_word,
        .valid.unaligned = true,
        .impl = { .min_access_size = 4, .max_access_size = 4 },
    };
    MemoryRegion mr;

    dev_init(&mr, &ops);
    g_assert_cmpint(memory_region_dispatch_write(&mr, 2, 0, 4,
                                                 MEMTXATTRS_UNSPECIFIED),
                    ==, MEMTX_ERROR);
    g_assert_cmpstr(calls->str, ==, "w0/4 ");
    dev_cleanup(&mr);
}

static void alias_dispatches_to_its_target(void)
{
    MemoryRegionOps ops = { 0 };
    MemoryRegion mr, alias;
    uint64_t value;

    dev_init(&mr, &ops);
    memory_region_init_alias(&alias, NULL, "alias", &mr, 4, 8);
    g_assert_cmpint(memory_region_dispatch_read(&alias, 4, &value, 1,
                                                MEMTXATTRS_UNSPECIFIED),
                    ==, MEMTX_OK);
    g_assert_cmphex(value, ==, 0x18);
    object_unref(&alias);
    dev_cleanup(&mr);
}

/* --- nesting: a device that writes to itself --- */

static unsigned depth, deepest;
static MemTxResult innermost;

static void write_to_itself(void *opaque, hwaddr addr, uint64_t data,
                            unsigned size)
{
    MemoryRegion *mr = opaque;

    deepest = MAX(deepest, ++depth);
    g_assert_cmpuint(depth, <, 1000);
    if (memory_region_dispatch_write(mr, 0, 0, 4, MEMTXATTRS_UNSPECIFIED)) {
        innermost = MEMTX_ERROR;
    }
    depth--;
}

static void endless_nesting_is_cut(void)
{
    static const MemoryRegionOps ops = { .write = write_to_itself };
    MemoryRegion mr;

    memory_region_init_io(&mr, NULL, &ops, &mr, "dev", 16);
    for (int i = 0; i < 2; i++) {
        innermost = MEMTX_OK;
        deepest = 0;
        g_assert_cmpint(memory_region_dispatch_write(&mr, 0, 0, 4,
                                                     MEMTXATTRS_UNSPECIFIED),
                        ==, MEMTX_OK);
        g_assert_cmpint(innermost, ==, MEMTX_ERROR);
        g_assert_cmpuint(deepest, >=, 8);
    }
    object_unref(&mr);
}

/* --- eventfds --- */

/* Writes @data; whether it signalled @e, and never called the device then. */
static bool write_signals(MemoryRegion *mr, hwaddr addr, uint64_t data,
                          unsigned size, EventNotifier *e)
{
    bool signalled;

    g_string_truncate(calls, 0);
    g_assert_cmpint(memory_region_dispatch_write(mr, addr, data, size,
                                                 MEMTXATTRS_UNSPECIFIED),
                    ==, MEMTX_OK);
    signalled = event_notifier_test_and_clear(e);
    g_assert_cmpint(signalled, ==, calls->len == 0);
    return signalled;
}

static void write_that_matches_an_eventfd_signals_it(void)
{
    MemoryRegionOps ops = { 0 };
    MemoryRegion mr;
    EventNotifier e;

    dev_init(&mr, &ops);
    g_assert_cmpint(event_notifier_init(&e, 0), ==, 0);
    memory_region_add_eventfd(&mr, 4, 2, true, 7, &e);
    g_assert_true(write_signals(&mr, 4, 7, 2, &e));
    g_assert_true(write_signals(&mr, 4, 0xffff0007, 2, &e));
    g_assert_false(write_signals(&mr, 4, 8, 2, &e));
    g_assert_false(write_signals(&mr, 4, 7, 4, &e));
    g_assert_false(write_signals(&mr, 6, 7, 2, &e));
    memory_region_del_eventfd(&mr, 4, 2, true, 7, &e);
    g_assert_false(write_signals(&mr, 4, 7, 2, &e));

    memory_region_add_eventfd(&mr, 8, 0, false, 0, &e);
    g_assert_true(write_signals(&mr, 8, 1, 1, &e));
    g_assert_true(write_signals(&mr, 8, 2, 8, &e));
    event_notifier_cleanup(&e);
    dev_cleanup(&mr);
}

static void eventfd_data_is_what_a_big_endian_device_would_get(void)
{
    MemoryRegionOps ops = { .endianness = DEVICE_BIG_ENDIAN };
    MemoryRegion mr;
    EventNotifier e;

    dev_init(&mr, &ops);
    g_assert_cmpint(event_notifier_init(&e, 0), ==, 0);
    memory_region_add_eventfd(&mr, 4, 2, true, 0x1234, &e);
    g_assert_true(write_signals(&mr, 4, 0x3412, 2, &e));
    g_assert_false(write_signals(&mr, 4, 0x1234, 2, &e));
    event_notifier_cleanup(&e);
    dev_cleanup(&mr);
}

/* Reads are of its memory; no device is asked. */
static void rom_device_hears_of_writes_alone(void)
{
    MemoryRegionOps ops = { .read = dev_read, .write = dev_write,
                            .endianness = DEVICE_LITTLE_ENDIAN,
                            .impl = { .max_access_size = 1 } };
    TestSpace space;
    MemoryRegion rom;
    uint32_t value = 0;

    test_space_init(&space);
    calls = g_string_new("");
    g_assert_true(memory_region_init_rom_device(&rom, NULL, &ops, NULL, "rom",
                                                0x1000, &error_abort));
    memset(memory_region_get_ram_ptr(&rom), 0x5a, 0x1000);
    memory_region_add_subregion(&space.root, 0x10000, &rom);
    address_space_stw_le(&space.as, 0x10004, 0x0201, MEMTXATTRS_UNSPECIFIED,
                         NULL);
    address_space_set(&space.as, 0x10008, 7, 1, MEMTXATTRS_UNSPECIFIED);
    g_assert_cmpstr(calls->str, ==, "w4/1 w5/1 w8/1 ");
    address_space_read(&space.as, 0x10004, MEMTXATTRS_UNSPECIFIED, &value, 4);
    g_assert_cmphex(value, ==, 0x5a5a5a5a);
    g_assert_cmpint(address_space_write(&space.as, 0x10000,
                                        (MemTxAttrs) { .memory = true }, &value,
                                        4), ==, MEMTX_ACCESS_ERROR);
    g_assert_cmpstr(calls->str, ==, "w4/1 w5/1 w8/1 ");
    g_string_free(calls, true);
    memory_region_del_subregion(&space.root, &rom);
    object_unref(&rom);
    test_space_cleanup(&space);
}

#define ADD(name) g_test_add_func("/memory/dispatch/" #name, name)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD(access_becomes_calls_of_possible_widths);
    ADD(invalid_access_reaches_no_callback);
    ADD(device_may_refuse_by_accepts);
    ADD(error_of_one_word_is_an_error_of_the_access);
    ADD(part_of_a_word_that_cannot_be_read_is_not_written);
    ADD(alias_dispatches_to_its_target);
    ADD(endless_nesting_is_cut);
    ADD(write_that_matches_an_eventfd_signals_it);
    ADD(eventfd_data_is_what_a_big_endian_device_would_get);
    ADD(rom_device_hears_of_writes_alone);
    return g_test_run();
}
