/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/virtio/vhost-memory.c: what a back end has is what is populated, whatever
 * is refused and whenever; the laws of exec/memory.h as far as they are a
 * consumer's. The back end is a fake that checks what it is told.
 */
#include "qemu/osdep.h"

#include "hw/virtio/vhost-memory.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/units.h"
#include "sparse-ram.h"

#define HOST 0x100000000000ULL
#define BLOCK (2 * MiB)
#define NR_BLOCKS 200
#define BASE (4 * GiB)
#define STEPS 3000
#define MANY 1000

typedef struct Fixture {
    TestSpace *space;
    SparseRam *ram;
    VhostMemory m;
    bool following;
    GArray *table;                        /* VhostRegion, the back end's */
    bool here;                            /* there is a back end */
    unsigned changes;                     /* that it was told of */
    int fail_in;                          /* changes until one is refused; -1 */
    unsigned cut_offs;
} Fixture;

/* --- a back end ------------------------------------------------------------ */

static Fixture *fixture_of(VhostMemory *m)
{
    return container_of(m, Fixture, m);
}

static bool fake_accepts(VhostMemory *m, RAMBlock *block, Error **errp)
{
    return true;
}

static bool fake_has(Fixture *f, const VhostRegion *r)
{
    for (guint i = 0; i < f->table->len; i++) {
        if (vhost_region_equal(r, vhost_region_at(f->table, i))) {
            return true;
        }
    }
    return false;
}

/* What goes is there, what comes fits, and nothing overlaps. */
static bool fake_change_table(VhostMemory *m, const VhostTableChange *change,
                              Error **errp)
{
    Fixture *f = fixture_of(m);

    if (!f->here) {
        return true;
    }
    f->changes++;
    if (f->fail_in >= 0 && f->fail_in-- == 0) {
        error_setg(errp, "refused");
        return false;
    }
    for (guint i = 0; i < change->gone->len; i++) {
        const VhostRegion *r = vhost_region_at(change->gone, i);

        g_assert_true(fake_has(f, r));
        vhost_regions_remove(f->table, r->gpa, r->size);
    }
    for (guint i = 0; i < change->come->len; i++) {
        const VhostRegion *r = vhost_region_at(change->come, i);

        g_assert_cmpuint(vhost_regions_within(f->table, r->gpa, r->size, NULL),
                         ==, 0);
    }
    g_array_set_size(f->table, 0);
    g_array_append_vals(f->table, change->wanted->data, change->wanted->len);
    g_assert_cmpuint(f->table->len, <=, m->slots);
    return true;
}

static void fake_table_settled(VhostMemory *m)
{
    Fixture *f = fixture_of(m);

    g_assert_true(!f->here || f->table->len == m->table->len);
}

static void fake_cut_off(VhostMemory *m, Error *err)
{
    Fixture *f = fixture_of(m);

    f->cut_offs++;
    f->here = false;
    g_array_set_size(f->table, 0);
    error_free(err);
}

static const VhostMemoryOps fake_ops = {
    .accepts = fake_accepts,
    .change_table = fake_change_table,
    .table_settled = fake_table_settled,
    .cut_off = fake_cut_off,
};

/* --- the fixture ----------------------------------------------------------- */

static void set_up(Fixture *f, gconstpointer data)
{
    f->space = test_space_new();
    f->ram = sparse_ram_new("mem0", BLOCK, NR_BLOCKS, HOST);
    f->table = vhost_regions_new();
    f->here = true;
    f->fail_in = -1;
    memory_region_add_subregion(&f->space->root, BASE, &f->ram->mr);
}

static bool follow(Fixture *f, guint slots, Error **errp)
{
    f->following = vhost_memory_init(&f->m, &fake_ops, "fake", "fake",
                                     &f->space->as, slots, false, errp);
    return f->following;
}

static void start(Fixture *f, guint slots)
{
    g_assert_true(follow(f, slots, &error_abort));
}

static void tear_down(Fixture *f, gconstpointer data)
{
    if (f->following) {
        vhost_memory_destroy(&f->m);
    }
    if (memory_region_is_mapped(&f->ram->mr)) {
        memory_region_del_subregion(&f->space->root, &f->ram->mr);
    }
    sparse_ram_free(f->ram);
    test_space_free(f->space);
    g_array_unref(f->table);
}

static void plug(Fixture *f, uint64_t block, uint64_t nr)
{
    g_assert_cmpint(sparse_ram_plug(f->ram, block, nr), ==, 0);
}

/* Law L1, seen at @at; with @surplus the back end may have more. */
static void check(Fixture *f, hwaddr at, bool surplus)
{
    for (uint64_t b = 0; b < NR_BLOCKS; b++) {
        uint64_t has = vhost_regions_within(f->table, at + b * BLOCK, BLOCK,
                                            NULL);

        if (sparse_ram_is_plugged(f->ram, b)) {
            g_assert_cmpuint(has, ==, BLOCK);
        } else {
            g_assert_true(surplus || !has);
        }
    }
}

/* --- the laws -------------------------------------------------------------- */

static void test_has_populated_only(Fixture *f, gconstpointer data)
{
    plug(f, 0, 3);
    plug(f, 10, 1);
    start(f, MANY);
    check(f, BASE, false);
    g_assert_cmpuint(f->table->len, ==, 2);
    plug(f, 3, 2);
    check(f, BASE, false);
    sparse_ram_unplug(f->ram, 1, 1);
    check(f, BASE, false);
}

static void test_one_change_per_run(Fixture *f, gconstpointer data)
{
    start(f, MANY);
    plug(f, 0, 100);
    g_assert_cmpuint(f->changes, ==, 1);
    sparse_ram_unplug(f->ram, 0, 100);
    g_assert_cmpuint(f->changes, ==, 2);
}

static void test_refused_plug_changes_nothing(Fixture *f, gconstpointer data)
{
    start(f, MANY);
    plug(f, 0, 2);
    f->fail_in = 0;
    g_assert_cmpint(sparse_ram_plug(f->ram, 4, 2), <, 0);
    check(f, BASE, false);
    g_assert_cmpuint(f->m.there->len, ==, 1);
    plug(f, 4, 2);
    check(f, BASE, false);
    g_assert_cmpuint(f->cut_offs, ==, 0);
}

static void test_refused_unplug_cuts_off(Fixture *f, gconstpointer data)
{
    start(f, MANY);
    plug(f, 0, 4);
    f->fail_in = 0;
    sparse_ram_unplug(f->ram, 1, 1);
    g_assert_cmpuint(f->cut_offs, ==, 1);
    g_assert_cmpuint(f->table->len, ==, 0);
    vhost_memory_lost(&f->m);
    plug(f, 10, 1);
    f->here = true;
    g_assert_true(vhost_memory_replay(&f->m, MANY, false, &error_abort));
    check(f, BASE, false);
}

static void test_refused_start(Fixture *f, gconstpointer data)
{
    Error *err = NULL;

    plug(f, 0, 2);
    f->fail_in = 0;
    g_assert_false(follow(f, MANY, &err));
    g_assert_cmpstr(error_get_pretty(err), ==, "refused");
    error_free(err);
    g_assert_cmpuint(f->table->len, ==, 0);
    sparse_ram_unplug(f->ram, 0, 2);
}

/* --- topology -------------------------------------------------------------- */

static void test_a_part_is_seen_elsewhere(Fixture *f, gconstpointer data)
{
    MemoryRegion alias;

    plug(f, 0, 10);
    memory_region_del_subregion(&f->space->root, &f->ram->mr);
    memory_region_init_alias(&alias, NULL, "part", &f->ram->mr, 4 * BLOCK,
                             3 * BLOCK);
    memory_region_add_subregion(&f->space->root, 1 * GiB, &alias);
    start(f, MANY);
    g_assert_cmpuint(f->table->len, ==, 1);
    g_assert_cmphex(vhost_region_at(f->table, 0)->gpa, ==, 1 * GiB);
    g_assert_cmphex(vhost_region_at(f->table, 0)->offset, ==, 4 * BLOCK);
    g_assert_cmphex(vhost_region_at(f->table, 0)->size, ==, 3 * BLOCK);
    sparse_ram_unplug(f->ram, 0, 5);
    g_assert_cmphex(vhost_region_at(f->table, 0)->gpa, ==, 1 * GiB + BLOCK);
    memory_region_del_subregion(&f->space->root, &alias);
    g_assert_cmpuint(f->table->len, ==, 0);
    object_unref(OBJECT(&alias));
}

static void test_region_moves(Fixture *f, gconstpointer data)
{
    plug(f, 3, 5);
    start(f, MANY);
    memory_region_set_address(&f->ram->mr, 2 * BASE);
    check(f, 2 * BASE, false);
    g_assert_cmpuint(f->table->len, ==, 1);
    memory_region_set_enabled(&f->ram->mr, false);
    g_assert_cmpuint(f->table->len, ==, 0);
    memory_region_set_enabled(&f->ram->mr, true);
    check(f, 2 * BASE, false);
}

/* Memory in more places than slots is refused when it is announced. */
static void test_too_many_places(Fixture *f, gconstpointer data)
{
    SparseRam *other = sparse_ram_new("mem1", BLOCK, NR_BLOCKS, 2 * HOST);
    Error *err = NULL;

    start(f, 1);
    plug(f, 0, 1);
    plug(f, 10, 1);
    check(f, BASE, true);
    g_assert_cmpuint(f->table->len, ==, 1);
    g_assert_false(ram_discard_consumers_check(&other->mr, BLOCK, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), "takes 1 regions"));
    error_free(err);
    sparse_ram_free(other);
}

/* --- at random ------------------------------------------------------------- */

static void test_random(Fixture *f, gconstpointer data)
{
    guint slots = GPOINTER_TO_UINT(data);

    start(f, slots);
    for (unsigned step = 0; step < STEPS; step++) {
        uint64_t block = g_test_rand_int_range(0, NR_BLOCKS), n = 1;
        bool plugged = sparse_ram_is_plugged(f->ram, block);

        while (block + n < NR_BLOCKS && n < 8 && g_test_rand_bit() &&
               sparse_ram_is_plugged(f->ram, block + n) == plugged) {
            n++;
        }
        f->fail_in = g_test_rand_int_range(0, 5) ? -1 : 0;
        if (plugged) {
            sparse_ram_unplug(f->ram, block, n);
        } else {
            int ret = sparse_ram_plug(f->ram, block, n);

            g_assert_true(ret == 0 || f->fail_in == -1);
        }
        f->fail_in = -1;
        if (!f->here) {
            vhost_memory_lost(&f->m);
            f->here = true;
            vhost_memory_replay(&f->m, slots, false, &error_abort);
        }
        check(f, BASE, slots < MANY);
    }
}

#define CASE(name, fn)                                                       \
    g_test_add("/vhost/memory/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE("L1/has-populated-only", test_has_populated_only);
    CASE("L4/one-change-per-run", test_one_change_per_run);
    CASE("L2/refused-plug-changes-nothing", test_refused_plug_changes_nothing);
    CASE("L3/refused-unplug-cuts-off", test_refused_unplug_cuts_off);
    CASE("L5/refused-start", test_refused_start);
    CASE("L7/a-part-is-seen-elsewhere", test_a_part_is_seen_elsewhere);
    CASE("region-moves", test_region_moves);
    CASE("too-many-places", test_too_many_places);
    g_test_add("/vhost/memory/random/few-slots", Fixture, GUINT_TO_POINTER(3),
               set_up, test_random, tear_down);
    g_test_add("/vhost/memory/random/many-slots", Fixture,
               GUINT_TO_POINTER(MANY), set_up, test_random, tear_down);
    return g_test_run();
}
