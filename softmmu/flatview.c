/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flat views: the region graph below a root, rendered into sorted ranges.
 *
 * memory.c renders, memory-listener.c compares, memory-access.c looks up. A
 * view is never changed once it is made, and it holds a reference to each
 * region in it, so that who holds the view may use the regions even if the
 * graph changes meanwhile. Nothing here calls a device or a listener, except
 * that dropping a view may let owners of regions go.
 */
#include "qemu/osdep.h"
#include "memory-internal.h"

/* The part of the address space that is being rendered: [lo, hi). */
typedef struct Window {
    Int128 lo;
    Int128 hi;
} Window;

/* What a region has from those that it is reached through. */
typedef struct Inherited {
    bool readonly;
    bool unmergeable;
} Inherited;

/* The enabled children of the container @mr: 0, 1 (then *child) or 2, many. */
static unsigned count_enabled(const MemoryRegion *mr, MemoryRegion **child)
{
    MemoryRegion *sub;
    unsigned n = 0;

    QTAILQ_FOREACH(sub, &mr->subregions, subregions_link) {
        if (sub->enabled) {
            *child = sub;
            if (++n == 2) {
                break;
            }
        }
    }
    return n;
}

/* Where @mr forwards to all of another region and adds nothing: that one. */
static MemoryRegion *forwards_to(const MemoryRegion *mr)
{
    MemoryRegion *target = NULL;

    if (mr->readonly || mr->unmergeable || mr->terminates) {
        return NULL;
    }
    if (mr->alias) {
        target = mr->alias_offset ? NULL : mr->alias;
    } else if (count_enabled(mr, &target) != 1 || target->addr) {
        return NULL;
    }
    return target && mr->size >= target->size ? target : NULL;
}

MemoryRegion *flatview_root(MemoryRegion *root)
{
    while (root && root->enabled) {
        MemoryRegion *target = forwards_to(root);

        if (!target) {
            bool empty = !root->alias && !root->terminates &&
                         !count_enabled(root, &target);

            return empty ? NULL : root;
        }
        root = target;
    }
    return NULL;
}

static unsigned first_at_or_after(const FlatRange *ranges, unsigned nr,
                                  hwaddr addr)
{
    unsigned lo = 0, hi = nr;

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (ranges[mid].last < addr) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

unsigned flatview_first(const FlatView *fv, hwaddr addr)
{
    return first_at_or_after(fv->ranges, fv->nr, addr);
}

/* @mr answers wherever in @w nothing of a higher priority does. */
static void fill_gaps(GArray *ranges, MemoryRegion *mr, Int128 base, Window w,
                      Inherited up)
{
    unsigned i = first_at_or_after((FlatRange *)ranges->data, ranges->len,
                                   int128_getlo(w.lo));

    while (w.lo < w.hi) {
        FlatRange *next = i < ranges->len
                          ? &g_array_index(ranges, FlatRange, i) : NULL;
        Int128 gap_end = next ? int128_min(w.hi, next->start) : w.hi;
        Int128 resume = next ? (Int128)next->last + 1 : w.hi;

        if (w.lo < gap_end) {
            FlatRange fr = {
                .mr = mr,
                .start = int128_get64(w.lo),
                .last = int128_get64(gap_end - 1),
                .offset = int128_get64(w.lo - base),
                .readonly = up.readonly,
                .unmergeable = up.unmergeable,
            };

            g_array_insert_val(ranges, i, fr);
            i++;
        }
        w.lo = int128_max(w.lo, resume);
        i++;
    }
}

/* @mr begins at @base, which is negative where an alias skips its start. */
static void render(GArray *ranges, MemoryRegion *mr, Int128 base, Window w,
                   Inherited up)
{
    MemoryRegion *sub;

    if (!mr->enabled) {
        return;
    }
    w.lo = int128_max(w.lo, base);
    w.hi = int128_min(w.hi, base + mr->size);
    if (w.lo >= w.hi) {
        return;
    }
    up.readonly |= mr->readonly;
    up.unmergeable |= mr->unmergeable;

    if (mr->alias) {
        render(ranges, mr->alias, base - mr->alias_offset, w, up);
        return;
    }
    QTAILQ_FOREACH(sub, &mr->subregions, subregions_link) {
        render(ranges, sub, base + sub->addr, w, up);
    }
    if (mr->terminates) {
        fill_gaps(ranges, mr, base, w, up);
    }
}

static bool continues(const FlatRange *a, const FlatRange *b)
{
    return a->mr == b->mr && a->readonly == b->readonly &&
           a->unmergeable == b->unmergeable && a->last + 1 == b->start &&
           b->offset - a->offset == b->start - a->start;
}

static void merge_neighbours(GArray *ranges)
{
    FlatRange *fr = (FlatRange *)ranges->data;
    unsigned kept = 0;

    for (unsigned i = 1; i < ranges->len; i++) {
        if (continues(&fr[kept], &fr[i])) {
            fr[kept].last = fr[i].last;
        } else {
            fr[++kept] = fr[i];
        }
    }
    if (ranges->len) {
        g_array_set_size(ranges, kept + 1);
    }
}

FlatView *flatview_new(MemoryRegion *root)
{
    GArray *ranges = g_array_new(false, false, sizeof(FlatRange));
    FlatView *fv = g_new0(FlatView, 1);

    if (root) {
        render(ranges, root, 0, (Window) { 0, int128_2_64() },
               (Inherited) {});
        merge_neighbours(ranges);
    }
    fv->ref = 1;
    fv->root = root;
    fv->nr = ranges->len;
    fv->ranges = (FlatRange *)g_array_free(ranges, false);
    for (unsigned i = 0; i < fv->nr; i++) {
        memory_region_ref(fv->ranges[i].mr);
    }
    return fv;
}

FlatView *flatview_ref(FlatView *fv)
{
    fv->ref++;
    return fv;
}

void flatview_unref(FlatView *fv)
{
    g_assert(fv->ref);
    if (--fv->ref) {
        return;
    }
    for (unsigned i = 0; i < fv->nr; i++) {
        memory_region_unref(fv->ranges[i].mr);
    }
    g_free(fv->ranges);
    g_free(fv);
}

bool flatview_equal(const FlatView *a, const FlatView *b)
{
    if (a->nr != b->nr) {
        return false;
    }
    for (unsigned i = 0; i < a->nr; i++) {
        if (!flat_range_equal(&a->ranges[i], &b->ranges[i])) {
            return false;
        }
    }
    return true;
}

MemoryRegionSection section_from_range(FlatView *fv, const FlatRange *fr)
{
    return (MemoryRegionSection) {
        .mr = fr->mr,
        .fv = fv,
        .offset_within_region = fr->offset,
        .offset_within_address_space = fr->start,
        .size = (Int128)(fr->last - fr->start) + 1,
        .readonly = fr->readonly,
    };
}

int address_space_foreach_section(AddressSpace *as, MemoryRegionSectionFn *fn,
                                  void *opaque)
{
    FlatView *fv = flatview_ref(as->current_map);
    int ret = 0;

    for (unsigned i = 0; !ret && i < fv->nr; i++) {
        MemoryRegionSection section = section_from_range(fv, &fv->ranges[i]);

        ret = fn(&section, opaque);
    }
    flatview_unref(fv);
    return ret;
}
