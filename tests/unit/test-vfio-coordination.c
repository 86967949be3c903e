/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several VFIO containers, and several sections, on one managed region: each
 * container has mapped, of each of its sections, what is populated of it, when-
 * ever it came, whatever part the section is of, and whoever of the others
 * refuses. Offsets into the region and into a section differ in all of these.
 */
#include "qemu/osdep.h"

#include "fake-iommu.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/units.h"
#include "sparse-ram.h"

#define HOST 0x100000000000ULL
#define BLOCK (2 * MiB)
#define NR_BLOCKS 70000
#define AT (1 * TiB)

typedef struct Fixture {
    TestSpace *space;
    FakeIOMMU *iommu;
    MemoryRegion alias;
    uint64_t offset, size;                /* of alias, in the region */
} Fixture;

/* One container that sees @size bytes from @offset of @ram at AT. */
static void fixture_init(Fixture *f, SparseRam *ram, bool exact,
                         uint64_t offset, uint64_t size)
{
    f->space = test_space_new();
    f->iommu = fake_iommu_new();
    f->iommu->exact = exact;
    f->iommu->max_mappings = 0;
    f->offset = offset;
    f->size = size;
    memory_region_init_alias(&f->alias, NULL, "alias", &ram->mr, offset, size);
    memory_region_add_subregion(&f->space->root, AT, &f->alias);
}

static void fixture_start(Fixture *f)
{
    fake_iommu_start(f->iommu, &f->space->as, &error_abort);
}

static void fixture_destroy(Fixture *f)
{
    fake_iommu_free(f->iommu);
    memory_region_del_subregion(&f->space->root, &f->alias);
    object_unref(OBJECT(&f->alias));
    test_space_free(f->space);
}

/* How much of @offset .. @offset + @size is in the section. */
static uint64_t clipped(const Fixture *f, uint64_t offset, uint64_t size)
{
    uint64_t start = MAX(offset, f->offset);
    uint64_t end = MIN(offset + size, f->offset + f->size);

    return end > start ? end - start : 0;
}

/* Each mapping, page by page at its ends, leads where it should; and there are
 * as many bytes mapped as are populated of the section. */
static void check(const Fixture *f, SparseRam *ram)
{
    uint64_t offset = 0, size, bytes = 0;

    for (guint i = 0; i < f->iommu->mappings->len; i++) {
        FakeMapping *m = &g_array_index(f->iommu->mappings, FakeMapping, i);
        uint64_t in_region = m->iova - AT + f->offset;

        g_assert_cmphex(m->iova, >=, AT);
        g_assert_cmphex(m->iova + m->size, <=, AT + f->size);
        g_assert_cmphex((uintptr_t)m->vaddr, ==, HOST + in_region);
        g_assert_true(ram_discard_blocks_are_populated(&ram->blocks, in_region,
                                                     m->size));
        g_assert_cmpuint(in_region / BLOCK, ==,
                         (in_region + m->size - 1) / BLOCK);
    }
    while (ram_discard_blocks_next_run(&ram->blocks, &offset, &size)) {
        bytes += clipped(f, offset, size);
        offset += size;
    }
    g_assert_cmpuint(fake_iommu_mapped(f->iommu), ==, bytes);
}

static void plug(SparseRam *ram, uint64_t block, uint64_t nr)
{
    g_assert_cmpint(sparse_ram_plug(ram, block, nr), ==, 0);
}

static SparseRam *ram_new(void)
{
    return sparse_ram_new("mem0", BLOCK, NR_BLOCKS, HOST);
}

/* --- containers that come and go ------------------------------------------ */

static void test_attached_before_and_after(void)
{
    SparseRam *ram = ram_new();
    Fixture early, late;

    fixture_init(&early, ram, false, 0, NR_BLOCKS * BLOCK);
    fixture_init(&late, ram, true, 0, NR_BLOCKS * BLOCK);
    fixture_start(&early);
    plug(ram, 3, 7);
    plug(ram, 65530, 20);
    sparse_ram_unplug(ram, 65535, 2);
    fixture_start(&late);
    check(&early, ram);
    check(&late, ram);
    g_assert_cmpuint(late.iommu->mappings->len, ==, 25);
    plug(ram, 65535, 1);
    sparse_ram_unplug(ram, 5, 5);
    check(&early, ram);
    check(&late, ram);
    g_assert_cmpuint(late.iommu->mappings->len, ==,
                     early.iommu->mappings->len);
    fake_iommu_stop(early.iommu);
    fake_iommu_stop(late.iommu);
    fixture_destroy(&early);
    fixture_destroy(&late);
    sparse_ram_free(ram);
}

/* Who goes has nothing mapped any more; the rest notice nothing. */
static void test_one_of_three_goes(void)
{
    for (unsigned leaving = 0; leaving < 3; leaving++) {
        SparseRam *ram = ram_new();
        Fixture f[3];

        for (unsigned i = 0; i < 3; i++) {
            fixture_init(&f[i], ram, i == 1, i * 10 * BLOCK, 300 * BLOCK);
            fixture_start(&f[i]);
            plug(ram, i * 20, 15);
        }
        for (unsigned i = 0; i < 3; i++) {
            fake_iommu_forget(f[i].iommu);
        }
        fake_iommu_stop(f[leaving].iommu);
        g_assert_cmpuint(f[leaving].iommu->mappings->len, ==, 0);
        g_assert_cmpuint(f[leaving].iommu->locked, ==, 0);
        for (unsigned i = 0; i < 3; i++) {
            g_assert_true(i == leaving || f[i].iommu->ops->len == 0);
        }
        sparse_ram_unplug(ram, 22, 2);
        for (unsigned i = 0; i < 3; i++) {
            if (i != leaving) {
                check(&f[i], ram);
                fake_iommu_stop(f[i].iommu);
            }
            fixture_destroy(&f[i]);
        }
        sparse_ram_free(ram);
    }
}

/* --- sections that are parts ---------------------------------------------- */

/* Plugs and unplugs around, across and inside of the section. */
static void check_section(uint64_t offset, uint64_t size, bool exact)
{
    SparseRam *ram = ram_new();
    uint64_t first = offset / BLOCK, end = DIV_ROUND_UP(offset + size, BLOCK);
    uint64_t before = MIN(first, 3), after = MIN(NR_BLOCKS - end, 3);
    uint64_t nr = end - first;
    Fixture f;

    fixture_init(&f, ram, exact, offset, size);
    if (before) {
        plug(ram, first - before, before + 1);
    }
    fixture_start(&f);
    check(&f, ram);
    if (nr > 4) {
        plug(ram, first + 2, MIN(nr - 3, 40));
        check(&f, ram);
        sparse_ram_unplug(ram, first + 3, 1);
        check(&f, ram);
    }
    if (!sparse_ram_is_plugged(ram, end - 1)) {
        plug(ram, end - 1, 1 + after);
        check(&f, ram);
        g_assert_nonnull(fake_iommu_translate(f.iommu, AT + size - 1));
        sparse_ram_unplug(ram, end - 1, 1 + after);
        check(&f, ram);
    }
    g_assert_cmpint(ram_discard_blocks_discard_all(&ram->blocks), ==, 0);
    g_assert_cmpuint(f.iommu->mappings->len, ==, 0);
    plug(ram, first, nr > 300 ? 300 : nr);
    check(&f, ram);
    g_assert_nonnull(fake_iommu_translate(f.iommu, AT));
    fake_iommu_stop(f.iommu);
    fixture_destroy(&f);
    sparse_ram_free(ram);
}

static void test_alias_at_any_offset(gconstpointer data)
{
    static const uint64_t firsts[] = {
        0, 1, 63, 64, 65, 255, 256, 257, 32768, 65535, 65536, 69000,
    };
    static const uint64_t sizes[] = { 1, 2, 63, 65, 257, 1000 };

    for (unsigned i = 0; i < G_N_ELEMENTS(firsts); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(sizes); j++) {
            check_section(firsts[i] * BLOCK, sizes[j] * BLOCK,
                          GPOINTER_TO_INT(data));
        }
    }
}

/* The section begins or ends in the middle of a block. */
static void test_alias_that_cuts_blocks(gconstpointer data)
{
    static const uint64_t cuts[] = { 4 * KiB, 1 * MiB, BLOCK - 4 * KiB };
    static const uint64_t firsts[] = { 0, 64, 300, 65536 };

    for (unsigned i = 0; i < G_N_ELEMENTS(firsts); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(cuts); j++) {
            uint64_t offset = firsts[i] * BLOCK + cuts[j];

            check_section(offset, 4 * KiB, GPOINTER_TO_INT(data));
            check_section(offset, 10 * BLOCK, GPOINTER_TO_INT(data));
            check_section(offset, 10 * BLOCK - cuts[j], GPOINTER_TO_INT(data));
        }
    }
}

/* --- one of several refuses ----------------------------------------------- */

/* What @f was told of a plug that came to nothing: its own part, there and
 * back again. */
static void check_rolled_back(const Fixture *f, SparseRam *ram, uint64_t bytes)
{
    uint64_t mapped = 0, unmapped = 0;

    for (guint i = 0; i < f->iommu->ops->len; i++) {
        FakeOp *op = &g_array_index(f->iommu->ops, FakeOp, i);

        g_assert_cmphex(op->iova, >=, AT);
        g_assert_cmphex(op->iova + op->size, <=, AT + f->size);
        *(op->map ? &mapped : &unmapped) += op->ret ? 0 : op->size;
    }
    g_assert_cmpuint(mapped, ==, bytes);
    g_assert_cmpuint(unmapped, ==, bytes);
    check(f, ram);
}

/* Three sections of one region, apart and overlapping, each a container; the
 * k-th one cannot map its n-th piece. */
static void check_refusal(unsigned k, unsigned n, bool exact)
{
    static const struct { uint64_t first, nr; } sections[] = {
        { 100, 30 }, { 120, 200 }, { 0, 125 },
    };
    const uint64_t offset = 90 * BLOCK, size = 60 * BLOCK;
    SparseRam *ram = ram_new();
    Fixture f[3];

    for (unsigned i = 0; i < 3; i++) {
        fixture_init(&f[i], ram, exact, sections[i].first * BLOCK,
                     sections[i].nr * BLOCK);
        fixture_start(&f[i]);
    }
    plug(ram, 80, 5);
    plug(ram, 150, 5);
    for (unsigned i = 0; i < 3; i++) {
        fake_iommu_forget(f[i].iommu);
    }
    f[k].iommu->fail_map_after = n;
    g_assert_cmpint(sparse_ram_plug(ram, 90, 60), ==, -EIO);
    g_assert_true(ram_discard_blocks_are_discarded(&ram->blocks, offset, size));
    for (unsigned i = 0; i < 3; i++) {
        check_rolled_back(&f[i], ram, i < k ? clipped(&f[i], offset, size)
                                      : i == k ? n * BLOCK : 0);
    }
    plug(ram, 90, 60);
    for (unsigned i = 0; i < 3; i++) {
        check(&f[i], ram);
        fake_iommu_stop(f[i].iommu);
        fixture_destroy(&f[i]);
    }
    sparse_ram_free(ram);
}

static void test_refusal_rolls_back_own_sections(gconstpointer data)
{
    for (unsigned k = 0; k < 3; k++) {
        check_refusal(k, 0, GPOINTER_TO_INT(data));
        check_refusal(k, 1, GPOINTER_TO_INT(data));
        check_refusal(k, 29, GPOINTER_TO_INT(data));
    }
}

static void add(const char *name, GTestDataFunc fn)
{
    for (int exact = 0; exact < 2; exact++) {
        g_autofree char *path =
            g_strdup_printf("/vfio/coordination/%s/%s",
                            exact ? "exact" : "ranges", name);

        g_test_add_data_func(path, GINT_TO_POINTER(exact), fn);
    }
}

/* That a plug is refused is no news here. */
static void hear_nothing(const char *line, void *opaque)
{
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    error_set_printer(hear_nothing, NULL);
    g_test_add_func("/vfio/coordination/"
                    "containers that came before and after see the same",
                    test_attached_before_and_after);
    g_test_add_func("/vfio/coordination/a container takes its own away",
                    test_one_of_three_goes);
    add("clips to a section at any offset", test_alias_at_any_offset);
    add("clips to a section that cuts blocks", test_alias_that_cuts_blocks);
    add("rolls back each section's own part",
        test_refusal_rolls_back_own_sections);
    return g_test_run();
}
