/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One scenario of plugging, unplugging, attaching and detaching, with one
 * failure in it: for each kind of operation (a map of either container, a
 * discard of memory) and for every n, the n-th one fails. Right after it the
 * laws of exec/memory.h hold and nothing has changed; tried again, the step
 * succeeds; at the end nothing is left.
 */
#include "qemu/osdep.h"

#include "fake-iommu.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/units.h"
#include "sparse-ram.h"

#define HOST 0x100000000000ULL
#define BLOCK (2 * MiB)
#define NR_BLOCKS 300
#define NR_CONTAINERS 2
#define NR_SECTIONS 2
#define ENOUGH 5000                       /* more than the scenario can fail */

/* Parts of the region, which overlap in it, and where they are seen. */
static const struct { hwaddr at; uint64_t first, nr; } sections[] = {
    { 8 * GiB, 17, 150 }, { 2 * GiB, 100, 200 },
};

typedef struct World {
    TestSpace *space;
    SparseRam *ram;
    MemoryRegion alias[NR_SECTIONS];
    FakeIOMMU *iommu[NR_CONTAINERS];
    bool attached[NR_CONTAINERS];
    int fail_discard_after;               /* -1: none fails */
    unsigned discards;                    /* that succeeded */
} World;

static int discard(void *opaque, uint64_t offset, uint64_t size)
{
    World *w = opaque;

    if (w->fail_discard_after >= 0 && w->fail_discard_after-- == 0) {
        return -EPERM;
    }
    w->discards++;
    return 0;
}

static void world_init(World *w)
{
    *w = (World) { .space = test_space_new(), .fail_discard_after = -1 };
    w->ram = sparse_ram_new("mem0", BLOCK, NR_BLOCKS, HOST);
    w->ram->blocks.discard = discard;
    w->ram->blocks.discard_opaque = w;
    for (unsigned i = 0; i < NR_SECTIONS; i++) {
        memory_region_init_alias(&w->alias[i], NULL, "alias", &w->ram->mr,
                                 sections[i].first * BLOCK,
                                 sections[i].nr * BLOCK);
        memory_region_add_subregion(&w->space->root, sections[i].at,
                                    &w->alias[i]);
    }
    for (unsigned i = 0; i < NR_CONTAINERS; i++) {
        w->iommu[i] = fake_iommu_new();
        w->iommu[i]->exact = i == 1;
    }
}

/* Nothing may be left mapped: fake_iommu_free() checks that. */
static void world_destroy(World *w)
{
    for (unsigned i = 0; i < NR_CONTAINERS; i++) {
        g_assert_false(w->attached[i]);
        fake_iommu_free(w->iommu[i]);
    }
    for (unsigned i = 0; i < NR_SECTIONS; i++) {
        memory_region_del_subregion(&w->space->root, &w->alias[i]);
        object_unref(OBJECT(&w->alias[i]));
    }
    sparse_ram_free(w->ram);
    test_space_free(w->space);
}

/* --- the laws --- */

static void check_container(World *w, const FakeIOMMU *iommu)
{
    uint64_t mapped = 0;

    for (unsigned i = 0; i < NR_SECTIONS; i++) {
        for (uint64_t b = 0; b < sections[i].nr; b++) {
            bool plugged = sparse_ram_is_plugged(w->ram, sections[i].first + b);
            uint64_t host = HOST + (sections[i].first + b) * BLOCK;

            g_assert_cmphex((uintptr_t)fake_iommu_translate(
                                iommu, sections[i].at + b * BLOCK),
                            ==, plugged ? host : 0);
            mapped += plugged ? BLOCK : 0;
        }
    }
    g_assert_cmpuint(fake_iommu_mapped(iommu), ==, mapped);
    g_assert_cmpuint(iommu->locked, ==, mapped);
    g_assert_cmpuint(iommu->violations, ==, 0);
}

static void check_world(World *w)
{
    for (unsigned i = 0; i < NR_CONTAINERS; i++) {
        if (w->attached[i]) {
            check_container(w, w->iommu[i]);
            g_assert_false(w->iommu[i]->container.space.broken);
        } else {
            g_assert_cmpuint(w->iommu[i]->mappings->len, ==, 0);
        }
    }
}

/* --- the scenario --- */

typedef enum StepKind { PLUG, UNPLUG, UNPLUG_ALL, ATTACH, DETACH } StepKind;

static const struct Step {
    StepKind kind;
    unsigned a, b;                        /* first block and how many, or which
                                             container */
} scenario[] = {
    { ATTACH, 0, 0 },
    { PLUG, 10, 20 },                     /* across the start of section 0 */
    { PLUG, 90, 30 },                     /* the start of section 1 */
    { ATTACH, 1, 0 },
    { PLUG, 150, 70 },                    /* the end of section 0 */
    { UNPLUG, 15, 3 },
    { UNPLUG, 95, 20 },
    { PLUG, 95, 20 },
    { PLUG, 0, 5 },                       /* seen by nobody */
    { DETACH, 0, 0 },
    { PLUG, 40, 2 },
    { ATTACH, 0, 0 },
    { UNPLUG_ALL, 0, 0 },
    { PLUG, 5, 295 },
    { UNPLUG, 60, 100 },
    { DETACH, 1, 0 },
    { UNPLUG_ALL, 0, 0 },
    { PLUG, 100, 67 },
    { DETACH, 0, 0 },
    { UNPLUG_ALL, 0, 0 },
};

static bool attach(World *w, unsigned i)
{
    Error *err = NULL;

    w->attached[i] = fake_iommu_start(w->iommu[i], &w->space->as, &err);
    if (!w->attached[i]) {
        g_assert_nonnull(err);
        error_free(err);
    }
    return w->attached[i];
}

static void detach(World *w, unsigned i)
{
    fake_iommu_stop(w->iommu[i]);
    w->attached[i] = false;
}

static bool try_step(World *w, const struct Step *s)
{
    RamDiscardBlocks *blocks = &w->ram->blocks;

    switch (s->kind) {
    case PLUG:
        return sparse_ram_plug(w->ram, s->a, s->b) == 0;
    case UNPLUG:
        return ram_discard_blocks_discard(blocks, s->a * BLOCK,
                                         s->b * BLOCK) == 0;
    case UNPLUG_ALL:
        return ram_discard_blocks_discard_all(blocks) == 0;
    case ATTACH:
        return attach(w, s->a);
    case DETACH:
        detach(w, s->a);
        return true;
    }
    g_assert_not_reached();
}

/* How many steps had to be tried again. */
static unsigned play(World *w)
{
    unsigned failures = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(scenario); i++) {
        uint64_t before = w->ram->blocks.populated;

        if (!try_step(w, &scenario[i])) {
            failures++;
            g_assert_cmpuint(w->ram->blocks.populated, ==, before);
            check_world(w);
            g_assert_true(try_step(w, &scenario[i]));
        }
        check_world(w);
    }
    g_assert_cmpuint(w->ram->blocks.populated, ==, 0);
    return failures;
}

/* --- the failures --- */

/* Where the counter is that makes the n-th operation fail. */
static int *failing_map(World *w, unsigned container)
{
    return &w->iommu[container]->fail_map_after;
}

/* For every n, until the scenario has no n-th one. */
static unsigned play_with_every_failure(World *w, int *fail_after)
{
    for (unsigned n = 0; n < ENOUGH; n++) {
        *fail_after = n;
        if (!play(w)) {
            *fail_after = -1;
            return n;
        }
        g_assert_cmpint(*fail_after, ==, -1);
    }
    g_assert_not_reached();
}

static void test_no_failure(void)
{
    World w;

    world_init(&w);
    g_assert_cmpuint(play(&w), ==, 0);
    world_destroy(&w);
}

static void test_every_map(gconstpointer data)
{
    unsigned container = GPOINTER_TO_UINT(data);
    unsigned maps;
    World w;

    world_init(&w);
    play(&w);
    maps = fake_iommu_count(w.iommu[container], true);
    g_assert_cmpuint(maps, >, 300);
    g_assert_cmpuint(play_with_every_failure(&w, failing_map(&w, container)),
                     ==, maps);
    world_destroy(&w);
}

static void test_every_discard(void)
{
    World w;
    unsigned discards;

    world_init(&w);
    play(&w);
    discards = w.discards;
    g_assert_cmpuint(discards, >=, 6);
    g_assert_cmpuint(play_with_every_failure(&w, &w.fail_discard_after), ==,
                     discards);
    world_destroy(&w);
}

/* Two containers fail one after the other in the same plug, then a discard. */
static void test_failures_of_several_kinds(void)
{
    World w;

    world_init(&w);
    for (int n = 0; n < 60; n++) {
        w.iommu[0]->fail_map_after = -1;
        g_assert_true(attach(&w, 0) && attach(&w, 1));
        w.iommu[0]->fail_map_after = n;
        w.iommu[1]->fail_map_after = 59 - n;
        w.fail_discard_after = 0;
        g_assert_cmpint(sparse_ram_plug(w.ram, 100, 60), ==, -EIO);
        check_world(&w);
        g_assert_cmpint(sparse_ram_plug(w.ram, 100, 60), ==, -EIO);
        check_world(&w);
        g_assert_cmpint(sparse_ram_plug(w.ram, 100, 60), ==, 0);
        check_world(&w);
        g_assert_cmpint(ram_discard_blocks_discard(&w.ram->blocks, 110 * BLOCK,
                                                  20 * BLOCK), ==, -EPERM);
        check_world(&w);
        sparse_ram_unplug(w.ram, 110, 20);
        check_world(&w);
        detach(&w, 0);
        detach(&w, 1);
        g_assert_cmpint(ram_discard_blocks_discard_all(&w.ram->blocks), ==, 0);
    }
    world_destroy(&w);
}

/* That a plug is refused is no news here. */
static void hear_nothing(const char *line, void *opaque)
{
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    error_set_printer(hear_nothing, NULL);
    g_test_add_func("/fault-injection/the scenario works", test_no_failure);
    g_test_add_data_func("/fault-injection/every map of the first container",
                         GUINT_TO_POINTER(0), test_every_map);
    g_test_add_data_func("/fault-injection/every map of the second container",
                         GUINT_TO_POINTER(1), test_every_map);
    g_test_add_func("/fault-injection/every discard", test_every_discard);
    g_test_add_func("/fault-injection/failures of several kinds",
                    test_failures_of_several_kinds);
    return g_test_run();
}
