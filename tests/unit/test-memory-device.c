/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where memory devices go: the arithmetic by a table, then plugging into a
 * machine's device memory, and what QMP says of it.
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "hw/mem/memory-device.h"
#include "hw/mem/memory-placement.h"
#include "hw/qdev-properties.h"
#include "monitor/qmp.h"
#include "qemu/units.h"

/* --- placement --- */

#define AUTO UINT64_MAX
#define NOWHERE UINT64_MAX
#define MAX_USED 4

typedef struct PlaceCase {
    const char *name;
    uint64_t base, room;
    PlacedRange used[MAX_USED];           /* ends with a size of 0 */
    uint64_t hint;                        /* AUTO: none */
    uint64_t align, size;
    uint64_t expected;                    /* NOWHERE: refused */
    const char *reason;                   /* part of the message */
} PlaceCase;

static const PlaceCase place_cases[] = {
    { "empty-space-gives-its-start", 5 * GiB, 4 * GiB, { { 0 } },
      AUTO, 2 * MiB, GiB, 5 * GiB, NULL },
    { "start-is-rounded-up", 5 * GiB + 4 * KiB, 4 * GiB, { { 0 } },
      AUTO, 2 * MiB, GiB, 5 * GiB + 2 * MiB, NULL },
    { "goes-behind-what-is-there", 4 * GiB, 4 * GiB,
      { { 4 * GiB, GiB, "a" } }, AUTO, 2 * MiB, GiB, 5 * GiB, NULL },
    { "fills-the-first-gap-that-is-big-enough", 4 * GiB, 8 * GiB,
      { { 4 * GiB, GiB, "a" }, { 5 * GiB + 512 * MiB, GiB, "b" },
        { 8 * GiB, GiB, "c" } },
      AUTO, 2 * MiB, GiB, 6 * GiB + 512 * MiB, NULL },
    { "a-gap-of-just-the-size-will-do", 4 * GiB, 8 * GiB,
      { { 4 * GiB, GiB, "a" }, { 6 * GiB, GiB, "b" } },
      AUTO, 2 * MiB, GiB, 5 * GiB, NULL },
    { "alignment-can-skip-a-gap", 4 * GiB, 8 * GiB,
      { { 4 * GiB, 512 * MiB, "a" }, { 5 * GiB + 512 * MiB, GiB, "b" } },
      AUTO, GiB, GiB, 7 * GiB, NULL },
    { "the-last-byte-can-be-used", 4 * GiB, 2 * GiB,
      { { 4 * GiB, GiB, "a" } }, AUTO, 2 * MiB, GiB, 5 * GiB, NULL },
    { "one-byte-too-many", 4 * GiB, 2 * GiB - 4 * KiB,
      { { 4 * GiB, GiB, "a" } }, AUTO, 2 * MiB, GiB, NOWHERE, "fragmented" },
    { "larger-than-the-space", 4 * GiB, GiB, { { 0 } },
      AUTO, 2 * MiB, 2 * GiB, NOWHERE, "could not find position" },
    { "alignment-beyond-64-bits", UINT64_MAX - GiB, GiB, { { 0 } },
      AUTO, 1ULL << 63, 4 * KiB, NOWHERE, "could not find position" },
    { "size-beyond-64-bits", 4 * GiB, GiB, { { 0 } },
      AUTO, 2 * MiB, UINT64_MAX - 4 * KiB, NOWHERE, "could not find position" },
    { "hint-is-taken", 4 * GiB, 4 * GiB, { { 4 * GiB, GiB, "a" } },
      6 * GiB, 2 * MiB, GiB, 6 * GiB, NULL },
    { "hint-at-the-very-end", 4 * GiB, 4 * GiB, { { 0 } },
      7 * GiB, 2 * MiB, GiB, 7 * GiB, NULL },
    { "hint-is-misaligned", 4 * GiB, 4 * GiB, { { 0 } },
      4 * GiB + MiB, 2 * MiB, GiB, NOWHERE,
      "address 0x100100000 must be aligned to 0x200000 bytes" },
    { "hint-before-the-space", 4 * GiB, 4 * GiB, { { 0 } },
      2 * GiB, 2 * MiB, GiB, NOWHERE,
      "usable range for memory devices [0x100000000:0x1ffffffff]" },
    { "hint-runs-out-of-the-space", 4 * GiB, 4 * GiB, { { 0 } },
      7 * GiB + 2 * MiB, 2 * MiB, GiB, NOWHERE, "can't add memory device" },
    { "hint-wraps-around", 4 * GiB, 4 * GiB, { { 0 } },
      UINT64_MAX - 2 * MiB + 1, 2 * MiB, GiB, NOWHERE,
      "can't add memory device" },
    { "hint-overlaps-the-start-of-another", 4 * GiB, 4 * GiB,
      { { 6 * GiB, GiB, "dimm7" } }, 5 * GiB + 2 * MiB, 2 * MiB, GiB, NOWHERE,
      "conflicts with memory device id='dimm7' at [0x180000000:0x1bfffffff]" },
    { "hint-overlaps-the-end-of-another", 4 * GiB, 4 * GiB,
      { { 5 * GiB, GiB, "dimm7" } }, 6 * GiB - 2 * MiB, 2 * MiB, GiB, NOWHERE,
      "id='dimm7'" },
    { "hint-inside-another", 4 * GiB, 4 * GiB,
      { { 4 * GiB, 2 * GiB, "big" } }, 5 * GiB, 2 * MiB, 2 * MiB, NOWHERE,
      "id='big'" },
};

static size_t count_used(const PlaceCase *c)
{
    size_t n = 0;

    while (n < MAX_USED && c->used[n].size) {
        n++;
    }
    return n;
}

static void test_place(gconstpointer data)
{
    const PlaceCase *c = data;
    PlacementSpace space = {
        .addr = c->base, .size = c->room, .used = c->used,
        .nr_used = count_used(c),
    };
    uint64_t addr = 0;
    Error *err = NULL;
    bool ok = memory_place(&space, c->hint == AUTO ? NULL : &c->hint, c->align,
                           c->size, &addr, &err);

    if (c->expected == NOWHERE) {
        g_assert_false(ok);
        g_assert_nonnull(strstr(error_get_pretty(err), c->reason));
        g_assert_cmphex(addr, ==, 0);
        error_free(err);
    } else {
        g_assert_no_error(err);
        g_assert_true(ok);
        g_assert_cmphex(addr, ==, c->expected);
    }
}

/* Places many at random and checks that each is inside, aligned, alone, and
 * that none lower would have done. */
static bool is_free(const PlacementSpace *space, uint64_t addr, uint64_t size)
{
    if (addr < space->addr || addr + size > space->addr + space->size) {
        return false;
    }
    for (size_t i = 0; i < space->nr_used; i++) {
        const PlacedRange *r = &space->used[i];

        if (addr < r->addr + r->size && r->addr < addr + size) {
            return false;
        }
    }
    return true;
}

static gint compare_ranges(gconstpointer a, gconstpointer b)
{
    const PlacedRange *x = a, *y = b;

    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void test_random_placements_are_the_lowest_possible(void)
{
    g_autoptr(GArray) used = g_array_new(false, false, sizeof(PlacedRange));
    PlacementSpace space = { .addr = 64, .size = 192 };

    for (int i = 0; i < 2000; i++) {
        uint64_t align = 1ULL << g_test_rand_int_range(0, 5);
        uint64_t size = g_test_rand_int_range(1, 40);
        uint64_t lowest = NOWHERE, addr = NOWHERE;
        PlacedRange r = { .size = size, .id = "r" };

        space.used = (const PlacedRange *)used->data;
        space.nr_used = used->len;
        for (uint64_t a = 0; lowest == NOWHERE && a < 256; a += align) {
            lowest = is_free(&space, a, size) ? a : NOWHERE;
        }
        if (memory_place(&space, NULL, align, size, &addr, NULL)) {
            r.addr = addr;
            g_array_append_val(used, r);
            g_array_sort(used, compare_ranges);
        }
        g_assert_cmphex(addr, ==, lowest);
        if (used->len && g_test_rand_bit()) {
            g_array_remove_index(used, g_test_rand_int_range(0, used->len));
        }
    }
}

/* --- a machine and memory devices --- */

static const TypeInfo machine_info = {
    .name = MACHINE_TYPE_NAME("memtest"),
    .parent = TYPE_MACHINE,
};

#define TYPE_MDEV "m-device"
typedef struct MDev {
    DeviceState parent_obj;

    uint64_t addr;
    uint64_t size;
    bool broken;
    MemoryRegion mr;
} MDev;
DECLARE_INSTANCE_CHECKER(MDev, MDEV, TYPE_MDEV)

static uint64_t mdev_get_addr(const MemoryDeviceState *md)
{
    return MDEV(md)->addr;
}

static void mdev_set_addr(MemoryDeviceState *md, uint64_t addr, Error **errp)
{
    MDEV(md)->addr = addr;
}

static MemoryRegion *mdev_get_region(MemoryDeviceState *md, Error **errp)
{
    MDev *m = MDEV(md);

    if (m->broken) {
        error_setg(errp, "no memory");
        return NULL;
    }
    if (!m->mr.owner) {
        memory_region_init(&m->mr, OBJECT(m), "mem", m->size);
    }
    return &m->mr;
}

static JsonObject *mdev_fill_info(const MemoryDeviceState *md)
{
    JsonObject *info = json_object_new();
    JsonObject *data = json_object_new();

    json_object_set_string_member(info, "type", "test");
    json_object_set_int_member(data, "memaddr", MDEV(md)->addr);
    json_object_set_object_member(info, "data", data);
    return info;
}

static const Property mdev_properties[] = {
    DEFINE_PROP_UINT64("size", MDev, size, GiB),
    DEFINE_PROP_END_OF_LIST(),
};

static void mdev_class_init(ObjectClass *klass, void *data)
{
    MemoryDeviceClass *mdc = MEMORY_DEVICE_CLASS(klass);

    device_class_set_props(DEVICE_CLASS(klass), mdev_properties);
    mdc->get_addr = mdev_get_addr;
    mdc->set_addr = mdev_set_addr;
    mdc->get_memory_region = mdev_get_region;
    mdc->fill_device_info = mdev_fill_info;
}

static const TypeInfo mdev_info = {
    .name = TYPE_MDEV,
    .parent = TYPE_DEVICE,
    .instance_size = sizeof(MDev),
    .class_init = mdev_class_init,
    .interfaces = (InterfaceInfo[]) { { TYPE_MEMORY_DEVICE }, { NULL } },
};

static void register_types(void)
{
    type_register_static(&machine_info);
    type_register_static(&mdev_info);
}
type_init(register_types)

#define BASE (16 * GiB)

typedef struct Fixture {
    MachineState *ms;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    f->ms = MACHINE(object_new(MACHINE_TYPE_NAME("memtest")));
    f->ms->ram_size = GiB;
    f->ms->maxram_size = 5 * GiB;
    machine_memory_devices_init(f->ms, BASE, 4 * GiB);
    current_machine = f->ms;
}

static void tear_down(Fixture *f, gconstpointer data)
{
    current_machine = NULL;
    memory_region_del_subregion(get_system_memory(), &f->ms->device_memory->mr);
    object_unparent(OBJECT(&f->ms->device_memory->mr));
    g_clear_pointer(&f->ms->device_memory, g_free);
    object_unref(f->ms);
}

static MDev *new_mdev(uint64_t size, uint64_t addr)
{
    MDev *m = MDEV(qdev_new(TYPE_MDEV));

    m->size = size;
    m->addr = addr;
    return m;
}

static MDev *plugged(Fixture *f, uint64_t size, uint64_t addr)
{
    MDev *m = new_mdev(size, addr);

    memory_device_pre_plug(MEMORY_DEVICE(m), f->ms, NULL, &error_abort);
    memory_device_plug(MEMORY_DEVICE(m), f->ms);
    return m;
}

static void unplug(Fixture *f, MDev *m)
{
    memory_device_unplug(MEMORY_DEVICE(m), f->ms);
    object_unref(m);
}

static void test_devices_are_placed_one_after_the_other(Fixture *f,
                                                        gconstpointer data)
{
    MDev *a = plugged(f, GiB, 0);
    MDev *b = plugged(f, GiB, 0);
    MemoryRegionSection s = memory_region_find(get_system_memory(), BASE, 1);

    g_assert_cmphex(a->addr, ==, BASE);
    g_assert_cmphex(b->addr, ==, BASE + GiB);
    g_assert_null(s.mr);                  /* a container answers nothing */
    g_assert_cmphex(a->mr.addr, ==, 0);
    g_assert_cmphex(b->mr.addr, ==, GiB);
    unplug(f, a);
    unplug(f, b);
}

static void test_freed_place_is_used_again(Fixture *f, gconstpointer data)
{
    MDev *a = plugged(f, GiB, 0);
    MDev *b = plugged(f, GiB, 0);
    MDev *c;

    unplug(f, a);
    c = plugged(f, GiB, 0);

    g_assert_cmphex(c->addr, ==, BASE);
    unplug(f, b);
    unplug(f, c);
}

static void refused(Fixture *f, MDev *m, const char *reason)
{
    Error *err = NULL;
    uint64_t addr = m->addr;

    memory_device_pre_plug(MEMORY_DEVICE(m), f->ms, NULL, &err);
    g_assert_nonnull(err);
    g_assert_nonnull(strstr(error_get_pretty(err), reason));
    g_assert_cmphex(m->addr, ==, addr);
    error_free(err);
    object_unref(m);
}

static void test_chosen_address_is_checked(Fixture *f, gconstpointer data)
{
    MDev *a = plugged(f, GiB, BASE + GiB);

    a->parent_obj.id = g_strdup("first");
    refused(f, new_mdev(GiB, BASE + GiB), "id='first'");
    refused(f, new_mdev(GiB, BASE + MiB), "must be aligned to 0x200000");
    refused(f, new_mdev(GiB, 4 * GiB), "usable range");
    unplug(f, a);
}

static void test_sum_is_limited_by_maxmem(Fixture *f, gconstpointer data)
{
    MDev *a = plugged(f, 3 * GiB, 0);

    refused(f, new_mdev(2 * GiB, 0), "not enough space, currently 0xc0000000 "
            "in use of total space for memory devices 0x100000000");
    unplug(f, a);
}

static void test_without_maxmem_there_are_no_memory_devices(Fixture *f,
                                                            gconstpointer data)
{
    f->ms->maxram_size = f->ms->ram_size;

    refused(f, new_mdev(GiB, 0), "please specify the maxmem option");
}

static void test_error_of_the_device_is_passed_on(Fixture *f,
                                                  gconstpointer data)
{
    MDev *m = new_mdev(GiB, 0);

    m->broken = true;
    refused(f, m, "no memory");
}

static void test_legacy_alignment_replaces_the_device_s(Fixture *f,
                                                        gconstpointer data)
{
    MDev *a = plugged(f, 2 * MiB, 0);
    MDev *b = new_mdev(GiB, 0);
    const uint64_t align = GiB;

    memory_device_pre_plug(MEMORY_DEVICE(b), f->ms, &align, &error_abort);

    g_assert_cmphex(b->addr, ==, BASE + GiB);
    object_unref(b);
    unplug(f, a);
}

static JsonNode *call(const char *command)
{
    g_autoptr(JsonObject) args = json_object_new();

    return qmp_find_command(command)->fn(args, &error_abort);
}

static void test_query_lists_devices_by_address(Fixture *f, gconstpointer data)
{
    MDev *high = plugged(f, GiB, BASE + 2 * GiB);
    MDev *low = plugged(f, GiB, BASE);
    g_autoptr(JsonNode) reply = call("query-memory-devices");
    JsonArray *list = json_node_get_array(reply);

    g_assert_cmpuint(json_array_get_length(list), ==, 2);
    for (guint i = 0; i < 2; i++) {
        JsonObject *info = json_array_get_object_element(list, i);

        g_assert_cmpint(json_object_get_int_member(
                            json_object_get_object_member(info, "data"),
                            "memaddr"), ==, i ? high->addr : low->addr);
    }
    unplug(f, high);
    unplug(f, low);
}

static void test_summary_adds_up(Fixture *f, gconstpointer data)
{
    MDev *a = plugged(f, GiB, 0);
    MDev *b = plugged(f, 2 * GiB, 0);
    g_autoptr(JsonNode) reply = call("query-memory-size-summary");
    JsonObject *summary = json_node_get_object(reply);

    g_assert_cmpint(json_object_get_int_member(summary, "base-memory"), ==,
                    GiB);
    g_assert_cmpint(json_object_get_int_member(summary, "plugged-memory"), ==,
                    3 * GiB);
    unplug(f, a);
    unplug(f, b);
}

#define ADD(path, fn) \
    g_test_add("/memory-device/" path, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    memory_map_init();
    for (size_t i = 0; i < ARRAY_SIZE(place_cases); i++) {
        g_autofree char *path = g_strdup_printf("/memory-placement/%s",
                                                place_cases[i].name);

        g_test_add_data_func(path, &place_cases[i], test_place);
    }
    g_test_add_func("/memory-placement/random-ones-are-the-lowest-possible",
                    test_random_placements_are_the_lowest_possible);
    ADD("placed-one-after-the-other",
        test_devices_are_placed_one_after_the_other);
    ADD("freed-place-is-used-again", test_freed_place_is_used_again);
    ADD("chosen-address-is-checked", test_chosen_address_is_checked);
    ADD("sum-is-limited-by-maxmem", test_sum_is_limited_by_maxmem);
    ADD("none-without-maxmem",
        test_without_maxmem_there_are_no_memory_devices);
    ADD("error-of-the-device-is-passed-on",
        test_error_of_the_device_is_passed_on);
    ADD("legacy-alignment-replaces-the-device-s",
        test_legacy_alignment_replaces_the_device_s);
    ADD("query-lists-devices-by-address", test_query_lists_devices_by_address);
    ADD("summary-adds-up", test_summary_adds_up);
    return g_test_run();
}
