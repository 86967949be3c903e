/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guest memory consists of, for the memory map: a consumer of the memory
 * core and of RamDiscardMgr that stays no longer than it takes to look.
 */
#include "qemu/osdep.h"
#include "exec/address-spaces.h"
#include "memory-map.h"

/* --- the flat view --- */

typedef struct Collector {
    MemoryListener listener;
    MapModel *model;
} Collector;

static MapKind section_kind(const MemoryRegionSection *section)
{
    const MemoryRegion *mr = section->mr;

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

static void collect_section(MemoryListener *listener,
                            MemoryRegionSection *section)
{
    MapModel *model = container_of(listener, Collector, listener)->model;
    MapRange range = {
        .extent.first = section->offset_within_address_space,
        .extent.last = section->offset_within_address_space +
                       int128_getlo(section->size - 1),
        .kind = section_kind(section),
        .mr = section->mr,
        .offset = section->offset_within_region,
    };

    g_array_append_val(model->ranges, range);
    g_array_append_val(model->extents, range.extent);
    if (range.kind == MAP_PLUGGED) {
        add_region(model, section->mr);
    }
}

/* --- who listens --- */

static bool region_has_listener(const MemoryRegion *mr, const char *kind)
{
    RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(mr);
    const RamDiscardState *s = ram_discard_mgr_get_state(rdm, mr);
    const RamDiscardListener *rdl;

    if (s) {
        QTAILQ_FOREACH(rdl, &s->listeners, next) {
            if (!g_strcmp0(rdl->kind, kind)) {
                return true;
            }
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
        RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(mr);
        const RamDiscardState *s = ram_discard_mgr_get_state(rdm, mr);
        const RamDiscardListener *rdl;

        if (!s) {
            continue;
        }
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
    Collector c = {
        .listener = { .region_add = collect_section },
        .model = model,
    };

    model->ranges = g_array_new(false, false, sizeof(MapRange));
    model->extents = g_array_new(false, false, sizeof(MapExtent));
    model->regions = g_ptr_array_new();
    memory_listener_register(&c.listener, &address_space_memory);
    memory_listener_unregister(&c.listener);
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
    RamDiscardListener runs;
    MapModel *model;
    MapLayout *layout;
    const MapRange *range;
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

/* The part of a run of the region that is in the range; false: none. */
static bool clip_run(const MapRange *range, uint64_t offset, uint64_t size,
                     MapExtent *clipped)
{
    uint64_t span = range->extent.last - range->extent.first;
    uint64_t first = MAX(offset, range->offset);
    uint64_t last = MIN(offset + (size - 1), range->offset + span);

    *clipped = (MapExtent) {
        .first = range->extent.first + (first - range->offset),
        .last = range->extent.first + (last - range->offset),
    };
    return first <= last;
}

static int fill_populated(RamDiscardListener *rdl, const MemoryRegion *mr,
                          ram_addr_t offset, ram_addr_t size)
{
    Filler *f = container_of(rdl, Filler, runs);
    MapExtent run;

    if (clip_run(f->range, offset, size, &run)) {
        count_held(f, MAP_PLUGGED, run.first, run.last);
    }
    return 0;
}

static void fill_discarded(RamDiscardListener *rdl, const MemoryRegion *mr,
                           ram_addr_t offset, ram_addr_t size)
{
    Filler *f = container_of(rdl, Filler, runs);
    MapExtent run;

    if (clip_run(f->range, offset, size, &run)) {
        count(f, MAP_UNPLUGGED, run.first, run.last);
    }
}

static void fill_range(Filler *f)
{
    const MapRange *range = f->range;
    MapModel *model = f->model;

    /* Who meets a managed region meets it in an address space, the rest of
     * whose RAM it has as a whole. */
    for (unsigned i = 0; i < model->nr_consumers; i++) {
        f->mapped[i] = range->kind == MAP_PLUGGED
                       ? region_has_listener(range->mr, model->consumers[i])
                       : range->kind == MAP_RAM;
    }
    if (range->kind == MAP_PLUGGED) {
        RamDiscardMgr *rdm = memory_region_get_ram_discard_mgr(range->mr);

        ram_discard_mgr_replay_populated(rdm, range->mr, &f->runs);
        ram_discard_mgr_replay_discarded(rdm, range->mr, &f->runs);
    } else {
        count_held(f, range->kind, range->extent.first, range->extent.last);
    }
}

void map_model_fill(MapModel *model, MapLayout *layout)
{
    Filler f = { .model = model, .layout = layout };

    ram_discard_listener_init(&f.runs, fill_populated, fill_discarded, NULL);
    for (guint i = 0; i < model->ranges->len; i++) {
        f.range = &g_array_index(model->ranges, MapRange, i);
        fill_range(&f);
    }
}
