/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which memory a dump consists of: a consumer of RamDiscardMgr that just wants
 * to know what is populated now. Looks at the flat view by a MemoryListener
 * that is registered no longer than that takes. Must not touch the memory.
 */
#include "qemu/osdep.h"
#include "dump-internal.h"

typedef struct Collector {
    MemoryListener listener;
    RamDiscardListener runs;
    const MemoryRegionSection *section;   /* whose runs are told */
    hwaddr first;
    hwaddr last;
    GArray *pieces;
} Collector;

static void piece_clear(gpointer data)
{
    memory_region_unref(((DumpPiece *)data)->mr);
}

static DumpPiece *last_piece(Collector *c)
{
    return c->pieces->len
           ? &g_array_index(c->pieces, DumpPiece, c->pieces->len - 1) : NULL;
}

/* @offset .. @offset + @size is in the section; takes what was asked for. */
static void add_piece(Collector *c, uint64_t offset, uint64_t size)
{
    const MemoryRegionSection *section = c->section;
    hwaddr start = section->offset_within_address_space +
                   (offset - section->offset_within_region);
    hwaddr first = MAX(start, c->first);
    hwaddr last = MIN(start + (size - 1), c->last);
    DumpPiece *before = last_piece(c);
    DumpPiece piece;

    if (first > last) {
        return;
    }
    piece.addr = first;
    piece.size = last - first + 1;
    piece.mr = section->mr;
    piece.host = (uint8_t *)memory_region_get_ram_ptr(section->mr) + offset +
                 (first - start);
    if (before && before->mr == piece.mr &&
        before->addr + before->size == piece.addr &&
        before->host + before->size == piece.host) {
        before->size += piece.size;
        return;
    }
    memory_region_ref(piece.mr);
    g_array_append_val(c->pieces, piece);
}

static int collect_run(RamDiscardListener *rdl, const MemoryRegion *mr,
                       ram_addr_t offset, ram_addr_t size)
{
    Collector *c = container_of(rdl, Collector, runs);
    uint64_t start = c->section->offset_within_region;
    uint64_t end = start + int128_get64(c->section->size);
    uint64_t from = MAX(offset, start), to = MIN(offset + size, end);

    if (from < to) {
        add_piece(c, from, to - from);
    }
    return 0;
}

/* A device's memory is not the guest's, and reading it may have effects. */
static void collect_section(MemoryListener *listener,
                            MemoryRegionSection *section)
{
    Collector *c = container_of(listener, Collector, listener);
    MemoryRegion *mr = section->mr;

    if (!memory_region_is_ram(mr) || memory_region_is_ram_device(mr)) {
        return;
    }
    c->section = section;
    if (memory_region_has_ram_discard_mgr(mr)) {
        ram_discard_mgr_replay_populated(memory_region_get_ram_discard_mgr(mr),
                                         mr, &c->runs);
    } else {
        add_piece(c, section->offset_within_region,
                  int128_get64(section->size));
    }
}

GArray *dump_pieces_new(AddressSpace *as, hwaddr first, hwaddr last)
{
    Collector c = {
        .listener = { .region_add = collect_section },
        .first = first,
        .last = last,
        .pieces = g_array_new(false, false, sizeof(DumpPiece)),
    };

    g_array_set_clear_func(c.pieces, piece_clear);
    ram_discard_listener_init(&c.runs, collect_run, NULL, NULL);
    memory_listener_register(&c.listener, as);
    memory_listener_unregister(&c.listener);
    return c.pieces;
}

GArray *dump_segments_new(const GArray *pieces)
{
    GArray *segments = g_array_new(false, false, sizeof(DumpSegment));
    DumpSegment *last = NULL;

    for (guint i = 0; i < pieces->len; i++) {
        const DumpPiece *piece = &g_array_index(pieces, DumpPiece, i);

        if (last && last->addr + last->size == piece->addr) {
            last->size += piece->size;
        } else {
            DumpSegment segment = { piece->addr, piece->size };

            g_array_append_val(segments, segment);
            last = &g_array_index(segments, DumpSegment, segments->len - 1);
        }
    }
    return segments;
}
