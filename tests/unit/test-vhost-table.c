/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/virtio/vhost-table.c: sets of regions, what a table should become, and a
 * random walk against a naive model of single blocks.
 */
#include "qemu/osdep.h"

#include "hw/virtio/vhost-table.h"

/* Two memories, @B of them elsewhere in the address space than in its block. */
#define B_GPA 1000
#define B_OFFSET 40
static RAMBlock block_a, block_b;

typedef struct Fixture {
    GArray *there;
    GArray *now;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
    f->there = vhost_regions_new();
    f->now = vhost_regions_new();
}

static void tear_down(Fixture *f, gconstpointer data)
{
    g_array_unref(f->there);
    g_array_unref(f->now);
}

/* @gpa below B_GPA is memory A's. */
static VhostRegion region(hwaddr gpa, uint64_t size)
{
    bool in_b = gpa >= B_GPA;

    return (VhostRegion) {
        .gpa = gpa,
        .size = size,
        .block = in_b ? &block_b : &block_a,
        .offset = in_b ? gpa - B_GPA + B_OFFSET : gpa,
    };
}

static void add(GArray *set, hwaddr gpa, uint64_t size)
{
    VhostRegion r = region(gpa, size);

    vhost_regions_add(set, &r);
}

/* "GPA+SIZE GPA+SIZE ..." */
static char *text_of(const GArray *set)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < set->len; i++) {
        const VhostRegion *r = vhost_region_at(set, i);
        VhostRegion expected = region(r->gpa, r->size);

        g_assert_true(vhost_region_equal(r, &expected));
        g_string_append_printf(text, "%s%" PRIu64 "+%" PRIu64, i ? " " : "",
                               r->gpa, r->size);
    }
    return g_string_free(text, false);
}

static void expect(const GArray *set, const char *text)
{
    g_autofree char *got = text_of(set);

    g_assert_cmpstr(got, ==, text);
}

/* The plan takes the place of f->now. false: too few slots. */
static bool plan(Fixture *f, guint slots, bool whole)
{
    GArray *wanted = vhost_regions_new();
    bool ok = vhost_table_plan(f->now, f->there, slots, whole, wanted);

    g_array_unref(f->now);
    f->now = wanted;
    return ok;
}

/* --- sets --- */

static void test_runs_are_joined(Fixture *f, gconstpointer data)
{
    add(f->there, 10, 5);
    add(f->there, 20, 5);
    expect(f->there, "10+5 20+5");
    add(f->there, 15, 5);
    expect(f->there, "10+15");
    add(f->there, 8, 2);
    add(f->there, 25, 1);
    expect(f->there, "8+18");
}

static void test_other_memory_is_not_joined(Fixture *f, gconstpointer data)
{
    add(f->there, B_GPA - 10, 10);
    add(f->there, B_GPA, 10);
    expect(f->there, "990+10 1000+10");
}

static void test_removal_cuts(Fixture *f, gconstpointer data)
{
    add(f->there, 10, 10);
    add(f->there, 30, 10);
    add(f->there, B_GPA, 10);
    vhost_regions_remove(f->there, 12, 3);
    expect(f->there, "10+2 15+5 30+10 1000+10");
    vhost_regions_remove(f->there, 18, 14);
    expect(f->there, "10+2 15+3 32+8 1000+10");
    vhost_regions_remove(f->there, 0, 1005);
    expect(f->there, "1005+5");
    vhost_regions_remove(f->there, 0, 1000);
    expect(f->there, "1005+5");
}

static void test_within(Fixture *f, gconstpointer data)
{
    guint count;

    add(f->there, 10, 10);
    add(f->there, 30, 10);
    g_assert_cmpuint(vhost_regions_within(f->there, 0, 100, &count), ==, 20);
    g_assert_cmpuint(count, ==, 2);
    g_assert_cmpuint(vhost_regions_within(f->there, 15, 20, &count), ==, 10);
    g_assert_cmpuint(count, ==, 2);
    g_assert_cmpuint(vhost_regions_within(f->there, 20, 10, &count), ==, 0);
    g_assert_cmpuint(count, ==, 0);
}

/* --- plans --- */

static void test_neighbours_stay_apart(Fixture *f, gconstpointer data)
{
    add(f->there, 10, 10);
    g_assert_true(plan(f, 4, false));
    add(f->there, 20, 10);
    add(f->there, 5, 5);
    g_assert_true(plan(f, 4, false));
    expect(f->now, "5+5 10+10 20+10");
    vhost_regions_remove(f->there, 10, 10);
    g_assert_true(plan(f, 4, false));
    expect(f->now, "5+5 20+10");
}

static void test_short_of_slots_joins(Fixture *f, gconstpointer data)
{
    for (hwaddr gpa = 10; gpa < 50; gpa += 10) {
        add(f->there, gpa, 10);
        g_assert_true(plan(f, 4, false));
    }
    expect(f->now, "10+10 20+10 30+10 40+10");
    add(f->there, 60, 10);
    g_assert_true(plan(f, 4, false));
    expect(f->now, "10+40 60+10");
}

static void test_whole_tables_are_joined(Fixture *f, gconstpointer data)
{
    add(f->there, 10, 10);
    g_assert_true(plan(f, 4, true));
    add(f->there, 20, 10);
    g_assert_true(plan(f, 4, true));
    expect(f->now, "10+20");
}

static void test_smallest_holes_are_covered(Fixture *f, gconstpointer data)
{
    add(f->there, 0, 10);
    add(f->there, 30, 10);                /* a hole of 20 */
    add(f->there, 45, 10);                /* of 5 */
    add(f->there, 65, 10);                /* of 10 */
    g_assert_true(plan(f, 3, false));
    expect(f->now, "0+10 30+25 65+10");
    g_assert_true(plan(f, 2, false));
    expect(f->now, "0+10 30+45");
    g_assert_true(plan(f, 1, false));
    expect(f->now, "0+75");
}

static void test_covered_holes_are_given_up(Fixture *f, gconstpointer data)
{
    add(f->there, 0, 10);
    add(f->there, 20, 10);
    g_assert_true(plan(f, 1, false));
    expect(f->now, "0+30");
    g_assert_true(plan(f, 2, false));
    expect(f->now, "0+10 20+10");
}

static void test_too_many_memories(Fixture *f, gconstpointer data)
{
    add(f->there, 0, 10);
    add(f->there, 20, 10);
    add(f->there, B_GPA, 10);
    g_assert_false(plan(f, 1, false));
    expect(f->now, "0+30 1000+10");
    g_assert_true(plan(f, 2, false));
    expect(f->now, "0+30 1000+10");
    g_array_set_size(f->there, 0);
    g_assert_true(plan(f, 0, false));
    expect(f->now, "");
}

/* --- differences --- */

static void test_diff(Fixture *f, gconstpointer data)
{
    g_autoptr(GArray) wanted = vhost_regions_new();
    g_autoptr(GArray) gone = vhost_regions_new();
    g_autoptr(GArray) come = vhost_regions_new();

    add(f->now, 0, 10);
    add(f->now, 20, 10);
    add(wanted, 0, 10);
    add(wanted, 40, 10);
    g_assert_false(vhost_table_diff(f->now, wanted, gone, come));
    expect(gone, "20+10");
    expect(come, "40+10");
}

static void test_diff_of_a_split(Fixture *f, gconstpointer data)
{
    g_autoptr(GArray) wanted = vhost_regions_new();
    g_autoptr(GArray) gone = vhost_regions_new();
    g_autoptr(GArray) come = vhost_regions_new();

    add(f->now, 0, 30);
    add(wanted, 0, 10);
    add(wanted, 20, 10);
    g_assert_true(vhost_table_diff(f->now, wanted, gone, come));
    expect(gone, "0+30");
    expect(come, "0+10 20+10");
}

/* --- against a model --- */

#define BLOCKS 64                         /* of each memory */
#define STEPS 20000

/* Two memories, side by side in the address space. */
typedef struct Model {
    bool there[2 * BLOCKS];
} Model;

static hwaddr model_gpa(unsigned block)
{
    return B_GPA - BLOCKS + block;
}

static bool same_model_memory(unsigned a, unsigned b)
{
    return a / BLOCKS == b / BLOCKS;
}

static int compare_sizes(const void *a, const void *b)
{
    return *(const unsigned *)a - *(const unsigned *)b;
}

/* Runs, and how large the holes are that could be covered; how many of them. */
static unsigned model_runs(const Model *m, unsigned *holes, unsigned *nr_holes)
{
    unsigned runs = 0;
    int last = -1;

    *nr_holes = 0;
    for (int i = 0; i < 2 * BLOCKS; i++) {
        if (!m->there[i]) {
            continue;
        }
        if (last < 0 || last != i - 1 || !same_model_memory(last, i)) {
            if (last >= 0 && same_model_memory(last, i)) {
                holes[(*nr_holes)++] = i - last - 1;
            }
            runs++;
        }
        last = i;
    }
    qsort(holes, *nr_holes, sizeof(*holes), compare_sizes);
    return runs;
}

/* One random run comes or goes. */
static void random_step(Model *m, GArray *there)
{
    unsigned first = g_test_rand_int_range(0, 2 * BLOCKS);
    unsigned room = BLOCKS - first % BLOCKS;
    unsigned n = 1 + g_test_rand_int_range(0, MIN(room, 6));
    bool come = g_test_rand_bit();

    n = MIN(n, room);
    for (unsigned i = first; i < first + n; i++) {
        if (come && !m->there[i]) {
            add(there, model_gpa(i), 1);
        }
        m->there[i] = come;
    }
    if (!come) {
        vhost_regions_remove(there, model_gpa(first), n);
    }
}

/* @now has each block that is there, and no more others than holes that had to
 * be covered. */
static void check_plan(const Model *m, const GArray *now, guint slots)
{
    unsigned holes[2 * BLOCKS], nr_holes, covered = 0, expected = 0;
    unsigned runs = model_runs(m, holes, &nr_holes);

    g_assert_cmpuint(now->len, <=, slots);
    for (unsigned i = 0; i < 2 * BLOCKS; i++) {
        unsigned has = vhost_regions_within(now, model_gpa(i), 1, NULL);

        g_assert_true(has || !m->there[i]);
        covered += has && !m->there[i];
    }
    for (unsigned i = 0; runs > slots && i < runs - slots; i++) {
        expected += holes[i];
    }
    g_assert_cmpuint(covered, ==, expected);
    g_free(text_of(now));
}

/* What a back end would do with a difference ends in the new table; and a region
 * goes only for a reason. */
static void check_diff(const Model *m, const GArray *before, const GArray *now,
                       bool short_of_slots)
{
    g_autoptr(GArray) gone = vhost_regions_new();
    g_autoptr(GArray) come = vhost_regions_new();
    bool both = vhost_table_diff(before, now, gone, come), overlap = false;

    for (guint i = 0; i < gone->len; i++) {
        const VhostRegion *r = vhost_region_at(gone, i);

        overlap |= vhost_regions_within(come, r->gpa, r->size, NULL) != 0;
        if (!short_of_slots) {
            bool whole = true;

            for (hwaddr gpa = r->gpa; gpa < vhost_region_end(r); gpa++) {
                whole &= m->there[gpa - model_gpa(0)];
            }
            g_assert_false(whole);
        }
    }
    g_assert_cmpint(both, ==, overlap);
    g_assert_cmpuint(before->len - gone->len + come->len, ==, now->len);
}

static void test_random(Fixture *f, gconstpointer data)
{
    guint slots = GPOINTER_TO_UINT(data);
    Model m = { 0 };

    for (unsigned step = 0; step < STEPS; step++) {
        g_autoptr(GArray) before = g_array_ref(f->now);
        GArray *wanted = vhost_regions_new();
        guint kept;

        random_step(&m, f->there);
        g_assert_true(vhost_table_plan(f->now, f->there, UINT_MAX, false,
                                       wanted));
        kept = wanted->len;
        g_array_set_size(wanted, 0);
        g_assert_true(vhost_table_plan(f->now, f->there, slots, false, wanted));
        g_array_unref(f->now);
        f->now = wanted;
        check_plan(&m, f->now, slots);
        check_diff(&m, before, f->now, kept > slots);
    }
}

#define CASE(name, fn)                                                       \
    g_test_add("/vhost/table/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    CASE("runs-are-joined", test_runs_are_joined);
    CASE("other-memory-is-not-joined", test_other_memory_is_not_joined);
    CASE("removal-cuts", test_removal_cuts);
    CASE("within", test_within);
    CASE("neighbours-stay-apart", test_neighbours_stay_apart);
    CASE("short-of-slots-joins", test_short_of_slots_joins);
    CASE("whole-tables-are-joined", test_whole_tables_are_joined);
    CASE("smallest-holes-are-covered", test_smallest_holes_are_covered);
    CASE("covered-holes-are-given-up", test_covered_holes_are_given_up);
    CASE("too-many-memories", test_too_many_memories);
    CASE("diff", test_diff);
    CASE("diff-of-a-split", test_diff_of_a_split);
    g_test_add("/vhost/table/random/2", Fixture, GUINT_TO_POINTER(2), set_up,
               test_random, tear_down);
    g_test_add("/vhost/table/random/8", Fixture, GUINT_TO_POINTER(8), set_up,
               test_random, tear_down);
    g_test_add("/vhost/table/random/100", Fixture, GUINT_TO_POINTER(100),
               set_up, test_random, tear_down);
    return g_test_run();
}
