/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The regions of a vhost back end: see vhost-table.h. Pure: nothing here knows
 * a back end, a message or a descriptor. Costs: in the number of regions, that
 * is, of runs, never of blocks; sorting is only done when holes are covered.
 */
#include "qemu/osdep.h"

#include "vhost-table.h"

GArray *vhost_regions_new(void)
{
    return g_array_new(false, false, sizeof(VhostRegion));
}

bool vhost_region_equal(const VhostRegion *a, const VhostRegion *b)
{
    return a->gpa == b->gpa && a->size == b->size && a->block == b->block &&
           a->offset == b->offset;
}

/* Whether both show one block, equally far from where its addresses begin: then
 * what is between them is the block's, too. */
static bool same_memory(const VhostRegion *a, const VhostRegion *b)
{
    return a->block == b->block && a->gpa - a->offset == b->gpa - b->offset;
}

static bool continues(const VhostRegion *before, const VhostRegion *after)
{
    return vhost_region_end(before) == after->gpa && same_memory(before, after);
}

/* The part of @r from @gpa to @end, which is in it. */
static VhostRegion part_of(const VhostRegion *r, hwaddr gpa, hwaddr end)
{
    return (VhostRegion) {
        .gpa = gpa,
        .size = end - gpa,
        .block = r->block,
        .offset = r->offset + (gpa - r->gpa),
    };
}

/* --- sets --- */

/* The first member that ends after @gpa; how many there are if none does. */
static guint find_first(const GArray *set, hwaddr gpa)
{
    guint low = 0, high = set->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;

        if (vhost_region_end(vhost_region_at(set, middle)) > gpa) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

void vhost_regions_add(GArray *set, const VhostRegion *r)
{
    guint i = find_first(set, r->gpa);
    VhostRegion *before = i ? vhost_region_at(set, i - 1) : NULL;
    VhostRegion *after = i < set->len ? vhost_region_at(set, i) : NULL;
    bool joins_after = after && continues(r, after);

    g_assert(!after || after->gpa >= vhost_region_end(r));
    if (before && continues(before, r)) {
        before->size += r->size;
        if (joins_after) {
            before->size += after->size;
            g_array_remove_index(set, i);
        }
    } else if (joins_after) {
        after->gpa = r->gpa;
        after->offset = r->offset;
        after->size += r->size;
    } else {
        g_array_insert_vals(set, i, r, 1);
    }
}

void vhost_regions_remove(GArray *set, hwaddr gpa, uint64_t size)
{
    hwaddr end = gpa + size;
    guint first = find_first(set, gpa), last = first;
    VhostRegion rest[2];
    guint nr_rest = 0;

    for (; last < set->len && vhost_region_at(set, last)->gpa < end; last++) {
        const VhostRegion *r = vhost_region_at(set, last);

        if (r->gpa < gpa) {
            rest[nr_rest++] = part_of(r, r->gpa, gpa);
        }
        if (vhost_region_end(r) > end) {
            rest[nr_rest++] = part_of(r, end, vhost_region_end(r));
        }
    }
    if (last > first) {
        g_array_remove_range(set, first, last - first);
    }
    g_array_insert_vals(set, first, rest, nr_rest);
}

uint64_t vhost_regions_within(const GArray *set, hwaddr gpa, uint64_t size,
                              guint *count)
{
    hwaddr end = gpa + size;
    guint first = find_first(set, gpa), i;
    uint64_t sum = 0;

    for (i = first; i < set->len && vhost_region_at(set, i)->gpa < end; i++) {
        const VhostRegion *r = vhost_region_at(set, i);

        sum += MIN(vhost_region_end(r), end) - MAX(r->gpa, gpa);
    }
    if (count) {
        *count = i - first;
    }
    return sum;
}

/* --- what a table should become --- */

static void append_part(GArray *set, const VhostRegion *r, hwaddr gpa,
                        hwaddr end)
{
    if (gpa < end) {
        VhostRegion part = part_of(r, gpa, end);

        g_array_append_val(set, part);
    }
}

/* What is there of @run, in the pieces in which @now has it, and between them
 * in as few as possible. *i: the first of @now that may overlap. */
static void keep_run(const GArray *now, guint *i, const VhostRegion *run,
                     GArray *wanted)
{
    hwaddr done = run->gpa, end = vhost_region_end(run);

    while (*i < now->len && vhost_region_at(now, *i)->gpa < end) {
        const VhostRegion *r = vhost_region_at(now, *i);

        if (vhost_region_end(r) > done && same_memory(r, run)) {
            hwaddr from = MAX(r->gpa, done);
            hwaddr to = MIN(vhost_region_end(r), end);

            append_part(wanted, run, done, from);
            append_part(wanted, run, from, to);
            done = to;
        }
        if (vhost_region_end(r) > end) {
            break;                        /* the next run may be in it, too */
        }
        *i += 1;
    }
    append_part(wanted, run, done, end);
}

/* A hole before member @index of a set. */
typedef struct Hole {
    uint64_t size;
    guint index;
} Hole;

static gint compare_holes(gconstpointer a, gconstpointer b)
{
    const Hole *x = a, *y = b;

    if (x->size != y->size) {
        return x->size < y->size ? -1 : 1;
    }
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The holes that can be covered, the smallest first. */
static GArray *sorted_holes(const GArray *there)
{
    GArray *holes = g_array_new(false, false, sizeof(Hole));

    for (guint i = 1; i < there->len; i++) {
        const VhostRegion *before = vhost_region_at(there, i - 1);
        const VhostRegion *after = vhost_region_at(there, i);

        if (same_memory(before, after)) {
            Hole hole = { after->gpa - vhost_region_end(before), i };

            g_array_append_val(holes, hole);
        }
    }
    g_array_sort(holes, compare_holes);
    return holes;
}

/* @there in at most @slots regions, if so many holes can be covered. */
static bool cover_holes(const GArray *there, guint slots, GArray *wanted)
{
    g_autoptr(GArray) holes = sorted_holes(there);
    guint needed = there->len - slots;
    g_autofree bool *covered = g_new0(bool, there->len);

    for (guint i = 0; i < MIN(needed, holes->len); i++) {
        covered[g_array_index(holes, Hole, i).index] = true;
    }
    for (guint i = 0; i < there->len; i++) {
        const VhostRegion *r = vhost_region_at(there, i);

        if (covered[i]) {
            VhostRegion *last = vhost_region_at(wanted, wanted->len - 1);

            last->size = vhost_region_end(r) - last->gpa;
        } else {
            g_array_append_val(wanted, *r);
        }
    }
    return needed <= holes->len;
}

bool vhost_table_plan(const GArray *now, const GArray *there, guint slots,
                      bool whole, GArray *wanted)
{
    guint i = 0;

    if (!whole) {
        for (guint n = 0; n < there->len; n++) {
            keep_run(now, &i, vhost_region_at(there, n), wanted);
        }
        if (wanted->len <= slots) {
            return true;
        }
        g_array_set_size(wanted, 0);
    }
    if (there->len > slots) {
        return cover_holes(there, slots, wanted);
    }
    g_array_append_vals(wanted, there->data, there->len);
    return true;
}

bool vhost_table_diff(const GArray *now, const GArray *wanted, GArray *gone,
                      GArray *come)
{
    guint i = 0, k = 0;
    hwaddr gone_end = 0, come_end = 0;
    bool both = false;

    while (i < now->len || k < wanted->len) {
        const VhostRegion *a = i < now->len ? vhost_region_at(now, i) : NULL;
        const VhostRegion *b = k < wanted->len ? vhost_region_at(wanted, k)
                                               : NULL;

        if (a && b && vhost_region_equal(a, b)) {
            i++;
            k++;
        } else if (a && (!b || a->gpa <= b->gpa)) {
            g_array_append_val(gone, *a);
            gone_end = vhost_region_end(a);
            both |= a->gpa < come_end;
            i++;
        } else {
            g_array_append_val(come, *b);
            come_end = vhost_region_end(b);
            both |= b->gpa < gone_end;
            k++;
        }
    }
    return both;
}
