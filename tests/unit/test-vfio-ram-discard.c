/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vfio/ram-discard.c: what is mapped of a managed section is what is
 * populated of it, whatever fails. The manager is exec/ram-discard.h's state
 * machine, the IOMMU a fake that enforces type1's rules.
 */
#include "qemu/osdep.h"

#include "fake-iommu.h"
#include "qapi/client-event.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "sparse-ram.h"

#define HOST 0x100000000000ULL
#define BLOCK (2 * MiB)
#define NR_BLOCKS 300
#define BASE (4 * GiB)

typedef struct Fixture {
    TestSpace *space;
    FakeIOMMU *iommu;
    SparseRam *ram;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    f->space = test_space_new();
    f->iommu = fake_iommu_new();
    f->iommu->exact = GPOINTER_TO_INT(data);
    f->ram = sparse_ram_new("mem0", BLOCK, NR_BLOCKS, HOST);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    fake_iommu_free(f->iommu);
    if (memory_region_is_mapped(&f->ram->mr)) {
        memory_region_del_subregion(&f->space->root, &f->ram->mr);
    }
    sparse_ram_free(f->ram);
    test_space_free(f->space);
}

static void start(Fixture *f)
{
    Error *err = NULL;

    fake_iommu_start(f->iommu, &f->space->as, &err);
    g_assert_no_error(err);
}

/* The whole region at BASE, followed. */
static void start_whole(Fixture *f)
{
    memory_region_add_subregion(&f->space->root, BASE, &f->ram->mr);
    start(f);
}

static void plug(Fixture *f, uint64_t block, uint64_t nr)
{
    g_assert_cmpint(sparse_ram_plug(f->ram, block, nr), ==, 0);
}

/* Law L1, for the blocks [first, first + nr) of the region seen at @at. */
static void check_section(Fixture *f, hwaddr at, uint64_t first, uint64_t nr)
{
    for (uint64_t b = 0; b < nr; b++) {
        uintptr_t host = sparse_ram_is_plugged(f->ram, first + b)
                         ? HOST + (first + b) * BLOCK : 0;

        g_assert_cmphex((uintptr_t)fake_iommu_translate(f->iommu,
                                                        at + b * BLOCK),
                        ==, host);
    }
}

static void test_maps_populated_only(Fixture *f, gconstpointer data)
{
    plug(f, 0, 3);
    plug(f, 10, 1);
    start_whole(f);
    g_assert_cmpuint(fake_iommu_count(f->iommu, true), ==, 4);
    check_section(f, BASE, 0, NR_BLOCKS);
    plug(f, 70, 130);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 134);
    check_section(f, BASE, 0, NR_BLOCKS);
    fake_iommu_stop(f->iommu);
}

static void test_granule_by_granule(Fixture *f, gconstpointer data)
{
    start_whole(f);
    plug(f, 5, 7);
    for (guint i = 0; i < f->iommu->mappings->len; i++) {
        g_assert_cmpuint(g_array_index(f->iommu->mappings, FakeMapping, i).size,
                         ==, BLOCK);
    }
    sparse_ram_unplug(f->ram, 8, 1);
    check_section(f, BASE, 0, NR_BLOCKS);
    fake_iommu_stop(f->iommu);
}

/* Blocks 40..139 of the region, somewhere else. */
static void test_alias(Fixture *f, gconstpointer data)
{
    const hwaddr at = 1 * TiB + 512 * MiB;
    MemoryRegion alias;

    memory_region_init_alias(&alias, NULL, "alias", &f->ram->mr, 40 * BLOCK,
                             100 * BLOCK);
    memory_region_add_subregion(&f->space->root, at, &alias);
    plug(f, 30, 20);
    start(f);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 10);
    plug(f, 130, 20);
    plug(f, 0, 10);
    check_section(f, at, 40, 100);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 20);
    sparse_ram_unplug(f->ram, 45, 5);
    sparse_ram_unplug(f->ram, 139, 2);
    check_section(f, at, 40, 100);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 14);
    fake_iommu_stop(f->iommu);
    memory_region_del_subregion(&f->space->root, &alias);
    object_unref(OBJECT(&alias));
}

/* The section begins and ends in the middle of a block. */
static void test_cut_blocks(Fixture *f, gconstpointer data)
{
    MemoryRegion alias;

    memory_region_init_alias(&alias, NULL, "alias", &f->ram->mr, 3 * MiB,
                             4 * MiB);
    memory_region_add_subregion(&f->space->root, BASE, &alias);
    start(f);
    plug(f, 0, 5);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 3);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 4 * MiB);
    g_assert_cmphex((uintptr_t)fake_iommu_translate(f->iommu, BASE), ==,
                    HOST + 3 * MiB);
    sparse_ram_unplug(f->ram, 1, 2);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 1 * MiB);
    fake_iommu_stop(f->iommu);
    memory_region_del_subregion(&f->space->root, &alias);
    object_unref(OBJECT(&alias));
}

/* Two sections of one region, blocks 0..9 and 100..149; the second cannot map
 * its part: the first gives back its own, and nothing else. */
static void test_second_section_fails(Fixture *f, gconstpointer data)
{
    MemoryRegion alias[2];

    memory_region_init_alias(&alias[0], NULL, "low", &f->ram->mr, 0,
                             10 * BLOCK);
    memory_region_init_alias(&alias[1], NULL, "high", &f->ram->mr, 100 * BLOCK,
                             50 * BLOCK);
    memory_region_add_subregion(&f->space->root, 8 * GiB, &alias[0]);
    memory_region_add_subregion(&f->space->root, 2 * GiB, &alias[1]);
    plug(f, 0, 5);
    plug(f, 110, 3);
    start(f);
    for (int n = 0; n < 55; n++) {
        f->iommu->fail_map_after = n;
        g_assert_cmpint(sparse_ram_plug(f->ram, 5, 100), ==,
                        n < 10 ? -EIO : 0);
        check_section(f, 8 * GiB, 0, 10);
        check_section(f, 2 * GiB, 100, 50);
        if (n >= 10) {
            break;
        }
        g_assert_cmpuint(f->iommu->mappings->len, ==, 8);
    }
    fake_iommu_stop(f->iommu);
    for (int i = 0; i < 2; i++) {
        memory_region_del_subregion(&f->space->root, &alias[i]);
        object_unref(OBJECT(&alias[i]));
    }
}

/* A scenario with a failure at its n-th map call, for every n. */
static void test_every_failure(Fixture *f, gconstpointer data)
{
    static const struct { uint64_t block, nr; } plugs[] = {
        { 0, 4 }, { 60, 8 }, { 250, 50 }, { 4, 1 },
    };
    const int nr_maps = 63;

    start_whole(f);
    for (int n = 0; n <= nr_maps; n++) {
        unsigned failures = 0;

        f->iommu->fail_map_after = n;
        for (guint i = 0; i < G_N_ELEMENTS(plugs); i++) {
            if (sparse_ram_plug(f->ram, plugs[i].block, plugs[i].nr)) {
                failures++;
                check_section(f, BASE, 0, NR_BLOCKS);
                plug(f, plugs[i].block, plugs[i].nr);
            }
            check_section(f, BASE, 0, NR_BLOCKS);
        }
        g_assert_cmpuint(failures, ==, n < nr_maps ? 1 : 0);
        g_assert_cmpuint(f->iommu->mappings->len, ==, nr_maps);
        g_assert_cmpint(ram_discard_blocks_discard_all(&f->ram->blocks), ==, 0);
        g_assert_cmpuint(f->iommu->mappings->len, ==, 0);
    }
    f->iommu->fail_map_after = -1;
    fake_iommu_stop(f->iommu);
}

static void test_replay_fails(Fixture *f, gconstpointer data)
{
    memory_region_add_subregion(&f->space->root, BASE, &f->ram->mr);
    plug(f, 0, 3);
    plug(f, 20, 3);
    for (int n = 0; n < 6; n++) {
        Error *err = NULL;

        f->iommu->fail_map_after = n;
        g_assert_false(fake_iommu_start(f->iommu, &f->space->as, &err));
        g_assert_nonnull(strstr(error_get_pretty(err), "'mem0'"));
        error_free(err);
        g_assert_cmpuint(f->iommu->mappings->len, ==, 0);
        /* Nobody follows it any more. */
        plug(f, 100, 1);
        sparse_ram_unplug(f->ram, 100, 1);
        g_assert_cmpuint(f->iommu->mappings->len, ==, 0);
    }
    start(f);
    check_section(f, BASE, 0, NR_BLOCKS);
    fake_iommu_stop(f->iommu);
}

static void test_discard_run(Fixture *f, gconstpointer data)
{
    bool exact = GPOINTER_TO_INT(data);

    start_whole(f);
    plug(f, 10, 40);
    fake_iommu_forget(f->iommu);
    sparse_ram_unplug(f->ram, 15, 30);
    g_assert_cmpuint(fake_iommu_count(f->iommu, false), ==, exact ? 30 : 1);
    check_section(f, BASE, 0, NR_BLOCKS);
    fake_iommu_stop(f->iommu);
}

static void test_discard_all(Fixture *f, gconstpointer data)
{
    bool exact = GPOINTER_TO_INT(data);

    start_whole(f);
    plug(f, 10, 40);
    plug(f, 290, 10);
    fake_iommu_forget(f->iommu);
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->ram->blocks), ==, 0);
    g_assert_cmpuint(fake_iommu_count(f->iommu, false), ==, exact ? 50 : 1);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 0);
    fake_iommu_stop(f->iommu);
}

static void test_unregister(Fixture *f, gconstpointer data)
{
    start_whole(f);
    plug(f, 64, 200);
    memory_region_del_subregion(&f->space->root, &f->ram->mr);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 0);
    g_assert_true(sparse_ram_is_plugged(f->ram, 64));
    memory_region_add_subregion(&f->space->root, 2 * BASE, &f->ram->mr);
    check_section(f, 2 * BASE, 0, NR_BLOCKS);
    fake_iommu_stop(f->iommu);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 0);
}

static void test_reset_storm(Fixture *f, gconstpointer data)
{
    start_whole(f);
    for (int i = 0; i < 200; i++) {
        plug(f, i, 100);
        g_assert_cmpint(ram_discard_blocks_discard_all(&f->ram->blocks), ==, 0);
        g_assert_cmpuint(f->iommu->mappings->len, ==, 0);
        g_assert_cmpint(ram_discard_blocks_discard_all(&f->ram->blocks), ==, 0);
    }
    g_assert_cmpuint(f->iommu->locked, ==, 0);
    fake_iommu_stop(f->iommu);
}

/* A manager whose granularity is told to be larger from some moment on is
 * believed from that moment on. */
static void test_granularity_not_cached(Fixture *f, gconstpointer data)
{
    start_whole(f);
    f->ram->told_granularity = 2 * BLOCK;
    plug(f, 4, 4);
    g_assert_cmpuint(f->iommu->mappings->len, ==, 2);
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, 4 * BLOCK);
    fake_iommu_stop(f->iommu);
}

static void test_large_iommu_page(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    f->iommu->page_size = 2 * BLOCK;
    memory_region_add_subregion(&f->space->root, BASE, &f->ram->mr);
    g_assert_false(fake_iommu_start(f->iommu, &f->space->as, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "block-size=4194304"));
    error_free(err);

    /* To a container that lives, each plug is refused instead. */
    memory_region_del_subregion(&f->space->root, &f->ram->mr);
    start(f);
    memory_region_add_subregion(&f->space->root, BASE, &f->ram->mr);
    g_assert_cmpint(sparse_ram_plug(f->ram, 0, 2), ==, -EINVAL);
    g_assert_false(sparse_ram_is_plugged(f->ram, 0));
    fake_iommu_stop(f->iommu);
}

static void test_iommu_page_as_block(Fixture *f, gconstpointer data)
{
    f->iommu->page_size = BLOCK;
    start_whole(f);
    plug(f, 1, 7);
    check_section(f, BASE, 0, NR_BLOCKS);
    fake_iommu_stop(f->iommu);
}

static void test_lock_limit(Fixture *f, gconstpointer data)
{
    f->iommu->lock_limit = 10 * BLOCK;
    start_whole(f);
    plug(f, 0, 6);
    fake_iommu_forget(f->iommu);
    g_assert_cmpint(sparse_ram_plug(f->ram, 10, 5), ==, -ENOMEM);
    g_assert_cmpuint(f->iommu->ops->len, ==, 0);
    plug(f, 10, 4);
    check_section(f, BASE, 0, NR_BLOCKS);
    fake_iommu_stop(f->iommu);
}

static void test_kernel_refuses(Fixture *f, gconstpointer data)
{
    f->iommu->tells_limits = false;
    f->iommu->lock_limit = 10 * BLOCK;
    f->iommu->max_mappings = 8;
    start_whole(f);
    plug(f, 0, 6);
    g_assert_cmpint(sparse_ram_plug(f->ram, 10, 5), ==, -ENOSPC);
    check_section(f, BASE, 0, NR_BLOCKS);
    f->iommu->max_mappings = 0;
    g_assert_cmpint(sparse_ram_plug(f->ram, 10, 5), ==, -ENOMEM);
    check_section(f, BASE, 0, NR_BLOCKS);
    plug(f, 10, 4);
    fake_iommu_stop(f->iommu);
}

static unsigned nr_events;

static void count_event(const char *event, JsonObject *data)
{
    g_assert_cmpstr(event, ==, "RAM_DISCARD_REFUSED");
    g_assert_cmpstr(json_object_get_string_member(data, "region"), ==, "mem0");
    g_assert_cmpint(json_object_get_int_member(data, "offset"), ==, 7 * BLOCK);
    g_assert_cmpint(json_object_get_int_member(data, "size"), ==, 3 * BLOCK);
    json_object_unref(data);
    nr_events++;
}

/* Each event as it is emitted, not thinned out as the monitor would. */
static void hear_events(QapiEventEmitter *emitter)
{
    nr_events = 0;
    qapi_event_set_thinned_emitter(NULL, NULL);
    qapi_event_set_emitter(emitter);
}

static void refuse(Fixture *f, int err)
{
    f->iommu->fail_map_after = 2;
    f->iommu->fail_map_errno = err;
    g_assert_cmpint(sparse_ram_plug(f->ram, 7, 3), ==, -err);
}

/* A guest that tries again and again does not flood the management client: it
 * hears of a reason once, until another one, or a success, comes between. */
static void test_event(Fixture *f, gconstpointer data)
{
    hear_events(count_event);
    start_whole(f);
    for (int i = 0; i < 20; i++) {
        refuse(f, EIO);
    }
    g_assert_cmpuint(nr_events, ==, 1);
    refuse(f, EINVAL);
    refuse(f, EINVAL);
    g_assert_cmpuint(nr_events, ==, 2);
    plug(f, 0, 1);
    refuse(f, EINVAL);
    g_assert_cmpuint(nr_events, ==, 3);
    qapi_event_set_emitter(NULL);
    fake_iommu_stop(f->iommu);
}

static void check_lock_event(const char *event, JsonObject *data)
{
    g_assert_cmpint(json_object_get_int_member(data, "needed"), ==, 5 * BLOCK);
    g_assert_cmpint(json_object_get_int_member(data, "limit"), ==, 10 * BLOCK);
    g_assert_cmpint(json_object_get_int_member(data, "used"), ==,
                    (6 + nr_events) * BLOCK);
    json_object_unref(data);
    nr_events++;
}

/* The event of too low a limit has its numbers, and comes again with others. */
static void test_lock_event(Fixture *f, gconstpointer data)
{
    f->iommu->lock_limit = 10 * BLOCK;
    hear_events(check_lock_event);
    start_whole(f);
    plug(f, 0, 6);
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(sparse_ram_plug(f->ram, 10, 5), ==, -ENOMEM);
    }
    g_assert_cmpuint(nr_events, ==, 1);
    plug(f, 6, 1);
    g_assert_cmpint(sparse_ram_plug(f->ram, 10, 5), ==, -ENOMEM);
    g_assert_cmpuint(nr_events, ==, 2);
    qapi_event_set_emitter(NULL);
    fake_iommu_stop(f->iommu);
}

static RamDiscardListenerInfo info_of(Fixture *f)
{
    const RamDiscardState *s = memory_region_ram_discard_state(&f->ram->mr);
    const RamDiscardListener *rdl = QTAILQ_FIRST(&s->listeners);
    RamDiscardListenerInfo info = { 0 };

    g_assert_cmpstr(rdl->kind, ==, "vfio");
    rdl->get_info(rdl, &info);
    g_assert_cmpuint(info.mappings_budget, ==, f->iommu->max_mappings);
    return info;
}

#define assert_info(f, nr) do {                                              \
        RamDiscardListenerInfo info_ = info_of(f);                           \
        g_assert_cmpuint(info_.mapped, ==, (nr) * BLOCK);                    \
        g_assert_cmpuint(info_.mappings, ==, (nr));                          \
        g_assert_cmpuint(f->iommu->mappings->len, ==, (nr));                 \
    } while (0)

/* What is told of the registration follows, refused plugs included. */
static void test_account(Fixture *f, gconstpointer data)
{
    const RamDiscardState *s = memory_region_ram_discard_state(&f->ram->mr);

    plug(f, 0, 3);
    start_whole(f);
    assert_info(f, 3);
    plug(f, 10, 5);
    sparse_ram_unplug(f->ram, 11, 2);
    assert_info(f, 6);
    refuse(f, EIO);
    assert_info(f, 6);
    g_assert_cmpstr(s->refusal.kind, ==, "vfio");
    g_assert_nonnull(strstr(s->refusal.reason, "cannot map"));
    sparse_ram_unplug(f->ram, 0, 3);
    assert_info(f, 3);
    g_assert_cmpint(ram_discard_blocks_discard_all(&f->ram->blocks), ==, 0);
    assert_info(f, 0);
    fake_iommu_stop(f->iommu);
}

/* Memory that stays mapped cannot be plugged again over the old mapping. */
static void test_unmap_fails(Fixture *f, gconstpointer data)
{
    start_whole(f);
    plug(f, 0, 2);
    f->iommu->fail_unmap_errno = EIO;
    sparse_ram_unplug(f->ram, 0, 2);
    g_assert_true(f->iommu->container.space.broken);
    g_assert_cmpint(sparse_ram_plug(f->ram, 0, 2), ==, -EEXIST);
    g_assert_false(sparse_ram_is_plugged(f->ram, 0));
    f->iommu->fail_unmap_errno = 0;
    f->iommu->violations = 0;
    if (GPOINTER_TO_INT(data)) {
        /* Clean up behind the container's back. */
        for (int i = 0; i < 2; i++) {
            f->iommu->container.space.ops->dma_unmap(&f->iommu->container.space,
                                               BASE + i * BLOCK, BLOCK);
        }
    } else {
        f->iommu->container.space.ops->dma_unmap(&f->iommu->container.space, BASE,
                                           2 * BLOCK);
    }
    fake_iommu_stop(f->iommu);
}

/* Random plugs and unplugs, some with a failing map, over two sections. */
static void test_random(Fixture *f, gconstpointer data)
{
    MemoryRegion alias[2];

    memory_region_init_alias(&alias[0], NULL, "a0", &f->ram->mr, 17 * BLOCK,
                             150 * BLOCK);
    memory_region_init_alias(&alias[1], NULL, "a1", &f->ram->mr, 100 * BLOCK,
                             200 * BLOCK);
    memory_region_add_subregion(&f->space->root, 8 * GiB, &alias[0]);
    memory_region_add_subregion(&f->space->root, 2 * GiB, &alias[1]);
    start(f);
    for (int i = 0; i < 400; i++) {
        uint64_t first = (uint64_t)g_test_rand_int_range(0, NR_BLOCKS);
        uint64_t most = (uint64_t)g_test_rand_int_range(1, NR_BLOCKS), nr = 1;
        bool plugged = sparse_ram_is_plugged(f->ram, first);

        f->iommu->fail_map_after = g_test_rand_int_range(-1, 60);
        while (nr < most && first + nr < NR_BLOCKS &&
               sparse_ram_is_plugged(f->ram, first + nr) == plugged) {
            nr++;
        }
        if (plugged) {
            sparse_ram_unplug(f->ram, first, nr);
        } else {
            (void)sparse_ram_plug(f->ram, first, nr);
        }
        check_section(f, 8 * GiB, 17, 150);
        check_section(f, 2 * GiB, 100, 200);
        f->iommu->fail_map_after = -1;
        if (i % 50 == 49) {
            memory_region_set_enabled(&alias[i / 50 % 2], false);
            memory_region_set_enabled(&alias[i / 50 % 2], true);
        }
    }
    fake_iommu_stop(f->iommu);
    for (int i = 0; i < 2; i++) {
        memory_region_del_subregion(&f->space->root, &alias[i]);
        object_unref(OBJECT(&alias[i]));
    }
}

static void add(const char *name,
                void (*fn)(Fixture *f, gconstpointer data))
{
    for (int exact = 0; exact < 2; exact++) {
        g_autofree char *path =
            g_strdup_printf("/vfio/ram-discard/%s/%s",
                            exact ? "exact" : "ranges", name);

        g_test_add(path, Fixture, GINT_TO_POINTER(exact), set_up, fn,
                   tear_down);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("maps what is populated and no more", test_maps_populated_only);
    add("maps each granule by itself", test_granule_by_granule);
    add("clips to a section elsewhere", test_alias);
    add("clips blocks that a section cuts", test_cut_blocks);
    add("rolls back each section's own part", test_second_section_fails);
    add("holds when any map fails", test_every_failure);
    add("refuses set-up if a replay fails", test_replay_fails);
    add("unmaps a run as the backend likes", test_discard_run);
    add("unmaps everything as the backend likes", test_discard_all);
    add("unmaps when the section goes", test_unregister);
    add("survives a storm of resets", test_reset_storm);
    add("asks for the granularity each time", test_granularity_not_cached);
    add("refuses blocks below the IOMMU's page", test_large_iommu_page);
    add("takes blocks as large as the IOMMU's page", test_iommu_page_as_block);
    add("refuses a plug that cannot be locked", test_lock_limit);
    add("rolls back what the kernel refuses", test_kernel_refuses);
    add("tells a client once of each reason for a refusal", test_event);
    add("tells a client the numbers of a lock limit", test_lock_event);
    add("tells what is mapped of a registration", test_account);
    add("never maps over what stayed mapped", test_unmap_fails);
    add("agrees with the manager at random", test_random);
    return g_test_run();
}
