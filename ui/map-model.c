/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guest memory consists of, for the memory map: a consumer of the memory
 * core and of RamDiscardMgr that stays no longer than it takes to look.
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "memory-map.h"

/* --- the flat view --- */

static MapKind section_kind(const MemoryRegionSection *section)
{
    MemoryRegion *mr = section->mr;

    if (!memory_region_is_ram(mr) || memory_region_is_ram_device(mr)) {
        return MAP_DEVICE;
    }
    if (memory_region_has_ram_discard_mgr(mr)) {
        return MAP_PLUGGED;
    }
    return section->readonly ? MAP_ROM : MAP_RAM;
}

static void add_region(MapModel *model, MemoryRegion *mr)
{
    if (!g_ptr_array_find(model->regions, mr, NULL)) {
        g_ptr_array_add(model->regions, mr);
    }
}

static int collect_section(const MemoryRegionSection *section, void *opaque)
{
    MapModel *model = opaque;
    MapRange range = {
        .extent.first = section->offset_within_address_space,
        .extent.last = section->offset_within_address_space +
                       int128_getlo(section->size - 1),
        .kind = section_kind(section),
        .section = *section,
    };

    g_array_append_val(model->ranges, range);
    g_array_append_val(model->extents, range.extent);
    if (range.kind == MAP_PLUGGED) {
        add_region(model, section->mr);
    }
    return 0;
}

/* --- who listens --- */

static bool region_has_listener(const MemoryRegion *mr, const char *kind)
{
    const RamDiscardListener *rdl;

    QTAILQ_FOREACH(rdl, &memory_region_ram_discard_state(mr)->listeners, next) {
        if (!g_strcmp0(rdl->kind, kind)) {
            return true;
        }
    }
    return false;
}

static void add_consumer(MapModel *model, const char *kind)
{
    for (unsigned i = 0; i < model->nr_consumers; i++) {
        if (!strcmp(model->consumers[i], kind)) {
            return;
        }
    }
    if (model->nr_consumers < MAP_CONSUMERS) {
        model->consumers[model->nr_consumers++] = kind;
    }
}

static void collect_consumers(MapModel *model)
{
    for (guint i = 0; i < model->regions->len; i++) {
        MemoryRegion *mr = g_ptr_array_index(model->regions, i);
        const RamDiscardState *s = memory_region_ram_discard_state(mr);
        const RamDiscardListener *rdl;

        QTAILQ_FOREACH(rdl, &s->listeners, next) {
            if (rdl->kind) {
                add_consumer(model, rdl->kind);
            }
        }
    }
}

MapModel *map_model_new(void)
{
    MapModel *model = g_new0(MapModel, 1);

    model->ranges = g_array_new(false, false, sizeof(MapRange));
    model->extents = g_array_new(false, false, sizeof(MapExtent));
    model->regions = g_ptr_array_new();
    address_space_foreach_section(&address_space_memory, collect_section,
                                  model);
    collect_consumers(model);
    return model;
}

void map_model_free(MapModel *model)
{
    g_array_unref(model->ranges);
    g_array_unref(model->extents);
    g_ptr_array_unref(model->regions);
    g_free(model);
}

/* --- counting --- */

/* Which consumers hold what is populated of a range, by number. */
typedef struct Filler {
    MapModel *model;
    MapLayout *layout;
    hwaddr next;                          /* counted up to here */
    bool mapped[MAP_CONSUMERS];
} Filler;

static void count(Filler *f, MapKind kind, uint64_t first, uint64_t last)
{
    map_layout_add(f->layout, kind, first, last);
    f->model->total[kind] += last - first + 1;
}

static void count_held(Filler *f, MapKind kind, uint64_t first, uint64_t last)
{
    count(f, kind, first, last);
    for (unsigned i = 0; i < f->model->nr_consumers; i++) {
        if (f->mapped[i]) {
            count(f, MAP_MAPPED + i, first, last);
        }
    }
}

/* A populated run, and the discarded one before it. */
static int fill_run(const MemoryRegionSection *run, void *opaque)
{
    Filler *f = opaque;
    hwaddr first = run->offset_within_address_space;
    hwaddr last = first + (int128_get64(run->size) - 1);

    if (f->next < first) {
        count(f, MAP_UNPLUGGED, f->next, first - 1);
    }
    count_held(f, MAP_PLUGGED, first, last);
    f->next = last + 1;
    return 0;
}

static void fill_managed(Filler *f, const MapRange *range)
{
    f->next = range->extent.first;
    memory_region_section_foreach_populated(&range->section, fill_run, f);
    if (f->next <= range->extent.last) {
        count(f, MAP_UNPLUGGED, f->next, range->extent.last);
    }
}

static void fill_range(Filler *f, const MapRange *range)
{
    const MapModel *model = f->model;

    /* Who meets a managed region meets it in an address space, the rest of
     * whose RAM it has as a whole. */
    for (unsigned i = 0; i < model->nr_consumers; i++) {
        f->mapped[i] = range->kind == MAP_PLUGGED
                       ? region_has_listener(range->section.mr,
                                             model->consumers[i])
                       : range->kind == MAP_RAM;
    }
    if (range->kind == MAP_PLUGGED) {
        fill_managed(f, range);
    } else {
        count_held(f, range->kind, range->extent.first, range->extent.last);
    }
}

void map_model_fill(MapModel *model, MapLayout *layout)
{
    Filler f = { .model = model, .layout = layout };

    for (guint i = 0; i < model->ranges->len; i++) {
        fill_range(&f, &g_array_index(model->ranges, MapRange, i));
    }
}
